"""Check 3 through whole bundles: one byte string or one order wrong, everything else as it was."""

from dataclasses import replace

import pytest

from hybrid_bridge.core.disclosure import Disclosure, parse_disclosure
from hybrid_bridge.core.encoding import b64u, canonical_json, context
from hybrid_bridge.core.entry import DecoyEntry, RefusalEntry
from hybrid_bridge.core.governance import MemberUpdate
from hybrid_bridge.core.labels import Label
from hybrid_bridge.errors import (
    EntryMalformed,
    FieldMalformed,
    Malformed,
    NotCanonical,
    RecordMalformed,
    SetMismatch,
    TooLong,
    TrailingBytes,
    Truncated,
    WordMalformed,
)
from hybrid_bridge.steps.verify import decoded
from tests.bundles import edit
from tests.unit.hybrid_bridge.steps.verify.judging import changed, good, judged, stopped, world

AT = "3 structs"
ENTRY = "epochs.0.entries.0"
FIELDS = f"{ENTRY}.disclosures"
LABELS = "epochs.0.labels"


def word(data: bytes, index: int, value: bytes) -> bytes:
    """A word record with one word replaced; the value stands at its right end."""
    return data[: 32 * index + 32 - len(value)] + value + data[32 * index + 32 :]


# ── word records ──


@pytest.mark.parametrize(
    ("path", "index"),
    [("genesis.record", 2), ("epochs.0.record", 2), ("rotations.0.epoch.record", 2), ("rotations.0.update", 2)],
)
def test_pad_byte_set(path, index):
    bundle = changed("history", path, lambda data: data[: 32 * index] + b"\x01" + data[32 * index + 1 :])
    assert stopped(bundle, WordMalformed, AT).index == index


@pytest.mark.parametrize("path", ["genesis.record", "epochs.0.record"])
def test_a_record_of_another_type_is_no_such_record(path):
    bundle = changed("receivable", path, lambda data: word(data, 0, bytes(32)))
    assert stopped(bundle, WordMalformed, AT).index == 0


@pytest.mark.parametrize(
    ("index", "value"),
    [
        (2, b"\x00"),  # epoch 0
        (6, (96).to_bytes(2, "big")),  # batch-size-off-ladder: no power of two
        (8, bytes(32)),  # registry-root-zero
        (9, b"\x00"),  # governance size 0
        (17, b"\x02"),  # flags-unknown-bit
        (13, b"\x01"),  # beacon-half-zero; the error names the word that is zero
    ],
)
def test_a_word_outside_its_range(index, value):
    bundle = changed("receivable", "epochs.0.record", lambda data: word(data, index, value))
    assert stopped(bundle, WordMalformed, AT).index == (14 if index == 13 else index)


def test_u64_over_2_53():
    bundle = changed("receivable", "epochs.0.record", lambda data: word(data, 4, (2**53).to_bytes(7, "big")))
    assert stopped(bundle, WordMalformed, AT).index == 4


def test_epoch_record_as_governance_leaf():
    bundle = changed("history", "governance.records.0.record", world().closed[0].record.encode())
    assert stopped(bundle, WordMalformed, AT).index == 0


def test_governance_record_as_log_leaf():
    record = world().governance[3]
    bundle = changed("receivable", "epochs.0.record", (record * 3)[:640])
    assert stopped(bundle, WordMalformed, AT).index == 0


def test_a_rotation_is_made_of_a_set_update():
    member = next(data for data in world().governance[1:] if len(data) == 352)
    assert MemberUpdate.decode(member)
    error = stopped(changed("history", "rotations.0.update", member), FieldMalformed, AT)
    assert error.field == "rotations.update"


def test_a_set_update_that_contradicts_itself_is_refuted():
    bundle = changed("history", "rotations.0.update", lambda data: word(data, 4, b"\x01"))
    stopped(bundle, SetMismatch, AT)


def test_a_set_update_of_another_length():
    stopped(changed("history", "rotations.0.update", lambda data: data[:-128]), RecordMalformed, AT)


