"""The curve by libsodium against the slow one, for every kind of point and number, and against another's keys."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_bridge.core import edwards25519 as curve
from hybrid_bridge.core import vrf
from tests.vectors import curve as slow

PRIME = st.integers(0, slow.L - 1).map(lambda m: slow.multiply(m, slow.BASE))
POINTS = st.builds(slow.add, PRIME | st.just(slow.IDENTITY), st.sampled_from(slow.SMALL))
NUMBERS = st.integers(0, 2**255 - 1) | st.sampled_from([0, 1, 8, slow.L - 1, slow.L, 2 * slow.L, 7 * slow.L])
encode = slow.encode_point


def scalar(number: int) -> bytes:
    return number.to_bytes(32, "little")


@given(st.binary(min_size=32, max_size=32))
@settings(max_examples=20, deadline=None)
def test_public_keys_agree_with_another_implementation(seed: bytes) -> None:
    assert vrf.public_key(seed) == Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


@given(POINTS, POINTS)
@settings(max_examples=40, deadline=None)
def test_sums_and_differences_of_any_two_points(a: slow.Point, b: slow.Point) -> None:
    assert curve.add(encode(a), encode(b)) == encode(slow.add(a, b))
    assert curve.subtract(encode(a), encode(b)) == encode(slow.add(a, slow.negate(b)))


@given(NUMBERS, POINTS)
@settings(max_examples=60, deadline=None)
def test_multiples_of_any_point(number: int, point: slow.Point) -> None:
    assert curve.times(scalar(number), encode(point)) == encode(slow.multiply(number, point))


@pytest.mark.parametrize("number", [0, 1, 2, 3, 4, 5, 8, slow.L, slow.L + 1, 2**255 - 1])
@pytest.mark.parametrize("torsion", range(8))
def test_multiples_of_points_of_small_and_mixed_order(number: int, torsion: int) -> None:
    for point in (slow.SMALL[torsion], slow.add(slow.BASE, slow.SMALL[torsion])):
        assert curve.times(scalar(number), encode(point)) == encode(slow.multiply(number, point))


@given(st.integers(0, slow.L - 1) | st.just(0))
@settings(max_examples=20, deadline=None)
def test_multiples_of_the_base_point(number: int) -> None:
    assert curve.times_base(scalar(number)) == encode(slow.multiply(number, slow.BASE))


def test_no_multiple_of_the_base_point_is_the_identity() -> None:
    assert curve.times_base(bytes(32)) == curve.IDENTITY == encode(slow.IDENTITY)


@given(POINTS.map(encode) | st.binary(min_size=32, max_size=32) | st.binary(max_size=40))
@settings(max_examples=200, deadline=None)
def test_bytes_that_encode_a_point_and_eight_times_it(data: bytes) -> None:
    point = slow.point_or_none(data)
    assert curve.times_cofactor(data) == (None if point is None else encode(slow.times_cofactor(point)))
    assert point is None or encode(point) == data


@pytest.mark.parametrize("y", [*range(20), *range(slow.P - 20, slow.P + 19)])
@pytest.mark.parametrize("sign", [0, 1])
def test_every_encoding_at_the_edges_of_the_field(y: int, sign: int) -> None:
    data = (y | sign << 255).to_bytes(32, "little")
    point = slow.point_or_none(data)
    assert curve.times_cofactor(data) == (None if point is None else encode(slow.times_cofactor(point)))


@given(st.binary(max_size=64), st.integers(0, 2**256 - 1), st.integers(0, 2**256 - 1), st.integers(0, slow.L - 1))
@settings(max_examples=60, deadline=None)
def test_arithmetic_of_scalars(number: bytes, a: int, b: int, c: int) -> None:
    assert curve.scalar_of(number) == scalar(int.from_bytes(number, "little") % slow.L)
    assert curve.multiply_add(scalar(a), scalar(b), scalar(c)) == scalar((a * b + c) % slow.L)
