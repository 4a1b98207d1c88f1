"""The quorum check of CONTRACT §3.1, seen through `anchor`: what the list of seals can be, and what it is worth."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hybrid_bridge.core.attestation import power_domain_separator
from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.core.signing import HALF_ORDER, ORDER, address_of, public_key_of, sign_digest, to_compact
from hybrid_bridge.core.validators import quorum

if TYPE_CHECKING:
    from tests.evm.conftest import Anchoring, World


@pytest.fixture
def anchoring(world: "World") -> "Anchoring":
    """Signed by members 0, 1 and 2 of four: 64 + 64 + 64 + 20 bytes."""
    return world.log.anchoring(1, 7)


def key_of(world: "World", set_hash: bytes, *members: bytes) -> tuple[bytes, bytes]:
    """The fields of SetMismatch for this list."""
    return world.words()[2].to_bytes(32, "big"), keccak256(set_hash + b"".join(members))


# ── how many ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("n", range(1, 65))
def test_a_quorum_is_enough_and_one_less_is_not(world: "World", n: int) -> None:
    log, needed = world.registered(type(world.log)(n)), quorum(n)
    with world.refuses("BelowQuorum", needed, needed - 1):
        world.anchor(log.anchoring(1, 7, places=range(needed - 1)))
    assert world.anchor(log.anchoring(1, 7, places=range(n - needed, n)))
    assert world.registry.logs[0][1][5] == sum(1 << i for i in range(n - needed, n))


def test_more_than_a_quorum_is_accepted(world: "World") -> None:
    assert world.anchor(world.log.anchoring(1, 7, places=range(4)))


def test_nobody_is_no_quorum(world: "World") -> None:
    with world.refuses("BelowQuorum", 3, 0):
        world.anchor(world.log.anchoring(1, 7, places=()))


# ── whose ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_signature_counted_twice_is_refused(world: "World", anchoring: "Anchoring") -> None:
    a = world.log.members.set.addresses
    doubled = anchoring.seals[:64] + anchoring.seals[:64] + anchoring.seals[128:]
    with world.refuses("SetMismatch", *key_of(world, anchoring.set_hash, a[0], a[0], a[2], a[3])):
        world.anchor(replace(anchoring, seals=doubled))


def test_signers_in_another_order_are_refused(world: "World", anchoring: "Anchoring") -> None:
    a = world.log.members.set.addresses
    swapped = anchoring.seals[64:128] + anchoring.seals[:64] + anchoring.seals[128:]
    with world.refuses("SetMismatch", *key_of(world, anchoring.set_hash, a[1], a[0], a[2], a[3])):
        world.anchor(replace(anchoring, seals=swapped))


def test_a_stranger_is_refused(world: "World") -> None:
    keys = (*world.log.members.keys[:2], (9).to_bytes(32, "big"), world.log.members.keys[3])
    a, stranger = world.log.members.set.addresses, address_of(public_key_of(keys[2]))
    anchoring = world.log.anchoring(1, 7, members=replace(world.log.members, keys=keys), places=(0, 1, 2))
    with world.refuses("SetMismatch", *key_of(world, anchoring.set_hash, a[0], a[1], stranger, a[3])):
        world.anchor(anchoring)


def test_a_member_left_out_is_refused(world: "World", anchoring: "Anchoring") -> None:
    a = world.log.members.set.addresses
    with world.refuses("SetMismatch", *key_of(world, anchoring.set_hash, *a[:3])):
        world.anchor(replace(anchoring, seals=anchoring.seals[:192]))


def test_no_seals_at_all_are_the_empty_set(world: "World", anchoring: "Anchoring") -> None:
    with world.refuses("SetMismatch", *key_of(world, anchoring.set_hash)):
        world.anchor(replace(anchoring, signers=0, seals=b""))


@pytest.mark.parametrize("part", [slice(0, 32), slice(32, 64)], ids=["r-zero", "s-zero"])
def test_a_failed_recovery_is_the_zero_address_and_no_member(
    world: "World", anchoring: "Anchoring", part: slice
) -> None:
    a, spoilt = world.log.members.set.addresses, bytearray(anchoring.seals)
    spoilt[part] = bytes(32)
    with world.refuses("SetMismatch", *key_of(world, anchoring.set_hash, bytes(20), *a[1:])):
        world.anchor(replace(anchoring, seals=bytes(spoilt)))


def test_a_failed_recovery_does_not_count_the_signer_before_it_again(world: "World", anchoring: "Anchoring") -> None:
    a, spoilt = world.log.members.set.addresses, bytearray(anchoring.seals)
    spoilt[64:96] = bytes(32)
    with world.refuses("SetMismatch", *key_of(world, anchoring.set_hash, a[0], bytes(20), a[2], a[3])):
        world.anchor(replace(anchoring, seals=bytes(spoilt)))


def test_signatures_of_the_power_domain_are_worth_nothing_here(world: "World", anchoring: "Anchoring") -> None:
    contract = bytes.fromhex(world.registry.address[2:])
    digest = keccak256(b"\x19\x01" + power_domain_separator(1, contract, world.log.log_id) + bytes(32))
    signers, seals = world.log.members.seals(digest)
    with pytest.raises(Exception, match="SetMismatch"):
        world.anchor(replace(anchoring, signers=signers, seals=seals))


# ── the shape of the list ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("member", [0, 1, 2])
def test_a_high_s_is_refused_at_its_member(world: "World", anchoring: "Anchoring", member: int) -> None:
    spoilt = bytearray(anchoring.seals)
    vs = int.from_bytes(spoilt[64 * member + 32 : 64 * member + 64], "big")
    v, s = vs >> 255, vs % 2**255
    high = ORDER - s
    if high >= 2**255:  # a high s of 256 bits cannot even be written beside v
        high = 2**255 - 1
    spoilt[64 * member + 32 : 64 * member + 64] = ((1 - v) << 255 | high).to_bytes(32, "big")
    with world.refuses("SealsMalformed", member):
        world.anchor(replace(anchoring, seals=bytes(spoilt)))


def test_the_highest_s_is_looked_at_and_the_next_is_not(world: "World", anchoring: "Anchoring") -> None:
    def with_s(s: int) -> "Anchoring":
        return replace(anchoring, seals=anchoring.seals[:32] + s.to_bytes(32, "big") + anchoring.seals[64:])

    with pytest.raises(Exception, match="SetMismatch"):
        world.anchor(with_s(HALF_ORDER))
    with world.refuses("SealsMalformed", 0):
        world.anchor(with_s(HALF_ORDER + 1))


@pytest.mark.parametrize("extra", range(1, 20))
def test_bytes_after_the_last_seal_are_refused(world: "World", anchoring: "Anchoring", extra: int) -> None:
    with world.refuses("SealsMalformed", 4):
        world.anchor(replace(anchoring, seals=anchoring.seals + bytes(extra)))


def test_a_member_too_many_is_another_set(world: "World", anchoring: "Anchoring") -> None:
    a = world.log.members.set.addresses
    with world.refuses("SetMismatch", *key_of(world, anchoring.set_hash, *a, b"\xff" * 20)):
        world.anchor(replace(anchoring, seals=anchoring.seals + b"\xff" * 20))


@pytest.mark.parametrize("length", range(212))
def test_a_list_cut_off_inside_a_seal_is_refused_at_its_member(
    world: "World", anchoring: "Anchoring", length: int
) -> None:
    cut = replace(anchoring, seals=anchoring.seals[:length])
    whole = length in {0, 64, 128}  # but bits of members who are not there
    expected = length // 64 if whole else min(length // 64, 3)
    if length == 192:  # whole, and another set
        with world.refuses("SetMismatch", *key_of(world, anchoring.set_hash, *world.log.members.set.addresses[:3])):
            world.anchor(cut)
        return
    with world.refuses("SealsMalformed", expected):
        world.anchor(cut)


@pytest.mark.parametrize("bit", range(4, 64))
def test_a_bit_beyond_the_last_member_is_refused(world: "World", anchoring: "Anchoring", bit: int) -> None:
    with world.refuses("SealsMalformed", 4):
        world.anchor(replace(anchoring, signers=anchoring.signers | 1 << bit))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bit=st.integers(0, 212 * 8 - 1))
def test_each_flipped_bit_of_the_seals_is_refused(world: "World", anchoring: "Anchoring", bit: int) -> None:
    spoilt = (int.from_bytes(anchoring.seals, "big") ^ 1 << bit).to_bytes(212, "big")
    with pytest.raises(Exception, match=r"SetMismatch|SealsMalformed"):
        world.anchor(replace(anchoring, seals=spoilt))
    assert world.head()[0] == 1


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(signers=st.integers(0, 2**64 - 1), seals=st.binary(max_size=300))
def test_any_other_bytes_are_refused_by_name(
    world: "World", anchoring: "Anchoring", signers: int, seals: bytes
) -> None:
    with pytest.raises(Exception, match=r"SetMismatch|SealsMalformed"):
        world.anchor(replace(anchoring, signers=signers, seals=seals))


def test_the_two_compact_forms_of_v_are_the_two_parities(world: "World") -> None:
    """Of eight members some sign with v = 27 and some with v = 28; both convert."""
    log = world.registered(type(world.log)(8))
    digests = {sign_digest(key, b"\x05" * 32)[64] for key in log.members.keys}
    assert digests == {27, 28}
    assert all(len(to_compact(sign_digest(key, b"\x05" * 32))) == 64 for key in log.members.keys)
    assert world.anchor(log.anchoring(1, 7, places=range(8)))
