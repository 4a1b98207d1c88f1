"""Decisions that cross one another, and whoever holds consents that nobody used."""

from dataclasses import replace

import pytest
from click.testing import CliRunner

from hybrid_bridge.adapters.pki import certify
from hybrid_bridge.business.membership import STRANGER, Standing, newest_update, standing_of
from hybrid_bridge.cli.contract.drafting import sign as sign_offline
from hybrid_bridge.core.encoding import ZERO, sha256
from hybrid_bridge.core.governance import MEMBER, NODE, REMOVE, REPLACE_CERTIFICATE, MemberUpdate, SetUpdate
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.roll import Term
from hybrid_bridge.core.secret import decoy_key_hash
from hybrid_bridge.core.transaction import SignaturePart
from hybrid_bridge.core.validators import ValidatorSet, name_hash
from hybrid_bridge.errors import (
    AdmissionRejected,
    FieldMalformed,
    FieldMismatch,
    GuardRefused,
    Missing,
    NotYet,
    RuleRejected,
    SequencerStays,
    SettingsMalformed,
    SignatureWrong,
)
from hybrid_bridge.node import running
from hybrid_bridge.node.applying import make_card
from hybrid_bridge.node.bundling import Bundler
from hybrid_bridge.node.cards import Card
from hybrid_bridge.node.desk import Desk
from hybrid_bridge.node.directory import Directory
from hybrid_bridge.node.proposals import Consents, Proposal
from hybrid_bridge.node.proposing import Wish
from hybrid_bridge.node.rekeying import next_attestation, next_identity
from hybrid_bridge.units import Digest, EpochNumber, KeyId, SetId
from tests.governing import identity_of
from tests.unit.hybrid_bridge.node.coming import (
    agreed,
    approved,
    authority,
    endorser,
    newcomer,
    pass_epoch,
    proposer,
    spread,
)
from tests.unit.hybrid_bridge.node.members import NAMES, VALIDATORS, Members, randomness, started
from tests.unit.hybrid_bridge.node.test_enrolling import checkpoint, draft_of
from tests.unit.hybrid_bridge.node.test_proposing import renamed
from tests.unit.hybrid_bridge.node.trade import Instant

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


def test_nobody_consents_to_the_sequencers_going(members: Members) -> None:
    """As a member or out of the set, whoever wrote it: the genesis record fixes the keys that it holds."""
    started(members)
    proposal = proposer(members, "core").propose(Wish(kind="remove", name="bank-b", from_epoch=5))
    removal, validators = proposal.decoded()
    assert isinstance(removal, MemberUpdate)
    assert isinstance(validators, SetUpdate)
    here = members.open("core").view.directory.member("core")
    gone = replace(
        removal,
        name_hash=name_hash(here.legal_id, here.legal_name),
        certificate_hash=sha256(here.certificate),
        key_id=members.key_id("core"),
        replaces=newest_of(members, "core"),
    )
    first = members.open("core").view.directory.validators
    entries = tuple(one for one in first.entries if one.address != here.address)
    without = ValidatorSet(SetId(2), entries)
    left_out = replace(validators, validators=without, set_hash=without.digest)
    holders = {members.open("core").view.directory.holder(one).name for one in entries}
    assert "core" not in holders
    with pytest.raises(SequencerStays) as refused:
        proposer(members, "bank-a").judge(replace(proposal, records=(gone.encode(),)))
    assert (refused.value.name, refused.value.exit_code) == ("core", 2)
    secret = replace(proposal.secrets[0], name="bank-b", envelope=b"")
    given = replace(proposal, records=(left_out.encode(),), secrets=(*proposal.secrets, secret))
    with pytest.raises(SequencerStays):
        proposer(members, "regulator").judge(given)


def test_what_can_stand_in_no_block_any_more_is_not_kept(members: Members) -> None:
    """What stands is kept for whoever comes, what still may stand for whoever enacts it."""
    core = proposer(started(members), "core")
    void, open_, enacted = (
        core.propose(Wish(kind="suspend", name=name, from_epoch=epoch))
        for name, epoch in (("bank-b", 3), ("bank-b", 4), ("regulator", 3))
    )
    for one in (void, open_):
        approved(members, one, OTHERS)
    core.enact(enacted, approved(members, enacted, VALIDATORS))
    store = members.open("core").enrolment.store
    assert set(store.all()) == {void, open_, enacted}
    pass_epoch(members, 1)
    members.open("core").enrolment.renew()
    assert set(store.all()) == {void, open_, enacted}  # in a block of epoch 2 it still could
    pass_epoch(members, 2)
    members.open("core").enrolment.renew()
    assert set(store.all()) == {open_, enacted}


