"""What proofs show of a tree: hashes of stretches of its leaves. Two people who hold proofs can compare them.

A stretch is [begin, end): the hash over it, MTH(D[begin:end]), is the same in every tree that holds these leaves there,
whatever its size. So two hashes of one stretch decide whether two histories differ, and a root of one tree can be
calculated from proofs of another. Source: RFC 9162 §2.1.1, §2.1.3, §2.1.4; SPEC §2.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from hybrid_bridge.core.proof import (
    as_digest,
    node_hash,
    verify_consistency,
    verify_inclusion,
)
from hybrid_bridge.units import Digest, LeafIndex, TreeSize

Stretch: TypeAlias = tuple[int, int]  # begin, end


@dataclass(slots=True)
class ShownTree:
    """Hashes of one tree, each under a root that was shown; only proofs that hold are taken in."""

    hashes: dict[Stretch, Digest] = field(default_factory=dict)

    def take_inclusion(
        self, leaf_hash: Digest, index: LeafIndex, size: TreeSize, path: Sequence[Digest], root: Digest
    ) -> None:
        """The leaf, the siblings above it, and what follows from them.

        Raises:
            Malformed, RootMismatch: see `verify_inclusion`.
        """
        verify_inclusion(leaf_hash, index, size, path, root)
        here, value = (int(index), index + 1), leaf_hash
        self.hashes[here] = value
        for sibling, theirs in zip(path, reversed(list(_beside(index, size))), strict=True):
            here, value = self._join(here, value, theirs, sibling)

    def take_consistency(
        self, old_size: TreeSize, new_size: TreeSize, path: Sequence[Digest], old_root: Digest, new_root: Digest
    ) -> None:
        """Both roots, the hashes between them, and what follows from them.

        Raises:
            Malformed, RootMismatch: see `verify_consistency`.
        """
        verify_consistency(old_size, new_size, path, old_root, new_root)
        self.hashes[0, old_size], self.hashes[0, new_size] = old_root, new_root
        if old_size == new_size:
            return
        stretches = list(_between(old_size, new_size))
        rest = list(path)
        here = stretches.pop()
        value = old_root if here == (0, old_size) else rest.pop(0)
        self.hashes[here] = value
        for sibling, theirs in zip(rest, reversed(stretches), strict=True):
            here, value = self._join(here, value, theirs, sibling)

    def hash_of(self, stretch: Stretch) -> Digest | None:
        """Shown, or calculated from what was shown; None: neither."""
        if (shown := self.hashes.get(stretch)) is not None:
            return shown
        begin, end = stretch
        if end - begin < 2:
            return None
        middle = begin + _split(end - begin)
        left = self.hash_of((begin, middle))
        right = None if left is None else self.hash_of((middle, end))
        return None if left is None or right is None else node_hash(left, right)

    def root(self, size: TreeSize) -> Digest | None:
        """Of the tree's first `size` leaves, if what was shown decides it."""
        return self.hash_of((0, size))

    def _join(self, here: Stretch, value: Digest, theirs: Stretch, sibling: Digest) -> tuple[Stretch, Digest]:
        self.hashes[theirs] = as_digest(sibling, "path")
        is_left = theirs[0] < here[0]
        joined = (theirs[0], here[1]) if is_left else (here[0], theirs[1])
        value = node_hash(sibling, value) if is_left else node_hash(value, sibling)
        self.hashes[joined] = value
        return joined, value


def first_difference(one: ShownTree, other: ShownTree) -> Stretch | None:
    """The shortest, then earliest stretch of which both know a hash, and not the same; None: nothing contradicts."""
    for stretch in sorted(one.hashes.keys() | other.hashes.keys(), key=lambda s: (s[1] - s[0], s)):
        ours, theirs = one.hash_of(stretch), other.hash_of(stretch)
        if ours is not None and theirs is not None and ours != theirs:
            return stretch
    return None


# ── where the hashes of a path stand ─────────────────────────────────────────────────────────────────────────────────


def _split(width: int) -> int:
    """The largest power of two below it (RFC 9162 §2.1.1)."""
    return 1 << (width - 1).bit_length() - 1


def _beside(index: int, size: int) -> Iterator[Stretch]:
    """The stretches of an inclusion path's hashes, from the root down (RFC 9162 §2.1.3.1)."""
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            yield middle, end
            end = middle
        else:
            yield begin, middle
            begin = middle


def _between(old_size: int, new_size: int) -> Iterator[Stretch]:
    """The same of a consistency path (RFC 9162 §2.1.4.1); the last is the node in which the older tree ends."""
    begin, end = 0, new_size
    while end != old_size:
        middle = begin + _split(end - begin)
        if old_size <= middle:
            yield middle, end
            end = middle
        else:
            yield begin, middle
            begin = middle
    yield begin, end
