"""Checks 4, 5 and 6 through whole bundles. Where it takes a lie of all validators, they sign it here."""

from dataclasses import replace

import pytest

from hybrid_bridge.core.batch import Batch
from hybrid_bridge.core.bundle import EntryPart
from hybrid_bridge.core.disclosure import Disclosure
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.entry import RecordEntry
from hybrid_bridge.core.field_tree import build_fields
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.tree import Tree
from hybrid_bridge.errors import (
    FieldMalformed,
    FieldMismatch,
    IndexBeyondSize,
    Malformed,
    PathLength,
    RootMismatch,
)
from hybrid_bridge.units import Height, TreeSize
from tests.bundles import CADENCE, consortium, edit, flip
from tests.unit.hybrid_bridge.steps.verify.judging import changed, good, judged, stopped, world

ARITHMETIC, IDENTITY, PATHS = "4 arithmetic", "5 identity", "6 hash paths"
ENTRY = "epochs.0.entries.0"


# ── 4 path lengths and indices ──

EVERY_PATH = [
    ("receivable", "genesis.path"),
    ("receivable", "epochs.0.path"),
    ("receivable", f"{ENTRY}.path"),
    ("receivable", f"{ENTRY}.disclosures.1.path"),
    ("history", "rotations.0.path"),
    ("history", "rotations.0.epoch.path"),
    ("history", "governance.records.0.path"),
    ("history", "governance.consistency"),
    ("history", "checkpoints.1.consistency"),
    ("document", "rotations.0.consistency"),
    ("history", "epochs.0.absences.0.left.path"),
    ("history", "epochs.0.absences.0.right.path"),
]


@pytest.mark.parametrize(("name", "path"), EVERY_PATH)
def test_path_one_short(name, path):
    error = stopped(changed(name, path, lambda p: p[1:]), PathLength, ARITHMETIC)
    assert error.got == error.expected - 1


@pytest.mark.parametrize(("name", "path"), EVERY_PATH)
def test_path_one_long(name, path):
    error = stopped(changed(name, path, lambda p: (*p, bytes(32))), PathLength, ARITHMETIC)
    assert error.got == error.expected + 1


@pytest.mark.parametrize(
    ("name", "path", "size"),
    [
        ("receivable", f"{ENTRY}.index", 128),
        ("receivable", f"{ENTRY}.disclosures.3.index", 32),
        ("history", "rotations.0.index", 8),
        ("history", "epochs.0.absences.0.right.index", 128),
    ],
)
def test_index_equals_size(name, path, size):
    error = stopped(changed(name, path, size), IndexBeyondSize, ARITHMETIC)
    assert (error.index, error.size) == (size, size)


def test_an_epoch_beyond_the_checkpoint_is_not_in_it():
    bundle = edit(good(), "epochs.0", lambda _: world().epoch_part(5, 6))
    error = stopped(bundle, IndexBeyondSize, ARITHMETIC)
    assert (error.index, error.size) == (5, 4)


# ── 4 checkpoints ──


def test_checkpoints_descending():
    six, four = world().note(6), world().note(4)
    swapped = edit(edit(good("history"), "checkpoints.0.note", lambda _: six), "checkpoints.1.note", lambda _: four)
    assert stopped(swapped, FieldMalformed, ARITHMETIC).field == "checkpoints"


def test_a_checkpoint_twice_is_not_ascending():
    first = good("history").checkpoints[0]
    error = stopped(changed("history", "checkpoints", (first, first)), FieldMalformed, ARITHMETIC)
    assert error.field == "checkpoints"


def test_the_first_checkpoint_follows_nothing():
    bundle = changed("history", "checkpoints.0.consistency", (bytes(32),))
    assert stopped(bundle, FieldMalformed, ARITHMETIC).field == "checkpoints[0].consistency"


def test_a_checkpoint_of_size_1_says_nothing():
    bundle = replace(
        good(), epochs=(), genesis=world().genesis_part(1), anchors=(), purpose="checkpoint",
        checkpoints=(replace(good().checkpoints[0], note=world().note(4).replace("\n4\n", "\n1\n")),),
    )  # fmt: skip
    assert stopped(bundle, FieldMalformed, ARITHMETIC).field == "checkpoints[0].size"


# ── 4 epochs: what all validators together could sign, and a verifier still refuses ──


