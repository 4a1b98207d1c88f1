"""Check 12 through whole bundles: a promise broken, kept, or waiting. Names follow SPEC §15, family promise/."""

from dataclasses import replace

import pytest

from hybrid_bridge.core.batch import Batch
from hybrid_bridge.core.bundle import EntryPart
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.entry import RefusalEntry, entry_leaf
from hybrid_bridge.core.evidence import CLAIMED, NOT_SHOWN, PROVEN
from hybrid_bridge.core.keys import PrivateKey
from hybrid_bridge.core.promise import SignedPromise
from hybrid_bridge.errors import (
    EntryMalformed,
    FieldMalformed,
    FieldMismatch,
    NotOmitted,
    RootMismatch,
    SignatureWrong,
)
from tests.bundles import HANDOVER, ROTATED, edit
from tests.unit.hybrid_bridge.steps.verify.judging import changed, good, judged, stopped, world

AT = "12 promise"
MISSING = "omission: the absence of entry and refusal in "


def omission(**words):
    return world().omission(world().promise(**words))


def holding(epoch, *entries):
    """The consortium, had these entries stood in the batch of `epoch`, in place of as many decoys."""
    old = world().closed[epoch - 1].batch.entries
    decoys = [entry for entry in old if entry[0] == 0]
    kept = [entry for entry in old if entry not in decoys[: len(entries)]]
    batch = Batch(sorted([*kept, *entries], key=entry_leaf))
    return world().variant(epoch, batch=batch, batch_root=batch.root, batch_size=batch.size)


def shown(liar, epoch, entry, **parts):
    batch = liar.closed[epoch - 1].batch
    index = batch.index_of(entry_leaf(entry))
    return EntryPart(entry=entry, index=index, path=batch.path(index), disclosures=(), **parts)


REFUSAL = RefusalEntry(sha256(b"dropped transaction")).encode()


# ── proven ──


def test_a_promise_broken_in_every_epoch_of_its_window_is_proven():
    """The bundle is verified: what it shows is the node's fault, and that stands where nobody can overlook it."""
    evidence = judged(good("omission"))
    verdict = evidence.verdict("omission")
    assert evidence.complete
    assert (verdict.result, verdict.is_open) == (PROVEN, False)
    assert evidence.promise.signer.endswith("certified by a root you trust)")
    assert verdict.detail == (
        f"{evidence.promise.signer} promised entry {sha256(b'dropped entry').hex()} and left it and its refusal out of "
        "epochs 1 to 3"
    )
    assert evidence.warnings == (
        f"broken promise: {evidence.promise.signer} accepted a transaction and left it out of the log",
    )
    assert (evidence.promise.accepted_epoch, evidence.promise.by_epoch) == (1, 3)


@pytest.mark.parametrize("leaf", [bytes(32), b"\xff" * 32])
def test_what_would_stand_at_an_end_of_the_batch_has_one_neighbour(leaf):
    evidence = judged(omission(entry_leaf=leaf))
    assert evidence.verdict("omission").result == PROVEN


def test_a_bundle_without_a_promise_says_nothing_of_omissions():
    verdict = judged(good()).verdict("omission")
    assert (verdict.result, verdict.detail) == (NOT_SHOWN, "no promise")
    evidence = judged(good(), require=("omission",))
    assert evidence.missing == ("omission: a promise, and every epoch of its window",)


def test_an_entry_that_came_after_its_window_came_too_late():
    entry = world().played[2].draft.entry
    liar = holding(3, entry)
    promise = world().promise(entry_leaf=entry_leaf(entry), accepted_epoch=2, by_epoch=2)
    bundle = liar.omission(promise)
    late = liar.epoch_part(3, 4, entries=(shown(liar, 3, entry),))
    bundle = replace(bundle, epochs=(*bundle.epochs, late), anchors=())
    verdict = judged(bundle, require=("integrity",)).verdict("omission")
    assert verdict.result == PROVEN
    assert verdict.detail.endswith("out of epochs 2 to 2; it came late, in epoch 3")


