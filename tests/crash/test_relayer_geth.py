"""What geth itself says, beside anvil: pool rules (the strict proxy must say the same) and state proofs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from hybrid_bridge.adapters.evm.proven_chain import ProvenChain
from hybrid_bridge.adapters.evm.rpc import JsonRpc, data_json
from hybrid_bridge.core.state_proof import proven_account
from hybrid_bridge.errors import FieldMismatch, StateForgotten
from hybrid_bridge.ports import SendAnswer, UnsignedTransaction
from hybrid_bridge.testing.hostile_endpoint import HostileEndpoint, Refusal
from hybrid_bridge.testing.memory_chain import GWEI
from hybrid_bridge.testing.memory_members import MemorySigner
from hybrid_bridge.units import Address, PublicBlockNumber
from tests import engines
from tests.crash.relay_world import ETHER

pytestmark = [pytest.mark.evm, pytest.mark.engine]
FUNDS = ETHER // 2
UNDERPRICED = "replacement transaction underpriced"


@dataclass
class Node:
    """A node with a funded key of ours; a gap below each nonce keeps what we offer in the pool."""

    url: str
    signer: MemorySigner

    def __post_init__(self) -> None:
        self.chain = ProvenChain(JsonRpc("node", self.url), Address(bytes(20)))
        self._nonce = 100

    def fresh_nonce(self) -> int:
        self._nonce += 2
        return self._nonce

    def offer(self, nonce: int, max_fee: float, tip: float, gas: int = 21_000) -> SendAnswer:
        """Fees in gwei."""
        unsigned = UnsignedTransaction(
            chain_id=self.chain.chain_id(),
            nonce=nonce,
            to=self.signer.address(),
            value=0,
            data=b"",
            gas=gas,
            max_fee=round(max_fee * GWEI),
            tip=round(tip * GWEI),
        )
        return self.chain.broadcast(self.signer.sign(unsigned))


@pytest.fixture(scope="module")
def geth(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    signer = MemorySigner("a key on geth")
    child, url = engines.start_geth(tmp_path_factory.mktemp("geth"), period=0)
    gift = {"from": engines.rpc(url, "eth_accounts")[0], "to": data_json(signer.address()), "value": hex(FUNDS)}
    sent = engines.rpc(url, "eth_sendTransaction", gift)
    child.until(lambda: engines.rpc(url, "eth_getTransactionReceipt", sent), "funded")
    yield Node(url, signer)
    child.stop()


@pytest.fixture(scope="module")
def anvil(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    signer = MemorySigner("a key on anvil")
    child, url = engines.start_anvil(tmp_path_factory.mktemp("anvil"), "--no-mining")
    engines.rpc(url, "anvil_setBalance", data_json(signer.address()), hex(ETHER))
    yield Node(url, signer)
    child.stop()


@pytest.fixture(scope="module")
def strict(anvil: Node) -> Iterator[Node]:
    """anvil behind the strict proxy."""
    signer = MemorySigner("a key on strict anvil")
    engines.rpc(anvil.url, "anvil_setBalance", data_json(signer.address()), hex(ETHER))
    with HostileEndpoint(anvil.url, strict=True) as proxy:
        yield Node(proxy.url, signer)


@pytest.fixture(params=["geth", "strict"])
def node(request: pytest.FixtureRequest) -> Node:
    found: Node = request.getfixturevalue(request.param)
    return found


@pytest.mark.parametrize(
    ("max_fee", "tip", "is_taken"),
    [(10.99, 1.099, False), (11, 1, False), (10, 1.1, False), (11, 1.1, True), (11.25, 1.125, True)],
    ids=["+9.9 %", "max fee alone", "tip alone", "+10 % on both", "ours: +12.5 %"],
)
def test_a_replacement_is_taken_from_ten_percent_more_on_both_fields(
    node: Node, max_fee: float, tip: float, *, is_taken: bool
) -> None:
    """case 9: geth, and anvil behind the strict proxy, answer alike."""
    nonce = node.fresh_nonce()
    assert node.offer(nonce, 10, 1).tx_hash is not None
    answer = node.offer(nonce, max_fee, tip)
    assert ((answer.tx_hash is not None), answer.message) == (is_taken, "" if is_taken else UNDERPRICED)


def test_anvil_alone_takes_what_geth_refuses(anvil: Node) -> None:
    """RELAYER §6: never the only judge. Where anvil learns these rules, the strict proxy may go."""
    nonce = anvil.fresh_nonce()
    assert anvil.offer(nonce, 10, 1).tx_hash is not None
    assert anvil.offer(nonce, 10.99, 1.099).tx_hash is not None
    assert anvil.offer(nonce, 12, 1.099).tx_hash is not None
    assert anvil.offer(anvil.fresh_nonce(), 10, 1, gas=(1 << 24) + 1).tx_hash is not None


def test_a_transaction_above_the_gas_cap_is_refused(node: Node) -> None:
    """EIP-7825, which anvil alone does not enforce."""
    answer = node.offer(node.fresh_nonce(), 10, 1, gas=(1 << 24) + 1)
    assert (answer.tx_hash, answer.code) == (None, -32000)
    assert "gas limit too high" in answer.message


def test_what_costs_more_than_the_balance_is_refused_with_words_and_not_kept(geth: Node) -> None:
    """case 23: the pool's answer is recorded; S7 never lets ours get there."""
    answer = geth.offer(geth.fresh_nonce(), 40_000, 1)
    assert (answer.tx_hash, answer.code) == (None, -32000)
    assert "insufficient funds" in answer.message


