"""I12 and F-R15 without a bundle: what is wanting of an invoice, and what contradicts it."""

from dataclasses import replace

import pytest

from hybrid_bridge.business.receivables.backing import AssetRecord, Insertion, Invoices, ProvenLabel
from hybrid_bridge.business.receivables.review import mandatory_labels
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.labels import IdentityValue
from hybrid_bridge.errors import FieldMalformed, FieldMismatch

ASSET, OTHER = "0a" * 16, "0b" * 16
INVOICE = {
    "object": ASSET,
    "debtor": "debtor's key",
    "seller": "USCI:91350100M000100Y43",
    "buyer": "LEI:5493001KJTIIGC8Y1R12",
    "jurisdiction": "CN",
    "cn_einv": "26990000000000000001",
    "inv_no": "INV-001",
    "ccy": "CNY",
    "gross": "1250000",
    "issue_date": "2026-01-05",
}
REGISTERED = AssetRecord(leaf=sha256(b"register"), fields=INVOICE, insertion=None)
CONFIRMED_BY = sha256(b"confirm")


def index(label):
    return sha256(label.encode())


def labels(fields=INVOICE, ordinal=1):
    return mandatory_labels(fields, ordinal)


def confirmation(*inserted, authorisers=("debtor's key",), **claims):
    fields = {"object": ASSET, "ccy": "CNY", "gross": "1250000", "distinct": False, **claims}
    insertion = Insertion(authorisers=frozenset(authorisers), indices=frozenset(map(index, inserted or labels())))
    return AssetRecord(leaf=CONFIRMED_BY, fields=fields, insertion=insertion)


def proven(*shown, object_id=ASSET, leaf=CONFIRMED_BY):
    value = IdentityValue(leaf, object_id)
    return tuple(ProvenLabel(label=label, index=index(label), value=value) for label in shown or labels())


def invoices(registered=REGISTERED, confirmed=None, shown=None):
    return Invoices(
        registrations=() if registered is None else (registered,),
        confirmations=(confirmation() if confirmed is None else confirmed,),
        labels=proven() if shown is None else shown,
    )


def wanting(shown: Invoices):
    return [text.replace(ASSET, "X") for text in shown.wanting(ASSET)]


def refuted(shown: Invoices) -> FieldMismatch:
    with pytest.raises(FieldMismatch) as caught:
        list(shown.wanting(ASSET))
    with pytest.raises(FieldMismatch):
        shown.contradictions()
    return caught.value


def opened(**fields):
    """The invoice with other fields opened; None closes one."""
    merged = {**INVOICE, **fields}
    return replace(REGISTERED, fields={name: value for name, value in merged.items() if value is not None})


def test_an_invoice_that_is_opened_confirmed_and_labelled_wants_nothing():
    assert wanting(invoices()) == []
    invoices().contradictions()


# ── what is not shown ──


def test_without_the_opened_invoice_nobody_knows_which_labels_are_its_own():
    assert wanting(invoices(registered=None)) == ["I12: the opened invoice of asset X"]


def test_without_the_confirmation_and_its_transaction_nobody_knows_what_it_inserted():
    shown = replace(invoices(), confirmations=())
    assert wanting(shown) == ["I12: the debtor's confirmation of asset X"]
    (text,) = wanting(invoices(confirmed=replace(confirmation(), insertion=None)))
    assert text.startswith("I12: the transaction of the confirmation of asset X")


def test_the_confirmation_of_another_asset_is_not_this_ones():
    shown = invoices(confirmed=confirmation(object=OTHER))
    assert wanting(shown) == ["I12: the debtor's confirmation of asset X"]


@pytest.mark.parametrize("name", [name for name in INVOICE if name != "object"])
def test_a_field_that_is_kept_back_is_missing(name):
    """A number that is not opened could have a label that was not inserted, or is another's already."""
    (text,) = wanting(invoices(registered=opened(**{name: None})))
    assert text == f"I12: of the invoice of asset X, the opened field {name}"


UUID = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"


@pytest.mark.parametrize(
    ("jurisdiction", "kept", "shown"),
    [
        ("CN", "cn_einv", {"einv_uuid": UUID}),
        ("DE", "einv_uuid", {"cn_einv": INVOICE["cn_einv"]}),
        (" \uff43\uff4e", "cn_einv", {}),
    ],
)
def test_the_number_that_the_jurisdiction_has_is_not_replaced_by_another(jurisdiction, kept, shown):
    """A record can hold both, open the one that means nothing there, and keep back the one that is financed."""
    registered = opened(**{"jurisdiction": jurisdiction, "cn_einv": None, **shown})
    assert wanting(invoices(registered=registered)) == [f"I12: of the invoice of asset X, the opened field {kept}"]


