"""The devnet's state file: killed and started again it is the same chain, and it never says what it did not keep."""

import errno
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from hybrid_bridge.adapters.evm import dev_journal
from hybrid_bridge.adapters.evm.create2 import FACTORY, SALT, deterministic_address
from hybrid_bridge.adapters.evm.devnet import Devnet, DevnetSettings
from hybrid_bridge.adapters.evm.keystore_signer import KeystoreTransactionSigner
from hybrid_bridge.errors import BridgeError, SettingsMalformed, StoreBroken
from hybrid_bridge.ports import UnsignedTransaction
from hybrid_bridge.units import Address, ChainId, Gas, Nonce, UnixSeconds, Wei
from tests import engines

pytestmark = pytest.mark.evm

ETHER = 10**18
NOW = 1_800_000_000
SIGNER = KeystoreTransactionSigner(bytes(31) + b"\x01")
RICH = "0x" + SIGNER.address().hex()
POOR = "0x" + "22" * 20
EMITTER = bytes.fromhex("6014600c60003960146000f3602a60005260aa60205260bb60cc60406000a200")  # LOG2(42 ‖ 170)


def signed(nonce: int, **other: Any) -> str:
    fields: dict[str, Any] = {
        "chain_id": ChainId(31337),
        "nonce": Nonce(nonce),
        "to": Address(bytes.fromhex(POOR[2:])),
        "value": Wei(7),
        "data": b"",
        "gas": Gas(21_000),
        "max_fee": Wei(3 * 10**9),
        "tip": Wei(10**9),
    }
    return "0x" + SIGNER.sign(UnsignedTransaction(**{**fields, **other})).hex()


def emitting(nonce: int) -> str:
    return signed(nonce, to=FACTORY, data=SALT + EMITTER, gas=Gas(200_000), value=Wei(0))


def settings(path: Path | None, **other: Any) -> DevnetSettings:
    return DevnetSettings(period=0, finality_depth=1, funds=((SIGNER.address(), Wei(ETHER)),), state_file=path, **other)


def ask(devnet: Devnet, method: str, *params: Any) -> Any:
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    answer = json.loads(devnet.serve(json.dumps(request).encode()))
    return answer["result"] if "result" in answer else answer["error"]


def everything(devnet: Devnet) -> list[Any]:
    """What a client can learn of the chain."""
    newest = int(ask(devnet, "eth_blockNumber"), 16)
    numbers = [hex(number) for number in range(newest + 1)]
    asked = [ask(devnet, "eth_getBlockByNumber", number, True) for number in numbers]
    asked += [ask(devnet, "eth_getBlockReceipts", number) for number in numbers]
    asked += [ask(devnet, "debug_getRawHeader", number) for number in numbers]
    asked += [ask(devnet, "debug_getRawReceipts", number) for number in numbers]
    asked += [ask(devnet, "eth_getBalance", account, number) for number in numbers for account in (RICH, POOR)]
    asked.append(ask(devnet, "eth_getCode", "0x" + deterministic_address(EMITTER).hex(), "latest"))
    asked.append(ask(devnet, "eth_getLogs", {"fromBlock": "0x0", "toBlock": "latest"}))
    return asked


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "chain.jsonl"


@pytest.fixture
def grown(state: Path) -> tuple[Path, list[Any]]:
    """A file of a chain with transfers, a contract with a log, and empty public blocks; and what the chain said."""
    clock = iter(range(NOW, NOW + 1000, 3))
    with Devnet(settings(state), lambda: UnixSeconds(next(clock))) as devnet:
        for raws in ((signed(0), signed(1)), (), (emitting(2),), (signed(3, to=deterministic_address(EMITTER), gas=Gas(90_000), value=Wei(0)),), ()):  # fmt: skip
            for raw in raws:
                assert len(ask(devnet, "eth_sendRawTransaction", raw)) == 66
            devnet.mine()
        told = everything(devnet)
    assert len(told[-1]) == 1  # the log
    return state, told


def test_a_second_start_is_the_same_chain(grown: tuple[Path, list[Any]]) -> None:
    state, told = grown
    for _ in range(2):
        with Devnet(settings(state), lambda: UnixSeconds(NOW + 5000)) as devnet:
            assert everything(devnet) == told
            assert int(ask(devnet, "eth_getTransactionCount", RICH, "latest"), 16) == 4


def test_who_names_no_accounts_takes_those_of_the_file(grown: tuple[Path, list[Any]]) -> None:
    state, told = grown
    with Devnet(DevnetSettings(period=0, state_file=state), lambda: UnixSeconds(NOW)) as devnet:
        assert everything(devnet) == told


