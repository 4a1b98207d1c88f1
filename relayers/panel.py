"""Endpoints that are asked one question: the answer of a quorum of them, and what becomes of who contradicts it.

A quorum's word is that of q endpoints alike, after strict decoding. Silence, lag and nonsense are no votes.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from hybrid_bridge.errors import BridgeError, NotYet, Refuted, StateForgotten, Undecided
from hybrid_bridge.ports import PublicChain
from hybrid_bridge.units import PublicBlockHash, PublicBlockNumber
from relayers.admission import undecided
from relayers.hearing import Hearing, contradicts, shown

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Panel:
    """Who is asked in this tick, and how many must agree."""

    endpoints: tuple[PublicChain, ...]
    quorum: int
    hearing: Hearing
    known: set[PublicChain]  # whose code was compared, and that did not fail since: brought up to date here

    def ask(self, method: str, read: Callable[[PublicChain], T]) -> T:
        """The answer that `quorum` endpoints give alike; no more are asked than it takes.

        Raises:
            Undecided: there is none.
        """
        order = self.hearing.in_order(self.endpoints)
        rounds = (order[: self.quorum], order[self.quorum :])
        return self._agreement(*self._answers(method, read, rounds, self._is_agreed))

    def ask_all(self, method: str, read: Callable[[PublicChain], T], about: PublicBlockHash | None = None) -> T:
        """As `ask`, of what never changes: all are asked, and whoever contradicts the quorum lied.

        Raises:
            Undecided: there is none.
        """
        answers, failure = self._answers(method, read, self._quick_and_slow, self._is_agreed, about)
        agreed = self._agreement(answers, failure)
        for chain, answer in answers:
            if contradicts(answer, agreed):
                self.hearing.lied(chain.name, method, (shown(agreed), shown(answer)), about)
        return agreed

    def reached(
        self, method: str, read: Callable[[PublicChain], PublicBlockNumber]
    ) -> tuple[PublicBlockNumber, dict[str, PublicBlockNumber]]:
        """The highest number that `quorum` endpoints have reached, and how far each is that answers.

        Raises:
            Undecided: fewer answer.
        """
        numbers, failure = self._answers(method, read, self._quick_and_slow, lambda heard: len(heard) >= self.quorum)
        if len(numbers) < self.quorum:
            raise self._none(failure)
        each = {chain.name: number for chain, number in numbers}
        return sorted(number for _, number in numbers)[-self.quorum], each

    # ── parts ────────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def _quick_and_slow(self) -> tuple[list[PublicChain], list[PublicChain]]:
        """All who are quick at once; who used up its patience in this tick only if it takes them."""
        order = self.hearing.in_order(self.endpoints)
        slow = [chain for chain in order if self.hearing.is_slow(chain)]
        return order[: len(order) - len(slow)], slow  # who took longest comes last

    def _answers(
        self,
        method: str,
        read: Callable[[PublicChain], T],
        rounds: Iterable[Sequence[PublicChain]],
        is_enough: Callable[[list[tuple[PublicChain, T]]], bool],
        about: PublicBlockHash | None = None,
    ) -> tuple[list[tuple[PublicChain, T]], Undecided | None]:
        """What each says, and why one did not answer. Those of one round are asked side by side."""
        answers: list[tuple[PublicChain, T]] = []
        failure: Undecided | None = None
        for chains in rounds:
            if not chains or is_enough(answers):
                continue
            for heard in self.hearing.hear(chains, method, read):
                if heard.error is None:
                    answers.append((heard.chain, heard.get()))
                    continue
                self._failed(heard.chain, method, heard.error, about)
                if not isinstance(failure, StateForgotten):  # the one that says what to do
                    failure = undecided(heard.error)
        return answers, failure

    def _failed(self, chain: PublicChain, method: str, error: BridgeError, about: PublicBlockHash | None) -> None:
        if isinstance(error, Refuted):  # its own proof says otherwise
            self.hearing.lied(chain.name, method, ("a proof", str(error)), about)
        if not isinstance(error, NotYet):
            self.known.discard(chain)  # perhaps another program answers there now

    def _is_agreed(self, answers: list[tuple[PublicChain, T]]) -> bool:
        return self._agreed(answers) is not None

    def _agreed(self, answers: list[tuple[PublicChain, T]]) -> tuple[T] | None:
        """The answer of `quorum` of these, as a tuple of one: it may be None itself."""
        values = [answer for _, answer in answers]
        return next(((value,) for value in values if values.count(value) >= self.quorum), None)

    def _agreement(self, answers: list[tuple[PublicChain, T]], failure: Undecided | None) -> T:
        agreed = self._agreed(answers)
        if agreed is None:
            raise self._none(failure)
        return agreed[0]

    def _none(self, failure: Undecided | None) -> Undecided:
        """Why there is no agreement: one endpoint's reason, or that they contradict each other."""
        return failure or NotYet(what=f"{self.quorum} endpoints that agree")
