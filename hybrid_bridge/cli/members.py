"""`hybrid-bridge members`: who keeps a log's accounts, for outsiders: from the public contract and log alone."""

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from hybrid_bridge.cli.exits import plain
from hybrid_bridge.cli.keepers import KeptSet, Report, Sight, day, decode_sets, report_of
from hybrid_bridge.cli.keeping import COPY, FILE, NAMES, at_hand, openings_of, signed_under
from hybrid_bridge.cli.openings import NOT_OPENED, Keeper
from hybrid_bridge.cli.readable import hanging
from hybrid_bridge.cli.verify import hex_option, read_bounded
from hybrid_bridge.core.evidence import span, utc
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.trust import MAX_TRUST, Trust, parse_trust
from hybrid_bridge.errors import FieldMismatch
from hybrid_bridge.units import Address, LogId, PublicBlockNumber, UnixSeconds


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
    and how many legal entities it takes to sign or to block. Names come out of --names, or were published at the
    contract (`contract names`), and have a mark that says whose word they are; without them a row shows its hash.

    \b
    Exit code 0: read. 1: a name, a set or a copy of the log contradicts the contract.
    Exit code 2: an option or a file must be mended. 3: endpoints do not agree, or do not have it.
    """  # noqa: D301 click reads the escape
    from hybrid_bridge.adapters.evm.agreement import agreement_of  # noqa: PLC0415 web3 is dear; help must not pay
    from hybrid_bridge.adapters.evm.keepers import kept_at, published_at  # noqa: PLC0415

    log_id = LogId(hex_option(log_hex, 32, "--log"))
    contract = None if contract_hex is None else Address(hex_option(contract_hex, 20, "--contract"))
    trust = Trust() if trust_file is None else parse_trust(read_bounded(trust_file, MAX_TRUST))
    openings = openings_of(name_files, log_id)
    asked = agreement_of(urls, contract, trust.thresholds)
    kept = kept_at(asked, log_id, newest=newest, since=PublicBlockNumber(since))
    openings.take_published(published_at(asked, log_id, PublicBlockNumber(since)))
    genesis = Genesis.decode(kept.genesis)
    if genesis.log_id != log_id:
        raise FieldMismatch(field="log_id", expected=log_id.hex(), got=genesis.log_id.hex())
    sets = decode_sets(genesis, kept.sets)
    with TemporaryDirectory() as fetched:
        paths = [at_hand(copy, Path(fetched) / str(number)) for number, copy in enumerate(copies)]
        shown = [signed_under(path, genesis, sets, kept) for path in paths]
    notes = tuple(signed for copied in shown for signed in copied.signed)
    for one in (one for copied in shown for one in copied.left_out):
        click.echo(f"{plain(one.source)}, size {one.size}: {one.reason}", err=True)
    now = UnixSeconds(int(time.time()))
    report = report_of(kept, genesis, sets, Sight(openings=openings, roots=trust.member_roots, notes=notes, now=now))
    click.echo(json.dumps(report.to_json(), indent=2) if as_json else "\n".join(_told(report)))


# ── for people ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _told(report: Report) -> Iterator[str]:
    yield f"log {plain(report.origin)}, {report.state}, anchored up to size {report.head_size} ({utc(report.head_at)})"
    if report.overdue:
        yield f"  the next checkpoint is overdue by {span(report.overdue)}"
    yield f"  log id {report.log_id.hex()}"
    yield f"  contract 0x{report.contract.hex()} on chain {report.chain_id}; {report.basis}"
    named = {kept.set_id: {keeper.address: _short(keeper) for keeper in kept.keepers} for kept in report.sets}
    in_force = next(kept.set_id for kept in report.sets if kept.state == "in force")
    for kept in report.sets:
        yield ""
        yield from _set(kept)
    yield ""
    yield f"Signatures on the newest {len(report.signed)} checkpoints looked at"
    for signed in report.signed:
        names = named[signed.set_id]  # a key may have another name in another set
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
        told = ", as the contract says" if silent.is_told else ""
        yield from hanging("  ", f"{named[in_force][silent.address]}: {last}; {silent.missed} since{told}")


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
