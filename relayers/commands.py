"""What an operator orders and asks, beside `run`: brakes, backup. Wiring only; `cli` hangs these on its group.

A command that changes something says first what, and asks; `--yes` answers for machines.
"""

from pathlib import Path
from typing import Final

import click

from hybrid_bridge.errors import SettingsMalformed, StayHalted
from relayers import wiring
from relayers.desk import Desk, Orders
from relayers.fsck import fsck
from relayers.journal import Brake
from relayers.settings import Settings
from relayers.terminal import agree, config_option, json_option, now, one_chain, person, show, yes_option

GOOD, BROKEN = 0, 4
EFFECTS: Final = {
    Brake.RUN: "duties are taken on and fulfilled again",
    Brake.SOFT: "no new duties and nonces; what was begun is finished",
    Brake.HARD: "nothing is signed or sent; watching and writing down goes on",
    Brake.DRAIN: "soft, and nonces that nobody needs are used up; a running relayer ends with 0 when none is open",
}


# ── brakes ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@click.command()
@config_option
@click.option("--soft", "level", flag_value="soft", help="Begin nothing new; finish what was begun.")
@click.option("--hard", "level", flag_value="hard", help="Sign and send nothing at all.")
@yes_option
@json_option
def pause(config: Path, level: str | None, *, yes: bool, as_json: bool) -> int:
    """Set the brake, also while the relayer runs."""
    if level is None:
        raise SettingsMalformed(key="--soft", rule="one of --soft and --hard")
    return _brake(config, Brake(level), yes=yes, as_json=as_json)


@click.command()
@config_option
@yes_option
@json_option
def drain(config: Path, *, yes: bool, as_json: bool) -> int:
    """Finish what was begun, then end: before an upgrade or another gas key."""
    return _brake(config, Brake.DRAIN, yes=yes, as_json=as_json)


@click.command()
@config_option
@click.option(
    "--i-have-read",
    "evidence",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="After a halt: the file with its evidence.",
)
@yes_option
@json_option
def resume(config: Path, evidence: Path | None, *, yes: bool, as_json: bool) -> int:
    """Let the brake go; with `--i-have-read`, end a halt."""
    settings = one_chain(config)
    with _orders(settings) as orders:
        halted = orders.control().halted
        _require_lasting(settings, Brake.RUN if halted is None else orders.control().brake)
        if halted is None:
            return _set(orders, Brake.RUN, yes=yes, as_json=as_json)
        if evidence is None:
            raise StayHalted(rule="fsck, and then --i-have-read with the file of its evidence")
        findings = fsck(orders.dump(), wiring.load_log(settings.log), None, settings.chain.fees)
        if findings:
            raise StayHalted(rule="a clean fsck")
        agree([f"halt: {halted} → none", f"brake: {orders.control().brake} (stays)"], yes=yes, as_json=as_json)
        orders.lift_halt(evidence.read_text("utf-8", "replace"), person(), now())
        show({"halted": None, "was": halted, "brake": orders.control().brake.value}, as_json=as_json)
        return GOOD


def _brake(config: Path, level: Brake, *, yes: bool, as_json: bool) -> int:
    settings = one_chain(config)
    _require_lasting(settings, level)
    with _orders(settings) as orders:
        return _set(orders, level, yes=yes, as_json=as_json)


def _require_lasting(settings: Settings, level: Brake) -> None:
    """A key that retires is drained or stands still.

    Raises:
        SettingsMalformed: it would begin something new, or leave something lying.
    """
    if settings.chain.is_retiring and level in {Brake.RUN, Brake.SOFT}:
        raise SettingsMalformed(key="--chain", rule=f"another one: the key of {settings.chain.name} is retiring")


def _set(orders: Orders, level: Brake, *, yes: bool, as_json: bool) -> int:
    before = orders.control()
    plan = [f"brake: {before.brake} → {level}: {EFFECTS[level]}"]
    view = orders.view(now())
    if view.open_nonces:
        plan.append(f"open nonces: {', '.join(map(str, view.open_nonces))}")
    agree(plan, yes=yes, as_json=as_json)
    orders.set_brake(level, person(), now())
    after = orders.control()
    show(
        {"brake": after.brake.value, "was": before.brake.value, "by": after.by, "halted": after.halted}, as_json=as_json
    )
    return GOOD


def _orders(settings: Settings) -> Orders:
    return Orders(settings.journal, wiring.scope_of(settings))


# ── backup ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@click.command()
@config_option
@click.argument("file", type=click.Path(path_type=Path))
@json_option
def backup(config: Path, file: Path, *, as_json: bool) -> int:
    """Copy the journal, whole and consistent, also while the relayer runs.

    A journal that comes back from a copy lacks what happened since: run fsck before it relays again.
    """
    settings = one_chain(config)
    with Desk(settings.journal, wiring.scope_of(settings)) as desk:
        size = desk.backup(file)
    show({"wrote": str(file), "bytes": size}, as_json=as_json)
    return GOOD


COMMANDS: Final = (pause, resume, drain, backup)
