"""The log as static files: C2SP tlog-tiles. Hash tiles of 256, bundles of the leaves' own bytes, and where they lie.

Hash tiles say nothing but hashes, and each epoch record has a blind in it; entry bundles are the records themselves.
Source: SPEC §14; C2SP tlog-tiles.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from hybrid_bridge.core.encoding import Writer
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.tree import batch_root
from hybrid_bridge.units import Digest

WIDTH: Final = 256  # hashes of a full tile
CHECKPOINT: Final = "checkpoint"
_PART: Final = r"(x[0-9]{3}/){0,5}[0-9]{3}(\.p/([1-9][0-9]?|1[0-9][0-9]|2[0-4][0-9]|25[0-5]))?"
_PATH: Final = re.compile(rf"tile/(entries|[0-9]|[1-5][0-9]|6[0-3])/{_PART}")


def tile_path(level: int | str, index: int, width: int) -> str:
    """Where the tile of this level (or `entries`) lies: `tile/0/x001/234` or, if it is not full, `….p/17`."""
    groups = [f"{index % 1000:03}"]
    while index := index // 1000:
        groups.insert(0, f"x{index % 1000:03}")
    return f"tile/{level}/{'/'.join(groups)}" + (f".p/{width}" if width < WIDTH else "")


def is_tile_path(path: str) -> bool:
    """Whether a tile or bundle can lie there; nothing else is ever served."""
    return _PATH.fullmatch(path) is not None


def hash_tiles(leaves: Sequence[Digest]) -> Iterator[tuple[str, bytes]]:
    """Every tile of a log with these leaf hashes, level by level. Only full tiles are hashed into the level above."""
    level, row = 0, list(leaves)
    while row:
        for start in range(0, len(row), WIDTH):
            part = row[start : start + WIDTH]
            yield tile_path(level, start // WIDTH, len(part)), b"".join(part)
        full = len(row) // WIDTH
        row = [batch_root(row[n * WIDTH : (n + 1) * WIDTH]) for n in range(full)]
        level += 1


def entry_bundles(entries: Sequence[bytes]) -> Iterator[tuple[str, bytes]]:
    """Every bundle of these leaf data, each entry after its length as u16.

    Raises:
        FieldMalformed: an entry of more than 65,535 bytes.
    """
    for start in range(0, len(entries), WIDTH):
        part, writer = entries[start : start + WIDTH], Writer()
        for entry in part:
            writer.opaque(entry, 2, "entry")
        yield tile_path("entries", start // WIDTH, len(part)), writer.bytes()


def leaf_hashes(entries: Sequence[bytes]) -> list[Digest]:
    """The leaf hashes of these leaf data."""
    return [leaf_hash(entry) for entry in entries]
