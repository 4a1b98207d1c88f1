"""The label table: which outside things have labels, of which parts, and how these are normalised together.

Data, versioned by the genesis record's labelTableHash; a change of it is a governance notice.
Source: SPEC §9.2; SCENARIOS S4.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from hybrid_bridge.core import identifiers as ids
from hybrid_bridge.core.encoding import Json, canonical_json, sha256
from hybrid_bridge.errors import FieldMalformed
from hybrid_bridge.units import Digest

LIFE: Final = 1
E_INVOICE: Final = 2
CREDITOR_INVOICE: Final = 3
CREDITOR_INVOICE_LOOSE: Final = 4
INVOICE_TERMS: Final = 5
CUSTOMS_DECLARATION: Final = 6
TRANSPORT_DOCUMENT: Final = 7
PAYMENT_RECEIPT: Final = 8
EXPORTER_INVOICE: Final = 9
SUPERVISORY_RETURN: Final = 10
EVIDENCE_MANIFEST: Final = 11
PUBLIC_FILING: Final = 12
SERIAL: Final = 13
LOT: Final = 14

TABLE_VERSION: Final = "1"


@dataclass(frozen=True, slots=True)
class LabelType:
    """One row of the table: its name, its kind (life, hard, soft), its parts, and how they are normalised together."""

    name: str
    kind: str
    parts: tuple[str, ...]
    normalise: Callable[..., tuple[str, ...]]


def _each(*normalisers: Callable[[str], str]) -> Callable[..., tuple[str, ...]]:
    return lambda *parts: tuple(n(part) for n, part in zip(normalisers, parts, strict=True))


def _e_invoice(jurisdiction: str, number: str) -> tuple[str, ...]:
    where = ids.JURISDICTION.normalise(jurisdiction)
    return where, ids.cn_einv(number) if where == "CN" else ids.uuid(number)


def _declaration(jurisdiction: str, number: str) -> tuple[str, ...]:
    where = ids.JURISDICTION.normalise(jurisdiction)
    if where != "CN":
        raise FieldMalformed(field="jurisdiction", rule="CN; no other declaration number has a form yet")
    return where, ids.cn_decl(number)


def _receipt(bank: str, reference: str) -> tuple[str, ...]:
    if bank == "UETR":
        return bank, ids.uuid(reference)
    return ids.party_id(bank), ids.inv_no(reference)


_party, _ordinal, _loose = ids.party_id, ids.ORDINAL.normalise, ids.inv_no_loose

LABEL_TABLE: Final[Mapping[int, LabelType]] = {
    LIFE: LabelType(
        "life", "life", ("object type", "object id"), _each(ids.OBJECT_TYPE.normalise, ids.OBJECT_ID.normalise)
    ),
    E_INVOICE: LabelType("e-invoice", "hard", ("jurisdiction", "cn-einv | uuid"), _e_invoice),
    CREDITOR_INVOICE: LabelType("creditor's invoice", "hard", ("party", "inv-no"), _each(_party, ids.inv_no)),
    CREDITOR_INVOICE_LOOSE: LabelType(
        "creditor's invoice", "soft", ("party", "inv-no loose", "ordinal"), _each(_party, _loose, _ordinal)
    ),
    INVOICE_TERMS: LabelType(
        "invoice terms",
        "soft",
        ("party", "ccy", "amount", "date", "ordinal"),
        _each(_party, ids.currency, ids.amount, ids.calendar_date, _ordinal),
    ),
    CUSTOMS_DECLARATION: LabelType("customs declaration", "hard", ("jurisdiction", "cn-decl"), _declaration),
    TRANSPORT_DOCUMENT: LabelType("transport document", "hard", ("carrier", "ebl"), ids.ebl),
    PAYMENT_RECEIPT: LabelType("payment receipt", "hard", ("UETR | party", "uuid | inv-no"), _receipt),
    EXPORTER_INVOICE: LabelType(
        "exporter's invoice",
        "soft",
        ("usci", "inv-no loose", "ccy", "amount", "ordinal"),
        _each(ids.usci, _loose, ids.currency, ids.amount, _ordinal),
    ),
    SUPERVISORY_RETURN: LabelType(
        "return", "hard", ("party", "name", "period"), _each(_party, ids.NAME.normalise, ids.PERIOD.normalise)
    ),
    EVIDENCE_MANIFEST: LabelType("evidence manifest", "hard", ("sha-256",), _each(ids.SHA256.normalise)),
    PUBLIC_FILING: LabelType("public filing", "hard", ("name", "inv-no"), _each(ids.NAME.normalise, ids.inv_no)),
    SERIAL: LabelType("serial", "hard", ("sgtin",), lambda item: (ids.sgtin(item[:14], item[14:]),)),
    LOT: LabelType("lot", "hard", ("gtin", "lot"), _each(ids.gtin, ids.LOT.normalise)),
}


def label_table() -> Json:
    """The table as data: what labelTableHash commits to."""
    forms: dict[str, Json] = {
        form.name: {"case": form.case, "check": form.check, "code": form.code, "pattern": form.pattern}
        for form in ids.FORMS
    }
    types: dict[str, Json] = {
        str(number): {"kind": row.kind, "name": row.name, "parts": list(row.parts)}
        for number, row in LABEL_TABLE.items()
    }
    return {"forms": forms, "types": types, "version": TABLE_VERSION}


def label_table_hash() -> Digest:
    """H(JCS of the label table), for the genesis record."""
    return sha256(canonical_json(label_table()))
