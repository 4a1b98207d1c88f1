"""Check 14 through whole bundles: what each verdict says, what is required, what is listed."""

from dataclasses import replace

import pytest

from hybrid_bridge.adapters.cometbft.home import public_key_of
from hybrid_bridge.core.bundle import SourceEvidence
from hybrid_bridge.core.consensus_key import ConsensusKey
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.evidence import NOT_SHOWN, UNDECIDED, VERIFIED
from hybrid_bridge.core.governance import REMOVE, SUSPEND, MemberUpdate, Notice
from hybrid_bridge.core.labels import Label
from hybrid_bridge.ports import Head
from hybrid_bridge.steps.verify import PublicSight
from tests.bundles import CADENCE, CHAIN, CONTRACT, NOW, START, edit
from tests.unit.hybrid_bridge.steps.verify.judging import changed, good, judged, world

GRACE = 1_800


# ── freshness ──


def freshness(bundle, now, **trust):
    return judged(bundle, now=now, **trust).verdict("freshness")


def test_the_age_is_that_of_the_newest_checkpoint():
    """Not of the first one, on which the rest stands."""
    assert freshness(good("history"), NOW).result == "60 s"
    assert freshness(good("receivable"), START + 3 * CADENCE + 5).result == "5 s"


def test_a_checkpoint_is_overdue_when_the_next_one_and_its_grace_are_over():
    due = START + 5 * CADENCE + CADENCE + GRACE
    assert freshness(good("history"), due).result == f"{CADENCE + GRACE} s"
    late = freshness(good("history"), due + 1)
    assert late.result == UNDECIDED
    assert late.detail.endswith("the next is overdue by 1 s")
    assert late.missing == "a newer head (--rpc), or a max_age in the trust file"


def test_max_age_is_the_verifiers_own():
    assert freshness(good("history"), NOW, max_age=60).result == "60 s"
    stale = freshness(good("history"), NOW, max_age=59)
    assert (stale.result, stale.missing) == (UNDECIDED, "a head not older than 59 s")
    old = freshness(good("history"), NOW + 10**8, max_age=10**9)
    assert old.result == f"{60 + 10**8} s"


def test_a_checkpoint_of_the_future_is_not_fresh():
    """Validators could sign tomorrow's checkpoints today; their age would be below every limit."""
    early = freshness(good("history"), START + 5 * CADENCE - 1, max_age=60)
    assert (early.result, early.missing) == (UNDECIDED, "a clock that has reached the checkpoint's time")


def test_the_contracts_head_may_be_newer_than_every_checkpoint_shown():
    head = Head(
        tree_size=6, root=world().log.root(6), timestamp=0, anchored_at=0, set_id=2, next_from_size=0,
        paused_until=0, state="active",
    )  # fmt: skip
    sight = PublicSight(
        chain_id=CHAIN, contract=CONTRACT, basis="final", finalized_number=9, finalized_hashes={}, head=head
    )
    verdict = judged(good("receivable"), sights=[sight]).verdict("freshness")
    assert (verdict.result, verdict.detail[:19]) == ("60 s", "the contract's head")
    older = judged(good("history"), sights=[replace(sight, head=replace(head, tree_size=5))]).verdict("freshness")
    assert older.detail.startswith("the newest checkpoint in the bundle")


def test_freshness_can_be_required():
    evidence = judged(good("history"), max_age=59, require=("freshness",))
    assert evidence.missing == ("freshness: a head not older than 59 s",)


# ── governance since ──


def since(bundle, **trust):
    """Result, and what would be needed."""
    verdict = judged(bundle, require=(), **trust).verdict("governance since")
    return verdict.result, verdict.missing


def epochs(*numbers, size=6, **parts):
    """Set 2 came in epoch 2, the freeze in epoch 3; a record stands in epoch 1 if that is among them."""
    w, shown = world(), (world().entry(2, "note", "due_date"),)
    return w.bundle(size, *(w.epoch_part(n, size, entries=shown if n == 1 else ()) for n in numbers), **parts)


def test_equal_sizes_show_that_nothing_happened():
    verdict = judged(epochs(3, 5)).verdict("governance since")
    assert (verdict.result, verdict.detail) == (VERIFIED, "none from epoch 3 to 5, shown by equal sizes")


def test_other_sizes_without_the_records_show_nothing():
    assert since(epochs(1, 5)) == (NOT_SHOWN, "the governance records from epoch 1 to 5")


