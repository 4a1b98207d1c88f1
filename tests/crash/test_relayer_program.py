"""`hybrid-relayer` as its users meet it: commands, exit codes, and a daemon that stops when asked."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hybrid_bridge.adapters.evm.artefact import REGISTRY, artefact
from hybrid_bridge.adapters.evm.chain import Web3Chain
from hybrid_bridge.adapters.evm.deploy import deploy, plan_deployment, register
from hybrid_bridge.adapters.evm.devnet import Devnet, DevnetSettings
from hybrid_bridge.adapters.evm.keystore import create_keystore
from hybrid_bridge.adapters.evm.transact import Patience
from hybrid_bridge.adapters.web.listener import Listener
from hybrid_bridge.errors import (
    BridgeError,
    ClockBehind,
    FieldMismatch,
    KeyUnusable,
    SettingsMalformed,
    StoreBroken,
    Unreachable,
)
from hybrid_bridge.testing.memory_members import MemorySigner, address, key
from hybrid_bridge.units import UnixSeconds
from relayers import wiring
from relayers.cli import main
from relayers.daemon import Daemon
from relayers.desk import Desk
from relayers.journal import HaltRow
from relayers.metrics import Instruments
from relayers.service import opened, started
from relayers.settings import read_settings
from relayers.sql_journal import SqlJournal
from relayers.standby import take_over
from relayers.start import SKEW
from relayers.waiting import Waiting
from tests.engines import rpc_of
from tests.unit.relayers.test_wiring import BORN, GAS_KEY, PASSWORD, settings_text, write_consortium

pytestmark = pytest.mark.evm
LATER = 10**10
FAR = 1 << 30  # a size whose epoch ends in centuries
DEPLOYER = MemorySigner("somebody who deploys")
FUNDS = tuple((owner, 10**19) for owner in (address("operator"), DEPLOYER.address()))


@pytest.fixture(scope="module")
def devnet() -> Iterator[Devnet]:
    clock = iter(range(BORN + 100, BORN + 10**6))
    with Devnet(DevnetSettings(period=0, automine=True, funds=FUNDS), lambda: next(clock)) as devnet:
        yield devnet


@pytest.fixture(scope="module")
def config(devnet: Devnet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything an operator has before `init`."""
    folder = tmp_path_factory.mktemp("relayer")
    log = write_consortium(folder)
    create_keystore(folder / "gas.json", PASSWORD, lambda _: GAS_KEY)
    rpc, patience = rpc_of(devnet.url), Patience(polls=3, every=0.0, sleep=lambda _: None)
    deployed = deploy(rpc, plan_deployment(rpc, artefact(REGISTRY), DEPLOYER.address()), DEPLOYER, patience)
    chain = Web3Chain(rpc, deployed.address)
    register(chain, DEPLOYER, (log.genesis, log.origin, log.validators.encode_entries()), patience)
    text = settings_text(
        log,
        devnet.url,
        genesis_hash="0x" + chain.block(0).hash.hex(),
        contract="0x" + deployed.address.hex(),
    )
    (folder / "relayer.toml").write_text(text)
    return folder / "relayer.toml"


def call(*arguments: str) -> Any:
    return CliRunner().invoke(main, arguments, standalone_mode=False)


def code_of(result: Any) -> int:
    """The exit code that `invoke` makes of it."""
    if isinstance(result.exception, BridgeError):
        return result.exception.exit_code
    assert result.exception is None, result.exception
    return int(result.return_value)


@pytest.fixture(scope="module")
def ready(config: Path) -> Path:
    assert code_of(call("init", "-c", str(config))) == 0
    return config


def test_a_journal_is_made_once(ready: Path) -> None:
    again = call("init", "-c", str(ready))
    assert isinstance(again.exception, SettingsMalformed)
    assert code_of(again) == 2


def test_settings_are_validated_against_the_public_files(ready: Path, tmp_path: Path) -> None:
    good = call("config", "validate", "-c", str(ready), "--json")
    assert code_of(good) == 0
    shown = json.loads(good.stdout)
    assert (shown["validator_sets"], shown["operators"], shown["my_index"]) == ([4], 1, 0)
    assert "127.0.0.1" not in good.stdout
    wrong = ready.read_text().replace('id = "0x', 'id = "0x' + "00" * 32 + '" #', 1)
    (ready.parent / "wrong.toml").write_text(wrong)
    bad = call("config", "validate", "-c", str(ready.parent / "wrong.toml"))
    assert isinstance(bad.exception, FieldMismatch)
    assert code_of(call("config", "validate", "-c", str(tmp_path / "none.toml"))) == 2


