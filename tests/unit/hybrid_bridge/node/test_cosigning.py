"""Lines beside the quorum: validators' ML-DSA-44, members' cosignatures, witnesses'. Kept, told, shown, verified."""

import itertools
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from hybrid_bridge.adapters.grpc_member.peer import Marks
from hybrid_bridge.adapters.sqlite.cosigned import SqlCosigned
from hybrid_bridge.adapters.web.serving import WebServer
from hybrid_bridge.adapters.web.witness import Witness
from hybrid_bridge.core.bundle import WitnessAnchor
from hybrid_bridge.core.checkpoint import Note, parse_note
from hybrid_bridge.core.cosigning import MAX_REQUEST
from hybrid_bridge.core.encoding import canonical_json, parse_canonical_json
from hybrid_bridge.core.keys import PrivateKey
from hybrid_bridge.core.note import TYPE_COSIGNATURE, TYPE_ED25519, VerifierKey, cosign
from hybrid_bridge.core.trust import Trust, TrustedLog
from hybrid_bridge.errors import BridgeError, FieldMalformed, FieldMismatch, GuardRefused, SettingsMalformed
from hybrid_bridge.node import peer_service
from hybrid_bridge.node.attesting import Attester
from hybrid_bridge.node.bundling import BundleOrder, Bundler
from hybrid_bridge.node.cosigning import Cosigner, Witnessed, witnesses_of
from hybrid_bridge.node.directory import read_directory
from hybrid_bridge.node.peer_service import PeerService
from hybrid_bridge.node.progress import Progress
from hybrid_bridge.node.witnessing import Watch
from hybrid_bridge.rpc.service import Call, Caller
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.steps.verify import verify
from hybrid_bridge.units import Digest, EpochNumber, TreeSize, UnixSeconds
from tests.bundles import flip
from tests.unit.hybrid_bridge.node.members import CADENCE, NAMES, START, VALIDATORS, Members, started
from tests.unit.hybrid_bridge.node.test_post_quantum import quantum as quantum  # noqa: PLC0414 a fixture

SIZE = TreeSize(2)
NOTHING = Marks(height=0, size=TreeSize(0), line=TreeSize(0), cosigned=TreeSize(0))


def closed(members: Members, epochs: int = 1) -> Members:
    started(members)
    for number in range(1, epochs + 1):
        members.spread(members.order(START + number * CADENCE))
        for name in VALIDATORS:
            members.close_epoch(name)
    attest(members)
    return members


def attest(members: Members) -> None:
    """Every validator signs what it closed, by both keys if it has two; nobody hears of it yet."""
    for name in VALIDATORS:
        opened, keys = members.open(name), members.open(name).view.keys
        assert opened.guard is not None
        assert keys.attestation is not None
        view = opened.view
        Attester(view.logbook, opened.guard, keys.attestation, view.brake, keys.mldsa).sign_all(view.progress)
    core = members.open("core").view
    assert core.keys.log is not None
    core.logbook.sign_lines(core.keys.log, core.keys.log_mldsa)


class Peer:
    """What another member's service says, perhaps changed on its way."""

    def __init__(self, members: Members, name: str, change: object = None) -> None:
        self.name, self._members, self._change = name, members, change

    def witness(self, marks: Marks, _wait: float) -> pb.WitnessResponse:
        service = PeerService(self._members.open(self.name).view, None)  # type: ignore[arg-type]
        request = pb.WitnessRequest(
            after_height=marks.height, after_size=marks.size, after_line=marks.line, after_cosigned=marks.cosigned
        )
        answer = service.witness(request, Call(Caller("somebody", "member"), lambda: True))
        if self._change is not None:
            self._change(answer)  # type: ignore[operator]
        return answer


def told(members: Members, name: str, *peers: str) -> None:
    for peer in peers or VALIDATORS:
        if peer != name:
            Watch(members.open(name).view).ask(Peer(members, peer), 0.0)  # type: ignore[arg-type]


