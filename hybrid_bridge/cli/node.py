"""`hybrid-bridge node`: run one member's node, ask how far it is."""

import json
import logging
import os
import shutil
import socket
import time
from pathlib import Path
from typing import Final

import click

from hybrid_bridge.cli.outputs import writing
from hybrid_bridge.units import UnixSeconds

LOG: Final = "node.log"
PATIENCE: Final = 180.0  # seconds that an engine waits for its node: reading the stores of a long life takes its time
_FORMAT: Final = "%(asctime)s.%(msecs)03d %(levelname)s %(threadName)s %(name)s %(message)s"
PLACE: Final = "postgresql://USER@HOST:PORT/DATABASE?password=file:PATH"
FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


@click.group()
def command() -> None:
    """Run one member's node, or ask one how far it is."""


@command.command()
@click.option("--dir", "folder", type=FOLDER, required=True, help="The member's folder, as `consortium init` made it.")
@click.option("--ready-file", type=click.Path(path_type=Path), help="Write the JSON line there once the node listens.")
def run(folder: Path, ready_file: Path | None) -> None:
    """Run the node until SIGTERM or SIGINT. It logs to DIR/node.log."""
    from hybrid_bridge.node.running import run_node  # noqa: PLC0415 gRPC and SQL are dear; help must not pay
    from hybrid_bridge.node.settings import read_settings  # noqa: PLC0415

    settings = read_settings(folder)
    with writing("--dir"):
        handler = logging.FileHandler(settings.path(LOG), encoding="utf-8")
    logging.basicConfig(
        handlers=[handler], level=settings.log_level.upper(), format=_FORMAT, datefmt="%Y-%m-%dT%H:%M:%S"
    )

    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)  # that a connection was cut our own errors tell

    def ready(port: int) -> None:
        line = json.dumps({"name": settings.name, "port": port})
        click.echo(line)
        if ready_file is not None:
            with writing("--ready-file"):
                ready_file.write_text(line + "\n", "utf-8")

    run_node(folder, ready)


@command.command()
@click.option("--dir", "folder", type=FOLDER, required=True, help="The member's folder.")
@click.option("--binary", default="cometbft", show_default=True, help="The engine's program.")
def engine(folder: Path, binary: str) -> None:
    """Become the member's CometBFT engine: this process is replaced by it. Start the node first, it must listen.

    When the engine ends, with whatever code, both are started again: the node first.
    """
    from hybrid_bridge.adapters.cometbft.state_sync import forget_blocks  # noqa: PLC0415 help must not pay
    from hybrid_bridge.errors import SettingsMalformed  # noqa: PLC0415
    from hybrid_bridge.node.settings import ENGINE_HOME, ENGINE_SOCKET  # noqa: PLC0415
    from hybrid_bridge.node.syncing import read_mark  # noqa: PLC0415

    home = folder.resolve() / ENGINE_HOME
    if not (home / "config" / "genesis.json").exists():
        raise SettingsMalformed(key="--dir", rule="a folder of `consortium init --ledger cometbft`")
    program = shutil.which(binary)
    if program is None:
        raise SettingsMalformed(key="--binary", rule="the CometBFT program: ./infra/install.sh cometbft")
    _await(home / ENGINE_SOCKET)
    if (mark := read_mark(folder)) is not None and not mark.taken:
        forget_blocks(home)  # until the node's ledger stands, the engine begins anew whenever it is started
    os.execv(program, [program, "start", "--home", str(home), "--proxy_app", f"unix://{home / ENGINE_SOCKET}"])  # noqa: S606


@command.command()
@click.option("--dir", "folder", type=FOLDER, required=True, help="The member's folder; its ledger has no block yet.")
@click.option(
    "--rpc",
    "servers",
    multiple=True,
    required=True,
    metavar="HOST:PORT",
    help="Another member's engine RPC; at least two.",
)
def sync(folder: Path, servers: tuple[str, ...]) -> None:
    """Take the ledger from a snapshot at the next start, instead of executing it block by block.

    Asks the other members for a checkpoint that a quorum signed, verifies it, and tells the engine to begin to believe
    there. Then start node and engine as always. Again is no harm while the ledger is empty.
    """
    from hybrid_bridge.node.settings import read_settings  # noqa: PLC0415
    from hybrid_bridge.node.trusting import order_sync  # noqa: PLC0415 gRPC and SQL are dear; help must not pay

    trusted = order_sync(read_settings(folder), servers, UnixSeconds(int(time.time())))
    click.echo(f"believes block {trusted.height} ({trusted.hash.hex()}), under the checkpoint of size {trusted.size}")
    click.echo(f"told by {trusted.told_by}, signed by a quorum; start node and engine now")


def _await(path: Path) -> None:
    """Wait until the node listens: an engine that comes before it tries again every three seconds only.

    Raises:
        NotYet: it does not.
    """
    from hybrid_bridge.errors import NotYet  # noqa: PLC0415

    end = time.monotonic() + PATIENCE
    while True:
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(os.path.relpath(path))
            except OSError:
                if time.monotonic() > end:
                    raise NotYet(what="the node, which must run before its engine") from None
                time.sleep(0.1)
            else:
                return


