"""A real process, killed with SIGKILL before and after each effect in turn; a new one goes on from the disk."""

import signal
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from hybrid_bridge.testing.memory_chain import MemoryChain
from hybrid_bridge.units import Wei
from relayers.fsck import fsck
from relayers.sql_journal import SqlJournalReader, create_journal
from tests.crash.relay_child import main
from tests.crash.relay_world import (
    BORN,
    CHAIN_EFFECTS,
    DEPTH,
    ETHER,
    JOURNAL_WRITES,
    NOT_ON_THE_HAPPY_PATH,
    SIGNER_EFFECTS,
    World,
    scope_for,
)

PROCESSES = get_context("forkserver")  # imports once, then forks: a child starts in milliseconds
PROCESSES.set_forkserver_preload(["tests.crash.relay_child"])
NAME = "operator 0"
EPOCHS = 1
QUIET_TICKS = DEPTH + 2


@dataclass
class Parent:
    """Serves the chain to one child after another; kills each at the first effect nobody was killed at before."""

    folder: Path
    world: World = field(default_factory=World)
    killed_at: list[tuple[str, str]] = field(default_factory=list)
    quiet: int = 0

    def __post_init__(self) -> None:
        self.chain = MemoryChain(self.world.network, final_depth=DEPTH)
        self.world.network.fund(self.world.signer(NAME).address(), Wei(ETHER))
        self.world.network.mine()
        for _ in range(EPOCHS):
            self.world.consortium.close_epoch()
        create_journal(self.journal, scope_for(self.world, NAME), BORN)

    @property
    def journal(self) -> Path:
        return self.folder / "journal.db"

    def run(self) -> None:
        while self.quiet < QUIET_TICKS:
            ours, theirs = PROCESSES.Pipe()
            child = PROCESSES.Process(target=main, args=(theirs, self.journal, EPOCHS))
            child.start()
            theirs.close()
            self.serve(child, ours)
            ours.close()

    def serve(self, child: BaseProcess, line: Connection) -> None:
        while True:
            match line.recv():
                case ("chain", name, args, kwargs):
                    line.send(getattr(self.chain, name)(*args, **kwargs))
                case ("effect", name, when) if (name, when) not in self.killed_at:
                    self.killed_at.append((name, when))
                    child.kill()
                    child.join()
                    assert child.exitcode == -signal.SIGKILL
                    return
                case ("effect", _, _):
                    line.send("go")
                case ("ticked", done):
                    self.world.network.mine()
                    self.quiet = 0 if set(done) - {"RecordHeader"} else self.quiet + 1
                    line.send("go" if self.quiet < QUIET_TICKS else "stop")
                    if self.quiet >= QUIET_TICKS:
                        child.join()
                        assert child.exitcode == 0
                        return


@pytest.fixture
def parent(tmp_path: Path) -> Parent:
    return Parent(tmp_path)


def test_a_process_killed_at_every_effect_in_turn_anchors_once(parent: Parent) -> None:
    """Case 6."""
    parent.run()
    effects = (JOURNAL_WRITES | CHAIN_EFFECTS | SIGNER_EFFECTS) - NOT_ON_THE_HAPPY_PATH
    assert set(parent.killed_at) == {(name, when) for name in effects for when in ("before", "after")}
    world = parent.world
    assert [event.tree_size for event in world.network.events()] == [world.consortium.size]
    assert len(world.network.transactions_of(world.signer(NAME).address())) == 1
    reader = SqlJournalReader(parent.journal, scope_for(world, NAME))
    dump = reader.dump()
    reader.close()
    assert fsck(dump, world.log, parent.chain) == []
    assert set(world.network.received) <= {attempt.raw for attempt in dump.attempts}
