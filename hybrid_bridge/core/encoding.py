"""Every byte that is hashed or signed: integers, binary structs, canonical JSON, word records, the hash layer.

Strict both ways: ``decode(encode(x)) == x`` and ``encode(decode(b)) == b``, or the decoder raises `Malformed`.
Source: SPEC §1.
"""

import binascii
import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Final, Self, TypeAlias, TypeVar

from hybrid_bridge.core.proof import as_digest, as_octets, as_text
from hybrid_bridge.errors import (
    FieldMalformed,
    NotCanonical,
    RecordMalformed,
    TooLong,
    TrailingBytes,
    Truncated,
    WordMalformed,
)
from hybrid_bridge.units import MAX_U64, Address, Digest

MAX_JSON_DEPTH: Final = 8  # containers inside containers; no document of ours needs more
_WRITER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_SORTING: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True)
_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")
_STANDARD: Final = bytes.maketrans(b"-_", b"+/")
_SQUARE: Final = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
ZERO: Final = Digest(bytes(32))

Json: TypeAlias = "str | int | bool | list[Json] | dict[str, Json] | None"
Member = TypeVar("Member")


# ── the hash layer ───────────────────────────────────────────────────────────────────────────────────────────────────


def sha256(data: bytes) -> Digest:
    """H of SPEC §1. 32 bytes."""
    return Digest(hashlib.sha256(data).digest())


def context(name: str) -> bytes:
    """CTX(name): the prefix of every hash, MAC and signature that is no tree node (SPEC §1)."""
    return b"hybrid-bridge/v1/" + name.encode("ascii") + b"\x00"


def require_digest(value: bytes, field: str) -> Digest:
    """`value` if it has 32 bytes.

    Raises:
        DigestLength: any other length.
        FieldMalformed: no byte string.
    """
    return as_digest(value, field)


# ── base64url without padding ────────────────────────────────────────────────────────────────────────────────────────


def b64u(data: bytes) -> str:
    """RFC 4648 §5 without padding."""
    return binascii.b2a_base64(data, newline=False).translate(_URL_SAFE, b"=").decode("ascii")


