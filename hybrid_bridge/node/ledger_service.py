"""Service Ledger: transactions in; blocks, epochs and standings out. For members and this node's owner."""

import logging
from collections.abc import Iterator
from typing import Final

from hybrid_bridge.core import vrf
from hybrid_bridge.core.encoding import require_digest
from hybrid_bridge.core.entry import RefusalEntry
from hybrid_bridge.core.epoch import epoch_of
from hybrid_bridge.core.labels import Label, alpha
from hybrid_bridge.core.promise import SignedPromise
from hybrid_bridge.core.transaction import RecordPayload, SignedTransaction
from hybrid_bridge.errors import NotYet, TooLong
from hybrid_bridge.node.bundling import BundleOrder, Bundler
from hybrid_bridge.node.log_keys import holders
from hybrid_bridge.node.submitting import Submitter
from hybrid_bridge.node.view import View
from hybrid_bridge.rpc.service import Call, Caller, Method, Service
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.rpc.v1 import bridge_pb2_grpc as stubs
from hybrid_bridge.units import EpochNumber, Height, RegistryIndex, TransactionId, TreeSize

MAX_SUBMITTED: Final = 100  # transactions in one call
MAX_PROVEN: Final = 256  # indices in one call: what a bundle holds of one epoch
MAX_EPOCHS: Final = 256  # in one stream
REGISTERED_COSTS: Final = 4  # reads: a VRF proof is made
PROOF_COSTS: Final = 20  # reads: a bundle is made
NAP: Final = 5.0  # seconds between looks whether a silent follower is still there

_log = logging.getLogger(__name__)


class LedgerService:
    """Thin: parse, look, answer."""

    def __init__(self, view: View, submitter: Submitter, bundler: Bundler) -> None:
        self._view, self._submitter, self._bundler = view, submitter, bundler

    def service(self) -> Service:
        """For the server: members, and the people of this one."""
        methods: dict[str, Method] = {
            "Submit": self.submit,
            "Status": self.status,
            "Transaction": self.transaction,
            "Blocks": self.blocks,
            "Epochs": self.epochs,
            "Registered": self.registered,
            "Prove": self.prove,
        }
        kinds = {"Submit": "submit"}
        return Service("hybrid_bridge.v1.Ledger", stubs.add_LedgerServicer_to_server, methods, self._entitled, kinds)

    def submit(self, request: pb.SubmitRequest, call: Call) -> pb.SubmitResponse:
        """Offer signed transactions; one result each, in order: a promise, or the fault."""
        if len(request.signed) > MAX_SUBMITTED:
            raise TooLong(field="signed", limit=MAX_SUBMITTED, got=len(request.signed))
        call.charge(len(request.signed) - 1)
        return pb.SubmitResponse(results=self._submitter.submit(list(request.signed)))

    def status(self, _request: pb.StatusRequest, _call: Call) -> pb.StatusResponse:
        """How far this node is."""
        view, progress = self._view, self._view.progress
        now, genesis = view.clock.now(), view.directory.genesis
        return pb.StatusResponse(
            name=view.name,
            log_id=genesis.log_id,
            height=progress.tip,
            final_height=progress.final,
            epoch=epoch_of(genesis, now) if now >= genesis.genesis_time else 0,
            size=progress.size,
            attested_size=progress.attested,
            quorum_size=progress.quorum,
            halted=view.brake.reason,
            undelivered=view.records.undelivered(),
            log_holders=sorted(holders(view)),
        )

    def transaction(self, request: pb.TransactionRequest, _call: Call) -> pb.TransactionResponse:
        """Where a transaction stands.

        Raises:
            NotYet: it does not stand here.
        """
        transaction_id = TransactionId(require_digest(request.transaction_id, "transaction_id"))
        standing = self._view.ledger.standing(transaction_id)
        header = None if standing is None else self._view.ledger.header(standing.height)
        if standing is None or header is None:
            raise NotYet(what="the transaction in a block here")
        body = SignedTransaction.decode(self._view.ledger.signed(standing)).body
        refused = RefusalEntry(transaction_id).encode() if standing.code else b""
        return pb.TransactionResponse(
            height=standing.height,
            epoch=header.epoch,
            code=standing.code,
            final=standing.height <= self._view.progress.final,
            entry=refused or (body.payload.entry if isinstance(body.payload, RecordPayload) else b""),
            closed=header.epoch < self._view.progress.size,
        )

    def blocks(self, request: pb.BlocksRequest, call: Call) -> Iterator[pb.BlockMessage]:
        """Blocks in order; a follower gets those to come until its deadline."""
        progress, height = self._view.progress, Height(request.first_height)
        while call.active() and not progress.stopping:
            stored = self._view.ledger.blocks(height)
            for block in stored:
                yield pb.BlockMessage(block=block.data, order=block.sealed)
            height = Height(height + len(stored))
            if not stored:
                if not request.follow:
                    return
                progress.wait(lambda: progress.tip >= height or not call.active(), NAP)  # noqa: B023 read at once

    def epochs(self, request: pb.EpochsRequest, _call: Call) -> Iterator[pb.EpochMessage]:
        """Closed epochs with their batches and what they added to the registry."""
        last = min(request.last, request.first + MAX_EPOCHS - 1)
        for epoch in self._view.epochs.epochs(EpochNumber(request.first), EpochNumber(last)):
            yield pb.EpochMessage(record=epoch.record, entries=epoch.entries, pairs=epoch.pairs)

    def registered(self, request: pb.RegisteredRequest, call: Call) -> pb.RegisteredResponse:
        """Whether a label stands in the registry after the newest closed epoch, with the VRF proof of its index."""
        call.charge(REGISTERED_COSTS)
        view, seed = self._view, self._view.keys.vrf
        label = Label.decode(request.label)
        proof = vrf.prove(seed, alpha(view.directory.log_id, label, request.version))
        index = vrf.index_of(vrf.proof_output(proof))
        epoch = EpochNumber(view.logbook.size - 1)
        _log.info("registry asked by %s %s: type %d", call.caller.role, call.caller.name, label.type)
        present = view.logbook.registry(epoch).get(index) is not None
        return pb.RegisteredResponse(index=index, proof=proof, epoch=epoch, present=present)

    def prove(self, request: pb.ProveRequest, call: Call) -> pb.BundleResponse:
        """What our log shows of these indices, or of the window of somebody's promise; no label, no document.

        Raises:
            TooLong: more than one bundle is to hold.
            Malformed: an index or a promise that is none.
            NotYet, NotOmitted: as `Bundler.bundle`.
        """
        if len(request.indices) > MAX_PROVEN:
            raise TooLong(field="indices", limit=MAX_PROVEN, got=len(request.indices))
        call.charge(PROOF_COSTS)
        promise = SignedPromise.decode(request.promise) if request.promise else None
        order = BundleOrder(
            purpose="registry" if promise is None else "omission",
            records=(),
            labels=(),
            size=TreeSize(request.size),
            label_epoch=EpochNumber(0),
            promise=promise,
            indices=tuple(RegistryIndex(require_digest(index, "index")) for index in request.indices),
        )
        _log.info("proof asked by %s %s: %d indices", call.caller.role, call.caller.name, len(order.indices))
        return pb.BundleResponse(bundle=self._bundler.bundle(order).encode())

    def _entitled(self, caller: Caller) -> bool:
        if caller.role == "owner":
            return caller.name == self._view.name
        return caller.role == "member" and self._view.directory.lets_in(caller.name)
