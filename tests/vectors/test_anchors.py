"""The anchor vectors are what the slow reference says, and the code says the same."""

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from hybrid_bridge import errors
from hybrid_bridge.core.anchor import EvmAnchor, verify_evm_anchor
from hybrid_bridge.core.attestation import Checkpoint

HERE = Path(__file__).parent
DOCUMENT = json.loads((HERE / "anchor" / "evm.json").read_text())
NAMED = {"evm-contract-from-bundle-only", "evm-status-0", "evm-other-topic", "evm-log-index-other",
         "evm-receipt-proof-wrong-key", "evm-descendant-unlinked"}  # fmt: skip


def unhex(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("0x"):
        return bytes.fromhex(value[2:])
    if isinstance(value, list):
        return tuple(map(unhex, value))
    return {key: unhex(inner) for key, inner in value.items()} if isinstance(value, dict) else value


def test_the_file_is_what_the_generator_makes(tmp_path: Path) -> None:
    subprocess.run([sys.executable, HERE / "anchors.py", tmp_path], check=True, cwd=HERE)
    assert (tmp_path / "anchor" / "evm.json").read_bytes() == (HERE / "anchor" / "evm.json").read_bytes()


def test_every_named_case_is_there_and_most_are_negative() -> None:
    assert {case["name"].split()[0] for case in DOCUMENT["cases"] if case["class"] != "ok"} >= NAMED
    assert sum(case["class"] != "ok" for case in DOCUMENT["cases"]) >= 0.8 * DOCUMENT["count"]


@pytest.mark.parametrize("case", DOCUMENT["cases"], ids=lambda case: case["name"])
def test_the_verifier_says_what_the_vector_says(case: dict[str, Any]) -> None:
    anchor, checkpoint = EvmAnchor(**unhex(case["input"])), Checkpoint(**unhex(DOCUMENT["checkpoint"]))
    if case["class"] == "ok":
        assert asdict(verify_evm_anchor(anchor, checkpoint)) == unhex(case["expected"])
        return
    with pytest.raises(errors.BridgeError) as caught:
        verify_evm_anchor(anchor, checkpoint)
    assert type(caught.value).__name__ == case["expected"]
    assert isinstance(caught.value, getattr(errors, case["class"]))
