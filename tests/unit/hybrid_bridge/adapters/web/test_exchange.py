"""One HTTP exchange against servers that behave badly."""

import socket
import threading
import time
from contextlib import contextmanager, suppress

import pytest

from hybrid_bridge.adapters.web.exchange import MAX_ADDRESSES, Service
from hybrid_bridge.errors import AnswerMalformed, FieldMalformed, TooLong, Unreachable
from tests.tsa import Served


@contextmanager
def raw(*pieces: bytes, hold: bool = False):
    """A server that sends these pieces whatever it is asked, and closes, or holds the line until the test is over."""
    over = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        with listener.accept()[0] as line:
            line.recv(65_536)
            for piece in pieces:
                line.sendall(piece)
            if hold:
                over.wait(30)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/x"
    finally:
        over.set()
        thread.join()
        listener.close()


def post(url: str, path: str = "", **bounds):
    return Service("it", url, **bounds).post(path, b"question", {"Content-Type": "text/plain"})


def test_an_answer_comes_with_status_type_and_body():
    with Served(lambda body: (404, {"Content-Type": "Text/X.Y; charset=utf-8"}, body[::-1])) as served:
        answer = post(served.url)
    assert (answer.status, answer.media_type, answer.body) == (404, "text/x.y", b"noitseuq")


def test_a_redirect_is_an_answer_like_another():
    with Served(lambda _: (302, {"Location": "http://127.0.0.1:1/"}, b"")) as served:
        assert post(served.url).status == 302


def test_an_answer_that_is_too_long_is_refused():
    with Served(lambda _: (200, {}, bytes(11))) as served, pytest.raises(TooLong):
        post(served.url, max_answer=10)
    with Served(lambda _: (200, {}, bytes(10))) as served:
        assert len(post(served.url, max_answer=10).body) == 10


def test_half_an_answer_is_none():
    with raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc") as url, pytest.raises(Unreachable):
        post(url)
    with raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab") as url, pytest.raises(Unreachable):
        post(url)


def test_no_answer_is_none():
    with raw() as url, pytest.raises(Unreachable):
        post(url)
    with pytest.raises(Unreachable):
        post("http://127.0.0.1:1/")


def test_what_is_no_http_is_malformed():
    with raw(b"SSH-2.0-OpenSSH\r\n\r\n") as url, pytest.raises(AnswerMalformed):
        post(url)
    with raw(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n") as url, pytest.raises(AnswerMalformed):
        post(url)


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1"])
def test_a_server_that_stops_talking_is_left_at_the_deadline(start):
    with raw(start, hold=True) as url, pytest.raises(Unreachable):
        post(url, timeout=1)


@pytest.mark.parametrize(
    "url",
    ["", "ftp://h/", "http://", "http:///x", "http://u@h/", "http://u:p@h/", "http://h/#f", "http://h/ x", "http://h:0/",
     "http://h:99999/", "http://h/\n", "http://[h/", "http://h/\u00e9"],
)  # fmt: skip
def test_what_is_no_plain_url_is_refused_and_not_shown(url):
    with pytest.raises(FieldMalformed) as caught:
        Service("it", url)
    assert caught.value.field == "url"


def test_a_path_is_put_after_the_url_s_own():
    seen = []

    with raw(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as url:
        seen.append(post(url + "/", "/add-checkpoint").status)
    assert seen == [200]


def test_a_server_that_drips_its_handshake_gets_no_more_time_than_a_silent_one():
    over = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def drip():
        with listener.accept()[0] as line, suppress(OSError):
            line.sendall(b"\x16\x03\x03\x40\x00")  # a record of 16 KiB is to come
            for _ in range(400):
                line.sendall(b"\x02")
                if over.wait(0.1):
                    return

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    began = time.monotonic()
    with pytest.raises(Unreachable):
        post(f"https://127.0.0.1:{listener.getsockname()[1]}/x", timeout=1)
    assert time.monotonic() - began < 20
    over.set()
    thread.join()
    listener.close()


# ── names with many addresses ───────────────────────────────────────────────────────────────────────────────────────


def known_as(monkeypatch: pytest.MonkeyPatch, ports: list[int]):
    """A name whose addresses are these ports of this machine."""
    rows = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in ports]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: rows)


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def test_a_name_is_reached_at_the_first_address_that_answers(monkeypatch: pytest.MonkeyPatch):
    with Served(lambda _: (200, {}, b"here")) as served:
        there = int(served.url.split(":")[2].split("/")[0])
        known_as(monkeypatch, [closed_port()] * (MAX_ADDRESSES - 1) + [there])
        assert post("http://service.example/x").body == b"here"


def test_of_a_name_with_hundreds_of_addresses_only_the_first_are_tried(monkeypatch: pytest.MonkeyPatch):
    with Served(lambda _: (200, {}, b"here")) as served:
        there = int(served.url.split(":")[2].split("/")[0])
        known_as(monkeypatch, [closed_port()] * MAX_ADDRESSES + [there])
        with pytest.raises(Unreachable):
            post("http://service.example/x")


def test_addresses_that_swallow_share_the_time_so_that_one_that_answers_has_its_turn(monkeypatch: pytest.MonkeyPatch):
    with socket.socket() as full, Served(lambda _: (200, {}, b"here")) as served:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]  # whoever comes now is told nothing: the queue is full
        for line in waiting:
            line.setblocking(False)
            line.connect_ex(full.getsockname())
        there = int(served.url.split(":")[2].split("/")[0])
        known_as(monkeypatch, [full.getsockname()[1], there])
        assert post("http://service.example/x", timeout=8).body == b"here"
        for line in waiting:
            line.close()
