"""A member that starts signs nothing before enough others have told what they heard of its keys."""

import shutil
import threading
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from hybrid_bridge.adapters.sqlite.epochs import SizedSignature
from hybrid_bridge.adapters.sqlite.ledger import StoredBlock
from hybrid_bridge.core.block import Block, BlockHeader, Countersignature
from hybrid_bridge.core.signing import sign_digest
from hybrid_bridge.errors import BridgeError, Broken, NotYet, SignatureWrong, StoreBroken, Unreachable
from hybrid_bridge.node import hearing as module
from hybrid_bridge.node.directory import member_entry
from hybrid_bridge.node.hearing import Hearing
from hybrid_bridge.node.peer_service import PeerService
from hybrid_bridge.node.witnessing import Watch
from hybrid_bridge.rpc.service import Call, Caller
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.units import Address, Digest, Height, KeyId, TreeSize, UnixSeconds
from tests.unit.hybrid_bridge.node.members import CADENCE, NAMES, START, VALIDATORS, Members, started, with_addresses_of
from tests.unit.hybrid_bridge.node.test_closing import attest_all

FOLLOWERS = [name for name in VALIDATORS if name != "core"]


class Peer:
    """Another member's answer, from its own stores; it may be away, or say something else."""

    def __init__(self, members: Members, name: str, said: pb.SignaturesResponse | None = None) -> None:
        self.name, self._members, self._said = name, members, said

    def signatures(self, address: Address, signer: KeyId) -> pb.SignaturesResponse:
        if self._said is not None:
            return self._said
        service = PeerService(self._members.open(self.name).view, None)  # type: ignore[arg-type]
        call = Call(Caller("somebody", "member"), lambda: True)
        return service.signatures(pb.SignaturesRequest(address=address, signer=signer), call)


class Away(Peer):
    def signatures(self, _address: Address, _signer: KeyId) -> pb.SignaturesResponse:
        raise Unreachable(endpoint=self.name, call="Signatures")


@pytest.fixture(autouse=True)
def no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GRACE", 0.0)
    monkeypatch.setattr(module, "REMINDER", 0.01)


def hearing(members: Members, name: str) -> Hearing:
    opened = members.open(name)
    return Hearing(opened.view, opened.guard)


def heard(members: Members, name: str, peers: Iterable[Peer]) -> bool:
    """Whether `name` speaks after these answers; a thread waits as in a node."""
    hears, view = hearing(members, name), members.open(name).view
    opened = threading.Event()
    for peer in peers:
        try:
            hears.hear(peer)  # type: ignore[arg-type]
        except BridgeError:
            continue
    thread = threading.Thread(target=hears.run, args=(opened.set,))
    thread.start()
    thread.join(0.3 if not hears._is_enough() else 10.0)
    view.progress.stop()
    thread.join(10.0)
    return opened.is_set()


def honest(members: Members, *names: str) -> list[Peer]:
    return [Peer(members, name) for name in names]


def backed_up(members: Members, name: str, tmp_path: Path) -> Path:
    """A copy of a member's stores as they are now."""
    members.opened.pop(name).close()
    return Path(shutil.copytree(members.folder(name), tmp_path / f"backup-{name}"))


def restored(members: Members, name: str, backup: Path) -> None:
    """Yesterday's stores instead of today's; nobody may sign before it has heard."""
    members.opened.pop(name).close()
    shutil.rmtree(members.folder(name))
    shutil.copytree(backup, members.folder(name))
    members.silent = True
    members.open(name)


# ── how many ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["core", "bank-a"])
def test_with_three_others_two_must_have_answered(members: Members, name: str) -> None:
    started(members)
    members.silent = True
    others = [other for other in VALIDATORS if other != name]
    for peers, speaks in (
        ([], False),
        (honest(members, others[0]), False),
        (honest(members, others[0], others[0]), False),
        (honest(members, others[0], "regulator"), False),  # no validator
        ([*honest(members, others[0]), Away(members, others[1]), Away(members, others[2])], False),
        ([*honest(members, *others[:2]), Away(members, others[2])], True),
        (honest(members, *others), True),
    ):
        members.reopen(name)
        assert heard(members, name, peers) is speaks


