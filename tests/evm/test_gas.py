"""What an anchor costs: whole transactions on a second machine, py-evm. Numbers are printed; only new slots gate."""

from typing import TYPE_CHECKING, Any

import pytest
from eth_tester import EthereumTester, PyEVMBackend

if TYPE_CHECKING:
    from tests.evm.conftest import World


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_gas(world):
    t = EthereumTester(PyEVMBackend())
    t.time_travel(world.time)
    acc = t.get_accounts()[0]

    def send(to, data):
        h = t.send_transaction(
            {"from": acc, "to": to, "data": "0x" + data.hex(), "gas": 10_000_000, "gas_price": 10**10, "value": 0}
        )
        r = t.get_transaction_receipt(h)
        assert r["status"] == 1
        return r

    r = send("", bytes.fromhex(world.registry.artefact["bytecode"][2:]))
    print("deploy", r["gas_used"])
    addr = r["contract_address"]
    log = world.log
    print(
        "register",
        send(
            addr,
            world.registry.calldata(
                "register", log.genesis, "example.org/receivables", log.members.set.encode_entries()
            ),
        )["gas_used"],
    )
    head = 1
    tot = []
    for size in [2, 6000] + list(range(6001, 6017)):
        a = log.anchoring(head, size)
        head = size
        r = send(addr, world.registry.calldata("anchor", *a.arguments()))
        tot.append((len(a.path), r["gas_used"]))
    tot = tot[2:]
    print(tot, sum(t[1] for t in tot) / 16, sum(t[0] for t in tot) / 16)
