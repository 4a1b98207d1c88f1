"""Sealing with HPKE base mode (RFC 9180): X25519, HKDF-SHA256, AES-256-GCM. The door to that part of cryptography.

Seals draw their own randomness. What binds an envelope to its log, recipient and entry is `info`, which core makes
(`core.delivery`); this file only turns keys and bytes over to the library. Source: SPEC §5.
"""

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from hybrid_bridge.errors import EnvelopeUnopenable, FieldMalformed

KEY_BYTES: Final = 32
_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def public_of(private_key: bytes) -> bytes:
    """The 32 public bytes of a sealing key.

    Raises:
        FieldMalformed: not 32 bytes.
    """
    return _private(private_key).public_key().public_bytes_raw()


def seal(public_key: bytes, info: bytes, plaintext: bytes) -> bytes:
    """`enc ‖ ciphertext` for the holder of `public_key`; other bytes each time.

    Raises:
        FieldMalformed: not an X25519 key, or one of small order.
    """
    if len(public_key) != KEY_BYTES:
        raise FieldMalformed(field="sealing_key", rule=f"exactly {KEY_BYTES} bytes")
    try:
        return _SUITE.encrypt(plaintext, X25519PublicKey.from_public_bytes(public_key), info=info)
    except ValueError:
        raise FieldMalformed(field="sealing_key", rule="an X25519 key not of small order") from None


def open_envelope(private_key: bytes, info: bytes, envelope: bytes) -> bytes:
    """The plaintext of an envelope made for this key and this `info`.

    Raises:
        EnvelopeUnopenable: made for another key, log or entry, or changed on the way.
    """
    try:
        return _SUITE.decrypt(envelope, _private(private_key), info=info)
    except (InvalidTag, ValueError):
        raise EnvelopeUnopenable(length=len(envelope)) from None


def _private(private_key: bytes) -> X25519PrivateKey:
    if len(private_key) != KEY_BYTES:
        raise FieldMalformed(field="sealing_key", rule=f"exactly {KEY_BYTES} bytes")
    return X25519PrivateKey.from_private_bytes(private_key)
