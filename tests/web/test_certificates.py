"""Certificates are read alike: who issued them, by which algorithm, whom they name, and what is no certificate at all."""

import datetime
import json
import random
from collections.abc import Sequence
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

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


def test_bytes_changed_anywhere_are_read_alike() -> None:
    whole = [*consortium().receivable().certificates, *consortium().trust().member_roots]
    draw = random.Random("certificates")
    broken = []
    for _ in range(400):
        data = bytearray(draw.choice(whole))
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        broken.append(bytes(data))
    compare(broken, consortium().trust().member_roots)
