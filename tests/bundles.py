"""A whole consortium in memory, and bundles of it: everything real but the network. Tests break copies of them.

Five epochs: (1) members and a day of receivables (2) a beacon and the update to set 2 (3) a freeze (4, 5) nothing.
Set 2, in which one bank has a new attestation key, is responsible from size 5 on.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any

import rlp
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate
from eth_utils import keccak
from trie import HexaryTrie

from hybrid_bridge.adapters.pki import Authority, Holder, found_authority, issue_identity
from hybrid_bridge.business.brake import brake_until
from hybrid_bridge.business.ruling import RulePack
from hybrid_bridge.core import vrf
from hybrid_bridge.core.anchor import ANCHORED, EvmAnchor
from hybrid_bridge.core.attestation import Checkpoint, quorum
from hybrid_bridge.core.batch import Batch
from hybrid_bridge.core.bundle import (
    AbsencePart,
    ArtefactPart,
    Bundle,
    CheckpointPart,
    DisclosurePart,
    EntryPart,
    EpochPart,
    GenesisPart,
    GovernancePart,
    GovernanceRecordPart,
    LabelPart,
    NeighbourPart,
    ProvenRecord,
    PublicBlockPart,
    RotationPart,
    TerminalPart,
    ValidatorPart,
)
from hybrid_bridge.core.checkpoint import Note, format_note, log_line, parse_note, quorum_line
from hybrid_bridge.core.encoding import ZERO, parse_b64u, sha256
from hybrid_bridge.core.entry import RefusalEntry, decode_record_entry
from hybrid_bridge.core.exports.cose_receipt import sign_root
from hybrid_bridge.core.exports.sd_jwt import issue
from hybrid_bridge.core.genesis import Genesis, origin_hash
from hybrid_bridge.core.governance import SetUpdate
from hybrid_bridge.core.keys import PrivateKey
from hybrid_bridge.core.label_table import label_table_hash
from hybrid_bridge.core.labels import LIFE, Label, life
from hybrid_bridge.core.promise import Promise, SignedPromise
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.registry import genesis_tree
from hybrid_bridge.core.secret import Secret, decoy_key_hash
from hybrid_bridge.core.signing import address_of, public_key_of, sign_digest
from hybrid_bridge.core.transaction import BeaconPayload
from hybrid_bridge.core.tree import Tree
from hybrid_bridge.core.trust import Trust, TrustedBlock, TrustedChain, TrustedLog
from hybrid_bridge.core.validators import KeyBinding, SignedKeyBinding, ValidatorEntry, ValidatorSet, name_text
from hybrid_bridge.node.documents import open_tree
from hybrid_bridge.steps.batch import Closed, ClosingKeys, EpochBlocks, close_epoch, label_index, life_event_value
from hybrid_bridge.steps.commit import BlockOutcome, MemberInfo, Rules, genesis_state
from hybrid_bridge.testing.datasets.play import Played, Player, member_updates, private_keys, read_lines
from hybrid_bridge.testing.datasets.receivables import generate
from hybrid_bridge.testing.datasets.story import CADENCE, START
from hybrid_bridge.units import Address, ChainId, EpochNumber, Height, Seconds, SetId, TreeSize, UnixSeconds
from tests.ledger import MemoryLedger, counted

CHAIN = ChainId(31337)
CONTRACT = Address(b"\xc0" * 20)
LADDERS = 1 << 3 | 1 << 7 | 1 << 9
ROTATED = "bank-2"
EPOCHS = 5
HANDOVER = TreeSize(5)  # the first size of set 2
NOW = UnixSeconds(START + EPOCHS * CADENCE + 60)
INVOICE = ("object", "debtor", "ccy", "gross", "seller", "buyer", "jurisdiction", "cn_einv", "inv_no", "issue_date")
BEACON_TIME = START + CADENCE + 3_600


# ── keys ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Validator:
    """One node's identity and attestation keys, and what a bundle shows of them."""

    name: str
    attestation: bytes
    part: ValidatorPart
    certificate: bytes

    @property
    def entry(self) -> ValidatorEntry:
        binding = SignedKeyBinding.decode(self.part.key_binding).binding
        hashes = sha256(self.part.name.encode()), self.part.certificate_hash, binding.digest
        return ValidatorEntry(Address(self.part.address), *hashes)


