import pytest

from hybrid_bridge.business.outside import cross_checks
from hybrid_bridge.errors import FieldMismatch

NOTE, ASSET, A, B = "aa", "0b", "c1", "c2"
ISSUE = (
    0x0105,
    {"note": NOTE, "face": "100", "issue_date": "2026-01-05", "due_date": "2026-03-05", "back.0.object": ASSET},
)
CONFIRM = (0x0102, {"object": ASSET})


def split(*faces):
    fields = {"note": NOTE}
    for k, (note, face) in enumerate(faces):
        fields |= {f"child.{k}.note": note, f"child.{k}.face": face}
    return (0x0108, fields)


def finance(note, **more):
    return (0x010A, {"note.0": note, **more})


def test_a_split_that_conserves_value_is_silent():
    assert cross_checks([ISSUE, split((A, "60"), (B, "40"))], frozenset()).warnings == ()


@pytest.mark.parametrize("face", ["41", "100", "999999999999999999"])
def test_a_split_that_makes_value_is_refuted(face):
    with pytest.raises(FieldMismatch) as caught:
        cross_checks([ISSUE, split((A, "60"), (B, face))], frozenset())
    assert caught.value.field == "split.children (I2)"


def test_what_is_not_shown_is_said():
    assert "some are not shown" in cross_checks([ISSUE, split((A, "60"))], frozenset()).warnings[0]
    assert "validators alone" in cross_checks([split((A, "60"))], frozenset()).warnings[0]


def test_a_child_may_be_split_again_within_its_own_face():
    again = (0x0108, {"note": A, "child.0.note": "d1", "child.0.face": "61"})
    with pytest.raises(FieldMismatch):
        cross_checks([ISSUE, split((A, "60"), (B, "40")), again], frozenset())


def test_a_long_tenor_is_a_warning():
    long = (0x0105, {**ISSUE[1], "due_date": "2026-12-01"})
    assert "tenor" in cross_checks([long], frozenset()).warnings[0]
    assert cross_checks([(0x0105, {"note": NOTE, "issue_date": "soon"})], frozenset()).warnings == ()


def test_a_financing_needs_issue_confirmation_and_label():
    assert cross_checks([finance(NOTE), ISSUE, CONFIRM], frozenset({ASSET})).missing == ()
    assert len(cross_checks([finance(NOTE), ISSUE], frozenset()).missing) == 2
    assert len(cross_checks([finance(NOTE)], frozenset()).missing) == 1


def test_a_financed_child_is_traced_to_the_issued_note():
    shown = [finance(B), split((A, "60"), (B, "40")), ISSUE, CONFIRM]
    assert cross_checks(shown, frozenset({ASSET})).missing == ()


def test_an_advance_above_the_rate_is_refuted():
    shown = [finance(NOTE, advance="90"), ISSUE, CONFIRM]
    assert cross_checks(shown, frozenset({ASSET})).missing == ()
    with pytest.raises(FieldMismatch) as caught:
        cross_checks([finance(NOTE, advance="91"), ISSUE, CONFIRM], frozenset({ASSET}))
    assert caught.value.field == "advance (I6b)"
    assert cross_checks([finance(A, advance="91"), ISSUE, CONFIRM], frozenset({ASSET})).missing
