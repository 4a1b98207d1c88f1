"""Where a journal is: strictly read, and never with a secret in it."""

from dataclasses import replace
from pathlib import Path

import pytest

from hybrid_bridge.custody.passphrases import FromFile
from hybrid_bridge.errors import SettingsMalformed
from relayers.journal_place import PostgresPlace, beside, dump_command, parse_journal

FOLDER = Path("/etc/hybrid-relayer")
PLACE = PostgresPlace(
    host="db.example",
    port=5433,
    user="relayer",
    name="journal",
    password=FromFile(FOLDER / "pw"),
    ca=FOLDER / "ca.pem",
    folder=FOLDER,
)
TEXT = "postgresql://relayer@db.example:5433/journal?password=file:pw&ca=ca.pem"


def test_a_file_and_a_database() -> None:
    assert parse_journal("sqlite:///journal.db", FOLDER) == FOLDER / "journal.db"
    assert parse_journal("sqlite:////var/j.db", FOLDER) == Path("/var/j.db")
    assert parse_journal(TEXT, FOLDER) == PLACE
    plain = parse_journal("postgresql://relayer@db.example/journal?password=file:pw", FOLDER)
    assert plain == replace(PLACE, port=5432, ca=None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sqlite:///",
        "journal.db",
        "mysql://relayer@db/journal",
        "postgresql+psycopg://relayer@db/journal?password=file:pw",
        "postgresql://db.example/journal?password=file:pw",
        "postgresql://relayer@/journal?password=file:pw",
        "postgresql://relayer@db.example/?password=file:pw",
        "postgresql://relayer@db.example/a/b?password=file:pw",
        "postgresql://relayer@db.example:port/journal?password=file:pw",
        "postgresql://relayer@db.example:99999/journal?password=file:pw",
        "postgresql://relayer@db.example/journal",
        "postgresql://relayer@db.example/journal?ca=ca.pem",
        "postgresql://relayer@db.example/journal?password=file:pw&password=file:pw",
        "postgresql://relayer@db.example/journal?password=file:pw&sslmode=disable",
        "postgresql://relayer@db.example/journal?password=file:pw&ca=",
        "postgresql://relayer@db.example/journal?password=file:pw#x",
        "postgresql://relayer@db.example/journal?password=hunter2",
        f"{TEXT}{'x' * 2048}",
    ],
)
def test_anything_else_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(SettingsMalformed) as caught:
        parse_journal(text, FOLDER)
    assert caught.value.key == "journal"
    assert "hunter2" not in str(caught.value)


def test_a_password_in_the_settings_is_refused_and_not_repeated() -> None:
    with pytest.raises(SettingsMalformed, match="no password in the settings") as caught:
        parse_journal("postgresql://relayer:hunter2@db.example/journal?password=file:pw", FOLDER)
    assert "hunter2" not in f"{caught.value!r}{caught.value}"


@pytest.mark.parametrize(
    ("host", "is_here"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("db", False), ("10.0.0.1", False)]
)
def test_only_this_machines_own_server_is_asked_without_tls(host: str, is_here: bool) -> None:
    assert replace(PLACE, host=host).is_here is is_here


def test_what_is_shown_of_a_place_holds_no_secret() -> None:
    assert str(PLACE) == "postgresql database journal at db.example:5433"
    assert "pg_dump" in dump_command(PLACE)
    assert beside(PLACE, ".evidence.json") == FOLDER / "journal.evidence.json"
    assert beside(Path("/var/j.db"), ".evidence.json") == Path("/var/j.db.evidence.json")
