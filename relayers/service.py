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
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import click

from hybrid_bridge.errors import BridgeError, StoreBroken, Undecided
from relayers import wiring
from relayers.daemon import Daemon, Served
from relayers.journal_place import beside
from relayers.metrics import Instruments
from relayers.relay import Relayer, Tick
from relayers.settings import Settings
from relayers.sql_journal import SqlJournal
from relayers.standby import take_over
from relayers.start import require_hosts, require_known, require_undelegated
from relayers.terminal import now

GOOD, REFUTED, UNDECIDED, BROKEN = 0, 1, 3, 4
EVIDENCE_AGAINST_OTHERS: Final = ("conflict",)
UNDECIDED_REASONS: Final = ("no_rpc_quorum", "finality_lags")  # the plan could not even look


def run(chains: Sequence[Settings], *, is_standby: bool = False) -> int:
    """Tick until told to stop (SIGTERM, SIGINT), or until every chain is drained. The worst chain's exit code.

    Args:
        chains: one at least.
        is_standby: while another process has a journal, wait for it.

    Raises:
        BridgeError: no chain could start, a lease was lost, or what ended a chain for good.
    """
    with ExitStack() as stack:
        try:
            served, refused = _start(chains, stack, _stood_by if is_standby else opened)
        except _ToldToEndError:
            return GOOD
        if not any(one.is_seeing for one in served):
            raise next(iter(refused.values()))
        first = chains[0]
        daemon = Daemon([one.chain for one in served], first.tick_seconds, first.log.anchored_when)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: daemon.ticker.stop())
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
    """While standing by."""


def _start(
    chains: Sequence[Settings], stack: ExitStack, opening: Callable[[Settings], SqlJournal]
) -> tuple[list[_Started], dict[str, BridgeError]]:
    """What runs, and what refused each chain that does not, or does so blindly.

    Raises:
        Undecided: another process has one of the journals, so this one should not run at all; or its database is away.
    """
    instruments, served, refused = Instruments(), [], dict[str, BridgeError]()
    for settings in chains:
        name = settings.chain.name
        try:
            journal = stack.enter_context(opening(settings))
        except Undecided:
            raise
        except BridgeError as error:
            refused[name] = error
            continue
        try:
            relayer = wiring.relayer_of(settings, journal)
        except BridgeError as error:  # a key that cannot be had now may be had at the next start
            refused[name] = error
            continue
        try:
            _require_startable(settings, relayer, journal)
        except Undecided as error:
            refused[name] = error
        except BridgeError as error:
            refused[name] = error
            continue
        metrics = wiring.metrics_of(settings, relayer, journal.epoch, instruments)
        keeper = partial(_export_evidence, journal, settings)
        chain = Served(
            name,
            wiring.timed(relayer, metrics),
            metrics,
            keeper,
            is_retiring=settings.chain.is_retiring,
            unasked=partial(_require_startable, settings, relayer, journal) if name in refused else None,
        )
        served.append(_Started(settings, journal, chain, name not in refused))
    return served, refused


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


def _stood_by(settings: Settings) -> SqlJournal:
    """The journal, once nobody else has it.

    Raises:
        _ToldToEndError: SIGTERM or SIGINT came before.
    """
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())

    def say(reason: str) -> None:
        line = {"ts": now(), "level": "info", "event": "standing_by", "chain": settings.chain.name, "reason": reason}
        click.echo(json.dumps(line), err=True)

    journal = take_over(lambda: opened(settings), settings.tick_seconds, ended, say)
    if journal is None:
        raise _ToldToEndError
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
