"""Rungs: the least allowed size that holds what there is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_bridge.core.ladder import highest, lowest, rung
from hybrid_bridge.errors import TooLong

LADDERS = st.integers(1, 2**12 - 1)


@given(LADDERS, st.integers(0, 5000))
def test_a_rung_is_the_least_size_that_holds_the_count(ladder: int, count: int) -> None:
    sizes = [1 << k for k in range(12) if ladder >> k & 1 and 1 << k >= count]
    if sizes:
        assert rung(ladder, count) == sizes[0]
    else:
        with pytest.raises(TooLong) as caught:
            rung(ladder, count)
        assert (caught.value.limit, caught.value.got) == (highest(ladder), count)


@given(LADDERS)
def test_the_ends_of_a_ladder(ladder: int) -> None:
    sizes = [1 << k for k in range(12) if ladder >> k & 1]
    assert (lowest(ladder), highest(ladder)) == (sizes[0], sizes[-1])
    assert rung(ladder, 0) == sizes[0]
