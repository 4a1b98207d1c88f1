"""Service Audit: what shows that the registry only grew. For auditors; members and this node's owner may ask too.

A delta is padded and its pairs are hidden: who replays them learns how many rungs an epoch filled, and nothing else.
"""

import logging
from collections.abc import Iterator
from typing import Final

from hybrid_bridge.core.encoding import ZERO
from hybrid_bridge.core.epoch import EpochRecord
from hybrid_bridge.core.registry import GENESIS_EPOCH, Delta
from hybrid_bridge.node.bundling import BundleOrder, Bundler
from hybrid_bridge.node.logbook import split_pairs
from hybrid_bridge.node.view import View
from hybrid_bridge.rpc.service import Call, Caller, Method, Service
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.rpc.v1 import bridge_pb2_grpc as stubs
from hybrid_bridge.units import Digest, EpochNumber, TreeSize

MAX_EPOCHS: Final = 256  # in one stream

_log = logging.getLogger(__name__)


class AuditService:
    """Thin: look, answer."""

    def __init__(self, view: View, bundler: Bundler) -> None:
        self._view, self._bundler = view, bundler

    def service(self) -> Service:
        """For the server."""
        methods: dict[str, Method] = {"Checkpoint": self.checkpoint, "Deltas": self.deltas}
        return Service("hybrid_bridge.v1.Audit", stubs.add_AuditServicer_to_server, methods, self._entitled)

    def checkpoint(self, request: pb.CheckpointRequest, _call: Call) -> pb.BundleResponse:
        """A checkpoint with its quorum and the validators' names, as a bundle without anchors.

        Raises:
            NotYet: no quorum for that size here.
        """
        order = BundleOrder(
            purpose="checkpoint",
            records=(),
            labels=(),
            size=TreeSize(request.size),
            label_epoch=EpochNumber(0),
        )
        return pb.BundleResponse(bundle=self._bundler.bundle(order).encode())

    def deltas(self, request: pb.EpochsRequest, call: Call) -> Iterator[pb.DeltaMessage]:
        """Closed epochs with what they added to the registry; epoch 0 is the founding."""
        last = min(request.last, request.first + MAX_EPOCHS - 1)
        _log.info("deltas %d to %d for %s %s", request.first, last, call.caller.role, call.caller.name)
        root = ZERO if request.first == GENESIS_EPOCH else self._root(EpochNumber(request.first - 1))
        for closed in self._view.epochs.epochs(EpochNumber(request.first), EpochNumber(last)):
            old, root = root, self._root_of(closed.number, closed.record)
            delta = Delta(
                log_id=self._view.directory.log_id,
                epoch=closed.number,
                old_root=old,
                new_root=root,
                pairs=tuple(split_pairs(closed.pairs)),
            )
            yield pb.DeltaMessage(record=closed.record, delta=delta.encode())

    def _root(self, epoch: EpochNumber) -> Digest:
        return self._root_of(epoch, self._view.logbook.closed(epoch).record)

    def _root_of(self, epoch: EpochNumber, record: bytes) -> Digest:
        genesis = self._view.directory.genesis
        return genesis.registry_root if epoch == GENESIS_EPOCH else EpochRecord.decode(record).registry_root

    def _entitled(self, caller: Caller) -> bool:
        if caller.role == "owner":
            return caller.name == self._view.name
        return caller.role == "auditor" or (caller.role == "member" and self._view.directory.lets_in(caller.name))
