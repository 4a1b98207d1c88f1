"""A consortium of real node processes on loopback: four validators and one regulator, each with its own folder."""

import json
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pytest

from hybrid_bridge.adapters.grpc_member.desk import GrpcDesk
from hybrid_bridge.adapters.grpc_member.log import GrpcMember
from hybrid_bridge.cli.demo.stage import free_ports
from hybrid_bridge.core.encoding import b64u, canonical_json
from hybrid_bridge.core.labels import creditor_invoice
from hybrid_bridge.errors import Undecided
from hybrid_bridge.node.directory import Directory, read_directory
from hybrid_bridge.node.founding import Foundation, Founder, Plan, found
from hybrid_bridge.node.laying import lay
from hybrid_bridge.node.opening import owner_tls
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.units import Seconds, UnixSeconds

T = TypeVar("T")

NAMES = ("core", "supplier", "bank-a", "bank-b", "regulator")
ROLES = {"core": ("validator", "sequencer"), "regulator": ("regulator",)}
PATIENCE = 180.0  # seconds; spent only by what fails
CADENCE = 2


def free_endpoint() -> str:
    """A loopback address that was free a moment ago."""
    return f"127.0.0.1:{free_ports(1)[0]}"


def plan(starts_in: int = 3, cadence: int = CADENCE, **roles: tuple[str, ...]) -> Plan:
    """Five members, two of them banks; `roles` other than usual, `_` for `-` in a name."""
    changed = ROLES | {name.replace("_", "-"): given for name, given in roles.items()}
    ports = dict(zip(NAMES, free_ports(len(NAMES)), strict=True))
    founders = tuple(
        Founder(
            name=name,
            legal_name=f"{name} Ltd",
            legal_id=f"LEI:{name.upper()}",
            roles=changed.get(name, ("validator",)),
            endpoint=f"127.0.0.1:{ports[name]}",
        )
        for name in NAMES
    )
    return Plan(
        origin="test.example/receivables",
        genesis_time=UnixSeconds(int(time.time()) + starts_in),
        cadence=Seconds(cadence),
        grace=Seconds(60),
        founders=founders,
        relayers=("north",),
    )


def until(what: str, ask: Callable[[], T | None], patience: float = PATIENCE) -> T:
    """Ask until the answer is neither None nor False; real processes are polled to a deadline."""
    end = time.monotonic() + patience
    last: object = None
    while time.monotonic() < end:
        try:
            answer = ask()
        except Undecided as error:
            answer, last = None, error
        if answer not in (None, False):
            return answer
        time.sleep(0.1)
    pytest.fail(f"{what}: not within {patience} s; last: {last!r}")


@dataclass
class Network:
    """The processes and their owners' clients."""

    root: Path
    foundation: Foundation
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    desks: dict[str, GrpcDesk] = field(default_factory=dict)
    newcomers: dict[str, str] = field(default_factory=dict)  # endpoints

    def folder(self, name: str) -> Path:
        return self.root / "nodes" / name

    @property
    def directory(self) -> Directory:
        return read_directory(self.root / "nodes" / "core")

    def endpoint(self, name: str) -> str:
        if name in self.newcomers:
            return self.newcomers[name]
        return next(member.endpoint for member in self.foundation.members if member.name == name)

    def start(self, name: str) -> None:
        command = [sys.executable, "-m", "hybrid_bridge", "node", "run", "--dir", str(self.folder(name))]
        with (self.root / f"{name}.out").open("ab") as output:
            self.running[name] = subprocess.Popen(
                self.on_host(name, command), stdout=output, stderr=output, cwd=Path.cwd()
            )

    def on_host(self, name: str, command: list[str]) -> list[str]:
        """The command as it is given where the member runs: here."""
        return command

    def kill(self, name: str) -> None:
        process = self.running.pop(name)
        process.kill()
        process.wait()

    def stop(self, name: str) -> int:
        process = self.running.pop(name)
        process.send_signal(signal.SIGTERM)
        return process.wait(PATIENCE)

    def end(self) -> None:
        for desk in self.desks.values():
            desk.close()
        for process in self.running.values():
            process.kill()
        for process in self.running.values():
            process.wait()

    def desk(self, name: str) -> GrpcDesk:
        if name not in self.desks:
            tls = owner_tls(self.folder(name) / "owner")
            self.desks[name] = GrpcDesk.at(name, self.endpoint(name), tls)
        return self.desks[name]

    def relayed(self, name: str) -> GrpcMember:
        """The member as a relayer sees it."""
        return GrpcMember.at(name, self.endpoint(name), owner_tls(self.root / "clients" / "north"))

    def status(self, name: str) -> pb.StatusResponse:
        return self.desk(name).status()

    def await_status(self, name: str, what: str, holds: Callable[[pb.StatusResponse], bool]) -> pb.StatusResponse:
        def ask() -> pb.StatusResponse | None:
            status = self.status(name)
            return status if holds(status) else None

        return until(f"{name}: {what}", ask)


