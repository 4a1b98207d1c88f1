"""What an outsider can check between the receivables records that a bundle opens (SCENARIOS §2.1, column O).

Validators enforce these rules too; here they are checked again by somebody who trusts no validator. A rule that the
opened fields break is Refuted; one that needs a field or record which is not shown is missing or a warning. Of a
*partial* record not every claim is known to be shown: what it leaves out must neither refute nor excuse anything.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Final, TypeAlias

from hybrid_bridge.business.record_types import FIN_FINANCE, FIN_REFINANCE, NOTE_ISSUE, NOTE_SPLIT
from hybrid_bridge.business.schema import EVENT_TIME, RECORD_TYPES
from hybrid_bridge.errors import FieldMismatch
from hybrid_bridge.units import UnixSeconds

Value: TypeAlias = str | int | bool | None
Opened: TypeAlias = tuple[int, Mapping[str, Value]]  # record type, fields by name, each of its schema's type

TENOR_WARN_DAYS: Final = 184  # six calendar months at their longest
ADVANCE_RATE_BPS: Final = 9_000
BACKDATE_MAX: Final = 86_400  # seconds
FUTURE_MAX: Final = 120
MAX_ROWS: Final = 200  # of a repeated group; the widest is `note.k` of a financing
_BACKING: Final = [(f"back.{k}.object", f"back.{k}.allot") for k in range(MAX_ROWS)]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Things people should know, and things that would have to be shown."""

    warnings: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Shown:
    """All opened records, and what they say of notes and assets."""

    opened: Sequence[Opened]
    faces: Mapping[Value, int]  # by note
    parents: Mapping[Value, Value]  # note by child
    issues: Mapping[Value, Sequence[int]]  # positions of its issues by note; honest validators took one
    wanting: Callable[[str], Iterable[str]]  # each asset is asked about once: it may back very many notes


def cross_checks(
    opened: Sequence[Opened], wanting: Callable[[str], Iterable[str]], partial: Collection[int] = frozenset()
) -> Outcome:
    """All rules over the opened records.

    Args:
        opened: in any order.
        wanting: by object id, what is not shown of the invoice behind that asset (`receivables.backing`).
        partial: positions of records of which claims may be undisclosed.

    Raises:
        FieldMismatch: a rule is broken by what is shown (I2, I4, I5, I6b).
    """
    shown = _Shown(
        opened=opened,
        faces=_faces(opened),
        parents=_parents(opened),
        issues=_issues(opened),
        wanting=cache(lambda asset: tuple(wanting(asset))),
    )
    warnings: list[str] = []
    missing: list[str] = []
    for position, (record_type, fields) in enumerate(opened):
        is_partial = position in partial
        if record_type == NOTE_SPLIT:
            warnings += _split(fields, shown, is_partial=is_partial)
        elif record_type == NOTE_ISSUE:
            warnings += _tenor(fields)
            _require_allotments(fields, is_partial=is_partial)
        elif record_type in (FIN_FINANCE, FIN_REFINANCE):
            missing += _advance(fields, shown, is_partial=is_partial)
            missing += _financing(fields, shown, is_partial=is_partial)
    return Outcome(tuple(warnings), tuple(dict.fromkeys(missing)))


def numbered(fields: Mapping[str, Value], prefix: str, suffix: str) -> list[Value]:
    """The values of `prefix.0.suffix`, `prefix.1.suffix` … that are shown, in order."""
    tail = f".{suffix}" if suffix else ""
    names = [f"{prefix}.{k}{tail}" for k in range(MAX_ROWS)]
    return [fields[name] for name in names if name in fields]


def _amount(value: Value) -> int | None:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18 else None


# ── I2 ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _rows(split: Mapping[str, Value]) -> Iterator[tuple[Value, Value]]:
    """Each child that is shown, and its face or None."""
    for k in range(MAX_ROWS):
        if f"child.{k}.note" in split:
            yield split[f"child.{k}.note"], split.get(f"child.{k}.face")


def _faces(opened: Sequence[Opened]) -> dict[Value, int]:
    """Face by note, from the issue or from the split that made the note."""
    faces: dict[Value, int] = {}
    for note, value in _shown_faces(opened):
        face = _amount(value)
        if face is not None and faces.setdefault(note, face) != face:
            raise FieldMismatch(field=f"face of note {note} (I2)", expected=str(faces[note]), got=str(face))
    return faces


def _shown_faces(opened: Sequence[Opened]) -> Iterator[tuple[Value, Value]]:
    for record_type, fields in opened:
        if record_type == NOTE_ISSUE and "note" in fields:
            yield fields["note"], fields.get("face")
        if record_type == NOTE_SPLIT:
            yield from _rows(fields)


def _parents(opened: Sequence[Opened]) -> dict[Value, Value]:
    """By child, the note that was spent for it."""
    parents: dict[Value, Value] = {}
    for record_type, fields in opened:
        for child, _ in _rows(fields) if record_type == NOTE_SPLIT and "note" in fields else ():
            if parents.setdefault(child, fields["note"]) != fields["note"]:
                got = f"{parents[child]} and {fields['note']}"
                raise FieldMismatch(field=f"parent of note {child} (I2)", expected="one", got=got)
    return parents


def _split(fields: Mapping[str, Value], shown: _Shown, *, is_partial: bool) -> Iterator[str]:
    """I2: the children's faces add up to the parent's."""
    parent = shown.faces.get(fields["note"]) if "note" in fields else None
    total = sum(face for face in map(_amount, numbered(fields, "child", "face")) if face is not None)
    if parent is None:
        yield "split: the parent's face is not shown, so conservation (I2) was checked by the validators alone"
    elif total > parent or (total < parent and not is_partial):
        raise FieldMismatch(field="split.children (I2)", expected=str(parent), got=str(total))
    elif total < parent:
        yield f"split: the children shown add up to {total} of {parent}; some are not shown"
    elif is_partial:
        yield (
            f"split: the children shown add up to {total} of {parent}; that there is no other child was checked by the "
            "validators alone (the split's transaction is not shown)"
        )


