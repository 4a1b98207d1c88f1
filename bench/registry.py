"""The registry: insert and prove, in memory and from its store, against sparse trees of other hands."""

import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from trie.smt import SparseMerkleTree as PyTrie

from bench.harness import Absent, Comparison, Contender, peer, same
from hybrid_bridge.adapters.sql_registry import TABLES, SqlRegistry
from hybrid_bridge.adapters.sqlite.file import SqliteFile
from hybrid_bridge.core.prefix_tree import Pair, PrefixTree
from hybrid_bridge.core.registry import OURS, Rules, verify
from hybrid_bridge.units import Commitment, EpochNumber, RegistryIndex

SIZE, ADDED, ASKED = 10_000, 200, 200
LARGE, BATCH = 100_000, 2_000
SMT = Rules(b"\x00", b"\x01", bytes(32))
FACTS = {"kind": "registry"}


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def pairs(first: int, count: int) -> list[Pair]:
    return [(RegistryIndex(sha(b"key %d" % i)), Commitment(sha(b"value %d" % i))) for i in range(first, first + count)]


class Naive:
    """A dictionary of all nodes of a sparse tree, 256 levels deep, empty subtrees left out."""

    def __init__(self) -> None:
        self.empty = [OURS.empty]
        for _ in range(256):
            self.empty.append(OURS.node(self.empty[-1], self.empty[-1]))
        self.nodes: dict[tuple[int, int], bytes] = {}

    def insert(self, index: bytes, commitment: bytes) -> None:
        prefix, value = int.from_bytes(index, "big"), OURS.leaf(index, commitment)
        self.nodes[256, prefix] = value
        for depth in range(256, 0, -1):
            sibling = self.nodes.get((depth, prefix ^ 1), self.empty[256 - depth])
            value = OURS.node(sibling, value) if prefix & 1 else OURS.node(value, sibling)
            prefix >>= 1
            self.nodes[depth - 1, prefix] = value

    def prove(self, index: bytes) -> list[bytes]:
        prefix = int.from_bytes(index, "big")
        return [
            self.nodes.get((depth, prefix >> 256 - depth ^ 1), self.empty[256 - depth]) for depth in range(256, 0, -1)
        ]


def one_by_one(tree: PrefixTree, added: list[Pair]) -> PrefixTree:
    for pair in added:
        tree = tree.insert([pair])
    return tree