def make_validator(
    origin: str, row: Mapping[str, Any], key: PrivateKey, certificate: bytes, attestation: bytes
) -> Validator:
    address = Address(address_of(public_key_of(attestation)))
    binding = KeyBinding(origin_hash(origin), sha256(certificate), address, ZERO)
    signed = SignedKeyBinding(binding, key.public.scheme, key.sign(binding.message()))
    part = ValidatorPart(
        address=address,
        name=name_text(row["id"], row["name"]),
        certificate_hash=sha256(certificate),
        key_binding=signed.encode(),
    )
    return Validator(row["key"], attestation, part, certificate)


def set_of(set_id: int, validators: Iterable[Validator]) -> ValidatorSet:
    return ValidatorSet(SetId(set_id), tuple(v.entry for v in validators))


def in_order(validators: Iterable[Validator]) -> tuple[Validator, ...]:
    return tuple(sorted(validators, key=lambda v: v.part.address))


# ── a public chain ───────────────────────────────────────────────────────────────────────────────────────────────────


def word(number: int) -> bytes:
    return number.to_bytes(32, "big")


def public_header(number: int, parent: bytes, receipts_root: bytes, time: int) -> bytes:
    items = [parent, *([bytes(32)] * 4), receipts_root, bytes(256), 0, number, 30_000_000, 21_000, time, b"devnet"]
    return bytes(rlp.encode([*items, bytes(32), bytes(8), 7, bytes(32)]))


def public_anchor(
    checkpoint: Checkpoint, signers: int, *, number: int, contract: bytes = CONTRACT, status: int = 1, after: int = 90
) -> EvmAnchor:
    """The event in the receipt of a transaction, under a header, with one more header on top."""
    topics = [ANCHORED, checkpoint.log_id, word(checkpoint.tree_size)]
    data = checkpoint.root + word(checkpoint.timestamp) + word(checkpoint.set_id) + word(signers)
    receipt = b"\x02" + bytes(rlp.encode([status, 100_000, bytes(256), [[contract, topics, data]]]))
    trie = HexaryTrie({})
    trie[rlp.encode(0)] = b"\x02" + rlp.encode([1, 21_000, bytes(256), []])
    trie[rlp.encode(1)] = receipt
    header = public_header(number, bytes(32), trie.root_hash, checkpoint.timestamp + after)
    return EvmAnchor(
        tree_size=checkpoint.tree_size,
        chain_id=CHAIN,
        contract=contract,
        header=header,
        tx_index=1,
        receipt=receipt,
        proof=tuple(bytes(rlp.encode(node)) for node in trie.get_proof(rlp.encode(1))),
        log_index=0,
        descendants=(public_header(number + 1, keccak(header), bytes(32), checkpoint.timestamp + after + 12),),
    )


# ── the consortium ───────────────────────────────────────────────────────────────────────────────────────────────────


class Ledger(MemoryLedger):
    """A memory ledger whose first validators have real keys and certificates."""

    def __init__(self, genesis: Genesis, keys: Mapping[str, PrivateKey], members: Sequence[MemberInfo], seed: bytes):
        self.keys, self.rules = keys, Rules(genesis, RulePack(rotation=True, beacons=True))
        self.log_id, self.state = self.rules.log_id, {}
        self.nodes = [name for name in keys if keys[name].public.key_id in {m.key_id for m in members}]
        self.write(genesis_state(genesis, members))
        self.height, self.time = 1, START
        self.player = Player(keys, self.log_id, seed, counted())
        self.outcomes = []


