"""What an outsider can check between the receivables records that a bundle opens (SCENARIOS §2.1, column O).

Validators enforce these rules too; here they are checked again by somebody who trusts no validator. A rule that the
opened fields break is Refuted; one that needs a record which is not shown is missing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, TypeAlias

from hybrid_bridge.errors import FieldMismatch

Value: TypeAlias = str | int | bool | None
Opened: TypeAlias = tuple[int, Mapping[str, Value]]  # record type, fields by name

ASSET_CONFIRM: Final = 0x0102
NOTE_ISSUE: Final = 0x0105
NOTE_SPLIT: Final = 0x0108
FIN_FINANCE: Final = 0x010A
TENOR_WARN_DAYS: Final = 184  # six calendar months at their longest
ADVANCE_RATE_BPS: Final = 9_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """Things people should know, and things that would have to be shown."""

    warnings: tuple[str, ...]
    missing: tuple[str, ...]


def cross_checks(opened: Sequence[Opened], registered: frozenset[str]) -> Outcome:
    """All rules over the opened records; `registered` has the object ids whose identity label was proven.

    Raises:
        FieldMismatch: a rule is broken by what is shown (I2, I6b).
    """
    faces = _faces(opened)
    warnings: list[str] = []
    missing: list[str] = []
    for record_type, fields in opened:
        if record_type == NOTE_SPLIT:
            warnings += _split(fields, faces)
        elif record_type == NOTE_ISSUE:
            warnings += _tenor(fields)
        elif record_type == FIN_FINANCE:
            _require_advance(fields, faces)
            missing += _financing(fields, opened, registered)
    return Outcome(tuple(warnings), tuple(missing))


def numbered(fields: Mapping[str, Value], prefix: str, suffix: str) -> list[Value]:
    """The values of `prefix.0.suffix`, `prefix.1.suffix` … that are shown, in order."""
    tail = f".{suffix}" if suffix else ""
    names = [f"{prefix}.{k}{tail}" for k in range(200)]
    return [fields[name] for name in names if name in fields]


def _amount(value: Value) -> int | None:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18 else None


def _faces(opened: Sequence[Opened]) -> dict[Value, int]:
    """Face by note id, from the issue or from the split that made the note."""
    return {note: face for note, face in _shown_faces(opened) if face is not None}


def _shown_faces(opened: Sequence[Opened]) -> Iterator[tuple[Value, int | None]]:
    for record_type, fields in opened:
        if record_type == NOTE_ISSUE and "note" in fields and "face" in fields:
            yield fields["note"], _amount(fields["face"])
        if record_type == NOTE_SPLIT:
            for k in range(50):
                if f"child.{k}.note" in fields and f"child.{k}.face" in fields:
                    yield fields[f"child.{k}.note"], _amount(fields[f"child.{k}.face"])


def _split(fields: Mapping[str, Value], faces: Mapping[Value, int]) -> Iterator[str]:
    """I2: the children's faces add up to the parent's."""
    parent = faces.get(fields.get("note"))
    children = [_amount(face) for face in numbered(fields, "child", "face")]
    total = sum(face for face in children if face is not None)
    if parent is None:
        yield "split: the parent's face is not shown, so conservation (I2) was checked by the validators alone"
    elif total > parent:
        raise FieldMismatch(field="split.children (I2)", expected=str(parent), got=str(total))
    elif total < parent:
        yield f"split: the children shown add up to {total} of {parent}; some are not shown"


def _tenor(fields: Mapping[str, Value]) -> Iterator[str]:
    """I6: a long tenor is a warning."""
    try:
        issued, due = (date.fromisoformat(str(fields.get(name))) for name in ("issue_date", "due_date"))
    except ValueError:
        return
    if (due - issued).days > TENOR_WARN_DAYS:
        yield f"tenor: due {(due - issued).days} days after issue, more than six months"


def _require_advance(fields: Mapping[str, Value], faces: Mapping[Value, int]) -> None:
    """I6b: the advance is at most nine tenths of the faces, where both are shown."""
    advance = _amount(fields.get("advance"))
    notes = numbered(fields, "note", "")
    if advance is None or not notes or any(note not in faces for note in notes):
        return
    limit = sum(faces[note] for note in notes) * ADVANCE_RATE_BPS // 10_000
    if advance > limit:
        raise FieldMismatch(field="advance (I6b)", expected=f"<= {limit}", got=str(advance))


def _financing(fields: Mapping[str, Value], opened: Sequence[Opened], registered: frozenset[str]) -> Iterator[str]:
    """I12: a financing counts only with the debtor's confirmation and the proven label of what backs it."""
    confirmed = {shown.get("object") for record_type, shown in opened if record_type == ASSET_CONFIRM}
    issued = {shown.get("note"): shown for record_type, shown in opened if record_type == NOTE_ISSUE}
    for note in numbered(fields, "note", ""):
        issue = issued.get(_root_of(note, opened))
        if issue is None:
            yield f"I12: the issue of the financed note {note}"
            continue
        for backing in numbered(issue, "back", "object"):
            if backing not in confirmed:
                yield f"I12: the debtor's confirmation of asset {backing}"
            if backing not in registered:
                yield f"I12: the registry label of asset {backing}"


def _root_of(note: Value, opened: Sequence[Opened]) -> Value:
    """The issued note that splits lead back to, as far as they are shown."""
    parents = {
        fields.get(f"child.{k}.note"): fields.get("note")
        for record_type, fields in opened
        if record_type == NOTE_SPLIT
        for k in range(50)
        if f"child.{k}.note" in fields
    }
    for _ in range(len(parents)):
        note = parents.get(note, note)
    return note
