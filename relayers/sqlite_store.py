"""A journal's file: SQLite, one host, local disk. How it is opened, judged, locked, copied and moved to a newer schema.

WAL with synchronous FULL: a commit that returned is on the disk. `recursive_triggers` keeps `INSERT OR REPLACE` from
walking past the triggers that make evidence insert-only.
"""

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Final

from sqlalchemy import create_engine, event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from hybrid_bridge.adapters.sqlite.file import sync_path
from hybrid_bridge.errors import BridgeError, NotYet, SettingsMalformed, StoreBroken, StoreMissing
from hybrid_bridge.units import UnixSeconds
from relayers.revisions import SCHEMA_VERSION, THERE, cure, upgrade, version_of

MAGIC: Final = b"SQLite format 3\0"
WAYS_OUT: Final = (
    "no journal there: a new operator runs `init`; one whose disk was lost runs `recover --from-chain --plan`, "
    "which shows what the chain knows of the key, then `recover --from-chain`"
)
PRAGMAS: Final = {
    "journal_mode": "wal",
    "synchronous": 2,  # FULL; NORMAL may lose exactly the last commits, which are the journal
    "foreign_keys": 1,
    "recursive_triggers": 1,
    "busy_timeout": 5000,
    "trusted_schema": 0,
}


class SqliteStore:
    """A `Store`."""

    is_held = False

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Open an existing file and see that it is sound.

        Raises:
            StoreBroken: missing, empty, torn, damaged, or of another schema.
        """
        require_file(path)
        self.name = path.name
        self._engine = engine_for(path, read_only=read_only)
        try:
            require_sound(self._engine, self.name)
        except BridgeError:
            self._engine.dispose()
            raise

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with translated(self.name), self._engine.begin() as connection:
            yield connection

    write = read  # this file's transactions are all alike: those of a writer have the lock from their beginning on

    def clock(self, connection: Connection, now: UnixSeconds) -> UnixSeconds:
        del connection
        return now  # all processes are on this machine

    def close(self) -> None:
        self._engine.dispose()


class HeldStore(SqliteStore):
    """One that no other process can hold while this one lives; the system lets go of it whenever we die."""

    is_held = True

    def __init__(self, path: Path) -> None:
        """As `SqliteStore`.

        Raises:
            NotYet: another process holds it.
        """
        require_file(path)  # a lock is not made for a journal that is not there
        self._lock = locked(path)
        try:
            super().__init__(path)
        except BridgeError:
            self._lock.close()
            raise

    def close(self) -> None:
        super().close()
        self._lock.close()


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Errors of the driver in our words."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        words = sqlite_words(error)
        if "database is locked" in words:
            raise NotYet(what="the journal's write lock") from error
        raise StoreBroken(store=name, rule=around(error) or f"{type(error).__name__}: {words}") from error
    except ValueError as error:  # a row that says what no program of ours writes: bytes turned
        raise StoreBroken(store=name, rule=f"rows with a meaning; {error}; restore the newest copy") from error


def create(path: Path, fill: Callable[[Connection], None]) -> None:
    """Make an empty journal, whole or not at all.

    Killed at any instant it leaves nothing under the journal's name; the next start makes it anew.

    Raises:
        SettingsMalformed: its folder does not exist, or the file does.
        StoreBroken: it cannot be made.
        NotYet: another process is about to make or use it.
    """
    if not path.parent.is_dir():
        raise SettingsMalformed(key="journal", rule="a path in a folder that exists; make the folder first")
    with locked(path):
        if path.exists():
            raise SettingsMalformed(key="journal", rule=THERE)
        partial = path.with_name(path.name + ".new")
        try:
            for end in ("", "-wal", "-shm"):
                partial.with_name(partial.name + end).unlink(missing_ok=True)
            engine = engine_for(partial)
            with engine.begin() as connection:
                upgrade(connection)
                fill(connection)
            engine.dispose()
            partial.replace(path)
            sync_path(path.parent)
        except (OSError, SQLAlchemyError, sqlite3.Error) as error:
            raise StoreBroken(store=path.name, rule=f"a file that can be made: {sqlite_words(error)}") from error


def engine_for(path: Path, *, read_only: bool = False, **changes: int) -> Engine:
    """One connection; every transaction of a writer takes the write lock when it begins. `changes`: of the pragmas."""
    engine = create_engine(f"sqlite:///{path}", pool_size=1, max_overflow=0, connect_args={"check_same_thread": False})
    begin = "BEGIN" if read_only else "BEGIN IMMEDIATE"  # a later upgrade would fail at once, whatever the timeout

    @event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        for name, value in (PRAGMAS | changes).items():
            connection.execute(f"PRAGMA {name} = {value}")
            got = connection.execute(f"PRAGMA {name}").fetchone()[0]
            if got != value:
                raise StoreBroken(store=path.name, rule=f"PRAGMA {name} is {got}, not {value}")
        if read_only:
            connection.execute("PRAGMA query_only = 1")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def sqlite_words(error: Exception) -> str:
    """What SQLite itself says, without the wrapper's references."""
    return str(getattr(error, "orig", None) or error)


