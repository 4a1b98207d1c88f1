"""The example consumer, CONTRACT §9: money that moves when a receivable is proven confirmed, and not before.

From bundles of the receivables ledger, by what `contract proof` makes of them, to a contract on a real machine.
"""

from collections.abc import Iterator
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pyrevm
import pytest

from tests.bundles import Consortium, consortium
from tests.evm.escrow import CONFIRM, DEPOSIT, OF_REGISTER, PAYEE, REGISTER, Escrow, call_of, receivable_of
from tests.evm.proven import (
    OTHER_CONFIRMED,
    OTHER_REGISTERED,
    REGISTERED,
    SIZE,
    arguments,
    confirmed,
    encoded,
    fact,
    shown,
    stand,
)

if TYPE_CHECKING:
    from tests.evm.conftest import World

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def log() -> Consortium:
    return consortium()


@pytest.fixture
def artefact(compiled: dict[str, Any]) -> dict[str, Any]:
    return dict(compiled["ReceivableEscrow"])


def agreed(world: "World", artefact: dict[str, Any], log: Consortium, **changed: Any) -> Escrow:
    """Over the invoice of this log."""
    return Escrow(world, artefact, log.genesis.log_id, receivable_of(arguments(log, confirmed(log))), **changed)


@pytest.fixture
def escrow(world: "World", artefact: dict[str, Any], log: Consortium) -> Escrow:
    stand(world, log, SIZE)
    return agreed(world, artefact, log)


@pytest.fixture(scope="module")
def told(log: Consortium) -> dict[str, Any]:
    return arguments(log, confirmed(log))


def test_a_confirmed_receivable_moves_the_deposit_once(escrow: Escrow, told: dict[str, Any]) -> None:
    assert escrow.balances() == (DEPOSIT, 0, 0)
    escrow.release(call_of(told))
    assert escrow.balances() == (0, 0, DEPOSIT)
    assert escrow.contract.logs[0][0] == "Paid"
    with pytest.raises(Exception, match=r"^Settled\(\)"):
        escrow.release(call_of(told))
    escrow.world.set_time(escrow.world.time + 60)
    with pytest.raises(Exception, match=r"^Settled\(\)"):
        escrow.contract.call("refund")
    assert escrow.balances() == (0, 0, DEPOSIT)


def test_a_head_that_moved_wants_a_new_path_and_no_new_bundle(
    world: "World", artefact: dict[str, Any], log: Consortium, told: dict[str, Any]
) -> None:
    bundle = confirmed(log)
    stand(world, log, 2, 3)
    escrow = agreed(world, artefact, log)
    escrow.refuses(call_of(told), "SizeOrder")  # not anchored yet
    other = type(world)()
    stand(other, log, 3, SIZE)
    moved = agreed(other, artefact, log)
    moved.refuses(call_of(arguments(log, bundle, 5)), "PathLength")  # made for a head that is not there yet
    moved.release(call_of(told))
    assert moved.balances() == (0, 0, DEPOSIT)


@pytest.mark.parametrize(
    "changed",
    [
        {"object": '"00000000000000000000000000000000"'},
        {"debtor": '"somebody"'},
        {"creditorKey": '"somebody"'},
        {"ccy": '"EUR"'},
        {"gross": '"1"'},
        {"gross": "1"},
    ],
    ids=str,
)
def test_terms_that_the_records_do_not_say_are_not_met(
    world: "World", artefact: dict[str, Any], log: Consortium, told: dict[str, Any], changed: dict[str, str]
) -> None:
    stand(world, log, SIZE)
    agreed(world, artefact, log, **changed).refuses(call_of(told), "RootMismatch")


