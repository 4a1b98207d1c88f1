"""`hybrid-relayer keys`: where the key is, its address, whether it signs, and no secret; gas keys never attest."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hybrid_bridge.adapters.evm.keystore import create_keystore
from hybrid_bridge.core.signing import address_of
from hybrid_bridge.errors import KeyUnusable, SettingsMalformed
from hybrid_bridge.testing.memory_members import address
from hybrid_bridge.testing.public_chain_behaviour import RegistrableLog
from relayers import wiring
from relayers.cli import main
from relayers.settings import Settings, parse_settings
from relayers.sql_journal import SqlJournal, create_journal
from tests.engines import SoftHsm, softhsm
from tests.remote_signer import RemoteSigner, honest
from tests.unit.relayers.test_wiring import BORN, GAS_KEY, PASSWORD, settings_text, write_consortium

ADDRESS = "0x" + address("operator").hex()
KEYSTORE = "keystore:gas.json?password=file:gas.password"


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hybrid_bridge.adapters.evm.keystore.LEAST_WORK", 1 << 12)


@pytest.fixture
def log(tmp_path: Path) -> RegistrableLog:
    create_keystore(tmp_path / "gas.json", PASSWORD, lambda _: GAS_KEY)
    return write_consortium(tmp_path)


@pytest.fixture
def config(log: RegistrableLog, tmp_path: Path) -> Callable[..., Path]:
    def write(signer: str = KEYSTORE, **changes: str) -> Path:
        text = settings_text(log, "http://127.0.0.1:1/hunter2", **changes)
        (tmp_path / "relayer.toml").write_text(text.replace(KEYSTORE, signer))
        return tmp_path / "relayer.toml"

    return write


def call(config: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["keys", "-c", str(config), *arguments], standalone_mode=False)


def row(config: Path) -> tuple[int, dict[str, Any]]:
    done = call(config, "--json")
    assert done.exception is None, done.exception
    for secret in (PASSWORD, GAS_KEY.hex(), SoftHsm.PIN, "hunter2"):
        assert secret not in done.output
    (found,) = json.loads(done.stdout)["keys"]
    return done.return_value, found


def test_a_keystore_with_its_passphrase_in_a_file(config: Callable[..., Path], tmp_path: Path) -> None:
    code, found = row(config())
    assert (code, found) == (
        0,
        {
            "key": "chain.signer",
            "pays_on": "devnet",
            "kept_in": f"keystore {tmp_path}/gas.json",
            "address": ADDRESS,
            "signs": True,
            "notes": [],
            "error": None,
        },
    )
    words = call(config()).output
    assert f"address: {ADDRESS}\n" in words
    assert "signs: yes\n" in words


def test_a_keystore_with_its_passphrase_from_a_descriptor_and_from_a_command(
    config: Callable[..., Path], tmp_path: Path
) -> None:
    read, write = os.pipe()
    os.write(write, PASSWORD.encode() + b"\n")
    os.close(write)
    assert row(config(f"keystore:gas.json?password=fd:{read}"))[0] == 0
    code, found = row(config(f"keystore:gas.json?password=fd:{read}"))  # was closed
    assert (code, found["signs"]) == (4, False)
    (tmp_path / "ask.sh").write_text(f"#!/bin/sh\n[ \"$1\" = gas ] && echo '{PASSWORD}'\n")
    (tmp_path / "ask.sh").chmod(0o700)
    assert row(config(f"keystore:gas.json?password=command:{tmp_path}/ask.sh gas"))[0] == 0
    code, found = row(config(f"keystore:gas.json?password=command:{tmp_path}/ask.sh other"))
    assert code == 4
    assert "exit code 0" in found["error"]


def test_a_key_that_cannot_be_opened_is_shown_with_the_reason(config: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "gas.password").write_text("wrong\n")
    code, found = row(config())
    assert (code, found["signs"], found["address"]) == (4, False, ADDRESS)
    assert found["error"].startswith("KeyUnusable(")
    assert "signs: no\n" in call(config()).output


@pytest.mark.engine
def test_a_key_in_an_hsm(config: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "hsm").mkdir()
    (tmp_path / "pin").touch(mode=0o600)
    (tmp_path / "pin").write_text(SoftHsm.PIN)
    with softhsm(tmp_path / "hsm", "relayer") as hsm:
        hsm.bring_key("relayer", "gas", GAS_KEY)
        place = f"pkcs11:token=relayer;object=gas?module-path={hsm.module}&pin-source=file:pin"
        code, found = row(config(place))
        assert (code, found["signs"], found["address"]) == (0, True, ADDRESS)
        assert found["kept_in"] == f"PKCS#11 token relayer, object gas, module {hsm.module}"
        code, found = row(config(place, signer_address="0x" + "01" * 20))
        assert (code, found["signs"]) == (4, False)


@pytest.fixture
def server() -> Iterator[RemoteSigner]:
    with RemoteSigner(GAS_KEY) as served:
        yield served


def test_a_key_behind_a_web3signer(config: Callable[..., Path], server: RemoteSigner) -> None:
    place = f"web3signer:{server.url}?key={server.identifier}"
    code, found = row(config(place))
    assert (code, found["kept_in"]) == (0, f"web3signer {server.url}")
    server.answer = honest(b"\x05" * 32)
    assert row(config(place))[0] == 4
    server.answer = lambda _: (503, "text/plain", b"hunter2")
    code, found = row(config(place))
    assert (code, found["signs"]) == (3, False)
    assert all(data[:1] == b"\x19" for data in server.asked)  # never a transaction


def test_a_gas_key_with_which_a_validator_attests_is_refused_everywhere(
    config: Callable[..., Path], log: RegistrableLog, tmp_path: Path
) -> None:
    validator = "0x" + log.validators.addresses[0].hex()
    path = config(signer_address=validator)
    settings: Settings = parse_settings(path.read_text(), tmp_path)
    create_journal(settings.journal, wiring.scope_of(settings), BORN)
    with SqlJournal(settings.journal, wiring.scope_of(settings), "test", BORN) as journal:
        with pytest.raises(KeyUnusable) as caught:
            wiring.relayer_of(settings, journal)
        assert caught.value.key == "chain.signer_address"
    validate = CliRunner().invoke(main, ["config", "validate", "-c", str(path)], standalone_mode=False)
    assert isinstance(validate.exception, KeyUnusable)
    assert validate.exception.rule == caught.value.rule
    code, found = row(path)  # beside the keys of other chains
    assert (code, found["signs"], found["error"]) == (caught.value.exit_code, False, str(caught.value))


def address_shown(place: str) -> str:
    done = CliRunner().invoke(main, ["keys", "--at", place, "--json"], standalone_mode=False)
    assert done.exception is None, done.exception
    assert PASSWORD not in done.output
    return json.loads(done.stdout)["address"]


@pytest.mark.engine
def test_the_address_of_a_key_that_no_settings_name_yet_is_told(
    log: RegistrableLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert address_shown(KEYSTORE) == ADDRESS
    with RemoteSigner(GAS_KEY) as served:
        assert address_shown(f"web3signer:{served.url}?key={served.identifier}") == ADDRESS
    (tmp_path / "hsm").mkdir()
    (tmp_path / "pin").touch(mode=0o600)
    (tmp_path / "pin").write_text(SoftHsm.PIN)
    with softhsm(tmp_path / "hsm", "relayer") as hsm:
        public = hsm.make_key("relayer", "gas")
        place = f"pkcs11:token=relayer;object=gas?module-path={hsm.module}&pin-source=file:pin"
        assert [address_shown(place) for _ in range(8)] == ["0x" + address_of(public).hex()] * 8
    wrong = CliRunner().invoke(main, ["keys", "--at", "0x1234"], standalone_mode=False)
    assert isinstance(wrong.exception, SettingsMalformed)


def test_a_secret_in_the_settings_is_refused_and_not_repeated(config: Callable[..., Path]) -> None:
    for signer in ("keystore:gas.json?password=hunter2", "pkcs11:token=t;object=o?module-path=/m&pin-value=hunter2"):
        done = call(config(signer))
        assert isinstance(done.exception, SettingsMalformed)
        assert done.exception.key == "chain.signer"
        assert "hunter2" not in str(done.exception) + done.output
