"""What verified evidence says about the labels of one paper: free, taken, similar, or open. Pure; `registry` prints it.

The reader of the answer asks about his own paper, so every label that follows from it must be shown: a bundle that is
silent about one, or shows another spelling of it, answers another question.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from hybrid_bridge.business.paper import twins
from hybrid_bridge.business.receivables.review import MAX_TWINS
from hybrid_bridge.core.encoding import Json
from hybrid_bridge.core.evidence import UNDECIDED, Evidence, RegistryFact, span
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.label_table import CREDITOR_INVOICE, CREDITOR_INVOICE_LOOSE, E_INVOICE, INVOICE_TERMS
from hybrid_bridge.core.labels import Label, life
from hybrid_bridge.steps.verify.registry import NOT_REGISTERED, OBJECT, USE_UNKNOWN
from hybrid_bridge.units import EpochNumber, Seconds, TreeSize, UnixSeconds

FREE: Final = "free"
TAKEN: Final = "taken"
SIMILAR: Final = "similar"
OPEN: Final = "undecided"
EXIT_CODES: Final = {FREE: 0, TAKEN: 1, SIMILAR: 3, OPEN: 3}

ABSENT, PRESENT, NOT_SHOWN = "absent", "present", "not shown"
MAX_AGE: Final = 3_600  # seconds, or
MAX_EPOCHS: Final = 3  # if that is longer: the newest epoch is up to one old when it is shown, and its anchor is later
ASSET_LABELS: Final = (E_INVOICE, CREDITOR_INVOICE, CREDITOR_INVOICE_LOOSE, INVOICE_TERMS)  # those of an `asset`


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Of which epoch an answer is, and how long ago that closed; an older one than `limit` is not called free."""

    last: EpochNumber  # the newest that the newest checkpoint of the bundle covers
    age: Seconds
    limit: Seconds

    @property
    def missing(self) -> str:
        """What a younger answer would need; "" if this one is young enough."""
        if self.age < 0:
            return "a clock that has reached the checkpoint's time"
        if self.age > self.limit:
            return f"an answer not older than {span(self.limit)}, or --max-age; this one is {span(self.age)} old"
        return ""


def moment_of(genesis: Genesis, size: TreeSize, now: UnixSeconds, max_age: Seconds | None) -> Moment:
    """By the checkpoint that the bundle itself shows: a fresher head of the contract makes its labels no younger."""
    limit = max(MAX_AGE, MAX_EPOCHS * genesis.cadence) if max_age is None else max_age
    age = now - genesis.checkpoint_timestamp(size)
    return Moment(last=EpochNumber(size - 1), age=Seconds(age), limit=Seconds(limit))


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One label at the newest epoch that shows it; `is_asked` if it follows from the paper, not from an answer."""

    label: Label
    fact: RegistryFact | None
    state: str  # of the object, if its life is shown
    is_asked: bool

    @property
    def standing(self) -> str:
        """absent, present, or not shown."""
        if self.fact is None:
            return NOT_SHOWN
        return ABSENT if self.fact.statement == NOT_REGISTERED else PRESENT

    def is_old(self, last: EpochNumber) -> bool:
        """An absence, and not of the newest epoch."""
        return self.fact is not None and self.standing == ABSENT and self.fact.epoch < last

    @property
    def object_id(self) -> str:
        """Whose label it is, if that is opened."""
        return "" if self.fact is None else _object(self.fact)

    def to_json(self) -> dict[str, Json]:
        """For machines."""
        parts: list[Json] = list(self.label.parts)
        return {
            "type": self.label.type,
            "kind": self.label.kind,
            "parts": parts,
            "standing": self.standing,
            "epoch": None if self.fact is None else self.fact.epoch,
            "at": None if self.fact is None else self.fact.at,
            "object": self.object_id or None,
            "state": self.state or None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a bank is told. Only `free` may be lent on; `missing` says what an open answer lacks."""

    outcome: str
    rows: tuple[Row, ...]
    missing: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """0 free · 1 taken: "not financed before" is refuted · 3 similar, or undecided."""
        return EXIT_CODES[self.outcome]


