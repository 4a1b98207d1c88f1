"""`hybrid-bridge bundle`: what is in a bundle, in plain words; and the public chain's evidence put into one."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from hybrid_bridge.cli.packing import zip_bundle
from hybrid_bridge.cli.readable import hanging
from hybrid_bridge.cli.stamping import FILE, opened, renew, require_unrenewed, timestamp, write_bundle
from hybrid_bridge.cli.verify import hex_option, read_bounded
from hybrid_bridge.core.anchor import MAX_DESCENDANTS, EvmAnchor, decode_header
from hybrid_bridge.core.bundle import MAX_BUNDLE, AnchorPart, Bundle, decode_bundle
from hybrid_bridge.core.checkpoint import parse_note
from hybrid_bridge.core.disclosure import parse_disclosure
from hybrid_bridge.core.epoch import EpochRecord
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.labels import Label
from hybrid_bridge.core.note import TYPE_ED25519, vkey
from hybrid_bridge.core.trust import MAX_TRUST, Trust, TrustedChain, parse_trust
from hybrid_bridge.errors import FieldMismatch, Missing
from hybrid_bridge.units import Address, LogId, PublicBlockHash, PublicBlockNumber, TreeSize

if TYPE_CHECKING:
    from hybrid_bridge.adapters.evm.chain import Web3Chain

_NOBODY: Final = Address(bytes(20))


@click.group()
def command() -> None:
    """Explain a bundle; add the public chain's evidence, timestamps and renewals to one; pack it with its documents."""


