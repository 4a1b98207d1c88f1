"""Service Log: checkpoints, for relayers and outsiders as well as members."""

from hybrid_bridge.adapters.sqlite.epochs import SizedSignature
from hybrid_bridge.errors import NotYet
from hybrid_bridge.node.receipts import sign_receipt
from hybrid_bridge.node.view import View
from hybrid_bridge.rpc.service import Call, Caller, Method, Service
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.rpc.v1 import bridge_pb2_grpc as stubs
from hybrid_bridge.units import TreeSize


class LogService:
    """Thin: look, answer."""

    def __init__(self, view: View) -> None:
        self._view = view

    def service(self) -> Service:
        """For the server; every certificate of the consortium may ask."""
        methods: dict[str, Method] = {
            "Newest": self.newest,
            "Attestation": self.attestation,
            "Consistency": self.consistency,
            "Checkpoint": self.checkpoint,
            "Receipt": self.receipt,
        }
        return Service("hybrid_bridge.v1.Log", stubs.add_LogServicer_to_server, methods, _anybody)

    def newest(self, _request: pb.NewestRequest, _call: Call) -> pb.NewestResponse:
        """The newest sizes that we attested, and can show a quorum for."""
        progress = self._view.progress
        return pb.NewestResponse(attested_size=progress.attested, quorum_size=progress.quorum)

    def attestation(self, request: pb.AttestationRequest, _call: Call) -> pb.AttestationResponse:
        """Our own signature over one checkpoint.

        Raises:
            NotYet: we have not signed it.
        """
        signed = self._own(TreeSize(request.size))
        return pb.AttestationResponse(root=signed.root, signature=signed.signature)

    def consistency(self, request: pb.ConsistencyRequest, _call: Call) -> pb.ConsistencyResponse:
        """The path between two sizes.

        Raises:
            NotYet: the newer is not closed here.
            SizeOrder: the sizes are none.
        """
        path = self._view.logbook.consistency_path(TreeSize(request.old_size), TreeSize(request.new_size))
        return pb.ConsistencyResponse(path=path)

    def checkpoint(self, request: pb.CheckpointRequest, _call: Call) -> pb.CheckpointResponse:
        """A quorum note, and the path from an older size if one is named.

        Raises:
            NotYet: no quorum for it here.
        """
        size = TreeSize(request.size or self._view.progress.quorum)
        if size < 2:
            raise NotYet(what="a checkpoint with a quorum")
        logbook = self._view.logbook
        path = logbook.consistency_path(TreeSize(request.old_size), size) if request.old_size else []
        return pb.CheckpointResponse(size=size, note=logbook.note(size), path=path)

    def receipt(self, request: pb.ReceiptRequest, _call: Call) -> pb.ReceiptResponse:
        """The receipt key's word over the root of a checkpoint with a quorum.

        Raises:
            Unknown: this member does not hold that key.
            NotYet: no quorum for it here, or this member has halted.
        """
        return pb.ReceiptResponse(signature=sign_receipt(self._view, TreeSize(request.size)))

    def _own(self, size: TreeSize) -> SizedSignature:
        address = self._view.directory.attester(self._view.name, size)
        found = [] if address is None else self._view.epochs.attested(address, TreeSize(max(size - 1, 0)), limit=1)
        if not found or found[0].size != size:
            raise NotYet(what=f"our attestation of size {size}")
        return found[0]


def _anybody(_caller: Caller) -> bool:
    return True
