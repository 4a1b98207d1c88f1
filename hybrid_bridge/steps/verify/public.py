"""Check 11 of `verify`: where the checkpoints stand on public chains, as far as the verifier's trust reaches."""

from collections.abc import Mapping
from dataclasses import dataclass

from hybrid_bridge.core.anchor import AnchorFacts, EvmAnchor, decode_header, verify_evm_anchor
from hybrid_bridge.core.trust import Trust, TrustedChain
from hybrid_bridge.errors import FieldMismatch, HeadConflict
from hybrid_bridge.ports import Head
from hybrid_bridge.steps.verify.decoded import Decoded
from hybrid_bridge.steps.verify.signers import SignedNotes, bits_of
from hybrid_bridge.units import Address, ChainId, Digest, UnixSeconds


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicSight:
    """What the verifier's own sources agree on about one public chain and one contract.

    `finalized_hashes` are of public blocks the sources call final; `head` is the contract's word at `finalized_number`.
    """

    chain_id: ChainId
    contract: Address
    basis: str  # e.g. "finalized at 2 of 3 endpoints"
    finalized_number: int
    finalized_hashes: Mapping[int, bytes]
    head: Head


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchoring:
    """One anchor: what its bytes prove, and on what the rest rests. `basis` is empty while the block is not trusted."""

    tree_size: int
    chain_id: int
    contract: bytes
    facts: AnchorFacts
    basis: str
    missing: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """All anchors, the contract's own word, and the times that follow."""

    anchorings: tuple[Anchoring, ...]
    by_state: str  # how the contract's own head vouches, or ""
    not_before: UnixSeconds | None
    newest_head: Head | None
    unread: tuple[str, ...]  # kinds of anchors that were kept and not judged

    @property
    def trusted(self) -> tuple[Anchoring, ...]:
        """Anchors whose public block the verifier's trust reaches."""
        return tuple(a for a in self.anchorings if a.basis)


def verify_anchors(d: Decoded, signed: SignedNotes, trust: Trust, sights: tuple[PublicSight, ...]) -> Standing:
    """Structure of every anchor, then what the trust file and the sights say of its public block (SPEC §13).

    Raises:
        Malformed: an anchor's bytes break SPEC §13.
        FieldMismatch: they contradict the checkpoint, or the verifier's own public block hash.
        HeadConflict: the contract holds another root for a size shown here.
    """
    anchorings = [_anchoring(d, signed, a, trust, sights) for a in d.bundle.anchors if isinstance(a, EvmAnchor)]
    unread = tuple(sorted({anchor.type for anchor in d.bundle.anchors if not isinstance(anchor, EvmAnchor)}))
    heads = [sight.head for sight in sights if sight.head.tree_size > 0]
    return Standing(
        anchorings=tuple(anchorings),
        by_state=_by_state(d, sights),
        not_before=_not_before(d, trust, sights),
        newest_head=max(heads, key=lambda head: head.tree_size, default=None),
        unread=unread,
    )


def _anchoring(
    d: Decoded, signed: SignedNotes, anchor: EvmAnchor, trust: Trust, sights: tuple[PublicSight, ...]
) -> Anchoring:
    note = next((n for n in signed.notes if n.note.size == anchor.tree_size), None)
    if note is None:
        raise FieldMismatch(field="anchors.tree_size", expected="a checkpoint shown", got=str(anchor.tree_size))
    facts = verify_evm_anchor(anchor, d.checkpoint(note.note, note.validators))
    if facts.signers >> len(note.validators.addresses):
        raise FieldMismatch(field="anchors.signers", expected="bits of the set alone", got=bin(facts.signers))
    basis, missing = _basis(anchor, facts, trust, sights)
    return Anchoring(
        tree_size=anchor.tree_size,
        chain_id=anchor.chain_id,
        contract=anchor.contract,
        facts=facts,
        basis=basis,
        missing=missing,
    )


def _basis(anchor: EvmAnchor, facts: AnchorFacts, trust: Trust, sights: tuple[PublicSight, ...]) -> tuple[str, str]:
    chain = _trusted_chain(trust, anchor.chain_id)
    asked = [s for s in sights if s.chain_id == anchor.chain_id and s.contract == anchor.contract]
    if (chain is None or anchor.contract not in chain.contracts) and not asked:
        return "", f"trust in contract 0x{anchor.contract.hex()} on chain {anchor.chain_id}"
    known = {b.number: b.hash for b in chain.block_hashes} if chain is not None else {}
    for where, hashes in (("the trust file", known), *((s.basis, s.finalized_hashes) for s in asked)):
        real = hashes.get(facts.last_number)
        if real is None:
            continue
        if real != facts.last_hash:
            raise FieldMismatch(
                field=f"public block {facts.last_number}", expected=real.hex(), got=facts.last_hash.hex()
            )
        return where, ""
    return "", f"the hash of public block {facts.last_number} of chain {anchor.chain_id} (trust file or --rpc)"


def _trusted_chain(trust: Trust, chain_id: int) -> TrustedChain | None:
    return next((chain for chain in trust.public_chains if chain.chain_id == chain_id), None)


def _by_state(d: Decoded, sights: tuple[PublicSight, ...]) -> str:
    """The contract's own head, if it stands at a size shown here: the same root, or two histories exist."""
    for sight in sights:
        for note in d.notes:
            if sight.head.tree_size != note.size:
                continue
            if sight.head.root != note.root:
                raise HeadConflict(size=note.size, head=sight.head.root, root=Digest(note.root))
            return f"head of contract 0x{sight.contract.hex()} on chain {sight.chain_id}, {sight.basis}"
    return ""


def _not_before(d: Decoded, trust: Trust, sights: tuple[PublicSight, ...]) -> UnixSeconds | None:
    """The latest beacon time among the shown epochs whose public block is known to be real."""
    times = []
    for part in d.bundle.public_blocks:
        header = decode_header(part.header)
        if not any(
            (e.record.public_chain_id, e.record.public_block_hash) == (part.chain_id, header.hash) for e in d.epochs
        ):
            raise FieldMismatch(field="public_blocks", expected="a beacon of an epoch shown", got=header.hash.hex())
        chain = _trusted_chain(trust, part.chain_id)
        known = {} if chain is None else {b.number: b.hash for b in chain.block_hashes}
        for sight in sights:
            if sight.chain_id == part.chain_id:
                known |= dict(sight.finalized_hashes)
        if known.get(header.number) == header.hash:
            times.append(header.time)
    return max(times, default=None)


__all__ = ["Anchoring", "PublicSight", "Standing", "bits_of", "verify_anchors"]
