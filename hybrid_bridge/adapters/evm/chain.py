"""The public chain port over one JSON-RPC endpoint: fetch, translate, convert. No rule of ours lives here.

Every read names its public block, by hash (EIP-1898, `requireCanonical`) so that one observation sees one state.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hybrid_bridge.adapters.evm.calls import (
    BRAKE,
    SUCCESSOR,
    BrakeState,
    decode_brake,
    decode_head,
    head_calldata,
    view_calldata,
)
from hybrid_bridge.adapters.evm.reverts import revert_error
from hybrid_bridge.adapters.evm.rpc import MAX_FEE, WORD, JsonRpc, RpcError, data_json, shortened
from hybrid_bridge.core.anchor import ANCHORED
from hybrid_bridge.core.encoding import Json
from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.errors import AnswerMalformed, Malformed, NotYet, Unreachable
from hybrid_bridge.ports import AnchoredEvent, Head, Included, PublicBlock, PublicChain, SendAnswer
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

REVERTED: Final = 3  # geth's code for a call that reverts with data; anvil's too
LOG_SPAN: Final = 5_000  # public blocks in one question for events; many providers refuse more
MAX_MESSAGE: Final = 200  # characters kept of what an endpoint says to a broadcast (RELAYER §2)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What an endpoint says of a transaction that stands in a public block."""

    block_number: PublicBlockNumber
    block_hash: PublicBlockHash
    tx_index: int
    succeeded: bool
    gas_used: Gas
    price: Wei | None  # for each gas; the member came with EIP-1559, and old nodes lack it
    log_indexes: tuple[int, ...]  # of its logs, within the public block


