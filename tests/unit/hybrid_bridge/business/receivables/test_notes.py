import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_bridge.business.receivables.objects import debtor_totals, open_note, stored_asset, stored_note
from hybrid_bridge.business.ruling import RulePack
from hybrid_bridge.core.ledger_state import Overlay
from tests.unit.hybrid_bridge.business.bench import Bench, key, oid


@pytest.fixture
def bench():
    bench = Bench()
    bench.asset()
    return bench


def note_of(bench, name="note"):
    return stored_note(bench.state, oid(name))


def state_of(bench, name="note"):
    return open_note(Overlay(bench.state), oid(name), bench.epoch).state


# ── issue ──


def test_an_issued_note_is_offered_and_its_asset_allotted(bench):
    act = bench.do("note.issue", "core", **bench.issue_fields(face=700))
    assert state_of(bench) == "OFFERED"
    assert stored_asset(bench.state, oid("invoice")).allotted == 700
    assert [(e.object_type, e.version) for e in act.events] == [("asset", 2), ("note", 0)]
    assert act.events[1].state == {"state": "OFFERED", "face": "700", "open": "700"}


def test_a_note_that_its_debtor_did_not_sign_is_refused(bench):
    for signers in ((), ("seller",), ("core", "seller")):
        assert bench.refused("note.issue", *signers, **bench.issue_fields()) == "I1"


def test_a_debtor_that_is_no_member_issues_nothing(bench):
    fields = bench.issue_fields() | {"debtor": key("nobody")}
    assert bench.refused("note.issue", "nobody", **fields) == "admission"


def test_a_note_stands_on_confirmed_invoices_of_its_debtor_and_currency(bench):
    bench.asset("unconfirmed", confirm=False)
    assert bench.refused("note.issue", "core", **bench.issue_fields(back=[("unconfirmed", 1_000)])) == "lifecycle"
    assert bench.refused("note.issue", "core", **bench.issue_fields(back=[("missing", 1_000)])) == "unknown"
    assert bench.refused("note.issue", "core", **bench.issue_fields() | {"ccy": "USD"}) == "I4"
    bench.asset("of another", debtor="bank")
    assert bench.refused("note.issue", "core", **bench.issue_fields(back=[("of another", 1_000)])) == "I4"


def test_one_invoice_is_never_issued_twice(bench):
    bench.note("one", 600)
    assert bench.refused("note.issue", "core", **bench.issue_fields("two", 401)) == "I4"
    bench.note("two", 400)
    assert bench.refused("note.issue", "core", **bench.issue_fields("three", 1)) == "I4"


def test_offers_that_wait_on_one_invoice_are_bounded(bench):
    for k in range(32):
        bench.note(f"offer {k}", 1, accept=False)
    assert bench.refused("note.issue", "core", **bench.issue_fields("one more", 1)) == "I4"
    bench.do("note.accept", "holder", note=oid("offer 0"))
    bench.note("one more", 1)


def test_allotments_add_up_to_the_face(bench):
    bench.asset("second", 500)
    back = [("invoice", 600), ("second", 300)]
    assert bench.refused("note.issue", "core", **bench.issue_fields(face=901, back=back)) == "I4"
    assert bench.refused("note.issue", "core", **bench.issue_fields(face=899, back=back)) == "I4"
    bench.note(face=900, back=back)


def test_an_invoice_backs_a_note_once_and_with_something(bench):
    twice = [("invoice", 300), ("invoice", 300)]
    assert bench.refused("note.issue", "core", **bench.issue_fields(face=600, back=twice)) == "I4"
    bench.asset("second", 500)
    nothing = [("invoice", 600), ("second", 0)]
    assert bench.refused("note.issue", "core", **bench.issue_fields(face=600, back=nothing)) == "I4"


def test_a_note_id_is_used_once(bench):
    bench.note(face=100)
    assert bench.refused("note.issue", "core", **bench.issue_fields(face=100)) == "exists"


def test_a_tenor_is_at_most_twelve_calendar_months(bench):
    fields = bench.issue_fields()
    assert bench.refused("note.issue", "core", **fields | {"due_date": "2027-01-06"}) == "I6"
    assert bench.refused("note.issue", "core", **fields | {"due_date": fields["issue_date"]}) == "I6"
    assert bench.refused("note.issue", "core", **fields | {"due_date": "2026-01-04"}) == "I6"
    bench.do("note.issue", "core", **fields | {"due_date": "2027-01-05"})


