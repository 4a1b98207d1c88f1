"""One store of a member in a schema of a database: durable commits, one writer, insert-only where said.

The writer is who holds the lease, a row with an epoch and a count of commits. Every transaction that writes begins by
counting itself there, if the epoch is still ours: that locks the row, so writers are serial, whoever they are. A commit
whose answer was lost is looked up in the count, and so is never guessed; a count that went back shows that the server
lost commits. Nothing is kept in a session, so a pooler by transaction may stand between (ADR 27, 37).
"""

import fcntl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Final, TypeVar

from sqlalchemy import Connection, Row, Table
from sqlmodel import SQLModel

from hybrid_bridge.adapters.postgresql.server import DEADLINE, Server, translated
from hybrid_bridge.errors import (
    BridgeError,
    LeaseLost,
    NotYet,
    StoreAway,
    StoreBroken,
    StoreInUse,
    Undecided,
    other_schema,
)

T = TypeVar("T")

LEASE_FOR: Final = 30  # seconds
RENEW_EVERY: Final = 10.0  # seconds
PATIENCE: Final = 5  # seconds for a transaction that writes and says nothing: it holds the lock
READING: Final = 60  # seconds for one that reads, and for one question of it
LOCK: Final = 8  # seconds for a lock: longer than such a sleeper may hold it
SETTLE: Final = 30.0  # seconds in which the fate of a commit must be found out
AGAIN: Final = 0.2  # seconds between two tries
READERS: Final = 8

_BOUNDS: Final = (
    "SET LOCAL search_path = {schema}; SET LOCAL lock_timeout = '{lock}s'; "
    "SET LOCAL statement_timeout = '{deadline}s'; "
    "SET LOCAL idle_in_transaction_session_timeout = '{silence}s'"
)
_READ: Final = f"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; {_BOUNDS}"
_WRITE: Final = (  # whatever the server's own settings say
    f"SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE; SET LOCAL synchronous_commit = on; {_BOUNDS}"
)
_COUNT: Final = "; UPDATE lease SET writes = writes + 1 WHERE epoch = {epoch} RETURNING writes"
_LOCKED: Final = "; SELECT *, floor(extract(epoch FROM clock_timestamp()))::bigint AS clock FROM lease FOR UPDATE"
_TAKE: Final = "UPDATE lease SET epoch = epoch + 1, holder = %s, until = %s"
_KEEP: Final = "UPDATE lease SET until = floor(extract(epoch FROM clock_timestamp()))::bigint + %s"
_MADE: Final = (
    "CREATE FUNCTION refuses() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION '% is insert-only', TG_TABLE_NAME; END $$",
    "CREATE TABLE lease (id BIGINT PRIMARY KEY CHECK (id = 1), epoch BIGINT NOT NULL, holder TEXT NOT NULL, "
    "until BIGINT NOT NULL, writes BIGINT NOT NULL)",
    "INSERT INTO lease VALUES (1, 0, '', 0, 0)",
    "CREATE TRIGGER lease_rises BEFORE UPDATE ON lease FOR EACH ROW "
    "WHEN (NEW.epoch < OLD.epoch OR NEW.writes < OLD.writes) EXECUTE FUNCTION refuses()",
)


