"""How much of a server one caller may have in a second: a bucket of tokens for each, and for each class of calls.

A call costs a token before its message is read, and what it turns out to hold is charged afterwards: a debt that the
next call waits for. So nothing that was read is thrown away, and nobody gets more than the rate for long. A caller is a
certificate's name and role; the consortium's authority decides how many there are, and the table is bounded besides.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, fields
from math import ceil
from typing import Final

from hybrid_bridge.errors import Throttled
from hybrid_bridge.rpc.service import Caller

BURST: Final = 5  # seconds' worth that may be saved
MAX_BUCKETS: Final = 4_096  # the least used goes; who comes back finds a full one
UNIT: Final = 1 << 16  # bytes of a message that one more token pays for
LEAST_PAUSE: Final = 1  # ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Tokens a second for each class of calls of one caller."""

    submit: int = 200  # transactions
    reads: int = 200
    delivery: int = 100  # envelopes
    streams: int = 10  # streams opened


DEFAULT: Final = Limits()
KINDS: Final = tuple(field.name for field in fields(Limits))


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float  # seconds, when they were counted


class Buckets:
    """The buckets of all callers. Used by any thread."""

    def __init__(self, limits: Limits, now: Callable[[], float], free: Caller | None = None) -> None:
        """`now`: seconds of a clock that never goes back. `free`: pays nothing, it is the owner of the machine."""
        self._free = free
        self._rates = {kind: getattr(limits, kind) for kind in KINDS}
        self._now, self._turn = now, threading.Lock()
        self._buckets: OrderedDict[tuple[Caller, str], _Bucket] = OrderedDict()

    def take(self, caller: Caller, kind: str) -> None:
        """Pay for one call.

        Raises:
            Throttled: there is no token left.
        """
        if caller == self._free:
            return
        with self._turn:
            bucket = self._filled(caller, kind)
            if bucket.tokens < 1:
                pause = ceil((1 - bucket.tokens) / self._rates[kind] * 1_000)
                raise Throttled(limit=kind, retry_after=max(LEAST_PAUSE, pause))
            bucket.tokens -= 1

    def charge(self, caller: Caller, kind: str, tokens: int) -> None:
        """Pay for what a call turned out to be; on credit if need be."""
        if tokens > 0 and caller != self._free:
            with self._turn:
                self._filled(caller, kind).tokens -= tokens

    def __len__(self) -> int:
        return len(self._buckets)

    def _filled(self, caller: Caller, kind: str) -> _Bucket:
        now, rate = self._now(), self._rates[kind]
        bucket = self._buckets.setdefault((caller, kind), _Bucket(rate * BURST, now))
        bucket.tokens = min(rate * BURST, bucket.tokens + (now - bucket.at) * rate)
        bucket.at = now
        self._buckets.move_to_end((caller, kind))
        if len(self._buckets) > MAX_BUCKETS:
            self._buckets.popitem(last=False)
        return bucket
