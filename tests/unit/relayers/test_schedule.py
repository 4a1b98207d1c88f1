"""The clock: ticks until told to stop, ends on the first failure, and is watched."""

import threading
import time

import pytest

from hybrid_bridge.errors import StoreBroken
from relayers.schedule import Ticker
from relayers.watchdog import LEAST_PATIENCE, Watchdog, patience_for


def test_it_ticks_at_once_and_stops_when_told() -> None:
    ticks: list[float] = []

    def tick() -> None:
        ticks.append(time.monotonic())
        ticker.stop()

    ticker = Ticker(tick, 3600)
    ticker.run()
    assert len(ticks) == 1


def test_a_failure_ends_the_run_and_is_raised() -> None:
    """Case 34."""

    def tick() -> None:
        raise StoreBroken(store="journal", rule="a test")

    with pytest.raises(StoreBroken):
        Ticker(tick, 3600).run()


def test_nothing_is_started_after_a_stop() -> None:
    ticks: list[int] = []
    ticker = Ticker(lambda: ticks.append(1), 3600)
    ticker.stop()
    ticker.run()
    assert ticks == []


def test_a_tick_that_never_ends_wakes_the_watchdog() -> None:
    """Case 34."""
    release = threading.Event()
    ticker = Ticker(lambda: release.wait(10) and None, 3600, Watchdog(0.2))

    def late() -> None:
        ticker.stop()
        release.set()

    ticker.run(late)
    assert release.is_set()


def test_patience_grows_with_the_interval_and_has_a_floor() -> None:
    assert patience_for(1) == LEAST_PATIENCE
    assert patience_for(600) == 6000
    assert Ticker(lambda: None, 600).watchdog.patience == 6000
