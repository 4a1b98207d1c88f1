"""Views of the proof verifier, CONTRACT §3.8: each check broken alone, in order."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hybrid_bridge.core.epoch import EpochRecord
from hybrid_bridge.core.proof import consistency_roots, inclusion_root, leaf_hash

if TYPE_CHECKING:
    from tests.evm.conftest import RecordedLog, World

FROZEN, RETIRED = 1 << 248, 1 << 249
HEAD, PINNED, EPOCH = 29, 20, 13
NUMBERS = [2, 3, 4, 6, 9, 11, 13, 14, 16, 17]  # words of an epoch record that are u64


@dataclass(frozen=True)
class Proof:
    """The arguments of `verifyEpoch` and `verifyEntry`, to be spoilt by `replace`."""

    registry: str
    log_id: bytes
    size: int
    root: bytes
    path: list[bytes]
    record: bytes
    record_path: list[bytes]
    entry: tuple[Any, ...] = field(default=())

    def epoch(self) -> tuple[Any, ...]:
        return self.registry, self.log_id, (self.size, self.root, self.path), (self.record, self.record_path)


@pytest.fixture
def log(world: "World", recorded: "RecordedLog") -> "RecordedLog":
    """Registered and anchored at size 29."""
    world.log = world.registered(recorded)
    world.advanced(7, HEAD)
    return recorded


def proof_of(world: "World", log: "RecordedLog", epoch: int = EPOCH, size: int = PINNED) -> Proof:
    record, record_path = log.epoch_proof(epoch, size)
    path = log.tree.consistency_path(size, HEAD)
    entry = log.batches[epoch].proof(5)
    return Proof(world.registry.address, log.log_id, size, log.tree.root(size), path, record, record_path, entry)


def verify_epoch(world: "World", proof: Proof) -> tuple[Any, ...]:
    return tuple(world.proofs.call("verifyEpoch", *proof.epoch()))


def verify_entry(world: "World", proof: Proof) -> tuple[Any, ...]:
    return tuple(world.proofs.call("verifyEntry", *proof.epoch(), proof.entry))


def words(record: bytes) -> list[bytes]:
    return [record[place : place + 32] for place in range(0, len(record), 32)]


def spoilt(record: bytes, index: int, word: int | bytes) -> bytes:
    value = word if isinstance(word, bytes) else word.to_bytes(32, "big")
    return record[: 32 * index] + value + record[32 * index + 32 :]


# ── what good proofs give ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("epoch", [1, 2, 7, 12, 19])
@pytest.mark.parametrize("size", [PINNED, HEAD])
def test_an_epoch_gives_all_its_words(world: "World", log: "RecordedLog", epoch: int, size: int) -> None:
    proof = proof_of(world, log, epoch, size)
    given = [word if isinstance(word, bytes) else word.to_bytes(32, "big") for word in verify_epoch(world, proof)]
    assert given == words(proof.record)[1:]
    assert EpochRecord.decode(proof.record).epoch == epoch


@pytest.mark.parametrize("index", range(8))
def test_an_entry_gives_its_fact_and_a_decoy_gives_none(world: "World", log: "RecordedLog", index: int) -> None:
    entry = log.batches[EPOCH].proof(index)
    proof = replace(proof_of(world, log), entry=entry)
    if entry[0][0] == 0:
        with world.refuses("EntryMalformed", 0):
            verify_entry(world, proof)
        return
    assert verify_entry(world, proof) == (EPOCH, 0x010E, 16, entry[0][5:])


def test_a_retired_log_still_gives_facts(world: "World", log: "RecordedLog") -> None:
    world.set_word(0, world.words()[0] | RETIRED)
    assert verify_entry(world, proof_of(world, log))[0] == EPOCH


# ── the checkpoint ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_no_fact_is_given_of_a_frozen_or_unknown_log(world: "World", log: "RecordedLog") -> None:
    proof = proof_of(world, log)
    with pytest.raises(Exception, match="UnknownLog"):
        verify_entry(world, replace(proof, log_id=bytes(32)))
    world.set_word(0, world.words()[0] | FROZEN)
    for verify in (verify_epoch, verify_entry):
        with world.refuses("LogFrozen", log.log_id):
            verify(world, proof)


def test_the_checkpoint_must_stand_under_the_head(world: "World", log: "RecordedLog") -> None:
    proof, wrong = proof_of(world, log), b"\x09" * 32
    older, _ = consistency_roots(PINNED, HEAD, proof.path, wrong)
    for bad, name, fields in (
        (replace(proof, size=0), "SizeOrder", (0, HEAD)),
        (replace(proof, size=HEAD + 1), "SizeOrder", (HEAD + 1, HEAD)),
        (replace(proof, path=[]), "PathLength", (len(proof.path), 0)),
        (replace(proof, root=wrong), "RootMismatch", (wrong, older)),
        (replace(proof, size=HEAD, path=[], root=wrong), "RootMismatch", (log.tree.root(HEAD), wrong)),
    ):
        with world.refuses(name, *fields):
            verify_epoch(world, bad)


def test_a_path_made_for_an_earlier_head_is_refused(world: "World", log: "RecordedLog") -> None:
    proof = proof_of(world, log)
    world.advanced(HEAD + 5)
    with pytest.raises(Exception, match=r"PathLength|RootMismatch"):
        verify_entry(world, proof)


# ── the epoch record ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("length", [0, 37, 639, 641, 832])
def test_an_epoch_record_has_its_length(world: "World", log: "RecordedLog", length: int) -> None:
    proof = proof_of(world, log)
    with world.refuses("RecordMalformed", 640, length):
        verify_epoch(world, replace(proof, record=(proof.record + bytes(200))[:length]))


@pytest.mark.parametrize(
    ("index", "word"), [(0, 0), (1, 0), *((w, 2**53) for w in NUMBERS), *((w, 1 << 255) for w in NUMBERS)]
)
def test_each_word_of_an_epoch_record_is_checked(world: "World", log: "RecordedLog", index: int, word: int) -> None:
    proof = proof_of(world, log)
    with world.refuses("WordMalformed", index):
        verify_epoch(world, replace(proof, record=spoilt(proof.record, index, word)))


@pytest.mark.parametrize("index", [w for w in NUMBERS if w not in (2, 6)])  # epoch and batch have places in trees
def test_the_largest_number_of_an_epoch_record_is_one(world: "World", recorded: "RecordedLog", index: int) -> None:
    honest = recorded.record
    recorded.record = lambda epoch: honest(epoch, **{f"w{index}": 2**53 - 1})  # type: ignore[method-assign]
    world.log = world.registered(recorded)
    world.advanced(7, HEAD)
    assert verify_epoch(world, proof_of(world, recorded))[index - 1] == 2**53 - 1


def test_the_record_of_another_log_is_refused(world: "World", log: "RecordedLog") -> None:
    other = type(log)(7)
    other.grow(HEAD)
    with world.refuses("WordMalformed", 1):
        verify_epoch(world, replace(proof_of(world, log), record=other.records[EPOCH]))


def test_an_epoch_beyond_the_checkpoint_is_refused(world: "World", log: "RecordedLog") -> None:
    proof = proof_of(world, log)
    with world.refuses("IndexBeyondSize", PINNED, PINNED):
        verify_epoch(world, replace(proof, record=log.records[PINNED]))


def test_a_record_stands_at_the_index_of_its_epoch_only(world: "World", log: "RecordedLog") -> None:
    proof = proof_of(world, log)
    record = spoilt(proof.record, 2, EPOCH + 1)
    calculated = inclusion_root(leaf_hash(record), EPOCH + 1, PINNED, proof.record_path)
    with world.refuses("RootMismatch", proof.root, calculated):
        verify_epoch(world, replace(proof, record=record))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bit=st.integers(0, 640 * 8 - 1))
def test_each_flipped_bit_of_a_record_is_refused(world: "World", log: "RecordedLog", bit: int) -> None:
    proof = proof_of(world, log)
    record = (int.from_bytes(proof.record, "big") ^ 1 << bit).to_bytes(640, "big")
    with pytest.raises(Exception, match=r"WordMalformed|IndexBeyondSize|PathLength|RootMismatch"):
        verify_epoch(world, replace(proof, record=record))


def test_a_path_of_another_length_is_refused_before_hashing(world: "World", log: "RecordedLog") -> None:
    proof = proof_of(world, log)
    expected = len(proof.record_path)
    for path in (proof.record_path[:-1], [*proof.record_path, bytes(32)], [bytes(32)] * 53):
        with world.refuses("PathLength", expected, len(path)):
            verify_epoch(world, replace(proof, record_path=path))


# ── the entry ────────────────────────────────────────────────────────────────────────────────────────────────────────


def with_entry(proof: Proof, entry: bytes) -> Proof:
    return replace(proof, entry=(entry, *proof.entry[1:]))


@pytest.mark.parametrize("length", [0, 36, 38, 64])
def test_an_entry_has_37_bytes(world: "World", log: "RecordedLog", length: int) -> None:
    proof = proof_of(world, log)
    with world.refuses("RecordMalformed", 37, length):
        verify_entry(world, with_entry(proof, (proof.entry[0] + bytes(40))[:length]))


@pytest.mark.parametrize(
    ("head", "offset"),
    [
        ("0001010008", 0), ("0201010008", 0), ("ff01010008", 0), ("0100000008", 1), ("01ffff0008", 1),
        ("0101010000", 3), ("0101010004", 3), ("0101010007", 3), ("0101010009", 3), ("010101000c", 3),
        ("0101010800", 3), ("0101010401", 3), ("010101ffff", 3),
    ],
)  # fmt: skip
def test_an_entry_breaking_the_layout_is_refused_at_its_offset(
    world: "World", log: "RecordedLog", head: str, offset: int
) -> None:
    proof = proof_of(world, log)
    with world.refuses("EntryMalformed", offset):
        verify_entry(world, with_entry(proof, bytes.fromhex(head) + proof.entry[0][5:]))


@pytest.mark.parametrize("width", [8, 16, 32, 64, 128, 256, 512, 1024])
def test_every_width_of_the_table_reaches_the_batch(world: "World", log: "RecordedLog", width: int) -> None:
    proof = proof_of(world, log)
    with pytest.raises(Exception, match=r"RootMismatch") if width != 16 else pytest.raises(AssertionError):
        verify_entry(world, with_entry(proof, b"\x01\x01\x0e" + width.to_bytes(2, "big") + proof.entry[0][5:]))
        raise AssertionError


def test_an_entry_must_stand_in_the_batch_of_its_epoch(world: "World", log: "RecordedLog") -> None:
    proof = proof_of(world, log)
    entry, index, path = proof.entry
    other, _, other_path = log.batches[EPOCH + 1].proof(index)
    root = log.batches[EPOCH].tree.root()
    for bad, name, fields in (
        ((entry, 8, path), "IndexBeyondSize", (8, 8)),
        ((entry, 2**64 - 1, path), "IndexBeyondSize", (2**64 - 1, 8)),
        ((entry, index, path[:-1]), "PathLength", (3, 2)),
        ((entry, index + 1, path), "RootMismatch", (root, inclusion_root(leaf_hash(entry), index + 1, 8, path))),
        ((other, index, other_path), "RootMismatch", (root, log.batches[EPOCH + 1].tree.root())),
    ):
        with world.refuses(name, *fields):
            verify_entry(world, replace(proof, entry=bad))


def test_the_checks_of_the_row_above_come_first(world: "World", log: "RecordedLog") -> None:
    proof = with_entry(proof_of(world, log), b"")
    with world.refuses("RecordMalformed", 640, 0):
        verify_entry(world, replace(proof, record=b""))
    with world.refuses("SizeOrder", 0, HEAD):
        verify_entry(world, replace(proof, size=0, record=b""))
