"""Two real processes, one gas key, one database: the one that sleeps past its lease wakes up and can insert nothing."""

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

from hybrid_bridge.testing.memory_chain import MemoryChain
from hybrid_bridge.units import Wei
from relayers.fsck import fsck
from relayers.journal_place import PostgresPlace
from relayers.sql_journal import SqlJournalReader, create_journal
from tests import engines
from tests.crash.relay_child import main
from tests.crash.relay_world import BORN, DEPTH, ETHER, World, scope_for

PROCESSES = get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.crash.relay_child"])
NAME = "operator 0"
QUIET_TICKS = DEPTH + 2


@pytest.fixture(scope="module")
def cluster() -> Iterator[engines.Postgresql]:
    with engines.postgresql() as server:
        server.database()
        yield server


@dataclass
class Parent:
    """Serves the public chain to its children; what it does not answer makes a child wait."""

    place: PostgresPlace
    world: World = field(default_factory=World)

    def __post_init__(self) -> None:
        self.chain = MemoryChain(self.world.network, final_depth=DEPTH)
        self.world.network.fund(self.world.signer(NAME).address(), Wei(ETHER))
        self.world.network.mine()
        self.world.consortium.close_epoch()
        create_journal(self.place, scope_for(self.world, NAME), BORN)

    def start(self) -> tuple[BaseProcess, Connection]:
        ours, theirs = PROCESSES.Pipe()
        child = PROCESSES.Process(target=main, args=(theirs, self.place, 1))
        child.start()
        theirs.close()
        return child, ours

    def serve(self, line: Connection, is_enough: Callable[[Any], bool]) -> Any:
        """Answer until a message is enough; that one is not answered. None when the child is gone."""
        while True:
            try:
                message = line.recv()
            except EOFError:
                return None
            if is_enough(message):
                return message
            match message:
                case ("chain", name, args, kwargs):
                    line.send(getattr(self.chain, name)(*args, **kwargs))
                case ("ticked", _):
                    self.world.network.mine()
                    line.send("go")
                case _:
                    line.send("go")


class Quiet:
    """So many ticks without a deed."""

    def __init__(self) -> None:
        self.ticks = 0

    def __call__(self, message: Any) -> bool:
        if message[0] == "ticked":
            self.ticks = 0 if set(message[1]) - {"RecordHeader"} else self.ticks + 1
        return self.ticks >= QUIET_TICKS


@pytest.mark.parametrize("asleep", [("add_attempt", "before"), ("broadcast", "before")])
def test_a_leader_that_slept_past_its_lease_inserts_nothing_and_no_nonce_is_used_twice(
    cluster: engines.Postgresql, tmp_path: Path, asleep: tuple[str, str]
) -> None:
    parent = Parent(cluster.place(tmp_path))
    first, to_first = parent.start()
    assert parent.serve(to_first, lambda message: message == ("effect", *asleep))
    os.kill(first.pid, signal.SIGSTOP)
    cluster.ask("UPDATE lease SET until = until - 61", parent.place.name)  # a minute goes by
    second, to_second = parent.start()
    parent.serve(to_second, Quiet())
    before = dump(parent)
    os.kill(first.pid, signal.SIGCONT)
    to_first.send("go")
    assert parent.serve(to_first, lambda _: False) is None
    first.join()
    assert first.exitcode == 1  # LeaseLost ended it
    assert dump(parent) == before
    to_second.send("stop")
    second.join()
    assert second.exitcode == 0
    world = parent.world
    assert [event.tree_size for event in world.network.events()] == [world.consortium.size]
    assert len(world.network.transactions_of(world.signer(NAME).address())) == 1
    assert fsck(before, world.log, parent.chain) == []
    assert set(world.network.received) <= {attempt.raw for attempt in before.attempts}


def dump(parent: Parent) -> Any:
    reader = SqlJournalReader(parent.place, scope_for(parent.world, NAME))
    try:
        return reader.dump()
    finally:
        reader.close()
