"""The bytes of RFC 3161: what is asked of a timestamping authority, what it answers, what its token says.

A token is read whole and strictly, before any library sees it; whether it is to be believed is
`core/timestamp_trust.py`'s to say. Source: SPEC §13; RFC 3161 §2.4; RFC 5652 §5; RFC 5816.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from hybrid_bridge.core.der import (
    BOOLEAN,
    INTEGER,
    NULL,
    OCTETS,
    SEQUENCE,
    SET,
    DerReader,
    Element,
    der,
    der_integer,
    der_oid,
    tagged,
)
from hybrid_bridge.core.proof import as_octets
from hybrid_bridge.errors import EndpointRefused, FieldMalformed, Missing, TooLong
from hybrid_bridge.units import UnixSeconds

MAX_TOKEN: Final = 1 << 16  # bytes (SPEC §11)
MAX_CERTIFICATES: Final = 8  # in one token: the signer's and what leads to a root
FIELD: Final = "token"
SECOND: Final = 10**9

SIGNED_DATA: Final = "1.2.840.113549.1.7.2"
TST_INFO: Final = "1.2.840.113549.1.9.16.1.4"
_CONTENT_TYPE, _MESSAGE_DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"
_SIGNING_CERTIFICATE: Final = "1.2.840.113549.1.9.16.2.12"  # by SHA-1 (RFC 2634)
_SIGNING_CERTIFICATE_V2: Final = "1.2.840.113549.1.9.16.2.47"  # RFC 5816

HASHES: Final[Mapping[str, str]] = {  # SHA-256 or stronger; names as `renewals[].hash` has them
    "2.16.840.1.101.3.4.2.1": "sha-256",
    "2.16.840.1.101.3.4.2.2": "sha-384",
    "2.16.840.1.101.3.4.2.3": "sha-512",
    "2.16.840.1.101.3.4.2.8": "sha3-256",
    "2.16.840.1.101.3.4.2.9": "sha3-384",
    "2.16.840.1.101.3.4.2.10": "sha3-512",
}
_OIDS: Final = {name: oid for oid, name in HASHES.items()}
_FUNCTIONS: Final[Mapping[str, Callable[[bytes], "hashlib._Hash"]]] = {
    "sha-256": hashlib.sha256,
    "sha-384": hashlib.sha384,
    "sha-512": hashlib.sha512,
    "sha3-256": hashlib.sha3_256,
    "sha3-384": hashlib.sha3_384,
    "sha3-512": hashlib.sha3_512,
}


def digest_by(name: str, data: bytes) -> bytes:
    """The digest of `data` by one of `HASHES`."""
    return _FUNCTIONS[name](data).digest()


@dataclass(frozen=True, slots=True)
class Algorithm:
    """An algorithm by its object identifier, and its parameters as they stand (empty if absent or NULL)."""

    oid: str
    parameters: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What a TimeStampToken says. `earliest` and `latest` are genTime, moved by the stated accuracy; nanoseconds."""

    der: bytes
    tst_info: bytes
    hash: str
    imprint: bytes
    serial: int
    nonce: int | None
    generated: int  # nanoseconds
    accuracy: int  # nanoseconds; 0 when not stated
    certificates: tuple[bytes, ...]
    certificates_free: tuple[bytes, bytes]  # the SignedData's parts before and after its certificates
    issuer: bytes  # of the signer's certificate: its Name as DER
    certificate_serial: int
    digest_hash: str
    signed_attributes: bytes  # as they are signed: tag 31
    message_digest: bytes
    certificate_hashes: tuple[tuple[str, bytes], ...]  # of the signer's certificate; "sha-1" only here
    signature_algorithm: Algorithm
    signature: bytes

    @property
    def by(self) -> UnixSeconds:
        """What was stamped existed by then: genTime and its accuracy, rounded up to a whole second."""
        return UnixSeconds(-(-(self.generated + self.accuracy) // SECOND))


def decode_token(data: bytes) -> Token:
    """Read a TimeStampToken: DER, one signer, signed attributes, its certificate within.

    Raises:
        Malformed: anything else, or nothing of RFC 3161.
        Missing: it has an extension that must be understood.
    """
    data = as_octets(data, FIELD)
    if len(data) > MAX_TOKEN:
        raise TooLong(field=FIELD, limit=MAX_TOKEN, got=len(data))
    outer = DerReader(data, FIELD)
    content_info = outer.inside(SEQUENCE)
    outer.end()
    _require_oid(content_info.oid(), SIGNED_DATA)
    explicit = content_info.inside(tagged(0))
    content_info.end()
    signed = explicit.inside(SEQUENCE)
    explicit.end()
    before = signed.take(INTEGER).whole + signed.take(SET).whole
    content = signed.take(SEQUENCE)
    certificates = _certificates(signed.take(tagged(0)))
    signed.optional(tagged(1))  # revocation lists: nobody here judges them
    signers = signed.take(SET)
    signed.end()
    tst_info = _encapsulated(content)
    return Token(
        der=data,
        tst_info=tst_info,
        certificates=certificates,
        certificates_free=(before + content.whole, signers.whole),
        **_read_tst_info(tst_info),
        **_read_signer(signers),
    )


def _require_oid(got: str, expected: str) -> None:
    if got != expected:
        raise FieldMalformed(field=FIELD, rule=f"object identifier {expected}")


def _certificates(element: Element) -> tuple[bytes, ...]:
    reader, found = DerReader(element.content, FIELD), []
    while reader.peek() != -1:
        found.append(reader.take(SEQUENCE).whole)
        if len(found) > MAX_CERTIFICATES:
            raise TooLong(field="token.certificates", limit=MAX_CERTIFICATES, got=len(found))
    return tuple(found)


def _encapsulated(element: Element) -> bytes:
    reader = DerReader(element.content, FIELD)
    _require_oid(reader.oid(), TST_INFO)
    explicit = reader.inside(tagged(0))
    reader.end()
    content = explicit.take(OCTETS).content
    explicit.end()
    return content


# ── what is stamped, and when ────────────────────────────────────────────────────────────────────────────────────────


def _read_tst_info(data: bytes) -> dict[str, Any]:
    outer = DerReader(data, FIELD)
    reader = outer.inside(SEQUENCE)
    outer.end()
    if reader.integer() != 1:
        raise FieldMalformed(field=FIELD, rule="TSTInfo version 1")
    reader.oid()  # the authority's policy: any
    imprint = reader.inside(SEQUENCE)
    name = _hash_name(_algorithm(imprint))
    digest = imprint.take(OCTETS).content
    imprint.end()
    if len(digest) != len(digest_by(name, b"")):
        raise FieldMalformed(field=FIELD, rule=f"an imprint as long as {name}")
    serial, generated = reader.integer(), reader.nanoseconds()
    accuracy = _accuracy(reader.optional(SEQUENCE))
    reader.flag()  # ordering
    nonce = reader.integer() if reader.peek() == INTEGER else None
    reader.optional(tagged(0))  # the authority's own name: its certificate has it
    _require_no_critical(reader.optional(tagged(1)))
    reader.end()
    return {
        "hash": name,
        "imprint": digest,
        "serial": serial,
        "nonce": nonce,
        "generated": generated,
        "accuracy": accuracy,
    }


def _accuracy(element: Element | None) -> int:
    """Seconds, thousandths, millionths: each may be left out."""
    reader, total = DerReader(b"" if element is None else element.content, FIELD), 0
    for tag, unit, most in ((INTEGER, SECOND, 86_400), (0x80, 10**6, 999), (0x81, 10**3, 999)):
        if reader.peek() == tag:
            value = reader.integer(tag)
            if not 0 <= value <= most:
                raise FieldMalformed(field=FIELD, rule="an accuracy of at most a day")
            total += value * unit
    reader.end()
    return total


def _require_no_critical(element: Element | None) -> None:
    reader = DerReader(b"" if element is None else element.content, FIELD)
    while reader.peek() != -1:
        extension = reader.inside(SEQUENCE)
        oid, critical = extension.oid(), extension.flag()
        extension.take(OCTETS)
        extension.end()
        if critical:
            raise Missing(what=f"a verifier that understands the extension {oid} of timestamp tokens")


def _algorithm(reader: DerReader) -> Algorithm:
    inner = reader.inside(SEQUENCE)
    oid = inner.oid()
    tag = inner.peek()
    parameters = b"" if tag == -1 else inner.take(tag).whole
    inner.end()
    return Algorithm(oid, b"" if parameters == bytes([NULL, 0]) else parameters)


def _hash_name(algorithm: Algorithm) -> str:
    name = HASHES.get(algorithm.oid)
    if name is None or algorithm.parameters:
        raise FieldMalformed(field=FIELD, rule="SHA-256 or stronger")
    return name


# ── who signed it ────────────────────────────────────────────────────────────────────────────────────────────────────


def _read_signer(signers: Element) -> dict[str, Any]:
    outer = DerReader(signers.content, FIELD)
    reader = outer.inside(SEQUENCE)
    outer.end()  # one signer: a second one could be of another mind
    if reader.integer() != 1:
        raise FieldMalformed(field=FIELD, rule="a signer named by issuer and serial number")
    sid = reader.inside(SEQUENCE)
    issuer, serial = sid.take(SEQUENCE).whole, sid.integer()
    sid.end()
    digest_hash = _hash_name(_algorithm(reader))
    attributes = reader.take(tagged(0))
    signature_algorithm = _algorithm(reader)
    signature = reader.take(OCTETS).content
    reader.optional(tagged(1))  # unsigned attributes say nothing that counts
    reader.end()
    message_digest, hashes = _read_attributes(attributes.content)
    return {
        "issuer": issuer,
        "certificate_serial": serial,
        "digest_hash": digest_hash,
        "signed_attributes": der(SET, attributes.content),  # RFC 5652 §5.4: signed under this tag
        "message_digest": message_digest,
        "certificate_hashes": hashes,
        "signature_algorithm": signature_algorithm,
        "signature": signature,
    }


def _read_attributes(data: bytes) -> tuple[bytes, tuple[tuple[str, bytes], ...]]:
    """The digest of the content, and the hashes of the signer's certificate. Each attribute once (RFC 5652 §11)."""
    reader, found = DerReader(data, FIELD), dict[str, bytes]()
    while reader.peek() != -1:
        attribute = reader.inside(SEQUENCE)
        oid, values = attribute.oid(), attribute.take(SET).content
        attribute.end()
        if oid in found:
            raise FieldMalformed(field=FIELD, rule="each signed attribute once")
        found[oid] = values
    _require_oid(_only(found, _CONTENT_TYPE).oid(), TST_INFO)
    digest = _only(found, _MESSAGE_DIGEST).take(OCTETS).content
    hashes = [_first_hash(_only(found, oid), oid) for oid in (_SIGNING_CERTIFICATE, _SIGNING_CERTIFICATE_V2)
              if oid in found]  # fmt: skip
    if not hashes:
        raise FieldMalformed(field=FIELD, rule="the signer's certificate among the signed attributes")
    return digest, tuple(hashes)


def _only(attributes: Mapping[str, bytes], oid: str) -> DerReader:
    """A reader of the one value of this attribute."""
    values = DerReader(attributes.get(oid, b""), f"{FIELD}.attribute {oid}")
    only = values.take(max(values.peek(), 0))
    values.end()
    return DerReader(only.whole, FIELD)


def _first_hash(reader: DerReader, oid: str) -> tuple[str, bytes]:
    """The first certificate hash is the signer's (RFC 5816 §2.2.1; RFC 2634 §5.4)."""
    first = reader.inside(SEQUENCE).inside(SEQUENCE).inside(SEQUENCE)
    if oid == _SIGNING_CERTIFICATE:
        return "sha-1", first.take(OCTETS).content
    name = _hash_name(_algorithm(first)) if first.peek() == SEQUENCE else "sha-256"
    return name, first.take(OCTETS).content


# ── the protocol ─────────────────────────────────────────────────────────────────────────────────────────────────────


def encode_request(name: str, digest: bytes, nonce: int) -> bytes:
    """A TimeStampReq over `digest` by the hash of this name; asks for the certificate too."""
    imprint = der(SEQUENCE, der(SEQUENCE, der_oid(_OIDS[name]), bytes([NULL, 0])), der(OCTETS, digest))
    return der(SEQUENCE, der_integer(1), imprint, der_integer(nonce), der(BOOLEAN, b"\xff"))


def encode_response(token: bytes) -> bytes:
    """A TimeStampResp that grants `token`."""
    return der(SEQUENCE, der(SEQUENCE, der_integer(0)), token)


def decode_response(data: bytes, endpoint: str) -> Token:
    """The token of a TimeStampResp.

    Raises:
        EndpointRefused: the authority grants none.
        Malformed: no such response.
    """
    outer = DerReader(data, "answer")
    response = outer.inside(SEQUENCE)
    outer.end()
    status = response.inside(SEQUENCE).integer()  # its words are not for us
    if status not in (0, 1):  # granted, perhaps with changes: all that counts is checked below
        raise EndpointRefused(endpoint=endpoint, call="timestamp", code=status, reason="PKIStatus")
    token = response.take(SEQUENCE).whole
    response.end()
    return decode_token(token)
