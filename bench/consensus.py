"""`python -m bench consensus`: our application behind CometBFT, the engine's built-in one, the embedded ledger.

The same engine with the same settings, four validators and one more node each, transactions of the same size, on this
machine, taking turns in one run; wall time, since the work is done by fifteen processes. The engine's own application
(`--proxy_app=kvstore`) runs inside the engine, keeps a map in memory, and checks no signature. Writes bench/CONSENSUS.md.
"""

import http.client
import json
import os
import secrets
import shutil
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from bench.harness import host, pretty
from hybrid_bridge.adapters.grpc_member.peer import GrpcPeer
from hybrid_bridge.cli.demo.stage import free_ports
from hybrid_bridge.core.encoding import b64u
from hybrid_bridge.core.keys import PrivateKey
from hybrid_bridge.core.transaction import SignaturePart, SignedTransaction
from hybrid_bridge.node.founding import FOUNDING
from hybrid_bridge.node.opening import client_tls
from hybrid_bridge.node.running import read_founding
from hybrid_bridge.node.settings import read_secret, read_settings
from hybrid_bridge.steps.submit import Document, Submission, build_record, finish
from hybrid_bridge.units import EpochNumber
from hybrid_bridge.units import Sequence as SequenceNumber
from tests import engines
from tests.e2e.engine_network import founded
from tests.e2e.network import NAMES, Network, found_network, plan, running

ROUNDS = 5
EACH = 48  # transactions of a member in a round; a member may be 64 ahead
SINGLE = 5  # transactions one by one, in a round
LIFE = 24  # epochs
CADENCE = 60
SENDERS = NAMES[:4]
TABLE = Path(__file__).with_name("CONSENSUS.md")


