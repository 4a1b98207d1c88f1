import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_bridge.adapters.hpke_sealer import open_envelope, public_of, seal
from hybrid_bridge.errors import EnvelopeUnopenable, FieldMalformed

KEY, OTHER = b"\x07" * 32, b"\x08" * 32
ENC = 32
TAG = 16


@given(st.binary(max_size=500), st.binary(max_size=200))
@settings(max_examples=40)
def test_what_is_sealed_opens_again(info: bytes, plaintext: bytes) -> None:
    envelope = seal(public_of(KEY), info, plaintext)
    assert open_envelope(KEY, info, envelope) == plaintext
    assert len(envelope) == ENC + len(plaintext) + TAG


def test_two_envelopes_of_one_document_differ() -> None:
    assert seal(public_of(KEY), b"i", b"document") != seal(public_of(KEY), b"i", b"document")


def test_another_key_or_another_entry_does_not_open_it() -> None:
    envelope = seal(public_of(KEY), b"entry 1", b"document")
    for key, info in ((OTHER, b"entry 1"), (KEY, b"entry 2")):
        with pytest.raises(EnvelopeUnopenable):
            open_envelope(key, info, envelope)


@given(st.integers(0, 55), st.integers(0, 7))
@settings(max_examples=60)
def test_one_flipped_bit_anywhere_is_found(place: int, bit: int) -> None:
    envelope = bytearray(seal(public_of(KEY), b"i", b"document"))
    envelope[place] ^= 1 << bit
    with pytest.raises(EnvelopeUnopenable):
        open_envelope(KEY, b"i", bytes(envelope))


@given(st.binary(max_size=120))
def test_noise_does_not_open(noise: bytes) -> None:
    with pytest.raises(EnvelopeUnopenable):
        open_envelope(KEY, b"i", noise)


@pytest.mark.parametrize("key", [b"", bytes(31), bytes(33)])
def test_a_key_of_another_length_is_named(key: bytes) -> None:
    for call in (lambda: seal(key, b"", b""), lambda: open_envelope(key, b"", b""), lambda: public_of(key)):
        with pytest.raises(FieldMalformed) as refused:
            call()
        assert refused.value.field == "sealing_key"


def test_a_key_of_small_order_is_refused() -> None:
    with pytest.raises(FieldMalformed):
        seal(bytes(32), b"", b"")
