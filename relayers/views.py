"""What the plan sees and what it may answer: frozen values, no methods that reach outside.

`ChainView` is one public chain at one pinned public block; `QuorumView` is what the consortium has signed, verified;
`Policy` is what the operator decided. `Action` is the plan's answer: at most one durable write and one outside effect.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from hybrid_bridge.ports import AnchoredEvent, Head, PublicBlock, Rotation
from hybrid_bridge.units import (
    Digest,
    Gas,
    LogId,
    Nonce,
    PublicBlockHash,
    Seconds,
    SetId,
    TreeSize,
    TxHash,
    UnixSeconds,
    Wei,
)
from relayers.journal import AttemptFinalRow, AttemptRow, CheckpointRow, HeaderRow, IntentRow, SlotRow

# ── observations ─────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one of our transactions stands."""

    block: PublicBlock
    is_success: bool
    gas_used: Gas | None = None
    price: Wei | None = None  # for each gas, as it was paid
    log_state: str | None = None  # after that public block; asked of a revert, and not of forgotten ones


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainView:
    """One observation. `pinned` is the public block all reads refer to; `final` is final and an ancestor of it.

    After a long absence `final` is not the newest final public block but the one up to which this tick read the events.
    """

    pinned: PublicBlock
    final: PublicBlock
    base_fee: Wei
    usual_base_fee: Wei  # median over the last 1,000 public blocks
    head: Head
    nonce: Nonce
    balance: Wei
    final_head: Head
    final_nonce: Nonce  # at least so many nonces are used at `final`
    known_final_hash: PublicBlockHash | None  # what stands now where the journal's newest final header stood
    new_anchors: tuple[AnchoredEvent, ...]  # after the journal's newest final header, up to `final`
    standings: Mapping[TxHash, Standing]  # of the journal's open attempts, final ones only
    mined: Mapping[TxHash, Standing] = field(default_factory=dict)  # mined and not final; decides nothing
    signer_code: bytes = b""  # code at our own address; a key without delegation has none (EIP-7702)
    notes: tuple[str, ...] = ()  # what was missing, and at which endpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """A set update with all the signatures that the contract asks for. Verified, every byte."""

    set_id: SetId  # of the new set
    set_hash: Digest
    digest: Digest  # what was signed
    call: Rotation


@dataclass(frozen=True, slots=True, kw_only=True)
class QuorumView:
    """What a quorum has signed, as far as this tick needs it. Verified, every byte."""

    log_id: LogId
    checkpoints: tuple[CheckpointRow, ...]  # ascending: newest, those of open intents, those at the chain's heads
    paths: Mapping[TreeSize, tuple[Digest, ...]]  # from the pinned head to these sizes
    waiting: CheckpointRow | None = None  # the oldest of a round that neither the head nor our duties cover
    claims: Mapping[str, TreeSize] = field(default_factory=dict)  # unverified: what each member that answers attested
    appointment: Appointment | None = None  # of the set after the pinned head's; None: not due, or not signed by all

    def root_at(self, size: TreeSize) -> Digest | None:
        """The root of our tree at `size`; None if no quorum's signature on it is held."""
        if size == 1:
            return Digest(self.log_id)  # SPEC §7.1
        return next((c.root for c in self.checkpoints if c.size == size), None)


# ── policy ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class LogClock:
    """The genesis record's clock (SPEC §7.1)."""

    genesis_time: UnixSeconds
    cadence: Seconds
    grace: Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class FeePolicy:
    """Money. The first four have no defaults."""

    max_fee: Wei  # hard ceiling for each gas
    tip: Wei
    max_cost_per_anchor: Wei
    daily_budget: Wei
    max_gas: Gas
    usual_gas: Gas  # guess for the first anchor; later the journal knows
    bump_blocks: int  # public blocks unmined before a fee is raised

    @property
    def reserve(self) -> Wei:
        """Kept for set updates, which need no cancel first: what is due is posted in the lowest nonce."""
        return Wei(3 * self.max_cost_per_anchor)


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnPolicy:
    """Operators take turns by courtesy; anybody may anchor."""

    operators: int
    my_index: int  # = operators for one who is not in the list
    grace_blocks: int
    anchor_every: int  # sizes of one round of turns, a power of two: one anchor each, at the first of them
    delay: Seconds  # after a checkpoint's time before it is due


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """All that the operator and the genesis record decided."""

    clock: LogClock
    fees: FeePolicy
    turns: TurnPolicy


# ── answers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Fee:
    """EIP-1559 fees for each gas."""

    max_fee: Wei
    tip: Wei


@dataclass(frozen=True, slots=True)
class RecordHeader:
    """Store a final header with the anchors up to it."""

    header: HeaderRow
    anchors: tuple[AnchoredEvent, ...]


@dataclass(frozen=True, slots=True)
class Halt:
    """Stop until a person acts; `evidence` is what contradicts what, by name."""

    reason: str
    evidence: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class CloseSlot:
    """The nonce was used for good; `halt` stands in the same commit."""

    slot: SlotRow
    finals: tuple[AttemptFinalRow, ...]
    halt: Halt | None = None


@dataclass(frozen=True, slots=True)
class SettleIntent:
    """The duty is fulfilled."""

    intent: IntentRow


@dataclass(frozen=True, slots=True)
class OpenIntent:
    """Take on a duty."""

    checkpoint: CheckpointRow


@dataclass(frozen=True, slots=True)
class OpenRotation:
    """Take on the duty to post a set update."""

    appointment: Appointment


@dataclass(frozen=True, slots=True)
class OpenSlot:
    """Take a nonce."""

    nonce: Nonce


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeAttempt:
    """Simulate, sign, store. Neither `checkpoint` nor `appointment` = cancel."""

    seen: ChainView  # the observation it rests on
    nonce: Nonce
    checkpoint: CheckpointRow | None
    fee: Fee
    from_size: TreeSize
    path: tuple[Digest, ...]
    appointment: Appointment | None = None


@dataclass(frozen=True, slots=True)
class Send:
    """Offer stored bytes to every endpoint."""

    attempt: AttemptRow


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do now, and why."""

    reason: str


Deed: TypeAlias = (
    RecordHeader | CloseSlot | SettleIntent | OpenIntent | OpenRotation | OpenSlot | MakeAttempt | Send | Halt
)
Action: TypeAlias = Deed | Wait