def test_what_another_decision_overtook_is_not_kept_until_it_expires(members: Members) -> None:
    core = proposer(started(members), "core")
    first, overtaken = (core.propose(Wish(kind="suspend", name="bank-b", from_epoch=epoch)) for epoch in (9, 900))
    for one in (first, overtaken):
        approved(members, one, OTHERS)
    store = members.open("core").enrolment.store
    core.enact(first, approved(members, first, OTHERS))
    unseen = replace(MemberUpdate.decode(overtaken.records[0]), replaces=sha256(b"a block that is not here yet"))
    store.keep(early := replace(overtaken, records=(unseen.encode(),)))
    pass_epoch(members, 1)
    members.open("core").enrolment.renew()
    assert set(store.all()) == {first, early}


def test_a_consent_to_what_can_stand_no_more_keeps_nobody_from_signing_a_set(members: Members) -> None:
    """The set that it was to replace is in charge."""
    started(members)
    _, card = newcomer(members)
    agreed(members, Wish(kind="admit", card=card, from_epoch=4))
    draft, core = draft_of(members, 2), proposer(members, "core")
    void = core.propose(Wish(kind="remove", name="bank-c", approvers=("core", "bank-a", "bank-b")))
    approved(members, void, ("bank-a", "bank-b"))
    with pytest.raises(AdmissionRejected, match="not consented to replace"):
        endorser(members, "bank-a").endorse(draft)
    for epoch in (1, 2, 3):
        pass_epoch(members, epoch)
    store = members.open("bank-a").enrolment.store
    store.keep(replace(void, expires_epoch=2**50))
    assert len(endorser(members, "bank-a").endorse(draft)) == 1
    members.open("bank-a").enrolment._tidied = 0
    members.open("bank-a").enrolment.renew()
    assert void not in set(store.all())
    assert all(one.expires_epoch < 9 for one in store.all())  # set 2 is in charge: what replaces it is waste paper


def test_of_two_sets_that_follow_one_the_one_that_does_not_stand_is_not_kept(members: Members) -> None:
    core = proposer(started(members), "core")
    first, second = (core.propose(Wish(kind="remove", name=name, from_epoch=9)) for name in ("bank-b", "supplier"))
    for one in (first, second):
        approved(members, one, ("bank-a",))
    core.enact(first, approved(members, first, OTHERS))
    spread(members)
    pass_epoch(members, 1)
    store = members.open("bank-a").enrolment.store
    unseen = replace(SetUpdate.decode(second.records[1]), replaces=sha256(b"a block that is not here yet"))
    store.keep(early := replace(second, records=(unseen.encode(),)))
    waits = SetUpdate.decode(first.records[1])
    store.keep(open_ := replace(second, records=(replace(unseen, replaces=leaf_hash(waits.encode())).encode(),)))
    members.open("bank-a").enrolment._tidied = 0
    members.open("bank-a").enrolment.renew()
    assert set(store.all()) == {first, early, open_}


def test_nobody_consents_to_what_could_stand_after_its_own_date(members: Members) -> None:
    core = proposer(started(members), "core")
    suspend = core.propose(Wish(kind="suspend", name="regulator", from_epoch=5))
    remove = core.propose(Wish(kind="remove", name="bank-b", from_epoch=5))
    for proposal in (suspend, remove, replace(remove, records=remove.records[1:])):
        with pytest.raises(FieldMalformed, match="4"):
            core.judge(replace(proposal, expires_epoch=5))
    core.judge(suspend)
    core.judge(remove)


def test_nobody_consents_to_what_could_replace_a_set_in_charge(members: Members) -> None:
    awaited(members)
    remove = proposer(members, "core").propose(Wish(kind="remove", name="bank-b", from_epoch=9))
    assert remove.expires_epoch == 5
    with pytest.raises(FieldMalformed, match="5"):
        proposer(members, "core").judge(replace(remove, expires_epoch=6))


# ── while an identity rotation waits ──


