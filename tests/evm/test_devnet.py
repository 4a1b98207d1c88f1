"""The embedded public chain: pool rules in geth's words, named reads, real headers, a clock, a clean end."""

import json
import signal
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import CliRunner

from hybrid_bridge.adapters.evm.create2 import FACTORY, FACTORY_CODE, SALT, deterministic_address
from hybrid_bridge.adapters.evm.devnet import Devnet, DevnetSettings
from hybrid_bridge.adapters.evm.keystore_signer import KeystoreTransactionSigner
from hybrid_bridge.cli.devnet import command
from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.ports import UnsignedTransaction
from hybrid_bridge.units import Address, ChainId, Gas, Nonce, UnixSeconds, Wei
from tests import engines

pytestmark = pytest.mark.evm

GWEI = 10**9
ETHER = 10**18
RICH, POOR = (KeystoreTransactionSigner(bytes(31) + bytes([n])) for n in (1, 2))


def creating(runtime: str) -> bytes:
    """Creation code that leaves these bytes behind."""
    body = bytes.fromhex(runtime)
    return bytes.fromhex(f"60{len(body):02x}600c60003960{len(body):02x}6000f3") + body


STORE_CALLER = creating("33600055")  # SSTORE(0, caller)
ALWAYS_REVERTS = creating("63deadbeef6000526004601cfd")  # REVERT(0xdeadbeef)
ENDLESS = creating("5b600056")
EMITTER = creating("602a60005260aa60205260bb60cc60406000a200")  # LOG2(42 ‖ 170, topics 0xcc, 0xbb)


@dataclass
class Chain:
    """A devnet whose public blocks come when we ask, and whose clock we move."""

    devnet: Devnet
    clock: list[int] = field(default_factory=lambda: [1_800_000_000])

    def __call__(self, method: str, *params: Any) -> Any:
        answer = json.loads(self.devnet.serve(self.request(method, *params)))
        if "error" in answer:
            raise Refused(answer["error"])
        return answer["result"]

    @staticmethod
    def request(method: str, *params: Any) -> bytes:
        return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()

    def signed(self, nonce: int, cap: int = 3 * GWEI, tip: int = GWEI, **other: Any) -> str:
        signer = other.pop("signer", RICH)
        fields: dict[str, Any] = {
            "chain_id": ChainId(31337),
            "nonce": Nonce(nonce),
            "to": Address(b"\x22" * 20),
            "value": Wei(1),
            "data": b"",
            "gas": Gas(21_000),
            "max_fee": Wei(cap),
            "tip": Wei(tip),
        }
        return "0x" + signer.sign(UnsignedTransaction(**{**fields, **other})).hex()

    def refuses(self, raw: str, code: int = -32000) -> str:
        with pytest.raises(Refused) as caught:
            self("eth_sendRawTransaction", raw)
        assert caught.value.error["code"] == code
        return str(caught.value.error["message"])

    def nonce(self, at: Any = "latest") -> int:
        return int(self("eth_getTransactionCount", "0x" + RICH.address().hex(), at), 16)


class Refused(Exception):
    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["message"])
        self.error = error


@pytest.fixture
def chain() -> Iterator[Chain]:
    clock = [1_800_000_000]
    settings = DevnetSettings(period=0, finality_depth=2, funds=((RICH.address(), Wei(ETHER)),))
    devnet = Devnet(settings, lambda: UnixSeconds(clock[0]))
    with devnet:
        yield Chain(devnet, clock)


# ── the pool ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_transaction_waits_for_the_next_public_block(chain: Chain) -> None:
    tx_hash = chain("eth_sendRawTransaction", chain.signed(0))
    assert chain("eth_getTransactionReceipt", tx_hash) is None
    assert chain("eth_getTransactionByHash", tx_hash)["blockHash"] is None
    assert (chain.nonce(), chain.nonce("pending")) == (0, 1)
    block_hash = chain("evm_mine")
    receipt = chain("eth_getTransactionReceipt", tx_hash)
    assert (receipt["blockHash"], receipt["status"], chain.nonce()) == (block_hash, "0x1", 1)
    assert chain("eth_getTransactionByHash", tx_hash)["blockHash"] == block_hash


