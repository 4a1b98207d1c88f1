"""Word records: their type string is their only description, and word 0 is its hash (SPEC §7).

A record is a dataclass whose attributes are the names of its type string in snake_case; `WordRecord` does the rest.
"""

import re
from typing import Any, Final

from hybrid_bridge.core.encoding import Word, pack_words, type_hash, unpack_words
from hybrid_bridge.core.proof import as_octets
from hybrid_bridge.errors import RecordMalformed, WordMalformed

_KINDS: Final = {"bytes32": "b", "uint64": "u", "address": "a"}


class WordRecord:
    """The layout that one type string describes, word 0 (its hash) included."""

    def __init__(self, type_string: str) -> None:
        self.hash = type_hash(type_string)
        words = [word.split(" ") for word in type_string[type_string.index("(") + 1 : -1].split(",")]
        self.kinds = "b" + "".join(_KINDS[kind] for kind, _ in words)
        self.names = tuple(re.sub("[A-Z]", lambda letter: "_" + letter[0].lower(), name) for _, name in words)

    @property
    def width(self) -> int:
        """Bytes."""
        return 32 * len(self.kinds)

    def encode(self, value: object) -> bytes:
        """The words of `value`, which has an attribute for each name.

        Raises:
            WordMalformed: an attribute does not fit its word.
        """
        values: list[Word] = [self.hash, *(getattr(value, name) for name in self.names)]
        return pack_words(self.kinds, values)

    def decode(self, data: bytes) -> dict[str, Any]:
        """The inverse of `encode`: name → word.

        Raises:
            RecordMalformed: another length.
            WordMalformed: index 0 for a record of another type; else a word that is padded wrongly or too large.
        """
        data = as_octets(data, "record")
        if len(data) != self.width:
            raise RecordMalformed(expected=self.width, got=len(data))
        if data[:32] != self.hash:
            raise WordMalformed(index=0)
        return dict(zip(self.names, list(unpack_words(self.kinds, data))[1:], strict=True))

    def require(self, *, holds: bool, name: str) -> None:
        """A rule about the word `name` holds.

        Raises:
            WordMalformed: it does not; `index` is that of the word.
        """
        if not holds:
            raise WordMalformed(index=self.names.index(name) + 1)
