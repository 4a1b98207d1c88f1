"""ML-DSA-44: the post-quantum signatures under checkpoints. Pure, with the empty context. Source: SPEC §8.3; FIPS 204.

Signing is hedged: two signatures over one message differ, both verify.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.proof import as_octets
from hybrid_bridge.errors import FieldMalformed, Missing, SignatureWrong

KEY_BYTES: Final = 1312
SIGNATURE_BYTES: Final = 2420
SEED_BYTES: Final = 32


class MldsaKey:
    """A private key; shows nothing of itself but its public key."""

    __slots__ = ("_key", "public")

    def __init__(self, seed: bytes) -> None:
        """The key of a seed of 32 bytes (FIPS 204 §6.1).

        Raises:
            FieldMalformed: another length.
        """
        seed = as_octets(seed, "seed")
        if len(seed) != SEED_BYTES:
            raise FieldMalformed(field="seed", rule=f"exactly {SEED_BYTES} bytes")
        with _supported():
            self._key = MLDSA44PrivateKey.from_seed_bytes(seed)
        self.public: Final[bytes] = self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """2,420 bytes."""
        return self._key.sign(message)

    def __repr__(self) -> str:
        return f"MldsaKey({sha256(self.public).hex()[:16]})"


def verify_mldsa(public: bytes, message: bytes, signature: bytes) -> None:
    """Return if `signature` over `message` is by the key of these 1,312 bytes.

    Raises:
        FieldMalformed: another length.
        SignatureWrong: it is not.
        Missing: the library here has no ML-DSA.
    """
    public, signature = as_octets(public, "key"), as_octets(signature, "signature")
    if len(signature) != SIGNATURE_BYTES or len(public) != KEY_BYTES:
        raise FieldMalformed(field="signature", rule=f"{SIGNATURE_BYTES} bytes by a key of {KEY_BYTES}")
    try:
        with _supported():
            _load(public).verify(signature, message)
    except InvalidSignature:
        raise SignatureWrong(signer=f"ML-DSA-44 key {sha256(public).hex()}") from None


@contextmanager
def _supported() -> Iterator[None]:
    try:
        yield
    except UnsupportedAlgorithm:  # of some builds; the wheels that are locked have it
        raise Missing(what="a cryptography library with ML-DSA-44") from None


@lru_cache(maxsize=256)
def _load(public: bytes) -> MLDSA44PublicKey:
    return MLDSA44PublicKey.from_public_bytes(public)
