"""What the deployed code is and is not: its size, its instructions, its interface, the names of its errors."""

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hybrid_bridge import errors
from hybrid_bridge.core.anchor import ANCHORED
from hybrid_bridge.core.encoding import type_hash
from hybrid_bridge.core.epoch import EPOCH_TYPE
from hybrid_bridge.core.genesis import GENESIS_TYPE
from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.core.validators import VALIDATOR_SET_TYPE

if TYPE_CHECKING:
    from tests.evm.conftest import World

NAMES = ("AnchorRegistry", "ProofVerifier")
SOURCES = Path(__file__).parents[2] / "contracts" / "src"
NEVER = {  # instructions that no code of ours needs
    0x32: "ORIGIN", 0x33: "CALLER", 0x34: "CALLVALUE beyond the refusal of ether", 0x31: "BALANCE", 0x47: "SELFBALANCE",
    0x3B: "EXTCODESIZE", 0x40: "BLOCKHASH", 0x44: "PREVRANDAO", 0x49: "BLOBHASH", 0x5C: "TLOAD", 0x5D: "TSTORE",
    0x5E: "MCOPY", 0x5F: "PUSH0", 0x1E: "CLZ", 0xF0: "CREATE", 0xF1: "CALL", 0xF2: "CALLCODE", 0xF4: "DELEGATECALL",
    0xF5: "CREATE2", 0xFF: "SELFDESTRUCT",
}  # fmt: skip
ALLOWED = {
    "AnchorRegistry": {0x33, 0x34, 0x3B, 0xF1},  # the guardian is a caller; a batch calls the registry itself
    "ProofVerifier": {0x34, 0x3B},  # a value is looked at, to be refused; the registry has code
}
EPOCH = "address,bytes32,(uint64,bytes32,bytes32[]),(bytes,bytes32[])"
INTERFACE = {
    "AnchorRegistry": {
        "register(bytes,string,bytes)",
        "anchor(bytes32,uint64,(uint64,bytes32,bytes32,uint64),bytes32[],bytes)",
        "anchorBatch((bytes32,uint64,(uint64,bytes32,bytes32,uint64),bytes32[],bytes)[])",
        "publishNames(bytes32,bytes,string[])",
        "pause(bytes32,uint64,bytes32,(bytes32,uint64,bytes))",
        "pauseByGuardian(bytes32,uint64,bytes32)",
        "resume(bytes32,bytes32,(bytes32,uint64,bytes))",
        "retire(bytes32,bytes,(bytes32,uint64,bytes))",
        "reportEquivocation(bytes32,(uint64,bytes32,bytes32,uint64),bytes,(uint64,bytes32,bytes32,uint64),bytes)",
        "reportInconsistent(bytes32,(uint64,bytes32,bytes32,uint64),bytes,bytes32,bytes32[])",
        "rotateValidators(bytes32,uint64,(bytes32,uint64,bytes),bytes,bytes)",
        "head(bytes32)",
        "overdue(bytes32)",
        "isFresh(bytes32,uint64)",
        "verifyHistorical(bytes32,uint64,bytes32,bytes32[])",
        "setKey(bytes32)",
        "brake(bytes32)",
        "successor(bytes32)",
    },
    "ProofVerifier": {
        "verifyInclusion(bytes32,uint64,uint64,bytes32[],bytes32)",
        "verifyConsistency(uint64,uint64,bytes32[],bytes32,bytes32)",
        f"verifyEpoch({EPOCH})",
        f"verifyEntry({EPOCH},(bytes,uint64,bytes32[]))",
        f"verifyDisclosure({EPOCH},(bytes,uint64,bytes32[]),(bytes,uint64,bytes32[]))",
        f"verifyRegistryPresence({EPOCH},bytes32,bytes32,bytes32[])",
        f"verifyRegistryAbsence({EPOCH},bytes32,(bool,bytes32,bytes32),bytes32[])",
    },
}


def artefact(name: str) -> dict[str, Any]:
    place = Path(__file__).parents[2] / "hybrid_bridge" / "adapters" / "abi" / f"{name}.json"
    document: dict[str, Any] = json.loads(place.read_text())
    return document


