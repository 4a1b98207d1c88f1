"""`hybrid-bridge erase`: the owner erases documents at one's own node. First shown, then done, never in passing."""

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from hybrid_bridge.cli.exits import plain
from hybrid_bridge.cli.member import Hex
from hybrid_bridge.cli.options import INPUT, folder_option, json_option
from hybrid_bridge.core.encoding import Json

if TYPE_CHECKING:
    from hybrid_bridge.rpc.v1 import bridge_pb2 as pb

INCOMPLETE: Final = 3
KEPT: Final = """\
What stays: the ledger (entries, claims, registry), the tombstones, every other record and its proofs.
What this cannot reach: copies that others signed for (the ledger's notice asks them to follow); bundles, exports and
drafts you wrote to files; backups and snapshots of this folder (a restored one holds the documents again, without the
tombstones: repeat the erasure by --leaf, so keep the list); blocks that the disk or its file system has set aside."""


class Match(click.ParamType[tuple[str, str]]):
    """NAME=VALUE of a field."""

    name = "NAME=VALUE"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Split at the first `=`."""
        name, found, wanted = str(value).partition("=")
        if not name or not found:
            self.fail("NAME=VALUE", param, ctx)
        return name, wanted


@click.command(epilog=" ".join(KEPT.split()))
@folder_option
@click.option("--leaf", "leaves", type=Hex(), multiple=True, help="LEAF(entry) of a record; repeatable.")
@click.option("--object", "objects", multiple=True, metavar="ID", help="All records of this object; repeatable.")
@click.option("--match", "matches", type=Match(), multiple=True, help="All records where a field is this; repeatable.")
@click.option("--draft", "drafts", type=INPUT, multiple=True, help="The record of this draft; its file goes too.")
@click.option("--noticed", is_flag=True, help="All records that their submitters have erased, by notice on the ledger.")
@click.option("--reason", default="request", show_default=True, help="A code for the tombstone; never content.")
@click.option("--yes", is_flag=True, help="Erase. Without it the list is all.")
@json_option
def command(
    folder: Path,
    leaves: Sequence[bytes],
    objects: Sequence[str],
    matches: Sequence[tuple[str, str]],
    drafts: Sequence[Path],
    noticed: bool,
    reason: str,
    yes: bool,
    as_json: bool,
) -> None:
    """Erase documents: fields, salts, decoy seeds, label openings, envelopes not yet delivered.

    Whatever any of --leaf, --object, --match, --draft, --noticed names is listed first. With --yes it is then deleted,
    and its bytes are removed from the node's files. No bundle can be made of it any more, and it is not taken again
    from whoever delivers it again. Of records of one's own the node says so on the ledger (erasure.notice); members
    with a copy follow as their own policy says, and acknowledge.
    """
    from hybrid_bridge.node.opening import desk_of  # noqa: PLC0415 gRPC is dear; help must not pay
    from hybrid_bridge.rpc.v1 import bridge_pb2 as pb  # noqa: PLC0415

    request = pb.EraseRequest(
        entry_leaves=[*leaves, *map(_leaf_of, drafts)],
        objects=objects,
        matches=[pb.FieldMatch(name=name, value=value) for name, value in matches],
        noticed=noticed,
    )
    with desk_of(folder) as desk:
        found = desk.erase(request)
        if not as_json:
            _tell(found)
        if yes:  # what was shown, and nothing else
            listed = pb.EraseRequest(entry_leaves=[row.entry_leaf for row in found], reason=reason, confirmed=True)
            found = desk.erase(listed)
    if yes:
        for draft in drafts:
            _shred(draft)
    if as_json:
        click.echo(json.dumps({"erased": yes, "records": [_json(row) for row in found]}, indent=2))
    if not yes:
        click.echo("Nothing is erased yet. To erase what is listed: the same with --yes", err=True)
        raise click.exceptions.Exit(INCOMPLETE)
    if not as_json:
        click.echo(f"erased: {len(found)}\n{KEPT}")


def _tell(found: "Iterable[pb.ErasedRecord]") -> None:
    for row in found:
        head = f"{row.entry_leaf.hex()}  {plain(row.schema)}  from {plain(row.source)}"
        if row.acknowledged:
            head += f"\n  erased by, on their own word: {plain(', '.join(row.acknowledged))}"
        if row.erased_at:
            click.echo(f"{head}\n  erased before, at {row.erased_at}, reason {plain(row.reason)}")
            continue
        click.echo(f"{head}\n  {row.disclosures} fields with salts, {row.decoys} decoy seeds, {row.openings} openings")
        for said, names in (("on its way to", row.owed), ("signed for, and held, by", row.signed)):
            if names:
                click.echo(f"  {said} {plain(', '.join(names))}")


def _json(row: "pb.ErasedRecord") -> dict[str, Json]:
    return {
        "entry_leaf": row.entry_leaf.hex(),
        "schema": row.schema,
        "source": row.source,
        "disclosures": row.disclosures,
        "decoys": row.decoys,
        "openings": row.openings,
        "owed": list(row.owed),
        "signed": list(row.signed),
        "acknowledged": list(row.acknowledged),
        "erased_at": row.erased_at or None,
        "reason": row.reason or None,
    }


def _leaf_of(draft: Path) -> bytes:
    from hybrid_bridge.core.delivery import parse_delivery  # noqa: PLC0415
    from hybrid_bridge.core.entry import entry_leaf  # noqa: PLC0415
    from hybrid_bridge.node.drafts import parse_draft  # noqa: PLC0415

    return entry_leaf(parse_delivery(parse_draft(draft.read_bytes()).document).entry)


def _shred(draft: Path) -> None:
    """Zeros over the file, then no file."""
    with draft.open("r+b") as file:
        file.write(bytes(draft.stat().st_size))
        file.flush()
        os.fsync(file.fileno())
    draft.unlink()
