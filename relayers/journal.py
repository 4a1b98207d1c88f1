"""The relayer's memory: rows, the view the plan reads, and the port that writes them.

Every method of `Journal` that is not one of `JournalReader` is one durable write: committed with full sync when it
returns, or not done at all. Each checks, in the same commit, that the lease is still ours (S6).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from hybrid_bridge.ports import AnchoredEvent
from hybrid_bridge.units import (
    Address,
    ChainId,
    Digest,
    EcdsaSignature,
    Gas,
    LogId,
    Nonce,
    PublicBlockHash,
    PublicBlockNumber,
    RawTransaction,
    SetId,
    TreeSize,
    TxHash,
    UnixSeconds,
    Wei,
)


class IntentState(StrEnum):
    """OPEN → FINALIZED (our checkpoint is a final anchor) or SUPERSEDED (the final head is larger and extends it)."""

    OPEN = "OPEN"
    FINALIZED = "FINALIZED"
    SUPERSEDED = "SUPERSEDED"


class IntentKind(StrEnum):
    """ANCHOR: a checkpoint. ROTATE: the statement that makes another validator set responsible (CONTRACT §3.4)."""

    ANCHOR = "anchor"
    ROTATE = "rotate"


class WishKind(StrEnum):
    """BUMP: offer more for the nonce. CANCEL: use it up for nothing."""

    BUMP = "bump"
    CANCEL = "cancel"


class Outcome(StrEnum):
    """What became of an attempt once its nonce was final. LOST: the nonce was used by other bytes."""

    OK = "OK"
    NOOP = "NOOP"
    REVERTED = "REVERTED"
    LOST = "LOST"


class Brake(StrEnum):
    """Set by a person (`desk`). SOFT: nothing new is begun. HARD: nothing is signed or sent. DRAIN: SOFT, then exit."""

    RUN = "run"
    SOFT = "soft"
    HARD = "hard"
    DRAIN = "drain"


# ── what a journal belongs to ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """One (public chain, contract), one log, one gas key."""

    chain_id: ChainId
    genesis_hash: PublicBlockHash
    contract: Address
    log_id: LogId
    signer: Address


# ── rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointRow:
    """A checkpoint that a quorum signed and that extends the ones we hold."""

    size: TreeSize
    root: Digest
    timestamp: UnixSeconds
    set_id: SetId
    digest: Digest
    previous_size: TreeSize  # `consistency` leads from here; size 1 is the log id itself
    consistency: tuple[Digest, ...]
    held_number: PublicBlockNumber  # pinned public block when we first held it; turns count from here
    received_at: UnixSeconds


@dataclass(frozen=True, slots=True)
class AttestationRow:
    """One validator's verified signature on one checkpoint."""

    size: TreeSize
    member: Address
    digest: Digest
    signature: EcdsaSignature


@dataclass(frozen=True, slots=True)
class HeaderRow:
    """A public block that was final."""

    number: PublicBlockNumber
    hash: PublicBlockHash
    parent: PublicBlockHash


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentRow:
    """The duty to get one checkpoint, or one rotation, onto the public chain."""

    id: int
    size: TreeSize  # of the checkpoint; 0 for a rotation
    root: Digest  # of the checkpoint; for a rotation the hash of the new set
    digest: Digest  # what was signed
    state: IntentState
    opened_at: UnixSeconds
    settled_hash: PublicBlockHash | None = None  # of the final public block that proved it
    settled_tx: TxHash | None = None  # the anchoring transaction, ours or another's; None when superseded
    kind: IntentKind = IntentKind.ANCHOR
    set_id: SetId | None = None  # of the new set; None for an anchor


@dataclass(frozen=True, slots=True)
class SlotRow:
    """One nonce of the gas key."""

    nonce: Nonce
    closed_hash: PublicBlockHash | None  # None while OPEN
    is_foreign: bool  # closed by a transaction this journal does not know


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRow:
    """One signed public transaction, its exact bytes. A cancel has no intent; it and a rotation aim at size 0."""

    hash: TxHash
    nonce: Nonce
    intent_id: int | None
    from_size: TreeSize
    to_size: TreeSize
    max_fee: Wei
    tip: Wei
    gas: Gas
    raw: RawTransaction
    pinned_number: PublicBlockNumber
    created_at: UnixSeconds
    epoch: int  # of the lease

    @property
    def is_cancel(self) -> bool:
        """A transaction to ourselves that only uses up the nonce."""
        return self.intent_id is None

    @property
    def is_rotation(self) -> bool:
        """A set update: it moves no head."""
        return self.intent_id is not None and self.to_size == 0

    @property
    def cost(self) -> Wei:
        """The most it can cost."""
        return Wei(self.gas * self.max_fee)


