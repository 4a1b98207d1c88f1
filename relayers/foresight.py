"""How the journal would read after an action, without doing it. Pure: for rehearsals, never for a tick.

A tick reads the journal again after each action; whoever only looks has nothing to read. What cannot be known before a
signature, an attempt's bytes and hash, stands empty.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from hybrid_bridge.ports import AnchoredEvent
from hybrid_bridge.units import Gas, Nonce, PublicBlockNumber, RawTransaction, TreeSize, TxHash, UnixSeconds, Wei
from relayers.journal import (
    AttemptFinalRow,
    AttemptRow,
    CheckpointRow,
    HeadSpan,
    IntentKind,
    IntentRow,
    IntentState,
    JournalView,
    Outcome,
)
from relayers.views import (
    Appointment,
    CloseSlot,
    Deed,
    Halt,
    MakeAttempt,
    OpenIntent,
    OpenRotation,
    OpenSlot,
    RecordHeader,
    Send,
    SettleIntent,
)

UNKNOWN: Final = TxHash(bytes(32))
NO_ROW: Final = -1  # an intent that was never stored


def foreseen(view: JournalView, deed: Deed, gas: Gas, now: UnixSeconds) -> JournalView:  # noqa: PLR0911 one each
    """The view that the journal would give after this deed.

    Args:
        view: as it stands.
        deed: what the plan answered.
        gas: the limit an attempt would have.
        now: the moment of the tick.
    """
    match deed:
        case RecordHeader(header, anchors):
            return _with_anchors(replace(view, final_header=header), anchors)
        case CloseSlot(slot, finals, halt):
            left = tuple(nonce for nonce in view.open_nonces if nonce != slot.nonce)
            attempts = tuple(a for a in view.attempts if a.nonce != slot.nonce)
            reverts = _reverts(view.unexplained_reverts, finals)
            wishes = {nonce: wish for nonce, wish in view.wishes.items() if nonce != slot.nonce}
            halted = view.halted if halt is None else halt.reason
            closed = replace(view, open_nonces=left, attempts=attempts, unexplained_reverts=reverts, wishes=wishes)
            used = view.highest_nonce if not left else slot.nonce if slot.nonce < left[0] else view.highest_closed
            closed = replace(closed, highest_closed=used)
            cancelled, rotated = view.cancelled - {slot.nonce}, _rotated(view, finals)
            return _wanted(replace(closed, cancelled=cancelled, rotated=rotated, halted=halted))
        case SettleIntent(intent):
            left_open = tuple(i for i in view.open_intents if (i.size, i.set_id) != (intent.size, intent.set_id))
            rotations = tuple(i for i in view.open_rotations if i.set_id != intent.set_id)
            return _wanted(replace(view, open_intents=left_open, open_rotations=rotations))
        case OpenIntent(checkpoint):
            opened = (*view.open_intents, _intent(checkpoint, now))
            return replace(view, open_intents=tuple(sorted(opened, key=lambda intent: intent.size)))
        case OpenRotation(appointment):
            return replace(view, open_rotations=(*view.open_rotations, _rotation(appointment, now)))
        case OpenSlot(nonce):
            highest = max(nonce, Nonce(-1) if view.highest_nonce is None else view.highest_nonce)
            return replace(view, open_nonces=tuple(sorted((*view.open_nonces, nonce))), highest_nonce=highest)
        case MakeAttempt():
            return _with_attempt(view, deed, gas, now)
        case Halt(reason, _):
            return replace(view, halted=reason)
        case Send():
            return view


def _with_anchors(view: JournalView, anchors: tuple[AnchoredEvent, ...]) -> JournalView:
    if not anchors:
        return view
    spans = {size: _span(size, span, anchors) for size, span in view.head_spans.items()}
    known = dict(view.anchors) | {anchor.tree_size: anchor for anchor in anchors}
    newest = max(anchors, key=lambda anchor: anchor.tree_size)
    return _wanted(replace(view, anchors=known, newest_anchor=newest, head_spans=spans))


def _span(size: TreeSize, span: HeadSpan, anchors: tuple[AnchoredEvent, ...]) -> HeadSpan:
    """As the journal computes it from all anchors: the newest up to `size`, the oldest beyond."""
    first, end = span.first, span.end
    lower = max((a for a in anchors if a.tree_size <= size), key=lambda a: a.tree_size, default=None)
    if lower is not None:
        first = lower.block.number if lower.tree_size == size else None
    upper = min((a for a in anchors if a.tree_size > size), key=lambda a: a.tree_size, default=None)
    if end is None and upper is not None:
        end = upper.block.number
    return HeadSpan(first, end)


def _wanted(view: JournalView) -> JournalView:
    """Only what is asked of a journal: anchors, spans and sightings of what is still open."""
    sizes, hashes = {intent.size for intent in view.open_intents}, {attempt.hash for attempt in view.attempts}
    anchors = {size: a for size, a in view.anchors.items() if size in sizes or a.tx_hash in hashes}
    starts = {attempt.from_size for attempt in view.attempts}
    spans = {size: span for size, span in view.head_spans.items() if size in starts}
    open_rotations = {intent.id for intent in view.open_rotations}
    rotated = {intent: tx for intent, tx in view.rotated.items() if intent in open_rotations}
    sighted = frozenset(one for one in view.sighted if one[0] in hashes)
    return replace(view, anchors=anchors, head_spans=spans, rotated=rotated, sighted=sighted)


def _rotated(view: JournalView, finals: Iterable[AttemptFinalRow]) -> dict[int, TxHash]:
    """Open rotations that these fulfilled, beside those that are known already."""
    stands = {final.hash for final in finals if final.outcome is Outcome.OK}
    ours = {a.intent_id: a.hash for a in view.attempts if a.intent_id is not None and a.is_rotation}
    return dict(view.rotated) | {intent: tx for intent, tx in ours.items() if tx in stands}


def _reverts(before: int, finals: Iterable[AttemptFinalRow]) -> int:
    counted = [final.outcome for final in finals if final.outcome is not Outcome.LOST and not final.reason]
    if not counted:
        return before
    return before + 1 if counted[-1] is Outcome.REVERTED else 0


def _intent(checkpoint: CheckpointRow, now: UnixSeconds) -> IntentRow:
    return IntentRow(
        id=NO_ROW,
        size=checkpoint.size,
        root=checkpoint.root,
        digest=checkpoint.digest,
        state=IntentState.OPEN,
        opened_at=now,
    )


def _rotation(appointment: Appointment, now: UnixSeconds) -> IntentRow:
    return IntentRow(
        id=NO_ROW,
        size=TreeSize(0),
        root=appointment.set_hash,
        digest=appointment.digest,
        state=IntentState.OPEN,
        opened_at=now,
        kind=IntentKind.ROTATE,
        set_id=appointment.set_id,
    )


def _with_attempt(view: JournalView, deed: MakeAttempt, gas: Gas, now: UnixSeconds) -> JournalView:
    intent = None
    if deed.appointment is not None:
        intent = view.rotation_to(deed.appointment.set_id)
    elif deed.checkpoint is not None:
        intent = view.intent_for(deed.checkpoint.size)
    attempt = AttemptRow(
        hash=_placeholder(len(view.attempts)),
        nonce=deed.nonce,
        intent_id=None if intent is None else intent.id,
        from_size=deed.from_size,
        to_size=TreeSize(0) if deed.checkpoint is None else deed.checkpoint.size,
        max_fee=deed.fee.max_fee,
        tip=deed.fee.tip,
        gas=gas,
        raw=RawTransaction(b""),
        pinned_number=deed.seen.pinned.number,
        created_at=now,
        epoch=0,
    )
    today = dict(view.today)
    today[deed.nonce] = Wei(max(today.get(deed.nonce, 0), attempt.cost))
    wishes = {nonce: wish for nonce, wish in view.wishes.items() if nonce != deed.nonce}  # fulfilled
    spans = dict(view.head_spans)
    spans.setdefault(deed.from_size, _fresh_span(view.newest_anchor, deed.from_size))
    return replace(view, attempts=(*view.attempts, attempt), today=today, head_spans=spans, wishes=wishes)


def _fresh_span(newest: AnchoredEvent | None, size: TreeSize) -> HeadSpan:
    if newest is None:
        return HeadSpan(PublicBlockNumber(0), None)
    return HeadSpan(newest.block.number if newest.tree_size == size else None, None)


def _placeholder(number: int) -> TxHash:
    return TxHash(UNKNOWN[:-4] + number.to_bytes(4, "big"))
