"""One log at one final public block, as enough endpoints see it, and what the others said instead."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from hybrid_bridge.adapters.evm.chain import Web3Chain
from hybrid_bridge.adapters.evm.sight import agreed, final_block, require_code, said
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


def look_at(chains: Sequence[Web3Chain], log_id: LogId, needed: int) -> Answers:
    """Ask all of them about one public block.

    Raises:
        Missing: fewer agree than must.
        SettingsMalformed: they agree that no contract stands there.
        UnknownLog: they agree that the contract does not know the log.
    """
    at = final_block(chains, needed)
    answers = [said(partial(chain.head, log_id, at)) for chain in chains]
    try:
        head = agreed("the log's head", needed, answers)
    except Missing:
        require_code(chains, at, needed)
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
