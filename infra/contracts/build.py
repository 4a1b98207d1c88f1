"""Builds the contracts with the pinned compiler and writes what Python needs of them. Standard library only.

run:  python infra/contracts/build.py           writes hybrid_bridge/adapters/abi/*.json
      python infra/contracts/build.py --check   builds in two other folders, compares every byte with what is committed
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CONTRACTS = ROOT / "contracts"
ARTEFACTS = ROOT / "hybrid_bridge" / "adapters" / "abi"
NAMES = ("AnchorRegistry", "ProofVerifier")
INSTALL = "./infra/contracts/install.sh"


def pinned_version() -> str:
    """The compiler version of `foundry.toml`; `package.json` must pin the same."""
    wanted: str = _profile(CONTRACTS)["solc"]
    pinned: str = json.loads((HERE / "package.json").read_text())["dependencies"]["solc"]
    if wanted != pinned:
        sys.exit(f"foundry.toml wants solc {wanted}, package.json pins {pinned}")
    return wanted


def compiler() -> list[str] | None:
    """The command that runs the pinned compiler, or None if node or the compiler is missing."""
    node = shutil.which("node")
    return [node, str(HERE / "solc.js")] if node and _modules().is_dir() else None


def build(contracts: Path) -> dict[str, str]:
    """The artefacts, by file name, of the sources in this folder."""
    sources = {
        path.relative_to(contracts).as_posix(): path.read_text() for path in sorted(contracts.rglob("src/**/*.sol"))
    }
    settings = _settings(contracts)
    outputs = ["abi", "metadata", "storageLayout", "evm.bytecode.object", "evm.deployedBytecode.object"]
    request = {
        "language": "Solidity",
        "sources": {name: {"content": text} for name, text in sources.items()},
        "settings": {**settings, "outputSelection": {"*": {"*": outputs}}},
    }
    answer = json.loads(_node([], json.dumps(request)))
    if answer.get("errors"):  # a warning too: no source of ours may have one
        sys.exit("\n".join(error["formattedMessage"] for error in answer["errors"]))
    found = {f"{name}.json": answer["contracts"][f"src/{name}.sol"][name] for name in NAMES}
    return {name: _artefact(output, sources, settings) for name, output in found.items()}


def _artefact(output: dict[str, Any], sources: dict[str, str], settings: dict[str, Any]) -> str:
    metadata = json.loads(output["metadata"])
    runtime = output["evm"]["deployedBytecode"]["object"]
    artefact = {
        "compiler": metadata["compiler"]["version"],
        "settings": settings,
        "source_sha256": _digest({name: sources[name] for name in metadata["sources"]}),
        "runtime_code_hash": "0x" + _node(["--keccak256"], runtime).strip(),
        "abi": output["abi"],
        "storage_layout": _without_ids(output["storageLayout"]),
        "bytecode": "0x" + output["evm"]["bytecode"]["object"],
        "runtime_bytecode": "0x" + runtime,
    }
    return json.dumps(artefact, indent=1) + "\n"


def _digest(sources: dict[str, str]) -> str:
    lines = (f"{hashlib.sha256(text.encode()).hexdigest()}  {name}\n" for name, text in sorted(sources.items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _without_ids(layout: dict[str, Any]) -> Any:
    """Node numbers of the syntax tree change with every unrelated line."""
    text = re.sub(r"\)\d+_storage", ")_storage", json.dumps(layout))
    text = re.sub(r"\((HeadWord)\)\d+", r"(\1)", text)
    return json.loads(text, object_hook=lambda node: {k: v for k, v in node.items() if k not in ("astId", "contract")})


def _profile(contracts: Path) -> dict[str, Any]:
    profile: dict[str, Any] = tomllib.loads((contracts / "foundry.toml").read_text())["profile"]["default"]
    return profile


def _settings(contracts: Path) -> dict[str, Any]:
    profile = _profile(contracts)
    return {
        "viaIR": profile["via_ir"],
        "optimizer": {"enabled": profile["optimizer"], "runs": profile["optimizer_runs"]},
        "evmVersion": profile["evm_version"],
        "metadata": {"bytecodeHash": profile["bytecode_hash"], "appendCBOR": profile["cbor_metadata"]},
    }


def _modules() -> Path:
    cache = os.environ.get("HYBRID_BRIDGE_CACHE") or Path.home() / ".cache" / "hybrid-bridge"
    return Path(cache) / f"solc-{pinned_version()}" / "node_modules"


def _node(arguments: list[str], stdin: str) -> str:
    command = compiler()
    if command is None:
        sys.exit(f"the compiler is not installed: {INSTALL}")
    environment = {**os.environ, "NODE_PATH": str(_modules())}
    done = subprocess.run(
        [*command, *arguments], input=stdin, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def check() -> list[str]:
    """What is wrong with the committed artefacts; nothing, if two builds in two folders give the same bytes."""
    builds = []
    for _ in range(2):
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "contracts"
            shutil.copytree(CONTRACTS, copy)
            builds.append(build(copy))
    faults = [] if builds[0] == builds[1] else ["two builds of the same source differ"]
    for name, text in builds[0].items():
        if not (ARTEFACTS / name).is_file() or (ARTEFACTS / name).read_text() != text:
            faults.append(f"{name} is not what its source gives; run infra/contracts/build.py and commit")
    return faults


def main() -> None:
    """Build, or check what is committed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    if parser.parse_args().check:
        faults = check()
        sys.exit("\n".join(faults) if faults else None)
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    for name, text in build(CONTRACTS).items():
        (ARTEFACTS / name).write_text(text)
        artefact = json.loads(text)
        print(f"{name}: {len(artefact['runtime_bytecode']) // 2 - 1} bytes, code hash {artefact['runtime_code_hash']}")


if __name__ == "__main__":
    main()
