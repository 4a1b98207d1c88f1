"""What a brake may be on, as one text: `ALL`, `TYPE:0x0105`, `MEMBER:` and the id of a member's identity key.

And which of them stop a record; for those who refuse it, and for outsiders who look afterwards.

Source: SCENARIOS S7.
"""

import re
from collections.abc import Iterator
from typing import Final

from hybrid_bridge.business.record_types import BRAKE_OFF, BRAKE_ON, FREEZE_LIFT, FREEZE_ORDER, NOTE_PAY_ACK
from hybrid_bridge.core.encoding import parse_b64u
from hybrid_bridge.errors import NotCanonical
from hybrid_bridge.units import RecordType

ON_NOTICE, OFF_NOTICE, FREEZE_NOTICE, LIFT_NOTICE = 1, 2, 5, 6  # of SPEC §7.3
NOTICES: Final = {
    BRAKE_ON: ON_NOTICE,
    BRAKE_OFF: OFF_NOTICE,
    FREEZE_ORDER: FREEZE_NOTICE,
    FREEZE_LIFT: LIFT_NOTICE,
}  # which notice each of these records leaves
PASSING: Final = frozenset({FREEZE_ORDER, FREEZE_LIFT, BRAKE_ON, BRAKE_OFF, NOTE_PAY_ACK})  # what no brake stops
ALL: Final = "ALL"
TYPE: Final = "TYPE"
MEMBER: Final = "MEMBER"
_POWERS: Final = {ALL: "brake_all", TYPE: "brake_type", MEMBER: "brake_member"}
_TYPE: Final = re.compile(r"TYPE:0x[0-9a-f]{4}")


def type_scope(record_type: RecordType) -> str:
    """One record type."""
    return f"{TYPE}:0x{record_type:04x}"


def member_scope(key: str) -> str:
    """What one member submits, or authorises with its identity key."""
    return f"{MEMBER}:{key}"


def power_over(scope: str) -> str:
    """Which power of the policy pulls a brake on this scope."""
    return _POWERS[scope.partition(":")[0]]


def scopes_of(record_type: RecordType, keys: list[str]) -> Iterator[str]:
    """Every scope in which a brake would stop a record: `keys` are its submitter's and its authorisers'."""
    if record_type not in PASSING:
        yield ALL
        yield type_scope(record_type)
        yield from map(member_scope, keys)


def is_scope(text: str) -> bool:
    """Whether it is one of the three, in its one spelling."""
    return text == ALL or _TYPE.fullmatch(text) is not None or _is_member(text)


def _is_member(text: str) -> bool:
    kind, _, key = text.partition(":")
    try:
        return kind == MEMBER and len(parse_b64u(key, "key")) == 32
    except NotCanonical:
        return False
