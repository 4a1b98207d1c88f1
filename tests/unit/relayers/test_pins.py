import pytest

from hybrid_bridge.ports import PublicBlock
from relayers.pins import AGES, Pins, missed


def block(number, fork="a", parent=None):
    return PublicBlock(number, name(number, fork), name(number - 1, parent or fork), 1000 + 12 * number)


def name(number, fork):
    return f"{fork}{number}".encode().ljust(32)


def depths(*blocks):
    pins = Pins()
    return [pins.add(each, each.time + 2) for each in blocks]


def test_pins_that_follow_or_stay_replace_nothing():
    assert depths(block(7), block(7), block(8), block(8), block(9)) == [0] * 5


def test_a_pin_with_another_parent_replaces_the_one_before():
    assert depths(block(7), block(8), block(9, "b", parent="b")) == [0, 0, 1]


def test_another_block_of_a_number_replaces_all_from_there_on():
    assert depths(block(7), block(8), block(9), block(8, "b", parent="a")) == [0, 0, 0, 2]
    assert depths(block(7), block(8), block(9), block(8, "b")) == [0, 0, 0, 3]
    assert depths(block(7), block(8), block(8, "b", parent="a"), block(9, "b")) == [0, 0, 1, 0]


def test_an_older_pin_of_the_same_chain_replaces_nothing():
    assert depths(block(7), block(8), block(9), block(8), block(9)) == [0] * 5


def test_pins_far_apart_cannot_be_compared():
    assert depths(block(7), block(10, "b")) == [0, 0]


def test_the_skew_is_the_least_age_of_a_new_pin():
    pins = Pins()
    assert pins.skew is None
    for number, age in ((1, 9), (2, 3), (3, 14)):
        pins.add(block(number), block(number).time + age)
    assert pins.skew == 3
    pins.add(block(3), block(3).time - 90)  # known already: says nothing of our clock
    assert pins.skew == 3
    for number in range(4, 4 + AGES):
        pins.add(block(number), block(number).time - 7)
    assert pins.skew == -7


@pytest.mark.parametrize(
    ("gap", "took", "found"),
    [
        (6.0, 1.0, (0, "stalled")),
        (6.4, 5.9, (0, "stalled")),
        (12.1, 11.0, (1, "slow")),
        (60.0, 1.0, (9, "stalled")),
        (0.1, 0.1, (0, "stalled")),
    ],
)
def test_ticks_that_did_not_begin_are_counted_with_their_reason(gap, took, found):
    assert missed(gap, took, 6.0) == found
