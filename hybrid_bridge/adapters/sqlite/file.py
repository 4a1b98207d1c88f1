"""One SQLite file the way all our stores are kept: WAL, synchronous FULL, one writer, insert-only where said.

A store is created on purpose (`create`) and never in passing (`open`). Reads run beside the one writer. The settings
are asserted on every connection: a silent NORMAL would lose just the last commits (RELAYER §2).
"""

import fcntl
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final, TypeVar

from sqlalchemy import (
    BigInteger,
    Connection,
    Engine,
    Integer,
    LargeBinary,
    Table,
    Text,
    create_engine,
    event,
    select,
)
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import QueuePool
from sqlmodel import Field, SQLModel

from hybrid_bridge.errors import BridgeError, NotYet, StoreBroken, StoreInUse, other_schema

T = TypeVar("T")

PRAGMAS: Final = {
    "journal_mode": "wal",
    "synchronous": 2,  # FULL
    "foreign_keys": 1,
    "recursive_triggers": 1,  # else INSERT OR REPLACE walks past the delete trigger
    "busy_timeout": 5000,
    "trusted_schema": 0,
    "secure_delete": 1,  # what is deleted is overwritten with zeros
}
READERS: Final = 8
WRITER_PAGES: Final = 2048  # KiB that a connection keeps of its file: what SQLite itself takes
READER_PAGES: Final = 512  # a node has some forty readers, and the system caches the files besides
IN_MEMORY: Final = 1 << 28  # bytes: a smaller file is rewritten without a temporary file beside it


_NUMBER: Final = BigInteger().with_variant(Integer, "sqlite")  # there INTEGER is 64 bits, and STRICT knows no other
_TEXT: Final = Text().with_variant(Text(collation="C"), "postgresql")
STRICT: Final = {"sqlite_strict": True}  # text into INTEGER is refused


def text(**options: Any) -> Any:  # noqa: ANN401 as SQLModel's own Field
    """A TEXT column, sorted by its bytes whatever the server's language is."""
    return Field(sa_type=_TEXT, **options)


def blob(**options: Any) -> Any:  # noqa: ANN401 as SQLModel's own Field
    """A BLOB column."""
    return Field(sa_type=LargeBinary, **options)


def integer(*, primary_key: bool = False, **options: Any) -> Any:  # noqa: ANN401 as SQLModel's own Field
    """A column of 64-bit integers."""
    kept = {"autoincrement": False} if primary_key else {}  # a key of ours, not one that the database gives
    return Field(sa_type=_NUMBER, primary_key=primary_key, sa_column_kwargs=kept, **options)


def serial() -> Any:  # noqa: ANN401 as SQLModel's own Field
    """A key that the database gives, rising."""
    return Field(default=None, sa_type=_NUMBER, primary_key=True)


class Meta(SQLModel, table=True):
    """What this file is: kind, schema version, log, owner. Compared at every start."""

    __table_args__ = STRICT

    key: str = text(primary_key=True)
    value: str = text()


