"""Text with signature lines under it, and the keys that check them: the signed note of C2SP.

What a note says is no matter of this module; a checkpoint is one kind of note (`core/checkpoint.py`). Ordinary logs
and witnesses sign notes too, so their keys are checked here: Ed25519 (type 01), Ed25519 with a time (type 04), and
ML-DSA-44 with a time (type 06), whose message is made of a checkpoint's three lines.
Source: SPEC §8.3; C2SP signed-note, tlog-cosignature.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.keys import ED25519, PrivateKey, PublicKey
from hybrid_bridge.core.mldsa import KEY_BYTES, MldsaKey, verify_mldsa
from hybrid_bridge.core.proof import as_octets, as_text
from hybrid_bridge.errors import FieldMalformed, Missing, NotCanonical, TooLong

MAX_NOTE: Final = 256 * 1024  # bytes: 64 post-quantum lines of 3,300 characters, and room
MAX_LINES: Final = 160  # two lines for each of 64 validators, and witnesses
MAX_TIME: Final = 2**63 - 1  # C2SP tlog-cosignature

TYPE_ED25519: Final = b"\x01"
TYPE_COSIGNATURE: Final = b"\x04"
TYPE_MLDSA: Final = b"\x06"
TYPE_QUORUM: Final = b"\xffhybrid-bridge/eip712-checkpoint/v1"  # the key is an address
KEY_WIDTHS: Final = {TYPE_ED25519: 32, TYPE_COSIGNATURE: 32, TYPE_MLDSA: KEY_BYTES, TYPE_QUORUM: 20}

_DECIMAL: Final = re.compile(rb"[0-9]{1,19}")
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")  # and lone surrogates, which UTF-8 has not
_ED25519_SPKI: Final = bytes.fromhex("302a300506032b6570032100")  # RFC 8410 §4


# ── signature lines ──────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class NoteLine:
    """One signature line: who, by which key, and the signature after the key id."""

    name: str
    key_id: bytes  # 4 bytes
    signature: bytes  # at least one byte

    def __post_init__(self) -> None:
        """Refuse what has no line.

        Raises:
            FieldMalformed: the name is no key name; the key id has not 4 bytes; there is no signature.
        """
        require_name(self.name)
        if len(as_octets(self.key_id, "key_id")) != 4 or not as_octets(self.signature, "signature"):
            raise FieldMalformed(field="note.line", rule="a key id of 4 bytes and a signature")

    def text(self) -> str:
        """The line, without its line feed."""
        return f"— {self.name} {to_b64(self.key_id + self.signature)}"


def parse_line(text: str) -> NoteLine:
    """The inverse of `NoteLine.text`.

    Raises:
        FieldMalformed, NotCanonical: not the one text of any line.
    """
    parts = as_text(text, "note.line").split(" ")
    if len(parts) != 3 or parts[0] != "—":
        raise FieldMalformed(field="note.line", rule="a dash, a name and a signature, one space between")
    data = parse_b64(parts[2], "note.line")
    return NoteLine(parts[1], data[:4], data[4:])


def require_name(name: str) -> str:
    """`name` if it can name a key: not empty, no white space, no plus sign, no control character.

    Raises:
        FieldMalformed: anything else.
    """
    if "+" in require_plain(name, "key_name") or name.split() != [name]:
        raise FieldMalformed(field="key_name", rule="not empty, without white space and plus sign")
    return name


def require_plain(text: object, field: str) -> str:
    """`text` if it is text without control characters and lone surrogates.

    Raises:
        FieldMalformed: it is not.
    """
    if not isinstance(text, str) or _CONTROL.search(text):
        raise FieldMalformed(field=field, rule="UTF-8 without control characters")
    return text


# ── notes ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class SignedNote:
    """A text that ends with a line feed, and at least one signature line."""

    message: str
    lines: tuple[NoteLine, ...]

    def body(self) -> bytes:
        """What is signed: the text with its last line feed, without the empty line."""
        return self.message.encode()

    def text(self) -> str:
        """The whole note; the inverse of `parse_signed_note`."""
        return f"{self.message}\n" + "".join(f"{line.text()}\n" for line in self.lines)


def parse_signed_note(text: str | bytes) -> SignedNote:
    """The inverse of `SignedNote.text`; strict, and bounded before anything is read.

    Raises:
        TooLong: more than 256 KiB or 160 lines.
        NotCanonical: not UTF-8, or base64 that is not canonical.
        FieldMalformed: a control character, no empty line, no signature line, or a line that is none.
    """
    decoded = _decode_text(text)
    if decoded.count("\n") > MAX_LINES:
        raise TooLong(field="note.lines", limit=MAX_LINES, got=decoded.count("\n"))
    message, separator, signatures = decoded.rpartition("\n\n")
    if not separator or not signatures.endswith("\n"):
        raise FieldMalformed(field="note", rule="text, an empty line, signature lines, a line feed at the end")
    for line in message.split("\n"):
        require_plain(line, "note")
    return SignedNote(f"{message}\n", tuple(parse_line(line) for line in signatures[:-1].split("\n")))


def _decode_text(text: object) -> str:
    try:
        data = text.encode() if isinstance(text, str) else as_octets(text, "note")
        if len(data) > MAX_NOTE:
            raise TooLong(field="note", limit=MAX_NOTE, got=len(data))
        return data.decode()
    except UnicodeError:
        raise NotCanonical(field="note") from None


# ── verifier keys ────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key as tools of transparency logs write it down."""

    name: str
    kind: bytes  # signature type: one byte, or more after 0xff
    key: bytes

    def __post_init__(self) -> None:
        """Refuse what is no key.

        Raises:
            FieldMalformed: no key name, an unknown type, or another length than the type has.
        """
        require_name(self.name)
        if len(as_octets(self.key, "key")) != KEY_WIDTHS.get(as_octets(self.kind, "type")):
            raise FieldMalformed(field="vkey", rule="a key of type 01, 04 or 06, or a validator's address")

    @property
    def key_id(self) -> bytes:
        """H(name ‖ 0x0A ‖ type ‖ key)[:4]: for finding lines, not a commitment; the whole key is known."""
        return sha256(self.name.encode() + b"\n" + self.kind + self.key)[:4]

    def text(self) -> str:
        """The text `name+hex(keyid)+b64(type ‖ key)`; the inverse of `parse_vkey`."""
        return f"{self.name}+{self.key_id.hex()}+{to_b64(self.kind + self.key)}"


