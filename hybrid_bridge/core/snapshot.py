"""A snapshot of a ledger that an engine orders: the ledger itself, from the first block on, cut into chunks (ADR 41).

Where a chunk ends follows from the blocks alone, so all honest members offer the same chunks, and a chunk that is full
is the same in every later snapshot. The hash of a snapshot commits to log, height and every chunk.
Source: SPEC §5.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

from hybrid_bridge.core.block import MAX_BLOCK
from hybrid_bridge.core.encoding import Reader, Writer, context, sha256
from hybrid_bridge.core.proof import as_digest, as_octets
from hybrid_bridge.errors import FieldMalformed, FieldMismatch, TooLong
from hybrid_bridge.units import Digest, Height, LogId

FORMAT: Final = 1
FULL_BYTES: Final = 4 << 20  # a chunk ends with the block that reaches this; the engine carries 16 MB
FULL_BLOCKS: Final = 4096  # or with this one: one call of the engine stays short, also where blocks are empty
MAX_CHUNK: Final = FULL_BYTES + MAX_BLOCK + 64  # bytes: the last block may be the largest there is
MAX_CHUNKS: Final = 100_000  # as many as the engine takes: 400 GB
_AROUND: Final = 36  # bytes of a block's hash and length


@dataclass(frozen=True, slots=True)
class OrderedBlock:
    """A block in our own form, and what the engine calls it. A new member executes the one; the other it is told."""

    hash: Digest
    data: bytes


def is_full(blocks: int, size: int) -> bool:
    """Whether a chunk of so many blocks and encoded bytes takes no more."""
    return blocks >= FULL_BLOCKS or size >= FULL_BYTES


@dataclass(frozen=True, slots=True)
class Chunk:
    """Blocks in a row, as many as make it full, or all there are."""

    blocks: tuple[OrderedBlock, ...]

    @classmethod
    def cut(cls, blocks: Iterable[OrderedBlock]) -> Self:
        """The chunk that begins with these blocks; no more of them are taken than it holds."""
        found, size = [], 0
        for block in blocks:
            found.append(block)
            size += _AROUND + len(block.data)
            if is_full(len(found), size):
                break
        return cls(tuple(found))

    @property
    def is_full(self) -> bool:
        """Whether it takes no more."""
        return is_full(len(self.blocks), sum(_AROUND + len(block.data) for block in self.blocks))

    def encode(self) -> bytes:
        """u32 count ‖ count × (32 bytes hash ‖ u32 length ‖ block)."""
        writer = Writer().u32(len(self.blocks), "blocks")
        for block in self.blocks:
            writer.b32(block.hash, "hash").opaque(block.data, 4, "block")
        return writer.bytes()

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The inverse of `encode`. Shape only: the blocks stay as they are.

        Raises:
            TooLong: more than a chunk can have.
            FieldMalformed: no block, or more after those that make it full.
            Malformed: no chunk.
        """
        data = as_octets(data, "chunk")
        if len(data) > MAX_CHUNK:
            raise TooLong(field="chunk", limit=MAX_CHUNK, got=len(data))
        reader = Reader(data)
        count = reader.u32("blocks")
        if not 1 <= count <= FULL_BLOCKS:
            raise FieldMalformed(field="chunk", rule=f"1 to {FULL_BLOCKS} blocks")
        chunk = cls(tuple(OrderedBlock(reader.b32("hash"), reader.opaque(4, "block", MAX_BLOCK)) for _ in range(count)))
        reader.end("chunk")
        if len(cls.cut(chunk.blocks).blocks) < count:
            raise FieldMalformed(field="chunk", rule="ends with the block that makes it full")
        return chunk


def chunk_hash(data: bytes) -> Digest:
    """H(CTX("snapshot-chunk") ‖ chunk)."""
    return sha256(context("snapshot-chunk") + data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All blocks up to `height`, by the hashes of their chunks."""

    log_id: LogId
    height: Height
    chunks: tuple[Digest, ...]

    @property
    def metadata(self) -> bytes:
        """What travels beside the hash: 32 bytes for each chunk."""
        return b"".join(self.chunks)

    @property
    def hash(self) -> Digest:
        """H(CTX("snapshot") ‖ log_id ‖ u64 height ‖ u32 count ‖ chunk hashes)."""
        writer = Writer(context("snapshot")).b32(self.log_id, "log_id").u64(self.height, "height")
        return sha256(writer.u32(len(self.chunks), "chunks").bytes() + self.metadata)

    @classmethod
    def offered(cls, log_id: LogId, height: int, count: int, snapshot_hash: bytes, metadata: bytes) -> Self:
        """What a peer offers, if its parts belong together.

        Raises:
            TooLong: more chunks than a snapshot has.
            FieldMalformed: no chunk, another number of hashes than chunks, or no height.
            FieldMismatch: the hash is of something else: another log, height or list.
        """
        if count > MAX_CHUNKS:
            raise TooLong(field="chunks", limit=MAX_CHUNKS, got=count)
        if count < 1 or len(metadata) != 32 * count:
            raise FieldMalformed(field="metadata", rule="32 bytes for each chunk")
        hashes = tuple(as_digest(metadata[at : at + 32], "metadata") for at in range(0, len(metadata), 32))
        found = cls(log_id=log_id, height=Height(height), chunks=hashes)
        if found.hash != snapshot_hash:
            raise FieldMismatch(field="snapshot", expected=found.hash.hex(), got=snapshot_hash.hex()[:64])
        return found
