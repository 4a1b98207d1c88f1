"""The field tree of a record: claims, private fields and decoys, each in its place, under one root.

The sort hides the private order, the decoys hide the private count. The tree is always full (8 … 1,024 leaves), so
folding pairs is all of RFC 6962 that it needs, and a verifier may import this. Source: SPEC §3.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from hybrid_bridge.core.disclosure import (
    ORIGIN,
    SCHEMA,
    Disclosure,
    decoy_digest,
    disclosure_digest,
    require_half,
    require_once,
)
from hybrid_bridge.core.encoding import ZERO
from hybrid_bridge.core.entry import MAX_WIDTH, MIN_WIDTH, RecordEntry, require_width
from hybrid_bridge.core.proof import leaf_hash, node_hash
from hybrid_bridge.errors import FieldMalformed, RootMismatch, TooLong, Unknown
from hybrid_bridge.units import Digest, LeafIndex

MAX_HALF: Final = MAX_WIDTH // 2


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldTree:
    """A record as its submitter and its full audience hold it. `build_fields` makes it."""

    claims: tuple[Disclosure, ...]  # in the order of the left half
    private: tuple[Disclosure, ...]  # in the order of the right half, decoys left out
    decoy_seeds: tuple[bytes, ...] = field(repr=False)
    leaves: tuple[Digest, ...] = field(repr=False)  # leaf data: f, decoy digest or zero padding
    _levels: tuple[tuple[Digest, ...], ...] = field(repr=False)  # leaf hashes first, the root last

    @property
    def width(self) -> int:
        """Leaves: 2^k."""
        return len(self.leaves)

    @property
    def field_root(self) -> Digest:
        """The root that stands in the entry."""
        return self._levels[-1][0]

    @property
    def left_root(self) -> Digest:
        """MTH of the left half, which anybody with the claims can build."""
        return self._levels[-2][0]

    @property
    def private_root(self) -> Digest:
        """MTH of the right half, which stands in the transaction."""
        return self._levels[-2][1]

    def index_of(self, digest: Digest) -> LeafIndex:
        """Where the leaf data `digest` stands.

        Raises:
            Unknown: nowhere in this record.
        """
        if digest not in self.leaves:
            raise Unknown(what="leaf of the field tree")
        return LeafIndex(self.leaves.index(digest))

    def path(self, index: LeafIndex) -> list[Digest]:
        """Siblings from the leaf at `index` up, 0 <= index < width.

        Raises:
            Unknown: no such leaf.
        """
        if not 0 <= index < self.width:
            raise Unknown(what="leaf of the field tree")
        return [level[(index >> k) ^ 1] for k, level in enumerate(self._levels[:-1])]


def least_width(claims: int, private: int) -> int:
    """The smallest width with room for so many claims and so many private fields.

    Raises:
        TooLong: one half would exceed 512 leaves.
    """
    half = max(claims, private)
    if half > MAX_HALF:
        raise TooLong(field="fields", limit=MAX_HALF, got=half)
    return max(MIN_WIDTH, 2 << max(half - 1, 0).bit_length())


def build_fields(
    claims: Iterable[Disclosure], private: Iterable[Disclosure], decoy_seeds: Sequence[bytes], width: int | None = None
) -> FieldTree:
    """The field tree of a record.

    Args:
        claims: in any order, `_schema` and `_origin` among them.
        private: in any order.
        decoy_seeds: 32 random bytes each, exactly as many as fill the right half: width / 2 − private fields.
        width: leaves; None takes the least.

    Raises:
        Malformed: names, counts or width break SPEC §3.
        FieldMismatch: a reserved name in the half that is not its own.
    """
    claims = sorted(claims, key=lambda claim: claim.digest)
    private = sorted(private, key=lambda disclosure: disclosure.digest)
    width = least_width(len(claims), len(private)) if width is None else require_width(width)
    require_claims(claims)
    require_once([disclosure.name for disclosure in [*claims, *private]])
    if len(private) + len(decoy_seeds) != width // 2:
        raise FieldMalformed(field="decoys", rule="private fields and decoys fill the right half")
    left = _left_half([claim.digest for claim in claims], width)
    right = sorted([disclosure.digest for disclosure in private] + [decoy_digest(seed) for seed in decoy_seeds])
    require_ascending(right, "decoys")
    return FieldTree(
        claims=tuple(claims),
        private=tuple(private),
        decoy_seeds=tuple(decoy_seeds),
        leaves=(*left, *right),
        _levels=_fold([*left, *right]),
    )


def require_claims(claims: Sequence[Disclosure]) -> None:
    """What every record's claims must fulfil, whatever its schema.

    Raises:
        FieldMalformed: `_schema` or `_origin` missing or no string; a name twice.
        FieldMismatch: a reserved name that is private.
    """
    require_once([claim.name for claim in claims])
    for claim in claims:
        require_half(claim.name, "claim")
    strings = {claim.name for claim in claims if isinstance(claim.value, str)}
    for name in (SCHEMA, ORIGIN):
        if name not in strings:
            raise FieldMalformed(field=name, rule="a claim of every record, a string")


def rebuild_root(claim_texts: Sequence[str], private_root: Digest, width: int) -> Digest:
    """The field root of a record whose claims are known: NODE(MTH(left), private_root).

    Raises:
        Malformed: width, count or order of the claims; `private_root` not 32 bytes.
    """
    left = _left_half([disclosure_digest(text) for text in claim_texts], require_width(width))
    return node_hash(_fold(left)[-1][0], private_root)


def root_of_digests(claims: Sequence[Digest], right: Sequence[Digest]) -> Digest:
    """The field root of a record of which only the leaf data are known: claims, then private fields and decoys.

    Raises:
        Malformed: the right half has no width of ours, there are more claims than it has leaves, or an order.
    """
    left = _left_half(claims, require_width(2 * len(right)))
    require_ascending(right, "private")
    return _fold([*left, *right])[-1][0]


def check_full_opening(
    entry: RecordEntry, claims: Iterable[Disclosure], private: Iterable[Disclosure], decoy_seeds: Sequence[bytes]
) -> FieldTree:
    """Open a record to its full audience: every right leaf is a field with its own name or a shown decoy.

    Without it a second version of a private field could pass as a decoy.

    Raises:
        Malformed: as `build_fields`; fewer fields and decoys than leaves is one of these.
        RootMismatch: the record has other leaves.
    """
    tree = build_fields(claims, private, decoy_seeds, entry.width)
    if tree.field_root != entry.field_root:
        raise RootMismatch(expected=entry.field_root, calculated=tree.field_root)
    return tree


def require_ascending(items: Sequence[bytes], name: str) -> None:
    """Items that stand in one order only, each once.

    Raises:
        FieldMalformed: not strictly ascending.
    """
    if any(one >= following for one, following in pairwise(items)):
        raise FieldMalformed(field=name, rule="strictly ascending")


def _left_half(digests: Sequence[Digest], width: int) -> list[Digest]:
    half = width // 2
    if len(digests) > half:
        raise TooLong(field="claims", limit=half, got=len(digests))
    require_ascending(digests, "claims")
    return [*digests, *[ZERO] * (half - len(digests))]


def _fold(leaves: Sequence[Digest]) -> tuple[tuple[Digest, ...], ...]:
    """All levels of a full tree, leaf hashes first."""
    levels = [tuple(map(leaf_hash, leaves))]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append(tuple(node_hash(below[i], below[i + 1]) for i in range(0, len(below), 2)))
    return tuple(levels)
