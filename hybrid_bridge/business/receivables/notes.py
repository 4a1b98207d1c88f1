"""Notes: the debtor issues one on confirmed invoices, the payee accepts, the holder splits it among others.

``(new) → OFFERED → HELD → SPENT``, with children OFFERED in their turn. Source: SCENARIOS §2.1, 0x0105 to 0x0108.
"""

from dataclasses import replace
from datetime import date

from hybrid_bridge.business.dates import add_months, date_of
from hybrid_bridge.business.freeze import require_free
from hybrid_bridge.business.membership import require_member
from hybrid_bridge.business.receivables.moves import after_due, movable_note, require_settled, store_note
from hybrid_bridge.business.receivables.objects import (
    ASSET,
    CONFIRMED,
    HELD,
    OFFERED,
    SPENT,
    Note,
    lapse,
    move_totals,
    open_asset,
    open_note,
    put_asset,
    require_new,
    stored_asset,
)
from hybrid_bridge.business.ruling import Act, refuse
from hybrid_bridge.business.schema import EVENT_TIME
from hybrid_bridge.core.ledger_state import defaults_key, get_number
from hybrid_bridge.units import UnixSeconds


def issue(act: Act) -> None:
    """0x0105. The debtor promises to pay, on invoices it has confirmed.

    Raises:
        RuleRejected: I1, admission, I11, exists, I9, I6, unknown, I8, lifecycle, I4.
    """
    claims = act.claims
    note = Note(
        note_id=claims.text("note"),
        state=OFFERED,
        debtor=claims.text("debtor"),
        ccy=claims.text("ccy"),
        face=claims.amount("face"),
        issue_date=claims.text("issue_date"),
        due_date=claims.text("due_date"),
        holder=claims.text("payee_key"),
        root=claims.text("note"),
        until=act.moment.epoch + act.pack.offer_ttl,
        back=tuple(zip(claims.column("back.k.object"), map(int, claims.column("back.k.allot")), strict=True)),
    )
    act.require_authorisers(note.debtor, rule="I1", subject=note.note_id)
    require_member(act.view, note.debtor, act.moment.epoch)
    if get_number(act.view, defaults_key(note.debtor)):
        refuse("I11", note.note_id)
    require_new(act.view, note.note_id)
    _require_tenor(act, note)
    _allot(act, note)
    move_totals(act.view, note, issued=note.face)
    store_note(act, note)


def _require_tenor(act: Act, note: Note) -> None:
    issued, due = date.fromisoformat(note.issue_date), date.fromisoformat(note.due_date)
    if issued != date_of(UnixSeconds(act.claims.number(EVENT_TIME)), act.pack.zone):
        refuse("I9", note.note_id)
    if not issued < due <= add_months(issued, act.pack.tenor_max):
        refuse("I6", note.note_id)


def _allot(act: Act, note: Note) -> None:
    objects = [object_id for object_id, _ in note.back]
    if len(set(objects)) != len(objects) or sum(allot for _, allot in note.back) != note.face:
        refuse("I4", note.note_id)
    for object_id, allot in note.back:
        asset = open_asset(act.view, object_id, act.moment.epoch)
        require_free(act, object_id)
        if asset.state != CONFIRMED:
            refuse("lifecycle", object_id)
        if (asset.debtor, asset.ccy) != (note.debtor, note.ccy) or allot == 0:
            refuse("I4", object_id)
        if asset.allotted + allot > asset.gross or len(asset.pending) >= act.pack.offers_max:
            refuse("I4", object_id)
        changed = replace(asset, allotted=asset.allotted + allot, pending=(*asset.pending, note.note_id))
        put_asset(act.view, changed)
        act.happened(ASSET, object_id, changed.summary())


def accept(act: Act) -> None:
    """0x0106. The payee takes the note; from now on its key alone moves it.

    Raises:
        RuleRejected: unknown, I3, I8, lifecycle.
    """
    note = _offer(act)
    for object_id, _ in note.back:
        asset = stored_asset(act.view, object_id)
        put_asset(act.view, replace(asset, pending=tuple(n for n in asset.pending if n != note.note_id)))
    store_note(act, replace(note, state=HELD, giver="", until=0))


def decline(act: Act) -> None:
    """0x0107. The payee refuses: a root note is cancelled and its allotments restored, a child goes back.

    Raises:
        RuleRejected: unknown, I3, I8, lifecycle.
    """
    note = _offer(act)
    store_note(act, lapse(act.view, note))
    for object_id, _ in note.back:
        act.happened(ASSET, object_id, stored_asset(act.view, object_id).summary())


def _offer(act: Act) -> Note:
    note = open_note(act.view, act.claims.text("note"), act.moment.epoch)
    if note.state == OFFERED:
        act.require_authorisers(note.holder, rule="I3", subject=note.note_id)
    require_free(act, note.note_id)
    if note.state != OFFERED:
        refuse("lifecycle", note.note_id)
    return note


def split(act: Act) -> None:
    """0x0108. The holder spends the note; the children carry on its face, to the minor unit. One child is a transfer.

    Raises:
        RuleRejected: unknown, I3, I8, I2, I5, I10, lifecycle, due, exists.
    """
    claims = act.claims
    parent = open_note(act.view, claims.text("note"), act.moment.epoch)
    act.require_authorisers(parent.holder, rule="I3", subject=parent.note_id)
    movable_note(act, parent.note_id, HELD)
    require_settled(parent)  # the children would carry the whole face on, and the debtor owe it twice
    if act.moment.time >= after_due(act, parent):
        refuse("due", parent.note_id)
    faces = [int(face) for face in claims.column("child.k.face")]
    if len(faces) > act.pack.split_children or parent.depth >= act.pack.split_depth:
        refuse("I2", parent.note_id)
    if sum(faces) != parent.face or 0 in faces:
        refuse("I2", parent.note_id)
    store_note(act, replace(parent, state=SPENT))
    for child_id, face, payee in zip(
        claims.column("child.k.note"), faces, claims.column("child.k.payee_key"), strict=True
    ):
        _offer_child(act, parent, child_id, face, payee)


def _offer_child(act: Act, parent: Note, child_id: str, face: int, payee: str) -> None:
    require_new(act.view, child_id)
    child = Note(
        note_id=child_id,
        state=OFFERED,
        debtor=parent.debtor,
        ccy=parent.ccy,
        face=face,
        issue_date=parent.issue_date,
        due_date=parent.due_date,
        holder=payee,
        root=parent.root,
        depth=parent.depth + 1,
        giver=parent.holder,
        until=act.moment.epoch + act.pack.offer_ttl,
    )
    store_note(act, child)