def test_a_note_is_issued_on_the_day_of_its_event(bench):
    for away in (-1, 1):
        assert bench.refused("note.issue", "core", **bench.issue_fields(issued=away)) == "I9"


@pytest.mark.parametrize("away", [-86_401, 121])
def test_events_are_dated_within_a_day_back_and_two_minutes_ahead(bench, away):
    assert bench.refused("note.issue", "core", **bench.issue_fields(), event_time=bench.now + away) == "I9"


# ── accept, decline, lapse ──


def test_only_the_payee_accepts_or_declines(bench):
    bench.note(accept=False)
    for verb in ("note.accept", "note.decline"):
        assert bench.refused(verb, "thief", note=oid("note")) == "I3"
    bench.do("note.accept", "holder", note=oid("note"))
    assert state_of(bench) == "HELD"
    for verb in ("note.accept", "note.decline"):
        assert bench.refused(verb, "holder", note=oid("note")) == "lifecycle"
    assert bench.refused("note.accept", "holder", note=oid("missing")) == "unknown"


def test_a_declined_root_note_gives_its_allotment_back(bench):
    bench.note(accept=False)
    act = bench.do("note.decline", "holder", note=oid("note"))
    assert state_of(bench) == "CANCELLED"
    assert [(e.object_type, e.state["state"]) for e in act.events] == [("note", "CANCELLED"), ("asset", "CONFIRMED")]
    assert debtor_totals(bench.state, key("core"), "CNY")["cancelled"] == 1_000
    bench.note("again")


def test_an_offer_nobody_answers_lapses_without_an_event(bench):
    bench.note(accept=False)
    bench.days(bench.pack.offer_ttl)
    assert state_of(bench) == "OFFERED"
    bench.days(1)
    assert state_of(bench) == "CANCELLED"
    assert bench.refused("note.accept", "holder", note=oid("note")) == "lifecycle"
    act = bench.do("note.issue", "core", **bench.issue_fields("again"))
    assert state_of(bench) == "CANCELLED"
    assert {event.object_id for event in act.events} == {oid("again"), oid("invoice")}


def test_a_lapsed_child_goes_back_to_its_giver(bench):
    bench.note()
    bench.do("note.split", "holder", **bench.split_fields("note", ("child", 1_000, "next")))
    bench.days(bench.pack.offer_ttl + 1)
    assert state_of(bench, "child") == "HELD"
    assert bench.refused("note.split", "next", **bench.split_fields("child", ("x", 1_000, "y"))) == "I3"
    bench.do("note.split", "holder", **bench.split_fields("child", ("x", 1_000, "y")))


def test_a_declined_child_goes_back_to_its_giver(bench):
    bench.note()
    bench.do("note.split", "holder", **bench.split_fields("note", ("child", 1_000, "next")))
    act = bench.do("note.decline", "next", note=oid("child"))
    assert [event.state["state"] for event in act.events] == ["HELD"]
    assert note_of(bench, "child").holder == key("holder")


# ── split ──


def test_children_carry_the_face_on_and_inherit(bench):
    bench.note()
    act = bench.do("note.split", "holder", **bench.split_fields("note", ("a", 300, "x"), ("b", 700, "y")))
    assert [(e.object_id, e.version, e.state["state"]) for e in act.events] == [
        (oid("note"), 2, "SPENT"),
        (oid("a"), 0, "OFFERED"),
        (oid("b"), 0, "OFFERED"),
    ]
    parent, child = note_of(bench), note_of(bench, "a")
    assert (child.debtor, child.ccy, child.due_date, child.root) == (
        parent.debtor,
        parent.ccy,
        parent.due_date,
        parent.note_id,
    )
    assert child.depth == 1


@pytest.mark.parametrize("faces", [(300, 701), (300, 699), (1_000, 0), (1_001,), (999,), (500, 500, 1)])
def test_children_off_by_one_minor_unit_are_refused(bench, faces):
    bench.note()
    children = [(f"c{k}", face, "x") for k, face in enumerate(faces)]
    assert bench.refused("note.split", "holder", **bench.split_fields("note", *children)) == "I2"


