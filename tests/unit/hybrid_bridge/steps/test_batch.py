from dataclasses import replace

import pytest

from hybrid_bridge.business.ruling import LifeEvent
from hybrid_bridge.core import vrf
from hybrid_bridge.core.encoding import ZERO, sha256
from hybrid_bridge.core.entry import RefusalEntry, entry_leaf
from hybrid_bridge.core.epoch import BRAKE_ON, verify_next
from hybrid_bridge.core.labels import alpha, commitment, creditor_invoice, identity_value, life, life_value
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.registry import PrefixTree, genesis_tree
from hybrid_bridge.core.secret import Stats
from hybrid_bridge.core.signing import address_of, public_key_of
from hybrid_bridge.core.transaction import BeaconPayload
from hybrid_bridge.core.tree import Tree
from hybrid_bridge.core.validators import KeyBinding, ValidatorEntry, ValidatorSet, name_hash
from hybrid_bridge.errors import FieldMismatch, TooLong
from hybrid_bridge.steps.batch import Closed, ClosingKeys, EpochBlocks, close_epoch, label_index
from hybrid_bridge.units import (
    ChainId,
    Digest,
    EpochNumber,
    Height,
    PublicBlockHash,
    PublicBlockNumber,
    SetId,
    TransactionId,
    TreeSize,
)
from tests.unit.hybrid_bridge.core.consortium import GENESIS, PUBLIC_KEY, SECRET, SEED, SET_HASH

ENTRY = bytes.fromhex("010101000896d9883e279efb7aad41b8b67f0f45344e7ffa811b8484d2689077a18ad786d6")
BLOCK_HASH = Digest(bytes.fromhex("d06541110d1cf5318f754d5664341a69f686f00c1e34985a3e54e5e5117708be"))
OBJECT = bytes(range(16)).hex()
OPENING = bytes(range(0x80, 0xA0))
INVOICE = creditor_invoice("LEI:5493001KJTIIGC8Y1R12", "INV-001")
KEYS = ClosingKeys(secret=SECRET, vrf_seed=SEED)
EVENT = LifeEvent(
    object_type="asset", object_id=OBJECT, version=0, code="0x0101", entry_leaf=entry_leaf(ENTRY), state={}
)


def fixture_set() -> ValidatorSet:
    """Keys 1, 2, 3, 4 of SPEC §17."""
    addresses = sorted(address_of(public_key_of(number.to_bytes(32, "big"))) for number in (1, 2, 3, 4))
    entries = []
    for i, address in enumerate(addresses):
        certificate = sha256(f"certificate {i}".encode())
        binding = KeyBinding(GENESIS.origin_hash, certificate, address, ZERO)
        entries.append(ValidatorEntry(address, name_hash(f"LEI:TEST{i}", f"Member {i}"), certificate, binding.digest))
    return ValidatorSet(SetId(1), tuple(entries))


VALIDATORS = fixture_set()
IDENTITY_PAIR = (
    label_index(GENESIS, SEED, INVOICE, 0)[0],
    commitment(OPENING, GENESIS.log_id, INVOICE, 0, identity_value(entry_leaf(ENTRY), OBJECT)),
)
FIRST = EpochBlocks(
    first_block=Height(1),
    end_block=Height(2),
    last_block_hash=BLOCK_HASH,
    entries=(ENTRY,),
    identity_ops=(IDENTITY_PAIR,),
    life_events=(EVENT,),
    governance_size=TreeSize(1),
    governance_root=leaf_hash(GENESIS.encode()),
    beacon=None,
    brake_until=EpochNumber(0),
    submitters=1,
)
IDLE = replace(
    FIRST,
    first_block=Height(2),
    last_block_hash=None,
    entries=(),
    identity_ops=(),
    life_events=(),
    submitters=0,
)


def registry_0() -> PrefixTree:
    return genesis_tree(SECRET, GENESIS.registry_ladder)


def first() -> Closed:
    return close_epoch(GENESIS, None, registry_0(), FIRST, keys=KEYS, validators=VALIDATORS)


def second(blocks: EpochBlocks) -> Closed:
    before = first()
    return close_epoch(GENESIS, before.record, before.registry, blocks, keys=KEYS, validators=VALIDATORS)


def test_the_fixture_set_is_that_of_the_specification() -> None:
    assert VALIDATORS.digest == SET_HASH


def test_epoch_one_is_the_known_answer() -> None:
    closed = first()
    assert closed.batch.root.hex() == "3c7af384c758b03db0cb899be4679269a00fbfaefdbcd1a8b732a05fd292674b"
    assert closed.registry.root.hex() == "66fbae6d8b037d09f9de1b8830d71abeaf61f74f801571bfba18de16d37d4c77"
    assert closed.record.leaf.hex() == "4a742bcb9e4cda3b045efbc6b459fa7a701e282c86ad6b5419567a005740adea"
    log = Tree()
    log.extend([Digest(GENESIS.log_id), closed.record.leaf])
    assert log.root().hex() == "2a230a37fe3a8cad73614edfa841475ae8ebe693d7550f652b00a8adb82c8cfc"


