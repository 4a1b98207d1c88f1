"""Verifying inclusion and consistency: what holds, what is refused, and with what fields."""

import hashlib
import runpy
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_bridge.core.proof import (
    MAX_CONSISTENCY_PATH,
    MAX_INCLUSION_PATH,
    Hashing,
    as_octets,
    as_text,
    consistency_length,
    consistency_roots,
    inclusion_length,
    inclusion_root,
    leaf_hash,
    node_hash,
    verify_consistency,
    verify_inclusion,
)
from hybrid_bridge.errors import (
    BridgeError,
    DigestLength,
    FieldMalformed,
    IndexBeyondSize,
    PathLength,
    RootMismatch,
    SizeOrder,
)
from hybrid_bridge.units import MAX_U64, Digest, LeafIndex, TreeSize

VECTORS = Path(__file__).parents[3] / "vectors"
slow = SimpleNamespace(**runpy.run_path(str(VECTORS / "reference.py")))
LEAVES = [leaf_hash(b"%d" % i) for i in range(70)]


def test_tags_tell_leaf_and_node_apart() -> None:
    assert leaf_hash(b"abc") == hashlib.sha256(b"\x00abc").digest()
    assert node_hash(LEAVES[0], LEAVES[1]) == hashlib.sha256(b"\x01" + LEAVES[0] + LEAVES[1]).digest()
    assert leaf_hash(LEAVES[0] + LEAVES[1]) != node_hash(LEAVES[0], LEAVES[1])


def test_every_leaf_of_every_tree_up_to_70_verifies_at_its_own_index_only() -> None:
    for size in [*range(1, 20), 33, 64, 70]:
        root = slow.root(LEAVES[:size])
        for index in range(size):
            path = slow.path(index, LEAVES[:size])
            verify_inclusion(LEAVES[index], LeafIndex(index), TreeSize(size), path, root)
            assert inclusion_length(LeafIndex(index), TreeSize(size)) == len(path)
            for other in range(size):
                if other != index:
                    with pytest.raises((PathLength, RootMismatch)):
                        verify_inclusion(LEAVES[index], LeafIndex(other), TreeSize(size), path, root)


def test_every_pair_of_sizes_up_to_40_is_consistent() -> None:
    for new in range(1, 41):
        for old in range(1, new + 1):
            path = slow.proof(old, LEAVES[:new])
            assert consistency_length(TreeSize(old), TreeSize(new)) == len(path)
            roots = slow.root(LEAVES[:old]), slow.root(LEAVES[:new])
            verify_consistency(TreeSize(old), TreeSize(new), path, *roots)
            assert consistency_roots(TreeSize(old), TreeSize(new), path, roots[0]) == roots


def test_a_mismatch_names_the_attested_root_and_the_calculated_one() -> None:
    path, root, wrong = slow.path(2, LEAVES[:5]), slow.root(LEAVES[:5]), Digest(bytes(32))
    with pytest.raises(RootMismatch) as caught:
        verify_inclusion(LEAVES[2], LeafIndex(2), TreeSize(5), path, wrong)
    assert (caught.value.expected, caught.value.calculated) == (wrong, root)


def test_a_consistency_mismatch_names_the_side_that_is_wrong() -> None:
    path, old, new = slow.proof(3, LEAVES[:7]), slow.root(LEAVES[:3]), slow.root(LEAVES[:7])
    for roots, expected, calculated in (((LEAVES[0], new), LEAVES[0], old), ((old, LEAVES[0]), LEAVES[0], new)):
        with pytest.raises(RootMismatch) as caught:
            verify_consistency(TreeSize(3), TreeSize(7), path, *roots)
        assert (caught.value.expected, caught.value.calculated) == (expected, calculated)


def test_equal_sizes_verify_without_path_and_with_equal_roots_only() -> None:
    for size in (1, 5, 8):
        root = slow.root(LEAVES[:size])
        verify_consistency(TreeSize(size), TreeSize(size), [], root, root)
        with pytest.raises(RootMismatch):
            verify_consistency(TreeSize(size), TreeSize(size), [], root, LEAVES[9])
        with pytest.raises(PathLength):
            verify_consistency(TreeSize(size), TreeSize(size), [root], root, root)


@pytest.mark.parametrize(("old", "new"), [(0, 0), (0, 1), (0, 9), (-1, 3), (4, 3), (1, MAX_U64 + 1)])
def test_size_zero_and_falling_sizes_never_verify(old: int, new: int) -> None:
    empty = Digest(hashlib.sha256(b"").digest())
    with pytest.raises(SizeOrder) as caught:
        verify_consistency(TreeSize(old), TreeSize(new), [], empty, empty)
    assert (caught.value.older, caught.value.newer) == (old, new)


@pytest.mark.parametrize(("index", "size"), [(3, 3), (-1, 3), (MAX_U64, 3)])
def test_an_index_beyond_the_size_is_refused(index: int, size: int) -> None:
    with pytest.raises(IndexBeyondSize) as caught:
        inclusion_root(LEAVES[0], LeafIndex(index), TreeSize(size), [])
    assert (caught.value.index, caught.value.size) == (index, size)


@pytest.mark.parametrize("size", [0, -1, MAX_U64 + 1])
def test_a_size_that_no_tree_has_is_refused(size: int) -> None:
    with pytest.raises(SizeOrder):
        inclusion_root(LEAVES[0], LeafIndex(0), TreeSize(size), [])


def test_the_length_is_refused_before_any_hash_is_looked_at() -> None:
    garbage: Any = ["no hash"] * 4
    with pytest.raises(PathLength) as caught:
        verify_inclusion(LEAVES[0], LeafIndex(0), TreeSize(8), garbage, LEAVES[0])
    assert (caught.value.expected, caught.value.got) == (3, 4)
    with pytest.raises(PathLength):
        verify_consistency(TreeSize(4), TreeSize(8), garbage, LEAVES[0], LEAVES[1])


