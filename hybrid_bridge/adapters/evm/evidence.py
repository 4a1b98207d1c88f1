"""Anchor evidence from a live endpoint: header, receipt, trie path, descendants (SPEC §13).

The endpoint is not believed: headers must hash to the public block hash, receipts must give `receiptsRoot`, and what
is returned has passed `core.anchor.verify_evm_anchor`. It is made of standard calls; `debug_getRawHeader` is asked
only when a header has items that this version does not know.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from trie.hexary import HexaryTrie

from hybrid_bridge.adapters.evm.chain import Web3Chain
from hybrid_bridge.adapters.evm.rpc import WORD, JsonRpc, data_json
from hybrid_bridge.core.anchor import MAX_DESCENDANTS, EvmAnchor, decode_header, verify_evm_anchor
from hybrid_bridge.core.attestation import Checkpoint
from hybrid_bridge.core.encoding import ZERO, Json
from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.core.rlp import Rlp, encode_rlp, uint_bytes
from hybrid_bridge.errors import EndpointRefused, FieldMismatch, Missing, NotYet, TooLong
from hybrid_bridge.ports import AnchoredEvent
from hybrid_bridge.units import PublicBlockHash, PublicBlockNumber

MAX_RECEIPTS: Final = 20_000  # of one public block: 420 million gas in the cheapest transactions there are
HEADER: Final = (  # members of a block answer in the order of the header, and whether each is a number
    ("parentHash", False), ("sha3Uncles", False), ("miner", False), ("stateRoot", False), ("transactionsRoot", False),
    ("receiptsRoot", False), ("logsBloom", False), ("difficulty", True), ("number", True), ("gasLimit", True),
    ("gasUsed", True), ("timestamp", True), ("extraData", False), ("mixHash", False), ("nonce", False),
    ("baseFeePerGas", True), ("withdrawalsRoot", False), ("blobGasUsed", True), ("excessBlobGas", True),
    ("parentBeaconBlockRoot", False), ("requestsHash", False),
)  # fmt: skip


def anchor_evidence(chain: Web3Chain, event: AnchoredEvent, up_to: PublicBlockNumber | None = None) -> EvmAnchor:
    """The proof that this event stands on the public chain.

    Args:
        chain: the endpoint that is asked.
        event: one of its `anchored` answers.
        up_to: number of the public block whose hash the verifier will trust; None for the event's own.

    Raises:
        NotYet: the event no longer stands there, or `up_to` lies ahead.
        TooLong: more than 256 public blocks lie between.
        FieldMismatch: headers or receipts do not lead to the hashes the endpoint itself gave.
        Unreachable, AnswerMalformed: see `JsonRpc`.
    """
    receipt = chain.receipt(event.tx_hash)
    if receipt is None or receipt.block_hash != event.block.hash or event.log_index not in receipt.log_indexes:
        raise NotYet(what="the event in the public block it was seen in")
    header = header_bytes(chain.rpc, event.block.hash)
    receipts = block_receipts(chain.rpc, event.block.hash)
    if receipt.tx_index >= len(receipts):
        raise chain.rpc.malformed(call="eth_getTransactionReceipt", rule="an index within the public block")
    anchor = EvmAnchor(
        tree_size=event.tree_size,
        chain_id=chain.chain_id(),
        contract=chain.contract,
        header=header,
        tx_index=receipt.tx_index,
        receipt=receipts[receipt.tx_index],
        proof=receipt_proof(receipts, receipt.tx_index, decode_header(header).receipts_root),
        log_index=receipt.log_indexes.index(event.log_index),
        descendants=_descendants(chain, event.block.number, up_to),
    )
    verify_evm_anchor(anchor, _checkpoint(event))
    return anchor


def _checkpoint(event: AnchoredEvent) -> Checkpoint:
    return Checkpoint(
        log_id=event.log_id,
        tree_size=event.tree_size,
        root=event.root,
        timestamp=event.timestamp,
        set_id=event.set_id,
        set_hash=ZERO,  # not in the event, and not needed for it
    )


def _descendants(chain: Web3Chain, number: PublicBlockNumber, up_to: PublicBlockNumber | None) -> tuple[bytes, ...]:
    count = 0 if up_to is None else up_to - number
    if count < 0:
        raise NotYet(what="a trusted public block at or after the event's")
    if count > MAX_DESCENDANTS:
        raise TooLong(field="anchor.descendants", limit=MAX_DESCENDANTS, got=count)
    numbers = (PublicBlockNumber(n) for n in range(number + 1, number + 1 + count))
    return tuple(header_bytes(chain.rpc, chain.block(n).hash) for n in numbers)


# ── headers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def header_bytes(rpc: JsonRpc, block_hash: PublicBlockHash) -> bytes:
    """RLP of the header of that hash.

    Raises:
        NotYet: the endpoint does not have it.
        Missing: it has items this version does not know and the endpoint offers no raw header.
        FieldMismatch: the raw header has another hash.
    """
    answer = rpc.ask("eth_getBlockByHash", data_json(block_hash), False)  # noqa: FBT003 JSON-RPC: no whole transactions
    if answer is None:
        raise NotYet(what=f"public block {block_hash.hex()} at {rpc.name}")
    made = header_from_json(rpc, rpc.members("eth_getBlockByHash", answer))
    if bytes(keccak256(made)) == block_hash:
        return made
    try:
        raw = rpc.octets("debug_getRawHeader", rpc.ask("debug_getRawHeader", data_json(block_hash)))
    except EndpointRefused:
        raise Missing(what="an endpoint with debug_getRawHeader, for headers of this public chain") from None
    if (calculated := bytes(keccak256(raw))) != block_hash:
        raise FieldMismatch(field="header", expected=block_hash.hex(), got=calculated.hex())
    return raw


def header_from_json(rpc: JsonRpc, members: Mapping[str, Json]) -> bytes:
    """RLP of the header's members that this version knows, up to the first that is absent."""
    items: list[Rlp] = []
    for name, is_number in HEADER:
        if name not in members:
            break
        value = members[name]
        items.append(uint_bytes(rpc.quantity("header", value, WORD)) if is_number else rpc.octets("header", value))
    return encode_rlp(items)


