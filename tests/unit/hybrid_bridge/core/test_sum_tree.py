"""Amounts and their total: what is in it, what it is, and every way to cheat with either (SPEC §2.1, §15 `tree/sum-*`)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.sum_tree import (
    MAX_AMOUNT,
    MAX_SUM,
    SumLeaf,
    SumNode,
    join,
    open_total,
    sum_path,
    sum_tree,
    verify_sum,
)
from hybrid_bridge.errors import DigestLength, FieldMalformed, IndexBeyondSize, PathLength, RootMismatch, SizeOrder

AMOUNTS = st.lists(st.integers(0, MAX_AMOUNT), min_size=1, max_size=40)


def leaves_of(amounts):
    made = [SumLeaf(sha256(b"id%d" % i), a, sha256(b"salt%d" % i)) for i, a in enumerate(amounts)]
    return sorted(made, key=lambda leaf: leaf.id)


def slow(leaves):
    """RFC 6962 §2.1 as it is written: split at the largest power of two below the size."""
    if len(leaves) == 1:
        leaf = leaves[0]
        return leaf.amount, sha256(b"\x04" + leaf.id + leaf.amount.to_bytes(16, "big") + leaf.salt)
    k = 1 << (len(leaves) - 1).bit_length() - 1
    (a, left), (b, right) = slow(leaves[:k]), slow(leaves[k:])
    return a + b, sha256(b"\x05" + a.to_bytes(16, "big") + left + b.to_bytes(16, "big") + right)


def preimage(levels):
    left, right = levels[-2]
    return left.encode() + right.encode()


def test_the_known_answer():
    salts = [bytes(range(at, at + 32)) for at in (0, 32, 64)]
    rows = zip((b"id0", b"id1", b"id2"), (100, 200, 300), salts, strict=True)
    levels = sum_tree(sorted((SumLeaf(sha256(i), a, s) for i, a, s in rows), key=lambda leaf: leaf.id))
    top = levels[-1][0]
    assert (top.total, top.digest.hex()) == (600, "ccbc79ca0353039be19e2916e6db4b11982e4d557f234b88058986644764d316")


@given(AMOUNTS)
def test_every_amount_is_in_the_total_and_the_total_opens(amounts):
    leaves = leaves_of(amounts)
    levels = sum_tree(leaves)
    (top,) = levels[-1]
    assert (top.total, top.digest) == slow(leaves)
    for index, leaf in enumerate(leaves):
        verify_sum(leaf, index, len(leaves), sum_path(levels, index), top)
    one = leaves[0]
    opened = preimage(levels) if len(leaves) > 1 else one.id + one.amount.to_bytes(16, "big") + one.salt
    assert open_total(top.digest, opened) == top


@given(AMOUNTS, st.data())
def test_no_other_amount_place_path_or_total_is_in_it(amounts, data):
    leaves = leaves_of(amounts)
    levels = sum_tree(leaves)
    (top,), size = levels[-1], len(leaves)
    index = data.draw(st.integers(0, size - 1))
    leaf, path = leaves[index], sum_path(levels, index)
    lies = [
        (replace(leaf, amount=leaf.amount ^ 1), index, path, top),
        (replace(leaf, salt=sha256(leaf.salt)), index, path, top),
        (leaf, index, path, SumNode(top.total ^ 1, top.digest)),
        (leaf, index, path, SumNode(top.total, sha256(top.digest))),
        *(
            (leaf, other, path, top)
            for other in range(size)
            if len(sum_path(levels, other)) == len(path) and other != index
        ),
        *(
            (leaf, index, [*path[:k], SumNode(node.total ^ 1, node.digest), *path[k + 1 :]], top)
            for k, node in enumerate(path)
        ),
    ]
    for shown, place, way, end in lies:
        with pytest.raises(RootMismatch):
            verify_sum(shown, place, size, way, end)
    for way in (path[:-1], [*path, top]):
        if len(way) != len(path):
            with pytest.raises(PathLength):
                verify_sum(leaf, index, size, way, top)


def test_a_digest_alone_says_no_sum():
    """tree/sum-top-only: the total is opened by what the digest hashes, and by nothing else."""
    levels = sum_tree(leaves_of([5, 7, 11]))
    top = levels[-1][0]
    inflated = join(SumNode(levels[-2][0].total + 1, levels[-2][0].digest), levels[-2][1])
    for shown in (inflated.encode() * 2, preimage(levels)[48:] + preimage(levels)[:48], bytes(80)):
        with pytest.raises((RootMismatch, FieldMalformed)):
            open_total(top.digest, shown)
    for length in (0, 48, 79, 81, 95, 97):
        with pytest.raises(FieldMalformed):
            open_total(top.digest, bytes(length))


def test_sums_do_not_overflow():
    """tree/sum-overflow."""
    half = SumNode(MAX_SUM, bytes(32))
    with pytest.raises(FieldMalformed):
        join(half, SumNode(1, bytes(32)))
    with pytest.raises(FieldMalformed):
        open_total(bytes(32), half.encode() * 2)
    with pytest.raises(FieldMalformed):
        verify_sum(leaves_of([1])[0], 0, 2, [half], half)
    for total in (-1, MAX_SUM + 1):
        with pytest.raises(FieldMalformed):
            SumNode(total, bytes(32))


def test_amounts_and_widths_have_bounds():
    """tree/sum-amount-2^63."""
    for amount in (-1, MAX_AMOUNT + 1):
        with pytest.raises(FieldMalformed):
            SumLeaf(bytes(32), amount, bytes(32))
    for wrong in ((bytes(31), 1, bytes(32)), (bytes(32), 1, bytes(33))):
        with pytest.raises(DigestLength):
            SumLeaf(*wrong)
    with pytest.raises(DigestLength):
        SumNode(1, bytes(31))


def test_ids_ascend_strictly():
    """tree/sum-ids-unsorted."""
    leaves = leaves_of([1, 2, 3])
    for order in (leaves[::-1], [leaves[0], leaves[0]], []):
        with pytest.raises(FieldMalformed):
            sum_tree(order)


def test_sizes_and_indices_are_those_of_any_tree():
    leaf = leaves_of([1])[0]
    with pytest.raises(SizeOrder):
        verify_sum(leaf, 0, 0, [], leaf.node)
    with pytest.raises(IndexBeyondSize):
        verify_sum(leaf, 1, 1, [], leaf.node)
