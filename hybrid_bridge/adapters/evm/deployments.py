"""`deployments.json`: which contracts of ours stand where, with code hash and the public block where we compared it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hybrid_bridge.adapters.evm.deploy import Deployment
from hybrid_bridge.core.encoding import Json
from hybrid_bridge.errors import SettingsMalformed, Unknown
from hybrid_bridge.units import Address, ChainId, Digest

MAX_FILE: Final = 1 << 20  # bytes; one entry has some 400


@dataclass(frozen=True, slots=True)
class Known:
    """One entry, as far as readers need it."""

    chain_id: ChainId
    contract: str
    address: Address
    code_hash: Digest


def deployment_json(deployment: Deployment) -> dict[str, Json]:
    """One entry of the file."""
    return {
        "chain_id": deployment.chain_id,
        "contract": deployment.contract,
        "address": "0x" + deployment.address.hex(),
        "code_hash": "0x" + deployment.code_hash.hex(),
        "public_block": {"number": deployment.public_block.number, "hash": "0x" + deployment.public_block.hash.hex()},
        "transaction": None if deployment.transaction is None else "0x" + deployment.transaction.hex(),
    }


def write_deployments(path: Path, made: Sequence[Deployment]) -> None:
    """Add entries to the file, replacing those of the same contract on the same chain.

    Raises:
        SettingsMalformed: the file is there and is not such a file.
    """
    entries = {_key(entry): entry for entry in _entries(path)} if path.exists() else {}
    for deployment in made:
        entry = deployment_json(deployment)
        entries[_key(entry)] = entry
    partial = path.with_name(path.name + ".part")
    text = json.dumps({"deployments": [entries[key] for key in sorted(entries)]}, indent=2)
    partial.write_text(text + "\n", encoding="utf-8")
    partial.replace(path)


def read_deployments(path: Path) -> list[Known]:
    """All entries of the file.

    Raises:
        SettingsMalformed: missing, or not such a file.
    """
    return [_known(path, entry) for entry in _entries(path)]


def deployed(path: Path, chain_id: ChainId, contract: str) -> Known:
    """The entry for this contract on this chain.

    Raises:
        Unknown: there is none.
        SettingsMalformed: missing, or not such a file.
    """
    for known in read_deployments(path):
        if (known.chain_id, known.contract) == (chain_id, contract):
            return known
    raise Unknown(what=f"{contract} on chain {chain_id} in {path.name}")


def _key(entry: Mapping[str, Any]) -> tuple[int, str]:
    return entry["chain_id"], entry["contract"]


def _entries(path: Path) -> list[dict[str, Any]]:
    try:
        with path.open("rb") as file:
            read = json.loads(file.read(MAX_FILE))
    except (OSError, ValueError):
        raise SettingsMalformed(key=path.name, rule="a JSON file that can be read") from None
    entries = read.get("deployments") if isinstance(read, dict) else None
    if not isinstance(entries, list):
        raise SettingsMalformed(key=path.name, rule='{"deployments": […]}')
    for entry in entries:
        _known(path, entry)
    return entries


def _known(path: Path, entry: object) -> Known:
    try:
        chain_id, contract, address, code_hash = _fields(entry)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise SettingsMalformed(key=path.name, rule="chain_id, contract, address and code_hash in each entry") from None
    if len(address) != 20 or len(code_hash) != 32:
        raise SettingsMalformed(key=path.name, rule="20 bytes of address, 32 of code hash, in hex")
    return Known(chain_id, contract, Address(address), Digest(code_hash))


def _fields(entry: Any) -> tuple[ChainId, str, bytes, bytes]:  # noqa: ANN401  # whatever the file holds
    address, code_hash = entry["address"].removeprefix("0x"), entry["code_hash"].removeprefix("0x")
    if type(entry["chain_id"]) is not int or type(entry["contract"]) is not str:
        raise TypeError
    return ChainId(entry["chain_id"]), entry["contract"], bytes.fromhex(address), bytes.fromhex(code_hash)
