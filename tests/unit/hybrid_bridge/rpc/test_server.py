"""A server of the members' API on loopback: who gets in before a word is said, and how many words one may hold back."""

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from queue import Queue
from time import monotonic, time
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from hybrid_bridge.adapters.pki import Authority, Holder, caller_of, found_authority, issue_tls
from hybrid_bridge.errors import AnswerMalformed, BridgeError, Broken, FieldMalformed, NotYet, TooManyCalls
from hybrid_bridge.rpc.channel import ClientTls, Line, open_channel
from hybrid_bridge.rpc.faults import FIELDS_KEY, NAME_KEY, unpack
from hybrid_bridge.rpc.gate import CALLS_OF_ONE
from hybrid_bridge.rpc.server import WORKERS, MemberServer, ServerTls
from hybrid_bridge.rpc.service import Call, Service
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.rpc.v1 import bridge_pb2_grpc as stubs
from hybrid_bridge.units import MAX_U64, UnixSeconds

WITNESS = "/hybrid_bridge.v1.Peer/Witness"
BLOCKS = "/hybrid_bridge.v1.Ledger/Blocks"
PATIENCE = 20.0
PRIVATE = "a private value"


class Served:
    """A server with a real certificate whose methods say what a test wants."""

    def __init__(self) -> None:
        self.authority: Authority = found_authority("test.example/log", self._now())
        core = self.tls("core", "member")
        self.answered: list[str] = []
        self.height = 7
        self.closed_streams: Queue[str] = Queue()
        self.server = MemberServer(
            lambda: ServerTls(core.roots, core.certificate, core.key),
            lambda pem: caller_of(pem, self._now()),
            [
                self._service("Peer", stubs.add_PeerServicer_to_server, {"Witness": self.witness}),
                self._service(
                    "Ledger", stubs.add_LedgerServicer_to_server, {"Blocks": self.blocks, "Status": self.status}
                ),
            ],
            reflect=True,
        )
        self.port = self.server.start("127.0.0.1:0")
        self.channels: list[grpc.Channel] = []

    @staticmethod
    def _now() -> UnixSeconds:
        return UnixSeconds(int(time()))

    def tls(self, name: str, role: str) -> ClientTls:
        issued = issue_tls(self.authority, Holder(name, name, "none"), role, ("127.0.0.1",), self._now())
        return ClientTls(self.authority.certificate, issued.certificate, issued.key)

    @staticmethod
    def _service(name: str, add: Any, methods: dict[str, Callable[..., Any]]) -> Service:
        def nothing(_request: Any, _call: Call) -> Any:
            raise NotYet(what="anything")

        every = dict.fromkeys((m.name for m in pb.DESCRIPTOR.services_by_name[name].methods), nothing)
        return Service(f"hybrid_bridge.v1.{name}", add, every | methods, lambda caller: caller.role == "member")

    def witness(self, request: pb.WitnessRequest, call: Call) -> pb.WitnessResponse:
        if request.after_height == 13:
            raise ValueError(PRIVATE)
        self.answered.append(call.caller.name)
        return pb.WitnessResponse(countersignatures=[b"word"])

    def status(self, _request: pb.StatusRequest, _call: Call) -> pb.StatusResponse:
        return pb.StatusResponse(height=self.height)

    def blocks(self, _request: pb.BlocksRequest, call: Call) -> Iterator[pb.BlockMessage]:
        try:
            yield pb.BlockMessage(block=b"first")
            yield pb.BlockMessage(block=b"second")
        finally:
            self.closed_streams.put(call.caller.name)

    def channel(self, name: str, role: str) -> grpc.Channel:
        self.channels.append(open_channel(f"127.0.0.1:{self.port}", "core", self.tls(name, role)))
        return self.channels[-1]

    def stop(self) -> None:
        for channel in self.channels:
            channel.close()
        self.server.stop(1.0)


@pytest.fixture
def served() -> Iterator[Served]:
    served = Served()
    try:
        yield served
    finally:
        served.stop()


