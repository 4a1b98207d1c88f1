"""Each of the 35 cases of RELAYER §7 is played by a test that says so, or stands on one list of those that are not."""

from tests.fault_matrix import NOT_YET, PAGE, index, played, table


def test_the_page_has_thirty_five_cases_and_says_how_many_are_played() -> None:
    assert sorted(table()) == list(range(1, 36))
    words = f"{35 - len(NOT_YET)} of the 35 cases are played by tests"
    assert words in " ".join(PAGE.read_text(encoding="utf-8").split()), words


def test_every_case_is_played_or_listed_as_not_yet() -> None:
    tests = played()
    assert [number for number in table() if number not in tests and number not in NOT_YET] == []
    assert [number for number in NOT_YET if number in tests] == [], "it is played now: take it off NOT_YET"
    assert [number for number in tests if number not in table()] == [], "no such case on the page"


def test_the_index_names_each_case() -> None:
    lines = list(index())
    assert [line[:2].strip() for line in lines if not line.startswith("   ")] == [str(n) for n in range(1, 36)]