def around(error: Exception) -> str | None:
    """What is wrong around the file, if that is it: then nothing is lost, and a copy of yesterday would lose a day.

    SQLite keeps a write-ahead log and shared memory beside it: who only reads needs room and rights for them too.
    """
    name = str(getattr(getattr(error, "orig", None) or error, "sqlite_errorname", ""))
    if name in {"SQLITE_FULL", "SQLITE_IOERR_SHMSIZE"}:
        return "room on its disk; make some and start again: nothing is lost"
    if name.startswith(("SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_READONLY")):
        return "a file in a folder that this user can write to, even to read it: nothing is lost"
    if name.startswith("SQLITE_IOERR"):
        return f"a disk that works ({name}); mend that before anything is restored"
    return None


def require_file(path: Path) -> None:
    """A file that SQLite made is there. Looked at first: SQLite would make a missing one, and write into an empty one.

    Never of a journal that this process writes: closing the file takes the process's locks on it along, and whoever
    opens and closes it next removes the write-ahead log beneath the writer.

    Raises:
        StoreBroken: missing, empty, torn at its beginning or end, or not to be read.
    """
    try:
        with path.open("rb") as file:
            head = file.read(len(MAGIC) + 2)
            size = file.seek(0, os.SEEK_END)
    except (FileNotFoundError, NotADirectoryError):
        lost = WAYS_OUT if path.parent.is_dir() else "its folder is missing; mount or make it first"
        raise StoreMissing(store=path.name, rule=lost) from None
    except OSError as error:
        raise StoreBroken(store=path.name, rule=f"a file that can be read: {error.strerror}") from None
    if not head:
        raise StoreBroken(
            store=path.name, rule="empty; restore the newest copy, or delete it if it never held anything"
        )
    # A page size follows; SQLite writes whole pages, and reads what is missing of the last one as zeros.
    page = int.from_bytes(head[len(MAGIC) :], "big")
    if not head.startswith(MAGIC) or page == 0 or size % (page if page > 1 else 1 << 16):
        raise StoreBroken(store=path.name, rule="torn, or no SQLite file; restore the newest copy and run fsck")


def require_sound(engine: Engine, store: str, version: int = SCHEMA_VERSION) -> None:
    """The file is whole and has this schema.

    Raises:
        StoreBroken: it is not, or has not.
    """
    try:
        with engine.begin() as connection:
            found = version_of(connection)
            answer = connection.exec_driver_sql("PRAGMA quick_check").scalar_one()
    except (SQLAlchemyError, sqlite3.Error) as error:
        words = f"a sound SQLite file, not one with: {sqlite_words(error)}; restore the newest copy and run fsck"
        raise StoreBroken(store=store, rule=around(error) or words) from error
    if found != version:
        raise StoreBroken(store=store, rule=cure(found))
    if answer != "ok":
        raise StoreBroken(store=store, rule="quick_check")


