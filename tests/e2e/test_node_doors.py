"""Who may come in, and what comes of garbage: strangers, wrong roles, lies and noise at every call of a real node."""

import json
import random
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import grpc
import pytest

from hybrid_bridge.adapters.crl import issue_revocations
from hybrid_bridge.adapters.grpc_member.desk import GrpcDesk
from hybrid_bridge.adapters.grpc_member.log import GrpcMember
from hybrid_bridge.adapters.grpc_member.peer import GrpcPeer, Marks
from hybrid_bridge.adapters.pki import Authority, Holder, found_authority, issue_tls
from hybrid_bridge.core.encoding import b64u
from hybrid_bridge.core.keys import PrivateKey
from hybrid_bridge.core.transaction import Body, SignaturePart
from hybrid_bridge.errors import (
    BridgeError,
    Broken,
    CertificateRevoked,
    EnvelopeUnopenable,
    FarSideBroken,
    Malformed,
    NotEntitled,
    NotYet,
    Unknown,
    Unreachable,
)
from hybrid_bridge.node.drafts import parse_draft
from hybrid_bridge.node.opening import client_tls, owner_tls, tls_files
from hybrid_bridge.node.running import SystemClock
from hybrid_bridge.node.settings import read_secret, read_settings
from hybrid_bridge.rpc.channel import MAX_MESSAGE, ClientTls, open_channel
from hybrid_bridge.rpc.faults import translated
from hybrid_bridge.rpc.renewing import server_certificate
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.rpc.v1 import bridge_pb2_grpc as stubs
from hybrid_bridge.steps.submit import finish
from hybrid_bridge.units import Address, Digest, EpochNumber, Height, KeyId, TransactionId, TreeSize, UnixSeconds
from hybrid_bridge.units import Sequence as SequenceNumber
from tests.e2e.network import NAMES, PATIENCE, Network, register, registration, running_network, until

NOTHING = Marks(height=Height(0), size=TreeSize(0), line=TreeSize(0), cosigned=TreeSize(0))
METHODS = [
    f"/{service.full_name}/{method.name}"
    for service in pb.DESCRIPTOR.services_by_name.values()
    for method in service.methods
]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    yield from running_network(tmp_path_factory.mktemp("doors") / "out")


def authority(network: Network) -> Authority:
    folder = network.root / "ca"
    return Authority((folder / "ca.pem").read_bytes(), (folder / "ca.key").read_bytes())


def tls_from(by: Authority, roots: bytes, name: str, role: str) -> ClientTls:
    issued = issue_tls(by, Holder(name, name, "none"), role, (), SystemClock().now())
    return ClientTls(roots, issued.certificate, issued.key)


def member_tls(network: Network, name: str) -> ClientTls:
    return client_tls(read_settings(network.folder(name)))


def test_a_certificate_of_another_authority_gets_no_answer(network: Network) -> None:
    stranger = found_authority("stranger", SystemClock().now())
    tls = tls_from(stranger, authority(network).certificate, "bank-a", "member")
    with pytest.raises(Unreachable):
        GrpcMember.at("core", network.endpoint("core"), tls).newest_size()


def test_a_caller_without_certificate_gets_no_answer(network: Network) -> None:
    credentials = grpc.ssl_channel_credentials(authority(network).certificate)
    options = (("grpc.ssl_target_name_override", "core"),)
    with grpc.secure_channel(network.endpoint("core"), credentials, options) as channel, pytest.raises(Unreachable):
        GrpcMember("core", channel).newest_size()


def test_a_node_that_is_somebody_else_is_not_believed(network: Network) -> None:
    with pytest.raises(Unreachable):
        GrpcMember.at("bank-a", network.endpoint("bank-b"), member_tls(network, "core")).newest_size()


@pytest.mark.parametrize("role", ["owner", "relayer"])
def test_only_members_of_the_directory_speak_as_peers(network: Network, role: str) -> None:
    named = tls_from(authority(network), authority(network).certificate, "core", role)
    with pytest.raises(NotEntitled):
        GrpcPeer.at("core", network.endpoint("core"), named).witness(NOTHING, 0)
    unlisted = tls_from(authority(network), authority(network).certificate, "nobody", "member")
    with pytest.raises(NotEntitled):
        GrpcPeer.at("core", network.endpoint("core"), unlisted).signatures(Address(bytes(20)), KeyId(bytes(32)))


