"""The three things a transaction can carry: a record for the batch, governance records, a beacon.

Source: SPEC §4; the entry §3, registry operations §9, governance records §7.3.
"""

from dataclasses import dataclass
from typing import ClassVar, Final, Self, TypeAlias

from hybrid_bridge.core.disclosure import MAX_DISCLOSURE, disclosure_octets
from hybrid_bridge.core.encoding import Reader, Writer
from hybrid_bridge.core.entry import ENTRY_BYTES, RecordEntry, decode_record_entry
from hybrid_bridge.core.field_tree import MAX_HALF, require_ascending
from hybrid_bridge.errors import FieldMalformed, TooLong
from hybrid_bridge.units import ChainId, Commitment, Digest, PublicBlockHash, PublicBlockNumber, RegistryIndex

INSERT: Final = 1  # the only registry operation: insert an identity label
MAX_BODY: Final = 65_536  # bytes
MAX_OPS: Final = 16
MAX_GOVERNANCE: Final = 8  # records of one decision: who comes, who goes, keys, the next set


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryOp:
    """Insert an identity label's index. Nobody sees here whether it is the true label's (SPEC §9)."""

    op: int = INSERT
    label_type: int
    version: int = 0
    index: RegistryIndex
    commitment: Commitment

    def __post_init__(self) -> None:
        if self.op != INSERT:
            raise FieldMalformed(field="op", rule="1, insert identity label")
        if self.label_type < 2:
            raise FieldMalformed(field="label_type", rule="at least 2; life labels are derived")
        if self.version != 0:
            raise FieldMalformed(field="version", rule="0 for an identity label")

    @property
    def order(self) -> bytes:
        """Operations ascend by label type, then index."""
        return Writer().u16(self.label_type, "label_type").b32(self.index, "index").bytes()

    def write(self, writer: Writer) -> Writer:
        """71 bytes."""
        writer.u8(self.op, "op").u16(self.label_type, "label_type").u32(self.version, "version")
        return writer.b32(self.index, "index").b32(self.commitment, "commitment")

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """The inverse of `write`."""
        return cls(
            op=reader.u8("op"),
            label_type=reader.u16("label_type"),
            version=reader.u32("version"),
            index=RegistryIndex(reader.b32("index")),
            commitment=Commitment(reader.b32("commitment")),
        )


@dataclass(frozen=True, slots=True)
class RecordPayload:
    """Kind 1: a record's entry, its claims in left-half order, what of it the registry takes."""

    kind: ClassVar[int] = 1
    entry: bytes
    private_root: Digest
    claims: tuple[str, ...]
    ops: tuple[RegistryOp, ...] = ()

    def __post_init__(self) -> None:
        decode_record_entry(self.entry)
        if len(self.claims) > MAX_HALF:
            raise TooLong(field="claims", limit=MAX_HALF, got=len(self.claims))
        if len(self.ops) > MAX_OPS:
            raise TooLong(field="ops", limit=MAX_OPS, got=len(self.ops))
        require_ascending([op.order for op in self.ops], "ops")
        for claim in self.claims:
            if len(disclosure_octets(claim)) > MAX_DISCLOSURE:
                raise TooLong(field="claim", limit=MAX_DISCLOSURE, got=len(claim))

    @property
    def record(self) -> RecordEntry:
        """The entry, decoded."""
        return decode_record_entry(self.entry)

    def write(self, writer: Writer) -> Writer:
        """Entry, private root, claims, ops."""
        writer.fixed(self.entry, ENTRY_BYTES, "entry").b32(self.private_root, "private_root")
        writer.u16(len(self.claims), "claims")
        for claim in self.claims:
            writer.opaque(disclosure_octets(claim), 2, "claim")
        writer.u8(len(self.ops), "ops")
        for op in self.ops:
            op.write(writer)
        return writer

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """The inverse of `write`."""
        entry, private_root = reader.fixed(ENTRY_BYTES, "entry"), reader.b32("private_root")
        claims = tuple(_read_claim(reader) for _ in range(read_count(reader, 2, "claims", MAX_HALF)))
        ops = tuple(RegistryOp.read(reader) for _ in range(read_count(reader, 1, "ops", MAX_OPS)))
        return cls(entry, private_root, claims, ops)


@dataclass(frozen=True, slots=True)
class GovernancePayload:
    """Kind 2: the records of one decision, in order (SPEC §7.3), authorised by a quorum of the current set.

    Whoever consents signs the whole list, and the list stands or is refused as a whole: no half of it can be enacted.
    """

    kind: ClassVar[int] = 2
    records: tuple[bytes, ...]

    def __post_init__(self) -> None:
        if not self.records:
            raise FieldMalformed(field="records", rule="at least one")
        if len(self.records) > MAX_GOVERNANCE:
            raise TooLong(field="records", limit=MAX_GOVERNANCE, got=len(self.records))

    def write(self, writer: Writer) -> Writer:
        """u8 count, then u16 length ‖ record each."""
        writer.u8(len(self.records), "records")
        for record in self.records:
            writer.opaque(record, 2, "record")
        return writer

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """The inverse of `write`."""
        count = read_count(reader, 1, "records", MAX_GOVERNANCE)
        return cls(tuple(reader.opaque(2, "record", MAX_BODY) for _ in range(count)))


@dataclass(frozen=True, slots=True)
class BeaconPayload:
    """Kind 3: a recent block of a public chain, said by a validator."""

    kind: ClassVar[int] = 3
    chain_id: ChainId
    number: PublicBlockNumber
    hash: PublicBlockHash

    def write(self, writer: Writer) -> Writer:
        """48 bytes."""
        return writer.u64(self.chain_id, "chain_id").u64(self.number, "number").b32(self.hash, "hash")

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """The inverse of `write`."""
        chain_id, number = ChainId(reader.u64("chain_id")), PublicBlockNumber(reader.u64("number"))
        return cls(chain_id, number, PublicBlockHash(reader.b32("hash")))


Payload: TypeAlias = RecordPayload | GovernancePayload | BeaconPayload


def read_payload(reader: Reader, kind: int) -> Payload:
    """The payload of a body of this kind.

    Raises:
        Malformed: kind unknown, or the bytes break SPEC §4.
    """
    for payload in (RecordPayload, GovernancePayload, BeaconPayload):
        if kind == payload.kind:
            return payload.read(reader)
    raise FieldMalformed(field="kind", rule="1 record, 2 governance, 3 beacon")


def read_count(reader: Reader, width: int, field: str, limit: int) -> int:
    """A count of `width` bytes, refused above `limit` before anything is read.

    Raises:
        TooLong: above the limit.
    """
    count = reader.uint(width, field)
    if count > limit:
        raise TooLong(field=field, limit=limit, got=count)
    return count


def _read_claim(reader: Reader) -> str:
    octets = reader.opaque(2, "claim", MAX_DISCLOSURE)
    if not octets.isascii():
        raise FieldMalformed(field="claim", rule="ASCII")
    return octets.decode("ascii")
