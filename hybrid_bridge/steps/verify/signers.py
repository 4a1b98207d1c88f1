"""Checks 7 and 8 of `verify`: which validators are responsible, and whether a quorum of them signed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from hybrid_bridge.core.bundle import WitnessAnchor
from hybrid_bridge.core.checkpoint import Note, key_id, quorum_name, quorum_signatures, verify_log_line
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.epoch import EpochRecord
from hybrid_bridge.core.governance import SetUpdate, verify_succession
from hybrid_bridge.core.note import (
    TYPE_ED25519,
    TYPE_MLDSA,
    TYPE_QUORUM,
    NoteLine,
    VerifierKey,
    cosigned_at,
    verify_line,
)
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.tlog_policy import Policy, parse_policy
from hybrid_bridge.core.trust import Trust
from hybrid_bridge.core.validators import ValidatorEntry, ValidatorSet
from hybrid_bridge.errors import BelowQuorum, FieldMalformed, FieldMismatch, SetMismatch
from hybrid_bridge.steps.verify.decoded import Decoded, DecodedRotation, DecodedValidator
from hybrid_bridge.steps.verify.exportable import verify_receipts
from hybrid_bridge.units import Address, Digest, SetId, TreeSize

FIRST_SET: Final = SetId(1)
FIRST_SIZE: Final = TreeSize(1)

_Key: TypeAlias = tuple[str, bytes]  # name and key id of a note line


@dataclass(frozen=True, slots=True)
class KnownSet:
    """A set the bundle shows, the first size it is responsible for, and its validators as shown."""

    first_size: TreeSize
    validators: ValidatorSet
    shown: tuple[DecodedValidator, ...]


@dataclass(frozen=True, slots=True)
class KnownSets:
    """Every set the bundle shows, ascending."""

    sets: tuple[KnownSet, ...]

    def responsible(self, size: int) -> ValidatorSet:
        """The set for a checkpoint of this size: size decides, never a clock (SPEC §8.1)."""
        return [known.validators for known in self.sets if known.first_size <= size][-1]


@dataclass(frozen=True, slots=True)
class SignedNote:
    """A note that a quorum of the responsible set and the log key signed."""

    note: Note
    validators: ValidatorSet
    signers: tuple[Address, ...]  # ascending
    witnessing: tuple[NoteLine, ...]  # lines of witnesses that `anchors` names and no policy knows: unchecked
    cosigned: tuple[tuple[str, int], ...] = ()  # witnesses of the policy whose line holds: the policy's name, the time


# ── 7 validator sets ─────────────────────────────────────────────────────────────────────────────────────────────────


def verify_sets(d: Decoded) -> KnownSets:
    """Set 1 against the genesis record; each later one appointed under the one before (SPEC §12 step 7).

    Raises:
        SetMismatch: the opened validators are not those a record commits to.
        FieldMismatch: a set id skipped, a note or an epoch outside the term of the set it names, a set that another
            one is shown to have replaced before it took charge.
        Refuted: an old set's note lacks a quorum.
    """
    sets = [KnownSet(FIRST_SIZE, _opened(FIRST_SET, d.validators, d.genesis.set_hash), d.validators)]
    shown = () if d.governance is None else d.governance.records
    replaced = {record.replaces for record in shown if isinstance(record, SetUpdate)}
    for rotation in d.rotations:
        old, update = sets[-1], rotation.update
        verify_succession(update, old.validators, rotation.epoch.epoch)
        if leaf_hash(rotation.part.update) in replaced:
            raise FieldMismatch(field="rotations.update", expected="of a set that took charge", got="of one replaced")
        _require_term(rotation, old)
        _require_epoch_set(rotation.epoch, KnownSets(tuple(sets)))
        verify_note(d, rotation.note, old.validators, frozenset())
        new = _opened(update.set_id, rotation.validators, update.set_hash)
        sets.append(KnownSet(update.effective_from_size, new, rotation.validators))
    known = KnownSets(tuple(sets))
    for epoch in d.epochs:
        _require_epoch_set(epoch.record, known)
    return known


def _opened(set_id: SetId, shown: Sequence[DecodedValidator], expected: Digest) -> ValidatorSet:
    """The set whose entries these parts open, if it is the one that a record commits to."""
    entries = tuple(
        ValidatorEntry(
            address=Address(validator.part.address),
            name_hash=sha256(validator.part.name.encode("utf-8")),
            certificate_hash=Digest(validator.part.certificate_hash),
            key_binding_hash=validator.binding.binding.digest,
        )
        for validator in shown
    )
    validators = ValidatorSet(set_id, entries)
    if validators.digest != expected:
        raise SetMismatch(expected=expected, calculated=validators.digest)
    return validators


def _require_term(rotation: DecodedRotation, old: KnownSet) -> None:
    """The note that covers an update is of a size the old set was responsible for, or a deposed set could go on."""
    first, end, size = old.first_size, rotation.update.effective_from_size, rotation.note.size
    if not first <= size < end:
        raise FieldMismatch(field="rotations.note.size", expected=f"{first} to {end - 1}", got=str(size))


def _require_epoch_set(record: EpochRecord, known: KnownSets) -> None:
    validators = known.responsible(record.epoch + 1)
    if record.set_id != validators.set_id:
        raise FieldMismatch(field="epoch.set_id", expected=str(validators.set_id), got=str(record.set_id))
    if record.set_hash != validators.digest:
        raise SetMismatch(expected=record.set_hash, calculated=validators.digest)


# ── 8 quorums ────────────────────────────────────────────────────────────────────────────────────────────────────────


def verify_notes(d: Decoded, sets: KnownSets, trust: Trust) -> tuple[SignedNote, ...]:
    """Each checkpoint's quorum and log line, and the policy's witnesses (SPEC §12 step 8); ascending by size.

    Raises:
        FieldMalformed: a line that nobody checks, or no line of the log key (ADR 8).
        BelowQuorum: too few of the responsible set signed.
        SignatureWrong: a known key's line does not verify, or a receipt.
    """
    named = [anchor for anchor in d.bundle.anchors if isinstance(anchor, WitnessAnchor)]
    policy = None if trust.tlog_policy is None else parse_policy(trust.tlog_policy)
    signed = tuple(
        verify_note(d, note, sets.responsible(note.size), frozenset(a.name for a in named if a.tree_size == note.size))
        for note in d.notes
    )
    verify_receipts(d)
    return tuple(note if policy is None else _cosigned(note, policy) for note in signed)


def _cosigned(signed: SignedNote, policy: Policy) -> SignedNote:
    """The witnesses of the policy among the lines: one line each, and it holds, or the note is refused."""
    known = {(key.name, key.key_id): (name, key) for name, key in policy.witnesses.items()}
    cosigned: dict[str, int] = {}
    for line in signed.witnessing:
        if _key(line) in known:
            name, key = known[_key(line)]
            if name in cosigned:
                raise FieldMalformed(field="note.lines", rule="one line of each witness")
            verify_line(key, line, signed.note.body())
            cosigned[name] = cosigned_at(line)
    unknown = tuple(line for line in signed.witnessing if _key(line) not in known)
    return replace(signed, witnessing=unknown, cosigned=tuple(cosigned.items()))


def verify_note(d: Decoded, note: Note, validators: ValidatorSet, witnesses: frozenset[str]) -> SignedNote:
    """One note: its lines are known, enough of `validators` signed, each signature holds, and the log key's."""
    members = {_quorum_key(note, address): address for address in validators.addresses}
    log_key = (note.origin, key_id(note.origin, TYPE_ED25519, d.genesis.log_key))
    post_quantum = _post_quantum(d, note, validators)
    others = [
        line
        for line in note.lines
        if _key(line) not in members and _key(line) not in post_quantum and _key(line) != log_key
    ]
    if any(line.name not in witnesses for line in others):
        # In a bundle no line may stand that nobody checks, or a changed byte could pass unnoticed (ADR 8).
        rule = "lines of the log key, of responsible validators, of witnesses named in anchors"
        raise FieldMalformed(field="note.lines", rule=rule)
    if [_key(line) for line in note.lines].count(log_key) != 1:
        raise FieldMalformed(field="note.lines", rule="one line of the log key")
    signers = tuple(members[_key(line)] for line in note.lines if _key(line) in members)
    if len(signers) < validators.quorum:
        raise BelowQuorum(needed=validators.quorum, got=len(signers))
    # Checks that lines ascend, so that nobody counts twice, and that each signature recovers to its line's address.
    quorum_signatures(note, validators, d.log_id, d.checkpoint(note, validators).timestamp)
    verify_log_line(note, d.genesis.log_key)
    for line in note.lines:
        if _key(line) in post_quantum:
            verify_line(post_quantum[_key(line)], line, note.body())
    return SignedNote(note, validators, signers, tuple(others))


def _post_quantum(d: Decoded, note: Note, validators: ValidatorSet) -> dict[_Key, VerifierKey]:
    """The ML-DSA-44 keys shown for the log and for `validators`, by the lines they may have, one each.

    Raises:
        FieldMalformed: two lines of one key.
    """
    shown = [(note.origin, d.bundle.genesis.mldsa_key)]
    parts = {(bytes(v.part.address), v.binding.binding.digest): v.part.mldsa_key for v in d.all_validators}
    shown += [
        (quorum_name(note.origin, entry.address), parts.get((entry.address, entry.key_binding_hash)))
        for entry in validators.entries
    ]
    keys = [VerifierKey(name, TYPE_MLDSA, key) for name, key in shown if key is not None]
    known = {(key.name, key.key_id): key for key in keys}
    lines = [_key(line) for line in note.lines if _key(line) in known]
    if len(set(lines)) != len(lines):
        raise FieldMalformed(field="note.lines", rule="one line of each post-quantum key")
    return known


def _quorum_key(note: Note, address: Address) -> _Key:
    name = quorum_name(note.origin, address)
    return name, key_id(name, TYPE_QUORUM, address)


def _key(line: NoteLine) -> _Key:
    return line.name, line.key_id
