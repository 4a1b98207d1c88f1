"""What a final public block proves, and what it contradicts."""

from typing import Any

import pytest

from hybrid_bridge.core.encoding import sha256
from relayers.facts import MAX_REVERTS, MAX_UNKNOWN, next_fact
from relayers.journal import AttemptFinalRow, HeaderRow, HeadSpan, IntentState, Outcome, SlotRow
from relayers.views import CloseSlot, Halt, OpenSlot, RecordHeader, SettleIntent, Standing, Wait
from tests.unit.relayers.builders import (
    FINAL,
    attempt,
    chain,
    event,
    head,
    intent,
    journal,
    number_hash,
    public_block,
    quorum,
    root,
    rotation,
)

STOOD = HeadSpan(0, None)


def fact(j: Any = None, c: Any = None, q: Any = None) -> Any:
    return next_fact(j or journal(), c or chain(), q or quorum())


def test_nothing_new_is_no_fact() -> None:
    assert fact() is None


def test_code_at_our_own_address_halts_before_anything_is_recorded() -> None:
    delegated = chain(signer_code=b"\xef\x01\x00" + bytes(20), final=public_block(FINAL + 1))
    halt = fact(c=delegated)
    assert isinstance(halt, Halt)
    assert halt.reason == "delegated_signer"
    assert dict(halt.evidence)["code"] == "ef0100" + "00" * 20
    assert len(dict(fact(c=chain(signer_code=bytes(10_000))).evidence)["code"]) == 128


# ── headers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_first_final_header_is_recorded_with_all_anchors_before_it() -> None:
    first = fact(journal(final_header=None), chain(new_anchors=(event(2),), known_final_hash=None))
    assert first == RecordHeader(HeaderRow(FINAL, number_hash(FINAL), number_hash(FINAL - 1)), (event(2),))


def test_a_newer_final_header_is_recorded() -> None:
    old = HeaderRow(90, number_hash(90), number_hash(89))
    assert isinstance(fact(journal(final_header=old), chain(known_final_hash=number_hash(90))), RecordHeader)


def test_a_final_header_that_no_longer_stands_halts() -> None:
    old = HeaderRow(90, number_hash(90), number_hash(89))
    for found in (number_hash(90, fork=1), None):
        halt = fact(journal(final_header=old), chain(known_final_hash=found))
        assert isinstance(halt, Halt)
        assert halt.reason == "finality_violation"
    assert isinstance(fact(c=chain(final=public_block(FINAL).__class__(FINAL, bytes(32), bytes(32), 0))), Halt)


def test_endpoints_whose_finality_lags_prove_nothing_new() -> None:
    assert fact(c=chain(final=public_block(FINAL - 1))) == Wait("finality_lags")


# ── slots ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def closing(attempts: Any, span: HeadSpan = STOOD, **changes: Any) -> CloseSlot:
    found = fact(
        journal(
            open_nonces=(5,),
            attempts=attempts,
            anchors={2: event(2, tx_hash=attempt(5).hash)},
            head_spans={1: span},
        ),
        chain(final_nonce=6, nonce=6, **changes),
    )
    assert isinstance(found, CloseSlot)
    return found


def standing(is_success: bool) -> Standing:
    return Standing(public_block(95), is_success)


def test_an_attempt_that_anchored_is_ok_and_the_others_of_its_nonce_are_lost() -> None:
    other = attempt(5, max_fee=9, tip=1)
    found = closing((attempt(5), other), standings={attempt(5).hash: standing(is_success=True)})
    assert found.slot == SlotRow(5, number_hash(FINAL), is_foreign=False)
    assert found.finals == (
        AttemptFinalRow(attempt(5).hash, Outcome.OK, "", 95, number_hash(95)),
        AttemptFinalRow(other.hash, Outcome.LOST, "", FINAL, number_hash(FINAL)),
    )


def outcome(sent: Any, found: Standing, **changes: Any) -> tuple[Outcome, str]:
    final = closing((sent,), standings={sent.hash: found}, **changes).finals[0]
    return final.outcome, final.reason


def test_success_without_an_anchor_of_its_own_changed_nothing() -> None:
    assert outcome(attempt(5, max_fee=4), standing(is_success=True)) == (Outcome.NOOP, "")


def test_a_cancel_that_stands_did_what_it_should() -> None:
    assert outcome(attempt(5, to_size=0), standing(is_success=True)) == (Outcome.OK, "")


