"""Two outsiders lay their bundles side by side: one history, two, or not to be told from these."""

from dataclasses import replace
from functools import cache

import pytest

from hybrid_bridge.core.bundle import CheckpointPart, decode_bundle
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.split_view import Between, SplitView
from hybrid_bridge.core.trust import Trust
from hybrid_bridge.errors import BelowQuorum, FieldMismatch, Missing
from hybrid_bridge.steps.verify.compare import SAME, SPLIT, UNDECIDED, compare, split_view
from hybrid_bridge.steps.verify.names import CERTIFIED, SELF_STATED
from tests.bundles import HANDOVER, NOW, consortium
from tests.unit.hybrid_bridge.steps.verify.judging import world


@cache
def forked(epoch=3):
    """The same consortium, in another world in which all its validators agreed on another record of this epoch."""
    return world().variant(epoch, batch_root=sha256(b"another batch"))


def shown(made, size, *epochs, **parts):
    return made.bundle(size, *(made.epoch_part(epoch, size) for epoch in epochs), **parts).encode()


def compared(one, other, trust=None):
    return compare(one, other, Trust() if trust is None else trust, NOW)


@pytest.mark.parametrize("sizes", [(4, 4), (2, 4), (4, 6)])
def test_the_smaller_history_is_found_within_the_larger_one(sizes):
    small, large = sizes
    last = small - 1  # what stands left of a leaf is on its path
    found = compared(shown(world(), small), shown(world(), large, last))
    assert (found.result, found.agreed, found.newest, found.difference) == (SAME, small, sizes, None)
    assert compared(shown(world(), large, last), shown(world(), small)).result == SAME
    assert found.agreed_time == world().genesis.checkpoint_timestamp(small)


def test_two_roots_of_one_size_accuse_whoever_signed_both():
    one, other = shown(world(), 4), shown(forked(), 4)
    found = compared(one, other)
    split = found.difference
    assert (found.result, split.sizes, split.stretch[1]) == (SPLIT, (4, 4), 4)
    signers = world().validators_of(4)[:3]
    assert [accused.address for accused in split.accused] == sorted(v.part.address for v in signers)
    assert all(accused.name.basis.startswith(SELF_STATED) for accused in split.accused)
    certified = compared(one, other, world().trust()).difference
    assert {accused.name.basis for accused in certified.accused} == {CERTIFIED}


def test_two_sizes_part_at_an_epoch_that_both_show():
    one, other = shown(world(), 4, 3), shown(forked(), 6, 3)
    split = compared(one, other).difference
    assert (split.stretch, split.sizes) == ((3, 4), (4, 4))  # the note under the change of the set commits to it, too
    assert split.hashes == (world().closed[2].record.leaf, forked().closed[2].record.leaf)


def test_who_signed_one_of_them_alone_is_not_accused():
    loyal, others = world().validators_of(4)[:3], world().validators_of(4)[1:]
    note = forked().signed(forked().checkpoint(4), others)
    other = replace(forked().bundle(4), checkpoints=(CheckpointPart(note=note, consistency=()),))
    split = compared(shown(world(), 4), replace(other, anchors=()).encode()).difference
    both = {v.part.address for v in loyal} & {v.part.address for v in others}
    assert {accused.address for accused in split.accused} == both
    assert len(both) == 2


def test_a_change_of_the_set_in_one_of_them_changes_nothing():
    assert HANDOVER == 5
    assert compared(shown(world(), 4), shown(world(), 6, 3)).result == SAME
    accused = {one.address for one in compared(shown(world(), 6), shown(forked(2), 6)).difference.accused}
    signers = [v.part.address for size in (4, 6) for v in world().validators_of(size)[:3]]
    assert accused == set(signers)  # of either set: each signed what leads to the one batch, and to the other


def test_what_two_files_cannot_tell_is_not_told():
    found = compared(shown(world(), 3), shown(world(), 4))
    assert (found.result, found.difference, found.agreed) == (UNDECIDED, None, 2)
    assert compared(shown(world(), 3), shown(forked(2), 4)).result == UNDECIDED
    assert compared(shown(world(), 3), shown(forked(2), 4, 2)).result == SPLIT


