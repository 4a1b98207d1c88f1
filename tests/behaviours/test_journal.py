"""Journals in files and in PostgreSQL, by one suite."""

import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pg8000.dbapi
import pytest
from click.testing import CliRunner
from sqlalchemy import insert, text, update

from hybrid_bridge.cli.demo.stage import free_ports
from hybrid_bridge.errors import (
    BridgeError,
    KeyUnusable,
    LeaseLost,
    NotYet,
    SettingsMalformed,
    StoreBroken,
    Unreachable,
)
from hybrid_bridge.testing.crashing import Killed
from relayers import postgresql_store, wiring
from relayers.cli import main
from relayers.desk import Desk, Orders, migrate
from relayers.journal import Brake
from relayers.journal_place import PostgresPlace
from relayers.postgresql_store import schema_of
from relayers.revisions import SCHEMA_VERSION, upgrade
from relayers.settings import read_settings
from relayers.sql_journal import SqlJournal, SqlJournalReader, chain_uid, create_journal
from relayers.sql_reader import LEASE, SLOT
from relayers.sql_tables import INSERT_ONLY, NEVER_DELETED
from relayers.timing import Answering
from tests import engines
from tests.behaviours.journal_behaviour import JournalBehaviour, Raw, RawError
from tests.journals import SCOPE, begun, fill
from tests.unit.relayers.builders import T0
from tests.unit.relayers.test_wiring import settings_text, write_consortium

RELEASED = (Path(__file__).parents[1] / "unit" / "relayers" / "journal_revision_1.sql").read_text()
GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "journal-in-postgresql.md"
A_MINUTE_LATER = "UPDATE lease SET until = until - 61"
NEW_SLOT = {
    "chain_uid": chain_uid(SCOPE),
    "signer": SCOPE.signer,
    "nonce": 5,
    "state": "OPEN",
    "is_foreign": 0,
    "epoch": 1,
}


class TestSqlite(JournalBehaviour):
    @pytest.fixture
    def place(self, tmp_path: Path) -> Path:
        create_journal(tmp_path / "journal.db", SCOPE, T0)
        return tmp_path / "journal.db"

    @pytest.fixture
    def raw(self, place: Path) -> Raw:
        def ask(statement: str) -> list[Any]:
            with closing(sqlite3.connect(place)) as connection:
                connection.execute("PRAGMA recursive_triggers = 1")
                try:
                    rows = connection.execute(statement).fetchall()
                except sqlite3.Error as error:
                    raise RawError(str(error)) from None
                connection.commit()
                return rows

        return ask

    def test_evidence_cannot_be_replaced(self, place: Path, raw: Raw) -> None:
        fill(place)
        for table in INSERT_ONLY:
            with pytest.raises(RawError, match=f"{table}: no DELETE"):
                raw(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}")


@pytest.fixture(scope="module")
def cluster() -> Iterator[engines.Postgresql]:
    with engines.postgresql() as server:
        server.database()
        yield server


