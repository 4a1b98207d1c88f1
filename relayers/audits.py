"""`fsck`: does the journal agree with itself, with the log and with the public chain? Wiring only."""

import json
from pathlib import Path
from typing import Final

import click

from relayers import wiring
from relayers.fsck import Finding, fsck, look
from relayers.settings import read_settings
from relayers.sql_journal import SqlJournalReader
from relayers.terminal import config_option, json_option

GOOD, BROKEN = 0, 4


@click.command(name="fsck")
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


COMMANDS: Final = (fsck_command,)


def _show_findings(findings: list[Finding], *, as_json: bool) -> None:
    if as_json:
        rows = [{"promise": f.promise, "subject": f.subject, "detail": f.detail} for f in findings]
        click.echo(json.dumps({"findings": rows}, indent=2))
        return
    for finding in findings:
        click.echo(f"{finding.promise}: {finding.subject}: {finding.detail}")
    click.echo(f"{len(findings)} findings" if findings else "clean: every promise holds")
