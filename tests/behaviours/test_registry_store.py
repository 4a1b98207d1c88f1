"""One suite of the registry's store: the fake in memory, SQLite, PostgreSQL; and what only databases can do wrong."""

import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from hybrid_bridge.adapters.postgresql.database import PostgresDatabase
from hybrid_bridge.adapters.sql_registry import TABLES, Database, SqlRegistry
from hybrid_bridge.adapters.sqlite.file import SqliteFile
from hybrid_bridge.cli.demo.stage import free_ports
from hybrid_bridge.core.prefix_tree import PrefixTree
from hybrid_bridge.core.registry import tree_root
from hybrid_bridge.errors import KeyUnusable, SettingsMalformed, StoreBroken, Unreachable
from hybrid_bridge.testing.memory_registry import MemoryRegistry
from hybrid_bridge.testing.registry_store_behaviour import RegistryStoreBehaviour, grow, pair
from hybrid_bridge.units import EpochNumber
from tests import engines
from tests.statements import heard, killed_at

FACTS = {"kind": "registry", "log_id": "00"}
Opening = Callable[[], Database]


class TestMemory(RegistryStoreBehaviour):
    @pytest.fixture
    def store(self) -> MemoryRegistry:
        return MemoryRegistry()


class DatabaseBehaviour(RegistryStoreBehaviour):
    """What survives an end, foreseen or not. `opening` opens the database once more, as a new process would."""

    @pytest.fixture
    def opened(self, opening: Opening) -> Iterator[Opening]:
        """Opens again and again, closing what was open before."""
        held: list[Database] = []

        def again() -> Database:
            while held:
                held.pop().close()
            held.append(opening())
            return held[0]

        yield again
        while held:
            held.pop().close()

    @pytest.fixture
    def store(self, opened: Opening) -> SqlRegistry:
        return SqlRegistry(opened())

    def test_another_process_finds_every_epoch(self, opened: Opening) -> None:
        history = grow(SqlRegistry(opened()), 6)
        store = SqlRegistry(opened())
        assert store.newest() == 5
        for number, held in enumerate(history):
            assert dict(store.at(EpochNumber(number)).pairs()) == held

    def test_a_kill_between_any_two_statements_leaves_the_epochs_before(self, opened: Opening) -> None:
        history, statement = grow(SqlRegistry(opened()), 3), 0
        while True:
            database = opened()
            store = SqlRegistry(database)
            tree = store.at(EpochNumber(2)).insert([pair(50_000), pair(50_001)])
            keep = partial(store.keep, EpochNumber(3), tree)
            if not killed_at(statement, keep, *engines_of(database)):
                break
            store = SqlRegistry(opened())
            assert (store.newest(), store.at(EpochNumber(2)).root) == (2, tree_root(history[2]))
            statement += 1
        assert statement > 3
        assert SqlRegistry(opened()).at(EpochNumber(3)).get(pair(50_001)[0]) == pair(50_001)[1]

    def test_opening_and_proving_read_what_they_need_and_no_more(self, opened: Opening) -> None:
        grow(SqlRegistry(opened()), 3)
        store = SqlRegistry(opened())
        tree = store.at(EpochNumber(2)).insert(pair(60_000 + i) for i in range(500))
        store.keep(EpochNumber(3), tree)
        database = opened()
        with heard("SELECT", *engines_of(database)) as statements:
            tree = SqlRegistry(database).at(EpochNumber(3))
        assert len(statements) == 1
        with heard("SELECT", *engines_of(database)) as statements:
            proof = tree.prove(pair(60_007)[0])
        assert len(statements) == len(proof.path) + 1
        with heard("SELECT", *engines_of(database)) as statements:
            tree.prove(pair(60_007)[0])
        assert statements == []

    def test_an_insertion_writes_one_path_in_three_statements(self, opened: Opening) -> None:
        database = opened()
        store = SqlRegistry(database)
        store.keep(EpochNumber(0), PrefixTree().insert(pair(i) for i in range(2000)))
        before = nodes(database)
        tree = store.at(EpochNumber(0)).insert([pair(3000)])
        with heard("INSERT", *engines_of(database)) as statements:
            store.keep(EpochNumber(1), tree)
        assert len(statements) == 2
        assert nodes(database) - before <= len(tree.prove(pair(3000)[0]).path) + 2

    def test_a_row_that_was_changed_is_found_out(self, opened: Opening) -> None:
        database = opened()
        SqlRegistry(database).keep(EpochNumber(0), PrefixTree().insert(pair(i) for i in range(8)))
        with database.write() as connection:
            connection.execute(text("UPDATE registrynode SET second = first WHERE number = 1"))
        with pytest.raises(StoreBroken):
            list(SqlRegistry(database).at(EpochNumber(0)).pairs())

    def test_a_row_that_is_gone_is_found_out(self, opened: Opening) -> None:
        database = opened()
        SqlRegistry(database).keep(EpochNumber(0), PrefixTree().insert(pair(i) for i in range(8)))
        with database.write() as connection:
            connection.execute(text("DELETE FROM registrynode WHERE number = 2"))
        with pytest.raises(StoreBroken):
            list(SqlRegistry(database).at(EpochNumber(0)).pairs())

    def test_a_statement_that_does_not_fit_is_our_error(self, opened: Opening) -> None:
        database = opened()
        with pytest.raises(StoreBroken), database.read() as connection:
            connection.execute(text("SELECT nothing FROM nowhere"))


