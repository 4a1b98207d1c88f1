import pytest

from hybrid_bridge.business.policy import Powers
from hybrid_bridge.business.ruling import RulePack
from tests.unit.hybrid_bridge.business.bench import VALIDATORS, Bench, key, oid

NOTE = oid("note")


@pytest.fixture
def bench():
    bench = Bench()
    bench.asset(gross=2_000)
    bench.note()
    return bench


def order(verb="order", name="order", escrow=False, *objects):
    fields = {"order": oid(name), "reason_code": "OTHER", "escrow": escrow}
    fields |= {"until_epoch": 0} if verb == "order" else {}
    return {**fields, **{f"object__{k}": oid(o) for k, o in enumerate(objects or ("note",))}}


def test_only_court_and_regulator_freeze(bench):
    for signers in ((), ("core",), ("holder",), ("court", "regulator")):
        assert bench.refused("freeze.order", *signers, **order()) == "authority"
    for authority in ("court", "regulator"):
        bench.do("freeze.order", authority, **order(name=authority))


def test_nothing_moves_out_of_a_frozen_note(bench):
    bench.do("note.split", "holder", **bench.split_fields("note", ("a", 1_000, "holder")))
    bench.do("freeze.order", "court", **order("order", "o", False, "a"))
    assert bench.refused("note.accept", "holder", note=oid("a")) == "I8"
    assert bench.refused("note.decline", "holder", note=oid("a")) == "I8"
    bench.do("freeze.lift", "court", **order("lift", "o", False, "a") | {"reason_code": "SETTLED"})
    bench.do("note.accept", "holder", note=oid("a"))
    bench.reserve("a")
    bench.do("freeze.order", "court", **order("order", "o", False, "a"))
    frozen = {
        "note.split": (("holder",), bench.split_fields("a", ("b", 1_000, "x"))),
        "fin.finance": (("fin",), {"fin_key": key("fin"), "check_epoch": int(bench.epoch), "note__0": oid("a")}),
        "fin.release": (("fin",), {"note__0": oid("a"), "reason_code": "OTHER"}),
        "note.pay": (("core",), {"note": oid("a"), "paid": "1"}),
        "note.pay_ack": (("fin",), {"note": oid("a"), "paid": "1"}),
        "note.default": (("fin",), {"note": oid("a"), "amount": "1000"}),
        "note.recourse": (("fin",), {"note": oid("a"), "amount": "1000"}),
        "note.writeoff": (("fin",), {"note": oid("a"), "amount": "1000"}),
    }
    assert {verb: bench.refused(verb, *who, **fields) for verb, (who, fields) in frozen.items()} == dict.fromkeys(
        frozen, "I8"
    )


def test_nothing_is_issued_on_or_changed_in_a_frozen_asset(bench):
    bench.asset("other", confirm=False)
    for name in ("invoice", "other"):
        bench.do("freeze.order", "court", **order("order", "o", False, name))
    assert bench.refused("note.issue", "core", **bench.issue_fields("n2", 100)) == "I8"
    confirm = {"object": oid("other"), "gross": "1000", "ccy": "CNY", "distinct": False}
    assert bench.refused("asset.confirm", "core", **confirm) == "I8"
    assert bench.refused("asset.amend", "core", "seller", object=oid("invoice"), gross="3000") == "I8"
    assert bench.refused("asset.cancel", "core", "seller", object=oid("other")) == "I8"


def test_payment_into_escrow_is_the_exception(bench):
    bench.do("freeze.order", "court", **order(escrow=True))
    bench.settle("note", 400)
    bench.do("freeze.order", "court", **order(name="second"))
    assert bench.refused("note.pay", "core", note=NOTE, paid="1") == "I8"


def test_every_order_must_be_lifted(bench):
    for name in ("one", "two"):
        bench.do("freeze.order", "court", **order(name=name))
    lift = {"reason_code": "SETTLED"}
    bench.do("freeze.lift", "court", **order("lift", "one") | lift)
    assert bench.refused("note.split", "holder", **bench.split_fields("note", ("a", 1_000, "x"))) == "I8"
    bench.do("freeze.lift", "regulator", **order("lift", "two") | lift)
    bench.do("note.split", "holder", **bench.split_fields("note", ("a", 1_000, "x")))


