"""The standard services of a member's server: health says what the node says, reflection answers only if enabled."""

import select
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from hybrid_bridge.adapters.pki import BACKDATED, YEAR, Holder, Issued, caller_of, found_authority, issue_tls
from hybrid_bridge.rpc import server as server_module
from hybrid_bridge.rpc.channel import ClientTls, open_channel
from hybrid_bridge.rpc.limits import Limits
from hybrid_bridge.rpc.server import MemberServer, ServerTls
from hybrid_bridge.rpc.service import Caller, Service
from hybrid_bridge.rpc.v1 import bridge_pb2_grpc
from hybrid_bridge.units import UnixSeconds

NAME = "hybrid_bridge.v1.Log"
SERVICE = Service(
    name=NAME,
    add=lambda servicer, server: server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(NAME, {}),)),
    methods={},
    entitled=lambda _caller: False,
)
Health = health_pb2.HealthCheckResponse


BORN = UnixSeconds(int(time.time()))
HOLDER = Holder("core", "Core", "LEI:1")


@contextmanager
def served(*, reflect: bool) -> Iterator[tuple[MemberServer, grpc.Channel]]:
    now = UnixSeconds(int(time.time()))
    authority = found_authority("example.org/log", now)
    issued = issue_tls(authority, Holder("core", "Core", "LEI:1"), "member", ("127.0.0.1",), now)
    tls = ServerTls(authority.certificate, issued.certificate, issued.key)
    server = MemberServer(lambda: tls, lambda _certificate: Caller("core", "member"), [SERVICE], reflect=reflect)
    port = server.start("127.0.0.1:0")
    client = ClientTls(authority.certificate, issued.certificate, issued.key)
    try:
        with open_channel(f"127.0.0.1:{port}", "core", client) as channel:
            yield server, channel
    finally:
        server.stop(0)


def listed(channel: grpc.Channel) -> set[str]:
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    asked = reflection_pb2.ServerReflectionRequest(list_services="")
    (answer,) = stub.ServerReflectionInfo(iter([asked]), timeout=20)
    return {service.name for service in answer.list_services_response.service}


def test_health_says_what_the_node_says() -> None:
    with served(reflect=False) as (server, channel):
        health = health_pb2_grpc.HealthStub(channel)
        for yes, status in ((True, Health.SERVING), (False, Health.NOT_SERVING), (True, Health.SERVING)):
            server.serving(yes=yes)
            assert health.Check(health_pb2.HealthCheckRequest(), timeout=20).status == status


def test_reflection_lists_our_services_when_it_is_enabled() -> None:
    assert NAME.rsplit(".", 1)[1] + "Stub" in dir(bridge_pb2_grpc)
    with served(reflect=True) as (_, channel):
        assert NAME in listed(channel)


class Consortium:
    """Its authority of the moment, a clock, and a server that shows and admits what stands now."""

    def __init__(self) -> None:
        self.now = BORN
        self.authority, self.next = (found_authority("example.org/log", BORN) for _ in range(2))
        self.roots = self.authority.certificate + self.next.certificate  # whoever calls has been told of both
        self.shown: ServerTls | None = None

    def issued(self, now: UnixSeconds = BORN) -> Issued:
        return issue_tls(self.authority, HOLDER, "member", ("127.0.0.1",), now)

    def tls(self) -> ServerTls:
        """What the server shows: as files on disk, the same until the authority is exchanged."""
        if self.shown is None or self.shown.roots != self.authority.certificate:
            own = self.issued()
            self.shown = ServerTls(self.authority.certificate, own.certificate, own.key)
        return self.shown

    def refusal(self, health: health_pb2_grpc.HealthStub) -> grpc.StatusCode | None:
        try:
            health.Check(health_pb2.HealthCheckRequest(), timeout=20)
        except grpc.RpcError as error:
            return error.code()
        return None


