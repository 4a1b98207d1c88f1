"""What each operation asks of the code: a function of a few lines for each question of the vectors.

`given` is a case's input, merged with what its file says for all cases; byte strings are bytes.
"""

import contextlib
import copy
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

from hybrid_bridge.core import registry, vrf
from hybrid_bridge.core.attestation import (
    Checkpoint,
    quorum,
    quorum_signers,
    seals,
    set_update_digest,
    verify_boundary,
    verify_quorum,
)
from hybrid_bridge.core.audit import Audit
from hybrid_bridge.core.batch import verify_batch, verify_decoys
from hybrid_bridge.core.bundle import DisclosurePart
from hybrid_bridge.core.checkpoint import (
    has_log_line,
    parse_note,
    quorum_signatures,
    verify_log_line,
    verify_note,
)
from hybrid_bridge.core.disclosure import open_fields, parse_disclosure
from hybrid_bridge.core.entry import decode_record_entry
from hybrid_bridge.core.epoch import EpochRecord, verify_next
from hybrid_bridge.core.exports.cose_receipt import (
    parse_receipt,
    verify_consistency_receipt,
    verify_inclusion_receipt,
)
from hybrid_bridge.core.exports.sd_jwt import parse_presentation, verify_presentation
from hybrid_bridge.core.exports.tlog_proof import parse_tlog_proof, verify_tlog_proof
from hybrid_bridge.core.field_tree import check_full_opening
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.guard import (
    Highest,
    History,
    PowerStatement,
    Statement,
    additions,
    is_repeat,
    judge_heard,
    power_kind,
)
from hybrid_bridge.core.interchange import Interchange, KeyHistory, decode_interchange
from hybrid_bridge.core.labels import Label
from hybrid_bridge.core.ledger_state import sequence_key
from hybrid_bridge.core.proof import verify_consistency, verify_inclusion
from hybrid_bridge.core.secret import Secret
from hybrid_bridge.core.sum_tree import SumLeaf, SumNode, open_total, sum_tree, verify_sum
from hybrid_bridge.core.transaction import SignedTransaction
from hybrid_bridge.core.tree import Tree, leaf_hash
from hybrid_bridge.core.trust import parse_trust
from hybrid_bridge.core.validators import ValidatorSet
from hybrid_bridge.errors import (
    BridgeError,
    Equivocation,
    GuardRefused,
    Malformed,
    Missing,
    Refuted,
    StoreBroken,
    Unknown,
)
from hybrid_bridge.steps.commit import Rules, never_stands, stateless_check
from hybrid_bridge.steps.verify import verify
from hybrid_bridge.units import Address, Digest, LogId, TreeSize


def roots(given: dict[str, Any]) -> object:
    if "data" in given:
        return [leaf_hash(data) for data in given["data"]]
    tree = Tree()
    tree.extend(given["leaves"])
    return [tree.root(size) for size in given["sizes"]]


def inclusion(given: dict[str, Any]) -> None:
    verify_inclusion(given["leaf"], given["index"], given["size"], given["path"], given["root"])


def consistency(given: dict[str, Any]) -> None:
    verify_consistency(given["old_size"], given["new_size"], given["path"], given["old_root"], given["new_root"])


def _leaf(told: dict[str, Any]) -> SumLeaf:
    return SumLeaf(told["id"], told["amount"], told["salt"])


def amount(given: dict[str, Any]) -> None:
    path = [SumNode(*pair) for pair in given["path"]]
    verify_sum(_leaf(given["leaf"]), given["index"], given["size"], path, SumNode(*given["top"]))


def total(given: dict[str, Any]) -> object:
    top = open_total(given["digest"], given["preimage"])
    return {"total": top.total, "digest": top.digest}


def sum_root(given: dict[str, Any]) -> object:
    [top] = sum_tree([_leaf(told) for told in given["leaves"]])[-1]
    return {"total": top.total, "digest": top.digest}


def cross(given: dict[str, Any]) -> None:
    verify_inclusion(leaf_hash(given["data"]), given["index"], given["size"], given["path"], given["root"])


def sweep(given: dict[str, Any]) -> object:
    entries = given["entries"][: 128 * given["members"]]
    signers = checkpoint({**given, "sets": [{"from_size": 1, "set_id": 1, "entries": entries}]})
    assert len(signers) == quorum(given["members"])
    return {"needed": quorum(given["members"])}


