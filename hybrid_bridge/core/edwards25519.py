"""The group edwards25519 (RFC 8032 §5.1): points, their 32 bytes, and sums of two multiples.

Extended coordinates (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z; the addition law is complete, so no case is special.
Plain Python: NOT constant time. Verifying handles public values only; whoever proves does so on a machine of its own.
"""

from typing import Final, TypeAlias

from hybrid_bridge.errors import FieldMalformed

Point: TypeAlias = tuple[int, int, int, int]

P: Final = 2**255 - 19  # the field
L: Final = 2**252 + 27742317777372353535851937790883648493  # the order of the base point, `q` in RFC 9381
COFACTOR: Final = 8
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


def decode_point(data: bytes, field: str) -> Point:
    """The inverse of `encode_point`; accepts the one encoding of each point.

    Raises:
        FieldMalformed: not 32 bytes, y not below the field's prime, or on no point of the curve.
    """
    point = point_or_none(data)
    if point is None:
        raise FieldMalformed(field=field, rule="the encoding of a point of edwards25519")
    return point


def point_or_none(data: bytes) -> Point | None:
    """As `decode_point`; None where that raises, for the search of a hash-to-curve (RFC 8032 §5.1.3)."""
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


BASE: Final = decode_point(bytes.fromhex("58" + "66" * 31), "base point")
_BASE_MULTIPLES: Final = _multiples(BASE)
