"""Where a signed transaction goes: into the pool at the sequencer, over to the sequencer from everywhere else."""

from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLate
from typing import Final, Protocol

from hybrid_bridge.adapters.grpc_member.peer import GrpcPeer
from hybrid_bridge.core.transaction import SignedTransaction
from hybrid_bridge.errors import BridgeError, Unreachable
from hybrid_bridge.node.ordering import Ordered, Orderer
from hybrid_bridge.rpc.faults import pack
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.steps.commit import stateless_check
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
            stateless_check(transaction, self._log_id)
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


class ToSequencer:
    """This node forwards."""

    def __init__(self, sequencer: GrpcPeer) -> None:
        self._sequencer = sequencer

    def submit(self, signed: Sequence[bytes]) -> list[pb.SubmitResult]:
        """See `Submitter`."""
        return list(self._sequencer.submit(signed).results)


def faulty(error: BridgeError) -> pb.SubmitResult:
    """A result that says why not."""
    name, fields = pack(error)
    return pb.SubmitResult(fault=pb.Fault(name=name, fields=fields))
