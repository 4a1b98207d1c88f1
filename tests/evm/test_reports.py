"""`reportEquivocation`, `reportInconsistent`, CONTRACT §3.6: who contradicted himself is named; a quorum ends its log."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.tree import Tree

if TYPE_CHECKING:
    from tests.evm.conftest import Anchoring, Members, World

FROZEN, RETIRED = 1 << 248, 1 << 249
HEAD = 12
ALL, TWO = (0, 1, 2), (0, 1)


def forged(log: Any, from_leaf: int, size: int) -> Tree:
    """A history that leaves the honest one at this leaf."""
    tree = Tree()
    tree.extend([log.tree.leaf(i) for i in range(from_leaf)])
    tree.extend([leaf_hash(b"another epoch %d" % i) for i in range(from_leaf, size)])
    return tree


def signed(
    world: "World", size: int, places: Sequence[int] = ALL, root: bytes | None = None, **more: Any
) -> "Anchoring":
    """A signed checkpoint, honest or with another root."""
    world.log.grow(size)
    return world.log.anchoring(1, size, places=places, root=root or world.log.tree.root(size), **more)


def attested(call: "Anchoring") -> tuple[Any, ...]:
    return call.size, call.root, call.set_hash, call.signers


def equivocation(world: "World", a: "Anchoring", b: "Anchoring", log_id: bytes | None = None) -> None:
    world.registry.call("reportEquivocation", log_id or a.log_id, attested(a), a.seals, attested(b), b.seals)


def inconsistency(world: "World", a: "Anchoring", other: bytes, path: list[bytes], log_id: bytes | None = None) -> None:
    world.registry.call("reportInconsistent", log_id or a.log_id, attested(a), a.seals, other, path)


@pytest.fixture
def anchored(world: "World") -> "World":
    world.advanced(HEAD)
    return world


OTHER = sha256(b"another root")


# ── equivocation ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_unknown_log_has_nothing_to_report(anchored: "World") -> None:
    a, b = signed(anchored, 9), signed(anchored, 9, root=OTHER)
    with anchored.refuses("UnknownLog", bytes(32)):
        equivocation(anchored, a, b, log_id=bytes(32))
    with anchored.refuses("UnknownLog", bytes(32)):
        inconsistency(anchored, b, a.root, anchored.log.tree.consistency_path(9, HEAD), log_id=bytes(32))


def test_one_root_two_sizes_or_no_common_signer_are_no_equivocation(anchored: "World") -> None:
    a = signed(anchored, 9)
    for b in (a, signed(anchored, 10, root=OTHER), signed(anchored, 9, places=(3,), root=OTHER)):
        with anchored.refuses("NoConflict"):
            equivocation(anchored, a, b)
    first = replace(a, size=1)
    with anchored.refuses("NoConflict"):
        equivocation(anchored, first, replace(first, root=OTHER))


def test_strangers_and_spoilt_seals_accuse_nobody(anchored: "World") -> None:
    a, b = signed(anchored, 9), signed(anchored, 9, root=OTHER)
    stranger = signed(anchored, 9, root=OTHER, members=type(anchored.log.members).of(1, (5, 6, 7, 8)))
    stranger = replace(stranger, set_hash=a.set_hash)
    for first, second in (
        (a, stranger),
        (stranger, b),
        (a, replace(b, root=sha256(b"a third"))),
        (replace(a, root=OTHER), b),
    ):
        with pytest.raises(Exception, match=r"SetMismatch|NoConflict"):
            equivocation(anchored, first, second)
    with pytest.raises(Exception, match="SealsMalformed"):
        equivocation(anchored, a, replace(b, seals=b.seals[:-1]))
    assert anchored.head()[7] == 1


def test_the_timestamp_is_that_of_the_size(anchored: "World") -> None:
    """A signature over another time is no Checkpoint; no verifier accepts it, so it accuses nobody."""
    a, b = signed(anchored, 9), signed(anchored, 9, root=OTHER, timestamp=1_800_000_001)
    with pytest.raises(Exception, match="SetMismatch"):
        equivocation(anchored, a, b)


@pytest.mark.parametrize("size", [2, 9, HEAD, HEAD + 1, 60])
def test_fewer_than_a_quorum_are_named_and_change_nothing(anchored: "World", size: int) -> None:
    a, b = signed(anchored, size, (1, 2, 3)), signed(anchored, size, TWO, OTHER)
    before = anchored.words()
    equivocation(anchored, a, b)
    assert anchored.registry.logs == [("Equivocated", (a.log_id, size, a.root, OTHER, 1, 0b0010))]
    assert anchored.words() == before


def test_a_quorum_that_contradicts_itself_ends_its_log(anchored: "World") -> None:
    other = anchored.registered(type(anchored.log)(7))
    before, theirs, root = anchored.words(), anchored.words(other.log_id), anchored.log.tree.root(HEAD)
    a, b = signed(anchored, 20), signed(anchored, 20, places=(1, 2, 3), root=OTHER)
    equivocation(anchored, a, b)
    assert anchored.registry.logs == [
        ("Equivocated", (a.log_id, 20, a.root, OTHER, 1, 0b0110)),
        ("Frozen", (a.log_id, HEAD, root)),
    ]
    assert anchored.words() == [before[0] | FROZEN, *before[1:]]
    assert anchored.words(other.log_id) == theirs
    with anchored.refuses("LogFrozen", a.log_id):
        anchored.anchor(anchored.log.anchoring(HEAD, 20))
    assert anchored.anchor(anchored.log.anchoring(1, HEAD)) is False
    path = anchored.log.tree.consistency_path(5, HEAD)
    anchored.registry.call("verifyHistorical", a.log_id, 5, anchored.log.tree.root(5), path)
    equivocation(anchored, b, a)  # once more is an event, and nothing thaws
    assert [name for name, _ in anchored.registry.logs] == ["Equivocated"]
    assert anchored.words() == [before[0] | FROZEN, *before[1:]]


def test_one_side_without_a_quorum_ends_nothing(anchored: "World") -> None:
    for places in ((ALL, TWO), (TWO, ALL)):
        a, b = signed(anchored, 20, places[0]), signed(anchored, 20, places[1], OTHER)
        equivocation(anchored, a, b)
        assert [name for name, _ in anchored.registry.logs] == ["Equivocated"]


def test_a_retired_or_paused_log_can_still_be_convicted(anchored: "World") -> None:
    meta = anchored.words()[0]
    anchored.set_word(0, meta | RETIRED | (anchored.time + 60) << 120)
    equivocation(anchored, signed(anchored, 20), signed(anchored, 20, root=OTHER))
    assert anchored.head()[7] == 3


# ── the set that answers ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def new(anchored: "World") -> "Members":
    members = type(anchored.log.members).of(2, (2, 3, 4, 5, 6))
    anchored.registry.call("rotateValidators", *anchored.rotation(members, 16))
    return members


def test_the_pending_set_answers_for_its_sizes_and_the_old_for_the_rest(anchored: "World", new: "Members") -> None:
    a, b = (signed(anchored, 16, (0, 1), root, members=new) for root in (None, OTHER))
    equivocation(anchored, a, b)
    assert anchored.registry.logs[0][1][4:] == (2, 0b11)
    a, b = (signed(anchored, 15, (0, 1), root, members=new) for root in (None, OTHER))
    with pytest.raises(Exception, match="SetMismatch"):
        equivocation(anchored, a, b)
    a, b = (signed(anchored, 16, TWO, root) for root in (None, OTHER))
    with pytest.raises(Exception, match="SetMismatch"):
        equivocation(anchored, a, b)
    equivocation(anchored, signed(anchored, 15, TWO), signed(anchored, 15, TWO, OTHER))
    assert anchored.registry.logs[0][1][4:] == (1, 0b11)


def test_retired_keys_freeze_nothing(anchored: "World", new: "Members") -> None:
    old = [(signed(anchored, size), signed(anchored, size, root=OTHER)) for size in (9, 15, 17)]
    assert anchored.anchor(anchored.log.anchoring(HEAD, 16, members=new))
    for a, b in old:
        with pytest.raises(Exception, match="SetMismatch"):
            equivocation(anchored, a, b)
    assert anchored.head()[7] == 1


# ── inconsistency ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("size", [2, 3, 8, 11, HEAD])
def test_an_older_checkpoint_that_the_head_denies(anchored: "World", size: int) -> None:
    a, honest = signed(anchored, size, TWO, OTHER), anchored.log.tree.root(size)
    path = anchored.log.tree.consistency_path(size, HEAD)
    before = anchored.words()
    inconsistency(anchored, a, honest, path)
    assert anchored.registry.logs == [("Inconsistent", (a.log_id, size, OTHER, honest, 1, 0b11))]
    assert anchored.words() == before
    inconsistency(anchored, signed(anchored, size, ALL, OTHER), honest, path)
    assert anchored.registry.logs[1] == ("Frozen", (a.log_id, HEAD, anchored.log.tree.root(HEAD)))
    assert anchored.head()[7] == 3


@pytest.mark.parametrize("size", [HEAD + 1, 16, 40])
@pytest.mark.parametrize("from_leaf", [1, 5, HEAD - 1])
def test_a_newer_checkpoint_whose_tree_denies_the_head(anchored: "World", size: int, from_leaf: int) -> None:
    tree = forged(anchored.log, from_leaf, size)
    a = signed(anchored, size, (2, 3), tree.root(size))
    inconsistency(anchored, a, tree.root(HEAD), tree.consistency_path(HEAD, size))
    assert anchored.registry.logs == [("Inconsistent", (a.log_id, size, tree.root(size), tree.root(HEAD), 1, 0b1100))]
    assert anchored.head()[7] == 1
    a = signed(anchored, size, ALL, tree.root(size))
    inconsistency(anchored, a, tree.root(HEAD), tree.consistency_path(HEAD, size))
    assert anchored.head()[7] == 3


def test_an_honest_checkpoint_cannot_be_reported(anchored: "World") -> None:
    log = anchored.log
    log.grow(40)
    for size in (2, 8, 11, HEAD, 13, 40):
        a, low, high = signed(anchored, size), min(size, HEAD), max(size, HEAD)
        path = log.tree.consistency_path(low, high)
        with anchored.refuses("NoConflict"):
            inconsistency(anchored, a, log.tree.root(low), path)
        with pytest.raises(Exception, match=r"RootMismatch|PathLength"):
            inconsistency(anchored, a, OTHER, path)
        with pytest.raises(Exception, match="PathLength"):
            inconsistency(anchored, a, OTHER, [*path, bytes(32)])
        for k in range(len(path)):
            spoilt = [*path[:k], OTHER, *path[k + 1 :]]
            with pytest.raises(Exception, match="RootMismatch"):
                inconsistency(anchored, a, OTHER, spoilt)
    assert anchored.head()[7] == 1


def test_nobodys_statement_is_no_statement(anchored: "World") -> None:
    path, honest = anchored.log.tree.consistency_path(9, HEAD), anchored.log.tree.root(9)
    with anchored.refuses("NoConflict"):
        inconsistency(anchored, signed(anchored, 9, (), OTHER), honest, path)
    first = replace(signed(anchored, 9), size=1, root=OTHER)
    with anchored.refuses("NoConflict"):
        inconsistency(anchored, first, anchored.log.log_id, anchored.log.tree.consistency_path(1, HEAD))
    huge = replace(signed(anchored, 9), size=2**53, root=OTHER)
    with anchored.refuses("SizeOrder", HEAD, 2**53):
        inconsistency(anchored, huge, bytes(32), [])
    stranger = replace(signed(anchored, 9, root=OTHER), signers=0b111, seals=signed(anchored, 10).seals)
    with pytest.raises(Exception, match="SetMismatch"):
        inconsistency(anchored, stranger, honest, path)
