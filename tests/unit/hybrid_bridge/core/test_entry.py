"""The 37 bytes: one encoding for each entry, and no way to pass one kind off as another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_bridge.core.entry import (
    DecoyEntry,
    Entry,
    RecordEntry,
    RefusalEntry,
    decode_entry,
    decode_record_entry,
    entry_leaf,
    require_width,
)
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.errors import DigestLength, EntryMalformed, Malformed, TrailingBytes, Truncated

ROOT = bytes(range(32))
RECORD = RecordEntry(0x0101, 8, ROOT)

digests = st.binary(min_size=32, max_size=32)
entries = st.one_of(
    st.builds(RecordEntry, st.integers(1, 0xFFFE), st.sampled_from([2**k for k in range(3, 11)]), digests),
    st.builds(RefusalEntry, digests),
    st.builds(DecoyEntry, digests),
)


@given(entries)
def test_every_entry_comes_back_from_its_37_bytes(entry: Entry) -> None:
    data = entry.encode()
    assert len(data) == 37
    assert decode_entry(data) == entry
    assert entry_leaf(data) == leaf_hash(data)


@given(st.one_of(st.binary(max_size=40), st.binary(min_size=37, max_size=37)))
def test_what_decodes_encodes_to_the_same_bytes(data: bytes) -> None:
    try:
        entry = decode_entry(data)
    except Malformed:
        return
    assert entry.encode() == data


@given(entries, st.integers(0, 4), st.integers(0, 255))
def test_a_changed_head_is_refused_or_is_another_entry(entry: Entry, at: int, byte: int) -> None:
    data = bytearray(entry.encode())
    data[at] = byte
    try:
        assert decode_entry(bytes(data)).encode() == data
    except EntryMalformed:
        return


def changed(at: int, new: bytes, entry: Entry = RECORD) -> bytes:
    data = bytearray(entry.encode())
    data[at : at + len(new)] = new
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        pytest.param(DecoyEntry(ROOT).encode(), EntryMalformed, id="decoy-shown-as-record"),
        pytest.param(RefusalEntry(ROOT).encode(), EntryMalformed, id="refusal-shown-as-record"),
        pytest.param(RECORD.encode()[:36], Truncated, id="36-bytes"),
        pytest.param(RECORD.encode() + b"\x00", TrailingBytes, id="38-bytes"),
        pytest.param(changed(3, b"\x00\x09"), EntryMalformed, id="width-not-power-of-two"),
        pytest.param(changed(3, b"\x00\x04"), EntryMalformed, id="width-below-8"),
        pytest.param(changed(3, b"\x08\x00"), EntryMalformed, id="width-above-1024"),
        pytest.param(changed(1, b"\x00\x00"), EntryMalformed, id="type-zero"),
        pytest.param(changed(1, b"\xff\xff"), EntryMalformed, id="type-all-ones"),
        pytest.param(changed(0, b"\x03"), EntryMalformed, id="unknown-first-byte"),
        pytest.param(changed(1, b"\x01", RefusalEntry(ROOT)), EntryMalformed, id="refusal-with-type"),
        pytest.param(changed(3, b"\x08", DecoyEntry(ROOT)), EntryMalformed, id="decoy-with-width"),
        pytest.param(b"", Truncated, id="empty"),
    ],
)
def test_no_record_comes_from(data: bytes, error: type[Malformed]) -> None:
    with pytest.raises(error):
        decode_record_entry(data)


def test_a_record_is_a_record() -> None:
    assert decode_record_entry(RECORD.encode()) == RECORD


def test_an_entry_that_no_bytes_could_give_cannot_be_made() -> None:
    with pytest.raises(DigestLength):
        RecordEntry(1, 8, b"")
    with pytest.raises(DigestLength):
        RefusalEntry(bytes(31))
    with pytest.raises(DigestLength):
        DecoyEntry(bytes(33))
    with pytest.raises(EntryMalformed):
        RecordEntry(0x10000, 8, ROOT)


@pytest.mark.parametrize("width", [-8, 0, 1, 4, 7, 9, 24, 2048])
def test_a_width_is_a_power_of_two_between_8_and_1024(width: int) -> None:
    with pytest.raises(EntryMalformed):
        require_width(width)


def test_the_leaf_of_no_entry_is_not_hashed() -> None:
    with pytest.raises(Malformed):
        entry_leaf(bytes(36))