def test_a_validator_of_the_set_that_followed_may_have_promised_too():
    """Set 2 is responsible for size 5: its validators accept from epoch 4 on. The identity key outlives the other."""
    key = world().keys[ROTATED]
    promise = world().promise(key=key, accepted_epoch=HANDOVER - 1, by_epoch=HANDOVER)
    evidence = judged(world().omission(promise, 6))
    assert evidence.verdict("omission").result == PROVEN


# ── refuted: it is there ──


def test_entry_present_after_all():
    entry = world().played[2].draft.entry
    promise = world().promise(entry_leaf=entry_leaf(entry))
    bundle = world().bundle(
        4, world().epoch_part(1, 4, entries=(world().entry(2),)), purpose="omission", promise=promise.encode()
    )
    error = stopped(bundle, NotOmitted, AT)
    assert (error.epoch, error.what, error.leaf, error.exit_code) == (1, "entry", entry_leaf(entry), 1)


def test_an_entry_before_the_window_keeps_the_promise_too():
    entry = world().played[2].draft.entry
    bundle = world().omission(world().promise(entry_leaf=entry_leaf(entry), accepted_epoch=2))
    early = world().epoch_part(1, 4, entries=(world().entry(2),))
    assert stopped(replace(bundle, epochs=(early, *bundle.epochs)), NotOmitted, AT).epoch == 1


def test_refusal_present():
    liar = holding(2, REFUSAL)
    epochs = liar.epoch_part(2, 4, entries=(shown(liar, 2, REFUSAL),))
    bundle = liar.bundle(4, epochs, purpose="omission", promise=world().promise().encode(), anchors=())
    error = stopped(bundle, NotOmitted, AT)
    assert (error.epoch, error.what) == (2, "refusal")
    elsewhere = edit(bundle, "epochs.0.entries.0.path.0", lambda _: bytes(32))
    stopped(elsewhere, RootMismatch, "6 hash paths")


def test_a_promise_kept_beside_an_absence_is_kept():
    """A neighbour of the entry's place is the refusal: the holder shows one absence and hides the other."""
    liar = holding(2, REFUSAL)
    leaf = entry_leaf(REFUSAL)
    beside = bytes([*leaf[:-1], leaf[-1] ^ 1])
    part = liar.epoch_part(2, 4, absences=(liar.absence(beside, 2),))
    bundle = liar.bundle(4, part, purpose="omission", promise=world().promise().encode(), anchors=())
    assert stopped(bundle, NotOmitted, AT).what == "refusal"


def test_a_refusal_that_nobody_promised_is_no_record():
    liar = holding(2, REFUSAL)
    part = liar.epoch_part(2, 4, entries=(shown(liar, 2, REFUSAL),))
    stopped(liar.bundle(4, part, anchors=()), EntryMalformed, "3 structs")
    other = world().promise(transaction_id=sha256(b"another"))
    stopped(liar.bundle(4, part, promise=other.encode(), anchors=()), EntryMalformed, "3 structs")


def test_a_refusal_has_nothing_to_disclose():
    liar = holding(2, REFUSAL)
    transaction = world().played[2].signed.encode()
    part = liar.epoch_part(2, 4, entries=(shown(liar, 2, REFUSAL, transaction=transaction),))
    jwt = replace(shown(liar, 2, REFUSAL), issuer_jwt=world().jwt(2))
    for wrong in (part, liar.epoch_part(2, 4, entries=(jwt,))):
        stopped(liar.bundle(4, wrong, promise=world().promise().encode(), anchors=()), FieldMalformed, "3 structs")


# ── claimed, unanswered ──


