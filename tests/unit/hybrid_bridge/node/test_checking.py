"""What is remembered of checks, and that no verdict depends on it."""

from dataclasses import replace

import pytest

from hybrid_bridge.core.transaction import SignedTransaction
from hybrid_bridge.errors import FieldMismatch, SignatureWrong
from hybrid_bridge.node import checking
from hybrid_bridge.node.checking import Checked
from hybrid_bridge.units import LogId
from tests.unit.hybrid_bridge.node.members import Members


@pytest.fixture
def signed(members: Members) -> SignedTransaction:
    return members.founding()[0]


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[SignedTransaction]:
    """Every transaction that was really checked."""
    made: list[SignedTransaction] = []
    check = checking.stateless_check

    def counted(signed: SignedTransaction, log_id: LogId) -> None:
        made.append(signed)
        check(signed, log_id)

    monkeypatch.setattr(checking, "stateless_check", counted)
    return made


def test_what_passed_is_not_checked_again(signed: SignedTransaction, checks: list[SignedTransaction]) -> None:
    checked = Checked()
    checked(signed, signed.body.log_id)
    checked(SignedTransaction.decode(signed.encode()), signed.body.log_id)
    assert checks == [signed]


def test_another_signature_over_the_same_body_is_another_transaction(
    signed: SignedTransaction, checks: list[SignedTransaction]
) -> None:
    checked, first = Checked(), signed.signatures[0]
    checked(signed, signed.body.log_id)
    forged = replace(first, signature=first.signature[:-1] + bytes([first.signature[-1] ^ 1]))
    for _ in range(2):  # a refusal is not remembered
        with pytest.raises(SignatureWrong):
            checked(replace(signed, signatures=(forged, *signed.signatures[1:])), signed.body.log_id)
    assert len(checks) == 3


def test_what_passed_for_one_log_has_not_passed_for_another(signed: SignedTransaction) -> None:
    checked = Checked()
    checked(signed, signed.body.log_id)
    with pytest.raises(FieldMismatch):
        checked(signed, LogId(bytes(32)))


def test_only_so_many_are_remembered_and_the_oldest_is_forgotten(
    members: Members, checks: list[SignedTransaction]
) -> None:
    first, second, third = members.founding()[:3]
    checked = Checked(limit=2)
    for signed in (first, second, third, third, second, first):
        checked(signed, signed.body.log_id)
    assert checks == [first, second, third, first]
