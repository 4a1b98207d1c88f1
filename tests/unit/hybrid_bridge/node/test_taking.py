"""A member with an empty ledger takes a snapshot: from honest peers whole, from others nothing.

The engine is played here; ledgers, blocks, signatures and files are real. A chunk is two blocks.
"""

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from hybrid_bridge.adapters.sqlite.ledger import SqlLedger
from hybrid_bridge.core import snapshot as cutting
from hybrid_bridge.core.block import Block, tx_root
from hybrid_bridge.core.encoding import ZERO, sha256
from hybrid_bridge.core.snapshot import FORMAT, Chunk, OrderedBlock, Snapshot, chunk_hash
from hybrid_bridge.errors import BridgeError, NotYet, SettingsMalformed, StoreBroken, StoreInUse
from hybrid_bridge.node import making as node_making
from hybrid_bridge.node import syncing as node_syncing
from hybrid_bridge.node import taking as node_taking
from hybrid_bridge.node.directory import Member, read_directory
from hybrid_bridge.node.engine import NO_MEMBER, Doorkeeper, EngineApplication
from hybrid_bridge.node.engine_homes import EngineAddress
from hybrid_bridge.node.making import MADE, Making
from hybrid_bridge.node.opening import open_folder
from hybrid_bridge.node.proposals import ADMIT, Proposal, ProposalStore
from hybrid_bridge.node.settings import NodeSettings, read_settings
from hybrid_bridge.node.snapshots import LATE, Shelf
from hybrid_bridge.node.stores import files_of
from hybrid_bridge.node.syncing import MAX_REJECTED, Mark, read_mark, taken_height, write_mark
from hybrid_bridge.node.taking import Taker, awaits_snapshot, letting_in, take_snapshot
from hybrid_bridge.node.view import View
from hybrid_bridge.rpc.cometbft.tendermint.abci import types_pb2 as pb
from tests.unit.hybrid_bridge.node.coming import newcomer as applicant
from tests.unit.hybrid_bridge.node.members import CADENCE, START, FixedClock
from tests.unit.hybrid_bridge.node.test_engine import (  # noqa: F401 fixtures
    PlayedEngine,
    block_hash,
    laid_with_engines,
    played,
    waiting,
)
from tests.unit.hybrid_bridge.node.test_engine_votes import binding, next_set, ordered

TOP = 6
Offered, Applied = pb.ResponseOfferSnapshot, pb.ResponseApplySnapshotChunk


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "FULL_BLOCKS", 2)


@dataclass
class Source:
    """What an honest peer offers of a ledger with six blocks, two of them empty; and what the engine's client knows."""

    snapshot: Snapshot
    chunks: list[bytes]
    app_hash: bytes

    def blocks(self) -> list[OrderedBlock]:
        return [block for chunk in self.chunks for block in Chunk.decode(chunk).blocks]


@pytest.fixture(scope="module")
def ledger(laid_with_engines: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlayedEngine]:  # noqa: F811
    """Somebody's ledger, eight blocks high; nobody changes it."""
    folder = tmp_path_factory.mktemp("source")
    made = played.__wrapped__(laid_with_engines, folder)  # type: ignore[attr-defined]
    engine: PlayedEngine = next(made)
    engine.decide()
    for number in range(2, TOP + LATE + 1):
        engine.time = START + 3 * number
        engine.decide(txs=waiting(engine, "supplier", 1) if number % 3 else [])
    yield engine
    made.close()


@pytest.fixture
def source(ledger: PlayedEngine) -> Source:
    return source_of(ledger)


def source_of(ledger: PlayedEngine) -> Source:
    view = ledger.members.open("core").view
    shelf = Shelf(view.ledger, view.directory.log_id, view.directory.genesis.first_block, 2)
    shelf.extend(ledger.height)
    (snapshot,) = shelf.offered()
    assert (snapshot.height, len(snapshot.chunks)) == (TOP, 3)
    decided = view.ledger.decided(TOP)
    assert decided is not None
    return Source(snapshot, [shelf.chunk(TOP, index) for index in range(3)], decided.app_hash)


