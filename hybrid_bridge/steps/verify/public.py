"""Check 11 of `verify`: where the checkpoints stand on public chains, as far as the verifier's trust reaches."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hybrid_bridge.core.anchor import AnchorFacts, EvmAnchor, Header, decode_header, verify_evm_anchor
from hybrid_bridge.core.bundle import WitnessAnchor
from hybrid_bridge.core.epoch import EpochRecord
from hybrid_bridge.core.evidence import AnchorFact, BeaconFact
from hybrid_bridge.core.trust import Trust, TrustedChain
from hybrid_bridge.errors import FieldMalformed, FieldMismatch, HeadConflict
from hybrid_bridge.steps.verify.decoded import Decoded
from hybrid_bridge.steps.verify.signers import SignedNote
from hybrid_bridge.steps.verify.times import Stamp, early, verify_tokens
from hybrid_bridge.units import Address, ChainId, Digest, EpochNumber, PublicBlockHash, TreeSize, UnixSeconds

if TYPE_CHECKING:
    from hybrid_bridge.ports import Head


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicSight:
    """What the verifier's own sources agree on about one public chain and one contract.

    `finalized_hashes` are of public blocks the sources call final; `head` is the contract's word at `finalized_number`.
    """

    chain_id: ChainId
    contract: Address
    basis: str  # e.g. "2 of 3 endpoints that call it final"
    finalized_number: int
    finalized_hashes: Mapping[int, bytes]
    head: "Head"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """All anchors and beacons, the contract's own word, and what seemed odd."""

    anchors: tuple[AnchorFact, ...]
    stamps: tuple[Stamp, ...]  # tokens over checkpoints
    beacons: tuple[BeaconFact, ...]
    by_state: str  # how the contract's own head vouches, or ""
    newest_head: "Head | None"
    warnings: tuple[str, ...]

    @property
    def trusted(self) -> tuple[AnchorFact, ...]:
        """Anchors whose public block the verifier's trust reaches; the earliest first."""
        return tuple(sorted((a for a in self.anchors if a.basis), key=lambda anchor: anchor.block_time))

    @property
    def not_before(self) -> dict[EpochNumber, UnixSeconds]:
        """By epoch: the latest public block that it names and that is known to be real."""
        return {b.epoch: b.time for b in sorted(self.beacons, key=lambda b: b.time) if b.basis}


def verify_anchors(d: Decoded, signed: Sequence[SignedNote], trust: Trust, sights: Sequence[PublicSight]) -> Standing:
    """Structure of every anchor, then what the trust file and the sights say of its public block (SPEC §13).

    Raises:
        Malformed: an anchor's bytes break SPEC §13; a beacon's public block twice.
        FieldMismatch: they contradict the checkpoint, or the verifier's own public block hash.
        SignatureWrong: a timestamp token is not signed by its own certificate.
        HeadConflict: the contract holds another root for a size shown here.
    """
    _require_notes(d)
    stamps = verify_tokens(d, trust)
    beacons = tuple(_beacons(d, trust, sights))
    heads = [sight.head for sight in sights]
    return Standing(
        anchors=tuple(_anchor(d, signed, a, trust, sights) for a in d.bundle.anchors if isinstance(a, EvmAnchor)),
        stamps=stamps,
        beacons=beacons,
        by_state=_by_state(d, sights),
        newest_head=max(heads, key=lambda head: head.tree_size, default=None),
        warnings=(*early(d, stamps), *_late(d, beacons), *_states(sights)),
    )


def _require_notes(d: Decoded) -> None:
    """Every anchor, judged or not, is of a checkpoint shown; a witness has a line in it."""
    lines = {note.size: {line.name for line in note.lines} for note in d.notes}
    for anchor in d.bundle.anchors:
        if anchor.tree_size not in lines:
            raise FieldMismatch(field="anchors.tree_size", expected="a checkpoint shown", got=str(anchor.tree_size))
        if isinstance(anchor, WitnessAnchor) and anchor.name not in lines[TreeSize(anchor.tree_size)]:
            raise FieldMismatch(field="anchors.name", expected="a line of this name in the note", got=anchor.name)


# ── anchors ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _anchor(
    d: Decoded, signed: Sequence[SignedNote], anchor: EvmAnchor, trust: Trust, sights: Sequence[PublicSight]
) -> AnchorFact:
    note = next(shown for shown in signed if shown.note.size == anchor.tree_size)
    facts = verify_evm_anchor(anchor, d.checkpoint(note.note, note.validators))
    n, needed = len(note.validators.entries), note.validators.quorum
    if facts.signers >> n or facts.signers.bit_count() < needed:
        raise FieldMismatch(field="anchors.signers", expected=f"at least {needed} of {n}", got=bin(facts.signers))
    basis, missing = _basis(anchor, facts, trust, sights)
    return AnchorFact(
        tree_size=TreeSize(anchor.tree_size),
        chain_id=ChainId(anchor.chain_id),
        contract=Address(anchor.contract),
        block_number=facts.block_number,
        block_hash=facts.block_hash,
        block_time=facts.block_time,
        last_number=facts.last_number,
        last_hash=facts.last_hash,
        basis=basis,
        missing=missing,
    )


