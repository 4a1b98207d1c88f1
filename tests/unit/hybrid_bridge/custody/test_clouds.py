"""Keys in clouds: what the SDKs send is what the services document, and whatever comes back is judged, never believed."""

import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from hybrid_bridge.adapters.hsm.aws_kms import AwsKey, AwsPlace
from hybrid_bridge.adapters.hsm.gcp_kms import GcpKey, GcpPlace
from hybrid_bridge.adapters.web.key_vault import VaultKey, VaultPlace
from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.core.public_transaction import decode_signed
from hybrid_bridge.core.signing import HALF_ORDER, address_of, public_key_of, recover_address
from hybrid_bridge.custody import signers
from hybrid_bridge.custody.places import Place, parse_place, require_attesting, scheme_of
from hybrid_bridge.custody.signers import QUESTION, address_at, open_attestation_key, open_gas_key
from hybrid_bridge.errors import (
    AnswerMalformed,
    BridgeError,
    EndpointRefused,
    KeyUnusable,
    SettingsMalformed,
    SignerLied,
    Unreachable,
)
from hybrid_bridge.ports import SigningPermit, UnsignedTransaction
from hybrid_bridge.units import Address, ChainId, Digest, Gas, Nonce, Seconds, TreeSize, Wei
from tests.cloud_keys import (
    ARN,
    AWS_ID,
    AWS_SECRET,
    AZURE_SECRET,
    VAULT_KEY,
    VERSION,
    AwsKeys,
    AzureKeys,
    CloudKeys,
    GcpKeys,
    der,
)

KEY, OTHER = b"\x01" * 32, b"\x02" * 32
ADDRESS = address_of(public_key_of(KEY))
PERMIT = SigningPermit(Digest(b"\x42" * 32), TreeSize(5))
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


@pytest.fixture(scope="module")
def account() -> RSAPrivateKey:
    return generate_private_key(65537, 2048)


