"""Members come, go and change keys while the others go on: who attests, who is believed, who is let in."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hybrid_bridge.adapters.sqlite.epochs import SizedSignature
from hybrid_bridge.core.power import Draft, Pause, SetUpdate
from hybrid_bridge.core.signing import recover_address, sign_digest
from hybrid_bridge.core.trust import Trust, TrustedLog
from hybrid_bridge.core.validators import ValidatorEntry, ValidatorSet
from hybrid_bridge.errors import (
    AdmissionRejected,
    FieldMalformed,
    FieldMismatch,
    GuardRefused,
    NotYet,
    SignatureWrong,
    SignerUnknown,
    StoreAway,
    Unknown,
    Unreachable,
)
from hybrid_bridge.node.applying import make_card
from hybrid_bridge.node.attesting import Attester
from hybrid_bridge.node.bundling import BundleOrder, Bundler
from hybrid_bridge.node.directory import read_directory
from hybrid_bridge.node.enrolling import Enrolment, directory_of
from hybrid_bridge.node.founding import Foundation
from hybrid_bridge.node.hearing import Hearing
from hybrid_bridge.node.peer_service import PeerService
from hybrid_bridge.node.proposals import parse_proposal
from hybrid_bridge.node.proposing import Wish
from hybrid_bridge.node.rekeying import next_attestation
from hybrid_bridge.node.witnessing import Watch
from hybrid_bridge.rpc.service import Call, Caller
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.steps.attest import attest
from hybrid_bridge.steps.verify import verify
from hybrid_bridge.units import Address, ChainId, Digest, EpochNumber, KeyId, LogId, SetId, TreeSize, UnixSeconds
from tests.unit.hybrid_bridge.node.coming import agreed, close, endorser, joined, newcomer, pass_epoch, spread
from tests.unit.hybrid_bridge.node.members import CADENCE, NAMES, START, VALIDATORS, Members, randomness, started
from tests.unit.hybrid_bridge.node.test_hearing import Peer

FIVE = (*NAMES, "bank-c")


YESTERDAY = "yesterday"


@pytest.fixture(scope="module")
def grown(laid: tuple[Foundation, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Members]:
    """Four validators admit a fifth in epoch 2, from epoch 4 on; the supplier has another key from epoch 7 on.

    Its folder of before that decision is kept. Eight epochs are closed.
    """
    foundation, root = laid
    folder = tmp_path_factory.mktemp("grown") / "out"
    shutil.copytree(root, folder)
    members = Members(folder, foundation)
    with members.stack:
        started(members)
        pass_epoch(members, 1)
        home, card = newcomer(members)
        proposal = agreed(members, Wish(kind="admit", card=card, from_epoch=4))
        pass_epoch(members, 2)
        joined(members, home, proposal)
        for epoch in (3, 4):
            pass_epoch(members, epoch, FIVE)
        home = members.folder("supplier")
        next_attestation(home, randomness("next"))
        members.opened.pop("supplier").close()
        shutil.copytree(home, folder / YESTERDAY)
        rotation = Wish(kind="rotate-key", card=make_card(home, None), from_epoch=7)
        agreed(members, rotation, (*VALIDATORS, "bank-c"), FIVE)
        for epoch in (5, 6, 7, 8):
            pass_epoch(members, epoch, FIVE)
        yield members


def test_a_newcomer_attests_from_its_size_on_and_closes_as_the_others_do(grown: Members) -> None:
    view = grown.open("bank-c").view
    assert view.address is not None
    assert [signed.size for signed in view.epochs.attested(view.address, TreeSize(0))] == [5, 6, 7, 8, 9]
    assert {grown.open(name).view.logbook.root() for name in FIVE} == {view.logbook.root()}
    sets = [view.logbook.record(EpochNumber(epoch)).set_id for epoch in range(1, 9)]
    assert sets == [1, 1, 1, 2, 2, 2, 3, 3]
    assert [view.logbook.validators(TreeSize(size)).quorum for size in (4, 5)] == [3, 4]
    assert (view.keys.secret, sorted(view.keys.opened)) == (None, [2, 3])


def test_a_key_signs_for_the_sets_that_have_it_and_for_no_other(grown: Members) -> None:
    supplier, core = grown.open("supplier"), grown.open("core").view
    (old, old_guard), (new, new_guard) = supplier.guards
    sizes = [[signed.size for signed in core.epochs.attested(key.address(), TreeSize(0))] for key in (old, new)]
    assert sizes == [[2, 3, 4, 5, 6, 7], [8, 9]]
    later, earlier = TreeSize(9), TreeSize(7)
    checkpoint = core.logbook.checkpoint(later)
    with pytest.raises(GuardRefused, match="scope"):
        attest(checkpoint, core.logbook.validators(later), core.logbook, old_guard, old)
    with pytest.raises(GuardRefused, match="scope"):
        attest(core.logbook.checkpoint(earlier), core.logbook.validators(earlier), core.logbook, new_guard, new)
    stolen = bytes.fromhex((grown.folder("supplier") / "keys" / "attestation.key").read_text())
    forged = SizedSignature(later, checkpoint.root, sign_digest(stolen, checkpoint.digest()))
    with pytest.raises(SignerUnknown):
        core.logbook.take_attestation(old.address(), forged)
    with pytest.raises(SignatureWrong):
        core.logbook.take_attestation(new.address(), forged)


def test_a_folder_of_yesterday_signs_nothing_again_though_set_and_key_have_changed(
    grown: Members, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It knows neither the newest set nor what its keys have said; what it learns halts it."""
    home, today = grown.folder("supplier"), grown.root / "today"
    grown.opened.pop("supplier").close()
    home.rename(today)
    shutil.copytree(grown.root / YESTERDAY, home)
    monkeypatch.setattr(grown, "silent", True)
    try:
        opened = grown.open("supplier")
        view = opened.view
        following = [(key.address(), guard) for key, guard in opened.guards[1:]]
        hears = Hearing(view, opened.guard, *following)
        view.chain.ask_before(hears.permits)
        for name in ("core", "bank-a", "bank-c"):  # of sizes whose set it does not know it believes nothing
            with pytest.raises(SignatureWrong):
                hears.hear(Peer(grown, name))  # type: ignore[arg-type]
        assert not hears.permits(view.logbook.validators(TreeSize(5)))
        assert "our key signed size 7 in another process" in view.brake.reason
        core = grown.open("core").view
        while stored := core.ledger.blocks(view.chain.next_height):
            for block in stored:
                view.chain.accept(block, view.keys.identity)
        assert view.directory.roll.terms[-1].validators.set_id == 3
        assert view.witness.newest_of(view.keys.identity.public.key_id) < core.progress.tip
        assert not hears.permits(view.logbook.validators(TreeSize(9)))
        for name in ("core", "bank-a", "bank-c"):
            hears.hear(Peer(grown, name))  # type: ignore[arg-type]
        assert hears.permits(view.logbook.validators(TreeSize(9)))
        assert view.witness.halted()
    finally:
        grown.opened.pop("supplier").close()
        shutil.rmtree(home)
        today.rename(home)


