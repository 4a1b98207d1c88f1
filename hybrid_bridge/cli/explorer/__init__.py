"""`hybrid-bridge explorer`: a log's public face as one page, from the public chain and the public log alone."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hybrid_bridge.cli.ending import Ending
from hybrid_bridge.cli.explorer.page import write_page
from hybrid_bridge.cli.explorer.serving import reply_to
from hybrid_bridge.cli.keeping import COPY, FILE, NAMES
from hybrid_bridge.cli.options import FOLDER, url_of
from hybrid_bridge.cli.verify import hex_option, read_bounded
from hybrid_bridge.core.trust import MAX_TRUST, Trust, parse_trust
from hybrid_bridge.errors import BridgeError, Undecided
from hybrid_bridge.units import Address, LogId, PublicBlockNumber

if TYPE_CHECKING:
    from hybrid_bridge.cli.explorer.facts import Facts
    from hybrid_bridge.cli.explorer.gathering import Wanted


@click.group()
def command() -> None:
    """Write a log's public face as one page, or serve it."""


@command.command()
@click.option("--rpc", "urls", metavar="URL", multiple=True, required=True, help="Several: more than half must agree.")
@click.option("--contract", "contract_hex", metavar="ADDRESS", help="The registry.  [default: its usual address]")
@click.option("--log", "log_hex", metavar="HEX", required=True, help="The log id that you rely on.")
@click.option("--names", "name_files", type=FILE, multiple=True, help=NAMES)
@click.option("--trust", "trust_file", type=FILE, help="Your trust file: roots that certify names, how many endpoints.")
@click.option("--log-copy", "copies", metavar="PATH|URL", multiple=True, help=COPY)
@click.option(
    "--anchors", "newest", default=1000, show_default=True, type=click.IntRange(1, 4000), help="How many, newest first."
)
@click.option("--from-block", "since", default=0, show_default=True, type=click.IntRange(0), help="Look from here on.")
@click.option(
    "--output", "folder", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder to write into."
)
@click.option("--every", type=click.IntRange(10, 86_400), help="Build anew every so many seconds, until told to end.")
def build(
    urls: Sequence[str],
    contract_hex: str | None,
    log_hex: str,
    name_files: Sequence[Path],
    trust_file: Path | None,
    copies: Sequence[str],
    newest: int,
    since: int,
    folder: Path,
    every: int | None,
) -> None:
    """Write index.html and explorer.json: keepers, anchors, delays, brakes, rotations, costs, reports.

    Each value says whose word it is: the public chain's as k of n endpoints tell it, a signature's, a log copy's, a
    certificate's, or the consortium's own. The same public block gives the same bytes.

    \b
    Exit code 0: written. 1: a name, a set or a copy of the log contradicts the contract.
    Exit code 2: an option or a file must be mended. 3: endpoints do not agree, or do not have it.
    """  # noqa: D301 click reads the escape
    from hybrid_bridge.cli.explorer.gathering import OF_A_COPY, Wanted  # noqa: PLC0415 the rest is dear; help must not pay

    wanted = Wanted(
        urls=tuple(url_of(url, "--rpc") for url in urls),
        contract=None if contract_hex is None else Address(hex_option(contract_hex, 20, "--contract")),
        log_id=LogId(hex_option(log_hex, 32, "--log")),
        name_files=name_files,
        trust=Trust() if trust_file is None else parse_trust(read_bounded(trust_file, MAX_TRUST)),
        copies=copies,
        newest=newest,
        since=PublicBlockNumber(since),
    )
    ending = None if every is None else Ending()
    facts = _built(folder, wanted, None)
    while ending is not None and not ending.wait(every):
        try:
            facts = _built(folder, wanted, facts)
        except BridgeError as error:  # what stands there stays, and says how old it is
            if not isinstance(error, Undecided) and OF_A_COPY not in getattr(error, "__notes__", ()):
                raise
            click.echo(f"not built anew: {type(error).__name__}", err=True)


def _built(folder: Path, wanted: "Wanted", before: "Facts | None") -> "Facts":
    from hybrid_bridge.cli.explorer.gathering import gathered  # noqa: PLC0415

    facts = gathered(wanted, before)
    changed = write_page(folder, facts.to_json())
    click.echo(f"{folder}: {facts.kept.basis}" + ("" if changed else "; nothing changed"))
    return facts


@command.command()
@click.argument("folder", type=FOLDER)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", default=0, show_default=True, type=click.IntRange(0, 65_535), help="Port; 0 takes a free one.")
def serve(folder: Path, host: str, port: int) -> None:
    """Serve the page in FOLDER, read only, until SIGTERM or Ctrl-C. Prints one JSON line when it listens."""
    from hybrid_bridge.adapters.web.serving import WebServer  # noqa: PLC0415 HTTP only when asked for

    ending = Ending()
    server = WebServer(host, port, lambda method, path, _: reply_to(folder, method, path), 0)
    server.start()
    click.echo(json.dumps({"url": f"http://{host}:{server.port}/", "pid": os.getpid()}))
    ending.wait()
    server.close()
