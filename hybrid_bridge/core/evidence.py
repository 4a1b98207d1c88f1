"""What verification returns: separate verdicts, never one green tick (design §2; SPEC §12).

Each verdict names its result, what it rests on and, where nothing could be said, what would be needed. Beside the
verdicts stands everything that was looked at, so that no part of a bundle can change without a change of the evidence.
"""

from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from typing import Final, cast

from hybrid_bridge.core.encoding import Json, b64u
from hybrid_bridge.units import (
    Address,
    ChainId,
    Digest,
    EpochNumber,
    Height,
    KeyId,
    LeafIndex,
    LogId,
    PublicBlockHash,
    PublicBlockNumber,
    Sequence,
    TransactionId,
    TreeSize,
    UnixSeconds,
)

FORMAT: Final = "hybrid-bridge/evidence/v1"

VERIFIED: Final = "verified"
UNDECIDED: Final = "undecided"
NOT_SHOWN: Final = "not shown"
PROVEN: Final = "proven"  # an omission: the bundle holds, and what it shows is a node's breach
CLAIMED: Final = "claimed, unanswered"  # an omission of which not everything is shown

NOT_PROVEN: Final = (
    "that what was entered was true before it was entered",
    "dealings outside the ledger",
    "who stands behind a key beyond its certificate",
    "that a member's own database equals the ledger",
    "legal effect",
)
_DAY: Final = 86_400  # seconds
_LAST_SECOND: Final = 253_402_300_799  # 9999-12-31T23:59:59Z; no calendar text beyond it


def utc(moment: int) -> str:
    """A moment for people: `2026-01-05 08:00:00 UTC`; beyond the year 9999 the bare number."""
    if not 0 <= moment <= _LAST_SECOND:
        return f"second {moment}"
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def span(seconds: int) -> str:
    """A span for people: seconds up to two days, then days with one decimal, cut and not rounded."""
    if abs(seconds) < 2 * _DAY:
        return f"{seconds} s"
    tenths = abs(seconds) * 10 // _DAY
    return f"{'-' * (seconds < 0)}{tenths // 10}.{tenths % 10} days"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One answer. `result` is `verified`, `undecided`, `not shown`, or the value SPEC §12 lists for this verdict."""

    name: str
    result: str
    detail: str
    rests_on: str
    missing: str = ""

    @property
    def is_open(self) -> bool:
        """Nothing could be said; `missing` names what would be needed."""
        return self.result in (UNDECIDED, NOT_SHOWN, CLAIMED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One numbered step of SPEC §12 that was passed, and how many things it looked at."""

    number: int
    name: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedField:
    """A field that the holder disclosed."""

    name: str
    value: str | int | bool | None
    is_claim: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFact:
    """A record that stood in an epoch, with what was opened of it; `undisclosed` counts its other leaves."""

    epoch: EpochNumber
    by: UnixSeconds  # closedAt of the epoch: the ledger's clock, for which its quorum alone answers
    record_type: str  # "0x0105"
    schema: str
    leaf: Digest  # LEAF(entry)
    fields: tuple[OpenedField, ...]
    undisclosed: int
    transaction: TransactionId | None  # None: the signed transaction is not shown
    submitter: KeyId | None = None
    sequence: Sequence | None = None  # its submitter's number; counts up by one with each that stands in a block


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryFact:
    """What the registry says at one epoch about one label (SPEC §9.4); `versions` in the order shown."""

    epoch: EpochNumber
    at: UnixSeconds  # closedAt of that epoch: later events are not in it
    label: str
    versions: tuple[int, ...]
    statement: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsenceFact:
    """An entry's leaf that an epoch's batch does not hold."""

    epoch: EpochNumber
    leaf: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseFact:
    """What a node owed: the entry, or the refusal of its transaction, in a batch of the window (SPEC §5)."""

    transaction: TransactionId
    entry_leaf: Digest
    accepted_at: UnixSeconds  # the node's own clock
    accepted_epoch: EpochNumber
    by_epoch: EpochNumber
    signer: str  # "" when no certificate shown holds the key: then nobody has checked the signature


