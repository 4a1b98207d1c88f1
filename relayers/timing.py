"""How long the methods of a port take, and whether anybody answers, for whoever counts it. The port does not change."""

import time
from collections.abc import Callable, Collection
from typing import Any

from hybrid_bridge.errors import Unreachable


class Timed:
    """An implementation of any port; how long each call of the watched methods takes is told, also if it raises."""

    def __init__(self, target: object, watched: Collection[str], tell: Callable[[float], object]) -> None:
        self._target, self._watched, self._tell = target, frozenset(watched), tell

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 the port's own types
        member = getattr(self._target, name)
        if name not in self._watched:
            return member

        def timed(*args: object, **kwargs: object) -> Any:  # noqa: ANN401 the port's own types
            begun = time.monotonic()
            try:
                return member(*args, **kwargs)
            finally:
                self._tell(time.monotonic() - begun)

        return timed


class Answering:
    """An implementation of any port; after each call it is told whether the other side was there to answer it."""

    def __init__(self, target: object, tell: Callable[[bool], object]) -> None:
        self._target, self._tell = target, tell

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 the port's own types
        member = getattr(self._target, name)
        if not callable(member):
            return member

        def told(*args: object, **kwargs: object) -> Any:  # noqa: ANN401 the port's own types
            is_there = True
            try:
                return member(*args, **kwargs)
            except Unreachable:
                is_there = False
                raise
            finally:
                self._tell(is_there)

        return told
