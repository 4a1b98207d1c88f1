"""The bytes of RFC 3161, against tokens of a small authority written with other people's ASN.1."""

import hashlib
from contextlib import suppress

import pytest
from asn1crypto import core, tsp
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_bridge.core.timestamp import (
    MAX_CERTIFICATES,
    MAX_TOKEN,
    Token,
    decode_response,
    decode_token,
    digest_by,
    encode_request,
    encode_response,
)
from hybrid_bridge.errors import EndpointRefused, FieldMalformed, Malformed, Missing, TooLong, TrailingBytes
from tests.tsa import Tsa, key_of

AT = 1_800_000_000.25
TSA = Tsa()


def token(**wrong) -> Token:
    return decode_token(TSA.stamp(b"body", AT, **wrong))


GOOD = token()


def test_a_token_says_what_when_and_by_whom():
    read = token(nonce=2**64 - 1, accuracy={"seconds": 1, "millis": 500, "micros": 7})
    assert (read.hash, read.imprint) == ("sha-256", hashlib.sha256(b"body").digest())
    assert read.generated == 1_800_000_000_250_000_000
    assert read.accuracy == 1_500_007_000
    assert (read.serial, read.nonce) == (7, 2**64 - 1)
    assert len(read.certificates) == 2
    assert read.certificate_serial == TSA.certificate.serial_number
    assert read.issuer == TSA.certificate.issuer.public_bytes()


@pytest.mark.parametrize(
    ("at", "accuracy", "by"),
    [(10.0, None, 10), (10.25, None, 11), (10.25, {"millis": 750}, 11), (10.25, {"millis": 751}, 12),
     (10.0, {"seconds": 60}, 70)],
)  # fmt: skip
def test_existed_by_is_the_latest_moment_the_authority_allows_rounded_up(at, accuracy, by):
    assert decode_token(TSA.stamp(b"body", at, accuracy=accuracy)).by == by


@pytest.mark.parametrize("name", ["sha256", "sha384", "sha512", "sha3_256", "sha3_384", "sha3_512"])
def test_hashes_of_256_bits_and_more_are_read(name):
    data = TSA.token(name, hashlib.new(name, b"body").digest(), AT)
    read = decode_token(data)
    assert digest_by(read.hash, b"body") == read.imprint


@pytest.mark.parametrize("name", ["sha1", "md5", "sha224"])
def test_weaker_hashes_are_refused(name):
    with pytest.raises(FieldMalformed) as caught:
        token(hash=name)
    assert caught.value.rule == "SHA-256 or stronger"


def test_an_imprint_of_another_length_is_refused():
    with pytest.raises(FieldMalformed):
        decode_token(TSA.token("sha256", bytes(31), AT))


def test_a_weak_digest_of_the_signer_is_refused():
    with pytest.raises(FieldMalformed):
        token(digest_name="sha1", algorithm={"algorithm": "sha1_ecdsa"})


def test_a_token_that_is_too_long_or_trailed_is_refused():
    data = TSA.stamp(b"body", AT)
    with pytest.raises(TooLong):
        decode_token(bytes(MAX_TOKEN + 1))
    with pytest.raises(TrailingBytes):
        decode_token(data + b"\x00")


def test_too_many_certificates_are_refused():
    with pytest.raises(TooLong) as caught:
        token(certificates=[TSA.certificate, *[Tsa(name=f"T{n}").certificate for n in range(MAX_CERTIFICATES)]])
    assert caught.value.field == "token.certificates"


def test_two_signers_are_one_too_many():
    with pytest.raises(TrailingBytes):
        token(signers=2)


def test_content_of_another_type_is_refused():
    with pytest.raises(FieldMalformed):
        token(content_type="data")


def test_another_version_is_refused():
    with pytest.raises(FieldMalformed):
        token(content=lambda data: data.replace(b"\x02\x01\x01", b"\x02\x01\x02", 1))


