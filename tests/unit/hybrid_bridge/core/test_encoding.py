import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_bridge.core.encoding import (
    ZERO,
    Reader,
    Writer,
    b64u,
    canonical_json,
    context,
    pack_words,
    parse_b64u,
    parse_canonical_json,
    require_digest,
    sha256,
    type_hash,
    unpack_words,
)
from hybrid_bridge.errors import (
    BridgeError,
    DigestLength,
    FieldMalformed,
    Malformed,
    NotCanonical,
    RecordMalformed,
    TooLong,
    TrailingBytes,
    Truncated,
    WordMalformed,
)
from hybrid_bridge.units import MAX_U64

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-MAX_U64, MAX_U64) | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=6,
)


def nesting(value):
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return (1 if isinstance(value, dict | list) else 0) + max(map(nesting, inner), default=0)


# ── JSON ─────────────────────────────────────────────────────────────────────


@given(JSON.filter(lambda value: nesting(value) <= 8))
def test_canonical_json_reads_back_as_the_same_value(value):
    data = canonical_json(value)
    assert parse_canonical_json(data, "x", 1 << 20) == value
    assert json.loads(data) == value


def test_keys_are_sorted_by_utf16_and_escapes_are_the_shortest():
    # RFC 8785 §3.2.3: the order of its own example, which differs from code points for the last two
    value = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\x80": 6, "\xf6": 7}
    assert list(json.loads(canonical_json(value)).values()) == [2, 4, 6, 7, 1, 5, 3]
    assert canonical_json('"\\\b\f\n\r\t\x00\x1f/\x7f') == b'"\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u001f/\x7f"'


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1,"a":1}', b'{"b":1,"a":1}', b'{"a": 1}', b' {"a":1}', b'{"a":1}\n', b'"\\u0041"', b'"\\/"', b"1.0", b"1e3",
        b"-0", b"01", b"NaN", b"Infinity", b"\xef\xbb\xbf{}", b"\xff", b"", b"{", b"[1,]", b"'a'", b"tru", b'"\x00"', b'"\\ud800"',
        b"9" * 5000,
    ],
)  # fmt: skip
def test_another_spelling_of_a_value_is_refused(data):
    with pytest.raises(Malformed):
        parse_canonical_json(data, "x", 1 << 20)


@pytest.mark.parametrize(
    "value", [MAX_U64 + 1, -MAX_U64 - 1, 1.5, {"a": float("nan")}, "\ud800", {1: 2}, b"bytes", [[[[[[[[[]]]]]]]]]]
)
def test_a_value_outside_our_set_cannot_be_written(value):
    with pytest.raises(FieldMalformed):
        canonical_json(value)


def test_depth_and_length_are_bounded_before_parsing():
    assert parse_canonical_json(b"[" * 8 + b"]" * 8, "x", 100) is not None
    for data in (b"[" * 9 + b"]" * 9, b"[" * 100_000, b'{"a":' * 50_000):
        with pytest.raises(FieldMalformed):
            parse_canonical_json(data, "x", 1 << 20)
    assert parse_canonical_json(b'"[[[[[[[[[[{{{{\\"[[["', "x", 100) == '[[[[[[[[[[{{{{"[[['
    with pytest.raises(TooLong):
        parse_canonical_json(b" " * 101, "x", 100)


@given(st.binary(max_size=60) | st.text(alphabet='[]{}",:\\u0 1ae-+.', max_size=30).map(str.encode))
def test_only_malformed_leaves_the_json_parser(data):
    with contextlib.suppress(Malformed):
        assert canonical_json(parse_canonical_json(data, "x", 50)) == data


# ── base64url ────────────────────────────────────────────────────────────────


@given(st.binary(max_size=70))
def test_base64url_is_its_own_inverse(data):
    assert parse_b64u(b64u(data), "x") == data


@pytest.mark.parametrize("text", ["A", "AB==", "AA=", "AB", "A A", "AA\n", "+w", "/w", "Aé", "AAA=A", "AAAA="])
def test_another_base64_is_refused(text):
    with pytest.raises(NotCanonical):
        parse_b64u(text, "x")


