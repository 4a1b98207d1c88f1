"""The canonical labels that follow from a document as people hold it: an invoice, a declaration, a bill of lading.

A bank asks by the paper in its hand whether that thing is in the registry already, so every label which the confirmer
would have inserted must follow from the same paper (SPEC §9.2; SCENARIOS S4, §2.1, §2.3). Three forms are read:

* labels by themselves: `{"type": 3, "parts": ["LEI:…", "INV-001"]}`, or a list of them;
* flat fields, named as in `asset.register/1`, or `cn_decl`, or `carrier` and `ebl`;
* a UBL invoice: OASIS element names, plain values or the arrays of `{"_": …}` of the OASIS JSON representation.

Nothing is guessed: what has no spelling is Malformed and never left out, or a typing error would read as "free".
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final, TypeAlias

from hybrid_bridge.business.fields import CURRENCIES
from hybrid_bridge.business.receivables.review import mandatory_labels
from hybrid_bridge.core import identifiers as ids
from hybrid_bridge.core.label_table import (
    CREDITOR_INVOICE_LOOSE,
    CUSTOMS_DECLARATION,
    EXPORTER_INVOICE,
    INVOICE_TERMS,
    LIFE,
    TRANSPORT_DOCUMENT,
)
from hybrid_bridge.core.labels import Label, normalised
from hybrid_bridge.errors import FieldMalformed

Paper: TypeAlias = "str | int | Decimal | bool | list[Paper] | Mapping[str, Paper] | None"

FIRST: Final = "1"  # ordinal of a soft label: the paper itself; 2, 3 … are its true twins
MAX_LABELS: Final = 32  # of one file
WITH_ORDINAL: Final = (CREDITOR_INVOICE_LOOSE, INVOICE_TERMS, EXPORTER_INVOICE)
_DECIMAL: Final = re.compile(r"[0-9]{1,18}(\.[0-9]{1,6})?")
_SCHEMES: Final = {"USCC": "USCI", "USCI": "USCI", "LEI": "LEI", "0199": "LEI", "VAT": "VAT"}  # of a UBL CompanyID


def labels_of(document: Paper) -> tuple[Label, ...]:
    """Every label of a document, each once, in the order of the label table; soft ones with ordinal 1.

    Raises:
        FieldMalformed, TooLong: a number without a spelling, an unknown form, or a document that has no label.
        Missing: an invoice without one of the fields that every invoice has.
    """
    found = set(_stated(document) if _is_label_form(document) else _derived(_object(document, "document")))
    if not 0 < len(found) <= MAX_LABELS:
        raise FieldMalformed(field="document", rule=f"1 to {MAX_LABELS} labels follow from it")
    return tuple(sorted(found, key=lambda label: (label.type, label.parts)))


def next_twin(label: Label) -> Label:
    """The same soft label with the next ordinal: where a true twin would stand.

    Raises:
        FieldMalformed: a label without an ordinal.
    """
    if label.type not in WITH_ORDINAL:
        raise FieldMalformed(field="label.type", rule="a soft label")
    return Label(label.type, (*label.parts[:-1], str(int(label.parts[-1]) + 1)))


# ── labels by themselves ─────────────────────────────────────────────────────────────────────────────────────────────


def _is_label_form(document: Paper) -> bool:
    return isinstance(document, list) or (isinstance(document, Mapping) and document.keys() == {"type", "parts"})


def _stated(document: Paper) -> Iterator[Label]:
    for row in document if isinstance(document, list) else [document]:
        stated = _object(row, "label")
        number, parts = stated.get("type"), stated.get("parts")
        if type(number) is not int or number == LIFE or not isinstance(parts, list):
            raise FieldMalformed(field="label", rule="type, an identity label's number, and parts, a list of texts")
        yield normalised(number, *(_text(part, "label.parts") for part in parts))


# ── a document ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _derived(document: Mapping[str, Paper]) -> Iterator[Label]:
    """Of a declaration its number and the exporter's invoice; of a bill of lading its reference; else an invoice."""
    fields = _from_ubl(document) if "AccountingSupplierParty" in _invoice(document) else _texts(document)
    if "cn_decl" in fields:
        yield normalised(CUSTOMS_DECLARATION, "CN", fields["cn_decl"])
        if "inv_no" in fields:
            usci = _required(fields, "seller").partition(":")[2]
            terms = [_required(fields, name) for name in ("inv_no", "ccy", "gross")]
            yield normalised(EXPORTER_INVOICE, usci, *terms, FIRST)
    elif "ebl" in fields:
        yield normalised(TRANSPORT_DOCUMENT, _required(fields, "carrier"), fields["ebl"])
    else:
        yield from mandatory_labels(fields)


