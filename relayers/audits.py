"""`fsck`: does the journal agree with itself, with the log and with the public chain? Wiring only.

`fsck --rebuild`, or `recover --from-chain`: adopt what the chain knows and the journal does not.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click

from hybrid_bridge.errors import BridgeError, SettingsMalformed
from hybrid_bridge.units import PublicBlockNumber, TreeSize
from relayers import wiring
from relayers.anchored import BIRTH, Verdict
from relayers.answers import gwei
from relayers.fsck import Finding, across, fsck, look
from relayers.journal import JournalDump, Scope
from relayers.rebuild import Adoption, adopt, adoption
from relayers.settings import EVERY_CHAIN, Settings
from relayers.sql_journal import SqlJournal, SqlJournalReader, create_journal
from relayers.terminal import (
    agree,
    chains,
    config_option,
    json_option,
    now,
    one_chain,
    person,
    show,
    verdict_json,
    verdict_over,
    yes_option,
)
from relayers.traces import Own, Traces, traces

GOOD, BROKEN = 0, 4
NEWEST: Final = 10  # attempts that are shown to people; `--json` shows all
plan_option = click.option(
    "--plan", "is_plan", is_flag=True, help="With a rebuild: say what would be written, no more."
)


@click.command(name="fsck")
@config_option
@click.option("--offline", is_flag=True, help="The journal alone.")
@click.option("--rebuild", is_flag=True, help="Adopt what the chain knows and the journal does not; it must be idle.")
@plan_option
@yes_option
@json_option
def fsck_command(config: Path, *, offline: bool, rebuild: bool, is_plan: bool, yes: bool, as_json: bool) -> int:
    """Do journal and public chain agree? --rebuild mends a loss.

    Changes nothing without --rebuild.

    After a loss, or from an old copy, --rebuild brings back what the gas key sent: anchors and their checkpoints out of
    their calldata, what is mined and not final, and what waits in a pool that an endpoint shows. A missing journal is
    made. Bytes that nobody shows leave a foreign nonce. Then run it: the ordinary ticks read the rest.
    """
    if is_plan and not rebuild:
        raise SettingsMalformed(key="--plan", rule="given with --rebuild; without it nothing is written anyway")
    if rebuild:
        if offline:
            raise SettingsMalformed(key="--offline", rule="not given beside --rebuild, which asks the chain")
        return _rebuild(one_chain(config), is_plan=is_plan, yes=yes, as_json=as_json)
    asked = chains(config)
    dumps, found, code = _judged_each(asked, offline=offline)
    finals: dict[str, TreeSize | None] = dict.fromkeys((settings.chain.name for settings in asked), BIRTH)
    finals |= {name: max((a.tree_size for a in dump.anchors), default=BIRTH) for name, dump in dumps.items()}
    _show_findings(found, verdict_over(asked, finals), as_json=as_json)
    return code


@click.command()
@config_option
@click.option("--from-chain", is_flag=True, required=True, expose_value=False, help="The only place there is.")
@plan_option
@yes_option
@json_option
def recover(config: Path, *, is_plan: bool, yes: bool, as_json: bool) -> int:
    """The same as `fsck --rebuild`."""
    return _rebuild(one_chain(config), is_plan=is_plan, yes=yes, as_json=as_json)


COMMANDS: Final = (fsck_command, recover)


# ── rebuild ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _rebuild(settings: Settings, *, is_plan: bool, yes: bool, as_json: bool) -> int:
    log, scope = wiring.load_log(settings.log), wiring.scope_of(settings)
    is_lost = isinstance(settings.journal, Path) and not settings.journal.exists()
    wiring.require_gas_key(settings.chain, log)
    dump = _nothing(scope) if is_lost else _dump(settings)
    seen = _traces(settings, dump)
    found = adoption(dump, seen, log, wiring.decode_call, now())
    rows = _summary(found, seen, is_lost=is_lost)
    if is_plan:
        _show(rows | {"written": False}, as_json=as_json)
        return GOOD
    if found.is_empty and not is_lost:
        _show(rows | {"written": False, "note": "the journal lacks nothing that can be seen"}, as_json=as_json)
        return GOOD
    agree(_lines(settings, found, is_lost=is_lost), yes=yes, as_json=as_json)
    if is_lost:
        create_journal(settings.journal, scope, now())
    with SqlJournal(settings.journal, scope, person(), now()) as journal:
        adopt(journal, found, seen, wiring.decode_call, now())
        findings = fsck(journal.dump(), log, None, None)
    _show(rows | {"written": True, "next": "`fsck`, then `run`"}, as_json=as_json)
    if findings:
        _show_findings({settings.chain.name: findings}, None, as_json=as_json)
    return BROKEN if findings else GOOD


def _traces(settings: Settings, dump: JournalDump) -> Traces:
    observer = wiring.observer_of(settings).admitted()
    since = PublicBlockNumber(dump.headers[-1].number + 1) if dump.headers else observer.first_number
    views = [wiring.sent_of(chain) for chain in observer.endpoints]
    return traces(observer, views, wiring.decode_anchor, since)


def _dump(settings: Settings) -> JournalDump:
    reader = SqlJournalReader(settings.journal, wiring.scope_of(settings))
    try:
        return reader.dump()
    finally:
        reader.close()


def _nothing(scope: Scope) -> JournalDump:
    return JournalDump(
        scope=scope,
        headers=(),
        checkpoints=(),
        attestations=(),
        intents=(),
        slots=(),
        attempts=(),
        finals=(),
        anchors=(),
        sends=(),
    )


def _summary(found: Adoption, seen: Traces, *, is_lost: bool) -> dict[str, Any]:
    return {
        "journal": "to be made" if is_lost else "there",
        "looked_at": f"public block {seen.pinned.number}, final {seen.final.number}",
        "key_used_nonces": seen.used,
        "checkpoints": [row.size for row, _ in found.checkpoints],
        "nonces": list(found.slots),
        "attempts": [_attempt_words(own) for own in found.attempts],
        "foreign_nonces": list(found.foreign),
        "pending_and_not_shown": list(found.unshown),
    }


def _show(rows: dict[str, Any], *, as_json: bool) -> None:
    """Runs of numbers by their ends, attempts one a line: there may be thousands."""
    if as_json:
        show(rows, as_json=True)
        return
    attempts: list[str] = rows["attempts"]
    lists = ("checkpoints", "nonces", "foreign_nonces", "pending_and_not_shown")
    show(rows | {key: _runs(rows[key]) for key in lists} | {"attempts": len(attempts)}, as_json=False)
    for line in attempts[-NEWEST:]:
        click.echo(f"  {line}")
    if len(attempts) > NEWEST:
        click.echo(f"  and {len(attempts) - NEWEST} before them")


def _runs(numbers: list[int]) -> str | None:
    """1, 2, 3, 5 as 1-3, 5."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1][1:] = [number]
        else:
            runs.append([number])
    return ", ".join("-".join(map(str, run)) for run in runs) or None


