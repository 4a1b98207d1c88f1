"""`hybrid-bridge bundle`: what is in a bundle, in plain words; and the public chain's evidence put into one."""

import json
from dataclasses import replace
from pathlib import Path

import click

from hybrid_bridge.cli.readable import hanging
from hybrid_bridge.cli.stamping import FILE, opened, renew, require_unrenewed, timestamp, write_bundle
from hybrid_bridge.cli.verify import hex_option, read_bounded
from hybrid_bridge.core.anchor import EvmAnchor, decode_header
from hybrid_bridge.core.bundle import MAX_BUNDLE, AnchorPart, Bundle, decode_bundle
from hybrid_bridge.core.checkpoint import parse_note
from hybrid_bridge.core.disclosure import parse_disclosure
from hybrid_bridge.core.epoch import EpochRecord
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.labels import Label
from hybrid_bridge.core.note import TYPE_ED25519, vkey
from hybrid_bridge.errors import Missing
from hybrid_bridge.units import Address, LogId, TreeSize


@click.group()
def command() -> None:
    """Explain a bundle; add the public chain's evidence, timestamps and renewals to one."""


command.add_command(timestamp)
command.add_command(renew)


@command.command()
@click.argument("file", type=FILE)
@click.option("--json", "as_json", is_flag=True, help="The same for machines.")
def info(file: Path, as_json: bool) -> None:
    """Say what FILE claims, in plain words. Nothing is verified here: `hybrid-bridge verify` does that."""
    described = describe(decode_bundle(read_bounded(file, MAX_BUNDLE)))
    if as_json:
        click.echo(json.dumps(described, indent=2))
        return
    click.echo("This bundle CLAIMS the following; nothing of it has been verified.")
    for name, lines in described.items():
        if lines:
            click.echo("\n".join(["", name, *(out for line in lines for out in hanging("  ", line))]))


def describe(bundle: Bundle) -> dict[str, list[str]]:
    """The claims of a bundle, by subject."""
    genesis = Genesis.decode(bundle.genesis.record)
    notes = [parse_note(part.note) for part in bundle.checkpoints]
    others = {
        "rotations": bundle.rotations,
        "absent entries": [part for epoch in bundle.epochs for part in epoch.absences],
        "governance records": () if bundle.governance is None else bundle.governance.records,
        "certificates": bundle.certificates,
        "artefacts": bundle.artefacts,
        "renewals": bundle.renewals,
        "extensions": bundle.extensions,
    }
    return {
        "log": [
            f"{bundle.genesis.origin}, id {genesis.log_id.hex()}",
            f"{len(bundle.genesis.validators)} validators at genesis",
            f"verifier key {vkey(bundle.genesis.origin, TYPE_ED25519, genesis.log_key)}",
        ],
        "purpose": [bundle.purpose],
        "checkpoints": [f"size {note.size}, {len(note.lines)} signature lines" for note in notes],
        "records": _records(bundle),
        "registry": _labels(bundle),
        "public anchors": [_anchor(anchor) for anchor in bundle.anchors],
        "other parts": [f"{len(parts)} {name}" for name, parts in others.items() if parts],
    }


def _records(bundle: Bundle) -> list[str]:
    lines: list[str] = []
    for epoch in bundle.epochs:
        number = EpochRecord.decode(epoch.record).epoch
        for entry in epoch.entries:
            opened = [parse_disclosure(part.value) for part in entry.disclosures]
            fields = ", ".join(f"{d.name} = {d.value}" for d in opened if not d.name.startswith("_"))
            schema = next((str(d.value) for d in opened if d.name == "_schema"), "nothing disclosed")
            lines.append(f"epoch {number}: {schema}: {fields or 'no field disclosed'}")
    return lines


def _labels(bundle: Bundle) -> list[str]:
    lines: list[str] = []
    for epoch in bundle.epochs:
        number = EpochRecord.decode(epoch.record).epoch
        for part in epoch.labels:
            present = part.terminal is not None and part.terminal.index == part.index
            what = f"index {part.index.hex()}" if part.label is None else Label.decode(part.label).describe()
            version = "" if part.version is None else f", version {part.version}"
            lines.append(f"epoch {number}: {what}{version}: {'present' if present else 'absent'}")
    return lines


