"""A journal in a file: what is refused before anything is believed. What it keeps: tests/behaviours."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.errors import SettingsMalformed, StoreBroken, StoreMissing
from hybrid_bridge.testing.crashing import Killed
from relayers.sql_journal import SqlJournal, SqlJournalReader, chain_uid, create_journal
from relayers.sqlite_store import PRAGMAS, engine_for
from tests.journals import SCOPE
from tests.unit.relayers.builders import LOG_ID, T0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    create_journal(tmp_path / "journal.db", SCOPE, T0)
    return tmp_path / "journal.db"


# ── opening ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_journal_is_never_made_in_passing(tmp_path: Path) -> None:
    with pytest.raises(StoreMissing) as caught:
        SqlJournal(tmp_path / "none.db", SCOPE, "test", T0)
    for way_out in ("a new operator runs `init`", "one whose disk was lost runs `recover --from-chain --plan`"):
        assert way_out in caught.value.rule
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
        patched.setattr("relayers.sqlite_store.upgrade", raising(Killed("init")))
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


def test_the_store_is_set_up_to_keep_what_it_confirmed(path: Path) -> None:
    engine = engine_for(path)
    with engine.begin() as connection:
        for name, value in PRAGMAS.items():
            assert connection.exec_driver_sql(f"PRAGMA {name}").scalar() == value
    engine.dispose()


def test_names_of_chain_and_contract_are_one_text() -> None:
    assert chain_uid(SCOPE) == "1337:0x" + "11" * 20
    assert sha256(b"") != LOG_ID
