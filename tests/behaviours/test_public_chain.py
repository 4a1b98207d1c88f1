"""One suite of the public chain port: the fake in memory, the devnet, anvil, geth."""

import time
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass

import pytest

from hybrid_bridge.adapters.evm.artefact import REGISTRY, artefact
from hybrid_bridge.adapters.evm.calls import anchor_calldata, rotate_calldata
from hybrid_bridge.adapters.evm.chain import Web3Chain
from hybrid_bridge.adapters.evm.deploy import deploy, plan_deployment, register
from hybrid_bridge.adapters.evm.evidence import anchor_evidence
from hybrid_bridge.adapters.evm.keystore_signer import KeystoreTransactionSigner
from hybrid_bridge.adapters.evm.proven_chain import ProvenChain
from hybrid_bridge.adapters.evm.rpc import JsonRpc
from hybrid_bridge.adapters.evm.transact import Patience
from hybrid_bridge.core.anchor import verify_evm_anchor
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.errors import NotYet
from hybrid_bridge.ports import PublicChain, Rotation, TransactionSigner, Update
from hybrid_bridge.testing.memory_chain import MemoryChain, MemoryNetwork
from hybrid_bridge.testing.memory_contract import MemoryLog
from hybrid_bridge.testing.memory_members import MemorySigner
from hybrid_bridge.testing.public_chain_behaviour import (
    PublicChainBehaviour,
    PublicChainWorld,
    RegistrableLog,
)
from hybrid_bridge.units import Address, ChainId, PublicBlockNumber, TreeSize, UnixSeconds, Wei
from tests import engines

ETHER = 10**18


@dataclass
class EvmWorld:
    """A real EVM behind JSON-RPC. `mines` is the method that makes a public block; None: its clock does."""

    url: str
    mines: str | None
    signer: TransactionSigner

    def __post_init__(self) -> None:
        self.rpc = JsonRpc("under test", self.url)
        deployed = deploy(
            self.rpc, plan_deployment(self.rpc, artefact(REGISTRY), self.signer.address()), self.signer, self.patience
        )
        self.contract = deployed.address
        self.chain: PublicChain = Web3Chain(self.rpc, self.contract)

    @property
    def patience(self) -> Patience:
        return Patience(polls=40, every=0.0, sleep=lambda _: self.wait())

    def calldata(self, update: Update | Rotation) -> bytes:
        return anchor_calldata(update) if isinstance(update, Update) else rotate_calldata(update)

    def register(self, log: RegistrableLog) -> None:
        entries = log.validators.encode_entries()
        register(Web3Chain(self.rpc, self.contract), self.signer, (log.genesis, log.origin, entries), self.patience)

    def wait(self) -> None:
        if self.mines:
            self.rpc.ask(self.mines)
            return
        before = engines.rpc(self.url, "eth_blockNumber")
        while engines.rpc(self.url, "eth_blockNumber") == before:
            time.sleep(0.05)


class EvmBehaviour(PublicChainBehaviour):
    """What only a real EVM can show."""

    @pytest.mark.parametrize("descendants", [0, 3])
    def test_an_anchor_proves_itself_offline(self, world: EvmWorld, log: RegistrableLog, descendants: int) -> None:
        block = self.anchored(world, log.update(1, 9))
        for _ in range(descendants):
            world.wait()
        (event,) = world.chain.anchored(log.log_id, block.number, block.number)
        chain = Web3Chain(world.rpc, world.contract)
        anchor = anchor_evidence(chain, event, PublicBlockNumber(block.number + descendants))
        facts = verify_evm_anchor(anchor, log.checkpoint(TreeSize(9)))
        assert (facts.block_hash, facts.block_number, facts.block_time) == (block.hash, block.number, block.time)
        assert facts.last_hash == world.chain.block(PublicBlockNumber(block.number + descendants)).hash
        assert (facts.signers, anchor.chain_id) == (0b0111, world.chain.chain_id())

    def test_evidence_up_to_a_public_block_ahead_is_not_yet_there(self, world: EvmWorld, log: RegistrableLog) -> None:
        block = self.anchored(world, log.update(1, 2))
        (event,) = world.chain.anchored(log.log_id, block.number, block.number)
        with pytest.raises(NotYet):
            anchor_evidence(Web3Chain(world.rpc, world.contract), event, PublicBlockNumber(block.number + 250))

    def test_the_code_is_the_committed_one(self, world: EvmWorld) -> None:
        assert world.chain.code_hash() == artefact(REGISTRY).runtime_code_hash


