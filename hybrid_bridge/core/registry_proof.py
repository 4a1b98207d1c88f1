"""Verify what a registry root says about one index: present with this commitment, or absent.

Nothing here builds a tree. It speaks of an index, not of a label: who fixed the index must have checked its VRF proof.
Foreign trees of the same shape are another `Rules`; a tree of theirs may have one key, or none. Source: SPEC §9.1.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from hybrid_bridge.core.encoding import ZERO
from hybrid_bridge.core.proof import HashState, as_digest, as_octets, as_sequence
from hybrid_bridge.errors import FieldMalformed, PathLength, RootMismatch, TerminalMalformed
from hybrid_bridge.units import Commitment, Digest, RegistryIndex

MAX_REGISTRY_PATH: Final = 256  # bits of an index


@dataclass(frozen=True, slots=True)
class Rules:
    """How a prefix tree is hashed. The defaults are ours (PLEAF, PNODE, EMPTY); foreign trees are another row.

    Raises:
        DigestLength: the empty value has not 32 bytes.
        FieldMalformed: no byte strings, or one tag for both: an inner node could then be shown as a pair.
    """

    leaf_tag: bytes = b"\x02"
    inner_tag: bytes = b"\x03"
    empty: bytes = ZERO
    new: Callable[[bytes], HashState] = hashlib.sha256

    def __post_init__(self) -> None:
        for name in ("leaf_tag", "inner_tag"):
            object.__setattr__(self, name, as_octets(getattr(self, name), f"rules.{name}"))
        object.__setattr__(self, "empty", as_digest(self.empty, "rules.empty"))
        if self.leaf_tag == self.inner_tag:
            raise FieldMalformed(field="rules.inner_tag", rule="another tag than that of leaves")

    def leaf(self, index: bytes, commitment: bytes) -> Digest:
        """The hash of a subtree that holds one pair."""
        return Digest(self.new(self.leaf_tag + index + commitment).digest())

    def node(self, left: bytes, right: bytes) -> Digest:
        """The hash of a subtree that holds more."""
        return Digest(self.new(self.inner_tag + left + right).digest())


OURS: Final = Rules()


class Terminal(NamedTuple):
    """The pair in which the path of an index ends: its own, or the one pair that shares the path's bits."""

    key: RegistryIndex
    value: Commitment


@dataclass(frozen=True, slots=True)
class RegistryProof:
    """Where an index leads: a pair or a hole (None), and the siblings from there up."""

    terminal: Terminal | None
    path: tuple[Digest, ...]


def as_rules(value: object) -> Rules:
    """`value` if it is a row of hashing rules.

    Raises:
        FieldMalformed: anything else.
    """
    if not isinstance(value, Rules):
        raise FieldMalformed(field="rules", rule="Rules of a prefix tree")
    return value


def registry_root(index: bytes, terminal: Sequence[bytes] | None, path: Sequence[bytes], rules: Rules = OURS) -> Digest:
    """The root of a tree in which `index` leads to `terminal`. Compares nothing.

    Args:
        index: 32 bytes; bit 0 is the most significant bit of byte 0.
        terminal: key and value of a pair, or None for a hole.
        path: siblings, lowest first, 32 bytes each, at most 256; none if the terminal is the whole tree.
        rules: tags, empty value and hash function.

    Raises:
        PathLength: more than 256 siblings; refused before the first hash.
        DigestLength: an index, a commitment or a sibling has not 32 bytes.
        TerminalMalformed: the lowest sibling is empty, or the terminal is no pair or lies under another prefix.
    """
    rules, given = as_rules(rules), as_sequence(path, "registry.path")
    if len(given) > MAX_REGISTRY_PATH:
        raise PathLength(expected=MAX_REGISTRY_PATH, got=len(given))
    bits = _bits(as_digest(index, "registry.index"), len(given))
    siblings = [as_digest(sibling, "registry.path") for sibling in given]
    if siblings and siblings[0] == rules.empty:
        raise TerminalMalformed  # one key or none below the parent: the parent itself would be the terminal
    value, end = Digest(rules.empty), _terminal(terminal)
    if end is not None:
        if _bits(end.key, len(given)) != bits:
            raise TerminalMalformed
        value = rules.leaf(end.key, end.value)
    for sibling in siblings:
        value = rules.node(sibling, value) if bits & 1 else rules.node(value, sibling)
        bits >>= 1
    return value


def verify(
    root: bytes, key: bytes, terminal: Sequence[bytes] | None, path: Sequence[bytes], rules: Rules = OURS
) -> bytes | None:
    """What the tree with this `root` holds at `key`: its value, or None for nothing.

    Args:
        root: 32 bytes; the empty value if the tree holds nothing at all.
        key: 32 bytes.
        terminal: where the path of `key` ends: its own pair, another one, or None for a hole.
        path: as in `registry_root`.
        rules: as in `registry_root`.

    Raises:
        Malformed: as in `registry_root`.
        RootMismatch: the path leads elsewhere.
    """
    calculated, expected = registry_root(key, terminal, path, rules), as_digest(root, "registry_root")
    if calculated != expected:
        raise RootMismatch(expected=expected, calculated=calculated)
    end = _terminal(terminal)
    return end.value if end is not None and end.key == bytes(key) else None


def _terminal(terminal: object) -> Terminal | None:
    if terminal is None:
        return None
    pair = as_sequence(terminal, "terminal")
    if len(pair) != 2:
        raise TerminalMalformed
    key, value = as_digest(pair[0], "terminal.index"), as_digest(pair[1], "terminal.commitment")
    return Terminal(RegistryIndex(key), Commitment(value))


def _bits(index: bytes, count: int) -> int:
    """The first `count` bits, the last of them lowest."""
    return int.from_bytes(index, "big") >> MAX_REGISTRY_PATH - count