def rotating(members: Members) -> tuple[KeyId, KeyId]:
    """A validator gets another identity key in epoch 6: the key of today, and the one that comes."""
    started(members)
    home = members.folder("bank-b")
    certificate = certify(authority(members), next_identity(home, randomness("next")).read_bytes(), members.clock.now())
    proposal = agreed(members, Wish(kind="rotate-key", card=make_card(home, certificate), from_epoch=6))
    added, removed = (record.key_id for record in proposal.decoded() if isinstance(record, MemberUpdate))
    return removed, added


def standing_in(members: Members, key: KeyId, epoch: int) -> Standing:
    with members.open("core").view.ledger.state() as state:
        return standing_of(state, key, EpochNumber(epoch))


@pytest.mark.parametrize("from_epoch", [0, 4])
def test_who_is_removed_while_its_identity_rotation_waits_is_nobody_by_either_key(
    members: Members, from_epoch: int
) -> None:
    keys = rotating(members)
    core = proposer(members, "core")
    proposal = core.propose(Wish(kind="remove", name="bank-b", from_epoch=from_epoch))
    updates = [record for record in proposal.decoded() if isinstance(record, MemberUpdate)]
    assert {(one.action, one.key_id) for one in updates} == {(REMOVE, key) for key in keys}
    half = replace(proposal, records=tuple(one.encode() for one in proposal.decoded() if one != updates[1]))
    with pytest.raises(AdmissionRejected, match=f"{keys[1].hex()[:16]} stays a member"):
        proposer(members, "bank-a").judge(half)
    core.enact(proposal, approved(members, proposal, OTHERS))
    spread(members)
    assert [standing_in(members, key, 20_000) for key in keys] == [STRANGER, STRANGER]
    assert not any("bank-b" in members.open(name).view.directory.names_of(newest_set(members)) for name in OTHERS)


def test_who_is_suspended_while_its_identity_rotation_waits_keeps_the_key_of_today_alone(members: Members) -> None:
    old, new = rotating(members)
    core = proposer(members, "core")
    proposal = core.propose(Wish(kind="suspend", name="bank-b"))
    core.enact(proposal, approved(members, proposal, OTHERS))
    assert standing_in(members, old, 20_000) == Standing(0, MEMBER | NODE)
    assert standing_in(members, new, 20_000) == STRANGER


def newest_set(members: Members) -> ValidatorSet:
    return members.open("core").view.directory.roll.terms[-1].validators


# ── an admission that is taken back ──


def awaited(members: Members) -> Proposal:
    """The decision by which a newcomer becomes a member and a validator from epoch 6 on. It stands."""
    started(members)
    _, card = newcomer(members)
    return agreed(members, Wish(kind="admit", card=card, from_epoch=6))


def test_a_newcomer_whose_admission_was_taken_back_is_nobody_and_attests_nothing(members: Members) -> None:
    admission = awaited(members)
    core = proposer(members, "core")
    with pytest.raises(AdmissionRejected, match="a member of today"):
        core.propose(Wish(kind="suspend", name="bank-c"))  # taken back is an admission by `remove`
    remove = core.propose(Wish(kind="remove", name="bank-c"))
    member, validators = remove.decoded()
    assert isinstance(member, MemberUpdate)
    assert isinstance(validators, SetUpdate)
    assert (validators.set_id, validators.n, validators.replaces) == (2, 4, admission.leaves[-1])
    assert remove.expires_epoch == 5  # in epoch 6 the set with the newcomer is in charge
    said = proposer(members, "bank-a").judge(remove)
    assert any("-bank-c" in line for line in said)
    assert said[-4] == "  the set that was to attest from size 7 never does"
    assert said[-3] == "  against the set in charge: the same members"
    core.enact(remove, approved(members, remove))
    spread(members)
    for name in VALIDATORS:
        opened = members.open(name)
        if opened.enrolment.lacking():
            opened.enrolment.take(opened.enrolment.lacking()[0], remove, "core")
        directory, secret = opened.view.directory, opened.view.keys.secret_of(SetId(2))
        assert directory.names_of(directory.responsible(99)) == set(VALIDATORS)
        assert not directory.lets_in("bank-c")
        assert secret is not None
        assert decoy_key_hash(secret.k_set) == validators.decoy_key_hash
    old = replace(validators, reason_hash=sha256(b"x"))
    with pytest.raises(AdmissionRejected, match="stands today"):
        proposer(members, "core").judge(replace(remove, records=(old.encode(),)))