def test_all_records_from_before_the_record_up_to_the_newest_epoch_are_shown():
    assert since(epochs(1, 2, 3, size=4, governance=world().governance_part(1, 3))) == (VERIFIED, "")
    whole = epochs(1, 3, 5, governance=world().governance_part(1, 3))
    assert since(whole) == (VERIFIED, ""), "nothing between epochs 3 and 5, by equal sizes"
    assert judged(whole).verdict("governance since").detail == "2 records from epoch 1 to 3"


def test_governance_that_ends_before_the_newest_epoch_is_not_rounded_up():
    """The freeze of epoch 3 would be hidden by whoever stops at epoch 2."""
    early = world().governance_part(1, 2)
    assert since(epochs(1, 2, governance=early)) == (
        UNDECIDED,
        "the record of epoch 5, the newest of the checkpoints shown",
    )
    assert since(epochs(1, 2, 5, governance=early)) == (UNDECIDED, "the governance records from epoch 1 to 5")


def test_governance_that_begins_after_the_record_is_not_rounded_up():
    """The update to set 2, in epoch 2, would be hidden."""
    late = world().governance_part(2, 3)
    assert since(epochs(1, 2, 3, size=4, governance=late)) == (UNDECIDED, "the governance records from epoch 1 to 3")


@pytest.mark.parametrize("what", ["entries", "labels", "absences"])
def test_governance_is_since_the_earliest_thing_stated(what):
    w = world()
    stated = {
        "entries": w.entry(2),
        "labels": w.label(Label(2, ("CN", "26990000000000000001")), 0, 1),
        "absences": w.absence(w.no_entry),
    }
    first = w.epoch_part(1, 4, **{what: (stated[what],)})
    late = w.bundle(4, first, w.epoch_part(2, 4), w.epoch_part(3, 4), governance=w.governance_part(2, 3))
    assert since(late)[0] == UNDECIDED
    assert since(edit(late, f"epochs.0.{what}", lambda _: ()))[0] == VERIFIED


def test_a_checkpoint_beyond_the_epochs_that_can_be_shown_leaves_governance_open():
    missing = "the record of epoch 5, the newest of the checkpoints shown"
    assert since(good("history")) == (UNDECIDED, missing)
    bare = edit(good("history"), "governance", lambda _: None)
    assert since(bare) == (NOT_SHOWN, missing)


def test_governance_of_a_log_that_nobody_chose_is_undecided():
    log = f"trust in log {world().genesis.log_id.hex()} (trust file or --log)"
    assert since(epochs(3, 5), logs=()) == (UNDECIDED, log)
    assert since(epochs(1, 5), logs=())[0] == NOT_SHOWN


def test_without_any_epoch_nothing_is_said_of_governance():
    assert since(world().bundle(4))[0] == NOT_SHOWN


def test_every_kind_of_governance_record_is_told_in_words():
    member = MemberUpdate(
        log_id=world().genesis.log_id,
        action=REMOVE,
        name_hash=sha256(b"n"),
        certificate_hash=sha256(b"c"),
        key_id=b"\x01" * 32,
        roles=0,
        from_epoch=3,
    )
    notice = Notice(
        log_id=world().genesis.log_id,
        notice_type=1,
        source=1,
        time=START,
        until=START + 60,
        entry_leaf=b"\x02" * 32,
        subject_hash=bytes(32),
    )
    bound = ConsensusKey.signed(sha256(b"vote"), public_key_of(sha256(b"vote")), world().genesis.log_id, b"\x03" * 32)
    liar = world().variant(1)
    paused = replace(member, action=SUSPEND, roles=1)
    liar.governance = [*world().governance[:7], member.encode(), notice.encode(), bound.encode(), paused.encode()]
    tree = liar._governance_tree()
    for epoch, size in ((1, 7), (2, 8), (3, 11)):
        liar = liar.variant(epoch, governance_root=tree.root(size), governance_size=size)
    epochs = liar.epoch_part(1, 4), liar.epoch_part(3, 4)
    bundle = liar.bundle(4, *epochs, governance=liar.governance_part(1, 3), anchors=())
    assert [fact.what for fact in judged(bundle).governance] == [
        f"member removed, key {'01' * 32}, from epoch 3 on",
        f"brake on at 2026-01-05 00:00:00 UTC until 2026-01-05 00:01:00 UTC, entry {'02' * 32}",
        f"consensus key {bound.key.hex()} for key {'03' * 32}, from the next epoch on",
        f"member suspended, key {'01' * 32}, from epoch 3 on",
    ]


# ── what is required ──


def test_the_log_is_required_whatever_the_file_says():
    evidence = judged(good(), logs=(), require=())
    assert evidence.missing == (f"integrity: trust in log {world().genesis.log_id.hex()} (trust file or --log)",)


