"""Deploying and registering: priced first, once however often it is asked, the code compared afterwards."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner

from hybrid_bridge.adapters.evm.artefact import REGISTRY, VERIFIER, artefact
from hybrid_bridge.adapters.evm.calls import anchor_calldata
from hybrid_bridge.adapters.evm.chain import Web3Chain
from hybrid_bridge.adapters.evm.create2 import FACTORY, deterministic_address
from hybrid_bridge.adapters.evm.deploy import deploy, plan_deployment, plan_deployments, register, require_funds
from hybrid_bridge.adapters.evm.transact import Patience, price, send, transact
from hybrid_bridge.cli.contract import command
from hybrid_bridge.errors import (
    AnswerMalformed,
    BridgeError,
    CodeMismatch,
    EndpointRefused,
    Missing,
    NotYet,
    SetMismatch,
    SettingsMalformed,
    TransactionRefused,
    Undecided,
    Unknown,
    WrongChain,
)
from hybrid_bridge.testing.public_chain_behaviour import RegistrableLog
from hybrid_bridge.units import Address, PublicBlockNumber, UnixSeconds, Wei
from tests.engines import rpc_of
from tests.evm.chains import GAS_KEY, NOW, World
from tests.evm.terminal import Terminal

pytestmark = pytest.mark.evm

ME = GAS_KEY.address()


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.close()


@pytest.fixture
def registered() -> Iterator[World]:
    made = World().deployed()
    yield made
    made.close()


def without_factory(method: str, result: Any) -> Any:
    return "0x" if method == "eth_getCode" and len(result) == 2 + 2 * 69 else result


# ── deploying ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", [REGISTRY, VERIFIER])
def test_through_the_factory_the_address_is_the_same_everywhere(world: World, name: str) -> None:
    plan = plan_deployment(world.rpc, artefact(name), ME)
    assert plan.transaction is not None
    assert (plan.address, plan.transaction.to) == (deterministic_address(artefact(name).creation_code), FACTORY)
    made = deploy(world.rpc, plan, GAS_KEY, world.patience)
    assert (made.address, made.code_hash) == (plan.address, artefact(name).runtime_code_hash)
    assert Web3Chain(world.rpc, made.address).code_hash() == made.code_hash
    assert 0 < plan.cost < 10**18


def test_deploying_twice_is_once(world: World) -> None:
    first = deploy(world.rpc, plan_deployment(world.rpc, artefact(REGISTRY), ME), GAS_KEY, world.patience)
    again = plan_deployment(world.rpc, artefact(REGISTRY), ME)
    assert (again.transaction, again.cost) == (None, 0)
    second = deploy(world.rpc, again, GAS_KEY, world.patience)
    assert (second.address, second.transaction) == (first.address, None)


def test_without_the_factory_it_is_created_plainly(world: World) -> None:
    world.rpc.lie = without_factory
    plan = plan_deployment(world.rpc, artefact(REGISTRY), ME)
    assert plan.transaction is not None
    assert plan.transaction.to == b""
    assert deploy(world.rpc, plan, GAS_KEY, world.patience).address == plan.address


@pytest.mark.parametrize("others", [0, 5, 15])
def test_without_the_factory_twice_is_once_too(world: World, others: int) -> None:
    """Also after a crash between sending and writing down: the account's own creations are looked at."""
    world.rpc.lie = without_factory
    first = deploy(world.rpc, plan_deployment(world.rpc, artefact(REGISTRY), ME), GAS_KEY, world.patience)
    chain = Web3Chain(world.rpc, first.address)
    for _ in range(others):
        transact(chain, GAS_KEY, Address(b"\x22" * 20), b"", world.patience)
    again = plan_deployment(world.rpc, artefact(REGISTRY), ME)
    assert (again.transaction, again.address) == (None, first.address)
    assert plan_deployment(world.rpc, artefact(VERIFIER), ME).transaction is not None