@dataclass
class Newcomer:
    """A member's folder with an empty ledger, and what answers its engine."""

    settings: NodeSettings
    making: Making
    taker: Taker

    def offer(self, snapshot: Snapshot, app_hash: bytes, **changes: object) -> int:
        values: dict[str, object] = {
            "height": snapshot.height,
            "format": FORMAT,
            "chunks": len(snapshot.chunks),
            "hash": snapshot.hash,
            "metadata": snapshot.metadata,
        }
        offer = pb.Snapshot(**(values | changes))
        return self.taker.offer_snapshot(pb.RequestOfferSnapshot(snapshot=offer, app_hash=app_hash)).result

    def apply(self, index: int, chunk: bytes, sender: str = "peer") -> pb.ResponseApplySnapshotChunk:
        return self.taker.apply_snapshot_chunk(pb.RequestApplySnapshotChunk(index=index, chunk=chunk, sender=sender))

    def apply_all(self, chunks: list[bytes]) -> list[int]:
        """The results, as far as they are accepted."""
        results = []
        for index, chunk in enumerate(chunks):
            results.append(self.apply(index, chunk).result)
            if results[-1] != Applied.ACCEPT:
                break
        return results

    def height(self) -> int:
        return self.taker.info(pb.RequestInfo()).last_block_height

    def decide(self, height: int) -> None:
        with pytest.raises(NotYet):
            self.taker.finalize_block(pb.RequestFinalizeBlock(height=height))

    def mark(self) -> Mark | None:
        return read_mark(self.settings.folder)

    def in_place(self) -> SqlLedger:
        ledger = SqlLedger(files_of(self.settings)[0])
        ledger.open(read_directory(self.settings.folder).log_id, self.settings.name)
        return ledger


def newcomer_in(folder: Path) -> Newcomer:
    settings, directory = read_settings(folder), read_directory(folder)
    making = Making(settings, directory)
    return Newcomer(settings, making, Taker(settings, directory, making))


@pytest.fixture
def newcomer(laid_with_engines: Path, tmp_path: Path) -> Iterator[Newcomer]:  # noqa: F811
    shutil.copytree(laid_with_engines / "nodes" / "bank-b", tmp_path / "bank-b")
    write_mark(tmp_path / "bank-b", Mark())
    newcomer = newcomer_in(tmp_path / "bank-b")
    yield newcomer
    newcomer.making.close()


# ── honest peers ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_snapshot_becomes_the_ledger_when_the_engine_goes_on_from_it(newcomer: Newcomer, source: Source) -> None:
    assert newcomer.offer(source.snapshot, source.app_hash) == Offered.ACCEPT
    assert newcomer.height() == 0
    assert newcomer.apply_all(source.chunks) == [Applied.ACCEPT] * 3
    info = newcomer.taker.info(pb.RequestInfo())
    assert (info.last_block_height, info.last_block_app_hash, info.app_version) == (TOP, source.app_hash, 1)
    assert not newcomer.taker.is_placed
    newcomer.decide(TOP + 1)
    assert newcomer.taker.is_placed
    assert newcomer.mark() == Mark(TOP)
    ledger = newcomer.in_place()
    assert ledger.ordered(1) == source.blocks()
    assert ledger.decided(TOP).hash == block_hash(TOP)  # type: ignore[union-attr]
    ledger.close()
    assert not list(newcomer.settings.folder.glob(f"{MADE}*"))


def test_what_was_taken_executes_the_next_block_as_all_others_do(
    newcomer: Newcomer, source: Source, ledger: PlayedEngine
) -> None:
    """Not only the blocks: state, entries, labels, events, governance."""
    newcomer.offer(source.snapshot, source.app_hash)
    newcomer.apply_all(source.chunks)
    newcomer.decide(TOP + 1)
    opened = open_folder(newcomer.settings, FixedClock())
    try:
        core = ledger.members.open("core").view.ledger
        assert opened.view.ledger.epoch_material(1, TOP + 1) == core.epoch_material(1, TOP + 1)
        executes_as(opened.view, ledger)
    finally:
        opened.close()


