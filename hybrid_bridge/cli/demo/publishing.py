"""Act 2: a public chain runs, the contract is deployed, the log registered, two operators start their relayers."""

import os
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass, fields
from io import StringIO
from pathlib import Path
from typing import Final

from hybrid_bridge.adapters.evm.artefact import REGISTRY
from hybrid_bridge.adapters.evm.deployments import deployed
from hybrid_bridge.adapters.evm.keystore import create_keystore
from hybrid_bridge.adapters.evm.rpc import WORD, JsonRpc
from hybrid_bridge.cli.contract import command as contract_command
from hybrid_bridge.cli.demo.cast import RELAYERS
from hybrid_bridge.cli.demo.founding import ORIGIN, Founded, Play
from hybrid_bridge.cli.demo.relaying import ChainFacts, relayer_settings
from hybrid_bridge.cli.demo.stage import free_ports, hybrid_bridge, hybrid_relayer, read_json
from hybrid_bridge.core.encoding import Json
from hybrid_bridge.errors import EndpointRefused, Missing
from hybrid_bridge.units import Address, ChainId

PUBLIC_PERIOD: Final = 1  # seconds between public blocks
FINALITY_DEPTH: Final = 2  # public blocks; a real chain has its own
MONEY: Final = 10  # ether of nothing for each gas key
STATE_FILE: Final = "chain.jsonl"
STANDSTILL: Final = 15.0  # seconds after which a public chain without a new block will not make one
GAS_KEYS: Final = ("deployer", *RELAYERS)
SELF_MOVING: Final = (
    "a public chain that makes blocks by itself: `anvil --block-time 1 --slots-in-an-epoch 1`, "
    "`geth --dev --dev.period 1 --http`"
)


@dataclass(frozen=True, slots=True)
class GasKey:
    """A keystore of the demo."""

    keystore: Path
    password: Path
    address: Address

    @property
    def paying(self) -> tuple[str, ...]:
        """The options of `hybrid-bridge contract`."""
        return "--key", str(self.keystore), "--password-file", str(self.password)


def publish(founded: Founded, rpc: str | None) -> Play:
    """Public chain, contract, registration, relayers."""
    narrator, folder = founded.narrator, founded.out / "public-chain"
    narrator.chapter("A public chain, its contract, and two relayers")
    folder.mkdir()
    with ThreadPoolExecutor() as pool:  # a keystore's scrypt takes half a second and frees the interpreter
        keys = dict(zip(GAS_KEYS, pool.map(lambda name: _gas_key(folder, name), GAS_KEYS), strict=True))
    url = _embedded(founded, folder, keys) if rpc is None else _outside(founded, rpc, keys)
    contract = _deploy(founded, url, keys["deployer"])
    _start_relayers(founded, url, contract, keys)
    _register(founded, url, contract, keys["deployer"])
    narrator.good(
        "the log is registered: the contract itself checked that the log id is the hash of the genesis record"
    )
    narrator.good("two relayers of different operators watch members and chain: either may anchor, neither can forge")
    here = {field.name: getattr(founded, field.name) for field in fields(founded)}
    return Play(**here, url=url, contract=contract, relayers={keys[name].address: name for name in RELAYERS})


