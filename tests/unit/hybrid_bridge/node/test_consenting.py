"""To what a validator does not consent: what it has not judged in that moment, names and keys that two firms would have."""

from dataclasses import replace

import pytest

from hybrid_bridge.adapters.crl import issue_revocations, pem_of
from hybrid_bridge.adapters.pki import Holder, issue_identity
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.governance import SetUpdate
from hybrid_bridge.core.keys import PrivateKey
from hybrid_bridge.core.mldsa import MldsaKey
from hybrid_bridge.core.signing import address_of, public_key_of
from hybrid_bridge.core.validators import KeyBinding, SignedKeyBinding
from hybrid_bridge.errors import AdmissionRejected, CertificateRevoked, SequencerStays
from hybrid_bridge.node import running
from hybrid_bridge.node.cards import Card
from hybrid_bridge.node.directory import sealing_message
from hybrid_bridge.node.proposing import Proposer, Wish
from hybrid_bridge.units import UnixSeconds
from tests.unit.hybrid_bridge.node.coming import agreed, approved, authority, pass_epoch, proposer
from tests.unit.hybrid_bridge.node.members import START, VALIDATORS, Members, started
from tests.unit.hybrid_bridge.node.test_proposing import renamed, with_records

LONG_AGO, FAR_AHEAD = UnixSeconds(1_600_000_000), UnixSeconds(START + 365 * 86_400)
WITHOUT_CORE = VALIDATORS[1:]
WIDE = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})


def test_who_enacts_consents_to_nothing_that_it_would_not_approve(members: Members) -> None:
    """What it was told when it was asked is overtaken by the time it says yes."""
    core = proposer(started(members), "core")
    remove, suspend = (core.propose(Wish(kind=kind, name="regulator", from_epoch=5)) for kind in ("remove", "suspend"))
    consents = approved(members, remove, WITHOUT_CORE)
    assert core.judge(remove)
    core.enact(suspend, approved(members, suspend, WITHOUT_CORE))
    tip = members.open("core").view.progress.tip
    with pytest.raises(AdmissionRejected, match="stands today"):
        core.enact(remove, consents)
    assert members.open("core").view.progress.tip == tip
    kept = [one.digest for one in members.open("core").enrolment.store.all()]
    assert remove.digest not in kept


def test_who_enacts_looks_behind_the_hashes_first(members: Members) -> None:
    """The ledger would take it: no rule of its own says that the sequencer stays."""
    core = proposer(started(members), "core")
    made = core.propose(Wish(kind="remove", name="bank-b", from_epoch=5))
    _, validators = made.decoded()
    assert isinstance(validators, SetUpdate)
    here = members.open("core").view.directory
    left = tuple(one for one in validators.validators.entries if here.holder(one).name != "core")
    without = replace(validators.validators, entries=left)
    false = with_records(made, replace(validators, validators=without, set_hash=without.digest))
    with pytest.raises(SequencerStays):
        core.enact(false, [])


def test_of_two_firms_of_one_name_a_validator_consents_to_one(members: Members) -> None:
    """The ledger knows no short names: both decisions would stand, and documents for one firm reach the other."""
    core = proposer(started(members), "core")
    first = core.propose(Wish(kind="admit", card=renamed(members, "bank-x", "LEI:X"), from_epoch=5))
    clashing = [
        renamed(members, "bank-x", "LEI:Y", "Another Ltd"),  # its name
        renamed(members, "bank-y", "LEI:X", "Another Ltd"),  # its legal id
        renamed(members, "bank-y", "LEI:Y", "bank-x  LTD"),  # its legal name
    ]
    written = [core.propose(Wish(kind="admit", card=card, from_epoch=5)) for card in clashing]
    approved(members, first)
    for second in written:
        with pytest.raises(AdmissionRejected, match="nobody whose card we consented to"):
            proposer(members, "bank-a").approve(second)
    proposer(members, "bank-a").approve(first)  # the same again is no second one
    other = core.propose(Wish(kind="admit", card=renamed(members, "bank-z", "LEI:Z"), from_epoch=5))
    assert len(approved(members, other)) == 4


def test_a_name_is_free_again_once_the_consents_to_it_can_count_no_more(members: Members) -> None:
    core = proposer(started(members), "core")
    first = core.propose(Wish(kind="admit", card=renamed(members, "bank-x", "LEI:X"), from_epoch=3))
    approved(members, first)
    for epoch in (1, 2):
        pass_epoch(members, epoch)
    other = renamed(members, "bank-x", "LEI:Y", "Another Ltd")
    assert len(approved(members, core.propose(Wish(kind="admit", card=other, from_epoch=9)))) == 4


def came_and_left(members: Members) -> None:
    """A firm LEI:X was shop-x for a while."""
    started(members)
    agreed(members, Wish(kind="admit", card=renamed(members, "shop-x", "LEI:X"), from_epoch=3))
    pass_epoch(members, 1)
    pass_epoch(members, 2)
    agreed(members, Wish(kind="remove", name="shop-x", from_epoch=5))
    pass_epoch(members, 3)
    pass_epoch(members, 4)


