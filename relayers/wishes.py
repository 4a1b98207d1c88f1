"""`bump` and `cancel`: what a person wants done with a nonce. The plan does it, within money and brake, or says why.

Wiring only. A wish is one row beside the running relayer, like every order; it holds for the attempt that was seen.
"""

from pathlib import Path
from typing import Final

import click

from hybrid_bridge.errors import Unknown
from hybrid_bridge.units import Nonce
from relayers import wiring
from relayers.answers import ether, gwei
from relayers.desk import Orders
from relayers.inquiries import looked
from relayers.journal import AttemptRow, Brake, JournalView, WishKind
from relayers.records import MAX_NONCE
from relayers.rehearsal import guessed, outlook, rehearse
from relayers.relay import Sight
from relayers.settings import Settings
from relayers.terminal import agree, config_option, json_option, now, one_chain, person, show, yes_option
from relayers.views import Policy

GOOD: Final = 0


@click.command()
@config_option
@click.argument("nonce", type=click.IntRange(0, MAX_NONCE))
@yes_option
@json_option
def bump(config: Path, nonce: int, *, yes: bool, as_json: bool) -> int:
    """Offer more for an open nonce, once.

    An eighth more on both fees, or the market's price if that is higher.

    Ceiling, balance and the day's budget hold. Only the lowest open nonce can be raised, the others wait for it.
    """
    return _wish(one_chain(config), Nonce(nonce), WishKind.BUMP, yes=yes, as_json=as_json)


@click.command()
@config_option
@click.argument("nonce", type=click.IntRange(0, MAX_NONCE))
@yes_option
@json_option
def cancel(config: Path, nonce: int, *, yes: bool, as_json: bool) -> int:
    """Use up an open nonce for nothing.

    What it carries is replaced by a transfer of nothing to ourselves.

    What it carried stays due and gets the next nonce, unless a brake is set: `pause --soft` first, to stop it.
    """
    return _wish(one_chain(config), Nonce(nonce), WishKind.CANCEL, yes=yes, as_json=as_json)


COMMANDS: Final = (bump, cancel)


# ── parts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _wish(settings: Settings, nonce: Nonce, kind: WishKind, *, yes: bool, as_json: bool) -> int:
    log = wiring.load_log(settings.log)
    with Orders(settings.journal, wiring.scope_of(settings)) as orders:
        view, sight, _ = looked(settings, log, orders, now())
        _require_open(nonce, view, sight)
        best = view.dearest(nonce)
        agree(_plan(view, sight, nonce, kind), yes=yes, as_json=as_json)
        orders.wish(nonce, kind, None if best is None else best.hash, person(), now())
        told = _outlook(orders.view(now()), sight, wiring.policy_of(settings, log), nonce)
        show({"wish": kind.value, "nonce": nonce, "outlook": told}, as_json=as_json)
    return GOOD


def _require_open(nonce: Nonce, view: JournalView, sight: Sight) -> None:
    """Nothing can be raised or replaced any more once it is mined.

    Raises:
        Unknown: no slot of it is open, or a quorum of endpoints has it mined.
    """
    waiting = [n for n in view.open_nonces if sight.chain is None or n >= sight.chain.nonce]
    if nonce not in waiting:
        state = "mined already" if nonce in view.open_nonces else "not open"
        shown = ", ".join(map(str, waiting)) or "none"
        raise Unknown(what=f"an unmined nonce {nonce}: it is {state}. Unmined are: {shown}")


def _plan(view: JournalView, sight: Sight, nonce: Nonce, kind: WishKind) -> list[str]:
    """What will change, before it does."""
    best = view.dearest(nonce)
    plan = [f"nonce {nonce}: {_words(best)}"]
    if kind is WishKind.BUMP:
        plan.append("→ the plan offers at least 9/8 of both fees, if ceiling, balance and budget allow it")
    else:
        plan.append(
            "→ the plan replaces it by a cancel, if ceiling, balance and budget allow it; this cannot be undone"
        )
        if best is not None and not best.is_cancel:
            later = "gets the next nonce" if view.brake is Brake.RUN else f"waits for `resume` (brake: {view.brake})"
            stays = "the rotation" if best.is_rotation else f"size {best.to_size}"
            plan.append(f"→ {stays} stays due and {later}")
    if sight.chain is None:
        plan.append(f"→ waits until the endpoints agree: {sight.blind}")
    return plan


def _words(best: AttemptRow | None) -> str:
    if best is None:
        return "nothing signed yet"
    carries = "a cancel" if best.is_cancel else _carried(best)
    return f"{carries}, {gwei(best.max_fee)} gwei (tip {gwei(best.tip)}), at most {ether(best.cost)} ether"


def _carried(best: AttemptRow) -> str:
    return "a rotation" if best.is_rotation else f"an anchor of size {best.to_size}"


def _outlook(view: JournalView, sight: Sight, policy: Policy, nonce: Nonce) -> str:
    """What the plan says to it now."""
    return outlook(nonce, view, sight, rehearse(view, sight, policy, guessed(view, policy), now()))
