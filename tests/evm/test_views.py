"""Views of the registry, CONTRACT §3.7."""

from typing import TYPE_CHECKING

import pytest

from hybrid_bridge.adapters.evm.calls import decode_head, head_calldata, head_of_words, head_slots
from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.core.proof import consistency_roots

if TYPE_CHECKING:
    from tests.evm.conftest import World

GENESIS_TIME, CADENCE, GRACE = 1_800_000_000, 600, 1800
FROZEN, RETIRED = 1 << 248, 1 << 249
UNKNOWN, ACTIVE, PAUSED, FROZEN_STATE, RETIRED_STATE = range(5)


def with_meta(world: "World", bits: int) -> None:
    world.set_word(0, world.words()[0] | bits)


# ── head ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_head_of_an_unknown_log_is_all_zeros(world: "World") -> None:
    assert world.head(b"\x05" * 32) == (0, bytes(32), 0, 0, 0, 0, 0, UNKNOWN)


@pytest.mark.parametrize(
    ("bits", "paused_for", "state"),
    [
        (0, 0, ACTIVE), (0, 1, PAUSED), (RETIRED, 0, RETIRED_STATE), (RETIRED, 1, RETIRED_STATE),
        (FROZEN, 0, FROZEN_STATE), (FROZEN | RETIRED, 1, FROZEN_STATE),
    ],
)  # fmt: skip
def test_frozen_comes_before_retired_before_paused_before_active(
    world: "World", bits: int, paused_for: int, state: int
) -> None:
    world.advanced(7)
    with_meta(world, bits | (world.time + paused_for) << 120)
    assert world.head()[:3] == (7, world.log.tree.root(7), GENESIS_TIME + 6 * CADENCE)
    assert world.head()[6:] == (world.time + paused_for, state)


@pytest.mark.parametrize(
    ("field", "shift", "width"), [(0, 0, 40), (3, 40, 40), (6, 120, 40), (5, 160, 40), (4, 224, 24)]
)
def test_every_field_of_the_head_is_read_from_its_own_bits(world: "World", field: int, shift: int, width: int) -> None:
    world.set_word(0, 1 | 5 << 80)  # size 1, genesis time 5, cadence 0
    root = world.log.log_id
    expected: list[object] = [1, root, 5, 0, 0, 0, 0, ACTIVE]
    assert world.head() == tuple(expected)
    world.set_word(0, 1 | 5 << 80 | (2**width - 1) << shift)
    expected[field] = 2**width - 1
    if field == 6:
        expected[7] = PAUSED
    assert world.head() == tuple(expected)


# ── the clock ────────────────────────────────────────────────────────────────────────────────────────────────────────


def overdue(world: "World") -> int:
    return int(world.registry.call("overdue", world.log.log_id))


@pytest.mark.parametrize("bits", [0, 1 << 248, 1 << 249, 3 << 248])
@pytest.mark.parametrize("paused_until", [0, 1, 10**6])
def test_whoever_reads_the_words_of_a_log_sees_what_head_answers(world: "World", bits: int, paused_until: int) -> None:
    """State proofs give words, not answers (RELAYER §4.2)."""
    world.advanced(3, 9)
    world.set_word(0, world.words()[0] | bits | (world.time + paused_until) << 120 | 77 << 160)
    meta, root = (world.evm.storage(world.registry.address, slot) for slot in head_slots(world.log.log_id))
    answered = decode_head(world.registry.send(head_calldata(world.log.log_id)))
    assert head_of_words(meta, root, world.time) == answered
    assert (answered.tree_size, answered.next_from_size) == (9, 77)


def test_the_words_of_an_unknown_log_are_its_head_too(world: "World") -> None:
    unknown = bytes(32)
    assert head_of_words(0, 0, world.time) == decode_head(world.registry.send(head_calldata(unknown)))


def test_a_log_is_overdue_from_the_first_boundary_it_does_not_cover_plus_grace(world: "World") -> None:
    world.advanced(7)
    due = GENESIS_TIME + 7 * CADENCE + GRACE
    for late in (-GENESIS_TIME, -1, 0, 1, 86_400):
        world.set_time(due + late)
        assert overdue(world) == max(late, 0)


