"""A public chain with a real EVM beside a network of nodes: the contract deployed, the log registered, one relayer."""

import json
import secrets
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

from hybrid_bridge.adapters.evm.artefact import REGISTRY
from hybrid_bridge.adapters.evm.deployments import deployed
from hybrid_bridge.adapters.evm.keystore import create_keystore
from hybrid_bridge.adapters.evm.rpc import JsonRpc
from hybrid_bridge.cli.demo.relaying import ChainFacts, relayer_settings
from hybrid_bridge.cli.demo.stage import free_ports
from hybrid_bridge.core.anchor import EvmAnchor, decode_header
from hybrid_bridge.core.bundle import decode_bundle
from hybrid_bridge.core.trust import Trust, TrustedBlock, TrustedChain, TrustedLog
from hybrid_bridge.units import Address, ChainId
from tests.e2e.network import Network, read_json, until
from tests.engines import rpc_of


@dataclass
class PublicChain:
    """Where it is, and what an outsider relies on."""

    network: Network
    url: str
    chain_id: int
    contract: Address

    @property
    def asked(self) -> tuple[str, ...]:
        """The options that name it."""
        return "--rpc", self.url, "--contract", "0x" + self.contract.hex()

    def trust(self, bundle: Path, *required: str) -> Trust:
        """A stranger's own file: the log, the contract, and the hash of the one public block, from his own source."""
        blocks = []
        for anchor in decode_bundle(bundle.read_bytes()).anchors:
            assert isinstance(anchor, EvmAnchor)
            number = decode_header((anchor.descendants or (anchor.header,))[-1]).number
            found = JsonRpc("own", self.url).ask("eth_getBlockByNumber", hex(number), False)
            assert isinstance(found, dict)
            blocks.append(TrustedBlock(number=number, hash=bytes.fromhex(str(found["hash"])[2:])))
        chain = TrustedChain(chain_id=self.chain_id, contracts=(self.contract,), block_hashes=tuple(blocks))
        logs = (TrustedLog(log_id=self.network.directory.log_id),)
        return Trust(logs=logs, public_chains=(chain,), require=required or ("integrity", "quorum", "public anchor"))


def start_public_chain(network: Network) -> PublicChain:
    """Everything up to a relayer that anchors."""
    folder = network.root / "public-chain"
    folder.mkdir()
    keystore, password, ready = folder / "gas.json", folder / "gas.password", folder / "ready.json"
    secret = secrets.token_hex(16)
    password.touch(mode=0o600)
    password.write_text(secret + "\n")
    payer = create_keystore(keystore, secret, secrets.token_bytes)
    (port,) = free_ports(1)
    fund, state = f"--fund=0x{payer.hex()}=10", f"--state-file={folder / 'chain.jsonl'}"
    options = ("--period=1", "--finality-depth=2", f"--port={port}", f"--ready-file={ready}", fund, state)
    start(network, "devnet", "hybrid_bridge", "devnet", *options)
    url = str(until("the public chain", lambda: read_json(ready) if ready.exists() else None)["url"])  # type: ignore[index]
    rpc = rpc_of(url)
    chain_id = until("its id", lambda: rpc.quantity("eth_chainId", rpc.ask("eth_chainId")))
    paying = ("--key", str(keystore), "--password-file", str(password), "--yes", "--json")
    until("blocks", lambda: rpc.quantity("eth_blockNumber", rpc.ask("eth_blockNumber")) > 1)
    contract_run("deploy", "--rpc", url, *paying, "--out", str(folder / "deployments.json"))
    contract = deployed(folder / "deployments.json", ChainId(chain_id), REGISTRY).address
    public = network.root / "public"
    record = ("--genesis", str(public / "genesis.bin"), "--origin", network.directory.origin)
    where = ("--rpc", url, "--contract", "0x" + contract.hex(), "--entries", str(public / "entries.bin"))
    contract_run("register", *where, *record, *paying)
    first = rpc.ask("eth_getBlockByNumber", "0x0", False)
    assert isinstance(first, dict)
    facts = ChainFacts(
        url=url,
        chain_id=ChainId(chain_id),
        genesis_hash=str(first["hash"]),
        contract=contract,
        keystore=keystore,
        password=password,
        signer=payer,
        operators=[payer],
    )
    (network.root / "relayer").mkdir()
    settings = network.root / "relayer" / "relayer.toml"
    founded = SimpleNamespace(consortium=network.root, directory=network.directory)
    settings.write_text(relayer_settings(founded, "north", facts))  # type: ignore[arg-type]
    start(network, "relayer", "relayers", "run", "--init", "-c", str(settings))
    return PublicChain(network, url, chain_id, contract)


def start(network: Network, name: str, module: str, *arguments: str) -> None:
    """A process that ends with the network."""
    with (network.root / f"{name}.out").open("ab") as output:
        command = [sys.executable, "-m", module, *arguments]
        network.running[name] = subprocess.Popen(command, stdout=output, stderr=output, cwd=Path.cwd())


def contract_run(*arguments: str) -> None:
    """`hybrid-bridge contract …`, again while it is undecided."""
    command = [sys.executable, "-m", "hybrid_bridge", "contract", *arguments]
    for _ in range(20):
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        if done.returncode != 3:
            break
        time.sleep(0.5)
    assert done.returncode == 0, done.stderr + done.stdout


def typed(*arguments: str, timeout: float = 300) -> subprocess.CompletedProcess[str]:
    """`hybrid-bridge` as a user types it."""
    command = [sys.executable, "-m", "hybrid_bridge", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=timeout)


def told(done: subprocess.CompletedProcess[str]) -> dict[str, object]:
    """What a command said to machines."""
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found
