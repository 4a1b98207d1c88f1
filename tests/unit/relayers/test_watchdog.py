"""The watchdog ends the process, whatever hangs, and says so."""

import json
import subprocess
import sys
import threading

from relayers.watchdog import EXIT_LATE, Watchdog

HUNG = """
import threading
from relayers.schedule import Ticker
from relayers.watchdog import Watchdog
ticker = Ticker({{"chain": {tick}}}, 3600, Watchdog({patience}))
ticker.run()
"""


def child(tick: str, patience: float) -> subprocess.CompletedProcess[str]:
    code = HUNG.format(tick=tick, patience=patience)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)


def test_a_process_whose_tick_hangs_ends_with_three_and_one_line() -> None:
    """Case 34."""
    done = child("threading.Event().wait", 0.3)
    assert done.returncode == EXIT_LATE == 3
    assert json.loads(done.stderr)["event"] == "watchdog"


def test_a_last_tick_that_hangs_after_the_stop_is_watched_too() -> None:
    done = child("lambda: (ticker.stop(), threading.Event().wait())", 0.3)
    assert done.returncode == EXIT_LATE, done.stderr


def test_it_is_late_only_after_its_patience_and_each_tick_feeds_it() -> None:
    now = [0.0]
    watchdog = Watchdog(10.0, lambda: now[0])
    now[0] = 10.0
    assert not watchdog.is_late
    now[0] = 10.5
    assert watchdog.is_late
    watchdog.feed("one")
    assert (watchdog.age, watchdog.is_late) == (0.0, False)


def test_it_is_as_late_as_the_chain_that_waits_longest() -> None:
    now = [0.0]
    watchdog = Watchdog(10.0, lambda: now[0])
    watchdog.feed("one")
    watchdog.feed("other")
    now[0] = 11.0
    watchdog.feed("one")
    assert (watchdog.age, watchdog.is_late) == (11.0, True)
    watchdog.dismiss("other")
    assert not watchdog.is_late


def test_it_calls_once_and_ends() -> None:
    calls: list[int] = []
    thread = Watchdog(0.01).watch(threading.Event(), lambda: calls.append(1))
    thread.join(30)
    assert calls == [1]
    assert not thread.is_alive()
