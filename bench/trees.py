"""Trees of RFC 6962: build, append, prove and verify, against pymerkle. Same roots and paths required."""

from collections.abc import Iterator

from bench.harness import Absent, Comparison, Contender, peer, same
from hybrid_bridge.core.proof import leaf_hash, verify_consistency, verify_inclusion
from hybrid_bridge.core.tree import Tree

SIZE, ASKED = 20_000, 500
DATA = [b"entry %06d of thirty-two octets.." % i for i in range(SIZE)]
PLACES = [i * 37 % SIZE for i in range(ASKED)]
OLD = [1 + i * 41 % (SIZE - 1) for i in range(ASKED)]


def build() -> Tree:
    tree = Tree()
    tree.extend(leaf_hash(data) for data in DATA)
    return tree


def append() -> Tree:
    tree = Tree()
    for data in DATA:
        tree.append(leaf_hash(data))
    return tree


def comparisons() -> Iterator[Comparison | Absent]:
    if not peer("pymerkle"):
        yield Absent("trees of RFC 6962", "pymerkle is not here (bench/peers.txt)")
        return
    import pymerkle

    def theirs() -> pymerkle.InmemoryTree:
        return pymerkle.InmemoryTree.init_from_entries(DATA, algorithm="sha256")

    def theirs_appended() -> pymerkle.InmemoryTree:
        tree = pymerkle.InmemoryTree(algorithm="sha256")
        for data in DATA:
            tree.append_entry(data)
        return tree

    tree, other, leaves = build(), theirs(), [leaf_hash(data) for data in DATA]
    root = tree.root()
    same(root, other.get_root(), theirs_appended().get_root(), append().root())
    yield Comparison("build a tree, 20,000 leaves", "leaf", [
        Contender("ours, all at once", lambda: build().root(), SIZE),
        Contender("pymerkle, all at once", lambda: theirs().get_root(), SIZE),
    ])  # fmt: skip
    yield Comparison("append leaves one by one, 20,000", "leaf", [
        Contender("ours", append, SIZE), Contender("pymerkle", theirs_appended, SIZE),
    ])  # fmt: skip
    yield Comparison("make an inclusion proof", "proof", [
        Contender("ours", lambda: [tree.inclusion_path(i, SIZE) for i in PLACES], ASKED),
        Contender("pymerkle", lambda: [other.prove_inclusion(i + 1, SIZE) for i in PLACES], ASKED),
    ])  # fmt: skip
    paths, proofs = [tree.inclusion_path(i, SIZE) for i in PLACES], [other.prove_inclusion(i + 1, SIZE) for i in PLACES]
    yield Comparison("verify an inclusion proof", "proof", [
        Contender("ours", lambda: [verify_inclusion(leaves[i], i, SIZE, path, root) for i, path in zip(PLACES, paths, strict=True)], ASKED),
        Contender("pymerkle", lambda: [pymerkle.verify_inclusion(leaves[i], root, proof) for i, proof in zip(PLACES, proofs, strict=True)], ASKED),
    ])  # fmt: skip
    yield Comparison("make a consistency proof", "proof", [
        Contender("ours", lambda: [tree.consistency_path(m, SIZE) for m in OLD], ASKED),
        Contender("pymerkle", lambda: [other.prove_consistency(m, SIZE) for m in OLD], ASKED),
    ])  # fmt: skip
    roots, ours_c, theirs_c = (
        [tree.root(m) for m in OLD],
        [tree.consistency_path(m, SIZE) for m in OLD],
        [other.prove_consistency(m, SIZE) for m in OLD],
    )
    yield Comparison("verify a consistency proof", "proof", [
        Contender("ours", lambda: [verify_consistency(m, SIZE, path, old, root) for m, path, old in zip(OLD, ours_c, roots, strict=True)], ASKED),
        Contender("pymerkle", lambda: [pymerkle.verify_consistency(old, root, proof) for proof, old in zip(theirs_c, roots, strict=True)], ASKED),
    ])  # fmt: skip
