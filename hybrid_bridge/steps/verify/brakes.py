"""Check 13 of `verify`: brakes and freezes: what a notice says, what an epoch's flag says, what stands in an epoch.

No brake is silent. A flag that no notice explains, a notice without its flag, and a record that a brake must have
stopped are each Refuted where both sides are shown. Source: SPEC §7.2, §7.3; SCENARIOS S7.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise

from hybrid_bridge.business.notices import Reason, is_stop, reason_of, scopes_by_hash, text_hash
from hybrid_bridge.business.scopes import FREEZE_NOTICE, NOTICES, OFF_NOTICE, ON_NOTICE, PASSING, scopes_of
from hybrid_bridge.core.disclosure import ORIGIN
from hybrid_bridge.core.encoding import Json
from hybrid_bridge.core.epoch import BRAKE_ON, EpochRecord, closed_at, epoch_of
from hybrid_bridge.core.evidence import BrakeFact
from hybrid_bridge.core.governance import MemberUpdate, Notice
from hybrid_bridge.core.keys import key_id_text
from hybrid_bridge.core.labels import event_code
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.transaction import SignedTransaction, claims_of
from hybrid_bridge.errors import FieldMismatch
from hybrid_bridge.steps.verify.decoded import Decoded, DecodedEntry
from hybrid_bridge.steps.verify.names import identity_keys
from hybrid_bridge.units import Digest, EpochNumber, LeafIndex, RecordType


@dataclass(frozen=True, slots=True)
class Brakes:
    """Every brake and freeze that is shown, and what people should know beside."""

    facts: tuple[BrakeFact, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stop:
    """A brake from its notice on, until it was taken off; of a freeze or a lift no more than the notice."""

    notice: Notice
    index: LeafIndex
    scope: str  # "" where not opened
    reason: Reason
    begun: EpochNumber  # the epoch in which it began, or the one that it continues did
    until: EpochNumber
    off: Notice | None = None
    ended: EpochNumber | None = None  # the epoch in which it was taken off, or another end was set

    def holds_at_the_end_of(self, epoch: EpochNumber) -> bool:
        """Whether flag bit 0 of that epoch's record must be set because of it."""
        return self.begun <= epoch <= self.until and (self.ended is None or epoch < self.ended)

    def fills(self, epoch: EpochNumber) -> bool:
        """On in every block of that epoch; in the one in which it began a record may have stood before it."""
        return self.begun < epoch and self.holds_at_the_end_of(epoch)


@dataclass(frozen=True)
class _Looked:
    """A bundle, looked at for its brakes."""

    d: Decoded
    stops: list[_Stop] = field(default_factory=list)

    @cached_property
    def keys(self) -> list[str]:
        """Of members and validators of whom the bundle says anything, those that can hold a power first."""
        governance = () if self.d.governance is None else self.d.governance.records
        found = [key.key_id for key in identity_keys(self.d).values()]
        found += [record.key_id for record in governance if isinstance(record, MemberUpdate)]
        signed = [transaction.body for _, transaction in self.d.transactions]
        found += [key for body in signed for key in (body.submitter, *body.authorisers)]
        origins = [origin for _, entry in self.d.entries for origin in _origin(entry)]
        return list(dict.fromkeys([*map(key_id_text, found), *origins]))

    @cached_property
    def scopes(self) -> dict[Digest, str]:
        """What the bundle lets us try."""
        return scopes_by_hash({entry.entry.record_type for _, entry in self.d.entries}, self.keys)

    @cached_property
    def signed(self) -> dict[Digest, SignedTransaction]:
        """Transactions by the leaf of their record."""
        return {leaf_hash(entry.part.entry): transaction for entry, transaction in self.d.transactions}

    @property
    def brakes(self) -> list[_Stop]:
        """Those that an epoch's flag must show."""
        return [stop for stop in self.stops if stop.notice.notice_type == ON_NOTICE]


def verify_brakes(d: Decoded) -> Brakes:
    """What is shown of brakes and freezes, once nothing of it contradicts anything else.

    Raises:
        FieldMismatch: a notice of another time than its place says, or of another record; a flag without a notice, a
            notice without a flag; a record that a brake must have refused.
    """
    looked = _Looked(d)
    _follow_notices(looked)
    _require_flags(looked)
    passed = [note for epoch, entry in d.entries for note in _require_unbraked(looked, epoch.record.epoch, entry)]
    warnings = [*_flagged(looked), *passed]
    return Brakes(tuple(_fact(stop) for stop in looked.stops), tuple(warnings))


