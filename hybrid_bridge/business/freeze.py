"""Freeze and lift: an overlay on any object, by a recorded order only; each change is a life event (SCENARIOS S7)."""

from typing import Final

from hybrid_bridge.business.membership import key_of, roles_of
from hybrid_bridge.business.ruling import Act, State, refuse
from hybrid_bridge.core.encoding import Json
from hybrid_bridge.core.governance import COURT, REGULATOR
from hybrid_bridge.core.ledger_state import StateReader, freeze_key, get_json, object_key, put_json

FREEZE_NOTICE: Final = 5
LIFT_NOTICE: Final = 6


def require_free(state: StateReader, object_id: str, *, is_payment: bool = False) -> None:
    """Nothing moves out of a frozen object, except payment into the escrow that every order on it names.

    Raises:
        RuleRejected: I8.
    """
    orders = get_json(state, freeze_key(object_id)) or {}
    if orders and not (is_payment and all(orders.values())):
        refuse("I8", object_id)


def order(act: Act) -> None:
    """0x0011. Freeze every object the order names.

    Raises:
        RuleRejected: authority, unknown, I8 (this order stands on the object already).
    """
    _change(act, FREEZE_NOTICE)


def lift(act: Act) -> None:
    """0x0012. Take one order off every object named.

    Raises:
        RuleRejected: authority, unknown, I8 (no such order on the object).
    """
    _change(act, LIFT_NOTICE)


def _change(act: Act, notice: int) -> None:
    name = act.claims.text("order")
    _require_authority(act, name)
    objects = act.claims.column("object.k")
    for object_id in objects:
        row = get_json(act.view, object_key(object_id))
        if row is None:
            refuse("unknown", object_id)
        orders = get_json(act.view, freeze_key(object_id)) or {}
        if (name in orders) != (notice == LIFT_NOTICE):
            refuse("I8", object_id)
        if notice == FREEZE_NOTICE:
            orders[name] = act.claims.flag("escrow")
        else:
            del orders[name]
        put_json(act.view, freeze_key(object_id), orders)
        act.happened(str(row["type"]), object_id, _summary(row, orders))
    subject: Json = {"order": name, "objects": list(objects)}
    act.notify(notice, 0, subject, {"reason_code": act.claims.text("reason_code")})


def _require_authority(act: Act, subject: str) -> None:
    allowed = COURT | REGULATOR
    keys = [key_of(key) for key in act.authorisers]
    if len(keys) != 1 or not roles_of(act.view, keys[0], act.moment.epoch) & allowed:
        refuse("authority", subject)


def _summary(row: dict[str, Json], orders: dict[str, Json]) -> State:
    return {"state": "FROZEN" if orders else str(row["state"]), "below": str(row["state"]), "orders": len(orders)}
