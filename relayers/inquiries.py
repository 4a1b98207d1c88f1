"""What an operator asks: how far, why not, what it costs, what stands in the way. Wiring only; nothing is changed."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import click

from hybrid_bridge.errors import NotYet
from hybrid_bridge.units import TreeSize, UnixSeconds
from relayers import wiring
from relayers.anchored import BIRTH
from relayers.answers import Desktop, explain, fees_now, status_of
from relayers.desk import Desk
from relayers.journal import Brake, JournalView
from relayers.log import Log
from relayers.preflight import checks, exit_code
from relayers.rehearsal import Rehearsal, rehearse, simulated
from relayers.relay import Sight, look
from relayers.settings import Settings
from relayers.terminal import (
    ask_each,
    chains,
    config_option,
    json_option,
    now,
    show,
    show_each,
    show_rows,
    verdict_json,
    verdict_over,
)
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
    asked = chains(config)
    shown, code = ask_each(asked, _status)
    finals = {name: each.get("anchored_final") for name, each in shown.items()}
    show_each(shown, verdict_over(asked, finals), as_json=as_json)
    return max(code, GOOD if all(each.get("halted") is None for each in shown.values()) else BROKEN)


@click.command(name="explain")
@config_option
@click.argument("size", type=click.IntRange(1, MAX_SIZE))
@json_option
def explain_command(config: Path, size: int, *, as_json: bool) -> int:
    """Why this size is not anchored yet, in one sentence. Asks endpoints and members; writes nothing."""
    asked = chains(config)
    found, code = ask_each(asked, lambda settings: _explained(TreeSize(size), settings))
    verdict = verdict_over(asked, {name: each.pop("final", None) for name, each in found.items()})
    if verdict is None:
        (one,) = found.values()
        _tell_one(size, one, as_json=as_json)
        return GOOD
    is_anchored, where = verdict.holds(TreeSize(size)), verdict.chains_with(TreeSize(size))
    if as_json:
        anchored = verdict_json(verdict) | {"on": list(where), "holds": is_anchored}
        show({"size": size, "chains": found, "anchored": anchored}, as_json=True)
        return code
    for name, each in found.items():
        click.echo(f"{name}: {each.get('sentence') or each['error']}")
    words = "is anchored" if is_anchored else "is not anchored yet"
    click.echo(f"Size {size} {words}: {len(where)} of {len(verdict.finals)} chains have it final, {verdict.when} must.")
    return code


@click.command()
@config_option
@json_option
def fees(config: Path, *, as_json: bool) -> int:
    """Base fee, ceiling now, next fee, and what is left of balance and budget."""
    shown, code = ask_each(chains(config), _fees)
    show_each(shown, as_json=as_json)
    return code


@click.command()
@config_option
@json_option
def check(config: Path, *, as_json: bool) -> int:
    """Would it start here, and get an anchor through? Looks at everything, changes nothing, says each cure."""
    found, asked = [], chains(config)
    for number, settings in enumerate(asked):
        for one in checks(settings, now(), is_first=number == 0):
            each = one if len(asked) == 1 else replace(one, name=f"{settings.chain.name}: {one.name}")
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
    """What one tick of each chain would do now: `run --dry-run`. No key, no lease, nothing written."""
    found: dict[str, tuple[Rehearsal, Sight]] = {}

    def ask(settings: Settings) -> dict[str, Any]:
        found[settings.chain.name] = _rehearsed(settings)
        return _would(*found[settings.chain.name])

    shown, code = ask_each(chains(config), ask)
    if as_json:
        show_each(shown, as_json=True)
    for name, values in shown.items() if not as_json else ():
        if len(shown) > 1:
            click.echo(f"── {name}")
        if name in found:
            _tell_rehearsal(*found[name])
        else:
            show(values, as_json=False)
    return max((code, *(_outcome(*each) for each in found.values())))


def _rehearsed(settings: Settings) -> tuple[Rehearsal, Sight]:
    log = wiring.load_log(settings.log)
    policy, at = wiring.policy_of(settings, log), now()
    with _desk(settings) as desk:
        view, sight, unwritten = looked(settings, log, desk, at)
        if settings.chain.is_retiring and view.brake in {Brake.RUN, Brake.SOFT}:
            view = replace(view, brake=Brake.DRAIN)  # as its start would order
        return rehearse(view, sight, policy, simulated(wiring.calls_of(settings, log), unwritten, sight), at), sight


def _would(found: Rehearsal, sight: Sight) -> dict[str, Any]:
    top = {"would": [asdict(step) for step in found.steps], "then_waits_for": found.reason}
    return top | {"blind": sight.blind or None, "notes": list(sight.notes)}


def _tell_rehearsal(found: Rehearsal, sight: Sight) -> None:
    for number, step in enumerate(found.steps, 1):
        click.echo(f"{number:2}  {step.sentence}")
    click.echo(f"{'then' if found.steps else 'nothing to do'}: {found.reason}")
    for note in filter(None, (sight.blind, *sight.notes)):
        click.echo(f"note: {note}")


def _outcome(found: Rehearsal, sight: Sight) -> int:
    if sight.chain is None:
        return NotYet.exit_code
    return GOOD if found.error is None else found.error.exit_code


def looked(settings: Settings, log: Log, desk: Desk, at: UnixSeconds) -> tuple[JournalView, Sight, Unwritten]:
    """The journal, and the world as a tick would see it; what it would admit stays in memory.

    Raises:
        Broken: a quorum of endpoints serves another chain.
    """
    view, unwritten = desk.view(at), Unwritten(desk)
    collector = wiring.collector_of(settings.log, log, wiring.appointing(settings, log))
    sight = look(view, wiring.observer_of(settings), lambda chain: collector.collect(unwritten, view, chain, at))
    return view, sight, unwritten


# ── parts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _status(settings: Settings) -> dict[str, Any]:
    with _desk(settings) as desk:
        return status_of(_desktop(settings, wiring.load_log(settings.log), desk))


def _fees(settings: Settings) -> dict[str, Any]:
    log = wiring.load_log(settings.log)
    with _desk(settings) as desk:
        journal = desk.view(now())
        chain = _chain(settings, log, journal)
    return fees_now(journal, chain, wiring.policy_of(settings, log))


def _explained(size: TreeSize, settings: Settings) -> dict[str, Any]:
    """What one chain says of a size, and how far it has come for good."""
    log = wiring.load_log(settings.log)
    with _desk(settings) as desk:
        top = _desktop(settings, log, desk)
        covering = desk.covering(size)
        sight = _unseen(log, "not asked") if covering is not None else looked(settings, log, desk, top.now)[1]
    found = explain(size, top, sight, covering)
    newest = top.journal.newest_anchor
    final = BIRTH if newest is None else newest.tree_size
    return {"reason": found.reason, "sentence": found.sentence, "final": final}


def _tell_one(size: int, one: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        show({"size": size} | one, as_json=True)
    else:
        click.echo(one["sentence"])


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
