"""A relayer that is left alone: ticks by the clock, JSON lines on stderr, metrics and health for whoever looks.

Beside the ticks run two threads that never wait for them: the watchdog, and the listener if there is one.
"""

import json
import time
from collections.abc import Callable
from contextlib import closing, nullcontext
from dataclasses import asdict
from http import HTTPStatus
from typing import Any, Final

import click

from hybrid_bridge.adapters.web.listener import Listener, Page
from hybrid_bridge.errors import LeaseLost, Undecided
from hybrid_bridge.units import Seconds, UnixSeconds
from relayers.health import DRAINED, STARTING, Health, State, health_of
from relayers.metrics import Metrics
from relayers.pins import missed
from relayers.relay import Relayer, Tick, tick
from relayers.schedule import Ticker
from relayers.views import RecordHeader
from relayers.watchdog import Watchdog

METRICS_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
JSON_TYPE: Final = "application/json"
PLAIN_TYPE: Final = "text/plain; charset=utf-8"


class Board:
    """What the last tick left for readers: one frozen value, replaced as a whole."""

    def __init__(self, metrics: Metrics, watchdog: Watchdog) -> None:
        self._metrics, self._watchdog = metrics, watchdog
        self._health: Health = STARTING

    def post(self, done: Tick, now: UnixSeconds, took: float) -> None:
        """A tick has ended."""
        self._metrics.feed(done, now, took)
        self._health = health_of(done, now)

    def page(self, path: str) -> Page | None:
        """What a path shows: any thread."""
        health, is_late = self._health, self._watchdog.is_late
        match path:
            case "/metrics":
                return Page(HTTPStatus.OK, METRICS_TYPE, self._metrics.text())
            case "/livez":
                return _lines(["the last tick is late"] if is_late else [], "live")
            case "/readyz":
                return _lines([*health.reasons, *(["the last tick is late"] if is_late else [])], "ready")
            case "/healthz":
                return _health_page(health, self._watchdog)
            case _:
                return None


def _lines(obstacles: list[str], good: str) -> Page:
    status = HTTPStatus.SERVICE_UNAVAILABLE if obstacles else HTTPStatus.OK
    return Page(status, PLAIN_TYPE, "".join(f"{line}\n" for line in obstacles or [good]).encode())


def _health_page(health: Health, watchdog: Watchdog) -> Page:
    is_ready = health.state is State.READY and not watchdog.is_late
    shown = asdict(health) | {
        "live": not watchdog.is_late,
        "ready": is_ready,
        "seconds_since_tick": round(watchdog.age, 1),
        "watchdog_seconds": watchdog.patience,
    }
    status = HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE
    return Page(status, JSON_TYPE, (json.dumps(shown) + "\n").encode())


class Lines:
    """JSON lines on stderr: what each tick did. One that only followed the chain is told when its reason is new."""

    def __init__(self, now: Callable[[], UnixSeconds]) -> None:
        self._now = now
        self._reason: tuple[str, ...] = ()

    def tick(self, done: Tick, took: float) -> None:
        """What it did, if that is news."""
        reason = (done.reason, *done.notes)
        if set(done.done) - {RecordHeader.__name__} or reason != self._reason:
            line = {"event": "tick", "done": list(done.done), "reason": done.reason, "ms": int(1000 * took)}
            more = {"blind": done.blind, "notes": list(done.notes)}
            self.write(line | {name: value for name, value in more.items() if value})
        self._reason = reason

    def write(self, line: dict[str, Any]) -> None:
        """One line."""
        click.echo(json.dumps({"ts": self._now(), "level": "info", **line}), err=True)


class Daemon:
    """The ticker with all that hangs on it."""

    def __init__(self, relayer: Relayer, metrics: Metrics, every: Seconds, on_halt: Callable[[], object]) -> None:
        """Ready to run.

        Args:
            relayer: what ticks.
            metrics: where its numbers go.
            every: seconds between two ticks.
            on_halt: what keeps the evidence, after a tick that halted.
        """
        self._relayer, self._metrics, self._every, self._on_halt = relayer, metrics, every, on_halt
        self._last: tuple[float, float] | None = None  # when the last tick began, and how long it took
        self.lines = Lines(relayer.clock.now)
        self.ticker = Ticker(self._one, every)
        self._board = Board(metrics, self.ticker.watchdog)

    def run(self, listen: tuple[str, int] | None) -> None:
        """Tick until told to stop, or until drained.

        Raises:
            SettingsMalformed: the address to listen at is taken.
            BaseException: what a tick raised.
        """
        listener = None if listen is None else Listener(listen, self._board.page)
        with nullcontext() if listener is None else closing(listener):
            if listener is not None:
                self.lines.write({"event": "listening", "port": listener.port})
            self.ticker.run()

    def _one(self) -> None:
        """A tick and what is told of it. What is undecided is tried again by the next one."""
        started = time.monotonic()
        if self._last is not None:
            self._metrics.missed(*missed(started - self._last[0], self._last[1], self._every))
        try:
            done = tick(self._relayer)
        except LeaseLost:
            raise  # epochs only rise: this process will never write again, and whoever starts the next one should know
        except Undecided as error:
            done = Tick((), str(error))
        took = time.monotonic() - started
        self._last = started, took
        if "Halt" in done.done:
            self._on_halt()
        self._board.post(done, self._relayer.clock.now(), took)
        self.lines.tick(done, took)
        if done.reason == DRAINED:
            self.ticker.stop()
