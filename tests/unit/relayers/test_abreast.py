"""Endpoints that are asked side by side: the order of arrival changes nothing, and nobody is waited for twice."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import permutations
from typing import Any, TypeVar

import pytest

from hybrid_bridge.errors import NotYet, Unreachable
from relayers.abreast import Abreast
from relayers.hearing import Hearing
from relayers.relay import Sight, look
from tests.crash.relay_world import DEPTH, World
from tests.unit.relayers.builders import journal, quorum
from tests.unit.relayers.test_observe import Liar, observer

T = TypeVar("T")
SOON = 20.0  # seconds that a busy machine may need; nothing here waits for them


@pytest.fixture
def world() -> World:
    world = World()
    world.network.mine(DEPTH + 6)
    return world


class Named(Liar):
    """An endpoint with a name and answers of its own."""

    def __init__(self, world: World, called: str, **lies: Any) -> None:
        super().__init__(world, **lies)
        self._name = called


class InOrder:
    """Asks one after the other, in another order than that of the question."""

    def __init__(self, order: Sequence[int]) -> None:
        self.order = order

    def __call__(self, names: Sequence[str], works: Sequence[Callable[[], T]]) -> list[T | None]:
        found: dict[int, T] = {}
        for index in sorted(range(len(works)), key=lambda index: self.order[index % len(self.order)]):
            found[index] = works[index]()
        return [found[index] for index in range(len(works))]


def looked(world: World, endpoints: Sequence[Named], asking: Any) -> Sight:
    whole = observer(world, *endpoints, honest=0, quorum=2)
    return look(journal(final_header=None), replace(whole, asking=asking), lambda _: quorum())


def timeless(sight: Sight) -> Sight:
    return replace(sight, calls=tuple((call.endpoint, call.method) for call in sight.calls), endpoints=())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "lies",
    [
        {},
        {"head": lambda *_: None},
        {"nonce": lambda *_: 7},
        {"balance": lambda *_: 1, "account_code": lambda *_: b"x"},
    ],
    ids=["nobody", "nothing", "nonce", "more"],
)
def test_whoever_is_first_the_sight_is_the_same(world: World, lies: dict[str, Any]) -> None:
    def seen(asking: Any) -> Sight:
        return timeless(looked(world, [Named(world, "a"), Named(world, "b", **lies), Named(world, "c")], asking))

    expected = seen(InOrder((0, 1, 2)))
    assert expected.chain is not None
    for order in permutations(range(3)):
        assert seen(InOrder(order)) == expected
    assert seen(Abreast(SOON)) == expected


def test_answers_come_in_the_order_of_the_question() -> None:
    second = threading.Event()

    def first() -> str:
        assert second.wait(SOON)
        return "first"

    def other() -> str:
        second.set()
        return "second"

    assert Abreast(SOON)(("a", "b"), (first, other)) == ["first", "second"]  # at once, or `first` would wait for ever


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Opened at the end, so that no thread stays behind."""
    gate = threading.Event()
    yield gate
    gate.set()


def test_one_that_does_not_come_back_is_given_up_and_not_asked_again_before_it_does(gate: threading.Event) -> None:
    asked: list[str] = []
    back = threading.Event()

    def stuck() -> str:
        asked.append("stuck")
        gate.wait(SOON)
        return "late"

    asking = Abreast(0.05)
    assert asking(("a", "b"), (stuck, lambda: "b")) == [None, "b"]
    assert asking(("a", "b"), (stuck, lambda: "b")) == [None, "b"]
    assert asked == ["stuck"]
    gate.set()
    while not back.is_set():  # its thread ends soon
        if asking(("a",), (lambda: "here",)) == ["here"]:
            back.set()


def test_of_several_failures_the_first_in_order_is_raised() -> None:
    def raising(error: Exception) -> Callable[[], None]:
        def work() -> None:
            raise error

        return work

    with pytest.raises(KeyError, match="one"):
        Abreast(SOON)(("a", "b", "c"), (lambda: None, raising(KeyError("one")), raising(ValueError("two"))))


def test_an_endpoint_that_is_given_up_is_unreachable_and_the_others_agree_without_it(
    world: World, gate: threading.Event
) -> None:
    def stuck(*_: Any) -> Any:
        gate.wait(SOON)
        raise NotYet(what="anything")

    asking = Abreast(0.2)
    sight = looked(world, [Named(world, "a"), Named(world, "slow", head=stuck), Named(world, "c")], asking)
    assert sight.chain is not None
    assert sight.dissents == ()
    waited = [call.seconds for call in sight.calls if call.endpoint == "slow" and call.seconds > 0.15]
    assert len(waited) == 1, "it was waited for more than once"


def test_what_is_given_up_is_an_error_of_that_endpoint() -> None:
    class Chain:
        name = "slow"

    (heard,) = Hearing(lambda: 0.0, asking=lambda names, works: [None]).hear([Chain()], "head", lambda _: 1)  # type: ignore[list-item]
    assert isinstance(heard.error, Unreachable)
    with pytest.raises(Unreachable):
        heard.get()
