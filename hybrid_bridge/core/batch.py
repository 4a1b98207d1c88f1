"""An epoch's entries, sorted and padded with decoys up to a rung: who sees the batch learns neither count nor order.

Source: SPEC §6.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import pairwise

from hybrid_bridge.core.absence import Absence, Neighbour
from hybrid_bridge.core.entry import DecoyEntry, decode_entry, entry_leaf
from hybrid_bridge.core.ladder import rung
from hybrid_bridge.core.secret import Secret
from hybrid_bridge.core.tree import Tree
from hybrid_bridge.errors import FieldMalformed, FieldMismatch, RootMismatch, Unknown
from hybrid_bridge.units import Digest, EpochNumber, LeafIndex, TreeSize

__all__ = ["Batch", "build_batch", "rung", "verify_batch", "verify_decoys"]


class Batch:
    """Entries strictly ascending by their leaf, and the tree over them. Immutable."""

    def __init__(self, entries: Iterable[bytes]) -> None:
        self.entries = tuple(entries)
        self.leaves = tuple(entry_leaf(entry) for entry in self.entries)
        if any(after <= before for before, after in pairwise(self.leaves)):
            raise FieldMalformed(field="batch.entries", rule="strictly ascending by LEAF(entry)")
        self._tree = Tree()
        self._tree.extend(self.leaves)

    @property
    def size(self) -> TreeSize:
        """Entries, decoys included."""
        return self._tree.size

    @property
    def root(self) -> Digest:
        """The batchRoot."""
        return self._tree.root()

    def path(self, index: LeafIndex) -> tuple[Digest, ...]:
        """From the entry at `index` up to the root.

        Raises:
            IndexBeyondSize: not 0 <= index < size.
        """
        return tuple(self._tree.inclusion_path(index, self.size))

    def index_of(self, leaf: Digest) -> LeafIndex:
        """Where LEAF(entry) stands.

        Raises:
            Unknown: nowhere.
        """
        index = bisect_left(self.leaves, leaf)
        if self.leaves[index : index + 1] != (leaf,):
            raise Unknown(what="an entry of this batch")
        return LeafIndex(index)

    def absence(self, leaf: Digest) -> Absence:
        """Evidence that LEAF(entry) stands nowhere.

        Raises:
            FieldMismatch: it stands here.
        """
        index = bisect_left(self.leaves, leaf)
        if self.leaves[index : index + 1] == (leaf,):
            raise FieldMismatch(field="batch.leaf", expected="absent", got=leaf.hex())
        return Absence(leaf, self._neighbour(index - 1), self._neighbour(index))

    def _neighbour(self, index: int) -> Neighbour | None:
        if not 0 <= index < self.size:
            return None
        return Neighbour(self.leaves[index], LeafIndex(index), self.path(LeafIndex(index)))


def build_batch(secret: Secret, epoch: EpochNumber, entries: Sequence[bytes], ladder: int) -> Batch:
    """The batch of an epoch from what its final blocks yielded: records, refusals and derived records, in any order.

    Of equal entries one is kept.

    Raises:
        Malformed: one of `entries` is no entry, or is a decoy.
        TooLong: more entries than the highest rung; the ledger should have stopped at it.
    """
    real = set(entries)
    if any(isinstance(decode_entry(entry), DecoyEntry) for entry in real):
        raise FieldMalformed(field="batch.entries", rule="records and refusals")
    missing = rung(ladder, len(real)) - len(real)
    decoys = (secret.decoy_entry(epoch, i) for i in range(missing))
    return Batch(sorted([*real, *decoys], key=entry_leaf))


# ── for whoever holds a batch ────────────────────────────────────────────────────────────────────────────────────────


def verify_batch(entries: Sequence[bytes], size: TreeSize, root: Digest) -> Batch:
    """The batch, if these entries are the one an epoch record commits to.

    Raises:
        Malformed: an entry breaks its layout, or they do not ascend.
        FieldMismatch, RootMismatch: another size, another root.
    """
    batch = Batch(entries)
    if batch.size != size:
        raise FieldMismatch(field="batch.size", expected=str(size), got=str(batch.size))
    if batch.root != root:
        raise RootMismatch(expected=root, calculated=batch.root)
    return batch


def verify_decoys(secret: Secret, epoch: EpochNumber, batch: Batch) -> None:
    """Return if every decoy of the batch is the validators' own, so that no record hides among them.

    Raises:
        FieldMismatch: a decoy is not of the sequence that the secret gives.
    """
    shown = {entry for entry in batch.entries if isinstance(decode_entry(entry), DecoyEntry)}
    expected = {secret.decoy_entry(epoch, i) for i in range(len(shown))}
    if foreign := shown - expected:
        raise FieldMismatch(field="batch.decoy", expected="an output of the secret", got=min(foreign).hex())