def test_without_the_factory_a_known_address_is_looked_at(world: World) -> None:
    """Of another account, or of one that has done much since."""
    world.rpc.lie = without_factory
    first = deploy(world.rpc, plan_deployment(world.rpc, artefact(REGISTRY), ME), GAS_KEY, world.patience)
    chain = Web3Chain(world.rpc, first.address)
    for _ in range(20):
        transact(chain, GAS_KEY, Address(b"\x22" * 20), b"", world.patience)
    assert plan_deployment(world.rpc, artefact(REGISTRY), ME).transaction is not None
    again = plan_deployment(world.rpc, artefact(REGISTRY), ME, known=first.address)
    assert (again.transaction, again.address) == (None, first.address)
    verifier = plan_deployment(world.rpc, artefact(VERIFIER), ME, known=first.address)
    assert verifier.transaction is not None  # other code there: it is not believed


def test_a_known_deployment_is_kept_when_the_factory_comes_later(world: World) -> None:
    """Else a second run with the same --out would pay again, and write the registry that is in use out of the file."""
    world.rpc.lie = without_factory
    first = deploy(world.rpc, plan_deployment(world.rpc, artefact(REGISTRY), ME), GAS_KEY, world.patience)
    world.rpc.lie = lambda _, result: result
    again = plan_deployment(world.rpc, artefact(REGISTRY), ME, first.address)
    assert (again.transaction, again.address) == (None, first.address)


BOTH = ((artefact(REGISTRY), None), (artefact(VERIFIER), None))


def test_without_the_factory_the_plan_names_the_addresses_that_come_of_it(world: World) -> None:
    world.rpc.lie = without_factory
    plans = plan_deployments(world.rpc, BOTH, ME)
    made = [
        deploy(world.rpc, plan_deployment(world.rpc, plan.artefact, ME), GAS_KEY, world.patience).address
        for plan in plans
    ]
    assert made == [plan.address for plan in plans]
    assert len(set(made)) == 2
    assert [plan.transaction for plan in plan_deployments(world.rpc, BOTH, ME)] == [None, None]


def test_who_can_pay_for_one_of_two_contracts_is_told_before_the_first_is_paid(world: World) -> None:
    both = sum(plan.cost for plan in plan_deployments(world.rpc, BOTH, ME))
    poor = World(funds=both - 5)
    with pytest.raises(Missing) as caught:
        require_funds(poor.rpc, plan_deployments(poor.rpc, BOTH, ME), ME)
    assert caught.value.what == f"5 wei for gas at 0x{ME.hex()}"
    assert plan_deployment(poor.rpc, artefact(REGISTRY), ME).cost < both  # one alone it can pay
    poor.close()


def test_what_it_will_cost_is_told_to_an_empty_account_too() -> None:
    poor = World(funds=0)
    assert all(plan.cost > 0 for plan in plan_deployments(poor.rpc, BOTH, ME))
    poor.close()


def test_planning_sends_nothing(world: World) -> None:
    plan_deployment(world.rpc, artefact(REGISTRY), ME)
    assert world.rpc.ask("eth_getTransactionCount", "0x" + ME.hex(), "pending") == "0x0"


def test_an_account_that_cannot_pay_is_told_how_much_is_missing() -> None:
    poor = World(funds=10**12)
    with pytest.raises(Missing) as caught:
        plan_deployment(poor.rpc, artefact(REGISTRY), ME)
    assert "wei for gas" in caught.value.what
    poor.close()


def test_other_code_at_the_address_is_a_mismatch(world: World) -> None:
    deploy(world.rpc, plan_deployment(world.rpc, artefact(REGISTRY), ME), GAS_KEY, world.patience)

    def lie(method: str, result: Any) -> Any:
        return result + "00" if method == "eth_getCode" and len(result) > 1000 else result

    world.rpc.lie = lie
    with pytest.raises(CodeMismatch) as caught:
        plan_deployment(world.rpc, artefact(REGISTRY), ME)
    address = deterministic_address(artefact(REGISTRY).creation_code)
    assert caught.value.where == f"{REGISTRY} at 0x{address.hex()}"


