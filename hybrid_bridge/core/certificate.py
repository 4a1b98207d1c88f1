"""What one X.509 certificate says, read once; whether a root that the verifier names issued it.

The library that reads X.509 is strict by errors and by warnings, and lets foreign errors out of mere attributes. Here
whatever it complains of, now or in a release to come, is Malformed. Source: SPEC §8.1, §12 step 9; RFC 5280.
"""

import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.keys import PublicKey, decode_spki
from hybrid_bridge.errors import CertificateMalformed
from hybrid_bridge.units import Digest, UnixSeconds

if TYPE_CHECKING:
    from cryptography.x509 import Certificate, ObjectIdentifier

MAX_CERTIFICATE: Final = 1 << 14  # bytes
MAX_NAME: Final = 64  # characters that X.520 has room for
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


def read_certificate(der: bytes) -> "Certificate":
    """A DER certificate, as the library reads it, with a validity: it reads dates late, and there is no year 0.

    Raises:
        CertificateMalformed: it does not, or only with a warning (of a serial number below one).
    """
    from cryptography.x509 import load_der_x509_certificate  # noqa: PLC0415 dear; only if a certificate is at hand

    with reading("a DER X.509 certificate"):
        certificate = load_der_x509_certificate(der)
        _ = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        return certificate


def show(der: bytes, roots: Sequence["Certificate"]) -> ShownCertificate:
    """Everything that verifiers ask of a certificate. Each root costs at most one signature check.

    Raises:
        CertificateMalformed: it cannot be read.
    """
    certificate = read_certificate(der)
    begins, ends = certificate.not_valid_before_utc.timestamp(), certificate.not_valid_after_utc.timestamp()
    is_trusted = any(_issued_by(certificate, root) for root in roots)
    return ShownCertificate(
        digest=sha256(der),
        spki=_spki(certificate),
        begins=UnixSeconds(int(begins)),
        ends=UnixSeconds(int(ends)),
        subject=_subject(certificate) if is_trusted else None,
    )


def certified_key(der: bytes) -> PublicKey:
    """The identity key in a certificate.

    Raises:
        CertificateMalformed, FieldMalformed: no certificate, or no identity key in it.
    """
    return decode_spki(_spki(read_certificate(der)))


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
            return [(item.oid, item.value) for item in certificate.subject if isinstance(item.value, str)]
    except CertificateMalformed:
        return []


def _is_identity(certificate: "Certificate") -> bool:
    from cryptography.x509 import SubjectAlternativeName, UniformResourceIdentifier  # noqa: PLC0415

    try:
        with reading("extensions that this library can read"):
            names = certificate.extensions.get_extension_for_class(SubjectAlternativeName).value
            uris = names.get_values_for_type(UniformResourceIdentifier)
    except CertificateMalformed:
        return False
    return len(uris) == 1 and _IDENTITY.fullmatch(uris[0]) is not None


@contextmanager
def reading(rule: str) -> Iterator[None]:
    """The library's own errors become ours, and its warnings of what it will refuse one day too.

    Raises:
        CertificateMalformed: it refused.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error")
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
