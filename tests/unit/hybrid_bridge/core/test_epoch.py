"""Epoch records: alone, under their genesis, and one after the other. Names follow SPEC §15, family epoch/."""

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.epoch import (
    EPOCH,
    EpochRecord,
    checkpoint_timestamp,
    closed_at,
    epoch_of,
    verify_epoch,
    verify_first,
    verify_next,
)
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.errors import BridgeError, FieldMalformed, FieldMismatch, WordMalformed
from hybrid_bridge.units import EpochNumber, LeafIndex, TreeSize, UnixSeconds
from tests.unit.hybrid_bridge.core.consortium import GENESIS

ONE = b"\x01" * 32
WORDS: dict[str, Any] = {
    "log_id": GENESIS.log_id,
    "epoch": 1,
    "first_block": 1,
    "end_block": 4,
    "last_block_hash": sha256(b"block 3"),
    "batch_size": 64,
    "batch_root": sha256(b"batch"),
    "registry_root": sha256(b"registry"),
    "governance_size": 1,
    "governance_root": GENESIS.log_id,
    "set_id": 1,
    "set_hash": GENESIS.set_hash,
    "closed_at": 1_800_000_600,
    "stats_commitment": sha256(b"stats"),
    "blind": sha256(b"blind"),
}
FIRST = EpochRecord(**WORDS)
SECOND = replace(
    FIRST, epoch=2, first_block=4, end_block=9, last_block_hash=sha256(b"block 8"), closed_at=1_800_001_200
)
BEACON = {"public_chain_id": 1, "public_block_number": 20_000_000, "public_block_hash": ONE}


def refused(field: str, older: EpochRecord, **changed: object) -> None:
    """SECOND with these words may not follow `older`, and the error says why."""
    with pytest.raises(FieldMismatch) as caught:
        verify_next(GENESIS, older, replace(SECOND, **changed))
    assert caught.value.field == field


def malformed(index: int, **changed: object) -> None:
    with pytest.raises(WordMalformed) as caught:
        replace(FIRST, **changed)
    assert caught.value.index == index


# ── one record ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_attributes_are_the_words_in_their_order() -> None:
    assert tuple(f.name for f in fields(EpochRecord)) == EPOCH.names
    assert EPOCH.width == 640


@pytest.mark.parametrize("record", [FIRST, replace(FIRST, **BEACON), replace(FIRST, flags=1)])
def test_decoding_inverts_encoding(record: EpochRecord) -> None:
    assert EpochRecord.decode(record.encode()) == record
    assert record.leaf == leaf_hash(record.encode())


@given(st.integers(0, 639), st.integers(1, 255))
def test_a_changed_byte_is_refused_or_gives_another_leaf(at: int, change: int) -> None:
    data = bytearray(FIRST.encode())
    data[at] ^= change
    try:
        other = EpochRecord.decode(bytes(data))
    except BridgeError:
        return
    assert other.encode() == data
    assert other.leaf != FIRST.leaf


@given(st.binary(max_size=700))
def test_random_bytes_leave_only_errors_of_ours(data: bytes) -> None:
    with pytest.raises(BridgeError):
        EpochRecord.decode(data)


def test_registry_root_zero() -> None:
    malformed(8, registry_root=bytes(32))


@pytest.mark.parametrize("flags", [2, 3, -1])
def test_flags_unknown_bit(flags: int) -> None:
    malformed(17, flags=flags)


@pytest.mark.parametrize(("absent", "index"), [("public_block_number", 14), ("public_block_hash", 15)])
def test_beacon_half_zero(absent: str, index: int) -> None:
    malformed(index, **{**BEACON, absent: bytes(32) if absent.endswith("hash") else 0})
    with pytest.raises(WordMalformed):
        replace(FIRST, **{absent: BEACON[absent]})


def test_pad_byte_set() -> None:
    data = bytearray(FIRST.encode())
    data[64] = 1
    with pytest.raises(WordMalformed) as caught:
        EpochRecord.decode(bytes(data))
    assert caught.value.index == 2


def test_u64_over_2_53() -> None:
    data = bytearray(FIRST.encode())
    data[120:128] = (2**53).to_bytes(8, "big")
    with pytest.raises(WordMalformed) as caught:
        EpochRecord.decode(bytes(data))
    assert caught.value.index == 3


def test_numbers_that_no_log_could_have_are_refused() -> None:
    malformed(2, epoch=0)
    malformed(4, end_block=0)
    malformed(6, batch_size=63)
    malformed(6, batch_size=0)
    malformed(9, governance_size=0)
    malformed(11, set_id=0)


