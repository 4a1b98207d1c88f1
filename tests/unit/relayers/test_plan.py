"""The plan, situation by situation: what a relayer does next, and why it waits."""

from dataclasses import replace
from typing import Any

import pytest

from hybrid_bridge.ports import Head
from hybrid_bridge.units import Seconds
from relayers.journal import AttemptRow, Brake
from relayers.plan import MAX_HOLES, next_action
from relayers.views import Action, Halt, MakeAttempt, OpenIntent, OpenRotation, OpenSlot, RecordHeader, Send, Wait
from tests.unit.relayers.builders import (
    ETHER,
    FEES,
    GWEI,
    PINNED,
    POLICY,
    appointment,
    attempt,
    chain,
    checkpoint,
    head,
    intent,
    journal,
    policy,
    public_block,
    quorum,
    rotation,
)


def plan(j: Any = None, c: Any = None, q: Any = None, sent: Any = (), p: Any = POLICY) -> Action:
    return next_action(j or journal(), c or chain(), q or quorum(), sent, p)


def waiting(n: int = 5, **changes: Any) -> Any:
    """One intent, one slot, its attempt."""
    values: dict[str, Any] = {"open_nonces": (n,), "attempts": (attempt(n),), "open_intents": (intent(2),)}
    return journal(**values | changes)


# ── before anything ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_halted_relayer_waits_whatever_it_sees() -> None:
    assert plan(waiting(halted="conflict"), q=quorum(2)) == Wait("halted")


def test_without_an_observation_old_bytes_are_kept_alive_lowest_nonce_first() -> None:
    both = journal(open_nonces=(5, 6), attempts=(attempt(6), attempt(5)))
    first = next_action(both, None, quorum(), (), POLICY)
    assert first == Send(attempt(5))
    second = next_action(both, None, quorum(), {attempt(5).hash}, POLICY)
    assert second == Send(attempt(6))
    assert next_action(both, None, quorum(), {attempt(5).hash, attempt(6).hash}, POLICY) == Wait("no_rpc_quorum")


def test_an_observation_older_than_what_is_final_is_no_observation() -> None:
    assert plan(c=chain(pinned=chain().final.__class__(95, bytes(32), bytes(32), 0))) == Wait("no_rpc_quorum")


def test_the_hard_brake_sends_nothing_even_when_blind() -> None:
    assert next_action(waiting(brake=Brake.HARD), None, quorum(), (), POLICY) == Wait("no_rpc_quorum")
    assert plan(waiting(brake=Brake.HARD), q=quorum(2)) == Wait("braked")


# ── a new checkpoint ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_nothing_is_due_when_the_head_is_the_newest_checkpoint() -> None:
    assert plan(c=chain(head=head(2)), q=quorum(2)) == Wait("nothing_due")


def test_a_new_checkpoint_is_first_an_intent_then_a_slot_then_an_attempt_then_a_send() -> None:
    assert plan(q=quorum(2)) == OpenIntent(checkpoint(2))
    assert plan(journal(open_intents=(intent(2),)), q=quorum(2)) == OpenSlot(5)
    made = plan(journal(open_intents=(intent(2),), open_nonces=(5,)), q=quorum(2))
    assert isinstance(made, MakeAttempt)
    assert (made.nonce, made.checkpoint, made.from_size, made.fee.max_fee) == (5, checkpoint(2), 1, 3 * GWEI)
    assert made.path == quorum(2).paths[2]
    assert plan(waiting(), q=quorum(2)) == Send(attempt(5))
    assert plan(waiting(), q=quorum(2), sent={attempt(5).hash}) == Wait("in_flight")


def test_the_newest_of_several_checkpoints_is_anchored_alone() -> None:
    assert plan(q=quorum(2, 3, 4)) == OpenIntent(checkpoint(4))


def test_a_checkpoint_without_a_path_from_the_head_is_not_anchored() -> None:
    assert plan(q=quorum(2, paths={})) == Wait("nothing_due")


@pytest.mark.parametrize("state", ["unknown", "paused", "frozen", "retired"])
def test_an_anchor_that_would_revert_is_not_begun(state: str) -> None:
    assert plan(c=chain(head=head(state=state)), q=quorum(2)) == Wait(f"log_{state}")


