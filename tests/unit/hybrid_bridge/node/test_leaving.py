"""A suspension and a new identity key, decided, enacted and in force: what the others do, and what was signed before."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from hybrid_bridge.adapters.pki import certify
from hybrid_bridge.adapters.sqlite.epochs import SizedSignature
from hybrid_bridge.core.encoding import b64u
from hybrid_bridge.core.signing import sign_digest
from hybrid_bridge.core.trust import Trust, TrustedLog
from hybrid_bridge.errors import Expired, NotYet, RuleRejected, SignerUnknown
from hybrid_bridge.node.applying import make_card
from hybrid_bridge.node.bundling import Bundler
from hybrid_bridge.node.desk import Desk
from hybrid_bridge.node.founding import Foundation
from hybrid_bridge.node.proposing import Proposer, Wish
from hybrid_bridge.node.rekeying import next_identity, use_next
from hybrid_bridge.node.submitting import faulty
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.steps.verify import verify
from hybrid_bridge.units import Address, EpochNumber, Height, KeyId, TreeSize
from tests.unit.hybrid_bridge.node.coming import agreed, approved, authority, endorser, pass_epoch, proposer, spread
from tests.unit.hybrid_bridge.node.members import CADENCE, START, VALIDATORS, Members, randomness, started
from tests.unit.hybrid_bridge.node.test_enrolling import checkpoint
from tests.unit.hybrid_bridge.node.trade import an_object, desk, registration

OTHERS = tuple(name for name in VALIDATORS if name != "bank-b")


def registered(members: Members, name: str) -> None:
    """An invoice brought by this member, by the key that it holds now; everybody executes it."""
    own, object_id = desk(members, name), an_object()
    order = registration(members, object_id)
    mine = {"creditor_key": b64u(own.key(f"creditor/{object_id}").public.key_id)}
    own.send(own.draft(replace(order, fields={**order.fields, **mine})), [])
    spread(members)


def refused(members: Members, name: str) -> str:
    with pytest.raises(RuleRejected) as caught:
        registered(members, name)
    return caught.value.rule


@dataclass
class Told:
    """What was seen on the way, of which nothing can be asked afterwards."""

    members: Members
    bundles: list[bytes]
    refusals: list[str]
    old_key: KeyId
    address: bytes  # of bank-b, which is suspended


@pytest.fixture(scope="module")
def told(laid: tuple[Foundation, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """bank-b is suspended in epochs 4 and 5; bank-a has another identity key from epoch 9 on."""
    foundation, root = laid
    folder = tmp_path_factory.mktemp("left") / "out"
    shutil.copytree(root, folder)
    members = Members(folder, foundation)
    with members.stack:
        started(members)
        key, address = members.key_id("bank-a"), members.open("core").view.directory.member("bank-b").address
        told = Told(members, [], [], key, address or b"")
        registered(members, "bank-b")
        pass_epoch(members, 1)
        told.bundles.append(bundle(members, "bank-b", 2))
        agreed(members, Wish(kind="suspend", name="bank-b", from_epoch=4), OTHERS)
        for epoch in (2, 3):  # epoch 3 ends with a block of epoch 4
            pass_epoch(members, epoch)
        told.refusals.append(refused(members, "bank-b"))
        registered(members, "supplier")
        agreed(members, Wish(kind="reinstate", name="bank-b", from_epoch=6), OTHERS)
        for epoch in (4, 5, 6):
            pass_epoch(members, epoch)
        registered(members, "bank-b")
        told.bundles.append(bundle(members, "core", 7))
        home = members.folder("bank-a")
        request = next_identity(home, randomness("another identity")).read_bytes()
        card = make_card(home, certify(authority(members), request, members.clock.now()))
        agreed(members, Wish(kind="rotate-key", card=card, from_epoch=9))
        for epoch in (7, 8):
            pass_epoch(members, epoch)
        told.refusals.append(refused(members, "bank-a"))
        use_next(home, "identity")
        members.reopen("bank-a")
        registered(members, "bank-a")
        for epoch in (9, 10):
            pass_epoch(members, epoch)
        yield told


def bundle(members: Members, name: str, size: int) -> bytes:
    return Bundler(members.open(name).view, lambda _size: b"").bundle(checkpoint(size)).encode()


def attested(told: Told, name: str) -> list[int]:
    """The sizes of which core has this member's word."""
    core = told.members.open("core").view
    addresses = core.directory.addresses(name)
    return sorted(signed.size for one in addresses for signed in core.epochs.attested(one, TreeSize(0)))


