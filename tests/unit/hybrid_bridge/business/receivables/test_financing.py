import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_bridge.business.receivables.objects import open_note, stored_note
from hybrid_bridge.core.ledger_state import Overlay
from tests.unit.hybrid_bridge.business.bench import Bench, key, oid


@pytest.fixture
def bench():
    bench = Bench()
    bench.asset()
    bench.note()
    return bench


def note_of(bench, name="note"):
    return open_note(Overlay(bench.state), oid(name), bench.epoch)


def reserve(fin="fin", ttl=5, note="note"):
    return {"fin_key": key(fin), "ttl_epochs": ttl, "note__0": oid(note)}


def finance(bench, fin="fin", age=0, note="note"):
    return {"fin_key": key(fin), "check_epoch": bench.epoch - age, "note__0": oid(note)}


def test_a_reservation_needs_the_holder_and_the_bank(bench):
    for signers in (("fin",), ("holder",), ("thief", "fin"), ("holder", "fin", "thief")):
        assert bench.refused("fin.reserve", *signers, **reserve()) == "I3"
    act = bench.do("fin.reserve", "holder", "fin", **reserve())
    assert note_of(bench).state == "RESERVED"
    assert [event.code for event in act.events] == ["0x0109"]


def test_two_banks_never_hold_one_note(bench):
    bench.reserve("note")
    assert bench.refused("fin.reserve", "holder", "other", **reserve("other")) == "I5"
    assert bench.refused("fin.finance", "other", **finance(bench, "other")) == "I5"
    bench.finance("note")
    assert bench.refused("fin.reserve", "holder", "other", **reserve("other")) == "I5"
    assert bench.refused("fin.finance", "other", **finance(bench, "other")) == "I5"
    assert bench.refused("fin.finance", "fin", **finance(bench)) == "I5"


@pytest.mark.parametrize("ttl", [0, 25])
def test_a_reservation_lasts_one_to_so_many_epochs(bench, ttl):
    assert bench.refused("fin.reserve", "holder", "fin", **reserve(ttl=ttl)) == "I5"


def test_a_reservation_lapses_by_the_epoch_alone(bench):
    bench.reserve("note", ttl=2)
    bench.days(2)
    assert note_of(bench).state == "RESERVED"
    bench.days(1)
    assert note_of(bench).state == "HELD"
    assert bench.refused("fin.finance", "fin", **finance(bench)) == "I5"
    bench.reserve("note", fin="other")
    bench.finance("note", fin="other")
    assert note_of(bench).fin_key == key("other")


def test_only_the_reserving_bank_finances(bench):
    assert bench.refused("fin.finance", "fin", **finance(bench)) == "I5"
    bench.reserve("note")
    assert bench.refused("fin.finance", "holder", **finance(bench)) == "authority"
    act = bench.finance("note")
    assert act.events[0].state == {"state": "FINANCED", "face": "1000", "open": "1000"}


def test_labels_are_checked_at_most_two_epochs_before(bench):
    bench.days(5)
    bench.reserve("note")
    assert bench.refused("fin.finance", "fin", **finance(bench, age=3)) == "I5"
    assert bench.refused("fin.finance", "fin", **finance(bench, age=-1)) == "I5"
    bench.do("fin.finance", "fin", **finance(bench, age=2))


def test_a_financed_note_does_not_move(bench):
    bench.reserve("note")
    assert bench.refused("note.split", "holder", **bench.split_fields("note", ("a", 1_000, "x"))) == "I5"
    bench.finance("note")
    assert bench.refused("note.split", "holder", **bench.split_fields("note", ("a", 1_000, "x"))) == "I5"


def test_an_offered_note_is_not_financed(bench):
    bench.do("note.split", "holder", **bench.split_fields("note", ("a", 1_000, "next")))
    assert bench.refused("fin.reserve", "next", "fin", **reserve(note="a")) == "I3"


def release(code="REPAID"):
    return {"note__0": oid("note"), "reason_code": code}


def test_the_bank_alone_releases(bench):
    bench.reserve("note")
    bench.finance("note")
    assert bench.refused("fin.release", "holder", **release()) == "authority"
    bench.do("fin.release", "fin", **release())
    assert note_of(bench).state == "HELD"
    bench.reserve("note", fin="other")
    bench.finance("note", fin="other")


def test_a_reservation_is_released_too(bench):
    bench.reserve("note")
    bench.do("fin.release", "fin", **release("RESERVATION_DROPPED"))
    assert note_of(bench).state == "HELD"
    assert bench.refused("fin.release", "fin", **release()) == "authority"


def test_banks_hand_a_note_over_with_both_keys(bench):
    refinance = {"note__0": oid("note"), "new_fin_key": key("other"), "check_epoch": int(bench.epoch)}
    bench.reserve("note")
    assert bench.refused("fin.refinance", "fin", "other", **refinance) == "I5"
    bench.finance("note")
    for signers in (("fin",), ("other",), ("holder", "other")):
        assert bench.refused("fin.refinance", *signers, **refinance) == "authority"
    stale = refinance | {"check_epoch": int(bench.epoch) + 1}
    assert bench.refused("fin.refinance", "fin", "other", **stale) == "I5"
    bench.do("fin.refinance", "fin", "other", **refinance)
    assert note_of(bench).owed_to == key("other")


def test_several_notes_are_financed_at_once_or_not_at_all():
    bench = Bench()
    bench.asset()
    bench.note("a", 400)
    bench.note("b", 600, payee="other")
    twice = {"fin_key": key("fin"), "ttl_epochs": 5, "note__0": oid("a"), "note__1": oid("a")}
    assert bench.refused("fin.reserve", "holder", "fin", **twice) == "I5"
    both = twice | {"note__1": oid("b")}
    assert bench.refused("fin.reserve", "holder", "fin", **both) == "I3"
    bench.do("fin.reserve", "holder", "other", "fin", **both)
    bench.finance("a", "b")
    bench.do("fin.release", "fin", note__0=oid("a"), reason_code="REPAID")
    again = {"fin_key": key("late"), "ttl_epochs": 5, "note__0": oid("a"), "note__1": oid("b")}
    assert bench.refused("fin.reserve", "holder", "other", "late", **again) == "I5"
    assert stored_note(bench.state, oid("a")).state == "HELD"


MOVES = st.sampled_from(["reserve", "finance", "release", "wait"])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(MOVES, st.sampled_from(["fin", "other", "third"])), max_size=25))
def test_no_interleaving_gives_a_note_to_two_banks(moves):
    bench = Bench()
    bench.asset()
    bench.note(due=300)
    owner, until = None, None  # a model of its own: who reserved or financed, and until when it lapses
    for move, bank in moves:
        if until is not None and bench.epoch > until:
            owner, until = None, None
        if move == "wait":
            bench.days(3)
        elif move == "reserve":
            allowed = owner is None
            assert bench.refused("fin.reserve", "holder", bank, **reserve(bank, 4)) == (None if allowed else "I5")
            owner, until = (bank, bench.epoch + 4) if allowed else (owner, until)
        elif move == "finance":
            allowed = owner == bank and until is not None
            assert bench.refused("fin.finance", bank, **finance(bench, bank)) == (None if allowed else "I5")
            until = None if allowed else until
        else:
            assert bench.refused("fin.release", bank, **release()) == (None if owner == bank else "authority")
            owner, until = (None, None) if owner == bank else (owner, until)
