"""A ledger in the making, in a file beside the founders' empty one, which stays as it is until this one is whole.

So there is never half a ledger at the ledger's place: whoever dies on the way finds the empty one and begins again.
Nobody is trusted: every block is executed by the same code as any other, with all signatures, and one commit takes all
blocks of a chunk. What the blocks cannot show (what the engine calls them, times within an epoch) is shown by others'
signatures before this member signs anything (`node.proving`).
"""

import logging
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from hybrid_bridge.adapters.sqlite.file import SqliteFile, sync_path
from hybrid_bridge.adapters.sqlite.ledger import DecidedBlock, SqlLedger
from hybrid_bridge.core.block import Block, BlockHeader
from hybrid_bridge.core.encoding import ZERO
from hybrid_bridge.core.ledger_state import StateReader, Write
from hybrid_bridge.core.snapshot import Chunk
from hybrid_bridge.errors import StoreBroken
from hybrid_bridge.node.directory import Directory
from hybrid_bridge.node.executing import decided_block, executed, rules_of
from hybrid_bridge.node.settings import NodeSettings
from hybrid_bridge.node.stores import LEDGER as NAME
from hybrid_bridge.node.stores import stores_of
from hybrid_bridge.units import Height

LEDGER: Final = f"{NAME}.db"
MADE: Final = f"{NAME}-new.db"
_BESIDE: Final = (f"{MADE}-wal", f"{MADE}-shm")
_LOCK: Final = "ledger-new.lock"

_log = logging.getLogger(__name__)


def newest_height(settings: NodeSettings, directory: Directory) -> Height | None:
    """Of the ledger in place; None while it has no block.

    Raises:
        StoreInUse: another program has it.
        StoreBroken: it is missing, damaged or another's.
    """
    ledger = SqlLedger(stores_of(settings)[0])
    ledger.open(directory.log_id, settings.name)
    try:
        newest = ledger.newest()
        return None if newest is None else newest.height
    finally:
        ledger.close()


@dataclass(frozen=True, slots=True)
class _End:
    """Where the blocks end that are committed."""

    header: BlockHeader
    decided: DecidedBlock


class _Remembering:
    """The state within one chunk: what was read or written before is not asked of the store again."""

    def __init__(self, below: StateReader) -> None:
        self._below = below
        self._known: dict[bytes, bytes | None] = {}

    def get(self, key: bytes, /) -> bytes | None:
        if key not in self._known:
            self._known[key] = self._below.get(key)
        return self._known[key]

    def took(self, writes: Iterable[Write]) -> None:
        self._known.update(writes)


class Making:
    """The ledger in the making. One thread."""

    def __init__(self, settings: NodeSettings, directory: Directory) -> None:
        """Hold the empty ledger, so that no node runs over it.

        Raises:
            StoreBroken: it is not empty, or as `newest_height`.
        """
        self._folder, self._log_id, self._name = settings.folder, directory.log_id, settings.name
        self._rules = rules_of(directory)
        self._file = SqliteFile(settings.path(LEDGER), NAME)
        self._founded = SqlLedger(self._file)
        self._founded.open(self._log_id, self._name)
        self._made: SqlLedger | None = None
        self._end: _End | None = None
        if self._founded.newest() is not None:
            self._founded.close()
            raise StoreBroken(store="ledger", rule="empty before a snapshot is taken")
        self._file.empty_log()  # all that it holds is in the one file that is copied

    @property
    def newest(self) -> DecidedBlock | None:
        """The newest block that is committed; None before the first."""
        return None if self._end is None else self._end.decided

    def begin(self) -> None:
        """Begin with an empty ledger, whatever was there."""
        self.discard()
        path = self._folder / MADE
        path.touch(mode=0o600)
        shutil.copyfile(self._folder / LEDGER, path)
        self._made = SqlLedger(SqliteFile(path, NAME))
        self._made.open(self._log_id, self._name)

    def take(self, chunk: Chunk) -> DecidedBlock | None:
        """Execute the blocks of a chunk and commit them together; the newest block then.

        Raises:
            BridgeError: one of them is not what follows from those before it. Nothing of the chunk was committed.
        """
        if self._made is None:
            raise StoreBroken(store="ledger", rule="begun before blocks are taken")
        end = self._end
        with self._made.together() as stored:
            state = _Remembering(stored)
            for ordered in chunk.blocks:
                block = Block.decode(ordered.data)
                block.verify_tx_root()
                outcome = executed(state, self._rules, None if end is None else end.header, block)
                decided = decided_block(outcome, ZERO if end is None else end.decided.writes, ordered.hash)
                self._made.append(block, decided, outcome, None)
                state.took(outcome.writes)
                end = _End(block.header, decided)
        self._end = end
        return self.newest

    def place(self) -> None:
        """Put it where the ledger is: whole, or not at all.

        Raises:
            StoreBroken: nothing was taken, or the store left a log beside the file.
        """
        if self._made is None or self._end is None:
            raise StoreBroken(store="ledger", rule="taken before it is put in place")
        self.close()
        for name in (MADE, LEDGER):  # SQLite writes its log into the file as the last connection closes
            if (self._folder / f"{name}-wal").exists():
                raise StoreBroken(store="ledger", rule="a file without a log beside it")
        sync_path(self._folder / MADE)
        (self._folder / MADE).rename(self._folder / LEDGER)
        (self._folder / _LOCK).unlink(missing_ok=True)
        sync_path(self._folder)
        # Durable: the ledger stands. Dead before? The empty one stands, and all begins again.
        _log.info("ledger in place up to block %d", self._end.decided.height)

    def discard(self) -> None:
        """Throw away what was made."""
        if self._made is not None:
            self._made.close()
        self._made = self._end = None
        for name in (MADE, *_BESIDE, _LOCK):
            (self._folder / name).unlink(missing_ok=True)

    def close(self) -> None:
        """Give both files up. Again is no change."""
        if self._made is not None:
            self._made.close()
        self._founded.close()
