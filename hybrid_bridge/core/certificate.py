"""What one X.509 certificate says, read once; whether a root that the verifier names issued it.

The library that reads X.509 is strict by errors and by warnings, and lets foreign errors out of mere attributes. Here
whatever it complains of, now or in a release to come, is Malformed. What it only warns of is looked for by hand, for
filters of warnings are the whole process's, other threads included. Source: SPEC §8.1, §12 step 9; RFC 5280.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from hybrid_bridge.core.der import der
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.keys import PublicKey, decode_spki
from hybrid_bridge.errors import CertificateMalformed
from hybrid_bridge.units import Digest, UnixSeconds

if TYPE_CHECKING:
    from cryptography.x509 import Certificate, ObjectIdentifier

MAX_CERTIFICATE: Final = 1 << 14  # bytes
MAX_NAME: Final = 64  # characters that X.520 has room for
COUNTRY: Final = 2  # characters of a country
VISIBLE: Final = 0x1A  # the tag of a VisibleString
_IDENTITY: Final = re.compile(r"urn:hybrid-bridge:identity:[a-z][a-z0-9-]{0,31}")


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a certificate names, and whether it is one for identity keys: TLS and owners have certificates too."""

    names: frozenset[str]
    legal_ids: frozenset[str]
    is_identity: bool

    def holds(self, name: str, legal_id: str) -> bool:
        """The legal id whole; the name as far as X.520 has room for it."""
        return name[:MAX_NAME] in self.names and legal_id in self.legal_ids


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCertificate:
    """A certificate of the bundle. Whom it names counts only if a root of the verifier issued it; else None."""

    digest: Digest
    spki: bytes
    begins: UnixSeconds
    ends: UnixSeconds
    subject: Subject | None


def read_certificate(data: bytes) -> "Certificate":
    """A DER certificate, as the library reads it, with a validity: it reads dates late, and there is no year 0.

    Raises:
        CertificateMalformed: it does not, or its serial number is below one (RFC 5280 §4.1.2.2).
    """
    from cryptography.x509 import load_der_x509_certificate  # noqa: PLC0415 dear; only if a certificate is at hand

    with reading("a DER X.509 certificate"):
        certificate = load_der_x509_certificate(data)
        _ = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if certificate.serial_number < 1:
        raise CertificateMalformed(rule="a serial number above zero")
    return certificate


def show(data: bytes, roots: Sequence["Certificate"]) -> ShownCertificate:
    """Everything that verifiers ask of a certificate. Each root costs at most one signature check.

    Raises:
        CertificateMalformed: it cannot be read.
    """
    certificate = read_certificate(data)
    begins, ends = certificate.not_valid_before_utc.timestamp(), certificate.not_valid_after_utc.timestamp()
    is_trusted = any(_issued_by(certificate, root) for root in roots)
    return ShownCertificate(
        digest=sha256(data),
        spki=_spki(certificate),
        begins=UnixSeconds(int(begins)),
        ends=UnixSeconds(int(ends)),
        subject=_subject(certificate) if is_trusted else None,
    )


def certified_key(data: bytes) -> PublicKey:
    """The identity key in a certificate.

    Raises:
        CertificateMalformed, FieldMalformed: no certificate, or no identity key in it.
    """
    return decode_spki(_spki(read_certificate(data)))


def _spki(certificate: "Certificate") -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415

    with reading("a public key that this library can read"):
        return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _issued_by(certificate: "Certificate", root: "Certificate") -> bool:
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415

    try:
        with reading("an issuer and a signature that this library can read"):
            certificate.verify_directly_issued_by(root)
    except (InvalidSignature, CertificateMalformed):
        return False
    return True


def _subject(certificate: "Certificate") -> Subject:
    from cryptography.x509.oid import NameOID  # noqa: PLC0415

    texts = _texts(certificate)
    return Subject(
        names=frozenset(text for oid, text in texts if oid == NameOID.ORGANIZATION_NAME),
        legal_ids=frozenset(text for oid, text in texts if oid == NameOID.ORGANIZATION_IDENTIFIER),
        is_identity=_is_identity(certificate),
    )


def _texts(certificate: "Certificate") -> list[tuple["ObjectIdentifier", str]]:
    """Attributes of the subject. One that is no text (a bit string) names nobody, nor does what cannot be read."""
    try:
        with reading("a subject that this library can read"):
            texts = [(item.oid, item.value) for item in certificate.subject if isinstance(item.value, str)]
    except CertificateMalformed:
        return []
    return texts if all(_has_room(oid, text) for oid, text in texts) else []


def _has_room(oid: "ObjectIdentifier", text: str) -> bool:
    """Whether an attribute has the length that RFC 5280, appendix A.1, gives it: of those that the library measures."""
    from cryptography.x509.oid import NameOID  # noqa: PLC0415

    octets = len(text.encode())
    if oid in (NameOID.COUNTRY_NAME, NameOID.JURISDICTION_COUNTRY_NAME):
        return octets == COUNTRY
    return oid != NameOID.COMMON_NAME or 1 <= octets <= MAX_NAME


def _is_identity(certificate: "Certificate") -> bool:
    from cryptography.x509 import SubjectAlternativeName, UniformResourceIdentifier  # noqa: PLC0415

    try:
        with reading("extensions that this library can read"):
            names = certificate.extensions.get_extension_for_class(SubjectAlternativeName).value
            uris = names.get_values_for_type(UniformResourceIdentifier)
            require_visible(certificate)
    except CertificateMalformed:
        return False
    return len(uris) == 1 and _IDENTITY.fullmatch(uris[0]) is not None


def require_visible(certificate: "Certificate") -> None:
    """Return if no notice of its policies has a VisibleString beyond ASCII, which the library takes with a warning.

    Raises:
        CertificateMalformed: one has.
    """
    for text in _notices(certificate):
        if not text.isascii() and der(VISIBLE, text.encode()) in certificate.tbs_certificate_bytes:
            raise CertificateMalformed(rule="a VisibleString of ASCII")


def _notices(certificate: "Certificate") -> Iterator[str]:
    from cryptography.x509 import CertificatePolicies, UserNotice  # noqa: PLC0415

    for value in (extension.value for extension in certificate.extensions):
        for policy in value if isinstance(value, CertificatePolicies) else ():
            for notice in (one for one in policy.policy_qualifiers or () if isinstance(one, UserNotice)):
                yield notice.explicit_text or ""
                yield "" if notice.notice_reference is None else notice.notice_reference.organization or ""


@contextmanager
def reading(rule: str) -> Iterator[None]:
    """The library's own errors become ours, and its warnings where the process makes them errors.

    Raises:
        CertificateMalformed: it refused.
    """
    try:
        yield
    except _refusals():
        raise CertificateMalformed(rule=rule) from None


@cache
def _refusals() -> tuple[type[Exception], ...]:
    """Asked for when a certificate is at hand: the library is dear to import."""
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.x509 import (  # noqa: PLC0415
        DuplicateExtension,
        ExtensionNotFound,
        InvalidVersion,
        UnsupportedGeneralNameType,
    )

    foreign = (UnsupportedAlgorithm, InvalidVersion, DuplicateExtension, ExtensionNotFound, UnsupportedGeneralNameType)
    return (ValueError, TypeError, KeyError, OverflowError, Warning, *foreign)
