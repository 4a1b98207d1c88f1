"""A member's log: attestations, consistency paths, checkpoint notes. What a relayer or an outsider asks for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import grpc

from hybrid_bridge.core.proof import as_digest
from hybrid_bridge.core.signing import require_signature
from hybrid_bridge.errors import AnswerMalformed, Malformed
from hybrid_bridge.ports import ConsortiumMember
from hybrid_bridge.rpc.channel import ClientTls, Line
from hybrid_bridge.rpc.renewing import TlsSource, channel_to
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.rpc.v1 import bridge_pb2_grpc as stubs
from hybrid_bridge.units import Digest, EcdsaSignature, TreeSize


@dataclass(frozen=True, slots=True)
class NotedCheckpoint:
    """A checkpoint note as a member serves it, unverified, and the path from the size that was asked."""

    size: TreeSize
    note: str
    path: tuple[Digest, ...]


class GrpcMember:
    """A member's node as relayers and outsiders see it. Constructed without connecting."""

    def __init__(self, name: str, channel: grpc.Channel, deadline: float = 5.0) -> None:
        """`channel` comes from `channel_to` and must expect `name`."""
        self._channel = channel
        self._line = Line(name, deadline)
        self._stub = stubs.LogStub(channel)

    @classmethod
    def at(cls, name: str, endpoint: str, tls: ClientTls | TlsSource, deadline: float = 5.0) -> Self:
        """The member `name` at `host:port`; nobody else's certificate is accepted there."""
        return cls(name, channel_to(endpoint, name, tls), deadline)

    @property
    def name(self) -> str:
        return self._line.name

    def newest_size(self) -> TreeSize:
        return TreeSize(self._line.ask(self._stub.Newest, pb.NewestRequest()).attested_size)

    def newest_quorum_size(self) -> TreeSize:
        """Size of the newest checkpoint for which this member can show a quorum; zero for none."""
        return TreeSize(self._line.ask(self._stub.Newest, pb.NewestRequest()).quorum_size)

    def attestation(self, size: TreeSize) -> tuple[Digest, EcdsaSignature]:
        answer = self._line.ask(self._stub.Attestation, pb.AttestationRequest(size=size))
        try:
            return as_digest(answer.root, "root"), require_signature(answer.signature)
        except Malformed as error:
            raise self._malformed(error, "Attestation") from None

    def consistency_path(self, old: TreeSize, new: TreeSize) -> Sequence[Digest]:
        answer = self._line.ask(self._stub.Consistency, pb.ConsistencyRequest(old_size=old, new_size=new))
        return self._path("Consistency", answer.path)

    def checkpoint(self, size: TreeSize, old: TreeSize | None = None) -> NotedCheckpoint:
        """The note of a checkpoint with a quorum (size 0: the newest), and the path from `old` if one is given.

        Raises:
            NotYet: the member has no quorum for it yet.
        """
        answer = self._line.ask(self._stub.Checkpoint, pb.CheckpointRequest(size=size, old_size=old or 0))
        return NotedCheckpoint(TreeSize(answer.size), answer.note, self._path("Checkpoint", answer.path))

    def receipt(self, size: TreeSize) -> bytes:
        """The receipt key's word over the root of that size, unverified.

        Raises:
            Unknown: this member does not hold the key.
            NotYet: it has no quorum for it yet.
        """
        answer: pb.ReceiptResponse = self._line.ask(self._stub.Receipt, pb.ReceiptRequest(size=size))
        return answer.signature

    def close(self) -> None:
        """Close the channel."""
        self._channel.close()

    def _path(self, call: str, path: Sequence[bytes]) -> tuple[Digest, ...]:
        try:
            return tuple(as_digest(node, "path") for node in path)
        except Malformed as error:
            raise self._malformed(error, call) from None

    def _malformed(self, error: Malformed, call: str) -> AnswerMalformed:
        return AnswerMalformed(endpoint=self._line.name, call=call, rule=type(error).__name__)


if TYPE_CHECKING:
    _conforms: type[ConsortiumMember] = GrpcMember
