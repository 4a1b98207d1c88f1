"""Check 13 through whole bundles: rules between records, documents, what labels were opened to."""

from dataclasses import replace
from typing import ClassVar

import pytest

from hybrid_bridge.core.batch import Batch
from hybrid_bridge.core.bundle import ArtefactPart
from hybrid_bridge.core.encoding import b64u, parse_b64u, sha256
from hybrid_bridge.core.labels import IdentityValue, LifeValue, commitment, life, normalised
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.registry import PrefixTree
from hybrid_bridge.core.transaction import SignaturePart
from hybrid_bridge.errors import FieldMalformed, FieldMismatch
from hybrid_bridge.steps import submit
from hybrid_bridge.steps.submit import Document, Submission, build_record, finish
from hybrid_bridge.steps.verify import verify
from hybrid_bridge.testing.datasets.play import Played
from tests.bundles import CADENCE, INVOICE, NOW, START, Consortium, _sorted, edit
from tests.ledger import counted
from tests.unit.hybrid_bridge.steps.verify.judging import changed, good, judged, stopped, world

AT = "13 rules"
FIRST, THIRD = "epochs.0.entries", "epochs.1.labels"
NAMES_ALL = "I12: the transaction of the financing, which names every note that it financed"
BACKING = ("note", "face", "back.0.object", "back.0.allot")


def shown(*entries, labels=(), w=None, **parts):
    """These records in epoch 1 and labels at epoch 3."""
    w = w or world()
    return w.bundle(4, w.epoch_part(1, 4, entries=_sorted(entries)), w.epoch_part(3, 4, labels=labels), **parts)


def lied(*documents: tuple[str, dict]):
    """A consortium that took records though they break the rules; their events are numbered from zero."""
    w, played = world(), []
    for schema, fields in documents:
        submission = Submission(
            log_id=w.genesis.log_id, submitter=w.keys["core"].public.key_id, sequence=0, expires_epoch=99
        )
        document = Document(schema=schema, fields=fields)
        draft = build_record(document, submission, w.vrf_seed, counted(str(fields)))
        own = SignaturePart.over(draft.body.message, w.keys["core"])
        played.append(Played(draft, finish(draft.body, own)))
    kept = w.closed[0].batch.entries[len(played) :]
    batch = Batch(sorted([*kept, *(one.draft.entry for one in played)], key=leaf_hash))
    liar = w.variant(1, batch=batch, batch_root=batch.root)
    liar.played = played
    return liar


def fields_of(event: int, **words):
    w = world()
    keys = {f"@{name}": b64u(w.keys[name].public.key_id) for name in w.keys}
    fields = {name: keys.get(value, value) for name, value in w.events[event]["fields"].items()}
    return {**fields, **words}


# ── I2 ──


def test_a_split_adds_up():
    assert judged(good("split")).warnings == ()


def test_a_split_that_makes_value_is_refuted_though_every_validator_agreed():
    """I2."""
    face = int(fields_of(35)["child.0.face"])
    liar = lied(("note.issue/1", fields_of(2)), ("note.split/1", fields_of(35, **{"child.0.face": str(face + 1)})))
    error = stopped(shown(liar.entry(0, "*"), liar.entry(1, "*"), w=liar, anchors=()), FieldMismatch, AT)
    assert error.field == "split.children (I2)"


def test_a_child_that_is_not_shown_is_said():
    names = [name for name in world().events[35]["fields"] if name.startswith("child.0")]
    (warning,) = judged(shown(world().entry(2, "note", "face"), world().entry(35, "note", *names))).warnings
    assert "some are not shown" in warning


def test_without_its_transaction_a_split_may_have_more_children():
    (warning,) = judged(world().split(transaction=False)).warnings
    assert "no other child was checked by the validators alone" in warning


def test_a_transaction_shows_every_claim_of_its_record():
    """With it the split's faces are known though nothing of it is disclosed."""
    bundle = shown(world().entry(2, "note", "face"), world().entry(35, transaction=True))
    assert judged(bundle).warnings == ()
    assert "parent's face is not shown" in judged(shown(world().entry(35, transaction=True))).warnings[0]


# ── I9 ──


@pytest.mark.parametrize(
    ("moment", "holds"),
    [
        (START - 86_400, True),
        (START - 86_401, False),
        (START + CADENCE + 120, True),
        (START + CADENCE + 121, False),
        (1, False),
    ],
)
def test_an_event_is_of_its_epoch_as_far_as_late_reports_go(moment, holds):
    liar = lied(("note.accept/1", fields_of(3, event_time=moment)))
    bundle = shown(liar.entry(0, "event_time"), w=liar, anchors=())
    if holds:
        assert judged(bundle, require=()).complete
    else:
        assert stopped(bundle, FieldMismatch, AT).field == "event_time (I9)"


