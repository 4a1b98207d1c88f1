"""The copies of one look, asked side by side until one deadline: whoever hangs is late, and holds up nobody.

Each copy has a thread of its own: with fewer, those that hang would keep the others from being asked. One that still
hangs at the next look (a name server can do that, no server that was reached) gets no second thread. No thread keeps
the process from its end.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from hybrid_bridge.cli.watch.copies import Copy
from hybrid_bridge.cli.watch.findings import CopySight

BUDGET: Final = 60.0  # seconds of one look at all copies
GRACE: Final = 5.0  # seconds in which what came before the deadline is hashed
LOOK_UP: Final = 0.2  # seconds between two looks whether the process is to end

Ask = Callable[[Copy, float], CopySight]  # a copy, and the deadline by `time.monotonic`


class Question:
    """One copy that is asked; `sight` is there when it was."""

    def __init__(self, copy: Copy, ask: Ask, end: float) -> None:
        self.sight: CopySight | None = None
        self._copy, self._ask, self._end = copy, ask, end
        self.thread = threading.Thread(target=self._run, name=f"copy {copy.name}", daemon=True)
        self.thread.start()

    def _run(self) -> None:
        self.sight = self._ask(self._copy, self._end)


class Round:
    """All copies, and who of them still has an earlier question before him."""

    def __init__(self, copies: Sequence[Copy]) -> None:
        self._copies = tuple(copies)
        self._hanging: dict[str, Question] = {}

    def look(self, ask: Ask, is_over: Callable[[], bool]) -> dict[str, CopySight] | None:
        """What each copy shows, in the order of the settings whoever answers first; None: the process is to end."""
        end = time.monotonic() + BUDGET
        hanging = {name: one for name, one in self._hanging.items() if one.thread.is_alive()}
        asked = {copy.name: Question(copy, ask, end) for copy in self._copies if copy.name not in hanging}
        self._hanging = {**hanging, **asked}
        for question in asked.values():
            while question.thread.is_alive() and time.monotonic() < end + GRACE:
                if is_over():
                    return None
                question.thread.join(LOOK_UP)
        return {copy.name: _sight(copy, asked.get(copy.name)) for copy in self._copies}


def _sight(copy: Copy, question: Question | None) -> CopySight:
    """What came; of a copy that is late the checkpoint alone, if that came: who signed it has signed it."""
    if question is None:
        return CopySight(trouble="copy_silent", detail="it has not answered what it was asked at an earlier look")
    return question.sight or copy.late(f"not within {BUDGET:.0f} s")
