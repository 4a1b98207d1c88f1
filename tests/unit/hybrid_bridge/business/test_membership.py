from dataclasses import replace

import pytest

from hybrid_bridge.business.membership import (
    apply_member_update,
    apply_set_update,
    is_quorum,
    is_validator,
    read_set,
    require_member,
    responsible_set,
    roles_of,
)
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.governance import (
    ADD,
    MEMBER,
    NODE,
    REGULATOR,
    REMOVE,
    REPLACE_CERTIFICATE,
    MemberUpdate,
    SetUpdate,
)
from hybrid_bridge.core.ledger_state import Overlay, put_json, set_key
from hybrid_bridge.core.validators import ValidatorSet
from hybrid_bridge.errors import RuleRejected, StoreBroken
from hybrid_bridge.units import EpochNumber, LogId, SetId, TreeSize
from tests.unit.hybrid_bridge.business.bench import VALIDATORS, Bench, entry_of, key, raw_key

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
    apply_member_update(view, update(from_epoch=5), EpochNumber(2))
    assert [roles_of(view, raw_key("newcomer"), EpochNumber(e)) for e in (2, 4, 5, 9)] == [0, 0, MEMBER, MEMBER]


def test_a_removed_member_counts_until_its_epoch(view):
    apply_member_update(view, update("core", REMOVE, 0, 7), EpochNumber(3))
    assert [roles_of(view, raw_key("core"), EpochNumber(e)) for e in (3, 6, 7)] == [MEMBER, MEMBER, 0]


def test_roles_are_replaced_with_the_certificate(view):
    apply_member_update(view, update("core", REPLACE_CERTIFICATE, MEMBER | NODE, 3), EpochNumber(3))
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
        assert refused(apply_member_update, view, record, now) == "member"


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
        apply_member_update(view, update(name, ADD, MEMBER | NODE), EpochNumber(1))
    apply_member_update(view, update("v5", ADD, MEMBER | NODE), EpochNumber(1))
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
    assert refused(apply_set_update, with_node, successor(with_node), EpochNumber(4)) == "set"


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
    apply_member_update(with_node, update("watcher", ADD, REGULATOR), EpochNumber(1))
    record = successor(with_node, names=("v2", "v3", "v4", "watcher"))
    assert refused(apply_set_update, with_node, record, EpochNumber(4)) == "set"


def test_a_lost_set_is_a_broken_store(view):
    with pytest.raises(StoreBroken):
        read_set(view, SetId(9))
    put_json(view, set_key(SetId(9)), {"keys": "none", "entries": "", "from_size": 1})
    with pytest.raises(StoreBroken):
        read_set(view, SetId(9))
