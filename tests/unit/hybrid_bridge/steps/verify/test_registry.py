"""Check 10 through whole bundles: what a registry root says about labels, and what it cannot be made to say."""

from dataclasses import replace

import pytest

from hybrid_bridge.core.bundle import LabelPart, TerminalPart
from hybrid_bridge.core.encoding import ZERO, sha256
from hybrid_bridge.core.evidence import UNDECIDED, VERIFIED
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.labels import IdentityValue, Label, life
from hybrid_bridge.core.registry import genesis_tree
from hybrid_bridge.core.trust import TrustedLog
from hybrid_bridge.errors import (
    FieldMalformed,
    FieldMismatch,
    RootMismatch,
    SignatureWrong,
    TerminalMalformed,
    TooLong,
)
from hybrid_bridge.steps.batch import label_index
from tests.bundles import LADDERS, Consortium, consortium, edit, flip
from tests.unit.hybrid_bridge.steps.verify.judging import changed, good, judged, stopped, world

AT = "10 registry"
PATHS = "6 hash paths"
ABSENT = "epochs.0.labels.0"  # of "unregistered"
IDENTITY = "epochs.1.labels.0"  # of "financing"
FIRST_LIFE = 4  # behind the invoice's identity labels
LIFE = f"epochs.1.labels.{FIRST_LIFE}"


def note() -> str:
    """The financed one."""
    return world().events[14]["fields"]["note"]


def life_labels(*positions: int):
    """The financing with some versions of the note's life: 0 … 3 present, 4 absent."""
    labels = good("financing").epochs[1].labels
    return changed("financing", "epochs.1.labels", tuple(labels[FIRST_LIFE + k] for k in positions))


def statement(bundle) -> str:
    """Of the last label; the bundles here need not be complete."""
    return judged(bundle, require=("integrity",)).registry[-1].statement


# ── paths ──


def test_absence_terminal_equals_key():
    """The pair of the index itself under a path that is no such presence."""
    part = good("unregistered").epochs[0].labels[0]
    terminal = TerminalPart(index=part.index, commitment=bytes(32))
    stopped(changed("unregistered", f"{ABSENT}.terminal", terminal), RootMismatch, PATHS)


def test_absence_terminal_off_prefix():
    part = absent_beside_a_pair()
    terminal = replace(part.terminal, index=flip(part.terminal.index, 255))
    stopped(edit(good("unregistered"), ABSENT, lambda _: replace(part, terminal=terminal)), TerminalMalformed, PATHS)


def absent_beside_a_pair() -> LabelPart:
    """Some label whose path ends in somebody else's pair, not in a hole."""
    for number in range(50):
        part = world().label(Label(2, ("CN", f"2699000000000{number:07}")), 0, 3)
        if part.terminal is not None:
            return part
    raise AssertionError


def absent_in_a_hole() -> LabelPart:
    for number in range(200):
        part = world().label(Label(2, ("CN", f"2699000000000{number:07}")), 0, 3)
        if part.terminal is None:
            return part
    raise AssertionError


@pytest.mark.parametrize("found", [absent_beside_a_pair, absent_in_a_hole])
def test_a_label_is_absent_in_a_hole_and_beside_another_pair(found):
    bundle = edit(good("unregistered"), ABSENT, lambda _: found())
    assert judged(bundle).complete
    assert statement(bundle) == "not registered"


def test_presence_of_neighbour():
    """Somebody else's pair does not make a label present."""
    neighbour = absent_beside_a_pair()
    terminal = replace(neighbour.terminal, index=neighbour.index)
    stopped(edit(good("unregistered"), ABSENT, lambda _: replace(neighbour, terminal=terminal)), RootMismatch, PATHS)


def test_a_registered_label_cannot_be_shown_absent():
    shown = good("financing").epochs[1].labels[0]
    other = world().closed[2].registry.prove(flip(shown.index))
    hidden = replace(shown, value=None, opening=None, path=other.path, terminal=None)
    stopped(changed("financing", IDENTITY, hidden), RootMismatch, PATHS)


def test_hole_with_wrong_root():
    hidden = replace(absent_beside_a_pair(), terminal=None)
    stopped(edit(good("unregistered"), ABSENT, lambda _: hidden), RootMismatch, PATHS)
    stopped(
        edit(good("unregistered"), ABSENT, lambda _: replace(absent_in_a_hole(), path=(b"\x01" * 32,))),
        RootMismatch,
        PATHS,
    )


