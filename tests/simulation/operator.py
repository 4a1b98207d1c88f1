"""One operator of a simulated world: a gas key, three endpoints, what is on the disk, and processes that come and go."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from hybrid_bridge.adapters.evm.calls import rotate_calldata
from hybrid_bridge.errors import Broken, LeaseLost
from hybrid_bridge.ports import UnsignedTransaction
from hybrid_bridge.testing.crashing import Killed, methods_of
from hybrid_bridge.units import Gas, PublicBlockNumber, RawTransaction, Seconds, UnixSeconds, Wei
from relayers.collect import Collector
from relayers.journal import Journal, JournalReader, Scope
from relayers.observe import Observer
from relayers.relay import Relayer, Tick, tick
from relayers.views import FeePolicy, Policy, TurnPolicy
from tests.simulation import oracle
from tests.simulation.consortium import CHAIN, CONTRACT, whole
from tests.simulation.endpoints import DEPTH, Endpoint
from tests.simulation.fast import calldata_once
from tests.simulation.memory_journal import MemoryJournal, MemoryStore, lift_halt
from tests.simulation.network import FIRST_HASH
from tests.simulation.signer import Signer

if TYPE_CHECKING:
    from tests.simulation.world import World

WRITES = methods_of(Journal) - methods_of(JournalReader)
GWEI = 10**9
ETHER = 10**18
QUORUM = 2
FEES = FeePolicy(
    max_fee=Wei(100 * GWEI),
    tip=Wei(GWEI),
    max_cost_per_anchor=Wei(ETHER // 10),
    daily_budget=Wei(100 * ETHER),
    max_gas=Gas(1_500_000),
    usual_gas=Gas(100_000),
    bump_blocks=10,
)
TURNS = TurnPolicy(operators=1, my_index=0, grace_blocks=2, anchor_every=1, delay=Seconds(0))


@dataclass(frozen=True)
class Interruption:
    """Something happens before or after the `number`-th effect of a tick."""

    number: int
    when: str
    act: Callable[[], None]


@dataclass
class Process:
    """One process: its hold on the journal, and what it keeps in memory while it lives."""

    operator: "Operator"
    journal: MemoryJournal
    plan: tuple[Interruption, ...] = ()
    seen: list[str] = field(default_factory=list)
    on_read: Callable[[], None] | None = None
    doors: "tuple[EndpointDoor, ...]" = ()
    relayer: Relayer = field(init=False)

    def __post_init__(self) -> None:
        operator, consortium = self.operator, self.operator.world.consortium
        self.doors = tuple(EndpointDoor(self, endpoint) for endpoint in operator.endpoints)
        self.relayer = Relayer(
            scope=operator.scope,
            log=consortium.log,
            policy=Policy(clock=consortium.log.clock, fees=operator.fees, turns=operator.turns),
            journal=JournalDoor(self),  # type: ignore[arg-type]
            observer=Observer(operator.scope, self.doors, QUORUM, None, PublicBlockNumber(0)),  # type: ignore[arg-type]
            collector=Collector(
                consortium.log,
                consortium.members,  # type: ignore[arg-type]
                Seconds(0),
                operator.turns.anchor_every,
                partial(consortium.appointed, operator.scope),
            ),
            signer=SignerDoor(self),
            encode_anchor=calldata_once,
            encode_rotation=rotate_calldata,
            clock=operator,
        )

    def glance(self, on_read: Callable[[], None] | None) -> None:
        """From now on this happens before each read."""
        self.on_read = on_read
        for door in self.doors:
            door.forget()

    def effect(self, name: str, call: Callable[[], Any]) -> Any:
        """Make the call; what the plan wants to happen around it happens around it."""
        number = len(self.seen)
        self.seen.append(name)
        for interruption in self.plan:
            if interruption.number == number and interruption.when == "before":
                self.operator.is_interrupted = True
                interruption.act()
        result = call()
        for interruption in self.plan:
            if interruption.number == number and interruption.when == "after":
                self.operator.is_interrupted = True
                interruption.act()
        return result


class JournalDoor:
    """Between a process and its journal: each write is an effect, and judged when it is done."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def __getattr__(self, name: str) -> Any:
        process, member = self._process, getattr(self._process.journal, name)
        if name not in WRITES:
            if callable(member):
                self.__dict__[name] = member
            return member

        def write(*arguments: Any) -> None:
            def commit() -> None:
                member(*arguments)
                oracle.wrote(process, name, arguments)

            process.effect(name, commit)

        self.__dict__[name] = write
        return write


