"""What the embedded public chain says, as JSON: headers, transactions, receipts, logs, in geth's shape."""

from collections.abc import Iterator

from hybrid_bridge.adapters.evm.dev_chain import Evm, Placed
from hybrid_bridge.core.encoding import Json
from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.core.rlp import encode_rlp, uint_bytes


def octets_json(value: bytes) -> str:
    """Bytes as 0x text."""
    return "0x" + bytes(value).hex()


def header_json(header: Evm) -> dict[str, Json]:
    """The header's members of a block answer."""
    return {
        "hash": octets_json(header.hash),
        "number": hex(header.block_number),
        "parentHash": octets_json(header.parent_hash),
        "sha3Uncles": octets_json(header.uncles_hash),
        "miner": octets_json(header.coinbase),
        "stateRoot": octets_json(header.state_root),
        "transactionsRoot": octets_json(header.transaction_root),
        "receiptsRoot": octets_json(header.receipt_root),
        "logsBloom": octets_json(header.bloom.to_bytes(256, "big")),
        "difficulty": hex(header.difficulty),
        "gasLimit": hex(header.gas_limit),
        "gasUsed": hex(header.gas_used),
        "timestamp": hex(header.timestamp),
        "extraData": octets_json(header.extra_data),
        "mixHash": octets_json(header.mix_hash),
        "nonce": octets_json(header.nonce),
        "baseFeePerGas": hex(header.base_fee_per_gas),
        "withdrawalsRoot": octets_json(header.withdrawals_root),
        "blobGasUsed": hex(header.blob_gas_used),
        "excessBlobGas": hex(header.excess_blob_gas),
        "parentBeaconBlockRoot": octets_json(header.parent_beacon_block_root),
        "requestsHash": octets_json(header.requests_hash),
    }


def _kind(transaction: Evm) -> int:
    return transaction.type_id or 0


def price(transaction: Evm, header: Evm) -> int:
    """Effective gas price of a transaction in that public block (EIP-1559)."""
    tip = min(transaction.max_priority_fee_per_gas, transaction.max_fee_per_gas - header.base_fee_per_gas)
    return int(header.base_fee_per_gas + tip)


def _where(placed: Placed | None) -> dict[str, Json]:
    if placed is None:
        return {"blockHash": None, "blockNumber": None, "transactionIndex": None}
    header = placed.header
    return {
        "blockHash": octets_json(header.hash),
        "blockNumber": hex(header.block_number),
        "transactionIndex": hex(placed.index),
    }


def transaction_json(transaction: Evm, placed: Placed | None) -> Json:
    """A transaction, with its place if it has one."""
    fees = {"gasPrice": hex(transaction.max_fee_per_gas)}
    if _kind(transaction) >= 2:
        fees["maxFeePerGas"] = hex(transaction.max_fee_per_gas)
        fees["maxPriorityFeePerGas"] = hex(transaction.max_priority_fee_per_gas)
    return {
        **_where(placed),
        **fees,
        "hash": octets_json(transaction.hash),
        "type": hex(_kind(transaction)),
        "chainId": hex(transaction.chain_id or 0),
        "from": octets_json(transaction.sender),
        "to": octets_json(transaction.to) if transaction.to else None,
        "nonce": hex(transaction.nonce),
        "gas": hex(transaction.gas),
        "value": hex(transaction.value),
        "input": octets_json(transaction.data),
        "v": hex(transaction.y_parity),
        "yParity": hex(transaction.y_parity),
        "r": hex(transaction.r),
        "s": hex(transaction.s),
    }


def receipt_json(placed: Placed) -> Json:
    """A receipt."""
    transaction, receipt = placed.transaction, placed.receipt
    creator = encode_rlp([transaction.sender, uint_bytes(transaction.nonce)])
    return {
        **_where(placed),
        "transactionHash": octets_json(transaction.hash),
        "type": hex(_kind(transaction)),
        "status": "0x1" if receipt.state_root == b"\x01" else "0x0",
        "from": octets_json(transaction.sender),
        "to": octets_json(transaction.to) if transaction.to else None,
        "contractAddress": None if transaction.to else octets_json(keccak256(creator)[12:]),
        "gasUsed": hex(placed.gas_used),
        "cumulativeGasUsed": hex(receipt.gas_used),
        "effectiveGasPrice": hex(price(transaction, placed.header)),
        "logs": list(logs_json(placed)),
        "logsBloom": octets_json(receipt.bloom.to_bytes(256, "big")),
    }


def logs_json(placed: Placed) -> Iterator[dict[str, Json]]:
    """A transaction's logs; `logIndex` counts within the public block."""
    for offset, log in enumerate(placed.receipt.logs):
        yield {
            **_where(placed),
            "address": octets_json(log.address),
            "topics": [octets_json(topic.to_bytes(32, "big")) for topic in log.topics],
            "data": octets_json(log.data),
            "logIndex": hex(placed.logs_before + offset),
            "transactionHash": octets_json(placed.transaction.hash),
            "removed": False,
        }
