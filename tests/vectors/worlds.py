"""A small consortium of the reference's own making, and its bundles as plain documents (SPEC §11).

Two validators of set 1, two of set 2, four epochs: (1) a confirmed invoice with its label, and a refused transaction
(2) its cancellation, and the update to set 2 (3, 4) nothing. Set 2 is responsible from size 4 on. `twist` says in what
a world differs from the honest one: what its validators would have had to agree on.
"""

import base64
import hmac
import json
from functools import cache

import anchors
import curve
import reference as r
from epochs import CADENCE, EPOCH_TYPE, GENESIS_TYPE, TIME, words
from exports import certificate, public
from fields import b64u, digest, text
from notes import b64, log_line, quorum_lines
from quorums import ADDRESSES, statement
from transactions import Key, body, message, operation, part, record_of, record_payload, signed, u

ORIGIN, OTHER_ORIGIN = "example.org/receivables", "other.example/receivables"
TABLE = bytes.fromhex("3ecf83fa0e08ed87e7b3deb619a6acaff33b1c7f7ab3e66909ed548930ed27b4")  # H(JCS of table 1), S4
SET_UPDATE_TYPE = (
    "HybridBridge.SetUpdate.v1(bytes32 logId,uint64 setId,bytes32 previousSetHash,bytes32 setHash,"
    "uint64 effectiveFromSize,bytes32 decoyKeyHash,bytes32 replaces,bytes32 reasonHash,uint64 n)"
)
LADDER, RUNGS = 1 << 3, 1 << 1 | 1 << 2  # batches of 8; 2 or 4 registry pairs an epoch
HANDOVER, EPOCHS = 4, 4
NOW = TIME + EPOCHS * CADENCE + 60
OBJECT = "000102030405060708090a0b0c0d0e0f"
DEBTOR, CREDITOR = (b64u(r.sha(f"key of the {who}".encode())) for who in ("debtor", "creditor"))
INVOICE = (3, "LEI:5493001KJTIIGC8Y1R12", "INV-001")
LIFE = (1, "asset", OBJECT)
UNKNOWN = (3, "LEI:5493001KJTIIGC8Y1R12", "INV-999")
DOCUMENT = b"the bytes of an invoice"
COMMITMENT_KEY = b"hybrid-bridge/v1/registry-commitment"


