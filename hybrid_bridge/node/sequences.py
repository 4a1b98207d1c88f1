"""Sequence numbers: which of each submitter's stand in blocks, and which of ours were promised and stand nowhere.

In a ledger that keeps its own rule there is no gap: a number stands in a block only after the one before (SPEC §4). So
whatever was dropped is the next number still, or another transaction has it: the submitter sees it, by its promise.
"""

from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from hybrid_bridge.adapters.sqlite.ledger import SqlLedger
from hybrid_bridge.adapters.sqlite.promises import SqlPromises
from hybrid_bridge.core.block import Block
from hybrid_bridge.core.transaction import SignedTransaction
from hybrid_bridge.units import Height, KeyId

NOWHERE: Final = Height(0)


@dataclass(slots=True)
class Numbers:
    """One submitter's numbers in blocks; `height` of the newest block that has one."""

    seen: list[int] = field(default_factory=list)
    height: Height = NOWHERE

    @property
    def ranges(self) -> list[tuple[int, int]]:
        """Runs without a gap, ascending. More than one is a gap."""
        runs = groupby(enumerate(sorted(self.seen)), key=lambda pair: pair[1] - pair[0])
        return [(run[0][1], run[-1][1]) for _, group in runs for run in [list(group)]]

    @property
    def next(self) -> int:
        """The number that the ledger takes next: the first that is not there."""
        first, last = self.ranges[0]
        return last + 1 if first == 0 else 0


def numbers_of(ledger: SqlLedger, first: Height, wanted: KeyId | None) -> dict[KeyId, Numbers]:
    """The numbers of every submitter, or of one, counted again from the blocks themselves."""
    found: dict[KeyId, Numbers] = {}
    height = first
    while stored := ledger.blocks(height):
        for row in stored:
            block = Block.decode(row.data)
            for _, data in block.items:
                body = SignedTransaction.decode(data).body
                if wanted in (None, body.submitter):
                    numbers = found.setdefault(body.submitter, Numbers())
                    numbers.seen.append(body.sequence)
                    numbers.height = block.header.height
        height = Height(height + len(stored))
    return found


def dropped_numbers(ledger: SqlLedger, promises: SqlPromises) -> list[int]:
    """Numbers of our transactions that a node promised and that stand in no block here, ascending."""
    dropped: list[int] = []
    after = 0
    while rows := promises.after(after):
        after = rows[-1][0]
        dropped += [n for _, n, signed in rows if ledger.standing(signed.promise.transaction_id) is None]
    return sorted(dropped)
