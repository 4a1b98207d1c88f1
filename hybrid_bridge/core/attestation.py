"""What validators sign and what their signatures are worth: EIP-712 statements, quorums, seals for the contract.

A `Checkpoint` is signed in the log domain, which knows no chain: one signature set holds on every public chain and
offline. Whatever moves power is signed in the power domain of one contract on one chain.
Source: SPEC §8.1, §8.2; EIP-712; CONTRACT §3.1.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final

from hybrid_bridge.core.encoding import pack_words
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.core.proof import as_digest, as_integer
from hybrid_bridge.core.signing import from_compact, recover_address, to_compact
from hybrid_bridge.core.validators import ValidatorSet, quorum
from hybrid_bridge.errors import (
    BelowQuorum,
    FieldMalformed,
    FieldMismatch,
    SetMismatch,
    SignatureWrong,
    SignerUnknown,
)
from hybrid_bridge.units import (
    MAX_U64,
    Address,
    ChainId,
    Digest,
    EcdsaSignature,
    LogId,
    Seconds,
    SetId,
    TreeSize,
    UnixSeconds,
)

__all__ = [
    "CHECKPOINT_TYPE",
    "LOG_DOMAIN_TYPE",
    "PAUSE_TYPE",
    "POWER_DOMAIN_TYPE",
    "RESUME_TYPE",
    "RETIRE_TYPE",
    "SET_UPDATE_TYPE",
    "Checkpoint",
    "all_seals",
    "boundary",
    "domain_separator",
    "pause_digest",
    "power_domain_separator",
    "quorum",
    "quorum_signers",
    "resume_digest",
    "retire_digest",
    "seals",
    "set_update_digest",
    "verify_boundary",
    "verify_quorum",
]

LOG_DOMAIN_TYPE: Final = "EIP712Domain(string name,string version,bytes32 salt)"
POWER_DOMAIN_TYPE: Final = (
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract,bytes32 salt)"
)
CHECKPOINT_TYPE: Final = (
    "Checkpoint(bytes32 logId,uint64 treeSize,bytes32 rootHash,uint64 timestamp,"
    "uint64 validatorSetId,bytes32 validatorSetHash)"
)
SET_UPDATE_TYPE: Final = "ValidatorSetUpdate(bytes32 logId,uint64 setId,bytes32 newSetHash,uint64 effectiveFromSize)"
PAUSE_TYPE: Final = "Pause(bytes32 logId,uint64 nonce,uint64 until,bytes32 reasonHash)"
RESUME_TYPE: Final = "Resume(bytes32 logId,uint64 nonce,bytes32 reasonHash)"
RETIRE_TYPE: Final = "Retire(bytes32 logId,bytes32 successor,uint64 treeSize,bytes32 rootHash)"

_NAME: Final = keccak256(b"HybridBridge")
_VERSION: Final = keccak256(b"1")


# ── EIP-712 ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def domain_separator(log_id: LogId) -> Digest:
    """Of the log domain: valid on every chain; the salt is the log."""
    return _hash_struct(LOG_DOMAIN_TYPE, "bbb", _NAME, _VERSION, log_id)


def power_domain_separator(chain_id: ChainId, contract: Address, log_id: LogId) -> Digest:
    """Of the power domain: one contract on one chain, one log."""
    return _hash_struct(POWER_DOMAIN_TYPE, "bbuab", _NAME, _VERSION, chain_id, contract, log_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The tree of `tree_size` leaves of this log has this root, at this boundary, signed under this set (SPEC §8.2)."""

    log_id: LogId
    tree_size: TreeSize  # >= 2; size 1 is the log id itself
    root: Digest
    timestamp: UnixSeconds
    set_id: SetId
    set_hash: Digest

    def __post_init__(self) -> None:
        """Refuse what can never be signed.

        Raises:
            DigestLength, FieldMalformed: a hash has not 32 bytes, a number is out of range.
        """
        for field, value in (("log_id", self.log_id), ("root", self.root), ("set_hash", self.set_hash)):
            as_digest(value, field)
        for field, number, least in (
            ("tree_size", self.tree_size, 2),
            ("timestamp", self.timestamp, 0),
            ("set_id", self.set_id, 1),
        ):
            if not least <= as_integer(number, field) <= MAX_U64:
                raise FieldMalformed(field=field, rule=f"{least} to 2^53-1")

    def digest(self) -> Digest:
        """The 32 bytes that are signed."""
        struct = _hash_struct(
            CHECKPOINT_TYPE,
            "bubuub",
            self.log_id,
            self.tree_size,
            self.root,
            self.timestamp,
            self.set_id,
            self.set_hash,
        )
        return _signed_digest(domain_separator(self.log_id), struct)


