"""A channel that shows the certificate of the day, and never speaks to a server whose certificate was revoked.

grpcio cannot change a channel's certificate and knows no revocation list. So a channel is opened anew when the files
have changed, and the one before it is closed when its calls have had their time. With a list in force the server's
certificate is fetched first, judged, and made the only root of the channel: then nobody can show another one, and it
is judged again before each call (ADR 40, RELAYER §6).
"""

import select
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

import grpc

from hybrid_bridge.errors import BridgeError, Unreachable
from hybrid_bridge.rpc.channel import ClientTls, open_channel
from hybrid_bridge.rpc.faults import call_status

LAST_CALLS: Final = 120.0  # seconds that calls on a channel of yesterday get to end; a stream lasts 60
HANDSHAKE: Final = 5.0  # seconds, of the whole of it: whoever sends a byte now and then wins no more
MAX_RETIRED: Final = 4  # channels of before whose calls may still end; more are made only by a peer that takes no call
MAX_WAITING: Final = 32  # calls to one server that wait for its certificate; more than all loops and submits of a node


class TlsSource(Protocol):
    """The files behind a channel, as they are now."""

    def current(self) -> ClientTls:
        """What to show; the same object while nothing has changed."""

    @property
    def judges(self) -> bool:
        """Whether there is a revocation list."""

    def judge(self, certificate: bytes) -> None:
        """Return if this certificate (PEM) is good now.

        Raises:
            BridgeError: it is not, or that cannot be said.
        """


def channel_to(endpoint: str, server_name: str, tls: ClientTls | TlsSource) -> grpc.Channel:
    """A channel to `endpoint` that talks to nobody but `server_name`. Connects on first use."""
    if isinstance(tls, ClientTls):
        return open_channel(endpoint, server_name, tls)
    return RenewedChannel(endpoint, server_name, tls)


@dataclass(slots=True)
class _Open:
    channel: grpc.Channel
    tls: ClientTls
    pin: bytes  # PEM of the one certificate that the server may show; empty: any of the consortium's for its name
    stale: bool = False


