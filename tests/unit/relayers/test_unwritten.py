"""A look admits in memory what a tick would store, and the journal stays as it was."""

from pathlib import Path

from relayers.sql_journal import SqlJournalReader
from relayers.unwritten import Unwritten
from tests.crash.relay_world import Operator, World


def test_what_is_admitted_is_seen_beside_what_is_stored_and_not_stored(tmp_path: Path) -> None:
    operator = Operator(World(), tmp_path / "journal.db")
    world = operator.world
    for _ in range(2):
        world.consortium.close_epoch()
        operator.tick()
    relayer = operator.relayer()
    assert operator.journal is not None
    stored = operator.journal.newest_checkpoint()
    assert stored is not None
    assert stored.size == 3
    world.consortium.close_epoch()
    before = operator.journal.dump()
    reader = SqlJournalReader(operator.path, operator.scope)
    unwritten = Unwritten(reader)
    view = reader.view(world.now())
    seen = relayer.collector.collect(unwritten, view, relayer.observer.observe(view), world.now())
    assert [row.size for row in seen.checkpoints][-1] == 4
    newest = unwritten.newest_checkpoint()
    assert newest is not None
    assert (newest.size, unwritten.checkpoint(4)) == (4, newest)
    assert unwritten.checkpoint(3) == stored
    assert unwritten.neighbours(4)[0] == stored
    assert unwritten.neighbours(3)[1] == newest
    assert operator.journal.dump() == before
    assert operator.journal.checkpoint(4) is None
    reader.close()
    operator.close()
