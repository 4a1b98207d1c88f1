"""An endpoint that lies, lags, trickles or hangs: one call is one request, and only our errors come out."""

import datetime
import gzip
import ipaddress
import json
import socket
import ssl
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from urllib3.exceptions import HTTPError

from hybrid_bridge.adapters.evm.artefact import selector
from hybrid_bridge.adapters.evm.bounded_http import MAX_ANSWER, BoundedSession
from hybrid_bridge.adapters.evm.chain import Web3Chain
from hybrid_bridge.adapters.evm.rpc import JsonRpc
from hybrid_bridge.core.anchor import ANCHORED
from hybrid_bridge.errors import (
    AnswerAstray,
    AnswerMalformed,
    BridgeError,
    EndpointRefused,
    NotYet,
    StateForgotten,
    TransactionRefused,
    UnknownLog,
    Unreachable,
)
from hybrid_bridge.ports import PublicBlock, SendAnswer
from hybrid_bridge.units import (
    Address,
    LogId,
    PublicBlockHash,
    PublicBlockNumber,
    RawTransaction,
    Seconds,
    TxHash,
    UnixSeconds,
)

pytestmark = pytest.mark.evm

CONTRACT = Address(b"\xc0" * 20)
LOG = LogId(b"\x11" * 32)
RAW = RawTransaction(b"\x02raw")
AT = PublicBlock(PublicBlockNumber(7), PublicBlockHash(b"\x77" * 32), PublicBlockHash(b"\x66" * 32), UnixSeconds(1))
SOON = 30.0  # seconds: one of patience, and what a machine may stand still; who waits to the end waits a minute
Reply = Callable[[socket.socket], None]


class Hostile:
    """A TCP server on loopback that answers each HTTP request as it is told. `requests` are the bodies it has seen."""

    def __init__(self, certificate: Path | None = None) -> None:
        self.requests: list[Any] = []
        self._tls = None if certificate is None else ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        if self._tls is not None:
            self._tls.load_cert_chain(certificate)
        self.reply: Reply = lambda _: None
        self._server = socket.create_server(("127.0.0.1", 0))
        self._is_open = True
        self.url = (
            f"http{'' if certificate is None else 's'}://127.0.0.1:{self._server.getsockname()[1]}/key-of-the-operator"
        )
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while self._is_open:
            connection, _ = self._server.accept()
            with connection:
                try:
                    with self._secured(connection) as served:
                        self._one(served)
                except OSError:  # the client has gone
                    continue

    def _secured(self, connection: socket.socket) -> socket.socket:
        return connection if self._tls is None else self._tls.wrap_socket(connection, server_side=True)

    def _one(self, connection: socket.socket) -> None:
        read = b""
        while b"\r\n\r\n" not in read:
            if not (more := connection.recv(1 << 16)):
                return
            read += more
        head, _, body = read.partition(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split()[0])
        while len(body) < length:
            body += connection.recv(1 << 16)
        self.requests.append(json.loads(body))
        self.reply(connection)

    def says(self, answer: Any, status: str = "200 OK", headers: str = "") -> None:
        """Bytes as they are; an object gets the question's id, if it has none."""

        def reply(connection: socket.socket) -> None:
            told = {"id": self.asked, **answer} if isinstance(answer, dict) else answer
            body = told if isinstance(told, bytes) else json.dumps(told).encode()
            head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{headers}\r\n"
            connection.sendall(head.encode() + body)

        self.reply = reply

    @property
    def asked(self) -> Any:
        """The id of the newest question."""
        return self.requests[-1].get("id")

    def results(self, *results: Any) -> None:
        """One after the other, the last one for ever."""
        left = list(results)

        def reply(connection: socket.socket) -> None:
            result = left.pop(0) if len(left) > 1 else left[0]
            body = json.dumps({"jsonrpc": "2.0", "id": self.asked, "result": result}).encode()
            connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

        self.reply = reply

    def error(self, code: int, message: str, **more: Any) -> None:
        self.says({"jsonrpc": "2.0", "error": {"code": code, "message": message, **more}})

    def stop(self) -> None:
        self._is_open = False
        with socket.create_connection(self._server.getsockname()):
            pass
        self._thread.join(10)
        self._server.close()


