"""The field tree: full, sorted in each half, opened in part by paths and as a whole by its audience."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_bridge.core.disclosure import CHAIN, ORIGIN, SCHEMA, Disclosure, FieldValue, decoy_digest
from hybrid_bridge.core.encoding import ZERO, sha256
from hybrid_bridge.core.entry import RecordEntry
from hybrid_bridge.core.field_tree import (
    FieldTree,
    build_fields,
    check_full_opening,
    least_width,
    rebuild_root,
    require_ascending,
    require_claims,
)
from hybrid_bridge.core.proof import leaf_hash, node_hash, verify_inclusion
from hybrid_bridge.core.tree import batch_root
from hybrid_bridge.errors import (
    DigestLength,
    EntryMalformed,
    FieldMalformed,
    FieldMismatch,
    RootMismatch,
    TooLong,
    Unknown,
)


def make(name: str, value: FieldValue = "x") -> Disclosure:
    return Disclosure(sha256(name.encode()), name, value)


def seeds(count: int) -> list[bytes]:
    return [sha256(b"seed" + i.to_bytes(2, "big")) for i in range(count)]


REQUIRED = [make(SCHEMA), make(ORIGIN)]
CLAIMS = [*REQUIRED, make("gross")]
PRIVATE = [make("seller"), make("account")]


def built(claims: int, private: int, width: int | None = None) -> FieldTree:
    """A tree with so many claims (two required ones among them) and private fields."""
    half = (width or least_width(claims, private)) // 2
    return build_fields(
        [*REQUIRED, *(make(f"c{i}") for i in range(claims - 2))],
        [make(f"p{i}") for i in range(private)],
        seeds(half - private),
        width,
    )


@pytest.mark.parametrize(
    ("claims", "private", "width"),
    [
        (0, 0, 8),
        (4, 4, 8),
        (5, 0, 16),
        (0, 5, 16),
        (8, 8, 16),
        (9, 1, 32),
        (256, 1, 512),
        (257, 1, 1024),
        (1, 512, 1024),
    ],
)
def test_the_least_width_has_room_in_both_halves(claims: int, private: int, width: int) -> None:
    assert least_width(claims, private) == width


def test_more_than_512_fields_on_one_side_fit_no_width() -> None:
    for claims, private in ((513, 0), (0, 513)):
        with pytest.raises(TooLong):
            least_width(claims, private)


@given(st.integers(2, 20), st.integers(0, 20), st.sampled_from([None, 64]))
@settings(max_examples=25)
def test_every_leaf_proves_its_place_under_one_root(claims: int, private: int, width: int | None) -> None:
    tree = built(claims, private, width)
    half = tree.width // 2
    assert tree.field_root == batch_root([leaf_hash(leaf) for leaf in tree.leaves])
    assert tree.left_root == batch_root([leaf_hash(leaf) for leaf in tree.leaves[:half]])
    assert tree.private_root == batch_root([leaf_hash(leaf) for leaf in tree.leaves[half:]])
    for index, leaf in enumerate(tree.leaves):
        verify_inclusion(leaf_hash(leaf), index, tree.width, tree.path(index), tree.field_root)
    for claim in tree.claims:
        assert tree.index_of(claim.digest) < half
    for disclosure in tree.private:
        assert tree.index_of(disclosure.digest) >= half
    assert rebuild_root([claim.text() for claim in tree.claims], tree.private_root, tree.width) == tree.field_root


def test_claims_ascend_before_padding_and_the_right_half_is_full() -> None:
    tree = build_fields(CLAIMS, PRIVATE, seeds(2))
    left, right = tree.leaves[:4], tree.leaves[4:]
    assert left == (*sorted(claim.digest for claim in CLAIMS), ZERO)
    assert list(right) == sorted([*(field.digest for field in PRIVATE), *map(decoy_digest, seeds(2))])


def test_the_order_in_which_fields_are_given_leaves_no_trace() -> None:
    assert build_fields(CLAIMS, PRIVATE, seeds(2)) == build_fields(CLAIMS[::-1], PRIVATE[::-1], seeds(2))


def test_a_leaf_that_is_not_there_has_neither_index_nor_path() -> None:
    tree = build_fields(CLAIMS, PRIVATE, seeds(2))
    with pytest.raises(Unknown):
        tree.index_of(bytes(31) + b"\x01")
    for index in (-1, 8):
        with pytest.raises(Unknown):
            tree.path(index)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_decoys_must_fill_the_right_half_exactly(count: int) -> None:
    with pytest.raises(FieldMalformed, match="right half"):
        build_fields(CLAIMS, PRIVATE, seeds(count))


def test_a_decoy_twice_is_refused() -> None:
    with pytest.raises(FieldMalformed, match="ascending"):
        build_fields(CLAIMS, PRIVATE, [bytes(32), bytes(32)])


def test_a_width_too_small_or_no_power_of_two_is_refused() -> None:
    with pytest.raises(TooLong):
        build_fields([*REQUIRED, *(make(f"c{i}") for i in range(3))], [], seeds(4), 8)
    with pytest.raises(FieldMalformed):
        build_fields(CLAIMS, [make(f"p{i}") for i in range(5)], [], 8)
    with pytest.raises(EntryMalformed):
        build_fields(CLAIMS, PRIVATE, seeds(4), 12)


def test_a_name_stands_once_in_a_record_whatever_its_half() -> None:
    with pytest.raises(FieldMalformed, match="once"):
        build_fields(CLAIMS, [make("gross", "other")], seeds(3))
    with pytest.raises(FieldMalformed, match="once"):
        require_claims([*CLAIMS, make("gross", "other")])


@pytest.mark.parametrize("missing", [0, 1])
def test_schema_and_origin_are_claims_of_every_record(missing: int) -> None:
    with pytest.raises(FieldMalformed, match="every record"):
        require_claims([REQUIRED[missing], make("gross")])


def test_schema_and_origin_are_strings() -> None:
    with pytest.raises(FieldMalformed, match="every record"):
        require_claims([make(SCHEMA, 1), make(ORIGIN)])


def test_reserved_names_stand_in_their_half() -> None:
    for name in (SCHEMA, ORIGIN):
        with pytest.raises(FieldMalformed):
            build_fields([claim for claim in CLAIMS if claim.name != name], [make(name)], seeds(3))
        with pytest.raises(FieldMalformed):
            build_fields(CLAIMS, [make(name)], seeds(3))
    with pytest.raises(FieldMismatch):
        require_claims([*CLAIMS, make(CHAIN)])
    assert build_fields(CLAIMS, [make(CHAIN)], seeds(3)).width == 8


def test_rebuilding_refuses_another_order_and_another_root() -> None:
    tree = build_fields(CLAIMS, PRIVATE, seeds(2))
    texts = [claim.text() for claim in tree.claims]
    with pytest.raises(FieldMalformed, match="ascending"):
        rebuild_root(texts[::-1], tree.private_root, 8)
    with pytest.raises(FieldMalformed, match="ascending"):
        rebuild_root([texts[0], texts[0]], tree.private_root, 8)
    with pytest.raises(DigestLength):
        rebuild_root(texts, tree.private_root[:31], 8)
    with pytest.raises(EntryMalformed):
        rebuild_root(texts, tree.private_root, 9)
    assert rebuild_root(texts, tree.private_root, 16) != tree.field_root
    assert rebuild_root(texts[1:], tree.private_root, 8) != tree.field_root


def test_ascending_means_strictly() -> None:
    require_ascending([], "x")
    require_ascending([b"a", b"b"], "x")
    for items in ([b"a", b"a"], [b"b", b"a"]):
        with pytest.raises(FieldMalformed):
            require_ascending(items, "x")


# ── the full audience ────────────────────────────────────────────────────────────────────────────────────────────────


def entry_with(left: list[bytes], right: list[bytes]) -> RecordEntry:
    """A record made by somebody who sorts and pads as he likes."""
    roots = [batch_root([leaf_hash(leaf) for leaf in half]) for half in (left, right)]
    return RecordEntry(0x0101, 8, node_hash(*roots))


HONEST = build_fields(CLAIMS, PRIVATE, seeds(2))
LEFT, RIGHT = list(HONEST.leaves[:4]), list(HONEST.leaves[4:])


def test_the_full_audience_opens_an_honest_record() -> None:
    assert check_full_opening(entry_with(LEFT, RIGHT), CLAIMS, PRIVATE, seeds(2)) == HONEST


def test_second_private_field_as_decoy() -> None:
    """A second `seller` stands where a decoy should: no seed gives its digest, so the opening stays incomplete."""
    second = Disclosure(bytes(32), "seller", "another")
    right = sorted([*(field.digest for field in PRIVATE), second.digest, decoy_digest(seeds(1)[0])])
    entry = entry_with(LEFT, right)
    with pytest.raises(FieldMalformed, match="right half"):
        check_full_opening(entry, CLAIMS, PRIVATE, seeds(1))
    with pytest.raises(RootMismatch):
        check_full_opening(entry, CLAIMS, PRIVATE, seeds(2))
    with pytest.raises(FieldMalformed, match="once"):
        check_full_opening(entry, CLAIMS, [*PRIVATE, second], seeds(1))


def test_list_not_ascending() -> None:
    with pytest.raises(RootMismatch):
        check_full_opening(entry_with(LEFT, RIGHT[::-1]), CLAIMS, PRIVATE, seeds(2))
    with pytest.raises(RootMismatch):
        check_full_opening(entry_with([*LEFT[2::-1], ZERO], RIGHT), CLAIMS, PRIVATE, seeds(2))


def test_left_padding_before_claim() -> None:
    with pytest.raises(RootMismatch):
        check_full_opening(entry_with([ZERO, *LEFT[:3]], RIGHT), CLAIMS, PRIVATE, seeds(2))


def test_a_claim_hidden_among_the_private_leaves_is_found() -> None:
    hidden = Disclosure(bytes(32), "face", "1")
    entry = entry_with(LEFT, sorted([*RIGHT[:3], hidden.digest]))
    with pytest.raises(RootMismatch):
        check_full_opening(entry, CLAIMS, PRIVATE, seeds(2))
