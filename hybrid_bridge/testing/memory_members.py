"""A consortium in memory: validators with real keys, one real log, members that attest, stay silent, or lie.

The log's leaf 0 is any byte string here, so that its id is LEAF of that; epochs are closed by hand.
"""

from collections.abc import Sequence
from typing import Final

from hybrid_bridge.core.attestation import Checkpoint, boundary
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.power import SetUpdate, SignedPower
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.public_transaction import PublicTransaction, encode_signed
from hybrid_bridge.core.signing import address_of, public_key_of, sign_digest
from hybrid_bridge.core.tree import Tree
from hybrid_bridge.core.validators import ValidatorEntry, ValidatorSet
from hybrid_bridge.errors import NotYet, Unreachable
from hybrid_bridge.ports import ConsortiumMember, TransactionSigner, UnsignedTransaction
from hybrid_bridge.units import (
    Address,
    ChainId,
    Digest,
    EcdsaSignature,
    LogId,
    RawTransaction,
    Seconds,
    SetId,
    TreeSize,
    UnixSeconds,
)

GENESIS: Final = b"the genesis record of a log for tests"


def key(name: str) -> bytes:
    """A private key, the same for the same name. FOR TESTS."""
    return sha256(b"a key for tests: " + name.encode())


def address(name: str) -> Address:
    """The address of that key."""
    return address_of(public_key_of(key(name)))


class MemoryConsortium:
    """n validators over one log; each epoch adds one leaf."""

    def __init__(self, validators: int, genesis_time: UnixSeconds, cadence: Seconds) -> None:
        self.genesis_time, self.cadence = genesis_time, cadence
        self._keys = sorted(
            (key(f"validator {i}") for i in range(validators)), key=lambda k: address_of(public_key_of(k))
        )
        self.validators = _set_of(SetId(1), self._keys)
        self.sets: list[tuple[TreeSize, ValidatorSet]] = [(TreeSize(1), self.validators)]
        self.tree = Tree()
        self.tree.append(leaf_hash(GENESIS))
        self.log_id = LogId(leaf_hash(GENESIS))
        self.members = tuple(MemoryMember(self, index) for index in range(validators))

    @property
    def size(self) -> TreeSize:
        """Leaves so far."""
        return self.tree.size

    def close_epoch(self, salt: bytes = b"") -> TreeSize:
        """One leaf more."""
        self.tree.append(leaf_hash(b"epoch record %d" % self.tree.size + salt))
        return self.tree.size

    def checkpoint(self, size: TreeSize, root: Digest | None = None) -> Checkpoint:
        """What the validators sign for this size."""
        return Checkpoint(
            log_id=self.log_id,
            tree_size=size,
            root=self.tree.root(size) if root is None else root,
            timestamp=boundary(self.genesis_time, self.cadence, size),
            set_id=self.responsible(size).set_id,
            set_hash=self.responsible(size).digest,
        )

    def responsible(self, size: TreeSize) -> ValidatorSet:
        """Size decides (SPEC §8.1)."""
        return next(found for first, found in reversed(self.sets) if first <= size)

    def exchange(self, newcomer: str, from_size: TreeSize) -> ValidatorSet:
        """From this size on the first member is gone and another one, of this name, signs: the new set."""
        if len(self._keys) == len(self.validators.entries):  # one newcomer is as good as many
            self._keys.append(key(newcomer))
            self.members += (MemoryMember(self, len(self._keys) - 1),)
        newest = _set_of(SetId(len(self.sets) + 1), self._keys[1:])
        self.sets.append((from_size, newest))
        return newest

    def appointed(self, chain_id: ChainId, contract: Address, signers: Sequence[int]) -> list[SignedPower]:
        """The newest set's update for one contract, signed by these members."""
        from_size, newest = self.sets[-1]
        update = SetUpdate(
            chain_id=chain_id,
            contract=contract,
            log_id=self.log_id,
            set_id=newest.set_id,
            set_hash=newest.digest,
            effective_from_size=from_size,
        )
        return [SignedPower(statement=update, signature=sign_digest(self._keys[i], update.digest())) for i in signers]

    def sign(self, index: int, checkpoint: Checkpoint) -> EcdsaSignature:
        """The signature of the index-th validator in address order."""
        return sign_digest(self._keys[index], checkpoint.digest())


def _set_of(set_id: SetId, keys: Sequence[bytes]) -> ValidatorSet:
    addresses = sorted(address_of(public_key_of(k)) for k in keys)
    return ValidatorSet(set_id, tuple(ValidatorEntry(a, sha256(b"n"), sha256(b"c"), sha256(b"b")) for a in addresses))


class MemoryMember:
    """One member's node. `is_silent` makes it unreachable; `behind` makes it lag by so many sizes."""

    def __init__(self, consortium: MemoryConsortium, index: int) -> None:
        self.consortium, self.index = consortium, index
        self.is_silent, self.behind = False, 0

    @property
    def name(self) -> str:
        return f"member {self.index}"

    def newest_size(self) -> TreeSize:
        self._require_up("newest_size")
        return TreeSize(max(1, self.consortium.size - self.behind))

    def attestation(self, size: TreeSize) -> tuple[Digest, EcdsaSignature]:
        self._require_up("attestation")
        if not 2 <= size <= self.newest_size():
            raise NotYet(what=f"an attestation for size {size}")
        checkpoint = self.consortium.checkpoint(size)
        return checkpoint.root, self.consortium.sign(self.index, checkpoint)

    def consistency_path(self, old: TreeSize, new: TreeSize) -> Sequence[Digest]:
        self._require_up("consistency_path")
        if not 1 <= old <= new <= self.consortium.size:
            raise NotYet(what=f"a path from {old} to {new}")
        return self.consortium.tree.consistency_path(old, new)

    def _require_up(self, call: str) -> None:
        if self.is_silent:
            raise Unreachable(endpoint=self.name, call=call)


class MemorySigner:
    """A gas key in memory. Each signature is over just what was asked."""

    def __init__(self, name: str) -> None:
        self._key = key(name)

    def address(self) -> Address:
        return address_of(public_key_of(self._key))

    def sign(self, transaction: UnsignedTransaction) -> RawTransaction:
        asked = PublicTransaction(
            chain_id=transaction.chain_id,
            nonce=transaction.nonce,
            to=transaction.to,
            value=transaction.value,
            data=transaction.data,
            gas=transaction.gas,
            max_fee=transaction.max_fee,
            tip=transaction.tip,
        )
        return encode_signed(asked, sign_digest(self._key, asked.digest()))


_conforms: tuple[type[ConsortiumMember], type[TransactionSigner]] = (MemoryMember, MemorySigner)