# ── I6b ──


def test_an_advance_above_the_rate_is_refuted_if_every_note_is_shown():
    """I6b; without the transaction another note may stand behind the advance: missing then, and never verified."""
    advance = fields_of(14)["face"]
    liar = lied(("note.issue/1", fields_of(14)), ("fin.finance/1", fields_of(48, advance=advance)))
    bundle = shown(liar.entry(0, "*"), liar.entry(1, "*"), w=liar, anchors=())
    missing = judged(bundle, require=()).missing
    assert any(what.startswith("I6b: every financed note") for what in missing)
    whole = shown(liar.entry(0, "*"), liar.entry(1, "*", transaction=True), w=liar, anchors=())
    assert stopped(whole, FieldMismatch, AT).field == "advance (I6b)"


def test_an_advance_within_the_rate_is_silent():
    assert "I6b" not in str(judged(good("financing")))


# ── I12 ──


def without(bundle, record_type: bytes):
    """A financing that leaves one record out."""
    return edit(bundle, FIRST, lambda entries: tuple(e for e in entries if e.entry[1:3] != record_type))


@pytest.mark.parametrize(
    ("record_type", "missing"),
    [
        (b"\x01\x01", "the opened invoice of asset"),
        (b"\x01\x02", "the debtor's confirmation of asset"),
        (b"\x01\x05", "the issue of the financed note"),
    ],
)
def test_a_financing_without_invoice_confirmation_or_issue_is_never_verified(record_type, missing):
    evidence = judged(without(good("financing"), record_type))
    assert not evidence.complete
    assert any(what.startswith(f"I12: {missing}") for what in evidence.missing)


def test_a_financer_that_hides_a_note_it_financed_is_never_verified():
    """The same record names another note of which nothing is shown, and leaves that field closed."""
    fields = fields_of(48, **{"note.1": "ee" * 16})
    liar = lied(("note.issue/1", fields_of(14)), ("fin.finance/1", fields))
    hiding = shown(liar.entry(0, "*"), liar.entry(1, "note.0"), w=liar, anchors=())
    assert NAMES_ALL in judged(hiding, require=()).missing
    whole = shown(liar.entry(0, "*"), liar.entry(1, transaction=True), w=liar, anchors=())
    assert f"I12: the issue of the financed note {'ee' * 16}" in judged(whole, require=()).missing
    unsigned = edit(good("financing"), FIRST, lambda parts: _with(parts, world().entry(48, "note.0", "advance")))
    assert judged(unsigned).missing == (NAMES_ALL,)


def test_a_confirmation_without_its_transaction_names_no_label():
    entries = (world().entry(k, *names) for k, names in ((12, INVOICE), (13, ("object",)), (14, BACKING)))
    labels = good("financing").epochs[1].labels
    (missing,) = judged(shown(*entries, world().entry(48, transaction=True), labels=labels)).missing
    assert missing.startswith("I12: the transaction of the confirmation of asset")


@pytest.mark.parametrize("number", range(4))
def test_a_financing_without_a_label_of_its_invoice_is_never_verified(number):
    kind = world().played[13].draft.openings[number].label.type
    bundle = edit(good("financing"), THIRD, lambda labels: (*labels[:number], *labels[number + 1 :]))
    assert judged(bundle).missing == (_wanting(f"the VRF proofs of its labels of type {kind}"),)
    closed = edit(good("financing"), f"{THIRD}.{number}", lambda part: replace(part, value=None, opening=None))
    assert judged(closed).missing == (_wanting(f"its label of type {kind}, present in the registry and opened"),)


def _wanting(what: str) -> str:
    return f"I12: of the invoice of asset {world().events[13]['fields']['object']}, {what}"


@pytest.mark.parametrize("name", ["seller", "inv_no", "cn_einv", "gross"])
def test_a_financing_whose_invoice_is_half_opened_is_never_verified(name):
    """The holder picks the fields; a number that he keeps back may be the one that is financed elsewhere."""
    fields = [field for field in INVOICE if field != name]
    entries = edit(good("financing"), FIRST, lambda parts: tuple(_reopened(part, fields) for part in parts))
    assert judged(entries).missing[0].startswith(_wanting("the opened field"))


def _reopened(part, fields):
    return world().entry(12, *fields) if part.entry == world().played[12].draft.entry else part


def test_a_financing_that_hides_what_backs_its_note_is_never_verified():
    """The holder picks the fields: leaving the backing out, or half of it, excuses nothing."""
    for names in (("note",), ("note", "back.0.object"), ("note", "face", "back.0.object")):
        bundle = edit(good("financing"), FIRST, lambda parts, n=names: _with(parts, world().entry(14, *n)))
        (missing,) = (what for what in judged(bundle).missing if not what.startswith("I6b"))
        assert missing.startswith("I12: all that backs the note")
    assert judged(edit(good("financing"), FIRST, lambda p: _with(p, world().entry(14, transaction=True)))).complete


