"""A public chain in memory, stricter than a real one: pool with geth's rules, reorganisations, the contract's checks.

`MemoryNetwork` is the world that tests move by hand: `mine`, `reorganise`, `evict`. `MemoryChain` is one endpoint's
view of it and implements `PublicChain`. Time moves only with public blocks.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.core.public_transaction import SignedPublicTransaction, decode_signed
from hybrid_bridge.errors import BridgeError, FieldMalformed, NotYet, StateForgotten, Unreachable
from hybrid_bridge.ports import AnchoredEvent, Head, Included, PublicBlock, PublicChain, SendAnswer
from hybrid_bridge.testing.memory_contract import ROTATE, MemoryLog, anchor, decode_call, decode_rotation, rotate
from hybrid_bridge.units import (
    MAX_U64,
    Address,
    ChainId,
    Digest,
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

GWEI: Final = 10**9
BUMP: Final = 10  # percent on both fees before a pool takes a replacement
MAX_GAS: Final = 1 << 24  # EIP-7825
BASE_GAS: Final = 21_000
STATES: Final = 128  # newest ones that an ordinary node keeps
UNKNOWN: Final = Head(
    tree_size=TreeSize(0),
    root=Digest(bytes(32)),
    timestamp=UnixSeconds(0),
    anchored_at=UnixSeconds(0),
    set_id=SetId(0),
    next_from_size=TreeSize(0),
    paused_until=UnixSeconds(0),
    state="unknown",
)


NOWHERE: Final = PublicBlock(
    PublicBlockNumber(MAX_U64), PublicBlockHash(bytes(32)), PublicBlockHash(bytes(32)), UnixSeconds(0)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryBlock:
    """A public block with the state after it."""

    block: PublicBlock
    base_fee: Wei
    nonces: Mapping[Address, Nonce]
    balances: Mapping[Address, Wei]
    logs: Mapping[LogId, MemoryLog]
    codes: Mapping[Address, bytes] = field(default_factory=dict)  # of accounts that are delegated
    transactions: tuple[SignedPublicTransaction, ...] = ()
    statuses: Mapping[TxHash, bool]
    paid: Mapping[TxHash, tuple[Gas, Wei]] = field(default_factory=dict)  # gas used, price of each
    events: tuple[AnchoredEvent, ...] = ()


class MemoryNetwork:
    """One public chain and its pool, as all honest endpoints see them."""

    def __init__(self, chain_id: ChainId, contract: Address, born: UnixSeconds, interval: int = 12) -> None:
        self.chain_id, self.contract, self.interval = chain_id, contract, interval
        self.base_fee = Wei(GWEI)
        self.received: list[RawTransaction] = []  # every byte string that was ever offered, in order
        self._forks = 0
        self._pool: dict[tuple[Address, Nonce], SignedPublicTransaction] = {}
        first = PublicBlock(
            PublicBlockNumber(0), PublicBlockHash(keccak256(b"first")), PublicBlockHash(bytes(32)), born
        )
        self.blocks = [MemoryBlock(block=first, base_fee=self.base_fee, nonces={}, balances={}, logs={}, statuses={})]

    # ── what tests move ──────────────────────────────────────────────────────────────────────────────────────────────

    def fund(self, address: Address, balance: Wei) -> None:
        """From the newest public block on."""
        self.blocks[-1] = replace(self.newest, balances={**self.newest.balances, address: balance})

    def delegate(self, address: Address, code: bytes) -> None:
        """Put code at a key's own address (EIP-7702), from the newest public block on."""
        self.blocks[-1] = replace(self.newest, codes={**self.newest.codes, address: code})

    def put_log(self, log_id: LogId, log: MemoryLog) -> None:
        """Register or change a log, from the newest public block on."""
        self.blocks[-1] = replace(self.newest, logs={**self.newest.logs, log_id: log})

    def mine(self, count: int = 1, only: Iterable[TxHash] | None = None) -> MemoryBlock:
        """The next public blocks; they take from the pool what can stand in them, in order of arrival."""
        wanted = None if only is None else set(only)
        for _ in range(count):
            self.blocks.append(self._next_block(wanted))
        return self.newest

    def reorganise(self, depth: int, *, forget: bool) -> None:
        """Replace the newest `depth` public blocks by as many empty ones; their transactions return to the pool or not."""
        removed = self.blocks[len(self.blocks) - depth :]
        del self.blocks[len(self.blocks) - depth :]
        self._forks += 1
        if not forget:
            for transaction in (tx for block in removed for tx in block.transactions):
                self._pool.setdefault((transaction.sender, transaction.transaction.nonce), transaction)
        self.mine(depth, only=())

    def evict(self, tx_hash: TxHash | None = None) -> None:
        """Drop one transaction, or all, from the pool."""
        self._pool = {key: tx for key, tx in self._pool.items() if tx_hash is not None and tx.hash != tx_hash}

    @property
    def newest(self) -> MemoryBlock:
        """The newest public block."""
        return self.blocks[-1]

    @property
    def pending(self) -> tuple[SignedPublicTransaction, ...]:
        """The pool, in order of arrival."""
        return tuple(self._pool.values())

    def events(self) -> list[AnchoredEvent]:
        """All `Anchored` events that stand."""
        return [event for block in self.blocks for event in block.events]

    def transactions_of(self, sender: Address) -> list[tuple[TxHash, bool]]:
        """Hash and success of all that stand, in order."""
        return [(t.hash, b.statuses[t.hash]) for b in self.blocks for t in b.transactions if t.sender == sender]

    # ── the pool ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def offer(self, raw: RawTransaction) -> SendAnswer:
        """What geth would answer."""
        self.received.append(raw)
        try:
            offered = decode_signed(raw)
        except BridgeError:
            return SendAnswer(-32000, "invalid transaction", None)
        refusal = self._refusal(offered)
        if refusal is not None:
            return SendAnswer(-32000, refusal, None)
        self._pool[offered.sender, offered.transaction.nonce] = offered
        return SendAnswer(None, "", offered.hash)

    def _refusal(self, offered: SignedPublicTransaction) -> str | None:
        tx, state = offered.transaction, self.newest
        nonce, balance = state.nonces.get(offered.sender, Nonce(0)), state.balances.get(offered.sender, Wei(0))
        before = self._pool.get((offered.sender, tx.nonce))
        needed = (100 + BUMP) / 100
        rules = (
            (tx.chain_id != self.chain_id, "invalid chain id for signer"),
            (before is not None and before.hash == offered.hash, "already known"),
            (tx.nonce < nonce, f"nonce too low: next nonce {nonce}, tx nonce {tx.nonce}"),
            (not BASE_GAS <= tx.gas <= MAX_GAS, "intrinsic gas too low or above the limit"),
            (tx.tip > tx.max_fee, "max priority fee per gas higher than max fee per gas"),
            (tx.gas * tx.max_fee + tx.value > balance, "insufficient funds for gas * price + value"),
            (
                before is not None
                and min(tx.max_fee / before.transaction.max_fee, tx.tip / max(1, before.transaction.tip)) < needed,
                "replacement transaction underpriced",
            ),
        )
        return next((words for applies, words in rules if applies), None)

    # ── execution ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _next_block(self, wanted: set[TxHash] | None) -> MemoryBlock:
        parent = self.newest.block
        number, time = PublicBlockNumber(parent.number + 1), UnixSeconds(parent.time + self.interval)
        seal = parent.hash + number.to_bytes(8, "big") + self._forks.to_bytes(8, "big")
        block = PublicBlock(number, PublicBlockHash(keccak256(seal)), parent.hash, time)
        after = replace(
            self.newest, block=block, base_fee=self.base_fee, transactions=(), statuses={}, paid={}, events=()
        )
        is_done = False
        while not is_done:
            is_done = True
            for key, offered in list(self._pool.items()):
                if (wanted is None or offered.hash in wanted) and self._is_executable(offered, after):
                    del self._pool[key]
                    after, is_done = self._execute(offered, after), False
        self._pool = {key: tx for key, tx in self._pool.items() if key[1] >= after.nonces.get(key[0], 0)}
        return after

    def _is_executable(self, offered: SignedPublicTransaction, state: MemoryBlock) -> bool:
        tx = offered.transaction
        return tx.nonce == state.nonces.get(offered.sender, 0) and tx.max_fee >= state.base_fee

    def _execute(self, offered: SignedPublicTransaction, state: MemoryBlock) -> MemoryBlock:
        tx, sender = offered.transaction, offered.sender
        used, logs, event = self._run(offered, state)
        price = min(tx.max_fee, state.base_fee + tx.tip)
        balance = Wei(state.balances.get(sender, 0) - min(used, tx.gas) * price)
        is_success = logs is not None and used <= tx.gas
        return replace(
            state,
            nonces={**state.nonces, sender: Nonce(tx.nonce + 1)},
            balances={**state.balances, sender: balance},
            logs=logs if logs is not None and is_success else state.logs,
            transactions=(*state.transactions, offered),
            statuses={**state.statuses, offered.hash: is_success},
            paid={**state.paid, offered.hash: (min(used, tx.gas), Wei(price))},
            events=(*state.events, event) if event is not None and is_success else state.events,
        )

    def _run(
        self, offered: SignedPublicTransaction, state: MemoryBlock
    ) -> tuple[Gas, Mapping[LogId, MemoryLog] | None, AnchoredEvent | None]:
        """Gas used, the logs after it (None = reverted), the event."""
        tx = offered.transaction
        if tx.to != self.contract:
            return Gas(BASE_GAS), state.logs, None
        used = gas_of(tx.data)
        try:
            if tx.data[:4] == ROTATE:
                rotation = decode_rotation(tx.data)
                turned = rotate(dict(state.logs), rotation, state.block.time, (self.chain_id, self.contract))
                return used, {**state.logs, rotation.log_id: turned}, None
            call = decode_call(tx.data)
            after = anchor(dict(state.logs), call, state.block.time)
        except BridgeError:
            return used, None, None
        if after is None:
            return used, state.logs, None
        event = AnchoredEvent(
            log_id=call.log_id,
            tree_size=after.size,
            root=after.root,
            timestamp=after.boundary(after.size),
            set_id=after.set_id,
            signers=call.signers,
            block=state.block,
            tx_hash=offered.hash,
            log_index=len(state.events),
        )
        return used, {**state.logs, call.log_id: after}, event


