"""What a field may hold, which fields a record has, and the claims of one record once they have been checked.

A claim travels inside the transaction and stays readable for ever; a private field goes sealed to its audience.
The schema fixes which a name is, so that no second `face` can hide among the private fields.
Source: SCENARIOS S1, S5; SPEC §3.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Final

from hybrid_bridge.business.scopes import is_scope
from hybrid_bridge.core.disclosure import FieldValue, Half
from hybrid_bridge.core.encoding import parse_b64u
from hybrid_bridge.errors import FieldMalformed, NotCanonical
from hybrid_bridge.units import MAX_U64, RecordType

# ISO 4217 with the exponent of the minor unit, pinned: a change would change the meaning of every amount.
CURRENCIES: Final[Mapping[str, int]] = {
    "AED": 2, "AUD": 2, "BRL": 2, "CAD": 2, "CHF": 2, "CNY": 2, "CZK": 2, "DKK": 2, "EUR": 2, "GBP": 2,
    "HKD": 2, "HUF": 2, "IDR": 2, "ILS": 2, "INR": 2, "JPY": 0, "KRW": 0, "KWD": 3, "MOP": 2, "MXN": 2,
    "MYR": 2, "NOK": 2, "NZD": 2, "PHP": 2, "PLN": 2, "RUB": 2, "SAR": 2, "SEK": 2, "SGD": 2, "THB": 2,
    "TRY": 2, "TWD": 2, "USD": 2, "VND": 0, "ZAR": 2,
}  # fmt: skip

_AMOUNT: Final = re.compile(r"0|[1-9][0-9]{0,17}")
_ID16: Final = re.compile(r"[0-9a-f]{32}")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INDEX: Final = r"(0|[1-9][0-9]{0,3})"
_RULES: Final = {
    "amount": "decimal string of minor units, at most 18 digits",
    "ccy": "a currency of the pinned table",
    "id16": "32 hex digits, lower case",
    "key": "base64url of 32 bytes",
    "digest": "base64url of 32 bytes",
    "date": "YYYY-MM-DD",
    "time": "whole seconds, 0 to 2^53-1",
    "count": "whole number, 0 to 2^53-1",
    "bps": "0 to 10000",
    "flag": "true or false",
    "text": "a string",
    "scope": "ALL, TYPE:0x and four hex digits, or MEMBER: and a key id",
}


@dataclass(frozen=True, slots=True)
class FieldType:
    """One type of S5, `count` (a plain number) or `flag` (a boolean); `codes` closes the list of a `code`."""

    name: str
    codes: tuple[str, ...] = ()

    def require(self, value: FieldValue, where: str) -> None:
        """Accept a value of this type.

        Raises:
            FieldMalformed: any other; `field` is `where`.
        """
        if not (value in self.codes if self.name == "code" else _holds(self.name, value)):
            rule = "one of " + ", ".join(self.codes) if self.name == "code" else _RULES[self.name]
            raise FieldMalformed(field=where, rule=rule)


def _holds(kind: str, value: FieldValue) -> bool:
    if kind == "flag":
        return isinstance(value, bool)
    if kind in ("time", "count", "bps"):
        return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _largest(kind)
    return isinstance(value, str) and _is_text(kind, value)


def _largest(kind: str) -> int:
    return 10_000 if kind == "bps" else MAX_U64


def _is_text(kind: str, value: str) -> bool:
    match kind:
        case "amount":
            return _AMOUNT.fullmatch(value) is not None
        case "ccy":
            return value in CURRENCIES
        case "id16":
            return _ID16.fullmatch(value) is not None
        case "date" | "scope":
            return _is_date(value) if kind == "date" else is_scope(value)
        case "key" | "digest":
            return _is_digest(value)
        case _:
            return True  # text


def _is_date(value: str) -> bool:
    try:
        return _DATE.fullmatch(value) is not None and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _is_digest(value: str) -> bool:
    try:
        return len(parse_b64u(value, "key")) == 32
    except NotCanonical:
        return False


AMOUNT: Final = FieldType("amount")
CCY: Final = FieldType("ccy")
ID16: Final = FieldType("id16")
KEY: Final = FieldType("key")
DIGEST: Final = FieldType("digest")
DATE: Final = FieldType("date")
TIME: Final = FieldType("time")
COUNT: Final = FieldType("count")
BPS: Final = FieldType("bps")
FLAG: Final = FieldType("flag")
SCOPE: Final = FieldType("scope")
TEXT: Final = FieldType("text")  # private only: free text in a claim could never be erased


@dataclass(frozen=True, kw_only=True)
class Schema:
    """One record type: its fields, and which of them everybody in the consortium reads.

    Names with a segment `k` repeat: `child.k.face` is `child.0.face`, `child.1.face` and so on. Every claim is
    required; a repeated group has 1 to `repeats[group]` rows, numbered from zero without a gap. Private fields are
    all optional: who must show which is a matter between the parties.
    """

    name: str
    record_type: RecordType
    authorised_by: str  # for people; the state machine decides
    claims: Mapping[str, FieldType]
    private: Mapping[str, FieldType] = field(default_factory=dict)
    repeats: Mapping[str, int] = field(default_factory=dict)
    apart: tuple[str, ...] = ()  # private fields of which a record holds one at most
    label_types: frozenset[int] = frozenset()  # identity labels that may stand beside the record
    audience: str = "the authorising parties, those the record is addressed to, and the regulator"

    @cached_property
    def _patterns(self) -> tuple[tuple[re.Pattern[str], Half, FieldType], ...]:
        halves: tuple[tuple[Half, Mapping[str, FieldType]], ...] = (("claim", self.claims), ("private", self.private))
        return tuple((_pattern(name), half, kind) for half, table in halves for name, kind in table.items())

    def find(self, name: str) -> tuple[Half, FieldType]:
        """Which half a name stands in, and its type.

        Raises:
            FieldMalformed: the schema has no such field, or the group no such row.
        """
        for pattern, half, kind in self._patterns:
            if pattern.fullmatch(name):
                self._require_row(name)
                return half, kind
        raise FieldMalformed(field=name, rule=f"a field of {self.name}")

    def _require_row(self, name: str) -> None:
        """No row beyond the last that the group can have: whoever adds up its rows would not look there."""
        group, _, rest = name.partition(".")
        most = self.repeats.get(group)
        if most is not None and int(rest.partition(".")[0]) >= most:
            raise FieldMalformed(field=name, rule=f"a row below {most}")

    def require_half(self, name: str, *, is_claim: bool) -> None:
        """A disclosed name must stand in the half its schema gives it (SPEC §3).

        Raises:
            FieldMalformed: unknown name, or the other half.
        """
        half, _ = self.find(name)
        if is_claim != (half == "claim"):
            raise FieldMalformed(field=name, rule=f"{half} of {self.name}")

    def require_private(self, values: Mapping[str, FieldValue]) -> None:
        """Private fields: known names, typed values.

        Raises:
            FieldMalformed: a claim among them, an unknown name or another type; two that exclude one another.
        """
        for name in [name for name in self.apart if name in values][1:]:
            raise FieldMalformed(field=name, rule=f"one of {', '.join(self.apart)}")
        for name, value in values.items():
            self.require_half(name, is_claim=False)
            self.find(name)[1].require(value, name)

    def parse_claims(self, values: Mapping[str, FieldValue]) -> "Claims":
        """Every claim present, none unknown, each of its type, rows without a gap (S1).

        Raises:
            FieldMalformed: otherwise; `field` is the claim.
        """
        rows = {group: _row_count(group, values) for group in self.repeats}
        for group, count in rows.items():
            if not 1 <= count <= self.repeats[group]:
                raise FieldMalformed(field=group, rule=f"1 to {self.repeats[group]} rows")
        expected = {name: kind for pattern, kind in self.claims.items() for name in _expand(pattern, rows)}
        for name in sorted(values.keys() - expected.keys()):
            self.require_half(name, is_claim=True)
            raise FieldMalformed(field=name, rule="numbered from zero without a gap")
        for name, kind in expected.items():
            if name not in values:
                raise FieldMalformed(field=name, rule=f"a required claim of {self.name}")
            kind.require(values[name], name)
        return Claims(values=dict(values), rows=rows)


def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(r"\.".join(_INDEX if part == "k" else re.escape(part) for part in name.split(".")))


def _group(pattern: str) -> str | None:
    """The group of a repeated name: `child` of `child.k.face`."""
    head, repeated, _ = f"{pattern}.".partition(".k.")
    return head if repeated else None


def _row_count(group: str, values: Mapping[str, FieldValue]) -> int:
    return len({name.split(".")[1] for name in values if name.startswith(f"{group}.")})


def _expand(pattern: str, rows: Mapping[str, int]) -> list[str]:
    group = _group(pattern)
    if group is None:
        return [pattern]
    return [pattern.replace(".k", f".{k}", 1) for k in range(rows[group])]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """The claims of one record, known to be complete and typed. Only `Schema.parse_claims` makes one."""

    values: Mapping[str, FieldValue]
    rows: Mapping[str, int]

    def text(self, name: str) -> str:
        """A key, id, date, code or currency, as it stands."""
        return str(self.values[name])

    def amount(self, name: str) -> int:
        """Minor units."""
        return int(self.text(name))

    def number(self, name: str) -> int:
        """A time, a count or basis points."""
        return int(self.text(name))

    def flag(self, name: str) -> bool:
        """A boolean."""
        return self.values[name] is True

    def column(self, pattern: str) -> list[str]:
        """The values of a repeated name, in order."""
        return [self.text(name) for name in _expand(pattern, self.rows)]
