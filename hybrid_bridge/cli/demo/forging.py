"""What the cheats make: bundles with something changed, histories rewritten, checkpoints signed by too few."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from hybrid_bridge.cli.demo.cast import MEMBERS
from hybrid_bridge.cli.demo.founding import Play
from hybrid_bridge.core.attestation import checkpoint_of
from hybrid_bridge.core.bundle import Bundle, DisclosurePart
from hybrid_bridge.core.checkpoint import format_note, parse_note
from hybrid_bridge.core.disclosure import Disclosure, parse_disclosure
from hybrid_bridge.core.epoch import EpochRecord
from hybrid_bridge.core.signing import address_of, public_key_of, sign_digest, to_compact
from hybrid_bridge.core.tree import Tree
from hybrid_bridge.core.validators import ValidatorSet
from hybrid_bridge.node.directory import first_set
from hybrid_bridge.ports import Head, Update
from hybrid_bridge.units import Address, Digest, EcdsaSignature, LogId, TreeSize

# ── bundles ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def altered_due_date(bundle: Bundle) -> tuple[Bundle, str, str]:
    """The same bundle with one digit of the due date changed; the date before and after."""
    epoch = bundle.epochs[0]
    entry = epoch.entries[0]
    before = next(str(d.value) for d in map(_opened, entry.disclosures) if d.name == "due_date")
    after = _other_date(before)
    parts = tuple(
        replace(part, value=replace(_opened(part), value=after).text()) if _opened(part).name == "due_date" else part
        for part in entry.disclosures
    )
    changed = replace(epoch, entries=(replace(entry, disclosures=parts),))
    return replace(bundle, epochs=(changed, *bundle.epochs[1:])), before, after


def _opened(part: DisclosurePart) -> Disclosure:
    return parse_disclosure(part.value)


def _other_date(text: str) -> str:
    """A date that differs in one digit, the last one if there is such a date."""
    digits = (k for k in reversed(range(len(text))) if text[k].isdigit())
    others = (text[:k] + str((int(text[k]) + step) % 10) + text[k + 1 :] for k in digits for step in range(1, 10))
    return next(other for other in others if _is_date(other))


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def thin_note(bundle: Bundle, signers: int) -> Bundle:
    """The same bundle, its checkpoint signed by the log and by that many validators only."""
    first = bundle.checkpoints[0]
    note = parse_note(first.note)
    log_line, *quorum = sorted(note.lines, key=lambda line: line.name)
    thin = format_note(note.origin, note.size, note.root, [log_line, *quorum[:signers]])
    return replace(bundle, checkpoints=(replace(first, note=thin), *bundle.checkpoints[1:]))


# ── checkpoints for the contract ─────────────────────────────────────────────────────────────────────────────────────


def honest_leaves(log_id: LogId, records: Sequence[EpochRecord]) -> list[Digest]:
    """The log as it is."""
    return [Digest(log_id), *(record.leaf for record in records)]


def rewritten_leaves(log_id: LogId, records: Sequence[EpochRecord]) -> list[Digest]:
    """The log with other records in epoch 1."""
    first = replace(records[0], batch_root=Digest(bytes(reversed(records[0].batch_root))))
    return honest_leaves(log_id, [first, *records[1:]])


def forged_update(play: Play, head: Head, leaves: Sequence[Digest], signers: int) -> Update:
    """A checkpoint over these leaves, signed by the first `signers` validators with the keys from their own folders."""
    genesis, validators = play.directory.genesis, first_set(play.directory.members)
    tree = Tree()
    tree.extend(leaves)
    size = TreeSize(tree.size)
    checkpoint = checkpoint_of(genesis, validators, size, tree.root())
    keys = [_attestation_key(play, name) for name in MEMBERS[:signers]]
    signatures = {Address(address_of(public_key_of(key))): sign_digest(key, checkpoint.digest()) for key in keys}
    bits, packed = _seals(validators, signatures)
    return Update(
        log_id=play.directory.log_id,
        from_size=head.tree_size,
        tree_size=size,
        root=checkpoint.root,
        set_hash=validators.digest,
        signers=bits,
        path=tuple(tree.consistency_path(head.tree_size, size)),
        seals=packed,
    )


def _seals(validators: ValidatorSet, signatures: Mapping[Address, EcdsaSignature]) -> tuple[int, bytes]:
    """As `attestation.seals`, but with whatever signatures there are: the contract must find out by itself."""
    addresses = validators.addresses
    bits = sum(1 << i for i, address in enumerate(addresses) if address in signatures)
    return bits, b"".join(to_compact(signatures[a]) if a in signatures else a for a in addresses)


def _attestation_key(play: Play, name: str) -> bytes:
    return bytes.fromhex((play.consortium / "nodes" / name / "keys" / "attestation.key").read_text("ascii").strip())
