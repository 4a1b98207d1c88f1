"""`audit verify` and `prune`: what they show, what they refuse."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hybrid_bridge.errors import SettingsMalformed, StoreBroken
from relayers import wiring
from relayers.cli import main
from relayers.settings import read_settings
from relayers.sql_journal import SqlJournal, create_journal
from tests.unit.relayers.builders import T0
from tests.unit.relayers.test_wiring import settings_text, write_consortium


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "relayer.toml"
    path.write_text(settings_text(write_consortium(tmp_path), "http://127.0.0.1:1"))
    settings = read_settings(path)
    create_journal(settings.journal, wiring.scope_of(settings), T0)
    with SqlJournal(settings.journal, wiring.scope_of(settings), "host:1", T0 + 5):
        pass
    return path


def call(config: Path, *arguments: str, words: str = "") -> Any:
    return CliRunner().invoke(main, [*arguments, "-c", str(config)], input=words, standalone_mode=False)


def change(config: Path, *statements: str) -> None:
    with closing(sqlite3.connect(config.with_name("journal.db"))) as raw:
        for statement in statements:
            raw.execute(statement)
        raw.commit()


def test_a_whole_chain_is_good_and_shows_its_head(config: Path) -> None:
    result = call(config, "audit", "verify", "--json")
    shown = json.loads(result.stdout)
    assert (result.return_value, shown["events"], shown["newest"], shown["wrong"]) == (0, 2, T0 + 5, [])
    assert call(config, "audit", "verify", "--head", shown["head"]).return_value == 0
    change(config, "UPDATE control SET brake = 'hard'")
    differing = call(config, "audit", "verify", "--json")
    assert differing.return_value == 1
    assert json.loads(differing.stdout)["wrong"] == ["brake: hard in its row, run by the events"]


def test_a_head_that_is_not_in_the_chain_is_refuted(config: Path) -> None:
    for head in (f"2:{'00' * 32}", f"3:{'11' * 32}"):
        result = call(config, "audit", "verify", "--json", "--head", head)
        assert (result.return_value, json.loads(result.stdout)["wrong"]) == (1, [f"head {head}: not in this chain"])
    for head in ("", "2", "2:xyz", f"0:{'00' * 32}", f"02:{'00' * 32}"):
        assert isinstance(call(config, "audit", "verify", "--head", head).exception, SettingsMalformed)


def test_the_first_wrong_event_is_named_and_run_does_not_start(config: Path) -> None:
    change(config, "DROP TRIGGER event_log_no_update", "UPDATE event_log SET at = at + 1 WHERE seq = 2")
    result = call(config, "audit", "verify", "--json")
    shown = json.loads(result.stdout)
    assert (result.return_value, shown["head"]) == (1, None)
    assert shown["wrong"][0].startswith("event 2 kind or at")
    assert "event 2" in call(config, "fsck", "--offline").stdout
    for command in ("once", "run"):
        refused = call(config, command)
        assert isinstance(refused.exception, StoreBroken)
        assert "audit verify" in refused.exception.rule


def test_pruning_says_what_goes_and_asks(config: Path) -> None:
    refused = call(config, "prune", "--before", "2020-01-01", words="n\n")
    assert refused.exception is not None
    assert "before 2020-01-01" in refused.output
    done = call(config, "prune", "--before", "2020-01-01", "--yes", "--json")
    assert json.loads(done.stdout) == {"before": "2020-01-01", "rows": 0}
    assert call(config, "audit", "verify").return_value == 0
    assert isinstance(call(config, "prune", "--before", "2999-01-01", "--yes").exception, SettingsMalformed)
