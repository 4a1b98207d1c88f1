"""`hybrid-bridge verify`: a bundle or export and your own trust in, verdicts out. Offline unless told otherwise."""

import json
import mmap
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from hybrid_bridge.cli.readable import render, render_export, render_package
from hybrid_bridge.core.anchor import EvmAnchor, decode_header
from hybrid_bridge.core.bundle import MAX_BUNDLE, Bundle, decode_bundle
from hybrid_bridge.core.checkpoint import Note, parse_note
from hybrid_bridge.core.evidence import Evidence
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.package import Package, is_package, read_package
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.trust import MAX_TRUST, Trust, TrustedChain, TrustedLog, parse_trust
from hybrid_bridge.core.zip_container import MAX_PACKED
from hybrid_bridge.errors import FieldMalformed, FieldMismatch, Malformed, Missing, TooLong
from hybrid_bridge.steps.verify import PublicSight, verify
from hybrid_bridge.steps.verify.exports import ExportEvidence, export_kind, verify_export
from hybrid_bridge.steps.verify.package import judge_package
from hybrid_bridge.units import Address, LogId, UnixSeconds

EXISTING: Final = click.Path(path_type=Path, exists=True, dir_okay=False)
GENESIS_BYTES: Final = 832
Command = TypeVar("Command", bound=Callable[..., Any])


TRUST_OPTIONS: Final = (
    click.option(
        "--trust",
        "trust_file",
        type=EXISTING,
        help="Your trust file: logs, contracts and public block hashes you rely on.",
    ),
    click.option("--log", "log_hex", metavar="HEX", help="Rely on this log id (instead of, or beside, a trust file)."),
    click.option(
        "--rpc",
        "urls",
        metavar="URL",
        multiple=True,
        help="Ask this public-chain endpoint what is final. Name several: more than half must agree.",
    ),
    click.option(
        "--contract",
        "contract_hex",
        metavar="ADDRESS",
        help="The anchor contract you rely on: on the chain of --rpc; offline, on those the bundle names.",
    ),
)


def trust_options(command: Command) -> Command:
    """What a verifier relies on, as every command that verifies bundles takes it."""
    for option in reversed(TRUST_OPTIONS):
        command = option(command)
    return command


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True))
@trust_options
@click.option(
    "--genesis", "genesis_file", type=EXISTING, help="For exports: the genesis record behind a trusted log id."
)
@click.option("--subject", "subject_file", type=EXISTING, help="For COSE receipts: a file that shows the epoch record.")
@click.option("--json", "as_json", is_flag=True, help="Evidence as JSON.")
def command(
    file: Path,
    trust_file: Path | None,
    log_hex: str | None,
    urls: tuple[str, ...],
    contract_hex: str | None,
    genesis_file: Path | None,
    subject_file: Path | None,
    as_json: bool,
) -> int:
    """Verify a bundle: each verdict, what it rests on, what is missing, what is NOT proven.

    Nothing in FILE (- for standard input) is believed because it is there. Without --rpc everything that can be
    checked offline is checked, and what is missing is named. Other files are known by their content: an evidence
    package (`hybrid-bridge bundle zip`), whose bundle is verified and its documents against the fields that hold their
    SHA-256; a tlog-proof, COSE receipt or SD-JWT, verified as far as its format goes.

    \b
    Exit code 0: all that your trust file requires was verified. Of a bundle with a promise: its omission is PROVEN.
    Exit code 1: refuted; keep the file, it is evidence. Of a promise: what it owes is there.
    Exit code 2: malformed.
    Exit code 3: something required is missing.
    """  # noqa: D301 click reads the escape
    data, package = bundle_and_package(file)
    trust = trust_of(None if trust_file is None else read_bounded(trust_file, MAX_TRUST), log_hex)
    now = UnixSeconds(int(time.time()))
    is_export = export_kind(data) is not None
    of_bundles = {"--rpc": urls, "--contract": contract_hex}
    of_exports = {"--genesis": genesis_file, "--subject": subject_file}
    require_none(of_bundles if is_export else of_exports, "an export" if is_export else "a bundle")
    if is_export:
        if genesis_file is not None:
            trust = _with_genesis(trust, read_bounded(genesis_file, GENESIS_BYTES))
        subject = None if subject_file is None else read_bounded(subject_file, MAX_BUNDLE)
        return _tell_export(verify_export(data, trust, now, subject), as_json=as_json)
    evidence = judged(data, trust, now, urls, contract_hex)
    click.echo(_told(evidence, package, trust, as_json=as_json))
    return 0 if evidence.complete else Missing.exit_code


