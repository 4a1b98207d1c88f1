"""Transactions of type 2: round trips, an independent signer's bytes, and what is refused."""

import pytest
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_bridge.core.public_transaction import MAX_WEI, PublicTransaction, decode_signed, encode_signed
from hybrid_bridge.core.rlp import Rlp, decode_rlp, encode_rlp
from hybrid_bridge.core.signing import address_of, public_key_of, sign_digest
from hybrid_bridge.errors import BridgeError, FieldMalformed
from hybrid_bridge.units import MAX_U64

KEY = bytes(31) + b"\x07"
SENDER = address_of(public_key_of(KEY))
TRANSACTIONS = st.builds(
    PublicTransaction,
    chain_id=st.integers(1, MAX_U64),
    nonce=st.integers(0, MAX_U64),
    to=st.binary(min_size=20, max_size=20),
    value=st.integers(0, MAX_WEI),
    data=st.binary(max_size=80),
    gas=st.integers(0, MAX_U64),
    max_fee=st.integers(0, MAX_WEI),
    tip=st.integers(0, MAX_WEI),
)
ONE = PublicTransaction(
    chain_id=1337, nonce=0, to=b"\x11" * 20, value=0, data=b"\x01\x02", gas=90_000, max_fee=3 * 10**9, tip=10**9
)


@settings(max_examples=60)
@given(TRANSACTIONS)
def test_what_was_signed_is_read_back_with_its_sender(transaction: PublicTransaction) -> None:
    raw = encode_signed(transaction, sign_digest(KEY, transaction.digest()))
    signed = decode_signed(raw)
    assert (signed.transaction, signed.sender) == (transaction, SENDER)


def test_another_library_signs_the_same_bytes() -> None:
    theirs = Account.sign_transaction(
        {
            "type": 2,
            "chainId": ONE.chain_id,
            "nonce": ONE.nonce,
            "to": ONE.to,
            "value": ONE.value,
            "data": ONE.data,
            "gas": ONE.gas,
            "maxFeePerGas": ONE.max_fee,
            "maxPriorityFeePerGas": ONE.tip,
        },
        KEY,
    )
    ours = encode_signed(ONE, sign_digest(KEY, ONE.digest()))
    assert ours == bytes(theirs.raw_transaction)
    assert decode_signed(ours).hash == bytes(theirs.hash)


def items() -> list[Rlp]:
    return decode_rlp(encode_signed(ONE, sign_digest(KEY, ONE.digest()))[1:], "transaction", 1000)


def test_another_type_is_refused() -> None:
    raw = encode_signed(ONE, sign_digest(KEY, ONE.digest()))
    with pytest.raises(FieldMalformed):
        decode_signed(b"\x01" + raw[1:])


@pytest.mark.parametrize(
    ("index", "value"),
    [
        (7, []),
        (8, [b"\x01"]),
        (8, b""),
        (5, b"\x11" * 19),
        (9, b"\x02"),
        (0, b"\x00\x01"),
        (10, b""),
        (11, b"\xff" * 32),
    ],
    ids=[
        "data-is-a-list",
        "access-list-not-empty",
        "access-list-is-bytes",
        "creation",
        "parity-two",
        "leading-zero",
        "r-zero",
        "s-high",
    ],
)
def test_a_malformed_field_is_refused(index: int, value: Rlp) -> None:
    parts = items()
    parts[index] = value
    with pytest.raises(FieldMalformed):
        decode_signed(b"\x02" + encode_rlp(parts))


def test_a_signature_that_is_not_strict_is_not_encoded() -> None:
    signature = sign_digest(KEY, ONE.digest())
    with pytest.raises(FieldMalformed):
        encode_signed(ONE, signature[:64] + b"\x00")


@settings(max_examples=60)
@given(st.binary(max_size=200))
def test_arbitrary_bytes_leave_only_our_errors(data: bytes) -> None:
    with pytest.raises(BridgeError):
        decode_signed(b"\x02" + data)


@settings(max_examples=60)
@given(st.integers(0, 110), st.integers(1, 255))
def test_one_changed_byte_is_never_the_same_senders(position: int, change: int) -> None:
    raw = bytearray(encode_signed(ONE, sign_digest(KEY, ONE.digest())))
    raw[position % len(raw)] ^= change
    try:
        signed = decode_signed(bytes(raw))
    except BridgeError:
        return
    assert signed.sender != SENDER
