"""Ready, and if not, why not; a halted relayer is told from a braked, a drained and a blind one."""

from typing import Any

import pytest

from hybrid_bridge.ports import AnchoredEvent
from relayers.health import STARTING, State, health_of
from relayers.journal import Brake
from relayers.relay import Sight, Tick
from tests.unit.relayers.builders import PINNED, T0, chain, event, head, journal, quorum


def ticked(reason: str = "nothing_due", *, blind: str = "", **changes: Any) -> Tick:
    seen = None if blind else chain(head=head(3))
    return Tick((), reason, sight=Sight(seen, quorum(), (), blind), journal=journal(**changes))


def test_before_the_first_tick_it_is_not_ready() -> None:
    assert STARTING.state is State.STARTING
    assert STARTING.reasons


def test_a_tick_with_nothing_in_its_way_is_ready_and_tells_where_the_log_stands() -> None:
    newest: AnchoredEvent = event(2)
    found = health_of(ticked(newest_anchor=newest), T0)
    assert (found.state, found.reasons, found.ticked_at) == (State.READY, (), T0)
    assert (found.pinned, found.anchored_mined, found.anchored_final) == (PINNED, 3, 2)


@pytest.mark.parametrize(
    ("tick", "state", "words"),
    [
        (ticked("halted", halted="conflict", brake=Brake.SOFT), State.HALTED, ("halted: conflict", "brake: soft")),
        (ticked("braked", brake=Brake.HARD), State.BRAKED, ("brake: hard",)),
        (ticked("drained", brake=Brake.DRAIN), State.DRAINED, ("brake: drain",)),
        (ticked("in_flight", brake=Brake.DRAIN), State.BRAKED, ("brake: drain",)),
        (ticked("no_rpc_quorum", blind="nobody answers"), State.DEGRADED, ("no quorum of endpoints: nobody answers",)),
        (ticked("fee_capped"), State.DEGRADED, ("fee_capped",)),
        (ticked("nonce_ahead"), State.DEGRADED, ("nonce_ahead",)),
        (ticked("nonce_gap"), State.DEGRADED, ("nonce_gap",)),
        (ticked("nonce_behind"), State.DEGRADED, ("nonce_behind",)),
        (ticked("low_balance"), State.DEGRADED, ("low_balance",)),
        (ticked("budget_spent"), State.DEGRADED, ("budget_spent",)),
        (ticked("MakeAttempt: no answer"), State.DEGRADED, ("undecided: MakeAttempt: no answer",)),
        (Tick((), "the lock"), State.DEGRADED, ("the tick could not look: the lock",)),
    ],
)
def test_what_is_in_the_way_is_said(tick: Tick, state: State, words: tuple[str, ...]) -> None:
    found = health_of(tick, T0)
    assert (found.state, found.reasons) == (state, words)


@pytest.mark.parametrize("reason", ["nothing_due", "not_our_turn", "in_flight", "rotation_due"])
def test_to_wait_is_no_fault(reason: str) -> None:
    assert health_of(ticked(reason), T0).state is State.READY