# ── notices ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _follow_notices(looked: _Looked) -> None:
    """From the first notice shown to the last: which brake began, which one another ended."""
    d, shown = looked.d, looked.d.governance
    standing: dict[Digest, int] = {}  # by hash of the scope: its place in `stops`
    leaves: dict[Digest, int] = {}
    for part, record in () if shown is None else zip(shown.part.records, shown.records, strict=True):
        if not isinstance(record, Notice) or not is_stop(record):
            continue
        at = _epoch_of_notice(d, LeafIndex(part.index), record)
        leaves[record.entry_leaf] = record.notice_type
        before = standing.pop(record.subject_hash, None) if record.notice_type in (ON_NOTICE, OFF_NOTICE) else None
        stop = _stop(looked, LeafIndex(part.index), record, at)
        if before is not None:
            old = looked.stops[before]
            if record.notice_type == ON_NOTICE and old.holds_at_the_end_of(EpochNumber(at)):
                stop = replace(stop, begun=old.begun)
            looked.stops[before] = replace(old, off=record, ended=at)
        if record.notice_type == ON_NOTICE:
            standing[record.subject_hash] = len(looked.stops)
        if record.notice_type != OFF_NOTICE or before is None:
            looked.stops.append(stop)
    _require_noticed(looked, leaves)


def _stop(looked: _Looked, index: LeafIndex, notice: Notice, at: EpochNumber) -> _Stop:
    until = epoch_of(looked.d.genesis, notice.until) - 1 if notice.until else 0  # its last second is the next one's
    reason = reason_of(notice, EpochNumber(until), looked.keys)
    scope = looked.scopes.get(notice.subject_hash, "") if notice.notice_type in (ON_NOTICE, OFF_NOTICE) else ""
    return _Stop(
        notice=notice,
        index=index,
        scope=_told_by_its_record(looked, notice) or scope,
        reason=reason,
        begun=at,
        until=EpochNumber(until),
    )


def _told_by_its_record(looked: _Looked, notice: Notice) -> str:
    """What the record behind a notice says it is about, where its transaction is shown: the notice says the same."""
    signed = looked.signed.get(notice.entry_leaf)
    if signed is None:
        return ""
    claims = {name: claim.value for name, claim in claims_of(signed.body).items()}
    told = str(claims.get("scope"))
    subject: Json = told
    if "scope" not in claims:
        objects = [str(claims[name]) for name in sorted(claims, key=_row) if name.startswith("object.")]
        told = f"order {claims.get('order')} on {', '.join(objects)}"
        subject = {"order": claims.get("order"), "objects": list(objects)}
    _equal("notice.subject_hash", text_hash(subject).hex(), notice.subject_hash.hex())
    until = int(str(claims.get("until_epoch", 0)))
    _equal("notice.until", closed_at(looked.d.genesis, EpochNumber(until)) if until else 0, notice.until)
    return told


def _require_noticed(looked: _Looked, leaves: Mapping[Digest, int]) -> None:
    """A brake or a freeze that is shown as a record, where all notices of its epoch are known, has its own."""
    d = looked.d
    known = [(b.epoch, a.epoch) for b, a in pairwise(_records(d)) if b.governance_size == a.governance_size]
    if d.governance is not None:
        known.append((d.governance.older.epoch, d.governance.newer.epoch))
    for epoch, entry in d.entries:
        wanted = NOTICES.get(RecordType(entry.entry.record_type))
        if wanted is not None and any(older < epoch.record.epoch <= newer for older, newer in known):
            leaf = leaf_hash(entry.part.entry)
            _equal(f"notice of record {leaf.hex()}", f"type {wanted}", f"type {leaves.get(leaf, 'none')}")


def _equal(field_: str, expected: object, got: object) -> None:
    if expected != got:
        raise FieldMismatch(field=field_, expected=str(expected), got=str(got))


def _row(name: str) -> tuple[int, str]:
    number = name.rpartition(".")[2]
    return (int(number) if number.isdecimal() else 0, name)


