"""What a member takes of its peers' words: verified, one for each height and size, never more than it can use."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import pytest

from hybrid_bridge.adapters.grpc_member.peer import Marks
from hybrid_bridge.adapters.sqlite.witness import MAX_EVIDENCE, MAX_ROWS, Evidence
from hybrid_bridge.core.block import Block, Countersignature
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.keys import PrivateKey
from hybrid_bridge.core.roll import Term
from hybrid_bridge.core.signing import sign_digest
from hybrid_bridge.core.validators import ValidatorEntry, ValidatorSet
from hybrid_bridge.errors import AnswerMalformed, BridgeError, Equivocation, SignatureWrong
from hybrid_bridge.node.witnessing import MAX_AHEAD, Watch
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.units import Address, Digest, Height, KeyId, SetId, TreeSize
from tests.bundles import flip
from tests.statements import heard
from tests.unit.hybrid_bridge.node.members import CADENCE, START, VALIDATORS, Members, started


@dataclass
class Peer:
    """Another member that says what a test wants."""

    name: str
    words: Sequence[bytes] = ()
    attestations: Sequence[pb.SizedSignature] = ()
    asked: list[Marks] = field(default_factory=list)
    lines: Sequence[pb.SizedSignature] = ()

    def witness(self, marks: Marks, _wait: float) -> pb.WitnessResponse:
        self.asked.append(marks)
        lines = [line for line in self.lines if line.size > marks.line]
        return pb.WitnessResponse(countersignatures=self.words, attestations=self.attestations, log_lines=lines)

    def blocks(self, _first: Height, _seconds: float, *, follow: bool) -> Iterator[pb.BlockMessage]:
        return iter(())


def ask(members: Members, peer: Peer) -> bool:
    return Watch(members.open("supplier").view).ask(peer, 0.0)  # type: ignore[arg-type]


def word(members: Members, height: int, name: str = "bank-a", time: int = START) -> bytes:
    """What `name` would sign of some block at `height`."""
    core = members.open("core").view.ledger
    header = Block.decode(core.blocks(Height(1))[0].data).header
    key = members.open(name).view.keys.identity
    return Countersignature.over(replace(header, height=Height(height), time=time), key).encode()


def kept(members: Members) -> list[bytes]:
    return members.open("supplier").view.witness.of(members.key_id("bank-a"), Height(1))


def test_words_near_our_own_height_are_kept_and_those_far_ahead_wait(members: Members) -> None:
    started(members)
    near, edge = word(members, 2), word(members, 1 + MAX_AHEAD)
    far = word(members, 2 + MAX_AHEAD)
    assert ask(members, Peer("bank-a", [near, edge, far]))
    assert kept(members) == [near, edge]
    members.spread(members.order(START + CADENCE))
    ask(members, Peer("bank-a", [far]))
    assert kept(members)[-1] == far


def test_after_a_rotation_the_words_of_the_old_key_are_not_asked_for_again(members: Members) -> None:
    """The ledger names the new key before its owner has put it to use."""
    started(members)
    directory, new = members.open("supplier").view.directory, PrivateKey.from_seed(bytes(32)).public
    peer = Peer("bank-a", [word(members, 2)])
    directory.keys = {**directory.keys, new.key_id: ("bank-a", new)}
    directory.identities = {**directory.identities, "bank-a": new}
    assert not ask(members, peer)
    ask(members, peer)
    assert [marks.height for marks in peer.asked] == [1, 2]


def test_who_tells_the_same_again_is_asked_later(members: Members) -> None:
    started(members)
    peer = Peer("bank-a", [word(members, 2)])
    assert not ask(members, peer)
    assert ask(members, peer)
    assert not ask(members, Peer("bank-a"))  # it held the question: the next one at once


def test_an_answer_with_more_words_than_agreed_is_malformed(members: Members) -> None:
    started(members)
    words = [word(members, height) for height in range(2, MAX_ROWS + 3)]
    sized = [pb.SizedSignature(size=9)] * (MAX_ROWS + 1)
    for peer in (Peer("bank-a", words), Peer("bank-a", (), sized)):
        with pytest.raises(AnswerMalformed) as refused:
            ask(members, peer)
        assert refused.value.endpoint == "bank-a"
    assert kept(members) == []


def test_the_words_of_one_answer_are_one_commit_and_a_bad_one_costs_none_before_it(members: Members) -> None:
    """A node that was away for a day is told four words for each block: a commit for each would take it an hour."""
    started(members)
    words = [word(members, height) for height in range(2, 12)]
    with heard("BEGIN IMMEDIATE") as commits:
        ask(members, Peer("bank-a", words))
    assert (kept(members), len(commits)) == (words, 1)
    for bad in (word(members, 13, "bank-b"), flip(word(members, 13)), b"no word"):
        more = word(members, 12)
        with pytest.raises(BridgeError):
            ask(members, Peer("bank-a", [more, bad, word(members, 14)]))
        assert kept(members) == [*words, more]


def test_an_answer_full_of_contradictions_costs_no_more_than_one(members: Members) -> None:
    started(members)
    heights = range(2, 12)
    ask(members, Peer("bank-a", [word(members, height) for height in heights]))
    with heard("BEGIN IMMEDIATE") as commits:
        for _ in range(2):
            with pytest.raises(Equivocation):
                ask(members, Peer("bank-a", [word(members, height, time=START + 1) for height in heights]))
    assert len(commits) <= 2 * 2
    assert [one.number for one in members.open("supplier").view.witness.kept()] == [2]


def test_two_words_for_one_height_in_one_answer_are_evidence_too(members: Members) -> None:
    started(members)
    said = [word(members, 4), word(members, 5, time=START + 1), word(members, 5, time=START + 2), word(members, 6)]
    with pytest.raises(Equivocation):
        ask(members, Peer("bank-a", said))
    (evidence,) = members.open("supplier").view.witness.kept()
    assert (evidence.number, evidence.first, evidence.second) == (5, said[1], said[2])
    assert kept(members) == [said[0], said[1], said[3]]


def test_two_words_for_one_height_are_evidence_once(members: Members) -> None:
    started(members)
    for time in (START + 1, START + 2, START + 3):
        peer = Peer("bank-a", [word(members, 5, time=time)])
        try:
            ask(members, peer)
        except Equivocation as error:
            assert error.signer == "bank-a"  # noqa: PT017 the first word is no equivocation
    (evidence,) = members.open("supplier").view.witness.kept()
    assert (evidence.kind, evidence.number) == ("block", 5)
    assert members.open("supplier").view.brake.reason == ""


def test_evidence_against_one_key_is_bounded_and_takes_no_room_from_another(members: Members) -> None:
    witness = members.open("supplier").view.witness
    for number in range(MAX_EVIDENCE + 5):
        witness.keep(Evidence(kind="block", signer=b"a", number=number, first=b"1", second=b"2"), START)
    witness.keep(Evidence(kind="block", signer=b"b", number=1, first=b"1", second=b"2"), START)
    witness.keep(Evidence(kind="stray", signer=b"a", number=1, first=b"1", second=b"2"), START)
    kept = witness.kept()
    assert len(kept) == MAX_EVIDENCE + 2
    assert {(one.kind, one.signer) for one in kept} == {("block", b"a"), ("block", b"b"), ("stray", b"a")}


@pytest.mark.parametrize(
    "said",
    [
        pb.SizedSignature(size=1, root=bytes(32), signature=bytes(65)),
        pb.SizedSignature(size=0, root=bytes(32), signature=bytes(65)),
        pb.SizedSignature(size=1, root=bytes(1 << 16), signature=bytes(65)),
        pb.SizedSignature(size=1, root=bytes(32), signature=bytes(1 << 16)),
    ],
    ids=["genesis", "nothing", "long root", "long signature"],
)
def test_a_signature_that_is_none_leaves_nothing(members: Members, said: pb.SizedSignature) -> None:
    started(members)
    with pytest.raises(BridgeError):
        ask(members, Peer("bank-a", (), [said]))
    view = members.open("supplier").view
    assert {view.epochs.newest_attested(address) for address in view.directory.addresses("bank-a")} == {0}
    assert view.witness.kept() == []


def test_an_attestation_of_a_size_that_we_have_not_closed_waits(members: Members) -> None:
    started(members)
    assert ask(members, Peer("bank-a", (), [pb.SizedSignature(size=9, root=bytes(32), signature=bytes(65))]))
    assert members.open("supplier").view.logbook.size == TreeSize(1)


# ── lines of the log's keys ──────────────────────────────────────────────────────────────────────────────────────────


def lined(members: Members, *sizes: int) -> list[pb.SizedSignature]:
    """Epochs are closed at core and supplier; core's lines of these sizes."""
    started(members)
    for epoch in range(1, max(sizes)):
        members.spread(members.order(START + epoch * CADENCE))
        for name in ("core", "supplier"):
            members.close_epoch(name)
    core = members.open("core").view
    assert core.keys.log is not None
    core.logbook.sign_lines(core.keys.log)
    return [pb.SizedSignature(size=size, signature=core.epochs.line(TreeSize(size))) for size in sizes]