@pytest.mark.parametrize("own", [head(next_from_size=2), head(set_id=2)])
def test_a_set_that_the_contract_does_not_expect_for_this_size_is_not_offered(own: Head) -> None:
    assert plan(c=chain(head=own), q=quorum(2)) == Wait("rotation_due")


def test_a_handover_is_offered_with_the_next_set() -> None:
    ready = quorum(2, checkpoints=(checkpoint(2, set_id=2),))
    assert isinstance(plan(c=chain(head=head(next_from_size=2)), q=ready), OpenIntent)


def test_an_operator_waits_for_its_turn_and_takes_it_when_the_leader_is_late() -> None:
    second = policy(turns={"operators": 2, "my_index": 1})
    held = quorum(2, checkpoints=(checkpoint(2, held_number=95),))
    assert plan(q=held, p=second) == Wait("not_our_turn")
    late = quorum(2, checkpoints=(checkpoint(2, held_number=94),))
    assert isinstance(plan(q=late, p=second), OpenIntent)


def test_turns_count_from_the_checkpoint_that_waits_longest_and_the_newest_is_anchored() -> None:
    second = policy(turns={"operators": 2, "my_index": 1})
    newest = checkpoint(4, held_number=100)
    for held_number, action in ((95, Wait("not_our_turn")), (94, OpenIntent(newest))):
        oldest = checkpoint(2, held_number=held_number)
        assert plan(q=quorum(2, 4, checkpoints=(oldest, newest)), p=second) == action
        assert plan(q=quorum(4, checkpoints=(newest,), waiting=oldest), p=second) == action


def test_the_leader_of_a_later_round_does_not_jump_the_queue() -> None:
    leads_3 = policy(turns={"operators": 2, "my_index": 1})
    held = quorum(2, 3, checkpoints=(checkpoint(2, held_number=99), checkpoint(3, held_number=100)))
    assert plan(q=held, p=leads_3) == Wait("not_our_turn")
    assert isinstance(plan(c=chain(head=head(2)), q=held, p=leads_3), OpenIntent)


def test_shortly_before_the_log_would_be_overdue_nobody_is_polite() -> None:
    second = policy(turns={"operators": 3, "my_index": 0})
    held = quorum(2, checkpoints=(checkpoint(2, held_number=100),))
    assert plan(q=held, p=second) == Wait("not_our_turn")
    late = replace(second, clock=replace(second.clock, grace=Seconds(0)))
    assert isinstance(plan(q=held, p=late), OpenIntent)


def test_an_outsider_has_its_turn_although_a_new_checkpoint_came_just_now() -> None:
    outsider = policy(turns={"operators": 3, "my_index": 3})
    for held_number, is_our_turn in ((83, False), (82, True)):
        oldest, newest = checkpoint(2, held_number=held_number), checkpoint(9, held_number=100)
        action = plan(q=quorum(9, checkpoints=(newest,), waiting=oldest), p=outsider)
        assert action == (OpenIntent(newest) if is_our_turn else Wait("not_our_turn"))


def test_a_duty_of_ours_that_cannot_be_served_covers_no_round() -> None:
    rounds = policy(turns={"anchor_every": 4})
    begun = journal(open_intents=(intent(8),))
    assert plan(begun, chain(head=head(4)), quorum(8, 9), p=rounds) == OpenSlot(5)
    pathless = quorum(8, 9, paths={9: ()})
    assert plan(begun, chain(head=head(4)), pathless, p=rounds) == OpenIntent(checkpoint(9))


def test_an_older_duty_of_ours_is_served_while_the_newest_is_anothers_turn() -> None:
    second = policy(turns={"operators": 2, "my_index": 1})
    two = quorum(2, 4, checkpoints=(checkpoint(2), checkpoint(4, held_number=100)))
    assert plan(journal(open_intents=(intent(2),)), q=two, p=second) == OpenSlot(5)


