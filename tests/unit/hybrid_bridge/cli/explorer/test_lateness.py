"""Periods without a checkpoint in time: when they begin, when they end, and what does not interrupt them."""

from dataclasses import replace

import pytest

from hybrid_bridge.cli.explorer.lateness import Late, Stood, late_periods
from hybrid_bridge.units import Seconds, TreeSize, UnixSeconds
from tests.unit.hybrid_bridge.core.consortium import GENESIS

CLOCK = replace(GENESIS, genesis_time=UnixSeconds(1000), cadence=Seconds(100), grace=Seconds(10))


def periods(*heads: tuple[int, int], until: int, has_ended: bool = False) -> list[tuple[int, int, int | None]]:
    stood = [Stood(TreeSize(size), UnixSeconds(since)) for size, since in heads]
    found = late_periods(CLOCK, stood, UnixSeconds(until), has_ended=has_ended)
    return [(one.size, one.begins, one.ends) for one in found]


def test_a_checkpoint_is_due_cadence_and_grace_after_the_boundary_of_the_head() -> None:
    assert [CLOCK.due_after(TreeSize(size)) for size in (1, 2, 5)] == [1110, 1210, 1510]


@pytest.mark.parametrize(("until", "found"), [(1210, []), (1211, [(2, 1210, None)])])
def test_the_last_second_of_grace_is_in_time(until: int, found: list[object]) -> None:
    assert periods((1, 1000), (2, 1105), until=until) == found


def test_a_period_ends_with_the_anchor_that_is_in_time_again() -> None:
    assert periods((2, 1105), (6, 1505), until=1510) == [(2, 1210, 1505)]


def test_an_anchor_that_is_late_itself_ends_nothing() -> None:
    assert periods((2, 1105), (3, 1400), (6, 1505), until=1510) == [(2, 1210, 1505)]
    assert periods((2, 1105), (3, 1400), until=1500) == [(2, 1210, None)]


def test_two_periods_with_time_kept_between_them_are_two() -> None:
    assert periods((2, 1105), (4, 1305), (7, 1600), until=1800) == [(2, 1210, 1305), (4, 1410, 1600), (7, 1710, None)]


def test_a_log_that_is_registered_late_is_late_from_its_registration_on() -> None:
    assert periods((1, 1400), (5, 1450), until=1500) == [(1, 1400, 1450)]


def test_a_log_that_has_ended_owes_nothing_after_its_end() -> None:
    assert periods((2, 1105), until=1300, has_ended=True) == [(2, 1210, 1300)]
    assert periods((2, 1105), until=1200, has_ended=True) == []


def test_without_a_head_nothing_is_late() -> None:
    assert late_periods(CLOCK, [], UnixSeconds(9999), has_ended=False) == list[Late]()
