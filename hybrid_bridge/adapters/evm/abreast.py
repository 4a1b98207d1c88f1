"""Endpoints asked side by side, a thread for each: whoever hangs holds up nobody, and has one thread at most.

What comes back stands in the order of the endpoints, whoever was first. Where enough of them have to agree, the answer
is there as soon as they do: since enough are more than half, no later answer could change it.
"""

import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, TypeVar

from hybrid_bridge.adapters.evm.bounded_http import Limit, keep_to
from hybrid_bridge.adapters.evm.chain import Web3Chain
from hybrid_bridge.adapters.evm.rpc import TIMEOUT
from hybrid_bridge.errors import AnswerMalformed, Missing, Undecided

T = TypeVar("T")

LOOK_UP: Final = 0.2  # seconds between two looks whether the process is to end
PATIENCE: Final = 2.0 * TIMEOUT + 1  # seconds of a look for one call, and for what is left of the one before
GRACE: Final = 1.0  # seconds in which what came before the deadline is read


class Question(Generic[T]):
    """Something that is asked in a thread of its own, which keeps no process from its end."""

    def __init__(
        self, name: str, ask: Callable[[], T], limit: Limit | None = None, bell: threading.Event | None = None
    ) -> None:
        """Asked from now on; `bell` rings when it is over."""
        self.limit, self._bell = limit or Limit(), bell or threading.Event()
        self.seconds = math.inf  # that it took, once it is over
        self._ask, self._begun = ask, time.monotonic()
        self._came: T | None = None
        self._bug: BaseException | None = None
        self._over = threading.Event()
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.thread.start()

    @property
    def is_over(self) -> bool:
        """Whether `answer` is final."""
        return self._over.is_set()

    def wait(self, seconds: float) -> bool:
        """So long at most, in seconds; whether it is over."""
        return self._over.wait(seconds)

    def answer(self) -> T | None:
        """What came; None if nothing has.

        Raises:
            BaseException: what was raised instead, which nobody has foreseen.
        """
        if self._bug is not None:
            raise self._bug
        return self._came

    def _run(self) -> None:
        keep_to(self.limit)
        try:
            self._came = self._ask()
        except BaseException as bug:  # noqa: BLE001 raised again in the thread that waits
            self._bug = bug
        self.seconds = time.monotonic() - self._begun
        self._over.set()
        self._bell.set()


def said(ask: Callable[[], T]) -> T | None:
    """An endpoint's answer; None if it is away, refuses, lacks or no longer keeps it, or answers nonsense."""
    try:
        return ask()
    except (Undecided, AnswerMalformed):
        return None


def agreed(what: str, needed: int, answers: Sequence[T | None]) -> T:
    """The answer of at least `needed`, which are more than half.

    Raises:
        Missing: there is none.
    """
    value, count = _most(answers)
    if value is None or count < needed:
        raise Missing(what=lacking(what, needed, answers))
    return value


def lacking(what: str, needed: int, answers: Sequence[object | None]) -> str:
    """What is missing where not so many agree, and who said nothing."""
    silent = ", ".join(f"endpoint {i}" for i, answer in enumerate(answers, start=1) if answer is None)
    agreeing = f"{needed} endpoints that agree on" if len(answers) > 1 else "an endpoint that tells"
    return f"{agreeing} {what}" + (f"; no such answer from {silent}" if silent else "")


def _most(answers: Sequence[T | None]) -> tuple[T | None, int]:
    return next(iter(Counter(answer for answer in answers if answer is not None).most_common(1)), (None, 0))


class Circle:
    """Endpoints of one contract. One circle is for one thread; it may be asked for ever.

    Args:
        chains: the contract behind each.
        is_over: whether the process is to end; then nobody is waited for, and nobody has said anything.
    """

    def __init__(self, chains: Sequence[Web3Chain], is_over: Callable[[], bool] = lambda: False) -> None:
        self.chains = tuple(chains)
        self._is_over = is_over
        self._end, self._is_look = math.inf, False
        self._late: set[int] = set()
        self._asked: dict[int, Question[Any]] = {}
        self._bell = threading.Event()

    def begin(self, seconds: float) -> None:
        """A look that ends after so long. Who let one call of it run out is asked no more before the next look."""
        self._end, self._is_look = time.monotonic() + seconds, True
        self._late = {index for index, question in self._asked.items() if not question.is_over}

    def go_on(self, seconds: float) -> None:
        """The same look, for so long from now."""
        self._end = time.monotonic() + seconds

    def all_say(self, ask: Callable[[Web3Chain], T]) -> list[T | None]:
        """Each one's answer, as `said`; all are waited for."""
        patience = time.monotonic() + PATIENCE if self._is_look else math.inf
        return self._answers(ask, patience, lambda _: False)

    def agree(self, what: str, needed: int, ask: Callable[[Web3Chain], T | None]) -> T:
        """The answer of at least `needed`, which are more than half.

        Raises:
            Missing: there is none.
        """
        answers = self._answers(ask, math.inf, lambda found: _most(found)[1] >= needed)
        return agreed(what, needed, answers)

    def _answers(
        self, ask: Callable[[Web3Chain], T | None], patience: float, is_enough: Callable[[list[T | None]], bool]
    ) -> list[T | None]:
        end = min(self._end + GRACE, patience)
        waiting = [index for index in range(len(self.chains)) if index not in self._late]
        asked: dict[int, Question[T | None]] = {}
        found: list[T | None] = [None] * len(self.chains)
        while not self._is_over() and (left := end - time.monotonic()) > 0:
            self._bell.clear()
            for index in [one for one in waiting if self._is_free(one)]:
                waiting.remove(index)
                asked[index] = self._asked[index] = self._question(index, ask)
            is_whole = not waiting and all(one.is_over for one in asked.values())  # before the answers are read
            found = [asked[index].answer() if index in asked else None for index in range(len(self.chains))]
            if is_whole or is_enough(found):
                break
            self._bell.wait(min(LOOK_UP, left))
        else:
            self._late |= {index for index in (*waiting, *asked) if not self._is_free(index)}
        self._let_go(asked)
        return found

    def _is_free(self, index: int) -> bool:
        """What it was asked before is over."""
        return index not in self._asked or self._asked[index].is_over

    def _question(self, index: int, ask: Callable[[Web3Chain], T | None]) -> "Question[T | None]":
        chain, limit = self.chains[index], Limit(self._end)
        return Question(f"endpoint {index + 1}", lambda: said(lambda: ask(chain)), limit, self._bell)

    def _let_go(self, asked: "dict[int, Question[T | None]]") -> None:
        """Whom nobody waits for any more ends with the call that it is in."""
        for index, question in asked.items():
            if not question.is_over:
                question.limit.end = -math.inf
            elif self._is_look and question.seconds >= TIMEOUT and question.answer() is None:
                self._late.add(index)
