"""A journal from the chain, after a loss: what our key sent comes back as attempts, with its exact bytes.

An anchor's calldata holds the checkpoint, the quorum's signatures on it and the path from the head before. Nothing is
believed: bytes by their hash and signature, checkpoints by their quorum and path. What no endpoint shows becomes a
foreign nonce. Headers, anchors, outcomes and settled duties are left to the ordinary tick, which reads them as always.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from hybrid_bridge.core.attestation import verify_quorum
from hybrid_bridge.core.power import SetUpdate
from hybrid_bridge.core.proof import verify_consistency
from hybrid_bridge.core.signing import from_compact, recover_address
from hybrid_bridge.core.validators import ValidatorSet
from hybrid_bridge.errors import BridgeError, Missing, NotYet, SealsMalformed
from hybrid_bridge.ports import Rotation, Update
from hybrid_bridge.units import (
    Address,
    Digest,
    EcdsaSignature,
    Nonce,
    SetId,
    TreeSize,
    TxHash,
    UnixSeconds,
    Wei,
)
from relayers.appointing import update_by
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
from relayers.traces import Own, Traces

UNBOUNDED: Final = Wei(1 << 255)  # it was signed and sent long ago: S7 has no say in what is adopted
MAX_ADOPTED: Final = 1 << 16  # nonces of one rebuild: an anchor an hour for seven years; more is a lie
NO_LIMITS: Final = SpendLimits(UNBOUNDED, UNBOUNDED, UNBOUNDED)

Decode = Callable[[bytes], Update | Rotation]  # the calls that we sign


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """What would be written."""

    slots: tuple[Nonce, ...]  # new ones
    checkpoints: tuple[tuple[CheckpointRow, tuple[AttestationRow, ...]], ...]
    attempts: tuple[Own, ...]
    foreign: tuple[Nonce, ...]  # used for good, by bytes that nobody shows
    unshown: tuple[Nonce, ...]  # pending, by bytes that nobody shows
    rotations: Mapping[TxHash, SetUpdate] = field(default_factory=dict)  # what those of `attempts` post that rotate

    @property
    def is_empty(self) -> bool:
        """Whether the journal lacks nothing."""
        return not (self.slots or self.checkpoints or self.attempts or self.foreign)


# ── judge ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def adoption(dump: JournalDump, seen: Traces, log: Log, decode: Decode, now: UnixSeconds) -> Adoption:
    """What the journal lacks of it. Pure but for `decode`."""
    ours = {own.signed.hash: _call(own, decode) for own in seen.own}
    calls = [*seen.calls, *(call for call in ours.values() if isinstance(call, Update))]
    rotating = ((tx, update_by(call, log, dump.scope)) for tx, call in ours.items() if isinstance(call, Rotation))
    rotations = {tx: update for tx, update in rotating if update is not None}
    checkpoints = tuple(_checkpoints(dump, calls, log, seen, now))
    sizes = {row.size for row in dump.checkpoints} | {row.size for row, _ in checkpoints}
    known = {attempt.hash for attempt in dump.attempts}
    closed = {slot.nonce for slot in dump.slots if slot.closed_hash is not None}
    attempts = tuple(
        own
        for own in seen.own
        if own.signed.hash not in known
        and own.signed.transaction.nonce not in closed
        and _is_ours(own, dump, _carries(ours[own.signed.hash], sizes) or own.signed.hash in rotations)
    )
    slots = tuple(_slots(dump, seen, attempts))
    known_nonces = {own.signed.transaction.nonce for own in attempts} | {attempt.nonce for attempt in dump.attempts}
    shown = {own.signed.transaction.nonce for own in seen.own} | known_nonces
    return Adoption(
        slots=slots,
        checkpoints=checkpoints,
        attempts=attempts,
        foreign=tuple(nonce for nonce in slots if nonce < seen.final_used and nonce not in known_nonces),
        unshown=tuple(Nonce(n) for n in range(seen.used, seen.hidden) if n not in shown),
        rotations=rotations,
    )


def _call(own: Own, decode: Decode) -> Update | Rotation | None:
    try:
        return decode(own.signed.transaction.data) if own.signed.transaction.data else None
    except BridgeError:
        return None


def _carries(call: Update | Rotation | None, sizes: set[TreeSize]) -> bool:
    return isinstance(call, Update) and call.tree_size in sizes


def _is_ours(own: Own, dump: JournalDump, is_duty_known: bool) -> bool:  # noqa: FBT001 said by one caller, beside it
    """Whether it is of the kinds that we sign (S8), and its duty is known."""
    tx, scope = own.signed.transaction, dump.scope
    if tx.chain_id != scope.chain_id or tx.value or own.signed.sender != scope.signer:
        return False
    if not tx.data:
        return tx.to == scope.signer
    return tx.to == scope.contract and is_duty_known


def _slots(dump: JournalDump, seen: Traces, attempts: Sequence[Own]) -> Iterator[Nonce]:
    """From the one after our highest, or from the first that is known, up to the last: no gap (S4)."""
    nonces = [own.signed.transaction.nonce for own in attempts]
    top = max((*nonces, seen.used - 1))
    first = dump.slots[-1].nonce + 1 if dump.slots else min((*nonces, max(0, seen.used - 1)))
    if top - first >= MAX_ADOPTED:
        raise NotYet(what=f"endpoints that agree with the journal: they say that the gas key used nonce {top}")
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


def adopt(journal: Journal, found: Adoption, seen: Traces, decode: Decode, now: UnixSeconds) -> None:
    """Write it, in an order in which every crash leaves a journal that `adoption` completes."""
    for row, attestations in found.checkpoints:
        journal.admit(row, attestations)
    for nonce in found.slots:
        journal.open_slot(nonce)
    duties = _duties(journal)
    for own in found.attempts:
        call, rotation = _call(own, decode), found.rotations.get(own.signed.hash)
        update = call if isinstance(call, Update) else None
        duty = None if update is None and rotation is None else _Duty(update, rotation)
        if duty is not None and duty.key not in duties:
            duty.open(journal, now)
            duties = _duties(journal)
        journal.add_attempt(_attempt(own, update, None if duty is None else duties[duty.key], seen, now), NO_LIMITS)
    for nonce in found.foreign:
        journal.close_slot(SlotRow(nonce, seen.final.hash, is_foreign=True), ())


@dataclass(frozen=True, slots=True)
class _Duty:
    """Of an attempt that is no cancel: an anchor's, or a set update's."""

    update: Update | None
    rotation: SetUpdate | None

    @property
    def key(self) -> tuple[TreeSize, SetId | None]:
        """One intent each: size, or set."""
        size = TreeSize(0) if self.update is None else self.update.tree_size
        return size, None if self.rotation is None else self.rotation.set_id

    def open(self, journal: Journal, now: UnixSeconds) -> None:
        """Take it on, as a tick would have."""
        if self.rotation is not None:
            journal.open_rotation(self.rotation.set_id, self.rotation.set_hash, self.rotation.digest(), now)
        elif self.update is not None:
            checkpoint = journal.checkpoint(self.update.tree_size)
            if checkpoint is None:
                raise Missing(what=f"the checkpoint of size {self.update.tree_size}")
            journal.open_intent(checkpoint, now)


def _duties(journal: Journal) -> dict[tuple[TreeSize, SetId | None], int]:
    return {(intent.size, intent.set_id): intent.id for intent in journal.dump().intents}


def _attempt(own: Own, update: Update | None, duty: int | None, seen: Traces, now: UnixSeconds) -> AttemptRow:
    tx = own.signed.transaction
    return AttemptRow(
        hash=own.signed.hash,
        nonce=tx.nonce,
        intent_id=duty,
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
    """Where the head stood: a cancel and a rotation keep it for people alone."""
    return max((update.tree_size for update in seen.calls), default=TreeSize(1))
