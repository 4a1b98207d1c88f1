"""A person's orders reach a relayer that holds its journal; its copies are whole while it writes."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hybrid_bridge.errors import SettingsMalformed, StayHalted, StoreBroken
from hybrid_bridge.testing.memory_chain import GWEI
from relayers.desk import Desk, Orders
from relayers.fsck import fsck
from relayers.journal import Brake, HaltRow
from relayers.sql_journal import SqlJournal
from tests.crash.relay_world import BORN, DEPTH, Operator, World


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[Operator]:
    operator = Operator(World(), tmp_path / "journal.db")
    yield operator
    operator.close()


@pytest.fixture
def order(operator: Operator) -> Iterator[Callable[[Brake], None]]:
    """Through another connection than the relayer's, as another process has one."""
    orders = Orders(operator.path, operator.scope)
    yield lambda brake: orders.set_brake(brake, "a person", operator.world.now())
    orders.close()


def reason(operator: Operator) -> str:
    done = operator.tick()
    assert done is not None
    return done.reason


def test_a_brake_set_beside_the_running_relayer_holds_from_the_next_tick_on(
    operator: Operator, order: Callable[[Brake], None]
) -> None:
    assert reason(operator) == "nothing_due"
    order(Brake.SOFT)
    operator.world.consortium.close_epoch()
    assert reason(operator) == "braked"
    order(Brake.RUN)
    operator.tick()
    assert operator.world.network.pending
    with Desk(operator.path, operator.scope) as desk:
        assert (desk.control().brake, desk.control().by) == (Brake.RUN, "a person")
        assert desk.lease().holder == operator.name


def test_a_drain_ends_what_is_in_flight_and_then_says_so(operator: Operator, order: Callable[[Brake], None]) -> None:
    """Case 30."""
    operator.world.consortium.close_epoch()
    operator.tick()
    order(Brake.DRAIN)
    operator.world.consortium.close_epoch()  # comes too late
    reasons = []
    for _ in range(DEPTH + 4):
        operator.world.network.mine()
        reasons.append(reason(operator))
    assert reasons[-1] == "drained"
    assert [event.tree_size for event in operator.world.network.events()] == [2]
    assert operator.fsck() == []


def test_a_drain_uses_up_a_nonce_that_another_operator_made_useless(
    operator: Operator, order: Callable[[Brake], None], tmp_path: Path
) -> None:
    world = operator.world
    world.consortium.close_epoch()
    operator.tick()
    world.network.evict()  # every pool lost it
    other = Operator(world, tmp_path / "other.db", "operator 1")
    try:
        other.tick()
        world.network.mine(only=[t.hash for t in world.network.pending])
        world.network.mine(DEPTH)
        assert reason(operator) == "nothing_due"
        world.network.mine(3)
        assert reason(operator) == "nothing_due"  # it lies, and costs nothing
        order(Brake.DRAIN)
        for _ in range(DEPTH + 4):
            operator.tick()
            world.network.mine()
        assert reason(operator) == "drained"
        assert len(world.network.transactions_of(operator.signer.address())) == 1
        assert operator.fsck() == []
    finally:
        other.close()


def test_the_hard_brake_also_holds_back_a_raise(operator: Operator, order: Callable[[Brake], None]) -> None:
    """Case 30."""
    operator.world.consortium.close_epoch()
    operator.tick()
    received = len(operator.world.network.received)
    order(Brake.HARD)
    operator.world.network.base_fee = 5 * GWEI
    operator.world.network.mine(12)
    assert reason(operator) == "braked"
    assert len(operator.world.network.received) == received


def test_a_halt_is_lifted_only_with_its_whole_evidence(operator: Operator) -> None:
    with SqlJournal(operator.path, operator.scope, "test", BORN) as journal:
        journal.halt(HaltRow("conflict", '{"size": 2}', BORN))
    with Orders(operator.path, operator.scope) as orders:
        for wrong in ("", "{}", '{"size": 3}'):
            with pytest.raises(StayHalted):
                orders.lift_halt(wrong, "a person", BORN)
        assert orders.control().halted == "conflict"
        orders.lift_halt('{"size": 2}\n', "a person", BORN)
        assert orders.control().halted is None
        with pytest.raises(StayHalted):
            orders.lift_halt('{"size": 2}', "a person", BORN)