def checkpoint(given: dict[str, Any]) -> list[bytes]:
    """As a verifier does: the size names the set, the set and the clock are compared, then the signatures."""
    responsible = [one for one in given["sets"] if one["from_size"] <= given["tree_size"]][-1]
    members = ValidatorSet.decode_entries(responsible["set_id"], responsible["entries"])
    names = ("log_id", "tree_size", "root", "timestamp", "set_id", "set_hash")
    stated = Checkpoint(**{name: given[name] for name in names})
    verify_boundary(stated, given["genesis_time"], given["cadence"])
    signers = verify_quorum(stated, members, given["signatures"])
    bits, packed = seals(members, dict(zip(signers, given["signatures"], strict=True)))
    assert bits.bit_count() == members.quorum
    assert len(packed) == 64 * members.quorum + 20 * (len(members.entries) - members.quorum)
    return list(signers)


def power(given: dict[str, Any]) -> list[bytes]:
    names = ("chain_id", "contract", "log_id", "set_id", "new_set_hash", "effective_from_size")
    digest = set_update_digest(*(given[name] for name in names))
    return list(quorum_signers(digest, ValidatorSet.decode_entries(1, given["entries"]), given["signatures"]))


def note(given: dict[str, Any]) -> list[bytes]:
    parsed = parse_note(given["note"], origin=given["origin"])
    assert parsed.text() == given["note"]
    members = ValidatorSet.decode_entries(given["set_id"], given["entries"])
    if has_log_line(parsed, given["log_key"]):
        verify_log_line(parsed, given["log_key"])
    signatures = quorum_signatures(parsed, members, given["log_id"], given["timestamp"])
    return list(
        verify_quorum(
            Checkpoint(
                log_id=given["log_id"],
                tree_size=parsed.size,
                root=parsed.root,
                timestamp=given["timestamp"],
                set_id=members.set_id,
                set_hash=members.digest,
            ),
            members,
            signatures,
        )
    )


def witness(given: dict[str, Any]) -> None:
    assert verify_note(given["note"], given["vkeys"]).text() == given["note"]


def entry(given: dict[str, Any]) -> object:
    record = decode_record_entry(given["data"])
    assert record.encode() == given["data"]
    return {"kind": 1, "record_type": record.record_type, "width": record.width, "body": record.field_root}


def shown(given: dict[str, Any]) -> list[bool]:
    parts = [DisclosurePart(**{**part, "path": tuple(part["path"])}) for part in given["shown"]]
    opened = open_fields(decode_record_entry(given["entry"]), parts, lambda _schema, name: given["halves"][name])
    return [field.is_claim for field in opened]


def full(given: dict[str, Any]) -> None:
    claims, private = (list(map(parse_disclosure, given[name])) for name in ("claims", "private"))
    check_full_opening(decode_record_entry(given["entry"]), claims, private, given["decoys"])


def epoch(given: dict[str, Any]) -> None:
    older, newer = EpochRecord.decode(given["older"]), EpochRecord.decode(given["newer"])
    assert newer.encode() == given["newer"]
    verify_next(Genesis.decode(given["genesis"]), older, newer)


def batch(given: dict[str, Any]) -> None:
    """For whoever holds a batch: it is that of the record, and its decoys are decoys."""
    held = verify_batch(given["entries"], given["size"], given["root"])
    verify_decoys(Secret(given["secret"], given["origin_hash"]), given["epoch"], held)


def transaction(given: dict[str, Any]) -> bytes:
    signed = SignedTransaction.decode(given["data"])
    assert signed.encode() == given["data"]
    signed.verify_stateless(given["log_id"])
    return signed.body.transaction_id


def stand(given: dict[str, Any]) -> None:
    """The ledger knows of this submitter nothing but its next number."""
    signed = SignedTransaction.decode(given["data"])
    state = {sequence_key(signed.body.submitter): given["next"].to_bytes(8, "big")}
    rules = cast("Rules", SimpleNamespace(log_id=given["log_id"], check=stateless_check))
    never_stands(state, rules, signed, given["epoch"])


