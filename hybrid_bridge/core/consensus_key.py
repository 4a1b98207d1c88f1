"""Which key signs for a member in the consensus engine: a governance record that both of them stand behind.

The engine names its validators by key alone; the identity key, by its certificate, names a company. The consensus key
signs that it is for this identity key in this log, so that nobody has another's key put down as his own.
Source: SPEC §7.3, ADR 34.
"""

from dataclasses import dataclass
from typing import Final, Self

from hybrid_bridge.core.cometbft import SECP256K1, Validator
from hybrid_bridge.core.encoding import ZERO, context, sha256
from hybrid_bridge.core.proof import as_octets
from hybrid_bridge.core.signing import address_of_compressed, sign_digest
from hybrid_bridge.core.words import WordRecord
from hybrid_bridge.errors import FieldMalformed
from hybrid_bridge.units import Address, Digest, KeyId, LogId

CONSENSUS_KEY_TYPE: Final = (
    "HybridBridge.ConsensusKey.v1(bytes32 logId,bytes32 keyId,uint64 keyPrefix,bytes32 keyX,bytes32 replaces,"
    "bytes32 possessionR,bytes32 possessionS,bytes32 reasonHash)"
)
CONSENSUS_KEY: Final = WordRecord(CONSENSUS_KEY_TYPE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsensusKey:
    """From the next epoch on, this key signs for that identity key in the engine: 288 bytes.

    Raises:
        WordMalformed: the key is no compressed point of secp256k1.
    """

    log_id: LogId
    key_id: KeyId
    key: bytes  # 33 bytes, compressed
    replaces: Digest = ZERO  # H(the key it signed with before); zero: none
    possession: bytes  # 64 bytes r ‖ s, by the key itself over `possession_message`
    reason_hash: Digest = ZERO

    def __post_init__(self) -> None:
        CONSENSUS_KEY.require(holds=as_octets(self.key, "key")[:1] in (b"\2", b"\3"), name="key_prefix")
        try:
            address_of_compressed(self.key)
        except FieldMalformed:
            CONSENSUS_KEY.require(holds=False, name="key_x")
        CONSENSUS_KEY.require(holds=len(as_octets(self.possession, "possession")) == 64, name="possession_s")

    @property
    def key_prefix(self) -> int:
        """2 for an even y, 3 for an odd one."""
        return self.key[0]

    @property
    def key_x(self) -> Digest:
        """The point's x."""
        return Digest(self.key[1:])

    @property
    def possession_r(self) -> Digest:
        """First half of the signature."""
        return Digest(self.possession[:32])

    @property
    def possession_s(self) -> Digest:
        """Second half of the signature."""
        return Digest(self.possession[32:])

    @property
    def address(self) -> Address:
        """What the key's address were if it attested, which it must not."""
        return address_of_compressed(self.key)

    @classmethod
    def signed(cls, private_key: bytes, key: bytes, log_id: LogId, key_id: KeyId, *, replaces: Digest = ZERO) -> Self:
        """The record, possession signed by `private_key`, whose compressed point is `key`.

        Raises:
            FieldMalformed: not a private key.
            WordMalformed: as the class.
        """
        signature = sign_digest(private_key, sha256(possession_message(log_id, key_id, key)))
        return cls(log_id=log_id, key_id=key_id, key=key, replaces=replaces, possession=signature[:64])

    def verify_possession(self) -> None:
        """Return if the consensus key itself signed for this identity key in this log.

        Raises:
            SignatureWrong: it did not, or with s in the upper half.
        """
        message = possession_message(self.log_id, self.key_id, self.key)
        Validator(SECP256K1, self.key, 1).verify(message, self.possession)

    def encode(self) -> bytes:
        """288 bytes.

        Raises:
            WordMalformed: an attribute does not fit its word.
        """
        return CONSENSUS_KEY.encode(self)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The inverse of `encode`. The signature is not checked.

        Raises:
            RecordMalformed: not 288 bytes.
            WordMalformed: as the class; index 0 for a record of another type.
        """
        words = CONSENSUS_KEY.decode(data)
        prefix = words.pop("key_prefix")
        CONSENSUS_KEY.require(holds=prefix in (2, 3), name="key_prefix")
        key = bytes([prefix]) + words.pop("key_x")
        possession = words.pop("possession_r") + words.pop("possession_s")
        return cls(**words, key=key, possession=possession)


def possession_message(log_id: LogId, key_id: KeyId, key: bytes) -> bytes:
    """What the consensus key signs with SHA-256. It names itself: a signature fits other keys, too, a message does not.

    A vote that the engine signs begins with its length and the byte 0x08, which no context does: neither is the other.
    """
    return context("consensus-key") + log_id + key_id + key