def locked(path: Path) -> IO[bytes]:
    """The lock beside the journal, for as long as the file is open."""
    try:
        lock = path.with_name(path.name + ".lock").open("ab")
    except OSError as error:
        raise StoreBroken(store=path.name, rule=f"a lock file beside it: {error.strerror}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise NotYet(what="the journal's lock: another relayer process holds it") from None
    return lock


# ── copies, and the way to a newer schema ────────────────────────────────────────────────────────────────────────────


def copy(path: Path, target: Path, require: Callable[[Path], None]) -> int:
    """A whole and consistent copy, also while a relayer writes; `require` judges it first. Its size in bytes.

    Raises:
        SettingsMalformed: something stands there already, or its folder does not exist.
        StoreBroken: the copy cannot be written, or is not sound.
    """
    if target.exists() or not target.parent.is_dir():
        raise SettingsMalformed(key="FILE", rule="a new file in a folder that exists")
    partial = target.with_name(target.name + ".new")
    try:
        # Balances and plans: nobody else's.
        os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        _copy(path, partial)
        require(partial)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        os.link(partial, target)  # never over another file, not even one that came meanwhile
        sync_path(target.parent)
    except (OSError, sqlite3.Error) as error:
        raise StoreBroken(store=target.name, rule=f"a copy that can be written: {error}") from None
    finally:
        for end in ("", "-wal", "-shm", "-journal"):
            partial.with_name(partial.name + end).unlink(missing_ok=True)
    return target.stat().st_size


def _copy(path: Path, partial: Path) -> None:
    origin = f"{path.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(origin, uri=True)) as source, closing(sqlite3.connect(partial)) as target:
        source.backup(target)  # in one step: a reader's snapshot, which in WAL mode stops no writer


def schema_of(path: Path) -> int:
    """The version of the schema of this journal.

    Raises:
        StoreBroken: it is missing, or torn at its beginning.
    """
    require_file(path)
    engine = engine_for(path, read_only=True)
    try:
        with engine.begin() as connection:
            return version_of(connection)
    except (SQLAlchemyError, sqlite3.Error) as error:
        words = f"a sound SQLite file: {sqlite_words(error)}"
        raise StoreBroken(store=path.name, rule=around(error) or words) from error
    finally:
        engine.dispose()


def migrate(path: Path, backup: Path, also: Callable[[Connection, int], None]) -> None:
    """Move a journal of an older schema to that of this program, after a copy to `backup`. One commit: all or nothing.

    Args:
        path: the journal.
        backup: a new file.
        also: what else is written in that commit, given the version it had.

    Raises:
        NotYet: a relayer holds it.
        SettingsMalformed: as `copy`.
        StoreBroken: it is of no older schema, or not sound, or its rows do not fit the new one.
    """
    require_file(path)
    with locked(path):
        version = schema_of(path)
        if not 0 < version < SCHEMA_VERSION:
            raise StoreBroken(store=path.name, rule=cure(version))
        copy(path, backup, lambda partial: _require_version(partial, version))
        engine = engine_for(path, foreign_keys=0)  # tables are made anew under the names that others refer to
        try:
            with engine.begin() as connection:
                upgrade(connection)
                also(connection, version)
                if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
                    raise StoreBroken(store=path.name, rule="rows that refer to rows that are there")
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise StoreBroken(store=path.name, rule=f"rows that fit the new schema: {sqlite_words(error)}") from error
        finally:
            engine.dispose()
        _require_version(path, SCHEMA_VERSION)


def _require_version(path: Path, version: int) -> None:
    engine = engine_for(path)
    try:
        require_sound(engine, path.name, version)
    finally:
        engine.dispose()