class Web3Chain:
    """`PublicChain` for one contract behind one endpoint.

    Args:
        rpc: the endpoint.
        contract: `AnchorRegistry` there.
        by_hash: name public blocks by hash; False, by number, only for an endpoint that lacks EIP-1898.
    """

    def __init__(self, rpc: JsonRpc, contract: Address, *, by_hash: bool = True) -> None:
        self.rpc = rpc
        self.contract = contract
        self._by_hash = by_hash

    @property
    def name(self) -> str:
        return self.rpc.name

    def chain_id(self) -> ChainId:
        return ChainId(self._number("eth_chainId"))

    def code_hash(self, at: PublicBlockHash | None = None) -> Digest:
        return keccak256(self.code(self.contract, at))

    def code(self, address: Address, at: PublicBlockHash | None = None) -> bytes:
        """The code at an address. More than the port asks."""
        where: Json = "latest" if at is None else {"blockHash": data_json(at), "requireCanonical": True}
        return self.rpc.octets("eth_getCode", self.rpc.ask("eth_getCode", data_json(address), where))

    def latest(self) -> PublicBlock:
        return self._block("eth_getBlockByNumber", "latest")

    def finalized(self) -> PublicBlock:
        return self._block("eth_getBlockByNumber", "finalized")

    def safe(self) -> PublicBlock:
        """The newest one it calls safe. More than the port asks."""
        return self._block("eth_getBlockByNumber", "safe")

    def block(self, number: PublicBlockNumber) -> PublicBlock:
        block = self._block("eth_getBlockByNumber", hex(number))
        if block.number != number:
            raise self.rpc.malformed(call="eth_getBlockByNumber", rule="the number asked for")
        return block

    def base_fee(self, at: PublicBlock) -> Wei:
        members = self._members("eth_getBlockByHash", data_json(at.hash))
        return Wei(self.rpc.quantity("eth_getBlockByHash", members.get("baseFeePerGas"), MAX_FEE))

    def head(self, log: LogId, at: PublicBlock) -> Head:
        try:
            return decode_head(self.ask(self.contract, head_calldata(log), at))
        except Malformed:
            raise self.rpc.malformed(call="eth_call", rule="head(bytes32) of the registry") from None

    def brake(self, log: LogId, at: PublicBlock) -> BrakeState:
        """Guardian, bounds and the next nonce of a log. More than the port asks."""
        try:
            return decode_brake(self.ask(self.contract, view_calldata(BRAKE, log), at))
        except Malformed:
            raise self.rpc.malformed(call="eth_call", rule="brake(bytes32) of the registry") from None

    def successor(self, log: LogId, at: PublicBlock) -> LogId:
        """The log that goes on after this one; zeros while it has not ended. More than the port asks."""
        answer = self.ask(self.contract, view_calldata(SUCCESSOR, log), at)
        if len(answer) != 32:
            raise self.rpc.malformed(call="eth_call", rule="successor(bytes32) of the registry")
        return LogId(answer)

    def ask(self, to: Address, data: bytes, at: PublicBlock) -> bytes:
        """The answer of a call that changes nothing; an empty `to` runs the data as creation code."""
        call: dict[str, Json] = {"data": data_json(data)}
        if to:
            call["to"] = data_json(to)
        return self.rpc.octets("eth_call", self.rpc.ask("eth_call", call, self._at(at)))

    def nonce(self, address: Address, at: PublicBlock) -> Nonce:
        return Nonce(self._number("eth_getTransactionCount", data_json(address), self._at(at)))

    def balance(self, address: Address, at: PublicBlock) -> Wei:
        answer = self.rpc.ask("eth_getBalance", data_json(address), self._at(at))
        return Wei(self.rpc.quantity("eth_getBalance", answer, WORD))

    def account_code(self, address: Address, at: PublicBlock) -> bytes:
        return self.rpc.octets("eth_getCode", self.rpc.ask("eth_getCode", data_json(address), self._at(at)))

    def anchored(self, log: LogId, first: PublicBlockNumber, last: PublicBlockNumber) -> Sequence[AnchoredEvent]:
        blocks: dict[bytes, PublicBlock] = {}
        events: list[AnchoredEvent] = []
        for start in range(first, last + 1, LOG_SPAN):
            end = min(start + LOG_SPAN - 1, last)
            wanted: Json = {
                "address": data_json(self.contract),
                "topics": [data_json(ANCHORED), data_json(log)],
                "fromBlock": hex(start),
                "toBlock": hex(end),
            }
            answer = self.rpc.items("eth_getLogs", self.rpc.ask("eth_getLogs", wanted))
            found = {str(self.rpc.members("eth_getLogs", entry).get("blockHash")) for entry in answer}
            if len(found) > end - start + 1:  # each costs a question
                raise self.rpc.malformed(call="eth_getLogs", rule="no more public blocks than the range has")
            events += (self._event(log, entry, blocks) for entry in answer)
        if any(not first <= event.block.number <= last for event in events):
            raise self.rpc.malformed(call="eth_getLogs", rule="logs of the range asked for")
        return sorted(events, key=lambda event: (event.block.number, event.log_index))

    def simulate(self, sender: Address, data: bytes, at: PublicBlock) -> Gas:
        return self.estimate(sender, self.contract, data, at)

    def estimate(self, sender: Address, to: Address, data: bytes, at: PublicBlock) -> Gas:
        """`simulate` for any address; an empty `to` creates a contract. More than the port asks."""
        call: dict[str, Json] = {"from": data_json(sender), "data": data_json(data)}
        if to:
            call["to"] = data_json(to)
        try:
            answer = self.rpc.ask_raw("eth_estimateGas", call, self._at(at))
        except RpcError as error:
            if error.code == REVERTED or error.data:
                raise revert_error(self.name, error.data) from None
            raise self.rpc.judged(call="eth_estimateGas", error=error) from None
        return Gas(self.rpc.quantity("eth_estimateGas", answer))

    def broadcast(self, raw: RawTransaction) -> SendAnswer:
        method = "eth_sendRawTransaction"
        try:
            answer = self.rpc.ask_raw(method, data_json(raw))
            return SendAnswer(None, "", TxHash(self.rpc.octets(method, answer, 32)))
        except RpcError as error:
            return SendAnswer(error.code, shortened(error.message)[:MAX_MESSAGE], None)
        except AnswerMalformed:  # the bytes were taken, perhaps
            raise Unreachable(endpoint=self.name, call=method) from None

    def receipt_status(self, tx: TxHash) -> Included | None:
        receipt = self.receipt(tx)
        if receipt is None:
            return None
        # NotYet if it does not have that public block: reorganised away between the two answers, or a lie. "It stands
        # nowhere" it has not said, and a nonce that is used without a transaction of ours is a stranger's.
        block = self._block("eth_getBlockByHash", data_json(receipt.block_hash))
        return Included(block, receipt.succeeded, receipt.gas_used, receipt.price)

    def receipt(self, tx: TxHash) -> Receipt | None:
        """The endpoint's receipt of a transaction; None while it stands nowhere. More than the port asks."""
        method = "eth_getTransactionReceipt"
        answer = self.rpc.ask(method, data_json(tx))
        if answer is None:
            return None
        members = self.rpc.members(method, answer)
        if self.rpc.octets(method, members.get("transactionHash"), 32) != tx:
            raise self.rpc.malformed(method, "the transaction asked for")
        logs = [self.rpc.members(method, log) for log in self.rpc.items(method, members.get("logs"))]
        price = members.get("effectiveGasPrice")
        return Receipt(
            block_number=PublicBlockNumber(self.rpc.quantity(method, members.get("blockNumber"))),
            block_hash=PublicBlockHash(self.rpc.octets(method, members.get("blockHash"), 32)),
            tx_index=self.rpc.quantity(method, members.get("transactionIndex")),
            succeeded=self.rpc.quantity(method, members.get("status"), most=1) == 1,
            gas_used=Gas(self.rpc.quantity(method, members.get("gasUsed"))),
            price=Wei(self.rpc.quantity(method, price, MAX_FEE)) if price else None,
            log_indexes=tuple(self.rpc.quantity(method, log.get("logIndex")) for log in logs),
        )

    # ── parts ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _number(self, method: str, *params: Json) -> int:
        return self.rpc.quantity(method, self.rpc.ask(method, *params))

    def _at(self, block: PublicBlock) -> Json:
        if self._by_hash:
            return {"blockHash": data_json(block.hash), "requireCanonical": True}
        return hex(block.number)

    def _members(self, method: str, which: str) -> dict[str, Json]:
        answer = self.rpc.ask(method, which, False)  # noqa: FBT003 JSON-RPC: no whole transactions
        if answer is None:
            raise NotYet(what=f"public block {which} at {self.name}")
        members = dict(self.rpc.members(method, answer))
        if method == "eth_getBlockByHash" and str(members.get("hash")).lower() != which:
            raise self.rpc.malformed(call=method, rule="the public block asked for")
        return members

    def _block(self, method: str, which: str) -> PublicBlock:
        members = self._members(method, which)
        return PublicBlock(
            number=PublicBlockNumber(self.rpc.quantity(method, members.get("number"))),
            hash=PublicBlockHash(self.rpc.octets(method, members.get("hash"), 32)),
            parent=PublicBlockHash(self.rpc.octets(method, members.get("parentHash"), 32)),
            time=UnixSeconds(self.rpc.quantity(method, members.get("timestamp"))),
        )

    def _event(self, log: LogId, entry: Json, blocks: dict[bytes, PublicBlock]) -> AnchoredEvent:
        method, rpc = "eth_getLogs", self.rpc
        members = rpc.members(method, entry)
        topics = [rpc.octets(method, topic, 32) for topic in rpc.items(method, members.get("topics"))]
        data = rpc.octets(method, members.get("data"), 128)
        is_ours = rpc.octets(method, members.get("address")) == self.contract
        if not is_ours or len(topics) != 3 or topics[:2] != [ANCHORED, log] or members.get("removed"):
            raise rpc.malformed(method, "the logs asked for")
        block_hash = rpc.octets(method, members.get("blockHash"), 32)
        if block_hash not in blocks:
            blocks[block_hash] = self._block("eth_getBlockByHash", data_json(block_hash))
        words = [int.from_bytes(data[at : at + 32], "big") for at in range(32, 128, 32)]
        if max(*words[:2], int.from_bytes(topics[2], "big")) > MAX_U64 or words[2] >= 1 << 64:
            raise rpc.malformed(method, "the words of an Anchored event")
        return AnchoredEvent(
            log_id=log,
            tree_size=TreeSize(int.from_bytes(topics[2], "big")),
            root=Digest(data[:32]),
            timestamp=UnixSeconds(words[0]),
            set_id=SetId(words[1]),
            signers=words[2],
            block=blocks[block_hash],
            tx_hash=TxHash(rpc.octets(method, members.get("transactionHash"), 32)),
            log_index=rpc.quantity(method, members.get("logIndex")),
        )


if TYPE_CHECKING:
    _conforms: type[PublicChain] = Web3Chain  # mypy compares the two, method by method
