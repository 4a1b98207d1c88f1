"""What one endpoint shows of a log in the contract: its anchors, newest first, and what was sent to make them."""

from collections.abc import Iterator
from typing import Final

from hybrid_bridge.adapters.evm.artefact import REGISTRY, artefact
from hybrid_bridge.adapters.evm.chain import LOG_SPAN, Web3Chain
from hybrid_bridge.adapters.evm.create2 import deterministic_address
from hybrid_bridge.adapters.evm.rpc import JsonRpc, data_json
from hybrid_bridge.errors import NotYet, TooLong, UnknownLog
from hybrid_bridge.ports import AnchoredEvent
from hybrid_bridge.units import Address, Digest, LogId, PublicBlockNumber, TxHash

LOOK_BACK: Final = 100_000  # public blocks: two weeks of Ethereum
MAX_CALLDATA: Final = 1 << 17  # bytes; what nodes take of one transaction


class PublicRecord:
    """One registry behind one endpoint. Believed nothing: a signature in calldata proves itself."""

    def __init__(self, url: str, contract: Address | None) -> None:
        """Connects to nothing; without a contract it is at the usual address.

        Raises:
            SettingsMalformed: no http or https address.
        """
        at = contract or deterministic_address(artefact(REGISTRY).creation_code)
        self._chain = Web3Chain(JsonRpc("public", url), at)

    def anchors(self, log: LogId) -> Iterator[AnchoredEvent]:
        """The log's anchors, newest first, as far back as is worth asking.

        Raises:
            UnknownLog: the contract does not know it: another contract, or another public chain.
            Unreachable, AnswerMalformed: see `JsonRpc`.
        """
        latest = self._chain.latest()
        if self._chain.head(log, latest).state == "unknown":
            raise UnknownLog(log_id=Digest(log))
        oldest = max(0, latest.number - LOOK_BACK)
        for last in range(latest.number, oldest - 1, -LOG_SPAN):
            first = max(oldest, last - LOG_SPAN + 1)
            yield from reversed(self._chain.anchored(log, PublicBlockNumber(first), PublicBlockNumber(last)))

    def calldata(self, tx: TxHash) -> bytes:
        """What this transaction was sent with.

        Raises:
            NotYet: the endpoint does not have it.
            TooLong: more than any node takes.
            Unreachable, AnswerMalformed: see `JsonRpc`.
        """
        method, rpc = "eth_getTransactionByHash", self._chain.rpc
        answer = rpc.ask(method, data_json(tx))
        if answer is None:
            raise NotYet(what=f"transaction {tx.hex()} at {rpc.name}")
        data = rpc.octets(method, rpc.members(method, answer).get("input"))
        if len(data) > MAX_CALLDATA:
            raise TooLong(field="calldata", limit=MAX_CALLDATA, got=len(data))
        return data