def test_an_endpoint_that_lags_behind_the_deployment_has_no_code_yet(world: World) -> None:
    plan = plan_deployment(world.rpc, artefact(REGISTRY), ME)
    world.rpc.lie = lambda method, result: "0x" if method == "eth_getCode" else result
    with pytest.raises(NotYet) as caught:
        deploy(world.rpc, plan, GAS_KEY, world.patience)
    assert REGISTRY in caught.value.what
    world.rpc.lie = lambda _, result: result
    assert plan_deployment(world.rpc, artefact(REGISTRY), ME).transaction is None


@pytest.mark.parametrize("name", [REGISTRY, VERIFIER])
def test_an_endpoint_that_dies_midway_leaves_something_to_go_on_from(world: World, name: str) -> None:
    plan = plan_deployment(world.rpc, artefact(name), ME)
    world.rpc.missing = {"eth_getTransactionReceipt"}  # sent, and nothing more was heard
    with pytest.raises(BridgeError) as caught:
        deploy(world.rpc, plan, GAS_KEY, world.patience)
    assert isinstance(caught.value, Undecided | EndpointRefused)
    world.rpc.missing = set()
    assert deploy(world.rpc, plan, GAS_KEY, world.patience).address == plan.address
    assert plan_deployment(world.rpc, artefact(name), ME).transaction is None


def test_a_registry_that_knows_a_log_that_cannot_exist_is_refused(world: World) -> None:
    def lie(method: str, result: Any) -> Any:
        return "0x" + "00" * 255 + "01" if method == "eth_call" else result

    world.rpc.lie = lie
    with pytest.raises(AnswerMalformed):
        deploy(world.rpc, plan_deployment(world.rpc, artefact(REGISTRY), ME), GAS_KEY, world.patience)


# ── one transaction ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_not_included_in_time_is_not_yet_there_and_can_be_asked_again(world: World) -> None:
    raw = GAS_KEY.sign(price(Web3Chain(world.rpc, FACTORY), ME, Address(b"\x22" * 20), b""))
    chain = Web3Chain(world.rpc, FACTORY)
    with pytest.raises(NotYet):
        send(chain, raw, Patience(3, 0.0, lambda _: None))
    assert send(chain, raw, world.patience).receipt.succeeded
    assert send(chain, raw, Patience(1, 0.0, lambda _: None)).receipt.succeeded  # stands already: nothing is sent


def test_a_transaction_that_the_pool_refuses_is_refused_at_once(world: World) -> None:
    chain = Web3Chain(world.rpc, FACTORY)
    priced = price(chain, ME, Address(b"\x22" * 20), b"")
    world.rpc.missing = {"eth_maxPriorityFeePerGas"}
    assert price(chain, ME, Address(b"\x22" * 20), b"").tip == Wei(10**9)
    with pytest.raises(TransactionRefused) as caught:
        send(chain, GAS_KEY.sign(replace(priced, value=Wei(10**30))), world.patience)
    assert "insufficient funds" in caught.value.reason


def test_a_transaction_that_fails_in_its_public_block_is_refused(registered: World) -> None:
    update = registered.log.update(1, 5)
    priced = price(registered.chain, ME, registered.chain.contract, anchor_calldata(update))
    registered.anchor(1, 3)
    stale = replace(priced, nonce=registered.chain.nonce(ME, registered.chain.latest()))
    with pytest.raises(TransactionRefused) as caught:
        send(registered.chain, GAS_KEY.sign(stale), registered.patience)
    assert "failed in public block" in caught.value.reason


def test_an_endpoint_that_is_away_for_a_moment_is_asked_again(world: World) -> None:
    chain = Web3Chain(world.rpc, FACTORY)
    raw = GAS_KEY.sign(price(chain, ME, Address(b"\x22" * 20), b""))
    world.rpc.missing = {"eth_getTransactionReceipt"}

    def back(_: float) -> None:
        world.rpc.missing = set()
        world.mine()

    assert send(chain, raw, Patience(4, 0.0, back)).receipt.succeeded


