import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_bridge.core.validators import quorum
from hybrid_bridge.node.finality import final_height
from hybrid_bridge.units import Height, KeyId

KEYS = [KeyId(bytes([i]) * 32) for i in range(64)]


@pytest.mark.parametrize(
    ("heights", "final"),
    [([5], 5), ([5, 5, 5, 0], 5), ([9, 5, 4, 0], 4), ([9, 5, 0, 0], 0), ([7, 7, 7, 7], 7), ([], None)],
)
def test_a_block_is_final_when_a_quorum_reached_it(heights: list[int], final: int | None) -> None:
    reached = {key: Height(height) for key, height in zip(KEYS, heights, strict=False)}
    if final is not None:
        assert final_height(KEYS[: len(heights)], reached) == final


def test_words_of_others_do_not_count() -> None:
    assert final_height(KEYS[:4], dict.fromkeys(KEYS[4:], Height(9))) == 0


@given(st.lists(st.integers(0, 50), min_size=1, max_size=64))
def test_the_final_height_is_the_highest_that_a_quorum_reached(heights: list[int]) -> None:
    reached = {key: Height(height) for key, height in zip(KEYS, heights, strict=False)}
    final = final_height(KEYS[: len(heights)], reached)
    assert sum(height >= final for height in heights) >= quorum(len(heights))
    assert sum(height > final for height in heights) < quorum(len(heights))
