"""A relayer whose only endpoint is an ordinary node that forgets states, and one that was away for long."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from relayers.journal import IntentState, JournalDump, Outcome
from relayers.relay import Tick
from relayers.signing_policy import transaction
from relayers.views import Fee
from tests.crash.relay_world import DEPTH, Operator, World, lift_halt, run, settle


@pytest.fixture
def operators(tmp_path: Path) -> Iterator[list[Operator]]:
    """Two, of one world."""
    world = World()
    made = [Operator(world, tmp_path / f"{index}.db", name=f"operator {index}") for index in (0, 1)]
    world.network.mine()
    yield made
    for operator in made:
        operator.close()


def dump(operator: Operator) -> JournalDump:
    operator.relayer()
    assert operator.journal is not None
    return operator.journal.dump()


def ticked(operator: Operator) -> Tick:
    report = operator.tick()
    assert report is not None
    return report


def test_a_node_that_keeps_no_final_state_is_enough_to_anchor_and_to_settle(operators: list[Operator]) -> None:
    ours, _ = operators
    ours.endpoint.keeps = DEPTH  # the final public block is one too old
    for _ in range(3):
        ours.world.consortium.close_epoch()
        run([ours], 2)
    settle([ours])
    found = dump(ours)
    assert [intent.state for intent in found.intents] == [IntentState.FINALIZED] * 3
    assert [final.outcome for final in found.finals] == [Outcome.OK] * 3
    assert all(slot.closed_hash is not None and not slot.is_foreign for slot in found.slots)
    assert "StateForgotten" in ticked(ours).notes[0]
    assert ours.fsck() == []


def test_a_lost_race_is_told_from_a_fault_long_after_its_state_is_forgotten(operators: list[Operator]) -> None:
    ours, other = operators
    ours.world.consortium.close_epoch()
    other.tick()
    ours.world.consortium.close_epoch()
    ours.tick()  # from the same head: it will revert
    ours.world.network.mine(400)
    ours.endpoint.keeps = 2
    for _ in range(3):
        ticked(ours)
    assert [(final.outcome, final.reason) for final in dump(ours).finals] == [(Outcome.REVERTED, "stale")]
    settle([ours])
    assert ours.world.network.events()[-1].tree_size == ours.world.consortium.size
    assert ours.fsck() == []


def test_a_nonce_used_by_another_wallet_is_noticed_when_a_state_is_there_again(operators: list[Operator]) -> None:
    ours, _ = operators
    world, keeps = ours.world, ours.endpoint.keeps
    world.consortium.close_epoch()
    ours.tick()
    world.network.evict()
    world.network.offer(stolen(ours, dump(ours).attempts[0].nonce))
    world.network.mine()
    ours.endpoint.keeps = DEPTH
    run([ours], 2 * DEPTH + 4)
    assert ticked(ours).reason == "halted"
    lift_halt(ours)
    settle([ours])
    assert [(slot.nonce, slot.closed_hash is None) for slot in dump(ours).slots] == [(0, False), (1, False)]
    assert dump(ours).slots[0].is_foreign  # a later nonce of ours is final, hence this one
    ours.endpoint.keeps = keeps
    assert world.network.events()[-1].tree_size == world.consortium.size


def stolen(operator: Operator, nonce: int) -> bytes:
    """Bytes of another wallet with our key."""
    return operator.signer.sign(transaction(operator.scope, nonce, b"", Fee(50 * 10**9, 10**9), 21_000))


def test_after_a_long_absence_each_tick_reads_a_bounded_stretch_and_anchoring_goes_on_meanwhile(
    operators: list[Operator], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relayers.observe.EVENT_RANGE", 50)
    monkeypatch.setattr("relayers.observe.MAX_RANGES", 4)
    ours, other = operators
    ours.world.consortium.close_epoch()
    run([ours], 1)
    for _ in range(12):  # others go on without us
        ours.world.consortium.close_epoch()
        run([other], 1)
        ours.world.network.mine(100)
    ours.world.consortium.close_epoch()
    report = ticked(ours)
    assert "events are read up to public block 200" in report.notes[0]
    assert report.done[-1] == "Send"  # the newest checkpoint does not wait for the past
    ours.world.network.mine()
    ends = []
    for _ in range(6):
        ours.close()  # each tick a new process: what was read is on the disk
        ticked(ours)
        ends.append(dump(ours).headers[-1].number)
        ours.world.network.mine()
    assert all(later - earlier <= 200 for earlier, later in pairwise(ends))
    settle([ours])
    assert [anchor.tree_size for anchor in dump(ours).anchors] == list(range(2, ours.world.consortium.size + 1))
    assert {intent.state for intent in dump(ours).intents} == {IntentState.FINALIZED}
    assert ours.fsck() == []


def test_a_first_observation_fifty_thousand_public_blocks_late_takes_three_ticks(operators: list[Operator]) -> None:
    ours, _ = operators
    ours.world.network.mine(50_000)
    numbers = []
    for _ in range(4):
        ticked(ours)
        numbers.append(dump(ours).headers[-1].number)
    assert numbers == [19_999, 39_999, 50_001 - DEPTH, 50_001 - DEPTH]
