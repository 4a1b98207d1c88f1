"""Crash before or after a chosen call of a port, and know which calls there are.

Nothing in the product knows of this: a `Crashing` stands before any implementation of a protocol and counts the calls
of the methods it was told to watch. `Killed` is no `Exception`: no handler that means errors catches it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any


class Killed(BaseException):
    """The process ends here. Whoever catches it restarts from what is on the disk."""


def methods_of(protocol: type) -> frozenset[str]:
    """The public methods of a protocol, those of its bases included."""
    return frozenset(
        name
        for base in protocol.__mro__
        if base is not object and base.__name__ not in {"Protocol", "Generic"}
        for name, member in vars(base).items()
        if not name.startswith("_") and callable(member)
    )


@dataclass(slots=True)
class CrashPlan:
    """Kills at chosen calls. Calls of all watched ports are counted together, across restarts, from zero.

    `at` maps a call's number to "before" (nothing done) or "after" (done, and nobody told). `again` says how the next
    call of the same name dies, once, after the restart.
    """

    at: dict[int, str]
    again: str | None = None
    seen: list[str] = field(default_factory=list)
    _doomed: str | None = None

    def around(self, name: str, call: Callable[[], Any]) -> Any:
        """Make the call, unless the plan says to die first; die after it, if the plan says so."""
        when = self._when(name)
        if when == "before":
            raise Killed(name)
        result = call()
        if when == "after":
            raise Killed(name)
        return result

    def _when(self, name: str) -> str | None:
        number = len(self.seen)
        self.seen.append(name)
        if name == self._doomed:
            self._doomed, when = None, self.again
            return when
        when = self.at.get(number)
        if when is not None and self.again is not None:
            self._doomed = name
        return when


class Crashing:
    """An implementation of any port with a plan before it."""

    def __init__(self, target: object, watched: Iterable[str], plan: CrashPlan) -> None:
        self._target, self._watched, self._plan = target, frozenset(watched), plan

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._target, name)
        if name not in self._watched:
            return member

        def around(*args: object, **kwargs: object) -> Any:
            return self._plan.around(name, lambda: member(*args, **kwargs))

        return around
