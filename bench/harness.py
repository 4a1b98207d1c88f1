"""Rounds, clocks and tables: contenders take turns, and only ratios within a round are shown."""

import gc
import importlib.metadata
import importlib.util
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

ROUNDS = 7
ROOT = Path(__file__).parents[1]
PEERS = ROOT / ".venv" / "bench-peers"


@dataclass(frozen=True)
class Contender:
    """One way to do the work. `run` does it `times` times; `note` says what differs, if something does."""

    name: str
    run: Callable[[], object]
    times: int = 1
    note: str = ""


@dataclass
class Comparison:
    """Ours, listed first, against others that do the same."""

    question: str
    unit: str
    contenders: Sequence[Contender]
    samples: dict[str, list[float]] = field(default_factory=dict)  # seconds a unit, one a round

    def measure(self, rounds: int = ROUNDS) -> None:
        self.samples = {one.name: [] for one in self.contenders}
        order = list(self.contenders)
        for number in range(rounds + 1):
            for one in order:
                taken = sample(one)
                if number:  # the first round fills caches
                    self.samples[one.name].append(taken)
            order.append(order.pop(0))

    def rows(self) -> list[str]:
        ours, *others = self.contenders
        mine = self.samples[ours.name]
        shown = [f"| {self.question} | {ours.name} | | {pretty(median(mine))} per {self.unit} |"]
        for other in others:
            theirs = self.samples[other.name]
            ratios = [b / a for a, b in zip(mine, theirs, strict=True)]
            spread = f"**{median(ratios):.2f}×** ({min(ratios):.2f} – {max(ratios):.2f})"
            name = f"{other.name} † {other.note}" if other.note else other.name
            shown.append(f"| | {name} | {spread} | {pretty(median(theirs))} per {self.unit} |")
        return shown


@dataclass
class Absent:
    """A peer that cannot be had here."""

    question: str
    reason: str

    def measure(self, rounds: int = ROUNDS) -> None:
        """Nothing to measure."""

    def rows(self) -> list[str]:
        return [f"| {self.question} | skipped: {self.reason} | | |"]


def sample(one: Contender) -> float:
    """CPU seconds of one unit."""
    gc.collect()
    gc.disable()
    try:
        begin = time.process_time()
        one.run()
        return (time.process_time() - begin) / one.times
    finally:
        gc.enable()


def same(*answers: object) -> None:
    """The contenders agree, or there is nothing to compare."""
    if any(answer != answers[0] for answer in answers):
        sys.exit(f"contenders disagree: {answers}")


def pretty(seconds: float) -> str:
    unit, factor = next((one for one in (("s", 1.0), ("ms", 1e3)) if seconds * one[1] >= 1), ("µs", 1e6))
    return f"{seconds * factor:.3g} {unit}"


def peer(name: str) -> bool:
    """Whether an optional package is here."""
    if str(PEERS) not in sys.path:
        sys.path.append(str(PEERS))
    return importlib.util.find_spec(name) is not None


def host(packages: Sequence[str]) -> list[str]:
    cpu = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.processor(),
    )
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return [
        f"- {cpu}, {os.cpu_count()} cores, load {load} at the end",
        f"- {platform.platform()}, Python {platform.python_version()}",
        f"- {versions}",
    ]


def version(name: str) -> str:
    found = list(importlib.metadata.distributions(name=name, path=[*sys.path, str(PEERS)]))
    return found[0].version if found else "not here"