def gas_of(data: bytes) -> Gas:
    """Near the contract's: the calldata floor decides (CONTRACT §4)."""
    return Gas(BASE_GAS + 40 * len(data))


class MemoryChain:
    """One endpoint. `is_down` makes every call unreachable; states older than the newest `keeps` are forgotten."""

    def __init__(self, network: MemoryNetwork, name: str = "memory", final_depth: int = 4, keeps: int = STATES) -> None:
        self.network, self.is_down, self._name, self._depth = network, False, name, final_depth
        self.keeps = keeps

    @property
    def name(self) -> str:
        return self._name

    def chain_id(self) -> ChainId:
        self._require_up("chain_id")
        return self.network.chain_id

    def code_hash(self, at: PublicBlockHash | None = None) -> Digest:
        self._require_up("code_hash")
        if at is not None:
            self._at(next((one.block for one in self.network.blocks if one.block.hash == at), NOWHERE), "code_hash")
        return keccak256(b"the contract's code")

    def latest(self) -> PublicBlock:
        self._require_up("latest")
        return self.network.newest.block

    def finalized(self) -> PublicBlock:
        self._require_up("finalized")
        return self.network.blocks[max(0, len(self.network.blocks) - 1 - self._depth)].block

    def block(self, number: PublicBlockNumber) -> PublicBlock:
        self._require_up("block")
        if number >= len(self.network.blocks):
            raise NotYet(what=f"public block {number}")
        return self.network.blocks[number].block

    def base_fee(self, at: PublicBlock) -> Wei:
        return self._block_at(at, "base_fee").base_fee

    def head(self, log: LogId, at: PublicBlock) -> Head:
        found = self._at(at, "head").logs.get(log)
        return UNKNOWN if found is None else found.head(at.time)

    def nonce(self, address: Address, at: PublicBlock) -> Nonce:
        return self._at(at, "nonce").nonces.get(address, Nonce(0))

    def balance(self, address: Address, at: PublicBlock) -> Wei:
        return self._at(at, "balance").balances.get(address, Wei(0))

    def account_code(self, address: Address, at: PublicBlock) -> bytes:
        return self._at(at, "account_code").codes.get(address, b"")

    def anchored(self, log: LogId, first: PublicBlockNumber, last: PublicBlockNumber) -> Sequence[AnchoredEvent]:
        self._require_up("anchored")
        return [
            event for block in self.network.blocks[first : last + 1] for event in block.events if event.log_id == log
        ]

    def simulate(self, sender: Address, data: bytes, at: PublicBlock) -> Gas:
        logs = dict(self._at(at, "simulate").logs)
        then = UnixSeconds(at.time + self.network.interval)
        try:
            if data[:4] == ROTATE:
                place = self.network.chain_id, self.network.contract
                rotate(logs, decode_rotation(data), then, place)
                return gas_of(data)
            call = decode_call(data)
        except FieldMalformed as error:
            raise NotYet(what=f"a contract with this function: {error.rule}") from error
        anchor(logs, call, then)
        return gas_of(data)

    def broadcast(self, raw: RawTransaction) -> SendAnswer:
        self._require_up("broadcast")
        return self.network.offer(raw)

    def receipt_status(self, tx: TxHash) -> Included | None:
        self._require_up("receipt_status")
        for block in reversed(self.network.blocks):
            if tx in block.statuses:
                return Included(block.block, block.statuses[tx], *block.paid[tx])
        return None

    def _at(self, at: PublicBlock, call: str) -> MemoryBlock:
        """The state at a canonical public block, if it is not forgotten."""
        found = self._block_at(at, call)
        if at.number + self.keeps < len(self.network.blocks):
            raise StateForgotten(what=f"{call} at public block {at.number}", endpoint=self._name)
        return found

    def _block_at(self, at: PublicBlock, call: str) -> MemoryBlock:
        """A canonical public block; "latest" is never meant (EIP-1898, requireCanonical)."""
        if self.is_down:
            raise Unreachable(endpoint=self._name, call=call)
        blocks = self.network.blocks
        found = blocks[at.number] if at.number < len(blocks) else None
        if found is None or (found.block is not at and found.block != at):
            raise NotYet(what="this public block on the canonical chain")
        return found

    def _require_up(self, call: str) -> None:
        if self.is_down:
            raise Unreachable(endpoint=self._name, call=call)


_conforms: type[PublicChain] = MemoryChain
