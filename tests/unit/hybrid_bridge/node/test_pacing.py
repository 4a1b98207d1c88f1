"""One block in each slot, whatever waits: the number of blocks of an epoch tells nothing."""

import pytest

from hybrid_bridge.core.epoch import epoch_of
from hybrid_bridge.errors import SettingsMalformed
from hybrid_bridge.node.founding import found
from hybrid_bridge.node.ordering import Orderer
from hybrid_bridge.node.pacing import Pace
from hybrid_bridge.units import Seconds, UnixSeconds
from tests.unit.hybrid_bridge.node.members import START, Members, plan, randomness, started

GENESIS = found(plan(cadence=Seconds(60)), randomness(), START).genesis
ON_DEMAND, SLOTS = Pace(GENESIS, Seconds(0)), Pace(GENESIS, Seconds(10))


def at(seconds: int) -> UnixSeconds:
    return UnixSeconds(START + seconds)


def test_on_demand_a_block_is_due_at_the_end_of_the_epoch_and_allowed_at_any_time():
    assert ON_DEMAND.due(at(7)) == at(60)
    assert ON_DEMAND.may(at(7), at(7))
    assert ON_DEMAND.time(at(7), at(9)) == at(9)
    assert ON_DEMAND.time(at(7), at(5)) == at(7)


@pytest.mark.parametrize(("tip", "due"), [(0, 19), (9, 19), (10, 29), (49, 59), (50, 60), (59, 60), (60, 79)])
def test_a_slot_without_work_gets_its_block_in_its_last_second_and_an_epoch_s_first_at_once(tip, due):
    assert SLOTS.due(at(tip)) == at(due)


@pytest.mark.parametrize(("tip", "now", "may"), [(7, 9, False), (7, 9.99, False), (7, 10, True), (10, 19, False)])
def test_what_waits_gets_one_block_a_slot(tip, now, may):
    assert SLOTS.may(at(tip), START + now) is may


@pytest.mark.parametrize(
    ("tip", "now", "time"),
    [
        (7, 12, 12),  # in its slot
        (7, 25, 19),  # a slot was missed
        (7, 118, 19),  # the rest of the epoch before is filled
        (59, 118, 69),  # and the one that runs
        (7, 200, 19),
        (59, 200, 189),  # epochs missed whole stay without a block
        (59, 58, 59),  # a clock that goes back
    ],
)
def test_a_slot_that_was_missed_is_filled_first(tip, now, time):
    assert SLOTS.time(at(tip), at(now)) == at(time)


@pytest.mark.parametrize("slot", [7, 61, 600])
def test_slots_fill_an_epoch(slot):
    with pytest.raises(SettingsMalformed):
        Pace(GENESIS, Seconds(slot))


def blocks_of(members: Members, transactions: list[int], until: int) -> list[int]:
    """Blocks of each epoch when something is sent at these seconds; the clock jumps by a second."""
    view = members.open("core").view
    orderer = Orderer(view, lambda: float(members.clock.moment), Seconds(2))
    for second in range(until):
        members.clock.moment = START + second
        if second in transactions:
            orderer.submit(members.founding()[0], 100)  # stands already, so it will not again; it waits all the same
        while orderer._due() <= orderer._now() or (orderer._pool and orderer._may()):
            orderer.make_block()
    last = view.progress.tip
    headers = [view.ledger.header(height) for height in range(1, last + 1)]
    epochs = [epoch_of(view.directory.genesis, header.time) for header in headers if header is not None]
    return [epochs.count(epoch) for epoch in range(1, max(epochs))]


@pytest.mark.parametrize("busy", [[], [1], [1, 1, 2, 3, 4, 5, 6, 7, 8, 9], [10, 11, 12, 25]])
def test_idle_and_busy_epochs_have_the_same_number_of_blocks(members: Members, busy: list[int]):
    started(members)
    assert blocks_of(members, busy, 31) == [5, 5, 5]


def test_a_sequencer_that_was_away_fills_the_epochs_it_was_there_in(members: Members):
    started(members)
    view = members.open("core").view
    orderer = Orderer(view, lambda: float(members.clock.moment), Seconds(2))
    for now in (4, 44, 50):
        members.clock.moment = START + now
        while orderer._due() <= orderer._now():
            orderer.make_block()
    epochs = [view.ledger.header(height).epoch for height in range(1, view.progress.tip + 1)]  # type: ignore[union-attr]
    assert [epochs.count(epoch) for epoch in range(1, 6)] == [5, 0, 0, 0, 5]
