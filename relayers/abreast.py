"""Several endpoints asked at once: a thread for each, one at most, given up at a deadline.

The only threads within a tick. What comes back is in the order of the question, whoever was first.
"""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

T = TypeVar("T")

DEADLINE: Final = 20.0  # seconds of one question: a few calls that end by themselves after five, and a resolver


class Abreast:
    """Who asks the endpoints of one chain. An endpoint that has not come back is not asked again before it does."""

    def __init__(self, deadline: float = DEADLINE) -> None:
        self._deadline = deadline
        self._door = threading.Lock()
        self._away: set[str] = set()

    def __call__(self, names: Sequence[str], works: Sequence[Callable[[], T]]) -> list[T | None]:
        """What each work returns; None for one that is not back in time.

        Raises:
            BaseException: what a work raises; of several the first in order.
        """
        back: queue.SimpleQueue[tuple[int, T | None, BaseException | None]] = queue.SimpleQueue()
        asked = [index for index, name in enumerate(names) if self._may_go(name)]
        for index in asked:
            task = (index, names[index], works[index], back)
            threading.Thread(target=self._go, args=task, name=f"ask-{names[index]}", daemon=True).start()
        found: dict[int, tuple[T | None, BaseException | None]] = {}
        end = time.monotonic() + self._deadline
        while len(found) < len(asked):
            try:
                index, value, error = back.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                break
            found[index] = (value, error)
        for index in sorted(found):
            if (error := found[index][1]) is not None:
                raise error
        return [found[index][0] if index in found else None for index in range(len(names))]

    def _may_go(self, name: str) -> bool:
        with self._door:
            is_here = name not in self._away
            self._away.add(name)
            return is_here

    def _go(
        self,
        index: int,
        name: str,
        work: Callable[[], T],
        back: "queue.SimpleQueue[tuple[int, T | None, BaseException | None]]",
    ) -> None:
        value, failure = None, None
        try:
            value = work()
        except BaseException as error:  # noqa: BLE001 raised again in the thread that waits
            failure = error
        with self._door:
            self._away.discard(name)
        back.put((index, value, failure))
