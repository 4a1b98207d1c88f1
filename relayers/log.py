"""Which log a relayer serves: its clock and which validators are responsible for which size."""

from dataclasses import dataclass

from hybrid_bridge.core.attestation import Checkpoint, boundary
from hybrid_bridge.core.validators import ValidatorSet
from hybrid_bridge.errors import Missing
from hybrid_bridge.units import Digest, LogId, SetId, TreeSize, UnixSeconds
from relayers.views import LogClock


@dataclass(frozen=True, slots=True)
class SetPeriod:
    """From which size on a set is responsible (SPEC §8.1)."""

    from_size: TreeSize
    validators: ValidatorSet


@dataclass(frozen=True, slots=True)
class Log:
    """One consortium's log. `periods` ascend; the first begins at size 1."""

    log_id: LogId
    clock: LogClock
    periods: tuple[SetPeriod, ...]

    def responsible(self, size: TreeSize) -> ValidatorSet:
        """The set that signs checkpoints of this size.

        Raises:
            Missing: no set is known for it.
        """
        for period in reversed(self.periods):
            if period.from_size <= size:
                return period.validators
        raise Missing(what=f"the validator set for size {size}")

    def last_size(self, set_id: SetId) -> TreeSize | None:
        """The last size that this set signs; None while none comes after it."""
        after = (period.from_size for period in self.periods if period.validators.set_id == set_id + 1)
        return next((TreeSize(from_size - 1) for from_size in after), None)

    def checkpoint(self, size: TreeSize, root: Digest) -> Checkpoint:
        """What an honest validator signs for this size, if its root is `root`."""
        validators = self.responsible(size)
        return Checkpoint(
            log_id=self.log_id,
            tree_size=size,
            root=root,
            timestamp=self.boundary(size),
            set_id=validators.set_id,
            set_hash=validators.digest,
        )

    def boundary(self, size: TreeSize) -> UnixSeconds:
        """The time a checkpoint of this size carries."""
        return boundary(self.clock.genesis_time, self.clock.cadence, size)

    def size_due(self, moment: UnixSeconds) -> TreeSize:
        """The largest size whose boundary is not after `moment`; 0 before the first."""
        return TreeSize(max(0, (moment - self.clock.genesis_time) // self.clock.cadence + 1))
