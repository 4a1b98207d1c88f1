"""Refuted: keep the bytes: they are evidence."""

from dataclasses import dataclass
from typing import ClassVar

from hybrid_bridge.errors.base import BridgeError
from hybrid_bridge.units import Address, Digest


@dataclass(kw_only=True, eq=False)
class Refuted(BridgeError):
    """Well-formed and false. Keep the bytes: they are the evidence."""

    exit_code: ClassVar[int] = 1


@dataclass(kw_only=True, eq=False)
class RootMismatch(Refuted):
    """The path leads to another root than the attested one."""

    cites: ClassVar[str] = "SPEC §2"
    expected: Digest
    calculated: Digest


@dataclass(kw_only=True, eq=False)
class SetMismatch(Refuted):
    """These validators are not the set that is responsible here."""

    cites: ClassVar[str] = "SPEC §8.1"
    expected: Digest
    calculated: Digest


@dataclass(kw_only=True, eq=False)
class BelowQuorum(Refuted):
    """Fewer validators signed than the quorum rule asks for."""

    cites: ClassVar[str] = "SPEC §8.1"
    needed: int
    got: int


@dataclass(kw_only=True, eq=False)
class SignatureWrong(Refuted):
    """A signature does not verify under the named key."""

    signer: str


@dataclass(kw_only=True, eq=False)
class SignerUnknown(Refuted):
    """A signature recovers to an address outside the responsible set."""

    cites: ClassVar[str] = "SPEC §8.2"
    address: Address


@dataclass(kw_only=True, eq=False)
class NewcomerUnproven(Refuted):
    """A new validator has not proven that it holds its key."""

    validator: Address


@dataclass(kw_only=True, eq=False)
class HeadConflict(Refuted):
    """The public chain already holds another root for this size: two histories exist."""

    size: int
    head: Digest
    root: Digest


@dataclass(kw_only=True, eq=False)
class IndexPresent(Refuted):
    """The registry holds this index, which was said to be absent."""

    cites: ClassVar[str] = "SPEC §9.1"
    index: Digest


@dataclass(kw_only=True, eq=False)
class FieldMismatch(Refuted):
    """Two places that must agree do not."""

    field: str
    expected: str
    got: str


@dataclass(kw_only=True, eq=False)
class Equivocation(Refuted):
    """One key signed two contradicting statements; publish both."""

    signer: str
    number: int
    first: Digest
    second: Digest


@dataclass(kw_only=True, eq=False)
class BlockInvalid(Refuted):
    """The sequencer signed a block that our own rules refuse; keep it, countersign nothing."""

    cites: ClassVar[str] = "SPEC §5"
    height: int
    reason: str


@dataclass(kw_only=True, eq=False)
class NotOmitted(Refuted):
    """What a node promised stands in the log: its promise is kept, and the claim that it was dropped is refuted."""

    cites: ClassVar[str] = "SPEC §5"
    epoch: int  # in whose batch it stands
    what: str  # entry or refusal
    leaf: Digest