def test_who_tells_a_line_is_known_to_hold_the_logs_keys_also_where_the_line_is_here(members: Members) -> None:
    """Of a peer that has not told the newest it is asked for."""
    lines = lined(members, 2, 3)
    view = members.open("supplier").view
    core, bank, silent = Peer("core", lines=lines), Peer("bank-a", lines=lines), Peer("bank-b")
    ask(members, core)
    assert view.logbook.tellers == {"core": 3}
    for peer in (core, bank, bank, silent, silent):
        ask(members, peer)
    assert view.logbook.tellers == {"core": 3, "bank-a": 3}
    assert [[marks.line for marks in peer.asked] for peer in (core, bank, silent)] == [[0, 3], [2, 3], [2, 2]]
    assert not ask(members, Peer("bank-b"))  # it held the question, as one without the keys does


def test_a_line_that_leaves_sizes_out_waits_for_those_between(members: Members) -> None:
    """Else one peer that tells the newest line alone would leave us without the others for ever."""
    lines = lined(members, 2, 3, 4)
    view = members.open("supplier").view
    assert ask(members, Peer("bank-a", lines=lines[2:]))
    assert (view.epochs.newest_line(), view.progress.line) == (0, 0)
    assert not ask(members, Peer("core", lines=lines))
    assert [size for size, _ in view.epochs.lines(TreeSize(0))] == [2, 3, 4]


