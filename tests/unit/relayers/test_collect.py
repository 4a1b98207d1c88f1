"""What members say, and what of it is believed."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.signing import sign_digest
from hybrid_bridge.errors import NotYet
from hybrid_bridge.testing.memory_members import MemoryMember, key
from relayers.collect import Collector
from relayers.sql_journal import SqlJournal, create_journal
from relayers.views import ChainView, QuorumView
from tests.crash.relay_world import BORN, World, scope_for
from tests.unit.relayers import builders

NOW = BORN


class Bench:
    """A journal and a consortium of four, three of which are a quorum."""

    def __init__(self, path: Path) -> None:
        self.world = World()
        self.members = list(self.world.consortium.members)
        scope = scope_for(self.world, "operator 0")
        create_journal(path, scope, NOW)
        self.journal = SqlJournal(path, scope, "test", NOW)
        self.delay = 0
        self.anchor_every = 1

    def grow(self, epochs: int) -> None:
        for _ in range(epochs):
            self.world.consortium.close_epoch()

    def chain(self, head: int = 1, final: int = 1, **changes: Any) -> ChainView:
        tree, log_id = self.world.consortium.tree, self.world.consortium.log_id

        def at(size: int) -> Any:
            root = tree.root(size) if 1 < size <= tree.size else log_id
            return builders.head(size, root=root)

        return builders.chain(head=at(head), final_head=at(final), **changes)

    def collect(self, chain: ChainView | None = None) -> QuorumView:
        collector = Collector(self.world.log, tuple(self.members), self.delay, self.anchor_every)
        return collector.collect(self.journal, self.journal.view(NOW), chain or self.chain(), NOW)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path / "journal.db")
    yield bench
    bench.journal.close()


def sizes(view: QuorumView) -> list[int]:
    return [row.size for row in view.checkpoints]


class Forger(MemoryMember):
    """Signs another history with its own key."""

    def attestation(self, size: int) -> Any:
        checkpoint = self.consortium.checkpoint(size, sha256(b"another history"))
        return checkpoint.root, self.consortium.sign(self.index, checkpoint)


class Stranger(MemoryMember):
    """Has a key that is in no set."""

    def attestation(self, size: int) -> Any:
        checkpoint = self.consortium.checkpoint(size)
        return checkpoint.root, sign_digest(key("a stranger"), checkpoint.digest())


class Copycat(MemoryMember):
    """Hands on the first member's signature as its own."""

    def attestation(self, size: int) -> Any:
        return self.consortium.members[0].attestation(size)


class Garbler(MemoryMember):
    """Answers bytes of the wrong length, and paths that prove nothing."""

    def attestation(self, size: int) -> Any:
        return b"short", b"shorter"

    def consistency_path(self, old: int, new: int) -> Any:
        return [bytes(32)] * 3


def test_the_newest_quorum_checkpoint_is_admitted_with_its_signatures_and_path(bench: Bench) -> None:
    bench.grow(4)
    view = bench.collect()
    assert sizes(view) == [5]
    row = view.checkpoints[0]
    assert row.root == bench.world.consortium.tree.root(5)
    assert list(view.paths[5]) == bench.world.consortium.tree.consistency_path(1, 5)
    assert len(bench.journal.attestations(5)) == 3
    assert row.held_number == builders.PINNED


def test_without_an_observation_nothing_is_fetched(bench: Bench) -> None:
    bench.grow(1)
    collector = Collector(bench.world.log, tuple(bench.members), 0)
    view = collector.collect(bench.journal, bench.journal.view(NOW), None, NOW)
    assert (view.checkpoints, dict(view.paths)) == ((), {})
    assert bench.journal.newest_checkpoint() is None


def test_only_what_a_quorums_worth_of_members_claims_is_fetched(bench: Bench) -> None:
    bench.grow(4)
    bench.members[0].behind = bench.members[1].behind = 2
    assert sizes(bench.collect()) == [3]


@pytest.mark.parametrize("kind", [Forger, Stranger, Copycat, Garbler])
def test_one_bad_member_of_four_changes_nothing(bench: Bench, kind: type[MemoryMember]) -> None:
    bench.grow(2)
    bench.members[1] = kind(bench.world.consortium, 1)
    view = bench.collect()
    assert view.checkpoints[0].root == bench.world.consortium.tree.root(3)
    assert len(bench.journal.attestations(3)) == 3


@pytest.mark.parametrize("kind", [Forger, Stranger, Copycat, Garbler])
def test_two_bad_members_of_four_leave_no_quorum(bench: Bench, kind: type[MemoryMember]) -> None:
    bench.grow(2)
    bench.members[1], bench.members[2] = (kind(bench.world.consortium, index) for index in (1, 2))
    assert bench.collect().checkpoints == ()


def test_silent_members_are_passed_over(bench: Bench) -> None:
    bench.grow(2)
    bench.members[0].is_silent = True
    assert sizes(bench.collect()) == [3]
    bench.members[1].is_silent = True
    bench.grow(1)
    assert sizes(bench.collect()) == [3]


def test_a_quorum_without_a_path_is_not_admitted(bench: Bench) -> None:
    bench.grow(4)
    for index in range(4):
        bench.members[index] = Pathless(bench.world.consortium, index)
    assert bench.collect().checkpoints == ()


class Pathless(MemoryMember):
    def consistency_path(self, old: int, new: int) -> Any:
        raise NotYet(what="a path")


