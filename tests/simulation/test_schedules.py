"""Seeded schedules: some of the many that `python -m bench schedules` plays, and those that once failed."""

import pytest

from tests.simulation.schedule import Result, play

SEEDS = 1_000
PART = 250
ONCE_BROKEN = {
    1166: "a liar without a receipt and an endpoint that lags made our own transaction a foreign one",
    200004: "what forgets final states shows another's set update by its first anchor: the bound was the world's fault",
    201135: "pauses that endpoints forgot are unexplained reverts, and a person looks: the bound was the world's fault",
    22187: "a top-up that a reorganisation took back was the world's fault",
    1313: "a liar that hides events and an endpoint that lags made an anchor go missing",
}


@pytest.mark.parametrize("first", range(0, SEEDS, PART))
def test_no_schedule_breaks_a_promise(first: int) -> None:
    """Cases 6, 12, 13, 14, 18, 20, 24, 27, 28, 30, 32 by chance, and all of S1 to S4, S6 to S9, L1 to L3."""
    played = [play(seed) for seed in range(first, first + PART)]
    assert [result for result in played if result.violation] == []
    for kind in ("crashes", "fenced", "reorgs", "lies", "anchors", "rotations", "pauses"):
        assert sum(getattr(result, kind) for result in played) > PART // 12, f"too few {kind} to mean anything"


@pytest.mark.parametrize("seed", ONCE_BROKEN, ids=str)
def test_a_seed_that_once_broke_a_promise_keeps_them(seed: int) -> None:
    assert play(seed).violation == "", ONCE_BROKEN[seed]


def test_a_seed_is_one_schedule() -> None:
    first, again = play(77), play(77)
    assert isinstance(first, Result)
    assert first == again
