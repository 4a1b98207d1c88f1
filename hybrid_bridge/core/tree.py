"""Build trees of RFC 6962, and answer with roots and paths for every size they ever had.

A tree is a list of levels, each one flat buffer of 32-byte hashes: level k holds the roots of all complete subtrees of
2^k leaves, so it only grows at its end and no old size is ever lost. Verifying is elsewhere: `core/proof.py`.
Source: SPEC §2; RFC 6962 §2.1; RFC 9162 §2.1.3.1, §2.1.4.1.
"""

from collections.abc import Iterable
from struct import iter_unpack

from hybrid_bridge.core.proof import STANDARD, Hashing, as_digest, as_integer, leaf_hash, node_hash
from hybrid_bridge.errors import FieldMalformed, IndexBeyondSize, SizeOrder
from hybrid_bridge.units import Digest, LeafIndex, TreeSize

__all__ = ["Tree", "batch_root", "empty_root", "leaf_hash", "node_hash"]


def empty_root() -> Digest:
    """MTH([]) = H(""); it stands only for the transactions of an empty block (SPEC §2)."""
    return STANDARD.empty()


def batch_root(leaves: Iterable[Digest]) -> Digest:
    """MTH of leaf hashes given all at once."""
    tree = Tree()
    tree.extend(leaves)
    return tree.root()


class Tree:
    """A tree that grows by whole leaves. Feed it leaf hashes in order; ask for any size up to its own."""

    def __init__(self, *, hashing: Hashing = STANDARD) -> None:
        self._hashing = hashing
        self._levels = [bytearray()]

    @property
    def size(self) -> TreeSize:
        """Leaves so far."""
        return TreeSize(len(self._levels[0]) // 32)

    def append(self, leaf_hash: Digest) -> LeafIndex:
        """Add one leaf hash and return its index.

        Raises:
            DigestLength: not 32 bytes; the tree is unchanged.
        """
        self._levels[0] += as_digest(leaf_hash, "leaf_hash")
        self._complete()
        return LeafIndex(self.size - 1)

    def extend(self, leaf_hashes: Iterable[Digest]) -> None:
        """Add leaf hashes in order.

        Raises:
            FieldMalformed: not an iterable of byte strings; the tree is unchanged.
            DigestLength: one has not 32 bytes; the tree is unchanged.
        """
        given: object = leaf_hashes
        if not isinstance(given, Iterable):
            raise FieldMalformed(field="leaf_hashes", rule="hashes, one after the other")
        leaves = list(given)
        if {*map(type, leaves)} - {bytes} or {*map(len, leaves)} - {32}:  # a look at all, before a look at each
            leaves = [as_digest(leaf, "leaf_hash") for leaf in leaves]
        self._levels[0] += b"".join(leaves)
        self._complete()

    def leaf(self, index: LeafIndex) -> Digest:
        """The leaf hash at `index`.

        Raises:
            IndexBeyondSize: not 0 <= index < size of this tree.
        """
        if not 0 <= as_integer(index, "index") < self.size:
            raise IndexBeyondSize(index=index, size=self.size)
        return self._node(0, index)

    def root(self, size: TreeSize | None = None) -> Digest:
        """MTH of the first `size` leaves; without an argument, of all. Of none it is H("").

        Raises:
            SizeOrder: negative, or more than this tree has.
        """
        count = self.size if size is None else as_integer(size, "size")
        if not 0 <= count <= self.size:
            raise SizeOrder(older=count, newer=self.size)
        return self._subtree(0, count) if count else self._hashing.empty()

    def inclusion_path(self, index: LeafIndex, size: TreeSize) -> list[Digest]:
        """PATH(index, D[size]): the siblings from the leaf up (RFC 9162 §2.1.3.1).

        Raises:
            SizeOrder: not 1 <= size <= size of this tree.
            IndexBeyondSize: not 0 <= index < size.
        """
        self._require_size(as_integer(size, "size"))
        if not 0 <= as_integer(index, "index") < size:
            raise IndexBeyondSize(index=index, size=size)
        return self._siblings(0, index, size)

    def consistency_path(self, old_size: TreeSize, new_size: TreeSize) -> list[Digest]:
        """PROOF(old_size, D[new_size]), empty for equal sizes (RFC 9162 §2.1.4.1).

        Raises:
            SizeOrder: not 1 <= old_size <= new_size <= size of this tree.
        """
        self._require_size(as_integer(new_size, "new_size"))
        if not 1 <= as_integer(old_size, "old_size") <= new_size:
            raise SizeOrder(older=old_size, newer=new_size)
        if old_size == new_size:
            return []
        level = (old_size & -old_size).bit_length() - 1
        position = old_size - 1 >> level  # the last complete subtree of the older tree, at its own level
        seed = [self._node(level, position)] if position else []
        return seed + self._siblings(level, position, new_size)

    def _siblings(self, level: int, position: int, size: int) -> list[Digest]:
        """From the node at `position` of `level` up to the root of the first `size` leaves."""
        path = []
        last = size - 1 >> level
        while last:
            sibling = position ^ 1
            if sibling <= last:  # else the node is a lone right one and rises as it is
                start = sibling << level
                path.append(self._subtree(start, min(1 << level, size - start)))
            level, position, last = level + 1, position >> 1, last >> 1
        return path

    def _subtree(self, start: int, count: int) -> Digest:
        """MTH of `count` >= 1 leaves from `start` on, which is a multiple of the next power of two."""
        lowest = (count & -count).bit_length() - 1
        root = self._node(lowest, (start + count >> lowest) - 1)
        for level in range(lowest + 1, count.bit_length()):
            if count >> level & 1:
                root = self._hashing.node(self._node(level, (start + count >> level) - 1), root)
        return root

    def _node(self, level: int, position: int) -> Digest:
        return Digest(bytes(self._levels[level][32 * position : 32 * position + 32]))

    def _complete(self) -> None:
        """Hash every pair that has become complete, level by level, up to the first level that gained none."""
        new, tag, level = self._hashing.new, self._hashing.inner_tag, 0
        while len(self._levels[level]) >= 64:
            if level + 1 == len(self._levels):
                self._levels.append(bytearray())
            below, above = self._levels[level : level + 2]
            if len(below) < 2 * len(above) + 64:
                return
            pairs = iter_unpack("64s", below[2 * len(above) : len(below) // 64 * 64])
            above += b"".join([new(tag + pair).digest() for (pair,) in pairs])
            level += 1

    def _require_size(self, size: int) -> None:
        if not 1 <= size <= self.size:
            raise SizeOrder(older=size, newer=self.size)
