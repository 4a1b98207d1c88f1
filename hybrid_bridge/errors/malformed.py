"""Malformed: the sender mends the bytes."""

from dataclasses import dataclass
from typing import ClassVar

from hybrid_bridge.errors.base import BridgeError


@dataclass(kw_only=True, eq=False)
class Malformed(BridgeError):
    """These bytes break the specification; whoever made them must mend them."""

    exit_code: ClassVar[int] = 2


@dataclass(kw_only=True, eq=False)
class FieldMalformed(Malformed):
    """A field is not what the specification says; `rule` names what it must be."""

    field: str
    rule: str


@dataclass(kw_only=True, eq=False)
class TooLong(Malformed):
    """More than the format allows; refused before it is read."""

    field: str
    limit: int
    got: int


@dataclass(kw_only=True, eq=False)
class TrailingBytes(Malformed):
    """Bytes stand after the end of the value."""

    field: str
    count: int


@dataclass(kw_only=True, eq=False)
class Truncated(Malformed):
    """The value ends before it is complete."""

    field: str
    needed: int
    got: int


@dataclass(kw_only=True, eq=False)
class NotCanonical(Malformed):
    """Readable, but not the one encoding this value has."""

    cites: ClassVar[str] = "SPEC §1"
    field: str


@dataclass(kw_only=True, eq=False)
class DigestLength(Malformed):
    """A hash must have exactly 32 bytes."""

    field: str
    got: int


@dataclass(kw_only=True, eq=False)
class PathLength(Malformed):
    """Index and sizes fix the length of a path; this one has another."""

    cites: ClassVar[str] = "SPEC §2"
    expected: int
    got: int


@dataclass(kw_only=True, eq=False)
class SizeOrder(Malformed):
    """Sizes must satisfy 1 <= older <= newer <= 2^53-1."""

    cites: ClassVar[str] = "SPEC §2"
    older: int
    newer: int


@dataclass(kw_only=True, eq=False)
class IndexBeyondSize(Malformed):
    """An index must satisfy 0 <= index < size."""

    cites: ClassVar[str] = "SPEC §2"
    index: int
    size: int


@dataclass(kw_only=True, eq=False)
class RecordMalformed(Malformed):
    """A record has another length than its type."""

    expected: int
    got: int


@dataclass(kw_only=True, eq=False)
class WordMalformed(Malformed):
    """A word of a record is out of range or padded wrongly."""

    cites: ClassVar[str] = "SPEC §7"
    index: int


@dataclass(kw_only=True, eq=False)
class EntriesMalformed(Malformed):
    """A validator entry is malformed, zero or out of order."""

    cites: ClassVar[str] = "SPEC §8.1"
    index: int


@dataclass(kw_only=True, eq=False)
class SealsMalformed(Malformed):
    """The list of signatures and addresses is malformed at this member."""

    index: int


@dataclass(kw_only=True, eq=False)
class EntryMalformed(Malformed):
    """A batch entry breaks the 37-byte layout at this offset."""

    cites: ClassVar[str] = "SPEC §3"
    offset: int


@dataclass(kw_only=True, eq=False)
class DisclosureMalformed(Malformed):
    """A disclosure is longer than 8,192 bytes, or not ASCII, from this offset on."""

    cites: ClassVar[str] = "SPEC §3"
    offset: int


@dataclass(kw_only=True, eq=False)
class TerminalMalformed(Malformed):
    """The end of a registry path does not agree with its key."""

    cites: ClassVar[str] = "SPEC §9.1"


@dataclass(kw_only=True, eq=False)
class BatchLength(Malformed):
    """More updates in one call of the contract than it can answer for; send several calls."""

    limit: int
    got: int


@dataclass(kw_only=True, eq=False)
class SettingsMalformed(Malformed):
    """A setting or an option is wrong, missing or unknown; mend `key`."""

    key: str
    rule: str


@dataclass(kw_only=True, eq=False)
class CertificateMalformed(Malformed):
    """A certificate cannot be used for what it was given for; `rule` says what it must be."""

    rule: str


@dataclass(kw_only=True, eq=False)
class EnvelopeUnopenable(Malformed):
    """The envelope was sealed for another key, log or entry, or was changed on the way; seal it again."""

    cites: ClassVar[str] = "SPEC §5"
    length: int


@dataclass(kw_only=True, eq=False)
class AnswerMalformed(Malformed):
    """A server's answer is not what its protocol says; ask another endpoint."""

    endpoint: str
    call: str
    rule: str
