"""What an operator asks and orders beside a relayer: looks that change nothing, wishes, a rebuild; exit codes by meaning."""

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from hybrid_bridge.adapters.evm.devnet import Devnet
from relayers import wiring
from relayers.cli import main
from relayers.journal import Brake, SightingRow
from relayers.sample import SAMPLE
from relayers.service import started
from relayers.settings import read_settings
from relayers.sql_journal import SqlJournal
from tests.crash.test_relayer_program import call, code_of, config, copy, devnet, ready
from tests.journals import PLENTY
from tests.unit.relayers.builders import attempt
from tests.unit.relayers.test_wiring import BORN, PASSWORD

pytestmark = pytest.mark.evm
__all__ = ["config", "devnet", "ready"]  # fixtures


def test_settings_to_begin_with_are_written_once_and_into_a_new_folder(tmp_path: Path) -> None:
    place = tmp_path / "new" / "relayer.toml"
    assert code_of(call("init", "-c", str(place), "--json")) == 2  # machines are not asked
    assert not place.parent.exists()
    assert code_of(call("init", "-c", str(place), "--yes")) == 0
    assert place.read_text() == SAMPLE
    assert list(place.parent.iterdir()) == [place]
    assert code_of(call("init", "-c", str(place), "--yes")) == 2  # its files are missing; nothing is overwritten
    assert place.read_text() == SAMPLE
    (tmp_path / "file").write_text("precious")
    assert code_of(call("init", "-c", str(tmp_path / "file" / "relayer.toml"), "--yes")) == 2


def test_settings_are_shown_as_they_hold_without_what_may_be_secret(ready: Path, tmp_path: Path) -> None:
    config = copy(ready, tmp_path, **{'"http://127.0.0.1': '"http://user:hunter2@127.0.0.1'})
    text = call("config", "show", "-c", str(config)).stdout
    shown = json.loads(call("config", "show", "-c", str(config), "--json").stdout)
    assert "chain.fees.bump_blocks = 10\n" in text
    assert shown["chain"]["turns.grace_blocks"] == 2
    assert not [secret for secret in ("hunter2", PASSWORD) if secret in text + str(shown)]


def test_a_rehearsal_opens_no_key_takes_no_lease_and_writes_nothing(ready: Path, tmp_path: Path) -> None:
    config = copy(ready, tmp_path)
    (tmp_path / "gas.password").unlink()
    settings = read_settings(config)
    with SqlJournal(settings.journal, wiring.scope_of(settings), "a relayer that runs", BORN):
        before = settings.journal.read_bytes()
        result = call("run", "--dry-run", "-c", str(config), "--json")
        shown = json.loads(result.stdout)
        assert code_of(result) == 0
        assert [step["action"] for step in shown["would"]] == ["RecordHeader"]
        assert shown["then_waits_for"] == "nothing_due"
        assert settings.journal.read_bytes() == before
    text = call("run", "--dry-run", "-c", str(config)).stdout.splitlines()
    assert text[0].startswith(" 1  write down that public block")
    assert text[-1] == "then: nothing_due"
    assert code_of(call("once", "-c", str(config))) == 4  # which does want the key


def test_a_rehearsal_without_endpoints_is_undecided(ready: Path, devnet: Devnet, tmp_path: Path) -> None:
    config = copy(ready, tmp_path, **{devnet.url: "http://127.0.0.1:1"})
    result = call("run", "--dry-run", "-c", str(config))
    assert code_of(result) == 3
    assert "nothing to do: no_rpc_quorum" in result.stdout


def test_endpoints_are_compared_under_both_names(ready: Path, devnet: Devnet, tmp_path: Path) -> None:
    several = f'endpoints = {{ one = "{devnet.url}", two = "{devnet.url}", late = "http://127.0.0.1:1" }}'
    config = copy(
        ready,
        tmp_path,
        init=False,
        **{f'endpoints = {{ only = "{devnet.url}" }}': several, "rpc_quorum = 1": "rpc_quorum = 2"},
    )
    for group in ("endpoints", "rpc"):
        result = call(group, "check", "-c", str(config), "--json")
        assert code_of(result) == 3  # of the worst
        shown = json.loads(result.stdout)
        assert (shown["agreeing"], [row["verdict"] for row in shown["endpoints"]]) == (2, ["good", "good", "bad"])
        assert shown["notes"] == ["all endpoints are on one host"]
    text = call("rpc", "check", "-c", str(config)).stdout
    assert "2 of 3 agree at public block" in text
    assert devnet.url not in text


def test_one_host_for_all_endpoints_is_refused_at_the_start(ready: Path, devnet: Devnet, tmp_path: Path) -> None:
    several = 'endpoints = { one = "http://192.0.2.1:1", two = "http://192.0.2.1:2" }'
    config = copy(
        ready, tmp_path, **{f'endpoints = {{ only = "{devnet.url}" }}': several, "rpc_quorum = 1": "rpc_quorum = 2"}
    )
    for arguments in (("once",), ("run",), ("run", "--once")):
        result = call(*arguments, "-c", str(config))
        assert (code_of(result), result.exception.key) == (2, "chain.endpoints")


