"""An import into a guard, in a process of its own, for tests that kill it.

Before each statement with which SQLite writes, and around what happens to files, it says so and waits for leave to go on.
"""

from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from hybrid_bridge.adapters.sqlite.guard import SqlGuard
from hybrid_bridge.core.encoding import ZERO, sha256
from hybrid_bridge.core.guard import Highest, History, PowerStatement, Statement
from hybrid_bridge.node.directory import Directory
from hybrid_bridge.node.restoring import make_guard
from hybrid_bridge.units import Address, ChainId, Digest, LogId, TreeSize

LOG, ADDRESS = LogId(sha256(b"genesis record")), Address(b"\x22" * 20)

WRITES = ("BEGIN IMMEDIATE", "CREATE", "INSERT", "UPDATE", "DELETE", "COMMIT")  # the others change no file


def row(size: int) -> Statement:
    return Statement(TreeSize(size), sha256(b"root %d" % size), sha256(b"digest %d" % size))


def power(number: int) -> PowerStatement:
    return PowerStatement(ChainId(1), Address(b"\x01" * 20), "set", number, ZERO)


OURS = History(Highest(TreeSize(1), Digest(LOG)), (row(4), row(9)), (power(2),))
THEIRS = History(Highest(TreeSize(4), row(4).root), (row(9), row(12), row(20)), (power(2), power(3), power(4)))
BOTH = History(THEIRS.floor, (row(4), row(9), row(12), row(20)), (power(2), power(3), power(4)))


class Founded:
    """All that a new guard needs of a directory."""

    log_id = LOG


def absorb(path: Path) -> None:
    guard = SqlGuard(path)
    guard.open(LOG, ADDRESS)
    try:
        guard.absorb(ADDRESS, THEIRS)
    finally:
        guard.close()


def make(path: Path) -> None:
    directory: Directory = Founded()  # type: ignore[assignment]
    make_guard(path, directory, ADDRESS, THEIRS)


def bring_forward(path: Path) -> None:
    """A store of schema 1 is opened."""
    guard = SqlGuard(path)
    guard.open(LOG, ADDRESS)
    guard.close()


IMPORTS: dict[str, Callable[[Path], None]] = {"absorb": absorb, "make": make, "bring_forward": bring_forward}


def main(parent: Connection, name: str, path: str) -> None:
    def ask(what: str) -> None:
        parent.send(what)
        parent.recv()

    def traced(connection: Any, _record: object) -> None:
        connection.set_trace_callback(lambda sql: ask(sql) if sql.startswith(WRITES) else None)

    def around(method: str) -> None:
        real = getattr(Path, method)

        def asking(self: Path, *args: Any, **kwargs: Any) -> Any:
            ask(f"before {method} {self.name}")
            done = real(self, *args, **kwargs)
            ask(f"after {method} {self.name}")
            return done

        setattr(Path, method, asking)

    event.listen(Engine, "connect", traced)
    for method in ("touch", "unlink", "rename"):
        around(method)
    IMPORTS[name](Path(path))
    parent.send("done")
