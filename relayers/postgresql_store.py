"""A journal's database: PostgreSQL, for two machines of which one relays and the other stands by.

READ COMMITTED, and whoever writes locks the lease's row first: writers are serial, and the fence is checked under the
lock. Nothing is kept in a session, so a pooler by transaction may stand between. Every wait is bounded, on the server
too: a process that is stopped amid a transaction holds no lock for longer than `PATIENCE`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from hybrid_bridge.adapters.postgresql.server import DEADLINE
from hybrid_bridge.custody.servers import server_of
from hybrid_bridge.errors import (
    BridgeError,
    KeyUnusable,
    NotYet,
    SettingsMalformed,
    StoreBroken,
    StoreMissing,
    Unreachable,
)
from hybrid_bridge.units import UnixSeconds
from relayers.journal_place import KEY, PostgresPlace
from relayers.revisions import SCHEMA_VERSION, THERE, cure, upgrade, version_of

PATIENCE: Final = 5  # seconds for a transaction whose process says nothing
LOCK: Final = 8  # seconds for a lock: longer than such a sleeper may hold it
_BOUNDS: Final = (
    f"SET LOCAL lock_timeout = '{LOCK}s'; SET LOCAL statement_timeout = '{DEADLINE}s'; "
    f"SET LOCAL idle_in_transaction_session_timeout = '{PATIENCE}s'"
)
_READ: Final = f"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; {_BOUNDS}"
_WRITE: Final = (  # whatever the server's own settings say
    f"SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE; SET LOCAL synchronous_commit = on; {_BOUNDS}"
)
_ONE_AT_A_TIME: Final = "SELECT pg_advisory_xact_lock(6822340117)"  # around what makes or moves tables; any number
_REFUSED: Final = "28"  # classes of SQLSTATE: authorisation
_AWAY: Final = ("08", "25", "53", "57")  # connection, a transaction that was ended, resources, shutdown
_BUSY: Final = ("40", "55")  # serialisation, a lock that did not come
_NO_DATABASE: Final = "3D"
WAYS_OUT: Final = (
    "no journal in this database: a new operator runs `init`; one whose database was lost runs `init`, "
    "then `recover --from-chain --plan`, which shows what the chain knows of the key, then `recover --from-chain`"
)


class PostgresStore:
    """A `Store`."""

    is_held = False

    def __init__(self, place: PostgresPlace, *, is_new: bool = False) -> None:
        """See that it answers and has our schema; `is_new`: that it has none yet.

        Raises:
            StoreBroken: it has not.
            Unreachable: no answer.
            KeyUnusable: the password is not there, or the server does not take it.
            SettingsMalformed: the driver is not installed.
        """
        self.name = place.name
        self._engine = server_of(place, KEY, "hybrid-relayer").engine(1)
        if is_new:
            return
        try:
            with self.read() as connection:
                _require_version(self.name, version_of(connection), SCHEMA_VERSION)
        except BridgeError:
            self.close()
            raise

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with self._begun(_READ) as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        with self._begun(_WRITE) as connection:
            yield connection

    def clock(self, connection: Connection, now: UnixSeconds) -> UnixSeconds:
        """The server's, at this moment and not when the transaction began: it may have waited for a lock."""
        del now
        return UnixSeconds(
            connection.exec_driver_sql("SELECT floor(extract(epoch FROM clock_timestamp()))::bigint").scalar_one()
        )

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _begun(self, bounds: str) -> Iterator[Connection]:
        with translated(self.name), self._engine.begin() as connection:
            connection.exec_driver_sql(bounds)
            yield connection


def create(place: PostgresPlace, fill: Callable[[Connection], None]) -> None:
    """Make the tables in an empty database, and what `fill` puts into them: one transaction.

    Raises:
        SettingsMalformed: there is a journal already.
        Unreachable, KeyUnusable, SettingsMalformed: as `PostgresStore`.
    """
    store = PostgresStore(place, is_new=True)
    try:
        with store.write() as connection:
            connection.exec_driver_sql(_ONE_AT_A_TIME)
            if version_of(connection):
                raise SettingsMalformed(key=KEY, rule=THERE)
            upgrade(connection)
            fill(connection)
    finally:
        store.close()


def schema_of(place: PostgresPlace) -> int:
    """The version of the schema of this journal; raises as `PostgresStore`."""
    store = PostgresStore(place, is_new=True)
    try:
        with store.read() as connection:
            return version_of(connection)
    finally:
        store.close()


def migrate(place: PostgresPlace, also: Callable[[Connection, int], None]) -> None:
    """Move a journal of an older schema to that of this program. One transaction, under the lease's lock.

    Args:
        place: the journal.
        also: what else is written in it, given the version it had.

    Raises:
        NotYet: a relayer holds the lease.
        StoreBroken: it is of no older schema.
        Unreachable, KeyUnusable, SettingsMalformed: as `PostgresStore`.
    """
    store = PostgresStore(place, is_new=True)
    try:
        with store.write() as connection:
            connection.exec_driver_sql(_ONE_AT_A_TIME)
            version = version_of(connection)
            if not 0 < version < SCHEMA_VERSION:
                raise StoreBroken(store=place.name, rule=cure(version))
            until = connection.exec_driver_sql("SELECT until FROM lease FOR UPDATE").scalar_one()
            if until > store.clock(connection, UnixSeconds(0)):
                raise NotYet(what="the end of the lease: stop the relayer")
            upgrade(connection)
            also(connection, version)
    finally:
        store.close()


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Errors of the driver in our words; none of them holds a parameter or a password."""
    try:
        yield
    except DBAPIError as error:
        raise _ours(name, error) from None
    except SQLAlchemyError as error:
        raise StoreBroken(store=name, rule=f"readable and writable ({type(error).__name__})") from None
    except OSError:
        raise Unreachable(endpoint=name, call="postgresql") from None
    except ValueError as error:  # a row that says what no program of ours writes
        raise StoreBroken(store=name, rule=f"rows with a meaning; {error}; restore the newest copy") from error


def _ours(name: str, error: DBAPIError) -> BridgeError:
    detail = error.orig.args[0] if error.orig is not None and error.orig.args else None
    fields: dict[str, Any] = detail if isinstance(detail, dict) else {}
    state, words = str(fields.get("C", "")), str(fields.get("M", ""))
    if state.startswith(_REFUSED):
        return KeyUnusable(key=KEY, rule="user and password that the server takes")
    if not state or state.startswith(_AWAY):
        return Unreachable(endpoint=name, call="postgresql")
    if state.startswith(_BUSY):
        return NotYet(what="the journal's write lock")
    if state.startswith(_NO_DATABASE):
        rule = "a database that exists; make it, then `init`, and after a loss `recover --from-chain`"
        return StoreMissing(store=name, rule=rule)
    return StoreBroken(store=name, rule=f"{words} ({state})")


def _require_version(name: str, found: int, wanted: int) -> None:
    if found == 0:
        raise StoreMissing(store=name, rule=WAYS_OUT)
    if found != wanted:
        raise StoreBroken(store=name, rule=cure(found))
