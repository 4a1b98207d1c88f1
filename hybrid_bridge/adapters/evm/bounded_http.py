"""HTTP under one deadline: connecting, TLS, sending, headers and body share it, and the answer is bounded in bytes.

`requests` and what lies below it measure silence: each byte that comes starts their clock anew, so a server that drips
its headers holds a call for ever. Here every wait for the socket gets what is left of the call's time. Not covered: the
resolver that turns a name into addresses; the system's own limits hold there.
"""

import http.client
import io
import math
import socket
import threading
import time
from contextlib import ExitStack
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import NewConnectionError
from urllib3.util.connection import create_connection

from hybrid_bridge.adapters.evm.json_text import require_shallow

MAX_ANSWER: Final = 32 << 20  # bytes; all receipts of a full public block have some 20 MB as JSON
REDIRECTS: Final = 3  # hundred and more: such an answer points elsewhere
CONNECTIONS: Final = 8  # kept for each endpoint; more callers at once open more


class BoundedSession(requests.Session):
    """Reads an answer up to a size and a moment: who trickles bytes gets no more time than a silent one."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False  # no proxy, netrc or certificate store from the environment
        self.headers["Accept-Encoding"] = "identity"  # no bombs
        for scheme in ("http://", "https://"):
            self.mount(scheme, _Adapter(pool_connections=1, pool_maxsize=CONNECTIONS, max_retries=0))

    def post(self, url: str | bytes, data: Any = None, json: Any = None, **kwargs: Any) -> requests.Response:  # noqa: ANN401
        """As the parent's, but read whole within the timeout.

        Raises:
            requests.RequestException, urllib3.exceptions.HTTPError, TimeoutError: no answer, too late, or too long.
            ValueError: brackets beyond all measure, or a redirect.
        """
        _CALL.deadline = time.monotonic() + kwargs["timeout"]
        _CALL.left()
        response = super().post(url, data, json, **{**kwargs, "stream": True, "allow_redirects": False})
        body = io.BytesIO()
        with ExitStack() as unless_whole:
            unless_whole.callback(response.close)
            while chunk := response.raw.read1(1 << 16, decode_content=False):
                body.write(chunk)
                if body.tell() > MAX_ANSWER:
                    raise requests.exceptions.ReadTimeout
            unless_whole.pop_all()
        response.raw.release_conn()
        if response.status_code // 100 == REDIRECTS:
            raise ValueError(response.status_code)  # whatever its body says: it is the word of who points elsewhere
        response.raw = io.BytesIO(require_shallow(body.getvalue()))
        return response

    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002 as `requests` calls it
        """Nowhere. Told not to follow, `requests` prepares the next request anyway: reads and unpacks the body."""
        return None


class Limit:
    """Until when a thread may ask at all, by `time.monotonic`. Whoever waits for it may bring the moment forward."""

    def __init__(self, end: float = math.inf) -> None:
        self.end = end


class _Call(threading.local):
    """The call that this thread makes: until when, and until when all of its calls."""

    deadline = math.inf
    limit = Limit()

    def left(self) -> float:
        """Seconds.

        Raises:
            TimeoutError: none are left.
        """
        left = min(self.deadline, self.limit.end) - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


_CALL: Final = _Call()


def keep_to(limit: Limit) -> None:
    """From now on each call of this thread ends by this limit, too."""
    _CALL.limit = limit


class _TimedReader(io.RawIOBase):
    """What a socket receives while there is time left."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock, self._raw = sock, sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401 a writable buffer has no public type before 3.12
        self._sock.settimeout(_CALL.left())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimedResponse(http.client.HTTPResponse):
    """Headers and body come through a `_TimedReader`."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 as http.client calls it
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self.fp = io.BufferedReader(_TimedReader(sock))

    def begin(self) -> None:
        """Without cookies: a jar keeps all that an endpoint sets, some 6 MB an answer, and stumbles over odd ones."""
        super().begin()
        for name in ("Set-Cookie", "Set-Cookie2"):
            del self.headers[name]


class _Timed(HTTPConnection):
    """A connection whose every wait ends by the call's deadline."""

    response_class = _TimedResponse  # type: ignore[mutable-override]

    def _new_conn(self) -> socket.socket:
        """Connected to the first address that answers; each gets its share of the time, TLS what is left."""
        try:
            found = socket.getaddrinfo(self._dns_host, self.port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise NewConnectionError(self, str(error)) from error
        failure = "no address"
        for waiting, (*_, address) in zip(range(len(found), 0, -1), found, strict=True):
            try:
                made = create_connection(
                    (str(address[0]), self.port), _CALL.left() / waiting, socket_options=self.socket_options
                )
            except OSError as error:
                failure = str(error)
                continue
            try:
                made.settimeout(_CALL.left())
            except TimeoutError:
                made.close()
                break
            return made
        raise NewConnectionError(self, failure)

    def send(self, data: Any) -> None:  # noqa: ANN401 as http.client calls it
        if self.sock is not None:
            self.sock.settimeout(_CALL.left())
        super().send(data)


class _TimedTls(_Timed, HTTPSConnection):
    """The same under TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Timed  # type: ignore[mutable-override]


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TimedTls  # type: ignore[mutable-override]


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 as requests calls it
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
