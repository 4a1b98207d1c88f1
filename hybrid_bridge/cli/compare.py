"""`hybrid-bridge compare`: were two outsiders shown the same history of one log? Offline, by their two bundles."""

import json
import shlex
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hybrid_bridge.cli.exits import plain
from hybrid_bridge.cli.histories import read_history
from hybrid_bridge.cli.options import OUTPUT, json_option
from hybrid_bridge.cli.outputs import writing
from hybrid_bridge.cli.readable import hanging
from hybrid_bridge.cli.verify import EXISTING, hex_option, read_bounded
from hybrid_bridge.core.bundle import MAX_BUNDLE, decode_bundle
from hybrid_bridge.core.encoding import Json
from hybrid_bridge.core.evidence import utc
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.split_view import MAX_SPLIT_VIEW, SUFFIX, Between, SplitView
from hybrid_bridge.core.trust import MAX_TRUST, Trust, TrustedLog, parse_trust
from hybrid_bridge.errors import Missing, Refuted
from hybrid_bridge.steps.verify.compare import (
    SAME,
    SPLIT,
    Comparison,
    Difference,
    Finding,
    compare,
    split_view,
    telling,
)
from hybrid_bridge.units import LogId, TreeSize, UnixSeconds

if TYPE_CHECKING:
    from hybrid_bridge.cli.watch.judging import Judged

EXIT = {SAME: 0, SPLIT: Refuted.exit_code}


@click.command()
@click.argument("one", type=click.Path(path_type=Path, exists=True))
@click.argument("other", type=EXISTING, required=False)
@click.option("--trust", "trust_file", type=EXISTING, help="Your trust file: logs and authorities you rely on.")
@click.option("--log", "log_hex", metavar="HEX", help="The log id that you mean.")
@click.option(
    "--log-copy",
    type=click.Path(path_type=Path, exists=True),
    help="If the two do not decide it: a folder of the log's tiles, or a bundle with both checkpoints. It is checked.",
)
@click.option("--out", type=OUTPUT, help=f"If they contradict one another: evidence for anybody, NAME{SUFFIX}.")
@json_option
def command(
    one: Path,
    other: Path | None,
    trust_file: Path | None,
    log_hex: str | None,
    log_copy: Path | None,
    out: Path | None,
    as_json: bool,
) -> int:
    """Compare two bundles of one log, ONE and OTHER. ONE alone: evidence of a split view, judged again.

    ONE may be a folder of evidence that `hybrid-bridge watch` has kept. It is judged by the set of validators that the
    genesis record names; OTHER, a bundle of the log, proves later sets.

    Each is verified first. Two checkpoints that a quorum signed and that lead to different leaves at one place are two
    histories, whatever their sizes: named is where they part, and who signed both. No server is asked.

    \b
    Exit code 0: one history; the smaller is the beginning of the larger.
    Exit code 1: TWO HISTORIES, or one of the bundles is refuted by itself.
    Exit code 2: malformed, of two logs, or of one that you did not name.
    Exit code 3: these files cannot tell; what could is named.
    """  # noqa: D301 click reads the escape
    trust = Trust() if trust_file is None else parse_trust(read_bounded(trust_file, MAX_TRUST))
    if log_hex is not None:
        trust = replace(trust, logs=(TrustedLog(log_id=LogId(hex_option(log_hex, 32, "--log"))),))
    if one.is_dir():
        if out is not None or log_copy is not None:
            raise click.UsageError("a folder of evidence takes neither --out nor --log-copy")  # noqa: EM101, TRY003
        return _kept(one, None if other is None else read_bounded(other, MAX_BUNDLE), trust, as_json=as_json)
    find = None if log_copy is None else _in_copy(log_copy)
    if other is None:
        view = SplitView.decode(read_bounded(one, MAX_SPLIT_VIEW))
        pair, tie = (view.one.encode(), view.other.encode()), view.between
        find = find if tie is None else lambda _older, _newer: tie
    else:
        pair = read_bounded(one, MAX_BUNDLE), read_bounded(other, MAX_BUNDLE)
    _require_one_log(pair, trust)
    found = compare(*pair, trust, UnixSeconds(int(time.time())), find)
    if out is not None and found.difference is not None:
        with writing("--out"):
            out.write_bytes(split_view(*pair, found.between).encode())
    written = out if found.difference is not None else None
    names = (str(one), str(one) if other is None else str(other))
    click.echo(json.dumps(_machine(found, written), indent=2) if as_json else "\n".join(_told(found, names, written)))
    return EXIT.get(found.result, Missing.exit_code)


def _require_one_log(pair: tuple[bytes, bytes], trust: Trust) -> None:
    """Bundles of two logs are no history of one; and who names logs means one of them."""
    ours, theirs = (_log_of(data, which) for data, which in zip(pair, ("first", "second"), strict=True))
    if ours != theirs:
        raise click.UsageError(f"the bundles are of two logs: {ours.hex()} and {theirs.hex()}")  # noqa: EM102, TRY003
    _require_named(ours, trust)


def _require_named(log_id: bytes, trust: Trust) -> None:
    if trust.logs and log_id not in {log.log_id for log in trust.logs}:
        raise click.UsageError(f"it is of a log that you did not name: {log_id.hex()}")  # noqa: EM102, TRY003


