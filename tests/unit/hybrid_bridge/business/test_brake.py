import pytest

from hybrid_bridge.business.brake import MAX_ALONE, MAX_BRAKES, Braked, brake_until, brakes
from hybrid_bridge.business.membership import Standing, put_standing
from hybrid_bridge.business.policy import Powers
from hybrid_bridge.business.ruling import RulePack
from hybrid_bridge.core.encoding import canonical_json, sha256
from hybrid_bridge.core.governance import REGULATOR
from hybrid_bridge.core.ledger_state import Overlay
from hybrid_bridge.errors import FieldMalformed, RuleRejected
from tests.unit.hybrid_bridge.business.bench import VALIDATORS, Bench, key, oid, raw_key

QUORUM = VALIDATORS[:3]
ISSUE, SPLIT = "TYPE:0x0105", "TYPE:0x0108"


def traded(**powers):
    bench = Bench(RulePack(powers=Powers(**powers)))
    bench.asset(gross=2_000)
    bench.note()
    return bench


@pytest.fixture
def bench():
    return traded()


def brake(bench, ahead=0, scope="ALL", reason="LEGAL_ORDER"):
    return {"scope": scope, "reason_code": reason, "until_epoch": bench.epoch + ahead}


def release(scope="ALL"):
    return {"scope": scope, "reason_code": "RESOLVED"}


def split(name="a"):
    return Bench.split_fields("note", (name, 1_000, "x"))


def refusal(bench, schema, *authorisers, **fields):
    with pytest.raises(RuleRejected) as caught:
        bench.do(schema, *authorisers, **fields)
    return caught.value.rule, caught.value.subject


def test_only_a_quorum_of_validators_brakes(bench):
    for signers in (VALIDATORS[:2], (*QUORUM, "core"), ("core",)):
        assert bench.refused("brake.on", *signers, **brake(bench)) == "authority"
        assert bench.refused("brake.off", *signers, **release()) == "authority"
    bench.do("brake.on", *QUORUM, **brake(bench))
    assert brake_until(bench.state) == bench.epoch


def test_the_brake_stops_all_but_freezes_and_acknowledgements(bench):
    bench.do("note.pay", "core", note=oid("note"), paid="1000")
    bench.do("brake.on", *QUORUM, **brake(bench, 2))
    register = {"object": oid("x"), "debtor": key("core"), "ccy": "CNY", "gross": "1", "creditor_key": key("s")}
    assert refusal(bench, "asset.register", "s", **register) == ("brake", "ALL")
    assert bench.refused("note.split", "holder", **split()) == "brake"
    freeze = {"order": oid("o"), "reason_code": "OTHER", "escrow": True, "object__0": oid("note")}
    bench.do("freeze.order", "court", **freeze, until_epoch=0)
    bench.do("note.pay_ack", "holder", note=oid("note"), paid="1000")
    bench.do("freeze.lift", "court", **freeze | {"reason_code": "OTHER"})


def test_the_brake_expires_by_itself(bench):
    bench.do("brake.on", *QUORUM, **brake(bench, 1))
    bench.days(1)
    assert bench.refused("note.pay", "core", note=oid("note"), paid="1") == "brake"
    bench.days(1)
    assert brake_until(bench.state) < bench.epoch
    bench.do("note.pay", "core", note=oid("note"), paid="1")
    assert bench.refused("brake.off", *QUORUM, **release()) == "unknown"


def test_the_brake_is_taken_off(bench):
    bench.do("brake.on", *QUORUM, **brake(bench, 5))
    bench.do("brake.off", *QUORUM, **release())
    assert brake_until(bench.state) == 0
    bench.do("note.pay", "core", note=oid("note"), paid="1")
    assert bench.refused("brake.off", *QUORUM, **release()) == "unknown"


@pytest.mark.parametrize("ahead", [-1, 25])
def test_the_brake_has_a_longest_time(bench, ahead):
    bench.days(2)
    assert bench.refused("brake.on", *QUORUM, **brake(bench, ahead)) == "brake_max"


def test_a_type_that_only_validators_make_is_nobodys_to_submit(bench):
    totals = dict.fromkeys(("issued", "open", "paid", "written_off", "cancelled"), "0")
    assert bench.refused("debtor.totals", debtor=key("core"), period=1, ccy="CNY", **totals) == "authority"