def test_who_was_admitted_and_has_left_may_come_back_under_another_name(members: Members) -> None:
    """Its proposal is kept for whoever comes, and keeps its names from nobody."""
    came_and_left(members)
    again = proposer(members, "core").propose(Wish(kind="admit", card=renamed(members, "shop-y", "LEI:X")))
    assert len(approved(members, again)) == 4


@pytest.mark.parametrize(
    ("legal_id", "legal_name"),
    [
        ("LEI:BANK B", "X"),
        ("lei-bank.b", "X"),
        ("LEI:BANK-B".translate(WIDE), "X"),
        ("LEI:BANK\u200b-B", "X"),
        ("LEI:X", "bank-b Ltd".translate(WIDE)),
        ("LEI:X", "bank-b\u200b Ltd"),
        ("LEI:X", "BANK-B\u00a0LTD"),
    ],
)
def test_a_firm_is_the_same_firm_whatever_width_or_unseen_letters_it_is_written_in(
    members: Members, legal_id: str, legal_name: str
) -> None:
    core = proposer(started(members), "core")
    with pytest.raises(AdmissionRejected, match="a legal id and a legal name that no other member has"):
        core.propose(Wish(kind="admit", card=renamed(members, "bank-x", legal_id, legal_name)))


def test_an_identity_key_of_a_firm_that_has_left_is_no_other_firms(members: Members) -> None:
    """What it has said would be the other's word from then on."""
    came_and_left(members)
    key, genesis = PrivateKey.from_seed(sha256(b"shop-x")), members.foundation.genesis
    holder = Holder("shop-z", "Shop Z Ltd", "LEI:Z")
    member = replace(
        renamed(members, "shop-z", "LEI:Z", holder.legal_name).member,
        certificate=issue_identity(authority(members), holder, key.public, START),
    )
    member = replace(member, sealing_signature=key.sign(sealing_message(genesis.log_id, member.sealing_key)))
    with pytest.raises(AdmissionRejected, match="an identity key that no other member has or had"):
        proposer(members, "core").propose(Wish(kind="admit", card=Card.over(member, genesis.log_id, key)))


def test_a_card_whose_certificate_was_revoked_is_refused_by_a_node_that_has_the_list(
    members: Members, monkeypatch: pytest.MonkeyPatch
) -> None:
    started(members)
    card, ca = renamed(members, "bank-x", "LEI:X"), authority(members)
    proposal = proposer(members, "core").propose(Wish(kind="admit", card=card, from_epoch=5))
    listed = issue_revocations(ca.certificate, ca.key, [pem_of(card.member.certificate)], LONG_AGO, FAR_AHEAD)
    (members.folder("bank-a") / "crl.pem").write_bytes(listed)
    made: list[Proposer] = []
    monkeypatch.setattr(running, "SystemClock", lambda: members.clock)
    monkeypatch.setattr(running, "Proposer", lambda *given: made.append(Proposer(*given)) or made[0])
    members.opened.pop("bank-a").close()
    node = running.Node(members.folder("bank-a"))
    members.stack.callback(node.stop)
    with pytest.raises(CertificateRevoked):
        made[0].approve(proposal)
    proposer(members, "supplier").approve(proposal)  # who has no list knows of nothing


def test_people_are_told_by_the_calendar_from_when_a_decision_counts(members: Members) -> None:
    """A number says to nobody that it is weeks away, and no other change of the set may be made till then."""
    core = proposer(started(members), "core")
    far = core.propose(Wish(kind="remove", name="bank-b", from_epoch=100_001))
    assert "it counts from 2027-01-26 21:46:40 UTC on" in core.judge(far)


def test_nobody_takes_anothers_post_quantum_key(members: Members) -> None:
    """What it signs names nobody: the other's line could be shown as one of this member's as well."""
    started(members)
    directory, theirs = members.open("core").view.directory, MldsaKey(sha256(b"bank-b")).public
    directory.known = tuple(replace(m, mldsa_key=theirs) if m.name == "bank-b" else m for m in directory.known)
    key, genesis = PrivateKey.from_seed(sha256(b"bank-x")), members.foundation.genesis
    plain, address = renamed(members, "bank-x", "LEI:X").member, address_of(public_key_of(sha256(b"attests")))

    def card(mldsa: bytes) -> Card:
        word = KeyBinding(genesis.origin_hash, sha256(plain.certificate), address, sha256(mldsa))
        signed = SignedKeyBinding(word, key.public.scheme, key.sign(word.message())).encode()
        member = replace(plain, roles=("validator",), address=address, key_binding=signed, mldsa_key=mldsa)
        return Card.over(member, genesis.log_id, key)

    core = proposer(members, "core")
    with pytest.raises(AdmissionRejected, match="no other member has or had"):
        core.propose(Wish(kind="admit", card=card(theirs), from_epoch=5))
    core.propose(Wish(kind="admit", card=card(MldsaKey(sha256(b"bank-x")).public), from_epoch=5))