def test_governance_needs_two_epochs_that_are_shown_in_order():
    for path, number in (("from_epoch", 4), ("to_epoch", 4), ("from_epoch", 3), ("to_epoch", 1)):
        error = stopped(changed("history", f"governance.{path}", number), FieldMalformed, AT)
        assert error.field == "governance"


# ── entries and disclosures ──


def test_an_entry_stands_once():
    """Else one record could pass for two."""
    bundle = changed("receivable", "epochs.0.entries", lambda entries: entries * 2)
    assert stopped(bundle, FieldMalformed, AT).field == "entries"


def test_decoy_shown_as_record():
    decoy = next(data for data in world().closed[0].batch.entries if data[0] == 0)
    assert stopped(changed("receivable", f"{ENTRY}.entry", decoy), EntryMalformed, AT).offset == 0
    output = DecoyEntry(bytes(32)).encode()
    assert stopped(changed("receivable", f"{ENTRY}.entry", output), EntryMalformed, AT).offset == 0


def test_refusal_shown_as_record():
    refusal = RefusalEntry(world().played[33].signed.body.transaction_id).encode()
    assert refusal in world().closed[0].batch.entries
    assert stopped(changed("receivable", f"{ENTRY}.entry", refusal), EntryMalformed, AT).offset == 0


@pytest.mark.parametrize(
    ("offset", "value"),
    [(0, b"\x03"), (1, b"\x00\x00"), (1, b"\xff\xff"), (3, b"\x00\x09"), (3, b"\x00\x04"), (3, b"\x08\x00")],
)
def test_an_entry_of_another_layout(offset, value):
    """unknown-first-byte, type-zero, width-not-power-of-two."""
    bundle = changed("receivable", f"{ENTRY}.entry", lambda data: data[:offset] + value + data[offset + len(value) :])
    assert stopped(bundle, EntryMalformed, AT).offset == offset


def shown(name="due_date", value="2026-04-05") -> Disclosure:
    return Disclosure(b"\x07" * 32, name, value)


def raw(parts) -> str:
    return b64u(canonical_json(parts))


SALT = b64u(b"\x07" * 32)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        pytest.param(raw([SALT, "due_date"]), FieldMalformed, id="array-of-two"),
        pytest.param(raw([SALT, "due_date", 1, 2]), FieldMalformed, id="array-of-four"),
        pytest.param(raw([b64u(b"\x07" * 16), "due_date", 1]), FieldMalformed, id="salt-16-bytes"),
        pytest.param(raw([SALT[:-1] + "d", "due_date", 1]), NotCanonical, id="salt-not-canonical"),
        pytest.param(raw([SALT, "_sd", 1]), FieldMalformed, id="sd-name"),
        pytest.param(raw([SALT, "...", 1]), FieldMalformed, id="reserved-name"),
        pytest.param(raw([SALT, "Due", 1]), FieldMalformed, id="name-with-capital"),
        pytest.param(raw([SALT, "due_date", []]), FieldMalformed, id="array-as-value"),
        pytest.param(b64u(b'["%s", "due_date", 1]' % SALT.encode()), NotCanonical, id="not-jcs-whitespace"),
        pytest.param(b64u(b'["%s","due_date",1.0]' % SALT.encode()), FieldMalformed, id="float-value"),
        pytest.param(b64u(b'["%s","due_date",9007199254740992]' % SALT.encode()), FieldMalformed, id="integer-2^53"),
        pytest.param(b64u(b'["%s","due_date","\\ud800"]' % SALT.encode()), FieldMalformed, id="lone-surrogate"),
        pytest.param(raw([SALT, "due_date", 1]) + "=", NotCanonical, id="base64-padding"),
        pytest.param(raw([SALT, "due_date", "abc"])[:-1] + "R", NotCanonical, id="trailing-bits-set"),
    ],
)
def test_a_disclosure_in_another_spelling(text, error):
    stopped(changed("receivable", f"{FIELDS}.0.value", text), error, AT)