def key_id(name: str, kind: int | bytes, key: bytes) -> bytes:
    """The four bytes that name a key in its lines; `kind` is the signature type, a number or bytes."""
    return _key(name, kind, key).key_id


def vkey(name: str, kind: int | bytes, key: bytes) -> str:
    """The text of a verifier key; `kind` is the signature type, a number or bytes."""
    return _key(name, kind, key).text()


def _key(name: str, kind: int | bytes, key: bytes) -> VerifierKey:
    if isinstance(kind, int) and not 0 <= kind <= 0xFF:
        raise FieldMalformed(field="type", rule="0 to 255, or bytes")
    return VerifierKey(name, bytes([kind]) if isinstance(kind, int) else kind, key)


def parse_vkey(text: str) -> VerifierKey:
    """The inverse of `VerifierKey.text`.

    Raises:
        FieldMalformed, NotCanonical: not the text of a key of a type we know, or its key id is another's.
    """
    parts = require_plain(text, "vkey").split("+", 2)
    if len(parts) != 3:
        raise FieldMalformed(field="vkey", rule="name, key id and key with a plus sign between")
    data = parse_b64(parts[2], "vkey")
    kind = next((kind for kind in KEY_WIDTHS if data.startswith(kind)), b"")
    key = VerifierKey(parts[0], kind, data[len(kind) :])
    if key.text() != text:
        raise NotCanonical(field="vkey")
    return key


def verify_signed_note(text: str | bytes, vkeys: Sequence[str | VerifierKey]) -> SignedNote:
    """The note, if a known key signed it and no line of a known key is wrong. Lines of unknown keys are ignored.

    Raises:
        Malformed: as in `parse_signed_note` and `parse_vkey`.
        SignatureWrong: the line of a known key does not verify.
        Missing: no line is by a known key.
    """
    note = parse_signed_note(text)
    if not isinstance(vkeys, Iterable):
        raise FieldMalformed(field="vkeys", rule="a sequence of keys")
    known = {(key.name, key.key_id): key for key in (_as_key(key) for key in vkeys)}
    matching = [(known[line.name, line.key_id], line) for line in note.lines if (line.name, line.key_id) in known]
    if not matching:
        raise Missing(what="a signature by a known key")
    for key, line in matching:
        verify_line(key, line, note.body())
    return note


