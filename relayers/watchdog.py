"""Who watches the clock: monotonic time since the last finished tick, in a thread that waits for nothing else.

One watches all chains of a process: it is late as soon as one of them is.

A tick that hangs takes its scheduler with it, so the scheduler cannot be the one to notice. When the last tick is later
than the patience, the process ends at once, with no attempt at order: whoever supervises starts it again, and a restart
is an ordinary tick.
"""

import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Final

from hybrid_bridge.units import Seconds

LEAST_PATIENCE: Final = Seconds(120)  # an observation may wait five seconds for each of many answers
LOOKS: Final = 8  # within one patience
EXIT_LATE: Final = 3  # undecided: another try may cure it. 4 would tell a supervisor not to try (ADR 54)


def patience_for(every: Seconds) -> float:
    """How long a tick may take, if one begins every so many seconds."""
    return max(LEAST_PATIENCE, 10 * every)


class Watchdog:
    """Fed by each finished tick of each chain. Any thread may ask its age."""

    def __init__(self, patience: float, now: Callable[[], float] = time.monotonic) -> None:
        self.patience = patience
        self._now = now
        self._began = now()
        self._fed_at: dict[str, float] = {}

    def feed(self, chain: str) -> None:
        """A tick of this chain has finished, or its first one is awaited from now on."""
        self._fed_at[chain] = self._now()

    def dismiss(self, chain: str) -> None:
        """No more ticks of this chain are awaited."""
        self._fed_at.pop(chain, None)

    @property
    def age(self) -> float:
        """Seconds since a tick finished of the chain that waits longest; since the start, if none is awaited."""
        return self._now() - min(list(self._fed_at.values()), default=self._began)

    @property
    def is_late(self) -> bool:
        """Whether no tick has finished in time."""
        return self.age > self.patience

    def watch(self, stopping: threading.Event, on_late: Callable[[], None]) -> threading.Thread:
        """Look until `stopping` is set; call `on_late` once when no tick has finished in time."""

        def look() -> None:
            while not stopping.wait(self.patience / LOOKS):
                if self.is_late:
                    on_late()
                    return

        thread = threading.Thread(target=look, daemon=True, name="watchdog")
        thread.start()
        return thread


def exit_late() -> None:
    """End the process now: no lock is taken, no buffer flushed, since whatever hangs may hold them."""
    os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, b'{"level": "error", "event": "watchdog", "exit": 3}\n')
    os._exit(EXIT_LATE)
