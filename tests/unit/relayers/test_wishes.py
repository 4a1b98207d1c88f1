"""What a person wants done with a nonce goes through the plan: within money and brake, and once."""

from dataclasses import replace

import pytest

from relayers.fees import CANCEL_GAS
from relayers.journal import Brake, WishKind, WishRow
from relayers.plan import next_action
from relayers.rehearsal import guessed, outlook, rehearse
from relayers.relay import Sight
from relayers.views import Send, Wait
from relayers.wishes import _plan
from tests.unit.relayers.builders import (
    ETHER,
    GWEI,
    POLICY,
    T0,
    attempt,
    chain,
    head,
    intent,
    journal,
    policy,
    quorum,
)


def wish(nonce: int, kind: WishKind = WishKind.BUMP) -> dict[int, WishRow]:
    return {nonce: WishRow(nonce, kind, attempt(nonce).hash, "a person", T0)}


def in_flight(**changes):
    """Size 2 waits in nonce 5, sent just now: without a wish nothing is due."""
    return journal(open_nonces=(5,), attempts=(attempt(5),), open_intents=(intent(2),), **changes)


def cancelling(**changes):
    return in_flight(wishes=wish(5, WishKind.CANCEL), cancelled=frozenset({5}), **changes)


def act(view, seen=None, wanted=None, sent=(), rules=POLICY):
    return next_action(view, seen or chain(), wanted or quorum(2), sent, rules)


def test_a_bump_is_an_eighth_more_on_both_fields_for_what_the_nonce_carries() -> None:
    assert isinstance(act(in_flight()), Send)
    raised = act(in_flight(wishes=wish(5)))
    assert (raised.nonce, raised.checkpoint.size) == (5, 2)
    assert raised.fee.max_fee >= 27 * GWEI // 8
    assert raised.fee.tip >= 9 * GWEI // 8


def test_a_bump_takes_the_markets_price_if_that_is_higher() -> None:
    assert act(in_flight(wishes=wish(5)), chain(base_fee=2 * GWEI, usual_base_fee=2 * GWEI)).fee.max_fee == 5 * GWEI


