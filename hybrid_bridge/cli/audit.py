"""`hybrid-bridge audit`: fetch a registry's deltas, and replay them against a checkpoint that the public chain holds.

A folder has `checkpoint.hb.json`, and of each epoch `NNNNNNNN.record` and `NNNNNNNN.delta`. Nothing in it is believed:
the checkpoint is verified like any bundle, the records are the leaves of its tree or they are refused, and each delta
must lead from one record's registry root to the next. `audit.json` is the auditor's own mark of how far he came.
"""

import json
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

import click

from hybrid_bridge.cli.bundle import anchored_size, with_anchor
from hybrid_bridge.cli.outputs import writing
from hybrid_bridge.cli.verify import checkpoint_of, hex_option, read_bounded, sights_of
from hybrid_bridge.core.audit import Audit, AuditMark
from hybrid_bridge.core.bundle import MAX_BUNDLE, Bundle, decode_bundle
from hybrid_bridge.core.checkpoint import Note, parse_note
from hybrid_bridge.core.encoding import Json
from hybrid_bridge.core.evidence import VERIFIED, Evidence
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.registry import MAX_DELTA, Delta, Pair
from hybrid_bridge.core.trust import MAX_TRUST, Trust, parse_trust
from hybrid_bridge.errors import FieldMalformed, FieldMismatch, Missing, NotYet, TooLong
from hybrid_bridge.steps.verify import verify
from hybrid_bridge.units import Address, Digest, EpochNumber, LogId, TreeSize, UnixSeconds

if TYPE_CHECKING:
    from hybrid_bridge.adapters.grpc_member.audit import GrpcAudited

CHECKPOINT: Final = "checkpoint.hb.json"
MARK: Final = "audit.json"
MAX_RECORD: Final = 832
MAX_DELTA_FILE: Final = 64 * MAX_DELTA + 256
MAX_MARK: Final = 1 << 12
KEEP_EVERY: Final = 64  # epochs between two marks on disk
ASKED: Final = 256  # epochs in one call
_BY_MARK: Final = f"by the word of {MARK} in FOLDER (--from-start replays)"
_NAME: Final = re.compile(r"[0-9]{8}\.delta")

FOLDER: Final = click.Path(path_type=Path, file_okay=False)
THERE: Final = click.Path(path_type=Path, exists=True, file_okay=False)


@click.group()
def command() -> None:
    """Replay the registry from its deltas. No plaintext is needed, and none is learned."""


@command.command()
@click.argument("folder", type=FOLDER)
@click.option("--node", metavar="NAME=HOST:PORT", help="A member's node, asked with --as.")
@click.option("--as", "client", type=THERE, help="An auditor's folder: ca.pem, tls.pem, tls.key.")
@click.option("--dir", "member", type=THERE, help="Or: one's own node, by the member's folder.")
@click.option("--rpc", "url", metavar="URL", help="Public-chain endpoint: take the newest anchored checkpoint.")
@click.option("--contract", "contract_hex", metavar="ADDRESS", help="The anchor contract, with --rpc.")
@click.option(
    "--log", "log_hex", metavar="HEX", help="The log that is meant; without it, that of FOLDER or the node's."
)
def fetch(
    folder: Path,
    node: str | None,
    client: Path | None,
    member: Path | None,
    url: str | None,
    contract_hex: str | None,
    log_hex: str | None,
) -> None:
    """Write a checkpoint, and every epoch's record and registry delta, into FOLDER; what is there is kept.

    Nothing is written before a quorum of the log's validators is seen under the checkpoint. What FOLDER holds is of one
    log, and its checkpoint never becomes an older one.
    """
    log_id = _log_of(folder, log_hex)
    with _source(node, client, member) as source:
        bundle, note = _checkpoint(source, log_id, url, contract_hex)
        with writing("FOLDER"):
            folder.mkdir(parents=True, exist_ok=True)
        _require_newer(folder, note)
        _write(folder / CHECKPOINT, bundle.encode())
        lacking, count = _lacking(folder, note.size), 0
        with click.progressbar(_fetched(source, lacking), length=note.size, label="fetch", file=_stderr()) as rows:
            for epoch, record, delta in rows:
                _write(folder / f"{epoch:08}.delta", delta)
                _write(folder / f"{epoch:08}.record", record)  # last: an epoch with a record is whole
                count += 1
    click.echo(f"{folder}: checkpoint of size {note.size}, {count} epochs fetched")