class EndpointDoor:
    """Between a process and an endpoint: what leaves is judged before it leaves.

    Reads are most of what a schedule costs, so one is looked up once and then goes straight to the endpoint.
    """

    def __init__(self, process: Process, endpoint: Endpoint) -> None:
        self._process, self._endpoint, self.name = process, endpoint, endpoint.name

    def __getattr__(self, name: str) -> Any:
        member, on_read = getattr(self._endpoint, name), self._process.on_read
        if not callable(member):
            return member
        if on_read is None:
            self.__dict__[name] = member
            return member

        def read(*arguments: Any) -> Any:
            on_read()
            return member(*arguments)

        return read

    def forget(self) -> None:
        """Look each read up anew."""
        self.__dict__ = {"_process": self._process, "_endpoint": self._endpoint, "name": self.name}

    def broadcast(self, raw: RawTransaction) -> Any:
        def send() -> Any:
            oracle.left(self._process.operator, raw)
            return self._endpoint.broadcast(raw)

        return self._process.effect("broadcast", send)


class SignerDoor:
    """Between a process and its key."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def address(self) -> Any:
        return self._process.operator.signer.address()

    def sign(self, transaction: UnsignedTransaction) -> RawTransaction:
        operator = self._process.operator
        oracle.asked(operator, transaction)
        answer: RawTransaction = self._process.effect("sign", lambda: operator.signer.sign(transaction))
        return answer


class Operator:
    """What survives a process, and the process of the moment."""

    def __init__(
        self, world: "World", index: int, turns: TurnPolicy = TURNS, fees: FeePolicy = FEES, *, keeps: int = 128
    ) -> None:
        self.world, self.index, self.turns, self.fees = world, index, replace(turns, my_index=index), fees
        self.name = f"operator {index}"
        self.signer = Signer(self.name, world.random)
        self.scope = Scope(
            chain_id=CHAIN,
            genesis_hash=FIRST_HASH,
            contract=CONTRACT,
            log_id=whole().log_id,
            signer=self.signer.address(),
        )
        self.endpoints = [Endpoint(world.network, name, keeps) for name in ("own", "b", "c")]
        self.store = MemoryStore(self.scope)
        self.process: Process | None = None
        self.skew = 0
        self.wallet_used = self.is_interrupted = False
        self.deaths = self.fenced = self.ticks = 0
        world.network.fund(self.scope.signer, Wei(50 * ETHER))

    def now(self) -> UnixSeconds:
        """This operator's clock, which may be wrong."""
        return UnixSeconds(self.world.network.newest.block.time + self.skew)

    def start(self) -> Process:
        """A new process takes the journal; one that still runs finds that out."""
        self.process = Process(self, MemoryJournal(self.store, self.name, self.now()))
        return self.process

    def tick(self, *plan: Interruption) -> Tick | None:
        """One tick of the process of the moment; None if it ended in it."""
        process = self.process or self.start()
        process.plan, process.seen, self.is_interrupted = plan, [], False
        self.ticks += 1
        try:
            report = tick(process.relayer)
        except Killed:
            self._end(process)
            self.deaths += 1
            return None
        except LeaseLost:
            oracle.require(process is not self.process, "S6", "the holder of the lease was refused")
            self.fenced += 1
            return None
        except Broken as error:
            raise oracle.Violation(promise="broken", detail=error) from error
        finally:
            process.plan = ()
        if process is self.process:  # else it lost the lease after its last write
            oracle.ticked(self, report)
        return report

    def read_evidence(self) -> None:
        """A person looks at a halt that the world brought about, and lets the plan go on."""
        reasons = {"signer_lied", "key_elsewhere"}
        if self.endpoints[0].keeps < DEPTH and self.world.network.was_braked:
            reasons.add("reverts_repeated")  # that the log was paused is forgotten there
        if self.store.control.halted in reasons:
            lift_halt(self.store, self.now())

    def _end(self, process: Process) -> None:
        if self.process is process:
            self.process = None
