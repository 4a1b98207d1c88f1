"""A ZIP file in the one shape that packages have (SPEC §14): nothing before, between or after its entries.

ZIP says everything twice, in front of each entry and in the directory at the end, and readers differ in whom they
believe. Here both must say the same, entries must fill the file without a gap, and there is no feature that could say
it a third time: no extra fields, comments, descriptors, ZIP64, links, encryption. Source: APPNOTE 6.3.10, PKWARE.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from hybrid_bridge.errors import FieldMalformed, FieldMismatch, TooLong, TrailingBytes, Truncated

FIELD: Final = "package"
MAX_ENTRIES: Final = 1024
MAX_UNPACKED: Final = 1 << 30  # bytes, all entries together (SPEC §14)
MAX_PACKED: Final = MAX_UNPACKED + (1 << 24)  # the whole file: stored entries, and room for headers
MAX_NAME: Final = 200
MAGIC: Final = b"PK\x03\x04"
STORED: Final = 0
DEFLATED: Final = 8
CHUNK: Final = 1 << 16  # bytes of one entry that are held at a time

_LOCAL: Final = struct.Struct("<4s26s")
_ENTRY: Final = struct.Struct("<4s2s26sHHHLL")  # magic, made by, as in front of the entry, comment … offset
_SHARED: Final = struct.Struct("<HHHHHLLLHH")  # the 26 bytes both have: version, flags … length of name, of extra
_END: Final = struct.Struct("<4sHHHHLLH")
_HARMLESS_FLAGS: Final = 0x0806  # how hard it was deflated; that the name is UTF-8, which ASCII is
_REGULAR: Final = (0, 0o100000)  # file type bits of an entry: not said, or a regular file
_SEGMENT: Final = re.compile(rb"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}(?<!\.)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One entry: where its packed bytes stand, and what they must unpack to."""

    name: str
    method: int
    start: int
    packed: int
    size: int
    crc: int


def members_of(data: memoryview) -> tuple[Member, ...]:
    """The entries in the order of the file. Nothing is unpacked yet.

    Raises:
        Malformed: not a ZIP file of this shape, or more than the format allows.
        FieldMismatch: an entry and the directory differ.
    """
    if not isinstance(data, bytes | memoryview):
        raise FieldMalformed(field=FIELD, rule="a byte string")
    if len(data) > MAX_PACKED:
        raise TooLong(field=FIELD, limit=MAX_PACKED, got=len(data))
    count, at, end = _directory(data)
    members: list[Member] = []
    position = 0
    for _ in range(count):
        if at + _ENTRY.size > end:
            raise Truncated(field="package.directory", needed=_ENTRY.size, got=end - at)
        member, at = _member(data, at, position)
        position = member.start + member.packed
        members.append(member)
    if at != end:
        raise TrailingBytes(field="package.directory", count=end - at)
    _require_sound(members)
    return tuple(members)


def _directory(data: memoryview) -> tuple[int, int, int]:
    """How many entries, and where the directory begins and ends: 22 bytes before the file does."""
    end = len(data) - _END.size
    if end < 0:
        raise Truncated(field=FIELD, needed=_END.size, got=len(data))
    magic, disk, first_disk, here, count, size, start, comment = _END.unpack_from(data, end)
    if magic != b"PK\x05\x06" or disk or first_disk or here != count or comment:
        raise FieldMalformed(field="package.end", rule="one directory on one disk, no comment, nothing after it")
    if not 1 <= count <= MAX_ENTRIES:
        raise TooLong(field="package.entries", limit=MAX_ENTRIES, got=count)
    if start + size != end:
        raise FieldMalformed(field="package.end", rule="the directory fills what is between the entries and the end")
    return count, start, end


