"""One consortium for all schedules: its signatures and paths are made once; each schedule has its own size of it.

In one history of it the validators stay; in the other sets come and go. Leaves, and therefore roots, are the same.
"""

from collections.abc import Sequence
from functools import cache
from random import Random

from hybrid_bridge.core.attestation import Checkpoint
from hybrid_bridge.core.power import SignedPower
from hybrid_bridge.errors import NotYet, Unreachable
from hybrid_bridge.ports import ConsortiumMember
from hybrid_bridge.testing.memory_members import MemoryConsortium, address
from hybrid_bridge.units import ChainId, Digest, EcdsaSignature, Seconds, TreeSize, UnixSeconds
from relayers.appointing import appointment
from relayers.journal import Scope
from relayers.log import Log, SetPeriod
from relayers.views import Appointment, ChainView, LogClock

CADENCE = Seconds(12)
GENESIS = UnixSeconds(1_700_000_000)
GRACE = Seconds(3600)
VALIDATORS = 4
LARGEST = 512
ROTATES_AT = (TreeSize(5), TreeSize(12))
CHAIN = ChainId(1337)
CONTRACT = address("the contract")
APPOINTED: dict[tuple[object, ...], Appointment | None] = {}


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
def history(*, rotates: bool) -> tuple[MemoryConsortium, tuple[tuple[SignedPower, ...], ...]]:
    """All epochs, and each set's update with all its signatures."""
    if not rotates:
        return whole(), ()
    made, updates = MemoryConsortium(VALIDATORS, GENESIS, CADENCE), []
    made.tree = whole().tree
    for from_size in ROTATES_AT:
        made.exchange("newcomer", from_size)
        updates.append(tuple(made.appointed(CHAIN, CONTRACT, range(VALIDATORS + 1))))
    return made, tuple(updates)


@cache
def _attestation(index: int, size: TreeSize, rotates: bool) -> tuple[Digest, EcdsaSignature]:
    made, _ = history(rotates=rotates)
    checkpoint: Checkpoint = made.checkpoint(size, root(size))
    return checkpoint.root, made.sign(index, checkpoint)


@cache
def _path(old: TreeSize, new: TreeSize) -> tuple[Digest, ...]:
    return tuple(whole().tree.consistency_path(old, new))


@cache
def log(*, rotates: bool = False) -> Log:
    clock = LogClock(genesis_time=GENESIS, cadence=CADENCE, grace=GRACE)
    return Log(whole().log_id, clock, tuple(SetPeriod(*each) for each in history(rotates=rotates)[0].sets))


class SharedConsortium:
    """The first `size` leaves of the whole."""

    def __init__(self, *, rotates: bool = False) -> None:
        self.size, self.rotates = TreeSize(1), rotates
        made, self._updates = history(rotates=rotates)
        self.members = tuple(SharedMember(self, index) for index in range(len(made.members)))
        self.log = log(rotates=rotates)
        self.offered: list[SignedPower] = []  # signed set updates, as all operators hold them

    def offer(self, share: float, random: Random) -> None:
        """Some of the signatures on set updates arrive; 1 = all."""
        missing = [one for update in self._updates for one in update if one not in self.offered]
        self.offered += [one for one in missing if share >= 1 or random.random() < share]

    def appointed(self, scope: Scope, chain: ChainView) -> Appointment | None:
        """As `appointment`, remembered: all handovers are near, so that the time of a public block decides nothing."""
        if not self.rotates:
            return None
        head, offered = chain.head, tuple(id(one) for one in self.offered)  # those of `history`, which stay
        key = (scope, head.set_id, head.state, head.next_from_size, head.tree_size, offered)
        if key not in APPOINTED:
            APPOINTED[key] = appointment(self.log, scope, chain, self.offered)
        return APPOINTED[key]

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
            before = TreeSize(max(2, size - 1))
            return root(before), _attestation(self.index, before, self.consortium.rotates)[1]
        if not 2 <= size <= self.newest_size():
            raise NotYet(what=f"an attestation for size {size}")
        return _attestation(self.index, size, self.consortium.rotates)

    def consistency_path(self, old: TreeSize, new: TreeSize) -> Sequence[Digest]:
        self._require_up("consistency_path")
        if not 1 <= old <= new <= self.consortium.size:
            raise NotYet(what=f"a path from {old} to {new}")
        return _path(old, new)[::-1] if self.is_false else _path(old, new)

    def _require_up(self, call: str) -> None:
        if self.is_silent:
            raise Unreachable(endpoint=self.name, call=call)


_conforms: type[ConsortiumMember] = SharedMember
