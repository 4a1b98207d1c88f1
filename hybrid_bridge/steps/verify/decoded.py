"""Check 3 of `verify`: every byte string of a bundle decoded, once. Nothing is hashed, nothing is believed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final

from hybrid_bridge.core.attestation import Checkpoint
from hybrid_bridge.core.bundle import (
    MAX_BUNDLE,
    Bundle,
    EntryPart,
    EpochPart,
    GovernancePart,
    LabelPart,
    RotationPart,
    TokenAnchor,
    ValidatorPart,
)
from hybrid_bridge.core.checkpoint import Note, parse_note
from hybrid_bridge.core.cometbft_evidence import TYPE, CometbftEvidence
from hybrid_bridge.core.disclosure import SCHEMA, Disclosure, parse_disclosure, require_once
from hybrid_bridge.core.encoding import parse_canonical_json
from hybrid_bridge.core.entry import RecordEntry, RefusalEntry, decode_record_entry
from hybrid_bridge.core.epoch import EpochRecord
from hybrid_bridge.core.exports.sd_jwt import IssuedJwt, parse_jwt
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.governance import GovernanceRecord, SetUpdate, decode_governance
from hybrid_bridge.core.labels import LIFE, IdentityValue, Label, LifeValue
from hybrid_bridge.core.promise import SignedPromise
from hybrid_bridge.core.transaction import SignedTransaction
from hybrid_bridge.core.validators import SignedKeyBinding, ValidatorSet, parse_name
from hybrid_bridge.errors import FieldMalformed, TooLong
from hybrid_bridge.units import EpochNumber, LogId

MAX_SIGNATURES: Final = 1024  # signature checks a bundle may ask for (SPEC §15)
MAX_VRF_PROOFS: Final = 1024
TOKEN_SIGNATURES: Final = 8  # a timestamp's own, and its certificates'


@dataclass(frozen=True, slots=True)
class DecodedValidator:
    """One validator as the bundle shows it: its part, the name in it, its key's binding."""

    part: ValidatorPart
    legal_id: str
    name: str
    binding: SignedKeyBinding


@dataclass(frozen=True, slots=True)
class DecodedEntry:
    """A record entry, its part, its disclosures in the order of the part, and perhaps its transaction."""

    entry: RecordEntry
    part: EntryPart
    disclosures: tuple[Disclosure, ...]
    schema: str  # "" when nothing is disclosed
    transaction: SignedTransaction | None
    jwt: IssuedJwt | None


@dataclass(frozen=True, slots=True)
class DecodedOpening:
    """What the commitment at an index is said to hold."""

    data: bytes
    value: IdentityValue | LifeValue
    opening: bytes


@dataclass(frozen=True, slots=True)
class DecodedLabel:
    """Whose index it is said to be, and what it is said to open to."""

    label: Label
    version: int
    proof: bytes
    opened: DecodedOpening | None


@dataclass(frozen=True, slots=True)
class DecodedEpoch:
    """An epoch record, its part, entries, and labels (None where the index stands without one).

    `refusals`: parts that show the refusal of the promised transaction. It is no record and has nothing to disclose.
    """

    record: EpochRecord
    part: EpochPart
    entries: tuple[DecodedEntry, ...]
    refusals: tuple[EntryPart, ...]
    labels: tuple[tuple[DecodedLabel | None, LabelPart], ...]


@dataclass(frozen=True, slots=True)
class DecodedRotation:
    """A set update with the epoch that covers it, the old set's note, and the new set's validators."""

    update: SetUpdate
    epoch: EpochRecord
    note: Note
    validators: tuple[DecodedValidator, ...]
    part: RotationPart


@dataclass(frozen=True, slots=True)
class DecodedGovernance:
    """The governance records between two shown epochs, in the order of the part."""

    older: EpochRecord
    newer: EpochRecord
    records: tuple[GovernanceRecord, ...]
    part: GovernancePart


