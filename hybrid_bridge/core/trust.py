"""What the verifier brings: which logs, public chains and public block hashes it takes for real.

A bundle never changes it. The file is JSON for people (`hybrid-bridge/trust/v1`); unknown members are refused.
Source: SPEC §11.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from hybrid_bridge.core.encoding import canonical_json, parse_json
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.shape import Codec, array, literal, octets, record, text, uint
from hybrid_bridge.core.tlog_policy import parse_policy
from hybrid_bridge.errors import FieldMalformed
from hybrid_bridge.units import Seconds

FORMAT: Final = "hybrid-bridge/trust/v1"
MAX_TRUST: Final = 1 << 20  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedLog:
    """A log the verifier has chosen to rely on; the id fixes its first validators, clock and rules.

    `genesis` is the record that the id is the hash of. A bundle brings it; exports (SPEC §14) do not.
    """

    log_id: bytes
    genesis: bytes | None = None

    def __post_init__(self) -> None:
        """The record is the one behind the id.

        Raises:
            FieldMalformed: it is not.
        """
        if self.genesis is not None and leaf_hash(self.genesis) != self.log_id:
            raise FieldMalformed(field="trust.logs.genesis", rule="the record that log_id is the hash of")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedBlock:
    """A public block hash the verifier takes for real, from wherever it got it."""

    number: int
    hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedChain:
    """A public chain, the contracts on it that count, and block hashes known beforehand.

    `sources` names endpoints for a reader's own use; of the endpoints asked, more than half must agree, and never fewer
    than `threshold`.
    """

    chain_id: int
    contracts: tuple[bytes, ...]
    block_hashes: tuple[TrustedBlock, ...] = ()
    sources: tuple[str, ...] = ()
    threshold: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """The verifier's own file. Without a log nothing can be verified, only read."""

    logs: tuple[TrustedLog, ...] = ()
    public_chains: tuple[TrustedChain, ...] = ()
    tlog_policy: str | None = None
    tsa_roots: tuple[bytes, ...] = ()
    member_roots: tuple[bytes, ...] = ()  # DER certificates
    max_age: Seconds | None = None
    minimum_level: str | None = None
    require: tuple[str, ...] = field(default=("integrity", "quorum", "public anchor"))
    format: str = FORMAT

    @property
    def thresholds(self) -> dict[int, int]:
        """How many endpoints must agree at least, by chain."""
        return {chain.chain_id: chain.threshold for chain in self.public_chains}

    def encode(self) -> bytes:
        """The file's JSON, indented for people, with a final newline."""
        return json.dumps(_TRUST.write(self), indent=2, sort_keys=True).encode() + b"\n"


REQUIREMENTS: Final = (
    "integrity",
    "quorum",
    "names",
    "public anchor",
    "witnesses",
    "not after",
    "not before",
    "freshness",
    "registry",
    "omission",
    "governance since",
)  # the verdicts that a trust file may require; the level has a member of its own

_BLOCK = record(TrustedBlock, {"number": uint(), "hash": octets(32)})
_CHAIN = record(
    TrustedChain,
    {
        "chain_id": uint(),
        "contracts": array(octets(20), 64),
        "block_hashes": array(_BLOCK, 4096),
        "sources": array(text(512), 16),
        "threshold": uint(16),
    },
)
_TRUST: Codec[Trust] = record(
    Trust,
    {
        "format": literal(FORMAT),
        "logs": array(record(TrustedLog, {"log_id": octets(32)}, {"genesis": octets(832)}), 256),
        "public_chains": array(_CHAIN, 64),
        "tsa_roots": array(octets(None, 1 << 14), 64),
        "member_roots": array(octets(None, 1 << 14), 64),
        "require": array(literal(*REQUIREMENTS), len(REQUIREMENTS)),
    },
    {"tlog_policy": text(1 << 16), "max_age": uint(), "minimum_level": literal("A0", "A1", "A2", "A3")},
)


def parse_trust(data: bytes) -> Trust:
    """Parse a trust file. White space is free; members are strict.

    Raises:
        Malformed: not JSON, a doubled or unknown member, a value out of range, a chain or a public block twice.
    """
    value = parse_json(data, "trust", MAX_TRUST)
    canonical_json(value)  # our value set only: no integer too large, no lone surrogate
    trust = _TRUST.parse(value, "trust")
    if trust.tlog_policy is not None:
        parse_policy(trust.tlog_policy)  # refused here, not when the first witness is met
    _require_once([chain.chain_id for chain in trust.public_chains], "trust.public_chains")
    for chain in trust.public_chains:
        _require_once([block.number for block in chain.block_hashes], "trust.public_chains.block_hashes")
    return trust


def _require_once(numbers: Sequence[int], field: str) -> None:
    """What stands twice could contradict itself, and one of the two would be ignored."""
    if len(set(numbers)) != len(numbers):
        raise FieldMalformed(field=field, rule="each number once")
