"""A plan may name the address of an attestation key that its owner keeps elsewhere."""

import base64
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hybrid_bridge.cli.consortium import command
from hybrid_bridge.errors import SettingsMalformed

KEPT = "0x" + "Ab" * 20


def init(folder: Path, attestation: str, roles: str = '["validator", "sequencer"]') -> Result:
    (folder / "plan.toml").write_text(
        f'[[members]]\nname = "bank"\nlegal_name = "Bank"\nlegal_id = "LEI:BANK"\nroles = {roles}\n'
        f"attestation = {attestation}\n"
    )
    arguments = ["init", "--members", str(folder / "plan.toml"), "--out", str(folder / "out")]
    return CliRunner().invoke(command, arguments, standalone_mode=False)


def test_the_members_directory_has_the_address_and_the_folder_no_key(tmp_path: Path) -> None:
    assert init(tmp_path, f'"{KEPT}"').exception is None
    (member,) = json.loads((tmp_path / "out" / "public" / "members.json").read_text())["members"]
    assert base64.urlsafe_b64decode(member["address"] + "=") == bytes.fromhex(KEPT[2:])
    node = tmp_path / "out" / "nodes" / "bank"
    assert "attestation" not in (node / "node.toml").read_text()
    assert not list((node / "keys").glob("attestation*"))


@pytest.mark.parametrize(
    "attestation",
    ["5", '"0x"', '"bank"', f'"{KEPT[2:]}"', f'"{KEPT}00"', f'"{"0x" + "00" * 20}"', '"0x' + "zz" * 20 + '"'],
)
def test_what_is_no_address_is_refused(tmp_path: Path, attestation: str) -> None:
    done = init(tmp_path, attestation)
    assert isinstance(done.exception, SettingsMalformed)
    assert done.exception.key.startswith("members")
    assert not (tmp_path / "out").exists()
