from itertools import product

import pytest

from hybrid_bridge.core.independence import Independence, groups, independence, legal_mark
from hybrid_bridge.core.validators import quorum


def owned(*counts, unknown=0):
    """So many keys for each entity."""
    return [(f"LEI{entity}",) for entity, count in enumerate(counts) for _ in range(count)] + [()] * unknown


def test_four_companies_with_a_key_each_take_three_to_sign_and_two_to_block():
    assert independence(owned(1, 1, 1, 1)) == Independence(n=4, q=3, entities=4, unknown=0, to_sign=3, to_block=2)


def test_seven_keys_of_one_company_are_one():
    found = independence(owned(7))
    assert (found.entities, found.to_sign, found.to_block) == (1, 1, 1)


def test_one_company_with_most_keys_needs_few_others():
    found = independence(owned(4, 1, 1, 1))
    assert (found.n, found.q, found.entities, found.to_sign, found.to_block) == (7, 5, 4, 2, 1)


def test_a_name_that_nobody_opened_is_never_independent():
    assert independence(owned(1, 1, 1, 1, unknown=3)).to_sign == 2, "the three may be the first one's"
    nothing = independence(owned(unknown=4))
    assert (nothing.entities, nothing.unknown, nothing.to_sign, nothing.to_block) == (0, 4, 1, 1)
    opened = [independence(owned(*[1] * k, unknown=7 - k)).to_sign for k in range(8)]
    assert opened == sorted(opened), "another opened name makes it no less"


@pytest.mark.parametrize("counts", [c for n in (1, 2, 3, 4) for c in product((1, 2, 3), repeat=n)])
def test_the_numbers_are_the_least_that_suffice(counts):
    """Against every choice of entities."""
    found, n = independence(owned(*counts)), sum(counts)
    chosen = [
        (len(s), sum(s))
        for s in (
            [c for c, take in zip(counts, mask, strict=True) if take] for mask in product((0, 1), repeat=len(counts))
        )
    ]
    assert found.to_sign == min(size for size, keys in chosen if keys >= quorum(n))
    assert found.to_block == min(size for size, keys in chosen if n - keys < quorum(n))


def test_who_shares_an_id_a_certificate_or_a_key_is_one_and_so_is_who_shares_with_both():
    owners = [("A", "c1"), ("B", "c2"), ("C", "c1"), (), ("D", "c2", "A")]
    assert groups(owners) == [[0, 1, 2, 4]]
    assert groups([("A",), ("B",), ("A",)]) == [[0, 2], [1]]


@pytest.mark.parametrize(
    "other",
    [
        "lei:5493001kjtiigc8y1r12",
        "LEI: 5493001K JTIIGC8Y 1R12",
        "LEI:\uff15\uff14\uff19\uff13\uff10\uff10\uff11KJTIIGC8Y1R12",
        "LEI-5493001KJTIIGC8Y1R12",
    ],
)
def test_another_spelling_is_no_second_entity(other):
    assert legal_mark(other) == legal_mark("LEI:5493001KJTIIGC8Y1R12")


def test_another_id_is_another_entity():
    assert legal_mark("LEI:5493001KJTIIGC8Y1R12") != legal_mark("LEI:5493001KJTIIGC8Y1R13")


def test_an_id_in_letters_that_only_look_latin_is_nobodys():
    assert legal_mark("LEI:5493001\u041aJTIIGC8Y1R12") == ""
