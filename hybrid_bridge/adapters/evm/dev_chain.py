"""The embedded public chain: one producer, a pool with geth's rules, a real EVM. The door to py-evm.

Blocks, state and receipts are in memory; `record` hears of each public block before anybody else, and `replay` makes it
again. There are no reorganisations. Prague rules, so EIP-7825 (gas above 2^24) is not enforced. Not thread-safe:
`devnet.py` serves under one lock.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import rlp
from eth.chains.base import MiningChain
from eth.db import get_db_backend
from eth.exceptions import PyEVMError, Revert
from eth.vm.forks.prague import PragueVM
from eth.vm.spoof import SpoofTransaction
from eth_utils.exceptions import ValidationError

from hybrid_bridge.adapters.evm.create2 import FACTORY, FACTORY_CODE
from hybrid_bridge.adapters.evm.dev_journal import STATE_FILE, Birth, Sealed
from hybrid_bridge.errors import StoreBroken
from hybrid_bridge.units import Address, Gas, Nonce, PublicBlockHash, TxHash, UnixSeconds, Wei

Evm: TypeAlias = Any  # a header, transaction, receipt or state of py-evm: its classes differ from fork to fork

GAS_LIMIT: Final = 60_000_000  # of a public block; Ethereum's of 2026
CALL_GAS: Final = 50_000_000  # of eth_call and eth_estimateGas when the caller names none, as in geth
BUMP: Final = 10  # percent on both fees before a replacement is taken, as in geth
INVALID: Final = -32000  # geth's code for everything a pool or a state refuses
REVERTED: Final = 3
_RICH: Final = 1 << 200  # a caller of eth_call and eth_estimateGas need not own anything


class RpcRefused(Exception):
    """An error answer of the server, in geth's words."""

    def __init__(self, code: int, message: str, data: str | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.data = code, message, data


@dataclass(frozen=True, slots=True)
class Placed:
    """A transaction in a public block. `logs_before` counts the logs of those before it."""

    transaction: Evm
    receipt: Evm
    header: Evm
    index: int
    gas_used: Gas
    logs_before: int


@dataclass(frozen=True, slots=True)
class Call:
    """What eth_call and eth_estimateGas run; `to` is empty for a creation."""

    sender: Address
    to: bytes
    data: bytes
    value: Wei
    gas: Gas | None


class DevChain:
    """See the module's docstring."""

    def __init__(self, birth: Birth, record: Callable[[Sealed], None] = lambda _: None) -> None:
        self.chain_id = chain_id = birth.chain_id
        self._record = record
        state = {address: _account(balance) for address, balance in birth.funds.items()}
        state[FACTORY] = _account(Wei(0), FACTORY_CODE, Nonce(1))
        params = {"coinbase": bytes(20), "difficulty": 0, "extra_data": b"devnet", "gas_limit": GAS_LIMIT}
        params |= {"mix_hash": bytes(32), "nonce": bytes(8), "timestamp": birth.born}
        kind: Evm = type("_Chain", (_SteadyGasLimit,), {"chain_id": chain_id, "vm_configuration": ((0, PragueVM),)})
        self._chain = kind.from_genesis(get_db_backend(), params, state)
        self._headers = [self._chain.get_canonical_block_header_by_number(0)]
        self._numbers = {self._headers[0].hash: 0}
        self._blocks: dict[int, list[Placed]] = {}  # only those that hold something
        self._placed: dict[bytes, Placed] = {}
        self._pool: dict[tuple[bytes, int], Evm] = {}  # in order of arrival

    # ── public blocks ────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def newest(self) -> Evm:
        """The header of the newest public block."""
        return self._headers[-1]

    def header(self, number: int) -> Evm | None:
        """The header of that number, None beyond the newest."""
        return self._headers[number] if 0 <= number < len(self._headers) else None

    def number_of(self, block_hash: bytes) -> int | None:
        """The number of the public block of this hash."""
        return self._numbers.get(block_hash)

    def content(self, number: int) -> Sequence[Placed]:
        """The transactions of a public block, in order."""
        return self._blocks.get(number, ())

    def contents(self, first: int, last: int) -> Iterator[Sequence[Placed]]:
        """The contents of the public blocks in that range that hold something."""
        return (placed for number, placed in self._blocks.items() if first <= number <= last)

    def placed(self, tx_hash: bytes) -> Placed | None:
        """Where a transaction stands."""
        return self._placed.get(tx_hash)

    def pending(self, tx_hash: bytes) -> Evm | None:
        """A transaction of the pool."""
        return next((tx for tx in self._pool.values() if tx.hash == tx_hash), None)

    def waiting(self, sender: bytes) -> list[Evm]:
        """All of one account in the pool."""
        return [tx for (owner, _), tx in self._pool.items() if owner == sender]

    def mine(self, now: UnixSeconds) -> Evm:
        """The next public block: all of the pool that can stand in it. Its time is `now`, or the parent's plus 1."""
        self._chain.set_header_timestamp(max(now, self.newest.timestamp + 1))
        applied: list[tuple[Evm, Evm]] = []
        while batch := self._executable():
            for transaction in batch:
                del self._pool[transaction.sender, transaction.nonce]
                try:
                    applied.append((transaction, self._chain.apply_transaction(transaction)[1]))
                except (ValidationError, PyEVMError):
                    continue  # above all: the sender can no longer pay. As good as evicted
        header = self._seal()
        self._record(_sealed(header, applied))  # Durable. Dead here? The next start announces it.
        self._announce(header, applied)
        return header

    def replay(self, sealed: Sealed) -> None:
        """Make a public block again, as it was recorded. Foreign errors of a damaged record are the caller's.

        Raises:
            StoreBroken: another one comes out.
        """
        self._chain.set_header_timestamp(sealed.time)
        decode = self._chain.get_vm().get_transaction_builder().decode
        applied = [(tx, self._chain.apply_transaction(tx)[1]) for tx in map(decode, sealed.transactions)]
        header = self._seal()
        if header.hash != sealed.hash:
            raise StoreBroken(store=STATE_FILE, rule=f"public block {header.block_number} comes out the same")
        self._announce(header, applied)

    def _seal(self) -> Evm:
        return self._chain.mine_block(coinbase=bytes(20), mix_hash=bytes(32), blob_gas_used=0).header

    def _announce(self, header: Evm, applied: Sequence[tuple[Evm, Evm]]) -> None:
        self._headers.append(header)
        self._numbers[header.hash] = header.block_number
        self._place(header, applied)

    def _executable(self) -> list[Evm]:
        """The transactions whose turn it is: next nonce, fee at least the base fee, room left."""
        state = self._chain.get_vm().state
        header = self._chain.header
        return [
            transaction
            for (sender, nonce), transaction in self._pool.items()
            if nonce == state.get_nonce(sender)
            and transaction.max_fee_per_gas >= header.base_fee_per_gas
            and transaction.gas <= header.gas_limit - header.gas_used
        ]

    def _place(self, header: Evm, applied: Sequence[tuple[Evm, Evm]]) -> None:
        content: list[Placed] = []
        gas = logs = 0
        for index, (transaction, receipt) in enumerate(applied):
            content.append(Placed(transaction, receipt, header, index, Gas(receipt.gas_used - gas), logs))
            gas, logs = receipt.gas_used, logs + len(receipt.logs)
            self._placed[transaction.hash] = content[-1]
        if content:
            self._blocks[header.block_number] = content

    # ── the pool ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def offer(self, raw: bytes) -> TxHash:
        """Take a signed transaction into the pool.

        Raises:
            RpcRefused: in geth's words.
        """
        transaction = self._decoded(raw)
        old = self._pool.get((transaction.sender, transaction.nonce))
        if old is not None and old.hash == transaction.hash:
            raise RpcRefused(INVALID, "already known")
        self._require_affordable(transaction)
        if old is not None and not _outbids(transaction, old):
            raise RpcRefused(INVALID, "replacement transaction underpriced")
        self._pool[transaction.sender, transaction.nonce] = transaction
        return TxHash(transaction.hash)

    def _decoded(self, raw: bytes) -> Evm:
        if raw[:1] == b"\x03":
            raise RpcRefused(INVALID, "transaction type not supported")
        try:
            transaction = self._chain.get_vm().get_transaction_builder().decode(raw)
            chain_id, _ = transaction.chain_id, transaction.sender
        except (rlp.RLPException, PyEVMError, ValidationError, ValueError, TypeError, AttributeError, IndexError):
            raise RpcRefused(INVALID, "rlp: the bytes are no signed transaction") from None
        if chain_id != self.chain_id:
            have = "none" if chain_id is None else chain_id
            raise RpcRefused(INVALID, f"invalid chain id for signer: have {have} want {self.chain_id}")
        return transaction

    def _require_affordable(self, tx: Evm) -> None:
        state = self.vm_at(self.newest).state
        cost, balance = tx.gas * tx.max_fee_per_gas + tx.value, state.get_balance(tx.sender)
        tip, cap, nonce = tx.max_priority_fee_per_gas, tx.max_fee_per_gas, state.get_nonce(tx.sender)
        floor = max(tx.intrinsic_gas, 21_000 + 10 * (4 * len(tx.data) - 3 * tx.data.count(0)))  # EIP-7623
        for refused, message in (
            (tx.gas > GAS_LIMIT, f"exceeds block gas limit: tx gas {tx.gas}, limit {GAS_LIMIT}"),
            (tip > cap, f"max priority fee per gas higher than max fee per gas: maxPriorityFeePerGas: {tip}, "
                        f"maxFeePerGas: {cap}"),
            (tx.gas < floor, f"intrinsic gas too low: gas {tx.gas}, minimum needed {floor}"),
            (tip < 1, f"transaction underpriced: gas tip cap {tip}, minimum needed 1"),
            (tx.nonce < nonce, f"nonce too low: next nonce {nonce}, tx nonce {tx.nonce}"),
            (cost > balance, f"insufficient funds for gas * price + value: balance {balance}, tx cost {cost}, "
                             f"overshot {cost - balance}"),
        ):  # fmt: skip
            if refused:
                raise RpcRefused(INVALID, message)

    def next_nonce(self, address: Address) -> Nonce:
        """The nonce after those in public blocks and the gapless ones in the pool."""
        nonce = self.vm_at(self.newest).state.get_nonce(address)
        while (address, nonce) in self._pool:
            nonce += 1
        return Nonce(nonce)

    # ── state ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def vm_at(self, header: Evm) -> Evm:
        """The state after a public block."""
        return self._chain.get_vm(header)

    def call(self, call: Call, at: Evm) -> bytes:
        """What the call returns on top of `at`. Nothing changes.

        Raises:
            RpcRefused: it reverts or runs out of gas.
        """
        computation, _ = self._run(call, at, Gas(call.gas or CALL_GAS))
        self._require_success(computation)
        return bytes(computation.output)

    def estimate(self, call: Call, at: Evm) -> Gas:
        """Gas limit with which the call succeeds on top of `at`, within 1.5 % of the least, as geth answers.

        Raises:
            RpcRefused: it does not succeed with any.
        """
        most = call.gas or CALL_GAS
        computation, used = self._run(call, at, Gas(most))
        self._require_success(computation)
        low, high = used - 1, most
        guess = (used + computation.get_gas_refund() + 2_300) * 64 // 63
        while high - low > 1 and (high - low) * 1000 > 15 * high:
            middle = guess if low < guess < high else (low + high) // 2
            guess = 0
            if self._run(call, at, Gas(middle))[0].is_error:
                low = middle
            else:
                high = middle
        return Gas(high)

    def _run(self, call: Call, at: Evm, gas: Gas) -> tuple[Evm, Gas]:
        vm = self.vm_at(at)
        state = vm.state
        state.set_balance(call.sender, max(_RICH, state.get_balance(call.sender)))
        unsigned = vm.get_transaction_builder().new_unsigned_dynamic_fee_transaction(
            chain_id=self.chain_id,
            nonce=state.get_nonce(call.sender),
            max_priority_fee_per_gas=0,
            max_fee_per_gas=at.base_fee_per_gas,
            gas=gas,
            to=call.to,
            value=call.value,
            data=call.data,
            access_list=(),
        )
        try:
            transaction = SpoofTransaction(unsigned, from_=call.sender)
            computation = state.apply_transaction(transaction)
            return computation, vm.finalize_gas_used(transaction, computation)
        except ValidationError as error:
            raise RpcRefused(INVALID, f"intrinsic gas too low or call malformed: {error}") from None

    def _require_success(self, computation: Evm) -> None:
        if not computation.is_error:
            return
        if isinstance(computation.error, Revert):
            raise RpcRefused(REVERTED, "execution reverted", "0x" + computation.output.hex())
        raise RpcRefused(INVALID, f"{type(computation.error).__name__}: the call fails")


class _SteadyGasLimit(MiningChain):
    """A chain whose public blocks all have the same gas limit."""

    def create_header_from_parent(self, parent_header: Evm, **params: Any) -> Evm:  # noqa: ANN401
        """As in py-evm, but for the gas limit."""
        return super().create_header_from_parent(parent_header, **{**params, "gas_limit": parent_header.gas_limit})


def _sealed(header: Evm, applied: Sequence[tuple[Evm, Evm]]) -> Sealed:
    return Sealed(
        time=UnixSeconds(header.timestamp),
        transactions=tuple(transaction.encode() for transaction, _ in applied),
        hash=PublicBlockHash(header.hash),
    )


def _account(balance: Wei, code: bytes = b"", nonce: Nonce = Nonce(0)) -> dict[str, Any]:  # noqa: B008
    return {"balance": balance, "nonce": nonce, "code": code, "storage": {}}


def _outbids(new: Evm, old: Evm) -> bool:
    return all(
        getattr(new, fee) * 100 >= getattr(old, fee) * (100 + BUMP)
        for fee in ("max_fee_per_gas", "max_priority_fee_per_gas")
    )
