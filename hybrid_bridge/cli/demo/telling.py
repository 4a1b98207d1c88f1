"""The story on the screen: chapters, lines, a bar where something takes long. No line is wider than a page."""

import os
import re
import shutil
import sys
import textwrap
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, Self

import click

WIDTH: Final = 110  # of a page; a terminal may be narrower
NARROWEST: Final = 40  # columns; below that a terminal wraps by itself
INDENT: Final = "   "
BAR: Final = 24
CLEAR: Final = "\r\x1b[2K"
_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")
WORDS: Final = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def number_word(count: int) -> str:
    """Small numbers as words."""
    return WORDS[count] if count < len(WORDS) else str(count)


def counted(count: int, noun: str, plural: str = "") -> str:
    """`1 checkpoint`, `2 checkpoints`."""
    return f"{count} {noun if count == 1 else plural or noun + 's'}"


def fen_text(fen: int) -> str:
    """`¥276,042.98` for 27604298 fen."""
    return f"¥{fen // 100:,}.{fen % 100:02}"


@dataclass(frozen=True, slots=True)
class Screen:
    """What standard output can show. `moves`: a line can be taken back, for the bar."""

    width: int = WIDTH
    moves: bool = False
    colours: bool = False

    @classmethod
    def of(cls, environment: Mapping[str, str], columns: int) -> Self:
        """As the environment says: TERM=dumb takes no line back, NO_COLOR asks for plain text."""
        if not sys.stdout.isatty():
            return cls()
        moves = environment.get("TERM", "dumb") != "dumb"
        return cls(max(NARROWEST, min(WIDTH, columns)), moves, moves and not environment.get("NO_COLOR"))


@dataclass(slots=True)
class Narrator:
    """Prints for people, or keeps quiet for `--json`. Remembers what was said, for the report. Any thread."""

    quiet: bool
    screen: "Screen" = field(default_factory=lambda: Screen.of(os.environ, shutil.get_terminal_size().columns))
    started: float = field(default_factory=time.monotonic)
    lines: list[str] = field(default_factory=list)
    chapters: int = 0
    chapter_title: str = "the beginning"
    _bar: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def chapter(self, title: str) -> None:
        """The next chapter, with the seconds since the start."""
        self.chapters += 1
        self.chapter_title = title
        at = click.style(f"  ({self.seconds:.0f} s)", dim=True)
        self._lines(["", click.style(f"{self.chapters}. {title}", bold=True) + at])

    def say(self, text: str, depth: int = 1) -> None:
        """A paragraph of the story; further lines stand under the first."""
        self._lines(self._wrapped(INDENT * depth, INDENT * depth, text))

    def good(self, text: str) -> None:
        """Something held."""
        self._marked(click.style("✓", fg="green"), text)

    def caught(self, text: str) -> None:
        """A fraud was caught."""
        self._marked(click.style("✗", fg="red"), text)

    def table(self, rows: Sequence[tuple[str, str]], depth: int = 2) -> None:
        """Names in one column, values in the next."""
        width = max((len(name) for name, _ in rows), default=0)
        for name, value in rows:
            first = f"{INDENT * depth}{name:<{width}}  "
            self._lines(self._wrapped(first, " " * len(first), value))

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self.started

    @contextmanager
    def counting(self, what: str, total: int) -> Iterator["Counter"]:
        """A bar that moves on a terminal; elsewhere nothing."""
        try:
            yield Counter(self, what, total)
        finally:
            self.draw("")

    @contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """Says on a terminal what is waited for."""
        self.draw(f"{INDENT}… {what}")
        try:
            yield
        finally:
            self.draw("")

    def draw(self, bar: str) -> None:
        """Put the bar under the story; none if empty."""
        if self.quiet or not self.screen.moves:
            return
        with self._lock:
            self._bar = bar[: self.screen.width - 1]  # a bar that wraps cannot be taken back
            self._echo(CLEAR + self._bar, nl=False)

    def _marked(self, mark: str, text: str) -> None:
        first, *others = self._wrapped(f"{INDENT}# ", f"{INDENT}  ", text)
        self._lines([first.replace("#", mark, 1), *others])

    def _lines(self, lines: Sequence[str]) -> None:
        with self._lock:
            self.lines += map(click.unstyle, lines)
            if self.quiet:
                return
            self._echo((CLEAR if self._bar else "") + "\n".join(lines))
            if self._bar:
                self._echo(self._bar, nl=False)

    def _echo(self, text: str, *, nl: bool = True) -> None:
        # Not by `color=`: click takes the bar's own code away with the colours.
        click.echo(text if self.screen.colours else _COLOUR.sub("", text), nl=nl, color=self.screen.moves)

    def _wrapped(self, first: str, then: str, text: str) -> list[str]:
        lines = textwrap.wrap(
            text,
            self.screen.width,
            initial_indent=first,
            subsequent_indent=then,
            break_on_hyphens=False,
            break_long_words=False,
        )
        return lines or [first.rstrip()]


@dataclass(slots=True)
class Counter:
    """Counts up to a total."""

    narrator: Narrator
    what: str
    total: int
    done: int = 0

    def step(self, note: str = "") -> None:
        """One more."""
        self.done += 1
        filled = BAR * self.done // max(1, self.total)
        bar = "━" * filled + "─" * (BAR - filled)
        self.narrator.draw(f"{INDENT}{bar} {self.done}/{self.total} {self.what}  {note[:30]}")
