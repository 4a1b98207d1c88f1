"""A UBL invoice as the flat fields of `asset.register/1` (EN 16931 business terms BT-1, 2, 5, 30, 40, 47, 112 and 122).

OASIS element names, plain values or the arrays of `{"_": …}` of the OASIS JSON representation; the Invoice element
under its name, or as the whole document. A name that UBL does not have is refused: misspelt, it takes a label away.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final, TypeAlias

from hybrid_bridge.business.fields import CURRENCIES
from hybrid_bridge.business.receivables.review import e_invoice_number
from hybrid_bridge.core import identifiers as ids
from hybrid_bridge.errors import FieldMalformed

Paper: TypeAlias = "str | int | Decimal | bool | list[Paper] | Mapping[str, Paper] | None"

SELLER: Final = "AccountingSupplierParty"
_NAMES: Final = frozenset(  # of the children of UBL 2.1's Invoice
    re.findall(
        r"[A-Za-z]+",
        """UBLExtensions UBLVersionID CustomizationID ProfileID ProfileExecutionID ID CopyIndicator UUID IssueDate
    IssueTime DueDate InvoiceTypeCode Note TaxPointDate DocumentCurrencyCode TaxCurrencyCode PricingCurrencyCode
    PaymentCurrencyCode PaymentAlternativeCurrencyCode AccountingCostCode AccountingCost LineCountNumeric BuyerReference
    InvoicePeriod OrderReference BillingReference DespatchDocumentReference ReceiptDocumentReference
    StatementDocumentReference OriginatorDocumentReference ContractDocumentReference AdditionalDocumentReference
    ProjectReference Signature AccountingSupplierParty AccountingCustomerParty PayeeParty BuyerCustomerParty
    SellerSupplierParty TaxRepresentativeParty Delivery DeliveryTerms PaymentMeans PaymentTerms PrepaidPayment
    AllowanceCharge TaxExchangeRate PricingExchangeRate PaymentExchangeRate PaymentAlternativeExchangeRate TaxTotal
    WithholdingTaxTotal LegalMonetaryTotal InvoiceLine""",
    )
)
_DECIMAL: Final = re.compile(r"[0-9]{1,18}(\.[0-9]{1,6})?")
_SCHEMES: Final = {"USCC": "USCI", "USCI": "USCI", "LEI": "LEI", "0199": "LEI", "VAT": "VAT"}  # of a CompanyID


def is_ubl(document: Mapping[str, Paper]) -> bool:
    """It says who sells, in UBL's word for it."""
    return "Invoice" in document or SELLER in document


def ubl_fields(document: Mapping[str, Paper]) -> tuple[dict[str, str], str]:
    """The flat fields, and which element would hold the e-invoice number of the seller's country.

    Raises:
        FieldMalformed: an element that UBL does not have, that stands twice, or whose value has no spelling.
    """
    invoice = _invoice(document)
    fields = {
        "seller": _party(_at(invoice, SELLER, "Party")),
        "buyer": _party(_at(invoice, "AccountingCustomerParty", "Party")),
        "inv_no": as_text(_at(invoice, "ID"), "ID"),
        "issue_date": as_text(_at(invoice, "IssueDate"), "IssueDate"),
        "ccy": as_text(_at(invoice, "DocumentCurrencyCode"), "DocumentCurrencyCode"),
    }
    total = _at(invoice, "LegalMonetaryTotal", "TaxInclusiveAmount")
    fields["gross"] = _minor_units(as_text(total, "TaxInclusiveAmount"), ids.currency(fields["ccy"]))
    country = _at(invoice, SELLER, "Party", "PostalAddress", "Country", "IdentificationCode")
    if country is None:
        return fields, f"{SELLER}/Party/PostalAddress/Country/IdentificationCode"
    fields["jurisdiction"] = ids.JURISDICTION.normalise(as_text(country, "IdentificationCode"))
    name = e_invoice_number(fields["jurisdiction"])
    path = ("UUID",) if name == "einv_uuid" else ("AdditionalDocumentReference", "ID")
    number = _at(invoice, *path)
    if number is not None:
        fields[name] = as_text(number, path[0])
    return fields, "/".join(path)


def _invoice(document: Mapping[str, Paper]) -> Mapping[str, Paper]:
    """The Invoice element. Names that begin with _ are of the JSON representation itself (namespaces)."""
    if "Invoice" not in document:
        _require_names(document, _NAMES)
        return document
    _require_names(document, frozenset({"Invoice"}))
    invoice = as_object(_first(document["Invoice"]), "Invoice")
    _require_names(invoice, _NAMES)
    return invoice


def _require_names(element: Mapping[str, Paper], names: frozenset[str]) -> None:
    for name in element:
        if name not in names and not name.startswith("_"):
            raise FieldMalformed(field=name[:64], rule="an element of a UBL invoice's head")


def _party(party: Paper) -> str:
    """A legal entity's id with its scheme: as the document names it, else the one scheme whose check digit holds."""
    entity = _first(as_object(_first(party), "Party").get("PartyLegalEntity"))
    element = _first(as_object(entity, "PartyLegalEntity").get("CompanyID"))
    scheme = element.get("schemeName", element.get("schemeID")) if isinstance(element, Mapping) else None
    company = as_text(_value(element), "CompanyID")
    if scheme is not None:
        known = _SCHEMES.get(as_text(scheme, "schemeID").upper())
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


def as_object(value: Paper, field: str) -> Mapping[str, Paper]:
    """The value.

    Raises:
        FieldMalformed: it is no object.
    """
    if not isinstance(value, Mapping):
        raise FieldMalformed(field=field, rule="an object")
    return value


def as_text(value: Paper, field: str) -> str:
    """The text, or the number as it is written.

    Raises:
        FieldMalformed: neither.
    """
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise FieldMalformed(field=field, rule="a text")
    return value