def _basis(anchor: EvmAnchor, facts: AnchorFacts, trust: Trust, sights: Sequence[PublicSight]) -> tuple[str, str]:
    """Who vouches for contract and public block; or what is missing. Every source that knows the number must agree."""
    basis = _vouched(anchor.chain_id, facts.last_number, facts.last_hash, trust, sights)
    chain = _trusted_chain(trust, anchor.chain_id)
    asked = any((sight.chain_id, sight.contract) == (anchor.chain_id, anchor.contract) for sight in sights)
    if not asked and (chain is None or anchor.contract not in chain.contracts):
        return "", f"trust in contract 0x{anchor.contract.hex()} on chain {anchor.chain_id} (trust file or --contract)"
    if not basis:
        return "", (
            f"that public block {facts.last_number} of chain {anchor.chain_id} has the hash 0x{facts.last_hash.hex()} "
            "(trust file or --rpc)"
        )
    return basis, ""


def _vouched(
    chain_id: int, number: int, block_hash: PublicBlockHash, trust: Trust, sights: Sequence[PublicSight]
) -> str:
    """Whoever of the verifier's sources says that this public block is real; "" if none knows the number.

    Raises:
        FieldMismatch: one of them says that another block stands there.
    """
    vouching = []
    for where, hashes in _sources(chain_id, trust, sights):
        real = hashes.get(number)
        if real is not None and real != block_hash:
            raise FieldMismatch(field=f"public block {number}", expected=real.hex(), got=block_hash.hex())
        if real is not None:
            vouching.append(where)
    return ", ".join(dict.fromkeys(vouching))


def _sources(chain_id: int, trust: Trust, sights: Sequence[PublicSight]) -> Iterator[tuple[str, Mapping[int, bytes]]]:
    chain = _trusted_chain(trust, chain_id)
    if chain is not None:
        yield "the trust file", {block.number: block.hash for block in chain.block_hashes}
    for sight in sights:
        if sight.chain_id == chain_id:
            yield sight.basis, sight.finalized_hashes


def _trusted_chain(trust: Trust, chain_id: int) -> TrustedChain | None:
    return next((chain for chain in trust.public_chains if chain.chain_id == chain_id), None)


def _by_state(d: Decoded, sights: Sequence[PublicSight]) -> str:
    """The contract's own head, if it stands at a size shown here: the same root, or two histories exist."""
    vouching = ""
    for sight in sights:
        for note in d.notes:
            if sight.head.tree_size != note.size:
                continue
            if sight.head.root != note.root:
                raise HeadConflict(size=note.size, head=Digest(sight.head.root), root=note.root)
            vouching = f"head of contract 0x{sight.contract.hex()} on chain {sight.chain_id}, by {sight.basis}"
    return vouching


def _states(sights: Sequence[PublicSight]) -> Iterator[str]:
    for sight in sights:
        if sight.head.state != "active":
            yield f"contract 0x{sight.contract.hex()} on chain {sight.chain_id} calls this log {sight.head.state}"


# ── beacons ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _beacons(d: Decoded, trust: Trust, sights: Sequence[PublicSight]) -> Iterator[BeaconFact]:
    """Each public block shown is one that an epoch names by its hash."""
    parts = [(part.chain_id, part.header) for part in d.bundle.public_blocks]
    if len(set(parts)) != len(parts):
        raise FieldMalformed(field="public_blocks", rule="each once")
    for chain_id, data in parts:
        header = decode_header(data)
        naming = [epoch.record for epoch in d.epochs if _names(epoch.record, chain_id, header)]
        if not naming:
            raise FieldMismatch(field="public_blocks", expected="a beacon of an epoch shown", got=header.hash.hex())
        basis = _vouched(chain_id, header.number, header.hash, trust, sights)
        for record in naming:
            yield BeaconFact(
                epoch=record.epoch,
                chain_id=record.public_chain_id,
                block_number=header.number,
                time=header.time,
                basis=basis,
            )


def _names(record: EpochRecord, chain_id: int, header: Header) -> bool:
    named = (record.public_chain_id, record.public_block_number, record.public_block_hash)
    return named == (chain_id, header.number, header.hash)


def _late(d: Decoded, beacons: Sequence[BeaconFact]) -> Iterator[str]:
    """Whoever names a public block that is younger than the epoch's end wrote the epoch after its end."""
    closed = {epoch.record.epoch: epoch.record.closed_at for epoch in d.epochs}
    for beacon in beacons:
        if beacon.time > closed[beacon.epoch]:
            late = beacon.time - closed[beacon.epoch]
            yield f"epoch {beacon.epoch} names a public block made {late} s after it closed: it was written late"
