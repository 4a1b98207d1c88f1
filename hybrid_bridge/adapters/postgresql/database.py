"""PostgreSQL for a member's derived stores: one database a member, durable commits, every wait bounded.

The driver is an extra (`hybrid-bridge[postgresql]`). Tables are made on first use, for what stands in them can be made
again. TLS with the system's authorities, unless the server is this machine.
"""

import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection, Text, create_engine, make_url, select, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlmodel import Field, SQLModel

from hybrid_bridge.errors import KeyUnusable, SettingsMalformed, StoreBroken, Unreachable

DEADLINE: Final = 10  # seconds, of any answer
CONNECTIONS: Final = 8
_HERE: Final = ("localhost", "127.0.0.1", "::1")
_KEY: Final = "secrets.registry"
_REFUSED: Final = "28"  # classes of SQLSTATE: authorisation
_AWAY: Final = ("08", "40", "53", "57")  # connection, serialisation, resources, shutdown: ask again


class DatabaseFact(SQLModel, table=True):
    """What this database is: kind, schema version, log, owner. Compared at every start."""

    key: str = Field(sa_type=Text, primary_key=True)
    value: str = Field(sa_type=Text)


class PostgresDatabase:
    """Connections to one database. `write` is serial in this process; `read` sees the last commit."""

    def __init__(self, url: str, name: str) -> None:
        """Connects to nothing yet.

        Raises:
            SettingsMalformed: no URL of PostgreSQL, or the driver is not installed.
        """
        self.name = name
        self._turn = threading.Lock()
        try:
            parsed = make_url(url).set(drivername="postgresql+pg8000")
            if not url.startswith("postgresql://") or not parsed.host or not parsed.database:
                raise SettingsMalformed(key=_KEY, rule="postgresql://USER:PASSWORD@HOST:PORT/DATABASE")
            options: dict[str, Any] = {"timeout": DEADLINE}
            if parsed.host not in _HERE:
                options["ssl_context"] = ssl.create_default_context()
            self._engine = create_engine(
                parsed,
                pool_size=CONNECTIONS,
                max_overflow=0,
                pool_timeout=DEADLINE,
                pool_pre_ping=True,  # a server that was restarted costs no failed call
                hide_parameters=True,
                connect_args=options,
            )
            self._engine.dialect.use_insertmanyvalues_wo_returning = True  # many rows in one message, not one each
        except (ArgumentError, ValueError):
            raise SettingsMalformed(key=_KEY, rule="postgresql://USER:PASSWORD@HOST:PORT/DATABASE") from None
        except (ImportError, NoSuchModuleError):
            raise SettingsMalformed(key=_KEY, rule="pip install 'hybrid-bridge[postgresql]'") from None

    def open(self, tables: Sequence[type[SQLModel]], facts: dict[str, str]) -> None:
        """Make what is missing, and see that the rest is what the caller believes.

        Raises:
            StoreBroken: it was made for something else.
            Unreachable: no answer.
        """
        models: list[type[SQLModel]] = [DatabaseFact, *tables]
        fact = DatabaseFact.__table__  # type: ignore[attr-defined]  # SQLModel sets it on table models
        with self.write() as connection:
            for model in models:
                model.__table__.create(connection, checkfirst=True)  # type: ignore[attr-defined]
            found = {row.key: row.value for row in connection.execute(select(fact))}
            if not found:
                connection.execute(fact.insert(), [{"key": key, "value": facts[key]} for key in sorted(facts)])
                return
        for key, value in facts.items():
            if found.get(key) != value:
                raise StoreBroken(store=self.name, rule=f"{key} {value}")

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction; durable when the block ends, undone when it raises."""
        with self._turn, self._translated(), self._engine.begin() as connection:
            connection.execute(text("SET LOCAL synchronous_commit = on"))  # whatever the server's own setting says
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A view of the last commit."""
        with self._translated(), self._engine.connect() as connection:
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            state = _sqlstate(error)
            if state.startswith(_REFUSED):
                raise KeyUnusable(key=_KEY, rule="user and password that the server takes") from None
            if not state or state.startswith(_AWAY):
                raise Unreachable(endpoint=self.name, call="postgresql") from None
            raise StoreBroken(store=self.name, rule=f"readable and writable ({state})") from error
        except SQLAlchemyError as error:
            raise StoreBroken(store=self.name, rule=f"readable and writable ({type(error).__name__})") from error
        except OSError:
            raise Unreachable(endpoint=self.name, call="postgresql") from None


def _sqlstate(error: DBAPIError) -> str:
    """The server's code; empty if it is the connection that failed."""
    detail = error.orig.args[0] if error.orig is not None and error.orig.args else None
    return str(detail.get("C", "")) if isinstance(detail, dict) else ""