@pytest.mark.parametrize("name", ["witnesses", "not before", "freshness", "registry", "governance since"])
def test_each_verdict_can_be_required(name):
    (missing,) = judged(good(), require=(name,)).missing
    assert missing.startswith(f"{name}: ")


def test_a_level_that_was_not_reached_is_missing():
    assert judged(good(), minimum_level="A1").complete
    assert judged(good(), minimum_level="A2").missing == ("level: A2; A1 was reached",)
    assert judged(good(), minimum_level="A2", logs=()).missing[-1] == "level: A2; A0 was reached"


def test_an_age_that_the_file_limits_is_required():
    """As a level and a policy are: who writes it does not mean it for a hint."""
    assert judged(good("history"), max_age=60, require=()).complete
    assert judged(good("history"), max_age=59, require=()).missing == ("freshness: a head not older than 59 s",)


def test_no_level_is_reached_in_a_log_that_nobody_chose():
    assert judged(good(), logs=()).verdict("level").result == "A0"


def test_a_registry_statement_of_a_log_that_nobody_chose_is_undecided():
    evidence = judged(good("unregistered"), logs=(), require=("registry",))
    assert evidence.verdict("registry").result == UNDECIDED
    assert evidence.missing[0].startswith("integrity, registry: trust in log")


# ── what nobody judged ──


def test_everything_that_no_check_looks_into_is_listed_by_its_digest():
    bundle = replace(
        good(),
        provenance='"captured by a notary"',
        source_evidence=(SourceEvidence(type="fabric", epoch=1, data=b"blocks"),),
        extensions={"note": {"a": 1}},
    )
    evidence = judged(bundle)
    assert evidence.complete
    assert {item.place: item.sha256 for item in evidence.unjudged} == {
        "source evidence fabric of epoch 1": sha256(b"blocks"),
        "provenance": sha256(b'"captured by a notary"'),
        "extension note": sha256(b'{"a":1}'),
    }


def test_what_the_holder_says_the_bundle_is_for_changes_no_verdict():
    other = judged(changed("receivable", "purpose", "governance"))
    assert other.verdicts == judged(good()).verdicts
    assert other.purpose == "governance"


def test_a_shown_transaction_is_named():
    (fact,) = judged(good("document")).records
    assert fact.transaction == world().played[0].signed.body.transaction_id
    assert judged(good()).records[0].transaction is None


def test_absences_are_listed():
    (fact,) = judged(good("history")).absences
    assert (fact.epoch, fact.leaf) == (1, world().no_entry)
    again = edit(good("history"), "epochs.0.absences", lambda parts: parts * 2)
    assert len(judged(again).absences) == 2


# ── sequence numbers ──


def by_one_submitter(count):
    """Events of the submitter who has the most, in the order of its numbers."""
    numbers = {}
    for position, played in enumerate(world().played):
        if position in frauds():
            continue
        numbers.setdefault(played.signed.body.submitter, []).append((played.signed.body.sequence, position))
    return [position for _, position in sorted(max(numbers.values(), key=len))[:count]]


def frauds():
    entries = world().closed[0].batch.entries
    return {k for k, played in enumerate(world().played) if played.draft.entry not in entries}


def numbered(*positions):
    entries = sorted((world().entry(p, transaction=True) for p in positions), key=lambda part: part.index)
    return judged(world().bundle(4, world().epoch_part(1, 4, entries=tuple(entries))), require=("integrity",))


def test_a_shown_transaction_has_its_number():
    (position,) = by_one_submitter(1)
    (record,) = numbered(position).records
    body = world().played[position].signed.body
    assert (record.submitter, record.sequence) == (body.submitter, body.sequence)


def test_numbers_between_those_shown_are_known_to_be_kept_back():
    first, *_, last = positions = by_one_submitter(4)
    numbers = [world().played[p].signed.body.sequence for p in (first, last)]
    between = numbers[1] - numbers[0] - 1
    assert between >= len(positions) - 2
    (warning,) = [w for w in numbered(first, last).warnings if "of submitter" in w]
    told = f"the numbers {numbers[0]}, {numbers[1]} are shown; {between} between them not"
    assert warning.endswith(told)


def test_numbers_that_follow_one_another_leave_nothing_between():
    positions = by_one_submitter(60)
    sequence = {world().played[p].signed.body.sequence: p for p in positions}
    pair = next((p, sequence[n + 1]) for n, p in sequence.items() if n + 1 in sequence)
    assert not [w for w in numbered(*pair).warnings if "of submitter" in w]
