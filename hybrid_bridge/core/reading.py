"""Who read which entry at a regulator's node, so that the member concerned can see it and nobody else can.

Every reading is one event of a chain; the event holds the salted digest of the reading, so a member that is shown the
whole chain learns its own readings and, of others', that there were some. What is shown is signed: a reading that was
kept back is a false statement. Source: SPEC §5, Readings.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from hybrid_bridge.core.encoding import Json, Writer, b64u, canonical_json, context, parse_canonical_json, sha256
from hybrid_bridge.core.event_chain import MAX_EVENT, Head, event_after
from hybrid_bridge.core.shape import octets, record, text, uint
from hybrid_bridge.errors import FieldMismatch
from hybrid_bridge.units import MAX_U64, Digest, KeyId, LogId

SALT: Final = 16  # bytes: leaf, reader and time could be guessed
MAX_READING: Final = 1024
VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One document that left a node for its owner, or went into a bundle for somebody."""

    entry_leaf: bytes
    submitter: str  # the member whose entry it is
    reader: str  # role:name of the certificate
    what: str  # record, or the purpose of a bundle
    time: int
    salt: bytes = field(repr=False)

    def encode(self) -> bytes:
        """JCS."""
        return canonical_json(_CODEC.write(self))

    @property
    def event(self) -> Json:
        """What the chain says of it."""
        return {"reading": b64u(sha256(context("reading") + self.encode()))}


def parse_reading(data: bytes) -> Reading:
    """The inverse of `Reading.encode`.

    Raises:
        Malformed: not the shape of a reading.
    """
    return _CODEC.parse(parse_canonical_json(data, "reading", MAX_READING), "reading")


def page_after(start: Head, page: Sequence[tuple[bytes, bytes]]) -> tuple[Head, list[tuple[int, Reading]]]:
    """The chain's head after these events, and the readings that are shown, each with its number.

    Args:
        start: the head that they continue.
        page: of each event its body, and the reading or nothing.

    Raises:
        Malformed: a body or a reading is none.
        FieldMismatch: a reading is not the one that its event names.
    """
    head, shown = start, []
    for body, data in page:
        head = event_after(head, parse_canonical_json(body, "event", MAX_EVENT)).head
        if data:
            reading = parse_reading(data)
            if canonical_json(reading.event) != body:
                raise FieldMismatch(field=f"reading {head.seq}", expected="the one that its event names", got="another")
            shown.append((head.seq, reading))
    return head, shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What a regulator's identity key signs: between these heads, these and no others concern you."""

    log_id: LogId
    asker: KeyId
    time: int
    start: Head
    end: Head
    shown: tuple[int, ...]  # numbers of the events whose reading is shown

    @property
    def message(self) -> bytes:
        """Under the signature."""
        numbers = Writer()
        for number in self.shown:
            numbers.u64(number, "shown")
        writer = Writer(context("readings")).u8(VERSION, "version").b32(self.log_id, "log_id").b32(self.asker, "asker")
        writer.u64(self.time, "time").u64(self.start.seq, "start").b32(self.start.digest, "start")
        writer.u64(self.end.seq, "end").b32(self.end.digest, "end")
        return writer.b32(Digest(sha256(numbers.bytes())), "shown").bytes()


_CODEC: Final = record(
    Reading,
    {
        "entry_leaf": octets(32),
        "submitter": text(32),
        "reader": text(64),
        "what": text(32),
        "time": uint(MAX_U64),
        "salt": octets(SALT),
    },
)