class PostgresStore:
    """A store, as `SqliteFile` is one. `write` is serial, for all processes; `read` sees the last commit."""

    def __init__(self, server: Server, name: str, holder: str, lock: Path) -> None:
        """Connects to nothing yet.

        Args:
            server: the database.
            name: of the store, and of its schema.
            holder: who we are to others; who holds the lease under this name is taken for ourselves, ended.
            lock: a file of ours that no two processes hold, so that this is true.

        Raises:
            SettingsMalformed: as `Server.engine`.
        """
        self.name = name
        self._server, self._holder, self._lock = server, holder, lock
        self._locked: IO[bytes] | None = None
        self._turn = threading.Lock()
        self._writer, self._readers = server.engine(1), server.engine(READERS)
        named = {"schema": name, "lock": LOCK}
        self._reading = _READ.format(deadline=READING, silence=READING, **named)
        self._writing = _WRITE.format(deadline=DEADLINE, silence=PATIENCE, **named)
        self._epoch = self._writes = 0
        self._tables: Sequence[type[SQLModel]] = ()
        self.lost: BridgeError | None = None  # why nothing can be done here any more, by this process
        self.when_lost: Callable[[], None] = lambda: None

    # ── transactions ─────────────────────────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A view of the last commit; nothing can be written through it."""
        self._require_held()
        with translated(self.name), self._readers.connect() as connection:
            connection.exec_driver_sql(self._reading)
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction; durable when the block ends, undone when it raises."""
        with self._turn, self._counted() as connection:
            yield connection

    @contextmanager
    def _counted(self) -> Iterator[Connection]:
        self._require_held()
        number, asked = self._writes + 1, False
        try:
            with translated(self.name), self._writer.connect() as connection:
                self._count(connection, number)
                yield connection
                asked = True
                connection.commit()
        except StoreAway:
            if not asked or not self._stands(number):
                raise
        except BridgeError:
            raise
        except BaseException:
            if asked:  # interrupted amid a commit: only another process can say what became of it
                self._lose(StoreAway(store=self.name, why="a commit was interrupted"))
            raise
        self._writes = number

    def _count(self, connection: Connection, number: int) -> None:
        found = connection.exec_driver_sql(self._writing + _COUNT.format(epoch=self._epoch)).scalar()
        if found == number:
            return
        if found is not None:
            rule = f"commit {number - 1} the newest, not {found - 1}: its server lost some"
            raise self._lose(StoreBroken(store=self.name, rule=rule))
        connection.rollback()
        raise self._lose(LeaseLost(held=self._epoch, current=self._lease(connection).epoch))

    def _stands(self, number: int) -> bool:
        """Whether the commit whose answer was lost has happened. The row's lock waits for one that is under way."""
        end = time.monotonic() + SETTLE
        while True:
            try:
                with translated(self.name), self._writer.connect() as connection:
                    lease = self._lease(connection)
            except BridgeError as error:
                if not isinstance(error, Undecided) or time.monotonic() > end:
                    raise self._lose(error) from None
                time.sleep(AGAIN)
                continue
            if lease.epoch != self._epoch:
                raise self._lose(LeaseLost(held=self._epoch, current=lease.epoch))
            return bool(lease.writes == number)

    def _lease(self, connection: Connection) -> Row[Any]:
        """The lease under its lock, with the server's clock at this moment."""
        return connection.exec_driver_sql(self._writing + _LOCKED).one()

    def _require_held(self) -> None:
        if self.lost is not None:
            raise self.lost

    def _lose(self, error: BridgeError) -> BridgeError:
        self.lost = error
        self.when_lost()
        return error

    # ── life ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def is_held(self) -> bool:
        """Whether the lease was taken, and is not known to be lost."""
        return self._epoch > 0 and self.lost is None

    def renew(self) -> None:
        """Keep the lease.

        Raises:
            StoreAway: not now; ask again.
            LeaseLost, StoreBroken: never more, by this process.
        """
        with self.write() as connection:
            connection.exec_driver_sql(_KEEP, (LEASE_FOR,))

    def close(self) -> None:
        """Give the lease back, so that nobody need wait for its end, and all connections."""
        if self._epoch and self.lost is None:
            with suppress(BridgeError), self.write() as connection:
                connection.exec_driver_sql("UPDATE lease SET until = 0")
        self._writer.dispose()
        self._readers.dispose()
        if self._locked is not None:
            self._locked.close()
            self._locked = None

    def cleanse(self) -> None:
        """Every table anew, without what was deleted. The server's log, copies and replicas are its administrator's."""
        patient = self._server.engine(1, deadline=None)  # it may be large
        try:
            with translated(self.name), patient.connect() as connection:
                alone = connection.execution_options(isolation_level="AUTOCOMMIT")
                for model in self._tables:
                    alone.exec_driver_sql(f"VACUUM FULL {self.name}.{_table(model).name}")
        finally:
            patient.dispose()

    def create(
        self,
        tables: Sequence[type[SQLModel]],
        guarded: Sequence[str],
        facts: dict[str, str],
        fill: Callable[[Connection], None],
    ) -> None:
        """Make the schema with these tables and what `fill` puts there, whole or not at all.

        Raises:
            StoreBroken: it is there already.
            StoreAway, KeyUnusable: the server does not answer, or does not know us.
        """
        with translated(self.name), self._writer.connect() as connection:
            connection.exec_driver_sql(self._writing)
            self._require_room(connection, facts)
            connection.exec_driver_sql(f"CREATE SCHEMA {self.name}")
            connection.exec_driver_sql(";".join(_MADE))
            for model in tables:
                _table(model).create(connection, checkfirst=False)
            connection.exec_driver_sql(";".join(_guards(guarded)))
            connection.exec_driver_sql("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)")
            connection.exec_driver_sql("INSERT INTO meta VALUES (%s, %s)", sorted(facts.items()))
            fill(connection)
            connection.commit()

    def _require_room(self, connection: Connection, facts: dict[str, str]) -> None:
        """No schema of this name, or ours from a making that nobody went on with: it was never opened, and goes."""
        if not connection.exec_driver_sql("SELECT 1 FROM pg_namespace WHERE nspname = %s", (self.name,)).scalar():
            return
        whole = (
            "SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace(%s) AND relname IN ('meta', 'lease')"
        )
        is_ours = connection.exec_driver_sql(whole, (self.name,)).scalar() == 2 and self._facts(connection) == facts
        if not is_ours or self._lease(connection).epoch:
            raise StoreBroken(store=self.name, rule="made once, never over another: a database without this schema")
        connection.exec_driver_sql(f"DROP SCHEMA {self.name} CASCADE")

    def open(self, facts: dict[str, str], tables: Sequence[type[SQLModel]]) -> None:
        """See that the store is what the caller believes, and take its lease with the next epoch.

        Raises:
            StoreBroken: missing, torn, or made for something else.
            StoreInUse, NotYet: another process holds it, on this machine or elsewhere.
            StoreAway, KeyUnusable: the server does not answer, or does not know us.
        """
        self._locked = self._lock.open("ab")
        try:
            self._require_alone(self._locked)
            with translated(self.name), self._writer.connect() as connection:
                connection.exec_driver_sql(self._writing)
                self._require_ours(connection, facts, tables)
                self._take(connection)
                connection.commit()
            self._tables = tables
        except BridgeError:
            self.close()
            raise

    def migrate(self, forward: Callable[[Connection], T]) -> T:
        patient = self._server.engine(1, deadline=None)  # a step may read all rows of years
        self._locked = self._lock.open("ab")
        try:
            self._require_alone(self._locked)
            with translated(self.name), patient.connect() as connection:
                connection.exec_driver_sql(self._writing)
                self._require_there(connection)
                self._take(connection)
                connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
                found = forward(connection)
                connection.commit()
            return found
        finally:
            patient.dispose()
            self.close()

    def _require_there(self, connection: Connection) -> set[str]:
        here = "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(%s) AND relkind = 'r'"
        found = set(connection.exec_driver_sql(here, (self.name,)).scalars())
        if not found:
            raise StoreBroken(store=self.name, rule="made before it is used: no such schema in this database")
        return found

    def _require_alone(self, file: IO[bytes]) -> None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StoreInUse(store=self.name) from None

    def _require_ours(self, connection: Connection, facts: dict[str, str], tables: Sequence[type[SQLModel]]) -> None:
        found = self._require_there(connection)
        self._require_whole({"meta", "lease"} - found)
        told = self._facts(connection)
        for key, value in facts.items():
            if told.get(key) != value:
                if key == "schema":  # an older one may lack tables
                    raise other_schema(self.name, value, told.get(key))
                raise StoreBroken(store=self.name, rule=f"{key} {value}, not {told.get(key)}")
        self._require_whole({_table(model).name for model in tables} - found)

    def _require_whole(self, missing: set[str]) -> None:
        if missing:
            raise StoreBroken(store=self.name, rule=f"whole: {', '.join(sorted(missing))} missing; restore a copy")

    def _facts(self, connection: Connection) -> dict[str, str]:
        return {row.key: row.value for row in connection.exec_driver_sql("SELECT key, value FROM meta")}

    def _take(self, connection: Connection) -> None:
        lease = self._lease(connection)
        if lease.until > lease.clock and lease.holder != self._holder:
            raise NotYet(what=f"the lease, which {lease.holder} holds for {lease.until - lease.clock} s more")
        connection.exec_driver_sql(_TAKE, (self._holder, lease.clock + LEASE_FOR))
        self._epoch, self._writes = lease.epoch + 1, lease.writes


def _guards(tables: Sequence[str]) -> Iterator[str]:
    """No row of these is ever changed or removed, by anybody."""
    for table in tables:
        for verb, each in (("UPDATE", "ROW"), ("DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
            trigger = f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table}"
            yield f"{trigger} FOR EACH {each} EXECUTE FUNCTION refuses()"


def _table(model: type[SQLModel]) -> Table:
    table = model.__table__  # type: ignore[attr-defined]  # SQLModel sets it on table models
    assert isinstance(table, Table)  # noqa: S101 narrows a type; no input
    return table
