"""`hybrid-bridge brake`: stop all of the ledger, one record type or one member, until an epoch; by a record alone."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from hybrid_bridge.business.schema import BRAKE_REASONS, BRAKE_RELEASES, schema_of_name
from hybrid_bridge.business.scopes import ALL, MEMBER, member_scope, power_over, type_scope
from hybrid_bridge.cli.options import folder_option, json_option
from hybrid_bridge.cli.stopping import Place, authorisers, by_option, out_option, place, powers_told, record, told
from hybrid_bridge.core.encoding import Json
from hybrid_bridge.errors import FieldMalformed
from hybrid_bridge.units import RecordType

SCOPE: Final = "all, type:note.issue or type:0x0105, member:NAME or member:key:ID. One object: hybrid-bridge freeze."
scope_option = click.option("--scope", required=True, metavar="SCOPE", help=SCOPE)


@click.group()
def command() -> None:
    """Stop the whole ledger, one record type or one member; it starts again by itself (docs/guides/brake.md)."""


@command.command()
@folder_option
@scope_option
@click.option("--reason", type=click.Choice(BRAKE_REASONS.codes), required=True, help="Everybody may read it.")
@click.option("--why", default="", help="In words, to all members, not to the public.")
@click.option("--epochs", default=1, show_default=True, type=click.IntRange(0), help="How many after the running one.")
@by_option
@out_option
@json_option
def on(
    folder: Path,
    scope: str,
    reason: str,
    why: str,
    epochs: int,
    holders: Sequence[str],
    out: Path | None,
    as_json: bool,
) -> int:
    """Pull the brake. Sent at once if our key is all it takes; else a draft for the others' consents (exit 3)."""
    with place(folder) as at:
        stops, text = at.desk.stops(), _scope(at, scope)
        fields: dict[str, Json] = {"scope": text, "reason_code": reason, "until_epoch": stops.epoch + epochs}
        keys = authorisers(at, power_over(text), stops.policy, holders)
        found = record(at, "brake.on/1", fields | ({"reason": why} if why else {}), keys, out)
        return told({"scope": text, "until_epoch": stops.epoch + epochs, **found}, as_json=as_json)


@command.command()
@folder_option
@scope_option
@click.option("--reason", type=click.Choice(BRAKE_RELEASES.codes), required=True, help="Everybody may read it.")
@click.option("--why", default="", help="In words, to all members, not to the public.")
@by_option
@out_option
@json_option
def off(
    folder: Path, scope: str, reason: str, why: str, holders: Sequence[str], out: Path | None, as_json: bool
) -> int:
    """Take the brake off before it ends: the quorum any, who pulled one alone his own."""
    with place(folder) as at:
        stops, text = at.desk.stops(), _scope(at, scope)
        fields: dict[str, Json] = {"scope": text, "reason_code": reason}
        keys = authorisers(at, power_over(text), stops.policy, holders)
        found = record(at, "brake.off/1", fields | ({"reason": why} if why else {}), keys, out)
        return told({"scope": text, **found}, as_json=as_json)


@command.command()
@folder_option
@json_option
def status(folder: Path, as_json: bool) -> None:
    """What is stopped now, as our own ledger has it, and who may stop what."""
    with place(folder) as at:
        stops = at.desk.stops()
        brakes: list[dict[str, Json]] = [
            {"scope": one.scope, "who": _who(at, one.scope), "until_epoch": one.until_epoch, "by": at.who(one.by)}
            for one in stops.brakes
        ]
        powers = powers_told(at, stops.policy)
    if as_json:
        click.echo(json.dumps({"epoch": stops.epoch, "brakes": brakes, "powers": powers}, indent=2))
        return
    click.echo(f"epoch {stops.epoch}: " + ("the brake is ON" if brakes else "no brake is on"))
    for row in brakes:
        who = f" ({row['who']})" if row["who"] else ""
        click.echo(f"  {row['scope']}{who}, until the end of epoch {row['until_epoch']}, by {row['by']}")
    for power, holders in powers.items():
        text = ", ".join(map(str, holders)) if isinstance(holders, list) else holders
        click.echo(f"{power:>14}  {text}")


def _scope(at: Place, text: str) -> str:
    """As people write it, and as the ledger has it."""
    kind, _, what = text.partition(":")
    if kind.lower() == "all" and not what:
        return ALL
    if kind.lower() == "type" and re.fullmatch(r"0x[0-9a-f]{4}", what):
        return type_scope(RecordType(int(what, 16)))
    if kind.lower() == "type":
        return type_scope(schema_of_name(what if "/" in what else f"{what}/1").record_type)
    if kind.lower() == "member":
        return member_scope(at.key_of(what))
    raise FieldMalformed(field="--scope", rule="all, type:NAME or member:NAME")


def _who(at: Place, scope: str) -> str:
    kind, _, what = scope.partition(":")
    return at.who(what) if kind == MEMBER else ""