def sync_path(path: Path) -> None:
    """A file's content, or the names that were given in a folder, are on the disk when it returns."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def write_whole(path: Path, data: bytes, mode: int | None = None) -> None:
    """This content or what was there before, whenever the machine dies; durable when it returns.

    Args:
        path: of the file.
        data: all of it.
        mode: who may read it; None: whom the process lets.
    """
    made = path.with_name(f"{path.name}.new")
    if mode is not None:  # before the content
        made.touch(mode=0o600)
        made.chmod(mode)
    with made.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    made.replace(path)
    sync_path(path.parent)


def _undo(connection: Connection) -> None:
    if not connection.invalidated:  # interrupted within a statement it is closed already, and so undone
        connection.exec_driver_sql("ROLLBACK")


class SqliteFile:
    """Connections to one file. `write` is serial; `read` sees the last commit."""

    def __init__(self, path: Path, name: str) -> None:
        self.name = name
        self._path = path
        self._turn = threading.Lock()
        self._writer = _engine(path, 1, WRITER_PAGES)
        self._readers = _engine(path, READERS, READER_PAGES)
        self._lock: IO[bytes] | None = None

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction; durable when the block ends, undone when it raises."""
        with self._turn, self.write_in_turn() as connection:
            yield connection

    def turn(self) -> threading.Lock:
        """The one writer's turn, for whoever does more in it than one transaction (with `write_in_turn`)."""
        return self._turn

    @contextmanager
    def write_in_turn(self) -> Iterator[Connection]:
        """As `write`, by a caller who holds the turn."""
        with self._translated(), self._writer.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                _undo(connection)
                raise
            connection.exec_driver_sql("COMMIT")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A view of the last commit; nothing can be written through it."""
        with self._translated(), self._readers.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            try:
                yield connection
            finally:
                _undo(connection)

    def cleanse(self) -> None:
        """Durable after each step; dead in between, all of it again."""
        self.empty_log()  # zeros stand where rows stood
        self.rewrite()  # in the log: every page anew
        self.empty_log()  # new pages over old ones, and the log cut

    def empty_log(self) -> None:
        """Write the log's pages over those of the file; the log is empty after that.

        Raises:
            NotYet: somebody still reads what the log holds.
        """
        with self._turn, self._translated(), self._writer.connect() as connection:
            busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar()
        if busy:
            raise NotYet(what="the end of a long read in the store, to empty its log")

    def rewrite(self) -> None:
        """Write every page anew: copies of old rows, left where pages were rebalanced, are gone with the old pages."""
        with self._turn, self._translated(), self._writer.connect() as connection:
            small = self._path.stat().st_size <= IN_MEMORY
            connection.exec_driver_sql(f"PRAGMA temp_store={2 if small else 0}")
            connection.exec_driver_sql("VACUUM")

    def close(self) -> None:
        """Give up the file and its lock."""
        self._writer.dispose()
        self._readers.dispose()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def create(
        self,
        tables: Sequence[type[SQLModel]],
        guarded: Sequence[str],
        facts: dict[str, str],
        fill: Callable[[Connection], None] = lambda _: None,
    ) -> None:
        """Make the file with these tables and what `fill` puts there; rows of the `guarded` ones are never changed.

        Raises:
            StoreBroken: the file is there already.
        """
        if self._path.exists():
            raise StoreBroken(store=self.name, rule="made once, never over another")
        self._path.touch(mode=0o600)
        models: list[type[SQLModel]] = [Meta, *tables]
        with self.write() as connection:
            for model in models:
                table_of(model).create(connection)
            for table in guarded:
                for verb in ("UPDATE", "DELETE"):
                    connection.exec_driver_sql(
                        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                        f"BEGIN SELECT RAISE(ABORT, '{table} is insert-only'); END"
                    )
            rows = [{"key": key, "value": value} for key, value in sorted(facts.items())]
            connection.execute(table_of(Meta).insert(), rows)
            fill(connection)

    def open(self, facts: dict[str, str], tables: Sequence[type[SQLModel]] = (), *, is_read_whole: bool = True) -> None:
        """Take the file for this process alone, and see that it is what the caller believes.

        Args:
            facts: what was given to `create`.
            tables: those that must be there.
            is_read_whole: look for damage on every page. Not where each row is hashed by whoever reads it.

        Raises:
            StoreInUse: another program has it.
            StoreBroken: missing, damaged, or made for something else.
        """
        self._require_file()
        self._lock = self._path.with_suffix(".lock").open("ab")
        try:
            self._require_alone()
            self._require_sound(facts, tables, is_read_whole=is_read_whole)
        except BridgeError:
            self.close()
            raise

    def look(self, facts: dict[str, str]) -> None:
        """See that the file is what the caller believes, for `read` alone: another program may have it, and write.

        Raises:
            StoreBroken: as `open`.
        """
        self._require_file()
        try:
            self._require_sound(facts, (), is_read_whole=True)
        except BridgeError:
            self.close()
            raise

    def migrate(self, forward: Callable[[Connection], T]) -> T:
        self._require_file()
        self._lock = self._path.with_suffix(".lock").open("ab")
        try:
            self._require_alone()
            with self.write() as connection:
                return forward(connection)
        finally:
            self.close()

    def _require_file(self) -> None:
        if not self._path.is_file():
            raise StoreBroken(store=self.name, rule="made before it is used")

    def _require_alone(self) -> None:
        if self._lock is None or not _locked(self._lock):
            raise StoreInUse(store=self.name)

    def _require_sound(self, facts: dict[str, str], tables: Sequence[type[SQLModel]], *, is_read_whole: bool) -> None:
        with self.read() as connection:
            if is_read_whole and connection.exec_driver_sql("PRAGMA quick_check").scalar() != "ok":
                raise StoreBroken(store=self.name, rule="an undamaged file")
            here = set(connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars())
            self._require_whole({table_of(Meta).name} - here)
            found = {row.key: row.value for row in connection.execute(select(table_of(Meta)))}
        for key, value in facts.items():
            if found.get(key) != value:
                if key == "schema":  # an older one may lack tables
                    raise other_schema(self.name, value, found.get(key))
                raise StoreBroken(store=self.name, rule=f"{key} {value}")
        self._require_whole({table_of(model).name for model in tables} - here)

    def _require_whole(self, missing: set[str]) -> None:
        if missing:
            raise StoreBroken(store=self.name, rule=f"whole: {', '.join(sorted(missing))} missing")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except DatabaseError as error:
            raise StoreBroken(store=self.name, rule=f"readable and writable ({type(error).__name__})") from error


def table_of(model: type[SQLModel]) -> Table:
    """The Core table of a model: the hot path makes no objects."""
    table = model.__table__  # type: ignore[attr-defined]  # SQLModel sets it on table models
    assert isinstance(table, Table)  # noqa: S101 narrows a type; no input
    return table


def _locked(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _engine(path: Path, size: int, pages: int) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}",
        poolclass=QueuePool,
        pool_size=size,
        max_overflow=0,
        pool_use_lifo=True,  # the one used last has the pages: the others' caches stay small
        hide_parameters=True,  # an error's text must hold no document
        connect_args={"check_same_thread": False, "timeout": 5},
    )
    event.listen(engine, "connect", lambda connection, _record: _prepare(connection, pages))
    return engine


def _prepare(connection: Any, pages: int) -> None:  # noqa: ANN401 the DBAPI's own type
    connection.isolation_level = None  # BEGIN is ours to write: a deferred upgrade fails at once (RELAYER §2)
    settings = PRAGMAS | {"cache_size": -pages}
    for pragma, value in settings.items():
        connection.execute(f"PRAGMA {pragma}={value}").close()
    for pragma, value in settings.items():
        (found,) = connection.execute(f"PRAGMA {pragma}").fetchone()
        if found != value:
            raise StoreBroken(store="sqlite", rule=f"{pragma}={value}")