class Rpc:
    """An engine's door, on one connection."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(self, method: str, **params: str) -> Any:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        try:
            answer = self._posted(body)
        except (OSError, http.client.HTTPException):  # an idle connection is closed after ten seconds
            self._connection.close()
            answer = self._posted(body)
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer["result"]

    def _posted(self, body: str) -> Any:
        self._connection.request("POST", "/", body, {"Content-Type": "application/json"})
        return json.loads(self._connection.getresponse().read())

    @property
    def height(self) -> int:
        return int(self.ask("status")["sync_info"]["latest_block_height"])

    def count(self, after: int) -> int:
        """Transactions in blocks above a height."""
        found, last = 0, self.height
        while after < last:
            until = min(last, after + 20)
            metas = self.ask("blockchain", minHeight=str(after + 1), maxHeight=str(until))["block_metas"]
            found, after = found + sum(int(meta["num_txs"]) for meta in metas), until
        return found


@dataclass
class Engines:
    """A network of engines, whatever stands behind them."""

    ports: dict[str, int]
    make: Callable[[str, int], list[bytes]]  # of a member, so many
    pids: list[int]
    count: int = EACH * len(SENDERS)  # transactions of a round

    def throughput(self) -> float:
        """Seconds a transaction: all members send at once; until the last stands in a block."""
        made = {name: self.make(name, EACH) for name in SENDERS}
        watch = Rpc(self.ports["core"])
        before, begin = watch.height, time.perf_counter()
        with ThreadPoolExecutor(len(SENDERS)) as pool:
            list(pool.map(lambda name: self._send(name, made[name]), SENDERS))
        while watch.count(before) < EACH * len(SENDERS):
            time.sleep(0.01)
        return (time.perf_counter() - begin) / (EACH * len(SENDERS))

    def latency(self) -> float:
        """Seconds from the door until it stands, one by one."""
        watch, taken = Rpc(self.ports["core"]), []
        for transaction in self.make("core", SINGLE):
            before, begin = watch.height, time.perf_counter()
            self._send("core", [transaction])
            while watch.count(before) < 1:
                time.sleep(0.005)
            taken.append(time.perf_counter() - begin)
        return median(taken)

    def _send(self, name: str, transactions: Sequence[bytes]) -> None:
        rpc = Rpc(self.ports[name])
        for transaction in transactions:
            code = rpc.ask("broadcast_tx_sync", tx=b64encode(transaction).decode())["code"]
            if code:
                sys.exit(f"refused at the door with {code}")


@dataclass
class Maker:
    """Signs registrations for the members of a network."""

    network: Network
    numbers: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._keys = {
            name: PrivateKey.from_seed(read_secret(read_settings(self.network.folder(name)), "identity"))
            for name in NAMES
        }
        settings = read_settings(self.network.folder("core"))
        self.numbers = {"core": len(read_founding(settings.path(FOUNDING)))}

    def make(self, name: str, count: int) -> list[bytes]:
        return [self._one(name) for _ in range(count)]

    def _one(self, name: str) -> bytes:
        key, creditor = self._keys[name], PrivateKey.from_seed(secrets.token_bytes(32))
        number = self.numbers.get(name, 0)
        self.numbers[name] = number + 1
        submission = Submission(
            log_id=self.network.directory.log_id,
            submitter=key.public.key_id,
            sequence=SequenceNumber(number),
            expires_epoch=EpochNumber(LIFE),
            authorisers=(creditor.public.key_id,),
        )
        fields: dict[str, Any] = {
            "object": secrets.token_hex(16),
            "debtor": b64u(self._keys["core"].public.key_id),
            "ccy": "CNY",
            "gross": "1250000",
            "creditor_key": b64u(creditor.public.key_id),
            "seller": "a private name",
            "inv_no": f"INV-{number}",
            "event_time": int(time.time()),
        }
        document = Document(schema="asset.register/1", fields=fields, labels=(), object_id="")
        body = build_record(document, submission, bytes(32), secrets.token_bytes).body
        own, consent = SignaturePart.over(body.message, key), SignaturePart.over(body.consent, creditor)
        return finish(body, own, [consent]).encode()


@dataclass
class Embedded:
    """The ledger with one member that orders; each member hands over a batch and hears that it is durable."""

    maker: Maker
    peers: dict[str, GrpcPeer]
    pids: list[int]
    count: int = EACH * len(SENDERS)  # transactions of a round

    def throughput(self) -> float:
        made = {name: self.maker.make(name, EACH) for name in SENDERS}
        begin = time.perf_counter()
        with ThreadPoolExecutor(len(SENDERS)) as pool:
            for answer in pool.map(lambda name: self.peers[name].submit(made[name]), SENDERS):
                require_accepted(answer)
        return (time.perf_counter() - begin) / (EACH * len(SENDERS))

    def latency(self) -> float:
        taken = []
        for transaction in self.maker.make("core", SINGLE):
            begin = time.perf_counter()
            require_accepted(self.peers["core"].submit([transaction]))
            taken.append(time.perf_counter() - begin)
        return median(taken)


def require_accepted(answer: Any) -> None:
    wrong = [result for result in answer.results if result.code or result.fault.name]
    if wrong:
        sys.exit(f"not accepted: {wrong[0]}")


@dataclass
class Bare:
    """What cannot be left out: two signatures checked and a promise signed, on one core, at CPU time."""

    maker: Maker
    pids: list[int]
    count: int = EACH

    def throughput(self) -> float:
        made = [SignedTransaction.decode(data) for data in self.maker.make("core", EACH)]
        key = PrivateKey.from_seed(secrets.token_bytes(32))
        begin = time.process_time()
        for signed in made:
            signed.verify_stateless(signed.body.log_id)
            key.sign(signed.body.message)
        self.cpu = (time.process_time() - begin) / EACH
        return self.cpu

    def latency(self) -> float:
        return self.cpu


# ── networks ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def kvstore(homes: Path, ports: dict[str, int], size: int, held: ExitStack) -> Engines:
    """The same homes with other ports, and the engine's own application in each."""
    to = homes.parent / "kvstore"
    renamed = {
        str(old): str(new)
        for name in NAMES
        for old, new in zip((ports[name], _listen(homes, name)), free_ports(2), strict=True)
    }
    children = {}
    for name in NAMES:
        shutil.copytree(homes / name / "engine", to / name, ignore=shutil.ignore_patterns("*.sock"))
        config = to / name / "config" / "config.toml"
        text = config.read_text()
        for old, new in renamed.items():
            text = text.replace(f":{old}", f":{new}")
        config.write_text(text)
        command = [engines.engine("cometbft"), "start", "--home", to / name, "--proxy_app", "kvstore"]
        children[name] = engines.Child(command, to / f"{name}.log")
        held.callback(children[name].stop)
    for name, child in children.items():
        at = int(renamed[str(ports[name])])
        child.until(lambda at=at: Rpc(at).height >= 1, f"kvstore of {name}")  # type: ignore[misc]

    def make(_: str, count: int) -> list[bytes]:
        return [(secrets.token_hex(16) + "=").encode().ljust(size, b"v") for _ in range(count)]

    pids = [child.process.pid for child in children.values()]
    return Engines({name: int(renamed[str(ports[name])]) for name in NAMES}, make, pids)


def _listen(homes: Path, name: str) -> int:
    text = (homes / name / "engine" / "config" / "config.toml").read_text()
    return int(text.partition("[p2p]\nladdr = ")[2].split('"')[1].rpartition(":")[2])


