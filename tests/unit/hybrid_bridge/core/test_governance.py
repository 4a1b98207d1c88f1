"""Governance records. Names of refusals follow SPEC §15, families rotation/ and cross/."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_bridge.adapters.cometbft.home import public_key_of
from hybrid_bridge.core.consensus_key import ConsensusKey
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.epoch import EPOCH, EpochRecord
from hybrid_bridge.core.governance import (
    MEMBER_UPDATE,
    NOTICE,
    NOTICE_NAMES,
    SET_UPDATE,
    GovernanceRecord,
    MemberUpdate,
    Notice,
    SetUpdate,
    decode_governance,
    governance_leaf,
    verify_succession,
)
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.validators import ValidatorEntry, ValidatorSet
from hybrid_bridge.errors import (
    BridgeError,
    EntriesMalformed,
    FieldMalformed,
    FieldMismatch,
    RecordMalformed,
    SetMismatch,
    WordMalformed,
)
from hybrid_bridge.units import Address, EpochNumber, SetId
from tests.unit.hybrid_bridge.core.consortium import GENESIS

ONE = b"\x01" * 32


def validators(set_id: int, count: int) -> ValidatorSet:
    entries = [
        ValidatorEntry(Address(bytes([i]) * 20), *[sha256(bytes([i, j])) for j in range(3)])
        for i in range(1, count + 1)
    ]
    return ValidatorSet(SetId(set_id), tuple(entries))


OLD, NEW = validators(1, 4), validators(2, 5)
UPDATE = SetUpdate(
    log_id=GENESIS.log_id,
    previous_set_hash=OLD.digest,
    set_hash=NEW.digest,
    effective_from_size=9,
    decoy_key_hash=ONE,
    validators=NEW,
)
MEMBER = MemberUpdate(
    log_id=GENESIS.log_id, action=1, name_hash=ONE, certificate_hash=ONE, key_id=ONE, roles=3, from_epoch=1
)
NOTICED: dict[str, Any] = {"log_id": GENESIS.log_id, "notice_type": 1, "source": 1, "time": 5, "until": 0}
NOTED = Notice(**NOTICED, entry_leaf=ONE, subject_hash=ONE)
BOUND = ConsensusKey.signed(sha256(b"vote"), public_key_of(sha256(b"vote")), GENESIS.log_id, ONE)
ALL = [UPDATE, MEMBER, NOTED, BOUND]


@pytest.mark.parametrize("record", ALL)
def test_decoding_inverts_encoding(record: GovernanceRecord) -> None:
    assert decode_governance(record.encode()) == record
    assert governance_leaf(record.encode()) == leaf_hash(record.encode())


def test_records_have_the_lengths_of_the_specification() -> None:
    assert len(UPDATE.encode()) == (10 + 4 * 5) * 32
    assert len(NOTED.encode()) == len(BOUND.encode()) == NOTICE.width == 288
    assert SET_UPDATE.width == 320
    assert len(MEMBER.encode()) == MEMBER_UPDATE.width == 352
    assert (UPDATE.set_id, UPDATE.n) == (2, 5)
    assert len(NOTICE_NAMES) == 18


@given(st.sampled_from(ALL), st.integers(0), st.integers(1, 255))
def test_a_changed_byte_is_refused_or_gives_another_leaf(record: GovernanceRecord, at: int, change: int) -> None:
    data = bytearray(record.encode())
    data[at % len(data)] ^= change
    try:
        other = decode_governance(bytes(data))
    except BridgeError:
        return
    assert other.encode() == data
    assert governance_leaf(bytes(data)) != governance_leaf(record.encode())


@given(st.sampled_from([SET_UPDATE.hash, MEMBER_UPDATE.hash, NOTICE.hash, b""]), st.binary(max_size=600))
def test_random_bytes_leave_only_errors_of_ours(head: bytes, body: bytes) -> None:
    try:
        record = decode_governance(head + body)
    except BridgeError:
        return
    assert record.encode() == head + body


def test_a_record_of_no_known_type_is_refused() -> None:
    with pytest.raises(WordMalformed) as caught:
        governance_leaf(GENESIS.encode())
    assert caught.value.index == 0


def test_epoch_record_as_governance_leaf() -> None:
    with pytest.raises(WordMalformed):
        governance_leaf(EPOCH.hash + bytes(EPOCH.width - 32))


def test_governance_record_as_log_leaf() -> None:
    for record in ALL:
        with pytest.raises(BridgeError):
            EpochRecord.decode(record.encode())


@pytest.mark.parametrize(
    ("record", "name", "value", "index"),
    [
        (UPDATE, "effective_from_size", 2, 5),
        (UPDATE, "validators", validators(1, 5), 2),
        (MEMBER, "action", 0, 2),
        (MEMBER, "action", 6, 2),
        (MEMBER, "roles", 32, 6),
        (MEMBER, "roles", -1, 6),
        (NOTED, "notice_type", 0, 2),
        (NOTED, "notice_type", 19, 2),
        (NOTED, "source", 0, 3),
        (NOTED, "source", 3, 3),
    ],
)
def test_a_word_out_of_range_is_refused_by_its_number(
    record: GovernanceRecord, name: str, value: object, index: int
) -> None:
    with pytest.raises(WordMalformed) as caught:
        replace(record, **{name: value})  # type: ignore[arg-type]
    assert caught.value.index == index


def test_a_set_update_cannot_name_another_set_than_it_lists() -> None:
    with pytest.raises(SetMismatch) as caught:
        replace(UPDATE, set_hash=ONE)
    assert caught.value.calculated == NEW.digest


@pytest.mark.parametrize("size", [0, 319, 320 + 128, (10 + 4 * 5) * 32 - 1, (10 + 4 * 5) * 32 + 32])
def test_a_set_update_of_another_length_than_its_count_is_refused(size: int) -> None:
    with pytest.raises(RecordMalformed):
        SetUpdate.decode((UPDATE.encode() + bytes(64))[:size])


def test_a_set_update_without_validators_is_refused() -> None:
    with pytest.raises(FieldMalformed):
        SetUpdate.decode(UPDATE.encode()[:288] + bytes(32))


def test_a_set_update_to_set_zero_is_refused() -> None:
    data = bytearray(UPDATE.encode())
    data[95] = 0
    with pytest.raises(WordMalformed) as caught:
        SetUpdate.decode(bytes(data))
    assert caught.value.index == 2


def test_entries_unsorted() -> None:
    data = UPDATE.encode()
    swapped = data[:320] + data[448:576] + data[320:448] + data[576:]
    with pytest.raises(EntriesMalformed):
        SetUpdate.decode(swapped)


def test_the_next_set_may_follow() -> None:
    verify_succession(UPDATE, OLD, EpochNumber(7))


def test_id_skipped() -> None:
    skipping = validators(3, 5)
    with pytest.raises(FieldMismatch) as caught:
        verify_succession(replace(UPDATE, validators=skipping, set_hash=skipping.digest), OLD, EpochNumber(7))
    assert caught.value.field == "set_update.set_id"


def test_a_set_update_after_another_set_is_refused() -> None:
    with pytest.raises(FieldMismatch) as caught:
        verify_succession(UPDATE, validators(1, 7), EpochNumber(7))
    assert caught.value.field == "set_update.previous_set_hash"


def test_from_size_in_past() -> None:
    with pytest.raises(FieldMismatch) as caught:
        verify_succession(UPDATE, OLD, EpochNumber(8))
    assert caught.value.field == "set_update.effective_from_size"
