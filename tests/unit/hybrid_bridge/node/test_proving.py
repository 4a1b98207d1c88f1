"""A ledger taken from a snapshot signs nothing before others have signed that it is theirs."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import pytest

from hybrid_bridge.core.block import Block
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.snapshot import OrderedBlock
from hybrid_bridge.node.closing import Closer
from hybrid_bridge.node.engine import EngineApplication
from hybrid_bridge.node.opening import Opened, open_folder
from hybrid_bridge.node.proving import FALSE, LOOKED, ProvenFirst, Proving, prove
from hybrid_bridge.node.syncing import Mark, remove_mark, write_mark
from hybrid_bridge.node.view import View
from hybrid_bridge.node.witnessing import Watch
from hybrid_bridge.rpc.cometbft.tendermint.abci import types_pb2 as pb
from hybrid_bridge.rpc.v1 import bridge_pb2
from hybrid_bridge.steps.batch import ClosingKeys
from hybrid_bridge.units import EpochNumber, TreeSize
from tests.unit.hybrid_bridge.node.members import VALIDATORS, FixedClock, Members
from tests.unit.hybrid_bridge.node.test_engine import PlayedEngine, laid_with_engines, played  # noqa: F401 fixtures
from tests.unit.hybrid_bridge.node.test_restoring import sign
from tests.unit.hybrid_bridge.node.test_taking import (  # noqa: F401 fixtures
    TOP,
    Applied,
    Newcomer,
    Source,
    _small_chunks,
    forged,
    ledger,
    newcomer,
    source,
)
from tests.unit.hybrid_bridge.node.test_witnessing import Peer as Saying

OTHERS = [name for name in VALIDATORS if name != "bank-b"]
COVERS = 3  # the size of the first checkpoint that covers block 6


@pytest.fixture(scope="module")
def others(ledger: PlayedEngine) -> Members:  # noqa: F811
    """They have signed each block, and the checkpoints of both epochs that are over."""
    for name in OTHERS:
        for _ in range(COVERS - 1):
            ledger.members.close_epoch(name)
    sign(ledger.members, *OTHERS, heard_by=OTHERS)
    return ledger.members


Change = Callable[[list[OrderedBlock]], list[OrderedBlock]]


class Joined:
    """A member over a ledger that it took, which has executed the blocks after it and closed what is over."""

    def __init__(self, newcomer: Newcomer, source: Source, others: Members, change: Change) -> None:  # noqa: F811
        snapshot, chunks = forged(source, change(source.blocks()))
        newcomer.offer(snapshot, source.app_hash)
        assert newcomer.apply_all(chunks) == [Applied.ACCEPT] * 3
        newcomer.decide(TOP + 1)
        self.folder, self.others = newcomer.settings.folder, others
        self.opened: Opened = open_folder(newcomer.settings, FixedClock())
        self.view: View = self.opened.view
        core, application = others.open("core").view.ledger, EngineApplication(self.view, [])
        for height in (TOP + 1, TOP + 2):
            transactions = [data for _, data in core.transactions_of(height)]
            request = pb.RequestFinalizeBlock(txs=transactions, height=height, hash=core.decided(height).hash)  # type: ignore[union-attr]
            request.time.seconds = core.header(height).time  # type: ignore[union-attr]
            application.finalize_block(request)
            application.commit(pb.RequestCommit())
        closer = Closer(self.view.ledger, self.view.logbook, self.view.directory, self.view.progress)
        assert self.view.keys.secret is not None
        for _ in range(COVERS - 1):
            closer.close_next(ClosingKeys(secret=self.view.keys.secret, vrf_seed=self.view.keys.vrf))

    @property
    def proving(self) -> Proving:
        return Proving(self.view, TOP)

    def hears(self, name: str, *, words: bool = True, sizes: Sequence[int] = ()) -> None:
        """What another member has signed: blocks from the snapshot on, and checkpoints of these sizes."""
        theirs = self.others.open(name).view
        said = theirs.witness.of(self.others.key_id(name), TOP - 1) if words else []
        signed = [] if theirs.address is None else theirs.epochs.attested(theirs.address, TreeSize(0))
        rows = [
            bridge_pb2.SizedSignature(size=one.size, root=one.root, signature=one.signature)
            for one in signed
            if one.size in sizes
        ]
        Watch(self.view, since=TOP).ask(Saying(name, said, rows), 0.0)  # type: ignore[arg-type]

    def prove(self) -> bool:
        """One look, then the node ends."""
        self.view.progress.wait = lambda *_: self.view.progress.stop()  # type: ignore[method-assign,assignment,func-returns-value]
        return prove(self.view, self.folder)


def honest(blocks: list[OrderedBlock]) -> list[OrderedBlock]:
    return blocks


def another_time(blocks: list[OrderedBlock]) -> list[OrderedBlock]:
    """Of an empty block, within its epoch: no hash that the engine signs has it."""
    block = Block.decode(blocks[-1].data)
    assert not block.items
    changed = replace(block, header=replace(block.header, time=block.header.time - 1))
    return [*blocks[:-1], replace(blocks[-1], data=changed.encode())]


def another_name(blocks: list[OrderedBlock]) -> list[OrderedBlock]:
    """What the engine calls the last block of an epoch: only the epoch record has it."""
    return [*blocks[:-1], replace(blocks[-1], hash=sha256(b"another"))]


@pytest.fixture
def joining(newcomer: Newcomer, source: Source, others: Members) -> Iterator[Callable[[Change], Joined]]:  # noqa: F811
    with ExitStack() as stack:

        def join(change: Change) -> Joined:
            joined = Joined(newcomer, source, others, change)
            stack.enter_context(closing(joined.opened))
            return joined

        yield join


def test_what_a_quorum_but_one_of_others_signed_is_proven_and_the_member_is_like_the_others(
    joining: Callable[[Change], Joined],
) -> None:
    joined = joining(honest)
    assert not joined.proving.is_proven()
    assert not joined.prove()
    for name in OTHERS[:2]:
        assert not joined.proving.is_proven()
        joined.hears(name, sizes=[COVERS])
    assert joined.proving.is_proven()
    assert not joined.proving.is_false()
    assert (joined.folder / "sync.json").exists()
    joined.view.progress._stopping = False
    assert joined.prove()
    assert not (joined.folder / "sync.json").exists()
    assert prove(joined.view, joined.folder)  # nothing is to be proven any more
    assert joined.view.brake.reason == ""


def test_blocks_alone_or_checkpoints_alone_prove_nothing(joining: Callable[[Change], Joined]) -> None:
    joined = joining(honest)
    for name in OTHERS:
        joined.hears(name)
    assert not joined.proving.is_proven()
    joined.hears(OTHERS[0], words=False, sizes=[COVERS])
    assert not joined.proving.is_proven()


def test_checkpoints_without_blocks_prove_nothing(joining: Callable[[Change], Joined]) -> None:
    joined = joining(honest)
    for name in OTHERS:
        joined.hears(name, words=False, sizes=[COVERS])
    joined.hears(OTHERS[0])
    assert not joined.proving.is_proven()


def test_a_checkpoint_from_before_the_snapshot_proves_nothing(joining: Callable[[Change], Joined]) -> None:
    joined = joining(honest)
    for name in OTHERS:
        joined.hears(name, sizes=[COVERS - 1])
    assert not joined.proving.is_proven()
    assert joined.view.logbook.record(EpochNumber(COVERS - 2)).end_block <= TOP


def test_who_has_no_vote_and_we_ourselves_count_for_nothing(joining: Callable[[Change], Joined]) -> None:
    joined = joining(honest)
    joined.hears(OTHERS[0], sizes=[COVERS])
    joined.hears("regulator", sizes=[COVERS])
    joined.view.brake.release()  # as if somebody had lost `sync.json`
    joined.view.chain.speak(joined.view.keys.identity)
    sign_alone(joined)
    assert not joined.proving.is_proven()


def sign_alone(joined: Joined) -> None:
    """Our own signature."""
    members = Members(joined.folder.parent, joined.others.foundation)
    members.opened["bank-b"] = joined.opened
    sign(members, "bank-b", heard_by=["bank-b"])


@pytest.mark.parametrize("lie", [another_time, another_name])
def test_what_the_application_hash_does_not_bind_others_signatures_do(
    joining: Callable[[Change], Joined], lie: Change
) -> None:
    joined = joining(lie)
    joined.hears(OTHERS[0], sizes=[COVERS])
    assert not joined.proving.is_false()  # one may lie
    joined.hears(OTHERS[1], sizes=[COVERS])
    assert joined.proving.is_false()
    assert not joined.proving.is_proven()
    assert not joined.prove()
    assert joined.view.brake.reason == FALSE
    assert (joined.folder / "sync.json").exists()


def test_of_many_checkpoints_only_the_newest_are_looked_at(
    joining: Callable[[Change], Joined], monkeypatch: pytest.MonkeyPatch
) -> None:
    joined = joining(honest)
    monkeypatch.setattr("hybrid_bridge.node.proving.LOOKED", 0)
    for name in OTHERS:
        joined.hears(name, sizes=[COVERS])
    assert not joined.proving.is_proven()
    assert LOOKED >= 64


def test_a_member_without_a_vote_wants_a_whole_quorum(joining: Callable[[Change], Joined]) -> None:
    joined = joining(honest)
    validators = joined.view.directory.validators
    assert joined.proving.needed(validators) == 2
    bare = replace(joined.view, keys=replace(joined.view.keys, attestation=None))
    assert Proving(bare, TOP).needed(validators) == 3


def test_a_folder_that_took_nothing_has_nothing_to_prove(tmp_path: Path) -> None:
    assert prove(None, tmp_path)  # type: ignore[arg-type]


class Promising:
    """Says whose promise it is."""

    def __init__(self, name: str) -> None:
        self.name = name

    def submit(self, signed: Sequence[bytes]) -> list[bridge_pb2.SubmitResult]:
        return [bridge_pb2.SubmitResult(promise=self.name.encode()) for _ in signed]


def test_others_promise_as_long_as_ours_is_not_proven(tmp_path: Path) -> None:
    first = ProvenFirst(Promising("own"), Promising("others"), tmp_path)
    write_mark(tmp_path, Mark(TOP))
    assert [one.promise for one in first.submit([b"", b""])] == [b"others"] * 2
    remove_mark(tmp_path)
    assert [one.promise for one in first.submit([b""])] == [b"own"]