@command.command()
@click.option("--dir", "folder", type=FOLDER, required=True, help="The member's folder.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def status(folder: Path, as_json: bool) -> None:
    """How far the node is: blocks, epochs, checkpoints, whether it still signs."""
    from hybrid_bridge.node.opening import desk_of  # noqa: PLC0415 gRPC is dear; help must not pay

    with desk_of(folder) as desk:
        answer = desk.status()
    found = {field.name: getattr(answer, field.name) for field in answer.DESCRIPTOR.fields}
    found["log_id"] = answer.log_id.hex()
    found["log_holders"] = list(answer.log_holders)
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for name, value in found.items():
        click.echo(f"{name:>16}  {', '.join(value) if isinstance(value, list) else value}")


@command.command()
@click.option(
    "--dir", "folder", type=FOLDER, required=True, help="The member's folder; its node does not run meanwhile."
)
@click.option(
    "--to", "place", required=True, metavar=PLACE, help="An empty database; the password is never in this line."
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def move(folder: Path, place: str, as_json: bool) -> None:
    """Move the member's ledger and records from its files into PostgreSQL, and say so in its settings.

    Every row is copied, read again and compared. The files stay, under other names; the attestation guard stays where
    it is. A relative PATH starts in the member's folder.
    """
    from hybrid_bridge.node.moving import move as moved  # noqa: PLC0415 SQL is dear; help must not pay
    from hybrid_bridge.node.settings import read_settings  # noqa: PLC0415

    with writing("--dir"):
        count = moved(read_settings(folder), place)
    if as_json:
        click.echo(json.dumps({"rows": count}, indent=2))
        return
    for name, rows in count.items():
        click.echo(f"{name}: {rows} rows moved")


@command.command()
@click.option("--dir", "folder", type=FOLDER, required=True, help="The member's folder; its node does not run.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def migrate(folder: Path, as_json: bool) -> None:
    """Bring the member's ledger and records, made by an older release, to this one's schema. Keep a copy before.

    Each store is moved whole or not at all; again is no change. A store of a newer release is refused.
    """
    from hybrid_bridge.node.migrating import migrate as migrated  # noqa: PLC0415 SQL is dear; help must not pay
    from hybrid_bridge.node.settings import read_settings  # noqa: PLC0415

    moved = migrated(read_settings(folder))
    if as_json:
        click.echo(
            json.dumps({name: {"before": one.before, "after": one.after} for name, one in moved.items()}, indent=2)
        )
        return
    for name, one in moved.items():
        click.echo(f"{name}: schema {one.after}" + ("" if one.before == one.after else f", was {one.before}"))


@command.command()
@click.option("--dir", "folder", type=FOLDER, required=True, help="The member's folder.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def check(folder: Path, as_json: bool) -> None:
    """Read settings, keys, certificates and revocation lists as a start would; how long they last. Starts nothing.

    Ends with 4 when one has ended or was revoked, and as a start would when a file does not fit.
    """
    from hybrid_bridge.errors import KeyUnusable  # noqa: PLC0415 help must not pay
    from hybrid_bridge.node.directory import read_directory  # noqa: PLC0415
    from hybrid_bridge.node.expiring import findings  # noqa: PLC0415
    from hybrid_bridge.node.keys import Keys  # noqa: PLC0415
    from hybrid_bridge.node.opening import tls_files  # noqa: PLC0415
    from hybrid_bridge.node.settings import read_settings  # noqa: PLC0415

    settings = read_settings(folder)
    directory = read_directory(folder)
    Keys.load(settings, directory)
    found = list(findings(tls_files(settings), directory, settings.name, UnixSeconds(int(time.time()))))
    if as_json:
        rows = [{"what": one.what, "state": one.state, "ends": one.ends} for one in found]
        click.echo(json.dumps({"name": settings.name, "found": rows}, indent=2))
    else:
        for one in found:
            ends = time.strftime("%Y-%m-%d", time.gmtime(one.ends))
            click.echo(f"{one.state:>8}  {one.what}, ends {ends}")
    for one in found:
        if one.state in ("ended", "revoked"):
            raise KeyUnusable(key=one.what, rule=f"good now; it is {one.state}")


@command.command()
@click.option("--dir", "folder", type=FOLDER, required=True, help="The member's folder.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def keys(folder: Path, as_json: bool) -> None:
    """Load every key of this member; where its attestation key is, its address, and that it signs. Attests nothing."""
    from hybrid_bridge.custody.places import parse_place  # noqa: PLC0415 help must not pay
    from hybrid_bridge.node.directory import read_directory  # noqa: PLC0415
    from hybrid_bridge.node.keys import Keys  # noqa: PLC0415
    from hybrid_bridge.node.settings import ATTESTATION, read_settings  # noqa: PLC0415

    settings = read_settings(folder)
    signer = Keys.load(settings, read_directory(folder)).attestation
    row: dict[str, str | bool] = {}
    if signer is not None:
        uri = settings.attestation
        at = f"file {settings.secrets[ATTESTATION]}" if uri is None else str(parse_place(uri, folder, ATTESTATION))
        row = {"key": ATTESTATION, "kept_in": at, "address": f"0x{signer.address().hex()}", "signs": True}
    if as_json:
        click.echo(json.dumps({"keys": [row] if row else []}, indent=2))
        return
    for name, value in row.items():
        click.echo(f"{name.replace('_', ' ')}: {'yes' if value is True else value}")
    if not row:
        click.echo("this member attests nothing")