def test_another_transaction_of_the_same_number_is_waited_for(world: World) -> None:
    """A command that is run again while the first one's transaction waits: geth and anvil call the second underpriced."""
    chain = Web3Chain(world.rpc, FACTORY)
    priced = price(chain, ME, Address(b"\x22" * 20), b"")
    chain.broadcast(GAS_KEY.sign(replace(priced, max_fee=Wei(priced.max_fee + 1), tip=Wei(priced.tip + 1))))
    with pytest.raises(NotYet):
        send(chain, GAS_KEY.sign(priced), Patience(2, 0.0, lambda _: None))


# ── registering ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_registering_twice_is_once(registered: World) -> None:
    log = (registered.log.genesis, registered.log.origin, registered.log.validators.encode_entries())
    again = register(registered.chain, GAS_KEY, log, registered.patience)
    assert (again.included, again.head.tree_size, again.log_id) == (None, 1, registered.log.log_id)
    registered.anchor(1, 5)
    assert register(registered.chain, GAS_KEY, log, registered.patience).head.tree_size == 5


def test_what_the_contract_refuses_costs_nothing(registered: World) -> None:
    log = RegistrableLog("other", UnixSeconds(NOW - 60))
    before = registered.chain.nonce(ME, registered.chain.latest())
    entries = log.validators.encode_entries()
    with pytest.raises(BridgeError) as caught:
        register(registered.chain, GAS_KEY, (log.genesis, "another.example/origin", entries), registered.patience)
    assert type(caught.value).__name__ == "RootMismatch"
    with pytest.raises(SetMismatch):
        register(registered.chain, GAS_KEY, (log.genesis, log.origin, entries[:-1] + b"\x00"), registered.patience)
    assert registered.chain.nonce(ME, registered.chain.latest()) == before


# ── the command ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    made = Terminal(tmp_path_factory.mktemp("terminal"))
    yield made
    made.devnet.stop()


def test_a_dry_run_names_addresses_and_costs(terminal: Terminal) -> None:
    plan = terminal.json("deploy", *terminal.paying, "--dry-run")
    assert [(c["contract"], c["there"], c["gas"] > 10**6) for c in plan["contracts"]] == [
        (REGISTRY, False, True),
        (VERIFIER, False, True),
    ]
    text = terminal.run("deploy", *terminal.paying, "--dry-run", "--ether-price", "2500 EUR").output
    assert re.search(r"[0-9]{7} gas, about 0.0[0-9]* ether = [0-9.]+ EUR, at most 0.0[0-9]* ether = [0-9.]+ EUR", text)
    likely, most = (int(plan["contracts"][0][name]) for name in ("likely_cost_wei", "max_cost_wei"))
    assert most / 3 < likely < most
    assert not terminal.deployments.exists()


def test_without_a_yes_nothing_is_sent(terminal: Terminal) -> None:
    result = CliRunner().invoke(command, ["deploy", *map(str, terminal.paying)], input="n\n")
    assert result.exit_code == 1
    assert terminal.json("deploy", *terminal.paying, "--dry-run")["contracts"][0]["there"] is False


def test_another_chain_than_expected_is_refuted(terminal: Terminal) -> None:
    refusal = terminal.run("deploy", *terminal.paying, "--yes", "--chain-id", "1", refused=WrongChain).exception
    assert isinstance(refusal, WrongChain)
    assert (refusal.expected, refusal.got) == (1, 31337)


def test_where_no_contract_stands_there_is_nothing_to_ask(terminal: Terminal) -> None:
    nowhere = "0x" + "44" * 20
    refusal = terminal.run("status", "--rpc", terminal.url, "--contract", nowhere, refused=Unknown).exception
    assert isinstance(refusal, Unknown)
    assert refusal.what == f"{REGISTRY} at {nowhere}: no code stands there"


