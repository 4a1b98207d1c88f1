"""Whose turn it is."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_bridge.core.proof import consistency_length
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


@given(st.integers(2, 999), st.integers(0, 500), st.integers(1, 7), st.integers(1, 9))
def test_every_public_block_is_one_operators_and_everybodys_window_comes_again(
    size: int, waited: int, operators: int, grace: int
) -> None:
    policies = [replace(operator(index, operators), grace_blocks=grace) for index in range(operators)]
    assert sum(turns.is_our_turn(size, 100, 100 + waited, policy) for policy in policies) == 1
    for policy in policies:
        begins = turns.opens_at(size, 100, policy, 100 + waited)
        window = range(begins, begins + grace)
        assert all(turns.is_our_turn(size, 100, number, policy) for number in window)
        assert not turns.is_our_turn(size, 100, begins - 1, policy) or operators == 1 or begins == 100
        assert begins + grace > 100 + waited
        assert begins <= 100 + waited + operators * grace


def test_without_grace_or_on_no_list_a_turn_that_came_stays() -> None:
    for late in (118, 119, 200):
        assert turns.is_our_turn(3, 100, late, operator(3))
        assert turns.is_our_turn(3, 100, late, replace(operator(1), grace_blocks=0))
        assert turns.opens_at(3, 100, operator(3), late) <= late


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


# ── where a round begins ─────────────────────────────────────────────────────────────────────────────────────────────


def mean_path(every: int, step: int | None = None) -> float:
    """Hashes from a size to that after so many epochs, over the sizes from 4,096 to 8,191 that `step` reaches."""
    step = step or every
    lengths = [consistency_length(size, size + every) for size in range(-(-4096 // step) * step, 8192, step)]
    return sum(lengths) / len(lengths)


@given(st.integers(1, 10**6))
def test_a_stride_is_a_power_of_two_and_waits_no_longer_than_allowed(at_most: int) -> None:
    stride = turns.stride(at_most)
    assert stride & (stride - 1) == 0
    assert stride <= at_most < 2 * stride


@given(st.integers(0, 10**9), st.integers(1, 1000))
def test_what_is_anchored_is_the_newest_size_at_which_a_round_begins(newest: int, at_most: int) -> None:
    stride = turns.stride(at_most)
    size = turns.first_of_round(newest, stride)
    assert size % stride == 0
    assert newest - at_most < size <= newest
    assert turns.round_of(size, stride) == turns.round_of(newest, stride)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=60), st.integers(1, 20))
def test_no_epoch_waits_for_more_epochs_than_the_operator_allows(steps: list[int], at_most: int) -> None:
    """Whatever sizes are seen, at every sight all but the newest `at_most - 1` sizes stand under the head."""
    stride, head, newest = turns.stride(at_most), 1, 1
    for step in steps:
        newest += step
        size = turns.first_of_round(newest, stride)
        if size > head and turns.is_new_round(size, head, operator(0, anchor_every=stride)):
            head = size
        assert newest - head < at_most or newest < stride


@given(st.integers(0, 12), st.integers(1, 2**12), st.integers(1, 2**12))
def test_between_multiples_of_a_power_of_two_the_path_is_that_of_a_tree_of_so_many_fewer_leaves(
    bits: int, one: int, other: int
) -> None:
    older, newer = sorted((one, other))
    assert consistency_length(older << bits, newer << bits) == consistency_length(older, newer)


@pytest.mark.parametrize(("every", "mean"), [(1, 8.0), (8, 6.5), (64, 5.0), (128, 4.5)])
def test_paths_between_first_sizes_of_rounds_have_the_length_that_the_page_says(every: int, mean: float) -> None:
    assert round(mean_path(every), 1) == mean


@pytest.mark.parametrize(("every", "anywhere", "at_multiples"), [(6, 9.2, 8.3), (144, 11.6, 7.5)])
def test_every_other_rhythm_has_longer_paths(every: int, anywhere: float, at_multiples: float) -> None:
    assert (round(mean_path(every, step=1), 1), round(mean_path(every), 1)) == (anywhere, at_multiples)
    assert mean_path(turns.stride(every)) < at_multiples


@given(st.integers(0, 10**6), st.integers(1, 7), st.integers(1, 9))
def test_exactly_one_operator_may_begin_a_rotation_at_a_public_block_and_each_has_a_turn(
    number: int, operators: int, grace: int
) -> None:
    all_of_them = [replace(operator(n), operators=operators, grace_blocks=grace) for n in range(operators)]
    outsider = replace(operator(operators), operators=operators, grace_blocks=grace)
    assert sum(turns.is_our_window(number, each) for each in all_of_them) == 1
    for each in (*all_of_them, outsider):
        assert any(turns.is_our_window(number + later, each) for later in range(grace * (operators + 1)))


def test_without_grace_nobody_waits() -> None:
    assert all(turns.is_our_window(n, replace(operator(2), operators=3, grace_blocks=0)) for n in range(9))
