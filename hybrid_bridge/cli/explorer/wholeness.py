"""Events that an endpoint withholds or makes up, as far as the contract's own state contradicts them. Pure.

State is asked for by call, events by question: whoever lies about one has to lie about both. An anchor between two
others changes no state that is left: that one is withheld by a sole endpoint, or by enough of them, cannot be seen.
"""

from collections.abc import Iterator
from itertools import pairwise

from hybrid_bridge.adapters.evm.history import REPORTS, History
from hybrid_bridge.adapters.evm.keepers import Kept
from hybrid_bridge.errors import Missing
from hybrid_bridge.units import LogId


def require_whole(kept: Kept, history: History, nonce: int, successor: LogId) -> None:
    """Return if nothing is missing that the state shows.

    Args:
        kept: the head, the sets, the anchors.
        history: all other events.
        nonce: of the next pause or resume.
        successor: the log that goes on after this one, or zeros.

    Raises:
        Missing: what is, at the first place where it shows.
    """
    for what in _lacking(kept, history, nonce, successor):
        raise Missing(what=f"{what}, as the contract's state has it")


def _lacking(kept: Kept, history: History, nonce: int, successor: LogId) -> Iterator[str]:
    sets = [(one.set_id, one.set_hash, one.from_size, one.entries) for one in kept.sets]
    if sets != [one.values for one in history.of("ValidatorSet")]:
        yield "one answer about the validator sets"
    registered = [one.time for one in history.of("Registered")]
    if len(registered) != 1:
        yield "the log's one registration"
    elif kept.head.anchored_at != (kept.anchors[-1].block.time if kept.anchors else registered[0]):
        yield f"an anchor at {kept.head.anchored_at}"
    ended = [one.kind.lower() for one in history.of("Frozen", "Retired")]
    state = kept.head.state if kept.head.state in ("frozen", "retired") else None
    if state != ("frozen" if "frozen" in ended else "retired" if ended else None) or len(set(ended)) != len(ended):
        yield f"the events that left the log {kept.head.state}"
    if ([one.values[0] for one in history.of("Retired")] or [bytes(32)]) != [successor]:
        yield "the retirement that names the successor"
    yield from _lacking_brakes(kept, history, nonce)
    told = history.of("Frozen", *REPORTS)
    proven = [two for one, two in pairwise(told) if one.kind in REPORTS and one.place.tx_hash == two.place.tx_hash]
    if any(one.kind == "Frozen" and one not in proven for one in told):
        yield "the report that froze the log"


def _lacking_brakes(kept: Kept, history: History, nonce: int) -> Iterator[str]:
    brakes = history.of("Paused", "Resumed")
    if [one.values[0] for one in brakes] != list(range(nonce)):
        yield f"{nonce} pauses and their ends"
    last = brakes[-1] if brakes else None
    until = 0 if last is None else last.values[1] if last.kind == "Paused" else last.time
    if kept.head.paused_until != until:
        yield f"a pause until {kept.head.paused_until}"