def found_network(root: Path, agreed: Plan | None = None) -> Network:
    """A founded consortium; nothing runs yet."""
    now = UnixSeconds(int(time.time()))
    foundation = found(agreed or plan(), secrets.token_bytes, now)
    lay(foundation, root)
    return Network(root, foundation)


def running_network(root: Path) -> Iterator[Network]:
    """All five members, up to their first final block."""
    yield from running(found_network(root))


def running(network: Network) -> Iterator[Network]:
    """All its members, up to their first final block, until it is let go."""
    try:
        for name in NAMES:
            network.start(name)
        for name in NAMES:
            network.await_status(name, "first final block", lambda status: status.final_height >= 1)
        yield network
    finally:
        network.end()


# ── a little trade ───────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Registered:
    """An asset that the supplier registered."""

    object_id: str
    invoice: str
    seller: str
    entry_leaf: bytes
    sent: pb.SendResponse


def fields_of(**values: object) -> bytes:
    return canonical_json({**values, "event_time": int(time.time())})


SELLER = "PRIVATE-SELLER-NAME"


def registration(network: Network, object_id: str, **changes: object) -> pb.DraftRequest:
    """The supplier's invoice against the core enterprise; bank-a may read it."""
    creditor = network.desk("supplier").key(f"creditor/{object_id}")
    debtor = network.directory.identities["core"]
    fields: dict[str, object] = {
        "object": object_id,
        "debtor": b64u(debtor.key_id),
        "ccy": "CNY",
        "gross": "1250000",
        "creditor_key": b64u(creditor.key_id),
        "seller": SELLER,
        "inv_no": invoice_of(object_id),
    }
    return pb.DraftRequest(
        schema="asset.register/1",
        fields=fields_of(**fields | changes),
        authorisers=[pb.Authoriser(purpose=f"creditor/{object_id}")],
        audience=["core", "bank-a"],
    )


def invoice_of(object_id: str) -> str:
    return f"INV-{object_id[:8].upper()}"


def register(network: Network, object_id: str) -> Registered:
    """Draft and send a registration."""
    supplier = network.desk("supplier")
    draft = supplier.draft(registration(network, object_id)).draft
    sent = supplier.send(draft)
    return Registered(object_id, invoice_of(object_id), SELLER, sent.entry_leaf, sent)


def confirm(network: Network, asset: Registered, party: str = "LEI:5493001KJTIIGC8Y1R12") -> pb.SendResponse:
    """The debtor confirms, and the invoice's number becomes a label of the object."""
    core = network.desk("core")
    label = creditor_invoice(party, asset.invoice)
    request = pb.DraftRequest(
        schema="asset.confirm/1",
        fields=fields_of(object=asset.object_id, gross="1250000", ccy="CNY", distinct=False),
        authorisers=[pb.Authoriser(purpose="identity")],
        labels=canonical_json([b64u(label.encode())]),
        audience=["supplier", "bank-a"],
    )
    return core.send(core.draft(request).draft)


def read_json(path: Path) -> object:
    return json.loads(path.read_text("utf-8"))
