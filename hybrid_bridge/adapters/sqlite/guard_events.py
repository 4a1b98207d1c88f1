"""The guard's event chain in its store: appended in the transaction that makes a row, verified on demand.

Stores of schema 1 have none; opening such a store adds it, in one transaction that changes no row (RELAYER §5.4).
"""

from collections.abc import Iterable, Iterator

from sqlalchemy import Connection, select
from sqlmodel import Field, SQLModel

from hybrid_bridge.adapters.sqlite.file import STRICT, Meta, blob, table_of
from hybrid_bridge.core.encoding import Json
from hybrid_bridge.core.event_chain import EMPTY, Event, Head, event_after, verify_events
from hybrid_bridge.core.guard import History
from hybrid_bridge.core.guard_events import Told, added_events, told_by
from hybrid_bridge.errors import BridgeError, StoreBroken
from hybrid_bridge.units import Digest

SCHEMA = "2"
NAME = "guardevent"


class GuardEvent(SQLModel, table=True):
    """One event, hashed over the one before. Insert-only."""

    __table_args__ = STRICT

    seq: int = Field(primary_key=True)
    previous: bytes = blob()
    digest: bytes = blob()
    body: bytes = blob()


_EVENT, _META = table_of(GuardEvent), table_of(Meta)


def append(connection: Connection, bodies: Iterable[Json]) -> None:
    """Add events, in the caller's transaction."""
    head, rows = last(connection), []
    for body in bodies:
        event = event_after(head, body)
        rows.append({"seq": event.seq, "previous": event.previous, "digest": event.digest, "body": event.body})
        head = event.head
    if rows:
        connection.execute(_EVENT.insert(), rows)


def last(connection: Connection) -> Head:
    """The chain's head, as stored."""
    row = connection.execute(select(_EVENT.c.seq, _EVENT.c.digest).order_by(_EVENT.c.seq.desc()).limit(1)).first()
    return EMPTY if row is None else Head(row.seq, Digest(row.digest))


def verified(connection: Connection, rows: History, kept: Head | None) -> tuple[Head, Told]:
    """The chain's head and what it tells, if it is whole and tells just these rows.

    Args:
        connection: of a read.
        rows: the tables' content.
        kept: a head that somebody noted before; the chain must go through it.

    Raises:
        StoreBroken: an event or a row was changed, added or taken out, or the noted head is not there.
    """
    head, passed, bodies = EMPTY, kept is None or kept == EMPTY, []
    try:
        for reached, body in verify_events(_events(connection)):
            head, passed = reached, passed or reached == kept
            bodies.append(body)
        told = told_by(bodies)
    except BridgeError as error:
        raise StoreBroken(store="guard", rule=f"an unbroken chain of events ({error})") from None
    if not passed:
        raise StoreBroken(store="guard", rule="a chain that goes through the noted head: it was cut, or is another")
    if told.history != rows.in_order():
        raise StoreBroken(store="guard", rule="the rows that its events tell")
    return head, told


def bring_forward(connection: Connection, rows: History) -> None:
    """A store of schema 1 becomes one of schema 2: an event for each row, floor first. Nothing else changes.

    Raises:
        StoreBroken: of a schema that this version does not know.
    """
    schema = connection.execute(select(_META.c.value).where(_META.c.key == "schema")).scalar()
    if schema == SCHEMA:
        return
    if schema != "1":
        raise StoreBroken(store="guard", rule=f"schema {SCHEMA}, or 1, which becomes {SCHEMA}")
    _EVENT.create(connection)
    for verb in ("UPDATE", "DELETE"):
        connection.exec_driver_sql(
            f"CREATE TRIGGER {NAME}_no_{verb.lower()} BEFORE {verb} ON {NAME} "
            f"BEGIN SELECT RAISE(ABORT, '{NAME} is insert-only'); END"
        )
    append(connection, added_events(None, rows))
    connection.execute(_META.update().where(_META.c.key == "schema").values(value=SCHEMA))


def _events(connection: Connection) -> Iterator[Event]:
    for row in connection.execute(select(_EVENT).order_by(_EVENT.c.seq)):
        yield Event(row.seq, Digest(row.previous), Digest(row.digest), row.body)
