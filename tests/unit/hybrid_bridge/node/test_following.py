"""Whom blocks are pulled from and transactions handed to: the peers as they are now."""

from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from hybrid_bridge.errors import Unreachable
from hybrid_bridge.node import following
from hybrid_bridge.node.following import Follower
from hybrid_bridge.node.progress import Progress
from hybrid_bridge.node.submitting import ToOthers
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb

CHAIN = SimpleNamespace(next_height=1)


class Peer:
    """One that is gone, or there and quiet."""

    def __init__(self, name: str, *, gone: bool = False) -> None:
        self.name, self.gone, self.asked = name, gone, 0

    def answer(self) -> None:
        self.asked += 1
        if self.gone:
            raise Unreachable(endpoint=self.name, call="any")

    def blocks(self, _first: int, _seconds: float, *, follow: bool) -> Iterator[Any]:
        self.answer()
        return iter(())

    def submit(self, _signed: Sequence[bytes]) -> pb.SubmitResponse:
        self.answer()
        return pb.SubmitResponse(results=[pb.SubmitResult(height=1)])


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "PAUSE", 0.01)


def follow(turns: Sequence[Sequence[Peer]]) -> None:
    """One list of sources a turn; stopped with the last."""
    progress, left = Progress(), list(turns)

    def sources() -> Sequence[Any]:
        if len(left) == 1:
            progress.stop()
        return left.pop(0)

    Follower(CHAIN, sources, None, progress).run()  # type: ignore[arg-type]


def test_a_source_that_moved_is_asked_where_it_is_now() -> None:
    old, new = Peer("core", gone=True), Peer("core")
    follow([[old], [new], [new]])
    assert (old.asked, new.asked) == (1, 2)


def test_without_a_source_the_next_that_comes_is_asked() -> None:
    new = Peer("core")
    follow([[], [], [new]])
    assert new.asked == 1


def test_what_is_forwarded_goes_to_the_peers_of_the_moment() -> None:
    old, new = Peer("core", gone=True), Peer("core")
    peers = [old]
    others = ToOthers(lambda: peers)
    with pytest.raises(Unreachable):
        others.submit([b""])
    peers[:] = [new]
    assert [result.height for result in others.submit([b""])] == [1]


def test_where_nobody_is_left_nothing_is_forwarded() -> None:
    with pytest.raises(Unreachable):
        ToOthers(list).submit([b""])
