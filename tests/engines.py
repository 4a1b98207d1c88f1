"""The pinned engines, free ports, child processes: for tests that need a program of their own.

An engine that is not there skips the test and prints the command that brings it; with HYBRID_BRIDGE_REQUIRE_ENGINES=1 the
same is a failure. A child is ended by its pid, by whoever started it.
"""

import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pg8000.dbapi
import pkcs11
import pytest
import requests
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass
from pkcs11.util.ec import encode_named_curve_parameters

from hybrid_bridge.adapters.evm.rpc import JsonRpc
from hybrid_bridge.cli.demo.stage import free_ports
from hybrid_bridge.custody.passphrases import FromFile
from hybrid_bridge.units import Seconds
from relayers.journal_place import PostgresPlace

ROOT = Path(__file__).parents[1]
CACHE = Path(os.environ.get("HYBRID_BRIDGE_CACHE", "~/.cache/hybrid-bridge")).expanduser()
PINS = dict(
    line.split(" #")[0].split("=", 1)
    for line in (ROOT / "infra" / "versions.env").read_text().splitlines()
    if "=" in line and not line.startswith("#")
)
LAYOUT = {
    "anvil": ("ANVIL", "anvil"),
    "cometbft": ("COMETBFT", "cometbft"),
    "forge": ("FORGE", "forge"),
    "geth-clique": ("GETH_CLIQUE", "geth"),
    "geth-dev": ("GETH_DEV", "geth"),
    "promtool": ("PROMTOOL", "promtool"),
    "tlog-reader": ("TLOG_READER", "tlog-reader"),
}


def engine(name: str) -> Path:
    """The pinned program; without it the calling test is skipped, or fails where engines are required."""
    path = place(name)
    if not path.exists():
        absent(name, PINS[LAYOUT[name][0]])
    return path


def place(name: str) -> Path:
    """Where the pinned program is, or would be."""
    pin, program = LAYOUT[name]
    return CACHE / "bin" / f"{name}-{PINS[pin]}" / program


def absent(name: str, pin: str) -> NoReturn:
    """Skip the calling test with the command that brings the engine, or fail where engines are required."""
    words = f"{name} {pin} is not there. Run: ./infra/install.sh {name}"
    if os.environ.get("HYBRID_BRIDGE_REQUIRE_ENGINES") == "1":
        pytest.fail(words, pytrace=False)
    pytest.skip(words)