class MemoryGuard:
    """The rules of `core.guard` over dictionaries; the store of a real key is `adapters.sqlite.guard`."""

    def __init__(self, log_id: LogId, key: Address) -> None:
        self.log_id, self.key = log_id, key
        self._floor = Highest(TreeSize(1), Digest(log_id))
        self._signed: dict[TreeSize, Statement] = {}
        self._power: dict[tuple[object, ...], PowerStatement] = {}

    def history(self) -> History:
        rows = tuple(self._signed[size] for size in sorted(self._signed))
        return History(self._floor, rows, tuple(self._power.values()))

    def absorb(self, theirs: History) -> None:
        added = additions(self.key, self.history(), theirs)
        self._floor = added.floor
        self._signed |= {row.size: row for row in added.signed}
        self._power |= {power.place: power for power in added.power}

    def sign(self, step: dict[str, Any]) -> str:
        asked = Statement(step["size"], step["root"], step["digest"])
        standing = self._signed.get(asked.size)
        digest = None if standing is None else standing.digest
        if is_repeat(asked, digest, self.history().highest, step["path"]):
            return "repeat"
        self._signed[asked.size] = asked
        return "signed"

    crash = sign  # the row stands; that no signature does changes nothing for the rules

    def power(self, step: dict[str, Any]) -> str:
        asked = power_of(step)
        standing = self._power.get(asked.place)
        said = {} if standing is None else {asked.kind: standing.digest}
        assert power_kind(asked.number, asked.kind, asked.digest, said, ()) == asked.kind
        self._power[asked.place] = asked
        return "signed" if standing is None else "repeat"

    def said(self, size: TreeSize) -> Digest | None:
        return dict(self.history().stated()).get(size)

    def floor_size(self) -> TreeSize:
        return self._floor.size

    def restart(self, step: dict[str, Any]) -> str:
        return "known"


def power_of(step: dict[str, Any]) -> PowerStatement:
    return PowerStatement(*(step[name] for name in ("chain_id", "contract", "kind", "number", "digest")))


def guard_step(guard: Any, step: dict[str, Any]) -> str:
    """What one guard answers to one step; files, floors and what is heard go the same way for every store."""
    if step["do"] == "floor":
        guard.absorb(History(Highest(step["size"], step["root"])))
        return "known"
    if step["do"] == "hear":
        return judge_heard(step["size"], step["root"], guard.said(step["size"]), guard.floor_size()).value
    if step["do"] == "import":
        file = step["file"] if isinstance(step["file"], bytes) else step["file"].encode()
        guard.absorb(decode_interchange(file).of(guard.log_id, guard.key))
        return "imported"
    if step["do"] == "export":
        history = guard.history().minimal() if step["minimal"] else guard.history().complete()
        made = Interchange(guard.log_id, (KeyHistory(guard.key, history),)).encode()
        return "exported" if made.decode() == step["file"] else made.decode()
    return str(getattr(guard, step["do"])(step))


ANSWERS = {Malformed: "malformed", Refuted: "refuted", Unknown: "rejected"}


def guard(given: dict[str, Any], make: Callable[[LogId, Address], Any] = MemoryGuard) -> str:
    """Every step answers as it says; the last answer is the case's."""
    guards: dict[str, Any] = {}
    answer, refused = "", None
    for step in given["steps"]:
        if step["do"] == "create":
            guards[step["guard"]] = make(step["log_id"], step["key"])
            continue
        refused = None
        try:
            answer = guard_step(guards[step["guard"]], step)
        except GuardRefused as refusal:
            answer, refused = refusal.rule, refusal
        except BridgeError as refusal:
            answer, refused = next(word for kind, word in ANSWERS.items() if isinstance(refusal, kind)), refusal
        answer = "halt" if answer == "unknown" else answer
        assert answer == step["expect"], (answer, step)
    if refused is not None:
        raise refused
    if answer == "halt":
        raise StoreBroken(store="guard", rule="all that peers have heard of its key")
    if answer == "equivocation":
        shown = given["steps"][-1]
        raise Equivocation(signer="guard", number=shown["size"], first=Digest(bytes(32)), second=shown["root"])
    return answer


def _patched(document: Any, patch: list[dict[str, Any]]) -> Any:
    """RFC 6902, of which the vectors use add, remove and replace."""
    document = copy.deepcopy(document)
    for change in patch:
        *steps, last = [step.replace("~1", "/").replace("~0", "~") for step in change["path"].split("/")[1:]]
        inside = document
        for step in steps:
            inside = inside[int(step) if isinstance(inside, list) else step]
        key: Any = int(last) if isinstance(inside, list) else last
        if change["op"] == "remove":
            del inside[key]
        elif change["op"] == "add" and isinstance(inside, list):
            inside.insert(key, change["value"])
        else:
            inside[key] = change["value"]
    return document


def bundle_bytes(given: dict[str, Any]) -> bytes:
    """The bundle of a case: a text many times, or a whole bundle, patched, some of its text replaced."""
    if "text" in given:
        return bytes(given["text"].encode()) * int(given["times"])
    document = _patched(given["bundles"][given["bundle"]]["document"], given.get("patch", []))
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return text.replace(*given.get("replace", ("", "")), 1).encode()


def bundle_trust(given: dict[str, Any]) -> bytes:
    """The trust file of a case: that of its bundle, with some members changed."""
    base = given["bundles"][given.get("bundle") or next(iter(given["bundles"]))]["trust"]
    return json.dumps(base | given.get("trust", {})).encode()


