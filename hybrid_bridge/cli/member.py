"""`hybrid-bridge member`: the owner's desk at one's own node: draft, authorise, submit, look, bundle."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from hybrid_bridge.cli import membership
from hybrid_bridge.cli.options import INPUT, OUTPUT, folder_option, json_option
from hybrid_bridge.cli.outputs import write_private, writing
from hybrid_bridge.core.bundle import SUFFIX
from hybrid_bridge.core.encoding import Json, b64u, canonical_json, parse_b64u
from hybrid_bridge.core.labels import normalised
from hybrid_bridge.core.promise import BROKEN, SignedPromise
from hybrid_bridge.errors import FieldMalformed
from hybrid_bridge.units import Digest, TransactionId

if TYPE_CHECKING:
    from hybrid_bridge.adapters.grpc_member.desk import GrpcDesk
    from hybrid_bridge.rpc.v1 import bridge_pb2 as pb

KEY_PREFIX: Final = "key:"
MAX_FIELDS: Final = 1 << 20


class Hex(click.ParamType[bytes]):
    """32 bytes as hex digits."""

    name = "HEX"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> bytes:
        """Parse one id."""
        try:
            octets = bytes.fromhex(str(value))
        except ValueError:
            octets = b""
        if len(octets) != 32:
            self.fail("64 hex digits", param, ctx)
        return octets


class LabelText(click.ParamType[bytes]):
    """TYPE:PART,PART as people write a label, such as `3:LEI:5493001KJTIIGC8Y1R12,INV-001`."""

    name = "TYPE:PART,PART"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> bytes:
        """The encoded label in its one spelling."""
        kind, _, parts = str(value).partition(":")
        if not kind.isdecimal() or not parts:
            self.fail(f"{value!r} is not TYPE:PART,PART", param, ctx)
        return normalised(int(kind), *parts.split(",")).encode()


@click.group()
def command() -> None:
    """Records at one's own node: draft, submit, bundle. Members: apply, admit, suspend, remove, change keys."""


for governing in membership.COMMANDS:
    command.add_command(governing)


@command.command()
@folder_option
@click.argument("purpose")
@json_option
def key(folder: Path, purpose: str, as_json: bool) -> None:
    """The id of a key: `identity`, or a party key for any PURPOSE, the same for the same purpose."""
    with _desk(folder) as desk:
        answer = desk.key(purpose)
    _tell({"key": b64u(answer.key_id), "spki": b64u(answer.spki)}, as_json=as_json)


@command.command()
@folder_option
@click.argument("schema")
@click.argument("fields", type=INPUT)
@click.option("--authoriser", "authorisers", multiple=True, metavar="PURPOSE|key:ID", help="Repeatable.")
@click.option("--label", "labels", type=LabelText(), multiple=True, help="Identity label to insert; repeatable.")
@click.option("--audience", multiple=True, help="Member who gets the private fields; repeatable.")
@click.option("--out", type=OUTPUT, required=True, help="The draft; private.")
def draft(
    folder: Path,
    schema: str,
    fields: Path,
    authorisers: Sequence[str],
    labels: Sequence[bytes],
    audience: Sequence[str],
    out: Path,
) -> None:
    """Write a record of SCHEMA (asset.register/1) from a JSON file of FIELDS. Nothing is signed or sent."""
    from hybrid_bridge.rpc.v1 import bridge_pb2 as pb  # noqa: PLC0415 gRPC is dear; help must not pay

    request = pb.DraftRequest(
        schema=schema,
        fields=_read_fields(fields),
        authorisers=[
            pb.Authoriser(key_id=parse_b64u(who.removeprefix(KEY_PREFIX), "authoriser"))
            if who.startswith(KEY_PREFIX)
            else pb.Authoriser(purpose=who)
            for who in authorisers
        ],
        labels=canonical_json([b64u(label) for label in labels]),
        audience=audience,
    )
    with _desk(folder) as desk:
        written = desk.draft(request).draft
    with writing("--out"):
        write_private(out, written)


@command.command()
@folder_option
@click.argument("draft_file", metavar="DRAFT", type=INPUT)
@click.option("--with", "purposes", multiple=True, required=True, help="Purpose of a key of ours; repeatable.")
@click.option("--out", type=OUTPUT, required=True, help="The consents, for the submitter.")
def authorise(folder: Path, draft_file: Path, purposes: Sequence[str], out: Path) -> None:
    """Consent to a DRAFT with keys of ours, after the node has read the whole document."""
    with _desk(folder) as desk:
        signatures = desk.authorise(draft_file.read_bytes(), purposes).signatures
    with writing("--out"):
        out.write_bytes(canonical_json([b64u(signature) for signature in signatures]))


