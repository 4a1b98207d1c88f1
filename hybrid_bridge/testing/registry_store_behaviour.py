"""What every `RegistryStore` must do, whoever implements it. One suite, run on the fake and on each real database.

Subclass `RegistryStoreBehaviour` and give a fixture `store`, empty at the start of each test.
"""

import random
from typing import Final

import pytest

from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.prefix_tree import Pair, PrefixTree
from hybrid_bridge.core.registry import tree_root, verify
from hybrid_bridge.errors import FieldMismatch, NotYet, StoreBroken
from hybrid_bridge.ports import RegistryStore
from hybrid_bridge.units import Commitment, EpochNumber, RegistryIndex

EPOCHS: Final = 12


def pair(number: int) -> Pair:
    """A label's pair; neighbours in number stand anywhere."""
    return RegistryIndex(sha256(b"index %d" % number)), Commitment(sha256(b"commitment %d" % number))


def twins(number: int) -> list[Pair]:
    """Two pairs whose indices differ in their last bit: a path of 256."""
    stem = sha256(b"twins %d" % number)[:31]
    return [(RegistryIndex(stem + bytes([last])), Commitment(sha256(stem + bytes([last])))) for last in (0, 1)]


def grow(store: RegistryStore, epochs: int, seed: int = 1) -> list[dict[bytes, bytes]]:
    """Keep epochs 0 … `epochs` − 1 of random insertions; what stands in the registry after each."""
    chance, held, history = random.Random(seed), dict[bytes, bytes](), list[dict[bytes, bytes]]()
    for number in range(epochs):
        fresh = [pair(1000 * seed + 100 * number + i) for i in range(chance.choice((0, 1, 4, 16)))]
        tree = store.at(EpochNumber(number - 1)) if number else PrefixTree()
        store.keep(EpochNumber(number), tree.insert(fresh))
        held |= dict(fresh)
        history.append(dict(held))
    return history


class RegistryStoreBehaviour:
    """Inherit it; every test is about a promise of the port."""

    def test_an_empty_store_knows_no_epoch(self, store: RegistryStore) -> None:
        assert store.newest() is None
        with pytest.raises(NotYet):
            store.at(EpochNumber(0))

    def test_every_epoch_answers_as_a_dictionary_would_however_many_came_after_it(self, store: RegistryStore) -> None:
        history = grow(store, EPOCHS)
        assert store.newest() == EPOCHS - 1
        everything = [RegistryIndex(key) for key in history[-1]]
        for number, held in enumerate(history):
            tree = store.at(EpochNumber(number))
            assert (tree.root, tree.size) == (tree_root(held), len(held))
            for index in (*everything, pair(77_777)[0]):
                proof = tree.prove(index)
                assert verify(tree.root, index, proof.terminal, proof.path) == held.get(index)

    def test_a_whole_tree_can_be_read_back(self, store: RegistryStore) -> None:
        history = grow(store, 4)
        assert dict(store.at(EpochNumber(3)).pairs()) == history[3]

    def test_a_registry_without_a_label_is_kept_too(self, store: RegistryStore) -> None:
        store.keep(EpochNumber(0), PrefixTree())
        store.keep(EpochNumber(1), store.at(EpochNumber(0)))
        assert store.at(EpochNumber(1)).root == PrefixTree().root
        assert store.at(EpochNumber(1)).get(pair(1)[0]) is None

    def test_indices_that_differ_in_their_last_bit_are_kept_apart(self, store: RegistryStore) -> None:
        first, second = twins(1)
        store.keep(EpochNumber(0), PrefixTree().insert([first]))
        store.keep(EpochNumber(1), store.at(EpochNumber(0)).insert([second]))
        tree = store.at(EpochNumber(1))
        assert [tree.get(index) for index, _ in (first, second)] == [first[1], second[1]]
        assert len(tree.prove(first[0]).path) == 256

    def test_what_was_kept_is_taken(self, store: RegistryStore) -> None:
        store.keep(EpochNumber(0), PrefixTree().insert([pair(1), pair(2)]))
        with pytest.raises(FieldMismatch):
            store.at(EpochNumber(0)).insert([pair(1)])

    def test_an_epoch_is_not_passed_over(self, store: RegistryStore) -> None:
        with pytest.raises(StoreBroken):
            store.keep(EpochNumber(1), PrefixTree())
        grow(store, 3)
        with pytest.raises(StoreBroken):
            store.keep(EpochNumber(4), store.at(EpochNumber(2)))
        assert store.newest() == 2

    def test_keeping_an_epoch_again_changes_nothing(self, store: RegistryStore) -> None:
        history = grow(store, 5)
        store.keep(EpochNumber(4), store.at(EpochNumber(3)).insert(set(history[4].items()) - set(history[3].items())))  # type: ignore[arg-type]
        assert (store.newest(), store.at(EpochNumber(4)).root) == (4, tree_root(history[4]))
        assert dict(store.at(EpochNumber(4)).pairs()) == history[4]

    def test_an_epoch_that_was_never_closed_gives_way_with_all_after_it(self, store: RegistryStore) -> None:
        history = grow(store, 6)
        other = [pair(88_000 + i) for i in range(5)]
        store.keep(EpochNumber(3), store.at(EpochNumber(2)).insert(other))
        assert store.newest() == 3
        assert dict(store.at(EpochNumber(3)).pairs()) == history[2] | dict(other)
        assert dict(store.at(EpochNumber(2)).pairs()) == history[2]
        with pytest.raises(NotYet):
            store.at(EpochNumber(4))
        store.keep(EpochNumber(4), store.at(EpochNumber(3)).insert([pair(99_000)]))
        assert store.at(EpochNumber(4)).get(pair(99_000)[0]) == pair(99_000)[1]
        for index, commitment in other:
            assert store.at(EpochNumber(4)).get(index) == commitment
