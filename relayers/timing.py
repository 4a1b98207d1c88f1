"""How long the methods of a port take, for whoever counts it. The port does not change."""

import time
from collections.abc import Callable, Collection
from typing import Any


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
