"""The canonical labels that follow from a document as people hold it: an invoice, a declaration, a bill of lading.

A bank asks by the paper in its hand whether that thing is in the registry already, so every label which the confirmer
would have inserted must follow from the same paper (SPEC §9.2; SCENARIOS S4, §2.1, §2.3). Three forms are read:

* labels by themselves: `{"type": 3, "parts": ["LEI:…", "INV-001"]}`, or a list of them;
* flat fields, named as in `asset.register/1`, or `cn_decl`, or `carrier` and `ebl`;
* a UBL invoice: OASIS element names, plain values or the arrays of `{"_": …}` of the OASIS JSON representation.

Nothing is guessed: what has no spelling, and what has no name here, is Malformed and never left out, or a typing error
would read as "free". Labels that the paper's data do not allow are told, with the reason.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from hybrid_bridge.business.receivables.review import E_INVOICE_NUMBERS, MAX_TWINS, mandatory_labels
from hybrid_bridge.business.record_types import ASSET_REGISTER
from hybrid_bridge.business.schema import schema_of_type
from hybrid_bridge.business.ubl import Paper, as_object, as_text, is_ubl, ubl_fields
from hybrid_bridge.core import identifiers as ids
from hybrid_bridge.core.label_table import (
    CREDITOR_INVOICE,
    CREDITOR_INVOICE_LOOSE,
    CUSTOMS_DECLARATION,
    E_INVOICE,
    EXPORTER_INVOICE,
    INVOICE_TERMS,
    LABEL_TABLE,
    LIFE,
    TRANSPORT_DOCUMENT,
)
from hybrid_bridge.core.labels import Label, normalised
from hybrid_bridge.errors import FieldMalformed

FIRST: Final = "1"  # ordinal of a soft label: the paper itself; 2, 3 … are its true twins
MAX_LABELS: Final = 24  # of one file; with all their twins they fit into a bundle
WITH_ORDINAL: Final = (CREDITOR_INVOICE_LOOSE, INVOICE_TERMS, EXPORTER_INVOICE)
_DECLARATION: Final = ("cn_decl", "seller", "inv_no", "ccy", "gross")
_LADING: Final = ("carrier", "ebl")
_INVOICE: Final = ("seller", "buyer", "jurisdiction", *E_INVOICE_NUMBERS, "inv_no", "issue_date", "ccy", "gross")
_RESERVED: Final = ("_schema", "_origin", "_chain")  # of a record that was opened and written down whole


@dataclass(frozen=True, slots=True)
class Reading:
    """The labels that a paper asks for, and why it asks for no others that its kind can have."""

    labels: tuple[Label, ...]
    left_out: tuple[str, ...] = ()


def read(document: Paper) -> Reading:
    """Every label of a document, each once, in the order of the label table; soft ones with ordinal 1.

    Raises:
        FieldMalformed, TooLong: a number without a spelling, a field that this kind of paper does not have, an unknown
            form, or a document that has no label.
        Missing: an invoice without one of the fields that every invoice has.
    """
    found = _stated(document) if _is_label_form(document) else _derived(as_object(document, "document"))
    labels = set(found.labels)
    if not 0 < len(labels) <= MAX_LABELS:
        raise FieldMalformed(field="document", rule=f"1 to {MAX_LABELS} labels follow from it")
    return Reading(tuple(sorted(labels, key=lambda label: (label.type, label.parts))), found.left_out)


def twins(label: Label) -> tuple[Label, ...]:
    """The same soft label with each higher ordinal that a review accepts; none of another label."""
    if label.type not in WITH_ORDINAL:
        return ()
    above = range(int(label.parts[-1]) + 1, MAX_TWINS + 1)
    return tuple(Label(label.type, (*label.parts[:-1], str(ordinal))) for ordinal in above)


# ── labels by themselves ─────────────────────────────────────────────────────────────────────────────────────────────


def _is_label_form(document: Paper) -> bool:
    return isinstance(document, list) or (isinstance(document, Mapping) and document.keys() == {"type", "parts"})


def _stated(document: Paper) -> Reading:
    labels = []
    for row in document if isinstance(document, list) else [document]:
        stated = as_object(row, "label")
        number, parts = stated.get("type"), stated.get("parts")
        if stated.keys() != {"type", "parts"} or type(number) is not int or number == LIFE:
            raise FieldMalformed(field="label", rule="type, an identity label's number, and parts; nothing else")
        if not isinstance(parts, list):
            raise FieldMalformed(field="label.parts", rule="a list of texts")
        labels.append(normalised(number, *(as_text(part, "label.parts") for part in parts)))
    return Reading(tuple(labels))


# ── a document ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _derived(document: Mapping[str, Paper]) -> Reading:
    """Of a declaration its number and the exporter's invoice; of a bill of lading its reference; else an invoice."""
    if is_ubl(document):
        fields, e_invoice = ubl_fields(document)
        return _invoice(fields, e_invoice, "ID")
    given = {name: value for name, value in document.items() if value not in (None, "")}
    if "cn_decl" in given:
        return _declaration(_texts(given, _DECLARATION, "a declaration (cn_decl)"))
    if given.keys() & set(_LADING):
        fields = _texts(given, _LADING, "a bill of lading (carrier, ebl)")
        return Reading((normalised(TRANSPORT_DOCUMENT, _required(fields, "carrier"), _required(fields, "ebl")),))
    _require_known(given)
    return _invoice(_texts(given, _INVOICE), " or ".join(E_INVOICE_NUMBERS), "inv_no")