@dataclass(frozen=True, slots=True)
class AttemptFinalRow:
    """What a final public block says about an attempt."""

    hash: TxHash
    outcome: Outcome
    reason: str  # "stale": the head had moved; "paused": the contract's brake was on; "" otherwise
    block_number: PublicBlockNumber
    block_hash: PublicBlockHash
    gas_used: Gas | None = None  # of the one that stands; None for the others, and in journals of schema 1
    price: Wei | None = None  # per gas, as it was paid


@dataclass(frozen=True, slots=True)
class SendRow:
    """One endpoint's answer to one broadcast. History; decides nothing."""

    hash: TxHash
    endpoint: str
    code: int | None
    message: str
    returned_hash: TxHash | None
    sent_at: UnixSeconds


@dataclass(frozen=True, slots=True)
class SightingRow:
    """An attempt as it was seen in a public block that need not be final. History; decides nothing."""

    hash: TxHash
    block_hash: PublicBlockHash
    block_number: PublicBlockNumber
    status: int
    seen_at: UnixSeconds


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """An endpoint's answer that was not the quorum's. History; decides nothing."""

    endpoint: str
    method: str
    wanted: str
    got: str
    block_hash: PublicBlockHash | None
    seen_at: UnixSeconds


@dataclass(frozen=True, slots=True)
class WishRow:
    """What a person wants done with a nonce. Fulfilled when another attempt than `against` is its dearest."""

    nonce: Nonce
    kind: WishKind
    against: TxHash | None  # the dearest attempt when it was wished; None: there was none
    by: str
    wished_at: UnixSeconds


@dataclass(frozen=True, slots=True)
class SpendLimits:
    """S7, checked in the commit that inserts an attempt."""

    available: Wei  # balance − reserve
    per_anchor: Wei
    per_day: Wei


@dataclass(frozen=True, slots=True)
class ControlRow:
    """Brake and halt: who set them last, and when."""

    brake: Brake
    halted: str | None
    evidence: str | None  # JSON text
    by: str
    set_at: UnixSeconds


@dataclass(frozen=True, slots=True)
class HaltRow:
    """Why nothing goes on until a person acts. `evidence` is JSON text."""

    reason: str
    evidence: str
    at: UnixSeconds


@dataclass(frozen=True, slots=True)
class LeaseRow:
    """Who holds the gas key, or held it last."""

    epoch: int
    holder: str
    until: UnixSeconds


