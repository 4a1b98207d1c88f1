"""The clock: the only door to APScheduler, used as a ticker and for nothing else.

A memory store, one job, no overlapping, nothing lost to a stall. What it cannot notice by itself is a tick that never
ends: that is the watchdog's.
"""

import threading
from collections.abc import Callable
from datetime import UTC, datetime

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from hybrid_bridge.units import Seconds
from relayers.watchdog import Watchdog, exit_late, patience_for


class Ticker:
    """Calls `tick` every so many seconds until `stop`, or until a tick raises."""

    def __init__(self, tick: Callable[[], None], every: Seconds, watchdog: Watchdog | None = None) -> None:
        self._tick, self._every = tick, every
        self._stopping = threading.Event()
        self.watchdog = watchdog or Watchdog(patience_for(every))
        self._failure: BaseException | None = None

    def stop(self) -> None:
        """End after the tick that runs now. Any thread, also a signal handler, also the tick itself."""
        self._stopping.set()

    def run(self, on_late: Callable[[], None] = exit_late) -> None:
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
        finished = threading.Event()
        scheduler.start()
        self.watchdog.watch(finished, on_late)
        self._stopping.wait()
        scheduler.shutdown(wait=True)  # watched too: the last tick may be the one that hangs
        finished.set()
        if self._failure is not None:
            raise self._failure

    def _one(self) -> None:
        if self._stopping.is_set():
            return
        try:
            self._tick()
        except BaseException as error:  # noqa: BLE001 the scheduler would log it and go on; `run` raises it
            self._failure = error
            self._stopping.set()
        self.watchdog.feed()
