"""The journal on disk: what it refuses, what it keeps, who may write."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.errors import LeaseLost, NotYet, SettingsMalformed, SpendCapped, StoreBroken
from hybrid_bridge.testing.crashing import Killed
from relayers.desk import Orders
from relayers.journal import (
    AttemptFinalRow,
    AttestationRow,
    Brake,
    EvidenceRow,
    HeaderRow,
    HeadSpan,
    IntentKind,
    IntentState,
    Outcome,
    Scope,
    SendRow,
    SightingRow,
    SlotRow,
    SpendLimits,
    WishKind,
    WishRow,
)
from relayers.sql_journal import SqlJournal, SqlJournalReader, chain_uid, create_journal
from relayers.sql_tables import INSERT_ONLY, NEVER_DELETED
from relayers.sqlite_store import PRAGMAS, engine_for
from tests.unit.relayers.builders import ETHER, GWEI, LOG_ID, T0, attempt, checkpoint, event, number_hash

SCOPE = Scope(chain_id=1337, genesis_hash=bytes(32), contract=b"\x11" * 20, log_id=LOG_ID, signer=b"\x22" * 20)
PLENTY = SpendLimits(ETHER, ETHER, ETHER)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    create_journal(tmp_path / "journal.db", SCOPE, T0)
    return tmp_path / "journal.db"


@pytest.fixture
def journal(path: Path) -> Iterator[SqlJournal]:
    with SqlJournal(path, SCOPE, "test", T0) as opened:
        yield opened


def signed(size: int) -> list[AttestationRow]:
    return [AttestationRow(size, bytes([i]) * 20, checkpoint(size).digest, bytes(65)) for i in (1, 2)]


def begun(journal: SqlJournal, nonce: int = 5) -> Any:
    """One checkpoint, its intent, a slot; returns the stored intent."""
    journal.admit(checkpoint(2), signed(2))
    journal.open_intent(checkpoint(2), T0)
    journal.open_slot(nonce)
    return journal.view(T0).open_intents[0]


def ours(nonce: int = 5, **changes: Any) -> Any:
    return attempt(nonce, **{"intent_id": 1, "raw": b"raw bytes"} | changes)


# ── opening ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_journal_is_never_made_in_passing(tmp_path: Path) -> None:
    with pytest.raises(StoreBroken) as caught:
        SqlJournal(tmp_path / "none.db", SCOPE, "test", T0)
    assert caught.value.rule == "missing; `init` makes it"
    with pytest.raises(StoreBroken):
        SqlJournalReader(tmp_path / "none.db", SCOPE)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize("length", [None, 0, 1, 15, 16, 100, 4095, 4096, 8192, 50_000, -4096, -1])
def test_a_missing_empty_or_torn_journal_is_broken_and_nothing_is_made_or_changed(
    path: Path, tmp_path: Path, length: int | None
) -> None:
    torn = tmp_path / "torn" / "journal.db"
    torn.parent.mkdir()
    if length is not None:
        torn.write_bytes(path.read_bytes()[:length])
    before = contents(torn.parent)
    for opens in (lambda: SqlJournalReader(torn, SCOPE), lambda: SqlJournal(torn, SCOPE, "test", T0)):
        with pytest.raises(StoreBroken) as caught:
            opens()
        assert caught.value.store == "journal.db"
        assert "sqlalche.me" not in caught.value.rule
    left = contents(torn.parent)
    assert left.pop(str(torn) + ".lock", b"") == b""  # a whole first page is a journal, and was locked
    assert left == before


@pytest.mark.parametrize(
    ("place", "rule"),
    [
        ("none/journal.db", "its folder is missing"),
        ("file/journal.db", "its folder is missing"),
        ("folder", "a file that can be read"),
    ],
)
def test_a_place_where_no_journal_can_be_is_broken(tmp_path: Path, place: str, rule: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    for opens in (SqlJournalReader, lambda path, scope: SqlJournal(path, scope, "test", T0)):
        with pytest.raises(StoreBroken, match=rule):
            opens(tmp_path / place, SCOPE)
    assert sorted(found.name for found in tmp_path.rglob("*")) == ["file", "folder"]


def test_an_unreadable_journal_and_a_lock_that_cannot_be_made_are_broken(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Path.open
    for name in ("journal.db", "journal.db.lock"):

        def refuse(file: Path, *arguments: Any, name: str = name) -> Any:
            if file.name == name:
                raise PermissionError(13, "Permission denied")
            return opened(file, *arguments)

        monkeypatch.setattr(Path, "open", refuse)
        with pytest.raises(StoreBroken, match="Permission denied"):
            SqlJournal(path, SCOPE, "test", T0)


def test_a_journal_without_its_rows_is_broken(path: Path) -> None:
    for table, opens in (
        ("control", lambda: SqlJournalReader(path, SCOPE).view(T0)),
        ("chain", lambda: SqlJournalReader(path, SCOPE)),
    ):
        with sqlite3.connect(path) as raw:
            raw.execute(f"DROP TRIGGER {table}_no_delete")
            raw.execute(f"DELETE FROM {table}")
        raw.close()
        with pytest.raises(StoreBroken):
            opens()


def test_a_journal_is_made_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "journal.db"
    with monkeypatch.context() as patched:
        patched.setattr("relayers.revisions.upgrade", raising(Killed("init")))
        with pytest.raises(Killed):
            create_journal(path, SCOPE, T0)
    assert not path.exists()
    create_journal(path, SCOPE, T0)
    SqlJournalReader(path, SCOPE).close()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["journal.db", "journal.db.lock"]


def test_a_journal_that_cannot_be_made_is_said_in_our_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsMalformed) as caught:
        create_journal(tmp_path / "none" / "journal.db", SCOPE, T0)
    assert caught.value.key == "journal"
    (tmp_path / "journal.db.new").mkdir()
    with pytest.raises(StoreBroken):
        create_journal(tmp_path / "journal.db", SCOPE, T0)
    assert not (tmp_path / "none").exists()


def raising(error: BaseException) -> Any:
    def answer(*_: object) -> Any:
        raise error

    return answer


def test_an_existing_journal_is_not_made_again(path: Path) -> None:
    with pytest.raises(StoreBroken):
        create_journal(path, SCOPE, T0)


@pytest.mark.parametrize(
    "changes",
    [{"chain_id": 1}, {"contract": bytes(20)}, {"log_id": bytes(32)}, {"signer": bytes(20)}, {"genesis_hash": LOG_ID}],
)
def test_another_chains_logs_or_keys_journal_is_refused(path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(StoreBroken):
        SqlJournal(path, replace(SCOPE, **changes), "test", T0)
    with SqlJournal(path, SCOPE, "test", T0):
        pass  # the refusal let go of the lock


def test_another_schema_version_is_refused(path: Path) -> None:
    with sqlite3.connect(path) as raw:
        raw.execute("PRAGMA user_version = 99")
    raw.close()
    with pytest.raises(StoreBroken):
        SqlJournal(path, SCOPE, "test", T0)


def test_a_damaged_file_is_refused(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096:8192] = b"\xa5" * 4096
    path.write_bytes(data)
    with pytest.raises(StoreBroken):
        SqlJournalReader(path, SCOPE)


def test_a_second_process_cannot_open_the_journal_while_the_first_lives(path: Path, journal: SqlJournal) -> None:
    with pytest.raises(NotYet):
        SqlJournal(path, SCOPE, "second", T0)
    reader = SqlJournalReader(path, SCOPE)
    assert (reader.view(T0), reader.epoch) == (journal.view(T0), 0)
    reader.close()


def test_each_opening_takes_the_next_epoch(path: Path) -> None:
    for epoch in (1, 2, 3):
        with SqlJournal(path, SCOPE, "test", T0) as journal:
            assert journal.epoch == epoch


def test_the_store_is_set_up_to_keep_what_it_confirmed(path: Path) -> None:
    engine = engine_for(path)
    with engine.begin() as connection:
        for name, value in PRAGMAS.items():
            assert connection.exec_driver_sql(f"PRAGMA {name}").scalar() == value
    engine.dispose()


# ── the fence ────────────────────────────────────────────────────────────────────────────────────────────────────────


def overtake(path: Path) -> None:
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE lease SET epoch = epoch + 1")
    raw.close()


def test_a_woken_former_holder_can_write_nothing(path: Path, journal: SqlJournal) -> None:
    begun(journal)
    overtake(path)
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


# ── rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_checkpoint_comes_back_as_it_went_in(journal: SqlJournal) -> None:
    row = checkpoint(4, consistency=(bytes(32), LOG_ID), previous_size=2)
    journal.admit(checkpoint(2), signed(2))
    journal.admit(row, signed(4))
    assert journal.checkpoint(4) == journal.newest_checkpoint() == row
    assert journal.checkpoint(3) is None
    assert journal.neighbours(3) == (checkpoint(2), row)
    assert journal.neighbours(2) == (None, row)
    assert list(journal.attestations(4)) == signed(4)


def test_a_checkpoint_and_its_quorum_are_one_commit(journal: SqlJournal) -> None:
    with pytest.raises(StoreBroken):
        journal.admit(checkpoint(2), [*signed(2), signed(2)[0]])
    assert journal.checkpoint(2) is None


def test_a_size_has_one_checkpoint(journal: SqlJournal) -> None:
    journal.admit(checkpoint(2), [])
    with pytest.raises(StoreBroken):
        journal.admit(checkpoint(2, root=bytes(32)), [])


def test_anchors_come_back_with_sixty_four_signer_bits(journal: SqlJournal) -> None:
    begun(journal)
    anchor = event(2, signers=2**64 - 1)
    journal.record_header(HeaderRow(96, number_hash(96), number_hash(95)), [anchor])
    assert journal.view(T0).anchors == {2: anchor}
    assert journal.anchored_size() == 2
    assert journal.view(T0).final_header == HeaderRow(96, number_hash(96), number_hash(95))


def test_the_view_says_where_the_head_stood_at_the_sizes_that_open_attempts_start_from(journal: SqlJournal) -> None:
    begun(journal)
    for fee, size in enumerate((1, 2, 3, 4, 6), start=1):
        journal.add_attempt(ours(max_fee=fee, tip=1, from_size=size), PLENTY)
    view = journal.view(T0)
    assert (view.newest_anchor, view.head_spans[2]) == (None, HeadSpan(0, None))
    journal.record_header(HeaderRow(96, number_hash(96), number_hash(95)), (event(3, 94), event(6, 95, log_index=1)))
    view = journal.view(T0)
    assert view.newest_anchor == event(6, 95, log_index=1)
    assert view.head_spans == {
        1: HeadSpan(0, 94),
        2: HeadSpan(0, 94),  # before our history begins
        3: HeadSpan(94, 95),
        4: HeadSpan(None, 95),  # reorganised away
        6: HeadSpan(95, None),
    }


def test_the_anchors_of_open_attempts_are_in_view_even_if_their_intent_is_settled(journal: SqlJournal) -> None:
    stored = begun(journal)
    journal.add_attempt(ours(), PLENTY)
    anchor = event(2, tx_hash=ours().hash)
    journal.record_header(HeaderRow(96, number_hash(96), number_hash(95)), (anchor, event(3, log_index=1)))
    settled = {"state": IntentState.FINALIZED, "settled_hash": number_hash(96), "settled_tx": anchor.tx_hash}
    journal.settle_intent(replace(stored, **settled))
    assert journal.view(T0).anchors == {2: anchor}


def test_no_anchor_yet_is_no_size(journal: SqlJournal) -> None:
    assert journal.anchored_size() is None
    assert journal.newest_checkpoint() is None


def test_a_final_header_is_never_overwritten(journal: SqlJournal) -> None:
    journal.record_header(HeaderRow(96, number_hash(96), number_hash(95)), [])
    with pytest.raises(StoreBroken):
        journal.record_header(HeaderRow(96, number_hash(96, fork=1), number_hash(95)), [])


def test_one_intent_for_each_checkpoint(journal: SqlJournal) -> None:
    begun(journal)
    with pytest.raises(StoreBroken):
        journal.open_intent(checkpoint(2), T0)


def test_an_attempt_comes_back_and_the_view_has_its_cost_today(journal: SqlJournal) -> None:
    begun(journal)
    row = ours(tip=GWEI)
    journal.add_attempt(row, PLENTY)
    view = journal.view(T0)
    assert view.attempts == (row,)
    assert (view.usual_gas, view.today) == (row.gas, {5: row.cost})
    assert journal.view(T0 + 86_400).today == {}
    assert view.dearest(5) == row
    assert view.dearest(6) is None


def test_an_attempt_needs_an_open_slot(journal: SqlJournal) -> None:
    begun(journal)
    with pytest.raises(StoreBroken):
        journal.add_attempt(ours(6), PLENTY)
    journal.close_slot(SlotRow(5, bytes(32), is_foreign=True), [])
    with pytest.raises(StoreBroken):
        journal.add_attempt(ours(5), PLENTY)


def test_two_attempts_of_one_nonce_have_two_fees(journal: SqlJournal) -> None:
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
def test_spending_limits_hold_in_the_commit_itself(journal: SqlJournal, rule: str, limits: SpendLimits) -> None:
    begun(journal)
    journal.open_slot(6)
    journal.add_attempt(ours(5), PLENTY)
    with pytest.raises(SpendCapped) as caught:
        journal.add_attempt(ours(6), limits)
    assert caught.value.rule == rule
    assert len(journal.view(T0).attempts) == 1


def test_a_replacement_does_not_count_what_it_replaces(journal: SqlJournal) -> None:
    begun(journal)
    journal.add_attempt(ours(), PLENTY)
    dearer = ours(max_fee=4 * GWEI)
    journal.add_attempt(dearer, SpendLimits(dearer.cost, ETHER, dearer.cost))
    assert journal.view(T0).dearest(5) == dearer


def test_a_slot_closes_once_with_its_outcomes(journal: SqlJournal) -> None:
    begun(journal)
    journal.add_attempt(ours(), PLENTY)
    final = AttemptFinalRow(ours().hash, Outcome.OK, "", 95, number_hash(95))
    closed = SlotRow(5, number_hash(96), is_foreign=False)
    journal.close_slot(closed, [final])
    assert journal.view(T0).open_nonces == ()
    assert (journal.dump().slots, journal.dump().finals) == ((closed,), (final,))
    with pytest.raises(StoreBroken):
        journal.close_slot(closed, [])


def test_an_intent_settles_once(journal: SqlJournal) -> None:
    intent = begun(journal)
    settled = replace(intent, state=IntentState.FINALIZED, settled_hash=number_hash(96), settled_tx=LOG_ID)
    journal.settle_intent(settled)
    assert journal.dump().intents == (settled,)
    with pytest.raises(StoreBroken):
        journal.settle_intent(settled)


def test_a_settled_state_without_its_proof_is_refused_by_the_database(journal: SqlJournal) -> None:
    with pytest.raises(StoreBroken):
        journal.settle_intent(replace(begun(journal), state=IntentState.FINALIZED))


def test_reverts_count_until_a_success_and_lost_races_do_not_count(journal: SqlJournal) -> None:
    begun(journal, 1)
    finals = [(Outcome.OK, ""), (Outcome.REVERTED, ""), (Outcome.REVERTED, "stale"), (Outcome.REVERTED, "")]
    for nonce, (outcome, reason) in enumerate(finals, start=1):
        if nonce > 1:
            journal.open_slot(nonce)
        journal.add_attempt(ours(nonce), PLENTY)
        final = AttemptFinalRow(ours(nonce).hash, outcome, reason, nonce, number_hash(nonce))
        journal.close_slot(SlotRow(nonce, number_hash(9), is_foreign=False), [final])
    assert journal.view(T0).unexplained_reverts == 2


def test_broadcasts_are_kept_with_short_messages(journal: SqlJournal) -> None:
    begun(journal)
    journal.add_attempt(ours(), PLENTY)
    journal.log_sends([SendRow(ours().hash, "own", -32000, "x" * 500, None, T0)])
    assert journal.dump().sends == (SendRow(ours().hash, "own", -32000, "x" * 200, None, T0),)


def test_brake_and_halt_are_remembered(path: Path) -> None:
    with SqlJournal(path, SCOPE, "test", T0) as journal:
        with Orders(path, SCOPE) as orders:
            orders.set_brake(Brake.SOFT, "a person", T0)
        journal.halt("conflict", '{"size": 2}', T0)
    with SqlJournal(path, SCOPE, "test", T0) as journal:
        view = journal.view(T0)
        assert (view.brake, view.halted, journal.halt_evidence()) == (Brake.SOFT, "conflict", '{"size": 2}')


# ── evidence stays ───────────────────────────────────────────────────────────────────────────────────────────────────


def filled(path: Path) -> None:
    with SqlJournal(path, SCOPE, "test", T0) as journal:
        begun(journal)
        journal.add_attempt(ours(), PLENTY)
        journal.log_sends([SendRow(ours().hash, "own", None, "", None, T0)])
        journal.keep_evidence([EvidenceRow("b", "eth_call", "0x01", "0x02", number_hash(95), T0)])
        journal.keep_sightings([SightingRow(ours().hash, number_hash(95), 95, 1, T0)])
        with Orders(path, SCOPE) as orders:
            orders.wish(5, WishKind.BUMP, ours().hash, "a person", T0)
        journal.record_header(HeaderRow(96, number_hash(96), number_hash(95)), [event(2)])
        final = AttemptFinalRow(ours().hash, Outcome.OK, "", 95, number_hash(95))
        journal.close_slot(SlotRow(5, number_hash(96), is_foreign=False), [final])
    with sqlite3.connect(path) as raw:
        raw.execute("INSERT INTO event_log VALUES (1, zeroblob(32), zeroblob(32), 'kind', '{}', 0)")
    raw.close()


@pytest.mark.parametrize("table", sorted({*INSERT_ONLY, *NEVER_DELETED}))
def test_rows_cannot_be_deleted_by_anybody(path: Path, table: str) -> None:
    filled(path)
    with sqlite3.connect(path) as raw, pytest.raises(sqlite3.IntegrityError):
        raw.execute(f"DELETE FROM {table}")
    raw.close()


@pytest.mark.parametrize("table", INSERT_ONLY)
def test_evidence_cannot_be_changed_or_replaced(path: Path, table: str) -> None:
    filled(path)
    engine = engine_for(path)
    for statement in (f"UPDATE {table} SET hash = hash", f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"):
        column = {
            "checkpoint": "root",
            "attestation": "digest",
            "anchored": "root",
            "rpc_evidence": "got",
            "wish": "by",
        }.get(table, "hash")
        with pytest.raises(Exception, match=r"no (UPDATE|DELETE)"), engine.begin() as connection:
            connection.exec_driver_sql(statement.replace("hash = hash", f"{column} = {column}"))
    engine.dispose()


def test_a_wish_stands_until_another_attempt_is_dearest(path: Path, journal: SqlJournal) -> None:
    begun(journal)
    with Orders(path, SCOPE) as orders:
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


def test_a_rotation_is_a_duty_of_its_own_beside_anchors(journal: SqlJournal) -> None:
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


def test_evidence_is_cut_and_a_sighting_is_kept_once(path: Path, journal: SqlJournal) -> None:
    begun(journal)
    journal.add_attempt(ours(), PLENTY)
    journal.keep_evidence([EvidenceRow("b", "eth_call", "w" * 9999, "g" * 9999, None, T0)])
    seen = SightingRow(ours().hash, number_hash(95), 95, 1, T0)
    journal.keep_sightings([seen])
    journal.keep_sightings([replace(seen, status=0, seen_at=T0 + 1)])
    with sqlite3.connect(path) as raw:
        assert raw.execute("SELECT length(wanted), length(got) FROM rpc_evidence").fetchall() == [(4096, 4096)]
        assert raw.execute("SELECT status, seen_at FROM sighting").fetchall() == [(1, T0)]
    raw.close()


def test_nothing_to_keep_is_no_commit(path: Path, journal: SqlJournal) -> None:
    overtake(path)
    journal.keep_evidence([])
    journal.keep_sightings([])


def test_a_lease_is_never_given_back(path: Path) -> None:
    SqlJournal(path, SCOPE, "test", T0).close()
    with sqlite3.connect(path) as raw, pytest.raises(sqlite3.IntegrityError, match="only rises"):
        raw.execute("UPDATE lease SET epoch = epoch - 1")
    raw.close()


def test_what_an_attempt_cost_comes_back(journal: SqlJournal) -> None:
    begun(journal)
    journal.add_attempt(ours(), PLENTY)
    final = AttemptFinalRow(ours().hash, Outcome.OK, "", 95, number_hash(95), gas_used=80_000, price=2 * GWEI)
    journal.close_slot(SlotRow(5, number_hash(96), is_foreign=False), [final])
    assert journal.dump().finals == (final,)


def test_types_are_checked_by_the_database(path: Path) -> None:
    with sqlite3.connect(path) as raw, pytest.raises(sqlite3.IntegrityError):
        raw.execute("UPDATE lease SET epoch = 'not an integer'")
    raw.close()


def test_names_of_chain_and_contract_are_one_text() -> None:
    assert chain_uid(SCOPE) == "1337:0x" + "11" * 20
    assert sha256(b"") != LOG_ID