def test_a_signer_of_another_version_names_itself_otherwise_and_is_refused():
    data = TSA.stamp(b"body", AT)
    at = data.rindex(b"\x02\x01\x01\x30")
    with pytest.raises(FieldMalformed) as caught:
        decode_token(data[:at] + b"\x02\x01\x03" + data[at + 3 :])
    assert "issuer and serial" in caught.value.rule


@pytest.mark.parametrize(
    "attributes",
    [
        lambda found: found[1:],  # no content type
        lambda found: found[:1] + found[2:],  # no digest
        lambda found: [*found, found[0]],  # one twice
        lambda found: [{**found[0], "values": ["data"]}, *found[1:]],
        lambda found: [{**found[1], "values": found[1]["values"] * 2}, found[0], found[2]],
        lambda found: [{**found[1], "values": []}, found[0], found[2]],
    ],
    ids=["no type", "no digest", "one twice", "another type", "two digests", "an empty one"],
)
def test_signed_attributes_must_name_type_and_digest_once(attributes):
    with pytest.raises(Malformed):
        token(attributes=attributes)


def test_signed_attributes_must_name_the_certificate():
    with pytest.raises(FieldMalformed) as caught:
        token(ess="")
    assert "signer's certificate" in caught.value.rule


@pytest.mark.parametrize(
    ("ess", "names"),
    [("v1", ["sha-1"]), ("v2", ["sha-256"]), ("v2-512", ["sha-512"]), ("v1+v2", ["sha-1", "sha-256"])],
)
def test_the_certificate_is_named_by_its_hash(ess, names):
    assert [name for name, _ in token(ess=ess).certificate_hashes] == names


@pytest.mark.parametrize("accuracy", [{"millis": 1000}, {"seconds": 86_401}, {"micros": 0, "seconds": -1}])
def test_an_accuracy_out_of_range_is_refused(accuracy):
    with pytest.raises((FieldMalformed, ValueError)):
        token(accuracy=accuracy)


def test_an_extension_that_must_be_understood_is_not():
    extension = {"extn_id": "1.2.3.4", "critical": True, "extn_value": core.OctetString(b"x").dump()}
    with pytest.raises(Missing):
        token(extensions=[extension])
    assert token(extensions=[{**extension, "critical": False}]).serial == 7


# ── the protocol ──


def test_a_request_is_what_others_read():
    data = encode_request("sha-512", hashlib.sha512(b"body").digest(), 2**63 + 5)
    asked = tsp.TimeStampReq.load(data, strict=True)
    assert asked["message_imprint"]["hash_algorithm"]["algorithm"].native == "sha512"
    assert (asked["nonce"].native, asked["cert_req"].native, asked["version"].native) == (2**63 + 5, True, "v1")
    assert asked.dump(force=True) == data


def test_an_answer_gives_its_token():
    request = encode_request("sha-256", hashlib.sha256(b"body").digest(), 99)
    read = decode_response(TSA.answer(request), "tsa")
    assert (read.nonce, read.imprint) == (99, hashlib.sha256(b"body").digest())
    assert decode_response(encode_response(read.der), "tsa") == read


def test_an_answer_that_grants_nothing_is_the_authority_s_refusal():
    with pytest.raises(EndpointRefused) as caught:
        decode_response(Tsa.refusal(), "tsa")
    assert (caught.value.code, caught.value.call) == (2, "timestamp")


# ── bytes at random ──


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_token_with_a_changed_byte_raises_nothing_unforeseen(data):
    good = GOOD.der
    at = data.draw(st.integers(0, len(good) - 1))
    changed = good[:at] + bytes([good[at] ^ data.draw(st.integers(1, 255))]) + good[at + 1 :]
    with suppress(Malformed, Missing):
        assert decode_token(changed) != GOOD


def test_an_rsa_token_is_read_too():
    key_of("rsa", "x leaf")
    assert decode_token(Tsa(name="x", kind="rsa").stamp(b"body", AT)).signature_algorithm.oid.startswith(
        "1.2.840.113549"
    )