@pytest.mark.parametrize("kind", list(WishKind))
@pytest.mark.parametrize(
    ("reason", "seen", "rules"),
    [
        ("fee_capped", {}, policy(fees={"max_fee": 3 * GWEI})),
        ("low_balance", {"balance": 3 * ETHER // 20}, POLICY),
        ("budget_spent", {}, policy(fees={"daily_budget": 1})),
    ],
)
def test_a_wish_never_passes_ceiling_balance_or_budget_and_is_told_why(kind, reason, seen, rules) -> None:
    view = cancelling() if kind is WishKind.CANCEL else in_flight(wishes=wish(5))
    assert act(view, chain(**seen), sent={attempt(5).hash}, rules=rules) == Wait(reason)
    assert isinstance(act(view, chain(**seen), rules=rules), Send)  # the old bytes stay alive


def test_nothing_is_signed_for_a_wish_under_the_hard_brake_or_without_a_quorum_of_endpoints() -> None:
    assert act(in_flight(wishes=wish(5), brake=Brake.HARD)) == Wait("braked")
    assert next_action(in_flight(wishes=wish(5)), None, quorum(2), {attempt(5).hash}, POLICY) == Wait("no_rpc_quorum")
    assert act(in_flight(wishes=wish(5), halted="conflict")) == Wait("halted")


def test_a_wish_for_a_nonce_behind_another_waits_for_it() -> None:
    view = journal(open_nonces=(5, 6), attempts=(attempt(5), attempt(6)), open_intents=(intent(2),), wishes=wish(6))
    both = {attempt(5).hash, attempt(6).hash}
    assert act(view, sent=both) == Wait("in_flight")
    assert act(view, chain(nonce=6), sent=both).nonce == 6


@pytest.mark.parametrize("brake", [Brake.RUN, Brake.SOFT, Brake.DRAIN])
def test_a_cancel_carries_nothing_even_while_its_duty_stands(brake: Brake) -> None:
    made = act(cancelling(brake=brake))
    assert (made.nonce, made.checkpoint) == (5, None)
    assert made.fee.max_fee >= 27 * GWEI // 8


def test_a_cancel_that_was_made_is_not_replaced_by_the_duty_it_cancelled() -> None:
    best = attempt(5, 0, max_fee=4 * GWEI, tip=2 * GWEI, gas=CANCEL_GAS)
    view = journal(open_nonces=(5,), attempts=(attempt(5), best), open_intents=(intent(2),), cancelled=frozenset({5}))
    assert act(view) == Send(best)
    assert act(view, sent={best.hash}) == Wait("in_flight")
    late = act(view, chain(pinned=chain().pinned.__class__(110, b"h" * 32, b"p" * 32, T0 + 1320)), sent={best.hash})
    assert (late.nonce, late.checkpoint) == (5, None)  # too old: raised, and a cancel still


@pytest.mark.parametrize(("brake", "goes_on"), [(Brake.RUN, True), (Brake.SOFT, False)])
def test_once_a_cancel_is_mined_its_duty_gets_the_next_nonce_unless_the_brake_is_set(brake, goes_on) -> None:
    best = attempt(5, 0, max_fee=4 * GWEI)
    view = journal(open_nonces=(5,), attempts=(best,), open_intents=(intent(2),), cancelled=frozenset({5}), brake=brake)
    found = act(view, chain(nonce=6))
    assert (found == Wait("braked")) is not goes_on
    assert getattr(found, "nonce", None) == (6 if goes_on else None)


def test_a_nonce_that_nobody_needs_lies_until_a_person_wants_it_used_up() -> None:
    seen = chain(head=head(2), final_head=head(2))
    lying = journal(open_nonces=(5,), attempts=(attempt(5),))
    assert act(lying, seen, quorum()) == Wait("nothing_due")
    wanted = journal(open_nonces=(5,), attempts=(attempt(5),), wishes=wish(5))
    assert act(wanted, seen, quorum()).checkpoint is None


def told(view, of=5, **seen) -> str:
    sight = Sight(chain(**seen), quorum(2), ())
    return outlook(of, view, sight, rehearse(view, sight, POLICY, guessed(view, POLICY), T0))


def test_the_outlook_of_a_wish_is_one_sentence() -> None:
    assert told(in_flight(wishes=wish(5))).startswith(
        "the next tick will sign an anchor of size 2 with nonce 5: 3.375 gwei"
    )
    assert told(cancelling()).startswith("the next tick will sign a cancel with nonce 5")
    assert told(in_flight(wishes=wish(5), brake=Brake.HARD)) == "it waits: the brake is set; `resume` lets it go"
    assert (
        told(in_flight(wishes=wish(5)), balance=0) == "it waits: what is above the reserve does not pay for it (`fees`)"
    )
    assert told(in_flight(wishes=wish(5)), balance=10**15).startswith("it waits: what is above")
    behind = journal(open_nonces=(5, 6), attempts=(attempt(5), attempt(6)), open_intents=(intent(2),), wishes=wish(6))
    assert told(behind, of=6) == "it waits until nonce 5 is mined: only the lowest can be raised"


def test_what_a_nonce_carries_is_told_of_a_rotation_too() -> None:
    rotation = replace(attempt(5), to_size=0, intent_id=7)
    view = journal(open_nonces=(5,), attempts=(rotation,))
    carried, _, later = _plan(view, Sight(chain(), quorum(2), ()), 5, WishKind.CANCEL)
    assert carried.startswith("nonce 5: a rotation, ")
    assert later == "→ the rotation stays due and gets the next nonce"
    carried, _, later = _plan(in_flight(), Sight(chain(), quorum(2), ()), 5, WishKind.CANCEL)
    assert carried.startswith("nonce 5: an anchor of size 2, ")
    assert later == "→ size 2 stays due and gets the next nonce"
