from dataclasses import replace

import pytest

from hybrid_bridge.business.schema import claim_or_private
from hybrid_bridge.core import vrf
from hybrid_bridge.core.delivery import parse_delivery
from hybrid_bridge.core.disclosure import open_fields
from hybrid_bridge.core.encoding import b64u, sha256
from hybrid_bridge.core.entry import decode_record_entry
from hybrid_bridge.core.field_tree import check_full_opening
from hybrid_bridge.core.keys import PrivateKey
from hybrid_bridge.core.labels import alpha, commitment, creditor_invoice, e_invoice, life
from hybrid_bridge.core.transaction import SignaturePart, SignedTransaction, claims_of
from hybrid_bridge.errors import FieldMalformed, FieldMismatch, Missing, SignatureWrong, TooLong
from hybrid_bridge.steps.submit import Document, Submission, build_record, finish
from hybrid_bridge.units import EpochNumber, LogId
from hybrid_bridge.units import Sequence as SequenceNumber
from tests.ledger import counted

LOG = LogId(sha256(b"log"))
SEED = sha256(b"vrf")
OBJECT = "00112233445566778899aabbccddeeff"
SUBMITTER, DEBTOR, OTHER = (PrivateKey.from_seed(sha256(name)) for name in (b"submitter", b"debtor", b"other"))
SUBMISSION = Submission(
    log_id=LOG,
    submitter=SUBMITTER.public.key_id,
    sequence=SequenceNumber(3),
    expires_epoch=EpochNumber(7),
    authorisers=(DEBTOR.public.key_id,),
)
LABELS = (e_invoice("CN", "26990000000000000001"), creditor_invoice("LEI:5493001KJTIIGC8Y1R12", "INV-001"))
FIELDS = {
    "object": OBJECT,
    "gross": "1000",
    "ccy": "CNY",
    "distinct": False,
    "event_time": 5,
    "order_number": "PO-1",
    "contract_number": "FC-1",
}


def document(**more):
    return Document(schema="asset.confirm/1", fields=FIELDS, labels=LABELS, object_id=OBJECT, **more)


def draft_of(made=None):
    return build_record(made or document(), SUBMISSION, SEED, counted())


def signed_of(draft):
    own = SignaturePart.over(draft.body.message, SUBMITTER)
    return finish(draft.body, own, [SignaturePart.over(draft.body.consent, DEBTOR)])


def test_claims_travel_and_private_fields_do_not():
    draft = draft_of()
    claims = claims_of(draft.body)
    assert {name: claim.value for name, claim in claims.items()} == {
        "_schema": "asset.confirm/1",
        "_origin": b64u(SUBMITTER.public.key_id),
        "object": OBJECT,
        "gross": "1000",
        "ccy": "CNY",
        "distinct": False,
        "event_time": 5,
    }
    assert b"PO-1" not in draft.body.encode()
    assert all(text.encode() not in draft.body.encode() for text in (d.text() for d in draft.tree.private))


def test_a_draft_opens_fully():
    draft = draft_of()
    delivered = parse_delivery(draft.delivered().encode())
    entry = decode_record_entry(draft.entry)
    opened = open_fields(entry, delivered.disclosures, claim_or_private)
    assert {part.disclosure.name: part.disclosure.value for part in opened if not part.is_claim} == {
        "order_number": "PO-1",
        "contract_number": "FC-1",
    }
    check_full_opening(entry, draft.tree.claims, draft.tree.private, delivered.decoys)
    assert [opening.value for opening in delivered.openings] == [o.value.decode() for o in draft.openings]


def test_a_narrow_audience_gets_what_is_named():
    draft = draft_of()
    delivered = draft.delivered(["order_number"])
    entry = decode_record_entry(draft.entry)
    names = {part.disclosure.name for part in open_fields(entry, delivered.disclosures, claim_or_private)}
    assert "order_number" in names
    assert "contract_number" not in names
    assert (delivered.decoys, delivered.openings) == ((), ())
    for unknown in ("gross", "nothing"):
        with pytest.raises(Missing):
            draft.delivered([unknown])


def test_the_same_random_bytes_give_the_same_draft_and_others_another():
    assert draft_of() == draft_of()
    other = build_record(document(), SUBMISSION, SEED, counted("other"))
    assert other.entry != draft_of().entry
    assert {o.index for o in other.openings} == {o.index for o in draft_of().openings}


