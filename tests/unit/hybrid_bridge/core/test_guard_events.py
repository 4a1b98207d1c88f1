import pytest

from hybrid_bridge.core.encoding import ZERO, sha256
from hybrid_bridge.core.guard import Highest, History, PowerStatement, Statement
from hybrid_bridge.core.guard_events import (
    Told,
    added_events,
    floor_event,
    power_event,
    refused_event,
    signed_event,
    told_by,
)
from hybrid_bridge.errors import FieldMalformed, GuardRefused, Malformed
from hybrid_bridge.units import Address, ChainId, TreeSize


def row(size):
    return Statement(TreeSize(size), sha256(b"root %d" % size), sha256(b"digest %d" % size))


def floor(size):
    return Highest(TreeSize(size), row(size).root)


def power(number, kind="set"):
    return PowerStatement(ChainId(1), Address(b"\x01" * 20), kind, number, ZERO)


ADDED = History(floor(3), (row(5), row(9)), (power(2), power(1, "pause")))


def test_what_a_merge_adds_is_told_back_in_order():
    assert told_by(added_events(None, ADDED)) == Told(ADDED.in_order(), 0)
    later = [floor_event(floor(4)), signed_event(row(12)), signed_event(row(11)), power_event(power(3))]
    told = told_by([*added_events(None, ADDED), *later]).history
    assert (told.floor, [s.size for s in told.signed]) == (floor(4), [5, 9, 11, 12])
    assert told == told.in_order()
    assert len(told.power) == 3


def test_a_floor_that_stays_is_no_event():
    assert list(added_events(floor(3), History(floor(3)))) == []
    assert list(added_events(floor(2), History(floor(3)))) == [floor_event(floor(3))]


@pytest.mark.parametrize("size", [5, 2**53, 2**300])
def test_a_refusal_is_counted_whatever_was_asked_for(size):
    refused = refused_event(GuardRefused(rule="below_floor", size=size))
    assert told_by([*added_events(None, ADDED), refused, refused]).refusals == 2


@pytest.mark.parametrize(
    "bodies",
    [
        [],
        [signed_event(row(5))],
        [floor_event(floor(3)), floor_event(floor(3))],
        [floor_event(floor(3)), floor_event(floor(2))],
        [floor_event(floor(3)), signed_event(row(5)), signed_event(row(5))],
        [floor_event(floor(3)), power_event(power(2)), power_event(power(2))],
        [{}],
        ["floor"],
        [{"lowered": {}}],
        [{**floor_event(floor(3)), **signed_event(row(5))}],
    ],
    ids=[
        "nothing", "no floor", "a floor twice", "a floor lowered", "a size twice", "a power twice", "empty", "text",
        "unknown", "two at once",
    ],
)  # fmt: skip
def test_events_that_no_guard_can_have_made_tell_nothing(bodies):
    with pytest.raises(FieldMalformed):
        told_by(bodies)


@pytest.mark.parametrize(
    "body",
    [
        {"refused": {"rule": "mood", "number": "5"}},
        {"refused": {"rule": "double", "number": 5}},
        {"refused": {"rule": "double", "number": "5" * 81}},
        {"floor": {"size": "0", "root": "0x" + "00" * 32}},
        {"signed": {"size": "5", "root": "0x" + "00" * 32}},
    ],
    ids=["rule", "number", "long number", "size", "member missing"],
)
def test_an_event_of_another_form_is_malformed(body):
    with pytest.raises(Malformed):
        told_by([floor_event(floor(3)), body])
