"""A relayer that is left alone: ticks by the clock, JSON lines on stderr, metrics and health for whoever looks.

Each public chain ticks in a thread of its own, with its own journal: what ends, halts or blinds one leaves the others
at work. Beside the ticks run two threads that never wait for them: the watchdog, and the listener if there is one.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, nullcontext, suppress
from dataclasses import asdict, dataclass, replace
from http import HTTPStatus
from typing import Any, Final

import click

from hybrid_bridge.adapters.web.listener import METRICS_TYPE, Listener, Page
from hybrid_bridge.errors import BridgeError, LeaseLost, Undecided
from hybrid_bridge.units import Seconds, TreeSize, UnixSeconds
from relayers.anchored import BIRTH, Verdict
from relayers.health import DRAINED, STARTING, Health, State, health_of
from relayers.metrics import Instruments, Metrics
from relayers.pins import missed
from relayers.relay import Relayer, Tick, tick
from relayers.schedule import Ticker
from relayers.views import RecordHeader
from relayers.watchdog import Watchdog

JSON_TYPE: Final = "application/json"
PLAIN_TYPE: Final = "text/plain; charset=utf-8"
DAY: Final = 86_400
LATE: Final = "the last tick is late"


@dataclass(frozen=True, slots=True)
class Served:
    """One public chain that this process serves."""

    name: str
    relayer: Relayer
    metrics: Metrics
    on_halt: Callable[[], object]  # keeps the evidence, after a tick that halted
    is_retiring: bool = False  # its chain has another relayer, which counts
    unasked: Callable[[], object] | None = None  # what a start asks, where nobody has answered it yet
    event_head: Callable[[], str] | None = None  # of the journal's chain of events


class Board:
    """What each chain's last tick left for readers: a frozen value, replaced as a whole."""

    def __init__(
        self,
        finals: Mapping[str, TreeSize | None],
        instruments: Instruments,
        watchdog: Watchdog,
        retiring: frozenset[str] = frozenset(),
    ) -> None:
        self._instruments, self._watchdog, self._retiring = instruments, watchdog, retiring
        self._health = {name: replace(STARTING, anchored_final=final) for name, final in finals.items()}

    def post(self, name: str, health: Health) -> None:
        """A tick of this chain has ended, or the chain itself. What was final stays so, whoever saw nothing."""
        known = self._health.get(name, STARTING).anchored_final
        self._health[name] = health if health.anchored_final else replace(health, anchored_final=known)

    def verdict(self, when: int) -> Verdict:
        """How far the log is anchored, as far as the last ticks know."""
        counted = ((name, health) for name, health in self._health.items() if name not in self._retiring)
        return Verdict(when, {name: health.anchored_final or BIRTH for name, health in counted})

    def page(self, path: str) -> Page | None:
        """What a path shows: any thread."""
        is_late = self._watchdog.is_late
        late = [LATE] if is_late else []
        match path:
            case "/metrics":
                return Page(HTTPStatus.OK, METRICS_TYPE, self._instruments.text())
            case "/livez":
                return _lines(late, "live")
            case "/readyz":
                reasons = (f"{name}: {why}" for name, health in self._health.items() for why in health.reasons)
                return _lines([*reasons, *late], "ready")
            case "/healthz":
                return _health_page(self._health, self._watchdog)
            case _:
                return None


def _lines(obstacles: list[str], good: str) -> Page:
    status = HTTPStatus.SERVICE_UNAVAILABLE if obstacles else HTTPStatus.OK
    return Page(status, PLAIN_TYPE, "".join(f"{line}\n" for line in obstacles or [good]).encode())


def _health_page(chains: Mapping[str, Health], watchdog: Watchdog) -> Page:
    is_ready = all(health.state is State.READY for health in chains.values()) and not watchdog.is_late
    shown = {
        "live": not watchdog.is_late,
        "ready": is_ready,
        "seconds_since_tick": round(watchdog.age, 1),
        "watchdog_seconds": watchdog.patience,
        "chains": {name: asdict(health) for name, health in chains.items()},
    }
    status = HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE
    return Page(status, JSON_TYPE, (json.dumps(shown) + "\n").encode())


def _final_size(relayer: Relayer) -> TreeSize | None:
    """As the journal knows it, before the first tick."""
    newest = relayer.journal.view(relayer.clock.now()).newest_anchor
    return None if newest is None else newest.tree_size


class Lines:
    """JSON lines on stderr: what each tick did. One that only followed the chain is told when its reason is new."""

    def __init__(self, now: Callable[[], UnixSeconds]) -> None:
        self._now = now
        self._reasons: dict[str, tuple[str, ...]] = {}

    def tick(self, chain: str, done: Tick, took: float) -> None:
        """What it did, if that is news."""
        reason = (done.reason, *done.notes)
        if set(done.done) - {RecordHeader.__name__} or reason != self._reasons.get(chain, ()):
            line = {"done": list(done.done), "reason": done.reason, "ms": int(1000 * took)}
            more = {"blind": done.blind, "notes": list(done.notes)}
            self.write("tick", chain, **line, **{name: value for name, value in more.items() if value})
        self._reasons[chain] = reason

    def write(self, event: str, chain: str | None = None, **values: Any) -> None:  # noqa: ANN401 whatever JSON takes
        """One line."""
        where = {} if chain is None else {"chain": chain}
        click.echo(json.dumps({"ts": self._now(), "level": "info", "event": event} | where | values), err=True)


