"""Commands that go on until they are told to end: SIGTERM, or Ctrl-C."""

import signal
import threading
import time
from types import FrameType
from typing import Final

LOOK_UP: Final = 1.0  # seconds


class Ending:
    """From its making on both signals are heard, and end nothing by themselves."""

    def __init__(self) -> None:
        self._over = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._told)

    def wait(self, seconds: float | None = None) -> bool:
        """True once a signal came; False when so long none did (None: wait for one).

        A signal that the system gave to another thread is handled when this one wakes by itself, so it does.
        """
        end = None if seconds is None else time.monotonic() + seconds
        while not self._over.wait(LOOK_UP if end is None else min(LOOK_UP, max(0.0, end - time.monotonic()))):
            if end is not None and time.monotonic() >= end:
                return False
        return True

    def is_over(self) -> bool:
        """Whether a signal came."""
        return self._over.is_set()

    def _told(self, _signal: int, _frame: FrameType | None) -> None:
        self._over.set()