@command.command()
@folder_option
@click.argument("draft_file", metavar="DRAFT", type=INPUT)
@click.option("--consent", "consents", type=INPUT, multiple=True, help="What `authorise` wrote elsewhere; repeatable.")
@json_option
def submit(folder: Path, draft_file: Path, consents: Sequence[Path], as_json: bool) -> None:
    """Send a DRAFT to the ledger. Ends when it stands in a durable block; the same draft again is no change."""
    signatures = [signature for path in consents for signature in _read_consents(path)]
    with _desk(folder) as desk:
        sent = desk.send(draft_file.read_bytes(), signatures)
    found: dict[str, Json] = {
        "transaction": sent.transaction_id.hex(),
        "entry_leaf": sent.entry_leaf.hex(),
        "height": sent.height,
        "code": sent.code,
        "promise": b64u(sent.promise),
    }
    _tell(found, as_json=as_json)


@command.command()
@folder_option
@click.argument("transaction", type=Hex())
@json_option
def status(folder: Path, transaction: bytes, as_json: bool) -> None:
    """Where a TRANSACTION stands."""
    with _desk(folder) as desk:
        answer = desk.transaction(TransactionId(transaction))
    found: dict[str, Json] = {name: getattr(answer, name) for name in ("height", "epoch", "code", "final", "closed")}
    _tell(found, as_json=as_json)


@command.command()
@folder_option
@json_option
def records(folder: Path, as_json: bool) -> None:
    """What this member holds, own records and delivered ones, without their content."""
    found: list[dict[str, Json]] = []
    with _desk(folder) as desk:
        while page := desk.records(int(str(found[-1]["number"])) if found else 0):
            found += [
                {
                    "number": row.number,
                    "entry_leaf": row.entry_leaf.hex(),
                    "schema": row.schema,
                    "standing": row.standing,
                    "source": row.source,
                    "epoch": row.epoch,
                }
                for row in page
            ]
    _list(found, as_json=as_json)


@command.command()
@folder_option
@json_option
def missing(folder: Path, as_json: bool) -> None:
    """A regulator's: accepted records of which no copy has come, the oldest first, with who owes it."""
    with _desk(folder) as desk:
        found = [
            {"entry_leaf": row.entry_leaf.hex(), "submitter": row.submitter, "height": row.height, "since": row.since}
            for row in desk.missing()
        ]
    _list(found, as_json=as_json)


@command.command()
@folder_option
@json_option
def readings(folder: Path, as_json: bool) -> None:
    """Who read which of our entries at the regulators' nodes, and when, as each regulator signs it.

    Keep the heads: a chain that is shorter later was cut.
    """
    from hybrid_bridge.adapters.grpc_member.peer import GrpcPeer  # noqa: PLC0415 gRPC is dear; help must not pay
    from hybrid_bridge.node.directory import read_directory  # noqa: PLC0415
    from hybrid_bridge.node.opening import tls_files  # noqa: PLC0415
    from hybrid_bridge.node.regulating import REGULATOR, gather_readings  # noqa: PLC0415
    from hybrid_bridge.node.settings import read_settings  # noqa: PLC0415

    settings, directory = read_settings(folder), read_directory(folder)
    tls = tls_files(settings)
    rows: list[Json] = []
    heads: list[Json] = []
    for member in directory.members:
        if REGULATOR in member.roles and member.name != settings.name:
            with GrpcPeer.at(member.name, member.endpoint, tls) as peer:
                head, found = gather_readings(peer, directory, member.name, settings.name)
            heads.append({"regulator": member.name, "events": head.seq, "head": head.digest.hex()})
            for one in found:
                leaf = one.entry_leaf.hex()
                rows.append(
                    {
                        "regulator": member.name,
                        "entry_leaf": leaf,
                        "reader": one.reader,
                        "what": one.what,
                        "time": one.time,
                    }
                )
    if as_json:
        click.echo(json.dumps({"readings": rows, "heads": heads}, indent=2))
        return
    for row in (*rows, *heads):
        click.echo("  ".join(map(str, row.values())) if isinstance(row, dict) else "")


