"""An index that nobody can enumerate, and whoever holds the label can check: ECVRF-EDWARDS25519-SHA512-TAI.

Source: RFC 9381, cipher suite 0x03; SPEC §9.3. A proof is Γ (32) ‖ c (16, little-endian) ‖ s (32, little-endian).
The holder of the secret key alone can make an index; a proof shows that it is the one index of this input.
Secret numbers meet only libsodium's constant-time functions. Only `prove` and `public_key` see them.
"""

import hashlib
from typing import Final

from hybrid_bridge.core import edwards25519 as curve
from hybrid_bridge.core.proof import as_octets
from hybrid_bridge.errors import FieldMalformed, SignatureWrong
from hybrid_bridge.units import RegistryIndex

PROOF_SIZE: Final = 80
_SUITE: Final = b"\x03"
_TO_CURVE, _CHALLENGE, _OUTPUT, _END = b"\x01", b"\x02", b"\x03", b"\x00"


def public_key(secret_key: bytes) -> bytes:
    """The 32-byte public key of a 32-byte secret key, as in Ed25519 (RFC 8032 §5.1.5)."""
    x, _ = _expand(secret_key)
    return curve.times_base(x)


def prove(secret_key: bytes, alpha: bytes) -> bytes:
    """The proof of `alpha`, 80 bytes; the same input gives the same bytes (RFC 9381 §5.1).

    Raises:
        FieldMalformed: the key is not 32 bytes, or the input no byte string.
    """
    alpha = as_octets(alpha, "vrf_alpha")
    x, prefix = _expand(secret_key)
    key = curve.times_base(x)
    point = _to_curve(key, alpha)
    gamma = curve.times(x, point)
    k = curve.scalar_of(hashlib.sha512(prefix + point).digest())
    c = _challenge(key, point, gamma, curve.times_base(k), curve.times(k, point))
    return gamma + c + curve.multiply_add(c.ljust(32, b"\x00"), x, k)


def verify(public_key: bytes, alpha: bytes, proof: bytes) -> bytes:
    """The 64-byte output of `alpha` under `public_key`, if `proof` shows it (RFC 9381 §5.3).

    Raises:
        FieldMalformed: the key is no point or of small order, the proof is not 80 bytes, Γ no point, or s not reduced.
        SignatureWrong: the proof belongs to another key or input.
    """
    public_key, alpha = as_octets(public_key, "vrf_public_key"), as_octets(alpha, "vrf_alpha")
    proof = as_octets(proof, "vrf_proof")
    require_public_key(public_key, "vrf_public_key")
    output = proof_output(proof)
    gamma, c, s = proof[:32], proof[32:48], proof[48:]
    point, number = _to_curve(public_key, alpha), c.ljust(32, b"\x00")
    u = curve.subtract(curve.times_base(s), curve.times(number, public_key))
    v = curve.subtract(curve.times(s, point), curve.times(number, gamma))
    if _challenge(public_key, point, gamma, u, v) != c:
        raise SignatureWrong(signer="vrf")
    return output


def proof_output(proof: bytes) -> bytes:
    """The 64-byte output a proof claims (RFC 9381 §5.2). Checks no key: use `verify` on proofs of others.

    Raises:
        FieldMalformed: as in `verify`.
    """
    proof = as_octets(proof, "vrf_proof")
    if len(proof) != PROOF_SIZE:
        raise FieldMalformed(field="vrf_proof", rule="exactly 80 bytes")
    if int.from_bytes(proof[48:], "little") >= curve.L:
        raise FieldMalformed(field="vrf_proof", rule="s below the group order")
    cleared = _require_point(proof[:32], "vrf_proof")
    return hashlib.sha512(_SUITE + _OUTPUT + cleared + _END).digest()


def index_of(output: bytes) -> RegistryIndex:
    """The registry index of an output: its first half (SPEC §9.3)."""
    return RegistryIndex(output[:32])


def require_public_key(key: bytes, field: str) -> None:
    """Return if the key may stand in a genesis record (RFC 9381 §5.4.5).

    Raises:
        FieldMalformed: no canonical point, or of small order.
    """
    if _require_point(key, field) == curve.IDENTITY:
        raise FieldMalformed(field=field, rule="not of small order")


def _require_point(data: bytes, field: str) -> bytes:
    """8 times the point that `data` encodes."""
    cleared = curve.times_cofactor(as_octets(data, field))
    if cleared is None:
        raise FieldMalformed(field=field, rule="the encoding of a point of edwards25519")
    return cleared


def _expand(secret_key: bytes) -> tuple[bytes, bytes]:
    secret_key = as_octets(secret_key, "vrf_seed")
    if len(secret_key) != 32:
        raise FieldMalformed(field="vrf_seed", rule="exactly 32 bytes")
    digest = hashlib.sha512(secret_key).digest()
    return bytes([digest[0] & 0xF8]) + digest[1:31] + bytes([digest[31] & 0x3F | 0x40]), digest[32:]


def _to_curve(key: bytes, alpha: bytes) -> bytes:
    """Try and increment, salted with the public key (RFC 9381 §5.4.1.1)."""
    for counter in range(256):
        digest = hashlib.sha512(_SUITE + _TO_CURVE + key + alpha + bytes([counter]) + _END).digest()
        point = curve.times_cofactor(digest[:32])
        if point is not None and point != curve.IDENTITY:
            return point
    raise FieldMalformed(field="alpha", rule="leads to the curve within 256 tries")


def _challenge(*points: bytes) -> bytes:
    """Key, H, Γ, U and V, in this order (RFC 9381 §5.4.3)."""
    return hashlib.sha512(_SUITE + _CHALLENGE + b"".join(points) + _END).digest()[:16]
