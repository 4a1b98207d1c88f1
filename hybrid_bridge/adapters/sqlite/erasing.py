"""Erasure in the private file: documents and envelopes go, and so do their bytes; a tombstone stays.

The tombstone is the document's own row without the document: entry leaf, schema, who it came from, when, a reason
code. It keeps a second delivery of the same document out. What was deleted lives on in free space, in copies left by
rebalanced pages, and in the log, until the log's pages are written over the file's, every page anew, and the log cut.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, func, select, update

from hybrid_bridge.adapters.sqlite.file import table_of
from hybrid_bridge.adapters.sqlite.record_tables import Outbox, Record
from hybrid_bridge.adapters.sqlite.store import Store
from hybrid_bridge.units import Digest, UnixSeconds

_RECORD, _OUTBOX = table_of(Record), table_of(Outbox)


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What is left of a document: which, whose (`own` or who delivered it), and why."""

    leaf: Digest
    source: str
    reason: str


class SqlErasures:
    """The part of the private file that makes things vanish."""

    def __init__(self, file: Store) -> None:
        self._file: Final = file

    def erase(self, leaves: Sequence[Digest], reason: str, now: UnixSeconds) -> None:
        """Delete these documents and their envelopes for good. Again is no change.

        Raises:
            NotYet: deleted, but a long read keeps the log; the next erasure or start goes on.
        """
        self._bury(leaves, reason, now)
        # Durable: tombstones stand, nothing reads the documents any more. Dead here? `finish` at the next start.
        self.finish()

    def finish(self) -> None:
        """Remove the bytes of whatever was erased and may still be found in the file or its log."""
        if not self._remains():
            return
        self._file.cleanse()  # Durable. Dead here? All of it again.
        self._settle()

    def envelopes(self, leaf: Digest) -> dict[str, str]:
        """Who was to get this document, and how far that went: owed, done, declined or erased."""
        query = select(_OUTBOX.c.recipient, _OUTBOX.c.state).where(_OUTBOX.c.leaf == leaf)
        with self._file.read() as connection:
            return {row.recipient: row.state for row in connection.execute(query.order_by(_OUTBOX.c.recipient))}

    def tombstones(self) -> list[Tombstone]:
        """All of them, in the order in which the documents came."""
        query = select(_RECORD).where(_RECORD.c.erased > 0).order_by(_RECORD.c.number)
        with self._file.read() as connection:
            return [Tombstone(Digest(row.leaf), row.source, row.reason) for row in connection.execute(query)]

    def source(self, leaf: Digest) -> str | None:
        """Who a document that we hold came from; None if it is not here, or not any more."""
        query = select(_RECORD.c.source).where(_RECORD.c.leaf == leaf, _RECORD.c.erased == 0)
        with self._file.read() as connection:
            return connection.execute(query).scalar()

    def _bury(self, leaves: Sequence[Digest], reason: str, now: UnixSeconds) -> None:
        rows = [{"gone": leaf} for leaf in leaves]
        buried = {"plaintext": b"", "waits_until": 0, "erased": now, "reason": reason, "remains": 1}
        here = (_RECORD.c.leaf == bindparam("gone"), _RECORD.c.erased == 0)
        sent = _OUTBOX.c.leaf == bindparam("gone")
        with self._file.write() as connection:
            connection.execute(update(_RECORD).where(*here).values(**buried), rows)
            connection.execute(update(_OUTBOX).where(sent).values(envelope=b""), rows)
            connection.execute(update(_OUTBOX).where(sent, _OUTBOX.c.state == "owed").values(state="erased"), rows)

    def _remains(self) -> int:
        query = select(func.count()).select_from(_RECORD).where(_RECORD.c.remains == 1)
        with self._file.read() as connection:
            return connection.execute(query).scalar_one()

    def _settle(self) -> None:
        with self._file.write() as connection:
            connection.execute(update(_RECORD).where(_RECORD.c.remains == 1).values(remains=0))
