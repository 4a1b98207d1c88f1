"""One consortium for all schedules: its signatures and paths are made once; each schedule has its own size of it."""

from collections.abc import Sequence
from functools import cache

from hybrid_bridge.core.attestation import Checkpoint
from hybrid_bridge.errors import NotYet, Unreachable
from hybrid_bridge.ports import ConsortiumMember
from hybrid_bridge.testing.memory_members import MemoryConsortium
from hybrid_bridge.units import Digest, EcdsaSignature, Seconds, TreeSize, UnixSeconds
from relayers.log import Log, SetPeriod
from relayers.views import LogClock

CADENCE = Seconds(12)
GENESIS = UnixSeconds(1_700_000_000)
GRACE = Seconds(3600)
VALIDATORS = 4
LARGEST = 512


@cache
def whole() -> MemoryConsortium:
    """All epochs that any schedule may close."""
    made = MemoryConsortium(VALIDATORS, GENESIS, CADENCE)
    while made.size < LARGEST:
        made.close_epoch()
    return made


@cache
def root(size: TreeSize) -> Digest:
    return whole().tree.root(size)


@cache
def _attestation(index: int, size: TreeSize) -> tuple[Digest, EcdsaSignature]:
    checkpoint: Checkpoint = whole().checkpoint(size, root(size))
    return checkpoint.root, whole().sign(index, checkpoint)


@cache
def _path(old: TreeSize, new: TreeSize) -> tuple[Digest, ...]:
    return tuple(whole().tree.consistency_path(old, new))


@cache
def log() -> Log:
    clock = LogClock(genesis_time=GENESIS, cadence=CADENCE, grace=GRACE)
    return Log(whole().log_id, clock, (SetPeriod(TreeSize(1), whole().validators),))


class SharedConsortium:
    """The first `size` leaves of the whole."""

    def __init__(self) -> None:
        self.size = TreeSize(1)
        self.members = tuple(SharedMember(self, index) for index in range(VALIDATORS))

    def close_epoch(self) -> None:
        self.size = TreeSize(min(LARGEST, self.size + 1))


class SharedMember:
    """Silent, behind, or false: a false one answers with another's signature and crooked paths."""

    def __init__(self, consortium: SharedConsortium, index: int) -> None:
        self.consortium, self.index = consortium, index
        self.is_silent = self.is_false = False
        self.behind = 0

    @property
    def name(self) -> str:
        return f"member {self.index}"

    def newest_size(self) -> TreeSize:
        self._require_up("newest_size")
        return TreeSize(LARGEST if self.is_false else max(1, self.consortium.size - self.behind))

    def attestation(self, size: TreeSize) -> tuple[Digest, EcdsaSignature]:
        self._require_up("attestation")
        if self.is_false:
            return root(TreeSize(max(2, size - 1))), _attestation(self.index, TreeSize(max(2, size - 1)))[1]
        if not 2 <= size <= self.newest_size():
            raise NotYet(what=f"an attestation for size {size}")
        return _attestation(self.index, size)

    def consistency_path(self, old: TreeSize, new: TreeSize) -> Sequence[Digest]:
        self._require_up("consistency_path")
        if not 1 <= old <= new <= self.consortium.size:
            raise NotYet(what=f"a path from {old} to {new}")
        return _path(old, new)[::-1] if self.is_false else _path(old, new)

    def _require_up(self, call: str) -> None:
        if self.is_silent:
            raise Unreachable(endpoint=self.name, call=call)


_conforms: type[ConsortiumMember] = SharedMember
