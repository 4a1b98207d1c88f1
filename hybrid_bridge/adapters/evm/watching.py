"""One log at one final public block, as enough endpoints see it, and what the others said instead."""

from dataclasses import dataclass

from hybrid_bridge.adapters.evm.abreast import Circle, agreed
from hybrid_bridge.adapters.evm.sight import final_block, require_code
from hybrid_bridge.errors import Missing, UnknownLog
from hybrid_bridge.ports import Head, PublicBlock
from hybrid_bridge.units import Digest, LogId


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """The head that enough agree on; `others`: endpoints (from 1) that answered otherwise at that public block."""

    at: PublicBlock
    head: Head
    others: tuple[tuple[int, Head], ...]
    silent: tuple[int, ...]


def look_at(circle: Circle, log_id: LogId, needed: int) -> Answers:
    """Ask all of them about one public block, and wait for each: who said otherwise, or nothing, is named.

    Raises:
        Missing: fewer agree than must.
        SettingsMalformed: they agree that no contract stands there.
        UnknownLog: they agree that the contract does not know the log.
    """
    at = final_block(circle, needed)
    answers = circle.all_say(lambda chain: chain.head(log_id, at))
    try:
        head = agreed("the log's head", needed, answers)
    except Missing:
        require_code(circle, at, needed)
        raise
    if head.state == "unknown":
        raise UnknownLog(log_id=Digest(log_id))
    numbered = list(enumerate(answers, start=1))
    return Answers(
        at=at,
        head=head,
        others=tuple((number, answer) for number, answer in numbered if answer is not None and answer != head),
        silent=tuple(number for number, answer in numbered if answer is None),
    )
