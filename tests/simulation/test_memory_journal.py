"""The journal in memory keeps and refuses what the ones in SQL do, by their suite; and it plays a relayer's crashes.

Left out of the suite: what only a database can do, as refusing a stranger's statement or a second process at the door.
"""

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hybrid_bridge.errors import LeaseLost, StoreBroken
from hybrid_bridge.testing.crashing import Killed
from relayers.fsck import fsck
from relayers.journal import Brake, EvidenceRow, HaltRow, IntentState, Outcome, SightingRow, WishKind, WishRow
from tests.behaviours.journal_behaviour import OVERTAKE, JournalBehaviour
from tests.journals import PLENTY, SCOPE, begun, ours
from tests.simulation.consortium import log
from tests.simulation.memory_journal import MemoryJournal, MemoryStore, lift_halt, order
from tests.simulation.operator import WRITES, Interruption
from tests.simulation.test_directed import anchored, looked, settled, stage
from tests.unit.relayers.builders import T0, number_hash

FENCED = {"test_a_woken_former_holder_can_write_nothing", "test_nothing_to_keep_is_no_commit"}


class InMemory(JournalBehaviour):
    """The suite without what asks the database itself: its statements, its place, its doors."""

    def __init_subclass__(cls) -> None:
        for name, test in vars(JournalBehaviour).items():
            asked = set(inspect.signature(test).parameters) if name.startswith("test_") else set()
            if name not in FENCED and asked & {"place", "raw"}:
                setattr(cls, name, None)


class TestInMemory(InMemory):
    @pytest.fixture
    def place(self) -> Any:
        return MemoryStore(SCOPE)

    @pytest.fixture
    def journal(self, place: Any) -> Any:
        return MemoryJournal(place, "test", T0)

    @pytest.fixture
    def raw(self, place: Any) -> Callable[[str], list[Any]]:
        def ask(statement: str) -> list[Any]:
            assert statement == OVERTAKE
            place.lease = replace(place.lease, epoch=place.lease.epoch + 1)
            return []

        return ask

    def test_each_opening_takes_the_next_epoch_and_the_one_before_is_fenced(self, place: MemoryStore) -> None:
        first, second = MemoryJournal(place, "first", T0), MemoryJournal(place, "second", T0)
        assert (first.epoch, second.epoch) == (1, 2)
        with pytest.raises(LeaseLost):
            first.renew(T0)
        second.renew(T0)

    def test_what_a_person_orders_is_remembered(self, place: MemoryStore, journal: MemoryJournal) -> None:
        order(place, Brake.SOFT, T0)
        journal.halt(HaltRow("conflict", '{"size": 2}', T0))
        view = journal.view(T0)
        assert (view.brake, view.halted, journal.halt_evidence()) == (Brake.SOFT, "conflict", '{"size": 2}')
        lift_halt(place, T0)
        assert (journal.view(T0).brake, journal.view(T0).halted) == (Brake.SOFT, None)

    def test_a_wish_stands_until_another_attempt_is_dearer(self, place: MemoryStore, journal: MemoryJournal) -> None:
        begun(journal)  # type: ignore[arg-type]
        wish = WishRow(5, WishKind.CANCEL, None, "a person", T0)
        place.wishes.append(wish)
        assert journal.view(T0).wishes == {5: wish}
        journal.add_attempt(ours(), PLENTY)
        assert journal.view(T0).wishes == {}
        assert journal.dump().wishes == (wish,)

    def test_long_evidence_is_cut_and_a_public_block_is_seen_once(
        self, place: MemoryStore, journal: MemoryJournal
    ) -> None:
        begun(journal)  # type: ignore[arg-type]
        journal.add_attempt(ours(), PLENTY)
        journal.keep_evidence([EvidenceRow("b", "eth_call", "w" * 9999, "g" * 9999, None, T0)])
        seen = SightingRow(ours().hash, number_hash(95), 95, 1, T0)
        journal.keep_sightings([seen])
        journal.keep_sightings([replace(seen, status=0)])
        assert [(len(row.wanted), len(row.got)) for row in place.evidence] == [(4096, 4096)]
        assert list(place.sightings.values()) == [seen]

    def test_a_refused_write_changes_nothing(self, journal: MemoryJournal) -> None:
        intent = begun(journal)  # type: ignore[arg-type]
        journal.add_attempt(ours(), PLENTY)
        before = journal.dump()
        settled_for_nothing = replace(intent, state=IntentState.FINALIZED)
        for write in (
            lambda: journal.settle_intent(settled_for_nothing),
            lambda: journal.add_attempt(ours(), PLENTY),
            lambda: journal.open_slot(5),
            lambda: journal.open_intent(journal.checkpoint(2), T0),  # type: ignore[arg-type]
        ):
            with pytest.raises(StoreBroken):
                write()
        assert journal.dump() == before

    def test_most_of_the_suite_is_played(self) -> None:
        assert sum(callable(getattr(self, name)) for name in vars(JournalBehaviour) if name.startswith("test_")) >= 20


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_at_any_effect_loses_and_doubles_nothing(when: str) -> None:
    """Cases 1, 2, 3, 4: as on the disk, once for each effect of a whole life; `fsck` and the oracle agree."""

    def die() -> None:
        raise Killed

    for number in range(40):
        world, operator = stage()
        world.consortium.close_epoch()
        seen: list[str] = []
        for _ in range(9):
            process = operator.process or operator.start()
            operator.tick(Interruption(number - len(seen), when, die))
            seen += process.seen
            world.network.mine()
        settled(world)
        assert anchored(world) == [2]
        assert operator.deaths == (number < len(seen))
        dump = operator.process.journal.dump() if operator.process else None
        assert dump is not None
        assert fsck(dump, log(), operator.endpoints[0], operator.fees) == []
        assert [final.outcome for final in dump.finals] == [Outcome.OK]


def test_a_happy_life_has_every_write_of_an_anchor() -> None:
    world, operator = stage()
    world.consortium.close_epoch()
    seen: set[str] = set()
    for _ in range(8):
        looked(operator)
        assert operator.process is not None
        seen |= set(operator.process.seen)
        world.network.mine()
    beside = {"halt", "open_rotation", "keep_evidence"}
    assert seen == (WRITES - beside) | {"sign", "broadcast"}
