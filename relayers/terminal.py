"""What all commands of `hybrid-relayer` share: options, the way values are shown, the machine's clock."""

import getpass
import json
import os
import socket
import sys
import time
from pathlib import Path
from typing import Any

import click

from hybrid_bridge.cli.exits import plain
from hybrid_bridge.errors import SettingsMalformed
from hybrid_bridge.units import UnixSeconds

config_option = click.option(
    "--config",
    "-c",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("relayer.toml"),
    show_default=True,
    help="The settings.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="For machines.")
yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


def show(values: dict[str, Any], *, as_json: bool) -> None:
    """One value a line, or all as JSON."""
    if as_json:
        click.echo(json.dumps(values, indent=2))
        return
    for key, value in values.items():
        shown = ", ".join(map(str, value)) or "none" if isinstance(value, list) else value
        click.echo(f"{key.replace('_', ' ')}: {'none' if shown is None else shown}")


def now() -> UnixSeconds:
    """The machine's clock."""
    return UnixSeconds(int(time.time()))


def show_rows(name: str, rows: list[dict[str, Any]], *, as_json: bool) -> None:
    """One row a line, or all as JSON under one name."""
    if as_json:
        click.echo(json.dumps({name: rows}, indent=2))
        return
    for row in rows:
        click.echo(" · ".join(f"{key.replace('_', ' ')} {value}" for key, value in row.items() if value is not None))
    if not rows:
        click.echo(f"no {name}")


def show_table(name: str, rows: list[dict[str, Any]], *, as_json: bool) -> None:
    """One row a line below the names of its columns, or all as JSON under one name.

    Columns without any value are left out. A pipe gets whole lines, however long; words of strangers stand without what
    would move the cursor.
    """
    if as_json or not rows:
        show_rows(name, rows, as_json=as_json)
        return
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415 only tables for people need it
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    columns = [key for key in rows[0] if any(row[key] is not None for row in rows)]
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for key in columns:
        table.add_column(key.replace("_", " "))
    for row in rows:
        table.add_row(*(Text("" if row[key] is None else plain(str(row[key]))) for key in columns))
    width = None if sys.stdout.isatty() else 1 << 12
    console = Console(file=sys.stdout, width=width, highlight=False)
    with console.capture() as captured:
        console.print(table)
    for line in captured.get().splitlines():
        if line.strip():
            click.echo(line.rstrip())


def agree(plan: list[str], *, yes: bool, as_json: bool) -> None:
    """Say what will change, and ask.

    Raises:
        SettingsMalformed: machines cannot be asked.
        click.Abort: the answer was no.
    """
    for line in plan:
        click.echo(line, err=as_json)
    if yes:
        return
    if as_json:
        raise SettingsMalformed(key="--yes", rule="given beside --json, which cannot ask")
    click.confirm("Go on?", abort=True)


def person() -> str:
    """Who orders: for the journal, no proof of anything."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # no such user here: containers
        name = f"uid {os.getuid()}"
    return f"{name}@{socket.gethostname()}"
