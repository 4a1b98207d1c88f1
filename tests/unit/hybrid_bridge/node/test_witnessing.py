"""What a member takes of its peers' words: verified, one for each height and size, never more than it can use."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import pytest

from hybrid_bridge.adapters.grpc_member.peer import Marks
from hybrid_bridge.adapters.sqlite.witness import MAX_EVIDENCE, MAX_ROWS, Evidence
from hybrid_bridge.core.block import Block, Countersignature
from hybrid_bridge.core.keys import PrivateKey
from hybrid_bridge.errors import AnswerMalformed, BridgeError, Equivocation
from hybrid_bridge.node.witnessing import MAX_AHEAD, Watch
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.units import Height, TreeSize
from tests.unit.hybrid_bridge.node.members import CADENCE, START, Members, started


@dataclass
class Peer:
    """Another member that says what a test wants."""

    name: str
    words: Sequence[bytes] = ()
    attestations: Sequence[pb.SizedSignature] = ()
    asked: list[Marks] = field(default_factory=list)

    def witness(self, marks: Marks, _wait: float) -> pb.WitnessResponse:
        self.asked.append(marks)
        return pb.WitnessResponse(countersignatures=self.words, attestations=self.attestations)

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
    assert view.epochs.newest_attested() == {}
    assert view.witness.kept() == []


def test_an_attestation_of_a_size_that_we_have_not_closed_waits(members: Members) -> None:
    started(members)
    assert ask(members, Peer("bank-a", (), [pb.SizedSignature(size=9, root=bytes(32), signature=bytes(65))]))
    assert members.open("supplier").view.logbook.size == TreeSize(1)
