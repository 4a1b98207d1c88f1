"""One field of a record, opened: a salted string that hashes to a leaf of the record's field tree.

The left half of the leaves are claims, which every member reads; the right half private fields and decoys. Where a
leaf stands says what it is. Source: SPEC §3; the string is an RFC 9901 disclosure of an object property.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, Literal, Protocol, TypeAlias

from hybrid_bridge.core.encoding import b64u, canonical_json, context, parse_b64u, parse_canonical_json, sha256
from hybrid_bridge.core.entry import RecordEntry
from hybrid_bridge.core.proof import as_text, leaf_hash, verify_inclusion
from hybrid_bridge.errors import FieldMalformed, FieldMismatch, TooLong
from hybrid_bridge.units import Digest, LeafIndex, TreeSize

SCHEMA: Final = "_schema"  # a claim of every record; disclosed whenever anything is
ORIGIN: Final = "_origin"  # a claim of every record: the submitter's key id
CHAIN: Final = "_chain"  # private: locator of a foreign record
LABEL: Final = "_label"  # defined, unused
RESERVED: Final = frozenset({SCHEMA, ORIGIN, CHAIN, LABEL})

SALT_BYTES: Final = 32
MAX_NAME: Final = 64
MAX_DISCLOSURE: Final = 8192  # characters
_NAME_AT: Final = len(canonical_json([b64u(bytes(SALT_BYTES))]))  # octets of an array before its second part

Half: TypeAlias = Literal["claim", "private"]
FieldValue: TypeAlias = str | int | bool | None

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)*")
_RESERVED_HALF: Final[dict[str, Half]] = {SCHEMA: "claim", ORIGIN: "claim", CHAIN: "private"}


@dataclass(frozen=True, slots=True)
class Disclosure:
    """A field with its salt; only a well-formed one can be made. Shows neither salt nor value of itself.

    Raises:
        FieldMalformed: salt, name or value outside the table of SPEC §3.
        TooLong: the string has more than 8,192 characters.
    """

    salt: bytes = field(repr=False)
    name: str
    value: FieldValue = field(repr=False)
    _text: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.salt) != SALT_BYTES:
            raise FieldMalformed(field="salt", rule=f"exactly {SALT_BYTES} bytes")
        require_name(self.name)
        if not (self.value is None or isinstance(self.value, str | int)):
            raise FieldMalformed(field=self.name, rule="string, integer, boolean or null")
        text = b64u(canonical_json([b64u(self.salt), self.name, self.value]))
        if len(text) > MAX_DISCLOSURE:
            raise TooLong(field=self.name, limit=MAX_DISCLOSURE, got=len(text))
        object.__setattr__(self, "_text", text)

    def text(self) -> str:
        """The string that is shipped and hashed: b64u(JCS([salt, name, value]))."""
        return self._text

    @property
    def digest(self) -> Digest:
        """f, the field's leaf data."""
        return disclosure_digest(self._text)


def parse_disclosure(text: str) -> Disclosure:
    """The inverse of `Disclosure.text`.

    Raises:
        TooLong: more than 8,192 characters.
        NotCanonical: not the one base64url of the one JSON.
        FieldMalformed: no array of three, or a part outside the table of SPEC §3.
    """
    if len(as_text(text, "disclosure")) > MAX_DISCLOSURE:
        raise TooLong(field="disclosure", limit=MAX_DISCLOSURE, got=len(text))
    parts = parse_canonical_json(parse_b64u(text, "disclosure"), "disclosure", MAX_DISCLOSURE)
    if not isinstance(parts, list) or len(parts) != 3:
        raise FieldMalformed(field="disclosure", rule="an array of salt, name and value")
    salt, name, value = parts
    if not isinstance(salt, str) or not isinstance(name, str):
        raise FieldMalformed(field="disclosure", rule="salt and name are strings")
    if isinstance(value, list | dict):
        raise FieldMalformed(field="disclosure", rule="no array or object as a value")
    return Disclosure(parse_b64u(salt, "salt"), name, value)


def disclosure_named(texts: Iterable[str], name: str) -> Disclosure | None:
    """The field of this name among some that `parse_disclosure` has taken before: no other is parsed again.

    Raises:
        Malformed: one before it is not in base64url, or the one that has this name is no field.
    """
    start = f'"{name}",'.encode("ascii")  # after the salt, whose length is fixed
    found = (text for text in texts if parse_b64u(text, "disclosure")[_NAME_AT:].startswith(start))
    return next(map(parse_disclosure, found), None)


def disclosure_digest(text: str) -> Digest:
    """The f of SPEC §3: H(ASCII(disclosure)). Whether the text is a disclosure is `parse_disclosure`'s to say.

    Raises:
        FieldMalformed: not ASCII.
    """
    return sha256(disclosure_octets(text))


