"""Checks 7 and 8 of `verify`: which validators are responsible, and whether a quorum of them signed."""

from collections.abc import Sequence
from dataclasses import dataclass

from hybrid_bridge.core.attestation import verify_quorum
from hybrid_bridge.core.bundle import WitnessAnchor
from hybrid_bridge.core.checkpoint import Note, has_log_line, key_id, quorum_name, quorum_signatures, verify_log_line
from hybrid_bridge.core.encoding import ZERO
from hybrid_bridge.core.governance import verify_succession
from hybrid_bridge.core.note import TYPE_ED25519, TYPE_QUORUM
from hybrid_bridge.core.validators import ValidatorSet
from hybrid_bridge.errors import FieldMalformed, FieldMismatch, SetMismatch, SignatureWrong
from hybrid_bridge.steps.verify.decoded import Decoded
from hybrid_bridge.units import Address, Digest, TreeSize


@dataclass(frozen=True, slots=True)
class ResponsibleSets:
    """Every set the bundle shows, with the first size it is responsible for, ascending."""

    sets: tuple[tuple[TreeSize, ValidatorSet], ...]

    def responsible(self, size: int) -> ValidatorSet:
        """The set for a checkpoint of this size: size decides, never a clock (SPEC §8.1)."""
        return [validators for first, validators in self.sets if first <= size][-1]


@dataclass(frozen=True, slots=True)
class SignedNote:
    """A note whose quorum was verified: who signed, of which set, and whether the log key signed it too."""

    note: Note
    validators: ValidatorSet
    signers: tuple[Address, ...]
    by_log: bool


@dataclass(frozen=True, slots=True)
class SignedNotes:
    """The checkpoints in ascending size, and the sets behind them."""

    notes: tuple[SignedNote, ...]
    sets: ResponsibleSets


def verify_sets(d: Decoded) -> ResponsibleSets:
    """Set 1 against the genesis record; each later one appointed under the one before (SPEC §12 step 7).

    Raises:
        SetMismatch: the opened validators are not those a record commits to.
        Refuted: an old set's note lacks a quorum.
    """
    _require_set(d.genesis.set_hash, d.first_set)
    sets: list[tuple[TreeSize, ValidatorSet]] = [(TreeSize(1), d.first_set)]
    for rotation in d.rotations:
        old = sets[-1][1]
        verify_note(d, rotation.note, ResponsibleSets(tuple(sets)))
        verify_succession(rotation.update, old, rotation.epoch.epoch)
        _require_set(rotation.update.set_hash, rotation.validators)
        sets.append((TreeSize(rotation.update.effective_from_size), rotation.validators))
    known = ResponsibleSets(tuple(sets))
    for epoch in d.epochs:
        validators = known.responsible(epoch.record.epoch + 1)
        if epoch.record.set_id != validators.set_id:
            raise FieldMismatch(field="epoch.set_id", expected=str(validators.set_id), got=str(epoch.record.set_id))
        _require_set(epoch.record.set_hash, validators)
    return known


def verify_notes(d: Decoded, sets: ResponsibleSets) -> SignedNotes:
    """Each checkpoint's quorum and log line (SPEC §12 step 8).

    Raises:
        BelowQuorum: too few of the responsible set signed.
        SignatureWrong: a known key's line does not verify.
    """
    return SignedNotes(tuple(verify_note(d, note, sets) for note in d.notes), sets)


def verify_note(d: Decoded, note: Note, sets: ResponsibleSets) -> SignedNote:
    """One note under the set that is responsible for its size."""
    validators = sets.responsible(note.size)
    _require_known_lines(d, note, validators)
    checkpoint = d.checkpoint(note, validators)
    signatures = quorum_signatures(note, validators, d.log_id, checkpoint.timestamp)
    signers = verify_quorum(checkpoint, validators, signatures)
    return SignedNote(note, validators, tuple(signers), _signed_by_log(d, note))


def _require_known_lines(d: Decoded, note: Note, validators: ValidatorSet) -> None:
    """In a bundle no line may stand that nobody checks, or a changed byte could pass unnoticed (ADR 8)."""
    named = {
        (quorum_name(note.origin, a), key_id(quorum_name(note.origin, a), TYPE_QUORUM, a)) for a in validators.addresses
    }
    named.add((note.origin, key_id(note.origin, TYPE_ED25519, d.genesis.log_key)))
    witnesses = {a.name for a in d.bundle.anchors if isinstance(a, WitnessAnchor) and a.tree_size == note.size}
    for line in note.lines:
        if (line.name, line.key_id) not in named and line.name not in witnesses:
            raise FieldMalformed(
                field="note.lines", rule="lines of the log key, of responsible validators, of witnesses named"
            )


def _signed_by_log(d: Decoded, note: Note) -> bool:
    if d.genesis.log_key == ZERO:
        return False
    if not has_log_line(note, d.genesis.log_key):
        raise SignatureWrong(signer="log key (its line is not there)")
    verify_log_line(note, d.genesis.log_key)
    return True


def _require_set(expected: bytes, validators: ValidatorSet) -> None:
    if validators.digest != expected:
        raise SetMismatch(expected=Digest(expected), calculated=validators.digest)


def bits_of(validators: ValidatorSet, signers: Sequence[Address]) -> int:
    """Bit i set: the i-th validator in address order signed."""
    return sum(1 << validators.index_of(address) for address in signers)
