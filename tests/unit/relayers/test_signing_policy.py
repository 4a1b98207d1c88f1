"""What the gas key may sign, and hostile signers."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hybrid_bridge.core.public_transaction import PublicTransaction, decode_signed
from hybrid_bridge.core.signing import ORDER
from hybrid_bridge.errors import SignerLied, Unreachable
from hybrid_bridge.ports import UnsignedTransaction
from hybrid_bridge.testing.memory_members import MemorySigner, address
from relayers.journal import Scope
from relayers.signing_policy import signed, transaction
from relayers.views import Fee

HONEST = MemorySigner("gas")
SCOPE = Scope(chain_id=1337, genesis_hash=bytes(32), contract=b"\x11" * 20, log_id=bytes(32), signer=HONEST.address())
ASKED = transaction(SCOPE, 7, b"call", Fee(3, 1), 90_000)


class Hostile:
    def __init__(self, answer: Callable[[UnsignedTransaction], Any]) -> None:
        self._answer = answer

    def address(self) -> bytes:
        return HONEST.address()

    def sign(self, asked: UnsignedTransaction) -> Any:
        return self._answer(asked)


def test_a_call_goes_to_the_contract_and_a_cancel_to_ourselves_and_neither_carries_value() -> None:
    cancel = transaction(SCOPE, 7, b"", Fee(3, 1), 21_000)
    assert (ASKED.to, ASKED.value, ASKED.data) == (SCOPE.contract, 0, b"call")
    assert (cancel.to, cancel.value, cancel.data) == (SCOPE.signer, 0, b"")


def test_bytes_that_say_what_was_asked_are_accepted_with_their_hash() -> None:
    answer = signed(HONEST, ASKED, SCOPE)
    assert decode_signed(answer.raw).hash == answer.hash


@pytest.mark.parametrize("field", list(PublicTransaction.__slots__))
def test_a_signer_that_changes_a_field_is_found_out(field: str) -> None:
    other = b"\x99" * 20 if field == "to" else b"other" if field == "data" else 2
    with pytest.raises(SignerLied) as caught:
        signed(Hostile(lambda asked: HONEST.sign(replace(asked, **{field: other}))), ASKED, SCOPE)
    assert caught.value.field == field


def test_another_keys_signature_is_found_out() -> None:
    with pytest.raises(SignerLied) as caught:
        signed(MemorySigner("another"), ASKED, SCOPE)
    assert caught.value.field == "sender"
    assert address("another") != SCOPE.signer


def high_s(asked: UnsignedTransaction) -> bytes:
    raw = HONEST.sign(asked)
    s = int.from_bytes(raw[-32:], "big")
    return raw[:-32] + (ORDER - s).to_bytes(32, "big")


@pytest.mark.parametrize(
    "answer", [lambda _: b"", lambda _: b"\x02garbage", high_s], ids=["nothing", "garbage", "high-s"]
)
def test_what_is_no_strict_envelope_is_a_lie(answer: Any) -> None:
    with pytest.raises(SignerLied) as caught:
        signed(Hostile(answer), ASKED, SCOPE)
    assert caught.value.field == "envelope"


def test_a_late_signer_is_no_liar() -> None:
    def late(_: UnsignedTransaction) -> bytes:
        raise Unreachable(endpoint="signer", call="sign")

    with pytest.raises(Unreachable):
        signed(Hostile(late), ASKED, SCOPE)