def disclosure_octets(text: str) -> bytes:
    """A disclosure's text as it stands in binary structs.

    Raises:
        FieldMalformed: not ASCII.
    """
    if not text.isascii():
        raise FieldMalformed(field="disclosure", rule="ASCII")
    return text.encode("ascii")


def decoy_digest(seed: bytes) -> Digest:
    """The leaf data of a field decoy: H(CTX("field-decoy") ‖ 32 random bytes).

    Raises:
        FieldMalformed: not 32 bytes.
    """
    if len(seed) != 32:
        raise FieldMalformed(field="decoy", rule="exactly 32 bytes")
    return sha256(context("field-decoy") + seed)


def require_name(name: str) -> str:
    """`name` if a field may have it.

    Raises:
        FieldMalformed: outside the pattern of SPEC §3, or reserved and not defined there.
    """
    if len(name) > MAX_NAME or not (name in RESERVED or _NAME.fullmatch(name)):
        raise FieldMalformed(field="name", rule="[a-z][a-z0-9_]*(.[a-z0-9_]+)*, at most 64 characters, or defined")
    return name


def require_half(name: str, half: Half) -> None:
    """A reserved name stands only in its own half; what other names may do is their schema's to say.

    Raises:
        FieldMismatch: `_schema` or `_origin` among the private fields, `_chain` among the claims.
    """
    expected = _RESERVED_HALF.get(name, half)
    if expected != half:
        raise FieldMismatch(field=name, expected=expected, got=half)


def require_once(names: Sequence[str]) -> None:
    """Every name stands once in a record.

    Raises:
        FieldMalformed: one stands twice.
    """
    ordered = sorted(names)
    for name, following in pairwise(ordered):
        if name == following:
            raise FieldMalformed(field=name, rule="once in a record")


# ── what an outsider checks ──────────────────────────────────────────────────────────────────────────────────────────


class Shown(Protocol):
    """A disclosure as bundles and deliveries show it: the string, its leaf index, its path in the field tree."""

    @property
    def value(self) -> str:
        """The disclosure string."""

    @property
    def index(self) -> int:
        """Of its leaf, from zero."""

    @property
    def path(self) -> Sequence[bytes]:
        """Siblings from the leaf up."""


@dataclass(frozen=True, slots=True)
class OpenedField:
    """A field that was shown to stand in a record."""

    disclosure: Disclosure
    is_claim: bool


def verify_disclosure_at(
    text: str, index: LeafIndex, path: Sequence[Digest], entry: RecordEntry
) -> tuple[Disclosure, bool]:
    """The field that stands at `index` of the record, and whether it is a claim: it is if index < width / 2.

    NOT CHECKED HERE: that the record's schema gives the name this half; `open_fields` does.

    Raises:
        Malformed: the text or the path.
        RootMismatch: the field does not stand there.
        FieldMismatch: a reserved name in the half that is not its own.
    """
    disclosure = parse_disclosure(text)
    verify_inclusion(leaf_hash(disclosure.digest), index, TreeSize(entry.width), path, entry.field_root)
    is_claim = index < entry.width // 2
    require_half(disclosure.name, "claim" if is_claim else "private")
    return disclosure, is_claim


def open_fields(
    entry: RecordEntry, shown: Sequence[Shown], half_of: Callable[[str, str], Half]
) -> tuple[OpenedField, ...]:
    """All fields shown of one record, each at its place and in the half its schema gives its name.

    Args:
        entry: the record's.
        shown: ascending by index; empty is allowed.
        half_of: (schema name, field name) → half; raises a BridgeError for what it does not know.

    Raises:
        Malformed: order, text or path; a name twice; something shown without `_schema`.
        RootMismatch: a field does not stand where it is shown.
        FieldMismatch: a claim among the private fields, or the other way round.
    """
    for one, following in pairwise(shown):
        if one.index >= following.index:
            raise FieldMalformed(field="disclosures", rule="strictly ascending by index")
    opened = [_open(part, entry) for part in shown]
    require_once([part.disclosure.name for part in opened])
    schema = next((part.disclosure.value for part in opened if part.disclosure.name == SCHEMA), None)
    if opened and not isinstance(schema, str):
        raise FieldMalformed(field=SCHEMA, rule="a string, disclosed whenever anything is")
    for part in opened:
        got: Half = "claim" if part.is_claim else "private"
        name = part.disclosure.name
        expected = got if name in RESERVED else half_of(str(schema), name)
        if expected != got:
            raise FieldMismatch(field=name, expected=expected, got=got)
    return tuple(opened)


def _open(part: Shown, entry: RecordEntry) -> OpenedField:
    path = [Digest(sibling) for sibling in part.path]
    disclosure, is_claim = verify_disclosure_at(part.value, LeafIndex(part.index), path, entry)
    return OpenedField(disclosure, is_claim)