def test_a_nonce_and_the_anchors_are_shown_from_the_journal(ready: Path, tmp_path: Path) -> None:
    config = str(copy(ready, tmp_path))
    assert code_of(call("tx", "7", "-c", config)) == 2
    settings = read_settings(Path(config))
    with SqlJournal(settings.journal, wiring.scope_of(settings), "test", BORN) as journal:
        journal.open_slot(7)
        assert json.loads(call("tx", "7", "-c", config, "--json").stdout) == {
            "nonce": 7, "state": "OPEN", "wishes": [], "attempts": [], "sends": [], "seen": []
        }  # fmt: skip
        made = attempt(7, 0)
        journal.add_attempt(made, PLENTY)
        for number, at in ((95, BORN + 60), (94, BORN)):
            journal.keep_sightings([SightingRow(made.hash, bytes([number]) * 32, number, number == 95, at)])
    seen = json.loads(call("tx", "7", "-c", config, "--json").stdout)["seen"]
    told = [(row["attempt"], row["in_block"], row["result"]) for row in seen]
    assert told == [(1, 94, "reverted"), (1, 95, "succeeded")]
    assert seen[1]["block_hash"] == "0x" + "5f" * 32
    assert "in block" in call("tx", "7", "-c", config).stdout
    assert call("anchors", "-c", config).stdout == "no anchors\n"
    assert json.loads(call("anchors", "-c", config, "--json", "--offline").stdout) == {"anchors": []}


def test_a_wish_says_what_it_changes_asks_and_is_shown_until_it_is_fulfilled(ready: Path, tmp_path: Path) -> None:
    config = str(copy(ready, tmp_path))
    assert code_of(call("bump", "0", "-c", config, "--yes")) == 2  # no such nonce
    settings = read_settings(Path(config))
    with SqlJournal(settings.journal, wiring.scope_of(settings), "test", BORN) as journal:
        journal.open_slot(0)
        asked = CliRunner().invoke(main, ["cancel", "0", "-c", config], input="n\n", standalone_mode=False)
        assert asked.stdout.startswith("nonce 0: nothing signed yet\n→ the plan replaces it by a cancel")
        assert json.loads(call("status", "-c", config, "--json").stdout)["wishes"] == []
        done = json.loads(call("bump", "0", "-c", config, "--json", "--yes").stdout)  # beside a running relayer
        assert (done["wish"], done["nonce"]) == ("bump", 0)
        assert done["outlook"].startswith("the next tick will sign a cancel with nonce 0")
    assert "bump 0 by " in call("status", "-c", config).stdout
    assert json.loads(call("slots", "-c", config, "--json").stdout)["slots"][0]["wish"].startswith("bump since ")


def test_a_rebuild_of_a_journal_that_lacks_nothing_says_so_and_a_lost_one_is_made(ready: Path, tmp_path: Path) -> None:
    config = str(copy(ready, tmp_path))
    for arguments in (("fsck", "--rebuild", "--yes"), ("recover", "--from-chain"), ("fsck", "--rebuild", "--plan")):
        shown = json.loads(call(*arguments, "-c", config, "--json").stdout)
        assert (shown["written"], shown["nonces"]) == (False, [])
    journal = read_settings(Path(config)).journal
    journal.unlink()
    assert json.loads(call("fsck", "--rebuild", "--plan", "-c", config, "--json").stdout)["journal"] == "to be made"
    assert not journal.exists()
    assert code_of(call("recover", "--from-chain", "-c", config, "--json")) == 2
    assert not journal.exists()
    assert code_of(call("recover", "--from-chain", "--yes", "-c", config)) == 0
    assert code_of(call("fsck", "-c", config)) == 0
    assert code_of(call("fsck", "--rebuild", "--offline", "-c", config)) == 2
    alone = call("fsck", "--plan", "-c", config)
    assert (code_of(alone), "given with --rebuild" in str(alone.exception)) == (
        2,
        True,
    )  # and not an ordinary fsck, silently
    assert isinstance(call("recover", "-c", config).exception, click.MissingParameter)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completions_are_a_script_for_this_program(shell: str) -> None:
    text = call("completions", shell).stdout
    assert "_HYBRID_RELAYER_COMPLETE" in text
    assert "hybrid-relayer" in text


def test_a_connection_through_which_a_journal_is_read_leaves_its_locks_alone(ready: Path, tmp_path: Path) -> None:
    """A file that is closed takes the process's locks along; then others empty the log beneath the writer."""
    config = copy(ready, tmp_path)
    settings = read_settings(config)
    with SqlJournal(settings.journal, wiring.scope_of(settings), "test", BORN) as journal:
        started(settings, journal)
        subprocess.run([sys.executable, "-m", "relayers", "pause", "--hard", "--yes", "-c", str(config)], check=True)
        subprocess.run([sys.executable, "-m", "relayers", "resume", "--yes", "-c", str(config)], check=True)
        assert journal.view(BORN).brake is Brake.RUN
        journal.open_slot(7)
        asked = [sys.executable, "-m", "relayers", "slots", "--json", "-c", str(config)]
        seen = subprocess.run(asked, check=True, capture_output=True)
        assert [row["nonce"] for row in json.loads(seen.stdout)["slots"]] == [7]
