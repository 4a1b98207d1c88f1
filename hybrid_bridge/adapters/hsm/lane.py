"""A lane for calls into other people's code: one after the other, each in a thread that is given up at its deadline."""

import queue
import threading
from collections.abc import Callable
from typing import TypeVar

from hybrid_bridge.errors import Unreachable
from hybrid_bridge.units import Seconds

_T = TypeVar("_T")


class Lane:
    """Calls that may never come back: one at a time, each given up at its deadline."""

    def __init__(self, name: str, deadline: Seconds, free: "threading.Lock | None" = None) -> None:
        """Ready to run.

        Args:
            name: in errors.
            deadline: of one call.
            free: shared by lanes of which only one may be used at a time; None: a lane of its own.
        """
        self._name, self._deadline = name, deadline
        self._free = free or threading.Lock()

    def run(self, call: str, work: Callable[[], _T]) -> _T:
        """What `work` returns or raises.

        Raises:
            Unreachable: not within the deadline, or an earlier call has not come back yet.
        """
        if not self._free.acquire(timeout=self._deadline):
            raise Unreachable(endpoint=self._name, call=call)
        answers: queue.SimpleQueue[tuple[_T | None, BaseException | None]] = queue.SimpleQueue()

        def attempt() -> None:
            try:
                answers.put((work(), None))
            except BaseException as error:  # noqa: BLE001 raised again in the thread that waits
                answers.put((None, error))
            finally:
                self._free.release()

        threading.Thread(target=attempt, name=f"hsm-{call}", daemon=True).start()
        try:
            value, error = answers.get(timeout=self._deadline)
        except queue.Empty:
            raise Unreachable(endpoint=self._name, call=call) from None
        if error is not None:
            raise error
        return value  # type: ignore[return-value] # of `work`, when there is no error
