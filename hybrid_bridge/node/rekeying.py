"""A key that follows another: made beside the one in use, put in its place when its epoch has come.

Attestation, identity, the engine's votes: each becomes the members' knowledge by a card and a decision (ADR 35, 44).
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from hybrid_bridge.adapters.cometbft.home import consensus_key_file
from hybrid_bridge.adapters.cometbft.home import public_key_of as public_key_of_vote
from hybrid_bridge.adapters.pki import Holder, request_identity
from hybrid_bridge.adapters.sqlite.file import write_whole
from hybrid_bridge.adapters.sqlite.guard import SqlGuard
from hybrid_bridge.core.signing import address_of, public_key_of
from hybrid_bridge.errors import KeyUnusable, SettingsMalformed
from hybrid_bridge.node.applying import CONSENSUS_NEXT, IDENTITY_NEXT, current_member, write_new, write_secret
from hybrid_bridge.node.directory import read_directory
from hybrid_bridge.node.engine_homes import CONSENSUS
from hybrid_bridge.node.separating import ENGINE_FILES, consensus_secret
from hybrid_bridge.node.settings import (
    ATTESTATION,
    ATTESTATION_NEXT,
    ENGINE_HOME,
    FILE,
    NodeSettings,
    read_settings,
    write_settings,
)
from hybrid_bridge.ports import Randomness
from hybrid_bridge.units import Address


def next_attestation(folder: Path, randomness: Randomness) -> Address:
    """A new attestation key beside the one in use, with a guard of its own. The node signs with both, each in its term.

    Raises:
        SettingsMalformed: there is one already.
    """
    settings, directory = read_settings(folder), read_directory(folder)
    if ATTESTATION_NEXT in settings.secrets:
        raise SettingsMalformed(key=f"secrets.{ATTESTATION_NEXT}", rule="one at a time: `member use-key` first")
    secret = randomness(32)
    address = address_of(public_key_of(secret))
    guard = SqlGuard(folder / f"guard-{address.hex()}.db")
    guard.create(directory.log_id, address)
    guard.close()
    path = write_secret(folder, f"{ATTESTATION}-{address.hex()[:8]}", secret)
    # Durable last: dead before, and nothing names it.
    rewrite_secrets(settings, {**settings.secrets, ATTESTATION_NEXT: path})
    return address


def next_identity(folder: Path, randomness: Randomness) -> Path:
    """A new identity key beside the one in use, and the request by which the authority certifies it.

    Raises:
        SettingsMalformed: there is one already.
    """
    settings, directory = read_settings(folder), read_directory(folder)
    if (folder / "keys" / f"{IDENTITY_NEXT}.key").exists():
        raise SettingsMalformed(key=IDENTITY_NEXT, rule="one at a time: `member use-key` first")
    member, secret = current_member(folder, settings.name, directory), randomness(32)
    write_secret(folder, IDENTITY_NEXT, secret)
    request = folder / f"{IDENTITY_NEXT}.csr"
    request.write_bytes(request_identity(Holder(member.name, member.legal_name, member.legal_id), secret))
    return request


def next_consensus(folder: Path, randomness: Randomness) -> bytes:
    """A new key for the engine's votes beside the one in use; the public one.

    Raises:
        SettingsMalformed: there is one already, or no engine.
    """
    if not (folder / ENGINE_HOME).exists():
        raise SettingsMalformed(key="consensus", rule="where a consensus engine orders")
    if (folder / CONSENSUS_NEXT).exists():
        raise SettingsMalformed(key="consensus", rule="one at a time: `member use-key` first")
    secret = randomness(32)
    write_new(folder / CONSENSUS_NEXT, consensus_key_file(secret), 0o600)
    return public_key_of_vote(secret)


def use_next(folder: Path, name: str) -> None:
    """Put the next key in the place of the one in use; the old file stays, for its owner to destroy.

    Raises:
        KeyUnusable: there is no next one.
    """
    settings = read_settings(folder)
    secrets = dict(settings.secrets)
    if name == "identity":
        following = folder / "keys" / f"{IDENTITY_NEXT}.key"
        if not following.exists():
            raise KeyUnusable(key=IDENTITY_NEXT, rule="made by `member new-key identity`")
        number = sum(1 for _ in (folder / "keys").glob("identity*.key"))
        secrets["identity"] = following.rename(folder / "keys" / f"identity-{number}.key")
    elif name == CONSENSUS:
        if not (folder / CONSENSUS_NEXT).exists():
            raise KeyUnusable(key=CONSENSUS, rule="made by `member new-key consensus`")
        _use_consensus(folder)
        return
    elif ATTESTATION_NEXT in secrets:
        secrets[ATTESTATION] = secrets.pop(ATTESTATION_NEXT)
        settings = replace(settings, attestation=None)
    else:
        raise KeyUnusable(key=ATTESTATION_NEXT, rule="made by `member new-key attestation`")
    rewrite_secrets(settings, secrets)


def _use_consensus(folder: Path) -> None:
    """At no time is there no key file: the engine would make itself a key that nobody knows."""
    current = folder / ENGINE_HOME / ENGINE_FILES[CONSENSUS]
    old = public_key_of_vote(consensus_secret(current)).hex()[:8]
    kept = current.with_name(f"priv_validator_key-{old}.json")
    if not kept.exists():
        kept.hardlink_to(current)
    (folder / CONSENSUS_NEXT).replace(current)


def rewrite_secrets(settings: NodeSettings, secrets: Mapping[str, Path]) -> None:
    """Name these files in the member's settings; whole or not at all."""
    write_whole(settings.folder / FILE, write_settings(replace(settings, secrets=secrets)).encode())
