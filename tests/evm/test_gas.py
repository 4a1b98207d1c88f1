"""What calls cost: whole transactions on a second machine, py-evm with Prague rules. Only new storage slots are judged.

run:  pytest -s tests/evm/test_gas.py       prints the gas
"""

from typing import TYPE_CHECKING, Any

import pytest
from eth_tester import EthereumTester, PyEVMBackend

if TYPE_CHECKING:
    from tests.evm.conftest import World

SSTORE = 0x55
REFERENCE = range(6001, 6017)  # CONTRACT §4.1


def number(value: int | bytes) -> int:
    return int.from_bytes(value, "big") if isinstance(value, bytes) else value


class Ledger:
    """Sends whole transactions; remembers what each cost."""

    def __init__(self, time: int) -> None:
        self.tester = EthereumTester(PyEVMBackend())
        self.tester.time_travel(time)
        self.sender = self.tester.get_accounts()[0]

    def stores(self, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int, int]]:
        """A list that grows with each SSTORE from now on: slot, value before, value after."""
        found: list[tuple[int, int, int]] = []
        opcodes = type(self.tester.backend.chain.get_vm().state).computation_class.opcodes
        original = opcodes[SSTORE]

        def recorded(computation: Any) -> None:
            slot, value = (number(one) for one in computation._stack.values[:-3:-1])
            found.append((slot, computation.state.get_storage(computation.msg.storage_address, slot), value))
            original(computation)

        recorded.gas_cost, recorded.mnemonic = original.gas_cost, original.mnemonic  # type: ignore[attr-defined]
        monkeypatch.setitem(opcodes, SSTORE, recorded)
        return found

    def send(self, to: str, data: bytes) -> Any:
        parts = {"from": self.sender, "to": to, "data": "0x" + data.hex(), "value": 0}
        parts |= {"gas": 10_000_000, "gas_price": 10**10}
        receipt = self.tester.get_transaction_receipt(self.tester.send_transaction(parts))
        assert receipt["status"] == 1
        return receipt


@pytest.mark.parametrize("n", [4, 7])
def test_the_reference_run(world: "World", n: int) -> None:
    ledger, log, calldata = Ledger(world.time), type(world.log)(n), world.registry.calldata
    deployed = ledger.send("", bytes.fromhex(world.registry.artefact["bytecode"][2:]))
    registration = calldata("register", log.genesis, "example.org/receivables", log.members.set.encode_entries())
    registered = ledger.send(deployed["contract_address"], registration)
    head, costs, hashes = 1, [], 0
    for size in (2, REFERENCE[0] - 1, *REFERENCE):
        anchoring = log.anchoring(head, size)
        receipt = ledger.send(deployed["contract_address"], calldata("anchor", *anchoring.arguments()))
        assert len(receipt["logs"]) == 1
        costs.append(receipt["gas_used"])
        head, hashes = size, hashes + (len(anchoring.path) if size in REFERENCE else 0)
    run = costs[-len(REFERENCE) :]
    print(f"\nn = {n}: deploy {deployed['gas_used']}, register {registered['gas_used']}")
    print(f"anchor {sum(run) / len(run):.0f} [{min(run)} … {max(run)}], {hashes / len(run)} path hashes")


def test_only_a_registration_creates_slots(world: "World", monkeypatch: pytest.MonkeyPatch) -> None:
    ledger, log, calldata = Ledger(world.time), world.log, world.registry.calldata
    registry = ledger.send("", bytes.fromhex(world.registry.artefact["bytecode"][2:]))["contract_address"]
    stores = ledger.stores(monkeypatch)
    entries = log.members.set.encode_entries()
    ledger.send(registry, calldata("register", log.genesis, "example.org/receivables", entries))
    assert sorted(slot for slot, before, _ in stores if before == 0) == [world.slot(offset) for offset in range(4)]
    for old, new in ((1, 2), (2, 3), (3, 16), (16, 41)):
        stores.clear()
        ledger.send(registry, calldata("anchor", *log.anchoring(old, new).arguments()))
        assert [slot for slot, before, after in stores if before and after] == [world.slot(0), world.slot(1)]
        assert len(stores) == 2
        stores.clear()
        ledger.send(registry, calldata("anchor", *log.anchoring(old, new).arguments()))
        assert stores == []
