"""The engine's socket: it connects, asks, and is answered in the order of its questions (ABCI 2.0, socket protocol).

Four connections come: consensus, mempool, query, snapshot. One thread each, one lock around the application: the state
machine sees one question at a time, but for those that only read what no later block changes. An exception answer stops
the engine, which is right for what is broken on our side and fatal if garbage from outside could cause it; so an
application answers garbage with a code, and raises only Broken.
The socket is a file that nobody but its owner may reach: whoever could write to it could make blocks.
"""

import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Final, Protocol

from google.protobuf.message import DecodeError, Message

from hybrid_bridge.core.protobuf import delimited
from hybrid_bridge.errors import BridgeError, FieldMalformed, SettingsMalformed, TooLong
from hybrid_bridge.rpc.cometbft.tendermint.abci import types_pb2 as pb

MAX_FRAME: Final = 64 << 20  # bytes; a block and its answer fit
MAX_PATH: Final = 100  # bytes of a socket's name; the system ends at 107
_CHUNK: Final = 1 << 20


class Application(Protocol):
    """What answers the engine. Raises `BridgeError` only where going on would be wrong."""

    def info(self, request: pb.RequestInfo) -> pb.ResponseInfo:
        """What is durable here."""

    def query(self, request: pb.RequestQuery) -> pb.ResponseQuery:
        """May the engine keep this peer? Asked at any time, beside all else."""

    def check_tx(self, request: pb.RequestCheckTx) -> pb.ResponseCheckTx:
        """May this transaction wait, or wait on?"""

    def init_chain(self, request: pb.RequestInitChain) -> pb.ResponseInitChain:
        """Genesis; perhaps again."""

    def prepare_proposal(self, request: pb.RequestPrepareProposal) -> pb.ResponsePrepareProposal:
        """We propose: which, in which order?"""

    def process_proposal(self, request: pb.RequestProcessProposal) -> pb.ResponseProcessProposal:
        """Another proposes: would an honest one?"""

    def finalize_block(self, request: pb.RequestFinalizeBlock) -> pb.ResponseFinalizeBlock:
        """Decided: execute, write nothing. Perhaps again."""

    def commit(self, request: pb.RequestCommit) -> pb.ResponseCommit:
        """Make it durable, then answer."""

    def list_snapshots(self, request: pb.RequestListSnapshots) -> pb.ResponseListSnapshots:
        """Snapshots that peers may have."""

    def offer_snapshot(self, request: pb.RequestOfferSnapshot) -> pb.ResponseOfferSnapshot:
        """Take this one?"""

    def load_snapshot_chunk(self, request: pb.RequestLoadSnapshotChunk) -> pb.ResponseLoadSnapshotChunk:
        """A part of one of ours."""

    def apply_snapshot_chunk(self, request: pb.RequestApplySnapshotChunk) -> pb.ResponseApplySnapshotChunk:
        """A part of one that we took."""


ANSWERED: Final = frozenset(name for name in vars(Application) if not name.startswith("_"))

READING: Final = frozenset({"list_snapshots", "load_snapshot_chunk", "query"})  # no block waits for them


