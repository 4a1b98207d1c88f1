"""Verify what a tree of RFC 6962 promises: that a leaf is in it, that a newer tree extends an older one.

Nothing here builds a tree, and nothing here imports the code that does. The number of hashes in a path is checked
before the first one is hashed: that check stops one leaf from verifying at several indices (SPEC §2).
Source: SPEC §1, §2; RFC 6962 §2.1; RFC 9162 §2.1.3.2, §2.1.4.2.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from hybrid_bridge.errors import DigestLength, FieldMalformed, IndexBeyondSize, PathLength, RootMismatch, SizeOrder
from hybrid_bridge.units import MAX_U64, Digest, LeafIndex, TreeSize

MAX_INCLUSION_PATH: Final = 53  # a tree of 2^53-1 leaves; longer paths are refused before they are read
MAX_CONSISTENCY_PATH: Final = 54  # one more: the node at which the older tree ends


class HashState(Protocol):
    """What a constructor of `hashlib` returns."""

    def digest(self) -> bytes:
        """The hash of what went in."""
        ...


@dataclass(frozen=True, slots=True)
class Hashing:
    """How leaves and inner nodes are hashed. The defaults are ours; foreign trees are another row of this table."""

    leaf_tag: bytes = b"\x00"
    inner_tag: bytes = b"\x01"
    new: Callable[[bytes], HashState] = hashlib.sha256

    def leaf(self, data: bytes) -> Digest:
        """The hash of a leaf's data."""
        return Digest(self.new(self.leaf_tag + data).digest())

    def node(self, left: bytes, right: bytes) -> Digest:
        """The hash of an inner node."""
        return Digest(self.new(self.inner_tag + left + right).digest())

    def empty(self) -> Digest:
        """The root of a tree without leaves."""
        return Digest(self.new(b"").digest())


STANDARD: Final = Hashing()


def leaf_hash(data: bytes) -> Digest:
    """LEAF(d) = H(0x00 ‖ d) (SPEC §1).

    Raises:
        FieldMalformed: `data` is no byte string.
    """
    return STANDARD.leaf(as_octets(data, "data"))


def node_hash(left: bytes, right: bytes) -> Digest:
    """NODE(l, r) = H(0x01 ‖ l ‖ r) (SPEC §1).

    Raises:
        DigestLength: a side has not 32 bytes.
    """
    return STANDARD.node(as_digest(left, "left"), as_digest(right, "right"))


# ── inclusion ────────────────────────────────────────────────────────────────────────────────────────────────────────


def inclusion_length(index: LeafIndex, size: TreeSize) -> int:
    """How many hashes the path of `index` has in a tree of `size` leaves.

    Raises:
        SizeOrder: not 1 <= size <= 2^53-1.
        IndexBeyondSize: not 0 <= index < size.
    """
    _require_sizes(as_integer(size, "size"), size)
    if not 0 <= as_integer(index, "index") < size:
        raise IndexBeyondSize(index=index, size=size)
    inner = (index ^ (size - 1)).bit_length()
    return inner + (index >> inner).bit_count()


def inclusion_root(
    leaf_hash: Digest, index: LeafIndex, size: TreeSize, path: Sequence[Digest], *, hashing: Hashing = STANDARD
) -> Digest:
    """The root of a tree of `size` leaves in which `leaf_hash` stands at `index`. Compares nothing.

    Source: SPEC §2; RFC 9162 §2.1.3.2.

    Args:
        leaf_hash: 32 bytes, already LEAF(d).
        index: counted from zero, 0 <= index < size.
        size: leaves, not nodes.
        path: siblings from the leaf up, 32 bytes each.
        hashing: tags and hash function.

    Raises:
        SizeOrder: not 1 <= size <= 2^53-1.
        IndexBeyondSize: not 0 <= index < size.
        PathLength: index and size fix the length; any other is refused before the first hash.
        DigestLength: a hash has not 32 bytes.
    """
    siblings = _path(path, inclusion_length(index, size))
    inner = (index ^ (size - 1)).bit_length()
    new, tag, value = hashing.new, hashing.inner_tag, as_digest(leaf_hash, "leaf_hash")
    for k, sibling in enumerate(siblings):
        if k >= inner or index >> k & 1:
            value = Digest(new(tag + sibling + value).digest())
        else:
            value = Digest(new(tag + value + sibling).digest())
    return value


def verify_inclusion(
    leaf_hash: Digest,
    index: LeafIndex,
    size: TreeSize,
    path: Sequence[Digest],
    root: Digest,
    *,
    hashing: Hashing = STANDARD,
) -> None:
    """Return if `leaf_hash` stands at `index` in the tree of `size` leaves with this `root` (SPEC §2).

    Raises:
        Malformed: as in `inclusion_root`.
        RootMismatch: the path leads elsewhere.
    """
    expected = as_digest(root, "root")
    calculated = inclusion_root(leaf_hash, index, size, path, hashing=hashing)
    if calculated != expected:
        raise RootMismatch(expected=expected, calculated=calculated)


# ── consistency ──────────────────────────────────────────────────────────────────────────────────────────────────────


def consistency_length(old_size: TreeSize, new_size: TreeSize) -> int:
    """How many hashes the path from the tree of `old_size` leaves to that of `new_size` has.

    Raises:
        SizeOrder: not 1 <= old_size <= new_size <= 2^53-1.
    """
    _require_sizes(as_integer(old_size, "old_size"), as_integer(new_size, "new_size"))
    if old_size == new_size:
        return 0
    shift, inner, border = _consistency_shape(old_size, new_size)
    return inner + border + (old_size != 1 << shift)


