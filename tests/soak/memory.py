"""Memory of processes, looked at from time to time: does it grow?"""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

EVERY = 2.0  # seconds
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass
class Memory:
    """Resident bytes of every process, by name and pid."""

    pids: Callable[[], Mapping[str, int]]
    seen: dict[tuple[str, int], list[tuple[float, int]]] = field(default_factory=dict)

    def run(self, enough: Event) -> None:
        """Until told."""
        while not enough.wait(EVERY):
            for name, pid in self.pids().items():
                try:
                    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
                except (OSError, IndexError):
                    continue  # it has just died
                if pages:  # it has none once it is dead and nobody has asked how
                    self.seen.setdefault((name, pid), []).append((time.monotonic(), pages * PAGE))

    def longest(self) -> dict[str, list[tuple[float, int]]]:
        """Of each name the process that lived longest; its second half, when caches are full."""
        found: dict[str, list[tuple[float, int]]] = {}
        for (name, _), samples in self.seen.items():
            if len(samples) > len(found.get(name, [])):
                found[name] = samples
        return {name: samples[len(samples) // 2 :] for name, samples in found.items()}


def slope(samples: list[tuple[float, int]]) -> float:
    """KiB a minute, by least squares."""
    if len(samples) < 3:
        return 0.0
    middle = sum(t for t, _ in samples) / len(samples)
    mean = sum(size for _, size in samples) / len(samples)
    spread = sum((t - middle) ** 2 for t, _ in samples)
    return sum((t - middle) * (size - mean) for t, size in samples) / spread * 60 / 1024
