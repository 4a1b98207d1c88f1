"""The C2SP witness protocol: what a log sends, when a witness cosigns, and how it says no.

A witness keeps one root for each size of a log and goes forward only. Source: SPEC §13; C2SP tlog-witness.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hybrid_bridge.core.checkpoint import Note, parse_note
from hybrid_bridge.core.note import MAX_NOTE, VerifierKey, parse_b64, to_b64, verify_signed_note
from hybrid_bridge.core.proof import as_octets, verify_consistency
from hybrid_bridge.errors import (
    BridgeError,
    FieldMalformed,
    FieldMismatch,
    Malformed,
    Missing,
    RootMismatch,
    SignatureWrong,
    TooLong,
    Unknown,
)
from hybrid_bridge.units import Digest, TreeSize

MAX_PROOF: Final = 63  # lines; the protocol's own bound
MAX_REQUEST: Final = MAX_NOTE + 64 * 45 + 32  # bytes
SIZE_TYPE: Final = "text/x.tlog.size"
_OLD: Final = re.compile(r"old (0|[1-9][0-9]{0,15})")


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """A request: the size the witness is believed to know, the path from there, and the note."""

    old_size: TreeSize
    path: tuple[Digest, ...]
    note: str

    def encode(self) -> bytes:
        """The body of the request; the inverse of `decode_request`."""
        lines = [f"old {self.old_size}", *map(to_b64, self.path)]
        return ("\n".join(lines) + "\n\n" + self.note).encode()


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest checkpoint of one log that a witness cosigned; size 0: none."""

    size: TreeSize
    root: Digest


def decode_request(body: bytes) -> AddCheckpoint:
    """Read a request; the note itself is read later, when its origin is known.

    Raises:
        Malformed: no such request.
    """
    body = as_octets(body, "request")
    if len(body) > MAX_REQUEST:
        raise TooLong(field="request", limit=MAX_REQUEST, got=len(body))
    head, separator, note = body.partition(b"\n\n")
    try:
        first, *path = head.decode("ascii").split("\n")
        text = note.decode()
    except UnicodeDecodeError:
        raise FieldMalformed(field="request", rule="an old size, a path, an empty line, a checkpoint") from None
    match = _OLD.fullmatch(first)
    if match is None or not separator or len(path) > MAX_PROOF:
        raise FieldMalformed(field="request", rule="an old size, at most 63 hashes, an empty line, a checkpoint")
    hashes = [parse_b64(line, "path") for line in path]
    if any(len(digest) != 32 for digest in hashes):
        raise FieldMalformed(field="path", rule="hashes of 32 bytes")
    return AddCheckpoint(TreeSize(int(match[1])), tuple(map(Digest, hashes)), text)


def read_checkpoint(request: AddCheckpoint, logs: Sequence[VerifierKey]) -> Note:
    """The checkpoint, if it is of a known log and signed by that log's key.

    Raises:
        Malformed: no checkpoint, or one of size 0.
        Unknown: of a log that is not known here.
        Missing, SignatureWrong: not signed by it.
    """
    note = parse_note(request.note, extensions=True)
    keys = [key for key in logs if key.name == note.origin]
    if not keys:
        raise Unknown(what="that origin")
    verify_signed_note(request.note, keys)
    if note.size < 1:
        raise FieldMalformed(field="size", rule="at least 1")
    if request.old_size > note.size:
        raise FieldMalformed(field="old", rule="at most the checkpoint's size")
    return note


def require_extension(request: AddCheckpoint, note: Note, seen: Seen) -> None:
    """The witness may cosign: the checkpoint extends what it has seen, or is the same once more.

    Raises:
        FieldMismatch: the log believes the witness to be elsewhere, or shows another root for the size it has seen.
        Malformed, RootMismatch: the path does not lead from one to the other.
    """
    if request.old_size != seen.size:
        raise FieldMismatch(field="old", expected=str(seen.size), got=str(request.old_size))
    if note.size == seen.size and note.root != seen.root:
        raise FieldMismatch(field="root", expected=seen.root.hex(), got=note.root.hex())
    if seen.size == 0:
        if request.path:
            raise FieldMalformed(field="path", rule="empty when the old size is zero")
        return
    verify_consistency(seen.size, note.size, request.path, seen.root, note.root)


def status_of(error: BridgeError, *, extending: bool) -> int:
    """The HTTP status of a refusal; `extending`: it was made when the path was compared."""
    if isinstance(error, Unknown):
        return 404
    if isinstance(error, Missing | SignatureWrong):
        return 403
    if isinstance(error, FieldMismatch):
        return 409
    if extending and isinstance(error, Malformed | RootMismatch):
        return 422
    return 400 if isinstance(error, Malformed) else 500
