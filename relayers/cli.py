"""`hybrid-relayer`: make a journal, run, look, check. Wiring only.

Exit codes: 0 good · 1 refuted, evidence written · 2 usage, malformed, rejected · 3 undecided, try later · 4 broken.
"""

import json
from pathlib import Path
from typing import Any

import click

from hybrid_bridge.cli.exits import invoke
from hybrid_bridge.errors import BridgeError
from relayers import commands, inquiries, service, upkeep, wiring
from relayers.anchored import BIRTH, Verdict
from relayers.fsck import Finding, across, fsck, look
from relayers.journal import JournalDump
from relayers.relay import tick
from relayers.service import BROKEN, GOOD, opened, started, verdict
from relayers.settings import EVERY_CHAIN, ChainSettings, Settings
from relayers.sql_journal import SqlJournalReader, create_journal
from relayers.terminal import (
    chains,
    config_option,
    json_option,
    now,
    show,
    show_each,
    verdict_json,
    verdict_over,
)


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
    """Make an empty journal for this log, chain, contract and gas key; one for each chain of the settings."""
    asked = chains(config)
    for settings in asked:
        wiring.require_gas_key(settings.chain, wiring.load_log(settings.log))
    for settings in asked:
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
    asked = chains(config)
    show_each({settings.chain.name: _validated(settings) for settings in asked}, as_json=as_json)
    for settings in asked:
        if settings.chain.rpc_quorum == 1:
            words = "one endpoint's word is taken for the public chain (rpc_quorum = 1)"
            click.echo(f"note: {settings.chain.name}: {words}", err=True)
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
    rows, codes = [], []
    for settings in chains(config):
        wiring.require_gas_key(settings.chain, wiring.load_log(settings.log))
        row, code = _key(settings.chain)
        rows.append(row)
        codes.append(code)
    if as_json:
        click.echo(json.dumps({"keys": rows}, indent=2))
    else:
        show_each({row["pays_on"]: row | {"signs": "yes" if row["signs"] else "no"} for row in rows}, as_json=False)
    return max(codes)


@main.command()
@config_option
@json_option
def once(config: Path, *, as_json: bool) -> int:
    """One tick of each chain."""
    asked, codes = chains(config), []
    shown: dict[str, dict[str, Any]] = {}
    for settings in asked:
        with opened(settings) as journal:
            try:
                relayer = started(settings, journal)
            except BridgeError as error:
                if len(asked) == 1:
                    raise
                shown[settings.chain.name] = {"done": [], "reason": str(error), "blind": None, "notes": []}
                codes.append(error.exit_code)
                continue
            report = tick(relayer)
            lines = {"done": list(report.done), "reason": report.reason, "blind": report.blind or None}
            shown[settings.chain.name] = lines | {"notes": list(report.notes)}
            codes.append(verdict(journal, settings, report))
    show_each(shown, as_json=as_json)
    return max(codes)


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
        for settings in chains(config):
            _make_journal(settings)
    if is_once:
        code: int = context.invoke(once, config=config, as_json=False)
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


@main.command(name="fsck")
@config_option
@click.option("--offline", is_flag=True, help="The journal alone.")
@json_option
def fsck_command(config: Path, *, offline: bool, as_json: bool) -> int:
    """Does the journal agree with itself and with the public chain?"""
    found: dict[str, list[Finding]] = {}
    dumps, asked = {}, chains(config)
    for settings in asked:
        dumps[settings.chain.name], found[settings.chain.name] = _judged(settings, offline=offline)
    found[EVERY_CHAIN] = across(dumps)
    finals = {name: max((a.tree_size for a in dump.anchors), default=BIRTH) for name, dump in dumps.items()}
    _show_findings(found, verdict_over(asked, finals), as_json=as_json)
    return BROKEN if any(found.values()) else GOOD


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
        "signer": settings.chain.signer_address.hex(),
        "operators": policy.turns.operators,
        "my_index": policy.turns.my_index,
    }


def _key(chain: ChainSettings) -> tuple[dict[str, Any], int]:
    """One key, and the exit code that its answer means."""
    row: dict[str, Any] = {
        "key": "chain.signer",
        "pays_on": chain.name,
        "kept_in": str(chain.signer),
        "address": f"0x{chain.signer_address.hex()}",
    }
    try:
        return row | {"signs": True, "notes": list(wiring.held_key(chain).notes), "error": None}, GOOD
    except BridgeError as error:
        return row | {"signs": False, "notes": [], "error": str(error)}, error.exit_code


def _judged(settings: Settings, *, offline: bool) -> tuple[JournalDump, list[Finding]]:
    """One journal, and what is wrong with it."""
    log = wiring.load_log(settings.log)
    reader = SqlJournalReader(settings.journal, wiring.scope_of(settings))
    endpoints, signer = wiring.observer_of(settings).endpoints, settings.chain.signer_address
    seen = [] if offline else [(chain, look(chain, signer)) for chain in endpoints]
    dump = reader.dump()
    reader.close()
    findings = fsck(dump, log, None, settings.chain.fees)
    for chain, account in seen:
        findings += [found for found in fsck(dump, log, chain, seen=account) if found not in findings]
    return dump, findings


def _show_findings(found: dict[str, list[Finding]], anchored: Verdict | None, *, as_json: bool) -> None:
    findings = [(chain, finding) for chain, each in found.items() for finding in each]
    if as_json:
        rows = [
            {"chain": chain, "promise": f.promise, "subject": f.subject, "detail": f.detail} for chain, f in findings
        ]
        more = {} if anchored is None else {"anchored": verdict_json(anchored)}
        click.echo(json.dumps({"findings": rows, **more}, indent=2))
        return
    for chain, finding in findings:
        click.echo(f"{chain}: {finding.promise}: {finding.subject}: {finding.detail}")
    if anchored is not None:
        click.echo(anchored.words)
    click.echo(f"{len(findings)} findings" if findings else "clean: every promise holds")
