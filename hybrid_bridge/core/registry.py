"""Build the registry: labels present or absent, in a tree that only grows and whose old roots stay provable.

A tree never changes: `insert` copies the paths it touches and shares the rest, so every epoch keeps its own tree at
the price of its own insertions. Verifying is written elsewhere, `core/registry_proof.py`, and only named here.
Source: SPEC §9.1, §9.5.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, islice, pairwise
from typing import Final, Self, TypeAlias

from hybrid_bridge.core.encoding import Reader, Writer, context
from hybrid_bridge.core.ladder import highest, lowest, rung
from hybrid_bridge.core.proof import as_digest
from hybrid_bridge.core.registry_proof import OURS, RegistryProof, Rules, Terminal, verify
from hybrid_bridge.core.secret import Secret
from hybrid_bridge.errors import FieldMalformed, FieldMismatch, RootMismatch, TooLong
from hybrid_bridge.units import Commitment, Digest, EpochNumber, LogId, RegistryIndex

__all__ = [
    "OURS", "Delta", "Pair", "PrefixTree", "RegistryProof", "Rules", "Terminal", "apply_delta", "dummies",
    "genesis_tree", "pad_insertions", "tree_root", "verify",
]  # fmt: skip

Pair: TypeAlias = tuple[RegistryIndex, Commitment]

MAX_DELTA: Final = 2**20  # the highest rung a registry ladder can have
GENESIS_EPOCH: Final = EpochNumber(0)


# ── the tree ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Leaf:
    digest: Digest
    index: RegistryIndex
    commitment: Commitment


@dataclass(frozen=True, slots=True)
class _Branch:
    digest: Digest
    left: "_Node"
    right: "_Node"


_Node: TypeAlias = _Leaf | _Branch | None


class PrefixTree:
    """A set of pairs and its root. Immutable: `insert` gives another tree."""

    def __init__(self, rules: Rules = OURS) -> None:
        self._rules = rules
        self._top: _Node = None
        self._size = 0

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
        for index, _ in new:
            if self.get(index) is not None:
                raise _taken(index)
        grown = PrefixTree(self._rules)
        grown._top = self._inserted(self._top, new, 0)
        grown._size = self._size + len(new)
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
        as_digest(index, "registry.index")
        path: list[Digest] = []
        node = self._top
        while isinstance(node, _Branch):
            right = _bit(index, len(path))
            path.append(self._digest(node.left if right else node.right))
            node = node.right if right else node.left
        terminal = None if node is None else Terminal(node.index, node.commitment)
        return RegistryProof(terminal, tuple(reversed(path)))

    def pairs(self) -> Iterator[Pair]:
        """All pairs, ascending."""
        waiting = [self._top]
        while waiting:
            node = waiting.pop()
            if isinstance(node, _Branch):
                waiting += (node.right, node.left)
            elif node is not None:
                yield node.index, node.commitment

    def _inserted(self, node: _Node, pairs: Sequence[Pair], depth: int) -> _Node:
        """`node`, whose prefix has `depth` bits, with `pairs`, which ascend and share that prefix."""
        if not pairs:
            return node
        if isinstance(node, _Leaf):
            pairs, node = sorted([*pairs, (node.index, node.commitment)]), None
        if node is None and len(pairs) == 1:
            index, commitment = pairs[0]
            return _Leaf(self._rules.leaf(index, commitment), index, commitment)
        middle = bisect_left(pairs, 1, key=lambda pair: _bit(pair[0], depth))
        left = self._inserted(node and node.left, pairs[:middle], depth + 1)
        right = self._inserted(node and node.right, pairs[middle:], depth + 1)
        return _Branch(self._rules.node(self._digest(left), self._digest(right)), left, right)

    def _digest(self, node: _Node) -> Digest:
        return Digest(self._rules.empty) if node is None else node.digest


def tree_root(pairs: Mapping[bytes, bytes] | Iterable[tuple[bytes, bytes]], rules: Rules = OURS) -> Digest:
    """The root of the tree that holds exactly these keys of 32 bytes with these values of 32 bytes.

    Raises:
        DigestLength: a key or a value has not 32 bytes.
        FieldMismatch: a key twice.
    """
    listed = pairs.items() if isinstance(pairs, Mapping) else pairs
    return PrefixTree(rules).insert((RegistryIndex(key), Commitment(value)) for key, value in listed).root


def _bit(index: bytes, depth: int) -> int:
    return index[depth >> 3] >> 7 - (depth & 7) & 1


def _taken(index: RegistryIndex) -> FieldMismatch:
    return FieldMismatch(field="registry.index", expected="absent", got=index.hex())


# ── an epoch's insertions ────────────────────────────────────────────────────────────────────────────────────────────


def dummies(secret: Secret, epoch: EpochNumber, count: int) -> list[Pair]:
    """The first `count` dummies of an epoch."""
    return [secret.dummy(epoch, i) for i in range(count)]


def pad_insertions(
    secret: Secret, epoch: EpochNumber, pairs: Sequence[Pair], ladder: int, tree: PrefixTree | None = None
) -> list[Pair]:
    """An epoch's real pairs and dummies up to the next rung, ascending: nobody counts the labels (SPEC §9.5).

    A dummy whose index stands in `tree` or among `pairs` is passed over: who holds the secret could have put it there.

    Raises:
        TooLong: more pairs than the highest rung.
    """
    taken = {index for index, _ in pairs}
    free = (
        dummy
        for dummy in (secret.dummy(epoch, i) for i in count())
        if dummy[0] not in taken and (tree is None or tree.get(dummy[0]) is None)
    )
    return sorted([*pairs, *islice(free, rung(ladder, len(pairs)) - len(pairs))])


def genesis_tree(secret: Secret, ladder: int) -> PrefixTree:
    """Epoch 0: one lowest rung of dummies. Its root stands in the genesis record."""
    return PrefixTree().insert(dummies(secret, GENESIS_EPOCH, lowest(ladder)))


# ── the delta for auditors ───────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """What one epoch inserted, dummies and all; an auditor replays it on his own copy.

    Raises:
        FieldMalformed: pairs that do not ascend strictly.
    """

    log_id: LogId
    epoch: EpochNumber
    old_root: Digest
    new_root: Digest
    pairs: tuple[Pair, ...]

    def __post_init__(self) -> None:
        for (before, _), (index, _) in pairwise(self.pairs):
            if index <= before:
                raise FieldMalformed(field="delta.pairs", rule="strictly ascending by index")

    def encode(self) -> bytes:
        """CTX("registry-delta") ‖ log_id ‖ u64 e ‖ old root ‖ new root ‖ u32 count ‖ pairs."""
        writer = Writer(context("registry-delta")).b32(self.log_id, "delta.log_id").u64(self.epoch, "delta.epoch")
        writer.b32(self.old_root, "delta.old_root").b32(self.new_root, "delta.new_root")
        writer.u32(len(self.pairs), "delta.count")
        for index, commitment in self.pairs:
            writer.b32(index, "delta.index").b32(commitment, "delta.commitment")
        return writer.bytes()

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The inverse of `encode`.

        Raises:
            Truncated, TrailingBytes, TooLong, FieldMalformed: no delta.
        """
        reader = Reader(data)
        tag = context("registry-delta")
        if reader.fixed(len(tag), "delta") != tag:
            raise FieldMalformed(field="delta", rule="begins with its context")
        log_id, epoch = LogId(reader.b32("delta.log_id")), EpochNumber(reader.u64("delta.epoch"))
        old_root, new_root = reader.b32("delta.old_root"), reader.b32("delta.new_root")
        count = reader.u32("delta.count")
        if count > MAX_DELTA:
            raise TooLong(field="delta.pairs", limit=MAX_DELTA, got=count)
        pairs = tuple(
            (RegistryIndex(reader.b32("delta.index")), Commitment(reader.b32("delta.commitment"))) for _ in range(count)
        )
        reader.end("delta")
        return cls(log_id=log_id, epoch=epoch, old_root=old_root, new_root=new_root, pairs=pairs)


def apply_delta(tree: PrefixTree, delta: Delta, ladder: int) -> PrefixTree:
    """The tree after `delta`, if it only adds, adds a rung, and both roots are those it names (SPEC §9.5).

    Raises:
        FieldMalformed: the count is no rung of the registry ladder.
        RootMismatch: this is not the tree it starts from, or the new root does not follow.
        FieldMismatch: an index was there before.
    """
    count = len(delta.pairs)
    if count == 0 or count > highest(ladder) or rung(ladder, count) != count:
        raise FieldMalformed(field="delta.pairs", rule="a rung of the registry ladder")
    if tree.root != delta.old_root:
        raise RootMismatch(expected=delta.old_root, calculated=tree.root)
    grown = tree.insert(delta.pairs)
    if grown.root != delta.new_root:
        raise RootMismatch(expected=delta.new_root, calculated=grown.root)
    return grown
