"""A block of the embedded ledger: a header that chains, and the transactions it orders with what became of each.

The sequencer makes it, every member re-executes it and countersigns its hash. `state` commits to the order of all
transactions so far and to the governance records; other engines keep their own hash. Source: SPEC §5.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

from hybrid_bridge.core.encoding import Reader, Writer, context, sha256
from hybrid_bridge.core.keys import PrivateKey, PublicKey, read_signature, verify_signed, write_signature
from hybrid_bridge.core.proof import as_octets, leaf_hash
from hybrid_bridge.core.transaction import MAX_SIGNED
from hybrid_bridge.core.tree import batch_root
from hybrid_bridge.errors import FieldMalformed, FieldMismatch, RootMismatch, TooLong
from hybrid_bridge.units import Digest, EpochNumber, Height, KeyId, LogId, TransactionId, TreeSize, UnixSeconds

VERSION: Final = 1
HEADER_BYTES: Final = 157
MAX_BLOCK: Final = 3 << 20  # bytes; a block fits one message between members, with room

ACCEPTED: Final = 0
LABEL_TAKEN: Final = 1
AUTHORITY_WRONG: Final = 2
RULE_BROKEN: Final = 3
BRAKE_ON: Final = 4
ENTRY_REPEATED: Final = 5
CODES: Final = range(ENTRY_REPEATED + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockHeader:
    """157 bytes that every member recomputes; `state` is the state after this block."""

    log_id: LogId
    height: Height
    previous_hash: Digest
    time: UnixSeconds
    epoch: EpochNumber
    tx_count: int
    tx_root: Digest
    state: Digest

    def encode(self) -> bytes:
        """157 bytes."""
        writer = Writer().u8(VERSION, "version").b32(self.log_id, "log_id").u64(self.height, "height")
        writer.b32(self.previous_hash, "previous_hash").u64(self.time, "time").u64(self.epoch, "epoch")
        return writer.u32(self.tx_count, "tx_count").b32(self.tx_root, "tx_root").b32(self.state, "state").bytes()

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The inverse of `encode`."""
        reader = Reader(data)
        header = cls.read(reader)
        reader.end("header")
        return header

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """The header that begins here; a block goes on after it."""
        _require_version(reader)
        return cls(
            log_id=LogId(reader.b32("log_id")),
            height=Height(reader.u64("height")),
            previous_hash=reader.b32("previous_hash"),
            time=UnixSeconds(reader.u64("time")),
            epoch=EpochNumber(reader.u64("epoch")),
            tx_count=reader.u32("tx_count"),
            tx_root=reader.b32("tx_root"),
            state=reader.b32("state"),
        )

    @property
    def block_hash(self) -> Digest:
        """H(CTX("block") ‖ header)."""
        return sha256(context("block") + self.encode())

    def verify_first(self, log_id: LogId, first_block: Height) -> None:
        """Return if this can be the first block of the log: the genesis record fixes its height (SPEC §5, §7.1).

        Raises:
            FieldMismatch: another log, height or previous hash.
        """
        _require_equal("log_id", log_id, self.log_id)
        _require_equal("height", first_block, self.height)
        _require_equal("previous_hash", Digest(log_id), self.previous_hash)

    def verify_follows(self, previous: "BlockHeader") -> None:
        """Return if this can stand directly after `previous`.

        NOT CHECKED HERE: that `epoch` is the one of `time`, that `time` is no lie, `tx_root`, `state`.

        Raises:
            FieldMismatch: another log, a gap, another previous hash, time falls.
        """
        _require_equal("log_id", previous.log_id, self.log_id)
        _require_equal("height", previous.height + 1, self.height)
        _require_equal("previous_hash", previous.block_hash, self.previous_hash)
        if self.time < previous.time:
            raise FieldMismatch(field="time", expected=f"at least {previous.time}", got=str(self.time))


