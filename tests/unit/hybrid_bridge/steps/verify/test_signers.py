"""Checks 7 and 8 through whole bundles: which set is responsible, and did enough of it sign."""

from dataclasses import replace

import pytest

from hybrid_bridge.core.bundle import WitnessAnchor
from hybrid_bridge.core.checkpoint import Note, format_note, log_line, parse_note, quorum_line
from hybrid_bridge.core.note import NoteLine
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.signing import sign_digest
from hybrid_bridge.errors import (
    BelowQuorum,
    EntriesMalformed,
    FieldMalformed,
    FieldMismatch,
    SetMismatch,
    SignatureWrong,
)
from hybrid_bridge.units import Address, TreeSize
from tests.bundles import HANDOVER, consortium, edit, flip, set_of
from tests.unit.hybrid_bridge.steps.verify.judging import changed, good, judged, stopped, world

SETS, QUORUMS = "7 validator sets", "8 quorums"
NOTE = "checkpoints.0.note"


def with_lines(change, note: str | None = None) -> str:
    """The note of size 4 with other lines; `change` gets the list of them."""
    parsed = parse_note(note or world().note(4))
    return format_note(parsed.origin, parsed.size, parsed.root, change(list(parsed.lines)))


def line_by(validator, checkpoint, origin: str | None = None) -> NoteLine:
    signature = sign_digest(validator.attestation, checkpoint.digest())
    address = Address(validator.part.address)
    return quorum_line(origin or world().origin, address, checkpoint.timestamp, checkpoint.set_id, signature)


# ── 7 the first set ──


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("genesis.validators.0.name", '{"id":"LEI:X","name":"Somebody else"}'),
        ("genesis.validators.1.certificate_hash", flip),
        ("genesis.validators.2.key_binding", lambda data: data[:60] + flip(data[60:117]) + data[117:]),
        ("genesis.validators.3.address", flip),
    ],
)
def test_set_mismatch_hash(path, change):
    error = stopped(changed("receivable", path, change), SetMismatch, SETS)
    assert error.expected == world().genesis.set_hash


def test_genesis_with_other_set():
    """replay/: his own validators under somebody else's genesis record."""
    other = consortium("other.example/receivables").genesis_part(4).validators
    stopped(changed("receivable", "genesis.validators", other), SetMismatch, SETS)


@pytest.mark.parametrize("change", [lambda v: v[::-1], lambda v: (v[0], *v)], ids=["reversed", "doubled"])
def test_entries_unsorted(change):
    """rotation/ and quorum/: the order is the set's, and nobody stands in it twice."""
    stopped(changed("receivable", "genesis.validators", change), EntriesMalformed, SETS)
    stopped(changed("document", "rotations.0.validators", change), EntriesMalformed, SETS)


def test_n_zero():
    assert stopped(changed("receivable", "genesis.validators", ()), FieldMalformed, SETS).field == "validators"


# ── 7 rotations ──


def test_set_mismatch_of_a_rotation():
    first = tuple(v.part for v in world().first)
    error = stopped(changed("document", "rotations.0.validators", first), SetMismatch, SETS)
    assert error.expected == world().set_update.set_hash


def updated(**words):
    """All validators agree on another set update; the governance tree of epoch 2 and 3 holds it."""
    liar = world().variant(2)
    update = replace(world().set_update, **words)
    liar.set_update = update
    liar.governance = [
        update.encode() if record == world().set_update.encode() else record for record in world().governance
    ]
    tree = liar._governance_tree()
    for epoch in (2, 3, 4, 5):
        size = liar.closed[epoch - 1].record.governance_size
        liar = liar.variant(epoch, governance_root=tree.root(size))
    return liar


def test_id_skipped():
    validators = replace(world().set_update.validators, set_id=3)
    liar = updated(validators=validators, set_hash=validators.digest)
    error = stopped(liar.document(), FieldMismatch, SETS)
    assert (error.field, error.expected, error.got) == ("set_update.set_id", "2", "3")


def test_a_set_that_replaces_another_one():
    error = stopped(updated(previous_set_hash=bytes(32)).document(), FieldMismatch, SETS)
    assert error.field == "set_update.previous_set_hash"


def test_from_size_in_past():
    error = stopped(updated(effective_from_size=3).document(), FieldMismatch, SETS)
    assert (error.field, error.expected) == ("set_update.effective_from_size", ">= 4")


def test_signed_by_new_set():
    """rotation/: nobody can appoint himself."""
    note = world().signed(world().checkpoint(4), world().second[:3])
    error = stopped(changed("document", "rotations.0.note", note), FieldMalformed, SETS)
    assert error.field == "note.lines"  # the renewed key is not of set 1


def replaced():
    """The update to set 2 was replaced in epoch 3: both records are shown, and its rotation all the same."""
    liar, first = world().variant(1), world().set_update
    other = replace(first, effective_from_size=TreeSize(6), replaces=leaf_hash(first.encode()))
    at = world().governance.index(first.encode())
    liar.governance = [*world().governance[: at + 1], other.encode(), *world().governance[at + 2 :]]
    tree = liar._governance_tree()
    for epoch in (3, 4, 5):
        liar = liar.variant(epoch, governance_root=tree.root(liar.closed[epoch - 1].record.governance_size))
    return liar


