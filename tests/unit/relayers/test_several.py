"""Several chains in one file: what is wrong with one of them is its own, also at a start and in a single tick."""

import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hybrid_bridge.adapters.evm.keystore import create_keystore
from hybrid_bridge.errors import SettingsMalformed, StoreBroken, Unreachable
from hybrid_bridge.units import Nonce
from relayers import wiring
from relayers.cli import main
from relayers.journal import Brake
from relayers.service import _start, opened
from relayers.settings import Settings, read_settings, read_settings_file
from relayers.sql_journal import SqlJournal, create_journal
from tests.unit.relayers.test_wiring import BORN, GAS_KEY, PASSWORD, settings_text, write_consortium

SILENT = "http://127.0.0.1:1"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Two chains whose endpoints are silent."""
    text = settings_text(write_consortium(tmp_path), SILENT).replace("journal.db", "{chain}.db")
    first = text[text.index("[[chain]]") :]
    create_keystore(tmp_path / "gas.json", PASSWORD, lambda _: GAS_KEY)
    path = tmp_path / "relayer.toml"
    path.write_text(text + first.replace('"devnet"', '"side"').replace("31337", "31338"))
    for settings in read_settings_file(path).relayers:
        create_journal(settings.journal, wiring.scope_of(settings), BORN)
    return path


def call(*arguments: str) -> Any:
    return CliRunner().invoke(main, arguments, standalone_mode=False)


def test_one_tick_of_each_chain_goes_on_after_a_journal_that_is_torn(config: Path) -> None:
    config.with_name("devnet.db").write_bytes(b"torn")
    done = call("run", "--once", "-c", str(config), "--json")
    shown = json.loads(done.stdout)["chains"]
    assert done.return_value == 4
    assert shown["devnet"]["reason"].startswith("StoreBroken")
    assert shown["side"]["reason"].startswith("Unreachable")


def retiring(config: Path) -> Settings:
    text = config.read_text()
    config.write_text(text + "retiring = true\n")
    return read_settings(config, "side")


def brake_of(settings: Settings) -> Brake:
    with SqlJournal(settings.journal, wiring.scope_of(settings), "test", BORN) as journal:
        return journal.view(BORN).brake


def test_a_single_tick_of_a_key_that_retires_begins_nothing_either(config: Path) -> None:
    settings = retiring(config)
    assert brake_of(settings) is Brake.RUN
    call("run", "--once", "-c", str(config))
    assert brake_of(settings) is Brake.DRAIN
    assert call("audit", "verify", "-c", str(config), "--chain", "side").return_value == 0


def test_the_drain_of_a_key_that_retires_costs_the_process_no_lock_on_its_journal(config: Path) -> None:
    """A file that is closed takes the process's locks along; then others empty the log beneath the writer."""
    settings = retiring(config)
    with opened(settings) as journal:
        other = [sys.executable, "-m", "relayers"]
        named = ["-c", str(config), "--chain", "side"]
        subprocess.run([*other, "pause", "--hard", "--yes", *named], check=True)
        journal.retire("again", BORN)
        assert journal.view(BORN).brake is Brake.HARD
        journal.open_slot(Nonce(7))
        seen = subprocess.run([*other, "slots", "--json", *named], check=True, capture_output=True)
        assert [row["nonce"] for row in json.loads(seen.stdout)["slots"]] == [7]


def test_a_database_whose_authorities_cannot_be_read_leaves_out_its_own_chain_only(config: Path) -> None:
    def opening(settings: Settings) -> SqlJournal:
        if settings.chain.name == "devnet":
            raise SettingsMalformed(key="journal", rule="ca=PATH of a readable PEM file")
        return opened(settings)

    with ExitStack() as stack:
        served, refused = _start(read_settings_file(config).relayers, stack, opening)
        assert [(one.chain.name, one.is_seeing) for one in served] == [("side", False)]
        assert {name: type(error) for name, error in refused.items()} == {
            "devnet": SettingsMalformed,
            "side": Unreachable,
        }
        assert served[0].chain.unasked is not None
        with pytest.raises(Unreachable):  # asked again, until somebody answers
            served[0].chain.unasked()


def test_check_names_every_chain_whatever_one_of_them_lacks(config: Path) -> None:
    text = config.read_text().replace(f'"{SILENT}"', '"file:lost.url"', 1)
    config.write_text(text)
    config.with_name("ca.pem").unlink()
    found = call("check", "-c", str(config), "--json")
    shown = {row["name"]: row["verdict"] for row in json.loads(found.stdout)["checks"]}
    wanted = ("devnet: members", "devnet: endpoints", "devnet: observation", "side: endpoint only", "side: observation")
    assert {name: shown.get(name) for name in wanted} == dict.fromkeys(wanted, "bad")
    assert found.return_value == 4


@pytest.mark.parametrize(("command", "code"), [(("status",), 4), (("fees",), 4), (("run", "--dry-run"), 4)])
def test_what_is_asked_of_all_is_answered_for_those_that_can(config: Path, command: tuple[str, ...], code: int) -> None:
    config.with_name("devnet.db").write_bytes(b"torn")
    asked = call(*command, "-c", str(config), "--json")
    shown = json.loads(asked.stdout)["chains"]
    assert (asked.return_value, list(shown)) == (code, ["devnet", "side"])
    assert shown["devnet"]["error"].startswith("StoreBroken")
    assert ("error" in shown["side"]) is (command == ("fees",))  # its endpoints are silent
    assert "devnet" in call(*command, "-c", str(config)).stdout
    assert isinstance(call(*command, "-c", str(config), "--chain", "devnet").exception, StoreBroken)


@pytest.mark.parametrize(("arguments", "sides"), [(("--offline",), []), ((), ["unjudged"])])
def test_a_journal_that_cannot_be_judged_is_a_finding_beside_the_others(
    config: Path, arguments: tuple[str, ...], sides: list[str]
) -> None:
    config.with_name("devnet.db").write_bytes(b"torn")
    judged = call("fsck", *arguments, "-c", str(config), "--json")
    shown = json.loads(judged.stdout)
    rows = [(row["chain"], row["promise"]) for row in shown["findings"]]
    assert rows == [("devnet", "unjudged"), *(("side", promise) for promise in sides)]
    assert (judged.return_value, shown["anchored"]["of"]) == (4, 2)
    assert isinstance(call("fsck", "--offline", "-c", str(config), "--chain", "devnet").exception, StoreBroken)
