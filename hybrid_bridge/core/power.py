"""Pause, resume, retire, appoint: what a quorum says to one contract on one public chain, and the files it travels in.

A statement is drafted once, signed by each validator alone, and sent by anybody: seals and calldata follow from the
signed files. The reason is for people; only its hash goes to the public chain.
Source: SPEC §8.2; CONTRACT §3.4, §3.5.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, TypeAlias

from hybrid_bridge.core.attestation import pause_digest, resume_digest, retire_digest, seals, set_update_digest
from hybrid_bridge.core.encoding import Json, canonical_json, parse_canonical_json, sha256
from hybrid_bridge.core.note import require_plain
from hybrid_bridge.core.shape import Codec, literal, octets, record, tagged, text, uint
from hybrid_bridge.core.signing import recover_address, to_compact
from hybrid_bridge.core.validators import ValidatorSet
from hybrid_bridge.errors import FieldMalformed, FieldMismatch, Missing, NewcomerUnproven
from hybrid_bridge.units import Address, ChainId, Digest, EcdsaSignature, LogId, SetId, TreeSize, UnixSeconds

DRAFT_FORMAT: Final = "hybrid-bridge/power/v1"
SIGNED_FORMAT: Final = "hybrid-bridge/signed-power/v1"
MAX_FILE: Final = 1 << 13  # bytes; the longest reason in characters of four bytes, and room
MAX_REASON: Final = 500  # characters
MAX_NONCE: Final = (1 << 32) - 1  # CONTRACT §2, slot +3


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """No new anchors until a time."""

    type: ClassVar[str] = "pause"
    chain_id: ChainId
    contract: Address
    log_id: LogId
    nonce: int
    until: UnixSeconds
    reason: str

    @property
    def number(self) -> int:
        """What a key may use once only (RELAYER §5.4, G6)."""
        return self.nonce

    def digest(self) -> Digest:
        """The 32 bytes that are signed."""
        reason_hash = hash_of_reason(self.reason)
        return pause_digest(self.chain_id, self.contract, self.log_id, self.nonce, self.until, reason_hash)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """A pause ends now."""

    type: ClassVar[str] = "resume"
    chain_id: ChainId
    contract: Address
    log_id: LogId
    nonce: int
    reason: str

    @property
    def number(self) -> int:
        """What a key may use once only (RELAYER §5.4, G6)."""
        return self.nonce

    def digest(self) -> Digest:
        """The 32 bytes that are signed."""
        return resume_digest(self.chain_id, self.contract, self.log_id, self.nonce, hash_of_reason(self.reason))


@dataclass(frozen=True, slots=True, kw_only=True)
class Retire:
    """A log ends at this head, and its successor goes on."""

    type: ClassVar[str] = "retire"
    chain_id: ChainId
    contract: Address
    log_id: LogId
    successor: LogId
    tree_size: TreeSize
    root: Digest

    @property
    def number(self) -> int:
        """What a key may use once only: at one size a log has one successor."""
        return self.tree_size

    def digest(self) -> Digest:
        """The 32 bytes that are signed."""
        return retire_digest(self.chain_id, self.contract, self.log_id, self.successor, self.tree_size, self.root)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUpdate:
    """Another set of validators is responsible from a size on (SPEC §8.1)."""

    type: ClassVar[str] = "set"
    chain_id: ChainId
    contract: Address
    log_id: LogId
    set_id: SetId  # of the new set
    set_hash: Digest
    effective_from_size: TreeSize

    @property
    def number(self) -> int:
        """What a key may use once only: after each set comes one."""
        return self.set_id

    def digest(self) -> Digest:
        """The 32 bytes that a quorum of the old set signs, and everybody who is new."""
        return set_update_digest(
            self.chain_id, self.contract, self.log_id, self.set_id, self.set_hash, self.effective_from_size
        )


Power: TypeAlias = Pause | Resume | Retire | SetUpdate


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A statement that waits for signatures."""

    statement: Power
    format: str = DRAFT_FORMAT

    def encode(self) -> bytes:
        """The one JCS encoding.

        Raises:
            Malformed: a member does not fit its shape.
        """
        data = canonical_json(_DRAFT.write(self))
        decode_draft(data)  # what we write must be what we read
        return data


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedPower:
    """A statement with one validator's signature. Who it is follows from the signature."""

    statement: Power
    signature: EcdsaSignature
    format: str = SIGNED_FORMAT

    @property
    def signer(self) -> Address:
        """Recovered; any 65 strict bytes are somebody's.

        Raises:
            FieldMalformed, SignatureWrong: not a strict signature, or nobody's.
        """
        return recover_address(self.statement.digest(), self.signature)

    def encode(self) -> bytes:
        """The one JCS encoding.

        Raises:
            Malformed: a member does not fit its shape.
        """
        data = canonical_json(_SIGNED.write(self))
        decode_signed(data)
        return data


