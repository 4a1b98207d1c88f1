"""A journal from the chain, after a loss: what our key sent comes back as attempts, with its exact bytes.

An anchor's calldata holds the checkpoint, the quorum's signatures on it and the path from the head before. Nothing is
believed: bytes by their hash and signature, checkpoints by their quorum and path. What no endpoint shows becomes a
foreign nonce. Headers, anchors, outcomes and settled duties are left to the ordinary tick, which reads them as always.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from hybrid_bridge.core.attestation import verify_quorum
from hybrid_bridge.core.proof import verify_consistency
from hybrid_bridge.core.public_transaction import SignedPublicTransaction, decode_signed
from hybrid_bridge.core.signing import from_compact, recover_address
from hybrid_bridge.core.validators import ValidatorSet
from hybrid_bridge.errors import BridgeError, Missing, SealsMalformed, Undecided
from hybrid_bridge.ports import AnchoredEvent, PublicBlock, Update
from hybrid_bridge.units import (
    Address,
    Digest,
    EcdsaSignature,
    Nonce,
    PublicBlockNumber,
    RawTransaction,
    TreeSize,
    TxHash,
    UnixSeconds,
    Wei,
)
from relayers.journal import (
    AttemptRow,
    AttestationRow,
    CheckpointRow,
    Journal,
    JournalDump,
    SlotRow,
    SpendLimits,
)
from relayers.log import Log
from relayers.observe import EVENT_RANGE, Observer

MAX_UNFINAL: Final = 512  # newest public blocks that are read whole, for what is mined and not final
UNBOUNDED: Final = Wei(1 << 255)  # it was signed and sent long ago: S7 has no say in what is adopted
NO_LIMITS: Final = SpendLimits(UNBOUNDED, UNBOUNDED, UNBOUNDED)


T = TypeVar("T")


class Sent(Protocol):
    """One endpoint's view of what accounts have sent. It may hide; it cannot invent."""

    def by_hash(self, tx: TxHash) -> RawTransaction | None:
        """These bytes; None where they are unknown, or of another type than ours."""

    def in_block(self, number: PublicBlockNumber, sender: Address) -> Sequence[RawTransaction]:
        """All of this account in one public block."""

    def pooled(self, sender: Address) -> Sequence[RawTransaction]:
        """All of this account in the pool."""

    def nonce_with_pool(self, sender: Address) -> Nonce:
        """The nonce after everything the endpoint knows of. A hint."""


@dataclass(frozen=True, slots=True)
class Own:
    """One transaction of our key: its bytes, and the public block it stands in, if it does."""

    raw: RawTransaction
    signed: SignedPublicTransaction
    block: PublicBlock | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """What the endpoints show of our key and of the log."""

    pinned: PublicBlock
    final: PublicBlock
    used: Nonce  # at the pinned public block
    final_used: Nonce  # at least so many are used for good
    calls: tuple[Update, ...]  # every anchor's calldata that could be read, in order
    own: tuple[Own, ...]  # ascending by nonce
    hidden: Nonce  # below this one the endpoints know of more than they show


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """What would be written."""

    slots: tuple[Nonce, ...]  # new ones
    checkpoints: tuple[tuple[CheckpointRow, tuple[AttestationRow, ...]], ...]
    attempts: tuple[Own, ...]
    foreign: tuple[Nonce, ...]  # used for good, by bytes that nobody shows
    unshown: tuple[Nonce, ...]  # pending, by bytes that nobody shows

    @property
    def is_empty(self) -> bool:
        """Whether the journal lacks nothing."""
        return not (self.slots or self.checkpoints or self.attempts or self.foreign)


# ── read ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def traces(
    observer: Observer, views: Sequence[Sent], decode: Callable[[bytes], Update], since: PublicBlockNumber
) -> Traces:
    """Ask everything. Long: each anchor since `since` costs a question, and each public block that is not final.

    Args:
        observer: the endpoints that serve us.
        views: what they show of transactions.
        decode: the contract's calldata of an anchor.
        since: the first public block whose anchors may be unknown.

    Raises:
        Undecided: too few endpoints agree.
    """
    signer, pinned = observer.scope.signer, observer.pin()
    final = observer.final(pinned)
    raws: dict[bytes, RawTransaction] = {}
    events = list(_events(observer, since, pinned.number))
    for event in events:
        raw = _bytes_of(views, event.tx_hash)
        if raw is not None:
            raws[event.tx_hash] = raw
    found = [raw for raw in raws.values() if decode_signed(raw).sender == signer]
    for number in range(max(final.number + 1, pinned.number - MAX_UNFINAL), pinned.number + 1):
        found += _mined(views, PublicBlockNumber(number), signer)
    for pooled in _told(views, lambda view: view.pooled(signer)):
        found += pooled
    own = tuple(_placed(observer, dict.fromkeys(found)))
    used = observer.ask(lambda chain: chain.nonce(signer, pinned))
    return Traces(
        pinned=pinned,
        final=final,
        used=used,
        final_used=_final_used(observer, final, own),
        calls=tuple(_calls(events, raws, decode)),
        own=own,
        hidden=max(_told(views, lambda view: view.nonce_with_pool(signer)), default=used),
    )