def test_deepest_sibling_empty():
    stopped(changed("unregistered", f"{ABSENT}.path.0", ZERO), TerminalMalformed, PATHS)


def test_path_257():
    bundle = changed("unregistered", f"{ABSENT}.path", (b"\x01" * 32,) * 257)
    with pytest.raises(TooLong):
        bundle.encode()


def test_registry_leaf_as_node():
    """cross/: a level left out, and a leaf where a node should be."""
    stopped(changed("unregistered", f"{ABSENT}.path", lambda path: path[:-1]), RootMismatch, PATHS)


def test_the_registry_of_another_epoch_is_another_root():
    earlier = world().epoch_part(2, 4, labels=good("unregistered").epochs[0].labels)
    stopped(edit(good("unregistered"), "epochs.0", lambda _: earlier), RootMismatch, PATHS)


# ── VRF ──


def test_vrf_proof_of_other_label():
    _, other = label_index(world().genesis, world().vrf_seed, Label(2, ("CN", "26990000000000000002")), 0)
    stopped(changed("unregistered", f"{ABSENT}.proof", other), SignatureWrong, AT)


def test_vrf_proof_of_other_version():
    _, other = label_index(world().genesis, world().vrf_seed, life("note", note()), 1)
    stopped(changed("financing", f"{LIFE}.proof", other), SignatureWrong, AT)


def test_vrf_proof_of_other_log():
    other = consortium("other.example/receivables")
    _, proof = label_index(other.genesis, world().vrf_seed, Label(2, ("CN", "26990000000000000001")), 0)
    stopped(changed("unregistered", f"{ABSENT}.proof", proof), SignatureWrong, AT)
    _, proof = label_index(world().genesis, other.vrf_seed, Label(2, ("CN", "26990000000000000001")), 0)
    stopped(changed("unregistered", f"{ABSENT}.proof", proof), SignatureWrong, AT)


def test_vrf_s_not_reduced():
    order = 2**252 + 27742317777372353535851937790883648493

    def unreduced(proof):
        return proof[:48] + (int.from_bytes(proof[48:], "little") + order).to_bytes(32, "little")

    stopped(changed("unregistered", f"{ABSENT}.proof", unreduced), FieldMalformed, AT)


def test_an_index_is_that_of_its_label():
    """A true proof beside the index of another label: the absence of the other says nothing of this one."""
    part = good("unregistered").epochs[0].labels[0]
    other = world().label(Label(2, ("CN", "26990000000000000002")), 0, 3)
    mixed = replace(other, label=part.label, proof=part.proof)
    assert stopped(edit(good("unregistered"), ABSENT, lambda _: mixed), FieldMismatch, AT).field == "labels.index"


# ── openings ──


def test_opening_of_other_entry():
    """The commitment opens to one value only."""
    shown = good("financing").epochs[1].labels[0]
    value = IdentityValue.decode(shown.value.encode())
    for other in (replace(value, entry_leaf=sha256(b"other")), replace(value, object_id="0" * 32)):
        bundle = changed("financing", f"{IDENTITY}.value", other.encode().decode())
        error = stopped(bundle, FieldMismatch, AT)
        assert (error.field, error.expected) == ("labels.commitment", shown.terminal.commitment.hex())
    stopped(changed("financing", f"{IDENTITY}.opening", flip), FieldMismatch, AT)


def test_a_label_that_is_absent_opens_to_nothing():
    shown = good("financing").epochs[1].labels[0]
    opened = edit(good("unregistered"), ABSENT, lambda part: replace(part, value=shown.value, opening=shown.opening))
    assert stopped(opened, FieldMismatch, AT).field == "labels.opening"


def test_present_but_not_opened_is_of_unknown_use():
    bundle = edit(good("financing"), IDENTITY, lambda part: replace(part, value=None, opening=None))
    evidence = judged(bundle, require=("integrity", "registry"))
    assert evidence.registry[0].statement == "present, use unknown"
    assert evidence.verdict("registry").result == UNDECIDED
    assert (
        "registry: every version of the label, the one after the last, and the opening of the last" in evidence.missing
    )


# ── versions ──


def test_identity_version_one():
    stopped(changed("financing", f"{IDENTITY}.version", 1), FieldMalformed, AT)


def test_a_version_stands_once():
    assert stopped(life_labels(0, 1, 1, 2, 3, 4), FieldMalformed, AT).rule == "each version of a label once"


