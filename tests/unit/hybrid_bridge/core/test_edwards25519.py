"""The curve against its own laws and against Ed25519 keys of another implementation."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_bridge.core import edwards25519 as curve
from hybrid_bridge.core import vrf
from hybrid_bridge.errors import FieldMalformed

SCALARS = st.integers(0, curve.L - 1)


def equal(a: curve.Point, b: curve.Point) -> bool:
    return curve.encode_point(a) == curve.encode_point(b)


def slow_multiple(m: int, a: curve.Point) -> curve.Point:
    total = curve.IDENTITY
    for bit in bin(m)[2:]:
        total = curve.add(total, total)
        if bit == "1":
            total = curve.add(total, a)
    return total


@given(st.binary(min_size=32, max_size=32))
@settings(max_examples=20, deadline=None)
def test_public_keys_agree_with_another_implementation(seed: bytes) -> None:
    assert vrf.public_key(seed) == Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


@given(SCALARS, SCALARS, SCALARS)
@settings(max_examples=20, deadline=None)
def test_combine_is_the_sum_of_two_plain_multiples(m: int, n: int, k: int) -> None:
    other = slow_multiple(k, curve.BASE)
    expected = curve.add(slow_multiple(m, curve.BASE), slow_multiple(n, other))
    assert equal(curve.combine(m, curve.BASE, n, other), expected)


def test_doubling_is_adding_to_itself() -> None:
    assert equal(curve.double(curve.BASE), curve.add(curve.BASE, curve.BASE))


def test_a_point_and_its_negative_are_the_identity() -> None:
    assert curve.is_identity(curve.add(curve.BASE, curve.negate(curve.BASE)))
    assert not curve.is_identity(curve.BASE)


def test_the_base_point_has_the_order_of_the_group() -> None:
    assert curve.is_identity(curve.multiply(curve.L, curve.BASE))
    assert curve.is_identity(curve.multiply(0, curve.BASE))


@given(SCALARS)
@settings(max_examples=20, deadline=None)
def test_decoding_inverts_encoding(m: int) -> None:
    point = curve.multiply(m, curve.BASE)
    assert equal(curve.decode_point(curve.encode_point(point), "p"), point)


@given(st.binary(max_size=40))
@settings(max_examples=100, deadline=None)
def test_whatever_decodes_encodes_to_the_same_bytes(data: bytes) -> None:
    point = curve.point_or_none(data)
    assert point is None or curve.encode_point(point) == data


@pytest.mark.parametrize(
    "data",
    [
        bytes(31),
        bytes(33),
        curve.P.to_bytes(32, "little"),  # y = p stands for y = 0
        (2**255 - 1).to_bytes(32, "little"),
        (1 | 1 << 255).to_bytes(32, "little"),  # x = 0 with a sign
        (2).to_bytes(32, "little"),  # no x has y = 2
    ],
)
def test_bytes_that_are_no_points_encoding_are_refused(data: bytes) -> None:
    with pytest.raises(FieldMalformed) as caught:
        curve.decode_point(data, "key")
    assert caught.value.field == "key"
