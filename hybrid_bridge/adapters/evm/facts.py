"""A bundle as the arguments of `ProofVerifier` and of contracts that use it, under their names (CONTRACT §3.8).

Bytes are hex, members are called as in the contract's structs, so that what encodes a call takes them as they are.
NOT CHECKED HERE: that any of it is true. The contract says so, and `steps.verify` before it.
"""

from collections.abc import Sequence
from typing import Final

from hybrid_bridge.core.bundle import Bundle, DisclosurePart, EntryPart, EpochPart, LabelPart
from hybrid_bridge.core.checkpoint import parse_note
from hybrid_bridge.core.disclosure import disclosure_octets, parse_disclosure
from hybrid_bridge.core.encoding import Json, canonical_json
from hybrid_bridge.core.entry import decode_record_entry
from hybrid_bridge.core.epoch import EpochRecord
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.units import Digest

_HOLE: Final = bytes(32)


def proof_arguments(bundle: Bundle, path: Sequence[Digest]) -> dict[str, Json]:
    """Everything that the bundle shows under its first checkpoint, as arguments.

    Args:
        bundle: whose checkpoint is in the contract's head, or is it.
        path: consistency path from that checkpoint to the head; empty if it is the head.

    Raises:
        Malformed: a part is not what its place in a bundle wants.
    """
    note = parse_note(bundle.checkpoints[0].note)
    records = [(EpochRecord.decode(epoch.record).epoch, epoch) for epoch in bundle.epochs]
    return {
        "logId": _hex(Genesis.decode(bundle.genesis.record).log_id),
        "checkpoint": {"treeSize": note.size, "rootHash": _hex(note.root), "path": _all(path)},
        "facts": [_fact(number, epoch, entry) for number, epoch in records for entry in epoch.entries],
        "labels": [_label(number, epoch, label) for number, epoch in records for label in epoch.labels],
    }


def _fact(number: int, epoch: EpochPart, part: EntryPart) -> Json:
    entry = decode_record_entry(part.entry)
    return {
        "epoch": number,
        "recordType": entry.record_type,
        "epochProof": _epoch(epoch),
        "entryProof": {"entry": _hex(part.entry), "index": part.index, "path": _all(part.path)},
        "fields": {parse_disclosure(d.value).name: _field(d, entry.width) for d in part.disclosures},
    }


def _field(part: DisclosurePart, width: int) -> Json:
    """For `verifyDisclosure`; of a claim also what `requireClaim` takes: salt and place, the value as JSON text."""
    disclosure, path = parse_disclosure(part.value), _all(part.path)
    proof: dict[str, Json] = {"disclosure": _hex(disclosure_octets(part.value)), "index": part.index, "path": path}
    opened: dict[str, Json] = {"salt": _hex(disclosure.salt), "index": part.index, "path": path}
    told: dict[str, Json] = {"json": canonical_json(disclosure.value).decode(), "fieldProof": proof}
    return told | ({"opened": opened} if part.index < width // 2 else {})


def _label(number: int, epoch: EpochPart, part: LabelPart) -> Json:
    end = part.terminal
    told: dict[str, Json] = {"epoch": number, "epochProof": _epoch(epoch), "index": _hex(part.index)}
    told["siblings"] = _all(part.path)
    if end is not None and end.index == part.index:
        return told | {"commitment": _hex(end.commitment)}
    index, commitment = (_HOLE, _HOLE) if end is None else (end.index, end.commitment)
    return told | {"terminal": {"hole": end is None, "index": _hex(index), "commitment": _hex(commitment)}}


def _epoch(part: EpochPart) -> Json:
    return {"record": _hex(part.record), "path": _all(part.path)}


def _all(path: Sequence[bytes]) -> Json:
    return [_hex(digest) for digest in path]


def _hex(data: bytes) -> str:
    return f"0x{data.hex()}"