# ── what the plan reads ──────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class HeadSpan:
    """Where the log's head stood at one size, as the final anchors show it: from `first` on, no longer at `end`."""

    first: PublicBlockNumber | None  # None: at no final public block
    end: PublicBlockNumber | None  # None: it has not moved on

    def covers(self, number: PublicBlockNumber) -> bool:
        """Whether the head stood there after that public block."""
        return self.first is not None and self.first <= number and (self.end is None or number < self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalView:
    """Everything `plan` needs of the journal, read in one transaction."""

    halted: str | None
    brake: Brake
    final_header: HeaderRow | None
    open_nonces: tuple[Nonce, ...]  # ascending
    attempts: tuple[AttemptRow, ...]  # of the open slots
    open_intents: tuple[IntentRow, ...]  # anchors, ascending by size
    anchors: Mapping[TreeSize, AnchoredEvent]  # final ones at the open intents' sizes, and those of open attempts
    newest_anchor: AnchoredEvent | None  # final
    head_spans: Mapping[TreeSize, HeadSpan]  # for the size from which each open attempt starts
    unexplained_reverts: int  # newest final attempts in a row that reverted for no known reason
    usual_gas: Gas | None  # of the newest anchoring attempt
    today: Mapping[Nonce, Wei]  # cost of the dearest attempt made in this UTC day, for each nonce
    open_rotations: tuple[IntentRow, ...] = ()  # ascending by set
    rotated: Mapping[int, TxHash] = field(
        default_factory=dict
    )  # our final transaction that fulfilled an open one, by id
    wishes: Mapping[Nonce, WishRow] = field(default_factory=dict)  # the newest unfulfilled one of each open nonce
    cancelled: frozenset[Nonce] = frozenset()  # open nonces that a person wants used up for nothing, for good
    highest_nonce: Nonce | None = None  # of all slots, open or closed; None without any
    highest_closed: Nonce | None = None  # of those below all open ones: used for good
    sighted: frozenset[tuple[TxHash, PublicBlockHash]] = frozenset()  # where open attempts were seen before

    def dearest(self, nonce: Nonce) -> AttemptRow | None:
        """The attempt with the highest fee at this open nonce."""
        return max((a for a in self.attempts if a.nonce == nonce), key=lambda a: a.max_fee, default=None)

    def intent_for(self, size: TreeSize) -> IntentRow | None:
        """The open intent of this size."""
        return next((i for i in self.open_intents if i.size == size), None)

    def rotation_to(self, set_id: SetId | None) -> IntentRow | None:
        """The open intent of the rotation to this set."""
        return next((i for i in self.open_rotations if i.set_id == set_id), None)

    def committed(self, except_nonce: Nonce) -> Wei:
        """The most the other open slots can cost."""
        others = {a.nonce for a in self.attempts} - {except_nonce}
        return Wei(sum(max(a.cost for a in self.attempts if a.nonce == nonce) for nonce in others))

    def committed_today(self, except_nonce: Nonce) -> Wei:
        """The most that the other nonces' attempts of this UTC day can cost."""
        return Wei(sum(cost for nonce, cost in self.today.items() if nonce != except_nonce))


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalDump:
    """Every row that `fsck` judges, in ascending order of its key."""

    scope: Scope
    headers: tuple[HeaderRow, ...]
    checkpoints: tuple[CheckpointRow, ...]
    attestations: tuple[AttestationRow, ...]
    intents: tuple[IntentRow, ...]
    slots: tuple[SlotRow, ...]
    attempts: tuple[AttemptRow, ...]
    finals: tuple[AttemptFinalRow, ...]
    anchors: tuple[AnchoredEvent, ...]
    sends: tuple[SendRow, ...]
    wishes: tuple[WishRow, ...] = ()
    audit: tuple[str, ...] = ()  # what is wrong with the chain of events, in words


# ── the port ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class JournalReader(Protocol):
    """Reads. Each method sees one committed state.

    Errors: `StoreBroken`.
    """

    @property
    def epoch(self) -> int:
        """Of the lease this process holds."""

    def view(self, now: UnixSeconds) -> JournalView:
        """What the plan needs; `now` fixes the UTC day of the budget."""

    def checkpoint(self, size: TreeSize) -> CheckpointRow | None:
        """The checkpoint held at this size."""

    def neighbours(self, size: TreeSize) -> tuple[CheckpointRow | None, CheckpointRow | None]:
        """The nearest checkpoints held below and above this size."""

    def newest_checkpoint(self) -> CheckpointRow | None:
        """The largest one held."""

    def attestations(self, size: TreeSize) -> Sequence[AttestationRow]:
        """The verified signatures on the checkpoint of this size."""

    def dump(self) -> JournalDump:
        """Everything, for `fsck`."""


class Checkpoints(Protocol):
    """The part of a journal that collecting needs."""

    def checkpoint(self, size: TreeSize) -> CheckpointRow | None:
        """The checkpoint held at this size."""

    def neighbours(self, size: TreeSize) -> tuple[CheckpointRow | None, CheckpointRow | None]:
        """The nearest checkpoints held below and above this size."""

    def newest_checkpoint(self) -> CheckpointRow | None:
        """The largest one held."""

    def admit(self, checkpoint: CheckpointRow, attestations: Sequence[AttestationRow]) -> None:
        """Store a checkpoint with its quorum. The caller has verified both."""


class Journal(JournalReader, Protocol):
    """Writes, one commit each, durable on return.

    Errors: `LeaseLost` (another process took the gas key), `SpendCapped`, `StoreBroken`. Threads: one at a time.
    """

    def renew(self, now: UnixSeconds) -> None:
        """Prolong our lease; the first write of every tick."""

    def admit(self, checkpoint: CheckpointRow, attestations: Sequence[AttestationRow]) -> None:
        """Store a checkpoint with its quorum. The caller has verified both."""

    def record_header(self, header: HeaderRow, anchors: Sequence[AnchoredEvent]) -> None:
        """Store a final public block and all anchors of our log up to it that are new."""

    def open_intent(self, checkpoint: CheckpointRow, now: UnixSeconds) -> None:
        """We mean to anchor it."""

    def open_rotation(self, set_id: SetId, set_hash: Digest, digest: Digest, now: UnixSeconds) -> None:
        """We mean to post the rotation to this set; `digest` is what the old set signed."""

    def open_slot(self, nonce: Nonce) -> None:
        """We use this nonce."""

    def add_attempt(self, attempt: AttemptRow, limits: SpendLimits) -> None:
        """These bytes belong to this nonce. Only after this may they leave the process (S1).

        Raises:
            SpendCapped: S7 does not allow them.
        """

    def log_sends(self, sends: Sequence[SendRow]) -> None:
        """What the endpoints answered."""

    def keep_evidence(self, rows: Sequence[EvidenceRow]) -> None:
        """Answers that were not the quorum's; long ones are cut. Nothing is written for no rows."""

    def keep_sightings(self, rows: Sequence[SightingRow]) -> None:
        """Attempts in public blocks; one seen there before is kept as it was. Nothing is written for no rows."""

    def close_slot(self, slot: SlotRow, finals: Sequence[AttemptFinalRow], halted: HaltRow | None = None) -> None:
        """The nonce was used in a final public block; what stops us because of that stands in the same commit."""

    def settle_intent(self, intent: IntentRow) -> None:
        """OPEN → the settled state of `intent`, with its proof."""

    def halt(self, halted: HaltRow) -> None:
        """Stop until a person acts."""
