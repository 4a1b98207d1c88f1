"""The socket to the engine: frames, order of answers, and what ends a conversation."""

import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import DecodeError

from hybrid_bridge.adapters.cometbft.abci import ANSWERED, MAX_FRAME, AbciServer, framed, frames
from hybrid_bridge.core.protobuf import varint
from hybrid_bridge.errors import FieldMalformed, SettingsMalformed, StoreBroken, TooLong
from hybrid_bridge.rpc.cometbft.tendermint.abci import types_pb2 as pb


class Answering:
    """An application that says which question it was asked."""

    def __init__(self) -> None:
        self.broken: Exception | None = None

    def __getattr__(self, name: str) -> Any:
        def answer(request: Any) -> Any:
            if self.broken is not None:
                raise self.broken
            if name == "check_tx":
                return pb.ResponseCheckTx(code=len(request.tx))
            return getattr(pb, type(request).__name__.replace("Request", "Response"))()

        return answer


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="hb"))  # a short path: that of a socket has 107 bytes at most
    yield made
    shutil.rmtree(made)


class Served:
    """A server and one connection to it."""

    def __init__(self, folder: Path) -> None:
        self.application, self.told = Answering(), list[Exception]()
        self.path = folder / "app.sock"
        self.server = AbciServer(self.path, self.application, self.told.append)
        self.server.start()
        self.socket = self.connect()

    def connect(self) -> socket.socket:
        made = socket.socket(socket.AF_UNIX)
        made.settimeout(20)
        made.connect(str(self.path))
        return made

    def ask(self, *requests: pb.Request) -> list[pb.Response]:
        self.socket.sendall(b"".join(map(framed, requests)))
        buffer, answers = bytearray(), list[pb.Response]()
        while len(answers) < len(requests):
            data = self.socket.recv(1 << 16)
            assert data, "the server hung up"
            buffer += data
            answers += responses(buffer)
        return answers


def responses(buffer: bytearray) -> Iterator[pb.Response]:
    while buffer and len(buffer) > buffer[0] < 128:
        yield pb.Response.FromString(bytes(buffer[1 : 1 + buffer[0]]))
        del buffer[: 1 + buffer[0]]


@pytest.fixture
def served(folder: Path) -> Iterator[Served]:
    made = Served(folder)
    yield made
    made.socket.close()
    made.server.stop()


def check(transaction: bytes) -> pb.Request:
    return pb.Request(check_tx=pb.RequestCheckTx(tx=transaction))


def test_every_question_of_the_protocol_has_an_answer_of_its_kind(served: Served) -> None:
    kinds = [field.name for field in pb.Request.DESCRIPTOR.fields]
    for kind in kinds:
        request = pb.Request()
        getattr(request, kind).SetInParent()
        (answer,) = served.ask(request)
        expected = kind if kind in ANSWERED or kind in ("echo", "flush") else "exception"
        assert answer.WhichOneof("value") == expected
    assert {"extend_vote", "verify_vote_extension"} == set(kinds) - ANSWERED - {"echo", "flush"}


def test_answers_come_in_the_order_of_the_questions(served: Served) -> None:
    answers = served.ask(*(check(b"x" * length) for length in range(50)))
    assert [answer.check_tx.code for answer in answers] == list(range(50))
    (echoed,) = served.ask(pb.Request(echo=pb.RequestEcho(message="hello")))
    assert echoed.echo.message == "hello"


@pytest.mark.parametrize("error", [StoreBroken(store="ledger", rule="whole"), KeyError("nobody foresaw it")])
def test_a_broken_application_is_told_and_stops_the_engine(served: Served, error: Exception) -> None:
    served.application.broken = error
    (answer,) = served.ask(check(b"x"))
    assert answer.exception.error == type(error).__name__
    assert served.told == [error]


