"""A set update becomes a duty: posted once, before any checkpoint of the new set, whoever dies or is faster."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from hybrid_bridge.testing.crashing import CrashPlan
from hybrid_bridge.units import TreeSize, UnixSeconds, Wei
from relayers.desk import Orders
from relayers.journal import Brake, IntentKind, IntentState, JournalDump, Outcome
from relayers.relay import Tick
from tests.crash.relay_world import DEPTH, ETHER, Operator, World, fees, run, settle


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[Callable[..., Operator]]:
    made: list[Operator] = []

    def operator(world: World, name: str = "operator 0", **others: Any) -> Operator:
        made.append(Operator(world, tmp_path / f"{len(made)}.db", name, **others))
        return made[-1]

    yield operator
    for each in made:
        each.close()


def dump(operator: Operator) -> JournalDump:
    operator.relayer()
    assert operator.journal is not None
    return operator.journal.dump()


def rotations(operator: Operator) -> dict[int | None, IntentState]:
    return {i.set_id: i.state for i in dump(operator).intents if i.kind is IntentKind.ROTATE}


def head_of(world: World) -> Any:
    return world.network.newest.logs[world.consortium.log_id]


def epochs(operators: list[Operator], number: int, blocks: int = 2) -> None:
    for _ in range(number):
        operators[0].world.consortium.close_epoch()
        run(operators, blocks)


def ticked(operator: Operator) -> Tick:
    report = operator.tick()
    assert report is not None
    return report


def test_the_update_is_posted_at_once_and_the_new_set_signs_from_its_size_on(operator: Callable[..., Operator]) -> None:
    world = World()
    one = operator(world)
    world.appoint(in_sizes=2)
    run([one], 2)
    assert (head_of(world).size, head_of(world).set_id, head_of(world).next_from_size) == (1, 1, 3)
    epochs([one], 3)
    settle([one])
    assert (head_of(world).size, head_of(world).set_id, head_of(world).next_from_size) == (4, 2, 0)
    assert [event.set_id for event in world.network.events()] == [1, 2, 2]
    assert rotations(one) == {2: IntentState.FINALIZED}
    assert one.fsck() == []


def test_no_checkpoint_of_the_new_set_is_anchored_before_its_update_stands(operator: Callable[..., Operator]) -> None:
    world = World()
    one = operator(world)
    world.appoint(in_sizes=1, signers=(0, 1, 2))  # the newcomer has not signed
    epochs([one], 3)
    assert ticked(one).reason == "rotation_due"
    assert world.network.events() == []
    assert dump(one).attempts == ()
    world.updates += world.consortium.appointed(world.network.chain_id, world.network.contract, (4,))
    seen = []

    def watch(_: int) -> None:
        seen.append((head_of(world).next_from_size, head_of(world).size))

    run([one], 4, watch)
    settle([one])
    assert (2, 1) in seen  # the update stood before the first anchor
    assert head_of(world).size == 4
    assert one.fsck() == []


def test_offers_of_strangers_over_other_statements_or_for_another_contract_are_as_good_as_none(
    operator: Callable[..., Operator],
) -> None:
    world = World()
    one = operator(world)
    world.appoint(in_sizes=1, signers=(0, 4))
    good = world.consortium.appointed(world.network.chain_id, world.network.contract, (1, 2))
    world.updates += world.consortium.appointed(world.network.chain_id, bytes(20), (1, 2))
    world.updates += [replace(one, signature=bytes(65)) for one in good]
    world.updates += [replace(one, statement=replace(one.statement, set_hash=bytes(32))) for one in good]
    epochs([one], 1)
    assert dump(one).attempts == ()
    world.updates += good
    run([one], 2)
    assert (head_of(world).size, head_of(world).set_id) == (2, 2)


def test_a_pause_does_not_stop_a_rotation(operator: Callable[..., Operator]) -> None:
    world = World()
    one = operator(world)
    log_id = world.consortium.log_id
    world.network.put_log(log_id, replace(head_of(world), paused_until=UnixSeconds(world.now() + 10**6)))
    world.appoint(in_sizes=1)
    epochs([one], 2)
    assert (head_of(world).next_from_size, head_of(world).size) == (2, 1)
    assert ticked(one).reason == "log_paused"


def test_a_frozen_log_takes_no_update(operator: Callable[..., Operator]) -> None:
    world = World()
    one = operator(world)
    world.network.put_log(world.consortium.log_id, replace(head_of(world), is_frozen=True))
    world.appoint(in_sizes=1)
    run([one], 2)
    assert dump(one).attempts == ()


def test_the_reserve_is_there_for_the_update_and_not_for_an_anchor(operator: Callable[..., Operator]) -> None:
    world = World()
    policy = fees()
    one = operator(world, fee_policy=policy)
    world.network.fund(one.signer.address(), Wei(policy.reserve - ETHER // 100))
    world.consortium.close_epoch()
    run([one], 1)
    assert ticked(one).reason == "low_balance"
    world.appoint(in_sizes=4)
    run([one], 2)
    assert head_of(world).next_from_size == 6
    assert ticked(one).reason == "low_balance"


def test_the_brakes_hold_for_updates_too(operator: Callable[..., Operator]) -> None:
    world = World()
    one = operator(world)
    with Orders(one.path, one.scope) as orders:
        orders.set_brake(Brake.SOFT, "test", world.now())
    world.appoint(in_sizes=1)
    run([one], 2)
    assert dump(one).attempts == ()
    with Orders(one.path, one.scope) as orders:
        orders.set_brake(Brake.RUN, "test", world.now())
        one.tick()
        orders.set_brake(Brake.SOFT, "test", world.now())
    settle([one])  # what was begun is finished
    assert rotations(one) == {2: IntentState.FINALIZED}


def test_another_operators_update_settles_our_duty_and_our_revert_is_a_lost_race(
    operator: Callable[..., Operator],
) -> None:
    world = World()
    slow, fast = operator(world, "operator 0"), operator(world, "operator 1")
    world.appoint(in_sizes=3)
    slow.tick()
    fast.tick()
    assert [tx.sender for tx in world.network.pending] == [slow.signer.address(), fast.signer.address()]
    (ours,) = (tx for tx in world.network.pending if tx.sender == slow.signer.address())
    world.network.evict(ours.hash)
    world.network.mine()
    world.network.offer(dump(slow).attempts[0].raw)
    world.network.mine()  # ours reverts
    settle([slow, fast])
    assert (rotations(slow), rotations(fast)) == ({2: IntentState.SUPERSEDED}, {2: IntentState.FINALIZED})
    (final,) = dump(slow).finals
    assert (final.outcome, final.reason) == (Outcome.REVERTED, "stale")
    epochs([slow, fast], 3)
    settle([slow, fast])
    assert (head_of(world).size, head_of(world).set_id) == (4, 2)
    assert (slow.fsck(), fast.fsck()) == ([], [])


def test_operators_take_turns_and_all_but_one_post_nothing(operator: Callable[..., Operator]) -> None:
    world = World()
    three = [operator(world, f"operator {n}", index=n, operators=3) for n in range(3)]
    world.appoint(in_sizes=30)
    run(three, 12)
    assert head_of(world).next_from_size == 31
    assert sorted(len(dump(one).attempts) for one in three) == [0, 0, 1]
    assert {state for one in three for state in rotations(one).values()} == {IntentState.FINALIZED}


def test_a_duty_whose_place_in_line_another_operator_took_is_re_aimed_at_an_anchor(
    operator: Callable[..., Operator],
) -> None:
    world = World()
    slow, fast = operator(world, "operator 0"), operator(world, "operator 1")
    world.appoint(in_sizes=3)
    slow.tick()
    world.network.evict()
    fast.tick()
    world.network.mine()
    world.consortium.close_epoch()
    ticked(slow)
    newest = dump(slow).attempts[-1]
    assert (newest.nonce, newest.to_size, newest.is_rotation) == (0, 2, False)
    settle([slow, fast])
    assert head_of(world).size == 2
    assert slow.fsck() == []


def test_two_updates_follow_each_other_and_a_relayer_that_slept_crosses_both(operator: Callable[..., Operator]) -> None:
    world = World()
    one = operator(world)
    world.appoint(in_sizes=2)
    world.appoint(in_sizes=4)
    for _ in range(6):
        world.consortium.close_epoch()
    run([one], 12)
    settle([one])
    assert (head_of(world).size, head_of(world).set_id) == (7, 3)
    assert rotations(one) == {2: IntentState.FINALIZED, 3: IntentState.FINALIZED}
    assert one.fsck() == []


# ── crashes ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def play(path: Path, plan: CrashPlan) -> Operator:
    """A rotation and the first anchor of the new set."""
    world = World()
    one = Operator(world, path, plan=plan)
    world.network.mine()
    world.appoint(in_sizes=1)
    run([one], 2)
    world.consortium.close_epoch()
    run([one], 2)
    settle([one])
    return one


def require_rotated_once(one: Operator) -> None:
    world = one.world
    assert (head_of(world).size, head_of(world).set_id) == (TreeSize(2), 2)
    assert [is_success for _, is_success in world.network.transactions_of(one.signer.address())] == [True, True]
    assert one.fsck() == []
    assert rotations(one) == {2: IntentState.FINALIZED}
    assert set(world.network.received) <= {attempt.raw for attempt in dump(one).attempts}
    assert all(slot.closed_hash is not None and not slot.is_foreign for slot in dump(one).slots)
    one.close()


def test_a_crash_at_any_effect_of_a_rotation_loses_and_doubles_nothing(tmp_path: Path) -> None:
    for number in count():  # after each; before the next one is the same instant
        one = play(tmp_path / f"{number}.db", CrashPlan({number: "after"}))
        require_rotated_once(one)
        if one.deaths == 0:
            assert "open_rotation" in one.plan.seen
            assert number == len(one.plan.seen)
            return


def test_a_reorganisation_that_takes_the_update_away_brings_it_again(operator: Callable[..., Operator]) -> None:
    world = World()
    one = operator(world)
    world.network.mine(DEPTH)
    world.appoint(in_sizes=1)
    run([one], 2)
    assert head_of(world).next_from_size == 2
    world.network.reorganise(2, forget=True)
    assert head_of(world).next_from_size == 0
    settle([one])
    assert head_of(world).next_from_size == 2
    assert rotations(one) == {2: IntentState.FINALIZED}
    assert one.fsck() == []