@pytest.fixture
def server() -> Iterator[Hostile]:
    made = Hostile()
    yield made
    made.stop()


@pytest.fixture
def chain(server: Hostile) -> Web3Chain:
    return Web3Chain(JsonRpc("b", server.url, Seconds(30)), CONTRACT)


@pytest.fixture
def hasty(server: Hostile) -> Web3Chain:
    """For servers that are silent: it waits a second, and so is nobody's to answer."""
    return Web3Chain(JsonRpc("b", server.url, Seconds(1)), CONTRACT)


def calmed(hasty: Web3Chain) -> Web3Chain:
    """The same connections, with patience for an answer."""
    hasty.rpc._provider._request_kwargs["timeout"] = 30  # type: ignore[attr-defined]
    return hasty


# ── one call is one request; perhaps it happened ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("call", ["chain_id", "broadcast"])
def test_silence_is_unreachable_after_the_deadline_and_one_request(
    server: Hostile, hasty: Web3Chain, call: str
) -> None:
    server.reply = lambda connection: connection.recv(1) and None
    began = time.monotonic()
    with pytest.raises(Unreachable) as caught:
        hasty.broadcast(RAW) if call == "broadcast" else hasty.chain_id()
    assert (len(server.requests), time.monotonic() - began < SOON) == (1, True)
    assert (caught.value.endpoint, "key-of" in str(caught.value), caught.value.__cause__) == ("b", False, None)


def dripping(first: bytes, drop: bytes) -> Reply:
    """Sends `first`, then `drop` again and again for a minute: never silent for long, never done."""

    def drip(connection: socket.socket) -> None:
        connection.sendall(first)
        for _ in range(1_200):
            connection.sendall(drop)
            time.sleep(0.05)

    return drip


