"""The guide to keys: every place it shows is one, its commands run on a real token, and its screens are the real ones."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from hybrid_bridge.core.signing import address_of
from hybrid_bridge.custody.places import parse_place, require_attesting
from relayers.cli import main
from tests.engines import SoftHsm, softhsm
from tests.unit.relayers.test_wiring import settings_text, write_consortium

GUIDE = (Path(__file__).parents[2] / "docs" / "guides" / "keys.md").read_text("utf-8")
MODULE = "/usr/lib/softhsm/libsofthsm2.so"
LINES = [
    tomllib.loads(line)
    for block in re.findall(r"```toml\n(.*?)```", GUIDE, re.DOTALL)
    for line in block.replace("…128 hex digits…", "ab" * 64).splitlines()
    if line.startswith(("signer =", "attestation ="))
]


def test_every_place_of_the_guide_is_one() -> None:
    gas = [line["signer"] for line in LINES if "signer" in line]
    attesting = [line["attestation"] for line in LINES if ":" in line.get("attestation", "")]
    assert (len(gas), len(attesting)) == (8, 2)
    for text in gas:
        parse_place(text, Path(), "chain.signer")
    for text in attesting:
        require_attesting(parse_place(text, Path(), "attestation"), "attestation")


@pytest.mark.engine
def test_the_guides_commands_say_of_a_real_token_what_the_guide_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    log = write_consortium(tmp_path)
    (tmp_path / "pin").touch(mode=0o600)
    (tmp_path / "pin").write_text(SoftHsm.PIN)
    (tmp_path / "hsm").mkdir()
    shown = re.search(r"0x[0-9a-f]{40}", GUIDE)
    assert shown is not None
    asks = re.findall(r"^\$ hybrid-relayer (keys.*)\n((?:[^`$].*\n)+)", GUIDE, re.MULTILINE)
    assert [command.split()[-1][:7] for command, _ in asks] == ["'pkcs11", "keys"]
    with softhsm(tmp_path / "hsm", "relayer") as hsm:
        address = "0x" + address_of(hsm.make_key("relayer", "gas", id=b"\x01")).hex()
        signer = next(line["signer"] for line in LINES if line.get("signer", "").startswith("pkcs11:"))
        text = settings_text(log, "http://127.0.0.1:1", signer_address=address).replace('"devnet"', '"mainnet"')
        text = re.sub(r'signer = ".*"', f'signer = "{signer.replace(MODULE, str(hsm.module))}"', text)
        (tmp_path / "relayer.toml").write_text(text)
        for command, screen in asks:
            done = CliRunner().invoke(
                main, shlex.split(command.replace(MODULE, str(hsm.module))), standalone_mode=False
            )
            assert done.exception is None, done.exception
            assert done.output == screen.replace(shown[0], address).replace(MODULE, str(hsm.module))
