"""Standing by: a relayer that waits for the journal of another, and takes over when it ends or falls silent."""

import threading
from collections.abc import Callable
from typing import TypeVar

from hybrid_bridge.errors import Undecided
from hybrid_bridge.units import Seconds

T = TypeVar("T")


def take_over(
    opening: Callable[[], T],
    every: Seconds,
    ended: threading.Event,
    say: Callable[[Undecided], object],
    waits_for: type[Undecided] = Undecided,
    *,
    meanwhile: Callable[[], object] = lambda: None,
) -> T | None:
    """What `opening` returns once it can; None if `ended` comes first.

    Args:
        opening: raises Undecided while another process holds the journal, or its database does not answer.
        every: seconds between two tries.
        ended: set by whoever wants this process to end, from a signal handler too.
        say: told the error whenever it is another kind than before.
        waits_for: what is waited for; another error ends the wait.
        meanwhile: done before each further try; keeps what this process holds already.
    """
    told: type[Undecided] | None = None
    while not ended.is_set():
        try:
            return opening()
        except waits_for as error:
            if type(error) is not told:
                say(error)
                told = type(error)
        if not ended.wait(every):
            meanwhile()
    return None
