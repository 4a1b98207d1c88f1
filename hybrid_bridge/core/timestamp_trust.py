"""Whether a timestamp token is to be believed: its imprint, its signature, its certificate, the way to a root.

The path to a root is OpenSSL's to judge, behind `rfc3161-client`. That library takes an imprint by SHA-1, does not ask
whether the signed attributes name the content's type and the signer's certificate, and cannot tell a wrong signature
from an unknown root: all of that is checked here first. Revocation is checked nowhere.
Source: SPEC §13; RFC 3161 §2.3; RFC 5816; RFC 5280 §6.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha1
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import (
    BasicConstraints,
    Certificate,
    ExtendedKeyUsage,
    KeyUsage,
    ObjectIdentifier,
)
from cryptography.x509.oid import ExtendedKeyUsageOID

from hybrid_bridge.core.certificate import read_certificate, reading, require_visible
from hybrid_bridge.core.der import SEQUENCE, der, der_oid, tagged
from hybrid_bridge.core.timestamp import SECOND, SIGNED_DATA, Token, digest_by, encode_response
from hybrid_bridge.errors import CertificateMalformed, FieldMismatch, Missing, SignatureWrong
from hybrid_bridge.units import UnixSeconds

MAX_PATH: Final = 4  # certificates between the signer's and a root
_WEAK: Final = (hashes.MD5, hashes.SHA1)
_HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "sha-256": hashes.SHA256(),
    "sha-384": hashes.SHA384(),
    "sha-512": hashes.SHA512(),
    "sha3-256": hashes.SHA3_256(),
    "sha3-384": hashes.SHA3_384(),
    "sha3-512": hashes.SHA3_512(),
}
_RSA_PKCS1: Final = {
    "1.2.840.113549.1.1.1": None,  # the hash is that of the signer's digest
    "1.2.840.113549.1.1.11": "sha-256",
    "1.2.840.113549.1.1.12": "sha-384",
    "1.2.840.113549.1.1.13": "sha-512",
}
_ECDSA: Final = {
    "1.2.840.10045.4.3.2": "sha-256",
    "1.2.840.10045.4.3.3": "sha-384",
    "1.2.840.10045.4.3.4": "sha-512",
}


@dataclass(frozen=True, slots=True)
class Authority:
    """Who signed a token, by its certificate; `until` is the last second of that certificate."""

    certificate: Certificate
    name: str
    until: UnixSeconds


def verify_token(token: Token, data: bytes) -> Authority:
    """All that can be said about a token without trusting anybody: it is over `data`, and its own certificate signed.

    Raises:
        FieldMismatch: another imprint; a certificate that is not for time stamping alone, or another's.
        CertificateMalformed: a certificate that cannot be read.
        SignatureWrong: the signature is not by that certificate's key.
        Missing: a signature algorithm that is not known here.
    """
    require_imprint(token, data)
    signer = _signer(token)
    _require_purpose(signer)
    expected, got = digest_by(token.digest_hash, token.tst_info), token.message_digest
    if expected != got:
        raise FieldMismatch(field="token.message_digest", expected=expected.hex(), got=got.hex())
    try:
        _verify_signature(signer, token)
    except InvalidSignature:
        raise SignatureWrong(signer="timestamping authority") from None
    name, until = signer.subject.rfc4514_string()[:256], int(signer.not_valid_after_utc.timestamp())
    return Authority(signer, name, UnixSeconds(until))


def require_imprint(token: Token, data: bytes) -> None:
    """The token is over `data`.

    Raises:
        FieldMismatch: it is over something else.
    """
    expected = digest_by(token.hash, data)
    if token.imprint != expected:
        raise FieldMismatch(field="token.imprint", expected=expected.hex(), got=token.imprint.hex())


# ── the signer ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _signer(token: Token) -> Certificate:
    """The certificate that the signer names, if the signed attributes name it too."""
    for data in token.certificates:
        certificate = read_certificate(data)
        if _named(certificate) != (token.issuer, token.certificate_serial):
            continue
        for name, value in token.certificate_hashes:
            # SHA-1 only picks among certificates here: the key in it still has to have signed.
            got = sha1(data, usedforsecurity=False).digest() if name == "sha-1" else digest_by(name, data)
            if got != value:
                raise FieldMismatch(field="token.certificate", expected=value.hex(), got=got.hex())
        return certificate
    raise FieldMismatch(field="token.certificates", expected="the signer's", got=f"{len(token.certificates)} others")


def _named(certificate: Certificate) -> tuple[bytes, int]:
    """Issuer and serial number, after all that is read later was read once: the library reads as late as it can."""
    try:
        _ = certificate.subject
        return certificate.issuer.public_bytes(), certificate.serial_number
    except ValueError:
        raise CertificateMalformed(rule="readable names") from None


def _require_purpose(certificate: Certificate) -> None:
    """Time stamping alone, and critical (RFC 3161 §2.3); no authority over other certificates."""
    with reading("readable extensions, each once"):
        misuse = _misuse(certificate)
        require_visible(certificate)
    if misuse:
        raise FieldMismatch(field="token.certificate", expected="for time stamping alone, and critical", got=misuse)


def _misuse(certificate: Certificate) -> str:
    """What makes a certificate unfit for time stamping, or ""."""
    purposes: list[ObjectIdentifier] = []
    for extension in certificate.extensions:
        value = extension.value
        if isinstance(value, ExtendedKeyUsage) and extension.critical:
            purposes = list(value)
        if isinstance(value, BasicConstraints) and value.ca:
            return "a certificate authority"
        if isinstance(value, KeyUsage) and (value.key_cert_sign or value.crl_sign):
            return "a key that signs certificates"
    return "" if purposes == [ExtendedKeyUsageOID.TIME_STAMPING] else "other purposes, or not critical"


def _verify_signature(signer: Certificate, token: Token) -> None:
    """The signature over the signed attributes.

    Raises:
        InvalidSignature: it is not.
        Missing: an algorithm that is not known here.
    """
    try:
        key = signer.public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise CertificateMalformed(rule="a public key this library can read") from None
    oid, message = token.signature_algorithm.oid, token.signed_attributes
    if token.signature_algorithm.parameters:
        raise Missing(what=f"a verifier that knows the parameters of signature algorithm {oid}")
    if isinstance(key, rsa.RSAPublicKey) and oid in _RSA_PKCS1:
        algorithm = _HASHES[_RSA_PKCS1[oid] or token.digest_hash]
        key.verify(token.signature, message, padding.PKCS1v15(), algorithm)
    elif isinstance(key, ec.EllipticCurvePublicKey) and oid in _ECDSA:
        key.verify(token.signature, message, ec.ECDSA(_HASHES[_ECDSA[oid]]))
    else:
        raise Missing(what=f"a verifier that knows signature algorithm {oid} with the key of this certificate")


# ── the way to a root ────────────────────────────────────────────────────────────────────────────────────────────────


def trusted_path(token: Token, signer: Certificate, roots: Sequence[Certificate]) -> tuple[Certificate, ...]:
    """The signer's certificate and what leads from it to one of `roots`, all valid at genTime; empty if nothing does.

    `rfc3161-client` is shown this one path and no other certificate; OpenSSL judges it at genTime.
    """
    path = _climb(signer, [read_certificate(data) for data in token.certificates], roots)
    if not path or not all(is_valid(certificate, token.generated) for certificate in path):
        return ()
    return path if _library_agrees(token, path) else ()


def is_valid(certificate: Certificate, moment: int) -> bool:
    """Whether `moment`, in nanoseconds, lies within the certificate's term."""
    begin, end = certificate.not_valid_before_utc.timestamp(), certificate.not_valid_after_utc.timestamp()
    return int(begin) * SECOND <= moment < (int(end) + 1) * SECOND


