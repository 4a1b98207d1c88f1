"""Payments, and what follows when there is none. The one who is owed is the fin key if financed, else the holder.

``HELD | FINANCED | PART_PAID → PART_PAID | PAID | DEFAULTED → RECOURSE → PAID | WRITTEN_OFF``. A late debtor may still
pay: a note in default or recourse stays there until nothing is open. Source: SCENARIOS §2.1, 0x010D to 0x0111.
"""

from dataclasses import replace
from typing import Final

from hybrid_bridge.business.freeze import require_free
from hybrid_bridge.business.receivables.moves import after_due, movable_note, require_state, store_note
from hybrid_bridge.business.receivables.objects import (
    ASSET,
    CLOSED,
    DEFAULTED,
    FINANCED,
    HELD,
    PAID,
    PART_PAID,
    RECOURSE,
    WRITTEN_OFF,
    Note,
    move_totals,
    open_note,
    put_asset,
    put_note,
    stored_asset,
    stored_note,
)
from hybrid_bridge.business.ruling import Act, refuse
from hybrid_bridge.core.ledger_state import defaults_key, get_number, put_number

_OWED: Final = (HELD, FINANCED, PART_PAID)
_LATE: Final = (DEFAULTED, RECOURSE)


def pay(act: Act) -> None:
    """0x010D. The debtor says that it paid; nothing is settled before the other side acknowledges.

    Raises:
        RuleRejected: unknown, authority, I8, I2, I3, I5, I10, lifecycle, I7 (more than is owed).
    """
    note, paid = open_note(act.view, act.claims.text("note"), act.moment.epoch), act.claims.amount("paid")
    act.require_authorisers(note.debtor, rule="authority", subject=note.note_id)
    movable_note(act, note.note_id, *_OWED, *_LATE, is_payment=True)
    if paid == 0 or note.claimed + paid > note.face:
        refuse("I7", note.note_id)
    store_note(act, replace(note, claimed=note.claimed + paid))


def pay_ack(act: Act) -> None:
    """0x010E. The one who is owed acknowledges what the debtor said it paid, or a part of it.

    Raises:
        RuleRejected: unknown, I3, I8, I2, I5, I10, lifecycle, I7 (more than was said to be paid).
    """
    note, paid = _owed_note(act), act.claims.amount("paid")
    movable_note(act, note.note_id, *_OWED, *_LATE, is_payment=True)
    if paid == 0 or note.paid + paid > note.claimed:
        refuse("I7", note.note_id)
    after = replace(note, paid=note.paid + paid)
    if after.open == 0:
        _clear_default(act, note)
        after = replace(after, state=PAID)
    elif note.state in _OWED:
        after = replace(after, state=PART_PAID)
    store_note(act, after)
    move_totals(act.view, after, paid=paid)
    _settle(act, after, paid)


def default(act: Act) -> None:
    """0x010F. Due date and grace have passed; the debtor issues nothing until this is cleared (I11).

    Raises:
        RuleRejected: unknown, I3, I8, I2, I5, I10, lifecycle, due, I7 (another sum than is open).
    """
    note = _owed_note(act)
    require_free(act, note.note_id)
    require_state(note, *_OWED)
    if act.moment.time < after_due(act, note) + act.pack.pay_grace:
        refuse("due", note.note_id)
    _require_open(act, note)
    key = defaults_key(note.debtor)
    put_number(act.view, key, get_number(act.view, key) + 1)
    store_note(act, replace(note, state=DEFAULTED))


def recourse(act: Act) -> None:
    """0x0110. The one who is owed turns to those before it.

    Raises:
        RuleRejected: unknown, I3, I8, I2, I5, I10, lifecycle, I7.
    """
    note = _owed_note(act)
    require_free(act, note.note_id)
    require_state(note, DEFAULTED)
    _require_open(act, note)
    store_note(act, replace(note, state=RECOURSE))


def writeoff(act: Act) -> None:
    """0x0111. The one who is owed gives up what is open.

    Raises:
        RuleRejected: unknown, I3, I8, I2, I5, I10, lifecycle, I7.
    """
    note = _owed_note(act)
    require_free(act, note.note_id)
    require_state(note, RECOURSE)
    amount = _require_open(act, note)
    _clear_default(act, note)
    after = replace(note, state=WRITTEN_OFF, written_off=amount)
    store_note(act, after)
    move_totals(act.view, after, written_off=amount)
    _settle(act, after, amount)


def _owed_note(act: Act) -> Note:
    note = open_note(act.view, act.claims.text("note"), act.moment.epoch)
    act.require_authorisers(note.owed_to, rule="I3", subject=note.note_id)
    return note


def _require_open(act: Act, note: Note) -> int:
    amount = act.claims.amount("amount")
    if amount != note.open:
        refuse("I7", note.note_id)
    return amount


def _clear_default(act: Act, note: Note) -> None:
    if note.state in _LATE:
        key = defaults_key(note.debtor)
        put_number(act.view, key, get_number(act.view, key) - 1)


def _settle(act: Act, note: Note, amount: int) -> None:
    """Once all of a root note is settled, wherever it went, its assets close as far as they backed it."""
    root = stored_note(act.view, note.root)
    root = replace(root, settled=root.settled + amount)
    put_note(act.view, root)
    if root.settled < root.face:
        return
    for object_id, allot in root.back:
        asset = stored_asset(act.view, object_id)
        asset = replace(asset, closed=asset.closed + allot)
        if asset.closed == asset.gross:
            asset = replace(asset, state=CLOSED)
            act.happened(ASSET, object_id, asset.summary())
        put_asset(act.view, asset)
