"""A channel whose certificate changes under it, and whose server's certificate is judged before each call."""

import datetime
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from hybrid_bridge.adapters.pki import Authority, Holder, Issued, caller_of, found_authority, issue_tls
from hybrid_bridge.errors import CertificateRevoked, Unreachable
from hybrid_bridge.rpc import renewing
from hybrid_bridge.rpc.channel import ClientTls, Line
from hybrid_bridge.rpc.renewing import RenewedChannel, channel_to, server_certificate
from hybrid_bridge.rpc.server import MemberServer, ServerTls
from hybrid_bridge.rpc.service import Call, Caller, Service
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.rpc.v1 import bridge_pb2_grpc as stubs
from hybrid_bridge.units import UnixSeconds

NOW = UnixSeconds(int(time.time()))
OURS = found_authority("example.org/log", NOW)


def issued(name: str = "core", role: str = "member", by: Authority = OURS) -> Issued:
    return issue_tls(by, Holder(name, name, "LEI:1"), role, ("127.0.0.1",), NOW)


class Side:
    """Both ends of a connection, whose files are here."""

    def __init__(self) -> None:
        self.server, self.shown = issued(), self.tls(issued("bank-a"))
        self.revoked: set[bytes] = set()
        self.judges = False
        self.seen: list[bytes] = []
        self.held, self.go = threading.Event(), threading.Event()

    def tls(self, of: Issued) -> ClientTls:
        return ClientTls(OURS.certificate, of.certificate, of.key)

    # as a `TlsSource`

    def current(self) -> ClientTls:
        return self.shown

    def judge(self, certificate: bytes) -> None:
        if certificate in self.revoked:
            raise CertificateRevoked(serial="1")

    # as a server

    def authenticate(self, certificate: bytes) -> Caller:
        self.seen.append(certificate)
        return caller_of(certificate, NOW)

    def status(self, request: object, _call: Call) -> pb.StatusResponse:
        if isinstance(request, pb.TransactionRequest):
            self.held.set()
            assert self.go.wait(20)
            return pb.TransactionResponse(height=7)  # type: ignore[return-value]
        return pb.StatusResponse(height=1)

    def service(self) -> Service:
        names = ("Submit", "Status", "Transaction", "Registered", "Prove")
        methods = dict.fromkeys(names, self.status) | dict.fromkeys(("Blocks", "Epochs"), lambda _r, _c: iter(()))
        return Service("hybrid_bridge.v1.Ledger", stubs.add_LedgerServicer_to_server, methods, lambda _caller: True)

    @contextmanager
    def serving(self, listen: str = "127.0.0.1:0") -> Iterator[str]:
        server = MemberServer(
            lambda: ServerTls(self.shown.roots, self.server.certificate, self.server.key),
            self.authenticate,
            [self.service()],
            reflect=False,
        )
        port = server.start(listen)
        try:
            yield f"127.0.0.1:{port}"
        finally:
            server.stop(0)


@pytest.fixture
def side() -> Side:
    return Side()


def ask(stub: stubs.LedgerStub) -> int:
    return Line("core", 10.0).ask(stub.Status, pb.StatusRequest()).height


def test_the_certificate_of_the_day_is_shown_and_calls_of_yesterday_end_in_peace(side: Side) -> None:
    with side.serving() as endpoint, channel_to(endpoint, "core", side) as channel, ThreadPoolExecutor(1) as pool:
        stub, first, second = stubs.LedgerStub(channel), side.shown, side.tls(issued("bank-a"))
        assert ask(stub) == 1
        held = pool.submit(Line("core", 20.0).ask, stub.Transaction, pb.TransactionRequest())
        assert side.held.wait(20)
        assert set(side.seen) == {first.certificate}
        side.shown = second
        side.seen.clear()
        assert ask(stub) == 1
        assert set(side.seen) == {second.certificate}
        side.go.set()
        assert held.result(20).height == 7