def _member(data: memoryview, at: int, position: int) -> tuple[Member, int]:
    """The entry whose line in the directory stands at `at`, and where the next line stands."""
    magic, _, shared, comment, disk, _, attributes, offset = _ENTRY.unpack_from(data, at)
    _, flags, method, _, _, crc, packed, size, length, extra = _SHARED.unpack(shared)
    if magic != b"PK\x01\x02" or comment or disk or extra:
        raise FieldMalformed(field="package.directory", rule="lines without extra field or comment")
    if flags & ~_HARMLESS_FLAGS or method not in (STORED, DEFLATED) or (method == STORED and packed != size):
        raise FieldMalformed(field="package.directory", rule="stored or deflated, not encrypted, sizes in front")
    if attributes >> 16 & 0o170000 not in _REGULAR:
        raise FieldMalformed(field="package.directory", rule="regular files alone")
    name = bytes(data[at + _ENTRY.size : at + _ENTRY.size + length])
    if offset != position:
        raise FieldMalformed(field="package.entries", rule="one after the other from the first byte, in order")
    start = offset + _LOCAL.size + length
    if start + packed > len(data):
        raise Truncated(field="package.entries", needed=start + packed, got=len(data))
    in_front = bytes(data[offset:start])
    if in_front != MAGIC + shared + name:
        raise FieldMismatch(field="package.entries", expected=(MAGIC + shared + name).hex(), got=in_front.hex())
    member = Member(name=_name(name), method=method, start=start, packed=packed, size=size, crc=crc)
    return member, at + _ENTRY.size + length


def _name(name: bytes) -> str:
    """ASCII, relative, of harmless segments: no `..`, no leading dot, no empty one, none that ends in a dot."""
    if len(name) > MAX_NAME or not all(map(_SEGMENT.fullmatch, name.split(b"/"))):
        raise FieldMalformed(field="package.entries", rule="relative names of ASCII letters, digits and ._-")
    return name.decode("ascii")


def _require_sound(members: list[Member]) -> None:
    """No name twice, even where case does not count; not more than 1 GiB together."""
    if len({member.name.lower() for member in members}) != len(members):
        raise FieldMalformed(field="package.entries", rule="each name once")
    total = sum(member.size for member in members)
    if total > MAX_UNPACKED:
        raise TooLong(field="package.unpacked", limit=MAX_UNPACKED, got=total)


# ── unpacking ────────────────────────────────────────────────────────────────────────────────────────────────────────


def unpacked(data: memoryview, member: Member) -> Iterator[bytes]:
    """What the entry unpacks to, piece by piece, never more than it says. Only who reads to the end has the whole.

    Raises:
        Malformed: more bytes than it says, or not one whole deflate stream.
        FieldMismatch: fewer bytes, or another checksum.
    """
    packed = data[member.start : member.start + member.packed]
    size = crc = 0
    for piece in _pieces(packed) if member.method == STORED else _inflated(packed):
        size, crc = size + len(piece), zlib.crc32(piece, crc)
        if size > member.size:
            raise TooLong(field=member.name, limit=member.size, got=size)
        yield piece
    if (size, crc) != (member.size, member.crc):
        expected, got = f"{member.size} bytes, CRC {member.crc:08x}", f"{size} bytes, CRC {crc:08x}"
        raise FieldMismatch(field=member.name, expected=expected, got=got)


def _pieces(packed: memoryview) -> Iterator[bytes]:
    return (bytes(packed[start : start + CHUNK]) for start in range(0, len(packed), CHUNK))


def _inflated(packed: memoryview) -> Iterator[bytes]:
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    left = len(packed)
    try:
        for piece in _pieces(packed):
            rest, left = piece, left - len(piece)
            while rest:
                yield engine.decompress(rest, CHUNK)
                rest = engine.unconsumed_tail
            if engine.eof:
                break
        while more := engine.decompress(b"", CHUNK):
            yield more
    except zlib.error:
        raise FieldMalformed(field="package.entries", rule="a deflate stream") from None
    if left or engine.unused_data or not engine.eof:
        raise FieldMalformed(field="package.entries", rule="one whole deflate stream, nothing after it")