def test_one_tick_with_silent_members_finds_nothing_due(ready: Path) -> None:
    for arguments in (("once", "--json"), ("run", "--once")):
        done = call(arguments[0], "-c", str(ready), *arguments[1:])
        assert code_of(done) == 0
        assert "nothing_due" in done.stdout


def test_status_and_fsck_read_the_journal(ready: Path) -> None:
    status = call("status", "-c", str(ready), "--json")
    assert code_of(status) == 0
    assert json.loads(status.stdout)["open_nonces"] == []
    for arguments in ((), ("--offline",), ("--json",)):
        found = call("fsck", "-c", str(ready), *arguments)
        assert code_of(found) == 0
    assert json.loads(found.stdout) == {"findings": []}
    assert "brake: run" in call("status", "-c", str(ready)).stdout


def copy(ready: Path, tmp_path: Path, *, init: bool = True, **replaced: str) -> Path:
    """The operator's folder again, with other words in the settings."""
    for file in ready.parent.iterdir():
        if file.suffix in {".bin", ".pem", ".key", ".json", ".password"}:
            (tmp_path / file.name).write_bytes(file.read_bytes())
            (tmp_path / file.name).chmod(0o600)
    text = ready.read_text()
    for old, new in replaced.items():
        text = text.replace(old, new)
    (tmp_path / "relayer.toml").write_text(text)
    if init:
        assert code_of(call("init", "-c", str(tmp_path / "relayer.toml"))) == 0
    return tmp_path / "relayer.toml"


def test_an_endpoint_that_does_not_answer_is_undecided(ready: Path, devnet: Devnet, tmp_path: Path) -> None:
    config = copy(ready, tmp_path, **{devnet.url: "http://127.0.0.1:1"})
    result = call("once", "-c", str(config))
    assert isinstance(result.exception, Unreachable)
    assert code_of(result) == 3


def test_an_endpoint_that_is_silent_at_the_start_is_named_and_asked_again_by_each_tick(
    ready: Path, devnet: Devnet, tmp_path: Path
) -> None:
    several = f'endpoints = {{ one = "{devnet.url}", two = "{devnet.url}", late = "http://127.0.0.1:1" }}'
    config = copy(
        ready, tmp_path, **{f'endpoints = {{ only = "{devnet.url}" }}': several, "rpc_quorum = 1": "rpc_quorum = 2"}
    )
    result = call("once", "-c", str(config), "--json")
    assert code_of(result) == 0
    assert "late is left out: Unreachable" in json.loads(result.stdout)["notes"][0]
    settings = read_settings(config)
    with SqlJournal(settings.journal, wiring.scope_of(settings), "test", BORN) as journal:
        assert [chain.name for chain in started(settings, journal).observer.endpoints] == ["one", "two", "late"]


COMMANDS = (
    ("once",), ("run",), ("run", "--once"), ("status",), ("fsck",), ("fsck", "--offline"), ("slots",), ("fees",),
    ("explain", "2"), ("pause", "--hard", "--yes"), ("drain", "--yes"), ("resume", "--yes"), ("backup", "copy.db"),
)  # fmt: skip


@pytest.mark.parametrize("state", ["no folder", "no file", "empty", "torn", "a folder"])
def test_every_command_says_what_is_wrong_with_a_journal_that_is_not_one_and_makes_nothing(
    ready: Path, tmp_path: Path, state: str
) -> None:
    config = copy(ready, tmp_path, **{"sqlite:///": "sqlite:///place/"}, init=False)
    journal = read_settings(config).journal
    if state != "no folder":
        journal.parent.mkdir()
    if state == "a folder":
        journal.mkdir()
    elif state in {"empty", "torn"}:
        journal.write_bytes(b"" if state == "empty" else read_settings(ready).journal.read_bytes()[:100_000])
    before = {file: file.is_file() and file.read_bytes() for file in tmp_path.rglob("*")}
    for arguments in COMMANDS:
        result = call(*arguments, "-c", str(config))
        assert isinstance(result.exception, StoreBroken), (arguments, result.exception)
        assert (code_of(result), result.exception.store) == (4, journal.name)
    for arguments in (("init",), ("run", "--once", "--init")):
        made = call(*arguments, "-c", str(config))
        there = 2 if arguments == ("init",) else 4  # it is told to make one; or to use the one that is there
        assert code_of(made) == {"no folder": 2, "no file": 0}.get(state, there)
        if state == "no file":
            journal.unlink()
    journal.with_name(journal.name + ".lock").unlink(missing_ok=True)
    assert {file: file.is_file() and file.read_bytes() for file in tmp_path.rglob("*")} == before