@pytest.fixture(scope="module")
def gas_key() -> KeystoreTransactionSigner:
    return KeystoreTransactionSigner(sha256(b"a gas key for tests"))


class MemoryWorld:
    def __init__(self) -> None:
        self.contract = Address(b"\xcc" * 20)
        self.network = MemoryNetwork(ChainId(31337), self.contract, UnixSeconds(1_800_000_000))
        self.chain: PublicChain = MemoryChain(self.network)
        self.signer: TransactionSigner = MemorySigner("gas")
        self.network.fund(self.signer.address(), Wei(10 * ETHER))
        self.wait()

    def calldata(self, update: Update | Rotation) -> bytes:
        return anchor_calldata(update) if isinstance(update, Update) else rotate_calldata(update)

    def register(self, log: RegistrableLog) -> None:
        registered = MemoryLog.registered(log.log_id, log.validators, log.genesis_time, log.cadence)
        self.network.put_log(log.log_id, registered)
        self.wait()

    def wait(self) -> None:
        self.network.mine()


@pytest.fixture(scope="module")
def devnet_world(tmp_path_factory: pytest.TempPathFactory, gas_key: KeystoreTransactionSigner) -> Iterator[EvmWorld]:
    folder = tmp_path_factory.mktemp("devnet")
    child, url = engines.start_devnet(folder, "--period", "0", "--fund", f"{gas_key.address().hex()}=10")
    yield EvmWorld(url, "evm_mine", gas_key)
    assert child.stop() == 0


@pytest.fixture(scope="module")
def anvil_world(tmp_path_factory: pytest.TempPathFactory, gas_key: KeystoreTransactionSigner) -> Iterator[EvmWorld]:
    child, url = engines.start_anvil(tmp_path_factory.mktemp("anvil"), "--no-mining")
    engines.rpc(url, "anvil_setBalance", "0x" + gas_key.address().hex(), hex(10 * ETHER))
    yield EvmWorld(url, "evm_mine", gas_key)
    child.stop()


@pytest.fixture(scope="module")
def geth_world(tmp_path_factory: pytest.TempPathFactory, gas_key: KeystoreTransactionSigner) -> Iterator[EvmWorld]:
    child, url = engines.start_geth(tmp_path_factory.mktemp("geth"))
    rich = engines.rpc(url, "eth_accounts")[0]
    gift = {"from": rich, "to": "0x" + gas_key.address().hex(), "value": hex(10 * ETHER)}
    sent = engines.rpc(url, "eth_sendTransaction", gift)
    child.until(lambda: engines.rpc(url, "eth_getTransactionReceipt", sent), "funded")
    yield EvmWorld(url, None, gas_key)
    child.stop()


class TestMemoryChain(PublicChainBehaviour):
    @pytest.fixture
    def world(self) -> PublicChainWorld:
        return MemoryWorld()


@pytest.mark.evm
class TestDevnet(EvmBehaviour):
    @pytest.fixture
    def world(self, devnet_world: EvmWorld) -> EvmWorld:
        return devnet_world


@pytest.mark.evm
@pytest.mark.engine
class TestAnvil(EvmBehaviour):
    @pytest.fixture
    def world(self, anvil_world: EvmWorld) -> EvmWorld:
        return anvil_world


@pytest.mark.evm
@pytest.mark.engine
class TestProvenAnvil(EvmBehaviour):
    """The same chain, its states believed by their proofs alone."""

    @pytest.fixture
    def world(self, anvil_world: EvmWorld) -> EvmWorld:
        world = copy(anvil_world)
        world.chain = ProvenChain(world.rpc, world.contract)
        world.wait()  # what anvil was told beside its chain, its newest header does not prove
        return world


@pytest.mark.evm
@pytest.mark.engine
@pytest.mark.slow
class TestGeth(EvmBehaviour):
    @pytest.fixture
    def world(self, geth_world: EvmWorld) -> EvmWorld:
        return geth_world
