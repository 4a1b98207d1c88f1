"""A reader of C2SP tlog-tiles that shares no line with the project: paths, tiles and RFC 6962, from the text alone."""

import hashlib
from collections.abc import Callable

Fetch = Callable[[str], bytes | None]


def _name(level: str, number: int, width: int) -> str:
    digits = f"{number:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    parts = [digits[i : i + 3] for i in range(0, len(digits), 3)]
    path = "/".join(["x" + part for part in parts[:-1]] + parts[-1:])
    return f"tile/{level}/{path}" + ("" if width == 256 else f".p/{width}")


def _whole(fetch: Fetch, level: str, number: int, width: int) -> bytes:
    found = fetch(_name(level, number, width))
    assert found is not None, _name(level, number, width)
    return found


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_under(fetch: Fetch, size: int) -> bytes:
    """The root of the first `size` leaves: from every level's own rightmost tile, largest subtrees first."""
    peaks: list[bytes] = []  # of complete subtrees of 256^level · 2^j leaves, left to right
    for level in reversed(range(8)):
        count = (size // 256**level) % 256
        if not count:
            continue
        tile = _whole(fetch, str(level), size // 256 ** (level + 1), count)
        assert len(tile) == 32 * count
        hashes = [tile[i : i + 32] for i in range(0, len(tile), 32)]
        at = 0
        for j in reversed(range(8)):
            if count & 1 << j:
                row = hashes[at : at + (1 << j)]
                at += 1 << j
                while len(row) > 1:
                    row = [_node(row[i], row[i + 1]) for i in range(0, len(row), 2)]
                peaks.append(row[0])
    root = peaks.pop()
    while peaks:
        root = _node(peaks.pop(), root)
    return root


def leaves_under(fetch: Fetch, size: int) -> list[bytes]:
    """Every entry, compared with its hash in the tile of level 0."""
    entries: list[bytes] = []
    for number in range(-(-size // 256)):
        width = min(256, size - 256 * number)
        bundle, tile = _whole(fetch, "entries", number, width), _whole(fetch, "0", number, width)
        at = 0
        for position in range(width):
            length = int.from_bytes(bundle[at : at + 2], "big")
            entry = bundle[at + 2 : at + 2 + length]
            at += 2 + length
            assert hashlib.sha256(b"\x00" + entry).digest() == tile[32 * position : 32 * position + 32]
            entries.append(entry)
        assert at == len(bundle)
    return entries