def test_a_relayer_asks_the_log_alone(network: Network) -> None:
    tls = owner_tls(network.root / "clients" / "north")
    assert GrpcMember.at("core", network.endpoint("core"), tls).newest_size() >= 0
    with pytest.raises(NotEntitled):
        GrpcPeer.at("core", network.endpoint("core"), tls).status()
    with pytest.raises(NotEntitled):
        GrpcDesk.at("core", network.endpoint("core"), tls).key("identity")


def test_the_desk_is_for_the_owner_of_this_node(network: Network) -> None:
    for tls in (owner_tls(network.folder("bank-a") / "owner"), member_tls(network, "supplier")):
        with pytest.raises(NotEntitled) as refused:
            GrpcDesk.at("supplier", network.endpoint("supplier"), tls).records()
        assert refused.value.call == "hybrid_bridge.v1.Desk/Records"
    with pytest.raises(NotEntitled):
        GrpcDesk.at("supplier", network.endpoint("supplier"), owner_tls(network.folder("bank-a") / "owner")).status()


def test_reflection_is_off_unless_enabled(network: Network) -> None:
    with open_channel(network.endpoint("core"), "core", member_tls(network, "core")) as channel:
        method = channel.unary_unary("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")
        with pytest.raises(grpc.RpcError) as refused:
            method(b"", timeout=5)
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_noise_at_every_call_is_refused_and_breaks_nothing(network: Network) -> None:
    noise = random.Random(7)
    tls = {"owner": owner_tls(network.folder("core") / "owner"), "member": member_tls(network, "supplier")}
    for shown in tls.values():
        with open_channel(network.endpoint("core"), "core", shown) as channel:
            for path in METHODS:
                for length in (0, 1, 7, 300, 5000):
                    assert _code(channel, path, noise.randbytes(length)) is not grpc.StatusCode.UNKNOWN
    assert network.status("core").halted == ""
    assert "unforeseen" not in (network.folder("core") / "node.log").read_text("utf-8")


def _code(channel: grpc.Channel, path: str, data: bytes) -> grpc.StatusCode:
    try:
        for _ in channel.unary_stream(path)(data, timeout=2.0):
            break
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


def test_well_formed_nonsense_gets_the_class_that_fits(network: Network) -> None:
    desk, peer = network.desk("core"), GrpcPeer.at("core", network.endpoint("core"), member_tls(network, "supplier"))
    noise = bytes(range(32))
    with pytest.raises(Malformed):
        desk.transaction(TransactionId(b"short"))
    with pytest.raises(NotYet):
        desk.transaction(TransactionId(noise))
    with pytest.raises(Malformed):
        desk.registered(b"\xff\xff")
    with pytest.raises(Malformed):
        desk.draft(pb.DraftRequest(schema="no.such/1", fields=b"{}"))
    with pytest.raises(Malformed):
        desk.draft(pb.DraftRequest(schema="asset.register/1", fields=b"not json"))
    with pytest.raises(Malformed):
        desk.send(b"{}")
    with pytest.raises(Malformed):
        desk.key("")
    with pytest.raises(Unknown):
        desk.record(Digest(noise))
    with pytest.raises(Unknown):
        desk.bundle(pb.BundleRequest(entry_leaves=[noise]))
    with pytest.raises(EnvelopeUnopenable):
        peer.deliver(Digest(noise), b"garbage")
    with pytest.raises(Malformed):
        list(peer.log.consistency_path(TreeSize(0), TreeSize(1)))
    with pytest.raises(NotYet):
        peer.log.checkpoint(TreeSize(2**40))
    assert peer.signatures(Address(b""), KeyId(noise)) == pb.SignaturesResponse()
    assert list(peer.epochs(EpochNumber(2**50), EpochNumber(2**53 - 1))) == []
    results = desk.submit([noise, b"", noise * 100])
    assert [bool(result.fault.name) for result in results] == [True] * 3


def test_a_number_beyond_the_database_is_no_crash(network: Network) -> None:
    peer = GrpcPeer.at("core", network.endpoint("core"), member_tls(network, "supplier"))
    huge = 2**64 - 1
    for ask in (
        lambda: list(peer.blocks(Height(huge), 1.0, follow=False)),
        lambda: list(peer.epochs(EpochNumber(huge), EpochNumber(huge))),
        lambda: peer.witness(
            Marks(height=Height(huge), size=TreeSize(huge), line=TreeSize(huge), cosigned=TreeSize(huge)), 0
        ),
        lambda: peer.log.attestation(TreeSize(huge)),
        lambda: peer.log.consistency_path(TreeSize(huge), TreeSize(huge)),
        lambda: peer.log.checkpoint(TreeSize(huge), TreeSize(huge)),
    ):
        try:
            ask()
        except (FarSideBroken, Broken):
            raise
        except BridgeError:
            pass
    assert network.status("core").halted == ""


