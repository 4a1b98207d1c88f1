"""`verifyDisclosure`, `verifyRegistryPresence`, `verifyRegistryAbsence`, CONTRACT §3.8: each check broken alone."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from hybrid_bridge.core.disclosure import Disclosure
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.entry import RecordEntry
from hybrid_bridge.core.field_tree import FieldTree, build_fields
from tests.evm.conftest import Batch, RecordedLog

if TYPE_CHECKING:
    from tests.evm.conftest import World

HEAD, EPOCH, PAY_ACK = 9, 5, 0x010E
NOTE = "000102030405060708090a0b0c0d0e0f"
CLAIMS = {"_schema": "note.pay_ack/1", "_origin": "someone", "note": NOTE, "paid": "1250000", "late": False}


def salt(name: str) -> bytes:
    return sha256(b"salt of " + name.encode())


def fields(**changed: Any) -> FieldTree:
    claims = [Disclosure(salt(name), name, value) for name, value in {**CLAIMS, **changed}.items()]
    private = [Disclosure(salt("payer"), "payer", "Müller & Söhne")]
    return build_fields(claims, private, [sha256(b"%d" % i) for i in range(7)])


# ── a registry, slowly ───────────────────────────────────────────────────────────────────────────────────────────────

Pairs = dict[bytes, bytes]


def bit(index: bytes, depth: int) -> bool:
    return bool(index[depth // 8] >> 7 - depth % 8 & 1)


def parted(pairs: Pairs, depth: int) -> tuple[Pairs, Pairs]:
    halves: tuple[Pairs, Pairs] = ({}, {})
    for index, commitment in pairs.items():
        halves[bit(index, depth)][index] = commitment
    return halves


def top(pairs: Pairs, depth: int = 0) -> bytes:
    if not pairs:
        return bytes(32)
    if len(pairs) == 1:
        ((index, commitment),) = pairs.items()
        return sha256(b"\x02" + index + commitment)
    left, right = parted(pairs, depth)
    return sha256(b"\x03" + top(left, depth + 1) + top(right, depth + 1))


def end_of(pairs: Pairs, index: bytes, depth: int = 0) -> tuple[tuple[bool, bytes, bytes], list[bytes]]:
    """The terminal, and the siblings, lowest first."""
    if len(pairs) < 2:
        pair = next(iter(pairs.items()), None)
        return (True, bytes(32), bytes(32)) if pair is None else (False, *pair), []
    halves = parted(pairs, depth)
    terminal, path = end_of(halves[bit(index, depth)], index, depth + 1)
    return terminal, [*path, top(halves[not bit(index, depth)], depth + 1)]


PAIRS = {sha256(b"index %d" % i): sha256(b"commitment %d" % i) for i in range(40)}
DEEP = b"\xaa" * 31
PAIRS |= {DEEP + b"\x00": sha256(b"deep"), DEEP + b"\x01": sha256(b"deeper")}  # 256 siblings


# ── the log ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class FactLog(RecordedLog):
    """Every epoch has one entry whose fields can be opened, and the registry above."""

    def __init__(self, pairs: dict[bytes, bytes] = PAIRS) -> None:
        self.fields, self.pairs = fields(), pairs
        self.entry = RecordEntry(PAY_ACK, len(self.fields.leaves), self.fields.field_root).encode()
        super().__init__()

    def record(self, epoch: int, **words: Any) -> bytes:
        if self.entry not in self.batches[epoch].entries:
            self.batches[epoch] = Batch([self.entry, *self.batches[epoch].entries[1:]])
        return super().record(epoch, w8=top(self.pairs), **words)


@dataclass
class Facts:
    """The arguments of the views: those of the epoch first."""

    world: "World"
    log: FactLog

    def epoch(self) -> tuple[Any, ...]:
        size, log = 7, self.log
        checkpoint = (size, log.tree.root(size), log.tree.consistency_path(size, HEAD))
        return self.world.registry.address, log.log_id, checkpoint, log.epoch_proof(EPOCH, size)

    def entry(self) -> tuple[bytes, int, list[bytes]]:
        batch = self.log.batches[EPOCH]
        return batch.proof(batch.entries.index(self.log.entry))

    def field(self, name: str) -> tuple[bytes, int, list[bytes]]:
        found = next(d for d in (*self.log.fields.claims, *self.log.fields.private) if d.name == name)
        index = self.log.fields.leaves.index(found.digest)
        return found.text().encode(), index, list(self.log.fields.path(index))

    def disclosed(self, field: tuple[Any, ...], entry: tuple[Any, ...] | None = None) -> tuple[Any, ...]:
        return tuple(self.world.proofs.call("verifyDisclosure", *self.epoch(), entry or self.entry(), field))

    def present(self, index: bytes, commitment: bytes, path: list[bytes]) -> int:
        return int(self.world.proofs.call("verifyRegistryPresence", *self.epoch(), index, commitment, path))

    def absent(self, index: bytes, terminal: tuple[bool, bytes, bytes], path: list[bytes]) -> int:
        return int(self.world.proofs.call("verifyRegistryAbsence", *self.epoch(), index, terminal, path))


@pytest.fixture
def facts(world: "World") -> Facts:
    return facts_of(world, FactLog())


def facts_of(world: "World", log: FactLog) -> Facts:
    world.log = world.registered(log)
    world.advanced(HEAD)
    return Facts(world, log)


# ── disclosures ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", [*CLAIMS, "payer"])
def test_a_field_and_its_half(facts: Facts, name: str) -> None:
    fact, is_claim = facts.disclosed(facts.field(name))
    assert fact == (EPOCH, PAY_ACK, 16, facts.log.fields.field_root)
    assert is_claim is (name in CLAIMS)


def test_a_disclosure_is_some_ascii(facts: Facts) -> None:
    _, index, path = facts.field("note")
    for text, offset in ((b"", 0), (b"x" * 8193, 8193), (b"W10\x80", 3), (b"\xff", 0)):
        with facts.world.refuses("DisclosureMalformed", offset):
            facts.disclosed((text, index, path))
    with pytest.raises(Exception, match="RootMismatch"):
        facts.disclosed((b"x" * 8192, index, path))


def test_every_bit_of_a_disclosure_and_its_path_counts(facts: Facts) -> None:
    text, index, path = facts.field("note")
    for place in range(0, len(text), 5):
        flipped = bytes(byte ^ (place == k) for k, byte in enumerate(text))
        with pytest.raises(Exception, match="RootMismatch"):
            facts.disclosed((flipped, index, path))
    for k in range(len(path)):
        with pytest.raises(Exception, match="RootMismatch"):
            facts.disclosed((text, index, [*path[:k], bytes(32), *path[k + 1 :]]))
    for wrong in (index ^ 1, index ^ 8):
        with pytest.raises(Exception, match="RootMismatch"):
            facts.disclosed((text, wrong, path))
    with facts.world.refuses("IndexBeyondSize", 16, 16):
        facts.disclosed((text, 16, path))
    for other in (path[:-1], [*path, bytes(32)]):
        with facts.world.refuses("PathLength", 4, len(other)):
            facts.disclosed((text, index, other))


def test_a_field_of_an_entry_that_is_not_there_is_no_fact(facts: Facts) -> None:
    entry, index, path = facts.entry()
    other = bytes([entry[0], entry[1] ^ 1, *entry[2:]])
    with pytest.raises(Exception, match="RootMismatch"):
        facts.disclosed(facts.field("note"), (other, index, path))


# ── registry ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("place", [0, 1, 2, 3, 4, 5, -2, -1])
def test_what_is_there_is_present_and_cannot_be_absent(facts: Facts, place: int) -> None:
    index = list(PAIRS)[place]
    terminal, path = end_of(PAIRS, index)
    assert facts.present(index, PAIRS[index], path) == EPOCH
    with facts.world.refuses("IndexPresent", index):
        facts.absent(index, terminal, path)
    with pytest.raises(Exception, match="RootMismatch"):
        facts.present(index, sha256(b"another commitment"), path)
    for lie in ((True, bytes(32), bytes(32)), (False, bytes(32), PAIRS[index])):
        with pytest.raises(Exception, match=r"RootMismatch|TerminalMalformed"):
            facts.absent(index, lie, path)


@pytest.mark.parametrize("number", range(8))
def test_what_is_not_there_is_absent_and_cannot_be_present(facts: Facts, number: int) -> None:
    index = sha256(b"free %d" % number)
    terminal, path = end_of(PAIRS, index)
    assert facts.absent(index, terminal, path) == EPOCH
    with pytest.raises(Exception, match="RootMismatch"):
        facts.present(index, terminal[2], path)


def test_an_empty_registry_and_one_of_a_single_pair_have_paths_without_siblings(world: "World") -> None:
    index, other, hole = sha256(b"the only"), sha256(b"another"), (True, bytes(32), bytes(32))
    pairs = {index: sha256(b"its commitment")}
    empty = facts_of(world, FactLog({}))
    assert empty.absent(index, hole, []) == EPOCH
    with pytest.raises(Exception, match="RootMismatch"):
        empty.present(index, pairs[index], [])
    single = facts_of(type(world)(), FactLog(pairs))
    assert single.present(index, pairs[index], []) == EPOCH
    assert single.absent(other, (False, index, pairs[index]), []) == EPOCH
    with single.world.refuses("IndexPresent", index):
        single.absent(index, (False, index, pairs[index]), [])


def test_a_hole_has_one_encoding(facts: Facts) -> None:
    index = next(i for i in (sha256(b"hole %d" % n) for n in range(99)) if end_of(PAIRS, i)[0][0])
    _, path = end_of(PAIRS, index)
    assert facts.absent(index, (True, bytes(32), bytes(32)), path) == EPOCH
    for terminal in ((True, index, bytes(32)), (True, bytes(32), index)):
        with facts.world.refuses("TerminalMalformed"):
            facts.absent(index, terminal, path)


def test_the_pair_at_the_end_lies_on_the_way(facts: Facts) -> None:
    index = sha256(b"free 0")
    (_, other, commitment), path = end_of(PAIRS, index)
    stray = bytes([other[0] ^ 0x80, *other[1:]])
    with facts.world.refuses("TerminalMalformed"):
        facts.absent(index, (False, stray, commitment), path)
    neighbour, deep = DEEP + b"\x02", DEEP + b"\x00"
    with facts.world.refuses("TerminalMalformed"):  # 256 siblings leave no bit to differ in
        facts.absent(neighbour, (False, deep, PAIRS[deep]), end_of(PAIRS, deep)[1])
    terminal, path = end_of(PAIRS, neighbour)
    assert facts.absent(neighbour, terminal, path) == EPOCH


def test_a_path_is_bounded_and_least(facts: Facts) -> None:
    index = next(iter(PAIRS))
    terminal, path = end_of(PAIRS, index)
    for call in (facts.present, facts.absent):
        second: Any = PAIRS[index] if call == facts.present else (True, bytes(32), bytes(32))
        with facts.world.refuses("PathLength", 256, 257):
            call(index, second, [bytes([1]) * 32] * 257)
        with facts.world.refuses("TerminalMalformed"):
            call(index, second, [bytes(32), *path])
    for k in range(len(path)):
        with pytest.raises(Exception, match=r"RootMismatch|TerminalMalformed"):
            facts.present(index, PAIRS[index], [*path[:k], *path[k + 1 :]])
    assert terminal[1] == index


def test_a_frozen_log_gives_no_facts(facts: Facts) -> None:
    facts.world.set_word(0, facts.world.words()[0] | 1 << 248)
    index = next(iter(PAIRS))
    terminal, path = end_of(PAIRS, index)
    for call in (
        lambda: facts.disclosed(facts.field("note")),
        lambda: facts.present(index, PAIRS[index], path),
        lambda: facts.absent(sha256(b"free"), terminal, path),
    ):
        with facts.world.refuses("LogFrozen", facts.log.log_id):
            call()
