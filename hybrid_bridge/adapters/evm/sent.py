"""What an account has sent, as endpoints show it: bytes rebuilt from an answer's fields, and believed by their hash.

Nodes keep no list of an account's transactions. Three places show some: the hash, if it is known; whole public blocks;
the pool, of nodes that let others look into it. Only transactions of type 2 are rebuilt: a gas key signs no other.
"""

from collections.abc import Mapping
from typing import Final

from hybrid_bridge.adapters.evm.rpc import MAX_FEE, WORD, JsonRpc, data_json
from hybrid_bridge.core.encoding import Json
from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.core.public_transaction import PublicTransaction, decode_signed, encode_signed
from hybrid_bridge.errors import BridgeError, EndpointRefused, NotYet
from hybrid_bridge.units import (
    Address,
    ChainId,
    EcdsaSignature,
    Gas,
    LogId,
    Nonce,
    PublicBlockNumber,
    RawTransaction,
    TxHash,
    Wei,
)

TYPE_2: Final = "0x2"
MAX_POOLED: Final = 1_000  # of one account: pools keep some dozens
MAX_SET_UPDATES: Final = 1_000  # of one stretch of public blocks
VALIDATOR_SET: Final = keccak256(b"ValidatorSet(bytes32,uint64,bytes32,uint64,bytes)")
LOGS: Final = "eth_getLogs"
MAX_BY_NONCE: Final = 64  # each costs a question
BY_NONCE: Final = "eth_getTransactionBySenderAndNonce"
BY_HASH, BY_NUMBER, POOL = "eth_getTransactionByHash", "eth_getBlockByNumber", "txpool_contentFrom"


