"""The three payloads: what cannot be read back cannot be made."""

import pytest

from hybrid_bridge.core.encoding import Reader, Writer
from hybrid_bridge.core.entry import DecoyEntry, RecordEntry
from hybrid_bridge.core.payload import (
    BeaconPayload,
    GovernancePayload,
    Payload,
    RecordPayload,
    RegistryOp,
    read_count,
    read_payload,
)
from hybrid_bridge.errors import EntryMalformed, FieldMalformed, TooLong, Truncated

ENTRY = RecordEntry(0x0101, 8, bytes(32)).encode()


def op(label_type: int = 3, index: int = 0, **changes: int) -> RegistryOp:
    return RegistryOp(label_type=label_type, index=bytes([index]) * 32, commitment=bytes(32), **changes)


@pytest.mark.parametrize(
    ("payload", "length"),
    [
        (RecordPayload(ENTRY, bytes(32), ()), 37 + 32 + 2 + 1),
        (RecordPayload(ENTRY, bytes(32), ("abc",), (op(2, 9), op(3, 1), op(3, 2))), 72 + 5 + 3 * 71),
        (GovernancePayload((b"",)), 3),
        (GovernancePayload((bytes(288),)), 291),
        (GovernancePayload((bytes(320), b"", bytes(9))), 1 + 322 + 2 + 11),
        (BeaconPayload(1, 2, bytes(32)), 48),
    ],
)
def test_every_payload_comes_back_from_its_bytes(payload: Payload, length: int) -> None:
    data = payload.write(Writer()).bytes()
    assert len(data) == length
    reader = Reader(data)
    assert read_payload(reader, payload.kind) == payload
    reader.end("payload")


@pytest.mark.parametrize("kind", [0, 4, 255])
def test_an_unknown_kind_is_refused(kind: int) -> None:
    with pytest.raises(FieldMalformed, match="kind"):
        read_payload(Reader(bytes(100)), kind)


@pytest.mark.parametrize(("count", "error"), [(0, FieldMalformed), (9, TooLong), (255, TooLong)])
def test_a_decision_has_one_to_eight_records(count: int, error: type[Exception]) -> None:
    with pytest.raises(error):
        GovernancePayload((b"",) * count)
    with pytest.raises(error):
        read_payload(Reader(bytes([count]) + bytes(2) * count), 2)


def test_the_record_behind_an_entry() -> None:
    assert RecordPayload(ENTRY, bytes(32), ()).record == RecordEntry(0x0101, 8, bytes(32))


def test_only_a_records_entry_is_submitted() -> None:
    with pytest.raises(EntryMalformed):
        RecordPayload(DecoyEntry(bytes(32)).encode(), bytes(32), ())


@pytest.mark.parametrize("changes", [{"op": 2}, {"op": 0}, {"version": 1}, {"label_type": 1}, {"label_type": 0}])
def test_an_operation_inserts_version_0_of_an_identity_label_and_nothing_else(changes: dict[str, int]) -> None:
    with pytest.raises(FieldMalformed):
        op(**changes)


def test_operations_ascend_by_type_then_index() -> None:
    for ops in ((op(3, 1), op(3, 1)), (op(3, 2), op(3, 1)), (op(4, 1), op(3, 2))):
        with pytest.raises(FieldMalformed, match="ascending"):
            RecordPayload(ENTRY, bytes(32), (), ops)


def test_counts_and_lengths_are_bounded() -> None:
    with pytest.raises(TooLong):
        RecordPayload(ENTRY, bytes(32), (), tuple(op(3, i) for i in range(17)))
    with pytest.raises(TooLong):
        RecordPayload(ENTRY, bytes(32), ("a",) * 513)
    with pytest.raises(TooLong):
        RecordPayload(ENTRY, bytes(32), ("a" * 8193,))
    with pytest.raises(TooLong):
        read_count(Reader(b"\x11"), 1, "ops", 16)


def test_claims_are_ascii_both_ways() -> None:
    with pytest.raises(FieldMalformed):
        RecordPayload(ENTRY, bytes(32), ("é",))
    data = RecordPayload(ENTRY, bytes(32), ("ab",)).write(Writer()).bytes().replace(b"ab", "é".encode())
    with pytest.raises(FieldMalformed, match="ASCII"):
        read_payload(Reader(data), 1)


def test_a_claim_longer_than_a_disclosure_is_not_read() -> None:
    data = ENTRY + bytes(32) + b"\x00\x01" + (8193).to_bytes(2, "big") + b"a" * 8193
    with pytest.raises(TooLong):
        read_payload(Reader(data), 1)


def test_a_payload_that_ends_early_is_refused() -> None:
    data = RecordPayload(ENTRY, bytes(32), ("abc",), (op(),)).write(Writer()).bytes()
    for length in range(len(data)):
        with pytest.raises(Truncated):
            read_payload(Reader(data[:length]), 1)
