"""What keeps a journal in order: its schema, its chain of events, its old history. Wiring only."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from hybrid_bridge.errors import FieldMismatch, SettingsMalformed
from hybrid_bridge.units import UnixSeconds
from relayers import sql_store, wiring
from relayers.commands import GOOD, agree, person, yes_option
from relayers.desk import Desk, Orders
from relayers.desk import migrate as move
from relayers.journal_place import beside
from relayers.revisions import SCHEMA_VERSION
from relayers.settings import read_settings
from relayers.terminal import config_option, json_option, now, show

REFUTED: Final = 1


@click.command()
@config_option
@click.option(
    "--backup",
    type=click.Path(path_type=Path),
    help="A new file for the copy; PostgreSQL: what pg_dump wrote.",
)
@yes_option
@json_option
def migrate(config: Path, backup: Path | None, *, yes: bool, as_json: bool) -> int:
    """Move the journal to this release's schema, after a copy of it. The relayer must be stopped.

    All or nothing: killed at any instant it leaves the old schema or the new one.
    """
    journal = read_settings(config).journal
    was = sql_store.schema_of(journal)
    if was == SCHEMA_VERSION:
        show({"schema": was, "was": was, "backup": None}, as_json=as_json)
        return GOOD
    copy = backup or beside(journal, f".schema-{was}-{now()}")
    agree([f"copy: {journal} → {copy}", f"schema: {was} → {SCHEMA_VERSION}"], yes=yes, as_json=as_json)
    move(journal, copy, person(), now())
    show({"schema": SCHEMA_VERSION, "was": was, "backup": str(copy)}, as_json=as_json)
    return GOOD


@click.group()
def audit() -> None:
    """What a journal tells of its own history."""


@audit.command()
@config_option
@click.option("--head", metavar="NUMBER:HASH", help="An earlier head, kept elsewhere: it must still be in the chain.")
@json_option
def verify(config: Path, head: str | None, *, as_json: bool) -> int:
    """Replay the chain of events, compare it with the rows, show its head. Exit code 1: something was changed."""
    settings = read_settings(config)
    with Desk(settings.journal, wiring.scope_of(settings)) as desk:
        wrong: tuple[str, ...]
        shown: dict[str, Any] = {"events": None, "head": None, "newest": None}
        try:
            tally, wrong = desk.audit()
            shown = {
                "events": tally.head.seq,
                "head": f"{tally.head.seq}:{tally.head.digest.hex()}",
                "newest": tally.at,
            }
        except FieldMismatch as error:
            wrong = (f"{error.field}: {error.got}, not {error.expected}",)
        if head is not None and not _stands(desk, head):
            wrong = (*wrong, f"head {head}: not in this chain")
    show(shown | {"wrong": list(wrong)}, as_json=as_json)
    return REFUTED if wrong else GOOD


def _stands(desk: Desk, head: str) -> bool:
    match = re.fullmatch(r"([1-9][0-9]{0,17}):([0-9a-f]{64})", head)
    if match is None:
        raise SettingsMalformed(key="--head", rule="NUMBER:HASH, as this command shows it")
    return desk.event_hash(int(match[1])) == bytes.fromhex(match[2])


@click.command()
@config_option
@click.option("--before", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The first day (UTC) that stays.")
@yes_option
@json_option
def prune(config: Path, before: datetime, *, yes: bool, as_json: bool) -> int:
    """Take out old broadcasts and sightings of nonces that are closed. Nothing else ever leaves a journal."""
    settings, first = read_settings(config), UnixSeconds(int(before.replace(tzinfo=UTC).timestamp()))
    if first > now():
        raise SettingsMalformed(key="--before", rule="a day that has begun")
    with Orders(settings.journal, wiring.scope_of(settings)) as orders:
        plan = f"broadcasts and sightings before {before:%Y-%m-%d} of closed nonces: gone"
        agree([plan], yes=yes, as_json=as_json)
        gone = orders.prune(first, person(), now())
    show({"before": f"{before:%Y-%m-%d}", "rows": gone}, as_json=as_json)
    return GOOD


COMMANDS: Final = (migrate, audit, prune)
