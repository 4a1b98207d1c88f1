"""`hybrid-relayer`: make a journal, run, look, check. Wiring only.

Exit codes: 0 good · 1 refuted, evidence written · 2 usage, malformed, rejected · 3 undecided, try later · 4 broken.
"""

import json
import os
import signal
import socket
import threading
from pathlib import Path
from typing import Any, Final

import click

from hybrid_bridge.cli.exits import invoke
from hybrid_bridge.errors import BridgeError, StoreBroken
from relayers import commands, inquiries, upkeep, wiring
from relayers.fsck import Finding, fsck, look
from relayers.journal_place import beside
from relayers.relay import Relayer, Tick, tick
from relayers.settings import Settings, read_settings
from relayers.sql_journal import SqlJournal, SqlJournalReader, create_journal
from relayers.standby import take_over
from relayers.terminal import config_option, json_option, now, show

GOOD, REFUTED, UNDECIDED, BROKEN = 0, 1, 3, 4
EVIDENCE_AGAINST_OTHERS: Final = ("conflict",)
BLIND: Final = "no_rpc_quorum"


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
def init(config: Path) -> int:
    """Make an empty journal for this log, chain, contract and gas key."""
    settings = read_settings(config)
    wiring.require_gas_key(settings.chain, wiring.load_log(settings.log))
    create_journal(settings.journal, wiring.scope_of(settings), now())
    click.echo(f"made {settings.journal}")
    return GOOD


@main.group(name="config")
def config_group() -> None:
    """Look at the settings."""


@config_group.command()
@config_option
@json_option
def validate(config: Path, *, as_json: bool) -> int:
    """Parse the settings strictly and check genesis record and validator sets against them."""
    settings = read_settings(config)
    log = wiring.load_log(settings.log)
    wiring.require_gas_key(settings.chain, log)
    policy = wiring.policy_of(settings, log)
    show(
        {
            "log_id": log.log_id.hex(),
            "validator_sets": [len(period.validators.entries) for period in log.periods],
            "members": [name for name, _ in settings.log.members],
            "chain": settings.chain.name,
            "contract": settings.chain.contract.hex(),
            "endpoints": [endpoint.name for endpoint in settings.chain.endpoints],
            "rpc_quorum": settings.chain.rpc_quorum,
            "signer": settings.chain.signer_address.hex(),
            "operators": policy.turns.operators,
            "my_index": policy.turns.my_index,
        },
        as_json=as_json,
    )
    if settings.chain.rpc_quorum == 1:
        click.echo("note: one endpoint's word is taken for the public chain (rpc_quorum = 1)", err=True)
    return GOOD


@main.command()
@config_option
@click.option("--at", "place", metavar="PLACE", help="Only the address of the key there: to be written into settings.")
@json_option
def keys(config: Path, place: str | None, *, as_json: bool) -> int:
    """Where each key is, its address, and whether it signs: asked to, over words that are no transaction."""
    if place is not None:
        show({"address": f"0x{wiring.address_at(place, Path.cwd()).hex()}"}, as_json=as_json)
        return GOOD
    settings = read_settings(config)
    wiring.require_gas_key(settings.chain, wiring.load_log(settings.log))
    chain = settings.chain
    row: dict[str, Any] = {
        "key": "chain.signer",
        "pays_on": chain.name,
        "kept_in": str(chain.signer),
        "address": f"0x{chain.signer_address.hex()}",
    }
    code = GOOD
    try:
        row |= {"signs": True, "notes": list(wiring.held_key(chain).notes), "error": None}
    except BridgeError as error:
        row |= {"signs": False, "notes": [], "error": str(error)}
        code = error.exit_code
    if as_json:
        click.echo(json.dumps({"keys": [row]}, indent=2))
    else:
        show({**row, "signs": "yes" if row["signs"] else "no"}, as_json=False)
    return code


@main.command()
@config_option
@json_option
def once(config: Path, *, as_json: bool) -> int:
    """One tick."""
    settings = read_settings(config)
    with _journal(settings) as journal:
        relayer = _started(settings, journal)
        report = tick(relayer)
        shown = {"done": list(report.done), "reason": report.reason, "blind": report.blind or None}
        show(shown | {"notes": list(report.notes)}, as_json=as_json)
        return _verdict(journal, settings, report)


@main.command(name="run")
@config_option
@click.option("--once", "is_once", is_flag=True, help="One tick only.")
@click.option(
    "--init",
    "is_new",
    is_flag=True,
    help="Make the journal first if there is none: to try things out, never in a unit file.",
)
@click.option("--standby", "is_standby", is_flag=True, help="While another process has the journal, wait for it.")
@click.pass_context
def run_command(context: click.Context, config: Path, *, is_once: bool, is_new: bool, is_standby: bool) -> int:
    """Tick until told to stop (SIGTERM, SIGINT)."""
    if is_new:
        _make_journal(read_settings(config))
    if is_once:
        code: int = context.invoke(once, config=config, as_json=False)
        return code
    from relayers.daemon import Daemon  # noqa: PLC0415 only the daemon needs a clock and a listener

    settings = read_settings(config)
    held = _stood_by(settings) if is_standby else _journal(settings)
    if held is None:
        return GOOD
    with held as journal:
        relayer = _started(settings, journal)
        metrics = wiring.metrics_of(settings, relayer, journal.epoch)
        daemon = Daemon(relayer, metrics, settings.tick_seconds, lambda: _export_evidence(journal, settings))
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


@main.command(name="fsck")
@config_option
@click.option("--offline", is_flag=True, help="The journal alone.")
@json_option
def fsck_command(config: Path, *, offline: bool, as_json: bool) -> int:
    """Does the journal agree with itself and with the public chain?"""
    settings = read_settings(config)
    log = wiring.load_log(settings.log)
    reader = SqlJournalReader(settings.journal, wiring.scope_of(settings))
    endpoints, signer = wiring.observer_of(settings).endpoints, settings.chain.signer_address
    seen = [] if offline else [(chain, look(chain, signer)) for chain in endpoints]
    dump = reader.dump()
    reader.close()
    findings = fsck(dump, log, None, settings.chain.fees)
    for chain, account in seen:
        findings += [found for found in fsck(dump, log, chain, seen=account) if found not in findings]
    _show_findings(findings, as_json=as_json)
    return GOOD if not findings else BROKEN


for operators_command in (*commands.COMMANDS, *inquiries.COMMANDS, *upkeep.COMMANDS):
    main.add_command(operators_command)
main.add_command(inquiries.check, "doctor")


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
    relayer = wiring.relayer_of(settings, journal)
    relayer.observer.admitted()
    return relayer


def _verdict(journal: SqlJournal, settings: Settings, report: Tick) -> int:
    """The exit code that the journal's state means."""
    halted = journal.view(now()).halted
    if halted is None:
        return UNDECIDED if report.reason == BLIND else GOOD
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


def _show_findings(findings: list[Finding], *, as_json: bool) -> None:
    if as_json:
        rows = [{"promise": f.promise, "subject": f.subject, "detail": f.detail} for f in findings]
        click.echo(json.dumps({"findings": rows}, indent=2))
        return
    for finding in findings:
        click.echo(f"{finding.promise}: {finding.subject}: {finding.detail}")
    click.echo(f"{len(findings)} findings" if findings else "clean: every promise holds")