command.add_command(timestamp)
command.add_command(renew)
command.add_command(zip_bundle)


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
@click.option("--contract", "contract_hex", metavar="ADDRESS", help="The anchor contract.")
@click.option(
    "--trust",
    "trust_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Your trust file: its contracts are asked, and headers added up to one of its block hashes.",
)
@click.option("--to", "to_hex", metavar="HASH", help="Add the headers up to the public block of this hash.")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="Where to write; default: FILE itself."
)
def upgrade(
    file: Path, url: str, contract_hex: str | None, trust_file: Path | None, to_hex: str | None, output: Path | None
) -> None:
    """Complete FILE: the public chain's evidence for its checkpoints, or more headers on top of what it has.

    Header, receipt, the path between them, and the headers up to a public block that the verifier trusts. What is in
    FILE stays as it is; only what is missing is added.
    """
    target, bundle = opened(file, output)
    require_unrenewed(bundle)
    trust = None if trust_file is None else parse_trust(read_bounded(trust_file, MAX_TRUST))
    if contract_hex is None and trust is None:
        raise click.UsageError("--contract or --trust says which contract is asked")  # noqa: EM101, TRY003 click's own
    contract = None if contract_hex is None else Address(hex_option(contract_hex, 20, "--contract"))
    to = None if to_hex is None else PublicBlockHash(hex_option(to_hex, 32, "--to"))
    upgraded = with_anchor(bundle, url, contract, Goal(trust=trust, hash=to))
    write_bundle(target, upgraded)
    anchors = sum(isinstance(anchor, EvmAnchor) for anchor in upgraded.anchors)
    click.echo(f"{target}: {anchors} public anchor{'s' * (anchors != 1)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """Up to which public block the evidence goes: that of a hash, the first one trusted, or the event's own."""

    trust: Trust | None = None
    hash: PublicBlockHash | None = None

    def contracts(self, chain_id: int) -> tuple[Address, ...]:
        """Those that the trust file names on that chain."""
        return tuple(Address(contract) for chain in self._chains(chain_id) for contract in chain.contracts)

    def block(self, chain: "Web3Chain", start: PublicBlockNumber) -> tuple[PublicBlockNumber, PublicBlockHash] | None:
        """Number and hash of that block, if it can be reached from `start`; None for none but the event's own."""
        from hybrid_bridge.adapters.evm.evidence import header_bytes  # noqa: PLC0415

        if self.hash is not None:
            return decode_header(header_bytes(chain.rpc, self.hash)).number, self.hash
        reachable = range(start, start + MAX_DESCENDANTS + 1)
        blocks = [block for trusted in self._chains(chain.chain_id()) for block in trusted.block_hashes]
        near = [(block.number, block.hash) for block in blocks if block.number in reachable]
        return next(((PublicBlockNumber(n), PublicBlockHash(h)) for n, h in sorted(near)), None)

    def _chains(self, chain_id: int) -> list[TrustedChain]:
        known = () if self.trust is None else self.trust.public_chains
        return [chain for chain in known if chain.chain_id == chain_id]


def with_anchor(bundle: Bundle, url: str, contract: Address | None, goal: Goal = Goal()) -> Bundle:
    """The bundle with the `Anchored` event of its newest anchored checkpoint, once that is final.

    Args:
        bundle: what is to be completed.
        url: the endpoint.
        contract: the anchor contract; None for those of the goal's trust file.
        goal: how far the headers go.

    Raises:
        Missing: no such contract has a final event for any size in the bundle.
        FieldMismatch: the endpoint's chain does not lead to the goal.
        NotYet, TooLong: the goal is before the event, or more than 256 public blocks after it.
    """
    from hybrid_bridge.adapters.evm.chain import Web3Chain  # noqa: PLC0415 web3 only when a chain is asked
    from hybrid_bridge.adapters.evm.evidence import anchor_evidence  # noqa: PLC0415
    from hybrid_bridge.adapters.evm.rpc import JsonRpc  # noqa: PLC0415

    rpc = JsonRpc("endpoint", url)
    log_id = Genesis.decode(bundle.genesis.record).log_id
    sizes = {parse_note(part.note).size for part in bundle.checkpoints}
    asked = goal.contracts(Web3Chain(rpc, _NOBODY).chain_id()) if contract is None else (contract,)
    for chain in (Web3Chain(rpc, address) for address in asked):
        final = chain.finalized()
        events = [e for e in chain.anchored(log_id, PublicBlockNumber(0), final.number) if e.tree_size in sizes]
        if events:
            block = goal.block(chain, events[-1].block.number)
            anchor = anchor_evidence(chain, events[-1], None if block is None else block[0])
            _require_goal(anchor, block)
            return completed(bundle, anchor)
    raise Missing(what=f"a final anchor of size {' or '.join(map(str, sorted(sizes)))} in that contract")


def _require_goal(anchor: EvmAnchor, block: tuple[PublicBlockNumber, PublicBlockHash] | None) -> None:
    """An endpoint on another branch than the verifier's own would give headers that help nobody."""
    last = decode_header((anchor.descendants or (anchor.header,))[-1])
    if block is not None and (last.number, last.hash) != block:
        expected, got = f"{block[0]}, {block[1].hex()}", f"{last.number}, {last.hash.hex()}"
        raise FieldMismatch(field="public block", expected=expected, got=got)


def completed(bundle: Bundle, anchor: EvmAnchor) -> Bundle:
    """The bundle with this anchor beside the others, or with its headers on top of the same anchor that has fewer."""
    anchors = list(bundle.anchors)
    for place, present in enumerate(anchors):
        if isinstance(present, EvmAnchor) and replace(present, descendants=()) == replace(anchor, descendants=()):
            if present.descendants == anchor.descendants[: len(present.descendants)]:
                anchors[place] = anchor
                return replace(bundle, anchors=tuple(anchors))
            if anchor.descendants == present.descendants[: len(anchor.descendants)]:
                return bundle
    return replace(bundle, anchors=(*anchors, anchor))


def anchored_size(log_id: LogId, url: str, contract: Address) -> TreeSize:
    """The newest size of a log that a contract holds for good.

    Raises:
        Missing: it has no final anchor yet.
    """
    from hybrid_bridge.adapters.evm.chain import Web3Chain  # noqa: PLC0415 web3 only when a chain is asked
    from hybrid_bridge.adapters.evm.rpc import JsonRpc  # noqa: PLC0415

    chain = Web3Chain(JsonRpc("endpoint", url), contract)
    events = chain.anchored(log_id, PublicBlockNumber(0), chain.finalized().number)
    if not events:
        raise Missing(what="a final anchor of this log in that contract")
    return max(event.tree_size for event in events)
