"""The example consumer on the chain of the `world`, and its calls as `contract proof` makes them."""

from typing import TYPE_CHECKING, Any

import pytest

from tests.evm.proven import encoded, fact, shown

if TYPE_CHECKING:
    from tests.evm.conftest import Contract, World

PAYER, PAYEE = "0x" + "aa" * 20, "0x" + "bb" * 20
DEPOSIT = 10**15
REGISTER, CONFIRM = 0x0101, 0x0102
OF_REGISTER = ("_schema", "object", "debtor", "creditor_key")
OF_CONFIRM = ("_schema", "object", "ccy", "gross")
OF_TERMS = ("object", "debtor", "creditorKey", "ccy", "gross")
Receivable = tuple[str, ...]  # JSON texts, in the order of OF_TERMS


class Escrow:
    """One escrow over one receivable of this log."""

    def __init__(self, world: "World", artefact: dict[str, Any], log_id: bytes, receivable: Receivable, **changed: Any):
        self.world = world
        terms = {
            "proofs": world.proofs.address,
            "registry": world.registry.address,
            "logId": log_id,
            "payer": PAYER,
            "payee": PAYEE,
            "notBefore": 1,
            "deadline": world.time + 60,
            **dict(zip(OF_TERMS, receivable, strict=True)),
        }
        assert set(changed) <= set(terms)
        contract = type(world.registry)
        every = {signature: item for one in (world.registry, world.proofs) for signature, item in one.errors.items()}
        self.contract: Contract = contract(
            world.evm, artefact, arguments=(tuple((terms | changed).values()),), value=DEPOSIT
        )
        self.contract.errors |= every  # what the verifier and the registry refuse comes through as they said it

    def balances(self) -> tuple[int, int, int]:
        return tuple(self.world.evm.get_balance(one) for one in (self.contract.address, PAYER, PAYEE))  # type: ignore[return-value]

    def release(self, call: dict[str, Any]) -> None:
        inputs = self.contract.artefact["abi"]
        [release] = [item["inputs"] for item in inputs if item.get("name") == "release"]
        self.contract.call("release", *encoded(release, call))

    def refuses(self, call: dict[str, Any], words: str) -> None:
        """By this error, and no money moved."""
        before = self.balances()
        with pytest.raises(Exception, match=f"^{words}"):
            self.release(call)
        assert self.balances() == before
        assert self.contract.call("settled") is False


def receivable_of(told: dict[str, Any]) -> Receivable:
    """The one that the arguments tell of."""
    invoice, word = (fact(told, record_type)["fields"] for record_type in (REGISTER, CONFIRM))
    claims = *(invoice[name] for name in OF_REGISTER[1:]), *(word[name] for name in OF_CONFIRM[2:])
    return tuple(claim["json"] for claim in claims)


def call_of(told: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """The arguments of `release` from those of a bundle."""
    honest = {
        "c": told["checkpoint"],
        "registered": shown(fact(told, REGISTER), *OF_REGISTER),
        "confirmed": shown(fact(told, CONFIRM), *OF_CONFIRM),
    }
    return honest | changed
