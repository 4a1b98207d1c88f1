"""Another history than the one a note tells: the log's tiles, or a bundle with the path between two checkpoints."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from hybrid_bridge.cli.verify import read_bounded
from hybrid_bridge.core.bundle import Bundle, decode_bundle
from hybrid_bridge.core.checkpoint import Note, parse_note
from hybrid_bridge.core.tiles import CHECKPOINT, WIDTH, tile_path
from hybrid_bridge.core.tree import Tree
from hybrid_bridge.errors import FieldMalformed, Missing, TooLong
from hybrid_bridge.units import Digest, TreeSize

MAX_INPUT: Final = 1 << 20  # bytes of a bundle
HASH: Final = 32
MAX_LEAVES: Final = 1 << 22  # of tiles: a folder whose links lead round in circles has no end


@dataclass(frozen=True, slots=True)
class Stretch:
    """Two roots of one history, and why the one tree begins with the other."""

    older_root: Digest
    path: Sequence[Digest]


class History(Protocol):
    """Knows roots of a log, and paths between them. It is believed by nobody: the contract checks."""

    def between(self, older: TreeSize, newer: TreeSize) -> Stretch:
        """The path between two sizes.

        Raises:
            Missing: not in this history.
        """


@dataclass(frozen=True, slots=True)
class TileHistory:
    """A log whose leaves are all known."""

    tree: Tree

    def between(self, older: TreeSize, newer: TreeSize) -> Stretch:
        """See `History`."""
        if newer > self.tree.size:
            raise Missing(what=f"a history up to size {newer}; this one ends at {self.tree.size}")
        return Stretch(self.tree.root(older), self.tree.consistency_path(older, newer))


@dataclass(frozen=True, slots=True)
class BundleHistory:
    """The checkpoints of one bundle, each with the path from the one before."""

    stretches: Mapping[tuple[TreeSize, TreeSize], Stretch]

    def between(self, older: TreeSize, newer: TreeSize) -> Stretch:
        """See `History`."""
        if (older, newer) not in self.stretches:
            raise Missing(what=f"a path from size {older} to {newer} in this bundle; the log's tiles have every path")
        return self.stretches[older, newer]


def read_notes(path: Path) -> list[Note]:
    """The checkpoints in a file: those of a bundle, or a note alone.

    Raises:
        Malformed: neither.
    """
    data = read_bounded(path, MAX_INPUT)
    if data.startswith(b"{"):
        return [parse_note(part.note) for part in decode_bundle(data).checkpoints]
    return [parse_note(data)]


def read_history(path: Path) -> History:
    """A folder of tiles, or a bundle.

    Raises:
        Malformed, Missing: neither, or not whole.
    """
    if path.is_dir():
        return TileHistory(read_tree(path))
    return _stretches(decode_bundle(read_bounded(path, MAX_INPUT)))


def read_tree(folder: Path) -> Tree:
    """Of a folder of tiles.

    Raises:
        Malformed, Missing: none, or not whole.
    """
    size, tree = parse_note(_file(folder / CHECKPOINT)).size, Tree()
    if size > MAX_LEAVES:
        raise TooLong(field="size of the tiles", limit=MAX_LEAVES, got=size)
    for start in range(0, size, WIDTH):
        count = min(WIDTH, size - start)
        tile = _file(folder / tile_path(0, start // WIDTH, count))
        if len(tile) != HASH * count:
            raise FieldMalformed(field="tile", rule=f"{count} hashes of 32 bytes")
        tree.extend([Digest(tile[at : at + HASH]) for at in range(0, len(tile), HASH)])
    return tree


def _file(path: Path) -> bytes:
    if not path.is_file():
        raise Missing(what=f"{path.name} in the folder of tiles")
    return read_bounded(path, MAX_INPUT)


def _stretches(bundle: Bundle) -> History:
    notes = [parse_note(part.note) for part in bundle.checkpoints]
    found = {}
    for before, after, part in zip(notes, notes[1:], bundle.checkpoints[1:], strict=False):
        found[before.size, after.size] = Stretch(before.root, [Digest(digest) for digest in part.consistency])
    return BundleHistory(found)
