"""What may stand in a certificate; whatever it is, only our errors leave."""

import warnings
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from hybrid_bridge.adapters.pki import Holder, found_authority, issue_identity
from hybrid_bridge.core.certificate import certified_key, read_certificate, reading, show
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.keys import PrivateKey
from hybrid_bridge.errors import CertificateMalformed, Malformed
from hybrid_bridge.units import UnixSeconds

START = UnixSeconds(1_767_571_200)
AUTHORITY = found_authority("TEST authority", START)
ROOT = x509.load_pem_x509_certificate(AUTHORITY.certificate)
KEY = PrivateKey.from_seed(b"\x01" * 32)
NAME, LEGAL_ID = "TEST Bank", "LEI:5493001KJTIIGC8Y1R12"
GOOD = issue_identity(AUTHORITY, Holder("bank", NAME, LEGAL_ID), KEY.public, START)


def der(tag: int, body: bytes) -> bytes:
    size = len(body)
    length = bytes([size]) if size < 128 else b"\x82" + size.to_bytes(2, "big")
    return bytes([tag]) + length + body


def signed_again(tbs: bytes) -> bytes:
    """The authority signs these bytes, whatever they are."""
    key = load_pem_private_key(AUTHORITY.key, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    signature = key.sign(tbs, ec.ECDSA(hashes.SHA256()))
    return der(0x30, tbs + bytes.fromhex("300a06082a8648ce3d040302") + der(3, b"\0" + signature))


def changed(old: bytes, new: bytes) -> bytes:
    tbs = x509.load_der_x509_certificate(GOOD).tbs_certificate_bytes
    assert (tbs.count(old), len(new)) == (1, len(old))
    return signed_again(tbs.replace(old, new))


def test_a_certificate_of_a_trusted_root_says_whom_it_is_for():
    shown = show(GOOD, [ROOT])
    assert (shown.digest, shown.spki) == (sha256(GOOD), KEY.public.spki)
    assert certified_key(GOOD) == KEY.public
    assert shown.begins < START < shown.ends
    assert shown.subject is not None
    assert shown.subject.is_identity
    assert shown.subject.holds(NAME, LEGAL_ID)
    assert not shown.subject.holds(NAME, LEGAL_ID[:-1])
    assert not shown.subject.holds(NAME[:-1], LEGAL_ID)


def test_of_another_issuer_nothing_is_read():
    other = x509.load_pem_x509_certificate(found_authority("TEST authority", START).certificate)
    assert show(GOOD, []).subject is None
    assert show(GOOD, [other]).subject is None
    assert show(GOOD, [other, ROOT]).subject is not None


def test_a_name_that_is_no_text_names_nobody():
    """An organisation as a BIT STRING: a foreign error, or a name of bytes, would come out of the library."""
    old = der(0x0C, NAME.encode())
    shown = show(changed(old, der(0x03, b"\0" + NAME.encode()[1:])), [ROOT])
    assert shown.subject is None or not shown.subject.holds(NAME, LEGAL_ID)


def test_a_uri_that_cannot_be_read_or_is_another_is_no_identity():
    uri = b"urn:hybrid-bridge:identity:bank"
    for other in (b"urn:hybrid-bridge:identity:BANK", b"\xff" * len(uri), b"urn:hybrid-bridge:relayer:bank:"):
        shown = show(changed(uri, other), [ROOT])
        assert shown.subject is None or not shown.subject.is_identity


def test_a_certificate_without_alternative_names_is_no_identity():
    key = load_pem_private_key(AUTHORITY.key, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    name = x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, NAME)])
    builder = x509.CertificateBuilder(ROOT.subject, name, key.public_key(), 7)
    builder = builder.not_valid_before(datetime(2026, 1, 1, tzinfo=UTC)).not_valid_after(
        datetime(2030, 1, 1, tzinfo=UTC)
    )
    shown = show(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER), [ROOT])
    assert shown.subject is not None
    assert not shown.subject.is_identity


def test_what_the_library_only_warns_of_is_malformed():
    """A serial number of zero; a warning today, an error in a release to come, and text on somebody's terminal."""
    serial = x509.load_der_x509_certificate(GOOD).serial_number.to_bytes(20, "big").lstrip(b"\0")
    encoded = serial if serial[0] < 128 else b"\0" + serial
    with pytest.raises(CertificateMalformed):
        read_certificate(changed(der(2, encoded), der(2, bytes(len(encoded)))))
    with pytest.raises(CertificateMalformed):
        read_certificate(changed(der(2, encoded), der(2, b"\x80" + encoded[1:])))


