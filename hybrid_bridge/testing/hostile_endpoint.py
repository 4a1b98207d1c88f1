"""A JSON-RPC server that stands before a real node and disturbs what passes, by rules that a test gives.

It delays, drops requests or replies, duplicates, reorders, lies, serves an old state, names other questions than it
was asked, and answers with 429, garbage, floods and drips. `strict` adds what anvil does not enforce (RELAYER §6): geth's rule for replacements, EIP-7825's gas
cap, and the return of reorganised transactions to the pool. Loopback only; ended by who started it.
"""

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final
from urllib.parse import urlsplit

from hybrid_bridge.core.public_transaction import SignedPublicTransaction, decode_signed
from hybrid_bridge.errors import BridgeError
from hybrid_bridge.units import RawTransaction

ANY: Final = "*"  # every method
SEND: Final = "eth_sendRawTransaction"
RAISE: Final = 10  # percent on both fees before geth takes a replacement
MAX_GAS: Final = 1 << 24  # EIP-7825
PATIENCE: Final = 30.0  # seconds for the node behind
REFUSED: Final = -32000  # geth's code for what its pool does not take

STATE_READS: Final = ("eth_call", "eth_getTransactionCount", "eth_getBalance", "eth_getCode", "eth_getProof")

Lie = Callable[[list[Any], Any], Any]  # parameters and the honest result in, the result that is told out


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back instead of the node's words. `status` 0 closes the connection without a word."""

    status: int = 200
    body: bytes = b""
    seconds_a_byte: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What happens to a request. The node is asked `asks` times: 0 loses the request, 2 doubles it."""

    asks: int = 1
    delay: float = 0.0  # seconds, before the node is asked
    is_held: bool = False  # until the next request of the same method has had its answer from the node
    answer: Answer | None = None  # instead of the node's
    envelope: Callable[[dict[str, Any]], Any] | None = (
        None  # what becomes of the reply as a whole: its id, for instance
    )


LOST_REQUEST: Final = Fault(asks=0, answer=Answer(0))
LOST_REPLY: Final = Fault(answer=Answer(0))
DOUBLED: Final = Fault(asks=2)
OVERTAKEN: Final = Fault(is_held=True)
TOO_MANY: Final = Fault(asks=0, answer=Answer(429, b"too many requests"))
FAILING: Final = Fault(asks=0, answer=Answer(500, b"<html>internal error</html>"))
NEXT_ID: Final = Fault(envelope=lambda reply: {**reply, "id": reply["id"] + 1})
TEXT_ID: Final = Fault(envelope=lambda reply: {**reply, "id": str(reply["id"])})
NO_ID: Final = Fault(envelope=lambda reply: {name: value for name, value in reply.items() if name != "id"})
BATCHED: Final = Fault(envelope=lambda reply: [reply])
GARBAGE: Final = Fault(asks=0, answer=Answer(body=b"\x00\xffno json at all"))


def flood(size: int) -> Fault:
    """An answer of so many bytes."""
    return Fault(asks=0, answer=Answer(body=b'"' + b"x" * size))


def drip(seconds_a_byte: float) -> Fault:
    """An answer that comes byte by byte."""
    return Fault(asks=0, answer=Answer(body=b'{"jsonrpc":"2.0","id":0,"result":"0x1"}', seconds_a_byte=seconds_a_byte))


class Refusal(Exception):
    """What a lie raises to answer with an error object."""

    def __init__(self, *, message: str, code: int = REFUSED) -> None:
        super().__init__(message)
        self.message, self.code = message, code


@dataclass(slots=True)
class _Rules:
    lies: dict[str, Lie] = field(default_factory=dict)
    faults: dict[str, list[Fault]] = field(default_factory=dict)  # the first is next
    lasting: set[str] = field(default_factory=set)  # methods whose fault stays


class HostileEndpoint:
    """The proxy. `url` is where it listens, `requests` what it was asked: method and parameters, in order."""

    def __init__(self, upstream: str, *, strict: bool = False) -> None:
        """Listens, but answers only from `start` (or `with`) on."""
        parts = urlsplit(upstream)
        self._node = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._rules, self._lock = _Rules(), threading.Lock()
        self._passed, self._overtaken = Counter[str](), threading.Condition()
        self._pool = StrictPool() if strict else None
        self.requests: list[tuple[str, list[Any]]] = []
        self._server = _Server(self)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> "HostileEndpoint":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Frees the port. What drips goes on in its own thread until its last byte or its reader ends."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    # ── rules ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def lie(self, method: str, lie: Lie | None) -> None:
        """From now on tell this instead of the node's result; None: the truth again."""
        with self._lock:
            if lie is None:
                self._rules.lies.pop(method, None)
            else:
                self._rules.lies[method] = lie

    def disturb(self, method: str, fault: Fault, times: int | None = None) -> None:
        """What happens to the next so many requests of this method, or `ANY`; None: to all from now on."""
        with self._lock:
            self._rules.faults[method] = [fault] * (1 if times is None else times)
            self._rules.lasting.discard(method)
            if times is None:
                self._rules.lasting.add(method)

    def freeze(self, number: int) -> None:
        """Serve the chain as it was at this public block: nothing above it is known."""
        self.lie("eth_blockNumber", lambda _, honest: hex(min(number, int(honest, 16))))
        self.lie("eth_getBlockByNumber", lambda params, honest: self._block_up_to(number, params, honest))
        self.lie("eth_getBlockByHash", lambda _, honest: None if _above(number, honest, "number") else honest)
        self.lie(
            "eth_getTransactionReceipt", lambda _, honest: None if _above(number, honest, "blockNumber") else honest
        )
        self.lie("eth_getLogs", lambda _, honest: [log for log in honest if not _above(number, log, "blockNumber")])
        for method in STATE_READS:
            self.lie(method, partial(self._old_state, number, method))

    def hold_final(self, number: int) -> None:
        """The tag `finalized` stays at this public block, whatever comes after."""

        def held(params: list[Any], honest: Any) -> Any:
            return self.ask("eth_getBlockByNumber", hex(number), False) if params[0] == "finalized" else honest

        self.lie("eth_getBlockByNumber", held)

    def honest(self) -> None:
        """No lie and no fault from now on; strict stays strict."""
        with self._lock:
            self._rules = _Rules()

    def asked(self, method: str) -> int:
        """How often it was asked this."""
        return sum(one == method for one, _ in self.requests)

    # ── what passes ──────────────────────────────────────────────────────────────────────────────────────────────────

    def ask(self, method: str, *params: Any) -> Any:
        """The node's own result, for rules that need more than one."""
        return self._forward({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}).get("result")

    def answer(self, request: dict[str, Any]) -> Answer:
        """What one request gets."""
        method, params = str(request.get("method")), list(request.get("params") or [])
        with self._lock:
            self.requests.append((method, params))
            fault, lie = self._next_fault(method) or Fault(), self._rules.lies.get(method)
            passed = self._passed[method]
        time.sleep(fault.delay)
        reply: dict[str, Any] = {}
        with self._overtaken:
            if fault.is_held:
                self._overtaken.wait_for(lambda: self._passed[method] > passed, PATIENCE)
        for _ in range(fault.asks):
            reply = self._judged(request, method, params)
        with self._overtaken:
            self._passed[method] += 1
            self._overtaken.notify_all()
        if fault.answer is not None:
            return fault.answer
        told: Any = reply if lie is None else _told(lie, params, reply)
        return Answer(body=json.dumps(told if fault.envelope is None else fault.envelope(told)).encode())

    def _judged(self, request: dict[str, Any], method: str, params: list[Any]) -> dict[str, Any]:
        refusal = self._pool.refusal(params[0], self.ask) if self._pool is not None and method == SEND else None
        if refusal is not None:
            return _refused(request, Refusal(message=refusal))
        reply = self._forward(request)
        if self._pool is not None and method in {"anvil_reorg", "anvil_rollback"}:
            self._pool.reinject(self.ask)
        return reply

    def _next_fault(self, method: str) -> Fault | None:
        for name in (method, ANY):
            if waiting := self._rules.faults.get(name):
                return waiting[0] if name in self._rules.lasting else waiting.pop(0)
        return None

    def _forward(self, request: Mapping[str, Any]) -> dict[str, Any]:
        connection = http.client.HTTPConnection(*self._node, timeout=PATIENCE)
        try:
            connection.request("POST", "/", json.dumps(request), {"Content-Type": "application/json"})
            reply: dict[str, Any] = json.loads(connection.getresponse().read())
            return reply
        finally:
            connection.close()

    def _block_up_to(self, number: int, params: list[Any], honest: Any) -> Any:
        if not _above(number, honest, "number"):
            return honest
        is_tag = not str(params[0]).startswith("0x")
        return self.ask("eth_getBlockByNumber", hex(number), *params[1:]) if is_tag else None

    def _old_state(self, number: int, method: str, params: list[Any], honest: Any) -> Any:
        if params[-1] == "latest":
            return self.ask(method, *params[:-1], hex(number))
        if isinstance(params[-1], dict) and "blockHash" in params[-1]:
            block = self.ask("eth_getBlockByHash", params[-1]["blockHash"], False)
            if block is None or _above(number, block, "number"):
                raise Refusal(message="header for hash not found")
        return honest