def test_a_genesis_record_is_no_epoch_record() -> None:
    with pytest.raises(BridgeError):
        EpochRecord.decode(GENESIS.encode())


# ── the clock ────────────────────────────────────────────────────────────────────────────────────────────────────────


@given(st.integers(1_800_000_000, 2**40))
def test_every_moment_lies_in_the_epoch_that_closes_after_it(time: int) -> None:
    epoch = epoch_of(GENESIS, UnixSeconds(time))
    assert closed_at(GENESIS, EpochNumber(epoch - 1)) <= time < closed_at(GENESIS, epoch)


def test_the_boundary_belongs_to_the_next_epoch() -> None:
    assert epoch_of(GENESIS, UnixSeconds(1_800_000_599)) == 1
    assert epoch_of(GENESIS, UnixSeconds(1_800_000_600)) == 2


def test_before_the_genesis_time_there_is_no_epoch() -> None:
    with pytest.raises(FieldMalformed):
        epoch_of(GENESIS, UnixSeconds(1_799_999_999))


def test_a_checkpoint_is_dated_when_its_newest_epoch_closes() -> None:
    for epoch in (1, 2, 1000):
        assert checkpoint_timestamp(GENESIS, TreeSize(epoch + 1)) == closed_at(GENESIS, EpochNumber(epoch))


# ── a record in its log ──────────────────────────────────────────────────────────────────────────────────────────────


def test_two_records_that_fit_are_accepted() -> None:
    verify_first(GENESIS, FIRST)
    verify_next(GENESIS, FIRST, SECOND)


def test_an_epoch_without_blocks_repeats_the_last_block() -> None:
    idle = replace(FIRST, end_block=1, last_block_hash=GENESIS.ledger_id)
    verify_first(GENESIS, idle)
    verify_next(GENESIS, idle, replace(SECOND, first_block=1, end_block=1, last_block_hash=GENESIS.ledger_id))
    refused("epoch.last_block_hash", idle, first_block=1, end_block=1)
    with pytest.raises(FieldMismatch):
        verify_first(GENESIS, replace(idle, last_block_hash=ONE))


def test_epoch_of_other_log() -> None:
    refused("epoch.log_id", FIRST, log_id=ONE)


def test_non_contiguous_epochs() -> None:
    refused("epoch.epoch", FIRST, epoch=3, closed_at=1_800_001_800)


def test_index_differs_from_epoch() -> None:
    with pytest.raises(FieldMismatch) as caught:
        verify_epoch(GENESIS, LeafIndex(2), FIRST)
    assert caught.value.field == "epoch.epoch"


def test_blocks_overlap() -> None:
    refused("epoch.first_block", FIRST, first_block=3)


def test_blocks_gap() -> None:
    refused("epoch.first_block", FIRST, first_block=5)


@pytest.mark.parametrize("by", [-1, 1])
def test_closedat_off_by_one(by: int) -> None:
    refused("epoch.closed_at", FIRST, closed_at=SECOND.closed_at + by)


def test_time_goes_backwards() -> None:
    refused("epoch.closed_at", FIRST, closed_at=FIRST.closed_at - 600)


def test_batch_size_off_ladder() -> None:
    with pytest.raises(FieldMalformed):
        verify_first(GENESIS, replace(FIRST, batch_size=128))


def test_governance_size_falls() -> None:
    refused("epoch.governance_size", replace(FIRST, governance_size=2))


def test_a_governance_tree_that_did_not_grow_keeps_its_root() -> None:
    refused("epoch.governance_root", FIRST, governance_root=ONE)
    verify_next(GENESIS, FIRST, replace(SECOND, governance_size=2, governance_root=ONE))
    verify_first(GENESIS, replace(FIRST, governance_size=2, governance_root=ONE))


def test_a_set_changes_by_one_and_with_its_hash() -> None:
    verify_next(GENESIS, FIRST, replace(SECOND, set_id=2, set_hash=ONE))
    refused("epoch.set_id", FIRST, set_id=3, set_hash=ONE)
    refused("epoch.set_id", replace(FIRST, set_id=2), set_id=1)
    refused("epoch.set_hash", FIRST, set_hash=ONE)


@pytest.mark.parametrize(
    "changed",
    [
        {"first_block": 2},
        {"set_id": 2},
        {"set_hash": ONE},
        {"governance_root": ONE},
        {"epoch": 2, "closed_at": 1_800_001_200},
    ],
)
def test_the_first_epoch_follows_the_genesis_record(changed: dict[str, Any]) -> None:
    with pytest.raises(FieldMismatch):
        verify_first(GENESIS, replace(FIRST, **changed))
