"""The statements that reach a database: heard, explained, or the last ones of a process."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event

from hybrid_bridge.testing.crashing import Killed


@contextmanager
def listening(watch: Callable[..., None], *engines: Any) -> Iterator[None]:
    """`watch` hears of each statement before it is made: of these engines, or of all that there are."""
    asked = engines or (Engine,)
    for engine in asked:
        event.listen(engine, "before_cursor_execute", watch)
    try:
        yield
    finally:
        for engine in asked:
            event.remove(engine, "before_cursor_execute", watch)


@contextmanager
def heard(kind: str = "", *engines: Any) -> Iterator[list[str]]:
    """The statements that begin so and are made meanwhile."""
    found: list[str] = []

    def watch(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith(kind):
            found.append(statement)

    with listening(watch, *engines):
        yield found


def killed_at(number: int, call: Callable[[], object], *engines: Any) -> bool:
    """Whether `call` reached its statement `number`, before which the process ends."""
    seen = 0

    def watch(*_: object) -> None:
        nonlocal seen
        if seen == number:
            raise Killed
        seen += 1

    with listening(watch, *engines):
        try:
            call()
        except Killed:
            return True
    return False


@contextmanager
def explained(*engines: Any) -> Iterator[list[tuple[str, list[str]]]]:
    """Each statement that is made meanwhile, and how SQLite finds what it asks for; nothing for an insert or a frame."""
    found: list[tuple[str, list[str]]] = []

    def watch(connection: Any, _cursor: Any, statement: str, asked: Any, _context: Any, many: bool) -> None:
        plan: list[str] = []
        if statement.lstrip().startswith(("SELECT", "UPDATE", "DELETE")):
            driver, values = connection.connection.driver_connection, asked[0] if many else asked
            plan = [row[3] for row in driver.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()]
        found.append((statement, plan))

    with listening(watch, *engines):
        yield found
