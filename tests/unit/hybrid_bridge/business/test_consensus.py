"""Consensus keys by member, and the engine's set, which follows the validators' in an epoch's first block."""

import pytest

from hybrid_bridge.adapters.cometbft.home import public_key_of
from hybrid_bridge.business.consensus import apply_consensus_key, follow_set, put_engine
from hybrid_bridge.business.membership import apply_set_update, put_set, read_set
from hybrid_bridge.core.consensus_key import ConsensusKey
from hybrid_bridge.core.encoding import ZERO, sha256
from hybrid_bridge.core.governance import ADD, MEMBER, NODE, REMOVE, SUSPEND
from hybrid_bridge.core.ledger_state import ENGINE, Overlay
from hybrid_bridge.core.validators import ValidatorEntry, ValidatorSet
from hybrid_bridge.units import EpochNumber, SetId, TreeSize
from tests.unit.hybrid_bridge.business.bench import VALIDATORS, Bench, decide, entry_of, raw_key
from tests.unit.hybrid_bridge.business.test_membership import LOG, NEXT, refused, successor, update

NOW = EpochNumber(4)


def secret(name):
    return sha256(b"vote of " + name.encode())


def key_of(name):
    return public_key_of(secret(name))


def binding(name, key_name=None, replaces=ZERO):
    vote = key_name or name
    return ConsensusKey.signed(secret(vote), key_of(vote), LOG, raw_key(name), replaces=replaces)


@pytest.fixture
def view():
    """Four validators, all members and nodes, with their keys bound; a fifth node whose key is not."""
    view = Overlay(Bench().state)
    put_engine(view, list(map(key_of, VALIDATORS)))
    for name in (*VALIDATORS, "v5"):
        decide(view, update(name, ADD, MEMBER | NODE), EpochNumber(1))
    for name in VALIDATORS:
        apply_consensus_key(view, binding(name), EpochNumber(1))
    return view


def votes(*changes):
    return tuple(sorted((key_of(name), power) for name, power in changes))


# ── binding ──


def test_whoever_has_no_node_binds_no_key(view):
    decide(view, update("watcher", ADD, MEMBER), EpochNumber(1))
    for name in ("nobody", "watcher"):
        assert refused(apply_consensus_key, view, binding(name), NOW) == "consensus-holder"


def test_who_comes_with_a_later_epoch_binds_its_key_before_and_who_goes_does_not(view):
    """So that one decision admits a member, binds its key and seats it."""
    decide(view, update("newcomer", ADD, MEMBER | NODE, 9), NOW)
    apply_consensus_key(view, binding("newcomer"), NOW)
    decide(view, update("v5", REMOVE, 0, 9), NOW)
    assert refused(apply_consensus_key, view, binding("v5"), NOW) == "consensus-holder"


def test_a_ledger_without_an_engine_has_no_consensus_keys():
    view = Overlay(Bench().state)
    assert refused(apply_consensus_key, view, binding("v1"), NOW) == "consensus-ledger"
    assert follow_set(view, NOW) == ()


def test_a_key_is_for_one_member_for_ever(view):
    assert refused(apply_consensus_key, view, binding("v5", "v1"), NOW) == "consensus-taken"
    apply_consensus_key(view, binding("v1", "new", sha256(key_of("v1"))), NOW)
    assert refused(apply_consensus_key, view, binding("v5", "v1"), NOW) == "consensus-taken"
    apply_consensus_key(view, binding("v1", "v1", sha256(key_of("new"))), NOW)  # its own it may take up again
    assert follow_set(view, EpochNumber(5)) == ()


def test_a_key_in_place_of_itself_changes_nothing(view):
    assert refused(apply_consensus_key, view, binding("v1", "v1", sha256(key_of("v1"))), NOW) == "consensus-taken"


def test_a_record_replaces_the_key_it_names_and_no_other(view):
    for replaces in (ZERO, sha256(key_of("v2"))):
        assert refused(apply_consensus_key, view, binding("v1", "new", replaces), NOW) == "consensus-replaces"
    assert refused(apply_consensus_key, view, binding("v5", "v5", sha256(b"none")), NOW) == "consensus-replaces"


def attesting(name):
    """An entry whose attestation key is the member's consensus key."""
    return ValidatorEntry(binding(name).address, *(sha256(part + name.encode()) for part in (b"n", b"c", b"k")))


