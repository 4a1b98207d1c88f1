import pytest
import rlp as oracle
from hypothesis import given
from hypothesis import strategies as st

from hybrid_bridge.core.rlp import MAX_DEPTH, Rlp, bytes_of, decode_rlp, encode_rlp, list_of, uint_bytes, uint_of
from hybrid_bridge.errors import BridgeError, FieldMalformed, NotCanonical, TooLong, TrailingBytes, Truncated

values = st.recursive(st.binary(max_size=70), lambda inner: st.lists(inner, max_size=5), max_leaves=12)


@given(values)
def test_what_is_written_is_read_back_and_equals_an_independent_encoder(value: Rlp) -> None:
    data = encode_rlp(value)
    assert decode_rlp(data, "x", 10_000) == value
    assert data == oracle.encode(value)


@given(st.binary(max_size=40))
def test_arbitrary_bytes_are_refused_or_are_the_one_encoding_of_their_value(data: bytes) -> None:
    try:
        value = decode_rlp(data, "x", 40)
    except BridgeError:
        return
    assert encode_rlp(value) == data


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", Truncated),
        (b"\x81\x7f", NotCanonical),  # a byte below 0x80 stands for itself
        (b"\xb8\x37" + bytes(55), NotCanonical),  # 55 bytes need no long form
        (b"\xb9\x00\x38" + bytes(56), NotCanonical),  # a length with a leading zero
        (b"\xb8\x00", NotCanonical),
        (b"\xf8\x01\x01", NotCanonical),
        (b"\x82a", Truncated),
        (b"\xb9\x01", Truncated),
        (b"\xb8", Truncated),
        (b"\xc2\x01", Truncated),
        (b"\xc2\x82a", Truncated),  # the inner item ends after its list
        (b"\xc1\xb8\x38" + bytes(56), Truncated),
        (b"\xbf" + b"\xff" * 8, Truncated),
        (b"\x01\x01", TrailingBytes),
        (b"\xc0\xc0", TrailingBytes),
        (b"\xc0" * 101, TooLong),
    ],
)
def test_each_way_of_being_malformed_has_its_own_error(data: bytes, error: type[BridgeError]) -> None:
    with pytest.raises(error):
        decode_rlp(data, "x", 100)


def test_nesting_is_bounded() -> None:
    deep: list[Rlp] = []
    for _ in range(MAX_DEPTH - 1):
        deep = [deep]
    assert decode_rlp(encode_rlp(deep), "x", 100) == deep
    with pytest.raises(FieldMalformed):
        decode_rlp(encode_rlp([deep]), "x", 100)


@given(st.integers(0, 2**53 - 1))
def test_integers_have_no_leading_zeros(number: int) -> None:
    assert uint_of(uint_bytes(number), "n") == number


@pytest.mark.parametrize("value", [b"\x00", b"\x00\x01", [], b"\x20" + bytes(6), b"\xff" * 33])
def test_an_integer_that_is_none_or_too_large_is_refused(value: Rlp) -> None:
    with pytest.raises(FieldMalformed):
        uint_of(value, "n")


def test_shapes_are_checked() -> None:
    assert bytes_of(b"ab", 2, "x") == b"ab"
    assert list_of([b"a"], 1, 2, "x") == [b"a"]
    for value in (list[Rlp](), b"abc"):
        with pytest.raises(FieldMalformed):
            bytes_of(value, 2, "x")
    for value in (b"", list[Rlp]([b""] * 3)):
        with pytest.raises(FieldMalformed):
            list_of(value, 0, 2, "x")
