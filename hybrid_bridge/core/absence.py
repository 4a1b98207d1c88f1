"""Verify that a batch does not hold an entry: its leaves ascend, and the two neighbours leave no room.

It rests on the quorum having sorted; whoever holds the batch can show that it did not. Builds no tree.
Source: SPEC §6.
"""

from dataclasses import dataclass

from hybrid_bridge.core.proof import as_digest, verify_inclusion
from hybrid_bridge.errors import FieldMalformed
from hybrid_bridge.units import Digest, LeafIndex, TreeSize


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A leaf of the batch, its place, and its path."""

    leaf: Digest
    index: LeafIndex
    path: tuple[Digest, ...]


@dataclass(frozen=True, slots=True)
class Absence:
    """`left` < `leaf` < `right` at adjacent places; at an end of the batch one neighbour is enough."""

    leaf: Digest
    left: Neighbour | None
    right: Neighbour | None


def verify_absence(absence: Absence, size: TreeSize, root: Digest) -> None:
    """Return if a batch of `size` sorted leaves with this `root` has no room for the leaf.

    Raises:
        FieldMalformed: no neighbour, neighbours that are not adjacent or not at an end, or the wrong order.
        Malformed: a path or index that cannot be in such a tree.
        RootMismatch: a neighbour is not in the batch.
    """
    neighbours = [neighbour for neighbour in (absence.left, absence.right) if neighbour is not None]
    _require_places(absence, size)
    leaves = [as_digest(neighbour.leaf, "absence.neighbour") for neighbour in neighbours]
    leaves.insert(0 if absence.left is None else 1, as_digest(absence.leaf, "absence.leaf"))
    if leaves != sorted(set(leaves)):
        raise FieldMalformed(field="absence", rule="left < leaf < right")
    for neighbour in neighbours:
        verify_inclusion(neighbour.leaf, neighbour.index, size, neighbour.path, root)


def _require_places(absence: Absence, size: TreeSize) -> None:
    left, right = absence.left, absence.right
    if left is None and right is None:
        raise FieldMalformed(field="absence", rule="at least one neighbour")
    before = -1 if left is None else left.index
    after = size if right is None else right.index
    if after != before + 1:
        raise FieldMalformed(field="absence", rule="neighbours at adjacent places, or one at its end of the batch")
