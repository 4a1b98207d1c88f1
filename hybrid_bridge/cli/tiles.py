"""`hybrid-bridge tiles`: the log as static files for tools of transparency logs, and a small server of them."""

import json
import os
from collections.abc import Callable, Iterable
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import click

from hybrid_bridge.cli.ending import Ending
from hybrid_bridge.cli.verify import checkpoint_of
from hybrid_bridge.core.checkpoint import Note, for_other_readers, parse_note
from hybrid_bridge.core.epoch import EpochRecord
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.tiles import CHECKPOINT, entry_bundles, hash_tiles, is_tile_path, leaf_hashes
from hybrid_bridge.core.tree import batch_root
from hybrid_bridge.errors import NotYet, RootMismatch, StoreBroken, Undecided
from hybrid_bridge.units import Digest, EpochNumber, LogId, TreeSize

if TYPE_CHECKING:
    from hybrid_bridge.adapters.web.serving import Reply

FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
_FOREVER: Final = {"Cache-Control": "public, max-age=31536000, immutable", "Content-Type": "application/octet-stream"}
_BRIEFLY: Final = {"Cache-Control": "public, max-age=5", "Content-Type": "text/plain; charset=utf-8"}
_MAX_FILE: Final = 1 << 25  # a bundle of 256 entries has less


class Closed(Protocol):
    """What a node tells of a closed epoch; only its record counts here."""

    record: bytes


Epochs = Callable[[EpochNumber, EpochNumber], Iterable[Closed]]  # the node's answer to: from this one to that one


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
    write_tiles(out, for_other_readers(note), entries, hashes_only=hashes_only)
    click.echo(f"{out}: size {len(entries)}")


@command.command()
@click.argument("folder", type=FOLDER)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", default=0, show_default=True, type=click.IntRange(0, 65_535), help="Port; 0 takes a free one.")
@click.option("--member", "member", type=FOLDER, help="Build anew from this member's node, every so often.")
@click.option("--every", default=30, show_default=True, type=click.IntRange(1, 86_400), help="Seconds between builds.")
@click.option("--hashes-only", is_flag=True, help="Neither build nor serve entry bundles.")
@click.option("--explorer", "page", type=FOLDER, help="Serve this folder of `explorer build`, too: at / and its names.")
def serve(
    folder: Path, host: str, port: int, member: Path | None, every: int, hashes_only: bool, page: Path | None
) -> None:
    """Serve the tiles in FOLDER, read only, until SIGTERM or Ctrl-C. Prints one JSON line when it listens."""
    from hybrid_bridge.adapters.web.serving import WebServer  # noqa: PLC0415 HTTP only when asked for
    from hybrid_bridge.cli.explorer.serving import beside  # noqa: PLC0415

    def tiles(method: str, path: str, _: bytes) -> "Reply":
        return reply_to(folder, method, path, hashes_only=hashes_only)

    ending = Ending()
    server = WebServer(host, port, tiles if page is None else beside(page, tiles), 0)
    server.start()
    click.echo(json.dumps({"url": f"http://{host}:{server.port}/", "pid": os.getpid()}))
    while not ending.wait(every if member is not None else None):
        _rebuild(folder, member, hashes_only=hashes_only)
    server.close()


def _rebuild(folder: Path, member: Path | None, *, hashes_only: bool) -> None:
    """A node that is away is asked again at the next turn; one with another history stops the building."""
    if member is None:
        return
    try:
        write_tiles(folder, *read_log(member), hashes_only=hashes_only)
    except Undecided as error:
        click.echo(f"not built anew: {type(error).__name__}", err=True)


# ── reading a node, writing files ────────────────────────────────────────────────────────────────────────────────────


def read_log(member: Path) -> tuple[str, list[bytes]]:
    """The newest note with a quorum, and the data of every leaf under it, which give its root.

    Raises:
        NotYet: no checkpoint yet.
        Malformed, Refuted: a checkpoint that no quorum signed, or of another log; records that are not under it.
    """
    from hybrid_bridge.adapters.grpc_member.audit import GrpcAudited  # noqa: PLC0415 gRPC is dear; help must not pay
    from hybrid_bridge.adapters.grpc_member.peer import GrpcPeer  # noqa: PLC0415
    from hybrid_bridge.node.opening import owner_files, tls_files  # noqa: PLC0415
    from hybrid_bridge.node.settings import read_settings  # noqa: PLC0415

    settings = read_settings(member)
    genesis = settings.path("genesis.bin").read_bytes()
    with GrpcAudited.at(settings.name, settings.listen, owner_files(member / "owner")) as audited:
        shown = audited.checkpoint(TreeSize(0))
    with closing(GrpcPeer.at(settings.name, settings.listen, tls_files(settings))) as peer:
        return gathered(genesis, shown, peer.epochs)


def gathered(genesis: bytes, shown: bytes, epochs: Epochs) -> tuple[str, list[bytes]]:
    """As `read_log`: nothing is asked for before the checkpoint has its quorum, and no more than it covers."""
    bundle, note = checkpoint_of(shown, LogId(leaf_hash(genesis)))
    entries = [genesis]
    while len(entries) < note.size:
        first, lacking = EpochNumber(len(entries)), note.size - len(entries)
        answers = islice(epochs(first, EpochNumber(note.size - 1)), lacking)
        entries += [EpochRecord.decode(row.record).encode() for row in answers]
        if len(entries) == first:
            raise NotYet(what=f"epoch {first}")
    root = batch_root(leaf_hashes(entries))
    if root != note.root:
        raise RootMismatch(expected=note.root, calculated=root)
    return bundle.checkpoints[0].note, entries


def write_tiles(out: Path, note: str, entries: list[bytes], *, hashes_only: bool) -> None:
    """Tiles and bundles first, the checkpoint last: who reads the checkpoint finds all it stands on.

    Raises:
        StoreBroken: a file is there with other content, or a checkpoint that these entries do not extend.
    """
    standing, leaves = out / CHECKPOINT, leaf_hashes(entries)
    if standing.exists():
        _require_extended(parse_note(standing.read_bytes()), leaves)
    files = dict(hash_tiles(leaves))
    if not hashes_only:
        files |= dict(entry_bundles(entries))
    missing = {path: data for path, data in files.items() if not _is_there(out / path, data)}
    for path, data in missing.items():
        _write(out / path, data)
    _write(standing, note.encode())


def _require_extended(standing: Note, leaves: list[Digest]) -> None:
    """Tiles alone do not tell: one that was not full has another name when it has grown."""
    if standing.size > len(leaves):
        raise StoreBroken(store="tiles", rule="a checkpoint that is not newer than the node's")
    if batch_root(leaves[: standing.size]) != standing.root:
        raise StoreBroken(store="tiles", rule="the same history as before: its checkpoint has another root")


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
