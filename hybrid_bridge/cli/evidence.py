"""`hybrid-bridge evidence`: what a node did wrong, in a file that anybody verifies offline."""

import json
import time
from collections.abc import Sequence
from pathlib import Path

import click

from hybrid_bridge.cli.asking import best, log_id_of, node_option, others, read_promise
from hybrid_bridge.cli.bundle import anchored_size, with_anchor
from hybrid_bridge.cli.member import Hex
from hybrid_bridge.cli.options import FOLDER, INPUT, OUTPUT
from hybrid_bridge.cli.outputs import writing
from hybrid_bridge.cli.verify import hex_option, sights_of
from hybrid_bridge.core.bundle import SUFFIX, Bundle, decode_bundle
from hybrid_bridge.core.encoding import Json
from hybrid_bridge.core.evidence import PROVEN
from hybrid_bridge.core.promise import SignedPromise
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.trust import Trust, TrustedLog
from hybrid_bridge.errors import BridgeError, Missing, Unknown
from hybrid_bridge.steps.verify import verify
from hybrid_bridge.units import Address, LogId, TransactionId, UnixSeconds


@click.group()
def command() -> None:
    """Make evidence against a node out of what it signed."""


@command.command()
@click.option("--dir", "folder", type=FOLDER, required=True, help="The submitter's folder.")
@click.option("--transaction", type=Hex(), required=True, help="As `member promises` lists it.")
@click.option(
    "--promise",
    "kept",
    type=INPUT,
    help="The promise, if one's own node has lost it: as `member submit` printed it.",
)
@node_option
@click.option("--rpc", "url", metavar="URL", help="Public-chain endpoint: stand on the newest anchored checkpoint.")
@click.option("--contract", "contract_hex", metavar="ADDRESS", help="The anchor contract, with --rpc.")
@click.option("--out", type=OUTPUT, required=True, help=f"NAME{SUFFIX}")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def omission(
    folder: Path,
    transaction: bytes,
    kept: Path | None,
    nodes: tuple[str, ...],
    url: str | None,
    contract_hex: str | None,
    out: Path,
    as_json: bool,
) -> int:
    """Show that a node accepted a TRANSACTION and left it out: its promise, and every epoch of the window without it.

    \b
    Exit code 0: the omission is proven; the file is written.
    Exit code 1: refuted. The entry, or its refusal, is there; the epoch is named and no file is written.
    Exit code 2: nobody promised this transaction.
    Exit code 3: the promise is not due yet, or no checkpoint (with --rpc: no anchored one) covers its window.
    """  # noqa: D301 click reads the escape
    if (url is None) != (contract_hex is None):
        raise click.UsageError("--rpc and --contract go together")  # noqa: EM101, TRY003 click's own
    contract = Address(bytes(20) if contract_hex is None else hex_option(contract_hex, 20, "--contract"))
    log_id = log_id_of(folder)
    size = 0 if url is None else anchored_size(log_id, url, contract)
    bundle = _claim(folder, TransactionId(transaction), size, nodes, kept)
    if url is not None:
        bundle = with_anchor(bundle, url, contract)
    required = ("integrity", "quorum", *["public anchor"] * (url is not None))
    trust = Trust(logs=(TrustedLog(log_id=log_id),), require=required)
    sights = () if url is None else sights_of(bundle, trust, (url,), contract_hex)
    evidence = verify(bundle.encode(), trust, UnixSeconds(int(time.time())), sights)
    with writing("--out"):
        out.write_bytes(bundle.encode())
    verdict, anchor = evidence.verdict("omission"), evidence.verdict("public anchor")
    found: dict[str, Json] = {
        "file": str(out),
        "omission": verdict.result,
        "detail": verdict.detail,
        "public_anchor": anchor.result,
        "missing": list(evidence.missing),
    }
    click.echo(json.dumps(found, indent=2) if as_json else "\n".join(f"{k:>13}  {v}" for k, v in found.items() if v))
    is_about_it = evidence.promise is not None and evidence.promise.transaction == transaction
    return 0 if evidence.complete and is_about_it and verdict.result == PROVEN else Missing.exit_code


def _claim(folder: Path, transaction: TransactionId, size: int, nodes: Sequence[str], kept: Path | None) -> Bundle:
    """The first bundle in which the omission is proven, else the first that anybody makes; one's own node first."""
    from hybrid_bridge.node.opening import desk_of  # noqa: PLC0415 gRPC is dear; help must not pay
    from hybrid_bridge.rpc.v1 import bridge_pb2 as pb  # noqa: PLC0415

    def own() -> Bundle:
        with desk_of(folder) as desk:
            return decode_bundle(desk.bundle(pb.BundleRequest(purpose="omission", promised=transaction, size=size)))

    def promise() -> SignedPromise:
        if kept is not None:
            return read_promise(kept)
        after = 0
        with desk_of(folder) as desk:
            while page := desk.promises(after):
                for signed in (SignedPromise.decode(row.promise) for row in page):
                    if signed.promise.transaction_id == transaction:
                        return signed
                after = page[-1].number
        raise Unknown(what="promise for this transaction; name it with --promise")

    with others(folder, nodes) as asked:
        return best([own, *(lambda one=one: one.omission(promise(), size) for one in asked)], _worth)


def _worth(bundle: Bundle) -> int:
    """1 if it proves by itself that the log left something out; a quorum's notes are needed for that, no anchor."""
    log = TrustedLog(log_id=LogId(leaf_hash(bundle.genesis.record)))
    trust = Trust(logs=(log,), require=("integrity", "quorum"))
    try:
        evidence = verify(bundle.encode(), trust, UnixSeconds(int(time.time())))
    except BridgeError:
        return -1
    return int(evidence.verdict("omission").result == PROVEN)