@command.command()
@click.argument("folder", type=THERE)
@click.option("--trust", "trust_file", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=True)
@click.option("--rpc", "urls", metavar="URL", multiple=True, help="Ask this endpoint what is final; repeatable.")
@click.option("--contract", "contract_hex", metavar="ADDRESS", help="The anchor contract you rely on.")
@click.option("--from-start", is_flag=True, help="Do not go on from an earlier audit in FOLDER.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def registry(
    folder: Path, trust_file: Path, urls: tuple[str, ...], contract_hex: str | None, from_start: bool, as_json: bool
) -> int:
    """Recompute every epoch's registry root from the founding dummies on: insertions only, nothing vanished.

    The checkpoint in FOLDER is verified against your trust file first, its epoch records against the checkpoint. An
    interrupted audit goes on where it stopped, by a mark in FOLDER: of a folder that others made, use --from-start.

    \b
    Exit code 0: the registry only grew, up to that checkpoint.
    Exit code 1: it did not, or the files are not that log's; the epoch and what differs are named.
    Exit code 3: a file is missing, or the checkpoint lacks what your trust file requires.
    """  # noqa: D301 click reads the escape
    bundle = decode_bundle(read_bounded(folder / CHECKPOINT, MAX_BUNDLE))
    trust = parse_trust(read_bounded(trust_file, MAX_TRUST))
    evidence = _judged(bundle, trust, urls, contract_hex)
    note = parse_note(bundle.checkpoints[0].note)
    audit, resumed = _replayed(folder, Genesis.decode(bundle.genesis.record), note, from_start=from_start)
    found = _report(audit.mark, evidence, resumed)
    click.echo(json.dumps(found, indent=2) if as_json else "\n".join(f"{k:>16}  {v}" for k, v in found.items()))
    return 0


# ── fetching ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _source(node: str | None, client: Path | None, member: Path | None) -> "GrpcAudited":
    from hybrid_bridge.adapters.grpc_member.audit import GrpcAudited  # noqa: PLC0415 gRPC is dear; help must not pay
    from hybrid_bridge.node.opening import owner_files  # noqa: PLC0415
    from hybrid_bridge.node.settings import read_settings  # noqa: PLC0415

    if member is not None and node is None and client is None:
        settings = read_settings(member)
        return GrpcAudited.at(settings.name, settings.listen, owner_files(member / "owner"))
    name, _, endpoint = (node or "").partition("=")
    if not name or not endpoint or client is None or member is not None:
        raise click.UsageError("name --node NAME=HOST:PORT and --as, or --dir")  # noqa: EM101, TRY003 click's own
    return GrpcAudited.at(name, endpoint, owner_files(client))


def _log_of(folder: Path, log_hex: str | None) -> LogId | None:
    """The log that is meant, by the caller and by what was fetched before.

    Raises:
        FieldMismatch: they mean two.
    """
    meant, before = None if log_hex is None else LogId(hex_option(log_hex, 32, "--log")), _standing(folder)
    if before is None:
        return meant
    found = Genesis.decode(before.genesis.record).log_id
    if meant not in (None, found):
        raise FieldMismatch(field="FOLDER", expected=f"of log {found.hex()}", got=f"--log {(meant or b'').hex()}")
    return found


def _standing(folder: Path) -> Bundle | None:
    path = folder / CHECKPOINT
    return decode_bundle(read_bounded(path, MAX_BUNDLE)) if path.exists() else None


def _require_newer(folder: Path, note: Note) -> None:
    before = _standing(folder)
    size = 0 if before is None else parse_note(before.checkpoints[0].note).size
    if note.size < size:
        raise NotYet(what=f"a checkpoint of size {size} at this node; FOLDER has one already")


def _checkpoint(
    source: "GrpcAudited", log_id: LogId | None, url: str | None, contract_hex: str | None
) -> tuple[Bundle, Note]:
    if (url is None) != (contract_hex is None):
        raise click.UsageError("--rpc and --contract go together")  # noqa: EM101, TRY003 click's own
    newest, note = checkpoint_of(source.checkpoint(TreeSize(0)), log_id)
    if url is None or contract_hex is None:
        return newest, note
    contract, found = Address(hex_option(contract_hex, 20, "--contract")), Genesis.decode(newest.genesis.record).log_id
    bundle, note = checkpoint_of(source.checkpoint(anchored_size(found, url, contract)), found)
    return with_anchor(bundle, url, contract), note


def _lacking(folder: Path, size: TreeSize) -> Iterator[int]:
    return (epoch for epoch in range(size) if not (folder / f"{epoch:08}.record").exists())


def _fetched(source: "GrpcAudited", epochs: Iterator[int]) -> Iterator[tuple[int, bytes, bytes]]:
    """Each of these epochs, in order, however many calls that takes; of each call no more than was asked for.

    Raises:
        Missing: the node does not have one that its own checkpoint covers.
        TooLong: a record or delta is longer than any can be.
    """
    for first, last in _stretches(epochs):
        epoch = first
        while epoch <= last:
            messages = islice(source.deltas(EpochNumber(epoch), EpochNumber(last)), last - epoch + 1)
            before = epoch
            for message in messages:
                _require_short("record", message.record, MAX_RECORD)
                _require_short("delta", message.delta, MAX_DELTA_FILE)
                yield epoch, message.record, message.delta
                epoch += 1
            if epoch == before:
                raise Missing(what=f"epoch {epoch} at this node")


