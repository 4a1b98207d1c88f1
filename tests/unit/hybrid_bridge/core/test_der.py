"""DER is read strictly: one value, one encoding."""

from contextlib import suppress

import pytest
from asn1crypto import core
from hypothesis import given
from hypothesis import strategies as st

from hybrid_bridge.core.der import INTEGER, OCTETS, OID, SEQUENCE, TIME, DerReader, der, der_integer, der_oid
from hybrid_bridge.errors import FieldMalformed, NotCanonical, TrailingBytes, Truncated


def reader(data: bytes) -> DerReader:
    return DerReader(data, "x")


@given(st.integers(0, 2**300))
def test_an_integer_is_read_back_and_is_what_others_write(value: int):
    assert reader(der_integer(value)).integer() == value
    assert der_integer(value) == core.Integer(value).dump()


@given(st.integers(-(2**300), -1))
def test_a_negative_integer_of_others_is_read(value: int):
    assert reader(core.Integer(value).dump()).integer() == value


@pytest.mark.parametrize("oid", ["1.2.840.113549.1.9.16.1.4", "2.16.840.1.101.3.4.2.1", "0.9", "1.39.128", "2.999.3"])
def test_an_object_identifier_is_read_back(oid: str):
    assert reader(der_oid(oid)).oid() == oid
    assert der_oid(oid) == core.ObjectIdentifier(oid).dump()


@pytest.mark.parametrize("size", [0, 127, 128, 255, 256, 65_535, 65_536])
def test_a_length_is_read_back(size: int):
    element = reader(der(OCTETS, bytes(size))).take(OCTETS)
    assert (len(element.content), element.whole) == (size, core.OctetString(bytes(size)).dump())


@pytest.mark.parametrize(
    "data",
    [
        b"\x04\x80\x00\x00",  # indefinite
        b"\x04\x81\x7f" + bytes(127),  # would fit into one byte
        b"\x04\x82\x00\x80" + bytes(128),
        b"\x04\x85\x00\x00\x00\x00\x01\x00",  # longer than any token
        b"\x04\x82\x01",  # cut off
        b"\x04",
    ],
)
def test_a_length_that_is_not_the_least_is_refused(data: bytes):
    with pytest.raises(NotCanonical):
        reader(data).take(OCTETS)


def test_content_that_is_cut_off_is_refused():
    with pytest.raises(Truncated) as caught:
        reader(b"\x04\x05abc").take(OCTETS)
    assert (caught.value.needed, caught.value.got) == (5, 3)


def test_another_tag_and_none_are_refused():
    for data in (b"\x02\x01\x00", b""):
        with pytest.raises(FieldMalformed):
            reader(data).take(OCTETS)


def test_what_follows_is_refused():
    with pytest.raises(TrailingBytes) as caught:
        reader(b"\x00").end()
    assert caught.value.count == 1


@pytest.mark.parametrize("content", [b"\x00\x01", b"\xff\xff", b"\x00\x7f"])
def test_an_integer_with_a_byte_too_many_is_refused(content: bytes):
    with pytest.raises(NotCanonical):
        reader(der(INTEGER, content)).integer()


@pytest.mark.parametrize("content", [b"", bytes([1]) * 65])
def test_an_integer_of_no_or_too_many_bytes_is_refused(content: bytes):
    with pytest.raises(FieldMalformed):
        reader(der(INTEGER, content)).integer()


@pytest.mark.parametrize("content", [b"", b"\x2a\x80", b"\x2a\x80\x01", b"\x2a" * 65])
def test_an_object_identifier_that_is_none_is_refused(content: bytes):
    with pytest.raises(FieldMalformed):
        reader(der(OID, content)).oid()


def test_a_flag_is_left_out_or_true():
    assert reader(b"\x01\x01\xff").flag()
    assert not reader(b"").flag()
    for content in (b"\x00", b"\x01", b""):
        with pytest.raises(NotCanonical):
            reader(der(0x01, content)).flag()


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("19700101000000Z", 0),
        ("20270115080000Z", 1_800_000_000 * 10**9),
        ("20270115080000.5Z", 1_800_000_000 * 10**9 + 5 * 10**8),
        ("20270115080000.000000001Z", 1_800_000_000 * 10**9 + 1),
        ("99991231235959Z", 253_402_300_799 * 10**9),
    ],
)
def test_a_time_is_read(text: str, nanoseconds: int):
    assert reader(der(TIME, text.encode())).nanoseconds() == nanoseconds


@pytest.mark.parametrize(
    "text",
    ["19691231235959Z", "20270115080000", "20270115080000.50Z", "20270115080000.Z", "20270115080060Z", "20270230080000Z",
     "2027011508Z", "20270115080000+0100", "20270115080000,5Z", "\uff12\uff10270115080000Z", "20270115080000.1234567891Z"],
)  # fmt: skip
def test_a_time_in_another_spelling_is_refused(text: str):
    with pytest.raises(FieldMalformed):
        reader(der(TIME, text.encode())).nanoseconds()


@given(st.binary(max_size=64))
def test_bytes_at_random_raise_nothing_else(data: bytes):
    read = reader(data)
    for take in (read.integer, read.oid, read.flag, read.nanoseconds, lambda: read.inside(SEQUENCE), read.end):
        with suppress(FieldMalformed, NotCanonical, TrailingBytes, Truncated):
            take()
