"""The annex: what some rules of evidence ask, beside what the report shows and does not show."""

from hybrid_bridge.cli.report.model import Block, Head, Section, Table, Text
from hybrid_bridge.cli.report.texts import Words
from hybrid_bridge.cli.report.texts.law import ROWS


def law(t: Words) -> Section:
    """A general annex: it is the same for every record."""
    blocks: list[Block] = [Text(t("law.intro"))]
    for place, rows in ROWS.items():
        blocks += [
            Head(t(f"law.{place}")),
            Table(
                head=tuple(t(f"law.{name}") for name in ("rule", "shown", "not_shown", "read")),
                rows=tuple(
                    (t(f"law.{row}.rule"), t(f"law.{row}.shown"), t(f"law.{row}.not"), t(f"read.{read}"))
                    for row, read in rows
                ),
                weights=(32, 34, 22, 12),
            ),
        ]
    return Section("law", t("head.law"), tuple(blocks))
