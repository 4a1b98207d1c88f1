"""A validator's folder of before the validators changed: whom it asks, by whose signatures it judges, who counts."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hybrid_bridge.core.guard import Highest
from hybrid_bridge.errors import BelowQuorum, Equivocation, Missing, SignatureWrong, Unreachable
from hybrid_bridge.node.cards import Card
from hybrid_bridge.node.directory import Directory
from hybrid_bridge.node.enrolling import directory_of
from hybrid_bridge.node.founding import Foundation
from hybrid_bridge.node.proposing import Wish
from hybrid_bridge.node.restoring import Network
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.units import Address, Digest, KeyId, TreeSize, UnixSeconds
from tests.unit.hybrid_bridge.node.coming import agreed, joined, newcomer, pass_epoch
from tests.unit.hybrid_bridge.node.members import NAMES, START, Members, started
from tests.unit.hybrid_bridge.node.test_restoring import Away, Peer

ME = "bank-a"
FIVE = (*NAMES, "bank-c")
SIZE = TreeSize(8)  # of the newest quorum: epochs 1 … 7 are closed


@pytest.fixture(scope="module")
def members(laid: tuple[Foundation, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Members]:
    """Since bank-a's folder was copied bank-c has come, and bank-b has gone."""
    foundation, root = laid
    folder = tmp_path_factory.mktemp("changed") / "out"
    shutil.copytree(root, folder)
    members = started(Members(folder, foundation))
    with members.stack:
        pass_epoch(members, 1)
        members.opened.pop(ME).close()
        shutil.copytree(members.folder(ME), folder.parent / "yesterday")
        home, card = newcomer(members)
        admitted = agreed(members, Wish(kind="admit", card=card, from_epoch=4))
        joined(members, home, admitted)
        for epoch in (2, 3, 4):
            pass_epoch(members, epoch, FIVE)
        remaining = ("core", "supplier", ME, "bank-c")
        agreed(members, Wish(kind="remove", name="bank-b", from_epoch=7), remaining, FIVE)
        for epoch in (5, 6):
            pass_epoch(members, epoch, FIVE)
        pass_epoch(members, 7, tuple(name for name in FIVE if name != "bank-b"))
        yield members


@pytest.fixture
def yesterday(members: Members) -> Directory:
    found = directory_of(members.root.parent / "yesterday", ME)
    assert len(found.roll.terms) == 1
    return found


def asked(
    members: Members,
    directory: Directory,
    *peers: Peer,
    meet: Callable[[Card], Peer] | None = None,
) -> Network:
    return Network(directory, ME, peers, UnixSeconds(START + 100), meet=meet or met(members))


def met(members: Members, kind: type[Peer] = Peer) -> Callable[[Card], Peer]:
    return lambda card: kind(members, card.member.name)


def ours(members: Members) -> Highest:
    return Highest(TreeSize(2), members.open("core").view.logbook.root(TreeSize(2)))


class Lagging(Peer):
    """One that has left, and knows nothing of what came then; what it says is true."""

    def newest_quorum_size(self) -> TreeSize:
        return TreeSize(2)

    def checkpoint(self, size: TreeSize):  # type: ignore[no-untyped-def]
        return super().checkpoint(size or TreeSize(2))

    def signatures(self, address: Address, signer: KeyId) -> pb.SignaturesResponse:
        answer = super().signatures(address, signer)
        return pb.SignaturesResponse(newest=[one for one in answer.newest if one.size <= 2])


class WithoutProposals(Peer):
    def proposal(self, leaf: Digest) -> bytes:
        raise Unreachable(endpoint=self.name, call="Proposal")


class WithoutBundles(Peer):
    def proven_checkpoint(self, size: TreeSize) -> bytes:
        raise Unreachable(endpoint=self.name, call="Checkpoint")


def test_honest_members_are_believed_by_the_sets_that_followed_and_who_came_is_asked_too(
    members: Members, yesterday: Directory
) -> None:
    told = asked(members, yesterday, *(Peer(members, name) for name in ("core", "supplier", "bank-b"))).told(
        ours(members)
    )
    assert told.history.floor == Highest(SIZE, members.open("core").view.logbook.root(SIZE))
    assert {"core", "supplier", "bank-c"} <= set(told.answered)
    signed = {row.size: row.digest for row in told.history.signed}
    book = members.open("core").view.logbook
    assert signed[SIZE] == book.checkpoint(SIZE).digest()  # under the set of that size


def test_who_has_left_counts_for_nobody_once_a_newer_set_is_shown(members: Members, yesterday: Directory) -> None:
    """Two of the old set answer truly, and know nothing of what our key has signed since."""
    lagging = [Lagging(members, name) for name in ("bank-b", "supplier")]
    network = asked(members, yesterday, Peer(members, "core"), lagging[0], meet=met(members, Away))
    with pytest.raises(Missing, match="2 other validators, 1 gave one"):
        network.told(ours(members))
    assert asked(members, yesterday, Peer(members, "core"), lagging[0]).told(ours(members)).history.floor.size == SIZE


def test_another_member_hands_the_card_that_one_does_not_have(members: Members, yesterday: Directory) -> None:
    peers = [WithoutProposals(members, "core"), Peer(members, "supplier")]
    assert "bank-c" in asked(members, yesterday, *peers).told(ours(members)).answered
    alone = asked(members, yesterday, *(WithoutProposals(members, name) for name in ("core", "supplier")))
    assert set(alone.told(ours(members)).answered) == {"core", "supplier"}


def test_who_shows_no_sets_is_judged_by_those_that_are_known(members: Members, yesterday: Directory) -> None:
    with pytest.raises((SignatureWrong, BelowQuorum)):
        asked(members, yesterday, *(WithoutBundles(members, name) for name in ("core", "supplier"))).told(ours(members))


def test_a_set_that_we_signed_by_is_no_other_in_anybodys_history(members: Members, yesterday: Directory) -> None:
    """Our own ledger knows set 2, and somebody shows another one in its place."""
    known = replace(yesterday)
    term = replace(members.open("core").view.directory.roll.terms[1], leaf=Digest(bytes(32)), first_size=TreeSize(2))
    known.roll = replace(yesterday.roll, terms=(*yesterday.roll.terms, term))
    with pytest.raises(Equivocation):
        asked(members, known, *(Peer(members, name) for name in ("core", "supplier"))).told(ours(members))


def test_who_knows_one_of_the_sets_that_followed_walks_the_rest_and_asks_whose_card_it_lacks(
    members: Members, yesterday: Directory
) -> None:
    """Its ledger has the record of set 2, and nobody had handed it the newcomer's card."""
    known = replace(yesterday)
    known.roll = replace(yesterday.roll, terms=members.open("core").view.directory.roll.terms[:2])
    told = asked(members, known, *(Peer(members, name) for name in ("core", "supplier"))).told(ours(members))
    assert (set(told.answered), told.history.floor.size) == ({"core", "supplier", "bank-c"}, SIZE)