def test_who_is_suspended_is_refused_and_attests_nothing_until_it_is_back(told: Told) -> None:
    assert told.refusals[0] == "admission"
    assert attested(told, "bank-b") == [2, 3, 4, 7, 8, 9, 10, 11]
    assert attested(told, "core") == list(range(2, 12))
    core = told.members.open("core").view
    assert [core.logbook.validators(TreeSize(size)).set_id for size in (4, 5, 6, 7)] == [1, 2, 2, 3]
    assert all(core.logbook.has_quorum(TreeSize(size)) for size in range(2, 12))


def test_its_word_for_a_size_of_the_suspension_is_nobodys(told: Told) -> None:
    core, size = told.members.open("core").view, TreeSize(5)
    point = core.logbook.checkpoint(size)
    secret = bytes.fromhex((told.members.folder("bank-b") / "keys" / "attestation.key").read_text())
    forged = SizedSignature(size, point.root, sign_digest(secret, point.digest()))
    with pytest.raises(SignerUnknown):
        core.logbook.take_attestation(Address(told.address), forged)


def test_it_reads_on_and_sees_what_the_others_see(told: Told) -> None:
    roots = {told.members.open(name).view.logbook.root() for name in VALIDATORS}
    assert len(roots) == 1


def test_after_a_new_identity_key_the_old_one_says_nothing_that_counts(told: Told) -> None:
    assert told.refusals[1] == "admission"
    core, new = told.members.open("core").view.directory, told.members.key_id("bank-a")
    assert new != told.old_key
    assert [core.orders(told.old_key, epoch) for epoch in (8, 9)] == [True, False]
    assert [core.orders(new, epoch) for epoch in (8, 9)] == [False, True]
    assert core.name_of(told.old_key) == core.name_of(new) == "bank-a"
    assert attested(told, "bank-a") == list(range(2, 12))
    assert told.members.open("core").view.logbook.record(EpochNumber(9)).set_id == 4


def test_bundles_of_before_verify_as_ever_and_new_ones_show_the_handovers(told: Told) -> None:
    trust = Trust(logs=(TrustedLog(log_id=told.members.foundation.genesis.log_id),))
    shown = [*told.bundles, bundle(told.members, "bank-a", 3), bundle(told.members, "bank-b", 11)]
    for data in shown:
        evidence = verify(data, trust, told.members.clock.now())
        assert evidence.verdict("quorum").result == "verified"


def test_a_decision_whose_block_has_not_come_is_not_called_expired_and_stands_once_it_comes(members: Members) -> None:
    started(members)
    pass_epoch(members, 1)
    proposal = proposer(members, "core").propose(Wish(kind="suspend", name="bank-b", from_epoch=4))
    consents = approved(members, proposal, OTHERS)
    assert proposer(members, "bank-a").enact(proposal, consents) == [Height(3)]
    members.order(START + 9 * CADENCE)  # neither block has reached bank-a
    with pytest.raises(NotYet):
        proposer(members, "bank-a").enact(proposal, consents)

    class Late:
        """Answers when its blocks have come."""

        def submit(self, signed: list[bytes]) -> list[pb.SubmitResult]:
            spread(members)
            return [faulty(Expired(expires_epoch=3, epoch=9)) for _ in signed]

    opened = members.open("bank-a")
    late = Proposer(opened.view, Desk(opened.view, Late()), opened.enrolment, endorser(members, "bank-a"))
    assert late.enact(proposal, consents) == []


def test_a_decision_that_nobody_enacted_in_time_has_expired(members: Members) -> None:
    started(members)
    pass_epoch(members, 1)
    proposal = proposer(members, "core").propose(Wish(kind="suspend", name="bank-b", from_epoch=4))
    consents = approved(members, proposal, OTHERS)
    members.order(START + 9 * CADENCE)
    spread(members)
    with pytest.raises(Expired):
        proposer(members, "bank-a").enact(proposal, consents)
