"""All endpoints side by side: which serve our chain and contract, which lag, which tell another story.

A tick needs a quorum and names who is left out; this asks every endpoint everything, one after the other, and judges
each by what a quorum of them says of one pinned public block.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from hybrid_bridge.errors import BridgeError, NotYet
from hybrid_bridge.ports import PublicBlock, PublicChain
from hybrid_bridge.units import Digest, LogId, PublicBlockHash, PublicBlockNumber, TreeSize
from relayers.admission import compared
from relayers.hearing import Hearing
from relayers.journal import Scope

LAG: Final = 3  # public blocks behind the pin that are worth a word
MANY: Final = 128  # between its head and its final public block: more, and finality stands still there

Verdict = Literal["good", "note", "bad"]
Story: TypeAlias = tuple[PublicBlockHash, TreeSize]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What one endpoint says. None: it did not."""

    name: str
    milliseconds: int | None = None  # of the question for its newest public block
    newest: PublicBlock | None = None
    final: PublicBlock | None = None
    at_pin: PublicBlockHash | None = None
    head: TreeSize | None = None  # the log's size in the contract, at the pin
    verdict: Verdict = "good"
    detail: str = "agrees"
    exit_code: int = 0

    @property
    def story(self) -> Story | None:
        """What it says of the pinned public block."""
        return None if self.at_pin is None or self.head is None else (self.at_pin, self.head)


@dataclass(frozen=True, slots=True)
class Comparison:
    """All endpoints, and where they were compared; `pinned` is None where no quorum has one public block in common."""

    answers: tuple[Answers, ...]
    pinned: PublicBlockNumber | None
    agreeing: int

    def exit_code(self, quorum: int) -> int:
        """Undecided without a quorum; else that of the worst endpoint."""
        worst = max((answer.exit_code for answer in self.answers), default=0)
        return worst if self.agreeing >= quorum else max(worst, NotYet.exit_code)


def compare(
    endpoints: Sequence[PublicChain],
    scope: Scope,
    quorum: int,
    code_hash: Digest | None,
    monotonic: Callable[[], float],
) -> Comparison:
    """Ask them all.

    Args:
        endpoints: all of the settings.
        scope: chain, contract and log that they should serve.
        quorum: how many must say the same.
        code_hash: of the contract we know; None: any code will do.
        monotonic: seconds, for latencies.
    """
    found = [_asked(chain, scope, code_hash, monotonic) for chain in endpoints]
    numbers = sorted(answer.newest.number for answer in found if answer.newest is not None)
    if len(numbers) < quorum:
        return Comparison(tuple(found), None, 0)
    pinned = numbers[-quorum]
    told = [_at(answer, chain, pinned) for answer, chain in zip(found, endpoints, strict=True)]
    told = _states(told, endpoints, scope.log_id, pinned)
    votes = Counter(answer.story for answer in told if answer.story is not None)
    common, agreeing = votes.most_common(1)[0] if votes else (None, 0)
    if common is None or agreeing < quorum:
        return Comparison(tuple(map(_split, told)), pinned, agreeing)
    return Comparison(tuple(_judged(answer, common, pinned) for answer in told), pinned, agreeing)


def _asked(chain: PublicChain, scope: Scope, code_hash: Digest | None, monotonic: Callable[[], float]) -> Answers:
    """Whether it serves us at all, how far it is, how fast it answers."""
    served = compared((chain,), scope, code_hash, set(), Hearing(monotonic))
    for name, error in (*served.strangers, *served.silent):
        return Answers(name=name, verdict="bad", detail=str(error), exit_code=error.exit_code)
    try:
        began = monotonic()
        newest = chain.latest()
        took = int(1000 * (monotonic() - began))
        return Answers(name=chain.name, milliseconds=took, newest=newest, final=_final(chain))
    except BridgeError as error:
        return Answers(name=chain.name, verdict="bad", detail=str(error), exit_code=error.exit_code)


def _final(chain: PublicChain) -> PublicBlock | None:
    """Its own word; a chain without it has none."""
    try:
        return chain.finalized()
    except BridgeError:
        return None


def _at(answer: Answers, chain: PublicChain, pinned: PublicBlockNumber) -> Answers:
    if answer.newest is None or answer.newest.number < pinned:
        return answer
    try:
        return replace(answer, at_pin=chain.block(pinned).hash)
    except BridgeError as error:
        return replace(answer, verdict="bad", detail=str(error), exit_code=error.exit_code)


def _states(
    answers: Sequence[Answers], endpoints: Sequence[PublicChain], log: LogId, pinned: PublicBlockNumber
) -> list[Answers]:
    """What the contract says there: a header may be true and the state a lie."""
    told: list[Answers] = []
    for answer, chain in zip(answers, endpoints, strict=True):
        try:
            size = None if answer.at_pin is None else chain.head(log, chain.block(pinned)).tree_size
        except BridgeError as error:
            told.append(replace(answer, verdict="bad", detail=str(error), exit_code=error.exit_code))
        else:
            told.append(replace(answer, head=size))
    return told


def _split(answer: Answers) -> Answers:
    """One that told something, where no quorum told the same."""
    if answer.verdict == "bad":
        return answer
    words = "no quorum says the same of the pinned public block"
    return replace(answer, verdict="bad", detail=words, exit_code=NotYet.exit_code)


def _judged(answer: Answers, common: Story, pinned: PublicBlockNumber) -> Answers:
    if answer.verdict == "bad" or answer.newest is None:
        return answer
    behind = pinned - answer.newest.number
    if answer.at_pin is None:
        verdict: Verdict = "bad" if behind > LAG else "note"
        return replace(answer, verdict=verdict, detail=f"{behind} public blocks behind", exit_code=3 * (behind > LAG))
    if answer.story != common:
        what = "has another public block there" if answer.at_pin != common[0] else "tells another state there"
        return replace(answer, verdict="bad", detail=f"{what} than the quorum", exit_code=4)
    if answer.final is not None and answer.newest.number - answer.final.number > MANY + LAG:
        lag = answer.newest.number - answer.final.number
        return replace(answer, verdict="note", detail=f"agrees; finality is {lag} public blocks behind")
    return answer
