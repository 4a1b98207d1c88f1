import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_bridge.core.encoding import ZERO, sha256
from hybrid_bridge.core.guard import (
    Heard,
    Highest,
    History,
    PowerStatement,
    Statement,
    additions,
    is_repeat,
    judge_heard,
    power_kind,
)
from hybrid_bridge.core.tree import Tree
from hybrid_bridge.errors import Equivocation, GuardRefused
from hybrid_bridge.units import Address, ChainId, Digest, TreeSize

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
    assert power_kind(2, "set", ZERO, {}, ()) == "set"
    assert power_kind(2, "set", ZERO, {"set": ZERO}, ()) == "set"
    with pytest.raises(GuardRefused) as refused:
        power_kind(2, "set", ZERO, {"set": sha256(b"")}, ())
    assert refused.value.rule == "double_power"


@pytest.mark.parametrize("void", [(), (sha256(b"x"),)])
def test_what_stands_instead_of_a_replaced_set_is_kept_beside_it(void: tuple[Digest, ...]) -> None:
    said = {"set": sha256(b"1"), "set-2": sha256(b"2")}
    assert power_kind(2, "set", ZERO, said, (*void, said["set-2"])) == "set-3"
    assert power_kind(2, "set", said["set-2"], said, (*void, said["set"])) == "set-2"
    for asked, gone in ((ZERO, said["set"]), (said["set"], said["set"])):
        with pytest.raises(GuardRefused):
            power_kind(2, "set", asked, said, (*void, gone))
    with pytest.raises(GuardRefused):
        power_kind(2, "pause", ZERO, {"pause": said["set"]}, (said["set"],))


# ── what others show, and other stores of the same key ───────────────────────────────────────────────────────────────

SIGNER = Address(b"\x0a" * 20)
OTHER = sha256(b"other")


def power(number: int, digest: Digest = ZERO, kind: str = "set") -> PowerStatement:
    return PowerStatement(ChainId(1), Address(bytes(20)), kind, number, digest)


def history(floor: int, *sizes: int, power: tuple[PowerStatement, ...] = ()) -> History:
    return History(highest(floor), tuple(map(statement, sizes)), power)


@pytest.mark.parametrize(
    ("said", "floor", "heard"),
    [
        (ZERO, 1, Heard.KNOWN),
        (ZERO, 9, Heard.KNOWN),
        (OTHER, 1, Heard.EQUIVOCATION),
        (OTHER, 9, Heard.EQUIVOCATION),
        (None, 5, Heard.KNOWN),
        (None, 4, Heard.UNKNOWN),
        (None, 0, Heard.UNKNOWN),
    ],
)
def test_a_signature_of_ours_is_judged_by_what_we_have_said(said: Digest | None, floor: int, heard: Heard) -> None:
    assert judge_heard(TreeSize(5), ZERO, said, TreeSize(floor)) is heard


def test_the_highest_is_a_floor_or_a_row_whichever_is_larger() -> None:
    assert history(4).highest == highest(4)
    assert history(4, 5, 9).highest == highest(9)
    assert history(9, 4, 5).highest == highest(9)


def test_an_export_leaves_out_what_its_floor_refuses_anyway() -> None:
    whole = history(5, 2, 5, 9, power=(power(3), power(2)))
    assert whole.complete() == history(5, 5, 9, power=(power(2), power(3)))
    assert whole.minimal() == history(9, power=(power(2), power(3)))


def test_two_stores_of_a_key_know_together_what_each_knew() -> None:
    ours, theirs = history(2, 3, 9, power=(power(1),)), history(4, 9, 12, power=(power(1), power(2)))
    assert additions(SIGNER, ours, theirs) == history(4, 12, power=(power(2),))
    assert additions(SIGNER, theirs, ours) == history(4, 3)
    assert additions(SIGNER, ours, ours) == history(2)


@pytest.mark.parametrize(
    ("ours", "theirs", "number", "first", "second"),
    [
        (
            history(1, 5),
            History(highest(1), (Statement(TreeSize(5), statement(5).root, OTHER),)),
            5,
            statement(5).digest,
            OTHER,
        ),
        (history(1, 5), History(highest(1), (statement(5, OTHER),)), 5, statement(5).root, OTHER),
        (history(1, 5), History(Highest(TreeSize(5), OTHER)), 5, statement(5).root, OTHER),
        (history(5), History(Highest(TreeSize(5), OTHER)), 5, statement(5).root, OTHER),
        (history(5), History(highest(1), (statement(5, OTHER),)), 5, statement(5).root, OTHER),
        (history(1), History(highest(5), (statement(5, OTHER),)), 5, statement(5).root, OTHER),
        (history(1, power=(power(7),)), history(1, power=(power(7, OTHER),)), 7, ZERO, OTHER),
    ],
    ids=["digest", "root", "floor-row", "floor-floor", "row-floor", "theirs-alone", "power"],
)
def test_a_key_that_said_two_things_is_refuted_with_both(
    ours: History, theirs: History, number: int, first: Digest, second: Digest
) -> None:
    with pytest.raises(Equivocation) as refuted:
        additions(SIGNER, ours, theirs)
    error = refuted.value
    assert (error.signer, error.number, error.first, error.second) == (f"0x{SIGNER.hex()}", number, first, second)


# One true history: what two stores of one key know are parts of it.
PARTS = st.builds(
    lambda floor, sizes, numbers: history(floor, *sorted(sizes), power=tuple(map(power, sorted(numbers)))),
    st.integers(1, 16),
    st.sets(st.integers(1, 16)),
    st.sets(st.integers(0, 4)),
)


def merged(ours: History, theirs: History) -> History:
    added = additions(SIGNER, ours, theirs)
    rows = tuple(sorted((*ours.signed, *added.signed), key=lambda row: row.size))
    return History(added.floor, rows, tuple(sorted((*ours.power, *added.power), key=lambda one: one.number)))


@given(PARTS, PARTS, PARTS)
def test_merging_has_no_order_forgets_nothing_and_lowers_nothing(one: History, two: History, three: History) -> None:
    both = merged(one, two)
    assert both == merged(two, one) == merged(both, one) == merged(both, two)
    assert merged(both, three) == merged(one, merged(two, three))
    assert {*one.signed, *two.signed} == {*both.signed}
    assert {*one.power, *two.power} == {*both.power}
    assert both.floor.size == max(one.floor.size, two.floor.size)
    assert both.highest.size == max(one.highest.size, two.highest.size)