def test_who_states_a_validators_address_counts_for_nobody_and_a_lacking_card_neither(members: Members) -> None:
    started(members)
    members.silent = True
    view = members.open("core").view
    liar = with_addresses_of(view.directory, "regulator", "bank-b", "supplier")
    lacking = replace(view.directory, known=tuple(m for m in view.directory.known if m.name != "bank-b"))
    for directory, names in ((liar, ("bank-a", "regulator")), (lacking, ("bank-a", "bank-b"))):
        hears = Hearing(replace(view, directory=directory), members.open("core").guard)
        for name in names:
            hears.answered(name)
        assert not hears.permits(directory.validators)
        hears.answered("supplier")
        assert hears.permits(directory.validators)


def test_a_consortium_that_starts_from_nothing_needs_no_word_of_anybody_that_speaks(members: Members) -> None:
    members.silent = True
    for name in NAMES:
        assert heard(members, name, honest(members, *(other for other in VALIDATORS if other != name)))


def test_a_member_alone_needs_nobody(members: Members) -> None:
    view = members.open("core").view
    alone = replace(
        view.directory,
        members=tuple(member for member in view.directory.members if member.name == "core"),
        validators=replace(view.directory.validators, entries=(member_entry(view.directory.member("core")),)),
    )
    members.opened["core"] = replace(members.opened["core"], view=replace(view, directory=alone))
    assert heard(members, "core", [])


def test_a_silent_member_is_asked_until_it_answers(members: Members, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.0)

    class Late(Peer):
        asked = 0

        def signatures(self, address: Address, signer: KeyId) -> pb.SignaturesResponse:
            self.asked += 1
            if self.asked < 4:
                raise Unreachable(endpoint=self.name, call="Signatures")
            return super().signatures(address, signer)

    late = Late(members, "bank-b")
    hearing(members, "bank-a").listen(late)  # type: ignore[arg-type]
    assert late.asked == 4


# ── until then ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_before_that_nothing_is_ordered(members: Members) -> None:
    members.silent = True
    core = members.open("core").view
    with pytest.raises(NotYet):
        core.chain.order(START, members.founding(), core.keys.identity)
    core.chain.speak(None)
    core.chain.order(START, members.founding(), core.keys.identity)


def test_before_that_blocks_are_executed_and_not_countersigned_and_the_newest_is_made_up_for(members: Members) -> None:
    members.open("core")
    members.silent = True
    block = members.order(START, members.founding())
    for name in FOLLOWERS:
        members.accept(name, block)
    view = members.open("bank-a").view
    assert (view.progress.tip, view.witness.of(members.key_id("bank-a"), Height(0))) == (1, [])
    before = view.progress.signed
    assert heard(members, "bank-a", honest(members, "core", "supplier"))
    (word,) = view.witness.of(members.key_id("bank-a"), Height(0))
    assert Countersignature.decode(word).height == 1
    assert view.progress.signed != before  # a held question of a peer ends
    view.chain.speak(view.keys.identity)
    assert view.witness.of(members.key_id("bank-a"), Height(0)) == [word]


# ── restored from a backup ───────────────────────────────────────────────────────────────────────────────────────────


def other_block(members: Members, block: StoredBlock) -> StoredBlock:
    """The sequencer seals another block at the same height."""
    decoded = Block.decode(block.data)
    header: BlockHeader = replace(decoded.header, time=UnixSeconds(decoded.header.time + 1))
    sealed = Countersignature.over(header, members.open("core").view.keys.identity)
    return StoredBlock(Block(header, decoded.items).encode(), sealed.encode())


def test_a_validator_of_yesterday_countersigns_no_other_block_at_a_height_it_signed(
    members: Members, tmp_path: Path
) -> None:
    started(members)
    backup = backed_up(members, "bank-a", tmp_path)
    block = members.order(START + 1)
    members.spread(block)  # bank-a countersigned it, and the others have its word
    restored(members, "bank-a", backup)
    assert heard(members, "bank-a", honest(members, "supplier", "bank-b"))
    members.accept("bank-a", other_block(members, block))
    view = members.open("bank-a").view
    assert view.progress.tip == 2
    assert view.witness.of(members.key_id("bank-a"), Height(1)) == []


