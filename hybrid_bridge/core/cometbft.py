"""A CometBFT block header, and whether more than two thirds of a validator set signed it. Offline and pure.

Trees are RFC 6962 with SHA-256, so `proof` and `tree` serve unchanged; leaves are protobuf encodings. Each validator
signs its own time, hence one message for each signature. Source: CometBFT v0.38, spec/core/data_structures.md and
spec/core/encoding.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from hybrid_bridge.core import protobuf as pb
from hybrid_bridge.core.proof import leaf_hash, node_hash
from hybrid_bridge.errors import BelowQuorum, FieldMalformed, FieldMismatch, SetMismatch, SignatureWrong
from hybrid_bridge.units import Digest, Height

MAX_VALIDATORS: Final = 10_000  # of the engine: types.MaxVotesCount
MAX_TOTAL_POWER: Final = (1 << 63) // 8 - 1  # of the engine: types.MaxTotalVotingPower
_MIN_SECONDS: Final = -62_135_596_800  # year 1: the time of a vote that is absent
_MAX_SECONDS: Final = 253_402_300_800  # year 10000
_PRECOMMIT: Final = 2
_HALF_ORDER: Final = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


def _root(leaves: Sequence[Digest]) -> Digest:
    """RFC 6962 §2.1, word for word: these trees are seen whole, and a verifier takes no other code's word."""
    if len(leaves) == 1:
        return leaves[0]
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return node_hash(_root(leaves[:k]), _root(leaves[k:]))


ABSENT, COMMITTED, NIL = 1, 2, 3
FLAGS: Final = (ABSENT, COMMITTED, NIL)
SECP256K1: Final = "secp256k1"
ED25519: Final = "ed25519"
_KEYS: Final = {ED25519: (1, 32), SECP256K1: (2, 33)}  # number in PublicKey's oneof, bytes


@dataclass(frozen=True, slots=True)
class Timestamp:
    """Seconds since 1970 and nanoseconds.

    Raises:
        FieldMalformed: no moment of the years 1 to 9999.
    """

    seconds: int
    nanos: int

    def __post_init__(self) -> None:
        if not _MIN_SECONDS <= self.seconds < _MAX_SECONDS or not 0 <= self.nanos < 10**9:
            raise FieldMalformed(field="time", rule="a moment of the years 1 to 9999 in nanoseconds")

    def encode(self) -> bytes:
        """google.protobuf.Timestamp."""
        return pb.number(1, self.seconds) + pb.number(2, self.nanos)


@dataclass(frozen=True, slots=True)
class BlockId:
    """What a vote names: the header's hash, and number and root of the parts in which the block travelled.

    Raises:
        FieldMalformed: a hash is neither empty nor 32 bytes, or a number is out of range.
    """

    hash: bytes
    parts: int
    parts_hash: bytes

    def __post_init__(self) -> None:
        if {len(self.hash), len(self.parts_hash)} - {0, 32} or not 0 <= self.parts < 1 << 32:
            raise FieldMalformed(field="block_id", rule="hashes of 32 bytes, parts of 32 bits")

    def encode(self) -> bytes:
        """BlockID, whose part set header stands even where it is empty. CanonicalBlockID has the same bytes."""
        parts = pb.number(1, self.parts) + pb.octets(2, self.parts_hash)
        return pb.octets(1, self.hash) + pb.message(2, parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The fourteen fields that the block hash commits to.

    Raises:
        FieldMalformed: a field is out of range.
    """

    block_version: int
    app_version: int
    chain_id: str
    height: Height
    time: Timestamp
    last_block_id: BlockId
    last_commit_hash: bytes
    data_hash: bytes
    validators_hash: bytes
    next_validators_hash: bytes
    consensus_hash: bytes
    app_hash: bytes
    last_results_hash: bytes
    evidence_hash: bytes
    proposer_address: bytes

    def __post_init__(self) -> None:
        if not 0 < len(self.chain_id.encode()) <= 50 or "\0" in self.chain_id:
            raise FieldMalformed(field="chain_id", rule="1 to 50 bytes without a zero, which ends it in the ledger id")
        if not 0 < self.height < 1 << 63:
            raise FieldMalformed(field="height", rule="from 1, 63 bits")
        if not (0 <= self.block_version < 1 << 64 and 0 <= self.app_version < 1 << 64):
            raise FieldMalformed(field="version", rule="64 bits")
        if len(self.app_hash) > 64 or len(self.proposer_address) != 20:
            raise FieldMalformed(field="header", rule="an app hash of at most 64 bytes, an address of 20")
        if any(len(digest) != 32 for digest in self._digests()):
            raise FieldMalformed(field="header", rule="hashes of 32 bytes")

    def _digests(self) -> tuple[bytes, ...]:
        """All but the app hash, which the application chooses."""
        before = self.last_commit_hash, self.data_hash, self.validators_hash, self.next_validators_hash
        return (*before, self.consensus_hash, self.last_results_hash, self.evidence_hash)

    @property
    def hash(self) -> Digest:
        """The block hash: root over the fields, each in its protobuf encoding; scalars as wrapper messages."""
        fields = (
            pb.number(1, self.block_version) + pb.number(2, self.app_version),
            pb.octets(1, self.chain_id.encode()),
            pb.number(1, self.height),
            self.time.encode(),
            self.last_block_id.encode(),
            *(pb.octets(1, digest) for digest in self._digests()[:5]),
            pb.octets(1, self.app_hash),
            *(pb.octets(1, digest) for digest in self._digests()[5:]),
            pb.octets(1, self.proposer_address),
        )
        return _root([leaf_hash(field) for field in fields])


@dataclass(frozen=True, slots=True)
class Validator:
    """A consensus key and how much its vote weighs.

    Raises:
        FieldMalformed: a key of another kind or length, or power that is not positive.
    """

    kind: str
    key: bytes
    power: int

    def __post_init__(self) -> None:
        if self.kind not in _KEYS or len(self.key) != _KEYS[self.kind][1]:
            raise FieldMalformed(field="validator", rule="an ed25519 key of 32 bytes or a secp256k1 key of 33")
        if not 0 < self.power <= MAX_TOTAL_POWER:
            raise FieldMalformed(field="power", rule=f"from 1 to {MAX_TOTAL_POWER}")

    def encode(self) -> bytes:
        """SimpleValidator: a leaf of the set's tree."""
        return pb.message(1, pb.octets(_KEYS[self.kind][0], self.key)) + pb.number(2, self.power)

    def verify(self, message: bytes, signature: bytes) -> None:
        """Return if this key signed; a secp256k1 signature has low s.

        Raises:
            SignatureWrong: it did not.
        """
        try:
            if self.kind == ED25519:
                ed25519.Ed25519PublicKey.from_public_bytes(self.key).verify(signature, message)
            else:
                _verify_secp256k1(self.key, message, signature)
        except (InvalidSignature, ValueError):
            raise SignatureWrong(signer=self.key.hex()) from None


def _verify_secp256k1(key: bytes, message: bytes, signature: bytes) -> None:
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if len(signature) != 64 or s > _HALF_ORDER:
        raise InvalidSignature
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256K1(), key)
    public.verify(encode_dss_signature(r, s), message, ec.ECDSA(SHA256()))