class Daemon:
    """The ticker with all that hangs on it."""

    def __init__(self, chains: Sequence[Served], every: Seconds, anchored_when: int = 1) -> None:
        """Ready to run.

        Args:
            chains: what ticks; one at least.
            every: seconds between two ticks of a chain.
            anchored_when: so many chains make an epoch anchored.
        """
        first = chains[0]
        self._when, self._log, self._now = anchored_when, first.relayer.log, first.relayer.clock.now
        self._every = every
        self._last: dict[str, tuple[float, float]] = {}  # when a chain's last tick began, and how long it took
        self._instruments = first.metrics.instruments
        self._failures: list[BridgeError] = []
        self._drained: dict[str, bool] = {}
        self._why: dict[str, type[Undecided]] = {}
        self._unasked = {chain.name: chain.unasked for chain in chains if chain.unasked is not None}
        self._head_told: dict[str, int] = {}  # the day on which a chain's head of events was told
        self._unkept: set[str] = set()  # chains that halted and whose evidence could not be written yet
        self.lines = Lines(self._now)
        self.ticker = Ticker({chain.name: self._turn_of(chain) for chain in chains}, every)
        finals = {chain.name: _final_size(chain.relayer) for chain in chains}
        retiring = frozenset(chain.name for chain in chains if chain.is_retiring)
        self._board = Board(finals, self._instruments, self.ticker.watchdog, retiring)

    def leave_out(self, name: str, error: BridgeError) -> None:
        """This chain is not served: its start was refused, or what it found is broken. The others go on."""
        self._failures.append(error)
        self._board.post(name, replace(STARTING, state=State.HALTED, reasons=(f"ended: {error}",)))
        self.lines.write("ended", name, error=str(error))
        self.ticker.leave(name)
        self._stop_if_drained()

    def run(self, listen: tuple[str, int] | None) -> None:
        """Tick until told to stop, or until all chains are drained or have ended.

        Raises:
            SettingsMalformed: the address to listen at is taken.
            LeaseLost: another process has a gas key of ours; nothing is relayed any more, on no chain.
            BridgeError: what ended a chain; the dearest to mend, if there were several.
            BaseException: what else a tick raised.
        """
        listener = None if listen is None else Listener(listen, self._board.page)
        with nullcontext() if listener is None else closing(listener):
            if listener is not None:
                self.lines.write("listening", port=listener.port)
            self.ticker.run()
        if self._failures:
            raise max(self._failures, key=lambda error: error.exit_code)

    def _turn_of(self, chain: Served) -> Callable[[], None]:
        return lambda: self._one(chain)

    def _one(self, chain: Served) -> None:
        """A tick and what is told of it. What is undecided is tried again by the next one."""
        started = time.monotonic()
        if (last := self._last.get(chain.name)) is not None:
            chain.metrics.missed(*missed(started - last[0], last[1], self._every))
        try:
            done = tick(self._as_far_as_startable(chain))
        except LeaseLost:
            raise  # epochs only rise: this process will never write again, and whoever starts the next one should know
        except Undecided as error:
            done = Tick((), str(error))
        except BridgeError as error:
            self.leave_out(chain.name, error)
            return
        took, now = time.monotonic() - started, self._now()
        self._last[chain.name] = started, took
        if "Halt" in done.done or chain.name in self._unkept:
            self._keep_evidence(chain)
        chain.metrics.feed(done, now, took)
        self._board.post(chain.name, health_of(done, now))
        self._instruments.anchored(self._board.verdict(self._when), self._log, now)
        self.lines.tick(chain.name, done, took)
        self._tell_head(chain, now)
        self._drained[chain.name] = done.reason == DRAINED
        self._stop_if_drained()

    def _tell_head(self, chain: Served, now: UnixSeconds) -> None:
        """Once a day (UTC) and at the start, so that a journal whose end was cut off shows to who kept the log."""
        day = now // DAY
        if chain.event_head is None or self._head_told.get(chain.name) == day:
            return
        with suppress(Undecided):
            self.lines.write("event_head", chain.name, head=chain.event_head())
            self._head_told[chain.name] = day

    def _as_far_as_startable(self, chain: Served) -> Relayer:
        """What a start asks is asked until it is answered; until then nothing new is signed, old bytes stay alive.

        Raises:
            BridgeError: the answer is a refusal.
        """
        if (ask := self._unasked.get(chain.name)) is not None:
            try:
                ask()
            except Undecided as error:
                self._tell_why(chain.name, error)
                observer = chain.relayer.observer
                blind = replace(observer, quorum=len(observer.endpoints) + 1)  # more than there are ever agree
                return replace(chain.relayer, observer=blind)
            del self._unasked[chain.name]
        return chain.relayer

    def _tell_why(self, name: str, error: Undecided) -> None:
        """What keeps a chain from its start; told when it is another kind than before."""
        if type(error) is not self._why.get(name):
            self.lines.write("not_started", name, error=str(error))
        self._why[name] = type(error)

    def _keep_evidence(self, chain: Served) -> None:
        """It stands in the journal; a file that cannot be written now stops no other chain, and is tried again."""
        try:
            chain.on_halt()
            self._unkept.discard(chain.name)
        except BridgeError as error:
            if chain.name not in self._unkept:
                self.lines.write("evidence_not_written", chain.name, error=str(error))
            self._unkept.add(chain.name)

    def _stop_if_drained(self) -> None:
        """One that is drained ticks on beside others that are not: it may be resumed, and its metrics stay fresh."""
        if all(self._drained.get(name, False) for name in self.ticker.here):
            self.ticker.stop()
