"""From each released schema to this program's, with rows in it: all of them arrive, or nothing has happened."""

import json
import re
import signal
import sqlite3
import subprocess
import sys
import textwrap
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine

from hybrid_bridge.errors import NotYet, SettingsMalformed, StoreBroken
from relayers import revisions
from relayers.cli import main
from relayers.desk import migrate as move
from relayers.journal import Brake, IntentKind, Outcome
from relayers.revisions import SCHEMA_VERSION
from relayers.sql_journal import SqlJournal, SqlJournalReader, create_journal
from relayers.sql_tables import Stored
from relayers.sqlite_store import engine_for, schema_of
from tests.journals import SCOPE
from tests.statements import heard, killed_at
from tests.unit.relayers.builders import T0
from tests.unit.relayers.test_wiring import settings_text, write_consortium

RELEASED = Path(__file__).with_name("journal_revision_1.sql").read_text()


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A journal as the first release left it."""
    path = tmp_path / "journal.db"
    with closing(sqlite3.connect(path)) as raw:
        raw.executescript(RELEASED)
        raw.execute("PRAGMA journal_mode = wal")
    return path


def migrate(path: Path, backup: Path) -> None:
    move(path, backup, "a person", T0)


def rows(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Everything in it but what migrations write."""
    with closing(sqlite3.connect(path)) as raw:
        raw.row_factory = sqlite3.Row
        names = [row[0] for row in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        return {
            name: sorted((dict(row) for row in raw.execute(f"SELECT * FROM {name}")), key=repr)
            for name in names
            if name not in {"alembic_version", "event_log"}
        }


def schema(path: Path, kinds: tuple[str, ...] = ("table", "trigger", "index")) -> dict[str, str]:
    """The text of each part, in one manner of writing."""
    with closing(sqlite3.connect(path)) as raw:
        parts = raw.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return {
        name: re.sub(r"\s*([(),])\s*", r"\1", re.sub(r"\s+", " ", text.replace('"', ""))).strip()
        for kind, name, text in parts
        if kind in kinds and name != "alembic_version"
    }


def made(path: Path, version: int) -> Path:
    engine = engine_for(path)
    with engine.begin() as connection:
        revisions.upgrade(connection, version)
    engine.dispose()
    return path


def test_the_first_revision_is_what_was_released(old: Path, tmp_path: Path) -> None:
    assert schema(made(tmp_path / "new.db", 1)) == schema(old)


def test_a_migrated_journal_has_the_schema_of_a_new_one(old: Path, tmp_path: Path) -> None:
    migrate(old, tmp_path / "copy.db")
    create_journal(tmp_path / "new.db", SCOPE, T0)
    assert schema(old) == schema(tmp_path / "new.db")
    assert all(text.endswith("STRICT") for text in schema(old, ("table",)).values())


def test_the_tables_of_the_program_are_those_that_the_migrations_make(tmp_path: Path) -> None:
    create_journal(tmp_path / "new.db", SCOPE, T0)
    engine = create_engine(f"sqlite:///{tmp_path / 'models.db'}")
    Stored.metadata.create_all(engine)
    engine.dispose()
    assert schema(tmp_path / "models.db") == schema(tmp_path / "new.db", ("table",))


def test_every_row_arrives_and_the_copy_is_as_it_was(old: Path, tmp_path: Path) -> None:
    before = rows(old)
    assert all(before.values()), "a table without rows proves nothing"
    migrate(old, tmp_path / "copy.db")
    assert rows(tmp_path / "copy.db") == before
    assert schema_of(tmp_path / "copy.db") == 1
    after = rows(old)
    for table, had in before.items():
        assert [{name: row[name] for name in had[0]} for row in after[table]] == had


def test_a_migrated_journal_is_read_and_written(old: Path, tmp_path: Path) -> None:
    migrate(old, tmp_path / "copy.db")
    with SqlJournal(old, SCOPE, "host:3", T0 + 400) as journal:
        view, dump = journal.view(T0), journal.dump()
        assert (view.halted, view.brake, view.open_nonces, journal.epoch) == ("conflict", Brake.SOFT, (7,), 3)
        assert [(i.size, i.kind, i.set_id) for i in dump.intents] == [
            (size, IntentKind.ANCHOR, None) for size in (2, 4, 8)
        ]
        assert {(f.outcome, f.gas_used, f.price) for f in dump.finals} == {
            (outcome, None, None) for outcome in (Outcome.OK, Outcome.LOST)
        }
        assert dump.audit == ()  # the chain begins with what was before it
        journal.open_slot(8)


def test_a_migration_that_ends_anywhere_has_not_happened(old: Path, tmp_path: Path) -> None:
    before, form, pristine = rows(old), schema(old), old.read_bytes()
    with heard() as statements:
        migrate(old, tmp_path / "copy.db")
    number = len(statements)
    assert number > 50
    old.write_bytes(pristine)
    for last in range(0, number - 8, 5):  # the last ones look at what is committed
        assert killed_at(last, partial(migrate, old, tmp_path / f"copy-{last}.db"))
        assert (rows(old), schema(old), schema_of(old)) == (before, form, 1)
    migrate(old, tmp_path / "last.db")
    assert schema_of(old) == SCHEMA_VERSION


def test_a_migration_that_is_killed_has_not_happened_and_is_done_again(old: Path, tmp_path: Path) -> None:
    """A real process, a real SIGKILL, when half of the tables are made anew."""
    before = rows(old)
    code = f"""
        import os, signal
        from pathlib import Path
        from sqlalchemy import event
        from sqlalchemy.engine import Engine
        from relayers.desk import migrate
        @event.listens_for(Engine, "after_cursor_execute")
        def watch(connection, cursor, statement, *rest):
            if statement.startswith("ALTER TABLE attempt_final_new"):
                os.kill(os.getpid(), signal.SIGKILL)
        migrate(Path({str(old)!r}), Path({str(tmp_path / "copy.db")!r}), "a person", 0)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert (rows(old), schema_of(old)) == (before, 1)
    migrate(old, tmp_path / "again.db")
    assert schema_of(old) == SCHEMA_VERSION


def test_rows_that_refer_to_nothing_are_not_moved(old: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(old)) as raw:
        raw.execute("INSERT INTO send_log (hash, endpoint, message, sent_at) VALUES (zeroblob(32), 'own', '', 1)")
        raw.commit()
    with pytest.raises(StoreBroken, match="rows that refer"):
        migrate(old, tmp_path / "copy.db")
    assert schema_of(old) == 1


def test_without_a_copy_nothing_is_moved(old: Path, tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_text("somebody's")
    with pytest.raises(SettingsMalformed):
        migrate(old, tmp_path / "copy.db")
    assert ((tmp_path / "copy.db").read_text(), schema_of(old)) == ("somebody's", 1)


def test_a_journal_that_a_relayer_holds_is_not_moved(tmp_path: Path) -> None:
    create_journal(tmp_path / "journal.db", SCOPE, T0)
    with SqlJournal(tmp_path / "journal.db", SCOPE, "host:1", T0), pytest.raises(NotYet):
        migrate(tmp_path / "journal.db", tmp_path / "copy.db")


@pytest.mark.parametrize(
    ("version", "cure"), [(1, "`hybrid-relayer migrate`"), (SCHEMA_VERSION + 1, "a newer one"), (0, "made it")]
)
def test_another_schema_is_refused_with_its_cure(old: Path, tmp_path: Path, version: int, cure: str) -> None:
    with closing(sqlite3.connect(old)) as raw:
        raw.execute(f"PRAGMA user_version = {version}")
    before = rows(old)
    for opens in (SqlJournalReader, lambda path, scope: SqlJournal(path, scope, "host:1", T0)):
        with pytest.raises(StoreBroken, match=f"schema version {SCHEMA_VERSION}, not {version}.*{cure}"):
            opens(old, SCOPE)
    if version != 1:
        with pytest.raises(StoreBroken):
            migrate(old, tmp_path / "copy.db")
    assert rows(old) == before


# ── the command ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def config(old: Path, tmp_path: Path) -> Path:
    (tmp_path / "relayer.toml").write_text(settings_text(write_consortium(tmp_path), "http://127.0.0.1:1"))
    return tmp_path / "relayer.toml"


def call(config: Path, *arguments: str, words: str = "") -> Any:
    return CliRunner().invoke(main, [*arguments, "-c", str(config)], input=words, standalone_mode=False)


def test_the_command_says_what_it_will_do_and_asks(config: Path, old: Path) -> None:
    refused = call(config, "migrate", words="n\n")
    assert refused.exception is not None
    assert "schema: 1 → 2" in refused.output
    assert schema_of(old) == 1
    asked = call(config, "migrate", "--json")
    assert isinstance(asked.exception, SettingsMalformed)
    answer = json.loads(call(config, "migrate", "--yes", "--json").stdout)
    assert (answer["was"], answer["schema"], schema_of(Path(answer["backup"]))) == (1, 2, 1)
    assert schema_of(old) == 2
    assert json.loads(call(config, "migrate", "--json").stdout) == {"schema": 2, "was": 2, "backup": None}


@pytest.mark.parametrize("arguments", [("once",), ("run",), ("status",), ("fsck", "--offline"), ("pause", "--soft")])
def test_no_command_moves_a_schema_in_passing(config: Path, old: Path, arguments: tuple[str, ...]) -> None:
    refused = call(config, *arguments)
    assert isinstance(refused.exception, StoreBroken)
    assert schema_of(old) == 1