@pytest.mark.parametrize(
    ("first", "drop"),
    [(b"HTTP", b"/"), (b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a"), (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
     (b"", b"HTTP/1.1 100 Continue\r\n\r\n"), (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b" "),
     (b"HTTP/1.1 200 OK\r\n\r\n", b" "), (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
     (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n")],
    ids=["status", "one header", "many headers", "continue", "body", "body to the end", "chunks", "trailers"],
)  # fmt: skip
def test_a_trickle_of_bytes_gets_no_more_time_than_silence(
    server: Hostile, hasty: Web3Chain, first: bytes, drop: bytes
) -> None:
    server.reply = dripping(first, drop)
    began = time.monotonic()
    with pytest.raises(Unreachable):
        hasty.chain_id()
    assert 0.9 < time.monotonic() - began < SOON
    server.results("0x5")
    assert calmed(hasty).chain_id() == 5  # nothing of it stays behind


def test_all_addresses_of_a_name_share_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host with four addresses that swallow packets, then none that answers."""
    tried: list[float] = []

    def swallow(_: Any, timeout: float, **__: Any) -> None:
        tried.append(timeout)
        time.sleep(timeout)
        raise TimeoutError

    four = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"192.0.2.{i}", 80)) for i in range(4)]
    monkeypatch.setattr("hybrid_bridge.adapters.evm.bounded_http.socket.getaddrinfo", lambda *_, **__: four)
    monkeypatch.setattr("hybrid_bridge.adapters.evm.bounded_http.create_connection", swallow)
    with pytest.raises(Unreachable):
        JsonRpc("b", "http://many.example", Seconds(1)).ask("eth_chainId")
    assert (len(tried), sum(tried) <= 1) == (4, True)


def test_a_name_that_nobody_knows_is_unreachable() -> None:
    with pytest.raises(Unreachable):
        JsonRpc("b", "http://nobody.invalid", Seconds(1)).ask("eth_chainId")


@pytest.fixture
def tls_server(tmp_path: Path) -> Iterator[tuple[Hostile, Path]]:
    """A hostile server with a certificate, and the file that vouches for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = (
        builder.not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file = tmp_path / "server.pem"
    file.write_bytes(made.public_bytes(Encoding.PEM) + secret)
    server = Hostile(file)
    yield server, file
    server.stop()


@pytest.mark.parametrize("first", [b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"])
def test_a_trickle_under_tls_gets_no_more_time_either(tls_server: tuple[Hostile, Path], first: bytes) -> None:
    server, authority = tls_server
    session = BoundedSession()
    server.results("0x5")
    honest = session.post(server.url, json={}, timeout=30, verify=str(authority))
    assert honest.json()["result"] == "0x5"
    server.reply = dripping(first, b"a")
    began = time.monotonic()
    with pytest.raises((requests.RequestException, HTTPError)):
        session.post(server.url, json={}, timeout=1, verify=str(authority))
    assert time.monotonic() - began < SOON
    with pytest.raises(requests.exceptions.SSLError):
        session.post(server.url, json={}, timeout=30)


def test_an_answer_beyond_the_limit_is_not_read_on(server: Hostile, chain: Web3Chain) -> None:
    def flood(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
        while True:
            connection.sendall(bytes(1 << 20))

    server.reply = flood
    with pytest.raises(Unreachable):
        chain.chain_id()
    assert MAX_ANSWER < 1 << 26


@pytest.mark.parametrize("status", ["429 Too Many Requests", "500 Oops", "503 Later", "401 No"])
def test_a_status_of_refusal_is_unreachable_and_not_repeated(server: Hostile, chain: Web3Chain, status: str) -> None:
    server.says({"error": "x"}, status)
    for call in (chain.chain_id, lambda: chain.broadcast(RAW)):
        with pytest.raises(Unreachable):
            call()
    assert len(server.requests) == 2


def test_a_dropped_connection_is_unreachable_and_not_repeated(server: Hostile, chain: Web3Chain) -> None:
    with pytest.raises(Unreachable):
        chain.broadcast(RAW)
    assert len(server.requests) == 1


def test_a_redirect_is_not_followed(server: Hostile, chain: Web3Chain) -> None:
    for body in (b"", {"jsonrpc": "2.0", "result": "0x5"}):
        server.says(body, "302 Found", f"Location: {server.url}\r\n")
        with pytest.raises(AnswerMalformed):
            chain.chain_id()
    assert len(server.requests) == 2


@pytest.mark.parametrize("times", [1, 200])
def test_the_body_of_a_redirect_is_neither_unpacked_nor_read_without_bound(
    server: Hostile, chain: Web3Chain, times: int
) -> None:
    body = gzip.compress(bytes(1 << 20)) * times
    for packed in ("Content-Encoding: gzip\r\n", ""):
        server.says(body, "302 Found", f"Location: {server.url}\r\n{packed}")
        tracemalloc.start()
        with pytest.raises((AnswerMalformed, Unreachable)):
            chain.chain_id()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 8 * len(body) + (1 << 20)
    server.results("0x7")
    assert chain.chain_id() == 7


def test_nothing_is_kept_for_an_endpoint_that_sets_cookies(server: Hostile, chain: Web3Chain) -> None:
    odd = f"Set-Cookie: a=b; max-age={'9' * 400}\r\nSet-Cookie2: a=b; version=x\r\n"
    many = "".join(f"Set-Cookie: c{number}=d; path=/\r\n" for number in range(90))
    session = BoundedSession()
    for headers in (odd, many):
        server.says({"jsonrpc": "2.0", "result": "0x5"}, headers=headers)
        assert chain.chain_id() == 5
        assert not session.post(server.url, json={}, timeout=30).cookies
    assert not session.cookies


def framed(head: str, body: bytes) -> Callable[[int], bytes]:
    """An answer with this head; `%d` in the body is the question's id."""
    return lambda asked: f"HTTP/1.1 200 OK\r\n{head}\r\n".encode() + body.replace(b"%d", b"%d" % asked)


GOOD = b'{"jsonrpc":"2.0","id":%d,"result":"0x5"}'
SIZE = len(GOOD) - 1  # with an id of one digit
ODD_FRAMES = {
    "compressed, though nobody asked": framed(
        f"Content-Encoding: gzip\r\nContent-Length: {len(gzip.compress(GOOD))}\r\n", gzip.compress(GOOD)
    ),
    "fewer bytes than promised": framed("Content-Length: 4000\r\nConnection: close\r\n", GOOD),
    "a length that is negative": framed("Content-Length: -1\r\nConnection: close\r\n", GOOD + b"trailing"),
    "two lengths": framed(f"Content-Length: {SIZE}\r\nContent-Length: 5\r\n", GOOD),
    "a chunk of no size": framed("Transfer-Encoding: chunked\r\n", b"zz\r\n" + GOOD),
    "a chunk of a negative size": framed("Transfer-Encoding: chunked\r\n", b"-5\r\n" + GOOD),
    "a chunk of all memory": framed("Transfer-Encoding: chunked\r\n", b"ffffffffffffffff\r\n" + GOOD),
    "chunks without an end": framed("Transfer-Encoding: chunked\r\n", b"27\r\n" + GOOD),
    "a header of a megabyte": framed(f"X: {'x' * 2**20}\r\nContent-Length: {SIZE}\r\n", GOOD),
    "ten thousand headers": framed("X: y\r\n" * 10_000 + f"Content-Length: {SIZE}\r\n", GOOD),
}


@pytest.mark.parametrize("frame", ODD_FRAMES.values(), ids=ODD_FRAMES)
def test_a_frame_that_is_none_is_no_answer_and_nothing_of_it_stays_behind(
    server: Hostile, chain: Web3Chain, frame: Callable[[int], bytes]
) -> None:
    server.reply = lambda connection: connection.sendall(frame(server.asked))
    began = time.monotonic()
    with pytest.raises((Unreachable, AnswerMalformed)):
        chain.chain_id()
    assert time.monotonic() - began < SOON
    server.results("0x7")
    assert chain.chain_id() == 7


def test_a_second_answer_on_a_kept_connection_is_not_taken_for_the_next_questions(
    server: Hostile, chain: Web3Chain
) -> None:
    """What came before it was asked for names another question, whenever it is read."""
    body = b'{"jsonrpc":"2.0","id":%d,"result":"0x%d"}'

    def twice(connection: socket.socket) -> None:
        for told in (5, 6):
            said = body % (server.asked, told)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(said) + said)
        if connection.recv(1 << 16):  # the next question, if it comes on this connection
            said = body % (server.asked, 8)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(said) + said)

    server.reply = twice
    assert chain.chain_id() == 5
    server.results("0x7")
    try:
        assert chain.chain_id() == 7
    except Unreachable:  # an answer that went astray
        assert chain.chain_id() == 7


def test_nobody_listening_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        url = f"http://127.0.0.1:{held.getsockname()[1]}"
    with pytest.raises(Unreachable):
        JsonRpc("gone", url, Seconds(1)).ask("eth_chainId")


# ── answers that are not what the protocol says ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "answer",
    [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"[]", b"1", {}, {"error": 5}, {"error": {"message": "no code"}}, {"result": 5},
     {"result": "0x"}, {"result": "0x01"}, {"result": "12"}, {"result": None}, {"result": "0x" + "f" * 65}],
)  # fmt: skip
def test_an_answer_of_another_shape_is_malformed(server: Hostile, chain: Web3Chain, answer: Any) -> None:
    server.says(answer)
    with pytest.raises(AnswerMalformed) as caught:
        chain.chain_id()
    assert (caught.value.endpoint, caught.value.call) == ("b", "eth_chainId")
    with pytest.raises(BridgeError):
        chain.latest()


ASTRAY = {  # what is told of a question's id
    "the next one": lambda asked: asked + 1,
    "the one before": lambda asked: asked - 1,
    "as text": str,
    "as a fraction": float,
    "in a list": lambda asked: [asked],
    "nothing": lambda _: None,
    "true": lambda _: True,
}


@pytest.mark.parametrize("told", ASTRAY.values(), ids=ASTRAY)
@pytest.mark.parametrize("word", [{"result": "0x5"}, {"error": {"code": -32000, "message": "already known"}}])
def test_an_answer_to_another_question_is_none_and_whatever_was_asked_may_have_happened(
    server: Hostile, chain: Web3Chain, told: Callable[[int], Any], word: dict[str, Any]
) -> None:
    server.results("0x5")
    assert chain.chain_id() == 5  # so that 1 is this connection's next id, and `True` equals it
    for call in (chain.chain_id, lambda: chain.broadcast(RAW)):

        def reply(connection: socket.socket) -> None:
            body = json.dumps({"jsonrpc": "2.0", **word, "id": told(server.asked)}).encode()
            connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

        server.reply = reply
        with pytest.raises(AnswerAstray) as caught:
            call()
        assert caught.value.endpoint == "b"
    assert len(server.requests) == 3


def test_an_answer_without_an_id_or_among_others_is_none(server: Hostile, chain: Web3Chain) -> None:
    server.says(b'{"jsonrpc":"2.0","result":"0x5"}')
    with pytest.raises(AnswerAstray):
        chain.chain_id()
    for body in (
        b'[{"jsonrpc":"2.0","id":%d,"result":"0x5"}]',
        b'{"jsonrpc":"2.0","id":%d,"result":"0x5"}{"jsonrpc":"2.0","id":9,"result":"0x6"}',
        b'{"jsonrpc":"2.0","id":9,"result":"0x5","id":%d}',
        b'{"jsonrpc":"2.0","id":%d,"result":"0x5","result":"0x6"}',
        '{"jsonrpc":"2.0","id":%d,"result":"0x5"}'.encode("utf-16"),
    ):
        asked = len(server.requests)
        server.says(body.replace(b"%d", b"%d" % asked))
        with pytest.raises(AnswerMalformed):
            chain.chain_id()


def test_each_question_has_an_id_of_its_own(server: Hostile, chain: Web3Chain) -> None:
    server.results("0x5")
    for _ in range(4):
        chain.chain_id()
    assert len({request["id"] for request in server.requests}) == 4


def test_a_broadcast_answered_with_nonsense_has_perhaps_happened(server: Hostile, chain: Web3Chain) -> None:
    for answer in (b"nonsense", {"result": "0x12"}, {"result": None}):
        server.says(answer)
        with pytest.raises(Unreachable):
            chain.broadcast(RAW)


def test_what_an_endpoint_says_to_a_broadcast_is_passed_on_unjudged(server: Hostile, chain: Web3Chain) -> None:
    server.error(-32000, "already known")
    assert chain.broadcast(RAW) == SendAnswer(-32000, "already known", None)
    server.results("0x" + "ee" * 32)
    assert chain.broadcast(RAW) == SendAnswer(
        None, "", TxHash(b"\xee" * 32)
    )  # another hash than ours: the caller sees it


def test_what_is_kept_of_its_words_is_short_plain_and_without_addresses(server: Hostile, chain: Web3Chain) -> None:
    server.error(-32000, "no \ud800 at https://x.example/key " + "y " * 500)
    answer = chain.broadcast(RAW)
    assert answer.message.startswith("no ? at …")
    assert len(answer.message) <= 200
    assert answer.message.isascii() or "…" in answer.message


def test_what_is_kept_of_its_words_fits_every_database_and_moves_no_cursor(server: Hostile, chain: Web3Chain) -> None:
    """PostgreSQL takes no NUL in a text; a relayer that logs what it was told would end by it."""
    server.error(-32000, "gone\x00 \x1b[2J\x9b1A\r\n\x7f away")
    assert chain.broadcast(RAW).message == "gone? ?[2J?1A??? away"


@pytest.mark.parametrize("code", [10**30, -(2**31) - 1, 2**31, True])
def test_a_code_that_no_store_can_hold_is_no_answer(server: Hostile, chain: Web3Chain, code: int) -> None:
    server.error(code, "already known")
    with pytest.raises(Unreachable):
        chain.broadcast(RAW)


@pytest.mark.parametrize(
    "words",
    ["header not found", "header for hash not found", "Resource not found", "unknown block", "missing trie node ab",
     "block 4 is pruned",
     "finalized block not found", "BlockOutOfRangeError: block height is 0 but requested was 4095",
     "hash 0xab is not currently canonical"],
)  # fmt: skip
def test_a_public_block_that_an_endpoint_lacks_is_not_yet_there(server: Hostile, chain: Web3Chain, words: str) -> None:
    server.error(-32000, words)
    with pytest.raises(NotYet):
        chain.nonce(CONTRACT, AT)


@pytest.mark.parametrize(
    "words",
    ["missing trie node ab (path )", "historical state 3ef3 is not available", "state at block #5 is pruned",
     "World state unavailable", "No state available for block 5", "required historical state unavailable (reexec=0)"],
)  # fmt: skip
def test_a_state_that_an_ordinary_node_no_longer_keeps_is_told_apart_and_its_endpoint_named(
    server: Hostile, chain: Web3Chain, words: str
) -> None:
    server.error(-32000, words)
    for read in (
        lambda: chain.nonce(CONTRACT, AT),
        lambda: chain.balance(CONTRACT, AT),
        lambda: chain.head(LOG, AT),
        lambda: chain.simulate(CONTRACT, b"", AT),
        lambda: chain.code_hash(AT.hash),
    ):
        with pytest.raises(StateForgotten) as caught:
            read()
        assert caught.value.endpoint == "b"


def test_an_endpoint_s_own_error_keeps_its_words_but_no_address(server: Hostile, chain: Web3Chain) -> None:
    secret = "0123456789abcdef" * 3
    server.error(-32005, f"limit exceeded for key {secret}, see https://x.example/{secret}")
    with pytest.raises(EndpointRefused) as caught:
        chain.nonce(CONTRACT, AT)
    assert (caught.value.code, caught.value.reason) == (-32005, "limit exceeded for key …, see …")
    server.error(-32601, "the method eth_foo does not exist/is not available")
    with pytest.raises(EndpointRefused):
        chain.nonce(CONTRACT, AT)


def test_a_long_error_is_cut_before_it_is_searched(server: Hostile, chain: Web3Chain) -> None:
    """Patterns that search the words take quadratic time, and hold every thread meanwhile."""
    for words in ("z" * 2**21, "block " * 2**18, "://" * 2**20):
        server.error(-32000, words)
        with pytest.raises(EndpointRefused) as caught:
            chain.nonce(CONTRACT, AT)
        assert len(caught.value.reason) <= 160


def test_an_error_s_words_are_text_or_nothing(server: Hostile, chain: Web3Chain) -> None:
    for words in (None, 5, ["missing trie node"], {"a": "pruned"}):
        server.error(-32000, words)  # type: ignore[arg-type]
        with pytest.raises(EndpointRefused) as caught:
            chain.nonce(CONTRACT, AT)
        assert caught.value.reason == ""


# ── lies that can be seen at once ────────────────────────────────────────────────────────────────────────────────────

BLOCK = {"number": "0x7", "hash": "0x" + "77" * 32, "parentHash": "0x" + "66" * 32, "timestamp": "0x1"}
EVENT = {
    "address": "0x" + CONTRACT.hex(),
    "topics": ["0x" + ANCHORED.hex(), "0x" + LOG.hex(), "0x" + "00" * 31 + "05"],
    "data": "0x" + "22" * 32 + "00" * 31 + "09" + "00" * 31 + "01" + "00" * 24 + "ff" * 8,
    "blockHash": BLOCK["hash"],
    "transactionHash": "0x" + "44" * 32,
    "logIndex": "0x3",
}
RECEIPT = {
    "transactionHash": "0x" + "44" * 32,
    "blockNumber": "0x7",
    "blockHash": BLOCK["hash"],
    "transactionIndex": "0x0",
    "status": "0x1",
    "gasUsed": "0x5208",
    "logs": [{"logIndex": "0x3"}],
}


def test_an_honest_event_is_read_whole(server: Hostile, chain: Web3Chain) -> None:
    server.results([EVENT], BLOCK)
    (event,) = chain.anchored(LOG, PublicBlockNumber(0), PublicBlockNumber(9))
    assert (event.tree_size, event.root, event.timestamp, event.set_id) == (5, b"\x22" * 32, 9, 1)
    assert (event.signers, event.block, event.log_index) == (2**64 - 1, AT, 3)


def test_logs_of_more_public_blocks_than_were_asked_for_cost_no_question_each(
    server: Hostile, chain: Web3Chain
) -> None:
    strays = [{**EVENT, "blockHash": f"0x{number:064x}"} for number in range(11)]
    server.results(strays, BLOCK)
    with pytest.raises(AnswerMalformed):
        chain.anchored(LOG, PublicBlockNumber(0), PublicBlockNumber(9))
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "changed",
    [{"address": "0x" + "c1" * 20}, {"topics": EVENT["topics"][:2]}, {"topics": [EVENT["topics"][1]] * 3},
     {"topics": [EVENT["topics"][0], "0x" + "12" * 32, EVENT["topics"][2]]}, {"data": EVENT["data"][:-2]},
     {"blockHash": "0x12"}, {"logIndex": None}, {"transactionHash": "0xzz"}, {"topics": "0x"},
     {"removed": True}, {"logIndex": hex(2**53)}],
)  # fmt: skip
def test_an_event_that_was_not_asked_for_is_malformed(server: Hostile, chain: Web3Chain, changed: Any) -> None:
    server.results([{**EVENT, **changed}], BLOCK)
    with pytest.raises(AnswerMalformed):
        chain.anchored(LOG, PublicBlockNumber(0), PublicBlockNumber(9))


def test_an_event_outside_the_range_is_malformed(server: Hostile, chain: Web3Chain) -> None:
    server.results([EVENT], BLOCK)
    with pytest.raises(AnswerMalformed):
        chain.anchored(LOG, PublicBlockNumber(8), PublicBlockNumber(9))


def test_a_long_range_is_asked_in_pages(server: Hostile, chain: Web3Chain) -> None:
    server.results([])
    assert not chain.anchored(LOG, PublicBlockNumber(3), PublicBlockNumber(10_005))
    asked = [(r["params"][0]["fromBlock"], r["params"][0]["toBlock"]) for r in server.requests]
    assert asked == [(hex(3), hex(5_002)), (hex(5_003), hex(10_002)), (hex(10_003), hex(10_005))]


def test_another_public_block_than_asked_for_is_malformed(server: Hostile, chain: Web3Chain) -> None:
    server.results(BLOCK)
    with pytest.raises(AnswerMalformed):
        chain.block(PublicBlockNumber(8))


def test_another_receipt_than_asked_for_is_malformed(server: Hostile, chain: Web3Chain) -> None:
    server.results(RECEIPT)
    with pytest.raises(AnswerMalformed):
        chain.receipt_status(TxHash(b"\x45" * 32))


@pytest.mark.parametrize("changed", [{"status": "0x2"}, {"gasUsed": hex(2**53)}, {"effectiveGasPrice": hex(2**63)}])
def test_a_receipt_that_no_journal_could_keep_is_malformed(server: Hostile, chain: Web3Chain, changed: Any) -> None:
    server.results(RECEIPT | changed, BLOCK)
    with pytest.raises(AnswerMalformed):
        chain.receipt_status(TxHash(b"\x44" * 32))


def test_another_public_block_than_the_named_one_is_malformed(server: Hostile, chain: Web3Chain) -> None:
    other = BLOCK | {"hash": "0x" + "78" * 32, "baseFeePerGas": "0x1"}
    server.results(RECEIPT, other)
    with pytest.raises(AnswerMalformed):
        chain.receipt_status(TxHash(b"\x44" * 32))
    server.results(other)
    with pytest.raises(AnswerMalformed):
        chain.base_fee(AT)


def test_a_number_that_no_store_can_hold_is_no_answer(server: Hostile, chain: Web3Chain) -> None:
    """Counts and times end at 2^53-1, as everywhere; a fee for each gas at SQL's integers; a balance at a word."""
    server.results(hex(2**53 - 1))
    assert chain.nonce(CONTRACT, AT) == 2**53 - 1
    server.results(hex(2**256 - 1))
    assert chain.balance(CONTRACT, AT) == 2**256 - 1
    server.results(BLOCK | {"baseFeePerGas": hex(2**63 - 1)})
    assert chain.base_fee(AT) == 2**63 - 1
    server.results(hex(2**53))
    for ask in (chain.chain_id, lambda: chain.nonce(CONTRACT, AT), lambda: chain.simulate(CONTRACT, b"", AT)):
        with pytest.raises(AnswerMalformed):
            ask()
    for changed in ({"number": hex(2**53)}, {"timestamp": hex(2**53)}):
        server.results(BLOCK | changed)
        with pytest.raises(AnswerMalformed):
            chain.latest()
    server.results(BLOCK | {"baseFeePerGas": hex(2**63)})
    with pytest.raises(AnswerMalformed):
        chain.base_fee(AT)


def test_a_receipt_whose_public_block_has_gone_is_asked_again(server: Hostile, chain: Web3Chain) -> None:
    server.results(RECEIPT, BLOCK)
    assert chain.receipt_status(TxHash(b"\x44" * 32)) == (AT, True, 21_000, None)
    server.results(RECEIPT | {"effectiveGasPrice": "0x7"}, BLOCK)
    assert chain.receipt_status(TxHash(b"\x44" * 32)) == (AT, True, 21_000, 7)
    server.results(RECEIPT, None)
    with pytest.raises(NotYet):
        chain.receipt_status(TxHash(b"\x44" * 32))
    server.results(None)
    assert chain.receipt_status(TxHash(b"\x44" * 32)) is None


@pytest.mark.parametrize("answer", ["0x", "0x" + "00" * 255, "0x" + "ff" * 256, "0x" + "00" * 255 + "05"])
def test_a_head_that_is_none_is_malformed(server: Hostile, chain: Web3Chain, answer: str) -> None:
    server.results(answer)
    with pytest.raises(AnswerMalformed):
        chain.head(LOG, AT)


def test_a_public_block_without_base_fee_is_malformed(server: Hostile, chain: Web3Chain) -> None:
    server.results(BLOCK)
    with pytest.raises(AnswerMalformed):
        chain.base_fee(AT)


@pytest.mark.parametrize(
    ("data", "reason"),
    [("0x", "reverted"), ("0xdeadbeef", "reverted deadbeef"), ("not hex", "reverted"), ({"data": "0xdeadbeef"}, "reverted deadbeef")],
)  # fmt: skip
def test_a_revert_that_the_contract_does_not_know_is_refused(
    server: Hostile, chain: Web3Chain, data: Any, reason: str
) -> None:
    server.error(3, "execution reverted", data=data)
    with pytest.raises(TransactionRefused) as caught:
        chain.simulate(CONTRACT, b"", AT)
    assert caught.value.reason == reason


@pytest.mark.parametrize("code", [3, -32015])
def test_parity_s_way_to_say_reverted_is_read_too(server: Hostile, chain: Web3Chain, code: int) -> None:
    """Its successors put a word before the bytes, and have a code of their own."""
    server.error(code, "VM execution error.", data="Reverted 0x" + selector("UnknownLog(bytes32)").hex() + "11" * 32)
    with pytest.raises(UnknownLog) as caught:
        chain.simulate(CONTRACT, b"", AT)
    assert caught.value.log_id == b"\x11" * 32


def test_public_blocks_are_named_by_hash_or_by_number_where_the_endpoint_knows_no_better(server: Hostile) -> None:
    server.results("0x5")
    rpc = JsonRpc("b", server.url, Seconds(30))
    Web3Chain(rpc, CONTRACT).nonce(CONTRACT, AT)
    Web3Chain(rpc, CONTRACT, by_hash=False).nonce(CONTRACT, AT)
    named = [request["params"][1] for request in server.requests]
    assert named == [{"blockHash": "0x" + "77" * 32, "requireCanonical": True}, "0x7"]
