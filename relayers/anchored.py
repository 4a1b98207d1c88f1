"""When an epoch counts as anchored, if a log has several public chains: so many of them must have it final. Pure.

Nothing else is ever decided across chains: each has its own journal, its own gas money and its own head.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from hybrid_bridge.units import TreeSize

BIRTH = TreeSize(1)  # size 1 is the log's registration


@dataclass(frozen=True, slots=True)
class Verdict:
    """How far a log is anchored. `when` is the operator's word: 1 for any chain, the number of chains for all."""

    when: int
    finals: Mapping[str, TreeSize]  # the largest final size on each chain, by its name

    @property
    def size(self) -> TreeSize:
        """The largest size that so many chains have final: the `when`-th largest of theirs."""
        return sorted(self.finals.values(), reverse=True)[self.when - 1]

    def chains_with(self, size: TreeSize) -> tuple[str, ...]:
        """Those whose final head covers this size."""
        return tuple(name for name, final in self.finals.items() if final >= size)

    def holds(self, size: TreeSize) -> bool:
        """Whether this size is anchored."""
        return self.size >= size

    @property
    def words(self) -> str:
        """For people."""
        each = ", ".join(f"{name} {final}" for name, final in self.finals.items())
        return f"size {self.size} is final on {self.when} of {len(self.finals)} chains ({each})"
