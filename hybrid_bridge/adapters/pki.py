"""The consortium's certificates: an authority made on the spot, identities, and TLS certificates that carry a role.

A certificate says who and what by one URI, `urn:hybrid-bridge:<role>:<name>`; nothing else in it decides anything.
Identity certificates hold the Ed25519 key that signs transactions; TLS certificates are P-256 (BoringSSL takes no
Ed25519 there). Keys and serial numbers are drawn here; time is an argument. Source: SPEC §8.1; RFC 5280.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from ipaddress import ip_address
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hybrid_bridge.core.certificate import read_certificate
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.keys import PublicKey, decode_spki
from hybrid_bridge.errors import CertificateMalformed, CertificateRefused, KeyUnusable
from hybrid_bridge.rpc.service import Caller
from hybrid_bridge.units import Seconds, UnixSeconds

NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,31}")  # also a DNS label: TLS compares it
ROLES: Final = ("member", "owner", "relayer", "auditor")
YEAR: Final = Seconds(365 * 86_400)
BACKDATED: Final = 3_600  # seconds: clocks of members differ
_URI: Final = re.compile(r"urn:hybrid-bridge:(identity|member|owner|relayer|auditor):([a-z][a-z0-9-]{0,31})")
_ROLE_IDENTITY: Final = "identity"
_OURS: Final = "an identity certificate signed by the consortium's authority"
_LEGAL_ID: Final = NameOID.ORGANIZATION_IDENTIFIER


@dataclass(frozen=True, slots=True)
class Authority:
    """The consortium's CA: its certificate as PEM, and its key."""

    certificate: bytes
    key: bytes = field(repr=False)  # PEM, PKCS 8


@dataclass(frozen=True, slots=True)
class Issued:
    """A TLS certificate and its key, as PEM."""

    certificate: bytes
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Holder:
    """Who a certificate is for: name within the consortium, legal name, legal id (LEI:…, USCI:…)."""

    name: str
    legal_name: str
    legal_id: str


