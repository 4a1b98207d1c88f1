"""`hybrid-bridge compare`: were two outsiders shown the same history of one log? Offline, by their two bundles."""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import click

from hybrid_bridge.cli.contract.histories import read_history
from hybrid_bridge.cli.exits import plain
from hybrid_bridge.cli.options import OUTPUT, json_option
from hybrid_bridge.cli.outputs import writing
from hybrid_bridge.cli.readable import hanging
from hybrid_bridge.cli.verify import EXISTING, hex_option, read_bounded
from hybrid_bridge.core.bundle import MAX_BUNDLE, decode_bundle
from hybrid_bridge.core.encoding import Json
from hybrid_bridge.core.evidence import utc
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.split_view import MAX_SPLIT_VIEW, SUFFIX, SplitView
from hybrid_bridge.core.trust import MAX_TRUST, Trust, TrustedLog, parse_trust
from hybrid_bridge.errors import FieldMismatch, Missing, Refuted
from hybrid_bridge.steps.verify.compare import SAME, SPLIT, Between, Comparison, Difference, compare, split_view
from hybrid_bridge.units import Digest, LogId, TreeSize, UnixSeconds

EXIT = {SAME: 0, SPLIT: Refuted.exit_code}


@click.command()
@click.argument("one", type=EXISTING)
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

    Each is verified first. Two checkpoints that a quorum signed and that lead to different leaves at one place are two
    histories, whatever their sizes: named is where they part, and who signed both. No server is asked.

    \b
    Exit code 0: one history; the smaller is the beginning of the larger.
    Exit code 1: TWO HISTORIES, or one of the bundles is refuted by itself.
    Exit code 2: malformed, or of two logs.
    Exit code 3: these files cannot tell; what could is named.
    """  # noqa: D301 click reads the escape
    if other is None:
        view = SplitView.decode(read_bounded(one, MAX_SPLIT_VIEW))
        pair = view.one.encode(), view.other.encode()
    else:
        pair = read_bounded(one, MAX_BUNDLE), read_bounded(other, MAX_BUNDLE)
    trust = Trust() if trust_file is None else parse_trust(read_bounded(trust_file, MAX_TRUST))
    if log_hex is not None:
        trust = replace(trust, logs=(TrustedLog(log_id=LogId(hex_option(log_hex, 32, "--log"))),))
    for data in pair:
        _require_meant(data, trust)
    found = compare(*pair, trust, UnixSeconds(int(time.time())), _between(log_copy))
    if out is not None and found.difference is not None:
        with writing("--out"):
            out.write_bytes(split_view(*pair).encode())
    written = out if found.difference is not None else None
    names = (str(one), str(one) if other is None else str(other))
    click.echo(json.dumps(_machine(found, written), indent=2) if as_json else "\n".join(_told(found, names, written)))
    return EXIT.get(found.result, Missing.exit_code)


def _require_meant(data: bytes, trust: Trust) -> None:
    """Who names logs means one of them.

    Raises:
        FieldMismatch: the bundle is of another.
    """
    meant = {log.log_id for log in trust.logs}
    got = leaf_hash(decode_bundle(data).genesis.record)
    if meant and got not in meant:
        raise FieldMismatch(field="log_id", expected=", ".join(sorted(one.hex() for one in meant)), got=got.hex())


def _between(log_copy: Path | None) -> Between | None:
    if log_copy is None:
        return None
    history = read_history(log_copy)

    def path(older: TreeSize, newer: TreeSize) -> tuple[Digest, Sequence[Digest]]:
        stretch = history.between(older, newer)
        return stretch.older_root, stretch.path

    return path


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
        yield from _next_steps(found.difference, names, written)
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


def _split(split: Difference, names: tuple[str, str]) -> Iterator[str]:
    begin, end = split.stretch
    where = f"epoch {begin}" if end - begin == 1 else f"epochs {begin} to {end - 1}"
    yield from hanging("", f"They part in {where}:")
    for name, digest, size in zip(names, split.hashes, split.sizes, strict=True):
        yield from hanging(f"  {digest.hex()}  ", f"{name}, under the checkpoint of size {size}")
    yield "Signed both:"
    for one in split.accused:
        yield from hanging(f"  0x{one.address.hex()}  ", one.name.text)


def _next_steps(split: Difference, names: tuple[str, str], written: Path | None) -> Iterator[str]:
    yield ""
    if written is None:
        yield from hanging(
            "", f"Keep both files: they are the evidence. --out NAME{SUFFIX} writes one file without private fields."
        )
    else:
        yield from hanging(
            "", f"Evidence for anybody, without private fields: {written}. `hybrid-bridge compare {written}` judges it."
        )
    if split.sizes[0] == split.sizes[1]:
        yield "The public chain takes this, too, and ends the log for good if a quorum signed both:"
        yield f"  hybrid-bridge contract report equivocation {plain(names[0])} {plain(names[1])}"
