"""What a journal asks of the database that holds it. Two keep it: `sqlite_store` and `postgresql_store`."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from sqlalchemy.engine import Connection

from hybrid_bridge.errors import SettingsMalformed
from hybrid_bridge.units import UnixSeconds
from relayers import sqlite_store
from relayers.journal_place import JournalPlace, PostgresPlace, dump_command


class Store(Protocol):
    """One journal's database, of this program's schema.

    Errors: `StoreBroken`; `NotYet` where another transaction is in the way; `Unreachable`, after which a commit may
    have happened or not: whoever is told so reads again, and never repeats. Threads: one at a time.
    """

    @property
    def name(self) -> str:
        """How it is called in errors."""

    @property
    def is_held(self) -> bool:
        """Whether no other process can write while this one lives, so that its lease need not be waited for."""

    def read(self) -> AbstractContextManager[Connection]:
        """One transaction that sees one committed state."""

    def write(self) -> AbstractContextManager[Connection]:
        """One transaction: durable when the block ends, undone when it raises."""

    def clock(self, connection: Connection, now: UnixSeconds) -> UnixSeconds:
        """The clock by which leases run out: the database's, if processes on several machines share it."""

    def close(self) -> None:
        """Let go of it."""


def reading(place: JournalPlace) -> Store:
    """A journal to be read, also while a relayer writes it.

    Raises:
        StoreBroken: missing, empty, damaged, or of another schema.
        Unreachable, KeyUnusable: its server does not answer, or does not know us.
    """
    if isinstance(place, PostgresPlace):
        return _database(place)
    return sqlite_store.SqliteStore(place, read_only=True)


def ordering(place: JournalPlace) -> Store:
    """A journal to be written by a person, also while a relayer writes it. Raises as `reading`."""
    if isinstance(place, PostgresPlace):
        return _database(place)
    return sqlite_store.SqliteStore(place)


def holding(place: JournalPlace) -> Store:
    """A journal to be written by its relayer. Raises as `reading`, and `NotYet` if another process holds its file."""
    if isinstance(place, PostgresPlace):
        return _database(place)
    return sqlite_store.HeldStore(place)


def create(place: JournalPlace, fill: Callable[[Connection], None]) -> None:
    """Make an empty journal with what `fill` puts into it, whole or not at all.

    Raises:
        StoreBroken: there is one already.
        BridgeError: as `create` of either store.
    """
    if isinstance(place, PostgresPlace):
        from relayers import postgresql_store  # noqa: PLC0415

        postgresql_store.create(place, fill)
        return
    sqlite_store.create(place, fill)


def schema_of(place: JournalPlace) -> int:
    """The version of the schema of this journal; 0: none. Raises as `reading`."""
    if isinstance(place, PostgresPlace):
        from relayers import postgresql_store  # noqa: PLC0415

        return postgresql_store.schema_of(place)
    return sqlite_store.schema_of(place)


def migrate(place: JournalPlace, backup: Path, also: Callable[[Connection, int], None]) -> None:
    """Move a journal of an older schema to that of this program. One commit: all or nothing.

    Args:
        place: the journal.
        backup: a new file, into which one in a file is copied first; one of PostgreSQL was copied to it by a person.
        also: what else is written in that commit, given the version it had.

    Raises:
        NotYet: a relayer holds it.
        SettingsMalformed: no such copy can be made, or was.
        StoreBroken: it is of no older schema, or not sound, or its rows do not fit the new one.
        Unreachable, KeyUnusable: as `reading`.
    """
    if not isinstance(place, PostgresPlace):
        sqlite_store.migrate(place, backup, also)
        return
    from relayers import postgresql_store  # noqa: PLC0415

    if not backup.is_file() or not backup.stat().st_size:
        raise SettingsMalformed(key="--backup", rule=f"the file that `{dump_command(place)}` wrote")
    postgresql_store.migrate(place, also)


def _database(place: PostgresPlace) -> Store:
    from relayers.postgresql_store import PostgresStore  # noqa: PLC0415 its driver is an extra

    return PostgresStore(place)
