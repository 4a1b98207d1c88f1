"""What of a journal's history is told in its chain of events, and the check that all of it still stands.

An event is written in the commit that makes what it tells. The chain itself is `core.event_chain`; here a body is
``{"at": …, "kind": …, …}``, and a tally of all bodies says how many rows there must be. Nothing is believed: a row that
was put in or taken out beside the chain shows as a difference, a changed event as a broken link.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from hybrid_bridge.core.encoding import Json
from hybrid_bridge.core.event_chain import EMPTY, Event, Head, event_after, verify_events
from hybrid_bridge.errors import FieldMismatch, Malformed
from hybrid_bridge.units import Digest, UnixSeconds


class Kind(StrEnum):
    """MADE: by `init`. The others: by `migrate`, a relayer, a person. VERIFIED: all before it was replayed."""

    MADE = "made"
    MIGRATED = "migrated"
    LEASE = "lease"
    INTENT_OPENED = "intent_opened"
    INTENT_SETTLED = "intent_settled"
    ATTEMPT = "attempt"
    SLOT_CLOSED = "slot_closed"
    HALT = "halt"
    RESUMED = "resumed"
    BRAKE = "brake"
    WISH = "wish"
    PRUNED = "pruned"
    VERIFIED = "verified"


COUNTED: Final = (Kind.INTENT_OPENED, Kind.INTENT_SETTLED, Kind.ATTEMPT, Kind.SLOT_CLOSED, Kind.WISH)


@dataclass(frozen=True, slots=True)
class EventRow:
    """One link, as it is stored; `kind` and `at` stand in the body too."""

    seq: int
    previous: Digest
    hash: Digest
    kind: str
    body: str
    at: UnixSeconds


@dataclass(slots=True)
class Tally:
    """What a chain tells, once all of it is read."""

    head: Head = EMPTY
    at: UnixSeconds | None = None  # of the newest event
    epoch: int = 0
    halted: str | None = None
    brake: str = "run"
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTED, 0))


def link(head: Head, kind: Kind, at: UnixSeconds, facts: Mapping[str, Json]) -> EventRow:
    """The event that comes after `head`."""
    event = event_after(head, {**facts, "kind": kind.value, "at": int(at)})
    return EventRow(event.seq, event.previous, event.digest, kind.value, event.body.decode(), at)


def replay(rows: Iterable[EventRow], start: Head = EMPTY) -> Tally:
    """All of it, from the first event after `start` on, one row in memory at a time.

    With another start than the beginning the tally counts only what comes after it.

    Raises:
        FieldMismatch: the first event that is not what the ones before it ask for; `field` names its number.
    """
    tally = Tally(start)
    last: list[EventRow] = []

    def events() -> Iterable[Event]:
        for row in rows:
            last[:] = [row]
            yield Event(row.seq, row.previous, row.hash, row.body.encode())

    try:
        for head, body in verify_events(events(), start):
            row = last[0]
            _require(row, body)
            _count(tally, body)
            tally.head, tally.at = head, row.at
    except Malformed as error:
        raise FieldMismatch(field=f"event {last[0].seq} body", expected="canonical JSON", got=str(error)) from None
    return tally


def _require(row: EventRow, body: Json) -> None:
    said = (body.get("kind"), body.get("at")) if isinstance(body, dict) else (None, None)
    if said != (row.kind, row.at):
        raise FieldMismatch(field=f"event {row.seq} kind or at", expected=f"{said}", got=f"{(row.kind, row.at)}")


def _count(tally: Tally, body: Json) -> None:
    assert isinstance(body, dict)  # noqa: S101 narrows a type: `_require` saw it
    match body["kind"], body:
        case Kind.MIGRATED, {"rows": dict(rows), "epoch": int(epoch), "halted": halted, "brake": str(brake)} if (
            tally.head == EMPTY  # a chain that begins here; a later one only tells the version
        ):
            tally.counts = {name: int(str(rows[name])) for name in COUNTED}
            tally.epoch, tally.brake = epoch, brake
            tally.halted = None if halted is None else str(halted)
        case Kind.LEASE, {"epoch": int(epoch)}:
            tally.epoch = epoch
        case Kind.HALT, {"reason": str(reason)}:
            tally.halted = reason
        case Kind.RESUMED, _:
            tally.halted = None
        case Kind.BRAKE, {"level": str(level)}:
            tally.brake = level
        case str(kind), _ if kind in tally.counts:
            tally.counts[kind] += 1
        case _:
            pass
