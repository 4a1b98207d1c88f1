"""Stretches of epochs with the brake on."""

import pytest

from hybrid_bridge.cli.explorer.epochs import Told


@pytest.mark.parametrize(
    ("braked", "found"),
    [
        ([], []),
        ([3], [(3, 3)]),
        ([5, 3, 4], [(3, 5)]),
        ([1, 2, 4, 9, 10], [(1, 2), (4, 4), (9, 10)]),
    ],
)
def test_epochs_that_follow_one_another_are_one_stretch(braked: list[int], found: list[tuple[int, int]]) -> None:
    assert Told({}, frozenset(braked)).brakes == found  # type: ignore[arg-type]