def test_an_anchor_seen_in_the_same_observation_counts() -> None:
    fresh = attempt(5, max_fee=4)
    anchors = (event(3, tx_hash=fresh.hash),)
    assert outcome(fresh, standing(is_success=True), new_anchors=anchors) == (Outcome.OK, "")


@pytest.mark.parametrize("span", [HeadSpan(0, 95), HeadSpan(0, 94), HeadSpan(96, None), HeadSpan(None, None)])
def test_a_revert_where_the_head_stood_elsewhere_is_a_lost_race(span: HeadSpan) -> None:
    assert outcome(attempt(5), standing(is_success=False), span=span) == (Outcome.REVERTED, "stale")


@pytest.mark.parametrize("span", [STOOD, HeadSpan(95, 96)])
def test_a_revert_with_the_head_where_it_was_is_unexplained(span: HeadSpan) -> None:
    assert outcome(attempt(5), standing(is_success=False), span=span) == (Outcome.REVERTED, "")


@pytest.mark.parametrize(
    ("state", "reason"), [("paused", "paused"), ("frozen", "paused"), ("active", ""), ("retired", ""), (None, "")]
)
def test_a_revert_under_the_contracts_brake_is_explained(state: str | None, reason: str) -> None:
    found = Standing(public_block(95), is_success=False, log_state=state)
    assert outcome(attempt(5), found, span=STOOD) == (Outcome.REVERTED, reason)


def test_a_nonce_used_by_none_of_our_bytes_is_foreign() -> None:
    assert closing((attempt(5),)).slot.is_foreign
    assert closing(()).slot.is_foreign


def test_more_of_others_nonces_than_a_tick_writes_down_halt_before_one_is_written() -> None:
    """Endpoints that lie may name any number, and no row ever goes away."""
    known = journal(highest_nonce=4)
    assert fact(known, chain(final_nonce=5 + MAX_UNKNOWN)) == OpenSlot(5)
    halt = fact(known, chain(final_nonce=5 + MAX_UNKNOWN + 1))
    assert isinstance(halt, Halt)
    seen = dict(halt.evidence)
    assert (halt.reason, seen["nonce"]) == ("key_elsewhere", "5")
    assert seen["used_by"] == f"{MAX_UNKNOWN + 1} of them that the journal lacks"


def test_a_foreign_nonce_halts_in_the_commit_that_closes_it() -> None:
    found = closing(())
    assert found.halt is not None
    assert found.halt.reason == "key_elsewhere"
    assert dict(found.halt.evidence)["nonce"] == "5"


def test_of_several_used_nonces_ours_are_closed_first_and_only_the_last_foreign_one_halts() -> None:
    ours, used = attempt(5), chain(final_nonce=7, standings={attempt(5).hash: standing(is_success=True)})
    order = []
    left = (4, 5, 6)
    while left:
        found = fact(journal(open_nonces=left, attempts=(ours,), head_spans={ours.from_size: STOOD}), used)
        assert isinstance(found, CloseSlot)
        order.append((found.slot.nonce, found.halt is not None))
        left = tuple(n for n in left if n != found.slot.nonce)
    assert order == [(5, False), (4, False), (6, True)]


@pytest.mark.parametrize(("highest", "expected"), [(None, None), (6, None), (5, OpenSlot(6)), (3, OpenSlot(4))])
def test_a_used_nonce_above_our_slots_gets_its_slot(highest: int | None, expected: object) -> None:
    assert fact(journal(highest_nonce=highest), chain(final_nonce=7)) == expected


def test_the_lowest_final_slot_is_closed_first_and_unmined_ones_stay() -> None:
    found = fact(journal(open_nonces=(4, 5, 6)), chain(final_nonce=5))
    assert isinstance(found, CloseSlot)
    assert found.slot.nonce == 4
    assert fact(journal(open_nonces=(5, 6)), chain(final_nonce=5)) is None


def test_three_unexplained_reverts_in_a_row_halt() -> None:
    assert fact(journal(unexplained_reverts=MAX_REVERTS - 1)) is None
    assert fact(journal(unexplained_reverts=MAX_REVERTS)) == Halt("reverts_repeated", (("reverts", "3"),))


# ── intents ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def settled(size: int, final_size: int, **changes: Any) -> Any:
    return fact(journal(open_intents=(intent(size),), **changes), chain(final_head=head(final_size)), quorum(2, 3, 4))


