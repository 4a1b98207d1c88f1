"""`python -m bench schedules --seeds 0:100000`: play seeded schedules of the relayer (RELAYER §7, §8); which seed broke a promise?

Resumable: what is done of a range, at one commit, is kept beside the repository's other scratch files and not played
again. Each run ends with a row in bench/SCHEDULES.md, also one that was told to stop. `--seed N` plays one and tells it.
"""

import argparse
import gc
import json
import multiprocessing
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tests.simulation.schedule import BOUND, Result, play

ROOT = Path(__file__).parents[1]
TABLE = Path(__file__).with_name("SCHEDULES.md")
SCRATCH = ROOT / ".venv" / "schedules"  # goes with `make clean`
CHUNK = 250
COUNTED = ("ticks", "crashes", "fenced", "reorgs", "lies", "anchors", "rotations", "pauses")


@dataclass
class Sum:
    """What some schedules were, together."""

    seeds: int = 0
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTED, 0))
    worst: int = 0  # rounds until all had settled
    seconds: float = 0
    broken: dict[str, str] = field(default_factory=dict)  # seed → how

    def add(self, result: Result) -> None:
        self.seeds += 1
        for name in COUNTED:
            self.counts[name] += getattr(result, name)
        self.worst = max(self.worst, result.rounds)
        if result.violation:
            self.broken[str(result.seed)] = result.violation

    def merge(self, other: "Sum") -> None:
        self.seeds += other.seeds
        for name in COUNTED:
            self.counts[name] += other.counts[name]
        self.worst, self.seconds = max(self.worst, other.worst), self.seconds + other.seconds
        self.broken |= other.broken


def chunk(bounds: tuple[int, int]) -> tuple[int, Sum]:
    """One stretch of seeds."""
    gc.collect()
    gc.freeze()  # what stays for good, the consortium and what is remembered, is not looked through again and again
    begin, total = time.process_time(), Sum()
    for seed in range(*bounds):
        total.add(play(seed))
    total.seconds = time.process_time() - begin
    return bounds[0], total


def main(arguments: list[str]) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench schedules", description=__doc__)
    parser.add_argument("--seeds", default="0:2000", help="first and end, as in 0:100000")
    parser.add_argument("--seed", type=int, help="play this one and tell it")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--no-row", action="store_true", help="write nothing into SCHEDULES.md")
    asked = parser.parse_args(arguments)
    if asked.seed is not None:
        print(play(asked.seed))
        return 0
    first, end = (int(part) for part in asked.seeds.split(":"))
    commit = head()
    total, done = run(first, end, commit, asked.processes)
    row = told(total, first, done, commit)
    print(row)
    for seed, how in sorted(total.broken.items(), key=lambda one: int(one[0])):
        print(f"seed {seed}: {how}")
    if not asked.no_row and total.seeds:
        append(row)
    return 1 if total.broken else 0


def run(first: int, end: int, commit: str, processes: int) -> tuple[Sum, int]:
    """The sum of all chunks that are done, and where they end; a signal to stop only stops."""
    scratch = SCRATCH / f"{commit}-{first}.jsonl"
    scratch.parent.mkdir(parents=True, exist_ok=True)
    known = dict(kept(scratch))
    total, at = Sum(), first
    while at in known and at < end:
        total.merge(known[at])
        at += known[at].seeds
    if at > first:
        print(f"{at - first} schedules are done already")
    signal.signal(signal.SIGTERM, interrupted)
    bounds = [(start, min(start + CHUNK, end)) for start in range(at, end, CHUNK)]
    bar = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with suppress(KeyboardInterrupt), Progress(*bar) as progress, scratch.open("a") as file:
        task = progress.add_task("schedules", total=end - first, completed=at - first)
        for start, part in results(bounds, processes):
            file.write(json.dumps([start, vars(part)]) + "\n")
            file.flush()
            total.merge(part)
            at = start + part.seeds
            progress.update(task, completed=at - first, description=f"schedules, {len(total.broken)} broken")
    return total, at


def results(bounds: list[tuple[int, int]], processes: int) -> Iterator[tuple[int, Sum]]:
    """In order, so that what is done is always one stretch."""
    if processes == 1:
        yield from map(chunk, bounds)
        return
    with multiprocessing.get_context("fork").Pool(processes, initializer=deaf) as pool:
        yield from pool.imap(chunk, bounds)


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def deaf() -> None:
    """The parent stops its children."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def kept(scratch: Path) -> Iterator[tuple[int, Sum]]:
    if not scratch.exists():
        return
    for line in scratch.read_text().splitlines():
        with suppress(json.JSONDecodeError):  # the last one, torn
            start, fields = json.loads(line)
            yield start, Sum(**fields)


def head() -> str:
    """The commit that is played."""
    return git_head("relayers", "hybrid_bridge", "tests/simulation")


def git_head(*sources: str) -> str:
    """The commit, marked if what lies here of these sources is not what was committed."""

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()

    changed = git("status", "--porcelain", "--", *sources)
    return git("rev-parse", "--short=10", "HEAD") + ("+" if changed else "")


def told(total: Sum, first: int, end: int, commit: str) -> str:
    counts: Any = total.counts
    stuck = sum(how.startswith("L1") for how in total.broken.values())
    each = 1000 * total.seconds / max(1, total.seeds)
    cells = (
        f"{datetime.now(UTC):%Y-%m-%d}",
        f"`{commit}`",
        f"{first:,} – {end - 1:,}",
        f"{counts['ticks']:,}",
        f"{counts['crashes']:,}",
        f"{counts['fenced']:,}",
        f"{counts['reorgs']:,}",
        f"{counts['lies']:,}",
        f"{counts['anchors']:,}",
        f"{total.worst} of {BOUND}",
        f"{len(total.broken) - stuck}",
        f"{stuck}",
        f"{each:.1f} ms",
        f"{counts['rotations']:,}",
        f"{counts['pauses']:,}",
    )
    return "| " + " | ".join(cells) + " |"


def append(row: str) -> None:
    TABLE.write_text(TABLE.read_text(encoding="utf-8").rstrip("\n") + "\n" + row + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
