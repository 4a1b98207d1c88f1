"""What any journal keeps and refuses, whatever database holds it; `test_journal` runs it on each."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from hybrid_bridge.errors import LeaseLost, NotYet, SpendCapped, StoreBroken
from relayers.desk import Orders
from relayers.journal import (
    AttemptFinalRow,
    Brake,
    EvidenceRow,
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
AN_EVENT = "INSERT INTO event_log SELECT 1, hash, hash, 'kind', '{}', 0 FROM attempt"
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

    @pytest.fixture
    def journal(self, place: JournalPlace) -> Iterator[SqlJournal]:
        with SqlJournal(place, SCOPE, "test", T0) as opened:
            yield opened

    def test_rows_cannot_be_deleted_by_anybody(self, place: JournalPlace, raw: Raw) -> None:
        fill(place)
        raw(AN_EVENT)
        for table in sorted({*INSERT_ONLY, *NEVER_DELETED}):
            with pytest.raises(RawError, match=f"{table}: no DELETE"):
                raw(f"DELETE FROM {table}")

    def test_evidence_cannot_be_changed(self, place: JournalPlace, raw: Raw) -> None:
        fill(place)
        raw(AN_EVENT)
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
        with pytest.raises(StoreBroken):
            create_journal(place, SCOPE, T0)

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
            lambda: journal.halt("conflict", "{}", T0),
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
            journal.halt("conflict", '{"size": 2}', T0)
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

    def test_evidence_is_cut_and_a_sighting_is_kept_once(self, raw: Raw, journal: SqlJournal) -> None:
        begun(journal)
        journal.add_attempt(ours(), PLENTY)
        journal.keep_evidence([EvidenceRow("b", "eth_call", "w" * 9999, "g" * 9999, None, T0)])
        seen = SightingRow(ours().hash, number_hash(95), 95, 1, T0)
        journal.keep_sightings([seen])
        journal.keep_sightings([replace(seen, status=0, seen_at=T0 + 1)])
        assert raw("SELECT length(wanted), length(got) FROM rpc_evidence") == [(4096, 4096)]
        assert raw("SELECT status, seen_at FROM sighting") == [(1, T0)]

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
