"""Private fields on their way to their audience: what is sealed, what binds it, what the receiver signs back.

Sealing itself draws randomness and is an adapter's; here are the bytes that go in. Source: SPEC §5, JSON types §11.
"""

from dataclasses import dataclass
from typing import Final, Self

from hybrid_bridge.core.disclosure import MAX_DISCLOSURE
from hybrid_bridge.core.encoding import Reader, Writer, canonical_json, context, parse_canonical_json
from hybrid_bridge.core.entry import ENTRY_BYTES, MAX_WIDTH
from hybrid_bridge.core.keys import PrivateKey, PublicKey, read_signature, verify_signed, write_signature
from hybrid_bridge.core.payload import MAX_OPS
from hybrid_bridge.core.shape import Codec, array, octets, record, text, uint
from hybrid_bridge.errors import FieldMalformed
from hybrid_bridge.units import Digest, KeyId, LogId, UnixSeconds

VERSION: Final = 1
ACKNOWLEDGEMENT_BYTES: Final = 137
SIGNED_ACKNOWLEDGEMENT_BYTES: Final = 203
MAX_PLAINTEXT: Final = 3 << 20  # bytes; sealed, a delivery fits one message between members
MAX_FIELD_PATH: Final = MAX_WIDTH.bit_length() - 1
MAX_LABEL: Final = 4096  # bytes
MAX_LABEL_VALUE: Final = 8192  # characters


@dataclass(frozen=True, slots=True)
class DeliveredField:
    """One disclosure with its place in the field tree. Shows only its place."""

    value: str
    index: int
    path: tuple[bytes, ...]

    def __repr__(self) -> str:
        return f"DeliveredField(index={self.index})"


@dataclass(frozen=True, slots=True)
class DeliveredOpening:
    """What opens one registry commitment: label, committed value, opening. Shows nothing of itself."""

    label: bytes
    value: str
    opening: bytes

    def __repr__(self) -> str:
        return "DeliveredOpening()"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPlaintext:
    """What one recipient gets of one record; the full audience gets every field and every decoy's seed.

    NOT CHECKED HERE: that the fields stand in the entry; `core.disclosure` and `core.field_tree` do.
    """

    entry: bytes
    disclosures: tuple[DeliveredField, ...]
    decoys: tuple[bytes, ...] = ()
    openings: tuple[DeliveredOpening, ...] = ()

    def __repr__(self) -> str:
        return f"DeliveryPlaintext(entry={self.entry.hex()}, disclosures={len(self.disclosures)})"

    def encode(self) -> bytes:
        """The one JCS encoding.

        Raises:
            Malformed: a part does not fit its shape, or the whole exceeds 3 MiB.
        """
        data = canonical_json(_PLAINTEXT.write(self))
        parse_delivery(data)
        return data


def parse_delivery(data: bytes) -> DeliveryPlaintext:
    """The inverse of `DeliveryPlaintext.encode`.

    Raises:
        Malformed: too long, not canonical JSON, or not the shape of SPEC §5.
    """
    return _PLAINTEXT.parse(parse_canonical_json(data, "delivery", MAX_PLAINTEXT), "delivery")


def delivery_info(log_id: LogId, recipient_key_hash: Digest, entry_leaf: Digest) -> bytes:
    """HPKE's info: an envelope opens only for this log, this recipient, this entry.

    CTX("delivery") ‖ log_id ‖ H(recipient's X25519 key) ‖ LEAF(entry). The leaf stands here, not in aad: the
    single-shot HPKE interface of the library takes no aad, and info enters the key schedule just as well.
    """
    writer = Writer(context("delivery")).b32(log_id, "log_id").b32(recipient_key_hash, "recipient_key_hash")
    return writer.b32(entry_leaf, "entry_leaf").bytes()


# ── what the receiver signs back ─────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """The receiver has this envelope, opened, for this entry."""

    log_id: LogId
    entry_leaf: Digest
    envelope_hash: Digest
    received_time: UnixSeconds
    receiver: KeyId

    def encode(self) -> bytes:
        """137 bytes."""
        writer = Writer().u8(VERSION, "version").b32(self.log_id, "log_id").b32(self.entry_leaf, "entry_leaf")
        writer.b32(self.envelope_hash, "envelope_hash").u64(self.received_time, "received_time")
        return writer.b32(self.receiver, "receiver").bytes()

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The inverse of `encode`."""
        reader = Reader(data)
        acknowledgement = cls.read(reader)
        reader.end("acknowledgement")
        return acknowledgement

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """The acknowledgement that begins here; a signature may follow."""
        if reader.u8("version") != VERSION:
            raise FieldMalformed(field="version", rule="1")
        return cls(
            log_id=LogId(reader.b32("log_id")),
            entry_leaf=reader.b32("entry_leaf"),
            envelope_hash=reader.b32("envelope_hash"),
            received_time=UnixSeconds(reader.u64("received_time")),
            receiver=KeyId(reader.b32("receiver")),
        )

    @property
    def message(self) -> bytes:
        """What the receiver signs."""
        return context("ack") + self.encode()


@dataclass(frozen=True, slots=True)
class SignedAcknowledgement:
    """An acknowledgement with its receiver's signature."""

    acknowledgement: Acknowledgement
    scheme: int
    signature: bytes

    @classmethod
    def over(cls, acknowledgement: Acknowledgement, key: PrivateKey) -> Self:
        """Sign as the receiver whose identity key this is."""
        return cls(acknowledgement, key.public.scheme, key.sign(acknowledgement.message))

    def encode(self) -> bytes:
        """203 bytes."""
        return write_signature(Writer(self.acknowledgement.encode()), self.scheme, self.signature).bytes()

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The inverse of `encode`."""
        reader = Reader(data)
        signed = cls(Acknowledgement.read(reader), *read_signature(reader))
        reader.end("acknowledgement")
        return signed

    def verify(self, key: PublicKey) -> None:
        """Return if `key` is the receiver and signed.

        Raises:
            FieldMismatch: another key or scheme.
            Malformed, SignatureWrong: the signature.
        """
        acknowledgement = self.acknowledgement
        verify_signed(key, acknowledgement.receiver, self.scheme, acknowledgement.message, self.signature)


_B32 = octets(32)
_PLAINTEXT: Codec[DeliveryPlaintext] = record(
    DeliveryPlaintext,
    {
        "entry": octets(ENTRY_BYTES),
        "disclosures": array(
            record(
                DeliveredField,
                {
                    "value": text(MAX_DISCLOSURE),
                    "index": uint(MAX_WIDTH - 1),
                    "path": array(_B32, MAX_FIELD_PATH),
                },
            ),
            MAX_WIDTH,
        ),
        "decoys": array(_B32, MAX_WIDTH // 2),
        "openings": array(
            record(
                DeliveredOpening, {"label": octets(None, MAX_LABEL), "value": text(MAX_LABEL_VALUE), "opening": _B32}
            ),
            MAX_OPS,
        ),
    },
)
