"""The clock: ticks until told to stop, ends on the first failure, and is watched."""

import subprocess
import sys
import threading
import time
from typing import Any

import pytest
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler

from hybrid_bridge.errors import StoreBroken
from relayers.schedule import Ticker
from relayers.watchdog import LEAST_PATIENCE, Watchdog, patience_for


def test_it_ticks_at_once_and_stops_when_told() -> None:
    ticks: list[float] = []

    def tick() -> None:
        ticks.append(time.monotonic())
        ticker.stop()

    ticker = Ticker({"chain": tick}, 3600)
    ticker.run()
    assert len(ticks) == 1


def test_a_signal_that_the_system_gives_to_another_thread_ends_it() -> None:
    """Python handles it in the main thread, which nothing wakes while it waits without an end."""
    source = """
import signal, threading
from relayers.schedule import Ticker

def tick():
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

ticker = Ticker({"chain": tick}, 3600)
signal.signal(signal.SIGTERM, lambda *_: ticker.stop())
ticker.run()
print("ended")
"""
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "ended\n"), done.stderr


def test_a_slow_tick_puts_no_words_of_the_scheduler_among_our_lines() -> None:
    """What a daemon writes to stderr is JSON, a line each."""
    source = """
import threading
from apscheduler.events import EVENT_JOB_MAX_INSTANCES
from apscheduler.schedulers.background import BackgroundScheduler
from relayers.schedule import Ticker

skipped, start = threading.Event(), BackgroundScheduler.start

def watched(self):
    self.add_listener(lambda _: skipped.set(), EVENT_JOB_MAX_INSTANCES)
    start(self)

BackgroundScheduler.start = watched

def tick():
    assert skipped.wait(30)
    ticker.stop()

ticker = Ticker({"chain": tick}, 1)
ticker.run()
"""
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_ticker_loses_no_tick_to_a_stall_and_runs_none_beside_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """RELAYER §6: with APScheduler's own defaults a stall of 1.6 s lost a job for good."""
    asked: dict[str, Any] = {}
    add_job = BackgroundScheduler.add_job

    def noted(self: Any, *args: Any, **kwargs: Any) -> Any:
        asked.update(kwargs, stores=self._jobstores)
        return add_job(self, *args, **kwargs)

    monkeypatch.setattr(BackgroundScheduler, "add_job", noted)

    def tick() -> None:
        ticker.stop()

    ticker = Ticker({"chain": tick}, 3600)
    ticker.run()
    assert (asked["misfire_grace_time"], asked["coalesce"], asked["max_instances"]) == (None, True, 1)
    assert [type(store) for store in asked["stores"].values()] == [MemoryJobStore]  # an exception of it ended all runs


def test_a_failure_ends_the_run_and_is_raised() -> None:
    """Case 34."""

    def tick() -> None:
        raise StoreBroken(store="journal", rule="a test")

    with pytest.raises(StoreBroken):
        Ticker({"chain": tick}, 3600).run()


def test_nothing_is_started_after_a_stop() -> None:
    ticks: list[int] = []
    ticker = Ticker({"chain": lambda: ticks.append(1)}, 3600)
    ticker.stop()
    ticker.run()
    assert ticks == []


def test_a_tick_that_never_ends_wakes_the_watchdog() -> None:
    """Case 34."""
    release = threading.Event()
    ticker = Ticker({"chain": lambda: release.wait(10) and None}, 3600, Watchdog(0.2))

    def late() -> None:
        ticker.stop()
        release.set()

    ticker.run(late)
    assert release.is_set()


def test_patience_grows_with_the_interval_and_has_a_floor() -> None:
    assert patience_for(1) == LEAST_PATIENCE
    assert patience_for(600) == 6000
    assert Ticker({"chain": lambda: None}, 600).watchdog.patience == 6000


def test_chains_tick_beside_each_other_and_one_that_leaves_or_hangs_stops_no_other() -> None:
    release, others = threading.Event(), threading.Semaphore(0)
    ticks: list[str] = []

    def leaving() -> None:
        ticks.append("leaving")
        ticker.leave("leaving")

    def going_on() -> None:
        others.release()
        if release.is_set():
            ticker.leave("going on")

    def hanging() -> None:
        for _ in range(3):
            others.acquire()  # the other goes on while this one hangs
        release.set()
        ticker.leave("hanging")

    ticker = Ticker({"leaving": leaving, "going on": going_on, "hanging": hanging}, 1)
    ticker.run()
    assert ticks == ["leaving"]
    assert release.is_set()