def test_another_receivable_of_the_same_debtor_is_not_this_one(
    escrow: Escrow, log: Consortium, told: dict[str, Any]
) -> None:
    """Confirmed, and true: but neither it, nor the word for it beside this one's registration, is what was agreed on."""
    other = arguments(log, confirmed(log, OTHER_REGISTERED, OTHER_CONFIRMED))
    escrow.refuses(call_of(other), "RootMismatch")
    escrow.refuses(call_of(told, confirmed=call_of(other)["confirmed"]), "RootMismatch")
    escrow.refuses(call_of(told, registered=call_of(other)["registered"]), "RootMismatch")


def test_a_registration_alone_is_no_confirmation(escrow: Escrow, told: dict[str, Any]) -> None:
    """The creditor writes it without anybody's word."""
    call = call_of(told)
    escrow.refuses(call | {"confirmed": call["registered"]}, rf"WrongRecord\({CONFIRM}, {REGISTER}\)")
    escrow.refuses(call | {"registered": call["confirmed"]}, rf"WrongRecord\({REGISTER}, {CONFIRM}\)")


def test_claims_are_opened_each_by_its_own_name(escrow: Escrow, log: Consortium, told: dict[str, Any]) -> None:
    """Another claim in its place says something else, whatever its value; a private field is no claim at all."""
    record = fact(told, CONFIRM)
    for names in (("object", "_schema", "ccy", "gross"), ("_schema", "object", "gross", "ccy"), ("_origin",) * 4):
        escrow.refuses(call_of(told, confirmed=shown(record, *names)), "RootMismatch")
    private = next(name for name, half in halves(log).items() if half == "private")
    opened = arguments(log, whole(log))
    hidden = fact(opened, REGISTER)["fields"][private]["fieldProof"]
    claims = shown(fact(told, REGISTER), *OF_REGISTER)
    claims["claims"][1] = {**claims["claims"][1], "index": hidden["index"], "path": hidden["path"]}
    escrow.refuses(call_of(told, registered=claims), "IndexBeyondSize")


def whole(log: Consortium) -> Any:
    return log.bundle(SIZE, log.epoch_part(1, SIZE, entries=(log.entry(REGISTERED, "*"),)))


def halves(log: Consortium) -> dict[str, str]:
    fields = fact(arguments(log, whole(log)), REGISTER)["fields"]
    return {name: "claim" if "opened" in one else "private" for name, one in fields.items()}


def test_a_confirmation_before_the_agreed_epoch_is_too_old(
    world: "World", artefact: dict[str, Any], log: Consortium, told: dict[str, Any]
) -> None:
    stand(world, log, SIZE)
    agreed(world, artefact, log, notBefore=2).refuses(call_of(told), r"TooOld\(2, 1\)")


def test_a_log_that_was_not_agreed_on_proves_nothing(
    world: "World", artefact: dict[str, Any], log: Consortium, told: dict[str, Any]
) -> None:
    """The same dealings in another consortium, which stands in the same registry."""
    other = consortium("other.example/receivables")
    stand(world, log, SIZE)
    stand(world, other, SIZE)
    escrow = agreed(world, artefact, log)
    escrow.refuses(call_of(arguments(other, confirmed(other))), "RootMismatch")
    elsewhere = agreed(world, artefact, log, logId=other.genesis.log_id)
    elsewhere.refuses(call_of(told), "RootMismatch")
    unknown = agreed(world, artefact, log, logId=b"\x01" * 32)
    unknown.refuses(call_of(told), "UnknownLog")


def test_a_proof_under_another_epoch_is_none(escrow: Escrow, log: Consortium, told: dict[str, Any]) -> None:
    later = {"record": "0x" + log.proven(2, SIZE).record.hex(), "path": hex_of(log.proven(2, SIZE).path)}
    call = call_of(told)
    escrow.refuses(
        call | {"confirmed": {**call["confirmed"], "epoch": later}}, "RootMismatch|IndexBeyondSize|PathLength"
    )
    crossed = {**later, "path": call["confirmed"]["epoch"]["path"]}  # the record of one epoch, the place of another
    escrow.refuses(call | {"confirmed": {**call["confirmed"], "epoch": crossed}}, "RootMismatch")