def test_a_set_that_was_replaced_before_it_took_charge_attests_nothing():
    error = stopped(replaced().history(), FieldMismatch, SETS)
    assert (error.field, error.got) == ("rotations.update", "of one replaced")


def test_below_quorum_of_the_old_set():
    stopped(changed("document", "rotations.0.note", world().note(4, 2)), BelowQuorum, SETS)


@pytest.mark.parametrize("size", [HANDOVER, HANDOVER + 1])
def test_old_set_after_handover(size):
    """The old set's word for a size from which on the new set is responsible counts for nothing, keys or no keys."""
    checkpoint = replace(world().checkpoint(size), set_id=1, set_hash=set_of(1, world().first).digest)
    rotation = replace(world().rotation(6, size=4), note=world().signed(checkpoint, world().first[:3]))
    path = tuple(world().log.inclusion_path(2, size))
    rotation = replace(
        rotation, epoch=replace(rotation.epoch, path=path), consistency=tuple(world().log.consistency_path(size, 6))
    )
    error = stopped(replace(good("document"), rotations=(rotation,)), FieldMismatch, SETS)
    assert (error.field, error.expected, error.got) == ("rotations.note.size", "1 to 4", str(size))


def test_new_set_too_early():
    """quorum/: set 2 signs size 4, which is still set 1's."""
    checkpoint = replace(world().checkpoint(4), set_id=2, set_hash=set_of(2, world().second).digest)
    note = world().signed(checkpoint, [v for v in world().second if v in world().first])
    assert stopped(changed("receivable", NOTE, note), FieldMismatch, QUORUMS).field == "note.line.set_id"


def test_without_its_rotation_the_new_sets_checkpoint_is_nobodys():
    stopped(replace(good("document"), rotations=()), FieldMalformed, QUORUMS)


def test_an_epoch_under_a_set_that_is_not_responsible():
    liar = world().variant(3, set_id=2)
    error = stopped(liar.bundle(4, liar.epoch_part(3, 4)), FieldMismatch, SETS)
    assert (error.field, error.expected, error.got) == ("epoch.set_id", "1", "2")
    liar = world().variant(3, set_hash=bytes(32))
    stopped(liar.bundle(4, liar.epoch_part(3, 4)), SetMismatch, SETS)


def test_the_epoch_of_a_rotation_stands_under_the_old_set():
    liar = world().variant(3, set_id=2)
    rotation = liar.rotation(6, epoch=3)
    error = stopped(liar.bundle(6, rotations=(rotation,), anchors=()), FieldMismatch, SETS)
    assert error.field == "epoch.set_id"


def test_a_later_epoch_may_cover_the_update():
    """Any epoch that holds the update will do, as long as the old set signed it."""
    bundle = replace(good("document"), rotations=(world().rotation(6, epoch=2),))
    assert judged(bundle).complete
    late = replace(good("document"), rotations=(world().rotation(6, epoch=3),))
    assert judged(late).complete


# ── 8 quorums ──


def test_below_quorum():
    error = stopped(changed("receivable", NOTE, world().note(4, 2)), BelowQuorum, QUORUMS)
    assert (error.needed, error.got) == (3, 2)


def test_more_than_a_quorum_is_listed():
    evidence = judged(changed("receivable", NOTE, world().note(4, 4)))
    assert evidence.complete
    assert evidence.verdict("quorum").detail == "4 of 4 validators of set 1 signed; 3 are needed"


def test_checkpoint_of_other_consortium():
    """replay/: the same validators' keys cannot be moved to another log; here other keys cannot either."""
    other = consortium("other.example/receivables")
    checkpoint = replace(world().checkpoint(4), log_id=other.genesis.log_id)
    note = world().signed(checkpoint, world().first[:3])
    error = stopped(changed("receivable", NOTE, note), SignatureWrong, QUORUMS)
    assert error.signer == f"0x{world().first[0].part.address.hex()}"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        pytest.param({"timestamp": 1}, FieldMismatch, id="timestamp-not-boundary"),
        pytest.param({"set_id": 2}, FieldMismatch, id="set-mismatch-id"),
        pytest.param({"set_hash": bytes(32)}, SignatureWrong, id="set-mismatch-hash"),
        pytest.param({"root": bytes(32)}, SignatureWrong, id="another-root"),
        pytest.param({"tree_size": 5}, SignatureWrong, id="another-size"),
    ],
)
def test_a_statement_that_is_not_the_notes(words, error):
    lines = [line_by(v, replace(world().checkpoint(4), **words)) for v in world().first[:3]]
    stopped(changed("receivable", NOTE, with_lines(lambda old: [old[0], *lines])), error, QUORUMS)