class Held:
    """Calls that were begun and say nothing."""

    def __init__(self, channel: grpc.Channel, path: str, count: int) -> None:
        self._over = threading.Event()
        self.ended: Queue[grpc.Call] = Queue()
        self.calls: list[Any] = []
        for _ in range(count):
            call = channel.stream_unary(path).future(self._nothing(), timeout=120)
            call.add_done_callback(self.ended.put)
            self.calls.append(call)

    def _nothing(self) -> Iterator[bytes]:
        self._over.wait()
        yield from ()

    def first_refused(self) -> grpc.StatusCode:
        return self.ended.get(timeout=PATIENCE).code()

    def hang_up(self) -> None:
        self._over.set()
        for call in self.calls:
            call.cancel()


def ask(channel: grpc.Channel, request: pb.WitnessRequest | None = None) -> pb.WitnessResponse:
    stub = stubs.PeerStub(channel)
    return Line("core", PATIENCE).ask(stub.Witness, request or pb.WitnessRequest())


def asked_until_let_in(channel: grpc.Channel) -> pb.WitnessResponse:
    """Threads come free when the server has seen that a call is gone."""
    end = monotonic() + PATIENCE
    while True:
        try:
            return ask(channel)
        except TooManyCalls:
            assert monotonic() < end


@pytest.mark.parametrize("role", ["relayer", "owner"])
def test_a_caller_of_another_role_is_refused_before_it_has_said_anything(served: Served, role: str) -> None:
    held = Held(served.channel("north", role), WITNESS, 1)
    assert held.first_refused() is grpc.StatusCode.PERMISSION_DENIED
    assert served.answered == []
    held.hang_up()


def test_strangers_that_say_nothing_keep_nobody_out(served: Served) -> None:
    held = Held(served.channel("north", "relayer"), WITNESS, 2 * WORKERS)
    for _ in range(2 * WORKERS):
        assert held.first_refused() in (grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.RESOURCE_EXHAUSTED)
    assert ask(served.channel("bank-a", "member")).countersignatures == [b"word"]
    held.hang_up()


def test_one_member_holds_so_many_calls_and_is_then_told_why_not(served: Served) -> None:
    channel = served.channel("bank-a", "member")
    held = Held(channel, WITNESS, CALLS_OF_ONE + 1)
    assert held.first_refused() is grpc.StatusCode.RESOURCE_EXHAUSTED
    with pytest.raises(TooManyCalls) as refused:
        ask(channel)
    assert refused.value.limit == CALLS_OF_ONE
    with pytest.raises(TooManyCalls):  # another certificate of the same member is the same caller
        ask(served.channel("bank-a", "member"))
    assert ask(served.channel("bank-b", "member")).countersignatures == [b"word"]
    held.hang_up()
    assert asked_until_let_in(channel).countersignatures == [b"word"]


def test_a_stream_counts_until_its_thread_is_free(served: Served) -> None:
    channel = served.channel("bank-a", "member")
    for _ in range(2 * CALLS_OF_ONE):
        for answer in stubs.LedgerStub(channel).Blocks(pb.BlocksRequest(), timeout=PATIENCE):
            assert answer.block in (b"first", b"second")
        assert served.closed_streams.get(timeout=PATIENCE) == "bank-a"


def test_many_members_at_once_are_all_answered(served: Served) -> None:
    channels = [served.channel(name, "member") for name in ("bank-a", "bank-b", "supplier")]
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(ask, channels * 20))
    assert len(answers) == len(served.answered) == 60


class SlowRoad:
    """A way to the server on which everything the caller says first takes `seconds`, as on a busy machine."""

    def __init__(self, port: int, seconds: float) -> None:
        self._port, self._seconds = port, seconds
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = self._door.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                caller, _ = self._door.accept()
                server = socket.create_connection(("127.0.0.1", self._port))
                for pair, wait in (((caller, server), self._seconds), ((server, caller), 0.0)):
                    threading.Thread(target=self._carry, args=(*pair, wait), daemon=True).start()

    @staticmethod
    def _carry(come_from: socket.socket, go_to: socket.socket, wait: float) -> None:
        threading.Event().wait(wait)
        with suppress(OSError), come_from, go_to:
            while data := come_from.recv(1 << 16):
                go_to.sendall(data)

    def close(self) -> None:
        self._door.close()


def test_a_handshake_may_take_its_time(served: Served) -> None:
    road = SlowRoad(served.port, 0.4)
    channel = open_channel(f"127.0.0.1:{road.port}", "core", served.tls("bank-a", "member"))
    served.channels.append(channel)
    assert ask(channel).countersignatures == [b"word"]
    road.close()


