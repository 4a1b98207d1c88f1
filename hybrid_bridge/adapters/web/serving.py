"""A small HTTP server for strangers: bounded in bytes, time and callers. One handler, no state of its own."""

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import socket
from typing import Any, ClassVar, Final

from hybrid_bridge.errors import SettingsMalformed

MAX_CALLERS: Final = 32  # at once; more are turned away at the door
DEADLINE: Final = 10.0  # seconds of silence on one connection
CHUNK: Final = 1 << 16  # bytes that a caller must take within the deadline


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[str, str, bytes], Reply]  # method, path, body


class WebServer:
    """Serves until `close`. `handle` is called from many threads."""

    def __init__(self, host: str, port: int, handle: Handler, max_body: int) -> None:
        try:
            self._server = _Server((host, port), _handler(handle, max_body))
        except (OSError, OverflowError):
            raise SettingsMalformed(key="port", rule="a free port of this machine, at an address of its own") from None
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)
        self.port: int = self._server.server_address[1]

    def start(self) -> None:
        """Listen, in a thread of its own."""
        self._thread.start()

    def close(self) -> None:
        """Take no more callers; those being served are waited for."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self._room = threading.BoundedSemaphore(MAX_CALLERS)

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 as the parent's
        if not self._room.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: socket | tuple[bytes, socket], client_address: Any) -> None:  # noqa: ANN401
        """A caller who hangs up is nobody's fault; nothing of his is written down."""


def _cut(request: socket) -> None:
    with suppress(OSError):  # closed already
        request.shutdown(2)


def _write(write: Callable[[memoryview], object], body: bytes) -> None:
    """Chunk by chunk: the deadline is of one write."""
    whole = memoryview(body)
    for at in range(0, len(whole), CHUNK):
        write(whole[at : at + CHUNK])


def _handler(handle: Handler, max_body: int) -> type[BaseHTTPRequestHandler]:
    class Bounded(BaseHTTPRequestHandler):
        timeout: ClassVar[float | None] = DEADLINE
        server_version, sys_version = "hybrid-bridge", ""

        def setup(self) -> None:
            super().setup()
            self._watch = threading.Timer(3 * DEADLINE, _cut, (self.connection,))  # who trickles bytes is never silent
            self._watch.daemon = True
            self._watch.start()

        def finish(self) -> None:
            self._watch.cancel()
            super().finish()

        def _serve(self) -> None:
            length = self.headers.get("Content-Length", "0")
            self.close_connection = True
            if "Transfer-Encoding" in self.headers or not length.isascii() or not length.isdecimal():
                self._send(Reply(411, b""))
            elif len(length) > 9 or int(length) > max_body:
                self._send(Reply(413, b""))
            else:
                body = self.rfile.read(int(length))
                whole = len(body) == int(length)
                self._send(handle(self.command, self.path, body) if whole else Reply(400, b""))

        do_GET = do_HEAD = do_POST = _serve  # noqa: N815 the parent's names

        def _send(self, reply: Reply) -> None:
            self._watch.cancel()  # it was for the question: a large answer may take long, if it only goes on
            self.send_response(reply.status)
            for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                _write(self.wfile.write, reply.body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: paths and bodies are strangers' text."""

    return Bounded
