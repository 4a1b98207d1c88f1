"""Where a signed transaction goes: into the pool at the sequencer, over to the sequencer from everywhere else.

With a consensus engine: into the pool of a validator's own, over to any validator from everywhere else.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLate
from typing import Final, Protocol

from hybrid_bridge.adapters.cometbft.rpc import EngineRpc
from hybrid_bridge.core.block import ACCEPTED
from hybrid_bridge.core.transaction import SignedTransaction
from hybrid_bridge.errors import BridgeError, Broken, NotYet, SequenceRejected, Unreachable
from hybrid_bridge.node.ordering import Ordered, Orderer
from hybrid_bridge.node.promises import promised
from hybrid_bridge.node.view import View
from hybrid_bridge.node.waiting import require_ours, require_waits
from hybrid_bridge.rpc.faults import pack
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.units import LogId

PATIENCE: Final = 12.0  # seconds until a transaction must stand in a block; below the caller's deadline


class Submitter(Protocol):
    """Takes signed transactions, answers when they stand in a durable block."""

    def submit(self, signed: Sequence[bytes]) -> list[pb.SubmitResult]:
        """One result each, in order: a promise, or the fault."""


class AtSequencer:
    """This node orders: cheap checks here, in the caller's thread; the rest by the orderer."""

    def __init__(self, orderer: Orderer, log_id: LogId, limit: int) -> None:
        self._orderer, self._log_id, self._limit = orderer, log_id, limit

    def submit(self, signed: Sequence[bytes]) -> list[pb.SubmitResult]:
        """See `Submitter`."""
        queued = [self._queue(data) for data in signed]
        return [self._result(waiting) for waiting in queued]

    def _queue(self, data: bytes) -> "Future[Ordered] | BridgeError":
        try:
            transaction = SignedTransaction.decode(data)
            self._orderer.rules.check(transaction, self._log_id)
            return self._orderer.submit(transaction, self._limit)
        except BridgeError as error:
            return error

    def _result(self, waiting: "Future[Ordered] | BridgeError") -> pb.SubmitResult:
        if isinstance(waiting, BridgeError):
            return faulty(waiting)
        try:
            ordered = waiting.result(PATIENCE)
        except BridgeError as error:
            return faulty(error)
        except TooLate:
            return faulty(Unreachable(endpoint="sequencer", call="Submit"))
        fault = None if ordered.refusal is None else faulty(ordered.refusal).fault
        return pb.SubmitResult(promise=ordered.promise, height=ordered.height, code=ordered.code, fault=fault)


class Forwarding(Protocol):
    """`GrpcPeer`, as far as it is needed here."""

    def submit(self, signed: Sequence[bytes]) -> pb.SubmitResponse:
        """Raises `Unreachable`."""


class ToOthers:
    """This node forwards, to the first of these that can be reached. Nobody but a validator can promise (SPEC §5)."""

    def __init__(self, others: Callable[[], Sequence[Forwarding]]) -> None:
        """`others`: as they are at each call; a peer whose endpoint changed is another object."""
        self._others = others

    def submit(self, signed: Sequence[bytes]) -> list[pb.SubmitResult]:
        """See `Submitter`.

        Raises:
            Unreachable: all of them.
        """
        unreached = Unreachable(endpoint="validators", call="Submit")
        for other in self._others():
            try:
                return list(other.submit(signed).results)
            except (
                Unreachable
            ) as error:  # it may have them all the same: the same bytes again are no second transaction
                unreached = error
        raise unreached


class OrOthers:
    """Of our own people's: here while this member orders, over to those who do before and afterwards.

    What peers send is not forwarded: two that believe one another in charge would send it to and fro.
    """

    def __init__(self, own: Submitter, others: Submitter) -> None:
        self._own, self._others = own, others

    def submit(self, signed: Sequence[bytes]) -> list[pb.SubmitResult]:
        """See `Submitter`.

        Raises:
            Unreachable: nobody that orders can be reached.
        """
        try:
            return self._own.submit(signed)
        except Unreachable:
            return self._others.submit(signed)


def faulty(error: BridgeError) -> pb.SubmitResult:
    """A result that says why not."""
    name, fields = pack(error)
    return pb.SubmitResult(fault=pb.Fault(name=name, fields=fields))


class AtEngine:
    """A validator with a consensus engine: into its pool, and out of it when a decided block is durable here."""

    def __init__(self, view: View, engine: EngineRpc) -> None:
        self._view, self._engine = view, engine

    def submit(self, signed: Sequence[bytes]) -> list[pb.SubmitResult]:
        """See `Submitter`.

        Raises:
            Unreachable: we are no validator now, or were none when it came to stand; another one is asked.
        """
        tip = self._view.chain.tip
        if not self._view.directory.orders(self._view.keys.identity.public.key_id, 0 if tip is None else tip.epoch):
            raise Unreachable(endpoint=self._view.name, call="Submit")
        end = time.monotonic() + PATIENCE
        offered: list[SignedTransaction | BridgeError] = []
        for data in signed:
            offered.append(self._offer_in_turn(data, end, after=bool(offered)))
        return [faulty(item) if isinstance(item, BridgeError) else self._result(item, end) for item in offered]

    def _offer_in_turn(self, data: bytes, end: float, *, after: bool) -> SignedTransaction | BridgeError:
        """After others of the same call a number may be too far ahead only until they stand in a block."""
        while True:
            tip = self._view.progress.tip
            found = self._offer(data)
            if not after or not isinstance(found, SequenceRejected) or found.got <= found.expected:
                return found
            if not self._view.progress.wait_above("tip", tip, end - time.monotonic()):
                return found

    def _offer(self, data: bytes) -> SignedTransaction | BridgeError:
        """Refused here by the same rules as at the engine's door, but with the reason."""
        try:
            if self._view.brake.reason:
                raise Broken
            transaction = SignedTransaction.decode(data)
            require_ours(self._view, transaction)
            if self._view.ledger.standing(transaction.body.transaction_id) is None:
                with self._view.ledger.state() as state:
                    require_waits(self._view, state, transaction)
                if code := self._engine.broadcast(data):
                    raise NotYet(what=f"the engine's pool: code {code}")
        except BridgeError as error:
            return error
        return transaction

    def _result(self, transaction: SignedTransaction, end: float) -> pb.SubmitResult:
        view, transaction_id = self._view, transaction.body.transaction_id
        view.progress.wait(lambda: view.ledger.standing(transaction_id) is not None, max(0.0, end - time.monotonic()))
        standing = view.ledger.standing(transaction_id)
        header = None if standing is None else view.ledger.header(standing.height)
        if standing is None or header is None:
            return faulty(Unreachable(endpoint="engine", call="Submit"))
        promise = promised(view, transaction, header.time, header.epoch)
        code = standing.code
        fault = None if code == ACCEPTED else faulty(view.chain.refusal(transaction_id, code)).fault
        return pb.SubmitResult(promise=promise, height=standing.height, code=code, fault=fault)