def test_an_intent_whose_anchor_is_final_is_finalized_with_its_transaction() -> None:
    found = settled(2, 2, anchors={2: event(2)})
    assert isinstance(found, SettleIntent)
    assert found.intent.state is IntentState.FINALIZED
    assert (found.intent.settled_hash, found.intent.settled_tx) == (number_hash(FINAL), event(2).tx_hash)


def test_an_intent_below_a_larger_final_head_is_superseded() -> None:
    found = settled(2, 4)
    assert isinstance(found, SettleIntent)
    assert (found.intent.state, found.intent.settled_tx) == (IntentState.SUPERSEDED, None)


def test_an_intent_above_the_final_head_stays_open() -> None:
    assert settled(3, 2) is None


def test_a_final_head_that_we_cannot_compare_yet_settles_nothing() -> None:
    assert settled(2, 9) is None


@pytest.mark.parametrize("intents", [(), (intent(2),)])
def test_a_final_head_with_another_root_than_our_tree_halts_with_both_roots(intents: Any) -> None:
    other = sha256(b"another history")
    found = fact(journal(open_intents=intents), chain(final_head=head(2, root=other)), quorum(2))
    assert found == Halt("conflict", (("size", "2"), ("ours", root(2).hex()), ("anchored", other.hex())))


def test_an_event_of_the_right_size_with_another_root_does_not_finalize() -> None:
    found = settled(2, 4, anchors={2: event(2, root=bytes(32))})
    assert found.intent.state is IntentState.SUPERSEDED


# ── rotations ────────────────────────────────────────────────────────────────────────────────────────────────────────

TURNED = attempt(4, 0, intent_id=102)


@pytest.mark.parametrize("stands", [{"next_from_size": 8}, {"set_id": 2}, {"set_id": 3}])
def test_a_final_head_that_shows_the_set_settles_the_rotation_as_another_operators(stands: dict[str, int]) -> None:
    settled = fact(journal(open_rotations=(rotation(),)), chain(final_head=head(**stands)))
    assert isinstance(settled, SettleIntent)
    assert (settled.intent.state, settled.intent.settled_tx) == (IntentState.SUPERSEDED, None)
    assert settled.intent.settled_hash == chain().final.hash


def test_our_own_final_transaction_settles_it_whatever_state_is_kept() -> None:
    ours = journal(open_rotations=(rotation(),), rotated={102: TURNED.hash})
    for final in (head(), head(next_from_size=8)):
        settled = fact(ours, chain(final_head=final))
        assert isinstance(settled, SettleIntent)
        assert (settled.intent.state, settled.intent.settled_tx) == (IntentState.FINALIZED, TURNED.hash)


def test_a_rotation_that_nobody_posted_stays_open() -> None:
    assert fact(journal(open_rotations=(rotation(),))) is None
    assert fact(journal(open_rotations=(rotation(3),)), chain(final_head=head(next_from_size=8))) is None


@pytest.mark.parametrize(
    ("is_success", "open_rotations", "final", "outcome"),
    [
        (True, (rotation(),), head(next_from_size=8), (Outcome.OK, "")),
        (False, (rotation(),), head(next_from_size=8), (Outcome.REVERTED, "stale")),
        (False, (), head(set_id=2), (Outcome.REVERTED, "stale")),
        (False, (rotation(),), head(), (Outcome.REVERTED, "")),
    ],
)
def test_a_final_rotation_stands_lost_its_race_or_reverted_for_no_known_reason(
    is_success: bool, open_rotations: Any, final: Any, outcome: Any
) -> None:
    standing = {TURNED.hash: Standing(public_block(95), is_success)}
    seen = chain(standings=standing, final_head=final)
    closed = fact(journal(open_nonces=(4,), attempts=(TURNED,), open_rotations=open_rotations), seen)
    assert isinstance(closed, CloseSlot)
    assert [(final.outcome, final.reason) for final in closed.finals] == [outcome]


def test_a_lost_rotation_race_is_known_by_the_pinned_head_where_the_final_one_is_forgotten() -> None:
    standings = {TURNED.hash: Standing(public_block(95), is_success=False)}
    for pinned, reason in ((head(), ""), (head(next_from_size=8), "stale"), (head(set_id=2), "stale")):
        seen = chain(standings=standings, final_head=head(), head=pinned)
        closed = fact(journal(open_nonces=(4,), attempts=(TURNED,), open_rotations=(rotation(),)), seen)
        assert [(final.outcome, final.reason) for final in closed.finals] == [(Outcome.REVERTED, reason)]
