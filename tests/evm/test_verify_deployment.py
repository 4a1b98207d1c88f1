"""`contract verify` and what is looked at before money is spent: fit chains pass, each unfit one is told why."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from hybrid_bridge.adapters.evm import sources
from hybrid_bridge.adapters.evm.artefact import REGISTRY, VERIFIER, artefact
from hybrid_bridge.adapters.evm.create2 import FACTORY
from hybrid_bridge.adapters.evm.preflight import ABC, preflight
from hybrid_bridge.adapters.evm.rpc import RpcError
from hybrid_bridge.errors import (
    ChainUnsuitable,
    CodeMismatch,
    PrecompileMissing,
    StoreBroken,
    Unknown,
    Unreachable,
    WrongChain,
)
from hybrid_bridge.units import ChainId
from tests.evm.chains import World
from tests.evm.terminal import Terminal

pytestmark = pytest.mark.evm


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    made = World()
    made.mine()
    yield made
    made.close()


@pytest.fixture
def asked(world: World) -> Iterator[World]:
    yield world
    world.rpc.lie, world.rpc.missing = (lambda _, result: result), set()


# ── the chain ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_fit_chain_is_described(asked: World) -> None:
    seen = preflight(asked.rpc, ChainId(31337))
    assert (seen.chain_id, seen.rules, seen.has_factory, seen.at.number) == (31337, "prague", True, 1)


def test_another_chain_than_expected_is_told_first(asked: World) -> None:
    with pytest.raises(WrongChain) as caught:
        preflight(asked.rpc, ChainId(1))
    assert (caught.value.expected, caught.value.got) == (1, 31337)


@pytest.mark.parametrize(("number", "width"), [(1, 32), (2, 32)])
def test_a_precompile_that_is_absent_succeeds_with_nothing_and_is_found_out(
    asked: World, number: int, width: int
) -> None:
    answers = iter(range(1, 9))

    def lie(method: str, result: Any) -> Any:
        return "0x" if method == "eth_call" and next(answers) == number else result

    asked.rpc.lie = lie
    with pytest.raises(PrecompileMissing) as caught:
        preflight(asked.rpc)
    assert caught.value.number == number


def test_a_precompile_that_hashes_otherwise_is_none(asked: World) -> None:
    asked.rpc.lie = lambda _, result: "0x" + ABC[::-1].hex() if result == "0x" + ABC.hex() else result
    with pytest.raises(PrecompileMissing):
        preflight(asked.rpc)


@pytest.mark.parametrize(
    ("newest", "older", "rule"),
    [
        (1_800_000_000_000, None, "block.timestamp in seconds"),
        (1_800_000_000, 1_800_000_001, "block.timestamp that never falls"),
    ],
)
def test_a_clock_that_the_contract_cannot_use_is_refused(
    asked: World, newest: int, older: int | None, rule: str
) -> None:
    def lie(method: str, result: Any) -> Any:
        if method != "eth_getBlockByNumber":
            return result
        return {**result, "timestamp": hex(newest if result["number"] == "0x1" else older or newest)}

    asked.rpc.lie = lie
    with pytest.raises(ChainUnsuitable) as caught:
        preflight(asked.rpc)
    assert caught.value.rule == rule


@pytest.mark.parametrize(
    ("understood", "rules"), [(1, "prague"), (2, "cancun"), (3, "shanghai"), (4, "london"), (5, "before london")]
)
def test_rules_are_told_by_what_only_they_can_do(
    asked: World, monkeypatch: pytest.MonkeyPatch, understood: int, rules: str
) -> None:
    """The devnet has Prague's; each time one feature more is refused."""
    honest, calls = asked.rpc.ask_raw, []

    def ask_raw(method: str, *params: Any) -> Any:
        calls.append(method)
        if method == "eth_call" and 2 < calls.count("eth_call") <= 2 + understood:
            raise RpcError(-32000, "invalid opcode", b"")
        return honest(method, *params)

    monkeypatch.setattr(asked.rpc, "ask_raw", ask_raw)
    if rules == "before london":
        with pytest.raises(ChainUnsuitable):
            preflight(asked.rpc)
    else:
        assert preflight(asked.rpc).rules == rules


