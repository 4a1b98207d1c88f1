"""Endpoints asked side by side: the answer does not depend on who was first, and whoever hangs holds up nobody."""

import math
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hybrid_bridge.adapters.evm import abreast
from hybrid_bridge.adapters.evm.abreast import Circle, Question
from hybrid_bridge.adapters.evm.bounded_http import Limit
from hybrid_bridge.errors import Missing, Unreachable


class Halls:
    """Endpoints by number. A test opens a door, and whoever waits behind it answers."""

    def __init__(self, count: int) -> None:
        self.doors = [threading.Event() for _ in range(count)]
        self.asked = [0] * count
        self.together = threading.Barrier(count)

    def behind(self, *closed: int) -> Callable[[Any], int]:
        """Everybody answers 7; of these each when his door is opened, and by himself otherwise."""

        def ask(number: Any) -> int:
            self.asked[number] += 1
            if number in closed:
                assert self.doors[number].wait(30)
                self.doors[number].clear()
                return 70 + int(number)
            return 7

        return ask

    def meet(self, number: Any) -> int:
        self.together.wait(30)  # breaks unless all of them are asked at one time
        return int(number)


@pytest.fixture
def halls() -> Iterator[Halls]:
    made = Halls(4)
    yield made
    for door in made.doors:
        door.set()


def circle(is_over: Callable[[], bool] = lambda: False) -> Circle:
    return Circle(range(4), is_over)  # type: ignore[arg-type]  # whatever stands for an endpoint


def threads() -> int:
    return sum(one.name.startswith("endpoint ") for one in threading.enumerate())


def test_all_are_asked_at_one_time_and_answer_in_their_order(halls: Halls) -> None:
    assert circle().all_say(halls.meet) == [0, 1, 2, 3]


def test_nobody_is_waited_for_once_enough_agree_and_he_has_one_thread(halls: Halls) -> None:
    asked = circle()
    for _ in range(5):
        assert asked.agree("it", 3, halls.behind(1)) == 7
        assert threads() <= 1
    assert halls.asked == [5, 1, 5, 5]


def test_who_answers_otherwise_first_changes_nothing(halls: Halls) -> None:
    first = halls.behind(1, 2)
    for number in (1, 2):
        halls.doors[number].set()
    with pytest.raises(Missing) as caught:
        circle().agree("it", 3, first)
    assert caught.value.what == "3 endpoints that agree on it"


def test_who_is_busy_with_what_nobody_waits_for_is_asked_when_he_is_free(halls: Halls) -> None:
    asked = circle()
    assert asked.agree("it", 3, halls.behind(1)) == 7
    opener = threading.Timer(0.1, halls.doors[1].set)
    opener.start()
    assert asked.all_say(halls.behind()) == [7, 7, 7, 7]
    opener.join()


def test_of_a_look_one_that_hangs_is_given_up_and_the_others_have_time(
    halls: Halls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(abreast, "PATIENCE", 2.0)
    asked = circle()
    for look in (1, 2, 3):
        asked.begin(math.inf)
        for _ in range(3):
            assert asked.all_say(halls.behind(2)) == [7, 7, None, 7]
            assert threads() == 1
        assert halls.asked == [3 * look, 3 * look, 1, 3 * look]
    late = [one for one in threading.enumerate() if one.name == "endpoint 3"]
    halls.doors[2].set()
    late[0].join(30)
    asked.begin(math.inf)
    assert asked.all_say(halls.behind()) == [7, 7, 7, 7]


def test_who_lets_a_call_of_a_look_run_out_is_asked_no_more_in_it(
    halls: Halls, monkeypatch: pytest.MonkeyPatch
) -> None:
    del halls
    monkeypatch.setattr(abreast, "TIMEOUT", 0)
    asked, count = circle(), [0] * 4

    def ask(number: Any) -> int:
        count[number] += 1
        if number == 3:
            raise Unreachable(endpoint="x", call="x")
        return 7

    asked.begin(60)
    for _ in range(2):
        assert asked.all_say(ask) == [7, 7, 7, None]
    asked.begin(60)
    assert asked.all_say(ask) == [7, 7, 7, None]
    assert count == [3, 3, 3, 2]


def test_a_look_ends_by_its_deadline(halls: Halls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(abreast, "GRACE", 0.0)
    asked = circle()
    asked.begin(0.2)
    with pytest.raises(Missing) as caught:
        asked.agree("it", 3, halls.behind(0, 1))
    assert caught.value.what == "3 endpoints that agree on it; no such answer from endpoint 1, endpoint 2"
    assert asked.all_say(halls.behind()) == [None] * 4  # no time is left
    asked.go_on(60)
    assert asked.agree("it", 2, halls.behind()) == 7


def test_the_end_waits_for_nobody(halls: Halls) -> None:
    over = threading.Event()
    with pytest.raises(Missing):
        circle(lambda: over.is_set() or over.set() is not None).agree("it", 3, _opening(over, halls.behind(0, 1)))


def _opening(over: threading.Event, ask: Callable[[Any], int]) -> Callable[[Any], int]:
    def asking(number: Any) -> int:
        over.set()
        return ask(number)

    return asking


def test_a_fault_of_ours_is_nobodys_silence() -> None:
    def ask(number: Any) -> int:
        return 7 // int(number)

    with pytest.raises(ZeroDivisionError):
        circle().all_say(ask)
    with pytest.raises(ZeroDivisionError):
        circle().agree("it", 4, ask)


def test_who_is_let_go_ends_with_the_call_that_he_is_in() -> None:
    limit, begun, free = Limit(), threading.Event(), threading.Event()

    def calls() -> int:
        from hybrid_bridge.adapters.evm.bounded_http import _CALL  # noqa: PLC0415

        assert _CALL.left() == math.inf
        begun.set()
        assert free.wait(30)
        _CALL.left()
        return 7

    question = Question("endpoint x", calls, limit)
    assert begun.wait(30)
    limit.end = -math.inf
    free.set()
    assert question.wait(30)
    with pytest.raises(TimeoutError):
        question.answer()
