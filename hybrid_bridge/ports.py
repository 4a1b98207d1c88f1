"""The outside world on one page: what the steps and the relayer ask of it, and what they may rely on.

Every method is sync and ends by a deadline. Only errors of `hybrid_bridge.errors` leave a port.
`Undecided` means: perhaps it happened; ask again. Nothing here trusts its implementer with more than it says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from hybrid_bridge.core.prefix_tree import PrefixTree
from hybrid_bridge.units import (
    Address,
    ChainId,
    Digest,
    EcdsaSignature,
    EpochNumber,
    Gas,
    LogId,
    Nonce,
    PublicBlockHash,
    PublicBlockNumber,
    RawTransaction,
    SetId,
    TreeSize,
    TxHash,
    UnixSeconds,
    Wei,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The newest checkpoint of one log in one contract, as of one public block (CONTRACT §3.7)."""

    tree_size: TreeSize  # 0 when the log is not registered
    root: Digest
    timestamp: UnixSeconds
    anchored_at: UnixSeconds
    set_id: SetId
    next_from_size: TreeSize  # 0 when no rotation is pending
    paused_until: UnixSeconds
    state: str  # unknown, active, paused, frozen or retired


@dataclass(frozen=True, slots=True)
class PublicBlock:
    """A public block's coordinates."""

    number: PublicBlockNumber
    hash: PublicBlockHash
    parent: PublicBlockHash
    time: UnixSeconds


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchoredEvent:
    """One `Anchored` event of the contract, with the place where it stands."""

    log_id: LogId
    tree_size: TreeSize
    root: Digest
    timestamp: UnixSeconds
    set_id: SetId
    signers: int  # bit i: i-th validator in address order
    block: PublicBlock
    tx_hash: TxHash
    log_index: int


class Included(NamedTuple):
    """A transaction in a public block."""

    block: PublicBlock
    is_success: bool
    gas_used: Gas | None = None
    price: Wei | None = None  # for each gas, as it was paid; None where an endpoint does not say


@dataclass(frozen=True, slots=True)
class SendAnswer:
    """What an endpoint said to a broadcast, unjudged. `tx_hash` is what it returned, if anything."""

    code: int | None
    message: str
    tx_hash: TxHash | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsignedTransaction:
    """An EIP-1559 transaction before its signature."""

    chain_id: ChainId
    nonce: Nonce
    to: Address
    value: Wei
    data: bytes
    gas: Gas
    max_fee: Wei
    tip: Wei


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """Arguments of one `anchor` call (CONTRACT §3.2)."""

    log_id: LogId
    from_size: TreeSize
    tree_size: TreeSize
    root: Digest
    set_hash: Digest
    signers: int
    path: tuple[Digest, ...]
    seals: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """Arguments of one `rotateValidators` call (CONTRACT §3.4)."""

    log_id: LogId
    effective_from_size: TreeSize
    set_hash: Digest  # of the set that signs: the current one
    signers: int
    seals: bytes
    entries: bytes  # of the new set, 128 bytes a member
    newcomers: bytes  # 64 bytes a new address, in address order


class PublicChain(Protocol):
    """One public chain and one contract on it, seen through one endpoint.

    Trust: the endpoint may lie, lag or forget; what it says becomes evidence only in `core.anchor`.
    Errors: `Unreachable`, `NotYet`, `AnswerMalformed`. An error does not mean that nothing happened.
    `StateForgotten`: an ordinary node keeps only the newest 128 states or so; `head`, `nonce`, `balance`, the code
    and `simulate` at older public blocks raise it. Public blocks, events and receipts stay.
    Threads: any method, any thread. Order: two calls with the same block hash see one state.
    """

    @property
    def name(self) -> str:
        """The endpoint's name in the settings; never its URL."""

    def chain_id(self) -> ChainId:
        """As the endpoint states it."""

    def code_hash(self, at: PublicBlockHash | None = None) -> Digest:
        """keccak-256 of the code at the contract's address."""

    def latest(self) -> PublicBlock:
        """The newest public block the endpoint has."""

    def finalized(self) -> PublicBlock:
        """The newest one it calls finalized."""

    def block(self, number: PublicBlockNumber) -> PublicBlock:
        """The canonical public block of that number. Raises `NotYet` beyond the newest."""

    def base_fee(self, at: PublicBlock) -> Wei:
        """Base fee for each gas of that public block."""

    def head(self, log: LogId, at: PublicBlock) -> Head:
        """The log's head standing at `at`, never at "latest"."""

    def nonce(self, address: Address, at: PublicBlock) -> Nonce:
        """Transactions of `address` in public blocks up to `at`."""

    def balance(self, address: Address, at: PublicBlock) -> Wei:
        """Balance at `at`."""

    def account_code(self, address: Address, at: PublicBlock) -> bytes:
        """Code at any address, standing at `at`; empty for a key's own, unless it is delegated (EIP-7702)."""

    def anchored(self, log: LogId, first: PublicBlockNumber, last: PublicBlockNumber) -> Sequence[AnchoredEvent]:
        """The log's `Anchored` events in that range of public blocks, in order."""

    def simulate(self, sender: Address, data: bytes, at: PublicBlock) -> Gas:
        """Gas that this call of the contract would use on top of `at`.

        Raises:
            BridgeError: the contract's own error, decoded to our class.
        """

    def broadcast(self, raw: RawTransaction) -> SendAnswer:
        """Offer bytes that the journal already holds. Idempotent: the same bytes twice are one transaction.

        Raises:
            Unreachable: perhaps sent.
        """

    def receipt_status(self, tx: TxHash) -> Included | None:
        """Where the transaction stands, whether it succeeded, and what it cost; None while it stands nowhere.

        Raises:
            NotYet: in a public block that this endpoint does not have, or no longer.
        """


