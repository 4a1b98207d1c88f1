"""What listens on loopback: read-only, bounded, and quick to cut off whoever dawdles."""

import socket
import time
from collections.abc import Iterator
from http import HTTPStatus

import pytest

from hybrid_bridge.adapters.web.listener import DEADLINE, MAX_REQUEST, Listener, Page, answer
from hybrid_bridge.errors import SettingsMalformed

PAGE = Page(HTTPStatus.OK, "text/plain", b"all is well\n")


def pages(path: str) -> Page | None:
    return {"/livez": PAGE}.get(path)


def status(head: bytes) -> int:
    return int(answer(head, pages).split(b" ")[1])


def test_a_page_is_answered_with_its_length_and_the_connection_ends() -> None:
    said = answer(b"GET /livez?x=1 HTTP/1.1\r\nHost: a\r\n\r\n", pages)
    assert said.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nContent-Length: 12\r\n" in said
    assert b"\r\nConnection: close\r\n" in said
    assert said.endswith(b"\r\n\r\nall is well\n")


def test_head_gets_the_head_alone() -> None:
    said = answer(b"HEAD /livez HTTP/1.0\r\n\r\n", pages)
    assert b"Content-Length: 12" in said
    assert said.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("verb", [b"POST", b"PUT", b"DELETE", b"PATCH", b"OPTIONS", b"get", b""])
def test_every_other_verb_is_refused(verb: bytes) -> None:
    assert status(verb + b" /livez HTTP/1.1\r\n\r\n") == 405


@pytest.mark.parametrize("path", [b"/", b"/livez/", b"/../livez", b"/LIVEZ", b"/%6civez", b"//livez", b"\xff"])
def test_every_other_path_is_not_found(path: bytes) -> None:
    assert status(b"GET " + path + b" HTTP/1.1\r\n\r\n") == 404


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\r\n\r\n",
        b"GET /livez\r\n\r\n",
        b"GET /livez HTTP/2\r\n\r\n",
        b"GET  /livez HTTP/1.1\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nX: " + b"x" * MAX_REQUEST,
    ],
)
def test_what_is_no_request_is_a_bad_one(head: bytes) -> None:
    assert status(head) == 400


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener(("127.0.0.1", 0), pages)
    yield listener
    listener.close()


def ask(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), 30) as line:
        line.sendall(request)
        said = b""
        while more := line.recv(4096):
            said += more
        return said


def test_whoever_asks_gets_an_answer_and_whoever_goes_or_sends_too_much_stops_nobody(listener: Listener) -> None:
    good = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
    assert ask(listener.port, good).endswith(b"all is well\n")
    socket.create_connection(("127.0.0.1", listener.port), 30).close()
    assert b" 400 " in ask(listener.port, b"GET /livez HTTP/1.1\r\nX: " + b"x" * (MAX_REQUEST - 24))
    assert ask(listener.port, good).endswith(b"all is well\n")


def test_whoever_drips_bytes_is_cut_off_after_one_deadline_for_all_of_them(listener: Listener) -> None:
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", listener.port), 30) as slow:
        slow.settimeout(0.2)
        said = b"?"
        while said == b"?" and time.monotonic() - began < 30:
            try:
                slow.sendall(b"G")
                said = slow.recv(1)
            except TimeoutError:
                continue
            except OSError:
                said = b""
        assert said == b""
    assert time.monotonic() - began >= DEADLINE * 0.9
    assert ask(listener.port, b"GET /livez HTTP/1.1\r\n\r\n").endswith(b"all is well\n")


def test_a_page_that_fails_costs_its_reader_alone() -> None:
    def broken(path: str) -> Page | None:
        if path == "/broken":
            raise ValueError(path)
        return PAGE

    listener = Listener(("127.0.0.1", 0), broken)
    try:
        assert ask(listener.port, b"GET /broken HTTP/1.1\r\n\r\n") == b""
        assert ask(listener.port, b"GET /livez HTTP/1.1\r\n\r\n").endswith(b"all is well\n")
    finally:
        listener.close()


def test_an_address_that_is_taken_is_a_setting_to_mend(listener: Listener) -> None:
    with pytest.raises(SettingsMalformed) as refused:
        Listener(("127.0.0.1", listener.port), pages)
    assert refused.value.key == "listen"
