"""The JSON-RPC methods of the embedded public chain: hex in, hex out, geth's words for what is refused."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import rlp

from hybrid_bridge.adapters.evm.dev_chain import INVALID, Call, DevChain, Evm, Placed, RpcRefused
from hybrid_bridge.adapters.evm.dev_json import (
    header_json,
    logs_json,
    octets_json,
    price,
    receipt_json,
    transaction_json,
)
from hybrid_bridge.core.encoding import Json
from hybrid_bridge.units import Address, Gas, UnixSeconds, Wei

NO_METHOD: Final = -32601
BAD_PARAMS: Final = -32602
MAX_HISTORY: Final = 1024  # public blocks of one eth_feeHistory, as in geth
_HEX: Final = re.compile(r"0x[0-9a-fA-F]*")
_QUANTITY: Final = re.compile(r"0x(0|[1-9a-fA-F][0-9a-fA-F]{0,63})")
_NO_HEADER: Final = "header not found"


class DevRpc:
    """Answers one call after the other; the caller holds a lock around `answer`."""

    def __init__(self, chain: DevChain, finality_depth: int, now: Callable[[], UnixSeconds], *, automine: bool) -> None:
        self._chain, self._depth, self._now, self._automine = chain, finality_depth, now, automine
        self._methods: Mapping[str, Callable[..., Json]] = {
            "web3_clientVersion": lambda: "hybrid-bridge-devnet/1",
            "net_version": lambda: str(chain.chain_id),
            "eth_syncing": lambda: False,
            "eth_accounts": list,
            "eth_chainId": lambda: hex(chain.chain_id),
            "eth_blockNumber": lambda: hex(chain.newest.block_number),
            "eth_gasPrice": lambda: hex(chain.newest.base_fee_per_gas + 10**9),
            "eth_maxPriorityFeePerGas": lambda: hex(10**9),
            "eth_feeHistory": self.fee_history,
            "eth_getBlockByNumber": lambda tag, full=False: self.block(self._by_tag(tag), full),
            "eth_getBlockByHash": lambda hash_, full=False: self.block(self._by_hash(hash_), full),
            "eth_getBlockReceipts": self.block_receipts,
            "eth_getTransactionByHash": self.transaction,
            "txpool_contentFrom": self.pooled,
            "eth_getTransactionReceipt": self.receipt,
            "eth_getLogs": self.logs,
            "eth_getBalance": lambda address, at="latest": hex(self._state(at).get_balance(_address(address))),
            "eth_getCode": lambda address, at="latest": octets_json(self._state(at).get_code(_address(address))),
            "eth_getStorageAt": self.storage,
            "eth_getTransactionCount": self.nonce,
            "eth_call": lambda call, at="latest": octets_json(chain.call(_call(call), self._at(at))),
            "eth_estimateGas": lambda call, at="latest": hex(chain.estimate(_call(call), self._at(at))),
            "eth_sendRawTransaction": self.send,
            "debug_getRawHeader": lambda at: octets_json(rlp.encode(self._at(at))),
            "debug_getRawReceipts": lambda at: [
                octets_json(placed.receipt.encode()) for placed in chain.content(self._at(at).block_number)
            ],
            "evm_mine": lambda: octets_json(self._mine().hash),
        }

    def answer(self, method: Json, params: Json) -> Json:
        """The result of one call.

        Raises:
            RpcRefused: an error answer.
        """
        handler = self._methods.get(method) if isinstance(method, str) else None
        if handler is None:
            raise RpcRefused(NO_METHOD, f"the method {method} does not exist/is not available")
        if not isinstance(params, list):
            raise RpcRefused(BAD_PARAMS, "params are a list")
        try:
            return handler(*params)
        except (TypeError, ValueError, KeyError, AttributeError, OverflowError) as error:
            raise RpcRefused(BAD_PARAMS, f"invalid argument: {error}") from None

    def _mine(self) -> Evm:
        return self._chain.mine(self._now())

    # ── which public block ───────────────────────────────────────────────────────────────────────────────────────────

    def _by_tag(self, tag: Json) -> Evm | None:
        newest = self._chain.newest.block_number
        back = {"latest": 0, "pending": 0, "earliest": newest, "safe": self._depth // 2, "finalized": self._depth}
        if isinstance(tag, str) and tag in back:
            return self._chain.header(max(0, newest - back[tag]))
        return self._chain.header(_quantity(tag))

    def _by_hash(self, block_hash: Json) -> Evm | None:
        number = self._chain.number_of(_octets(block_hash, 32))
        return None if number is None else self._chain.header(number)

    def _at(self, at: Json) -> Evm:
        """A tag, a number, a hash or an object of EIP-1898."""
        if isinstance(at, dict):
            header = self._by_hash(at["blockHash"]) if "blockHash" in at else self._by_tag(at["blockNumber"])
        elif isinstance(at, str) and len(at) == 66:
            header = self._by_hash(at)
        else:
            header = self._by_tag(at)
        if header is None:
            raise RpcRefused(INVALID, _NO_HEADER)
        return header

    def _state(self, at: Json) -> Evm:
        return self._chain.vm_at(self._at(at)).state

    # ── reads ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def nonce(self, address: Json, at: Json = "latest") -> Json:
        """eth_getTransactionCount; `pending` counts the pool too."""
        if at == "pending":
            return hex(self._chain.next_nonce(_address(address)))
        return hex(self._state(at).get_nonce(_address(address)))

    def storage(self, address: Json, slot: Json, at: Json = "latest") -> Json:
        """eth_getStorageAt; the slot may have leading zeros."""
        number = int.from_bytes(bytes.fromhex(_text(slot, _HEX)[2:].rjust(64, "0")), "big")
        return octets_json(self._state(at).get_storage(_address(address), number).to_bytes(32, "big"))

    def block(self, header: Evm | None, full: Json = False) -> Json:  # noqa: FBT002
        """eth_getBlockBy…: null when there is none."""
        if header is None:
            return None
        content = self._chain.content(header.block_number)
        return {
            **header_json(header),
            "size": hex(1000 + sum(len(placed.transaction.encode()) for placed in content)),
            "transactions": [
                transaction_json(p.transaction, p) if full else octets_json(p.transaction.hash) for p in content
            ],
            "uncles": [],
            "withdrawals": [],
        }

    def block_receipts(self, at: Json) -> Json:
        """eth_getBlockReceipts."""
        return [receipt_json(placed) for placed in self._chain.content(self._at(at).block_number)]

    def transaction(self, tx_hash: Json) -> Json:
        """eth_getTransactionByHash, also from the pool."""
        placed = self._chain.placed(_octets(tx_hash, 32))
        if placed:
            return transaction_json(placed.transaction, placed)
        waiting = self._chain.pending(_octets(tx_hash, 32))
        return None if waiting is None else transaction_json(waiting, None)

    def pooled(self, address: Json) -> Json:
        """txpool_contentFrom: what an account has in the pool, by nonce; nothing is told apart as queued."""
        waiting = self._chain.waiting(_address(address))
        return {"pending": {str(tx.nonce): transaction_json(tx, None) for tx in waiting}, "queued": {}}

    def receipt(self, tx_hash: Json) -> Json:
        """eth_getTransactionReceipt."""
        placed = self._chain.placed(_octets(tx_hash, 32))
        return None if placed is None else receipt_json(placed)

    def logs(self, wanted: Json) -> Json:
        """eth_getLogs by range or by public block hash."""
        if not isinstance(wanted, dict):
            raise RpcRefused(BAD_PARAMS, "a filter is an object")
        if "blockHash" in wanted:
            first = last = self._at({"blockHash": wanted["blockHash"]}).block_number
        else:
            first = self._at(wanted.get("fromBlock", "latest")).block_number
            last = min(self._last(wanted.get("toBlock", "latest")), self._chain.newest.block_number)
        contents = self._chain.contents(first, last)
        found = (log for content in contents for placed in content for log in logs_json(placed))
        return [log for log in found if _is_wanted(log, wanted)]

    def _last(self, tag: Json) -> int:
        header = self._by_tag(tag)
        return _quantity(tag) if header is None else int(header.block_number)

    def fee_history(self, count: Json, newest: Json, percentiles: Sequence[Json] = ()) -> Json:
        """eth_feeHistory; an empty public block has reward 0, as in geth."""
        last = self._at(newest).block_number
        wanted = _quantity(count) if isinstance(count, str) else int(count)  # type: ignore[arg-type]
        first = max(0, last + 1 - min(max(wanted, 1), MAX_HISTORY))
        headers = [header for n in range(first, last + 1) if (header := self._chain.header(n))]
        history: dict[str, Any] = {
            "oldestBlock": hex(first),
            "baseFeePerGas": [hex(header.base_fee_per_gas) for header in headers] + [hex(_next_base_fee(headers[-1]))],
            "gasUsedRatio": [header.gas_used / header.gas_limit for header in headers],
        }
        if percentiles:
            history["reward"] = [
                [hex(tip) for tip in _tips(self._chain.content(header.block_number), percentiles)] for header in headers
            ]
        return history

    def send(self, raw: Json) -> Json:
        """eth_sendRawTransaction."""
        tx_hash = self._chain.offer(_octets(raw))
        if self._automine:
            self._mine()
        return octets_json(tx_hash)


def _is_wanted(log: Mapping[str, Json], wanted: Mapping[str, Json]) -> bool:
    topics = log["topics"]
    patterns = [wanted.get("address"), *(wanted.get("topics") or ())]  # type: ignore[misc]
    values = [log["address"], *topics]  # type: ignore[misc]
    return len(patterns) <= len(values) and all(map(_matches, patterns, values))


def _matches(pattern: Json, value: Json) -> bool:
    if pattern is None or pattern == []:
        return True
    allowed = pattern if isinstance(pattern, list) else [pattern]
    return any(isinstance(one, str) and one.lower() == value for one in allowed)


def _tips(content: Sequence[Placed], percentiles: Sequence[Json]) -> Iterator[int]:
    """Effective tips at those percentiles of the public block's gas."""
    paid = sorted((price(p.transaction, p.header) - p.header.base_fee_per_gas, p.gas_used) for p in content)
    total = sum(gas for _, gas in paid)
    for percentile in percentiles:
        threshold, seen, answer = total * float(percentile) / 100, 0, 0  # type: ignore[arg-type]
        for tip, gas in paid:
            answer, seen = tip, seen + gas
            if seen >= threshold:
                break
        yield answer


