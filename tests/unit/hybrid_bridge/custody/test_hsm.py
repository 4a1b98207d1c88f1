"""Keys in a real SoftHSM: what it answers is made canonical and checked, and whatever goes wrong has its own name."""

import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pkcs11
import pytest
from pkcs11 import Attribute

from hybrid_bridge.adapters.hsm.pkcs11_key import Pkcs11Key, Pkcs11Place
from hybrid_bridge.core.public_transaction import decode_signed
from hybrid_bridge.core.signing import HALF_ORDER, address_of, normalise, public_key_of, recover_address
from hybrid_bridge.custody.passphrases import FromCommand, FromFile
from hybrid_bridge.custody.places import Place, Token, parse_place
from hybrid_bridge.custody.signers import QUESTION, AttestationKey, GasKey, held, open_attestation_key, open_gas_key
from hybrid_bridge.errors import BridgeError, KeyUnusable, SignerLied, Unreachable
from hybrid_bridge.ports import SigningPermit, UnsignedTransaction
from hybrid_bridge.units import Address, ChainId, Digest, Gas, Nonce, RawTransaction, Seconds, TreeSize, Wei
from tests.engines import SoftHsm, softhsm

pytestmark = pytest.mark.engine

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
PERMIT = SigningPermit(Digest(b"\x42" * 32), TreeSize(5))


@pytest.fixture(scope="module")
def hsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoftHsm]:
    with softhsm(tmp_path_factory.mktemp("hsm"), "relayer", "guarded", "twin", "twin") as found:
        yield found


@pytest.fixture(scope="module")
def gas(hsm: SoftHsm) -> Address:
    return address_of(hsm.make_key("relayer", "gas"))


@pytest.fixture
def pin(tmp_path: Path) -> Path:
    path = tmp_path / "pin"
    path.touch(mode=0o600)
    path.write_text(SoftHsm.PIN + "\n")
    return path


def place(hsm: SoftHsm, pin: Path, names: str) -> Place:
    return parse_place(f"pkcs11:{names}?module-path={hsm.module}&pin-source=file:{pin}", Path("/"), "signer")


def refused(at: Place, address: Address) -> KeyUnusable:
    with pytest.raises(KeyUnusable) as caught:
        open_gas_key(at, "signer", address)
    assert caught.value.key == "signer"
    assert SoftHsm.PIN not in str(caught.value)
    return caught.value


def test_a_gas_key_in_a_token_signs_what_was_asked_and_never_twice_alike(hsm: SoftHsm, gas: Address, pin: Path) -> None:
    signer = open_gas_key(place(hsm, pin, "token=relayer;object=gas"), "signer", gas)
    made = [signer.sign(ASKED) for _ in range(40)]
    assert len(set(made)) == 40
    for raw in made:  # strict: low s, the right recovery id
        decoded = decode_signed(raw)
        assert decoded.sender == gas == signer.address()
        assert all(getattr(decoded.transaction, name) == getattr(ASKED, name) for name in ASKED.__slots__)


def test_a_token_answers_with_high_s_too_and_it_is_made_low(hsm: SoftHsm, gas: Address, pin: Path) -> None:
    at = place(hsm, pin, "token=relayer;object=gas")
    assert isinstance(at, Token)
    raw = Pkcs11Key(at.key, lambda: SoftHsm.PIN, "signer")
    assert any(int.from_bytes(raw.sign(PERMIT.digest)[32:], "big") > HALF_ORDER for _ in range(64))


def test_an_attestation_key_in_a_token_signs_the_permits_digest(hsm: SoftHsm, pin: Path) -> None:
    address = address_of(hsm.make_key("relayer", "attestation", id=b"\x01\xff"))
    signer = open_attestation_key(place(hsm, pin, "token=relayer;id=%01%ff"), "attestation", address)
    first, second = signer.sign(PERMIT), signer.sign(PERMIT)
    assert first != second
    assert (
        [recover_address(PERMIT.digest, made) for made in (first, second)]
        == [address, address]
        == [signer.address()] * 2
    )


