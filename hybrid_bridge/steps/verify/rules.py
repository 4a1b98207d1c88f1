"""Check 13 of `verify`: artefact digests, openings against records, rules between records."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from hybrid_bridge.business.outside import Opened, Outcome, cross_checks, require_event_time
from hybrid_bridge.business.receivables.backing import AssetRecord, Insertion, Invoices, ProvenLabel
from hybrid_bridge.business.record_types import ASSET_CONFIRM, ASSET_REGISTER
from hybrid_bridge.business.schema import RECORD_TYPES, SCHEMAS
from hybrid_bridge.core.bundle import ArtefactPart
from hybrid_bridge.core.disclosure import FieldValue
from hybrid_bridge.core.encoding import b64u
from hybrid_bridge.core.keys import key_id_text
from hybrid_bridge.core.labels import LifeValue, event_code
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.transaction import claims_of
from hybrid_bridge.errors import FieldMalformed, FieldMismatch
from hybrid_bridge.steps.verify.decoded import Decoded, DecodedEntry
from hybrid_bridge.steps.verify.insertions import ops_of
from hybrid_bridge.steps.verify.registry import Registered
from hybrid_bridge.units import Digest, RecordType, UnixSeconds

_Record: TypeAlias = tuple[DecodedEntry, Mapping[str, FieldValue]]  # with all that is known of its fields


def verify_rules(d: Decoded, registered: Registered) -> Outcome:
    """Warnings for people and what would have to be shown; what a rule forbids raises.

    Raises:
        FieldMalformed: an artefact names a field that is not disclosed.
        FieldMismatch: an artefact's digest, a label's value or a rule between the shown records is broken.
    """
    entries = [entry for _, entry in d.entries]
    opened = [_fields_of(entry) for entry in entries]
    for artefact in d.bundle.artefacts:
        _require_artefact(artefact, [fields for _, fields in opened])
    records = {leaf_hash(entry.part.entry): (entry, fields) for entry, (_, fields) in zip(entries, opened, strict=True)}
    _require_values(registered, records)
    invoices = _invoices(registered, records)
    invoices.contradictions()
    partial = {position for position, entry in enumerate(entries) if entry.transaction is None}
    outcome = cross_checks(opened, invoices.wanting, partial)
    for (epoch, _), record in zip(d.entries, opened, strict=True):
        require_event_time(record, UnixSeconds(epoch.record.closed_at - d.genesis.cadence), epoch.record.closed_at)
    return Outcome(
        warnings=outcome.warnings,
        missing=(*outcome.missing, *(f"a verifier that knows the {what}" for what in sorted(_unknown(entries)))),
    )


def _fields_of(entry: DecodedEntry) -> Opened:
    """What is known of a record: the fields disclosed and, with its transaction, all its claims."""
    fields: dict[str, FieldValue] = {disclosure.name: disclosure.value for disclosure in entry.disclosures}
    if entry.transaction is not None:
        fields |= {name: claim.value for name, claim in claims_of(entry.transaction.body).items()}
    return entry.entry.record_type, fields


def _unknown(entries: Sequence[DecodedEntry]) -> set[str]:
    """Records whose fields, or whose claims in a shown transaction, nobody here can judge."""
    schemas = {f"schema {e.schema[:64]}" for e in entries if e.disclosures and e.schema not in SCHEMAS}
    types = {e.entry.record_type for e in entries if e.transaction is not None} - RECORD_TYPES
    return schemas | {f"record type {event_code(RecordType(kind))}" for kind in types}


# ── labels ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _require_values(registered: Registered, records: Mapping[Digest, _Record]) -> None:
    """A label's value that names a record shown says what that record says, and that record inserted it."""
    for standing in (standing for fact in registered.labels for standing in fact.versions.values()):
        value = standing.value
        if value is None or value.entry_leaf not in records:
            continue
        entry, fields = records[value.entry_leaf]
        if isinstance(value, LifeValue):
            _equal("labels.value.code", event_code(RecordType(entry.entry.record_type)), value.code)
            continue
        if "object" in fields:
            _equal("labels.value.object", str(fields["object"]), value.object_id)
        if entry.transaction is not None and standing.index not in {op.index for op in ops_of(entry)}:
            raise FieldMismatch(field="labels.value.entry", expected="the record that inserted it", got="another")


def _invoices(registered: Registered, records: Mapping[Digest, _Record]) -> Invoices:
    """What is shown of invoices, by kind of record; every identity label with the index its VRF proof gave."""
    shown = [
        (entry.entry.record_type, AssetRecord(leaf=leaf, fields=fields, insertion=_insertion(entry)))
        for leaf, (entry, fields) in records.items()
    ]
    labels = [
        ProvenLabel(label=fact.label, index=standing.index, value=standing.value)
        for fact in registered.labels
        for standing in fact.versions.values()
        if not isinstance(standing.value, LifeValue)
    ]
    return Invoices(
        registrations=tuple(record for kind, record in shown if kind == ASSET_REGISTER),
        confirmations=tuple(record for kind, record in shown if kind == ASSET_CONFIRM),
        labels=tuple(labels),
    )


def _insertion(entry: DecodedEntry) -> Insertion | None:
    if entry.transaction is None:
        return None
    return Insertion(
        authorisers=frozenset(map(key_id_text, entry.transaction.body.authorisers)),
        indices=frozenset(op.index for op in ops_of(entry)),
    )


# ── documents ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _require_artefact(artefact: ArtefactPart, records: list[Mapping[str, FieldValue]]) -> None:
    """The named field of a record holds the document's SHA-256; what else that record says of it agrees."""
    holding = [fields for fields in records if isinstance(fields.get(artefact.field), str)]
    if not holding:
        raise FieldMalformed(field="artefacts.field", rule="a disclosed field that holds a SHA-256")
    digest = b64u(artefact.sha256)
    matching = [fields for fields in holding if fields[artefact.field] == digest]
    if not matching:
        raise FieldMismatch(field=artefact.field, expected=str(holding[0][artefact.field]), got=digest)
    group = artefact.field.removesuffix("sha256")
    stated = {"name": artefact.name, "media": artefact.media_type, "size": artefact.size}
    if artefact.sm3 is not None:
        stated["sm3"] = b64u(artefact.sm3)
    for name, value in stated.items():
        if group + name in matching[0]:
            _equal(group + name, matching[0][group + name], value)


def _equal(field: str, expected: object, got: object) -> None:
    if expected != got:
        raise FieldMismatch(field=field, expected=str(expected), got=str(got))