def consistency_roots(
    old_size: TreeSize, new_size: TreeSize, path: Sequence[Digest], old_root: Digest, *, hashing: Hashing = STANDARD
) -> tuple[Digest, Digest]:
    """The roots of both trees as the path has them. Compares nothing.

    Source: SPEC §2; RFC 9162 §2.1.4.2.

    Args:
        old_size: leaves of the older tree, 1 <= old_size <= new_size.
        new_size: leaves of the newer tree.
        path: 32 bytes each; the node at which the older tree ends comes first, unless it is the older root itself.
        old_root: 32 bytes; enters the calculation only if `old_size` is a power of two.
        hashing: tags and hash function.

    Raises:
        SizeOrder: not 1 <= old_size <= new_size <= 2^53-1.
        PathLength: the sizes fix the length; any other is refused before the first hash.
        DigestLength: a hash has not 32 bytes.
    """
    siblings = _path(path, consistency_length(old_size, new_size))
    seed = as_digest(old_root, "old_root")
    if old_size == new_size:
        return seed, seed
    shift, inner, _ = _consistency_shape(old_size, new_size)
    if old_size != 1 << shift:
        seed = siblings.pop(0)
    older = newer = seed
    position = old_size - 1 >> shift
    for k, sibling in enumerate(siblings):
        if k >= inner or position >> k & 1:
            older, newer = hashing.node(sibling, older), hashing.node(sibling, newer)
        else:
            newer = hashing.node(newer, sibling)
    return older, newer


def verify_consistency(
    old_size: TreeSize,
    new_size: TreeSize,
    path: Sequence[Digest],
    old_root: Digest,
    new_root: Digest,
    *,
    hashing: Hashing = STANDARD,
) -> None:
    """Return if the tree with `new_root` begins with all leaves of the tree with `old_root`, in order (SPEC §2).

    Size 0 never verifies; equal sizes verify with an empty path and equal roots.

    Raises:
        Malformed: as in `consistency_roots`.
        RootMismatch: the path leads to another older or another newer root.
    """
    expected_old, expected_new = as_digest(old_root, "old_root"), as_digest(new_root, "new_root")
    older, newer = consistency_roots(old_size, new_size, path, expected_old, hashing=hashing)
    if older != expected_old:
        raise RootMismatch(expected=expected_old, calculated=older)
    if newer != expected_new:
        raise RootMismatch(expected=expected_new, calculated=newer)


def _consistency_shape(old_size: int, new_size: int) -> tuple[int, int, int]:
    """Trailing zeros of the older size, levels below and hashes above the point where the trees part."""
    shift = (old_size & -old_size).bit_length() - 1
    inner = (old_size - 1 ^ new_size - 1).bit_length() - shift
    return shift, inner, (old_size - 1 >> inner + shift).bit_count()


# ── what is promised to the type checker only, checked ───────────────────────────────────────────────────────────────


def as_digest(value: object, field: str) -> Digest:
    """`value` if it is a byte string of 32 bytes.

    Raises:
        FieldMalformed: no byte string.
        DigestLength: another length.
    """
    data = as_octets(value, field)
    if len(data) != 32:
        raise DigestLength(field=field, got=len(data))
    return Digest(data)


def as_integer(value: object, field: str) -> int:
    """`value` if it is an integer; a boolean is none.

    Raises:
        FieldMalformed: anything else.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise FieldMalformed(field=field, rule="an integer")
    return value


def as_octets(value: object, field: str) -> bytes:
    """`value` if it is a byte string; a view counts only while it lives and if its items are bytes.

    Raises:
        FieldMalformed: anything else.
    """
    if type(value) is bytes:  # nearly always; batches ask for each hash
        return value
    if not isinstance(value, (bytes, bytearray, memoryview)):  # bytes(37) would be 37 zeros
        raise FieldMalformed(field=field, rule="a byte string")
    try:
        if isinstance(value, memoryview) and value.itemsize != 1:
            raise FieldMalformed(field=field, rule="a byte string")
        return bytes(value)
    except ValueError:  # of a view that was released
        raise FieldMalformed(field=field, rule="a byte string") from None


def as_text(value: object, field: str) -> str:
    """`value` if it is text.

    Raises:
        FieldMalformed: anything else.
    """
    if not isinstance(value, str):
        raise FieldMalformed(field=field, rule="a text")
    return value


def as_sequence(value: object, field: str) -> Sequence[object]:
    """`value` if it is a list, a tuple or the like; a string of bytes or characters is none.

    Raises:
        FieldMalformed: anything else.
    """
    if not isinstance(value, Sequence) or isinstance(value, str | bytes | bytearray | memoryview):
        raise FieldMalformed(field=field, rule="a sequence")
    return value


def _path(path: object, expected: int) -> list[Digest]:
    """The hashes of a path that has the `expected` length; the length is checked before any of them is looked at."""
    siblings = as_sequence(path, "path")
    if len(siblings) != expected:
        raise PathLength(expected=expected, got=len(siblings))
    return [as_digest(sibling, "path") for sibling in siblings]


def _require_sizes(old_size: int, new_size: int) -> None:
    if not 1 <= old_size <= new_size <= MAX_U64:
        raise SizeOrder(older=old_size, newer=new_size)
