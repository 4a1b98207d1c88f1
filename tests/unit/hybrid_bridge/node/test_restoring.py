"""A validator whose guard is of yesterday asks the others what its key has said, and believes none of them."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from hybrid_bridge.adapters.grpc_member.log import NotedCheckpoint
from hybrid_bridge.adapters.grpc_member.peer import Marks
from hybrid_bridge.adapters.sqlite.guard import SqlGuard
from hybrid_bridge.core.checkpoint import format_note, parse_note, quorum_line
from hybrid_bridge.core.encoding import ZERO, sha256
from hybrid_bridge.core.guard import Highest, History, Statement
from hybrid_bridge.core.signing import sign_digest
from hybrid_bridge.errors import (
    BelowQuorum,
    Equivocation,
    FieldMismatch,
    GuardRefused,
    HeadConflict,
    KeyUnusable,
    Missing,
    NotYet,
    RootMismatch,
    SignatureWrong,
    StoreBroken,
    Unreachable,
)
from hybrid_bridge.node import restoring
from hybrid_bridge.node.attesting import Attester
from hybrid_bridge.node.audit_service import AuditService
from hybrid_bridge.node.bundling import Bundler
from hybrid_bridge.node.founding import Foundation
from hybrid_bridge.node.hearing import Hearing
from hybrid_bridge.node.log_service import LogService
from hybrid_bridge.node.peer_service import PeerService
from hybrid_bridge.node.restoring import Network, make_guard
from hybrid_bridge.rpc.service import Call, Caller
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.units import Address, Digest, KeyId, TreeSize, UnixSeconds
from tests.unit.hybrid_bridge.node.members import CADENCE, START, VALIDATORS, Members, with_addresses_of
from tests.unit.hybrid_bridge.node.test_closing import with_epochs

ME = "bank-a"
OTHERS = [name for name in VALIDATORS if name != ME]
CALL = Call(Caller("somebody", "member"), lambda: True)


class Peer:
    """Another member's answers from its own stores, as the wire would carry them; a liar's subclass changes some."""

    def __init__(self, members: Members, name: str) -> None:
        self.name, self._members, self._view = name, members, members.open(name).view
        self._service = PeerService(self._view, None)  # type: ignore[arg-type]
        self._log = LogService(self._view)

    @property
    def log(self) -> "Peer":
        return self

    def signatures(self, address: Address, signer: KeyId) -> pb.SignaturesResponse:
        return self._service.signatures(pb.SignaturesRequest(address=address, signer=signer), CALL)

    def witness(self, marks: Marks, _wait: float) -> pb.WitnessResponse:
        request = pb.WitnessRequest(
            after_height=marks.height, after_size=marks.size, after_line=marks.line, after_cosigned=marks.cosigned
        )
        return self._service.witness(request, CALL)

    def newest_quorum_size(self) -> TreeSize:
        return TreeSize(self._log.newest(pb.NewestRequest(), CALL).quorum_size)

    def checkpoint(self, size: TreeSize) -> NotedCheckpoint:
        answer = self._log.checkpoint(pb.CheckpointRequest(size=size), CALL)
        return NotedCheckpoint(TreeSize(answer.size), answer.note, ())

    def proven_checkpoint(self, size: TreeSize) -> bytes:
        service = AuditService(self._view, Bundler(self._view, lambda _: b""))
        return service.checkpoint(pb.CheckpointRequest(size=size), CALL).bundle

    def proposal(self, leaf: Digest) -> bytes:
        found = self._members.open(self.name).enrolment.store.with_record(leaf)
        if found is None:
            raise NotYet(what="the proposal")
        return found.encode()

    def consistency_path(self, old: TreeSize, new: TreeSize) -> Sequence[Digest]:
        answer = self._log.consistency(pb.ConsistencyRequest(old_size=old, new_size=new), CALL)
        return [Digest(node) for node in answer.path]


class Away(Peer):
    def signatures(self, address: Address, signer: KeyId) -> pb.SignaturesResponse:
        raise Unreachable(endpoint=self.name, call="Signatures")


class WrongPath(Peer):
    def consistency_path(self, old: TreeSize, new: TreeSize) -> Sequence[Digest]:
        return [ZERO for _ in super().consistency_path(old, new)]


class TooFew(Peer):
    """Shows a note with a signature less than a quorum."""

    def checkpoint(self, size: TreeSize) -> NotedCheckpoint:
        shown = super().checkpoint(size)
        note = parse_note(shown.note)
        kept = [line for line in note.lines if "/v/" in line.name][:2]
        return replace(shown, note=replace(note, lines=tuple(kept)).text())


class Elsewhere(Peer):
    """The same signatures under the name of another log."""

    def checkpoint(self, size: TreeSize) -> NotedCheckpoint:
        shown = super().checkpoint(size)
        origin, directory = "elsewhere.example/log", self._view.directory
        signed = self._view.epochs.signatures(shown.size, self._view.logbook.root(shown.size))
        checkpoint = self._view.logbook.checkpoint(shown.size)
        lines = [
            quorum_line(origin, address, checkpoint.timestamp, directory.validators.set_id, signature)
            for address, signature in sorted(signed.items())
        ]
        return replace(shown, note=format_note(origin, shown.size, checkpoint.root, lines))


class MadeUp(Peer):
    """Shows as ours what another key signed."""

    def signatures(self, address: Address, signer: KeyId) -> pb.SignaturesResponse:
        mine = self._view.address
        assert mine is not None
        return super().signatures(mine, signer)


def keys(members: Members) -> dict[str, bytes]:
    found = {name: members.open(name).view.keys.attestation for name in VALIDATORS}
    return {name: key._private_key for name, key in found.items()}  # type: ignore[union-attr]


def sign(members: Members, *names: str, heard_by: Sequence[str] = VALIDATORS) -> None:
    """These validators sign what they closed, and their words reach some."""
    for name in names:
        opened = members.open(name)
        view, guard, key = opened.view, opened.guard, opened.view.keys.attestation
        assert guard is not None
        assert key is not None
        Attester(view.logbook, guard, key, view.brake).sign_all(view.progress)
        for signed in view.epochs.attested(key.address(), TreeSize(0)):
            for other in heard_by:
                members.open(other).view.logbook.take_attestation(key.address(), signed)


@pytest.fixture(scope="module")
def grown(laid: tuple[Foundation, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Members]:
    """A log of size 4 that all validators signed, and every word reached everybody. Asked only, never changed."""
    foundation, root = laid
    folder = tmp_path_factory.mktemp("grown") / "out"
    shutil.copytree(root, folder)
    members = Members(folder, foundation)
    with members.stack:
        with_epochs(members, 3)
        sign(members, *VALIDATORS)
        yield members


def network(members: Members, *peers: Peer) -> Network:
    asked = peers or [Peer(members, name) for name in OTHERS]
    return Network(members.open(ME).view.directory, ME, asked, UnixSeconds(START))


def at(members: Members, size: int) -> Highest:
    return Highest(TreeSize(size), members.open("core").view.logbook.root(TreeSize(size)))


def genesis(members: Members) -> Highest:
    return at(members, 1)


def statement(members: Members, size: int) -> Statement:
    checkpoint = members.open("core").view.logbook.checkpoint(TreeSize(size))
    return Statement(TreeSize(size), checkpoint.root, checkpoint.digest())


# ── what is told ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_floor_is_the_highest_that_a_quorum_has_signed(grown: Members) -> None:
    told = network(grown).told(genesis(grown))
    assert told.history == History(at(grown, 4), (statement(grown, 4),))
    assert (told.answered, told.silent) == (tuple(OTHERS), {})


@pytest.mark.parametrize("size", [2, 3, 4])
def test_it_extends_what_the_guard_knows(grown: Members, size: int) -> None:
    assert network(grown).told(at(grown, size)).history.floor == at(grown, 4)


def test_a_guard_that_knows_more_than_anybody_keeps_its_highest(grown: Members) -> None:
    ours = Highest(TreeSize(9), ZERO)
    assert network(grown).told(ours).history.floor == ours


def test_a_log_without_any_quorum_raises_nothing(members: Members) -> None:
    assert network(members).told(genesis(members)).history == History(genesis(members))


def test_what_our_key_signed_above_every_quorum_is_told_too(members: Members) -> None:
    with_epochs(members, 3)
    sign(members, ME, "core", heard_by=["supplier"])
    told = network(members).told(genesis(members))
    assert told.history == History(genesis(members), (statement(members, 4),))


# ── who is believed ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("liar", "error"),
    [
        (WrongPath, RootMismatch),
        (TooFew, BelowQuorum),
        (Elsewhere, FieldMismatch),
        (MadeUp, SignatureWrong),
        (Away, Unreachable),
    ],
)
def test_a_false_answer_is_none_and_stops_nobody(grown: Members, liar: type[Peer], error: type[Exception]) -> None:
    peers = liar(grown, "core"), Peer(grown, "supplier"), Peer(grown, "bank-b")
    told = network(grown, *peers).told(genesis(grown))
    assert told.history.floor == at(grown, 4)
    assert told.answered == ("supplier", "bank-b")
    assert told.silent["core"].startswith(error.__name__)


def test_what_is_broken_here_is_nobodys_answer(grown: Members) -> None:
    class Torn(Peer):
        def signatures(self, address: Address, signer: KeyId) -> pb.SignaturesResponse:
            raise StoreBroken(store="ours", rule="readable")

    with pytest.raises(StoreBroken):
        network(grown, Torn(grown, "core"), Peer(grown, "supplier"), Peer(grown, "bank-b")).told(genesis(grown))


@pytest.mark.parametrize("liar", [WrongPath, TooFew, MadeUp])
def test_too_few_true_answers_and_a_false_one_are_refuted(grown: Members, liar: type[Peer]) -> None:
    peers = Away(grown, "core"), liar(grown, "supplier"), Peer(grown, "bank-b")
    with pytest.raises((RootMismatch, BelowQuorum, SignatureWrong)) as refuted:
        network(grown, *peers).told(genesis(grown))
    assert [note.split(":")[0] for note in refuted.value.__notes__] == ["core", "supplier"]


def test_a_member_that_is_no_validator_counts_for_nobody(grown: Members) -> None:
    peers = Peer(grown, "regulator"), Peer(grown, "bank-b"), Away(grown, "core")
    with pytest.raises(Missing, match="2 other validators, 1 gave one"):
        network(grown, *peers).told(genesis(grown))


def test_who_states_a_validators_address_counts_for_nobody(grown: Members) -> None:
    asked = network(grown, Peer(grown, "regulator"), Peer(grown, "bank-b"), Away(grown, "core"))
    directory = with_addresses_of(asked.directory, "regulator", "core", "supplier")
    with pytest.raises(Missing, match="2 other validators, 1 gave one"):
        replace(asked, directory=directory).told(genesis(grown))


def test_a_member_that_attests_nothing_has_no_guard(grown: Members) -> None:
    with pytest.raises(KeyUnusable):
        replace(network(grown), name="regulator").address  # noqa: B018 the property raises


def test_a_quorum_against_what_our_guard_knows_is_refuted(grown: Members) -> None:
    for size in (2, 4):
        with pytest.raises(RootMismatch):
            network(grown).told(Highest(TreeSize(size), ZERO))


class Forked(Peer):
    """A quorum of thieves' signatures under another history, from the genesis on."""

    secrets: dict[str, bytes]
    size = TreeSize(2)

    def witness(self, marks: Marks, _wait: float) -> pb.WitnessResponse:
        request = pb.WitnessRequest(
            after_height=marks.height, after_size=marks.size, after_line=marks.line, after_cosigned=marks.cosigned
        )
        return self._service.witness(request, CALL)

    def newest_quorum_size(self) -> TreeSize:
        return self.size

    def checkpoint(self, size: TreeSize) -> NotedCheckpoint:
        directory = self._view.directory
        checkpoint = directory.checkpoint(self.size, self.root())
        digest = checkpoint.digest()
        found = {directory.member(name).address: sign_digest(key, digest) for name, key in self.secrets.items()}
        lines = [
            quorum_line(directory.origin, Address(address or b""), checkpoint.timestamp, checkpoint.set_id, signature)
            for address, signature in sorted(found.items())
        ]
        return NotedCheckpoint(self.size, format_note(directory.origin, self.size, checkpoint.root, lines), ())

    def root(self) -> Digest:
        log_id = self._view.directory.log_id
        return sha256(b"\x01" + log_id + sha256(b"\x00other epoch"))

    def consistency_path(self, old: TreeSize, new: TreeSize) -> Sequence[Digest]:
        return [sha256(b"\x00other epoch")] if old == 1 else []