def executes_as(view: View, ledger: PlayedEngine) -> None:
    """The blocks after the snapshot, as the engine brings them."""
    core = ledger.members.open("core").view.ledger
    application = EngineApplication(view, [])
    for height in range(TOP + 1, TOP + LATE + 1):
        header, decided = core.header(height), core.decided(height)
        assert header is not None
        assert decided is not None
        request = pb.RequestFinalizeBlock(
            txs=[data for _, data in core.transactions_of(height)], height=height, hash=decided.hash
        )
        request.time.seconds = header.time
        assert application.finalize_block(request).app_hash == decided.app_hash
        application.commit(pb.RequestCommit())
    assert view.ledger.newest() == core.newest()


def test_a_new_offer_begins_again_with_an_empty_ledger(newcomer: Newcomer, source: Source) -> None:
    newcomer.offer(source.snapshot, source.app_hash)
    newcomer.apply(0, source.chunks[0])
    assert newcomer.offer(source.snapshot, source.app_hash) == Offered.ACCEPT
    assert newcomer.apply_all(source.chunks) == [Applied.ACCEPT] * 3


def test_the_ledger_in_place_stays_empty_until_the_engine_goes_on(newcomer: Newcomer, source: Source) -> None:
    newcomer.offer(source.snapshot, source.app_hash)
    newcomer.decide(TOP + 1)  # before a chunk is here
    newcomer.apply_all(source.chunks)
    newcomer.decide(TOP + 2)  # not the block after the snapshot
    assert not newcomer.taker.is_placed
    newcomer.making.close()
    ledger = newcomer.in_place()
    assert ledger.newest() is None
    ledger.close()


# ── peers that lie ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_chunk_that_is_not_the_snapshots_is_asked_for_again_and_its_sender_believed_no_more(
    newcomer: Newcomer, source: Source
) -> None:
    newcomer.offer(source.snapshot, source.app_hash)
    for wrong in (b"", source.chunks[1], source.chunks[0][:-1], source.chunks[0] + b"\x00"):
        answer = newcomer.apply(0, wrong, "liar")
        assert (answer.result, answer.refetch_chunks, answer.reject_senders) == (Applied.RETRY, [0], ["liar"])
    assert newcomer.apply_all(source.chunks) == [Applied.ACCEPT] * 3


def test_chunks_out_of_order_end_it(newcomer: Newcomer, source: Source) -> None:
    assert newcomer.apply(0, source.chunks[0]).result == Applied.ABORT  # nothing was offered
    newcomer.offer(source.snapshot, source.app_hash)
    assert newcomer.apply(1, source.chunks[1]).result == Applied.ABORT
    newcomer.apply_all(source.chunks)
    assert newcomer.apply(0, source.chunks[0]).result == Applied.ABORT
    assert newcomer.apply(3, b"").result == Applied.ABORT


def test_another_format_is_refused_and_an_offer_that_contradicts_itself_with_whoever_made_it(
    newcomer: Newcomer, source: Source
) -> None:
    assert newcomer.offer(source.snapshot, source.app_hash, format=2) == Offered.REJECT_FORMAT
    for changes in (
        {"metadata": b""},
        {"hash": ZERO},
        {"height": TOP - 1},
        {"height": 1 << 63},
        {"chunks": 2},
        {"chunks": 1 << 31},
    ):
        assert newcomer.offer(source.snapshot, source.app_hash, **changes) == Offered.REJECT_SENDER
    other = replace(source.snapshot, log_id=sha256(b"another consortium"))
    assert newcomer.offer(other, source.app_hash) == Offered.REJECT_SENDER
    assert newcomer.offer(source.snapshot, b"short") == Offered.REJECT_SENDER


