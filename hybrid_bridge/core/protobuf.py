"""The few forms of protobuf's wire format that foreign hashes and signatures are made over. Writes only.

Default values are left out, as every canonical encoder of proto3 does; a message that must stand although it is empty
is `message`. Source: Protocol Buffers Documentation, "Encoding".
"""

from hybrid_bridge.errors import FieldMalformed

_VARINT, _FIXED64, _LENGTH = 0, 1, 2


def varint(value: int) -> bytes:
    """Seven bits a byte, lowest first. A negative number is written as its 64-bit two's complement.

    Raises:
        FieldMalformed: it has no 64 bits.
    """
    if not -(1 << 63) <= value < 1 << 64:
        raise FieldMalformed(field="varint", rule="a number of 64 bits")
    rest = value & (1 << 64) - 1
    out = bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


def number(field: int, value: int) -> bytes:
    """An integer or enum; nothing for zero."""
    return varint(field << 3 | _VARINT) + varint(value) if value else b""


def fixed64(field: int, value: int) -> bytes:
    """A signed integer in eight bytes, lowest first; nothing for zero.

    Raises:
        FieldMalformed: it has no 64 bits.
    """
    if not -(1 << 63) <= value < 1 << 63:
        raise FieldMalformed(field="sfixed64", rule="a signed number of 64 bits")
    return varint(field << 3 | _FIXED64) + value.to_bytes(8, "little", signed=True) if value else b""


def octets(field: int, value: bytes) -> bytes:
    """A byte string or text in UTF-8; nothing for an empty one."""
    return message(field, value) if value else b""


def message(field: int, value: bytes) -> bytes:
    """A message that stands even where it is empty."""
    return varint(field << 3 | _LENGTH) + delimited(value)


def delimited(value: bytes) -> bytes:
    """Length, then the bytes."""
    return varint(len(value)) + value
