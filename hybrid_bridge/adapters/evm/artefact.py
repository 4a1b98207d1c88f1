"""The committed contracts: interface, code, code hash. Rebuilt from source and compared in CI (CONTRACT §6)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from hybrid_bridge.core.encoding import require_digest
from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.errors import StoreBroken
from hybrid_bridge.units import Digest

REGISTRY = "AnchorRegistry"
VERIFIER = "ProofVerifier"


@dataclass(frozen=True, slots=True)
class Artefact:
    """One contract as it was compiled."""

    name: str
    abi: Sequence[Mapping[str, Any]]
    creation_code: bytes  # no constructor argument, so this is also the deployment's data
    runtime_code_hash: Digest  # keccak-256; no immutables, so it is equal on every chain

    def of_type(self, kind: str) -> Mapping[str, Mapping[str, Any]]:
        """The interface's items of a kind (`function`, `error`, `event`), by signature."""
        return {signature_of(item): item for item in self.abi if item["type"] == kind}


@cache
def artefact(name: str) -> Artefact:
    """A committed contract by its name.

    Raises:
        StoreBroken: this installation's file is missing or not what it says.
    """
    path = files("hybrid_bridge.adapters") / "abi" / f"{name}.json"
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
        made = Artefact(
            name,
            tuple(read["abi"]),
            bytes.fromhex(read["bytecode"].removeprefix("0x")),
            require_digest(bytes.fromhex(read["runtime_code_hash"].removeprefix("0x")), "runtime_code_hash"),
        )
        runtime = bytes.fromhex(read["runtime_bytecode"].removeprefix("0x"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise StoreBroken(store=f"abi/{name}.json", rule="the committed artefact") from None
    if keccak256(runtime) != made.runtime_code_hash:
        raise StoreBroken(store=f"abi/{name}.json", rule="runtime_code_hash is that of runtime_bytecode")
    return made


def signature_of(item: Mapping[str, Any]) -> str:
    """Name and types as they are hashed to a selector, e.g. `StaleHead(uint256,uint256)`."""
    return f"{item['name']}({','.join(map(type_of, item['inputs']))})"


def type_of(part: Mapping[str, Any]) -> str:
    """The canonical type of an input, tuples written out."""
    if not part["type"].startswith("tuple"):
        return str(part["type"])
    return f"({','.join(map(type_of, part['components']))}){part['type'].removeprefix('tuple')}"


def selector(signature: str) -> bytes:
    """The first four bytes of keccak-256 of a signature."""
    return keccak256(signature.encode("ascii"))[:4]