def test_sizes_of_one_round_share_one_anchor() -> None:
    rounds = policy(turns={"anchor_every": 4})
    assert plan(c=chain(head=head(4)), q=quorum(7), p=rounds) == Wait("nothing_due")
    assert isinstance(plan(c=chain(head=head(4)), q=quorum(8), p=rounds), OpenIntent)


@pytest.mark.parametrize(("level", "reason"), [(Brake.SOFT, "braked"), (Brake.DRAIN, "drained")])
def test_the_soft_brake_begins_nothing_and_finishes_what_is_begun(level: Brake, reason: str) -> None:
    assert plan(journal(brake=level), q=quorum(2)) == Wait(reason)
    assert plan(journal(brake=level, open_intents=(intent(2),)), q=quorum(2)) == Wait(reason)
    assert plan(waiting(brake=level), q=quorum(2)) == Send(attempt(5))


def test_drained_means_that_no_nonce_is_open_and_needs_no_endpoint_to_say_so() -> None:
    assert next_action(journal(brake=Brake.DRAIN), None, quorum(), (), POLICY) == Wait("drained")
    mined = chain(final_nonce=4)  # and not final yet
    assert plan(journal(brake=Brake.DRAIN, open_nonces=(4,)), mined, quorum(2)) == Wait("braked")
    assert next_action(waiting(brake=Brake.DRAIN), None, quorum(), (), POLICY) == Send(attempt(5))


def test_drained_comes_after_what_is_final_is_written_down() -> None:
    assert isinstance(plan(journal(brake=Brake.DRAIN), chain(final=public_block(97))), RecordHeader)


def test_a_drain_also_uses_up_the_nonce_for_which_nobody_waits_any_more() -> None:
    covered = chain(head=head(2))  # another operator was faster
    idle = waiting(open_intents=())
    assert plan(idle, covered, quorum(2)) == Wait("nothing_due")
    assert plan(replace(idle, brake=Brake.SOFT), covered, quorum(2)) == Wait("nothing_due")
    draining = replace(idle, brake=Brake.DRAIN)
    assert plan(draining, covered, quorum(2)) == Send(attempt(5))
    late = plan(draining, replace(covered, pinned=public_block(PINNED + 10)), quorum(2))
    assert isinstance(late, MakeAttempt)
    assert (late.nonce, late.checkpoint) == (5, None)
    empty = plan(journal(brake=Brake.DRAIN, open_nonces=(5,)), covered, quorum(2))
    assert isinstance(empty, MakeAttempt)
    assert empty.checkpoint is None


