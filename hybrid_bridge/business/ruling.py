"""What every rule is given and what it may do: claims, the state, a moment; events and notices, or a refusal.

A refusal is a `RuleRejected`; its rule's name fixes the code that stands in the block (SPEC §5). Nothing a refused
record wrote is kept: the step runs each rule on an overlay of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NoReturn, TypeAlias

from hybrid_bridge.business.fields import Claims
from hybrid_bridge.core.block import AUTHORITY_WRONG, BRAKE_ON, ENTRY_REPEATED, LABEL_TAKEN, RULE_BROKEN
from hybrid_bridge.core.encoding import Json, canonical_json, sha256
from hybrid_bridge.core.governance import OWN_RECORD, Notice
from hybrid_bridge.core.ledger_state import Overlay, get_number, life_key, put_number
from hybrid_bridge.errors import RuleRejected
from hybrid_bridge.units import Digest, EpochNumber, LogId, RecordType, Seconds, UnixSeconds

_CODES: Final[Mapping[str, int]] = {
    "L-hard": LABEL_TAKEN,
    "admission": AUTHORITY_WRONG,
    "authority": AUTHORITY_WRONG,
    "I1": AUTHORITY_WRONG,
    "I3": AUTHORITY_WRONG,
    "brake": BRAKE_ON,
    "entry": ENTRY_REPEATED,
}

_DAY: Final = Seconds(86_400)
_FUTURE: Final = Seconds(120)
_GRACE: Final = Seconds(259_200)

State: TypeAlias = Mapping[str, str | int]


def refusal_code(rule: str) -> int:
    """The code of SPEC §5 for a rule's name; a business rule unless the table says otherwise."""
    return _CODES.get(rule, RULE_BROKEN)


def refuse(rule: str, subject: str) -> NoReturn:
    """Stop this record.

    Raises:
        RuleRejected: always.
    """
    raise RuleRejected(rule=rule, subject=subject)


@dataclass(frozen=True, slots=True, kw_only=True)
class RulePack:
    """Parameters of the rules, with the defaults of SCENARIOS §2.0. A consortium fixes its own in its policy."""

    tenor_max: int = 12  # calendar months
    tenor_warn: int = 6
    split_children: int = 50
    split_depth: int = 16
    reserve_ttl: int = 24  # epochs
    offer_ttl: int = 24  # epochs; no number in SCENARIOS: an unanswered offer waits as long as a reservation
    offers_max: int = 32  # waiting for their payees, on one asset: each later move of the asset looks at all of them
    backdate_max: Seconds = _DAY
    future_max: Seconds = _FUTURE
    pay_grace: Seconds = _GRACE  # 3 days
    advance_rate: int = 9_000  # basis points
    peer_max_age: int = 2  # epochs
    brake_max: int = 24  # epochs
    rotation: bool = True  # the next validator set is taken up (ADR 35)
    beacons: bool = False  # public blocks are taken up; refused until validators compare them before they attest
    zone: int = 28_800  # seconds east of UTC: dates of this rule pack are dates in this zone


@dataclass(frozen=True, slots=True)
class Moment:
    """When a block says it is."""

    time: UnixSeconds
    epoch: EpochNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeEvent:
    """One event in an object's life: the next version of its life label (SPEC §9.2, §9.3)."""

    object_type: str
    object_id: str
    version: int
    code: str  # the record type, "0x0106"
    entry_leaf: Digest
    state: State


@dataclass(slots=True, kw_only=True)
class Act:
    """One record at work. Rules read `claims` and `view`, write to `view`, and say what happened."""

    claims: Claims
    view: Overlay
    moment: Moment
    pack: RulePack
    log_id: LogId
    record_type: RecordType
    entry_leaf: Digest
    authorisers: frozenset[str]  # key ids as text
    events: list[LifeEvent] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)

    def require_authorisers(self, *keys: str, rule: str, subject: str) -> None:
        """These keys authorised the record, and no others.

        Raises:
            RuleRejected: `rule`.
        """
        if self.authorisers != frozenset(keys):
            refuse(rule, subject)

    def happened(self, object_type: str, object_id: str, state: State) -> None:
        """Record one life event; versions count up without a gap (SPEC §9.3)."""
        key = life_key(object_type, object_id)
        version = get_number(self.view, key)
        put_number(self.view, key, version + 1)
        event = LifeEvent(
            object_type=object_type,
            object_id=object_id,
            version=version,
            code=f"0x{self.record_type:04x}",
            entry_leaf=self.entry_leaf,
            state=state,
        )
        self.events.append(event)

    def notify(self, notice_type: int, until: int, subject: Json, detail: Json) -> None:
        """Derive a governance notice from this record (SPEC §7.3)."""
        notice = Notice(
            log_id=self.log_id,
            notice_type=notice_type,
            source=OWN_RECORD,
            time=self.moment.time,
            until=UnixSeconds(until),
            entry_leaf=self.entry_leaf,
            subject_hash=sha256(canonical_json(subject)),
            detail_hash=sha256(canonical_json(detail)),
        )
        self.notices.append(notice)
