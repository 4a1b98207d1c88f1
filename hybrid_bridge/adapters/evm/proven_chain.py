"""`Web3Chain` whose decisive reads are proven: head, nonce, balance and code by Merkle-Patricia proofs (EIP-1186).

Each is checked against the state root in the header that hashes to the public block asked for. So endpoints that
collude cannot forge a state, only a header, whose hash a quorum must agree on (RELAYER §4.2).
"""

from collections.abc import Sequence
from typing import Final

from hybrid_bridge.adapters.evm.calls import head_of_words, head_slots
from hybrid_bridge.adapters.evm.chain import Web3Chain
from hybrid_bridge.adapters.evm.evidence import HEADER, header_bytes, header_from_json
from hybrid_bridge.adapters.evm.rpc import JsonRpc, data_json
from hybrid_bridge.core.anchor import decode_header
from hybrid_bridge.core.encoding import Json
from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.core.state_proof import Account, proven_account, proven_word
from hybrid_bridge.errors import FieldMismatch, Malformed, Missing
from hybrid_bridge.ports import Head, PublicBlock
from hybrid_bridge.units import Address, Digest, LogId, Nonce, PublicBlockHash, Wei

METHOD: Final = "eth_getProof"
BODY: Final = ("hash", "size", "transactions", "uncles", "withdrawals", "totalDifficulty")  # beside the header's items
KNOWN: Final = {name for name, _ in HEADER}.union(BODY)
MAX_ROOTS: Final = 16  # of headers already hashed; a tick asks of two


class ProvenChain(Web3Chain):
    """`head`, `nonce`, `balance` and `account_code` raise `FieldMismatch` where the proof says otherwise.

    Whatever the endpoint says beside its proofs is not read.
    """

    def __init__(self, rpc: JsonRpc, contract: Address) -> None:
        super().__init__(rpc, contract)
        self._roots: dict[PublicBlockHash, Digest] = {}

    def head(self, log: LogId, at: PublicBlock) -> Head:
        slots = head_slots(log)
        _, (meta, root) = self._proven(self.contract, slots, at)
        return head_of_words(meta, root, at.time)

    def nonce(self, address: Address, at: PublicBlock) -> Nonce:
        return self._proven(address, (), at)[0].nonce

    def balance(self, address: Address, at: PublicBlock) -> Wei:
        return self._proven(address, (), at)[0].balance

    def account_code(self, address: Address, at: PublicBlock) -> bytes:
        code = super().account_code(address, at)
        proven = self._proven(address, (), at)[0].code_hash
        if keccak256(code) != proven:
            raise FieldMismatch(field="account.codeHash", expected=proven.hex(), got=keccak256(code).hex())
        return code

    # ── parts ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _proven(self, address: Address, slots: Sequence[int], at: PublicBlock) -> tuple[Account, list[int]]:
        state_root = self._state_root(at)
        wanted: list[Json] = [f"0x{slot:064x}" for slot in slots]
        answer = self.rpc.members(METHOD, self.rpc.ask(METHOD, data_json(address), wanted, self._at(at)))
        storage = self.rpc.items(METHOD, answer.get("storageProof"))
        if len(storage) != len(slots):
            raise self.rpc.malformed(METHOD, "a proof for each slot")
        try:
            account = proven_account(state_root, address, self._nodes(answer.get("accountProof")))
            proofs = [self._nodes(self.rpc.members(METHOD, one).get("proof")) for one in storage]
            words = [proven_word(account.storage_root, s, p) for s, p in zip(slots, proofs, strict=True)]
        except Malformed as error:
            raise self.rpc.malformed(METHOD, f"proofs of a state trie: {type(error).__name__}") from None
        return account, words

    def _nodes(self, value: Json) -> list[bytes]:
        return [self.rpc.octets(METHOD, node) for node in self.rpc.items(METHOD, value)]

    def _state_root(self, at: PublicBlock) -> Digest:
        """Of the header with that hash, which must have the coordinates that were agreed on too."""
        if at.hash not in self._roots:
            header = decode_header(self._header(at.hash))
            found = PublicBlock(header.number, header.hash, header.parent, header.time)
            if found != at:
                raise FieldMismatch(field="header", expected=str(at.number), got=str(found.number))
            while len(self._roots) >= MAX_ROOTS:
                del self._roots[next(iter(self._roots))]
            self._roots[at.hash] = header.state_root
        return self._roots[at.hash]

    def _header(self, block_hash: PublicBlockHash) -> bytes:
        """RLP of the header. One whose items are all known and that hashes to something else is forged."""
        try:
            return header_bytes(self.rpc, block_hash)
        except Missing:
            answer = self.rpc.ask("eth_getBlockByHash", data_json(block_hash), False)  # noqa: FBT003 JSON-RPC
            members = self.rpc.members("eth_getBlockByHash", answer)
            if not members.keys() <= KNOWN:
                raise
            made = keccak256(header_from_json(self.rpc, members))
            raise FieldMismatch(field="header", expected=block_hash.hex(), got=made.hex()) from None
