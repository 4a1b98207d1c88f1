import pytest

from hybrid_bridge.core.encoding import ZERO, sha256
from hybrid_bridge.core.guard import Highest, Statement, is_repeat, require_single_power
from hybrid_bridge.core.tree import Tree
from hybrid_bridge.errors import GuardRefused
from hybrid_bridge.units import Digest, TreeSize

TREE = Tree()
TREE.extend(sha256(bytes([i])) for i in range(16))


def highest(size: int) -> Highest:
    return Highest(TreeSize(size), TREE.root(TreeSize(size)))


def statement(size: int, root: Digest | None = None) -> Statement:
    root = TREE.root(TreeSize(size)) if root is None else root
    return Statement(TreeSize(size), root, sha256(root))


def path(old: int, new: int) -> list[Digest]:
    return TREE.consistency_path(TreeSize(old), TreeSize(new))


@pytest.mark.parametrize(("old", "new"), [(1, 2), (2, 3), (3, 16), (7, 8)])
def test_a_statement_that_extends_the_highest_may_be_made(old: int, new: int) -> None:
    assert not is_repeat(statement(new), None, highest(old), path(old, new))


def test_the_same_statement_again_is_a_repeat_whatever_the_path() -> None:
    assert is_repeat(statement(5), statement(5).digest, highest(9), [ZERO])


@pytest.mark.parametrize("size", [5, 9])
def test_another_digest_at_a_size_is_a_double(size: int) -> None:
    with pytest.raises(GuardRefused) as refused:
        is_repeat(statement(size, ZERO), statement(size).digest, highest(9), [])
    assert (refused.value.rule, refused.value.size) == ("double", size)


@pytest.mark.parametrize("size", [1, 8, 9])
def test_nothing_at_or_below_the_highest_is_signed(size: int) -> None:
    with pytest.raises(GuardRefused) as refused:
        is_repeat(statement(size), None, highest(9), [])
    assert refused.value.rule == "below_floor"


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        (statement(12), path(9, 12)[:-1]),
        (statement(12), [*path(9, 12), ZERO]),
        (statement(12), path(8, 12)),
        (statement(12), []),
        (statement(12, ZERO), path(9, 12)),
        (statement(12), [ZERO] * len(path(9, 12))),
    ],
    ids=["short", "long", "for-other-sizes", "missing", "other-root", "contradicting"],
)
def test_what_does_not_extend_the_highest_is_refused(asked: Statement, given: list[Digest]) -> None:
    with pytest.raises(GuardRefused) as refused:
        is_repeat(asked, None, highest(9), given)
    assert refused.value.rule == "not_an_extension"


def test_a_set_update_may_be_signed_again_but_not_another_of_its_number() -> None:
    require_single_power(2, ZERO, None)
    require_single_power(2, ZERO, ZERO)
    with pytest.raises(GuardRefused) as refused:
        require_single_power(2, ZERO, sha256(b""))
    assert refused.value.rule == "double_power"
