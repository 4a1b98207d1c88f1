"""`hybrid-bridge witness`: be a witness of logs, or ask one to cosign a bundle's newest checkpoint."""

import json
import os
import secrets
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from hybrid_bridge.cli.ending import Ending
from hybrid_bridge.cli.stamping import FILE, opened, require_unrenewed, write_bundle
from hybrid_bridge.core.bundle import Bundle, WitnessAnchor
from hybrid_bridge.core.checkpoint import parse_note
from hybrid_bridge.core.keys import PrivateKey
from hybrid_bridge.core.mldsa import MldsaKey
from hybrid_bridge.core.note import (
    TYPE_COSIGNATURE,
    TYPE_ED25519,
    TYPE_MLDSA,
    NoteLine,
    VerifierKey,
    cosign,
    parse_vkey,
    require_name,
)
from hybrid_bridge.errors import FieldMalformed, KeyUnusable, Missing
from hybrid_bridge.units import Digest, TreeSize

if TYPE_CHECKING:
    from hybrid_bridge.adapters.web.witness import Prove

KEY: Final = "witness.key"
STORE: Final = "witness.db"
FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


@click.group()
def command() -> None:
    """Be a witness: cosign checkpoints that extend what you have seen. Or ask one."""


@command.command()
@click.option("--dir", "folder", type=click.Path(path_type=Path, file_okay=False), required=True, help="A new folder.")
@click.option("--name", required=True, help="The witness's name, a URL without its scheme by custom.")
def init(folder: Path, name: str) -> None:
    """Make a witness's keys, Ed25519 and ML-DSA-44, and its empty store. Prints their verifier keys for policies."""
    from hybrid_bridge.adapters.sqlite.cosigned import SqlCosigned  # noqa: PLC0415 SQL is dear; help must not pay

    require_name(name)
    folder.mkdir(mode=0o700, parents=True)
    seeds = secrets.token_bytes(32), secrets.token_bytes(32)
    text = json.dumps({"name": name, "ed25519": seeds[0].hex(), "mldsa": seeds[1].hex()})
    with open(os.open(folder / KEY, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write(text + "\n")
    keys = _Keys.read(folder)
    store = SqlCosigned(folder / STORE)
    store.create(keys.vkeys[0].text())
    store.close()
    for key in keys.vkeys:
        click.echo(key.text())


@command.command()
@click.option("--dir", "folder", type=FOLDER, required=True, help="The folder that `witness init` made.")
@click.option("--log", "logs", multiple=True, required=True, metavar="VKEY", help="A log to witness; repeatable.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", default=0, show_default=True, type=click.IntRange(0, 65_535), help="Port; 0 takes a free one.")
def run(folder: Path, logs: tuple[str, ...], host: str, port: int) -> None:
    """Cosign for these logs over HTTP until SIGTERM or Ctrl-C. Prints one JSON line when it listens.

    TLS is a reverse proxy's to add. Never restore DIR from a backup: a witness that forgets can be shown a fork.
    """
    from hybrid_bridge.adapters.sqlite.cosigned import SqlCosigned  # noqa: PLC0415 SQL is dear; help must not pay
    from hybrid_bridge.adapters.web.serving import WebServer  # noqa: PLC0415
    from hybrid_bridge.adapters.web.witness import Witness  # noqa: PLC0415
    from hybrid_bridge.core.cosigning import MAX_REQUEST  # noqa: PLC0415

    keys, store = _Keys.read(folder), SqlCosigned(folder / STORE)
    known = [_log_key(text) for text in logs]
    store.open(keys.vkeys[0].text())
    ending = Ending()
    try:
        server = WebServer(host, port, Witness(store, known, keys.cosign).handle, MAX_REQUEST)
        server.start()
        url = f"http://{host}:{server.port}"
        click.echo(json.dumps({"url": url, "pid": os.getpid(), "vkeys": [key.text() for key in keys.vkeys]}))
        ending.wait()
        server.close()
    finally:
        store.close()


@command.command()
@click.argument("file", type=FILE)
@click.option("--url", required=True, metavar="URL", help="The witness's submission prefix.")
@click.option("--vkey", "vkeys", multiple=True, required=True, metavar="VKEY", help="Its key; repeatable.")
@click.option("--member", "member", type=FOLDER, help="A member's folder: its node proves what the witness has seen.")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="Where to write; default: FILE itself."
)
def ask(file: Path, url: str, vkeys: tuple[str, ...], member: Path | None, output: Path | None) -> None:
    """Have a witness cosign FILE's newest checkpoint, and put its lines into FILE.

    A line counts for whoever names the witness in his tlog_policy, and for nobody else.
    """
    target, bundle = opened(file, output)
    require_unrenewed(bundle)
    cosigned = with_cosignatures(bundle, url, [parse_vkey(text) for text in vkeys], member)
    write_bundle(target, cosigned)
    click.echo(f"{target}: cosigned by {', '.join(a.name for a in cosigned.anchors if isinstance(a, WitnessAnchor))}")


def with_cosignatures(bundle: Bundle, url: str, keys: Sequence[VerifierKey], member: Path | None) -> Bundle:
    """The bundle with the witness's lines under its newest checkpoint; its older lines by the same keys give way."""
    from hybrid_bridge.adapters.web.witness import ask_cosignatures  # noqa: PLC0415 HTTP only when asked for

    *older, newest = bundle.checkpoints
    note = parse_note(newest.note)
    lines = ask_cosignatures(url, newest.note, keys, _prover(bundle, note.size, member))
    fresh = {(line.name, line.key_id) for line in lines}
    kept = [line for line in note.lines if (line.name, line.key_id) not in fresh]
    text = replace(note, lines=(*kept, *lines)).text()
    named = {a.name for a in bundle.anchors if isinstance(a, WitnessAnchor) and a.tree_size == note.size}
    added = sorted({line.name for line in lines} - named)
    anchors = (*bundle.anchors, *(WitnessAnchor(tree_size=note.size, name=name) for name in added))
    return replace(bundle, checkpoints=(*older, replace(newest, note=text)), anchors=anchors)


def _prover(bundle: Bundle, size: TreeSize, member: Path | None) -> "Prove":
    """The path from a size that a witness has seen: the bundle's own if it fits, else a member's node's."""
    shown = {parse_note(old.note).size: new.consistency for old, new in pairwise(bundle.checkpoints[-2:])}

    def prove(known: TreeSize) -> Sequence[Digest]:
        if known in shown:
            return [Digest(digest) for digest in shown[known]]
        if member is None:
            raise Missing(what=f"the path from size {known} to {size}, which a member's node has (--member)")
        from hybrid_bridge.node.opening import log_of  # noqa: PLC0415 gRPC is dear

        with closing(log_of(member)) as log:
            return log.consistency_path(known, size)

    return prove


def _log_key(text: str) -> VerifierKey:
    key = parse_vkey(text)
    if key.kind not in (TYPE_ED25519, TYPE_MLDSA):
        raise FieldMalformed(field="--log", rule="a log's verifier key")
    return key


class _Keys:
    """A witness's two keys."""

    def __init__(self, name: str, ed25519: PrivateKey, mldsa: MldsaKey) -> None:
        self._name, self._ed25519, self._mldsa = name, ed25519, mldsa
        raw = ed25519.public.spki[-32:]
        self.vkeys = VerifierKey(name, TYPE_COSIGNATURE, raw), VerifierKey(name, TYPE_MLDSA, mldsa.public)

    @classmethod
    def read(cls, folder: Path) -> "_Keys":
        """From the file that `witness init` made.

        Raises:
            KeyUnusable: missing, readable by others, or no such file.
        """
        from hybrid_bridge.node.settings import private_bytes  # noqa: PLC0415 gRPC is dear; help must not pay

        try:
            held = json.loads(private_bytes(folder / KEY, "witness"))
            seeds = [bytes.fromhex(held[kind]) for kind in ("ed25519", "mldsa")]
            return cls(require_name(held["name"]), PrivateKey.from_seed(seeds[0]), MldsaKey(seeds[1]))
        except (ValueError, KeyError, TypeError, FieldMalformed):
            raise KeyUnusable(key="witness", rule="the file that witness init made") from None

    def cosign(self, body: bytes) -> list[NoteLine]:
        """A line by each key, at the present time."""
        now = int(time.time())
        return [cosign(self._name, key, now, body) for key in (self._ed25519, self._mldsa)]
