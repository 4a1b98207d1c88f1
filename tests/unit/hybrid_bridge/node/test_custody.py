"""A validator whose attestation key is not in a file of its folder: in a keystore, in an HSM, away, or not its own."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hybrid_bridge.adapters.evm.keystore import create_keystore
from hybrid_bridge.cli.node import command
from hybrid_bridge.core.signing import address_of, recover_address
from hybrid_bridge.errors import KeyUnusable, SettingsMalformed, Undecided, Unreachable
from hybrid_bridge.node.attesting import Attester
from hybrid_bridge.node.founding import found
from hybrid_bridge.node.laying import lay
from hybrid_bridge.node.settings import FILE, read_settings, write_settings
from hybrid_bridge.ports import AttestationSigner, SigningPermit
from hybrid_bridge.units import Address, EcdsaSignature, TreeSize
from tests.engines import SoftHsm, softhsm
from tests.unit.hybrid_bridge.node.members import CADENCE, NAMES, START, Members, founder, plan, randomness, started

OWNER = "bank-a"
IN_A_FILE = 'attestation = "file:keys/attestation.key"'


def move_key(members: Members, place: str, name: str = OWNER) -> bytes:
    """The attestation key leaves the folder; the settings say where it is now. Its 32 bytes."""
    folder = members.folder(name)
    text = (folder / FILE).read_text()
    assert IN_A_FILE in text
    (folder / FILE).write_text(text.replace(IN_A_FILE, f'attestation = "{place}"'))
    path = folder / "keys" / "attestation.key"
    private = bytes.fromhex(path.read_text())
    path.unlink()
    return private


def attester(members: Members, key: AttestationSigner | None = None) -> Attester:
    opened = members.open(OWNER)
    mine = key or opened.view.keys.attestation
    assert opened.guard is not None
    assert mine is not None
    return Attester(opened.view.logbook, opened.guard, mine, opened.view.brake)


def with_a_closed_epoch(members: Members) -> Members:
    started(members)
    members.spread(members.order(START + CADENCE))
    members.close_epoch(OWNER)
    return members


@pytest.fixture(scope="module")
def hsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoftHsm]:
    with softhsm(tmp_path_factory.mktemp("hsm"), "validator") as found:
        yield found


def place_in(hsm: SoftHsm, pin: Path, label: str) -> str:
    pin.touch(mode=0o600)
    pin.write_text(SoftHsm.PIN)
    return f"pkcs11:token=validator;object={label}?module-path={hsm.module}&pin-source=file:{pin}"


@pytest.mark.engine
def test_a_validator_attests_with_a_key_in_an_hsm(hsm: SoftHsm, members: Members, tmp_path: Path) -> None:
    hsm.bring_key("validator", "attestation", move_key(members, place_in(hsm, tmp_path / "pin", "attestation")))
    with_a_closed_epoch(members)
    view = members.open(OWNER).view
    attester(members).sign_all(view.progress)
    address = view.directory.member(OWNER).address
    assert address is not None
    size = TreeSize(2)
    signature = next(row for row in signatures(members, Address(address)) if row.size == size).signature
    assert recover_address(view.logbook.checkpoint(size).digest(), signature) == address
    attester(members).sign_all(view.progress)  # found again, not made again: an HSM would make another
    assert [row.signature for row in signatures(members, Address(address)) if row.size == size] == [signature]


def signatures(members: Members, address: Address) -> list:
    return list(members.open(OWNER).view.epochs.attested(address, TreeSize(0)))


@pytest.mark.engine
def test_another_key_in_the_hsm_does_not_open_the_validator(hsm: SoftHsm, members: Members, tmp_path: Path) -> None:
    move_key(members, place_in(hsm, tmp_path / "pin", "other"))
    hsm.make_key("validator", "other")
    with pytest.raises(KeyUnusable) as caught:
        members.open(OWNER)
    assert caught.value.key == "attestation"


class Away:
    """An HSM that does not answer, until it does."""

    def __init__(self, key: AttestationSigner, times: int) -> None:
        self._key, self._times = key, times
        self.permits: list[SigningPermit] = []

    def address(self) -> Address:
        return self._key.address()

    def sign(self, permit: SigningPermit) -> EcdsaSignature:
        self.permits.append(permit)
        if len(self.permits) <= self._times:
            raise Unreachable(endpoint="attestation", call="sign")
        return self._key.sign(permit)


def test_an_hsm_that_is_away_is_asked_again_for_the_very_same_digest(
    members: Members, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hybrid_bridge.node.attesting.PAUSE", 0.01)
    with_a_closed_epoch(members)
    view = members.open(OWNER).view
    assert view.keys.attestation is not None
    away = Away(view.keys.attestation, times=2)
    with pytest.raises(Undecided):
        attester(members, away).sign_all(view.progress)

    stop = view.progress.raised

    def stopping(name: str, number: int) -> None:
        stop(name, number)
        if name == "attested" and len(away.permits) == 3:
            view.progress.stop()

    monkeypatch.setattr(view.progress, "raised", stopping)
    monkeypatch.setattr(view.progress, "await_heard", lambda: True)
    attester(members, away).run(view.progress)
    assert len(away.permits) == 3
    assert len(set(away.permits)) == 1
    assert not view.brake.reason


def test_a_key_in_a_keystore_opens_the_validator(
    members: Members, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hybrid_bridge.adapters.evm.keystore.LEAST_WORK", 1 << 12)
    private = move_key(members, "keystore:keys/attestation.json?password=file:keys/passphrase")
    folder = members.folder(OWNER) / "keys"
    (folder / "passphrase").touch(mode=0o600)
    (folder / "passphrase").write_text("correct horse\n")
    address = create_keystore(folder / "attestation.json", "correct horse", lambda _: private)
    assert members.open(OWNER).view.address == address


def shown(members: Members, name: str) -> Any:
    done = CliRunner().invoke(command, ["keys", "--dir", str(members.folder(name)), "--json"], standalone_mode=False)
    assert SoftHsm.PIN not in done.output
    if done.exception is not None:
        raise done.exception
    return json.loads(done.stdout)["keys"]


@pytest.mark.engine
def test_the_owner_sees_where_the_attestation_key_is_and_that_it_signs(
    hsm: SoftHsm, members: Members, tmp_path: Path
) -> None:
    address = next(member.address for member in members.foundation.members if member.name == OWNER)
    assert address is not None
    in_a_file = {"key": "attestation", "address": f"0x{address.hex()}", "signs": True}
    path = members.folder(OWNER) / "keys" / "attestation.key"
    assert shown(members, OWNER) == [in_a_file | {"kept_in": f"file {path}"}]
    hsm.bring_key("validator", "looked at", move_key(members, place_in(hsm, tmp_path / "pin", "looked%20at")))
    at = f"PKCS#11 token validator, object looked at, module {hsm.module}"
    assert shown(members, OWNER) == [in_a_file | {"kept_in": at}]
    assert shown(members, "regulator") == []
    (tmp_path / "pin").write_text("")
    with pytest.raises(KeyUnusable):
        shown(members, OWNER)


def test_a_member_that_validates_nothing_has_no_attestation_key(members: Members) -> None:
    folder = members.folder("regulator")
    text = (folder / FILE).read_text()
    (folder / FILE).write_text(text + 'attestation = "keystore:k.json?password=fd:9"\n')
    with pytest.raises(KeyUnusable) as caught:
        members.open("regulator")
    assert caught.value.key == "attestation"


@pytest.mark.engine
def test_a_consortium_is_founded_with_a_key_that_never_left_its_hsm(hsm: SoftHsm, tmp_path: Path) -> None:
    address = address_of(hsm.make_key("validator", "born there"))
    founders = tuple(founder(name, attestation=address if name == OWNER else None) for name in NAMES)
    foundation = found(plan(founders=founders), randomness(), START)
    lay(foundation, tmp_path / "out")
    assert address in {member.address for member in foundation.members}
    members = Members(tmp_path / "out", foundation)
    folder = members.folder(OWNER)
    assert not (folder / "keys" / "attestation.key").exists()
    with pytest.raises(KeyUnusable) as caught:  # nobody has said where it is
        members.open(OWNER)
    assert caught.value.key == "attestation"
    with (folder / FILE).open("a") as file:
        file.write(f'attestation = "{place_in(hsm, tmp_path / "pin", "born%20there")}"\n')
    with members.stack:
        with_a_closed_epoch(members)
        view = members.open(OWNER).view
        attester(members).sign_all(view.progress)
        (signature,) = [row.signature for row in signatures(members, address) if row.size == 2]
        assert recover_address(view.logbook.checkpoint(TreeSize(2)).digest(), signature) == address


def test_only_a_validator_brings_an_attestation_key() -> None:
    founders = tuple(
        founder(name, attestation=Address(b"\x01" * 20) if name == "regulator" else None) for name in NAMES
    )
    with pytest.raises(SettingsMalformed) as caught:
        found(plan(founders=founders), randomness(), START)
    assert caught.value.key == "members.regulator.attestation"


# ── settings ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_settings_that_name_a_place_are_written_as_they_were_read(members: Members) -> None:
    folder = members.folder(OWNER)
    move_key(members, "pkcs11:token=t;object=o?module-path=/m.so&pin-source=fd:3")
    settings = read_settings(folder)
    assert "attestation" not in settings.secrets
    (folder / FILE).write_text(write_settings(settings))
    assert read_settings(folder) == settings
    assert replace(settings, attestation=None) != settings


@pytest.mark.parametrize(
    "place",
    [
        "keystore:k.json?password=hunter2",
        "pkcs11:token=t;object=o?module-path=/m.so&pin-value=hunter2",
        "web3signer:https://s?key=0x" + "ab" * 64,
        "vault:hunter2",
    ],
)
def test_a_place_where_no_attestation_key_may_be_is_refused(members: Members, place: str) -> None:
    move_key(members, place)
    with pytest.raises(SettingsMalformed) as caught:
        read_settings(members.folder(OWNER))
    assert caught.value.key == "secrets.attestation"
    assert "hunter2" not in str(caught.value)


def test_one_file_for_two_keys_is_refused(members: Members) -> None:
    folder = members.folder(OWNER)
    text = (folder / FILE).read_text()
    (folder / FILE).write_text(text.replace(IN_A_FILE, 'attestation = "file:keys/identity.key"'))
    with pytest.raises(SettingsMalformed) as caught:
        read_settings(folder)
    assert caught.value.key in ("secrets.identity", "secrets.attestation")