@dataclass(frozen=True, slots=True)
class Block:
    """A header and its transactions in order: what became of each (`CODES`), and its signed bytes."""

    header: BlockHeader
    items: tuple[tuple[int, bytes], ...]

    def __post_init__(self) -> None:
        for code, signed in self.items:
            if code not in CODES:
                raise FieldMalformed(field="code", rule="0 accepted, 1 to 5 refused")
            if len(signed) > MAX_SIGNED:
                raise TooLong(field="transaction", limit=MAX_SIGNED, got=len(signed))

    def encode(self) -> bytes:
        """Header ‖ u32 count ‖ count × (u16 code ‖ u32 length ‖ signed), at most 3 MiB.

        Raises:
            Malformed: a field does not fit, or the whole is longer.
        """
        writer = Writer(self.header.encode()).u32(len(self.items), "transactions")
        for code, signed in self.items:
            writer.u16(code, "code").opaque(signed, 4, "transaction")
        return _require_block_length(writer.bytes())

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The inverse of `encode`. Shape only; the transactions stay as they are."""
        reader = Reader(_require_block_length(data))
        header = BlockHeader.read(reader)
        count = reader.u32("transactions")  # the bound on the whole is the bound on the count
        items = [(reader.u16("code"), reader.opaque(4, "transaction", MAX_SIGNED)) for _ in range(count)]
        reader.end("block")
        return cls(header, tuple(items))

    def verify_tx_root(self) -> None:
        """Return if the header's count and root are those of the transactions that stand here.

        Raises:
            FieldMismatch: another count.
            RootMismatch: another root.
        """
        _require_equal("tx_count", self.header.tx_count, len(self.items))
        root = tx_root(self.items)
        if root != self.header.tx_root:
            raise RootMismatch(expected=self.header.tx_root, calculated=root)


def tx_root(items: Iterable[tuple[int, bytes]]) -> Digest:
    """MTH over `u16 code ‖ signed`; of an empty block H("")."""
    return batch_root(leaf_hash(Writer().u16(code, "code").bytes() + signed) for code, signed in items)


def chain_step(chain: Digest, code: int, transaction_id: TransactionId) -> Digest:
    """The chain value after one more transaction: H(CTX("chain") ‖ chain ‖ u16 code ‖ transaction_id).

    Before the first transaction it is 32 zero bytes.
    """
    writer = Writer(context("chain")).b32(chain, "chain").u16(code, "code")
    return sha256(writer.b32(transaction_id, "transaction_id").bytes())


def state_hash(height: Height, chain: Digest, governance_size: TreeSize, governance_root: Digest) -> Digest:
    """What every member must agree on after the block at `height`; also the ABCI application hash."""
    writer = Writer(context("state")).u64(height, "height").b32(chain, "chain")
    return sha256(writer.u64(governance_size, "governance_size").b32(governance_root, "governance_root").bytes())


# ── a member's word for a block ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Countersignature:
    """A member re-executed the block and found this hash. Two of them over one height are evidence (105 + 66 bytes)."""

    log_id: LogId
    height: Height
    block_hash: Digest
    signer: KeyId
    scheme: int
    signature: bytes

    @classmethod
    def over(cls, header: BlockHeader, key: PrivateKey) -> Self:
        """Countersign the block with this header."""
        block_hash, signer = header.block_hash, key.public.key_id
        return cls(
            log_id=header.log_id,
            height=header.height,
            block_hash=block_hash,
            signer=signer,
            scheme=key.public.scheme,
            signature=key.sign(countersign_message(header.log_id, header.height, block_hash, signer)),
        )

    @property
    def message(self) -> bytes:
        """What the member signed."""
        return countersign_message(self.log_id, self.height, self.block_hash, self.signer)

    def encode(self) -> bytes:
        """171 bytes: the struct of `message`, u16 scheme, signature."""
        struct = _countersign_struct(self.log_id, self.height, self.block_hash, self.signer)
        return write_signature(struct, self.scheme, self.signature).bytes()

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The inverse of `encode`."""
        reader = Reader(data)
        _require_version(reader)
        log_id, height = LogId(reader.b32("log_id")), Height(reader.u64("height"))
        block_hash, signer = reader.b32("block_hash"), KeyId(reader.b32("signer"))
        scheme, signature = read_signature(reader)
        reader.end("countersignature")
        return cls(
            log_id=log_id, height=height, block_hash=block_hash, signer=signer, scheme=scheme, signature=signature
        )

    def verify(self, key: PublicKey) -> None:
        """Return if `key` is the signer and signed.

        Raises:
            FieldMismatch: another key or scheme.
            Malformed, SignatureWrong: the signature.
        """
        verify_signed(key, self.signer, self.scheme, self.message, self.signature)


def countersign_message(log_id: LogId, height: Height, block_hash: Digest, signer: KeyId) -> bytes:
    """CTX("countersign") ‖ u8 1 ‖ log_id ‖ u64 height ‖ block hash ‖ key id of the member."""
    return context("countersign") + _countersign_struct(log_id, height, block_hash, signer).bytes()


def _countersign_struct(log_id: LogId, height: Height, block_hash: Digest, signer: KeyId) -> Writer:
    writer = Writer().u8(VERSION, "version").b32(log_id, "log_id").u64(height, "height")
    return writer.b32(block_hash, "block_hash").b32(signer, "signer")


def _require_version(reader: Reader) -> None:
    if reader.u8("version") != VERSION:
        raise FieldMalformed(field="version", rule="1")


def _require_block_length(data: bytes) -> bytes:
    data = as_octets(data, "block")
    if len(data) > MAX_BLOCK:
        raise TooLong(field="block", limit=MAX_BLOCK, got=len(data))
    return data


def _require_equal(field: str, expected: int | bytes, got: int | bytes) -> None:
    if expected != got:
        raise FieldMismatch(field=field, expected=_show(expected), got=_show(got))


def _show(value: int | bytes) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