@pytest.mark.parametrize(
    ("kept", "which"), [((0, 2), "epoch 2"), ((0,), "epochs 2 to 3"), ((), "epochs 1 to 3"), ((1, 2), "epoch 1")]
)
def test_window_epoch_missing(kept, which):
    bundle = changed("omission", "epochs", tuple(good("omission").epochs[k] for k in kept))
    evidence = judged(bundle)
    verdict = evidence.verdict("omission")
    assert (verdict.result, verdict.is_open) == (CLAIMED, True)
    assert evidence.missing == (MISSING + which,)
    assert not evidence.complete
    assert not evidence.warnings


@pytest.mark.parametrize("kept", [0, 1])
def test_the_absence_of_one_leaf_is_half_an_answer(kept):
    bundle = changed("omission", "epochs.1.absences", lambda parts: parts[kept : kept + 1])
    assert judged(bundle).missing == (MISSING + "epoch 2",)


def test_the_absence_of_another_leaf_is_no_answer():
    other = tuple(world().absence(leaf, 2) for leaf in (sha256(b"other"), sha256(b"another")))
    assert judged(changed("omission", "epochs.1.absences", other)).missing == (MISSING + "epoch 2",)


def test_a_promise_that_is_not_due_yet_waits():
    bundle = world().omission(world().promise(by_epoch=7))
    assert judged(bundle).missing == (MISSING + "epochs 4 to 7",)


def test_without_the_signers_certificate_nobody_has_signed():
    bundle = changed("omission", "certificates", ())
    evidence = judged(bundle)
    assert evidence.verdict("omission").result == CLAIMED
    assert evidence.missing == ("omission: the certificate of the validator that signed the promise",)
    assert evidence.promise.signer == ""
    places = [item.place for item in evidence.unjudged]
    assert "signature of the promise" in places


def test_a_log_that_the_verifier_does_not_rely_on_proves_nothing():
    evidence = judged(good("omission"), logs=())
    assert evidence.verdict("omission").result == CLAIMED
    assert any(missing.endswith("(trust file or --log)") and "omission" in missing for missing in evidence.missing)


# ── no promise of this log's nodes ──


def test_neighbours_not_adjacent():
    absence = good("omission").epochs[0].absences[0]
    further = world().closed[0].batch
    index = absence.right.index + 1
    right = replace(absence.right, index=index, leaf=further.leaves[index], path=further.path(index))
    stopped(changed("omission", "epochs.0.absences.0.right", right), FieldMalformed, "6 hash paths")


def test_signer_not_a_node():
    """A member that is no validator, and a stranger: whoever it is, the whole set is shown and it is not in it."""
    for key in (world().keys["court"], PrivateKey.from_seed(bytes(32))):
        error = stopped(omission(key=key), FieldMismatch, AT)
        assert (error.field, error.got) == ("promise.signer", key.public.key_id.hex())


def test_of_a_set_that_is_not_shown_nobody_knows_who_is_not_in_it():
    """The promise is of an epoch beyond the bundle: by then a rotation may have admitted its signer."""
    stranger = PrivateKey.from_seed(bytes(32))
    promise = world().promise(key=stranger, accepted_epoch=4, by_epoch=5)
    bundle = world().bundle(4, purpose="omission", promise=promise.encode())
    evidence = judged(bundle)
    assert evidence.missing == (
        "omission: the certificate of the validator that signed the promise, and the absence of entry and refusal in "
        "epochs 4 to 5",
    )


def test_by_epoch_over_delay():
    error = stopped(omission(by_epoch=1 + world().genesis.promise_delay + 1), FieldMismatch, AT)
    assert (error.field, error.expected) == ("by_epoch", f"at most {1 + world().genesis.promise_delay}")


def test_a_promise_that_the_node_did_not_sign():
    liar = PrivateKey.from_seed(bytes(32))
    promise = world().promise()
    forged = SignedPromise(promise.promise, promise.scheme, liar.sign(promise.promise.message))
    stopped(world().omission(forged), SignatureWrong, AT)


def test_promise_of_other_log():
    """replay/: the same words of the same node in another consortium."""
    assert stopped(omission(log_id=bytes(32)), FieldMismatch, "5 identity").field == "promise.log_id"
