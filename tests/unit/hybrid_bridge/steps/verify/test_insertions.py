"""Labels at several epochs and the transactions that insert them contradict one another, or not."""

from dataclasses import replace

import pytest

from hybrid_bridge.core.bundle import LabelPart, TerminalPart
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.registry import PrefixTree
from hybrid_bridge.core.transaction import RecordPayload, SignaturePart
from hybrid_bridge.errors import FieldMismatch
from hybrid_bridge.steps.submit import finish
from tests.bundles import _sorted, edit
from tests.unit.hybrid_bridge.steps.verify.judging import judged, stopped, world

AT = "10 registry"


def op(number=0):
    return world().played[13].draft.body.payload.ops[number]


def with_pairs(w, epoch, pairs):
    registry = PrefixTree().insert(pairs)
    return w.variant(epoch, registry=registry, registry_root=registry.root)


def pairs(epoch, **changed):
    """The registry of an epoch in which the first label of event 13 is left out, or holds something else."""
    held = changed.get("held")
    found = [pair for pair in world().closed[epoch - 1].registry.pairs() if pair[0] != op().index]
    return [*found, (op().index, held)] if held else found


def label_at(w, *epochs):
    label = world().played[13].draft.openings[0].label
    return {epoch: (w.label(label, 0, epoch, opened=False),) for epoch in epochs}


def shown(w, labels, *entries):
    parts = (
        w.epoch_part(e, 4, labels=labels.get(e, ()), entries=_sorted(entries) if e == 1 else ()) for e in (1, 2, 3)
    )
    return w.bundle(4, *parts, anchors=())


def confirmed():
    return world().entry(13, transaction=True)


def test_a_label_stands_from_its_transaction_on():
    w = world()
    assert judged(shown(w, label_at(w, 1, 2, 3), confirmed()), require=()).complete


@pytest.mark.parametrize("held", [None, sha256(b"other")])
def test_a_label_that_vanished_or_changed_is_refuted(held):
    """The registry only grows; each root alone looks well."""
    liar = with_pairs(world(), 3, pairs(3, held=held))
    error = stopped(shown(liar, label_at(liar, 1, 2, 3)), FieldMismatch, AT)
    assert (error.expected, error.got) == (op().commitment.hex(), held.hex() if held else "absent")
    assert judged(shown(liar, label_at(liar, 3)), require=()).complete


def beside(w, epoch, index):
    """The absence of an index that nobody registered and that ends in the pair at `index`."""
    proof = w.closed[epoch - 1].registry.prove(index[:-1] + bytes([index[-1] ^ 1]))
    assert proof.terminal is not None
    terminal = TerminalPart(index=proof.terminal.key, commitment=proof.terminal.value)
    return LabelPart(index=index[:-1] + bytes([index[-1] ^ 1]), terminal=terminal, path=proof.path)


@pytest.mark.parametrize("held", [None, sha256(b"other")])
def test_a_pair_in_which_another_path_ended_may_not_vanish_or_change_either(held):
    """Who shows the absence of one index shows the pair beside it: that pair stands at that epoch."""
    liar = with_pairs(world(), 3, pairs(3, held=held))
    labels = {1: (beside(liar, 1, op().index),), **label_at(liar, 3)}
    error = stopped(shown(liar, labels), FieldMismatch, AT)
    assert (error.expected, error.got) == (op().commitment.hex(), held.hex() if held else "absent")
    honest = {1: (beside(world(), 1, op().index),), **label_at(world(), 3)}
    assert judged(shown(world(), honest, confirmed()), require=()).complete


def test_a_pair_in_which_another_path_ended_is_compared_with_its_transaction():
    liar = with_pairs(world(), 3, pairs(3, held=sha256(b"other")))
    error = stopped(shown(liar, {3: (beside(liar, 3, op().index),)}, confirmed()), FieldMismatch, AT)
    assert (error.expected, error.got) == (op().commitment.hex(), sha256(b"other").hex())


def test_a_label_may_come_later():
    liar = with_pairs(with_pairs(world(), 1, pairs(1)), 2, pairs(2))
    assert judged(shown(liar, label_at(liar, 1, 2, 3)), require=()).complete


@pytest.mark.parametrize("held", [None, sha256(b"other")])
def test_a_label_that_stands_otherwise_than_its_transaction_says_is_refuted(held):
    liar = with_pairs(world(), 3, pairs(3, held=held))
    error = stopped(shown(liar, label_at(liar, 3), confirmed()), FieldMismatch, AT)
    assert (error.expected, error.got) == (op().commitment.hex(), held.hex() if held else "absent")


def test_a_label_that_stood_before_its_transaction_is_refuted():
    w = world()
    early = w.variant(
        2, batch=w.closed[0].batch, batch_root=w.closed[0].batch.root, batch_size=len(w.closed[0].batch.entries)
    )
    parts = (
        early.epoch_part(1, 4, labels=label_at(early, 1)[1]),
        early.epoch_part(2, 4, entries=(confirmed(),)),
    )
    error = stopped(early.bundle(4, *parts, anchors=()), FieldMismatch, AT)
    assert (error.expected, error.got) == ("absent", op().commitment.hex())


# ── transactions that no honest ledger took ──


def resigned(event, *ops):
    """The event's transaction with other operations; the entry does not bind them."""
    played, w = world().played[event], world()
    payload = played.draft.body.payload
    ordered = tuple(sorted(ops, key=lambda op: op.order))
    body = replace(
        played.draft.body, payload=RecordPayload(payload.entry, payload.private_root, payload.claims, ordered)
    )
    names = [w.events[event]["submitter"], *w.events[event]["authorisers"]]
    own, *consents = (
        SignaturePart.over(message, w.keys[name])
        for message, name in zip([body.message, *[body.consent] * (len(names) - 1)], names, strict=True)
    )
    return replace(w.entry(event), transaction=finish(body, own, consents).encode())


def test_two_transactions_that_insert_one_index_are_refuted():
    again = resigned(17, op())
    assert stopped(shown(world(), {}, confirmed(), again), FieldMismatch, AT).field == "transaction.ops"


def test_an_operation_of_another_type_than_its_label_is_refuted():
    other = resigned(13, replace(op(), label_type=9))
    error = stopped(shown(world(), label_at(world(), 3), other), FieldMismatch, AT)
    assert (error.field, error.expected, error.got) == ("transaction.ops.label_type", "2", "9")


def test_an_index_that_stands_without_its_label_is_compared_too():
    liar = with_pairs(world(), 3, pairs(3))
    bundle = shown(liar, label_at(liar, 3), confirmed())
    bare = edit(bundle, "epochs.2.labels.0", lambda part: replace(part, label=None, version=None, proof=None))
    assert stopped(bare, FieldMismatch, AT).got == "absent"
