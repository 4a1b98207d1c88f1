"""The numbered course of `verify`: which checks were passed, which one failed, which were never reached."""

from typing import Final

from hybrid_bridge.cli.report.case import Case
from hybrid_bridge.cli.report.model import Section, Table, Text
from hybrid_bridge.cli.report.texts import Words

COURSE: Final = (
    "1 shape",
    "2 format",
    "3 structs",
    "4 arithmetic",
    "5 identity",
    "6 hash paths",
    "7 validator sets",
    "8 quorums",
    "9 names",
    "9 transactions",
    "10 registry",
    "11 public anchor",
    "12 promise",
    "13 renewals",
    "13 rules",
    "13 brakes",
    "13 source evidence",
    "14 freshness",
)  # SPEC §12; a test compares it with what `verify` does

FRESHNESS: Final = COURSE[-1]  # no check fails there: it is a verdict
DOCUMENTS: Final = "package documents"  # what is looked at after them, if the bundle came in a package


def checks(case: Case, t: Words) -> Section:
    """One row a check."""
    rows, tones = zip(*(_row(case, check, t) for check in COURSE), strict=True)
    table = Table(
        head=tuple(t(f"checks.{name}") for name in ("number", "result", "name", "what", "count")),
        rows=rows,
        weights=(7, 14, 18, 51, 10),
        tones=tones,
    )
    return Section("checks", t("head.checks"), (Text(t("checks.intro")), table))


def _row(case: Case, check: str, t: Words) -> tuple[tuple[str, ...], str]:
    number, _, name = check.partition(" ")
    counts = {} if case.evidence is None else {f"{c.number} {c.name}": c.count for c in case.evidence.checks}
    reached = () if case.error is None else case.error.reached
    if check == FRESHNESS and (case.evidence is not None or check in reached):
        result, tone = "verdict", "none"
    elif counts.get(check) == 0:
        result, tone = "empty", "none"
    elif case.evidence is not None or check in reached:
        result, tone = "passed", "good" if counts else "none"  # where it stopped, nothing is green
    elif case.error is not None and check == case.error.stopped_at:
        result, tone = "failed", "bad"
    else:
        result, tone = "unreached", "none"
    words = t(f"checks.{result}"), t(f"check.{name}"), t(f"what.{name}")
    return (number, *words, str(counts.get(check, ""))), tone