def refused(newcomer: Newcomer, snapshot: Snapshot, chunks: list[bytes], app_hash: bytes) -> None:
    """The snapshot is found false, forgotten, and never taken again, also by the next process."""
    assert newcomer.offer(snapshot, app_hash) == Offered.ACCEPT
    assert newcomer.apply_all(chunks)[-1] == Applied.REJECT_SNAPSHOT
    assert newcomer.height() == 0
    mark = newcomer.mark()
    assert mark is not None
    assert (mark.taken, mark.rejected[-1]) == (0, snapshot.hash)
    assert newcomer.offer(snapshot, app_hash) == Offered.REJECT_SENDER
    assert not newcomer.settings.path(MADE).exists()


def forged(source: Source, blocks: list[OrderedBlock]) -> tuple[Snapshot, list[bytes]]:
    """A snapshot whose hashes are right."""
    chunks = [Chunk(tuple(blocks[at : at + 2])).encode() for at in range(0, len(blocks), 2)]
    return replace(source.snapshot, chunks=tuple(map(chunk_hash, chunks))), chunks


def changed_header(**changes: Callable[[Block], object]) -> Callable[[OrderedBlock], OrderedBlock]:
    def change(ordered: OrderedBlock) -> OrderedBlock:
        block = Block.decode(ordered.data)
        header = replace(block.header, **{name: make(block) for name, make in changes.items()})
        return replace(ordered, data=replace(block, header=header).encode())

    return change


def changed_items(
    make: Callable[[tuple[tuple[int, bytes], ...]], tuple[tuple[int, bytes], ...]],
) -> Callable[[OrderedBlock], OrderedBlock]:
    """Other transactions, with the root that they have."""

    def change(ordered: OrderedBlock) -> OrderedBlock:
        block = Block.decode(ordered.data)
        items = make(block.items)
        header = replace(block.header, tx_count=len(items), tx_root=tx_root(items))
        return replace(ordered, data=Block(header, items).encode())

    return change


def flipped(items: tuple[tuple[int, bytes], ...]) -> tuple[tuple[int, bytes], ...]:
    """One bit of the last signature."""
    code, signed = items[-1]
    return (*items[:-1], (code, signed[:-1] + bytes([signed[-1] ^ 1])))


LIES: dict[str, Callable[[OrderedBlock], OrderedBlock]] = {
    "no block": lambda ordered: replace(ordered, data=b"no block"),
    "a byte more": lambda ordered: replace(ordered, data=ordered.data + b"\x00"),
    "a byte less": lambda ordered: replace(ordered, data=ordered.data[:-1]),
    "version": lambda ordered: replace(ordered, data=b"\x02" + ordered.data[1:]),
    "log_id": changed_header(log_id=lambda _: sha256(b"another consortium")),
    "height": changed_header(height=lambda block: block.header.height + 1),
    "previous_hash": changed_header(previous_hash=lambda _: ZERO),
    "a time that falls": changed_header(time=lambda _: START, epoch=lambda _: 1),
    "epoch": changed_header(epoch=lambda block: block.header.epoch + 1),
    "tx_count": changed_header(tx_count=lambda block: block.header.tx_count + 1),
    "tx_root": changed_header(tx_root=lambda _: ZERO),
    "state": changed_header(state=lambda _: ZERO),
    "code": changed_items(lambda items: tuple((3, signed) for _, signed in items)),
    "a transaction left out": changed_items(lambda items: items[1:]),
    "a transaction twice": changed_items(lambda items: (*items, *items)),
    "a signature": changed_items(flipped),
}


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("at", [3, 4], ids=["fourth block", "fifth block"])  # the last of a chunk, the first of one
def test_a_block_that_is_not_what_follows_makes_a_snapshot_false(
    newcomer: Newcomer, source: Source, lie: str, at: int
) -> None:
    blocks = source.blocks()
    assert Block.decode(blocks[at].data).items
    blocks[at] = LIES[lie](blocks[at])
    refused(newcomer, *forged(source, blocks), source.app_hash)


