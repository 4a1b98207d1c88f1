"""Check 3 of `verify`: every byte string of a bundle decoded, once, and every path named that must be followed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from hybrid_bridge.core.attestation import Checkpoint
from hybrid_bridge.core.bundle import Bundle, EntryPart, EpochPart, LabelPart, RotationPart, ValidatorPart
from hybrid_bridge.core.checkpoint import Note, parse_note
from hybrid_bridge.core.disclosure import Disclosure, parse_disclosure
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.entry import RecordEntry, decode_entry
from hybrid_bridge.core.epoch import EpochRecord
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.governance import SetUpdate, decode_governance
from hybrid_bridge.core.labels import Label
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.transaction import SignedTransaction
from hybrid_bridge.core.validators import SignedKeyBinding, ValidatorEntry, ValidatorSet
from hybrid_bridge.errors import FieldMalformed
from hybrid_bridge.units import Address, Digest, LogId, SetId, TreeSize


@dataclass(frozen=True, slots=True)
class Inclusion:
    """A path that must lead from a leaf to a root. The leaf is hashed only when the path is followed."""

    what: str
    leaf: Callable[[], Digest]
    index: int
    size: int
    path: Sequence[bytes]
    root: bytes


@dataclass(frozen=True, slots=True)
class Consistency:
    """A path that must show one tree to be a prefix of another."""

    what: str
    old_size: int
    new_size: int
    path: Sequence[bytes]
    old_root: bytes
    new_root: bytes


@dataclass(frozen=True, slots=True)
class DecodedEntry:
    """A record entry, its part, and its disclosures in the order of the part."""

    entry: RecordEntry
    part: EntryPart
    disclosures: tuple[Disclosure, ...]
    transaction: SignedTransaction | None


@dataclass(frozen=True, slots=True)
class DecodedEpoch:
    """An epoch record, its part, entries, and labels (None where the index stands without one)."""

    record: EpochRecord
    part: EpochPart
    entries: tuple[DecodedEntry, ...]
    labels: tuple[tuple[Label | None, LabelPart], ...]


@dataclass(frozen=True, slots=True)
class DecodedRotation:
    """A set update with the epoch that covers it, the old set's note, and the new set."""

    update: SetUpdate
    epoch: EpochRecord
    note: Note
    validators: ValidatorSet
    part: RotationPart


@dataclass(frozen=True, slots=True)
class Decoded:
    """A bundle whose bytes have become values. Nothing in it is verified yet."""

    bundle: Bundle
    log_id: LogId
    genesis: Genesis
    first_set: ValidatorSet
    rotations: tuple[DecodedRotation, ...]
    notes: tuple[Note, ...]
    epochs: tuple[DecodedEpoch, ...]
    inclusions: tuple[Inclusion, ...]
    consistencies: tuple[Consistency, ...]

    @property
    def transactions(self) -> tuple[tuple[DecodedEntry, SignedTransaction], ...]:
        """Entries whose signed transaction is shown."""
        return tuple((e, e.transaction) for epoch in self.epochs for e in epoch.entries if e.transaction is not None)

    def checkpoint(self, note: Note, responsible: ValidatorSet) -> Checkpoint:
        """What the validators signed, if the note is true: every other field follows from genesis and size."""
        return Checkpoint(
            log_id=self.log_id,
            tree_size=TreeSize(note.size),
            root=note.root,
            timestamp=self.genesis.checkpoint_timestamp(TreeSize(note.size)),
            set_id=SetId(responsible.set_id),
            set_hash=responsible.digest,
        )


def decode(bundle: Bundle) -> Decoded:
    """Decode all structs, words, entries, disclosures, labels and notes.

    Raises:
        Malformed: one of them breaks its section of the specification.
    """
    genesis = Genesis.decode(bundle.genesis.record)
    notes = tuple(parse_note(part.note) for part in bundle.checkpoints)
    rotations = tuple(_rotation(part) for part in bundle.rotations)
    epochs = tuple(_epoch(part) for part in bundle.epochs)
    inclusions = tuple(_inclusions(bundle, notes, rotations, epochs))
    consistencies = tuple(_consistencies(bundle, notes, rotations, epochs))
    first_set = validator_set(1, bundle.genesis.validators)
    return Decoded(bundle, genesis.log_id, genesis, first_set, rotations, notes, epochs, inclusions, consistencies)


def validator_set(set_id: int, parts: Sequence[ValidatorPart]) -> ValidatorSet:
    """The set whose entries these parts open; hashing the opened parts makes the hashes true by construction."""
    entries = tuple(
        ValidatorEntry(
            address=Address(part.address),
            name_hash=sha256(part.name.encode("utf-8")),
            certificate_hash=Digest(part.certificate_hash),
            key_binding_hash=SignedKeyBinding.decode(part.key_binding).binding.digest,
        )
        for part in parts
    )
    return ValidatorSet(set_id=SetId(set_id), entries=entries)


def _rotation(part: RotationPart) -> DecodedRotation:
    update = decode_governance(part.update)
    if not isinstance(update, SetUpdate):
        raise FieldMalformed(field="rotations.update", rule="a SetUpdate record")
    validators = validator_set(update.set_id, part.validators)
    return DecodedRotation(update, EpochRecord.decode(part.epoch.record), parse_note(part.note), validators, part)


def _epoch(part: EpochPart) -> DecodedEpoch:
    return DecodedEpoch(
        EpochRecord.decode(part.record),
        part,
        tuple(_entry(inner) for inner in part.entries),
        tuple((_label(inner), inner) for inner in part.labels),
    )


