"""Assets, notes and a debtor's totals: what the state holds of them, and the moves that keep I7 true.

Time-outs are not events (SCENARIOS S4): an offer or reservation that has lapsed is seen as lapsed whenever it is read,
by the epoch alone, and is written down by the next record that touches the object.
"""

from dataclasses import dataclass, replace
from typing import Final, Self

from hybrid_bridge.business.ruling import State, refuse
from hybrid_bridge.core.encoding import Json
from hybrid_bridge.core.ledger_state import (
    Overlay,
    StateReader,
    get_json,
    object_key,
    put_json,
    totals_key,
)
from hybrid_bridge.errors import StoreBroken
from hybrid_bridge.units import EpochNumber

ASSET: Final = "asset"
NOTE: Final = "note"

DECLARED: Final = "DECLARED"
CONFIRMED: Final = "CONFIRMED"
CANCELLED: Final = "CANCELLED"
CLOSED: Final = "CLOSED"
OFFERED: Final = "OFFERED"
HELD: Final = "HELD"
SPENT: Final = "SPENT"
RESERVED: Final = "RESERVED"
FINANCED: Final = "FINANCED"
PART_PAID: Final = "PART_PAID"
PAID: Final = "PAID"
DEFAULTED: Final = "DEFAULTED"
RECOURSE: Final = "RECOURSE"
WRITTEN_OFF: Final = "WRITTEN_OFF"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One invoice. 0 <= closed <= allotted <= gross (I4)."""

    object_id: str
    state: str
    debtor: str
    ccy: str
    gross: int
    creditor_key: str
    allotted: int = 0  # to notes that stand
    closed: int = 0  # of it, to notes that are paid or written off in full
    pending: tuple[str, ...] = ()  # notes on it that nobody has accepted yet

    def summary(self) -> State:
        """What its life label's value says."""
        return {"state": self.state, "gross": str(self.gross), "allotted": str(self.allotted)}

    def to_json(self) -> dict[str, Json]:
        """As stored."""
        return {
            "type": ASSET,
            "state": self.state,
            "debtor": self.debtor,
            "ccy": self.ccy,
            "gross": str(self.gross),
            "creditor_key": self.creditor_key,
            "allotted": str(self.allotted),
            "closed": str(self.closed),
            "pending": list(self.pending),
        }

    @classmethod
    def from_json(cls, object_id: str, row: dict[str, Json]) -> Self:
        """The inverse of `to_json`."""
        return cls(
            object_id=object_id,
            state=str(row["state"]),
            debtor=str(row["debtor"]),
            ccy=str(row["ccy"]),
            gross=_amount(row["gross"]),
            creditor_key=str(row["creditor_key"]),
            allotted=_amount(row["allotted"]),
            closed=_amount(row["closed"]),
            pending=tuple(map(str, _list(row["pending"]))),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A debtor's promise to pay. `holder` is the payee from the offer on; `giver` gets a lapsed child back."""

    note_id: str
    state: str
    debtor: str
    ccy: str
    face: int
    issue_date: str
    due_date: str
    holder: str
    root: str  # the note this one was split from in the end; itself for a root note
    depth: int = 0
    giver: str = ""
    fin_key: str = ""  # of a live reservation or financing
    until: int = 0  # last epoch of an offer or reservation
    claimed: int = 0  # paid, as the debtor says
    paid: int = 0  # and as the one who is owed acknowledges
    written_off: int = 0
    settled: int = 0  # of a root note: paid or written off, in itself and all that were split from it
    back: tuple[tuple[str, int], ...] = ()  # of a root note: assets and what each allots to it

    @property
    def owed_to(self) -> str:
        """The fin key if financed, else the holder."""
        return self.fin_key or self.holder

    @property
    def open(self) -> int:
        """What is still owed."""
        return self.face - self.paid - self.written_off

    def summary(self) -> State:
        """What its life label's value says."""
        return {"state": self.state, "face": str(self.face), "open": str(self.open)}

    def to_json(self) -> dict[str, Json]:
        """As stored."""
        return {
            "type": NOTE,
            "state": self.state,
            "debtor": self.debtor,
            "ccy": self.ccy,
            "face": str(self.face),
            "issue_date": self.issue_date,
            "due_date": self.due_date,
            "holder": self.holder,
            "root": self.root,
            "depth": self.depth,
            "giver": self.giver,
            "fin_key": self.fin_key,
            "until": self.until,
            "claimed": str(self.claimed),
            "paid": str(self.paid),
            "written_off": str(self.written_off),
            "settled": str(self.settled),
            "back": [[object_id, str(allot)] for object_id, allot in self.back],
        }

    @classmethod
    def from_json(cls, note_id: str, row: dict[str, Json]) -> Self:
        """The inverse of `to_json`."""
        return cls(
            note_id=note_id,
            state=str(row["state"]),
            debtor=str(row["debtor"]),
            ccy=str(row["ccy"]),
            face=_amount(row["face"]),
            issue_date=str(row["issue_date"]),
            due_date=str(row["due_date"]),
            holder=str(row["holder"]),
            root=str(row["root"]),
            depth=_amount(row["depth"]),
            giver=str(row["giver"]),
            fin_key=str(row["fin_key"]),
            until=_amount(row["until"]),
            claimed=_amount(row["claimed"]),
            paid=_amount(row["paid"]),
            written_off=_amount(row["written_off"]),
            settled=_amount(row["settled"]),
            back=tuple((str(_list(pair)[0]), _amount(_list(pair)[1])) for pair in _list(row["back"])),
        )


def _amount(value: Json) -> int:
    return int(str(value))


def _list(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise StoreBroken(store="state", rule="a list")
    return value


# ── reading and writing ──────────────────────────────────────────────────────────────────────────────────────────────


def put_asset(view: Overlay, asset: Asset) -> None:
    """Store."""
    put_json(view, object_key(asset.object_id), asset.to_json())


def put_note(view: Overlay, note: Note) -> None:
    """Store."""
    put_json(view, object_key(note.note_id), note.to_json())


def require_new(view: StateReader, object_id: str) -> None:
    """An object id is used once, whatever its type.

    Raises:
        RuleRejected: exists.
    """
    if view.get(object_key(object_id)) is not None:
        refuse("exists", object_id)


def _row(view: StateReader, object_type: str, object_id: str) -> dict[str, Json]:
    row = get_json(view, object_key(object_id))
    if row is None or row["type"] != object_type:
        refuse("unknown", object_id)
    return row


def stored_note(view: StateReader, note_id: str) -> Note:
    """A note as last written.

    Raises:
        RuleRejected: unknown.
    """
    return Note.from_json(note_id, _row(view, NOTE, note_id))


def stored_asset(view: StateReader, object_id: str) -> Asset:
    """An asset as last written.

    Raises:
        RuleRejected: unknown.
    """
    return Asset.from_json(object_id, _row(view, ASSET, object_id))


def open_note(view: Overlay, note_id: str, epoch: EpochNumber) -> Note:
    """A note as it is at `epoch`: lapsed offers and reservations are over.

    Raises:
        RuleRejected: unknown.
    """
    note = stored_note(view, note_id)
    if epoch <= note.until or note.state not in (OFFERED, RESERVED):
        return note
    return lapse(view, note)


def open_asset(view: Overlay, object_id: str, epoch: EpochNumber) -> Asset:
    """An asset as it is at `epoch`: allotments of lapsed offers are restored.

    Raises:
        RuleRejected: unknown.
    """
    for note_id in stored_asset(view, object_id).pending:
        open_note(view, note_id, epoch)
    return stored_asset(view, object_id)


def lapse(view: Overlay, note: Note) -> Note:
    """End an offer or reservation: a root note is cancelled, a child goes back, a reserved note is held again."""
    if note.state == RESERVED:
        ended = replace(note, state=HELD, fin_key="", until=0)
    elif note.giver:
        ended = replace(note, state=HELD, holder=note.giver, giver="", until=0)
    else:
        ended = replace(note, state=CANCELLED, until=0)
        _restore(view, note)
    put_note(view, ended)
    return ended


def _restore(view: Overlay, note: Note) -> None:
    for object_id, allot in note.back:
        asset = stored_asset(view, object_id)
        pending = tuple(other for other in asset.pending if other != note.note_id)
        put_asset(view, replace(asset, allotted=asset.allotted - allot, pending=pending))
    move_totals(view, note, cancelled=note.face)


# ── a debtor's totals: issued = open + paid + written off + cancelled (I7) ───────────────────────────────────────────


def move_totals(
    view: Overlay, note: Note, *, issued: int = 0, paid: int = 0, written_off: int = 0, cancelled: int = 0
) -> None:
    """Add to the totals of a note's debtor and currency; what was neither settled nor cancelled stays open."""
    key = totals_key(note.debtor, note.ccy)
    row = get_json(view, key) or {}
    moved = {"issued": issued, "paid": paid, "written_off": written_off, "cancelled": cancelled}
    totals = {name: _amount(row.get(name, "0")) + by for name, by in moved.items()}
    totals["open"] = totals["issued"] - totals["paid"] - totals["written_off"] - totals["cancelled"]
    put_json(view, key, {name: str(value) for name, value in totals.items()})


def debtor_totals(view: StateReader, debtor: str, ccy: str) -> dict[str, int]:
    """Issued, open, paid, written_off and cancelled of one debtor in one currency; empty before the first note."""
    return {name: _amount(value) for name, value in (get_json(view, totals_key(debtor, ccy)) or {}).items()}
