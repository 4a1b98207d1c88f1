"""A lease in a database is kept by a loop of its own, which ends when the store is lost, and not before."""

import pytest

from hybrid_bridge.errors import BridgeError, LeaseLost, StoreAway
from hybrid_bridge.node.progress import Progress
from hybrid_bridge.node.stores import run_holding

AWAY = StoreAway(store="ledger", why="no connection")
TAKEN = LeaseLost(held=1, current=2)


class Store:
    """Answers each renewal as it is told to; None: renewed."""

    def __init__(self, progress: Progress, *answers: BridgeError | None) -> None:
        self.progress, self.answers, self.lost = progress, list(answers), None

    def renew(self) -> None:
        if not self.answers:
            self.progress.stop()
        elif (error := self.answers.pop(0)) is not None:
            raise error


@pytest.fixture
def progress(monkeypatch) -> Progress:
    monkeypatch.setattr("hybrid_bridge.node.stores.RENEW_EVERY", 0.0)
    return Progress()


def test_a_server_that_is_away_is_asked_again(progress: Progress) -> None:
    store = Store(progress, None, AWAY, AWAY, None)
    run_holding(store, progress)  # type: ignore[arg-type]
    assert store.answers == []
    assert progress.stopping


def test_a_lease_that_another_process_has_ends_the_loop(progress: Progress) -> None:
    store = Store(progress, None, TAKEN)
    with pytest.raises(LeaseLost):
        run_holding(store, progress)  # type: ignore[arg-type]


def test_a_store_that_was_lost_amid_a_commit_ends_the_loop(progress: Progress) -> None:
    store = Store(progress, AWAY)
    store.lost = AWAY
    with pytest.raises(StoreAway):
        run_holding(store, progress)  # type: ignore[arg-type]


def test_a_loss_wakes_the_loop(progress: Progress, monkeypatch) -> None:
    monkeypatch.setattr("hybrid_bridge.node.stores.RENEW_EVERY", 600.0)
    store = Store(progress, None, TAKEN)
    renew = store.renew

    def renewed() -> None:
        renew()
        store.lost = TAKEN
        store.when_lost()

    store.renew = renewed
    with pytest.raises(LeaseLost):
        run_holding(store, progress)  # type: ignore[arg-type]
