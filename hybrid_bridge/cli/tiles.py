"""`hybrid-bridge tiles`: the log as static files for tools of transparency logs, and a small server of them."""

import json
import os
import signal
import threading
from contextlib import closing
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Final

import click

from hybrid_bridge.core.checkpoint import parse_note
from hybrid_bridge.core.tiles import CHECKPOINT, entry_bundles, hash_tiles, is_tile_path, leaf_hashes
from hybrid_bridge.core.tree import batch_root
from hybrid_bridge.errors import BridgeError, NotYet, RootMismatch, StoreBroken
from hybrid_bridge.units import EpochNumber, TreeSize

if TYPE_CHECKING:
    from hybrid_bridge.adapters.web.serving import Reply

FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
_FOREVER: Final = {"Cache-Control": "public, max-age=31536000, immutable", "Content-Type": "application/octet-stream"}
_BRIEFLY: Final = {"Cache-Control": "public, max-age=5", "Content-Type": "text/plain; charset=utf-8"}
_MAX_FILE: Final = 1 << 25  # a bundle of 256 entries has less


@click.group()
def command() -> None:
    """Write the log as static tiles (C2SP tlog-tiles), or serve them."""


@command.command()
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@click.option("--member", "member", type=FOLDER, required=True, help="The folder of the member whose node is asked.")
@click.option("--hashes-only", is_flag=True, help="No entry bundles: for publishing beyond the members.")
def build(out: Path, member: Path, hashes_only: bool) -> None:
    """Write checkpoint, hash tiles and entry bundles of the newest checkpoint with a quorum into OUT.

    Everything is checked against the checkpoint first. What is there already stays; if it differs, nothing is written:
    the node shows another history than before. Entry bundles hold whole epoch records: block ranges, batch sizes and
    governance sizes, which members may read and others may not be meant to.
    """
    note, entries = read_log(member)
    write_tiles(out, note, entries, hashes_only=hashes_only)
    click.echo(f"{out}: size {len(entries)}")


@command.command()
@click.argument("folder", type=FOLDER)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", default=0, show_default=True, type=click.IntRange(0, 65_535), help="Port; 0 takes a free one.")
@click.option("--member", "member", type=FOLDER, help="Build anew from this member's node, every so often.")
@click.option("--every", default=30, show_default=True, type=click.IntRange(1, 86_400), help="Seconds between builds.")
@click.option("--hashes-only", is_flag=True, help="Neither build nor serve entry bundles.")
def serve(folder: Path, host: str, port: int, member: Path | None, every: int, hashes_only: bool) -> None:
    """Serve the tiles in FOLDER, read only, until SIGTERM or Ctrl-C. Prints one JSON line when it listens."""
    from hybrid_bridge.adapters.web.serving import WebServer  # noqa: PLC0415 HTTP only when asked for

    over = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        over.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    server = WebServer(host, port, lambda method, path, _: reply_to(folder, method, path, hashes_only=hashes_only), 0)
    server.start()
    click.echo(json.dumps({"url": f"http://{host}:{server.port}/", "pid": os.getpid()}))
    while not over.wait(every if member is not None else None):
        _rebuild(folder, member, hashes_only=hashes_only)
    server.close()


def _rebuild(folder: Path, member: Path | None, *, hashes_only: bool) -> None:
    """A node that is away is asked again at the next turn; one with another history stops the building."""
    if member is None:
        return
    try:
        write_tiles(folder, *read_log(member), hashes_only=hashes_only)
    except StoreBroken:
        raise
    except BridgeError as error:
        click.echo(f"not built anew: {type(error).__name__}", err=True)


# ── reading a node, writing files ────────────────────────────────────────────────────────────────────────────────────


def read_log(member: Path) -> tuple[str, list[bytes]]:
    """The newest note with a quorum, and the data of every leaf under it, which give its root.

    Raises:
        NotYet: no checkpoint yet.
        RootMismatch: the node's records are not what its checkpoint says.
    """
    from hybrid_bridge.adapters.grpc_member.peer import GrpcPeer  # noqa: PLC0415 gRPC is dear; help must not pay
    from hybrid_bridge.node.opening import client_tls  # noqa: PLC0415
    from hybrid_bridge.node.settings import read_settings  # noqa: PLC0415

    settings = read_settings(member)
    entries = [settings.path("genesis.bin").read_bytes()]
    with closing(GrpcPeer.at(settings.name, settings.listen, client_tls(settings))) as peer:
        noted = peer.log.checkpoint(TreeSize(0))
        while len(entries) < noted.size:
            first, before = EpochNumber(len(entries)), len(entries)
            entries += [row.record for row in peer.epochs(first, EpochNumber(noted.size - 1))]
            if len(entries) == before:
                raise NotYet(what=f"epoch {first}")
    note = parse_note(noted.note)
    root = batch_root(leaf_hashes(entries[: note.size]))
    if root != note.root:
        raise RootMismatch(expected=note.root, calculated=root)
    return noted.note, entries[: note.size]


def write_tiles(out: Path, note: str, entries: list[bytes], *, hashes_only: bool) -> None:
    """Tiles and bundles first, the checkpoint last: who reads the checkpoint finds all it stands on.

    Raises:
        StoreBroken: a file is there with other content, or a newer checkpoint.
    """
    standing = out / CHECKPOINT
    if standing.exists() and parse_note(standing.read_bytes()).size > len(entries):
        raise StoreBroken(store="tiles", rule="a checkpoint that is not newer than the node's")
    files = dict(hash_tiles(leaf_hashes(entries)))
    if not hashes_only:
        files |= dict(entry_bundles(entries))
    missing = {path: data for path, data in files.items() if not _is_there(out / path, data)}
    for path, data in missing.items():
        _write(out / path, data)
    _write(standing, note.encode())


def _is_there(path: Path, data: bytes) -> bool:
    if not path.is_file():
        return False
    if path.read_bytes() != data:
        raise StoreBroken(store="tiles", rule="the same history as before: a tile of it differs")
    return True


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".new")
    beside.write_bytes(data)
    beside.replace(path)


# ── serving ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def reply_to(folder: Path, method: str, path: str, *, hashes_only: bool) -> "Reply":
    """One file of the shapes that tlog-tiles has; anything else is not there."""
    from hybrid_bridge.adapters.web.serving import Reply  # noqa: PLC0415

    if method not in ("GET", "HEAD"):
        return Reply(405, b"", {"Allow": "GET, HEAD"})
    name = path[1:]
    known = name == CHECKPOINT or is_tile_path(name)
    if not known or (hashes_only and name.startswith("tile/entries/")):
        return Reply(404, b"")
    try:
        with (folder / name).open("rb") as file:
            data = file.read(_MAX_FILE)
    except OSError:
        return Reply(404, b"")
    return Reply(200, data, _BRIEFLY if name == CHECKPOINT else _FOREVER)