def test_two_quorums_for_two_roots_of_one_size_are_an_end(members: Members) -> None:
    with_epochs(members, 1)
    sign(members, *VALIDATORS)
    liar = Forked(members, "core")
    liar.secrets = keys(members)
    with pytest.raises(Equivocation) as refuted:
        network(members, liar, Peer(members, "supplier"), Peer(members, "bank-b")).told(genesis(members))
    assert (refuted.value.signer, refuted.value.number) == ("a quorum", 2)


def test_two_roots_that_our_key_signed_are_an_end(grown: Members) -> None:
    key = keys(grown)[ME]

    class Shown(Peer):
        def signatures(self, address: Address, signer: KeyId) -> pb.SignaturesResponse:
            checkpoint = self._view.directory.checkpoint(TreeSize(4), ZERO)
            seen = pb.SizedSignature(size=4, root=ZERO, signature=sign_digest(key, checkpoint.digest()))
            return pb.SignaturesResponse(newest=[seen])

    with pytest.raises(Equivocation) as refuted:
        network(grown, Shown(grown, "core"), Peer(grown, "supplier"), Peer(grown, "bank-b")).told(genesis(grown))
    assert (refuted.value.number, refuted.value.first) == (4, ZERO)


# ── the public chain ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("size", [1, 3, 4])
def test_the_floor_extends_what_the_public_chain_holds(grown: Members, size: int) -> None:
    assert network(grown).told(genesis(grown), at(grown, size)).history.floor == at(grown, 4)