def test_status_is_one_screen_out_of_the_journal_alone(ready: Path, devnet: Devnet, tmp_path: Path) -> None:
    config = copy(ready, tmp_path, **{devnet.url: "http://127.0.0.1:1"})
    text = call("status", "-c", str(config)).stdout
    assert len(text.splitlines()) <= 24
    shown = json.loads(call("status", "-c", str(config), "--json").stdout)
    assert (shown["relayer"], shown["anchored_final"], shown["brake"]) == (None, None, "run")
    assert shown["this_rounds_leader"] == f"0x{address('operator').hex()}"


def test_explain_names_what_is_in_the_way_and_writes_nothing(ready: Path, devnet: Devnet, tmp_path: Path) -> None:
    config = copy(ready, tmp_path)
    journal = read_settings(config).journal
    before = journal.read_bytes()
    reasons = {}
    for size in (1, FAR, 1 << 40):
        shown = json.loads(call("explain", "-c", str(config), str(size), "--json").stdout)
        reasons[size] = shown["reason"]
        assert call("explain", "-c", str(config), str(size)).stdout.count("\n") == 1
    assert reasons == {1: "birth", FAR: "not_closed", 1 << 40: "not_closed"}
    assert journal.read_bytes() == before


def verdicts(config: Path) -> tuple[int, dict[str, str], str]:
    result = call("check", "-c", str(config), "--json")
    shown = {row["name"]: row["verdict"] for row in json.loads(result.stdout)["checks"]}
    return code_of(result), shown, result.stdout


def test_check_looks_at_everything_and_says_each_cure(ready: Path, devnet: Devnet, tmp_path: Path) -> None:
    journal = read_settings(ready).journal
    before = journal.read_bytes()
    code, shown, text = verdicts(ready)
    assert shown == {
        "key": "good", "log": "good", "journal": "good", "member bank-a": "note", "members": "bad",
        "endpoint only": "good", "endpoints": "note", "observation": "good", "account": "good", "transactions": "good",
        "clock": shown["clock"],
        "contract": "good", "balance": "good",
    }  # fmt: skip
    assert code == 3  # no quorum of members answers
    assert not [secret for secret in (PASSWORD, devnet.url, GAS_KEY.hex()) if secret in text]
    assert journal.read_bytes() == before
    assert "→ list more members" in call("doctor", "-c", str(ready)).stdout


def test_check_names_an_endpoint_that_serves_no_state_proofs(ready: Path, devnet: Devnet, tmp_path: Path) -> None:
    config = copy(ready, tmp_path, **{"rpc_quorum = 1": "rpc_quorum = 1\nstate_proofs = true"})
    code, shown, text = verdicts(config)
    assert (code, shown["endpoint only"], shown["state proofs of only"]) == (3, "good", "bad")
    assert (shown["observation"], "balance" in shown) == ("bad", False)
    assert "eth_getProof" in text
    assert json.loads(call("config", "validate", "-c", str(config), "--json").stdout)["state_proofs"] is True