def test_a_message_beyond_the_limit_is_not_read(network: Network) -> None:
    with pytest.raises(BridgeError):
        network.desk("core").submit([bytes(MAX_MESSAGE + 1)])


def test_many_held_questions_do_not_shut_out_a_short_one(network: Network) -> None:
    peer = GrpcPeer.at("core", network.endpoint("core"), member_tls(network, "supplier"))
    far = Marks(height=Height(2**40), size=TreeSize(2**40), line=TreeSize(2**40), cosigned=TreeSize(2**40))
    with ThreadPoolExecutor(16) as pool:
        held = [pool.submit(peer.witness, far, 3.0) for _ in range(16)]
        assert network.status("core").height > 0
        for answer in held:
            answer.result(20)


# ── a member that floods ─────────────────────────────────────────────────────────────────────────────────────────────


def own_transactions(network: Network, name: str, count: int) -> list[bytes]:
    """Registrations that a member signs past its node, with numbers from 0 on."""
    settings, desk = read_settings(network.folder(name)), network.desk(name)
    identity = PrivateKey.from_seed(read_secret(settings, "identity"))
    mine = b64u(identity.public.key_id)
    made = []
    for number in range(count):
        order = registration(network, f"{number:032x}", creditor_key=mine)
        order.authorisers[0].purpose = "identity"
        body = Body.decode(parse_draft(desk.draft(order).draft).body)
        body = replace(body, sequence=SequenceNumber(number))
        parts = [SignaturePart.over(message, identity) for message in (body.message, body.consent)]
        made.append(finish(body, parts[0], parts[1:]).encode())
    return made


def flooding(network: Network, kind: str, made: list[bytes], over: threading.Event) -> Counter[str]:
    """What core says to one who asks without end, on a connection of its own."""
    foreign = [data[:2] + bytes(32) + data[34:] for data in made]
    noise = random.Random(kind)
    heard: Counter[str] = Counter()
    tls = member_tls(network, "bank-b")
    with open_channel(network.endpoint("core"), "core", tls) as channel:
        stub = stubs.LedgerStub(channel)
        while not over.is_set():
            try:
                if kind == "streams":
                    first = stub.Blocks(pb.BlocksRequest(follow=True), timeout=20.0)
                    heard[str(next(first).block != b"")] += 1
                    continue
                signed = {
                    "valid": made[:100],
                    "foreign": foreign[:100],
                    "malformed": [noise.randbytes(200) for _ in range(100)],
                    "oversized": [bytes(1 << 20)] * 3,
                    "unreadable": [bytes(MAX_MESSAGE + 1)],
                }[kind]
                answer = stub.Submit(pb.SubmitRequest(signed=signed), timeout=20.0)
                heard.update(result.fault.name for result in answer.results)
            except grpc.RpcError as failure:
                heard[type(translated(failure, "core", "Submit")).__name__] += 1
    return heard


def memory_of(network: Network, name: str) -> int:
    """Bytes that a node's process holds."""
    status = Path(f"/proc/{network.running[name].pid}/status").read_text("ascii")
    return int(status.split("VmRSS:")[1].split()[0]) << 10


FLOODS = ("valid", "valid", "foreign", "malformed", "oversized", "unreadable", "streams", "streams")


def test_a_member_that_floods_stops_neither_the_others_nor_the_epochs(network: Network) -> None:
    made, over = own_transactions(network, "bank-b", 120), threading.Event()
    before = memory_of(network, "core")
    with ThreadPoolExecutor(len(FLOODS)) as pool:
        floods = [pool.submit(flooding, network, kind, made, over) for kind in FLOODS]
        try:
            for number in range(3):
                start = network.status("core")
                asset = until("a registration", partial(register, network, f"{0xA0 + number:032x}"))
                assert asset.sent.code == 0
                network.await_status(
                    "supplier", "closes epochs", lambda now, was=start: now.quorum_size > was.quorum_size
                )
        finally:
            over.set()
        heard = sum((flood.result(60) for flood in floods), Counter[str]())
    assert heard["Throttled"] > 0
    assert heard["FieldMismatch"] > 0  # another consortium's
    assert heard["TooLong"] > 0
    assert memory_of(network, "core") - before < 300 << 20
    assert network.status("core").halted == ""
    assert "unforeseen" not in (network.folder("core") / "node.log").read_text("utf-8")


