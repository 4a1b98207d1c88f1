"""What the file opens: fields, registry statements, a promise, absences."""

from collections.abc import Iterator

from hybrid_bridge.cli.report.case import Case
from hybrid_bridge.cli.report.model import Block, Head, Items, Section, Table, Text, shown
from hybrid_bridge.cli.report.strangers import word
from hybrid_bridge.cli.report.texts import Words
from hybrid_bridge.core.evidence import Evidence, OpenedField, RecordFact, utc


def records(case: Case, t: Words) -> Section:
    """Every record with its opened fields; nothing of a file that did not hold."""
    if case.evidence is None:
        return Section("records", t("head.records.stopped"), (Text(t("records.stopped")),))
    blocks = [block for fact in case.evidence.records for block in _record(fact, t)]
    return Section("records", t("head.records"), tuple(blocks) or (Text(t("record.none")),))


def _record(fact: RecordFact, t: Words) -> Iterator[Block]:
    title = t("record.head", schema=fact.schema, type=fact.record_type, epoch=fact.epoch, time=utc(fact.by))
    yield Head(title)
    yield Table(
        head=(t("record.field"), t("value"), t("record.kind")),
        rows=tuple(_field(field, t) for field in sorted(fact.fields, key=lambda field: field.name)),
        weights=(24, 52, 24),
    )
    signed = t("record.unsigned")
    if fact.transaction is not None and fact.submitter is not None:
        signed = t(
            "record.signed",
            transaction=fact.transaction.hex(),
            submitter=fact.submitter.hex(),
            number=fact.sequence,
        )
    yield Items((t("record.leaf", leaf=fact.leaf.hex()), t("record.hidden", count=fact.undisclosed), signed))


def _field(field: OpenedField, t: Words) -> tuple[str, str, str]:
    value = shown(str(field.value))
    if field.name.endswith("_time") and isinstance(field.value, int):
        value = f"{value} ({utc(field.value)})"
    return field.name, value, t("record.claim" if field.is_claim else "record.private")


def statements(case: Case, t: Words) -> Section:
    """Registry, promise, absences; a section that is empty is left out."""
    evidence = case.evidence
    items = () if evidence is None else tuple(_statements(evidence, t))
    return Section("registry", t("head.registry"), (Items(items),) if items else ())


def _statements(evidence: Evidence, t: Words) -> Iterator[str]:
    for fact in evidence.registry:
        statement = t.said(fact.statement)
        yield t("registry.fact", epoch=fact.epoch, time=utc(fact.at), label=word(fact.label), statement=statement)
    promise = evidence.promise
    if promise is not None:
        yield t(
            "promise.fact",
            entry=promise.entry_leaf.hex(),
            transaction=promise.transaction.hex(),
            time=utc(promise.accepted_at),
            accepted=promise.accepted_epoch,
            by=promise.by_epoch,
            signer=t.said(promise.signer) if promise.signer else t("promise.unknown"),
        )
    for absent in evidence.absences:
        yield t("absence.fact", epoch=absent.epoch, leaf=absent.leaf.hex())