@pytest.mark.parametrize("size", [3, 4])
def test_another_history_on_the_public_chain_is_refuted(grown: Members, size: int) -> None:
    with pytest.raises(RootMismatch):
        network(grown).told(genesis(grown), Highest(TreeSize(size), ZERO))


def test_another_root_on_the_public_chain_than_our_guards_is_refuted(grown: Members) -> None:
    with pytest.raises(HeadConflict):
        network(grown).told(Highest(TreeSize(9), ZERO), Highest(TreeSize(9), sha256(b"")))


def test_a_public_head_that_nobody_knows_sets_no_floor(grown: Members) -> None:
    with pytest.raises(Missing, match="size 5"):
        network(grown).told(genesis(grown), Highest(TreeSize(5), ZERO))


# ── and then ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_validator_of_yesterday_signs_on_after_an_import(members: Members, tmp_path: Path) -> None:
    with_epochs(members, 1)
    sign(members, *VALIDATORS)
    members.opened.pop(ME).close()
    backup = shutil.copy(members.folder(ME) / "guard.db", tmp_path / "guard.db")
    members.open(ME)
    with_more(members, 2)
    sign(members, ME, "core", heard_by=["core", "supplier"])  # size 3, without a quorum
    members.opened.pop(ME).close()
    shutil.copy(backup, members.folder(ME) / "guard.db")
    opened = members.open(ME)
    view, guard = opened.view, opened.guard
    assert guard is not None
    assert guard.highest()[0] == 2
    assert view.address is not None
    told = network(members).told(Highest(*guard.highest()))
    assert guard.absorb(view.address, told.history).signed == (statement(members, 3),)
    hears = Hearing(view, guard)
    for name in OTHERS:
        hears.hear(Peer(members, name))  # type: ignore[arg-type]
    assert view.brake.reason == ""
    with_more(members, 3)
    sign(members, *VALIDATORS)
    assert members.open("core").view.progress.quorum == 4
    assert guard.highest() == (4, view.logbook.root(TreeSize(4)))