def state_of(node: Node) -> tuple[Any, list[bytes]]:
    """The newest public block, and the nodes of our account's proof."""
    at = node.chain.latest()
    answer = engines.rpc(node.url, "eth_getProof", data_json(node.signer.address()), [], hex(at.number))
    return at, [bytes.fromhex(one[2:]) for one in answer["accountProof"]]


def test_every_flipped_byte_of_a_real_proof_is_refuted(geth: Node) -> None:
    at, good = state_of(geth)
    root = bytes.fromhex(engines.rpc(geth.url, "eth_getBlockByHash", data_json(at.hash), False)["stateRoot"][2:])
    assert proven_account(root, geth.signer.address(), good).balance == geth.chain.balance(geth.signer.address(), at)
    for place, node in enumerate(good):
        for byte in range(len(node)):
            changed = node[:byte] + bytes([node[byte] ^ 0x40]) + node[byte + 1 :]
            with pytest.raises(FieldMismatch):
                proven_account(root, geth.signer.address(), [*good[:place], changed, *good[place + 1 :]])


def test_geth_proves_presence_absence_and_empty_storage(geth: Node) -> None:
    at, _ = state_of(geth)
    chain, stranger = geth.chain, Address(b"\x98" * 20)
    assert chain.balance(geth.signer.address(), at) == FUNDS
    assert (chain.nonce(stranger, at), chain.balance(stranger, at), chain.account_code(stranger, at)) == (0, 0, b"")
    assert chain.head(bytes(32), at).state == "unknown"
    assert JsonRpc("x", geth.url).ask("eth_chainId") == hex(chain.chain_id())


@pytest.mark.parametrize(
    "words",
    [
        "historical state 0x11…22 is not available",
        "missing trie node 0x11 (path ) state 0x22 is not available",
        "distance to target block exceeds maximum proof window",
    ],
)
def test_a_node_that_keeps_no_proofs_for_an_old_state_has_forgotten_and_not_lied(
    geth: Node, words: str, refusing: Callable[[str], ProvenChain]
) -> None:
    at = geth.chain.block(PublicBlockNumber(0))
    with pytest.raises(StateForgotten):
        refusing(words).nonce(geth.signer.address(), at)


@pytest.fixture
def refusing(geth: Node) -> Iterator[Callable[[str], ProvenChain]]:
    with HostileEndpoint(geth.url) as proxy:

        def of(words: str) -> ProvenChain:
            def refuse(*_: Any) -> Any:
                raise Refusal(message=words)

            proxy.lie("eth_getProof", refuse)
            return ProvenChain(JsonRpc("forgetful", proxy.url), Address(bytes(20)))

        yield of
