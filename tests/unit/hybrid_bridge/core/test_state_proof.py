"""Accounts and words out of tries that an independent package makes."""

from typing import Any

import pytest
import rlp as oracle
from hypothesis import given
from hypothesis import strategies as st
from trie import HexaryTrie

from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.core.merkle_patricia import EMPTY_NODE, EMPTY_TRIE, trie_value_or_none
from hybrid_bridge.core.state_proof import MAX_WORD, NOBODY, Account, proven_account, proven_word
from hybrid_bridge.errors import FieldMalformed, FieldMismatch, Malformed, TrailingBytes, Truncated

STORAGE = {0: 1, 1: MAX_WORD, 7: 0x1234, 2**255: 255, **{100 + n: n + 1 for n in range(40)}}
OURS, EMPTY = b"\x11" * 20, b"\x22" * 20
CODE = keccak256(b"code")


def proof_of(trie: Any, key: bytes) -> list[bytes]:
    encoded = [oracle.encode(node) for node in trie.get_proof(keccak256(key))]
    return [node for at, node in enumerate(encoded) if (at == 0 or len(node) >= 32) and node != EMPTY_NODE]


def storage() -> Any:
    trie = HexaryTrie({})
    for slot, word in STORAGE.items():
        trie[keccak256(slot.to_bytes(32, "big"))] = oracle.encode(word)
    return trie


def state(storage_root: bytes = EMPTY_TRIE) -> Any:
    trie = HexaryTrie({})
    trie[keccak256(OURS)] = oracle.encode([7, 10**20, storage_root, CODE])
    for n in range(60):
        trie[keccak256(bytes([n]) * 19 + b"x")] = oracle.encode([n, n, EMPTY_TRIE, keccak256(b"")])
    return trie


def test_an_account_is_proven_with_all_four_fields() -> None:
    root = storage().root_hash
    trie = state(root)
    assert proven_account(trie.root_hash, OURS, proof_of(trie, OURS)) == Account(7, 10**20, root, CODE)


def test_an_address_that_nothing_has_touched_is_proven_to_be_nobodys() -> None:
    trie = state()
    assert proven_account(trie.root_hash, EMPTY, proof_of(trie, EMPTY)) == NOBODY


@pytest.mark.parametrize("slot", [*STORAGE, 2, 99, MAX_WORD])
def test_every_word_is_proven_and_zero_where_there_is_none(slot: int) -> None:
    trie = storage()
    proof = proof_of(trie, slot.to_bytes(32, "big"))
    assert proven_word(trie.root_hash, slot, proof) == STORAGE.get(slot, 0)


@pytest.mark.parametrize("proof", [[], [EMPTY_NODE]], ids=["geth", "anvil"])
def test_an_empty_storage_holds_zeros_whichever_way_the_node_says_so(proof: list[bytes]) -> None:
    assert proven_word(EMPTY_TRIE, 0, proof) == 0


@pytest.mark.parametrize("address", [OURS, EMPTY])
def test_every_flipped_byte_of_a_proof_is_refuted(address: bytes) -> None:
    trie = state()
    good = proof_of(trie, address)
    for place, node in enumerate(good):
        for at in range(len(node)):
            changed = node[:at] + bytes([node[at] ^ 1]) + node[at + 1 :]
            with pytest.raises(FieldMismatch):
                proven_account(trie.root_hash, address, [*good[:place], changed, *good[place + 1 :]])


def test_another_root_another_address_and_another_slot_are_refuted() -> None:
    trie, words = state(), storage()
    with pytest.raises(FieldMismatch):
        proven_account(words.root_hash, OURS, proof_of(trie, OURS))
    others = [b"\x33" * 20, b"\x44" * 20, b"\x55" * 20, b"\x66" * 20]
    for other in others:
        with pytest.raises((FieldMismatch, Malformed)):
            assert proven_account(trie.root_hash, other, proof_of(trie, OURS)) == "an account"


def test_an_existing_account_cannot_be_proven_away() -> None:
    trie = state()
    good = proof_of(trie, OURS)
    for proof, error in (([], Truncated), (good[:-1], Truncated), ([*good, good[-1]], TrailingBytes)):
        with pytest.raises(error):
            proven_account(trie.root_hash, OURS, proof)


def test_an_absence_with_more_nodes_than_it_takes_is_malformed() -> None:
    trie = state()
    with pytest.raises(TrailingBytes):
        proven_account(trie.root_hash, EMPTY, [*proof_of(trie, EMPTY), b"x"])


@pytest.mark.parametrize(
    "value",
    [
        oracle.encode([7, 1, EMPTY_TRIE]),
        oracle.encode([7, 1, EMPTY_TRIE, CODE, b""]),
        oracle.encode([2**64, 1, EMPTY_TRIE, CODE]),
        oracle.encode([7, 2**256, EMPTY_TRIE, CODE]),
        oracle.encode([7, 1, EMPTY_TRIE[:-1], CODE]),
        oracle.encode([b"\x00\x07", 1, EMPTY_TRIE, CODE]),
        b"\x07",
    ],
)
def test_what_is_no_account_is_malformed(value: bytes) -> None:
    trie = HexaryTrie({})
    trie[keccak256(OURS)] = value
    with pytest.raises(Malformed):
        proven_account(trie.root_hash, OURS, proof_of(trie, OURS))


@pytest.mark.parametrize("value", [oracle.encode(2**256), oracle.encode([1]), b"\x82\x00\x01", b"\x81\x01"])
def test_what_is_no_word_is_malformed(value: bytes) -> None:
    trie = HexaryTrie({})
    trie[keccak256(bytes(32))] = value
    with pytest.raises(Malformed):
        proven_word(trie.root_hash, 0, proof_of(trie, bytes(32)))


def test_bounds_come_first() -> None:
    for slot in (-1, MAX_WORD + 1):
        with pytest.raises(FieldMalformed):
            proven_word(EMPTY_TRIE, slot, [])
    with pytest.raises(FieldMalformed):
        proven_account(EMPTY_TRIE, b"\x11" * 19, [])


pairs = st.dictionaries(st.binary(min_size=1, max_size=4), st.binary(min_size=1, max_size=40), min_size=1, max_size=12)


@given(pairs, st.binary(min_size=1, max_size=4))
def test_a_key_is_proven_to_be_there_or_not(content: dict[bytes, bytes], key: bytes) -> None:
    trie = HexaryTrie({})
    for held, value in content.items():
        trie[held] = value
    nodes = [oracle.encode(node) for node in trie.get_proof(key)]
    proof = [node for at, node in enumerate(nodes) if (at == 0 or len(node) >= 32) and node != EMPTY_NODE]
    assert trie_value_or_none(trie.root_hash, key, proof) == content.get(key)