# ── structs ──────────────────────────────────────────────────────────────────


def test_a_struct_reads_back_field_by_field():
    data = Writer(b"").u8(1, "a").u16(2, "b").u32(3, "c").u64(4, "d").b32(ZERO, "e").opaque(b"xyz", 2, "f").bytes()
    reader = Reader(data)
    assert (reader.u8("a"), reader.u16("b"), reader.u32("c"), reader.u64("d"), reader.b32("e")) == (1, 2, 3, 4, ZERO)
    assert reader.opaque(2, "f", 3) == b"xyz"
    assert reader.position == len(data)
    reader.end("all")


@pytest.mark.parametrize(("value", "width"), [(256, 1), (-1, 1), (MAX_U64 + 1, 8), (True, 1)])
def test_an_integer_that_does_not_fit_is_refused(value, width):
    with pytest.raises(FieldMalformed):
        Writer().uint(value, width, "x")


def test_a_reader_refuses_what_is_short_long_or_too_large():
    with pytest.raises(Truncated) as short:
        Reader(b"\x01").u16("x")
    assert (short.value.needed, short.value.got) == (2, 1)
    with pytest.raises(TrailingBytes) as long:
        Reader(b"\x01").end("x")
    assert long.value.count == 1
    with pytest.raises(FieldMalformed):
        Reader(b"\xff" * 8).u64("x")
    with pytest.raises(TooLong):
        Reader(b"\xff\xff").opaque(2, "x", 10)
    with pytest.raises(FieldMalformed):
        Writer().b32(b"short", "x")


# ── words ────────────────────────────────────────────────────────────────────


@given(st.integers(0, MAX_U64), st.binary(min_size=20, max_size=20), st.binary(min_size=32, max_size=32))
def test_words_read_back(number, address, digest):
    data = pack_words("uab", [number, address, digest])
    assert len(data) == 96
    assert list(unpack_words("uab", data)) == [number, address, digest]


@pytest.mark.parametrize(
    ("kinds", "value"),
    [("u", MAX_U64 + 1), ("u", -1), ("u", True), ("u", b"x" * 32), ("b", b"x"), ("a", b"x" * 32), ("b", 5)],
)
def test_a_word_of_another_kind_is_refused(kinds, value):
    with pytest.raises(WordMalformed):
        pack_words(kinds, [value])


@pytest.mark.parametrize(
    ("kinds", "data"),
    [("u", b"\x01" + bytes(31)), ("u", bytes(24) + b"\xff" * 8), ("a", bytes(11) + b"\x01" + bytes(20))],
)
def test_pad_bytes_and_large_numbers_are_refused(kinds, data):
    with pytest.raises(WordMalformed) as caught:
        unpack_words("b" + kinds, bytes(32) + data)
    assert caught.value.index == 1


def test_a_record_of_another_length_is_refused():
    with pytest.raises(RecordMalformed):
        unpack_words("bb", bytes(63))


@given(st.binary(max_size=100))
def test_only_our_errors_leave_the_word_reader(data):
    with contextlib.suppress(BridgeError):
        assert pack_words("uab", list(unpack_words("uab", data))) == data


# ── hashes ───────────────────────────────────────────────────────────────────


def test_the_hash_layer_is_sha256_with_context_prefixes():
    assert sha256(b"abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert context("transaction") == b"hybrid-bridge/v1/transaction\x00"
    known = "6e87e25102f736f98f729108d5f951d38fcf55272a1142e71025e0ff9f4094b8"  # SPEC §17
    assert type_hash("HybridBridge.ValidatorSet.v1(uint64 setId,uint64 n)").hex() == known


def test_a_digest_has_32_bytes():
    assert require_digest(bytes(32), "x") == ZERO
    with pytest.raises(DigestLength):
        require_digest(bytes(31), "x")


@pytest.mark.parametrize("value", [37, None, "text", [1, 2]])
def test_what_is_no_byte_string_is_refused_and_never_taken_for_zeros(value):
    with pytest.raises(FieldMalformed):
        Reader(value)
    with pytest.raises(FieldMalformed):
        require_digest(value, "x")
