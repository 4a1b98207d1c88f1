from dataclasses import replace
from itertools import product

import pytest

from hybrid_bridge.business.membership import (
    MAX_AHEAD,
    apply_member_update,
    apply_set_update,
    is_quorum,
    is_validator,
    newest_update,
    read_set,
    require_member,
    responsible_set,
    roles_of,
)
from hybrid_bridge.core.encoding import ZERO, b64u, sha256
from hybrid_bridge.core.governance import (
    ADD,
    AUDITOR,
    MEMBER,
    NODE,
    REGULATOR,
    REINSTATE,
    REMOVE,
    REPLACE_CERTIFICATE,
    SUSPEND,
    MemberUpdate,
    SetUpdate,
)
from hybrid_bridge.core.ledger_state import Overlay, member_key, put_json, set_key
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.validators import ValidatorSet
from hybrid_bridge.errors import RuleRejected, StoreBroken
from hybrid_bridge.units import Address, EpochNumber, LogId, SetId, TreeSize
from tests.unit.hybrid_bridge.business.bench import VALIDATORS, Bench, decide, entry_of, key, raw_key

LOG = LogId(bytes(32))


@pytest.fixture
def view():
    return Overlay(Bench().state)


def update(name="newcomer", action=ADD, roles=MEMBER, from_epoch=1):
    return MemberUpdate(
        log_id=LOG,
        action=action,
        name_hash=sha256(name.encode()),
        certificate_hash=entry_of(name).certificate_hash,
        key_id=raw_key(name),
        roles=roles,
        from_epoch=EpochNumber(from_epoch),
    )


def refused(apply, *args):
    with pytest.raises(RuleRejected) as caught:
        apply(*args)
    return caught.value.rule


def test_a_member_counts_from_its_epoch_on(view):
    decide(view, update(from_epoch=5), EpochNumber(2))
    assert [roles_of(view, raw_key("newcomer"), EpochNumber(e)) for e in (2, 4, 5, 9)] == [0, 0, MEMBER, MEMBER]


def test_a_removed_member_counts_until_its_epoch(view):
    decide(view, update("core", REMOVE, 0, 7), EpochNumber(3))
    assert [roles_of(view, raw_key("core"), EpochNumber(e)) for e in (3, 6, 7)] == [MEMBER, MEMBER, 0]


def test_roles_are_replaced_with_the_certificate(view):
    decide(view, update("core", REPLACE_CERTIFICATE, MEMBER | NODE, 3), EpochNumber(3))
    assert roles_of(view, raw_key("core"), EpochNumber(3)) == MEMBER | NODE


def test_updates_that_make_no_sense_are_refused(view):
    now = EpochNumber(3)
    for record in (
        update("core", ADD, MEMBER, 3),  # is there already
        update("nobody", REMOVE, 0, 3),
        update("nobody", REPLACE_CERTIFICATE, MEMBER, 3),
        update("newcomer", ADD, 0, 3),  # without a role
        update("core", REPLACE_CERTIFICATE, 0, 3),
        update("newcomer", ADD, MEMBER, 2),  # from an epoch that has passed
    ):
        assert refused(decide, view, record, now) == "member"


def test_a_stranger_is_no_member(view):
    assert refused(require_member, view, key("nobody"), EpochNumber(1)) == "admission"
    assert refused(require_member, view, key("regulator"), EpochNumber(1)) == "admission"
    require_member(view, key("core"), EpochNumber(1))


def test_a_quorum_is_more_than_two_thirds_and_nobody_else(view):
    keys = list(map(raw_key, VALIDATORS))
    epoch = EpochNumber(1)
    assert is_quorum(view, keys, epoch)
    assert is_quorum(view, keys[:3], epoch)
    assert not is_quorum(view, keys[:2], epoch)
    assert not is_quorum(view, [*keys[:2], keys[0]], epoch)
    assert not is_quorum(view, [*keys, raw_key("core")], epoch)
    assert is_validator(view, keys[0], epoch)
    assert not is_validator(view, raw_key("core"), epoch)


# ── the next set ──

NEXT = ("v2", "v3", "v4", "v5")