def test_deploy_register_and_status_from_the_command_line(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    url = terminal.devnet.url
    made = terminal.json("deploy", *terminal.paying, "--yes", "--chain-id", "31337", "--out", terminal.deployments)
    assert [entry["contract"] for entry in made["contracts"]] == [REGISTRY, VERIFIER]
    assert json.loads(terminal.deployments.read_text())["deployments"] == made["contracts"]
    assert "there already" in terminal.run("deploy", *terminal.paying, "--dry-run").output

    log = RegistrableLog("terminal", UnixSeconds(NOW - 3600))
    genesis, entries = terminal.folder / "genesis.bin", terminal.folder / "entries.bin"
    genesis.write_bytes(log.genesis)
    entries.write_bytes(log.validators.encode_entries())
    what = ("--genesis", genesis, "--origin", log.origin, "--entries", entries)
    registering = ("register", *terminal.paying, "--deployments", terminal.deployments, *what)
    assert terminal.json(*registering, "--dry-run")["registered"] is False
    terminal.run(*registering, answer="y\n")
    again = terminal.json(*registering)
    assert (again["log_id"], again["transaction"], again["head"]["state"]) == ("0x" + log.log_id.hex(), None, "active")

    for where in (("--deployments", terminal.deployments), ("--contract", made["contracts"][0]["address"]), ()):
        shown = terminal.json("status", "--rpc", url, *where, "--log", log.log_id.hex())
        assert shown["heads"]["latest"]["tree_size"] == 1
    assert shown["code_hash"] == made["contracts"][0]["code_hash"]
    assert "latest: size 1" in terminal.run("status", "--rpc", url, "--log", log.log_id.hex()).output
    assert "not registered" in terminal.run("status", "--rpc", url, "--log", "11" * 32).output
    assert shown["heads"]["finalized"] is None  # the contract is not that old yet
    world = Web3Chain(rpc_of(url), FACTORY)
    monkeypatch.setattr(Web3Chain, "finalized", lambda _: world.block(PublicBlockNumber(1000)))  # as on clique: none
    shown = terminal.json("status", "--rpc", url, "--log", log.log_id.hex())
    assert (shown["finalized"], shown["heads"]["finalized"]) == (None, None)
    assert shown["heads"]["latest"]["tree_size"] == 1
    assert "names no finalized" in terminal.run("status", "--rpc", url, "--log", log.log_id.hex()).output
    monkeypatch.undo()
    address = terminal.folder / "url"
    address.write_text(url + "\n")
    assert terminal.json("status", "--rpc", f"file:{address}")["chain_id"] == 31337


def test_an_empty_account_may_ask_for_the_price_and_is_told_what_both_contracts_need(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    poor = Terminal(tmp_path_factory.mktemp("poor"), funds=0)
    plan = poor.json("deploy", *poor.paying, "--dry-run")
    most = sum(int(one["max_cost_wei"]) for one in plan["contracts"])
    refusal = poor.run("deploy", *poor.paying, "--yes", refused=Missing).exception
    assert isinstance(refusal, Missing)
    assert refusal.what == f"{most} wei for gas at 0x{poor.address.hex()}"
    poor.devnet.stop()


def test_the_price_of_ether_is_an_amount_and_a_currency(terminal: Terminal) -> None:
    terminal.run("deploy", *terminal.paying, "--dry-run", "--ether-price", "much", refused=SettingsMalformed)


def test_a_contract_that_is_not_ours_is_refused(terminal: Terminal) -> None:
    url = terminal.devnet.url
    terminal.run("status", "--rpc", url, "--contract", "0x" + FACTORY.hex(), refused=CodeMismatch)
    terminal.run("status", "--rpc", url, "--contract", "0x12", refused=BridgeError)
    (terminal.folder / "empty.json").write_text('{"deployments": []}')
    terminal.run("status", "--rpc", url, "--deployments", terminal.folder / "empty.json", refused=Unknown)


@pytest.mark.parametrize("url", ["ftp://x", "file:/nowhere/at/all", "127.0.0.1:8545"])
def test_an_endpoint_is_a_url_or_a_file_with_one(terminal: Terminal, url: str) -> None:
    terminal.run("status", "--rpc", url, refused=SettingsMalformed)