def decode_draft(data: bytes) -> Draft:
    """The inverse of `Draft.encode`.

    Raises:
        TooLong, NotCanonical, FieldMalformed: not the one text of any draft.
    """
    return _DRAFT.parse(parse_canonical_json(data, "draft", MAX_FILE), "draft")


def decode_signed(data: bytes) -> SignedPower:
    """The inverse of `SignedPower.encode`. The signature is not looked at yet.

    Raises:
        TooLong, NotCanonical, FieldMalformed: not the one text of any signed statement.
    """
    return _SIGNED.parse(parse_canonical_json(data, "signed", MAX_FILE), "signed")


def hash_of_reason(reason: str) -> Digest:
    """H(reason in UTF-8): what the public chain sees of it."""
    return sha256(reason.encode())


def gather(signed: Sequence[SignedPower], validators: ValidatorSet) -> tuple[int, bytes]:
    """The quorum as the contract takes it, from files that may come in any order and more than once.

    Returns:
        Bits of the signers, and seals (CONTRACT §3.1).

    Raises:
        Missing: no file.
        FieldMismatch: two files hold different statements.
        SignerUnknown: one is signed by a stranger, or over other bytes than it shows.
        BelowQuorum: fewer than q(n) members.
    """
    if not signed:
        raise Missing(what="a signed statement")
    first = signed[0].statement.digest()
    for one in signed[1:]:
        if (digest := one.statement.digest()) != first:
            raise FieldMismatch(field="statement", expected=first.hex(), got=digest.hex())
    return seals(validators, {one.signer: one.signature for one in signed})


def appoint(
    new: ValidatorSet, old: ValidatorSet, signatures: Mapping[Address, EcdsaSignature]
) -> tuple[int, bytes, bytes]:
    """What the contract wants to see under a set update (CONTRACT §3.4).

    THE CALLER HAS CHECKED that each signature is by its address, over the update that names `new`.

    Returns:
        Bits of the old set's signers, their seals, and 64 bytes of each member that the old set did not have.

    Raises:
        NewcomerUnproven: one of these did not sign, so nobody knows that the key is in anybody's hands.
        BelowQuorum: fewer than q(n) of the old set.
        FieldMalformed: a signature is not strict.
    """
    newcomers = [address for address in new.addresses if address not in old.addresses]
    for address in newcomers:
        if address not in signatures:
            raise NewcomerUnproven(validator=address)
    signers, packed = seals(old, {a: signatures[a] for a in old.addresses if a in signatures})
    return signers, packed, b"".join(to_compact(signatures[address]) for address in newcomers)


def _reason() -> Codec[str]:
    limited = text(MAX_REASON)

    def parse(value: Json, field: str) -> str:
        reason = require_plain(limited.parse(value, field), field)
        if not reason:
            raise FieldMalformed(field=field, rule="not empty")
        return reason

    return Codec(parse, str)


_PLACE: Final[dict[str, Codec[Any]]] = {"chain_id": uint(), "contract": octets(20), "log_id": octets(32)}
_NONCE: Final[dict[str, Codec[Any]]] = {"nonce": uint(MAX_NONCE), "reason": _reason()}
_STATEMENT: Final = tagged(
    {
        "pause": record(Pause, {**_PLACE, **_NONCE, "until": uint()}),
        "resume": record(Resume, {**_PLACE, **_NONCE}),
        "retire": record(Retire, {**_PLACE, "successor": octets(32), "tree_size": uint(), "root": octets(32)}),
        "set": record(SetUpdate, {**_PLACE, "set_id": uint(), "set_hash": octets(32), "effective_from_size": uint()}),
    }
)
_DRAFT: Final = record(Draft, {"format": literal(DRAFT_FORMAT), "statement": _STATEMENT})
_SIGNED: Final = record(
    SignedPower, {"format": literal(SIGNED_FORMAT), "statement": _STATEMENT, "signature": octets(65)}
)