def _gas_key(folder: Path, name: str) -> GasKey:
    password = folder / f"{name}.password"
    handle = os.open(password, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        secret = secrets.token_hex(16)
        file.write(secret + "\n")
    keystore = folder / f"{name}.keystore.json"
    return GasKey(keystore, password, create_keystore(keystore, secret, secrets.token_bytes))


# ── the public chain ─────────────────────────────────────────────────────────────────────────────────────────────────


def _embedded(founded: Founded, folder: Path, keys: Mapping[str, GasKey]) -> str:
    """The embedded chain; killed and started again it is the same one, on the same port."""
    (port,) = free_ports(1)
    ready = folder / "ready.json"
    founded.stage.start(
        "public-chain",
        hybrid_bridge(
            "devnet",
            f"--port={port}",
            f"--period={PUBLIC_PERIOD}",
            f"--finality-depth={FINALITY_DEPTH}",
            f"--state-file={folder / STATE_FILE}",
            f"--ready-file={ready}",
            *(f"--fund=0x{key.address.hex()}={MONEY}" for key in keys.values()),
        ),
    )
    url = str(founded.stage.until("the public chain", lambda: read_json(ready))["url"])
    founded.narrator.good(
        f"an embedded chain with a real EVM at {url}: a public block every second, final {FINALITY_DEPTH} blocks later"
    )
    return url


def require_chain(url: str) -> str:
    """The name of the program behind an endpoint.

    Raises:
        Undecided: it does not answer.
    """
    return str(JsonRpc("public chain", url).ask("web3_clientVersion"))


def _outside(founded: Founded, url: str, keys: Mapping[str, GasKey]) -> str:
    """Somebody else's test chain: see that it moves, take money from an account that it holds.

    Raises:
        Missing: it stands still, or holds no account.
    """
    rpc = JsonRpc("public chain", url)
    accounts = rpc.items("eth_accounts", rpc.ask("eth_accounts"))
    if not accounts:
        raise Missing(what="an account that the node at --rpc signs for, as anvil and geth --dev have")
    first = rpc.quantity("eth_blockNumber", rpc.ask("eth_blockNumber"))
    for key in keys.values():
        value = hex(MONEY * 10**18)
        rpc.ask("eth_sendTransaction", {"from": accounts[0], "to": "0x" + key.address.hex(), "value": value})
    _set_in_motion(rpc, first + len(keys))
    _wait(lambda: all(_balance(rpc, key.address) for key in keys.values()), "the gas keys' money")
    founded.narrator.good(f"{require_chain(url)} at --rpc is the public chain")
    return url


def _set_in_motion(rpc: JsonRpc, at_least: int) -> None:
    """More public blocks than transactions: it moves by itself. An anvil that does not is asked to.

    Raises:
        Missing: it stands still.
    """

    def moves() -> bool:
        return rpc.quantity("eth_blockNumber", rpc.ask("eth_blockNumber")) > at_least

    try:
        _wait(moves, SELF_MOVING, STANDSTILL / 3)
    except Missing:
        with suppress(EndpointRefused):
            rpc.ask("evm_setIntervalMining", PUBLIC_PERIOD)
        _wait(moves, SELF_MOVING)


def _wait(condition: Callable[[], bool], what: str, seconds: float = STANDSTILL) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Missing(what=what)
        time.sleep(0.2)


def _balance(rpc: JsonRpc, address: Address) -> int:
    return rpc.quantity("eth_getBalance", rpc.ask("eth_getBalance", "0x" + address.hex(), "latest"), WORD)


# ── the contract ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _run_contract(founded: Founded, what: str, *arguments: str) -> None:
    """`hybrid-bridge contract …` as a user would type it, in this process; again while it is undecided: twice is once.

    Raises:
        BridgeError: as the command.
    """

    def run() -> bool:
        with redirect_stdout(StringIO()):
            contract_command.main(args=[*arguments, "--yes", "--json"], prog_name="contract", standalone_mode=False)
        return True

    founded.stage.until(what, run)


def _deploy(founded: Founded, url: str, key: GasKey) -> Address:
    file = founded.out / "public-chain" / "deployments.json"
    _run_contract(founded, "the contract", "deploy", "--rpc", url, *key.paying, "--out", str(file))
    contract = deployed(file, _facts(founded, url)[0], REGISTRY).address
    founded.narrator.good(f"AnchorRegistry stands at 0x{contract.hex()}, byte for byte the committed artefact")
    return contract


def _register(founded: Founded, url: str, contract: Address, key: GasKey) -> None:
    public = founded.consortium / "public"
    where = ("--rpc", url, "--contract", "0x" + contract.hex())
    record = ("--genesis", str(public / "genesis.bin"), "--origin", ORIGIN, "--entries", str(public / "entries.bin"))
    _run_contract(founded, "the registration", "register", *where, *key.paying, *record)


def _facts(founded: Founded, url: str) -> tuple[ChainId, str]:
    """Chain id, and the hash of public block 0."""
    rpc = JsonRpc("public chain", url)

    def ask() -> tuple[int, Mapping[str, Json]]:
        chain_id = rpc.quantity("eth_chainId", rpc.ask("eth_chainId"))
        return chain_id, rpc.members("eth_getBlockByNumber", rpc.ask("eth_getBlockByNumber", "0x0", False))

    chain_id, first = founded.stage.until("the public chain", ask)
    return ChainId(chain_id), str(first["hash"])


# ── the relayers ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _start_relayers(founded: Founded, url: str, contract: Address, keys: Mapping[str, GasKey]) -> None:
    chain_id, genesis_hash = _facts(founded, url)
    operators: Sequence[Address] = [keys[name].address for name in RELAYERS]
    for name in RELAYERS:
        folder = founded.out / "relayers" / name
        folder.mkdir(parents=True)
        key = keys[name]
        facts = ChainFacts(
            url=url,
            chain_id=chain_id,
            genesis_hash=genesis_hash,
            contract=contract,
            keystore=key.keystore,
            password=key.password,
            signer=key.address,
            operators=operators,
        )
        settings = folder / "relayer.toml"
        settings.write_text(relayer_settings(founded, name, facts), "utf-8")
        founded.stage.start(name, hybrid_relayer("run", "--init", "-c", str(settings)))
