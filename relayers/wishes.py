"""`bump` and `cancel`: what a person wants done with a nonce. The plan does it, within money and brake, or says why.

Wiring only. A wish is one row beside the running relayer, like every order; it holds for the attempt that was seen.
"""

from pathlib import Path
from typing import Final

import click

from hybrid_bridge.errors import BridgeError, Unknown
from hybrid_bridge.units import Nonce
from relayers import wiring
from relayers.answers import ether, gwei
from relayers.desk import Orders
from relayers.inquiries import looked
from relayers.journal import AttemptRow, Brake, JournalView, WishKind
from relayers.records import MAX_NONCE
from relayers.rehearsal import guessed, outlook, rehearse
from relayers.settings import Settings, read_settings
from relayers.terminal import agree, config_option, json_option, now, person, show, yes_option

GOOD: Final = 0


@click.command()
@config_option
@click.argument("nonce", type=click.IntRange(0, MAX_NONCE))
@yes_option
@json_option
def bump(config: Path, nonce: int, *, yes: bool, as_json: bool) -> int:
    """Offer more for an open nonce, once: an eighth more, or the market's price if that is higher.

    Ceiling, balance and the day's budget hold. Only the lowest open nonce can be raised, the others wait for it.
    """
    return _wish(read_settings(config), Nonce(nonce), WishKind.BUMP, yes=yes, as_json=as_json)


@click.command()
@config_option
@click.argument("nonce", type=click.IntRange(0, MAX_NONCE))
@yes_option
@json_option
def cancel(config: Path, nonce: int, *, yes: bool, as_json: bool) -> int:
    """Use up an open nonce for nothing: what it carries is replaced by a transfer of nothing to ourselves.

    What it carried stays due and gets the next nonce, unless a brake is set: `pause --soft` first, to stop it.
    """
    return _wish(read_settings(config), Nonce(nonce), WishKind.CANCEL, yes=yes, as_json=as_json)


COMMANDS: Final = (bump, cancel)


# ── parts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _wish(settings: Settings, nonce: Nonce, kind: WishKind, *, yes: bool, as_json: bool) -> int:
    with Orders(settings.journal, wiring.scope_of(settings)) as orders:
        view = orders.view(now())
        if nonce not in view.open_nonces:
            shown = ", ".join(map(str, view.open_nonces)) or "none"
            raise Unknown(what=f"an open nonce {nonce}; open are: {shown}")
        best = view.dearest(nonce)
        agree(_plan(view, nonce, kind, best), yes=yes, as_json=as_json)
        orders.wish(nonce, kind, None if best is None else best.hash, person(), now())
        show({"wish": kind.value, "nonce": nonce, "outlook": _outlook(settings, orders, nonce)}, as_json=as_json)
    return GOOD


def _plan(view: JournalView, nonce: Nonce, kind: WishKind, best: AttemptRow | None) -> list[str]:
    """What will change, before it does."""
    plan = [f"nonce {nonce}: {_words(best)}"]
    if kind is WishKind.BUMP:
        plan.append("→ the plan offers at least 9/8 of both fees, if ceiling, balance and budget allow it")
    else:
        plan.append(
            "→ the plan replaces it by a cancel, if ceiling, balance and budget allow it; this cannot be undone"
        )
    if kind is WishKind.CANCEL and best is not None and not best.is_cancel:
        later = "gets the next nonce afterwards" if view.brake is Brake.RUN else f"waits for `resume` ({view.brake})"
        plan.append(f"→ size {best.to_size} stays due and {later}")
    if view.open_nonces[0] != nonce:
        plan.append(f"→ waits until nonce {view.open_nonces[0]} is mined: only the lowest can be raised")
    if view.brake is Brake.HARD or view.halted is not None:
        plan.append("→ waits: the relayer signs nothing now")
    return plan


def _words(best: AttemptRow | None) -> str:
    if best is None:
        return "nothing signed yet"
    carries = "a cancel" if best.is_cancel else f"an anchor of size {best.to_size}"
    return f"{carries}, {gwei(best.max_fee)} gwei (tip {gwei(best.tip)}), at most {ether(best.cost)} ether"


def _outlook(settings: Settings, orders: Orders, nonce: Nonce) -> str:
    """What the plan says to it now, as far as the endpoints tell."""
    log, at = wiring.load_log(settings.log), now()
    policy = wiring.policy_of(settings, log)
    try:
        view, sight, _ = looked(settings, log, orders, at)
    except BridgeError as error:
        return f"unknown: {error}"
    return outlook(nonce, view, sight, rehearse(view, sight, policy, guessed(view, policy), at))
