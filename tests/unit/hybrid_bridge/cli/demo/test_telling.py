"""How the demo tells its story: within a page, in good grammar, remembered for the report."""

import io
import re
import sys

import pytest

from hybrid_bridge.cli.demo.telling import WIDTH, Narrator, Screen, counted, fen_text, number_word


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


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environment", "columns", "screen"),
    [
        ({"TERM": "xterm"}, 200, Screen(WIDTH, moves=True, colours=True)),
        ({"TERM": "xterm"}, 75, Screen(75, moves=True, colours=True)),
        ({"TERM": "xterm"}, 9, Screen(40, moves=True, colours=True)),
        ({"TERM": "xterm", "NO_COLOR": "1"}, 80, Screen(80, moves=True)),
        ({"TERM": "xterm", "NO_COLOR": ""}, 80, Screen(80, moves=True, colours=True)),
        ({"TERM": "dumb"}, 80, Screen(80)),
        ({}, 80, Screen(80)),
    ],
    ids=str,
)
def test_a_screen_is_what_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], columns: int, screen: Screen
) -> None:
    assert Screen.of(environment, columns) == Screen()  # no terminal
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert Screen.of(environment, columns) == screen


def told(monkeypatch: pytest.MonkeyPatch, screen: Screen) -> str:
    monkeypatch.setattr(sys, "stdout", Terminal())
    narrator = Narrator(quiet=False, screen=screen)
    narrator.chapter("The beginning")
    with narrator.counting("transactions stand in blocks", 40) as bar:
        bar.step("asset.register of a supplier of ours")
        narrator.caught("a thief " * 12)
    return str(sys.stdout.getvalue())  # type: ignore[attr-defined]


def test_a_dumb_terminal_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b" not in told(monkeypatch, Screen(80))
    assert "\r" not in told(monkeypatch, Screen(80))


def test_without_colour_the_bar_still_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    out = told(monkeypatch, Screen(80, moves=True))
    assert set(re.findall(r"\x1b\[[0-9;]*[A-Za-z]", out)) == {"\x1b[2K"}
    assert "\x1b[1m" in told(monkeypatch, Screen(80, moves=True, colours=True))


@pytest.mark.parametrize("width", [40, 60, 75, 110])
def test_neither_bar_nor_line_is_wider_than_the_terminal(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    out = told(monkeypatch, Screen(width, moves=True))
    assert all(len(part) <= width for part in re.split(r"\r\x1b\[2K|\n", out))
    assert "─" in out
