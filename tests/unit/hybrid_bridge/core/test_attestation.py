"""What validators sign, when it is a quorum, and how the contract takes it."""

import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_bridge.core.attestation import (
    Checkpoint,
    boundary,
    domain_separator,
    pause_digest,
    power_domain_separator,
    quorum,
    quorum_signers,
    resume_digest,
    retire_digest,
    seals,
    set_update_digest,
    signature_within,
    signers_within,
    verify_boundary,
    verify_quorum,
)
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.signing import address_of, from_compact, public_key_of, sign_digest, to_compact
from hybrid_bridge.core.validators import ValidatorEntry, ValidatorSet
from hybrid_bridge.errors import (
    BelowQuorum,
    DigestLength,
    FieldMalformed,
    FieldMismatch,
    SetMismatch,
    SignerUnknown,
)
from hybrid_bridge.units import (
    Address,
    ChainId,
    Digest,
    EcdsaSignature,
    LogId,
    Seconds,
    SetId,
    TreeSize,
    UnixSeconds,
)

slow = SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[3] / "vectors" / "reference.py")))

LOG = LogId(sha256(b"log"))
CONTRACT = Address(b"\xcc" * 20)
CHAIN = ChainId(11155111)
KEYS = {address_of(public_key_of(k.to_bytes(32, "big"))): k.to_bytes(32, "big") for k in range(1, 9)}
ADDRESSES = sorted(KEYS)


def members(count: int, set_id: int = 1) -> ValidatorSet:
    word = sha256(b"word")
    return ValidatorSet(SetId(set_id), tuple(ValidatorEntry(a, word, word, word) for a in ADDRESSES[:count]))


def checkpoint(validator_set: ValidatorSet, **changes: Any) -> Checkpoint:
    fields: dict[str, Any] = {"log_id": LOG, "tree_size": 5, "root": sha256(b"root"), "timestamp": 1240}
    return Checkpoint(**{**fields, "set_id": validator_set.set_id, "set_hash": validator_set.digest, **changes})


def signed(digest: Digest, *places: int) -> list[EcdsaSignature]:
    return [sign_digest(KEYS[ADDRESSES[place]], digest) for place in places]


# ── typed data ───────────────────────────────────────────────────────────────────────────────────────────────────────


@given(st.binary(min_size=32, max_size=32), st.integers(2, 2**53 - 1), st.integers(0, 2**53 - 1), st.integers(1, 99))
@settings(max_examples=30)
def test_the_checkpoint_digest_equals_the_textbook(root: bytes, size: int, time: int, set_id: int) -> None:
    fields = checkpoint(members(4), root=root, tree_size=size, timestamp=time, set_id=set_id)
    values = (LOG, size, root, time, set_id, members(4).digest)
    assert fields.digest() == slow.typed(slow.log_domain(LOG), slow.struct(slow.CHECKPOINT, *values))


def test_the_domains_equal_the_textbook() -> None:
    assert domain_separator(LOG) == slow.log_domain(LOG)
    assert power_domain_separator(CHAIN, CONTRACT, LOG) == slow.power_domain(CHAIN, CONTRACT, LOG)


