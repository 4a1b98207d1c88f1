"""The contract's trees against RFC 6962 §2.1 as the RFC writes it: recursive, from leaves, nothing of ours in between."""

from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from tests.evm.conftest import Refused

if TYPE_CHECKING:
    from tests.evm.conftest import World

LARGEST = 130
LEAVES = [sha256(b"\x00" + number.to_bytes(4, "little")).digest() for number in range(LARGEST)]
WRONG = sha256(b"another hash").digest()


def split(count: int) -> int:
    """The largest power of two smaller than `count`."""
    power = 1
    while power * 2 < count:
        power *= 2
    return power


@cache
def mth(start: int, end: int) -> bytes:
    if end - start == 1:
        return LEAVES[start]
    middle = start + split(end - start)
    return sha256(b"\x01" + mth(start, middle) + mth(middle, end)).digest()


def path(index: int, start: int, end: int) -> list[bytes]:
    if end - start == 1:
        return []
    middle = start + split(end - start)
    if index < middle:
        return [*path(index, start, middle), mth(middle, end)]
    return [*path(index, middle, end), mth(start, middle)]


def subproof(older: int, start: int, end: int, *, whole: bool) -> list[bytes]:
    if older == end:
        return [] if whole else [mth(start, end)]
    middle = start + split(end - start)
    if older <= middle:
        return [*subproof(older, start, middle, whole=whole), mth(middle, end)]
    return [*subproof(older, middle, end, whole=False), mth(start, middle)]


def spoilt(proof: list[bytes]) -> list[list[bytes]]:
    """Cut at either end, turned round, longer, another hash: those that differ."""
    ways = [proof[:-1], proof[1:], proof[::-1], [*proof, WRONG], [*proof[:-1], WRONG]]
    return [way for way in ways if way != proof]


def test_every_proof_of_every_tree(world: "World") -> None:
    call = world.proofs.call
    for size in range(1, LARGEST + 1):
        for n in range(size):
            call("verifyInclusion", LEAVES[n], n, size, path(n, 0, size), mth(0, size))
            proof = subproof(n + 1, 0, size, whole=True)
            call("verifyConsistency", n + 1, size, proof, mth(0, n + 1), mth(0, size))


@pytest.mark.parametrize("size", [2, 3, 7, 8, 9, 64, 65, 100, 127, 128, 129, 130])
def test_no_other_proof_of_a_tree(world: "World", size: int) -> None:
    call, root = world.proofs.call, mth(0, size)

    def refused(function: str, *arguments: object) -> None:
        with pytest.raises(Refused, match=r"RootMismatch|PathLength|IndexBeyondSize|SizeOrder"):
            call(function, *arguments)

    for n in range(0, size, 1 + size // 12):
        honest, older = path(n, 0, size), mth(0, n + 1)
        for other in {n ^ 1, n + 1, n - 1, size - 1 - n, size} - {n, -1}:
            refused("verifyInclusion", LEAVES[n], other, size, honest, root)
        for way in spoilt(honest):
            refused("verifyInclusion", LEAVES[n], n, size, way, root)
        refused("verifyInclusion", LEAVES[n], n, size, honest, WRONG)
        refused("verifyInclusion", WRONG, n, size, honest, root)
        proof = subproof(n + 1, 0, size, whole=True)
        for way in spoilt(proof):
            refused("verifyConsistency", n + 1, size, way, older, root)
        refused("verifyConsistency", n + 1, size, proof, WRONG, root)
        refused("verifyConsistency", n + 1, size, proof, older, WRONG)
        refused("verifyConsistency", n + 2, size, proof, older, root)
        if n:
            refused("verifyConsistency", n, size, proof, older, root)