@contextmanager
def listening(consortium: Consortium, connection_age: int) -> Iterator[int]:
    server = MemberServer(
        consortium.tls,
        lambda certificate: caller_of(certificate, consortium.now),
        [SERVICE],
        reflect=False,
        limits=Limits(reads=1_000_000),  # it is asked without a pause until it refuses
        connection_age=connection_age,
    )
    try:
        yield server.start("127.0.0.1:0")
    finally:
        server.stop(0)


def test_a_certificate_that_ends_is_refused_at_the_next_call_of_an_open_channel() -> None:
    """Case 33: TLS looked at it once; the gate looks at each call."""
    consortium = Consortium()
    own = consortium.issued()
    client = ClientTls(consortium.roots, own.certificate, own.key)
    with listening(consortium, 600_000) as port, open_channel(f"127.0.0.1:{port}", "core", client) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        assert consortium.refusal(health) is None
        consortium.now = UnixSeconds(BORN + YEAR - BACKDATED + 1)
        assert consortium.refusal(health) is not None
        consortium.now = BORN
        assert consortium.refusal(health) is None  # the same connection


def test_after_an_exchange_of_the_authority_an_open_channel_is_cut_and_comes_back_with_a_new_certificate_only() -> None:
    """Case 33: a certificate is taken back by exchanging the authority; within the age of a connection it is out."""
    consortium = Consortium()
    old = consortium.issued()
    with listening(consortium, 2_000) as port:
        before = ClientTls(consortium.roots, old.certificate, old.key)
        with open_channel(f"127.0.0.1:{port}", "core", before) as channel:
            health = health_pb2_grpc.HealthStub(channel)
            assert consortium.refusal(health) is None
            consortium.authority = consortium.next
            found, deadline = consortium.refusal(health), time.monotonic() + 20
            while found is None and time.monotonic() < deadline:
                found = consortium.refusal(health)
            assert found is grpc.StatusCode.UNAVAILABLE
            assert consortium.refusal(health) is grpc.StatusCode.UNAVAILABLE
        new = consortium.issued()
        after = ClientTls(consortium.roots, new.certificate, new.key)
        with open_channel(f"127.0.0.1:{port}", "core", after) as channel:
            assert consortium.refusal(health_pb2_grpc.HealthStub(channel)) is None


def test_reflection_is_unknown_when_it_is_not() -> None:
    with served(reflect=False) as (_, channel), pytest.raises(grpc.RpcError) as refused:
        listed(channel)
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_callers_who_say_nothing_take_few_places_and_not_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody needs a certificate to connect: without a bound such callers took every descriptor of the process."""
    monkeypatch.setattr(server_module, "MAX_CONNECTIONS", 16)
    monkeypatch.setattr(server_module, "HANDSHAKE", 3_000)
    consortium = Consortium()
    own = consortium.issued()
    client = ClientTls(consortium.roots, own.certificate, own.key)
    with listening(consortium, 600_000) as port, ExitStack() as stack:
        there = health_pb2_grpc.HealthStub(stack.enter_context(open_channel(f"127.0.0.1:{port}", "core", client)))
        assert consortium.refusal(there) is None
        silent = [stack.enter_context(socket.create_connection(("127.0.0.1", port), 20)) for _ in range(64)]
        assert closed(silent, at_least=64 - 15) <= 64 - 14  # the library counts one more or less
        assert consortium.refusal(there) is None  # whoever was in stays in
        assert closed(silent, at_least=64) == 64
        newcomer = stack.enter_context(open_channel(f"127.0.0.1:{port}", "core", client))
        assert consortium.refusal(health_pb2_grpc.HealthStub(newcomer)) is None


def closed(callers: list[socket.socket], at_least: int) -> int:
    """How many of them the server has sent away, as soon as they are so many."""
    hung_up: set[int] = set()
    events, deadline = select.poll(), time.monotonic() + 20
    for caller in callers:
        events.register(caller, select.POLLIN)
    while len(hung_up) < at_least and time.monotonic() < deadline:
        for number, _ in events.poll(1_000):
            events.unregister(number)
            hung_up.add(number)
    return len(hung_up)