def test_the_same_bytes_twice_are_known_and_then_too_low(chain: Chain) -> None:
    raw = chain.signed(0)
    chain("eth_sendRawTransaction", raw)
    assert chain.refuses(raw) == "already known"
    chain("evm_mine")
    assert chain.refuses(raw) == "nonce too low: next nonce 1, tx nonce 0"


def test_a_replacement_raises_both_fees_by_a_tenth(chain: Chain) -> None:
    chain("eth_sendRawTransaction", chain.signed(0, 2 * GWEI, GWEI))
    for cap, tip in ((21 * GWEI // 10, 105 * GWEI // 100), (2 * GWEI, 2 * GWEI), (4 * GWEI, GWEI)):
        assert chain.refuses(chain.signed(0, cap, tip)) == "replacement transaction underpriced"
    better = chain("eth_sendRawTransaction", chain.signed(0, 22 * GWEI // 10, 11 * GWEI // 10))
    chain("evm_mine")
    assert chain("eth_getTransactionReceipt", better)["status"] == "0x1"


def test_a_gap_waits_and_is_filled_in_one_public_block(chain: Chain) -> None:
    late = chain("eth_sendRawTransaction", chain.signed(1))
    chain("evm_mine")
    assert (chain("eth_getTransactionReceipt", late), chain.nonce("pending")) == (None, 0)
    chain("eth_sendRawTransaction", chain.signed(0))
    chain("evm_mine")
    assert (chain("eth_getTransactionReceipt", late)["transactionIndex"], chain.nonce()) == ("0x1", 2)


def test_a_cap_below_the_base_fee_waits(chain: Chain) -> None:
    low = chain("eth_sendRawTransaction", chain.signed(0, 600_000_000, 1))
    chain("evm_mine")
    assert chain("eth_getTransactionReceipt", low) is None
    while int(chain("eth_getBlockByNumber", "latest", False)["baseFeePerGas"], 16) > 600_000_000:
        chain("evm_mine")
    assert chain("eth_getTransactionReceipt", low)["status"] == "0x1"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"chain_id": 5}, "invalid chain id for signer: have 5 want 31337"),
        ({"signer": POOR}, "insufficient funds for gas * price + value: balance 0"),
        ({"gas": 20_999}, "intrinsic gas too low: gas 20999, minimum needed 21000"),
        ({"gas": 60_000_001}, "exceeds block gas limit"),
        ({"tip": 4 * GWEI}, "max priority fee per gas higher than max fee per gas"),
        ({"tip": 0}, "gas tip cap 0, minimum needed 1"),
        ({"data": bytes(100), "gas": 21_400}, "intrinsic gas too low: gas 21400, minimum needed 22000"),  # EIP-7623
    ],
)
def test_what_geth_refuses_is_refused_in_its_words(chain: Chain, changed: dict[str, Any], words: str) -> None:
    assert words in chain.refuses(chain.signed(0, **changed))


@pytest.mark.parametrize("raw", ["0x", "0x02", "0x02c0", "0xc0", "0x03c0", "0x05c0", "0xff", "0x02" + "00" * 300])
def test_bytes_that_are_no_transaction_are_refused(chain: Chain, raw: str) -> None:
    assert chain.refuses(raw)


def test_a_transaction_that_can_no_longer_be_paid_is_dropped(chain: Chain) -> None:
    almost_all = Wei(ETHER - 3 * GWEI * 21_000)
    chain("eth_sendRawTransaction", chain.signed(0, value=almost_all))
    dropped = chain("eth_sendRawTransaction", chain.signed(1, value=almost_all))
    chain("evm_mine")
    assert (chain.nonce(), chain("eth_getTransactionByHash", dropped)) == (1, None)


# ── state ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def deploy(chain: Chain, code: bytes) -> tuple[Address, dict[str, Any]]:
    raw = chain.signed(chain.nonce(), to=FACTORY, data=SALT + code, gas=Gas(300_000), value=Wei(0))
    tx_hash = chain("eth_sendRawTransaction", raw)
    chain("evm_mine")
    return deterministic_address(code), chain("eth_getTransactionReceipt", tx_hash)


