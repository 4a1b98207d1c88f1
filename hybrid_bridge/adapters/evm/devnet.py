"""The embedded public chain as a loopback server: JSON-RPC over HTTP, public blocks on a clock.

Only 127.0.0.1 and only test money: whoever reaches the port may do everything. An error becomes a JSON-RPC answer,
never a dropped connection. One lock serves requests and clock one after the other.
"""

import json
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar, Final, Self

import rlp
from eth.exceptions import PyEVMError
from eth_utils.exceptions import ValidationError

from hybrid_bridge.adapters.evm.dev_chain import DevChain, RpcRefused
from hybrid_bridge.adapters.evm.dev_journal import STATE_FILE, Birth, ChainJournal
from hybrid_bridge.adapters.evm.dev_rpc import DevRpc
from hybrid_bridge.adapters.evm.json_text import require_shallow
from hybrid_bridge.core.encoding import Json
from hybrid_bridge.errors import StoreBroken
from hybrid_bridge.units import Address, ChainId, UnixSeconds, Wei

HOST: Final = "127.0.0.1"
CHAIN_ID: Final = ChainId(31337)  # that of local test chains, so that no wallet takes it for a real one
MAX_REQUEST: Final = 2 << 20  # bytes; a deployment has some 30,000
_UNFORESEEN: Final = (
    PyEVMError,
    ValidationError,
    rlp.RLPException,
    ArithmeticError,
    AssertionError,
    LookupError,
    OSError,
)
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class DevnetSettings:
    """What a devnet is started with. `period` 0 makes public blocks on request only (`automine`, `evm_mine`)."""

    chain_id: ChainId = CHAIN_ID
    period: int = 2  # seconds between public blocks
    finality_depth: int = 4  # public blocks between newest and finalized
    automine: bool = False  # one public block for each transaction, at once
    port: int = 0  # 0: any free one
    funds: tuple[tuple[Address, Wei], ...] = ()
    state_file: Path | None = None  # where public blocks are kept, and found again; None: nowhere
    allow_origin: str | None = None  # whose pages may ask: an origin, `null` (from disk), `*`; None: nobody's


