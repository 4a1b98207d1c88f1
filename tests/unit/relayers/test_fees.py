"""Price and patience: the ceiling, the raise, the limits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relayers import fees
from relayers.fees import Offer
from relayers.journal import SpendLimits
from relayers.views import Fee
from tests.unit.relayers.builders import (
    ETHER,
    FEES,
    GWEI,
    PINNED,
    POLICY,
    T0,
    attempt,
    chain,
    head,
    journal,
    policy,
    public_block,
)

GAS = 90_000


def at_age(seconds: int, **changes: object) -> object:
    block = public_block(PINNED)
    moved = block.__class__(block.number, block.hash, block.parent, T0 + 12 + seconds)
    return chain(pinned=moved, head=head(1), **changes)


def test_age_counts_from_the_end_of_the_oldest_epoch_that_the_head_does_not_cover() -> None:
    assert fees.age(at_age(7), POLICY.clock) == 7
    assert fees.age(at_age(-100), POLICY.clock) == 0


def test_the_ceiling_rises_from_twice_the_usual_fee_to_the_hard_cap_at_the_deadline() -> None:
    soft = 2 * GWEI + FEES.tip
    assert fees.ceiling(at_age(0), POLICY, GAS) == soft
    halfway = fees.ceiling(at_age(1440), POLICY, GAS)
    assert soft < halfway < soft + (100 * GWEI - soft) // 15
    assert fees.ceiling(at_age(2880), POLICY, GAS) == fees.ceiling(at_age(10**6), POLICY, GAS) == 100 * GWEI


@given(st.integers(0, 4000), st.integers(0, 4000))
def test_the_ceiling_never_falls_with_age(one: int, other: int) -> None:
    younger, older = sorted((one, other))
    assert fees.ceiling(at_age(younger), POLICY, GAS) <= fees.ceiling(at_age(older), POLICY, GAS)


def test_without_grace_the_hard_cap_holds_at_once() -> None:
    clock = POLICY.clock.__class__(genesis_time=T0, cadence=12, grace=0)
    assert fees.ceiling(at_age(0), POLICY.__class__(clock=clock, fees=FEES, turns=POLICY.turns), GAS) == 100 * GWEI


def test_the_cost_of_one_anchor_caps_the_fee_too() -> None:
    dear = policy(fees={"max_cost_per_anchor": 90_000 * GWEI})
    assert fees.ceiling(at_age(10**6), dear, GAS) == GWEI


def test_the_market_survives_a_doubled_base_fee_and_stays_below_the_ceiling() -> None:
    assert fees.market(chain(), POLICY, GAS) == Fee(3 * GWEI, GWEI)
    assert fees.market(at_age(0, base_fee=50 * GWEI), POLICY, GAS) == Fee(3 * GWEI, GWEI)
    low = policy(fees={"max_fee": GWEI // 2})
    assert fees.market(chain(), low, GAS) == Fee(GWEI // 2, GWEI // 2)


@given(st.integers(1, 10**12), st.integers(0, 10**12))
def test_a_raise_is_an_eighth_on_both_fields_and_never_less_than_the_market(max_fee: int, tip: int) -> None:
    old = attempt(5, max_fee=max(max_fee, tip), tip=min(max_fee, tip))
    found = fees.raised(old, chain(), POLICY, GAS)
    assert 8 * found.max_fee >= 9 * old.max_fee
    assert found.max_fee > old.max_fee
    assert 8 * found.tip >= 9 * old.tip
    assert found.max_fee >= fees.market(chain(), POLICY, GAS).max_fee
    assert found.tip <= found.max_fee


@pytest.mark.parametrize(
    ("waited", "max_fee", "expected"),
    [(0, 3, False), (9, 3, False), (10, 3, True), (1, 1, False), (2, 1, True)],
)
def test_a_fee_is_too_cheap_after_its_time_or_two_blocks_near_the_base_fee(
    waited: int, max_fee: int, expected: bool
) -> None:
    old = attempt(5, max_fee=max_fee * GWEI, pinned_number=PINNED - waited)
    assert fees.is_too_cheap(old, chain(), FEES) is expected


def test_gas_is_a_fifth_above_the_simulation_within_the_limit() -> None:
    assert fees.gas_limit(50_000, FEES) == 60_000
    assert fees.gas_limit(10**9, FEES) == FEES.max_gas


def test_expected_gas_is_the_journals_or_the_operators_guess() -> None:
    assert fees.expected_gas(journal(), FEES) == 90_000
    assert fees.expected_gas(journal(usual_gas=None), FEES) == FEES.usual_gas


def test_the_reserve_is_kept() -> None:
    assert fees.limits(chain(balance=ETHER), FEES) == SpendLimits(ETHER - 3 * ETHER // 20, ETHER // 20, ETHER)
    assert fees.limits(chain(balance=1), FEES).available == 0


def test_other_open_slots_and_other_attempts_of_today_count_once_each() -> None:
    offer = Offer(6, Fee(3 * GWEI, GWEI), GAS)
    open_slot = journal(open_nonces=(5, 6), attempts=(attempt(5), attempt(5, max_fee=2 * GWEI), attempt(6)))
    assert open_slot.committed(6) == attempt(5).cost
    cost = GAS * 3 * GWEI
    exact = 3 * FEES.max_cost_per_anchor + cost + attempt(5).cost
    assert fees.refusal(offer, chain(balance=exact), open_slot, POLICY) is None
    assert fees.refusal(offer, chain(balance=exact - 1), open_slot, POLICY) == "low_balance"
    assert fees.refusal(offer, chain(), journal(today={6: ETHER, 5: ETHER - cost}), POLICY) is None
    assert fees.refusal(offer, chain(), journal(today={5: ETHER - cost + 1}), POLICY) == "budget_spent"


def test_a_fee_below_the_base_fee_or_above_the_ceiling_is_not_offered() -> None:
    for max_fee in (GWEI - 1, 101 * GWEI):
        assert fees.refusal(Offer(5, Fee(max_fee, 1), GAS), chain(), journal(), POLICY) == "fee_capped"