def lied(epoch: int, /, *shown: int, **words):
    """A bundle of epochs of which one has other words, under a checkpoint that a quorum signed."""
    liar = world().variant(epoch, **words)
    return liar.bundle(4, *(liar.epoch_part(number, 4) for number in shown or (epoch,)), anchors=())


@pytest.mark.parametrize(
    ("epoch", "shown", "words", "field"),
    [
        pytest.param(2, (2,), {"epoch": 3}, "epoch.closed_at", id="index-differs-from-epoch"),
        pytest.param(2, (2,), {"closed_at": 1}, "epoch.closed_at", id="closedat-off-by-one"),
        pytest.param(2, (2,), {"log_id": bytes(32)}, "epoch.log_id", id="epoch-of-other-log"),
        pytest.param(2, (1, 2), {"first_block": 1}, "epoch.first_block", id="blocks-overlap"),
        pytest.param(2, (1, 2), {"first_block": 9_000, "end_block": 9_001}, "epoch.first_block", id="blocks-gap"),
        pytest.param(3, (1, 3), {"first_block": 1}, "epoch.first_block", id="blocks-overlap-far-apart"),
        pytest.param(3, (1, 3), {"first_block": 1, "end_block": 2}, "epoch.end_block", id="blocks-go-backwards"),
        pytest.param(2, (1, 2), {"governance_size": 2}, "epoch.governance_size", id="governance-size-falls"),
        pytest.param(3, (1, 3), {"governance_size": 2}, "epoch.governance_size", id="governance-size-falls-far-apart"),
        pytest.param(3, (1, 3), {"governance_size": 7}, "epoch.governance_root", id="equal-sizes-other-roots"),
        pytest.param(1, (1, 3), {"set_id": 2}, "epoch.set_id", id="first-epoch-under-another-set"),
        pytest.param(2, (2, 3), {"set_id": 2}, "epoch.set_id", id="set-id-falls"),
        pytest.param(1, (1,), {"first_block": 2}, "epoch.first_block", id="not-from-the-first-block"),
        pytest.param(1, (1,), {"set_hash": bytes(32)}, "epoch.set_hash", id="not-under-the-first-set"),
    ],
)
def test_records_that_contradict_the_clock_or_one_another(epoch, shown, words, field):
    words = {
        name: world().closed[epoch - 1].record.closed_at + 1 if name == "closed_at" else value
        for name, value in words.items()
    }
    assert stopped(lied(epoch, *shown, **words), FieldMismatch, ARITHMETIC).field == field


def test_batch_size_off_ladder():
    error = stopped(lied(2, batch_size=TreeSize(16)), FieldMalformed, ARITHMETIC)
    assert error.field == "epoch.batch_size"


def test_an_epoch_without_blocks_repeats_the_last_hash():
    end = world().closed[0].record.end_block
    empty = {"first_block": end, "end_block": end}
    assert stopped(lied(2, 1, 2, **empty), FieldMismatch, ARITHMETIC).field == "epoch.last_block_hash"


def test_epochs_ascend():
    parts = good("history").epochs
    for order in ((parts[1], parts[0], parts[2]), (parts[0], parts[0], parts[2])):
        error = stopped(changed("history", "epochs", order), FieldMalformed, ARITHMETIC)
        assert error.field == "epochs"


def test_the_epoch_of_a_rotation_keeps_the_clock_too():
    liar = world().variant(2, closed_at=world().closed[1].record.closed_at + CADENCE)
    rotation = liar.rotation(6)
    bundle = liar.bundle(6, liar.epoch_part(4, 6), rotations=(rotation,), anchors=())
    assert stopped(bundle, FieldMismatch, ARITHMETIC).field == "epoch.closed_at"
    first = world().variant(1, first_block=Height(2))
    bundle = first.bundle(6, rotations=(replace(world().rotation(6), epoch=first.proven(1, 4), path=()),), anchors=())
    assert stopped(bundle, FieldMismatch, ARITHMETIC).field == "epoch.first_block"


# ── 4 governance ──


def test_governance_index_missing():
    records = good("history").governance.records
    for kept in (records[:1], records[1:], (), (*records, records[1]), records[::-1]):
        error = stopped(changed("history", "governance.records", kept), FieldMalformed, ARITHMETIC)
        assert error.field == "governance.records"
        assert error.rule == "every index from 7 below 9, once"


