"""A tree of which a part lies in a store: the same answers, few loads, and nothing believed unhashed."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.prefix_tree import Fork, PrefixTree, Stored
from hybrid_bridge.core.registry import OURS, Pair, Rules, Terminal, verify
from hybrid_bridge.errors import FieldMismatch, StoreBroken
from hybrid_bridge.units import Commitment, Digest, RegistryIndex

JMT = Rules(b"JMT::LeafNode", b"JMT::IntrnalNode", b"SPARSE_MERKLE_PLACEHOLDER_HASH__")
INDICES = st.builds(
    lambda head, tail: RegistryIndex(bytes([head]) + bytes(30) + bytes([tail])),
    st.sampled_from([0, 1, 0x80, 0xFF]),
    st.integers(0, 255),
)
PAIRS = st.dictionaries(INDICES, st.binary(min_size=32, max_size=32).map(Commitment), max_size=5)


class Shelf:
    """A store in a list; counts what is asked of it."""

    def __init__(self) -> None:
        self.nodes: list[Terminal | Fork] = []
        self.loads = 0
        self.foreseen: set[int] = set()

    def load(self, number: int) -> Terminal | Fork:
        self.loads += 1
        return self.nodes[number]

    def foresee(self, numbers: Sequence[int]) -> None:
        self.foreseen.update(numbers)

    def add(self, node: Terminal | Fork) -> int:
        self.nodes.append(node)
        return len(self.nodes) - 1

    def stored(self, tree: PrefixTree, rules: Rules = OURS) -> PrefixTree:
        return PrefixTree.stored(tree.keep(self.add), tree.size, self, rules)


def pair(number: int) -> Pair:
    return RegistryIndex(sha256(b"i%d" % number)), Commitment(sha256(b"c%d" % number))


@given(st.lists(PAIRS, max_size=4), INDICES, st.sampled_from([OURS, JMT]))
@settings(deadline=None, max_examples=20)
def test_a_stored_tree_is_the_tree_at_every_epoch(
    history: list[dict[RegistryIndex, Commitment]], asked: RegistryIndex, rules: Rules
) -> None:
    shelf, model = Shelf(), dict[RegistryIndex, Commitment]()
    tree = shelf.stored(PrefixTree(rules), rules)
    epochs = [(tree, dict(model))]
    for pairs in history:
        fresh = {i: c for i, c in pairs.items() if i not in model}
        model |= fresh
        tree = shelf.stored(tree.insert(fresh.items()), rules)
        epochs.append((tree, dict(model)))
    for kept, held in epochs:
        assert (dict(kept.pairs()), kept.size) == (held, len(held))
        assert kept.root == PrefixTree(rules).insert(held.items()).root
        for index in (asked, *held):
            proof = kept.prove(index)
            assert verify(kept.root, index, proof.terminal, proof.path, rules) == held.get(index)


def test_what_is_stored_is_stored_once() -> None:
    shelf = Shelf()
    tree = shelf.stored(PrefixTree().insert(pair(i) for i in range(100)))
    before = len(shelf.nodes)
    assert before == len(set(shelf.nodes))
    shelf.stored(tree)
    assert len(shelf.nodes) == before
    shelf.stored(tree.insert([pair(100)]))
    assert len(shelf.nodes) - before <= len(tree.prove(pair(100)[0]).path) + 3


def test_an_insertion_foresees_every_node_that_it_loads() -> None:
    shelf = Shelf()
    tree = shelf.stored(PrefixTree().insert(pair(i) for i in range(1000)))
    asked: list[int] = []
    load = shelf.load
    shelf.load = lambda number: asked.append(number) or load(number)  # type: ignore[func-returns-value,method-assign]
    grown = tree.insert(pair(i) for i in range(1000, 1050))
    assert grown.root == PrefixTree().insert(pair(i) for i in range(1050)).root
    assert set(asked) == shelf.foreseen
    assert len(shelf.foreseen) < 600  # of some 2000


def test_a_proof_loads_its_path_and_opening_loads_nothing() -> None:
    shelf = Shelf()
    tree = shelf.stored(PrefixTree().insert(pair(i) for i in range(1000)))
    assert (tree.root, tree.size, shelf.loads) == (tree.root, 1000, 0)
    proof = tree.prove(pair(7)[0])
    assert shelf.loads == len(proof.path) + 1


def test_an_index_that_lies_in_the_store_is_taken() -> None:
    shelf = Shelf()
    tree = shelf.stored(PrefixTree().insert(pair(i) for i in range(20)))
    with pytest.raises(FieldMismatch):
        tree.insert([pair(7)])


def test_a_store_that_changed_a_commitment_is_found_out() -> None:
    shelf = Shelf()
    tree = shelf.stored(PrefixTree().insert(pair(i) for i in range(20)))
    at = next(i for i, node in enumerate(shelf.nodes) if isinstance(node, Terminal))
    leaf = shelf.nodes[at]
    assert isinstance(leaf, Terminal)
    shelf.nodes[at] = Terminal(leaf.key, Commitment(bytes(32)))
    with pytest.raises(StoreBroken):
        tree.get(leaf.key)


def test_a_store_that_hides_half_a_tree_is_found_out() -> None:
    shelf = Shelf()
    tree = shelf.stored(PrefixTree().insert(pair(i) for i in range(20)))
    top = shelf.nodes[-1]
    assert isinstance(top, Fork)
    shelf.nodes[-1] = Fork(top.left, None)
    with pytest.raises(StoreBroken):
        tree.prove(pair(7)[0])


def test_a_tree_in_memory_has_no_store_to_ask() -> None:
    lost = PrefixTree.stored(Stored(Digest(bytes(32)), 3), 1, PrefixTree()._nodes)
    with pytest.raises(StoreBroken):
        lost.prove(pair(1)[0])