def test_a_quorum_that_does_not_extend_what_we_hold_is_not_admitted(bench: Bench) -> None:
    bench.grow(2)
    bench.collect()
    fork = World().consortium
    fork.close_epoch(b"fork")
    for _ in range(3):
        fork.close_epoch()
    bench.world.consortium.tree = fork.tree
    assert sizes(bench.collect()) == [3]


def test_a_checkpoint_is_not_fetched_before_it_is_due(bench: Bench) -> None:
    bench.grow(3)
    log = bench.world.log
    block = builders.public_block(builders.PINNED)
    moment = log.boundary(3) + 5
    chain = bench.chain(pinned=block.__class__(block.number, block.hash, block.parent, moment))
    bench.delay = 6
    assert sizes(bench.collect(chain)) == [2]
    bench.delay = 5
    assert sizes(bench.collect(chain)) == [2, 3][1:]
    early = bench.chain(pinned=block.__class__(block.number, block.hash, block.parent, log.clock.genesis_time))
    assert bench.collect(early).paths != {}


def test_checkpoints_at_the_chains_heads_are_fetched_to_be_compared(bench: Bench) -> None:
    bench.grow(5)
    view = bench.collect(bench.chain(head=4, final=2))
    assert sizes(view) == [2, 4, 6]
    assert list(view.paths) == [6]
    assert list(view.paths[6]) == bench.world.consortium.tree.consistency_path(4, 6)
    assert view.root_at(1) == bench.world.consortium.log_id
    assert view.root_at(5) is None


def test_a_checkpoint_between_two_that_we_hold_must_fit_both(bench: Bench) -> None:
    bench.grow(5)
    bench.collect(bench.chain(head=2))
    assert sizes(bench.collect(bench.chain(head=4))) == [4, 6]
    rows = {row.size: row.previous_size for row in bench.journal.dump().checkpoints}
    assert rows == {2: 1, 4: 2, 6: 2}


def test_a_head_that_contradicts_our_tree_gives_no_path(bench: Bench) -> None:
    bench.grow(3)
    chain = bench.chain()
    contradicting = builders.chain(head=builders.head(2, root=bytes(32)), final_head=chain.final_head)
    assert bench.collect(contradicting).paths == {}


def test_a_size_beyond_all_known_sets_is_not_admitted(bench: Bench) -> None:
    bench.grow(2)
    log = bench.world.log
    late = log.__class__(log.log_id, log.clock, (log.periods[0].__class__(4, log.periods[0].validators),))
    collector = Collector(late, tuple(bench.members), 0)
    chain = bench.chain(head=3)
    assert collector.collect(bench.journal, bench.journal.view(NOW), chain, NOW).checkpoints == ()


def test_the_oldest_checkpoint_that_waits_is_in_view_beside_the_newest(bench: Bench) -> None:
    for _ in range(3):
        bench.grow(1)
        view = bench.collect()
    assert (sizes(view), view.waiting and view.waiting.size) == ([4], 2)
    assert bench.collect(bench.chain(head=2)).waiting == bench.journal.checkpoint(3)
    assert bench.collect(bench.chain(head=4)).waiting is None
    bench.journal.open_intent(bench.journal.checkpoint(3), NOW)
    covered = bench.collect().waiting
    assert covered is not None
    assert covered.size == 4


def test_what_waits_begins_a_new_round(bench: Bench) -> None:
    bench.anchor_every = 4
    found = []
    for _ in range(5):
        bench.grow(1)
        waiting = bench.collect().waiting
        found.append(waiting and waiting.size)
    assert found == [None, None, 4, 4, 4]


def test_the_size_at_which_a_round_begins_is_asked_for_though_a_newer_one_is_there(bench: Bench) -> None:
    """A relayer that comes late finds size 7: size 4 has the shorter path, from and to, and nobody waits too long."""
    bench.anchor_every = 4
    bench.grow(6)
    assert sizes(bench.collect()) == [4]
    assert sizes(bench.collect(bench.chain(head=4))) == [4]
    bench.grow(1)
    assert sizes(bench.collect(bench.chain(head=4))) == [4, 8]


def test_what_is_held_is_not_fetched_again(bench: Bench) -> None:
    bench.grow(2)
    first = bench.collect()
    for member in bench.members:
        member.is_silent = True
    again = bench.collect()
    assert again == replace(first, claims={})
    assert first.claims == {member.name: 3 for member in bench.members}


def test_claims_are_those_of_the_members_that_answer_each_its_own(bench: Bench) -> None:
    bench.grow(3)
    bench.members[0].behind = 2
    bench.members[3].is_silent = True
    assert bench.collect().claims == {"member 0": 2, "member 1": 4, "member 2": 4}


def test_before_a_later_sets_checkpoints_the_last_one_of_the_set_that_the_contract_knows_is_held(bench: Bench) -> None:
    bench.world.appoint(in_sizes=3)  # set 2 from size 4
    bench.world.appoint(in_sizes=5)  # set 3 from size 6
    bench.members = list(bench.world.consortium.members)
    bench.grow(7)
    assert sizes(bench.collect()) == [3, 8]
    pending = bench.chain()
    pending = replace(pending, head=replace(pending.head, next_from_size=4))
    assert sizes(bench.collect(pending)) == [5, 8]
    crossed = bench.chain(head=5)
    assert sizes(bench.collect(replace(crossed, head=replace(crossed.head, set_id=3)))) == [5, 8]
