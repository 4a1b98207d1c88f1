"""A member's ledger and private records, in files and in PostgreSQL, by one suite; and what only a server can do."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pg8000.dbapi
import pytest
from sqlalchemy import text

from hybrid_bridge.adapters.postgresql import store as postgresql_store
from hybrid_bridge.adapters.postgresql.server import Server
from hybrid_bridge.adapters.postgresql.store import PostgresStore
from hybrid_bridge.adapters.sqlite import moving, records
from hybrid_bridge.adapters.sqlite.file import SqliteFile
from hybrid_bridge.adapters.sqlite.ledger import SqlLedger
from hybrid_bridge.adapters.sqlite.records import SqlRecords
from hybrid_bridge.adapters.sqlite.revisions import Moved
from hybrid_bridge.adapters.sqlite.store import Store
from hybrid_bridge.adapters.sqlite.tables import INSERT_ONLY
from hybrid_bridge.errors import BridgeError, KeyUnusable, LeaseLost, NotYet, StoreAway, StoreBroken
from tests import engines
from tests.behaviours.member_store_behaviour import (
    BEFORE,
    GENESIS,
    LOG,
    OWNER,
    Killed,
    MemberStoreBehaviour,
    Opened,
    Placing,
    append,
    block,
    document,
)


class TestSqlite(MemberStoreBehaviour):
    @pytest.fixture
    def placing(self, tmp_path: Path) -> Placing:
        def place(name: str) -> Store:
            return SqliteFile(tmp_path / f"{name}.db", name)

        return place


@pytest.fixture(scope="module")
def cluster() -> Iterator[engines.Postgresql]:
    with engines.postgresql() as server:
        server.database()
        yield server


def server_at(cluster: engines.Postgresql) -> Server:
    return Server(
        host="127.0.0.1",
        port=cluster.port,
        user="bridge",
        database="made_1",
        password=lambda: cluster.password,
        is_here=True,
        key="databases.ledger",
        program="tests",
    )


class TestPostgresql(MemberStoreBehaviour):
    @pytest.fixture
    def placing(self, cluster: engines.Postgresql, tmp_path: Path) -> Placing:
        for schema in ("ledger", "records"):
            cluster.ask(f"DROP SCHEMA IF EXISTS {schema} CASCADE", "made_1")

        def place(name: str) -> Store:
            return PostgresStore(server_at(cluster), name, "here", tmp_path / f"{name}.lock")

        return place

    @pytest.fixture
    def other(self, cluster: engines.Postgresql, tmp_path: Path) -> Iterator[Opened]:
        """Another host's processes."""

        def place(name: str) -> Store:
            return PostgresStore(server_at(cluster), name, "there", tmp_path / f"other-{name}.lock")

        with closing(Opened(place)) as found:
            yield found

    def test_a_step_of_a_migration_may_take_longer_than_any_answer_of_a_running_node(
        self, opened: Opened, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It may read all rows of years: were it cut, it would be cut each time."""
        opened.close()
        engine = Server.engine
        monkeypatch.setattr(postgresql_store, "DEADLINE", 1)
        monkeypatch.setattr(Server, "engine", lambda server, size, deadline=1: engine(server, size, deadline))
        monkeypatch.setattr(records, "SCHEMA", "5")
        monkeypatch.setattr(records, "STEPS", {4: lambda connection: connection.execute(text("SELECT pg_sleep(2)"))})
        assert SqlRecords(opened.next("records")).migrate(LOG, OWNER) == Moved(4, 5)
        opened.records()

    # ── a connection that breaks ─────────────────────────────────────────────────────────────────────────────────────

    def test_a_connection_cut_in_a_transaction_changes_nothing_and_the_next_one_goes_on(
        self, opened: Opened, cluster: engines.Postgresql
    ) -> None:
        ledger = opened.ledger()
        append(ledger, 1)

        def cut() -> None:
            with ledger.file.write() as connection:
                connection.execute(text("DELETE FROM state"))
                cluster.cut_connections()
                connection.execute(text("DELETE FROM state"))

        with pytest.raises(StoreAway):
            cut()
        with ledger.state() as state:
            assert state.get(b"changed") == b"1"
        append(ledger, 2)
        cluster.cut_connections()
        append(ledger, 3)
        assert ledger.newest() == block(3).header

    @pytest.mark.parametrize("is_done", [True, False])
    def test_a_commit_whose_answer_was_lost_is_looked_up_and_never_guessed(
        self, opened: Opened, cluster: engines.Postgresql, monkeypatch, is_done: bool
    ) -> None:
        ledger = opened.ledger()
        append(ledger, 1)
        with monkeypatch.context() as patch:
            lose_answers(patch, ledger, cluster, is_done=is_done)
            if is_done:
                append(ledger, 2)
            else:
                with pytest.raises(StoreAway):
                    append(ledger, 2)
        assert ledger.newest() == block(2 if is_done else 1).header
        append(ledger, 3 if is_done else 2)
        assert opened.ledger().newest() == block(3 if is_done else 2).header

    def test_a_commit_whose_fate_cannot_be_found_out_ends_this_process_and_the_next_one_reads_it(
        self, opened: Opened, cluster: engines.Postgresql, monkeypatch
    ) -> None:
        ledger = opened.ledger()
        append(ledger, 1)
        monkeypatch.setattr(postgresql_store, "SETTLE", 0.0)
        told: list[str] = []
        opened.store.when_lost = lambda: told.append("lost")
        with monkeypatch.context() as patch:
            lose_answers(patch, ledger, cluster, is_done=True, after=cluster.stop)
            with pytest.raises(StoreAway):
                append(ledger, 2)
        cluster.start()
        for use in (ledger.newest, lambda: append(ledger, 3), opened.store.renew):
            with pytest.raises(StoreAway):
                use()
        assert told == ["lost"]
        ledger = opened.ledger()
        assert ledger.newest() == block(2).header
        append(ledger, 3)

    def test_a_server_that_will_not_tell_the_fate_of_a_commit_ends_this_process(
        self, opened: Opened, cluster: engines.Postgresql, monkeypatch
    ) -> None:
        ledger = opened.ledger()

        def refuse(_connection: Any) -> None:
            raise KeyUnusable(key="database", rule="user and password that the server takes")

        with monkeypatch.context() as patch:
            lose_answers(patch, ledger, cluster, is_done=True)
            patch.setattr(opened.store, "_lease", refuse)
            with pytest.raises(KeyUnusable):
                append(ledger, 1)
        with pytest.raises(KeyUnusable):
            append(ledger, 1)
        assert opened.ledger().newest() == block(1).header

    def test_a_commit_that_was_interrupted_ends_this_process(self, opened: Opened, monkeypatch) -> None:
        ledger = opened.ledger()

        def interrupt(connection: Any) -> None:
            connection.commit()
            raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(opened.store._writer.dialect, "do_commit", interrupt)
            with pytest.raises(Killed):
                append(ledger, 1)
        with pytest.raises(StoreAway, match="interrupted"):
            append(ledger, 1)
        assert opened.ledger().newest() == block(1).header

    def test_a_server_that_is_away_for_a_while_is_asked_again(
        self, opened: Opened, other: Opened, cluster: engines.Postgresql
    ) -> None:
        ledger = opened.ledger()
        append(ledger, 1)
        cluster.stop()
        for use in (ledger.newest, lambda: append(ledger, 2), opened.store.renew, other.ledger):
            with pytest.raises(StoreAway):
                use()
        cluster.start()
        append(ledger, 2)
        opened.store.renew()
        assert ledger.newest() == block(2).header

    def test_a_standby_takes_no_writes_until_it_is_promoted_and_then_another_host_goes_on(
        self, opened: Opened, other: Opened, cluster: engines.Postgresql
    ) -> None:
        ledger = opened.ledger()
        append(ledger, 1)
        cluster.stop()
        (cluster.data / "standby.signal").touch()
        cluster.start()
        assert ledger.newest() == block(1).header
        for use in (lambda: append(ledger, 2), opened.store.renew, other.ledger):
            with pytest.raises(StoreAway, match="it takes no writes"):
                use()
        cluster.ask("SELECT pg_promote()")
        append(ledger, 2)
        cluster.ask("UPDATE ledger.lease SET until = 0", "made_1")
        append(other.ledger(), 3)
        with pytest.raises(LeaseLost):
            append(ledger, 3)

    def test_no_password_is_told(self, opened: Opened, cluster: engines.Postgresql, tmp_path: Path) -> None:
        server = replace(server_at(cluster), password=lambda: "not the password")
        store = PostgresStore(server, "ledger", "here", tmp_path / "other.lock")
        with closing(store), pytest.raises(KeyUnusable) as caught:
            SqlLedger(store).open(LOG, OWNER)
        assert "not the password" not in f"{caught.value!r}{caught.value}{caught.value.__cause__!r}{server!r}"

    # ── one writer ───────────────────────────────────────────────────────────────────────────────────────────────────

    def test_a_lease_is_taken_when_it_has_run_out_and_the_former_holder_can_do_nothing(
        self, opened: Opened, other: Opened, cluster: engines.Postgresql
    ) -> None:
        ledger = opened.ledger()
        append(ledger, 1)
        opened.store.renew()
        with pytest.raises(NotYet, match=r"the lease, which here holds for [0-9]{1,2} s more"):
            other.ledger()
        cluster.ask("UPDATE ledger.lease SET until = until - 60", "made_1")
        theirs = other.ledger()
        append(theirs, 2)
        with pytest.raises(LeaseLost) as caught:
            append(ledger, 2)
        assert (caught.value.held, caught.value.current) == (1, 2)
        with pytest.raises(LeaseLost):
            ledger.newest()
        opened.close()  # its farewell changes nothing
        append(theirs, 3)
        assert theirs.newest() == block(3).header

    def test_a_clean_end_gives_the_lease_back_and_our_own_old_one_is_not_waited_for(
        self, opened: Opened, other: Opened, placing: Placing
    ) -> None:
        append(opened.ledger(), 1)
        opened.close()
        append(other.ledger(), 2)
        other.store.lost = StoreAway(store="ledger", why="killed")  # gives nothing back
        other.close()
        append(other.ledger(), 3)

    def test_a_process_that_is_stopped_amid_a_write_holds_up_the_next_one_only_for_a_while(
        self, opened: Opened, other: Opened, cluster: engines.Postgresql
    ) -> None:
        ledger = opened.ledger()
        opened.store._writing = opened.store._writing.replace("session_timeout = '5s'", "session_timeout = '300ms'")

        def sleep() -> None:
            with ledger.file.write() as connection:
                connection.execute(text("DELETE FROM state"))
                cluster.ask("UPDATE ledger.lease SET until = 0", "made_1")  # waits for the lock
                append(other.ledger(), 1)

        with pytest.raises(LeaseLost):
            sleep()
        with pytest.raises(LeaseLost):
            append(ledger, 1)
        assert other.ledger().newest() == block(1).header

    def test_a_lock_that_does_not_come_is_asked_for_again(self, opened: Opened, cluster: engines.Postgresql) -> None:
        ledger = opened.ledger()
        opened.store._writing = opened.store._writing.replace("lock_timeout = '8s'", "lock_timeout = '50ms'")
        with closing(cluster.connect("made_1")) as stranger:
            stranger.autocommit = False
            stranger.cursor().execute("SELECT * FROM ledger.lease FOR UPDATE")
            with pytest.raises(StoreAway, match="a lock did not come in time"):
                append(ledger, 1)
        append(ledger, 1)

    def test_a_server_that_lost_commits_is_found_out_by_the_next_one(
        self, opened: Opened, cluster: engines.Postgresql
    ) -> None:
        """As after a failover to a replica that was behind."""
        ledger = opened.ledger()
        append(ledger, 1)
        cluster.ask("ALTER TABLE ledger.lease DISABLE TRIGGER ALL", "made_1")
        cluster.ask("UPDATE ledger.lease SET writes = writes - 1", "made_1")
        with pytest.raises(StoreBroken, match="its server lost some"):
            append(ledger, 2)
        with pytest.raises(StoreBroken):
            ledger.newest()

    def test_an_epoch_of_the_lease_only_rises(self, opened: Opened, cluster: engines.Postgresql) -> None:
        opened.ledger()
        for change in ("epoch = epoch - 1", "writes = writes - 1"):
            with pytest.raises(pg8000.dbapi.DatabaseError, match="insert-only"):
                cluster.ask(f"UPDATE ledger.lease SET {change}", "made_1")

    # ── from files ───────────────────────────────────────────────────────────────────────────────────────────────────

    def test_a_store_in_a_file_is_moved_with_every_row_and_goes_on(
        self, placing: Placing, tmp_path: Path, cluster: engines.Postgresql
    ) -> None:
        files = Opened(lambda name: SqliteFile(tmp_path / f"{name}.db", name))
        made = SqlLedger(files.next("ledger"))
        made.create(LOG, OWNER, BEFORE, GENESIS)
        ledger = files.ledger()
        for height in (1, 2, 3):
            append(ledger, height)
        with closing(placing("ledger")) as target:
            rows = ledger.copy_to(target, LOG, OWNER)
        blocks, material = ledger.blocks(1), ledger.epoch_material(1, 4)
        files.close()
        with closing(Opened(placing)) as there:
            moved = there.ledger()
            assert (moved.blocks(1), len(blocks)) == (blocks, 3)
            found = moved.epoch_material(1, 4)
            assert (sorted(found.entries), sorted(found.identity_ops)) == (
                sorted(material.entries),
                sorted(material.identity_ops),
            )
            assert replace(found, entries=(), identity_ops=()) == replace(material, entries=(), identity_ops=())
            append(moved, 4)
        in_each_block = (
            1 + 3 + 3 + 1 + 1 + 2 + 1
        )  # block, items, entries, label, event, words, what it made in the state
        assert rows == 3 * in_each_block + 2 + 2 + 3 + 1  # beacons; kept and changed; governance; epoch 0

    def test_numbers_that_the_database_gives_go_on_after_a_move(self, placing: Placing, tmp_path: Path) -> None:
        files = Opened(lambda name: SqliteFile(tmp_path / f"{name}.db", name))
        SqlRecords(files.next("records")).create(LOG, OWNER)
        kept = files.records()
        for number in (1, 2):
            kept.keep_received(document(number, "core"), 100)
        kept.forget(document(1).leaf)
        with closing(placing("records")) as target:
            kept.copy_to(target, LOG, OWNER)
        files.close()
        with closing(Opened(placing)) as there:
            moved = there.records()
            moved.keep_received(document(3, "core"), 100)
            assert [(one.number, one.leaf) for one in moved.records(0)] == [
                (2, document(2).leaf),
                (3, document(3).leaf),
            ]

    def test_a_row_that_did_not_arrive_as_it_was_ends_the_move_with_nothing_made(
        self, placing: Placing, tmp_path: Path, cluster: engines.Postgresql, monkeypatch
    ) -> None:
        files = Opened(lambda name: SqliteFile(tmp_path / f"{name}.db", name))
        SqlRecords(files.next("records")).create(LOG, OWNER)
        kept = files.records()
        kept.keep_received(document(1, "core"), 100)
        lies = "CREATE OR REPLACE FUNCTION other() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.since = 7; RETURN NEW; END $$"
        armed = f"{lies}; CREATE TRIGGER lies BEFORE INSERT ON record FOR EACH ROW EXECUTE FUNCTION other()"
        store = placing("records")
        made = moving.copy_rows

        def tampered(source: Store, target: Any, tables: Any) -> int:
            target.exec_driver_sql(armed)
            return made(source, target, tables)

        monkeypatch.setattr("hybrid_bridge.adapters.sqlite.records.copy_rows", tampered)
        with closing(store), pytest.raises(StoreBroken, match="the same rows of record in both"):
            kept.copy_to(store, LOG, OWNER)
        files.close()
        with pytest.raises(StoreBroken, match="made before it is used"):
            SqlRecords(placing("records")).open(LOG, OWNER)

    def test_a_making_that_nobody_went_on_with_is_made_again(self, placing: Placing) -> None:
        for _ in range(2):
            with closing(SqlLedger(placing("ledger"))) as made:
                made.create(LOG, OWNER, BEFORE, GENESIS)
        with closing(SqlLedger(placing("ledger"))) as made, pytest.raises(StoreBroken, match="made once"):
            made.create(LOG, "another", BEFORE, GENESIS)
        with closing(Opened(placing)) as there:
            append(there.ledger(), 1)

    # ── what a server answers ────────────────────────────────────────────────────────────────────────────────────────

    @pytest.mark.parametrize(
        ("state", "kind", "words"),
        [
            ("53100", StoreAway, "its disk is full"),
            ("25006", StoreAway, "it takes no writes"),
            ("40001", StoreAway, "another transaction was in the way"),
            ("57P01", StoreAway, "it is shutting down or starting"),
            ("53300", StoreAway, "it has no room"),
            ("XX001", StoreBroken, "XX001"),
        ],
    )
    def test_what_it_refuses_changes_nothing_and_is_typed(
        self, opened: Opened, cluster: engines.Postgresql, state: str, kind: type[BridgeError], words: str
    ) -> None:
        ledger = opened.ledger()
        append(ledger, 1)
        for statement in (
            "CREATE FUNCTION ledger.fails() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END $$",
            "CREATE TRIGGER fails BEFORE INSERT ON ledger.item FOR EACH ROW EXECUTE FUNCTION ledger.fails()",
        ):
            cluster.ask(statement, "made_1")
        with pytest.raises(kind, match=words):
            append(ledger, 2)
        cluster.ask("DROP TRIGGER fails ON ledger.item", "made_1")
        append(ledger, 2)
        assert ledger.newest() == block(2).header

    @pytest.mark.parametrize(
        ("statement", "rule"),
        [
            ("DROP TABLE ledger.entry", "whole: entry missing; restore a copy"),
            ("DROP TABLE ledger.meta", "whole: meta missing; restore a copy"),
            ("UPDATE ledger.meta SET value = '2' WHERE key = 'schema'", "schema 3, not 2"),
            ("UPDATE ledger.meta SET value = '4' WHERE key = 'schema'", "schema 3, not 4"),
            ("UPDATE ledger.meta SET value = 'records' WHERE key = 'kind'", "kind ledger, not records"),
            ("DELETE FROM ledger.meta", "kind ledger, not None"),
        ],
    )
    def test_a_torn_an_older_a_newer_and_a_foreign_schema_are_told_apart(
        self, opened: Opened, cluster: engines.Postgresql, statement: str, rule: str
    ) -> None:
        cluster.ask(statement, "made_1")
        with pytest.raises(StoreBroken) as caught:
            opened.ledger()
        assert caught.value.rule.startswith(rule)

    def test_a_database_that_is_not_there_is_told(self, cluster: engines.Postgresql, tmp_path: Path) -> None:
        server = replace(server_at(cluster), database="nowhere")
        store = PostgresStore(server, "ledger", "here", tmp_path / "ledger.lock")
        with closing(store), pytest.raises(StoreBroken, match="a database that exists"):
            SqlLedger(store).open(LOG, OWNER)

    def test_evidence_cannot_be_emptied(self, opened: Opened, cluster: engines.Postgresql) -> None:
        for table in INSERT_ONLY:
            with pytest.raises(pg8000.dbapi.DatabaseError, match="insert-only"):
                cluster.ask(f"TRUNCATE ledger.{table}", "made_1")

    def test_what_was_erased_is_in_no_page_of_its_tables(self, opened: Opened, cluster: engines.Postgresql) -> None:
        kept = opened.records()
        for number in range(40):
            kept.keep_received(document(number, "core"), 100)
        kept.erasures.erase([document(7).leaf], "law", 150)
        cluster.ask("CHECKPOINT")
        pages = b"".join(path.read_bytes() for path in (cluster.data / "base").rglob("*") if path.is_file())
        assert document(8).plaintext in pages
        assert document(7).plaintext not in pages


def lose_answers(patch, ledger: SqlLedger, cluster: engines.Postgresql, *, is_done: bool, after=None) -> None:
    """Commits are made, or not, and the connection breaks before anybody hears of it."""
    dialect = ledger.file._writer.dialect
    commit = dialect.do_commit

    def lossy(connection: Any) -> None:
        if is_done:
            commit(connection)
        (after or cluster.cut_connections)()
        commit(connection)  # the connection finds out

    patch.setattr(dialect, "do_commit", lossy)
