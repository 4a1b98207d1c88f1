"""From the paper in a bank's hand to the labels that it asks for. The variants are vectors, for other readers too."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from hybrid_bridge.business.paper import MAX_LABELS, read, twins
from hybrid_bridge.business.receivables.review import MAX_TWINS, mandatory_labels
from hybrid_bridge.core.label_table import TABLE_VERSION
from hybrid_bridge.core.labels import Label
from hybrid_bridge.errors import FieldMalformed, Missing

VECTORS = json.loads((Path(__file__).parents[3] / "vectors/labels/variants.json").read_text("utf-8"))
PAPER = VECTORS["paper"]
LABELS = tuple(Label(row["type"], tuple(row["parts"])) for row in VECTORS["labels"])
SELLER, BUYER = "5493001KJTIIGC8Y1R12", "91350100M000100Y43"


def labels_of(document):
    return read(document).labels


def ubl(**changes):
    """The same invoice in plain UBL JSON."""
    invoice = {
        "ID": "INV-0017/A",
        "IssueDate": "2026-01-05",
        "DocumentCurrencyCode": "CNY",
        "AdditionalDocumentReference": {"ID": "26990000000000000017"},
        "AccountingSupplierParty": party(SELLER, "LEI", "CN"),
        "AccountingCustomerParty": party(BUYER, "USCC", "CN"),
        "LegalMonetaryTotal": {"PayableAmount": "0.00", "TaxInclusiveAmount": "12500.00"},
    }
    return {name: value for name, value in (invoice | changes).items() if value is not None}


def party(company, scheme, country="CN"):
    entity = {"RegistrationName": "TEST", "CompanyID": {"_": company, "schemeName": scheme} if scheme else company}
    return {"Party": {"PostalAddress": {"Country": {"IdentificationCode": country}}, "PartyLegalEntity": entity}}


def as_oasis(value):
    """OASIS JSON representation: every element an array, every value under `_`."""
    if isinstance(value, dict) and "_" not in value:
        return [{name: as_oasis(inner) for name, inner in value.items()}]
    return [value] if isinstance(value, dict) else [{"_": value}]


# ── flat fields, and the variants ──


def test_the_vectors_are_of_this_table():
    assert VECTORS["table"] == TABLE_VERSION
    assert labels_of(PAPER) == LABELS == mandatory_labels(PAPER)


@pytest.mark.parametrize("name", VECTORS["same"])
def test_a_retyped_number_gives_the_same_labels(name):
    assert labels_of(PAPER | VECTORS["same"][name]) == LABELS


@pytest.mark.parametrize("name", VECTORS["collides-loosely"])
def test_a_number_retyped_beyond_its_spelling_still_collides(name):
    """Not in the hard label, which keeps separators and zeros; in the soft one."""
    found = labels_of(PAPER | VECTORS["collides-loosely"][name])
    assert LABELS[1] not in found
    assert {LABELS[0], LABELS[2], LABELS[3]} <= set(found)


@pytest.mark.parametrize("name", VECTORS["collides-by-terms"])
def test_an_invoice_under_another_number_still_collides_by_who_owes_how_much_since_when(name):
    found = labels_of(PAPER | VECTORS["collides-by-terms"][name])
    assert not set(LABELS[:3]) & set(found)
    assert LABELS[3] in found


def test_leading_zeros_after_a_separator_are_kept():
    """Separators go first, so that a number typed without them still collides (ADR 10); its terms tell these two."""
    one, other = (set(labels_of(PAPER | {"inv_no": number})) for number in ("INV-2026/0017", "INV-2026/17"))
    assert {label.type for label in one & other} == {2, 5}


@pytest.mark.parametrize("name", VECTORS["other"])
def test_another_number_shares_no_label(name):
    assert not set(labels_of(PAPER | VECTORS["other"][name])) & set(LABELS)


@pytest.mark.parametrize("name", VECTORS["refused"])
def test_what_has_no_spelling_is_never_left_out(name):
    with pytest.raises(FieldMalformed):
        labels_of(PAPER | VECTORS["refused"][name])


@pytest.mark.parametrize("name", ["seller", "buyer", "ccy", "gross", "issue_date", "jurisdiction"])
def test_an_invoice_without_a_field_that_every_invoice_has_is_asked_for_it(name):
    with pytest.raises(Missing) as caught:
        labels_of({key: value for key, value in PAPER.items() if key != name})
    assert caught.value.what == f"the opened field {name}"


def test_numbers_may_stand_without_quotation_marks_and_other_fields_of_the_record_say_nothing():
    more = {"net": 1, "doc.0.name": "x", "debtor": None, "_schema": "asset.register/1", "event_time": 7}
    assert labels_of(PAPER | {"gross": 1250000, "einv_uuid": "", "carrier": None} | more) == LABELS


@pytest.mark.parametrize("name", ["cn_einvoice", "cn-einv", "Inv_no", "doc", "invoice_number", "type", "", "x" * 99])
def test_a_field_that_no_invoice_has_is_refused_by_name(name):
    """Misspelt, it would silently take its label away, and the rest would read as free."""
    renamed = {key: value for key, value in PAPER.items() if key != "cn_einv"} | {name: PAPER["cn_einv"]}
    with pytest.raises(FieldMalformed) as caught:
        labels_of(renamed)
    assert caught.value.field == name


def test_labels_that_the_data_do_not_allow_are_told_with_the_reason():
    assert read(PAPER).left_out == ()
    bare = read({key: value for key, value in PAPER.items() if key not in ("cn_einv", "inv_no")})
    assert [label.type for label in bare.labels] == [5]
    assert bare.left_out == (
        "hard label e-invoice: no cn_einv or einv_uuid is given",
        "hard label creditor's invoice: no inv_no is given",
        "soft label creditor's invoice: no inv_no is given",
    )


def test_a_number_without_its_country_is_asked_for_it():
    with pytest.raises(Missing) as caught:
        labels_of({key: value for key, value in PAPER.items() if key != "jurisdiction"})
    assert caught.value.what == "the opened field jurisdiction"


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"cn_decl": "223120260000000017"}, "buyer"),
        ({"carrier": "MAEU", "ebl": "MAE123456"}, "seller"),
        ({"carrier": "MAEU"}, "seller"),
        ({"AccountingSupplierParty": {}}, "seller"),
        ({"Invoice": {}}, "seller"),
        ({"einv_uuid": "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"}, "einv_uuid"),
    ],
)
def test_two_papers_in_one_file_are_refused(more, field):
    """The labels of one of them would never be asked."""
    with pytest.raises(FieldMalformed) as caught:
        labels_of(PAPER | more)
    assert caught.value.field == field


# ── other documents ──


def test_a_declaration_has_its_number_and_the_exporters_invoice():
    paper = {
        "cn_decl": "223120260000000017",
        "seller": f"USCI:{BUYER}",
        "inv_no": "E-001",
        "ccy": "USD",
        "gross": "100",
    }
    assert labels_of(paper) == (
        Label(6, ("CN", "223120260000000017")),
        Label(9, (BUYER, "E1", "USD", "100", "1")),
    )
    alone = read({"cn_decl": "2231 2026 0 000000017"})
    assert alone.labels == (Label(6, ("CN", "223120260000000017")),)
    assert alone.left_out == ("soft label exporter's invoice: no inv_no is given",)
    assert labels_of(paper | {"seller": f"usci\uff1a{BUYER}"}) == labels_of(paper)
    with pytest.raises(FieldMalformed) as caught:
        labels_of({"cn_decl": "223120260000000017", "inv_no": "E-001"})
    assert caught.value.field == "seller"
    with pytest.raises(FieldMalformed) as caught:
        labels_of(paper | {"seller": f"LEI:{SELLER}"})
    assert (caught.value.field, caught.value.rule) == ("seller", "the exporter's USCI")


def test_a_bill_of_lading_has_its_carrier_and_reference():
    assert labels_of({"carrier": "maeu", "ebl": "mae-123456"}) == (Label(7, ("MAEU", "MAE123456")),)
    with pytest.raises(FieldMalformed):
        labels_of({"ebl": "MAE123456"})


def test_labels_may_be_stated_by_themselves():
    rows = [{"type": label.type, "parts": list(label.parts)} for label in LABELS]
    assert labels_of(rows) == labels_of([*rows, *rows]) == LABELS
    assert labels_of(rows[1]) == LABELS[1:2]
    assert labels_of({"type": 4, "parts": [f"LEI:{SELLER}", "inv—0017/A", "1"]}) == LABELS[2:3]


@pytest.mark.parametrize(
    "document",
    [
        [],
        None,
        "3",
        [None],
        {"type": "3", "parts": []},
        {"type": True, "parts": ["a"]},
        {"type": 3, "parts": "a"},
        {"type": 3, "parts": [None, "INV-001"]},
        {"type": 1, "parts": ["asset", "0" * 32]},
        [{"type": 3}],
        [{"type": 12, "parts": ["R", "1"], "part": []}],
        [{"type": 12, "parts": ["R", str(k)]} for k in range(MAX_LABELS + 1)],
    ],
)
def test_what_is_no_label_file_is_refused(document):
    with pytest.raises(FieldMalformed):
        labels_of(document)


def test_twins_are_the_higher_ordinals_of_a_soft_label():
    loose = LABELS[2]
    assert twins(loose) == tuple(Label(4, (*loose.parts[:-1], str(n))) for n in range(2, MAX_TWINS + 1))
    assert twins(twins(loose)[-1]) == ()
    assert twins(LABELS[1]) == ()


# ── UBL ──


SHAPES = {
    "bare": lambda document: document,
    "oasis": as_oasis,
    "named": lambda document: {"Invoice": document},
    "oasis named": lambda document: {"Invoice": as_oasis(document)},
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_ubl_invoice_gives_the_same_labels(shape):
    document = shape(ubl())
    assert labels_of(document[0] if isinstance(document, list) else document) == LABELS


def test_an_amount_may_be_a_number_of_json():
    assert labels_of(ubl(LegalMonetaryTotal={"TaxInclusiveAmount": Decimal("12500.0")})) == LABELS
    assert labels_of(ubl(LegalMonetaryTotal={"TaxInclusiveAmount": 12500})) == LABELS


def test_an_invoice_from_abroad_is_known_by_its_uuid():
    uuid = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"
    found = labels_of(ubl(AccountingSupplierParty=party(SELLER, "LEI", "DE"), UUID=uuid))
    assert found[0] == Label(2, ("DE", uuid))
    assert len(labels_of(ubl(AccountingSupplierParty=party(SELLER, "LEI", "DE")))) == 3
    assert len(labels_of(ubl(AdditionalDocumentReference=None))) == 3


@pytest.mark.parametrize("country", ["CN", "cn", " Cn", "\uff23\uff2e", "c\u200bn"])
def test_a_country_has_one_spelling(country):
    assert labels_of(ubl(AccountingSupplierParty=party(SELLER, "LEI", country))) == LABELS


@pytest.mark.parametrize("country", ["CHN", "China", "", "\u0421 N", 156])
def test_a_country_without_a_spelling_takes_no_label_away(country):
    with pytest.raises(FieldMalformed):
        labels_of(ubl(AccountingSupplierParty=party(SELLER, "LEI", country)))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"AdditionalDocumentReference": None}, "AdditionalDocumentReference/ID"),
        ({"AccountingSupplierParty": party(SELLER, "LEI", "DE")}, "UUID"),
        (
            {"AccountingSupplierParty": party(SELLER, "LEI", None)},
            "AccountingSupplierParty/Party/PostalAddress/Country/IdentificationCode",
        ),
    ],
)
def test_a_ubl_invoice_says_why_its_e_invoice_number_is_not_asked(changes, why):
    assert read(ubl(**changes)).left_out == (f"hard label e-invoice: no {why} is given",)
    assert read(ubl()).left_out == ()


@pytest.mark.parametrize("name", ["AdditionalDocumentReferences", "cn_einv", "additionalDocumentReference", "x" * 99])
def test_an_element_that_no_ubl_invoice_has_is_refused_by_name(name):
    invoice = ubl(AdditionalDocumentReference=None) | {name: {"ID": "26990000000000000017"}}
    for document in (invoice, {"Invoice": invoice}, {"Invoice": ubl(), name: 1}):
        with pytest.raises(FieldMalformed) as caught:
            labels_of(document)
        assert caught.value.field == name[:64]
    assert labels_of({"_D": "urn:oasis", "Invoice": ubl()}) == LABELS


@pytest.mark.parametrize(("company", "scheme"), [(SELLER, None), (f"LEI:{SELLER}", None), (SELLER, "0199")])
def test_a_company_is_known_by_its_scheme_or_its_check_digit(company, scheme):
    assert labels_of(ubl(AccountingSupplierParty=party(company, scheme))) == LABELS


@pytest.mark.parametrize(
    "changes",
    [
        {"AccountingSupplierParty": party("123", None)},
        {"AccountingSupplierParty": party(SELLER, "DUNS")},
        {"AccountingCustomerParty": None},
        {"AccountingCustomerParty": {"Party": {}}},
        {"ID": ["A", "B"]},
        {"ID": None},
        {"DocumentCurrencyCode": "XXX"},
        {"LegalMonetaryTotal": {"TaxInclusiveAmount": "12500.001"}},
        {"LegalMonetaryTotal": {"TaxInclusiveAmount": "-1"}},
        {"LegalMonetaryTotal": {"TaxInclusiveAmount": "NaN"}},
        {"LegalMonetaryTotal": {"TaxInclusiveAmount": "Infinity"}},
        {"LegalMonetaryTotal": {"TaxInclusiveAmount": "1e30"}},
        {"LegalMonetaryTotal": {"TaxInclusiveAmount": True}},
        {"LegalMonetaryTotal": None},
    ],
)
def test_an_invoice_that_leaves_anything_open_is_refused(changes):
    with pytest.raises(FieldMalformed):
        labels_of(ubl(**changes))
