"""Build the registry: labels present or absent, in a tree that only grows and whose old roots stay provable.

A tree never changes: `insert` copies the paths it touches and shares the rest, so every epoch keeps its own tree at
the price of its own insertions. A part of a tree may lie in a store: it is loaded when somebody walks there, and
believed only if it hashes to what its parent says. Source: SPEC §9.1.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, Protocol, TypeAlias

from hybrid_bridge.core.proof import as_digest, as_sequence
from hybrid_bridge.core.registry_proof import OURS, RegistryProof, Rules, Terminal, as_rules
from hybrid_bridge.errors import FieldMalformed, FieldMismatch, StoreBroken
from hybrid_bridge.units import Commitment, Digest, RegistryIndex

Pair: TypeAlias = tuple[RegistryIndex, Commitment]


@dataclass(frozen=True, slots=True)
class Leaf:
    """A subtree that holds one pair."""

    digest: Digest
    index: RegistryIndex
    commitment: Commitment


@dataclass(frozen=True, slots=True)
class Branch:
    """A subtree that holds more, split on the next bit."""

    digest: Digest
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Stored:
    """A subtree that lies in a store, under a number of the store's own."""

    digest: Digest
    number: int


Node: TypeAlias = Leaf | Branch | Stored | None


class Fork(NamedTuple):
    """What a store keeps of a branch: where its halves lie; None for a hole."""

    left: Stored | None
    right: Stored | None


class Nodes(Protocol):
    """Where stored subtrees lie. Nothing it says is believed before it is hashed."""

    def load(self, number: int) -> Terminal | Fork:
        """The top of a subtree: its only pair, or its two halves."""
        ...

    def foresee(self, numbers: Sequence[int]) -> None:
        """These are asked for next; a store may fetch them at once."""
        ...


class _Nowhere:
    def load(self, number: int) -> Terminal | Fork:
        raise StoreBroken(store="registry", rule=f"a store that holds node {number}")

    def foresee(self, numbers: Sequence[int]) -> None:
        """Nothing lies here."""


