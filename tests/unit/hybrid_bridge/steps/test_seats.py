"""Whole decisions: no seat without its holder, no name with two keys, and what is taken back is taken back."""

from dataclasses import replace

import pytest

from hybrid_bridge.business.membership import newest_set, newest_update, pending_set, responsible_set, standing_of
from hybrid_bridge.core.encoding import ZERO, sha256
from hybrid_bridge.core.governance import (
    ADD,
    MEMBER,
    NODE,
    REINSTATE,
    REMOVE,
    REPLACE_CERTIFICATE,
    SUSPEND,
    MemberUpdate,
    SetUpdate,
)
from hybrid_bridge.core.keys import PrivateKey
from hybrid_bridge.core.validators import ValidatorSet, name_hash
from hybrid_bridge.testing.datasets.story import CADENCE, START
from hybrid_bridge.units import EpochNumber, SetId, TreeSize
from tests.ledger import MemoryLedger, validator_entry

NODES, BOTH = ("n1", "n2", "n3", "n4"), MEMBER | NODE
KEYS = {name: PrivateKey.from_seed(sha256(f"TEST {name}".encode())) for name in (*NODES, "n5", "n6")}
FIVE = (*NODES, "n5")


class Decisions(MemoryLedger):
    """A ledger of governance alone, in epoch 1 until `at` says otherwise."""

    def named(self, name, action=ADD, from_epoch=1, roles=BOTH, **changes):
        key = KEYS[name].public.key_id
        record = MemberUpdate(
            log_id=self.log_id,
            action=action,
            name_hash=name_hash(f"LEI:{name}", name),
            certificate_hash=validator_entry(name).certificate_hash,
            key_id=key,
            roles=0 if action == REMOVE else roles,
            from_epoch=EpochNumber(from_epoch),
            replaces=newest_update(self.state, key),
        )
        return replace(record, **changes)

    def of_five(self, name, *args, **values):
        """The same of a key of the firm n5's."""
        return self.named(name, *args, **({"roles": MEMBER, "name_hash": name_hash("LEI:n5", "n5")} | values))

    def seats(self, names, from_size, **changes):
        waiting = pending_set(self.state, self.epoch)
        old = responsible_set(self.state, self.epoch).validators
        entries = sorted(map(validator_entry, names), key=lambda entry: entry.address)
        validators = ValidatorSet(SetId(old.set_id + 1), tuple(entries))
        record = SetUpdate(
            log_id=self.log_id,
            previous_set_hash=old.digest,
            set_hash=validators.digest,
            effective_from_size=TreeSize(from_size),
            decoy_key_hash=sha256(b"K"),
            replaces=ZERO if waiting is None else waiting.record,
            validators=validators,
        )
        return replace(record, **changes)

    @property
    def epoch(self):
        return EpochNumber((self.time - START) // CADENCE + 1)

    def at(self, epoch):
        self.block(time=START + (epoch - 1) * CADENCE + 1)

    def decide(self, *records):
        """The rule that refuses the decision; "" for none."""
        sitting = [self.name_of(key) for key in responsible_set(self.state, self.epoch).keys]
        signed = self.governance(*(record.encode() for record in records), submitter=sitting[0], quorum=sitting)
        return self.block(signed).transactions[0].rule

    def name_of(self, key):
        return next(name for name, one in KEYS.items() if one.public.key_id == key)

    def sitting(self, epoch):
        return sorted(map(self.name_of, responsible_set(self.state, EpochNumber(epoch)).keys))


@pytest.fixture
def ledger():
    made = Decisions({**KEYS}, NODES)
    made.time = START + 1
    assert made.decide(*(made.named(name, roles=BOTH) for name in NODES)) == ""
    return made


@pytest.fixture
def admitted(ledger):
    """The fifth becomes a member and a validator in epoch 6."""
    assert ledger.decide(ledger.named("n5", from_epoch=6), ledger.seats(FIVE, 7)) == ""
    ledger.at(3)
    return ledger


def test_an_admission_that_is_taken_back_takes_its_seat_back(admitted):
    gone = admitted.named("n5", REMOVE, 6)
    assert admitted.decide(gone) == "seat"
    assert admitted.decide(gone, admitted.seats(FIVE, 7)) == "set"
    assert admitted.decide(gone, admitted.seats(NODES, 7)) == ""
    assert admitted.sitting(6) == admitted.sitting(99) == list(NODES)
    admitted.at(7)
    assert newest_set(admitted.state).validators.set_id == 2
    assert standing_of(admitted.state, KEYS["n5"].public.key_id, EpochNumber(9)).roles == 0


def test_a_taken_back_admission_does_not_come_again_by_its_old_consents(admitted):
    old = [admitted.named("n5", from_epoch=6, replaces=ZERO), admitted.seats(FIVE, 7, replaces=ZERO)]
    assert admitted.decide(admitted.named("n5", REMOVE, 6), admitted.seats(NODES, 8)) == ""
    assert admitted.decide(*old) == "entry"
    assert admitted.decide(*(replace(one, reason_hash=sha256(b"again")) for one in old)) == "member-replaces"
    assert admitted.decide(replace(old[1], reason_hash=sha256(b"again"))) == "set-replaces"


def test_of_two_decisions_that_replace_one_set_the_first_stands(admitted):
    first = admitted.named("n5", REMOVE, 6), admitted.seats(NODES, 7)
    second = admitted.named("n4", REMOVE, 6), admitted.seats(("n1", "n2", "n3", "n5"), 7)
    assert admitted.decide(*first) == ""
    assert admitted.decide(*second) == "set-replaces"
    assert admitted.sitting(6) == list(NODES)


def test_a_set_in_charge_is_replaced_by_nothing(admitted):
    late = admitted.named("n5", REMOVE, 6), admitted.seats(NODES, 8)
    admitted.at(6)
    assert admitted.decide(*late) == "set-replaces"
    assert admitted.decide(admitted.named("n5", REMOVE, 7), admitted.seats(NODES, 8)) == ""
    assert (admitted.sitting(6), admitted.sitting(7)) == (list(FIVE), list(NODES))


def test_a_validator_goes_with_its_seat_and_not_before_it(ledger):
    gone, without = ledger.named("n4", REMOVE, 6), ("n1", "n2", "n3")
    assert ledger.decide(gone) == "seat"
    assert ledger.decide(gone, ledger.seats(without, 8)) == "seat"  # in epoch 6 it would sit and be nobody
    assert ledger.decide(gone, ledger.seats(without, 7)) == ""


def test_a_removal_is_not_overtaken_by_a_set_that_begins_later(ledger):
    assert ledger.decide(ledger.named("n4", REMOVE, 6), ledger.seats(("n1", "n2", "n3"), 7)) == ""
    assert ledger.decide(ledger.seats(("n1", "n2", "n3"), 9)) == "seat"
    assert ledger.decide(ledger.seats(NODES, 7)) == "set"
    assert ledger.decide(ledger.seats(("n1", "n2", "n3"), 6)) == ""


def test_a_card_without_a_node_and_a_later_admission_take_no_seat_along(admitted):
    assert admitted.decide(admitted.named("n4", REPLACE_CERTIFICATE, 6, roles=MEMBER)) == "seat"
    assert admitted.decide(admitted.named("n5", from_epoch=7)) == "seat"
    assert admitted.decide(admitted.named("n5", from_epoch=7), admitted.seats(FIVE, 8)) == ""
    assert admitted.decide(admitted.named("n4", REMOVE, 20)) == "seat"  # it sits in the set that waits, too


def test_who_is_suspended_keeps_the_seat_it_has_and_gets_no_other(ledger):
    assert ledger.decide(ledger.named("n3", SUSPEND, 2)) == ""
    assert ledger.decide(ledger.named("n5", from_epoch=6), ledger.seats(FIVE, 7)) == "set"
    assert ledger.decide(ledger.named("n5", from_epoch=6), ledger.seats(("n1", "n2", "n4", "n5"), 7)) == ""
    assert ledger.decide(ledger.named("n4", SUSPEND, 5)) == "seat"
    assert ledger.decide(ledger.named("n4", SUSPEND, 5), ledger.seats(("n1", "n2", "n5"), 7)) == ""


def test_a_set_that_replaces_another_prolongs_no_suspended_vote(ledger):
    assert ledger.decide(ledger.named("n4", SUSPEND, 6), ledger.seats(("n1", "n2", "n3"), 7)) == ""
    gone = ledger.named("n3", REMOVE, 8)
    assert ledger.decide(gone, ledger.seats(("n1", "n2"), 9)) == "seat"
    ledger.at(2)
    assert ledger.decide(ledger.seats(("n1", "n2", "n3"), 8)) == "seat"
    assert ledger.decide(ledger.named("n3", REMOVE, 6), ledger.seats(("n1", "n2"), 7)) == ""
    back = ledger.named("n4", REINSTATE, 6, replaces=newest_update(ledger.state, KEYS["n4"].public.key_id))
    assert ledger.decide(back) == "member"  # it is not suspended yet


def test_a_set_that_begins_later_may_leave_out_whom_nobody_suspended(ledger):
    assert ledger.decide(ledger.seats(("n1", "n2", "n3"), 7)) == ""
    assert ledger.decide(ledger.seats(("n1", "n2"), 9)) == ""


def test_a_name_has_one_key_unless_the_first_one_goes_by_the_same_decision(ledger):
    def other(from_epoch):
        name = name_hash("LEI:n6", "n6")
        return ledger.named("n5", from_epoch=from_epoch, roles=MEMBER, name_hash=name)

    assert ledger.decide(ledger.named("n6", roles=MEMBER)) == ""
    assert ledger.decide(other(5)) == "member-name"
    assert ledger.decide(other(5), ledger.named("n6", REMOVE, 6)) == "member-name"
    assert ledger.decide(ledger.named("n6", REMOVE, 5)) == ""
    assert ledger.decide(other(4)) == "member-name"  # it is there until 5
    assert ledger.decide(other(5)) == ""
    ledger.at(6)
    back = ledger.named("n6", from_epoch=9, roles=MEMBER)
    assert ledger.decide(back) == "member-name"  # the same firm may come back, with one key
    gone = ledger.named("n5", REMOVE, 8, name_hash=name_hash("LEI:n6", "n6"))
    assert ledger.decide(back, gone) == ""


def test_founders_whom_no_record_has_named_sit_by_the_genesis_record():
    ledger = Decisions({**KEYS}, NODES)
    ledger.time = START + 1
    assert ledger.decide(ledger.seats(FIVE, 5)) == "set"  # nobody knows the fifth's certificate
    assert ledger.decide(ledger.seats(("n1", "n2", "n3"), 5)) == ""
    ledger.at(5)
    assert ledger.decide(ledger.seats(NODES, 8)) == "set"  # not named, and it sits no more
    assert ledger.decide(ledger.seats(("n1", "n2"), 8)) == ""


def test_who_is_suspended_comes_in_by_no_other_key(ledger):
    assert ledger.decide(ledger.named("n6", roles=MEMBER), ledger.named("n6", SUSPEND, 4, roles=MEMBER)) != ""
    assert ledger.decide(ledger.named("n6", roles=MEMBER)) == ""
    assert ledger.decide(ledger.named("n6", SUSPEND, 2, roles=MEMBER)) == ""
    second = ledger.named("n5", from_epoch=9, roles=MEMBER, name_hash=name_hash("LEI:n6", "n6"))
    assert ledger.decide(second) == "member-name"


def test_members_without_a_name_are_as_many_as_there_are(ledger):
    assert ledger.decide(*(ledger.named(name, roles=MEMBER, name_hash=ZERO) for name in ("n5", "n6"))) == ""


def test_both_keys_change_in_one_decision(ledger):
    """A new identity key: added, and the old one removed at the same epoch."""
    assert ledger.decide(ledger.named("n6", roles=MEMBER)) == ""
    name = name_hash("LEI:n6", "n6")
    new = ledger.named("n5", from_epoch=4, roles=MEMBER, name_hash=name)
    assert ledger.decide(new, ledger.named("n6", REMOVE, 4)) == ""


# ── a name, whatever of it a decision touches ──


@pytest.fixture
def rotating(ledger):
    """The firm n5 gets another identity key, n6's, in epoch 6."""
    assert ledger.decide(ledger.named("n5", roles=MEMBER)) == ""
    assert ledger.decide(ledger.of_five("n6", from_epoch=6), ledger.named("n5", REMOVE, 6)) == ""
    return ledger


def standings(ledger, epoch):
    return [standing_of(ledger.state, KEYS[name].public.key_id, EpochNumber(epoch)).roles for name in ("n5", "n6")]


def test_while_a_rotation_waits_the_old_key_is_neither_suspended_nor_kept_beside_the_new_one(rotating):
    assert rotating.decide(rotating.named("n5", SUSPEND, 6, roles=MEMBER)) == "member-name"
    assert rotating.decide(rotating.named("n5", REMOVE, 50)) == "member-name"
    assert rotating.decide(rotating.named("n5", REMOVE, 5)) == ""  # a gap is no second key
    assert standings(rotating, 5) == [0, 0]
    assert standings(rotating, 6) == [0, MEMBER]


def test_a_rotation_that_is_taken_back_leaves_the_old_key_to_be_suspended_and_reinstated(rotating):
    back = rotating.of_five("n6", REMOVE, 6)
    assert rotating.decide(rotating.named("n5", SUSPEND, 6, roles=MEMBER), back) == ""
    rotating.at(7)
    assert rotating.decide(rotating.of_five("n6", from_epoch=8)) == "member-name"
    assert rotating.decide(rotating.named("n5", REINSTATE, 8, roles=MEMBER)) == ""
    assert standings(rotating, 9) == [MEMBER, 0]


def test_an_addition_alone_gives_a_name(ledger):
    """No new card takes another firm's, and who goes is called what it was called."""
    assert ledger.decide(ledger.named("n5", roles=MEMBER)) == ""
    assert ledger.decide(ledger.of_five("n1", REPLACE_CERTIFICATE, 2, roles=BOTH)) == "member-name"
    for action in (REMOVE, SUSPEND, REPLACE_CERTIFICATE):
        other = ledger.named("n5", action, 4, roles=MEMBER, name_hash=name_hash("LEI:n6", "n6"))
        assert ledger.decide(other) == "member-name"


def test_who_is_added_under_another_name_before_it_comes_leaves_the_first_to_others(ledger):
    assert ledger.decide(ledger.of_five("n6", from_epoch=6)) == ""
    assert ledger.decide(ledger.named("n5", from_epoch=6, roles=MEMBER)) == "member-name"
    assert ledger.decide(ledger.named("n6", from_epoch=6, roles=MEMBER)) == ""
    assert ledger.decide(ledger.named("n5", from_epoch=6, roles=MEMBER)) == ""