def bundle(given: dict[str, Any]) -> object:
    """What the bundle says; Missing, when something that the trust file requires is."""
    data, trust = bundle_bytes(given), parse_trust(bundle_trust(given))
    evidence = verify(data, trust, given["now"])
    if evidence.missing:
        raise Missing(what=evidence.missing[0])
    for position in range(0, len(data) if "every" in given else 0, given.get("every", 1)):
        broken = data[:position] + bytes([data[position] ^ 1 << position % 8]) + data[position + 1 :]
        with contextlib.suppress(BridgeError):
            other = verify(broken, trust, given["now"])
            assert other.missing or other != evidence, position
    statements = [fact.statement for fact in evidence.registry]
    return {"registry": statements, "omission": evidence.verdict("omission").result}


def facts(given: dict[str, Any]) -> None:
    """Of each record type that is wanted one record is shown with these claims; Missing, when none is."""
    evidence = verify(bundle_bytes(given), parse_trust(bundle_trust(given)), given["now"])
    for record_type, claims in given["wants"].items():
        shown = [
            {field.name: field.value for field in record.fields if field.is_claim}
            for record in evidence.records
            if record.record_type == record_type
        ]
        if not any(claims.items() <= record.items() for record in shown):
            raise Missing(what=f"a record {record_type} with the claims that are wanted")


def tlog_proof(given: dict[str, Any]) -> None:
    proof = parse_tlog_proof(given["data"])
    assert proof.encode() == given["data"]
    verify_tlog_proof(proof, Genesis.decode(given["genesis"]))


def inclusion_receipt(given: dict[str, Any]) -> bytes:
    receipt = parse_receipt(given["data"])
    return verify_inclusion_receipt(receipt, given["record"], Genesis.decode(given["genesis"]))


def consistency_receipt(given: dict[str, Any]) -> bytes:
    receipt = parse_receipt(given["data"])
    return verify_consistency_receipt(receipt, given["old_root"], Genesis.decode(given["genesis"]))


def presentation(given: dict[str, Any]) -> list[bool]:
    presented = parse_presentation(given["data"].encode())
    assert presented.encode() == given["data"].encode()
    return [field.is_claim for field in verify_presentation(presented)]


def registry_root(given: dict[str, Any]) -> object:
    return registry.tree_root(map(tuple, given["pairs"]), registry.Rules(*given["rules"]))


def registry_proof(given: dict[str, Any]) -> object:
    rules = registry.Rules(*given["rules"])
    return registry.verify(given["root"], given["key"], given["terminal"], given["path"], rules)


def label(given: dict[str, Any]) -> object:
    read = Label.decode(given["data"])
    assert read.encode() == given["data"]
    return {"type": read.type, "parts": list(read.parts)}


def audit(given: dict[str, Any]) -> object:
    """From the genesis record on, then against the checkpoint."""
    auditor = Audit(Genesis.decode(given["genesis"]))
    for step in given["steps"]:
        delta = registry.Delta.decode(step["delta"])
        assert delta.encode() == step["delta"]
        auditor.take(step["record"], delta)
    auditor.finish(given["size"], given["root"])
    return {"insertions": auditor.mark.insertions}


def verifiable_random(given: dict[str, Any]) -> object:
    return vrf.verify(given["key"], given["alpha"], given["proof"])


OPERATIONS: dict[str, Callable[[dict[str, Any]], object]] = {
    "tree/root": roots,
    "tree/inclusion": inclusion,
    "tree/consistency": consistency,
    "tree/sum": amount,
    "tree/sum-total": total,
    "tree/sum-root": sum_root,
    "cross/inclusion": cross,
    "quorum/sweep": sweep,
    "quorum/checkpoint": checkpoint,
    "quorum/power": power,
    "note/quorum": note,
    "note/witness": witness,
    "entry/decode": entry,
    "disclosure/shown": shown,
    "disclosure/full": full,
    "tx/stateless": transaction,
    "tx/stand": stand,
    "epoch/next": epoch,
    "epoch/batch": batch,
    **dict.fromkeys(("guard/steps", "guard/interchange"), guard),
    **dict.fromkeys(("bundle/verify", "rotation/verify", "replay/verify", "promise/verify", "anchor/stamps"), bundle),
    "bundle/facts": facts,
    "export/tlog-proof": tlog_proof,
    "export/cose-inclusion": inclusion_receipt,
    "export/cose-consistency": consistency_receipt,
    "export/sd-jwt": presentation,
    "registry/root": registry_root,
    "registry/proof": registry_proof,
    "registry/vrf": verifiable_random,
    "registry/label": label,
    "registry/shown": bundle,
    "registry/delta": audit,
}
