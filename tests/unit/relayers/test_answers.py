"""Why a size is not anchored yet: one true sentence for each obstacle; and what an anchor would cost."""

from dataclasses import replace
from typing import Any

import pytest

from hybrid_bridge.ports import AnchoredEvent
from relayers.answers import Desktop, ether, explain, fees_now, gwei, moment, status_of
from relayers.fees import ceiling
from relayers.journal import Brake, ControlRow, EvidenceRow, LeaseRow
from relayers.log import Log
from relayers.relay import Sight
from tests.unit.relayers.builders import (
    ETHER,
    GWEI,
    LOG_ID,
    PINNED,
    POLICY,
    T0,
    attempt,
    chain,
    checkpoint,
    event,
    head,
    intent,
    journal,
    policy,
    public_block,
    quorum,
)

NOW = T0 + 12 * PINNED
US, THEM = b"\x11" * 20, b"\x22" * 20
CONTROL = ControlRow(Brake.RUN, None, None, "init", T0)


def desk(p: Any = POLICY, control: ControlRow = CONTROL, **changes: Any) -> Desktop:
    values: dict[str, Any] = {
        "now": NOW,
        "log": Log(LOG_ID, p.clock, ()),
        "policy": p,
        "operators": (US, THEM)[: p.turns.operators],
        "patience": 120.0,
        "journal": journal(brake=control.brake, halted=control.halted),
        "control": control,
        "lease": LeaseRow(3, "host:1", NOW),
        "newest": None,
    }
    return Desktop(**values | changes)


def sight(*sizes: int, blind: str = "", quorum_changes: Any = None, **changes: Any) -> Sight:
    return Sight(None if blind else chain(**changes), quorum(*sizes, **quorum_changes or {}), (), blind)


def reason(size: int, d: Any = None, s: Any = None, covering: AnchoredEvent | None = None) -> str:
    found = explain(size, d or desk(), s or sight(2), covering)
    assert found.sentence.endswith(".")
    assert "\n" not in found.sentence
    assert "The plan waits" not in found.sentence
    return found.reason


def braked(brake: Brake) -> Desktop:
    return desk(control=replace(CONTROL, brake=brake, by="ada@host"))


def test_the_first_size_is_the_logs_birth() -> None:
    assert reason(1) == "birth"


def test_a_final_anchor_answers_before_every_obstacle() -> None:
    halted = desk(control=replace(CONTROL, halted="conflict"))
    found = explain(2, halted, sight(blind="nobody"), event(4))
    assert found.reason == "final"
    assert f"size 4 stands since public block {event(4).block.number}" in found.sentence


def test_an_open_epoch_has_its_hour() -> None:
    found = explain(10**6, desk(), sight(2), None)
    assert found.reason == "not_closed"
    assert moment(T0 + (10**6 - 1) * 12) in found.sentence


@pytest.mark.parametrize(
    ("d", "s", "want"),
    [
        (desk(control=replace(CONTROL, halted="conflict")), sight(2), "halted"),
        (desk(), sight(blind="nobody answers"), "no_rpc_quorum"),
        (desk(lease=LeaseRow(3, "host:1", NOW - 121)), sight(2), "nobody_runs"),
        (desk(lease=LeaseRow(0, "", 0)), sight(2), "nobody_runs"),
        (desk(), sight(2, head=head(2)), "mined"),
        (desk(), sight(), "no_quorum"),
        (desk(), sight(2), "next_tick"),
        (braked(Brake.SOFT), sight(2), "braked"),
        (braked(Brake.HARD), sight(2), "braked"),
        (braked(Brake.DRAIN), sight(2), "drained"),
        (desk(), sight(2, head=head(state="paused")), "log_paused"),
        (desk(), sight(2, balance=0), "low_balance"),
        (desk(), sight(2, base_fee=1000 * GWEI), "fee_capped"),
        (desk(journal=journal(today={4: ETHER})), sight(2), "budget_spent"),
        (desk(), sight(2, quorum_changes={"checkpoints": (checkpoint(2, set_id=2),)}), "rotation_due"),
    ],
)
def test_each_obstacle_is_told(d: Desktop, s: Sight, want: str) -> None:
    assert reason(2, d, s) == want