ORDERS: dict[str, Callable[[list[OrderedBlock]], list[OrderedBlock]]] = {
    "two blocks change places": lambda blocks: [blocks[1], blocks[0], *blocks[2:]],
    "a block is left out": lambda blocks: blocks[:2] + blocks[3:],
    "a block stands twice": lambda blocks: [*blocks[:3], *blocks[2:]],
    "the first block is missing": lambda blocks: blocks[1:],
    "the last block is missing": lambda blocks: blocks[:-1],
    "all stand twice": lambda blocks: blocks * 2,
}


@pytest.mark.parametrize("how", ORDERS)
def test_blocks_in_another_order_or_number_make_a_snapshot_false(newcomer: Newcomer, source: Source, how: str) -> None:
    refused(newcomer, *forged(source, ORDERS[how](source.blocks())), source.app_hash)


def test_chunks_that_end_elsewhere_than_honest_ones_make_a_snapshot_false(newcomer: Newcomer, source: Source) -> None:
    blocks = source.blocks()
    chunks = [Chunk(tuple(blocks[a:b])).encode() for a, b in ((0, 2), (2, 3), (3, 5), (5, 6))]
    refused(newcomer, replace(source.snapshot, chunks=tuple(map(chunk_hash, chunks))), chunks, source.app_hash)


def test_a_ledger_with_another_application_hash_than_the_engine_knows_is_false(
    newcomer: Newcomer, source: Source
) -> None:
    refused(newcomer, source.snapshot, source.chunks, sha256(b"what two thirds signed"))


def test_a_ledger_that_ends_below_the_height_it_is_offered_for_is_false(newcomer: Newcomer, source: Source) -> None:
    higher = replace(source.snapshot, height=TOP + 1)
    refused(newcomer, higher, source.chunks, source.app_hash)


def test_after_a_false_snapshot_a_true_one_is_taken(newcomer: Newcomer, source: Source) -> None:
    blocks = source.blocks()
    refused(newcomer, *forged(source, [*blocks[:4], blocks[5], blocks[4]]), source.app_hash)
    assert newcomer.offer(source.snapshot, source.app_hash) == Offered.ACCEPT
    assert newcomer.apply_all(source.chunks) == [Applied.ACCEPT] * 3


def test_a_snapshot_found_false_is_remembered_by_the_next_process(newcomer: Newcomer, source: Source) -> None:
    refused(newcomer, source.snapshot, source.chunks, ZERO)
    newcomer.making.close()
    again = newcomer_in(newcomer.settings.folder)
    assert again.offer(source.snapshot, source.app_hash) == Offered.REJECT_SENDER
    again.making.close()


# ── after the set has changed ────────────────────────────────────────────────────────────────────────────────────────

UPDATES = (2, TOP + 1)  # heights: one below the snapshot's, one above


@pytest.fixture(scope="module")
def changing(laid_with_engines: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlayedEngine]:  # noqa: F811
    """Set 2 is appointed in block 2 and votes from block 5 on; set 3 is appointed after the snapshot."""
    made = played.__wrapped__(laid_with_engines, tmp_path_factory.mktemp("changing"))  # type: ignore[attr-defined]
    engine: PlayedEngine = next(made)
    engine.decide()
    new = ["core", "supplier", "bank-a", "regulator"]
    first = ordered(engine, binding(engine, "regulator"), next_set(engine, new, from_size=4))
    for number in range(2, TOP + LATE + 1):
        engine.time = START + CADENCE * (number - 2) + 3
        before = engine.members.open("core").view.directory.roll.terms[-1].validators
        second = next_set(engine, new[:3], 9, before) if number == UPDATES[1] else b""
        engine.decide(
            txs=first
            if number == UPDATES[0]
            else ordered(engine, second, at=2, by=("supplier", "core", "bank-a"))
            if second
            else []
        )
    yield engine
    made.close()


def test_a_snapshot_over_changes_of_the_set_is_taken_and_goes_on_through_the_next(
    newcomer: Newcomer, changing: PlayedEngine
) -> None:
    source = source_of(changing)
    newcomer.offer(source.snapshot, source.app_hash)
    assert newcomer.apply_all(source.chunks) == [Applied.ACCEPT] * 3
    newcomer.decide(TOP + 1)
    opened = open_folder(newcomer.settings, FixedClock())
    try:
        assert [term.validators.set_id for term in opened.view.directory.roll.terms] == [1, 2]
        executes_as(opened.view, changing)
        terms = opened.view.directory.roll.terms
        assert terms == changing.members.open("core").view.directory.roll.terms
        assert [(term.validators.set_id, term.first_size) for term in terms] == [(1, 1), (2, 4), (3, 9)]
    finally:
        opened.close()