def test_another_change_waits_for_the_set_and_who_goes_is_taken_out_of_it(members: Members) -> None:
    awaited(members)
    core = proposer(members, "core")
    next_attestation(members.folder("supplier"), randomness("next"))
    with pytest.raises(NotYet, match="size 7"):
        core.propose(Wish(kind="rotate-key", card=make_card(members.folder("supplier"), None)))
    _, validators = core.propose(Wish(kind="remove", name="bank-b")).decoded()
    assert isinstance(validators, SetUpdate)
    names = {core._judge.holder(entry, None).name for entry in validators.validators.entries}
    assert names == {"core", "bank-a", "supplier", "bank-c"}
    assert validators.effective_from_size == 7  # nobody sits before he is a member, nor longer than he was to


def test_from_an_earlier_date_a_set_is_without_who_comes_later_and_he_is_admitted_again(members: Members) -> None:
    started(members)
    _, card = newcomer(members)
    agreed(members, Wish(kind="admit", card=card, from_epoch=9))
    agreed(members, Wish(kind="suspend", name="bank-b", from_epoch=3), OTHERS)
    directory = members.open("core").view.directory
    assert directory.names_of(directory.responsible(4)) == set(OTHERS)
    assert directory.lets_in("bank-c")
    for epoch in (1, 2, 3):
        pass_epoch(members, epoch)
    agreed(members, Wish(kind="admit", card=card, from_epoch=9), OTHERS)
    assert directory.names_of(directory.responsible(10)) == {*OTHERS, "bank-c"}


def test_a_removal_keeps_no_suspended_validator_in_its_seat(members: Members) -> None:
    """While a suspension waits another member goes: from the same date, unless somebody asks for a later one."""
    started(members)
    agreed(members, Wish(kind="suspend", name="bank-b", from_epoch=6), OTHERS)
    core, names = proposer(members, "core"), ("core", "bank-a", "bank-b")
    with pytest.raises(RuleRejected) as refused:  # told before anybody is asked
        core.propose(Wish(kind="remove", name="supplier", from_epoch=7, approvers=names))
    assert refused.value.rule == "seat"
    remove = core.propose(Wish(kind="remove", name="supplier", approvers=names))
    said = proposer(members, "bank-a").judge(remove)
    assert "  against the set in charge: -bank-b, -supplier" in said
    assert not any("sits on" in line for line in said)
    core.enact(remove, approved(members, remove, names))
    directory = members.open("core").view.directory
    assert directory.names_of(directory.responsible(7)) == {"core", "bank-a"}


def test_people_are_told_who_sits_longer_by_a_set_that_replaces_another(members: Members) -> None:
    started(members)
    first = agreed(members, Wish(kind="remove", name="bank-b", from_epoch=6), OTHERS)
    remove = proposer(members, "core").propose(Wish(kind="remove", name="supplier"))
    gone, validators = remove.decoded()
    assert isinstance(gone, MemberUpdate)
    assert isinstance(validators, SetUpdate)
    put_off = replace(MemberUpdate.decode(first.records[0]), from_epoch=9, replaces=first.leaves[0])
    later = put_off, replace(gone, from_epoch=9), replace(validators, effective_from_size=10)
    said = proposer(members, "bank-a").judge(replace(remove, records=tuple(one.encode() for one in later)))
    assert "  bank-b sits on until size 9" in said
    assert "  against the set in charge: -bank-b, -supplier" in said


def test_a_set_is_carried_to_a_contract_or_replaced_and_nobody_signs_for_both(members: Members) -> None:
    awaited(members)
    draft, remove = draft_of(members, 2), proposer(members, "core").propose(Wish(kind="remove", name="bank-c"))
    assert len(endorser(members, "bank-a").endorse(draft)) == 1
    with pytest.raises(AdmissionRejected, match="signed for a public contract"):
        proposer(members, "bank-a").approve(remove)
    proposer(members, "bank-b").approve(remove)
    with pytest.raises(AdmissionRejected, match="not consented to replace"):
        endorser(members, "bank-b").endorse(draft)
    (file := members.root / "draft").write_bytes(draft)
    offline = [str(file), "--dir", str(members.folder("bank-b")), "--out", str(members.root / "signed"), "--yes"]
    with pytest.raises(AdmissionRejected, match="not consented to replace"):
        CliRunner().invoke(sign_offline, offline, catch_exceptions=False)
    guards = members.open("bank-b").guards
    assert [guard.history().power for _, guard in guards] == [()]  # and its guard knows of nothing
    core = proposer(members, "core")  # who enacts as one of those who are asked consents by it
    endorser(members, "core").endorse(draft)
    with pytest.raises(AdmissionRejected, match="signed for a public contract"):
        core.enact(remove, approved(members, remove, ["bank-b", "supplier"]))


