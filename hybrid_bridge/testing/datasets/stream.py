"""Numbers that look random and are the same everywhere: an HMAC-SHA-256 counter stream, keyed by seed and purpose."""

import hashlib
import hmac
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Stream:
    """One stream; another purpose is another stream, so that a change in one place moves nothing elsewhere."""

    def __init__(self, seed: str, purpose: str) -> None:
        self._key = hashlib.sha256(f"{seed}/{purpose}".encode()).digest()
        self._counter = 0
        self._left = b""

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        while len(self._left) < count:
            self._left += hmac.digest(self._key, self._counter.to_bytes(8, "big"), "sha256")
            self._counter += 1
        taken, self._left = self._left[:count], self._left[count:]
        return taken

    def below(self, limit: int) -> int:
        """A number from 0 to limit - 1; 16 bytes make the bias too small to see."""
        return int.from_bytes(self.take(16), "big") % limit

    def between(self, low: int, high: int) -> int:
        """A number from low to high, both included."""
        return low + self.below(high - low + 1)

    def choice(self, items: Sequence[T]) -> T:
        """One of the items."""
        return items[self.below(len(items))]

    def text(self, alphabet: str, length: int) -> str:
        """Characters of an alphabet."""
        return "".join(self.choice(alphabet) for _ in range(length))

    def id16(self) -> str:
        """32 hex digits."""
        return self.take(16).hex()

    def parts(self, total: int, count: int, least: int) -> list[int]:
        """`count` numbers of at least `least` that add up to `total`, of much the same size."""
        shares = [self.between(50, 150) for _ in range(count)]
        free = total - least * count
        sizes = [least + free * share // sum(shares) for share in shares]
        sizes[-1] += total - sum(sizes)
        return sizes
