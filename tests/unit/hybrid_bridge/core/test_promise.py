"""What a node owes: one encoding, one signer, one window."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from hybrid_bridge.core.encoding import context, sha256
from hybrid_bridge.core.keys import PrivateKey
from hybrid_bridge.core.promise import Promise, SignedPromise
from hybrid_bridge.errors import (
    FieldMalformed,
    FieldMismatch,
    Malformed,
    SignatureWrong,
    TrailingBytes,
    Truncated,
)

NODE = PrivateKey.from_seed(bytes(32))
OTHER = PrivateKey(ec.derive_private_key(9, ec.SECP256R1()))
PROMISE = Promise(
    log_id=sha256(b"log"),
    transaction_id=sha256(b"transaction"),
    entry_leaf=sha256(b"entry"),
    accepted_time=1_800_000_000,
    accepted_epoch=3,
    by_epoch=9,
    signer=NODE.public.key_id,
)
SIGNED = SignedPromise.over(PROMISE, NODE)

digests = st.binary(min_size=32, max_size=32)
u64 = st.integers(0, 2**53 - 1)
promises = st.builds(
    lambda epochs, **fields: Promise(accepted_epoch=min(epochs), by_epoch=max(epochs), **fields),
    st.tuples(u64, u64),
    log_id=digests,
    transaction_id=digests,
    entry_leaf=digests,
    accepted_time=u64,
    signer=digests,
)


@given(promises)
def test_every_promise_comes_back_from_its_153_bytes(promise: Promise) -> None:
    data = promise.encode()
    assert len(data) == 153
    assert Promise.decode(data) == promise
    assert promise.message == context("promise") + data


@pytest.mark.parametrize("key", [NODE, OTHER], ids=["ed25519", "p256"])
def test_a_signed_promise_comes_back_from_its_219_bytes_and_holds(key: PrivateKey) -> None:
    signed = SignedPromise.over(replace(PROMISE, signer=key.public.key_id), key)
    data = signed.encode()
    assert len(data) == 219
    assert SignedPromise.decode(data) == signed
    signed.verify(key.public)


def test_a_promise_binds_its_signer_only() -> None:
    with pytest.raises(FieldMismatch, match="signer"):
        SIGNED.verify(OTHER.public)
    with pytest.raises(FieldMismatch, match="scheme"):
        replace(SIGNED, scheme=OTHER.public.scheme).verify(NODE.public)


@pytest.mark.parametrize(
    "changes", [{"log_id": bytes(32)}, {"transaction_id": bytes(32)}, {"entry_leaf": bytes(32)}, {"by_epoch": 8}]
)
def test_a_promise_of_another_log_transaction_or_epoch_is_not_signed(changes: dict[str, object]) -> None:
    with pytest.raises(SignatureWrong):
        replace(SIGNED, promise=replace(PROMISE, **changes)).verify(NODE.public)


def test_a_promise_does_not_end_before_it_begins() -> None:
    with pytest.raises(FieldMalformed):
        replace(PROMISE, by_epoch=2)
    data = bytearray(PROMISE.encode())
    data[113:121] = (2).to_bytes(8, "big")
    with pytest.raises(FieldMalformed):
        Promise.decode(bytes(data))


@pytest.mark.parametrize(("delay", "expires"), [(6, 9), (6, 100), (100, 9)])
def test_a_promise_within_its_window_stands(delay: int, expires: int) -> None:
    PROMISE.verify_window(delay, expires)


@pytest.mark.parametrize(("delay", "expires"), [(5, 100), (6, 8)], ids=["by-epoch-over-delay", "by-epoch-over-expiry"])
def test_a_promise_beyond_its_window_is_refuted(delay: int, expires: int) -> None:
    with pytest.raises(FieldMismatch) as caught:
        PROMISE.verify_window(delay, expires)
    assert (caught.value.expected, caught.value.got) == ("at most 8", "9")


@pytest.mark.parametrize(
    ("data", "error"),
    [
        pytest.param(b"\x02" + PROMISE.encode()[1:], FieldMalformed, id="version-2"),
        pytest.param(PROMISE.encode()[:-1], Truncated, id="152-bytes"),
        pytest.param(PROMISE.encode() + b"\x00", TrailingBytes, id="154-bytes"),
        pytest.param(PROMISE.encode()[:97] + b"\xff" + PROMISE.encode()[98:], FieldMalformed, id="u64-over-2^53"),
    ],
)
def test_no_promise_comes_from(data: bytes, error: type[Malformed]) -> None:
    with pytest.raises(error):
        Promise.decode(data)


@given(st.binary(max_size=230))
def test_arbitrary_bytes_leave_no_foreign_error(data: bytes) -> None:
    for decode, part in (
        (Promise.decode, data),
        (Promise.decode, b"\x01" + data[:152].ljust(152, b"\x00")),
        (SignedPromise.decode, data),
        (SignedPromise.decode, PROMISE.encode() + data),
    ):
        try:
            assert decode(part).encode() == part
        except Malformed:
            continue


@given(st.integers(0, 218), st.integers(1, 255))
def test_a_changed_byte_is_refused(at: int, flip: int) -> None:
    data = bytearray(SIGNED.encode())
    data[at] ^= flip
    with pytest.raises((Malformed, FieldMismatch, SignatureWrong)):
        SignedPromise.decode(bytes(data)).verify(NODE.public)


def test_what_does_not_fit_is_not_written() -> None:
    with pytest.raises(Malformed):
        replace(PROMISE, log_id=b"").encode()
    with pytest.raises(Malformed):
        replace(PROMISE, accepted_time=2**53).encode()
    with pytest.raises(Malformed):
        replace(SIGNED, signature=bytes(63)).encode()
