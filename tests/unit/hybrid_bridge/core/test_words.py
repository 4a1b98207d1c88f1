"""The layout of word records, from their type strings alone."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_bridge.core.encoding import type_hash
from hybrid_bridge.core.words import WordRecord
from hybrid_bridge.errors import BridgeError, RecordMalformed, WordMalformed

TYPE = "Example.v1(bytes32 logId,uint64 someSize,address guardian)"
EXAMPLE = WordRecord(TYPE)
VALUE = SimpleNamespace(log_id=b"\x01" * 32, some_size=7, guardian=b"\x02" * 20)


def test_a_type_string_gives_hash_kinds_and_names() -> None:
    assert EXAMPLE.hash == type_hash(TYPE)
    assert EXAMPLE.kinds == "bbua"
    assert EXAMPLE.names == ("log_id", "some_size", "guardian")
    assert EXAMPLE.width == 128


def test_words_lie_where_the_specification_says() -> None:
    data = EXAMPLE.encode(VALUE)
    assert data == EXAMPLE.hash + b"\x01" * 32 + bytes(31) + b"\x07" + bytes(12) + b"\x02" * 20
    assert EXAMPLE.decode(data) == vars(VALUE)


def test_a_record_of_another_type_is_refused_at_word_zero() -> None:
    with pytest.raises(WordMalformed) as caught:
        EXAMPLE.decode(bytes(32) + EXAMPLE.encode(VALUE)[32:])
    assert caught.value.index == 0


@pytest.mark.parametrize("size", [0, 32, 127, 129, 160])
def test_another_length_is_refused(size: int) -> None:
    with pytest.raises(RecordMalformed) as caught:
        EXAMPLE.decode(bytes(size))
    assert (caught.value.expected, caught.value.got) == (128, size)


def test_a_rule_that_does_not_hold_names_its_word() -> None:
    EXAMPLE.require(holds=True, name="some_size")
    with pytest.raises(WordMalformed) as caught:
        EXAMPLE.require(holds=False, name="some_size")
    assert caught.value.index == 2


@given(st.binary(min_size=96, max_size=96))
def test_decoding_is_inverted_by_encoding_or_refused(body: bytes) -> None:
    data = EXAMPLE.hash + body
    try:
        words = EXAMPLE.decode(data)
    except BridgeError:
        return
    assert EXAMPLE.encode(SimpleNamespace(**words)) == data
