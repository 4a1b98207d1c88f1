"""What all commands of `hybrid-relayer` share: options, the way values are shown, the machine's clock."""

import getpass
import json
import os
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from hybrid_bridge.cli.exits import plain
from hybrid_bridge.errors import BridgeError, SettingsMalformed
from hybrid_bridge.units import TreeSize, UnixSeconds
from relayers.anchored import BIRTH, Verdict
from relayers.settings import Settings, read_settings, read_settings_file

F = TypeVar("F", bound=Callable[..., Any])
CHAIN: Final = "relayers.chain"  # where click's context keeps it, so that commands need not carry it about


def config_option(command: F) -> F:
    """`--config` for the settings, `--chain` for one of their chains; `one_chain` and `chains` obey both."""
    file = click.option(
        "--config",
        "-c",
        type=click.Path(dir_okay=False, path_type=Path),
        default=Path("relayer.toml"),
        show_default=True,
        help="The settings.",
    )
    chain = click.option(
        "--chain",
        metavar="NAME",
        expose_value=False,
        callback=lambda context, _, value: context.meta.update({CHAIN: value}),
        help="Only this public chain of the settings.",
    )
    return file(chain(command))


def one_chain(config: Path) -> Settings:
    """Of the chain that `--chain` names; it may be left out where there is but one.

    Raises:
        SettingsMalformed: as `read_settings`.
    """
    return read_settings(config, click.get_current_context().meta.get(CHAIN))


def chains(config: Path) -> tuple[Settings, ...]:
    """Of the chain that `--chain` names; without it, of all.

    Raises:
        SettingsMalformed: as `read_settings_file`; no chain has this name.
    """
    return read_settings_file(config).of(click.get_current_context().meta.get(CHAIN))


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


def show_each(values: Mapping[str, dict[str, Any]], verdict: Verdict | None = None, *, as_json: bool) -> None:
    """One chain's values as they are; those of several under their names, and what they come to together."""
    if len(values) == 1:
        show(*values.values(), as_json=as_json)
    elif as_json:
        more = {} if verdict is None else {"anchored": verdict_json(verdict)}
        click.echo(json.dumps({"chains": dict(values), **more}, indent=2))
    else:
        for name, each in values.items():
            click.echo(f"── {name}")
            show(each, as_json=False)
        if verdict is not None:
            click.echo(f"── anchored\n{verdict.words}")


def ask_each(
    asked: Sequence[Settings], ask: Callable[[Settings], dict[str, Any]]
) -> tuple[dict[str, dict[str, Any]], int]:
    """Of each chain; what keeps one from answering stands in its place, and its exit code is returned, the worst one's.

    Raises:
        BridgeError: what the only one raised.
    """
    shown, code = {}, 0
    for settings in asked:
        try:
            shown[settings.chain.name] = ask(settings)
        except BridgeError as error:
            if len(asked) == 1:
                raise
            shown[settings.chain.name] = {"error": str(error)}
            code = max(code, error.exit_code)
    return shown, code


def verdict_over(asked: Sequence[Settings], finals: Mapping[str, TreeSize | None]) -> Verdict | None:
    """Of all chains of a file; None where one was asked alone, of which it would say nothing new."""
    counted = {settings.chain.name for settings in asked if not settings.chain.is_retiring}  # its chain counts once
    if len(asked) == 1:
        return None
    return Verdict(asked[0].log.anchored_when, {name: finals[name] or BIRTH for name in finals if name in counted})


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    """For machines."""
    return {"when": verdict.when, "of": len(verdict.finals), "size": verdict.size, "final": dict(verdict.finals)}


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
