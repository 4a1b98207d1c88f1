"""What an epoch adds to the registry, padded so that nobody counts, and how an auditor replays it (SPEC §9.5).

The registry itself is a tree that only grows and whose old roots stay provable: built in `core/prefix_tree.py`,
verified in `core/registry_proof.py`, both named here too. Source: SPEC §9.1, §9.5.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count, islice, pairwise
from typing import Final, Self

from hybrid_bridge.core.encoding import Reader, Writer, context
from hybrid_bridge.core.ladder import highest, lowest, rung
from hybrid_bridge.core.prefix_tree import Pair, PrefixTree, tree_root
from hybrid_bridge.core.registry_proof import OURS, RegistryProof, Rules, Terminal, verify
from hybrid_bridge.core.secret import Secret
from hybrid_bridge.errors import FieldMalformed, RootMismatch, TooLong
from hybrid_bridge.units import Commitment, Digest, EpochNumber, LogId, RegistryIndex

__all__ = [
    "OURS", "Delta", "Pair", "PrefixTree", "RegistryProof", "Rules", "Terminal", "apply_delta", "dummies",
    "genesis_tree", "pad_insertions", "tree_root", "verify",
]  # fmt: skip

MAX_DELTA: Final = 2**20  # the highest rung a registry ladder can have
GENESIS_EPOCH: Final = EpochNumber(0)


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
