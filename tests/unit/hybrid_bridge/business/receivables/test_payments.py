import pytest

from hybrid_bridge.business.receivables.objects import debtor_totals, stored_note
from tests.unit.hybrid_bridge.business.bench import Bench, key, oid

NOTE = oid("note")


@pytest.fixture
def bench():
    bench = Bench()
    bench.asset(gross=5_000)
    bench.note(due=30)
    return bench


def state_of(bench, name="note"):
    return stored_note(bench.state, oid(name)).state


def totals(bench):
    return debtor_totals(bench.state, key("core"), "CNY")


def overdue(bench):
    bench.days(34)


def test_nothing_is_paid_before_it_is_acknowledged(bench):
    bench.do("note.pay", "core", note=NOTE, paid="1000")
    assert (state_of(bench), totals(bench)["paid"]) == ("HELD", 0)
    bench.do("note.pay_ack", "holder", note=NOTE, paid="1000")
    assert (state_of(bench), totals(bench)["paid"], totals(bench)["open"]) == ("PAID", 1_000, 0)


def test_payment_in_parts(bench):
    bench.settle("note", 300)
    assert state_of(bench) == "PART_PAID"
    act = bench.settle("note", 700)
    assert state_of(bench) == "PAID"
    assert act.events[0].state == {"state": "PAID", "face": "1000", "open": "0"}


def test_only_the_debtor_pays_and_only_who_is_owed_acknowledges(bench):
    assert bench.refused("note.pay", "holder", note=NOTE, paid="1000") == "authority"
    bench.do("note.pay", "core", note=NOTE, paid="1000")
    assert bench.refused("note.pay_ack", "core", note=NOTE, paid="1000") == "I3"


def test_the_financing_bank_is_owed(bench):
    bench.reserve("note")
    assert bench.refused("note.pay", "core", note=NOTE, paid="1000") == "I5"
    bench.finance("note")
    bench.do("note.pay", "core", note=NOTE, paid="1000")
    assert bench.refused("note.pay_ack", "holder", note=NOTE, paid="1000") == "I3"
    bench.do("note.pay_ack", "fin", note=NOTE, paid="1000")


@pytest.mark.parametrize("paid", ["0", "1001"])
def test_no_more_than_the_face_is_paid(bench, paid):
    assert bench.refused("note.pay", "core", note=NOTE, paid=paid) == "I7"


def test_two_payments_together_never_exceed_the_face(bench):
    bench.do("note.pay", "core", note=NOTE, paid="600")
    assert bench.refused("note.pay", "core", note=NOTE, paid="401") == "I7"


@pytest.mark.parametrize("paid", ["0", "501"])
def test_no_more_is_acknowledged_than_was_paid(bench, paid):
    bench.do("note.pay", "core", note=NOTE, paid="500")
    assert bench.refused("note.pay_ack", "holder", note=NOTE, paid=paid) == "I7"


def test_after_payment_nothing_moves(bench):
    bench.settle("note", 1_000)
    assert bench.refused("note.split", "holder", **bench.split_fields("note", ("a", 1_000, "x"))) == "I10"
    reserve = {"fin_key": key("fin"), "ttl_epochs": 1, "note__0": NOTE}
    assert bench.refused("fin.reserve", "holder", "fin", **reserve) == "I10"
    assert bench.refused("note.pay", "core", note=NOTE, paid="1") == "I10"
    overdue(bench)
    assert bench.refused("note.default", "holder", note=NOTE, amount="0") == "I10"


def test_a_note_whose_payment_nobody_acknowledged_does_not_move(bench):
    bench.do("note.pay", "core", note=NOTE, paid="1")
    child = bench.split_fields("note", ("child", 1_000, "next"))
    assert bench.refused("note.split", "holder", **child) == "I10"
    assert bench.refused("fin.reserve", "holder", "fin", fin_key=key("fin"), ttl_epochs=5, note__0=NOTE) == "I10"
    assert state_of(bench) == "HELD"
    bench.do("note.pay_ack", "holder", note=NOTE, paid="1")
    assert totals(bench)["paid"] == 1


def test_a_bank_that_was_perhaps_paid_hands_no_note_over(bench):
    bench.reserve("note")
    bench.finance("note")
    bench.do("note.pay", "core", note=NOTE, paid="400")
    over = {"new_fin_key": key("other"), "check_epoch": bench.epoch, "note__0": NOTE}
    assert bench.refused("fin.refinance", "fin", "other", **over) == "I10"
    bench.do("fin.release", "fin", note__0=NOTE, reason_code="REPAID")
    again = {"fin_key": key("other"), "ttl_epochs": 5, "note__0": NOTE}
    assert bench.refused("fin.reserve", "holder", "other", **again) == "I10"