def successor(view, names=NEXT, from_size=6, set_id=2):
    entries = sorted((entry_of(name) for name in names), key=lambda entry: entry.address)
    validators = ValidatorSet(SetId(set_id), tuple(entries))
    current = responsible_set(view, EpochNumber(1)).validators
    return SetUpdate(
        log_id=LOG,
        previous_set_hash=current.digest,
        set_hash=validators.digest,
        effective_from_size=TreeSize(from_size),
        decoy_key_hash=sha256(b"K"),
        validators=validators,
    )


@pytest.fixture
def with_node(view):
    for name in VALIDATORS:
        decide(view, update(name, ADD, MEMBER | NODE), EpochNumber(1))
    decide(view, update("v5", ADD, MEMBER | NODE), EpochNumber(1))
    return view


def test_the_size_decides_which_set_is_responsible(with_node):
    apply_set_update(with_node, successor(with_node), EpochNumber(4))
    sets = [responsible_set(with_node, EpochNumber(e)).validators.set_id for e in (1, 4, 5, 6)]
    assert sets == [1, 1, 2, 2]
    assert is_validator(with_node, raw_key("v1"), EpochNumber(4))
    assert not is_validator(with_node, raw_key("v1"), EpochNumber(5))
    assert responsible_set(with_node, EpochNumber(5)).validators == successor(with_node).validators


def test_one_change_at_a_time(with_node):
    apply_set_update(with_node, successor(with_node), EpochNumber(4))
    again = replace(successor(with_node), reason_hash=sha256(b"again"))
    assert refused(apply_set_update, with_node, again, EpochNumber(4)) == "set-replaces"


def test_a_set_that_waits_is_replaced_by_a_record_that_names_it_and_until_it_is_in_charge(with_node):
    first, names = successor(with_node, from_size=8), ("v1", "v2", "v3", "v5")
    apply_set_update(with_node, first, EpochNumber(3))
    other = replace(successor(with_node, names, from_size=9), replaces=leaf_hash(first.encode()))
    late, stranger = replace(other, effective_from_size=TreeSize(12)), replace(other, replaces=sha256(b"another"))
    apply_set_update(replaced := Overlay(with_node), other, EpochNumber(6))
    assert refused(apply_set_update, with_node, stranger, EpochNumber(6)) == "set-replaces"
    assert refused(apply_set_update, with_node, late, EpochNumber(7)) == "set-replaces"  # the first is in charge
    assert refused(apply_set_update, replaced, other, EpochNumber(6)) == "set-replaces"  # two that raced
    assert [responsible_set(replaced, EpochNumber(e)).validators.set_id for e in (6, 7, 8)] == [1, 1, 2]
    assert responsible_set(replaced, EpochNumber(8)).validators == other.validators
    assert not is_validator(replaced, raw_key("v4"), EpochNumber(8))


def test_nobody_sits_on_by_a_seat_of_a_set_that_is_replaced(with_node):
    """Nor by one of the set in charge once a record has removed him: only who was never named sits by the genesis."""
    first = successor(with_node, from_size=8)
    apply_set_update(with_node, first, EpochNumber(3))
    decide(with_node, update("v5", REMOVE, 0, 4), EpochNumber(3))
    decide(with_node, update("v4", REMOVE, 0, 4), EpochNumber(3))
    for names in (NEXT, ("v1", "v2", "v3", "v4")):
        record = replace(successor(with_node, names, from_size=8), replaces=leaf_hash(first.encode()))
        assert refused(apply_set_update, with_node, record, EpochNumber(3)) == "set"
    record = replace(successor(with_node, ("v1", "v2", "v3"), from_size=8), replaces=leaf_hash(first.encode()))
    apply_set_update(with_node, record, EpochNumber(3))


def test_a_set_that_does_not_follow_is_refused(with_node):
    now = EpochNumber(4)
    for record in (
        successor(with_node, from_size=5),
        successor(with_node, set_id=3),
        replace(successor(with_node), previous_set_hash=sha256(b"another")),
        successor(with_node, names=("v2", "v3", "v4", "stranger")),
    ):
        assert refused(apply_set_update, with_node, record, now) == "set"


