"""The clock, and who watches it: the only door to APScheduler, used as a ticker and for nothing else.

A memory store, one job, no overlapping, nothing lost to a stall. The watchdog is a thread of its own: it compares
monotonic time with the last finished tick and ends the process when that is late; whoever supervises starts it again.
"""

import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from hybrid_bridge.units import Seconds

LEAST_PATIENCE: Final = Seconds(120)  # an observation may wait five seconds for each of many answers
EXIT_BROKEN: Final = 4


class Ticker:
    """Calls `tick` every so many seconds until `stop`, or until a tick raises."""

    def __init__(self, tick: Callable[[], None], every: Seconds) -> None:
        self._tick, self._every = tick, every
        self._stopping = threading.Event()
        self._finished_at = time.monotonic()
        self._failure: BaseException | None = None

    def stop(self) -> None:
        """End after the tick that runs now. Any thread, also a signal handler."""
        self._stopping.set()

    def run(self, on_late: Callable[[], None] | None = None) -> None:
        """Tick until stopped.

        Args:
            on_late: what the watchdog does when no tick has finished in time; by default the process exits with 4.

        Raises:
            BaseException: what a tick raised; it was the last one.
        """
        scheduler = BackgroundScheduler(timezone=UTC, executors={"default": ThreadPoolExecutor(1)})
        scheduler.add_job(
            self._one,
            "interval",
            seconds=self._every,
            next_run_time=datetime.now(UTC),
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
        )
        watchdog = threading.Thread(target=self._watch, args=(on_late or _exit_late,), daemon=True, name="watchdog")
        scheduler.start()
        watchdog.start()
        self._stopping.wait()
        scheduler.shutdown(wait=True)
        if self._failure is not None:
            raise self._failure

    @property
    def patience(self) -> float:
        """How long a tick may take before the watchdog acts."""
        return max(LEAST_PATIENCE, 10 * self._every)

    def _one(self) -> None:
        if self._stopping.is_set():
            return
        try:
            self._tick()
        except BaseException as error:  # noqa: BLE001 the scheduler would log it and go on; `run` raises it
            self._failure = error
            self._stopping.set()
        self._finished_at = time.monotonic()

    def _watch(self, on_late: Callable[[], None]) -> None:
        while not self._stopping.wait(self.patience / 8):
            if time.monotonic() - self._finished_at > self.patience:
                on_late()
                return


def _exit_late() -> None:
    os._exit(EXIT_BROKEN)