def set_update_digest(  # noqa: PLR0917 the signed struct and its domain, in order
    chain_id: ChainId,
    contract: Address,
    log_id: LogId,
    set_id: SetId,
    new_set_hash: Digest,
    effective_from_size: TreeSize,
) -> Digest:
    """What a quorum of the current set, and every newcomer, signs to appoint set `set_id` (CONTRACT §3.4)."""
    struct = _hash_struct(SET_UPDATE_TYPE, "bubu", log_id, set_id, new_set_hash, effective_from_size)
    return _signed_digest(power_domain_separator(chain_id, contract, log_id), struct)


def pause_digest(  # noqa: PLR0917 the signed struct and its domain, in order
    chain_id: ChainId, contract: Address, log_id: LogId, nonce: int, until: UnixSeconds, reason_hash: Digest
) -> Digest:
    """What a quorum signs to stop new anchors until a time (CONTRACT §3.5)."""
    struct = _hash_struct(PAUSE_TYPE, "buub", log_id, nonce, until, reason_hash)
    return _signed_digest(power_domain_separator(chain_id, contract, log_id), struct)


def resume_digest(chain_id: ChainId, contract: Address, log_id: LogId, nonce: int, reason_hash: Digest) -> Digest:
    """What a quorum signs to lift a pause (CONTRACT §3.5)."""
    struct = _hash_struct(RESUME_TYPE, "bub", log_id, nonce, reason_hash)
    return _signed_digest(power_domain_separator(chain_id, contract, log_id), struct)


def retire_digest(  # noqa: PLR0917 the signed struct and its domain, in order
    chain_id: ChainId, contract: Address, log_id: LogId, successor: LogId, tree_size: TreeSize, root: Digest
) -> Digest:
    """What a quorum signs to end a log in favour of its successor (CONTRACT §3.5)."""
    struct = _hash_struct(RETIRE_TYPE, "bbub", log_id, successor, tree_size, root)
    return _signed_digest(power_domain_separator(chain_id, contract, log_id), struct)


def _hash_struct(type_string: str, kinds: str, *values: bytes | int) -> Digest:
    """keccak(typeHash ‖ words): every member of our types is one word."""
    return keccak256(keccak256(type_string.encode("ascii")) + pack_words(kinds, values))


def _signed_digest(separator: Digest, struct: Digest) -> Digest:
    return keccak256(b"\x19\x01" + separator + struct)


# ── the clock ────────────────────────────────────────────────────────────────────────────────────────────────────────


def checkpoint_of(genesis: Genesis, validators: ValidatorSet, size: TreeSize, root: Digest) -> Checkpoint:
    """What the validators responsible for a size sign of a root: everything else follows (SPEC §8.2).

    Raises:
        FieldMalformed: no size of any tree.
    """
    return Checkpoint(
        log_id=genesis.log_id,
        tree_size=size,
        root=root,
        timestamp=boundary(genesis.genesis_time, genesis.cadence, size),
        set_id=validators.set_id,
        set_hash=validators.digest,
    )


def boundary(genesis_time: UnixSeconds, cadence: Seconds, tree_size: TreeSize) -> UnixSeconds:
    """The time of a checkpoint: genesisTime + (treeSize − 1)·cadence, never a wall clock (SPEC §8.2).

    Raises:
        FieldMalformed: not 1 <= tree_size, or a negative time or cadence, or beyond 2^53-1.
    """
    for field, value, least in (
        ("genesis_time", genesis_time, 0),
        ("cadence", cadence, 1),
        ("tree_size", tree_size, 1),
    ):
        if not least <= as_integer(value, field) <= MAX_U64:
            raise FieldMalformed(field=field, rule=f"{least} to 2^53-1")
    moment = genesis_time + (tree_size - 1) * cadence
    if moment > MAX_U64:
        raise FieldMalformed(field="timestamp", rule="at most 2^53-1")
    return UnixSeconds(moment)


def verify_boundary(checkpoint: Checkpoint, genesis_time: UnixSeconds, cadence: Seconds) -> None:
    """Return if the checkpoint carries the time its size asks for.

    Raises:
        FieldMismatch: another time.
    """
    expected = boundary(genesis_time, cadence, checkpoint.tree_size)
    if checkpoint.timestamp != expected:
        raise FieldMismatch(field="timestamp", expected=str(expected), got=str(checkpoint.timestamp))


