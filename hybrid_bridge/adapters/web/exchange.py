"""One HTTP exchange, bounded in bytes and in time, headers included. No redirect, no proxy, no second try.

The URL may hold a key and is never shown; errors name the service instead.
"""

import http.client
import socket
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
MAX_ADDRESSES: Final = 8  # of a name that are tried: its owner may list hundreds that swallow what they are sent
_AT_LEAST: Final = 0.001  # seconds; a socket's timeout of 0 would mean another thing
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
            connection.sock = self._dialled(connection, deadline)
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
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        return kind(parts.hostname or "", parts.port or _PORTS[parts.scheme])

    def _dialled(self, connection: http.client.HTTPConnection, deadline: float) -> socket.socket:
        line = _dial(connection.host, connection.port, deadline)
        line.settimeout(max(deadline - time.monotonic(), _AT_LEAST))
        if not isinstance(connection, http.client.HTTPSConnection):
            return line
        try:
            context = self.context or ssl.create_default_context()
            return context.wrap_socket(line, server_hostname=connection.host)
        except BaseException:
            line.close()
            raise

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


def _dial(host: str, port: int, deadline: float) -> socket.socket:
    """The first of a name's addresses that answers; each has its share of the time that is left.

    Raises:
        OSError: none does, or nobody knows the name.
    """
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[:MAX_ADDRESSES]
    for number, (family, kind, protocol, _, address) in enumerate(addresses):
        line = socket.socket(family, kind, protocol)
        line.settimeout(max((deadline - time.monotonic()) / (len(addresses) - number), _AT_LEAST))
        try:
            line.connect(address)
        except OSError:
            line.close()
        else:
            return line
    raise OSError


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
