"""`anchor`, CONTRACT §3.2: each row of the check table broken alone, then what a good call does."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.core.proof import consistency_roots, leaf_hash
from hybrid_bridge.core.tree import Tree

if TYPE_CHECKING:
    from tests.evm.conftest import World

FROZEN, RETIRED = 1 << 248, 1 << 249
PAUSED_UNTIL, NEXT_FROM_SIZE = 120, 160  # first bits in meta


def flipped(digest: bytes, bit: int = 0) -> bytes:
    return (int.from_bytes(digest, "big") ^ 1 << bit).to_bytes(len(digest), "big")


def with_meta(world: "World", bits: int) -> None:
    world.set_word(0, world.words()[0] | bits)


# ── (1) once is once ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "state", [0, FROZEN, RETIRED, (2**40 - 1) << PAUSED_UNTIL], ids=["active", "frozen", "retired", "paused"]
)
def test_the_head_again_succeeds_writes_nothing_and_says_nothing_in_every_state(world: "World", state: int) -> None:
    anchoring = world.log.anchoring(1, 7)
    world.advanced(7)
    with_meta(world, state)
    before = world.words()
    for again in (anchoring, replace(anchoring, seals=b"", path=[], from_size=99)):
        assert world.anchor(again) is False
        assert world.registry.logs == []
        assert world.words() == before


def test_the_genesis_head_again_needs_no_signature(world: "World") -> None:
    assert world.anchor(replace(world.log.anchoring(1, 7), size=1, root=world.log.log_id, seals=b"")) is False


# ── (2) the state of the log ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_log_that_is_not_registered_is_unknown(world: "World") -> None:
    anchoring = replace(world.log.anchoring(1, 7), log_id=bytes(32))
    for unknown in (anchoring, replace(anchoring, from_size=0, size=0, root=bytes(32))):
        with world.refuses("UnknownLog", bytes(32)):
            world.anchor(unknown)


def test_a_frozen_log_is_closed_also_when_it_is_retired_or_paused(world: "World") -> None:
    with_meta(world, FROZEN | RETIRED | (2**40 - 1) << PAUSED_UNTIL)
    with world.refuses("LogFrozen", world.log.log_id):
        world.anchor(world.log.anchoring(1, 7))


def test_a_retired_log_names_its_successor(world: "World") -> None:
    with_meta(world, RETIRED)
    world.set_word(5, 77)
    with world.refuses("LogRetired", (77).to_bytes(32, "big")):
        world.anchor(world.log.anchoring(1, 7))


def test_a_paused_log_waits_until_the_pause_ends_by_itself(world: "World") -> None:
    until = world.time + 100
    with_meta(world, until << PAUSED_UNTIL)
    world.set_time(until - 1)
    with world.refuses("LogPaused", until):
        world.anchor(world.log.anchoring(1, 7))
    world.set_time(until)
    assert world.anchor(world.log.anchoring(1, 7))
    assert world.head()[6] == until


# ── (3), (4) the head ────────────────────────────────────────────────────────────────────────────────────────────────


def test_another_root_for_the_size_of_the_head_is_a_fork(world: "World") -> None:
    world.advanced(7)
    anchoring = world.log.anchoring(1, 7)
    other = flipped(anchoring.root)
    with world.refuses("HeadConflict", 7, anchoring.root, other):
        world.anchor(replace(anchoring, root=other))


@pytest.mark.parametrize(("from_size", "size"), [(6, 9), (8, 9), (1, 9), (7, 6), (7, 0), (2**64 - 1, 9)])
def test_an_update_starts_at_the_head_and_grows(world: "World", from_size: int, size: int) -> None:
    world.advanced(7)
    anchoring = world.log.anchoring(7, 9)
    with world.refuses("StaleHead", 7, from_size):
        world.anchor(replace(anchoring, from_size=from_size, size=size))


# ── (5) the clock ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_checkpoint_is_good_from_its_boundary_on(world: "World") -> None:
    anchoring, boundary = world.log.anchoring(1, 7), 1_800_000_000 + 6 * 600
    world.set_time(boundary - 1)
    with world.refuses("TimestampAhead", boundary, boundary - 1):
        world.anchor(anchoring)
    world.set_time(boundary)
    assert world.anchor(anchoring)


@pytest.mark.parametrize("size", [2**40, 2**53, 2**64 - 1])
def test_an_immense_size_lies_in_the_future_and_overflows_nothing(world: "World", size: int) -> None:
    with world.refuses("TimestampAhead", 1_800_000_000 + (size - 1) * 600, world.time):
        world.anchor(replace(world.log.anchoring(1, 7), size=size))


def test_a_clock_that_is_not_in_seconds_spills_into_no_other_field(world: "World") -> None:
    world.set_time(1_800_006_000_000)  # milliseconds: 41 bits
    assert world.anchor(world.log.anchoring(1, 7))
    assert world.head()[2:] == (1_800_003_600, 1_800_006_000_000 % 2**40, 1, 0, 0, 1)


# ── (6) append-only ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("change", [-1, 1, 50])
def test_a_path_of_another_length_is_refused(world: "World", change: int) -> None:
    world.advanced(6)
    anchoring = world.log.anchoring(6, 13)
    path = anchoring.path[:change] if change < 0 else anchoring.path + [bytes(32)] * change
    with world.refuses("PathLength", len(anchoring.path), len(path)):
        world.anchor(replace(anchoring, path=path))


@pytest.mark.parametrize(("old", "new"), [(6, 13), (7, 8), (8, 13), (1, 2), (5, 64)])
def test_each_flipped_bit_of_a_path_is_refused_with_the_roots_it_leads_to(world: "World", old: int, new: int) -> None:
    world.advanced(*([old] if old > 1 else []))
    anchoring, old_root = world.log.anchoring(old, new), world.log.tree.root(old)
    for place in range(len(anchoring.path)):
        path = [*anchoring.path[:place], flipped(anchoring.path[place], 37), *anchoring.path[place + 1 :]]
        older, newer = consistency_roots(old, new, path, old_root)
        fields = (old_root, older) if older != old_root else (anchoring.root, newer)
        with world.refuses("RootMismatch", *fields):
            world.anchor(replace(anchoring, path=path))


def test_a_full_quorum_cannot_rewrite_what_is_anchored(world: "World") -> None:
    world.advanced(7)
    honest, forged = world.log.tree.root(7), Tree()
    forged.extend([world.log.log_id, *(leaf_hash(b"rewritten %d" % epoch) for epoch in range(1, 9))])
    signed = world.log.anchoring(7, 9, places=range(4), root=forged.root())
    with world.refuses("RootMismatch", honest, forged.root(7)):
        world.anchor(replace(signed, path=forged.consistency_path(7, 9)))


# ── (7), (8) who must sign what; the seals are in test_quorum.py ─────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "changed",
    [{"timestamp": 1_800_003_601}, {"set_id": 2}, {"log_id": b"\x01" * 32}, {"tree_size": 8}],
    ids=["other-time", "other-set-id", "other-log", "other-size"],
)
def test_a_signature_over_anything_else_recovers_strangers(world: "World", changed: dict[str, object]) -> None:
    with pytest.raises(Exception, match="SetMismatch") as refusal:
        world.anchor(world.log.anchoring(1, 7, **changed))
    assert refusal.value.fields[0] == world.words()[2].to_bytes(32, "big")


def test_another_set_hash_is_another_set(world: "World") -> None:
    anchoring = world.log.anchoring(1, 7, set_hash=b"\x07" * 32)
    calculated = keccak256(anchoring.set_hash + b"".join(world.log.members.set.addresses))
    with world.refuses("SetMismatch", world.words()[2].to_bytes(32, "big"), calculated):
        world.anchor(anchoring)


# ── what a good call does ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_good_anchor_moves_the_head_and_says_so_once(world: "World") -> None:
    world.advanced(5)
    world.set_time(world.time + 11)
    anchoring = world.log.anchoring(5, 7)
    assert world.anchor(anchoring) is True
    boundary = 1_800_000_000 + 6 * 600
    assert world.registry.logs == [("Anchored", (world.log.log_id, 7, anchoring.root, boundary, 1, anchoring.signers))]
    assert world.head() == (7, anchoring.root, boundary, world.time, 1, 0, 0, 1)


def test_only_meta_and_root_are_written(world: "World") -> None:
    world.advanced(7)
    before = world.words()
    world.advanced(16)
    assert all(before[:3])  # overwritten, not created; whole transactions: test_gas.py
    assert world.words()[2:] == before[2:]


def test_a_call_for_one_log_leaves_the_words_of_another(world: "World") -> None:
    other = world.registered(type(world.log)(7))
    world.advanced(7)
    before = world.words(other.log_id)
    world.advanced(12)
    assert world.words(other.log_id) == before
    assert world.anchor(other.anchoring(1, 5))
    assert world.head()[0] == 12


def test_every_pair_of_sizes_is_one_step(world: "World") -> None:
    for old in range(1, 18):
        for new in range(old + 1, 20):
            fresh = type(world)()
            fresh.advanced(*([old] if old > 1 else []))
            fresh.advanced(new)
            assert fresh.head()[:2] == (new, fresh.log.tree.root(new))