@command.command()
@folder_option
@json_option
def promises(folder: Path, as_json: bool) -> None:
    """What nodes promised when they accepted our transactions: kept, refused (on the record), due, or broken."""
    found: list[dict[str, Json]] = []
    with _desk(folder) as desk:
        after = 0
        while page := desk.promises(after):
            after = page[-1].number
            found += map(_promise, page)
    _list(found, as_json=as_json)
    if any(row["standing"] == BROKEN for row in found):
        click.echo("Next: hybrid-bridge evidence omission --transaction HEX", err=True)


def _promise(row: "pb.PromiseSummary") -> dict[str, Json]:
    promise = SignedPromise.decode(row.promise).promise
    return {
        "standing": row.standing,
        "transaction": promise.transaction_id.hex(),
        "sequence": row.sequence,
        "accepted_epoch": promise.accepted_epoch,
        "by_epoch": promise.by_epoch,
        "epoch": row.epoch or None,
        "signer": promise.signer.hex(),
    }


@command.command()
@folder_option
@click.argument("entry_leaf", type=Hex())
def show(folder: Path, entry_leaf: bytes) -> None:
    """A document in full, as JSON. Private."""
    with _desk(folder) as desk:
        click.echo(desk.record(Digest(entry_leaf)))


@command.command()
@folder_option
@click.option("--record", "leaves", type=Hex(), multiple=True, help="LEAF(entry) of a record; repeatable.")
@click.option("--field", "names", multiple=True, help="Disclose this field of every record; `*` for all; repeatable.")
@click.option("--label", "labels", type=LabelText(), multiple=True, help="Show this label's standing; repeatable.")
@click.option("--size", default=0, type=click.IntRange(0), help="Checkpoint to stand on.", show_default="the newest")
@click.option("--transactions", is_flag=True, help="Show the signed transactions, with all their claims.")
@click.option("--newest", is_flag=True, help="Show the newest checkpoint too, and that it extends that of --size.")
@click.option("--receipt", is_flag=True, help="With the log's word for `export --format cose-receipt`.")
@click.option("--presentable", is_flag=True, help="With our own word for `export --format sd-jwt`, on records of ours.")
@click.option("--cosignatures", is_flag=True, help="With the lines of members and witnesses under each checkpoint.")
@click.option("--governance", is_flag=True, help="With all that was governed since, not only brakes and freezes.")
@click.option("--out", type=OUTPUT, required=True, help=f"NAME{SUFFIX}")
def bundle(
    folder: Path,
    leaves: Sequence[bytes],
    names: Sequence[str],
    labels: Sequence[bytes],
    size: int,
    transactions: bool,
    newest: bool,
    receipt: bool,
    presentable: bool,
    cosignatures: bool,
    governance: bool,
    out: Path,
) -> None:
    """Write what an outsider needs of one's records. It has no public anchor yet: `bundle upgrade` adds one."""
    from hybrid_bridge.rpc.v1 import bridge_pb2 as pb  # noqa: PLC0415 gRPC is dear; help must not pay

    request = pb.BundleRequest(
        purpose="record" if leaves else "registry",
        entry_leaves=leaves,
        disclosed=[pb.Disclosed(entry_leaf=leaf, names=names) for leaf in leaves if names],
        labels=[pb.RegisteredRequest(label=label) for label in labels],
        size=size,
        transactions=transactions,
        newest=newest,
        cose_receipt=receipt,
        presentable=presentable,
        cosignatures=cosignatures,
        governance=governance,
    )
    with _desk(folder) as desk:
        made = desk.bundle(request)
    with writing("--out"):
        out.write_bytes(made)


@contextmanager
def _desk(folder: Path) -> Iterator["GrpcDesk"]:
    from hybrid_bridge.node.opening import desk_of  # noqa: PLC0415 gRPC is dear; help must not pay

    with desk_of(folder) as desk:
        yield desk


def _list(found: Sequence[Mapping[str, object]], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for row in found:
        click.echo("  ".join(str(value) for value in row.values()))


def _tell(found: dict[str, Json], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for name, value in found.items():
        click.echo(f"{name:>12}  {value}")


def _read_fields(path: Path) -> bytes:
    """Any JSON object of flat values becomes its canonical form."""
    try:
        value = json.loads(path.read_bytes())
    except ValueError:
        raise FieldMalformed(field=path.name, rule="JSON") from None
    if not isinstance(value, dict):
        raise FieldMalformed(field=path.name, rule="an object")
    return canonical_json(value)


def _read_consents(path: Path) -> list[bytes]:
    try:
        value = json.loads(path.read_bytes())
    except ValueError:
        value = None
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise FieldMalformed(field=path.name, rule="what `member authorise` wrote")
    return [parse_b64u(text, "consent") for text in value]
