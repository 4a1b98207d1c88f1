"""The proxy does to real answers what its rules say, and nothing else. The node behind is the devnet in this process."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from hybrid_bridge.adapters.evm.devnet import Devnet, DevnetSettings
from hybrid_bridge.adapters.evm.rpc import JsonRpc, RpcError
from hybrid_bridge.errors import AnswerMalformed, EndpointRefused, NotYet, Unreachable
from hybrid_bridge.ports import UnsignedTransaction
from hybrid_bridge.testing.hostile_endpoint import (
    ANY,
    DOUBLED,
    FAILING,
    GARBAGE,
    LOST_REPLY,
    LOST_REQUEST,
    MAX_GAS,
    OVERTAKEN,
    SEND,
    TOO_MANY,
    Fault,
    HostileEndpoint,
    Refusal,
    drip,
    flood,
)
from hybrid_bridge.testing.memory_members import MemorySigner
from hybrid_bridge.units import UnixSeconds, Wei

SIGNER = MemorySigner("a wallet")
ETHER = 10**18
GWEI = 10**9


@pytest.fixture(scope="module")
def node() -> Iterator[str]:
    clock = iter(range(1_800_000_000, 2_000_000_000))
    settings = DevnetSettings(period=0, finality_depth=2, funds=((SIGNER.address(), Wei(10**6 * ETHER)),))
    with Devnet(settings, lambda: UnixSeconds(next(clock))) as devnet:
        yield devnet.url


@pytest.fixture
def proxy(node: str) -> Iterator[HostileEndpoint]:
    with HostileEndpoint(node) as proxy:
        yield proxy


@pytest.fixture
def strict(node: str) -> Iterator[HostileEndpoint]:
    with HostileEndpoint(node, strict=True) as proxy:
        yield proxy


@pytest.fixture
def client(proxy: HostileEndpoint) -> JsonRpc:
    return JsonRpc("proxied", proxy.url, 1)


def transaction(nonce: int, max_fee: int = 10 * GWEI, tip: int = GWEI, gas: int = 21_000) -> str:
    unsigned = UnsignedTransaction(
        chain_id=31337, nonce=nonce, to=SIGNER.address(), value=0, data=b"", gas=gas, max_fee=max_fee, tip=tip
    )
    return "0x" + SIGNER.sign(unsigned).hex()


def next_nonce(rpc: JsonRpc) -> int:
    return int(str(rpc.ask("eth_getTransactionCount", "0x" + SIGNER.address().hex(), "latest")), 16)


def test_without_a_rule_it_is_a_mirror(proxy: HostileEndpoint, client: JsonRpc, node: str) -> None:
    straight = JsonRpc("straight", node)
    for method, params in (("eth_chainId", ()), ("eth_getBlockByNumber", ("0x0", False))):
        assert client.ask(method, *params) == straight.ask(method, *params)
    assert proxy.requests == [("eth_chainId", []), ("eth_getBlockByNumber", ["0x0", False])]
    with pytest.raises(EndpointRefused):
        client.ask("no_such_method")


def test_a_lie_replaces_the_result_until_it_is_taken_back(proxy: HostileEndpoint, client: JsonRpc) -> None:
    proxy.lie("eth_chainId", lambda params, honest: hex(int(honest, 16) + 1))
    assert client.ask("eth_chainId") == hex(31338)
    proxy.lie("eth_chainId", None)
    proxy.lie("eth_chainId", None)
    assert client.ask("eth_chainId") == hex(31337)


def test_a_lie_may_be_an_error_object(proxy: HostileEndpoint, client: JsonRpc) -> None:
    def refuse(*_: Any) -> Any:
        raise Refusal(message="header not found")

    proxy.lie("eth_call", refuse)
    with pytest.raises(NotYet):
        client.ask("eth_call", {"data": "0x"}, "latest")


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (LOST_REQUEST, Unreachable),
        (LOST_REPLY, Unreachable),
        (TOO_MANY, Unreachable),
        (FAILING, Unreachable),
        (GARBAGE, AnswerMalformed),
        (flood(33 << 20), Unreachable),
        (drip(0.1), Unreachable),
        (Fault(delay=1.5), Unreachable),
    ],
    ids=["lost request", "lost reply", "429", "500", "garbage", "flood", "drip", "delay"],
)
def test_each_fault_reaches_the_client_as_an_error_of_ours(
    proxy: HostileEndpoint, client: JsonRpc, fault: Fault, error: type[Exception]
) -> None:
    proxy.disturb("eth_chainId", fault, times=1)
    with pytest.raises(error):
        client.ask("eth_chainId")
    assert client.ask("eth_chainId") == hex(31337)


def test_a_lost_request_never_comes_to_the_node_and_a_lost_reply_did(proxy: HostileEndpoint, client: JsonRpc) -> None:
    nonce = next_nonce(client)
    for fault, passed in ((LOST_REQUEST, 0), (LOST_REPLY, 1)):
        proxy.disturb(SEND, fault, times=1)
        with pytest.raises(Unreachable):
            client.ask(SEND, transaction(nonce))
        client.ask("evm_mine")
        assert next_nonce(client) == nonce + passed


def test_a_doubled_request_comes_twice(proxy: HostileEndpoint, client: JsonRpc) -> None:
    proxy.disturb(SEND, DOUBLED, times=1)
    with pytest.raises(RpcError, match="known"):
        client.ask_raw(SEND, transaction(next_nonce(client)))
    client.ask("evm_mine")


def test_a_lasting_fault_stays_until_the_rules_are_cleared(proxy: HostileEndpoint, client: JsonRpc) -> None:
    proxy.disturb(ANY, TOO_MANY)
    for method in ("eth_chainId", "eth_blockNumber", "eth_chainId"):
        with pytest.raises(Unreachable):
            client.ask(method)
    proxy.honest()
    assert client.ask("eth_chainId") == hex(31337)
    assert proxy.asked("eth_chainId") == 3


def test_a_request_is_overtaken_by_the_next_of_its_kind(proxy: HostileEndpoint) -> None:
    with HostileEndpoint(proxy.url) as outer:
        outer.disturb("eth_getBalance", OVERTAKEN, times=1)
        one, two = ("0x" + bytes([n] * 20).hex() for n in (1, 2))
        patient = JsonRpc("patient", outer.url, 20)
        first = threading.Thread(target=lambda: patient.ask("eth_getBalance", one, "latest"))
        first.start()
        while not outer.asked("eth_getBalance"):
            pass
        JsonRpc("second", outer.url, 20).ask("eth_getBalance", two, "latest")
        first.join(20)
    assert [params[0] for _, params in proxy.requests] == [two, one]


def test_a_frozen_endpoint_knows_nothing_above_its_public_block(proxy: HostileEndpoint, client: JsonRpc) -> None:
    owner = "0x" + SIGNER.address().hex()
    nonce, old = next_nonce(client), int(str(client.ask("eth_blockNumber")), 16)
    sent = client.ask(SEND, transaction(nonce))
    client.ask("evm_mine")
    newest = client.members("", client.ask("eth_getBlockByNumber", "latest", False))
    proxy.freeze(old)
    assert client.ask("eth_blockNumber") == hex(old)
    latest = client.members("", client.ask("eth_getBlockByNumber", "latest", False))
    assert latest["number"] == hex(old)
    assert client.ask("eth_getBlockByNumber", hex(old + 1), False) is None
    assert client.ask("eth_getBlockByHash", newest["hash"], False) is None
    assert client.ask("eth_getTransactionReceipt", sent) is None
    assert client.ask("eth_getTransactionCount", owner, "latest") == hex(nonce)
    with pytest.raises(NotYet):
        client.ask("eth_getTransactionCount", owner, {"blockHash": newest["hash"], "requireCanonical": True})
    known = {"blockHash": latest["hash"], "requireCanonical": True}
    assert client.ask("eth_getTransactionCount", owner, known) == hex(nonce)
    assert client.ask("eth_getLogs", {"fromBlock": "0x0", "toBlock": "latest"}) == []


def test_the_final_tag_can_be_held_while_the_chain_goes_on(proxy: HostileEndpoint, client: JsonRpc) -> None:
    for _ in range(4):
        client.ask("evm_mine")
    before = client.members("", client.ask("eth_getBlockByNumber", "finalized", False))
    proxy.hold_final(int(str(before["number"]), 16))
    for _ in range(4):
        client.ask("evm_mine")
    assert client.ask("eth_getBlockByNumber", "finalized", False) == before
    latest = client.members("", client.ask("eth_getBlockByNumber", "latest", False))
    assert int(str(latest["number"]), 16) == int(str(before["number"]), 16) + 2 + 4


def test_a_reader_that_goes_away_ends_no_server(proxy: HostileEndpoint, client: JsonRpc) -> None:
    proxy.disturb("eth_chainId", drip(0.05), times=1)
    with pytest.raises(requests.RequestException):
        requests.post(proxy.url, json={"method": "eth_chainId", "params": []}, timeout=0.01).json()
    assert client.ask("eth_chainId") == hex(31337)


def test_its_port_is_free_once_it_has_stopped(node: str) -> None:
    with HostileEndpoint(node) as proxy:
        rpc = JsonRpc("gone", proxy.url, 1)
        rpc.ask("eth_chainId")
    with pytest.raises(Unreachable):
        JsonRpc("gone", proxy.url, 1).ask("eth_chainId")


# ── strict ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_strict_takes_a_replacement_only_ten_percent_dearer_on_both_fields(strict: HostileEndpoint) -> None:
    client = JsonRpc("strict", strict.url)
    nonce = next_nonce(client)
    client.ask(SEND, transaction(nonce))
    for max_fee, tip in ((1099, 110), (1100, 100), (1000, 110), (1100, 109)):
        with pytest.raises(RpcError, match="replacement transaction underpriced"):
            client.ask_raw(SEND, transaction(nonce, max_fee * GWEI // 100, tip * GWEI // 100))
    client.ask_raw(SEND, transaction(nonce, 11 * GWEI, 11 * GWEI // 10))
    client.ask("evm_mine")
    assert next_nonce(client) == nonce + 1


def test_strict_has_the_gas_cap_of_a_transaction(strict: HostileEndpoint) -> None:
    client = JsonRpc("strict", strict.url)
    with pytest.raises(RpcError, match="gas limit too high"):
        client.ask_raw(SEND, transaction(next_nonce(client), gas=MAX_GAS + 1))


def test_strict_leaves_what_it_cannot_read_to_the_node(strict: HostileEndpoint) -> None:
    with pytest.raises(RpcError, match=r"(?i)transaction|invalid|decod"):
        JsonRpc("strict", strict.url).ask_raw(SEND, "0x03c0")