class TestSqlite(DatabaseBehaviour):
    @pytest.fixture
    def opening(self, tmp_path: Path) -> Opening:
        path = tmp_path / "registry.db"
        made = SqliteFile(path, "registry")
        made.create(TABLES, (), FACTS)
        made.close()

        def again() -> Database:
            file = SqliteFile(path, "registry")
            file.open(FACTS, is_read_whole=False)
            return file

        return again

    def test_a_start_reads_no_page_that_nobody_asked_for_and_damage_is_found_where_it_is_read(
        self, opened: Opening, tmp_path: Path
    ) -> None:
        SqlRegistry(opened()).keep(EpochNumber(0), PrefixTree().insert(pair(i) for i in range(500)))
        opened().close()
        file = tmp_path / "registry.db"
        data = bytearray(file.read_bytes())
        for at in range(data.index(pair(7)[0]) - 200, data.index(pair(7)[0]) + 200):
            data[at] ^= 0xFF
        file.write_bytes(data)
        tree = SqlRegistry(opened()).at(EpochNumber(0))
        with pytest.raises(StoreBroken):
            tree.get(pair(7)[0])

    def test_a_process_killed_while_it_keeps_leaves_whole_epochs(self, opening: Opening, tmp_path: Path) -> None:
        """A real process, a real SIGKILL, at whatever moment it comes."""
        code = f"""
            from pathlib import Path
            from hybrid_bridge.adapters.sql_registry import SqlRegistry
            from hybrid_bridge.adapters.sqlite.file import SqliteFile
            from hybrid_bridge.testing.registry_store_behaviour import grow
            file = SqliteFile(Path({str(tmp_path / "registry.db")!r}), "registry")
            file.open({FACTS!r})
            print("open", flush=True)
            grow(SqlRegistry(file), 100_000)
        """
        child = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(1.5)
        child.kill()
        child.wait()
        child.stdout.close()
        store = SqlRegistry(opening())
        newest = store.newest()
        history = grow(MemoryRegistry(), 0 if newest is None else newest + 1)
        for number, held in enumerate(history):
            assert store.at(EpochNumber(number)).root == tree_root(held)
        store.close()


@pytest.fixture(scope="module")
def cluster() -> Iterator[engines.Postgresql]:
    with engines.postgresql() as server:
        yield server


class TestPostgresql(DatabaseBehaviour):
    @pytest.fixture
    def opening(self, cluster: engines.Postgresql) -> Opening:
        url = cluster.database()

        def again() -> Database:
            database = PostgresDatabase(url, "registry")
            database.open(TABLES, FACTS)
            return database

        return again

    def test_a_database_made_for_something_else_is_refused(self, opening: Opening, cluster: engines.Postgresql) -> None:
        opening().close()
        database = PostgresDatabase(cluster.newest, "registry")
        with pytest.raises(StoreBroken) as caught:
            database.open(TABLES, FACTS | {"log_id": "11"})
        assert caught.value.rule == "log_id 11"
        database.close()

    def test_a_server_that_cut_the_connection_is_asked_again(
        self, opened: Opening, cluster: engines.Postgresql
    ) -> None:
        store = SqlRegistry(opened())
        grow(store, 2)
        cluster.cut_connections()
        assert store.newest() == 1
        store.keep(EpochNumber(2), store.at(EpochNumber(1)).insert([pair(70_000)]))

    def test_a_connection_cut_in_a_transaction_keeps_nothing(
        self, opened: Opening, cluster: engines.Postgresql
    ) -> None:
        database = opened()
        store = SqlRegistry(database)
        grow(store, 2)

        def delete() -> None:
            with database.write() as connection:
                connection.execute(text("DELETE FROM registrytop"))
                cluster.cut_connections()
                connection.execute(text("DELETE FROM registrynode"))

        with pytest.raises(Unreachable):
            delete()
        assert store.newest() == 1

    def test_no_password_is_told(self, cluster: engines.Postgresql) -> None:
        database = PostgresDatabase(cluster.database().replace(cluster.password, "not-the-password"), "registry")
        with pytest.raises(KeyUnusable) as caught:
            database.open(TABLES, FACTS)
        assert "not-the-password" not in f"{caught.value!r}{caught.value}{caught.value.__cause__!r}"


def test_a_server_that_is_away_is_asked_later() -> None:
    (port,) = free_ports(1)
    database = PostgresDatabase(f"postgresql://bridge:secret@127.0.0.1:{port}/registry", "registry")
    with pytest.raises(Unreachable), database.read():
        pass


@pytest.mark.parametrize(
    "url",
    [
        "",
        "sqlite:///registry.db",
        "postgresql://",
        "postgresql://host",
        "postgresql://host:port/db",
        "postgresql:///db",
    ],
)
def test_only_a_url_of_postgresql_is_taken(url: str) -> None:
    with pytest.raises(SettingsMalformed) as caught:
        PostgresDatabase(url, "registry")
    assert caught.value.key == "secrets.registry"


# ── what the tests do ────────────────────────────────────────────────────────────────────────────────────────────────


def nodes(database: Database) -> int:
    with database.read() as connection:
        return int(connection.execute(text("SELECT count(*) FROM registrynode")).scalar_one())


def engines_of(database: Database) -> set[Engine]:
    return {getattr(database, name) for name in ("_engine", "_writer", "_readers") if hasattr(database, name)}