def test_a_peers_question_for_a_chunk_does_not_wait_for_a_block(served: Served) -> None:
    """Nor a block for it: what it reads no later block changes."""
    entered, leave = threading.Event(), threading.Event()

    def slow(_: Any) -> Any:
        entered.set()
        leave.wait(20)
        return pb.ResponseCommit()

    served.application.commit = slow  # type: ignore[attr-defined]
    with served.connect() as consensus:
        consensus.sendall(framed(pb.Request(commit=pb.RequestCommit())))
        assert entered.wait(20)
        for kind in ("list_snapshots", "load_snapshot_chunk"):
            request = pb.Request()
            getattr(request, kind).SetInParent()
            assert served.ask(request)[0].WhichOneof("value") == kind
        leave.set()
        assert consensus.recv(1 << 16)


def test_a_server_that_never_started_can_be_stopped(folder: Path) -> None:
    """The node's own port may be taken: then it ends, and says so."""
    made = AbciServer(folder / "app.sock", Answering(), print)
    ended = threading.Thread(target=made.stop, daemon=True)
    ended.start()
    ended.join(10)
    assert not ended.is_alive()
    assert not (folder / "app.sock").exists()


@pytest.mark.parametrize(
    "noise", [b"\x05\xff\xff\xff\xff\xff", varint(MAX_FRAME + 1), b"\xff" * 6, b"GET / HTTP/1.1\r\n\r\n"]
)
def test_what_is_no_abci_ends_its_own_conversation_and_no_other(served: Served, noise: bytes) -> None:
    with served.connect() as other:
        other.sendall(noise)
        other.shutdown(socket.SHUT_WR)
        while other.recv(1 << 16):
            continue
    assert served.ask(check(b"xx"))[0].check_tx.code == 2


def test_nobody_else_reaches_the_socket_and_it_goes_with_the_server(folder: Path) -> None:
    (folder / "app.sock").write_bytes(b"left by a dead process")
    made = Served(folder)
    assert made.path.stat().st_mode & 0o077 == 0
    made.ask(check(b"x"))
    made.server.stop()
    assert made.socket.recv(10) == b""
    assert not made.path.exists()
    made.socket.close()


def test_a_path_too_long_or_not_there_is_a_setting_to_mend(folder: Path) -> None:
    for path in (folder / ("x" * 100), folder / "no-folder" / "app.sock"):
        with pytest.raises(SettingsMalformed):
            AbciServer(path, Answering(), print)


def test_a_path_is_as_long_as_the_engine_is_given_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = folder / ("x" * 100)
    deep.mkdir()
    monkeypatch.chdir(deep)
    with pytest.raises(SettingsMalformed):
        AbciServer(Path("app.sock"), Answering(), print)


# ── frames ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_frames_are_whole_wherever_the_stream_is_cut() -> None:
    requests = [check(b"a" * length) for length in (0, 1, 200, 20_000)]
    stream = b"".join(map(framed, requests))
    for cut in (0, 1, 2, 5, 150, 300, len(stream) - 1, len(stream)):
        buffer = bytearray(stream[:cut])
        found = list(frames(buffer))
        buffer += stream[cut:]
        assert [*found, *frames(buffer)] == requests
        assert not buffer


def test_frames_are_bounded() -> None:
    with pytest.raises(TooLong):
        list(frames(bytearray(varint(MAX_FRAME + 1))))
    with pytest.raises(FieldMalformed):
        list(frames(bytearray(b"\x80" * 5)))
    assert list(frames(bytearray(b"\x80" * 4))) == []
    with pytest.raises(DecodeError):
        list(frames(bytearray(b"\x01\xff")))


def test_an_engine_that_is_hung_up_on_may_come_again(served: Served) -> None:
    assert served.ask(pb.Request(echo=pb.RequestEcho(message="a")))
    served.server.hang_up()
    assert served.socket.recv(1) == b""
    served.socket.close()
    served.socket = served.connect()
    assert served.ask(pb.Request(echo=pb.RequestEcho(message="b")))
