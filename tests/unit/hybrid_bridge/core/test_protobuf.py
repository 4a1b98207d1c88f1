import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.protobuf.wrappers_pb2 import BytesValue, Int64Value, UInt64Value
from hypothesis import given
from hypothesis import strategies as st

from hybrid_bridge.core import protobuf as pb
from hybrid_bridge.errors import FieldMalformed
from hybrid_bridge.rpc.cometbft.tendermint.types.canonical_pb2 import CanonicalProposal


@given(st.integers(-(2**63), 2**63 - 1))
def test_integers_are_written_as_the_generated_code_writes_them(value: int) -> None:
    assert pb.number(1, value) == Int64Value(value=value).SerializeToString()
    assert pb.fixed64(2, value) == CanonicalProposal(height=value).SerializeToString()


@given(st.integers(0, 2**64 - 1), st.binary(max_size=300))
def test_unsigned_integers_and_bytes_too(value: int, data: bytes) -> None:
    assert pb.number(1, value) == UInt64Value(value=value).SerializeToString()
    assert pb.octets(1, data) == BytesValue(value=data).SerializeToString()


@given(st.integers(-62_135_596_800, 253_402_300_799), st.integers(0, 10**9 - 1))
def test_a_message_in_a_message(seconds: int, nanos: int) -> None:
    inner = pb.number(1, seconds) + pb.number(2, nanos)
    message = CanonicalProposal(timestamp=Timestamp(seconds=seconds, nanos=nanos))
    assert pb.message(6, inner) == message.SerializeToString()


def test_a_message_stands_even_where_it_is_empty() -> None:
    assert pb.message(2, b"") == b"\x12\x00"
    assert pb.octets(2, b"") == b""


@pytest.mark.parametrize("value", [1 << 64, -(1 << 63) - 1])
def test_what_has_no_64_bits_is_refused(value: int) -> None:
    with pytest.raises(FieldMalformed):
        pb.varint(value)
    with pytest.raises(FieldMalformed):
        pb.fixed64(1, value)


def test_a_signed_number_of_eight_bytes_has_a_sign() -> None:
    with pytest.raises(FieldMalformed):
        pb.fixed64(1, 1 << 63)
