"""What every store of a member must do, whichever database holds it. One suite, run on SQLite and on PostgreSQL.

Subclass, and give a fixture `placing`: a function from a store's name to a new, unopened `Store` at its one place.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, text

from hybrid_bridge.adapters.sqlite import ledger as ledger_module
from hybrid_bridge.adapters.sqlite import records, witness
from hybrid_bridge.adapters.sqlite.epochs import ClosedEpoch, SizedSignature, SqlEpochs
from hybrid_bridge.adapters.sqlite.ledger import DecidedBlock, SqlLedger, Standing
from hybrid_bridge.adapters.sqlite.records import SqlRecords, StoredRecord
from hybrid_bridge.adapters.sqlite.revisions import Moved
from hybrid_bridge.adapters.sqlite.store import Store
from hybrid_bridge.adapters.sqlite.tables import INSERT_ONLY
from hybrid_bridge.adapters.sqlite.witness import Evidence, SqlWitness
from hybrid_bridge.business.ruling import LifeEvent
from hybrid_bridge.core.block import Block, BlockHeader, Countersignature, tx_root
from hybrid_bridge.core.encoding import ZERO, sha256
from hybrid_bridge.core.keys import PrivateKey
from hybrid_bridge.core.note import NoteLine, VerifierKey
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.transaction import BeaconPayload
from hybrid_bridge.errors import BridgeError, Erased, NotYet, SchemaNewer, SchemaOlder, StoreBroken, StoreInUse
from hybrid_bridge.steps.commit import BlockOutcome, TransactionOutcome
from hybrid_bridge.testing.crashing import Killed
from hybrid_bridge.units import LogId
from tests.statements import killed_at

LOG, OWNER = sha256(b"log"), "bank-a"
SEQUENCER, OURS = (PrivateKey.from_seed(sha256(name)) for name in (b"sequencer", b"ours"))
GENESIS = ClosedEpoch(number=0, end_block=1, record=b"genesis", entries=b"", pairs=b"")
BEFORE = ((b"kept", b"0"), (b"changed", b"0"), (b"removed", b"0"))
BLOCKS_AN_EPOCH = 2
AN_ID = "a'\"é"
Placing = Callable[[str], Store]


def outcome(height: int) -> BlockOutcome:
    """All kinds of things that can follow from a block, made of its height."""

    def made(what: str) -> bytes:
        return sha256(f"{what} {height}".encode())

    transactions = tuple(
        TransactionOutcome(
            transaction_id=made(f"transaction {number}"),
            submitter=made("submitter"),
            code=0 if number else 3,
            entry=made(f"entry {number}") + b"\0\1\2\3\4",
        )
        for number in range(3)
    )
    return BlockOutcome(
        height=height,
        time=2**40 + height,
        epoch=height // BLOCKS_AN_EPOCH,
        transactions=transactions,
        identity_ops=((made("index"), made("commitment")),),
        life_events=(
            LifeEvent(
                object_type="receivable",
                object_id=AN_ID,
                version=height,
                code="0x0106",
                entry_leaf=made("leaf"),
                state={"amount": 2**52, "to": "ü"},
            ),
        ),
        governance=(b"record %d" % height,) if height > 1 else (),
        beacon=BeaconPayload(2**31 + 1, 2**33 + height, made("public block")) if height % 2 else None,
        writes=((b"changed", b"%d" % height), (b"made %d" % height, b"\0\xff"), (b"removed", None)),
        votes=(),
        chain=made("chain"),
        governance_size=max(1, height),
        governance_root=made("governance"),
        state_hash=made("state"),
    )


def block(height: int) -> Block:
    items = tuple((entry.code, b"signed " + entry.transaction_id) for entry in outcome(height).transactions)
    header = BlockHeader(
        log_id=LOG,
        height=height,
        previous_hash=ZERO,
        time=2**40 + height,
        epoch=height // BLOCKS_AN_EPOCH,
        tx_count=len(items),
        tx_root=tx_root(items),
        state=outcome(height).state_hash,
    )
    return Block(header, items)


def append(ledger: SqlLedger, height: int) -> None:
    made = block(height)
    words = (Countersignature.over(made.header, key) for key in (SEQUENCER, OURS))
    ledger.append(made, next(words), outcome(height), next(words))


def ask(store: Store, statement: str) -> list[Any]:
    with store.read() as connection:
        return list(connection.execute(text(statement)).all())


class Opened:
    """One store after another at one place, as one process after another has it."""

    def __init__(self, placing: Placing) -> None:
        self.placing, self.store = placing, None

    def ledger(self) -> SqlLedger:
        ledger = SqlLedger(self.next("ledger"))
        ledger.open(LOG, OWNER)
        return ledger

    def records(self) -> SqlRecords:
        found = SqlRecords(self.next("records"))
        found.open(LOG, OWNER)
        return found

    def next(self, name: str) -> Store:
        self.close()
        self.store = self.placing(name)
        return self.store

    def close(self) -> None:
        if self.store is not None:
            self.store.close()
            self.store = None


class MemberStoreBehaviour:
    """What holds for both."""

    @pytest.fixture
    def opened(self, placing: Placing) -> Iterator[Opened]:
        ledger, kept = SqlLedger(placing("ledger")), SqlRecords(placing("records"))
        ledger.create(LOG, OWNER, BEFORE, GENESIS)
        kept.create(LOG, OWNER)
        ledger.close()
        kept.close()
        opened = Opened(placing)
        yield opened
        opened.close()

    # ── from one schema to the next ──────────────────────────────────────────────────────────────────────────────────

    def test_a_store_of_an_older_schema_is_recognised_and_moved_forward_with_all_its_rows(
        self, opened: Opened, later: None
    ) -> None:
        """The present schema is the first; here it has become an older one."""
        with pytest.raises(SchemaOlder):
            opened.ledger()
        ledger = SqlLedger(opened.next("ledger"))
        assert ledger.migrate(LOG, OWNER) == Moved(3, 5)
        store = opened.ledger().file
        assert ask(store, "SELECT name FROM added") == [("four",), ("five",)]
        assert ask(store, "SELECT count(*) FROM governance") == [(1,)]
        assert SqlLedger(opened.next("ledger")).migrate(LOG, OWNER) == Moved(5, 5)
        append(opened.ledger(), 1)

    def test_a_migration_that_dies_at_any_statement_has_done_all_or_nothing(self, opened: Opened, later: None) -> None:
        number, left = 0, 0
        while True:
            ledger = SqlLedger(opened.next("ledger"))
            killed = killed_at(number, lambda: ledger.migrate(LOG, OWNER))  # noqa: B023 called at once
            try:
                store = opened.ledger().file
            except SchemaOlder:
                left += 1
            else:
                assert ask(store, "SELECT name FROM added") == [("four",), ("five",)]
                break
            assert killed
            number += 1
        assert left > 3

    def test_a_migration_whose_step_fails_has_done_nothing(
        self, opened: Opened, later: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fails(connection: Connection) -> None:
            raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(ledger_module, "STEPS", ledger_module.STEPS | {4: fails})
            with pytest.raises(Killed):
                SqlLedger(opened.next("ledger")).migrate(LOG, OWNER)
        with pytest.raises(SchemaOlder):
            opened.ledger()

    def test_a_store_of_a_newer_schema_is_recognised_and_left_alone(
        self, opened: Opened, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        opened.close()
        with monkeypatch.context() as patch:
            patch.setattr(ledger_module, "SCHEMA", "2")
            for use in (SqlLedger.open, SqlLedger.migrate):
                with pytest.raises(SchemaNewer):
                    use(SqlLedger(opened.next("ledger")), LOG, OWNER)
        opened.ledger()

    def test_no_way_leads_from_a_schema_that_was_never_released(
        self, opened: Opened, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(records, "SCHEMA", "5")
            with pytest.raises(SchemaOlder):
                opened.records()
            with pytest.raises(StoreBroken, match="no way leads from 4"):
                SqlRecords(opened.next("records")).migrate(LOG, OWNER)
        opened.records()

    def test_records_of_schema_3_have_no_index_of_what_is_owed_and_get_it(self, opened: Opened) -> None:
        kept = opened.records()
        kept.keep_own(document(1), [("core", b"e1")], 7, 100)
        with kept.file.write() as connection:
            connection.execute(text("DROP INDEX ix_outbox_owed"))
            connection.execute(text("UPDATE meta SET value = '3' WHERE key = 'schema'"))
        opened.close()
        with pytest.raises(SchemaOlder):
            opened.records()
        assert SqlRecords(opened.next("records")).migrate(LOG, OWNER) == Moved(3, 4)
        kept = opened.records()
        assert [owed.envelope for owed in kept.owed(200)] == [b"e1"]
        with pytest.raises(StoreBroken), kept.file.write() as connection:  # it is there
            connection.execute(text("CREATE INDEX ix_outbox_owed ON outbox (number)"))

    @pytest.mark.parametrize(("log", "owner"), [(sha256(b"another"), OWNER), (LOG, "somebody else")])
    def test_a_store_of_another_log_or_member_is_not_moved(self, opened: Opened, log: LogId, owner: str) -> None:
        with pytest.raises(StoreBroken):
            SqlLedger(opened.next("ledger")).migrate(log, owner)
        opened.ledger()

    def test_a_store_in_use_is_not_moved(self, opened: Opened) -> None:
        ledger, other = opened.ledger(), opened.placing("ledger")
        with pytest.raises(StoreInUse):
            SqlLedger(other).migrate(LOG, OWNER)
        append(ledger, 1)

    @pytest.fixture
    def later(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Two releases later: schema 5, by a step from 3 that makes a table and one from 4 that fills it."""

        def add(connection: Connection) -> None:
            connection.execute(text("CREATE TABLE added (name TEXT PRIMARY KEY)"))
            connection.execute(text("INSERT INTO added VALUES ('four')"))

        def fill(connection: Connection) -> None:
            connection.execute(text("INSERT INTO added VALUES ('five')"))

        monkeypatch.setattr(ledger_module, "SCHEMA", "5")
        monkeypatch.setattr(ledger_module, "STEPS", {3: add, 4: fill})

    # ── the ledger ───────────────────────────────────────────────────────────────────────────────────────────────────

    def test_all_that_a_block_brought_is_there_for_the_next_process(self, opened: Opened) -> None:
        ledger = opened.ledger()
        assert ledger.newest() is None
        for height in range(1, 6):
            append(ledger, height)
        ledger = opened.ledger()
        for height in range(1, 6):
            made, expected = block(height), outcome(height)
            assert ledger.header(height) == made.header
            assert ledger.blocks(height)[0].data == made.encode()
            assert Countersignature.decode(ledger.blocks(height)[0].sealed).signer == SEQUENCER.public.key_id
            assert ledger.transactions_of(height) == list(made.items)
            for position, transaction in enumerate(expected.transactions):
                standing = Standing(height, position, transaction.code)
                assert ledger.standing(transaction.transaction_id) == standing
                assert ledger.signed(standing) == made.items[position][1]
                assert ledger.entry_height(leaf_hash(transaction.entry)) == height
            assert ledger.label_height(expected.identity_ops[0][0]) == height
        assert ledger.newest() == block(5).header
        assert ledger.life_events("receivable", AN_ID) == [(h, outcome(h).life_events[0]) for h in range(1, 6)]
        leaves = [outcome(h).life_events[0].entry_leaf for h in range(3, 6)]
        assert ledger.life_counts(3) == {leaf: leaves.count(leaf) for leaf in leaves}
        assert ledger.governed(0) == [(h - 1, h, b"record %d" % h) for h in range(2, 6)]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("hybrid_bridge.adapters.sqlite.ledger.CHUNK", 2)  # read in portions, told in one line
            assert list(ledger.governance()) == [(h - 1, h, b"record %d" % h) for h in range(2, 6)]
            assert list(ledger.governance(4)) == []
        assert ledger.first_height_after(1) == 4
        assert ledger.first_height_after(2) is None
        with ledger.state() as state:
            assert [state.get(key) for key in (b"kept", b"changed", b"removed")] == [b"0", b"5", None]
            assert state.get(b"made 3") == b"\0\xff"

    def test_an_epoch_is_what_its_blocks_brought(self, opened: Opened) -> None:
        ledger = opened.ledger()
        for height in range(1, 6):
            append(ledger, height)
        material = ledger.epoch_material(2, 4)
        both = [outcome(2), outcome(3)]
        assert sorted(material.entries) == sorted(entry for one in both for entry in one.entries)
        assert sorted(material.identity_ops) == sorted(pair for one in both for pair in one.identity_ops)
        assert material.life_events == tuple(one.life_events[0] for one in both)
        assert material.beacon == both[1].beacon
        assert material.governance == (b"genesis", b"record 2", b"record 3")
        assert (material.submitters, material.last_hash) == (2, block(3).header.block_hash)
        assert ledger.epoch_material(4, 4).last_hash is None

    def test_a_kill_between_any_two_statements_leaves_the_blocks_before(self, opened: Opened) -> None:
        append(opened.ledger(), 1)
        statement = 0
        while True:
            ledger = opened.ledger()
            if not killed_at(statement, lambda: append(ledger, 2)):  # noqa: B023 called at once
                break
            ledger = opened.ledger()
            assert ledger.newest() == block(1).header
            with ledger.state() as state:
                assert (state.get(b"changed"), state.get(b"made 2")) == (b"1", None)
            statement += 1
        assert statement > 8
        assert opened.ledger().newest() == block(2).header

    def test_a_height_is_taken_once(self, opened: Opened) -> None:
        ledger = opened.ledger()
        append(ledger, 1)
        with pytest.raises(StoreBroken):
            append(ledger, 1)
        append(ledger, 2)
        assert ledger.newest() == block(2).header

    def test_what_a_consensus_engine_decided_is_kept_as_it_called_it(self, opened: Opened) -> None:
        ledger = opened.ledger()
        decided = DecidedBlock(1, sha256(b"its hash"), *(sha256(b"%d" % n) for n in range(2)), 7, ZERO, ZERO)
        ledger.append(block(1), decided, outcome(1), None)
        assert ledger.decided() == ledger.decided(1) == decided
        assert ledger.decided(2) is None
        assert ledger.epoch_material(1, 2).last_hash == decided.hash

    def test_rows_that_are_evidence_are_never_changed_or_deleted(self, opened: Opened) -> None:
        ledger = opened.ledger()
        append(ledger, 1)
        ledger.append(block(2), DecidedBlock(2, ZERO, ZERO, ZERO, 1, ZERO, ZERO), outcome(2), None)
        SqlWitness(ledger.file).keep(Evidence(kind="block", signer=b"s", number=1, first=b"1", second=b"2"), 5)
        epochs = SqlEpochs(ledger.file)
        epochs.attest(bytes(20), SizedSignature(1, ZERO, bytes(65)))
        epochs.add_line(1, b"line")
        epochs.cosign(1, NoteLine("w", b"0123", b"signature"))
        for table in INSERT_ONLY:
            (row,) = ask(ledger.file, f"SELECT count(*) FROM {table}")
            assert row[0] > 0
            column = "number" if table in {"governance", "epoch", "conflict"} else None
            column = column or ("size" if table in {"attested", "logline", "cosignature"} else "height")
            for statement in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"):
                with pytest.raises(StoreBroken), ledger.file.write() as connection:
                    connection.execute(text(statement))

    def test_words_are_kept_once_and_another_one_is_told(self, opened: Opened) -> None:
        ledger = opened.ledger()
        kept, theirs = SqlWitness(ledger.file), PrivateKey.from_seed(sha256(b"theirs"))
        first, other = (Countersignature.over(block(h).header, theirs) for h in (1, 2))
        forged = replace(first, block_hash=other.block_hash)
        assert kept.add(first) is None
        assert kept.add(first) is None
        assert kept.add(forged) == first
        append(ledger, 1)
        kept.add(other)
        assert kept.of(theirs.public.key_id, 0) == [first.encode(), other.encode()]
        assert (kept.newest_of(theirs.public.key_id), kept.newest_of(b"\0" * 32)) == (2, 0)
        assert kept.newest_word(theirs.public.key_id) == other.encode()
        keys = {one.public.key_id: 1 for one in (OURS, SEQUENCER, theirs)}
        assert kept.agreed([*keys, b"\0" * 32], 1) == keys
        assert (kept.agreed([OURS.public.key_id], 1), kept.agreed([], 1)) == ({OURS.public.key_id: 1}, {})

    def test_many_words_are_kept_at_once_and_of_one_height_the_first(self, opened: Opened) -> None:
        kept, keys = SqlWitness(opened.ledger().file), [PrivateKey.from_seed(sha256(name)) for name in (b"a", b"b")]
        words = {(n, h): Countersignature.over(block(h).header, keys[n]) for n in (0, 1) for h in (1, 2, 3)}
        forged = replace(words[0, 1], block_hash=words[0, 2].block_hash)
        assert kept.add_all([words[0, 2], words[1, 1], words[1, 1]]) == []
        said = [words[0, 1], forged, words[0, 2], words[0, 3], words[1, 3], replace(words[1, 1], block_hash=ZERO)]
        assert kept.add_all(said) == [(words[0, 1], forged), (words[1, 1], said[-1])]
        assert kept.of(keys[0].public.key_id, 0) == [words[0, h].encode() for h in (1, 2, 3)]
        assert kept.of(keys[1].public.key_id, 0) == [words[1, h].encode() for h in (1, 3)]
        assert kept.add_all([]) == []

    def test_evidence_is_bounded_and_the_first_reason_to_halt_stays(self, opened: Opened, monkeypatch) -> None:
        monkeypatch.setattr(witness, "MAX_EVIDENCE", 2)
        kept = SqlWitness(opened.ledger().file)
        found = [Evidence(kind="block", signer=b"s", number=n, first=b"1", second=b"2") for n in range(3)]
        for evidence in (found[0], found[0], *found):
            kept.keep(evidence, 7)
        assert sorted(kept.kept(), key=lambda one: one.number) == found[:2]
        assert kept.halted() == ""
        kept.halt("one", 1)
        kept.halt("two", 2)
        assert SqlWitness(opened.ledger().file).halted() == "one"

    def test_closed_epochs_and_what_is_said_about_them(self, opened: Opened) -> None:
        epochs = SqlEpochs(opened.ledger().file)
        closed = [ClosedEpoch(number=n, end_block=n, record=b"r%d" % n, entries=b"e", pairs=b"p") for n in (1, 2)]
        for epoch in closed:
            epochs.add(epoch)
        with pytest.raises(StoreBroken):
            epochs.add(closed[1])
        assert (epochs.newest(), epochs.all_records()) == (2, [b"genesis", b"r1", b"r2"])
        assert epochs.epochs(1, 9) == closed
        here, there = b"\1" * 20, b"\xff" * 20
        for address in (there, here):
            epochs.attest(address, SizedSignature(2, ZERO, address + bytes(45)))
            epochs.attest(address, SizedSignature(2, sha256(b"another"), bytes(65)))  # the first one stays
        assert epochs.signatures(2, ZERO) == {address: address + bytes(45) for address in (here, there)}
        assert [epochs.newest_attested(one) for one in (here, there, bytes(20))] == [2, 2, 0]
        assert [signed.root for signed in epochs.attested(here, 1)] == [ZERO]
        epochs.add_line(2, b"line")
        epochs.add_line(2, b"other")
        assert (epochs.line(2), epochs.newest_line(), epochs.lines(1)) == (b"line", 2, [(2, b"line")])

    def test_names_are_sorted_by_their_bytes(self, opened: Opened) -> None:
        epochs = SqlEpochs(opened.ledger().file)
        theirs = VerifierKey("a", b"\x01", bytes(32))
        lines = [NoteLine(name, theirs.key_id, b"s") for name in ("B", "a", "b-c", "bc", "é")]
        for line in reversed(lines):
            epochs.cosign(3, line)
        epochs.cosign(3, NoteLine("a", theirs.key_id, b"another"))
        assert epochs.cosignatures(3) == lines
        assert (epochs.cosigned(theirs, 2), epochs.newest_cosigned(theirs)) == ({3: b"s"}, 3)

    def test_the_newest_that_a_key_signed_is_so_after_a_start_too(self, opened: Opened) -> None:
        file, here, there = opened.ledger().file, b"\1" * 20, VerifierKey("a", b"\x01", bytes(32))
        before = SqlEpochs(file)
        for size in (3, 5, 4):
            assert before.newest_attested(here) <= 5
            before.attest(here, SizedSignature(size, ZERO, bytes(65)))
            before.cosign(size, NoteLine(there.name, there.key_id, b"s"))
        after = SqlEpochs(file)
        after.cosign(2, NoteLine(there.name, there.key_id, b"s"))  # followed before all is read
        for epochs in (before, after):
            assert (epochs.newest_attested(here), epochs.newest_cosigned(there)) == (5, 5)
            epochs.attest(here, SizedSignature(2, ZERO, bytes(65)))
            assert epochs.newest_attested(here) == 5

    # ── the private records ──────────────────────────────────────────────────────────────────────────────────────────

    def test_a_document_waits_with_its_envelopes_until_it_stands(self, opened: Opened) -> None:
        kept = opened.records()
        kept.keep_own(document(1), [("core", b"e1"), ("bank", b"e2")], 7, 100)
        kept.keep_own(document(1), [("bank", b"again"), ("court", b"e3")], 9, 110)
        kept = opened.records()
        assert kept.waiting() == [(document(1).leaf, 9)]
        assert [(owed.recipient, owed.envelope) for owed in kept.owed(200)] == [
            ("bank", b"e2"),
            ("core", b"e1"),
            ("court", b"e3"),
        ]
        first, second, third = kept.owed(200)
        assert [kept.owed(200, after=first.number), kept.owed(200, without={"bank", "court"})] == [
            [second, third],
            [second],
        ]
        kept.postpone(first.number, 300)
        kept.settle(second.number, b"signed for")
        kept.decline(third.number)
        assert (kept.owed(200), kept.owed(300)[0].attempts, kept.undelivered()) == ([], 1, 1)
        kept.hasten([first.number, second.number, third.number], 250)
        kept.hasten([first.number], 290)
        assert (kept.owed(249), [(owed.number, owed.attempts) for owed in kept.owed(250)]) == ([], [(first.number, 1)])
        kept.stand([document(1).leaf])
        assert (kept.waiting(), kept.record(document(1).leaf).plaintext) == ([], document(1).plaintext)
        kept.forget(document(1).leaf)
        assert (kept.record(document(1).leaf), kept.undelivered()) == (None, 0)

    def test_what_others_leave_here_is_counted_and_the_same_again_costs_nothing(
        self, opened: Opened, monkeypatch
    ) -> None:
        monkeypatch.setattr(records, "MAX_DOCUMENTS", 2)
        kept = opened.records()
        for number in (1, 1, 1, 2):
            kept.keep_received(document(number, "core"), 100)
        with pytest.raises(NotYet):
            kept.keep_received(document(3, "core"), 200)
        kept.keep_received(document(3, "bank"), 200)
        kept.keep_received(document(4, "core"), 100 + records.WINDOW)
        assert [record.source for record in kept.records(0)] == ["core", "core", "bank", "core"]
        assert kept.plaintexts() == [document(number).plaintext for number in (1, 2, 3, 4)]

    def test_what_was_erased_is_gone_and_does_not_come_back(self, opened: Opened) -> None:
        kept = opened.records()
        kept.keep_own(document(1), [("core", b"the envelope")], 7, 100)
        kept.keep_received(document(2, "core"), 100)
        kept.erasures.erase([document(1).leaf, document(2).leaf], "law", 150)
        kept = opened.records()
        assert [(stone.leaf, stone.source, stone.reason) for stone in kept.erasures.tombstones()] == [
            (document(1).leaf, "own", "law"),
            (document(2).leaf, "core", "law"),
        ]
        assert (kept.plaintexts(), kept.erasures.envelopes(document(1).leaf)) == ([], {"core": "erased"})
        assert kept.erasures.source(document(2).leaf) is None
        for again in (lambda: kept.keep_received(document(2, "core"), 160), lambda: kept.record(document(1).leaf)):
            with pytest.raises(Erased) as caught:
                again()
            assert caught.value.since == 150
        with pytest.raises(Erased):
            kept.keep_own(document(1), [], 7, 160)

    def test_an_erasure_that_died_before_its_end_is_finished_by_the_next_start(
        self, opened: Opened, monkeypatch
    ) -> None:
        kept = opened.records()
        kept.keep_received(document(2, "core"), 100)

        def die() -> None:
            raise Killed

        monkeypatch.setattr(opened.store, "cleanse", die)
        with pytest.raises(Killed):
            kept.erasures.erase([document(2).leaf], "law", 150)
        assert ask(opened.store, "SELECT remains FROM record") == [(1,)]
        opened.records()
        assert ask(opened.store, "SELECT remains FROM record") == [(0,)]

    def test_what_a_key_is_for_is_said_once(self, opened: Opened) -> None:
        kept = opened.records()
        kept.keep_purpose(ZERO, "invoice")
        kept.keep_purpose(ZERO, "another")
        assert (kept.purpose(ZERO), kept.purpose(sha256(b"unknown"))) == ("invoice", None)

    # ── which store it is ────────────────────────────────────────────────────────────────────────────────────────────

    def test_it_is_made_once_and_nothing_is_made_over_it(self, opened: Opened, placing: Placing) -> None:
        append(opened.ledger(), 1)
        with closing(SqlLedger(placing("ledger"))) as again, pytest.raises(StoreBroken, match="made once"):
            again.create(LOG, OWNER, BEFORE, GENESIS)
        assert opened.ledger().newest() == block(1).header

    def test_it_is_made_whole_or_not_at_all(self, placing: Placing, monkeypatch) -> None:
        """The next one who makes it finds the place empty."""

        def die(*_: object) -> None:
            raise Killed

        monkeypatch.setattr("hybrid_bridge.adapters.sqlite.ledger.add_epoch", die)
        with closing(SqlLedger(placing("ledger"))) as made, pytest.raises(Killed):
            made.create(LOG, OWNER, BEFORE, GENESIS)
        with pytest.raises(StoreBroken):
            SqlLedger(placing("ledger")).open(LOG, OWNER)

    @pytest.mark.parametrize(("log_id", "owner", "rule"), [(ZERO, OWNER, "log_id"), (LOG, "bank-b", "owner bank-b")])
    def test_one_that_was_made_for_something_else_is_refused(
        self, opened: Opened, log_id: bytes, owner: str, rule: str
    ) -> None:
        with pytest.raises(StoreBroken, match=rule):
            SqlLedger(opened.next("ledger")).open(log_id, owner)

    def test_one_that_nobody_made_is_not_made_in_passing(self, placing: Placing) -> None:
        with pytest.raises(StoreBroken, match="made before it is used"):
            SqlLedger(placing("ledger")).open(LOG, OWNER)

    def test_a_second_program_of_this_member_is_refused_while_one_has_it(
        self, opened: Opened, placing: Placing
    ) -> None:
        append(opened.ledger(), 1)
        with pytest.raises(StoreInUse):
            SqlLedger(placing("ledger")).open(LOG, OWNER)

    def test_a_statement_that_does_not_fit_is_our_error(self, opened: Opened) -> None:
        ledger = opened.ledger()
        for transaction in (ledger.file.read, ledger.file.write):
            with pytest.raises(StoreBroken), transaction() as connection:
                connection.execute(text("SELECT nothing FROM nowhere"))

    def test_nothing_is_written_through_a_view(self, opened: Opened) -> None:
        ledger = opened.ledger()
        with suppress(BridgeError), ledger.file.read() as connection:
            connection.execute(text("DELETE FROM state"))
        with ledger.state() as state:
            assert state.get(b"kept") == b"0"


def document(number: int, source: str = "own") -> StoredRecord:
    return StoredRecord(
        number=0,
        leaf=sha256(b"leaf %d" % number),
        schema="invoice",
        source=source,
        transaction_id=sha256(b"transaction") if source == "own" else None,
        plaintext=b"document %d" % number * 100,
    )