def trust_of(trust_data: bytes | None, log_hex: str | None) -> Trust:
    """What --trust, the file's bytes, and --log say together.

    Raises:
        Malformed: no trust file, or no log id.
    """
    trust = Trust() if trust_data is None else parse_trust(trust_data)
    if log_hex is None:
        return trust
    return replace(trust, logs=(*trust.logs, TrustedLog(log_id=hex_option(log_hex, 32, "--log"))))


def judged(
    data: bytes, trust: Trust, now: UnixSeconds, urls: tuple[str, ...] = (), contract_hex: str | None = None
) -> Evidence:
    """The evidence of a bundle, with what the endpoints say of the public chain.

    Raises:
        Malformed, Refuted, Undecided: as `verify`; what is said of an endpoint that does not answer.
    """
    contract = None if contract_hex is None else Address(hex_option(contract_hex, 20, "--contract"))
    evidence = verify(data, trust if contract is None else _relying_on(contract, trust, data), now)
    if not urls:  # nobody is asked about a bundle that does not hold by itself, which has raised by now
        return evidence
    try:
        sights = sights_of(decode_bundle(data), trust, urls, contract_hex)
    except Missing as error:  # what holds without them is still worth reading
        return replace(evidence, missing=(*evidence.missing, f"what --rpc was to show: {error.what}"))
    return verify(data, trust, now, sights)


def _tell_export(shown: ExportEvidence, *, as_json: bool) -> int:
    click.echo(json.dumps(shown.to_json(), indent=2) if as_json else render_export(shown))
    return 0 if shown.complete else Missing.exit_code


def require_none(options: Mapping[str, object], kind: str) -> None:
    """An option that this kind of file has no use for is a mistake, never ignored."""
    for option, value in options.items():
        if value:
            raise click.UsageError(f"{option} is not for {kind}")  # noqa: EM102, TRY003 click's own


def _with_genesis(trust: Trust, record: bytes) -> Trust:
    """The record beside the trusted id that is its hash.

    Raises:
        FieldMismatch: it is of no log that is relied on.
    """
    log_id = leaf_hash(record)
    if all(log.log_id != log_id for log in trust.logs):
        expected = ", ".join(log.log_id.hex() for log in trust.logs) or "a trusted log (trust file or --log)"
        raise FieldMismatch(field="--genesis", expected=expected, got=log_id.hex())
    others = tuple(log for log in trust.logs if log.log_id != log_id)
    return replace(trust, logs=(TrustedLog(log_id=log_id, genesis=record), *others))


def _told(evidence: Evidence, package: Package | None, trust: Trust, *, as_json: bool) -> str:
    """The evidence, and what is said of the package that the bundle came in."""
    if package is None:
        return json.dumps(evidence.to_json(), indent=2) if as_json else render(evidence)
    found = judge_package(package, evidence, trust)
    return json.dumps(found.to_json(), indent=2) if as_json else render_package(found)