def test_a_validator_must_be_a_node(with_node):
    decide(with_node, update("watcher", ADD, REGULATOR), EpochNumber(1))
    record = successor(with_node, names=("v2", "v3", "v4", "watcher"))
    assert refused(apply_set_update, with_node, record, EpochNumber(4)) == "set"


def test_a_set_is_judged_by_the_roles_that_stand_when_it_takes_charge(view):
    """A newcomer is admitted and becomes a validator from one epoch on; who leaves then is in no set of that epoch."""
    for name in VALIDATORS:
        decide(view, update(name, ADD, MEMBER | NODE), EpochNumber(1))
    decide(view, update("v5", ADD, MEMBER | NODE, 5), EpochNumber(3))
    assert refused(apply_set_update, view, successor(view, from_size=5), EpochNumber(3)) == "set"
    apply_set_update(view, successor(view, from_size=6), EpochNumber(4))


def test_a_lost_set_is_a_broken_store(view):
    with pytest.raises(StoreBroken):
        read_set(view, SetId(9))
    put_json(view, set_key(SetId(9)), {"keys": "none", "entries": "", "from_size": 1})
    with pytest.raises(StoreBroken):
        read_set(view, SetId(9))


def test_nobody_sits_twice_in_a_set(with_node):
    """Two attestation keys under one certificate would be two votes of one member."""
    twin = replace(entry_of("v5"), address=Address(sha256(b"twin")[:20]))
    entries = sorted([*map(entry_of, NEXT[1:]), twin], key=lambda entry: entry.address)
    validators = ValidatorSet(SetId(2), tuple(entries))
    record = replace(successor(with_node), set_hash=validators.digest, validators=validators)
    assert refused(apply_set_update, with_node, record, EpochNumber(4)) == "set"


# ── suspension ──


BOTH = MEMBER | NODE


def roles_at(view, name, *epochs):
    return [roles_of(view, raw_key(name), EpochNumber(epoch)) for epoch in epochs]


def test_a_suspended_member_has_no_role_until_it_is_reinstated_and_is_the_same_then(with_node):
    decide(with_node, update("v5", SUSPEND, BOTH, 4), EpochNumber(3))
    assert roles_at(with_node, "v5", 3, 4, 9) == [BOTH, 0, 0]
    assert refused(require_member, with_node, key("v5"), EpochNumber(4)) == "admission"
    decide(with_node, update("v5", REINSTATE, BOTH, 7), EpochNumber(5))
    assert roles_at(with_node, "v5", 6, 7, 9) == [0, BOTH, BOTH]
    require_member(with_node, key("v5"), EpochNumber(7))


def test_a_suspension_states_the_roles_that_it_takes_and_gives_back(with_node):
    for roles in (0, MEMBER, BOTH | REGULATOR):
        assert refused(decide, with_node, update("v5", SUSPEND, roles, 3), EpochNumber(3)) == "member"
    decide(with_node, update("v5", SUSPEND, BOTH, 3), EpochNumber(3))
    for roles in (0, MEMBER, BOTH | REGULATOR):
        assert refused(decide, with_node, update("v5", REINSTATE, roles, 3), EpochNumber(3)) == "member"


def test_a_suspension_is_not_got_round(with_node):
    """Not by adding the member again, nor by another certificate; nor is one reinstated that is not suspended."""
    now = EpochNumber(3)
    assert refused(decide, with_node, update("v5", REINSTATE, BOTH, 3), now) == "member"
    assert refused(decide, with_node, update("nobody", SUSPEND, BOTH, 3), now) == "member"
    decide(with_node, update("v5", SUSPEND, BOTH, 3), now)
    for action in (ADD, REPLACE_CERTIFICATE, SUSPEND):
        assert refused(decide, with_node, update("v5", action, BOTH, 3), now) == "member"
    decide(with_node, update("v5", REINSTATE, BOTH, 6), now)
    for action in (ADD, REPLACE_CERTIFICATE):  # in force from 6 on, until then as before
        assert refused(decide, with_node, update("v5", action, BOTH, 3), now) == "member"
    decide(with_node, update("v5", REMOVE, 0, 3), now)
    assert roles_at(with_node, "v5", 3, 9) == [0, 0]
    decide(with_node, update("v5", ADD, MEMBER, 4), now)  # gone for good, it may come again
    assert roles_at(with_node, "v5", 3, 4) == [0, MEMBER]


