"""Service Peer: what members tell one another. An answer may be held until there is something to say."""

import time
from typing import Final

from hybrid_bridge.adapters.sqlite.epochs import MAX_ROWS, SizedSignature
from hybrid_bridge.core.encoding import require_digest
from hybrid_bridge.errors import NotYet, StoreBroken, Unknown
from hybrid_bridge.node.cosigning import mldsa_key_of
from hybrid_bridge.node.delivering import Receiver
from hybrid_bridge.node.progress import PRESSING
from hybrid_bridge.node.proposals import ProposalStore
from hybrid_bridge.node.regulating import ReadLog
from hybrid_bridge.node.view import View
from hybrid_bridge.rpc.service import Call, Caller, Method, Service
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.rpc.v1 import bridge_pb2_grpc as stubs
from hybrid_bridge.units import Address, Digest, Height, KeyId, TreeSize

MAX_HOLD: Final = 20.0  # seconds
LINGER: Final = 2.0  # seconds that lines of notes wait for a word to go with: each answer costs every peer a round


class PeerService:
    """Thin: wait, look, answer."""

    def __init__(
        self,
        view: View,
        receiver: Receiver,
        *,
        proposals: ProposalStore | None = None,
        read_log: ReadLog | None = None,
    ) -> None:
        """`read_log`: of a regulator."""
        self._view, self._receiver, self._proposals, self._read_log = view, receiver, proposals, read_log

    def service(self) -> Service:
        """For the server; members only."""
        methods: dict[str, Method] = {
            "Witness": self.witness,
            "Signatures": self.signatures,
            "Deliver": self.deliver,
            "Proposal": self.proposal,
            "Readings": self.readings,
        }
        kinds = {"Deliver": "delivery"}
        return Service("hybrid_bridge.v1.Peer", stubs.add_PeerServicer_to_server, methods, self._entitled, kinds)

    def witness(self, request: pb.WitnessRequest, call: Call) -> pb.WitnessResponse:
        """What we signed above these marks; held for a while if that is nothing.

        Countersignatures and attestations go at once, for finality and a quorum wait for them. Lines of notes, for
        which only bundles and outside witnesses of other members wait, go with the next of those or after a moment.
        """
        end = time.monotonic() + min(request.wait_ms / 1000, MAX_HOLD)
        while True:
            seen, answer = self._view.progress.signed, self._said(request)
            lines = max(len(answer.log_lines), len(answer.cosignatures))
            if answer.countersignatures or answer.attestations or lines >= MAX_ROWS:
                return answer
            if lines:
                seen, end = seen[:PRESSING], min(end, time.monotonic() + LINGER)
            if not self._await_more(seen, call, end):
                return self._said(request)  # lines that were signed meanwhile woke nobody

    def signatures(self, request: pb.SignaturesRequest, _call: Call) -> pb.SignaturesResponse:
        """The newest that we saw signed by an attestation key and by an identity key.

        Raises:
            StoreBroken: we saw one that our database has no more: who asks would take that for none.
        """
        address = Address(request.address)
        newest = self._view.epochs.newest_attested(address)
        seen = self._view.epochs.attested(address, TreeSize(newest - 1)) if newest else []
        if newest and not seen:
            raise StoreBroken(store="ledger", rule=f"the signature of size {newest} there: its server lost some")
        word = self._view.witness.newest_word(KeyId(request.signer))
        return pb.SignaturesResponse(newest=map(_sized, seen), countersignature=word)

    def deliver(self, request: pb.DeliverRequest, call: Call) -> pb.DeliverResponse:
        """Take a sealed envelope and sign for it.

        Raises:
            Malformed, Refuted: it does not open, or does not fit its entry.
        """
        acknowledgement = self._receiver.receive(call.caller.name, Digest(request.entry_leaf), request.envelope)
        return pb.DeliverResponse(acknowledgement=acknowledgement)

    def proposal(self, request: pb.ProposalRequest, _call: Call) -> pb.ProposalResponse:
        """The proposal behind a governance record.

        Raises:
            NotYet: we do not have it.
        """
        leaf = Digest(require_digest(request.leaf, "leaf"))
        found = None if self._proposals is None else self._proposals.with_record(leaf)
        if found is None:
            raise NotYet(what="the proposal with this record")
        return pb.ProposalResponse(proposal=found.encode())

    def readings(self, request: pb.ReadingsRequest, call: Call) -> pb.ReadingsResponse:
        """Who read what here, as far as it is the caller's.

        Raises:
            Unknown: we are no regulator.
        """
        if self._read_log is None:
            raise Unknown(what="readings: this member is no regulator")
        return self._read_log.shown(call.caller.name, request.after)

    def _await_more(self, seen: tuple[int, ...], call: Call, end: float) -> bool:
        """Wait until the first so many numbers differ; False when it is over before."""
        progress = self._view.progress
        left = end - time.monotonic()
        if left <= 0:  # however often a number rises
            return False
        return progress.wait(lambda: progress.signed[: len(seen)] != seen or not call.active(), left) and call.active()

    def _said(self, request: pb.WitnessRequest) -> pb.WitnessResponse:
        view = self._view
        words = view.witness.of(view.keys.identity.public.key_id, Height(request.after_height))
        after = TreeSize(request.after_size)
        second: dict[TreeSize, bytes] = {}
        attestations: list[SizedSignature] = []
        for address in view.addresses:  # at most two, whose sizes are apart
            attestations += view.epochs.attested(address, after)
            second |= self._mldsa(address, after)
        attestations = sorted(attestations, key=lambda signed: signed.size)[:MAX_ROWS]
        lines = view.epochs.lines(TreeSize(request.after_line)) if view.keys.log is not None else []
        return pb.WitnessResponse(
            countersignatures=words,
            attestations=[_sized(signed, second.get(signed.size, b"")) for signed in attestations],
            log_lines=[pb.SizedSignature(size=at, signature=signature) for at, signature in lines],
            cosignatures=self._cosignatures(TreeSize(request.after_cosigned)),
        )

    def _mldsa(self, address: Address, after: TreeSize) -> dict[TreeSize, bytes]:
        """The ML-DSA-44 lines beside one of our keys, by size."""
        key = mldsa_key_of(self._view.directory, address)
        return {} if key is None else self._view.epochs.cosigned(key, after)

    def _cosignatures(self, after: TreeSize) -> list[pb.SizedSignature]:
        view, key = self._view, self._view.directory.cosigner(self._view.name)
        found = {} if key is None else view.epochs.cosigned(key, after)
        return [pb.SizedSignature(size=at, root=view.logbook.root(at), signature=line) for at, line in found.items()]

    def _entitled(self, caller: Caller) -> bool:
        return caller.role == "member" and self._view.directory.lets_in(caller.name)


def _sized(signed: SizedSignature, mldsa: bytes = b"") -> pb.SizedSignature:
    return pb.SizedSignature(size=signed.size, root=signed.root, signature=signed.signature, mldsa=mldsa)
