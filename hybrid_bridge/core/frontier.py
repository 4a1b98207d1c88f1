"""The right edge of an RFC 6962 tree: enough to append and to say the root, nothing more (SPEC §2).

The state keeps the governance tree as its frontier, so that each block's `state` binds it (SPEC §5).
"""

from dataclasses import dataclass
from typing import Final

from hybrid_bridge.core.encoding import Reader, Writer
from hybrid_bridge.core.proof import node_hash
from hybrid_bridge.errors import FieldMalformed
from hybrid_bridge.units import Digest, TreeSize


@dataclass(frozen=True, slots=True)
class Frontier:
    """Size, and the roots of the perfect subtrees, largest first: one for each bit of the size. `EMPTY` to begin."""

    size: TreeSize
    peaks: tuple[Digest, ...]

    def __post_init__(self) -> None:
        if self.size.bit_count() != len(self.peaks):
            raise FieldMalformed(field="frontier", rule="one peak for each bit of the size")

    def append(self, leaf_hash: Digest) -> "Frontier":
        """The frontier with one leaf more."""
        peaks, size, new = list(self.peaks), int(self.size), leaf_hash
        while size & 1:
            new = node_hash(peaks.pop(), new)
            size >>= 1
        return Frontier(TreeSize(self.size + 1), (*peaks, new))

    @property
    def root(self) -> Digest:
        """MTH of RFC 6962 §2.1.

        Raises:
            FieldMalformed: the tree has no leaf.
        """
        if not self.peaks:
            raise FieldMalformed(field="frontier", rule="at least one leaf")
        *rest, root = self.peaks
        for peak in reversed(rest):
            root = node_hash(peak, root)
        return root

    def encode(self) -> bytes:
        """u64 size, then the peaks."""
        writer = Writer().u64(self.size, "size")
        for peak in self.peaks:
            writer.b32(peak, "peak")
        return writer.bytes()

    @classmethod
    def decode(cls, data: bytes) -> "Frontier":
        """The inverse of `encode`.

        Raises:
            Malformed: not an encoding of any frontier.
        """
        reader = Reader(data)
        size = reader.u64("size")
        peaks = tuple(reader.b32("peak") for _ in range(size.bit_count()))
        reader.end("frontier")
        return cls(TreeSize(size), peaks)


EMPTY: Final = Frontier(TreeSize(0), ())
