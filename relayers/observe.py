"""Look at the public chain: one frozen `ChainView`, agreed by q endpoints, all of it at one pinned public block.

With one endpoint (q = 1) its word is taken: fit for a devnet or one's own node, no defence against a lying server.
Two reads at different public blocks made real batches revert; so every read names the pinned one or an ancestor, and
the observation counts only if the pin still stands at its end.

An ordinary node forgets old states. So state decides only at the pin; what happened before is read from events and
receipts, which stay. At the final public block the state is asked for too, since it sees more (another wallet with our
key), but nothing waits for it. A tick reads a bounded stretch of events: after a long absence several ticks catch up.
"""

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise
from statistics import median_low
from typing import Final, TypeVar

from hybrid_bridge.errors import (
    EndpointRefused,
    NotYet,
    StateForgotten,
    Undecided,
)
from hybrid_bridge.ports import AnchoredEvent, Head, PublicBlock, PublicChain
from hybrid_bridge.units import (
    Digest,
    Nonce,
    PublicBlockNumber,
    SetId,
    TreeSize,
    TxHash,
    UnixSeconds,
    Wei,
)
from relayers.admission import ADMISSION, EMPTY_CODE, Compared, compared
from relayers.hearing import Asking, Bench, Hearing, in_turn
from relayers.journal import AttemptRow, JournalView, Scope
from relayers.panel import Panel
from relayers.views import ChainView, Standing

T = TypeVar("T")

EVENT_RANGE: Final = 1_000  # public blocks in one question for events; servers refuse long ranges
MAX_RANGES: Final = 20  # such questions in one tick: a year of public blocks takes some 130 ticks
MAX_EVENTS: Final = 500  # in one tick, then no further question; each costs a look at its public block
USUAL_SPAN: Final = 1_000  # public blocks whose median base fee is "usual"
USUAL_STEP: Final = 100  # every so many of them is looked at
NO_HEAD: Final = Head(
    tree_size=TreeSize(0),
    root=Digest(bytes(32)),
    timestamp=UnixSeconds(0),
    anchored_at=UnixSeconds(0),
    set_id=SetId(0),
    next_from_size=TreeSize(0),
    paused_until=UnixSeconds(0),
    state="unknown",
)


