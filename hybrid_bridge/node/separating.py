"""No key has two uses: what one key signs must never be taken for what another would have signed.

Looked at in every start, by content: two files with the same key, the engine's files, and an attestation key that is
kept elsewhere and known by its address alone. Of the other members only what is public can be compared.
Source: RELAYER §6; ADR 40.
"""

import json
from base64 import b64decode
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from hybrid_bridge.core.signing import address_of, address_of_compressed, public_key_of
from hybrid_bridge.errors import FieldMalformed, KeyUnusable
from hybrid_bridge.units import Address

ENGINE_NODE: Final = "engine's node"
ENGINE_FILES: Final = {"consensus": "config/priv_validator_key.json", ENGINE_NODE: "config/node_key.json"}
MAX_KEY_FILE: Final = 1 << 16
SECRET: Final = 32  # bytes


def require_separate(secrets: Mapping[str, bytes], attestation: Address | None) -> None:
    """Return if no two of these secrets, by name, are one key, and none is the attestation key of this address.

    Raises:
        KeyUnusable: two are; the second is named, and in the rule the first.
    """
    seen: dict[bytes, str] = {}
    for name, secret in secrets.items():
        other = seen.setdefault(secret, name)
        if other != name:
            raise KeyUnusable(key=name, rule=f"a key of its own; it is the {other} key")
        if name != "attestation" and attestation is not None and _address(secret) == attestation:
            raise KeyUnusable(key=name, rule="a key of its own; it is the attestation key")


def require_separate_public(addresses: Mapping[str, bytes], consensus: Mapping[str, bytes]) -> None:
    """Return if no member's attestation key is another's, or anybody's consensus key.

    Args:
        addresses: of attestation keys, by member.
        consensus: compressed secp256k1 keys, by member.

    Raises:
        FieldMalformed: one is, or a consensus key is no point.
    """
    seen: dict[bytes, str] = {}
    for name, address in (*addresses.items(), *((name, address_of_compressed(key)) for name, key in consensus.items())):
        if address in seen:
            raise FieldMalformed(field=f"members.{name}", rule=f"keys of its own; one is {seen[address]}'s already")
        seen[address] = name


def tls_secret(pem: bytes) -> bytes:
    """The 32 bytes of a P-256 key; of another kind of key its PEM, which is no 32 bytes."""
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return pem  # unusable, and told where TLS is made
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.key_size == 8 * SECRET:
        return key.private_numbers().private_value.to_bytes(SECRET, "big")
    return pem


def engine_secrets(home: Path) -> Iterator[tuple[str, bytes]]:
    """The keys in the files of our consensus engine, if there is one.

    Raises:
        KeyUnusable: a file is there and is not what the engine reads.
    """
    for name, file in ENGINE_FILES.items():
        path = home / file
        if not path.exists():
            continue
        yield name, _secret(path, name)[:SECRET]  # of Ed25519 the public key stands behind it


def consensus_secret(path: Path) -> bytes:
    """The consensus key in a file as the engine writes it.

    Raises:
        KeyUnusable: none.
    """
    return _secret(path, "consensus")


def _secret(path: Path, name: str) -> bytes:
    try:
        with path.open("rb") as opened:
            found = json.loads(opened.read(MAX_KEY_FILE))
        return b64decode(found["priv_key"]["value"], validate=True)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise KeyUnusable(key=name, rule=f"a key in {path.name} as the engine writes it") from None


def _address(secret: bytes) -> Address | None:
    try:
        return address_of(public_key_of(secret))
    except FieldMalformed:
        return None