def test_everybody_knows_the_newcomer_and_its_words_make_blocks_final(grown: Members) -> None:
    for name in FIVE:
        view = grown.open(name).view
        Watch(view)
        assert view.directory.is_member("bank-c")
        assert view.directory.member("bank-c").endpoint == "127.0.0.1:7000"
        assert view.progress.final == view.progress.tip
        assert grown.open(name).enrolment.lacking() == []


def test_bundles_of_before_and_after_verify_with_the_handover_shown(grown: Members) -> None:
    trust = Trust(logs=(TrustedLog(log_id=grown.foundation.genesis.log_id),))
    for name in ("core", "bank-c"):
        bundler = Bundler(grown.open(name).view, lambda _size: b"")
        for size, rotations, newest in ((4, 0, False), (4, 1, True), (7, 2, True), (9, 2, False)):
            bundle = bundler.bundle(checkpoint(size, newest=newest))
            evidence = verify(bundle.encode(), trust, grown.clock.now())
            assert (len(bundle.rotations), evidence.verdict("quorum").result) == (rotations, "verified")


def checkpoint(size: int, *, newest: bool = False) -> BundleOrder:
    return BundleOrder(
        purpose="checkpoint", records=(), labels=(), size=TreeSize(size), label_epoch=EpochNumber(0), newest=newest
    )


