"""The registry of every epoch in memory: the fake of a `RegistryStore`, as strict as the real ones."""

from hybrid_bridge.core.prefix_tree import PrefixTree
from hybrid_bridge.errors import NotYet, StoreBroken
from hybrid_bridge.units import EpochNumber


class MemoryRegistry:
    """Trees in a list. They share what they have in common."""

    def __init__(self) -> None:
        self._trees: list[PrefixTree] = []

    def newest(self) -> EpochNumber | None:
        """The newest epoch kept."""
        return EpochNumber(len(self._trees) - 1) if self._trees else None

    def at(self, epoch: EpochNumber) -> PrefixTree:
        """The registry after `epoch`."""
        if epoch >= len(self._trees):
            raise NotYet(what=f"the registry of epoch {epoch}")
        return self._trees[epoch]

    def keep(self, epoch: EpochNumber, tree: PrefixTree) -> None:
        """Replaces what stood at this epoch and after it."""
        if epoch > len(self._trees):
            raise StoreBroken(store="registry", rule=f"epoch {len(self._trees)} before epoch {epoch}")
        self._trees[epoch:] = [tree]