@pytest.mark.parametrize("shown", [(0, 1, 3, 4), (1, 2, 3, 4), (3, 4), (4,)])
def test_life_version_gap(shown):
    """A version that is not shown could be any event."""
    assert statement(life_labels(*shown)) == "no statement"


@pytest.mark.parametrize("shown", [(0,), (0, 1, 2, 3), (0, 1)])
def test_top_version_not_shown_absent(shown):
    """Without the absence of the next version the last one shown may be old news."""
    bundle = life_labels(*shown)
    assert statement(bundle) == "no statement"
    assert judged(bundle, require=("integrity",)).verdict("registry").result == UNDECIDED


def test_the_last_event_must_be_opened():
    last = replace(good("financing").epochs[1].labels[FIRST_LIFE + 3], value=None, opening=None)
    assert statement(edit(life_labels(0, 1, 2, 3, 4), "epochs.1.labels.3", lambda _: last)) == "present, use unknown"
    first = replace(good("financing").epochs[1].labels[FIRST_LIFE], value=None, opening=None)
    bundle = edit(life_labels(0, 1, 2, 3, 4), "epochs.1.labels.0", lambda _: first)
    assert statement(bundle) == "state FINANCED after event 3"


def test_a_version_above_an_absent_one_is_evidence_against_the_validators():
    """They inserted event 5 and left event 4 out: whoever stops at 4 would believe the note is still at event 3."""
    label = life("note", note())
    index, _ = label_index(world().genesis, world().vrf_seed, label, 5)
    grown = world().closed[2].registry.insert([(index, bytes(32))])
    liar = world().variant(3, registry=grown, registry_root=grown.root)
    parts = [liar.label(label, version, 3) for version in range(5)]
    parts.append(liar.label(label, 5, 3, opened=False))
    bundle = liar.bundle(4, liar.epoch_part(3, 4, labels=tuple(parts)), anchors=())
    error = stopped(bundle, FieldMismatch, AT)
    assert (error.field, error.expected, error.got) == ("labels.version", "none above 4", "5 is present")


def test_an_object_without_events_is_not_registered():
    part = world().label(life("note", "0" * 32), 0, 3)
    assert statement(edit(good("unregistered"), ABSENT, lambda _: part)) == "not registered"


def test_a_state_is_that_of_its_epoch():
    """One label at two epochs: two facts, each from its own root."""
    epochs = [world().epoch_part(epoch, 4, labels=world().life_of("note", note(), epoch)) for epoch in (1, 3)]
    facts = judged(world().bundle(4, *epochs)).registry
    assert [(fact.epoch, fact.statement) for fact in facts] == [
        (1, "state FINANCED after event 3"),
        (3, "state FINANCED after event 3"),
    ]


def test_old_news_is_no_statement_for_a_verifier_who_wants_it_fresh():
    """The newest checkpoint is a minute old; the label is shown at an epoch three days back, before it was taken."""
    label = Label(2, ("CN", "26990000000000000001"))
    parts = [world().epoch_part(epoch, 6, labels=(world().label(label, 0, epoch),)) for epoch in (2, 5)]
    for part, result in zip(parts, (UNDECIDED, VERIFIED), strict=True):
        evidence = judged(world().bundle(6, part), max_age=3_600, require=("registry", "freshness"))
        assert evidence.verdict("freshness").result == "60 s"
        assert evidence.verdict("registry").result == result
        assert evidence.complete == (result == VERIFIED)
    what = "the labels at an epoch not older than 3600 s: what is shown may have changed since"
    assert judged(world().bundle(6, parts[0]), max_age=3_600).verdict("registry").missing == what


def test_a_registration_does_not_grow_old():
    identity = edit(good("financing"), "epochs.1.labels", lambda labels: labels[:1])
    assert judged(identity, max_age=1, require=()).verdict("registry").result == VERIFIED
    assert judged(good("financing"), max_age=1, require=()).verdict("registry").result == UNDECIDED


# ── indices without their labels ──


def test_a_bare_index_is_listed_and_says_nothing_of_a_label():
    bare = dict.fromkeys(("label", "version", "proof", "value", "opening"))
    present = edit(
        good("financing"), "epochs.1.labels", lambda parts: tuple(replace(p, **bare) for p in parts[:: FIRST_LIFE + 3])
    )
    evidence = judged(present, require=("integrity",))
    assert [fact.statement for fact in evidence.registry] == ["present, label not shown"] * 2
    assert evidence.verdict("registry").result == "not shown"
    absent = edit(good("unregistered"), ABSENT, lambda part: replace(part, **bare))
    (fact,) = judged(absent).registry
    assert fact.statement == "absent, label not shown"
    other = edit(absent, f"{ABSENT}.index", flip)  # deep below the hole or pair: the path still holds
    assert judged(other).registry != judged(absent).registry


