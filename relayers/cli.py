"""`hybrid-relayer`: run, and everything an operator asks and orders beside it. Wiring only.

Exit codes: 0 good · 1 refuted, evidence written · 2 usage, malformed, rejected · 3 undecided, try later · 4 broken.
"""

import json
import os
import signal
import socket
import threading
from pathlib import Path
from typing import Final

import click

from hybrid_bridge.cli.exits import invoke
from hybrid_bridge.errors import StoreBroken
from relayers import audits, commands, endpoints, inquiries, preparations, records, upkeep, wiring, wishes
from relayers.inquiries import dry_run
from relayers.journal_place import beside
from relayers.relay import Relayer, Tick, tick
from relayers.settings import Settings, read_settings
from relayers.sql_journal import SqlJournal, create_journal
from relayers.standby import take_over
from relayers.start import require_hosts, require_known, require_undelegated
from relayers.terminal import config_option, json_option, now, show

GOOD, REFUTED, UNDECIDED, BROKEN = 0, 1, 3, 4
EVIDENCE_AGAINST_OTHERS: Final = ("conflict",)
UNDECIDED_REASONS: Final = ("no_rpc_quorum", "finality_lags")  # the plan could not even look


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
    """One tick. Ends with 3 if the endpoints did not agree or an action has to be tried again."""
    settings = read_settings(config)
    with _journal(settings) as journal:
        relayer = _started(settings, journal)
        report = tick(relayer)
        shown = {"done": list(report.done), "reason": report.reason, "blind": report.blind or None}
        show(shown | {"notes": list(report.notes)}, as_json=as_json)
        return _verdict(journal, settings, report)


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
        _make_journal(read_settings(config))
    if is_once:
        code: int = context.invoke(once, config=config, as_json=as_json)
        return code
    return _run(read_settings(config), is_standby=is_standby)


def _run(settings: Settings, *, is_standby: bool) -> int:
    from relayers.daemon import Daemon  # noqa: PLC0415 only the daemon needs a clock and a listener

    held = _stood_by(settings) if is_standby else _journal(settings)
    if held is None:
        return GOOD
    with held as journal:
        relayer = _started(settings, journal)
        metrics = wiring.metrics_of(settings, relayer, journal.epoch)
        daemon = Daemon(
            wiring.timed(relayer, metrics), metrics, settings.tick_seconds, lambda: _export_evidence(journal, settings)
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: daemon.ticker.stop())
        daemon.lines.write({"event": "started", "epoch": journal.epoch, "journal": settings.journal.name})
        daemon.run(settings.listen)
        daemon.lines.write({"event": "stopped"})
        return _verdict(journal, settings, Tick((), ""))


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


def _make_journal(settings: Settings) -> None:
    """If there is none yet."""
    if isinstance(settings.journal, Path) and not settings.journal.exists():
        wiring.load_log(settings.log)
        create_journal(settings.journal, wiring.scope_of(settings), now())


def _journal(settings: Settings) -> SqlJournal:
    holder = f"{socket.gethostname()}:{os.getpid()}"
    return SqlJournal(settings.journal, wiring.scope_of(settings), holder, now())


def _stood_by(settings: Settings) -> SqlJournal | None:
    """The journal, once nobody else has it; None if we are told to end before."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())

    def say(reason: str) -> None:
        line = {"ts": now(), "level": "info", "event": "standing_by", "reason": reason}
        click.echo(json.dumps(line), err=True)

    return take_over(lambda: _journal(settings), settings.tick_seconds, ended, say)


def _started(settings: Settings, journal: SqlJournal) -> Relayer:
    """A relayer, a quorum of whose endpoints serves the right chain; each tick looks again, and at all of them.

    Raises:
        BridgeError: a start refusal (RELAYER §4.7), as far as they are checked here.
    """
    require_hosts(wiring.hosts_of(settings), settings.chain.rpc_quorum)
    relayer = wiring.relayer_of(settings, journal)
    admitted = relayer.observer.admitted()
    require_undelegated(admitted, wiring.code_at)
    # The journal itself, no second look at its file: a file that is closed takes this process's locks with it, and then
    # others empty the write-ahead log beneath us.
    require_known(admitted, journal, settings.journal.name, wiring.sender_of)
    return relayer


def _verdict(journal: SqlJournal, settings: Settings, report: Tick) -> int:
    """The exit code that the journal's state means."""
    halted = journal.view(now()).halted
    if halted is None:
        failed = GOOD if report.error is None else report.error.exit_code
        return UNDECIDED if report.reason in UNDECIDED_REASONS else failed
    path = _export_evidence(journal, settings)
    click.echo(f"halted: {halted}; evidence in {path}", err=True)
    return REFUTED if halted in EVIDENCE_AGAINST_OTHERS else BROKEN


def _export_evidence(journal: SqlJournal, settings: Settings) -> Path:
    path = beside(settings.journal, ".evidence.json")
    try:
        path.write_text((journal.halt_evidence() or "{}") + "\n", "utf-8")
    except OSError as error:
        raise StoreBroken(store=path.name, rule=f"a file that can be written: {error.strerror}") from None
    return path