def taken_back(members: Members, early: str = "bank-b") -> tuple[bytes, bytes]:
    """One signed the set for a contract before it was replaced without its consent: both drafts."""
    awaited(members)
    draft = draft_of(members, 2)
    assert len(endorser(members, early).endorse(draft)) == 1
    others = tuple(name for name in VALIDATORS if name != early)
    remove = proposer(members, "core").propose(Wish(kind="remove", name="bank-c", approvers=others))
    proposer(members, "core").enact(remove, approved(members, remove, others))
    spread(members)
    return draft, draft_of(members, 2)


def test_who_signed_a_set_before_it_was_replaced_signs_the_one_in_its_place_and_consents_again(
    members: Members,
) -> None:
    old, new = taken_back(members)
    members.reopen("bank-b")
    spread(members)
    for name in VALIDATORS:
        assert len(endorser(members, name).endorse(new)) == 1
        with pytest.raises(FieldMismatch):
            endorser(members, name).endorse(old)
    for _, guard in members.open("bank-b").guards:
        assert [power.kind for power in guard.history().in_order().power] == ["set", "set-2"]
        guard.verify()
    further = proposer(members, "core").propose(Wish(kind="remove", name="supplier", from_epoch=6))
    with pytest.raises(AdmissionRejected, match="signed for a public contract"):
        proposer(members, "bank-b").approve(further)


def test_a_signature_for_a_set_that_was_replaced_keeps_nobody_from_consenting(members: Members) -> None:
    taken_back(members)
    further = proposer(members, "core").propose(Wish(kind="remove", name="supplier", from_epoch=6))
    proposer(members, "bank-b").approve(further)


def test_a_replacement_that_is_not_final_here_frees_no_signature(members: Members) -> None:
    _, new = taken_back(members)
    members.open("bank-b").view.progress._numbers["final"] = 1
    with pytest.raises(GuardRefused, match="double_power"):
        endorser(members, "bank-b").endorse(new)


def test_a_set_is_judged_while_no_consent_can_be_given(members: Members, monkeypatch: pytest.MonkeyPatch) -> None:
    awaited(members)
    draft, one, held = draft_of(members, 2), endorser(members, "bank-a"), []
    judged = one._judged

    def looked(data: bytes) -> tuple[object, Term]:
        held.append(one.turn.locked())
        return judged(data)

    monkeypatch.setattr(one, "_judged", looked)
    assert (len(one.endorse(draft)), held) == (1, [True])


def test_a_consent_by_the_identity_key_of_yesterday_counts_too(members: Members) -> None:
    awaited(members)
    remove = proposer(members, "core").propose(Wish(kind="remove", name="bank-c"))
    opened, key = members.open("bank-b"), identity_of(members.folder("regulator")).public
    opened.view.directory.keys[key.key_id] = ("bank-b", key)
    opened.enrolment.store.keep(replace(remove, authorisers=(key.key_id,)))
    with pytest.raises(AdmissionRejected, match="not consented to replace"):
        endorser(members, "bank-b").endorse(draft_of(members, 2))


def test_a_set_that_follows_one_in_charge_is_no_replacement(members: Members) -> None:
    started(members)
    remove = proposer(members, "core").propose(Wish(kind="remove", name="bank-b", from_epoch=5))
    member, validators = remove.decoded()
    assert isinstance(validators, SetUpdate)
    assert validators.replaces == ZERO
    later = ValidatorSet(SetId(4), validators.validators.entries)
    for other, error in (
        (replace(validators, replaces=sha256(b"another")), AdmissionRejected),
        (replace(validators, validators=later, set_hash=later.digest), FieldMismatch),
    ):
        with pytest.raises(error):
            proposer(members, "bank-a").judge(replace(remove, records=(member.encode(), other.encode())))