def test_a_key_that_was_brought_and_may_leave_again_is_told_to_the_operator(hsm: SoftHsm, pin: Path) -> None:
    private = b"\x07" * 32
    careless = {"attributes": {Attribute.SENSITIVE: False, Attribute.EXTRACTABLE: True}}
    hsm.bring_key("relayer", "brought", private)
    hsm.bring_key("relayer", "careless", private, **careless)
    address = address_of(public_key_of(private))
    assert held(place(hsm, pin, "token=relayer;object=brought"), "signer", address).notes == ()
    notes = held(place(hsm, pin, "token=relayer;object=careless"), "signer", address).notes
    assert [note.split(":")[0] for note in notes] == [
        "the token lets the key out",
        "the token shows the key in clear",
    ]


def test_the_key_of_another_address_is_refused(hsm: SoftHsm, gas: Address, pin: Path) -> None:
    other = Address(b"\x01" * 20)
    assert other.hex() in refused(place(hsm, pin, "token=relayer;object=gas"), other).rule


@pytest.mark.parametrize(
    ("names", "rule"),
    [
        ("token=nowhere;object=gas", "a token nowhere"),
        ("token=relayer;serial=0123;object=gas", "a token relayer"),
        ("token=twin;object=gas", "name its serial"),
        ("token=relayer;object=none", "of these names"),
        ("token=relayer;object=gas;id=%99", "of these names"),
    ],
)
def test_a_token_or_key_that_is_not_there_or_not_alone_is_named(
    hsm: SoftHsm, gas: Address, pin: Path, names: str, rule: str
) -> None:
    assert rule in refused(place(hsm, pin, names), gas).rule


def test_two_keys_of_one_name_are_refused_until_both_names_are_given(hsm: SoftHsm, pin: Path) -> None:
    first = address_of(hsm.make_key("relayer", "double", id=b"\x01"))
    hsm.make_key("relayer", "double", id=b"\x02")
    assert "both object and id" in refused(place(hsm, pin, "token=relayer;object=double"), first).rule
    assert open_gas_key(place(hsm, pin, "token=relayer;object=double;id=%01"), "signer", first).address() == first


def test_a_key_on_another_curve_and_a_key_that_may_not_sign_are_refused(hsm: SoftHsm, pin: Path) -> None:
    address = address_of(hsm.make_key("relayer", "p256", curve="secp256r1"))
    assert "secp256k1" in refused(place(hsm, pin, "token=relayer;object=p256"), address).rule
    hsm.bring_key("relayer", "mute", b"\x09" * 32, attributes={Attribute.SIGN: False})
    assert "may sign" in refused(place(hsm, pin, "token=relayer;object=mute"), address).rule


def test_what_is_no_module_is_refused(gas: Address, pin: Path, tmp_path: Path, hsm: SoftHsm) -> None:
    (tmp_path / "text.so").write_text("no code")
    for path in (tmp_path / "none.so", tmp_path / "text.so", tmp_path):
        at = parse_place(f"pkcs11:token=t;object=o?module-path={path}&pin-source=file:{pin}", Path("/"), "signer")
        assert "module" in refused(at, gas).rule


def test_a_wrong_pin_is_told_once_and_never_tried_again(hsm: SoftHsm, gas: Address, pin: Path) -> None:
    asked: list[int] = []

    def wrong() -> str:
        asked.append(1)
        return "a wrong PIN"

    key = Pkcs11Key(Pkcs11Place(module=hsm.module, token="guarded", serial=None, label="gas", id=None), wrong, "signer")
    for _ in range(3):
        with pytest.raises(KeyUnusable) as caught:
            key.open()
        assert "PinIncorrect" in caught.value.rule
        assert "a wrong PIN" not in str(caught.value)
    assert len(asked) == 1


def test_a_key_that_is_replaced_under_its_name_signs_for_nobody(hsm: SoftHsm, pin: Path) -> None:
    address = address_of(hsm.make_key("relayer", "changing"))
    signer = open_gas_key(place(hsm, pin, "token=relayer;object=changing"), "signer", address)
    hsm.drop_keys("relayer", "changing")
    hsm.make_key("relayer", "changing")
    with pytest.raises(SignerLied) as caught:
        after_stale_handles(signer)
    assert caught.value.field == "signer"