def test_every_field_decoy_and_opening_has_random_bytes_of_its_own():
    draft = draft_of()
    salts = [d.salt for d in (*draft.tree.claims, *draft.tree.private)]
    drawn = [*salts, *draft.tree.decoy_seeds, *(opening.opening for opening in draft.openings)]
    assert len(set(drawn)) == len(drawn)
    assert {len(piece) for piece in drawn} == {32}


def test_a_labels_index_is_proven_and_its_commitment_opens():
    draft = draft_of()
    for label, opening in zip(LABELS, draft.openings, strict=True):
        output = vrf.verify(vrf.public_key(SEED), alpha(LOG, label, 0), opening.proof)
        assert vrf.index_of(output) == opening.index
        assert commitment(opening.opening, LOG, label, 0, opening.value) == opening.commitment
        assert b64u(draft.entry_leaf).encode() in opening.value
    ops = draft.body.payload.ops
    assert {(op.label_type, op.index, op.commitment) for op in ops} == {
        (o.label.type, o.index, o.commitment) for o in draft.openings
    }


def test_a_width_can_be_fixed_for_all_records_of_a_schema():
    draft = draft_of(document(width=64))
    assert draft.tree.width == 64
    assert len(draft.tree.decoy_seeds) == 32 - len(draft.tree.private)
    with pytest.raises(TooLong):
        draft_of(document(width=8))


@pytest.mark.parametrize(
    "fields",
    [
        {**FIELDS, "unknown": "1"},
        {**FIELDS, "_schema": "asset.confirm/1"},
        {**FIELDS, "gross": 1000},
        {**FIELDS, "order_number": 1},
        {name: value for name, value in FIELDS.items() if name != "ccy"},
    ],
)
def test_fields_that_the_schema_does_not_have_are_malformed(fields):
    with pytest.raises(FieldMalformed):
        draft_of(Document(schema="asset.confirm/1", fields=fields))


def test_a_schema_that_does_not_exist_is_malformed():
    with pytest.raises(FieldMalformed):
        draft_of(Document(schema="asset.confirm/2", fields=FIELDS))


def test_labels_that_a_record_does_not_take_are_malformed():
    amount = {"note": OBJECT, "event_time": 5}
    with pytest.raises(FieldMalformed) as caught:
        draft_of(Document(schema="note.accept/1", fields=amount, labels=LABELS, object_id=OBJECT))
    assert caught.value.field == "labels"
    with pytest.raises(FieldMalformed):
        draft_of(Document(schema="asset.confirm/1", fields=FIELDS, labels=(life("asset", OBJECT),), object_id=OBJECT))


def test_a_label_needs_the_object_it_is_the_label_of():
    with pytest.raises(FieldMalformed) as caught:
        draft_of(Document(schema="asset.confirm/1", fields=FIELDS, labels=LABELS))
    assert caught.value.field == "object"


def test_authorisers_are_put_in_order():
    keys = tuple(sorted((key.public.key_id for key in (DEBTOR, OTHER)), reverse=True))
    draft = build_record(document(), replace(SUBMISSION, authorisers=keys), SEED, counted())
    assert draft.body.authorisers == tuple(sorted(keys))


def test_a_finished_transaction_stands_on_its_own():
    signed = signed_of(draft_of())
    assert SignedTransaction.decode(signed.encode()) == signed
    signed.verify_stateless(LOG)


def test_consent_is_gathered_before_the_sequence_is_known():
    draft = draft_of()
    consent = SignaturePart.over(draft.body.consent, DEBTOR)
    later = replace(draft.body, sequence=SequenceNumber(99))
    finish(later, SignaturePart.over(later.message, SUBMITTER), [consent])


def test_a_missing_or_foreign_signature_is_refused_before_it_is_sent():
    draft = draft_of()
    own, consent = SignaturePart.over(draft.body.message, SUBMITTER), SignaturePart.over(draft.body.consent, DEBTOR)
    with pytest.raises(Missing):
        finish(draft.body, own)
    with pytest.raises(FieldMismatch):
        finish(draft.body, SignaturePart.over(draft.body.message, OTHER), [consent])
    with pytest.raises(SignatureWrong):
        finish(draft.body, SignaturePart.over(draft.body.consent, SUBMITTER), [consent])