class RenewedChannel(grpc.Channel):
    """As a channel; the real one may be another for each call."""

    def __init__(self, endpoint: str, server_name: str, source: TlsSource) -> None:
        self._endpoint, self._name, self._source = endpoint, server_name, source
        self._turn = threading.Condition()
        self._fetching, self._waiting, self._resting = False, 0, 0.0
        self._open: _Open | None = None
        self._closed = False
        self._retired: list[tuple[float, grpc.Channel]] = []

    def opened(self, wait: float = HANDSHAKE) -> _Open:
        """The channel for a call that begins now and may wait so long for it.

        One thread at a time fetches the server's certificate, and never under the lock: the others wait for what it
        finds, no longer than they may, and no more of them than a bound. After a server that was silent nobody asks
        for as long again as the silence took: such calls fail at once.

        Raises:
            BridgeError: the server's certificate is not good.
            Unreachable: it shows none, in time; too many wait already, or this channel was closed.
        """
        end = time.monotonic() + wait
        with self._turn:
            while True:
                self._require_open()
                self._close_retired(time.monotonic())
                tls, open_now = self._source.current(), self._open
                if open_now is not None and self._is_current(open_now, tls):
                    if open_now.pin:
                        self._judge(open_now.pin)
                    return open_now
                if not self._source.judges:
                    return self._renewed(tls, b"")
                if not self._fetching:
                    self._fetching = True
                    break
                self._wait(end)
        return self._fetched(tls)

    def _require_open(self) -> None:
        if self._closed or time.monotonic() < self._resting:  # whoever still holds it would open what nobody closes
            raise Unreachable(endpoint=self._name, call="open")

    def _is_current(self, open_now: _Open, tls: ClientTls) -> bool:
        return not open_now.stale and open_now.tls is tls and self._source.judges == bool(open_now.pin)

    def _wait(self, end: float) -> None:
        left = end - time.monotonic()
        if left <= 0 or self._waiting >= MAX_WAITING:
            raise Unreachable(endpoint=self._name, call="handshake")
        self._waiting += 1
        try:
            self._turn.wait(left)
        finally:
            self._waiting -= 1

    def _fetched(self, tls: ClientTls) -> _Open:
        begun = time.monotonic()
        try:
            pin = server_certificate(self._endpoint, self._name, tls.roots)
            with self._turn:
                self._require_open()
                self._judge(pin)
                return self._renewed(tls, pin)
        except Unreachable:
            with self._turn:
                self._resting = 2 * time.monotonic() - begun  # nothing after a refusal
            raise
        finally:
            with self._turn:
                self._fetching = False
                self._turn.notify_all()

    def failed(self, used: _Open) -> None:
        """The server could not be reached: it may show another certificate than the one that was judged."""
        used.stale = bool(used.pin)

    def close(self) -> None:
        """Close them all, for good; calls at work are cancelled."""
        with self._turn:
            self._closed = True
            self._close_retired(float("inf"))
            self._close_open()
            self._turn.notify_all()

    def _renewed(self, tls: ClientTls, pin: bytes) -> _Open:
        shown = replace(tls, roots=pin) if pin else tls
        made = _Open(open_channel(self._endpoint, self._name, shown), tls, pin)
        if self._open is not None:
            self._retired.append((time.monotonic() + LAST_CALLS, self._open.channel))
            self._close_retired(self._retired[0][0] if len(self._retired) > MAX_RETIRED else 0.0)
        self._open = made
        return made

    def _judge(self, certificate: bytes) -> None:
        try:
            self._source.judge(certificate)
        except BridgeError:
            self._close_open()  # what is at work there is cut
            raise

    def _close_open(self) -> None:
        if self._open is not None:
            self._open.channel.close()
            self._open = None

    def _close_retired(self, now: float) -> None:
        for end, channel in self._retired:
            if end <= now:
                channel.close()
        self._retired = [(end, channel) for end, channel in self._retired if end > now]

    # ── as grpc wants it ─────────────────────────────────────────────────────────────────────────────────────────────

    def unary_unary(self, method: str, *codecs: Any, **more: Any) -> Any:  # noqa: ANN401 grpc's own types
        """See `grpc.Channel`, as the other three."""
        return _Method(self, "unary_unary", method, codecs, more)

    def unary_stream(self, method: str, *codecs: Any, **more: Any) -> Any:  # noqa: ANN401
        """See `unary_unary`."""
        return _Method(self, "unary_stream", method, codecs, more)

    def stream_unary(self, method: str, *codecs: Any, **more: Any) -> Any:  # noqa: ANN401
        """See `unary_unary`."""
        return _Method(self, "stream_unary", method, codecs, more)

    def stream_stream(self, method: str, *codecs: Any, **more: Any) -> Any:  # noqa: ANN401
        """See `unary_unary`."""
        return _Method(self, "stream_stream", method, codecs, more)

    def subscribe(self, callback: Callable[..., None], try_to_connect: bool = False) -> None:  # noqa: FBT001, FBT002
        """Of the channel of the moment."""
        self.opened().channel.subscribe(callback, try_to_connect)

    def unsubscribe(self, callback: Callable[..., None]) -> None:
        """Of the channel of the moment."""
        self.opened().channel.unsubscribe(callback)

    def __enter__(self) -> "RenewedChannel":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Method:
    """One method on whatever channel is open when it is called."""

    def __init__(
        self, channel: RenewedChannel, kind: str, path: str, codecs: tuple[Any, ...], more: dict[str, Any]
    ) -> None:
        self._channel, self._kind, self._codecs, self._more = channel, kind, codecs, more
        self._method = path.encode("ascii")  # as grpc names it
        self._made: tuple[_Open | None, Any] = None, None

    def __call__(self, request: Any, **options: Any) -> Any:  # noqa: ANN401 grpc's own types
        begun, timeout = time.monotonic(), options.get("timeout")
        used = self._channel.opened(HANDSHAKE if timeout is None else timeout)
        if timeout is not None:
            options["timeout"] = max(0.0, timeout - (time.monotonic() - begun))
        try:
            return self._on(used)(request, **options)
        except grpc.RpcError as failure:
            if call_status(failure) is grpc.StatusCode.UNAVAILABLE:
                self._channel.failed(used)
            raise

    def _on(self, used: _Open) -> Any:  # noqa: ANN401 grpc's own types
        owner, made = self._made
        if owner is not used:
            make = getattr(used.channel, self._kind)
            made = make(self._method.decode("ascii"), *self._codecs, **self._more)
            self._made = used, made
        return made


def server_certificate(endpoint: str, server_name: str, roots: bytes) -> bytes:
    """The certificate (PEM) that `server_name` shows at `endpoint`, signed by one of our roots.

    Ours is not shown: the server ends the connection when it misses it, and we have seen by then what we came for.

    Raises:
        Unreachable: nobody there shows one.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols(["h2"])
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # a root of ours may be under another's, as for grpc
    context.minimum_version = ssl.TLSVersion.TLSv1_3  # before, a server asks for ours first
    host, _, port = endpoint.rpartition(":")
    try:
        context.load_verify_locations(cadata=roots.decode("ascii"))
        end = time.monotonic() + HANDSHAKE
        with (
            socket.create_connection((host.strip("[]"), int(port)), HANDSHAKE) as plain,
            context.wrap_socket(plain, server_hostname=server_name, do_handshake_on_connect=False) as secured,
        ):
            _shake(secured, end)
            shown = secured.getpeercert(binary_form=True)
    except (OSError, ValueError):
        shown = None
    if not shown:
        raise Unreachable(endpoint=server_name, call="handshake")
    return ssl.DER_cert_to_PEM_cert(shown).encode("ascii")


def _shake(secured: ssl.SSLSocket, end: float) -> None:
    """The handshake, over by `end`.

    Raises:
        OSError: it failed, or was not.
    """
    secured.setblocking(False)  # noqa: FBT003 the library's own spelling
    ready = select.poll()  # as `select` knows no descriptor above 1,023
    while True:
        try:
            secured.do_handshake()
        except ssl.SSLWantReadError:
            ready.register(secured, select.POLLIN)
        except ssl.SSLWantWriteError:
            ready.register(secured, select.POLLOUT)
        else:
            return
        left = end - time.monotonic()
        if left <= 0 or not ready.poll(1_000 * left):
            raise TimeoutError