def instructions(code: bytes) -> list[int]:
    """Without the constants that PUSH carries."""
    found, place = [], 0
    while place < len(code):
        found.append(code[place])
        place += 1 + (code[place] - 0x5F if 0x60 <= code[place] <= 0x7F else 0)
    return found


def kinds(name: str, kind: str) -> list[dict[str, Any]]:
    return [item for item in artefact(name)["abi"] if item["type"] == kind]


def signature(item: dict[str, Any]) -> str:
    return f"{item['name']}({','.join(type_of(part) for part in item['inputs'])})"


def type_of(part: dict[str, Any]) -> str:
    if not part["type"].startswith("tuple"):
        return str(part["type"])
    return f"({','.join(type_of(inner) for inner in part['components'])}){part['type'][5:]}"


# ── code ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", NAMES)
def test_the_code_has_no_instruction_that_gives_power_or_needs_a_newer_chain(name: str) -> None:
    code = bytes.fromhex(artefact(name)["runtime_bytecode"][2:])
    assert {NEVER[one] for one in instructions(code) if one in NEVER and one not in ALLOWED[name]} == set()


def test_the_registry_calls_nobody_but_itself_and_asks_only_for_its_guardian() -> None:
    """One CALL, from `anchorBatch` to ADDRESS; one CALLER, in `pauseByGuardian`."""
    found = instructions(bytes.fromhex(artefact("AnchorRegistry")["runtime_bytecode"][2:]))
    assert found.count(0xF1) == 1
    place = found.index(0xF1)
    assert 0x30 in found[max(0, place - 40) : place], "the callee is ADDRESS"
    assert found.count(0x33) <= 2, "compared, and named in the refusal"


@pytest.mark.parametrize("name", NAMES)
def test_nothing_takes_ether(world: "World", name: str) -> None:
    assert {item["stateMutability"] for item in kinds(name, "function")} <= {"view", "nonpayable"}
    assert kinds(name, "receive") == kinds(name, "fallback") == []
    contract = world.registry if name == "AnchorRegistry" else world.proofs
    for calldata in (b"", b"\x00\x00\x00\x00", contract.calldata(*good_call(name))):
        with pytest.raises(RuntimeError, match="Revert"):
            world.evm.message_call("0x" + "11" * 20, contract.address, calldata=calldata, value=1)


def good_call(name: str) -> tuple[Any, ...]:
    zero = bytes(32)
    return ("head", zero) if name == "AnchorRegistry" else ("verifyInclusion", zero, 0, 1, [], zero)


@pytest.mark.parametrize(("name", "limit"), [("AnchorRegistry", 14_600), ("ProofVerifier", 7_000)])
def test_the_artefact_is_whole(world: "World", name: str, limit: int) -> None:
    whole = artefact(name)
    code = bytes.fromhex(whole["runtime_bytecode"][2:])
    assert len(code) <= limit
    assert whole["runtime_code_hash"] == "0x" + keccak256(code).hex()
    assert whole["bytecode"].endswith(whole["runtime_bytecode"][2:])
    assert world.evm.get_code(world.deploy(name).address).rstrip(b"\x00") == code.rstrip(b"\x00")
    assert whole["compiler"].startswith("0.8.37+")
    assert whole["settings"]["evmVersion"] == "paris"


# ── interface ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", NAMES)
def test_the_functions_are_those_of_the_page_and_no_constructor_takes_anything(name: str) -> None:
    assert {signature(item) for item in kinds(name, "function")} == INTERFACE[name]
    assert [item["inputs"] for item in kinds(name, "constructor")] == [[]]


