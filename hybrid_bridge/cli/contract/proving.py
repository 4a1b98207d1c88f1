"""`contract proof`: what a bundle proves, as arguments for contracts that act on it. Asks nobody."""

import json
import time
from pathlib import Path

import click

from hybrid_bridge.adapters.evm.facts import proof_arguments
from hybrid_bridge.cli.contract.sending import FILE
from hybrid_bridge.cli.histories import read_history
from hybrid_bridge.cli.verify import read_bounded
from hybrid_bridge.core.bundle import MAX_BUNDLE, decode_bundle
from hybrid_bridge.core.checkpoint import parse_note
from hybrid_bridge.core.trust import Trust
from hybrid_bridge.errors import FieldMismatch, Missing
from hybrid_bridge.steps.verify import verify
from hybrid_bridge.units import Digest, TreeSize, UnixSeconds


@click.command("proof")
@click.argument("bundle", type=FILE)
@click.option(
    "--head", type=click.IntRange(2), help="The contract's head, as `status` says. Without: the bundle's own."
)
@click.option(
    "--history",
    type=click.Path(path_type=Path, exists=True),
    help="Where the path to the head is: a folder of the log's tiles, or a bundle. Without: BUNDLE itself.",
)
def proof(bundle: Path, head: int | None, history: Path | None) -> None:
    """What BUNDLE proves, as JSON: arguments of ProofVerifier's views and of Claims.requireClaim, named as there.

    BUNDLE is checked against itself first. A path to the head is good until the next anchor: then make it anew.
    """
    data = read_bounded(bundle, MAX_BUNDLE)
    verify(data, Trust(), UnixSeconds(int(time.time())))
    read = decode_bundle(data)
    path = _path(bundle if history is None else history, read.checkpoints[0].note, head)
    click.echo(json.dumps(proof_arguments(read, path), indent=2))


def _path(history: Path, text: str, head: int | None) -> list[Digest]:
    """From the checkpoint in this note to the head.

    Raises:
        Missing: the head is older than the checkpoint, or the history has no such path.
        FieldMismatch: the history is another one.
    """
    note = parse_note(text)
    if head is None or head == note.size:
        return []
    if head < note.size:
        raise Missing(what=f"an anchor of size {note.size} or more; the head is {head}")
    stretch = read_history(history).between(note.size, TreeSize(head))
    if stretch.older_root != note.root:
        raise FieldMismatch(field="history", expected=note.root.hex(), got=stretch.older_root.hex())
    return list(stretch.path)
