"""Events of several kinds by one question: an endpoint that answers what nobody asked is not believed."""

from collections.abc import Iterator
from typing import Any

import pytest

from hybrid_bridge.adapters.evm import events
from hybrid_bridge.adapters.evm.events import each_among, events_among, events_of, place_of
from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.errors import AnswerMalformed, EndpointRefused
from hybrid_bridge.units import PublicBlockNumber
from tests.evm.chains import World

REGISTERED = keccak256(b"Registered(bytes32,string,bytes)")
APPOINTED = keccak256(b"ValidatorSet(bytes32,uint64,bytes32,uint64,bytes)")
ANCHORED = keccak256(b"Anchored(bytes32,uint64,bytes32,uint64,uint64,uint64)")


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    made = World().deployed()
    made.anchor(1, 2)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def honest(world: World) -> Iterator[None]:
    yield
    world.rpc.lie = lambda _, result: result


def found(world: World, *topics: Any) -> list[Any]:
    return events_among(world.chain, topics, world.log.log_id, PublicBlockNumber(0), world.chain.latest())


def test_all_kinds_come_in_the_order_of_the_chain_each_with_its_own(world: World) -> None:
    assert [topic for topic, _ in found(world, ANCHORED, APPOINTED, REGISTERED)] == [REGISTERED, APPOINTED, ANCHORED]
    assert [topic for topic, _ in found(world, ANCHORED)] == [ANCHORED]
    places = [place_of(world.chain, entry) for _, entry in found(world, REGISTERED, ANCHORED)]
    assert places[0].block_number < places[1].block_number


def lying(world: World, **changed: Any) -> None:
    def lie(method: str, result: Any) -> Any:
        return [{**entry, **changed} for entry in result] if method == "eth_getLogs" else result

    world.rpc.lie = lie


@pytest.mark.parametrize(
    "changed",
    [
        {"address": "0x" + "11" * 20},
        {"address": None},
        {"topics": []},
        {"topics": None},
        {"topics": ["0x" + REGISTERED.hex()]},
        {"topics": ["0x" + REGISTERED.hex(), "0x" + "22" * 32]},
        {"blockNumber": "0xffff"},
        {"blockNumber": None},
        {"logIndex": "one"},
    ],
)
def test_logs_that_were_not_asked_for_are_no_answer(world: World, changed: dict[str, Any]) -> None:
    lying(world, **changed)
    with pytest.raises(AnswerMalformed):
        found(world, REGISTERED, ANCHORED)


def test_a_kind_that_was_not_asked_for_is_no_answer(world: World) -> None:
    lying(world, topics=["0x" + APPOINTED.hex(), "0x" + world.log.log_id.hex()])
    with pytest.raises(AnswerMalformed):
        found(world, REGISTERED, ANCHORED)


def test_more_of_one_kind_than_a_log_has_is_no_answer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MAX_EVENTS", 0)
    with pytest.raises(AnswerMalformed):
        events_of(world.chain, REGISTERED, world.log.log_id, PublicBlockNumber(0), world.chain.latest())


def test_a_range_that_is_refused_is_asked_by_halves_down_to_what_everybody_answers(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = world.rpc.ask
    ranges: list[int] = []

    def narrow(method: str, *params: Any) -> Any:
        if method == "eth_getLogs":
            ranges.append(int(params[0]["toBlock"], 16) - int(params[0]["fromBlock"], 16))
            if ranges[-1] > most:
                raise EndpointRefused(endpoint="direct", call=method, code=-32005, reason="too many")
        return honest(method, *params)

    most = 1
    monkeypatch.setattr(events, "LOG_SPAN", 2)
    monkeypatch.setattr(world.rpc, "ask", narrow)
    assert [topic for topic, _ in found(world, ANCHORED, REGISTERED)] == [REGISTERED, ANCHORED]
    assert max(ranges) > most
    most = -1
    with pytest.raises(EndpointRefused):
        found(world, ANCHORED)


def test_no_more_than_one_answer_is_held_however_many_an_endpoint_makes_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest, asked = world.rpc.ask, list[int]()

    def narrow(method: str, *params: Any) -> Any:
        first, last = (int(params[0][name], 16) for name in ("fromBlock", "toBlock"))
        if first != last:
            raise EndpointRefused(endpoint="direct", call=method, code=-32005, reason="too many")
        asked.append(first)
        (entry,) = honest(method, {**params[0], "fromBlock": "0x0", "toBlock": hex(at.number)})
        return [{**entry, "blockNumber": hex(first)}] * 3

    at, since = world.chain.latest(), PublicBlockNumber(0)
    monkeypatch.setattr(events, "LOG_SPAN", 1)
    monkeypatch.setattr(world.rpc, "ask", narrow)
    each = each_among(world.chain, [REGISTERED], world.log.log_id, since, at)
    assert [next(each)[0] for _ in range(4)] == [REGISTERED] * 4
    assert asked == [0, 1]
