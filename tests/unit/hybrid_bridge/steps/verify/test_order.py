"""Check 6: what a batch may not hold, though a whole quorum signed it and every path holds."""

from bisect import bisect_left

import pytest

from hybrid_bridge.core.batch import Batch
from hybrid_bridge.core.bundle import AbsencePart, EntryPart, NeighbourPart
from hybrid_bridge.core.entry import entry_leaf
from hybrid_bridge.core.tree import Tree
from hybrid_bridge.errors import FieldMismatch
from tests.unit.hybrid_bridge.steps.verify.judging import judged, stopped, world

AT = "6 hash paths"


def disordered(entries):
    """A batch that no honest validator builds: its leaves stand as they are given."""
    batch = object.__new__(Batch)
    batch.entries = tuple(entries)
    batch.leaves = tuple(map(entry_leaf, entries))
    batch._tree = Tree()
    batch._tree.extend(batch.leaves)
    return batch


def lying(batch, epoch=1):
    return world().variant(epoch, batch=batch, batch_root=batch.root, batch_size=len(batch.entries))


def records():
    """Where real entries stand in the first batch; the others are decoys, which nobody can show."""
    real = {played.draft.entry for played in world().played}
    return [k for k, entry in enumerate(world().closed[0].batch.entries) if entry in real]


def part(batch, index):
    return EntryPart(entry=batch.entries[index], index=index, path=batch.path(index), disclosures=())


def of(batch, *entries, absences=()):
    liar = lying(batch)
    return liar.bundle(4, liar.epoch_part(1, 4, entries=entries, absences=absences), anchors=())


def test_entries_in_order_hold():
    batch = world().closed[0].batch
    assert judged(of(batch, *(part(batch, k) for k in records()[:5])), require=()).complete


@pytest.mark.parametrize("places", [(3, 4), (0, -1)])
def test_batch_unsorted(places):
    """epoch/: two entries have changed places."""
    one, other = (records()[k] for k in places)
    entries = list(world().closed[0].batch.entries)
    entries[one], entries[other] = entries[other], entries[one]
    batch = disordered(entries)
    assert stopped(of(batch, part(batch, one), part(batch, other)), FieldMismatch, AT).field == "batch.leaves"


def test_batch_duplicate_leaf():
    """epoch/: one entry at two places."""
    entries, at = list(world().closed[0].batch.entries), records()[5]
    entries[at + 1] = entries[at]
    batch = disordered(entries)
    assert stopped(of(batch, part(batch, at), part(batch, at + 1)), FieldMismatch, AT).field == "batch.leaves"


def test_an_entry_shown_present_and_absent_is_refuted():
    """It stands at the end, and between the neighbours where it should stand there is no room."""
    entries = list(world().closed[0].batch.entries)
    moved = entries.pop(records()[5])
    batch = disordered([*entries, moved])
    leaf = entry_leaf(moved)
    right = bisect_left(batch.leaves, leaf, hi=len(batch.leaves) - 1)
    left, right_one = (NeighbourPart(leaf=batch.leaves[k], index=k, path=batch.path(k)) for k in (right - 1, right))
    absence = AbsencePart(leaf=leaf, left=left, right=right_one)
    assert judged(of(batch, absences=(absence,)), require=()).complete
    last = part(batch, len(batch.leaves) - 1)
    assert stopped(of(batch, last, absences=(absence,)), FieldMismatch, AT).field == "batch.leaves"


def test_an_entry_in_two_epochs_is_refuted():
    batch = world().closed[0].batch
    liar = lying(batch, 2)
    epochs = (liar.epoch_part(epoch, 4, entries=(part(batch, records()[0]),)) for epoch in (1, 2))
    error = stopped(liar.bundle(4, *epochs, anchors=()), FieldMismatch, AT)
    assert (error.field, error.expected, error.got) == ("entry", "in epoch 1 alone", "again in 2")