class Devnet:
    """A running embedded public chain. `stop` ends it; as a context manager it does so by itself."""

    def __init__(self, settings: DevnetSettings, now: Callable[[], UnixSeconds]) -> None:
        """Listen, and make again what the state file holds; nobody is answered yet.

        Raises:
            OSError: the port is taken.
            SettingsMalformed, StoreBroken: the state file is not this chain's, or damaged.
        """
        self.settings = settings
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._broken: StoreBroken | None = None
        self._now = now
        self._server = _Server((HOST, settings.port), type("_Handler", (_Handler,), {"devnet": self}))
        self._journal: ChainJournal | None = None
        try:
            self._chain = self._made_again()
        except BaseException:
            self._give_up()
            raise
        self._rpc = DevRpc(self._chain, settings.finality_depth, now, automine=settings.automine)
        self._threads = [
            threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        ]
        if settings.period:
            self._threads.append(threading.Thread(target=self._tick, daemon=True))

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> Self:
        """Serve and mine in the background."""
        for thread in self._threads:
            thread.start()
        return self

    def end(self) -> None:
        """Ask `wait` to return; safe in a signal handler."""
        self._stopping.set()

    def wait(self) -> None:
        """Until somebody ends it.

        Raises:
            StoreBroken: the state file could not be written; what was not kept was not announced.
        """
        while not self._stopping.wait(1.0):
            pass  # a signal that the system gave to another thread is handled when this one wakes by itself
        if self._broken is not None:
            raise self._broken

    def stop(self) -> None:
        """Answer nothing more; returns when the threads have ended."""
        self._stopping.set()
        if self._threads[0].is_alive():
            self._server.shutdown()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout=10)
        self._give_up()

    def _give_up(self) -> None:
        self._server.server_close()
        if self._journal is not None:
            self._journal.close()

    def _made_again(self) -> DevChain:
        """The chain of the state file, or a new one."""
        settings = self.settings
        birth = Birth(chain_id=settings.chain_id, born=UnixSeconds(self._now() - 1), funds=dict(settings.funds))
        if settings.state_file is None:
            return DevChain(birth)
        self._journal = ChainJournal(settings.state_file)
        birth, kept = self._journal.restored(birth)
        try:
            chain = DevChain(birth, self._journal.append)
            for sealed in kept:
                chain.replay(sealed)
        except (*_UNFORESEEN, ValueError, TypeError) as error:
            raise StoreBroken(store=STATE_FILE, rule=f"a chain that can be made again ({error!r:.120})") from None
        return chain

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _tick(self) -> None:
        """A public block each period. A late one is not made up for."""
        period = self.settings.period
        due = time.monotonic() + period
        while not self._stopping.wait(due - time.monotonic()):
            self.mine()
            due = max(due, time.monotonic() - period) + period

    def mine(self) -> None:
        """One public block now. What goes wrong is logged: the next one may do better."""
        try:
            with self._lock:
                self._require_sound()
                self._chain.mine(self._now())
        except StoreBroken as error:
            self._break(error)
        except _UNFORESEEN:
            _LOG.exception("devnet could not make a public block")

    def _require_sound(self) -> None:
        """Once a public block could not be kept, nothing is announced any more."""
        if self._broken is not None:
            raise self._broken

    def _break(self, error: StoreBroken) -> None:
        self._broken = self._broken or error
        self._stopping.set()

    def serve(self, body: bytes) -> bytes:
        """The answer to the body of one HTTP request: a call or a batch of calls."""
        try:
            request = json.loads(require_shallow(body))
        except ValueError:
            return _encode(_error(None, -32700, "parse error"))
        if isinstance(request, list) and request:
            return _encode([self._answer(one) for one in request])
        return _encode(self._answer(request))

    def _answer(self, request: Any) -> Json:  # noqa: ANN401  # whatever a client sends
        if not isinstance(request, dict):
            return _error(None, -32600, "invalid request")
        asked = request.get("id")
        try:
            with self._lock:
                self._require_sound()
                result = self._rpc.answer(request.get("method"), request.get("params", []))
        except RpcRefused as refused:
            return _error(asked, refused.code, refused.message, refused.data)
        except StoreBroken as error:
            self._break(error)
            return _error(asked, -32603, str(error))
        except _UNFORESEEN as error:
            _LOG.exception("devnet could not answer %.60r", request.get("method"))
            return _error(asked, -32603, f"internal error: {type(error).__name__}")
        return {"jsonrpc": "2.0", "id": asked, "result": result}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


class _Handler(BaseHTTPRequestHandler):
    devnet: Devnet
    protocol_version = "HTTP/1.1"  # connections are kept
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave together
    timeout: ClassVar[float | None] = 60  # seconds for an idle connection

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MAX_REQUEST:
            self.close_connection = True
            self._send(413, _encode(_error(None, -32600, "a request has a length, and a small one")))
            return
        self._send(200, self.devnet.serve(self.rfile.read(int(length))))

    def do_OPTIONS(self) -> None:
        """What a browser asks before it lets a page ask."""
        self._send(204, b"")

    def do_GET(self) -> None:
        self._send(405, _encode(_error(None, -32600, "POST a JSON-RPC call")))

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if self.devnet.settings.allow_origin is not None:
            self.send_header("Access-Control-Allow-Origin", self.devnet.settings.allow_origin)
            self.send_header("Access-Control-Allow-Headers", "Content-Type")
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        _LOG.debug(format, *args)


def _error(asked: Json, code: int, message: str, data: str | None = None) -> Json:
    error: dict[str, Json] = {"code": code, "message": message}
    if data is not None:
        error["data"] = data
    return {"jsonrpc": "2.0", "id": asked, "error": error}


def _encode(answer: Json) -> bytes:
    return json.dumps(answer).encode()
