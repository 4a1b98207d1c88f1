"""`python -m bench soak --minutes 20 --seed 1`: a consortium on CometBFT under business and faults; what held?

Four validators and a regulator, each with an engine (on hosts of their own where root may make network namespaces), a
relayer that anchors to a real EVM, two traders; members and relayer are killed and held still, links are cut, all by
the seed. Then the judgement (`tests/soak/judging.py`). Each run adds a row to bench/SOAK.md.
"""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from bench.harness import host
from bench.relayer_schedules import git_head
from tests.soak.playing import LOGS, Report, play

TABLE = Path(__file__).with_name("SOAK.md")
LONG_CUT_AT = 0.4  # of the time; in a soak of ten minutes or more one cut lasts three
LONG = 10  # minutes


def main(arguments: list[str]) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=int(datetime.now(UTC).timestamp()))
    parser.add_argument("--no-row", action="store_true", help="write nothing into SOAK.md")
    asked = parser.parse_args(arguments)
    long_cut = asked.minutes * 60 * LONG_CUT_AT if asked.minutes >= LONG else float("inf")
    print(f"seed {asked.seed}, {asked.minutes:g} minutes", flush=True)
    report = play(asked.seed, asked.minutes, long_cut)
    print("\n".join(report.faults))
    print("\n".join(told(report)))
    print("\n".join(report.wrong) or "all held", f"(logs: {LOGS})")
    if not asked.no_row:
        append(row(report), told(report))
    return 1 if report.wrong else 0


def row(report: Report) -> str:
    """Of the table."""
    cells = (
        f"{datetime.now(UTC):%Y-%m-%d}",
        f"`{git_head('relayers', 'hybrid_bridge', 'tests/soak', 'tests/e2e')}`",
        f"{report.seed}",
        f"{report.minutes:g}",
        f"{report.kills} / {report.cuts} / {report.stops}",
        f"{report.decided.get('accepted', 0)} / {report.decided.get('rejected', 0)} / {report.lapsed}",
        f"{report.blocks}",
        " / ".join(str(report.promises.get(word, 0)) for word in ("kept", "refused", "broken")),
        f"{report.epochs} / {report.anchors}",
        f"{report.slowest:.0f} s",
        f"{report.recovered:.0f} s",
        "; ".join(report.wrong) or "all held",
    )
    return "| " + " | ".join(cells) + " |"


def told(report: Report) -> list[str]:
    """What the table has no column for."""
    memory = [
        f"{name} {size} MiB, {growth:+.0f} KiB/min over {minutes:.0f} min"
        for name, (size, growth, minutes) in report.memory.items()
    ]
    return [
        f"Seed {report.seed}, {report.minutes:g} minutes ({report.hosts}). Memory at the end, and how it grew in the second "
        f"half of the longest life: {'; '.join(memory)}.",
        *(line.removeprefix("- ") for line in host(()) if line.removeprefix("- ")),
    ]


def append(line: str, more: list[str]) -> None:
    """A row, and under the table what it has no column for."""
    table, _, notes = TABLE.read_text(encoding="utf-8").partition("\n## Memory\n")
    said = [*notes.strip().splitlines(), f"- {more[0]} {'; '.join(more[1:])}."]
    TABLE.write_text(f"{table.rstrip()}\n{line}\n\n## Memory\n\n" + "\n".join(said) + "\n", encoding="utf-8")
