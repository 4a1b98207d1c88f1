"""A snapshot: where chunks end, what its hash commits to, and what is no chunk of any ledger."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from hybrid_bridge.core import snapshot
from hybrid_bridge.core.block import MAX_BLOCK
from hybrid_bridge.core.encoding import Writer, sha256
from hybrid_bridge.core.snapshot import FULL_BLOCKS, MAX_CHUNK, MAX_CHUNKS, Chunk, OrderedBlock, Snapshot, chunk_hash
from hybrid_bridge.errors import FieldMalformed, FieldMismatch, TooLong, TrailingBytes, Truncated

LOG = sha256(b"log")


def block(number: int, length: int = 10) -> OrderedBlock:
    return OrderedBlock(sha256(b"block %d" % number), bytes([number % 256]) * length)


BLOCKS = tuple(block(number) for number in range(7))
CHUNK = Chunk(BLOCKS[:3])
SNAPSHOT = Snapshot(log_id=LOG, height=7, chunks=(sha256(b"first"), sha256(b"second")))


def offered(**changes: object) -> Snapshot:
    values = {"log_id": LOG, "height": 7, "count": 2, "snapshot_hash": SNAPSHOT.hash, "metadata": SNAPSHOT.metadata}
    return Snapshot.offered(**(values | changes))  # type: ignore[arg-type]


# ── chunks ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_chunk_ends_with_the_block_that_reaches_its_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "FULL_BYTES", 3 * 46)
    chunk = Chunk.cut(BLOCKS)
    assert (chunk.blocks, chunk.is_full) == (BLOCKS[:3], True)
    assert Chunk.decode(chunk.encode()) == chunk


def test_a_chunk_ends_with_its_last_block_however_small_they_are() -> None:
    chunk = Chunk.cut(block(number, 0) for number in range(FULL_BLOCKS + 5))
    assert (len(chunk.blocks), chunk.is_full) == (FULL_BLOCKS, True)


def test_what_is_left_is_a_chunk_that_is_not_full() -> None:
    assert Chunk.cut(BLOCKS[3:]) == Chunk(BLOCKS[3:])
    assert not Chunk(BLOCKS).is_full


def test_no_more_blocks_are_taken_than_a_chunk_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "FULL_BLOCKS", 2)
    left = iter(BLOCKS)
    Chunk.cut(left)
    assert next(left) == BLOCKS[2]


def test_the_largest_chunk_that_there_can_be_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    almost = OrderedBlock(LOG, bytes(MAX_BLOCK - 36 + (1 << 20) - 36 - 1))
    assert len(Chunk((almost, OrderedBlock(LOG, bytes(MAX_BLOCK)))).encode()) <= MAX_CHUNK


HOSTILE: dict[str, tuple[Callable[[bytes], object], type[Exception]]] = {
    "a byte more": (lambda data: data + b"\x00", TrailingBytes),
    "a byte less": (lambda data: data[:-1], Truncated),
    "cut within the second block": (lambda data: data[:60], Truncated),
    "nothing": (lambda _: b"", Truncated),
    "no block": (lambda _: bytes(4), FieldMalformed),
    "more blocks than a chunk has": (lambda data: (FULL_BLOCKS + 1).to_bytes(4, "big") + data[4:], FieldMalformed),
    "fewer than there are": (lambda data: (2).to_bytes(4, "big") + data[4:], TrailingBytes),
    "more than there are": (lambda data: (4).to_bytes(4, "big") + data[4:], Truncated),
    "a block that is too long": (lambda data: data[:36] + (MAX_BLOCK + 1).to_bytes(4, "big") + data[40:], TooLong),
    "too long": (lambda _: bytes(MAX_CHUNK + 1), TooLong),
    "no bytes": (lambda _: "chunk", FieldMalformed),
}


@pytest.mark.parametrize("how", HOSTILE)
def test_what_is_no_chunk_is_refused(how: str) -> None:
    change, error = HOSTILE[how]
    with pytest.raises(error):
        Chunk.decode(change(CHUNK.encode()))  # type: ignore[arg-type]


def test_blocks_behind_those_that_make_a_chunk_full_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    data = CHUNK.encode()
    monkeypatch.setattr(snapshot, "FULL_BYTES", 2 * 46)
    with pytest.raises(FieldMalformed) as refused:
        Chunk.decode(data)
    assert refused.value.field == "chunk"


def test_a_chunk_has_one_encoding_and_its_own_hash() -> None:
    assert CHUNK.encode() == b"".join(
        [(3).to_bytes(4, "big"), *(one.hash + (10).to_bytes(4, "big") + one.data for one in CHUNK.blocks)]
    )
    assert chunk_hash(CHUNK.encode()) == sha256(b"hybrid-bridge/v1/snapshot-chunk\x00" + CHUNK.encode())


# ── offers ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_hash_commits_to_log_height_number_and_every_chunk() -> None:
    body = Writer(b"hybrid-bridge/v1/snapshot\x00").b32(LOG, "log").u64(7, "height").u32(2, "n").bytes()
    assert SNAPSHOT.hash == sha256(body + SNAPSHOT.metadata)
    assert offered() == SNAPSHOT


FALSE: dict[str, tuple[dict[str, object], type[Exception]]] = {
    "another log": ({"log_id": sha256(b"another")}, FieldMismatch),
    "another height": ({"height": 8}, FieldMismatch),
    "no hash": ({"snapshot_hash": b""}, FieldMismatch),
    "another hash": ({"snapshot_hash": sha256(b"another")}, FieldMismatch),
    "another order": ({"metadata": SNAPSHOT.metadata[32:] + SNAPSHOT.metadata[:32]}, FieldMismatch),
    "a byte less": ({"metadata": SNAPSHOT.metadata[:-1]}, FieldMalformed),
    "a hash more": ({"metadata": SNAPSHOT.metadata + bytes(32)}, FieldMalformed),
    "another number": ({"count": 3}, FieldMalformed),
    "no chunk": ({"count": 0, "metadata": b""}, FieldMalformed),
    "too many chunks": ({"count": MAX_CHUNKS + 1}, TooLong),
}


@pytest.mark.parametrize("how", FALSE)
def test_an_offer_whose_parts_do_not_belong_together_is_refused(how: str) -> None:
    changes, error = FALSE[how]
    with pytest.raises(error):
        offered(**changes)


def test_a_hash_of_a_block_has_thirty_two_bytes() -> None:
    with pytest.raises(FieldMalformed):
        Chunk((replace(BLOCKS[0], hash=b"short"),)).encode()