def found_authority(name: str, now: UnixSeconds) -> Authority:
    """A new self-signed CA, good for ten years; it may sign end certificates only."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    builder = _builder(subject, subject, now, Seconds(10 * YEAR)).public_key(key.public_key())
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(certificates=True), critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    return Authority(_pem(builder.sign(key, hashes.SHA256())), _key_pem(key))


def issue_identity(authority: Authority, holder: Holder, key: PublicKey, now: UnixSeconds) -> bytes:
    """DER of an identity certificate for `key`, good for ten years."""
    public = ed25519.Ed25519PublicKey.from_public_bytes(key.spki[-32:])
    builder = _end_builder(authority, holder, _ROLE_IDENTITY, now, Seconds(10 * YEAR - 1)).public_key(public)
    builder = builder.add_extension(_names(holder.name, _ROLE_IDENTITY, ()), critical=False)
    return _signed(authority, builder).public_bytes(Encoding.DER)


def issue_tls(authority: Authority, holder: Holder, role: str, hosts: Sequence[str], now: UnixSeconds) -> Issued:
    """A P-256 TLS certificate for one role, good for a year; only members get one that serves."""
    key = ec.generate_private_key(ec.SECP256R1())
    names = _names(holder.name, role, hosts)
    return Issued(_pem(_tls_certificate(authority, holder, role, key.public_key(), (names, now))), _key_pem(key))


def _tls_certificate(
    authority: Authority,
    holder: Holder,
    role: str,
    key: ec.EllipticCurvePublicKey,
    named: tuple[x509.SubjectAlternativeName, UnixSeconds],
) -> x509.Certificate:
    names, now = named
    builder = _end_builder(authority, holder, role, now, YEAR).public_key(key)
    builder = builder.add_extension(names, critical=False)
    purposes = [ExtendedKeyUsageOID.CLIENT_AUTH] + [ExtendedKeyUsageOID.SERVER_AUTH] * (role == "member")
    return _signed(authority, builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False))


def caller_of(certificate: bytes, now: UnixSeconds) -> Caller:
    """Who holds this PEM certificate, which TLS has verified against our roots, and in what role.

    Raises:
        CertificateMalformed: not readable, not valid now, or without a role of ours.
    """
    role, name, begin, end = _read_role(certificate)
    if role not in ROLES:
        raise CertificateMalformed(rule="a TLS certificate of this consortium")
    if not begin <= now <= end:
        raise CertificateMalformed(rule="valid now")
    return Caller(name, role)


def valid_until(certificate: bytes) -> UnixSeconds:
    """When a certificate (PEM, the first in it, or DER) ends.

    Raises:
        CertificateMalformed: not readable.
    """
    load = x509.load_pem_x509_certificate if b"-----BEGIN" in certificate else x509.load_der_x509_certificate
    try:
        return UnixSeconds(int(load(certificate).not_valid_after_utc.timestamp()))
    except ValueError:
        raise CertificateMalformed(rule="an X.509 certificate") from None


def identity_of(certificate: bytes, roots: bytes, name: str) -> PublicKey:
    """The identity key in a DER identity certificate of `name`, signed by our authority.

    Raises:
        CertificateMalformed: not readable, not signed by `roots` (PEM), or another's.
    """
    try:
        loaded = x509.load_der_x509_certificate(certificate)
        spki = loaded.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        is_ours = any(_issued(loaded, root) for root in x509.load_pem_x509_certificates(roots))
    except (ValueError, TypeError):
        raise CertificateMalformed(rule=_OURS) from None
    if not is_ours:
        raise CertificateMalformed(rule=_OURS)
    if _uri(loaded) != (_ROLE_IDENTITY, name):
        raise CertificateMalformed(rule=f"an identity certificate of {name}")
    return decode_spki(spki)


def require_identity(certificate: bytes, roots: bytes, holder: Holder, now: UnixSeconds) -> None:
    """Return if this is an identity certificate to take of `holder` now: ours, in force, for signing, its name.

    Args:
        certificate: DER.
        roots: PEM, one or several authorities, each of which issues end certificates itself.
        holder: whom the card says it is for.
        now: of our clock.

    Raises:
        CertificateMalformed: it cannot be read.
        CertificateRefused: issuer, validity, usage or name.
    """
    loaded = read_certificate(certificate)
    for rule, holds in (
        ("issuer", any(_issued(loaded, root) for root in _read_chain("ca.pem", roots))),
        ("validity", loaded.not_valid_before_utc.timestamp() <= now <= loaded.not_valid_after_utc.timestamp()),
        ("usage", _signs(loaded)),
        ("name", _names_holder(loaded, holder)),
    ):
        if not holds:
            raise CertificateRefused(certificate=sha256(certificate), rule=rule)


def request_identity(holder: Holder, seed: bytes) -> bytes:
    """A PEM certificate request by which an authority may certify the identity key of this seed."""
    seeded = ed25519.Ed25519PrivateKey.from_private_bytes(seed)
    return _requested(holder, _ROLE_IDENTITY, ()).sign(seeded, None).public_bytes(Encoding.PEM)


def request_tls(holder: Holder, role: str, hosts: Sequence[str]) -> Issued:
    """A PEM certificate request for a TLS certificate of one role, and the key that it is for."""
    key = ec.generate_private_key(ec.SECP256R1())
    return Issued(_requested(holder, role, hosts).sign(key, hashes.SHA256()).public_bytes(Encoding.PEM), _key_pem(key))


def requested_by(request: bytes) -> tuple[str, Holder]:
    """In what role and for whom a PEM request asks.

    Raises:
        CertificateMalformed: no request of ours, or not signed by the key that it is for.
    """
    asked = _read_request(request)
    try:
        role, name = _uri(asked)
    except ValueError:
        raise CertificateMalformed(rule="a request whose extensions can be read") from None
    return role, Holder(name, _subject_text(asked, NameOID.ORGANIZATION_NAME), _subject_text(asked, _LEGAL_ID))


def certify(authority: Authority, request: bytes, now: UnixSeconds) -> bytes:
    """The certificate that a request asks for: DER of an identity, PEM for TLS. Whoever calls has seen who asks.

    Raises:
        CertificateMalformed: as `requested_by`, or for a role or key that no request is for.
    """
    role, holder = requested_by(request)
    asked = _read_request(request)
    public = asked.public_key()
    if role == _ROLE_IDENTITY:
        spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return issue_identity(authority, holder, decode_spki(spki), now)
    if role not in ("member", "owner") or not isinstance(public, ec.EllipticCurvePublicKey):
        raise CertificateMalformed(rule="a request for an identity, or for TLS of a member or its owner, by P-256")
    names = asked.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return _pem(_tls_certificate(authority, holder, role, public, (names, now)))


def _read_request(request: bytes) -> x509.CertificateSigningRequest:
    try:
        asked = x509.load_pem_x509_csr(request)
        is_signed = asked.is_signature_valid
    except (ValueError, UnsupportedAlgorithm):
        raise CertificateMalformed(rule="a certificate request of this consortium") from None
    if not is_signed:
        raise CertificateMalformed(rule="a request signed by the key that it is for")
    return asked


def _requested(holder: Holder, role: str, hosts: Sequence[str]) -> x509.CertificateSigningRequestBuilder:
    builder = x509.CertificateSigningRequestBuilder(subject_name=_subject(holder, role))
    return builder.add_extension(_names(holder.name, role, hosts), critical=False)


def _subject_text(asked: x509.CertificateSigningRequest, oid: x509.ObjectIdentifier) -> str:
    found = [str(item.value) for item in asked.subject.get_attributes_for_oid(oid)]
    if len(found) != 1:
        raise CertificateMalformed(rule="a request with one legal name and one legal id")
    return found[0]


def _issued(certificate: x509.Certificate, root: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(root)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _signs(certificate: x509.Certificate) -> bool:
    """For signatures of its holder, not of other certificates, and not for TLS."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except (x509.ExtensionNotFound, ValueError):
        return False
    return usage.digital_signature and not usage.key_cert_sign and not constraints.ca


