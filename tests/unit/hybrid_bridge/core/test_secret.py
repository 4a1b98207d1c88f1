"""What the validators' secret gives: the same for all who hold it, another for every purpose."""

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_bridge.core.encoding import context, sha256
from hybrid_bridge.core.entry import DecoyEntry, decode_entry
from hybrid_bridge.core.secret import DerivedRecord, Secret, Stats, decoy_key_hash
from hybrid_bridge.errors import BridgeError, DigestLength
from hybrid_bridge.units import EpochNumber, RecordType
from tests.unit.hybrid_bridge.core.consortium import K_1, SECRET

ONE = EpochNumber(1)
TOTALS = DerivedRecord(ONE, RecordType(0x0112), "2027-01")


def test_the_prf_is_an_hmac_over_purpose_origin_and_data() -> None:
    data = context("blind") + SECRET.origin_hash + bytes(7) + b"\x01"
    assert SECRET.blind(ONE) == hmac.digest(K_1, data, "sha256")


def test_a_decoy_is_an_entry_that_says_so() -> None:
    decoy = decode_entry(SECRET.decoy_entry(ONE, 5))
    assert decoy == DecoyEntry(SECRET.prf("decoy-entry", bytes(7) + b"\x01" + bytes(3) + b"\x05"))


def test_every_purpose_and_number_has_its_own_output() -> None:
    outputs = [
        SECRET.blind(ONE),
        SECRET.blind(EpochNumber(2)),
        SECRET.stats_key(ONE),
        SECRET.stats(ONE, Stats(1, 0, 2, 1)),
        SECRET.stats(ONE, Stats(0, 1, 2, 1)),
        *SECRET.dummy(ONE, 0),
        *SECRET.dummy(ONE, 1),
        SECRET.life_opening(ONE, b"label", 0),
        SECRET.life_opening(ONE, b"label", 1),
        SECRET.derived_salt(TOTALS, "open"),
        SECRET.derived_salt(TOTALS, "paid"),
        SECRET.derived_decoy(TOTALS, 0),
        SECRET.derived_decoy(TOTALS, 1),
    ]
    assert {len(output) for output in outputs} == {32}
    assert len(set(outputs)) == len(outputs)


def test_another_origin_or_key_gives_other_outputs() -> None:
    assert Secret(K_1, sha256(b"another origin")).blind(ONE) != SECRET.blind(ONE)
    assert Secret(bytes(32), SECRET.origin_hash).blind(ONE) != SECRET.blind(ONE)


def test_the_stats_commitment_opens_with_the_key_of_its_epoch() -> None:
    opened = b"".join(n.to_bytes(8, "big") for n in (1, 0, 2, 1))
    assert SECRET.stats(ONE, Stats(1, 0, 2, 1)) == hmac.digest(SECRET.stats_key(ONE), opened, "sha256")


def test_a_derived_record_is_named_by_epoch_type_and_key() -> None:
    assert TOTALS.encode() == bytes(7) + b"\x01" + b"\x01\x12" + b"\x00\x07" + b"2027-01"


def test_the_secret_shows_in_no_representation() -> None:
    assert "BBBB" not in repr(SECRET)
    assert K_1.hex() not in repr(SECRET)


@given(st.binary(max_size=40).filter(lambda key: len(key) != 32))
def test_keys_and_origin_hashes_have_32_bytes(key: bytes) -> None:
    with pytest.raises(DigestLength):
        Secret(key, SECRET.origin_hash)
    with pytest.raises(DigestLength):
        Secret(K_1, key)  # type: ignore[arg-type]
    with pytest.raises(DigestLength):
        decoy_key_hash(key)


def test_numbers_beyond_their_width_are_refused() -> None:
    with pytest.raises(BridgeError):
        SECRET.dummy(ONE, 2**32)
    with pytest.raises(BridgeError):
        Stats(2**53, 0, 0, 0).encode()