@contextmanager
def embedded() -> Iterator[Embedded]:
    root = Path(tempfile.mkdtemp(prefix="hb"))
    try:
        agreed = replace(plan(cadence=CADENCE), block_interval_ms=10)
        for network in running(found_network(root / "out", agreed)):
            peers = {}
            for name in SENDERS:  # the sequencer's own transactions come from another member's connection
                tls = client_tls(read_settings(network.folder("bank-b" if name == "core" else name)))
                peers[name] = GrpcPeer.at("core", network.endpoint("core"), tls)
            yield Embedded(Maker(network), peers, [process.pid for process in network.running.values()])
            for peer in peers.values():
                peer.close()
    finally:
        shutil.rmtree(root)


def main() -> None:
    """Measure, and write the table."""
    with ExitStack() as held:
        network = held.enter_context(founded(CADENCE))
        pristine = network.root.parent / "homes"
        shutil.copytree(network.root / "nodes", pristine)
        up = held.enter_context(contextmanager(running)(network))
        ports = {name: int(read_settings(up.folder(name)).engine_rpc.rpartition(":")[2]) for name in NAMES}
        maker = Maker(up)
        size = len(maker.make("bank-b", 1)[0])
        maker.numbers["bank-b"] = 0
        contenders: dict[str, Any] = {
            "ours behind CometBFT": Engines(
                ports, maker.make, [*(process.pid for process in [*up.running.values(), *up.engines.values()])]
            ),
            "kvstore in CometBFT": kvstore(pristine, ports, size, held),
            "ours, embedded ledger": held.enter_context(embedded()),
            "two checks and a promise, one core": Bare(Maker(up), []),
        }
        taken = measured(contenders)
    write(taken, size)


Taken = tuple[float, float, float]  # seconds a transaction, seconds of waiting, CPU seconds a transaction


def measured(contenders: dict[str, Any]) -> dict[str, list[Taken]]:
    """One triple a round; contenders take turns."""
    taken: dict[str, list[Taken]] = {name: [] for name in contenders}
    order = list(contenders)
    for number in range(ROUNDS + 1):
        for name in order:
            one = contenders[name]
            before = cpu_of(one.pids)
            each = one.throughput()
            cpu = (cpu_of(one.pids) - before) / one.count if one.pids else each
            found = each, one.latency(), cpu
            print(f"{name}: {1 / each:.0f}/s, {pretty(found[1])}, {pretty(cpu)} CPU each", flush=True)
            if number:
                taken[name].append(found)
        order.append(order.pop(0))
    return taken


def cpu_of(pids: Sequence[int]) -> float:
    """Seconds that these processes have worked; other work on the machine is not in it."""
    fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return sum(int(row[11]) + int(row[12]) for row in fields) / os.sysconf("SC_CLK_TCK")


def write(taken: dict[str, list[Taken]], size: int) -> None:
    """bench/CONSENSUS.md."""
    ours = taken["ours behind CometBFT"]
    lines = [
        "# Our application behind CometBFT",
        "",
        f"Written by `python -m bench consensus` on {datetime.now(UTC):%Y-%m-%d}, {ROUNDS} rounds; four validators and a "
        f"regulator each, {size} bytes a transaction, {EACH} at once from each of four members, and {SINGLE} one by one. "
        "Contenders take turns; ratios are ours behind CometBFT ÷ the other within a round, the median of rounds with the "
        "least and the greatest. Wall time counts whatever else runs on the machine; CPU is that of all processes of a "
        "contender, its five nodes and engines together, closing of epochs and hearing one another included. Goal: at "
        "least 0.3 of kvstore's rate.",
        "",
        *host(()),
        "",
        "| who | tx a second | our rate ÷ its | one by one | our wait ÷ its | CPU a transaction | our CPU ÷ its |",
        "|---|--:|---|--:|---|--:|---|",
    ]
    for name, found in taken.items():
        cells = [name, f"{1 / median(one[0] for one in found):.0f}"]
        pairs = list(zip(ours, found, strict=True))
        cells += [_spread([theirs[0] / mine[0] for mine, theirs in pairs])]
        for k in (1, 2):
            cells += [pretty(median(one[k] for one in found)), _spread([mine[k] / theirs[k] for mine, theirs in pairs])]
        lines.append("| " + " | ".join(cells) + " |")
    TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines[-4:]))


def _spread(ratios: list[float]) -> str:
    return f"**{median(ratios):.2f}×** ({min(ratios):.2f} – {max(ratios):.2f})"
