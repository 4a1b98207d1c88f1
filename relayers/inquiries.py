"""What an operator asks: how far, why not, what it costs, what stands in the way. Wiring only; nothing is changed."""

from dataclasses import asdict
from pathlib import Path
from typing import Final

import click

from hybrid_bridge.errors import NotYet
from hybrid_bridge.units import TreeSize, UnixSeconds
from relayers import wiring
from relayers.answers import Desktop, explain, fees_now, status_of
from relayers.desk import Desk
from relayers.journal import JournalView
from relayers.log import Log
from relayers.preflight import checks, exit_code
from relayers.rehearsal import rehearse, simulated
from relayers.relay import Sight, look
from relayers.settings import Settings, read_settings
from relayers.terminal import config_option, json_option, now, show, show_rows
from relayers.unwritten import Unwritten
from relayers.views import ChainView, QuorumView
from relayers.watchdog import patience_for

GOOD, BROKEN = 0, 4
DAY: Final = 86_400  # seconds; after a day without, a contradiction is history
MAX_SIZE: Final = 1 << 40


@click.command()
@config_option
@json_option
def status(config: Path, *, as_json: bool) -> int:
    """Behind? Cost? Who? Out of the journal alone: asks nobody."""
    settings = read_settings(config)
    with _desk(settings) as desk:
        top = _desktop(settings, wiring.load_log(settings.log), desk)
    show(status_of(top), as_json=as_json)
    return GOOD if top.journal.halted is None else BROKEN


@click.command(name="explain")
@config_option
@click.argument("size", type=click.IntRange(1, MAX_SIZE))
@json_option
def explain_command(config: Path, size: int, *, as_json: bool) -> int:
    """Why this size is not anchored yet, in one sentence. Asks endpoints and members; writes nothing."""
    settings = read_settings(config)
    log = wiring.load_log(settings.log)
    with _desk(settings) as desk:
        top = _desktop(settings, log, desk)
        covering = desk.covering(TreeSize(size))
        sight = _unseen(log, "not asked") if covering is not None else looked(settings, log, desk, top.now)[1]
    found = explain(TreeSize(size), top, sight, covering)
    if as_json:
        show({"size": size, "reason": found.reason, "sentence": found.sentence}, as_json=True)
    else:
        click.echo(found.sentence)
    return GOOD


@click.command()
@config_option
@json_option
def fees(config: Path, *, as_json: bool) -> int:
    """Base fee, ceiling now, next fee, and what is left of balance and budget."""
    settings = read_settings(config)
    log = wiring.load_log(settings.log)
    with _desk(settings) as desk:
        journal = desk.view(now())
        chain = _chain(settings, log, journal)
    show(fees_now(journal, chain, wiring.policy_of(settings, log)), as_json=as_json)
    return GOOD


@click.command()
@config_option
@json_option
def check(config: Path, *, as_json: bool) -> int:
    """Would it start here, and get an anchor through? Looks at everything, changes nothing, says each cure."""
    found = []
    for each in checks(read_settings(config), now()):
        found.append(each)
        if not as_json:
            click.echo(
                f"{each.verdict:4}  {each.name}: {each.detail}" + (f"\n      → {each.cure}" if each.cure else "")
            )
    if as_json:
        show_rows("checks", [asdict(each) for each in found], as_json=True)
    return exit_code(found)


COMMANDS: Final = (status, explain_command, fees, check)


def dry_run(config: Path, *, as_json: bool) -> int:
    """What one tick would do now: `run --dry-run`. Asks endpoints and members; no key, no lease, nothing written."""
    settings = read_settings(config)
    log = wiring.load_log(settings.log)
    policy, at = wiring.policy_of(settings, log), now()
    with _desk(settings) as desk:
        view, sight, unwritten = looked(settings, log, desk, at)
        found = rehearse(view, sight, policy, simulated(wiring.calls_of(settings, log), unwritten, sight), at)
    if as_json:
        top = {"would": [asdict(step) for step in found.steps], "then_waits_for": found.reason}
        show(top | {"blind": sight.blind or None, "notes": list(sight.notes)}, as_json=True)
    else:
        for number, step in enumerate(found.steps, 1):
            click.echo(f"{number:2}  {step.sentence}")
        click.echo(f"{'then' if found.steps else 'nothing to do'}: {found.reason}")
        for note in filter(None, (sight.blind, *sight.notes)):
            click.echo(f"note: {note}")
    if sight.chain is None:
        return NotYet.exit_code
    return GOOD if found.error is None else found.error.exit_code


def looked(settings: Settings, log: Log, desk: Desk, at: UnixSeconds) -> tuple[JournalView, Sight, Unwritten]:
    """The journal, and the world as a tick would see it; what it would admit stays in memory.

    Raises:
        Broken: a quorum of endpoints serves another chain.
    """
    view, unwritten, collector = desk.view(at), Unwritten(desk), wiring.collector_of(settings.log, log)
    sight = look(view, wiring.observer_of(settings), lambda chain: collector.collect(unwritten, view, chain, at))
    return view, sight, unwritten


# ── parts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _desk(settings: Settings) -> Desk:
    return Desk(settings.journal, wiring.scope_of(settings))


def _desktop(settings: Settings, log: Log, desk: Desk) -> Desktop:
    at = now()
    return Desktop(
        now=at,
        log=log,
        policy=wiring.policy_of(settings, log),
        operators=settings.chain.operators,
        patience=patience_for(settings.tick_seconds),
        journal=desk.view(at),
        control=desk.control(),
        lease=desk.lease(),
        newest=desk.newest_checkpoint(),
        contradictions=desk.contradictions(UnixSeconds(at - DAY)),
    )


def _chain(settings: Settings, log: Log, journal: JournalView) -> ChainView:
    """What the endpoints agree on; the members are not asked.

    Raises:
        NotYet: they do not agree.
    """
    sight = look(journal, wiring.observer_of(settings), lambda _: _unseen(log, "").quorum)
    if sight.chain is None:
        raise NotYet(what=f"endpoints that agree: {sight.blind}")
    return sight.chain


def _unseen(log: Log, why: str) -> Sight:
    return Sight(None, QuorumView(log_id=log.log_id, checkpoints=(), paths={}), (), why)