# ── quorum ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def verify_quorum(
    checkpoint: Checkpoint, validator_set: ValidatorSet, signatures: Sequence[EcdsaSignature]
) -> list[Address]:
    """The signers, ascending, if enough members of `validator_set` signed the checkpoint.

    (1) the set the checkpoint names (2) the count (3) each signature strict and by a member (4) strictly ascending by
    recovered address, which also forbids counting one twice.
    THE CALLER CHECKS that this set is responsible for the size, and `verify_boundary`.

    Raises:
        FieldMismatch, SetMismatch: the checkpoint names another set.
        BelowQuorum: fewer than q(n) signatures.
        FieldMalformed: a signature is not strict; more than n; not strictly ascending.
        SignatureWrong, SignerUnknown: a signature by nobody, or by a stranger.
    """
    if checkpoint.set_id != validator_set.set_id:
        raise FieldMismatch(field="set_id", expected=str(validator_set.set_id), got=str(checkpoint.set_id))
    if checkpoint.set_hash != validator_set.digest:
        raise SetMismatch(expected=checkpoint.set_hash, calculated=validator_set.digest)
    return quorum_signers(checkpoint.digest(), validator_set, signatures)


def quorum_signers(digest: Digest, validator_set: ValidatorSet, signatures: Sequence[EcdsaSignature]) -> list[Address]:
    """The signers of any statement, ascending, if they are enough of `validator_set`: (2) to (4) of `verify_quorum`.

    Raises:
        BelowQuorum, FieldMalformed, SignatureWrong, SignerUnknown: as `verify_quorum`.
    """
    if len(signatures) > len(validator_set.entries):
        raise FieldMalformed(field="signatures", rule="at most one for each member")
    if len(signatures) < validator_set.quorum:
        raise BelowQuorum(needed=validator_set.quorum, got=len(signatures))
    members = set(validator_set.addresses)
    signers = [recover_address(digest, signature) for signature in signatures]
    for signer in signers:
        if signer not in members:
            raise SignerUnknown(address=signer)
    if any(later <= earlier for earlier, later in pairwise(signers)):
        raise FieldMalformed(field="signatures", rule="strictly ascending by address")
    return signers


def seals(validator_set: ValidatorSet, signatures: Mapping[Address, EcdsaSignature]) -> tuple[int, bytes]:
    """The quorum as the contract takes it: the bits of the signers, and for each member signature or address.

    Exactly q(n) signatures go in, those of the lowest addresses: more are only paid for (CONTRACT §3.1).
    THE CALLER HAS CHECKED that each signature is by its address.

    Returns:
        Bit i set: the i-th member signed. In order, 64 bytes r ‖ vs of each signer, 20 bytes of each other member.

    Raises:
        SignerUnknown: an address is not in the set.
        BelowQuorum: fewer than q(n) signatures.
        FieldMalformed: a signature is not strict.
    """
    places = sorted(validator_set.index_of(address) for address in signatures)
    if len(places) < validator_set.quorum:
        raise BelowQuorum(needed=validator_set.quorum, got=len(places))
    chosen = [validator_set.addresses[index] for index in places[: validator_set.quorum]]
    return all_seals(validator_set, {address: signatures[address] for address in chosen})


def all_seals(validator_set: ValidatorSet, signatures: Mapping[Address, EcdsaSignature]) -> tuple[int, bytes]:
    """`seals` of all these signatures, however few: for reports, which name whoever signed (CONTRACT §3.6).

    Raises:
        SignerUnknown, FieldMalformed: as `seals`.
    """
    signers = sum(1 << validator_set.index_of(address) for address in signatures)
    packed = b"".join(
        to_compact(signatures[address]) if address in signatures else address for address in validator_set.addresses
    )
    return signers, packed


def signature_within(calldata: bytes, digest: Digest, address: Address) -> EcdsaSignature | None:
    """The signature by `address` over `digest` that stands somewhere in `calldata`, as 64 bytes r ‖ vs; None without.

    Whatever contract was called: nobody but the key can have made it, so where it is found says nothing more. Every
    fourth byte is tried, for selectors, addresses and signatures have such lengths.
    """
    for at in range(0, len(calldata) - 63, 4):
        with suppress(FieldMalformed, SignatureWrong):
            signature = from_compact(calldata[at : at + 64])
            if recover_address(digest, signature) == address:
                return signature
    return None


def signers_within(calldata: bytes, digest: Digest, among: Collection[Address]) -> frozenset[Address]:
    """Whose signatures over `digest` stand anywhere in `calldata`, of these addresses; looked for as above, once."""
    return _recovered(calldata, digest).intersection(among)


@lru_cache(maxsize=4096)  # some hundredths of a second each, and who asks whether all are there asks again who it is
def _recovered(calldata: bytes, digest: Digest) -> frozenset[Address]:
    found: set[Address] = set()
    for at in range(0, len(calldata) - 63, 4):
        with suppress(FieldMalformed, SignatureWrong):
            found.add(recover_address(digest, from_compact(calldata[at : at + 64])))
    return frozenset(found)
