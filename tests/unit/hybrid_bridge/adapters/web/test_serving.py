"""How long callers of the small web server may take: the whole question, and each part of the answer."""

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from hybrid_bridge.adapters.web import serving
from hybrid_bridge.adapters.web.serving import Reply, WebServer

BODY = b"x" * (1 << 25)  # more than two sockets hold


class Watch:
    """A timer that never fires by itself."""

    made: "list[Watch]"
    has_begun: threading.Event

    def __init__(self, _seconds: float, fire: Any, args: Any) -> None:
        self.fire, self.args, self.is_cancelled = fire, args, False
        self.made.append(self)

    def start(self) -> None:
        self.has_begun.set()

    def cancel(self) -> None:
        self.is_cancelled = True


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set when a caller was served or given up."""
    event, honest = threading.Event(), serving._Server.process_request_thread

    def served(*given: Any) -> None:
        honest(*given)
        event.set()

    monkeypatch.setattr(serving._Server, "process_request_thread", served)
    return event


@pytest.fixture
def deadline() -> float:
    """Longer than any test takes: nobody is given up by himself."""
    return 60.0


@pytest.fixture
def caller(monkeypatch: pytest.MonkeyPatch, ended: threading.Event, deadline: float) -> Iterator[socket.socket]:
    Watch.made, Watch.has_begun = [], threading.Event()
    monkeypatch.setattr(serving, "DEADLINE", deadline)
    server = WebServer("127.0.0.1", 0, lambda *_: Reply(200, BODY), 0)
    server.start()
    with monkeypatch.context() as patched:
        patched.setattr(serving.threading, "Timer", Watch)  # before anybody calls: he is timed as soon as he is heard
        with socket.create_connection(("127.0.0.1", server.port), 30) as made:
            yield made
    server.close()


def asked(caller: socket.socket) -> bytes:
    """The answer's first bytes of the body."""
    caller.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    found = b""
    while b"\r\n\r\nx" not in found:
        found += caller.recv(4096)
    return found.split(b"\r\n\r\n", 1)[1]


def rest(caller: socket.socket) -> int:
    count = 0
    try:
        while part := caller.recv(1 << 20):
            count += len(part)
    except ConnectionError:
        pass
    return count


def test_an_answer_may_take_as_long_as_it_likes_while_it_goes_on(caller: socket.socket) -> None:
    first = asked(caller)
    assert [one.is_cancelled for one in Watch.made] == [True]  # and most of the answer is still to come
    assert len(first) + rest(caller) == len(BODY)


@pytest.mark.parametrize("deadline", [0.2])
def test_a_caller_that_takes_nothing_is_given_up(caller: socket.socket, ended: threading.Event) -> None:
    first = asked(caller)
    assert ended.wait(30)
    assert len(first) + rest(caller) < len(BODY)


def test_a_question_that_never_ends_is_cut(caller: socket.socket, ended: threading.Event) -> None:
    caller.sendall(b"GET / HT")
    assert Watch.has_begun.wait(30)
    (watch,) = Watch.made
    assert not watch.is_cancelled
    watch.fire(*watch.args)
    assert ended.wait(30)
    assert rest(caller) == 0
