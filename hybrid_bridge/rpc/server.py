"""A server's side of a call: mutual TLS, who may call what, limits, and one way for an error to leave.

Roles are read from the client's certificate on each call: an open connection outlives expiry and rotation (RELAYER §6).
The health service, and reflection where it is enabled, answer any certificate of the consortium.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from time import monotonic
from types import SimpleNamespace
from typing import Final

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from hybrid_bridge.errors import SettingsMalformed
from hybrid_bridge.rpc.channel import MAX_MESSAGE, MAX_METADATA
from hybrid_bridge.rpc.gate import Gate
from hybrid_bridge.rpc.limits import DEFAULT, Buckets, Limits
from hybrid_bridge.rpc.service import Authenticate, Caller, Service

WORKERS: Final = 104  # each held answer and each open stream keeps one; ten members need thirty, three bad ones hold 72
MAX_CALLS: Final = 208  # at work or waiting; one more is told RESOURCE_EXHAUSTED at once
MAX_CONNECTIONS: Final = 512  # from the first packet on; a process may have no more than 1,024 descriptors
HANDSHAKE: Final = 10_000  # ms from the first packet to the end of the TLS handshake
CONNECTION_AGE: Final = 600_000  # ms; calls at work then have a twentieth of it to end


@dataclass(frozen=True, slots=True)
class ServerTls:
    """What the server shows and whose certificates it admits, as PEM."""

    roots: bytes
    certificate: bytes
    key: bytes = field(repr=False)


class MemberServer:
    """One gRPC server with a bounded thread pool. Constructed without listening."""

    def __init__(
        self,
        fetch_tls: Callable[[], ServerTls],
        authenticate: Authenticate,
        services: Sequence[Service],
        *,
        reflect: bool,
        limits: Limits = DEFAULT,
        throttled: Callable[[Caller, str], None] = lambda _caller, _kind: None,
        free: Caller | None = None,
        connection_age: int = CONNECTION_AGE,
    ) -> None:
        """`throttled` hears whose calls are refused for `limits`; `free` has none."""
        self._fetch_tls = fetch_tls
        self._health = health.HealthServicer(experimental_non_blocking=False)  # a watcher is counted like any call
        self._server = grpc.server(
            ThreadPoolExecutor(max_workers=WORKERS, thread_name_prefix="call"),
            interceptors=[Gate(services, authenticate, Buckets(limits, monotonic, free), throttled)],
            maximum_concurrent_rpcs=MAX_CALLS,
            options=(
                ("grpc.max_receive_message_length", MAX_MESSAGE),
                ("grpc.max_send_message_length", MAX_MESSAGE),
                ("grpc.max_metadata_size", MAX_METADATA),
                ("grpc.so_reuseport", 0),  # a second node on this port must fail, not share it
                ("grpc.max_concurrent_streams", 64),
                ("grpc.max_allowed_incoming_connections", MAX_CONNECTIONS),
                ("grpc.server_handshake_timeout_ms", HANDSHAKE),
                ("grpc.max_connection_age_ms", connection_age),  # after an exchange of the authority a new handshake
                ("grpc.max_connection_age_grace_ms", connection_age // 20),
            ),
        )
        for service in services:
            service.add(SimpleNamespace(**service.methods), self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        if reflect:
            reflection.enable_server_reflection([s.name for s in services], self._server)

    def start(self, listen: str) -> int:
        """Listen on `host:port`; the port that was bound.

        Raises:
            SettingsMalformed: the address cannot be bound.
        """
        shown = _Shown(self._fetch_tls)
        credentials = grpc.dynamic_ssl_server_credentials(
            _configuration(shown.tls),
            shown.changed,  # type: ignore[arg-type]  # the library takes None, its stubs have forgotten it
            require_client_authentication=True,
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


class _Shown:
    """What the server shows, asked for at each handshake."""

    def __init__(self, fetch: Callable[[], ServerTls]) -> None:
        self._fetch, self.tls = fetch, fetch()

    def changed(self) -> grpc.ServerCertificateConfiguration | None:
        """What to show from now on; None while nothing has changed.

        The library frees what it showed before while another thread's handshake may still be about to take it
        (https://github.com/grpc/grpc/issues/36693): what is the same is never handed over anew.
        """
        tls = self._fetch()
        if tls == self.tls:
            return None
        self.tls = tls
        return _configuration(tls)


def _configuration(tls: ServerTls) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration([(tls.key, tls.certificate)], root_certificates=tls.roots)
