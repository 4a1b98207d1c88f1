"""What peers may have: chunks that all honest members cut alike, two snapshots, two blocks late."""

from pathlib import Path
from typing import Any

import pytest

from hybrid_bridge.core import snapshot as cutting
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.snapshot import FORMAT, Chunk, OrderedBlock, chunk_hash
from hybrid_bridge.node import snapshots as node_snapshots
from hybrid_bridge.node.engine import EngineApplication
from hybrid_bridge.node.progress import Progress
from hybrid_bridge.node.snapshots import KEPT, LATE, Shelf
from hybrid_bridge.rpc.cometbft.tendermint.abci import types_pb2 as pb
from tests.unit.hybrid_bridge.node.test_engine import PlayedEngine, laid_with_engines, played  # noqa: F401 fixtures

LOG = sha256(b"log")


class Blocks:
    """A ledger that is blocks alone, read a few at a time."""

    def __init__(self, count: int, first: int = 1) -> None:
        self.first, self.reads = first, 0
        self.all = [OrderedBlock(sha256(b"%d" % number), bytes(number % 7)) for number in range(first, first + count)]

    def ordered(self, first: int) -> list[OrderedBlock]:
        self.reads += 1
        return self.all[first - self.first : first - self.first + 3]


def shelf_of(blocks: Blocks, every: int = 10) -> Shelf:
    return Shelf(blocks, LOG, blocks.first, every)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "FULL_BLOCKS", 4)


def all_blocks(shelf: Shelf, height: int) -> list[OrderedBlock]:
    """What the chunks of an offer hold, each as its hash says."""
    (snapshot,) = [one for one in shelf.offered() if one.height == height]
    chunks = [shelf.chunk(height, index) for index in range(len(snapshot.chunks))]
    assert [chunk_hash(chunk) for chunk in chunks] == list(snapshot.chunks)
    assert all(Chunk.decode(chunk).is_full for chunk in chunks[:-1])
    return [block for chunk in chunks for block in Chunk.decode(chunk).blocks]


@pytest.mark.parametrize("every", [1, 4, 8, 10, 13])  # also where a snapshot ends with a full chunk
def test_an_offer_holds_every_block_up_to_its_height(every: int) -> None:
    blocks = Blocks(50)
    shelf = shelf_of(blocks, every)
    for tip in range(1, 48):
        shelf.extend(tip)
        for one in shelf.offered():
            assert all_blocks(shelf, one.height) == blocks.all[: one.height]
    assert [one.height for one in shelf.offered()] == [45 // every * every - every, 45 // every * every]


def test_a_snapshot_stands_at_multiples_of_the_interval_two_blocks_late() -> None:
    shelf = shelf_of(Blocks(40))
    heights = []
    for tip in range(40):
        shelf.extend(tip)
        heights.append([one.height for one in shelf.offered()])
    assert heights[10 + LATE - 1] == []
    assert heights[10 + LATE] == heights[20 + LATE - 1] == [10]
    assert heights[20 + LATE] == [10, 20]
    assert heights[30 + LATE] == [20, 30]
    assert max(map(len, heights)) == KEPT


def test_two_members_cut_alike_however_they_came_to_their_height() -> None:
    slow, fast = shelf_of(Blocks(40)), shelf_of(Blocks(40))
    for tip in range(33):
        slow.extend(tip)
    fast.extend(32)
    assert slow.offered()[-1] == fast.offered()[-1]


def test_a_full_chunk_is_the_same_in_every_later_snapshot_and_is_cut_once() -> None:
    blocks = Blocks(100)
    shelf = shelf_of(blocks)
    shelf.extend(52)
    shelf.extend(62)
    older, newer = shelf.offered()
    assert older.chunks[:12] == newer.chunks[:12]
    blocks.reads = 0
    shelf.extend(72)
    assert blocks.reads < 10
    assert len(shelf.offered()[-1].chunks) == 18


def test_a_log_that_begins_later_is_cut_from_its_first_block() -> None:
    blocks = Blocks(30, first=5)
    shelf = shelf_of(blocks, 2)
    shelf.extend(6)
    assert shelf.offered() == []  # the snapshot of block 4 would be empty
    shelf.extend(8)
    assert all_blocks(shelf, 6) == blocks.all[:2]


def test_what_is_no_chunk_is_empty() -> None:
    shelf = shelf_of(Blocks(40))
    assert shelf.chunk(10, 0) == b""  # nothing is offered yet
    shelf.extend(22)
    for height, index in ((10, 3), (20, 5), (0, 0), (21, 0), (30, 0), (10, 1 << 31), (1 << 63, 0)):
        assert shelf.chunk(height, index) == b""


def test_a_member_that_takes_long_finds_its_chunks_when_newer_snapshots_are_offered() -> None:
    shelf = shelf_of(Blocks(80))
    shelf.extend(22)
    older = {index: shelf.chunk(10, index) for index in range(3)}
    shelf.extend(72)
    assert [one.height for one in shelf.offered()] == [20, 70]
    assert {index: shelf.chunk(10, index) for index in range(3)} == older
    assert [block for data in older.values() for block in Chunk.decode(data).blocks] == Blocks(10).all
    assert shelf.chunk(10, 3) == b""
    assert len(Chunk.decode(shelf.chunk(12, 2)).blocks) == 4  # which ends where the snapshot does
    assert shelf.chunk(12, 3) == b""


def test_a_ledger_too_long_for_the_engine_is_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_snapshots, "MAX_CHUNKS", 3)
    shelf = shelf_of(Blocks(40))
    shelf.extend(12)
    shelf.extend(22)
    assert [one.height for one in shelf.offered()] == [10]