def test_a_note_paid_in_part_moves_no_more(bench):
    bench.settle("note", 1)
    assert bench.refused("note.split", "holder", **bench.split_fields("note", ("a", 1_000, "x"))) == "lifecycle"


def test_default_waits_for_due_date_and_grace(bench):
    bench.days(30)
    assert bench.refused("note.default", "holder", note=NOTE, amount="1000") == "due"
    bench.days(3)
    assert bench.refused("note.default", "holder", note=NOTE, amount="1000") == "due"
    bench.days(1)
    bench.do("note.default", "holder", note=NOTE, amount="1000")
    assert state_of(bench) == "DEFAULTED"


def test_default_is_over_exactly_what_is_open(bench):
    bench.settle("note", 400)
    overdue(bench)
    for amount in ("1000", "599", "601"):
        assert bench.refused("note.default", "holder", note=NOTE, amount=amount) == "I7"
    assert bench.refused("note.default", "core", note=NOTE, amount="600") == "I3"
    bench.do("note.default", "holder", note=NOTE, amount="600")


def test_a_debtor_in_default_issues_nothing_until_it_is_cleared(bench):
    overdue(bench)
    bench.do("note.default", "holder", note=NOTE, amount="1000")
    assert bench.refused("note.issue", "core", **bench.issue_fields("new", 100)) == "I11"
    bench.settle("note", 999)
    assert state_of(bench) == "DEFAULTED"
    assert bench.refused("note.issue", "core", **bench.issue_fields("new", 100)) == "I11"
    bench.settle("note", 1)
    assert state_of(bench) == "PAID"
    bench.note("new", 100)


def test_recourse_follows_default_and_ends_paid_or_written_off(bench):
    overdue(bench)
    assert bench.refused("note.recourse", "holder", note=NOTE, amount="1000") == "lifecycle"
    assert bench.refused("note.writeoff", "holder", note=NOTE, amount="1000") == "lifecycle"
    bench.do("note.default", "holder", note=NOTE, amount="1000")
    assert bench.refused("note.writeoff", "holder", note=NOTE, amount="1000") == "lifecycle"
    assert bench.refused("note.recourse", "holder", note=NOTE, amount="999") == "I7"
    bench.do("note.recourse", "holder", note=NOTE, amount="1000")
    bench.settle("note", 250)
    assert state_of(bench) == "RECOURSE"
    assert bench.refused("note.writeoff", "holder", note=NOTE, amount="1000") == "I7"
    bench.do("note.writeoff", "holder", note=NOTE, amount="750")
    assert state_of(bench) == "WRITTEN_OFF"
    assert totals(bench) == {"issued": 1_000, "open": 0, "paid": 250, "written_off": 750, "cancelled": 0}
    assert bench.refused("note.pay", "core", note=NOTE, paid="1") == "I10"
    bench.note("new", 100)


def test_two_defaults_are_cleared_one_by_one(bench):
    bench.note("second", 500, due=30)
    overdue(bench)
    bench.do("note.default", "holder", note=NOTE, amount="1000")
    bench.do("note.default", "holder", note=oid("second"), amount="500")
    bench.settle("note", 1_000)
    assert bench.refused("note.issue", "core", **bench.issue_fields("new", 100)) == "I11"
    bench.settle("second", 500)
    bench.note("new", 100)


def test_an_unaccepted_or_unknown_note_is_not_paid(bench):
    bench.note("offer", 10, accept=False)
    assert bench.refused("note.pay", "core", note=oid("offer"), paid="10") == "I3"
    assert bench.refused("note.pay", "core", note=oid("missing"), paid="10") == "unknown"
    assert bench.refused("note.pay_ack", "holder", note=oid("missing"), paid="10") == "unknown"


def test_a_child_settles_its_root(bench):
    bench.do("note.split", "holder", **bench.split_fields("note", ("a", 400, "x"), ("b", 600, "y")))
    for child, payee in (("a", "x"), ("b", "y")):
        bench.do("note.accept", payee, note=oid(child))
    bench.settle("a", 400, "x")
    bench.settle("b", 600, "y")
    assert stored_note(bench.state, NOTE).settled == 1_000
    assert bench.refused("note.pay", "core", note=NOTE, paid="1") == "I2"