def draft_of(grown: Members, number: int, **changes: object) -> bytes:
    term = grown.open("core").view.directory.roll.term_of(SetId(number))
    assert term is not None
    update = SetUpdate(
        chain_id=ChainId(31337),
        contract=Address(b"\xcc" * 20),
        log_id=grown.foundation.genesis.log_id,
        set_id=term.validators.set_id,
        set_hash=term.validators.digest,
        effective_from_size=term.first_size,
    )
    return Draft(statement=replace(update, **changes)).encode()


def test_a_set_of_the_ledger_is_signed_for_a_contract_by_the_set_before_and_by_who_is_new(grown: Members) -> None:
    signers = {
        name: {recover_address(one.statement.digest(), one.signature) for one in endorser(grown, name).endorse(draft)}
        for name, draft in (
            ("core", draft_of(grown, 3)),
            ("supplier", draft_of(grown, 3)),
            ("bank-c", draft_of(grown, 2)),
        )
    }
    keys = {name: set(grown.open(name).view.addresses) for name in signers}
    assert signers == keys  # the supplier by the key that goes and by the one that comes; the newcomer by its own
    assert len(keys["supplier"]) == 2
    assert endorser(grown, "core").endorse(draft_of(grown, 3)) == endorser(grown, "core").endorse(draft_of(grown, 3))


def test_no_other_set_than_the_ledgers_is_signed_for_a_contract(grown: Members) -> None:
    for changes in (
        {"set_hash": Digest(bytes(32))},
        {"effective_from_size": TreeSize(9)},
        {"log_id": LogId(bytes(32))},
    ):
        with pytest.raises(FieldMismatch):
            endorser(grown, "core").endorse(draft_of(grown, 3, **changes))
    with pytest.raises(NotYet):
        endorser(grown, "core").endorse(draft_of(grown, 3, set_id=SetId(4)))
    with pytest.raises(AdmissionRejected):
        endorser(grown, "regulator").endorse(draft_of(grown, 3))
    pause = Pause(
        chain_id=ChainId(1),
        contract=Address(b"\xcc" * 20),
        log_id=LogId(bytes(32)),
        nonce=0,
        until=UnixSeconds(9),
        reason="x",
    )
    with pytest.raises(FieldMalformed):
        endorser(grown, "core").judged(Draft(statement=pause).encode())


def test_what_a_record_has_the_hash_of_is_asked_from_peers_and_believed_by_the_hash(grown: Members) -> None:
    """The regulator's folder loses its proposals: it knows the sets, and whose cards it lacks."""
    folder = grown.folder("regulator") / "proposals"
    grown.opened.pop("regulator").close()
    folder.rename(grown.root / "kept")
    enrolment, directory = grown.open("regulator").enrolment, grown.open("regulator").view.directory
    lacking = enrolment.lacking()
    assert len(set(lacking)) == 4  # the newcomer's certificate and card, the supplier's card, and two sets
    assert directory.responsible(9).set_id == 3
    with pytest.raises(NotYet):
        directory.holder(lacking_entry(grown, "regulator"))
    with pytest.raises(NotYet):
        Bundler(grown.open("regulator").view, lambda _size: b"").bundle(checkpoint(9))
    proposals = list(grown.open("core").enrolment.store.all())
    wrong = next(one for one in proposals if lacking[0] not in one.leaves)
    with pytest.raises(FieldMismatch):
        enrolment.take(lacking[0], wrong, "bank-a")
    with pytest.raises(NotYet):
        enrolment.fetch([Handing(grown, "bank-a", silent=True)])
    for _ in range(3):
        with pytest.raises(NotYet):
            enrolment.fetch([Flooding(grown, "bank-a"), Flooding(grown, "bank-b")])
    assert list(enrolment.store.all()) == []
    enrolment.fetch([Flooding(grown, "bank-b"), Handing(grown, "bank-a", silent=True), Handing(grown, "core")])
    assert enrolment.lacking() == []
    assert len(list(enrolment.store.all())) == 2
    assert directory.is_member("bank-c")