class SentTransactions:
    """One endpoint's view of what accounts have sent.

    Trust: it may hide transactions; it can invent none, for every byte is under its sender's signature.
    Errors: as `JsonRpc`.
    """

    def __init__(self, rpc: JsonRpc) -> None:
        self._rpc = rpc

    @property
    def name(self) -> str:
        """The endpoint's name in the settings."""
        return self._rpc.name

    def by_hash(self, tx: TxHash) -> RawTransaction | None:
        """The bytes with this hash; None where it is unknown, or of another type."""
        answer = self._rpc.ask(BY_HASH, data_json(tx))
        raw = None if answer is None else self._rebuilt(BY_HASH, answer)
        if raw is not None and decode_signed(raw).hash != tx:
            raise self._rpc.malformed(BY_HASH, "the transaction asked for")
        return raw

    def in_block(self, number: PublicBlockNumber, sender: Address) -> list[RawTransaction]:
        """All of this account in one public block."""
        answer = self._rpc.ask(BY_NUMBER, hex(number), True)  # noqa: FBT003 JSON-RPC: whole transactions
        if answer is None:
            raise NotYet(what=f"public block {number} at {self.name}")
        entries = self._rpc.items(BY_NUMBER, self._rpc.members(BY_NUMBER, answer).get("transactions"))
        return [raw for entry in entries if (raw := self._from(BY_NUMBER, entry, sender)) is not None]

    def pooled(self, sender: Address) -> list[RawTransaction]:
        """All of this account in the pool; none where the endpoint shows its pool to nobody.

        geth and its kin have a question for an account, anvil and reth one for a nonce.
        """
        try:
            answer = self._rpc.members(POOL, self._rpc.ask(POOL, data_json(sender)))
        except EndpointRefused:
            return self._by_nonce(sender)
        entries: list[Json] = []
        for kind in ("pending", "queued"):
            entries += self._rpc.members(POOL, answer.get(kind, {})).values()
        if len(entries) > MAX_POOLED:
            raise self._rpc.malformed(POOL, f"at most {MAX_POOLED} transactions of one account")
        return [raw for entry in entries if (raw := self._from(POOL, entry, sender)) is not None]

    def set_updates(
        self, contract: Address, log: LogId, first: PublicBlockNumber, last: PublicBlockNumber
    ) -> list[TxHash]:
        """The transactions, anybody's, in which a contract told of a new validator set of this log. A hint."""
        wanted: Json = {
            "address": data_json(contract),
            "topics": [data_json(VALIDATOR_SET), data_json(log)],
            "fromBlock": hex(first),
            "toBlock": hex(last),
        }
        entries = self._rpc.items(LOGS, self._rpc.ask(LOGS, wanted))
        if len(entries) > MAX_SET_UPDATES:
            raise self._rpc.malformed(LOGS, f"at most {MAX_SET_UPDATES} validator sets of one log")
        members = (self._rpc.members(LOGS, entry) for entry in entries)
        return [TxHash(self._rpc.octets(LOGS, one.get("transactionHash"), 32)) for one in members]

    def nonce_with_pool(self, sender: Address) -> Nonce:
        """The nonce after everything the endpoint knows of, the pool included. A hint: decides nothing."""
        return self._nonce(sender, "pending")

    # ── parts ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _nonce(self, sender: Address, at: str) -> Nonce:
        method = "eth_getTransactionCount"
        return Nonce(self._rpc.quantity(method, self._rpc.ask(method, data_json(sender), at)))

    def _by_nonce(self, sender: Address) -> list[RawTransaction]:
        first = self._nonce(sender, "latest")
        last = min(self.nonce_with_pool(sender), first + MAX_BY_NONCE)
        try:
            answers = [self._rpc.ask(BY_NONCE, data_json(sender), hex(nonce)) for nonce in range(first, last)]
        except EndpointRefused:
            return []
        entries = (answer for answer in answers if answer is not None)
        return [raw for entry in entries if (raw := self._from(BY_NONCE, entry, sender)) is not None]

    def _from(self, method: str, entry: Json, sender: Address) -> RawTransaction | None:
        """The bytes, if the entry says that this account sent them, and they say so too."""
        members = self._rpc.members(method, entry)
        if str(members.get("from")).lower() != data_json(sender):
            return None
        raw = self._rebuilt(method, entry)
        if raw is not None and decode_signed(raw).sender != sender:
            raise self._rpc.malformed(method, "a transaction of the account it names")
        return raw

    def _rebuilt(self, method: str, entry: Json) -> RawTransaction | None:
        """The envelope of these fields, which must have the hash that stands beside them."""
        members = self._rpc.members(method, entry)
        if members.get("type") != TYPE_2 or members.get("accessList") not in ([], None) or members.get("to") is None:
            return None
        try:
            raw = encode_signed(self._fields(method, members), self._signature(method, members))
            found = decode_signed(raw).hash
        except BridgeError:
            raise self._rpc.malformed(method, "a signed transaction") from None
        if found != self._rpc.octets(method, members.get("hash"), 32):
            raise self._rpc.malformed(method, "the fields of the transaction it names")
        return raw

    def _fields(self, method: str, members: Mapping[str, Json]) -> PublicTransaction:
        rpc = self._rpc
        return PublicTransaction(
            chain_id=ChainId(rpc.quantity(method, members.get("chainId"))),
            nonce=Nonce(rpc.quantity(method, members.get("nonce"))),
            to=Address(rpc.octets(method, members.get("to"), 20)),
            value=Wei(rpc.quantity(method, members.get("value"), WORD)),
            data=rpc.octets(method, members.get("input")),
            gas=Gas(rpc.quantity(method, members.get("gas"))),
            max_fee=Wei(rpc.quantity(method, members.get("maxFeePerGas"), MAX_FEE)),
            tip=Wei(rpc.quantity(method, members.get("maxPriorityFeePerGas"), MAX_FEE)),
        )

    def _signature(self, method: str, members: Mapping[str, Json]) -> EcdsaSignature:
        r, s = (self._rpc.quantity(method, members.get(name), WORD).to_bytes(32, "big") for name in ("r", "s"))
        parity = self._rpc.quantity(method, members.get("yParity", members.get("v")))
        return EcdsaSignature(r + s + bytes([27 + parity % 2]))