def _climb(signer: Certificate, pool: Sequence[Certificate], roots: Sequence[Certificate]) -> tuple[Certificate, ...]:
    """Step by step to an issuer; a root before any other. No second way is tried: the work stays small."""
    path = [signer]
    for _ in range(MAX_PATH + 1):
        root = _issuer(path[-1], roots)
        if root is not None:
            return (*path, root)
        between = _issuer(path[-1], [certificate for certificate in pool if certificate not in path])
        if between is None:
            break
        path.append(between)
    return ()


def _issuer(certificate: Certificate, candidates: Sequence[Certificate]) -> Certificate | None:
    return next((candidate for candidate in candidates if _issued(certificate, candidate)), None)


def _issued(certificate: Certificate, issuer: Certificate) -> bool:
    try:
        if certificate.issuer != issuer.subject:
            return False
        weak = isinstance(certificate.signature_hash_algorithm, _WEAK)
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return not weak


def _library_agrees(token: Token, path: Sequence[Certificate]) -> bool:
    """OpenSSL's word on exactly this path."""
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415
    from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response  # noqa: PLC0415

    before, after = token.certificates_free
    shown = der(tagged(0), *sorted(certificate.public_bytes(Encoding.DER) for certificate in path[:-1]))
    bare = der(SEQUENCE, der_oid(SIGNED_DATA), der(tagged(0), der(SEQUENCE, before, shown, after)))
    try:
        response = decode_timestamp_response(encode_response(bare))
        verifier = VerifierBuilder().add_root_certificate(path[-1]).build()
        return verifier.verify(response, token.imprint)
    except (VerificationError, ValueError):
        return False