def answer_of(labels: Sequence[Label], evidence: Evidence, moment: Moment) -> Answer:
    """Judge the labels of a paper by what a verified bundle shows at its newest epoch for each.

    An absence at an older epoch than `moment.last` says nothing of what was registered since, however fresh that
    checkpoint is; and one that is old says nothing of today.
    """
    newest = _newest(evidence)
    found = tuple(
        Row(label=label, fact=fact, state=_state(newest, fact), is_asked=label in labels)
        for label in with_twins(labels)
        for fact in (newest.get(label.describe()),)
    )
    present = {row.label.kind for row in found if row.standing == PRESENT}
    needed = tuple(row for row in found if row.is_asked or not present)  # one that looks alike is enough to ask
    missing = tuple(_missing(needed, evidence, moment))
    if not evidence.complete:
        outcome = OPEN
    elif "hard" in present:
        outcome, missing = TAKEN, ()  # what is registered stays so: nothing that is missing could change it
    elif any(row.standing == NOT_SHOWN or row.is_old(moment.last) for row in needed):
        outcome = OPEN
    elif present:
        outcome, missing = SIMILAR, ()
    else:
        outcome = OPEN if missing else FREE
    return Answer(outcome=outcome, rows=tuple(_worth_telling(found)), missing=missing)


def with_twins(labels: Sequence[Label]) -> tuple[Label, ...]:
    """The labels, and every twin of the soft ones.

    Ordinals need not be taken in order: a supplier and a debtor who say `distinct` of a first paper can leave
    ordinal 1 free, and a second paper of the same goods would find it so.
    """
    return tuple(dict.fromkeys((*labels, *(twin for label in labels for twin in twins(label)))))


def further_labels(labels: Sequence[Label], evidence: Evidence) -> tuple[Label, ...]:
    """What the facts lead on to: the life of each asset that is opened."""
    newest = _newest(evidence)
    facts = [newest.get(label.describe()) for label in with_twins(labels) if label.type in ASSET_LABELS]
    objects = [_object(fact) for fact in facts if fact is not None]
    return tuple(life("asset", object_id) for object_id in dict.fromkeys(objects) if object_id)


def _worth_telling(rows: Sequence[Row]) -> Iterable[Row]:
    """Of the twins that are free the first alone, and only if the one before it is not."""
    next_ones = {twins(row.label)[:1] for row in rows if row.standing == PRESENT}
    return (row for row in rows if row.is_asked or row.standing == PRESENT or (row.label,) in next_ones)


def _newest(evidence: Evidence) -> dict[str, RegistryFact]:
    """The last word on each label: facts stand in the order of their epochs."""
    return {fact.label: fact for fact in evidence.registry}


def _object(fact: RegistryFact) -> str:
    return fact.statement.removeprefix(OBJECT) if fact.statement.startswith(OBJECT) else ""


def _state(newest: dict[str, RegistryFact], fact: RegistryFact | None) -> str:
    object_id = "" if fact is None else _object(fact)
    if not object_id:
        return ""
    lived = newest.get(life("asset", object_id).describe())
    return "" if lived is None or lived.statement in (NOT_REGISTERED, USE_UNKNOWN) else lived.statement


def _missing(rows: Sequence[Row], evidence: Evidence, moment: Moment) -> Iterator[str]:
    yield from evidence.missing
    if moment.missing:
        yield moment.missing
    for row in rows:
        if not row.is_asked:
            continue
        if row.standing == NOT_SHOWN:
            yield f"{row.label.kind} label {row.label.describe()}: its standing is not in the bundle"
        if row.is_old(moment.last):
            of = f"its standing at epoch {moment.last}, the newest covered"
            yield f"{row.label.kind} label {row.label.describe()}: {of}"
    if any(not row.is_asked and (row.standing == NOT_SHOWN or row.is_old(moment.last)) for row in rows):
        yield f"each ordinal up to {MAX_TWINS} of the soft labels at epoch {moment.last}: a twin may stand there"
    registry = evidence.verdict("registry")
    if registry.result == UNDECIDED and f"registry: {registry.missing}" not in evidence.missing:
        yield f"registry: {registry.missing}"
