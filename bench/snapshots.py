"""A new member's way to the ledger: chunks of a snapshot, one commit each, against block by block as block sync asks.

Both execute every block by the same code, with all signatures. Of block sync this is our half alone: what the engine
does beside it (fetch, verify and store each block, write its log) comes on top and is not measured.
"""

import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.harness import Comparison, Contender, same
from hybrid_bridge.core.snapshot import Chunk
from hybrid_bridge.node.directory import read_directory
from hybrid_bridge.node.engine import EngineApplication
from hybrid_bridge.node.founding import found
from hybrid_bridge.node.laying import lay
from hybrid_bridge.node.making import Making
from hybrid_bridge.node.opening import open_folder
from hybrid_bridge.node.settings import read_settings
from hybrid_bridge.node.snapshots import LATE, Shelf
from hybrid_bridge.rpc.cometbft.tendermint.abci import types_pb2 as pb
from tests.unit.hybrid_bridge.node.members import START, FixedClock, Members, randomness
from tests.unit.hybrid_bridge.node.test_engine import PlayedEngine, engine_plan, waiting

BLOCKS, EACH = 80, 4  # every second block is empty, as on a ledger that idles now and then


class Waited(Comparison):
    """The same by the clock on the wall: what a commit costs is waiting for the disk."""

    def measure(self, rounds: int = 3) -> None:
        self.samples = {one.name: [] for one in self.contenders}
        for number in range(rounds + 1):
            for one in self.contenders:
                begin = time.perf_counter()
                one.run()
                if number:
                    self.samples[one.name].append((time.perf_counter() - begin) / one.times)


@dataclass
class Ledger:
    """Somebody's blocks, and a folder as the founders made it for each run."""

    root: Path
    chunks: list[bytes]
    requests: list[pb.RequestFinalizeBlock]
    app_hash: bytes

    def fresh(self) -> Path:
        folder = Path(tempfile.mkdtemp(dir=self.root)) / "bank-b"
        shutil.copytree(self.root / "founded", folder)
        return folder

    def by_chunks(self) -> bytes:
        settings = read_settings(self.fresh())
        making = Making(settings, read_directory(settings.folder))
        making.begin()
        for chunk in self.chunks:
            making.take(Chunk.decode(chunk))
        newest = making.newest
        making.close()
        assert newest is not None
        return newest.app_hash

    def by_blocks(self) -> bytes:
        opened = open_folder(read_settings(self.fresh()), FixedClock())
        application, found = EngineApplication(opened.view, []), b""
        for request in self.requests:
            found = application.finalize_block(request).app_hash
            application.commit(pb.RequestCommit())
        opened.close()
        return found


def ledger(root: Path) -> Ledger:
    foundation = found(engine_plan(), randomness(), START)
    lay(foundation, root / "out")
    shutil.copytree(root / "out" / "nodes" / "bank-b", root / "founded")
    members = Members(root / "out", foundation)
    with members.stack:
        engine = PlayedEngine(members)
        engine.decide()
        left = iter(waiting(engine, "supplier", BLOCKS // 2 * EACH))
        for height in range(2, BLOCKS + LATE + 1):
            engine.time = START + height // 10
            txs = [next(left) for _ in range(EACH)] if height % 2 and height <= BLOCKS else []
            engine.decide(txs=txs, names=("core",))
        view = members.open("core").view
        shelf = Shelf(view.ledger, view.directory.log_id, view.directory.genesis.first_block, BLOCKS)
        shelf.extend(view.progress.tip)
        (snapshot,) = shelf.offered()
        requests = []
        for height in range(1, BLOCKS + 1):
            header, decided = view.ledger.header(height), view.ledger.decided(height)
            assert header is not None
            assert decided is not None
            txs = [data for _, data in view.ledger.transactions_of(height)]
            requests.append(pb.RequestFinalizeBlock(txs=txs, height=height, hash=decided.hash))
            requests[-1].time.seconds = header.time
        chunks = [shelf.chunk(BLOCKS, index) for index in range(len(snapshot.chunks))]
        newest = view.ledger.decided(BLOCKS)
        assert newest is not None
        return Ledger(root, chunks, requests, newest.app_hash)


def comparisons() -> Iterator[Comparison]:
    # On a real disk: a commit waits for it, and memory would hide that.
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        made = ledger(Path(folder))
        same(made.app_hash, made.by_chunks(), made.by_blocks())
        for kind, clock in ((Comparison, "CPU"), (Waited, "by the clock")):
            yield kind(f"take a ledger of {BLOCKS} blocks, {BLOCKS // 2 * EACH} transactions, {clock}", "block", [
                Contender("ours, chunks of a snapshot", made.by_chunks, BLOCKS),
                Contender("block by block, without the engine's half", made.by_blocks, BLOCKS),
            ])  # fmt: skip