def test_the_events_are_those_of_the_page() -> None:
    found = {signature(item): [part["indexed"] for part in item["inputs"]] for item in kinds("AnchorRegistry", "event")}
    assert found == {
        "Anchored(bytes32,uint64,bytes32,uint64,uint64,uint64)": [True, True, False, False, False, False],
        "Registered(bytes32,string,bytes)": [True, False, False],
        "ValidatorSet(bytes32,uint64,bytes32,uint64,bytes)": [True, True, False, False, False],
        "AnchorRefused(bytes32,uint64,bytes4)": [True, False, False],
        "ValidatorNamed(bytes32,uint64,address,string)": [True, True, True, False],
        "Paused(bytes32,uint64,uint64,bytes32,bool)": [True, False, False, False, False],
        "Resumed(bytes32,uint64,bytes32)": [True, False, False],
        "Retired(bytes32,bytes32,uint64,bytes32)": [True, True, False, False],
        "Equivocated(bytes32,uint64,bytes32,bytes32,uint64,uint64)": [True, True, False, False, False, False],
        "Inconsistent(bytes32,uint64,bytes32,bytes32,uint64,uint64)": [True, True, False, False, False, False],
        "Frozen(bytes32,uint64,bytes32)": [True, False, False],
    }
    assert ANCHORED in {keccak256(one.encode()) for one in found}
    assert kinds("ProofVerifier", "event") == []


def test_the_storage_is_that_of_the_page() -> None:
    layout = artefact("AnchorRegistry")["storage_layout"]
    assert [(one["label"], one["slot"]) for one in layout["storage"]] == [("_logs", "0")]
    log = layout["types"]["t_struct(Log)_storage"]["members"]
    expected = ["meta", "root", "setKey", "brake", "nextKey", "successor"]
    assert [(one["label"], one["slot"], one["offset"]) for one in log] == [
        (name, str(i), 0) for i, name in enumerate(expected)
    ]
    brake = layout["types"]["t_struct(Brake)_storage"]["members"]
    assert [(one["label"], one["offset"]) for one in brake] == [
        ("guardian", 0),
        ("pauseMax", 20),
        ("grace", 24),
        ("nonce", 28),
    ]
    assert artefact("ProofVerifier")["storage_layout"]["storage"] == []


def test_the_constants_of_the_sources_are_the_hashes_of_their_strings() -> None:
    for file, text in (("Genesis", GENESIS_TYPE), ("EpochRecord", EPOCH_TYPE), ("ValidatorSets", VALIDATOR_SET_TYPE)):
        source = (SOURCES / "libraries" / f"{file}.sol").read_text()
        assert f"TYPE_HASH = 0x{type_hash(text).hex()}" in source
        assert text in source.replace("\n    /// ", "").replace(",uint", ",uint")


# ── errors ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


@pytest.mark.parametrize("name", NAMES)
def test_every_error_is_a_class_of_ours_with_the_same_words_in_the_same_order(name: str) -> None:
    for item in kinds(name, "error"):
        ours = getattr(errors, item["name"])
        assert [one.name for one in fields(ours)] == [snake(part["name"]) for part in item["inputs"]]


def test_errors_stand_under_the_branch_and_in_the_order_of_the_tree() -> None:
    branch, declared = errors.BridgeError, []
    for line in (SOURCES / "Errors.sol").read_text().splitlines():
        if heading := re.match(r"// ── (\w+):", line):
            branch = getattr(errors, heading[1])
        if error := re.match(r"error (\w+)\(", line):
            assert issubclass(getattr(errors, error[1]), branch)
            declared.append(error[1])
    branches = (errors.malformed, errors.refuted, errors.undecided, errors.rejected, errors.broken)
    order = {name: place for place, name in enumerate(name for module in branches for name in vars(module))}
    assert declared == sorted(declared, key=order.__getitem__)
    used = {item["name"] for name in NAMES for item in kinds(name, "error")}
    assert used == set(declared)


# ── sources ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", sorted(SOURCES.rglob("*.sol")), ids=lambda path: path.name)
def test_sources_are_short_pinned_and_without_strings_in_errors(path: Path) -> None:
    text = path.read_text()
    limit = 300 if path.name in ("AnchorRegistry.sol", "ProofVerifier.sol") else 150
    assert path.parent.name == "interfaces" or len(text.splitlines()) <= limit, "interfaces carry all natspec"
    assert text.startswith("// SPDX-License-Identifier: Apache-2.0\npragma solidity 0.8.37;\n")
    assert not re.search(r"\brequire\(|revert\(\"|tx\.origin|selfdestruct|delegatecall|modifier ", text)
    if "assembly" in text:
        assert path.name in {"Tree.sol", "Seals.sol", "TypedData.sol", "ValidatorSets.sol"}  # CONTRACT §6
        assert text.count("assembly") == text.count('assembly ("memory-safe")')