@dataclass(frozen=True, slots=True, kw_only=True)
class GovernanceFact:
    """One governance record between two epochs, in plain words."""

    index: LeafIndex
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockFact:
    """The last block of an epoch in a consensus engine, and by name who signed it."""

    epoch: EpochNumber
    height: Height
    signers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorFact:
    """One public anchor. `basis` says who vouches for the public block; if nobody does, `missing` says what would."""

    tree_size: TreeSize
    chain_id: ChainId
    contract: Address
    block_number: PublicBlockNumber
    block_hash: PublicBlockHash
    block_time: UnixSeconds
    last_number: PublicBlockNumber  # the newest header shown; its hash is what has to be trusted
    last_hash: PublicBlockHash
    basis: str
    missing: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BeaconFact:
    """The public block that an epoch names: the epoch was not finished before it. `basis` as in `AnchorFact`."""

    epoch: EpochNumber
    chain_id: ChainId
    block_number: PublicBlockNumber
    time: UnixSeconds
    basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenFact:
    """One RFC 3161 token. `basis` says which of the verifier's roots its authority leads to; "" if none does."""

    place: str  # "size 4" or "renewal 0": what it is over
    authority: str  # subject of the certificate that signed
    time: UnixSeconds  # what it is over existed by then: genTime and its accuracy, rounded up
    until: UnixSeconds  # the last second of that certificate
    hash: str  # of the imprint
    sha256: Digest  # of the token
    basis: str
    missing: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtefactFact:
    """A document whose SHA-256 a disclosed field holds. Name, media type, size and other digests are the holder's."""

    name: str
    media_type: str
    size: int
    sha256: Digest
    sha512: bytes | None
    sm3: Digest | None
    field: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unjudged:
    """A part of the bundle that no check of this verifier judges, by place and SHA-256 of its bytes."""

    place: str
    sha256: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The whole answer. `complete` is true when everything the trust file requires was verified."""

    log_id: LogId
    origin: str
    purpose: str  # what the holder wants shown; no verdict rests on it
    tree_size: TreeSize
    verdicts: tuple[Verdict, ...]
    checks: tuple[Check, ...]
    records: tuple[RecordFact, ...]
    registry: tuple[RegistryFact, ...]
    absences: tuple[AbsenceFact, ...]
    promise: PromiseFact | None
    governance: tuple[GovernanceFact, ...]
    blocks: tuple[BlockFact, ...]
    anchors: tuple[AnchorFact, ...]
    tokens: tuple[TokenFact, ...]
    beacons: tuple[BeaconFact, ...]
    artefacts: tuple[ArtefactFact, ...]
    signers: tuple[str, ...]
    warnings: tuple[str, ...]
    missing: tuple[str, ...]
    unjudged: tuple[Unjudged, ...]
    not_proven: tuple[str, ...] = NOT_PROVEN

    @property
    def complete(self) -> bool:
        """Nothing that was required is missing."""
        return not self.missing

    def verdict(self, name: str) -> Verdict:
        """The verdict of that name; every evidence has all of them.

        Raises:
            KeyError: there is no such verdict.
        """
        return {verdict.name: verdict for verdict in self.verdicts}[name]

    def to_json(self) -> dict[str, Json]:
        """For machines: the same content, names as here, bytes as base64url."""
        members = cast("dict[str, Json]", _json(self))
        return {"format": FORMAT, "complete": self.complete, **members}


def _json(value: object) -> Json:
    if isinstance(value, bytes):
        return b64u(value)
    if isinstance(value, tuple):
        return [_json(item) for item in value]
    if is_dataclass(value):
        return {field.name: _json(getattr(value, field.name)) for field in fields(value)}
    return cast("Json", value)  # the rest is text, integers, booleans and None