# ── what is no message ───────────────────────────────────────────────────────────────────────────────────────────────


def fault(channel: grpc.Channel, messages: list[bytes], path: str = WITNESS) -> BridgeError:
    with pytest.raises(grpc.RpcError) as failed:
        list(channel.stream_stream(path)(iter(messages), timeout=PATIENCE))
    metadata = dict(failed.value.trailing_metadata())
    return unpack(metadata[NAME_KEY], metadata[FIELDS_KEY], failed.value.code())


@pytest.mark.parametrize("messages", [[], [b"\xff\xff\xff"], [b"\x08"]])
@pytest.mark.parametrize("path", [WITNESS, BLOCKS])
def test_noise_or_nothing_is_the_senders_fault(served: Served, path: str, messages: list[bytes]) -> None:
    error = fault(served.channel("bank-a", "member"), messages, path)
    assert isinstance(error, FieldMalformed)
    assert error.field == "request"
    assert served.answered == []


@pytest.mark.parametrize("number", [MAX_U64 + 1, 2**64 - 1])
def test_a_number_beyond_the_bound_is_malformed_at_every_door(served: Served, number: int) -> None:
    channel = served.channel("bank-a", "member")
    for path, request in (
        (WITNESS, pb.WitnessRequest(after_height=number)),
        (BLOCKS, pb.BlocksRequest(first_height=number)),
    ):
        error = fault(channel, [request.SerializeToString()], path)
        assert isinstance(error, FieldMalformed)
        assert error.field in ("after_height", "first_height")
    assert served.answered == []


@pytest.mark.parametrize("number", [MAX_U64 + 1, 2**64 - 1])
def test_a_number_beyond_the_bound_in_an_answer_is_malformed_too(served: Served, number: int) -> None:
    served.height = number
    stub = stubs.LedgerStub(served.channel("bank-a", "member"))
    with pytest.raises(AnswerMalformed) as refused:
        Line("core", PATIENCE).ask(stub.Status, pb.StatusRequest())
    assert (refused.value.endpoint, refused.value.call) == ("core", "Status")


def test_what_we_did_not_foresee_says_nothing_of_itself(served: Served) -> None:
    request = pb.WitnessRequest(after_height=13)
    error = fault(served.channel("bank-a", "member"), [request.SerializeToString()])
    assert type(error) is Broken
    assert PRIVATE not in str(error)


def test_a_method_that_is_not_there_is_unimplemented(served: Served) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        served.channel("bank-a", "member").unary_unary("/hybrid_bridge.v1.Peer/Nothing")(b"", timeout=PATIENCE)
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


# ── grpc's own services ──────────────────────────────────────────────────────────────────────────────────────────────


def test_health_answers_every_certificate_of_ours_and_holds_few_watchers(served: Served) -> None:
    channel = served.channel("north", "relayer")
    served.server.serving(yes=True)
    check = channel.unary_unary("/grpc.health.v1.Health/Check", response_deserializer=_health)
    assert check(b"", timeout=PATIENCE).status == health_pb2.HealthCheckResponse.SERVING
    watch = channel.unary_stream("/grpc.health.v1.Health/Watch", response_deserializer=_health)
    watchers = [watch(b"", timeout=60) for _ in range(CALLS_OF_ONE)]
    for watcher in watchers:
        assert next(watcher).status == health_pb2.HealthCheckResponse.SERVING
    with pytest.raises(grpc.RpcError) as refused:
        next(watch(b"", timeout=60))
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    served.server.serving(yes=False)
    assert {next(watcher).status for watcher in watchers} == {health_pb2.HealthCheckResponse.NOT_SERVING}
    for watcher in watchers:
        watcher.cancel()


def _health(data: bytes) -> health_pb2.HealthCheckResponse:
    return health_pb2.HealthCheckResponse.FromString(data)


def test_reflection_where_it_is_enabled_names_the_services(served: Served) -> None:
    stub = reflection_pb2_grpc.ServerReflectionStub(served.channel("bank-a", "member"))
    asked = [reflection_pb2.ServerReflectionRequest(list_services="")]
    (answer,) = stub.ServerReflectionInfo(iter(asked), timeout=PATIENCE)
    assert "hybrid_bridge.v1.Peer" in [service.name for service in answer.list_services_response.service]
