"""`hybrid-bridge members`: who keeps a log's accounts, for outsiders: from the public contract and log alone."""

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import click

from hybrid_bridge.cli.exits import plain
from hybrid_bridge.cli.keepers import (
    KeptSet,
    Report,
    Sight,
    SignedSize,
    day,
    decode_sets,
    report_of,
)
from hybrid_bridge.cli.openings import NOT_OPENED, Keeper, Openings
from hybrid_bridge.cli.readable import hanging
from hybrid_bridge.cli.verify import bundle_and_package, hex_option, read_bounded
from hybrid_bridge.core.attestation import checkpoint_of
from hybrid_bridge.core.bundle import decode_bundle
from hybrid_bridge.core.checkpoint import Note, parse_note, quorum_name, quorum_signatures
from hybrid_bridge.core.evidence import span, utc
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.signing import recover_address
from hybrid_bridge.core.tiles import CHECKPOINT, WIDTH, tile_path
from hybrid_bridge.core.trust import MAX_TRUST, Trust, parse_trust
from hybrid_bridge.core.validators import ValidatorSet
from hybrid_bridge.errors import FieldMismatch, Missing, RootMismatch, TooLong
from hybrid_bridge.units import Address, LogId, PublicBlockNumber, UnixSeconds

if TYPE_CHECKING:
    from hybrid_bridge.adapters.evm.keepers import Kept

OK: Final = 200
FILE: Final = click.Path(path_type=Path, exists=True, dir_okay=False)
NAMES: Final = (
    "A bundle, or the consortium's members.json: names and certificates, each checked against its hash; repeatable."
)
COPY: Final = (
    "A copy of the log: a folder or URL of tiles, a bundle or a note; its roots must be the anchored ones; repeatable."
)
MAX_FETCHED: Final = 1 << 20  # leaves: twenty years of epochs of ten minutes


@click.command()
@click.option("--rpc", "urls", metavar="URL", multiple=True, required=True, help="Several: more than half must agree.")
@click.option("--contract", "contract_hex", metavar="ADDRESS", help="The registry.  [default: its usual address]")
@click.option("--log", "log_hex", metavar="HEX", required=True, help="The log id that you rely on.")
@click.option("--names", "name_files", type=FILE, multiple=True, help=NAMES)
@click.option("--trust", "trust_file", type=FILE, help="Your trust file: roots that certify names, how many endpoints.")
@click.option("--log-copy", "copies", metavar="PATH|URL", multiple=True, help=COPY)
@click.option(
    "--anchors", "newest", default=24, show_default=True, type=click.IntRange(1, 1000), help="How many to look at."
)
@click.option("--from-block", "since", default=0, show_default=True, type=click.IntRange(0), help="Look from here on.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(
    urls: Sequence[str],
    contract_hex: str | None,
    log_hex: str,
    name_files: Sequence[Path],
    trust_file: Path | None,
    copies: Sequence[str],
    newest: int,
    since: int,
    as_json: bool,
) -> None:
    """List who keeps a log's accounts (one's own desk is `hybrid-bridge member`, without s).

    From the public contract: every validator set, from which size on, who signed the newest anchors, who is silent,
    and how many legal entities it takes to sign or to block. Names come out of --names and have a mark that says whose
    word they are; without them a row shows its hash.

    \b
    Exit code 0: read. 1: a name, a set or a copy of the log contradicts the contract.
    Exit code 2: an option or a file must be mended. 3: endpoints do not agree, or do not have it.
    """  # noqa: D301 click reads the escape
    from hybrid_bridge.adapters.evm.keepers import keepers_at  # noqa: PLC0415 web3 is dear; help must not pay

    log_id = LogId(hex_option(log_hex, 32, "--log"))
    contract = None if contract_hex is None else Address(hex_option(contract_hex, 20, "--contract"))
    trust = Trust() if trust_file is None else parse_trust(read_bounded(trust_file, MAX_TRUST))
    openings = _openings(name_files, log_id)
    kept = keepers_at(
        urls,
        contract,
        log_id,
        newest=newest,
        since=PublicBlockNumber(since),
        thresholds={chain.chain_id: chain.threshold for chain in trust.public_chains},
    )
    genesis = Genesis.decode(kept.genesis)
    if genesis.log_id != log_id:
        raise FieldMismatch(field="log_id", expected=log_id.hex(), got=genesis.log_id.hex())
    sets = decode_sets(genesis, kept.sets)
    with TemporaryDirectory() as fetched:
        paths = [_at_hand(copy, Path(fetched) / str(number)) for number, copy in enumerate(copies)]
        notes = tuple(signed for path in paths for signed in _copied(path, genesis, sets, kept))
    now = UnixSeconds(int(time.time()))
    report = report_of(kept, genesis, sets, Sight(openings=openings, roots=trust.member_roots, notes=notes, now=now))
    click.echo(json.dumps(report.to_json(), indent=2) if as_json else "\n".join(_told(report)))


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _openings(paths: Sequence[Path], log_id: LogId) -> Openings:
    from hybrid_bridge.node.directory import FORMAT, parse_members  # noqa: PLC0415 PKI is dear; help must not pay

    openings = Openings()
    for path in paths:
        data, _ = bundle_and_package(path)
        if f'"format":"{FORMAT}"'.encode() in data[:1024]:
            openings.take_directory(parse_members(data))
        else:
            openings.take_bundle(decode_bundle(data), log_id)
    return openings


