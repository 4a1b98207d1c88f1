"""`hybrid-bridge freeze`: freeze single objects by an order of a court or regulator, lift it, see what is frozen."""

import json
import secrets
from collections.abc import Sequence
from pathlib import Path

import click

from hybrid_bridge.business.schema import FREEZE_REASONS, FREEZE_RELEASES
from hybrid_bridge.cli.options import folder_option, json_option
from hybrid_bridge.cli.stopping import authorisers, by_option, out_option, place, record, told
from hybrid_bridge.core.encoding import Json

objects_option = click.option("--object", "objects", multiple=True, required=True, metavar="ID", help="Repeatable.")
authority_option = click.option("--authority", default="", help="Whose order, in words; private.")
case_option = click.option("--case-number", default="", help="Private.")


@click.group()
def command() -> None:
    """Freeze single objects by an order, lift it, see what is frozen (docs/guides/brake.md)."""


@command.command()
@folder_option
@objects_option
@click.option("--order", "order_id", metavar="ID", help="32 hex digits; by default a new one.")
@click.option("--reason", type=click.Choice(FREEZE_REASONS.codes), required=True, help="Everybody may read it.")
@click.option("--escrow", is_flag=True, help="Payments into the order's escrow are let through.")
@click.option("--epochs", type=click.IntRange(0), help="Ends so many epochs after the running one.  [default: never]")
@authority_option
@case_option
@by_option
@out_option
@json_option
def order(
    folder: Path,
    objects: Sequence[str],
    order_id: str | None,
    reason: str,
    escrow: bool,
    epochs: int | None,
    authority: str,
    case_number: str,
    holders: Sequence[str],
    out: Path | None,
    as_json: bool,
) -> int:
    """Freeze objects: nothing moves out of them until the order is lifted, or until it ends by itself."""
    with place(folder) as at:
        stops, name = at.desk.stops(), order_id or secrets.token_hex(16)
        until = 0 if epochs is None else stops.epoch + epochs
        fields = _fields(name, objects, reason, escrow=escrow) | {"until_epoch": until}
        keys = authorisers(at, "freeze", stops.policy, holders)
        found = record(at, "freeze.order/1", fields | _private(authority, case_number), keys, out)
        return told({"order": name, "until_epoch": until, **found}, as_json=as_json)


@command.command()
@folder_option
@objects_option
@click.option("--order", "order_id", metavar="ID", required=True, help="As it was ordered.")
@click.option("--reason", type=click.Choice(FREEZE_RELEASES.codes), required=True, help="Everybody may read it.")
@authority_option
@case_option
@by_option
@out_option
@json_option
def lift(
    folder: Path,
    objects: Sequence[str],
    order_id: str,
    reason: str,
    authority: str,
    case_number: str,
    holders: Sequence[str],
    out: Path | None,
    as_json: bool,
) -> int:
    """Take one order off objects. Others that stand on them go on standing."""
    with place(folder) as at:
        fields = _fields(order_id, objects, reason, escrow=False)
        keys = authorisers(at, "freeze", at.desk.stops().policy, holders)
        found = record(at, "freeze.lift/1", fields | _private(authority, case_number), keys, out)
        return told({"order": order_id, **found}, as_json=as_json)


@command.command()
@folder_option
@objects_option
@json_option
def status(folder: Path, objects: Sequence[str], as_json: bool) -> None:
    """Which orders freeze these objects now, as our own ledger has it."""
    with place(folder) as at:
        stops = at.desk.stops(objects)
    rows: list[dict[str, Json]] = [
        {"object": one.object, "order": one.order, "escrow": one.escrow, "until_epoch": one.until_epoch or None}
        for one in stops.freezes
    ]
    if as_json:
        click.echo(json.dumps({"epoch": stops.epoch, "freezes": list(rows)}, indent=2))
        return
    for object_id in objects:
        orders = [row for row in rows if row["object"] == object_id]
        click.echo(f"{object_id}  " + ("FROZEN" if orders else "free"))
        for row in orders:
            until = f"until the end of epoch {row['until_epoch']}" if row["until_epoch"] else "until it is lifted"
            click.echo(f"  order {row['order']}, {until}" + ", payments into escrow pass" * bool(row["escrow"]))


def _fields(order_id: str, objects: Sequence[str], reason: str, *, escrow: bool) -> dict[str, Json]:
    named = {f"object.{k}": object_id for k, object_id in enumerate(objects)}
    return {"order": order_id, "reason_code": reason, "escrow": escrow, **named}


def _private(authority: str, case_number: str) -> dict[str, Json]:
    return {name: text for name, text in (("authority", authority), ("case_number", case_number)) if text}