def test_a_parent_is_spent_once(bench):
    bench.note()
    bench.do("note.split", "holder", **bench.split_fields("note", ("a", 1_000, "x")))
    assert bench.refused("note.split", "holder", **bench.split_fields("note", ("b", 1_000, "x"))) == "I2"
    reserve = {"fin_key": key("fin"), "ttl_epochs": 1, "note__0": oid("note")}
    assert bench.refused("fin.reserve", "holder", "fin", **reserve) == "I2"


def test_only_the_holder_splits_and_only_after_accepting(bench):
    bench.note(accept=False)
    assert bench.refused("note.split", "holder", **bench.split_fields("note", ("a", 1_000, "x"))) == "I3"
    bench.do("note.accept", "holder", note=oid("note"))
    assert bench.refused("note.split", "thief", **bench.split_fields("note", ("a", 1_000, "x"))) == "I3"


def test_a_child_never_takes_an_id_that_is_used(bench):
    bench.note()
    for children in ((("note", 1_000, "x"),), (("a", 500, "x"), ("a", 500, "x")), (("invoice", 1_000, "x"),)):
        assert bench.refused("note.split", "holder", **bench.split_fields("note", *children)) == "exists"


def test_nothing_is_split_after_its_due_date(bench):
    bench.note(due=10)
    bench.days(11)
    assert bench.refused("note.split", "holder", **bench.split_fields("note", ("a", 1_000, "x"))) == "due"


def test_splits_are_bounded_in_breadth_and_depth():
    bench = Bench(RulePack(split_children=3, split_depth=2))
    bench.asset()
    bench.note()
    wide = [(f"w{k}", 250, "x") for k in range(4)]
    assert bench.refused("note.split", "holder", **bench.split_fields("note", *wide)) == "I2"
    name = "note"
    for child in ("d1", "d2"):
        bench.do("note.split", "holder", **bench.split_fields(name, (child, 1_000, "holder")))
        bench.do("note.accept", "holder", note=oid(child))
        name = child
    assert bench.refused("note.split", "holder", **bench.split_fields(name, ("d3", 1_000, "holder"))) == "I2"


def test_fifty_children_that_add_up_are_taken(bench):
    bench.note()
    children = [(f"c{k}", 20, "x") for k in range(50)]
    act = bench.do("note.split", "holder", **bench.split_fields("note", *children))
    assert len(act.events) == 51


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 400), min_size=1, max_size=8), st.integers(-1, 1), st.data())
def test_a_split_stands_exactly_when_it_conserves(faces, off, data):
    bench = Bench()
    bench.asset(gross=sum(faces))
    bench.note(face=sum(faces))
    k = data.draw(st.integers(0, len(faces) - 1))
    changed = [face + (off if i == k else 0) for i, face in enumerate(faces)]
    fields = bench.split_fields("note", *((f"c{i}", face, "x") for i, face in enumerate(changed)))
    assert bench.refused("note.split", "holder", **fields) == (None if off == 0 else "I2")


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_value_is_conserved_through_any_tree_of_splits(data):
    """Random split trees, double spends on the way: what is held always adds up to what was issued."""
    bench = Bench()
    bench.asset(gross=10_000)
    bench.note(face=10_000)
    held, spent, count = {"note": 10_000}, [], 0
    for _ in range(data.draw(st.integers(1, 6))):
        name = data.draw(st.sampled_from(sorted(held)))
        face = held.pop(name)
        spent.append(name)
        cuts = sorted(data.draw(st.lists(st.integers(1, face - 1), max_size=3, unique=True))) if face > 1 else []
        faces = [b - a for a, b in zip([0, *cuts], [*cuts, face], strict=True)]
        children = [(f"n{count + i}", part, "holder") for i, part in enumerate(faces)]
        count += len(faces)
        bench.do("note.split", "holder", **bench.split_fields(name, *children))
        for child, part, _ in children:
            bench.do("note.accept", "holder", note=oid(child))
            held[child] = part
        again = data.draw(st.sampled_from(spent))
        assert bench.refused("note.split", "holder", **bench.split_fields(again, ("x", 1, "y"))) == "I2"
    assert sum(stored_note(bench.state, oid(name)).face for name in held) == 10_000
    totals = debtor_totals(bench.state, key("core"), "CNY")
    assert totals["open"] == sum(stored_note(bench.state, oid(name)).open for name in held) == 10_000
