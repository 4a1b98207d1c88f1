"""`hybrid-relayer`: run, and everything an operator asks and orders beside it. Wiring only.

Exit codes: 0 good · 1 refuted, evidence written · 2 usage, malformed, rejected · 3 undecided, try later · 4 broken.
"""

from pathlib import Path
from typing import Any

import click

from hybrid_bridge.cli.exits import invoke
from hybrid_bridge.errors import BridgeError
from relayers import audits, commands, endpoints, inquiries, preparations, records, service, upkeep, wiring, wishes
from relayers.inquiries import dry_run
from relayers.relay import tick
from relayers.service import GOOD, opened, started, verdict
from relayers.settings import Settings
from relayers.sql_journal import create_journal
from relayers.terminal import chains, config_option, json_option, now, show_each


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="hybrid-bridge", prog_name="hybrid-relayer")
def main() -> None:
    """Put a consortium's checkpoints on a public chain: journaled, never twice, never lost.

    \b
    Exit codes: 0 good · 1 refuted, evidence written · 2 usage, malformed or rejected
                3 undecided, try later · 4 broken or halted
    """  # noqa: D301 click reads the escape


@main.command()
@config_option
@json_option
def once(config: Path, *, as_json: bool) -> int:
    """One tick of each chain. Ends with 3 if endpoints did not agree or an action has to be tried again."""
    asked, codes = chains(config), []
    shown: dict[str, dict[str, Any]] = {}
    for settings in asked:
        try:
            lines, code = _tick_once(settings)
        except BridgeError as error:
            if len(asked) == 1:
                raise
            lines, code = {"done": [], "reason": str(error), "blind": None, "notes": []}, error.exit_code
        shown[settings.chain.name] = lines
        codes.append(code)
    show_each(shown, as_json=as_json)
    return max(codes)


@main.command(name="run")
@config_option
@click.option("--once", "is_once", is_flag=True, help="One tick only; its outcome is the exit code.")
@click.option(
    "--dry-run", "is_dry", is_flag=True, help="Say what one tick would do. No key, no lease, nothing written."
)
@click.option(
    "--init",
    "is_new",
    is_flag=True,
    help="Make the journal first if there is none: to try things out, never in a unit file.",
)
@click.option("--standby", "is_standby", is_flag=True, help="While another process has the journal, wait for it.")
@json_option
@click.pass_context
def run_command(
    context: click.Context,
    config: Path,
    *,
    is_once: bool,
    is_dry: bool,
    is_new: bool,
    is_standby: bool,
    as_json: bool,
) -> int:
    """Tick until told to stop (SIGTERM, SIGINT)."""
    if is_dry:
        return dry_run(config, as_json=as_json)
    if is_new:
        for settings in chains(config):
            _make_journal(settings)
    if is_once:
        code: int = context.invoke(once, config=config, as_json=as_json)
        return code
    return service.run(chains(config), is_standby=is_standby)


@main.group()
def metrics() -> None:
    """What `/metrics` shows."""


@metrics.command()
def doc() -> int:
    """The table of all metrics, in Markdown."""
    from relayers.metrics import table_text  # noqa: PLC0415

    click.echo(table_text())
    return GOOD


@main.group()
def alerts() -> None:
    """What wakes somebody."""


@alerts.command(name="doc")
def alerts_doc() -> int:
    """The table of all alerts with their headings in the runbook, in Markdown."""
    from relayers.alerts import alerts_text, parse_alerts  # noqa: PLC0415

    click.echo(alerts_text(parse_alerts(wiring.shipped_alerts())))
    return GOOD


for part in (preparations, inquiries, records, endpoints, commands, wishes, audits, upkeep):
    for each in part.COMMANDS:
        main.add_command(each)
main.add_command(inquiries.check, "doctor")
main.add_command(endpoints.endpoints, "rpc")


def run() -> None:
    """Entry point of the console script."""
    invoke(main, "hybrid-relayer")


# ── parts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _tick_once(settings: Settings) -> tuple[dict[str, Any], int]:
    """What one tick did, and the exit code that it means."""
    with opened(settings) as journal:
        report = tick(started(settings, journal))
        lines = {"done": list(report.done), "reason": report.reason, "blind": report.blind or None}
        return lines | {"notes": list(report.notes)}, verdict(journal, settings, report)


def _make_journal(settings: Settings) -> None:
    """If there is none yet."""
    if isinstance(settings.journal, Path) and not settings.journal.exists():
        wiring.load_log(settings.log)
        create_journal(settings.journal, wiring.scope_of(settings), now())
