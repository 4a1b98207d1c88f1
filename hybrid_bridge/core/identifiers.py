"""Outside numbers, each in its one spelling: so that `INV-001`, `inv—001` and full-width digits are one invoice.

NFKC → drop spaces, controls and zero-width characters → every dash becomes `-` → ASCII upper case → codes also drop
`- . / ( )` → the form's pattern → its check digit. What is outside the pattern is refused, never dropped: a
Cyrillic letter cannot pass for a Latin one. Source: SPEC §9.2; SCENARIOS S4, S5.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import reduce
from itertools import cycle
from typing import Final

from hybrid_bridge.core.proof import as_text
from hybrid_bridge.errors import FieldMalformed, TooLong

MAX_TEXT: Final = 256  # characters before normalising; the longest form has 70
SEPARATORS: Final = "-./()"
_SCHEMES: Final = ("USCI", "LEI", "VAT")  # of a party, in this order of preference
_GONE: Final = (
    *range(0x21),  # controls and the space
    *range(0x7F, 0xA1),
    0xAD,  # soft hyphen
    0x34F,
    0x1680,
    *range(0x180B, 0x180F),
    *range(0x2000, 0x2010),  # spaces, zero width, direction marks
    *range(0x2028, 0x2030),
    *range(0x205F, 0x2070),
    0x3000,
    *range(0xFE00, 0xFE10),  # variation selectors
    0xFEFF,
)
_DASHES: Final = (
    *(0x58A, 0x5BE, 0x1806, *range(0x2010, 0x2016), 0x2212, 0x301C, 0x3030, 0x30A0, 0xFE58, 0xFE63, 0xFF0D),
    0x4E00,  # the ideograph for one: nobody sees that it is no dash
)
_TABLE: Final[Mapping[int, int | None]] = {**dict.fromkeys(_GONE), **dict.fromkeys(_DASHES, ord("-"))}
_UPPER: Final = {ord(c): ord(c.upper()) for c in "abcdefghijklmnopqrstuvwxyz"}
_LOWER: Final = {upper: lower for lower, upper in _UPPER.items()}
_CASES: Final[Mapping[str, Mapping[int, int]]] = {"upper": _UPPER, "lower": _LOWER, "kept": {}}
_CODE: Final = dict.fromkeys(map(ord, SEPARATORS))


@dataclass(frozen=True, slots=True)
class Form:
    """What a number looks like in its one spelling. Data: the label table is made of it."""

    name: str
    pattern: str
    case: str = "upper"  # upper, lower, or kept
    code: bool = False  # separators mean nothing and are dropped
    check: str = ""  # which check digit, a key of `_CHECKS`

    def normalise(self, text: str) -> str:
        """The one spelling of `text`; that of a spelling is itself.

        Raises:
            TooLong: more than 256 characters.
            FieldMalformed: it has none: a foreign character, another length, a wrong check digit.
        """
        spelt = _spelt(text, self)
        if re.fullmatch(self.pattern, spelt) is None:
            raise FieldMalformed(field=self.name, rule=self.pattern)
        if self.check and not _CHECKS[self.check](spelt):
            raise FieldMalformed(field=self.name, rule=f"check digit of {self.check}")
        return spelt


def _spelt(text: str, form: Form) -> str:
    if len(as_text(text, form.name)) > MAX_TEXT:
        raise TooLong(field=form.name, limit=MAX_TEXT, got=len(text))
    if not (text.isascii() or all(map(_is_old, text))):
        raise FieldMalformed(field=form.name, rule="characters of Unicode 3.2")
    spelt = unicodedata.normalize("NFKC", text).translate(_TABLE).translate(_CASES[form.case])
    return spelt.translate(_CODE) if form.code else spelt


def _is_old(character: str) -> bool:
    """Known to Unicode 3.2, or a plain ideograph: what NFKC makes of these no later table changes."""
    return "\u9fa6" <= character <= "\u9fff" or unicodedata.ucd_3_2_0.category(character) != "Cn"


# ── check digits ─────────────────────────────────────────────────────────────────────────────────────────────────────

_USCI_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LETTER_VALUES: Final = dict(zip(_LETTERS, (v for v in range(10, 39) if v % 11), strict=True))  # ISO 6346


def usci_check_digit(first17: str) -> str:
    """The last character of a unified social credit identifier (GB 32100-2015): weights 3^i mod 31.

    Raises:
        FieldMalformed: not the first 17 characters of one.
    """
    _require(r"[0-9A-HJ-NPQRTUWXY]{17}", first17, "usci")
    total = sum(_USCI_ALPHABET.index(c) * pow(3, i, 31) for i, c in enumerate(first17))
    return _USCI_ALPHABET[-total % 31]


def lei_check_digits(first18: str) -> str:
    """The last two digits of a legal entity identifier (ISO 17442; ISO/IEC 7064 mod 97-10).

    Raises:
        FieldMalformed: not the first 18 characters of one.
    """
    _require(r"[0-9A-Z]{18}", first18, "lei")
    return f"{98 - _mod_97(first18 + '00'):02}"


def gs1_check_digit(digits: str) -> str:
    """The last digit of a GTIN or GLN (GS1 mod 10): weights 3, 1, 3 … from the right.

    Raises:
        FieldMalformed: anything but digits.
    """
    _require(r"[0-9]{1,17}", digits, "gtin")
    return str(-sum(int(d) * w for d, w in zip(reversed(digits), cycle((3, 1)), strict=False)) % 10)


def container_check_digit(first10: str) -> str:
    """The last digit of a freight container's number (ISO 6346): weights 2^i, mod 11, mod 10.

    Raises:
        FieldMalformed: not the first 10 characters of one.
    """
    _require(r"[A-Z]{3}[UJZ][0-9]{6}", first10, "container")
    values = [_LETTER_VALUES[c] if c in _LETTER_VALUES else int(c) for c in first10]
    return str(sum(value << i for i, value in enumerate(values)) % 11 % 10)


def _mod_97(text: str) -> int:
    return reduce(lambda left, c: (left * (10 if c.isdigit() else 100) + int(c, 36)) % 97, text, 0)


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _require(pattern: str, text: str, field: str) -> None:
    if re.fullmatch(pattern, as_text(text, field)) is None:
        raise FieldMalformed(field=field, rule=pattern)


_CHECKS: Final[Mapping[str, Callable[[str], bool]]] = {
    "GB 32100": lambda text: usci_check_digit(text[:-1]) == text[-1],
    "ISO 17442": lambda text: _mod_97(text) == 1,
    "GS1": lambda text: gs1_check_digit(text[:-1]) == text[-1],
    "GS1 of 14": lambda text: gs1_check_digit(text[:13]) == text[13],
    "ISO 6346": lambda text: container_check_digit(text[:-1]) == text[-1],
    "calendar": _is_date,
}

# ── forms ────────────────────────────────────────────────────────────────────────────────────────────────────────────

_GS1_TEXT: Final = r"""!"%&'()*+,\-./0-9:;<=>?A-Z_"""  # GS1 General Specifications, character set 82, less lower case