def test_the_factory_is_there_and_puts_code_where_it_is_expected(chain: Chain) -> None:
    assert chain("eth_getCode", "0x" + FACTORY.hex()) == "0x" + FACTORY_CODE.hex()
    address, receipt = deploy(chain, STORE_CALLER)
    assert receipt["status"] == "0x1"
    assert chain("eth_getCode", "0x" + address.hex()) == "0x" + STORE_CALLER[12:].hex()


def test_a_contract_can_also_be_created_plainly(chain: Chain) -> None:
    raw = chain.signed(0, to=Address(b""), data=STORE_CALLER, gas=Gas(300_000), value=Wei(0))
    tx_hash = chain("eth_sendRawTransaction", raw)
    chain("evm_mine")
    receipt = chain("eth_getTransactionReceipt", tx_hash)
    assert chain("eth_getCode", receipt["contractAddress"]) == "0x" + STORE_CALLER[12:].hex()


def test_reads_name_their_public_block_by_tag_number_hash_or_object(chain: Chain) -> None:
    address, receipt = deploy(chain, STORE_CALLER)
    before, after = chain("eth_getBlockByNumber", "0x0", False), receipt["blockHash"]
    chain("evm_mine")
    for at in ("latest", receipt["blockNumber"], after, {"blockHash": after, "requireCanonical": True},
               {"blockNumber": receipt["blockNumber"]}):  # fmt: skip
        assert chain("eth_getCode", "0x" + address.hex(), at) != "0x"
    for at in ("earliest", "0x0", before["hash"], {"blockHash": before["hash"]}):
        assert (chain("eth_getCode", "0x" + address.hex(), at), chain.nonce(at)) == ("0x", 0)
    for at in ("0xff", "0x" + "ab" * 32, {"blockHash": "0x" + "ab" * 32}):
        with pytest.raises(Refused, match="header not found"):
            chain.nonce(at)


def test_calls_change_nothing_and_transactions_do(chain: Chain) -> None:
    address, _ = deploy(chain, STORE_CALLER)
    call = {"from": "0x" + RICH.address().hex(), "to": "0x" + address.hex()}
    assert chain("eth_call", call, "latest") == "0x"
    assert int(chain("eth_getStorageAt", "0x" + address.hex(), "0x0", "latest"), 16) == 0
    gas = int(chain("eth_estimateGas", call), 16)
    raw = chain.signed(chain.nonce(), to=address, gas=Gas(gas), value=Wei(0))
    chain("eth_sendRawTransaction", raw)
    chain("evm_mine")
    assert chain("eth_getStorageAt", "0x" + address.hex(), "0x0", "latest")[-40:] == RICH.address().hex()


def test_a_revert_brings_its_data(chain: Chain) -> None:
    address, _ = deploy(chain, ALWAYS_REVERTS)
    for method in ("eth_call", "eth_estimateGas"):
        with pytest.raises(Refused) as caught:
            chain(method, {"to": "0x" + address.hex()}, "latest")
        assert caught.value.error == {"code": 3, "message": "execution reverted", "data": "0xdeadbeef"}


def test_an_endless_loop_runs_out_of_gas(chain: Chain) -> None:
    address, _ = deploy(chain, ENDLESS)
    with pytest.raises(Refused, match="OutOfGas"):
        chain("eth_call", {"to": "0x" + address.hex(), "gas": "0x186a0"}, "latest")


# ── public blocks ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_raw_header_hashes_to_the_public_block_hash(chain: Chain) -> None:
    chain("eth_sendRawTransaction", chain.signed(0))
    block_hash = chain("evm_mine")
    assert keccak256(bytes.fromhex(chain("debug_getRawHeader", "latest")[2:])).hex() == block_hash[2:]
    (receipt,) = chain("debug_getRawReceipts", "latest")
    assert receipt.startswith("0x02")
    assert (
        chain("eth_getBlockReceipts", block_hash)[0]["transactionHash"]
        == chain("eth_getBlockByHash", block_hash, True)["transactions"][0]["hash"]
    )


def test_finalized_and_safe_lag_behind(chain: Chain) -> None:
    numbers = []
    for _ in range(4):
        chain("evm_mine")
        numbers.append(
            [int(chain("eth_getBlockByNumber", t, False)["number"], 16) for t in ("latest", "safe", "finalized")]
        )
    assert numbers == [[1, 0, 0], [2, 1, 0], [3, 2, 1], [4, 3, 2]]


