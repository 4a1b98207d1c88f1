"""A consortium whose order CometBFT makes: a real engine beside each real node, here or each on a host of its own."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

from hybrid_bridge.adapters.cometbft.rpc import EngineRpc
from hybrid_bridge.adapters.web.exchange import Answer, Service
from hybrid_bridge.cli.demo.stage import free_ports
from hybrid_bridge.node.engine_homes import EngineAddress
from hybrid_bridge.node.founding import Founder
from hybrid_bridge.node.settings import read_settings
from hybrid_bridge.units import Height
from tests import engines
from tests.e2e.namespaces import Lan
from tests.e2e.network import Network, found_network, plan

PORTS = (7400, 26656, 26657)  # of a node, its engine, the engine's own door, where each member has a host


@dataclass
class EngineNetwork(Network):
    """A node is started with its engine, and killed with it."""

    engines: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=count)  # of bank-a's transactions
    lan: Lan | None = None  # hosts of their own

    def on_host(self, name: str, command: list[str]) -> list[str]:
        return command if self.lan is None else self.lan.command(name, command)

    def start(self, name: str) -> None:
        super().start(name)
        self.start_engine(name)

    def start_engine(self, name: str, environment: Mapping[str, str] | None = None) -> None:
        command = [sys.executable, "-m", "hybrid_bridge", "node", "engine", "--dir", str(self.folder(name))]
        command = self.on_host(name, [*command, "--binary", str(engines.engine("cometbft"))])
        with (self.root / f"{name}.engine.out").open("ab") as output:
            self.engines[name] = subprocess.Popen(
                command, stdout=output, stderr=output, cwd=Path.cwd(), env=environment
            )

    def kill(self, name: str) -> None:
        super().kill(name)
        self.kill_engine(name)

    def kill_engine(self, name: str) -> None:
        process = self.engines.pop(name)
        process.kill()
        process.wait()

    def end(self) -> None:
        for name in list(self.engines):
            self.kill_engine(name)
        super().end()

    def rpc(self, name: str) -> EngineRpc:
        """The engine's own door, which is on the loopback of its host."""
        lan, post = self.lan, Service("engine", f"http://{read_settings(self.folder(name)).engine_rpc}").post

        def ask(path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
            return post(path, body, headers) if lan is None else lan.on(name, lambda: post(path, body, headers))

        return EngineRpc(ask)


@contextmanager
def founded(cadence: int = 4, lan: Lan | None = None) -> Iterator[EngineNetwork]:
    """A consortium in a folder of its own; nothing runs yet."""
    engines.engine("cometbft")
    root = Path(tempfile.mkdtemp(prefix="hb"))  # a short path: that of a socket has 107 bytes at most
    try:
        agreed = plan(cadence=cadence)
        plain = found_network(root / "out", replace(agreed, founders=_with_engines(agreed.founders, lan)))
        yield EngineNetwork(plain.root, plain.foundation, lan=lan)
    finally:
        shutil.rmtree(root)


def _with_engines(founders: Sequence[Founder], lan: Lan | None) -> tuple[Founder, ...]:
    if lan is None:
        ports = iter(free_ports(2 * len(founders)))
        return tuple(
            replace(founder, engine=EngineAddress(*(f"127.0.0.1:{next(ports)}" for _ in range(2))))
            for founder in founders
        )
    at = {founder.name: lan.address(founder.name) for founder in founders}
    return tuple(
        replace(
            founder,
            endpoint=f"{at[founder.name]}:{PORTS[0]}",
            engine=EngineAddress(f"{at[founder.name]}:{PORTS[1]}", f"127.0.0.1:{PORTS[2]}"),
        )
        for founder in founders
    )


def await_height(network: EngineNetwork, names: tuple[str, ...], height: int) -> None:
    for name in names:
        status = network.await_status(name, f"block {height}", lambda status: status.final_height >= height)
        assert status.halted == ""


def hashes(network: EngineNetwork, names: tuple[str, ...], height: int) -> set[bytes]:
    """What each member's engine says of the state after a block: the next header has it."""
    return {network.rpc(name).signed_header(Height(height + 1)).header.app_hash for name in names}


def require_one_chain(network: EngineNetwork, names: tuple[str, ...], height: int) -> None:
    """No fork, ever: at every height one block, whichever member's engine is asked."""
    for number in range(1, height + 1):
        found = {name: network.rpc(name).signed_header(Height(number)).header.hash for name in names}
        assert len(set(found.values())) == 1, f"height {number}: {found}"
