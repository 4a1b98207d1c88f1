"""What a row of pinned public blocks shows by itself: replaced ones, and how our clock stands to theirs. Pure.

Only pins that follow one another closely can be compared, so a reorganisation between two that lie apart is not seen
here; S3 and the journal's final headers are what safety rests on, this is for the operator's eyes.
"""

from collections import deque
from typing import Final

from hybrid_bridge.ports import PublicBlock
from hybrid_bridge.units import PublicBlockHash, PublicBlockNumber, UnixSeconds

REMEMBERED: Final = 256  # public blocks: more than any chain replaces
AGES: Final = 64  # new pins over which the least age is taken


class Pins:
    """The pinned public blocks of this process, newest last."""

    def __init__(self) -> None:
        self._hashes: dict[PublicBlockNumber, PublicBlockHash] = {}
        self._ages: deque[int] = deque(maxlen=AGES)

    def add(self, pinned: PublicBlock, now: UnixSeconds) -> int:
        """The pin of a tick; how many public blocks that we had seen it replaces."""
        if self._hashes.get(pinned.number) == pinned.hash:
            return 0
        self._ages.append(now - pinned.time)
        newest = max(self._hashes, default=pinned.number)
        parent = PublicBlockNumber(pinned.number - 1)
        seen = ((parent, pinned.parent), (pinned.number, pinned.hash))
        replaced = [number for number, hash_ in seen if self._hashes.get(number, hash_) != hash_]
        depth = newest - replaced[0] + 1 if replaced else 0
        # What stands above a pin may be replaced, or merely not be there yet at enough endpoints: it is seen anew.
        kept = [number for number in self._hashes if number < pinned.number and number not in replaced]
        self._hashes = {number: self._hashes[number] for number in sorted(kept)[-REMEMBERED:]} | dict(seen)
        return depth

    @property
    def skew(self) -> int | None:
        """Our clock less the public chain's, in seconds: the least age at which a public block was new to us."""
        return min(self._ages, default=None)


def missed(gap: float, took: float, every: float) -> tuple[int, str]:
    """Ticks that should have begun between two that did, and why they did not.

    Args:
        gap: seconds from the beginning of the last tick to the beginning of this one.
        took: how long the last one took.
        every: seconds between two.

    Returns:
        How many; `slow` if the last tick took their time, else `stalled`: the process or its machine did not run.
    """
    count = max(0, round(gap / every) - 1)
    return count, "slow" if took >= every else "stalled"
