"""The slow reference of edwards25519 (RFC 8032 §5.1) and of the VRF over it (RFC 9381), in plain Python.

Not one line of `hybrid_bridge`, and no libsodium. Extended coordinates (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z;
the addition law is complete, so no case is special. Not constant time: for public values and test keys only.
"""

import hashlib
from typing import Final, TypeAlias

Point: TypeAlias = tuple[int, int, int, int]

P: Final = 2**255 - 19  # the field
L: Final = 2**252 + 27742317777372353535851937790883648493  # the order of the base point, `q` in RFC 9381
_D: Final = -121665 * pow(121666, -1, P) % P
_2D: Final = 2 * _D % P
_SQRT_M1: Final = pow(2, (P - 1) // 4, P)
IDENTITY: Final[Point] = (0, 1, 1, 0)


def add(a: Point, b: Point) -> Point:
    """The sum a + b (RFC 8032 §5.1.4)."""
    x1, y1, z1, t1 = a
    x2, y2, z2, t2 = b
    e = (y1 - x1) * (y2 - x2) % P
    f = (y1 + x1) * (y2 + x2) % P
    g = t1 * _2D * t2 % P
    h = 2 * z1 * z2 % P
    i, j, k, m = f - e, h - g, h + g, f + e
    return (i * j % P, k * m % P, j * k % P, i * m % P)


def double(a: Point) -> Point:
    """The sum a + a, cheaper than `add` (RFC 8032 §5.1.4)."""
    x, y, z, _ = a
    e = x * x % P
    f = y * y % P
    h = e + f
    i = h - (x + y) * (x + y) % P
    g = e - f
    j = 2 * z * z + g
    return (i * j % P, g * h % P, j * g % P, i * h % P)


def negate(a: Point) -> Point:
    """The point whose sum with `a` is the identity."""
    x, y, z, t = a
    return (-x % P, y, z, -t % P)


def is_identity(a: Point) -> bool:
    """Whether adding `a` changes nothing."""
    return a[0] % P == 0 and (a[1] - a[2]) % P == 0


def times_cofactor(a: Point) -> Point:
    """8a: the identity exactly if `a` is of small order."""
    return double(double(double(a)))


def combine(m: int, a: Point, n: int, b: Point) -> Point:
    """m·a + n·b for m, n >= 0, four bits of both in each step."""
    first, second = _table(a), _table(b)
    total = IDENTITY
    for shift in range((max(m.bit_length(), n.bit_length()) + 3) // 4 * 4 - 4, -4, -4):
        total = double(double(double(double(total))))
        if digit := m >> shift & 15:
            total = add(total, first[digit])
        if digit := n >> shift & 15:
            total = add(total, second[digit])
    return total


def multiply(m: int, a: Point) -> Point:
    """m·a for m >= 0."""
    return combine(m, a, 0, IDENTITY)


def _table(a: Point) -> list[Point]:
    return _BASE_MULTIPLES if a == BASE else _multiples(a)


def _multiples(a: Point) -> list[Point]:
    """0·a … 15·a."""
    table = [IDENTITY, a]
    while len(table) < 16:
        table.append(double(table[len(table) // 2]) if len(table) % 2 == 0 else add(table[-1], a))
    return table


def encode_point(a: Point) -> bytes:
    """The 32 bytes of a point (RFC 8032 §5.1.2)."""
    inverse = pow(a[2], -1, P)
    x, y = a[0] * inverse % P, a[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def point_or_none(data: bytes) -> Point | None:
    """The inverse of `encode_point`, for the one encoding of each point; None for all other bytes (RFC 8032 §5.1.3)."""
    encoded = int.from_bytes(data, "little")
    y, sign = encoded & (1 << 255) - 1, encoded >> 255
    if len(data) != 32 or y >= P:
        return None
    u, v = (y * y - 1) % P, (_D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if (v * x * x + u) % P == 0:
        x = x * _SQRT_M1 % P
    if (v * x * x - u) % P != 0 or (x == 0 and sign == 1):
        return None
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


BASE: Final = point_or_none(bytes.fromhex("58" + "66" * 31))
_BASE_MULTIPLES: Final = _multiples(BASE)


# ── ECVRF-EDWARDS25519-SHA512-TAI (RFC 9381 §5, suite 0x03) ──────────────────────────────────────────────────────────


def sha512(data: bytes) -> bytes:
    return hashlib.sha512(data).digest()


def little(data: bytes) -> int:
    return int.from_bytes(data, "little")


def expand(secret_key: bytes) -> tuple[int, bytes]:
    """The secret scalar and the prefix of the nonce (RFC 8032 §5.1.5)."""
    digest = sha512(secret_key)
    return little(digest[:32]) & (1 << 254) - 8 | 1 << 254, digest[32:]


def public_key(secret_key: bytes) -> bytes:
    return encode_point(multiply(expand(secret_key)[0], BASE))


def to_curve(key: bytes, alpha: bytes) -> Point:
    """RFC 9381 §5.4.1.1, salted with the public key."""
    for counter in range(256):
        found = point_or_none(sha512(b"\x03\x01" + key + alpha + bytes([counter]) + b"\x00")[:32])
        if found is not None and not is_identity(times_cofactor(found)):
            return times_cofactor(found)
    raise ValueError(alpha)


def challenge(key: bytes, *points: Point) -> bytes:
    """RFC 9381 §5.4.3."""
    return sha512(b"\x03\x02" + key + b"".join(map(encode_point, points)) + b"\x00")[:16]


def prove(secret_key: bytes, alpha: bytes) -> bytes:
    """RFC 9381 §5.1."""
    x, prefix = expand(secret_key)
    key = encode_point(multiply(x, BASE))
    point = to_curve(key, alpha)
    gamma = multiply(x, point)
    k = little(sha512(prefix + encode_point(point))) % L
    c = challenge(key, point, gamma, multiply(k, BASE), multiply(k, point))
    return encode_point(gamma) + c + ((k + little(c) * x) % L).to_bytes(32, "little")


def verdict(key: bytes, alpha: bytes, proof: bytes) -> bytes | str:
    """The output, or the name of the error (RFC 9381 §5.3, with the key validation of §5.4.5)."""
    public = point_or_none(key)
    if public is None or is_identity(times_cofactor(public)) or len(proof) != 80:
        return "FieldMalformed"
    gamma, c, s = point_or_none(proof[:32]), little(proof[32:48]), little(proof[48:])
    if gamma is None or s >= L:
        return "FieldMalformed"
    point = to_curve(key, alpha)
    u = combine(s, BASE, c, negate(public))
    v = combine(s, point, c, negate(gamma))
    if challenge(key, point, gamma, u, v) != proof[32:48]:
        return "SignatureWrong"
    return sha512(b"\x03\x03" + encode_point(times_cofactor(gamma)) + b"\x00")


# ── what only a forger needs ─────────────────────────────────────────────────────────────────────────────────────────

OF_ORDER_8: Final = point_or_none(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"))
SMALL: Final = [multiply(i, OF_ORDER_8) for i in range(8)]


def forge(x: int, key: bytes, gamma: Point, k: int, alpha: bytes) -> bytes:
    """A proof by whoever knows x, over a key and a Γ that may be of mixed order: true if the torsion cancels."""
    point = to_curve(key, alpha)
    c = challenge(key, point, gamma, multiply(k, BASE), multiply(k, point))
    return encode_point(gamma) + c + ((k + little(c) * x) % L).to_bytes(32, "little")