def jcs(value):
    """RFC 8785 of what bundles hold: ASCII names, texts, integers."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def label_bytes(label):
    kind, *parts = label
    return u(kind, 2) + u(len(parts), 1) + b"".join(u(len(p.encode()), 2) + p.encode() for p in parts)


@cache
def seeds(origin):
    return {name: r.sha(f"{name} of {origin}".encode()) for name in ("vrf", "K_1", "K_2", "log", "receipt")}


@cache
def index_of(origin, alpha):
    """Index and VRF proof."""
    seed = seeds(origin)["vrf"]
    proof = curve.prove(seed, alpha)
    return curve.verdict(curve.public_key(seed), alpha, proof)[:32], proof


class World:
    """Everything is computed when it is made, step by step in the order of the fields below."""

    def __init__(self, origin=ORIGIN, **twist):
        self.origin, self.twist, self.seeds = origin, twist, seeds(origin)
        self.identities = {k: Key(r.sha(b"identity %d of " % k + origin.encode())) for k in (1, 2, 3)}
        self.certificates = {k: certificate(key.seed) for k, key in self.identities.items()}
        self.sets = {1: self.make_set(1, [1, 2]), 2: self.make_set(2, twist.get("new_keys", [2, 3]))}
        self.registry = [dict(self.dummies(0, 2))]
        self.genesis = self.make_genesis()
        self.log_id = r.leaf(self.genesis)
        self.records_of_parties()
        self.update = self.make_update()
        self.governance = [self.genesis, self.update]
        if twist.get("replaced"):  # in epoch 3, by a set of the same number; the world goes on as if it had not been
            self.governance.append(self.make_update(replaces=r.leaf(self.update), from_size=5))
        self.grow_registry()
        self.batches = [None, *(self.make_batch(e) for e in range(1, EPOCHS + 1))]
        self.records = [self.genesis, *(self.make_record(e) for e in range(1, EPOCHS + 1))]
        self.leaves = [r.leaf(record) for record in self.records]

    def prf(self, name, data, key="K_1"):
        return hmac.digest(self.seeds[key], r.context(name) + r.sha(self.origin.encode()) + data, "sha256")

    # ── validators ──

    def make_set(self, set_id, keys, order=None):
        """Entries in address order, or as `order` says; their parts of a bundle."""
        order = order or sorted(keys, key=ADDRESSES.get)
        parts, entries = [], []
        for key in order:
            name = jcs({"id": f"LEI:TEST{key}", "name": f"Member {key}"})
            origin = self.twist.get("binding_origin", self.origin)
            struct = b"\x01" + r.sha(origin.encode()) + r.sha(self.certificates[key]) + ADDRESSES[key] + bytes(32)
            bound = r.context("key-binding") + struct
            binding = struct + u(0x0807, 2) + self.identities[key].sign(bound)
            entries.append(r.word(ADDRESSES[key]) + r.sha(name.encode()) + r.sha(self.certificates[key]) + r.sha(bound))
            parts.append({
                "address": b64u(ADDRESSES[key]), "name": name, "certificate_hash": b64u(r.sha(self.certificates[key])),
                "key_binding": b64u(binding),
            })  # fmt: skip
        addresses = [ADDRESSES[key] for key in order]
        return {
            "id": set_id,
            "hash": r.set_hash(set_id, entries),
            "addresses": addresses,
            "entries": entries,
            "parts": parts,
        }

    def set_of(self, size):
        return self.sets[2 if size >= HANDOVER else 1]

    # ── records ──

    def make_genesis(self):
        log_key, receipt_key = public(self.seeds["log"]), public(self.seeds["receipt"])
        return words(
            GENESIS_TYPE,
            [r.sha(self.origin.encode()), 1, TIME, CADENCE, 1800, 2, LADDER, RUNGS, 1,
             curve.public_key(self.seeds["vrf"]), r.prefix_root(self.registry[0]), TABLE,
             self.twist.get("set_hash", self.sets[1]["hash"]), r.sha(r.context("decoy-key") + self.seeds["K_1"]),
             log_key, receipt_key, bytes(32), bytes(20), 86400, r.sha(b"ledger"), 1, r.sha(b"policy"), bytes(32), 0,
             bytes(32)],
        )  # fmt: skip

    def make_update(self, **told):
        """Set 2, committed in epoch 2."""
        new, told = self.sets[2], self.twist.get("update", {}) | told
        values = [self.log_id, new["id"], self.sets[1]["hash"], new["hash"], HANDOVER,
                  r.sha(r.context("decoy-key") + self.seeds["K_2"]), bytes(32), bytes(32), len(new["entries"])]  # fmt: skip
        names = ("log_id", "set_id", "previous", "hash", "from_size", "decoys", "replaces", "reason", "n")
        values = [told.get(name, value) for name, value in zip(names, values, strict=True)]
        return words(SET_UPDATE_TYPE, values) + b"".join(told.get("entries", new["entries"]))

    def make_record(self, e):
        governed = self.governance[: 1 if e < self.twist.get("update_epoch", 2) else 2 if e < 3 else 3]
        responsible = self.twist.get("sets", {}).get(e, self.set_of(e + 1))
        values = {
            "logId": self.log_id, "epoch": e, "firstBlock": e, "endBlock": e + 1, "lastBlockHash": r.sha(b"block %d" % e),
            "batchSize": 8, "batchRoot": r.root(self.batches[e]["leaves"]), "registryRoot": r.prefix_root(self.registry[e]),
            "governanceSize": len(governed), "governanceRoot": r.root([r.leaf(record) for record in governed]),
            "setId": responsible["id"], "setHash": responsible["hash"], "publicChainId": 0, "publicBlockNumber": 0,
            "publicBlockHash": bytes(32), "closedAt": TIME + e * CADENCE, "flags": 0,
            "statsCommitment": self.prf("stats", u(e, 8)), "blind": self.prf("blind", u(e, 8)),
        }  # fmt: skip
        return words(EPOCH_TYPE, (values | self.twist.get("epochs", {}).get(e, {})).values())

    # ── what members entered ──

    def salt(self, name):
        return r.sha(f"salt of {name}".encode())

    def fields(self, *named):
        return [text(self.salt(name), name, value) for name, value in named]

    def records_of_parties(self):
        self.submitter = Key(r.sha(b"submitter of " + self.origin.encode()))
        origin = ("_origin", b64u(self.submitter.id))
        decoys = [r.sha(b"decoy %d" % i) for i in range(8)]
        confirmed = self.fields(
            ("_schema", "asset.confirm/1"), origin, ("object", OBJECT), ("gross", "1250000"), ("ccy", "CNY"),
            ("distinct", False), ("event_time", TIME + 60))  # fmt: skip
        private = self.fields(("doc.0.sha256", b64u(r.sha(DOCUMENT))), ("order_number", "PO-1"))
        cancelled = self.fields(
            ("_schema", "asset.cancel/1"), origin, ("object", OBJECT), ("event_time", TIME + CADENCE + 60))  # fmt: skip
        registered = self.fields(
            ("_schema", "asset.register/1"), origin, ("object", OBJECT), ("debtor", DEBTOR), ("ccy", "CNY"),
            ("gross", "1250000"), ("creditor_key", CREDITOR), ("event_time", TIME + 30))  # fmt: skip
        seller = self.fields(("seller", "LEI:TEST-SELLER"))
        self.entries = {}
        for name, kind, claims, hidden in (
            ("confirm", 0x0102, confirmed, private),
            ("cancel", 0x0104, cancelled, []),
            ("register", 0x0101, registered, seller),
        ):
            entry, private_root, sorted_claims, data = record_of(kind, claims, hidden, decoys)
            texts = {json.loads(unb64u(one))[1]: one for one in (*claims, *hidden)}
            self.entries[name] = {
                "entry": entry, "leaf": r.leaf(entry), "private_root": private_root, "claims": sorted_claims,
                "data": data, "leaves": [r.leaf(one) for one in data], "texts": texts,
            }  # fmt: skip
        self.refused = r.sha(b"a refused transaction")
        self.refusal = b"\x02" + bytes(4) + self.refused

    def transaction(self, name="confirm", ops=None, **fields):
        told = self.entries[name]
        ops = [operation(3, self.index(INVOICE, 0)[0], self.pair(INVOICE, 0, 1)[1])] if ops is None else ops
        payload = record_payload(told["entry"], told["private_root"], told["claims"], ops)
        data = body(self.log_id, self.submitter.id, payload, **fields)
        return signed(data, part(self.submitter, self.submitter.sign(message(data))))

    # ── batches ──

    def make_batch(self, e):
        real = {1: [self.entries["confirm"]["entry"], self.refusal], 2: [self.entries["cancel"]["entry"]]}.get(e, [])
        real = self.twist.get("batches", {}).get(e, real)
        if e == 1 and self.twist.get("registered"):
            real = [*real, self.entries["register"]["entry"]]
        decoys = [bytes(5) + self.prf("decoy-entry", u(e, 8) + u(i, 4)) for i in range(8 - len(real))]
        entries = sorted([*real, *decoys], key=r.leaf)
        if e in self.twist.get("unsorted", ()):
            entries = [*entries[1:], entries[0]]
        return {"entries": entries, "leaves": [r.leaf(entry) for entry in entries]}

    # ── the registry ──

    def dummies(self, e, count):
        return [
            tuple(self.prf(f"dummy-{what}", u(e, 8) + u(i, 4)) for what in ("index", "value")) for i in range(count)
        ]

    def alpha(self, label, version):
        return r.context("label") + self.log_id + label_bytes(label) + u(version, 4)

    def index(self, label, version):
        return index_of(self.origin, self.alpha(label, version))

    def opened(self, label, version, e):
        """Value and opening."""
        data, name = label_bytes(label), "confirm" if version == 0 else "cancel"
        leaf = b64u(self.entries[name]["leaf"])
        if label[0] != 1:
            return jcs({"entry": leaf, "object": OBJECT, "table": "1"}), self.salt("identity opening")
        code, state = ("0x0102", "CONFIRMED") if version == 0 else ("0x0104", "CANCELLED")
        opening = self.prf("life-opening", u(e, 8) + u(len(data), 2) + data + u(version, 4))
        return jcs({"code": code, "entry": leaf, "state": {"state": state}}), opening

    def commitment(self, label, version, value, opening):
        data = label_bytes(label)
        struct = (
            opening + self.log_id + u(len(data), 2) + data + u(version, 4) + u(len(value.encode()), 2) + value.encode()
        )
        return hmac.digest(COMMITMENT_KEY, struct, "sha256")

    def pair(self, label, version, e):
        value, opening = self.opened(label, version, e)
        return self.index(label, version)[0], self.commitment(label, version, value, opening)

    def grow_registry(self):
        first = [self.pair(INVOICE, 0, 1), self.pair(LIFE, 0, 1)]
        second = [self.pair(LIFE, 1, 2)]
        for e, real, rung in ((1, first, 4), (2, second, 2), (3, [], 2), (4, [], 2)):
            pairs = dict(self.registry[-1]) | dict(real) | dict(self.dummies(e, rung - len(real)))
            self.registry.append(self.twist.get("registries", {}).get(e, lambda given: given)(pairs))

    # ── parts of a bundle ──

    def note(self, size, members=None, signers=None, **changes):
        members = members or self.set_of(size)
        root = changes.pop("root", r.root(self.leaves[:size]))
        origin = changes.pop("origin", self.origin)
        told = {"log_id": self.log_id, "tree_size": size, "root": root, "timestamp": TIME + (size - 1) * CADENCE}
        fields = statement(members, **{**told, **changes})
        text_ = f"{origin}\n{size}\n{b64(root)}\n"
        chosen = {**members, "addresses": members["addresses"][:signers]}
        lines = [log_line(text_, origin, self.seeds["log"]), *quorum_lines(chosen, fields, origin)]
        return text_ + "\n" + "".join(f"{line}\n" for line in lines)

    def checkpoint(self, size, older=None, **changes):
        consistency = [] if older is None else r.proof(older, self.leaves[:size])
        return {"note": changes.pop("note", None) or self.note(size, **changes), "consistency": path(consistency)}

    def genesis_part(self, size):
        return {"origin": self.origin, "record": b64u(self.genesis), "path": path(r.path(0, self.leaves[:size])),
                "validators": self.sets[1]["parts"]}  # fmt: skip

    def proven(self, e, size):
        return {"record": b64u(self.records[e]), "path": path(r.path(e, self.leaves[:size]))}

    def epoch(self, e, size, entries=(), absences=(), labels=()):
        return self.proven(e, size) | {"entries": list(entries), "absences": list(absences), "labels": list(labels)}

    def entry(self, e, entry, shown=(), **more):
        """An entry of a batch; `shown` names fields, `more` may hold its transaction."""
        leaves = self.batches[e]["leaves"]
        at = leaves.index(r.leaf(entry))
        told = next((one for one in self.entries.values() if one["entry"] == entry), None)
        disclosures = []
        for name in shown:
            value = told["texts"][name]
            place = told["data"].index(digest(value))
            disclosures.append({"value": value, "index": place, "path": path(r.path(place, told["leaves"]))})
        disclosures.sort(key=lambda one: one["index"])
        return {"entry": b64u(entry), "index": at, "path": path(r.path(at, leaves)), "disclosures": disclosures, **more}

    def neighbour(self, e, at):
        leaves = self.batches[e]["leaves"]
        return {"leaf": b64u(leaves[at]), "index": at, "path": path(r.path(at, leaves))}

    def absence(self, e, leaf):
        after = sum(one < leaf for one in self.batches[e]["leaves"])
        sides = {"left": after - 1, "right": after}
        return {"leaf": b64u(leaf)} | {side: self.neighbour(e, at) for side, at in sides.items() if 0 <= at < 8}

    def label(self, e, label, version, opened=True, inserted=1):
        index, proof = self.index(label, version)
        pairs = self.registry[e]
        terminal, siblings = r.prefix_proof(index, pairs)
        shown = {"index": b64u(index), "label": b64u(label_bytes(label)), "version": version, "proof": b64u(proof),
                 "terminal": terminal and {"index": b64u(terminal[0]), "commitment": b64u(terminal[1])},
                 "path": path(siblings)}  # fmt: skip
        if opened and index in pairs:
            value, opening = self.opened(label, version, inserted)
            shown |= {"value": value, "opening": b64u(opening)}
        return shown

    def rotation(self, first_size, size=3, e=2, **changes):
        """Set 1 to set 2: the record, the epoch that covers it, the old set's note over that epoch."""
        governed = [r.leaf(record) for record in self.governance[:2]]
        return {
            "update": b64u(self.update), "index": 1, "path": path(r.path(1, governed)), "epoch": self.proven(e, size),
            "note": self.note(size), "consistency": path(r.proof(size, self.leaves[:first_size])),
            "validators": self.sets[2]["parts"], **changes,
        }  # fmt: skip

    def governed(self, older, newer):
        """All governance records between the two epochs: the update to set 2, and what replaces it, if anything."""
        governed = [r.leaf(record) for record in self.governance]
        records = [{"index": k, "record": b64u(record), "path": path(r.path(k, governed))}
                   for k, record in enumerate(self.governance) if k]  # fmt: skip
        consistency = path(r.proof(1, governed))
        return {"from_epoch": older, "to_epoch": newer, "consistency": consistency, "records": records}

    def promise(self, key=None, **changes):
        key = key or self.identities[1]
        told = {"log_id": self.log_id, "transaction": r.sha(b"dropped transaction"), "leaf": r.sha(b"dropped entry"),
                "time": TIME + 30, "accepted": 1, "by": 2, "signer": key.id, **changes}  # fmt: skip
        struct = b"\x01" + told["log_id"] + told["transaction"] + told["leaf"]
        struct += b"".join(u(told[name], 8) for name in ("time", "accepted", "by")) + told["signer"]
        return struct + u(0x0807, 2) + key.sign(r.context("promise") + struct)

    def omission(self, size=3, epochs=(1, 2), entries=(), **promised):
        """A promise, and each epoch of its window without entry and refusal."""
        owed = [promised.get("leaf", r.sha(b"dropped entry"))]
        owed.append(r.leaf(b"\x02" + bytes(4) + promised.get("transaction", r.sha(b"dropped transaction"))))
        shown = []
        for e in epochs:
            absences = [self.absence(e, leaf) for leaf in owed if leaf not in self.batches[e]["leaves"]]
            there = [entry for at, entry in entries if at == e]
            shown.append(self.epoch(e, size, [self.entry(e, entry) for entry in there], absences))
        return self.bundle(size, *shown, purpose="omission", promise=b64u(self.promise(**promised)))

    def anchor(self, size):
        members = self.set_of(size)
        time = TIME + (size - 1) * CADENCE
        event = anchors.event(log_id=self.log_id, tree_size=size, root=r.root(self.leaves[:size]), timestamp=time,
                              set_id=members["id"], signers=3)  # fmt: skip
        given = anchors.anchor(anchors.receipt([event]), 0, 1, 1, time=time + 7) | {"tree_size": size, "log_index": 0}
        return {"type": "evm"} | {name: plain(value) for name, value in given.items()}

    def bundle(self, size, *epochs, **parts):
        certificates = sorted((self.certificates[k] for k in (1, 2)), key=r.sha)
        return {
            "format": "hybrid-bridge/bundle/v1", "purpose": "record", "critical": [], "extensions": {},
            "genesis": self.genesis_part(size), "rotations": [self.rotation(size)] if size >= HANDOVER else [],
            "checkpoints": [self.checkpoint(size)], "epochs": list(epochs), "source_evidence": [],
            "certificates": list(map(b64u, certificates)), "anchors": [self.anchor(size)], "public_blocks": [],
            "artefacts": [], "renewals": [], **parts,
        }  # fmt: skip

    # ── whole bundles ──

    def record(self, **parts):
        """The confirmed invoice: some of its fields, its transaction, the document behind one field."""
        entry = self.entry(1, self.entries["confirm"]["entry"], ("_schema", "_origin", "object", "doc.0.sha256"),
                           transaction=b64u(self.transaction()))  # fmt: skip
        document = {"name": "invoice.txt", "media_type": "text/plain", "size": len(DOCUMENT),
                    "sha256": b64u(r.sha(DOCUMENT)), "field": "doc.0.sha256"}  # fmt: skip
        return self.bundle(3, self.epoch(1, 3, [entry]), **{"artefacts": [document], **parts})

    def registered(self):
        """What the registry says of the invoice and of the object's whole life, and of an invoice nobody brought."""
        first = self.epoch(1, 3, labels=[self.label(1, INVOICE, 0), self.label(1, UNKNOWN, 0)])
        life = [self.label(2, LIFE, version, inserted=version + 1) for version in range(3)]
        second = self.epoch(2, 3, labels=[self.label(2, INVOICE, 0), *life])
        return self.bundle(3, first, second, purpose="registry")

    def rotated(self):
        """Under the second set; the governance between is shown."""
        shown = [self.epoch(e, 5) for e in (1, 3, 4)]
        return self.bundle(5, *shown, purpose="governance", governance=self.governed(1, 4))

    def growing(self):
        """Two checkpoints, the later one under the second set."""
        later = self.checkpoint(5, 3)
        shown = self.epoch(1, 3), self.epoch(2, 3)
        return self.bundle(3, *shown, purpose="checkpoint", rotations=[self.rotation(3)],
                           checkpoints=[self.checkpoint(3), later])  # fmt: skip

    def trust(self, size=3, **changes):
        last = unb64u(self.anchor(size)["descendants"][-1])
        chain = {"chain_id": 31337, "contracts": [b64u(anchors.CONTRACT)], "sources": [], "threshold": 0,
                 "block_hashes": [{"number": 71, "hash": b64u(r.keccak(last))}]}  # fmt: skip
        return {"format": "hybrid-bridge/trust/v1", "logs": [{"log_id": b64u(self.log_id)}], "public_chains": [chain],
                "tsa_roots": [], "member_roots": [], "require": ["integrity", "quorum", "public anchor"], **changes}  # fmt: skip


def unb64u(value):
    return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))


def path(siblings):
    return [b64u(one) for one in siblings]


def plain(value):
    """As bundles write it: byte strings as base64url."""
    if isinstance(value, bytes):
        return b64u(value)
    return [plain(one) for one in value] if isinstance(value, list | tuple) else value


@cache
def world(origin=ORIGIN):
    return World(origin)
