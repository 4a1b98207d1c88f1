"""A tree whose top says a total: shape and paths of RFC 6962, nodes that carry a sum and a digest (SPEC §2.1).

One digest goes into one field of a record. Later one amount can be shown to be in the total, and the total itself, by
the preimage of the top node; every addition is checked on the way, so no amount can be negative or wrap around.
A path shows the sums beside it. Source: SPEC §1, §2.1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from hybrid_bridge.core.encoding import Reader, sha256
from hybrid_bridge.core.proof import as_digest, as_integer, inclusion_length
from hybrid_bridge.errors import FieldMalformed, PathLength, RootMismatch
from hybrid_bridge.units import Digest, LeafIndex, TreeSize

LEAF_TAG: Final = b"\x04"
NODE_TAG: Final = b"\x05"
MAX_AMOUNT: Final = 2**63 - 1
MAX_SUM: Final = 2**127 - 1  # what 2^53 amounts cannot reach
LEAF_BYTES: Final = 80  # id, u128 amount, salt
NODE_BYTES: Final = 96  # u128 sum and digest of both sides


@dataclass(frozen=True, slots=True)
class SumNode:
    """A node as its parent hashes it: what lies below amounts to `total`."""

    total: int
    digest: Digest

    def __post_init__(self) -> None:
        """Refuse what no tree holds.

        Raises:
            FieldMalformed, DigestLength: a sum out of range, a hash that has not 32 bytes.
        """
        if not 0 <= as_integer(self.total, "sum") <= MAX_SUM:
            raise FieldMalformed(field="sum", rule="0 to 2^127-1")
        as_digest(self.digest, "sum.digest")

    def encode(self) -> bytes:
        """u128 sum ‖ digest: an element of a path."""
        return self.total.to_bytes(16, "big") + self.digest


@dataclass(frozen=True, slots=True)
class SumLeaf:
    """One amount: id = H(UTF-8 of the id text), and 32 random bytes that hide it."""

    id: Digest
    amount: int
    salt: bytes

    def __post_init__(self) -> None:
        """Refuse what is no leaf.

        Raises:
            FieldMalformed, DigestLength: an amount out of range; id or salt that has not 32 bytes.
        """
        if not 0 <= as_integer(self.amount, "amount") <= MAX_AMOUNT:
            raise FieldMalformed(field="amount", rule="0 to 2^63-1")
        as_digest(self.id, "sum.id")
        as_digest(self.salt, "sum.salt")

    @property
    def node(self) -> SumNode:
        """SLEAF = H(0x04 ‖ id ‖ u128 amount ‖ salt)."""
        return SumNode(self.amount, sha256(LEAF_TAG + self.id + self.amount.to_bytes(16, "big") + self.salt))


def join(left: SumNode, right: SumNode) -> SumNode:
    """SNODE = H(0x05 ‖ u128 sum_l ‖ l ‖ u128 sum_r ‖ r); its sum is both sides'.

    Raises:
        FieldMalformed: the sum is too large.
    """
    return SumNode(left.total + right.total, sha256(NODE_TAG + left.encode() + right.encode()))


def sum_tree(leaves: Sequence[SumLeaf]) -> list[list[SumNode]]:
    """The levels of the tree, leaves first, the top alone in the last; a lone last node rises as it is.

    Raises:
        FieldMalformed: no leaf, or ids that do not ascend strictly.
    """
    if not leaves or any(before.id >= leaf.id for before, leaf in pairwise(leaves)):
        raise FieldMalformed(field="sum.leaves", rule="at least one, ids strictly ascending")
    levels = [[leaf.node for leaf in leaves]]
    while len(below := levels[-1]) > 1:
        above = [join(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)]
        levels.append(above + below[len(below) & ~1 :])
    return levels


def sum_path(levels: Sequence[Sequence[SumNode]], index: LeafIndex) -> list[SumNode]:
    """The siblings of a leaf, lowest first."""
    path = []
    for level in levels[:-1]:
        if (sibling := index ^ 1) < len(level):
            path.append(level[sibling])
        index = LeafIndex(index >> 1)
    return path


def verify_sum(leaf: SumLeaf, index: LeafIndex, size: TreeSize, path: Sequence[SumNode], top: SumNode) -> None:
    """Return if the leaf stands at `index` in the tree of `size` leaves under `top`, sum and digest.

    Raises:
        SizeOrder, IndexBeyondSize, PathLength: see `inclusion_length`.
        FieldMalformed: a sum on the way is too large.
        RootMismatch: it leads to another digest than `top`'s, or to another sum.
    """
    expected = inclusion_length(index, size)
    if len(path) != expected:
        raise PathLength(expected=expected, got=len(path))
    inner = (index ^ (size - 1)).bit_length()
    node = leaf.node
    for k, sibling in enumerate(path):
        is_right = k >= inner or index >> k & 1
        node = join(sibling, node) if is_right else join(node, sibling)
    if node != top:
        raise RootMismatch(expected=sha256(top.encode()), calculated=sha256(node.encode()))


def open_total(digest: Digest, preimage: bytes) -> SumNode:
    """The top node of this digest, with its total, by what it hashes: a digest alone says no sum.

    Args:
        digest: what stands in the field.
        preimage: 96 bytes of an inner node, or the 80 bytes of the one leaf of a tree of one.

    Raises:
        FieldMalformed: another length, or sums out of range.
        RootMismatch: it is not what the digest hashes.
    """
    if len(preimage) == LEAF_BYTES:
        top = SumLeaf(Digest(preimage[:32]), int.from_bytes(preimage[32:48], "big"), preimage[48:]).node
    elif len(preimage) == NODE_BYTES:
        top = join(_read(preimage[:48]), _read(preimage[48:]))
    else:
        raise FieldMalformed(field="sum.preimage", rule="96 bytes, or 80 of a leaf")
    if top.digest != as_digest(digest, "sum.digest"):
        raise RootMismatch(expected=digest, calculated=top.digest)
    return top


def _read(data: bytes) -> SumNode:
    reader = Reader(data)
    return SumNode(int.from_bytes(reader.fixed(16, "sum"), "big"), reader.b32("sum.digest"))