def test_a_nonce_that_the_journal_does_not_bear_out_is_told_with_both_numbers_and_what_to_do() -> None:
    ahead = explain(2, desk(journal=journal(highest_nonce=3)), sight(2), None)
    assert (ahead.reason, "nonce 5 is the next" in ahead.sentence) == ("nonce_ahead", True)
    assert "none above 3" in ahead.sentence
    far = journal(open_nonces=(90,), attempts=(), open_intents=(intent(2),), highest_nonce=90)
    gap = explain(2, desk(journal=far), sight(2), None)
    assert (gap.reason, "see the runbook (NonceUnexplained)" in gap.sentence) == ("nonce_gap", True)
    closed = journal(open_intents=(intent(2),), highest_nonce=7, highest_closed=7)
    behind = explain(2, desk(journal=closed), sight(2), None)
    assert (behind.reason, "(7 is its highest such)" in behind.sentence) == ("nonce_behind", True)


def test_a_size_within_a_round_waits_for_the_one_that_serves_all() -> None:
    rounds = policy(turns={"anchor_every": 64})
    found = explain(70, desk(rounds), sight(64, head=head(64)), None)
    assert found.reason == "not_due"
    assert "size 128" in found.sentence
    assert "64 sizes" in found.sentence


def test_another_operators_turn_says_whose_and_until_when() -> None:
    two = policy(turns={"operators": 2, "my_index": 1, "grace_blocks": 20})
    found = explain(2, desk(two), sight(2), None)
    assert found.reason == "not_our_turn"
    assert f"0x{US.hex()}" in found.sentence
    assert f"public block 110, and now is {PINNED}" in found.sentence


def test_a_transaction_in_flight_is_named_with_its_offer() -> None:
    flying = journal(open_nonces=(5,), attempts=(attempt(5),), open_intents=(intent(2),))
    found = explain(2, desk(journal=flying), sight(2), None)
    assert found.reason == "in_flight"
    assert f"0x{attempt(5).hash.hex()} (nonce 5) carries size 2 and offers 3 gwei" in found.sentence


def test_the_brake_says_who_and_since_when() -> None:
    found = explain(2, braked(Brake.SOFT), sight(2), None)
    assert f"soft since {moment(T0)}, by ada@host" in found.sentence


def test_without_a_list_of_operators_nothing_fails() -> None:
    alone = policy(turns={"operators": 0, "my_index": 0})
    assert reason(2, desk(alone), sight(2, balance=0)) == "low_balance"
    assert status_of(desk(alone))["this_rounds_leader"] is None


def test_fees_are_those_that_the_plan_would_offer() -> None:
    spent = journal(today={4: ETHER // 4})
    seen = chain(balance=ETHER)
    found = fees_now(spent, seen, POLICY)
    assert found["ceiling_gwei"] == gwei(ceiling(seen, POLICY, 90_000))
    assert found["next_fee_gwei"] == "3"
    assert found["next_anchor_ether_at_most"] == ether(90_000 * 3 * GWEI) == "0.00027"
    assert found["budget_left_ether"] == "0.75"
    assert found["available_ether"] == "0.85"


def test_an_overdrawn_budget_has_nothing_left() -> None:
    assert fees_now(journal(today={4: 2 * ETHER}), chain(), POLICY)["budget_left_ether"] == "0"


def test_status_says_how_far_behind_and_who() -> None:
    two = policy(turns={"operators": 2, "my_index": 1})
    shown = status_of(desk(two, journal=journal(newest_anchor=event(91)), newest=checkpoint(100)))
    assert (shown["closed_epochs"], shown["anchored_final"], shown["behind_sizes"]) == (101, 91, 10)
    assert shown["behind_seconds"] == 12 * (PINNED - 91)
    assert (shown["we_lead"], shown["this_rounds_leader"]) == (True, f"0x{THEM.hex()}")
    assert shown["relayer"] == "host:1, epoch 3"
    gone = status_of(desk(two, lease=LeaseRow(3, "host:1", NOW - 121)))
    assert (gone["relayer"], gone["anchored_final"], gone["behind_sizes"]) == (None, None, 100)


def test_status_names_endpoints_that_contradicted_the_quorum() -> None:
    said = EvidenceRow("b", "head", "size 2", "size 99", None, NOW)
    assert status_of(desk())["contradicting_endpoints"] == []
    assert status_of(desk(contradictions=(said,)))["contradicting_endpoints"] == [f"b: head, {moment(NOW)}"]


@pytest.mark.parametrize(
    ("amount", "text"), [(0, "0"), (1, "0.000000001"), (10**9, "1"), (10**11, "100"), (15 * 10**8, "1.5")]
)
def test_money_is_told_exactly(amount: int, text: str) -> None:
    assert gwei(amount) == text
    assert ether(amount * 10**9) == text


def test_the_observations_public_block_is_named() -> None:
    found = explain(2, desk(), sight(2, head=head(3), pinned=public_block(99)), None)
    assert "size 3 at public block 99" in found.sentence