def test_a_halt_whose_reason_still_holds_is_found_again(operator: Operator) -> None:
    world = operator.world
    world.consortium.close_epoch()
    log_id = world.consortium.log_id
    world.network.put_log(log_id, replace(world.network.newest.logs[log_id], size=2, root=bytes(32)))
    world.network.mine(DEPTH + 1)
    for _ in range(2):
        done = operator.tick()
        assert done is not None
        assert done.done[-1] == "Halt"
        with Orders(operator.path, operator.scope) as orders:
            halted = orders.control()
            assert halted.halted == "conflict"
            orders.lift_halt(halted.evidence or "", "a person", world.now())


def test_a_copy_taken_while_the_relayer_writes_is_whole_and_of_one_moment(operator: Operator, tmp_path: Path) -> None:
    copies: list[Path] = []
    ended = threading.Event()

    def copy() -> None:
        with Desk(operator.path, operator.scope) as desk:
            while not ended.is_set() or not copies:
                target = tmp_path / f"copy {len(copies)}.db"
                desk.backup(target)
                copies.append(target)

    thread = threading.Thread(target=copy)
    thread.start()
    for _ in range(12):
        operator.world.consortium.close_epoch()
        operator.tick()
        operator.world.network.mine()
    ended.set()
    thread.join(60)
    assert copies
    for path in copies:
        with Desk(path, operator.scope) as desk:
            assert fsck(desk.dump(), operator.world.log) == []
        assert path.stat().st_mode & 0o777 == 0o600
    assert sorted(tmp_path.glob("copy*")) == sorted(copies)  # nothing half done lies beside them


def test_a_copy_is_a_journal_that_goes_on(operator: Operator, tmp_path: Path) -> None:
    operator.world.consortium.close_epoch()
    operator.tick()
    with Desk(operator.path, operator.scope) as desk:
        size = desk.backup(tmp_path / "copy.db")
        before = desk.dump()
    assert size == (tmp_path / "copy.db").stat().st_size
    operator.close()
    operator.path = tmp_path / "copy.db"
    with Desk(operator.path, operator.scope) as desk:
        assert desk.dump() == before
    for _ in range(DEPTH + 3):
        operator.tick()
        operator.world.network.mine()
    assert operator.fsck() == []


def test_a_copy_overwrites_nothing(operator: Operator, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("precious")
    with Desk(operator.path, operator.scope) as desk:
        for target in (tmp_path / "there", tmp_path / "nowhere" / "copy.db", operator.path):
            with pytest.raises(SettingsMalformed):
                desk.backup(target)
    assert (tmp_path / "there").read_text() == "precious"


def test_a_copy_that_cannot_be_written_leaves_nothing(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("relayers.sqlite_store._copy", full)
    before = sorted(operator.path.parent.iterdir())
    with Desk(operator.path, operator.scope) as desk, pytest.raises(StoreBroken):
        desk.backup(operator.path.with_name("copy.db"))
    assert [path for path in sorted(operator.path.parent.iterdir()) if "copy" in path.name] == []
    assert set(before) <= set(operator.path.parent.iterdir())


def test_slots_tell_what_was_signed_and_what_became_of_it(operator: Operator) -> None:
    operator.world.consortium.close_epoch()
    for _ in range(DEPTH + 3):
        operator.tick()
        operator.world.network.mine()
    operator.world.consortium.close_epoch()
    operator.tick()
    with Desk(operator.path, operator.scope) as desk:
        newest, oldest = desk.slots(5)
        assert (newest.slot.nonce, newest.slot.closed_hash, newest.finals) == (1, None, ())
        assert [final.outcome.value for final in oldest.finals] == ["OK"]
        assert [attempt.to_size for attempt in oldest.attempts] == [2]
        assert len(desk.slots(1)) == 1
        assert desk.covering(2) is not None
        assert desk.covering(3) is None
