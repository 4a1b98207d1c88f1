"""The example consumer, CONTRACT §9: money that moves when a note is proven paid, and not before."""

import json
from typing import TYPE_CHECKING, Any

import pytest

from hybrid_bridge.core.keccak import keccak256
from tests.evm.test_fields_and_registry import EPOCH, NOTE, FactLog, Facts, salt

if TYPE_CHECKING:
    from tests.evm.conftest import Contract, World

pytestmark = pytest.mark.engine
PAYER, PAYEE = "0x" + "aa" * 20, "0x" + "bb" * 20
DEPOSIT = 10**18
ENTRY_MALFORMED = keccak256(b"EntryMalformed(uint256)")[:4].hex()  # not in the escrow's own interface
OPENED = ("_schema", "note", "paid")


class Deal:
    """One escrow over the log's facts."""

    def __init__(self, world: "World", escrow: dict[str, Any], facts: Facts, **changed: Any) -> None:
        terms = {
            "notBefore": EPOCH,
            "deadline": world.time + 60,
            "note": json.dumps(NOTE),
            "paid": json.dumps("1250000"),
        }
        parties = (world.proofs.address, world.registry.address, facts.log.log_id, PAYER, PAYEE)
        terms |= changed
        self.world, self.facts = world, facts
        contract = type(world.registry)
        self.escrow: Contract = contract(world.evm, escrow, arguments=((*parties, *terms.values()),), value=DEPOSIT)

    def balances(self) -> tuple[int, int, int]:
        return tuple(self.world.evm.get_balance(one) for one in (self.escrow.address, PAYER, PAYEE))  # type: ignore[return-value]

    def release(self, **changed: Any) -> None:
        names = changed.get("names", OPENED)
        places = {name: self.facts.field(name) for name in names}
        claims = [(salt(name), index, path) for name, (_, index, path) in places.items()]
        arguments = (*self.facts.epoch()[2:], changed.get("entry", self.facts.entry()), changed.get("claims", claims))
        self.escrow.call("release", *arguments)


@pytest.fixture
def facts(world: "World") -> Facts:
    log = FactLog()
    world.log = world.registered(log)
    world.advanced(9)
    return Facts(world, log)


def test_proof_of_payment_moves_the_deposit(world: "World", compiled: dict[str, Any], facts: Facts) -> None:
    deal = Deal(world, compiled["FactEscrow"], facts)
    assert deal.balances() == (DEPOSIT, 0, 0)
    deal.release()
    assert deal.balances() == (0, 0, DEPOSIT)


@pytest.mark.parametrize(
    "changed", [{"note": '"ff"'}, {"paid": '"1250001"'}, {"paid": "1250000"}, {"note": "false"}], ids=str
)
def test_another_note_or_sum_is_no_proof(
    world: "World", compiled: dict[str, Any], facts: Facts, changed: dict[str, str]
) -> None:
    deal = Deal(world, compiled["FactEscrow"], facts, **changed)
    with pytest.raises(Exception, match="RootMismatch"):
        deal.release()
    assert deal.balances() == (DEPOSIT, 0, 0)


def test_claims_are_opened_each_by_its_own_name(world: "World", compiled: dict[str, Any], facts: Facts) -> None:
    deal = Deal(world, compiled["FactEscrow"], facts)
    for names in (("note", "_schema", "paid"), ("_schema", "note", "late"), ("_schema", "note", "_origin")):
        with pytest.raises(Exception, match="RootMismatch"):
            deal.release(names=names)
    _, index, path = facts.field("payer")
    claims = [(salt("payer"), index, path), *((salt(n), *facts.field(n)[1:]) for n in OPENED[1:])]
    with pytest.raises(Exception, match="IndexBeyondSize"):
        deal.release(claims=claims)


def test_an_older_epoch_and_another_kind_of_record_are_no_proof(
    world: "World", compiled: dict[str, Any], facts: Facts
) -> None:
    deal = Deal(world, compiled["FactEscrow"], facts, notBefore=EPOCH + 1)
    with pytest.raises(Exception, match=r"TooOld\(6, 5\)"):
        deal.release()
    deal = Deal(world, compiled["FactEscrow"], facts)
    batch = facts.log.batches[EPOCH]
    decoys = [k for k, entry in enumerate(batch.entries) if entry[0] == 0]
    with pytest.raises(Exception, match=ENTRY_MALFORMED):
        deal.release(entry=batch.proof(decoys[0]))


def test_the_payer_gets_back_what_nobody_proved(world: "World", compiled: dict[str, Any], facts: Facts) -> None:
    deal = Deal(world, compiled["FactEscrow"], facts)
    with pytest.raises(Exception, match="NotYet"):
        deal.escrow.call("refund")
    world.set_time(world.time + 60)
    deal.escrow.call("refund")
    assert deal.balances() == (0, DEPOSIT, 0)