class AbciServer:
    """Listens for the engine on a socket file."""

    def __init__(self, path: Path, application: Application, when_broken: Callable[[Exception], object]) -> None:
        """Bind, and remove a socket that a dead process left.

        Args:
            path: the socket; its folder is the owner's alone.
            application: what answers.
            when_broken: told before the engine is, once the application has raised.

        Raises:
            SettingsMalformed: the path is too long for a socket, or cannot be bound.
        """
        if len(str(path.absolute()).encode()) > MAX_PATH:  # the engine is given it whole
            raise SettingsMalformed(key=path.name, rule=f"a path of at most {MAX_PATH} bytes: move the folder")
        path.unlink(missing_ok=True)
        answers = _Answers(application, when_broken)

        class Connection(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                _converse(self.request, answers)

        try:
            self._server = _Server(str(path), Connection)
        except OSError:
            raise SettingsMalformed(key=path.name, rule="a path where a socket can be made") from None
        path.chmod(0o600)
        self._path, self._started = path, False
        self._thread = threading.Thread(target=self._server.serve_forever, name="abci", daemon=True)

    def start(self) -> None:
        """Accept connections."""
        self._started = True
        self._thread.start()

    def hang_up(self) -> None:
        """End the connections that are open. An engine without its application ends, too; a new one may connect."""
        self._server.cut()

    def stop(self) -> None:
        """Accept no more, and end those that are open."""
        if self._started:  # `shutdown` waits for ever for a loop that never ran
            self._server.shutdown()
        self._server.server_close()
        self._server.cut()
        self._path.unlink(missing_ok=True)


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, path: str, handler: type[socketserver.BaseRequestHandler]) -> None:
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        super().__init__(path, handler)

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        if isinstance(request, socket.socket):
            with self._guard:
                self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        if isinstance(request, socket.socket):
            with self._guard:
                self._open.discard(request)
        super().shutdown_request(request)

    def cut(self) -> None:
        with self._guard:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:  # gone already
                    continue


def _converse(connection: socket.socket, answers: "_Answers") -> None:
    """Until either side ends it. What is no ABCI stream ends it too: nobody but the engine should be there."""
    buffer = bytearray()
    try:
        while data := connection.recv(_CHUNK):
            buffer += data
            out = b"".join(framed(answers.to(request)) for request in frames(buffer))
            connection.sendall(out)  # at once, without waiting for the engine's Flush
    except (OSError, DecodeError, BridgeError):
        return


class _Answers:
    def __init__(self, application: Application, when_broken: Callable[[Exception], object]) -> None:
        self._application, self._when_broken = application, when_broken
        self._turn = threading.Lock()

    def to(self, request: pb.Request) -> pb.Response:
        kind = request.WhichOneof("value")
        if kind == "echo":
            return pb.Response(echo=pb.ResponseEcho(message=request.echo.message))
        if kind == "flush":
            return pb.Response(flush=pb.ResponseFlush())
        if kind not in ANSWERED:
            return pb.Response(exception=pb.ResponseException(error="not answered here"))
        try:
            with nullcontext() if kind in READING else self._turn:
                answer: Message = getattr(self._application, kind)(getattr(request, kind))
        except Exception as error:  # noqa: BLE001 what nobody foresaw is broken too, and is no silence
            self._when_broken(error)
            return pb.Response(exception=pb.ResponseException(error=type(error).__name__))
        response = pb.Response()
        getattr(response, kind).CopyFrom(answer)
        return response


# ── frames ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def frames(buffer: bytearray) -> Iterator[pb.Request]:
    """Take whole messages off the buffer: an unsigned varint length, then a `Request`.

    Raises:
        TooLong: a longer message is announced than any that the engine sends.
        FieldMalformed: a length of more than five bytes.
        DecodeError: what came is no `Request`.
    """
    while (head := _length(buffer)) is not None:
        length, start = head
        if length > MAX_FRAME:
            raise TooLong(field="frame", limit=MAX_FRAME, got=length)
        if len(buffer) < start + length:
            return
        request = pb.Request.FromString(bytes(buffer[start : start + length]))
        del buffer[: start + length]
        yield request


def _length(buffer: bytearray) -> tuple[int, int] | None:
    """The announced length and where the message starts; None while the length itself is not whole."""
    length = 0
    for at, byte in enumerate(buffer[:5]):
        length |= (byte & 0x7F) << 7 * at
        if byte < 0x80:
            return length, at + 1
    if len(buffer) >= 5:
        raise FieldMalformed(field="frame", rule="a length of at most five bytes")
    return None


def framed(message: Message) -> bytes:
    """A message as it travels."""
    return delimited(message.SerializeToString())
