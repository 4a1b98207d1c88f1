"""What the endpoints said in one tick: how long they took, who contradicted the quorum, who lags behind. Pure.

Only contradiction is evidence. A late, silent or forgetful endpoint lied to nobody.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from functools import partial
from typing import Final, Generic, NamedTuple, Protocol, TypeVar, cast

from hybrid_bridge.errors import BridgeError, Unreachable
from hybrid_bridge.ports import PublicChain
from hybrid_bridge.units import PublicBlockHash, PublicBlockNumber

T = TypeVar("T")

MAX_DISSENTS: Final = 16  # kept of one tick: enough to show what is wrong
MAX_WORDS: Final = 400  # characters of an answer that are kept
PATIENCE: Final = 5.0  # seconds of one tick after which an endpoint is asked only where nobody else is left
BENCHED_FOR: Final = 600.0  # seconds, doubled each time
LONGEST_BENCH: Final = 86_400.0


class Call(NamedTuple):
    """One question to one endpoint. `method` is a name of the `PublicChain` port."""

    endpoint: str
    method: str
    seconds: float


class Heard(NamedTuple, Generic[T]):
    """What one endpoint said, or what it raised."""

    chain: PublicChain
    seconds: float
    value: T | None = None
    error: BridgeError | None = None

    def get(self) -> T:
        """The answer.

        Raises:
            BridgeError: it gave none.
        """
        if self.error is not None:
            raise self.error
        return cast(T, self.value)


class Asking(Protocol):
    """Who carries a question to several endpoints, in turn or at once."""

    def __call__(self, names: Sequence[str], works: Sequence[Callable[[], T]]) -> Sequence[T | None]:
        """What each work returns, in this order; None for one that was given up."""


def in_turn(names: Sequence[str], works: Sequence[Callable[[], T]]) -> Sequence[T | None]:
    """One after the other."""
    return [work() for _, work in zip(names, works, strict=True)]


@dataclass(frozen=True, slots=True)
class Dissent:
    """One endpoint against what a quorum said, or against a proof."""

    endpoint: str
    method: str
    wanted: str
    got: str
    block_hash: PublicBlockHash | None  # of the public block the question named


class Bench:
    """Endpoints whose word is not asked for a while: ten minutes, doubled with each lie up to a day.

    Lives as long as the process: a restart asks all again. After a day of truth the next lie costs ten minutes again.
    """

    def __init__(self) -> None:
        self._until: dict[str, float] = {}
        self._length: dict[str, float] = {}
        self._said: dict[str, tuple[str, str, str]] = {}

    def is_news(self, name: str, said: tuple[str, str, str]) -> bool:
        """Whether it said something else the last time. One that repeats itself in every tick fills no journal."""
        before, self._said[name] = self._said.get(name), said
        return said != before

    def put(self, name: str, now: float) -> None:
        """From now on. One that sits there already stays as long as it was told."""
        if self.left(name, now):
            return
        is_fresh = now - self._until.get(name, now) > LONGEST_BENCH
        before = 0.0 if is_fresh else self._length.get(name, 0.0)
        self._length[name] = min(LONGEST_BENCH, max(BENCHED_FOR, 2 * before))
        self._until[name] = now + self._length[name]

    def length(self, name: str) -> float:
        """Seconds of its newest bench."""
        return self._length.get(name, 0.0)

    def left(self, name: str, now: float) -> float:
        """Seconds until it is asked again; 0 if it is asked now."""
        return max(0.0, self._until.get(name, now) - now)

    def __contains__(self, name: str) -> bool:
        """Whether it ever sat there."""
        return name in self._until


@dataclass(slots=True)
class Hearing:
    """One tick's. `monotonic` is a clock that only rises."""

    monotonic: Callable[[], float]
    bench: Bench = field(default_factory=Bench)
    asking: Asking = in_turn
    calls: list[Call] = field(default_factory=list)
    dissents: list[Dissent] = field(default_factory=list)
    lags: dict[str, int] = field(default_factory=dict)  # public blocks behind the pinned one
    _spent: dict[str, float] = field(default_factory=dict)

    def hear(self, chains: Sequence[PublicChain], method: str, read: Callable[[PublicChain], T]) -> list[Heard[T]]:
        """The answer of each, or what it raised, in this order, whoever was first; timed either way."""
        begun = self.monotonic()
        works = [partial(_heard, self.monotonic, chain, read) for chain in chains]
        names = [chain.name for chain in chains]
        heard: list[Heard[T]] = []
        for chain, name, back in zip(chains, names, self.asking(names, works), strict=True):
            one = back or Heard(chain, self.monotonic() - begun, error=Unreachable(endpoint=name, call=method))
            self.calls.append(Call(name, method, one.seconds))
            self._spent[name] = self._spent.get(name, 0.0) + one.seconds
            heard.append(one)
        return heard

    def in_order(self, endpoints: Iterable[PublicChain]) -> list[PublicChain]:
        """Those to ask now: quick ones first, benched ones not at all. One slow endpoint holds a tick up only once."""
        present = [chain for chain in endpoints if not self.sits(chain)]
        return sorted(present, key=lambda chain: int(self._spent.get(chain.name, 0.0)))

    def is_slow(self, chain: PublicChain) -> bool:
        """Its patience is used up for this tick."""
        return self._spent.get(chain.name, 0.0) >= PATIENCE

    def sits(self, chain: PublicChain) -> bool:
        """It is on the bench."""
        return chain.name in self.bench and self.bench.left(chain.name, self.monotonic()) > 0

    def seconds_benched(self, chain: PublicChain) -> int:
        """For how long in all: a note that changed with each tick would be a line of the log in each."""
        return int(self.bench.length(chain.name))

    def strayed(self, name: str, method: str, said: tuple[str, str]) -> None:
        """What honest servers do too: evidence once, and no bench."""
        if self.bench.is_news(name, (method, *said)):
            self._keep(name, method, said, None)

    def lied(self, name: str, method: str, said: tuple[str, str], about: PublicBlockHash | None) -> None:
        """Evidence, and the bench. `said`: what was wanted, what it said instead."""
        self._keep(name, method, said, about)
        self.bench.put(name, self.monotonic())

    def _keep(self, name: str, method: str, said: tuple[str, str], about: PublicBlockHash | None) -> None:
        if len(self.dissents) < MAX_DISSENTS:
            wanted, got = said
            self.dissents.append(Dissent(name, method, wanted[:MAX_WORDS], got[:MAX_WORDS], about))

    def reached(self, name: str, number: PublicBlockNumber, pinned: PublicBlockNumber) -> None:
        """How far it lags behind the pinned public block."""
        self.lags[name] = max(0, pinned - number)


