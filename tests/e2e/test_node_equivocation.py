"""The sequencer shows two blocks at one height; its members compare their words, keep both, and sign no more."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from hybrid_bridge.adapters.pki import caller_of
from hybrid_bridge.adapters.sqlite.ledger import StoredBlock
from hybrid_bridge.core.block import Block, BlockHeader, Countersignature, tx_root
from hybrid_bridge.errors import NotYet
from hybrid_bridge.node.opening import Opened, client_tls, open_folder, server_tls, tls_files
from hybrid_bridge.node.running import SystemClock
from hybrid_bridge.node.settings import read_settings
from hybrid_bridge.rpc.channel import open_channel
from hybrid_bridge.rpc.server import MemberServer
from hybrid_bridge.rpc.service import Call, Service
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.rpc.v1 import bridge_pb2_grpc as stubs
from hybrid_bridge.steps.commit import execute_block
from hybrid_bridge.units import UnixSeconds
from tests.e2e.network import Network, register, running_network, until

SHOWN_ONE = ("supplier", "regulator")  # the others are shown the other


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    yield from running_network(tmp_path / "out")


def ordered(core: Opened, delay: int) -> StoredBlock:
    """A block that follows core's newest, true to every rule, sealed by core, kept nowhere."""
    view = core.view
    tip = view.chain.tip
    assert tip is not None
    moment = UnixSeconds(max(int(time.time()), tip.time) + delay)
    with view.ledger.state() as state:
        outcome = execute_block(state, view.chain.rules, view.chain.next_height, moment, [])
    header = BlockHeader(
        log_id=view.directory.log_id,
        height=outcome.height,
        previous_hash=tip.block_hash,
        time=moment,
        epoch=outcome.epoch,
        tx_count=0,
        tx_root=tx_root(()),
        state=outcome.state_hash,
    )
    sealed = Countersignature.over(header, view.keys.identity)
    return StoredBlock(Block(header, ()).encode(), sealed.encode())


class TwoFaced:
    """A server with core's certificate that shows one block to some and another to others."""

    def __init__(self, core: Opened) -> None:
        self._core = core
        self._blocks = [ordered(core, 0), ordered(core, 1)]
        services = [
            self._service("Ledger", stubs.add_LedgerServicer_to_server, pb.DESCRIPTOR, {"Blocks": self.blocks}),
            self._service("Peer", stubs.add_PeerServicer_to_server, pb.DESCRIPTOR, {"Witness": self.witness}),
        ]
        self.server = MemberServer(
            lambda: server_tls(tls_files(core.settings)),
            lambda pem: caller_of(pem, SystemClock().now()),
            services,
            reflect=False,
        )

    def blocks(self, request: pb.BlocksRequest, call: Call) -> Iterator[pb.BlockMessage]:
        mine = self._blocks[call.caller.name not in SHOWN_ONE]
        stored = self._core.view.ledger.blocks(request.first_height) or [mine]
        if request.first_height <= self._core.view.chain.next_height:
            for block in stored:
                yield pb.BlockMessage(block=block.data, order=block.sealed)
        while request.follow and call.active():
            time.sleep(0.1)

    def witness(self, request: pb.WitnessRequest, call: Call) -> pb.WitnessResponse:
        time.sleep(0.5)
        return pb.WitnessResponse()

    @staticmethod
    def _service(name: str, add: Any, descriptor: Any, methods: dict[str, Callable[..., Any]]) -> Service:
        def nothing(_request: Any, _call: Call) -> Any:
            raise NotYet(what="anything")

        every = dict.fromkeys((m.name for m in descriptor.services_by_name[name].methods), nothing)
        return Service(f"hybrid_bridge.v1.{name}", add, every | methods, lambda _caller: True)


def evidence(network: Network, name: str) -> list[tuple[str, bytes, bytes]]:
    with sqlite3.connect(network.folder(name) / "ledger.db") as connection:
        found = connection.execute("SELECT kind, first, second FROM conflict").fetchall()
    connection.close()
    return found


def test_a_sequencer_that_shows_two_histories_is_caught(network: Network) -> None:
    register(network, "00" * 16)
    network.kill("core")
    core = open_folder(read_settings(network.folder("core")), SystemClock())
    liar = TwoFaced(core)
    liar.server.start(core.settings.listen)
    try:
        for name in ("supplier", "bank-a", "bank-b"):
            status = network.await_status(name, "halted", lambda status: status.halted != "")
            assert "two blocks" in status.halted
        kinds = [kind for kind, _, _ in until("evidence", lambda: evidence(network, "supplier"))]
        (_, first, second) = until("evidence", lambda: evidence(network, "supplier"))[0]
        words = Countersignature.decode(first), Countersignature.decode(second)
        for word in words:
            word.verify(core.view.directory.identities["core"])
        assert kinds[0] == "block"
        assert words[0].height == words[1].height
        assert words[0].block_hash != words[1].block_hash
    finally:
        liar.server.stop(0)
        core.close()


def test_a_halted_member_stays_halted_and_says_so(network: Network) -> None:
    network.kill("bank-a")
    opened = open_folder(read_settings(network.folder("bank-a")), SystemClock())
    attested = opened.view.logbook.newest_attested(opened.view.address or b"")
    opened.view.brake.pull("a person must look")
    opened.close()
    network.start("bank-a")
    status = network.await_status("bank-a", "up", lambda status: status.halted == "a person must look")
    network.await_status("core", "goes on", lambda found: found.quorum_size > status.size + 1)
    assert network.status("bank-a").attested_size == attested
    tls = client_tls(read_settings(network.folder("core")))
    with open_channel(network.endpoint("bank-a"), "bank-a", tls) as channel:
        answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=5)
    assert answer.status == health_pb2.HealthCheckResponse.NOT_SERVING
    assert isinstance(channel, grpc.Channel)