@dataclass(frozen=True, slots=True)
class Observer:
    """The endpoints of one public chain and how many of them must agree."""

    scope: Scope
    endpoints: tuple[PublicChain, ...]
    quorum: int
    depth: int | None  # public blocks until final; None = the chain's own "finalized"
    first_number: PublicBlockNumber  # where the contract's events may begin
    code_hash: Digest | None = None  # of the contract we know; None: any code will do
    is_proven: bool = False  # the endpoints prove states: nothing is final on the word of an event or a receipt alone
    _base_fees: dict[PublicBlockNumber, Wei] = field(default_factory=dict)  # of final public blocks: a cache, no state
    _known: set[PublicChain] = field(default_factory=set)  # whose code was compared, and that did not fail since
    bench: Bench = field(default_factory=Bench, compare=False)
    monotonic: Callable[[], float] = field(default=time.monotonic, compare=False)
    asking: Asking = field(default=in_turn, compare=False)  # how a question reaches several endpoints
    hearing: Hearing = field(default_factory=partial(Hearing, time.monotonic), compare=False)  # of this tick

    def observe(self, journal: JournalView) -> ChainView:
        """One observation.

        Raises:
            Undecided: fewer than `quorum` endpoints gave one answer, or the pin did not stand.
        """
        log_id, signer = self.scope.log_id, self.scope.signer
        pinned = self.pin()
        newest = self.final(pinned)
        last, ask_all = journal.final_header, self._panel.ask_all
        base_fee = ask_all("base_fee", lambda chain: chain.base_fee(pinned), pinned.hash)
        final, anchors = self._anchors(self.first_number if last is None else last.number + 1, newest)
        head, used, notes = self._final_state(final) if final == newest else (None, None, (_behind(final, newest),))
        self._require_whole(journal, anchors, head)
        final_nonce, standings = self._used(journal, final, used)
        nonce = ask_all("nonce", lambda chain: chain.nonce(signer, pinned), pinned.hash)
        view = ChainView(
            pinned=pinned,
            final=final,
            base_fee=base_fee,
            usual_base_fee=self._usual_base_fee(newest, base_fee),
            head=ask_all("head", lambda chain: chain.head(log_id, pinned), pinned.hash),
            nonce=nonce,
            balance=ask_all("balance", lambda chain: chain.balance(signer, pinned), pinned.hash),
            signer_code=ask_all("account_code", lambda chain: chain.account_code(signer, pinned), pinned.hash),
            final_head=head or self._head_by_events(anchors[-1] if anchors else journal.newest_anchor),
            final_nonce=final_nonce,
            known_final_hash=self._final_block(last.number).hash if last and last.number <= pinned.number else None,
            new_anchors=anchors,
            standings=standings,
            mined=self._mined((a for a in journal.attempts if final_nonce <= a.nonce < nonce), pinned),
            notes=notes,
        )
        if self._block(pinned.number) != pinned:
            raise NotYet(what="a pin that stands until the end of the observation")
        return view

    def afresh(self) -> "Observer":
        """For each tick: this observer, with nothing heard yet."""
        return replace(self, hearing=self.new_hearing())

    def new_hearing(self) -> Hearing:
        """What hears the endpoints from now on."""
        return Hearing(self.monotonic, self.bench, self.asking)

    def admitted(self) -> "Observer":
        """For the start: this observer with the endpoints that serve the journal's chain and contract.

        Others are left out, as in each tick: one liar must not keep a relayer down that was restarted.

        Raises:
            StoreBroken, CodeMismatch: `quorum` endpoints serve another chain or other code, or so many that those
                left are no quorum, even once all of them answer.
            Undecided: fewer than `quorum` endpoints answer.
        """
        found = self._compared()
        left = len(found.same) + len(found.silent)
        if found.strangers and (len(found.strangers) >= self.quorum or left < self.quorum):
            raise found.strangers[0][1]
        return self._with(found)

    def serving(self) -> tuple["Observer", tuple[str, ...]]:
        """For each tick: this observer with the endpoints that serve our chain now, and why others do not.

        One that comes up late joins; one that was replaced, or now serves another chain, is asked nothing.

        Raises:
            StoreBroken, CodeMismatch: `quorum` endpoints serve another chain or other code, as at the start.
            Undecided: fewer than `quorum` are left.
        """
        found = self._compared()
        for name, error in found.strangers:
            self.hearing.strayed(name, ADMISSION, ("our chain and our contract", str(error)))
        if len(found.strangers) >= self.quorum:
            raise found.strangers[0][1]
        benched = [
            f"{chain.name} is left out for {self.hearing.seconds_benched(chain)} s: it contradicted the quorum"
            for chain in self.endpoints
            if self.hearing.sits(chain)
        ]
        return self._with(found), (*found.notes, *benched)

    def _compared(self) -> Compared:
        present = self.hearing.in_order(self.endpoints)
        return compared(present, self.scope, self.code_hash, self._known, self.hearing)

    def _with(self, found: Compared) -> "Observer":
        if len(found.same) < self.quorum:
            raise found.silent[0][1] if found.silent else NotYet(what=f"{self.quorum} endpoints of our chain")
        return replace(self, endpoints=tuple(found.same))

    def ask(self, read: Callable[[PublicChain], T], method: str = "question") -> T:
        """The answer that `quorum` endpoints give alike.

        Raises:
            Undecided: there is none.
        """
        return self._panel.ask(method, read)

    def pin(self) -> PublicBlock:
        """The highest public block that `quorum` endpoints have.

        Raises:
            Undecided: there is none.
        """
        number, each = self._panel.reached("latest", lambda chain: chain.latest().number)
        pinned = self._block(number)
        for name, one in each.items():
            self.hearing.reached(name, one, pinned.number)
        return pinned

    def final(self, pinned: PublicBlock) -> PublicBlock:
        """The newest public block up to `pinned` that is final.

        Raises:
            Undecided: the endpoints do not agree on one.
        """
        if self.depth is not None:
            return self._final_block(PublicBlockNumber(max(0, pinned.number - self.depth)))
        number = self.reached(lambda chain: chain.finalized().number, "finalized")
        return self._final_block(min(number, pinned.number))

    def reached(self, read: Callable[[PublicChain], PublicBlockNumber], method: str = "question") -> PublicBlockNumber:
        """The highest number that `quorum` endpoints have reached.

        Raises:
            Undecided: fewer of them answer.
        """
        return self._panel.reached(method, read)[0]

    def anchored(self, first: int, last: int) -> tuple[AnchoredEvent, ...]:
        """The log's events in this range of final public blocks; at most `EVENT_RANGE` of them in one question.

        Raises:
            Undecided: the endpoints do not agree on them.
        """
        return self._anchors_between(PublicBlockNumber(first), self._final_block(PublicBlockNumber(last)))

    @property
    def _panel(self) -> Panel:
        return Panel(self.endpoints, self.quorum, self.hearing, self._known)

    # ── parts ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _final_state(self, final: PublicBlock) -> tuple[Head | None, Nonce | None, tuple[str, ...]]:
        """Head and nonce at `final`; neither, and a note that names the endpoint, where the state is not to be had."""
        try:
            head = self._final_head(final)
            return (
                head,
                self._panel.ask_all("nonce", lambda chain: chain.nonce(self.scope.signer, final), final.hash),
                (),
            )
        except (StateForgotten, EndpointRefused) as error:
            return None, None, (str(error),)

    def _require_whole(self, journal: JournalView, anchors: tuple[AnchoredEvent, ...], head: Head | None) -> None:
        """Events become rows for ever, and are read once: their sizes rise, and the last one left the final head.

        A head that older events left is not judged by new ones: a row that is false or lacking since then would blind
        us for good.

        Raises:
            Undecided: endpoints contradict themselves, or have not indexed all events of a public block that they have.
        """
        if any(later.tree_size <= earlier.tree_size for earlier, later in pairwise(anchors)):
            raise NotYet(what="events whose sizes rise")
        if head is None or _left(anchors[-1] if anchors else journal.newest_anchor, head):
            return
        last, before = journal.final_header, None
        if not anchors and last is not None:
            with suppress(Undecided):  # a state that is forgotten, mostly
                before = self._final_head(self._final_block(last.number))
        if anchors or (before is not None and before.tree_size != head.tree_size):
            raise NotYet(what="all events up to the final head")

    def _used(
        self, journal: JournalView, final: PublicBlock, nonce: Nonce | None
    ) -> tuple[Nonce, dict[TxHash, Standing]]:
        """How many nonces are used for good, and where our attempts with these stand.

        Without the state at `final`, receipts prove it: the nonces below one that is used are used too. A nonce used by
        another wallet then waits for one of ours above it, or for a final state that is kept.
        """
        if nonce is None and self.is_proven:
            return Nonce(0), {}
        if nonce is not None:
            used = (a for a in journal.attempts if a.nonce < nonce)
            return nonce, {a.hash: found for a in used if (found := self._standing(a, final)) is not None}
        standings = {a.hash: found for a in journal.attempts if (found := self._standing_yet(a, final)) is not None}
        return max((Nonce(a.nonce + 1) for a in journal.attempts if a.hash in standings), default=Nonce(0)), standings

    def _head_by_events(self, newest: AnchoredEvent | None) -> Head:
        """Where states are proven, none: whoever feigns to have forgotten one could forge the event for it."""
        return NO_HEAD if self.is_proven else _head_by(newest)

    def _final_head(self, final: PublicBlock) -> Head:
        """The head at `final`; an unknown log while the contract is too young to be final."""
        try:
            return self._panel.ask_all("head", lambda chain: chain.head(self.scope.log_id, final), final.hash)
        except (StateForgotten, EndpointRefused):
            raise
        except Undecided:
            if self._panel.ask("code_hash", lambda chain: chain.code_hash(final.hash)) != EMPTY_CODE:
                raise
            return NO_HEAD

    def _block(self, number: PublicBlockNumber) -> PublicBlock:
        return self._panel.ask("block", lambda chain: chain.block(number))

    def _final_block(self, number: PublicBlockNumber) -> PublicBlock:
        """One that is final: another hash there is a lie, not another branch."""
        return self._panel.ask_all("block", lambda chain: chain.block(number))

    def _anchors(self, first: int, final: PublicBlock) -> tuple[PublicBlock, tuple[AnchoredEvent, ...]]:
        """The events from `first` on, and the public block up to which they are complete: `final`, or an earlier one.

        One tick reads a bounded stretch; the header of the public block where it ends makes the progress durable.
        """
        found: list[AnchoredEvent] = []
        end = final
        for start in range(first, final.number + 1, EVENT_RANGE)[:MAX_RANGES]:
            last = PublicBlockNumber(min(start + EVENT_RANGE - 1, final.number))
            try:
                block = final if last == final.number else self._final_block(last)
                found += self._anchors_between(PublicBlockNumber(start), block)
            except Undecided:
                if start == first:
                    raise
                break  # what came before is not lost
            end = block
            if len(found) >= MAX_EVENTS:
                break
        return end, tuple(found)

    def _anchors_between(self, first: PublicBlockNumber, last: PublicBlock) -> tuple[AnchoredEvent, ...]:
        read = _seen(last, lambda chain: tuple(chain.anchored(self.scope.log_id, first, last.number)))
        return self._panel.ask_all("anchored", read, last.hash)

    def _standing(self, attempt: AttemptRow, final: PublicBlock) -> Standing | None:
        """Where an attempt stands whose nonce is used for good; None: other bytes used it."""
        standing = self._panel.ask_all("receipt_status", _seen(final, partial(_standing_at, attempt.hash)), final.hash)
        if standing is None:
            return None
        if not self._is_final(standing.block, final):
            raise NotYet(what="a receipt in a final public block")
        return standing if standing.is_success else replace(standing, log_state=self._log_state(standing.block))

    def _mined(self, attempts: Iterable[AttemptRow], pinned: PublicBlock) -> dict[TxHash, Standing]:
        """Where attempts stand that are mined and not final. History: what no quorum says now is left out."""
        found: dict[TxHash, Standing] = {}
        for attempt in attempts:
            with suppress(Undecided):
                read = _seen(pinned, partial(_standing_at, attempt.hash))
                standing = self._panel.ask("receipt_status", read)
                if standing is not None:
                    found[attempt.hash] = standing
        return found

    def _log_state(self, block: PublicBlock) -> str | None:
        """Whether a revert is the brake's doing; None where nobody knows any more."""
        try:
            return self._panel.ask("head", lambda chain: chain.head(self.scope.log_id, block)).state
        except (StateForgotten, EndpointRefused):
            return None

    def _standing_yet(self, attempt: AttemptRow, final: PublicBlock) -> Standing | None:
        """Where an attempt stands, if it does so for good."""
        standing = self._panel.ask("receipt_status", _seen(final, partial(_standing_at, attempt.hash)))
        return standing if standing is not None and self._is_final(standing.block, final) else None

    def _is_final(self, block: PublicBlock, final: PublicBlock) -> bool:
        return block.number <= final.number and self._block(block.number).hash == block.hash

    def _usual_base_fee(self, final: PublicBlock, base_fee: Wei) -> Wei:
        """The median over every hundredth of the last 1,000 final public blocks, and the pinned one."""
        newest = final.number // USUAL_STEP * USUAL_STEP
        numbers = [PublicBlockNumber(n) for n in range(newest, max(0, newest - USUAL_SPAN), -USUAL_STEP)]
        for old in self._base_fees.keys() - set(numbers):
            del self._base_fees[old]
        for number in numbers:
            if number not in self._base_fees:
                self._base_fees[number] = self._base_fee_at(number)
        return median_low([base_fee, *(self._base_fees[number] for number in numbers)])

    def _base_fee_at(self, number: PublicBlockNumber) -> Wei:
        return self._panel.ask("base_fee", lambda chain: chain.base_fee(chain.block(number)))