def test_a_disclosure_of_more_than_8192_characters_is_refused_by_its_length():
    stopped(changed("receivable", f"{FIELDS}.0.value", "A" * 8192), FieldMalformed, AT)


def test_name_twice():
    parts = good().epochs[0].entries[0].disclosures
    twin = replace(parts[-1], index=parts[-1].index + 1)
    error = stopped(changed("receivable", FIELDS, (*parts, twin)), FieldMalformed, AT)
    assert error.rule == "once in a record"


def test_disclosures_stand_in_the_order_of_their_leaves():
    parts = good().epochs[0].entries[0].disclosures
    for order in (parts[::-1], (parts[0], *parts)):
        assert stopped(changed("receivable", FIELDS, order), FieldMalformed, AT).field == "entries.disclosures"


def test_schema_not_disclosed():
    parts = good().epochs[0].entries[0].disclosures
    kept = tuple(part for part in parts if parse_disclosure(part.value).name != "_schema")
    assert len(kept) == len(parts) - 1
    assert stopped(changed("receivable", FIELDS, kept), FieldMalformed, AT).field == "_schema"


def test_a_schema_is_a_text():
    parts = [replace(part, value=shown("_schema", 5).text()) for part in good().epochs[0].entries[0].disclosures[:1]]
    assert stopped(changed("receivable", FIELDS, tuple(parts)), FieldMalformed, AT).field == "_schema"


def test_a_transaction_has_one_encoding():
    path = f"{ENTRY}.transaction"
    stopped(changed("document", path, lambda data: data + b"\x00"), TrailingBytes, AT)  # tx/trailing-byte
    stopped(changed("document", path, lambda data: data[:-1]), Truncated, AT)
    stopped(changed("document", path, lambda data: b"\x02" + data[1:]), FieldMalformed, AT)


# ── labels ──


def members(**changes):
    return lambda labels: (replace(labels[0], **changes), *labels[1:])


@pytest.mark.parametrize(
    "absent",
    [
        ("proof",),
        ("label",),
        ("version",),
        ("label", "version"),
        ("value",),
        ("opening",),
        ("label", "version", "proof"),
    ],
)
def test_proof_without_label(absent):
    """Label, version and proof: all or none; value and opening: both or none, and only with a label."""
    bundle = changed("financing", "epochs.1.labels", members(**dict.fromkeys(absent)))
    assert stopped(bundle, FieldMalformed, AT).field == "labels"


def label_bytes(label_type: int, *parts: str) -> bytes:
    texts = [part.encode() for part in parts]
    return label_type.to_bytes(2, "big") + bytes([len(parts)]) + b"".join(len(t).to_bytes(2, "big") + t for t in texts)


@pytest.mark.parametrize(
    ("label", "error"),
    [
        pytest.param(label_bytes(2, "cn", "26990000000000000001"), NotCanonical, id="label-not-normalised"),
        pytest.param(label_bytes(2, "CN", "26990000000000000001 "), NotCanonical, id="label-with-a-space"),
        pytest.param(
            label_bytes(3, "LEI:5493001KJTIIGC8Y1R12", "INV-00\u0410"), FieldMalformed, id="cyrillic-homoglyph"
        ),
        pytest.param(label_bytes(3, "LEI:5493001KJTIIGC8Y1R13", "INV-001"), FieldMalformed, id="check-digit"),
        pytest.param(label_bytes(2, "CN"), FieldMalformed, id="a-part-missing"),
        pytest.param(label_bytes(99, "CN"), FieldMalformed, id="type-unknown"),
        pytest.param(label_bytes(2, "CN", "26990000000000000001") + b"\x00", TrailingBytes, id="trailing"),
    ],
)
def test_a_label_in_another_spelling(label, error):
    stopped(changed("unregistered", f"{LABELS}.0.label", label), error, AT)


