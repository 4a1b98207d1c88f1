"""An index that nobody can enumerate, and whoever holds the label can check: ECVRF-EDWARDS25519-SHA512-TAI.

Source: RFC 9381, cipher suite 0x03; SPEC §9.3. A proof is Γ (32) ‖ c (16, little-endian) ‖ s (32, little-endian).
The holder of the secret key alone can make an index; a proof shows that it is the one index of this input.
`prove` is not constant time (see `edwards25519`): make proofs where no stranger can measure them.
"""

import hashlib
from typing import Final

from hybrid_bridge.core import edwards25519 as curve
from hybrid_bridge.errors import FieldMalformed, SignatureWrong
from hybrid_bridge.units import RegistryIndex

PROOF_SIZE: Final = 80
_SUITE: Final = b"\x03"
_TO_CURVE, _CHALLENGE, _OUTPUT, _END = b"\x01", b"\x02", b"\x03", b"\x00"


def public_key(seed: bytes) -> bytes:
    """The 32-byte public key of a 32-byte secret key, as in Ed25519 (RFC 8032 §5.1.5)."""
    x, _ = _expand(seed)
    return curve.encode_point(curve.multiply(x, curve.BASE))


def prove(seed: bytes, alpha: bytes) -> bytes:
    """The proof of `alpha`, 80 bytes; the same input gives the same bytes (RFC 9381 §5.1)."""
    x, prefix = _expand(seed)
    key = public_key(seed)
    point = _to_curve(key, alpha)
    encoded = curve.encode_point(point)
    gamma = curve.multiply(x, point)
    k = _little(hashlib.sha512(prefix + encoded).digest()) % curve.L
    c = _challenge(key, encoded, gamma, curve.multiply(k, curve.BASE), curve.multiply(k, point))
    s = (k + _little(c) * x) % curve.L
    return curve.encode_point(gamma) + c + s.to_bytes(32, "little")


def verify_proof(key: bytes, alpha: bytes, proof: bytes) -> bytes:
    """The 64-byte output of `alpha` under `key`, if `proof` shows it (RFC 9381 §5.3).

    Raises:
        FieldMalformed: the key is no point or of small order, the proof is not 80 bytes, Γ no point, or s not reduced.
        SignatureWrong: the proof belongs to another key or input.
    """
    public = require_public_key(key, "vrf_public_key")
    gamma, c, s = _decode_proof(proof)
    point = _to_curve(key, alpha)
    u = curve.combine(s, curve.BASE, _little(c), curve.negate(public))
    v = curve.combine(s, point, _little(c), curve.negate(gamma))
    if _challenge(key, curve.encode_point(point), gamma, u, v) != c:
        raise SignatureWrong(signer="vrf")
    return _output(gamma)


def proof_output(proof: bytes) -> bytes:
    """The 64-byte output a proof claims (RFC 9381 §5.2). Checks no key: use `verify_proof` on proofs of others.

    Raises:
        FieldMalformed: as in `verify_proof`.
    """
    return _output(_decode_proof(proof)[0])


def index_of(output: bytes) -> RegistryIndex:
    """The registry index of an output: its first half (SPEC §9.3)."""
    return RegistryIndex(output[:32])


def require_public_key(key: bytes, field: str) -> curve.Point:
    """The point of a key that may stand in a genesis record (RFC 9381 §5.4.5).

    Raises:
        FieldMalformed: no canonical point, or of small order.
    """
    point = curve.decode_point(key, field)
    if curve.is_identity(curve.times_cofactor(point)):
        raise FieldMalformed(field=field, rule="not of small order")
    return point


def _decode_proof(proof: bytes) -> tuple[curve.Point, bytes, int]:
    if len(proof) != PROOF_SIZE:
        raise FieldMalformed(field="vrf_proof", rule="exactly 80 bytes")
    gamma, s = curve.decode_point(proof[:32], "vrf_proof"), _little(proof[48:])
    if s >= curve.L:
        raise FieldMalformed(field="vrf_proof", rule="s below the group order")
    return gamma, proof[32:48], s


def _expand(seed: bytes) -> tuple[int, bytes]:
    if len(seed) != 32:
        raise FieldMalformed(field="vrf_seed", rule="exactly 32 bytes")
    digest = hashlib.sha512(seed).digest()
    return _little(digest[:32]) & (1 << 254) - 8 | 1 << 254, digest[32:]


def _to_curve(key: bytes, alpha: bytes) -> curve.Point:
    """Try and increment, salted with the public key (RFC 9381 §5.4.1.1)."""
    for counter in range(256):
        digest = hashlib.sha512(_SUITE + _TO_CURVE + key + alpha + bytes([counter]) + _END).digest()
        found = curve.point_or_none(digest[:32])
        if found is not None and not curve.is_identity(point := curve.times_cofactor(found)):
            return point
    raise FieldMalformed(field="alpha", rule="leads to the curve within 256 tries")


def _challenge(key: bytes, point: bytes, gamma: curve.Point, u: curve.Point, v: curve.Point) -> bytes:
    rest = b"".join(map(curve.encode_point, (gamma, u, v)))
    return hashlib.sha512(_SUITE + _CHALLENGE + key + point + rest + _END).digest()[:16]


def _output(gamma: curve.Point) -> bytes:
    cleared = curve.encode_point(curve.times_cofactor(gamma))
    return hashlib.sha512(_SUITE + _OUTPUT + cleared + _END).digest()


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")
