"""The epoch record: log leaf e for every epoch e >= 1. It says what a fixed slice of the clock holds.

Its index is its number, so that the size of the log is a clock. A record that was missed is written later, with the
time at which it was due. Source: SPEC §7.2.
"""

from dataclasses import dataclass
from typing import Final, Self

from hybrid_bridge.core.encoding import ZERO
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.words import WordRecord
from hybrid_bridge.errors import FieldMalformed, FieldMismatch
from hybrid_bridge.units import (
    ChainId,
    Digest,
    EpochNumber,
    Height,
    LeafIndex,
    LogId,
    PublicBlockHash,
    PublicBlockNumber,
    SetId,
    TreeSize,
    UnixSeconds,
)

EPOCH_TYPE: Final = (
    "HybridBridge.Epoch.v1(bytes32 logId,uint64 epoch,uint64 firstBlock,uint64 endBlock,bytes32 lastBlockHash,"
    "uint64 batchSize,bytes32 batchRoot,bytes32 registryRoot,uint64 governanceSize,bytes32 governanceRoot,"
    "uint64 setId,bytes32 setHash,uint64 publicChainId,uint64 publicBlockNumber,bytes32 publicBlockHash,"
    "uint64 closedAt,uint64 flags,bytes32 statsCommitment,bytes32 blind)"
)
EPOCH: Final = WordRecord(EPOCH_TYPE)
BRAKE_ON: Final = 1  # flags, bit 0
NO_CHAIN, NO_NUMBER, NO_HASH = (
    ChainId(0),
    PublicBlockNumber(0),
    PublicBlockHash(ZERO),
)  # no beacon in the epoch's blocks


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochRecord:
    """20 words, 640 bytes; in the order of its type string.

    Raises:
        WordMalformed: a word outside what it may be in any log; `index` is that of the word.
    """

    log_id: LogId
    epoch: EpochNumber
    first_block: Height
    end_block: Height  # the first block of the next epoch
    last_block_hash: Digest
    batch_size: TreeSize
    batch_root: Digest
    registry_root: Digest
    governance_size: TreeSize
    governance_root: Digest
    set_id: SetId  # the set responsible for the checkpoint of size epoch + 1
    set_hash: Digest
    public_chain_id: ChainId = NO_CHAIN  # the last beacon, or all three zero: none
    public_block_number: PublicBlockNumber = NO_NUMBER
    public_block_hash: PublicBlockHash = NO_HASH
    closed_at: UnixSeconds
    flags: int = 0
    stats_commitment: Digest
    blind: Digest

    def __post_init__(self) -> None:
        EPOCH.require(holds=self.epoch >= 1, name="epoch")
        EPOCH.require(holds=self.end_block >= self.first_block, name="end_block")
        EPOCH.require(holds=self.batch_size.bit_count() == 1, name="batch_size")
        EPOCH.require(holds=any(self.registry_root), name="registry_root")
        EPOCH.require(holds=self.governance_size >= 1, name="governance_size")
        EPOCH.require(holds=self.set_id >= 1, name="set_id")
        beacon = self.public_chain_id > 0
        EPOCH.require(holds=(self.public_block_number > 0) == beacon, name="public_block_number")
        EPOCH.require(holds=any(self.public_block_hash) == beacon, name="public_block_hash")
        EPOCH.require(holds=self.flags in {0, BRAKE_ON}, name="flags")

    def encode(self) -> bytes:
        """640 bytes.

        Raises:
            WordMalformed: an attribute does not fit its word.
        """
        return EPOCH.encode(self)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The inverse of `encode`.

        Raises:
            RecordMalformed: not 640 bytes.
            WordMalformed: as the class; index 0 for a record of another type.
        """
        return cls(**EPOCH.decode(data))

    @property
    def leaf(self) -> Digest:
        """LEAF(record): the leaf hash in the log."""
        return leaf_hash(self.encode())


# ── the clock ────────────────────────────────────────────────────────────────────────────────────────────────────────


def closed_at(genesis: Genesis, epoch: EpochNumber) -> UnixSeconds:
    """When `epoch` ends: genesisTime + e·cadence, never a wall clock."""
    return UnixSeconds(genesis.genesis_time + epoch * genesis.cadence)


def epoch_of(genesis: Genesis, time: UnixSeconds) -> EpochNumber:
    """The epoch in which `time` lies: ⌊(time − genesisTime)/cadence⌋ + 1 (SPEC §5).

    Raises:
        FieldMalformed: before the start of epoch 1.
    """
    if time < genesis.genesis_time:
        raise FieldMalformed(field="time", rule="not before the genesis time")
    return EpochNumber((time - genesis.genesis_time) // genesis.cadence + 1)


def checkpoint_timestamp(genesis: Genesis, tree_size: TreeSize) -> UnixSeconds:
    """See `Genesis.checkpoint_timestamp`."""
    return genesis.checkpoint_timestamp(tree_size)


# ── a record against its log ─────────────────────────────────────────────────────────────────────────────────────────


def verify_epoch(genesis: Genesis, index: LeafIndex, record: EpochRecord) -> None:
    """Return if `record` may stand at log leaf `index` under this genesis, whatever stands before it.

    Raises:
        FieldMismatch: another log, an epoch that is not its index, or a time off the clock.
        FieldMalformed: a batch size that is no rung of the ladder.
    """
    _equal("epoch.log_id", genesis.log_id.hex(), record.log_id.hex())
    _equal("epoch.epoch", index, record.epoch)
    _equal("epoch.closed_at", closed_at(genesis, record.epoch), record.closed_at)
    if record.batch_size & genesis.batch_ladder == 0:
        raise FieldMalformed(field="epoch.batch_size", rule="a rung of the batch ladder")


def verify_first(genesis: Genesis, record: EpochRecord) -> None:
    """Return if `record` may be epoch 1: it follows the genesis record.

    Raises:
        FieldMalformed, FieldMismatch: as `verify_epoch`.
        FieldMismatch: it does not begin at the first block, or under the first set.
    """
    verify_epoch(genesis, LeafIndex(1), record)
    _equal("epoch.first_block", genesis.first_block, record.first_block)
    _equal("epoch.set_id", 1, record.set_id)
    _equal("epoch.set_hash", genesis.set_hash.hex(), record.set_hash.hex())
    if record.end_block == record.first_block:
        _equal("epoch.last_block_hash", genesis.ledger_id.hex(), record.last_block_hash.hex())
    if record.governance_size == 1:
        _equal("epoch.governance_root", genesis.log_id.hex(), record.governance_root.hex())


def verify_next(genesis: Genesis, older: EpochRecord, newer: EpochRecord) -> None:
    """Return if `newer` may follow `older` directly.

    That the governance tree and the registry only grew is for their own proofs: this compares the records' words.

    Raises:
        FieldMalformed, FieldMismatch: as `verify_epoch`.
        FieldMismatch: blocks with a gap or twice, a governance tree that shrank, a set that did not follow.
    """
    verify_epoch(genesis, LeafIndex(older.epoch + 1), newer)
    _equal("epoch.first_block", older.end_block, newer.first_block)
    if newer.end_block == newer.first_block:
        _equal("epoch.last_block_hash", older.last_block_hash.hex(), newer.last_block_hash.hex())
    if newer.governance_size < older.governance_size:
        raise FieldMismatch(
            field="epoch.governance_size", expected=f">= {older.governance_size}", got=str(newer.governance_size)
        )
    if newer.governance_size == older.governance_size:
        _equal("epoch.governance_root", older.governance_root.hex(), newer.governance_root.hex())
    if newer.set_id == older.set_id:
        _equal("epoch.set_hash", older.set_hash.hex(), newer.set_hash.hex())
    else:
        _equal("epoch.set_id", older.set_id + 1, newer.set_id)


def _equal(field: str, expected: object, got: object) -> None:
    if expected != got:
        raise FieldMismatch(field=field, expected=str(expected), got=str(got))