# ── what the verdict rests on ──


def test_a_log_with_another_table_of_labels_spells_them_otherwise():
    other = another_log(label_table_hash=sha256(b"another table"))
    evidence = judged(other, logs=trusted(other), require=("registry",))
    assert evidence.registry[0].statement == "not registered"
    assert evidence.missing == ("registry: a verifier with this log's own table of labels: it spells them otherwise",)


def test_a_log_that_continues_another_one_must_show_that_one_too():
    other = another_log(predecessor=b"\x07" * 32, predecessor_size=9, predecessor_root=b"\x08" * 32)
    evidence = judged(other, logs=trusted(other), require=("registry",))
    assert evidence.missing == (f"registry: the label at the end of the log before, {'07' * 32}",)


def another_log(**words):
    """A log whose genesis record differs, and who trusts it."""

    class Refounded(Consortium):
        def _genesis(self):
            return replace(super()._genesis(), **words)

        def _live(self):
            self.events = self.events[:5]
            super()._live()

    return edit(Refounded("again.example/receivables").unregistered(), "anchors", lambda _: ())


def trusted(bundle):
    return (TrustedLog(log_id=Genesis.decode(bundle.genesis.record).log_id),)


def test_all_versions_and_the_opening_of_the_last_are_verified():
    assert judged(good("financing")).verdict("registry").result == VERIFIED


# ── from epoch to epoch ──


def test_a_registry_that_lost_a_label_is_evidence_against_its_validators():
    """Absent, present, absent: each root is signed, each path holds, and together they break the one promise."""
    label = good("financing").epochs[1].labels[0]
    emptied = genesis_tree(world().secrets[0], LADDERS)
    liar = world().variant(3, registry=emptied, registry_root=emptied.root)
    shown = Label.decode(label.label)
    gone = liar.label(shown, 0, 3)
    parts = liar.epoch_part(2, 4, labels=(liar.label(shown, 0, 2),)), liar.epoch_part(3, 4, labels=(gone,))
    error = stopped(liar.bundle(4, *parts, anchors=()), FieldMismatch, AT)
    assert (error.field, error.got) == (f"registry index {label.index.hex()}", "absent")
    assert error.expected == label.terminal.commitment.hex()


def test_a_pair_that_changed_its_commitment_is_evidence_too():
    label = good("financing").epochs[1].labels[0]
    other = genesis_tree(world().secrets[0], LADDERS).insert([(label.index, bytes(32))])
    liar = world().variant(3, registry=other, registry_root=other.root)
    shown = Label.decode(label.label)
    parts = [liar.epoch_part(e, 4, labels=(liar.label(shown, 0, e, opened=e == 2),)) for e in (2, 3)]
    error = stopped(liar.bundle(4, *parts, anchors=()), FieldMismatch, AT)
    assert error.got == "00" * 32


def test_absent_and_then_present_is_how_a_label_comes():
    """Insert-if-absent: one index without its label is enough to see it."""
    index, _ = label_index(world().genesis, world().vrf_seed, life("note", note()), 3)
    before = genesis_tree(world().secrets[0], LADDERS)
    liar = world().variant(1, registry=before, registry_root=before.root)
    parts = [liar.epoch_part(e, 4, labels=(liar.label(life("note", note()), 3, e),)) for e in (1, 2)]
    facts = judged(liar.bundle(4, *parts, anchors=()), require=("integrity",)).registry
    assert [fact.versions for fact in facts] == [(3,), (3,)]
    assert [part.labels[0].index for part in parts] == [index, index]


def test_a_path_of_the_registry_is_followed_before_any_signature():
    """SPEC §15: strangers signed the checkpoint too, and nobody has looked yet."""
    bundle = changed("unregistered", f"{ABSENT}.path.0", flip)
    strangers = [replace(v, attestation=b"\x05" * 32) for v in world().validators_of(4)[:3]]
    note = world().signed(world().checkpoint(4), strangers)
    stopped(edit(bundle, "checkpoints.0.note", lambda _: note), RootMismatch, PATHS)