def test_time_is_the_clock_s_and_never_stands(chain: Chain) -> None:
    def newest() -> int:
        return int(chain("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    chain("evm_mine")
    assert newest() == 1_800_000_000
    chain("evm_mine")
    assert newest() == 1_800_000_001
    chain.clock[0] += 600
    chain("evm_mine")
    assert newest() == 1_800_000_600


def test_fee_history_takes_counts_in_hex_and_gives_rewards(chain: Chain) -> None:
    chain("eth_sendRawTransaction", chain.signed(0, 3 * GWEI, GWEI))
    chain("evm_mine")
    chain("evm_mine")
    history = chain("eth_feeHistory", "0x2", "latest", [60])
    assert (history["oldestBlock"], len(history["baseFeePerGas"]), len(history["gasUsedRatio"])) == ("0x1", 3, 2)
    assert history["reward"] == [[hex(GWEI)], ["0x0"]]
    chain("evm_mine")
    assert chain("eth_getBlockByNumber", "latest", False)["baseFeePerGas"] == history["baseFeePerGas"][-1]
    assert "reward" not in chain("eth_feeHistory", 5, "latest")


def test_logs_are_found_by_address_topic_and_range(chain: Chain) -> None:
    address, _ = deploy(chain, EMITTER)
    for nonce in (1, 2):
        raw = chain.signed(nonce, to=address, gas=Gas(100_000), value=Wei(0))
        chain("eth_sendRawTransaction", raw)
    chain("evm_mine")

    def found(**wanted: Any) -> int:
        return len(chain("eth_getLogs", {"fromBlock": "0x0", "toBlock": "latest", **wanted}))

    first, second = ("0x" + bytes(31).hex() + text for text in ("cc", "bb"))
    here, elsewhere = "0x" + address.hex(), "0x" + "11" * 20
    assert (found(), found(address=here), found(address=[here, elsewhere]), found(address=elsewhere)) == (2, 2, 2, 0)
    assert (found(topics=[first]), found(topics=[None, second]), found(topics=[[first, second], second])) == (2, 2, 2)
    assert (found(topics=[second]), found(topics=[first, second, None]), found(toBlock="0x1")) == (0, 0, 0)
    assert len(chain("eth_getLogs", {"blockHash": chain("eth_getBlockByNumber", "latest", False)["hash"]})) == 2
    logs = chain("eth_getLogs", {"fromBlock": "0x0", "toBlock": "0xffff"})
    assert [(log["transactionIndex"], log["logIndex"]) for log in logs] == [("0x0", "0x0"), ("0x1", "0x1")]


# ── the server ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", -32700),
        (b"{", -32700),
        (b"[" * 100_000, -32700),
        (b"[]", -32600),
        (b"1", -32600),
        (Chain.request("no_such_method"), -32601),
        (b'{"id": 7, "method": 5}', -32601),
        (b'{"id": 7, "method": "eth_call", "params": {}}', -32602),
        (Chain.request("eth_call"), -32602),
        (Chain.request("eth_call", 1, 2, 3, 4), -32602),
        (Chain.request("eth_getBalance", "0x12"), -32602),
        (Chain.request("eth_getBalance", 12), -32602),
        (Chain.request("eth_getBlockByNumber", "0x00"), -32602),
        (Chain.request("eth_getBalance", "0x" + "11" * 20, {}), -32602),
        (Chain.request("eth_getLogs", []), -32602),
        (Chain.request("eth_estimateGas", {"gas": "0x1"}), -32000),
        (Chain.request("eth_feeHistory", "x", "latest"), -32602),
        (Chain.request("debug_getRawHeader", "0xffff"), -32000),
    ],
)
def test_a_wrong_request_is_answered_with_an_error(chain: Chain, body: bytes, code: int) -> None:
    assert json.loads(chain.devnet.serve(body))["error"]["code"] == code


def test_a_batch_is_answered_call_by_call(chain: Chain) -> None:
    batch = [json.loads(chain.request(method)) for method in ("eth_chainId", "nothing", "net_version")]
    answers = json.loads(chain.devnet.serve(json.dumps(batch).encode()))
    assert [answer.get("result") for answer in answers] == ["0x7a69", None, "31337"]