class TransactionSigner(Protocol):
    """A gas key. May be slow, answer late, or return other bytes than asked; the caller checks all."""

    def address(self) -> Address:
        """Of the key."""

    def sign(self, transaction: UnsignedTransaction) -> RawTransaction:
        """The signed EIP-1559 envelope."""


@dataclass(frozen=True, slots=True)
class SigningPermit:
    """Leave to sign one digest; only the guard makes one, after it has committed the row."""

    digest: Digest
    size: TreeSize


class AttestationSigner(Protocol):
    """An attestation key. Asked only with a permit that the guard has just committed."""

    def address(self) -> Address:
        """Of the key."""

    def sign(self, permit: SigningPermit) -> EcdsaSignature:
        """65 bytes r ‖ s ‖ v, low s."""


class Guard(Protocol):
    """What an attestation key has signed, durable before the key is used (SPEC §8.2).

    Trust: its store is the only one for this key. Order: `permit`, then the signature, then `signed`.
    """

    def highest(self) -> tuple[TreeSize, Digest]:
        """Size and root of the highest statement or floor."""

    def permit(self, size: TreeSize, root: Digest, digest: Digest, path: Sequence[Digest]) -> SigningPermit:
        """Commit the statement, if it extends the highest by `path`; the same digest again is a repeat.

        Raises:
            GuardRefused: double, below_floor or not_an_extension.
        """

    def signed(self, permit: SigningPermit, signature: EcdsaSignature) -> None:
        """Store the signature made under `permit`."""

    def stored(self, size: TreeSize) -> EcdsaSignature | None:
        """The signature made for this size, if it was stored."""


class ConsortiumMember(Protocol):
    """A member's node as relayers and outsiders see it. May lie, lag or be silent; everything it says is verified."""

    @property
    def name(self) -> str:
        """The member's name in the settings."""

    def newest_size(self) -> TreeSize:
        """Size of the newest checkpoint this member has attested."""

    def attestation(self, size: TreeSize) -> tuple[Digest, EcdsaSignature]:
        """Root and the member's signature for `size`. Raises `NotYet`."""

    def consistency_path(self, old: TreeSize, new: TreeSize) -> Sequence[Digest]:
        """RFC 6962 consistency path between two sizes of the log. Raises `NotYet`."""


class Clock(Protocol):
    """Time as an argument that moves."""

    def now(self) -> UnixSeconds:
        """Whole seconds."""


class Randomness(Protocol):
    """Fresh, independent, unpredictable bytes."""

    def __call__(self, count: int, /) -> bytes:
        """`count` bytes."""


class RegistryStore(Protocol):
    """The registry after each closed epoch, readable at every one. Derived: epochs' insertions make it again.

    Trust: none; a node that does not hash to what its parent says is `StoreBroken` when it is read.
    Threads: any thread reads, one keeps. Order: every epoch from 0 on, each kept before it is said to be closed, so
    that a crash in between leaves one epoch too many here, which the next `keep` replaces.
    """

    def newest(self) -> EpochNumber | None:
        """The newest epoch kept; None for none."""
        ...

    def at(self, epoch: EpochNumber) -> PrefixTree:
        """The registry after `epoch`; loads nothing but its root.

        Raises:
            NotYet: not kept.
        """
        ...

    def keep(self, epoch: EpochNumber, tree: PrefixTree) -> None:
        """Durable when it returns; all or nothing. What stood at this epoch and after it is replaced.

        Args:
            epoch: the one after the newest, or an earlier one.
            tree: what `insert` made of `at(epoch - 1)`, or of a tree in memory for epoch 0.

        Raises:
            StoreBroken: an epoch is missing before this one.
        """
        ...
