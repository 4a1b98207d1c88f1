"""An engine that stands still for long is made to begin again, for an engine that begins dials everybody at once.

CometBFT dials a peer that it lost every few seconds for about two minutes, then at pauses that triple each time, and
after a day it gives up (p2p/switch.go). After a long partition members would find one another hours later, or never. A
chain that goes on makes a block every ten seconds even if nothing waits, so nothing is lost by ending an engine whose
chain has made none for minutes: it ends by itself when its node hangs up, and its supervisor starts it again.
"""

import logging
from collections.abc import Callable
from typing import Final

from hybrid_bridge.node.progress import Progress

STANDSTILL: Final = 300.0  # seconds without a block; the steady part of the engine's own dialling is over then

_log = logging.getLogger(__name__)


class Reviver:
    """The thread that watches the height."""

    def __init__(self, progress: Progress, hang_up: Callable[[], None], patience: float = STANDSTILL) -> None:
        self._progress, self._hang_up, self._patience = progress, hang_up, patience

    def run(self) -> None:
        """Hang up after each `patience` seconds without a block, until stopped."""
        while not self._progress.stopping:
            if self._progress.wait_above("tip", self._progress.tip, self._patience) or self._progress.stopping:
                continue
            _log.warning(
                "no block for %.0f seconds: the engine is let go, so that it dials everybody again", self._patience
            )
            self._hang_up()
