"""Step 3 of 6. The final blocks of one epoch in, the next leaf of the log out. After `commit`, before `attest`.

Who: every validator, alone; two honest ones get the same bytes.
Guarantees: one leaf more, nothing else changed: the epoch's entries sorted and padded (SPEC §6), its labels added to
the registry and padded (SPEC §9.5), its record contiguous with the one before and closed at its scheduled time
(SPEC §7.2).
Does not: sign, send, wait, read a clock, decide that a block is final (the ledger's adapter proves that).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from hybrid_bridge.business.ruling import LifeEvent
from hybrid_bridge.core import vrf
from hybrid_bridge.core.batch import Batch, build_batch
from hybrid_bridge.core.encoding import Json
from hybrid_bridge.core.entry import RecordEntry, RefusalEntry, decode_entry
from hybrid_bridge.core.epoch import (
    BRAKE_ON,
    NO_CHAIN,
    NO_HASH,
    NO_NUMBER,
    EpochRecord,
    closed_at,
    verify_first,
    verify_next,
)
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.labels import Label, alpha, commitment, life, life_value
from hybrid_bridge.core.registry import Pair, PrefixTree, pad_insertions
from hybrid_bridge.core.secret import Secret, Stats
from hybrid_bridge.core.transaction import BeaconPayload
from hybrid_bridge.core.validators import ValidatorSet
from hybrid_bridge.units import Commitment, Digest, EpochNumber, Height, RegistryIndex, TreeSize


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochBlocks:
    """What the final blocks first_block … end_block − 1 brought, in block order; perhaps no block at all."""

    first_block: Height
    end_block: Height
    last_block_hash: Digest | None  # of block end_block − 1; None without a block
    entries: Sequence[bytes]
    identity_ops: Sequence[Pair]
    life_events: Sequence[LifeEvent]
    governance_size: TreeSize  # of all governance records so far
    governance_root: Digest
    beacon: BeaconPayload | None
    brake_until: EpochNumber  # the last epoch in which the brake is on, as of the last block
    submitters: int  # distinct


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosingKeys:
    """What validators hold alike: K_set of the responsible set, and the VRF secret key."""

    secret: Secret
    vrf_seed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """One epoch, closed: its log leaf and what stands behind it."""

    record: EpochRecord
    batch: Batch
    pairs: tuple[Pair, ...]  # added to the registry, dummies and all, ascending
    registry: PrefixTree


def close_epoch(
    genesis: Genesis,
    previous: EpochRecord | None,
    registry: PrefixTree,
    blocks: EpochBlocks,
    *,
    keys: ClosingKeys,
    validators: ValidatorSet,
) -> Closed:
    """Close the epoch after `previous` (None: epoch 1).

    Args:
        genesis: leaf 0.
        previous: the record of the epoch before.
        registry: the tree after that epoch.
        blocks: all final blocks of this epoch.
        keys: of the validators.
        validators: the set responsible for size epoch + 1.

    Raises:
        FieldMismatch: the blocks do not continue those of `previous`.
        TooLong: more entries or labels than the highest rung; the ledger should have stopped at it.
    """
    epoch = EpochNumber(1 if previous is None else previous.epoch + 1)
    batch = build_batch(keys.secret, epoch, blocks.entries, genesis.batch_ladder)
    lives = [life_pair(genesis, keys, epoch, event) for event in blocks.life_events]
    labels = free_pairs(registry, [*lives, *blocks.identity_ops])
    pairs = pad_insertions(keys.secret, epoch, labels, genesis.registry_ladder, registry)
    grown = registry.insert(pairs)
    beacon = blocks.beacon
    record = EpochRecord(
        log_id=genesis.log_id,
        epoch=epoch,
        first_block=blocks.first_block,
        end_block=blocks.end_block,
        last_block_hash=_last_block_hash(genesis, previous, blocks),
        batch_size=batch.size,
        batch_root=batch.root,
        registry_root=grown.root,
        governance_size=blocks.governance_size,
        governance_root=blocks.governance_root,
        set_id=validators.set_id,
        set_hash=validators.digest,
        public_chain_id=NO_CHAIN if beacon is None else beacon.chain_id,
        public_block_number=NO_NUMBER if beacon is None else beacon.number,
        public_block_hash=NO_HASH if beacon is None else beacon.hash,
        closed_at=closed_at(genesis, epoch),
        flags=BRAKE_ON if epoch <= blocks.brake_until else 0,
        stats_commitment=keys.secret.stats(epoch, _stats(blocks, len(labels))),
        blind=keys.secret.blind(epoch),
    )
    if previous is None:
        verify_first(genesis, record)
    else:
        verify_next(genesis, previous, record)
    return Closed(record=record, batch=batch, pairs=tuple(pairs), registry=grown)


def free_pairs(registry: PrefixTree, pairs: Iterable[Pair]) -> list[Pair]:
    """The pairs whose index is free, the first of equal ones: an epoch closes whatever its transactions brought.

    Validators cannot see whether an identity index is that of a true label (SPEC §4), so a member may copy an index
    that the registry holds already, a dummy's or a life label's. It gains nothing: the pair that stands, stands.
    """
    free: dict[RegistryIndex, Commitment] = {}
    for index, commitment_ in pairs:
        if index not in free and registry.get(index) is None:
            free[index] = commitment_
    return list(free.items())


def label_index(genesis: Genesis, vrf_seed: bytes, label: Label, version: int) -> tuple[RegistryIndex, bytes]:
    """The registry index of one version of a label, and the VRF proof that it is the one."""
    proof = vrf.prove(vrf_seed, alpha(genesis.log_id, label, version))
    return vrf.index_of(vrf.proof_output(proof)), proof


def life_pair(genesis: Genesis, keys: ClosingKeys, epoch: EpochNumber, event: LifeEvent) -> Pair:
    """The registry pair of one life event: index by VRF, commitment opened by the validators' secret (SPEC §9.3)."""
    label = life(event.object_type, event.object_id)
    index, _ = label_index(genesis, keys.vrf_seed, label, event.version)
    opening = keys.secret.life_opening(epoch, label.encode(), event.version)
    return index, Commitment(commitment(opening, genesis.log_id, label, event.version, life_event_value(event)))


def life_event_value(event: LifeEvent) -> bytes:
    """What the commitment of a life event opens to."""
    state: dict[str, Json] = dict(event.state)
    return life_value(event.code, event.entry_leaf, state)


def _last_block_hash(genesis: Genesis, previous: EpochRecord | None, blocks: EpochBlocks) -> Digest:
    if blocks.last_block_hash is not None:
        return blocks.last_block_hash
    return genesis.ledger_id if previous is None else previous.last_block_hash


def _stats(blocks: EpochBlocks, labels: int) -> Stats:
    entries = [decode_entry(entry) for entry in blocks.entries]
    return Stats(
        records=sum(isinstance(entry, RecordEntry) for entry in entries),
        refusals=sum(isinstance(entry, RefusalEntry) for entry in entries),
        labels=labels,
        submitters=blocks.submitters,
    )
