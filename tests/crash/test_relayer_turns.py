"""Operators take turns while epochs close faster than a turn passes: nobody starves, few collide."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from relayers.journal import Outcome
from tests.crash.relay_world import Operator, World, run, settle

Make = Callable[[int, int], Operator]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """`make(index, operators)`: one operator of the same world each time."""
    world, made = World(), []
    world.network.mine()

    def one(index: int, operators: int) -> Operator:
        made.append(
            Operator(world, tmp_path / f"{index}.db", name=f"operator {index}", index=index, operators=operators)
        )
        return made[-1]

    yield one
    for operator in made:
        operator.close()


def an_epoch_each_block(operators: list[Operator], blocks: int) -> None:
    run(operators, blocks, before=lambda _: operators[0].world.consortium.close_epoch())


@pytest.mark.parametrize("operators", [2, 5])
def test_an_outsider_anchors_where_all_operators_are_dead_and_epochs_never_pause(make: Make, operators: int) -> None:
    outsider = make(operators, operators)
    an_epoch_each_block([outsider], 30)
    sizes = [event.tree_size for event in outsider.world.network.events()]
    assert len(sizes) >= 2
    assert sizes[-1] > 2 * operators  # the newest, not the one that waited
    settle([outsider])
    assert outsider.fsck() == []


def test_a_dead_leader_costs_one_grace_and_not_its_whole_round(make: Make) -> None:
    second = make(1, 3)
    an_epoch_each_block([second], 12)
    assert len(second.world.network.events()) >= 2


def test_operators_that_all_live_seldom_spend_gas_in_vain(make: Make) -> None:
    """Case 27."""
    operators = [make(index, 3) for index in range(3)]
    an_epoch_each_block(operators, 40)
    settle(operators)
    finals = []
    for operator in operators:
        assert operator.fsck() == []
        operator.relayer()
        assert operator.journal is not None
        finals += [final.outcome for final in operator.journal.dump().finals if final.outcome is not Outcome.LOST]
    assert finals.count(Outcome.OK) == len(operators[0].world.network.events())
    assert finals.count(Outcome.OK) / len(finals) > 0.9