@pytest.mark.parametrize(("action", "roles"), [(SUSPEND, BOTH), (REMOVE, 0)])
def test_what_a_quorum_decided_is_not_undone_by_another_certificate_before_it_counts(with_node, action, roles):
    now = EpochNumber(3)
    decide(with_node, update("v5", action, roles, 5), now)
    for from_epoch in (3, 5, 7):
        record = update("v5", REPLACE_CERTIFICATE, BOTH, from_epoch)
        assert refused(decide, with_node, record, now) == "member"
    assert refused(decide, with_node, update("v5", REINSTATE, BOTH, 5), now) == "member"
    assert roles_at(with_node, "v5", 3, 4, 5, 9) == [BOTH, BOTH, 0, 0]


def test_who_is_not_yet_a_member_may_be_removed(with_node):
    now = EpochNumber(3)
    decide(with_node, update("newcomer", ADD, MEMBER, 6), now)
    assert refused(decide, with_node, update("newcomer", REPLACE_CERTIFICATE, BOTH, 6), now) == "member"
    decide(with_node, update("newcomer", REMOVE, 0, 5), now)
    assert roles_at(with_node, "newcomer", 3, 5, 6, 9) == [0, 0, 0, 0]
    assert refused(decide, with_node, update("newcomer", REMOVE, 0, 5), EpochNumber(5)) == "member"


def test_who_is_suspended_keeps_certificate_and_key(with_node):
    stolen = replace(update("v5", SUSPEND, BOTH, 3), certificate_hash=entry_of("v1").certificate_hash)
    unknown = replace(update("v5", SUSPEND, BOTH, 3), certificate_hash=sha256(b"never seen"))
    for record in (stolen, unknown):
        assert refused(decide, with_node, record, EpochNumber(3)) == "member"


def test_a_card_comes_with_who_is_added_or_changed_and_with_nobody_else(with_node):
    """Approvers are shown no card of a suspension; what it named would be found out later."""
    for action, roles in ((SUSPEND, BOTH), (REMOVE, 0)):
        hidden = replace(update("v5", action, roles, 5), card_hash=sha256(b"a card that nobody was shown"))
        assert refused(decide, with_node, hidden, EpochNumber(3)) == "member"


def test_no_decision_waits_longer_than_anybody_would(with_node):
    now = EpochNumber(3)
    assert refused(decide, with_node, update("v5", SUSPEND, BOTH, now + MAX_AHEAD + 1), now) == "member"
    decide(with_node, update("v5", SUSPEND, BOTH, now + MAX_AHEAD), now)
    late = successor(with_node, from_size=now + MAX_AHEAD + 1)
    assert refused(apply_set_update, with_node, late, now) == "set"


def test_one_name_has_one_seat(with_node):
    """Whoever has two keys has one vote."""
    record = successor(with_node)
    entries = record.validators.entries
    twin = replace(entries[1], name_hash=entries[0].name_hash)
    twice = ValidatorSet(record.set_id, (entries[0], twin, *entries[2:]))
    again = replace(record, set_hash=twice.digest, validators=twice)
    assert refused(apply_set_update, with_node, again, EpochNumber(4)) == "set"


def test_a_certificate_is_for_one_key(with_node):
    """Else a seat of the set, which names a certificate, would pass to another key."""
    taken = replace(update("newcomer", ADD, BOTH, 3), certificate_hash=entry_of("v1").certificate_hash)
    assert refused(decide, with_node, taken, EpochNumber(3)) == "member"


def test_members_without_a_certificate_are_as_many_as_there_are(with_node):
    """Zero stands for none, in a suspension too; and no seat is had by it."""
    bare = [replace(update(name, ADD, BOTH, 3), certificate_hash=ZERO) for name in ("one", "two")]
    for record in bare:
        decide(with_node, record, EpochNumber(3))
    decide(with_node, replace(bare[0], action=SUSPEND), EpochNumber(3))
    assert [roles_at(with_node, name, 3) for name in ("one", "two")] == [[0], [BOTH]]
    seat = replace(entry_of("two"), certificate_hash=ZERO)
    entries = sorted([*map(entry_of, NEXT[1:]), seat], key=lambda entry: entry.address)
    validators = ValidatorSet(SetId(2), tuple(entries))
    record = replace(successor(with_node), set_hash=validators.digest, validators=validators)
    assert refused(apply_set_update, with_node, record, EpochNumber(4)) == "set"


