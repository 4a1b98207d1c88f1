"""The brake: a quorum stops all but freezes, brakes and acknowledgements; it expires by itself (SCENARIOS S7)."""

from typing import Final

from hybrid_bridge.business.membership import is_quorum, key_of
from hybrid_bridge.business.record_types import BRAKE_OFF, BRAKE_ON, FREEZE_LIFT, FREEZE_ORDER, NOTE_PAY_ACK
from hybrid_bridge.business.ruling import Act, refuse
from hybrid_bridge.core.ledger_state import BRAKE, StateReader, get_number, put_number
from hybrid_bridge.units import EpochNumber, RecordType

ON_NOTICE: Final = 1
OFF_NOTICE: Final = 2
_PASS: Final = frozenset({FREEZE_ORDER, FREEZE_LIFT, BRAKE_ON, BRAKE_OFF, NOTE_PAY_ACK})


def brake_is_on(state: StateReader, epoch: EpochNumber) -> bool:
    """Whether the brake is on in `epoch`; flag bit 0 of its record (SPEC §7.2)."""
    return epoch <= get_number(state, BRAKE)


def require_unbraked(state: StateReader, record_type: RecordType, epoch: EpochNumber) -> None:
    """Records the brake stops are refused with a code of their own.

    Raises:
        RuleRejected: brake.
    """
    if record_type not in _PASS and brake_is_on(state, epoch):
        refuse("brake", f"0x{record_type:04x}")


def on(act: Act) -> None:
    """0x0013. On until the end of an epoch at most `brake_max` away.

    Raises:
        RuleRejected: authority, brake_max.
    """
    until = act.claims.number("until_epoch")
    _require_quorum(act)
    if not act.moment.epoch <= until <= act.moment.epoch + act.pack.brake_max:
        refuse("brake_max", str(until))
    put_number(act.view, BRAKE, until)
    _notify(act, ON_NOTICE)


def off(act: Act) -> None:
    """0x0014. Off at once.

    Raises:
        RuleRejected: authority.
    """
    _require_quorum(act)
    put_number(act.view, BRAKE, 0)
    _notify(act, OFF_NOTICE)


def _require_quorum(act: Act) -> None:
    if not is_quorum(act.view, map(key_of, act.authorisers), act.moment.epoch):
        refuse("authority", "quorum")


def _notify(act: Act, notice: int) -> None:
    detail = {name: act.claims.values[name] for name in ("reason_code", "until_epoch")}
    act.notify(notice, 0, act.claims.text("scope_code"), dict(detail))
