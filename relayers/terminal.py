"""What all commands of `hybrid-relayer` share: options, the way values are shown, the machine's clock."""

import json
import time
from pathlib import Path
from typing import Any

import click

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
