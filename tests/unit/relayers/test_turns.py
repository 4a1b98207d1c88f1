"""Whose turn it is."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from relayers import turns
from tests.unit.relayers.builders import TURNS


def operator(index: int, operators: int = 3, anchor_every: int = 1) -> object:
    return replace(TURNS, my_index=index, operators=operators, anchor_every=anchor_every)


@given(st.integers(2, 10**6), st.integers(1, 7), st.integers(1, 9))
def test_each_round_has_one_leader_and_every_rank_once(size: int, operators: int, anchor_every: int) -> None:
    ranks = [turns.rank(size, operator(index, operators, anchor_every)) for index in range(operators)]
    assert sorted(ranks) == list(range(operators))


def test_the_lead_goes_round() -> None:
    assert [turns.rank(size, operator(0)) for size in (3, 4, 5, 6)] == [0, 2, 1, 0]


def test_an_outsider_comes_last() -> None:
    assert turns.rank(3, operator(3)) == 3
    assert turns.opens_at(3, 100, operator(3)) == 100 + 3 * TURNS.grace_blocks


def test_rank_k_waits_k_times_the_grace() -> None:
    second = operator(1)
    assert turns.rank(3, second) == 1
    assert not turns.is_our_turn(3, 100, 105, second)
    assert turns.is_our_turn(3, 100, 106, second)


@given(st.integers(0, 10**6), st.integers(1, 9))
def test_the_next_round_begins_at_its_smallest_size(size: int, anchor_every: int) -> None:
    start = turns.next_round_at(size, anchor_every)
    assert turns.round_of(start - 1, anchor_every) == turns.round_of(size, anchor_every)
    assert turns.round_of(start, anchor_every) == turns.round_of(size, anchor_every) + 1


def test_a_round_is_new_when_the_head_stands_in_an_earlier_one() -> None:
    every = operator(0, anchor_every=4)
    assert not turns.is_new_round(7, 4, every)
    assert turns.is_new_round(8, 7, every)