def bundle_and_package(path: Path) -> tuple[bytes, Package | None]:
    """A bundle's bytes, and the package they came in, if the file is one. A package is mapped, not read into memory.

    Raises:
        TooLong: the file is larger than what it is may be.
        Malformed, FieldMismatch: see `read_package`.
    """
    with click.open_file(str(path), "rb") as stream:
        start: bytes = stream.read(MAX_BUNDLE + 1)
        if is_package(start):
            in_place = path.is_file() and str(path) != "-"
            whole = (
                mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) if in_place else start + stream.read(MAX_PACKED)
            )
            package = read_package(memoryview(whole))
            return package.bundle, package
    if len(start) > MAX_BUNDLE:
        raise TooLong(field=path.name, limit=MAX_BUNDLE, got=len(start))
    return start, None


def read_bounded(path: Path, limit: int) -> bytes:
    """The file's bytes, never more than `limit`.

    Raises:
        TooLong: the file is larger.
    """
    with click.open_file(str(path), "rb") as stream:
        data: bytes = stream.read(limit + 1)
    if len(data) > limit:
        raise TooLong(field=path.name, limit=limit, got=len(data))
    return data


def hex_option(text: str, width: int, option: str) -> bytes:
    """A hex option of exactly `width` bytes, with or without 0x.

    Raises:
        FieldMalformed: anything else.
    """
    try:
        data = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        data = b""
    if len(data) != width:
        raise FieldMalformed(field=option, rule=f"{width} bytes in hex")
    return data


def checkpoint_of(data: bytes, log_id: LogId | None = None) -> tuple[Bundle, Note]:
    """A node's bundle of a checkpoint, and its note, once a quorum of the log's own validators is seen under it.

    Until then its size is a number that anybody could have written down. `log_id` is the log that is meant; without
    one the bundle's own counts, and nobody but its genesis record vouches for that.

    Raises:
        Malformed, Refuted: no bundle, or no quorum signed what it says.
        FieldMismatch: of another log.
    """
    bundle = decode_bundle(data)
    found = Genesis.decode(bundle.genesis.record).log_id
    if log_id not in (None, found):
        raise FieldMismatch(field="checkpoint.log_id", expected=(log_id or b"").hex(), got=found.hex())
    trust = Trust(logs=(TrustedLog(log_id=found),), require=("integrity", "quorum"))
    verify(data, trust, UnixSeconds(int(time.time())))
    return bundle, parse_note(bundle.checkpoints[0].note)


def _relying_on(contract: Address, trust: Trust, data: bytes) -> Trust:
    """The trust with this contract on each public chain that the bundle shows an anchor on."""
    try:
        bundle = decode_bundle(data)
    except Malformed:
        return trust  # `verify` says where it breaks
    known = {chain.chain_id: chain for chain in trust.public_chains}
    for chain_id in {anchor.chain_id for anchor in bundle.anchors if isinstance(anchor, EvmAnchor)}:
        chain = known.get(chain_id, TrustedChain(chain_id=chain_id, contracts=()))
        known[chain_id] = replace(chain, contracts=(*chain.contracts, contract))
    return replace(trust, public_chains=tuple(known.values()))


def sights_of(bundle: Bundle, trust: Trust, urls: tuple[str, ...], contract_hex: str | None) -> tuple[PublicSight, ...]:
    """What the endpoints agree on; their adapter is imported here and nowhere else in this command."""
    from hybrid_bridge.adapters.evm.sight import Wanted, look_all  # noqa: PLC0415

    last_headers = [(a.descendants or (a.header,))[-1] for a in bundle.anchors if isinstance(a, EvmAnchor)]
    beacons = [part.header for part in bundle.public_blocks]
    wanted = Wanted(
        log_id=Genesis.decode(bundle.genesis.record).log_id,
        contract=None if contract_hex is None else Address(hex_option(contract_hex, 20, "--contract")),
        contracts={chain.chain_id: tuple(map(Address, chain.contracts)) for chain in trust.public_chains},
        thresholds=trust.thresholds,
        numbers=tuple(sorted({decode_header(header).number for header in (*last_headers, *beacons)})),
    )
    return look_all(urls, wanted)
