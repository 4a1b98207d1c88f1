"""The copies of one look, asked side by side until one deadline: whoever hangs is late, and holds up nobody.

Each copy has a thread of its own: with fewer, those that hang would keep the others from being asked. One that still
hangs at the next look (a name server can do that, no server that was reached) gets no second thread. No thread keeps
the process from its end.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from hybrid_bridge.adapters.evm.abreast import LOOK_UP, Question
from hybrid_bridge.cli.watch.copies import Copy
from hybrid_bridge.cli.watch.findings import CopySight

BUDGET: Final = 60.0  # seconds of one look at all copies
GRACE: Final = 5.0  # seconds in which what came before the deadline is hashed

Ask = Callable[[Copy, float], CopySight]  # a copy, and the deadline by `time.monotonic`


class Round:
    """All copies, and who of them still has an earlier question before him."""

    def __init__(self, copies: Sequence[Copy]) -> None:
        self._copies = tuple(copies)
        self._hanging: dict[str, Question[CopySight]] = {}
        self._bugs: list[BaseException] = []

    def look(self, ask: Ask, is_over: Callable[[], bool]) -> dict[str, CopySight] | None:
        """What each copy shows, in the order of the settings whoever answers first; None: the process is to end."""
        end = time.monotonic() + BUDGET
        for name in [name for name, one in self._hanging.items() if one.is_over]:
            self._came(name, self._hanging.pop(name))  # too late for its look, but not for a fault of ours
        asked = {
            copy.name: Question(f"copy {copy.name}", partial(ask, copy, end))
            for copy in self._copies
            if copy.name not in self._hanging
        }
        self._hanging |= asked
        for question in asked.values():
            while not question.is_over and time.monotonic() < end + GRACE:
                if is_over():
                    return None
                question.wait(LOOK_UP)
        return {copy.name: self._sight(copy, asked.get(copy.name)) for copy in self._copies}

    def require_sound(self) -> None:
        """Return if all of us worked as it should. Asked once what was seen besides has been told.

        Raises:
            BaseException: a fault of this program that a copy has brought out; of several the first in order.
        """
        if self._bugs:
            raise self._bugs[0]

    def _sight(self, copy: Copy, question: Question[CopySight] | None) -> CopySight:
        """What came; of a copy that is late the checkpoint alone, if that came: who signed it has signed it.

        Where we failed ourselves nothing was seen, and nothing is said of the copy.
        """
        if question is None:
            return CopySight(trouble="copy_silent", detail="it has not answered what it was asked at an earlier look")
        if not question.is_over:
            return copy.late(f"not within {BUDGET:.0f} s")
        del self._hanging[copy.name]
        return self._came(copy.name, question)

    def _came(self, name: str, question: Question[CopySight]) -> CopySight:
        try:
            return question.answer() or CopySight()
        except BaseException as bug:  # noqa: BLE001 raised again by `require_sound`
            bug.add_note(f"while the copy {name} was looked at")
            self._bugs.append(bug)
            return CopySight()
