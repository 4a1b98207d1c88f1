"""Step 2 of 6. Signed transactions in, the next block's outcome out. After `submit`, before `batch`.

Who: every member, alone, for every block; two honest ones get the same bytes. A pure function of the state before and
the block: whoever stores the state writes `BlockOutcome.writes` in the same commit as the block.
Guarantees: each transaction that stands is accepted or refused on the record, with a code and an entry (SPEC §5);
admission, sequence, expiry, insert-if-absent and the business rules hold for what was accepted.
Does not: order transactions, read a clock, check that a beacon's block is real, make the registry's life labels.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from hybrid_bridge.business.consensus import Vote, follow_set, put_engine
from hybrid_bridge.business.execution import (
    Changes,
    Rules,
    apply_transaction,
    is_debtor_doubtful,
    require_let_in,
    stateless_check,
)
from hybrid_bridge.business.membership import put_set
from hybrid_bridge.business.ruling import LifeEvent, Moment, refusal_code
from hybrid_bridge.core.block import ACCEPTED, chain_step, state_hash
from hybrid_bridge.core.entry import RefusalEntry
from hybrid_bridge.core.frontier import EMPTY, Frontier
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.ledger_state import (
    GOVERNANCE,
    Overlay,
    StateReader,
    Write,
    certificate_key,
    get_number,
    put_number,
    sequence_key,
)
from hybrid_bridge.core.position import Position
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.transaction import BeaconPayload, RecordPayload, SignedTransaction
from hybrid_bridge.core.validators import ValidatorEntry, ValidatorSet
from hybrid_bridge.errors import Expired, NotYet, RuleRejected, SequenceRejected, SetMismatch, StoreBroken, TooLong
from hybrid_bridge.units import (
    Commitment,
    Digest,
    EpochNumber,
    Height,
    KeyId,
    RegistryIndex,
    SetId,
    TransactionId,
    TreeSize,
    UnixSeconds,
)

__all__ = [
    "AT_THE_DOOR",
    "BlockOutcome",
    "LifeEvent",
    "MemberInfo",
    "Rules",
    "TransactionOutcome",
    "Vote",
    "admit",
    "execute_block",
    "genesis_state",
    "knock",
    "never_stands",
    "preview",
    "stateless_check",
]

FIRST_SET: Final = SetId(1)
AT_THE_DOOR: Final = frozenset({"admission", "entry"})  # by these rules a transaction is refused without a record
MOST_PAIRS: Final = 512  # of the registry that one record brings: its labels, and what happens to the objects it names


@dataclass(frozen=True, slots=True)
class MemberInfo:
    """A first validator: its entry in set 1, and the key of the certificate that the entry's hash names."""

    entry: ValidatorEntry
    key_id: KeyId


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionOutcome:
    """What became of one transaction. An accepted governance record or beacon has no entry."""

    transaction_id: TransactionId
    submitter: KeyId
    code: int  # SPEC §5: 0 accepted, 1 to 5 refused
    entry: bytes | None
    pairs: int = 0  # of the registry: its identity labels and life events
    rule: str = ""  # the rule that refused it
    subject: str = ""

    @property
    def is_turned_away(self) -> bool:
        """Whether the doors go by the rule that refused it: no honest proposer takes it, and it leaves no record."""
        return self.rule in AT_THE_DOOR


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockOutcome:
    """All that follows from one block. The same state and block give the same outcome, byte for byte."""

    height: Height
    time: UnixSeconds
    epoch: EpochNumber
    transactions: tuple[TransactionOutcome, ...]
    identity_ops: tuple[tuple[RegistryIndex, Commitment], ...]
    life_events: tuple[LifeEvent, ...]
    governance: tuple[bytes, ...]  # records appended to the governance tree
    beacon: BeaconPayload | None  # the last one
    votes: tuple[Vote, ...]  # consensus keys that come and go; none without a consensus engine
    writes: tuple[Write, ...]
    chain: Digest
    governance_size: TreeSize
    governance_root: Digest
    state_hash: Digest

    @property
    def codes(self) -> list[int]:
        """One for each transaction."""
        return [outcome.code for outcome in self.transactions]

    @property
    def entries(self) -> list[bytes]:
        """What goes into the batch, in block order."""
        return [outcome.entry for outcome in self.transactions if outcome.entry is not None]


# ── before the first block ───────────────────────────────────────────────────────────────────────────────────────────


