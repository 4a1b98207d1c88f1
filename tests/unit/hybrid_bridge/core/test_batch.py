"""Batches: sorted, padded, provable. Names follow SPEC §15, family epoch/."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_bridge.core.absence import verify_absence
from hybrid_bridge.core.batch import Batch, build_batch, verify_batch, verify_decoys
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.entry import DecoyEntry, RecordEntry, RefusalEntry, entry_leaf
from hybrid_bridge.core.proof import verify_inclusion
from hybrid_bridge.errors import (
    EntryMalformed,
    FieldMalformed,
    FieldMismatch,
    IndexBeyondSize,
    RootMismatch,
    TooLong,
    Truncated,
    Unknown,
)
from hybrid_bridge.units import Digest, EpochNumber, LeafIndex, RecordType, TransactionId, TreeSize
from tests.unit.hybrid_bridge.core.consortium import SECRET

SEVEN = EpochNumber(7)
LADDER = 0x28  # 8 and 32


def record(number: int) -> bytes:
    return RecordEntry(RecordType(0x0101), 8, sha256(bytes([number]))).encode()


REFUSAL = RefusalEntry(TransactionId(sha256(b"refused"))).encode()
THREE = [record(1), REFUSAL, record(2)]
BATCH = build_batch(SECRET, SEVEN, THREE, LADDER)


@given(st.lists(st.integers(0, 40), max_size=32))
@settings(max_examples=40)
def test_a_batch_is_sorted_padded_and_proves_each_of_its_entries(numbers: list[int]) -> None:
    entries = [record(n) for n in numbers]
    batch = build_batch(SECRET, SEVEN, entries, LADDER)
    assert batch.size == (8 if len(set(numbers)) <= 8 else 32)
    assert list(batch.leaves) == sorted(batch.leaves)
    assert set(entries) <= set(batch.entries)
    for entry in entries:
        index = batch.index_of(entry_leaf(entry))
        verify_inclusion(entry_leaf(entry), index, batch.size, batch.path(index), batch.root)


def test_the_order_of_the_blocks_leaves_no_trace() -> None:
    assert build_batch(SECRET, SEVEN, THREE[::-1], LADDER).root == BATCH.root


def test_an_idle_epoch_is_a_rung_of_decoys() -> None:
    idle = build_batch(SECRET, SEVEN, [], LADDER)
    assert set(idle.entries) == {SECRET.decoy_entry(SEVEN, i) for i in range(8)}
    assert idle.root != build_batch(SECRET, EpochNumber(8), [], LADDER).root


def test_more_entries_than_the_highest_rung_are_refused() -> None:
    with pytest.raises(TooLong) as caught:
        build_batch(SECRET, SEVEN, [record(n) for n in range(33)], LADDER)
    assert (caught.value.limit, caught.value.got) == (32, 33)


def test_a_decoy_is_not_for_callers_to_bring() -> None:
    with pytest.raises(FieldMalformed):
        build_batch(SECRET, SEVEN, [SECRET.decoy_entry(SEVEN, 0)], LADDER)


def test_what_is_no_entry_is_refused() -> None:
    with pytest.raises(EntryMalformed):
        build_batch(SECRET, SEVEN, [b"\x07" + bytes(36)], LADDER)


def test_an_unknown_leaf_has_no_index_but_evidence_of_absence() -> None:
    leaf = entry_leaf(record(9))
    with pytest.raises(Unknown):
        BATCH.index_of(leaf)
    verify_absence(BATCH.absence(leaf), BATCH.size, BATCH.root)


@pytest.mark.parametrize("leaf", [bytes(32), b"\xff" * 32])
def test_absence_beyond_the_ends_needs_one_neighbour(leaf: bytes) -> None:
    absence = BATCH.absence(Digest(leaf))
    assert (absence.left is None) != (absence.right is None)
    verify_absence(absence, BATCH.size, BATCH.root)


def test_an_entry_that_is_there_has_no_evidence_of_absence() -> None:
    with pytest.raises(FieldMismatch):
        BATCH.absence(entry_leaf(record(1)))


def test_a_path_exists_for_entries_only() -> None:
    with pytest.raises(IndexBeyondSize):
        BATCH.path(LeafIndex(8))


# ── for whoever holds a batch ────────────────────────────────────────────────────────────────────────────────────────


def test_the_holder_of_a_batch_recomputes_it() -> None:
    assert verify_batch(BATCH.entries, BATCH.size, BATCH.root).leaves == BATCH.leaves
    verify_decoys(SECRET, SEVEN, BATCH)


def test_batch_unsorted() -> None:
    with pytest.raises(FieldMalformed):
        verify_batch(BATCH.entries[::-1], BATCH.size, BATCH.root)


def test_batch_duplicate_leaf() -> None:
    with pytest.raises(FieldMalformed):
        Batch([BATCH.entries[0], *BATCH.entries])


def test_a_batch_of_another_size_or_root_is_refused() -> None:
    with pytest.raises(FieldMismatch):
        verify_batch(BATCH.entries, TreeSize(16), BATCH.root)
    with pytest.raises(RootMismatch):
        verify_batch(BATCH.entries, BATCH.size, Digest(bytes(32)))


def test_decoy_not_prf() -> None:
    hidden = DecoyEntry(sha256(b"a record in disguise")).encode()
    others = [entry for entry in BATCH.entries if entry[0] != 0]
    with pytest.raises(FieldMismatch) as caught:
        verify_decoys(SECRET, SEVEN, Batch(sorted([*others, hidden], key=entry_leaf)))
    assert caught.value.got == hidden.hex()


def test_entry_as_field() -> None:
    """A batch leaf has 37 bytes and a field leaf 32: one is never read as the other (SPEC §15, cross/)."""
    with pytest.raises(Truncated):
        Batch([sha256(b"a field")])
