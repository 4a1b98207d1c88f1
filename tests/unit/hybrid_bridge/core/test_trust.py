import contextlib
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.trust import MAX_TRUST, Trust, TrustedBlock, TrustedChain, TrustedLog, parse_trust
from hybrid_bridge.errors import BridgeError, FieldMalformed, Malformed, TooLong

WHOLE = Trust(
    logs=(TrustedLog(log_id=bytes(32)),),
    public_chains=(
        TrustedChain(chain_id=1, contracts=(bytes(20),), block_hashes=(TrustedBlock(number=5, hash=bytes(32)),), threshold=2),
    ),
    tlog_policy="quorum none\n",
    member_roots=(b"der",),
    max_age=60,
    minimum_level="A1",
    require=("integrity", "registry"),
)  # fmt: skip


@pytest.mark.parametrize("trust", [Trust(), WHOLE])
def test_a_trust_file_reads_back_as_it_was_written(trust):
    assert parse_trust(trust.encode()) == trust


def test_a_genesis_record_stands_beside_the_id_that_is_its_hash():
    record = bytes(832)
    trust = Trust(logs=(TrustedLog(log_id=leaf_hash(record), genesis=record),))
    assert parse_trust(trust.encode()) == trust
    with pytest.raises(FieldMalformed):
        parse_trust(trust.encode().replace(b'"genesis": "AAA', b'"genesis": "BAA'))


def test_white_space_and_order_are_free_but_members_are_not():
    value = json.loads(Trust().encode())
    assert parse_trust(json.dumps(value, indent=7).encode()) == Trust()
    for wrong in (
        {**value, "log": []},
        {k: v for k, v in value.items() if k != "logs"},
        {**value, "require": ["luck"]},
    ):
        with pytest.raises(FieldMalformed):
            parse_trust(json.dumps(wrong).encode())


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "not empty"),
        (b"[", "JSON; it ends or breaks at byte 1"),
        (b"{} {}", "JSON; it ends or breaks at byte 3"),
        (b"\xff", "UTF-8; byte 0 is not"),
        (b'{"format":1,"format":2}', "each member of an object once"),
        (b"[" * 100_000, "at most 8 nested containers"),
        (b'{"max_age": 1.5}', "numbers are integers of at most 2^53-1"),
        (b'{"max_age": NaN}', "numbers are integers of at most 2^53-1"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_no_json_is_refused_and_says_why(data, rule):
    with pytest.raises(FieldMalformed) as caught:
        parse_trust(data)
    assert (caught.value.field, caught.value.rule) == ("trust", rule)


def test_a_float_and_a_huge_file_are_refused():
    with pytest.raises(Malformed):
        parse_trust(b'{"max_age": 1.5}')
    with pytest.raises(TooLong):
        parse_trust(b" " * (MAX_TRUST + 1))


def test_a_chain_or_a_public_block_stands_once():
    """Of two that contradict each other one would be ignored, and nobody would know which."""
    chain = WHOLE.public_chains[0]
    twice = replace(WHOLE, public_chains=(chain, replace(chain, contracts=())))
    other = TrustedBlock(number=5, hash=b"\x01" * 32)
    for trust in (twice, replace(WHOLE, public_chains=(replace(chain, block_hashes=(*chain.block_hashes, other)),))):
        with pytest.raises(FieldMalformed) as caught:
            parse_trust(trust.encode())
        assert caught.value.rule == "each number once"


@given(st.binary(max_size=200))
def test_only_our_errors_leave_the_parser(data):
    with contextlib.suppress(BridgeError):
        parse_trust(data)


def test_each_chain_has_its_own_number_of_endpoints_that_must_agree():
    other = replace(WHOLE.public_chains[0], chain_id=5, threshold=3)
    assert replace(WHOLE, public_chains=(*WHOLE.public_chains, other)).thresholds == {1: 2, 5: 3}
    assert Trust().thresholds == {}