def test_what_a_member_was_called_no_other_firm_is_called_and_it_may_come_back(members: Members) -> None:
    started(members)
    theirs = members.open("core").view.directory.member("regulator")
    agreed(members, Wish(kind="remove", name="regulator", from_epoch=3))
    for epoch in (1, 2):
        pass_epoch(members, epoch)
    assert not members.open("core").view.directory.is_member("regulator")
    stranger = renamed(members, "regulator", "LEI:ANOTHER")
    with pytest.raises(AdmissionRejected, match="no other member has or had"):
        proposer(members, "core").propose(Wish(kind="admit", card=stranger))
    again = renamed(members, "regulator", theirs.legal_id, theirs.legal_name)
    assert len(proposer(members, "core").propose(Wish(kind="admit", card=again)).decoded()) == 1


# ── cards ──


def test_a_validator_sits_by_a_card_that_never_counted_and_bundles_show_it(members: Members) -> None:
    """Its attestation key changes from epoch 4 on; before that somebody suspends it without a word of its card."""
    started(members)
    home = members.folder("bank-b")
    next_attestation(home, randomness("next"))
    members.reopen("bank-b")
    agreed(members, Wish(kind="rotate-key", card=make_card(home, None), from_epoch=4))
    core = proposer(members, "core")
    suspend = core.propose(Wish(kind="suspend", name="bank-b", from_epoch=9))
    suspend = replace(suspend, records=suspend.records[:1], secrets=(), expires_epoch=3)
    core.enact(suspend, approved(members, suspend, OTHERS))
    spread(members)
    for name in NAMES:
        enrolment, directory = members.open(name).enrolment, members.open(name).view.directory
        enrolment.renew()
        assert enrolment.lacking() == []
        assert directory.names_of(directory.responsible(5)) == set(VALIDATORS)
        assert directory.member("bank-b").address == directory.validators.entries[order_of(directory, "bank-b")].address
    for epoch in range(1, 6):
        pass_epoch(members, epoch)
    made = Bundler(members.open("core").view, lambda _: b"").bundle(checkpoint(6))
    assert "bank-b Ltd" in str(made.rotations[-1].validators)


def order_of(directory: Directory, name: str) -> int:
    return [directory.holder(entry).name for entry in directory.validators.entries].index(name)


def card_at(members: Members, name: str, endpoint: str) -> Card:
    """Its own card, but for where its node listens."""
    return make_card(members.folder(name), None, endpoint)


def endpoints(members: Members, name: str) -> set[str]:
    """As each member knows it."""
    return {members.open(other).view.directory.member(name).endpoint for other in NAMES}


def test_another_endpoint_is_everybodys_from_its_epoch_on(members: Members) -> None:
    pass_epoch(started(members), 1)
    before = endpoints(members, "bank-b")
    proposal = agreed(members, Wish(kind="rotate-key", card=card_at(members, "bank-b", "127.0.0.9:7001"), from_epoch=4))
    (record,) = proposal.decoded()  # the set stays: nothing that it names has changed
    assert isinstance(record, MemberUpdate)
    assert record.card_hash == proposal.cards[0].digest
    assert endpoints(members, "bank-b") == before
    for epoch in (2, 3):
        pass_epoch(members, epoch)
    assert endpoints(members, "bank-b") == {"127.0.0.9:7001"}
    directory = members.open("core").view.directory
    (entry,) = [one for one in directory.responsible(9).entries if directory.holder(one).name == "bank-b"]
    assert directory.holder(entry).endpoint == "127.0.0.9:7001"


def test_a_running_node_dials_another_endpoint_without_a_restart(
    members: Members, monkeypatch: pytest.MonkeyPatch
) -> None:
    pass_epoch(started(members), 1)
    members.opened.pop("core").close()
    monkeypatch.setattr(running, "SystemClock", lambda: members.clock)
    node = running.Node(members.folder("core"))
    members.stack.callback(node.stop)
    members.opened["core"] = node._opened
    node._view.chain.speak(None)
    before = dict(node._peers)
    agreed(members, Wish(kind="rotate-key", card=card_at(members, "bank-b", "127.0.0.9:7001"), from_epoch=4))
    assert node._meet() == []
    for epoch in (2, 3):
        pass_epoch(members, epoch)
    (moved,) = node._meet()
    assert (moved.name, node._endpoints["bank-b"], node._meet()) == ("bank-b", "127.0.0.9:7001", [])
    others = [name for name in NAMES if name not in ("core", "bank-b")]
    assert [node._peers[name] for name in others] == [before[name] for name in others]  # the same channels as before
    assert node._present(["bank-b"]) == [moved]


