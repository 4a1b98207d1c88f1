"""Identifiers that pass their check digits and belong to nobody, and keys made from a seed.

USCC with area code 990000, LEI with issuer prefix 9999, e-invoices of region 99. The check digits are computed here by
themselves, not by the code under test.
"""

import hashlib
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hybrid_bridge.core.encoding import b64u
from hybrid_bridge.testing.datasets.stream import Stream

_USCC: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_BASE36: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ORGANISATION_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)  # GB 11714


def uscc(stream: Stream) -> str:
    """A unified social credit code (GB 32100-2015) of an area that does not exist."""
    organisation = stream.text("0123456789", 8)
    total = sum(int(digit) * weight for digit, weight in zip(organisation, _ORGANISATION_WEIGHTS, strict=True))
    check = "0X987654321"[total % 11]
    body = "91" + "990000" + organisation + check
    weighted = sum(_USCC.index(char) * pow(3, i, 31) for i, char in enumerate(body))
    return body + _USCC[-weighted % 31]


def lei(stream: Stream) -> str:
    """A legal entity identifier (ISO 17442) of an issuer that does not exist."""
    body = "999900" + stream.text(_BASE36, 12)
    digits = "".join(str(_BASE36.index(char)) for char in body + "00")
    return f"{body}{98 - int(digits) % 97:02d}"


def e_invoice(stream: Stream, year: int) -> str:
    """A 20-digit e-invoice number of region 99."""
    return f"{year % 100:02d}99{stream.below(10)}{stream.below(10**15):015d}"


class Keys:
    """Ed25519 keys by name, each from the seed alone."""

    def __init__(self, seed: str) -> None:
        self._seed = seed

    def seed_of(self, name: str) -> bytes:
        """The 32-byte private key of a name."""
        return hashlib.sha256(f"TEST key/{self._seed}/{name}".encode()).digest()

    def private(self, name: str) -> Ed25519PrivateKey:
        """The key."""
        return Ed25519PrivateKey.from_private_bytes(self.seed_of(name))

    def key_id(self, name: str) -> str:
        """base64url of H(SubjectPublicKeyInfo)."""
        spki = self.private(name).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return b64u(hashlib.sha256(spki).digest())