def test_a_validator_of_yesterday_goes_on_above_what_it_signed(members: Members, tmp_path: Path) -> None:
    started(members)
    backup = backed_up(members, "bank-a", tmp_path)
    block = members.order(START + 1)
    members.spread(block)
    restored(members, "bank-a", backup)
    assert heard(members, "bank-a", honest(members, "supplier", "bank-b"))
    members.accept("bank-a", block)
    members.accept("bank-a", members.order(START + 2))
    words = members.open("bank-a").view.witness.of(members.key_id("bank-a"), Height(1))
    assert [Countersignature.decode(word).height for word in words] == [3]
    assert members.open("bank-a").view.brake.reason == ""


def test_a_sequencer_of_yesterday_orders_nothing(members: Members, tmp_path: Path) -> None:
    started(members)
    backup = backed_up(members, "core", tmp_path)
    members.spread(members.order(START + 1))
    restored(members, "core", backup)
    core = members.open("core").view
    heard(members, "core", honest(members, "supplier", "bank-b"))
    assert "lost block 2" in core.brake.reason
    with pytest.raises(Broken):
        core.chain.order(UnixSeconds(START + 2), [], core.keys.identity)


def test_a_late_answer_is_judged_as_an_early_one_is(members: Members, tmp_path: Path) -> None:
    started(members)
    backup = backed_up(members, "core", tmp_path)
    members.accept("bank-a", members.order(START + 1))  # nobody else has seen it
    restored(members, "core", backup)
    core = members.open("core").view
    assert heard(members, "core", honest(members, "supplier", "bank-b"))
    core.chain.order(UnixSeconds(START + 2), [], core.keys.identity)
    hearing(members, "core").hear(Peer(members, "bank-a"))  # type: ignore[arg-type]
    assert "another block at height 2" in core.brake.reason


def test_a_sequencer_that_was_only_killed_goes_on(members: Members) -> None:
    started(members)
    members.silent = True
    members.reopen("core")
    assert heard(members, "core", honest(members, *FOLLOWERS))
    core = members.open("core").view
    core.chain.order(UnixSeconds(START + CADENCE), [], core.keys.identity)
    assert (core.progress.tip, core.brake.reason) == (2, "")


# ── attestations ─────────────────────────────────────────────────────────────────────────────────────────────────────


def sized(members: Members, key: bytes, size: int, root: Digest | None = None) -> pb.SizedSignature:
    view = members.open("bank-a").view
    checkpoint = view.directory.checkpoint(TreeSize(size), root or view.logbook.root(TreeSize(1)))
    signed = SizedSignature(TreeSize(size), checkpoint.root, sign_digest(key, checkpoint.digest()))
    return pb.SizedSignature(size=signed.size, root=signed.root, signature=signed.signature)


def test_our_key_seen_elsewhere_pulls_the_brake(members: Members) -> None:
    view = members.open("bank-a").view
    assert view.keys.attestation is not None
    twin = sized(members, view.keys.attestation._private_key, 3)
    hearing(members, "bank-a").hear(Peer(members, "bank-b", pb.SignaturesResponse(newest=[twin])))  # type: ignore[arg-type]
    assert "size 3 in another process" in view.brake.reason


def attested(members: Members) -> bytes:
    """bank-a's key, after it signed size 2 of its own log."""
    started(members).spread(members.order(START + CADENCE))
    for name in VALIDATORS:
        members.close_epoch(name)
    attest_all(members)
    key = members.open("bank-a").view.keys.attestation
    assert key is not None
    return key._private_key


def test_the_root_that_we_signed_is_no_news(members: Members) -> None:
    key, view = attested(members), members.open("bank-a").view
    same = sized(members, key, 2, view.logbook.root(TreeSize(2)))
    hearing(members, "bank-a").hear(Peer(members, "bank-b", pb.SignaturesResponse(newest=[same])))  # type: ignore[arg-type]
    assert (view.brake.reason, view.witness.kept()) == ("", [])


