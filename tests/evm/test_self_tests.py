"""What a constructor asks of the chain before it leaves any code there."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hybrid_bridge.core.keccak import keccak256

if TYPE_CHECKING:
    from tests.evm.conftest import World

ARTEFACTS = Path(__file__).parents[2] / "hybrid_bridge" / "adapters" / "abi"


@pytest.mark.parametrize(("name", "number"), [("AnchorRegistry", 1), ("AnchorRegistry", 2), ("ProofVerifier", 2)])
def test_a_chain_without_a_precompile_refuses_the_deployment(world: "World", name: str, number: int) -> None:
    """A constant of the self-test is changed, so that the precompile seems to answer wrongly."""
    constants = {
        1: "71930e4fdae6a504a093487558289b967c414c50f3d87895ddf3b60c4a1da746",  # the digest to recover from
        2: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",  # SHA-256 of "abc"
    }
    creation = json.loads((ARTEFACTS / f"{name}.json").read_text())["bytecode"]
    assert creation.count(constants[number]) == 1
    spoilt = creation.replace(constants[number], "00" * 32)
    error = keccak256(b"PrecompileMissing(uint256)")[:4].hex() + f"{number:064x}"
    with pytest.raises(RuntimeError, match=error):
        world.evm.deploy("0x" + "11" * 20, bytes.fromhex(spoilt[2:]))
