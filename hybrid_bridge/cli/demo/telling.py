"""The story on the screen: chapters, lines, a progress bar where something takes long."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import click

WIDTH = 24  # of the progress bar


@dataclass(slots=True)
class Narrator:
    """Prints for people, or keeps quiet for `--json`. Remembers what was said, for the report."""

    quiet: bool
    started: float = field(default_factory=time.monotonic)
    lines: list[str] = field(default_factory=list)

    def chapter(self, number: int, title: str) -> None:
        """A new chapter, with the seconds since the start."""
        self._say("")
        self._say(click.style(f"{number}. {title}", bold=True) + click.style(f"  ({self.seconds:.0f} s)", dim=True))

    def say(self, text: str) -> None:
        """One line of the story."""
        self._say(f"   {text}")

    def good(self, text: str) -> None:
        """Something held."""
        self._say(f"   {click.style('✓', fg='green')} {text}")

    def caught(self, text: str) -> None:
        """A fraud was caught."""
        self._say(f"   {click.style('✗', fg='red')} {text}")

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self.started

    @contextmanager
    def counting(self, what: str, total: int) -> Iterator["Counter"]:
        """A bar that moves on a terminal, and one line at the end everywhere."""
        counter = Counter(self, what, total)
        yield counter
        counter.finish()

    def _say(self, text: str) -> None:
        self.lines.append(click.unstyle(text))
        if not self.quiet:
            click.echo(text)


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
        if not self.narrator.quiet and sys.stdout.isatty():
            filled = WIDTH * self.done // max(1, self.total)
            bar = "━" * filled + " " * (WIDTH - filled)
            click.echo(f"\r   {bar} {self.done}/{self.total} {self.what} {note[:40]:<40}", nl=False)

    def finish(self) -> None:
        """End the bar's line."""
        if not self.narrator.quiet and sys.stdout.isatty():
            click.echo("\r" + " " * 100 + "\r", nl=False)
        self.narrator.say(f"{self.done} {self.what}")
