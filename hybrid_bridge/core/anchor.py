"""Where a checkpoint stands on a public chain: header, receipt and the path between them, checked offline.

What can be known without trust is checked here. What cannot is returned: that the last public block is real, and that
the contract is the one the verifier knows. Source: SPEC §13; CONTRACT §3.2.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, Final

from hybrid_bridge.core.attestation import Checkpoint
from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.core.merkle_patricia import trie_value
from hybrid_bridge.core.proof import as_octets
from hybrid_bridge.core.rlp import bytes_of, decode_rlp, encode_rlp, list_of, uint_bytes, uint_of
from hybrid_bridge.errors import FieldMalformed, FieldMismatch, IndexBeyondSize, TooLong
from hybrid_bridge.units import MAX_U64, Address, Digest, PublicBlockHash, PublicBlockNumber, UnixSeconds

MAX_HEADER: Final = 4096  # bytes; today's have some 650, and longer ones are accepted
MAX_RECEIPT: Final = 1 << 17  # bytes; an anchor's has some 550, a batch of 256 some 70,000
MAX_DESCENDANTS: Final = 256  # headers after the anchor's own; about an hour of Ethereum
RECEIPT_TYPES: Final = range(1, 5)  # EIP-2930, 1559, 4844, 7702: all with the same four fields
ANCHORED: Final = keccak256(b"Anchored(bytes32,uint64,bytes32,uint64,uint64,uint64)")  # topic 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EvmAnchor:
    """One `Anchored` event with its proof up to a public block hash. Member names are those of SPEC §13."""

    type: ClassVar[str] = "evm"
    tree_size: int
    chain_id: int
    contract: bytes  # 20 bytes, as the bundle says; believed only if the trust file has it
    header: bytes  # RLP of the header of the public block with the event
    tx_index: int
    receipt: bytes  # with the EIP-2718 type byte
    proof: tuple[bytes, ...]  # trie nodes from receiptsRoot down
    log_index: int  # within the receipt, from zero; not within the public block
    descendants: tuple[bytes, ...]  # RLP of the headers that follow, oldest first


@dataclass(frozen=True, slots=True)
class Header:
    """What is read of a public header: items 0, 3, 5, 8, 11 and its hash."""

    hash: PublicBlockHash
    parent: PublicBlockHash
    state_root: Digest
    receipts_root: Digest
    number: PublicBlockNumber
    time: UnixSeconds


@dataclass(frozen=True, slots=True)
class Log:
    """One event of a receipt."""

    address: Address
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorFacts:
    """What an anchor proves if `last_hash` is a public block of `chain_id` and `contract` is trusted there."""

    block_number: PublicBlockNumber
    block_hash: PublicBlockHash
    block_time: UnixSeconds
    signers: int  # bit i: i-th validator of the responsible set in address order
    last_number: PublicBlockNumber
    last_hash: PublicBlockHash


def decode_header(data: bytes) -> Header:
    """The items of a public header that matter here; items after number 15 may be there (SPEC §13).

    Raises:
        Malformed: not one RLP list of at least 15 items, or an item has a wrong shape.
    """
    items = list_of(decode_rlp(data, "header", MAX_HEADER), 15, 64, "header")
    return Header(
        hash=PublicBlockHash(keccak256(data)),
        parent=PublicBlockHash(bytes_of(items[0], 32, "header.parentHash")),
        state_root=Digest(bytes_of(items[3], 32, "header.stateRoot")),
        receipts_root=Digest(bytes_of(items[5], 32, "header.receiptsRoot")),
        number=PublicBlockNumber(uint_of(items[8], "header.number")),
        time=UnixSeconds(uint_of(items[11], "header.timestamp")),
    )


def decode_receipt(data: bytes) -> tuple[bool, tuple[Log, ...]]:
    """Whether the transaction succeeded, and its events (EIP-658, EIP-2718).

    Raises:
        Malformed: unknown type, not four fields, or a field has a wrong shape.
    """
    data = as_octets(data, "receipt")
    typed = data[:1] < b"\x80"
    if typed and (not data or data[0] not in RECEIPT_TYPES):
        raise FieldMalformed(field="receipt.type", rule="a list, or a type from 1 to 4 and a list")
    body = list_of(decode_rlp(data[1:] if typed else data, "receipt", MAX_RECEIPT), 4, 4, "receipt")
    status = uint_of(body[0], "receipt.status", limit=1)
    uint_of(body[1], "receipt.cumulativeGasUsed")
    bytes_of(body[2], 256, "receipt.logsBloom")
    logs = []
    for item in list_of(body[3], 0, MAX_RECEIPT, "receipt.logs"):
        address, topics, payload = list_of(item, 3, 3, "log")
        if not isinstance(payload, bytes):
            raise FieldMalformed(field="log.data", rule="a byte string")
        words = tuple(bytes_of(topic, 32, "log.topics") for topic in list_of(topics, 0, 4, "log.topics"))
        logs.append(Log(Address(bytes_of(address, 20, "log.address")), words, payload))
    return status == 1, tuple(logs)


def verify_evm_anchor(anchor: EvmAnchor, checkpoint: Checkpoint) -> AnchorFacts:
    """(1) bounds (2) header chain (3) receipt under receiptsRoot (4) success (5) event = checkpoint (6) time.

    NOT CHECKED HERE: that `last_hash` is real on `chain_id`, and that `contract` is the right one there. THE CALLER'S
    TRUST SAYS SO. Source: SPEC §13.

    Raises:
        Malformed: the bytes break SPEC §13.
        FieldMismatch: two things that must agree do not; `field` names them.
    """
    _require_bounds(anchor)
    _require("anchor.tree_size", str(checkpoint.tree_size), str(anchor.tree_size))
    header = decode_header(anchor.header)
    last = _require_chain([header, *map(decode_header, anchor.descendants)])
    succeeded, logs = decode_receipt(anchor.receipt)
    if anchor.log_index >= len(logs):
        raise IndexBeyondSize(index=anchor.log_index, size=len(logs))
    value = trie_value(header.receipts_root, encode_rlp(uint_bytes(anchor.tx_index)), anchor.proof)
    _require("anchor.receipt", keccak256(value), keccak256(anchor.receipt))
    _require("receipt.status", "1", str(int(succeeded)))
    signers = _require_event(logs[anchor.log_index], Address(anchor.contract), checkpoint)
    if header.time < checkpoint.timestamp:  # the contract refuses an epoch that has not ended (CONTRACT §3.2 row 5)
        raise FieldMismatch(field="header.timestamp", expected=f">= {checkpoint.timestamp}", got=str(header.time))
    return AnchorFacts(
        block_number=header.number,
        block_hash=header.hash,
        block_time=header.time,
        signers=signers,
        last_number=last.number,
        last_hash=last.hash,
    )


def _require_bounds(anchor: EvmAnchor) -> None:
    if len(anchor.contract) != 20:
        raise FieldMalformed(field="anchor.contract", rule="exactly 20 bytes")
    if len(anchor.descendants) > MAX_DESCENDANTS:
        raise TooLong(field="anchor.descendants", limit=MAX_DESCENDANTS, got=len(anchor.descendants))
    if not (0 <= anchor.tx_index <= MAX_U64 and 0 <= anchor.log_index <= MAX_U64):
        raise FieldMalformed(field="anchor", rule="an index is from 0 to 2^53-1")


def _require_chain(headers: Sequence[Header]) -> Header:
    for older, newer in pairwise(headers):
        _require("header.parentHash", older.hash, newer.parent)
        _require("header.number", str(older.number + 1), str(newer.number))
    return headers[-1]


def _require_event(log: Log, contract: Address, checkpoint: Checkpoint) -> int:
    """The event's word `signers`, if all the rest is this checkpoint, emitted by this contract (SPEC §13)."""
    _require("log.address", contract, log.address)
    if len(log.topics) != 3 or len(log.data) != 128:
        raise FieldMismatch(field="log", expected="3 topics, 128 bytes", got=f"{len(log.topics)}, {len(log.data)}")
    expected = (
        ("log.topic", ANCHORED),
        ("log.logId", checkpoint.log_id),
        ("log.treeSize", checkpoint.tree_size.to_bytes(32, "big")),
        ("log.rootHash", checkpoint.root),
        ("log.timestamp", checkpoint.timestamp.to_bytes(32, "big")),
        ("log.validatorSetId", checkpoint.set_id.to_bytes(32, "big")),
    )
    got = (*log.topics, log.data[:32], log.data[32:64], log.data[64:96])
    for (field, want), word in zip(expected, got, strict=True):
        _require(field, want, word)
    return int.from_bytes(log.data[96:], "big")


def _require(field: str, expected: bytes | str, got: bytes | str) -> None:
    if expected != got:
        raise FieldMismatch(field=field, expected=_shown(expected), got=_shown(got))


def _shown(value: bytes | str) -> str:
    return value.hex() if isinstance(value, bytes) else value
