"""Headers, sets and commits of CometBFT: encodings against the generated classes, and what must not pass."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_bridge.core.cometbft import (
    ABSENT,
    COMMITTED,
    ED25519,
    MAX_TOTAL_POWER,
    NIL,
    SECP256K1,
    BlockId,
    Commit,
    Header,
    SignedHeader,
    Timestamp,
    Validator,
    ValidatorSet,
    Vote,
)
from hybrid_bridge.core.cometbft_history import Handover, Result, result_root, transaction_root, walk
from hybrid_bridge.errors import (
    BelowQuorum,
    BridgeError,
    FieldMalformed,
    FieldMismatch,
    PathLength,
    SetMismatch,
    SignatureWrong,
)
from hybrid_bridge.rpc.cometbft.tendermint.abci.types_pb2 import ExecTxResult
from tests import comet_chain as made

FOUR = made.keys(1, 2, 3, 4)
SET = made.set_of(FOUR)

digests = st.binary(min_size=32, max_size=32)
times = st.builds(Timestamp, st.integers(-62_135_596_800, 253_402_300_799), st.integers(0, 10**9 - 1))
block_ids = st.one_of(st.builds(BlockId, digests, st.integers(0, 2**32 - 1), digests), st.just(BlockId(b"", 0, b"")))
headers = st.builds(
    made.header,
    st.just(FOUR),
    block_version=st.integers(0, 2**53),
    app_version=st.integers(0, 2**53),
    chain_id=st.text(st.characters(min_codepoint=1, codec="utf-8"), min_size=1, max_size=12),
    height=st.integers(1, 2**53 - 1),
    time=times,
    last_block_id=block_ids,
    data_hash=digests,
    app_hash=st.binary(max_size=64),
    proposer_address=st.binary(min_size=20, max_size=20),
)


@given(headers)
def test_a_header_hashes_as_the_generated_classes_and_the_slow_tree_say(header: Header) -> None:
    assert header.hash == made.header_hash(header)


@given(headers, times, st.integers(0, 2**31 - 1), block_ids)
def test_a_vote_is_signed_over_what_the_generated_classes_say(
    header: Header, time: Timestamp, round_: int, block: BlockId
) -> None:
    commit = Commit(round_, block, ())
    assert commit.sign_bytes(header, Vote(COMMITTED, time, b"x")) == made.sign_bytes(header, commit, time)


@given(st.lists(st.tuples(st.sampled_from([SECP256K1, ED25519]), st.integers(1, 2**40)), min_size=1, max_size=9))
def test_a_set_hashes_as_the_generated_classes_say(rows: list[tuple[str, int]]) -> None:
    validators = made.set_of(made.Key(i, kind, power) for i, (kind, power) in enumerate(rows))
    assert validators.hash == made.set_hash(validators)


@pytest.mark.parametrize("field", [field.name for field in fields(Header)])
def test_every_field_of_a_header_moves_its_hash(field: str) -> None:
    before = made.header(FOUR)
    value = getattr(before, field)
    other: dict[type, Any] = {
        int: lambda: value + 1,
        str: lambda: value + "x",
        bytes: lambda: bytes([value[0] ^ 1]) + value[1:],
        Timestamp: lambda: replace(value, nanos=value.nanos ^ 1),
        BlockId: lambda: replace(value, parts=value.parts + 1),
    }
    assert replace(before, **{field: other[type(value)]()}).hash != before.hash


def test_a_header_of_which_all_signed_is_verified() -> None:
    made.signed(made.header(FOUR), FOUR).verify(SET)


@pytest.mark.parametrize("kind", [SECP256K1, ED25519])
def test_three_of_four_are_enough_and_two_are_not(kind: str) -> None:
    members = made.keys(1, 2, 3, 4, kind=kind)
    header = made.header(members)
    made.signed(header, members, absent=1).verify(made.set_of(members))
    with pytest.raises(BelowQuorum) as caught:
        made.signed(header, members, absent=2).verify(made.set_of(members))
    assert (caught.value.needed, caught.value.got) == (3, 2)


def test_exactly_two_thirds_are_too_few() -> None:
    members = made.keys(1, 2, 3)
    with pytest.raises(BelowQuorum):
        made.signed(made.header(members), members, absent=1).verify(made.set_of(members))


def test_power_counts_not_heads() -> None:
    members = (made.Key(1, power=70), made.Key(2, power=10), made.Key(3, power=10))
    made.signed(made.header(members), members, absent=2).verify(made.set_of(members))
    reverse = (made.Key(1, power=10), made.Key(2, power=10), made.Key(3, power=70))
    with pytest.raises(BelowQuorum):
        made.signed(made.header(reverse), reverse, absent=1).verify(made.set_of(reverse))


def changed(signed: SignedHeader, slot: int, **changes: Any) -> SignedHeader:
    votes = list(signed.commit.votes)
    votes[slot] = replace(votes[slot], **changes)
    return replace(signed, commit=replace(signed.commit, votes=tuple(votes)))


GOOD = made.signed(made.header(FOUR), FOUR)


@pytest.mark.parametrize("slot", range(4))
def test_one_bad_signature_refutes_whatever_the_others_say(slot: int) -> None:
    vote = GOOD.commit.votes[slot]
    for signature in (bytes(64), vote.signature[:63], vote.signature[:-1] + bytes([vote.signature[-1] ^ 1]), b"\x30"):
        with pytest.raises(SignatureWrong):
            changed(GOOD, slot, signature=signature).verify(SET)


def test_a_signature_with_high_s_is_none() -> None:
    header, vote = GOOD.header, GOOD.commit.votes[0]
    high = FOUR[0].sign(made.sign_bytes(header, GOOD.commit, vote.time), high=True)
    with pytest.raises(SignatureWrong):
        changed(GOOD, 0, signature=high).verify(SET)


def test_a_key_that_is_no_point_signs_nothing() -> None:
    nobody = Validator(SECP256K1, b"\x02" + b"\xff" * 32, 1)
    with pytest.raises(SignatureWrong):
        nobody.verify(b"message", bytes(64))


def test_one_validator_cannot_fill_the_slots_of_others() -> None:
    vote = GOOD.commit.votes[0]
    with pytest.raises(SignatureWrong):
        changed(GOOD, 1, signature=vote.signature, time=vote.time).verify(SET)


def test_a_vote_for_nothing_does_not_count_and_is_not_looked_at() -> None:
    changed(GOOD, 3, flag=NIL, signature=b"any").verify(SET)
    with pytest.raises(BelowQuorum):
        changed(changed(GOOD, 3, flag=NIL), 2, flag=NIL).verify(SET)


def test_each_vote_has_its_own_time_and_the_round_is_signed() -> None:
    with pytest.raises(SignatureWrong):
        changed(GOOD, 0, time=replace(GOOD.commit.votes[0].time, seconds=1)).verify(SET)
    with pytest.raises(SignatureWrong):
        replace(GOOD, commit=replace(GOOD.commit, round=1)).verify(SET)


def test_votes_must_be_for_this_block_and_as_many_as_validators() -> None:
    with pytest.raises(FieldMismatch):
        replace(GOOD, header=replace(GOOD.header, app_hash=b"another")).verify(SET)
    with pytest.raises(FieldMismatch):
        replace(GOOD, commit=replace(GOOD.commit, votes=GOOD.commit.votes[:3])).verify(SET)
    with pytest.raises(FieldMismatch):
        replace(GOOD, commit=replace(GOOD.commit, votes=())).verify(SET)


def test_another_set_than_the_headers_is_refused() -> None:
    with pytest.raises(SetMismatch):
        GOOD.verify(made.set_of(made.keys(1, 2, 3, 5)))
    with pytest.raises(SetMismatch):
        GOOD.verify(ValidatorSet(SET.validators[::-1]))


# ── history ──────────────────────────────────────────────────────────────────────────────────────────────────────────

A, B, C = made.keys(1, 2, 3, 4), made.keys(2, 3, 4, 5), made.keys(3, 4, 5, 6)
CHANGES = (made.handover(A, B, 4), made.handover(B, C, 9))


def test_a_history_is_walked_from_genesis_over_each_change() -> None:
    history = walk(made.CHAIN, 1, made.set_of(A), CHANGES)
    assert history.periods == ((1, made.set_of(A)), (5, made.set_of(B)), (10, made.set_of(C)))
    for members, heights in ((A, (1, 4)), (B, (5, 9)), (C, (10, 500))):
        for height in heights:
            history.verify(made.signed(made.header(members, height=height), members))


@pytest.mark.parametrize(("members", "height"), [(A, 5), (A, 10), (B, 4), (B, 10), (C, 9)])
def test_a_set_signs_for_its_own_heights_only(members: tuple[made.Key, ...], height: int) -> None:
    history = walk(made.CHAIN, 1, made.set_of(A), CHANGES)
    with pytest.raises(SetMismatch):
        history.verify(made.signed(made.header(members, height=height), members))


def test_nobody_signs_before_the_first_height() -> None:
    history = walk(made.CHAIN, 100, made.set_of(A), ())
    with pytest.raises(FieldMismatch):
        history.verify(made.signed(made.header(A, height=99), A))


def test_a_header_of_another_chain_is_refused() -> None:
    history = walk(made.CHAIN, 1, made.set_of(A), ())
    with pytest.raises(FieldMismatch):
        history.verify(made.signed(made.header(A, chain_id="another"), A))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        (CHANGES[1:], SetMismatch),  # a change is left out
        (CHANGES[::-1], SetMismatch),
        ((CHANGES[0], made.handover(B, C, 4)), FieldMismatch),  # heights do not rise
        ((CHANGES[0], CHANGES[0]), FieldMismatch),
        ((Handover(CHANGES[0].signed, made.set_of(C)),), SetMismatch),  # not the set that the header names
        ((Handover(made.signed(made.header(A, B, height=4), A, absent=2), made.set_of(B)),), BelowQuorum),
        ((made.handover(A, B, 4, chain_id="another"),), FieldMismatch),
    ],
)
def test_a_broken_history_is_refused(changes: tuple[Handover, ...], error: type[BridgeError]) -> None:
    with pytest.raises(error):
        walk(made.CHAIN, 1, made.set_of(A), changes)


# ── what a header binds ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_transaction_and_its_result_stand_under_the_headers_roots() -> None:
    transactions, codes = [b"a", b"b", b"c", b"d", b"e"], [0, 1, 0, 5, 0]
    leaves = [made.sha(transaction) for transaction in transactions]
    for i, transaction in enumerate(transactions):
        assert transaction_root(transaction, i, 5, made.path(i, leaves)) == made.mth(leaves)
        lines = made.results(codes)
        assert result_root(Result(codes[i]), i, 5, made.path(i, lines)) == made.mth(lines)
    assert transaction_root(b"x", 0, 5, made.path(0, leaves)) != made.mth(leaves)
    with pytest.raises(PathLength):
        transaction_root(b"a", 0, 5, made.path(0, leaves)[:-1])


@given(st.integers(0, 2**32 - 1), st.binary(max_size=40), st.integers(0, 2**40), st.integers(0, 2**40))
def test_a_result_is_encoded_as_the_generated_classes_say(code: int, data: bytes, wanted: int, used: int) -> None:
    result = ExecTxResult(code=code, data=data, gas_wanted=wanted, gas_used=used, log="not hashed")
    result.ClearField("log")
    assert Result(code, data, wanted, used).encode() == result.SerializeToString()


# ── values out of range ──────────────────────────────────────────────────────────────────────────────────────────────


OUT_OF_RANGE: list[Callable[[], object]] = [
    lambda: Timestamp(0, 10**9),
    lambda: Timestamp(0, -1),
    lambda: Timestamp(253_402_300_800, 0),
    lambda: Timestamp(-62_135_596_801, 0),
    lambda: BlockId(bytes(31), 1, bytes(32)),
    lambda: BlockId(bytes(32), 1, bytes(33)),
    lambda: BlockId(bytes(32), 1 << 32, bytes(32)),
    lambda: BlockId(bytes(32), -1, bytes(32)),
    lambda: made.header(FOUR, chain_id=""),
    lambda: made.header(FOUR, chain_id="x" * 51),
    lambda: made.header(FOUR, chain_id="x\0y"),
    lambda: made.header(FOUR, height=0),
    lambda: made.header(FOUR, height=1 << 63),
    lambda: made.header(FOUR, block_version=-1),
    lambda: made.header(FOUR, app_version=1 << 64),
    lambda: made.header(FOUR, app_hash=bytes(65)),
    lambda: made.header(FOUR, proposer_address=bytes(19)),
    lambda: made.header(FOUR, data_hash=b""),
    lambda: made.header(FOUR, evidence_hash=bytes(33)),
    lambda: Validator(SECP256K1, bytes(32), 1),
    lambda: Validator(ED25519, bytes(33), 1),
    lambda: Validator("sr25519", bytes(32), 1),
    lambda: Validator(ED25519, bytes(32), 0),
    lambda: Validator(ED25519, bytes(32), MAX_TOTAL_POWER + 1),
    lambda: ValidatorSet(()),
    lambda: ValidatorSet((SET.validators[0], SET.validators[0])),
    lambda: ValidatorSet(tuple(made.Key(i, power=MAX_TOTAL_POWER).validator for i in (1, 2))),
    lambda: ValidatorSet(tuple(Validator(ED25519, i.to_bytes(32, "big"), 1) for i in range(10_001))),
    lambda: Vote(0, made.NEVER, b""),
    lambda: Vote(4, made.NEVER, b"x"),
    lambda: Vote(ABSENT, made.NEVER, b"x"),
    lambda: Vote(COMMITTED, made.NEVER, b""),
    lambda: Vote(NIL, made.NEVER, bytes(65)),
    lambda: Commit(-1, BlockId(b"", 0, b""), ()),
    lambda: Commit(1 << 31, BlockId(b"", 0, b""), ()),
]


@pytest.mark.parametrize("number", range(len(OUT_OF_RANGE)))
def test_what_is_out_of_range_is_refused_at_once(number: int) -> None:
    with pytest.raises(FieldMalformed):
        OUT_OF_RANGE[number]()