def _declaration(fields: Mapping[str, str]) -> Reading:
    number = normalised(CUSTOMS_DECLARATION, "CN", fields["cn_decl"])
    if "inv_no" not in fields:
        return Reading((number,), tuple(_left_out([EXPORTER_INVOICE], "no inv_no is given")))
    scheme, _, usci = ids.party_id(_required(fields, "seller")).partition(":")
    if scheme != "USCI":
        raise FieldMalformed(field="seller", rule="the exporter's USCI")
    terms = [_required(fields, name) for name in ("inv_no", "ccy", "gross")]
    return Reading((number, normalised(EXPORTER_INVOICE, usci, *terms, FIRST)))


def _invoice(fields: Mapping[str, str], e_invoice: str, number: str) -> Reading:
    """All that the numbers on it allow; `e_invoice` and `number` say what a paper of this form calls them."""
    labels = mandatory_labels(fields)
    missing = {E_INVOICE, CREDITOR_INVOICE, CREDITOR_INVOICE_LOOSE} - {label.type for label in labels}
    return Reading(
        labels,
        (
            *_left_out(sorted(missing & {E_INVOICE}), f"no {e_invoice} is given"),
            *_left_out(sorted(missing - {E_INVOICE}), f"no {number} is given"),
        ),
    )


def _left_out(types: Iterable[int], why: str) -> Iterator[str]:
    for number in types:
        yield f"{LABEL_TABLE[number].kind} label {LABEL_TABLE[number].name}: {why}"


def _require_known(given: Iterable[str]) -> None:
    """Every name is a field of an invoice's record.

    Raises:
        FieldMalformed: one is not: misspelt, it would silently take its label away.
    """
    for name in given:
        if name not in (*_INVOICE, *_RESERVED):
            schema_of_type(ASSET_REGISTER).find(name)


def _texts(given: Mapping[str, Paper], names: Collection[str], kind: str = "") -> dict[str, str]:
    """The fields that labels are made of; of a `kind`, no others may be given: they are another paper's."""
    for name in given:
        if kind and name not in names:
            raise FieldMalformed(field=name[:64], rule=f"no field of {kind}; one paper a file")
    return {name: as_text(given[name], name) for name in names if name in given}


def _required(fields: Mapping[str, str], name: str) -> str:
    if name not in fields:
        raise FieldMalformed(field=name, rule="given, for a label is made of it")
    return fields[name]
