"""Another member as a member sees it: blocks, words for blocks, epochs, sealed deliveries."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

import grpc

from hybrid_bridge.adapters.grpc_member.log import GrpcMember
from hybrid_bridge.rpc.channel import ClientTls, Line
from hybrid_bridge.rpc.renewing import TlsSource, channel_to
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.rpc.v1 import bridge_pb2_grpc as stubs
from hybrid_bridge.units import Address, Digest, EpochNumber, Height, KeyId, TreeSize

PROVE_DEADLINE: Final = 20.0  # seconds: many paths, and the epochs of a whole window
SUBMIT_DEADLINE: Final = 15.0  # seconds: a sequencer answers when the transaction stands in a durable block


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """How much of a member's words one has: heights countersigned, sizes attested, log lines, sizes cosigned."""

    height: Height
    size: TreeSize
    line: TreeSize
    cosigned: TreeSize


class GrpcPeer:
    """A member's node as other members see it. Answers are bytes; whoever asks parses and verifies them."""

    def __init__(self, name: str, channel: grpc.Channel, deadline: float = 5.0) -> None:
        self._channel = channel
        self._line = Line(name, deadline)
        self._ledger = stubs.LedgerStub(channel)
        self._peer = stubs.PeerStub(channel)
        self._audit = stubs.AuditStub(channel)
        self.log = GrpcMember(name, channel, deadline)

    @classmethod
    def at(cls, name: str, endpoint: str, tls: ClientTls | TlsSource, deadline: float = 5.0) -> Self:
        """The member `name` at `host:port`; nobody else's certificate is accepted there."""
        return cls(name, channel_to(endpoint, name, tls), deadline)

    @property
    def name(self) -> str:
        """The member's name."""
        return self._line.name

    def submit(self, signed: Sequence[bytes]) -> pb.SubmitResponse:
        """Offer signed transactions; the answer comes when they stand in a durable block of the sequencer."""
        line, request = Line(self.name, SUBMIT_DEADLINE), pb.SubmitRequest(signed=signed)
        answer: pb.SubmitResponse = line.ask(self._ledger.Submit, request)
        return answer

    def status(self) -> pb.StatusResponse:
        """How far the member is."""
        answer: pb.StatusResponse = self._line.ask(self._ledger.Status, pb.StatusRequest())
        return answer

    def blocks(self, first: Height, seconds: float, *, follow: bool) -> Iterator[pb.BlockMessage]:
        """Blocks from `first` on; with `follow` also those to come, for so long."""
        return self._line.stream(self._ledger.Blocks, pb.BlocksRequest(first_height=first, follow=follow), seconds)

    def epochs(self, first: EpochNumber, last: EpochNumber) -> Iterator[pb.EpochMessage]:
        """Closed epochs with their batches."""
        return self._line.stream(self._ledger.Epochs, pb.EpochsRequest(first=first, last=last), 30.0)

    def prove(self, request: pb.ProveRequest) -> bytes:
        """A bundle of registry standings, or of a promise's window, from this member's own log."""
        answer: pb.BundleResponse = Line(self.name, PROVE_DEADLINE).ask(self._ledger.Prove, request)
        return answer.bundle

    def proven_checkpoint(self, size: TreeSize) -> bytes:
        """A bundle of one checkpoint, with every change of the validator set before it."""
        answer: pb.BundleResponse = Line(self.name, PROVE_DEADLINE).ask(
            self._audit.Checkpoint, pb.CheckpointRequest(size=size)
        )
        return answer.bundle

    def witness(self, marks: Marks, wait: float) -> pb.WitnessResponse:
        """What the member has signed since; it may hold its answer for `wait` seconds."""
        request = pb.WitnessRequest(
            after_height=marks.height,
            after_size=marks.size,
            after_line=marks.line,
            after_cosigned=marks.cosigned,
            wait_ms=int(wait * 1000),
        )
        answer: pb.WitnessResponse = self._line.ask(self._peer.Witness, request, wait)
        return answer

    def signatures(self, address: Address, signer: KeyId) -> pb.SignaturesResponse:
        """The newest that the member has seen signed by an attestation key and by an identity key."""
        request = pb.SignaturesRequest(address=address, signer=signer)
        answer: pb.SignaturesResponse = self._line.ask(self._peer.Signatures, request)
        return answer

    def deliver(self, entry_leaf: Digest, envelope: bytes) -> bytes:
        """Hand over a sealed envelope; the signed acknowledgement."""
        request = pb.DeliverRequest(entry_leaf=entry_leaf, envelope=envelope)
        answer: pb.DeliverResponse = self._line.ask(self._peer.Deliver, request)
        return answer.acknowledgement

    def proposal(self, leaf: Digest) -> bytes:
        """The proposal behind a governance record, as it was approved."""
        answer: pb.ProposalResponse = self._line.ask(self._peer.Proposal, pb.ProposalRequest(leaf=leaf))
        return answer.proposal

    def readings(self, after: int) -> pb.ReadingsResponse:
        """A regulator's: who read what there, behind this event."""
        answer: pb.ReadingsResponse = self._line.ask(self._peer.Readings, pb.ReadingsRequest(after=after))
        return answer

    def close(self) -> None:
        """Close the channel; open streams end."""
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
