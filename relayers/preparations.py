"""What comes before `run`: settings to begin with, the journal, the settings as they hold, keys, completions."""

import json
import os
from pathlib import Path
from typing import Any, Final

import click
from click.shell_completion import get_completion_class

from hybrid_bridge.errors import BridgeError, SettingsMalformed
from relayers import wiring
from relayers.sample import SAMPLE
from relayers.settings import Settings
from relayers.shown import settings_shown
from relayers.sql_journal import create_journal
from relayers.start import ONE_WORD
from relayers.terminal import agree, chains, config_option, json_option, now, show, show_each, yes_option

GOOD: Final = 0
SHELLS: Final = ("bash", "zsh", "fish")
PROGRAM: Final = "hybrid-relayer"


@click.command()
@config_option
@yes_option
@json_option
def init(config: Path, *, yes: bool, as_json: bool) -> int:
    """Write settings to fill in; then make the journal.

    Without a file at --config it writes a sample there, with every key explained. With one it makes an empty journal
    for the log, chain, contract and gas key that it names. Neither overwrites anything, and each is whole or not there.
    """
    if not config.exists():
        agree([f"write settings to fill in: {config}"], yes=yes, as_json=as_json)
        _write_new(config, SAMPLE)
        show({"wrote": str(config), "next": "fill it in, then `config validate`, and `init` again"}, as_json=as_json)
        return GOOD
    asked = chains(config)
    for settings in asked:
        wiring.require_gas_key(settings.chain, wiring.load_log(settings.log))
    made = []
    for settings in asked:
        create_journal(settings.journal, wiring.scope_of(settings), now())
        made.append(str(settings.journal))
    show({"made": made[0] if len(made) == 1 else made, "next": "`check`, then `run`"}, as_json=as_json)
    return GOOD


@click.group(name="config")
def config_group() -> None:
    """Look at the settings."""


@config_group.command()
@config_option
@json_option
def validate(config: Path, *, as_json: bool) -> int:
    """Parse the settings strictly and check genesis record and validator sets against them.

    What is wrong is named by its key, and by its line where that can be told.
    """
    asked = chains(config)
    show_each({settings.chain.name: _validated(settings) for settings in asked}, as_json=as_json)
    for settings in asked:
        if settings.chain.rpc_quorum == 1:
            click.echo(f"note: {settings.chain.name}: {ONE_WORD}", err=True)
    return GOOD


@config_group.command(name="show")
@config_option
@json_option
def show_config(config: Path, *, as_json: bool) -> int:
    """Every setting as it holds, defaults filled in, what may be a secret left out."""
    found = {settings.chain.name: settings_shown(settings) for settings in chains(config)}
    if as_json:
        show_each(found, as_json=True)
        return GOOD
    for chain, shown in found.items():
        if len(found) > 1:
            click.echo(f"── {chain}")
        _show_settings(shown)
    return GOOD


def _show_settings(shown: dict[str, Any]) -> None:
    for name, value in shown.items():
        for key, inner in value.items() if isinstance(value, dict) else ((None, value),):
            text = ", ".join(inner) if isinstance(inner, list) else "none" if inner is None else inner
            click.echo(f"{name if key is None else f'{name}.{key}'} = {text}")


@click.command()
@config_option
@click.option("--at", "place", metavar="PLACE", help="Only the address of the key there: to be written into settings.")
@json_option
def keys(config: Path, place: str | None, *, as_json: bool) -> int:
    """Where each key is, its address, and whether it signs: asked to, over words that are no transaction."""
    if place is not None:
        show({"address": f"0x{wiring.address_at(place, Path.cwd()).hex()}"}, as_json=as_json)
        return GOOD
    rows, codes = [], []
    for settings in chains(config):
        row, code = _key(settings)
        rows.append(row)
        codes.append(code)
    if as_json:
        click.echo(json.dumps({"keys": rows}, indent=2))
    else:
        show_each({row["pays_on"]: row | {"signs": "yes" if row["signs"] else "no"} for row in rows}, as_json=False)
    return max(codes)


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completions(context: click.Context, shell: str) -> int:
    """A script that completes commands and options in your shell.

    \b
    bash, zsh:  eval "$(hybrid-relayer completions bash)"
    fish:       hybrid-relayer completions fish > ~/.config/fish/completions/hybrid-relayer.fish
    """  # noqa: D301 click reads the escape
    made = get_completion_class(shell)
    assert made is not None  # noqa: S101 click knows the three
    variable = f"_{PROGRAM.replace('-', '_').upper()}_COMPLETE"
    click.echo(made(context.find_root().command, {}, PROGRAM, variable).source())
    return GOOD


COMMANDS: Final = (init, config_group, keys, completions)


# ── parts ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _validated(settings: Settings) -> dict[str, Any]:
    """What one chain's settings say, once they agree with the public files."""
    log = wiring.load_log(settings.log)
    wiring.require_gas_key(settings.chain, log)
    policy = wiring.policy_of(settings, log)
    return {
        "log_id": log.log_id.hex(),
        "validator_sets": [len(period.validators.entries) for period in log.periods],
        "members": [name for name, _ in settings.log.members],
        "chain": settings.chain.name,
        "contract": settings.chain.contract.hex(),
        "endpoints": [endpoint.name for endpoint in settings.chain.endpoints],
        "rpc_quorum": settings.chain.rpc_quorum,
        "state_proofs": settings.chain.state_proofs,
        "signer": settings.chain.signer_address.hex(),
        "operators": policy.turns.operators,
        "my_index": policy.turns.my_index,
    }


def _key(settings: Settings) -> tuple[dict[str, Any], int]:
    """One key, and the exit code that its answer means."""
    chain = settings.chain
    row: dict[str, Any] = {
        "key": "chain.signer",
        "pays_on": chain.name,
        "kept_in": str(chain.signer),
        "address": f"0x{chain.signer_address.hex()}",
    }
    try:
        wiring.require_gas_key(chain, wiring.load_log(settings.log))
        return row | {"signs": True, "notes": list(wiring.held_key(chain).notes), "error": None}, GOOD
    except BridgeError as error:
        return row | {"signs": False, "notes": [], "error": str(error)}, error.exit_code


def _write_new(path: Path, text: str) -> None:
    """A new file, whole or not there, in a folder that is made if need be; never over another one.

    Raises:
        SettingsMalformed: it cannot be made.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            partial.write_text(text, "utf-8")
            os.link(partial, path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise SettingsMalformed(key="--config", rule=f"a file that can be made: {error.strerror}") from None