def test_a_suspended_validator_has_its_vote_until_a_set_leaves_it_out(with_node):
    decide(with_node, update("v2", SUSPEND, BOTH, 4), EpochNumber(4))
    keys = list(map(raw_key, VALIDATORS))
    assert is_validator(with_node, raw_key("v2"), EpochNumber(4))
    assert is_quorum(with_node, keys[:3], EpochNumber(4))
    assert not is_quorum(with_node, [keys[0], *keys[2:3]], EpochNumber(4))  # the quorum does not shrink with it
    assert refused(apply_set_update, with_node, successor(with_node), EpochNumber(4)) == "set"
    apply_set_update(with_node, successor(with_node, ("v1", "v3", "v4", "v5")), EpochNumber(4))


def test_a_row_of_who_was_never_suspended_has_no_word_of_it(with_node):
    stands = b64u(leaf_hash(update("v5", ADD, BOTH).encode()))
    assert (
        with_node.get(member_key(raw_key("v5")))
        == f'{{"before":0,"from_epoch":1,"record":"{stands}","roles":3}}'.encode()
    )


# ── old consents ──

ACTIONS = (ADD, REMOVE, REPLACE_CERTIFICATE, SUSPEND, REINSTATE)
LIFE = (ADD, REPLACE_CERTIFICATE, SUSPEND, REINSTATE, REMOVE) * 2


def accepts(view, record, epoch):
    try:
        apply_member_update(Overlay(view), record, epoch)
    except RuleRejected:
        return False
    return True


def test_no_old_consent_undoes_a_newer_decision_whatever_the_two_are(view):
    """At each turn of a member's life somebody keeps consents to everything that could be decided there."""
    kept, pairs = [], set()
    for turn, action in enumerate(LIFE):
        now, stands = EpochNumber(3 + turn), newest_update(view, raw_key("newcomer"))
        for old, ahead in product(ACTIONS, (0, 9)):
            roles = 0 if old == REMOVE else MEMBER
            record = replace(update("newcomer", old, roles, now + ahead), replaces=stands, reason_hash=sha256(b"old"))
            kept += [record] if accepts(view, record, now) else []
        decide(view, update("newcomer", action, 0 if action == REMOVE else MEMBER, now), now)
        for record in kept:
            late = replace(record, from_epoch=EpochNumber(now + 9))
            for one in (record, late):
                assert refused(apply_member_update, Overlay(view), one, now) == "member-replaces"
            pairs.add((record.action, action))
    assert pairs == set(product(ACTIONS, ACTIONS))


@pytest.mark.parametrize(
    ("newer", "older"), [(REMOVE, SUSPEND), (SUSPEND, REMOVE), (REMOVE, REMOVE), (SUSPEND, SUSPEND)]
)
def test_an_old_consent_does_not_take_the_place_of_what_is_decided_and_does_not_count_yet(with_node, newer, older):
    now, stands = EpochNumber(3), newest_update(with_node, raw_key("v5"))
    roles = {REMOVE: 0, SUSPEND: BOTH}
    old = replace(update("v5", older, roles[older], 9), replaces=stands, reason_hash=sha256(b"old"))
    apply_member_update(with_node, replace(update("v5", newer, roles[newer], 5), replaces=stands), now)
    assert refused(apply_member_update, with_node, old, now) == "member-replaces"
    assert roles_at(with_node, "v5", 4, 5, 9) == [BOTH, 0, 0]
    decide(with_node, old, now)  # decided anew it does
    assert roles_at(with_node, "v5", 4, 5, 9) == [BOTH, BOTH, 0]


def test_an_auditor_is_named_and_may_submit_nothing(view):
    decide(view, update("auditor", ADD, AUDITOR), EpochNumber(1))
    assert roles_at(view, "auditor", 1) == [AUDITOR]
    assert refused(require_member, view, key("auditor"), EpochNumber(1)) == "admission"
