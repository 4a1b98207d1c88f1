"""Journals in files and in PostgreSQL, by one suite."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pg8000.dbapi
import pytest

from hybrid_bridge.custody.passphrases import FromFile
from relayers.journal_place import PostgresPlace
from relayers.sql_journal import create_journal
from relayers.sql_tables import INSERT_ONLY, NEVER_DELETED
from tests import engines
from tests.behaviours.journal_behaviour import AN_EVENT, JournalBehaviour, Raw, RawError
from tests.journals import SCOPE, fill
from tests.unit.relayers.builders import T0


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
        raw(AN_EVENT)
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
        (tmp_path / "password").write_text(cluster.password + "\n")
        (tmp_path / "password").chmod(0o600)
        name = cluster.newest.rpartition("/")[2]
        cluster.ask("DROP SCHEMA public CASCADE; CREATE SCHEMA public", name)
        return PostgresPlace(
            host="127.0.0.1",
            port=cluster.port,
            user="bridge",
            name=name,
            password=FromFile(tmp_path / "password"),
            ca=None,
            folder=tmp_path,
        )

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

    def test_evidence_cannot_be_emptied(self, raw: Raw) -> None:
        for table in (*INSERT_ONLY, *NEVER_DELETED):
            with pytest.raises(RawError, match="no TRUNCATE"):
                raw(f"TRUNCATE {table} CASCADE")