def genesis_state(genesis: Genesis, members: Sequence[MemberInfo], engine: Sequence[bytes] = ()) -> list[Write]:
    """The state before the first block: set 1 with its identity keys, and the genesis record as governance leaf 0.

    The identity keys come from the validators' certificates, whose hashes the genesis record commits to by its
    `set_hash`. They may submit governance records and beacons; nobody is a member before a MemberUpdate says so,
    the validators included (SPEC §7.3).

    Args:
        genesis: of the log.
        members: its first validators.
        engine: the consensus keys that its ledger id commits to; none for the embedded ledger.

    Raises:
        SetMismatch: these are not the validators of the genesis record.
        Malformed: they are no set.
    """
    ordered = sorted(members, key=lambda member: member.entry.address)
    validators = ValidatorSet(FIRST_SET, tuple(member.entry for member in ordered))
    if validators.digest != genesis.set_hash:
        raise SetMismatch(expected=genesis.set_hash, calculated=validators.digest)
    state = Overlay({})
    for member in ordered:
        state.put(certificate_key(member.entry.certificate_hash), member.key_id)
    put_set(state, validators, TreeSize(1), [member.key_id for member in ordered])
    state.put(GOVERNANCE, EMPTY.append(Digest(genesis.log_id)).encode())
    Position.before(genesis).store(state)
    if engine:
        put_engine(state, list(engine))
    return state.writes()


# ── one block ────────────────────────────────────────────────────────────────────────────────────────────────────────


def never_stands(state: StateReader, rules: Rules, signed: SignedTransaction, epoch: EpochNumber) -> None:
    """Return if the transaction may stand in the next block, be it accepted or refused there.

    Raises:
        SequenceRejected: not the submitter's next number.
        Expired: its last epoch has passed.
        Malformed, Refuted: as `stateless_check`.
    """
    body = signed.body
    expected = get_number(state, sequence_key(body.submitter))
    if body.sequence != expected:
        raise SequenceRejected(expected=expected, got=body.sequence)
    if epoch > body.expires_epoch:
        raise Expired(expires_epoch=body.expires_epoch, epoch=epoch)
    rules.check(signed, rules.log_id)


def execute_block(
    state: StateReader, rules: Rules, height: Height, time: UnixSeconds, transactions: Sequence[SignedTransaction]
) -> BlockOutcome:
    """Execute the block at `height` on the state before it.

    Raises:
        FieldMalformed: another height than the next one, or a time that falls: the block is invalid.
        TooLong: more than the epoch's batch or registry can hold: the block is invalid.
        BridgeError: a transaction that must never stand in a block stands in it (see `never_stands`): likewise.
    """
    ledger = Overlay(state)
    before = Position.load(ledger)
    position = before.advance(rules.genesis, height, time)
    votes = follow_set(ledger, position.epoch) if position.epoch > before.epoch else ()
    moment = Moment(time, position.epoch)
    outcomes: list[TransactionOutcome] = []
    changes: list[Changes] = []
    for signed in transactions:
        never_stands(ledger, rules, signed, position.epoch)
        outcome, change = _execute(ledger, rules, signed, moment)
        outcomes.append(outcome)
        changes.append(change)
        position = replace(position, chain=chain_step(position.chain, outcome.code, outcome.transaction_id))
    identity_ops = tuple(op for change in changes for op in change.identity_ops)
    life_events = tuple(event for change in changes for event in change.life_events)
    governance = tuple(record for change in changes for record in change.governance)
    beacons = [change.beacon for change in changes if change.beacon is not None]
    entries = sum(outcome.entry is not None for outcome in outcomes)
    position.hold(rules.genesis, entries, len(identity_ops) + len(life_events)).store(ledger)
    frontier = _append_governance(ledger, governance)
    return BlockOutcome(
        height=height,
        time=time,
        epoch=position.epoch,
        transactions=tuple(outcomes),
        identity_ops=identity_ops,
        life_events=life_events,
        governance=governance,
        beacon=beacons[-1] if beacons else None,
        votes=votes,
        writes=tuple(ledger.writes()),
        chain=position.chain,
        governance_size=frontier.size,
        governance_root=frontier.root,
        state_hash=state_hash(height, position.chain, frontier.size, frontier.root),
    )


