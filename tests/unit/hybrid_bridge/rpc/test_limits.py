"""What one caller may have in a second; and what its client does about a no."""

import pytest

from hybrid_bridge.errors import Throttled
from hybrid_bridge.rpc.limits import BURST, MAX_BUCKETS, Buckets, Limits
from hybrid_bridge.rpc.service import Caller

A, B = Caller("bank-a", "member"), Caller("bank-b", "member")


class Watch:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Watch:
    return Watch()


def spent(buckets: Buckets, caller: Caller, kind: str) -> int:
    """How many calls went through before the first no."""
    count = 0
    while True:
        try:
            buckets.take(caller, kind)
        except Throttled:
            return count
        count += 1


def test_a_caller_gets_what_it_saved_and_then_its_rate(clock: Watch) -> None:
    buckets = Buckets(Limits(reads=10), clock)
    assert spent(buckets, A, "reads") == 10 * BURST
    clock.now += 1
    assert spent(buckets, A, "reads") == 10
    clock.now += 3600
    assert spent(buckets, A, "reads") == 10 * BURST


def test_a_no_says_when_there_is_a_token_again(clock: Watch) -> None:
    buckets = Buckets(Limits(reads=10), clock)
    spent(buckets, A, "reads")
    with pytest.raises(Throttled) as refused:
        buckets.take(A, "reads")
    assert (refused.value.limit, refused.value.retry_after) == ("reads", 100)
    clock.now += 0.101
    buckets.take(A, "reads")


def test_neither_another_caller_nor_another_class_nor_another_role_pays_for_it(clock: Watch) -> None:
    buckets = Buckets(Limits(reads=10, submit=3), clock)
    spent(buckets, A, "reads")
    assert spent(buckets, B, "reads") == 10 * BURST
    assert spent(buckets, Caller("bank-a", "relayer"), "reads") == 10 * BURST
    assert spent(buckets, A, "submit") == 3 * BURST


def test_what_a_call_turned_out_to_hold_is_paid_by_the_next_ones(clock: Watch) -> None:
    buckets = Buckets(Limits(submit=10), clock)
    buckets.take(A, "submit")
    buckets.charge(A, "submit", 99)
    with pytest.raises(Throttled) as refused:
        buckets.take(A, "submit")
    assert refused.value.retry_after == 5_100  # 51 tokens
    clock.now += 5.11
    assert spent(buckets, A, "submit") == 1


def test_nothing_is_charged_for_less_than_nothing(clock: Watch) -> None:
    buckets = Buckets(Limits(submit=1), clock)
    buckets.charge(A, "submit", -1_000)
    assert spent(buckets, A, "submit") == BURST


def test_the_owner_of_the_machine_pays_nothing(clock: Watch) -> None:
    owner = Caller("core", "owner")
    buckets = Buckets(Limits(reads=1), clock, owner)
    buckets.charge(owner, "reads", 1_000)
    for _ in range(100):
        buckets.take(owner, "reads")
    assert spent(buckets, Caller("core", "member"), "reads") == BURST


def test_no_number_of_callers_makes_the_table_grow(clock: Watch) -> None:
    buckets = Buckets(Limits(reads=1), clock)
    spent(buckets, A, "reads")
    for number in range(MAX_BUCKETS + 10):
        buckets.take(Caller(f"n{number}", "relayer"), "reads")
    assert len(buckets) == MAX_BUCKETS