def comparisons() -> Iterator[Comparison | Absent]:
    base, added = pairs(0, SIZE), pairs(SIZE, ADDED)
    tree = PrefixTree().insert(base)
    naive, trie = Naive(), PyTrie(key_size=32)
    for index, commitment in base[:500]:  # their cost does not depend on how many there are
        naive.insert(index, commitment)
        trie.set(index, commitment)
    same(one_by_one(tree, added).root, tree.insert(added).root)
    yield Comparison("insert a label, at 10,000 labels", "label", [
        Contender("ours, an epoch of 200", lambda: tree.insert(added), ADDED),
        Contender("ours, one by one", lambda: one_by_one(tree, added), ADDED),
        Contender("dictionary of nodes", lambda: [naive.insert(*pair) for pair in added[:20]], 20, "no compression: 256 levels"),
        Contender("py-trie, sparse", lambda: [trie.set(*pair) for pair in added[:5]], 5, "keccak, 256 levels"),
    ])  # fmt: skip
    asked = [index for index, _ in pairs(SIZE // 2, ASKED)]
    yield Comparison("make a registry proof, at 10,000 labels", "proof", [
        Contender("ours", lambda: [tree.prove(index) for index in asked], ASKED),
        Contender("dictionary of nodes", lambda: [naive.prove(index) for index in asked], ASKED, "256 siblings"),
        Contender("py-trie, sparse", lambda: [trie.branch(base[i][0]) for i in range(50)], 50, "keccak, 256 siblings"),
    ])  # fmt: skip
    yield from celestia(added)
    yield from stored(tree, added)
    yield from large()


def celestia(added: list[Pair]) -> Iterator[Comparison | Absent]:
    """The same family of trees, so the same root: keys and values are hashes of theirs."""
    if not peer("smt"):
        yield Absent("SMT of the ics23 family", "sparse-merkle-tree is not here (bench/peers.txt)")
        return
    from smt.proof import verify_proof
    from smt.store import TreeMemoryStore
    from smt.tree import SparseMerkleTree

    def theirs(given: list[Pair]) -> SparseMerkleTree:
        tree = SparseMerkleTree(TreeMemoryStore())
        for key, value in given:
            tree.update(key, value)
        return tree

    def hashed(given: list[Pair]) -> list[Pair]:
        return [(RegistryIndex(sha(key)), Commitment(sha(value))) for key, value in given]

    given = pairs(0, 1000)
    other, ours = theirs(given), PrefixTree(SMT).insert(hashed(given))
    same(bytes(other.root_as_bytes()), bytes(ours.root))
    yield Comparison("the ics23 SMT family by parameters: 1,000 keys one by one, same root", "key", [
        Contender("ours", lambda: one_by_one(PrefixTree(SMT), hashed(given)), 1000),
        Contender("sparse-merkle-tree", lambda: theirs(given), 1000),
    ])  # fmt: skip
    keys = [key for key, _ in given[:ASKED]]
    proofs = [ours.prove(RegistryIndex(sha(key))) for key in keys]
    yield Comparison("its proofs, made and verified", "proof", [
        Contender("ours", lambda: [verify(ours.root, sha(key), proof.terminal, ours.prove(RegistryIndex(sha(key))).path, SMT) for key, proof in zip(keys, proofs, strict=True)], ASKED),
        Contender("sparse-merkle-tree", lambda: [verify_proof(other.prove(key), other.root, key, value) for key, value in given[:ASKED]], ASKED),
    ])  # fmt: skip


def stored(tree: PrefixTree, added: list[Pair]) -> Iterator[Comparison]:
    folder = Path(tempfile.mkdtemp(prefix="bench"))
    file = SqliteFile(folder / "registry.db", "registry")
    file.create(TABLES, (), FACTS)
    store = SqlRegistry(file)
    store.keep(EpochNumber(0), tree)

    def cold(index: RegistryIndex) -> object:
        return SqlRegistry(file).at(EpochNumber(0)).prove(index)

    warm = store.at(EpochNumber(0))
    asked = [index for index, _ in pairs(SIZE // 2, ASKED)]
    same(
        [warm.prove(index) for index in asked], [tree.prove(index) for index in asked], [cold(index) for index in asked]
    )
    epoch = added[:16]
    yield Comparison("insert and keep an epoch of 16 labels in SQLite", "epoch", [
        Contender("from the store, durable", lambda: store.keep(EpochNumber(1), store.at(EpochNumber(0)).insert(epoch))),
        Contender("in memory", lambda: tree.insert(epoch), 1, "not durable"),
    ])  # fmt: skip
    yield Comparison("a proof out of the store in SQLite", "proof", [
        Contender("upper levels cached", lambda: [warm.prove(index) for index in asked], ASKED),
        Contender("nothing cached", lambda: [cold(index) for index in asked[:40]], 40),
        Contender("tree in memory", lambda: [tree.prove(index) for index in asked], ASKED, "not durable"),
    ])  # fmt: skip


def large() -> Iterator[Comparison]:
    """Epochs of a busy consortium, in a registry too large for the store's cache of upper levels."""
    tree = PrefixTree().insert(pairs(0, LARGE))
    with tempfile.TemporaryDirectory() as folder:
        file = SqliteFile(Path(folder) / "registry.db", "registry")
        file.create(TABLES, (), FACTS)
        store = SqlRegistry(file)
        store.keep(EpochNumber(0), tree)
        kept, held = [store.at(EpochNumber(0))], [tree]

        def keep() -> None:
            number = EpochNumber(len(kept))
            store.keep(number, kept[-1].insert(pairs(LARGE + BATCH * number, BATCH)))
            kept.append(store.at(number))

        def hold() -> None:
            held.append(held[-1].insert(pairs(LARGE + BATCH * len(held), BATCH)))

        keep(), hold()
        same(kept[-1].root, held[-1].root)
        yield Comparison("insert and keep an epoch of 2,000 labels in SQLite, from 100,000 labels on", "label", [
            Contender("from the store, durable", keep, BATCH),
            Contender("in memory", hold, BATCH, "not durable"),
        ])  # fmt: skip
        file.close()
