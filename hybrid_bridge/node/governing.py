"""The owner's desk where members decide on members: the calls of service Desk about proposals."""

from collections.abc import Sequence
from typing import Final

from hybrid_bridge.business.membership import standing_of
from hybrid_bridge.errors import TooLong
from hybrid_bridge.node.cards import parse_card
from hybrid_bridge.node.directory import Directory
from hybrid_bridge.node.endorsing import Endorser
from hybrid_bridge.node.enrolling import Enrolment
from hybrid_bridge.node.proposals import parse_consents, parse_proposal
from hybrid_bridge.node.proposing import Proposer, Wish
from hybrid_bridge.node.view import View
from hybrid_bridge.rpc.service import Call, Method
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.units import Address

MAX_CONSENTS: Final = 64


class Governing:
    """Thin: parse, ask, answer. Nothing is signed or sent before its owner has confirmed what he was told."""

    def __init__(self, view: View, proposer: Proposer, enrolment: Enrolment, endorser: Endorser) -> None:
        self._view, self._proposer, self._enrolment, self._endorser = view, proposer, enrolment, endorser

    def methods(self) -> dict[str, Method]:
        """Beside those of `DeskService`."""
        return {
            "Propose": self.propose,
            "Approve": self.approve,
            "Enact": self.enact,
            "Members": self.members,
            "Endorse": self.endorse,
        }

    def propose(self, request: pb.ProposeRequest, _call: Call) -> pb.ProposeResponse:
        """Write a proposal; nothing is signed."""
        wish = Wish(
            kind=request.kind,
            name=request.name,
            card=parse_card(request.card) if request.card else None,
            reason=request.reason,
            from_epoch=request.from_epoch,
            approvers=tuple(request.approvers),
        )
        proposal = self._proposer.propose(wish)
        return pb.ProposeResponse(proposal=proposal.encode(), changes=self._proposer.judge(proposal))

    def approve(self, request: pb.ApproveRequest, _call: Call) -> pb.ApproveResponse:
        """Tell what a proposal changes and, once that is confirmed, consent."""
        proposal = parse_proposal(request.proposal)
        changes = self._proposer.judge(proposal)
        consents = self._proposer.approve(proposal).encode() if request.confirmed else b""
        return pb.ApproveResponse(changes=changes, consents=consents)

    def enact(self, request: pb.EnactRequest, _call: Call) -> pb.EnactResponse:
        """Tell what a proposal changes and, once that is confirmed, submit it.

        Raises:
            TooLong: more consents than validators.
        """
        if len(request.consents) > MAX_CONSENTS:
            raise TooLong(field="consents", limit=MAX_CONSENTS, got=len(request.consents))
        proposal, consents = parse_proposal(request.proposal), [parse_consents(data) for data in request.consents]
        if not request.confirmed:
            return pb.EnactResponse(changes=self._proposer.judge(proposal))
        return pb.EnactResponse(heights=self._proposer.enact(proposal, consents))

    def endorse(self, request: pb.EndorseRequest, _call: Call) -> pb.EndorseResponse:
        """Tell which set a draft carries to which contract and, once that is confirmed, sign it."""
        _, changes = self._endorser.judged(request.draft)
        signed = [one.encode() for one in self._endorser.endorse(request.draft)] if request.confirmed else []
        return pb.EndorseResponse(changes=changes, signed=signed)

    def members(self, _request: pb.MembersRequest, _call: Call) -> pb.MembersResponse:
        """Who is a member today, and every validator set."""
        view, directory = self._view, self._view.directory
        tip = view.chain.tip
        rows = []
        with view.ledger.state() as state:
            for member in directory.members:
                key = directory.identities[member.name].key_id
                suspended = tip is not None and standing_of(state, key, tip.epoch).suspended
                rows.append(
                    pb.MemberSummary(
                        name=member.name,
                        legal_name=member.legal_name,
                        legal_id=member.legal_id,
                        key_id=key,
                        address=member.address,
                        endpoint=member.endpoint,
                        standing="suspended" if suspended else "member",
                    )
                )
        return pb.MembersResponse(members=rows, sets=_sets(directory), lacking=self._enrolment.lacking())


def _sets(directory: Directory) -> list[pb.SetSummary]:
    return [
        pb.SetSummary(
            set_id=term.validators.set_id,
            set_hash=term.validators.digest,
            first_size=term.first_size,
            entries=term.validators.encode_entries(),
            names=_names(directory, term.validators.addresses),
        )
        for term in directory.roll.terms
    ]


def _names(directory: Directory, addresses: Sequence[Address]) -> list[str]:
    holders = [directory.by_address(address) for address in addresses]
    return ["" if holder is None else holder.name for holder in holders]
