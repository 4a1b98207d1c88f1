import pytest

from hybrid_bridge.business.outside import ADVANCE_RATE_BPS, BACKDATE_MAX, FUTURE_MAX, cross_checks, require_event_time
from hybrid_bridge.business.ruling import RulePack
from hybrid_bridge.errors import FieldMismatch

NOTE, ASSET, A, B = "aa", "0b", "c1", "c2"
ISSUE = (
    0x0105,
    {
        "note": NOTE,
        "face": "100",
        "issue_date": "2026-01-05",
        "due_date": "2026-03-05",
        "back.0.object": ASSET,
        "back.0.allot": "100",
    },
)
WANTED = f"wanting of {ASSET}"
NAMES_ALL = "I12: the transaction of the financing, which names every note that it financed"


def split(*faces, parent=NOTE):
    fields = {"note": parent}
    for k, (note, face) in enumerate(faces):
        fields |= {f"child.{k}.note": note, f"child.{k}.face": face}
    return (0x0108, fields)


def finance(note, **more):
    return (0x010A, {"note.0": note, **more})


def checked(*opened, proven=(), partial=()):
    """`proven` are assets of which everything is shown."""
    return cross_checks(opened, lambda asset: [] if asset in proven else [f"wanting of {asset}"], frozenset(partial))


def refuted(*opened, **given):
    with pytest.raises(FieldMismatch) as caught:
        checked(*opened, **given)
    return caught.value.field


# ── I2 ──


def test_a_split_that_conserves_value_is_silent():
    assert checked(ISSUE, split((A, "60"), (B, "40"))).warnings == ()


@pytest.mark.parametrize("face", ["41", "100", "999999999999999999"])
def test_a_split_that_makes_value_is_refuted(face):
    assert refuted(ISSUE, split((A, "60"), (B, face))) == "split.children (I2)"
    assert refuted(ISSUE, split((A, "60"), (B, face)), partial={1}) == "split.children (I2)"


def test_a_whole_split_that_loses_value_is_refuted():
    assert refuted(ISSUE, split((A, "60"), (B, "39"))) == "split.children (I2)"


def test_what_is_not_shown_is_said():
    assert "some are not shown" in checked(ISSUE, split((A, "60")), partial={1}).warnings[0]
    assert "validators alone" in checked(split((A, "60"))).warnings[0]
    assert "validators alone" in checked(ISSUE, (0x0108, {"child.0.note": A, "child.0.face": "1"})).warnings[0]


def test_a_child_that_is_not_shown_could_hide_behind_a_sum_that_fits():
    (warning,) = checked(ISSUE, split((A, "60"), (B, "40")), partial={1}).warnings
    assert "no other child was checked by the validators alone" in warning


def test_a_child_may_be_split_again_within_its_own_face():
    assert refuted(ISSUE, split((A, "60"), (B, "40")), split(("d1", "61"), parent=A)) == "split.children (I2)"


def test_children_beyond_the_fiftieth_count_too():
    many = [(f"d{k}", "1") for k in range(99)]
    assert checked(ISSUE, split(*many, (A, "1")), split(("e0", "1"), parent=A)).warnings == ()
    assert refuted(ISSUE, split(*many, (A, "1")), split(("e0", "2"), parent=A)) == "split.children (I2)"


def test_one_note_with_two_faces_is_refuted():
    other = (0x0105, {**ISSUE[1], "face": "101"})
    assert refuted(ISSUE, other) == f"face of note {NOTE} (I2)"
    assert checked(ISSUE, ISSUE).warnings == ()


# ── I6 ──


@pytest.mark.parametrize("written", ["20260105", "2026-W02-1", "2026-01-5", "2026-02-30", 20260105, None], ids=repr)
def test_a_day_has_one_spelling_whatever_a_calendar_would_make_of_it(written):
    assert checked((0x0105, ISSUE[1] | {"issue_date": written, "due_date": "2027-01-05"})).warnings == ()


def test_a_long_tenor_is_a_warning():
    long = (0x0105, {**ISSUE[1], "due_date": "2026-12-01"})
    assert "tenor" in checked(long).warnings[0]
    assert checked((0x0105, {"note": NOTE, "issue_date": "2026-01-05"})).warnings == ()


@pytest.mark.parametrize("kind", [0x010A, 0x010C])
def test_an_advance_above_the_rate_is_refuted(kind):
    shown = (ISSUE,)
    assert checked((kind, {"note.0": NOTE, "advance": "90"}), *shown, proven={ASSET}).missing == ()
    assert refuted((kind, {"note.0": NOTE, "advance": "91"}), *shown, proven={ASSET}) == "advance (I6b)"


def test_an_advance_on_notes_that_are_not_shown_is_neither_refuted_nor_excused():
    missing = checked(finance(NOTE, advance="91"), ISSUE, proven={ASSET}, partial={0}).missing
    assert missing == ("I6b: every financed note; those shown carry an advance of 90, not of 91", NAMES_ALL)
    assert "I6b: the face of each financed note" in checked(finance(A, advance="91"), ISSUE).missing


def test_a_note_counted_twice_is_refuted():
    assert refuted(finance(NOTE, advance="91", **{"note.1": NOTE}), ISSUE) == "note (I5)"


# ── I12 ──


def test_a_financing_needs_the_issue_and_all_that_is_wanting_of_each_asset():
    assert checked(finance(NOTE), ISSUE, proven={ASSET}).missing == ()
    assert checked(finance(NOTE), ISSUE).missing == (WANTED,)
    two = (0x0105, {**ISSUE[1], "back.0.allot": "60", "back.1.object": "0c", "back.1.allot": "40"})
    assert checked(finance(NOTE), two, proven={ASSET}).missing == ("wanting of 0c",)
    assert checked(finance(NOTE)).missing == (f"I12: the issue of the financed note {NOTE}",)


