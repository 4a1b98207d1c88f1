"""Recompute the registry from its deltas: insertions only, whole rungs only, nothing vanished, epoch after epoch.

An auditor holds what every epoch inserted and nothing that a record says: index and commitment hide label and value.
He believes no delta and no epoch record. The records are the leaves of the log whose root a quorum signed and a public
chain holds, so their own tree decides which they are; each delta must lead from one record's registry root to the next.
Source: SPEC §9.5.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from hybrid_bridge.core.epoch import EpochRecord, verify_epoch, verify_first, verify_next
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.ladder import lowest
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.registry import GENESIS_EPOCH, Delta, Pair, PrefixTree, apply_delta
from hybrid_bridge.core.tree import Tree
from hybrid_bridge.errors import BridgeError, FieldMismatch, RootMismatch
from hybrid_bridge.units import Digest, EpochNumber, LeafIndex, TreeSize


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditMark:
    """How far an audit has come; enough to go on later, if the pairs so far are brought again."""

    epoch: EpochNumber
    registry_root: Digest
    log_root: Digest  # of size epoch + 1
    insertions: int  # pairs so far, dummies included


class Audit:
    """One log's registry, replayed. Feed `take` each epoch in order, from the genesis dummies on."""

    def __init__(self, genesis: Genesis) -> None:
        self._genesis = genesis
        self._log = Tree()
        self._registry = PrefixTree()
        self._previous: EpochRecord | None = None

    @property
    def next_epoch(self) -> EpochNumber:
        """Which epoch comes next; 0 is the founding."""
        return EpochNumber(self._log.size)

    @property
    def mark(self) -> AuditMark:
        """Where the audit stands, after at least one `take`."""
        return AuditMark(
            epoch=EpochNumber(self._log.size - 1),
            registry_root=self._registry.root,
            log_root=self._log.root(),
            insertions=self._registry.size,
        )

    def take(self, record: bytes, delta: Delta) -> None:
        """Replay the next epoch.

        Args:
            record: the epoch record; for epoch 0 the genesis record.
            delta: what it inserted.

        Raises:
            Malformed: no record, or not the rung that the ladder asks for.
            Refuted: of another log or epoch, not following the epoch before, a root that is not the record's, an index
                that was there before. The error's notes name the epoch.
        """
        epoch = self.next_epoch
        try:
            root = self._expected_root(record, epoch)
            self._require_delta(delta, epoch, root)
            self._registry = apply_delta(self._registry, delta, self._genesis.registry_ladder)
        except BridgeError as error:
            error.add_note(f"epoch {epoch} of the registry")
            raise
        self._log.append(leaf_hash(record))
        self._previous = None if epoch == GENESIS_EPOCH else EpochRecord.decode(record)

    def resume(self, mark: AuditMark, records: Iterable[bytes], pairs: Iterable[Pair]) -> None:
        """Go on where an earlier audit stopped, without replaying it: the set of pairs alone makes the root.

        Args:
            mark: of the auditor's own keeping.
            records: epochs 0 … mark.epoch.
            pairs: everything that these epochs inserted, in any order.

        Raises:
            FieldMismatch: fewer or more records than the mark says, or an index twice.
            RootMismatch: records or pairs are not those that were audited: a second history.
        """
        last = b""
        for record in records:
            self._log.append(leaf_hash(record))
            last = record
        _equal("audit.records", str(mark.epoch + 1), str(self._log.size))
        _same_root(mark.log_root, self._log.root())
        self._registry = PrefixTree().insert(pairs)
        self._previous = None if mark.epoch == GENESIS_EPOCH else EpochRecord.decode(last)
        recorded = self._genesis if self._previous is None else self._previous
        _same_root(recorded.registry_root, self._registry.root)  # a mark may be anybody's
        _same_root(mark.registry_root, self._registry.root)

    def finish(self, size: TreeSize, root: Digest) -> None:
        """Return if the records are the leaves of the checkpoint that a quorum signed.

        Raises:
            FieldMismatch: another number of epochs.
            RootMismatch: other records.
        """
        _equal("audit.epochs", str(size), str(self._log.size))
        _same_root(root, self._log.root())

    def _expected_root(self, record: bytes, epoch: EpochNumber) -> Digest:
        """The registry root that the record commits to, once it is seen to be this epoch's record of this log."""
        if epoch == GENESIS_EPOCH:
            _equal("audit.genesis", self._genesis.encode().hex(), record.hex())
            return self._genesis.registry_root
        decoded = EpochRecord.decode(record)
        verify_epoch(self._genesis, LeafIndex(epoch), decoded)
        if self._previous is None:
            verify_first(self._genesis, decoded)
        else:
            verify_next(self._genesis, self._previous, decoded)
        return decoded.registry_root

    def _require_delta(self, delta: Delta, epoch: EpochNumber, root: Digest) -> None:
        _equal("delta.log_id", self._genesis.log_id.hex(), delta.log_id.hex())
        _equal("delta.epoch", str(epoch), str(delta.epoch))
        if epoch == GENESIS_EPOCH:
            _equal("delta.count", str(lowest(self._genesis.registry_ladder)), str(len(delta.pairs)))
        _same_root(root, delta.new_root)


def _equal(field: str, expected: str, got: str) -> None:
    if expected != got:
        raise FieldMismatch(field=field, expected=expected, got=got)


def _same_root(expected: Digest, calculated: Digest) -> None:
    if expected != calculated:
        raise RootMismatch(expected=expected, calculated=calculated)
