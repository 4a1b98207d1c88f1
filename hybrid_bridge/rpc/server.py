"""A server's side of a call: mutual TLS, who may call what, limits, and one way for an error to leave.

Roles are read from the client's certificate on each call: an open connection outlives expiry and rotation (RELAYER §6).
The health service, and reflection where it is enabled, answer any certificate of the consortium.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from inspect import isgeneratorfunction
from traceback import format_tb
from types import SimpleNamespace
from typing import Any, Final, Protocol, TypeAlias

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from hybrid_bridge.errors import BridgeError, Broken, NotEntitled, SettingsMalformed
from hybrid_bridge.rpc.bounds import require_numbers
from hybrid_bridge.rpc.channel import MAX_MESSAGE, MAX_METADATA
from hybrid_bridge.rpc.faults import status_of, trailing

WORKERS: Final = 40  # each held answer and each open stream keeps one; a consortium of ten needs some thirty
MAX_CALLS: Final = 104  # at work or waiting; one more is told RESOURCE_EXHAUSTED at once

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, as the certificate says: a name of the consortium and one role."""

    name: str
    role: str  # member, owner, relayer or auditor


@dataclass(frozen=True, slots=True)
class ServerTls:
    """What the server shows and whose certificates it admits, as PEM."""

    roots: bytes
    certificate: bytes
    key: bytes = field(repr=False)


class Authenticate(Protocol):
    """Says who holds this certificate, at this moment."""

    def __call__(self, certificate: bytes) -> Caller:
        """The caller behind a PEM certificate that TLS has verified against our roots.

        Raises:
            BridgeError: expired, or none of ours.
        """


@dataclass(frozen=True, slots=True)
class Call:
    """One call at work: who asks, and whether it is still there."""

    caller: Caller
    active: Callable[[], bool]


Method: TypeAlias = Callable[[Any, Call], Any]  # request in; answer out, or a generator of answers


@dataclass(frozen=True, slots=True)
class Service:
    """One service of the API: its full name, how it is added to a server, its methods, and who may call them."""

    name: str
    add: Callable[[object, grpc.Server], None]  # the generated add_…Servicer_to_server
    methods: Mapping[str, Method]
    entitled: Callable[[Caller], bool]

    def register(self, server: grpc.Server, authenticate: Authenticate) -> None:
        """Add every method behind the gate: authenticate, check the role, turn errors into status codes."""
        gate = _Gate(self, authenticate)
        behaviours = {name: gate.stands_before(name, method) for name, method in self.methods.items()}
        self.add(SimpleNamespace(**behaviours), server)


@dataclass(frozen=True, slots=True)
class _Gate:
    service: Service
    authenticate: Authenticate

    def stands_before(self, name: str, method: Method) -> Callable[[Any, grpc.ServicerContext], Any]:
        path = f"{self.service.name}/{name}"

        def one(request: Any, context: grpc.ServicerContext) -> Any:  # noqa: ANN401 grpc's own types
            with _faults_sent(context, path):
                call = self.admit(context, path)
                require_numbers(request)
                return method(request, call)

        def many(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:  # noqa: ANN401 grpc's own types
            with _faults_sent(context, path):
                call = self.admit(context, path)
                require_numbers(request)
                yield from method(request, call)

        return many if isgeneratorfunction(method) else one

    def admit(self, context: grpc.ServicerContext, path: str) -> Call:
        """The call, if the caller's certificate is good now and its role may ask this."""
        certificates = context.auth_context().get("x509_pem_cert", ())
        caller = self.authenticate(bytes(next(iter(certificates), b"")))
        if not self.service.entitled(caller):
            raise NotEntitled(caller=f"{caller.role}:{caller.name}", call=path)
        return Call(caller, context.is_active)


@contextmanager
def _faults_sent(context: grpc.ServicerContext, method: str) -> Iterator[None]:
    """End the call with the error's status and fields. What we did not foresee leaves no text: it could be private."""
    try:
        yield
    except BridgeError as error:
        fault = error
        _log.info("refused %s: %s", method, type(error).__name__)
    except Exception as error:
        if not context.is_active():  # the caller hung up; grpc raises out of a stream that is gone
            raise
        fault = Broken()
        _log.critical("unforeseen %s in %s\n%s", type(error).__name__, method, "".join(format_tb(error.__traceback__)))
    else:
        return
    context.set_trailing_metadata(trailing(fault))
    context.abort(status_of(fault), type(fault).__name__)


class MemberServer:
    """One gRPC server with a bounded thread pool. Constructed without listening."""

    def __init__(
        self,
        fetch_tls: Callable[[], ServerTls],
        authenticate: Authenticate,
        services: Sequence[Service],
        *,
        reflect: bool,
    ) -> None:
        self._fetch_tls = fetch_tls
        self._health = health.HealthServicer()
        self._server = grpc.server(
            ThreadPoolExecutor(max_workers=WORKERS, thread_name_prefix="call"),
            maximum_concurrent_rpcs=MAX_CALLS,
            options=(
                ("grpc.max_receive_message_length", MAX_MESSAGE),
                ("grpc.max_send_message_length", MAX_MESSAGE),
                ("grpc.max_metadata_size", MAX_METADATA),
                ("grpc.so_reuseport", 0),  # a second node on this port must fail, not share it
                ("grpc.max_concurrent_streams", 64),
                ("grpc.max_connection_age_ms", 600_000),
                ("grpc.max_connection_age_grace_ms", 30_000),
            ),
        )
        for service in services:
            service.register(self._server, authenticate)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        if reflect:
            reflection.enable_server_reflection([s.name for s in services], self._server)

    def start(self, listen: str) -> int:
        """Listen on `host:port`; the port that was bound.

        Raises:
            SettingsMalformed: the address cannot be bound.
        """
        first = self._fetch_tls()
        credentials = grpc.dynamic_ssl_server_credentials(
            _configuration(first), lambda: _configuration(self._fetch_tls()), require_client_authentication=True
        )
        try:
            port = self._server.add_secure_port(listen, credentials)
        except RuntimeError:
            port = 0
        if port == 0:
            raise SettingsMalformed(key="listen", rule="an address that is free on this machine")
        self._server.start()
        return port

    def serving(self, *, yes: bool) -> None:
        """What the standard health service answers."""
        serving = health_pb2.HealthCheckResponse.SERVING if yes else health_pb2.HealthCheckResponse.NOT_SERVING
        self._health.set("", serving)

    def stop(self, grace: float) -> None:
        """Refuse new calls, let running ones end within `grace` seconds."""
        self._health.enter_graceful_shutdown()
        self._server.stop(grace).wait(grace + 1)


def _configuration(tls: ServerTls) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration([(tls.key, tls.certificate)], root_certificates=tls.roots)