class PrefixTree:
    """A set of pairs and its root. Immutable: `insert` gives another tree."""

    def __init__(self, rules: Rules = OURS) -> None:
        self._rules = rules
        self._nodes: Nodes = _Nowhere()
        self._top: Node = None
        self._size = 0

    @classmethod
    def stored(cls, top: Stored | None, size: int, nodes: Nodes, rules: Rules = OURS) -> "PrefixTree":
        """A tree of `size` pairs that lies in a store; nothing is loaded yet."""
        tree = cls(rules)
        tree._top, tree._size, tree._nodes = top, size, nodes
        return tree

    @property
    def root(self) -> Digest:
        """Depends on the pairs, not on their order of arrival; the empty value if there is none."""
        return self._digest(self._top)

    @property
    def size(self) -> int:
        """Pairs."""
        return self._size

    def insert(self, pairs: Iterable[Pair]) -> "PrefixTree":
        """The tree with these pairs too; this one stays as it is.

        Raises:
            DigestLength: an index or a commitment has not 32 bytes.
            FieldMismatch: an index is there already, or twice among the pairs.
        """
        ordered = sorted((as_digest(i, "registry.index"), as_digest(c, "registry.commitment")) for i, c in pairs)
        new = [(RegistryIndex(i), Commitment(c)) for i, c in ordered]
        for (before, _), (index, _) in pairwise(new):
            if before == index:
                raise _taken(index)
        if isinstance(self._top, Stored):
            self._foresee(new)
        grown = PrefixTree(self._rules)
        grown._top = self._inserted(self._top, new, 0)
        grown._size, grown._nodes = self._size + len(new), self._nodes
        return grown

    def get(self, index: RegistryIndex) -> Commitment | None:
        """What stands at `index`, if anything does."""
        terminal = self.prove(index).terminal
        return terminal.value if terminal is not None and terminal.key == index else None

    def prove(self, index: RegistryIndex) -> RegistryProof:
        """Where `index` leads: evidence of its presence or of its absence.

        Raises:
            DigestLength: not 32 bytes.
        """
        index = RegistryIndex(as_digest(index, "registry.index"))
        path: list[Digest] = []
        node = self._loaded(self._top)
        while isinstance(node, Branch):
            right = _bit(index, len(path))
            path.append(self._digest(node.left if right else node.right))
            node = self._loaded(node.right if right else node.left)
        terminal = None if node is None else Terminal(node.index, node.commitment)
        return RegistryProof(terminal, tuple(reversed(path)))

    def pairs(self) -> Iterator[Pair]:
        """All pairs, ascending."""
        waiting = [self._top]
        while waiting:
            node = self._loaded(waiting.pop())
            if isinstance(node, Branch):
                waiting += (node.right, node.left)
            elif node is not None:
                yield node.index, node.commitment

    def keep(self, add: Callable[[Terminal | Fork], int]) -> Stored | None:
        """Give `add` each node that lies in no store yet, children first; it answers with the node's number."""
        return _kept(self._top, add)

    def _foresee(self, pairs: Sequence[Pair]) -> None:
        """Have the store fetch what `_inserted` will load: one question a level, not one a node."""
        level: list[tuple[Node, Sequence[Pair]]] = [(self._top, pairs)]
        depth = 0
        while level:
            self._nodes.foresee([node.number for node, _ in level if isinstance(node, Stored)])
            below: list[tuple[Node, Sequence[Pair]]] = []
            for node, some in level:
                found = self._nodes.load(node.number) if isinstance(node, Stored) else node  # not believed yet
                if isinstance(found, Fork | Branch):
                    middle = _middle(some, depth)
                    below += ((found.left, some[:middle]), (found.right, some[middle:]))
            level = [(node, some) for node, some in below if some and node is not None]
            depth += 1

    def _inserted(self, node: Node, pairs: Sequence[Pair], depth: int) -> Node:
        """`node`, whose prefix has `depth` bits, with `pairs`, which ascend and share that prefix."""
        if not pairs:
            return node
        node = self._loaded(node)
        if isinstance(node, Leaf):
            if any(index == node.index for index, _ in pairs):
                raise _taken(node.index)
            pairs, node = sorted([*pairs, (node.index, node.commitment)]), None
        if node is None and len(pairs) == 1:
            return self._leaf(*pairs[0])
        middle = _middle(pairs, depth)
        left = self._inserted(node and node.left, pairs[:middle], depth + 1)
        right = self._inserted(node and node.right, pairs[middle:], depth + 1)
        return self._branch(left, right)

    def _loaded(self, node: Node) -> Leaf | Branch | None:
        if not isinstance(node, Stored):
            return node
        found = self._nodes.load(node.number)
        loaded = self._leaf(*found) if isinstance(found, Terminal) else self._branch(*found)
        if loaded.digest != node.digest:
            raise StoreBroken(store="registry", rule=f"node {node.number} hashes to {node.digest.hex()}")
        return loaded

    def _leaf(self, index: RegistryIndex, commitment: Commitment) -> Leaf:
        return Leaf(self._rules.leaf(index, commitment), index, commitment)

    def _branch(self, left: Node, right: Node) -> Branch:
        return Branch(self._rules.node(self._digest(left), self._digest(right)), left, right)

    def _digest(self, node: Node) -> Digest:
        return Digest(self._rules.empty) if node is None else node.digest


def tree_root(pairs: Mapping[bytes, bytes] | Iterable[tuple[bytes, bytes]], rules: Rules = OURS) -> Digest:
    """The root of the tree that holds exactly these keys of 32 bytes with these values of 32 bytes.

    Raises:
        DigestLength: a key or a value has not 32 bytes.
        FieldMismatch: a key twice.
        FieldMalformed: no pairs.
    """
    listed: object = pairs.items() if isinstance(pairs, Mapping) else pairs
    if not isinstance(listed, Iterable):
        raise FieldMalformed(field="registry.pairs", rule="a map, or pairs of key and value")
    return PrefixTree(as_rules(rules)).insert(map(_as_pair, listed)).root


def _as_pair(item: object) -> Pair:
    pair = as_sequence(item, "registry.pairs")
    if len(pair) != 2:
        raise FieldMalformed(field="registry.pairs", rule="pairs of key and value")
    key, value = as_digest(pair[0], "registry.index"), as_digest(pair[1], "registry.commitment")
    return RegistryIndex(key), Commitment(value)


def _kept(node: Node, add: Callable[[Terminal | Fork], int]) -> Stored | None:
    if node is None or isinstance(node, Stored):
        return node
    if isinstance(node, Leaf):
        return Stored(node.digest, add(Terminal(node.index, node.commitment)))
    return Stored(node.digest, add(Fork(_kept(node.left, add), _kept(node.right, add))))


def _bit(index: bytes, depth: int) -> int:
    return index[depth >> 3] >> 7 - (depth & 7) & 1


def _middle(pairs: Sequence[Pair], depth: int) -> int:
    """Where those begin that go right at this depth."""
    return bisect_left(pairs, 1, key=lambda pair: _bit(pair[0], depth))


def _taken(index: RegistryIndex) -> FieldMismatch:
    return FieldMismatch(field="registry.index", expected="absent", got=index.hex())
