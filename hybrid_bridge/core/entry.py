"""The 37 bytes a batch holds for each record: its type, its width, its field root. Nothing else leaves a member.

A record, a refusal (what became of a transaction that a rule refused) and a decoy have the same shape and hash alike,
so that a batch does not show how many of each it holds. Source: SPEC §3; the refusal SPEC §5, the decoy SPEC §6.
"""

from dataclasses import dataclass
from typing import ClassVar, Final, TypeAlias

from hybrid_bridge.core.encoding import Reader, Writer, require_digest
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.errors import EntryMalformed
from hybrid_bridge.units import Digest, RecordType, TransactionId

ENTRY_BYTES: Final = 37
MIN_WIDTH: Final = 8  # 2^3 field leaves
MAX_WIDTH: Final = 1024  # 2^10
MAX_RECORD_TYPE: Final = 0xFFFE  # 0 and 0xFFFF are invalid; from 0x8000 on a consortium's own


@dataclass(frozen=True, slots=True)
class RecordEntry:
    """One record: `width` field leaves under `field_root`.

    Raises:
        EntryMalformed: type or width outside the table of SPEC §3.
        DigestLength: the root has not 32 bytes.
    """

    kind: ClassVar[int] = 1
    record_type: RecordType
    width: int
    field_root: Digest

    def __post_init__(self) -> None:
        if not 1 <= self.record_type <= MAX_RECORD_TYPE:
            raise EntryMalformed(offset=1)
        require_width(self.width)
        require_digest(self.field_root, "field_root")

    def encode(self) -> bytes:
        """37 bytes."""
        return _encode(self.kind, self.record_type, self.width, self.field_root)


@dataclass(frozen=True, slots=True)
class RefusalEntry:
    """A rule refused this transaction. No record: it opens to nothing."""

    kind: ClassVar[int] = 2
    transaction_id: TransactionId

    def __post_init__(self) -> None:
        require_digest(self.transaction_id, "transaction_id")

    def encode(self) -> bytes:
        """37 bytes."""
        return _encode(self.kind, 0, 0, self.transaction_id)


@dataclass(frozen=True, slots=True)
class DecoyEntry:
    """Fills a batch up to its rung; `output` is the PRF's."""

    kind: ClassVar[int] = 0
    output: Digest

    def __post_init__(self) -> None:
        require_digest(self.output, "output")

    def encode(self) -> bytes:
        """37 bytes."""
        return _encode(self.kind, 0, 0, self.output)


Entry: TypeAlias = RecordEntry | RefusalEntry | DecoyEntry


def decode_entry(data: bytes) -> Entry:
    """The inverse of `encode`.

    Raises:
        Truncated, TrailingBytes: not 37 bytes.
        EntryMalformed: `offset` is that of the first byte of the field that breaks the table of SPEC §3.
    """
    reader = Reader(data)
    kind = reader.u8("entry.kind")
    record_type, width = RecordType(reader.u16("entry.record_type")), reader.u16("entry.width")
    body = reader.b32("entry.body")
    reader.end("entry")
    if kind == RecordEntry.kind:
        return RecordEntry(record_type, width, body)
    if kind not in {RefusalEntry.kind, DecoyEntry.kind}:
        raise EntryMalformed(offset=0)
    if record_type != 0:
        raise EntryMalformed(offset=1)
    if width != 0:
        raise EntryMalformed(offset=3)
    return RefusalEntry(TransactionId(body)) if kind == RefusalEntry.kind else DecoyEntry(body)


def decode_record_entry(data: bytes) -> RecordEntry:
    """A record's entry; a refusal or a decoy is none, whatever is shown with it.

    Raises:
        EntryMalformed: offset 0 for a refusal or a decoy; else as `decode_entry`.
    """
    entry = decode_entry(data)
    if not isinstance(entry, RecordEntry):
        raise EntryMalformed(offset=0)
    return entry


def entry_leaf(data: bytes) -> Digest:
    """LEAF(entry): what the batch sorts and hashes.

    Raises:
        Malformed: `data` is no entry.
    """
    decode_entry(data)
    return leaf_hash(data)


def require_width(width: int) -> int:
    """`width` if it is a power of two from 8 to 1,024.

    Raises:
        EntryMalformed: it is not.
    """
    if width.bit_count() != 1 or not MIN_WIDTH <= width <= MAX_WIDTH:
        raise EntryMalformed(offset=3)
    return width


def _encode(kind: int, record_type: int, width: int, body: bytes) -> bytes:
    return Writer().u8(kind, "kind").u16(record_type, "record_type").u16(width, "width").b32(body, "body").bytes()