def test_a_path_from_anywhere_decides_what_two_files_cannot():
    pair = shown(world(), 3), shown(world(), 4)

    def of(made):
        return lambda older, newer: Between(made.log.root(older), tuple(made.log.consistency_path(older, newer)))

    assert compare(*pair, Trust(), NOW, of(world())).result == SAME
    for bad in (of(forked(2)), lambda _older, _newer: Between(bytes(32), ())):
        with pytest.raises(Missing):
            compare(*pair, Trust(), NOW, bad)
    other = shown(forked(2), 4)
    found = compare(pair[0], other, Trust(), NOW, of(forked(2)))
    assert found.difference.stretch == (2, 3)
    view = split_view(pair[0], other, found.between)  # what was brought is a part of the evidence
    again = compare(view.one.encode(), view.other.encode(), Trust(), NOW, lambda _older, _newer: view.between)
    assert again.difference == found.difference

    def unasked(_older, _newer):
        raise AssertionError

    assert compare(shown(world(), 4), shown(world(), 4), Trust(), NOW, unasked).result == SAME
    assert compare(shown(world(), 3), shown(forked(2), 4, 2), Trust(), NOW, unasked).result == SPLIT


def test_the_sets_of_both_sides_are_told_and_a_common_size_only_where_there_is_one():
    split = compared(shown(world(), 4), shown(forked(), 4)).difference
    assert (split.sets, split.common) == ((1, 1), 4)
    split = compared(shown(world(), 4, 3), shown(forked(), 6, 3)).difference
    assert (split.sets, split.common) == ((1, 1), None)  # 4 is the note under the change of the set
    split = compared(shown(world(), 6), shown(forked(4), 6)).difference
    assert split.sets == (2, 2)


def test_an_extension_that_must_be_understood_is_not_left_aside():
    critical = replace(world().bundle(4), critical=("x",), extensions={"x": 1})
    with pytest.raises(Missing):
        compared(critical.encode(), shown(world(), 4))


def test_governance_and_documents_are_no_part_of_the_logs_tree():
    assert compared(world().history().encode(), world().receivable().encode()).result == SAME
    assert compared(world().history().encode(), world().financing().encode()).result == SAME


def test_each_must_hold_by_itself():
    broken = replace(world().bundle(4), checkpoints=(CheckpointPart(note=world().note(4, 2), consistency=()),))
    for which, pair in {
        "first": (broken.encode(), shown(world(), 4)),
        "second": (shown(world(), 4), broken.encode()),
    }.items():
        with pytest.raises(BelowQuorum) as caught:
            compared(*pair)
        assert caught.value.__notes__[-1] == f"in the {which} of the two"


def test_two_logs_are_not_compared():
    stranger = consortium("example.org/other")
    with pytest.raises(FieldMismatch) as caught:
        compared(shown(world(), 4), shown(stranger, 4))
    assert caught.value.field == "log_id"


def test_the_evidence_holds_nothing_private_and_shows_the_same():
    one = world().receivable().encode()
    other = shown(forked(), 6, 3)
    assert compared(one, other).result == SPLIT
    view = SplitView.decode(split_view(one, other).encode())
    again = compared(view.one.encode(), view.other.encode())
    assert again.difference == compared(one, other).difference
    assert all(not epoch.entries for bundle in (view.one, view.other) for epoch in bundle.epochs)
    value = decode_bundle(one).epochs[0].entries[0].disclosures[0].value
    assert value.encode() not in view.encode()


def test_the_words_for_machines_hold_all_of_it():
    found = compared(shown(world(), 4, 3), shown(forked(), 4, 3)).to_json()
    assert found["result"] == "split"
    assert found["difference"]["first_leaf"] == found["difference"]["last_leaf"] == 3
    assert len(found["difference"]["signed_both"]) == 3
    same = compared(shown(world(), 4), shown(world(), 4)).to_json()
    assert ("difference" in same, same["agreed_size"]) == (False, 4)
