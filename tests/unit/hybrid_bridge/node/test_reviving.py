"""When a standing engine is let go: by the height alone."""

import threading
from collections.abc import Callable

from hybrid_bridge.node.progress import Progress
from hybrid_bridge.node.reviving import Reviver

LONG, SHORT = 600.0, 0.01


def running(progress: Progress, hang_up: Callable[[], None], patience: float) -> threading.Thread:
    thread = threading.Thread(target=Reviver(progress, hang_up, patience).run, daemon=True)
    thread.start()
    return thread


def test_an_engine_whose_chain_stands_is_let_go_again_and_again_until_the_node_stops() -> None:
    progress, times = Progress(), threading.Semaphore(0)
    thread = running(progress, times.release, SHORT)
    assert times.acquire(timeout=60)
    assert times.acquire(timeout=60)
    progress.stop()
    thread.join(60)
    assert not thread.is_alive()


def test_an_engine_whose_chain_goes_on_is_left_alone() -> None:
    progress, let_go = Progress(), threading.Event()
    thread = running(progress, let_go.set, LONG)
    for height in range(1, 50):
        progress.raised("tip", height)
    progress.stop()
    thread.join(60)
    assert not thread.is_alive()
    assert not let_go.is_set()