def test_it_speaks_http_and_refuses_what_is_no_call(chain: Chain) -> None:
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(chain.devnet.url, data=chain.request("web3_clientVersion"), timeout=5)
        assert answer.json()["result"].startswith("hybrid-bridge-devnet")
        assert session.get(chain.devnet.url, timeout=5).status_code == 405
    with socket.create_connection(("127.0.0.1", chain.devnet.port), timeout=5) as raw:
        raw.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n")
        assert raw.recv(100).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize("origin", [None, "null", "https://verifier.example"])
def test_a_browser_lets_a_page_ask_only_where_the_devnet_was_told_so(origin: str | None) -> None:
    settings = DevnetSettings(period=0, allow_origin=origin)
    with Devnet(settings, lambda: UnixSeconds(int(time.time()))) as devnet, requests.Session() as session:
        session.trust_env = False
        before = session.options(devnet.url, timeout=5)
        told = session.post(devnet.url, json={"jsonrpc": "2.0", "id": 1, "method": "eth_chainId"}, timeout=5)
    assert (before.status_code, told.json()["result"]) == (204, "0x7a69")
    assert {answer.headers.get("Access-Control-Allow-Origin") for answer in (before, told)} == {origin}
    assert before.headers.get("Access-Control-Allow-Headers") == (origin and "Content-Type")


@pytest.mark.parametrize("origin", ["verifier.example", "null\r\nX: y", "https://a/b", "https://", "file://", ""])
def test_what_is_no_origin_becomes_no_header(origin: str) -> None:
    answer = CliRunner().invoke(command, ["--allow-origin", origin])
    assert (answer.exit_code, "--allow-origin" in answer.output) == (2, True)


def test_many_callers_at_once_are_all_answered(chain: Chain) -> None:
    answers: list[Any] = []

    def ask() -> None:
        answers.extend(engines.rpc(chain.devnet.url, "eth_chainId") for _ in range(5))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["0x7a69"] * 40


def test_a_fault_inside_is_answered_and_logged_and_life_goes_on(
    chain: Chain, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fault(*_: object) -> None:
        raise LookupError

    with monkeypatch.context() as broken:
        broken.setattr(chain.devnet._chain, "mine", fault)
        chain.devnet.mine()
        broken.setattr(chain.devnet._rpc, "answer", fault)
        error = json.loads(chain.devnet.serve(chain.request("eth_chainId")))["error"]
    assert (error["code"], error["message"]) == (-32603, "internal error: LookupError")
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]
    chain.devnet.mine()
    assert chain("eth_blockNumber") == "0x1"


def test_automine_makes_a_public_block_for_each_transaction() -> None:
    settings = DevnetSettings(period=0, automine=True, funds=((RICH.address(), Wei(ETHER)),))
    with Devnet(settings, lambda: UnixSeconds(1_800_000_000)) as devnet:
        chain = Chain(devnet)
        for nonce in range(3):
            chain("eth_sendRawTransaction", chain.signed(nonce))
        assert (chain("eth_blockNumber"), chain.nonce()) == ("0x3", 3)


def test_the_command_ticks_says_where_it_is_and_ends_cleanly(tmp_path: Path) -> None:
    child, url = engines.start_devnet(tmp_path, "--period", "1", "--chain-id", "77", "--fund", "0x" + "11" * 20)
    assert engines.rpc(url, "eth_chainId") == hex(77)
    assert int(engines.rpc(url, "eth_getBalance", "0x" + "11" * 20, "latest"), 16) == 1000 * ETHER
    child.until(lambda: int(engines.rpc(url, "eth_blockNumber"), 16) >= 2, "two public blocks")
    block = engines.rpc(url, "eth_getBlockByNumber", "latest", False)
    assert abs(int(block["timestamp"], 16) - time.time()) < 5
    port = int(url.rsplit(":", 1)[1])
    second = engines.Child(engines.devnet_command("--port", str(port)), tmp_path / "second.log")
    assert second.process.wait(60) == 2  # the port is taken: mend the request
    assert child.stop(signal.SIGINT) == 0
    assert '"port": ' in child.log.read_text()
