"""Broken: stop and run fsck."""

from dataclasses import dataclass

from hybrid_bridge.errors.base import BridgeError
from hybrid_bridge.units import Digest


@dataclass(kw_only=True, eq=False)
class Broken(BridgeError):
    """Our own state is wrong; stop and run fsck."""


@dataclass(kw_only=True, eq=False)
class StoreBroken(Broken):
    """The store contradicts itself, or was changed by others; restore it or run fsck."""

    store: str
    rule: str


@dataclass(kw_only=True, eq=False)
class StoreMissing(StoreBroken):
    """The store is not there; make it if there never was one, or bring back what was lost."""


@dataclass(kw_only=True, eq=False)
class SchemaOlder(StoreBroken):
    """An older release made this store; stop the node and run `hybrid-bridge node migrate`."""


@dataclass(kw_only=True, eq=False)
class SchemaNewer(StoreBroken):
    """A newer release made this store, or moved it forward; use that one."""


def other_schema(store: str, wanted: str, found: str | None) -> StoreBroken:
    """The error for a store whose schema is not the one that this release has."""
    if found is None or not found.isdecimal():
        return StoreBroken(store=store, rule=f"schema {wanted}, not {found}")
    if int(found) < int(wanted):
        return SchemaOlder(store=store, rule=f"schema {wanted}, not {found}; run `hybrid-bridge node migrate`")
    return SchemaNewer(store=store, rule=f"schema {wanted}, not {found}; use the release that made it, or a newer one")


@dataclass(kw_only=True, eq=False)
class PrecompileMissing(Broken):
    """The chain lacks a precompile the contract needs; it is not supported."""

    number: int


@dataclass(kw_only=True, eq=False)
class CodeMismatch(Broken):
    """The code at the contract's address is not the code we know."""

    expected: Digest
    got: Digest
    where: str = "the contract's address"


@dataclass(kw_only=True, eq=False)
class SignerLied(Broken):
    """A key's signer returned other bytes than asked; `field` differs. Stop using it."""

    field: str


@dataclass(kw_only=True, eq=False)
class KeyUnusable(Broken):
    """A key is missing, open to others, or does not fit; mend `key`."""

    key: str
    rule: str
