"""One public transaction by hand, for set-up: price it, sign it, send it, wait. No journal: the relayer has that.

A command that dies after sending may be run again: deploying twice and registering twice change nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from hybrid_bridge.adapters.evm.chain import Receipt, Web3Chain
from hybrid_bridge.adapters.evm.rpc import MAX_FEE
from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.errors import EndpointRefused, Missing, NotYet, TransactionRefused, Unreachable
from hybrid_bridge.ports import TransactionSigner, UnsignedTransaction
from hybrid_bridge.units import Address, Gas, RawTransaction, TxHash, Wei

MARGIN: Final = 12  # tenths of the estimate; state may move between estimate and public block
LEAST_TIP: Final = Wei(10**9)  # where an endpoint names none
KNOWN: Final = (  # these bytes, or others of this nonce, are there
    "already known",
    "already imported",
    "nonce too low",
    "replacement transaction underpriced",
)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for a public block: `polls` times, sleeping `every` seconds between."""

    polls: int
    every: float
    sleep: Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Included:
    """A transaction of ours in a public block, successful."""

    tx_hash: TxHash
    receipt: Receipt


def price(chain: Web3Chain, sender: Address, to: Address, data: bytes) -> UnsignedTransaction:
    """The transaction that this call would be now. An empty `to` creates a contract.

    Raises:
        BridgeError: the contract's own error if it would revert.
        Missing: the account cannot pay for it.
    """
    transaction = priced(chain, sender, to, data)
    require_balance(chain, sender, cost(transaction))
    return transaction


def require_balance(chain: Web3Chain, sender: Address, wei: Wei) -> None:
    """The account can pay so much.

    Raises:
        Missing: it cannot.
    """
    if (balance := chain.balance(sender, chain.latest())) < wei:
        raise Missing(what=f"{wei - balance} wei for gas at 0x{sender.hex()}")


def priced(chain: Web3Chain, sender: Address, to: Address, data: bytes) -> UnsignedTransaction:
    """`price` for an account that may have no money yet.

    Raises:
        BridgeError: the contract's own error if it would revert.
    """
    at = chain.latest()
    gas = Gas(chain.estimate(sender, to, data, at) * MARGIN // 10)
    tip = _tip(chain)
    return UnsignedTransaction(
        chain_id=chain.chain_id(),
        nonce=chain.nonce(sender, at),
        to=to,
        value=Wei(0),
        data=data,
        gas=gas,
        max_fee=Wei(2 * chain.base_fee(at) + tip),
        tip=tip,
    )


def cost(transaction: UnsignedTransaction) -> Wei:
    """The most that it can cost."""
    return Wei(transaction.gas * transaction.max_fee + transaction.value)


def likely_cost(transaction: UnsignedTransaction) -> Wei:
    """What it will cost if the base fee stays as it was when `price` looked, and the estimate was right."""
    base_fee = (transaction.max_fee - transaction.tip) // 2
    return Wei(transaction.gas * 10 // MARGIN * (base_fee + transaction.tip) + transaction.value)


def send(chain: Web3Chain, raw: RawTransaction, patience: Patience) -> Included:
    """Offer signed bytes until they stand in a public block.

    Raises:
        TransactionRefused: the pool refused them, or the transaction failed there.
        NotYet: not included while we waited; run the command again.
    """
    tx_hash = TxHash(keccak256(raw))
    for _ in range(patience.polls):
        receipt = _offered(chain, raw, tx_hash)
        if receipt is None:
            patience.sleep(patience.every)
        elif receipt.succeeded:
            return Included(tx_hash, receipt)
        else:
            raise TransactionRefused(endpoint=chain.name, reason=f"failed in public block {receipt.block_number}")
    raise NotYet(what=f"inclusion of transaction 0x{tx_hash.hex()}")


def _offered(chain: Web3Chain, raw: RawTransaction, tx_hash: TxHash) -> Receipt | None:
    """The receipt; without one the same bytes are offered, again and again: they are one transaction."""
    try:
        if receipt := chain.receipt(tx_hash):
            return receipt
        answer = chain.broadcast(raw)
    except (Unreachable, NotYet):
        return None
    if answer.tx_hash is None and not any(words in answer.message.lower() for words in KNOWN):
        raise TransactionRefused(endpoint=chain.name, reason=answer.message)
    return None


def transact(chain: Web3Chain, signer: TransactionSigner, to: Address, data: bytes, patience: Patience) -> Included:
    """`price`, sign and `send` in one."""
    return send(chain, signer.sign(price(chain, signer.address(), to, data)), patience)


def _tip(chain: Web3Chain) -> Wei:
    try:
        asked = chain.rpc.ask("eth_maxPriorityFeePerGas")
    except EndpointRefused:
        return LEAST_TIP
    return Wei(max(1, chain.rpc.quantity("eth_maxPriorityFeePerGas", asked, MAX_FEE)))
