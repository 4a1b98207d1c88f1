"""Revocation lists of the consortium's authorities: what a list must be before it counts, and whom it names.

A list is signed by an authority in `ca.pem`, complete (no delta, no other issuer's certificates), begun and bounded.
Which of two lists counts, and what is done when one has ended, is the caller's policy. Source: RFC 5280, §5, §6.3.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.errors import CertificateMalformed, CertificateRevoked, KeyUnusable, RevocationsStale
from hybrid_bridge.units import UnixSeconds

MAX_BYTES: Final = 4 << 20  # of one file
AHEAD: Final = 300  # seconds that an authority's clock may be ahead of ours
_PEM: Final = b"-----BEGIN X509 CRL-----"
_END: Final = b"-----END X509 CRL-----"
_KNOWN: Final = frozenset({x509.CRLNumber.oid, x509.AuthorityKeyIdentifier.oid})

Listed = tuple[bytes, int]  # DER of the issuer's name, serial number
Signer = tuple[bytes, bytes]  # DER of the issuer's name, SHA-256 of its key's SPKI: a renewed authority keeps its name


@dataclass(frozen=True, slots=True)
class RevocationList:
    """One authority's list."""

    signer: Signer
    issued: UnixSeconds
    next_update: UnixSeconds
    serials: frozenset[int] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Revocations:
    """The newest list of each authority that has one."""

    lists: Mapping[Signer, RevocationList]

    @property
    def ends(self) -> UnixSeconds:
        """When the first of them has ended."""
        return min(found.next_update for found in self.lists.values())

    def require_good(self, certificate: bytes) -> None:
        """Return if no list names this certificate (PEM, the first in it).

        Raises:
            CertificateRevoked: one does.
            CertificateMalformed: it cannot be read.
        """
        issuer, serial = listed_as(certificate)
        if any(name == issuer and serial in found.serials for (name, _), found in self.lists.items()):
            raise CertificateRevoked(serial=f"{serial:x}")

    def require_current(self, now: UnixSeconds) -> None:
        """Return if no list has ended.

        Raises:
            RevocationsStale: one has.
        """
        if now > self.ends:
            raise RevocationsStale(since=self.ends)


def read_revocations(files: Mapping[str, bytes], roots: bytes, now: UnixSeconds) -> Revocations:
    """The lists in these files, DER or PEM with one or more; of two of one authority the newer.

    Args:
        files: content by the file's name.
        roots: the authorities' certificates, PEM.
        now: of our clock.

    Raises:
        CertificateMalformed: something in them is no complete list of one of these authorities.
    """
    found: dict[Signer, RevocationList] = {}
    authorities = _authorities(roots)
    for name, data in files.items():
        for loaded in _loaded(name, data):
            one = _checked(name, loaded, authorities, now)
            if one.signer not in found or found[one.signer].issued < one.issued:
                found[one.signer] = one
    if not found:
        raise CertificateMalformed(rule="a file of revocation lists holds at least one")
    return Revocations(found)


@lru_cache(maxsize=1024)  # asked on each call; the same few certificates come again
def listed_as(certificate: bytes) -> Listed:
    """How a list would name this certificate (PEM, the first in it).

    Raises:
        CertificateMalformed: it cannot be read.
    """
    try:
        loaded = x509.load_pem_x509_certificate(certificate)
        return loaded.issuer.public_bytes(), loaded.serial_number
    except ValueError:
        raise CertificateMalformed(rule="an X.509 certificate") from None


def signers_of(roots: bytes) -> frozenset[Signer]:
    """Whose lists count.

    Args:
        roots: the authorities' certificates, PEM.

    Raises:
        CertificateMalformed: they cannot be read.
    """
    return frozenset(_signer(root) for root in _authorities(roots) if _is_readable(root))


def _is_readable(root: x509.Certificate) -> bool:
    """A key of a kind that is unknown here has signed no list."""
    try:
        root.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return False
    return True


def _signer(root: x509.Certificate) -> Signer:
    spki = root.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return root.subject.public_bytes(), sha256(spki)


