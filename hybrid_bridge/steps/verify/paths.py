"""Every Merkle path of a bundle, named: what must lead from which leaf to which root. Only `follow` hashes."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from hybrid_bridge.core.absence import Absence, Neighbour
from hybrid_bridge.core.bundle import AbsencePart, LabelPart
from hybrid_bridge.core.disclosure import Disclosure
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.registry_proof import verify
from hybrid_bridge.steps.verify.decoded import Decoded, DecodedEpoch
from hybrid_bridge.units import Digest, LeafIndex, TreeSize


@dataclass(frozen=True, slots=True)
class Inclusion:
    """A path that must lead from a leaf to a root. The leaf is hashed only when the path is followed."""

    what: str
    leaf: Callable[[], Digest]
    index: LeafIndex
    size: TreeSize
    path: Sequence[Digest]
    root: Digest


@dataclass(frozen=True, slots=True)
class Consistency:
    """A path that must show one tree to be a prefix of another."""

    what: str
    old_size: TreeSize
    new_size: TreeSize
    path: Sequence[Digest]
    old_root: Digest
    new_root: Digest


def inclusions(d: Decoded) -> Iterator[Inclusion]:
    """Genesis, rotations, epochs, entries, disclosures, governance records: each on the tree that holds it."""
    first, genesis = d.notes[0], d.bundle.genesis
    yield Inclusion("genesis", _leaf(genesis.record), LeafIndex(0), first.size, _digests(genesis.path), first.root)
    for rotation in d.rotations:
        part, record, note = rotation.part, rotation.epoch, rotation.note
        epoch_path, update_path = _digests(part.epoch.path), _digests(part.path)
        index = LeafIndex(record.epoch)
        yield Inclusion("rotation epoch", _leaf(part.epoch.record), index, note.size, epoch_path, note.root)
        size, root = record.governance_size, record.governance_root
        yield Inclusion("set update", _leaf(part.update), LeafIndex(part.index), size, update_path, root)
    for epoch in d.epochs:
        index, path = LeafIndex(epoch.record.epoch), _digests(epoch.part.path)
        yield Inclusion("epoch", _leaf(epoch.part.record), index, first.size, path, first.root)
        yield from _in_epoch(epoch)
    if d.governance is not None:
        size, root = d.governance.newer.governance_size, d.governance.newer.governance_root
        for shown in d.governance.part.records:
            path = _digests(shown.path)
            yield Inclusion("governance record", _leaf(shown.record), LeafIndex(shown.index), size, path, root)


def _in_epoch(epoch: DecodedEpoch) -> Iterator[Inclusion]:
    size, root = epoch.record.batch_size, epoch.record.batch_root
    for refusal in epoch.refusals:
        yield Inclusion("refusal", _leaf(refusal.entry), LeafIndex(refusal.index), size, _digests(refusal.path), root)
    for entry in epoch.entries:
        part, fields = entry.part, entry.entry
        yield Inclusion("entry", _leaf(part.entry), LeafIndex(part.index), size, _digests(part.path), root)
        width = TreeSize(fields.width)
        for disclosure, shown in zip(entry.disclosures, part.disclosures, strict=True):
            what, path = f"disclosure {disclosure.name}", _digests(shown.path)
            yield Inclusion(what, _field(disclosure), LeafIndex(shown.index), width, path, fields.field_root)


def consistencies(d: Decoded) -> Iterator[Consistency]:
    """Rotation notes with the first checkpoint, each checkpoint with the next, governance between two epochs."""
    first = d.notes[0]
    for rotation in d.rotations:
        note, path = rotation.note, _digests(rotation.part.consistency)
        yield Consistency("rotation note", note.size, first.size, path, note.root, first.root)
    for (older, newer), part in zip(pairwise(d.notes), d.bundle.checkpoints[1:], strict=True):
        yield Consistency("checkpoint", older.size, newer.size, _digests(part.consistency), older.root, newer.root)
    if d.governance is not None:
        before, after = d.governance.older, d.governance.newer
        yield Consistency(
            "governance",
            before.governance_size,
            after.governance_size,
            _digests(d.governance.part.consistency),
            before.governance_root,
            after.governance_root,
        )


def absences(d: Decoded) -> Iterator[tuple[DecodedEpoch, Absence]]:
    """Every leaf said to be absent from an epoch's batch."""
    for epoch in d.epochs:
        for part in epoch.part.absences:
            yield epoch, _absence(part)


def follow(epoch: DecodedEpoch, part: LabelPart) -> None:
    """Return if the path of a registry index, present or absent, leads to the epoch's registry root (SPEC §9.1).

    Raises:
        PathLength, TerminalMalformed: no path of a registry tree.
        RootMismatch: it leads elsewhere.
    """
    terminal = None if part.terminal is None else (part.terminal.index, part.terminal.commitment)
    verify(epoch.record.registry_root, part.index, terminal, part.path)


def _absence(part: AbsencePart) -> Absence:
    left, right = (
        None if side is None else Neighbour(Digest(side.leaf), LeafIndex(side.index), tuple(_digests(side.path)))
        for side in (part.left, part.right)
    )
    return Absence(Digest(part.leaf), left, right)


def _leaf(data: bytes) -> Callable[[], Digest]:
    return lambda: leaf_hash(data)


def _field(disclosure: Disclosure) -> Callable[[], Digest]:
    return lambda: leaf_hash(disclosure.digest)


def _digests(path: Sequence[bytes]) -> list[Digest]:
    return [Digest(item) for item in path]
