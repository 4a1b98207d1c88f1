"""The clock: the only door to APScheduler, used as a ticker and for nothing else.

A memory store, one job and one thread for each chain, no overlapping, nothing lost to a stall. What it cannot notice by
itself is a tick that never ends: that is the watchdog's.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from hybrid_bridge.units import Seconds
from relayers.watchdog import Watchdog, exit_late, patience_for

LOOK_UP: Final = 1.0  # seconds

# Else Python prints its warnings, one for each tick that another holds up, among our JSON lines; a metric counts them.
logging.getLogger("apscheduler").addHandler(logging.NullHandler())


class Ticker:
    """Calls each chain's tick every so many seconds, until `stop`, until one raises, or until all have left."""

    def __init__(
        self, ticks: Mapping[str, Callable[[], None]], every: Seconds, watchdog: Watchdog | None = None
    ) -> None:
        self._ticks, self._every = dict(ticks), every
        self._stopping = threading.Event()
        self._here = set(ticks)
        self._door = threading.Lock()
        self.watchdog = watchdog or Watchdog(patience_for(every))
        self._failure: BaseException | None = None

    @property
    def here(self) -> frozenset[str]:
        """The chains that still tick."""
        with self._door:
            return frozenset(self._here)

    def stop(self) -> None:
        """End after the ticks that run now. Any thread, also a signal handler, also a tick itself."""
        self._stopping.set()

    def leave(self, chain: str) -> None:
        """No more ticks of this chain; the last one to leave ends the run. Any thread, also the tick itself."""
        with self._door:
            self._here.discard(chain)
            if not self._here:
                self._stopping.set()

    def run(self, on_late: Callable[[], None] = exit_late) -> None:
        """Tick until stopped.

        Args:
            on_late: what the watchdog does when no tick has finished in time; by default the process exits with 3.

        Raises:
            BaseException: what a tick raised; it was the last one.
        """
        scheduler = BackgroundScheduler(timezone=UTC, executors={"default": ThreadPoolExecutor(len(self._ticks))})
        for chain in self._ticks:
            self.watchdog.feed(chain)
            scheduler.add_job(
                self._one,
                "interval",
                [chain],
                seconds=self._every,
                next_run_time=datetime.now(UTC),
                max_instances=1,
                coalesce=True,
                misfire_grace_time=None,
            )
        finished = threading.Event()
        scheduler.start()
        self.watchdog.watch(finished, on_late)
        while not self._stopping.wait(LOOK_UP):
            pass  # a signal that the system gave to another thread is handled when this one wakes by itself
        scheduler.shutdown(wait=True)  # watched too: the last tick may be the one that hangs
        finished.set()
        if self._failure is not None:
            raise self._failure

    def _one(self, chain: str) -> None:
        if self._stopping.is_set() or chain not in self._here:
            return
        try:
            self._ticks[chain]()
        except BaseException as error:  # noqa: BLE001 the scheduler would log it and go on; `run` raises it
            self._failure = error
            self._stopping.set()
        if chain in self._here:
            self.watchdog.feed(chain)
        else:
            self.watchdog.dismiss(chain)
