"""The genesis record: log leaf 0, governance leaf 0, and by its hash the consortium's name.

It fixes the clock, the first validators, the ladders and the keys; none of them can change without another log id.
Source: SPEC §7.1.
"""

import re
from dataclasses import dataclass
from typing import Final, Self

from hybrid_bridge.core.encoding import ZERO, sha256
from hybrid_bridge.core.proof import as_text, leaf_hash
from hybrid_bridge.core.vrf import require_public_key
from hybrid_bridge.core.words import WordRecord
from hybrid_bridge.errors import FieldMalformed, SizeOrder
from hybrid_bridge.units import MAX_U64, Address, Digest, Height, LogId, Seconds, TreeSize, UnixSeconds

GENESIS_TYPE: Final = (
    "HybridBridge.Genesis.v1(bytes32 originHash,uint64 specVersion,uint64 genesisTime,uint64 cadence,uint64 grace,"
    "uint64 promiseDelay,uint64 batchLadder,uint64 registryLadder,uint64 registrySuite,bytes32 vrfPublicKey,"
    "bytes32 registryRoot,bytes32 labelTableHash,bytes32 setHash,bytes32 decoyKeyHash,bytes32 logKey,"
    "bytes32 receiptKey,bytes32 logMldsaKeyHash,address guardian,uint64 pauseMax,bytes32 ledgerId,uint64 firstBlock,"
    "bytes32 policyHash,bytes32 predecessor,uint64 predecessorSize,bytes32 predecessorRoot)"
)
GENESIS: Final = WordRecord(GENESIS_TYPE)
SPEC_VERSION: Final = 1
REGISTRY_SUITE: Final = 1  # HB_PT_SHA256_ED25519_V1 (SPEC §9)
NOTHING: Final = TreeSize(0)
MAX_ORIGIN: Final = 200
_ORIGIN: Final = re.compile(r"[a-z0-9.-]+(/[A-Za-z0-9._-]+)*")
_RANGES: Final = {
    "spec_version": (SPEC_VERSION, SPEC_VERSION),
    "genesis_time": (1, 2**40 - 1),
    "cadence": (1, 86_400),
    "grace": (0, 2**32 - 1),
    "promise_delay": (1, 1_000),
    "registry_suite": (REGISTRY_SUITE, REGISTRY_SUITE),
    "pause_max": (0, 2_592_000),
}
_LADDERS: Final = {"batch_ladder": (3, 20), "registry_ladder": (1, 20)}  # lowest and highest bit
_NEVER_ZERO: Final = ("origin_hash", "registry_root", "set_hash", "decoy_key_hash", "log_key")


def origin_hash(origin: str) -> Digest:
    """H(origin text).

    Raises:
        FieldMalformed: not the pattern of SPEC §7.1, or more than 200 bytes.
    """
    if len(as_text(origin, "origin")) > MAX_ORIGIN or _ORIGIN.fullmatch(origin) is None:
        raise FieldMalformed(field="origin", rule="a host name, then path segments, at most 200 bytes")
    return sha256(origin.encode("ascii"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Genesis:
    """26 words, 832 bytes; in the order of its type string.

    Raises:
        WordMalformed: a word outside its range; `index` is that of the word.
        FieldMalformed: the VRF key is no point, or of small order.
    """

    origin_hash: Digest
    spec_version: int = SPEC_VERSION
    genesis_time: UnixSeconds  # start of epoch 1
    cadence: Seconds  # length of an epoch
    grace: Seconds
    promise_delay: int  # epochs
    batch_ladder: int  # bit k set: a batch of 2^k entries is allowed
    registry_ladder: int  # bit k set: 2^k registry pairs in an epoch are allowed
    registry_suite: int = REGISTRY_SUITE
    vrf_public_key: bytes  # 32 bytes
    registry_root: Digest  # after the dummies of epoch 0
    label_table_hash: Digest
    set_hash: Digest  # of set 1
    decoy_key_hash: Digest
    log_key: bytes  # 32 bytes, Ed25519, of the checkpoint note
    receipt_key: bytes = ZERO  # 32 bytes, Ed25519, or zero: none
    log_mldsa_key_hash: Digest = ZERO
    guardian: Address
    pause_max: Seconds
    ledger_id: Digest
    first_block: Height
    policy_hash: Digest
    predecessor: Digest = ZERO  # the log this one continues, or zero: none
    predecessor_size: TreeSize = NOTHING
    predecessor_root: Digest = ZERO

    def __post_init__(self) -> None:
        for name, (low, high) in _RANGES.items():
            GENESIS.require(holds=low <= getattr(self, name) <= high, name=name)
        for name, (low, high) in _LADDERS.items():
            ladder = getattr(self, name)
            GENESIS.require(holds=ladder > 0 and ladder & ((1 << high + 1) - (1 << low)) == ladder, name=name)
        for name in _NEVER_ZERO:
            GENESIS.require(holds=any(getattr(self, name)), name=name)
        continues = any(self.predecessor)
        GENESIS.require(holds=(self.predecessor_size > 0) == continues, name="predecessor_size")
        GENESIS.require(holds=any(self.predecessor_root) == continues, name="predecessor_root")
        require_public_key(self.vrf_public_key, "vrf_public_key")

    def encode(self) -> bytes:
        """832 bytes.

        Raises:
            WordMalformed: an attribute does not fit its word.
        """
        return GENESIS.encode(self)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The inverse of `encode`.

        Raises:
            RecordMalformed: not 832 bytes.
            WordMalformed, FieldMalformed: as the class; index 0 for a record of another type.
        """
        return cls(**GENESIS.decode(data))

    @property
    def log_id(self) -> LogId:
        """LEAF(genesis record): the consortium's id, and the root of the log of size 1."""
        return LogId(leaf_hash(self.encode()))

    def checkpoint_timestamp(self, tree_size: TreeSize) -> UnixSeconds:
        """The boundary at which the log has `tree_size` leaves: genesisTime + (treeSize − 1)·cadence (SPEC §8.2).

        Raises:
            SizeOrder: not 1 <= tree_size <= 2^53-1.
        """
        if not 1 <= tree_size <= MAX_U64:
            raise SizeOrder(older=1, newer=tree_size)
        return UnixSeconds(self.genesis_time + (tree_size - 1) * self.cadence)

    def due_after(self, tree_size: TreeSize) -> UnixSeconds:
        """Until when a checkpoint beyond `tree_size` is in time, as the contract's `overdue` has it (CONTRACT §3.7).

        Raises:
            SizeOrder: as `checkpoint_timestamp`.
        """
        return UnixSeconds(self.checkpoint_timestamp(tree_size) + self.cadence + self.grace)