@pytest.fixture
def unheard() -> Iterator[None]:
    """Warnings as in most processes: nobody makes errors of them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def issued(subject: list[x509.NameAttribute], *extensions: x509.UnrecognizedExtension) -> bytes:
    key = load_pem_private_key(AUTHORITY.key, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    named = [x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, NAME), *subject]
    builder = x509.CertificateBuilder(ROOT.subject, x509.Name(named), key.public_key(), 7)
    builder = builder.not_valid_before(datetime(2026, 1, 1, tzinfo=UTC)).not_valid_after(
        datetime(2030, 1, 1, tzinfo=UTC)
    )
    uri = x509.UniformResourceIdentifier("urn:hybrid-bridge:identity:bank")
    builder = builder.add_extension(x509.SubjectAlternativeName([uri]), critical=False)
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


@pytest.mark.usefixtures("unheard")
@pytest.mark.parametrize("serial", [b"\0", b"\x80"])
def test_a_serial_number_below_one_is_malformed_where_nobody_hears_warnings(serial):
    number = x509.load_der_x509_certificate(GOOD).serial_number
    encoded = number.to_bytes(number.bit_length() // 8 + 1, "big")
    new = serial + (bytes(len(encoded) - 1) if serial == b"\0" else encoded[1:])
    with pytest.raises(CertificateMalformed):
        read_certificate(changed(der(2, encoded), der(2, new)))


@pytest.mark.usefixtures("unheard")
@pytest.mark.parametrize(
    ("oid", "text", "holds"),
    [
        (x509.NameOID.COMMON_NAME, "x" * 64, True),
        (x509.NameOID.COMMON_NAME, "x" * 65, False),
        (x509.NameOID.COUNTRY_NAME, "CN", True),
        (x509.NameOID.COUNTRY_NAME, "CHN", False),
        (x509.NameOID.JURISDICTION_COUNTRY_NAME, "C", False),
    ],
)
def test_a_subject_with_an_attribute_of_a_length_it_may_not_have_names_nobody(oid, text, holds):
    shown = show(issued([x509.NameAttribute(oid, text, _validate=False)]), [ROOT]).subject
    assert shown is not None
    assert (shown.names == {NAME}) is holds


@pytest.mark.usefixtures("unheard")
@pytest.mark.parametrize(
    ("tag", "text", "holds"),
    [(0x1A, "plain", True), (0x1A, "naïve", False), (0x0C, "naïve", True), (0x1A, "ï" * 70, False)],
)
def test_a_notice_in_a_visible_string_beyond_ascii_makes_no_identity(tag, text, holds):
    octets = text.encode()
    notice = der(0x30, der(6, bytes.fromhex("2b06010505070202")) + der(0x30, short(tag, octets)))
    policies = der(0x30, der(0x30, der(6, bytes.fromhex("2a03")) + der(0x30, notice)))
    extension = x509.UnrecognizedExtension(x509.CertificatePolicies.oid, policies)
    shown = show(issued([], extension), [ROOT]).subject
    assert shown is not None
    assert shown.is_identity is holds


def short(tag: int, octets: bytes) -> bytes:
    """With the least length that there is."""
    size = len(octets)
    return bytes([tag]) + (bytes([size]) if size < 128 else bytes([0x81, size])) + octets


def test_what_is_read_here_changes_no_filter_of_the_process():
    before = list(warnings.filters)
    with reading("anything"):
        assert warnings.filters == before


@pytest.mark.parametrize("data", [b"", b"\x30\x00", b"no certificate"])
def test_what_is_no_certificate_is_malformed(data):
    with pytest.raises(CertificateMalformed):
        read_certificate(data)


def test_bits_flipped_anywhere_end_in_our_errors_or_in_nobodys_name():
    """But for the count of unused bits in front of the signature, which nobody signs; the set commits to every byte."""
    unused = len(GOOD) - len(x509.load_der_x509_certificate(GOOD).signature) - 1
    refused = 0
    for position in (at for at in range(len(GOOD)) if at != unused):
        for bit in (position % 8, (position + 3) % 8):
            broken = GOOD[:position] + bytes([GOOD[position] ^ 1 << bit]) + GOOD[position + 1 :]
            try:
                assert show(broken, [ROOT]).subject is None
                certified_key(broken)
            except Malformed:
                refused += 1
    assert refused > 50


def test_bits_flipped_before_it_was_signed_end_so_too():
    tbs = x509.load_der_x509_certificate(GOOD).tbs_certificate_bytes
    for position in range(len(tbs)):
        broken = tbs[:position] + bytes([tbs[position] ^ 1 << position % 8]) + tbs[position + 1 :]
        try:
            show(signed_again(broken), [ROOT])
        except CertificateMalformed:
            continue


def test_a_feature_of_tls_that_nobody_knows_is_no_identity_and_no_crash():
    """The library looks the number up in a table of two: a KeyError of its own came out."""
    key = load_pem_private_key(AUTHORITY.key, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    good = x509.load_der_x509_certificate(GOOD)
    builder = x509.CertificateBuilder(ROOT.subject, good.subject, key.public_key(), 7)
    builder = builder.not_valid_before(good.not_valid_before_utc).not_valid_after(good.not_valid_after_utc)
    for extension in good.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    unknown = x509.UnrecognizedExtension(x509.TLSFeature.oid, der(0x30, der(2, b"\x07")))
    for feature, is_identity in ((None, True), (unknown, False)):
        chosen = builder if feature is None else builder.add_extension(feature, critical=False)
        shown = show(chosen.sign(key, hashes.SHA256()).public_bytes(Encoding.DER), [ROOT])
        assert shown.subject is not None
        assert shown.subject.is_identity is is_identity