def _heard(monotonic: Callable[[], float], chain: PublicChain, read: Callable[[PublicChain], T]) -> Heard[T]:
    begun = monotonic()
    try:
        value = read(chain)
    except BridgeError as error:
        return Heard(chain, monotonic() - begun, error=error)
    return Heard(chain, monotonic() - begun, value)


def contradicts(got: object, agreed: object) -> bool:
    """Whether an answer beside the agreed one is a lie. Nothing, or a part of many, is mere lag."""
    if got is agreed or got is None or agreed is None or got == agreed:
        return False
    if is_dataclass(got) and type(got) is type(agreed):  # a server may lack a member of a receipt
        return any(contradicts(getattr(got, one.name), getattr(agreed, one.name)) for one in fields(got))
    if isinstance(got, tuple) and isinstance(agreed, tuple):
        return any(item not in agreed for item in got)
    return True


def shown(answer: object) -> str:
    """An answer as evidence: bytes in hex."""
    if isinstance(answer, bytes):
        return "0x" + answer.hex()
    if isinstance(answer, tuple | list):
        return "(" + ", ".join(shown(item) for item in answer) + ")"
    if is_dataclass(answer):
        return ", ".join(f"{one.name} {shown(getattr(answer, one.name))}" for one in fields(answer))
    return str(answer)