def test_known_key_bad_signature():
    """note/: a bad line of a member rejects the note, though enough others are good."""
    last = line_by(world().first[3], replace(world().checkpoint(4), root=bytes(32)))
    stopped(changed("receivable", NOTE, with_lines(lambda old: [*old, last])), SignatureWrong, QUORUMS)
    foreign = log_line(world().origin, world()._seed("log"), b"another body")
    stopped(changed("receivable", NOTE, with_lines(lambda old: [foreign, *old[1:]])), SignatureWrong, QUORUMS)


def test_quorum_line_doubled():
    bundle = changed("receivable", NOTE, with_lines(lambda old: [*old[:3], old[2], old[3]]))
    assert stopped(bundle, FieldMalformed, QUORUMS).field == "note.lines"


def test_unsigned_order():
    """quorum/unsorted-signers."""
    bundle = changed("receivable", NOTE, with_lines(lambda old: [old[0], *old[:0:-1]]))
    assert stopped(bundle, FieldMalformed, QUORUMS).rule == "validators strictly ascending by address"


@pytest.mark.parametrize("change", [lambda old: old[1:], lambda old: [old[0], *old]], ids=["absent", "doubled"])
def test_the_log_keys_line_stands_there_once(change):
    bundle = changed("receivable", NOTE, with_lines(change))
    assert stopped(bundle, FieldMalformed, QUORUMS).rule == "one line of the log key"


def test_signer_not_in_set():
    stranger = consortium("other.example/receivables").first[0]
    line = line_by(stranger, world().checkpoint(4))
    bundle = changed("receivable", NOTE, with_lines(lambda old: [*old, line]))
    assert "responsible validators" in stopped(bundle, FieldMalformed, QUORUMS).rule


def test_keyid_collision_unknown_name():
    """note/: the key id of a member under another name is nobody's line; in a bundle nobody's line may stand."""
    line = line_by(world().first[3], world().checkpoint(4))
    for other in (replace(line, name="example.org/else"), replace(line, key_id=flip(line.key_id))):
        bundle = changed("receivable", NOTE, with_lines(lambda old, line=other: [*old, line]))
        stopped(bundle, FieldMalformed, QUORUMS)


@pytest.mark.parametrize(("position", "value"), [(-1, 0), (-1, 29)])
def test_v_0_or_1(position, value):
    """quorum/v-0-or-1."""

    def forge(old):
        data = bytearray(old[1].signature)
        data[position] = value
        return [old[0], replace(old[1], signature=bytes(data)), *old[2:]]

    stopped(changed("receivable", NOTE, with_lines(forge)), FieldMalformed, QUORUMS)


def test_high_s():
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141

    def forge(old):
        data = old[1].signature
        s = order - int.from_bytes(data[48:80], "big")
        high = data[:48] + s.to_bytes(32, "big") + bytes([55 - data[80]])
        return [old[0], replace(old[1], signature=high), *old[2:]]

    stopped(changed("receivable", NOTE, with_lines(forge)), FieldMalformed, QUORUMS)


def test_every_checkpoint_needs_its_own_quorum():
    thin = world().note(6, 2)
    stopped(changed("history", "checkpoints.1.note", thin), BelowQuorum, QUORUMS)


# ── witnesses ──


def witnessed(name="witness.example"):
    line = NoteLine(name, b"\x01\x02\x03\x04", b"\x09" * 72)
    bundle = edit(good(), NOTE, lambda note: with_lines(lambda old: [*old, line], note))
    return edit(bundle, "anchors", lambda old: (*old, WitnessAnchor(tree_size=4, name="witness.example")))


def test_a_witness_that_is_named_may_sign_and_is_not_judged():
    evidence = judged(witnessed())
    assert evidence.complete
    assert [item.place for item in evidence.unjudged] == ["line of witness.example on size 4"]
    assert evidence.verdict("witnesses").detail == "1 cosignature kept, not judged"


def test_cosignature_time_altered_shows_in_the_evidence():
    other = edit(
        witnessed(),
        NOTE,
        lambda note: with_lines(lambda old: [*old[:-1], replace(old[-1], signature=b"\x08" * 72)], note),
    )
    assert judged(other).unjudged != judged(witnessed()).unjudged


def test_a_witness_line_that_nobody_named_is_refused():
    stopped(witnessed("other.example"), FieldMalformed, QUORUMS)


def test_a_witness_signs_no_note_of_the_old_set():
    line = NoteLine("witness.example", b"\x01\x02\x03\x04", b"\x09" * 72)
    anchors = (WitnessAnchor(tree_size=4, name="witness.example"),)
    bundle = replace(good("document"), anchors=anchors)
    bundle = edit(bundle, "rotations.0.note", lambda note: with_lines(lambda old: [*old, line], note))
    stopped(bundle, FieldMalformed, SETS)


def test_a_note_of_another_log_key():
    body = Note(world().origin, 4, world().log.root(4)).body()
    line = log_line(world().origin, bytes(32), body)
    stopped(changed("receivable", NOTE, with_lines(lambda old: [line, *old[1:]])), FieldMalformed, QUORUMS)
