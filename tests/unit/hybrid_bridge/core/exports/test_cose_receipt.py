"""COSE receipts: written, read back, verified; every named mutation is refused."""

from dataclasses import replace

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_bridge.core.encoding import ZERO, sha256
from hybrid_bridge.core.exports.cose_receipt import (
    MAX_RECEIPT,
    Consistency,
    Inclusion,
    Receipt,
    parse_receipt,
    sign_root,
    to_be_signed,
    verify_consistency_receipt,
    verify_inclusion_receipt,
    verify_root,
)
from hybrid_bridge.core.keys import PrivateKey
from hybrid_bridge.errors import (
    BridgeError,
    DigestLength,
    FieldMalformed,
    FieldMismatch,
    IndexBeyondSize,
    Malformed,
    Missing,
    NotCanonical,
    PathLength,
    RootMismatch,
    SignatureWrong,
    SizeOrder,
    TooLong,
)
from tests.bundles import consortium, flip

WORLD = consortium()
RECORD = WORLD.closed[1].record.encode()


def inclusion(index=2, size=4):
    path = tuple(WORLD.log.inclusion_path(index, size))
    return receipt(Inclusion(size, index, path), size)


def consistency(old=3, new=6):
    return receipt(Consistency(old, new, tuple(WORLD.log.consistency_path(old, new))), new)


def receipt(proof, size):
    key_hash = sha256(WORLD.genesis.receipt_key)
    return Receipt(origin=WORLD.origin, key_hash=key_hash, proof=proof, signature=WORLD.receipt(size))


# ── good ──


@pytest.mark.parametrize("make", [inclusion, consistency])
def test_what_is_written_is_read_back(make):
    assert parse_receipt(make().encode()) == make()


@pytest.mark.parametrize(("index", "size"), [(1, 2), (1, 3), (2, 3), (1, 6), (4, 6), (5, 6)])
def test_an_inclusion_receipt_leads_to_the_signed_root(index, size):
    record = WORLD.closed[index - 1].record.encode()
    assert verify_inclusion_receipt(inclusion(index, size), record, WORLD.genesis) == WORLD.log.root(size)


@pytest.mark.parametrize(("old", "new"), [(1, 2), (2, 3), (2, 4), (3, 4), (3, 6), (4, 6), (5, 6)])
def test_a_consistency_receipt_leads_to_the_signed_newer_root(old, new):
    root = verify_consistency_receipt(consistency(old, new), WORLD.log.root(old), WORLD.genesis)
    assert root == WORLD.log.root(new)


def test_the_bytes_are_those_of_the_specification():
    tagged = cbor2.loads(inclusion().encode())
    protected, unprotected, payload, signature = tagged.value
    assert tagged.tag == 18
    headers = {1: -8, 4: sha256(WORLD.genesis.receipt_key), 15: {1: WORLD.origin}, 395: 1}
    assert cbor2.loads(protected) == headers
    assert {key: list(value) for key, value in unprotected[396].items()} == {
        -1: [cbor2.dumps([4, 2, WORLD.log.inclusion_path(2, 4)])]
    }
    assert (payload, signature) == (None, WORLD.receipt(4))
    message = cbor2.dumps(["Signature1", protected, b"", WORLD.log.root(4)])
    assert to_be_signed(WORLD.origin, WORLD.genesis.receipt_key, WORLD.log.root(4)) == message


# ── what no proof is ──


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: Inclusion(1, 0, ()), SizeOrder),
        (lambda: Inclusion(0, 0, ()), SizeOrder),
        (lambda: Inclusion(4, 4, (ZERO,) * 2), IndexBeyondSize),
        (lambda: Inclusion(4, 1, (ZERO,)), PathLength),
        (lambda: Inclusion(4, 1, (ZERO,) * 3), PathLength),
        (lambda: Consistency(0, 4, ()), SizeOrder),
        (lambda: Consistency(4, 4, ()), SizeOrder),
        (lambda: Consistency(5, 4, ()), SizeOrder),
        (lambda: Consistency(3, 4, (ZERO,) * 2), PathLength),
    ],
    ids=["size-one", "size-zero", "index-equals-size", "path-one-short", "path-one-long", "from-zero", "equal-sizes",
         "m-greater-n", "consistency-one-short"],
)  # fmt: skip
def test_numbers_that_no_proof_has_are_malformed(make, error):
    with pytest.raises(error):
        make()


