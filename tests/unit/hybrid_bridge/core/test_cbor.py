"""The strict reader of CBOR: what it takes is what cbor2 writes canonically, and nothing else."""

import time

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_bridge.core.cbor import MAX_DEPTH, decode
from hybrid_bridge.errors import BridgeError, FieldMalformed, NotCanonical

NUMBERS = st.integers(-(2**64), 2**64 - 1)
VALUES = st.recursive(
    st.none() | NUMBERS | st.binary(max_size=40) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NUMBERS | st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


def depth(value) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


@given(VALUES.filter(lambda value: depth(value) <= MAX_DEPTH))
def test_what_is_written_in_the_one_encoding_is_read(value):
    assert decode(_sorted(value), "x") == value


def _sorted(value) -> bytes:
    """Keys in the order of their bytes (RFC 8949 §4.2.1); cbor2's canonical order is by length first (RFC 7049)."""
    if isinstance(value, dict):
        rows = sorted(_sorted(key) + _sorted(inner) for key, inner in value.items())
        return bytes([0xA0 + len(rows)]) + b"".join(rows)
    if isinstance(value, list):
        return bytes([0x80 + len(value)]) + b"".join(map(_sorted, value))
    return cbor2.dumps(value)


@given(st.binary(max_size=60))
def test_any_bytes_are_one_value_in_its_one_encoding_or_are_refused(data):
    try:
        value = decode(data, "x")
    except BridgeError:
        return
    assert _sorted(value) == data


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", NotCanonical),
        (b"\x18", NotCanonical),
        (b"\x18\x17", NotCanonical),
        (b"\x19\x00\xff", NotCanonical),
        (b"\x1a\x00\x00\xff\xff", NotCanonical),
        (b"\x1b\x00\x00\x00\x00\xff\xff\xff\xff", NotCanonical),
        (b"\x1c", NotCanonical),
        (b"\x5f\x41a\xff", NotCanonical),
        (b"\x9f\xff", NotCanonical),
        (b"\xff", NotCanonical),
        (b"\x42a", NotCanonical),
        (b"\x61\xff", NotCanonical),
        (b"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff", NotCanonical),
        (b"\x9b\x00\x00\x01\x00\x00\x00\x00\x00", NotCanonical),
        (b"\xa2\x02\x00\x01\x00", NotCanonical),
        (b"\xa2\x01\x00\x01\x00", NotCanonical),
        (b"\x81" * (MAX_DEPTH + 1) + b"\x00", NotCanonical),
        (b"\xa1\x80\x00", NotCanonical),
        (b"\xa1\x41a\x00", FieldMalformed),
        (b"\xa1\xf6\x00", FieldMalformed),
        (b"\xf5", FieldMalformed),
        (b"\xf8\x16", FieldMalformed),
        (b"\xf9\x00\x16", FieldMalformed),
        (b"\xe0", FieldMalformed),
        (b"\xf9\x7e\x00", FieldMalformed),
        (b"\xc1\x00", FieldMalformed),
        (b"\xd2\x00", FieldMalformed),
        (b"\xd8\x23\x61(", FieldMalformed),
    ],
)
def test_other_bytes_are_refused(data, error):
    with pytest.raises(error):
        decode(data, "x")


def test_a_tag_is_taken_where_it_is_asked_for_and_once():
    assert decode(b"\xd2\x80", "x", 18) == []
    for data in (b"\x80", b"\xd1\x80", b"\xd2\xd2\x80", b"\x12\x80", b"\xd2\x80\x00", b"\xd8\x12\x80"):
        with pytest.raises(BridgeError):
            decode(data, "x", 18)


def test_a_tag_that_others_compile_as_a_regular_expression_costs_nothing():
    began = time.process_time()
    for size in (100, 4000):
        with pytest.raises(FieldMalformed):
            decode(cbor2.dumps(cbor2.CBORTag(35, "(?:" * (size // 3))), "x")
    assert time.process_time() - began < 1