def _epoch_of_notice(d: Decoded, index: LeafIndex, notice: Notice) -> EpochNumber:
    """In which epoch it was committed: as its time says, and between the sizes of the epochs that are shown."""
    at = epoch_of(d.genesis, notice.time)
    for record in _records(d):
        if (index < record.governance_size) != (at <= record.epoch):
            place = "before" if index < record.governance_size else "after"
            expected = f"{place} the end of epoch {record.epoch}, as index {index}"
            raise FieldMismatch(field="notice.time", expected=expected, got=f"epoch {at}")
    return at


def _records(d: Decoded) -> list[EpochRecord]:
    return [epoch.record for epoch in d.epochs]


# ── flags ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _require_flags(looked: _Looked) -> None:
    """Both ways, wherever all notices between two epochs are known: by being shown, or by equal sizes."""
    records = _records(looked.d)
    for before, after in pairwise(records):
        if before.governance_size == after.governance_size and _flag(after) > _flag(before):
            _refute(after, "0: no notice since a record without it")
    shown = looked.d.governance
    if shown is None:
        return
    for record in (record for record in records if shown.older.epoch < record.epoch <= shown.newer.epoch):
        on = any(stop.holds_at_the_end_of(record.epoch) for stop in looked.brakes)
        if on and not _flag(record):
            _refute(record, "1: a notice says that a brake was on")
        if _flag(record) and not on and not _flag(shown.older):
            _refute(record, f"0: no notice of a brake since epoch {shown.older.epoch}")


def _flag(record: EpochRecord) -> int:
    return record.flags & BRAKE_ON


def _refute(record: EpochRecord, expected: str) -> None:
    raise FieldMismatch(field=f"flags of epoch {record.epoch}", expected=expected, got=str(_flag(record)))


def _flagged(looked: _Looked) -> Iterator[str]:
    for record in _records(looked.d):
        if _flag(record):
            on = [_named(stop) for stop in looked.brakes if stop.holds_at_the_end_of(record.epoch)]
            told = ", ".join(on) or "of what, by whom and why is not shown"
            yield f"the brake was on when epoch {record.epoch} closed: {told}"


# ── records ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _require_unbraked(looked: _Looked, epoch: EpochNumber, entry: DecodedEntry) -> Iterator[str]:
    """A record that stands although a brake was on: let through by rule, or before it, or against the rules."""
    kind, leaf = RecordType(entry.entry.record_type), leaf_hash(entry.part.entry)
    stopping = set(scopes_of(kind, _keys_of(entry)))
    for stop in looked.brakes:
        if kind in PASSING and stop.holds_at_the_end_of(epoch):
            yield f"record {leaf.hex()} of type {event_code(kind)} stands in epoch {epoch}: no brake stops this type"
        elif stop.scope in stopping and stop.fills(epoch):
            expected = f"nothing of {stop.scope} in epoch {epoch}: the brake was on"
            raise FieldMismatch(field="brake", expected=expected, got=f"record {leaf.hex()} of {event_code(kind)}")
        elif stop.scope in stopping and epoch in (stop.begun, stop.ended):
            change = "pulled" if epoch == stop.begun else "taken off"
            yield f"record {leaf.hex()} stands in epoch {epoch}, in which the brake on {stop.scope} was {change}"


def _keys_of(entry: DecodedEntry) -> list[str]:
    if entry.transaction is None:
        return _origin(entry)
    body = entry.transaction.body
    return [*map(key_id_text, (body.submitter, *body.authorisers))]


def _origin(entry: DecodedEntry) -> list[str]:
    return [str(shown.value) for shown in entry.disclosures if shown.name == ORIGIN]


# ── facts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _named(stop: _Stop) -> str:
    return stop.scope or f"scope with hash {stop.notice.subject_hash.hex()}"


def _fact(stop: _Stop) -> BrakeFact:
    notice = stop.notice
    names = {ON_NOTICE: "brake", OFF_NOTICE: "brake off", FREEZE_NOTICE: "freeze"}
    return BrakeFact(
        what=names.get(notice.notice_type, "lift"),
        index=stop.index,
        scope=stop.scope,
        scope_hash=notice.subject_hash,
        since=notice.time,
        until=notice.until,
        by=stop.reason.by,
        reason_code=stop.reason.code,
        reason_hash=notice.detail_hash,
        record=notice.entry_leaf,
        ended=None if stop.off is None else stop.off.time,
        ended_by=None if stop.off is None else stop.off.entry_leaf,
    )