class TestPostgresql(JournalBehaviour):
    @pytest.fixture
    def bare(self, cluster: engines.Postgresql, tmp_path: Path) -> PostgresPlace:
        """A database without tables: the cluster's one, emptied, since a new one costs hundreds of files."""
        return cluster.place(tmp_path)

    @pytest.fixture
    def place(self, bare: PostgresPlace) -> PostgresPlace:
        create_journal(bare, SCOPE, T0)
        return bare

    @pytest.fixture
    def raw(self, place: PostgresPlace, cluster: engines.Postgresql) -> Iterator[Raw]:
        connection = cluster.connect(place.name)

        def ask(statement: str) -> list[Any]:
            cursor = connection.cursor()
            try:
                cursor.execute(statement)
            except pg8000.dbapi.Error as error:
                raise RawError(str(error)) from None
            return [tuple(row) for row in cursor.fetchall()] if cursor.description else []

        with closing(connection):
            yield ask

    def disarm(self, raw: Raw, table: str, verb: str) -> None:
        raw(f"DROP TRIGGER {table}_no_{verb} ON {table}")

    def test_evidence_cannot_be_emptied(self, raw: Raw) -> None:
        for table in (*INSERT_ONLY, *NEVER_DELETED):
            with pytest.raises(RawError, match="no TRUNCATE"):
                raw(f"TRUNCATE {table} CASCADE")

    def test_a_lease_is_taken_when_it_has_run_out_and_the_former_holder_can_write_nothing(
        self, place: PostgresPlace, raw: Raw
    ) -> None:
        with SqlJournal(place, SCOPE, "first", T0) as first:
            first.renew(T0 + 10**9)  # whatever our own clock says
            with pytest.raises(NotYet, match=r"which first holds for [0-9]{1,2} s more"):
                SqlJournal(place, SCOPE, "second", T0)
            raw(A_MINUTE_LATER)
            with SqlJournal(place, SCOPE, "second", T0) as second:
                assert (first.epoch, second.epoch) == (1, 2)
                with pytest.raises(LeaseLost) as caught:
                    begun(first)
                assert (caught.value.held, caught.value.current) == (1, 2)
                begun(second)
        (lease,) = raw("SELECT epoch, holder, until FROM lease")
        assert lease == (2, "second", 0)  # given back; the former holder's farewell changed nothing

    def test_a_process_that_is_stopped_amid_a_write_holds_up_the_next_one_only_for_a_while(
        self, place: PostgresPlace, raw: Raw, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hasty = postgresql_store._WRITE.replace("session_timeout = '5s'", "session_timeout = '300ms'")
        monkeypatch.setattr(postgresql_store, "_WRITE", hasty)
        with SqlJournal(place, SCOPE, "first", T0) as first:

            def sleep() -> None:
                with first._fenced() as connection:
                    connection.execute(insert(SLOT).values(NEW_SLOT))
                    raw("UPDATE lease SET until = 0")  # waits for the lock, which the server takes from the sleeper
                    with SqlJournal(place, SCOPE, "second", T0) as second:
                        assert second.view(T0).open_nonces == ()
                        begun(second)

            with pytest.raises(Unreachable):
                sleep()
            with pytest.raises(LeaseLost):
                first.open_slot(6)
            assert first.view(T0).open_nonces == (5,)

    def test_a_lock_that_does_not_come_is_not_yet(self, place: PostgresPlace, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(postgresql_store, "_WRITE", postgresql_store._WRITE.replace("'8s'", "'50ms'"))
        with SqlJournal(place, SCOPE, "first", T0) as first, Orders(place, SCOPE) as orders:
            with first._fenced(), pytest.raises(NotYet):
                orders.set_brake(Brake.SOFT, "a person", T0)
            orders.set_brake(Brake.SOFT, "a person", T0)

    def test_two_writers_of_one_lease_take_turns(self, place: PostgresPlace) -> None:
        """READ COMMITTED: the epoch that is checked is the one behind the lock, not an older one."""
        with SqlJournal(place, SCOPE, "first", T0) as first:
            seen: list[object] = []

            def take() -> None:
                try:
                    first.open_slot(5)
                except LeaseLost as error:
                    seen.append(error.current)

            with first._store.write() as connection:
                connection.execute(update(LEASE).values(epoch=9))
            with Orders(place, SCOPE) as other:
                with other._ordering() as connection:
                    thread = Thread(target=take)
                    thread.start()
                    connection.execute(update(LEASE).values(epoch=10))
                thread.join()
            assert seen == [10]

    def test_a_new_password_is_taken_without_a_restart(
        self, place: PostgresPlace, cluster: engines.Postgresql, journal: SqlJournal
    ) -> None:
        cluster.cut_connections()
        journal.open_slot(5)  # connects anew
        Path(place.password.path).write_text("another\n")
        cluster.cut_connections()
        with pytest.raises(KeyUnusable) as caught:
            journal.open_slot(6)
        assert "another" not in f"{caught.value!r}{caught.value}{caught.value.__cause__!r}{caught.value.__context__!r}"
        Path(place.password.path).write_text(cluster.password + "\n")
        journal.open_slot(6)

    def test_a_commit_whose_connection_is_cut_is_undone_and_undecided(
        self, cluster: engines.Postgresql, journal: SqlJournal
    ) -> None:
        def cut() -> None:
            with journal._fenced() as connection:
                connection.execute(insert(SLOT).values(NEW_SLOT))
                cluster.cut_connections()

        told: list[bool] = []
        watched = Answering(SimpleNamespace(cut=cut, view=journal.view), told.append)
        with pytest.raises(Unreachable):
            watched.cut()
        assert watched.view(T0).open_nonces == ()
        assert told == [False, True]

    def test_a_filled_journal_of_the_first_schema_is_moved_with_every_row(
        self, bare: PostgresPlace, cluster: engines.Postgresql, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = self.release_one(bare)
        (tmp_path / "dump").write_bytes(b"")
        with pytest.raises(SettingsMalformed, match="pg_dump"):
            migrate(bare, tmp_path / "dump", "a person", T0)
        (tmp_path / "dump").write_bytes(b"PGDMP")
        with pytest.raises(StoreBroken, match="`hybrid-relayer migrate`"):
            SqlJournalReader(bare, SCOPE)
        cluster.ask("UPDATE lease SET until = 9999999999", bare.name)
        with pytest.raises(NotYet, match="stop the relayer"):
            migrate(bare, tmp_path / "dump", "a person", T0)
        cluster.ask("UPDATE lease SET until = 0", bare.name)
        with monkeypatch.context() as patched:
            patched.setattr("relayers.sql_events.append", raising)
            with pytest.raises(Killed):
                migrate(bare, tmp_path / "dump", "a person", T0)
        assert schema_of(bare) == 1
        migrate(bare, tmp_path / "dump", "a person", T0)
        with closing(cluster.connect(bare.name)) as connection:
            for table, rows in before.items():
                cursor = connection.cursor()
                cursor.execute(f"SELECT {', '.join(rows[0])} FROM {table}")
                found = [dict(zip(rows[0], row, strict=True)) for row in cursor.fetchall()]
                assert sorted(found, key=repr) == sorted(rows, key=repr)
        with SqlJournal(bare, SCOPE, "host:3", T0) as journal:
            assert (journal.epoch, journal.dump().audit) == (3, ())
            journal.open_rotation(2, SCOPE.log_id, SCOPE.log_id, T0)

    def release_one(self, bare: PostgresPlace) -> dict[str, list[dict[str, Any]]]:
        """What the first release would have left, and its rows."""
        with closing(sqlite3.connect(":memory:")) as old:
            old.executescript(RELEASED)
            old.row_factory = sqlite3.Row
            names = (
                "chain lease control header checkpoint attestation intent slot attempt attempt_final send_log anchored"
            )
            rows = {name: [dict(row) for row in old.execute(f"SELECT * FROM {name}")] for name in names.split()}
        store = postgresql_store.PostgresStore(bare, is_new=True)
        with closing(store), store.write() as connection:
            upgrade(connection, 1)
            for name, some in rows.items():
                marks = ", ".join(f":{column}" for column in some[0])
                connection.execute(text(f"INSERT INTO {name} ({', '.join(some[0])}) VALUES ({marks})"), some)
            for name in ("intent", "send_log"):
                connection.execute(text(f"SELECT setval('{name}_id_seq', (SELECT max(id) FROM {name}))"))
            connection.execute(text("UPDATE lease SET until = 0"))
        rows["lease"][0]["until"] = 0
        return rows

    def test_a_database_without_a_journal_is_broken_and_none_is_made(self, bare: PostgresPlace) -> None:
        for opens in (lambda: SqlJournalReader(bare, SCOPE), lambda: SqlJournal(bare, SCOPE, "first", T0)):
            with pytest.raises(StoreBroken, match=r"a new operator runs `init`.*lost.*`recover --from-chain --plan`"):
                opens()
        assert schema_of(bare) == 0
        with pytest.raises(StoreBroken, match="a database that exists"):
            SqlJournalReader(replace(bare, name="no_such"), SCOPE)

    def test_a_journal_is_made_whole_or_not_at_all(self, bare: PostgresPlace, monkeypatch: pytest.MonkeyPatch) -> None:
        with monkeypatch.context() as patched:
            patched.setattr("relayers.sql_journal.chain_uid", raising)
            with pytest.raises(Killed):
                create_journal(bare, SCOPE, T0)
        assert schema_of(bare) == 0
        create_journal(bare, SCOPE, T0)
        assert schema_of(bare) == SCHEMA_VERSION

    def test_a_server_that_is_away_is_asked_later(self, bare: PostgresPlace) -> None:
        (port,) = free_ports(1)
        with pytest.raises(Unreachable):
            SqlJournalReader(replace(bare, port=port), SCOPE)

    def test_commands_work_on_it_and_tell_no_password(
        self, bare: PostgresPlace, cluster: engines.Postgresql, tmp_path: Path
    ) -> None:
        config = settings_for(bare, tmp_path)
        told = ""
        for arguments, code in (
            (("init",), 0),
            (("init",), 2),
            (("status", "--json"), 0),
            (("pause", "--soft", "--yes"), 0),
            (("audit", "verify"), 0),
            (("migrate",), 0),
            (("prune", "--before", "2020-01-01", "--yes"), 0),
            (("backup", str(tmp_path / "copy.db")), 2),
        ):
            result = CliRunner().invoke(main, [*arguments, "-c", str(config)], standalone_mode=False)
            error = result.exception
            assert (error.exit_code if isinstance(error, BridgeError) else result.return_value) == code, error
            told += result.output + f"{error!r}{error}"
        assert cluster.password not in told

    def test_run_stands_by_while_another_has_the_lease_and_ends_when_told_to(
        self, bare: PostgresPlace, cluster: engines.Postgresql, tmp_path: Path
    ) -> None:
        config = settings_for(bare, tmp_path)
        scope = wiring.scope_of(read_settings(config))
        create_journal(bare, scope, T0)
        command = [sys.executable, "-c", "from relayers.cli import run; run()", "run", "-c", str(config)]
        with SqlJournal(bare, scope, "leader", T0):
            cluster.ask("UPDATE lease SET until = 9999999999", bare.name)  # however long processes take to start
            assert subprocess.run(command, capture_output=True, check=False).returncode == 3
            process = subprocess.Popen([*command, "--standby"], stderr=subprocess.PIPE, text=True)
            assert process.stderr is not None
            with process.stderr:
                line = json.loads(process.stderr.readline())
                process.terminate()
                assert process.wait(60) == 0
        assert (line["event"], "leader" in line["reason"]) == ("standing_by", True)

    def test_the_service_can_do_its_work_with_what_the_guide_grants_and_not_prune(
        self, place: PostgresPlace, cluster: engines.Postgresql, tmp_path: Path
    ) -> None:
        grants = re.findall(r"^GRANT .*;$", GUIDE.read_text(), re.MULTILINE)
        assert len(grants) == 3
        role = f"DROP ROLE IF EXISTS relayer_service; CREATE ROLE relayer_service LOGIN PASSWORD '{cluster.password}'"
        cluster.ask("; ".join([role, "GRANT USAGE ON SCHEMA public TO relayer_service", *grants]), place.name)
        service = replace(place, user="relayer_service")
        fill(service)
        with Orders(service, SCOPE) as orders:
            orders.set_brake(Brake.SOFT, "a person", T0)
            assert orders.dump().audit == ()
            with pytest.raises(StoreBroken, match="permission denied"):
                orders.prune(T0 + 1, "a person", T0 + 1)

    def test_a_copy_is_made_by_its_own_program(self, place: PostgresPlace, tmp_path: Path) -> None:
        with Desk(place, SCOPE) as desk, pytest.raises(SettingsMalformed, match="pg_dump"):
            desk.backup(tmp_path / "copy.db")


def settings_for(place: PostgresPlace, folder: Path) -> Path:
    text = settings_text(write_consortium(folder), "http://127.0.0.1:1")
    url = f"postgresql://{place.user}@{place.host}:{place.port}/{place.name}?password=file:postgresql.password"
    (folder / "relayer.toml").write_text(text.replace("sqlite:///journal.db", url))
    return folder / "relayer.toml"


def raising(*_: object) -> str:
    raise Killed
