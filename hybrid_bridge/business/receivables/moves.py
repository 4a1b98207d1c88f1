"""What every rule about notes shares: from which states a note may move, and how a change is written down."""

from collections.abc import Mapping
from datetime import date
from typing import Final

from hybrid_bridge.business.dates import end_of
from hybrid_bridge.business.freeze import require_free
from hybrid_bridge.business.receivables.objects import (
    FINANCED,
    NOTE,
    OFFERED,
    PAID,
    RESERVED,
    SPENT,
    WRITTEN_OFF,
    Note,
    open_note,
    put_note,
)
from hybrid_bridge.business.ruling import Act, refuse
from hybrid_bridge.units import UnixSeconds

# Which rule a move breaks when it meets a note in this state; any other state is a matter of the lifecycle alone.
_BROKEN_BY: Final[Mapping[str, str]] = {
    OFFERED: "I3",
    SPENT: "I2",
    RESERVED: "I5",
    FINANCED: "I5",
    PAID: "I10",
    WRITTEN_OFF: "I10",
}


def movable_note(act: Act, note_id: str, *states: str, is_payment: bool = False) -> Note:
    """A note that is free and in one of `states`.

    Raises:
        RuleRejected: unknown, I8, or the rule that its state stands for.
    """
    note = open_note(act.view, note_id, act.moment.epoch)
    require_free(act, note_id, is_payment=is_payment)
    require_state(note, *states)
    return note


def require_state(note: Note, *states: str) -> None:
    """The note is in one of `states`.

    Raises:
        RuleRejected: I2 once split, I3 while offered, I5 while reserved or financed, I10 once closed, else lifecycle.
    """
    if note.state not in states:
        refuse(_BROKEN_BY.get(note.state, "lifecycle"), note.note_id)


def require_settled(note: Note) -> None:
    """No payment waits for its acknowledgement: only who was owed it can say whether it came.

    Raises:
        RuleRejected: I10.
    """
    if note.claimed > note.paid:
        refuse("I10", note.note_id)


def store_note(act: Act, note: Note) -> None:
    """Write a note and the event in its life."""
    put_note(act.view, note)
    act.happened(NOTE, note.note_id, note.summary())


def after_due(act: Act, note: Note) -> UnixSeconds:
    """The first second after the note's due date in the rule pack's zone."""
    return end_of(date.fromisoformat(note.due_date), act.pack.zone)
