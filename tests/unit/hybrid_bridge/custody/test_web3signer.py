"""A gas key behind a server of web3signer's API, honest and hostile, in the clear on loopback and under TLS."""

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from hybrid_bridge.adapters.pki import Authority, Holder, Issued, found_authority, issue_tls
from hybrid_bridge.adapters.web.web3signer import Web3Signer
from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.core.public_transaction import decode_signed
from hybrid_bridge.core.signing import ORDER, address_of, public_key_of, sign_digest
from hybrid_bridge.custody.places import Place, parse_place
from hybrid_bridge.custody.signers import QUESTION, GasKey, open_gas_key
from hybrid_bridge.errors import (
    AnswerMalformed,
    BridgeError,
    EndpointRefused,
    KeyUnusable,
    SignerLied,
    TooLong,
    Unreachable,
)
from hybrid_bridge.ports import UnsignedTransaction
from hybrid_bridge.units import Address, ChainId, Gas, Nonce, Seconds, UnixSeconds, Wei
from tests.remote_signer import TEXT, RemoteSigner, Reply, honest

KEY, OTHER = b"\x01" * 32, b"\x02" * 32
ADDRESS = address_of(public_key_of(KEY))
ASKED = UnsignedTransaction(
    chain_id=ChainId(31337),
    nonce=Nonce(7),
    to=Address(b"\x22" * 20),
    value=Wei(0),
    data=b"\x01\x02",
    gas=Gas(50_000),
    max_fee=Wei(2 * 10**9),
    tip=Wei(10**9),
)


@pytest.fixture
def server() -> Iterator[RemoteSigner]:
    with RemoteSigner(KEY) as served:
        yield served
        assert served.complaints == []


def place(server: RemoteSigner, more: str = "", folder: Path = Path("/")) -> Place:
    return parse_place(f"web3signer:{server.url}?key={server.identifier}{more}", folder, "signer")


def opened(server: RemoteSigner) -> GasKey:
    return open_gas_key(place(server), "signer", ADDRESS)


def test_a_server_signs_the_words_themselves_and_the_envelope_is_ours(server: RemoteSigner) -> None:
    signer = opened(server)
    decoded = decode_signed(signer.sign(ASKED))
    assert (decoded.sender, signer.address()) == (ADDRESS, ADDRESS)
    assert all(getattr(decoded.transaction, name) == getattr(ASKED, name) for name in ASKED.__slots__)
    assert server.asked == [QUESTION, decoded.transaction.message()]
    assert decoded.transaction.digest() == keccak256(server.asked[1])


def high(data: bytes) -> Reply:
    """The same signature with s in the upper half."""
    made = sign_digest(KEY, keccak256(data))
    s = ORDER - int.from_bytes(made[32:64], "big")
    return 200, TEXT, b"0x" + (made[:32] + s.to_bytes(32, "big") + bytes([55 - made[64]])).hex().encode()


def test_a_signature_with_high_s_is_made_low(server: RemoteSigner) -> None:
    signer = opened(server)
    server.answer = high
    assert decode_signed(signer.sign(ASKED)).sender == ADDRESS


@pytest.mark.parametrize(
    ("answer", "field"),
    [
        (honest(OTHER), "signer"),
        (lambda data: honest(KEY)(data + b"x"), "signer"),
        (lambda data: honest(KEY)(b"\x19Ethereum Signed Message:\n" + data), "signer"),
        (lambda _: (200, TEXT, b"0x" + b"00" * 65), "signature"),
        (lambda _: (200, TEXT, b"0x" + b"ff" * 65), "signature"),
    ],
    ids=["another key", "other words", "with a prefix", "zero", "beyond the order"],
)
def test_a_signature_that_is_not_ours_is_never_used(
    server: RemoteSigner, answer: Callable[[bytes], Reply], field: str
) -> None:
    signer = opened(server)
    server.answer = answer
    with pytest.raises(SignerLied) as caught:
        signer.sign(ASKED)
    assert caught.value.field == field


SIGNATURE = b"0x" + b"11" * 65


@pytest.mark.parametrize(
    "reply",
    [
        (200, TEXT, b""),
        (200, TEXT, SIGNATURE[:-2]),
        (200, TEXT, SIGNATURE + b"11"),
        (200, TEXT, SIGNATURE + b"\n"),
        (200, TEXT, SIGNATURE[2:]),
        (200, TEXT, b"0x" + b"zz" * 65),
        (200, "application/json", b'{"signature": "' + SIGNATURE + b'"}'),
        (200, "text/html", SIGNATURE),
    ],
)
def test_an_answer_that_is_not_of_the_api_is_malformed(server: RemoteSigner, reply: Reply) -> None:
    signer = opened(server)
    server.answer = lambda _: reply
    with pytest.raises(AnswerMalformed) as caught:
        signer.sign(ASKED)
    assert caught.value.endpoint == "signer"


def test_an_answer_without_end_is_cut_off(server: RemoteSigner) -> None:
    signer = opened(server)
    server.answer = lambda _: (200, TEXT, b"0x" + b"1" * 100_000)
    with pytest.raises(TooLong):
        signer.sign(ASKED)


@pytest.mark.parametrize("status", [301, 400, 401, 404, 500, 503])
def test_a_refusal_while_it_works_is_asked_again_later_without_its_words(server: RemoteSigner, status: int) -> None:
    signer = opened(server)
    server.answer = lambda _: (status, TEXT, b"hunter2 at " + server.url.encode())
    with pytest.raises(EndpointRefused) as caught:
        signer.sign(ASKED)
    assert caught.value.code == status
    assert "hunter2" not in str(caught.value)
    assert server.url not in str(caught.value)