def _told(lie: Lie, params: list[Any], reply: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"jsonrpc": "2.0", "id": reply.get("id"), "result": lie(params, reply.get("result"))}
    except Refusal as refusal:
        return _refused(reply, refusal)


def _refused(request: dict[str, Any], refusal: Refusal) -> dict[str, Any]:
    error = {"code": refusal.code, "message": refusal.message}
    return {"jsonrpc": "2.0", "id": request.get("id"), "error": error}


def _above(number: int, answer: Any, key: str) -> bool:
    return isinstance(answer, dict) and int(answer[key], 16) > number


class StrictPool:
    """What geth's pool refuses and anvil's takes, and what geth's takes back after a reorganisation."""

    def __init__(self) -> None:
        self._taken: dict[str, SignedPublicTransaction] = {}  # by their bytes, in order of arrival

    def refusal(self, raw: str, ask: Callable[..., Any]) -> str | None:
        """geth's words; None: it goes on to the node."""
        try:
            offered = decode_signed(RawTransaction(bytes.fromhex(raw[2:])))
        except BridgeError:  # other types of transactions than ours are the node's to judge
            return None
        if offered.transaction.gas > MAX_GAS:
            return f"transaction gas limit too high (cap: {MAX_GAS}, tx: {offered.transaction.gas})"
        rivals = [one for one in self._taken.values() if _is_rival(one, offered) and _waits(one, ask)]
        if any(not _outbids(offered, one) for one in rivals):
            return "replacement transaction underpriced"
        self._taken[raw] = offered
        return None

    def reinject(self, ask: Callable[..., Any]) -> None:
        """Offer what stands nowhere any more, in the order of its arrival; of rivals the last."""
        newest = {(one.sender, one.transaction.nonce): raw for raw, one in self._taken.items()}
        for raw in newest.values():
            if ask("eth_getTransactionByHash", "0x" + self._taken[raw].hash.hex()) is None:
                ask(SEND, raw)


