"""Identity keys refuse what the library beneath would let pass. The curve arithmetic here is its own, slow and plain."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_bridge.core.encoding import Reader, Writer
from hybrid_bridge.core.keys import (
    ED25519,
    P256,
    PrivateKey,
    PublicKey,
    decode_spki,
    key_id_text,
    read_signature,
    verify_signed,
    write_signature,
)
from hybrid_bridge.errors import BridgeError, FieldMalformed, FieldMismatch, Malformed, SignatureWrong

SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
ALICE = PrivateKey.from_seed(SEED)
PETRA = PrivateKey(ec.derive_private_key(0x1234_5678_9ABC, ec.SECP256R1()))
ED_PREFIX = bytes.fromhex("302a300506032b6570032100")
P256_PREFIX = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
P256_PRIME = 2**256 - 2**224 + 2**192 + 2**96 - 1

Point = tuple[int, int]


def x_of(y: int) -> int | None:
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    for candidate in (x, x * pow(2, (P - 1) // 4, P) % P):
        if candidate * candidate % P == square:
            return candidate
    return None


def add(one: Point, other: Point) -> Point:
    (x1, y1), (x2, y2) = one, other
    product = D * x1 * x2 * y1 * y2 % P
    return (x1 * y2 + x2 * y1) * pow(1 + product, -1, P) % P, (y1 * y2 + x1 * x2) * pow(1 - product, -1, P) % P


def times(scalar: int, point: Point) -> Point:
    result = (0, 1)
    for bit in bin(scalar)[2:]:
        result = add(result, result)
        if bit == "1":
            result = add(result, point)
    return result


def encoded(point: Point) -> bytes:
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def decoded(data: bytes) -> Point:
    value = int.from_bytes(data, "little")
    y, sign = value & (1 << 255) - 1, value >> 255
    x = x_of(y)
    assert x is not None
    return (x if x & 1 == sign else P - x), y


BASE = decoded(bytes.fromhex("58" + "66" * 31))
ORDER_8 = decoded(bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"))
TORSION = [times(k, ORDER_8) for k in range(8)]


def challenge(r: bytes, a: bytes, message: bytes) -> int:
    return int.from_bytes(hashlib.sha512(r + a + message).digest(), "little") % L


def edwards_key(point: Point) -> PublicKey:
    return decode_spki(ED_PREFIX + encoded(point))


# ── Ed25519 ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_first_vector_of_rfc_8032_signs_and_verifies() -> None:
    assert ALICE.public.spki[12:].hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    signature = ALICE.sign(b"")
    assert signature.hex() == (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    )
    ALICE.public.verify(b"", signature)


def test_the_torsion_points_are_what_this_file_thinks_they_are() -> None:
    assert len(set(TORSION)) == 8
    assert times(8, ORDER_8) == (0, 1)
    assert times(L, BASE) == (0, 1)


@pytest.mark.parametrize("index", range(8))
def test_a_key_of_small_order_is_refused(index: int) -> None:
    with pytest.raises(FieldMalformed, match="small order"):
        edwards_key(TORSION[index])


@pytest.mark.parametrize("y", [1, P - 1])
def test_the_second_encoding_of_minus_zero_is_refused(y: int) -> None:
    with pytest.raises(FieldMalformed, match="small order"):
        decode_spki(ED_PREFIX + (y | 1 << 255).to_bytes(32, "little"))


@pytest.mark.parametrize("y", [P, P + 1, P + 3, 2**255 - 1])
def test_a_point_whose_y_is_not_reduced_is_refused(y: int) -> None:
    with pytest.raises(FieldMalformed, match="canonical"):
        decode_spki(ED_PREFIX + y.to_bytes(32, "little"))


def test_a_point_off_the_curve_is_refused_and_one_on_it_is_not() -> None:
    for y in range(2, 12):
        spki = ED_PREFIX + y.to_bytes(32, "little")
        if x_of(y) is None:
            with pytest.raises(FieldMalformed, match="curve"):
                decode_spki(spki)
        else:
            assert decode_spki(spki).spki == spki


def test_s_beyond_the_group_order_is_refused() -> None:
    signature = ALICE.sign(b"m")
    unreduced = int.from_bytes(signature[32:], "little") + L
    with pytest.raises(FieldMalformed, match="S < L"):
        ALICE.public.verify(b"m", signature[:32] + unreduced.to_bytes(32, "little"))


def test_an_r_that_is_not_canonical_is_refused() -> None:
    signature = ALICE.sign(b"m")
    with pytest.raises(FieldMalformed, match="R canonical"):
        ALICE.public.verify(b"m", (P + 1).to_bytes(32, "little") + signature[32:])


def test_an_r_of_small_order_is_judged_by_the_equation_alone() -> None:
    secret = int.from_bytes(hashlib.sha512(b"secret").digest(), "little") % L
    public = encoded(times(secret, BASE))
    identity = encoded((0, 1))
    s = challenge(identity, public, b"m") * secret % L
    edwards_key(decoded(public)).verify(b"m", identity + s.to_bytes(32, "little"))


def test_the_equation_is_the_cofactorless_one() -> None:
    """With a key of mixed order the cofactored equation holds for every r, ours only where 8 divides the challenge."""
    secret = int.from_bytes(hashlib.sha512(b"mixed").digest(), "little") % L
    public = encoded(add(times(secret, BASE), ORDER_8))
    key = edwards_key(decoded(public))
    verdicts = set()
    for nonce in range(1, 40):
        r = encoded(times(nonce, BASE))
        h = challenge(r, public, b"m")
        signature = r + ((nonce + h * secret) % L).to_bytes(32, "little")
        if h % 8 == 0:
            key.verify(b"m", signature)
        else:
            with pytest.raises(SignatureWrong):
                key.verify(b"m", signature)
        verdicts.add(h % 8 == 0)
        if verdicts == {True, False}:
            return
    pytest.fail("no challenge divisible by eight among these nonces")


# ── P-256 ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("number", range(12))
def test_p256_signatures_have_low_s_and_repeat(number: int) -> None:
    message = bytes([number])
    signature = PETRA.sign(message)
    assert len(signature) == 64
    assert int.from_bytes(signature[32:], "big") <= N // 2
    assert PETRA.sign(message) == signature
    PETRA.public.verify(message, signature)


def test_the_high_twin_of_a_signature_is_refused() -> None:
    signature = PETRA.sign(b"m")
    twin = N - int.from_bytes(signature[32:], "big")
    with pytest.raises(FieldMalformed, match="n/2"):
        PETRA.public.verify(b"m", signature[:32] + twin.to_bytes(32, "big"))


@pytest.mark.parametrize(("r", "s"), [(0, 1), (1, 0), (N, 1), (2**256 - 1, 1), (1, N // 2 + 1), (1, N)])
def test_numbers_outside_the_range_are_refused(r: int, s: int) -> None:
    with pytest.raises(FieldMalformed, match="signature"):
        PETRA.public.verify(b"m", r.to_bytes(32, "big") + s.to_bytes(32, "big"))


def test_numbers_at_the_edge_of_the_range_are_merely_wrong() -> None:
    with pytest.raises(SignatureWrong):
        PETRA.public.verify(b"m", (N - 1).to_bytes(32, "big") + (N // 2).to_bytes(32, "big"))


def test_a_point_off_p256_is_refused() -> None:
    spki = bytearray(PETRA.public.spki)
    spki[-1] ^= 1
    with pytest.raises(FieldMalformed, match="P-256"):
        decode_spki(bytes(spki))


def test_a_coordinate_that_is_not_reduced_is_refused() -> None:
    x = 5
    y2 = (x**3 - 3 * x + 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B) % P256_PRIME
    y = pow(y2, (P256_PRIME + 1) // 4, P256_PRIME)
    assert y * y % P256_PRIME == y2
    good, bad = (P256_PREFIX + v.to_bytes(32, "big") + y.to_bytes(32, "big") for v in (x, x + P256_PRIME))
    assert decode_spki(good).scheme == P256
    with pytest.raises(FieldMalformed, match="P-256"):
        decode_spki(bad)


def test_a_compressed_point_is_refused() -> None:
    spki = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200") + b"\x02" + PETRA.public.spki[27:59]
    assert len(spki) == 59
    with pytest.raises(FieldMalformed, match="uncompressed"):
        decode_spki(spki)
    padded = P256_PREFIX[:-1] + b"\x02" + PETRA.public.spki[27:59] + bytes(32)
    with pytest.raises(FieldMalformed, match="uncompressed"):
        decode_spki(padded)


# ── both ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("key", [ALICE, PETRA], ids=["ed25519", "p256"])
def test_a_signature_holds_for_its_key_and_its_message_only(key: PrivateKey) -> None:
    signature = key.sign(b"message")
    key.public.verify(b"message", signature)
    with pytest.raises(SignatureWrong) as caught:
        key.public.verify(b"massage", signature)
    assert caught.value.signer == key_id_text(key.public.key_id)
    other = PrivateKey.from_seed(bytes(32)) if key is ALICE else PrivateKey(ec.derive_private_key(7, ec.SECP256R1()))
    with pytest.raises(SignatureWrong):
        other.public.verify(b"message", signature)


@pytest.mark.parametrize("key", [ALICE, PETRA], ids=["ed25519", "p256"])
@pytest.mark.parametrize("length", [0, 63, 65])
def test_a_signature_of_another_length_is_malformed(key: PrivateKey, length: int) -> None:
    with pytest.raises(FieldMalformed, match="64"):
        key.public.verify(b"m", bytes(length))


@pytest.mark.parametrize("key", [ALICE, PETRA], ids=["ed25519", "p256"])
def test_a_private_key_shows_its_key_id_and_nothing_else(key: PrivateKey) -> None:
    assert repr(key) == str(key) == f"PrivateKey({key_id_text(key.public.key_id)})"
    assert SEED.hex() not in repr(vars(type(key)))


def test_a_seed_of_another_length_is_refused_without_being_shown() -> None:
    with pytest.raises(FieldMalformed) as caught:
        PrivateKey.from_seed(SEED[:31])
    assert SEED[:31].hex() not in str(caught.value)


def test_a_key_of_another_curve_is_refused() -> None:
    with pytest.raises(FieldMalformed, match="Ed25519 or P-256"):
        PrivateKey(ec.derive_private_key(5, ec.SECP384R1()))


def test_a_private_key_can_wrap_one_that_was_loaded_elsewhere() -> None:
    assert PrivateKey(ed25519.Ed25519PrivateKey.from_private_bytes(SEED)).public == ALICE.public


def test_scheme_and_encoding_must_agree() -> None:
    for scheme, spki in ((P256, ALICE.public.spki), (ED25519, PETRA.public.spki), (0x0804, ALICE.public.spki)):
        with pytest.raises(FieldMalformed):
            PublicKey(scheme, spki)
    assert PublicKey(ED25519, bytearray(ALICE.public.spki)) == ALICE.public


@given(st.sampled_from([ALICE.public.spki, PETRA.public.spki]), st.integers(0, 90), st.integers(0, 255))
@settings(max_examples=150)
def test_a_changed_key_is_refused_or_is_another_key(spki: bytes, at: int, byte: int) -> None:
    changed = bytearray(spki)
    changed[at % len(spki)] = byte
    try:
        key = decode_spki(bytes(changed))
    except Malformed:
        return
    assert key.spki == changed


@given(st.binary(max_size=100))
def test_arbitrary_bytes_leave_no_foreign_error(data: bytes) -> None:
    for spki in (data, ED_PREFIX + data[:32].ljust(32, b"\x01"), P256_PREFIX + data[:64].ljust(64, b"\x01")):
        try:
            key = decode_spki(spki)
            key.verify(data, data[:64].ljust(64, b"\x01"))
        except BridgeError:
            continue


# ── a signature beside a struct ──────────────────────────────────────────────────────────────────────────────────────


def test_scheme_and_signature_round_trip_in_66_bytes() -> None:
    data = write_signature(Writer(), P256, bytes(range(64))).bytes()
    assert len(data) == 66
    assert read_signature(Reader(data)) == (P256, bytes(range(64)))


def test_an_unknown_scheme_is_neither_written_nor_read() -> None:
    with pytest.raises(FieldMalformed, match="scheme"):
        write_signature(Writer(), 0x0804, bytes(64))
    with pytest.raises(FieldMalformed, match="scheme"):
        read_signature(Reader(b"\x08\x04" + bytes(64)))


def test_a_named_signer_is_held_to_key_and_scheme() -> None:
    signature = ALICE.sign(b"m")
    verify_signed(ALICE.public, ALICE.public.key_id, ED25519, b"m", signature)
    with pytest.raises(FieldMismatch, match="signer"):
        verify_signed(PETRA.public, ALICE.public.key_id, ED25519, b"m", signature)
    with pytest.raises(FieldMismatch, match="scheme"):
        verify_signed(ALICE.public, ALICE.public.key_id, P256, b"m", signature)
    with pytest.raises(SignatureWrong):
        verify_signed(ALICE.public, ALICE.public.key_id, ED25519, b"n", signature)
