"""Decisions that cross one another, and whoever holds consents that nobody used."""

from dataclasses import replace

import pytest

from hybrid_bridge.core.governance import MemberUpdate
from hybrid_bridge.errors import AdmissionRejected, NotYet, RuleRejected, SignatureWrong
from hybrid_bridge.node.proposals import Consents
from hybrid_bridge.node.proposing import Wish
from tests.unit.hybrid_bridge.node.coming import agreed, approved, proposer, spread
from tests.unit.hybrid_bridge.node.members import VALIDATORS, Members, started

OTHERS = tuple(name for name in VALIDATORS if name != "bank-b")


def test_an_old_suspension_does_not_take_the_place_of_a_removal(members: Members) -> None:
    """Both were consented to in full; the removal was enacted and does not count yet."""
    core = proposer(started(members), "core")
    suspend, remove = (
        core.propose(Wish(kind=kind, name="bank-b", from_epoch=epoch))
        for kind, epoch in (("suspend", 7), ("remove", 5))
    )
    old, new = approved(members, suspend, OTHERS), approved(members, remove, OTHERS)
    core.enact(remove, new)
    with pytest.raises(RuleRejected) as refused:
        core.enact(suspend, old)
    assert refused.value.rule == "member-replaces"
    with pytest.raises(AdmissionRejected, match="stands today"):
        core.judge(suspend)
    spread(members)
    with pytest.raises(AdmissionRejected, match="stands today"):
        proposer(members, "bank-a").approve(suspend)
    assert core.judge(remove) == ["remove bank-b: stands already, nothing changes by it"]
    assert core.enact(remove, new) == []


def test_who_holds_every_consent_enacts_all_or_nothing(members: Members) -> None:
    core = proposer(started(members), "core")
    proposal = core.propose(Wish(kind="remove", name="bank-b", from_epoch=5))
    consents = approved(members, proposal, OTHERS)
    for records in (proposal.records[:1], proposal.records[1:], proposal.records[::-1]):
        part = replace(proposal, records=records)
        relabelled = [Consents(proposal=part.digest, signature=one.signature) for one in consents]
        tip = members.open("core").view.progress.tip
        with pytest.raises(SignatureWrong):
            core.enact(part, relabelled)
        assert members.open("core").view.progress.tip == tip
    assert len(core.enact(proposal, consents)) == 1
    assert len(members.open("core").view.directory.roll.terms) == 2


def test_who_has_not_the_block_yet_that_a_proposal_builds_on_waits_for_it(members: Members) -> None:
    started(members)
    pause = Wish(kind="suspend", name="regulator", from_epoch=5)
    agreed(members, pause, everybody=("core",))
    proposal = proposer(members, "core").propose(replace(pause, kind="remove"))
    (removal,) = proposal.decoded()
    assert isinstance(removal, MemberUpdate)
    with pytest.raises(NotYet, match=removal.replaces.hex()[:16]):
        proposer(members, "bank-a").approve(proposal)
    spread(members)
    proposer(members, "bank-a").approve(proposal)
