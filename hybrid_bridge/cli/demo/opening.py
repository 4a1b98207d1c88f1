"""Act 1: a consortium is founded, a public chain runs, the contract is deployed, two operators start their relayers."""

import os
import secrets
import subprocess
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Final

from hybrid_bridge.adapters.evm.artefact import REGISTRY
from hybrid_bridge.adapters.evm.deployments import deployed
from hybrid_bridge.adapters.evm.keystore import create_keystore
from hybrid_bridge.adapters.evm.rpc import JsonRpc
from hybrid_bridge.cli.contract import command as contract_command
from hybrid_bridge.cli.demo.cast import NODES, RELAYERS, founders
from hybrid_bridge.cli.demo.stage import Stage, free_ports, hybrid_bridge, hybrid_relayer, read_json
from hybrid_bridge.cli.demo.telling import Narrator
from hybrid_bridge.errors import Missing, NotYet, TransactionRefused
from hybrid_bridge.node.directory import Directory, read_directory
from hybrid_bridge.node.founding import Plan, found
from hybrid_bridge.node.laying import lay
from hybrid_bridge.units import Address, ChainId, Seconds, UnixSeconds

ORIGIN: Final = "demo.example/receivables"
PUBLIC_PERIOD: Final = 1  # seconds between public blocks
FINALITY_DEPTH: Final = 2  # public blocks; a real chain has its own
HEAD_START: Final = 4  # seconds until epoch 1 begins: nodes need them to start
GRACE: Final = Seconds(60)
MONEY: Final = 10**19  # wei for each gas key: ten ether of nothing
PATIENCE: Final = 60.0
GAS_KEYS: Final = ("deployer", *RELAYERS)


@dataclass(frozen=True, slots=True)
class Play:
    """Everything the later acts need to know."""

    out: Path
    narrator: Narrator
    stage: Stage
    files: Mapping[str, bytes]  # of the data set
    cadence: Seconds
    url: str
    contract: Address
    directory: Directory
    endpoints: Mapping[str, str]

    @property
    def consortium(self) -> Path:
        """The members' folders."""
        return self.out / "consortium"


@dataclass(frozen=True, slots=True)
class GasKey:
    """A keystore of the demo."""

    keystore: Path
    password: Path
    address: Address


def open_play(
    out: Path, narrator: Narrator, stage: Stage, files: Mapping[str, bytes], cadence: Seconds, rpc: str | None
) -> Play:
    """Found, start, deploy, register, relay."""
    narrator.chapter(1, "A consortium is founded; the public chain and its contract are there")
    endpoints = dict(zip(NODES, (f"127.0.0.1:{port}" for port in free_ports(len(NODES))), strict=True))
    directory = _found(out / "consortium", files, endpoints, cadence)
    for node in NODES:
        stage.start(node, hybrid_bridge("node", "run", "--dir", str(out / "consortium" / "nodes" / node)))
    for member in directory.members:
        narrator.say(f"{member.name:<10} {member.legal_name}, {member.legal_id} ({', '.join(member.roles)})")
    narrator.good(
        f"5 processes with their own keys and databases, gRPC under mutual TLS; log {directory.log_id.hex()[:16]}…"
    )
    with ThreadPoolExecutor() as pool:  # a keystore's scrypt takes half a second and frees the interpreter
        made = pool.map(lambda name: _gas_key(out / "public-chain", name), GAS_KEYS)
        keys = dict(zip(GAS_KEYS, made, strict=True))
    url = _public_chain(out, stage, keys) if rpc is None else rpc
    if rpc is not None:
        _fund(JsonRpc("public chain", url), [key.address for key in keys.values()])
    contract = _deploy(out, narrator, stage, url, keys["deployer"])
    _register(out, url, contract, keys["deployer"])
    narrator.good("the log is registered: the contract checked that the log id is the hash of the genesis record")
    _start_relayers(out, stage, url, contract, keys, directory)
    narrator.good(
        "two relayers of different operators watch members and public chain; either may anchor, none can forge"
    )
    return Play(out, narrator, stage, files, cadence, url, contract, directory, endpoints)


# ── the public chain ─────────────────────────────────────────────────────────────────────────────────────────────────