def test_a_wrong_line_tells_of_no_holder_and_hides_no_attestation(members: Members) -> None:
    (line,) = lined(members, 2)
    view = members.open("supplier").view
    bank = members.open("bank-a").view
    assert bank.keys.attestation is not None
    root = Digest(bytes(31) + b"\x01")
    checkpoint = bank.directory.checkpoint(TreeSize(2), root)
    key = bytes.fromhex((members.folder("bank-a") / "keys" / "attestation.key").read_text())
    attestation = pb.SizedSignature(size=2, root=root, signature=sign_digest(key, checkpoint.digest()))
    wrong = pb.SizedSignature(size=2, signature=flip(line.signature))
    with pytest.raises(SignatureWrong):
        ask(members, Peer("bank-a", attestations=[attestation], lines=[wrong]))
    assert view.logbook.tellers == {}
    (evidence,) = view.witness.kept()
    assert (evidence.kind, evidence.number, evidence.signer) == ("checkpoint", 2, bank.address)


def test_what_is_reached_while_a_term_ends_is_no_more_final_than_that_term(
    members: Members, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first block of the next set's term, and the old set's words for it, come while finality is judged."""
    started(members)
    view = members.open("supplier").view
    roll = view.directory.roll
    strangers = tuple(
        ValidatorEntry(Address(bytes([number]) * 20), sha256(b"name"), bytes([number]) * 32, sha256(b"binding"))
        for number in range(1, 5)
    )
    follows = Term(TreeSize(3), ValidatorSet(SetId(2), strangers), roll.terms[0].decoy_key_hash)
    view.directory.roll = replace(roll, terms=(*roll.terms, follows))
    watch, agreed, before = Watch(view), view.witness.agreed, view.progress.final

    def meanwhile(keys: Iterable[KeyId], floor: Height) -> dict[KeyId, Height]:
        block = members.order(START + CADENCE)
        for name in VALIDATORS[1:]:
            members.accept(name, block)
            for said in members.open(name).view.witness.of(members.key_id(name), Height(1)):
                view.witness.add(Countersignature.decode(said))
        return agreed(keys, floor)

    monkeypatch.setattr(view.witness, "agreed", meanwhile)
    watch.judge()
    assert (view.progress.tip, view.progress.final) == (2, before)
