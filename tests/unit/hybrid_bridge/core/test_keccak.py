"""keccak-256 against the textbook permutation of the slow reference."""

import runpy
from pathlib import Path

from hybrid_bridge.core.keccak import keccak256

slow = runpy.run_path(str(Path(__file__).parents[3] / "vectors" / "reference.py"))


def test_keccak_equals_the_textbook_around_the_edges_of_its_blocks() -> None:
    for length in (0, 1, 32, 135, 136, 137, 271, 272, 500):
        data = bytes(i % 251 for i in range(length))
        assert keccak256(data) == slow["keccak"](data)


def test_the_empty_hash_is_ethereums_and_not_sha3s() -> None:
    assert keccak256(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