def _next_base_fee(header: Evm) -> int:
    """EIP-1559, elasticity 2, denominator 8."""
    base, target = header.base_fee_per_gas, header.gas_limit // 2
    change = base * abs(header.gas_used - target) // target // 8
    return int(base + max(change, 1) if header.gas_used > target else base - change)


# ── JSON values ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _text(value: Json, pattern: re.Pattern[str]) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise RpcRefused(BAD_PARAMS, f"invalid hex string: {value!r:.80}")
    return value


def _quantity(value: Json) -> int:
    return int(_text(value, _QUANTITY), 16)


def _octets(value: Json, width: int | None = None) -> bytes:
    data = bytes.fromhex(_text(value, _HEX)[2:])
    if width not in (None, len(data)):
        raise RpcRefused(BAD_PARAMS, f"invalid length: want {width} bytes, have {len(data)}")
    return data


def _address(value: Json) -> Address:
    return Address(_octets(value, 20))


def _call(value: Json) -> Call:
    if not isinstance(value, dict):
        raise RpcRefused(BAD_PARAMS, "a call is an object")
    data = value.get("input", value.get("data", "0x"))
    return Call(
        sender=_address(value.get("from", "0x" + "00" * 20)),
        to=_octets(value["to"], 20) if value.get("to") else b"",
        data=_octets(data),
        value=Wei(_quantity(value.get("value", "0x0"))),
        gas=Gas(_quantity(value["gas"])) if value.get("gas") else None,
    )
