"""secp256k1: one strict encoding of each signature, and nothing believed of what a key store answers."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.signing import (
    HALF_ORDER,
    ORDER,
    address_of,
    address_of_compressed,
    from_compact,
    normalise,
    public_key_of,
    recover_address,
    require_signature,
    sign_digest,
    to_compact,
)
from hybrid_bridge.errors import BridgeError, DigestLength, FieldMalformed, NotCanonical, SignatureWrong
from hybrid_bridge.units import Address, Digest, EcdsaSignature

KEY = (1).to_bytes(32, "big")
ADDRESS = address_of(public_key_of(KEY))
DIGEST = sha256(b"message")
GOOD = sign_digest(KEY, DIGEST)
keys = st.integers(1, ORDER - 1).map(lambda k: k.to_bytes(32, "big"))


def scalars(signature: bytes) -> tuple[int, int]:
    return int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")


def signature(r: int, s: int, v: int) -> EcdsaSignature:
    return EcdsaSignature(r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([v]))


def integer(value: int) -> bytes:
    body = value.to_bytes(value.bit_length() // 8 + 1, "big")
    return bytes([2, len(body)]) + body


def der(r: int, s: int) -> bytes:
    body = integer(r) + integer(s)
    return bytes([0x30, len(body)]) + body


def test_the_address_of_key_one_is_the_well_known_one() -> None:
    assert ADDRESS.hex() == "7e5f4552091a69125d5dfcb7b8c2659029395bdf"


@given(keys)
@settings(max_examples=20)
def test_a_compressed_point_has_the_address_of_the_point(key: bytes) -> None:
    point = public_key_of(key)
    assert address_of_compressed(bytes([2 + point[64] % 2]) + point[1:33]) == address_of(point)


@pytest.mark.parametrize("point", [public_key_of(KEY), b"", b"\x02", b"\x02" + b"\xff" * 32, b"\x04" + bytes(32)])
def test_no_other_bytes_are_a_compressed_point(point: bytes) -> None:
    with pytest.raises(FieldMalformed):
        address_of_compressed(point)


@given(keys, st.binary(min_size=32, max_size=32))
@settings(max_examples=50)
def test_whoever_signs_is_recovered_and_the_signature_is_strict(key: bytes, digest: bytes) -> None:
    signed = sign_digest(key, Digest(digest))
    assert require_signature(signed) == signed
    assert recover_address(Digest(digest), signed) == address_of(public_key_of(key))
    assert from_compact(to_compact(signed)) == signed


def test_signing_twice_gives_the_same_bytes() -> None:
    assert sign_digest(KEY, DIGEST) == GOOD


def test_the_top_bit_of_the_compact_form_is_v() -> None:
    r, s = scalars(GOOD)
    for v in (27, 28):
        compact = to_compact(signature(r, s, v))
        assert compact == r.to_bytes(32, "big") + (s | (v - 27) << 255).to_bytes(32, "big")
        assert from_compact(compact)[64] == v


R, S = scalars(GOOD)
LOOSE = [
    (R, S, 0), (R, S, 1), (R, S, 26), (R, S, 29), (0, S, 27), (R, 0, 27), (ORDER, S, 27), (R, ORDER, 27),
    (R, ORDER - S, 55 - GOOD[64]), (R, HALF_ORDER + 1, 27), (2**256 - 1, S, 28),
]  # fmt: skip


@pytest.mark.parametrize(("r", "s", "v"), LOOSE)
def test_a_signature_that_is_not_strict_is_refused_everywhere(r: int, s: int, v: int) -> None:
    loose = signature(r, s, v)
    for call in (lambda: require_signature(loose), lambda: recover_address(DIGEST, loose), lambda: to_compact(loose)):
        with pytest.raises(FieldMalformed) as caught:
            call()
        assert caught.value.field == "signature"


@pytest.mark.parametrize("length", [0, 64, 66])
def test_a_signature_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(FieldMalformed):
        require_signature(bytes(length))
    with pytest.raises(FieldMalformed):
        from_compact(bytes(length + 1))


def test_half_of_the_order_is_the_largest_s() -> None:
    assert HALF_ORDER == 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
    require_signature(signature(R, HALF_ORDER, 27))


def test_a_signature_that_nobody_can_have_made_is_refused() -> None:
    with pytest.raises(SignatureWrong):
        recover_address(DIGEST, signature(5, S, 27))  # no point of the curve has x = 5


def test_another_digest_recovers_another_address() -> None:
    assert recover_address(sha256(b"other"), GOOD) != ADDRESS
    with pytest.raises(DigestLength):
        recover_address(Digest(bytes(31)), GOOD)
    with pytest.raises(DigestLength):
        sign_digest(KEY, Digest(b""))


@pytest.mark.parametrize("key", [b"", bytes(31), bytes(32), ORDER.to_bytes(32, "big"), b"\xff" * 32, None, "qwertz"])
def test_what_is_no_private_key_is_refused_without_being_shown(key: Any) -> None:
    for call in (lambda: public_key_of(key), lambda: sign_digest(key, DIGEST)):
        with pytest.raises(FieldMalformed) as caught:
            call()
        assert not key or str(key) not in str(caught.value)


@pytest.mark.parametrize("point", [b"", bytes(65), b"\x02" + bytes(32), b"\x04" + bytes(63), None])
def test_what_is_no_uncompressed_point_has_no_address(point: Any) -> None:
    with pytest.raises(FieldMalformed):
        address_of(point)


# ── key stores ───────────────────────────────────────────────────────────────────────────────────────────────────────


@given(keys, st.binary(min_size=32, max_size=32), st.booleans(), st.booleans())
@settings(max_examples=60)
def test_raw_and_der_low_and_high_all_become_the_one_strict_signature(
    key: bytes, digest: bytes, high: bool, as_der: bool
) -> None:
    signed = sign_digest(key, Digest(digest))
    r, s = scalars(signed)
    s = ORDER - s if high else s
    answer = der(r, s) if as_der else r.to_bytes(32, "big") + s.to_bytes(32, "big")
    assert normalise(answer, Digest(digest), address_of(public_key_of(key))) == signed


def test_a_store_that_signs_with_another_key_is_found_out() -> None:
    other = sign_digest((2).to_bytes(32, "big"), DIGEST)
    for answer in (other[:64], der(*scalars(other)), der(5, S)):
        with pytest.raises(SignatureWrong) as caught:
            normalise(answer, DIGEST, ADDRESS)
        assert caught.value.signer == f"0x{ADDRESS.hex()}"


def test_a_store_that_signs_another_digest_is_found_out() -> None:
    with pytest.raises(SignatureWrong):
        normalise(sign_digest(KEY, sha256(b"other"))[:64], DIGEST, ADDRESS)


@pytest.mark.parametrize(("r", "s"), [(0, S), (R, 0), (ORDER, S), (R, ORDER), (R, ORDER + 1)])
def test_numbers_out_of_range_are_refused_in_raw_form(r: int, s: int) -> None:
    with pytest.raises(FieldMalformed):
        normalise(r.to_bytes(32, "big") + s.to_bytes(32, "big"), DIGEST, ADDRESS)


STRICT = der(R, S)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x30",
        b"\x30\x00",
        STRICT[:-1],
        STRICT + b"\x00",
        b"\x31" + STRICT[1:],
        STRICT[:1] + bytes([STRICT[1] + 1]) + STRICT[2:],
        STRICT[:2] + b"\x03" + STRICT[3:],
        bytes([0x30, len(STRICT)]) + b"\x02" + bytes([STRICT[3] + 1]) + b"\x00" + STRICT[4:],
        bytes([0x30, 0x81, STRICT[1]]) + STRICT[2:],
        bytes([0x30, 6]) + bytes.fromhex("020100020101"),
        bytes([0x30, 6]) + bytes.fromhex("020181020101"),
        bytes([0x30, 3]) + bytes.fromhex("020101"),
        bytes([0x30, 4]) + bytes.fromhex("02010102"),
        bytes([0x30, 5]) + bytes.fromhex("0200020101"),
        bytes([0x30, 9]) + bytes.fromhex("020101020101020101"),
        bytes([0x30, 71]) + integer(1 << 500),
    ],
)
def test_der_that_is_not_strict_is_refused(answer: bytes) -> None:
    with pytest.raises(NotCanonical):
        normalise(answer, DIGEST, ADDRESS)


@given(st.one_of(st.binary(max_size=80), st.none(), st.text(max_size=3)), st.binary(max_size=66))
@settings(max_examples=200)
def test_only_bridge_errors_leave_for_any_answer(answer: Any, compact: bytes) -> None:
    for call in (
        lambda: normalise(answer, DIGEST, ADDRESS),
        lambda: from_compact(Address(compact)),
        lambda: recover_address(DIGEST, answer),
    ):
        try:
            call()
        except BridgeError:
            continue
