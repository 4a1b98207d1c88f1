"""`hybrid-bridge watch`: stand beside a log for ever, ask nobody's leave, and tell when it is late and when it lies."""

import fcntl
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import click

from hybrid_bridge.adapters.evm.artefact import REGISTRY, artefact
from hybrid_bridge.adapters.evm.create2 import deterministic_address
from hybrid_bridge.adapters.web.listener import Listener
from hybrid_bridge.cli.ending import Ending
from hybrid_bridge.cli.exits import plain
from hybrid_bridge.cli.options import INPUT, json_option
from hybrid_bridge.cli.outputs import writing
from hybrid_bridge.cli.watch.findings import Finding, exit_code, worst_first
from hybrid_bridge.cli.watch.looking import Watcher
from hybrid_bridge.cli.watch.memory import Notice, State, read_state, write_state
from hybrid_bridge.cli.watch.metrics import Metrics
from hybrid_bridge.cli.watch.notices import target_of
from hybrid_bridge.cli.watch.reporter import Reporter
from hybrid_bridge.cli.watch.settings import Watched, read_watched
from hybrid_bridge.cli.watch.spending import Purse, parse_ether
from hybrid_bridge.core.evidence import utc
from hybrid_bridge.errors import StoreInUse, Undecided
from hybrid_bridge.node.settings import require_endpoint