@dataclass(eq=False)
class Consortium:
    """Plays its whole life when it is made."""

    origin: str = "example.org/receivables"
    nodes: int = 4
    closed: list[Closed] = field(default_factory=list)
    epochs_of: list[list[BlockOutcome]] = field(default_factory=list)
    played: list[Played] = field(default_factory=list)
    trees: list[Any] = field(default_factory=list)  # registry by epoch

    def __post_init__(self) -> None:
        self.files = generate(suppliers=1, banks=2, seed=f"TEST {self.origin}").files
        self.events = read_lines(self.files["events.jsonl"])
        self.keys = private_keys(self.files)
        self.vrf_seed = self._seed("vrf")
        self.secrets = [Secret(self._seed(f"K_{k}"), origin_hash(self.origin)) for k in (1, 2)]
        self.authority: Authority = found_authority("TEST authority", UnixSeconds(START))
        rows = [row for row in json.loads(self.files["members.json"]) if "node" in row["roles"]][-self.nodes :]
        self.first = in_order(self._validator(row, 1) for row in rows)
        self.second = in_order(
            self._validator(next(r for r in rows if r["key"] == ROTATED), 2) if v.name == ROTATED else v
            for v in self.first
        )
        self.genesis = self._genesis()
        self.governance = [self.genesis.encode()]
        self.log = Tree()
        self.log.append(self.genesis.log_id)
        members = [MemberInfo(v.entry, self.keys[v.name].public.key_id) for v in self.first]
        self.ledger = Ledger(self.genesis, self.keys, members, self.vrf_seed)
        self._live()

    def _seed(self, what: str) -> bytes:
        return sha256(f"TEST {what} of {self.origin}".encode())

    def _validator(self, row: Mapping[str, Any], generation: int) -> Validator:
        key = self.keys[row["key"]]
        certificate = self.certificate_of(row["key"], row["name"], row["id"])
        return make_validator(self.origin, row, key, certificate, self._seed(f"{row['key']} {generation}"))

    @cache  # noqa: B019 a consortium lives as long as the tests
    def certificate_of(self, name: str, legal_name: str, legal_id: str) -> bytes:
        holder = Holder(name, legal_name, legal_id)
        return issue_identity(self.authority, holder, self.keys[name].public, UnixSeconds(START))

    def _genesis(self) -> Genesis:
        return Genesis(
            origin_hash=origin_hash(self.origin),
            genesis_time=UnixSeconds(START),
            cadence=Seconds(CADENCE),
            grace=Seconds(1_800),
            promise_delay=6,
            batch_ladder=LADDERS,
            registry_ladder=LADDERS,
            vrf_public_key=vrf.public_key(self.vrf_seed),
            registry_root=genesis_tree(self.secrets[0], LADDERS).root,
            label_table_hash=label_table_hash(),
            set_hash=set_of(1, self.first).digest,
            decoy_key_hash=decoy_key_hash(self.secrets[0].k_set),
            log_key=PrivateKey.from_seed(self._seed("log")).public.spki[-32:],
            receipt_key=PrivateKey.from_seed(self._seed("receipt")).public.spki[-32:],
            guardian=Address(bytes(20)),
            pause_max=Seconds(86_400),
            ledger_id=sha256(b"ledger"),
            first_block=Height(1),
            policy_hash=sha256(b"policy"),
        )

    # ── its life ──

    def _live(self) -> None:
        certificates = {v.name: sha256(v.certificate) for v in self.first}
        updates = member_updates(self.files, self.ledger.log_id, self.keys, certificates)
        self.ledger.block(*(self.ledger.governance(update.encode()) for _, update in updates))
        self.played = [self.ledger.play(event)[0] for event in self.events]
        self._close()
        beacon = self.ledger.sign(BeaconPayload(CHAIN, 60, keccak(self.beacon_header)), "core")
        self.ledger.block(beacon, self.ledger.governance(self.set_update.encode()), time=START + CADENCE + 7_200)
        self._close()
        self.ledger.play(self._freeze())
        self._close()
        for epoch in range(3, EPOCHS):
            self.ledger.block(time=START + CADENCE * epoch + 60)
            self._close()

    @cached_property
    def beacon_header(self) -> bytes:
        return public_header(60, b"\x01" * 32, b"\x02" * 32, BEACON_TIME)

    @cached_property
    def set_update(self) -> SetUpdate:
        new = set_of(2, self.second)
        return SetUpdate(
            log_id=self.ledger.log_id,
            previous_set_hash=set_of(1, self.first).digest,
            set_hash=new.digest,
            effective_from_size=HANDOVER,
            decoy_key_hash=decoy_key_hash(self.secrets[1].k_set),
            validators=new,
        )

    def _freeze(self) -> dict[str, Any]:
        at = START + 2 * CADENCE + 3_600
        asset = self.events[4]["fields"]["object"]
        fields = {
            "order": "0f" * 16,
            "object.0": asset,
            "reason_code": "COURT_ORDER",
            "escrow": False,
            "until_epoch": 0,
            "event_time": at,
        }
        return {"at": at, "schema": "freeze.order/1", "submitter": "court", "authorisers": ["court"], "fields": fields}

    def _close(self) -> None:
        epoch = len(self.closed) + 1
        outcomes = self.ledger.outcomes[sum(map(len, self.epochs_of)) :]
        assert {outcome.epoch for outcome in outcomes} == {epoch}
        self.governance += [record for outcome in outcomes for record in outcome.governance]
        before = self.closed[-1] if self.closed else None
        blocks = EpochBlocks(
            first_block=outcomes[0].height,
            end_block=Height(outcomes[-1].height + 1),
            last_block_hash=sha256(f"block {outcomes[-1].height}".encode()),
            entries=[entry for outcome in outcomes for entry in outcome.entries],
            identity_ops=[op for outcome in outcomes for op in outcome.identity_ops],
            life_events=[event for outcome in outcomes for event in outcome.life_events],
            governance_size=outcomes[-1].governance_size,
            governance_root=outcomes[-1].governance_root,
            beacon=next((outcome.beacon for outcome in outcomes if outcome.beacon), None),
            brake_until=brake_until(self.ledger.state),
            submitters=1,
        )
        closed = close_epoch(
            self.genesis,
            None if before is None else before.record,
            genesis_tree(self.secrets[0], LADDERS) if before is None else before.registry,
            blocks,
            keys=ClosingKeys(secret=self.secret_of(epoch), vrf_seed=self.vrf_seed),
            validators=set_of(self.set_id(epoch + 1), self.validators_of(epoch + 1)),
        )
        self.epochs_of.append(outcomes)
        self.closed.append(closed)
        self.log.append(closed.record.leaf)

    def set_id(self, size: int) -> int:
        return 2 if size >= HANDOVER else 1

    def validators_of(self, size: int) -> tuple[Validator, ...]:
        return self.second if size >= HANDOVER else self.first

    def secret_of(self, epoch: int) -> Secret:
        return self.secrets[self.set_id(epoch + 1) - 1]

    def variant(self, epoch: int, /, **changes: Any) -> "Consortium":
        """The same consortium, had all its validators agreed on another record of this epoch."""
        other = copy(self)
        other.closed = list(self.closed)
        closed = self.closed[epoch - 1]
        for part in ("batch", "registry"):
            closed = replace(closed, **{part: changes.pop(part)}) if part in changes else closed
        other.closed[epoch - 1] = replace(closed, record=replace(closed.record, **changes))
        other.log = Tree()
        other.log.extend([self.genesis.log_id, *(closed.record.leaf for closed in other.closed)])
        return other

    # ── checkpoints ──

    def checkpoint(self, size: int, root: bytes | None = None) -> Checkpoint:
        validators = set_of(self.set_id(size), self.validators_of(size))
        return Checkpoint(
            log_id=self.genesis.log_id,
            tree_size=TreeSize(size),
            root=self.log.root(size) if root is None else root,
            timestamp=self.genesis.checkpoint_timestamp(TreeSize(size)),
            set_id=validators.set_id,
            set_hash=validators.digest,
        )

    @cache  # noqa: B019
    def note(self, size: int, signers: int | None = None) -> str:
        """Signed by the log key and the first `signers` validators of the responsible set; by a quorum if not said."""
        return self.signed(self.checkpoint(size), self.validators_of(size)[: signers or quorum(self.nodes)])

    def signed(self, checkpoint: Checkpoint, validators: Sequence[Validator], **changes: Any) -> str:
        size, root, origin = checkpoint.tree_size, checkpoint.root, changes.get("origin", self.origin)
        lines = [log_line(origin, self._seed("log"), Note(origin, size, root).body())]
        for v in validators:
            signature = sign_digest(v.attestation, checkpoint.digest())
            address = Address(v.part.address)
            lines.append(quorum_line(origin, address, checkpoint.timestamp, checkpoint.set_id, signature))
        return format_note(origin, size, root, lines)

    @cache  # noqa: B019
    def receipt(self, size: int) -> bytes:
        """The receipt key's word over a checkpoint's root."""
        return sign_root(PrivateKey.from_seed(self._seed("receipt")), self.origin, self.log.root(size))

    def receipted(self, part: CheckpointPart) -> CheckpointPart:
        """With the receipt key's word."""
        return replace(part, receipt=self.receipt(parse_note(part.note).size))

    @cache  # noqa: B019
    def jwt(self, event: int) -> str:
        """The submitter's word over the digests of an event's record."""
        name, plaintext = self.events[event]["submitter"], self.played[event].draft.delivered()
        row = next(row for row in json.loads(self.files["members.json"]) if row["key"] == name)
        certificate = self.certificate_of(name, row["name"], row["id"])
        entry = decode_record_entry(plaintext.entry)
        return issue(
            open_tree(plaintext), entry, self.genesis.log_id, EpochNumber(1), self.keys[name], certificate
        ).text()

    @cache  # noqa: B019
    def anchor(self, size: int, **changes: Any) -> EvmAnchor:
        return public_anchor(self.checkpoint(size), (1 << quorum(self.nodes)) - 1, number=100 * size, **changes)

    # ── parts ──

    def genesis_part(self, size: int) -> GenesisPart:
        return GenesisPart(
            origin=self.origin,
            record=self.genesis.encode(),
            path=tuple(self.log.inclusion_path(0, size)),
            validators=tuple(v.part for v in self.first),
        )

    def proven(self, epoch: int, size: int) -> ProvenRecord:
        path = tuple(self.log.inclusion_path(epoch, size))
        return ProvenRecord(record=self.closed[epoch - 1].record.encode(), path=path)

    def epoch_part(self, epoch: int, size: int, **parts: Any) -> EpochPart:
        proven = self.proven(epoch, size)
        return EpochPart(record=proven.record, path=proven.path, **parts)

    def governance_path(self, index: int, size: int) -> tuple[bytes, ...]:
        return tuple(self._governance_tree().inclusion_path(index, size))

    def _governance_tree(self) -> Tree:
        tree = Tree()
        tree.extend([leaf_hash(record) for record in self.governance])
        return tree

    def governance_part(self, older: int, newer: int) -> GovernancePart:
        before, after = (self.closed[epoch - 1].record.governance_size for epoch in (older, newer))
        records = tuple(
            GovernanceRecordPart(index=k, record=self.governance[k], path=self.governance_path(k, after))
            for k in range(before, after)
        )
        consistency = tuple(self._governance_tree().consistency_path(before, after))
        return GovernancePart(from_epoch=older, to_epoch=newer, consistency=consistency, records=records)

    def rotation(self, first_size: int, size: int = 4, epoch: int = 2) -> RotationPart:
        """Set 1 to set 2, covered by `epoch` under the note of `size`."""
        index = self.governance.index(self.set_update.encode())
        return RotationPart(
            update=self.set_update.encode(),
            index=index,
            path=self.governance_path(index, self.closed[epoch - 1].record.governance_size),
            epoch=self.proven(epoch, size),
            note=self.note(size),
            consistency=tuple(self.log.consistency_path(size, first_size)),
            validators=tuple(v.part for v in self.second),
        )

    def entry(self, event: int, *names: str, transaction: bool = False, jwt: bool = False) -> EntryPart:
        """An event's record with these fields opened (`*` for all), and `_schema` and `_origin`."""
        played = self.played[event]
        batch: Batch = self.closed[0].batch
        index = batch.index_of(played.draft.entry_leaf)
        shown = [
            DisclosurePart(value=part.value, index=part.index, path=tuple(part.path))
            for part in played.draft.delivered().disclosures
            if names == ("*",) or (names and _name(part.value) in {*names, "_schema", "_origin"})
        ]
        return EntryPart(
            entry=played.draft.entry,
            index=index,
            path=batch.path(index),
            disclosures=tuple(shown),
            transaction=played.signed.encode() if transaction else None,
            issuer_jwt=self.jwt(event) if jwt else None,
        )

    def absence(self, leaf: bytes, epoch: int = 1) -> AbsencePart:
        shown = self.closed[epoch - 1].batch.absence(leaf)
        left, right = (
            None if side is None else NeighbourPart(leaf=side.leaf, index=side.index, path=side.path)
            for side in (shown.left, shown.right)
        )
        return AbsencePart(leaf=leaf, left=left, right=right)

    def label(self, label: Label, version: int, epoch: int, *, opened: bool = True) -> LabelPart:
        index, proof = label_index(self.genesis, self.vrf_seed, label, version)
        shown = self.closed[epoch - 1].registry.prove(index)
        terminal = shown.terminal and TerminalPart(index=shown.terminal.key, commitment=shown.terminal.value)
        present = terminal is not None and terminal.index == index
        value, opening = self._opening(label, version) if present and opened else (None, None)
        return LabelPart(
            index=index,
            terminal=terminal,
            path=shown.path,
            label=label.encode(),
            version=version,
            proof=proof,
            value=value,
            opening=opening,
        )

    def _opening(self, label: Label, version: int) -> tuple[str, bytes]:
        if label.type != LIFE:
            (found,) = [o for played in self.played for o in played.draft.openings if o.label == label][:1]
            return found.value.decode(), found.opening
        for epoch, outcomes in enumerate(self.epochs_of, start=1):
            for event in (event for outcome in outcomes for event in outcome.life_events):
                if (event.object_type, event.object_id, event.version) == (*label.parts, version):
                    return life_event_value(event).decode(), self.secret_of(epoch).life_opening(
                        EpochNumber(epoch), label.encode(), version
                    )
        raise AssertionError(label)

    def life_of(self, object_type: str, object_id: str, epoch: int) -> tuple[LabelPart, ...]:
        """Versions 0 … n present and opened, n+1 absent."""
        label = life(object_type, object_id)
        events = [
            event.version
            for outcomes in self.epochs_of[:epoch]
            for outcome in outcomes
            for event in outcome.life_events
            if (event.object_type, event.object_id) == label.parts
        ]
        return tuple(self.label(label, version, epoch) for version in range(len(events) + 1))

    # ── bundles ──

    def bundle(self, size: int, *epochs: EpochPart, **parts: Any) -> Bundle:
        """On the checkpoint of `size`; anchored and with certificates unless told otherwise."""
        certificates = {sha256(v.certificate): v.certificate for v in self.first}
        chosen = {
            "purpose": "record",
            "checkpoints": (CheckpointPart(note=self.note(size), consistency=()),),
            "rotations": (self.rotation(size),) if size >= HANDOVER else (),
            "certificates": tuple(certificates[digest] for digest in sorted(certificates)),
            "anchors": (self.anchor(size),),
            **parts,
        }
        return Bundle(genesis=self.genesis_part(size), epochs=epochs, **chosen)

    def receivable(self, **parts: Any) -> Bundle:
        """It falls due on that day; everything else stays undisclosed."""
        return self.bundle(4, self.epoch_part(1, 4, entries=(self.entry(2, "note", "due_date"),)), **parts)

    def presentable(self) -> Bundle:
        """The same, ready to be exported in every format."""
        entry = self.entry(2, "note", "due_date", jwt=True)
        bundle = self.bundle(4, self.epoch_part(1, 4, entries=(entry,)))
        return replace(bundle, checkpoints=tuple(map(self.receipted, bundle.checkpoints)))

    def split(self, *, transaction: bool = True) -> Bundle:
        """A note and its children."""
        names = [name for name in self.events[35]["fields"] if name.endswith((".note", ".face"))]
        entries = self.entry(2, "note", "face"), self.entry(35, "note", *names, transaction=transaction)
        return self.bundle(4, self.epoch_part(1, 4, entries=_sorted(entries)))

    def financing(self, **parts: Any) -> Bundle:
        """A financed note, the invoice behind it, the debtor's word, all its labels, and the note's whole life."""
        entries = (
            self.entry(12, *INVOICE),
            self.entry(13, transaction=True),
            self.entry(14, "note", "face", "back.0.object", "back.0.allot"),
            self.entry(48, "note.0", "advance", transaction=True),
        )
        identity = (self.label(opening.label, 0, 3) for opening in self.played[13].draft.openings)
        labels = (*identity, *self.life_of("note", self.events[14]["fields"]["note"], 3))
        epochs = self.epoch_part(1, 4, entries=_sorted(entries)), self.epoch_part(3, 4, labels=labels)
        return self.bundle(4, *epochs, purpose="registry", **parts)

    def unregistered(self) -> Bundle:
        """An invoice that nobody has brought."""
        label = Label(2, ("CN", "26990000000000000001"))
        return self.bundle(4, self.epoch_part(3, 4, labels=(self.label(label, 0, 3),)), purpose="registry")

    def history(self) -> Bundle:
        """Two checkpoints, the later under the second set; all governance between; a beacon; an absent entry."""
        newer = CheckpointPart(note=self.note(6), consistency=tuple(self.log.consistency_path(4, 6)))
        first = CheckpointPart(note=self.note(4), consistency=())
        return self.bundle(
            4,
            self.epoch_part(1, 4, absences=(self.absence(self.no_entry),)),
            self.epoch_part(2, 4),
            self.epoch_part(3, 4),
            purpose="governance",
            checkpoints=(first, newer),
            rotations=(self.rotation(4),),
            anchors=(self.anchor(6),),
            governance=self.governance_part(1, 3),
            public_blocks=(PublicBlockPart(chain_id=CHAIN, header=self.beacon_header),),
        )

    @property
    def no_entry(self) -> bytes:
        """A leaf that would stand in the middle of the first batch."""
        leaves = self.closed[0].batch.leaves
        return flip(leaves[len(leaves) // 2])

    def document(self) -> Bundle:
        """A registered invoice, its transaction, and the file whose digest it holds; under the second set."""
        fields = self.events[0]["fields"]
        shown = [name for name in fields if name.startswith("doc.")]
        artefact = ArtefactPart(
            name=fields["doc.0.name"],
            media_type=fields["doc.0.media"],
            size=fields["doc.0.size"],
            sha256=parse_b64u(fields["doc.0.sha256"], "sha256"),
            field="doc.0.sha256",
        )
        entry = self.entry(0, *shown, transaction=True)
        return self.bundle(6, self.epoch_part(1, 6, entries=(entry,)), artefacts=(artefact,))

    def document_bytes(self) -> bytes:
        """The file that `document` is about."""
        return self.files[f"documents/{self.events[0]['fields']['doc.0.name']}"]

    def promise(self, **changes: Any) -> SignedPromise:
        """What the first validator promised of a transaction that stands nowhere."""
        key: PrivateKey = changes.pop("key", self.keys[self.first[0].name])
        words = {
            "log_id": self.genesis.log_id,
            "transaction_id": sha256(b"dropped transaction"),
            "entry_leaf": sha256(b"dropped entry"),
            "accepted_time": UnixSeconds(START + 60),
            "accepted_epoch": EpochNumber(1),
            "by_epoch": EpochNumber(3),
            "signer": key.public.key_id,
        }
        return SignedPromise.over(Promise(**(words | changes)), key)

    def omission(self, signed: SignedPromise | None = None, size: int = 4, **parts: Any) -> Bundle:
        """A promise, and every epoch of its window that the checkpoint covers without what was promised."""
        signed = signed or self.promise()
        promise = signed.promise
        refusal = leaf_hash(RefusalEntry(promise.transaction_id).encode())
        epochs = [
            self.epoch_part(
                epoch, size, absences=tuple(self.absence(leaf, epoch) for leaf in (promise.entry_leaf, refusal))
            )
            for epoch in range(promise.accepted_epoch, min(promise.by_epoch, size - 1) + 1)
        ]
        return self.bundle(size, *epochs, purpose="omission", promise=signed.encode(), **parts)

    def all(self) -> dict[str, Bundle]:
        """One of each kind."""
        return {
            "receivable": self.receivable(),
            "split": self.split(),
            "financing": self.financing(),
            "unregistered": self.unregistered(),
            "history": self.history(),
            "document": self.document(),
            "presentable": self.presentable(),
            "omission": self.omission(),
        }

    # ── trust ──

    @property
    def root(self) -> bytes:
        """The authority's certificate, DER."""
        return load_pem_x509_certificate(self.authority.certificate).public_bytes(Encoding.DER)

    def trust(self, **changes: Any) -> Trust:
        """All that any bundle here needs."""
        headers = {100 * size + 1: self.anchor(size).descendants[-1] for size in (4, 6)} | {60: self.beacon_header}
        blocks = [TrustedBlock(number=number, hash=keccak(header)) for number, header in headers.items()]
        return Trust(
            **{
                "logs": (TrustedLog(log_id=self.genesis.log_id, genesis=self.genesis.encode()),),
                "public_chains": (TrustedChain(chain_id=CHAIN, contracts=(CONTRACT,), block_hashes=tuple(blocks)),),
                "member_roots": (self.root,),
                **changes,
            }
        )


def _name(disclosure: str) -> str:
    return str(json.loads(parse_b64u(disclosure, "disclosure"))[1])


def _sorted(entries: Iterable[EntryPart]) -> tuple[EntryPart, ...]:
    return tuple(sorted(entries, key=lambda part: part.index))


def edit(value: Any, path: str, change: Callable[[Any], Any]) -> Any:
    """A copy of a bundle in which the part at `path`, e.g. `epochs.0.entries.0.index`, is changed."""
    if not path:
        return change(value)
    step, _, rest = path.partition(".")
    if isinstance(value, tuple):
        position = int(step)
        return (*value[:position], edit(value[position], rest, change), *value[position + 1 :])
    return replace(value, **{step: edit(getattr(value, step), rest, change)})


def flip(data: bytes, bit: int = 0) -> bytes:
    """One bit of a byte string, counted from its last."""
    return (int.from_bytes(data, "big") ^ 1 << bit).to_bytes(len(data), "big")


def as_json(bundle: Bundle) -> Any:
    """What a bundle's bytes say, to be broken by hand."""
    return json.loads(bundle.encode())


@cache
def consortium(origin: str = "example.org/receivables", nodes: int = 4) -> Consortium:
    """Made once."""
    return Consortium(origin, nodes)