def test_the_chain_goes_on_where_it_stood(grown: tuple[Path, list[Any]]) -> None:
    state, told = grown
    with Devnet(settings(state), lambda: UnixSeconds(NOW + 5000)) as devnet:
        ask(devnet, "eth_sendRawTransaction", signed(4))
        devnet.mine()
        longer = everything(devnet)
    assert longer[5]["parentHash"] == told[5]["parentHash"]
    assert int(longer[6]["number"], 16) == 6
    with Devnet(settings(state), lambda: UnixSeconds(NOW + 6000)) as devnet:
        assert everything(devnet) == longer


def test_a_torn_last_line_was_never_announced(grown: tuple[Path, list[Any]]) -> None:
    state, told = grown
    whole = state.read_bytes()
    for torn in (b"{", b'{"time": 1800000099, "transactions": [], "hash": "0x' + b"ab" * 31):
        state.write_bytes(whole + torn)
        with Devnet(settings(state), lambda: UnixSeconds(NOW)) as devnet:
            assert everything(devnet) == told
        assert state.read_bytes() == whole


def test_a_file_torn_in_its_first_line_begins_anew(state: Path) -> None:
    state.write_bytes(b'{"format": "hybrid-br')
    with Devnet(settings(state), lambda: UnixSeconds(NOW)) as devnet:
        assert ask(devnet, "eth_blockNumber") == "0x0"
    assert json.loads(state.read_bytes())["born"] == NOW - 1


def flip(line: bytes, old: bytes, new: bytes) -> bytes:
    assert old in line
    return line.replace(old, new, 1)


@pytest.mark.parametrize(
    ("number", "old", "new"),
    [
        (0, b"devnet/v1", b"devnet/v9"),
        (0, b'"born": 1', b'"born": 2'),  # another genesis: block 1 has another parent
        (0, b'"chain_id"', b'"chain"'),
        (1, b'"time": 18', b'"time": 19'),
        (1, b'"time": 18', b'"time": 17'),  # before its parent
        (1, b'"0x02', b'"0x01'),
        (1, b'"0x02', b'"0x02zz'),
        (1, b'"transactions"', b'"transaction"'),
        (2, b'"transactions": []', b'"transactions": ["0x"]'),
        (2, b'"hash": "0x', b'"hash": "0x00'),
        (3, b"{", b"["),
        (4, b"{", b"\xff"),
    ],
)
def test_a_damaged_file_is_refused(grown: tuple[Path, list[Any]], number: int, old: bytes, new: bytes) -> None:
    state, _ = grown
    lines = state.read_bytes().splitlines()
    lines[number] = flip(lines[number], old, new)
    state.write_bytes(b"\n".join(lines) + b"\n")
    with pytest.raises(StoreBroken) as caught:
        Devnet(settings(state), lambda: UnixSeconds(NOW))
    assert caught.value.store == "devnet state file"


def test_a_line_that_is_missing_is_noticed(grown: tuple[Path, list[Any]]) -> None:
    state, _ = grown
    lines = state.read_bytes().splitlines(keepends=True)
    for gone in range(1, len(lines) - 1):
        state.write_bytes(b"".join(lines[:gone] + lines[gone + 1 :]))
        with pytest.raises(StoreBroken):
            Devnet(settings(state), lambda: UnixSeconds(NOW))


def test_another_chain_s_file_is_refused_as_a_wrong_setting(grown: tuple[Path, list[Any]]) -> None:
    state, _ = grown
    for other in (
        settings(state, chain_id=ChainId(5)),
        DevnetSettings(period=0, funds=((SIGNER.address(), Wei(1)),), state_file=state),
    ):
        with pytest.raises(SettingsMalformed) as caught:
            Devnet(other, lambda: UnixSeconds(NOW))
        assert caught.value.key == "--state-file"


FOREIGN = (
    (Path(__file__).parents[2] / "hybrid_bridge/cli/example_files/receivable.hb.json").read_bytes(),  # no newline
    b'{"format":"hybrid-bridge/bundle/v1"}',
    b"first line\nlast line without its newline",
    b"\n",
    b'{"format": "hybrid-bridge/trust/v1"}\n{"half',
    bytes(range(128, 256)),
)


@pytest.mark.parametrize("data", FOREIGN, ids=lambda data: str(data[:12]))
def test_somebody_else_s_file_is_left_as_it_is(state: Path, data: bytes) -> None:
    state.write_bytes(data)
    with pytest.raises(SettingsMalformed) as caught:
        Devnet(settings(state), lambda: UnixSeconds(NOW))
    assert (caught.value.key, caught.value.rule) == ("--state-file", "a file made by devnet, or a new one")
    assert state.read_bytes() == data


