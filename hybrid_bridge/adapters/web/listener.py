"""Metrics and health over HTTP, read-only and bounded: one request at a time, one deadline for each, on loopback.

A page is made from what the last tick left behind: no request reaches the journal, an endpoint or the signer, and one
that dawdles is cut off, so a stranger on this machine can neither change nor slow anything but the next scrape. Whoever
wants it elsewhere puts a proxy with authentication before it.
"""

import socketserver
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, TypeAlias

from hybrid_bridge.errors import SettingsMalformed

MAX_REQUEST: Final = 4096  # bytes of the request's head; a scrape has some hundreds
DEADLINE: Final = 2.0  # seconds from connecting to the last byte of the answer
METRICS_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"  # of the text that Prometheus reads
BACKLOG: Final = 16  # connections that wait their turn


@dataclass(frozen=True, slots=True)
class Page:
    """An answer."""

    status: HTTPStatus
    content_type: str
    body: bytes


Pages: TypeAlias = Callable[[str], Page | None]  # a path's page; None: there is none


class Listener:
    """Answers `GET` and `HEAD` until closed."""

    def __init__(self, address: tuple[str, int], pages: Pages) -> None:
        """Listen.

        Raises:
            SettingsMalformed: the address is taken, or not this machine's.
        """
        try:
            self._server = _server(address, pages)
        except OSError as error:
            raise SettingsMalformed(key="listen", rule=f"a free address of this machine: {error.strerror}") from None
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True, name="listener")
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self._server.server_address[1]
        return port

    def close(self) -> None:
        """Stop, and free the address."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _server(address: tuple[str, int], pages: Pages) -> socketserver.TCPServer:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            end = time.monotonic() + DEADLINE
            try:
                head = self._head(end)
                if head is None:
                    return
                self.request.settimeout(max(0.01, end - time.monotonic()))
                self.request.sendall(answer(head, pages))
            except OSError:
                return  # whoever asked has gone, or was too slow

        def _head(self, end: float) -> bytes | None:
            """All up to the empty line; None when it does not come in time, or never ends."""
            head = b""
            while b"\r\n\r\n" not in head and len(head) < MAX_REQUEST:
                self.request.settimeout(max(0.01, end - time.monotonic()))
                if time.monotonic() > end or not (more := self.request.recv(MAX_REQUEST - len(head))):
                    return None
                head += more
            return head

    class Server(socketserver.TCPServer):
        allow_reuse_address = True
        request_queue_size = BACKLOG

        def handle_error(self, request: object, client_address: object) -> None:
            """A page that could not be made costs its reader the answer, and nobody else anything."""

    return Server(address, Handler)


def answer(head: bytes, pages: Pages) -> bytes:
    """The whole answer to this request."""
    words = head.split(b"\r\n", 1)[0].split(b" ")
    if b"\r\n\r\n" not in head or len(words) != 3 or not words[2].startswith(b"HTTP/1."):
        return _bytes(_plain(HTTPStatus.BAD_REQUEST), is_head=False)
    if words[0] not in {b"GET", b"HEAD"}:
        return _bytes(_plain(HTTPStatus.METHOD_NOT_ALLOWED), is_head=False)
    path = words[1].split(b"?", 1)[0].decode("ascii", "replace")
    return _bytes(pages(path) or _plain(HTTPStatus.NOT_FOUND), is_head=words[0] == b"HEAD")


def _plain(status: HTTPStatus) -> Page:
    return Page(status, "text/plain; charset=utf-8", f"{status.phrase}\n".encode())


def _bytes(page: Page, *, is_head: bool) -> bytes:
    lines = (
        f"HTTP/1.1 {page.status.value} {page.status.phrase}",
        f"Content-Type: {page.content_type}",
        f"Content-Length: {len(page.body)}",
        "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff",
        "Connection: close",
        "",
        "",
    )
    return "\r\n".join(lines).encode("ascii") + (b"" if is_head else page.body)
