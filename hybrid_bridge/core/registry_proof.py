"""Verify what a registry root says about one index: present with this commitment, or absent.

Nothing here builds a tree. It speaks of an index, not of a label: who fixed the index must have checked its VRF proof.
Source: SPEC §9.1.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from hybrid_bridge.core.encoding import ZERO
from hybrid_bridge.core.proof import HashState, as_digest
from hybrid_bridge.errors import PathLength, RootMismatch, TerminalMalformed
from hybrid_bridge.units import Commitment, Digest, RegistryIndex

MAX_REGISTRY_PATH: Final = 256  # bits of an index


@dataclass(frozen=True, slots=True)
class PrefixHashing:
    """How a prefix tree is hashed. The defaults are ours (PLEAF, PNODE, EMPTY); foreign trees are another row."""

    leaf_tag: bytes = b"\x02"
    inner_tag: bytes = b"\x03"
    empty: Digest = ZERO
    new: Callable[[bytes], HashState] = hashlib.sha256

    def leaf(self, index: bytes, commitment: bytes) -> Digest:
        """The hash of a subtree that holds one pair."""
        return Digest(self.new(self.leaf_tag + index + commitment).digest())

    def node(self, left: bytes, right: bytes) -> Digest:
        """The hash of a subtree that holds more."""
        return Digest(self.new(self.inner_tag + left + right).digest())


STANDARD: Final = PrefixHashing()


@dataclass(frozen=True, slots=True)
class Terminal:
    """The pair in which the path of an index ends: its own, or the one pair that shares the path's bits."""

    index: RegistryIndex
    commitment: Commitment


@dataclass(frozen=True, slots=True)
class RegistryProof:
    """Where an index leads: a pair or a hole (None), and the siblings from there up."""

    terminal: Terminal | None
    path: tuple[Digest, ...]


def registry_root(
    index: RegistryIndex,
    terminal: Terminal | None,
    path: Sequence[Digest],
    *,
    hashing: PrefixHashing = STANDARD,
) -> Digest:
    """The root of a tree in which `index` leads to `terminal`. Compares nothing.

    Args:
        index: 32 bytes; bit 0 is the most significant bit of byte 0.
        terminal: a pair, or None for a hole.
        path: siblings, lowest first, 32 bytes each, at most 256.
        hashing: tags, empty value and hash function.

    Raises:
        PathLength: more than 256 siblings; refused before the first hash.
        DigestLength: an index, a commitment or a sibling has not 32 bytes.
        TerminalMalformed: the lowest sibling is empty, or the terminal lies under another prefix.
    """
    if len(path) > MAX_REGISTRY_PATH:
        raise PathLength(expected=MAX_REGISTRY_PATH, got=len(path))
    bits = _bits(as_digest(index, "registry.index"), len(path))
    siblings = [as_digest(sibling, "registry.path") for sibling in path]
    if siblings and siblings[0] == hashing.empty:
        raise TerminalMalformed
    value = hashing.empty
    if terminal is not None:
        if _bits(as_digest(terminal.index, "terminal.index"), len(path)) != bits:
            raise TerminalMalformed
        value = hashing.leaf(terminal.index, as_digest(terminal.commitment, "terminal.commitment"))
    for sibling in siblings:
        value = hashing.node(sibling, value) if bits & 1 else hashing.node(value, sibling)
        bits >>= 1
    return value


def verify_presence(
    root: Digest,
    index: RegistryIndex,
    commitment: Commitment,
    path: Sequence[Digest],
    *,
    hashing: PrefixHashing = STANDARD,
) -> None:
    """Return if the tree with this `root` holds `commitment` at `index`.

    Raises:
        Malformed: as in `registry_root`.
        RootMismatch: the path leads elsewhere.
    """
    _require_root(root, registry_root(index, Terminal(index, commitment), path, hashing=hashing))


def verify_absence(
    root: Digest,
    index: RegistryIndex,
    terminal: Terminal | None,
    path: Sequence[Digest],
    *,
    hashing: PrefixHashing = STANDARD,
) -> None:
    """Return if the tree with this `root` holds nothing at `index`: its path ends in a hole or in another pair.

    Raises:
        Malformed: as in `registry_root`.
        TerminalMalformed: the path ends in the index itself.
        RootMismatch: the path leads elsewhere.
    """
    if terminal is not None and terminal.index == index:
        raise TerminalMalformed
    _require_root(root, registry_root(index, terminal, path, hashing=hashing))


def _bits(index: bytes, count: int) -> int:
    """The first `count` bits, the last of them lowest."""
    return int.from_bytes(index, "big") >> MAX_REGISTRY_PATH - count


def _require_root(root: Digest, calculated: Digest) -> None:
    expected = as_digest(root, "registry_root")
    if calculated != expected:
        raise RootMismatch(expected=expected, calculated=calculated)
