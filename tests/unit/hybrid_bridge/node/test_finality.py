import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_bridge.core.validators import quorum
from hybrid_bridge.node.finality import Sitting, final_height, final_in
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


def test_each_set_makes_the_blocks_of_its_own_term_final() -> None:
    """Set 1 is a, b, c up to block 9; set 2 is b, c, d from block 10 on. All of three are a quorum."""
    a, b, c, d = (KeyId(bytes([number]) * 32) for number in range(4))
    first, second = Sitting((a, b, c), 3, Height(1), Height(9)), Sitting((b, c, d), 3, Height(10), None)

    def final(known: int = 0, **reached: int) -> int:
        heights = {
            key: Height(reached[name]) for name, key in zip("abcd", (a, b, c, d), strict=True) if name in reached
        }
        return final_in([first, second], heights, Height(known))

    assert final(a=5, b=7, c=6) == 5
    assert final(a=12, b=12, c=12) == 9  # who has gone makes nothing of the next term final
    assert final(a=9, b=9, c=9, d=9) == 9
    assert final(b=9, c=12, d=12) == 0
    assert final(b=11, c=12, d=13) == 11
    assert final(known=10, a=9, b=10, c=10) == 10


def test_a_validator_whose_key_nobody_named_counts_as_silent() -> None:
    a, b = KeyId(b"a" * 32), KeyId(b"b" * 32)
    unnamed = Sitting((a, b), 3, Height(1), None)
    assert final_in([unnamed], {a: Height(5), b: Height(5)}, Height(0)) == 0
