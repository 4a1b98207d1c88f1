"""One process that serves all public chains of its settings: opens the journals, starts what can start, ends in order.

What refuses a chain's start leaves that chain out; only where none is left the process ends with the first refusal. A
chain whose endpoints are silent is no such case: it ticks blindly until they answer what a start asks.
"""

import json
import os
import signal
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import click

from hybrid_bridge.errors import BridgeError, StoreBroken, Undecided, Unreachable
from hybrid_bridge.units import Seconds
from relayers import wiring
from relayers.daemon import Daemon, Served
from relayers.health import UNEXPLAINED
from relayers.journal_place import beside
from relayers.metrics import Instruments
from relayers.relay import Relayer, Tick
from relayers.settings import Settings
from relayers.sql_journal import SqlJournal
from relayers.standby import take_over
from relayers.start import require_clock, require_hosts, require_known, require_undelegated
from relayers.terminal import now
from relayers.waiting import Waiting

GOOD, REFUTED, UNDECIDED, BROKEN = 0, 1, 3, 4
LONGEST_NAP: Final = Seconds(20)  # a third of a lease
EVIDENCE_AGAINST_OTHERS: Final = ("conflict",)
# The plan could not even look, or what it saw nothing bears out.
UNDECIDED_REASONS: Final = ("no_rpc_quorum", "finality_lags", *UNEXPLAINED)


def run(chains: Sequence[Settings], *, is_standby: bool = False) -> int:
    """Tick until told to stop (SIGTERM, SIGINT), or until every chain is drained. The worst chain's exit code.

    Args:
        chains: one at least.
        is_standby: while another process has a journal, wait for it.

    Raises:
        BridgeError: no chain could start, a lease was lost, or what ended a chain for good.
    """
    with ExitStack() as stack:
        ended = threading.Event()
        _on_signals(ended.set)
        try:
            instruments = Instruments()
            waiting = Waiting(chains, instruments)
            stack.callback(waiting.close)
            opening = _Opening(ended, is_standby, waiting)
            served, refused = _start(chains, stack, opening, opening.held.append, instruments)
        except _ToldToEndError:
            return GOOD
        waiting.close()
        if not any(one.is_seeing for one in served):
            raise next(iter(refused.values()))
        first = chains[0]
        daemon = Daemon([one.chain for one in served], first.tick_seconds, first.log.anchored_when)
        _on_signals(daemon.ticker.stop)
        if ended.is_set():  # it came while the start asked what a start asks
            return GOOD
        for one in served:
            where = one.settings
            daemon.lines.write("started", where.chain.name, epoch=one.journal.epoch, journal=where.journal.name)
        running = {one.chain.name for one in served}
        for name in refused.keys() - running:
            daemon.leave_out(name, refused[name])
        daemon.run(first.listen)
        daemon.lines.write("stopped")
        return max(verdict(one.journal, one.settings, Tick((), "")) for one in served)


@dataclass(frozen=True, slots=True)
class _Started:
    settings: Settings
    journal: SqlJournal
    chain: Served
    is_seeing: bool  # a quorum of its endpoints answered


class _ToldToEndError(Exception):
    """Before the first tick."""


class _Opening:
    """Opens one journal after the other; while one is waited for, the leases of the others are prolonged."""

    def __init__(self, ended: threading.Event, is_standby: bool, waiting: Waiting) -> None:  # noqa: FBT001 private
        self._ended, self._is_standby, self._waiting = ended, is_standby, waiting
        self.held: list[SqlJournal] = []

    def __call__(self, settings: Settings) -> SqlJournal:
        """The journal. A database that is away is waited for; another process that has it only by who stands by.

        Raises:
            _ToldToEndError: SIGTERM or SIGINT came before.
            LeaseLost: another process took a journal that was open already.
            BridgeError: as `opened`.
        """

        def say(error: Undecided) -> None:
            is_away = isinstance(error, Unreachable)
            self._waiting.tell(settings, is_there=not is_away)
            event = "journal_away" if is_away else "standing_by"
            line = {"ts": now(), "level": "info", "event": event, "chain": settings.chain.name, "reason": str(error)}
            click.echo(json.dumps(line), err=True)

        every = min(settings.tick_seconds, LONGEST_NAP)
        waits_for = Undecided if self._is_standby else Unreachable
        journal = take_over(lambda: opened(settings), every, self._ended, say, waits_for, meanwhile=self._keep_leases)
        if journal is None:
            raise _ToldToEndError
        self._waiting.tell(settings, is_there=True)
        return journal

    def _keep_leases(self) -> None:
        """One whose database is away for a moment is prolonged the next time."""
        for journal in self.held:
            with suppress(Unreachable):
                journal.renew(now())


def _on_signals(act: Callable[[], object]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: act())