def test_people_are_told_what_another_card_says(members: Members) -> None:
    core = proposer(started(members), "core")
    card = card_at(members, "bank-b", "127.0.0.9:7001")
    proposal = core.propose(Wish(kind="rotate-key", card=card))
    assert core.judge(proposal)[1].endswith(": endpoint 127.0.0.9:7001")
    other = card_at(members, "bank-b", "127.0.0.9:7002")
    with pytest.raises(Missing, match="the card"):
        core.judge(replace(proposal, cards=(other,)))
    removal = core.propose(Wish(kind="remove", name="regulator"))
    with pytest.raises(FieldMalformed, match="named by a record"):
        core.judge(replace(removal, cards=(other,)))


def test_a_member_makes_its_next_card_out_of_the_one_that_comes_to_count_last(members: Members) -> None:
    started(members)
    store, proposal = members.open("bank-b").enrolment.store, replaced(members, card_at(members, "bank-b", "a:1"), ZERO)
    for port, expires in ((7001, 8), (7002, 9), (7003, 7)):
        store.keep(replace(proposal, cards=(card_at(members, "bank-b", f"127.0.0.9:{port}"),), expires_epoch=expires))
    assert make_card(members.folder("bank-b"), None).member.endpoint == "127.0.0.9:7002"
    for none in ("nowhere", "host:port", "host:70000"):
        with pytest.raises(SettingsMalformed):
            make_card(members.folder("bank-b"), None, none)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("blocks", [1, 2])
def test_of_two_cards_of_one_epoch_the_ledgers_last_counts(members: Members, blocks: int, turned: bool) -> None:
    """In one block and in two, whatever their hashes are; and whatever card nobody decided on lies about."""
    started(members)
    cards = [card_at(members, "bank-b", f"127.0.0.9:{port}") for port in (7001, 7002)]
    cards = cards[::-1] if turned else cards
    first = replaced(members, cards[0], ZERO)
    second = replaced(members, cards[1], leaf_hash(first.records[0]))
    if blocks == 2:
        decided(members, first)
        decided(members, second)
    else:
        decided(members, replace(first, records=(*first.records, *second.records)))
    spread(members)
    lying = [replace(first, cards=(card_at(members, "bank-b", f"127.0.0.9:{port}"),)) for port in range(8000, 8003)]
    for name in NAMES:
        enrolment = members.open(name).enrolment
        for one in (*lying, first, second):
            enrolment.store.keep(one)
        enrolment.renew()
        assert enrolment.lacking() == []
    assert endpoints(members, "bank-b") == {cards[1].member.endpoint}


def newest_of(members: Members, name: str) -> Digest:
    with members.open("core").view.ledger.state() as state:
        return newest_update(state, members.key_id(name))


def decided(members: Members, proposal: Proposal) -> None:
    """With every validator's consent, at core."""
    body, keys = proposal.body(), [identity_of(members.folder(name)) for name in VALIDATORS]
    parts = [SignaturePart.over(body.consent, key) for key in keys]
    Desk(members.open("core").view, Instant(members)).govern(body, parts)


def replaced(members: Members, card: Card, replaces: bytes) -> Proposal:
    """At once, as no proposer writes it."""
    directory = members.open("core").view.directory
    here = directory.member("bank-b")
    record = MemberUpdate(
        log_id=directory.log_id,
        action=REPLACE_CERTIFICATE,
        name_hash=name_hash(here.legal_id, here.legal_name),
        certificate_hash=card.certificate_hash,
        key_id=members.key_id("bank-b"),
        roles=card.roles,
        from_epoch=members.open("core").view.chain.tip.epoch,
        card_hash=card.digest,
        replaces=replaces if replaces != ZERO else newest_of(members, "bank-b"),
    )
    return Proposal(
        log_id=directory.log_id,
        kind="rotate-key",
        name="bank-b",
        reason="",
        records=(record.encode(),),
        authorisers=tuple(sorted(map(members.key_id, VALIDATORS))),
        expires_epoch=9,
        cards=(card,),
    )