def test_a_key_that_is_deleted_is_missed_by_name(hsm: SoftHsm, pin: Path) -> None:
    address = address_of(hsm.make_key("relayer", "leaving"))
    signer = open_gas_key(place(hsm, pin, "token=relayer;object=leaving"), "signer", address)
    hsm.drop_keys("relayer", "leaving")
    with pytest.raises(KeyUnusable) as caught:
        after_stale_handles(signer)
    assert "of these names" in caught.value.rule


def after_stale_handles(signer: GasKey) -> bytes:
    """The first request may only find that its handle is stale, and is to be made again."""
    try:
        return signer.sign(ASKED)
    except Unreachable:
        return signer.sign(ASKED)


def test_a_session_that_was_lost_is_opened_again_with_the_pin(hsm: SoftHsm, gas: Address, pin: Path) -> None:
    signer = open_gas_key(place(hsm, pin, "token=relayer;object=gas"), "signer", gas)
    pkcs11.lib(str(hsm.module)).reinitialize()  # as if the box had been switched off and on
    with pytest.raises(Unreachable) as caught:
        signer.sign(ASKED)
    assert caught.value.endpoint == "signer"
    assert decode_signed(signer.sign(ASKED)).sender == gas


class Stuck(Pkcs11Key):
    """A module that hangs in its driver until it is let go."""

    def __init__(self, hsm: SoftHsm) -> None:
        at = Pkcs11Place(module=hsm.module, token="relayer", serial=None, label="gas", id=None)
        super().__init__(at, lambda: SoftHsm.PIN, "signer", deadline=Seconds(1))
        self.hangs, self.go = False, threading.Event()

    def _sign(self, digest: Digest) -> bytes:
        if self.hangs:
            self.go.wait(60)
        return super()._sign(digest)


def test_an_hsm_that_hangs_is_given_up_at_its_deadline_and_its_late_answer_is_dropped(
    hsm: SoftHsm, gas: Address
) -> None:
    key = Stuck(hsm)
    key.hangs = True
    for _ in range(2):  # the second does not even reach the device
        with pytest.raises(Unreachable):
            key.sign(PERMIT.digest)
    key.hangs = False
    key._lane._deadline = Seconds(60)  # what comes now is not about time
    key.go.set()
    other = Digest(b"\x43" * 32)
    signature = key.sign(other)  # not the late one, which is over other words
    assert recover_address(other, normalise(signature, other, gas)) == gas


def test_without_the_binding_the_extra_is_named(
    hsm: SoftHsm, gas: Address, pin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    assert "hybrid-bridge[pkcs11]" in refused(place(hsm, pin, "token=relayer;object=gas"), gas).rule


def test_nothing_shows_the_pin_or_where_it_came_from(hsm: SoftHsm, gas: Address, pin: Path) -> None:
    at = place(hsm, pin, "token=relayer;object=gas")
    found = held(at, "signer", gas)
    for shown in (repr(GasKey(found)), repr(AttestationKey(found)), repr(found), str(at)):
        assert SoftHsm.PIN not in shown
        assert "pin" not in shown.replace(str(hsm.module), "")


def test_the_question_is_no_transaction_and_no_statement() -> None:
    assert QUESTION[:1] == b"\x19"  # no typed envelope (below 0x80 it would be), no list
    assert QUESTION[1:2] not in (b"\x00", b"\x01", b"\x45")  # EIP-191's versions; EIP-712 is 0x01
    with pytest.raises(BridgeError):
        decode_signed(RawTransaction(QUESTION))


def test_a_pin_may_come_from_elsewhere(hsm: SoftHsm, gas: Address, tmp_path: Path) -> None:
    at = place(hsm, tmp_path / "none", "token=guarded;object=gas")
    assert isinstance(at, Token)
    address = address_of(hsm.make_key("guarded", "gas"))
    with pytest.raises(KeyUnusable):
        open_gas_key(at, "signer", address)
    script = tmp_path / "pin.sh"
    script.write_text(f"#!/bin/sh\necho '{SoftHsm.PIN}'\n")
    script.chmod(0o700)
    with_command = replace(at, pin=FromCommand((str(script),)))
    assert open_gas_key(with_command, "signer", address).address() == address
    assert at.pin == FromFile(tmp_path / "none")
