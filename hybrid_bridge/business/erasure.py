"""Erasure notice: a member says that it has destroyed what opens some records. The records stay (SCENARIOS S7).

Nobody can see from outside whether it is true, so any member may say it, of any entries that stand. Who else has a copy
decides whether to follow; a notice by such a member is then its acknowledgement (SPEC §5).
"""

from typing import Final

from hybrid_bridge.business.membership import key_of, roles_of
from hybrid_bridge.business.ruling import Act, refuse
from hybrid_bridge.core.encoding import Json, parse_b64u
from hybrid_bridge.core.governance import MEMBER
from hybrid_bridge.core.ledger_state import entry_key
from hybrid_bridge.units import Digest

NOTICE: Final = 7


def notice(act: Act) -> None:
    """0x0018. One member, by its identity key, about entries of this ledger.

    Raises:
        RuleRejected: authority, unknown.
    """
    entries = act.claims.column("entry.k")
    keys = [key_of(key) for key in act.authorisers]
    if len(keys) != 1 or not roles_of(act.view, keys[0], act.moment.epoch) & MEMBER:
        refuse("authority", entries[0])
    for entry in entries:
        if act.view.get(entry_key(Digest(parse_b64u(entry, "entry")))) is None:
            refuse("unknown", entry)
    subject: Json = {"entries": list(entries)}
    act.notify(NOTICE, 0, subject, {"reason_code": act.claims.text("reason_code")})
