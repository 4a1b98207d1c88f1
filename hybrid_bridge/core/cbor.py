"""The few shapes of CBOR that a receipt is made of, read strictly: integers, strings, arrays, maps, null, one tag.

General decoders make dates, fractions and regular expressions of tags, which costs a reader seconds for bytes that
nobody has signed. Here nothing but these shapes exists, and each in its one encoding: shortest heads, definite lengths,
keys in order. Source: RFC 8949 §3, §4.2.1.
"""

from typing import Final, TypeAlias

from hybrid_bridge.core.proof import as_octets
from hybrid_bridge.errors import FieldMalformed, NotCanonical

Cbor: TypeAlias = "int | bytes | str | list[Cbor] | dict[int | str, Cbor] | None"

MAX_DEPTH: Final = 8  # containers inside one another; the deepest receipt has six
UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG, SIMPLE = range(8)  # major types
NULL: Final = 22
_SHAPES: Final = "integers, strings, arrays, maps and null alone"
_WIDTHS: Final = {24: 1, 25: 2, 26: 4, 27: 8}  # bytes after the head, by its low five bits


def decode(data: bytes, field: str, tag: int | None = None) -> Cbor:
    """One item, the whole of `data`; with `tag`, the item under that tag. No other tag is taken.

    Raises:
        NotCanonical: cut, followed by more, another encoding than the one, or too deep.
        FieldMalformed: another shape: a tag, a float, a boolean; a key that is neither number nor text.
    """
    data = as_octets(data, field)
    reader = _Reader(data, field)
    if tag is not None and reader.head() != (TAG, tag):
        raise FieldMalformed(field=field, rule=f"tag {tag}")
    value = reader.item(MAX_DEPTH)
    if reader.place != len(data):
        raise NotCanonical(field=field)
    return value


class _Reader:
    """A place in the bytes; each method takes what stands there and goes on behind it."""

    def __init__(self, data: bytes, field: str) -> None:
        self._data, self._field, self.place = data, field, 0

    def head(self) -> tuple[int, int]:
        """Major type and argument, in the shortest form."""
        first = self._take(1)[0]
        major, low = first >> 5, first & 31
        if low < 24:
            return major, low
        if low not in _WIDTHS:  # reserved, or of indefinite length
            raise NotCanonical(field=self._field)
        width = _WIDTHS[low]
        if major == SIMPLE:  # floats, and simple values that have no meaning
            raise FieldMalformed(field=self._field, rule=_SHAPES)
        number = int.from_bytes(self._take(width))
        if number < (24 if width == 1 else 1 << 4 * width):
            raise NotCanonical(field=self._field)
        return major, number

    def item(self, depth: int) -> Cbor:
        """One item with at most `depth` containers inside one another."""
        major, number = self.head()
        if major in (UNSIGNED, NEGATIVE):
            return number if major == UNSIGNED else -1 - number
        if major in (BYTES, TEXT):
            return self._take(number) if major == BYTES else self._text(number)
        if major in (ARRAY, MAP):
            if depth == 0 or number > len(self._data):  # an item has a byte at least
                raise NotCanonical(field=self._field)
            return self._array(number, depth - 1) if major == ARRAY else self._map(number, depth - 1)
        if (major, number) != (SIMPLE, NULL):
            raise FieldMalformed(field=self._field, rule=_SHAPES)
        return None

    def _array(self, count: int, depth: int) -> list[Cbor]:
        return [self.item(depth) for _ in range(count)]

    def _map(self, count: int, depth: int) -> dict[int | str, Cbor]:
        found: dict[int | str, Cbor] = {}
        before = b""
        for _ in range(count):
            start = self.place
            key = self.item(0)
            if not isinstance(key, int | str):
                raise FieldMalformed(field=self._field, rule="keys that are numbers or texts")
            encoded = self._data[start : self.place]
            if encoded <= before:
                raise NotCanonical(field=self._field)
            before, found[key] = encoded, self.item(depth)
        return found

    def _text(self, length: int) -> str:
        try:
            return self._take(length).decode("utf-8")
        except UnicodeDecodeError:
            raise NotCanonical(field=self._field) from None

    def _take(self, count: int) -> bytes:
        taken = self._data[self.place : self.place + count]
        if len(taken) != count:
            raise NotCanonical(field=self._field)
        self.place += count
        return taken