def test_the_notices_say_what_was_stopped_by_whom_why_and_until_when(bench):
    until = bench.epoch + 5
    act = bench.do("brake.on", *QUORUM, **brake(bench, 5, SPLIT))
    (notice,) = act.notices
    assert (notice.notice_type, notice.source, notice.entry_leaf) == (1, 1, act.entry_leaf)
    assert (notice.time, notice.until) == (bench.now, act.closes(until))
    detail = {"by": "quorum", "reason_code": "LEGAL_ORDER", "until_epoch": until}
    assert (notice.subject_hash, notice.detail_hash) == tuple(sha256(canonical_json(v)) for v in (SPLIT, detail))
    (notice,) = bench.do("brake.off", *QUORUM, **release(SPLIT)).notices
    detail = {"by": "quorum", "reason_code": "RESOLVED"}
    assert (notice.notice_type, notice.until) == (2, 0)
    assert (notice.subject_hash, notice.detail_hash) == tuple(sha256(canonical_json(v)) for v in (SPLIT, detail))


# ── scopes ──


def test_a_brake_on_one_type_leaves_the_others_alone(bench):
    bench.do("brake.on", *QUORUM, **brake(bench, 1, SPLIT))
    assert refusal(bench, "note.split", "holder", **split()) == ("brake", SPLIT)
    bench.do("note.issue", "core", **bench.issue_fields("other", 100))
    bench.do("brake.on", *QUORUM, **brake(bench, 3, ISSUE))
    assert [(b.scope, b.until) for b in brakes(bench.state)] == [(ISSUE, bench.epoch + 3), (SPLIT, bench.epoch + 1)]
    assert brake_until(bench.state) == bench.epoch + 3
    bench.do("brake.off", *QUORUM, **release(ISSUE))
    assert brake_until(bench.state) == bench.epoch + 1
    assert bench.refused("note.split", "holder", **split()) == "brake"
    bench.do("note.issue", "core", **bench.issue_fields("third", 100))


def test_a_brake_on_one_member_stops_what_it_submits_and_what_its_identity_key_authorises(bench):
    scope = f"MEMBER:{key('core')}"
    bench.do("brake.on", *QUORUM, **brake(bench, 1, scope))
    assert refusal(bench, "note.split", "holder", **split()) == ("brake", scope)
    assert refusal(bench, "note.pay", "core", note=oid("note"), paid="1", submitter="bank") == ("brake", scope)
    bench.do("note.split", "holder", **split(), submitter="bank")


def test_a_member_under_the_brake_still_acknowledges_what_it_was_paid(bench):
    bench.do("note.pay", "core", note=oid("note"), paid="1000")
    bench.do("brake.on", *QUORUM, **brake(bench, 1, f"MEMBER:{key('holder')}"))
    assert bench.refused("note.default", "holder", note=oid("note"), amount="1000") == "brake"
    bench.do("note.pay_ack", "holder", note=oid("note"), paid="1000", submitter="holder")


@pytest.mark.parametrize("kind", ["0x0011", "0x0012", "0x0013", "0x0014", "0x010e"])
def test_what_no_brake_stops_cannot_be_braked_by_its_type_either(bench, kind):
    assert refusal(bench, "brake.on", *QUORUM, **brake(bench, 1, f"TYPE:{kind}")) == ("scope", f"TYPE:{kind}")


@pytest.mark.parametrize(
    "scope", ["", "all", "TYPE:0105", "TYPE:0x105", "TYPE:0x010A", "MEMBER:core", "MEMBER:" + "A" * 44, "OBJECT:1"]
)
def test_a_scope_has_one_spelling(bench, scope):
    with pytest.raises(FieldMalformed) as caught:
        bench.do("brake.on", *QUORUM, **brake(bench, 1, scope))
    assert caught.value.field == "scope"


def test_again_on_the_same_scope_is_another_end(bench):
    bench.do("brake.on", *QUORUM, **brake(bench, 9))
    bench.do("brake.on", *QUORUM, **brake(bench, 1))
    assert brake_until(bench.state) == bench.epoch + 1


def test_only_so_many_scopes_are_remembered_and_those_that_ended_make_room(bench):
    for number in range(MAX_BRAKES):
        bench.do("brake.on", *QUORUM, **brake(bench, 1, f"TYPE:0x{0x4000 + number:04x}"))
    assert refusal(bench, "brake.on", *QUORUM, **brake(bench, 1)) == ("brakes", "64")
    bench.do("brake.on", *QUORUM, **brake(bench, 1, "TYPE:0x4000"))
    bench.days(2)
    bench.do("brake.on", *QUORUM, **brake(bench, 1))
    assert [b.scope for b in brakes(bench.state)] == ["ALL"]


# ── one holder alone ──