def _authorities(roots: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(roots)
    except ValueError:
        raise CertificateMalformed(rule="ca.pem: X.509 certificates as PEM") from None


def _loaded(name: str, data: bytes) -> Sequence[x509.CertificateRevocationList]:
    if len(data) > MAX_BYTES:
        raise CertificateMalformed(rule=f"{name}: at most {MAX_BYTES} bytes")
    try:
        if _PEM not in data:
            return [x509.load_der_x509_crl(data)]
        parts = data.split(_END)[:-1]
        return [x509.load_pem_x509_crl(part[part.index(_PEM) :] + _END + b"\n") for part in parts]
    except (ValueError, TypeError):
        raise CertificateMalformed(rule=f"{name}: X.509 revocation lists") from None


def _checked(
    name: str, loaded: x509.CertificateRevocationList, authorities: Sequence[x509.Certificate], now: UnixSeconds
) -> RevocationList:
    """(1) one of our authorities (2) its signature (3) complete (4) begun, with an end."""
    signer = next((root for root in authorities if root.subject == loaded.issuer and _signed(loaded, root)), None)
    if signer is None:
        raise CertificateMalformed(rule=f"{name}: signed by an authority in ca.pem")
    try:
        is_whole = all(extension.oid in _KNOWN or not extension.critical for extension in loaded.extensions)
        others = any(any(extension.critical for extension in revoked.extensions) for revoked in loaded)
    except (ValueError, x509.DuplicateExtension):
        is_whole, others = False, True
    if not is_whole or others:
        raise CertificateMalformed(rule=f"{name}: a complete list of its issuer's own certificates")
    begin, end = loaded.last_update_utc, loaded.next_update_utc
    if end is None or begin.timestamp() > now + AHEAD:
        raise CertificateMalformed(rule=f"{name}: begun, and with a time for its next update")
    return RevocationList(
        signer=_signer(signer),
        issued=UnixSeconds(int(begin.timestamp())),
        next_update=UnixSeconds(int(end.timestamp())),
        serials=frozenset(revoked.serial_number for revoked in loaded),
    )


def _signed(loaded: x509.CertificateRevocationList, root: x509.Certificate) -> bool:
    try:
        return loaded.is_signature_valid(root.public_key())  # type: ignore[arg-type]  # of another kind: TypeError
    except (TypeError, ValueError, InvalidSignature, UnsupportedAlgorithm):
        return False


def issue_revocations(
    authority: bytes, key: bytes, certificates: Sequence[bytes], issued: UnixSeconds, ends: UnixSeconds
) -> bytes:
    """A list (PEM) that names these certificates (PEM) and no others: what an authority hands out.

    Args:
        authority: its certificate, PEM.
        key: its key, PEM.
        certificates: all that it has revoked so far and that have not ended.
        issued: when; later than in every list before.
        ends: when the next one is there at the latest.

    Raises:
        CertificateMalformed: one cannot be read.
        KeyUnusable: the key cannot be.
    """
    root = _authorities(authority)[0]
    builder = x509.CertificateRevocationListBuilder(issuer_name=root.subject)
    begin = datetime.fromtimestamp(issued, UTC)
    builder = builder.last_update(begin).next_update(datetime.fromtimestamp(ends, UTC))
    builder = builder.add_extension(x509.CRLNumber(issued), critical=False)
    for certificate in certificates:
        _, serial = listed_as(certificate)
        revoked = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(begin).build()
        builder = builder.add_revoked_certificate(revoked)
    try:
        signer = load_pem_private_key(key, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyUnusable(key="authority", rule="a PEM private key without password") from None
    if not isinstance(signer, ec.EllipticCurvePrivateKey):
        raise KeyUnusable(key="authority", rule="a P-256 key")
    return builder.sign(signer, hashes.SHA256()).public_bytes(Encoding.PEM)


def pem_of(certificate: bytes) -> bytes:
    """A DER certificate as PEM.

    Raises:
        CertificateMalformed: it cannot be read.
    """
    try:
        return x509.load_der_x509_certificate(certificate).public_bytes(Encoding.PEM)
    except ValueError:
        raise CertificateMalformed(rule="an X.509 certificate") from None
