"""Tiles as an independent reader sees them: it shares no line with `core` and knows C2SP tlog-tiles alone."""

import hashlib

import pytest

from hybrid_bridge.core.tiles import entry_bundles, hash_tiles, is_tile_path, leaf_hashes, tile_path
from hybrid_bridge.errors import FieldMalformed
from tests.bundles import consortium
from tests.tile_reader import leaves_under, root_under

ENTRIES = [f"entry {number}".encode() * (1 + number % 3) for number in range(70_000)]


def mth(hashes: list[bytes]) -> bytes:
    """RFC 6962 §2.1, the slow way."""
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return hashlib.sha256(b"\x01" + mth(hashes[:k]) + mth(hashes[k:])).digest()


def slow_leaves(entries: list[bytes]) -> list[bytes]:
    return [hashlib.sha256(b"\x00" + entry).digest() for entry in entries]


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 512, 600])
def test_an_independent_reader_finds_root_and_entries(size):
    files = dict(hash_tiles(leaf_hashes(ENTRIES[:size]))) | dict(entry_bundles(ENTRIES[:size]))
    assert root_under(files.get, size) == mth(slow_leaves(ENTRIES[:size]))
    assert leaves_under(files.get, size) == ENTRIES[:size]
    assert all(is_tile_path(path) for path in files)


def test_a_tree_of_seventy_thousand_has_the_tiles_of_the_specification():
    """C2SP tlog-tiles gives this example."""
    tiles = dict(hash_tiles(leaf_hashes(ENTRIES)))
    level = [[path for path in tiles if path.startswith(f"tile/{n}/")] for n in range(4)]
    assert [len(paths) for paths in level] == [274, 2, 1, 0]
    assert [p for p in level[0] if ".p/" in p] == ["tile/0/273.p/112"]
    assert level[1] == ["tile/1/000", "tile/1/001.p/17"]
    assert level[2] == ["tile/2/000.p/1"]
    assert root_under(tiles.get, 70_000) == mth(slow_leaves(ENTRIES))


def test_a_full_tile_alone_has_a_partial_one_above():
    assert list(dict(hash_tiles(leaf_hashes(ENTRIES[:256])))) == ["tile/0/000", "tile/1/000.p/1"]


@pytest.mark.parametrize(
    ("index", "width", "path"),
    [(0, 256, "tile/0/000"), (1_234_067, 256, "tile/0/x001/x234/067"), (1_000, 5, "tile/0/x001/000.p/5")],
)
def test_paths_are_those_of_the_specification(index, width, path):
    assert tile_path(0, index, width) == path
    assert is_tile_path(path)


@pytest.mark.parametrize(
    "path",
    ["", "checkpoint", "tile", "tile/", "tile/0", "tile/0/", "tile/0/0", "tile/00/000", "tile/64/000", "tile/0/000/",
     "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/001/000", "tile/0/x001", "tile/0/../000",
     "../tile/0/000", "tile/0/000\n", "tile/entries/000.new", "tile/entries", "/tile/0/000", "tile/0/x1/000"],
)  # fmt: skip
def test_nothing_else_is_a_tile(path):
    assert not is_tile_path(path)


def test_an_entry_that_is_too_long_for_its_prefix_is_refused():
    with pytest.raises(FieldMalformed):
        list(entry_bundles([bytes(65_536)]))


def test_the_log_of_a_consortium_is_read_from_its_tiles():
    c = consortium()
    entries = [c.genesis.encode(), *(closed.record.encode() for closed in c.closed)]
    files = dict(hash_tiles(leaf_hashes(entries))) | dict(entry_bundles(entries))
    assert root_under(files.get, 6) == c.log.root(6)
    assert [len(entry) for entry in leaves_under(files.get, 6)] == [832] + [640] * 5
