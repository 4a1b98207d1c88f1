"""One's own node as its owner asks it: keys, drafts, records, bundles; and the ledger as this node sees it."""

from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Final, Self

import grpc

from hybrid_bridge.adapters.grpc_member.log import GrpcMember
from hybrid_bridge.rpc.channel import ClientTls, Line
from hybrid_bridge.rpc.renewing import TlsSource, channel_to
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.rpc.v1 import bridge_pb2_grpc as stubs
from hybrid_bridge.units import Digest, EpochNumber, TransactionId

ERASING: Final = 600.0  # seconds: every page of the private file is written anew
PATIENCE: Final = 20.0  # seconds: to send waits for a durable block, a bundle for many proofs


class GrpcDesk:
    """The owner's client. Every answer is a message of the API; every error is one of ours."""

    def __init__(self, name: str, channel: grpc.Channel, deadline: float = 5.0) -> None:
        self._channel = channel
        self._line, self._slow = Line(name, deadline), Line(name, PATIENCE)
        self._erasing = Line(name, ERASING)
        self._desk = stubs.DeskStub(channel)
        self._ledger = stubs.LedgerStub(channel)
        self.log: Final = GrpcMember(name, channel, deadline)

    @classmethod
    def at(cls, name: str, endpoint: str, tls: ClientTls | TlsSource, deadline: float = 5.0) -> Self:
        """The node of member `name` at `host:port`; `tls` holds its owner's certificate."""
        return cls(name, channel_to(endpoint, name, tls), deadline)

    @property
    def name(self) -> str:
        """The member's name."""
        return self._line.name

    # ── the desk ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def key(self, purpose: str) -> pb.KeyResponse:
        """The public key of one purpose: `identity`, or a party key that is made for it."""
        answer: pb.KeyResponse = self._line.ask(self._desk.Key, pb.KeyRequest(purpose=purpose))
        return answer

    def draft(self, request: pb.DraftRequest) -> pb.DraftResponse:
        """Write a record; nothing is signed or kept yet."""
        answer: pb.DraftResponse = self._slow.ask(self._desk.Draft, request)
        return answer

    def authorise(self, draft: bytes, purposes: Sequence[str]) -> pb.AuthoriseResponse:
        """Consent to a draft, with these keys of this node, after it has read the whole document."""
        request = pb.AuthoriseRequest(draft=draft, purposes=purposes)
        answer: pb.AuthoriseResponse = self._slow.ask(self._desk.Authorise, request)
        return answer

    def send(self, draft: bytes, signatures: Sequence[bytes] = ()) -> pb.SendResponse:
        """Send a draft with the consents of others. Idempotent: after `Undecided` send the same draft again.

        Raises:
            RuleRejected: a business rule refuses it; it stands refused on the record.
        """
        request = pb.SendRequest(draft=draft, signatures=signatures)
        answer: pb.SendResponse = self._slow.ask(self._desk.Send, request)
        return answer

    def records(self, after: int = 0) -> Sequence[pb.RecordSummary]:
        """What this node holds, without content, numbered above `after`."""
        answer: pb.RecordsResponse = self._line.ask(self._desk.Records, pb.RecordsRequest(after=after))
        return answer.records

    def record(self, entry_leaf: Digest) -> bytes:
        """One document in full, as delivered (SPEC §5)."""
        answer: pb.RecordResponse = self._line.ask(self._desk.Record, pb.RecordRequest(entry_leaf=entry_leaf))
        return answer.document

    def bundle(self, request: pb.BundleRequest) -> bytes:
        """The bundle for an outsider, without anchors (SPEC §11)."""
        answer: pb.BundleResponse = self._slow.ask(self._desk.Bundle, request)
        return answer.bundle

    def promises(self, after: int = 0) -> Sequence[pb.PromiseSummary]:
        """What nodes have promised this member, and what became of it, numbered above `after`."""
        answer: pb.PromisesResponse = self._slow.ask(self._desk.Promises, pb.PromisesRequest(after=after))
        return answer.promises

    def sequences(self, submitter: bytes = b"") -> Sequence[pb.SequenceSummary]:
        """Which sequence numbers of each submitter stand in blocks here."""
        answer: pb.SequencesResponse = self._slow.ask(self._desk.Sequences, pb.SequencesRequest(submitter=submitter))
        return answer.submitters

    def erase(self, request: pb.EraseRequest) -> Sequence[pb.ErasedRecord]:
        """What is meant and, once confirmed, erased. Idempotent: after `Undecided` ask the same again."""
        answer: pb.EraseResponse = self._erasing.ask(self._desk.Erase, request)
        return answer.records

    # ── members decide on members ────────────────────────────────────────────────────────────────────────────────────

    def propose(self, request: pb.ProposeRequest) -> pb.ProposeResponse:
        """Write a proposal; nothing is signed or sent."""
        answer: pb.ProposeResponse = self._slow.ask(self._desk.Propose, request)
        return answer

    def approve(self, proposal: bytes, *, confirmed: bool) -> pb.ApproveResponse:
        """What a proposal changes and, once confirmed, this validator's consent to it."""
        request = pb.ApproveRequest(proposal=proposal, confirmed=confirmed)
        answer: pb.ApproveResponse = self._slow.ask(self._desk.Approve, request)
        return answer

    def enact(self, proposal: bytes, consents: Sequence[bytes], *, confirmed: bool) -> pb.EnactResponse:
        """What a proposal changes and, once confirmed, its way into the ledger. Idempotent: after `Undecided` again.

        Raises:
            RuleRejected: the ledger refuses a record; it stands refused.
        """
        request = pb.EnactRequest(proposal=proposal, consents=consents, confirmed=confirmed)
        answer: pb.EnactResponse = self._slow.ask(self._desk.Enact, request)
        return answer

    def endorse(self, draft: bytes, *, confirmed: bool) -> pb.EndorseResponse:
        """What a draft of a set update says and, once confirmed, our signatures for the public contract."""
        answer: pb.EndorseResponse = self._slow.ask(
            self._desk.Endorse, pb.EndorseRequest(draft=draft, confirmed=confirmed)
        )
        return answer

    def members(self) -> pb.MembersResponse:
        """Who is a member today, and every validator set."""
        answer: pb.MembersResponse = self._line.ask(self._desk.Members, pb.MembersRequest())
        return answer

    def stops(self, objects: Sequence[str] = ()) -> pb.StopsResponse:
        """Which brakes are on, which orders freeze these objects, and who holds which power."""
        answer: pb.StopsResponse = self._line.ask(self._desk.Stops, pb.StopsRequest(objects=objects))
        return answer

    # ── the ledger ───────────────────────────────────────────────────────────────────────────────────────────────────

    def status(self) -> pb.StatusResponse:
        """How far the node is."""
        answer: pb.StatusResponse = self._line.ask(self._ledger.Status, pb.StatusRequest())
        return answer

    def transaction(self, transaction_id: TransactionId) -> pb.TransactionResponse:
        """Where a transaction stands."""
        request = pb.TransactionRequest(transaction_id=transaction_id)
        answer: pb.TransactionResponse = self._line.ask(self._ledger.Transaction, request)
        return answer

    def submit(self, signed: Sequence[bytes]) -> Sequence[pb.SubmitResult]:
        """Offer transactions that were signed elsewhere."""
        answer: pb.SubmitResponse = self._slow.ask(self._ledger.Submit, pb.SubmitRequest(signed=signed))
        return answer.results

    def epochs(self, first: EpochNumber, last: EpochNumber) -> Iterator[pb.EpochMessage]:
        """Closed epochs with their batches."""
        return self._line.stream(self._ledger.Epochs, pb.EpochsRequest(first=first, last=last), PATIENCE)

    def registered(self, label: bytes, version: int = 0) -> pb.RegisteredResponse:
        """Whether a label stands in the registry."""
        request = pb.RegisteredRequest(label=label, version=version)
        answer: pb.RegisteredResponse = self._slow.ask(self._ledger.Registered, request)
        return answer

    def missing(self) -> Sequence[pb.MissingCopy]:
        """A regulator's: accepted records of which no copy has come."""
        answer: pb.MissingResponse = self._slow.ask(self._desk.Missing, pb.MissingRequest())
        return answer.copies

    # ── the channel ──────────────────────────────────────────────────────────────────────────────────────────────────

    def close(self) -> None:
        """Close the channel."""
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