@pytest.fixture(autouse=True)
def credentials(account: RSAPrivateKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where each SDK looks first; nothing of this machine's owner."""
    key = account.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    told = {"type": "service_account", "project_id": "acme", "private_key_id": "1", "private_key": key}
    told |= {"client_email": "relayer@acme.iam.gserviceaccount.com", "token_uri": "http://127.0.0.1:1/token"}
    (tmp_path / "account.json").write_text(json.dumps(told))
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "AWS_ACCESS_KEY_ID": AWS_ID,
        "AWS_SECRET_ACCESS_KEY": AWS_SECRET,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        "GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "account.json"),
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(params=["aws", "gcp", "azure"])
def server(
    request: pytest.FixtureRequest, account: RSAPrivateKey, monkeypatch: pytest.MonkeyPatch
) -> Iterator[CloudKeys]:
    clouds = {"aws": AwsKeys, "gcp": lambda private: GcpKeys(private, account), "azure": AzureKeys}
    with clouds[request.param](KEY) as cloud:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{cloud.url}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", AZURE_SECRET)
        yield cloud
        assert cloud.complaints == []


def place(server: CloudKeys) -> Place:
    return parse_place(text_of(server), Path("/"), "signer")


def text_of(server: CloudKeys) -> str:
    match server:
        case AwsKeys():
            return f"aws-kms:{ARN}?endpoint={server.url}"
        case GcpKeys():
            return f"gcp-kms:{VERSION}?endpoint={server.url}"
        case _:
            return f"azure-kms:{server.url}/{VAULT_KEY}"


def test_a_cloud_signs_a_transaction_and_the_envelope_is_ours(server: CloudKeys) -> None:
    signer = open_gas_key(place(server), "signer", ADDRESS)
    decoded = decode_signed(signer.sign(ASKED))
    assert decoded.sender == signer.address() == ADDRESS
    assert all(getattr(decoded.transaction, name) == getattr(ASKED, name) for name in ASKED.__slots__)
    assert server.asked == [keccak256(QUESTION), decoded.transaction.digest()]


def test_a_cloud_signs_what_the_guard_permitted_and_high_s_is_made_low(server: CloudKeys) -> None:
    require_attesting(place(server), "attestation")
    signer = open_attestation_key(place(server), "attestation", ADDRESS)
    server.answer = lambda digest: server.signature(der(KEY, digest, high=True))
    signature = signer.sign(PERMIT)
    assert recover_address(PERMIT.digest, signature) == ADDRESS
    assert int.from_bytes(signature[32:64], "big") <= HALF_ORDER
    assert server.asked[1:] == [PERMIT.digest]


def test_the_address_of_a_key_in_a_cloud_is_found_by_two_signatures(server: CloudKeys) -> None:
    assert address_at(place(server), "--at") == ADDRESS
    server.answer = lambda digest: server.signature(der(OTHER if len(server.asked) % 2 else KEY, digest))
    with pytest.raises(KeyUnusable):
        address_at(place(server), "--at")


def test_a_cloud_with_another_key_is_refused_at_the_start(server: CloudKeys) -> None:
    server.answer = lambda digest: server.signature(der(OTHER, digest))
    with pytest.raises(KeyUnusable) as caught:
        open_gas_key(place(server), "signer", ADDRESS)
    assert ADDRESS.hex() in caught.value.rule


@pytest.mark.parametrize(
    ("id_", "made", "error"),
    [
        ("another key", lambda digest: der(OTHER, digest), SignerLied),
        ("another digest", lambda digest: der(KEY, digest[::-1]), SignerLied),
        ("trailing byte", lambda digest: der(KEY, digest) + b"\x00", SignerLied),
        ("zero", lambda digest: b"\x00" * 64, SignerLied),
        ("too long", lambda digest: b"\x30" * 73, AnswerMalformed),
        ("empty", lambda digest: b"", AnswerMalformed),
    ],
)
def test_a_signature_that_is_not_ours_is_never_used(server: CloudKeys, id_, made, error) -> None:
    signer = open_gas_key(place(server), "signer", ADDRESS)
    server.answer = lambda digest: server.signature(made(digest))
    if isinstance(server, AzureKeys) and id_ == "trailing byte":
        error = AnswerMalformed  # there the length is part of the API
    with pytest.raises(error):
        signer.sign(ASKED)


def test_each_documented_error_is_asked_again_or_ends_the_matter_and_is_sent_once(server: CloudKeys) -> None:
    signer = open_gas_key(place(server), "signer", ADDRESS)
    for error in server.recorded["errors"]:
        server.answer = lambda _, error=error: server.error(error["status"], error["type"])
        before = len(server.asked)
        with pytest.raises(BridgeError) as caught:
            signer.sign(ASKED)
        assert (error["type"], type(caught.value).__name__) == (error["type"], error["wants"])
        assert caught.value.exit_code == (3 if error["wants"] == "EndpointRefused" else 4)
        assert "hunter2" not in str(caught.value)
        assert server.url not in str(caught.value)
        tries = len(server.asked) - before
        assert tries == 1 or (error["status"] == 401 and tries <= 3), error  # google-auth tries a fresh token


@pytest.mark.parametrize("reply", [b"<html>", b"[]", b"{}", b'{"Signature": 7, "signature": 7}'])
def test_an_answer_that_is_not_of_the_api_is_no_signature(server: CloudKeys, reply) -> None:
    signer = open_gas_key(place(server), "signer", ADDRESS)
    server.answer = lambda _: (200, "application/json", reply)
    with pytest.raises((AnswerMalformed, Unreachable)) as caught:
        signer.sign(ASKED)
    assert not isinstance(caught.value, EndpointRefused)


def test_a_cloud_that_does_not_answer_in_time_is_unreachable_whatever_it_signs_later(
    server: CloudKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = threading.Event()

    def late(digest: bytes):
        go.wait(60)
        return server.signature(der(KEY, digest))

    monkeypatch.setattr(signers, "VAULT_DEADLINE", Seconds(1))
    at = place(server)
    soon = {AwsPlace: AwsKey, GcpPlace: GcpKey}
    sign = soon[type(at)](at, "signer", Seconds(1)).sign if type(at) in soon else signers._cloud(at, "signer")
    server.answer = late
    with pytest.raises(Unreachable):
        sign(Digest(keccak256(QUESTION)))
    go.set()


def test_nobody_listening_is_unreachable_and_undecided(server: CloudKeys) -> None:
    at = parse_place(text_of(server).replace(server.url, "http://127.0.0.1:1"), Path("/"), "signer")
    with pytest.raises(Unreachable) as caught:
        open_gas_key(at, "signer", ADDRESS)
    assert caught.value.exit_code == 3


def test_without_credentials_the_key_cannot_be_used(server: CloudKeys, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    monkeypatch.setenv("IDENTITY_HEADER", "another machine's")
    with pytest.raises(KeyUnusable) as caught:
        open_gas_key(place(server), "signer", ADDRESS)
    assert "credentials" in caught.value.rule
    assert server.asked == []


def test_without_its_extra_a_place_says_how_to_install_it(server: CloudKeys, monkeypatch) -> None:
    extra = server.name.removesuffix("_kms")
    for module in ("botocore.exceptions", "google.api_core.exceptions", "azure.identity"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(KeyUnusable) as caught:
        open_gas_key(place(server), "signer", ADDRESS)
    assert f"pip install 'hybrid-bridge[{extra}]'" in caught.value.rule


def test_a_place_in_a_cloud_says_which(server: CloudKeys) -> None:
    shown = str(place(server))
    assert (ARN in shown) is isinstance(server, AwsKeys)
    assert server.url in shown
    assert scheme_of(place(server)) == text_of(server).partition(":")[0]


@pytest.mark.parametrize(
    ("host", "audience"),
    [
        ("acme.vault.azure.net", "vault.azure.net"),
        ("hsm-1.managedhsm.usgovcloudapi.net", "managedhsm.usgovcloudapi.net"),
    ],
)
def test_a_vaults_token_is_for_its_own_cloud(host: str, audience: str) -> None:
    assert parse_place(f"azure-kms:https://{host}/{VAULT_KEY}", Path("/"), "signer") == VaultPlace(
        url=f"https://{host}/{VAULT_KEY}", audience=audience
    )


@pytest.mark.parametrize("server", ["azure"], indirect=True)  # the others' SDKs tell the two apart
def test_once_let_in_a_machine_that_is_not_known_for_a_while_is_asked_again_later(server: AzureKeys) -> None:
    key = VaultKey(place(server), "signer")
    assert len(key.sign(Digest(keccak256(QUESTION)))) == 64
    server.is_away = True
    key._credential = None  # as if the token had ended
    with pytest.raises(Unreachable) as caught:
        key.sign(Digest(keccak256(QUESTION)))
    assert caught.value.call == "credentials"


@pytest.mark.parametrize(
    "text",
    [
        "aws-kms:", "aws-kms:alias/gas", "aws-kms:1234abcd-12ab-34cd-56ef-1234567890ab",
        "aws-kms:arn:aws:kms:eu-central-1:111122223333:alias/gas", f"aws-kms:{ARN}?region=x", f"aws-kms:{ARN}?endpoint=",
        f"aws-kms:{ARN}?endpoint=http://10.0.0.1", f"aws-kms:{ARN}?endpoint=https://h/path", f"aws-kms:{ARN}?endpoint=ftp://h",
        f"aws-kms:{ARN}?endpoint=https://me:hunter2@h", f"aws-kms:{ARN}?endpoint=https://h&secret=hunter2", f"aws-kms:{ARN}x/", f"aws-kms:{ARN}?endpoint=https://h?x=1",
        "gcp-kms:", f"gcp-kms:{VERSION}0x", f"gcp-kms:{VERSION.rpartition('/')[0]}/0", f"gcp-kms:{VERSION.rpartition('/')[0]}/",
        f"gcp-kms:{VERSION.rsplit('/', 2)[0]}", f"gcp-kms:/{VERSION}", f"gcp-kms:{VERSION}?endpoint=http://h", f"gcp-kms:{VERSION}:x",
        "azure-kms:", "azure-kms:https://vault/keys/k/1", f"azure-kms:https://v.vault.azure.net/{VAULT_KEY}?x=1",
        f"azure-kms:https://v.vault.azure.net.example/{VAULT_KEY}", f"azure-kms:http://v.vault.azure.net/{VAULT_KEY}",
        f"azure-kms:https://hunter2@v.vault.azure.net/{VAULT_KEY}", "azure-kms:https://v.vault.azure.net/keys/gas",
        f"azure-kms:https://v.vault.azure.net/{VAULT_KEY}/", f"azure-kms:http://10.0.0.1:80/{VAULT_KEY}",
    ],
)  # fmt: skip
def test_another_form_of_a_place_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(SettingsMalformed) as caught:
        parse_place(text, Path("/"), "signer")
    assert "hunter2" not in str(caught.value)
