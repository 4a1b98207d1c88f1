"""Step 3 at work: when an epoch is over and its blocks are final, make it the next leaf of the log.

A validator computes it alone. A member without the validators' secret copies it (`copying`).
"""

import logging
from collections.abc import Callable
from typing import Final

from hybrid_bridge.adapters.sqlite.epochs import ClosedEpoch
from hybrid_bridge.adapters.sqlite.ledger import SqlLedger
from hybrid_bridge.core.epoch import EpochRecord
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.roll import Term
from hybrid_bridge.core.tree import batch_root
from hybrid_bridge.errors import BridgeError, Broken, NotYet
from hybrid_bridge.node.directory import Directory
from hybrid_bridge.node.logbook import LogBook, join_pairs
from hybrid_bridge.node.progress import Progress
from hybrid_bridge.steps.batch import ClosingKeys, EpochBlocks, close_epoch
from hybrid_bridge.units import EpochNumber, Height, TreeSize

PAUSE: Final = 1.0  # seconds before it is tried again

_log = logging.getLogger(__name__)


class Closer:
    """Closes epochs one after the other, as far as final blocks reach."""

    def __init__(self, ledger: SqlLedger, logbook: LogBook, directory: Directory, progress: Progress) -> None:
        self._ledger, self._logbook = ledger, logbook
        self._directory, self._progress = directory, progress

    def close_next(self, keys: ClosingKeys) -> EpochRecord:
        """Close the next epoch.

        Raises:
            NotYet: no final block lies beyond it.
        """
        previous = self._logbook.newest
        epoch = EpochNumber(1 if previous is None else previous.epoch + 1)
        blocks = self.blocks_of(epoch)
        closed = close_epoch(
            self._directory.genesis,
            previous,
            self._logbook.registry(EpochNumber(epoch - 1)),
            blocks,
            keys=keys,
            validators=self._directory.responsible(epoch + 1),
        )
        row = ClosedEpoch(
            number=epoch,
            end_block=blocks.end_block,
            record=closed.record.encode(),
            entries=b"".join(closed.batch.entries),
            pairs=join_pairs(closed.pairs),
        )
        self._logbook.append(row, closed.registry)
        return closed.record

    def next_term(self) -> Term:
        """The set responsible for the next epoch to close; known, since every block before its end is here.

        Raises:
            NotYet: the epoch is not over, or its end is not final.
        """
        epoch = EpochNumber(int(self._logbook.size))
        self._end(epoch)
        return self._directory.roll.term(epoch + 1)

    def _end(self, epoch: EpochNumber) -> Height:
        end = self._ledger.first_height_after(epoch)
        if end is None or end > self._progress.final:
            raise NotYet(what=f"the end of epoch {epoch}")
        return end

    def blocks_of(self, epoch: EpochNumber) -> EpochBlocks:
        """What the final blocks of the epoch after the newest closed one brought.

        Raises:
            NotYet: the epoch is not over, or its end is not final.
        """
        end = self._end(epoch)
        previous = self._logbook.newest
        first = self._directory.genesis.first_block if previous is None else previous.end_block
        material = self._ledger.epoch_material(first, end)
        return EpochBlocks(
            first_block=first,
            end_block=end,
            last_block_hash=material.last_hash,
            entries=material.entries,
            identity_ops=material.identity_ops,
            life_events=material.life_events,
            governance_size=TreeSize(len(material.governance)),
            governance_root=batch_root(leaf_hash(record) for record in material.governance),
            beacon=material.beacon,
            brake_until=EpochNumber(material.brake),
            submitters=material.submitters,
        )


def run_closing(close: Callable[[], object], progress: Progress) -> None:
    """Call `close` when blocks become final or a quorum has signed, until stopped; others' failures are tried again."""
    while not progress.stopping:
        seen = progress.final, progress.quorum
        try:
            close()
        except NotYet:
            progress.wait(lambda seen=seen: (progress.final, progress.quorum) != seen, PAUSE)  # type: ignore[misc]
        except Broken:
            raise
        except BridgeError as error:
            _log.warning("epoch not closed: %s", error)
            progress.wait(lambda: False, PAUSE)
