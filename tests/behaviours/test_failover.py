"""A member's database dies for good, and its standby takes its place at the same address."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hybrid_bridge.errors import BridgeError, StoreAway, StoreBroken
from hybrid_bridge.node.founding import found
from hybrid_bridge.node.laying import lay
from hybrid_bridge.node.moving import move
from hybrid_bridge.node.settings import read_settings
from hybrid_bridge.units import Height
from tests import engines
from tests.unit.hybrid_bridge.node.members import CADENCE, START, VALIDATORS, Members, plan, randomness, started

SEQUENCER, MEMBER = "core", "bank-a"  # both have their stores in it
BLOCKS = 20
LOST = "its server lost some"


@pytest.fixture
def cluster() -> Iterator[engines.Postgresql]:
    with engines.postgresql() as server:
        for _ in (SEQUENCER, MEMBER):
            server.database()
        yield server


@pytest.fixture
def standby(cluster: engines.Postgresql) -> Iterator[engines.Postgresql]:
    replica = cluster.standby("standby")
    yield replica
    replica.stop()


@pytest.fixture
def members(tmp_path: Path, cluster: engines.Postgresql) -> Iterator[Members]:
    foundation = found(plan(), randomness(), START)
    lay(foundation, tmp_path / "out")
    members = Members(tmp_path / "out", foundation)
    for number, name in enumerate((SEQUENCER, MEMBER), 1):
        folder = members.folder(name)
        secret = folder / "database.password"
        secret.write_text(cluster.password + "\n")
        secret.chmod(0o600)
        place = f"postgresql://bridge@127.0.0.1:{cluster.port}/made_{number}?password=file:database.password"
        move(read_settings(folder), place)
    with members.stack:
        yield members


def in_step(cluster: engines.Postgresql) -> None:
    """From now on a commit is one only when the standby has it, too."""
    cluster.ask("ALTER SYSTEM SET synchronous_standby_names = '*'")
    cluster.ask("SELECT pg_reload_conf()")
    cluster.child.until(
        lambda: cluster.ask("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"), "a standby in step"
    )


def test_a_standby_in_step_takes_over_and_every_commit_is_there_once(
    members: Members, cluster: engines.Postgresql, standby: engines.Postgresql
) -> None:
    """The database dies under load: what was said to stand stands, what was not is asked again, and blocks follow on."""
    started(members)
    in_step(cluster)
    said: list[bytes] = []  # blocks that were said to be made
    refused: set[type[BridgeError]] = set()
    under_way, mended = threading.Event(), threading.Event()

    def make(number: int) -> bytes:
        """A block, asked for again while the database is away."""
        while True:
            try:
                return members.order(START + number).data
            except BridgeError as error:
                refused.add(type(error))
                under_way.set()
                assert mended.wait(120)

    def work() -> None:
        for number in range(1, BLOCKS + 1):
            said.append(make(number))
            if number == BLOCKS // 4:
                under_way.set()

    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(work)
        assert under_way.wait(120)
        cluster.stop()
        standby.take_over(cluster)
        mended.set()
        working.result(120)
    view = members.reopen(SEQUENCER).view
    made = view.ledger.blocks(Height(2))
    assert [block.data for block in made if block.data in said] == said
    assert (len(said), refused - {StoreAway}) == (BLOCKS, set())
    for block in made:
        members.spread(block)
    members.spread(members.order(START + BLOCKS + CADENCE))
    for name in VALIDATORS:
        members.close_epoch(name)
    assert len({members.open(name).view.chain.tip.block_hash for name in VALIDATORS}) == 1
    assert len({members.open(name).view.logbook.root() for name in VALIDATORS}) == 1


def test_a_standby_that_was_behind_is_found_out_and_nobody_is_accused_on_it(
    members: Members, cluster: engines.Postgresql, standby: engines.Postgresql
) -> None:
    """What is lost is not the sequencer's fault: its next block would not follow on what the standby has."""
    started(members)
    for name in VALIDATORS:
        if name != SEQUENCER:
            members.open(name)
    newest = cluster.ask("SELECT pg_current_wal_lsn()::text")[0][0]
    caught_up = f"SELECT 1 WHERE pg_last_wal_replay_lsn() >= '{newest}'"
    standby.child.until(lambda: standby.ask(caught_up), "the standby to follow")
    standby.child.stop()
    members.spread(members.order(START + 1))
    on_its_way = members.order(START + 2)
    cluster.stop()
    standby.take_over(cluster)
    with pytest.raises(StoreBroken, match=LOST):
        members.order(START + 3)
    with pytest.raises(StoreBroken, match=LOST):
        members.accept(MEMBER, on_its_way)
    view = members.open(MEMBER).view
    assert (view.brake.reason, view.witness.kept()) == ("", [])