# ── certificates ─────────────────────────────────────────────────────────────────────────────────────────────────────


def new_tls(network: Network, name: str) -> bytes:
    """The authority gives a member another certificate; it is laid over the old one. What that was."""
    folder, now = network.folder(name), SystemClock().now()
    old = (folder / "tls.pem").read_bytes()
    issued = issue_tls(authority(network), Holder(name, f"{name} Ltd", "LEI:1"), "member", ("127.0.0.1",), now)
    (folder / "keys" / "tls.key").write_bytes(issued.key)  # for a moment it is another's: the node waits for both
    (folder / "tls.pem").write_bytes(issued.certificate)
    return old


def revoke(network: Network, certificates: list[bytes], issued: int) -> None:
    """The authority's list reaches every member."""
    ca = authority(network)
    data = issue_revocations(ca.certificate, ca.key, certificates, UnixSeconds(issued), UnixSeconds(issued + 86_400))
    for name in NAMES:
        new = network.folder(name) / "crl.new"
        new.write_bytes(data)
        new.replace(network.folder(name) / "crl.pem")


def is_refused(network: Network, at: str, tls: ClientTls) -> bool:
    peer = GrpcPeer.at(at, network.endpoint(at), tls)
    try:
        peer.status()
    except CertificateRevoked:
        return True
    finally:
        peer.close()
    return False


def test_certificates_rotate_and_are_revoked_under_running_nodes(network: Network) -> None:
    stolen, lost = member_tls(network, "bank-a"), member_tls(network, "bank-b")
    peer = GrpcPeer.at("bank-a", network.endpoint("bank-a"), member_tls(network, "supplier"))
    far = Marks(height=Height(2**40), size=TreeSize(2**40), line=TreeSize(2**40), cosigned=TreeSize(2**40))
    with ThreadPoolExecutor(4) as pool:  # calls in flight
        held = [pool.submit(peer.witness, far, 3.0) for _ in range(4)]
        old = new_tls(network, "bank-a")
        roots = authority(network).certificate
        shown = server_certificate(network.endpoint("bank-a"), "bank-a", roots)
        for answer in held:
            answer.result(20)
    assert shown != old
    assert shown == (network.folder("bank-a") / "tls.pem").read_bytes()

    now = SystemClock().now()
    revoke(network, [old, lost.certificate], now)
    for name in ("core", "supplier", "bank-b"):
        assert is_refused(network, name, stolen)
    assert is_refused(network, "core", lost)
    with pytest.raises(CertificateRevoked):  # and in the other direction
        GrpcPeer.at("bank-b", network.endpoint("bank-b"), tls_files(read_settings(network.folder("core")))).status()
    was = network.status("bank-a")
    network.await_status("bank-a", "goes on with its new one", lambda status: status.quorum_size > was.quorum_size + 1)
    log = network.folder("core") / "node.log"
    until("core closes its own door to bank-b", lambda: "bank-b: CertificateRevoked" in log.read_text("utf-8"))

    new_tls(network, "bank-b")
    was = network.status("bank-b")
    network.await_status("bank-b", "is back", lambda status: status.quorum_size > was.quorum_size + 1)
    command = [sys.executable, "-m", "hybrid_bridge", "node", "check", "--json", "--dir", str(network.folder("bank-b"))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = {row["what"]: row["state"] for row in json.loads(done.stdout)["found"]}
    assert found == dict.fromkeys(("tls.pem", "ca.pem", "identity certificate", "revocation list of 2"), "good")


def test_secret_files_that_others_may_read_stop_the_start(network: Network) -> None:
    network.stop("bank-b")
    key: Path = network.folder("bank-b") / "keys" / "identity.key"
    key.chmod(0o644)
    network.start("bank-b")
    assert network.running.pop("bank-b").wait(PATIENCE) == 4
    key.chmod(0o600)
    network.start("bank-b")
    network.await_status("bank-b", "up again", lambda status: status.height > 0)
