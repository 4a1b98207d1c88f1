import pytest

from hybrid_bridge.business.receivables.review import MAX_TWINS, mandatory_labels, review_labels
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.errors import FieldMalformed, FieldMismatch, Missing

FIELDS = {
    "seller": "USCI:91350100M000100Y43",
    "buyer": "LEI:5493001KJTIIGC8Y1R12",
    "jurisdiction": "CN",
    "cn_einv": "26990000000000000001",
    "inv_no": "INV-001",
    "ccy": "CNY",
    "gross": "1250000",
    "issue_date": "2026-01-05",
}


def index(label):
    return sha256(label.encode())


def indices(fields=FIELDS, ordinal=1):
    return {index(label) for label in mandatory_labels(fields, ordinal)}


def review(inserted, *, distinct=False, fields=FIELDS, true_index=index):
    return review_labels(fields, is_distinct=distinct, true_index=true_index, inserted=inserted)


def test_an_invoice_has_four_labels():
    assert [label.type for label in mandatory_labels(FIELDS)] == [2, 3, 4, 5]


def test_without_a_number_its_terms_alone_name_it():
    bare = {name: value for name, value in FIELDS.items() if name not in ("cn_einv", "inv_no", "jurisdiction")}
    assert [label.type for label in mandatory_labels(bare)] == [5]


def test_abroad_the_e_invoice_is_a_uuid():
    abroad = {name: value for name, value in FIELDS.items() if name != "cn_einv"}
    abroad |= {"jurisdiction": "DE", "einv_uuid": "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"}
    assert mandatory_labels(abroad)[0].parts == ("DE", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")


def test_an_invoice_has_one_e_invoice_number():
    both = FIELDS | {"einv_uuid": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"}
    for fields in (both, both | {"jurisdiction": "DE"}):
        with pytest.raises(FieldMalformed) as caught:
            mandatory_labels(fields)
        assert caught.value.field == "einv_uuid"


def test_the_true_labels_pass():
    assert review(indices()) == mandatory_labels(FIELDS)
    assert review(indices() | {sha256(b"more")}) == mandatory_labels(FIELDS)


@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_a_label_of_another_invoice_is_refuted(number):
    labels = mandatory_labels(FIELDS)
    with pytest.raises(FieldMismatch) as caught:
        review(indices() - {index(labels[number])})
    assert caught.value.field == "label"


def test_an_ordinal_above_one_counts_only_with_distinct():
    hard = {index(label) for label in mandatory_labels(FIELDS) if label.type in (2, 3)}
    second = hard | {index(label) for label in mandatory_labels(FIELDS, 2) if label.type in (4, 5)}
    hard_ones, soft_twins = mandatory_labels(FIELDS)[:2], mandatory_labels(FIELDS, 2)[2:]
    assert review(second, distinct=True) == (*hard_ones, *soft_twins)
    with pytest.raises(FieldMismatch):
        review(second)
    far = hard | {index(label) for label in mandatory_labels(FIELDS, MAX_TWINS + 1) if label.type in (4, 5)}
    with pytest.raises(FieldMismatch):
        review(far, distinct=True)


@pytest.mark.parametrize("name", ["seller", "buyer", "ccy", "gross", "issue_date", "jurisdiction"])
def test_what_is_not_opened_is_missing(name):
    with pytest.raises(Missing):
        mandatory_labels({key: value for key, value in FIELDS.items() if key != name})


def test_a_number_without_a_normal_form_is_malformed():
    with pytest.raises(FieldMalformed):
        mandatory_labels({**FIELDS, "cn_einv": "2699"})


def test_a_label_whose_index_nobody_knows_is_missing_unless_another_form_of_it_stands():
    second = mandatory_labels(FIELDS, 2)
    known = {label: index(label) for label in second}.get
    assert review(indices(ordinal=2), distinct=True, true_index=known) == second
    with pytest.raises(Missing) as caught:
        review(indices(), true_index=known)
    assert caught.value.what == "the VRF proofs of its labels of type 4, 5"
    with pytest.raises(FieldMismatch):
        review(set(), true_index=known)
