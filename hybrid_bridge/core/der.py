"""DER, as much as a timestamp token needs: elements of one-byte tags, read strictly, written minimally.

One value has one encoding here too: lengths, integers and object identifiers are minimal, nothing trails.
Source: X.690 §8, §10, §11.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from hybrid_bridge.core.proof import as_octets
from hybrid_bridge.errors import FieldMalformed, NotCanonical, TrailingBytes, Truncated

BOOLEAN: Final = 0x01
INTEGER: Final = 0x02
OCTETS: Final = 0x04
NULL: Final = 0x05
OID: Final = 0x06
TIME: Final = 0x18  # GeneralizedTime
SEQUENCE: Final = 0x30
SET: Final = 0x31
MAX_INTEGER: Final = 64  # bytes; serial numbers have 20, nonces 8
MAX_OID: Final = 64  # bytes
_TIME: Final = re.compile(r"([0-9]{14})(?:\.([0-9]{0,8}[1-9]))?Z")  # RFC 3161 §2.4.2: no trailing zero, always Z


def tagged(number: int) -> int:
    """The tag byte of `[number]`, constructed."""
    return 0xA0 | number


@dataclass(frozen=True, slots=True)
class Element:
    """One element: tag, content, and both with the length between them."""

    tag: int
    content: bytes
    whole: bytes


class DerReader:
    """Reads elements one after the other; `field` names the place in errors."""

    def __init__(self, data: bytes, field: str) -> None:
        self._data, self._at, self._field = as_octets(data, field), 0, field

    def peek(self) -> int:
        """The next element's tag, or -1 at the end."""
        return self._data[self._at] if self._at < len(self._data) else -1

    def take(self, tag: int) -> Element:
        """The next element, which must have this tag.

        Raises:
            FieldMalformed: another tag, or none.
            Truncated, NotCanonical: a length beyond the data, or not in its least form.
        """
        if self.peek() != tag:
            raise FieldMalformed(field=self._field, rule=f"tag {tag:#04x} at offset {self._at}")
        read = _read_length(self._data[self._at + 1 : self._at + 6])
        if read is None:
            raise NotCanonical(field=self._field)
        start = self._at + 1 + read[1]
        end = start + read[0]
        if end > len(self._data):
            raise Truncated(field=self._field, needed=read[0], got=len(self._data) - start)
        element = Element(tag, self._data[start:end], self._data[self._at : end])
        self._at = end
        return element

    def optional(self, tag: int) -> Element | None:
        """The next element if it has this tag."""
        return self.take(tag) if self.peek() == tag else None

    def inside(self, tag: int) -> "DerReader":
        """A reader of the next element's content."""
        return DerReader(self.take(tag).content, self._field)

    def end(self) -> None:
        """Nothing may follow.

        Raises:
            TrailingBytes: something does.
        """
        if self._at < len(self._data):
            raise TrailingBytes(field=self._field, count=len(self._data) - self._at)

    def integer(self, tag: int = INTEGER) -> int:
        """A whole number, negative ones too, of at most 64 bytes."""
        content = self.take(tag).content
        if not 1 <= len(content) <= MAX_INTEGER:
            raise FieldMalformed(field=self._field, rule=f"an integer of 1 to {MAX_INTEGER} bytes")
        if len(content) > 1 and content[0] in (0x00, 0xFF) and (content[0] ^ content[1]) < 0x80:
            raise NotCanonical(field=self._field)
        return int.from_bytes(content, "big", signed=True)

    def oid(self) -> str:
        """An object identifier as dotted numbers."""
        text = _oid_text(self.take(OID).content)
        if text is None:
            raise FieldMalformed(field=self._field, rule="a minimal object identifier")
        return text

    def flag(self) -> bool:
        """A BOOLEAN DEFAULT FALSE: left out, or true (X.690 §11.5)."""
        element = self.optional(BOOLEAN)
        if element is not None and element.content != b"\xff":
            raise NotCanonical(field=self._field)
        return element is not None

    def nanoseconds(self) -> int:
        """A GeneralizedTime from 1970 on, in nanoseconds."""
        match = _TIME.fullmatch(self.take(TIME).content.decode("latin-1"))
        try:
            moment = datetime.strptime(match[1] if match else "", "%Y%m%d%H%M%S").replace(tzinfo=UTC).timestamp()
        except ValueError:
            moment = -1
        if match is None or moment < 0:
            raise FieldMalformed(field=self._field, rule="a GeneralizedTime in UTC from 1970 on")
        return int(moment) * 10**9 + int((match[2] or "0").ljust(9, "0"))


def _oid_text(content: bytes) -> str | None:
    if not 1 <= len(content) <= MAX_OID or content[-1] & 0x80:
        return None
    arcs, value, fresh = [], 0, True
    for octet in content:
        if fresh and octet == 0x80:
            return None
        value, fresh = value << 7 | octet & 0x7F, not octet & 0x80
        if fresh:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def _read_length(data: bytes) -> tuple[int, int] | None:
    """The length and how many bytes it takes; None if it is cut off, indefinite or not in its least form."""
    if not data or data[0] == 0x80 or data[0] > 0x84:
        return None
    if data[0] < 0x80:
        return data[0], 1
    width = data[0] & 0x7F
    length = int.from_bytes(data[1 : 1 + width], "big")
    if len(data) <= width or length < 0x80 or length < 1 << 8 * (width - 1):
        return None
    return length, 1 + width


# ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def der(tag: int, *parts: bytes) -> bytes:
    """An element of these parts."""
    content = b"".join(parts)
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def der_integer(value: int) -> bytes:
    """A whole number that is not negative."""
    return der(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def der_oid(text: str) -> bytes:
    """An object identifier; the inverse of `DerReader.oid`."""
    first, second, *rest = map(int, text.split("."))
    return der(OID, b"".join(map(_arc, (40 * first + second, *rest))))


def _arc(value: int) -> bytes:
    octets = [value & 0x7F]
    while value := value >> 7:
        octets.append(0x80 | value & 0x7F)
    return bytes(reversed(octets))
