"""How the demo tells its story: within a page, in good grammar, remembered for the report."""

import pytest

from hybrid_bridge.cli.demo.telling import WIDTH, Narrator, counted, fen_text, number_word


def test_no_line_is_wider_than_a_page_and_further_lines_stand_under_the_first(
    capsys: pytest.CaptureFixture[str],
) -> None:
    narrator = Narrator(quiet=False)
    narrator.good("word " * 60)
    narrator.table([("name", "value " * 60), ("longer name", "x")])
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line) <= WIDTH for line in lines)
    assert {line[:10] for line in lines[1:3]} == {"     word "}
    assert lines[-1] == "      longer name  x"


def test_a_quiet_narrator_remembers_without_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    narrator = Narrator(quiet=True)
    narrator.chapter("The beginning")
    narrator.caught("a thief")
    with narrator.counting("things", 2) as bar, narrator.waiting("nothing"):
        bar.step()
    assert capsys.readouterr().out == ""
    assert [line.split("  (")[0] for line in narrator.lines] == ["", "1. The beginning", "   ✗ a thief"]
    assert narrator.chapter_title == "The beginning"


def test_one_is_not_two() -> None:
    assert [counted(n, "size") for n in (0, 1, 2)] == ["0 sizes", "1 size", "2 sizes"]
    assert counted(3, "split", "splits so far") == "3 splits so far"
    assert [number_word(n) for n in (0, 5, 11)] == ["no", "five", "11"]


@pytest.mark.parametrize(
    ("fen", "text"),
    [(0, "¥0.00"), (5, "¥0.05"), (100, "¥1.00"), (27_604_298, "¥276,042.98"), (10**9, "¥10,000,000.00")],
)
def test_fen_are_shown_as_yuan(fen: int, text: str) -> None:
    assert fen_text(fen) == text