@dataclass(frozen=True, kw_only=True)  # no slots: the log id is kept once it was hashed
class Decoded:
    """A bundle whose bytes have become values. Nothing in it is verified yet."""

    bundle: Bundle
    genesis: Genesis
    validators: tuple[DecodedValidator, ...]  # of set 1
    rotations: tuple[DecodedRotation, ...]
    notes: tuple[Note, ...]
    epochs: tuple[DecodedEpoch, ...]
    governance: DecodedGovernance | None
    promise: SignedPromise | None
    sources: Mapping[EpochNumber, CometbftEvidence]  # by epoch; evidence of other engines stays undecoded

    @cached_property
    def log_id(self) -> LogId:
        """LEAF(genesis record)."""
        return self.genesis.log_id

    @property
    def entries(self) -> tuple[tuple[DecodedEpoch, DecodedEntry], ...]:
        """Every entry shown, with its epoch."""
        return tuple((epoch, entry) for epoch in self.epochs for entry in epoch.entries)

    @property
    def transactions(self) -> tuple[tuple[DecodedEntry, SignedTransaction], ...]:
        """Entries whose signed transaction is shown."""
        return tuple((entry, entry.transaction) for _, entry in self.entries if entry.transaction is not None)

    @property
    def all_validators(self) -> tuple[DecodedValidator, ...]:
        """Of every set shown."""
        return (*self.validators, *(validator for rotation in self.rotations for validator in rotation.validators))

    def checkpoint(self, note: Note, responsible: ValidatorSet) -> Checkpoint:
        """What the validators signed, if the note is true: every other field follows from genesis and size."""
        return Checkpoint(
            log_id=self.log_id,
            tree_size=note.size,
            root=note.root,
            timestamp=self.genesis.checkpoint_timestamp(note.size),
            set_id=responsible.set_id,
            set_hash=responsible.digest,
        )


def decode(bundle: Bundle, roots: int = 0) -> Decoded:
    """Decode all structs, words, entries, disclosures, labels and notes.

    Args:
        bundle: of the right shape.
        roots: how many authorities the verifier names; each may be tried on each certificate.

    Raises:
        Malformed: one of them breaks its section of the specification, or there is more to check than SPEC §15 allows.
        SetMismatch: a set update contradicts itself.
    """
    promise = None if bundle.promise is None else SignedPromise.decode(bundle.promise)
    refusal = None if promise is None else RefusalEntry(promise.promise.transaction_id).encode()
    epochs = tuple(_epoch(part, refusal) for part in bundle.epochs)
    decoded = Decoded(
        bundle=bundle,
        genesis=Genesis.decode(bundle.genesis.record),
        validators=_validators(bundle.genesis.validators),
        rotations=tuple(_rotation(part) for part in bundle.rotations),
        notes=tuple(parse_note(part.note) for part in bundle.checkpoints),
        epochs=epochs,
        governance=None if bundle.governance is None else _governance(bundle.governance, epochs),
        promise=promise,
        sources=_sources(bundle, epochs),
    )
    if bundle.provenance is not None:
        parse_canonical_json(bundle.provenance.encode("utf-8"), "provenance", MAX_BUNDLE)
    _require_few(decoded, roots)
    return decoded


def _require_few(d: Decoded, roots: int) -> None:
    """A verifier's time is bounded before the first signature is looked at (SPEC §15)."""
    notes = [*d.notes, *(rotation.note for rotation in d.rotations)]
    signatures = sum(len(note.lines) for note in notes)
    signatures += sum(len(signed.signatures) for _, signed in d.transactions) + (d.promise is not None)
    signatures += sum(part.receipt is not None for part in d.bundle.checkpoints)
    signatures += sum(entry.jwt is not None for _, entry in d.entries)
    if d.bundle.certificates:
        signatures += len(d.bundle.certificates) * roots + len(
            {validator.part.key_binding for validator in d.all_validators}
        )
    signatures += sum(evidence.signatures for evidence in d.sources.values())
    signatures += TOKEN_SIGNATURES * (
        len(d.bundle.renewals) + sum(isinstance(a, TokenAnchor) for a in d.bundle.anchors)
    )
    proofs = sum(label is not None for epoch in d.epochs for label, _ in epoch.labels)
    if signatures > MAX_SIGNATURES:
        raise TooLong(field="bundle.signatures", limit=MAX_SIGNATURES, got=signatures)
    if proofs > MAX_VRF_PROOFS:
        raise TooLong(field="bundle.labels", limit=MAX_VRF_PROOFS, got=proofs)