# ── I4 ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _issues(opened: Sequence[Opened]) -> dict[Value, list[int]]:
    issues: dict[Value, list[int]] = {}
    for position, (record_type, fields) in enumerate(opened):
        if record_type == NOTE_ISSUE and "note" in fields:
            issues.setdefault(fields["note"], []).append(position)
    return issues


def _backed(issue: Mapping[str, Value]) -> list[tuple[Value, int | None]]:
    """Each asset that is shown to back the note, beside its own allotment; what is not shown of the two is None."""
    rows = ((issue.get(asset), issue.get(allot)) for asset, allot in _BACKING)
    return [(asset, _amount(allot)) for asset, allot in rows if asset is not None or allot is not None]


def _require_allotments(issue: Mapping[str, Value], *, is_partial: bool) -> None:
    """I4: each asset once, each with an allotment that is not zero, and all of them add up to the face."""
    face, rows = _amount(issue.get("face")), _backed(issue)
    assets = [asset for asset, _ in rows if asset is not None]
    allotted = [allot for _, allot in rows if allot is not None]
    if 0 in allotted or len(set(assets)) != len(assets):
        raise FieldMismatch(field="back.allot (I4)", expected="each asset once, not zero", got=str(allotted))
    is_whole = not is_partial and len(assets) == len(allotted) == len(rows) > 0
    if face is not None and (sum(allotted) > face or (is_whole and sum(allotted) < face)):
        raise FieldMismatch(field="back.allot (I4)", expected=str(face), got=str(sum(allotted)))


# ── I6 ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _tenor(fields: Mapping[str, Value]) -> Iterator[str]:
    """I6: a long tenor is a warning. A day has one spelling; the library would read others, and not every verifier."""
    issued, due = (_day(fields.get(name)) for name in ("issue_date", "due_date"))
    if issued is None or due is None:
        return
    if (due - issued).days > TENOR_WARN_DAYS:
        yield f"tenor: due {(due - issued).days} days after issue, more than six months"


def _day(value: Value) -> date | None:
    try:
        day = date.fromisoformat(str(value))
    except ValueError:
        return None
    return day if day.isoformat() == value else None


def _advance(fields: Mapping[str, Value], shown: _Shown, *, is_partial: bool) -> Iterator[str]:
    """I6b: the advance is at most nine tenths of the faces, where both are shown. I5: no note is financed twice."""
    notes = numbered(fields, "note", "")
    if len(set(notes)) != len(notes):
        raise FieldMismatch(field="note (I5)", expected="each note once", got=f"{len(notes) - len(set(notes))} twice")
    advance = _amount(fields.get("advance"))
    if advance is None:
        return
    if not notes or any(note not in shown.faces for note in notes):
        yield "I6b: the face of each financed note"
        return
    limit = sum(shown.faces[note] for note in notes) * ADVANCE_RATE_BPS // 10_000
    if advance > limit and is_partial:
        yield f"I6b: every financed note; those shown carry an advance of {limit}, not of {advance}"
    elif advance > limit:
        raise FieldMismatch(field="advance (I6b)", expected=f"<= {limit}", got=str(advance))


# ── I9 ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def require_event_time(record: Opened, begin: UnixSeconds, end: UnixSeconds) -> None:
    """I9 by what an outsider knows of the block's time: it lies in the epoch, from `begin` to `end`.

    Raises:
        FieldMismatch: no block of that epoch may hold this event time.
    """
    record_type, fields = record
    moment = fields.get(EVENT_TIME)
    if record_type not in RECORD_TYPES or not isinstance(moment, int):
        return
    least, most = begin - BACKDATE_MAX, end + FUTURE_MAX
    if not least <= moment <= most:
        raise FieldMismatch(field=f"{EVENT_TIME} (I9)", expected=f"{least} to {most}", got=str(moment))


# ── I12 ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _financing(fields: Mapping[str, Value], shown: _Shown, *, is_partial: bool) -> Iterator[str]:
    """I12: a financing counts only with all that backs it: each invoice opened, confirmed, its labels proven."""
    notes = numbered(fields, "note", "")
    if is_partial or not notes:
        yield "I12: the transaction of the financing, which names every note that it financed"
    for note in notes:
        positions = shown.issues.get(_root_of(note, shown), ())
        if not positions:
            yield f"I12: the issue of the financed note {note}"
        for position in positions:
            yield from _backing(note, shown.opened[position][1], shown)


def _backing(note: Value, issue: Mapping[str, Value], shown: _Shown) -> Iterator[str]:
    """Every asset of the issue: the allotments shown add up to the face, and a hidden one may not be zero (I4)."""
    rows = _backed(issue)
    allotted = [allot for asset, allot in rows if asset is not None and allot is not None]
    if not rows or len(allotted) != len(rows) or sum(allotted) != _amount(issue.get("face")):
        yield f"I12: all that backs the note {note}: every asset with its allotment, and the face they add up to"
    for asset, _ in rows:
        if asset is not None:
            yield from shown.wanting(str(asset))


def _root_of(note: Value, shown: _Shown) -> Value:
    """The issued note that splits lead back to, as far as they are shown."""
    for _ in range(len(shown.parents)):  # in a circle they would lead on for ever
        if note not in shown.parents:
            break
        note = shown.parents[note]
    return note
