"""Identity keys: who submits, authorises, promises, acknowledges. Ed25519 and P-256, one encoding of each key.

A key is named by the hash of its SubjectPublicKeyInfo; a signature has always 64 bytes. The rules are stricter than
the library that does the arithmetic, so that every verifier refuses the same signatures. Source: SPEC §1.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hybrid_bridge.core.encoding import Reader, Writer, b64u, sha256
from hybrid_bridge.core.proof import as_integer, as_octets
from hybrid_bridge.errors import FieldMalformed, FieldMismatch, SignatureWrong
from hybrid_bridge.units import KeyId

ED25519: Final = 0x0807  # TLS 1.3 SignatureScheme registry
P256: Final = 0x0403
SIGNATURE_BYTES: Final = 64
MAX_SPKI: Final = 91

_ED25519_PREFIX: Final = bytes.fromhex("302a300506032b6570032100")  # RFC 8410 §4
_P256_PREFIX: Final = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")  # RFC 5480, uncompressed
_SPKI_BYTES: Final = {44: ED25519, 91: P256}

_FIELD_PRIME: Final = 2**255 - 19
_EDWARDS_D: Final = -121665 * pow(121666, -1, _FIELD_PRIME) % _FIELD_PRIME
_ED25519_ORDER: Final = 2**252 + 27742317777372353535851937790883648493
_ORDER_8_Y: Final = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7  # y of a point of order 8
_SMALL_ORDER_Y: Final = frozenset({0, 1, _FIELD_PRIME - 1, _ORDER_8_Y, _FIELD_PRIME - _ORDER_8_Y})
_P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_P256_HALF_ORDER: Final = _P256_ORDER // 2


def key_id_text(key_id: KeyId) -> str:
    """A key id as it stands in fields, logs and errors (SPEC §1)."""
    return b64u(key_id)


@dataclass(frozen=True, slots=True)
class PublicKey:
    """An identity key that others can check; only a valid one can be made.

    Raises:
        FieldMalformed: scheme unknown, or `spki` is not the one encoding of a usable key of this scheme.
    """

    scheme: int
    spki: bytes
    _key: ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "spki", as_octets(self.spki, "spki"))
        object.__setattr__(self, "_key", _load(as_integer(self.scheme, "scheme"), self.spki))

    @property
    def key_id(self) -> KeyId:
        """H(SubjectPublicKeyInfo DER)."""
        return KeyId(sha256(self.spki))

    def verify(self, message: bytes, signature: bytes) -> None:
        """Check 64 bytes of signature over `message`.

        Raises:
            FieldMalformed: another length, or numbers outside the range of SPEC §1 (S, R, r, s).
            SignatureWrong: in range, and not this key's signature over this message.
        """
        if len(signature) != SIGNATURE_BYTES:
            raise FieldMalformed(field="signature", rule=f"exactly {SIGNATURE_BYTES} bytes")
        try:
            if isinstance(self._key, ed25519.Ed25519PublicKey):
                _require_ed25519_range(signature)
                self._key.verify(signature, message)
            else:
                self._key.verify(_p256_der(signature), message, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            raise SignatureWrong(signer=key_id_text(self.key_id)) from None


def decode_spki(spki: bytes) -> PublicKey:
    """The key in a SubjectPublicKeyInfo: Ed25519 of 44 bytes or P-256 uncompressed of 91.

    Raises:
        FieldMalformed: any other encoding, a point off the curve or of small order.
    """
    spki = as_octets(spki, "spki")
    scheme = _SPKI_BYTES.get(len(spki))
    if scheme is None:
        raise FieldMalformed(field="spki", rule="Ed25519 of 44 bytes or P-256 uncompressed of 91")
    return PublicKey(scheme, spki)


class PrivateKey:
    """An identity key that signs. Shows its key id and nothing else of itself."""

    __slots__ = ("_key", "public")

    def __init__(self, key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> None:
        self._key = key
        self.public: Final = decode_spki(_spki_of(key))

    @classmethod
    def from_seed(cls, seed: bytes) -> Self:
        """The Ed25519 key of a 32-byte seed (RFC 8032 §5.1.5).

        Raises:
            FieldMalformed: another length.
        """
        if len(seed) != 32:
            raise FieldMalformed(field="seed", rule="exactly 32 bytes")
        return cls(ed25519.Ed25519PrivateKey.from_private_bytes(seed))

    def sign(self, message: bytes) -> bytes:
        """64 bytes; the same message gives the same bytes (RFC 8032, RFC 6979), P-256 with low s."""
        if isinstance(self._key, ed25519.Ed25519PrivateKey):
            return self._key.sign(message)
        r, s = decode_dss_signature(self._key.sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True)))
        return r.to_bytes(32, "big") + min(s, _P256_ORDER - s).to_bytes(32, "big")

    def __repr__(self) -> str:
        return f"PrivateKey({key_id_text(self.public.key_id)})"


# ── a signature beside a struct: u16 scheme ‖ 64 bytes ───────────────────────────────────────────────────────────────


def write_signature(writer: Writer, scheme: int, signature: bytes) -> Writer:
    """Append `u16 scheme ‖ signature`, the tail of promises, acknowledgements and countersignatures (SPEC §5)."""
    _require_scheme(scheme)
    return writer.u16(scheme, "scheme").fixed(signature, SIGNATURE_BYTES, "signature")


def read_signature(reader: Reader) -> tuple[int, bytes]:
    """The inverse of `write_signature`."""
    scheme = reader.u16("scheme")
    _require_scheme(scheme)
    return scheme, reader.fixed(SIGNATURE_BYTES, "signature")


def verify_signed(key: PublicKey, signer: KeyId, scheme: int, message: bytes, signature: bytes) -> None:
    """Check that `key` is the signer a struct names, of the scheme it names, and signed the message.

    Raises:
        FieldMismatch: another key or scheme.
        Malformed, SignatureWrong: as `PublicKey.verify`.
    """
    if key.key_id != signer:
        raise FieldMismatch(field="signer", expected=key_id_text(signer), got=key_id_text(key.key_id))
    if key.scheme != scheme:
        raise FieldMismatch(field="scheme", expected=f"{key.scheme:#06x}", got=f"{scheme:#06x}")
    key.verify(message, signature)


def _require_scheme(scheme: int) -> None:
    if scheme not in {ED25519, P256}:
        raise FieldMalformed(field="scheme", rule="0x0807 (Ed25519) or 0x0403 (P-256)")


# ── the rules that OpenSSL leaves open ───────────────────────────────────────────────────────────────────────────────


@lru_cache(maxsize=4096)  # the same few members sign everything; checking a point costs as much as a signature
def _load(scheme: int, spki: bytes) -> ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey:
    _require_scheme(scheme)
    prefix = _ED25519_PREFIX if scheme == ED25519 else _P256_PREFIX
    if _SPKI_BYTES.get(len(spki)) != scheme or not spki.startswith(prefix):
        raise FieldMalformed(field="spki", rule="Ed25519 of 44 bytes or P-256 uncompressed of 91")
    if scheme == ED25519:
        _require_ed25519_point(spki[len(prefix) :])
        return ed25519.Ed25519PublicKey.from_public_bytes(spki[len(prefix) :])
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), spki[len(prefix) - 1 :])
    except ValueError:
        raise FieldMalformed(field="spki", rule="a point of P-256") from None


def _require_ed25519_point(encoded: bytes) -> None:
    y = int.from_bytes(encoded, "little") & ((1 << 255) - 1)
    if y >= _FIELD_PRIME:
        raise FieldMalformed(field="spki", rule="a canonical point: y < 2^255-19")
    if y in _SMALL_ORDER_Y:  # both signs of x; with them the two encodings of -0
        raise FieldMalformed(field="spki", rule="a point not of small order")
    # x² = (y²-1) / (dy²+1) must be a square; a quotient is one exactly when the product is (Euler's criterion).
    square = (y * y - 1) * (_EDWARDS_D * y * y + 1) % _FIELD_PRIME
    if pow(square, (_FIELD_PRIME - 1) // 2, _FIELD_PRIME) != 1:
        raise FieldMalformed(field="spki", rule="a point of the curve")


def _require_ed25519_range(signature: bytes) -> None:
    if int.from_bytes(signature[:32], "little") & ((1 << 255) - 1) >= _FIELD_PRIME:
        raise FieldMalformed(field="signature", rule="R canonical: y < 2^255-19")
    if int.from_bytes(signature[32:], "little") >= _ED25519_ORDER:
        raise FieldMalformed(field="signature", rule="S < L")


def _p256_der(signature: bytes) -> bytes:
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if not 1 <= r < _P256_ORDER or not 1 <= s <= _P256_HALF_ORDER:
        raise FieldMalformed(field="signature", rule="1 <= r < n and 1 <= s <= n/2")
    return encode_dss_signature(r, s)


def _spki_of(key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return _ED25519_PREFIX + key.public_key().public_bytes_raw()
    if not isinstance(key.curve, ec.SECP256R1):
        raise FieldMalformed(field="key", rule="Ed25519 or P-256")
    # Always uncompressed, whatever form the key was loaded from.
    return _P256_PREFIX[:-1] + key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
