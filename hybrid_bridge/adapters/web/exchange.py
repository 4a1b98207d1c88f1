"""One HTTP exchange, bounded in bytes and in time, headers included. No redirect, no proxy, no second try.

The URL may hold a key and is never shown; errors name the service instead.
"""

import http.client
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

from hybrid_bridge.errors import AnswerMalformed, FieldMalformed, TooLong, Unreachable
from hybrid_bridge.units import Seconds

TIMEOUT: Final = Seconds(20)  # of a whole exchange; an authority's HSM takes its time
MAX_ANSWER: Final = 1 << 20  # bytes
_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said: its status, the media type without parameters in lower case, and the whole body."""

    status: int
    media_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Service:
    """A server by name and URL; `name` stands in errors."""

    name: str
    url: str
    timeout: Seconds = TIMEOUT
    max_answer: int = MAX_ANSWER
    context: ssl.SSLContext | None = None  # whom to believe under https; the system's authorities by default

    def __post_init__(self) -> None:
        """Refuse what is no plain URL.

        Raises:
            FieldMalformed: not http or https, no host, a user in it, a bad port, a fragment, an odd character.
        """
        _parts(self.url)

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send `body` to the URL with `path` appended.

        Raises:
            Unreachable: no whole answer before the deadline; the request may have taken effect.
            AnswerMalformed: what came is no HTTP.
            TooLong: the answer is longer than allowed.
        """
        return self._ask("POST", path, body, headers)

    def get(self, path: str) -> Answer:
        """What the URL with `path` appended holds.

        Raises:
            Unreachable, AnswerMalformed, TooLong: as `post`.
        """
        return self._ask("GET", path, None, {})

    def _ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        parts = _parts(self.url)
        target = (parts.path.rstrip("/") + path if path else parts.path or "/") + f"?{parts.query}" * bool(parts.query)
        deadline = time.monotonic() + self.timeout
        connection = self._connection(parts)
        try:
            connection.connect()
            with _Watch(connection, deadline):
                connection.request(method, target, body, {"Connection": "close", **headers})
                return self._read(method, connection.getresponse(), deadline)
        except (http.client.IncompleteRead, http.client.RemoteDisconnected, OSError, ValueError):
            raise Unreachable(endpoint=self.name, call=method) from None
        except http.client.HTTPException:
            if time.monotonic() >= deadline:
                raise Unreachable(endpoint=self.name, call=method) from None
            raise AnswerMalformed(endpoint=self.name, call=method, rule="HTTP/1.1") from None
        finally:
            connection.close()

    def _connection(self, parts: SplitResult) -> http.client.HTTPConnection:
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        if parts.scheme == "https":
            context = self.context or ssl.create_default_context()
            return http.client.HTTPSConnection(host, port, timeout=self.timeout, context=context)
        return http.client.HTTPConnection(host, port, timeout=self.timeout)

    def _read(self, method: str, response: http.client.HTTPResponse, deadline: float) -> Answer:
        body = response.read(self.max_answer + 1)
        if time.monotonic() >= deadline or (response.length and len(body) <= self.max_answer):
            raise Unreachable(endpoint=self.name, call=method)  # cut off: half an answer is none
        if len(body) > self.max_answer:
            raise TooLong(field=f"answer of {self.name}", limit=self.max_answer, got=len(body))
        media_type = (response.getheader("Content-Type") or "").split(";")[0].strip().lower()
        return Answer(response.status, media_type, body)


class _Watch:
    """Cuts the connection at the deadline: a server that sends a byte now and then would hold us for ever."""

    def __init__(self, connection: http.client.HTTPConnection, deadline: float) -> None:
        self._sock = connection.sock
        self._timer = threading.Timer(max(deadline - time.monotonic(), 0), self._cut)
        self._timer.daemon = True

    def _cut(self) -> None:
        try:
            self._sock.shutdown(2)
        except OSError:  # closed already
            return

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        user = parts.username is not None or parts.password is not None
        served = parts.scheme in _PORTS and parts.hostname and parts.port != 0
    except ValueError:
        user, served, parts = False, False, urlsplit("")
    if not served or user or parts.fragment or not url.isascii() or not url.isprintable() or " " in url:
        raise FieldMalformed(field="url", rule="http or https, a host, no user and no fragment")
    return parts