def test_as_many_governance_records_as_a_file_likes_cost_nothing():
    """The two sizes are the file's own words until the hash paths are checked: no list may be made of them."""
    most = (2**53 - 1).to_bytes(32, "big")
    newest = len(good("history").epochs) - 1
    bundle = changed("history", f"epochs.{newest}.record", lambda r: r[: 9 * 32] + most + r[10 * 32 :])
    error = stopped(bundle, FieldMalformed, ARITHMETIC)
    assert (error.field, error.rule) == ("governance.records", f"every index from 7 below {2**53 - 1}, once")


# ── 5 identity ──


def test_genesis_with_other_origin():
    error = stopped(changed("receivable", "genesis.origin", "example.org/other"), FieldMismatch, IDENTITY)
    assert error.field == "genesis.origin"


@pytest.mark.parametrize("path", ["checkpoints.0", "checkpoints.1", "rotations.0"])
def test_origin_mismatch(path):
    other = world().signed(world().checkpoint(4), world().first, origin="example.org/other")
    if path.endswith("1"):
        other = world().signed(world().checkpoint(6), world().second, origin="example.org/other")
    error = stopped(changed("history", f"{path}.note", other), FieldMismatch, IDENTITY)
    assert (error.field, error.got) == ("note.origin", "example.org/other")


def test_a_set_update_of_another_log():
    other = consortium("other.example/receivables").rotation(4)
    bundle = changed("history", "rotations.0.update", other.update)
    assert stopped(bundle, FieldMismatch, IDENTITY).field == "set_update.log_id"


def test_a_governance_record_of_another_log():
    other = consortium("other.example/receivables").governance_part(1, 3).records[1].record
    bundle = changed("history", "governance.records.1.record", other)
    assert stopped(bundle, FieldMismatch, IDENTITY).field == "governance.log_id"


def test_a_transaction_of_another_consortium():
    """tx/other-consortium in a bundle."""
    other = consortium("other.example/receivables").played[0].signed.encode()
    bundle = changed("document", f"{ENTRY}.transaction", other)
    assert stopped(bundle, FieldMismatch, IDENTITY).field == "transaction.log_id"


# ── 6 hash paths ──


@pytest.mark.parametrize(("name", "path"), EVERY_PATH)
def test_a_bit_of_a_path(name, path):
    error = stopped(changed(name, f"{path}.0", flip), RootMismatch, PATHS)
    assert error.expected != error.calculated


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("receivable", f"{ENTRY}.entry"),
        ("receivable", "epochs.0.record"),
        ("history", "governance.records.1.record"),
        ("document", "rotations.0.epoch.record"),
    ],
)
def test_a_bit_of_what_the_path_begins_with(name, path):
    stopped(changed(name, path, flip), RootMismatch, PATHS)


def test_a_changed_digit():
    parts = good().epochs[0].entries[0].disclosures
    draft = world().played[2].draft
    due = next(claim for claim in draft.tree.claims if claim.name == "due_date")
    (at,) = [k for k, part in enumerate(parts) if part.value == due.text()]
    later = replace(due, value=due.value[:-1] + str((int(due.value[-1]) + 1) % 10)).text()
    error = stopped(changed("receivable", f"{ENTRY}.disclosures.{at}.value", later), RootMismatch, PATHS)
    assert error.__notes__[0] == f"path of disclosure due_date at index {parts[at].index}"


def test_field_index_aliased():
    """The same path at another index of the same length leads elsewhere."""
    parts = good().epochs[0].entries[0].disclosures
    bundle = changed("receivable", f"{ENTRY}.disclosures", (replace(parts[-1], index=parts[-1].index + 1),))
    bundle = edit(bundle, f"{ENTRY}.disclosures", lambda last: (*parts[:-1], *last))
    stopped(bundle, RootMismatch, PATHS)


def test_checkpoint_not_consistent():
    """Two histories under one log id, each signed by its quorum."""
    liar = world().variant(2, batch_root=bytes(32))
    bundle = edit(good("history"), "checkpoints.1.note", lambda _: liar.note(6))
    assert "consistency of checkpoint from 4 to 6" in stopped(bundle, RootMismatch, PATHS).__notes__


def test_a_rotation_note_of_another_history():
    liar = world().variant(1, batch_root=bytes(32))
    bundle = edit(good("document"), "rotations.0.note", lambda _: liar.note(4))
    stopped(bundle, RootMismatch, PATHS)