def _names_holder(certificate: x509.Certificate, holder: Holder) -> bool:
    """The URI says the name and that it is an identity's; the subject says who that is by law."""
    try:
        named = _uri(certificate) == (_ROLE_IDENTITY, holder.name)
    except CertificateMalformed:
        return False
    names = [str(item.value) for item in certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)]
    ids = [str(item.value) for item in certificate.subject.get_attributes_for_oid(_LEGAL_ID)]
    return named and names == [holder.legal_name[:64]] and ids == [holder.legal_id[:64]]


def der_of(certificate: bytes) -> bytes:
    """DER of one certificate as PEM.

    Raises:
        CertificateMalformed: it cannot be read.
    """
    return _read_chain("certificate", certificate)[0].public_bytes(Encoding.DER)


def require_tls(certificate: bytes, key: bytes, roots: bytes) -> None:
    """What TLS needs before anybody listens or calls: it would only say that something is wrong.

    Args:
        certificate: PEM; the holder's own first, then the authorities between it and a root.
        key: PEM, of the first certificate.
        roots: PEM.

    Raises:
        CertificateMalformed: a certificate cannot be read.
        KeyUnusable: the key cannot be read, or is another's.
    """
    holder = _read_chain("tls.pem", certificate)[0].public_key()
    _read_chain("ca.pem", roots)
    try:
        public = load_pem_private_key(key, password=None).public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyUnusable(key="tls.key", rule="a PEM private key without password") from None
    if public != holder:
        raise KeyUnusable(key="tls.key", rule="the key of the first certificate in tls.pem")


def _read_chain(name: str, pem: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError:
        raise CertificateMalformed(rule=f"{name}: X.509 certificates as PEM") from None


@lru_cache(maxsize=1024)  # asked on each call; the same few certificates come again
def _read_role(certificate: bytes) -> tuple[str, str, int, int]:
    try:
        loaded = x509.load_pem_x509_certificate(certificate)
        role, name = _uri(loaded)
    except ValueError:
        raise CertificateMalformed(rule="an X.509 certificate") from None
    begin, end = loaded.not_valid_before_utc, loaded.not_valid_after_utc
    return role, name, int(begin.timestamp()), int(end.timestamp())


def _uri(certificate: x509.Certificate | x509.CertificateSigningRequest) -> tuple[str, str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension):
        raise CertificateMalformed(rule="one subject alternative name") from None
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    match = _URI.fullmatch(uris[0]) if len(uris) == 1 else None
    if match is None:
        raise CertificateMalformed(rule="exactly one URI urn:hybrid-bridge:<role>:<name>")
    return match[1], match[2]


def _builder(subject: x509.Name, issuer: x509.Name, now: int, span: int) -> x509.CertificateBuilder:
    begin = datetime.fromtimestamp(now - BACKDATED, UTC)
    builder = x509.CertificateBuilder(subject_name=subject, issuer_name=issuer)
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(begin).not_valid_after(begin + timedelta(seconds=span))


def _end_builder(authority: Authority, holder: Holder, role: str, now: int, span: int) -> x509.CertificateBuilder:
    root = x509.load_pem_x509_certificate(authority.certificate)
    builder = _builder(_subject(holder, role), root.subject, now, span)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(certificates=False), critical=True)
    identifier = root.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    authority_id = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)
    return builder.add_extension(authority_id, critical=False)


def _require_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise CertificateMalformed(rule=f"a name like {NAME.pattern}")


def _subject(holder: Holder, role: str) -> x509.Name:
    _require_name(holder.name)
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, holder.name),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, holder.legal_name[:64]),
            x509.NameAttribute(_LEGAL_ID, holder.legal_id[:64]),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, role),
        ]
    )


def _names(name: str, role: str, hosts: Sequence[str]) -> x509.SubjectAlternativeName:
    _require_name(name)
    listed: list[x509.GeneralName] = [x509.UniformResourceIdentifier(f"urn:hybrid-bridge:{role}:{name}")]
    if role == "member":
        listed.append(x509.DNSName(name))
    for host in hosts:
        try:
            listed.append(x509.IPAddress(ip_address(host)))
        except ValueError:
            listed.append(x509.DNSName(host))
    return x509.SubjectAlternativeName(listed)


def _usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificates,
        key_cert_sign=certificates,
        crl_sign=certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _signed(authority: Authority, builder: x509.CertificateBuilder) -> x509.Certificate:
    try:
        key = load_pem_private_key(authority.key, password=None)
    except ValueError:
        raise KeyUnusable(key="authority", rule="a PEM private key without password") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise KeyUnusable(key="authority", rule="a P-256 key")
    return builder.sign(key, hashes.SHA256())


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
