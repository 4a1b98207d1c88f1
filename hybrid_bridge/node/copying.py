"""How a member without the validators' secret gets closed epochs: copied from a validator, believed from a quorum.

What its own blocks tell is checked one by one: block range, entries, governance, what the registry may gain. What only
the secret shows (which decoys, which dummies, the blind) it takes because a quorum signed the checkpoint.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hybrid_bridge.adapters.grpc_member.peer import GrpcPeer
from hybrid_bridge.adapters.sqlite.epochs import ClosedEpoch
from hybrid_bridge.core.batch import verify_batch
from hybrid_bridge.core.checkpoint import parse_note
from hybrid_bridge.core.entry import ENTRY_BYTES, DecoyEntry, decode_entry
from hybrid_bridge.core.epoch import EpochRecord, verify_first, verify_next
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.registry import Pair, PrefixTree
from hybrid_bridge.core.tree import Tree
from hybrid_bridge.errors import BridgeError, FieldMalformed, FieldMismatch, NotYet, RootMismatch
from hybrid_bridge.node.closing import Closer
from hybrid_bridge.node.directory import Directory
from hybrid_bridge.node.logbook import PAIR_BYTES, LogBook, split_pairs
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.steps.batch import EpochBlocks
from hybrid_bridge.units import Digest, EpochNumber, LeafIndex, TreeSize


@dataclass(frozen=True, slots=True)
class _Copied:
    record: EpochRecord
    row: ClosedEpoch
    registry: PrefixTree


class Copier:
    """Copies epochs from validators."""

    def __init__(
        self, closer: Closer, logbook: LogBook, directory: Directory, sources: Callable[[], Sequence[GrpcPeer]]
    ) -> None:
        """`sources`: the validators of today."""
        self._closer, self._logbook = closer, logbook
        self._directory, self._sources = directory, sources
        self._turn = 0

    def copy_next(self) -> None:
        """Copy what is new from one validator; the next call asks the next one.

        Raises:
            BridgeError: it has nothing new (`NotYet`), is silent, or sent what does not fit.
        """
        sources = self._sources()
        if not sources:
            raise NotYet(what="a validator to copy from")
        source = sources[self._turn % len(sources)]
        try:
            self._copy_from(source)
        except BridgeError:
            self._turn += 1
            raise

    def _copy_from(self, source: GrpcPeer) -> None:
        first = EpochNumber(int(self._logbook.size))
        self._closer.blocks_of(first)  # raises NotYet while the epoch is not over
        noted = source.log.checkpoint(TreeSize(first + 1))
        message = next(iter(source.epochs(first, first)), None)
        if message is None:
            raise NotYet(what=f"epoch {first}")
        copied = self._checked(first, message)
        root = self._root_with(copied)
        self._require_quorum(noted.note, TreeSize(first + 1), root)
        self._logbook.append(copied.row, copied.registry)

    def _checked(self, epoch: EpochNumber, message: pb.EpochMessage) -> _Copied:
        """(1) record after ours (2) blocks, governance as ours (3) batch holds our entries and decoys (4) registry."""
        record, blocks = EpochRecord.decode(message.record), self._closer.blocks_of(epoch)
        previous = self._logbook.newest
        if previous is None:
            verify_first(self._directory.genesis, record)
        else:
            verify_next(self._directory.genesis, previous, record)
        _require_own_blocks(record, blocks)
        _require_own_entries(record, blocks, message.entries)
        registry = self._logbook.registry(EpochNumber(epoch - 1)).insert(_pairs(message.pairs))
        if registry.root != record.registry_root:
            raise RootMismatch(expected=record.registry_root, calculated=registry.root)
        for index, commitment in blocks.identity_ops:
            if registry.get(index) is None:  # another pair may stand there: the index was taken (`free_pairs`)
                raise FieldMismatch(field="registry", expected=commitment.hex(), got="nothing")
        row = ClosedEpoch(
            number=epoch,
            end_block=record.end_block,
            record=message.record,
            entries=message.entries,
            pairs=message.pairs,
        )
        return _Copied(record, row, registry)

    def _root_with(self, copied: _Copied) -> Digest:
        tree, size = Tree(), self._logbook.size
        tree.extend(self._logbook.leaf(LeafIndex(index)) for index in range(size))
        tree.append(leaf_hash(copied.row.record))
        return tree.root()

    def _require_quorum(self, text: str, size: TreeSize, root: Digest) -> None:
        """Raise unless a quorum signed exactly this root."""
        note = parse_note(text, origin=self._directory.origin)
        if note.size != size or note.root != root:
            raise RootMismatch(expected=note.root, calculated=root)
        self._directory.require_quorum(note)


def _require_own_blocks(record: EpochRecord, blocks: EpochBlocks) -> None:
    for field, expected, got in (
        ("end_block", blocks.end_block, record.end_block),
        ("governance_size", blocks.governance_size, record.governance_size),
        ("governance_root", blocks.governance_root, record.governance_root),
        ("last_block_hash", blocks.last_block_hash or record.last_block_hash, record.last_block_hash),
    ):
        if expected != got:
            raise FieldMismatch(field=field, expected=str(expected), got=str(got))


def _require_own_entries(record: EpochRecord, blocks: EpochBlocks, data: bytes) -> None:
    if len(data) % ENTRY_BYTES:
        raise FieldMalformed(field="entries", rule=f"{ENTRY_BYTES} bytes each")
    entries = [data[at : at + ENTRY_BYTES] for at in range(0, len(data), ENTRY_BYTES)]
    verify_batch(entries, record.batch_size, record.batch_root)
    real = {entry for entry in entries if not isinstance(decode_entry(entry), DecoyEntry)}
    if real != set(blocks.entries):
        raise FieldMismatch(field="entries", expected="those of our own blocks", got="others")


def _pairs(data: bytes) -> list[Pair]:
    if len(data) % PAIR_BYTES:
        raise FieldMalformed(field="pairs", rule=f"{PAIR_BYTES} bytes each")
    return split_pairs(data)
