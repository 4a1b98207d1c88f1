"""Whatever a caller hands to the functions that read strangers' values, nothing but our errors comes out."""

from collections.abc import Callable

import pytest

from hybrid_bridge.core import cbor, identifiers, labels, note, registry
from hybrid_bridge.core.anchor import decode_header, decode_receipt
from hybrid_bridge.core.block import Block
from hybrid_bridge.core.consensus_key import ConsensusKey
from hybrid_bridge.core.cosigning import decode_request
from hybrid_bridge.core.der import DerReader
from hybrid_bridge.core.epoch import EpochRecord
from hybrid_bridge.core.genesis import Genesis, origin_hash
from hybrid_bridge.core.governance import MemberUpdate, Notice, SetUpdate, decode_governance
from hybrid_bridge.core.keys import ED25519, PublicKey
from hybrid_bridge.core.merkle_patricia import trie_value
from hybrid_bridge.core.mldsa import MldsaKey, verify_mldsa
from hybrid_bridge.core.rlp import decode_rlp
from hybrid_bridge.core.snapshot import Chunk
from hybrid_bridge.core.timestamp import decode_response
from hybrid_bridge.core.transaction import SignedTransaction
from hybrid_bridge.core.zip_container import members_of
from hybrid_bridge.errors import BridgeError

KEY = bytes(32)
STRANGE = (None, True, 5, -1, 10**12, 1.5, object(), [1], {}, {1: 2}, (KEY,), [(KEY, KEY)], "\ud800", b"", "x" * 300)
READERS: dict[str, Callable[..., object]] = {
    "registry.tree_root rules": lambda value: registry.tree_root([], value),
    "registry.verify rules": lambda value: registry.verify(KEY, KEY, None, [], value),
    "registry.verify path": lambda value: registry.verify(KEY, KEY, None, value),
    "cbor.decode": lambda value: cbor.decode(value, "x"),
    "rlp": lambda value: decode_rlp(value, "x", 100),
    "der": lambda value: DerReader(value, "x").inside(0x30),
    "header": decode_header,
    "receipt": decode_receipt,
    "trie key": lambda value: trie_value(KEY, value, [b"x"]),
    "trie proof": lambda value: trie_value(KEY, b"x", value),
    "transaction": SignedTransaction.decode,
    "block": Block.decode,
    "snapshot chunk": Chunk.decode,
    "epoch": EpochRecord.decode,
    "genesis": Genesis.decode,
    "origin": origin_hash,
    "set update": SetUpdate.decode,
    "member update": MemberUpdate.decode,
    "notice": Notice.decode,
    "consensus key": ConsensusKey.decode,
    "governance": decode_governance,
    "witness request": decode_request,
    "timestamp": lambda value: decode_response(value, "tsa"),
    "zip": members_of,
    "spki": lambda value: PublicKey(ED25519, value),
    "scheme": lambda value: PublicKey(value, KEY),
    "ml-dsa seed": MldsaKey,
    "ml-dsa key": lambda value: verify_mldsa(value, b"", bytes(2420)),
    "ml-dsa signature": lambda value: verify_mldsa(bytes(1312), b"", value),
    "base64": lambda value: note.parse_b64(value, "x") and labels.life("asset", ""),
    "label type": lambda value: labels.normalised(value, "a", "b"),
    "label parts": lambda value: labels.Label(3, value),
    "label part": lambda value: labels.normalised(3, value, value),
    "party": lambda value: identifiers.party(usci=value),
    "party id": identifiers.party_id,
    "gtin": identifiers.gtin,
    "loose number": lambda value: identifiers.inv_no_loose(value) and identifiers.usci(""),
    "check digit": identifiers.usci_check_digit,
}


@pytest.mark.parametrize("name", READERS)
def test_a_value_of_another_type_is_refused_by_name(name):
    for value in STRANGE:
        with pytest.raises(BridgeError):
            READERS[name](value)
