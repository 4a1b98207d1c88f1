"""A strict server of web3signer's eth1 API (23.11) on loopback, for tests: what its API does not allow fails the test.

Honest unless a test gives it another `answer`. It hashes for itself, as the real one does: keccak-256, no prefix.
"""

import json
import re
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.core.signing import public_key_of, sign_digest

Reply = tuple[int, str, bytes]  # status, media type, body
TEXT = "text/plain; charset=utf-8"


def honest(private: bytes) -> Callable[[bytes], Reply]:
    """Signs what it is given."""
    return lambda data: (200, TEXT, b"0x" + sign_digest(private, keccak256(data)).hex().encode())


class RemoteSigner:
    """A server with one key."""

    def __init__(self, private: bytes, context: ssl.SSLContext | None = None) -> None:
        self.identifier = "0x" + public_key_of(private)[1:].hex()
        self.answer = honest(private)
        self.asked: list[bytes] = []
        self.complaints: list[str] = []
        signer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, media_type, payload = signer.judged(self.path, self.headers, body)
                self.send_response(status)
                self.send_header("Content-Type", media_type)
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, *args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def finish_request(self, request: Any, address: Any) -> None:
                if context is None:
                    super().finish_request(request, address)
                    return
                # In this connection's thread: a handshake that fails harms no other.
                with context.wrap_socket(request, server_side=True) as wrapped:
                    super().finish_request(wrapped, address)

            def handle_error(self, *args: Any) -> None:
                pass  # a client that hangs up is the client's business

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        scheme = "http" if context is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_address[1]}"

    def judged(self, path: str, headers: Any, body: bytes) -> Reply:
        """The answer to one request, after a look at its form."""
        if path != f"/api/v1/eth1/sign/{self.identifier}":
            return 404, TEXT, b""
        try:
            given = json.loads(body)
            if set(given) != {"data"} or not re.fullmatch(r"0x([0-9a-f]{2})+", given["data"]):
                raise ValueError(body)
            if headers["Content-Type"] != "application/json":
                raise ValueError(headers["Content-Type"])
        except (ValueError, TypeError) as error:
            self.complaints.append(str(error))
            return 400, TEXT, b""
        self.asked.append(bytes.fromhex(given["data"][2:]))
        return self.answer(self.asked[-1])

    def __enter__(self) -> "RemoteSigner":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
