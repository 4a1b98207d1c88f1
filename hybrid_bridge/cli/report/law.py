"""The annex: what some rules of evidence ask, beside what the report shows and does not show."""

from hybrid_bridge.cli.report.case import Case
from hybrid_bridge.cli.report.found import result_of
from hybrid_bridge.cli.report.model import Block, Head, Section, Table, Text
from hybrid_bridge.cli.report.texts import Words
from hybrid_bridge.cli.report.texts.law import NAMED, ROWS
from hybrid_bridge.core.evidence import VERIFIED, Evidence


def law(case: Case, t: Words) -> Section:
    """The rules are the same for every record; what is shown is named with the verdicts of this one."""
    blocks: list[Block] = [Text(t("law.intro"))]
    if case.evidence is None:
        blocks.append(Text(t("law.nothing")))
    for place, rows in ROWS.items():
        blocks += [Head(t(f"law.{place}")), _table(rows, case.evidence, t)]
    return Section("law", t("head.law"), tuple(blocks))


def _table(rows: tuple[tuple[str, str], ...], evidence: Evidence | None, t: Words) -> Table:
    """Of a file that did not hold nothing is shown: that column is not there."""
    columns = ("rule", "not_shown", "read") if evidence is None else ("rule", "shown", "not_shown", "read")
    cells = []
    for row, read in rows:
        shown = () if evidence is None else (_shown(row, evidence, t),)
        cells.append((t(f"law.{row}.rule"), *shown, t(f"law.{row}.not"), t(f"read.{read}")))
    return Table(
        head=tuple(t(f"law.{name}") for name in columns),
        rows=tuple(cells),
        weights=(54, 30, 16) if evidence is None else (32, 34, 22, 12),
    )


def _shown(row: str, evidence: Evidence, t: Words) -> str:
    """What this report shows, and the verdicts that say how far."""
    key = f"law.{row}.shown"
    if row == "17b" and evidence.verdict("public anchor").result == VERIFIED:
        key = "law.17b.anchored"
    if row == "18" and any(record.transaction is not None for record in evidence.records):
        key = "law.18.signed"
    verdicts = (evidence.verdict(name) for name in NAMED.get(row, ()))
    told = [f"{t(f'verdict.{verdict.name}')}: {result_of(verdict, t)}" for verdict in verdicts]
    return t(key) + (t("law.verdicts", verdicts=t("semicolon").join(told)) if told else "")