def _execute(
    ledger: Overlay, rules: Rules, signed: SignedTransaction, moment: Moment
) -> tuple[TransactionOutcome, Changes]:
    body, transaction_id = signed.body, signed.body.transaction_id
    put_number(ledger, sequence_key(body.submitter), body.sequence + 1)  # refused or not
    trial = Overlay(ledger)
    try:
        changes = apply_transaction(trial, rules, signed, moment)
    except RuleRejected as refusal:
        refused = TransactionOutcome(
            transaction_id=transaction_id,
            submitter=body.submitter,
            code=refusal_code(refusal.rule),
            entry=RefusalEntry(transaction_id).encode(),
            rule=refusal.rule,
            subject=refusal.subject,
        )
        return refused, Changes()
    ledger.absorb(trial)
    accepted = TransactionOutcome(
        transaction_id=transaction_id,
        submitter=body.submitter,
        code=ACCEPTED,
        entry=changes.entry,
        pairs=len(changes.identity_ops) + len(changes.life_events),
    )
    return accepted, changes


def _append_governance(ledger: Overlay, records: Sequence[bytes]) -> Frontier:
    stored = ledger.get(GOVERNANCE)
    if stored is None:
        raise StoreBroken(store="state", rule="the governance tree is there")
    frontier = Frontier.decode(stored)
    for record in records:
        frontier = frontier.append(leaf_hash(record))
        ledger.put(GOVERNANCE, frontier.encode())
    return frontier


# ── one transaction at the door ──────────────────────────────────────────────────────────────────────────────────────


def preview(
    state: StateReader, rules: Rules, signed: SignedTransaction, now: UnixSeconds
) -> tuple[Overlay, TransactionOutcome]:
    """What would become of a transaction in a block at `now`, and the state after it, accepted or refused there.

    Whoever makes a block tries each pending transaction on the state after those before it.

    Raises:
        Malformed, Refuted, SequenceRejected, Expired: it would never stand in a block.
        NotYet: the running epoch is full; the next one is not.
    """
    here = _next(state, rules, now)
    after = Overlay(state)
    never_stands(after, rules, signed, here.epoch)
    outcome, _ = _execute(after, rules, signed, Moment(here.time, here.epoch))
    try:
        here.hold(rules.genesis, int(outcome.entry is not None), outcome.pairs).store(after)
    except TooLong:
        raise NotYet(what="room in the next epoch") from None
    return after, outcome


def knock(state: StateReader, rules: Rules, signed: SignedTransaction, now: UnixSeconds) -> None:
    """Return if a transaction may wait for a block, which judges it on a newer state than this one.

    The rules of business are left to that block: they would be tried here again after each block, for all that waits.
    They are tried where they may find what no proposer takes, a debtor that is no member or too little room left in
    the epoch: it would wait, and its submitter's next numbers with it, while an engine makes one block after another.

    Raises:
        Malformed, Refuted, SequenceRejected, Expired, NotYet: as `preview`.
        RuleRejected: one of `AT_THE_DOOR`.
    """
    payload, here = signed.body.payload, _next(state, rules, now)
    if isinstance(payload, RecordPayload) and _has_room(here, rules):
        never_stands(state, rules, signed, here.epoch)
        require_let_in(state, signed.body, payload, here.epoch)
        if not is_debtor_doubtful(state, signed.body, payload, here.epoch):
            return
    _, outcome = preview(state, rules, signed, now)  # rare: a quorum's decision, the end of an epoch's room, a stranger
    if outcome.is_turned_away:
        raise RuleRejected(rule=outcome.rule, subject=outcome.subject)


def _has_room(here: Position, rules: Rules) -> bool:
    """Whether the epoch holds a record whatever it brings: only its rule knows what happens to which objects."""
    try:
        here.hold(rules.genesis, 1, MOST_PAIRS)
    except TooLong:
        return False
    return True


def _next(state: StateReader, rules: Rules, now: UnixSeconds) -> Position:
    """Where the ledger would stand within a block at `now`; the block's height stays the next one."""
    position = Position.load(state)
    time = UnixSeconds(max(now, position.time))  # block time never falls
    return replace(position.advance(rules.genesis, position.next_height, time), next_height=position.next_height)


def admit(state: StateReader, rules: Rules, signed: SignedTransaction, now: UnixSeconds) -> Overlay:
    """`preview`, for a door that lets nobody in who would be refused; returns the state after the transaction.

    Raises:
        Malformed, Refuted, SequenceRejected, Expired, NotYet: as `preview`.
        RuleRejected: it would be refused; `refusal_code(rule)` is the code.
    """
    after, outcome = preview(state, rules, signed, now)
    if outcome.code != ACCEPTED:
        raise RuleRejected(rule=outcome.rule, subject=outcome.subject)
    return after
