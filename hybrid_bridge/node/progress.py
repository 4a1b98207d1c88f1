"""How far this member is: a few numbers that only rise, and a way to wait for them. Everything here is derived."""

import threading
import time
from collections.abc import Callable
from typing import Final

from hybrid_bridge.units import Height, TreeSize

NAMES: Final = ("tip", "final", "size", "attested", "quorum", "line", "delivery", "heard", "spoken", "cosigned")
SIGNED: Final = ("tip", "spoken", "attested", "line", "cosigned")
PRESSING: Final = 3  # the first so many of these: finality and quorum wait for words and attestations, and for no line


class Progress:
    """Numbers are raised after the commit they speak of; waiters look again each time one rises."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._numbers = dict.fromkeys(NAMES, 0)
        self._stopping = False

    @property
    def tip(self) -> Height:
        """Newest block that we executed; zero before the first."""
        return Height(self._numbers["tip"])

    @property
    def final(self) -> Height:
        """Newest block that a quorum of validators countersigned."""
        return Height(self._numbers["final"])

    @property
    def size(self) -> TreeSize:
        """Leaves of the log that we closed."""
        return TreeSize(self._numbers["size"])

    @property
    def attested(self) -> TreeSize:
        """Newest checkpoint that we signed."""
        return TreeSize(self._numbers["attested"])

    @property
    def quorum(self) -> TreeSize:
        """Newest checkpoint for which we hold a quorum of signatures."""
        return TreeSize(self._numbers["quorum"])

    @property
    def line(self) -> TreeSize:
        """Newest checkpoint note with a signature of the log key."""
        return TreeSize(self._numbers["line"])

    @property
    def heard(self) -> bool:
        """Whether enough members have told what they heard of our keys: before, nothing is signed."""
        return self._numbers["heard"] > 0

    @property
    def signed(self) -> tuple[int, ...]:
        """Numbers that rise with every signature of ours, and with some things besides; the pressing ones first."""
        return tuple(self._numbers[name] for name in SIGNED)

    @property
    def stopping(self) -> bool:
        """Whether all loops shall end."""
        return self._stopping

    def raised(self, name: str, number: int) -> None:
        """Say that `name` has reached `number`; a lower number is ignored."""
        with self._changed:
            if number > self._numbers[name]:
                self._numbers[name] = number
                self._changed.notify_all()

    def nudge(self) -> None:
        """Let all waiters look again, as after something that is no number."""
        with self._changed:
            self._numbers["delivery"] += 1
            self._changed.notify_all()

    def wait(self, until: Callable[[], bool], seconds: float) -> bool:
        """Wait for `until`, at most so long. False when the time is over or the node stops."""
        end = time.monotonic() + seconds
        with self._changed:
            while not self._stopping:
                if until():
                    return True
                left = end - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(left)
        return False

    def wait_above(self, name: str, number: int, seconds: float) -> bool:
        """Wait until `name` has risen above `number`."""
        return self.wait(lambda: self._numbers[name] > number, seconds)

    def await_heard(self) -> bool:
        """Wait until enough members have told what they heard of our keys; False when the node stops before."""
        while not self._stopping and not self.heard:
            self.wait_above("heard", 0, 60.0)
        return self.heard and not self._stopping

    def stop(self) -> None:
        """End every wait."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
