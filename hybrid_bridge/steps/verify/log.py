"""Checks 4, 5 and 6 of `verify`: arithmetic, identity, hash paths. No signature is looked at here."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise

from hybrid_bridge.core.absence import Absence, Neighbour, verify_absence
from hybrid_bridge.core.bundle import AbsencePart
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.epoch import verify_epoch, verify_first, verify_next
from hybrid_bridge.core.proof import consistency_length, inclusion_length, verify_consistency, verify_inclusion
from hybrid_bridge.errors import BridgeError, FieldMalformed, FieldMismatch, IndexBeyondSize, PathLength
from hybrid_bridge.steps.verify.decoded import Decoded
from hybrid_bridge.units import Digest, LeafIndex, TreeSize


def require_arithmetic(d: Decoded) -> None:
    """Everything that numbers alone can refuse (SPEC §12 step 4).

    Raises:
        Malformed: a path's length, an index beyond its size, an order.
        FieldMismatch: numbers that contradict one another.
    """
    for path in d.inclusions:
        if not 0 <= path.index < path.size:
            raise IndexBeyondSize(index=path.index, size=path.size)
        _require_length(inclusion_length(LeafIndex(path.index), TreeSize(path.size)), len(path.path))
    for pair in d.consistencies:
        _require_length(consistency_length(TreeSize(pair.old_size), TreeSize(pair.new_size)), len(pair.path))
    for older, newer in pairwise(d.notes):
        if older.size >= newer.size:
            raise FieldMalformed(field="checkpoints", rule="sizes strictly ascending")
    if d.notes[0].size < 2:
        raise FieldMalformed(field="checkpoints[0].size", rule="at least 2; size 1 is the log id itself")
    _require_epochs(d)


def _require_length(expected: int, got: int) -> None:
    if expected != got:
        raise PathLength(expected=expected, got=got)


def _require_epochs(d: Decoded) -> None:
    records = [epoch.record for epoch in d.epochs]
    for record in records:
        verify_epoch(d.genesis, LeafIndex(record.epoch), record)
    if records and records[0].epoch == 1:
        verify_first(d.genesis, records[0])
    for older, newer in pairwise(records):
        if older.epoch >= newer.epoch:
            raise FieldMalformed(field="epochs", rule="strictly ascending")
        if newer.epoch == older.epoch + 1:
            verify_next(d.genesis, older, newer)
        for name in ("end_block", "governance_size", "set_id"):
            least, got = getattr(older, name), getattr(newer, name)
            if got < least:
                raise FieldMismatch(field=f"epoch.{name}", expected=f">= {least}", got=str(got))


def require_identity(d: Decoded) -> None:
    """One log everywhere (SPEC §12 step 5); whether it is the right one is the trust file's to say.

    Raises:
        FieldMismatch: another origin or another log id.
    """
    _equal("genesis.origin", d.genesis.origin_hash.hex(), sha256(d.bundle.genesis.origin.encode("utf-8")).hex())
    for note in (*d.notes, *(rotation.note for rotation in d.rotations)):
        _equal("note.origin", d.bundle.genesis.origin, note.origin)
    for rotation in d.rotations:
        verify_epoch(d.genesis, LeafIndex(rotation.epoch.epoch), rotation.epoch)
        _equal("set_update.log_id", d.log_id.hex(), rotation.update.log_id.hex())
    for _, signed in d.transactions:
        _equal("transaction.log_id", d.log_id.hex(), signed.body.log_id.hex())


def verify_paths(d: Decoded) -> None:
    """Follow every path (SPEC §12 step 6).

    Raises:
        RootMismatch: a path leads elsewhere; the error's notes say which.
    """
    for path in d.inclusions:
        with _named(f"path of {path.what} at index {path.index}"):
            verify_inclusion(
                path.leaf(), LeafIndex(path.index), TreeSize(path.size), _digests(path.path), Digest(path.root)
            )
    for pair in d.consistencies:
        with _named(f"consistency of {pair.what} from {pair.old_size} to {pair.new_size}"):
            verify_consistency(
                TreeSize(pair.old_size),
                TreeSize(pair.new_size),
                _digests(pair.path),
                Digest(pair.old_root),
                Digest(pair.new_root),
            )
    for epoch in d.epochs:
        for part in epoch.part.absences:
            with _named("absence of a leaf in a batch"):
                verify_absence(_absence(part), epoch.record.batch_size, epoch.record.batch_root)


def _absence(part: AbsencePart) -> Absence:
    return Absence(
        Digest(part.leaf),
        *(
            None if side is None else Neighbour(Digest(side.leaf), LeafIndex(side.index), tuple(_digests(side.path)))
            for side in (part.left, part.right)
        ),
    )


@contextmanager
def _named(what: str) -> Iterator[None]:
    try:
        yield
    except BridgeError as error:
        error.add_note(what)
        raise


def _digests(path: Sequence[bytes]) -> list[Digest]:
    return [Digest(item) for item in path]


def _equal(field: str, expected: object, got: object) -> None:
    if expected != got:
        raise FieldMismatch(field=field, expected=str(expected), got=str(got))