def test_a_rotations_epoch_stands_in_one_line_with_the_others():
    """Epoch 2, which the rotation shows, ends at block 54 and holds 8 governance records."""
    before = world().closed[1].record
    small = {"governance_size": 1, "governance_root": world().genesis.log_id}
    blocks = {"first_block": 1, "end_block": 1, "last_block_hash": before.last_block_hash}
    for words, field in ((blocks, "epoch.first_block"), (small, "epoch.governance_size")):
        liar = world().variant(3, **words)
        assert stopped(liar.bundle(6, liar.epoch_part(3, 6), anchors=()), FieldMismatch, ARITHMETIC).field == field


def test_a_rotations_epoch_is_the_record_shown_for_that_epoch():
    liar = world().variant(2, flags=1)
    rotation = replace(world().rotation(6), epoch=liar.proven(2, 4))
    bundle = world().bundle(6, world().epoch_part(2, 6), rotations=(rotation,), anchors=())
    assert stopped(bundle, FieldMismatch, ARITHMETIC).field == "rotations.epoch"


def test_update_not_in_covered_epoch():
    """rotation/: epoch 1 was before the update; its governance tree cannot hold it."""
    earlier = replace(world().rotation(6), epoch=world().proven(1, 4))
    stopped(replace(good("document"), rotations=(earlier,)), IndexBeyondSize, ARITHMETIC)
    stopped(edit(good("document"), "rotations.0.index", lambda _: 6), RootMismatch, PATHS)
    moved = replace(world().rotation(6), index=6, path=world().governance_path(6, 8))
    stopped(replace(good("document"), rotations=(moved,)), RootMismatch, PATHS)


def test_entry_of_another_epoch():
    part = world().epoch_part(2, 4, entries=good().epochs[0].entries)
    with pytest.raises(Malformed) as caught:  # the index or the length: epoch 2 has the lowest rung
        judged(edit(good(), "epochs.0", lambda _: part))
    assert caught.value.stopped_at == ARITHMETIC


def test_field_leaf_in_batch():
    """cross/: 32 bytes of a field are no entry; an entry made of them stands in no batch."""
    root = world().played[2].draft.tree.leaves[0]
    forged = RecordEntry(0x0105, 32, root).encode()
    stopped(changed("receivable", f"{ENTRY}.entry", forged), RootMismatch, PATHS)


def test_batch_root_as_log_root():
    """cross/: an entry's path cannot go on through the epoch record's place in the log."""
    part = good().epochs[0]
    stopped(changed("receivable", f"{ENTRY}.path", (*part.entries[0].path[:-1], part.path[0])), RootMismatch, PATHS)


@pytest.mark.parametrize("side", ["left", "right"])
def test_neighbours_not_adjacent(side):
    """promise/: the neighbours must leave no room."""
    batch, absence = world().closed[0].batch, good("history").epochs[0].absences[0]
    index = absence.left.index - 1 if side == "left" else absence.right.index + 1
    further = replace(getattr(absence, side), leaf=batch.leaves[index], index=index, path=batch.path(index))
    error = stopped(changed("history", f"epochs.0.absences.0.{side}", further), FieldMalformed, PATHS)
    assert error.field == "absence"


def test_an_entry_that_is_there_is_not_absent():
    """promise/entry-present-after-all and refusal-present, as far as a bundle says it."""
    batch, absence = world().closed[0].batch, good("history").epochs[0].absences[0]
    for leaf in (batch.leaves[absence.left.index], batch.leaves[absence.right.index], bytes(32)):
        assert stopped(changed("history", "epochs.0.absences.0.leaf", leaf), FieldMalformed, PATHS).field == "absence"


def test_an_absence_has_a_neighbour():
    bundle = edit(good("history"), "epochs.0.absences.0", lambda part: replace(part, left=None, right=None))
    stopped(bundle, FieldMalformed, PATHS)
    for side in ("left", "right"):
        bundle = changed("history", f"epochs.0.absences.0.{side}", None)
        stopped(bundle, FieldMalformed, PATHS)


def test_before_the_first_and_after_the_last_one_neighbour_is_enough():
    for leaf in (bytes(32), b"\xff" * 32):
        absence = world().absence(leaf)
        assert None in (absence.left, absence.right)
        assert judged(changed("history", "epochs.0.absences.0", absence)).complete


# ── 6 the half a field stands in ──


