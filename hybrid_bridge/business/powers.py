"""Who may use a power here and now: what the policy names, compared with who authorised the record (SCENARIOS S7)."""

from typing import Final

from hybrid_bridge.business.membership import is_quorum, key_of, roles_of
from hybrid_bridge.business.policy import KEY, QUORUM
from hybrid_bridge.business.ruling import Act, refuse
from hybrid_bridge.core.governance import COURT, REGULATOR

_ROLES: Final = {"court": COURT, "regulator": REGULATOR}


def holder_of(act: Act, power: str, subject: str) -> str:
    """Who uses the power named like an attribute of `Powers`: `quorum`, or the id of the one key that may alone.

    Raises:
        RuleRejected: authority; `subject` is what it would have been used on.
    """
    holders: tuple[str, ...] = getattr(act.pack.powers, power)
    keys, epoch = [key_of(key) for key in act.authorisers], act.moment.epoch
    if QUORUM in holders and is_quorum(act.view, keys, epoch):
        return QUORUM
    roles = roles_of(act.view, keys[0], epoch) if len(keys) == 1 else 0
    named = [alone for alone in act.authorisers if f"{KEY}{alone}" in holders]
    if len(keys) != 1 or not (named or any(roles & bit for name, bit in _ROLES.items() if name in holders)):
        refuse("authority", subject)
    return next(iter(act.authorisers))
