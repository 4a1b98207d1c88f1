"""The chain of events in its table, and beside it the rows that it tells of."""

from collections.abc import Iterator, Mapping
from typing import Final

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.engine import Connection

from hybrid_bridge.core.encoding import Json
from hybrid_bridge.core.event_chain import EMPTY, Head
from hybrid_bridge.errors import FieldMismatch
from hybrid_bridge.units import Digest, UnixSeconds
from relayers.event_chain import EventRow, Kind, Tally, link, replay
from relayers.journal import Brake
from relayers.sql_tables import Stored

PAGE: Final = 500  # events in memory at once

_T: Final = Stored.metadata.tables
EVENT, LEASE, CONTROL = _T["event_log"], _T["lease"], _T["control"]
_NEWEST: Final = select(EVENT.c.seq, EVENT.c.hash).order_by(EVENT.c.seq.desc()).limit(1)
_PAGE: Final = select(EVENT).where(EVENT.c.seq > bindparam("after")).order_by(EVENT.c.seq).limit(PAGE)
_VERIFIED: Final = (
    select(EVENT.c.seq, EVENT.c.prev_hash).where(EVENT.c.kind == Kind.VERIFIED.value).order_by(EVENT.c.seq.desc())
).limit(1)
_INSERT: Final = insert(EVENT)
_AT: Final = select(EVENT.c.hash).where(EVENT.c.seq == bindparam("seq"))
_INTENT, _SLOT = _T["intent"], _T["slot"]
_COUNTS: Final = {
    Kind.INTENT_OPENED: select(func.count()).select_from(_INTENT),
    Kind.INTENT_SETTLED: select(func.count()).select_from(_INTENT).where(_INTENT.c.state != "OPEN"),
    Kind.ATTEMPT: select(func.count()).select_from(_T["attempt"]),
    Kind.SLOT_CLOSED: select(func.count()).select_from(_SLOT).where(_SLOT.c.state == "CLOSED"),
    Kind.WISH: select(func.count()).select_from(_T["wish"]),
}


def append(connection: Connection, kind: Kind, at: UnixSeconds, facts: Mapping[str, Json]) -> None:
    """In the caller's transaction, which holds the lock of all writers: there is one event after another."""
    row = link(head(connection), kind, at, facts)
    named = {
        "seq": row.seq,
        "prev_hash": row.previous,
        "hash": row.hash,
        "kind": row.kind,
        "body": row.body,
        "at": row.at,
    }
    connection.execute(_INSERT, named)


def set_brake(connection: Connection, brake: Brake, by: str, at: UnixSeconds) -> None:
    """In the caller's transaction, as `append`."""
    connection.execute(update(CONTROL).values(brake=brake.value, by=by, set_at=at))
    append(connection, Kind.BRAKE, at, {"level": brake.value, "by": by})


def head(connection: Connection) -> Head:
    """Of the whole chain, as it stands."""
    newest = connection.execute(_NEWEST).first()
    return EMPTY if newest is None else Head(newest.seq, newest.hash)


def verified(connection: Connection) -> Head:
    """What the newest event that says so calls verified; the beginning without one.

    That event is verified again: only what lies before it is taken from it.
    """
    newest = connection.execute(_VERIFIED).first()
    return EMPTY if newest is None else Head(newest.seq - 1, newest.prev_hash)


def rows(connection: Connection, after: int = 0) -> Iterator[EventRow]:
    """All after this number, ascending, a page at a time."""
    while page := connection.execute(_PAGE, {"after": after}).mappings().all():
        for row in page:
            yield EventRow(row["seq"], row["prev_hash"], row["hash"], row["kind"], row["body"], row["at"])
        after = page[-1]["seq"]


def hash_at(connection: Connection, seq: int) -> Digest | None:
    """Of one event."""
    digest: Digest | None = connection.execute(_AT, {"seq": seq}).scalar()
    return digest


def state(connection: Connection) -> dict[str, Json]:
    """What a chain that begins late must know of what was before."""
    control = connection.execute(select(CONTROL)).mappings().one()
    return {
        "rows": {name: connection.execute(query).scalar_one() for name, query in _COUNTS.items()},
        "epoch": connection.execute(select(LEASE.c.epoch)).scalar_one(),
        "halted": control["halted_reason"],
        "brake": control["brake"],
    }


def differences(connection: Connection, tally: Tally) -> tuple[str, ...]:
    """Where the rows are not what the events tell."""
    told: dict[str, object] = {
        "rows": tally.counts,
        "epoch": tally.epoch,
        "halted": tally.halted,
        "brake": tally.brake,
    }
    found = state(connection)
    counts = found.pop("rows")
    assert isinstance(counts, dict)  # noqa: S101 narrows a type: made three lines above
    wrong = [f"{name}: {n} rows, {tally.counts[name]} events" for name, n in counts.items() if n != tally.counts[name]]
    wrong += [
        f"{name}: {row} in its row, {told[name]} by the events" for name, row in found.items() if row != told[name]
    ]
    return tuple(wrong)


def audit(connection: Connection) -> tuple[str, ...]:
    """All that is wrong with the chain, in words."""
    try:
        return differences(connection, replay(rows(connection)))
    except FieldMismatch as error:
        return (f"{error.field}: {error.got}, not {error.expected}",)