class Child:
    """A server process with its log."""

    def __init__(self, command: Sequence[str | Path], log: Path) -> None:
        self.log = log
        with log.open("ab") as out:
            self.process = subprocess.Popen([str(part) for part in command], stdout=out, stderr=out, cwd=ROOT)

    def stop(self, sig: int = signal.SIGTERM, patience: float = 60) -> int:
        """Its exit code; killed if it does not end."""
        if self.process.poll() is None:
            self.process.send_signal(sig)
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(patience)
        return self.process.returncode

    def until(self, condition: Callable[[], Any], what: str, patience: float = 180) -> Any:
        """The first true value of `condition`. An unreachable server is `not yet`; a dead one fails at once."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            if self.process.poll() is not None:
                pytest.fail(f"{what}: ended with {self.process.returncode}\n{self.log.read_text()[-800:]}")
            try:
                if value := condition():
                    return value
            except (OSError, requests.RequestException, ValueError):
                pass
            time.sleep(0.02)
        pytest.fail(f"{what}: not within {patience} s\n{self.log.read_text()[-800:]}")
        return None


def rpc(url: str, method: str, *params: Any) -> Any:
    """One JSON-RPC call; an error answer is a ValueError."""
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(
            url, json={"jsonrpc": "2.0", "id": 1, "method": method, "params": params}, timeout=60
        ).json()
    if "error" in answer:
        raise ValueError(answer["error"])
    return answer["result"]


def devnet_command(*options: str) -> list[str]:
    """`hybrid-bridge devnet …` under this interpreter."""
    return [sys.executable, "-c", "from hybrid_bridge.cli.main import run; run()", "devnet", *options]


def start_devnet(folder: Path, *options: str) -> tuple[Child, str]:
    """`hybrid-bridge devnet` and its URL."""
    ready = folder / "ready.json"
    child = Child(devnet_command("--ready-file", str(ready), *options), folder / "devnet.log")
    line = child.until(lambda: ready.exists() and json.loads(ready.read_text()), "devnet ready")
    return child, line["url"]


def start_anvil(folder: Path, *options: str, hardfork: str = "osaka") -> tuple[Child, str]:
    """anvil with these rules on a free port, and its URL."""
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    fixed = ["--host", "127.0.0.1", "--port", str(port), "--silent", "--hardfork", hardfork, "--slots-in-an-epoch", "4"]
    child = Child([engine("anvil"), *fixed, *options], folder / "anvil.log")
    child.until(lambda: rpc(url, "web3_clientVersion"), "anvil ready")
    return child, url


def start_geth(folder: Path, period: int = 1, genesis: dict[str, Any] | None = None) -> tuple[Child, str]:
    """geth --dev with a public block every so many seconds, or (0) for each transaction, and its URL.

    With a genesis the chain is another than geth's own: other rules, other accounts. It must be merged from the start.
    """
    if genesis is not None:
        (folder / "genesis.json").write_text(json.dumps(genesis))
        made = [engine("geth-dev"), "init", "--datadir", folder / "geth", folder / "genesis.json"]
        subprocess.run(made, check=True, capture_output=True)
    port, auth = free_ports(2)
    url = f"http://127.0.0.1:{port}"
    options = [
        "--dev", "--dev.period", str(period), "--dev.gaslimit", "60000000", "--datadir", str(folder / "geth"), "--ipcdisable",
        "--nodiscover", "--port", "0", "--http", "--http.addr", "127.0.0.1", "--http.port", str(port), "--http.api",
        "eth,net,web3,debug", "--authrpc.port", str(auth), "--verbosity", "2",
    ]  # fmt: skip
    child = Child([engine("geth-dev"), *options], folder / "geth.log")
    child.until(lambda: rpc(url, "web3_clientVersion"), "geth ready")
    return child, url


def start_clique(folder: Path, rich: bytes) -> tuple[Child, str]:
    """A chain by authority, without finality, under London rules: one signer, a public block each second."""
    geth, data, password = engine("geth-clique"), folder / "clique", folder / "clique-password"
    password.write_text("secret\n")
    made = [geth, "--datadir", data, "account", "new", "--lightkdf", "--password", password]
    said = subprocess.run(made, check=True, capture_output=True, text=True).stdout
    signer = re.search("0x[0-9a-fA-F]{40}", said)
    assert signer is not None
    old = ("homestead", "eip150", "eip155", "eip158", "byzantium", "constantinople", "petersburg", "istanbul", "berlin")
    genesis = {
        "config": {
            "chainId": 77,
            "clique": {"period": 1, "epoch": 30_000},
            **{f"{name}Block": 0 for name in (*old, "london")},
        },
        "difficulty": "0x1",
        "gasLimit": hex(30_000_000),
        "extraData": "0x" + bytes(32).hex() + signer[0][2:] + bytes(65).hex(),
        "alloc": {"0x" + rich.hex(): {"balance": hex(10**19)}},
    }
    (folder / "clique.json").write_text(json.dumps(genesis))
    subprocess.run([geth, "init", "--datadir", data, folder / "clique.json"], check=True, capture_output=True)
    port, auth = free_ports(2)
    url = f"http://127.0.0.1:{port}"
    options = [
        "--datadir", data, "--networkid", "77", "--ipcdisable", "--nodiscover", "--port", "0", "--http", "--http.addr",
        "127.0.0.1", "--http.port", str(port), "--authrpc.port", str(auth), "--allow-insecure-unlock", "--unlock",
        signer[0], "--password", password, "--mine", "--miner.etherbase", signer[0], "--syncmode", "full", "--verbosity", "2",
    ]  # fmt: skip
    child = Child([geth, *options], folder / "clique.log")
    child.until(lambda: int(rpc(url, "eth_blockNumber"), 16) > 0, "clique ready")
    return child, url


# ── SoftHSM ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class SoftHsm:
    """Tokens in a folder of our own. Every one has the same PIN; keys are made in it, or brought."""

    PIN = "a PIN of the tests 7731"

    def __init__(self, module: Path) -> None:
        self.module = module

    def make_token(self, label: str) -> None:
        """Seen by libraries that are loaded after this."""
        words = ["--init-token", "--free", "--label", label, "--so-pin", "an SO PIN of the tests", "--pin", self.PIN]
        subprocess.run(["softhsm2-util", *words], check=True, capture_output=True)

    @contextmanager
    def session(self, token: str) -> Iterator[Any]:
        """Logged in, to change what is in the token."""
        found = pkcs11.lib(str(self.module)).get_token(token_label=token)
        try:
            session = found.open(rw=True, user_pin=self.PIN)
        except pkcs11.UserAlreadyLoggedIn:
            session = found.open(rw=True)
        with session:
            yield session

    def make_key(self, token: str, label: str, curve: str = "secp256k1", **more: Any) -> bytes:
        """A new key pair of which the token keeps the private part; the 65 bytes of the public one."""
        with self.session(token) as session:
            curve_of = {Attribute.EC_PARAMS: encode_named_curve_parameters(curve)}
            parameters = session.create_domain_parameters(KeyType.EC, curve_of, local=True)
            public, _ = parameters.generate_keypair(
                store=True, label=label, mechanism=Mechanism.EC_KEY_PAIR_GEN, **more
            )
            return bytes(public[Attribute.EC_POINT])[2:]  # out of its OCTET STRING

    def bring_key(self, token: str, label: str, private: bytes, **more: Any) -> None:
        """A private key that was made elsewhere."""
        values = {
            Attribute.CLASS: ObjectClass.PRIVATE_KEY,
            Attribute.KEY_TYPE: KeyType.EC,
            Attribute.TOKEN: True,
            Attribute.LABEL: label,
            Attribute.SIGN: True,
            Attribute.SENSITIVE: True,
            Attribute.EXTRACTABLE: False,
            Attribute.EC_PARAMS: encode_named_curve_parameters("secp256k1"),
            Attribute.VALUE: private,
        }
        with self.session(token) as session:
            session.create_object(values | more.get("attributes", {}))

    def drop_keys(self, token: str, label: str) -> None:
        """Both parts of a key pair."""
        with self.session(token) as session:
            for found in list(session.get_objects({Attribute.LABEL: label})):
                found.destroy()


@contextmanager
def softhsm(folder: Path, *tokens: str) -> Iterator[SoftHsm]:
    """SoftHSM with these tokens. One at a time in a process: the library reads its configuration when it is loaded."""
    where = [ROOT / "infra" / "install.sh", "--where", "softhsm"]
    found = subprocess.run(where, check=True, capture_output=True, text=True).stdout.strip()
    if not found:
        absent("softhsm", PINS["SOFTHSM"])
    (folder / "tokens").mkdir()
    config = folder / "softhsm2.conf"
    config.write_text(f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(config)
    hsm = SoftHsm(Path(found))
    try:
        for token in tokens:
            hsm.make_token(token)
        yield hsm
    finally:
        pkcs11.lib(found).finalize()
        del os.environ["SOFTHSM2_CONF"]
        if before is not None:
            os.environ["SOFTHSM2_CONF"] = before


# ── PostgreSQL ───────────────────────────────────────────────────────────────────────────────────────────────────────


class Postgresql:
    """A cluster of our own on loopback. Its superuser is `bridge`."""

    def __init__(self, programs: Path, become: Sequence[str], data: Path, password: str) -> None:
        """`become`: words before each command, which make us the user that it wants."""
        self.data, self.password, self.newest = data, password, ""
        self._programs, self._become = programs, become
        self._made = 0
        (self.port,) = free_ports(1)
        self.start()

    def start(self) -> None:
        """As it is again after `stop`."""
        settings = {"listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": self.data.parent}
        flags = [part for key, value in {**settings, "fsync": "off"}.items() for part in ("-c", f"{key}={value}")]
        command = [*self._become, self._programs / "postgres", "-D", self.data, *flags]
        self.child = Child(command, self.data.with_name(f"{self.data.name}.log"))
        self.child.until(lambda: answers(self), "PostgreSQL ready")

    def standby(self, name: str) -> "Postgresql":
        """A replica that streams from this one from now on, and can be read."""
        copy = self.data.with_name(name)
        source = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "bridge"]
        made = [*self._become, self._programs / "pg_basebackup", *source, "-D", copy, "-R", "-c", "fast", "--no-sync"]
        environment = {**os.environ, "PGPASSWORD": self.password}
        subprocess.run(made, check=True, capture_output=True, cwd=self.data.parent, env=environment)
        return Postgresql(self._programs, self._become, copy, self.password)

    def take_over(self, other: "Postgresql") -> None:
        """Become what `other`, which has stopped, was: at its port, and writing."""
        self.child.stop()
        self.port = other.port
        self.start()
        self.ask("SELECT pg_promote()")

    def stop(self) -> None:
        """At once, as a machine that loses its power; what was committed stays."""
        self.child.stop(signal.SIGQUIT)

    def url(self, database: str) -> str:
        return f"postgresql://bridge:{self.password}@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str = "postgres") -> pg8000.dbapi.Connection:
        """A connection of the superuser; each statement is a transaction."""
        connection = pg8000.dbapi.connect(
            "bridge", host="127.0.0.1", port=self.port, password=self.password, database=database, timeout=60
        )
        connection.autocommit = True
        return connection

    def ask(self, statement: str, database: str = "postgres") -> list[Any]:
        """One statement, in the cluster's own database or in this one; its rows, if it gives any."""
        connection = self.connect(database)
        try:
            cursor = connection.cursor()
            cursor.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []
        finally:
            connection.close()

    def database(self) -> str:
        """The URL of a new, empty database."""
        self._made += 1
        self.ask(f"CREATE DATABASE made_{self._made}")
        self.newest = self.url(f"made_{self._made}")
        return self.newest

    def place(self, folder: Path) -> PostgresPlace:
        """The newest database, emptied, as the place of a journal; its password lies in this folder."""
        secret = folder / "postgresql.password"
        secret.write_text(self.password + "\n")
        secret.chmod(0o600)
        name = self.newest.rpartition("/")[2]
        self.ask("DROP SCHEMA public CASCADE; CREATE SCHEMA public", name)
        return PostgresPlace(
            host="127.0.0.1",
            port=self.port,
            user="bridge",
            name=name,
            password=FromFile(secret),
            ca=None,
            folder=folder,
        )

    def cut_connections(self) -> None:
        """End every session but this one, as a restart of the server does; returns when they are gone."""
        self.ask("SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity WHERE datname LIKE 'made_%'")


