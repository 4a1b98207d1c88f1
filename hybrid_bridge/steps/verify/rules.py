"""Check 13 of `verify`: artefact digests, which half a field stands in, brake flags, and rules between records."""

from hybrid_bridge.business.outside import Outcome, cross_checks
from hybrid_bridge.business.schema import require_half, schema_of_name
from hybrid_bridge.core.encoding import b64u
from hybrid_bridge.errors import FieldMalformed, FieldMismatch
from hybrid_bridge.steps.verify.decoded import Decoded, DecodedEntry
from hybrid_bridge.steps.verify.registry import LabelFact


def verify_rules(d: Decoded, labels: tuple[LabelFact, ...]) -> Outcome:
    """Warnings for people and what would have to be shown; what a rule forbids raises.

    Raises:
        FieldMalformed: a field stands in the half its schema does not give it (`second-private-field`, SPEC §3).
        Refuted: an artefact's digest or a rule between the shown records is broken.
    """
    brakes = [
        f"the brake was on when epoch {epoch.record.epoch} closed" for epoch in d.epochs if epoch.record.flags & 1
    ]
    for epoch in d.epochs:
        for entry in epoch.entries:
            require_schema(entry)
    _require_artefacts(d)
    opened = [
        (entry.entry.record_type, {disclosure.name: disclosure.value for disclosure in entry.disclosures})
        for epoch in d.epochs
        for entry in epoch.entries
    ]
    outcome = cross_checks(opened, frozenset(fact.object_id for fact in labels if fact.object_id))
    return Outcome((*brakes, *outcome.warnings), outcome.missing)


def require_schema(entry: DecodedEntry) -> None:
    """The record is of the type its schema names, and each field stands in the half the schema gives it (SPEC §3).

    Raises:
        FieldMalformed: an unknown schema or field, or a field in the other half.
        FieldMismatch: the schema is of another record type.
    """
    shown = {disclosure.name: disclosure.value for disclosure in entry.disclosures}
    if not shown:
        return
    schema = schema_of_name(str(shown["_schema"]))
    if schema.record_type != entry.entry.record_type:
        raise FieldMismatch(
            field="_schema", expected=f"{entry.entry.record_type:#06x}", got=f"{schema.record_type:#06x}"
        )
    for disclosure, part in zip(entry.disclosures, entry.part.disclosures, strict=True):
        require_half(schema.name, disclosure.name, is_claim=part.index < entry.entry.width // 2)


def _require_artefacts(d: Decoded) -> None:
    values = {
        disclosure.name: disclosure.value
        for epoch in d.epochs
        for entry in epoch.entries
        for disclosure in entry.disclosures
    }
    for artefact in d.bundle.artefacts:
        shown = values.get(artefact.field)
        if not isinstance(shown, str):
            raise FieldMalformed(field="artefacts.field", rule="a disclosed field that holds a SHA-256")
        if shown != b64u(artefact.sha256):
            raise FieldMismatch(field=artefact.field, expected=shown, got=b64u(artefact.sha256))