def test_an_invoice_with_two_e_invoice_numbers_is_none():
    with pytest.raises(FieldMalformed) as caught:
        wanting(invoices(registered=opened(einv_uuid=UUID)))
    assert caught.value.field == "einv_uuid"


@pytest.mark.parametrize("number", range(4))
def test_a_label_without_its_vrf_proof_is_missing(number):
    shown = [label for label in proven() if label.label != labels()[number]]
    (text,) = wanting(invoices(confirmed=confirmation(*labels()), shown=tuple(shown)))
    assert text == f"I12: of the invoice of asset X, the VRF proofs of its labels of type {labels()[number].type}"


@pytest.mark.parametrize("number", range(4))
def test_a_label_that_is_not_opened_is_missing(number):
    """Absent, or present and used for nobody knows what."""
    shown = [replace(label, value=None) if label.label == labels()[number] else label for label in proven()]
    (text,) = wanting(invoices(shown=tuple(shown)))
    assert text.endswith(f"its label of type {labels()[number].type}, present in the registry and opened")


# ── what contradicts the invoice ──


@pytest.mark.parametrize("number", range(4))
def test_a_label_that_the_confirmation_did_not_insert_is_refuted(number):
    inserted = [label for label in labels() if label != labels()[number]]
    shown = tuple(replace(label, value=None) for label in proven())
    assert refuted(invoices(confirmed=confirmation(*inserted), shown=shown)).field == "label"


@pytest.mark.parametrize(
    "lie", [{"cn_einv": "26990000000000000777"}, {"inv_no": "INV-002"}, {"issue_date": "2026-01-06"}]
)
def test_a_label_of_another_invoice_is_refuted(lie):
    """F-R15: whatever else is or is not shown."""
    other = [label for label in labels({**INVOICE, **lie}) if label not in labels()][:1]
    whole = invoices(confirmed=confirmation(*other), shown=proven(*other))
    assert refuted(whole).field == "label"
    assert refuted(replace(whole, confirmations=())).field == "label"


@pytest.mark.parametrize("change", [{"object_id": OTHER}, {"leaf": sha256(b"another confirmation")}])
def test_a_label_that_stands_for_another_object_or_confirmation_is_refuted(change):
    assert refuted(invoices(shown=(*proven(*labels()[1:]), *proven(labels()[0], **change)))).field == "labels.value"


def test_an_ordinal_above_one_needs_the_claim_distinct():
    twin = labels(ordinal=2)
    for claim, holds in ((True, True), (False, False)):
        shown = invoices(confirmed=confirmation(*twin, distinct=claim), shown=proven(*twin))
        assert (wanting(shown) == []) if holds else refuted(shown)
    unsaid = replace(confirmation(*twin), fields={"object": ASSET}, insertion=None)
    assert "transaction of the confirmation" in wanting(invoices(confirmed=unsaid, shown=proven(*twin)))[0]


@pytest.mark.parametrize(("name", "value"), [("gross", "1250001"), ("ccy", "EUR")])
def test_a_confirmation_of_another_sum_is_refuted(name, value):
    assert refuted(invoices(confirmed=confirmation(**{name: value}))).field == f"{name} (I4)"


@pytest.mark.parametrize("authorisers", [(), ("creditor",), ("creditor", "debtor's key")])
def test_a_confirmation_by_another_than_the_debtor_is_refuted(authorisers):
    assert refuted(invoices(confirmed=confirmation(authorisers=authorisers))).field == "authorisers (I1)"


def test_an_asset_registered_or_confirmed_twice_is_refuted():
    twice = replace(REGISTERED, leaf=sha256(b"again"))
    assert refuted(replace(invoices(), registrations=(REGISTERED, twice))).expected == "registered once"
    twice = replace(confirmation(), leaf=sha256(b"again"))
    assert refuted(replace(invoices(), confirmations=(confirmation(), twice))).expected == "confirmed once"


def test_records_that_hide_their_object_contradict_nothing():
    nameless = replace(REGISTERED, fields={"ccy": "EUR"})
    shown = invoices(registered=nameless, confirmed=replace(confirmation(), fields={}), shown=())
    shown.contradictions()
    assert len(wanting(shown)) == 2


def test_a_number_without_a_normal_form_is_malformed():
    with pytest.raises(FieldMalformed):
        wanting(invoices(registered=opened(cn_einv="2699")))