def parse_b64u(text: str, field: str) -> bytes:
    """The inverse of `b64u`; refuses padding, other alphabets, white space and unused bits that are set.

    Raises:
        NotCanonical: not the one encoding of any byte string.
        FieldMalformed: no text.
    """
    text = as_text(text, field)
    try:
        data = binascii.a2b_base64(text.encode("ascii").translate(_STANDARD) + b"=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise NotCanonical(field=field) from None
    if b64u(data) != text:
        raise NotCanonical(field=field)
    return data


# ── canonical JSON ───────────────────────────────────────────────────────────────────────────────────────────────────


def canonical_json(value: Json) -> bytes:
    """JCS (RFC 8785) of a value of ours: integers only, at most 8 nested containers.

    Raises:
        FieldMalformed: a float, an integer beyond 2^53-1, a lone surrogate, a key that is no string, too deep.
    """
    try:
        return _WRITER.encode(_ordered(value, 0)).encode("utf-8")
    except UnicodeEncodeError:
        raise FieldMalformed(field="json", rule="no lone surrogate") from None


def parse_canonical_json(data: bytes, field: str, limit: int) -> Json:
    """Parse JSON that must equal its own canonical form (SPEC §1).

    One comparison rejects duplicate keys, white space, odd escapes and floats.

    Raises:
        TooLong: more than `limit` bytes.
        NotCanonical: not the canonical form; a note says from which byte on.
        FieldMalformed: no JSON at all, or a value outside our set.
    """
    value = parse_json(data, field, limit)
    # What was parsed is of our set, and ASCII sorts by code points as by UTF-16: the library's own writer will do.
    if data.isascii() and _SORTING.encode(value).encode("utf-8", "surrogatepass") == data:
        return value
    canonical = canonical_json(value)
    if canonical != data:
        error = NotCanonical(field=field)
        error.add_note(f"the one encoding differs from byte {_first_difference(canonical, data)} on")
        raise error
    return value


def parse_json(data: bytes, field: str, limit: int) -> Json:
    """JSON in whatever spelling, each member of an object once: our value set only, never deep.

    Raises:
        TooLong: more than `limit` bytes.
        FieldMalformed: `rule` says what the bytes are not, and from which byte on; no byte string.
    """
    data = as_octets(data, field)
    if len(data) > limit:
        raise TooLong(field=field, limit=limit, got=len(data))
    if nesting(data) > MAX_JSON_DEPTH:  # Python's own parser dies of far deeper ones
        raise FieldMalformed(field=field, rule=f"at most {MAX_JSON_DEPTH} nested containers")
    try:
        return _loads(data, field)
    except (ValueError, RecursionError) as error:
        raise FieldMalformed(field=field, rule=_unread(data, error)) from None


def members_once(pairs: list[tuple[str, Member]]) -> dict[str, Member]:
    """An object of JSON, for `object_pairs_hook`: of a name that stands twice readers differ on which one counts.

    Raises:
        ValueError: there is one.
    """
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError(len(pairs))
    return members


def _loads(data: bytes, field: str) -> Json:
    def once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
        try:
            return members_once(pairs)
        except ValueError:
            raise FieldMalformed(field=field, rule="each member of an object once") from None

    value: Json = json.loads(
        data.decode("utf-8"),
        parse_int=_bounded,
        parse_float=_refuse_number,
        parse_constant=_refuse_number,
        object_pairs_hook=once,
    )
    return value


def _bounded(text: str) -> int:
    number = int(text)
    if abs(number) > MAX_U64:
        raise ValueError(text)
    return number


def _refuse_number(text: str) -> Json:
    raise ValueError(text)


def _unread(data: bytes, error: Exception) -> str:
    """What the bytes should be and are not, from Python's own error."""
    if not data:
        return "not empty"
    if isinstance(error, UnicodeDecodeError):
        return f"UTF-8; byte {error.start} is not"
    if isinstance(error, json.JSONDecodeError):
        return f"JSON; it ends or breaks at byte {len(error.doc[: error.pos].encode('utf-8'))}"
    return "numbers are integers of at most 2^53-1"


def _first_difference(one: bytes, other: bytes) -> int:
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def nesting(data: bytes) -> int:
    """The nesting outside strings, counted before parsing, so that the parser never recurses deeply."""
    # Escaped backslashes go before escaped quotes; then every second part between quotes is a string. A backslash
    # outside of strings is where the parser stops, whatever is counted behind it.
    unescaped = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    outside = b"".join(unescaped.split(b'"')[::2])
    brackets = left = outside.translate(_SQUARE, _NO_BRACKETS)
    for depth in range(2 * MAX_JSON_DEPTH):  # each round takes the innermost pairs away
        if not left:
            return depth
        left = left.replace(b"[]", b"")
    depth = deepest = 0  # deeper, or not balanced
    for bracket in brackets:
        depth += 1 if bracket == ord("[") else -1
        deepest = max(deepest, depth)
    return deepest


def _ordered(value: Json, depth: int) -> Json:
    """`value` if it is of our set, with the members of each object in canonical order."""
    if isinstance(value, str):
        return value
    if isinstance(value, (dict, list)):
        if depth >= MAX_JSON_DEPTH:
            raise FieldMalformed(field="json", rule=f"at most {MAX_JSON_DEPTH} nested containers")
        if isinstance(value, list):
            return [_ordered(inner, depth + 1) for inner in value]
        if not all(isinstance(key, str) for key in value):
            raise FieldMalformed(field="json", rule="keys are strings")
        return {key: _ordered(value[key], depth + 1) for key in sorted(value, key=_utf16)}
    if isinstance(value, int) and not isinstance(value, bool):
        if abs(value) > MAX_U64:
            raise FieldMalformed(field="json", rule="integers are at most 2^53-1 in size")
    elif not (value is None or isinstance(value, bool)):
        raise FieldMalformed(field="json", rule="string, integer, boolean, null, array or object")
    return value


def _utf16(key: str) -> bytes:
    """RFC 8785 §3.2.3 sorts by UTF-16 code units, which differs from code points beyond the BMP only."""
    return key.encode("utf-16-be", "surrogatepass")


# ── binary structs ───────────────────────────────────────────────────────────────────────────────────────────────────


class Writer:
    """Writes a binary struct field after field (SPEC §1; RFC 8446 §3). Every method returns the writer."""

    def __init__(self, prefix: bytes = b"") -> None:
        self._parts = [prefix]

    def uint(self, value: int, width: int, field: str) -> Self:
        """`value` in `width` bytes, big-endian.

        Raises:
            FieldMalformed: negative, too wide, or beyond 2^53-1 in eight bytes.
        """
        if isinstance(value, bool) or not 0 <= value < 1 << (8 * width) or (width == 8 and value > MAX_U64):
            raise FieldMalformed(field=field, rule=f"unsigned integer of {width} bytes, at most 2^53-1")
        self._parts.append(value.to_bytes(width, "big"))
        return self

    def u8(self, value: int, field: str) -> Self:
        """One byte."""
        return self.uint(value, 1, field)

    def u16(self, value: int, field: str) -> Self:
        """Two bytes."""
        return self.uint(value, 2, field)

    def u32(self, value: int, field: str) -> Self:
        """Four bytes."""
        return self.uint(value, 4, field)

    def u64(self, value: int, field: str) -> Self:
        """Eight bytes, at most 2^53-1."""
        return self.uint(value, 8, field)

    def fixed(self, value: bytes, width: int, field: str) -> Self:
        """Exactly `width` bytes as they are.

        Raises:
            FieldMalformed: another length.
        """
        if len(value) != width:
            raise FieldMalformed(field=field, rule=f"exactly {width} bytes")
        self._parts.append(bytes(value))
        return self

    def b32(self, value: bytes, field: str) -> Self:
        """32 bytes."""
        return self.fixed(value, 32, field)

    def opaque(self, value: bytes, width: int, field: str) -> Self:
        """A length prefix of `width` bytes, then the bytes."""
        self.uint(len(value), width, field)
        self._parts.append(bytes(value))
        return self

    def bytes(self) -> bytes:
        """Everything written so far."""
        return b"".join(self._parts)


class Reader:
    """Reads a binary struct field after field; the inverse of `Writer`. `end` must be called last."""

    def __init__(self, data: bytes) -> None:
        self._data = as_octets(data, "struct")
        self._at = 0

    @property
    def position(self) -> int:
        """Bytes read so far."""
        return self._at

    def fixed(self, width: int, field: str) -> bytes:
        """The next `width` bytes.

        Raises:
            Truncated: fewer are left.
        """
        if len(self._data) - self._at < width:
            raise Truncated(field=field, needed=width, got=len(self._data) - self._at)
        self._at += width
        return self._data[self._at - width : self._at]

    def uint(self, width: int, field: str) -> int:
        """A big-endian integer of `width` bytes.

        Raises:
            FieldMalformed: eight bytes beyond 2^53-1.
        """
        value = int.from_bytes(self.fixed(width, field), "big")
        if width == 8 and value > MAX_U64:
            raise FieldMalformed(field=field, rule="at most 2^53-1")
        return value

    def u8(self, field: str) -> int:
        """One byte."""
        return self.uint(1, field)

    def u16(self, field: str) -> int:
        """Two bytes."""
        return self.uint(2, field)

    def u32(self, field: str) -> int:
        """Four bytes."""
        return self.uint(4, field)

    def u64(self, field: str) -> int:
        """Eight bytes, at most 2^53-1."""
        return self.uint(8, field)

    def b32(self, field: str) -> Digest:
        """32 bytes."""
        return Digest(self.fixed(32, field))

    def opaque(self, width: int, field: str, limit: int) -> bytes:
        """A length prefix of `width` bytes, then the bytes.

        Raises:
            TooLong: the prefix says more than `limit`.
        """
        length = self.uint(width, field)
        if length > limit:
            raise TooLong(field=field, limit=limit, got=length)
        return self.fixed(length, field)

    def end(self, field: str) -> None:
        """Nothing may be left.

        Raises:
            TrailingBytes: something is.
        """
        if self._at != len(self._data):
            raise TrailingBytes(field=field, count=len(self._data) - self._at)


# ── word records (SPEC §7) ───────────────────────────────────────────────────────────────────────────────────────────

Word: TypeAlias = bytes | int
_WIDTHS: Final = {"b": 32, "a": 20}  # letters of byte strings


def type_hash(type_string: str) -> Digest:
    """Word 0 of a record: H(ASCII(type string))."""
    return sha256(type_string.encode("ascii"))


def pack_words(kinds: str, values: Sequence[Word]) -> bytes:
    """32-byte words, one for each letter of `kinds`: b = bytes32, u = uint64, a = address.

    Raises:
        WordMalformed: a value does not fit its letter; `index` counts from zero.
    """
    return b"".join(_pack_word(kind, value, i) for i, (kind, value) in enumerate(zip(kinds, values, strict=True)))


def _pack_word(kind: str, value: Word, index: int) -> bytes:
    if isinstance(value, int):
        if kind != "u" or isinstance(value, bool) or not 0 <= value <= MAX_U64:
            raise WordMalformed(index=index)
        return value.to_bytes(32, "big")
    if len(value) != _WIDTHS.get(kind):
        raise WordMalformed(index=index)
    return bytes(value).rjust(32, b"\x00")


def unpack_words(kinds: str, data: bytes) -> Iterator[Word]:
    """The inverse of `pack_words`.

    Raises:
        RecordMalformed: not 32 bytes for each letter.
        WordMalformed: a pad byte is set or a uint64 exceeds 2^53-1.
    """
    if len(data) != 32 * len(kinds):
        raise RecordMalformed(expected=32 * len(kinds), got=len(data))
    return iter([_unpack_word(kind, data[32 * i : 32 * i + 32], i) for i, kind in enumerate(kinds)])


def _unpack_word(kind: str, word: bytes, index: int) -> Word:
    if kind == "b":
        return bytes(word)
    pad = 24 if kind == "u" else 12
    if any(word[:pad]):
        raise WordMalformed(index=index)
    if kind == "a":
        return Address(bytes(word[12:]))
    value = int.from_bytes(word[24:], "big")
    if value > MAX_U64:
        raise WordMalformed(index=index)
    return value
