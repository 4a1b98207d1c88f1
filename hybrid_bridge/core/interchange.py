"""A guard's history as a file: from one validator's machine to another, or to another implementation.

JSON in its canonical form (RFC 8785), integers as decimal strings, bytes as hex with 0x: EIP-3076's spelling, strict.
Whoever reads a file merges it (`core.guard.additions`); nothing that a guard knows is ever lowered or forgotten.
Source: RELAYER §5.4.
"""

import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from hybrid_bridge.core.encoding import Json, canonical_json, parse_canonical_json
from hybrid_bridge.core.guard import SETS, Highest, History, PowerStatement, Statement
from hybrid_bridge.core.shape import Codec, array, literal, record
from hybrid_bridge.errors import FieldMalformed, Unknown
from hybrid_bridge.units import MAX_U64, Address, LogId

VERSION: Final = "1"
MAX_FILE: Final = 1 << 26  # bytes; some 400,000 statements: eight years of one every ten minutes
MAX_ROWS: Final = 1 << 19  # of one key; a file cannot hold more, a row is longer than 128 bytes
MAX_KEYS: Final = 256
KINDS: Final = (*SETS, "pause", "resume", "retire")
_DECIMAL: Final = re.compile(r"0|[1-9][0-9]{0,15}")  # 2^53-1 has 16 digits
_HEX: Final = re.compile(r"0x(?:[0-9a-f]{2})*")


@dataclass(frozen=True, slots=True)
class KeyHistory:
    """What one attestation key has said."""

    address: Address
    history: History


@dataclass(frozen=True, slots=True)
class Interchange:
    """The histories of some keys on one log."""

    log_id: LogId
    keys: tuple[KeyHistory, ...]

    def encode(self) -> bytes:
        """The one JCS encoding.

        Raises:
            Malformed: what `decode_interchange` would refuse, such as too many rows for one file.
        """
        document = _Document(_Metadata(VERSION, self.log_id), tuple(map(_to_row, self.keys)))
        data = canonical_json(_CODEC.write(document))
        decode_interchange(data)  # what we write must be what we read
        return data

    def of(self, log_id: LogId, address: Address) -> History:
        """The history of one key on one log; those of other keys are for other guards.

        Raises:
            FieldMalformed: a file of another log.
            Unknown: the file says nothing of this key.
        """
        if self.log_id != log_id:
            raise FieldMalformed(field="metadata.log_id", rule=f"0x{log_id.hex()}, the log of this guard")
        for key in self.keys:
            if key.address == address:
                return key.history
        raise Unknown(what=f"attestation key 0x{address.hex()} in this file")


def decode_interchange(data: bytes) -> Interchange:
    """The inverse of `Interchange.encode`. Nothing is compared with what a guard knows.

    Raises:
        TooLong: more than 64 MiB, or more rows or keys than are read.
        NotCanonical, FieldMalformed: not the one text of any history; sizes not strictly ascending, or below the floor;
            a key, or a number of a power, twice.
    """
    document = _CODEC.parse(parse_canonical_json(data, "guard", MAX_FILE), "guard")
    _require_once([row.attestation_key for row in document.data], "data")
    return Interchange(document.metadata.log_id, tuple(_from_row(row, i) for i, row in enumerate(document.data)))


# ── the document ─────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Metadata:
    interchange_format_version: str
    log_id: LogId


@dataclass(frozen=True, slots=True)
class _Row:
    attestation_key: Address
    floor: Highest
    signed: tuple[Statement, ...]
    power: tuple[PowerStatement, ...]


@dataclass(frozen=True, slots=True)
class _Document:
    metadata: _Metadata
    data: tuple[_Row, ...]


def _to_row(key: KeyHistory) -> _Row:
    return _Row(key.address, key.history.floor, key.history.signed, key.history.power)


def _from_row(row: _Row, index: int) -> KeyHistory:
    place = f"data[{index}]"
    sizes = [statement.size for statement in row.signed]
    if any(later <= earlier for earlier, later in pairwise(sizes)):
        raise FieldMalformed(field=f"{place}.signed", rule="sizes strictly ascending")
    if sizes and sizes[0] < row.floor.size:
        raise FieldMalformed(field=f"{place}.signed", rule="no size below the floor")
    _require_once([power.place for power in row.power], f"{place}.power")
    return KeyHistory(row.attestation_key, History(row.floor, row.signed, row.power))


def _require_once(values: Sequence[Hashable], field: str) -> None:
    if len(set(values)) != len(values):
        raise FieldMalformed(field=field, rule="each once")


def _decimal(low: int = 0) -> Codec[int]:
    """An integer as a decimal string, without leading zeros."""

    def parse(value: Json, field: str) -> int:
        if not isinstance(value, str) or not _DECIMAL.fullmatch(value) or not low <= int(value) <= MAX_U64:
            raise FieldMalformed(field=field, rule=f"a decimal string from {low} to 2^53-1")
        return int(value)

    return Codec(parse, str)


def _hexed(width: int) -> Codec[bytes]:
    """Exactly `width` bytes as lower-case hex with 0x."""

    def parse(value: Json, field: str) -> bytes:
        if not isinstance(value, str) or len(value) != 2 + 2 * width or not _HEX.fullmatch(value):
            raise FieldMalformed(field=field, rule=f"0x and {2 * width} lower-case hex digits")
        return bytes.fromhex(value[2:])

    return Codec(parse, lambda octets: f"0x{octets.hex()}")


_SIZED: Final[dict[str, Codec[Any]]] = {"size": _decimal(1), "root": _hexed(32)}
_POWER: Final[dict[str, Codec[Any]]] = {
    "chain_id": _decimal(),
    "contract": _hexed(20),
    "kind": literal(*KINDS),
    "number": _decimal(),
    "digest": _hexed(32),
}
FLOOR: Final = record(Highest, _SIZED)  # a guard's events spell these three in the same way
STATEMENT: Final = record(Statement, {**_SIZED, "digest": _hexed(32)})
POWER: Final = record(PowerStatement, _POWER)
_ROW: Final[dict[str, Codec[Any]]] = {
    "attestation_key": _hexed(20),
    "floor": FLOOR,
    "signed": array(STATEMENT, MAX_ROWS),
    "power": array(POWER, MAX_ROWS),
}
_METADATA: Final[dict[str, Codec[Any]]] = {"interchange_format_version": literal(VERSION), "log_id": _hexed(32)}
_CODEC: Final = record(
    _Document, {"metadata": record(_Metadata, _METADATA), "data": array(record(_Row, _ROW), MAX_KEYS)}
)