def test_powers_are_signed_for_one_contract_on_one_chain_and_one_log() -> None:
    word = sha256(b"word")
    domains = [(CHAIN, CONTRACT, LOG), (ChainId(1), CONTRACT, LOG), (CHAIN, Address(bytes(20)), LOG)]
    domains.append((CHAIN, CONTRACT, LogId(word)))
    digests = set()
    for chain, contract, log in domains:
        digests |= {
            set_update_digest(chain, contract, log, SetId(2), word, TreeSize(9)),
            pause_digest(chain, contract, log, 2, UnixSeconds(9), word),
            resume_digest(chain, contract, log, 2, word),
            retire_digest(chain, contract, log, LogId(word), TreeSize(2), word),
        }
    assert len(digests) == 16
    separator = slow.power_domain(CHAIN, CONTRACT, LOG)
    assert set_update_digest(CHAIN, CONTRACT, LOG, SetId(2), word, TreeSize(9)) == slow.typed(
        separator, slow.struct(slow.SET_UPDATE, LOG, 2, word, 9)
    )
    for made, type_string, values in (
        (
            pause_digest(CHAIN, CONTRACT, LOG, 2, UnixSeconds(9), word),
            "Pause(bytes32 logId,uint64 nonce,uint64 until,bytes32 reasonHash)",
            (LOG, 2, 9, word),
        ),
        (
            resume_digest(CHAIN, CONTRACT, LOG, 2, word),
            "Resume(bytes32 logId,uint64 nonce,bytes32 reasonHash)",
            (LOG, 2, word),
        ),
        (
            retire_digest(CHAIN, CONTRACT, LOG, LogId(word), TreeSize(2), word),
            "Retire(bytes32 logId,bytes32 successor,uint64 treeSize,bytes32 rootHash)",
            (LOG, word, 2, word),
        ),
    ):
        assert made == slow.typed(separator, slow.struct(type_string, *values))


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("log_id", bytes(31), DigestLength),
        ("root", b"", DigestLength),
        ("set_hash", bytes(33), DigestLength),
        ("root", None, FieldMalformed),
        ("tree_size", 1, FieldMalformed),
        ("tree_size", 2**53, FieldMalformed),
        ("tree_size", -1, FieldMalformed),
        ("timestamp", -1, FieldMalformed),
        ("timestamp", 1.5, FieldMalformed),
        ("set_id", 0, FieldMalformed),
        ("set_id", True, FieldMalformed),
    ],
)
def test_what_can_never_be_signed_is_no_checkpoint(field: str, value: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        checkpoint(members(4), **{field: value})


# ── the clock ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_time_of_a_checkpoint_follows_from_its_size() -> None:
    assert boundary(UnixSeconds(1000), Seconds(60), TreeSize(1)) == 1000
    assert boundary(UnixSeconds(1000), Seconds(60), TreeSize(5)) == 1240
    verify_boundary(checkpoint(members(4)), UnixSeconds(1000), Seconds(60))
    with pytest.raises(FieldMismatch) as caught:
        verify_boundary(checkpoint(members(4), timestamp=1241), UnixSeconds(1000), Seconds(60))
    assert (caught.value.field, caught.value.expected, caught.value.got) == ("timestamp", "1240", "1241")


@pytest.mark.parametrize(
    ("genesis", "cadence", "size"), [(-1, 60, 1), (0, 0, 1), (0, 60, 0), (0, 60, 2**53), (0, 60, 2**52), (0, None, 1)]
)
def test_there_is_no_time_for_impossible_numbers(genesis: Any, cadence: Any, size: Any) -> None:
    with pytest.raises(FieldMalformed):
        boundary(genesis, cadence, size)


# ── quorum ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_quorum_of_members_is_returned_in_address_order() -> None:
    known = members(7)
    statement = checkpoint(known)
    assert verify_quorum(statement, known, signed(statement.digest(), 0, 2, 3, 5, 6)) == [
        ADDRESSES[place] for place in (0, 2, 3, 5, 6)
    ]
    everyone = signed(statement.digest(), *range(7))
    assert verify_quorum(statement, known, everyone) == ADDRESSES[:7]


def test_one_signature_too_few_is_refused_before_any_is_looked_at() -> None:
    known = members(7)
    with pytest.raises(BelowQuorum) as caught:
        verify_quorum(checkpoint(known), known, [EcdsaSignature(b"garbage")] * 4)
    assert (caught.value.needed, caught.value.got) == (5, 4)


@pytest.mark.parametrize("places", [(0, 0, 1), (0, 1, 1), (1, 0, 2), (2, 1, 0), (0, 1, 2, 3, 3)])
def test_a_signature_counted_twice_or_out_of_order_is_refused(places: tuple[int, ...]) -> None:
    known = members(4)
    with pytest.raises(FieldMalformed) as caught:
        verify_quorum(checkpoint(known), known, signed(checkpoint(known).digest(), *places))
    assert caught.value.field == "signatures"


def test_a_strangers_signature_is_refused_and_named() -> None:
    known = members(4)
    with pytest.raises(SignerUnknown) as caught:
        verify_quorum(checkpoint(known), known, signed(checkpoint(known).digest(), 0, 1, 6))
    assert caught.value.address == ADDRESSES[6]


def test_a_checkpoint_of_another_set_is_refused() -> None:
    known = members(4)
    with pytest.raises(FieldMismatch):
        verify_quorum(checkpoint(known, set_id=2), known, [])
    with pytest.raises(SetMismatch) as caught:
        verify_quorum(checkpoint(known, set_hash=LOG), known, [])
    assert (caught.value.expected, caught.value.calculated) == (LOG, known.digest)


def test_checkpoint_of_other_consortium() -> None:
    known = members(4)
    other = checkpoint(known, log_id=sha256(b"other log"))
    with pytest.raises(SignerUnknown):
        verify_quorum(checkpoint(known), known, signed(other.digest(), 0, 1, 2))


def test_a_power_needs_a_quorum_too() -> None:
    digest = set_update_digest(CHAIN, CONTRACT, LOG, SetId(2), sha256(b""), TreeSize(9))
    assert quorum_signers(digest, members(4), signed(digest, 1, 2, 3)) == ADDRESSES[1:4]


# ── seals ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 8])
def test_seals_hold_exactly_a_quorum_and_everybody_elses_address(count: int) -> None:
    known = members(count)
    digest = checkpoint(known).digest()
    everyone = dict(zip(ADDRESSES[:count], signed(digest, *range(count)), strict=True))
    bits, packed = seals(known, everyone)
    assert bits == (1 << quorum(count)) - 1
    for address in known.addresses:
        if bits & 1 << known.index_of(address):
            assert from_compact(packed[:64]) == everyone[address]
            packed = packed[64:]
        else:
            assert packed[:20] == address
            packed = packed[20:]
    assert packed == b""


def test_seals_do_not_depend_on_the_order_signatures_came_in() -> None:
    known = members(4)
    digest = checkpoint(known).digest()
    late = {ADDRESSES[place]: signed(digest, place)[0] for place in (3, 0, 2)}
    bits, packed = seals(known, late)
    assert bits == 0b1101
    assert packed[64:84] == ADDRESSES[1]


def test_seals_of_strangers_of_too_few_or_of_loose_signatures_are_refused() -> None:
    known = members(4)
    good = dict(zip(ADDRESSES[:3], signed(checkpoint(known).digest(), 0, 1, 2), strict=True))
    with pytest.raises(BelowQuorum):
        seals(known, dict(list(good.items())[:2]))
    with pytest.raises(SignerUnknown):
        seals(known, {**good, ADDRESSES[6]: good[ADDRESSES[0]]})
    with pytest.raises(FieldMalformed):
        seals(known, {**good, ADDRESSES[0]: EcdsaSignature(good[ADDRESSES[0]][:64] + b"\x00")})


@pytest.mark.parametrize("before", [0, 4, 20, 68, 100])
def test_a_signature_is_found_wherever_it_stands_in_calldata_and_nobody_elses_is(before: int) -> None:
    digest, address = sha256(b"digest"), ADDRESSES[0]
    ours, theirs = (to_compact(sign_digest(KEYS[a], digest)) for a in ADDRESSES[:2])
    data = bytes(before) + theirs + ADDRESSES[2] + ours + bytes(24)
    assert signature_within(data, digest, address) == sign_digest(KEYS[address], digest)
    assert signature_within(data, sha256(b"another"), address) is None
    assert signature_within(data, digest, ADDRESSES[3]) is None
    assert signature_within(data[: before + 64 + 20 + 63], digest, address) is None
    assert signature_within(ours[:63], digest, address) is None


def test_all_who_signed_are_found_in_calldata_and_nobody_else():
    digest = sha256(b"a checkpoint")
    signed = b"".join(to_compact(sign_digest(KEYS[address], digest)) for address in ADDRESSES[:2])
    data = b"\x01" * 36 + signed + b"\x00" * 20
    assert signers_within(data, digest, ADDRESSES) == frozenset(ADDRESSES[:2])
    assert signers_within(data, digest, ADDRESSES[1:]) == frozenset(ADDRESSES[1:2])
    assert signers_within(data, sha256(b"another"), ADDRESSES) == frozenset()
    assert signers_within(b"", digest, ADDRESSES) == frozenset()