def guarded():
    """A named guardian may stop a type, a regulator a member, a court nothing; three epochs at a time."""
    return traded(
        brake_type=("quorum", f"key:{key('guardian')}"), brake_member=("regulator",), brake_all=("quorum",), alone_max=3
    )


def test_each_power_has_the_holders_that_the_policy_names():
    bench = guarded()
    member = f"MEMBER:{key('bank')}"
    for signers, scope in (
        (("guardian",), "ALL"),
        (("guardian",), member),
        (("regulator",), SPLIT),
        (("court",), member),
        (QUORUM, member),
        (("guardian", "regulator"), SPLIT),
    ):
        assert refusal(bench, "brake.on", *signers, **brake(bench, 1, scope)) == ("authority", scope)
    bench.do("brake.on", "guardian", **brake(bench, 1, SPLIT))
    bench.do("brake.on", "regulator", **brake(bench, 1, member))
    assert [b.by for b in brakes(bench.state)] == [key("regulator"), key("guardian")]


def test_whose_role_was_taken_away_pulls_and_takes_off_nothing_and_what_it_stopped_ends_by_itself():
    bench = guarded()
    member, court = f"MEMBER:{key('bank')}", f"MEMBER:{key('court')}"
    bench.do("brake.on", "regulator", **brake(bench, 1, member))
    gone = Overlay(bench.state)
    put_standing(gone, raw_key("regulator"), Standing(0, REGULATOR), bench.epoch, Standing(REGULATOR))  # suspended
    bench.take(gone)
    assert refusal(bench, "brake.on", "regulator", **brake(bench, 1, court)) == ("authority", court)
    assert refusal(bench, "brake.off", "regulator", **release(member)) == ("authority", member)
    assert [one.scope for one in brakes(bench.state) if one.is_on(bench.epoch)] == [member]
    bench.days(2)
    assert [one.scope for one in brakes(bench.state) if one.is_on(bench.epoch)] == []


def test_who_acts_alone_brakes_for_a_short_time_and_at_most_half_of_the_time():
    bench = guarded()
    assert bench.refused("brake.on", "guardian", **brake(bench, 3, SPLIT)) == "brake_max"
    bench.do("brake.on", "guardian", **brake(bench, 2, SPLIT))
    for _ in range(6):  # three epochs on, three off
        assert bench.refused("brake.on", "guardian", **brake(bench, 2, SPLIT)) == "brake_again"
        bench.days(1)
    bench.do("brake.on", "guardian", **brake(bench, 2, SPLIT))


def test_taking_it_off_early_is_no_way_round_the_pause():
    bench = guarded()
    bench.do("brake.on", "guardian", **brake(bench, 2, SPLIT))
    bench.do("brake.off", "guardian", **release(SPLIT))
    for _ in range(4):
        assert bench.refused("brake.on", "guardian", **brake(bench, 2, SPLIT)) == "brake_again"
        bench.days(1)
    bench.do("brake.on", "guardian", **brake(bench, 2, SPLIT))


def test_who_acts_alone_never_undoes_what_the_quorum_did_and_the_quorum_undoes_everything():
    bench = guarded()
    bench.do("brake.on", *QUORUM, **brake(bench, 1, SPLIT))
    assert bench.refused("brake.off", "guardian", **release(SPLIT)) == "authority"
    assert bench.refused("brake.on", "guardian", **brake(bench, 2, SPLIT)) == "authority"
    bench.do("brake.on", "guardian", **brake(bench, 2, ISSUE))
    bench.do("brake.off", *QUORUM, **release(ISSUE))
    bench.do("note.issue", "core", **bench.issue_fields("other", 100))
    assert bench.refused("brake.on", "guardian", **brake(bench, 2, ISSUE)) == "brake_again"


def test_the_quorum_lengthens_what_one_began_and_he_still_has_to_pause():
    bench = guarded()
    bench.do("brake.on", "guardian", **brake(bench, 2, SPLIT))
    bench.do("brake.on", *QUORUM, **brake(bench, 3, SPLIT))
    assert list(brakes(bench.state)) == [Braked(SPLIT, bench.epoch + 3, "quorum", {key("guardian"): bench.epoch + 2})]
    bench.days(4)
    assert bench.refused("brake.on", "guardian", **brake(bench, 2, SPLIT)) == "brake_again"


def test_a_policy_with_no_time_for_one_alone_has_no_guardian():
    bench = traded(brake_all=(f"key:{key('guardian')}",), alone_max=0)
    assert bench.refused("brake.on", "guardian", **brake(bench)) == "brake_max"


