"""Checks 4, 5 and 6 of `verify`: arithmetic, identity, hash paths. No signature is looked at here."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import pairwise

from hybrid_bridge.business.schema import SCHEMAS
from hybrid_bridge.core.absence import verify_absence
from hybrid_bridge.core.disclosure import RESERVED, Disclosure, Half, require_half
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.entry import RecordEntry
from hybrid_bridge.core.epoch import EpochRecord, verify_epoch, verify_first, verify_next
from hybrid_bridge.core.proof import consistency_length, inclusion_length, verify_consistency, verify_inclusion
from hybrid_bridge.errors import BridgeError, FieldMalformed, FieldMismatch, PathLength
from hybrid_bridge.steps.verify.decoded import Decoded
from hybrid_bridge.steps.verify.order import require_order
from hybrid_bridge.steps.verify.paths import absences, consistencies, follow, inclusions
from hybrid_bridge.units import LeafIndex

# ── 4 arithmetic ─────────────────────────────────────────────────────────────────────────────────────────────────────


def require_arithmetic(d: Decoded) -> None:
    """Everything that numbers alone can refuse (SPEC §12 step 4).

    Raises:
        Malformed: a path's length, an index beyond its size, an order.
        FieldMismatch: numbers that contradict one another.
    """
    if d.bundle.checkpoints[0].consistency:
        raise FieldMalformed(field="checkpoints[0].consistency", rule="empty")
    if d.notes[0].size < 2:
        raise FieldMalformed(field="checkpoints[0].size", rule="at least 2; size 1 is the log id itself")
    for older, newer in pairwise(d.notes):
        if older.size >= newer.size:
            raise FieldMalformed(field="checkpoints", rule="sizes strictly ascending")
    digests = [sha256(der) for der in d.bundle.certificates]  # by hash, so not before this check (SPEC §15)
    if any(one >= following for one, following in pairwise(digests)):
        raise FieldMalformed(field="certificates", rule="strictly ascending by hash")
    _require_epochs(d)
    _require_governance(d)
    _require_lengths(d)


def _require_lengths(d: Decoded) -> None:
    for inclusion in inclusions(d):
        with _named(f"path of {inclusion.what} at index {inclusion.index}"):
            _require_length(inclusion_length(inclusion.index, inclusion.size), len(inclusion.path))
    for pair in consistencies(d):
        with _named(f"consistency of {pair.what} from {pair.old_size} to {pair.new_size}"):
            _require_length(consistency_length(pair.old_size, pair.new_size), len(pair.path))
    for epoch, absence in absences(d):
        for neighbour in (absence.left, absence.right):
            if neighbour is not None:
                with _named(f"path of a neighbour at index {neighbour.index}"):
                    length = inclusion_length(neighbour.index, epoch.record.batch_size)
                    _require_length(length, len(neighbour.path))


def _require_length(expected: int, got: int) -> None:
    if expected != got:
        raise PathLength(expected=expected, got=got)


def _require_epochs(d: Decoded) -> None:
    for older, newer in pairwise(epoch.record.epoch for epoch in d.epochs):
        if older >= newer:
            raise FieldMalformed(field="epochs", rule="strictly ascending")
    records = _all_records(d)
    for record in records:
        verify_epoch(d.genesis, LeafIndex(record.epoch), record)
        if record.epoch == 1:
            verify_first(d.genesis, record)
    for before, after in pairwise(records):
        if after.epoch == before.epoch + 1:
            verify_next(d.genesis, before, after)
        _require_growth(before, after)


def _all_records(d: Decoded) -> list[EpochRecord]:
    """Those of `epochs` and of rotations in one line; one that stands in both is one."""
    records: dict[int, EpochRecord] = {}
    for record in (*(epoch.record for epoch in d.epochs), *(rotation.epoch for rotation in d.rotations)):
        if records.setdefault(record.epoch, record) != record:
            raise FieldMismatch(field="rotations.epoch", expected=f"the record of epoch {record.epoch}", got="another")
    return [records[epoch] for epoch in sorted(records)]


def _require_growth(older: EpochRecord, newer: EpochRecord) -> None:
    """What no later epoch can undo, however many lie between."""
    for name in ("end_block", "governance_size", "set_id"):
        least, got = getattr(older, name), getattr(newer, name)
        if got < least:
            raise FieldMismatch(field=f"epoch.{name}", expected=f">= {least}", got=str(got))
    if newer.first_block < older.end_block:
        raise FieldMismatch(field="epoch.first_block", expected=f">= {older.end_block}", got=str(newer.first_block))
    if newer.governance_size == older.governance_size:
        _equal("epoch.governance_root", older.governance_root.hex(), newer.governance_root.hex())


def _require_governance(d: Decoded) -> None:
    """Every record between the two epochs, each once: else something could be kept back (SPEC §11)."""
    if d.governance is None:
        return
    least, end = d.governance.older.governance_size, d.governance.newer.governance_size
    indices = [part.index for part in d.governance.part.records]
    # A range, never a list: the two sizes are whatever the file says, up to 2**53 - 1.
    wanted = range(least, end)
    if len(indices) != len(wanted) or any(got != want for got, want in zip(indices, wanted, strict=True)):
        rule = f"every index from {least} below {end}, once"
        raise FieldMalformed(field="governance.records", rule=rule)


# ── 5 identity ───────────────────────────────────────────────────────────────────────────────────────────────────────


def require_identity(d: Decoded) -> None:
    """One log everywhere (SPEC §12 step 5); whether it is the right one is the trust file's to say.

    The epoch records' log id stood in check 4.

    Raises:
        FieldMismatch: another origin or another log id.
    """
    _equal("genesis.origin", d.genesis.origin_hash.hex(), sha256(d.bundle.genesis.origin.encode("utf-8")).hex())
    if d.bundle.genesis.mldsa_key is not None:
        got = sha256(d.bundle.genesis.mldsa_key).hex()
        _equal("genesis.mldsa_key", d.genesis.log_mldsa_key_hash.hex(), got)
    for note in (*d.notes, *(rotation.note for rotation in d.rotations)):
        _equal("note.origin", d.bundle.genesis.origin, note.origin)
    for rotation in d.rotations:
        _equal("set_update.log_id", d.log_id.hex(), rotation.update.log_id.hex())
    for record in () if d.governance is None else d.governance.records:
        _equal("governance.log_id", d.log_id.hex(), record.log_id.hex())
    for _, signed in d.transactions:
        _equal("transaction.log_id", d.log_id.hex(), signed.body.log_id.hex())
    if d.promise is not None:
        _equal("promise.log_id", d.log_id.hex(), d.promise.promise.log_id.hex())


# ── 6 hash paths ─────────────────────────────────────────────────────────────────────────────────────────────────────


def verify_paths(d: Decoded) -> None:
    """Follow every path; each field stands in the half its schema gives it (SPEC §12 step 6).

    Raises:
        RootMismatch: a path leads elsewhere; the error's notes say which.
        FieldMismatch: a claim among the private fields, or the other way round; a schema of another record type;
            leaves of a batch out of order.
        FieldMalformed: a field that its schema does not have; neighbours that leave room.
    """
    for path in inclusions(d):
        with _named(f"path of {path.what} at index {path.index}"):
            verify_inclusion(path.leaf(), path.index, path.size, path.path, path.root)
    for pair in consistencies(d):
        with _named(f"consistency of {pair.what} from {pair.old_size} to {pair.new_size}"):
            verify_consistency(pair.old_size, pair.new_size, pair.path, pair.old_root, pair.new_root)
    for epoch, absence in absences(d):
        with _named(f"absence of a leaf in the batch of epoch {epoch.record.epoch}"):
            verify_absence(absence, epoch.record.batch_size, epoch.record.batch_root)
    for epoch_shown in d.epochs:
        for label in epoch_shown.part.labels:
            with _named(f"path of registry index {label.index.hex()} at epoch {epoch_shown.record.epoch}"):
                follow(epoch_shown, label)
    require_order(d)
    for _, entry in d.entries:
        half, parts = entry.entry.width // 2, entry.part.disclosures
        fields = [(shown, part.index < half) for shown, part in zip(entry.disclosures, parts, strict=True)]
        require_halves(entry.entry, entry.schema, fields)


def require_halves(entry: RecordEntry, schema_name: str, fields: Iterable[tuple[Disclosure, bool]]) -> None:
    """Return if each field, a claim or not, stands in its half: no second `face` among the private leaves (SPEC §3).

    Raises:
        FieldMismatch: another half, or another record type than the schema has.
        FieldMalformed: a field that the schema does not have, or a value that is none of it.
    """
    schema = SCHEMAS.get(schema_name)
    if schema is not None:
        _equal("_schema", f"{entry.record_type:#06x}", f"{schema.record_type:#06x}")
    for disclosure, is_claim in fields:
        half: Half = "claim" if is_claim else "private"
        require_half(disclosure.name, half)
        if schema is not None and disclosure.name not in RESERVED:
            expected, kind = schema.find(disclosure.name)
            _equal(disclosure.name, expected, half)
            kind.require(disclosure.value, disclosure.name)


@contextmanager
def _named(what: str) -> Iterator[None]:
    try:
        yield
    except BridgeError as error:
        error.add_note(what)
        raise


def _equal(field: str, expected: object, got: object) -> None:
    if expected != got:
        raise FieldMismatch(field=field, expected=str(expected), got=str(got))
