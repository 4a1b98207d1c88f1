"""The standard services of a member's server: health says what the node says, reflection answers only if enabled."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from hybrid_bridge.adapters.pki import Holder, found_authority, issue_tls
from hybrid_bridge.rpc.channel import ClientTls, open_channel
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


def test_reflection_is_unknown_when_it_is_not() -> None:
    with served(reflect=False) as (_, channel), pytest.raises(grpc.RpcError) as refused:
        listed(channel)
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