def hex_of(path: tuple[bytes, ...]) -> list[str]:
    return ["0x" + digest.hex() for digest in path]


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Of every byte string in the arguments."""
    if isinstance(value, str):
        yield at
    elif isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(inner, (*at, key))


def test_no_byte_of_the_arguments_may_change(escrow: Escrow, told: dict[str, Any]) -> None:
    """One byte of each byte string, and each index by one."""
    call = call_of(told)
    every = list(places(call))
    assert len(every) > 60
    for k, (*way, last) in enumerate(every):
        broken = deepcopy(call)
        inside: Any = broken
        for step in way:
            inside = inside[step]
        data = bytearray.fromhex(inside[last][2:])
        data[k % len(data)] ^= 1 << k % 8
        inside[last] = "0x" + data.hex()
        escrow.refuses(
            broken, "RootMismatch|WordMalformed|EntryMalformed|IndexBeyondSize|PathLength|RecordMalformed|WrongRecord"
        )
    escrow.release(call)


def test_after_the_deadline_only_the_payer_is_paid(escrow: Escrow, told: dict[str, Any]) -> None:
    deadline = escrow.world.time + 60
    with pytest.raises(Exception, match=rf"^NotYet\({deadline},\)"):
        escrow.contract.call("refund")
    escrow.world.set_time(deadline)
    escrow.refuses(call_of(told), rf"TooLate\({deadline},\)")
    escrow.contract.call("refund")
    assert escrow.balances() == (0, DEPOSIT, 0)
    with pytest.raises(Exception, match=r"^Settled\(\)"):
        escrow.contract.call("refund")


def test_a_payee_that_takes_nothing_leaves_the_deposit_to_be_tried_again(escrow: Escrow, told: dict[str, Any]) -> None:
    escrow.world.evm.insert_account_info(PAYEE, pyrevm.AccountInfo(code=bytes.fromhex("60006000fd")))
    escrow.refuses(call_of(told), "NotSent")
    escrow.world.evm.insert_account_info(PAYEE, pyrevm.AccountInfo())
    escrow.release(call_of(told))
    assert escrow.balances() == (0, 0, DEPOSIT)


def test_the_arguments_of_every_view_come_from_a_bundle(world: "World", log: Consortium) -> None:
    """Fields, and labels present and absent, as `contract proof` names them: the views take them as they are."""
    stand(world, log, SIZE)
    registry, log_id, bundle = world.registry.address, log.genesis.log_id, log.financing()
    told = arguments(log, bundle)
    views = {item["name"]: item["inputs"] for item in world.proofs.artefact["abi"] if item["type"] == "function"}

    def ask(view: str, **given: Any) -> Any:
        every = {"registry": registry, "logId": "0x" + log_id.hex(), "c": told["checkpoint"], **given}
        return world.proofs.call(view, *encoded(views[view], every))

    assert told["logId"] == "0x" + log_id.hex()
    for one in told["facts"]:
        for field in one["fields"].values():
            given = {"e": one["epochProof"], "x": one["entryProof"], "f": field["fieldProof"]}
            found, is_claim = ask("verifyDisclosure", **given)
            assert (found[0], found[1], is_claim) == (one["epoch"], one["recordType"], "opened" in field)
    present = [one for one in told["labels"] if "commitment" in one]
    absent = [one for one in told["labels"] if "terminal" in one]
    assert present
    assert absent
    for one in present:
        given = {name: one[name] for name in ("index", "commitment", "siblings")}
        assert ask("verifyRegistryPresence", e=one["epochProof"], **given) == one["epoch"]
    for one in absent:
        given = {"index": one["index"], "end": one["terminal"], "siblings": one["siblings"]}
        assert ask("verifyRegistryAbsence", e=one["epochProof"], **given) == one["epoch"]
