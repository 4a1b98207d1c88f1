"""What a contract says when it refuses, as our errors: same names, same fields (CONTRACT §3.10)."""

import re
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from typing import Any, Final

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from hybrid_bridge import errors
from hybrid_bridge.adapters.evm.artefact import REGISTRY, VERIFIER, artefact, selector, signature_of, type_of
from hybrid_bridge.errors import BridgeError, TransactionRefused

_UPPER: Final = re.compile(r"(?<=[a-z0-9])[A-Z]")


def revert_error(endpoint: str, data: bytes) -> BridgeError:
    """The error that these revert bytes mean; `TransactionRefused` for those that neither contract has."""
    item = _errors().get(data[:4])
    if item is None:
        return TransactionRefused(endpoint=endpoint, reason=f"reverted {data[:4].hex()}".strip())
    try:
        values = decode([type_of(part) for part in item["inputs"]], data[4:])
    except DecodingError:
        return TransactionRefused(endpoint=endpoint, reason=f"reverted {item['name']}, fields unreadable")
    named = {snake_case(part["name"]): _plain(value) for part, value in zip(item["inputs"], values, strict=True)}
    return error_class(item["name"])(**named)


def error_class(name: str) -> type[BridgeError]:
    """Our class of that name."""
    found: type[BridgeError] = getattr(errors, name)
    return found


def missing_classes() -> list[str]:
    """Errors of both interfaces that `errors.py` lacks, or has with other fields; a test wants none."""
    missing = []
    for item in _errors().values():
        wanted = {snake_case(part["name"]) for part in item["inputs"]}
        ours = getattr(errors, item["name"], None)
        if ours is None or {field.name for field in fields(ours)} != wanted:
            missing.append(signature_of(item))
    return missing


def snake_case(name: str) -> str:
    """`publicTime` as `public_time`."""
    return _UPPER.sub(lambda match: "_" + match[0].lower(), name)


@cache
def _errors() -> Mapping[bytes, Mapping[str, Any]]:
    both = (artefact(name).of_type("error").items() for name in (REGISTRY, VERIFIER))
    return {selector(signature): item for items in both for signature, item in items}


def _plain(value: object) -> object:
    """eth_abi gives addresses as text."""
    return bytes.fromhex(value[2:]) if isinstance(value, str) else value
