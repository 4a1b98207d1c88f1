"""When the sequencer makes a block: whenever something waits, or exactly one in each slot of the clock (SPEC §9.6).

An epoch record shows how many blocks its epoch has. One for each slot, empty if need be, makes that number the same for
idle and busy epochs. What waits gets its block at once if its slot has none yet, else in the next slot. Pure.
"""

from dataclasses import dataclass

from hybrid_bridge.core.epoch import closed_at, epoch_of
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.errors import SettingsMalformed
from hybrid_bridge.units import EpochNumber, Seconds, UnixSeconds


@dataclass(frozen=True, slots=True)
class Pace:
    """The clock of blocks. `slot` in whole seconds; 0: none.

    Raises:
        SettingsMalformed: slots do not fill an epoch.
    """

    genesis: Genesis
    slot: Seconds

    def __post_init__(self) -> None:
        if self.slot and self.genesis.cadence % self.slot:
            raise SettingsMalformed(key="block_every", rule=f"a divisor of the cadence {self.genesis.cadence}, or 0")

    def due(self, tip: UnixSeconds) -> UnixSeconds:
        """When the block after the one of time `tip` must stand although nothing waits.

        The first of an epoch at once, for it ends the epoch before; others in the last second of their slots.
        """
        if not self.slot:
            return self._end(tip)
        start = self._next(tip)
        return start if self._is_first(start) else UnixSeconds(start + self.slot - 1)

    def may(self, tip: UnixSeconds, now: float) -> bool:
        """Whether what waits may have a block now: its slot has none yet."""
        return not self.slot or now >= self._next(tip)

    def time(self, tip: UnixSeconds, now: UnixSeconds) -> UnixSeconds:
        """The time of the next block: now, or in the oldest slot that was missed; never below `tip`.

        Epochs that were missed whole stay without a block: they tell of an outage, and nothing of volume.
        """
        if not self.slot:
            return max(now, tip)
        start = self._next(tip)
        if epoch_of(self.genesis, start) not in (epoch_of(self.genesis, tip), epoch_of(self.genesis, max(now, tip))):
            start = closed_at(self.genesis, EpochNumber(epoch_of(self.genesis, now) - 1))
        return max(min(now, UnixSeconds(start + self.slot - 1)), tip)

    def _next(self, tip: UnixSeconds) -> UnixSeconds:
        """The start of the slot after that of `tip`."""
        since = tip - self.genesis.genesis_time
        return UnixSeconds(self.genesis.genesis_time + (since // self.slot + 1) * self.slot)

    def _is_first(self, start: UnixSeconds) -> bool:
        return (start - self.genesis.genesis_time) % self.genesis.cadence == 0

    def _end(self, tip: UnixSeconds) -> UnixSeconds:
        return closed_at(self.genesis, epoch_of(self.genesis, tip))
