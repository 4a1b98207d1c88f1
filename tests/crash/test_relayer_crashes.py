"""Kill a relayer before and after each effect, once and twice in a row; restart it from the disk; judge by `fsck`.

The effects are read from the protocols, so that a new durable write is tested the day it is written.
"""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from hybrid_bridge.testing.crashing import CrashPlan
from relayers.journal import IntentState
from tests.crash.relay_world import (
    CHAIN_EFFECTS,
    CHAIN_READS,
    JOURNAL_WRITES,
    NOT_ON_THE_HAPPY_PATH,
    SIGNER_EFFECTS,
    SIGNER_READS,
    Operator,
    World,
    run,
    settle,
)

WHEN = ("before", "after")


@pytest.fixture
def paths(tmp_path: Path) -> Iterator[Path]:
    return (tmp_path / f"journal-{number}.db" for number in count())


def play(path: Path, plan: CrashPlan, epochs: int = 1) -> Operator:
    """Some epochs, one anchor each; then nothing happens until all is final."""
    operator = Operator(World(), path, plan=plan)
    for _ in range(epochs):
        operator.world.network.mine()
        operator.world.consortium.close_epoch()
        run([operator], 2)
    settle([operator])
    return operator


def require_one_anchor_each(operator: Operator) -> None:
    """Nothing lost, nothing doubled, nothing sent that the journal does not hold."""
    network, world = operator.world.network, operator.world
    assert operator.fsck() == []
    sizes = [event.tree_size for event in network.events()]
    assert sizes == sorted(set(sizes))
    assert sizes[-1] == world.consortium.size
    assert [is_success for _, is_success in network.transactions_of(operator.signer.address())] == [True] * len(sizes)
    assert network.pending == ()
    operator.relayer()
    assert operator.journal is not None
    dump = operator.journal.dump()
    assert set(network.received) <= {attempt.raw for attempt in dump.attempts}
    assert {intent.state for intent in dump.intents} <= {IntentState.FINALIZED, IntentState.SUPERSEDED}
    assert all(slot.closed_hash is not None and not slot.is_foreign for slot in dump.slots)
    operator.close()


@pytest.fixture
def happy(paths: Iterator[Path]) -> list[str]:
    """The effects of the happy path, in order."""
    plan = CrashPlan({})
    require_one_anchor_each(play(next(paths), plan))
    return plan.seen


def test_every_method_of_the_ports_is_known_as_a_read_or_an_effect() -> None:
    assert {
        "chain_id",
        "code_hash",
        "latest",
        "finalized",
        "block",
        "base_fee",
        "head",
        "nonce",
        "balance",
        "account_code",
        "anchored",
        "simulate",
        "receipt_status",
    } == CHAIN_READS
    assert {"address"} == SIGNER_READS


def test_the_happy_path_has_every_effect(happy: list[str]) -> None:
    assert set(happy) == (JOURNAL_WRITES | CHAIN_EFFECTS | SIGNER_EFFECTS) - NOT_ON_THE_HAPPY_PATH


@pytest.mark.parametrize(("when", "epochs"), [("before", 1), ("after", 2)])
def test_a_crash_at_any_effect_loses_and_doubles_nothing(when: str, epochs: int, paths: Iterator[Path]) -> None:
    """Cases 1, 2, 3, 4, on the disk."""
    for number in count():
        operator = play(next(paths), CrashPlan({number: when}), epochs)
        require_one_anchor_each(operator)
        if operator.deaths == 0:
            assert number == len(operator.plan.seen)  # every effect of the run had its turn
            return


@pytest.mark.parametrize("first", WHEN)
@pytest.mark.parametrize("second", WHEN)
def test_a_second_crash_at_the_same_effect_right_after_the_restart_changes_nothing(
    first: str, second: str, paths: Iterator[Path], happy: list[str]
) -> None:
    """Cases 1, 2, 3, 4, twice in a row."""
    for number in range(len(happy)):
        operator = play(next(paths), CrashPlan({number: first}, again=second))
        assert operator.deaths == 1 + (happy[number] in operator.plan.seen[number + 1 :])
        require_one_anchor_each(operator)


def test_a_process_that_dies_at_its_first_effect_for_ten_blocks_catches_up(paths: Iterator[Path]) -> None:
    require_one_anchor_each(play(next(paths), CrashPlan(dict.fromkeys(range(4), "after"))))


def test_a_restarted_relayer_has_only_sends_left_after_two_ticks(paths: Iterator[Path], happy: list[str]) -> None:
    for number in range(happy.index("log_sends") + 1):
        operator = Operator(World(), next(paths), plan=CrashPlan({number: "after"}))
        operator.world.network.mine()
        operator.world.consortium.close_epoch()
        operator.tick()
        operator.tick()
        report = operator.tick()
        assert operator.deaths == 1
        assert report is not None
        assert set(report.done) <= {"Send"}
        operator.close()