def test_no_tree_needs_longer_paths_than_the_bounds_say() -> None:
    assert inclusion_length(LeafIndex(0), TreeSize(MAX_U64)) == MAX_INCLUSION_PATH
    assert consistency_length(TreeSize(2**52 - 1), TreeSize(2**53 - 1)) <= MAX_CONSISTENCY_PATH
    assert max(consistency_length(TreeSize(3), TreeSize(2**53 - k)) for k in range(1, 9)) == MAX_CONSISTENCY_PATH


@pytest.mark.parametrize("digest", [b"", bytes(31), bytes(33)])
def test_a_digest_of_another_length_is_refused_in_every_place(digest: bytes) -> None:
    bad = Digest(digest)
    for call in (
        lambda: node_hash(bad, LEAVES[0]),
        lambda: node_hash(LEAVES[0], bad),
        lambda: verify_inclusion(bad, LeafIndex(0), TreeSize(1), [], bad),
        lambda: verify_inclusion(LEAVES[0], LeafIndex(0), TreeSize(1), [], bad),
        lambda: verify_inclusion(LEAVES[0], LeafIndex(0), TreeSize(2), [bad], LEAVES[0]),
        lambda: verify_consistency(TreeSize(1), TreeSize(1), [], bad, bad),
        lambda: verify_consistency(TreeSize(1), TreeSize(1), [], LEAVES[0], bad),
        lambda: verify_consistency(TreeSize(1), TreeSize(2), [bad], LEAVES[0], LEAVES[0]),
    ):
        with pytest.raises(DigestLength) as caught:
            call()
        assert caught.value.got == len(digest)


def test_a_digest_may_come_as_any_byte_string() -> None:
    verify_inclusion(
        Digest(bytearray(LEAVES[0])),
        LeafIndex(0),
        TreeSize(1),
        (),
        Digest(memoryview(LEAVES[0])),  # type: ignore[arg-type]
    )


garbage = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 9), st.floats(), st.text(max_size=3), st.binary(max_size=33),
    st.lists(st.one_of(st.none(), st.integers(), st.binary(min_size=32, max_size=32)), max_size=4), st.just(object()),
)  # fmt: skip


@given(st.lists(garbage, min_size=5, max_size=5), st.sampled_from([verify_inclusion, verify_consistency]))
@settings(max_examples=300)
def test_only_bridge_errors_leave_a_verifier_for_any_garbage(
    values: list[object], verify: Callable[..., object]
) -> None:
    try:
        verify(*values)
    except BridgeError:
        return
    assert values[0] == values[4] or values[3] == values[4]  # a tree of one, or equal sizes and roots


@given(garbage, garbage)
def test_only_bridge_errors_leave_the_hashes_for_any_garbage(left: Any, right: Any) -> None:
    for call in (lambda: leaf_hash(left), lambda: node_hash(left, right)):
        try:
            assert len(call()) == 32
        except BridgeError:
            assert not isinstance(left, bytes) or len(left) != 32 or not isinstance(right, bytes) or len(right) != 32


def test_a_boolean_is_no_size_and_a_byte_string_is_no_path() -> None:
    with pytest.raises(FieldMalformed):
        inclusion_length(LeafIndex(0), TreeSize(True))
    path: Any = bytes(3)
    with pytest.raises(FieldMalformed):
        inclusion_root(LEAVES[0], LeafIndex(0), TreeSize(8), path)


def test_foreign_tags_are_another_row_of_the_table() -> None:
    foreign = Hashing(leaf_tag=b"L", inner_tag=b"N", new=hashlib.sha3_256)
    left, right = foreign.leaf(b"a"), foreign.leaf(b"b")
    root = Digest(hashlib.sha3_256(b"N" + left + right).digest())
    verify_inclusion(right, LeafIndex(1), TreeSize(2), [left], root, hashing=foreign)
    verify_consistency(TreeSize(1), TreeSize(2), [right], left, root, hashing=foreign)
    assert foreign.empty() == hashlib.sha3_256(b"").digest()
    with pytest.raises(RootMismatch):
        verify_inclusion(right, LeafIndex(1), TreeSize(2), [left], root)


@given(st.data())
@settings(max_examples=100)
def test_one_flipped_bit_anywhere_is_refused(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 70))
    index = data.draw(st.integers(0, size - 1))
    values = [LEAVES[index], *slow.path(index, LEAVES[:size]), slow.root(LEAVES[:size])]
    at, bit = data.draw(st.integers(0, len(values) - 1)), data.draw(st.integers(0, 255))
    values[at] = (int.from_bytes(values[at], "big") ^ 1 << bit).to_bytes(32, "big")
    with pytest.raises(RootMismatch):
        verify_inclusion(values[0], LeafIndex(index), TreeSize(size), values[1:-1], values[-1])


def test_a_view_counts_only_while_it_lives_and_if_its_items_are_bytes():
    released = memoryview(bytes(32))
    released.release()
    words = memoryview(bytes(128)).cast("I")
    assert len(words) == 32
    for view in (released, words, memoryview(bytes(32)).cast("I")):
        with pytest.raises(FieldMalformed):
            as_octets(view, "view")
        with pytest.raises(FieldMalformed):
            verify_inclusion(view, 0, 1, [], bytes(32))
    assert as_octets(memoryview(b"ab"), "view") == as_octets(bytearray(b"ab"), "view") == b"ab"


@pytest.mark.parametrize("value", [None, 0, b"text", ["t"]])
def test_only_text_is_text(value):
    with pytest.raises(FieldMalformed):
        as_text(value, "field")
