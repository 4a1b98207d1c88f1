"""What a node owes after it accepted a transaction: its entry, or its refusal, in a batch by a named epoch.

A broken promise is portable evidence: the promise, and the absence of both leaves in every epoch of its window.
The node's identity key signs it; the attestation key signs checkpoints only. Source: SPEC §5.
"""

from dataclasses import dataclass
from typing import Final, Self

from hybrid_bridge.core.encoding import Reader, Writer, context
from hybrid_bridge.core.keys import PrivateKey, PublicKey, read_signature, verify_signed, write_signature
from hybrid_bridge.errors import FieldMalformed, FieldMismatch
from hybrid_bridge.units import Digest, EpochNumber, KeyId, LogId, TransactionId, UnixSeconds

VERSION: Final = 1
PROMISE_BYTES: Final = 153
SIGNED_PROMISE_BYTES: Final = 219

# What became of a promise, as far as a member has closed its epochs.
KEPT: Final = "kept"
REFUSED: Final = "refused"  # on the record: that keeps it too
DUE: Final = "due"
BROKEN: Final = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """The entry with this leaf, or the refusal of this transaction, stands in a batch by `by_epoch`."""

    log_id: LogId
    transaction_id: TransactionId
    entry_leaf: Digest
    accepted_time: UnixSeconds
    accepted_epoch: EpochNumber
    by_epoch: EpochNumber
    signer: KeyId

    def __post_init__(self) -> None:
        if self.by_epoch < self.accepted_epoch:
            raise FieldMalformed(field="by_epoch", rule="not before accepted_epoch")

    def encode(self) -> bytes:
        """153 bytes."""
        writer = Writer().u8(VERSION, "version").b32(self.log_id, "log_id")
        writer.b32(self.transaction_id, "transaction_id").b32(self.entry_leaf, "entry_leaf")
        writer.u64(self.accepted_time, "accepted_time").u64(self.accepted_epoch, "accepted_epoch")
        return writer.u64(self.by_epoch, "by_epoch").b32(self.signer, "signer").bytes()

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The inverse of `encode`."""
        reader = Reader(data)
        promise = cls.read(reader)
        reader.end("promise")
        return promise

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """The promise that begins here; a signature may follow."""
        if reader.u8("version") != VERSION:
            raise FieldMalformed(field="version", rule="1")
        return cls(
            log_id=LogId(reader.b32("log_id")),
            transaction_id=TransactionId(reader.b32("transaction_id")),
            entry_leaf=reader.b32("entry_leaf"),
            accepted_time=UnixSeconds(reader.u64("accepted_time")),
            accepted_epoch=EpochNumber(reader.u64("accepted_epoch")),
            by_epoch=EpochNumber(reader.u64("by_epoch")),
            signer=KeyId(reader.b32("signer")),
        )

    @property
    def message(self) -> bytes:
        """What the node signs."""
        return context("promise") + self.encode()

    def verify_window(self, promise_delay: int, expires_epoch: EpochNumber) -> None:
        """Return if by_epoch <= min(accepted_epoch + promise_delay, expires_epoch).

        Args:
            promise_delay: epochs, of the genesis record.
            expires_epoch: of the transaction that was promised.

        Raises:
            FieldMismatch: the node promised later than the consortium allows.
        """
        latest = min(self.accepted_epoch + promise_delay, expires_epoch)
        if self.by_epoch > latest:
            raise FieldMismatch(field="by_epoch", expected=f"at most {latest}", got=str(self.by_epoch))


@dataclass(frozen=True, slots=True)
class SignedPromise:
    """A promise with its node's signature."""

    promise: Promise
    scheme: int
    signature: bytes

    @classmethod
    def over(cls, promise: Promise, key: PrivateKey) -> Self:
        """Sign as the node whose identity key this is."""
        return cls(promise, key.public.scheme, key.sign(promise.message))

    def encode(self) -> bytes:
        """219 bytes."""
        return write_signature(Writer(self.promise.encode()), self.scheme, self.signature).bytes()

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The inverse of `encode`."""
        reader = Reader(data)
        signed = cls(Promise.read(reader), *read_signature(reader))
        reader.end("promise")
        return signed

    def verify(self, key: PublicKey) -> None:
        """Return if `key` is the signer and signed.

        Raises:
            FieldMismatch: another key or scheme.
            Malformed, SignatureWrong: the signature.
        """
        verify_signed(key, self.promise.signer, self.scheme, self.promise.message, self.signature)
