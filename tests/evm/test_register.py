"""`register`, CONTRACT §3.3: each check broken alone, then what a good call does; the storage of §2."""

from typing import TYPE_CHECKING, Any

import pytest

from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.core.proof import leaf_hash

if TYPE_CHECKING:
    from tests.evm.conftest import Consortium, World

ORIGIN = "example.org/receivables"
UNJUDGED = [*range(6, 13), *range(14, 18), 20, 21, 22]  # ladders, keys, hashes, the private chain


def made(world: "World", count: int = 4, **words: Any) -> "Consortium":
    return type(world.log)(count, **words)


def register(world: "World", log: "Consortium", **changed: Any) -> bytes:
    entries = changed.get("entries", log.members.set.encode_entries())
    answer = world.registry.call(
        "register", changed.get("genesis", log.genesis), changed.get("origin", ORIGIN), entries
    )
    return bytes(answer)


# ── the record ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("length", [0, 31, 831, 833, 864])
def test_a_record_of_another_length_is_refused(world: "World", length: int) -> None:
    with world.refuses("RecordMalformed", 832, length):
        register(world, world.log, genesis=(world.log.genesis + bytes(32))[:length])


@pytest.mark.parametrize(
    ("index", "value"),
    [
        (0, bytes(32)), (2, 0), (2, 2), (2, 1 | 1 << 255),
        (3, 0), (3, 2**40), (3, 1 << 64), (4, 0), (4, 86_401), (4, 1 << 64), (5, 2**32),
        (6, 1 << 64), (7, 1 << 64), (8, 1 << 255), (9, 1 << 64),
        (18, 1 << 160), (19, 2_592_001), (19, 1 << 64), (21, 1 << 64),
        (24, 5), (24, 1 << 64), (25, 5),
    ],
)  # fmt: skip
def test_a_word_out_of_range_or_padded_wrongly_is_refused_by_its_number(
    world: "World", index: int, value: int | bytes
) -> None:
    log = made(world, **{f"w{index}": value})
    with world.refuses("WordMalformed", index):
        register(world, log)


@pytest.mark.parametrize(
    ("words", "index"),
    [
        ({"predecessor": 1}, 24),
        ({"predecessor": 1, "predecessor_size": 1}, 25),
        ({"predecessor": 1, "predecessor_root": 1}, 24),
        ({"predecessor_size": 1, "predecessor_root": 1}, 24),
        ({"predecessor": 1, "predecessor_size": 1 << 64, "predecessor_root": 1}, 24),
    ],
)
def test_a_predecessor_has_all_its_words_or_none(world: "World", words: dict[str, int], index: int) -> None:
    with world.refuses("WordMalformed", index):
        register(world, made(world, **words))


@pytest.mark.parametrize(
    "words",
    [
        {"time": 1}, {"time": 2**40 - 1}, {"cadence": 1}, {"cadence": 86_400}, {"grace": 0}, {"grace": 2**32 - 1},
        {"guardian": 2**160 - 1}, {"pause": 0}, {"pause": 2_592_000},
        {"predecessor": 7, "predecessor_size": 8, "predecessor_root": 9},
        *({f"w{index}": 0} for index in UNJUDGED),
        *({f"w{index}": 2**64 - 1 if index in (6, 7, 8, 9, 21) else 2**256 - 1} for index in UNJUDGED),
    ],
)  # fmt: skip
def test_the_bounds_are_good_and_other_words_are_not_judged(world: "World", words: dict[str, int]) -> None:
    log = made(world, **words)
    assert register(world, log) == log.log_id
    assert world.head(log.log_id)[7] == 1


# ── origin and set ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_another_origin_is_refused(world: "World") -> None:
    log = made(world, 5)
    with world.refuses("RootMismatch", sha256(ORIGIN.encode()), sha256(b"example.org/other")):
        register(world, log, origin="example.org/other")


@pytest.mark.parametrize(
    ("length", "index"), [(0, 0), (1, 0), (127, 0), (129, 1), (511, 3), (513, 4), (64 * 128 + 1, 64), (65 * 128, 64)]
)
def test_entries_of_another_length_are_refused(world: "World", length: int, index: int) -> None:
    log = made(world, 64, time=5)
    entries = (log.members.set.encode_entries() + b"\xff" * 200)[:length]
    with world.refuses("EntriesMalformed", index):
        register(world, log, entries=entries)