def _gas_key(folder: Path, name: str) -> GasKey:
    folder.mkdir(parents=True, exist_ok=True)
    password = folder / f"{name}.password"
    handle = os.open(password, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        secret = secrets.token_hex(16)
        file.write(secret + "\n")
    keystore = folder / f"{name}.keystore.json"
    return GasKey(keystore, password, create_keystore(keystore, secret, secrets.token_bytes))


def _public_chain(out: Path, stage: Stage, keys: Mapping[str, GasKey]) -> str:
    (port,) = free_ports(1)
    ready = out / "public-chain" / "ready.json"
    funds = [f"--fund=0x{key.address.hex()}=10" for key in keys.values()]
    stage.start(
        "public-chain",
        hybrid_bridge(
            "devnet",
            f"--port={port}",
            f"--period={PUBLIC_PERIOD}",
            f"--finality-depth={FINALITY_DEPTH}",
            f"--ready-file={ready}",
            *funds,
        ),
    )
    return str(stage.until("the public chain", lambda: read_json(ready))["url"])


def _fund(rpc: JsonRpc, addresses: Sequence[Address]) -> None:
    """Money from an account that the endpoint itself holds, as anvil and geth --dev do."""
    accounts = rpc.items("eth_accounts", rpc.ask("eth_accounts"))
    if not accounts:
        raise Missing(what=f"an unlocked account at --rpc, or money at {', '.join('0x' + a.hex() for a in addresses)}")
    for address in addresses:
        rpc.ask("eth_sendTransaction", {"from": accounts[0], "to": "0x" + address.hex(), "value": hex(MONEY)})
    deadline = time.monotonic() + PATIENCE
    while any(
        rpc.quantity("eth_getBalance", rpc.ask("eth_getBalance", "0x" + a.hex(), "latest")) == 0 for a in addresses
    ):
        if time.monotonic() > deadline:
            raise NotYet(what="the gas keys' money")
        time.sleep(0.2)


def _chain_id(rpc: JsonRpc) -> ChainId:
    return ChainId(rpc.quantity("eth_chainId", rpc.ask("eth_chainId")))


def run_contract(*arguments: str) -> None:
    """`hybrid-bridge contract …`, as a user would type it, without a process of its own.

    Raises:
        BridgeError: as the command.
    """
    with redirect_stdout(StringIO()):
        contract_command.main(args=[*arguments, "--yes", "--json"], prog_name="contract", standalone_mode=False)


def _deploy(out: Path, narrator: Narrator, stage: Stage, url: str, key: GasKey) -> Address:
    deployments = out / "public-chain" / "deployments.json"

    def deploy() -> bool:
        run_contract("deploy", "--rpc", url, *_paying(key), "--out", str(deployments))
        return True

    stage.until("the contract", deploy)
    contract = deployed(deployments, _chain_id(JsonRpc("public chain", url)), REGISTRY).address
    narrator.good(f"AnchorRegistry deployed at 0x{contract.hex()}; its code is the committed artefact's, byte for byte")
    return contract


def _paying(key: GasKey) -> tuple[str, ...]:
    return "--key", str(key.keystore), "--password-file", str(key.password)


def _register(out: Path, url: str, contract: Address, key: GasKey) -> None:
    public = out / "consortium" / "public"
    where = ("--rpc", url, "--contract", "0x" + contract.hex())
    record = ("--genesis", str(public / "genesis.bin"), "--origin", ORIGIN, "--entries", str(public / "entries.bin"))
    run_contract("register", *where, *_paying(key), *record)


# ── the consortium ───────────────────────────────────────────────────────────────────────────────────────────────────


def _found(folder: Path, files: Mapping[str, bytes], endpoints: Mapping[str, str], cadence: Seconds) -> Directory:
    now = int(time.time())
    plan = Plan(
        origin=ORIGIN,
        genesis_time=UnixSeconds(now + HEAD_START),
        cadence=cadence,
        founders=founders(files, endpoints),
        relayers=RELAYERS,
        grace=GRACE,
    )
    lay(found(plan, secrets.token_bytes, UnixSeconds(now)), folder)
    return read_directory(folder / "nodes" / "core")


# ── the relayers ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _start_relayers(
    out: Path, stage: Stage, url: str, contract: Address, keys: Mapping[str, GasKey], directory: Directory
) -> None:
    rpc = JsonRpc("public chain", url)
    chain_id = _chain_id(rpc)
    first = rpc.ask("eth_getBlockByNumber", "0x0", False)
    genesis_hash = first["hash"] if isinstance(first, dict) else ""
    for name in RELAYERS:
        folder = out / "relayers" / name
        folder.mkdir(parents=True)
        settings = folder / "relayer.toml"
        settings.write_text(
            _relayer_toml(
                out,
                name,
                {"url": url, "chain_id": chain_id, "genesis_hash": genesis_hash, "contract": "0x" + contract.hex()},
                keys,
                directory,
            )
        )
        done = subprocess.run(hybrid_relayer("init", "-c", str(settings)), capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode != 0:
            raise TransactionRefused(endpoint="hybrid-relayer init", reason=(done.stdout + done.stderr)[-1500:])
        stage.start(name, hybrid_relayer("run", "-c", str(settings)))


def _relayer_toml(
    out: Path, name: str, chain: Mapping[str, object], keys: Mapping[str, GasKey], directory: Directory
) -> str:
    consortium, client = (out / "consortium").resolve(), (out / "consortium" / "clients" / name).resolve()
    key = keys[name]
    members = "\n".join(
        f'{member.name} = "{member.endpoint}"' for member in directory.members if "validator" in member.roles
    )
    operators = ", ".join(f'"0x{keys[relayer].address.hex()}"' for relayer in RELAYERS)
    return f"""\
journal = "sqlite:///journal.db"
tick_seconds = 1

[log]
id = "0x{directory.log_id.hex()}"
genesis = "{consortium}/public/genesis.bin"
anchor_every = 1
delay_seconds = 1
sets = [{{ id = 1, from_size = 1, entries = "{consortium}/public/entries.bin" }}]
tls = {{ ca = "{client}/ca.pem", certificate = "{client}/tls.pem", key = "file:{client}/tls.key" }}

[log.members]
{members}

[[chain]]
name = "public chain"
chain_id = {chain["chain_id"]}
genesis_hash = "{chain["genesis_hash"]}"
contract = "{chain["contract"]}"
first_block = 0
finality = "finalized"
rpc_quorum = 1
endpoints = {{ only = "{chain["url"]}" }}
signer = "keystore:{key.keystore.resolve()}?password=file:{key.password.resolve()}"
signer_address = "0x{key.address.hex()}"
fees = {{ max_fee_gwei = 200, tip = "1 gwei", max_cost_per_anchor = "0.1 ether", daily_budget = "5 ether" }}
turns = {{ operators = [{operators}], grace_blocks = 2 }}
"""
