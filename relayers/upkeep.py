"""What keeps a journal in order: its schema. Wiring only; `cli` hangs these on its group."""

from pathlib import Path
from typing import Final

import click

from relayers import sql_store
from relayers.commands import GOOD, agree, yes_option
from relayers.journal_place import beside
from relayers.revisions import SCHEMA_VERSION
from relayers.settings import read_settings
from relayers.terminal import config_option, json_option, now, show


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
    sql_store.migrate(journal, copy, lambda *_: None)
    show({"schema": SCHEMA_VERSION, "was": was, "backup": str(copy)}, as_json=as_json)
    return GOOD


COMMANDS: Final = (migrate,)
