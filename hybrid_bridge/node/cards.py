"""A member's card: what it tells the others of itself, signed as a whole by its identity key.

The ledger has the hash of each card, of its certificate and of its key binding. Who takes a card looks at the
certificate first: of a recognised authority, in force, for signing, of the name that the card says. Source: SPEC §7.3,
§8.1; ADR 35, 43.
"""

from dataclasses import dataclass, field
from typing import Final, Self

from hybrid_bridge.adapters.pki import Holder, require_identity
from hybrid_bridge.core.consensus_key import ConsensusKey
from hybrid_bridge.core.encoding import ZERO, canonical_json, context, parse_canonical_json, sha256
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.keys import PrivateKey, PublicKey
from hybrid_bridge.core.shape import Codec, literal, octets, record
from hybrid_bridge.errors import FieldMalformed, FieldMismatch
from hybrid_bridge.node.directory import MEMBER as MEMBER_CODEC
from hybrid_bridge.node.directory import Member, identity_in
from hybrid_bridge.node.settings import require_endpoint
from hybrid_bridge.units import Digest, KeyId, LogId, UnixSeconds

FORMAT: Final = "hybrid-bridge/card/v1"
MAX_CARD: Final = 1 << 15
SIGNATURE_BYTES: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One member in its own words."""

    format: str = FORMAT
    log_id: bytes
    member: Member
    signature: bytes = field(default=bytes(SIGNATURE_BYTES), repr=False)

    def encode(self) -> bytes:
        """JCS."""
        return canonical_json(CARD.write(self))

    @property
    def message(self) -> bytes:
        """What the identity key signs: CTX("member-card") ‖ log id ‖ JCS of the member."""
        return context("member-card") + self.log_id + canonical_json(MEMBER_CODEC.write(self.member))

    @property
    def certificate_hash(self) -> Digest:
        """As governance records name it."""
        return sha256(self.member.certificate)

    @property
    def digest(self) -> Digest:
        """As governance records name the whole card."""
        return sha256(self.encode())

    @property
    def roles(self) -> int:
        """The bits of a MemberUpdate (SPEC §7.3)."""
        return self.member.role_bits

    @classmethod
    def over(cls, member: Member, log_id: LogId, identity: PrivateKey) -> Self:
        """Made and signed."""
        blank = cls(log_id=log_id, member=member)
        return cls(log_id=log_id, member=member, signature=identity.sign(blank.message))

    def identity(self, roots: bytes, genesis: Genesis) -> PublicKey:
        """The identity key, when everything in the card fits together; whether it is in force now is not asked.

        Raises:
            Malformed, Refuted: it does not.
        """
        if self.log_id != genesis.log_id:
            raise FieldMismatch(field="card.log_id", expected=genesis.log_id.hex(), got=self.log_id.hex())
        member = self.member
        is_validator = "validator" in member.roles
        if is_validator != (member.address is not None) or is_validator != (member.key_binding is not None):
            raise FieldMalformed(field="card.roles", rule="a validator has address and key_binding, and nobody else")
        if (member.consensus_key is None) != (member.consensus_proof is None):
            raise FieldMalformed(field="card.consensus_key", rule="with its own word for the identity key, or neither")
        require_endpoint(member.endpoint, "card.endpoint")
        key = identity_in(member, roots, genesis)
        key.verify(self.message, self.signature)
        if (bound := self.consensus(key.key_id)) is not None:
            bound.verify_possession()
        return key

    def consensus(self, key_id: KeyId, replaces: Digest = ZERO, reason_hash: Digest = ZERO) -> ConsensusKey | None:
        """The record that binds its consensus key to this identity key; None for a card without one.

        Raises:
            WordMalformed: no key, or no signature.
        """
        member = self.member
        if member.consensus_key is None or member.consensus_proof is None:
            return None
        return ConsensusKey(
            log_id=LogId(self.log_id),
            key_id=key_id,
            key=member.consensus_key,
            replaces=replaces,
            possession=member.consensus_proof,
            reason_hash=reason_hash,
        )

    def verify(self, roots: bytes, genesis: Genesis, now: UnixSeconds) -> PublicKey:
        """As `identity`, for whoever is asked to take the card now.

        Raises:
            Malformed, Refuted: it does not fit together.
            CertificateRefused: the certificate is not in force, not ours, for another use, or another's.
        """
        member = self.member
        holder = Holder(member.name, member.legal_name, member.legal_id)
        require_identity(member.certificate, roots, holder, now)
        return self.identity(roots, genesis)


def parse_card(data: bytes) -> Card:
    """The inverse of `Card.encode`.

    Raises:
        Malformed: no card.
    """
    return CARD.parse(parse_canonical_json(data, "card", MAX_CARD), "card")


CARD: Final[Codec[Card]] = record(
    Card,
    {"format": literal(FORMAT), "log_id": octets(32), "member": MEMBER_CODEC, "signature": octets(SIGNATURE_BYTES)},
)
