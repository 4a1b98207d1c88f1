"""Freeze and lift: an overlay on any object, by a recorded order only; each change is a life event (SCENARIOS S7).

An order stands until it is lifted, or until the end of an epoch that it names itself. What its end would be stands in
the life event that began it, since nobody records that a clock went on.
"""

from typing import Final

from hybrid_bridge.business.powers import holder_of
from hybrid_bridge.business.ruling import Act, State, refuse
from hybrid_bridge.business.scopes import FREEZE_NOTICE, LIFT_NOTICE
from hybrid_bridge.core.encoding import Json
from hybrid_bridge.core.ledger_state import StateReader, freeze_key, get_json, object_key, put_json
from hybrid_bridge.units import MAX_U64, EpochNumber, UnixSeconds

UNTIL_LIFTED: Final = 0  # of `until_epoch`


def require_free(act: Act, object_id: str, *, is_payment: bool = False) -> None:
    """Nothing moves out of a frozen object, except payment into the escrow that every order on it names.

    Raises:
        RuleRejected: I8.
    """
    orders = orders_on(act.view, object_id, act.moment.epoch)
    if orders and not (is_payment and all(row["escrow"] for row in orders.values())):
        refuse("I8", object_id)


def orders_on(state: StateReader, object_id: str, epoch: EpochNumber) -> dict[str, dict[str, Json]]:
    """The orders that freeze an object in `epoch`, by id: `escrow` and `until`."""
    stored = get_json(state, freeze_key(object_id)) or {}
    found = {name: row for name, row in stored.items() if isinstance(row, dict)}
    return {name: row for name, row in found.items() if row["until"] == UNTIL_LIFTED or epoch <= _until(row)}


def order(act: Act) -> None:
    """0x0011. Freeze every object the order names.

    Raises:
        RuleRejected: authority, unknown, I8 (this order stands on the object already), freeze_until.
    """
    until = act.claims.number("until_epoch")
    if until and not (act.moment.epoch <= until and act.closes(EpochNumber(until)) <= MAX_U64):
        refuse("freeze_until", str(until))
    _change(act, FREEZE_NOTICE, until)


def lift(act: Act) -> None:
    """0x0012. Take one order off every object named.

    Raises:
        RuleRejected: authority, unknown, I8 (no such order on the object).
    """
    _change(act, LIFT_NOTICE, UNTIL_LIFTED)


def _change(act: Act, notice: int, until: int) -> None:
    name = act.claims.text("order")
    holder = holder_of(act, "freeze", name)
    objects = act.claims.column("object.k")
    for object_id in objects:
        row = get_json(act.view, object_key(object_id))
        if row is None:
            refuse("unknown", object_id)
        orders = orders_on(act.view, object_id, act.moment.epoch)
        if (name in orders) != (notice == LIFT_NOTICE):
            refuse("I8", object_id)
        if notice == FREEZE_NOTICE:
            orders[name] = {"escrow": act.claims.flag("escrow"), "until": until}
        else:
            del orders[name]
        put_json(act.view, freeze_key(object_id), dict(orders))
        act.happened(str(row["type"]), object_id, _summary(row, orders))
    subject: Json = {"order": name, "objects": list(objects)}
    detail: Json = {"by": holder, "reason_code": act.claims.text("reason_code"), "until_epoch": until}
    act.notify(notice, act.closes(EpochNumber(until)) if until else UnixSeconds(0), subject, detail)


def _summary(row: dict[str, Json], orders: dict[str, dict[str, Json]]) -> State:
    """What the object is, what it is beneath, and until when: 0 is until lifted, and not frozen at all."""
    ends = [_until(order) for order in orders.values()]
    until = UNTIL_LIFTED if UNTIL_LIFTED in ends else max(ends, default=UNTIL_LIFTED)
    state = {"state": "FROZEN" if orders else str(row["state"]), "below": str(row["state"])}
    return {**state, "orders": len(orders), "until_epoch": until}


def _until(row: dict[str, Json]) -> int:
    return int(str(row["until"]))
