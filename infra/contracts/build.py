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
OUTPUTS = ["abi", "metadata", "storageLayout", "evm.bytecode.object", "evm.deployedBytecode.object"]


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


# ── one build ────────────────────────────────────────────────────────────────────────────────────────────────────────


def build(contracts: Path) -> dict[str, str]:
    """The artefacts, by file name, of the sources in this folder."""
    sources, settings = sources_of(contracts, "src"), settings_of(contracts)
    compiled = compile_sources(sources, settings)
    found = {f"{name}.json": compiled[f"src/{name}.sol"][name] for name in NAMES}
    return {name: _artefact(output, sources, settings) for name, output in found.items()}


def sources_of(contracts: Path, *folders: str) -> dict[str, str]:
    """Every source by its path below `contracts`, in one order everywhere: the compiler numbers what it reads."""
    paths = sorted(path for folder in folders for path in (contracts / folder).rglob("*.sol"))
    return {path.relative_to(contracts).as_posix(): path.read_text() for path in paths}


def settings_of(contracts: Path) -> dict[str, Any]:
    """Those of `foundry.toml`, in the compiler's words."""
    profile = _profile(contracts)
    return {
        "viaIR": profile["via_ir"],
        "optimizer": {"enabled": profile["optimizer"], "runs": profile["optimizer_runs"]},
        "evmVersion": profile["evm_version"],
        "metadata": {"bytecodeHash": profile["bytecode_hash"], "appendCBOR": profile["cbor_metadata"]},
    }


def compile_sources(sources: dict[str, str], settings: dict[str, Any]) -> dict[str, Any]:
    """The compiler's answer by source and contract. A warning is an error."""
    request = {
        "language": "Solidity",
        "sources": {name: {"content": text} for name, text in sources.items()},
        "settings": {**settings, "outputSelection": {"*": {"*": OUTPUTS}}},
    }
    answer = json.loads(ask(json.dumps(request)))
    if answer.get("errors"):
        sys.exit("\n".join(error["formattedMessage"] for error in answer["errors"]))
    compiled: dict[str, Any] = answer["contracts"]
    return compiled


def _artefact(output: dict[str, Any], sources: dict[str, str], settings: dict[str, Any]) -> str:
    metadata = json.loads(output["metadata"])
    runtime = output["evm"]["deployedBytecode"]["object"]
    artefact = {
        "compiler": metadata["compiler"]["version"],
        "settings": settings,
        "source_sha256": _digest({name: sources[name] for name in metadata["sources"]}),
        "runtime_code_hash": "0x" + _node(["--keccak256"], runtime).strip(),
        "abi": output["abi"],
        "storage_layout": _without_numbers(output["storageLayout"]),
        "bytecode": "0x" + output["evm"]["bytecode"]["object"],
        "runtime_bytecode": "0x" + runtime,
    }
    return json.dumps(artefact, indent=1) + "\n"


def _digest(sources: dict[str, str]) -> str:
    """SHA-256 over one line per source, as `sha256sum` prints it, in order of their paths."""
    lines = (f"{hashlib.sha256(text.encode()).hexdigest()}  {name}\n" for name, text in sorted(sources.items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _without_numbers(layout: dict[str, Any]) -> dict[str, Any]:
    """The numbers of syntax nodes change with every unrelated line."""
    text = re.sub(r"\)\d+", ")", json.dumps(layout))
    stripped: dict[str, Any] = json.loads(text, object_hook=_without_nodes)
    return stripped


def _without_nodes(node: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in node.items() if name not in {"astId", "contract"}}


# ── the compiler ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _profile(contracts: Path) -> dict[str, Any]:
    profile: dict[str, Any] = tomllib.loads((contracts / "foundry.toml").read_text())["profile"]["default"]
    return profile


def _modules() -> Path:
    cache = os.environ.get("HYBRID_BRIDGE_CACHE") or Path.home() / ".cache" / "hybrid-bridge"
    return Path(cache) / f"solc-{pinned_version()}" / "node_modules"


def ask(request: str) -> str:
    """The compiler's answer in standard JSON."""
    return _node([], request)


def _node(arguments: list[str], stdin: str) -> str:
    command = compiler()
    if command is None:
        sys.exit(f"The compiler is not there. Run: {INSTALL}")
    environment = {**os.environ, "NODE_PATH": str(_modules())}
    done = subprocess.run(
        [*command, *arguments], input=stdin, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


# ── the check ────────────────────────────────────────────────────────────────────────────────────────────────────────


def build_elsewhere() -> dict[str, str]:
    """A build of a copy of the sources in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "contracts"
        shutil.copytree(CONTRACTS, copy)
        return build(copy)


def faults(built: dict[str, str], again: dict[str, str]) -> list[str]:
    """What is wrong with the committed artefacts, given two builds; nothing, if all have the same bytes."""
    found = [] if built == again else ["two builds of the same source differ"]
    for name, text in built.items():
        if not (ARTEFACTS / name).is_file() or (ARTEFACTS / name).read_text() != text:
            found.append(f"{name} is not what its source gives; run infra/contracts/build.py and commit")
    return found


def main() -> None:
    """Build, or check what is committed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    if parser.parse_args().check:
        sys.exit("\n".join(faults(build_elsewhere(), build_elsewhere())) or None)
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    for name, text in build(CONTRACTS).items():
        (ARTEFACTS / name).write_text(text)
        artefact = json.loads(text)
        print(f"{name}: {len(artefact['runtime_bytecode']) // 2 - 1} bytes, code hash {artefact['runtime_code_hash']}")


if __name__ == "__main__":
    main()
