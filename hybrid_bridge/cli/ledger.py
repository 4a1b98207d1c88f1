"""`hybrid-bridge ledger`: what one's own node sees of the ledger beyond one's own records."""

import json
from pathlib import Path

import click

from hybrid_bridge.cli.member import Hex
from hybrid_bridge.cli.options import FOLDER
from hybrid_bridge.core.encoding import Json


@click.group()
def command() -> None:
    """Look at the ledger as one's own node holds it."""


@command.command()
@click.option("--dir", "folder", type=FOLDER, required=True, help="The member's folder.")
@click.option("--submitter", type=Hex(), help="A key id; without it every submitter is shown.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def sequence(folder: Path, submitter: bytes | None, as_json: bool) -> int:
    """Per submitter: which numbers stand in blocks, the next one, and of our own those promised and dropped.

    Numbers count up by one with each transaction that stands in a block, refused ones too. A gap is therefore a
    transaction that somebody keeps from you, and a dropped number one that a node accepted and left out.

    Exit code 0: no gap, nothing dropped. Exit code 1: one of the two.
    """
    from hybrid_bridge.node.opening import desk_of  # noqa: PLC0415 gRPC is dear; help must not pay

    with desk_of(folder) as desk:
        rows = desk.sequences(submitter or b"")
    found: list[dict[str, Json]] = [
        {
            "submitter": row.submitter.hex(),
            "name": row.name,
            "seen": [[span.first, span.last] for span in row.seen],
            "next": row.next,
            "dropped": list(row.dropped),
            "height": row.height,
        }
        for row in rows
    ]
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        for row in rows:
            spans = ", ".join(f"{span.first}-{span.last}" for span in row.seen)
            gap = "  GAP" if len(row.seen) > 1 or row.seen[0].first else ""
            lost = f"  DROPPED {', '.join(map(str, row.dropped))}" if row.dropped else ""
            click.echo(f"{row.name or row.submitter.hex()[:16]:<20} {spans}  next {row.next}{gap}{lost}")
    return int(any(len(row.seen) > 1 or row.seen[0].first or row.dropped for row in rows))