def test_a_file_of_ours_that_cannot_be_used_is_left_as_it_is(grown: tuple[Path, list[Any]]) -> None:
    state, _ = grown
    whole = state.read_bytes()
    for torn in (whole[:-40].replace(b'"born"', b'"birth"'), whole[:-40].replace(b"31337", b"5", 1)):
        state.write_bytes(torn)
        with pytest.raises(BridgeError):
            Devnet(settings(state), lambda: UnixSeconds(NOW))
        assert state.read_bytes() == torn


def test_a_file_serves_one_devnet_at_a_time(state: Path) -> None:
    with Devnet(settings(state), lambda: UnixSeconds(NOW)):
        with pytest.raises(SettingsMalformed) as caught:
            Devnet(settings(state), lambda: UnixSeconds(NOW))
        assert "no other" in caught.value.rule
    Devnet(settings(state), lambda: UnixSeconds(NOW)).start().stop()


def test_a_place_that_cannot_be_written_is_a_wrong_setting(tmp_path: Path) -> None:
    with pytest.raises(SettingsMalformed):
        Devnet(settings(tmp_path / "no" / "such" / "folder"), lambda: UnixSeconds(NOW))


def test_what_could_not_be_kept_is_never_announced_and_ends_the_devnet(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Devnet(settings(state), lambda: UnixSeconds(NOW)) as devnet:
        devnet.mine()
        before = ask(devnet, "eth_getBlockByNumber", "latest", False)

        def full(_descriptor: int) -> None:
            raise OSError(errno.ENOSPC, "no space")

        with monkeypatch.context() as broken:
            broken.setattr(dev_journal.os, "fsync", full)
            devnet.mine()
        devnet.mine()
        assert ask(devnet, "eth_blockNumber")["code"] == -32603
        with pytest.raises(StoreBroken):
            devnet.wait()
    with Devnet(settings(state), lambda: UnixSeconds(NOW)) as devnet:
        assert ask(devnet, "eth_getBlockByHash", before["hash"], False) == before


def test_a_public_block_made_on_request_is_kept_too(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Devnet(settings(state, automine=True), lambda: UnixSeconds(NOW)) as devnet:
        ask(devnet, "eth_sendRawTransaction", signed(0))
        told = everything(devnet)
        with monkeypatch.context() as broken:
            broken.setattr(dev_journal.os, "fsync", lambda _: (_ for _ in ()).throw(OSError()))
            assert ask(devnet, "eth_sendRawTransaction", signed(1))["code"] == -32603
    with Devnet(settings(state, automine=True), lambda: UnixSeconds(NOW)) as devnet:
        assert everything(devnet)[1] == told[1]


def test_only_our_errors_leave_a_file_of_any_bytes(state: Path) -> None:
    for data in (b"\n", b"null\n", b"{}\n", b"[]\n", b'"x"\n', b"[" * 50_000 + b"\n", os.urandom(300) + b"\n"):
        state.write_bytes(data)
        with pytest.raises(BridgeError):
            Devnet(settings(state), lambda: UnixSeconds(NOW))


def test_killed_and_started_again_on_its_port_it_is_the_same_chain(tmp_path: Path) -> None:
    fixed = ("--period", "0", "--automine", "--state-file", str(tmp_path / "chain.jsonl"), "--fund", f"{RICH}=1")
    child, url = engines.start_devnet(tmp_path, *fixed)

    def told() -> list[Any]:
        head = engines.rpc(url, "eth_getBlockByNumber", "latest", True)
        return [head, *(engines.rpc(url, "eth_getTransactionReceipt", tx["hash"]) for tx in head["transactions"]),
                engines.rpc(url, "eth_getBalance", RICH, "latest"),
                engines.rpc(url, "eth_getCode", "0x" + deterministic_address(EMITTER).hex(), "latest")]  # fmt: skip

    for round_, raw in enumerate((signed(0), emitting(1))):
        engines.rpc(url, "eth_sendRawTransaction", raw)
        before = told()
        assert int(before[0]["number"], 16) == round_ + 1
        child.stop(signal.SIGKILL)
        child, again = engines.start_devnet(tmp_path, *fixed, "--port", url.rsplit(":", 1)[1])
        child.until(lambda: engines.rpc(url, "eth_chainId"), "the devnet again")
        assert (again, told()) == (url, before)
    assert before[-1] == "0x" + EMITTER[12:].hex()
    assert child.stop() == 0
