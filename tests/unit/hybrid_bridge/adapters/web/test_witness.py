"""Asking a witness and being one, over loopback HTTP: every answer of the C2SP protocol."""

import http.client
from contextlib import contextmanager

import pytest

from hybrid_bridge.adapters.sqlite.cosigned import SqlCosigned
from hybrid_bridge.adapters.web.serving import WebServer
from hybrid_bridge.adapters.web.witness import Witness, ask_cosignatures
from hybrid_bridge.core.checkpoint import parse_note
from hybrid_bridge.core.cosigning import MAX_REQUEST, AddCheckpoint
from hybrid_bridge.core.keys import PrivateKey
from hybrid_bridge.core.note import TYPE_COSIGNATURE, VerifierKey, cosign, verify_line
from hybrid_bridge.errors import (
    AnswerMalformed,
    EndpointRefused,
    FieldMismatch,
    NotYet,
    SettingsMalformed,
    SignatureWrong,
    StoreBroken,
)
from tests.tsa import Served
from tests.unit.hybrid_bridge.core.test_cosigning import LOG, TREE, note, request

KEY = PrivateKey.from_seed(b"\x07" * 32)
WITNESS = VerifierKey("w.example", TYPE_COSIGNATURE, KEY.public.spki[-32:])


@pytest.fixture
def served(tmp_path):
    store = SqlCosigned(tmp_path / "witness.db")
    store.create(WITNESS.text())
    store.open(WITNESS.text())
    server = WebServer(
        "127.0.0.1", 0, Witness(store, [LOG], lambda body: [cosign("w.example", KEY, 5, body)]).handle, MAX_REQUEST
    )
    server.start()
    yield f"http://127.0.0.1:{server.port}"
    server.close()
    store.close()


def ask(url: str, size: int, *, keys=(WITNESS,), prove=None, **wrong):
    prove = prove or (lambda known: TREE.consistency_path(known, size))
    return ask_cosignatures(url, note(size, **wrong), list(keys), prove, timeout=5)


def send(url: str, body: bytes | str, method: str = "POST", path: str = "/add-checkpoint", **headers):
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    found = answer.status, answer.getheader("Content-Type"), answer.read()
    connection.close()
    return found


def test_a_log_that_grows_is_cosigned_at_each_step(served):
    for size in (3, 3, 7, 9):
        (line,) = ask(served, size)
        verify_line(WITNESS, line, parse_note(note(size)).body())


def test_each_refusal_has_its_status(served):
    assert send(served, request(0, 4).encode())[0] == 200
    for asked, status in (
        (request(4, 7, origin="other.example/log"), 404),
        (request(4, 7, key=KEY), 403),
        (AddCheckpoint(8, (), note(7)), 400),
        (request(4, 7, path=()), 422),
        (request(4, 7, root=bytes(32)), 422),
    ):
        assert send(served, asked.encode()) == (status, None, b"")
    assert send(served, request(3, 7).encode()) == (409, "text/x.tlog.size", b"4\n")
    assert send(served, request(0, 7).encode()) == (409, "text/x.tlog.size", b"4\n")
    assert send(served, request(4, 4, root=bytes(32)).encode())[0] == 409
    assert send(served, b"nonsense")[0] == 400
    assert send(served, b"", method="GET")[0] == 405
    assert send(served, b"", path="/metrics")[0] == 404
    assert send(served, request(4, 7).encode())[0] == 200


def test_a_body_too_long_or_of_unknown_length_is_turned_away(served):
    assert send(served, b"", **{"Content-Length": str(MAX_REQUEST + 1)})[0] == 413
    assert send(served, b"", **{"Content-Length": "9" * 30})[0] == 413
    assert send(served, b"", **{"Content-Length": "-1"})[0] == 411
    assert send(served, b"0\r\n\r\n", **{"Transfer-Encoding": "chunked"})[0] == 411


def test_a_port_that_is_taken_is_a_setting_to_be_mended(served):
    with pytest.raises(SettingsMalformed):
        WebServer("127.0.0.1", int(served.rpartition(":")[2]), lambda *_: None, 0)


def test_a_split_view_is_refused(served):
    ask(served, 7)
    with pytest.raises(EndpointRefused) as caught:
        ask(served, 7, root=bytes(32), prove=lambda _: ())
    assert caught.value.code == 409
    with pytest.raises(EndpointRefused) as caught:
        ask(served, 9, root=bytes(32))
    assert caught.value.code == 422


def test_an_older_checkpoint_than_the_witness_has_seen_waits(served):
    ask(served, 7)
    with pytest.raises(NotYet) as caught:
        ask(served, 5)
    assert "size 7" in caught.value.what


def test_a_store_that_is_broken_signs_nothing(served, monkeypatch):
    def broken(*_):
        raise StoreBroken(store="x", rule="y")

    monkeypatch.setattr(SqlCosigned, "advance", broken)
    assert send(served, request(0, 4).encode())[0] == 503


# ── a witness that lies ──


@contextmanager
def lying(status: int, body: bytes, media: str = "text/plain"):
    with Served(lambda _: (status, {"Content-Type": media}, body)) as served:
        yield served.url


def line_of(key: PrivateKey, name: str, size: int = 7) -> bytes:
    return (cosign(name, key, 5, parse_note(note(size)).body()).text() + "\n").encode()


@pytest.mark.parametrize(
    ("status", "body", "media", "error"),
    [
        (500, b"", "text/plain", EndpointRefused),
        (409, b"7", "text/x.tlog.size", AnswerMalformed),
        (409, b"07\n", "text/x.tlog.size", AnswerMalformed),
        (409, b"7\n", "text/html", EndpointRefused),
        (409, b"3\n", "text/x.tlog.size", EndpointRefused),  # for ever
        (200, b"", "text/plain", AnswerMalformed),
        (200, b"\xff\n", "text/plain", AnswerMalformed),
        (200, b"hello\n", "text/plain", AnswerMalformed),
        (200, line_of(KEY, "w.example")[:-1], "text/plain", AnswerMalformed),
        (200, line_of(PrivateKey.from_seed(bytes(32)), "w.example"), "text/plain", FieldMismatch),
        (200, line_of(KEY, "other.example"), "text/plain", FieldMismatch),
        (200, line_of(KEY, "w.example", size=6), "text/plain", SignatureWrong),
    ],
    ids=["500", "no feed", "zero", "type", "loop", "empty", "bytes", "text", "cut", "key", "name", "size"],
)
def test_an_answer_that_is_none_is_refused(status, body, media, error):
    with lying(status, body, media) as url, pytest.raises(error):
        ask(url, 7)


def test_lines_of_others_beside_its_own_are_left_out():
    body = line_of(PrivateKey.from_seed(bytes(32)), "x.example") + line_of(KEY, "w.example")
    with lying(200, body) as url:
        assert [line.name for line in ask(url, 7)] == ["w.example"]