@pytest.mark.parametrize("lie", ["code", "a transaction left out", "a transaction twice", "a signature", "tx_root"])
def test_a_change_of_the_set_that_did_not_happen_so_makes_a_snapshot_false(
    newcomer: Newcomer, changing: PlayedEngine, lie: str
) -> None:
    source = source_of(changing)
    blocks = source.blocks()
    blocks[UPDATES[0] - 1] = LIES[lie](blocks[UPDATES[0] - 1])
    refused(newcomer, *forged(source, blocks), source.app_hash)


# ── our own store ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_broken_store_of_ours_is_no_lie_of_a_peer(
    newcomer: Newcomer, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    newcomer.offer(source.snapshot, source.app_hash)
    broken = StoreBroken(store="ledger", rule="readable and writable")

    def full(*_: object) -> None:
        raise broken

    with monkeypatch.context() as patch:
        patch.setattr(SqlLedger, "append", full)
        with pytest.raises(StoreBroken):
            newcomer.apply(0, source.chunks[0])
    assert newcomer.mark() == Mark()
    assert newcomer.offer(source.snapshot, source.app_hash) == Offered.ACCEPT
    assert newcomer.apply_all(source.chunks) == [Applied.ACCEPT] * 3


@pytest.mark.parametrize("name", [MADE, "ledger.db"])
def test_a_ledger_is_not_put_in_place_over_what_a_store_has_not_written_into_its_file(
    newcomer: Newcomer, source: Source, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    newcomer.offer(source.snapshot, source.app_hash)
    newcomer.apply_all(source.chunks)
    newcomer.making.close()
    newcomer.settings.path(f"{name}-wal").write_bytes(b"pages")
    monkeypatch.setattr(newcomer.making, "close", lambda: None)
    with pytest.raises(StoreBroken):
        newcomer.making.place()
    assert newcomer.settings.path(MADE).exists()
    newcomer.settings.path(f"{name}-wal").unlink()


# ── the engine, not told or too early ────────────────────────────────────────────────────────────────────────────────


def test_an_engine_that_would_begin_with_the_first_block_is_told_what_to_do(newcomer: Newcomer) -> None:
    with pytest.raises(SettingsMalformed):
        newcomer.taker.init_chain(pb.RequestInitChain())


def test_without_a_ledger_nothing_is_judged_proposed_offered_or_decided(newcomer: Newcomer) -> None:
    taker = newcomer.taker
    assert taker.process_proposal(pb.RequestProcessProposal()).status == pb.ResponseProcessProposal.REJECT
    assert not taker.prepare_proposal(pb.RequestPrepareProposal(txs=[b"one"])).txs
    assert taker.check_tx(pb.RequestCheckTx(tx=b"one")).code
    assert taker.query(pb.RequestQuery(path=f"/p2p/filter/id/{'ab' * 20}")).code == NO_MEMBER
    assert not taker.list_snapshots(pb.RequestListSnapshots()).snapshots
    assert not taker.load_snapshot_chunk(pb.RequestLoadSnapshotChunk(height=TOP)).chunk
    with pytest.raises(NotYet):
        taker.commit(pb.RequestCommit())


def test_beside_the_founders_those_are_let_in_whose_cards_lie_in_the_folder(
    ledger: PlayedEngine,
    newcomer: Newcomer,
) -> None:
    folder, directory = newcomer.settings.folder, read_directory(newcomer.settings.folder)
    _, card = applicant(ledger.members, "bank-z", engine=EngineAddress("bank-z.example:26656", "127.0.0.1:1"))
    forged = replace(card, member=replace(card.member, engine=f"{'ef' * 20}@bank-y.example:1"))
    for number, one in enumerate((card, forged)):
        ProposalStore(folder).keep(
            Proposal(
                log_id=directory.log_id,
                kind=ADMIT,
                name="bank-z",
                reason="",
                records=(),
                authorisers=(),
                expires_epoch=number,
                cards=(one,),
            )
        )
    known = letting_in(directory, folder)

    def asked(member: Member) -> int:
        return Doorkeeper(known).answer(pb.RequestQuery(path=f"/p2p/filter/id/{(member.engine or '')[:40]}")).code

    assert [asked(member) for member in (*directory.members, card.member)] == [0] * (len(directory.members) + 1)
    assert asked(forged.member) == NO_MEMBER
    assert not known.lets_in("nobody")


# ── the process ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_nothing_is_taken_over_a_ledger_that_has_blocks(newcomer: Newcomer, source: Source) -> None:
    newcomer.offer(source.snapshot, source.app_hash)
    newcomer.apply_all(source.chunks)
    newcomer.decide(TOP + 1)
    with pytest.raises(StoreBroken):
        newcomer_in(newcomer.settings.folder)


def test_two_processes_do_not_take_at_once(newcomer: Newcomer) -> None:
    with pytest.raises(StoreInUse):
        newcomer_in(newcomer.settings.folder)


def test_blocks_are_not_taken_before_a_beginning_nor_put_in_place_before_any_was_taken(
    newcomer: Newcomer, source: Source
) -> None:
    with pytest.raises(StoreBroken):
        newcomer.making.take(Chunk.decode(source.chunks[0]))
    newcomer.making.begin()
    with pytest.raises(StoreBroken):
        newcomer.making.place()


def test_a_member_that_was_not_ordered_to_takes_none(newcomer: Newcomer) -> None:
    newcomer.making.close()
    (newcomer.settings.folder / "sync.json").unlink()
    assert take_snapshot(newcomer.settings, [])


def test_the_process_ends_when_it_is_told_to(newcomer: Newcomer) -> None:
    newcomer.making.close()
    stops: list[Callable[[], object]] = []
    done: list[bool] = []
    thread = threading.Thread(target=lambda: done.append(take_snapshot(newcomer.settings, stops)))
    thread.start()
    while not stops:
        thread.join(0.01)
    for stop in stops:
        stop()
    thread.join(30)
    assert done == [False]


@pytest.mark.parametrize("is_placed", [True, False])
def test_what_ends_the_conversation_ends_the_process_or_lets_the_node_go_on(
    newcomer: Newcomer, monkeypatch: pytest.MonkeyPatch, *, is_placed: bool
) -> None:
    class Server:
        """An engine that asks at once what ends it."""

        def __init__(self, _path: Path, taker: Taker, ended: Callable[[Exception], object]) -> None:
            self.taker, self.ended = taker, ended

        def start(self) -> None:
            self.taker.is_placed = is_placed
            self.ended(SettingsMalformed(key="statesync", rule="enabled"))

        def stop(self) -> None:
            """Nothing to stop."""

    newcomer.making.close()
    monkeypatch.setattr(node_taking, "AbciServer", Server)
    if is_placed:
        assert take_snapshot(newcomer.settings, [])
    else:
        with pytest.raises(SettingsMalformed):
            take_snapshot(newcomer.settings, [])


# ── dead at any moment ───────────────────────────────────────────────────────────────────────────────────────────────


class Dead(BaseException):
    """The process is gone."""


WRITES: tuple[tuple[object, str], ...] = (
    (Making, "begin"),
    (Making, "take"),
    (SqlLedger, "append"),  # within the one commit of a chunk
    (Making, "place"),
    (node_making, "sync_path"),  # within `place`
    (Path, "rename"),
    (Making, "discard"),
    (node_taking, "write_mark"),
    (node_syncing, "sync_path"),  # within `write_mark`
    (Path, "replace"),
)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("count", range(3))
@pytest.mark.parametrize("write", WRITES, ids=lambda write: f"{write[0].__name__.split('.')[-1]}.{write[1]}")
def test_dead_at_any_durable_write_the_next_process_goes_on_to_the_same_ledger(
    newcomer: Newcomer,
    source: Source,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    write: tuple[object, str],
    count: int,
    when: str,
) -> None:
    """A false snapshot first, then the true one, so that every write happens. What the next process finds is the disk
    as it was in that moment: no store was closed."""
    blocks = source.blocks()
    lie = forged(source, [*blocks[:4], blocks[5], blocks[4]])
    seen, left = -1, newcomer.settings.folder
    owner, name = write
    real = getattr(owner, name)

    def die() -> None:
        nonlocal left
        left = tmp_path / "left"
        shutil.copytree(newcomer.settings.folder, left)
        raise Dead

    def doomed(*given: object) -> object:
        nonlocal seen
        seen += 1
        if seen == count and when == "before":
            die()
        done = real(*given)
        if seen == count:
            die()
        return done

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, doomed)
        with suppress(Dead):
            ends(newcomer, lie, source)
    newcomer.making.close()
    if awaits_snapshot(read_settings(left), read_directory(left)):
        ends(newcomer_in(left), lie, source)
    assert read_mark(left) == Mark(TOP)
    ledger = SqlLedger(files_of(read_settings(left))[0])
    ledger.open(read_directory(left).log_id, "bank-b")
    assert ledger.ordered(1) == blocks
    ledger.close()


