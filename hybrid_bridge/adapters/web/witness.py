"""Both sides of the C2SP witness protocol over HTTP: asking one, and being one. Source: SPEC §13; C2SP tlog-witness."""

import re
from collections.abc import Callable, Sequence
from typing import Final, Protocol, TypeVar

from hybrid_bridge.adapters.web.exchange import TIMEOUT, Answer, Service
from hybrid_bridge.adapters.web.serving import Reply
from hybrid_bridge.core.checkpoint import Note, for_other_readers, parse_note
from hybrid_bridge.core.cosigning import (
    SIZE_TYPE,
    AddCheckpoint,
    Seen,
    decode_request,
    read_checkpoint,
    require_extension,
    status_of,
)
from hybrid_bridge.core.note import NoteLine, VerifierKey, parse_line, verify_line
from hybrid_bridge.errors import AnswerMalformed, BridgeError, Broken, EndpointRefused, FieldMismatch, Malformed, NotYet
from hybrid_bridge.units import Digest, Seconds, TreeSize

NAME: Final = "witness"
PATH: Final = "/add-checkpoint"
_MAX_ANSWER: Final = 1 << 16
_SIZE: Final = re.compile(rb"(0|[1-9][0-9]{0,15})\n")
T = TypeVar("T")

Prove = Callable[[TreeSize], Sequence[Digest]]  # the path from that size to the checkpoint's


class Memory(Protocol):
    """What a witness remembers; `adapters.sqlite.cosigned` keeps it."""

    def advance(self, note: Note, require: Callable[[Seen], None], cosign: Callable[[], T]) -> T:
        """Judge, commit, cosign: in one turn."""


# ── asking one ───────────────────────────────────────────────────────────────────────────────────────────────────────


def ask_cosignatures(
    url: str, note: str, keys: Sequence[VerifierKey], prove: Prove, timeout: Seconds = TIMEOUT
) -> list[NoteLine]:
    """The lines of `keys` that the witness at `url` (its submission prefix) puts under `note`, verified.

    It is first told that it knows nothing; if it knows a size, the path from there is sent.

    Raises:
        Unreachable, EndpointRefused: no answer, or a refusal.
        NotYet: it has seen a later checkpoint than this.
        Malformed, SignatureWrong, FieldMismatch: no answer of a witness, or none by these keys.
    """
    note = for_other_readers(note)
    service, checkpoint = Service(NAME, url, timeout, _MAX_ANSWER), parse_note(note)
    answer = _post(service, AddCheckpoint(TreeSize(0), (), note))
    for _ in range(2):  # once more if somebody else was faster
        if answer.status != 409 or answer.media_type != SIZE_TYPE:
            break
        known = _known_size(answer)
        if known > checkpoint.size:
            raise NotYet(what=f"a checkpoint as new as that of size {known}, which this witness has seen")
        answer = _post(service, AddCheckpoint(known, tuple(prove(known)) if known < checkpoint.size else (), note))
    if answer.status != 200:
        raise EndpointRefused(endpoint=NAME, call="add-checkpoint", code=answer.status, reason="HTTP status")
    return _lines(answer.body, keys, checkpoint.body())


def _post(service: Service, request: AddCheckpoint) -> Answer:
    return service.post(PATH, request.encode(), {"Content-Type": "text/plain; charset=utf-8"})


def _known_size(answer: Answer) -> TreeSize:
    match = _SIZE.fullmatch(answer.body)
    if match is None:
        raise AnswerMalformed(endpoint=NAME, call="add-checkpoint", rule="a size and a line feed")
    return TreeSize(int(match[1]))


def _lines(body: bytes, keys: Sequence[VerifierKey], message: bytes) -> list[NoteLine]:
    """Lines of other keys are left out (C2SP tlog-witness)."""
    try:
        text = body.decode()
        lines = [parse_line(line) for line in text[:-1].split("\n")] if text.endswith("\n") else []
    except (UnicodeDecodeError, Malformed):
        lines = []
    if not lines:
        raise AnswerMalformed(endpoint=NAME, call="add-checkpoint", rule="signature lines")
    known = {(key.name, key.key_id): key for key in keys}
    found = {(line.name, line.key_id): line for line in lines if (line.name, line.key_id) in known}
    for place, line in found.items():
        verify_line(known[place], line, message)
    if not found:
        raise FieldMismatch(field="witness.lines", expected=", ".join(key.text() for key in keys)[:200], got="others")
    return list(found.values())


# ── being one ────────────────────────────────────────────────────────────────────────────────────────────────────────


class Witness:
    """Answers `add-checkpoint`. `sign` makes the lines under a body; it is called after the commit only."""

    def __init__(
        self, memory: Memory, logs: Sequence[VerifierKey], sign: Callable[[bytes], Sequence[NoteLine]]
    ) -> None:
        self._memory, self._logs, self._sign = memory, logs, sign

    def handle(self, method: str, path: str, body: bytes) -> Reply:
        """The reply to one request; nothing of it is logged."""
        if path != PATH:
            return Reply(404, b"")
        if method != "POST":
            return Reply(405, b"", {"Allow": "POST"})
        try:
            request = decode_request(body)
            note = read_checkpoint(request, self._logs)
        except BridgeError as error:
            return Reply(status_of(error, extending=False), b"")
        return self._cosign(request, note)

    def _cosign(self, request: AddCheckpoint, note: Note) -> Reply:
        known = 0

        def require(seen: Seen) -> None:
            nonlocal known
            known = seen.size
            require_extension(request, note, seen)

        try:
            lines = self._memory.advance(note, require, lambda: self._sign(note.body()))
        except Broken:
            return Reply(503, b"")
        except BridgeError as error:
            status = status_of(error, extending=True)
            size = status == 409 and request.old_size != known
            return Reply(status, b"%d\n" % known if size else b"", {"Content-Type": SIZE_TYPE} if size else {})
        text = "".join(f"{line.text()}\n" for line in lines)
        return Reply(200, text.encode(), {"Content-Type": "text/plain; charset=utf-8"})