def _seen(block: PublicBlock, read: Callable[[PublicChain], T]) -> Callable[[PublicChain], T]:
    """The read, of an endpoint that has this public block.

    Events and receipts are not asked by hash. An honest endpoint that lags says "nothing" of what it has not seen, and
    would lend its voice to one that lies.
    """

    def of_who_has_it(chain: PublicChain) -> T:
        if chain.block(block.number) != block:
            raise NotYet(what=f"public block {block.number} on the canonical chain")
        return read(chain)

    return of_who_has_it


def _standing_at(tx: TxHash, chain: PublicChain) -> Standing | None:
    """Where an endpoint says that it stands."""
    status = chain.receipt_status(tx)
    return None if status is None else Standing(*status)


def _behind(read: PublicBlock, final: PublicBlock) -> str:
    return f"events are read up to public block {read.number}; final is {final.number}"


def _left(anchor: AnchoredEvent | None, head: Head) -> bool:
    """Whether the log's head is as this event, its newest, left it."""
    if anchor is None:
        return head.tree_size <= 1
    return (anchor.tree_size, anchor.root) == (head.tree_size, head.root)


def _head_by(anchor: AnchoredEvent | None) -> Head:
    """The head as the newest event leaves it. Without one nothing is proven: registered or not, it is at size 1."""
    if anchor is None:
        return NO_HEAD
    return replace(
        NO_HEAD,
        tree_size=anchor.tree_size,
        root=anchor.root,
        timestamp=anchor.timestamp,
        anchored_at=anchor.block.time,
        set_id=anchor.set_id,
        state="active",
    )
