"""A log that a store keeps of itself: each event is hashed over the one before, so none is changed or taken out unseen.

::

    hash(n) = H(CTX("event") ‖ hash(n − 1) ‖ u64 n ‖ JCS(body)),   n = 1, 2, …;   hash(0) = 32 zero bytes

A tail that was cut leaves a shorter chain that verifies: whoever kept an older head finds it missing.
Source: RELAYER §2, §5.4; SPEC §1.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from hybrid_bridge.core.encoding import ZERO, Json, canonical_json, context, parse_canonical_json, sha256
from hybrid_bridge.core.proof import as_digest
from hybrid_bridge.errors import FieldMalformed, FieldMismatch
from hybrid_bridge.units import MAX_U64, Digest

MAX_EVENT: Final = 1 << 16  # bytes of one body: an event says what happened, it is no archive
_CONTEXT: Final = context("event")


@dataclass(frozen=True, slots=True)
class Head:
    """How far a chain has come: `seq` events, the last with this hash."""

    seq: int
    digest: Digest


@dataclass(frozen=True, slots=True)
class Event:
    """One event as it is stored."""

    seq: int
    previous: Digest
    digest: Digest
    body: bytes  # canonical JSON

    @property
    def head(self) -> Head:
        """Of the chain that ends with it."""
        return Head(self.seq, self.digest)


EMPTY: Final = Head(0, ZERO)


def event_after(head: Head, body: Json) -> Event:
    """The event that says `body`, to be appended to the chain that ends at `head`.

    Raises:
        FieldMalformed: no number is left, or the body is too long.
        Malformed: the body is no JSON of ours.
    """
    data = canonical_json(body)
    if len(data) > MAX_EVENT or not 0 <= head.seq < MAX_U64:
        raise FieldMalformed(field="event", rule=f"a number of 53 bits, and at most {MAX_EVENT} bytes")
    return Event(head.seq + 1, head.digest, _hash(head, data), data)


def verify_events(events: Iterable[Event], start: Head = EMPTY) -> Iterator[tuple[Head, Json]]:
    """Each event's head and body, checked as it is drawn; the last head is the chain's.

    Args:
        events: ascending.
        start: the head they continue; by default they are the whole chain.

    Raises:
        FieldMismatch: a number, a link or a hash is another than the events before it ask for.
        Malformed: a body is not its own canonical JSON.
    """
    head = start
    for event in events:
        _require_same(f"event {head.seq + 1} seq", f"{head.seq + 1}", f"{event.seq}")
        _require_same(f"event {event.seq} previous", head.digest.hex(), event.previous.hex())
        digest = _hash(head, event.body)
        _require_same(f"event {event.seq} hash", digest.hex(), event.digest.hex())
        head = Head(event.seq, digest)
        yield head, parse_canonical_json(event.body, "event", MAX_EVENT)


def _hash(head: Head, body: bytes) -> Digest:
    """Of the event after `head`."""
    return sha256(_CONTEXT + as_digest(head.digest, "previous") + (head.seq + 1).to_bytes(8, "big") + body)


def _require_same(field: str, expected: str, got: str) -> None:
    if expected != got:
        raise FieldMismatch(field=field, expected=expected, got=got)