def built(protected=None, unprotected=None, payload=None, signature=None, tag=18, **headers):
    """A receipt's CBOR with parts exchanged."""
    named = {1: -8, 4: sha256(WORLD.genesis.receipt_key), 15: {1: WORLD.origin}, 395: 1}
    named |= {int(key[1:]): value for key, value in headers.items()}
    named = {key: value for key, value in named.items() if value is not None}
    proof = cbor2.dumps([4, 2, WORLD.log.inclusion_path(2, 4)])
    parts = [
        cbor2.dumps(named, canonical=True) if protected is None else protected,
        {396: {-1: [proof]}} if unprotected is None else unprotected,
        payload,
        WORLD.receipt(4) if signature is None else signature,
    ]
    return cbor2.dumps(cbor2.CBORTag(tag, parts), canonical=True)


GOOD = inclusion().encode()
PROOF = [4, 2, WORLD.log.inclusion_path(2, 4)]
MALFORMED = {
    "empty": (b"", NotCanonical),
    "no-tag": (GOOD[1:], FieldMalformed),
    "other-tag": (built(tag=98), FieldMalformed),
    "trailing-byte": (GOOD + b"\x00", NotCanonical),
    "cut": (GOOD[:-1], NotCanonical),
    "too-long": (GOOD + bytes(MAX_RECEIPT), TooLong),
    "nested-deeply": (b"\xd2" + b"\x81" * 4000, NotCanonical),
    "indefinite-array": (b"\xd2\x9f" + GOOD[2:] + b"\xff", NotCanonical),
    "attached-payload": (built(payload=WORLD.log.root(4)), FieldMalformed),
    "three-parts": (cbor2.dumps(cbor2.CBORTag(18, [b"", {}, None])), FieldMalformed),
    "alg-es256": (built(_1=-7), FieldMalformed),
    "alg-boolean": (built(_1=True), FieldMalformed),
    "no-alg": (built(_1=None), FieldMalformed),
    "vds-other": (built(_395=2), FieldMalformed),
    "vds-true": (built(_395=True), FieldMalformed),
    "header-unknown": (built(_16="application/receipt"), FieldMalformed),
    "kid-31-bytes": (built(_4=bytes(31)), DigestLength),
    "kid-text": (built(_4="x" * 32), FieldMalformed),
    "iss-missing": (built(_15={}), FieldMalformed),
    "iss-number": (built(_15={1: 5}), FieldMalformed),
    "iss-too-long": (built(_15={1: "x" * 201}), FieldMalformed),
    "iss-not-ascii": (built(_15={1: "é"}), FieldMalformed),
    "sub-added": (built(_15={1: WORLD.origin, 2: "x"}), FieldMalformed),
    "protected-not-cbor": (built(protected=b"\xff"), NotCanonical),
    "protected-list": (built(protected=b"\x80"), FieldMalformed),
    "protected-text": (built(protected="x"), FieldMalformed),
    "protected-unsorted": (
        built(protected=cbor2.dumps({395: 1, 1: -8, 4: sha256(WORLD.genesis.receipt_key), 15: {1: WORLD.origin}})),
        NotCanonical,
    ),
    "protected-key-twice": (built(protected=b"\xa5\x01\x27\x01\x27" + GOOD[7:58]), NotCanonical),
    "protected-wide-integer": (built(protected=GOOD[4:].replace(b"\x01\x27", b"\x01\x38\x07", 1)[:57]), NotCanonical),
    "unprotected-list": (built(unprotected=[]), FieldMalformed),
    "unprotected-empty": (built(unprotected={}), FieldMalformed),
    "unprotected-more": (built(unprotected={396: {-1: [cbor2.dumps(PROOF)]}, 4: b"x"}), FieldMalformed),
    "vdp-list": (built(unprotected={396: []}), FieldMalformed),
    "vdp-unknown": (built(unprotected={396: {-3: [b""]}}), FieldMalformed),
    "two-kinds": (built(unprotected={396: {-1: [cbor2.dumps(PROOF)], -2: []}}), FieldMalformed),
    "no-proof": (built(unprotected={396: {-1: []}}), FieldMalformed),
    "two-proofs": (built(unprotected={396: {-1: [cbor2.dumps(PROOF)] * 2}}), FieldMalformed),
    "proof-not-bytes": (built(unprotected={396: {-1: [PROOF]}}), FieldMalformed),
    "proof-not-cbor": (built(unprotected={396: {-1: [b"\xff"]}}), NotCanonical),
    "proof-of-two": (built(unprotected={396: {-1: [cbor2.dumps([4, 2])]}}), FieldMalformed),
    "size-text": (built(unprotected={396: {-1: [cbor2.dumps(["4", 2, PROOF[2]])]}}), FieldMalformed),
    "path-text": (built(unprotected={396: {-1: [cbor2.dumps([4, 2, "x"])]}}), FieldMalformed),
    "path-31-bytes": (built(unprotected={396: {-1: [cbor2.dumps([4, 2, [bytes(31)] * 2])]}}), DigestLength),
    "path-55-hashes": (built(unprotected={396: {-1: [cbor2.dumps([4, 2, [bytes(32)] * 55])]}}), FieldMalformed),
    "path-number": (built(unprotected={396: {-1: [cbor2.dumps([4, 2, [5, 5]])]}}), FieldMalformed),
    "regex-tag": (built(unprotected=cbor2.CBORTag(35, "(" * 900)), FieldMalformed),
    "tag-18-within": (built(unprotected=cbor2.CBORTag(18, {396: {-1: [cbor2.dumps(PROOF)]}})), FieldMalformed),
    "bignum-size": (built(unprotected={396: {-1: [b"\x83\xc2\x41\x04\x02" + cbor2.dumps(PROOF[2])]}}), FieldMalformed),
    "tag-18-wide": (b"\xd8\x12" + GOOD[1:], NotCanonical),
    "float-size": (built(unprotected={396: {-1: [cbor2.dumps([4.0, 2, PROOF[2]])]}}), FieldMalformed),
    "signature-63-bytes": (built(signature=bytes(63)), FieldMalformed),
    "signature-number": (built(signature=64), FieldMalformed),
}  # fmt: skip


