"""Snapshots that peers may have: chunks of our own ledger, cut in the background, read from it when one is asked for.

Nothing is written: every start reads the whole ledger anyway, to see that it is undamaged, and cuts it again. What is
kept is a row for each chunk that is full. A snapshot is offered two blocks late, since the engine of a new member wants
two headers more than the height that it takes. Its chunks are to be had as long as the ledger stands: who takes a long
one must not begin again because newer ones are offered.
"""

import logging
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from hybrid_bridge.adapters.sqlite.ledger import SqlLedger
from hybrid_bridge.core.snapshot import MAX_CHUNKS, Chunk, OrderedBlock, Snapshot, chunk_hash
from hybrid_bridge.node.progress import Progress
from hybrid_bridge.units import Digest, Height, LogId

KEPT: Final = 2  # offered: the newest, and the one before for engines that are a little behind
LATE: Final = 2  # blocks
PAUSE: Final = 60.0  # seconds; a ledger that does not grow is looked at again

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Cut:
    """Where a chunk of ours stands."""

    first: Height
    end: Height  # the block after its last
    hash: Digest


class Shelf:
    """What is offered now. One thread cuts; any thread asks."""

    def __init__(self, ledger: SqlLedger, log_id: LogId, first_block: Height, every: int) -> None:
        """`every`: a snapshot stands at heights that are multiples of it; zero: none is made."""
        self._ledger, self._log_id, self._every = ledger, log_id, every
        self._first = first_block
        self._full: list[_Cut] = []
        self._next = first_block  # where the chunk begins that is not full yet
        self._offers: tuple[Snapshot, ...] = ()

    def run(self, progress: Progress) -> None:
        """Cut what comes, until stopped."""
        while self._every and not progress.stopping:
            tip = progress.tip
            self.extend(tip)
            progress.wait_above("tip", tip, PAUSE)

    def extend(self, tip: Height) -> None:
        """Offer the newest snapshot that stands well below `tip`, if it is not offered already."""
        height = Height((tip - LATE) // self._every * self._every)
        if height < self._first or (self._offers and height <= self._offers[-1].height):
            return
        cuts = self._cut(Height(height + 1))
        if len(cuts) > MAX_CHUNKS:
            _log.warning("no snapshot at block %d: more chunks than an engine takes", height)
            return
        snapshot = Snapshot(log_id=self._log_id, height=height, chunks=tuple(cut.hash for cut in cuts))
        self._offers = (*self._offers, snapshot)[-KEPT:]
        _log.info("snapshot of block %d offered: %d chunks", height, len(cuts))

    def offered(self) -> list[Snapshot]:
        """The newest, ascending."""
        return list(self._offers)

    def chunk(self, height: int, index: int) -> bytes:
        """A chunk of the snapshot of any height up to the newest that is offered; empty where there is none."""
        if not self._offers or not self._first <= height <= self._offers[-1].height:
            return b""
        full = bisect_right(self._full, height + 1, key=lambda cut: cut.end)
        if index < full:
            return self._read(self._full[index].first, self._full[index].end).encode()
        first = self._full[full - 1].end if full else self._first
        if index > full or first > height:
            return b""
        return self._read(first, Height(height + 1)).encode()

    def _cut(self, end: Height) -> tuple[_Cut, ...]:
        """All chunks of the blocks before `end`; those that are full are remembered."""
        while self._next < end:
            chunk, first = self._read(self._next, end), self._next
            cut = _Cut(first, Height(first + len(chunk.blocks)), chunk_hash(chunk.encode()))
            if not chunk.is_full:
                return (*self._full, cut)
            self._full.append(cut)
            self._next = cut.end
        return tuple(self._full)

    def _read(self, first: Height, end: Height) -> Chunk:
        return Chunk.cut(self._blocks(first, end))

    def _blocks(self, first: Height, end: Height) -> Iterator[OrderedBlock]:
        """The blocks first … end − 1."""
        while first < end:
            found = self._ledger.ordered(first)[: end - first]
            yield from found
            first = Height(first + len(found))
