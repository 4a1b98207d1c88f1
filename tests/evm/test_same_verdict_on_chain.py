"""Bundles with one bit changed, judged by Python, by JavaScript, and, through the converter, by a contract that pays for one.

None says verified of what another refutes: money moves for the arguments of the whole bundle, and for no other.
"""

import random
from typing import TYPE_CHECKING, Any

import pytest

from hybrid_bridge import errors
from hybrid_bridge.adapters.evm.facts import proof_arguments
from hybrid_bridge.core.bundle import decode_bundle
from tests.bundles import NOW, Consortium, consortium
from tests.evm.escrow import DEPOSIT, Escrow, call_of, receivable_of
from tests.evm.proven import SIZE, arguments, confirmed, stand
from tests.web.test_same_verdict import Asked, compare, in_python

if TYPE_CHECKING:
    from tests.evm.conftest import World

pytestmark = pytest.mark.engine
ANYWHERE, IN_THE_PROOFS = 60, 120  # changes


class Paid:
    """What an escrow does with the arguments that a file gives; one that has paid makes room for the next."""

    def __init__(self, world: "World", artefact: dict[str, Any], log: Consortium, told: dict[str, Any]) -> None:
        self.made = (world, artefact, log.genesis.log_id, receivable_of(told))
        self.escrow = Escrow(*self.made)

    def by(self, data: bytes) -> tuple[bool, dict[str, Any] | None]:
        """Whether money moved, and the call that was made; None if the converter refused."""
        try:
            call = call_of(proof_arguments(decode_bundle(data), []))
        except errors.BridgeError:
            return False, None
        refusal = self.refusal(call)
        if refusal:
            assert hasattr(errors, refusal) or refusal == "WrongRecord"
            assert self.escrow.balances()[0] == DEPOSIT
            return False, call
        self.escrow = Escrow(*self.made)
        return True, call

    def refusal(self, call: dict[str, Any]) -> str:
        """The name of the error; none if it paid."""
        try:
            self.escrow.release(call)
        except Exception as refusal:  # noqa: BLE001 Refused is a class of the conftest, which no test can import
            return str(refusal.name)  # type: ignore[attr-defined]
        return ""


def test_no_changed_bit_is_verified_by_one_and_refuted_by_another(world: "World", compiled: dict[str, Any]) -> None:
    log = consortium()
    bundle = confirmed(log)
    whole, trust = bundle.encode(), log.trust().encode()
    stand(world, log, SIZE)
    told = arguments(log, bundle)
    paid = Paid(world, compiled["ReceivableEscrow"], log, told)
    draw = random.Random("an escrow's bundle, one bit")
    proofs = whole.index(b'"epochs":['), whole.index(b'"extensions"')
    places = [draw.randrange(len(whole)) for _ in range(ANYWHERE)]
    places += [draw.randrange(*proofs) for _ in range(IN_THE_PROOFS)]
    asked = Asked("confirmed", whole, trust, NOW, flip=tuple((place, draw.randrange(7)) for place in places))
    compare([asked])  # Python and JavaScript agree on every one
    assert paid.by(whole) == (True, call_of(told))
    moved = 0
    for change in asked.flip:
        data = asked.flipped(change)
        said = in_python(asked, data)
        released, call = paid.by(data)
        assert released == (call == call_of(told)), (change, said)
        assert released or said.get("complete") is not True, (change, said)
        moved += released
    assert 0 < moved < ANYWHERE  # changed beside the proofs: notes, certificates, the anchor