def _stretches(epochs: Iterator[int]) -> Iterator[tuple[int, int]]:
    """Runs without a gap, each short enough for one call."""
    first = last = next(epochs, None)
    if first is None or last is None:
        return
    for epoch in epochs:
        if epoch != last + 1 or epoch == first + ASKED:
            yield first, last
            first = epoch
        last = epoch
    yield first, last


def _require_short(field: str, data: bytes, limit: int) -> None:
    if len(data) > limit:
        raise TooLong(field=field, limit=limit, got=len(data))


def _write(path: Path, data: bytes) -> None:
    beside = path.with_name(path.name + ".new")
    with writing("FOLDER"):
        beside.write_bytes(data)
        beside.replace(path)


# ── replaying ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _judged(bundle: Bundle, trust: Trust, urls: tuple[str, ...], contract_hex: str | None) -> Evidence:
    """The checkpoint, verified.

    Raises:
        Missing: the trust file requires more than the bundle and the endpoints show.
    """
    data, now = bundle.encode(), UnixSeconds(int(time.time()))
    evidence = verify(data, trust, now)
    if urls:
        evidence = verify(data, trust, now, sights_of(bundle, trust, urls, contract_hex))
    if not evidence.complete:
        raise Missing(what=f"of the checkpoint: {'; '.join(evidence.missing)}"[:250])
    return evidence


def _replayed(folder: Path, genesis: Genesis, note: Note, *, from_start: bool) -> tuple[Audit, int]:
    """The finished audit, and how many epochs an earlier one had covered."""
    strangers = [path.name for path in folder.glob("*.delta") if _NAME.fullmatch(path.name) is None]
    if strangers:
        raise FieldMalformed(field=strangers[0][:64], rule="one delta an epoch, named NNNNNNNN.delta")
    audit, mark = Audit(genesis), None if from_start else _read_mark(folder)
    if mark is not None and mark.epoch < note.size:
        audit.resume(mark, *_so_far(folder, mark.epoch))
    resumed = audit.next_epoch
    epochs = range(resumed, note.size)
    with click.progressbar(epochs, label="replay", file=_stderr()) as rows:
        for epoch in rows:
            audit.take(_record(folder, epoch), _delta(folder, epoch))
            if epoch % KEEP_EVERY == 0:
                _write_mark(folder, audit.mark)
    audit.finish(note.size, note.root)
    _write_mark(folder, audit.mark)
    return audit, resumed


def _so_far(folder: Path, last: int) -> tuple[Iterator[bytes], Iterator[Pair]]:
    pairs = (pair for epoch in range(last + 1) for pair in _delta(folder, epoch).pairs)
    return (_record(folder, epoch) for epoch in range(last + 1)), pairs


def _record(folder: Path, epoch: int) -> bytes:
    return _file(folder / f"{epoch:08}.record", f"the record of epoch {epoch}", MAX_RECORD)


def _delta(folder: Path, epoch: int) -> Delta:
    return Delta.decode(_file(folder / f"{epoch:08}.delta", f"the delta of epoch {epoch}", MAX_DELTA_FILE))


def _file(path: Path, what: str, limit: int) -> bytes:
    if not path.exists():
        raise Missing(what=what)
    return read_bounded(path, limit)


def _read_mark(folder: Path) -> AuditMark | None:
    """Where the last audit of this folder stopped; its own file, so a broken one is no mark.

    Raises:
        FieldMalformed: the file is not what an audit wrote.
    """
    path = folder / MARK
    if not path.exists():
        return None
    try:
        told = json.loads(read_bounded(path, MAX_MARK))
        roots = [Digest(bytes.fromhex(told[name])) for name in ("registry_root", "log_root")]
        numbers = int(told["epoch"]), int(told["insertions"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        raise FieldMalformed(field=MARK, rule="as an audit wrote it; --from-start does without it") from None
    return AuditMark(epoch=EpochNumber(numbers[0]), registry_root=roots[0], log_root=roots[1], insertions=numbers[1])


def _write_mark(folder: Path, mark: AuditMark) -> None:
    told = {name: value.hex() if isinstance(value, bytes) else value for name, value in asdict(mark).items()}
    _write(folder / MARK, json.dumps(told, indent=2).encode() + b"\n")


def _report(mark: AuditMark, evidence: Evidence, resumed: int) -> dict[str, Json]:
    anchor = evidence.verdict("public anchor")
    return {
        "log_id": evidence.log_id.hex(),
        "registry": "only grew" + f" after epoch {resumed - 1}; up to it {_BY_MARK}" * (resumed > 0),
        "epochs": mark.epoch + 1,
        "resumed_at": resumed,
        "insertions": mark.insertions,
        "registry_root": mark.registry_root.hex(),
        "checkpoint": mark.epoch + 1,
        "log_root": mark.log_root.hex(),
        "quorum": evidence.verdict("quorum").result,
        "public_anchor": anchor.result if anchor.result != VERIFIED else anchor.detail,
    }


def _stderr() -> TextIO:
    """Progress is for people: standard output holds the answer alone."""
    return sys.stderr
