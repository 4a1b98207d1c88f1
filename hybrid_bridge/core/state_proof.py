"""Accounts and storage words of a public chain, proven against the state root of a header.

What the header itself rests on is the caller's to know: a hash that a quorum of endpoints agrees on.
Source: Ethereum Yellow Paper §4.1 and appendix D; EIP-1186; RELAYER §4.2.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.core.merkle_patricia import EMPTY_TRIE, trie_value_or_none
from hybrid_bridge.core.proof import as_octets
from hybrid_bridge.core.rlp import bytes_of, decode_rlp, list_of, uint_of
from hybrid_bridge.errors import FieldMalformed
from hybrid_bridge.units import MAX_U64, Address, Digest, Nonce, Wei

MAX_ACCOUNT: Final = 128  # bytes; nonce, balance and two digests have at most 110
MAX_WORD: Final = (1 << 256) - 1


@dataclass(frozen=True, slots=True)
class Account:
    """What the state trie says of one address."""

    nonce: Nonce
    balance: Wei
    storage_root: Digest
    code_hash: Digest


NOBODY: Final = Account(Nonce(0), Wei(0), EMPTY_TRIE, keccak256(b""))  # an address that nothing has touched


def proven_account(state_root: Digest, address: Address, proof: Sequence[bytes]) -> Account:
    """The account, or `NOBODY` where the nodes prove that there is none.

    Args:
        state_root: item 3 of a header.
        address: 20 bytes.
        proof: trie nodes from the root down.

    Raises:
        FieldMismatch: a node is not the one that its parent names.
        Malformed: an address, a node or the account has a wrong shape.
    """
    if len(as_octets(address, "address")) != 20:
        raise FieldMalformed(field="address", rule="20 bytes")
    value = trie_value_or_none(state_root, keccak256(address), proof)
    if value is None:
        return NOBODY
    items = list_of(decode_rlp(value, "account", MAX_ACCOUNT), 4, 4, "account")
    return Account(
        nonce=Nonce(uint_of(items[0], "account.nonce", MAX_U64)),
        balance=Wei(uint_of(items[1], "account.balance", MAX_WORD)),
        storage_root=Digest(bytes_of(items[2], 32, "account.storageRoot")),
        code_hash=Digest(bytes_of(items[3], 32, "account.codeHash")),
    )


def proven_word(storage_root: Digest, slot: int, proof: Sequence[bytes]) -> int:
    """The word in a storage slot; zero where the nodes prove that there is none.

    Raises:
        FieldMismatch: a node is not the one that its parent names.
        Malformed: the slot, a node or the word has a wrong shape.
    """
    if not 0 <= slot <= MAX_WORD:
        raise FieldMalformed(field="slot", rule="256 bits")
    value = trie_value_or_none(storage_root, keccak256(slot.to_bytes(32, "big")), proof)
    return 0 if value is None else uint_of(decode_rlp(value, "storage", 33), "storage.word", MAX_WORD)
