"""What a watcher makes of what it saw, without a chain: what binds a source, how long, and whose word is how much."""

import pytest

from hybrid_bridge.cli.watch.findings import (
    CHAIN,
    KEPT,
    LYING,
    UNCLEAR,
    ChainSight,
    CopySight,
    Remembered,
    Signed,
    judge,
    remember,
)
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.tree import Tree
from hybrid_bridge.ports import Head, PublicBlock
from hybrid_bridge.units import PublicBlockHash, PublicBlockNumber, SetId, TreeSize, UnixSeconds
from tests.bundles import consortium

FORK = b"another history"
NOTHING = Remembered(signed={})


@pytest.fixture(scope="module")
def genesis() -> Genesis:
    return consortium().genesis


def tree(size: int, salt: bytes = b"") -> Tree:
    """Histories that part at leaf 3."""
    made = Tree()
    made.extend([leaf_hash(b"%d" % n + (salt if n >= 3 else b"")) for n in range(size)])
    return made


def signed(size: int, salt: bytes = b"") -> Signed:
    return Signed(size=TreeSize(size), root=tree(size, salt).root(), note=f"{size} {salt!r}")


def shown(size: int, salt: bytes = b"") -> CopySight:
    return CopySight(signed=signed(size, salt), tree=tree(size, salt))


def hidden(size: int, salt: bytes = b"") -> CopySight:
    return CopySight(trouble="copy_silent", signed=signed(size, salt))


def chain(genesis: Genesis, state: str = "active", voices: int = 2) -> ChainSight:
    """A log whose third leaf is anchored, in time."""
    time = genesis.checkpoint_timestamp(TreeSize(5))
    head = Head(
        tree_size=TreeSize(3), root=tree(3).root(), timestamp=time, anchored_at=time, state=state,
        set_id=SetId(1), next_from_size=TreeSize(0), paused_until=UnixSeconds(0),
    )  # fmt: skip
    block = PublicBlockHash(bytes(32))
    return ChainSight(at=PublicBlock(PublicBlockNumber(9), block, block, time), head=head, voices=voices)


class Watch:
    """Looks, one after the other."""

    def __init__(self, genesis: Genesis) -> None:
        self.genesis, self.memory = genesis, NOTHING

    def look(self, at_size: int, chain: ChainSight | None = None, **copies: CopySight) -> list[tuple[str, str]]:
        """What is found by the clock of the boundary of that size."""
        now = self.genesis.checkpoint_timestamp(TreeSize(at_size))
        findings, contradictions = judge(chain, copies, self.memory, self.genesis, now)
        self.memory = remember(chain, copies, self.memory, contradictions)
        return [(one.kind, one.about) for one in findings if one.kind != "chain_unclear"]


def test_who_hides_the_tiles_once_does_not_wash_away_what_was_signed(genesis: Genesis) -> None:
    watch = Watch(genesis)
    assert watch.look(5, b=hidden(4, FORK)) == [("copy_silent", "b")]
    assert watch.look(6, b=hidden(5)) == [("copy_silent", "b")]
    assert watch.look(6, b=shown(6)) == [("split_view", "b / b")]
    assert watch.look(6, a=shown(6), b=CopySight(trouble="copy_silent")) == [
        ("copy_silent", "b"),
        ("split_view", "a / b"),
    ]


def test_a_lie_of_one_look_is_found_at_the_next_one_too(genesis: Genesis) -> None:
    watch = Watch(genesis)
    assert watch.look(5, a=shown(3), b=shown(3)) == []
    lie = watch.look(5, a=shown(5), b=shown(4, FORK))
    assert ("split_view", "a / b") in lie
    assert watch.look(6, a=shown(6), b=shown(6)) == [("split_view", "a / b"), ("split_view", "b / b")]


def test_leaves_beyond_what_a_copy_signed_accuse_nobody(genesis: Genesis) -> None:
    """A server gives what it likes under a newer checkpoint, stops half way, and shows an older one then."""
    watch = Watch(genesis)
    beyond = CopySight(signed=signed(3), tree=tree(9, FORK))
    assert watch.look(5, a=shown(5), b=beyond) == []
    assert watch.look(5, a=shown(5), b=shown(3)) == []


def test_of_checkpoints_that_a_tree_leads_to_the_largest_binds(genesis: Genesis) -> None:
    watch = Watch(genesis)
    watch.look(9, b=shown(4))
    watch.look(9, b=hidden(5))
    watch.look(9, b=hidden(6, FORK))
    assert [one.size for one in watch.memory.signed["b"]] == [4, 5, 6]
    watch.look(9, b=shown(7))
    assert watch.memory.signed["b"] == (signed(6, FORK), signed(7))


def test_of_many_the_first_ones_and_the_newest_are_kept(genesis: Genesis) -> None:
    watch = Watch(genesis)
    for size in range(4, 4 + 2 * KEPT):
        watch.look(40, b=hidden(size))
    assert [one.size for one in watch.memory.signed["b"]] == [*range(4, 3 + KEPT), 3 + 2 * KEPT]


def test_a_copy_that_goes_back_is_behind_once_it_is_older_than_an_anchor_may_be(genesis: Genesis) -> None:
    watch = Watch(genesis)
    epochs = (genesis.cadence + genesis.grace) // genesis.cadence + 1
    assert watch.look(6, b=shown(6)) == []
    assert watch.look(6, b=shown(5)) == []  # two caches behind one name
    assert watch.look(6 + epochs, b=shown(5)) == [("copy_behind", "b")]
    assert watch.look(6 + epochs, b=shown(6)) == []


def test_a_checkpoint_of_a_time_that_has_not_come_is_early_by_the_later_of_two_clocks(genesis: Genesis) -> None:
    watch = Watch(genesis)
    ahead = 5 + 301 // genesis.cadence + 1
    assert watch.look(5, b=shown(ahead)) == [("copy_early", "b")]
    assert watch.look(5, b=hidden(ahead)) == [("copy_silent", "b"), ("copy_early", "b")]
    assert ("copy_early", "b") not in watch.look(1, chain(genesis), b=shown(5))


def test_that_a_log_is_frozen_is_a_lie_of_its_members_if_more_than_one_endpoint_says_so(genesis: Genesis) -> None:
    now = genesis.checkpoint_timestamp(TreeSize(5))
    for voices, kind, severity in ((1, "said_frozen", UNCLEAR), (2, "frozen", LYING)):
        findings, _ = judge(chain(genesis, state="frozen", voices=voices), {}, NOTHING, genesis, now)
        assert [(one.kind, one.about, one.severity) for one in findings] == [(kind, CHAIN, severity)]