def _with(parts, other):
    return tuple(other if part.entry == other.entry else part for part in parts)


def test_another_invoices_label_is_not_this_ones():
    other = world().played[9].draft.openings[0].label
    bundle = edit(good("financing"), f"{THIRD}.0", lambda _: world().label(other, 0, 3))
    assert judged(bundle).missing == (_wanting("the VRF proofs of its labels of type 2"),)


# ── I12 when the debtor and all validators lie ──


class Liar(Consortium):
    """A consortium in which an event is confirmed with other labels."""

    events_changed: ClassVar[dict] = {}

    def _live(self):
        for number, change in self.events_changed.items():
            self.events[number] = {**self.events[number], **change}
        super()._live()


def confirming(**labels):
    """The bundle of a financing; event 13 confirms the invoice, event 17 the next one, with the labels given."""
    kind = type("Other", (Liar,), {"events_changed": {int(k[1:]): {"labels": rows} for k, rows in labels.items()}})
    return kind()


INVENTED = {"type": 2, "parts": ["CN", "26990000000000000777"]}


def test_a_confirmation_with_an_invented_number_is_refuted():
    """F-R15: the debtor confirmed with the number of another invoice; everything else is whole and signed."""
    rows = world().events[13]["labels"]
    liar = confirming(e13=[INVENTED, *rows[1:]])
    error = stopped(liar.financing(), FieldMismatch, AT, **_trust_in(liar))
    assert error.field == "label"
    true = edit(
        liar.financing(), THIRD, lambda labels: (liar.label(normalised(2, *rows[0]["parts"]), 0, 3), *labels[1:])
    )
    assert stopped(true, FieldMismatch, AT, **_trust_in(liar)).got == "another index"


def test_a_confirmation_without_labels_is_refuted_once_its_transaction_and_the_true_labels_are_shown():
    liar = confirming(e13=[])
    evidence = verify(liar.financing().encode(), liar.trust(), NOW)
    assert [what.split(", ")[1] for what in evidence.missing] == ["the VRF proofs of its labels of type 2"]
    labels = tuple(liar.label(normalised(r["type"], *r["parts"]), 0, 3) for r in world().events[13]["labels"])
    error = stopped(edit(liar.financing(), THIRD, lambda _: labels), FieldMismatch, AT, **_trust_in(liar))
    assert error.got == "another index"


def _trust_in(w):
    return {"logs": w.trust().logs, "public_chains": w.trust().public_chains, "member_roots": w.trust().member_roots}


# ── what a label was opened to ──


def relabelled(change):
    """The identity label of the financing's invoice holds another value; all validators agreed."""
    w = world()
    part = good("financing").epochs[1].labels[0]
    label = w.played[13].draft.openings[0].label
    value = change(IdentityValue.decode(part.value.encode())).encode()
    held = commitment(part.opening, w.genesis.log_id, label, 0, value)
    pairs = [(index, held if index == part.index else c) for index, c in w.closed[2].registry.pairs()]
    registry = PrefixTree().insert(pairs)
    liar = w.variant(3, registry=registry, registry_root=registry.root)
    shown_label = replace(liar.label(label, 0, 3, opened=False), value=value.decode(), opening=part.opening)
    entries = good("financing").epochs[0].entries
    epochs = liar.epoch_part(1, 4, entries=entries), liar.epoch_part(3, 4, labels=(shown_label,))
    return liar.bundle(4, *epochs, anchors=())


def test_a_label_opened_to_another_object_than_its_record_is_refuted():
    bundle = relabelled(lambda value: replace(value, object_id="0" * 32))
    assert stopped(bundle, FieldMismatch, "10 registry").expected == _op(13, 0).commitment.hex()
    unsigned = edit(bundle, FIRST, lambda parts: _with(parts, world().entry(13, "object")))
    error = stopped(unsigned, FieldMismatch, AT)
    assert (error.field, error.got) == ("labels.value.object", "0" * 32)


def test_a_label_opened_to_an_entry_that_is_not_shown_confirms_nothing():
    """registry/opening-of-other-entry: the object is right, and another record than the confirmation inserted it."""
    bundle = relabelled(lambda value: replace(value, entry_leaf=sha256(b"other")))
    assert stopped(bundle, FieldMismatch, "10 registry").expected == _op(13, 0).commitment.hex()
    hidden = edit(bundle, FIRST, lambda parts: _with(parts, world().entry(13, "object", "distinct")))
    asset = world().events[13]["fields"]["object"]
    (missing,) = judged(hidden, require=()).missing
    assert missing.startswith(f"I12: the transaction of the confirmation of asset {asset}")


