"""Two people compare what they were shown of a tree. The reference below is the definition of a root, and slow."""

from hashlib import sha256
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_bridge.core.shown_tree import ShownTree, first_difference
from hybrid_bridge.core.tree import Tree
from hybrid_bridge.errors import PathLength, RootMismatch
from hybrid_bridge.units import LeafIndex, TreeSize


def leaf(number, history="a"):
    return sha256(f"{history} {number}".encode()).digest()


def root_of(leaves):
    """RFC 9162 §2.1.1, word by word; the leaves are hashed already."""
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + root_of(leaves[:k]) + root_of(leaves[k:])).digest()


def grown(leaves):
    tree = Tree()
    for one in leaves:
        tree.append(one)
    return tree


def forked(size, at):
    """A history, and one that is the same up to a leaf and then another."""
    return [leaf(i) for i in range(size)], [leaf(i, "a" if i < at else "b") for i in range(size)]


def include(shown, leaves, index, size):
    tree = grown(leaves)
    shown.take_inclusion(
        leaves[index], LeafIndex(index), TreeSize(size), tree.inclusion_path(index, size), tree.root(size)
    )


def extend(shown, leaves, old, new):
    tree = grown(leaves)
    path = tree.consistency_path(old, new)
    shown.take_consistency(TreeSize(old), TreeSize(new), path, tree.root(old), tree.root(new))


def test_every_hash_that_a_proof_shows_is_that_of_its_stretch():
    leaves = [leaf(i) for i in range(21)]
    for size in range(1, 22):
        for number in range(size):
            for take in (include, lambda *a: extend(a[0], a[1], a[2] + 1, a[3])):
                shown = ShownTree()
                take(shown, leaves, number, size)
                for (begin, end), value in shown.hashes.items():
                    assert value == root_of(leaves[begin:end])
                assert shown.root(size) == root_of(leaves[:size])


def test_a_smaller_root_follows_from_the_path_of_its_last_leaf():
    """What stands left of a leaf is on its path; and the leaf before the end is where the smaller tree ends."""
    leaves = [leaf(i) for i in range(40)]
    for small in range(1, 40):
        shown = ShownTree()
        include(shown, leaves, small - 1, 40)
        assert shown.root(TreeSize(small)) == root_of(leaves[:small])


def test_what_was_not_shown_is_not_known():
    shown = ShownTree()
    include(shown, [leaf(i) for i in range(16)], 3, 16)
    assert [size for size in range(1, 17) if shown.root(size) is not None] == [2, 3, 4, 8, 16]
    assert ShownTree().root(TreeSize(5)) is None


@pytest.mark.parametrize("size", [2, 7, 16, 23])
def test_two_histories_that_part_are_told_apart_where_both_show_enough(size):
    for at in range(size):
        one, other = ShownTree(), ShownTree()
        ours, theirs = forked(size, at)
        include(one, ours, at, size)
        include(other, theirs, at, size)
        assert first_difference(one, other) == (at, at + 1)


def test_nothing_differs_within_one_history():
    leaves = [leaf(i) for i in range(13)]
    one, other = ShownTree(), ShownTree()
    for index, size in combinations(range(14), 2):
        include(one, leaves, index, size)
        extend(other, leaves, index + 1, size)
    assert first_difference(one, other) is None


@given(st.data())
def test_a_difference_is_never_claimed_within_one_history_and_never_where_the_histories_are_the_same(data):
    size = data.draw(st.integers(2, 40), "size")
    at = data.draw(st.integers(0, size), "at")
    histories = forked(size, at)
    shown = ShownTree(), ShownTree()
    for tree, leaves in zip(shown, histories, strict=True):
        for _ in range(data.draw(st.integers(1, 4), "proofs")):
            small = data.draw(st.integers(1, size), "small")
            large = data.draw(st.integers(small, size), "large")
            if data.draw(st.booleans(), "is inclusion"):
                include(tree, leaves, small - 1, large)
            else:
                extend(tree, leaves, small, large)
    difference = first_difference(*shown)
    if difference is not None:
        assert difference[1] > at
        begin, end = difference
        assert [tree.hash_of(difference) for tree in shown] == [root_of(leaves[begin:end]) for leaves in histories]
    known = [s for s in range(1, size + 1) if shown[0].root(s) and shown[1].root(s)]
    assert (difference is not None) >= any(s > at for s in known)


def test_a_proof_that_does_not_hold_is_refused_and_leaves_nothing():
    leaves, shown = [leaf(i) for i in range(6)], ShownTree()
    tree = grown(leaves)
    with pytest.raises(RootMismatch):
        shown.take_inclusion(leaves[1], LeafIndex(2), TreeSize(6), tree.inclusion_path(1, 6), tree.root(6))
    with pytest.raises(PathLength):
        shown.take_inclusion(leaves[1], LeafIndex(1), TreeSize(6), [], tree.root(6))
    with pytest.raises(RootMismatch):
        shown.take_consistency(TreeSize(3), TreeSize(6), tree.consistency_path(3, 6), tree.root(2), tree.root(6))
    assert shown.hashes == {}