def _kept(folder: Path, bundle: bytes | None, trust: Trust, *, as_json: bool) -> int:
    """A watcher's evidence."""
    from hybrid_bridge.cli.watch.judging import judged, log_of  # noqa: PLC0415 a watcher's modules are dear

    log = log_of(folder, bundle, trust, UnixSeconds(int(time.time())))
    _require_named(log.log_id, trust)
    found = judged(folder, log)
    click.echo(json.dumps(found.to_json(), indent=2) if as_json else "\n".join(_words_of(found)))
    return 0 if not found.is_split else Refuted.exit_code if found.both else Missing.exit_code


def _log_of(data: bytes, which: str) -> bytes:
    with telling(which):
        return leaf_hash(decode_bundle(data).genesis.record)


def _in_copy(log_copy: Path) -> Finding:
    """Read when the two files do not decide by themselves, and no sooner."""

    def find(older: TreeSize, newer: TreeSize) -> Between:
        stretch = read_history(log_copy).between(older, newer)
        return Between(stretch.older_root, tuple(stretch.path))

    return find


def _machine(found: Comparison, written: Path | None) -> dict[str, Json]:
    return {**found.to_json(), **({} if written is None else {"evidence": str(written)})}


# ── for people ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _told(found: Comparison, names: tuple[str, str], written: Path | None) -> Iterator[str]:
    heads = {SAME: "ONE HISTORY", SPLIT: "TWO HISTORIES OF ONE LOG"}
    yield f"{heads.get(found.result, 'NOT DECIDED by these two files')}"
    yield f"  log {plain(found.origin)}"
    yield f"  log id {found.log_id.hex()}"
    yield ""
    for name, size in zip(names, found.newest, strict=True):
        yield from hanging(f"  {size:>10}  ", f"leaves under the newest checkpoint of {name}")
    yield from hanging(f"  {found.agreed:>10}  ", f"leaves that both show alike, until {utc(found.agreed_time)}")
    yield ""
    if found.difference is not None:
        yield from _split(found.difference, names)
        yield from _next_steps(found, names, written)
    elif found.result == SAME:
        yield from hanging(
            "", "The smaller history is the beginning of the larger one. Nothing says what comes after the larger."
        )
    else:
        yield from hanging(
            "",
            "No contradiction is in them, and no proof that there is none. Bring one more file, by --log-copy: the "
            "log's tiles (`hybrid-bridge tiles`), or a bundle that holds both checkpoints.",
        )


def _words_of(found: "Judged") -> Iterator[str]:
    yield "TWO HISTORIES OF ONE LOG" if found.is_split else "ONE HISTORY"
    yield f"  log {plain(found.log.origin)}"
    yield f"  log id {found.log.log_id.hex()}"
    yield ""
    for note, who in zip(found.notes, found.signers, strict=True):
        yield from hanging(f"  {note.size:>10}  ", f"leaves under root {note.root.hex()}, signed by {len(who)}:")
        yield from (f"  {'':>10}  0x{one.hex()}" for one in sorted(who))
    yield ""
    if not found.is_split:
        yield "The smaller history is the beginning of the larger one: the evidence accuses nobody."
        return
    yield (
        "Signed both:" if found.both else "Nobody signed both: who of them left the other's history, this cannot tell."
    )
    yield from (f"  0x{one.hex()}" for one in sorted(found.both))
    yield from hanging("", "A quorum signed each." if found.is_quorums else "Fewer than a quorum signed one of them.")
    if len(found.log.sets) == 1:
        known = "Known is the first set of validators: whether another one was in charge by then, a bundle may tell."
        yield from hanging("", known)


def _split(split: Difference, names: tuple[str, str]) -> Iterator[str]:
    begin, end = split.stretch
    where = f"epoch {begin}" if end - begin == 1 else f"epochs {begin} to {end - 1}"
    yield from hanging("", f"They part in {where}:")
    for name, digest, size in zip(names, split.hashes, split.sizes, strict=True):
        yield from hanging(f"  {digest.hex()}  ", f"{name}, under the checkpoint of size {size}")
    yield "Signed both:" if split.accused else "Nobody signed both."
    for one in split.accused:
        yield from hanging(f"  0x{one.address.hex()}  ", one.name.text)
    if split.sets[0] != split.sets[1]:
        told = (
            f"The checkpoints are of validator sets {split.sets[0]} and {split.sets[1]}. By one bundle the other's set "
            "was not responsible there: keys of a retired set may have signed. See `hybrid-bridge members`."
        )
        yield from hanging("", told)


def _next_steps(found: Comparison, names: tuple[str, str], written: Path | None) -> Iterator[str]:
    yield ""
    if written is None:
        files = "both files and the copy" if found.between is not None else "the files"
        keep = f"Keep {files}: they are the evidence. --out NAME{SUFFIX} writes one file without private fields."
    else:
        keep = f"Evidence for anybody, without private fields: {written}. `hybrid-bridge compare {written}` judges it."
    yield from hanging("", keep)
    split = found.difference
    if split is not None and split.common is not None and split.sets[0] == split.sets[1] and names[0] != names[1]:
        yield "The public chain takes this, too, and ends the log for good if a quorum signed both:"
        yield f"  hybrid-bridge contract report equivocation {plain(shlex.join(names))} … (see --help for who pays)"