def test_parts_misaligned():
    """`AB`,`C` for `A`,`BC`: the lengths are part of the label, so it is another label or none."""
    there = Label(3, ("LEI:5493001KJTIIGC8Y1R12", "INV-001")).encode()
    moved = label_bytes(3, "LEI:5493001KJTIIGC8Y1R1", "2INV-001")
    assert len(there) == len(moved)
    stopped(changed("unregistered", f"{LABELS}.0.label", moved), FieldMalformed, AT)


@pytest.mark.parametrize(
    ("value", "error"),
    [("", FieldMalformed), ("{}", FieldMalformed), ('{"entry":1,"object":"","table":""}', FieldMalformed)],
)
def test_a_value_in_another_shape(value, error):
    stopped(changed("financing", "epochs.1.labels.0.value", value), error, AT)


# ── notes, names, key bindings ──


@pytest.mark.parametrize(
    ("change", "error"),
    [
        pytest.param(lambda note: note.replace("\n4\n", "\n04\n"), FieldMalformed, id="size-leading-zero"),
        pytest.param(lambda note: note.replace("\n\n", "\nextension\n\n", 1), FieldMalformed, id="extension-line"),
        pytest.param(lambda note: note.replace("=\n\n", "\n\n"), FieldMalformed, id="root-43-chars"),
        pytest.param(lambda note: note.replace("\n\n", "\n", 1), FieldMalformed, id="no-blank-line"),
        pytest.param(lambda note: note.replace("\n4\n", "\n4\r\n"), FieldMalformed, id="control-character"),
        pytest.param(lambda note: note[:-1], FieldMalformed, id="no-line-feed-at-the-end"),
        pytest.param(lambda note: note.replace("— ", "- "), FieldMalformed, id="another-dash"),
        pytest.param(lambda note: note * 45, TooLong, id="more-than-160-lines"),
    ],
)
@pytest.mark.parametrize("path", ["checkpoints.0.note", "rotations.0.note"])
def test_a_note_in_another_spelling(path, change, error):
    stopped(changed("history", path, change), error, AT)


def test_a_name_is_the_text_of_a_name():
    path = "genesis.validators.0.name"
    stopped(changed("receivable", path, lambda name: name + " "), NotCanonical, AT)
    stopped(changed("receivable", path, '{"id":"x"}'), FieldMalformed, AT)


def test_a_key_binding_is_of_version_1_and_a_scheme_we_know():
    for position in (0, 117):
        bundle = edit(good(), "genesis.validators.0.key_binding", lambda d, p=position: d[:p] + b"\xff" + d[p + 1 :])
        stopped(bundle, FieldMalformed, AT)


def test_promise_signature_as_transaction():
    """What is signed begins with its own context: the bytes of another statement are no transaction."""
    stopped(changed("document", f"{ENTRY}.transaction", context("promise") + bytes(153 + 66)), FieldMalformed, AT)


# ── provenance ──


@pytest.mark.parametrize("text", ["{ not json", '{"b":1,"a":2}', "captured by a notary", "1.5", ""])
def test_a_provenance_that_is_not_jcs_is_malformed(text):
    with pytest.raises(Malformed) as caught:
        judged(replace(good(), provenance=text))
    assert caught.value.stopped_at == AT


def test_a_provenance_is_any_jcs_value():
    for text in ('{"a":2,"b":1}', '"captured by a notary"', "1"):
        assert judged(replace(good(), provenance=text)).complete


# ── how much there may be to check ──


def test_each_certificate_counts_once_for_each_root(monkeypatch):
    """64 certificates on 64 roots of one name would be 4,096 signature checks."""
    roots = world().trust().member_roots * 64
    assert judged(good("history"), member_roots=roots[:8]).complete
    monkeypatch.setattr(decoded, "MAX_SIGNATURES", 3 * 4 + 5 + 4 * 8 - 1)
    error = stopped(good("history"), TooLong, AT, member_roots=roots[:8])
    assert (error.field, error.got) == ("bundle.signatures", 3 * 4 + 5 + 4 * 8)