def test_check_goes_on_after_what_is_bad(ready: Path, devnet: Devnet, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        listen = f'tick_seconds = 1\nlisten = "127.0.0.1:{taken.getsockname()[1]}"'
        changes = {"tick_seconds = 1": listen, devnet.url: "http://127.0.0.1:1"}
        config = copy(ready, tmp_path, init=False, **changes)
        (tmp_path / "gas.password").write_text("another")
        code, shown, _ = verdicts(config)
    assert code == 4
    assert {name for name, verdict in shown.items() if verdict == "bad"} == {
        "key", "journal", "listen", "members", "endpoint only",
    }  # fmt: skip
    assert "observation" not in shown


def test_fees_are_told_by_the_endpoints_or_undecided(ready: Path, devnet: Devnet, tmp_path: Path) -> None:
    shown = json.loads(call("fees", "-c", str(ready), "--json").stdout)
    assert shown["hard_cap_gwei"] == "120"
    assert shown["balance_ether"] == "10"
    silent = copy(ready, tmp_path, **{devnet.url: "http://127.0.0.1:1"})
    assert code_of(call("fees", "-c", str(silent))) == 3


def test_slots_show_what_was_signed_for_each_nonce(ready: Path, tmp_path: Path) -> None:
    config = str(copy(ready, tmp_path))
    assert call("slots", "-c", config).stdout == "no slots\n"
    settings = read_settings(Path(config))
    with SqlJournal(settings.journal, wiring.scope_of(settings), "test", BORN) as journal:
        journal.open_slot(0)
    assert json.loads(call("slots", "-c", config, "--json").stdout) == {
        "slots": [{"nonce": 0, "state": "OPEN", "carries": None, "wish": None}]
    }


def test_what_changes_something_says_so_first_and_asks(ready: Path, tmp_path: Path) -> None:
    config = str(copy(ready, tmp_path))

    def brake() -> str:
        return str(json.loads(call("status", "-c", config, "--json").stdout)["brake"])

    asked = CliRunner().invoke(main, ["pause", "--hard", "-c", config], input="n\n", standalone_mode=False)
    assert asked.stdout.startswith("brake: run → hard: nothing is signed or sent")
    assert (type(asked.exception).__name__, brake()) == ("Abort", "run")
    assert code_of(call("pause", "--hard", "-c", config, "--json")) == 2
    assert code_of(call("pause", "-c", config)) == 2
    assert brake() == "run"
    agreed = CliRunner().invoke(main, ["pause", "--soft", "-c", config], input="y\n", standalone_mode=False)
    assert (code_of(agreed), brake()) == (0, "soft")
    for arguments, level in ((("drain",), "drain"), (("pause", "--hard"), "hard"), (("resume",), "run")):
        done = call(*arguments, "-c", config, "--json", "--yes")
        assert json.loads(done.stdout)["brake"] == brake() == level


def test_a_halt_is_left_only_by_whoever_shows_its_evidence(ready: Path, tmp_path: Path) -> None:
    config = str(copy(ready, tmp_path))
    settings = read_settings(Path(config))
    with SqlJournal(settings.journal, wiring.scope_of(settings), "test", BORN) as journal:
        journal.halt(HaltRow("conflict", '{"size": 2}', BORN))
        journal.open_slot(0)
        journal.open_slot(2)  # a finding of fsck
    (tmp_path / "evidence").write_text('{"size": 2}\n')
    lift = ("resume", "-c", config, "--yes", "--i-have-read", str(tmp_path / "evidence"))
    assert code_of(call("resume", "-c", config, "--yes")) == 2
    assert code_of(call(*lift)) == 2
    with SqlJournal(settings.journal, wiring.scope_of(settings), "test", BORN) as journal:
        journal.open_slot(1)
    (tmp_path / "evidence").write_text("{}")
    assert code_of(call(*lift)) == 2
    (tmp_path / "evidence").write_text('{"size": 2}')
    assert code_of(call(*lift)) == 0
    assert json.loads(call("status", "-c", config, "--json").stdout)["halted"] is None


def test_another_chains_endpoint_is_refused_at_the_start(ready: Path, tmp_path: Path) -> None:
    config = copy(ready, tmp_path, **{"chain_id = 31337": "chain_id = 1"})
    assert code_of(call("once", "-c", str(config))) == 4


@pytest.mark.parametrize(("reason", "code"), [("conflict", 1), ("finality_violation", 4)])
def test_a_halted_relayer_says_so_and_writes_its_evidence(ready: Path, tmp_path: Path, reason: str, code: int) -> None:
    config = copy(ready, tmp_path)
    settings = read_settings(config)
    with SqlJournal(settings.journal, wiring.scope_of(settings), "test", BORN) as journal:
        journal.halt(HaltRow(reason, '{"size": 2}', BORN))
    result = call("once", "-c", str(config))
    assert code_of(result) == code
    assert (tmp_path / "journal.db.evidence.json").read_text() == '{"size": 2}\n'
    assert code_of(call("status", "-c", str(config))) == 4


def test_findings_are_shown_and_exit_four(ready: Path, tmp_path: Path) -> None:
    config = copy(ready, tmp_path)
    settings = read_settings(config)
    with SqlJournal(settings.journal, wiring.scope_of(settings), "test", BORN) as journal:
        journal.open_slot(0)
        journal.open_slot(2)
    for arguments in ((), ("--json",)):
        result = call("fsck", "-c", str(config), *arguments)
        assert code_of(result) == 4
        assert "a gap between slots" in result.stdout


def daemon(config: Path) -> subprocess.Popen[str]:
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    command = [sys.executable, "-m", "relayers", "run", "-c", str(config)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)


def page(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def lines_of(process: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
    assert process.stderr is not None
    return (json.loads(line) for line in process.stderr if line.startswith("{"))


def test_the_daemon_ticks_until_it_is_told_to_stop_and_shows_how_it_is(ready: Path, tmp_path: Path) -> None:
    config = copy(ready, tmp_path, **{"tick_seconds = 1": 'tick_seconds = 1\nlisten = "127.0.0.1:0"'})
    with daemon(config) as process:
        lines = lines_of(process)
        assert next(lines)["event"] == "started"
        port = next(lines)["port"]
        assert next(lines)["reason"] == "nothing_due"
        assert page(port, "/livez") == (200, "live\n")
        assert page(port, "/readyz") == (200, "ready\n")
        health = json.loads(page(port, "/healthz")[1])["chains"]["devnet"]
        assert (health["state"], health["waits_for"], health["reasons"]) == ("READY", "nothing_due", [])
        code, text = page(port, "/metrics")
        assert code == 200
        assert 'process_state{chain="devnet",log="0x' in text
        assert not [secret for secret in (PASSWORD, "127.0.0.1", "gas.password", GAS_KEY.hex()) if secret in text]
        assert page(port, "/")[0] == 404
        second = call("once", "-c", str(config))
        assert code_of(second) == 3  # the first one holds the journal
        process.send_signal(signal.SIGTERM)
        assert [line["event"] for line in lines][-1] == "stopped"
        assert process.wait(60) == 0


def test_a_running_daemon_obeys_its_brakes_and_a_drained_one_ends(ready: Path, tmp_path: Path) -> None:
    config = str(copy(ready, tmp_path, **{"tick_seconds = 1": 'tick_seconds = 1\nlisten = "127.0.0.1:0"'}))
    with daemon(Path(config)) as process:
        lines = lines_of(process)
        port = next(line["port"] for line in lines if line["event"] == "listening")
        assert any(line.get("reason") == "nothing_due" for line in lines)
        assert code_of(call("pause", "--hard", "--yes", "-c", config)) == 0
        assert any(line.get("reason") == "braked" for line in lines)
        assert page(port, "/readyz") == (503, "devnet: brake: hard\n")
        assert page(port, "/livez")[0] == 200
        assert 'brake{chain="devnet",level="hard"' in page(port, "/metrics")[1]
        assert code_of(call("backup", "-c", config, str(tmp_path / "copy.db"))) == 0
        assert code_of(call("resume", "--yes", "-c", config)) == 0
        assert any(line.get("reason") == "nothing_due" for line in lines)
        assert code_of(call("drain", "--yes", "-c", config)) == 0
        assert any(line.get("reason") == "drained" for line in lines)
        assert any(line["event"] == "stopped" for line in lines)
        assert process.wait(60) == 0
    assert json.loads(call("status", "-c", config, "--json").stdout)["brake"] == "drain"


def several(ready: Path, tmp_path: Path, **replaced: str) -> Path:
    """Two chains: the devnet, and one whose only endpoint nobody has ever seen."""
    text = ready.read_text()
    first = text[text.index("[[chain]]") :]
    second = first.replace('"devnet"', '"side"').replace("31337", "31338").replace("only = ", "other = ")
    second = second.replace(text[text.index("http://") : text.index('"', text.index("http://"))], "http://127.0.0.1:1")
    return copy(ready, tmp_path, **{"journal.db": "{chain}.db", first: first + second, **replaced})


def test_several_chains_are_asked_together_and_ordered_one_by_one(ready: Path, tmp_path: Path) -> None:
    config = str(several(ready, tmp_path))
    assert (tmp_path / "devnet.db").is_file()
    assert (tmp_path / "side.db").is_file()
    for arguments in (("pause", "--hard", "--yes"), ("drain", "--yes"), ("backup", "copy.db"), ("slots",)):
        refused = call(*arguments, "-c", config)
        assert isinstance(refused.exception, SettingsMalformed)
        assert (refused.exception.key, refused.exception.rule) == ("--chain", "one of: devnet, side")
    assert code_of(call("pause", "--hard", "--yes", "-c", config, "--chain", "side")) == 0
    shown = json.loads(call("status", "-c", config, "--json").stdout)
    assert {name: each["brake"] for name, each in shown["chains"].items()} == {"devnet": "run", "side": "hard"}
    assert shown["anchored"] == {"when": 2, "of": 2, "size": 1, "final": {"devnet": 1, "side": 1}}
    assert json.loads(call("status", "-c", config, "--chain", "side", "--json").stdout)["brake"] == "hard"
    assert "size 1 is final on 2 of 2 chains" in call("status", "-c", config).stdout
    explained = json.loads(call("explain", str(FAR), "-c", config, "--json").stdout)
    assert {name: each["reason"] for name, each in explained["chains"].items()} == dict.fromkeys(
        ("devnet", "side"), "not_closed"
    )
    assert explained["anchored"]["holds"] is False
    last = call("explain", "1", "-c", config).stdout.splitlines()[-1]
    assert last == "Size 1 is anchored: 2 of 2 chains have it final, 2 must."
    judged = json.loads(call("fsck", "--offline", "-c", config, "--json").stdout)
    assert judged == {"findings": [], "anchored": shown["anchored"]}
    assert "on 2 of 2 chains" in call("fsck", "--offline", "-c", config).stdout
    alone = call("fsck", "--offline", "-c", config, "--chain", "side", "--json")
    assert json.loads(alone.stdout) == {"findings": []}
    valid = json.loads(call("config", "validate", "-c", config, "--json").stdout)["chains"]
    assert [each["endpoints"] for each in valid.values()] == [["only"], ["other"]]
    assert [row["pays_on"] for row in json.loads(call("keys", "-c", config, "--json").stdout)["keys"]] == list(valid)
    names = {row["name"] for row in json.loads(call("check", "-c", config, "--json").stdout)["checks"]}
    assert {"devnet: members", "devnet: balance", "side: endpoint other", "side: observation"} <= names
    assert "side: members" not in names
    once = call("once", "-c", config, "--json")
    done = json.loads(once.stdout)["chains"]
    assert (code_of(once), done["devnet"]["reason"]) == (3, "nothing_due")
    assert "side" in done


def test_a_chain_that_nobody_answers_for_or_whose_journal_is_lost_stops_no_other(
    ready: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = several(ready, tmp_path, **{"tick_seconds = 1": 'tick_seconds = 1\nlisten = "127.0.0.1:0"'})
    with daemon(config) as process:
        lines = (line for line in lines_of(process) if line["event"] not in {"event_head", "not_started"})
        assert [next(lines)["chain"] for _ in range(2)] == ["devnet", "side"]
        port = next(lines)["port"]
        reasons = {line["chain"]: line["reason"] for line in (next(lines), next(lines))}
        assert reasons == {"devnet": "nothing_due", "side": "no_rpc_quorum"}
        code, text = page(port, "/readyz")
        assert (code, text.startswith("side: no quorum of endpoints")) == (503, True)
        assert {name: each["state"] for name, each in json.loads(page(port, "/healthz")[1])["chains"].items()} == {
            "devnet": "READY",
            "side": "DEGRADED",
        }
        told = page(port, "/metrics")[1]
        assert 'anchored_size{chain="all",level="k_of_m"' in told
        assert 'rpc_agreeing{chain="side"' in told
        for name, still in (("devnet", "ended"), ("side", "stopped")):
            assert process.poll() is None, still
            assert code_of(call("drain", "--yes", "-c", str(config), "--chain", name)) == 0
            assert any(line.get("reason") == "drained" and line["chain"] == name for line in lines)
        assert process.wait(60) == 0
    (tmp_path / "side.db").write_bytes(b"torn")
    monkeypatch.setattr("relayers.service.signal.signal", lambda *_: None)
    ended = call("run", "-c", str(config))
    told = [json.loads(line) for line in ended.stderr.splitlines()]
    assert [(line["event"], line.get("chain")) for line in told if line["event"] != "listening"] == [
        ("started", "devnet"),
        ("ended", "side"),
        ("tick", "devnet"),
        ("event_head", "devnet"),
    ]
    assert (code_of(ended), told[-2]["reason"]) == (4, "drained")


def test_a_signer_that_does_not_answer_leaves_out_its_own_chain_only(
    ready: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = str(several(ready, tmp_path))
    assert code_of(call("drain", "--yes", "-c", config, "--chain", "devnet")) == 0
    real = wiring.relayer_of

    def away(settings: Any, journal: Any) -> Any:
        if settings.chain.name == "side":
            raise Unreachable(endpoint="chain.signer", call="open")
        return real(settings, journal)

    monkeypatch.setattr("relayers.wiring.relayer_of", away)
    monkeypatch.setattr("relayers.service.signal.signal", lambda *_: None)
    ended = call("run", "-c", config)
    events = [(line["event"], line["chain"]) for line in map(json.loads, ended.stderr.splitlines())]
    assert events == [("started", "devnet"), ("ended", "side"), ("tick", "devnet"), ("event_head", "devnet")]
    assert code_of(ended) == 3


def test_a_retiring_key_is_drained_whatever_was_ordered(
    ready: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_keystore(tmp_path / "old.json", PASSWORD, lambda _: key("an old key"))
    text = ready.read_text()
    first = text[text.index("[[chain]]") :]
    second = first.replace('"devnet"', '"old"').replace("gas.json", "old.json") + "retiring = true\n"
    signer = f'signer_address = "0x{address("operator").hex()}"'
    second = second.replace(signer, f'signer_address = "0x{address("an old key").hex()}"')
    config = str(copy(ready, tmp_path, **{"journal.db": "{chain}.db", first: first + second}))
    for arguments in (("resume",), ("pause", "--soft")):
        assert code_of(call(*arguments, "--yes", "-c", config, "--chain", "old")) == 2
    assert code_of(call("drain", "--yes", "-c", config, "--chain", "devnet")) == 0
    dry = json.loads(call("run", "--dry-run", "-c", config, "--json").stdout)["chains"]
    assert dry["old"]["then_waits_for"] == "drained"
    monkeypatch.setattr("relayers.service.signal.signal", lambda *_: None)
    assert code_of(call("run", "-c", config)) == 0  # both are drained
    shown = json.loads(call("status", "-c", config, "--json").stdout)
    assert shown["chains"]["old"]["brake"] == "drain"
    assert shown["chains"]["old"]["brake_by"].startswith("settings: retiring")
    assert shown["anchored"] == {"when": 1, "of": 1, "size": 1, "final": {"devnet": 1}}


def test_whoever_stands_by_waits_for_the_journals_of_all_chains(
    ready: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = several(ready, tmp_path)
    first, settings = read_settings(config, "devnet"), read_settings(config, "side")
    handlers: list[Any] = []
    untils: list[int] = []
    monkeypatch.setattr("relayers.service.signal.signal", lambda _, handler: handlers.append(handler))

    def told_to_end_while_it_waits(opening: Any, every: int, ended: Any, say: Any, *more: Any, meanwhile: Any) -> Any:
        def said(error: Any) -> None:
            say(error)
            monkeypatch.setattr("relayers.service.now", lambda: LATER)
            meanwhile()
            with Desk(first.journal, wiring.scope_of(first)) as desk:
                untils.append(desk.lease().until)
            handlers[-1]()

        return take_over(opening, every, ended, said, *more, meanwhile=meanwhile)

    monkeypatch.setattr("relayers.service.take_over", told_to_end_while_it_waits)
    with SqlJournal(settings.journal, wiring.scope_of(settings), "test", BORN):
        assert code_of(call("run", "-c", str(config))) == 3  # another process holds one of them
        waited = call("run", "--standby", "-c", str(config))
    assert code_of(waited) == 0
    assert [json.loads(line)["chain"] for line in waited.stderr.splitlines()] == ["side"]
    assert untils == [LATER + 60]  # what it holds already it keeps


def test_a_signal_that_comes_while_the_start_asks_is_not_lost(
    ready: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handlers: list[Any] = []
    config = str(copy(ready, tmp_path))
    monkeypatch.setattr("relayers.service.signal.signal", lambda _, handler: handlers.append(handler))
    monkeypatch.setattr("relayers.service.require_hosts", lambda *_: handlers[-1]())
    for more in ((), ("--standby",)):
        ended = call("run", *more, "-c", config)
        assert (code_of(ended), ended.stderr) == (0, "")


def test_a_chain_that_is_refused_lets_go_of_its_journal(
    ready: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = several(ready, tmp_path)
    side, free = read_settings(config, "side"), []

    def refusing(settings: Any, *_: Any) -> None:
        if settings.chain.name == "side":
            raise SettingsMalformed(key="chain.endpoints", rule="good ones")

    def run(_daemon: Any, _listen: Any) -> None:
        with SqlJournal(side.journal, wiring.scope_of(side), "another process", BORN) as journal:
            free.append(journal.epoch)

    monkeypatch.setattr("relayers.service.signal.signal", lambda *_: None)
    monkeypatch.setattr("relayers.service._require_startable", refusing)
    monkeypatch.setattr("relayers.service.Daemon.run", run)
    assert code_of(call("run", "-c", str(config))) == 0
    assert len(free) == 1


def test_a_database_that_is_away_at_the_start_is_waited_for(
    ready: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = [Unreachable(endpoint="journal", call="connect")]
    waiting: list[Waiting] = []
    shown: dict[str, tuple[int, str]] = {}

    def sometimes(settings: Any) -> SqlJournal:
        if away:
            assert waiting[0].port is None
            raise away.pop()
        port = waiting[0].port
        assert port is not None
        shown.update((path, page(port, path)) for path in ("/metrics", "/livez", "/readyz", "/healthz"))
        return opened(settings)

    def watched(*arguments: Any) -> Waiting:
        waiting.append(Waiting(*arguments))
        return waiting[0]

    monkeypatch.setattr("relayers.service.signal.signal", lambda *_: None)
    monkeypatch.setattr("relayers.service.opened", sometimes)
    monkeypatch.setattr("relayers.service.Waiting", watched)
    monkeypatch.setattr("relayers.service.LONGEST_NAP", 0)
    metrics: list[str] = []

    def run(daemon: Daemon, _listen: Any) -> None:
        assert waiting[0].port is None  # the address is free for who ticks
        metrics.append(daemon._board.page("/metrics").body.decode())  # type: ignore[union-attr]

    monkeypatch.setattr("relayers.service.Daemon.run", run)
    config = copy(ready, tmp_path, **{"tick_seconds = 1": 'tick_seconds = 1\nlisten = "127.0.0.1:0"'})
    ended = call("run", "-c", str(config))
    assert code_of(ended) == 0
    assert [json.loads(line)["event"] for line in ended.stderr.splitlines()] == ["journal_away", "started", "stopped"]
    up = re.compile(r'^hybrid_relayer_journal_up\{chain="devnet",log="0x\w{64}"\} (\S+)$', re.MULTILINE)
    assert (up.findall(shown["/metrics"][1]), up.findall(metrics[0])) == (["0.0"], ["1.0"])
    assert shown["/livez"] == (200, "live\n")
    assert shown["/readyz"] == (503, "devnet: the journal's database does not answer\n")
    assert json.loads(shown["/healthz"][1])["chains"]["devnet"]["state"] == "STARTING"


def test_who_waits_for_a_database_takes_no_address_from_who_runs(ready: Path) -> None:
    with closing(Listener(("127.0.0.1", 0), lambda _: None)) as taken:
        settings = replace(read_settings(ready), listen=("127.0.0.1", taken.port))
        waiting = Waiting([settings], Instruments())
        waiting.tell(settings, is_there=False)
        assert waiting.port is None
        waiting.close()


def test_a_clock_that_is_behind_the_public_chain_starts_nothing(
    ready: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = copy(ready, tmp_path)
    for clock in ("relayers.wiring.SystemClock.now", "relayers.inquiries.now"):
        monkeypatch.setattr(clock, lambda *_: UnixSeconds(BORN))
    monkeypatch.setattr("relayers.service.signal.signal", lambda *_: None)
    monkeypatch.setattr("relayers.service.Daemon.run", lambda *_: pytest.fail("it ticks"))
    for command in (["run"], ["run", "--once"]):
        refused = call(*command, "-c", str(config))
        assert isinstance(refused.exception, ClockBehind)
        assert refused.exception.seconds > SKEW
        assert refused.exception.exit_code == 3
    rows = json.loads(call("check", "-c", str(config), "--json").stdout)["checks"]
    (said,) = (row for row in rows if row["name"] == "clock")
    assert (said["verdict"], said["cure"]) == ("bad", "set the clock (NTP)")
    assert "ClockBehind" in said["detail"]
    settings = read_settings(config)
    with SqlJournal(settings.journal, wiring.scope_of(settings), "test", BORN) as journal:  # it was given back
        assert (journal.dump().slots, journal.dump().headers) == ((), ())


def test_what_one_chain_cannot_explain_stands_beside_the_others(ready: Path, tmp_path: Path) -> None:
    config = several(ready, tmp_path)
    (tmp_path / "side.db").write_bytes(b"torn")
    explained = call("explain", str(FAR), "-c", str(config), "--json")
    shown = json.loads(explained.stdout)
    assert shown["chains"]["devnet"]["reason"] == "not_closed"
    assert "StoreBroken" in shown["chains"]["side"]["error"]
    assert code_of(explained) == 4
    said = call("explain", str(FAR), "-c", str(config))
    assert said.stdout.splitlines()[1].startswith("side: StoreBroken")
    assert code_of(said) == 4


def test_a_key_that_may_not_pay_stands_beside_the_others(
    ready: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(chain: Any, _: Any) -> None:
        if chain.name == "devnet":
            raise KeyUnusable(key="chain.signer_address", rule="a key with which no validator attests")

    config = str(several(ready, tmp_path))
    monkeypatch.setattr("relayers.wiring.require_gas_key", refusing)
    keys = call("keys", "-c", config, "--json")
    assert [(row["pays_on"], row["signs"]) for row in json.loads(keys.stdout)["keys"]] == [
        ("devnet", False),
        ("side", True),
    ]
    assert code_of(keys) == KeyUnusable.exit_code


def test_where_no_chain_can_start_the_first_refusal_ends_the_process(ready: Path, tmp_path: Path) -> None:
    config = several(ready, tmp_path)
    for name in ("devnet", "side"):
        (tmp_path / f"{name}.db").write_bytes(b"torn")
    refused = call("run", "-c", str(config))
    assert isinstance(refused.exception, StoreBroken)
    assert refused.exception.store == "devnet.db"


def test_two_daemons_cannot_listen_at_one_address(ready: Path, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        listen = f'tick_seconds = 1\nlisten = "127.0.0.1:{taken.getsockname()[1]}"'
        config = copy(ready, tmp_path, **{"tick_seconds = 1": listen})
        with daemon(config) as process:
            assert process.stderr is not None
            assert "listen" in process.stderr.read()
            assert process.wait(60) == 2


def test_a_first_run_may_make_its_journal_and_a_torn_one_is_made_again(ready: Path, tmp_path: Path) -> None:
    config = copy(ready, tmp_path)
    made = read_settings(config).journal
    made.rename(made.with_name(made.name + ".new"))  # as if killed before the last step
    assert code_of(call("run", "--once", "-c", str(config))) == 4  # missing: never made in passing
    for _ in range(2):
        result = call("run", "--once", "--init", "-c", str(config))
        assert result.exception is None or code_of(result) == 3
        assert made.is_file()
