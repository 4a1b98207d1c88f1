"""Building trees: every root and path equals the slow recursive one, at every size the tree ever had."""

import hashlib
import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_bridge.core.proof import Hashing, verify_consistency, verify_inclusion
from hybrid_bridge.core.tree import Tree, batch_root, empty_root, leaf_hash
from hybrid_bridge.errors import DigestLength, FieldMalformed, IndexBeyondSize, SizeOrder
from hybrid_bridge.units import Digest, LeafIndex, TreeSize

VECTORS = Path(__file__).parents[3] / "vectors"
slow = SimpleNamespace(**runpy.run_path(str(VECTORS / "reference.py")))
LEAVES = [leaf_hash(b"%d" % i) for i in range(130)]


def grown(size: int) -> Tree:
    tree = Tree()
    tree.extend(LEAVES[:size])
    return tree


def test_an_empty_tree_has_the_hash_of_nothing_as_root() -> None:
    nothing = hashlib.sha256(b"").digest()
    assert (Tree().root(), empty_root(), batch_root([]), grown(5).root(TreeSize(0))) == (nothing,) * 4
    assert Tree().size == 0


def test_roots_of_all_sizes_to_130_equal_the_recursive_ones() -> None:
    tree = grown(130)
    assert [tree.root(TreeSize(n)) for n in range(131)] == [slow.root(LEAVES[:n]) for n in range(131)]
    assert tree.root() == batch_root(LEAVES) == batch_root(iter(LEAVES))


def test_paths_of_all_leaves_and_sizes_to_40_equal_the_recursive_ones() -> None:
    tree = grown(130)
    for size in range(1, 41):
        for index in range(size):
            assert tree.inclusion_path(LeafIndex(index), TreeSize(size)) == slow.path(index, LEAVES[:size])
        for old in range(1, size + 1):
            assert tree.consistency_path(TreeSize(old), TreeSize(size)) == slow.proof(old, LEAVES[:size])


@given(st.lists(st.integers(0, 40), max_size=6), st.data())
@settings(max_examples=60)
def test_growing_in_any_portions_gives_the_same_tree(portions: list[int], data: st.DataObject) -> None:
    tree, used = Tree(), 0
    for portion in portions:
        batch = LEAVES[used : used + portion]
        used += len(batch)
        if len(batch) == 1:
            assert tree.append(batch[0]) == used - 1
        else:
            tree.extend(iter(batch))
    assert tree.size == used
    assert tree.root() == slow.root(LEAVES[:used])
    if used:
        size = TreeSize(data.draw(st.integers(1, used)))
        index = LeafIndex(data.draw(st.integers(0, size - 1)))
        verify_inclusion(tree.leaf(index), index, size, tree.inclusion_path(index, size), tree.root(size))
        path = tree.consistency_path(size, tree.size)
        verify_consistency(size, tree.size, path, tree.root(size), tree.root())


def test_appending_returns_the_index_from_zero() -> None:
    tree = Tree()
    assert [tree.append(leaf) for leaf in LEAVES[:3]] == [0, 1, 2]
    assert [tree.leaf(LeafIndex(i)) for i in range(3)] == LEAVES[:3]


def test_a_leaf_of_another_length_leaves_the_tree_unchanged() -> None:
    tree = grown(3)
    for bad in (b"", bytes(31), bytes(64)):
        with pytest.raises(DigestLength):
            tree.append(Digest(bad))
        with pytest.raises(DigestLength):
            tree.extend([LEAVES[0], Digest(bad)])
    assert (tree.size, tree.root()) == (3, slow.root(LEAVES[:3]))


@pytest.mark.parametrize("garbage", [None, 7, "text", b"bytes", [None], ["text"]])
def test_what_is_no_list_of_hashes_is_refused(garbage: Any) -> None:
    with pytest.raises(FieldMalformed):
        Tree().extend(garbage)
    with pytest.raises(FieldMalformed):
        Tree().append(None)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [-1, 6, 2**60])
def test_a_root_of_a_size_the_tree_never_had_is_refused(size: int) -> None:
    with pytest.raises(SizeOrder):
        grown(5).root(TreeSize(size))


@pytest.mark.parametrize(("index", "size"), [(0, 0), (0, 6), (0, -1)])
def test_an_inclusion_path_for_a_size_the_tree_never_had_is_refused(index: int, size: int) -> None:
    with pytest.raises(SizeOrder):
        grown(5).inclusion_path(LeafIndex(index), TreeSize(size))


@pytest.mark.parametrize("index", [-1, 3, 4])
def test_an_inclusion_path_for_an_index_beyond_the_size_is_refused(index: int) -> None:
    with pytest.raises(IndexBeyondSize):
        grown(5).inclusion_path(LeafIndex(index), TreeSize(3))


@pytest.mark.parametrize(("old", "new"), [(0, 3), (-1, 3), (4, 3), (3, 6), (0, 0)])
def test_a_consistency_path_between_impossible_sizes_is_refused(old: int, new: int) -> None:
    with pytest.raises(SizeOrder):
        grown(5).consistency_path(TreeSize(old), TreeSize(new))


@pytest.mark.parametrize("index", [-1, 5])
def test_a_leaf_beyond_the_size_is_refused(index: int) -> None:
    with pytest.raises(IndexBeyondSize):
        grown(5).leaf(LeafIndex(index))


@pytest.mark.parametrize("garbage", [None, "3", 1.0, True])
def test_what_is_no_integer_is_no_size_and_no_index(garbage: Any) -> None:
    tree = grown(5)
    for call in (
        lambda: tree.leaf(garbage),
        lambda: tree.inclusion_path(garbage, TreeSize(5)),
        lambda: tree.inclusion_path(LeafIndex(0), garbage),
        lambda: tree.consistency_path(garbage, TreeSize(5)),
        lambda: tree.consistency_path(TreeSize(1), garbage),
    ):
        with pytest.raises(FieldMalformed):
            call()


def test_a_tree_of_foreign_tags_has_foreign_roots() -> None:
    foreign = Hashing(leaf_tag=b"L", inner_tag=b"N")
    tree = Tree(hashing=foreign)
    tree.extend(LEAVES[:3])
    left = hashlib.sha256(b"N" + LEAVES[0] + LEAVES[1]).digest()
    assert tree.root() == hashlib.sha256(b"N" + left + LEAVES[2]).digest()
