"""One seed, one schedule: what goes wrong, when, and what must be true afterwards.

A seed first draws which kinds of fault there are at all, so that some schedules are calm but for one thing; then it
draws steps. After the last step the faults stop, and all must settle within a bound.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from hybrid_bridge.testing.crashing import Killed
from hybrid_bridge.units import Wei
from relayers.journal import Brake, IntentRow
from relayers.turns import first_of_round
from relayers.views import Send
from tests.simulation import oracle
from tests.simulation.endpoints import DEPTH, LIES
from tests.simulation.fast import remembered
from tests.simulation.memory_journal import dump_of, order
from tests.simulation.operator import ETHER, FEES, GWEI, TURNS, Interruption, Operator
from tests.simulation.world import World

BOUND = 2 * DEPTH + 10  # rounds within which all must settle
PATIENCE = 60  # rounds after which what has not settled is stuck
HOUR = 3_600


@dataclass
class Result:
    """What a schedule was, and how it ended."""

    seed: int
    ticks: int = 0
    crashes: int = 0
    fenced: int = 0
    reorgs: int = 0
    lies: int = 0
    anchors: int = 0
    rotations: int = 0
    pauses: int = 0  # of the contract
    rounds: int = 0  # until all had settled
    violation: str = ""

    @property
    def is_stuck(self) -> bool:
        return self.violation.startswith("L1")


def play(seed: int) -> Result:
    """The schedule of this seed. The same seed twice gives the same result."""
    with remembered():
        schedule = Schedule(seed)
        try:
            schedule.run()
        except oracle.Violation as violation:
            schedule.result.violation = str(violation)
        return schedule.told()


class Schedule:
    """Draws steps and takes them."""

    def __init__(self, seed: int) -> None:
        draw = Random(seed)
        self.result = Result(seed)
        rotates = draw.random() < 0.4
        self.world = World(draw.getrandbits(64), age=draw.choice((60, 100, 280)), rotates=rotates)
        self.random = draw
        self._found(draw)
        self.kinds = [kind for kind in FAULTS if draw.random() < 0.5]
        self.deadly = draw.choice((0.0, 0.1, 0.4))  # share of ordinary ticks that end in the middle
        self.length = draw.randrange(15, 70)

    def _found(self, draw: Random) -> None:
        """The operators of this world."""
        number = draw.choice((1, 1, 2, 2, 3))
        every = draw.choice((1, 1, 2, 4))
        turns = replace(TURNS, operators=number, anchor_every=every)
        self.is_pruned = draw.random() < 0.3
        fees = replace(
            FEES,
            max_fee=Wei(draw.choice((12, 40, 100)) * GWEI),
            bump_blocks=draw.choice((2, 5, 10)),
            daily_budget=Wei(draw.choice((ETHER // 20, 100 * ETHER))),
        )
        for _ in range(number):
            self.world.operator(turns, fees, keeps=3 if self.is_pruned else 128)
        if draw.random() < 0.1:
            self.world.operator(turns, fees)  # an outsider, who is on no list
        for operator in self.world.operators:
            left = draw.choice((50 * ETHER, 50 * ETHER, fees.reserve + ETHER // 500, fees.reserve))
            self.world.network.fund(operator.scope.signer, Wei(left))
        self.every = every

    # ── the run ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def run(self) -> None:
        self.world.network.mine()
        for _ in range(self.length):
            kind = self.random.choice(ORDINARY) if self.random.random() < 0.55 or not self.kinds else None
            step = STEPS[kind or self.random.choice(self.kinds)]
            step(self, self.random.choice(self.world.operators))
        self.end()

    def end(self) -> None:
        """The faults stop; all must settle, and what stands is what the journals say."""
        self._heal()
        self._settle()
        for operator in self.world.operators:
            oracle.ended(operator)

    def _heal(self) -> None:
        world = self.world
        world.heal()
        for operator in world.operators:
            halted = operator.store.control.halted
            oracle.require(halted is None, "halted", halted)
        world.consortium.close_epoch()
        if world.operators[0].fees.daily_budget < ETHER:
            world.network.interval = 24 * HOUR
            world.network.mine()
            world.network.interval = 12

    def _settle(self) -> None:
        """L1 and L2. Whoever was cut off sees what became final since in its next tick, so there is one."""
        while self.result.rounds < 1 or not self.is_settled():
            oracle.require(self.result.rounds < PATIENCE, "L1", "stuck")
            self.world.round(Operator.read_evidence)
            self.result.rounds += 1
        oracle.require(self.result.rounds <= BOUND, "L1", f"settled after {self.result.rounds} rounds")

    def is_settled(self) -> bool:
        wanted = max(1, first_of_round(self.world.consortium.size, self.every))
        log = self.world.network.log
        if not log.next_from_size and log.set_id < len(self.world.consortium.log.periods):
            return False  # the next set update is signed by all, so it is due
        for operator in self.world.operators:
            store = operator.store
            if self._owed(operator) or len(store.open_attempts) > 1 or max(store.anchored_sizes, default=1) < wanted:
                return False
        return True

    def _owed(self, operator: Operator) -> list[IntentRow]:
        """Its open duties, but for one that nothing can settle yet.

        Where the final state is forgotten, another operator's set update shows by the first final anchor of that set.
        """
        store = operator.store
        shown = store.anchors[store.anchored_sizes[-1]].set_id if store.anchored_sizes else 1
        duties = [store.intents[number] for number in store.open_intents]
        return [duty for duty in duties if not self.is_pruned or duty.set_id is None or duty.set_id <= shown]

    def told(self) -> Result:
        result, operators = self.result, self.world.operators
        result.ticks = sum(operator.ticks for operator in operators)
        result.crashes = sum(operator.deaths for operator in operators)
        result.fenced = sum(operator.fenced for operator in operators)
        result.anchors = len(self.world.network.events())
        log = self.world.network.log
        result.rotations = log.set_id - 1 + (log.next_from_size != 0)
        return result

    # ── steps ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def epoch(self, _: Operator) -> None:
        self.world.consortium.close_epoch()

    def mine(self, _: Operator) -> None:
        for _ in range(self.random.choice((1, 1, 2, 5))):
            self.world.network.mine_some(self.random)

    def tick(self, operator: Operator) -> None:
        if self.random.random() < self.deadly:
            self.crash(operator)
        else:
            operator.tick()

    def tick_twice(self, operator: Operator) -> None:
        """S9: the second tick on the same observation writes nothing but the history of sends."""
        report = operator.tick()
        if report is None or report.reason in oracle.UNFINISHED or ":" in report.reason:
            return
        before = dump_of(operator.store)
        again = operator.tick()
        if again is not None:
            oracle.require(all(isinstance(deed, Send) for deed in again.deeds), "S9", again.done)
            oracle.require(replace(dump_of(operator.store), sends=before.sends) == before, "S9", "rows changed")

    def interrupt(self, operator: Operator) -> None:
        """Something happens between two effects of a tick."""
        act = self.random.choice(BETWEEN)
        operator.tick(Interruption(*self._when(), lambda: act(self, operator)))

    def _when(self) -> tuple[int, str]:
        """Some effect of a tick; most ticks have few."""
        return int(self.random.expovariate(0.3)), self.random.choice(("before", "after"))

    def crash(self, operator: Operator) -> None:
        operator.tick(Interruption(*self._when(), _die))

    def glance(self, operator: Operator) -> None:
        """Another history appears between two reads of an observation."""
        process, left = operator.process or operator.start(), self.random.randrange(90)

        def on_read() -> None:
            nonlocal left
            left -= 1
            if left == 0:
                self.reorganise(operator)

        process.glance(on_read)
        operator.tick()
        process.glance(None)

    def crash_on_crash(self, operator: Operator) -> None:
        self.crash(operator)
        self.crash(operator)

    def take_over(self, operator: Operator) -> None:
        """A second process takes the key between two effects of the first, which wakes and goes on."""

        def other() -> None:
            held = operator.process
            operator.start()
            operator.tick()
            assert held is not operator.process

        operator.tick(Interruption(*self._when(), other))

    def evict(self, _: Operator) -> None:
        self.world.network.evict_some(self.random)

    def reorganise(self, _: Operator) -> None:
        network = self.world.network
        depth = min(self.random.randint(1, DEPTH), len(network.blocks) - 2)
        if depth >= 1:
            network.exchange(depth, self.random, forget=self.random.random() < 0.5)
            self.result.reorgs += 1

    def endpoint(self, operator: Operator) -> None:
        """One endpoint changes; at most one of three lies."""
        one = self.random.choice(operator.endpoints)
        state = self.random.choice(("honest", "dead", "stuck", self.random.choice(LIES)))
        if state in LIES:
            for other in operator.endpoints:
                if other.is_lying:
                    other.become("honest")
            self.result.lies += 1
        one.become(state)

    def member(self, _: Operator) -> None:
        one = self.random.choice(self.world.consortium.members)
        one.is_silent, one.is_false = self.random.choice(((False, False), (True, False), (False, True)))
        one.behind = self.random.choice((0, 0, 1, 3))
        if one.is_false:
            for other in self.world.consortium.members:
                other.is_false = other is one

    def fees(self, _: Operator) -> None:
        self.world.network.base_fee = Wei(self.random.choice((1, 1, 2, 8, 15, 40)) * GWEI)

    def key(self, operator: Operator) -> None:
        operator.signer.state = self.random.choice(
            ("prompt", "prompt", "late", "late", "other transaction", "stranger")
        )

    def clock(self, operator: Operator) -> None:
        operator.skew = self.random.choice((0, HOUR, -HOUR, 25 * HOUR))

    def order(self, operator: Operator) -> None:
        order(operator.store, self.random.choice((Brake.RUN, Brake.RUN, *Brake)), operator.now())
        operator.read_evidence()

    def updates(self, _: Operator) -> None:
        """Signatures on set updates arrive at the operators, not all at once."""
        self.world.consortium.offer(self.random.choice((0.3, 1)), self.random)

    def brake(self, _: Operator) -> None:
        """The contract's: a guardian pauses the log for a while, or validators resume it."""
        paused = self.random.choice((0, 1, 3, 10))
        self.world.network.brake(paused)
        self.result.pauses += paused > 0

    def wallet(self, operator: Operator) -> None:
        """Another wallet uses the key. On pruned nodes that is seen late, so it is left out there."""
        if not self.is_pruned:
            self.world.use_nonce(operator)

    def top_up(self, operator: Operator) -> None:
        """A little more money, for good: what an endpoint that lags shows, or a reorganisation leaves, is never less."""
        network, signer = self.world.network, operator.scope.signer
        network.fund(signer, Wei(network.newest.balances[signer] + ETHER // 500))
        network.mine(DEPTH, only=())

    def restart(self, operator: Operator) -> None:
        operator.process = None


def _die() -> None:
    raise Killed


def _kill(_: Schedule, __: Operator) -> None:
    _die()


Step = Callable[[Schedule, Operator], None]
STEPS: dict[str, Step] = {
    name: getattr(Schedule, name)
    for name in [
        "epoch",
        "mine",
        "tick",
        "tick_twice",
        "interrupt",
        "glance",
        "crash",
        "crash_on_crash",
        "take_over",
        "evict",
        "reorganise",
        "endpoint",
        "member",
        "fees",
        "key",
        "clock",
        "order",
        "updates",
        "brake",
        "wallet",
        "top_up",
        "restart",
    ]
}
ORDINARY = ("tick", "tick", "tick", "mine", "mine", "epoch", "tick_twice")
FAULTS = tuple(name for name in STEPS if name not in ORDINARY)
BETWEEN: tuple[Step, ...] = (
    Schedule.mine,
    Schedule.reorganise,
    Schedule.evict,
    Schedule.order,
    Schedule.epoch,
    Schedule.endpoint,
    Schedule.wallet,
    Schedule.brake,
    Schedule.updates,
)