@pytest.mark.parametrize("name", MALFORMED)
def test_other_bytes_are_malformed(name):
    data, error = MALFORMED[name]
    with pytest.raises(error) as raised:
        parse_receipt(data)
    assert isinstance(raised.value, Malformed)


@pytest.mark.parametrize("good", [GOOD, consistency().encode()], ids=["inclusion", "consistency"])
def test_whatever_is_accepted_after_a_change_is_written_back_to_the_same_bytes(good):
    accepted = 0
    for place in range(len(good)):
        for change in (1, 0x20, 0x80, 0xFF):
            data = good[:place] + bytes([good[place] ^ change]) + good[place + 1 :]
            try:
                assert parse_receipt(data).encode() == data
            except Malformed:
                continue
            accepted += 1
    assert accepted


def test_the_builder_of_these_cases_builds_good_ones_too():
    assert built() == GOOD


# ── what is false ──

OTHER_KEY = PrivateKey.from_seed(bytes(range(32)))


def of_another_key():
    signature = sign_root(OTHER_KEY, WORLD.origin, WORLD.log.root(4))
    return replace(inclusion(), key_hash=sha256(OTHER_KEY.public.spki[-32:]), signature=signature)


REFUTED = {
    "other-record": (lambda: inclusion(1), RECORD, SignatureWrong),
    "index-of-neighbour": (lambda: receipt(Inclusion(4, 3, inclusion().proof.path), 4), RECORD, SignatureWrong),
    "siblings-reversed": (lambda: receipt(Inclusion(4, 2, inclusion().proof.path[::-1]), 4), RECORD, SignatureWrong),
    "size-other": (lambda: receipt(Inclusion(3, 1, inclusion().proof.path), 4), RECORD, SignatureWrong),
    "signature-of-another-root": (lambda: replace(inclusion(), signature=WORLD.receipt(6)), RECORD, SignatureWrong),
    "signature-flipped": (lambda: replace(inclusion(), signature=flip(WORLD.receipt(4), 300)), RECORD, SignatureWrong),
    "signature-s-not-reduced": (
        lambda: replace(inclusion(), signature=WORLD.receipt(4)[:32] + b"\xff" * 32),
        RECORD,
        FieldMalformed,
    ),
    "key-other": (of_another_key, RECORD, FieldMismatch),
    "origin-other": (lambda: replace(inclusion(), origin="other.example/log"), RECORD, FieldMismatch),
    "consistency-shown-as-inclusion": (consistency, RECORD, Missing),
}


