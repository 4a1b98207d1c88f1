"""Recursive length prefix: the encoding of public headers, receipts and trie nodes. Strict and bounded.

One value, one encoding: a single byte below 0x80 stands for itself, lengths are minimal, nothing trails.
Source: Ethereum Yellow Paper, appendix B; SPEC §13.
"""

from collections.abc import Sequence
from typing import Final, TypeAlias

from hybrid_bridge.core.proof import as_octets
from hybrid_bridge.errors import FieldMalformed, NotCanonical, TooLong, TrailingBytes, Truncated
from hybrid_bridge.units import MAX_U64

Rlp: TypeAlias = "bytes | list[Rlp]"

MAX_DEPTH: Final = (
    16  # a receipt nests 4 deep, a trie node with its short children 9; more only spends the reader's stack
)


def encode_rlp(value: "bytes | Sequence[Rlp]") -> bytes:
    """The one encoding of a byte string or of a list."""
    if isinstance(value, bytes):
        if len(value) == 1 and value[0] < 0x80:
            return value
        return _prefix(0x80, len(value)) + value
    body = b"".join(map(encode_rlp, value))
    return _prefix(0xC0, len(body)) + body


def _prefix(base: int, length: int) -> bytes:
    if length <= 55:
        return bytes([base + length])
    digits = uint_bytes(length)
    return bytes([base + 55 + len(digits)]) + digits


def decode_rlp(data: bytes, field: str, limit: int) -> Rlp:
    """The inverse of `encode_rlp`.

    Raises:
        TooLong: more than `limit` bytes.
        Truncated: an item ends after the data.
        TrailingBytes: something follows the item.
        NotCanonical: a length or a single byte is not in its shortest form.
        FieldMalformed: lists nest deeper than 16.
    """
    data = as_octets(data, field)
    if len(data) > limit:
        raise TooLong(field=field, limit=limit, got=len(data))
    value, end = _item(data, 0, len(data), field, 0)
    if end != len(data):
        raise TrailingBytes(field=field, count=len(data) - end)
    return value


def _item(data: bytes, at: int, end: int, field: str, depth: int) -> tuple[Rlp, int]:
    start, stop, is_list = _span(data, at, end, field)
    if not is_list:
        if stop - start == 1 and start > at and data[start] < 0x80:
            raise NotCanonical(field=field)
        return data[start:stop], stop
    if depth >= MAX_DEPTH:
        raise FieldMalformed(field=field, rule=f"at most {MAX_DEPTH} nested lists")
    items: list[Rlp] = []
    while start < stop:
        value, start = _item(data, start, stop, field, depth + 1)
        items.append(value)
    return items, stop


def _span(data: bytes, at: int, end: int, field: str) -> tuple[int, int, bool]:
    """Where the payload of the item at `at` starts and stops, and whether it is a list."""
    if at >= end:
        raise Truncated(field=field, needed=1, got=0)
    first = data[at]
    if first < 0x80:
        return at, at + 1, False
    short = first & 0x3F
    start, length = at + 1, short
    if short > 55:
        start = at + 1 + short - 55
        digits = data[at + 1 : min(start, end)]
        if len(digits) < short - 55:
            raise Truncated(field=field, needed=short - 55, got=len(digits))
        length = int.from_bytes(digits, "big")
        if digits[0] == 0 or length <= 55:
            raise NotCanonical(field=field)
    if length > end - start:
        raise Truncated(field=field, needed=length, got=end - start)
    return start, start + length, first >= 0xC0


# ── integers ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def uint_bytes(value: int) -> bytes:
    """An unsigned integer as RLP wants it: big-endian without leading zeros, zero is empty."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def uint_of(value: Rlp, field: str, limit: int = MAX_U64) -> int:
    """The inverse of `uint_bytes`, at most `limit`.

    Raises:
        FieldMalformed: a list, a leading zero or beyond the limit.
    """
    if isinstance(value, bytes) and len(value) <= 32 and value[:1] != b"\x00":
        number = int.from_bytes(value, "big")
        if number <= limit:
            return number
    raise FieldMalformed(field=field, rule=f"unsigned integer without leading zeros, at most {limit}")


def bytes_of(value: Rlp, width: int, field: str) -> bytes:
    """`value` if it is a byte string of exactly `width` bytes.

    Raises:
        FieldMalformed: a list or another length.
    """
    if not isinstance(value, bytes) or len(value) != width:
        raise FieldMalformed(field=field, rule=f"exactly {width} bytes")
    return value


def list_of(value: Rlp, least: int, most: int, field: str) -> list[Rlp]:
    """`value` if it is a list of `least` to `most` items.

    Raises:
        FieldMalformed: a byte string or another count.
    """
    if not isinstance(value, list) or not least <= len(value) <= most:
        raise FieldMalformed(field=field, rule=f"a list of {least} to {most} items")
    return value
