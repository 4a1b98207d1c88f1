"""Financing: a bank reserves notes with their holder, finances, releases, or hands them to the next bank (I5).

``HELD → RESERVED → FINANCED → HELD``. Source: SCENARIOS §2.1, 0x0109 to 0x010C.
"""

from collections.abc import Iterable
from dataclasses import replace

from hybrid_bridge.business.freeze import require_free
from hybrid_bridge.business.receivables.moves import movable_note, require_settled, require_state, store_note
from hybrid_bridge.business.receivables.objects import FINANCED, HELD, RESERVED, Note, open_note
from hybrid_bridge.business.ruling import Act, refuse


def reserve(act: Act) -> None:
    """0x0109. At most one bank at a time may prepare to finance a note.

    Raises:
        RuleRejected: unknown, I3, I8, I5, I2, I10, lifecycle.
    """
    fin_key, ttl = act.claims.text("fin_key"), act.claims.number("ttl_epochs")
    notes = _notes(act)
    act.require_authorisers(fin_key, *(note.holder for note in notes), rule="I3", subject=notes[0].note_id)
    if not 1 <= ttl <= act.pack.reserve_ttl:
        refuse("I5", notes[0].note_id)
    for note in notes:
        movable_note(act, note.note_id, HELD)
        require_settled(note)  # the debtor paid the holder: the bank would be owed what is perhaps gone
        store_note(act, replace(note, state=RESERVED, fin_key=fin_key, until=act.moment.epoch + ttl))


def finance(act: Act) -> None:
    """0x010A. The bank that holds the reservation finances, having checked the labels just before.

    Raises:
        RuleRejected: authority, unknown, I8, I5, I2, I10, lifecycle.
    """
    fin_key, notes = act.claims.text("fin_key"), _notes(act)
    act.require_authorisers(fin_key, rule="authority", subject=notes[0].note_id)
    _require_checked(act, notes[0])
    for note in notes:
        require_free(act, note.note_id)
        if note.state == HELD or (note.state == RESERVED and note.fin_key != fin_key):
            refuse("I5", note.note_id)
        require_state(note, RESERVED)
        store_note(act, replace(note, state=FINANCED, until=0))


def release(act: Act) -> None:
    """0x010B. The bank lets go of notes it financed or reserved.

    Raises:
        RuleRejected: unknown, authority, I8, I2, I3, I10, lifecycle.
    """
    notes = _notes(act)
    act.require_authorisers(*_fin_keys(notes), rule="authority", subject=notes[0].note_id)
    for note in notes:
        movable_note(act, note.note_id, FINANCED, RESERVED)
        store_note(act, replace(note, state=HELD, fin_key="", until=0))


def refinance(act: Act) -> None:
    """0x010C. One bank takes over from another; both sign.

    Raises:
        RuleRejected: unknown, authority, I8, I5, I2, I3, I10, lifecycle.
    """
    new_fin_key, notes = act.claims.text("new_fin_key"), _notes(act)
    act.require_authorisers(new_fin_key, *_fin_keys(notes), rule="authority", subject=notes[0].note_id)
    _require_checked(act, notes[0])
    for note in notes:
        movable_note(act, note.note_id, FINANCED)
        require_settled(note)
        store_note(act, replace(note, fin_key=new_fin_key))


def _notes(act: Act) -> list[Note]:
    names = act.claims.column("note.k")
    if len(set(names)) != len(names):
        refuse("I5", names[0])
    return [open_note(act.view, name, act.moment.epoch) for name in names]


def _fin_keys(notes: Iterable[Note]) -> list[str]:
    return [note.fin_key for note in notes]


def _require_checked(act: Act, subject: Note) -> None:
    """The labels, and the peers' registries, were read at most `peer_max_age` epochs ago (I5)."""
    age = act.moment.epoch - act.claims.number("check_epoch")
    if not 0 <= age <= act.pack.peer_max_age:
        refuse("I5", subject.note_id)