@pytest.mark.parametrize("name", REFUTED)
def test_a_receipt_that_is_false_is_refused(name):
    make, record, error = REFUTED[name]
    with pytest.raises(error):
        verify_inclusion_receipt(make(), record, WORLD.genesis)


def middle_swapped():
    good = consistency()
    path = good.proof.path
    return replace(good, proof=Consistency(3, 6, (path[0], path[2], path[1], *path[3:])))


def tail_changed():
    """A path that leads to the true older root, and to a newer one that nobody signed."""
    good = consistency()
    return replace(good, proof=Consistency(3, 6, (*good.proof.path[:-1], flip(good.proof.path[-1]))))


@pytest.mark.parametrize(
    ("make", "root", "error"),
    [
        (middle_swapped, WORLD.log.root(3), RootMismatch),
        (tail_changed, WORLD.log.root(3), SignatureWrong),
        (consistency, WORLD.log.root(4), RootMismatch),
        (lambda: replace(consistency(), origin="other.example/log"), WORLD.log.root(3), FieldMismatch),
        (lambda: replace(consistency(), signature=WORLD.receipt(4)), WORLD.log.root(3), SignatureWrong),
        (inclusion, WORLD.log.root(3), Missing),
    ],
    ids=["middle-swapped", "newer-root-other", "older-root-other", "origin-other", "signature-of-another-root",
         "inclusion-shown-as-consistency"],
)  # fmt: skip
def test_a_consistency_receipt_that_is_false_is_refused(make, root, error):
    with pytest.raises(error):
        verify_consistency_receipt(make(), root, WORLD.genesis)


def test_a_log_without_a_receipt_key_has_no_receipts():
    none = replace(WORLD.genesis, receipt_key=ZERO)
    with pytest.raises(FieldMalformed):
        verify_root(none, WORLD.origin, WORLD.log.root(4), WORLD.receipt(4))


# ── bytes of strangers ──


def test_no_flipped_bit_verifies():
    for bit in range(8 * len(GOOD)):
        with pytest.raises(BridgeError):
            verify_inclusion_receipt(parse_receipt(flip(GOOD, bit)), RECORD, WORLD.genesis)


@given(st.binary(max_size=300))
def test_random_bytes_leave_only_our_errors(data):
    for candidate in (data, b"\xd2" + data, b"\xd2\x84" + data, GOOD[:60] + data):
        with pytest.raises(Malformed):
            parse_receipt(candidate)


@given(st.binary(max_size=120))
def test_random_proofs_leave_only_our_errors(data):
    with pytest.raises(BridgeError):
        verify_inclusion_receipt(parse_receipt(built(unprotected={396: {-1: [data]}})), RECORD, WORLD.genesis)