def _anchor(anchor: AnchorPart) -> str:
    if not isinstance(anchor, EvmAnchor):
        return f"size {anchor.tree_size}, {anchor.type}"
    number = decode_header(anchor.header).number
    return (
        f"size {anchor.tree_size} in public block {number} of chain {anchor.chain_id}, "
        f"contract 0x{anchor.contract.hex()}, {len(anchor.descendants)} headers on top"
    )


@command.command()
@click.argument("file", type=FILE)
@click.option("--rpc", "url", required=True, metavar="URL", help="A public-chain endpoint to take the evidence from.")
@click.option("--contract", "contract_hex", required=True, metavar="ADDRESS", help="The anchor contract.")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="Where to write; default: FILE itself."
)
def upgrade(file: Path, url: str, contract_hex: str, output: Path | None) -> None:
    """Put the public chain's evidence for FILE's checkpoints into it: header, receipt, and the path between them."""
    target, bundle = opened(file, output)
    require_unrenewed(bundle)
    upgraded = with_anchor(bundle, url, Address(hex_option(contract_hex, 20, "--contract")))
    write_bundle(target, upgraded)
    anchors = sum(isinstance(anchor, EvmAnchor) for anchor in upgraded.anchors)
    click.echo(f"{target}: {anchors} public anchor{'s' * (anchors != 1)}")


def with_anchor(bundle: Bundle, url: str, contract: Address) -> Bundle:
    """The bundle with the `Anchored` event of its newest anchored checkpoint, once that is final.

    An older anchor of the same checkpoint in the same contract gives way to it.

    Raises:
        Missing: the contract has no final event for any size in the bundle.
    """
    from hybrid_bridge.adapters.evm.chain import Web3Chain  # noqa: PLC0415 web3 only when a chain is asked
    from hybrid_bridge.adapters.evm.evidence import anchor_evidence  # noqa: PLC0415
    from hybrid_bridge.adapters.evm.rpc import JsonRpc  # noqa: PLC0415
    from hybrid_bridge.units import PublicBlockNumber  # noqa: PLC0415

    chain = Web3Chain(JsonRpc("endpoint", url), contract)
    log_id = Genesis.decode(bundle.genesis.record).log_id
    sizes = {parse_note(part.note).size for part in bundle.checkpoints}
    final = chain.finalized()
    events = [e for e in chain.anchored(log_id, PublicBlockNumber(0), final.number) if e.tree_size in sizes]
    if not events:
        raise Missing(what=f"a final anchor of size {' or '.join(map(str, sorted(sizes)))} in that contract")
    anchor = anchor_evidence(chain, events[-1])
    kept = (a for a in bundle.anchors if not (isinstance(a, EvmAnchor) and _place(a) == _place(anchor)))
    return replace(bundle, anchors=(*kept, anchor))


def anchored_size(log_id: LogId, url: str, contract: Address) -> TreeSize:
    """The newest size of a log that a contract holds for good.

    Raises:
        Missing: it has no final anchor yet.
    """
    from hybrid_bridge.adapters.evm.chain import Web3Chain  # noqa: PLC0415 web3 only when a chain is asked
    from hybrid_bridge.adapters.evm.rpc import JsonRpc  # noqa: PLC0415
    from hybrid_bridge.units import PublicBlockNumber  # noqa: PLC0415

    chain = Web3Chain(JsonRpc("endpoint", url), contract)
    events = chain.anchored(log_id, PublicBlockNumber(0), chain.finalized().number)
    if not events:
        raise Missing(what="a final anchor of this log in that contract")
    return max(event.tree_size for event in events)


def _place(anchor: EvmAnchor) -> tuple[int, int, bytes]:
    return anchor.tree_size, anchor.chain_id, anchor.contract