def _start(
    chains: Sequence[Settings],
    stack: ExitStack,
    opening: Callable[[Settings], SqlJournal],
    hold: Callable[[SqlJournal], object] = lambda _: None,
    instruments: Instruments | None = None,
) -> tuple[list[_Started], dict[str, BridgeError]]:
    """What runs, and what refused each chain that does not, or does so blindly.

    Args:
        chains: one at least.
        stack: closes what runs.
        opening: a chain's journal.
        hold: told of each journal that stays open while the next one is opened.
        instruments: what all chains are told by.

    Raises:
        Undecided: another process has one of the journals, so this one should not run at all.
    """
    instruments, served, refused = instruments or Instruments(), [], dict[str, BridgeError]()
    for settings in chains:
        with ExitStack() as own:  # a chain that is refused lets go of its journal
            try:
                journal = own.enter_context(opening(settings))
                relayer = wiring.relayer_of(
                    settings, journal
                )  # a key that cannot be had now is asked at the next start
                obstacle = _obstacle(settings, relayer, journal)
            except Undecided as error:
                if not isinstance(error, Unreachable):
                    raise
                refused[settings.chain.name] = error
                continue
            except BridgeError as error:
                refused[settings.chain.name] = error
                continue
            if obstacle is not None:
                refused[settings.chain.name] = obstacle
            served.append(_served(settings, relayer, journal, obstacle, instruments))
            hold(journal)
            stack.push(own.pop_all())
    return served, refused


def _obstacle(settings: Settings, relayer: Relayer, journal: SqlJournal) -> Undecided | None:
    """What keeps it from starting now: silent endpoints, a clock behind. Beside others it ticks blindly until then.

    Raises:
        BridgeError: a start refusal.
    """
    try:
        _require_startable(settings, relayer, journal)
    except Undecided as error:
        return error
    return None


def _served(
    settings: Settings, relayer: Relayer, journal: SqlJournal, obstacle: Undecided | None, instruments: Instruments
) -> _Started:
    metrics = wiring.metrics_of(settings, relayer, journal.epoch, instruments)
    chain = Served(
        settings.chain.name,
        wiring.timed(relayer, metrics),
        metrics,
        partial(_export_evidence, journal, settings),
        is_retiring=settings.chain.is_retiring,
        unasked=None if obstacle is None else partial(_require_startable, settings, relayer, journal),
        event_head=journal.event_head,
    )
    return _Started(settings, journal, chain, obstacle is None)


def opened(settings: Settings) -> SqlJournal:
    """The journal, with its lease; that of a key that retires begins nothing new.

    Raises:
        BridgeError: as `SqlJournal`.
    """
    holder = f"{socket.gethostname()}:{os.getpid()}"
    journal = SqlJournal(settings.journal, wiring.scope_of(settings), holder, now())
    if settings.chain.is_retiring:
        try:
            journal.retire("settings: retiring", now())
        except BridgeError:
            journal.close()
            raise
    return journal


def started(settings: Settings, journal: SqlJournal) -> Relayer:
    """A relayer, a quorum of whose endpoints serves the right chain; each tick looks again, and at all of them.

    Raises:
        BridgeError: a start refusal (RELAYER §4.7), as far as they are checked here.
    """
    relayer = wiring.relayer_of(settings, journal)
    _require_startable(settings, relayer, journal)
    return relayer


def _require_startable(settings: Settings, relayer: Relayer, journal: SqlJournal) -> None:
    require_hosts(wiring.hosts_of(settings), settings.chain.rpc_quorum)
    admitted = relayer.observer.admitted()
    require_clock(admitted.pin(), relayer.clock.now())
    require_undelegated(admitted, wiring.code_at)
    # The journal itself, no second look at its file: a file that is closed takes this process's locks with it, and then
    # others empty the write-ahead log beneath us.
    require_known(admitted, journal, settings.journal.name, wiring.sender_of)


def verdict(journal: SqlJournal, settings: Settings, report: Tick) -> int:
    """The exit code that the journal's state means."""
    halted = journal.view(now()).halted
    if halted is None:
        failed = GOOD if report.error is None else report.error.exit_code
        return UNDECIDED if report.reason in UNDECIDED_REASONS else failed
    path = _export_evidence(journal, settings)
    click.echo(f"{settings.chain.name}: halted: {halted}; evidence in {path}", err=True)
    return REFUTED if halted in EVIDENCE_AGAINST_OTHERS else BROKEN


def _export_evidence(journal: SqlJournal, settings: Settings) -> Path:
    path = beside(settings.journal, ".evidence.json")
    try:
        path.write_text((journal.halt_evidence() or "{}") + "\n", "utf-8")
    except OSError as error:
        raise StoreBroken(store=path.name, rule=f"a file that can be written: {error.strerror}") from None
    return path