def _texts(document: Mapping[str, Paper]) -> dict[str, str]:
    """The flat fields that labels are made of; whatever else the file says is of no use here."""
    names = ("seller", "buyer", "cn_einv", "einv_uuid", "jurisdiction", "inv_no", "issue_date", "ccy", "gross")
    return {
        name: _text(document[name], name)
        for name in (*names, "cn_decl", "carrier", "ebl")
        if document.get(name) not in (None, "")
    }


# ── UBL ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _invoice(document: Mapping[str, Paper]) -> Mapping[str, Paper]:
    """The Invoice element, whether it stands under its name or is the whole document."""
    inner = _first(document.get("Invoice"))
    return inner if isinstance(inner, Mapping) else document


def _from_ubl(document: Mapping[str, Paper]) -> dict[str, str]:
    """The flat fields of an invoice (EN 16931 business terms BT-1, 2, 5, 30, 47, 112 and 122)."""
    invoice = _invoice(document)
    fields = {
        "seller": _party(_at(invoice, "AccountingSupplierParty", "Party")),
        "buyer": _party(_at(invoice, "AccountingCustomerParty", "Party")),
        "inv_no": _text(_at(invoice, "ID"), "ID"),
        "issue_date": _text(_at(invoice, "IssueDate"), "IssueDate"),
        "ccy": _text(_at(invoice, "DocumentCurrencyCode"), "DocumentCurrencyCode"),
    }
    total = _at(invoice, "LegalMonetaryTotal", "TaxInclusiveAmount")
    fields["gross"] = _minor_units(_text(total, "TaxInclusiveAmount"), ids.currency(fields["ccy"]))
    where = _at(invoice, "AccountingSupplierParty", "Party", "PostalAddress", "Country", "IdentificationCode")
    number, uuid = _at(invoice, "AdditionalDocumentReference", "ID"), _at(invoice, "UUID")
    if where == "CN" and number is not None:
        fields |= {"jurisdiction": "CN", "cn_einv": _text(number, "AdditionalDocumentReference")}
    elif where is not None and uuid is not None:
        fields |= {"jurisdiction": _text(where, "Country"), "einv_uuid": _text(uuid, "UUID")}
    return fields


def _party(party: Paper) -> str:
    """A legal entity's id with its scheme: as the document names it, else the one scheme whose check digit holds."""
    entity = _first(_object(_first(party), "Party").get("PartyLegalEntity"))
    element = _first(_object(entity, "PartyLegalEntity").get("CompanyID"))
    scheme = element.get("schemeName", element.get("schemeID")) if isinstance(element, Mapping) else None
    company = _text(_value(element), "CompanyID")
    if scheme is not None:
        known = _SCHEMES.get(_text(scheme, "schemeID").upper())
        if known is None:
            raise FieldMalformed(field="CompanyID", rule=f"of scheme {', '.join(_SCHEMES)}")
        return ids.party_id(f"{known}:{company}")
    for text in (company, f"USCI:{company}", f"LEI:{company}"):
        try:
            return ids.party_id(text)
        except FieldMalformed:
            continue
    raise FieldMalformed(field="CompanyID", rule="a USCI or LEI, or an id with its scheme")


def _minor_units(amount: str, ccy: str) -> str:
    """`1250.00` of a currency with two places is `125000`; a fraction of the smallest unit is no amount."""
    if ccy not in CURRENCIES:
        raise FieldMalformed(field="DocumentCurrencyCode", rule="a currency of the table")
    if _DECIMAL.fullmatch(amount) is None:
        raise FieldMalformed(field="TaxInclusiveAmount", rule="a decimal number of at most 18 and 6 digits")
    units = Decimal(amount).scaleb(CURRENCIES[ccy])
    whole = int(units)
    if units != whole or whole <= 0:
        raise FieldMalformed(field="TaxInclusiveAmount", rule="a whole number of minor units, above zero")
    return ids.amount(str(whole))


def _at(element: Paper, *names: str) -> Paper:
    """The value at a path of element names; None where a step is missing."""
    for name in names:
        element = _first(element)
        if not isinstance(element, Mapping):
            return None
        element = element.get(name)
    return _value(_first(element))


def _first(element: Paper) -> Paper:
    """An element that may repeat stands in an array; more than one would leave open which of them counts."""
    if not isinstance(element, list):
        return element
    if len(element) != 1:
        raise FieldMalformed(field="document", rule="each element of an invoice's head once")
    return element[0]


def _value(element: Paper) -> Paper:
    return element["_"] if isinstance(element, Mapping) and "_" in element else element


# ── shapes ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _object(value: Paper, field: str) -> Mapping[str, Paper]:
    if not isinstance(value, Mapping):
        raise FieldMalformed(field=field, rule="an object")
    return value


def _text(value: Paper, field: str) -> str:
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise FieldMalformed(field=field, rule="a text")
    return value


def _required(fields: Mapping[str, str], name: str) -> str:
    if name not in fields:
        raise FieldMalformed(field=name, rule="given, for a label is made of it")
    return fields[name]
