"""The group edwards25519 by libsodium: points and scalars are byte strings, and secret scalars take constant time.

The door to libsodium, and where its rules end and ours begin: it multiplies only points of prime order, refuses a
product that is the identity, and adds points in any encoding. Ours hold for every point of the curve (RFC 9381 §5.3
speaks of all of them) and know one encoding of each. Source: RFC 8032 §5.1, RFC 7748 §4.1; SPEC §9.3.
"""

from typing import Final

from nacl import bindings as sodium
from nacl.exceptions import RuntimeError as SodiumRefused

P: Final = 2**255 - 19  # the field
L: Final = 2**252 + 27742317777372353535851937790883648493  # the order of the base point, `q` in RFC 9381
IDENTITY: Final = (1).to_bytes(32, "little")
_ORDER_2: Final = (P - 1).to_bytes(32, "little")
_EIGHTH: Final = pow(8, -1, L).to_bytes(32, "little")


def times_cofactor(data: bytes) -> bytes | None:
    """8a, which is the identity exactly if `a` is of small order; None if `data` encodes no point (RFC 8032 §5.1.3).

    libsodium sees whether a point is on the curve; that y is below P and that x = 0 has no sign is ours to see.
    """
    if len(data) != 32:
        return None
    encoded = int.from_bytes(data, "little")
    unsigned = (encoded & (1 << 255) - 1).to_bytes(32, "little")
    if int.from_bytes(unsigned, "little") >= P or (unsigned in (IDENTITY, _ORDER_2) and unsigned != data):
        return None
    try:
        doubled = add(data, data)
    except SodiumRefused:
        return None
    fourfold = add(doubled, doubled)
    return add(fourfold, fourfold)


def add(a: bytes, b: bytes) -> bytes:
    """The sum a + b, of any two points."""
    return sodium.crypto_core_ed25519_add(a, b)


def subtract(a: bytes, b: bytes) -> bytes:
    """The difference a − b, of any two points."""
    return sodium.crypto_core_ed25519_sub(a, b)


def times(scalar: bytes, point: bytes) -> bytes:
    """The product of a scalar below 2^255 and any point; in constant time for a scalar that is no multiple of L."""
    if point == IDENTITY or not any(scalar):
        return IDENTITY
    try:
        return sodium.crypto_scalarmult_ed25519_noclamp(scalar, point)
    except SodiumRefused:
        return _times_any(scalar, point)


def times_base(scalar: bytes) -> bytes:
    """The product of a scalar below L and the base point; in constant time unless it is zero."""
    return sodium.crypto_scalarmult_ed25519_base_noclamp(scalar) if any(scalar) else IDENTITY


def scalar_of(number: bytes) -> bytes:
    """A number of up to 64 little-endian bytes modulo L."""
    return sodium.crypto_core_ed25519_scalar_reduce(number.ljust(64, b"\x00"))


def multiply_add(a: bytes, b: bytes, c: bytes) -> bytes:
    """The number a · b + c modulo L."""
    return sodium.crypto_core_ed25519_scalar_add(sodium.crypto_core_ed25519_scalar_mul(a, b), c)


def _times_any(scalar: bytes, point: bytes) -> bytes:
    """A point is the sum of one of order L or 1 and one of order 1, 2, 4 or 8; each has its own short way."""
    cleared = times_cofactor(point)
    assert cleared is not None  # noqa: S101 narrows a type: what is no point never gets here
    prime = times(_EIGHTH, cleared)
    torsion = subtract(point, prime)
    total = times(scalar_of(scalar), prime)
    for _ in range(scalar[0] & 7):
        total = add(total, torsion)
    return total
