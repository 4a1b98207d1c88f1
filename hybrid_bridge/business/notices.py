"""What the notice of a brake or a freeze says beneath its hashes: found by trying, for there is little it could say.

A notice holds hashes of its scope and of who, why and until when (SPEC §7.3). The scopes are a short list, the reasons
a shorter one; what nobody tried stays a hash. Source: SCENARIOS S7.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hybrid_bridge.business.policy import QUORUM
from hybrid_bridge.business.schema import (
    BRAKE_REASONS,
    BRAKE_RELEASES,
    FREEZE_REASONS,
    FREEZE_RELEASES,
    RECORD_TYPES,
)
from hybrid_bridge.business.scopes import (
    ALL,
    FREEZE_NOTICE,
    LIFT_NOTICE,
    OFF_NOTICE,
    ON_NOTICE,
    member_scope,
    type_scope,
)
from hybrid_bridge.core.encoding import Json, canonical_json, sha256
from hybrid_bridge.core.governance import OWN_RECORD, Notice
from hybrid_bridge.units import Digest, EpochNumber, RecordType

MAX_HOLDERS: Final = 64  # keys that are tried as the holder of a power: time is bounded (SPEC §15)
_REASONS: Final[Mapping[int, Sequence[str]]] = {
    ON_NOTICE: BRAKE_REASONS.codes,
    OFF_NOTICE: BRAKE_RELEASES.codes,
    FREEZE_NOTICE: FREEZE_REASONS.codes,
    LIFT_NOTICE: FREEZE_RELEASES.codes,
}


@dataclass(frozen=True, slots=True)
class Reason:
    """Who used the power, `quorum` or a key id, and why; "" twice where it is not opened."""

    by: str = ""
    code: str = ""


def is_stop(notice: Notice) -> bool:
    """Whether it tells of a brake or a freeze of this ledger."""
    return notice.source == OWN_RECORD and notice.notice_type in _REASONS


def scopes_by_hash(types: Iterable[RecordType], keys: Iterable[str]) -> dict[Digest, str]:
    """Every scope that there is to try: all, each record type, each member of whom something is known."""
    scopes = [ALL, *map(type_scope, {*RECORD_TYPES, *types}), *map(member_scope, keys)]
    return {text_hash(scope): scope for scope in scopes}


def reason_of(notice: Notice, until: EpochNumber, holders: Sequence[str]) -> Reason:
    """Who and why, if it is the quorum or one of `holders`, for one of the known reasons."""
    ends: dict[str, Json] = {} if notice.notice_type == OFF_NOTICE else {"until_epoch": until}
    for code in _REASONS[notice.notice_type]:
        for by in (QUORUM, *holders[:MAX_HOLDERS]):
            if text_hash({"by": by, "reason_code": code, **ends}) == notice.detail_hash:
                return Reason(by, code)
    return Reason()


def text_hash(value: Json) -> Digest:
    """As in a notice: H(JCS of text or data)."""
    return sha256(canonical_json(value))
