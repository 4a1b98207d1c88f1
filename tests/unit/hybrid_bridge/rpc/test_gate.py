"""A real server on loopback: how often one may call, what its client does about a no, whose certificate has ended."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import grpc
import pytest

from hybrid_bridge.adapters.pki import Holder, found_authority, issue_tls
from hybrid_bridge.errors import CertificateMalformed, Throttled
from hybrid_bridge.rpc.channel import ClientTls, Line, open_channel
from hybrid_bridge.rpc.faults import translated
from hybrid_bridge.rpc.limits import BURST, Limits
from hybrid_bridge.rpc.server import MemberServer, ServerTls
from hybrid_bridge.rpc.service import Call, Caller, Service
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.rpc.v1 import bridge_pb2_grpc as stubs
from hybrid_bridge.units import UnixSeconds

METHODS = ("Submit", "Status", "Transaction", "Blocks", "Epochs", "Registered", "Prove")
LIMITS = Limits(submit=20, reads=20, delivery=1, streams=2)


@dataclass
class Served:
    """A server whose one caller is `caller`, until it has none."""

    caller: Caller | None = field(default_factory=lambda: Caller("bank-a", "member"))
    asked: list[str] = field(default_factory=list)
    refused: list[tuple[Caller, str]] = field(default_factory=list)
    waiting: threading.Event = field(default_factory=threading.Event)
    channel: grpc.Channel = field(init=False)
    stub: stubs.LedgerStub = field(init=False)

    def authenticate(self, _certificate: bytes) -> Caller:
        if self.caller is None:
            raise CertificateMalformed(rule="valid now")
        return self.caller

    def submit(self, request: pb.SubmitRequest, call: Call) -> pb.SubmitResponse:
        self.asked.append("submit")
        call.charge(len(request.signed) - 1)
        return pb.SubmitResponse()

    def status(self, _request: pb.StatusRequest, _call: Call) -> pb.StatusResponse:
        self.asked.append("status")
        return pb.StatusResponse()

    def transaction(self, _request: pb.TransactionRequest, call: Call) -> pb.TransactionResponse:
        """Held as long as its caller may be here."""
        self.waiting.set()
        while call.active():
            time.sleep(0.01)
        return pb.TransactionResponse(entry=b"private")

    def blocks(self, _request: pb.BlocksRequest, call: Call) -> Iterator[pb.BlockMessage]:
        yield pb.BlockMessage()
        while call.active():
            time.sleep(0.01)
        yield pb.BlockMessage(block=b"private")

    def service(self) -> Service:
        methods = dict.fromkeys(METHODS, self.status) | {
            "Submit": self.submit,
            "Transaction": self.transaction,
            "Blocks": self.blocks,
            "Epochs": lambda _request, _call: iter(()),
        }
        return Service(
            "hybrid_bridge.v1.Ledger",
            stubs.add_LedgerServicer_to_server,
            methods,
            lambda _caller: True,
            {"Submit": "submit"},
        )


@contextmanager
def served() -> Iterator[Served]:
    now = UnixSeconds(int(time.time()))
    authority = found_authority("example.org/log", now)
    issued = issue_tls(authority, Holder("core", "Core", "LEI:1"), "member", ("127.0.0.1",), now)
    tls, shown = ServerTls(authority.certificate, issued.certificate, issued.key), Served()
    server = MemberServer(
        lambda: tls,
        shown.authenticate,
        [shown.service()],
        reflect=False,
        limits=LIMITS,
        throttled=lambda caller, kind: shown.refused.append((caller, kind)),
        free=Caller("core", "owner"),
    )
    port = server.start("127.0.0.1:0")
    client = ClientTls(authority.certificate, issued.certificate, issued.key)
    try:
        with open_channel(f"127.0.0.1:{port}", "core", client) as channel:
            shown.channel = channel
            shown.stub = stubs.LedgerStub(channel)
            yield shown
    finally:
        server.stop(0)


@pytest.fixture
def at() -> Iterator[Served]:
    with served() as shown:
        yield shown


class GaveUp(Exception):
    """The server asked for a pause."""


def give_up(seconds: float) -> None:
    raise GaveUp(seconds)


def flood(at: Served) -> int:
    """Ask until the server asks for a pause; how often it answered."""
    line = Line("core", 20.0, give_up)
    for count in range(10_000):
        try:
            line.ask(at.stub.Status, pb.StatusRequest())
        except GaveUp:
            return count
    pytest.fail("never refused")


def test_a_caller_that_asks_too_often_is_refused_before_its_message_is_read(at: Served) -> None:
    assert flood(at) >= LIMITS.reads * BURST
    assert at.refused == [(Caller("bank-a", "member"), "reads")]
    answered = len(at.asked)
    at.refused.clear()
    faults = {noise(at) for _ in range(50)}  # most come before there is a token again
    assert "Throttled" in faults
    assert faults <= {"Throttled", "FieldMalformed"}
    assert len(at.asked) == answered


def noise(at: Served) -> str:
    """What the server says to a message that is none, under the name of a read."""
    with pytest.raises(grpc.RpcError) as failed:
        at.channel.unary_unary("/hybrid_bridge.v1.Ledger/Registered")(b"\xff\xff", timeout=20)
    return type(translated(failed.value, "core", "Registered")).__name__


def test_its_client_waits_as_long_as_it_was_told_and_goes_on(at: Served) -> None:
    flood(at)
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        time.sleep(seconds)

    for _ in range(30):
        Line("core", 20.0, sleep).ask(at.stub.Status, pb.StatusRequest())
    assert pauses
    assert max(pauses) < 1


def test_a_client_without_time_hears_the_no_at_once(at: Served) -> None:
    patient = Line("core", 20.0)
    patient.ask(at.stub.Submit, pb.SubmitRequest(signed=[b""] * 1_000))  # 45 seconds of debt
    with pytest.raises(Throttled) as refused:
        patient.ask(at.stub.Submit, pb.SubmitRequest(signed=[b""]))
    assert refused.value.limit == "submit"
    assert refused.value.retry_after > 20_000


def test_a_large_message_costs_what_it_weighs(at: Served) -> None:
    patient = Line("core", 60.0)
    for _ in range(3):
        patient.ask(at.stub.Submit, pb.SubmitRequest(signed=[bytes(4_000_000)]))
    with pytest.raises(GaveUp) as told:
        Line("core", 60.0, give_up).ask(at.stub.Submit, pb.SubmitRequest())
    assert told.value.args[0] > 1


def test_streams_are_counted_by_themselves_and_opened_again_when_there_is_time(at: Served) -> None:
    line = Line("core", 20.0, give_up)
    with pytest.raises(GaveUp):
        [list(line.stream(at.stub.Epochs, pb.EpochsRequest(), 20.0)) for _ in range(1_000)]
    line.ask(at.stub.Status, pb.StatusRequest())
    assert list(Line("core", 20.0).stream(at.stub.Epochs, pb.EpochsRequest(), 20.0)) == []


def test_another_s_flood_costs_a_caller_nothing_and_the_owner_never_pays(at: Served) -> None:
    flood(at)
    for caller in (Caller("bank-b", "member"), Caller("core", "owner")):
        at.caller = caller
        Line("core", 20.0, give_up).ask(at.stub.Status, pb.StatusRequest())
    for _ in range(3 * LIMITS.reads * BURST):
        Line("core", 20.0, give_up).ask(at.stub.Status, pb.StatusRequest())


def test_a_held_answer_is_kept_back_when_its_caller_s_certificate_has_ended(at: Served) -> None:
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(Line("core", 20.0).ask, at.stub.Transaction, pb.TransactionRequest())
        assert at.waiting.wait(20)
        at.caller = None
        with pytest.raises(CertificateMalformed):
            held.result(20)


def test_an_open_stream_ends_with_its_caller_s_certificate(at: Served) -> None:
    messages = Line("core", 20.0).stream(at.stub.Blocks, pb.BlocksRequest(), 20.0)
    assert next(messages) == pb.BlockMessage()
    at.caller = None
    with pytest.raises(CertificateMalformed):
        next(messages)