def test_a_label_whose_value_names_a_transaction_that_did_not_insert_it_is_refuted():
    """Another confirmation can insert a label whose hidden value names this one."""
    rows, leaf = world().events[13]["labels"], {}

    class Borrower(Liar):
        events_changed: ClassVar[dict] = {13: {"labels": rows[1:]}, 17: {"labels": [rows[0]]}}

        def _live(self):
            real = submit.identity_value

            def lied(entry_leaf, object_id):
                leaf.setdefault(object_id, entry_leaf)
                ours = world().events[13]["fields"]["object"]
                return real(leaf.get(ours, entry_leaf), ours if ours in leaf else object_id)

            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(submit, "identity_value", lied)
                super()._live()

    liar = Borrower()
    label = liar.label(normalised(2, *rows[0]["parts"]), 0, 3)
    bundle = edit(liar.financing(), THIRD, lambda labels: (label, *labels))
    assert stopped(bundle, FieldMismatch, AT, **_trust_in(liar)).field == "labels.value.entry"


def _op(event: int, number: int):
    return world().played[event].draft.body.payload.ops[number]


def test_a_life_event_of_another_type_than_its_record_is_refuted():
    w, label = world(), good("financing").epochs[1].labels[7]
    value = LifeValue.decode(label.value.encode())
    assert value.entry_leaf == w.played[48].draft.entry_leaf
    lie = replace(value, code="0x010d").encode()
    held = commitment(label.opening, w.genesis.log_id, _life_label(), 3, lie)
    pairs = [(index, held if index == label.index else c) for index, c in w.closed[2].registry.pairs()]
    registry = PrefixTree().insert(pairs)
    liar = w.variant(3, registry=registry, registry_root=registry.root)
    part = replace(liar.label(_life_label(), 3, 3, opened=False), value=lie.decode(), opening=label.opening)
    epochs = liar.epoch_part(1, 4, entries=good("financing").epochs[0].entries), liar.epoch_part(3, 4, labels=(part,))
    error = stopped(liar.bundle(4, *epochs, anchors=()), FieldMismatch, AT)
    assert (error.field, error.expected, error.got) == ("labels.value.code", "0x010a", "0x010d")


def _life_label():
    return life("note", world().events[14]["fields"]["note"])


def test_a_record_that_hides_its_object_confirms_nothing():
    """Nor is it taken for a contradiction of the label that names it."""
    entries = (world().entry(13), world().entry(14, *BACKING), world().entry(48, transaction=True))
    missing = judged(shown(*entries, labels=good("financing").epochs[1].labels)).missing
    assert [what.split(" of ")[0] for what in missing] == ["I12: the debtor's confirmation", "I12: the opened invoice"]


# ── documents ──

ARTEFACT = "artefacts.0"


def test_artefact_digest_differs():
    error = stopped(changed("document", f"{ARTEFACT}.sha256", bytes(32)), FieldMismatch, AT)
    assert (error.field, error.got) == ("doc.0.sha256", b64u(bytes(32)))


@pytest.mark.parametrize("field", ["doc.1.sha256", "doc.0.size"])
def test_an_artefact_needs_a_field_that_is_shown(field):
    assert stopped(changed("document", f"{ARTEFACT}.field", field), FieldMalformed, AT).field == "artefacts.field"


@pytest.mark.parametrize(
    ("member", "value", "field"),
    [("name", "another.xml", "doc.0.name"), ("media_type", "image/png", "doc.0.media"), ("size", 1, "doc.0.size")],
)
def test_what_the_record_says_of_a_document_holds(member, value, field):
    assert stopped(changed("document", f"{ARTEFACT}.{member}", value), FieldMismatch, AT).field == field


def test_what_the_record_does_not_say_of_a_document_is_the_holders():
    bundle = edit(good("document"), FIRST, lambda _: (world().entry(0, "doc.0.sha256"),))
    for change in ({"name": "x"}, {"size": 7}, {"sm3": bytes(32)}, {"sha512": bytes(64)}):
        other = edit(bundle, ARTEFACT, lambda part, c=change: replace(part, **c))
        assert judged(other).complete
        assert judged(other).artefacts != judged(bundle).artefacts


def test_an_artefact_may_be_of_any_record_shown():
    entries = _sorted([world().entry(k, "doc.0.sha256") for k in (0, 4, 8)])
    for event in (0, 4, 8):
        sha = world().events[event]["fields"]["doc.0.sha256"]
        part = ArtefactPart(name="n", media_type="m", size=0, sha256=parse_b64u(sha, "s"), field="doc.0.sha256")
        bundle = world().bundle(6, world().epoch_part(1, 6, entries=entries), artefacts=(part,))
        assert judged(bundle).complete