def test_a_key_that_the_server_does_not_hold_is_named_at_the_start(server: RemoteSigner) -> None:
    server.identifier = "0x" + "11" * 64
    at = parse_place(f"web3signer:{server.url}?key=0x{public_key_of(KEY)[1:].hex()}", Path("/"), "signer")
    with pytest.raises(KeyUnusable) as caught:
        open_gas_key(at, "signer", ADDRESS)
    assert "holds" in caught.value.rule


def test_the_public_key_of_another_address_is_refused_before_anybody_is_asked(server: RemoteSigner) -> None:
    with pytest.raises(KeyUnusable):
        open_gas_key(place(server), "signer", Address(b"\x01" * 20))
    assert server.asked == []


def test_a_server_that_signs_with_another_key_is_refused_at_the_start(server: RemoteSigner) -> None:
    server.answer = honest(OTHER)
    with pytest.raises(KeyUnusable):
        opened(server)


def test_a_server_that_does_not_answer_in_time_is_unreachable_whatever_it_signs_later(server: RemoteSigner) -> None:
    go = threading.Event()

    def late(data: bytes) -> Reply:
        go.wait(60)
        return honest(KEY)(data)

    server.answer = late
    signer = Web3Signer("signer", server.url, public_key_of(KEY)[1:], deadline=Seconds(1))
    with pytest.raises(Unreachable):
        signer.sign(QUESTION)
    go.set()


def test_nobody_listening_is_unreachable_and_undecided() -> None:
    with RemoteSigner(KEY) as served:
        signer, at = opened(served), place(served)
    with pytest.raises(Unreachable):
        signer.sign(ASKED)
    with pytest.raises(Unreachable) as caught:
        open_gas_key(at, "signer", ADDRESS)
    assert caught.value.exit_code == 3


# ── TLS ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Certificates:
    """Two authorities on disk, and what each has issued to the server's side and to ours."""

    folder: Path
    authority: Authority
    server: Issued
    client: Issued

    def context(self, *, asks: bool = False) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "server.pem", self.folder / "server.key")
        if asks:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.folder / "ca.pem")
        return context


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder, now = tmp_path_factory.mktemp("tls"), UnixSeconds(int(time.time()))
    authority, stranger = found_authority("signers", now), found_authority("strangers", now)
    holder = Holder("signer", "Signer Ltd", "none")
    server = issue_tls(authority, holder, "member", ["127.0.0.1"], now)
    client = issue_tls(authority, replace(holder, name="relayer"), "relayer", [], now)
    for name, issued in (("server", server), ("client", client)):
        (folder / f"{name}.pem").write_bytes(issued.certificate)
        (folder / f"{name}.key").touch(mode=0o600)
        (folder / f"{name}.key").write_bytes(issued.key)
    (folder / "ca.pem").write_bytes(authority.certificate)
    (folder / "stranger.pem").write_bytes(stranger.certificate)
    return Certificates(folder, authority, server, client)


def over_tls(certificates: Certificates, served: RemoteSigner, more: str) -> bytes:
    at = place(served, more, certificates.folder)
    return open_gas_key(at, "signer", ADDRESS).sign(ASKED)


MINE = "&certificate=client.pem&certificate-key=file:client.key"


def test_a_server_with_a_certificate_of_the_named_authority_is_believed(certificates: Certificates) -> None:
    with RemoteSigner(KEY, certificates.context()) as served:
        assert decode_signed(over_tls(certificates, served, "&ca=ca.pem")).sender == ADDRESS


@pytest.mark.parametrize("more", ["", "&ca=stranger.pem"], ids=["of the system's", "of another's"])
def test_a_server_that_no_authority_of_ours_vouches_for_is_told_nothing(certificates: Certificates, more: str) -> None:
    with RemoteSigner(KEY, certificates.context()) as served:
        with pytest.raises(Unreachable):
            over_tls(certificates, served, more)
        assert served.asked == []


def test_a_server_may_ask_who_we_are(certificates: Certificates) -> None:
    with RemoteSigner(KEY, certificates.context(asks=True)) as served:
        assert decode_signed(over_tls(certificates, served, "&ca=ca.pem" + MINE)).sender == ADDRESS
        with pytest.raises(BridgeError) as caught:
            over_tls(certificates, served, "&ca=ca.pem")
        assert caught.value.exit_code == 3


def test_a_certificate_or_its_key_that_cannot_be_used_is_named(certificates: Certificates) -> None:
    folder = certificates.folder
    (folder / "open.key").write_bytes(certificates.client.key)
    (folder / "open.key").chmod(0o644)
    (folder / "text.key").touch(mode=0o600)
    (folder / "locked.key").touch(mode=0o600)
    key = load_pem_private_key(certificates.client.key, None)
    lock = BestAvailableEncryption(b"hunter2")
    (folder / "locked.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock))
    with RemoteSigner(KEY, certificates.context()) as served:
        for more in (
            "&ca=none.pem",
            "&ca=client.key",
            "&ca=ca.pem&certificate=none.pem&certificate-key=file:client.key",
            "&ca=ca.pem&certificate=client.pem&certificate-key=file:open.key",
            "&ca=ca.pem&certificate=client.pem&certificate-key=file:text.key",
            "&ca=ca.pem&certificate=client.pem&certificate-key=file:server.key",
            "&ca=ca.pem&certificate=client.pem&certificate-key=file:locked.key",
        ):
            with pytest.raises(KeyUnusable):
                over_tls(certificates, served, more)
        assert served.asked == []
