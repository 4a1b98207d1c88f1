"""Certificates are read alike: who issued them, by which algorithm, whom they name, and what is no certificate at all."""

import datetime
import ipaddress
import json
import random
from collections.abc import Sequence
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from hybrid_bridge.core.certificate import read_certificate, show
from hybrid_bridge.errors import BridgeError
from tests.bundles import consortium
from tests.web.node import run

BEGIN = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
END = datetime.datetime(2051, 1, 1, tzinfo=datetime.UTC)  # beyond what UTCTime can say
IDENTITY = x509.SubjectAlternativeName([x509.UniformResourceIdentifier("urn:hybrid-bridge:identity:bank-1")])
LEAF = ec.generate_private_key(ec.SECP256R1())


def name(text: str) -> x509.Name:
    attributes = [(NameOID.ORGANIZATION_NAME, text), (NameOID.ORGANIZATION_IDENTIFIER, f"LEI:{text}")]
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in attributes])


def certificate(subject: str, public: Any, issuer: str, key: Any, algorithm: Any, **more: Any) -> bytes:
    builder = x509.CertificateBuilder(name(issuer), name(subject), public, 7, BEGIN, END)
    return builder.add_extension(IDENTITY, critical=False).sign(key, algorithm, **more).public_bytes(Encoding.DER)


def in_python(data: bytes, roots: Sequence[x509.Certificate]) -> Any:
    try:
        shown = show(data, roots)
    except BridgeError as error:
        return type(error).__name__
    subject = shown.subject and {
        "names": sorted(shown.subject.names),
        "ids": sorted(shown.subject.legal_ids),
        "is_identity": shown.subject.is_identity,
    }
    return {"spki": shown.spki.hex(), "begins": shown.begins, "ends": shown.ends, "subject": subject}


def compare(certificates: Sequence[bytes], roots: Sequence[bytes]) -> list[Any]:
    asked = {"certificates": [data.hex() for data in certificates], "roots": [data.hex() for data in roots]}
    said: list[Any] = run("show_certificates.mjs", text=json.dumps(asked))
    trusted = [read_certificate(root) for root in roots]
    assert said == [in_python(data, trusted) for data in certificates]
    return said


def test_every_algorithm_that_roots_sign_with_is_known() -> None:
    keys: dict[str, Any] = {
        "rsa": rsa.generate_private_key(65537, 2048),
        "p256": ec.generate_private_key(ec.SECP256R1()),
        "p384": ec.generate_private_key(ec.SECP384R1()),
        "p521": ec.generate_private_key(ec.SECP521R1()),
        "secp256k1": ec.generate_private_key(ec.SECP256K1()),
        "ed25519": ed25519.Ed25519PrivateKey.generate(),
    }
    every = (hashes.SHA224(), hashes.SHA256(), hashes.SHA384(), hashes.SHA512(), hashes.SHA3_256(), hashes.SHA3_512())
    certificates, roots = [], []
    for issuer, key in keys.items():
        chosen = (None,) if issuer == "ed25519" else every
        roots.append(certificate(issuer, key.public_key(), issuer, key, chosen[-1]))
        certificates += [certificate("Bank", LEAF.public_key(), issuer, key, algorithm) for algorithm in chosen]
    said = compare([*certificates, *roots], roots)
    assert [one["subject"]["names"] for one in said[: len(certificates)]] == [["Bank"]] * len(certificates)


def test_a_strangers_signature_names_nobody() -> None:
    key, other = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = certificate("root", key.public_key(), "root", key, hashes.SHA256())
    forged = certificate("Bank", LEAF.public_key(), "root", other, hashes.SHA256())
    elsewhere = certificate("Bank", LEAF.public_key(), "another", key, hashes.SHA256())
    said = compare([forged, elsewhere], [root])
    assert [one["subject"] for one in said] == [None, None]


def test_what_javascript_does_not_know_it_does_not_believe() -> None:
    key = rsa.generate_private_key(65537, 2048)
    root = certificate("root", key.public_key(), "root", key, hashes.SHA256())
    salted = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    leaf = certificate("Bank", LEAF.public_key(), "root", key, hashes.SHA256(), rsa_padding=salted)
    asked = {"certificates": [leaf.hex()], "roots": [root.hex()]}
    [said] = run("show_certificates.mjs", text=json.dumps(asked))
    assert said == in_python(leaf, [read_certificate(root)]) | {"subject": None}


URI = x509.UniformResourceIdentifier("http://a/")
NAMES = [
    *(URI, x509.DNSName("a.b"), x509.RFC822Name("a@b"), x509.DirectoryName(name("x"))),
    *(x509.IPAddress(ipaddress.ip_address("1.2.3.4")), x509.RegisteredID(x509.ObjectIdentifier("1.2.3"))),
    x509.OtherName(x509.ObjectIdentifier("1.2.3"), b"\x04\x01a"),
]
ASKED = AuthorityInformationAccessOID.OCSP
NOTICE = x509.UserNotice(x509.NoticeReference("org", [1, 2]), "text")
QUIET: dict[str, x509.ExtensionType] = {
    "authority information": x509.AuthorityInformationAccess([x509.AccessDescription(ASKED, one) for one in NAMES]),
    "subject information": x509.SubjectInformationAccess([x509.AccessDescription(ASKED, URI)]),
    "issuer's names": x509.IssuerAlternativeName(NAMES),
    "policies": x509.CertificatePolicies(
        [x509.PolicyInformation(x509.ObjectIdentifier("1.2.3"), ["http://cps", NOTICE])]
    ),
    "lists": x509.CRLDistributionPoints(
        [x509.DistributionPoint([URI], None, frozenset([x509.ReasonFlags.key_compromise]), [NAMES[3]])]
    ),
    "policy constraints": x509.PolicyConstraints(1, 2),
    "no policy": x509.InhibitAnyPolicy(3),
    "name constraints": x509.NameConstraints([x509.DNSName("a")], [URI]),
    "tls": x509.TLSFeature([x509.TLSFeatureType.status_request]),
    "no check": x509.OCSPNoCheck(),
}


@pytest.mark.parametrize("what", QUIET)
def test_extensions_that_say_nothing_here_have_their_shape_in_both(what: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    root = certificate("root", key.public_key(), "root", key, hashes.SHA256())
    value = QUIET[what].public_bytes()
    draw = random.Random(f"{what}, one bit")
    values = [value, value[:-1], value + b"\0", b"\x30\x00", b"\x05\x00", b""]
    for _ in range(60):
        at = draw.randrange(len(value))
        values.append(value[:at] + bytes([value[at] ^ 1 << draw.randrange(8)]) + value[at + 1 :])
    made = [with_extension(key, QUIET[what].oid, one) for one in values]
    said = compare(made, [root])
    identities = [one["subject"]["is_identity"] for one in said]
    assert identities[0]
    assert identities.count(False) > 5


def with_extension(key: Any, oid: x509.ObjectIdentifier, value: bytes) -> bytes:
    builder = x509.CertificateBuilder(name("root"), name("Bank"), LEAF.public_key(), 7, BEGIN, END)
    builder = builder.add_extension(IDENTITY, critical=False)
    builder = builder.add_extension(x509.UnrecognizedExtension(oid, value), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def test_bytes_changed_anywhere_are_read_alike() -> None:
    whole = [*consortium().receivable().certificates, *consortium().trust().member_roots]
    draw = random.Random("certificates")
    broken = []
    for _ in range(400):
        data = bytearray(draw.choice(whole))
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        broken.append(bytes(data))
    compare(broken, consortium().trust().member_roots)
