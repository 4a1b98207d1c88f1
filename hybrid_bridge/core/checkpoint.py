"""The checkpoint as text: origin, size, root, and who signed it. Witnesses and log tools read it, people too.

The log key's line is for them and counts for no quorum; the validators' lines carry the EIP-712 signatures of
`core/attestation.py`, which the public chain's contract takes as well.
Source: SPEC §8.3; C2SP tlog-checkpoint, signed-note, tlog-cosignature.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from hybrid_bridge.core.attestation import Checkpoint
from hybrid_bridge.core.encoding import Reader, Writer
from hybrid_bridge.core.keys import PrivateKey
from hybrid_bridge.core.note import (
    TYPE_ED25519,
    TYPE_QUORUM,
    NoteLine,
    SignedNote,
    VerifierKey,
    key_id,
    parse_b64,
    parse_signed_note,
    parse_vkey,
    require_plain,
    to_b64,
    verify_line,
    verify_signed_note,
    vkey,
)
from hybrid_bridge.core.proof import as_digest, as_integer
from hybrid_bridge.core.signing import recover_address, require_signature
from hybrid_bridge.core.validators import ValidatorSet
from hybrid_bridge.errors import FieldMalformed, FieldMismatch, Missing, SignatureWrong
from hybrid_bridge.units import MAX_U64, Address, Digest, EcdsaSignature, LogId, SetId, TreeSize, UnixSeconds

__all__ = [
    "Note",
    "NoteLine",
    "VerifierKey",
    "checkpoint_digest",
    "for_other_readers",
    "format_note",
    "has_log_line",
    "key_id",
    "log_line",
    "parse_note",
    "parse_vkey",
    "quorum_line",
    "quorum_name",
    "quorum_signatures",
    "require_origin",
    "stated_time",
    "verify_log_line",
    "verify_note",
    "vkey",
]

MAX_ORIGIN: Final = 200  # SPEC §7.1
MAX_OTHERS: Final = 100  # signature lines that readers of other logs' notes take
_QUORUM_BYTES: Final = 81  # of a quorum line: time, set, signature
_ORIGIN: Final = re.compile(r"[a-z0-9.-]+(/[A-Za-z0-9._-]+)*")
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,15}")  # 2^53-1 has 16 digits


# ── the note ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Note:
    """A checkpoint with its signature lines. Ours begin with our own kind of origin and have no extension lines."""

    origin: str
    size: TreeSize
    root: Digest
    lines: tuple[NoteLine, ...] = ()
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what no text can say.

        Raises:
            FieldMalformed: an empty line or a control character; a size beyond 2^53-1.
            DigestLength: the root has not 32 bytes.
        """
        for line in (self.origin, *self.extensions):
            if not require_plain(line, "note"):
                raise FieldMalformed(field="note", rule="three lines or more, none empty")
        if not 0 <= as_integer(self.size, "size") <= MAX_U64:
            raise FieldMalformed(field="size", rule="0 to 2^53-1")
        as_digest(self.root, "root")

    def body(self) -> bytes:
        """What is signed by log and witnesses: three lines, each with its line feed, and the extension lines."""
        lines = (self.origin, str(self.size), to_b64(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines).encode()

    def text(self) -> str:
        """The whole note; the inverse of `parse_note`.

        Raises:
            FieldMalformed: there is no signature line yet.
        """
        if not self.lines:
            raise FieldMalformed(field="note", rule="at least one signature line")
        return SignedNote(self.body().decode(), self.lines).text()


def format_note(origin: str, size: TreeSize, root: Digest, lines: Sequence[NoteLine]) -> str:
    """The text of a checkpoint of ours.

    Raises:
        FieldMalformed, DigestLength: what `parse_note` would refuse.
    """
    note = Note(origin, size, root, tuple(lines))
    _require_ours(note)
    return note.text()


def parse_note(text: str | bytes, *, origin: str | None = None, extensions: bool = False) -> Note:
    """The inverse of `Note.text`. No signature is verified.

    Args:
        text: the whole note.
        origin: if given, the only origin that is accepted.
        extensions: accept what other logs may write and we may not: extension lines, any origin, size 0.

    Raises:
        TooLong, NotCanonical, FieldMalformed: not the one text of any checkpoint.
        FieldMismatch: another origin.
    """
    note = _as_checkpoint(parse_signed_note(text))
    if not extensions:
        _require_ours(note)
    if origin is not None and note.origin != origin:
        raise FieldMismatch(field="origin", expected=origin, got=note.origin)
    return note


def for_other_readers(text: str) -> str:
    """The note with no more lines than readers of any log's notes take: validators' post-quantum lines go first.

    Readers by the Go package `note`, which most witnesses and tools are made of, refuse a note of more than 100 lines.
    What is left out counts for no quorum (SPEC §8.3), and a bundle still has it.

    Raises:
        Malformed: as `parse_note`.
    """
    note = parse_note(text)
    if len(note.lines) <= MAX_OTHERS:
        return text
    validators = f"{note.origin}/v/"
    kept = [line for line in note.lines if not line.name.startswith(validators) or len(line.signature) == _QUORUM_BYTES]
    return replace(note, lines=tuple(kept[:MAX_OTHERS])).text()


def verify_note(text: str | bytes, vkeys: Sequence[str | VerifierKey], *, extensions: bool = True) -> Note:
    """The checkpoint of any log, if a known key signed it: Ed25519 (type 01) or Ed25519 with a time (type 04).

    No quorum of ours is checked here; lines of unknown keys are ignored.

    Raises:
        Malformed: as in `parse_note` and `parse_vkey`.
        SignatureWrong: the line of a known key does not verify.
        Missing: no line is by a known key.
    """
    note = _as_checkpoint(verify_signed_note(text, vkeys))
    if not extensions:
        _require_ours(note)
    return note


def require_origin(origin: str) -> str:
    """`origin` if it is one of ours (SPEC §7.1).

    Raises:
        FieldMalformed: anything else.
    """
    if len(require_plain(origin, "origin")) > MAX_ORIGIN or not _ORIGIN.fullmatch(origin):
        raise FieldMalformed(field="origin", rule=f"{_ORIGIN.pattern}, at most {MAX_ORIGIN} bytes")
    return origin


def _as_checkpoint(note: SignedNote) -> Note:
    lines = note.message[:-1].split("\n")
    if len(lines) < 3:
        raise FieldMalformed(field="note", rule="three lines or more, none empty")
    origin, size, root, *extensions = lines
    if not _SIZE.fullmatch(size):
        raise FieldMalformed(field="size", rule="decimal, without leading zero, at most 2^53-1")
    if len(root) != 44:
        raise FieldMalformed(field="root", rule="44 characters of base64")
    return Note(origin, TreeSize(int(size)), Digest(parse_b64(root, "root")), note.lines, tuple(extensions))


def _require_ours(note: Note) -> None:
    require_origin(note.origin)
    if note.size < 1:
        raise FieldMalformed(field="size", rule="1 to 2^53-1")
    if note.extensions:
        raise FieldMalformed(field="note", rule="no extension lines")


# ── the log key's line ───────────────────────────────────────────────────────────────────────────────────────────────


def log_line(origin: str, key: PrivateKey | bytes, body: bytes) -> NoteLine:
    """The log key's line under `body`. A seed of 32 bytes stands for its Ed25519 key.

    Raises:
        FieldMalformed: no seed.
    """
    signer = PrivateKey.from_seed(key) if isinstance(key, bytes) else key
    return NoteLine(origin, key_id(origin, TYPE_ED25519, signer.public.spki[-32:]), signer.sign(body))


def has_log_line(note: Note, log_key: bytes) -> bool:
    """Whether the note has a line that claims to be the log key's. Says nothing about the signature."""
    return bool(_lines_of(note, VerifierKey(note.origin, TYPE_ED25519, log_key)))


def verify_log_line(note: Note, log_key: bytes) -> None:
    """Return if the log key signed this note.

    Raises:
        Missing: it has no line by that key.
        FieldMalformed, SignatureWrong: it has, and the signature is not by that key.
    """
    key = VerifierKey(note.origin, TYPE_ED25519, log_key)
    lines = _lines_of(note, key)
    if not lines:
        raise Missing(what="the log key's line")
    for line in lines:
        verify_line(key, line, note.body())


# ── the validators' lines ────────────────────────────────────────────────────────────────────────────────────────────


def checkpoint_digest(  # noqa: PLR0917 the signed struct, in order
    log_id: LogId, tree_size: TreeSize, root: Digest, timestamp: UnixSeconds, set_id: SetId, set_hash: Digest
) -> Digest:
    """The 32 bytes that validators sign (SPEC §8.2)."""
    return Checkpoint(
        log_id=log_id, tree_size=tree_size, root=root, timestamp=timestamp, set_id=set_id, set_hash=set_hash
    ).digest()


def quorum_name(origin: str, address: Address) -> str:
    """The key name of a validator's line."""
    return f"{origin}/v/{address.hex()}"


def quorum_line(
    origin: str, address: Address, timestamp: UnixSeconds, set_id: SetId, signature: EcdsaSignature
) -> NoteLine:
    """A validator's line: u64 timestamp ‖ u64 setId ‖ r ‖ s ‖ v.

    Raises:
        FieldMalformed: a number out of range, an address that is none, a signature that is not strict.
    """
    name = quorum_name(origin, address)
    writer = Writer().u64(timestamp, "timestamp").u64(set_id, "set_id")
    writer.fixed(require_signature(signature), 65, "signature")
    return NoteLine(name, key_id(name, TYPE_QUORUM, address), writer.bytes())


def quorum_signatures(
    note: Note, validator_set: ValidatorSet, log_id: LogId, timestamp: UnixSeconds
) -> list[EcdsaSignature]:
    """The signatures of members over this note, ascending by address, for `attestation.verify_quorum`.

    Lines of unknown keys are ignored; one bad line of a member rejects the note (SPEC §8.3). How many there must be is
    not checked here.

    Raises:
        FieldMalformed: two lines of one member; members' lines not in address order; a line of another layout.
        FieldMismatch: a line names another time or set.
        SignatureWrong: a line's signature is not by its validator over this checkpoint.
    """
    checkpoint = Checkpoint(
        log_id=log_id,
        tree_size=note.size,
        root=note.root,
        timestamp=timestamp,
        set_id=validator_set.set_id,
        set_hash=validator_set.digest,
    )
    members = _members(note, validator_set)
    lines = [line for line in note.lines if (line.name, line.key_id) in members]
    if any(later.name <= earlier.name for earlier, later in pairwise(lines)):  # one origin: names ascend as addresses
        raise FieldMalformed(field="note.lines", rule="validators strictly ascending by address")
    digest = checkpoint.digest()
    return [_quorum_signature(line, members[line.name, line.key_id], checkpoint, digest) for line in lines]


def stated_time(note: Note, validator_set: ValidatorSet) -> UnixSeconds:
    """The time that the first member's line says it was signed over; `quorum_signatures` verifies it.

    Raises:
        Missing: no member signed the note.
        Truncated, FieldMalformed: a line of another layout.
    """
    members = _members(note, validator_set)
    for line in note.lines:
        if (line.name, line.key_id) in members:
            return UnixSeconds(Reader(line.signature).u64("note.line.timestamp"))
    raise Missing(what="a line by a member of the validator set")


def _members(note: Note, validator_set: ValidatorSet) -> dict[tuple[str, bytes], Address]:
    keys = [VerifierKey(quorum_name(note.origin, a), TYPE_QUORUM, a) for a in validator_set.addresses]
    return {(key.name, key.key_id): Address(key.key) for key in keys}


def _quorum_signature(line: NoteLine, address: Address, checkpoint: Checkpoint, digest: Digest) -> EcdsaSignature:
    """The signature in a validator's line, verified."""
    reader = Reader(line.signature)
    stated = reader.u64("note.line.timestamp"), reader.u64("note.line.set_id")
    signature = require_signature(reader.fixed(65, "note.line.signature"))
    reader.end("note.line")
    for field, expected, got in zip(
        ("timestamp", "set_id"), (checkpoint.timestamp, checkpoint.set_id), stated, strict=True
    ):
        if got != expected:
            raise FieldMismatch(field=f"note.line.{field}", expected=str(expected), got=str(got))
    if recover_address(digest, signature) != address:
        raise SignatureWrong(signer=f"0x{address.hex()}")
    return signature


def _lines_of(note: Note, key: VerifierKey) -> list[NoteLine]:
    """The lines that claim to be by `key`: name and key id both."""
    return [line for line in note.lines if (line.name, line.key_id) == (key.name, key.key_id)]
