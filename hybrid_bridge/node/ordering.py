"""The sequencer's part of step 2: take what waits, order it, commit it once, wake all who waited.

One thread makes blocks. It takes whatever waits (bounded in number and bytes, no timer), from each submitter in turn
(`sharing`), so that one commit serves many; an idle sequencer commits at once, or once in each slot of the clock
(`pacing`). At each epoch's end it makes a block even if nothing waits (SPEC §7.2).
"""

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final

from hybrid_bridge.core.epoch import epoch_of
from hybrid_bridge.core.ledger_state import Overlay
from hybrid_bridge.core.transaction import SignedTransaction
from hybrid_bridge.errors import BridgeError, NotYet, RuleRejected, StoreAway
from hybrid_bridge.node.pacing import Pace
from hybrid_bridge.node.promises import promised
from hybrid_bridge.node.sharing import Pool, require_admitted, shares_of, spent
from hybrid_bridge.node.stores import OUR_OWN
from hybrid_bridge.node.view import View
from hybrid_bridge.steps.commit import Rules, preview
from hybrid_bridge.units import EpochNumber, Height, KeyId, Seconds, UnixSeconds

ON_DEMAND: Final = Seconds(0)  # a block whenever something waits
MAX_TRANSACTIONS: Final = 1_000  # in one block
MAX_BYTES: Final = 2 << 20  # of transactions in one block; a block fits one message between members
LONGEST_NAP: Final = 1.0  # seconds; a clock that jumps is noticed

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ordered:
    """What a submitter gets: where the transaction stands, what became of it, the promise that it will be public."""

    height: Height
    code: int
    promise: bytes  # 219; empty for a governance record or a beacon, which have no entry
    refusal: RuleRejected | None  # why it stands refused


@dataclass(frozen=True, slots=True)
class _Waiting:
    signed: SignedTransaction
    length: int
    result: "Future[Ordered]" = field(default_factory=Future)


class Orderer:
    """The pool and the thread that empties it."""

    def __init__(self, view: View, precise_now: Callable[[], float], slot: Seconds = ON_DEMAND) -> None:
        self._view = view
        self._chain, self._ledger, self._genesis = view.chain, view.ledger, view.directory.genesis
        self._pace = Pace(self._genesis, slot)
        self._identity, self._brake, self._now = view.keys.identity, view.brake, precise_now
        self._pool: Pool[_Waiting] = Pool()
        self._known = frozenset(key.key_id for key in view.directory.identities.values())
        self._shares = shares_of(view)
        self._changed = threading.Condition()
        self._stopping = False

    @property
    def rules(self) -> Rules:
        """By which it orders."""
        return self._chain.rules

    def submit(self, signed: SignedTransaction, limit: int) -> "Future[Ordered]":
        """Queue a transaction; the future ends when it stands in a durable block, or cannot.

        Raises:
            NotYet: `limit` transactions wait already.
            Throttled: its submitter has its part of them.
            RuleRejected: its submitter is a stranger.
        """
        submitter = signed.body.submitter
        self._require_admitted(submitter)
        waiting = _Waiting(signed, len(signed.encode()))
        with self._changed:
            if len(self._pool) >= limit or self._stopping:
                raise NotYet(what="room at the sequencer")
            self._pool.put(submitter, waiting, waiting.length, max(1, limit // len(self._view.directory.members)))
            self._changed.notify()
        return waiting.result

    def _require_admitted(self, submitter: KeyId) -> None:
        """Of those we do not know from the beginning the ledger decides, before they take a place."""
        if submitter not in self._known:
            tip = self._chain.tip
            with self._ledger.state() as state:
                require_admitted(state, submitter, EpochNumber(0) if tip is None else tip.epoch)

    def run(self, interval: float) -> None:
        """Make blocks until stopped; at least `interval` seconds between two, for the members' sake."""
        while self._await_work():
            if self._brake.reason:
                self._refuse_waiting("a sequencer that signs: it was halted")
            else:
                self.make_block()
            with self._changed:
                self._changed.wait_for(lambda: self._stopping, timeout=interval)
        self._refuse_waiting("a sequencer that runs: it is stopping")

    def stop(self) -> None:
        """End `run`."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def make_block(self) -> None:
        """One block of what waits, perhaps of nothing; one commit.

        Raises:
            StoreAway: who waited is told; the pool is asked for the next block once the store is back.
        """
        taken = self._taken()
        time = self._block_time()
        admitted: Sequence[_Waiting] = taken
        try:
            admitted = self._admitted(taken, time)
            header, outcome = self._chain.order(time, [waiting.signed for waiting in admitted], self._identity)
        except BridgeError as error:
            _log.error("no block: %s", error)
            for waiting in admitted:
                if not waiting.result.done():
                    waiting.result.set_exception(error)
            if isinstance(error, StoreAway):
                raise
            return
        self._shares.use(spent(outcome.transactions))
        for waiting, transaction in zip(admitted, outcome.transactions, strict=True):
            promise = promised(self._view, waiting.signed, header.time, header.epoch)
            refusal = RuleRejected(rule=transaction.rule, subject=transaction.subject) if transaction.code else None
            waiting.result.set_result(Ordered(header.height, transaction.code, promise, refusal))

    def _refuse_waiting(self, why: str) -> None:
        with self._changed:
            left = self._pool.drain()
        for waiting in left:
            waiting.result.set_exception(NotYet(what=why))

    def _await_work(self) -> bool:
        """Wait until a block is due; False when stopped."""
        with self._changed:
            while not self._stopping:
                left = self._due() - self._now()
                if left <= 0 or (self._pool and self._may()):
                    return True
                self._changed.wait(min(left, LONGEST_NAP))
        return False

    def _due(self) -> UnixSeconds:
        """When the next block must stand although nothing waits."""
        tip = self._chain.tip
        return self._genesis.genesis_time if tip is None else self._pace.due(tip.time)

    def _may(self) -> bool:
        """Whether what waits may have its block now."""
        tip = self._chain.tip
        return self._now() >= self._genesis.genesis_time and (tip is None or self._pace.may(tip.time, self._now()))

    def _block_time(self) -> UnixSeconds:
        """Our clock, never falling; the first block stands at the genesis time, whenever it is made."""
        tip = self._chain.tip
        now = UnixSeconds(int(self._now()))
        return self._genesis.genesis_time if tip is None else self._pace.time(tip.time, now)

    def _taken(self) -> list[_Waiting]:
        with self._changed:
            return self._pool.take(MAX_TRANSACTIONS, MAX_BYTES)

    def _admitted(self, taken: Sequence[_Waiting], time: UnixSeconds) -> list[_Waiting]:
        """Those that may stand in this block, each tried on top of those before it; the others hear why.

        What a business rule refuses stands too, refused on the record; a stranger, or an entry sent twice, does not.
        """
        admitted: list[_Waiting] = []
        self._shares.begin(epoch_of(self._genesis, time))
        shares = self._shares.copy()
        with self._ledger.state() as state:
            view = Overlay(state)
            for waiting in taken:
                try:
                    after, outcome = preview(view, self._chain.rules, waiting.signed, time)
                    if outcome.is_turned_away:
                        raise RuleRejected(rule=outcome.rule, subject=outcome.subject)
                    shares.require(spent([outcome]))
                except OUR_OWN:
                    raise
                except BridgeError as error:
                    waiting.result.set_exception(error)
                    continue
                view.absorb(after)
                shares.use(spent([outcome]))
                admitted.append(waiting)
        return admitted