@click.command()
@click.option(
    "--consortium", "file", type=INPUT, required=True, help="TOML: log, rpc, contract, copies (see the guide)."
)
@click.option(
    "--state", "folder", type=click.Path(path_type=Path, file_okay=False), required=True,
    help="Folder for what is remembered, and for evidence. One for each log; keep it.",
)  # fmt: skip
@click.option("--every", default=60, show_default=True, type=click.IntRange(1, 86_400), help="Seconds between looks.")
@click.option("--once", is_flag=True, help="Look once and end.")
@click.option(
    "--notify", "notify", multiple=True, metavar="TARGET",
    help="webhook:URL, webhook:file:PATH, command:PROGRAM or email:ADDRESS; repeatable.",
)  # fmt: skip
@click.option("--smtp", default="", metavar="HOST[:PORT]", help="The mail server, for email targets.")
@click.option("--mail-from", default="hybrid-bridge@localhost", show_default=True, help="The sender of mails.")
@click.option("--metrics", metavar="HOST:PORT", help="Serve Prometheus metrics there (/metrics, /livez).")
@click.option("--report", "reports", is_flag=True, help="Show the contract every contradiction that it takes.")
@click.option("--key", type=INPUT, help="With --report: keystore file of the account that pays the gas.")
@click.option("--password-file", type=INPUT, help="With --report: file with the keystore's password.")
@click.option(
    "--report-budget", "budget", default="0.2", show_default=True, metavar="ETHER",
    help="With --report: what a day's reports may cost at most, in the chain's currency.",
)  # fmt: skip
@json_option
def command(
    file: Path,
    folder: Path,
    every: int,
    once: bool,
    notify: tuple[str, ...],
    smtp: str,
    mail_from: str,
    metrics: str | None,
    reports: bool,
    key: Path | None,
    password_file: Path | None,
    budget: str,
    as_json: bool,
) -> int:
    """Watch a log: its contract at several endpoints, and its members' public copies; compare, remember, tell.

    Late (overdue, a silent copy) is told apart from lying (two signed histories); what cannot be told apart is called
    unclear. Evidence is kept as files that `hybrid-bridge contract report` takes. Nobody's leave is asked.

    \b
    With --once, exit code 0: nothing is wrong. 1: somebody lies. 3: something is late or unclear.
    """  # noqa: D301 click reads the escape
    watched, wei = read_watched(file), parse_ether(budget, "--report-budget")
    targets = [target_of(text, smtp, mail_from) for text in notify]
    if len({target.label for target in targets}) < len(targets):
        raise click.UsageError("--notify: each target once")  # noqa: EM101, TRY003 click's own
    if reports and (key is None or password_file is None):
        raise click.UsageError("--report needs --key and --password-file")  # noqa: EM101, TRY003 click's own
    with writing("--state"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    seen = Metrics(watched.log_id)
    listener = None if metrics is None else Listener(require_endpoint(metrics, "--metrics"), seen.page)
    ending = Ending()
    watcher = Watcher(watched, folder, targets, is_over=ending.is_over)
    held = _held(folder)
    try:
        state = read_state(folder, watched.log_id)
        if reports and key and password_file:
            watcher.reporter = _reporter(watched, key, password_file, Purse(folder, wei), ending.is_over)
        while True:
            turn = _turn(watcher, state, seen)
            if turn is None:
                return Undecided.exit_code if once else 0  # the only look was broken off
            state, findings, notices, lines = turn
            _print(findings, notices, lines, once=once, as_json=as_json)
            watcher.round.require_sound()
            if once:
                return exit_code(findings)
            if ending.wait(every):
                return 0
    finally:
        held.close()
        if listener is not None:
            listener.close()


def _held(folder: Path) -> IO[bytes]:
    """The folder, for this process alone.

    Raises:
        SettingsMalformed: it cannot be written.
        StoreInUse: another watcher has it.
    """
    with writing("--state"):
        file = (folder / "lock").open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise StoreInUse(store=str(folder)) from None
    return file


def _turn(watcher: Watcher, state: State, seen: Metrics) -> tuple[State, list[Finding], list[Notice], list[str]] | None:
    """Look, tell, and file; as `Watcher.look`. Filing comes last, and what it finds is told, too."""
    now = int(time.time())
    look = watcher.look(state, now)
    if look is None:
        return None
    state, findings, notices, lines = look
    state, troubles = _told(watcher, state, notices)
    seen.show(state, findings, watcher.spent, int(time.time()))
    state, findings, later, filed = watcher.file(state, findings, now)
    lines += [*troubles, *filed]
    if later:
        state, troubles = _told(watcher, state, later)
        lines += troubles
    seen.show(state, findings, watcher.spent, int(time.time()))
    return state, findings, [*notices, *later], lines


def _told(watcher: Watcher, state: State, notices: list[Notice]) -> tuple[State, list[str]]:
    """Everybody who can be; and what could not be done."""
    state = state.owing([target.label for target in watcher.targets], notices)
    lines = _written(watcher.folder, state)  # before anybody is told: a death in between tells twice, never not at all
    state, troubles = watcher.tell(state)
    return state, [*lines, *_written(watcher.folder, state), *troubles]


def _written(folder: Path, state: State) -> list[str]:
    """A disk that takes nothing keeps nobody from being told."""
    try:
        write_state(folder, state)
    except OSError as error:
        return [f"what is remembered could not be written: {error.strerror}"]
    return []


def _reporter(watched: Watched, key: Path, password_file: Path, purse: Purse, is_over: Callable[[], bool]) -> Reporter:
    contract = watched.contract or deterministic_address(artefact(REGISTRY).creation_code)
    return Reporter(
        watched.urls,
        (
            *("--contract", contract.hex(), "--log", watched.log_id.hex()),
            *("--key", str(key), "--password-file", str(password_file), "--yes"),
        ),
        purse,
        is_over,
    )


def _print(findings: list[Finding], notices: list[Notice], lines: list[str], *, once: bool, as_json: bool) -> None:
    for line in _once(findings, as_json=as_json) if once else _turns(notices, as_json=as_json):
        click.echo(line)
    for line in lines:
        click.echo(f"  {plain(line)}", err=True)


def _once(findings: list[Finding], *, as_json: bool) -> Iterator[str]:
    """All that is so."""
    if as_json:
        yield json.dumps({"findings": [finding.to_json() for finding in worst_first(findings)]}, indent=2)
        return
    for finding in worst_first(findings):
        yield f"{finding.severity:>8}  {finding.kind} ({plain(finding.about)}): {plain(finding.detail)}"
        yield f"{'':>8}  → {finding.next_step}"
    if not findings:
        yield "nothing to tell: anchored in time, and every copy is of the history that is anchored"


def _turns(notices: list[Notice], *, as_json: bool) -> Iterator[str]:
    """What came and went."""
    for notice in notices:
        found = notice.finding
        what = f"{notice.what} {found.severity}: {found.kind} ({plain(found.about)}): {plain(found.detail)}"
        yield json.dumps(notice.to_json()) if as_json else f"{utc(notice.at)}  {what}"
