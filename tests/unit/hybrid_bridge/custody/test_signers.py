"""Signers over a keystore, and over key stores that lie."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hybrid_bridge.adapters.evm.keystore import create_keystore
from hybrid_bridge.adapters.hsm.pkcs11_key import KeyTraits, Pkcs11Key
from hybrid_bridge.core.signing import address_of, public_key_of, recover_address, sign_digest
from hybrid_bridge.custody.places import Place, parse_place
from hybrid_bridge.custody.signers import QUESTION, address_at, held, open_attestation_key, open_gas_key
from hybrid_bridge.errors import KeyUnusable, SettingsMalformed, SignerLied
from hybrid_bridge.ports import SigningPermit
from hybrid_bridge.units import Address, Digest, TreeSize

KEY, OTHER = b"\x01" * 32, b"\x02" * 32
ADDRESS = address_of(public_key_of(KEY))
PERMIT = SigningPermit(Digest(b"\x42" * 32), TreeSize(5))
IN_A_TOKEN = "pkcs11:token=t;object=o?module-path=/m.so&pin-source=fd:9"


@pytest.fixture
def keystore(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setattr("hybrid_bridge.adapters.evm.keystore.LEAST_WORK", 1 << 12)
    create_keystore(tmp_path / "k.json", "correct horse", lambda _: KEY)
    (tmp_path / "p").touch(mode=0o600)
    (tmp_path / "p").write_text("correct horse\n")
    return parse_place("keystore:k.json?password=file:p", tmp_path, "key")


def test_a_keystore_signs_the_same_way_each_time_and_shows_nothing(keystore: Place) -> None:
    signer = open_attestation_key(keystore, "attestation", ADDRESS)
    assert signer.sign(PERMIT) == signer.sign(PERMIT) == sign_digest(KEY, PERMIT.digest)
    found = held(keystore, "attestation", ADDRESS)
    for shown in (repr(signer), repr(open_gas_key(keystore, "gas", ADDRESS)), repr(found)):
        assert KEY.hex() not in shown
        assert repr(KEY) not in shown


def test_a_keystore_with_the_key_of_another_address_is_refused(keystore: Place) -> None:
    with pytest.raises(KeyUnusable) as caught:
        held(keystore, "signer", Address(b"\x01" * 20))
    assert caught.value.key == "signer"


def test_an_attestation_key_behind_a_server_is_refused_before_it_is_asked() -> None:
    place = parse_place("web3signer:http://127.0.0.1:1?key=0x" + public_key_of(KEY)[1:].hex(), Path(), "attestation")
    with pytest.raises(SettingsMalformed):
        open_attestation_key(place, "attestation", ADDRESS)
    assert address_at(place, "attestation") == ADDRESS


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Digest], bytes]], Place]:
    """A token that answers as a test says."""

    def answering(answer: Callable[[Digest], bytes]) -> Place:
        monkeypatch.setattr(Pkcs11Key, "open", lambda _: KeyTraits(is_extractable=False, is_sensitive=True))
        monkeypatch.setattr(Pkcs11Key, "sign", lambda _, digest: answer(digest))
        return parse_place(IN_A_TOKEN, Path(), "signer")

    return answering


def honest(digest: Digest) -> bytes:
    return sign_digest(KEY, digest)[:64]


def test_two_signatures_tell_whose_the_key_is(token: Callable[..., Place]) -> None:
    assert address_at(token(honest), "signer") == ADDRESS


def test_a_token_that_signs_with_two_keys_has_no_address(token: Callable[..., Place]) -> None:
    keys = iter((KEY, OTHER))
    with pytest.raises(KeyUnusable):
        address_at(token(lambda digest: sign_digest(next(keys), digest)[:64]), "signer")


@pytest.mark.parametrize("answer", [b"", bytes(64), b"\xff" * 64, b"\x30\x06\x02\x01\x01\x02\x01\x01\x00"])
def test_what_is_no_signature_is_a_lie(token: Callable[..., Place], answer: bytes) -> None:
    with pytest.raises(SignerLied) as caught:
        address_at(token(lambda _: answer), "signer")
    assert caught.value.field == "signature"
    with pytest.raises(KeyUnusable):
        held(token(lambda _: answer), "signer", ADDRESS)


def test_a_token_that_begins_to_lie_is_found_out(token: Callable[..., Place]) -> None:
    said: list[Digest] = []

    def later(digest: Digest) -> bytes:
        said.append(digest)
        return sign_digest(KEY if len(said) == 1 else OTHER, digest)[:64]

    signer = open_attestation_key(token(later), "attestation", ADDRESS)
    with pytest.raises(SignerLied):
        signer.sign(PERMIT)


def test_every_key_is_asked_the_same_question_at_its_start(token: Callable[..., Place]) -> None:
    asked: list[Digest] = []
    place = token(lambda digest: (asked.append(digest), honest(digest))[1])
    signature = held(place, "signer", ADDRESS).signature(QUESTION)
    assert len(set(asked)) == 1
    assert recover_address(asked[0], signature) == ADDRESS