def test_an_endpoint_that_goes_away_meanwhile_says_nothing_about_the_rules(
    asked: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest, calls = asked.rpc.ask_raw, []

    def ask_raw(method: str, *params: Any) -> Any:
        calls.append(method)
        if calls.count("eth_call") == 3:
            raise Unreachable(endpoint="direct", call=method)
        return honest(method, *params)

    monkeypatch.setattr(asked.rpc, "ask_raw", ask_raw)
    with pytest.raises(Unreachable):
        preflight(asked.rpc)


# ── the code ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    made = Terminal(tmp_path_factory.mktemp("terminal"))
    yield made
    made.devnet.stop()


def test_what_stands_there_is_compared_byte_for_byte(terminal: Terminal) -> None:
    asking = ("verify", "--rpc", terminal.devnet.url)
    assert "no code stands there" in str(terminal.run(*asking, refused=Unknown).exception)
    terminal.run("deploy", *terminal.paying, "--yes", "--out", terminal.deployments)
    for more in ((), ("--deployments", terminal.deployments), ("--chain-id", 31337)):
        found = terminal.json(*asking, *more)
        assert [(one["contract"], one["code_hash"]) for one in found["contracts"]] == [
            (name, "0x" + artefact(name).runtime_code_hash.hex()) for name in (REGISTRY, VERIFIER)
        ]
    registry, verifier = (one["address"] for one in found["contracts"])
    terminal.run(*asking, "--registry", registry, "--verifier", verifier)
    terminal.run(*asking, "--registry", verifier, refused=CodeMismatch)
    terminal.run(*asking, "--verifier", "0x" + FACTORY.hex(), refused=CodeMismatch)
    assert "code as compiled" in terminal.run(*asking).output


def test_the_sources_for_explorers_give_the_committed_bytes(
    terminal: Terminal, build: ModuleType, tmp_path: Path
) -> None:
    terminal.run("verify", "--rpc", terminal.devnet.url, "--source-json", tmp_path / "sources")
    texts = [(tmp_path / "sources" / f"{name}.standard.json").read_text() for name in (REGISTRY, VERIFIER)]
    assert texts[0] == texts[1]  # one compilation gave both
    answer = json.loads(build._node([], texts[0]))
    for name in (REGISTRY, VERIFIER):
        made = answer["contracts"][f"src/{name}.sol"][name]["evm"]
        assert bytes.fromhex(made["bytecode"]["object"]) == artefact(name).creation_code


def test_sources_other_than_those_compiled_are_not_given_out(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = sources._sources()
    monkeypatch.setattr(sources, "_sources", lambda: honest | {"src/libraries/Tree.sol": "// other"})
    with pytest.raises(StoreBroken):
        sources.standard_json(REGISTRY)


def test_a_program_without_sources_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sources.hybrid_bridge, "__file__", str(tmp_path / "package" / "__init__.py"))
    with pytest.raises(StoreBroken) as caught:
        sources.standard_json(VERIFIER)
    assert "wheel" in caught.value.rule
    there = tmp_path / "package" / "adapters" / "abi" / "src"  # as in a wheel
    for path, text in honest_sources().items():
        (there.parent / path).parent.mkdir(parents=True, exist_ok=True)
        (there.parent / path).write_text(text)
    assert json.loads(sources.standard_json(VERIFIER))["sources"].keys() == honest_sources().keys()


def honest_sources() -> dict[str, str]:
    folder = Path(__file__).parents[2] / "contracts"
    return {path.relative_to(folder).as_posix(): path.read_text() for path in (folder / "src").rglob("*.sol")}
