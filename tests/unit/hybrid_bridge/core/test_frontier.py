import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_bridge.core.frontier import EMPTY, Frontier
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.tree import Tree
from hybrid_bridge.errors import BridgeError, FieldMalformed, Malformed
from hybrid_bridge.units import Digest, TreeSize


def grown(size):
    frontier, tree = EMPTY, Tree()
    for k in range(size):
        leaf = leaf_hash(k.to_bytes(4, "big"))
        frontier = frontier.append(leaf)
        tree.append(leaf)
    return frontier, tree


@pytest.mark.parametrize("size", [*range(1, 34), 63, 64, 65, 100])
def test_a_frontier_has_the_root_of_its_tree(size):
    frontier, tree = grown(size)
    assert (frontier.size, frontier.root) == (size, tree.root())
    assert Frontier.decode(frontier.encode()) == frontier


def test_before_the_first_leaf_there_is_no_root():
    with pytest.raises(FieldMalformed):
        EMPTY.root  # noqa: B018
    assert Frontier.decode(EMPTY.encode()) == EMPTY


@pytest.mark.parametrize("size", [0, 1, 2, 3])
def test_there_is_one_peak_for_each_bit(size):
    with pytest.raises(FieldMalformed):
        Frontier(TreeSize(size), (Digest(bytes(32)),) * (size.bit_count() + 1))


@settings(max_examples=60)
@given(st.binary(max_size=110))
def test_arbitrary_bytes_are_a_frontier_or_malformed(data):
    try:
        frontier = Frontier.decode(data)
    except BridgeError as error:
        assert isinstance(error, Malformed)  # noqa: PT017
    else:
        assert frontier.encode() == data
