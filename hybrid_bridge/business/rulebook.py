"""Which rule a record type has. The one door through which the step reaches the rules of all scenarios."""

from collections.abc import Callable, Mapping
from typing import Final

from hybrid_bridge.business import brake, erasure, freeze, record_types
from hybrid_bridge.business.receivables import assets, financing, notes, payments
from hybrid_bridge.business.ruling import Act, refuse
from hybrid_bridge.business.schema import EVENT_TIME
from hybrid_bridge.units import RecordType

RULES: Final[Mapping[RecordType, Callable[[Act], None]]] = {
    record_types.FREEZE_ORDER: freeze.order,
    record_types.FREEZE_LIFT: freeze.lift,
    record_types.BRAKE_ON: brake.on,
    record_types.BRAKE_OFF: brake.off,
    record_types.ERASURE_NOTICE: erasure.notice,
    record_types.ASSET_REGISTER: assets.register,
    record_types.ASSET_CONFIRM: assets.confirm,
    record_types.ASSET_AMEND: assets.amend,
    record_types.ASSET_CANCEL: assets.cancel,
    record_types.NOTE_ISSUE: notes.issue,
    record_types.NOTE_ACCEPT: notes.accept,
    record_types.NOTE_DECLINE: notes.decline,
    record_types.NOTE_SPLIT: notes.split,
    record_types.FIN_RESERVE: financing.reserve,
    record_types.FIN_FINANCE: financing.finance,
    record_types.FIN_RELEASE: financing.release,
    record_types.FIN_REFINANCE: financing.refinance,
    record_types.NOTE_PAY: payments.pay,
    record_types.NOTE_PAY_ACK: payments.pay_ack,
    record_types.NOTE_DEFAULT: payments.default,
    record_types.NOTE_RECOURSE: payments.recourse,
    record_types.NOTE_WRITEOFF: payments.writeoff,
}

# Their rules refuse a debtor that is no member (`require_member`): by the one rule of business that doors go by too.
ASK_FOR_DEBTOR: Final = frozenset({record_types.ASSET_REGISTER, record_types.ASSET_CONFIRM, record_types.NOTE_ISSUE})


def apply_record(act: Act) -> None:
    """Carry out one record, or refuse it: brake, event time (I9), then the rule of its type.

    Raises:
        RuleRejected: brake, I9, authority (a type that only validators make), or what the rule says.
    """
    brake.require_unbraked(act)
    event_time = act.claims.number(EVENT_TIME)
    if not act.moment.time - act.pack.backdate_max <= event_time <= act.moment.time + act.pack.future_max:
        refuse("I9", f"0x{act.record_type:04x}")
    rule = RULES.get(act.record_type)
    if rule is None:
        refuse("authority", f"0x{act.record_type:04x}")
    rule(act)