# ── receipts ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def block_receipts(rpc: JsonRpc, block_hash: PublicBlockHash) -> list[bytes]:
    """The encoded receipts of a public block in order: by one call, or one by one where there is no such call.

    Raises:
        NotYet: the endpoint does not have that public block.
    """
    method = "eth_getBlockReceipts"
    try:
        answer = rpc.items(method, rpc.ask(method, data_json(block_hash)))
    except EndpointRefused:
        block = rpc.ask("eth_getBlockByHash", data_json(block_hash), False)  # noqa: FBT003 JSON-RPC
        hashes = rpc.items("eth_getBlockByHash", rpc.members("eth_getBlockByHash", block).get("transactions"))
        answer = [rpc.ask("eth_getTransactionReceipt", tx_hash) for tx_hash in hashes[: MAX_RECEIPTS + 1]]
    if len(answer) > MAX_RECEIPTS:
        raise rpc.malformed(method, f"at most {MAX_RECEIPTS} receipts")
    return [receipt_from_json(rpc, rpc.members(method, receipt)) for receipt in answer]


def receipt_from_json(rpc: JsonRpc, members: Mapping[str, Json]) -> bytes:
    """A receipt as it stands in the trie, with its EIP-2718 type byte."""
    method = "receipt"
    logs: list[Rlp] = []
    for entry in rpc.items(method, members.get("logs")):
        log = rpc.members(method, entry)
        topics: list[Rlp] = [rpc.octets(method, topic, 32) for topic in rpc.items(method, log.get("topics"))]
        logs.append([rpc.octets(method, log.get("address"), 20), topics, rpc.octets(method, log.get("data"))])
    body = encode_rlp(
        [
            uint_bytes(rpc.quantity(method, members.get("status"))),
            uint_bytes(rpc.quantity(method, members.get("cumulativeGasUsed"))),
            rpc.octets(method, members.get("logsBloom"), 256),
            logs,
        ]
    )
    kind = rpc.quantity(method, members.get("type", "0x0"))
    if kind > 0x7F:
        raise rpc.malformed(call=method, rule="a type below 0x80 (EIP-2718)")
    return bytes([kind]) + body if kind else body


def receipt_proof(receipts: Sequence[bytes], index: int, root: bytes) -> tuple[bytes, ...]:
    """The trie nodes from `root` to receipt `index`.

    Raises:
        FieldMismatch: these receipts do not give that root.
    """
    trie: Any = HexaryTrie({})
    for at, receipt in enumerate(receipts):
        trie[encode_rlp(uint_bytes(at))] = receipt
    if trie.root_hash != root:
        raise FieldMismatch(field="header.receiptsRoot", expected=root.hex(), got=trie.root_hash.hex())
    nodes = [encode_rlp(node) for node in trie.get_proof(encode_rlp(uint_bytes(index)))]
    return (nodes[0], *(node for node in nodes[1:] if len(node) >= 32))  # shorter ones stand in their parent
