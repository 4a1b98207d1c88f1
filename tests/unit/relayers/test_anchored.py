"""When a log with several public chains counts as anchored."""

from hypothesis import given
from hypothesis import strategies as st

from relayers.anchored import Verdict


def test_any_chain_all_chains_and_some() -> None:
    finals = {"main": 8, "side": 12, "third": 4}
    assert [Verdict(when, finals).size for when in (1, 2, 3)] == [12, 8, 4]
    assert Verdict(2, finals).chains_with(8) == ("main", "side")
    assert Verdict(2, finals).words == "size 8 is final on 2 of 3 chains (main 8, side 12, third 4)"


@given(st.lists(st.integers(1, 40), min_size=1, max_size=5), st.integers(1, 5), st.integers(1, 40))
def test_a_size_is_anchored_exactly_if_so_many_chains_have_it(finals: list[int], when: int, size: int) -> None:
    verdict = Verdict(min(when, len(finals)), {str(n): final for n, final in enumerate(finals)})
    assert verdict.holds(size) == (len(verdict.chains_with(size)) >= verdict.when)