@dataclass(frozen=True, slots=True)
class ValidatorSet:
    """In the engine's order: power descending, then address.

    Raises:
        FieldMalformed: none, too many, a key twice, or more power than the engine takes.
    """

    validators: tuple[Validator, ...]

    def __post_init__(self) -> None:
        if not 0 < len(self.validators) <= MAX_VALIDATORS:
            raise FieldMalformed(field="validators", rule=f"1 to {MAX_VALIDATORS}")
        if len({validator.key for validator in self.validators}) < len(self.validators):
            raise FieldMalformed(field="validators", rule="each key once")
        if self.power > MAX_TOTAL_POWER:
            raise FieldMalformed(field="validators", rule=f"at most {MAX_TOTAL_POWER} of power")

    @property
    def power(self) -> int:
        """Of all."""
        return sum(validator.power for validator in self.validators)

    @property
    def hash(self) -> Digest:
        """What a header's `validators_hash` is."""
        return _root([leaf_hash(validator.encode()) for validator in self.validators])


@dataclass(frozen=True, slots=True)
class Vote:
    """One slot of a commit. Only COMMITTED counts: its validator signed the block.

    Raises:
        FieldMalformed: another flag, or a signature where there is none or none where there is one.
    """

    flag: int
    time: Timestamp
    signature: bytes

    def __post_init__(self) -> None:
        if self.flag not in FLAGS or (self.flag == ABSENT) != (self.signature == b"") or len(self.signature) > 64:
            raise FieldMalformed(field="vote", rule="absent without a signature, else one of at most 64 bytes")


@dataclass(frozen=True, slots=True)
class Commit:
    """The precommits for one block: slot i belongs to validator i of the set.

    Raises:
        FieldMalformed: the round is out of range.
    """

    round: int
    block_id: BlockId
    votes: tuple[Vote, ...]

    def __post_init__(self) -> None:
        if not 0 <= self.round < 1 << 31:
            raise FieldMalformed(field="round", rule="31 bits")

    def sign_bytes(self, header: Header, vote: Vote) -> bytes:
        """What that validator signed: the length-delimited CanonicalVote."""
        return pb.delimited(
            pb.number(1, _PRECOMMIT)
            + pb.fixed64(2, header.height)
            + pb.fixed64(3, self.round)
            + pb.message(4, self.block_id.encode())
            + pb.message(5, vote.time.encode())
            + pb.octets(6, header.chain_id.encode())
        )


@dataclass(frozen=True, slots=True)
class SignedHeader:
    """A header and the votes for it."""

    header: Header
    commit: Commit

    def verify(self, trusted: ValidatorSet) -> None:
        """Return if more than two thirds of the power of `trusted` signed this header.

        NOT CHECKED HERE: that `trusted` is the chain's set at this height, for which see `cometbft_history.walk`.

        Raises:
            SetMismatch: the header names another set.
            FieldMismatch: the votes are for another block, or not as many as validators.
            SignatureWrong: a vote that counts was not signed by its validator.
            BelowQuorum: less power; counted in power.
        """
        header, votes = self.header, self.commit.votes
        if header.validators_hash != trusted.hash:
            raise SetMismatch(expected=Digest(header.validators_hash), calculated=trusted.hash)
        if self.commit.block_id.hash != header.hash:
            got = self.commit.block_id.hash.hex()
            raise FieldMismatch(field="commit.block_id", expected=header.hash.hex(), got=got)
        if len(votes) != len(trusted.validators):
            raise FieldMismatch(field="votes", expected=str(len(trusted.validators)), got=str(len(votes)))
        power = 0
        for validator, vote in zip(trusted.validators, votes, strict=True):
            if vote.flag == COMMITTED:
                validator.verify(self.commit.sign_bytes(header, vote), vote.signature)
                power += validator.power
        if power * 3 <= trusted.power * 2:
            raise BelowQuorum(needed=trusted.power * 2 // 3 + 1, got=power)