def test_an_attestation_key_is_no_consensus_key_whichever_set_it_was_of(view):
    old = read_set(view, SetId(1))
    entries = sorted([attesting("v5"), *old.validators.entries[1:]], key=lambda entry: entry.address)
    put_set(view, ValidatorSet(SetId(2), tuple(entries)), TreeSize(2), list(old.keys))
    put_set(view, ValidatorSet(SetId(3), old.validators.entries), TreeSize(3), list(old.keys))
    assert refused(apply_consensus_key, view, binding("v5"), NOW) == "consensus-attestation"


def test_a_suspended_validator_has_its_vote_and_may_renew_its_key(view):
    decide(view, update("v1", SUSPEND, MEMBER | NODE, 4), NOW)
    apply_consensus_key(view, binding("v1", "new", sha256(key_of("v1"))), NOW)
    assert follow_set(view, EpochNumber(5)) == votes(("v1", 0), ("new", 1))


# ── the next set ──


def test_no_set_is_taken_up_of_which_one_has_no_vote(view):
    assert refused(apply_set_update, view, successor(view), NOW) == "consensus-missing"
    apply_consensus_key(view, binding("v5"), NOW)
    apply_set_update(view, successor(view), NOW)


def test_no_set_is_taken_up_that_attests_with_a_consensus_key(view, monkeypatch):
    apply_consensus_key(view, binding("v5"), NOW)
    taken = ValidatorEntry(binding("v5").address, *(word for word in (ZERO, entry_of("v5").certificate_hash, ZERO)))
    monkeypatch.setattr(
        "tests.unit.hybrid_bridge.business.test_membership.entry_of",
        lambda name: taken if name == "v5" else entry_of(name),
    )
    assert refused(apply_set_update, view, successor(view), NOW) == "consensus-attestation"


# ── the engine's set ──


def test_the_engine_follows_in_the_epoch_for_which_the_set_is_responsible(view):
    apply_consensus_key(view, binding("v5"), NOW)
    apply_set_update(view, successor(view, from_size=8), NOW)
    assert [follow_set(view, EpochNumber(epoch)) for epoch in (5, 6)] == [(), ()]
    assert follow_set(view, EpochNumber(7)) == votes(("v1", 0), ("v5", 1))
    assert follow_set(view, EpochNumber(8)) == ()


def test_a_set_that_was_passed_over_in_silence_is_followed_all_the_same(view):
    """No block in the set's first epoch: the first block after it tells."""
    apply_consensus_key(view, binding("v5"), NOW)
    apply_set_update(view, successor(view), NOW)
    assert follow_set(view, EpochNumber(40)) == votes(("v1", 0), ("v5", 1))


def test_a_renewed_key_votes_from_the_next_epoch_on(view):
    apply_consensus_key(view, binding("v2", "new", sha256(key_of("v2"))), NOW)
    assert follow_set(view, EpochNumber(5)) == votes(("v2", 0), ("new", 1))
    assert view.get(ENGINE) == b"".join(sorted(map(key_of, ("v1", "new", "v3", "v4"))))


def test_a_key_of_a_node_outside_the_set_tells_the_engine_nothing(view):
    apply_consensus_key(view, binding("v5"), NOW)
    assert follow_set(view, EpochNumber(5)) == ()


def test_before_the_founders_keys_are_bound_the_engine_stays_as_it_is():
    view = Overlay(Bench().state)
    put_engine(view, list(map(key_of, VALIDATORS)))
    apply_consensus_key(view, binding("v1", "new"), NOW)
    assert follow_set(view, EpochNumber(5)) == ()


def test_all_at_once_may_change_and_never_is_nobody_left(view):
    others = ("w1", "w2", "w3")
    for name in others:
        decide(view, update(name, ADD, MEMBER | NODE, 4), NOW)
        apply_consensus_key(view, binding(name), NOW)
    apply_set_update(view, successor(view, others), NOW)
    changes = follow_set(view, EpochNumber(5))
    assert changes == votes(*((name, 0) for name in VALIDATORS), *((name, 1) for name in others))


def test_a_removed_member_votes_until_a_set_leaves_it_out(view):
    decide(view, update("v1", REMOVE, 0, 4), NOW)
    assert follow_set(view, EpochNumber(5)) == ()
    apply_consensus_key(view, binding("v5"), NOW)
    apply_set_update(view, successor(view, NEXT), NOW)
    assert follow_set(view, EpochNumber(6)) == votes(("v1", 0), ("v5", 1))
