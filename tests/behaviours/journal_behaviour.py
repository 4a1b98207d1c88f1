"""What any journal keeps and refuses, whatever database holds it; `test_journal` runs it on each."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from hybrid_bridge.errors import FieldMismatch, LeaseLost, NotYet, SettingsMalformed, SpendCapped, StoreBroken
from relayers import sql_events, sql_journal
from relayers.desk import Orders
from relayers.journal import (
    AttemptFinalRow,
    Brake,
    EvidenceRow,
    HaltRow,
    HeaderRow,
    HeadSpan,
    IntentKind,
    IntentState,
    Outcome,
    SendRow,
    SightingRow,
    SlotRow,
    SpendLimits,
    WishKind,
    WishRow,
)
from relayers.journal_place import JournalPlace
from relayers.sql_journal import SqlJournal, SqlJournalReader, create_journal
from relayers.sql_tables import INSERT_ONLY, NEVER_DELETED
from tests.journals import PLENTY, SCOPE, begun, fill, ours, signed
from tests.unit.relayers.builders import ETHER, GWEI, LOG_ID, T0, checkpoint, event, number_hash

OVERTAKE = "UPDATE lease SET epoch = epoch + 1"
SOME_COLUMN = {"checkpoint": "root", "attestation": "digest", "anchored": "root", "rpc_evidence": "got", "wish": "by"}
ANOTHER: list[dict[str, Any]] = [
    {"chain_id": 1},
    {"contract": bytes(20)},
    {"log_id": bytes(32)},
    {"signer": bytes(20)},
    {"genesis_hash": LOG_ID},
]


class RawError(Exception):
    """The database refused a statement."""


Raw = Callable[[str], list[Any]]


class JournalBehaviour:
    """The suite. A subclass says where the journal is (`place`) and how a stranger writes into it (`raw`)."""

    def disarm(self, raw: Raw, table: str, verb: str) -> None:
        """What somebody with the database's own key can do."""
        raw(f"DROP TRIGGER {table}_no_{verb}")

    @pytest.fixture
    def journal(self, place: JournalPlace) -> Iterator[SqlJournal]:
        with SqlJournal(place, SCOPE, "test", T0) as opened:
            yield opened

    def test_rows_cannot_be_deleted_by_anybody(self, place: JournalPlace, raw: Raw) -> None:
        fill(place)
        for table in sorted({*INSERT_ONLY, *NEVER_DELETED}):
            with pytest.raises(RawError, match=f"{table}: no DELETE"):
                raw(f"DELETE FROM {table}")

    def test_evidence_cannot_be_changed(self, place: JournalPlace, raw: Raw) -> None:
        fill(place)
        for table in INSERT_ONLY:
            column = SOME_COLUMN.get(table, "hash")
            with pytest.raises(RawError, match=f"{table}: no UPDATE"):
                raw(f"UPDATE {table} SET {column} = {column}")

    def test_another_chains_logs_or_keys_journal_is_refused(self, place: JournalPlace) -> None:
        for changes in ANOTHER:
            with pytest.raises(StoreBroken):
                SqlJournal(place, replace(SCOPE, **changes), "test", T0)
        with SqlJournal(place, SCOPE, "test", T0):
            pass  # the refusal let go of it

    def test_an_existing_journal_is_not_made_again(self, place: JournalPlace) -> None:
        """And nothing is broken: whoever says `init` twice is told what is there."""
        with SqlJournal(place, SCOPE, "first", T0) as journal:
            journal.open_slot(7)
        with pytest.raises(SettingsMalformed, match="there is one, left as it is"):
            create_journal(place, SCOPE, T0)
        with SqlJournal(place, SCOPE, "second", T0) as journal:
            assert [slot.nonce for slot in journal.dump().slots] == [7]

    def test_each_opening_takes_the_next_epoch(self, place: JournalPlace) -> None:
        for epoch in (1, 2, 3):
            with SqlJournal(place, SCOPE, "test", T0) as journal:
                assert journal.epoch == epoch

    def test_a_second_process_cannot_open_the_journal_while_the_first_lives(
        self, place: JournalPlace, journal: SqlJournal
    ) -> None:
        with pytest.raises(NotYet):
            SqlJournal(place, SCOPE, "second", T0)
        reader = SqlJournalReader(place, SCOPE)
        assert (reader.view(T0), reader.epoch) == (journal.view(T0), 0)
        reader.close()

    def test_a_woken_former_holder_can_write_nothing(self, raw: Raw, journal: SqlJournal) -> None:
        begun(journal)
        raw(OVERTAKE)
        writes = (
            lambda: journal.renew(T0),
            lambda: journal.admit(checkpoint(3), []),
            lambda: journal.record_header(HeaderRow(1, bytes(32), bytes(32)), ()),
            lambda: journal.open_intent(checkpoint(2), T0),
            lambda: journal.open_slot(6),
            lambda: journal.add_attempt(ours(), PLENTY),
            lambda: journal.log_sends([]),
            lambda: journal.keep_evidence([EvidenceRow("b", "eth_call", "", "", None, T0)]),
            lambda: journal.keep_sightings([SightingRow(ours().hash, bytes(32), 1, 1, T0)]),
            lambda: journal.open_rotation(2, LOG_ID, LOG_ID, T0),
            lambda: journal.close_slot(SlotRow(5, bytes(32), is_foreign=False), []),
            lambda: journal.settle_intent(journal.view(T0).open_intents[0]),
            lambda: journal.halt(HaltRow("conflict", "{}", T0)),
        )
        before = journal.dump()
        for write in writes:
            with pytest.raises(LeaseLost):
                write()
        assert journal.dump() == before

    def test_a_checkpoint_comes_back_as_it_went_in(self, journal: SqlJournal) -> None:
        row = checkpoint(4, consistency=(bytes(32), LOG_ID), previous_size=2)
        journal.admit(checkpoint(2), signed(2))
        journal.admit(row, signed(4))
        assert journal.checkpoint(4) == journal.newest_checkpoint() == row
        assert journal.checkpoint(3) is None
        assert journal.neighbours(3) == (checkpoint(2), row)
        assert journal.neighbours(2) == (None, row)
        assert list(journal.attestations(4)) == signed(4)

    def test_a_checkpoint_and_its_quorum_are_one_commit(self, journal: SqlJournal) -> None:
        with pytest.raises(StoreBroken):
            journal.admit(checkpoint(2), [*signed(2), signed(2)[0]])
        assert journal.checkpoint(2) is None

    def test_a_size_has_one_checkpoint(self, journal: SqlJournal) -> None:
        journal.admit(checkpoint(2), [])
        with pytest.raises(StoreBroken):
            journal.admit(checkpoint(2, root=bytes(32)), [])

    def test_anchors_come_back_with_sixty_four_signer_bits(self, journal: SqlJournal) -> None:
        begun(journal)
        anchor = event(2, signers=2**64 - 1)
        journal.record_header(HeaderRow(96, number_hash(96), number_hash(95)), [anchor])
        assert journal.view(T0).anchors == {2: anchor}
        assert journal.anchored_size() == 2
        assert journal.view(T0).final_header == HeaderRow(96, number_hash(96), number_hash(95))

    def test_the_view_says_where_the_head_stood_at_the_sizes_that_open_attempts_start_from(
        self, journal: SqlJournal
    ) -> None:
        begun(journal)
        for fee, size in enumerate((1, 2, 3, 4, 6), start=1):
            journal.add_attempt(ours(max_fee=fee, tip=1, from_size=size), PLENTY)
        view = journal.view(T0)
        assert (view.newest_anchor, view.head_spans[2]) == (None, HeadSpan(0, None))
        journal.record_header(
            HeaderRow(96, number_hash(96), number_hash(95)), (event(3, 94), event(6, 95, log_index=1))
        )
        view = journal.view(T0)
        assert view.newest_anchor == event(6, 95, log_index=1)
        assert view.head_spans == {
            1: HeadSpan(0, 94),
            2: HeadSpan(0, 94),  # before our history begins
            3: HeadSpan(94, 95),
            4: HeadSpan(None, 95),  # reorganised away
            6: HeadSpan(95, None),
        }

    def test_the_anchors_of_open_attempts_are_in_view_even_if_their_intent_is_settled(
        self, journal: SqlJournal
    ) -> None:
        stored = begun(journal)
        journal.add_attempt(ours(), PLENTY)
        anchor = event(2, tx_hash=ours().hash)
        journal.record_header(HeaderRow(96, number_hash(96), number_hash(95)), (anchor, event(3, log_index=1)))
        settled = {"state": IntentState.FINALIZED, "settled_hash": number_hash(96), "settled_tx": anchor.tx_hash}
        journal.settle_intent(replace(stored, **settled))
        assert journal.view(T0).anchors == {2: anchor}

    def test_no_anchor_yet_is_no_size(self, journal: SqlJournal) -> None:
        assert journal.anchored_size() is None
        assert journal.newest_checkpoint() is None

    def test_a_final_header_is_never_overwritten(self, journal: SqlJournal) -> None:
        journal.record_header(HeaderRow(96, number_hash(96), number_hash(95)), [])
        with pytest.raises(StoreBroken):
            journal.record_header(HeaderRow(96, number_hash(96, fork=1), number_hash(95)), [])

    def test_one_intent_for_each_checkpoint(self, journal: SqlJournal) -> None:
        begun(journal)
        with pytest.raises(StoreBroken):
            journal.open_intent(checkpoint(2), T0)

    def test_an_attempt_comes_back_and_the_view_has_its_cost_today(self, journal: SqlJournal) -> None:
        begun(journal)
        row = ours(tip=GWEI)
        journal.add_attempt(row, PLENTY)
        view = journal.view(T0)
        assert view.attempts == (row,)
        assert (view.usual_gas, view.today) == (row.gas, {5: row.cost})
        assert journal.view(T0 + 86_400).today == {}
        assert view.dearest(5) == row
        assert view.dearest(6) is None

    def test_an_attempt_needs_an_open_slot(self, journal: SqlJournal) -> None:
        begun(journal)
        with pytest.raises(StoreBroken):
            journal.add_attempt(ours(6), PLENTY)
        journal.close_slot(SlotRow(5, bytes(32), is_foreign=True), [])
        with pytest.raises(StoreBroken):
            journal.add_attempt(ours(5), PLENTY)

    def test_two_attempts_of_one_nonce_have_two_fees(self, journal: SqlJournal) -> None:
        begun(journal)
        journal.add_attempt(ours(), PLENTY)
        with pytest.raises(StoreBroken):
            journal.add_attempt(ours(hash=LOG_ID), PLENTY)

    @pytest.mark.parametrize(
        ("rule", "limits"),
        [
            ("max_cost_per_anchor", SpendLimits(ETHER, 90_000 * 3 * GWEI - 1, ETHER)),
            ("balance", SpendLimits(2 * 90_000 * 3 * GWEI - 1, ETHER, ETHER)),
            ("daily_budget", SpendLimits(ETHER, ETHER, 2 * 90_000 * 3 * GWEI - 1)),
        ],
    )
    def test_spending_limits_hold_in_the_commit_itself(
        self, journal: SqlJournal, rule: str, limits: SpendLimits
    ) -> None:
        begun(journal)
        journal.open_slot(6)
        journal.add_attempt(ours(5), PLENTY)
        with pytest.raises(SpendCapped) as caught:
            journal.add_attempt(ours(6), limits)
        assert caught.value.rule == rule
        assert len(journal.view(T0).attempts) == 1

    def test_a_replacement_does_not_count_what_it_replaces(self, journal: SqlJournal) -> None:
        begun(journal)
        journal.add_attempt(ours(), PLENTY)
        dearer = ours(max_fee=4 * GWEI)
        journal.add_attempt(dearer, SpendLimits(dearer.cost, ETHER, dearer.cost))
        assert journal.view(T0).dearest(5) == dearer

    def test_a_slot_closes_once_with_its_outcomes(self, journal: SqlJournal) -> None:
        begun(journal)
        journal.add_attempt(ours(), PLENTY)
        final = AttemptFinalRow(ours().hash, Outcome.OK, "", 95, number_hash(95))
        closed = SlotRow(5, number_hash(96), is_foreign=False)
        journal.close_slot(closed, [final])
        assert journal.view(T0).open_nonces == ()
        assert (journal.dump().slots, journal.dump().finals) == ((closed,), (final,))
        with pytest.raises(StoreBroken):
            journal.close_slot(closed, [])

    def test_an_intent_settles_once(self, journal: SqlJournal) -> None:
        intent = begun(journal)
        settled = replace(intent, state=IntentState.FINALIZED, settled_hash=number_hash(96), settled_tx=LOG_ID)
        journal.settle_intent(settled)
        assert journal.dump().intents == (settled,)
        with pytest.raises(StoreBroken):
            journal.settle_intent(settled)

    def test_a_settled_state_without_its_proof_is_refused_by_the_database(self, journal: SqlJournal) -> None:
        with pytest.raises(StoreBroken):
            journal.settle_intent(replace(begun(journal), state=IntentState.FINALIZED))

    def test_reverts_count_until_a_success_and_lost_races_do_not_count(self, journal: SqlJournal) -> None:
        begun(journal, 1)
        finals = [(Outcome.OK, ""), (Outcome.REVERTED, ""), (Outcome.REVERTED, "stale"), (Outcome.REVERTED, "")]
        for nonce, (outcome, reason) in enumerate(finals, start=1):
            if nonce > 1:
                journal.open_slot(nonce)
            journal.add_attempt(ours(nonce), PLENTY)
            final = AttemptFinalRow(ours(nonce).hash, outcome, reason, nonce, number_hash(nonce))
            journal.close_slot(SlotRow(nonce, number_hash(9), is_foreign=False), [final])
        assert journal.view(T0).unexplained_reverts == 2

    def test_broadcasts_are_kept_with_short_messages(self, journal: SqlJournal) -> None:
        begun(journal)
        journal.add_attempt(ours(), PLENTY)
        journal.log_sends([SendRow(ours().hash, "own", -32000, "x" * 500, None, T0)])
        assert journal.dump().sends == (SendRow(ours().hash, "own", -32000, "x" * 200, None, T0),)

    def test_brake_and_halt_are_remembered(self, place: JournalPlace) -> None:
        with SqlJournal(place, SCOPE, "test", T0) as journal:
            with Orders(place, SCOPE) as orders:
                orders.set_brake(Brake.SOFT, "a person", T0)
            journal.halt(HaltRow("conflict", '{"size": 2}', T0))
        with SqlJournal(place, SCOPE, "test", T0) as journal:
            view = journal.view(T0)
            assert (view.brake, view.halted, journal.halt_evidence()) == (Brake.SOFT, "conflict", '{"size": 2}')

    def test_a_wish_stands_until_another_attempt_is_dearest(self, place: JournalPlace, journal: SqlJournal) -> None:
        begun(journal)
        with Orders(place, SCOPE) as orders:
            orders.wish(5, WishKind.CANCEL, None, "a person", T0)
            assert journal.view(T0).wishes[5].kind is WishKind.CANCEL
            journal.add_attempt(ours(), PLENTY)
            assert journal.view(T0).wishes == {}
            with pytest.raises(NotYet):
                orders.wish(5, WishKind.BUMP, None, "a person", T0)  # made against what is no longer the dearest
            orders.wish(5, WishKind.CANCEL, ours().hash, "a person", T0)
            orders.wish(5, WishKind.BUMP, ours().hash, "another", T0 + 1)
            assert journal.view(T0).wishes == {5: WishRow(5, WishKind.BUMP, ours().hash, "another", T0 + 1)}
            journal.close_slot(SlotRow(5, bytes(32), is_foreign=True), [])
            assert journal.view(T0).wishes == {}
            with pytest.raises(NotYet):
                orders.wish(5, WishKind.BUMP, ours().hash, "a person", T0)
        assert [wish.kind for wish in journal.dump().wishes] == [WishKind.CANCEL, WishKind.CANCEL, WishKind.BUMP]

    def test_a_rotation_is_a_duty_of_its_own_beside_anchors(self, journal: SqlJournal) -> None:
        begun(journal)
        journal.open_rotation(2, LOG_ID, number_hash(1), T0)
        view = journal.view(T0)
        assert [intent.size for intent in view.open_intents] == [2]
        (rotation,) = view.open_rotations
        assert (rotation.kind, rotation.set_id, rotation.size, rotation.root) == (IntentKind.ROTATE, 2, 0, LOG_ID)
        with pytest.raises(StoreBroken):
            journal.open_rotation(2, LOG_ID, number_hash(1), T0)
        journal.settle_intent(replace(rotation, state=IntentState.SUPERSEDED, settled_hash=number_hash(96)))
        assert journal.view(T0).open_rotations == ()

    def test_what_fulfilled_a_rotation_is_in_view_until_it_is_settled(self, journal: SqlJournal) -> None:
        begun(journal)
        journal.open_rotation(2, LOG_ID, number_hash(1), T0)
        (rotation,) = journal.view(T0).open_rotations
        carried = ours(intent_id=rotation.id, to_size=0)
        journal.add_attempt(carried, PLENTY)
        assert journal.view(T0).usual_gas is None  # its gas says nothing of an anchor's
        assert journal.view(T0).rotated == {}
        journal.record_header(HeaderRow(96, number_hash(96), number_hash(95)), ())
        final = AttemptFinalRow(carried.hash, Outcome.OK, "", 95, number_hash(95))
        journal.close_slot(SlotRow(5, number_hash(96), is_foreign=False), [final])
        assert journal.view(T0).rotated == {rotation.id: carried.hash}
        done = replace(rotation, state=IntentState.FINALIZED, settled_hash=number_hash(96), settled_tx=carried.hash)
        journal.settle_intent(done)
        assert journal.view(T0).rotated == {}

    def test_evidence_is_cut_and_a_sighting_is_kept_once(self, raw: Raw, journal: SqlJournal) -> None:
        begun(journal)
        journal.add_attempt(ours(), PLENTY)
        journal.keep_evidence([EvidenceRow("b", "eth_call", "w" * 9999, "g" * 9999, None, T0)])
        seen = SightingRow(ours().hash, number_hash(95), 95, 1, T0)
        journal.keep_sightings([seen])
        journal.keep_sightings([replace(seen, status=0, seen_at=T0 + 1)])
        assert raw("SELECT length(wanted), length(got) FROM rpc_evidence") == [(4096, 4096)]
        assert raw("SELECT status, seen_at FROM sighting") == [(1, T0)]

    def test_where_an_open_attempt_was_seen_is_in_view_until_its_slot_closes(self, journal: SqlJournal) -> None:
        begun(journal)
        journal.add_attempt(ours(), PLENTY)
        assert journal.view(T0).sighted == frozenset()
        for number in (95, 96):
            journal.keep_sightings([SightingRow(ours().hash, number_hash(number), number, 1, T0)])
        assert journal.view(T0).sighted == {(ours().hash, number_hash(95)), (ours().hash, number_hash(96))}
        journal.record_header(HeaderRow(96, number_hash(96), number_hash(95)), ())
        final = AttemptFinalRow(ours().hash, Outcome.OK, "", 96, number_hash(96))
        journal.close_slot(SlotRow(ours().nonce, number_hash(96), is_foreign=False), [final])
        assert journal.view(T0).sighted == frozenset()

    def test_nothing_to_keep_is_no_commit(self, raw: Raw, journal: SqlJournal) -> None:
        raw(OVERTAKE)
        journal.keep_evidence([])
        journal.keep_sightings([])

    def test_a_lease_is_never_given_back(self, place: JournalPlace, raw: Raw) -> None:
        SqlJournal(place, SCOPE, "test", T0).close()
        with pytest.raises(RawError, match="lease"):
            raw("UPDATE lease SET epoch = epoch - 1")

    def test_what_an_attempt_cost_comes_back(self, journal: SqlJournal) -> None:
        begun(journal)
        journal.add_attempt(ours(), PLENTY)
        final = AttemptFinalRow(ours().hash, Outcome.OK, "", 95, number_hash(95), gas_used=80_000, price=2 * GWEI)
        journal.close_slot(SlotRow(5, number_hash(96), is_foreign=False), [final])
        assert journal.dump().finals == (final,)

    def test_types_are_checked_by_the_database(self, place: JournalPlace, raw: Raw) -> None:
        with pytest.raises(RawError):
            raw("UPDATE lease SET epoch = 'not an integer'")

    # ── the chain of events ──────────────────────────────────────────────────────────────────────────────────────────

    def test_what_decides_something_is_told_in_order_and_all_of_it_is_verified(self, place: JournalPlace) -> None:
        fill(place)
        with Orders(place, SCOPE) as orders:
            orders.set_brake(Brake.HARD, "a person", T0)
        with SqlJournal(place, SCOPE, "test", T0) as journal:
            journal.settle_intent(
                replace(journal.view(T0).open_intents[0], state=IntentState.SUPERSEDED, settled_hash=number_hash(96))
            )
            journal.halt(HaltRow("conflict", '{"size": 2}', T0))
            assert journal.dump().audit == ()
        with Orders(place, SCOPE) as orders:
            orders.lift_halt('{"size": 2}', "a person", T0)
            tally, wrong = orders.audit()
        assert wrong == ()
        assert (tally.epoch, tally.halted, tally.brake, set(tally.counts.values())) == (2, None, "hard", {1})

    def test_each_event_says_what_it_tells(self, place: JournalPlace, raw: Raw) -> None:
        fill(place)
        rows = raw("SELECT kind, body FROM event_log ORDER BY seq")
        told = [json.loads(body) for _, body in rows]
        assert [row[0] for row in rows] == [body["kind"] for body in told]
        assert [row[0] for row in rows] == ["made", "lease", "intent_opened", "attempt", "wish", "slot_closed"]
        attempt, closed = told[3], told[5]
        assert (attempt["hash"], attempt["nonce"], attempt["max_fee"]) == (ours().hash.hex(), "5", str(3 * GWEI))
        assert closed["outcomes"] == {ours().hash.hex(): "OK"}

    def test_a_write_that_fails_tells_nothing(self, place: JournalPlace, journal: SqlJournal) -> None:
        begun(journal)
        for _ in range(2):
            with pytest.raises(SpendCapped):
                journal.add_attempt(ours(), SpendLimits(0, 0, 0))
        with pytest.raises(StoreBroken):
            journal.open_intent(checkpoint(2), T0)
        assert journal.dump().audit == ()

    def test_a_changed_event_is_found_by_its_number_and_no_relayer_starts(self, place: JournalPlace, raw: Raw) -> None:
        fill(place)
        self.disarm(raw, "event_log", "update")
        raw('UPDATE event_log SET body = replace(body, \'"nonce":"5"\', \'"nonce":"6"\') WHERE seq = 4')
        with Orders(place, SCOPE) as orders:
            with pytest.raises(FieldMismatch) as caught:
                orders.audit()
            assert caught.value.field == "event 4 hash"
            assert orders.dump().audit[0].startswith("event 4 hash")
        with pytest.raises(StoreBroken, match="event 4 hash"):
            SqlJournal(place, SCOPE, "test", T0)

    def test_a_start_replays_from_the_newest_mark_on_and_an_audit_all_of_it(
        self, place: JournalPlace, raw: Raw, monkeypatch: Any
    ) -> None:
        monkeypatch.setattr(sql_journal, "VERIFIED_EVERY", 6)
        fill(place)  # six events
        for _ in range(3):
            SqlJournal(place, SCOPE, "test", T0).close()
        kinds = [kind for (kind,) in raw("SELECT kind FROM event_log ORDER BY seq")]
        assert kinds[6:] == ["verified", "lease", "lease", "lease"]
        with Orders(place, SCOPE) as orders:
            assert orders.audit()[1] == ()
            assert orders.event_head() == f"10:{orders.event_hash(10).hex()}"
        self.disarm(raw, "event_log", "update")
        raw('UPDATE event_log SET body = replace(body, \'"nonce":"5"\', \'"nonce":"6"\') WHERE seq = 4')
        SqlJournal(place, SCOPE, "test", T0).close()  # it was verified once
        with Orders(place, SCOPE) as orders, pytest.raises(FieldMismatch, match="event 4 hash"):
            orders.audit()
        raw("UPDATE event_log SET body = replace(body, 'test', 'tost') WHERE seq = 9")
        with pytest.raises(StoreBroken, match="event 9 hash"):
            SqlJournal(place, SCOPE, "test", T0)

    def test_a_mark_that_was_changed_is_no_mark(self, place: JournalPlace, raw: Raw, monkeypatch: Any) -> None:
        monkeypatch.setattr(sql_journal, "VERIFIED_EVERY", 6)
        fill(place)
        SqlJournal(place, SCOPE, "test", T0).close()
        self.disarm(raw, "event_log", "update")
        raw("UPDATE event_log SET body = replace(body, 'verified', 'verifies') WHERE seq = 7")
        with pytest.raises(StoreBroken, match="event 7 hash"):
            SqlJournal(place, SCOPE, "test", T0)

    def test_an_event_taken_out_is_found(self, place: JournalPlace, raw: Raw) -> None:
        fill(place)
        self.disarm(raw, "event_log", "delete")
        raw("DELETE FROM event_log WHERE seq = 3")
        with pytest.raises(StoreBroken, match="event 3 seq"):
            SqlJournal(place, SCOPE, "test", T0)

    def test_rows_that_no_event_tells_of_and_events_without_rows_are_found(self, place: JournalPlace, raw: Raw) -> None:
        fill(place)
        self.disarm(raw, "wish", "delete")
        raw("DELETE FROM wish")
        raw("UPDATE control SET brake = 'soft'")
        with Orders(place, SCOPE) as orders:
            assert orders.audit()[1] == ("wish: 0 rows, 1 events", "brake: soft in its row, run by the events")

    def test_more_events_than_a_page_holds_are_read_in_order(self, place: JournalPlace, monkeypatch: Any) -> None:
        monkeypatch.setattr(sql_events, "_PAGE", sql_events._PAGE.limit(2))
        fill(place)
        with Orders(place, SCOPE) as orders:
            assert orders.audit()[0].head.seq == 6

    # ── what may be taken out ────────────────────────────────────────────────────────────────────────────────────────

    def test_old_history_of_closed_nonces_goes_and_nothing_else(self, place: JournalPlace, raw: Raw) -> None:
        fill(place)
        with SqlJournal(place, SCOPE, "test", T0) as journal:
            journal.open_slot(6)
            journal.add_attempt(ours(6), PLENTY)
            journal.log_sends([SendRow(ours(6).hash, "own", None, "", None, T0)])
            journal.log_sends([SendRow(ours().hash, "own", None, "late", None, T0 + 1)])
            before = journal.dump()
        with Orders(place, SCOPE) as orders:
            assert orders.prune(T0, "a person", T0 + 9) == 0
            assert orders.prune(T0 + 1, "a person", T0 + 9) == 2
            assert orders.prune(T0, "a person", T0 + 9) == 0  # the horizon never goes back
            after = orders.dump()
        assert [(row.hash, row.message) for row in after.sends] == [(ours(6).hash, ""), (ours().hash, "late")]
        assert replace(after, sends=before.sends) == before
        assert raw("SELECT count(*) FROM sighting") == [(0,)]
        assert raw("SELECT pruned_before FROM control") == [(T0 + 1,)]
        for table in ("send_log", "rpc_evidence", "attempt"):
            with pytest.raises(RawError, match=f"{table}: no DELETE"):
                raw(f"DELETE FROM {table}")