def _events(observer: Observer, first: int, last: int) -> Iterator[AnchoredEvent]:
    for start in range(first, last + 1, EVENT_RANGE):
        yield from observer.anchored(start, min(start + EVENT_RANGE - 1, last))


def _told(views: Sequence[Sent], ask: Callable[[Sent], T]) -> Iterator[T]:
    """Each view's answer; one that is silent or talks nonsense has none, and the others may show it."""
    for view in views:
        try:
            yield ask(view)
        except BridgeError:
            continue


def _bytes_of(views: Sequence[Sent], tx: TxHash) -> RawTransaction | None:
    return next((raw for raw in _told(views, lambda view: view.by_hash(tx)) if raw is not None), None)


def _mined(views: Sequence[Sent], number: PublicBlockNumber, signer: Address) -> Sequence[RawTransaction]:
    return next(iter(_told(views, lambda view: view.in_block(number, signer))), ())


def _placed(observer: Observer, raws: Iterable[RawTransaction]) -> Iterator[Own]:
    """Each with the public block it stands in, by a quorum; ascending by nonce."""
    for raw in sorted(raws, key=lambda raw: decode_signed(raw).transaction.nonce):
        signed = decode_signed(raw)
        status = observer.ask(lambda chain, tx=signed.hash: chain.receipt_status(tx))  # type: ignore[misc]
        yield Own(raw, signed, None if status is None else status[0])


def _final_used(observer: Observer, final: PublicBlock, own: Sequence[Own]) -> Nonce:
    """By the final state, or, where it is forgotten, by what stands."""
    try:
        return observer.ask(lambda chain: chain.nonce(observer.scope.signer, final))
    except Undecided:
        standing = (o.signed.transaction.nonce for o in own if o.block is not None and o.block.number <= final.number)
        return Nonce(max((nonce + 1 for nonce in standing), default=0))


def _calls(
    events: Sequence[AnchoredEvent], raws: Mapping[bytes, RawTransaction], decode: Callable[[bytes], Update]
) -> Iterator[Update]:
    for event in events:
        if event.tx_hash in raws:
            try:
                yield decode(decode_signed(raws[event.tx_hash]).transaction.data)
            except BridgeError:  # several logs in one call, or by another contract: its checkpoint is not in reach
                continue


# ── judge ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def adoption(
    dump: JournalDump, seen: Traces, log: Log, decode: Callable[[bytes], Update], now: UnixSeconds
) -> Adoption:
    """What the journal lacks of it. Pure but for `decode`."""
    calls = [*seen.calls, *(update for own in seen.own if (update := _update(own, decode)) is not None)]
    checkpoints = tuple(_checkpoints(dump, calls, log, seen, now))
    sizes = {row.size for row in dump.checkpoints} | {row.size for row, _ in checkpoints}
    known = {attempt.hash for attempt in dump.attempts}
    closed = {slot.nonce for slot in dump.slots if slot.closed_hash is not None}
    attempts = tuple(
        own
        for own in seen.own
        if own.signed.hash not in known
        and own.signed.transaction.nonce not in closed
        and _is_ours(own, dump, sizes, decode)
    )
    slots = tuple(_slots(dump, seen, attempts))
    ours = {own.signed.transaction.nonce for own in attempts} | {attempt.nonce for attempt in dump.attempts}
    shown = {own.signed.transaction.nonce for own in seen.own} | ours
    return Adoption(
        slots=slots,
        checkpoints=checkpoints,
        attempts=attempts,
        foreign=tuple(nonce for nonce in slots if nonce < seen.final_used and nonce not in ours),
        unshown=tuple(Nonce(n) for n in range(seen.used, seen.hidden) if n not in shown),
    )


def _update(own: Own, decode: Callable[[bytes], Update]) -> Update | None:
    try:
        return decode(own.signed.transaction.data) if own.signed.transaction.data else None
    except BridgeError:
        return None


def _is_ours(own: Own, dump: JournalDump, sizes: set[TreeSize], decode: Callable[[bytes], Update]) -> bool:
    """Whether it is of the two kinds that we sign (S8), and its duty is known."""
    tx, scope = own.signed.transaction, dump.scope
    if tx.chain_id != scope.chain_id or tx.value or own.signed.sender != scope.signer:
        return False
    if not tx.data:
        return tx.to == scope.signer
    update = _update(own, decode)
    return tx.to == scope.contract and update is not None and update.tree_size in sizes