def test_one_alone_leaves_room_for_the_quorum():
    """Else a guardian could fill the memory with scopes of no use, and nobody could brake where it matters."""
    bench = guarded()
    for number in range(MAX_ALONE):
        bench.do("brake.on", "guardian", **brake(bench, 2, f"TYPE:0x{0x4000 + number:04x}"))
    assert refusal(bench, "brake.on", "guardian", **brake(bench, 2, SPLIT)) == ("brakes", str(MAX_ALONE))
    bench.do("brake.on", *QUORUM, **brake(bench, 2, SPLIT))


# ── several who act alone ──


def watched():
    """Two guardians, who may stop types; three epochs at a time."""
    guardians = (f"key:{key('guardian')}", f"key:{key('other')}")
    return traded(brake_type=("quorum", *guardians), alone_max=3)


def test_what_one_alone_did_to_a_scope_uses_up_nobody_elses_time():
    bench = watched()
    for _ in range(2):
        bench.do("brake.on", "guardian", **brake(bench, 0, SPLIT))
        bench.do("brake.off", "guardian", **release(SPLIT))
        assert bench.refused("brake.on", "guardian", **brake(bench, 0, SPLIT)) == "brake_again"
        bench.do("brake.on", "other", **brake(bench, 2, SPLIT))
        assert bench.refused("note.split", "holder", **split()) == "brake"
        bench.do("brake.off", *QUORUM, **release(SPLIT))
        for _ in range(4):  # both wait, each for its own
            assert bench.refused("brake.on", "guardian", **brake(bench, 0, SPLIT)) == "brake_again"
            assert bench.refused("brake.on", "other", **brake(bench, 0, SPLIT)) == "brake_again"
            bench.days(1)


def test_each_waits_from_its_own_last_epoch_on():
    bench = watched()
    bench.do("brake.on", "guardian", **brake(bench, 0, SPLIT))
    bench.days(1)
    bench.do("brake.on", "other", **brake(bench, 0, SPLIT))
    bench.days(3)
    bench.do("brake.on", "guardian", **brake(bench, 0, SPLIT))
    bench.do("brake.off", "guardian", **release(SPLIT))
    assert bench.refused("brake.on", "other", **brake(bench, 0, SPLIT)) == "brake_again"
    bench.days(1)
    bench.do("brake.on", "other", **brake(bench, 0, SPLIT))


def test_a_brake_that_is_on_is_nobody_elses_alone_to_pull_again_or_to_take_off():
    bench = watched()
    bench.do("brake.on", "guardian", **brake(bench, 1, SPLIT))
    assert bench.refused("brake.on", "other", **brake(bench, 2, SPLIT)) == "brake_again"
    assert bench.refused("brake.off", "other", **release(SPLIT)) == "authority"
    bench.days(2)
    bench.do("brake.on", "other", **brake(bench, 2, SPLIT))


def test_one_alone_who_fills_its_room_leaves_the_others_theirs():
    bench = watched()
    for number in range(MAX_ALONE):
        bench.do("brake.on", "guardian", **brake(bench, 0, f"TYPE:0x{0x4000 + number:04x}"))
    assert refusal(bench, "brake.on", "guardian", **brake(bench, 2, SPLIT)) == ("brakes", str(MAX_ALONE))
    for number in range(MAX_ALONE):
        bench.do("brake.on", "other", **brake(bench, 0, f"TYPE:0x{0x5000 + number:04x}"))
    for number in range(MAX_BRAKES):
        bench.do("brake.on", *QUORUM, **brake(bench, 1, f"TYPE:0x{0x6000 + number:04x}"))
    assert refusal(bench, "brake.on", *QUORUM, **brake(bench, 1)) == ("brakes", str(MAX_BRAKES))


def test_a_scope_that_one_alone_waits_for_takes_no_room_from_the_quorum_and_is_forgotten_in_its_time():
    bench = watched()
    bench.do("brake.on", "guardian", **brake(bench, 0, SPLIT))
    bench.days(3)
    bench.do("brake.on", "other", **brake(bench, 0, ISSUE))
    assert [(one.scope, dict(one.alone)) for one in brakes(bench.state)] == [
        (ISSUE, {key("other"): bench.epoch}),
        (SPLIT, {key("guardian"): bench.epoch - 3}),
    ]
    bench.days(1)
    bench.do("brake.on", *QUORUM, **brake(bench, 0))
    assert [one.scope for one in brakes(bench.state)] == ["ALL", ISSUE]
