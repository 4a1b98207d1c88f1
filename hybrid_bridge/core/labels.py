"""Labels: the canonical names of things outside (`INV-001` of that creditor) and of what happens to an object.

An identity label says "this outside thing is object X" and has version 0 only; the life label of an object has one
version for each recorded event. A label can be held only in its one spelling, so that two writers meet at one index.
Source: SPEC §9.2, §9.3; SCENARIOS S4.
"""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from hybrid_bridge.core import identifiers as ids
from hybrid_bridge.core.encoding import (
    Json,
    Reader,
    Writer,
    b64u,
    canonical_json,
    context,
    parse_b64u,
    parse_canonical_json,
    require_digest,
)
from hybrid_bridge.core.label_table import (
    CREDITOR_INVOICE,
    CREDITOR_INVOICE_LOOSE,
    E_INVOICE,
    INVOICE_TERMS,
    LABEL_TABLE,
    LIFE,
    TABLE_VERSION,
    label_table_hash,
)
from hybrid_bridge.core.proof import as_integer, as_sequence
from hybrid_bridge.errors import FieldMalformed, NotCanonical
from hybrid_bridge.units import Commitment, Digest, LogId, RecordType

__all__ = [
    "LABEL_TABLE",
    "LIFE",
    "TABLE_VERSION",
    "IdentityValue",
    "Label",
    "LifeValue",
    "alpha",
    "commitment",
    "creditor_invoice",
    "creditor_invoice_loose",
    "e_invoice",
    "event_code",
    "identity_value",
    "invoice_terms",
    "label_table_hash",
    "life",
    "life_value",
    "normalised",
]

MAX_PART: Final = 512  # bytes; the longest spelling has 64 characters
MAX_VALUE: Final = 8_192  # bytes of a value's JSON
COMMITMENT_KEY: Final = b"hybrid-bridge/v1/registry-commitment"
_EVENT_CODE: Final = re.compile(r"0x[0-9a-f]{4}")
_OBJECT_ID: Final = re.compile(ids.OBJECT_ID.pattern)


# ── labels ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Label:
    """One label in its one spelling. `normalised` makes one from what people write.

    Raises:
        FieldMalformed: an unknown type, another number of parts, or a part that no normaliser accepts.
        NotCanonical: a part in another spelling than its one.
    """

    type: int
    parts: tuple[str, ...]

    def __post_init__(self) -> None:
        if _normalised(self.type, self.parts) != self.parts:
            raise NotCanonical(field="label.parts")

    @property
    def kind(self) -> str:
        """life, hard or soft."""
        return LABEL_TABLE[self.type].kind

    def describe(self) -> str:
        """For people: what kind of label, and its parts."""
        return f"{LABEL_TABLE[self.type].name} {' '.join(self.parts)}"

    def encode(self) -> bytes:
        """U16 type ‖ u8 parts ‖ parts × (u16 length ‖ UTF-8)."""
        writer = Writer().u16(self.type, "label.type").u8(len(self.parts), "label.parts")
        for part in self.parts:
            writer.opaque(part.encode("utf-8"), 2, "label.part")
        return writer.bytes()

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The inverse of `encode`.

        Raises:
            Truncated, TrailingBytes, TooLong, NotCanonical: no label's bytes.
            FieldMalformed, NotCanonical: as the class.
        """
        reader = Reader(data)
        label_type, count = reader.u16("label.type"), reader.u8("label.parts")
        try:
            parts = tuple(reader.opaque(2, "label.part", MAX_PART).decode("utf-8") for _ in range(count))
        except UnicodeDecodeError:
            raise NotCanonical(field="label.part") from None
        reader.end("label")
        return cls(label_type, parts)


def normalised(label_type: int, *parts: str) -> Label:
    """The label of these parts as people write them, in the order of the table.

    Raises:
        FieldMalformed: an unknown type, another number of parts, or a part without a spelling.
        TooLong: a part of more than 256 characters.
    """
    return Label(label_type, _normalised(label_type, parts))


def _normalised(label_type: int, parts: tuple[str, ...]) -> tuple[str, ...]:
    row = LABEL_TABLE.get(as_integer(label_type, "label.type"))
    if row is None:
        raise FieldMalformed(field="label.type", rule=f"1 to {max(LABEL_TABLE)}")
    if len(as_sequence(parts, "label.parts")) != len(row.parts):
        raise FieldMalformed(field="label.parts", rule=", ".join(row.parts))
    return row.normalise(*parts)


def life(object_type: str, object_id: str) -> Label:
    """What has happened to an object: one version for each event."""
    return normalised(LIFE, object_type, object_id)


def e_invoice(jurisdiction: str, number: str) -> Label:
    """An e-invoice by its number, in China of 20 digits, elsewhere a UUID."""
    return normalised(E_INVOICE, jurisdiction, number)


def creditor_invoice(party: str, number: str) -> Label:
    """An invoice by its creditor and number; `party` as `identifiers.party` writes it."""
    return normalised(CREDITOR_INVOICE, party, number)


def creditor_invoice_loose(party: str, number: str, ordinal: int = 1) -> Label:
    """As `creditor_invoice`, separators and leading zeros forgotten; the debtor tells real twins apart by ordinals."""
    return normalised(CREDITOR_INVOICE_LOOSE, party, ids.inv_no_loose(number), str(ordinal))


def invoice_terms(debtor: str, ccy: str, gross: str, issue_date: str, ordinal: int = 1) -> Label:
    """An invoice by who owes how much since when; `gross` in minor units."""
    return normalised(INVOICE_TERMS, debtor, ccy, gross, issue_date, str(ordinal))


# ── index and commitment ─────────────────────────────────────────────────────────────────────────────────────────────


def alpha(log_id: LogId, label: Label, version: int) -> bytes:
    """The VRF input: CTX("label") ‖ log_id ‖ label ‖ u32 version.

    Raises:
        FieldMalformed: a version other than 0 of an identity label, or beyond a u32.
    """
    _require_version(label, version)
    writer = Writer(context("label")).b32(log_id, "log_id")
    encoded = label.encode()
    return writer.fixed(encoded, len(encoded), "label").u32(version, "label.version").bytes()


def commitment(opening: bytes, log_id: LogId, label: Label, version: int, value: bytes) -> Commitment:
    """The hiding commitment to `value` at `version` of `label` (SPEC §9.3).

    Raises:
        FieldMalformed: as `alpha`; an opening that has not 32 bytes; a value of more than 65,535 bytes.
    """
    _require_version(label, version)
    writer = Writer().b32(opening, "opening").b32(log_id, "log_id").opaque(label.encode(), 2, "label")
    writer.u32(version, "label.version").opaque(value, 2, "value")
    return Commitment(hmac.digest(COMMITMENT_KEY, writer.bytes(), "sha256"))


def _require_version(label: Label, version: int) -> None:
    if version != 0 and label.type != LIFE:
        raise FieldMalformed(field="label.version", rule="0 for an identity label")


# ── what a commitment opens to ───────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class IdentityValue:
    """This outside thing is that object, by that entry.

    Raises:
        DigestLength: the leaf has not 32 bytes.
        FieldMalformed: the object id is not 32 hex digits, lower case.
    """

    entry_leaf: Digest
    object_id: str
    table: str = TABLE_VERSION

    def __post_init__(self) -> None:
        require_digest(self.entry_leaf, "entry")
        if _OBJECT_ID.fullmatch(self.object_id) is None:
            raise FieldMalformed(field="object", rule="32 hex digits, lower case")

    def encode(self) -> bytes:
        """JCS of entry, object, table."""
        return canonical_json({"entry": b64u(self.entry_leaf), "object": self.object_id, "table": self.table})

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The inverse of `encode`.

        Raises:
            TooLong, NotCanonical, FieldMalformed, DigestLength: no value of an identity label.
        """
        entry, object_id, table = _members(data, ("entry", "object", "table"))
        return cls(Digest(parse_b64u(_text(entry), "entry")), _text(object_id), _text(table))


