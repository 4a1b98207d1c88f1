import json
from collections.abc import Callable
from pathlib import Path

import pytest
from eth_account import Account

from hybrid_bridge.adapters.evm.keystore import create_keystore, open_keystore, password_from_file
from hybrid_bridge.adapters.evm.keystore_signer import KeystoreAttestationSigner, KeystoreTransactionSigner
from hybrid_bridge.core.public_transaction import decode_signed
from hybrid_bridge.core.signing import recover_address
from hybrid_bridge.errors import KeyUnusable
from hybrid_bridge.ports import SigningPermit, UnsignedTransaction
from hybrid_bridge.units import Address, ChainId, Digest, Gas, Nonce, TreeSize, Wei

SECRET = "correct horse"
KEY = b"\x01" * 32
TRANSACTION = UnsignedTransaction(
    chain_id=ChainId(31337),
    nonce=Nonce(7),
    to=Address(b"\x22" * 20),
    value=Wei(3),
    data=b"\x01\x02",
    gas=Gas(50_000),
    max_fee=Wei(2 * 10**9),
    tip=Wei(10**9),
)


def password() -> str:
    return SECRET


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "gas.json"
    answers = [bytes(32), KEY]  # zero is no key and is passed over
    assert create_keystore(path, SECRET, lambda _: answers.pop(0)) == KeystoreTransactionSigner(KEY).address()
    return path


def copied(store: Path, folder: Path, change: Callable[[dict[str, object]], None]) -> Path:
    document = json.loads(store.read_text())
    change(document)
    path = folder / "changed.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps(document))
    return path


def test_a_new_key_file_is_its_owner_s_alone_and_opens_again(store: Path) -> None:
    assert store.stat().st_mode & 0o777 == 0o600
    assert open_keystore(store, password) == KEY
    assert Account.decrypt(json.loads(store.read_text()), SECRET) == KEY


def test_an_existing_file_is_never_touched(store: Path) -> None:
    before = store.read_bytes()
    with pytest.raises(KeyUnusable):
        create_keystore(store, SECRET, lambda _: KEY)
    assert store.read_bytes() == before


def test_another_password_does_not_open_it(store: Path) -> None:
    with pytest.raises(KeyUnusable) as caught:
        open_keystore(store, lambda: "wrong")
    assert caught.value.key == "gas.json"


def test_a_key_file_that_others_can_read_is_refused_before_the_password_is_asked(store: Path, tmp_path: Path) -> None:
    path = copied(store, tmp_path, lambda _: None)
    for mode in (0o640, 0o604, 0o610):
        path.chmod(mode)
        with pytest.raises(KeyUnusable) as caught:
            open_keystore(path, lambda: pytest.fail("asked"))
        assert "chmod 600" in caught.value.rule


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.update(version=1),
        lambda d: d["crypto"].update(kdf="pbkdf2"),
        lambda d: d["crypto"]["kdfparams"].update(n=1 << 16),
        lambda d: d["crypto"]["kdfparams"].update(n=1 << 21),
        lambda d: d["crypto"]["kdfparams"].update(n="many"),
        lambda d: d.pop("crypto"),
        lambda d: d.update(crypto=5),
        lambda d: d["crypto"].pop("ciphertext"),
        lambda d: d["crypto"].update(mac="00" * 32),
        lambda d: d.update(address="11" * 20),
    ],
    ids=["version", "kdf", "weak", "greedy", "n", "no crypto", "crypto", "no ciphertext", "mac", "address"],
)
def test_a_weak_or_damaged_key_file_is_refused(
    store: Path, tmp_path: Path, change: Callable[[dict[str, object]], None]
) -> None:
    with pytest.raises(KeyUnusable):
        open_keystore(copied(store, tmp_path, change), password)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]", b"5", b" " * 20_000])
def test_what_is_no_key_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.json"
    path.touch(mode=0o600)
    path.write_bytes(content)
    with pytest.raises(KeyUnusable):
        open_keystore(path, password)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(KeyUnusable):
            password_from_file(path)


def test_a_password_file_ends_in_at_most_one_newline_that_is_not_part_of_it(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.touch(mode=0o600)
    path.write_text("p w\n\n")
    assert password_from_file(path) == "p w\n"


def test_a_gas_key_signs_exactly_what_was_asked_the_same_way_each_time() -> None:
    signer = KeystoreTransactionSigner(KEY)
    raw = signer.sign(TRANSACTION)
    decoded = decode_signed(raw)
    assert (decoded.sender, raw) == (signer.address(), signer.sign(TRANSACTION))
    for field in ("chain_id", "nonce", "to", "value", "data", "gas", "max_fee", "tip"):
        assert getattr(decoded.transaction, field) == getattr(TRANSACTION, field)
    theirs = Account.from_key(KEY).sign_transaction(
        {"type": 2, "chainId": 31337, "nonce": 7, "to": "0x" + "22" * 20, "value": 3, "data": b"\x01\x02", "gas": 50_000,
         "maxFeePerGas": 2 * 10**9, "maxPriorityFeePerGas": 10**9},
    )  # fmt: skip
    assert bytes(theirs.raw_transaction) == raw


def test_an_attestation_key_signs_the_permit_s_digest(store: Path) -> None:
    signer = KeystoreAttestationSigner.open(store, password)
    permit = SigningPermit(Digest(b"\x42" * 32), TreeSize(5))
    assert recover_address(permit.digest, signer.sign(permit)) == signer.address()


def test_no_signer_shows_its_key(store: Path) -> None:
    for signer in (KeystoreTransactionSigner.open(store, password), KeystoreAttestationSigner(KEY)):
        assert KEY.hex() not in repr(signer)
