"""`hybrid-bridge devnet`: an embedded public chain on loopback, for demo and tests. Test money."""

import json
import os
import re
import signal
import time
from pathlib import Path
from types import FrameType

import click

from hybrid_bridge.cli.outputs import writing
from hybrid_bridge.errors import SettingsMalformed
from hybrid_bridge.units import Address, ChainId, UnixSeconds, Wei

ETHER = 10**18


def now() -> UnixSeconds:
    """The wall clock."""
    return UnixSeconds(int(time.time()))


class Fund(click.ParamType[tuple[Address, Wei]]):
    """ADDRESS[=ETHER], ether as an integer; 1000 when left out."""

    name = "ADDRESS[=ETHER]"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[Address, Wei]:
        """Parse one `--fund`."""
        address, _, ether = str(value).partition("=")
        try:
            octets = bytes.fromhex(address.removeprefix("0x"))
            amount = Wei(int(ether or "1000") * ETHER)
        except ValueError:
            self.fail(f"{value!r} is not ADDRESS[=ETHER]", param, ctx)
        if len(octets) != 20 or amount < 0:
            self.fail(f"{value!r} is not ADDRESS[=ETHER]", param, ctx)
        return Address(octets), amount


class Origin(click.ParamType[str]):
    """`null`, `*`, or an origin as a browser sends it (RFC 6454 §6.2). It becomes a header, so nothing else does."""

    name = "ORIGIN"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Parse `--allow-origin`."""
        if not re.fullmatch(r"null|\*|https?://[A-Za-z0-9.\-\[\]:]{1,253}", str(value)):
            self.fail(f"{value!r} is not `null`, `*` or an origin like https://verifier.example", param, ctx)
        return str(value)


@click.command()
@click.option("--port", default=0, show_default="a free one", type=click.IntRange(0, 65535))
@click.option("--chain-id", default=31337, show_default=True, type=click.IntRange(1, 2**53 - 1))
@click.option(
    "--period", default=2, show_default=True, type=click.IntRange(0, 3600), help="Seconds between blocks; 0: none."
)
@click.option(
    "--finality-depth", default=4, show_default=True, type=click.IntRange(0, 4096), help="Blocks behind the newest."
)
@click.option("--automine", is_flag=True, help="One block for each transaction, at once.")
@click.option("--fund", type=Fund(), multiple=True, help="Give this account money at the start; repeatable.")
@click.option(
    "--state-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Keep every public block there before it is announced; a later start with this file, even after kill -9, is "
    "the same chain: hashes, balances, code, receipts; --fund need not be said again. Transactions still in the pool "
    "are lost, as everywhere.",
)
@click.option(
    "--allow-origin",
    type=Origin(),
    help="Let a browser's page of this origin ask: `null` for one opened from disk, as the verifier page is; `*`: any.",
)
@click.option("--ready-file", type=click.Path(path_type=Path), help="Write the JSON line there once it answers.")
@click.option("--json", "_as_json", is_flag=True, help="Accepted for symmetry: the one line of output is JSON anyway.")
def command(
    port: int,
    chain_id: int,
    period: int,
    finality_depth: int,
    automine: bool,
    fund: tuple[tuple[Address, Wei], ...],
    state_file: Path | None,
    allow_origin: str | None,
    ready_file: Path | None,
    _as_json: bool,
) -> None:
    """Run an embedded public chain on loopback until SIGTERM or Ctrl-C.

    Prints one JSON line when it answers: {"url", "port", "chain_id", "pid"}. Real EVM, no real money. Without
    --state-file all is gone at the end; with it a start replays the file, hundreds of public blocks in a second.
    """
    from hybrid_bridge.adapters.evm.devnet import Devnet, DevnetSettings  # noqa: PLC0415 py-evm takes a second to load

    settings = DevnetSettings(
        chain_id=ChainId(chain_id),
        period=period,
        finality_depth=finality_depth,
        automine=automine,
        port=port,
        funds=fund,
        state_file=state_file,
        allow_origin=allow_origin,
    )
    try:
        devnet = Devnet(settings, now)
    except OSError:
        raise SettingsMalformed(key="port", rule="a free port of this machine") from None

    def stop(_signal: int, _frame: FrameType | None) -> None:
        devnet.end()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    with devnet:
        line = json.dumps({"url": devnet.url, "port": devnet.port, "chain_id": chain_id, "pid": os.getpid()})
        if ready_file is not None:
            with writing("--ready-file"):
                _write_whole(ready_file, line + "\n")
        click.echo(line)
        devnet.wait()


def _write_whole(path: Path, text: str) -> None:
    """So that a reader sees nothing or everything."""
    partial = path.with_name(path.name + ".part")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