def with_more(members: Members, number: int) -> None:
    members.spread(members.order(START + number * CADENCE))
    for name in VALIDATORS:
        members.close_epoch(name)


def test_sizes_that_an_imported_guard_would_refuse_are_not_asked_for(members: Members) -> None:
    with_epochs(members, 4)
    opened = members.open(ME)
    view, guard, key = opened.view, opened.guard, opened.view.keys.attestation
    assert guard is not None
    assert key is not None
    guard.absorb(key.address(), History(genesis(members), (statement(members, 3), statement(members, 4))))
    Attester(view.logbook, guard, key, view.brake).sign_all(view.progress)
    assert [signed.size for signed in view.epochs.attested(key.address(), TreeSize(0))] == [3, 4, 5]


# ── a guard where there is none ──────────────────────────────────────────────────────────────────────────────────────


def test_a_new_guard_knows_at_once_what_was_told(grown: Members, tmp_path: Path) -> None:
    """Case 31, after a restore."""
    asked, path = network(grown), tmp_path / "guard.db"
    told = asked.told(genesis(grown))
    make_guard(path, asked.directory, asked.address, told.history)
    assert [file.name for file in tmp_path.iterdir() if "guard" in file.name] == ["guard.db"]
    guard = SqlGuard(path)
    guard.open(asked.directory.log_id, asked.address)
    try:
        assert guard.history() == told.history
        with pytest.raises(GuardRefused):
            guard.permit(TreeSize(3), ZERO, ZERO, [])
    finally:
        guard.close()