def test_without_a_list_the_server_may_show_any_certificate_of_its_name(side: Side) -> None:
    with side.serving() as endpoint, channel_to(endpoint, "core", side) as channel:
        assert ask(stubs.LedgerStub(channel)) == 1
        side.server = issued()
        side.shown = side.tls(issued("bank-a"))
        assert ask(stubs.LedgerStub(channel)) == 1


def test_a_server_whose_certificate_is_revoked_gets_no_call(side: Side) -> None:
    side.judges = True
    side.revoked.add(side.server.certificate)
    with side.serving() as endpoint, channel_to(endpoint, "core", side) as channel:
        with pytest.raises(CertificateRevoked):
            ask(stubs.LedgerStub(channel))
        assert side.seen == []
        side.server = issued()
        assert ask(stubs.LedgerStub(channel)) == 1


@pytest.mark.parametrize("judges", [False, True])
def test_an_issuing_authority_is_a_root_although_another_certified_it(side: Side, *, judges: bool) -> None:
    issuing = under_another()
    side.server, client = issued(by=issuing), issued("bank-a", by=issuing)
    side.shown, side.judges = ClientTls(issuing.certificate, client.certificate, client.key), judges
    with side.serving() as endpoint, channel_to(endpoint, "core", side) as channel:
        assert ask(stubs.LedgerStub(channel)) == 1


