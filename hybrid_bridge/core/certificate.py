"""X.509 certificates as far as verifiers look into them: the key, the issuer's signature, the names of the subject.

The library that reads them is imported when one is shown. Source: SPEC §8.1, §12 step 9; RFC 5280.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from hybrid_bridge.core.keys import PublicKey, decode_spki
from hybrid_bridge.errors import CertificateMalformed

if TYPE_CHECKING:
    from cryptography.x509 import Certificate, ObjectIdentifier

MAX_CERTIFICATE: Final = 1 << 14  # bytes


def load_certificate(der: bytes) -> "Certificate":
    """A certificate of DER bytes.

    Raises:
        CertificateMalformed: they are none.
    """
    from cryptography.x509 import InvalidVersion, load_der_x509_certificate  # noqa: PLC0415 only if one is shown

    try:
        return load_der_x509_certificate(der)
    except (ValueError, InvalidVersion):
        raise CertificateMalformed(rule="a DER X.509 certificate") from None


def spki_of(certificate: "Certificate") -> bytes:
    """Its SubjectPublicKeyInfo.

    Raises:
        CertificateMalformed: a key that the library cannot read.
    """
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415

    try:
        return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, UnsupportedAlgorithm):
        raise CertificateMalformed(rule="a public key this library can read") from None


def certified_key(der: bytes) -> PublicKey:
    """The identity key in a certificate.

    Raises:
        CertificateMalformed, FieldMalformed: no certificate, or no identity key in it.
    """
    return decode_spki(spki_of(load_certificate(der)))


def is_issued_by(certificate: "Certificate", root: "Certificate") -> bool:
    """Whether `root` signed the certificate and is named in it as the issuer."""
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm  # noqa: PLC0415

    try:
        certificate.verify_directly_issued_by(root)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True


def is_valid_at(certificate: "Certificate", moment: int) -> bool:
    """Whether its term covers the moment."""
    begin, end = certificate.not_valid_before_utc.timestamp(), certificate.not_valid_after_utc.timestamp()
    return begin <= moment <= end


def subject_of(certificate: "Certificate") -> tuple[frozenset[str], frozenset[str]]:
    """The organisation names and identifiers of the subject; none if they cannot be read."""
    from cryptography.x509.oid import NameOID  # noqa: PLC0415

    def values(kind: "ObjectIdentifier") -> Iterable[str]:
        return (str(item.value) for item in subject.get_attributes_for_oid(kind))

    try:
        subject = certificate.subject
    except ValueError:
        return frozenset(), frozenset()
    return frozenset(values(NameOID.ORGANIZATION_NAME)), frozenset(values(NameOID.ORGANIZATION_IDENTIFIER))