def ends(newcomer: Newcomer, lie: tuple[Snapshot, list[bytes]], source: Source) -> None:
    """A lying peer, then an honest one."""
    if newcomer.offer(lie[0], source.app_hash) == Offered.ACCEPT:
        assert newcomer.apply_all(lie[1])[-1] == Applied.REJECT_SNAPSHOT
    assert newcomer.offer(source.snapshot, source.app_hash) == Offered.ACCEPT
    assert newcomer.apply_all(source.chunks) == [Applied.ACCEPT] * 3
    newcomer.decide(TOP + 1)


# ── what is remembered ───────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_remembered_is_read_as_it_was_written_and_has_an_end(tmp_path: Path) -> None:
    assert read_mark(tmp_path) is None
    mark = Mark(TOP)
    for number in range(MAX_REJECTED + 1):
        mark = mark.without(sha256(b"%d" % number))
    assert taken_height(tmp_path) == 0
    write_mark(tmp_path, mark)
    assert read_mark(tmp_path) == mark
    assert taken_height(tmp_path) == TOP
    assert [path.name for path in tmp_path.iterdir()] == ["sync.json"]
    assert (len(mark.rejected), mark.rejected[0]) == (MAX_REJECTED, sha256(b"1"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        '{"rejected":[]}',
        '{"rejected":[],"taken":-1}',
        '{"rejected":[],"taken":true}',
        '{"rejected":[],"taken":"1"}',
        '{"rejected":"","taken":1}',
        '{"rejected":["00"],"taken":1}',
        '{"rejected":["no hexadecimal digit"],"taken":1}',
        '{"rejected":[1],"taken":1}',
        '{"more":1,"rejected":[],"taken":1}',
        '{"rejected": [],"taken":1}',
    ],
)
def test_what_nobody_of_ours_wrote_is_not_read(tmp_path: Path, text: str) -> None:
    (tmp_path / "sync.json").write_text(text)
    with pytest.raises(StoreBroken):
        read_mark(tmp_path)


def test_errors_of_ours_alone_leave_the_taker(newcomer: Newcomer, source: Source) -> None:
    """Whatever a peer sends."""
    for data in (b"", b"\x00" * 40, source.chunks[0][::-1], bytes(1 << 20)):
        snapshot = replace(source.snapshot, chunks=(chunk_hash(data),))
        try:
            if newcomer.offer(snapshot, source.app_hash) == Offered.ACCEPT:
                assert newcomer.apply(0, data).result == Applied.REJECT_SNAPSHOT
        except BridgeError:  # pragma: no cover
            pytest.fail("an exception answer stops the engine")
