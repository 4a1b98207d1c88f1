from collections.abc import Sequence

import pytest
import rlp as oracle
from hypothesis import given
from hypothesis import strategies as st
from trie import HexaryTrie

from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.core.merkle_patricia import MAX_NODE, trie_value
from hybrid_bridge.errors import (
    BridgeError,
    FieldMalformed,
    FieldMismatch,
    Malformed,
    TooLong,
    TrailingBytes,
    Truncated,
)
from hybrid_bridge.units import Digest


def proof_of(trie: HexaryTrie, key: bytes) -> list[bytes]:
    """The nodes named by hash on the way to `key`, as an independent package gives them."""
    encoded = [oracle.encode(node) for node in trie.get_proof(key)]
    return encoded[:1] + [node for node in encoded[1:] if len(node) >= 32]


def receipts(count: int, size: int = 40) -> HexaryTrie:
    trie = HexaryTrie({})
    for index in range(count):
        trie[oracle.encode(index)] = bytes([index % 255 + 1]) * size
    return trie


@pytest.mark.parametrize("count", [1, 2, 3, 16, 17, 127, 128, 129, 260])
def test_every_value_of_a_trie_is_proven(count: int) -> None:
    trie = receipts(count)
    for index in range(count):
        key = oracle.encode(index)
        assert trie_value(Digest(trie.root_hash), key, proof_of(trie, key)) == trie[key]


pairs = st.dictionaries(st.binary(min_size=1, max_size=5), st.binary(min_size=1, max_size=40), min_size=1, max_size=12)


@given(pairs)
def test_keys_that_are_prefixes_of_one_another_and_short_nodes_are_proven_too(content: dict[bytes, bytes]) -> None:
    trie = HexaryTrie({})
    for key, value in content.items():
        trie[key] = value
    for key, value in content.items():
        assert trie_value(Digest(trie.root_hash), key, proof_of(trie, key)) == value


@given(pairs, st.binary(min_size=1, max_size=5))
def test_a_key_that_is_not_there_has_no_value(content: dict[bytes, bytes], key: bytes) -> None:
    content.pop(key, None)
    trie = HexaryTrie({})
    for held, value in content.items():
        trie[held] = value
    with pytest.raises(BridgeError):
        trie_value(Digest(trie.root_hash), key, proof_of(trie, key))


def test_a_proof_for_another_key_is_refuted() -> None:
    trie = receipts(40)
    with pytest.raises(FieldMismatch):
        trie_value(Digest(trie.root_hash), oracle.encode(6), proof_of(trie, oracle.encode(35)))


def test_a_changed_node_is_refuted() -> None:
    trie = receipts(40)
    key = oracle.encode(6)
    good = proof_of(trie, key)
    for at, node in enumerate(good):
        for changed in (bytes([*node[:-1], node[-1] ^ 1]), node + b"\x00", b""):
            with pytest.raises(FieldMismatch):
                trie_value(Digest(trie.root_hash), key, [*good[:at], changed, *good[at + 1 :]])


def test_missing_and_superfluous_nodes_are_malformed() -> None:
    trie = receipts(40)
    key = oracle.encode(6)
    good = proof_of(trie, key)
    root = Digest(trie.root_hash)
    with pytest.raises(Truncated):
        trie_value(root, key, good[:-1])
    with pytest.raises(TooLong):
        trie_value(root, key, good + [good[-1]] * 3)
    single = receipts(1)
    with pytest.raises(TrailingBytes) as caught:
        trie_value(Digest(single.root_hash), b"\x80", proof_of(single, b"\x80") * 2)
    assert caught.value.count == 1


@pytest.mark.parametrize(
    "node",
    [
        b"",  # the empty trie
        [b"\x20", b"v", b"w"],
        [b"", b"v"],
        [[b"\x20"], b"v"],
        [b"\x40", b"v"],  # flag nibble above 3
        [b"\x21" + b"\x00", b"v"],  # absent: another path
        [b"\x2f\x81", b"v"],  # even, pad nibble not zero
        [b"\x00", bytes(32)],  # extension without a path
        [b"\x20\x81", [b"list"]],  # a value that is a list
        [b"\x20\x81", b""],
        [b"\x20", b"v"],
        [b"\x00\x81", b""],
        [b"\x00\x81", b"short"],
        [b"\x00\x81", [b""] * 16 + [b""]],
        [b"\x18", [b"x"]],
        [b""] * 17,
    ],
)
def test_nodes_that_are_none_or_lead_nowhere_are_refused(node: Sequence[object]) -> None:
    data = oracle.encode(node)
    with pytest.raises((Malformed, FieldMismatch)):
        trie_value(keccak256(data), b"\x81", [data])


def test_bounds_are_checked_before_any_hash() -> None:
    for key in (b"", bytes(33)):
        with pytest.raises(FieldMalformed):
            trie_value(Digest(bytes(32)), key, [])
    with pytest.raises(TooLong):
        trie_value(Digest(bytes(32)), b"k", [bytes(MAX_NODE + 1)])
    with pytest.raises(BridgeError):
        trie_value(Digest(b""), b"k", [])