def _slots(dump: JournalDump, seen: Traces, attempts: Sequence[Own]) -> Iterator[Nonce]:
    """From the one after our highest, or from the first that is known, up to the last: no gap (S4)."""
    nonces = [own.signed.transaction.nonce for own in attempts]
    top = max((*nonces, seen.used - 1))
    first = dump.slots[-1].nonce + 1 if dump.slots else min((*nonces, max(0, seen.used - 1)))
    return (Nonce(n) for n in range(first, top + 1))


def _checkpoints(
    dump: JournalDump, calls: Sequence[Update], log: Log, seen: Traces, now: UnixSeconds
) -> Iterator[tuple[CheckpointRow, tuple[AttestationRow, ...]]]:
    """Of each call whose head before it is known: the chain's own order makes that all of them."""
    roots = {TreeSize(1): Digest(log.log_id)} | {row.size: row.root for row in dump.checkpoints}
    top = max(roots)
    for update in sorted(calls, key=lambda update: update.tree_size):
        if update.log_id != log.log_id or update.tree_size <= top or update.from_size not in roots:
            continue
        try:
            row = _verified(update, log, roots[update.from_size], seen, now)
        except BridgeError:
            continue
        roots[update.tree_size], top = update.root, update.tree_size
        yield row


def _verified(
    update: Update, log: Log, root: Digest, seen: Traces, now: UnixSeconds
) -> tuple[CheckpointRow, tuple[AttestationRow, ...]]:
    checkpoint, validators = log.checkpoint(update.tree_size, update.root), log.responsible(update.tree_size)
    digest = checkpoint.digest()
    signatures = dict(_signatures(update, validators, digest))
    verify_quorum(checkpoint, validators, [signatures[member] for member in sorted(signatures)])
    verify_consistency(update.from_size, update.tree_size, update.path, root, update.root)
    row = CheckpointRow(
        size=update.tree_size,
        root=update.root,
        timestamp=checkpoint.timestamp,
        set_id=checkpoint.set_id,
        digest=digest,
        previous_size=update.from_size,
        consistency=update.path,
        held_number=seen.pinned.number,
        received_at=now,
    )
    return row, tuple(AttestationRow(row.size, member, digest, signatures[member]) for member in sorted(signatures))


def _signatures(update: Update, validators: ValidatorSet, digest: Digest) -> Iterator[tuple[Address, EcdsaSignature]]:
    """The inverse of `seals`: 64 bytes of each signer, 20 of each other member, in the set's order.

    Raises:
        SealsMalformed: another length, or other members.
        FieldMalformed, SignatureWrong: no signature.
    """
    at = 0
    for index, member in enumerate(validators.addresses):
        width = 64 if update.signers >> index & 1 else 20
        part = update.seals[at : at + width]
        if width == 64:
            signature = from_compact(part)
            yield recover_address(digest, signature), signature
        elif part != member:
            raise SealsMalformed(index=index)
        at += width
    if at != len(update.seals) or update.signers >> len(validators.addresses):
        raise SealsMalformed(index=len(validators.addresses))


# ── write ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def adopt(journal: Journal, found: Adoption, seen: Traces, decode: Callable[[bytes], Update], now: UnixSeconds) -> None:
    """Write it, in an order in which every crash leaves a journal that `adoption` completes."""
    for row, attestations in found.checkpoints:
        journal.admit(row, attestations)
    intents = {intent.size: intent.id for intent in journal.dump().intents if intent.size}
    for nonce in found.slots:
        journal.open_slot(nonce)
    for own in found.attempts:
        update = _update(own, decode)
        if update is not None and update.tree_size not in intents:
            checkpoint = journal.checkpoint(update.tree_size)
            if checkpoint is None:
                raise Missing(what=f"the checkpoint of size {update.tree_size}")
            journal.open_intent(checkpoint, now)
            intents = {intent.size: intent.id for intent in journal.dump().intents if intent.size}
        journal.add_attempt(_attempt(own, update, intents, seen, now), NO_LIMITS)
    for nonce in found.foreign:
        journal.close_slot(SlotRow(nonce, seen.final.hash, is_foreign=True), ())


def _attempt(
    own: Own, update: Update | None, intents: Mapping[TreeSize, int], seen: Traces, now: UnixSeconds
) -> AttemptRow:
    tx = own.signed.transaction
    return AttemptRow(
        hash=own.signed.hash,
        nonce=tx.nonce,
        intent_id=None if update is None else intents[update.tree_size],
        from_size=seen_head(seen) if update is None else update.from_size,
        to_size=TreeSize(0) if update is None else update.tree_size,
        max_fee=tx.max_fee,
        tip=tx.tip,
        gas=tx.gas,
        raw=own.raw,
        pinned_number=(own.block or seen.pinned).number,
        created_at=now if own.block is None else own.block.time,  # budgets are of the day it was paid
        epoch=0,
    )


def seen_head(seen: Traces) -> TreeSize:
    """Where the head stood: a cancel keeps it for people alone."""
    return max((update.tree_size for update in seen.calls), default=TreeSize(1))
