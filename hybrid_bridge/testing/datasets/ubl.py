"""A commercial invoice as UBL 2.3 writes it: element names and order of OASIS UBL Invoice, business terms of EN 16931."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from xml.sax.saxutils import escape

VAT_PERCENT: Final = 13
_NAMESPACES: Final = (
    'xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2" '
    'xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2" '
    'xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A legal entity as an invoice names it."""

    name: str
    uscc: str
    city: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line: so many units at a net amount in minor units."""

    item: str
    quantity: int
    unit: str  # UN/ECE Recommendation 20
    net: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """What goes into the document. Amounts in fen; gross = net + tax."""

    number: str
    e_invoice: str
    issue_date: str
    due_date: str
    order: str
    despatch: str
    receipt: str
    contract: str
    seller: Party
    buyer: Party
    lines: tuple[Line, ...]
    net: int
    tax: int

    @property
    def gross(self) -> int:
        """What is owed."""
        return self.net + self.tax

    def xml(self) -> bytes:
        """The document, UTF-8."""
        body = [
            *self._head(),
            *self._references(),
            _party("AccountingSupplierParty", self.seller),
            _party("AccountingCustomerParty", self.buyer),
            *self._totals(),
            *(_line(number, line) for number, line in enumerate(self.lines, 1)),
        ]
        return f'<?xml version="1.0" encoding="UTF-8"?>\n<Invoice {_NAMESPACES}>\n{"".join(body)}</Invoice>\n'.encode()

    def _head(self) -> list[str]:
        return [
            _basic("UBLVersionID", "2.3"),
            _basic("CustomizationID", "urn:cen.eu:en16931:2017"),
            _basic("ID", self.number),
            _basic("IssueDate", self.issue_date),
            _basic("DueDate", self.due_date),
            _basic("InvoiceTypeCode", "380"),
            _basic("Note", f"TEST document. E-invoice {self.e_invoice}"),
            _basic("DocumentCurrencyCode", "CNY"),
        ]

    def _references(self) -> list[str]:
        named = (
            ("OrderReference", self.order),
            ("DespatchDocumentReference", self.despatch),
            ("ReceiptDocumentReference", self.receipt),
            ("ContractDocumentReference", self.contract),
            ("AdditionalDocumentReference", self.e_invoice),
        )
        return [_aggregate(name, _basic("ID", value)) for name, value in named]

    def _totals(self) -> list[str]:
        category = (
            _basic("ID", "S") + _basic("Percent", str(VAT_PERCENT)) + _aggregate("TaxScheme", _basic("ID", "VAT"))
        )
        subtotal = (
            _money("TaxableAmount", self.net) + _money("TaxAmount", self.tax) + _aggregate("TaxCategory", category)
        )
        monetary = (
            _money("LineExtensionAmount", self.net)
            + _money("TaxExclusiveAmount", self.net)
            + _money("TaxInclusiveAmount", self.gross)
            + _money("PayableAmount", self.gross)
        )
        return [
            _aggregate("TaxTotal", _money("TaxAmount", self.tax) + _aggregate("TaxSubtotal", subtotal)),
            _aggregate("LegalMonetaryTotal", monetary),
        ]


def _basic(name: str, value: str, attributes: str = "") -> str:
    return f"<cbc:{name}{attributes}>{escape(value)}</cbc:{name}>\n"


def _aggregate(name: str, inner: str) -> str:
    return f"<cac:{name}>\n{inner}</cac:{name}>\n"


def _money(name: str, fen: int) -> str:
    return _basic(name, f"{Decimal(fen) / 100:.2f}", ' currencyID="CNY"')


def _party(role: str, party: Party) -> str:
    address = _basic("CityName", party.city) + _aggregate("Country", _basic("IdentificationCode", "CN"))
    legal = _basic("RegistrationName", party.name) + _basic("CompanyID", party.uscc, ' schemeName="USCC"')
    inner = _aggregate("PostalAddress", address) + _aggregate("PartyLegalEntity", legal)
    return _aggregate(role, _aggregate("Party", inner))


def _line(number: int, line: Line) -> str:
    tax = _basic("ID", "S") + _basic("Percent", str(VAT_PERCENT)) + _aggregate("TaxScheme", _basic("ID", "VAT"))
    item = _basic("Name", line.item) + _aggregate("ClassifiedTaxCategory", tax)
    price = f"{Decimal(line.net) / 100 / line.quantity:.6f}"
    inner = (
        _basic("ID", str(number))
        + _basic("InvoicedQuantity", str(line.quantity), f' unitCode="{line.unit}"')
        + _money("LineExtensionAmount", line.net)
        + _aggregate("Item", item)
        + _aggregate("Price", _basic("PriceAmount", price, ' currencyID="CNY"'))
    )
    return _aggregate("InvoiceLine", inner)
