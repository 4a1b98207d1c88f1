"""A member's node as an auditor sees it: checkpoints with their quorum, and what each epoch added to the registry."""

from collections.abc import Iterator
from types import TracebackType
from typing import Final, Self

import grpc

from hybrid_bridge.rpc.channel import ClientTls, Line
from hybrid_bridge.rpc.renewing import TlsSource, channel_to
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.rpc.v1 import bridge_pb2_grpc as stubs
from hybrid_bridge.units import EpochNumber, TreeSize

PATIENCE: Final = 60.0  # seconds for one stream of deltas


class GrpcAudited:
    """A member under audit. Its answers are bytes; whoever asks verifies them."""

    def __init__(self, name: str, channel: grpc.Channel) -> None:
        self._channel, self._line = channel, Line(name, 20.0)
        self._stub = stubs.AuditStub(channel)

    @classmethod
    def at(cls, name: str, endpoint: str, tls: ClientTls | TlsSource) -> Self:
        """The member `name` at `host:port`; `tls` holds an auditor's, a member's or its owner's certificate."""
        return cls(name, channel_to(endpoint, name, tls))

    def checkpoint(self, size: TreeSize) -> bytes:
        """A bundle of one checkpoint (0: the newest with a quorum), without anchors."""
        answer: pb.BundleResponse = self._line.ask(self._stub.Checkpoint, pb.CheckpointRequest(size=size))
        return answer.bundle

    def deltas(self, first: EpochNumber, last: EpochNumber) -> Iterator[pb.DeltaMessage]:
        """Some epochs from `first` on, in order: record and delta."""
        return self._line.stream(self._stub.Deltas, pb.EpochsRequest(first=first, last=last), PATIENCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._channel.close()
