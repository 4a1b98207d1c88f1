"""How many legal entities it takes: one that holds seven keys is one, and a name that nobody opened is nobody's.

The two numbers are counts of entities, the least that suffice: to sign (their keys together reach the quorum) and to
block (without their keys no quorum is left). Keys whose entity is not known are counted as the largest entity's, for
they may be: so no number is larger than the truth. Source: design D12; docs/guides/members.md.
"""

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import accumulate

from hybrid_bridge.core.validators import quorum


@dataclass(frozen=True, slots=True, kw_only=True)
class Independence:
    """Of one validator set."""

    n: int  # keys
    q: int  # of them a quorum
    entities: int  # distinct legal entities that are known
    unknown: int  # keys whose entity is not
    to_sign: int
    to_block: int


def independence(owners: Sequence[Collection[str]]) -> Independence:
    """Of the keys of a set, each with the marks of its owner: legal id, certificate, identity key; none if unknown.

    Who shares one mark with another is the same entity.
    """
    n, q = len(owners), quorum(len(owners))
    sizes = sorted(map(len, groups(owners)), reverse=True)
    unknown = n - sum(sizes)
    weights = [sizes[0] + unknown, *sizes[1:]] if sizes else [unknown]
    reached = list(accumulate(weights))
    return Independence(
        n=n,
        q=q,
        entities=len(sizes),
        unknown=unknown,
        to_sign=1 + sum(total < q for total in reached),
        to_block=1 + sum(total < n - q + 1 for total in reached),
    )


def groups(owners: Sequence[Collection[str]]) -> list[list[int]]:
    """Which keys have one owner, by their places; keys without any mark are in no group."""
    found: list[tuple[set[str], list[int]]] = []
    for place, marks in enumerate(owners):
        if not marks:
            continue
        same = [group for group in found if group[0] & set(marks)]
        found = [group for group in found if not group[0] & set(marks)]
        found.append((set(marks).union(*(one[0] for one in same)), sorted([place, *(p for g in same for p in g[1])])))
    return sorted(places for _, places in found)


def legal_mark(legal_id: str) -> str:
    """A legal id in one spelling: whoever writes it in small letters, with spaces or wide digits is no second entity.

    "" for one with letters of another alphabet, which look like Latin ones: nobody can say whose it is.
    """
    wide = unicodedata.normalize("NFKC", legal_id).upper()
    mark = "".join(letter for letter in wide if letter.isalnum())
    return mark if mark.isascii() else ""
