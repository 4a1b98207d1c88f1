"""What `registry check` prints of an answer: for people, and for machines."""

from typing import Final

from hybrid_bridge.cli.exits import plain
from hybrid_bridge.cli.standing import FREE, PRESENT, SIMILAR, TAKEN, Answer, Moment, Row
from hybrid_bridge.core.encoding import Json
from hybrid_bridge.core.evidence import VERIFIED, Evidence, span, utc

WORDS: Final = {
    FREE: "FREE: no label of this paper is registered",
    TAKEN: "TAKEN: this paper is registered already",
    SIMILAR: "SIMILAR: a paper that looks like this one is registered; ask whether this is a true twin of it",
}


def line_of(row: Row) -> str:
    """One label, where it stands, and whose it is."""
    where = "" if row.fact is None else f"epoch {row.fact.epoch}, {utc(row.fact.at)}"
    cells = (f"{row.standing:<9}", f"{row.label.kind:<4}", row.label.describe(), where)
    what = f"object {row.object_id}" if row.object_id else "object not opened"
    below = f"\n{'':>17}{plain('  '.join(filter(None, (what, row.state))))}" * (row.standing == PRESENT)
    return "  " + plain("  ".join(filter(None, cells))) + below


def table_of(answer: Answer, evidence: Evidence, moment: Moment) -> list[str]:
    """For people: the answer first, what it rests on, how old it is, each label."""
    anchor = evidence.verdict("public anchor")
    basis = anchor.detail if anchor.result == VERIFIED else "not anchored yet, as far as is shown here"
    return [
        WORDS.get(answer.outcome, "UNDECIDED: nothing may be concluded from this"),
        f"  log {evidence.log_id.hex()}, checkpoint of size {evidence.tree_size}",
        f"  {basis}",
        f"  epoch {moment.last}, {span(moment.age)} old; not free if older than {span(moment.limit)}",
        *map(line_of, answer.rows),
        *(f"  missing: {plain(what)}" for what in answer.missing),
    ]


def json_of(answer: Answer, evidence: Evidence, moment: Moment) -> dict[str, Json]:
    """For machines."""
    missing: list[Json] = list(answer.missing)
    return {
        "answer": answer.outcome,
        "log_id": evidence.log_id.hex(),
        "tree_size": evidence.tree_size,
        "anchored": evidence.verdict("public anchor").result == VERIFIED,
        "epoch": moment.last,
        "age": moment.age,
        "max_age": moment.limit,
        "labels": [row.to_json() for row in answer.rows],
        "missing": missing,
        "exit_code": answer.exit_code,
    }