def test_the_thread_cuts_when_the_ledger_grows_and_ends_with_the_node() -> None:
    progress = Progress()
    progress.raised("tip", 12)
    shelf = shelf_of(Blocks(40))
    asked: list[Any] = []

    def wait(*given: Any) -> bool:
        asked.append(given)
        progress.raised("tip", 32)
        if len(asked) == 2:
            progress.stop()
        return True

    progress.wait_above = wait  # type: ignore[method-assign]
    shelf.run(progress)
    assert [one[1] for one in asked] == [12, 32]
    assert [one.height for one in shelf.offered()] == [10, 30]


def test_without_an_interval_nothing_is_cut() -> None:
    progress = Progress()
    progress.raised("tip", 12)
    shelf = shelf_of(Blocks(40), 0)
    shelf.run(progress)
    assert shelf.offered() == []


# ── as the engine asks ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def offering(played: PlayedEngine) -> EngineApplication:  # noqa: F811
    for _ in range(6):
        played.decide()
        played.time += 1
    view = played.members.open("core").view
    shelf = Shelf(view.ledger, view.directory.log_id, view.directory.genesis.first_block, 2)
    shelf.extend(4)
    shelf.extend(6)
    return EngineApplication(view, [], shelf)


def test_the_engine_is_told_both_snapshots_and_given_their_chunks(offering: EngineApplication) -> None:
    snapshots = offering.list_snapshots(pb.RequestListSnapshots()).snapshots
    assert [(one.height, one.format, one.chunks) for one in snapshots] == [(2, FORMAT, 1), (4, FORMAT, 1)]
    for one in snapshots:
        chunk = offering.load_snapshot_chunk(pb.RequestLoadSnapshotChunk(height=one.height, format=FORMAT)).chunk
        assert chunk_hash(chunk) == one.metadata
        assert len(Chunk.decode(chunk).blocks) == one.height


def test_another_format_or_place_has_no_chunk(offering: EngineApplication) -> None:
    for changes in ({"format": 2}, {"height": 5}, {"chunk": 1}):
        values: dict[str, int] = {"height": 2, "format": FORMAT, "chunk": 0}
        assert offering.load_snapshot_chunk(pb.RequestLoadSnapshotChunk(**(values | changes))).chunk == b""


def test_a_member_whose_ledger_stands_takes_no_snapshot(offering: EngineApplication) -> None:
    assert offering.offer_snapshot(pb.RequestOfferSnapshot()).result == pb.ResponseOfferSnapshot.ABORT
    assert offering.apply_snapshot_chunk(pb.RequestApplySnapshotChunk()).result == pb.ResponseApplySnapshotChunk.ABORT


def test_a_member_that_offers_none_says_so(played: PlayedEngine) -> None:  # noqa: F811
    application = played.applications["core"]
    assert not application.list_snapshots(pb.RequestListSnapshots()).snapshots
    assert application.load_snapshot_chunk(pb.RequestLoadSnapshotChunk(height=2, format=FORMAT)).chunk == b""


def test_blocks_of_a_ledger_that_no_engine_orders_are_not_offered(tmp_path: Path, members: Any) -> None:
    """What the engine calls them is missing."""
    members.order(1_800_000_000, members.founding())
    assert members.open("core").view.ledger.ordered(1) == []
