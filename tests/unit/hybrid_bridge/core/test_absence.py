"""Absence from a sorted batch, and the ways to feign it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_bridge.core.absence import Absence, Neighbour, verify_absence
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.tree import Tree
from hybrid_bridge.errors import DigestLength, FieldMalformed, PathLength, RootMismatch
from hybrid_bridge.units import Digest, LeafIndex

LEAVES = sorted(sha256(bytes([i])) for i in range(16))
TREE = Tree()
TREE.extend(LEAVES)
SIZE, ROOT = TREE.size, TREE.root()


def neighbour(index: int) -> Neighbour:
    return Neighbour(LEAVES[index], LeafIndex(index), tuple(TREE.inclusion_path(LeafIndex(index), SIZE)))


def after(index: int) -> Digest:
    """The 32 bytes just above a leaf."""
    return Digest((int.from_bytes(LEAVES[index], "big") + 1).to_bytes(32, "big"))


BETWEEN = Absence(after(4), neighbour(4), neighbour(5))


@given(st.binary(min_size=32, max_size=32))
def test_what_lies_between_two_neighbours_is_absent(leaf: bytes) -> None:
    at = sum(other < leaf for other in LEAVES)
    left, right = neighbour(at - 1) if at else None, neighbour(at) if at < 16 else None
    verify_absence(Absence(Digest(leaf), left, right), SIZE, ROOT)


def test_neighbours_not_adjacent() -> None:
    with pytest.raises(FieldMalformed):
        verify_absence(replace(BETWEEN, right=neighbour(6)), SIZE, ROOT)


def test_entry_present_after_all() -> None:
    with pytest.raises(FieldMalformed):
        verify_absence(Absence(LEAVES[5], neighbour(4), neighbour(5)), SIZE, ROOT)
    with pytest.raises(FieldMalformed):
        verify_absence(Absence(LEAVES[5], neighbour(5), neighbour(6)), SIZE, ROOT)


def test_a_leaf_outside_its_neighbours_is_refused() -> None:
    with pytest.raises(FieldMalformed):
        verify_absence(replace(BETWEEN, leaf=after(7)), SIZE, ROOT)


@pytest.mark.parametrize(
    "absence",
    [
        Absence(after(4), None, None),
        Absence(after(4), neighbour(4), None),  # not the last
        Absence(after(4), None, neighbour(5)),  # not the first
    ],
)
def test_one_neighbour_is_enough_only_at_an_end(absence: Absence) -> None:
    with pytest.raises(FieldMalformed):
        verify_absence(absence, SIZE, ROOT)


def test_a_neighbour_that_is_not_in_the_batch_is_refuted() -> None:
    with pytest.raises(RootMismatch):
        verify_absence(BETWEEN, SIZE, sha256(b"another root"))
    invented = Neighbour(after(5), LeafIndex(5), neighbour(5).path)
    with pytest.raises(RootMismatch):
        verify_absence(replace(BETWEEN, right=invented), SIZE, ROOT)


def test_a_path_of_another_length_is_refused() -> None:
    short = replace(neighbour(5), path=neighbour(5).path[1:])
    with pytest.raises(PathLength):
        verify_absence(replace(BETWEEN, right=short), SIZE, ROOT)


def test_a_leaf_has_32_bytes() -> None:
    with pytest.raises(DigestLength):
        verify_absence(replace(BETWEEN, leaf=Digest(b"short")), SIZE, ROOT)