def forged_record(claims: dict, private: dict, *names: str, record_type: int = 0x0105):
    """A record of any fields in any half, committed by all validators; every field named is shown."""
    salted = [
        [Disclosure(sha256(name.encode()), name, value) for name, value in half.items()] for half in (claims, private)
    ]
    width = 32
    tree = build_fields(*salted, [sha256(b"%d" % k) for k in range(width // 2 - len(private))], width)
    entry = RecordEntry(record_type, width, tree.field_root).encode()
    batch = Batch(sorted([*world().closed[0].batch.entries[1:], entry], key=leaf_hash))
    liar = world().variant(1, batch=batch, batch_root=batch.root)
    shown = sorted((tree.index_of(d.digest), d.text()) for half in salted for d in half if not names or d.name in names)
    part = good().epochs[0].entries[0].disclosures[0]
    parts = tuple(replace(part, value=text, index=i, path=tuple(tree.path(i))) for i, text in shown)
    index = batch.index_of(leaf_hash(entry))
    shown_entry = EntryPart(entry=entry, index=index, path=batch.path(index), disclosures=parts)
    return liar.bundle(4, liar.epoch_part(1, 4, entries=(shown_entry,)), anchors=())


BASE = {"_schema": "note.issue/1", "_origin": "somebody"}


def test_claim_shown_from_private_half():
    """A second `face` among the private leaves, where validators never saw it."""
    error = stopped(forged_record(BASE, {"face": "5"}), FieldMismatch, PATHS)
    assert (error.field, error.expected, error.got) == ("face", "claim", "private")


def test_private_name_in_left_half():
    error = stopped(forged_record({**BASE, "payee": "x"}, {}), FieldMismatch, PATHS)
    assert (error.field, error.expected, error.got) == ("payee", "private", "claim")


def test_a_reserved_name_stands_in_its_own_half():
    bundle = forged_record(BASE, {"_chain": "x"})
    assert judged(bundle, require=()).complete
    assert stopped(moved_to_the_right(), FieldMismatch, PATHS).field == "_schema"


def moved_to_the_right():
    """A record whose whole left half is empty: `build_fields` refuses to make it, so the leaves are laid by hand."""
    schema = Disclosure(bytes(32), "_schema", "note.issue/1")
    leaves = [bytes(32)] * 4 + sorted([schema.digest, *(sha256(b"%d" % k) for k in range(3))])
    tree = Tree()
    tree.extend([leaf_hash(leaf) for leaf in leaves])
    entry = RecordEntry(0x0105, 8, tree.root()).encode()
    batch = Batch(sorted([*world().closed[0].batch.entries[1:], entry], key=leaf_hash))
    liar = world().variant(1, batch=batch, batch_root=batch.root)
    at = leaves.index(schema.digest)
    shown = replace(
        good().epochs[0].entries[0].disclosures[0],
        value=schema.text(),
        index=at,
        path=tuple(tree.inclusion_path(at, 8)),
    )
    index = batch.index_of(leaf_hash(entry))
    part = EntryPart(entry=entry, index=index, path=batch.path(index), disclosures=(shown,))
    return liar.bundle(4, liar.epoch_part(1, 4, entries=(part,)), anchors=())


def test_a_field_that_the_schema_does_not_have():
    assert stopped(forged_record({**BASE, "colour": "red"}, {}), FieldMalformed, PATHS).field == "colour"


def test_a_field_of_another_type():
    assert stopped(forged_record({**BASE, "face": "1e9"}, {}), FieldMalformed, PATHS).field == "face"


def test_a_schema_of_another_record_type():
    error = stopped(forged_record(BASE, {}, record_type=0x0108), FieldMismatch, PATHS)
    assert (error.field, error.expected, error.got) == ("_schema", "0x0108", "0x0105")


def test_a_schema_that_this_verifier_does_not_know_is_missing_not_wrong():
    bundle = forged_record({"_schema": "harbour.dues/3", "_origin": "x", "berth": 7}, {}, record_type=0x8001)
    evidence = judged(bundle, require=("integrity",))
    assert evidence.missing == ("a verifier that knows the schema harbour.dues/3",)
    assert evidence.records[0].record_type == "0x8001"


def test_a_record_may_stand_there_with_nothing_opened():
    bundle = changed("receivable", f"{ENTRY}.disclosures", ())
    evidence = judged(bundle)
    assert evidence.complete
    assert (evidence.records[0].schema, evidence.records[0].undisclosed) == ("not shown", 32)