def test_what_is_added_to_the_registry_is_a_rung_of_pairs_ascending() -> None:
    closed = first()
    assert len(closed.pairs) == 4
    assert list(closed.pairs) == sorted(closed.pairs)
    assert IDENTITY_PAIR in closed.pairs


def test_a_life_label_stands_at_its_vrf_index_and_opens_by_the_secret() -> None:
    label = life("asset", OBJECT)
    index, proof = label_index(GENESIS, SEED, label, 0)
    assert vrf.index_of(vrf.verify(PUBLIC_KEY, alpha(GENESIS.log_id, label, 0), proof)) == index
    opening = SECRET.life_opening(EpochNumber(1), label.encode(), 0)
    expected = commitment(opening, GENESIS.log_id, label, 0, life_value("0x0101", entry_leaf(ENTRY), {}))
    assert first().registry.get(index) == expected


def test_an_epoch_without_a_block_keeps_the_last_hash() -> None:
    closed = second(replace(IDLE, end_block=Height(2)))
    verify_next(GENESIS, first().record, closed.record)
    assert closed.record.last_block_hash == BLOCK_HASH
    assert closed.record.first_block == closed.record.end_block == 2


def test_the_first_epoch_without_a_block_names_the_ledger() -> None:
    blocks = replace(IDLE, first_block=Height(1), end_block=Height(1))
    closed = close_epoch(GENESIS, None, registry_0(), blocks, keys=KEYS, validators=VALIDATORS)
    assert closed.record.last_block_hash == GENESIS.ledger_id


def test_refusals_are_counted_apart_from_records() -> None:
    refusal = RefusalEntry(TransactionId(sha256(b"refused"))).encode()
    blocks = replace(IDLE, end_block=Height(3), last_block_hash=sha256(b"2"), entries=(refusal,), submitters=1)
    closed = second(blocks)
    assert closed.record.stats_commitment == SECRET.stats(EpochNumber(2), Stats(0, 1, 0, 1))
    assert closed.batch.index_of(entry_leaf(refusal)) >= 0


def test_the_last_beacon_and_the_brake_stand_in_the_record() -> None:
    beacon = BeaconPayload(ChainId(1), PublicBlockNumber(7), PublicBlockHash(b"\x07" * 32))
    record = second(replace(IDLE, end_block=Height(2), beacon=beacon, brake_until=EpochNumber(2))).record
    assert (record.public_chain_id, record.public_block_number, record.public_block_hash) == (1, 7, b"\x07" * 32)
    assert record.flags == BRAKE_ON
    assert second(replace(IDLE, end_block=Height(2), brake_until=EpochNumber(1))).record.flags == 0


@pytest.mark.parametrize("start", [1, 3], ids=["blocks-overlap", "blocks-gap"])
def test_blocks_that_do_not_continue_are_refused(start: int) -> None:
    with pytest.raises(FieldMismatch):
        second(replace(IDLE, first_block=Height(start), end_block=Height(4), last_block_hash=BLOCK_HASH))


def test_more_labels_than_the_highest_rung_are_refused() -> None:
    pairs = tuple((sha256(bytes([i])), sha256(bytes([i, 0]))) for i in range(17))
    with pytest.raises(TooLong):
        second(replace(IDLE, end_block=Height(2), identity_ops=pairs))


# ── an epoch closes whatever its transactions brought ──


def close_first(blocks):
    registry = genesis_tree(SECRET, GENESIS.registry_ladder)
    return registry, close_epoch(GENESIS, None, registry, blocks, keys=KEYS, validators=VALIDATORS)


def test_an_index_copied_from_a_dummy_of_genesis_is_passed_over():
    copied = next(iter(genesis_tree(SECRET, GENESIS.registry_ladder).pairs()))[0]
    registry, closed = close_first(replace(FIRST, identity_ops=(IDENTITY_PAIR, (copied, bytes(32)))))
    assert closed.registry.get(copied) == registry.get(copied) != bytes(32)
    assert closed.record.registry_root == close_first(FIRST)[1].record.registry_root


def test_a_life_event_stands_before_an_identity_op_that_took_its_index():
    index = label_index(GENESIS, SEED, life("asset", OBJECT), 0)[0]
    _, closed = close_first(replace(FIRST, identity_ops=(IDENTITY_PAIR, (index, bytes(32)))))
    assert closed.record.registry_root == close_first(FIRST)[1].record.registry_root


def test_a_dummy_that_was_taken_beforehand_is_replaced_by_the_next_one():
    taken = SECRET.dummy(EpochNumber(1), 0)[0]
    _, closed = close_first(replace(FIRST, identity_ops=(IDENTITY_PAIR, (taken, bytes(32)))))
    indices = [index for index, _ in closed.pairs]
    assert closed.registry.get(taken) == bytes(32)
    assert len(indices) == len(set(indices)) == 4
