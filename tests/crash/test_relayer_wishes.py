"""Bump, cancel and the end of a halt, through a journal on disk and a pool with geth's rules; rehearsals tell the truth."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hybrid_bridge.errors import NotYet
from hybrid_bridge.testing.memory_chain import GWEI
from hybrid_bridge.units import Wei
from relayers.desk import Desk, Orders
from relayers.foresight import foreseen
from relayers.journal import AttemptFinalRow, Brake, Outcome, SlotRow, SpendLimits, WishKind
from relayers.plan import next_action
from relayers.rehearsal import rehearse, simulated
from relayers.relay import _Pass, look
from relayers.unwritten import Unwritten
from relayers.views import MakeAttempt, Send, Wait
from tests.crash.relay_world import BORN, DEPTH, ETHER, Operator, World
from tests.unit.relayers.builders import attempt


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[Operator]:
    operator = Operator(World(), tmp_path / "journal.db")
    yield operator
    operator.close()


def in_flight(operator: Operator) -> bytes:
    """Size 2 waits in the pool; its hash."""
    operator.world.consortium.close_epoch()
    operator.tick()
    (pending,) = operator.world.network.pending
    return pending.hash


def wish(operator: Operator, kind: WishKind, against: bytes | None) -> None:
    with Orders(operator.path, operator.scope) as orders:
        orders.wish(0, kind, against, "a person", operator.world.now())


def run_until_final(operator: Operator) -> None:
    for _ in range(2 * DEPTH + 4):
        operator.tick()
        operator.world.network.mine()


def test_a_bump_raises_once_and_is_then_fulfilled(operator: Operator) -> None:
    first = in_flight(operator)
    wish(operator, WishKind.BUMP, first)
    operator.tick()
    (raised,) = operator.world.network.pending  # the pool took it: 10 % more on both at least
    assert raised.hash != first
    operator.tick()
    assert operator.world.network.pending == (raised,)
    with Desk(operator.path, operator.scope) as desk:
        assert (len(desk.view(BORN).attempts), desk.view(BORN).wishes) == (2, {})
        assert [w.kind for w in desk.slot(0).wishes] == [WishKind.BUMP]
    run_until_final(operator)
    assert [event.tree_size for event in operator.world.network.events()] == [2]
    assert operator.fsck() == []


@pytest.mark.parametrize("brake", [Brake.RUN, Brake.SOFT])
def test_a_cancel_uses_the_nonce_up_and_its_duty_goes_on_unless_the_brake_is_set(
    operator: Operator, brake: Brake
) -> None:
    first = in_flight(operator)
    with Orders(operator.path, operator.scope) as orders:
        orders.set_brake(brake, "a person", BORN)
    wish(operator, WishKind.CANCEL, first)
    operator.tick()
    (pending,) = operator.world.network.pending
    assert pending.transaction.to == operator.signer.address()
    run_until_final(operator)
    assert [event.tree_size for event in operator.world.network.events()] == ([2] if brake is Brake.RUN else [])
    assert len(operator.world.network.transactions_of(operator.signer.address())) == (2 if brake is Brake.RUN else 1)
    assert operator.fsck() == []


def rotation_in_flight(operator: Operator) -> bytes:
    """A set update waits in the pool, paid out of the reserve; its hash."""
    operator.world.network.fund(operator.scope.signer, Wei(operator.fee_policy.reserve))
    operator.world.appoint(in_sizes=2)
    operator.tick()
    (pending,) = operator.world.network.pending
    return pending.hash


def test_a_bump_of_a_rotation_is_a_dearer_rotation_out_of_the_reserve(operator: Operator) -> None:
    wish(operator, WishKind.BUMP, rotation_in_flight(operator))
    assert operator.tick().done == ("MakeAttempt", "Send")
    assert operator.journal is not None
    first, raised = operator.journal.dump().attempts
    assert raised.is_rotation
    assert (raised.nonce, raised.intent_id) == (first.nonce, first.intent_id)
    assert 8 * raised.max_fee >= 9 * first.max_fee
    run_until_final(operator)
    (intent,) = operator.journal.dump().intents
    assert (intent.state.value, intent.settled_tx) == ("FINALIZED", raised.hash)
    assert operator.fsck() == []


def test_a_cancelled_rotation_is_posted_again_with_the_next_nonce(operator: Operator) -> None:
    """A cancel may not spend the reserve: it waits for a top-up, and the old bytes stay alive."""
    wish(operator, WishKind.CANCEL, rotation_in_flight(operator))
    told = operator.tick()
    assert (told.done, told.reason) == (("Send",), "low_balance")
    operator.world.network.fund(operator.scope.signer, Wei(10 * ETHER))
    assert operator.tick().done == ("MakeAttempt", "Send")
    operator.world.network.mine()
    assert operator.tick().done[-3:] == ("OpenSlot", "MakeAttempt", "Send")
    run_until_final(operator)
    assert operator.journal is not None
    dump = operator.journal.dump()
    assert [(a.nonce, a.is_cancel, a.is_rotation) for a in dump.attempts if a.nonce == 1] == [(1, False, True)]
    (intent,) = dump.intents
    assert (intent.state.value, intent.settled_tx) == ("FINALIZED", dump.attempts[-1].hash)
    assert operator.fsck() == []


def test_a_wish_against_an_attempt_that_is_no_longer_the_dearest_is_refused(operator: Operator) -> None:
    first = in_flight(operator)
    wish(operator, WishKind.BUMP, first)
    operator.tick()
    with pytest.raises(NotYet):
        wish(operator, WishKind.CANCEL, first)


def reverted(operator: Operator, nonces: range, ahead: int = 0) -> None:
    """So many anchors in a row that reverted for no known reason, signed by a clock so many seconds ahead."""
    limits = SpendLimits(10 * ETHER, ETHER, 10 * ETHER)
    for nonce in nonces:
        row = attempt(nonce, 0, created_at=operator.world.now() + ahead)
        operator.journal.open_slot(nonce)
        operator.journal.add_attempt(row, limits)
        final = AttemptFinalRow(row.hash, Outcome.REVERTED, "", 1, bytes(32))
        operator.journal.close_slot(SlotRow(nonce, bytes(32), False), [final])


def test_repeated_reverts_halt_and_resume_counts_from_the_order_on(operator: Operator) -> None:
    operator.tick()
    reverted(operator, range(3))
    done = operator.tick()
    assert (done.done, done.reason) == (("Halt",), "halted")
    operator.world.network.mine()
    with Orders(operator.path, operator.scope) as orders:
        assert orders.view(BORN).unexplained_reverts == 3  # while it is halted they stand
        orders.lift_halt(orders.control().evidence, "a person", operator.world.now())
        assert orders.view(BORN).unexplained_reverts == 0
    assert operator.tick().reason == "nothing_due"
    reverted(operator, range(3, 5))
    assert operator.tick().reason == "nothing_due"
    reverted(operator, range(5, 6))
    assert operator.tick().done == ("Halt",)


def test_attempts_that_a_clock_ahead_of_time_signed_halt_once(operator: Operator) -> None:
    operator.tick()
    reverted(operator, range(3), ahead=90_000)
    assert operator.tick().done == ("Halt",)
    with Orders(operator.path, operator.scope) as orders:
        orders.lift_halt(orders.control().evidence, "a person", operator.world.now())
    assert operator.tick().reason == "nothing_due"


# ── rehearsals ───────────────────────────────────────────────────────────────────────────────────────────────────────


def rehearsed(operator: Operator):
    """As `run --dry-run` does it, through a reader beside the process."""
    relayer = operator.relayer()
    now = operator.world.now()
    with Desk(operator.path, operator.scope) as desk:
        view, unwritten = desk.view(now), Unwritten(desk)
        sight = look(view, relayer.observer, lambda chain: relayer.collector.collect(unwritten, view, chain, now))
        return rehearse(view, sight, relayer.policy, simulated(relayer.calls, unwritten, sight), now)


def test_what_a_rehearsal_says_is_what_the_next_tick_does(operator: Operator) -> None:
    world = operator.world
    for number in range(40):
        if number in {1, 2, 9, 17}:
            world.consortium.close_epoch()
        if number in {10, 20}:
            world.network.evict()
        world.network.base_fee = (4 if 18 <= number < 30 else 1) * GWEI
        told = rehearsed(operator)
        done = operator.tick()
        assert ([step.action for step in told.steps], told.reason) == (list(done.done), done.reason), number
        world.network.mine(only=None if number % 3 else ())
    assert operator.fsck() == []


def test_a_rehearsal_knows_that_an_update_may_spend_the_reserve(operator: Operator) -> None:
    world = operator.world
    world.network.fund(operator.scope.signer, Wei(operator.fee_policy.reserve))
    world.appoint(in_sizes=3)
    told = rehearsed(operator)
    done = operator.tick()
    assert "MakeAttempt" in done.done
    assert ([step.action for step in told.steps], told.reason) == (list(done.done), done.reason)


def test_the_journal_that_is_foreseen_is_the_one_that_a_tick_leaves(operator: Operator) -> None:
    """Action by action, against the journal itself; hashes and ids are not known beforehand."""
    world = operator.world
    for number in range(24):
        if number in {0, 1, 8, 12}:
            world.consortium.close_epoch()
        operator.tick()
        world.network.mine(only=None if number % 2 else ())
        compare_each(operator)


def test_the_journal_of_a_rotation_is_foreseen_too(operator: Operator) -> None:
    world = operator.world
    world.appoint(in_sizes=2)
    seen = set()
    for number in range(20):
        if number in {0, 6}:
            world.consortium.close_epoch()
        operator.tick()
        world.network.mine()
        seen |= compare_each(operator)
    assert {"CloseSlot", "SettleIntent"} <= seen
    assert operator.journal is not None
    assert {intent.state.value for intent in operator.journal.dump().intents} == {"FINALIZED"}


def compare_each(operator: Operator) -> set[str]:
    """The actions of one tick, up to the first signature, each foreseen and then done."""
    now, relayer = operator.world.now(), operator.relayer()
    view = operator.journal.view(now)
    sight = look(view, relayer.observer, lambda chain: relayer.collector.collect(operator.journal, view, chain, now))
    names = set()
    while not isinstance(
        action := next_action(view, sight.chain, sight.quorum, (), relayer.policy), MakeAttempt | Send | Wait
    ):
        wanted = foreseen(view, action, 0, now)
        _Pass(relayer, view, sight, now)._do(action)
        view = operator.journal.view(now)
        known = {intent.size: intent for intent in view.open_intents}
        ids = tuple(replace(intent, id=known[intent.size].id) for intent in wanted.open_intents)
        appointed = {intent.set_id: intent for intent in view.open_rotations}
        rotations = tuple(replace(intent, id=appointed[intent.set_id].id) for intent in wanted.open_rotations)
        assert replace(wanted, open_intents=ids, open_rotations=rotations) == view, type(action).__name__
        names.add(type(action).__name__)
    return names
