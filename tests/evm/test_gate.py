"""The contract of the page on integration, compiled as it stands there, on the package's own example of a bundle."""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from web3 import Web3

from hybrid_bridge.cli.contract import command
from tests.evm.vector_judges import standing

if TYPE_CHECKING:
    from tests.evm.conftest import Contract, World

pytestmark = pytest.mark.engine
EXAMPLE = "hybrid_bridge/cli/example_files/financing.hb.json"


def lines_of(root: Path) -> str:
    """That make arguments of what the command wrote."""
    guide = (root / "docs" / "guides" / "integrate.md").read_text()
    return str(re.findall(r"```python\n(.*?)```", guide, re.DOTALL)[1])


@pytest.fixture
def told(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The names that the page's own lines set."""
    (tmp_path / "proof.json").write_text(CliRunner().invoke(command, ["proof", str(root / EXAMPLE)]).output)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(lines_of(root), names)
    return names


def gate(world: "World", compiled: dict[str, Any], told: dict[str, Any], wanted: str) -> "Contract":
    log_id = bytes.fromhex(told["told"]["logId"][2:])
    head = told["told"]["checkpoint"]
    standing(world, log_id, head["treeSize"], bytes.fromhex(head["rootHash"][2:]))
    arguments = (world.proofs.address, world.registry.address, log_id, wanted)
    made: Contract = type(world.registry)(world.evm, compiled["Gate"], arguments=arguments)
    made.errors |= {key: item for one in (world.registry, world.proofs) for key, item in one.errors.items()}
    return made


def ask(made: "Contract", told: dict[str, Any]) -> int:
    """web3 takes what the page's lines made, as it is."""
    data = Web3().eth.contract(abi=made.artefact["abi"]).encode_abi("requireConfirmed", args=list(told["arguments"]))
    return int.from_bytes(made.send(bytes.fromhex(data[2:])), "big")


def test_the_gate_opens_for_the_receivable_that_it_names(
    world: "World", compiled: dict[str, Any], told: dict[str, Any]
) -> None:
    wanted = told["confirmed"]["fields"]["object"]["json"]
    assert ask(gate(world, compiled, told, wanted), told) == told["confirmed"]["epoch"]


def test_it_stays_shut_for_another_one_and_for_another_record(
    world: "World", compiled: dict[str, Any], told: dict[str, Any]
) -> None:
    with pytest.raises(Exception, match="RootMismatch"):
        ask(gate(world, compiled, told, json.dumps("00" * 16)), told)
    registered = next(fact for fact in told["told"]["facts"] if fact["recordType"] == 0x0101)
    checkpoint, *_ = told["arguments"]
    told["arguments"] = checkpoint, *(registered[name] for name in ("epochProof", "entryProof")), told["claim"]
    with pytest.raises(AssertionError, match="no typed error"):  # require with words
        ask(gate(world, compiled, told, registered["fields"]["object"]["json"]), told)
