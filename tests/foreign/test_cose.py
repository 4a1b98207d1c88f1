"""Our COSE receipts read by scitt-cose; what it refuses, we refuse."""

import base64

import cbor2
import pytest
from scitt_cose import merkle
from scitt_cose.cose_sign1 import CoseError, verify_sign1
from scitt_cose.receipt import verify_receipt

from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.exports.cose_receipt import (
    Consistency,
    Inclusion,
    Receipt,
    parse_receipt,
    verify_consistency_receipt,
    verify_inclusion_receipt,
)
from hybrid_bridge.errors import BridgeError
from tests.bundles import consortium, flip

WORLD = consortium()
SPKI = bytes.fromhex(
    "302a300506032b6570032100"
)  # RFC 8410: what a reader puts before the 32 bytes of the genesis record
PEM = b"-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n" % base64.b64encode(SPKI + WORLD.genesis.receipt_key)


def receipt(proof, size) -> bytes:
    key_hash = sha256(WORLD.genesis.receipt_key)
    return Receipt(origin=WORLD.origin, key_hash=key_hash, proof=proof, signature=WORLD.receipt(size)).encode()


def inclusion(epoch, size) -> bytes:
    return receipt(Inclusion(size, epoch, tuple(WORLD.log.inclusion_path(epoch, size))), size)


def record(epoch) -> bytes:
    return WORLD.closed[epoch - 1].record.encode()


def read(data: bytes, leaf: bytes):
    return verify_receipt(data, leaf_entry_hex=leaf.hex(), log_public_key_pem=PEM)


@pytest.mark.parametrize(("epoch", "size"), [(1, 2), (1, 4), (2, 3), (3, 4), (5, 6), (1, 6)])
def test_an_inclusion_receipt_is_accepted_and_says_the_same(epoch, size):
    result = read(inclusion(epoch, size), record(epoch))
    assert result.ok, result.errors
    assert (result.root, result.tree_size, result.leaf_index) == (WORLD.log.root(size).hex(), size, epoch)
    assert result.issuer == WORLD.origin
    assert result.protected_header_ext == {4: sha256(WORLD.genesis.receipt_key)}


@pytest.mark.parametrize(("old", "new"), [(1, 2), (2, 3), (3, 6), (4, 6), (5, 6)])
def test_a_consistency_receipt_is_a_cose_signature_over_the_newer_root_that_its_path_leads_to(old, new):
    path = WORLD.log.consistency_path(old, new)
    data = receipt(Consistency(old, new, tuple(path)), new)
    verify_sign1(data, public_key_pem=PEM, detached_payload=WORLD.log.root(new), understood_labels=frozenset({395}))
    (inner,) = cbor2.loads(data).value[1][396][-2]
    stated_old, stated_new, stated_path = cbor2.loads(inner)
    hexes = [node.hex() for node in stated_path]
    roots = WORLD.log.root(old).hex(), WORLD.log.root(new).hex()
    assert merkle.verify_consistency(*roots, stated_old, stated_new, hexes)
    assert not merkle.verify_consistency(roots[0], flip(WORLD.log.root(new)).hex(), stated_old, stated_new, hexes)


def test_it_refuses_every_flipped_byte_and_so_do_we():
    good, leaf = inclusion(2, 4), record(2)
    for position in range(len(good)):
        broken = good[:position] + bytes([good[position] ^ 1 << position % 8]) + good[position + 1 :]
        assert not read(broken, leaf).ok
        with pytest.raises(BridgeError):
            verify_inclusion_receipt(parse_receipt(broken), leaf, WORLD.genesis)


TAMPERED = {
    "other-record": (inclusion(2, 4), record(3)),
    "index-of-neighbour": (receipt(Inclusion(4, 3, tuple(WORLD.log.inclusion_path(2, 4))), 4), record(2)),
    "siblings-reversed": (receipt(Inclusion(4, 2, tuple(WORLD.log.inclusion_path(2, 4)[::-1])), 4), record(2)),
    "signature-of-another-root": (receipt(Inclusion(4, 2, tuple(WORLD.log.inclusion_path(2, 4))), 6), record(2)),
    "trailing-byte": (inclusion(2, 4) + b"\x00", record(2)),
    "attached-payload": (
        cbor2.dumps(cbor2.CBORTag(18, [*cbor2.loads(inclusion(2, 4)).value[:2], WORLD.log.root(4), WORLD.receipt(4)])),
        record(2),
    ),
    "cut": (inclusion(2, 4)[:-1], record(2)),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_tampered_receipts_are_refused_by_both(name):
    data, leaf = TAMPERED[name]
    assert not read(data, leaf).ok
    with pytest.raises(BridgeError):
        verify_inclusion_receipt(parse_receipt(data), leaf, WORLD.genesis)


def test_a_tampered_consistency_receipt_is_refused_by_both():
    path = tuple(WORLD.log.consistency_path(3, 6))
    data = receipt(Consistency(3, 6, (*path[:-1], flip(path[-1]))), 6)
    with pytest.raises(BridgeError):
        verify_consistency_receipt(parse_receipt(data), WORLD.log.root(3), WORLD.genesis)
    hexes = [node.hex() for node in (*path[:-1], flip(path[-1]))]
    assert not merkle.verify_consistency(WORLD.log.root(3).hex(), WORLD.log.root(6).hex(), 3, 6, hexes)
    with pytest.raises(CoseError):
        verify_sign1(data, public_key_pem=PEM, detached_payload=WORLD.log.root(3), understood_labels=frozenset({395}))