def test_a_pause_does_not_stop_the_clock(world: "World") -> None:
    late = overdue(world)
    with_meta(world, (2**40 - 1) << 120)
    assert overdue(world) == late > 0


def test_an_unknown_log_is_never_merely_in_time(world: "World") -> None:
    with world.refuses("UnknownLog", bytes(32)):
        world.registry.call("overdue", bytes(32))


def is_fresh(world: "World", age: int) -> bool:
    return bool(world.registry.call("isFresh", world.log.log_id, age))


def test_a_head_is_fresh_up_to_the_age_asked_for_and_not_before_genesis(world: "World") -> None:
    world.advanced(7)
    boundary = GENESIS_TIME + 6 * CADENCE
    for age in (0, 1, 5000):
        world.set_time(boundary + age)
        assert is_fresh(world, age)
        assert not is_fresh(world, age - 1 if age else 0) or age == 0
        assert is_fresh(world, 2**64 - 1)
    world.set_time(boundary - 1)
    assert not is_fresh(world, 2**64 - 1)


@pytest.mark.parametrize(("bits", "fresh"), [((2**40 - 1) << 120, True), (FROZEN, False), (RETIRED, False)])
def test_only_an_active_or_paused_log_is_fresh(world: "World", bits: int, fresh: bool) -> None:
    with_meta(world, bits)
    assert is_fresh(world, 2**64 - 1) is fresh


def test_an_unknown_log_is_not_fresh(world: "World") -> None:
    assert world.registry.call("isFresh", bytes(32), 2**64 - 1) is False


# ── history ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def historical(world: "World", size: int, root: bytes, path: list[bytes]) -> None:
    world.registry.call("verifyHistorical", world.log.log_id, size, root, path)


def test_every_earlier_checkpoint_is_provable_from_the_head_alone(world: "World") -> None:
    world.advanced(3, 11, 29)
    tree = world.log.tree
    for size in range(1, 30):
        historical(world, size, tree.root(size), tree.consistency_path(size, 29))


def test_it_stays_provable_when_the_log_is_frozen(world: "World") -> None:
    world.advanced(11)
    with_meta(world, FROZEN | RETIRED)
    historical(world, 5, world.log.tree.root(5), world.log.tree.consistency_path(5, 11))


def test_another_root_another_size_or_another_path_is_refused(world: "World") -> None:
    world.advanced(11)
    tree = world.log.tree
    path, wrong = tree.consistency_path(5, 11), b"\x09" * 32
    older, _ = consistency_roots(5, 11, path, wrong)
    for name, fields, size, root, siblings in (
        ("SizeOrder", (0, 11), 0, bytes(32), []),
        ("SizeOrder", (12, 11), 12, wrong, []),
        ("SizeOrder", (2**64 - 1, 11), 2**64 - 1, wrong, []),
        ("PathLength", (len(path), 1), 5, tree.root(5), path[:1]),
        ("PathLength", (0, 1), 11, tree.root(11), [wrong]),
        ("RootMismatch", (wrong, older), 5, wrong, path),
        ("RootMismatch", (tree.root(11), wrong), 11, wrong, []),
    ):
        with world.refuses(name, *fields):
            historical(world, size, root, siblings)


def test_an_unknown_log_has_no_history(world: "World") -> None:
    with world.refuses("UnknownLog", bytes(32)):
        world.registry.call("verifyHistorical", bytes(32), 0, bytes(32), [])


# ── single words ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_set_key_brake_and_successor_are_the_words_of_the_log(world: "World") -> None:
    log = world.registered(type(world.log)(guardian=0xABCD, pause=77, grace=99))
    members = log.members.set
    key = keccak256(members.digest + b"".join(members.addresses))
    assert world.registry.call("setKey", log.log_id) == key
    assert world.registry.call("brake", log.log_id) == ("0x" + "00" * 18 + "abcd", 77, 99, 0)
    assert world.registry.call("successor", log.log_id) == bytes(32)
    world.set_word(5, 8)
    world.set_word(3, 2**256 - 1)
    assert world.registry.call("successor", world.log.log_id) == (8).to_bytes(32, "big")
    assert world.registry.call("brake", world.log.log_id) == ("0x" + "ff" * 20, 2**32 - 1, 2**32 - 1, 2**32 - 1)
    assert world.registry.call("setKey", bytes(32)) == bytes(32)