def _sources(bundle: Bundle, epochs: Sequence[DecodedEpoch]) -> dict[EpochNumber, CometbftEvidence]:
    shown = {epoch.record.epoch for epoch in epochs}
    found: dict[EpochNumber, CometbftEvidence] = {}
    for part in bundle.source_evidence:
        if part.type == TYPE:
            if part.epoch not in shown or part.epoch in found:
                raise FieldMalformed(field="source_evidence.epoch", rule="an epoch that is shown, once")
            found[EpochNumber(part.epoch)] = CometbftEvidence.decode(part.data)
    return found


def _validators(parts: Sequence[ValidatorPart]) -> tuple[DecodedValidator, ...]:
    return tuple(DecodedValidator(p, *parse_name(p.name), SignedKeyBinding.decode(p.key_binding)) for p in parts)


def _rotation(part: RotationPart) -> DecodedRotation:
    update = decode_governance(part.update)
    if not isinstance(update, SetUpdate):
        raise FieldMalformed(field="rotations.update", rule="a SetUpdate record")
    epoch, note = EpochRecord.decode(part.epoch.record), parse_note(part.note)
    return DecodedRotation(update, epoch, note, _validators(part.validators), part)


def _governance(part: GovernancePart, epochs: Sequence[DecodedEpoch]) -> DecodedGovernance:
    records = {epoch.record.epoch: epoch.record for epoch in epochs}
    older, newer = (records.get(EpochNumber(number)) for number in (part.from_epoch, part.to_epoch))
    if older is None or newer is None or older.epoch >= newer.epoch:
        raise FieldMalformed(field="governance", rule="from an epoch shown to a later epoch shown")
    return DecodedGovernance(older, newer, tuple(decode_governance(p.record) for p in part.records), part)


def _epoch(part: EpochPart, refusal: bytes | None) -> DecodedEpoch:
    """`refusal`: the one entry that may stand here without being a record, as the answer to the bundle's promise."""
    if len({entry.index for entry in part.entries}) != len(part.entries):
        raise FieldMalformed(field="entries", rule="each once")
    refusals = tuple(inner for inner in part.entries if inner.entry == refusal)
    if any(inner.disclosures or inner.transaction is not None or inner.issuer_jwt is not None for inner in refusals):
        raise FieldMalformed(field="entries", rule="of a refusal nothing but entry, index and path")
    return DecodedEpoch(
        EpochRecord.decode(part.record),
        part,
        tuple(_entry(inner) for inner in part.entries if inner.entry != refusal),
        refusals,
        tuple((_label(inner), inner) for inner in part.labels),
    )


def _label(part: LabelPart) -> DecodedLabel | None:
    if part.label is None or part.version is None or part.proof is None:
        if any(member is not None for member in (part.label, part.version, part.proof, part.value, part.opening)):
            raise FieldMalformed(field="labels", rule="label, version and proof: all, or none and nothing opened")
        return None
    label = Label.decode(part.label)
    return DecodedLabel(label, part.version, part.proof, _opening(label, part.value, part.opening))


def _opening(label: Label, value: str | None, opening: bytes | None) -> DecodedOpening | None:
    if value is None or opening is None:
        if value is not None or opening is not None:
            raise FieldMalformed(field="labels", rule="value and opening: both or none")
        return None
    data = value.encode("utf-8")
    return DecodedOpening(data, (LifeValue if label.type == LIFE else IdentityValue).decode(data), opening)


def _entry(part: EntryPart) -> DecodedEntry:
    if any(older.index >= newer.index for older, newer in pairwise(part.disclosures)):
        raise FieldMalformed(field="entries.disclosures", rule="strictly ascending by index")
    disclosures = tuple(parse_disclosure(inner.value) for inner in part.disclosures)
    require_once([disclosure.name for disclosure in disclosures])
    schema = next((disclosure.value for disclosure in disclosures if disclosure.name == SCHEMA), None)
    if disclosures and not isinstance(schema, str):
        raise FieldMalformed(field=SCHEMA, rule="a string, disclosed whenever anything is")
    return DecodedEntry(
        entry=decode_record_entry(part.entry),
        part=part,
        disclosures=disclosures,
        schema=schema if isinstance(schema, str) else "",
        transaction=None if part.transaction is None else SignedTransaction.decode(part.transaction),
        jwt=None if part.issuer_jwt is None else parse_jwt(part.issuer_jwt),
    )
