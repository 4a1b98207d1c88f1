"""The steps of the schedules as rules of a state machine: hypothesis draws, and shrinks what breaks a promise.

The world, the operators and the oracle are those of `schedule`; chance within a step comes from a number drawn for it.
"""

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from relayers.journal import Brake, ControlRow
from tests.simulation import oracle
from tests.simulation.consortium import GENESIS
from tests.simulation.fast import remembered
from tests.simulation.schedule import STEPS, Schedule

CHANCE = st.integers(0, 2**32 - 1)
OPERATOR = st.integers(0, 3)
HALTED = ControlRow(Brake.RUN, "reverts_repeated", "{}", "plan", GENESIS)


class Machine(RuleBasedStateMachine):
    """One world; each rule is a step of a schedule, taken by one of its operators."""

    def __init__(self) -> None:
        super().__init__()
        self.memory = remembered()
        self.memory.__enter__()
        self.schedule: Schedule | None = None

    @initialize(seed=CHANCE)
    def found(self, seed: int) -> None:
        self.schedule = Schedule(seed)
        self.schedule.world.network.mine()

    def take(self, name: str, chance: int, operator: int) -> None:
        assert self.schedule is not None
        operators = self.schedule.world.operators
        self.schedule.random.seed(chance)
        STEPS[name](self.schedule, operators[operator % len(operators)])

    @rule()
    def round(self) -> None:
        """Nothing goes wrong for a while."""
        assert self.schedule is not None
        self.schedule.world.consortium.close_epoch()
        self.schedule.world.round()

    def teardown(self) -> None:
        """The faults stop: all must settle within its bound."""
        try:
            if self.schedule is not None:
                self.schedule.end()
        finally:
            self.memory.__exit__(None, None, None)


def _rule(name: str) -> Any:
    def step(self: Machine, chance: int, operator: int) -> None:
        self.take(name, chance, operator)

    return precondition(lambda self: self.schedule is not None)(rule(chance=CHANCE, operator=OPERATOR)(step))


for _name in STEPS:
    setattr(Machine, f"step_{_name}", _rule(_name))


def test_no_sequence_of_steps_breaks_a_promise() -> None:
    """All of the schedules' kinds of fault, drawn one by one: S1 to S4, S6 to S9, L1 to L3."""
    found = settings(
        max_examples=60,
        stateful_step_count=40,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Machine, settings=found)


def test_a_broken_promise_ends_the_machine() -> None:
    """What the oracle says reaches whoever runs the rules."""
    machine = Machine()
    machine.found(1)
    assert machine.schedule is not None
    machine.schedule.world.operators[0].store.control = HALTED
    with pytest.raises(oracle.Violation, match="halted"):
        machine.teardown()
