"""What a transaction may cost, and when to offer more. Pure; amounts are wei.

The ceiling rises with age by the fourth power: patience while nobody waits, the hard cap shortly before the log would
be publicly overdue. A raise is at least 9/8 on both fields, since pools refuse less than 10 % on either.
"""

from dataclasses import dataclass
from typing import Final

from hybrid_bridge.units import Gas, Nonce, Seconds, Wei
from relayers.journal import AttemptRow, JournalView, SpendLimits
from relayers.views import ChainView, Fee, FeePolicy, LogClock, Policy

CURVE: Final = 1 << 20  # steps of the age; integers only, so that two machines agree
CANCEL_GAS: Final = Gas(21_000)  # a transfer without data
ROTATION_GAS: Final = 3  # times that of an anchor: the new set's entries are calldata (CONTRACT §4.3)


@dataclass(frozen=True, slots=True)
class Offer:
    """What would be signed for a nonce."""

    nonce: Nonce
    fee: Fee
    gas: Gas
    may_use_reserve: bool = False  # a set update may: the reserve is kept for it


def age(chain: ChainView, clock: LogClock) -> Seconds:
    """Seconds since the oldest epoch that the head does not cover was closed (SPEC §7.2); not negative."""
    closed_at = clock.genesis_time + chain.head.tree_size * clock.cadence
    return Seconds(max(0, chain.pinned.time - closed_at))


def deadline(clock: LogClock) -> Seconds:
    """Four fifths of the genesis record's grace."""
    return Seconds(clock.grace * 4 // 5)


def ceiling(chain: ChainView, policy: Policy, gas: Gas) -> Wei:
    """The highest fee for each gas that we offer now."""
    fees = policy.fees
    hard = min(fees.max_fee, fees.max_cost_per_anchor // gas)
    soft = min(2 * chain.usual_base_fee + fees.tip, hard)
    span = deadline(policy.clock)
    step = CURVE if span == 0 else min(CURVE, age(chain, policy.clock) * CURVE // span)
    return Wei(soft + (hard - soft) * step**4 // CURVE**4)


def expected_gas(journal: JournalView, fees: FeePolicy) -> Gas:
    """What an anchor will use, as far as known."""
    return min(fees.max_gas, journal.usual_gas or fees.usual_gas)


def rotation_gas(journal: JournalView, fees: FeePolicy) -> Gas:
    """What a set update will use, as far as known."""
    return Gas(min(fees.max_gas, ROTATION_GAS * expected_gas(journal, fees)))


def gas_limit(simulated: Gas, fees: FeePolicy) -> Gas:
    """A fifth above the simulation, within the operator's limit."""
    return Gas(min(simulated * 6 // 5, fees.max_gas))


def market(chain: ChainView, policy: Policy, gas: Gas) -> Fee:
    """What a first attempt offers: it survives a doubled base fee, unless the ceiling is lower."""
    max_fee = min(2 * chain.base_fee + policy.fees.tip, ceiling(chain, policy, gas))
    return Fee(Wei(max_fee), Wei(min(policy.fees.tip, max_fee)))


def raised(best: AttemptRow, chain: ChainView, policy: Policy, gas: Gas) -> Fee:
    """What replaces `best`: at least an eighth more on both fields, or the market if that is higher."""
    fresh = market(chain, policy, gas)
    max_fee = max(fresh.max_fee, _eighth_more(best.max_fee))
    return Fee(max_fee, min(max(fresh.tip, _eighth_more(best.tip)), max_fee))


def _eighth_more(fee: Wei) -> Wei:
    return Wei(max(fee + 1, -(-9 * fee // 8)))


def is_too_cheap(best: AttemptRow, chain: ChainView, fees: FeePolicy) -> bool:
    """Whether `best` has waited its time, or the base fee came too near to it for two public blocks."""
    waited = chain.pinned.number - best.pinned_number
    return waited >= fees.bump_blocks or (waited >= 2 and 4 * best.max_fee < 5 * chain.base_fee)


def limits(chain: ChainView, fees: FeePolicy, *, may_use_reserve: bool = False) -> SpendLimits:
    """S7 as of this observation."""
    kept = 0 if may_use_reserve else fees.reserve
    return SpendLimits(Wei(max(0, chain.balance - kept)), fees.max_cost_per_anchor, fees.daily_budget)


def refusal(offer: Offer, chain: ChainView, journal: JournalView, policy: Policy) -> str | None:
    """Why this must not be offered now; None if it may (S7)."""
    cost, bounds = offer.gas * offer.fee.max_fee, limits(chain, policy.fees, may_use_reserve=offer.may_use_reserve)
    if offer.fee.max_fee > ceiling(chain, policy, offer.gas) or offer.fee.max_fee < chain.base_fee:
        return "fee_capped"
    if cost + journal.committed(offer.nonce) > bounds.available:
        return "low_balance"
    if cost + journal.committed_today(offer.nonce) > bounds.per_day:
        return "budget_spent"
    return None
