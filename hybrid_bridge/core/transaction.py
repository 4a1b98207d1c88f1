"""What a member signs: one business record, or the governance records of one decision, or one beacon.

A body has exactly one encoding, its id never covers signatures, and its list of authorisers is inside: who strips one
has other bytes, not a refused transaction. Source: SPEC §4.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final, Self

from hybrid_bridge.core.disclosure import ORIGIN, Disclosure, parse_disclosure
from hybrid_bridge.core.encoding import Reader, Writer, context, sha256
from hybrid_bridge.core.field_tree import rebuild_root, require_ascending, require_claims
from hybrid_bridge.core.keys import MAX_SPKI, SIGNATURE_BYTES, PrivateKey, PublicKey, key_id_text
from hybrid_bridge.core.payload import (
    MAX_BODY,
    BeaconPayload,
    GovernancePayload,
    Payload,
    RecordPayload,
    RegistryOp,
    read_count,
    read_payload,
)
from hybrid_bridge.core.proof import as_octets
from hybrid_bridge.errors import FieldMalformed, FieldMismatch, Missing, RootMismatch, TooLong
from hybrid_bridge.units import EpochNumber, KeyId, LogId, Sequence, TransactionId

__all__ = [
    "BeaconPayload",
    "Body",
    "GovernancePayload",
    "Payload",
    "RecordPayload",
    "RegistryOp",
    "SignaturePart",
    "SignedTransaction",
    "claims_of",
]

VERSION: Final = 1
MAX_AUTHORISERS: Final = 64  # as many as a validator set can have
REMEMBERED: Final = 256  # transactions whose claims need not be parsed again
MAX_SIGNED: Final = MAX_BODY + 1 + (1 + MAX_AUTHORISERS) * (2 + 1 + MAX_SPKI + SIGNATURE_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What is signed. `sequence` counts the submitter's transactions; after `expires_epoch` it stands in no block."""

    log_id: LogId
    submitter: KeyId
    sequence: Sequence
    expires_epoch: EpochNumber
    authorisers: tuple[KeyId, ...] = ()
    payload: Payload

    def __post_init__(self) -> None:
        if len(self.authorisers) > MAX_AUTHORISERS:
            raise TooLong(field="authorisers", limit=MAX_AUTHORISERS, got=len(self.authorisers))
        require_ascending(self.authorisers, "authorisers")

    @property
    def kind(self) -> int:
        """1 record, 2 governance, 3 beacon."""
        return self.payload.kind

    def encode(self) -> bytes:
        """At most 65,536 bytes.

        Raises:
            Malformed: a field does not fit, or the whole is longer.
        """
        writer = Writer().u8(VERSION, "version").u8(self.kind, "kind")
        writer.b32(self.log_id, "log_id").b32(self.submitter, "submitter").u64(self.sequence, "sequence")
        body = self._write_consented(writer.u64(self.expires_epoch, "expires_epoch")).bytes()
        if len(body) > MAX_BODY:
            raise TooLong(field="body", limit=MAX_BODY, got=len(body))
        return body

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The inverse of `encode`."""
        reader = Reader(data)
        body = cls.read(reader)
        reader.end("body")
        return body

    @property
    def message(self) -> bytes:
        """What the submitter signs."""
        return context("transaction") + self.encode()

    @property
    def transaction_id(self) -> TransactionId:
        """H(message): never over signatures, which are not unique."""
        return TransactionId(sha256(self.message))

    @property
    def consent(self) -> bytes:
        """What each authoriser signs. Leaves out submitter and sequence, so that it can be gathered first."""
        writer = Writer(context("authorisation")).u8(self.kind, "kind").b32(self.log_id, "log_id")
        return self._write_consented(writer.u64(self.expires_epoch, "expires_epoch")).bytes()

    def _write_consented(self, writer: Writer) -> Writer:
        writer.u8(len(self.authorisers), "authorisers")
        for authoriser in self.authorisers:
            writer.b32(authoriser, "authoriser")
        return self.payload.write(writer)

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """The body that begins here; a signed transaction goes on after it."""
        if reader.u8("version") != VERSION:
            raise FieldMalformed(field="version", rule="1")
        kind = reader.u8("kind")
        log_id, submitter = LogId(reader.b32("log_id")), KeyId(reader.b32("submitter"))
        sequence, expires_epoch = Sequence(reader.u64("sequence")), EpochNumber(reader.u64("expires_epoch"))
        count = read_count(reader, 1, "authorisers", MAX_AUTHORISERS)
        authorisers = tuple(KeyId(reader.b32("authoriser")) for _ in range(count))
        body = cls(
            log_id=log_id,
            submitter=submitter,
            sequence=sequence,
            expires_epoch=expires_epoch,
            authorisers=authorisers,
            payload=read_payload(reader, kind),
        )
        if reader.position > MAX_BODY:
            raise TooLong(field="body", limit=MAX_BODY, got=reader.position)
        return body


def claims_of(body: Body) -> Mapping[str, Disclosure]:
    """A record's claims by name, in left-half order; empty for the other kinds.

    Raises:
        Malformed: one is no disclosure, a name stands twice, `_schema` or `_origin` is missing.
        FieldMismatch: a name that is private.
    """
    return _parsed(body.payload.claims) if isinstance(body.payload, RecordPayload) else {}


@lru_cache(REMEMBERED)  # by content: a door, a proposal and a block ask about the same, each out of its own bytes
def _parsed(texts: tuple[str, ...]) -> Mapping[str, Disclosure]:
    claims = [parse_disclosure(text) for text in texts]
    require_claims(claims)
    return MappingProxyType({claim.name: claim for claim in claims})


# ── signatures ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class SignaturePart:
    """One signature with the key that made it."""

    scheme: int
    spki: bytes
    signature: bytes

    def __post_init__(self) -> None:
        if len(self.spki) > MAX_SPKI:
            raise TooLong(field="spki", limit=MAX_SPKI, got=len(self.spki))

    @classmethod
    def over(cls, message: bytes, key: PrivateKey) -> Self:
        """Sign `Body.message` as its submitter or `Body.consent` as an authoriser."""
        return cls(key.public.scheme, key.public.spki, key.sign(message))

    def write(self, writer: Writer) -> Writer:
        """u16 scheme ‖ u8 length ‖ SPKI ‖ signature."""
        writer.u16(self.scheme, "scheme").opaque(self.spki, 1, "spki")
        return writer.fixed(self.signature, SIGNATURE_BYTES, "signature")

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """The inverse of `write`."""
        scheme, spki = reader.u16("scheme"), reader.opaque(1, "spki", MAX_SPKI)
        return cls(scheme, spki, reader.fixed(SIGNATURE_BYTES, "signature"))


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """A body and its signatures: the submitter's first, then one for each authoriser in their order."""

    body: Body
    signatures: tuple[SignaturePart, ...]

    def __post_init__(self) -> None:
        if len(self.signatures) != 1 + len(self.body.authorisers):
            raise FieldMalformed(field="signatures", rule="the submitter's, then one for each authoriser")

    @classmethod
    def assemble(cls, body: Body, submission: SignaturePart, consents: Iterable[SignaturePart] = ()) -> Self:
        """Put consents, gathered in any order, into the order of the body's authorisers.

        Raises:
            Missing: an authoriser's consent is not among them.
        """
        by_key = {KeyId(sha256(consent.spki)): consent for consent in consents}
        for authoriser in body.authorisers:
            if authoriser not in by_key:
                raise Missing(what=f"consent of {key_id_text(authoriser)}")
        return cls(body, (submission, *(by_key[authoriser] for authoriser in body.authorisers)))

    def encode(self) -> bytes:
        """Body ‖ u8 count ‖ signatures; bounded by `MAX_SIGNED`."""
        writer = Writer(self.body.encode()).u8(len(self.signatures), "signatures")
        for part in self.signatures:
            part.write(writer)
        return writer.bytes()

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The inverse of `encode`. Shape only: `verify_stateless` judges."""
        data = as_octets(data, "transaction")
        if len(data) > MAX_SIGNED:
            raise TooLong(field="transaction", limit=MAX_SIGNED, got=len(data))
        reader = Reader(data)
        body = Body.read(reader)
        count = read_count(reader, 1, "signatures", 1 + MAX_AUTHORISERS)
        signed = cls(body, tuple(SignaturePart.read(reader) for _ in range(count)))
        reader.end("transaction")
        return signed

    def verify_stateless(self, log_id: LogId) -> None:
        """All that can be checked without the ledger's state, cheap before dear.

        (1) consortium (2) keys are those the body names (3) claims, origin, field root (4) signatures.
        NOT CHECKED HERE: admission, sequence, expiry, whether entry and indices are new, business rules, what a
        governance record says.

        Raises:
            Malformed: a key, a claim or a number in a signature breaks SPEC §1, §3, §4.
            FieldMismatch: another consortium, another key than named, `_origin` is not the submitter.
            RootMismatch: claims and private root do not give the entry's field root.
            SignatureWrong: a signature is not its key's over this body.
        """
        if self.body.log_id != log_id:
            raise FieldMismatch(field="log_id", expected=log_id.hex(), got=self.body.log_id.hex())
        keys = self._keys()
        _verify_record(self.body)
        messages = [self.body.message, *[self.body.consent] * len(self.body.authorisers)]
        for key, message, part in zip(keys, messages, self.signatures, strict=True):
            key.verify(message, part.signature)

    def _keys(self) -> list[PublicKey]:
        keys = [PublicKey(part.scheme, part.spki) for part in self.signatures]
        for key, named in zip(keys, (self.body.submitter, *self.body.authorisers), strict=True):
            if key.key_id != named:
                raise FieldMismatch(field="signer", expected=key_id_text(named), got=key_id_text(key.key_id))
        return keys


def _verify_record(body: Body) -> None:
    if not isinstance(body.payload, RecordPayload):
        return
    claims, entry = claims_of(body), body.payload.record
    submitter = key_id_text(body.submitter)
    if claims[ORIGIN].value != submitter:
        raise FieldMismatch(field=ORIGIN, expected=submitter, got=str(claims[ORIGIN].value)[:64])
    root = rebuild_root(body.payload.claims, body.payload.private_root, entry.width)
    if root != entry.field_root:
        raise RootMismatch(expected=entry.field_root, calculated=root)