def test_a_financed_child_is_traced_to_the_issued_note():
    shown = finance(B), split((A, "60"), (B, "40")), ISSUE
    assert checked(*shown, proven={ASSET}).missing == ()


def test_a_financing_that_hides_its_notes_counts_for_nothing():
    missing = "I6b: the face of each financed note", NAMES_ALL
    assert checked((0x010A, {"advance": "5"}), partial={0}).missing == missing
    assert checked((0x010A, {})).missing == (NAMES_ALL,)


@pytest.mark.parametrize("kind", [0x010A, 0x010C])
def test_a_financing_may_hide_a_further_note_until_its_transaction_is_shown(kind):
    shown = (kind, {"note.0": NOTE, "advance": "90"})
    (missing,) = checked(shown, ISSUE, proven={ASSET}, partial={0}).missing
    assert missing == NAMES_ALL


def test_backing_that_is_not_shown_is_missing():
    bare = (0x0105, {"note": NOTE})
    some = (0x0105, {"note": NOTE, "face": "100", "back.0.object": ASSET, "back.0.allot": "60"})
    for issue, partial in ((bare, {1}), (bare, ()), (some, {1})):
        (missing,) = checked(finance(NOTE), issue, proven={ASSET}, partial=partial).missing
        assert missing.startswith(f"I12: all that backs the note {NOTE}")
    assert refuted(finance(NOTE), some, proven={ASSET}) == "back.allot (I4)"
    assert checked(finance(NOTE), ISSUE, proven={ASSET}, partial={1}).missing == ()


def backed(*rows, **more):
    """An issue over 100; a row is (object, allotment), either of which may be None: not shown."""
    fields = {key: value for key, value in ISSUE[1].items() if not key.startswith("back.")}
    for k, row in enumerate(rows):
        fields |= {f"back.{k}.{name}": value for name, value in zip(("object", "allot"), row, strict=True) if value}
    return (0x0105, fields | more)


@pytest.mark.parametrize(
    "rows",
    [
        [(ASSET, None), (None, "100")],  # as many objects as allotments, but the second object is kept back
        [(ASSET, "60"), (None, "40")],
        [(ASSET, "60"), ("0c", None)],
    ],
)
def test_an_asset_is_paired_with_its_own_allotment(rows):
    (missing,) = checked(finance(NOTE), backed(*rows), proven={ASSET, "0c"}, partial={1}).missing
    assert missing.startswith(f"I12: all that backs the note {NOTE}")


@pytest.mark.parametrize(
    "rows",
    [
        [(ASSET, "100"), ("0c", "0")],  # nothing is backed by nothing: another asset would hide behind the sum
        [(ASSET, "60"), (ASSET, "40")],
        [(ASSET, "60"), ("0c", "41")],
    ],
)
@pytest.mark.parametrize("partial", [(), (0,)])
def test_allotments_that_no_validator_may_accept_are_refuted_financed_or_not(rows, partial):
    assert refuted(backed(*rows), partial=partial) == "back.allot (I4)"


def test_every_issue_of_a_financed_note_is_backed():
    other = backed(("0c", "100"))
    for shown in ((ISSUE, other), (other, ISSUE)):
        assert checked(finance(NOTE), *shown, proven={ASSET}).missing == ("wanting of 0c",)


def test_a_child_of_two_notes_is_refuted():
    issues = (0x0105, {**ISSUE[1], "note": "bb"})
    assert refuted(ISSUE, issues, split((A, "100")), split((A, "100"), parent="bb")) == f"parent of note {A} (I2)"


def test_records_that_hide_their_note_are_not_taken_for_one_another():
    """An issue and a split that both leave the note out have nothing in common."""
    issue = (0x0105, {key: value for key, value in ISSUE[1].items() if key != "note"})
    nameless = (0x0108, {"child.0.note": A, "child.0.face": "100"})
    missing = checked(finance(A), nameless, issue, proven={ASSET}, partial={1, 2}).missing
    assert missing == (f"I12: the issue of the financed note {A}",)


def test_what_is_wanting_of_an_asset_is_asked_and_told_once_however_many_notes_it_backs():
    """A bundle has room for thousands of notes on one invoice, and each question reads all labels."""
    asked = []

    def wanting(asset):
        asked.append(asset)
        return [f"wanting of {asset}"]

    notes = [f"{k:032x}" for k in range(200)]
    issues = [(0x0105, {**ISSUE[1], "note": note}) for note in notes]
    financing = (0x010A, {f"note.{k}": note for k, note in enumerate(notes)})
    assert cross_checks([financing, *issues], wanting).missing == (WANTED,)
    assert asked == [ASSET]


def test_parents_in_a_circle_end():
    circle = split((A, "1"), parent=B), split((B, "1"), parent=A)
    assert len(checked(finance(A), *circle).missing) == 1


# ── I9 ──


def test_the_limits_are_those_of_the_rule_pack():
    pack = RulePack()
    assert (pack.backdate_max, pack.future_max, pack.advance_rate) == (BACKDATE_MAX, FUTURE_MAX, ADVANCE_RATE_BPS)


def test_a_time_that_is_none_or_of_a_type_nobody_knows_is_not_judged():
    for record in ((0x0105, {}), (0x7FFF, {"event_time": 1}), (0x7FFF, {"event_time": "1"})):
        require_event_time(record, 10**9, 10**9)
    with pytest.raises(FieldMismatch):
        require_event_time((0x0105, {"event_time": 1}), 10**9, 10**9)