def _at_hand(copy: str, folder: Path) -> Path:
    """A path as it is; of a URL the checkpoint and the leaves' hash tiles, fetched.

    Raises:
        Missing: nothing is there.
        TooLong: more leaves than a log has.
        Unreachable, Malformed: see `Service`.
    """
    if not copy.startswith(("http://", "https://")):
        if not Path(copy).exists():
            raise Missing(what=f"a file, a folder or a URL at {copy[:200]}")
        return Path(copy)
    from hybrid_bridge.adapters.web.exchange import Service  # noqa: PLC0415 HTTP only when asked for

    service = Service("the copy of the log", copy)

    def fetched(name: str) -> bytes:
        answer = service.get(f"/{name}")
        if answer.status != OK:
            raise Missing(what=f"{name} at the copy of the log (HTTP {answer.status})")
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(answer.body)
        return answer.body

    size = parse_note(fetched(CHECKPOINT)).size
    if size > MAX_FETCHED:
        raise TooLong(field="size of the copy", limit=MAX_FETCHED, got=size)
    for start in range(0, size, WIDTH):
        fetched(tile_path(0, start // WIDTH, min(WIDTH, size - start)))
    return folder


def _copied(path: Path, genesis: Genesis, sets: Sequence[ValidatorSet], kept: "Kept") -> Iterator[SignedSize]:
    """Whose signatures stand under a copy's checkpoints, once the copy is of the log that was anchored."""
    from hybrid_bridge.cli.contract.histories import read_history, read_notes  # noqa: PLC0415 the rest is dear

    if path.is_dir():
        history = read_history(path)
        tree, notes = getattr(history, "tree", None), read_notes(path / CHECKPOINT)
        for event in (event for event in kept.anchors if tree is not None and event.tree_size <= tree.size):
            _require_root(event.root, tree.root(event.tree_size))  # type: ignore[union-attr]  # asked above
    else:
        notes = read_notes(path)
    for note in notes:
        for event in (event for event in kept.anchors if event.tree_size == note.size):
            _require_root(event.root, note.root)
        yield _signed(note, genesis, sets, kept, path.name)


def _require_root(anchored: bytes, shown: bytes) -> None:
    if anchored != shown:
        raise RootMismatch(expected=anchored, calculated=shown)  # type: ignore[arg-type]  # both of 32 bytes


def _signed(note: Note, genesis: Genesis, sets: Sequence[ValidatorSet], kept: "Kept", source: str) -> SignedSize:
    """Every quorum line that verifies; the set is the one responsible by size."""
    responsible = [s for s, event in zip(sets, kept.sets, strict=True) if event.from_size <= note.size]
    if not responsible:
        raise Missing(what=f"a validator set responsible for size {note.size}")
    validators = responsible[-1]
    checkpoint = checkpoint_of(genesis, validators, note.size, note.root)
    signatures = quorum_signatures(note, validators, genesis.log_id, checkpoint.timestamp)
    ours = {note.origin, *(quorum_name(note.origin, address) for address in validators.addresses)}
    signers = {recover_address(checkpoint.digest(), signature) for signature in signatures}
    return SignedSize(
        size=note.size,
        at=checkpoint.timestamp,
        set_id=validators.set_id,
        source=source,
        signers=tuple(address for address in validators.addresses if address in signers),
        cosigned=tuple(dict.fromkeys(line.name for line in note.lines if line.name not in ours)),
    )


# ── for people ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _told(report: Report) -> Iterator[str]:
    yield f"log {plain(report.origin)}, {report.state}, anchored up to size {report.head_size} ({utc(report.head_at)})"
    if report.overdue:
        yield f"  the next checkpoint is overdue by {span(report.overdue)}"
    yield f"  log id {report.log_id.hex()}"
    yield f"  contract 0x{report.contract.hex()} on chain {report.chain_id}; {report.basis}"
    names = {keeper.address: _short(keeper) for kept in report.sets for keeper in kept.keepers}
    for kept in report.sets:
        yield ""
        yield from _set(kept)
    yield ""
    yield f"Signatures on the newest {len(report.signed)} checkpoints looked at"
    for signed in report.signed:
        who = ", ".join(names[address] for address in signed.signers) or "no signature was found"
        yield from hanging(f"  size {signed.size:>8}  ", f"{who} ({signed.source})")
        if signed.unseen:
            unseen = ", ".join(names[address] for address in signed.unseen)
            yield from hanging(" " * 17, f"named by the contract, signature not seen: {unseen}")
        if signed.cosigned:
            yield from hanging(" " * 17, f"cosigned by, not judged here: {', '.join(signed.cosigned)}")
    for first, final in report.without_anchor:
        which = f"size {first} has no anchor of its own" if first == final else f"sizes {first} to {final} have none"
        yield f"  {which}; the next anchor covers what lies before it"
    if report.silent:
        yield "Not among the signers (an anchor needs a quorum and shows no more: a note shows all)"
    for silent in report.silent:
        last = (
            "in none of them" if silent.last_at is None else f"last at size {silent.last_size}, {utc(silent.last_at)}"
        )
        yield from hanging("  ", f"{names[silent.address]}: {last}; {silent.missed} since")


def _set(kept: KeptSet) -> Iterator[str]:
    end = "on" if kept.to_size is None else f"to {kept.to_size}"
    yield f"Set {kept.set_id} ({kept.state}): from size {kept.from_size} {end}; taken up by 0x{kept.transaction.hex()}"
    for keeper in kept.keepers:
        yield from _keeper(keeper)
    found = kept.independence
    count = f"{found.n} keys, {found.q} sign; {found.entities} legal entities known"
    if found.unknown:
        count += f", {found.unknown} keys of nobody known (counted as the largest entity's)"
    yield from hanging("  ", count)
    enough = f"{found.to_sign} of the entities are enough to sign, {found.to_block} to block"
    yield from hanging("  ", f"independence: {enough}; by {kept.counted}")


def _keeper(keeper: Keeper) -> Iterator[str]:
    name = f"name hash {keeper.name_hash.hex()}"
    if keeper.basis != NOT_OPENED:
        name = f"{keeper.name} ({keeper.legal_id})"
    yield from hanging(f"  0x{keeper.address.hex()}  ", f"{name}; {keeper.basis}")
    if keeper.issuer:
        valid = f"valid {day(keeper.valid_from)} to {day(keeper.valid_until)}"
        yield from hanging(" " * 6, f"certificate {keeper.certificate_hash.hex()[:16]}… of {keeper.issuer}, {valid}")
    others = [f"set {set_id}: 0x{address.hex()}" for set_id, address in keeper.history if address != keeper.address]
    if others:
        yield from hanging(" " * 6, f"other keys of this name: {', '.join(others)}")


def _short(keeper: Keeper) -> str:
    return plain(keeper.name) if keeper.name else f"0x{keeper.address.hex()[:8]}…"