@contextmanager
def postgresql() -> Iterator[Postgresql]:
    """A throw-away cluster under the system's temporary folder, run as `postgres` if we are root, whom it refuses."""
    where = [ROOT / "infra" / "install.sh", "--where", "postgresql"]
    found = Path(subprocess.run(where, check=True, capture_output=True, text=True).stdout.strip())
    if not (found / "initdb").exists():
        absent("postgresql", PINS["POSTGRESQL"])
    user = "postgres" if os.geteuid() == 0 else None
    become = ["setpriv", "--reuid", user, "--regid", user, "--clear-groups", "--"] if user else []
    folder = Path(tempfile.mkdtemp(prefix="pg"))  # a short path: that of a socket has 107 bytes at most
    cluster = None
    try:
        secret = folder / "password"
        secret.write_text(password := secrets.token_hex(16))
        secret.chmod(0o600)
        if user:
            shutil.chown(folder, user)
            shutil.chown(secret, user)
        data = folder / "data"
        options = ["-U", "bridge", "-A", "scram-sha-256", "--pwfile", secret, "--no-sync", "--locale=C", "-E", "UTF8"]
        subprocess.run([*become, found / "initdb", "-D", data, *options], check=True, capture_output=True, cwd=folder)
        cluster = Postgresql(found, become, data, password)
        yield cluster
    finally:
        if cluster is not None:
            cluster.stop()  # at once: nobody needs what is in it
        shutil.rmtree(folder)


def answers(cluster: Postgresql) -> bool:
    """Whether the server takes connections already."""
    try:
        cluster.ask("SELECT 1")
    except pg8000.dbapi.Error:
        return False
    return True


def rpc_of(url: str) -> JsonRpc:
    """Of a public chain in this very process, or beside it: a machine that stands still for seconds is not its fault."""
    return JsonRpc("devnet", url, Seconds(60))