@dataclass(frozen=True, slots=True)
class LifeValue:
    """The event, its entry, and the state after it. `code` is the record type as `event_code` writes it.

    Raises:
        DigestLength: the leaf has not 32 bytes.
        FieldMalformed: the code is not 0x and four hex digits.
    """

    code: str
    entry_leaf: Digest
    state: Mapping[str, Json]

    def __post_init__(self) -> None:
        require_digest(self.entry_leaf, "entry")
        if _EVENT_CODE.fullmatch(self.code) is None:
            raise FieldMalformed(field="code", rule="0x and four hex digits, lower case")

    def encode(self) -> bytes:
        """JCS of code, entry, state."""
        return canonical_json({"code": self.code, "entry": b64u(self.entry_leaf), "state": dict(self.state)})

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The inverse of `encode`.

        Raises:
            TooLong, NotCanonical, FieldMalformed, DigestLength: no value of a life label.
        """
        code, entry, state = _members(data, ("code", "entry", "state"))
        if not isinstance(state, dict):
            raise FieldMalformed(field="value", rule="state is an object")
        return cls(_text(code), Digest(parse_b64u(_text(entry), "entry")), state)


def identity_value(entry_leaf: Digest, object_id: str, table: str = TABLE_VERSION) -> bytes:
    """The bytes of an `IdentityValue`."""
    return IdentityValue(entry_leaf, object_id, table).encode()


def life_value(code: str, entry_leaf: Digest, state: Mapping[str, Json]) -> bytes:
    """The bytes of a `LifeValue`."""
    return LifeValue(code, entry_leaf, state).encode()


def event_code(record_type: RecordType) -> str:
    """A record type as it stands in a life value: `0x0101`."""
    return f"0x{record_type:04x}"


def _members(data: bytes, names: tuple[str, ...]) -> list[Json]:
    value = parse_canonical_json(data, "value", MAX_VALUE)
    if not isinstance(value, dict) or tuple(value) != names:
        raise FieldMalformed(field="value", rule=f"an object of {', '.join(names)}")
    return list(value.values())


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise FieldMalformed(field="value", rule="texts, save the state")
    return value