def _is_rival(one: SignedPublicTransaction, other: SignedPublicTransaction) -> bool:
    same_nonce = (one.sender, one.transaction.nonce) == (other.sender, other.transaction.nonce)
    return same_nonce and one.hash != other.hash


def _waits(one: SignedPublicTransaction, ask: Callable[..., Any]) -> bool:
    found = ask("eth_getTransactionByHash", "0x" + one.hash.hex())
    return found is not None and found.get("blockHash") is None


def _outbids(new: SignedPublicTransaction, old: SignedPublicTransaction) -> bool:
    pairs = ((new.transaction.max_fee, old.transaction.max_fee), (new.transaction.tip, old.transaction.tip))
    return all(100 * later >= (100 + RAISE) * before for later, before in pairs)


# ── HTTP ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, endpoint: HostileEndpoint) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.endpoint = endpoint

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A reader that went away is no news here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert isinstance(self.server, _Server)
        answer = self.server.endpoint.answer(request)
        if answer.status == 0:
            self.close_connection = True
            return
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if answer.seconds_a_byte:
            for at in range(len(answer.body)):
                self.wfile.write(answer.body[at : at + 1])
                self.wfile.flush()
                time.sleep(answer.seconds_a_byte)
        else:
            self.wfile.write(answer.body)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""
