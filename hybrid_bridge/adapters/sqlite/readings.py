"""A regulator's readings in a file of their own: appended before a document leaves, verified when it is opened."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, select
from sqlmodel import Field, SQLModel

from hybrid_bridge.adapters.sqlite.file import STRICT, SqliteFile, blob, table_of
from hybrid_bridge.core.encoding import canonical_json
from hybrid_bridge.core.event_chain import EMPTY, Event, Head, event_after, verify_events
from hybrid_bridge.core.reading import Reading, parse_reading
from hybrid_bridge.errors import BridgeError, StoreBroken
from hybrid_bridge.units import Digest, LogId

SCHEMA: Final = "1"
MAX_ROWS: Final = 256  # of one answer


class Readings(SQLModel, table=True):
    """One reading and its event, hashed over the one before. Insert-only."""

    __table_args__ = STRICT

    seq: int = Field(primary_key=True)
    previous: bytes = blob()
    digest: bytes = blob()
    body: bytes = blob()
    reading: bytes = blob()


_READING = table_of(Readings)


class SqlReadings:
    """The store. Used by any thread."""

    def __init__(self, path: Path) -> None:
        self._path, self._file = path, SqliteFile(path, "readings")

    def open(self, log_id: LogId, owner: str) -> None:
        """Take the store for this process; the first time, make it.

        Raises:
            StoreInUse: another program has it.
            StoreBroken: of another log or member, or its chain was changed.
        """
        facts = {"kind": "readings", "schema": SCHEMA, "log_id": log_id.hex(), "owner": owner}
        if not self._path.exists():
            self._file.create([Readings], ["readings"], facts)
        self._file.open(facts, is_read_whole=False)
        try:
            self._verify()
        except BridgeError as error:
            self._file.close()
            raise StoreBroken(store="readings", rule=f"an unbroken chain ({error})") from None

    def close(self) -> None:
        """Give the store up."""
        self._file.close()

    def append(self, readings: Sequence[Reading]) -> None:
        """Commit these, in order."""
        with self._file.write() as connection:
            head, rows = _last(connection), []
            for reading in readings:
                event = event_after(head, reading.event)
                rows.append(
                    {
                        "seq": event.seq,
                        "previous": event.previous,
                        "digest": event.digest,
                        "body": event.body,
                        "reading": reading.encode(),
                    }
                )
                head = event.head
            if rows:
                connection.execute(_READING.insert(), rows)

    def page(self, after: int) -> tuple[Head, list[tuple[bytes, Reading]]]:
        """The head at `after` and some events behind it: each one's body and reading.

        A number beyond the end gives the chain's head and nothing.
        """
        with self._file.read() as connection:
            query = select(_READING).where(_READING.c.seq > after).order_by(_READING.c.seq)
            rows = connection.execute(query.limit(MAX_ROWS)).all()
            if not rows:
                return _last(connection), []
        return Head(rows[0].seq - 1, Digest(rows[0].previous)), [(row.body, parse_reading(row.reading)) for row in rows]

    def _verify(self) -> None:
        with self._file.read() as connection:
            for _ in verify_events(_events(connection)):
                pass


def _events(connection: Connection) -> Iterator[Event]:
    for row in connection.execute(select(_READING).order_by(_READING.c.seq)):
        if canonical_json(parse_reading(row.reading).event) != row.body:
            raise StoreBroken(store="readings", rule="each reading the one of its event")
        yield Event(row.seq, Digest(row.previous), Digest(row.digest), row.body)


def _last(connection: Connection) -> Head:
    row = connection.execute(select(_READING.c.seq, _READING.c.digest).order_by(_READING.c.seq.desc()).limit(1)).first()
    return EMPTY if row is None else Head(row.seq, Digest(row.digest))