def under_another() -> Authority:
    """An authority whose own certificate is by one that nobody here knows, as those that banks buy from."""
    key, above = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer, subject = (x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]) for name in ("above", "issuing"))
    born = datetime.datetime.fromtimestamp(NOW - 60, datetime.UTC)
    certificate = (
        x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(born)
        .not_valid_after(born + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(above, hashes.SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Authority(certificate.public_bytes(Encoding.PEM), pem)


def test_an_open_connection_is_cut_when_its_server_is_revoked(side: Side) -> None:
    side.judges = True
    with side.serving() as endpoint, channel_to(endpoint, "core", side) as channel, ThreadPoolExecutor(1) as pool:
        stub = stubs.LedgerStub(channel)
        assert ask(stub) == 1
        held = pool.submit(Line("core", 20.0).ask, stub.Transaction, pb.TransactionRequest())
        assert side.held.wait(20)
        side.revoked.add(side.server.certificate)
        with pytest.raises(CertificateRevoked):
            ask(stub)
        with pytest.raises(Unreachable):
            held.result(20)
        side.go.set()


def test_whoever_shows_another_certificate_than_the_one_that_was_judged_is_not_believed(side: Side) -> None:
    """A thief with a revoked certificate who lets the look through and takes the call."""
    side.judges = True
    good, stolen = side.server, issued()
    with side.serving() as endpoint:
        assert server_certificate(endpoint, "core", OURS.certificate) == good.certificate
        with channel_to(endpoint, "core", side) as channel:
            assert isinstance(channel, RenewedChannel)
            opened = channel.opened()
            side.server = stolen
            with pytest.raises(grpc.RpcError) as failed:
                stubs.LedgerStub(opened.channel).Status(pb.StatusRequest(), timeout=5)
            assert failed.value.code() is grpc.StatusCode.UNAVAILABLE
    assert side.seen == []


def test_a_server_that_has_rotated_is_looked_at_again(side: Side) -> None:
    side.judges = True
    with side.serving() as endpoint:
        channel = channel_to(endpoint, "core", side)
        stub = stubs.LedgerStub(channel)
        assert ask(stub) == 1
    side.server = issued()
    with side.serving(endpoint), channel:
        for _ in range(3):  # the first call finds the old connection gone, or the new certificate there
            with suppress(Unreachable):
                ask(stub)
        assert ask(stub) == 1


def test_a_closed_channel_stays_closed(side: Side) -> None:
    with side.serving() as endpoint:
        channel = channel_to(endpoint, "core", side)
        stub = stubs.LedgerStub(channel)
        assert ask(stub) == 1
        seen = len(side.seen)
        channel.close()
        with pytest.raises(Unreachable):
            ask(stub)
        assert len(side.seen) == seen


def test_nobody_and_somebody_else_show_no_certificate(side: Side) -> None:
    with side.serving() as endpoint:
        with pytest.raises(Unreachable):
            server_certificate(endpoint, "bank-a", OURS.certificate)
        with pytest.raises(Unreachable):
            server_certificate(endpoint, "core", found_authority("theirs", NOW).certificate)
    with pytest.raises(Unreachable):
        server_certificate(endpoint, "core", OURS.certificate)


def test_a_stream_is_opened_on_the_channel_of_the_moment(side: Side) -> None:
    with side.serving() as endpoint, channel_to(endpoint, "core", side) as channel:
        stub, line = stubs.LedgerStub(channel), Line("core", 10.0)
        for _ in range(2):
            assert list(line.stream(stub.Epochs, pb.EpochsRequest(), 10.0)) == []
            side.shown = side.tls(issued("bank-a"))
        assert len(set(side.seen)) == 2


# ── a server that says nothing ───────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def silent(says: bytes = b"") -> Iterator[tuple[str, list[socket.socket]]]:
    """Takes every connection and answers with nothing, or with these bytes one by one; whoever called."""
    over, callers = threading.Event(), list[socket.socket]()

    def take() -> None:
        with suppress(OSError):
            while True:
                caller = listener.accept()[0]
                callers.append(caller)
                threading.Thread(target=drip, args=(caller,), daemon=True).start()

    def drip(caller: socket.socket) -> None:
        with suppress(OSError):  # it went
            for at in range(len(says)):
                if over.wait(0.02):
                    return
                caller.send(says[at : at + 1])

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=take, daemon=True).start()
        yield f"127.0.0.1:{listener.getsockname()[1]}", callers
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        for caller in callers:
            caller.close()


def waited(channel: grpc.Channel, timeout: float) -> float:
    begun = time.monotonic()
    with pytest.raises(Unreachable):
        Line("core", timeout).ask(stubs.LedgerStub(channel).Status, pb.StatusRequest())
    return time.monotonic() - begun


def test_calls_to_a_silent_server_share_one_handshake_and_wait_no_longer_than_they_may(side: Side) -> None:
    side.judges = True
    with (
        silent() as (endpoint, callers),
        channel_to(endpoint, "core", side) as channel,
        ThreadPoolExecutor(12) as pool,
    ):
        first = pool.submit(waited, channel, 60.0)
        while not callers:
            assert not first.done()
        patient = [pool.submit(waited, channel, 60.0) for _ in range(8)]
        hasty = [pool.submit(waited, channel, 0.1) for _ in range(3)]
        assert max(one.result(30) for one in hasty) < first.result(30)
        for one in patient:
            one.result(30)
        assert len(callers) == 1  # not one after the other
        assert waited(channel, 60.0) < renewing.HANDSHAKE  # it rests: nobody asks again at once
        assert len(callers) == 1


def test_a_silent_server_holds_up_no_call_to_another(side: Side) -> None:
    side.judges = True
    with (
        silent() as (endpoint, callers),
        side.serving() as good,
        channel_to(endpoint, "core", side) as dead,
        channel_to(good, "core", side) as living,
        ThreadPoolExecutor(8) as pool,
    ):
        stuck = [pool.submit(waited, dead, 60.0) for _ in range(8)]
        while not callers:
            pass
        assert ask(stubs.LedgerStub(living)) == 1
        assert not any(one.done() for one in stuck)
        dead.close()
        for caller in callers:
            caller.close()
        for one in stuck:
            one.result(30)


def test_no_more_than_a_bound_wait_for_one_server(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewing, "MAX_WAITING", 2)
    side.judges = True
    with silent() as (endpoint, callers), channel_to(endpoint, "core", side) as channel, ThreadPoolExecutor(3) as pool:
        stuck = [pool.submit(waited, channel, 60.0) for _ in range(3)]
        while not callers or channel._waiting < 2:  # type: ignore[attr-defined]
            pass
        assert waited(channel, 60.0) < renewing.HANDSHAKE
        channel.close()
        for caller in callers:
            caller.close()
        for one in stuck:
            one.result(30)


def test_a_handshake_that_drips_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long record, byte by byte: each read succeeds, and the whole never comes."""
    monkeypatch.setattr(renewing, "HANDSHAKE", 0.5)
    begun = time.monotonic()
    record = bytes.fromhex("1603033fff02003ffb0303") + bytes(1 << 14)
    with silent(record) as (endpoint, _), pytest.raises(Unreachable):
        server_certificate(endpoint, "core", OURS.certificate)
    assert 0.5 <= time.monotonic() - begun < 60.0  # of the five minutes that the record lasts


def test_after_a_refusal_the_next_call_asks_again(side: Side) -> None:
    side.judges = True
    with side.serving() as endpoint:
        pass
    with channel_to(endpoint, "core", side) as channel:
        assert waited(channel, 60.0) < 30.0
        with side.serving(endpoint):
            end = time.monotonic() + 10
            while time.monotonic() < end:
                with suppress(Unreachable):
                    assert ask(stubs.LedgerStub(channel)) == 1
                    return
    pytest.fail("nobody asked again")


class Counted:
    """A channel that knows whether it was closed."""

    def __init__(self) -> None:
        self.closed = False

    def close(self) -> None:
        self.closed = True


def test_a_peer_that_is_unavailable_again_and_again_leaves_few_channels_open(
    side: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It shows its certificate and takes no call: each call opens another channel, and the oldest are closed."""
    made: list[Counted] = []

    def opened(*_: object) -> Counted:
        made.append(Counted())
        return made[-1]

    monkeypatch.setattr(renewing, "open_channel", opened)
    monkeypatch.setattr(renewing, "server_certificate", lambda *_: "PEM")
    side.judges = True
    channel = RenewedChannel("127.0.0.1:1", "core", side)
    for _ in range(50):
        channel.failed(channel.opened())
    assert len(made) == 50
    assert [one.closed for one in made] == [True] * (49 - renewing.MAX_RETIRED) + [False] * (1 + renewing.MAX_RETIRED)
    assert len(channel._retired) == renewing.MAX_RETIRED
    channel.close()
    assert all(one.closed for one in made)


CALLERS, HANDSHAKES = 16, 100


def test_handshakes_at_once_do_not_end_the_server(tmp_path: Path) -> None:
    """grpc frees what a server shows as soon as it is handed something else, also under a handshake that takes it."""
    child = subprocess.run([sys.executable, "-m", __name__, tmp_path], capture_output=True, timeout=120, check=False)
    assert (child.returncode, child.stdout) == (0, b"core after 1600 handshakes\n"), child.stderr.decode()


def shake_hands(folder: Path) -> None:
    """What the test's child does: a server of its own, and callers that only greet it."""
    side = Side()
    (folder / "roots").write_bytes(side.shown.roots)
    (folder / "shown").write_bytes(side.shown.certificate)
    (folder / "key").write_bytes(side.shown.key)

    def calls(endpoint: str) -> int:
        context = ssl.create_default_context(cafile=str(folder / "roots"))
        context.load_cert_chain(folder / "shown", folder / "key")
        context.set_alpn_protocols(["h2"])
        host, port = endpoint.split(":")
        for _ in range(HANDSHAKES):
            with socket.create_connection((host, int(port)), 20) as plain:
                context.wrap_socket(plain, server_hostname="core").close()
        return HANDSHAKES

    with side.serving() as endpoint, ThreadPoolExecutor(CALLERS) as pool:
        done = sum(pool.map(calls, [endpoint] * CALLERS))
        shown = server_certificate(endpoint, "core", OURS.certificate)
    print("core" if shown == side.server.certificate else "another", "after", done, "handshakes")


if __name__ == "__main__":
    shake_hands(Path(sys.argv[1]))