def names_of(members: Members, name: str, size: TreeSize = SIZE) -> list[str]:
    note = parse_note(members.open(name).view.logbook.note(size))
    return [line.name.removeprefix(note.origin) for line in note.lines]


# ── when they are told ───────────────────────────────────────────────────────────────────────────────────────────────


def asked(members: Members, *, attested: TreeSize, wait: float, active: Callable[[], bool] = lambda: True):
    """What core tells who has all of its words, its attestations up to a size, and no line."""
    view = members.open("core").view
    request = pb.WitnessRequest(after_height=view.progress.tip, after_size=attested, wait_ms=int(wait * 1000))
    return PeerService(view, None).witness(request, Call(Caller("somebody", "member"), active))  # type: ignore[arg-type]


def sizes(rows: Iterable[pb.SizedSignature]) -> list[int]:
    return [row.size for row in rows]


def test_lines_wait_a_moment_for_a_word_to_go_with(members: Members, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five answers an epoch to each peer become two; a word or an attestation waits for nothing."""
    monkeypatch.setattr(peer_service, "LINGER", 3600.0)
    closed(members)
    at_once = asked(members, attested=TreeSize(0), wait=20)
    assert (sizes(at_once.attestations), sizes(at_once.log_lines)) == ([SIZE], [SIZE])
    waits = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        later = pool.submit(asked, members, attested=SIZE, wait=20, active=lambda: waits.set() or True)
        assert waits.wait(20)
        members.order(START + 2 * CADENCE)
        answer = later.result(60)
    assert (len(answer.countersignatures), sizes(answer.log_lines)) == (1, [SIZE])


def test_lines_that_no_word_comes_for_are_told_after_a_moment(
    members: Members, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed(members)
    monkeypatch.setattr(peer_service, "LINGER", 0.01)
    assert sizes(asked(members, attested=SIZE, wait=20).log_lines) == [SIZE]
    monkeypatch.setattr(peer_service, "LINGER", 3600.0)
    assert sizes(asked(members, attested=SIZE, wait=0.01).log_lines) == [SIZE]  # nor longer than who asks waits
    assert sizes(asked(members, attested=SIZE, wait=20, active=lambda: False).log_lines) == [SIZE]
    monkeypatch.setattr(peer_service, "MAX_ROWS", 1)
    assert sizes(asked(members, attested=SIZE, wait=20).log_lines) == [SIZE]  # of many, the next are asked for at once


def test_lines_that_are_signed_while_others_wait_go_with_them(
    members: Members, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed(members)
    monkeypatch.setattr(peer_service, "LINGER", 0.05)
    later = members.open("core").view.epochs.add_line

    def active() -> bool:
        later(TreeSize(3), b"a line")
        return True

    assert sizes(asked(members, attested=SIZE, wait=20, active=active).log_lines) == [SIZE, 3]


@pytest.mark.parametrize("attested", [SIZE, TreeSize(0)])
def test_numbers_that_rise_without_end_hold_no_answer_beyond_its_time(
    members: Members, monkeypatch: pytest.MonkeyPatch, attested: TreeSize
) -> None:
    closed(members)
    number, looks = itertools.count(), itertools.count()
    monkeypatch.setattr(Progress, "signed", property(lambda _: (next(number),) * 5))
    asked(members, attested=attested, wait=0, active=lambda: next(looks) < 100)
    assert next(looks) == 0


# ── ML-DSA-44 of validators ──────────────────────────────────────────────────────────────────────────────────────────


def test_every_validator_holds_a_key_that_its_binding_names(quantum: Members) -> None:
    held = [(quantum.folder(name) / "keys" / "mldsa.key").exists() for name in NAMES]
    assert held == [name in VALIDATORS for name in NAMES]
    keys = {member.mldsa_key for member in quantum.open("core").view.directory.members if member.address}
    assert len(keys) == len(VALIDATORS)
    assert None not in keys


def test_a_key_that_the_binding_does_not_name_is_refused(quantum: Members) -> None:
    path = quantum.folder("core") / "members.json"
    document = parse_canonical_json(path.read_bytes(), "members", 1 << 20)
    one, other = (row for row in document["members"] if row["name"] in ("core", "bank-a"))
    one["mldsa_key"] = other["mldsa_key"]
    path.write_bytes(canonical_json(document))
    with pytest.raises(FieldMismatch):
        read_directory(quantum.folder("core"))


def test_their_lines_travel_with_attestations_and_the_bundle_verifies(quantum: Members) -> None:
    members = closed(quantum)
    told(members, "core")
    assert sorted(names_of(members, "core")) == sorted(["", "", *2 * [f"/v/{address(members, n)}" for n in VALIDATORS]])
    made = bundle(members, "core")
    assert [validator.mldsa_key is None for validator in made.genesis.validators] == [False] * 4
    assert judged(made, members).complete
    assert made.anchors == ()
    assert len(parse_note(made.checkpoints[0].note).lines) == 10


def address(members: Members, name: str) -> str:
    return (members.open("core").view.directory.member(name).address or b"").hex()


def test_a_wrong_line_is_refused_and_the_attestation_beside_it_counts(quantum: Members) -> None:
    members = closed(quantum)

    def spoilt(answer: pb.WitnessResponse) -> None:
        answer.attestations[0].mldsa = flip(answer.attestations[0].mldsa)

    def short(answer: pb.WitnessResponse) -> None:
        answer.attestations[0].mldsa = b"short"

    for name, change in (("bank-a", spoilt), ("supplier", short)):
        with pytest.raises(BridgeError):
            Watch(members.open("bank-b").view).ask(Peer(members, name, change), 0.0)  # type: ignore[arg-type]
    view = members.open("bank-b").view
    assert [line.name[-40:] for line in view.epochs.cosignatures(SIZE)] == [address(members, "bank-b")]
    assert len(view.epochs.signatures(SIZE, view.logbook.root(SIZE))) == 3  # its own and theirs


def test_a_line_of_a_validator_without_such_a_key_is_refused(members: Members) -> None:
    closed(members)

    def added(answer: pb.WitnessResponse) -> None:
        answer.attestations[0].mldsa = bytes(2428)

    with pytest.raises(FieldMalformed):
        Watch(members.open("bank-b").view).ask(Peer(members, "bank-a", added), 0.0)  # type: ignore[arg-type]


def test_what_the_guard_refuses_gets_no_second_line_either(quantum: Members) -> None:
    members = closed(quantum)
    opened = members.open("bank-a")
    view = opened.view

    class Elsewhere:
        """A guard that has heard this key say something else."""

        def __getattr__(self, name: str) -> object:
            return getattr(opened.guard, name)

        def floor(self) -> TreeSize:
            return TreeSize(1)

        def permit(self, size: TreeSize, *_rest: object) -> None:
            raise GuardRefused(rule="double", size=size)

    members.spread(members.order(START + 2 * CADENCE))
    members.close_epoch("bank-a")
    assert view.keys.attestation is not None
    attester = Attester(view.logbook, Elsewhere(), view.keys.attestation, view.brake, view.keys.mldsa)  # type: ignore[arg-type]
    with pytest.raises(GuardRefused):
        attester.sign_all(view.progress)
    assert view.epochs.cosignatures(TreeSize(3)) == []


# ── cosignatures of members ──────────────────────────────────────────────────────────────────────────────────────────


def cosigned(members: Members, *names: str) -> None:
    for name in names:
        told(members, name)
        Cosigner(members.open(name).view).cosign_newest()


def test_a_member_cosigns_what_has_a_quorum_and_all_hear_of_it(members: Members) -> None:
    closed(members)
    Cosigner(members.open("bank-a").view).cosign_newest()  # it has no quorum yet
    assert members.open("bank-a").view.epochs.cosignatures(SIZE) == []
    cosigned(members, "bank-a", "supplier")
    told(members, "core")
    assert names_of(members, "core")[-2:] == ["/m/bank-a", "/m/supplier"]
    view = members.open("core").view
    before = [line.signature for line in view.epochs.cosignatures(SIZE)]
    members.clock.moment += 50
    cosigned(members, "bank-a", "supplier")
    told(members, "core")
    assert [line.signature for line in view.epochs.cosignatures(SIZE)] == before  # once a size
    members.reopen("bank-a")
    assert Cosigner(members.open("core").view).newest_of("bank-a") == SIZE


def test_only_the_newest_is_cosigned_and_nothing_after_the_brake(members: Members) -> None:
    closed(members, 2)
    cosigned(members, "bank-a")
    view = members.open("bank-a").view
    assert (view.epochs.cosignatures(SIZE), len(view.epochs.cosignatures(TreeSize(3)))) == ([], 1)
    told(members, "bank-b")
    members.open("bank-b").view.brake.pull("a test")
    cosigned(members, "bank-b")
    assert len(members.open("bank-b").view.epochs.cosignatures(TreeSize(3))) == 1  # bank-a's


def test_a_member_that_has_not_caught_up_by_the_clock_cosigns_nothing(members: Members) -> None:
    closed(members)
    told(members, "bank-a")
    for late, count in ((62, 0), (60, 1)):  # seconds after the newest checkpoint that it holds
        members.clock.moment = START + CADENCE + late
        Cosigner(members.open("bank-a").view).cosign_newest()
        assert len(members.open("bank-a").view.epochs.cosignatures(SIZE)) == count


def test_a_cosignature_over_another_root_is_evidence_and_is_not_asked_for_at_once(members: Members) -> None:
    closed(members)
    told(members, "core")
    view = members.open("core").view
    key, root = view.directory.cosigner("bank-a"), Digest(b"\x07" * 32)
    assert key is not None
    body = Note(view.directory.origin, SIZE, root).body()
    line = cosign(key.name, members.open("bank-a").view.keys.identity, START, body)

    def lying(answer: pb.WitnessResponse) -> None:
        answer.cosignatures.append(pb.SizedSignature(size=SIZE, root=root, signature=line.signature))

    assert Watch(view).ask(Peer(members, "bank-a", lying), 0.0)  # type: ignore[arg-type]
    (kept,) = view.witness.kept()
    assert (kept.kind, kept.signer, kept.number) == ("cosignature", key.key, SIZE)
    assert view.epochs.cosignatures(SIZE) == []


def test_a_cosignature_that_is_none_or_comes_too_early_is_not_kept(members: Members) -> None:
    closed(members)
    cosigned(members, "bank-a")
    view = members.open("core").view
    for change in (
        lambda answer: answer.cosignatures[0].__setattr__("signature", bytes(72)),
        lambda answer: answer.cosignatures[0].__setattr__("root", b"short"),
    ):
        with pytest.raises(BridgeError):
            Watch(view).ask(Peer(members, "bank-a", change), 0.0)  # type: ignore[arg-type]
    assert Watch(view).ask(  # type: ignore[arg-type]
        Peer(members, "bank-a", lambda answer: answer.cosignatures[0].__setattr__("size", 9)), 0.0
    )
    assert view.epochs.cosignatures(SIZE) == []


def test_a_bundle_has_them_on_request_and_names_who_cosigned(members: Members) -> None:
    closed(members)
    cosigned(members, "bank-a", "supplier")
    told(members, "core")
    key = members.open("core").view.directory.cosigner("bank-a")
    assert key is not None
    assert bundle(members, "core").anchors == ()
    made = bundle(members, "core", cosigned=True)
    assert made.anchors == tuple(
        WitnessAnchor(tree_size=SIZE, name=f"{made.genesis.origin}/m/{name}") for name in ("bank-a", "supplier")
    )
    policy = f"witness bank {key.text()}\nquorum bank\n"
    evidence = judged(made, members, tlog_policy=policy)
    assert evidence.complete
    assert evidence.verdict("witnesses").detail.startswith("policy met by size 2: bank at ")


def bundle(members: Members, name: str, *, cosigned: bool = False):
    order = BundleOrder(
        purpose="checkpoint", records=(), labels=(), size=SIZE, label_epoch=EpochNumber(0), cosigned=cosigned
    )
    return Bundler(members.open(name).view, lambda _size: b"").bundle(order)


def judged(made, members: Members, **trust: str):
    log = TrustedLog(log_id=members.foundation.genesis.log_id)
    required = Trust(logs=(log,), require=("integrity", "quorum"), **trust)
    return verify(made.encode(), required, UnixSeconds(START + CADENCE))


# ── witnesses ────────────────────────────────────────────────────────────────────────────────────────────────────────

KEY = PrivateKey.from_seed(b"\x07" * 32)
WITNESS = VerifierKey("w.example", TYPE_COSIGNATURE, KEY.public.spki[-32:])


@contextmanager
def witness(folder: Path, members: Members) -> Iterator[str]:
    """A witness of this log, on loopback; its URL."""
    directory = members.open("core").view.directory
    log = VerifierKey(directory.origin, TYPE_ED25519, directory.log_key)
    store = SqlCosigned(folder / "witness.db")
    store.create(WITNESS.text())
    store.open(WITNESS.text())
    served = Witness(store, [log], lambda body: [cosign("w.example", KEY, 5, body)])
    server = WebServer("127.0.0.1", 0, served.handle, MAX_REQUEST)
    server.start()
    with closing(store), closing(server):
        yield f"http://127.0.0.1:{server.port}"


def test_a_configured_witness_is_asked_for_each_newest_note(members: Members, tmp_path: Path) -> None:
    closed(members)
    told(members, "core")
    view = members.open("core").view
    with witness(tmp_path, members) as url:
        policy = f"witness outside {WITNESS.text()} {url}\nwitness silent {other_key()}\nquorum outside\n"
        (asked,) = witnesses_of(view, policy.encode(), "witnesses.policy")
        asked.ask()
        asked.ask()
        members.spread(members.order(START + 2 * CADENCE))
        for name in VALIDATORS:
            members.close_epoch(name)
        attest(members)
        told(members, "core")
        asked.ask()
        assert names_of(members, "core")[-1:] == names_of(members, "core", TreeSize(3))[-1:] == ["w.example"]
        late = Witnessed(view, url, [WITNESS])
        late._done = TreeSize(0)
        view.progress._numbers["quorum"] = 2  # as at a member that is behind
        late.ask()
        assert late._done == SIZE
    policy = f"witness outside {WITNESS.text()}\nquorum outside\n"
    made = bundle(members, "core", cosigned=True)
    assert judged(made, members, tlog_policy=policy).verdict("witnesses").detail.startswith("policy met by size 2")


def other_key() -> str:
    return VerifierKey("x", TYPE_COSIGNATURE, PrivateKey.from_seed(b"\x08" * 32).public.spki[-32:]).text()


@pytest.mark.parametrize("text", [b"", b"quorum none\n", b"\xff", b"witness a b\n"])
def test_a_file_that_names_no_witness_to_ask_is_refused(members: Members, text: bytes) -> None:
    with pytest.raises((SettingsMalformed, FieldMalformed)):
        witnesses_of(members.open("core").view, text, "witnesses.policy")


def test_a_member_whose_key_is_not_of_ed25519_cosigns_nothing(members: Members) -> None:
    closed(members)
    view = members.open("core").view
    p256 = PrivateKey(generate_private_key(SECP256R1())).public
    directory = replace(view.directory, identities=view.directory.identities | {"core": p256, "bank-a": p256})
    assert directory.cosigner("core") is None
    cosigner = Cosigner(replace(view, directory=directory))
    cosigner.cosign_newest()
    assert view.epochs.cosignatures(SIZE) == []
    assert cosigner.newest_of("bank-a") == 0
    with pytest.raises(FieldMalformed):
        cosigner.take("bank-a", SIZE, view.logbook.root(SIZE), bytes(72))