USCI: Final = Form("usci", r"[0-9A-HJ-NPQRTUWXY]{18}", code=True, check="GB 32100")
LEI: Final = Form("lei", r"[0-9A-Z]{18}[0-9]{2}", code=True, check="ISO 17442")
VAT: Final = Form("vat", r"[A-Z]{2}[0-9A-Z+*]{2,15}", code=True)
CN_EINV: Final = Form("cn-einv", r"[0-9]{20}", code=True)
CN_DECL: Final = Form("cn-decl", r"[0-9]{4}20[0-9]{2}[01][0-9]{9}", code=True)
INV_NO: Final = Form("inv-no", r"[0-9A-Z\u4e00-\u9fff./()-]{1,64}")
INV_NO_LOOSE: Final = Form("inv-no loose", r"[0-9A-Z\u4e00-\u9fff]{1,64}", code=True)
GTIN: Final = Form("gtin", r"[0-9]{14}", code=True, check="GS1")
GLN: Final = Form("gln", r"[0-9]{13}", code=True, check="GS1")
SGTIN: Final = Form("sgtin", rf"[0-9]{{14}}[{_GS1_TEXT}a-z]{{1,20}}", case="kept", check="GS1 of 14")
LOT: Final = Form("lot", rf"[{_GS1_TEXT}]{{1,20}}")
CONTAINER: Final = Form("container", r"[A-Z]{3}[UJZ][0-9]{7}", code=True, check="ISO 6346")
CARRIER: Final = Form("carrier", r"[0-9A-Z]{2,4}", code=True)
EBL: Final = Form("ebl", r"[0-9A-Z]{1,20}", code=True)
UUID: Final = Form("uuid", r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", case="lower")
SHA256: Final = Form("sha-256", r"[0-9a-f]{64}", case="lower")
OBJECT_ID: Final = Form("object id", r"[0-9a-f]{32}", case="lower")
OBJECT_TYPE: Final = Form("object type", r"[a-z][a-z0-9_]{0,31}", case="kept")
JURISDICTION: Final = Form("jurisdiction", r"[A-Z]{2}")
CCY: Final = Form("ccy", r"[A-Z]{3}")
AMOUNT: Final = Form("amount", r"0|[1-9][0-9]{0,17}")
DATE: Final = Form("date", r"[0-9]{4}-[0-9]{2}-[0-9]{2}", check="calendar")
PERIOD: Final = Form("period", r"[0-9]{4}(-(0[1-9]|1[0-2]|Q[1-4]))?|[0-9]{4}-[0-9]{2}-[0-9]{2}")
NAME: Final = Form("name", r"[0-9A-Z\u4e00-\u9fff._/()-]{1,64}")  # of a register or a schema
ORDINAL: Final = Form("ordinal", r"[1-9][0-9]{0,3}")

FORMS: Final = (
    *(USCI, LEI, VAT, CN_EINV, CN_DECL, INV_NO, INV_NO_LOOSE, GTIN, GLN, SGTIN, LOT, CONTAINER, CARRIER, EBL, UUID),
    *(SHA256, OBJECT_ID, OBJECT_TYPE, JURISDICTION, CCY, AMOUNT, DATE, PERIOD, NAME, ORDINAL),
)


def usci(text: str) -> str:
    """Unified social credit identifier, 18 characters (GB 32100-2015)."""
    return USCI.normalise(text)


def lei(text: str) -> str:
    """Legal entity identifier, 20 characters (ISO 17442)."""
    return LEI.normalise(text)


def cn_einv(text: str) -> str:
    """Number of a Chinese fully digital e-invoice, 20 digits."""
    return CN_EINV.normalise(text)


def cn_decl(text: str) -> str:
    """Number of a Chinese customs declaration, 18 digits: customs 4, year 4, flag 1, sequence 9."""
    return CN_DECL.normalise(text)


def inv_no(text: str) -> str:
    """A creditor's own invoice number, separators kept."""
    return INV_NO.normalise(text)


def inv_no_loose(text: str) -> str:
    """`inv_no` without separators and without the leading zeros of each run of digits: `INV-001` gives `INV1`."""
    return INV_NO_LOOSE.normalise(re.sub(r"(?<![0-9])0+(?=[0-9])", "", _spelt(text, INV_NO_LOOSE)))


def gtin(text: str) -> str:
    """GTIN-8, -12, -13 or -14, padded to 14 digits."""
    digits = _spelt(text, GTIN)
    return GTIN.normalise(digits.zfill(14) if len(digits) in {8, 12, 13} else digits)


def gln(text: str) -> str:
    """Global location number, 13 digits."""
    return GLN.normalise(text)


def sgtin(item: str, serial: str) -> str:
    """GTIN-14 and serial number, whose case is kept."""
    return SGTIN.normalise(gtin(item) + serial)


def container(text: str) -> str:
    """Number of a freight container (ISO 6346)."""
    return CONTAINER.normalise(text)


def ebl(carrier: str, reference: str) -> tuple[str, str]:
    """Carrier code and transport document reference."""
    return CARRIER.normalise(carrier), EBL.normalise(reference)


def uuid(text: str) -> str:
    """A UUID with its dashes, lower case (RFC 9562 §4)."""
    return UUID.normalise(text)


def calendar_date(text: str) -> str:
    """YYYY-MM-DD, a day that exists."""
    return DATE.normalise(text)


def amount(text: str) -> str:
    """Minor units: no sign, no leading zero, at most 18 digits (SCENARIOS S5)."""
    return AMOUNT.normalise(text)


def currency(text: str) -> str:
    """Three letters of ISO 4217; which ones a ledger takes is for its schemas."""
    return CCY.normalise(text)


def party(*, usci: str | None = None, lei: str | None = None, vat: str | None = None) -> str:
    """A firm's name in labels: `USCI:`, else `LEI:`, else `VAT:` with its country, then the id.

    Raises:
        FieldMalformed: none given, or the one that counts has no spelling.
    """
    for scheme, given in zip(_SCHEMES, (usci, lei, vat), strict=True):
        if given is not None:
            return party_id(f"{scheme}:{given}")
    raise FieldMalformed(field="party", rule="one of usci, lei, vat")


def party_id(text: str) -> str:
    """A party that carries its scheme already, in its one spelling.

    Raises:
        FieldMalformed: no scheme of ours, or the id has no spelling under it.
    """
    scheme, _, rest = _spelt(text, VAT).partition(":")
    for form in (USCI, LEI, VAT):
        if scheme == form.name.upper():
            return f"{form.name.upper()}:{form.normalise(rest)}"
    raise FieldMalformed(field="party", rule="begins with USCI:, LEI: or VAT:")