def _as_key(key: str | VerifierKey) -> VerifierKey:
    return key if isinstance(key, VerifierKey) else parse_vkey(key)


def verify_line(key: VerifierKey, line: NoteLine, body: bytes) -> None:
    """Return if the signature of `line` over `body` is by `key`. Names and key ids are not compared.

    Raises:
        FieldMalformed: `key` is of a type not checked here; the signature has another length or is out of range.
        SignatureWrong: it is not by `key`.
    """
    if key.kind == TYPE_ED25519:
        ed25519_key(key.key).verify(body, line.signature)
    elif key.kind == TYPE_COSIGNATURE:
        time, signature = _timed(line)
        ed25519_key(key.key).verify(_cosigned(time, body), signature)
    elif key.kind == TYPE_MLDSA:
        time, signature = _timed(line)
        verify_mldsa(key.key, _subtree(key.name, time, body), signature)
    else:
        raise FieldMalformed(field="vkey", rule="type 01, 04 or 06")


def cosign(name: str, key: PrivateKey | MldsaKey, time: int, body: bytes) -> NoteLine:
    """The line of a witness under a checkpoint: type 04 by an Ed25519 key, type 06 by one of ML-DSA-44.

    Raises:
        FieldMalformed: no key name; a key of another kind; a time that is none; `body` is no checkpoint (type 06).
    """
    if not 0 <= time <= MAX_TIME:
        raise FieldMalformed(field="time", rule="0 to 2^63-1")
    if isinstance(key, MldsaKey):
        kind, raw, signature = TYPE_MLDSA, key.public, key.sign(_subtree(name, time, body))
    else:
        kind, raw, signature = TYPE_COSIGNATURE, key.public.spki[-32:], key.sign(_cosigned(time, body))
    return NoteLine(name, key_id(name, kind, raw), time.to_bytes(8, "big") + signature)


def cosigned_at(line: NoteLine) -> int:
    """The time in a line of type 04 or 06.

    Raises:
        FieldMalformed: it has none.
    """
    return _timed(line)[0]


def _cosigned(time: int, body: bytes) -> bytes:
    return b"cosignature/v1\ntime %d\n" % time + body


def _subtree(name: str, time: int, body: bytes) -> bytes:
    """The message of type 06 (C2SP tlog-cosignature): extension lines are no part of it."""
    origin, size, root = [*body.split(b"\n"), b"", b"", b""][:3]
    if not 1 <= len(name.encode()) <= 255 or not 1 <= len(origin) <= 255 or not _DECIMAL.fullmatch(size):
        raise FieldMalformed(field="note", rule="names of at most 255 bytes, and a size, under an ML-DSA-44 line")
    digest = parse_b64(root.decode("utf-8", "replace"), "root")
    parts = bytes([len(name.encode())]), name.encode(), time.to_bytes(8, "big"), bytes([len(origin)]), origin
    return b"subtree/v1\n\x00" + b"".join(parts) + bytes(8) + int(size).to_bytes(8, "big") + digest


def ed25519_key(raw: bytes) -> PublicKey:
    """The key of 32 raw bytes, under the rules of SPEC §1.

    Raises:
        FieldMalformed: no usable point.
    """
    return PublicKey(ED25519, _ED25519_SPKI + as_octets(raw, "key"))


def _timed(line: NoteLine) -> tuple[int, bytes]:
    time = int.from_bytes(line.signature[:8], "big")
    if len(line.signature) <= 8 or time > MAX_TIME:
        raise FieldMalformed(field="note.line", rule="a time below 2^63, then a signature")
    return time, line.signature[8:]


# ── standard base64, only inside these texts (SPEC §1) ───────────────────────────────────────────────────────────────


def to_b64(data: bytes) -> str:
    """RFC 4648 §4, padded."""
    return base64.b64encode(data).decode("ascii")


def parse_b64(text: str, field: str) -> bytes:
    """The inverse of `to_b64`.

    Raises:
        NotCanonical: not the one encoding of any byte string.
    """
    try:
        data = base64.b64decode(as_text(text, field), validate=True)
    except (binascii.Error, ValueError):
        raise NotCanonical(field=field) from None
    if to_b64(data) != text:
        raise NotCanonical(field=field)
    return data