def spoilt(entries: bytes, index: int, word: bytes) -> bytes:
    return entries[: 128 * index] + word + entries[128 * index + 32 :]


@pytest.mark.parametrize("index", [0, 1, 3])
def test_entries_ascend_strictly_and_hold_addresses(world: "World", index: int) -> None:
    log = made(world, time=5)
    entries = log.members.set.encode_entries()
    before = entries[128 * index - 128 : 128 * index - 96] if index else bytes(32)
    lower = (max(int.from_bytes(before, "big") - 1, 0)).to_bytes(32, "big")
    padded = b"\x00" * 11 + b"\x01" + entries[128 * index + 12 : 128 * index + 32]
    for word in (before, lower, bytes(32), padded, b"\x80" + padded[1:]):
        with world.refuses("EntriesMalformed", index):
            register(world, log, entries=spoilt(entries, index, word))


def test_the_highest_address_is_one(world: "World") -> None:
    entries = spoilt(world.log.members.set.encode_entries(), 3, b"\x00" * 12 + b"\xff" * 20)
    digest = type(world.log.members.set).decode_entries(1, entries).digest
    register(world, made(world, set=digest), entries=entries)
    assert world.registry.logs[1][1][4] == entries


@pytest.mark.parametrize("byte", [31, 32, 64, 96, 511])
def test_another_set_than_that_of_the_record_is_refused(world: "World", byte: int) -> None:
    log = made(world, time=5)
    entries = bytearray(log.members.set.encode_entries())
    entries[byte] ^= 1
    other = type(log.members.set).decode_entries(1, bytes(entries))
    with world.refuses("SetMismatch", log.members.set.digest, other.digest):
        register(world, log, entries=bytes(entries))


def test_the_id_commits_to_the_first_set_so_nobody_can_take_a_log(world: "World") -> None:
    squatter = made(world, 4, time=5, set=type(world.log.members).of(1, range(10, 14)).set.digest)
    assert squatter.log_id != made(world, 4, time=5).log_id


# ── what a good call does ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("n", [1, 4, 7, 64])
def test_a_registration_stores_four_words_and_says_what_was_registered(world: "World", n: int) -> None:
    log = made(world, n, guardian=0xABCD, pause=77, grace=99)
    entries, members = log.members.set.encode_entries(), log.members.set
    assert world.words(log.log_id) == [0] * 6
    register(world, log)
    assert world.registry.logs == [
        ("Registered", (log.log_id, ORIGIN, log.genesis)),
        ("ValidatorSet", (log.log_id, 1, members.digest, 1, entries)),
    ]
    key = keccak256(members.digest + b"".join(members.addresses))
    meta = 1 | world.time << 40 | 1_800_000_000 << 80 | 600 << 200 | 1 << 224
    brake = 0xABCD | 77 << 160 | 99 << 192
    words = [meta, int.from_bytes(log.log_id, "big"), int.from_bytes(key, "big"), brake, 0, 0]
    assert world.words(log.log_id) == words
    assert world.head(log.log_id) == (1, log.log_id, 1_800_000_000, world.time, 1, 0, 0, 1)
    assert log.log_id == leaf_hash(log.genesis)


@pytest.mark.parametrize("changed", [{}, {"origin": "other"}, {"entries": b""}])
def test_registering_twice_is_registering_once(world: "World", changed: dict[str, Any]) -> None:
    world.advanced(7)
    before = world.words()
    assert register(world, world.log, **changed) == world.log.log_id
    assert world.registry.logs == []
    assert world.words() == before


def test_a_registration_leaves_other_logs_alone(world: "World") -> None:
    world.advanced(7)
    before = world.words()
    register(world, made(world, 7))
    assert world.words() == before


def test_a_log_may_be_registered_before_it_begins(world: "World") -> None:
    log = made(world, time=world.time + 1000)
    register(world, log)
    assert world.registry.call("overdue", log.log_id) == 0
    assert world.registry.call("isFresh", log.log_id, 2**64 - 1) is False