# ── money ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_intent_is_not_opened_while_its_anchor_cannot_be_paid() -> None:
    assert plan(c=chain(base_fee=200 * GWEI), q=quorum(2)) == Wait("fee_capped")
    assert plan(c=chain(balance=ETHER // 10), q=quorum(2)) == Wait("low_balance")
    assert plan(journal(today={4: ETHER}), q=quorum(2)) == Wait("budget_spent")


def test_a_slot_without_an_affordable_attempt_waits_and_says_why() -> None:
    bare = journal(open_intents=(intent(2),), open_nonces=(5,))
    assert plan(bare, chain(balance=ETHER // 10), quorum(2)) == Wait("low_balance")


def test_a_fee_is_raised_by_an_eighth_on_both_fields_after_its_time() -> None:
    old = attempt(5, pinned_number=90)
    made = plan(waiting(attempts=(old,)), q=quorum(2))
    assert isinstance(made, MakeAttempt)
    assert 8 * made.fee.max_fee >= 9 * old.max_fee
    assert 8 * made.fee.tip >= 9 * old.tip


def test_at_the_ceiling_the_old_bytes_are_sent_again_and_nothing_is_raised() -> None:
    old = attempt(5, pinned_number=90)
    spike = chain(base_fee=300 * GWEI)
    assert plan(waiting(attempts=(old,)), spike, quorum(2)) == Send(old)
    assert plan(waiting(attempts=(old,)), spike, quorum(2), {old.hash}) == Wait("fee_capped")


# ── slots ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_hole_below_an_open_slot_is_filled_from_the_lowest() -> None:
    high = journal(open_nonces=(7,), attempts=(attempt(7),), open_intents=(intent(2),))
    assert plan(high, q=quorum(2)) == OpenSlot(5)
    more = journal(open_nonces=(5, 7), attempts=(attempt(7),), open_intents=(intent(2),))
    assert plan(more, q=quorum(2)) == OpenSlot(6)


def test_no_slot_is_opened_for_a_nonce_that_is_used_for_good() -> None:
    """Endpoints that take it to be free contradict what was final; the journal has its row already."""
    used = journal(open_intents=(intent(2),), highest_nonce=5, highest_closed=5)
    assert plan(used, chain(nonce=5), quorum(2)) == Wait("nonce_behind")
    assert plan(used, chain(nonce=6), quorum(2)) == OpenSlot(6)
    behind = waiting(6, highest_nonce=6, highest_closed=5)
    assert plan(behind, chain(nonce=4), quorum(2)) == Wait("nonce_behind")
    assert plan(waiting(6, highest_nonce=6, highest_closed=3), chain(nonce=4), quorum(2)) == OpenSlot(4)


@pytest.mark.parametrize("nonce", [7, 8, 10**12])
def test_nothing_is_signed_on_a_nonce_that_the_journal_does_not_bear_out(nonce: int) -> None:
    """RELAYER §3: what we have open stays alive; no slot is opened, since each would be paid for once they tell the truth."""
    idle = journal(open_intents=(intent(2),), highest_nonce=5, highest_closed=5)
    assert plan(idle, chain(nonce=6), quorum(2)) == OpenSlot(6)
    assert plan(idle, chain(nonce=nonce), quorum(2)) == Wait("nonce_ahead")
    ours = waiting(attempts=(attempt(5),), highest_nonce=5)
    assert plan(ours, chain(nonce=nonce), quorum(2)) == Send(attempt(5))
    assert plan(ours, chain(nonce=nonce), quorum(2), sent={attempt(5).hash}) == Wait("nonce_ahead")
    assert plan(replace(ours, brake=Brake.HARD), chain(nonce=nonce), quorum(2)) == Wait("braked")
    assert plan(journal(), chain(nonce=nonce), quorum(2)) == OpenIntent(checkpoint(2))  # its first: no other is known


def test_so_many_holes_are_filled_and_no_more() -> None:
    for nonce, done in ((5, OpenSlot(5)), (4, Wait("nonce_gap"))):
        high = journal(open_nonces=(5 + MAX_HOLES,), open_intents=(intent(2),), highest_nonce=5 + MAX_HOLES)
        assert plan(high, chain(nonce=nonce), quorum(2)) == done
    filled = journal(open_nonces=(*range(5, 30), 31), open_intents=(intent(2),), highest_nonce=31)
    assert plan(filled, chain(nonce=5), quorum(2)) == OpenSlot(30)
    used = journal(open_nonces=(90,), open_intents=(intent(2),), highest_nonce=90, highest_closed=3)
    assert plan(used, chain(nonce=3), quorum(2)) == Wait("nonce_behind")


def test_a_filled_hole_carries_the_checkpoint_and_the_one_behind_keeps_its_bytes() -> None:
    two = journal(open_nonces=(5, 6), attempts=(attempt(6),), open_intents=(intent(2),))
    made = plan(two, q=quorum(2))
    assert isinstance(made, MakeAttempt)
    assert (made.nonce, made.checkpoint) == (5, checkpoint(2))


def test_slots_behind_are_sent_as_they_are_and_never_bumped() -> None:
    old = attempt(6, pinned_number=50)
    two = journal(open_nonces=(5, 6), attempts=(attempt(5), old), open_intents=(intent(2),))
    assert plan(two, q=quorum(2), sent={attempt(5).hash}) == Send(old)
    assert plan(two, q=quorum(2), sent={attempt(5).hash, old.hash}) == Wait("in_flight")


def test_a_slot_behind_without_bytes_is_cancelled() -> None:
    two = journal(open_nonces=(5, 6), attempts=(attempt(5),), open_intents=(intent(2),))
    made = plan(two, q=quorum(2), sent={attempt(5).hash})
    assert isinstance(made, MakeAttempt)
    assert (made.nonce, made.checkpoint, made.path) == (6, None, ())


def test_a_slot_behind_is_not_cancelled_with_money_that_is_not_there() -> None:
    two = journal(open_nonces=(5, 6), attempts=(attempt(5),), open_intents=(intent(2),))
    poor = chain(balance=3 * POLICY.fees.max_cost_per_anchor + attempt(5).cost)
    assert plan(two, poor, quorum(2), {attempt(5).hash}) == Wait("in_flight")


def test_a_lone_slot_that_nobody_needs_is_left_alone() -> None:
    assert plan(waiting(open_intents=()), chain(head=head(2)), quorum(2)) == Wait("nothing_due")


def test_a_useless_attempt_with_others_behind_is_sent_to_use_up_its_nonce() -> None:
    two = journal(open_nonces=(5, 6), attempts=(attempt(5), attempt(6)))
    assert plan(two, chain(head=head(2)), quorum(2)) == Send(attempt(5))


def test_a_useless_attempt_is_replaced_by_a_checkpoint_that_is_needed() -> None:
    made = plan(waiting(open_intents=(intent(3),)), chain(head=head(2)), quorum(2, 3))
    assert isinstance(made, MakeAttempt)
    assert (made.nonce, made.checkpoint, made.from_size) == (5, checkpoint(3), 2)


def doomed() -> AttemptRow:
    return attempt(5, to_size=4)


def test_an_attempt_whose_head_moved_is_replaced_and_never_sent() -> None:
    view = waiting(attempts=(doomed(),), open_intents=(intent(4),))
    made = plan(view, chain(head=head(2)), quorum(2, 4))
    assert isinstance(made, MakeAttempt)
    assert (made.from_size, made.checkpoint) == (2, checkpoint(4))
    capped = chain(head=head(2), base_fee=300 * GWEI)
    assert plan(view, capped, quorum(2, 4)) == Wait("fee_capped")


def test_a_doomed_attempt_with_others_behind_and_no_need_becomes_a_cancel() -> None:
    view = journal(open_nonces=(5, 6), attempts=(doomed(), attempt(6)))
    made = plan(view, chain(head=head(2)), quorum(2))
    assert isinstance(made, MakeAttempt)
    assert (made.nonce, made.checkpoint) == (5, None)


def test_mined_slots_are_no_longer_served() -> None:
    assert plan(waiting(), chain(nonce=6, head=head(2)), quorum(2)) == Wait("nothing_due")


def test_facts_come_before_new_duties() -> None:
    assert isinstance(plan(c=chain(known_final_hash=bytes(32), final=chain().pinned), q=quorum(2)), Halt)


# ── another set of validators ────────────────────────────────────────────────────────────────────────────────────────

UPDATE = appointment()


def turning(n: int = 5, **changes: Any) -> Any:
    """The duty to post the update, one slot, its attempt."""
    carried = attempt(n, 0, intent_id=102)
    values: dict[str, Any] = {"open_nonces": (n,), "attempts": (carried,), "open_rotations": (rotation(),)}
    return journal(**values | changes)


def test_a_set_update_that_is_due_goes_before_the_newest_checkpoint() -> None:
    both = quorum(2, appointment=UPDATE)
    assert plan(q=both) == OpenRotation(UPDATE)
    taken = journal(open_rotations=(rotation(),))
    assert plan(taken, q=both) == OpenSlot(5)
    made = plan(replace(taken, open_nonces=(5,)), q=both)
    assert isinstance(made, MakeAttempt)
    assert (made.appointment, made.checkpoint) == (UPDATE, None)
    assert plan(turning(), q=both) == Send(turning().attempts[0])


def test_a_paused_log_takes_an_update_and_nothing_else() -> None:
    paused = chain(head=head(state="paused"))
    assert plan(c=paused, q=quorum(2, appointment=UPDATE)) == OpenRotation(UPDATE)
    assert plan(c=paused, q=quorum(2)) == Wait("log_paused")


@pytest.mark.parametrize(
    ("changes", "seen", "policies", "reason"),
    [
        ({"brake": Brake.SOFT}, {}, {}, "braked"),
        ({}, {}, {"turns": {"operators": 3, "my_index": 0}}, "not_our_turn"),  # 100 // 6 % 3 = 1
        ({}, {"base_fee": 101 * GWEI}, {}, "fee_capped"),
        ({}, {"balance": 0}, {}, "low_balance"),
    ],
)
def test_an_update_waits_for_brake_turn_and_money(changes: Any, seen: Any, policies: Any, reason: str) -> None:
    assert plan(journal(**changes), chain(**seen), quorum(appointment=UPDATE), p=policy(**policies)) == Wait(reason)


def test_an_update_may_spend_the_reserve() -> None:
    poor = chain(balance=FEES.reserve)
    assert plan(c=poor, q=quorum(2, appointment=UPDATE)) == OpenRotation(UPDATE)
    assert plan(c=poor, q=quorum(2)) == Wait("low_balance")


def test_a_hole_below_an_update_is_filled_by_the_update_itself_out_of_the_reserve_and_by_no_cancel() -> None:
    poor = chain(balance=FEES.reserve)
    hole = turning(6, open_nonces=(5, 6), attempts=(attempt(6, 0, intent_id=102, gas=30_000),))
    made = plan(hole, poor, quorum(appointment=UPDATE))
    assert isinstance(made, MakeAttempt)
    assert (made.nonce, made.appointment) == (5, UPDATE)
    nobody = journal(open_nonces=(5, 6), attempts=(attempt(6, gas=30_000),))
    assert plan(nobody, poor, quorum(), sent={attempt(6, gas=30_000).hash}) == Wait("low_balance")


def test_an_update_that_another_operator_posted_is_replaced_by_an_anchor_or_left_alone() -> None:
    pending = chain(head=head(next_from_size=8))
    assert plan(turning(), pending) == Wait("nothing_due")
    due = turning(open_intents=(intent(2),))
    made = plan(due, pending, quorum(2))
    assert isinstance(made, MakeAttempt)
    assert (made.nonce, made.checkpoint and made.checkpoint.size) == (5, 2)
    assert made.fee.max_fee >= turning().attempts[0].max_fee * 9 // 8


def test_an_update_that_would_revert_is_sent_only_where_others_wait_behind() -> None:
    behind = turning(open_nonces=(5, 6), attempts=(attempt(5, 0, intent_id=102), attempt(6)))
    dear = chain(head=head(next_from_size=8), base_fee=60 * GWEI)  # no raise is allowed
    assert plan(behind, dear) == Send(behind.attempts[0])


def test_an_anchor_in_line_is_mined_before_the_update_takes_its_own_nonce() -> None:
    both = waiting(open_rotations=(rotation(),))
    assert plan(both, q=quorum(2, appointment=UPDATE)) == Send(both.attempts[0])


def test_no_checkpoint_of_the_new_set_goes_before_the_update_stands() -> None:
    new = quorum(8)
    signed = replace(new, checkpoints=(checkpoint(8, set_id=2),))
    assert plan(q=signed) == Wait("rotation_due")
    assert plan(c=chain(head=head(next_from_size=8)), q=signed) == OpenIntent(checkpoint(8, set_id=2))
    early = replace(signed, checkpoints=(checkpoint(7, set_id=2),), paths={7: ()})
    assert plan(c=chain(head=head(next_from_size=8)), q=early) == Wait("rotation_due")


def test_the_last_checkpoint_of_a_set_hands_over_though_it_stands_on_no_grid() -> None:
    """Sizes 8 to 9 are set 2's, the newest is set 3's: without an anchor of 9 the contract takes no further update."""
    view = quorum(9, 16)
    view = replace(view, checkpoints=(checkpoint(9, set_id=2), checkpoint(16, set_id=3)))
    pending = chain(head=head(7, next_from_size=8))
    on_grid = policy(turns={"anchor_every": 8})
    assert plan(c=pending, q=view, p=on_grid) == OpenIntent(checkpoint(9, set_id=2))
    handed_over = chain(head=head(9, set_id=2))
    assert plan(c=handed_over, q=replace(view, paths={16: ()}), p=on_grid) == Wait("rotation_due")
