"""Copies are asked side by side: whoever hangs is late alone, and keeps nobody from being asked, or the end away."""

import threading
from collections.abc import Iterator

import pytest

from hybrid_bridge.adapters.web.exchange import Service
from hybrid_bridge.cli.watch import asking
from hybrid_bridge.cli.watch.asking import Round
from hybrid_bridge.cli.watch.copies import Copy
from hybrid_bridge.cli.watch.findings import CopySight

NAMES = [f"copy-{number}" for number in range(64)]


class Crowd:
    """Copies of which some answer only when `free` is set; `asked` counts."""

    def __init__(self, hanging: set[str]) -> None:
        self.hanging, self.free, self.asked = hanging, threading.Event(), list[str]()
        self.met = threading.Barrier(len(NAMES) - len(hanging) or 1)

    def ask(self, copy: Copy, _end: float) -> CopySight:
        self.asked.append(copy.name)
        if copy.name in self.hanging:
            self.free.wait()
        else:
            self.met.wait(30)  # breaks unless all of them are asked at one time
        return CopySight(detail=f"seen {copy.name}")


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "GRACE", 0.0)
    monkeypatch.setattr(asking, "LOOK_UP", 0.01)


@pytest.fixture
def crowd() -> Iterator[Crowd]:
    made = Crowd({NAMES[3], NAMES[60]})
    yield made
    made.free.set()


def circle() -> Round:
    return Round([Copy(name, Service(name, "http://127.0.0.1:9")) for name in NAMES])


def never() -> bool:
    return False


def threads() -> int:
    return sum(one.name.startswith("copy copy-") for one in threading.enumerate())


def test_all_are_asked_at_one_time_and_told_in_the_order_of_the_settings() -> None:
    crowd = Crowd(set())
    seen = circle().look(crowd.ask, never)
    assert seen is not None
    assert list(seen) == NAMES
    assert all(sight.detail == f"seen {name}" for name, sight in seen.items())


def test_who_hangs_is_late_alone_and_has_one_thread_however_often_we_look(
    crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = circle()
    monkeypatch.setattr(asking, "BUDGET", 3.0)
    for _ in range(3):
        seen = asked.look(crowd.ask, never)
        assert seen is not None
        assert {name for name, sight in seen.items() if sight.trouble == "copy_silent"} == crowd.hanging
        assert threads() == len(crowd.hanging)
    assert [crowd.asked.count(name) for name in sorted(crowd.hanging)] == [1, 1]


def test_who_answers_again_is_asked_again(crowd: Crowd, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = circle()
    monkeypatch.setattr(asking, "BUDGET", 3.0)
    asked.look(crowd.ask, never)
    hanging = [one for one in threading.enumerate() if one.name.startswith("copy copy-")]
    crowd.free.set()
    for one in hanging:
        one.join(30)
    seen = asked.look(crowd.ask, never)
    assert seen is not None
    assert not any(sight.trouble for sight in seen.values())


def test_the_end_waits_for_nobody(crowd: Crowd) -> None:
    assert circle().look(crowd.ask, lambda: True) is None


def test_a_fault_of_ours_is_told_as_one_after_what_was_seen_and_of_nobody_as_lateness() -> None:
    asked = circle()

    def ask(copy: Copy, _end: float) -> CopySight:
        if copy.name in (NAMES[3], NAMES[60]):
            raise MemoryError(copy.name)
        return CopySight(detail="seen")

    seen = asked.look(ask, never)
    assert seen is not None
    assert {name for name, sight in seen.items() if sight.detail == "seen"} == {*NAMES} - {NAMES[3], NAMES[60]}
    assert not any(sight.trouble for sight in seen.values())
    with pytest.raises(MemoryError) as caught:
        asked.require_sound()
    assert caught.value.args == (NAMES[3],)
    assert caught.value.__notes__ == [f"while the copy {NAMES[3]} was looked at"]


def test_a_fault_that_comes_after_its_look_is_told_at_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, free = circle(), threading.Event()
    monkeypatch.setattr(asking, "BUDGET", 3.0)

    def ask(copy: Copy, _end: float) -> CopySight:
        if copy.name == NAMES[3]:
            free.wait()
            raise MemoryError(copy.name)
        return CopySight()

    seen = asked.look(ask, never)
    assert seen is not None
    assert [name for name, sight in seen.items() if sight.trouble] == [NAMES[3]]
    asked.require_sound()
    hanging = [one for one in threading.enumerate() if one.name == f"copy {NAMES[3]}"]
    free.set()
    for one in hanging:
        one.join(30)
    asked.look(lambda *_: CopySight(), never)
    with pytest.raises(MemoryError):
        asked.require_sound()
