"""The genesis record: what it may say, and that it names its consortium."""

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_bridge.core.genesis import GENESIS as LAYOUT
from hybrid_bridge.core.genesis import Genesis, origin_hash
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.errors import BridgeError, FieldMalformed, SizeOrder, WordMalformed
from hybrid_bridge.units import TreeSize
from tests.unit.hybrid_bridge.core.consortium import GENESIS

ONE = b"\x01" * 32


def test_the_attributes_are_the_words_in_their_order() -> None:
    assert tuple(f.name for f in fields(Genesis)) == LAYOUT.names
    assert LAYOUT.width == 832


def test_decoding_inverts_encoding() -> None:
    assert Genesis.decode(GENESIS.encode()) == GENESIS


def test_the_log_id_is_the_leaf_of_the_record() -> None:
    assert GENESIS.log_id == leaf_hash(GENESIS.encode())


def test_genesis_with_other_set_has_another_log_id() -> None:
    assert replace(GENESIS, set_hash=ONE).log_id != GENESIS.log_id


@pytest.mark.parametrize(
    ("name", "value", "index"),
    [
        ("origin_hash", bytes(32), 1),
        ("spec_version", 2, 2),
        ("genesis_time", 0, 3),
        ("genesis_time", 2**40, 3),
        ("cadence", 0, 4),
        ("cadence", 86_401, 4),
        ("grace", 2**32, 5),
        ("promise_delay", 0, 6),
        ("promise_delay", 1001, 6),
        ("batch_ladder", 0, 7),
        ("batch_ladder", 0b1100, 7),
        ("batch_ladder", 1 << 21, 7),
        ("registry_ladder", 0, 8),
        ("registry_ladder", 1, 8),
        ("registry_ladder", -2, 8),
        ("registry_suite", 2, 9),
        ("registry_root", bytes(32), 11),
        ("set_hash", bytes(32), 13),
        ("decoy_key_hash", bytes(32), 14),
        ("log_key", bytes(32), 15),
        ("pause_max", 2_592_001, 19),
        ("predecessor", ONE, 24),
        ("predecessor_size", 1, 24),
        ("predecessor_root", ONE, 25),
    ],
)
def test_a_word_out_of_range_is_refused_by_its_number(name: str, value: object, index: int) -> None:
    with pytest.raises(WordMalformed) as caught:
        replace(GENESIS, **{name: value})
    assert caught.value.index == index


def test_a_log_may_continue_another() -> None:
    successor = replace(GENESIS, predecessor=ONE, predecessor_size=TreeSize(9), predecessor_root=ONE)
    assert Genesis.decode(successor.encode()) == successor


@pytest.mark.parametrize("key", [(2).to_bytes(32, "little"), (1).to_bytes(32, "little")])
def test_a_vrf_key_that_can_prove_nothing_is_refused(key: bytes) -> None:
    with pytest.raises(FieldMalformed) as caught:
        replace(GENESIS, vrf_public_key=key)
    assert caught.value.field == "vrf_public_key"


@given(st.integers(0, 831), st.integers(1, 255))
def test_a_changed_byte_is_refused_or_gives_another_log(at: int, change: int) -> None:
    data = bytearray(GENESIS.encode())
    data[at] ^= change
    try:
        other = Genesis.decode(bytes(data))
    except BridgeError:
        return
    assert other.encode() == data
    assert other.log_id != GENESIS.log_id


@given(st.binary(max_size=900))
def test_random_bytes_leave_only_errors_of_ours(data: bytes) -> None:
    with pytest.raises(BridgeError):
        Genesis.decode(data)


def test_the_clock_of_checkpoints_starts_at_the_genesis_time() -> None:
    assert GENESIS.checkpoint_timestamp(TreeSize(1)) == 1_800_000_000
    assert GENESIS.checkpoint_timestamp(TreeSize(2)) == 1_800_000_600


@pytest.mark.parametrize("size", [0, -1, 2**53])
def test_no_checkpoint_has_such_a_size(size: int) -> None:
    with pytest.raises(SizeOrder):
        GENESIS.checkpoint_timestamp(TreeSize(size))


@pytest.mark.parametrize("origin", ["example.org/receivables", "a", "a-b.c/D_e.f/0"])
def test_an_origin_is_a_host_and_path_segments(origin: str) -> None:
    assert len(origin_hash(origin)) == 32


@pytest.mark.parametrize("origin", ["", "Example.org", "example.org/", "a//b", "a b", "a\n", "ä.org", "a" * 201])
def test_other_origins_are_refused(origin: str) -> None:
    with pytest.raises(FieldMalformed):
        origin_hash(origin)
