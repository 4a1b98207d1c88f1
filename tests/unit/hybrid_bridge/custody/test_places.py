"""Where a key is, in one line: what is read, and that everything else is refused."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_bridge.adapters.hsm.pkcs11_key import Pkcs11Place
from hybrid_bridge.custody.passphrases import FromCommand, FromDescriptor, FromFile
from hybrid_bridge.custody.places import MAX_PLACE, Keystore, RemoteSigner, Token, parse_place, require_attesting
from hybrid_bridge.errors import SettingsMalformed

FOLDER = Path("/etc/hybrid-relayer")
MODULE = "module-path=/usr/lib/softhsm/libsofthsm2.so"
PIN = "pin-source=file:pin"
KEY = "0x" + "ab" * 64


def parse(text: str):
    return parse_place(text, FOLDER, "chain.signer")


def test_a_keystore_and_what_opens_it() -> None:
    assert parse("keystore:gas.json?password=fd:3") == Keystore(FOLDER / "gas.json", FromDescriptor(3))
    assert parse("keystore:/a?b.json?password=file:p?q") == Keystore(Path("/a?b.json"), FromFile(FOLDER / "p?q"))


def test_a_key_in_a_token_by_its_names() -> None:
    found = parse(f"pkcs11:token=My%20token;object=g%c3%a4s;id=%01%ff;serial=00a1?{MODULE}&{PIN}")
    assert found == Token(
        Pkcs11Place(
            module=Path("/usr/lib/softhsm/libsofthsm2.so"), token="My token", serial="00a1", label="gäs", id=b"\x01\xff"
        ),
        FromFile(FOLDER / "pin"),
    )
    command = parse(f"pkcs11:token=t;id=a?pin-source=command:/usr/bin/vault read pin&{MODULE}")
    assert command.pin == FromCommand(("/usr/bin/vault", "read", "pin"))
    assert (command.key.label, command.key.id) == (None, b"a")


def test_a_key_behind_a_server() -> None:
    found = parse(
        f"web3signer:https://signer.example:9000/?key={KEY}&ca=ca.pem&certificate=c.pem&certificate-key=file:k"
    )
    assert found == RemoteSigner(
        url="https://signer.example:9000",
        public_key=b"\xab" * 64,
        ca=FOLDER / "ca.pem",
        certificate=(FOLDER / "c.pem", FOLDER / "k"),
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "localhost", "[::1]"])
def test_without_tls_a_server_is_this_machine(host: str) -> None:
    assert parse(f"web3signer:http://{host}:9000?key={KEY}").url == f"http://{host}:9000"


@pytest.mark.parametrize(
    "text",
    [
        "", "0x1234", "file:gas.key", "keystore", "keystore:", "keystore:gas.json", "keystore:?password=file:p",
        "keystore:gas.json?password=", "keystore:gas.json?password=hunter2", "keystore:gas.json?passphrase=file:p",
        "pkcs11:", f"pkcs11:token=t;object=o?{MODULE}", f"pkcs11:token=t;object=o?{PIN}", "pkcs11:token=t;object=o",
        f"pkcs11:token=t;object=o?{MODULE}&{PIN}&pin-value=1234", f"pkcs11:token=t;object=o;pin-value=1234?{MODULE}&{PIN}",
        f"pkcs11:token=t;object=o?{MODULE}&pin-value=1234", f"pkcs11:token=t?{MODULE}&{PIN}", f"pkcs11:object=o?{MODULE}&{PIN}",
        f"pkcs11:token=t;object=o;object=p?{MODULE}&{PIN}", f"pkcs11:token=t;object=o?{MODULE}&{MODULE}&{PIN}",
        f"pkcs11:token=t;object=o;type=private?{MODULE}&{PIN}", f"pkcs11:token=t;object=?{MODULE}&{PIN}",
        f"pkcs11:token=a b;object=o?{MODULE}&{PIN}", f"pkcs11:token=t;object=%f?{MODULE}&{PIN}",
        f"pkcs11:token=t;object=%ff?{MODULE}&{PIN}", f"pkcs11:token=t;object=%00?{MODULE}&{PIN}",
        f"pkcs11:token=t;object=o?module-path=lib.so&{PIN}", f"pkcs11:token=t;object=o?{MODULE}&pin-source=1234",
        f"pkcs11:token=t;object=o?{MODULE}&{PIN}&slot-id=1", f"PKCS11:token=t;object=o?{MODULE}&{PIN}",
        f"web3signer:?key={KEY}", "web3signer:https://s:9000", f"web3signer:https://s:9000?key={KEY[:-2]}",
        "web3signer:https://s:9000?key=" + "ab" * 64, f"web3signer:http://s:9000?key={KEY}",
        f"web3signer:http://10.0.0.1:9000?key={KEY}", f"web3signer:http://127.0.0.1:9000?key={KEY}&ca=ca.pem",
        f"web3signer:https://me:hunter2@s?key={KEY}", f"web3signer:https://s/#x?key={KEY}", f"web3signer:https://s:0?key={KEY}",
        f"web3signer:https://s:x?key={KEY}", f"web3signer:ftp://s?key={KEY}", f"web3signer:https://s?key={KEY}&token=hunter2",
        f"web3signer:https://s?key={KEY}&certificate=c.pem", f"web3signer:https://s?key={KEY}&certificate-key=file:k",
        f"web3signer:https://s?key={KEY}&certificate=c&certificate-key=k", f"web3signer:https://s?key={KEY}&key={KEY}",
        f"web3signer:https://s t?key={KEY}", f"web3signer:https://[::1?key={KEY}", "keystore:a?password=file:" + "p" * MAX_PLACE,
    ],
)  # fmt: skip
def test_everything_else_is_refused_and_never_repeated(text: str) -> None:
    with pytest.raises(SettingsMalformed) as caught:
        parse(text)
    assert caught.value.key == "chain.signer"
    assert not any(secret in str(caught.value) for secret in ("hunter2", "1234"))


def test_no_place_shows_what_opens_it() -> None:
    for text in (
        "keystore:gas.json?password=file:SECRET",
        f"pkcs11:token=t;object=o?{MODULE}&pin-source=file:SECRET",
        f"web3signer:https://s?key={KEY}&certificate=c&certificate-key=file:SECRET",
    ):
        assert "SECRET" not in str(parse(text))


def test_an_attestation_key_is_never_behind_a_server_that_hashes_for_itself() -> None:
    with pytest.raises(SettingsMalformed):
        require_attesting(parse(f"web3signer:https://s?key={KEY}"), "attestation")
    found = parse("keystore:a.json?password=fd:3")
    assert require_attesting(found, "attestation") is found


@given(st.sampled_from(["keystore:", "pkcs11:", "web3signer:", ""]), st.text(max_size=60))
def test_arbitrary_text_leaves_only_our_error(scheme: str, text: str) -> None:
    with suppress(SettingsMalformed):
        parse(scheme + text)