def test_a_second_root_of_a_size_that_we_signed_is_equivocation_and_kept(members: Members) -> None:
    key, view = attested(members), members.open("bank-a").view
    other = sized(members, key, 2, Digest(b"\x07" * 32))
    hearing(members, "bank-a").hear(Peer(members, "bank-b", pb.SignaturesResponse(newest=[other])))  # type: ignore[arg-type]
    assert "two roots of size 2" in view.brake.reason
    (kept,) = view.witness.kept()
    assert (kept.kind, kept.signer, kept.number) == ("checkpoint", view.address, 2)
    assert (kept.first, kept.second) == (view.logbook.root(TreeSize(2)), other.root + other.signature)


class Forgetful:
    """A guard that begins above what its key said before: an import raised the floor."""

    def floor(self) -> TreeSize:
        return TreeSize(3)

    def said(self, _size: TreeSize) -> Digest | None:
        return None


@pytest.mark.parametrize(("root", "halts"), [(None, False), (Digest(b"\x07" * 32), True)])
def test_below_the_floor_of_a_guard_our_own_log_decides(members: Members, root: Digest | None, halts: bool) -> None:
    key, view = attested(members), members.open("bank-a").view
    seen = sized(members, key, 2, root or view.logbook.root(TreeSize(2)))
    peer = Peer(members, "bank-b", pb.SignaturesResponse(newest=[seen]))
    Hearing(view, Forgetful()).hear(peer)  # type: ignore[arg-type]
    assert ("two roots of size 2" in view.brake.reason) is halts


def test_below_the_floor_and_beyond_our_own_log_nothing_can_be_said(members: Members) -> None:
    view = members.open("bank-a").view
    assert view.keys.attestation is not None
    seen = sized(members, view.keys.attestation._private_key, 3)
    peer = Peer(members, "bank-b", pb.SignaturesResponse(newest=[seen]))
    Hearing(view, Forgetful()).hear(peer)  # type: ignore[arg-type]
    assert view.brake.reason == ""


def test_a_made_up_signature_of_our_key_pulls_nothing_and_is_no_answer(members: Members) -> None:
    started(members)
    members.silent = True
    members.reopen("bank-a")
    word = members.open("supplier").view.witness.of(members.key_id("supplier"), Height(0))[0]
    lies = [
        pb.SignaturesResponse(newest=[sized(members, b"\x09" * 32, 2)]),
        pb.SignaturesResponse(newest=[pb.SizedSignature(size=9)]),
        pb.SignaturesResponse(countersignature=word),
        pb.SignaturesResponse(countersignature=b"noise"),
    ]
    for lie in lies:
        with pytest.raises(BridgeError):
            hearing(members, "bank-a").hear(Peer(members, "core", lie))  # type: ignore[arg-type]
        assert not heard(members, "bank-a", [*honest(members, "supplier"), Peer(members, "core", lie)])
        members.reopen("bank-a")
    with pytest.raises(SignatureWrong):
        hearing(members, "bank-a").hear(Peer(members, "core", lies[0]))  # type: ignore[arg-type]
    assert members.open("bank-a").view.brake.reason == ""


def test_the_newest_word_alone_completes_a_quorum(members: Members) -> None:
    members.open("core")
    members.silent = True
    block = members.order(START, members.founding())
    for name in FOLLOWERS:
        members.accept(name, block)
    view = members.open("supplier").view
    for name in ("core", "bank-a"):
        other = members.open(name).view
        if name != "core":
            other.chain.speak(other.keys.identity)
        for word in other.witness.of(members.key_id(name), Height(0)):
            view.witness.add(Countersignature.decode(word))
    watch = Watch(view)
    assert view.progress.final == 0
    view.chain.speak(view.keys.identity)
    watch.judge()
    assert view.progress.final == 1


def test_a_signature_that_a_peer_saw_and_its_database_lost_is_no_answer(
    members: Members, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A standby that was behind took over there: until its node ends by that, it must not tell us that it saw none."""
    ours, view = members.open("supplier").view.address, members.open("bank-a").view
    assert ours is not None
    assert not Peer(members, "bank-a").signatures(ours, members.key_id("supplier")).newest
    monkeypatch.setattr(view.epochs, "newest_attested", lambda _address: TreeSize(5))
    with pytest.raises(StoreBroken):
        Peer(members, "bank-a").signatures(ours, members.key_id("supplier"))
