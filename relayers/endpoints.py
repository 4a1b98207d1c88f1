"""`endpoints check`: all of them side by side. Wiring only; nothing is changed."""

import json
import time
from pathlib import Path
from typing import Any, Final

import click

from relayers import wiring
from relayers.comparison import Answers, compare
from relayers.start import ONE_WORD, is_here
from relayers.terminal import config_option, json_option, one_chain, show_table


@click.group()
def endpoints() -> None:
    """The public chain's endpoints."""


@endpoints.command()
@config_option
@json_option
def check(config: Path, *, as_json: bool) -> int:
    """Compare them all: chain, contract, head, finality, speed, and what each says of one pinned public block.

    \b
    good  agrees with the quorum           note  agrees, and lags a little
    bad   silent, far behind, another chain, other code, or another story than the quorum's
    """  # noqa: D301 click reads the escape
    settings = one_chain(config)
    observer, quorum = wiring.observer_of(settings), settings.chain.rpc_quorum
    found = compare(observer.endpoints, observer.scope, quorum, observer.code_hash, time.monotonic)
    notes = _notes(wiring.hosts_of(settings), quorum)
    rows = [_row(answer, shown=not as_json) for answer in found.answers]
    if as_json:
        top = {"pinned": found.pinned, "agreeing": found.agreeing, "rpc_quorum": quorum, "notes": notes}
        click.echo(json.dumps(top | {"endpoints": rows}, indent=2))
        return found.exit_code(quorum)
    show_table("endpoints", rows, as_json=False)
    where = "no public block in common" if found.pinned is None else f"at public block {found.pinned}"
    click.echo(f"{found.agreeing} of {len(rows)} agree {where}; {quorum} must")
    for note in notes:
        click.echo(f"note: {note}")
    return found.exit_code(quorum)


def _notes(hosts: tuple[str, ...], quorum: int) -> list[str]:
    notes = []
    if quorum == 1:
        notes.append(ONE_WORD)
    elif len(set(hosts)) == 1:
        refused = "" if is_here(hosts[0]) else ": a start is refused"
        notes.append(f"all endpoints are on one host{refused}")
    return notes


def _row(answer: Answers, *, shown: bool) -> dict[str, Any]:
    newest, final = answer.newest, answer.final
    pin = None if answer.at_pin is None else f"0x{answer.at_pin.hex()}"
    return {
        "verdict": answer.verdict,
        "endpoint": answer.name,
        "head": None if newest is None else newest.number,
        "finalized": None if final is None else final.number,
        "ms": answer.milliseconds,
        "pinned_hash": pin[:12] + "…" if pin is not None and shown else pin,
        "log_size": answer.head,
        "detail": answer.detail,
    }


COMMANDS: Final = (endpoints,)