def _attempt_words(own: Own) -> str:
    tx = own.signed.transaction
    where = "waiting in a pool" if own.block is None else f"public block {own.block.number}"
    return f"nonce {tx.nonce}, {gwei(tx.max_fee)} gwei, {where}: 0x{own.signed.hash.hex()}"


def _lines(settings: Settings, found: Adoption, *, is_lost: bool) -> list[str]:
    lines = [f"make {settings.journal}"] if is_lost else []
    lines.append(f"adopt {len(found.checkpoints)} checkpoints and {len(found.slots)} nonces")
    lines.append(f"adopt {len(found.attempts)} attempts; `--plan` shows them")
    if found.foreign:
        lines.append(f"nonces {_runs(list(found.foreign))}: used by bytes that nobody shows, closed as foreign")
    if found.unshown:
        lines.append(f"nonces {_runs(list(found.unshown))}: pending, and no endpoint shows their bytes")
    return [*lines, "take the lease with a new epoch: any other process with this journal ends"]


# ── fsck ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _judged_each(
    asked: Sequence[Settings], *, offline: bool
) -> tuple[dict[str, JournalDump], dict[str, list[Finding]], int]:
    """Journals, findings, exit code; one of several that cannot be judged is a finding itself."""
    dumps, found, codes = dict[str, JournalDump](), dict[str, list[Finding]](), [GOOD]
    for settings in asked:
        name = settings.chain.name
        try:
            dumps[name], found[name] = _judged(settings, offline=offline)
            codes.append(BROKEN if found[name] else GOOD)
        except BridgeError as error:
            if len(asked) == 1:
                raise
            found[name] = [Finding("unjudged", settings.journal.name, str(error))]
            codes.append(error.exit_code)
    found[EVERY_CHAIN] = across(dumps)
    return dumps, found, max(*codes, BROKEN if found[EVERY_CHAIN] else GOOD)


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
