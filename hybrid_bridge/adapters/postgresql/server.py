"""A server: how it is reached, and what its errors mean. The driver is an extra (`hybrid-bridge[postgresql]`)."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnection

from hybrid_bridge.errors import BridgeError, KeyUnusable, SettingsMalformed, StoreAway, StoreBroken

DEADLINE: Final = 10  # seconds, of any answer
KEY: Final = "database"  # the setting
_REFUSED: Final = "28"  # classes of SQLSTATE: authorisation
_AWAY: Final = {  # codes or classes, the longer first
    "25006": "it takes no writes: a standby, or set read-only",
    "0A000": "it takes no writes: a standby",  # what SET TRANSACTION READ WRITE is answered during recovery
    "25": "it ended a transaction that was silent for too long",
    "08": "no connection",
    "40": "another transaction was in the way",
    "53100": "its disk is full",
    "53": "it has no room",
    "55": "a lock did not come in time",
    "57014": "a statement took too long",
    "57": "it is shutting down or starting",
}
_NO_DATABASE: Final = "3D"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One database of it. `password` is asked at each new connection: one that was changed needs no restart."""

    host: str
    port: int
    user: str
    database: str
    password: Callable[[], str] = field(repr=False)
    ca: Path | None = None  # authorities that vouch for it; None: those of the system
    is_here: bool = False  # on this machine's loopback: asked without TLS
    key: str  # the setting that names it, for errors
    program: str  # as its administrator sees us

    def engine(self, size: int, deadline: int | None = DEADLINE) -> Engine:
        """A pool of so many connections, whose answers are waited for so long; none is made yet.

        Raises:
            SettingsMalformed: the driver is not installed, or `ca` cannot be read.
        """
        options: dict[str, Any] = {"timeout": deadline, "application_name": self.program}
        if not self.is_here:
            options["ssl_context"] = self._tls()
        url = URL.create("postgresql+pg8000", self.user, host=self.host, port=self.port, database=self.database)
        try:
            engine = create_engine(
                url,
                pool_size=size,
                max_overflow=0,
                pool_timeout=DEADLINE,
                pool_pre_ping=True,  # a server that was restarted costs no failed call
                hide_parameters=True,  # an error's text must hold no document
                connect_args=options,
            )
        except (ImportError, NoSuchModuleError):
            raise SettingsMalformed(key=self.key, rule="pip install 'hybrid-bridge[postgresql]'") from None
        engine.dialect.use_insertmanyvalues_wo_returning = True  # many rows in one message, not one each
        event.listen(engine, "do_connect", self._prove)
        return engine

    def _prove(self, _dialect: object, _record: object, _arguments: object, parameters: dict[str, Any]) -> None:
        parameters["password"] = self.password()

    def _tls(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self.ca)
        except (OSError, ssl.SSLError):
            raise SettingsMalformed(key=self.key, rule="ca=PATH of a readable PEM file") from None


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Errors of the driver in our words; none of them holds a parameter or a password."""
    try:
        yield
    except DBAPIError as error:
        raise _ours(name, error) from None
    except NoConnection:
        raise StoreAway(store=name, why="all its connections are busy") from None
    except SQLAlchemyError as error:
        raise StoreBroken(store=name, rule=f"readable and writable ({type(error).__name__})") from None
    except OSError:
        raise StoreAway(store=name, why="no connection") from None


def _ours(name: str, error: DBAPIError) -> BridgeError:
    detail = error.orig.args[0] if error.orig is not None and error.orig.args else None
    state = str(detail.get("C", "")) if isinstance(detail, dict) else ""
    if state.startswith(_REFUSED):
        return KeyUnusable(key=KEY, rule="user and password that the server takes")
    if not state:
        return StoreAway(store=name, why="no connection")
    for code, why in _AWAY.items():
        if state.startswith(code):
            return StoreAway(store=name, why=why)
    if state.startswith(_NO_DATABASE):
        return StoreBroken(store=name, rule="a database that exists on its server")
    return StoreBroken(store=name, rule=f"readable and writable ({state})")