def _label(part: LabelPart) -> Label | None:
    if (part.label is None) != (part.version is None) or (part.label is None) != (part.proof is None):
        raise FieldMalformed(field="labels", rule="label, version and proof: all or none")
    if (part.value is None) != (part.opening is None):
        raise FieldMalformed(field="labels", rule="value and opening: both or none")
    if part.value is not None and part.label is None:
        raise FieldMalformed(field="labels", rule="an opened value needs its label")
    return None if part.label is None else Label.decode(part.label)


def _entry(part: EntryPart) -> DecodedEntry:
    entry = decode_entry(part.entry)
    if not isinstance(entry, RecordEntry):
        raise FieldMalformed(field="entries.entry", rule="a record's entry, no refusal and no decoy")
    indices = [inner.index for inner in part.disclosures]
    if indices != sorted(set(indices)):
        raise FieldMalformed(field="entries.disclosures", rule="strictly ascending by index")
    disclosures = tuple(parse_disclosure(inner.value) for inner in part.disclosures)
    names = [disclosure.name for disclosure in disclosures]
    if len(set(names)) != len(names):
        raise FieldMalformed(field="entries.disclosures", rule="each name once")
    if names and not {"_schema", "_origin"} <= set(names):
        raise FieldMalformed(field="entries.disclosures", rule="_schema and _origin are shown whenever anything is")
    transaction = None if part.transaction is None else SignedTransaction.decode(part.transaction)
    return DecodedEntry(entry, part, disclosures, transaction)


def _inclusions(
    bundle: Bundle, notes: Sequence[Note], rotations: Sequence[DecodedRotation], epochs: Sequence[DecodedEpoch]
) -> Iterator[Inclusion]:
    first = notes[0]
    genesis = bundle.genesis
    yield Inclusion("genesis", _leaf(genesis.record), 0, first.size, genesis.path, first.root)
    for rotation in rotations:
        part, record = rotation.part, rotation.epoch
        yield Inclusion(
            "rotation epoch",
            _leaf(part.epoch.record),
            record.epoch,
            rotation.note.size,
            part.epoch.path,
            rotation.note.root,
        )
        yield Inclusion(
            "set update", _leaf(part.update), part.index, record.governance_size, part.path, record.governance_root
        )
    for epoch in epochs:
        yield Inclusion("epoch", _leaf(epoch.part.record), epoch.record.epoch, first.size, epoch.part.path, first.root)
        yield from _in_epoch(epoch)
    yield from _governance(bundle, epochs)


def _in_epoch(epoch: DecodedEpoch) -> Iterator[Inclusion]:
    record = epoch.record
    for entry in epoch.entries:
        part = entry.part
        yield Inclusion("entry", _leaf(part.entry), part.index, record.batch_size, part.path, record.batch_root)
        for disclosure, shown in zip(entry.disclosures, part.disclosures, strict=True):
            yield Inclusion(
                f"disclosure {disclosure.name}",
                _field_leaf(disclosure),
                shown.index,
                entry.entry.width,
                shown.path,
                entry.entry.field_root,
            )


def _governance(bundle: Bundle, epochs: Sequence[DecodedEpoch]) -> Iterator[Inclusion]:
    if bundle.governance is None:
        return
    later = epoch_numbered(epochs, bundle.governance.to_epoch, "governance.to_epoch").record
    for part in bundle.governance.records:
        decode_governance(part.record)
        yield Inclusion(
            "governance record",
            _leaf(part.record),
            part.index,
            later.governance_size,
            part.path,
            later.governance_root,
        )


def _consistencies(
    bundle: Bundle, notes: Sequence[Note], rotations: Sequence[DecodedRotation], epochs: Sequence[DecodedEpoch]
) -> Iterator[Consistency]:
    for rotation in rotations:
        note = rotation.note
        yield Consistency(
            "rotation note", note.size, notes[0].size, rotation.part.consistency, note.root, notes[0].root
        )
    if bundle.checkpoints[0].consistency:
        raise FieldMalformed(field="checkpoints[0].consistency", rule="empty")
    for older, newer, part in zip(notes, notes[1:], bundle.checkpoints[1:], strict=False):
        yield Consistency("checkpoint", older.size, newer.size, part.consistency, older.root, newer.root)
    if bundle.governance is not None:
        older_epoch = epoch_numbered(epochs, bundle.governance.from_epoch, "governance.from_epoch").record
        newer_epoch = epoch_numbered(epochs, bundle.governance.to_epoch, "governance.to_epoch").record
        yield Consistency(
            "governance",
            older_epoch.governance_size,
            newer_epoch.governance_size,
            bundle.governance.consistency,
            older_epoch.governance_root,
            newer_epoch.governance_root,
        )


def epoch_numbered(epochs: Sequence[DecodedEpoch], number: int, field: str) -> DecodedEpoch:
    """The shown epoch of that number.

    Raises:
        FieldMalformed: it is not shown.
    """
    for epoch in epochs:
        if epoch.record.epoch == number:
            return epoch
    raise FieldMalformed(field=field, rule="an epoch that the bundle shows")


def _leaf(data: bytes) -> Callable[[], Digest]:
    return lambda: leaf_hash(data)


def _field_leaf(disclosure: Disclosure) -> Callable[[], Digest]:
    return lambda: leaf_hash(disclosure.digest)