def lacking_entry(grown: Members, name: str) -> ValidatorEntry:
    """An entry of the newest set whose card this member has not."""
    directory = grown.open(name).view.directory
    known = {member.address for member in directory.known}
    return next(entry for entry in directory.responsible(9).entries if entry.address not in known)


class Handing:
    """A peer that hands proposals over, out of its store."""

    def __init__(self, members: Members, name: str, *, silent: bool = False) -> None:
        self.name, self._members, self._silent = name, members, silent

    def proposal(self, leaf: Digest) -> bytes:
        if self._silent:
            raise Unreachable(endpoint=self.name, call="Proposal")
        view, store = self._members.open(self.name).view, self._members.open(self.name).enrolment.store
        call = Call(Caller("somebody", "member"), lambda: True)
        return PeerService(view, None, proposals=store).proposal(pb.ProposalRequest(leaf=leaf), call).proposal  # type: ignore[arg-type]


class Flooding(Handing):
    """A peer that makes up a proposal for each question: the true records, and no card that they name."""

    made = 0

    def proposal(self, leaf: Digest) -> bytes:
        Flooding.made += 1
        true = parse_proposal(super().proposal(leaf))
        card = make_card(self._members.folder("bank-a"), None, f"127.0.0.9:{Flooding.made}")
        return replace(true, reason=str(Flooding.made), cards=(card,)[: Flooding.made % 2]).encode()


def test_who_has_gone_is_known_and_is_no_member(grown: Members) -> None:
    directory = grown.open("core").view.directory
    with pytest.raises(Unknown):
        directory.member("stranger")
    with pytest.raises(NotYet):
        directory.key(KeyId(bytes(32)))
    assert directory.name_of(KeyId(bytes(32))) is None
    assert not directory.is_member("stranger")


def test_a_look_from_outside_the_node_sees_what_its_ledger_says(grown: Members) -> None:
    name = "bank-a"
    grown.opened.pop(name).close()
    directory = directory_of(grown.folder(name), name)
    assert (directory.responsible(9).set_id, directory.is_member("bank-c")) == (3, True)
    assert directory_of(grown.root / YESTERDAY / ".." / "nodes" / name, "core").roll.terms[-1].validators.set_id == 1


def test_a_checkpoint_is_not_attested_before_enough_of_its_own_set_were_heard(grown: Members) -> None:
    """The last of this module: epoch 9 is closed by one."""
    grown.order(START + 9 * CADENCE)
    spread(grown, FIVE)
    close(grown, "bank-b", EpochNumber(9))
    opened = grown.open("bank-b")
    ((key, guard),) = opened.guards
    asked: list[int] = []

    def permits(validators: ValidatorSet) -> bool:
        asked.append(validators.set_id)
        return False

    view = opened.view
    with pytest.raises(NotYet):
        Attester(view.logbook, guard, key, view.brake, permits=permits).sign_all(view.progress)
    assert (asked, guard.said(TreeSize(10))) == ([3], None)


def _away(*_: object) -> None:
    raise StoreAway(store="ledger", why="no connection")


def test_records_read_before_a_store_went_away_are_read_again(grown: Members) -> None:
    ledger, folder = grown.open("bank-a").view.ledger, grown.folder("bank-a")
    directory = read_directory(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledger, "governed", lambda _after: [])
        enrolment = Enrolment(directory, ledger, folder, "bank-a")
    for lost in ("newest", "state"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ledger, lost, _away)
            with pytest.raises(StoreAway):
                enrolment.renew()
    enrolment.renew()
    assert [term.validators.set_id for term in directory.roll.terms] == [1, 2, 3]