def test_a_guard_is_made_once_and_never_over_another(grown: Members, tmp_path: Path) -> None:
    asked, path = network(grown), tmp_path / "guard.db"
    path.write_bytes(b"a guard")
    with pytest.raises(StoreBroken):
        make_guard(path, asked.directory, asked.address, History(genesis(grown)))
    assert path.read_bytes() == b"a guard"


def test_what_contradicts_the_log_makes_no_guard(grown: Members, tmp_path: Path) -> None:
    asked, path = network(grown), tmp_path / "guard.db"
    with pytest.raises(Equivocation):
        make_guard(path, asked.directory, asked.address, History(Highest(TreeSize(1), ZERO)))
    assert not path.exists()


def test_a_file_whose_log_was_not_written_into_it_is_not_taken_for_a_guard(
    grown: Members, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Held(SqlGuard):
        def close(self) -> None:
            super().close()
            (tmp_path / "guard.new-wal").touch()

    monkeypatch.setattr(restoring, "SqlGuard", Held)
    asked, path = network(grown), tmp_path / "guard.db"
    with pytest.raises(StoreBroken, match="without a log"):
        make_guard(path, asked.directory, asked.address, History(genesis(grown)))
    assert not path.exists()


def test_what_a_dead_process_left_is_thrown_away(grown: Members, tmp_path: Path) -> None:
    asked, path = network(grown), tmp_path / "guard.db"
    for name in ("guard.new", "guard.new-wal", "guard.new-shm"):
        (tmp_path / name).write_bytes(b"half a guard")
    make_guard(path, asked.directory, asked.address, History(at(grown, 3)))
    assert [file.name for file in tmp_path.iterdir() if "guard" in file.name] == ["guard.db"]