def test_an_order_is_recorded_once_and_lifted_once(bench):
    lift = {"reason_code": "SETTLED"}
    assert bench.refused("freeze.lift", "court", **order("lift") | lift) == "I8"
    bench.do("freeze.order", "court", **order())
    assert bench.refused("freeze.order", "court", **order()) == "I8"
    assert bench.refused("freeze.order", "court", **order("order", "x", False, "missing")) == "unknown"


def test_a_freeze_is_a_life_event_and_a_notice(bench):
    act = bench.do("freeze.order", "court", **order("order", "o", False, "note", "invoice"))
    assert [(e.object_type, e.state["state"], e.state["below"]) for e in act.events] == [
        ("note", "FROZEN", "HELD"),
        ("asset", "FROZEN", "CONFIRMED"),
    ]
    (notice,) = act.notices
    assert (notice.notice_type, notice.source, notice.time, notice.entry_leaf) == (5, 1, bench.now, act.entry_leaf)
    act = bench.do("freeze.lift", "court", **order("lift", "o", False, "note") | {"reason_code": "SETTLED"})
    assert act.events[0].state == {"state": "HELD", "below": "HELD", "orders": 0, "until_epoch": 0}
    assert (act.notices[0].notice_type, act.notices[0].until) == (6, 0)


# ── an order that ends by itself ──


def test_a_freeze_ends_with_the_epoch_it_names(bench):
    bench.do("freeze.order", "court", **order() | {"until_epoch": bench.epoch + 1})
    bench.days(1)
    assert bench.refused("note.split", "holder", **bench.split_fields("note", ("a", 1_000, "x"))) == "I8"
    bench.days(1)
    assert bench.refused("freeze.lift", "court", **order("lift") | {"reason_code": "SETTLED"}) == "I8"
    bench.do("freeze.order", "court", **order())  # the same order, renewed
    assert bench.refused("note.split", "holder", **bench.split_fields("note", ("a", 1_000, "x"))) == "I8"
    bench.do("freeze.lift", "court", **order("lift") | {"reason_code": "SETTLED"})
    bench.do("note.split", "holder", **bench.split_fields("note", ("a", 1_000, "x")))


def test_the_life_event_and_the_notice_say_when_a_freeze_ends(bench):
    first, second = bench.epoch + 3, bench.epoch + 1
    act = bench.do("freeze.order", "court", **order() | {"until_epoch": first})
    assert (act.events[0].state["until_epoch"], act.notices[0].until) == (first, act.closes(first))
    act = bench.do("freeze.order", "court", **order(name="second") | {"until_epoch": second})
    assert (act.events[0].state["until_epoch"], act.notices[0].until) == (first, act.closes(second))
    act = bench.do("freeze.order", "court", **order(name="third"))
    assert (act.events[0].state["until_epoch"], act.notices[0].until) == (0, 0)


@pytest.mark.parametrize("until", [1, 2**53 - 1], ids=["past", "beyond every clock"])
def test_a_freeze_that_never_was_or_never_ends_by_its_own_clock_is_refused(bench, until):
    bench.days(2)
    assert bench.refused("freeze.order", "court", **order() | {"until_epoch": until}) == "freeze_until"


def test_an_escrow_order_that_ended_frees_no_other_order(bench):
    bench.do("freeze.order", "court", **order() | {"until_epoch": bench.epoch})
    bench.do("freeze.order", "court", **order(name="escrow", escrow=True))
    assert bench.refused("note.pay", "core", note=NOTE, paid="1") == "I8"
    bench.days(1)
    bench.settle("note", 400)


def test_the_policy_says_who_freezes():
    bench = Bench(RulePack(powers=Powers(freeze=("quorum", "regulator", f"key:{key('guardian')}"))))
    bench.asset(gross=2_000)
    bench.note()
    assert bench.refused("freeze.order", "court", **order()) == "authority"
    for k, signers in enumerate((("regulator",), ("guardian",), VALIDATORS[:3])):
        bench.do("freeze.order", *signers, **order(name=f"order {k}"))
