"""The attester's turns: when it looks again, and which sizes it signs."""

import threading
import time
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from hybrid_bridge.errors import NotYet
from hybrid_bridge.node import attesting
from hybrid_bridge.node.attesting import Attester
from hybrid_bridge.node.progress import Progress

KEY = SimpleNamespace(address=lambda: b"\x01" * 20)
BRAKE = SimpleNamespace(reason="", require_free=lambda: None)


class Guard:
    """A guard that has said nothing yet."""

    def highest(self) -> tuple[int, None]:
        return 0, None

    def floor(self) -> int:
        return 0

    def said(self, _size: int) -> None:
        return None


class Log:
    """Closed sizes by the number of the set that is responsible."""

    def __init__(self, sets: Sequence[int]) -> None:
        self.sets, self.looks = sets, 0
        self.taken: list[int] = []

    def newest_attested(self, _address: bytes) -> int:
        return max(self.taken, default=0)

    def sizes_of(self, _address: bytes, after: int) -> range:
        self.looks += 1
        return range(after + 1, len(self.sets) + 1)

    def validators(self, size: int) -> Any:
        return SimpleNamespace(set_id=self.sets[size - 1])

    def checkpoint(self, size: int) -> Any:
        return SimpleNamespace(root=bytes([size]) * 32)

    def take_attestation(self, _address: bytes, signed: Any) -> None:
        self.taken.append(signed.size)


def attester(log: Log, **more: Any) -> Attester:
    return Attester(log, Guard(), KEY, BRAKE, **more)  # type: ignore[arg-type]


def test_a_key_outside_the_set_waits_for_the_log_to_grow() -> None:
    log, progress = Log([]), Progress()
    progress.raised("heard", 1)
    progress.raised("size", 7)
    thread = threading.Thread(target=attester(log).run, args=(progress,))
    thread.start()
    try:
        time.sleep(0.2)
        assert log.looks == 1
        progress.raised("size", 8)
        time.sleep(0.2)
        assert log.looks == 2
    finally:
        progress.stop()
        thread.join(5.0)


def signed_by(sets: Sequence[int], answering: set[int], monkeypatch: pytest.MonkeyPatch) -> list[int]:
    monkeypatch.setattr(attesting, "attest", lambda *_: b"")
    log = Log(sets)
    attester(log, permits=lambda validators: validators.set_id in answering).sign_all(Progress())
    return log.taken


def test_sizes_of_a_retired_set_that_does_not_answer_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    assert signed_by([1, 1, 2, 2], {2}, monkeypatch) == [3, 4]
    assert signed_by([1, 1, 2, 2], {1, 2}, monkeypatch) == [1, 2, 3, 4]


def test_what_the_old_set_permits_is_signed_while_the_new_one_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    assert signed_by([1, 1, 2], {1}, monkeypatch) == [1, 2]


def test_where_no_set_answers_nothing_is_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotYet):
        signed_by([1, 2], set(), monkeypatch)


def test_an_answer_that_comes_meanwhile_leaves_no_gap_in_a_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attesting, "attest", lambda *_: b"")
    log, answers = Log([1, 1, 1]), iter([False, True])
    mine = attester(log, permits=lambda _: next(answers))
    with pytest.raises(NotYet):
        mine.sign_all(Progress())
    mine.sign_all(Progress())
    assert log.taken == [1, 2, 3]
