"""Two operators in a hostile world: crashes, dropped transactions, shallow reorganisations, silence, dear gas.

Whatever the order: nothing is lost, nothing doubled, and when the faults stop, everything settles.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hybrid_bridge.core.public_transaction import decode_signed
from hybrid_bridge.testing.crashing import CrashPlan
from hybrid_bridge.testing.memory_chain import GWEI
from hybrid_bridge.units import Wei
from relayers.journal import IntentState
from tests.crash.relay_world import DEPTH, Operator, World

STEPS = ("epoch", "mine", "tick", "crash", "evict", "reorganise", "outage", "silence", "dear", "calm")


@dataclass(frozen=True)
class Step:
    kind: str
    operator: int
    number: int  # what it means depends on the kind


SCHEDULES = st.lists(
    st.builds(Step, st.sampled_from((*STEPS, "tick", "tick", "mine", "epoch")), st.integers(0, 1), st.integers(0, 7)),
    min_size=10,
    max_size=45,
)


def play(schedule: list[Step], folder: Path) -> list[Operator]:
    world = World()
    operators = [
        Operator(world, folder / f"{index}.db", name=f"operator {index}", index=index, operators=2) for index in (0, 1)
    ]
    world.network.mine()
    for step in schedule:
        ACTS[step.kind](operators[step.operator], step.number)
    return operators


def crash(operator: Operator, number: int) -> None:
    """The next tick dies before or after one of its first effects."""
    seen = len(operator.plan.seen)
    operator.plan.at[seen + number // 2] = ("before", "after")[number % 2]
    operator.tick()
    operator.plan.at.clear()


def reorganise(operator: Operator, number: int) -> None:
    network = operator.world.network
    depth = min(1 + number % (DEPTH - 1), len(network.blocks) - 2)
    if depth >= 1:
        network.reorganise(depth, forget=number % 2 == 0)


def outage(operator: Operator, _: int) -> None:
    operator.endpoint.is_down = not operator.endpoint.is_down


def silence(operator: Operator, number: int) -> None:
    member = operator.world.consortium.members[number % 4]
    member.is_silent = not member.is_silent


def base_fee(gwei: int) -> Callable[[Operator, int], None]:
    def change(operator: Operator, _: int) -> None:
        operator.world.network.base_fee = Wei(gwei * GWEI)

    return change


def mine(operator: Operator, number: int) -> None:
    operator.world.network.mine(1 + number // 3)


ACTS: dict[str, Callable[[Operator, int], object]] = {
    "epoch": lambda operator, _: operator.world.consortium.close_epoch(),
    "mine": mine,
    "tick": lambda operator, _: operator.tick(),
    "crash": crash,
    "evict": lambda operator, _: operator.world.network.evict(),
    "reorganise": reorganise,
    "outage": outage,
    "silence": silence,
    "dear": base_fee(30),
    "calm": base_fee(1),
}


def heal(operators: list[Operator]) -> None:
    """The faults stop; a last epoch; then the bound within which all must be final."""
    world = operators[0].world
    world.network.base_fee = Wei(GWEI)
    for operator in operators:
        operator.endpoint.is_down = False
        operator.plan = CrashPlan({})
    for member in world.consortium.members:
        member.is_silent = False
    world.consortium.close_epoch()
    for _ in range(2 * DEPTH + 10):
        for operator in operators:
            operator.tick()
        world.network.mine()


def judge(operators: list[Operator]) -> None:
    world = operators[0].world
    sizes = [event.tree_size for event in world.network.events()]
    assert sizes == sorted(set(sizes)), "a checkpoint was anchored twice"
    assert sizes[-1:] == [world.consortium.size], "the newest checkpoint is not anchored"
    for operator in operators:
        assert operator.fsck() == []
        operator.relayer()
        assert operator.journal is not None
        dump = operator.journal.dump()
        view = operator.journal.view(world.now())
        operator.close()
        assert view.halted is None
        assert IntentState.OPEN not in {intent.state for intent in dump.intents}
        assert len(view.open_nonces) <= 1, "a slot that others wait for is still open"
        sent = {raw for raw in world.network.received if decode_signed(raw).sender == operator.signer.address()}
        assert sent <= {attempt.raw for attempt in dump.attempts}, "bytes left that the journal does not hold"


@settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example],
)
@given(SCHEDULES)
def test_no_schedule_loses_or_doubles_an_anchor(schedule: list[Step]) -> None:
    with TemporaryDirectory() as folder:
        operators = play(schedule, Path(folder))
        heal(operators)
        judge(operators)
