"""What passed the checks that need no state is not checked again: at the door, in a proposal, in a block.

Those checks are a function of the signed bytes and the log, and most of what a transaction costs. Only their good
verdicts are kept, by hash of the *whole* signed bytes, as many as wait at most; a verdict never depends on the memory.
"""

import threading
from typing import Final

from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.transaction import SignedTransaction
from hybrid_bridge.steps.commit import stateless_check
from hybrid_bridge.units import Digest, LogId

MAX_KEPT: Final = 1 << 14  # hashes; more than wait, less than two megabytes


class Checked:
    """`stateless_check` that remembers. Any thread."""

    def __init__(self, limit: int = MAX_KEPT) -> None:
        self._limit = limit
        self._passed: dict[Digest, None] = {}  # oldest first
        self._turn = threading.Lock()

    def __call__(self, signed: SignedTransaction, log_id: LogId) -> None:
        """Return if it passes, or has passed.

        Raises:
            Malformed, Refuted: as `stateless_check`.
        """
        key = sha256(log_id + signed.encode())
        if key in self._passed:
            return
        stateless_check(signed, log_id)
        with self._turn:
            self._passed[key] = None
            while len(self._passed) > self._limit:
                del self._passed[next(iter(self._passed))]
