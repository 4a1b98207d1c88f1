"""May this key sign this checkpoint? Once a size, never downwards, only what extends the statement before.

The rules alone; the store commits a row before the key is used (`adapters.sqlite.guard`). Modelled on EIP-3076.
Source: SPEC §8.2; RELAYER §5.4, rules G2, G3, G4 and G6, doppelgänger check, imports.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from hybrid_bridge.core.proof import verify_consistency
from hybrid_bridge.errors import Equivocation, GuardRefused, Malformed, Refuted
from hybrid_bridge.units import Address, ChainId, Digest, TreeSize

SETS: Final = ("set", *(f"set-{count}" for count in range(2, 17)))  # set-2: instead of one signed first, and so on


@dataclass(frozen=True, slots=True)
class Statement:
    """What a key is asked to say: this tree of `size` has this root; `digest` is what it signs."""

    size: TreeSize
    root: Digest
    digest: Digest


@dataclass(frozen=True, slots=True)
class Highest:
    """The highest statement or floor of a key: everything later must extend it."""

    size: TreeSize
    root: Digest


@dataclass(frozen=True, slots=True)
class PowerStatement:
    """A set update, pause, resume or retirement that a key has signed under this number."""

    chain_id: ChainId
    contract: Address
    kind: str
    number: int
    digest: Digest

    @property
    def place(self) -> tuple[ChainId, Address, str, int]:
        """What one digest only is signed for."""
        return self.chain_id, self.contract, self.kind, self.number


@dataclass(frozen=True, slots=True)
class History:
    """All that a guard knows of its key: nothing below the floor is ever signed again."""

    floor: Highest
    signed: tuple[Statement, ...] = ()  # ascending by size
    power: tuple[PowerStatement, ...] = ()

    @property
    def highest(self) -> Highest:
        """What everything later must extend."""
        tops = [Highest(row.size, row.root) for row in self.signed[-1:]]
        return max([self.floor, *tops], key=lambda top: top.size)

    def in_order(self) -> "History":
        """The same, powers in one order, to be compared."""
        return History(self.floor, self.signed, self._powers())

    def complete(self) -> "History":
        """What an export says: rows below the floor are left out, for the floor refuses what they would."""
        rows = tuple(row for row in self.signed if row.size >= self.floor.size)
        return History(self.floor, rows, self._powers())

    def minimal(self) -> "History":
        """The floor alone, raised to the highest statement. Powers stay: they have no order a floor could stand for."""
        return History(self.highest, (), self._powers())

    def _powers(self) -> tuple[PowerStatement, ...]:
        """In one order, whatever the store's."""
        return tuple(sorted(self.power, key=lambda power: power.place))

    def stated(self) -> Iterator[tuple[TreeSize, Digest]]:
        """Every size with its root, the floor's first."""
        yield self.floor.size, self.floor.root
        yield from ((row.size, row.root) for row in self.signed)


class Heard(Enum):
    """What a signature of our key that somebody shows is to us."""

    KNOWN = "known"
    EQUIVOCATION = "equivocation"  # we have said another root of this size
    UNKNOWN = "unknown"  # another process has our key, or our store is of yesterday


def is_repeat(asked: Statement, standing: Digest | None, highest: Highest, path: Sequence[Digest]) -> bool:
    """Whether this very statement was made before; if not, it may be made now.

    Args:
        asked: the new statement.
        standing: the digest signed at this size before, if any.
        highest: the highest statement or floor.
        path: RFC 6962 consistency path from `highest` to `asked`; not looked at in a repeat.

    Raises:
        GuardRefused: double (G2), below_floor (G3), not_an_extension (G4).
    """
    if standing is not None:
        if standing != asked.digest:
            raise GuardRefused(rule="double", size=asked.size)
        return True
    if asked.size <= highest.size:
        raise GuardRefused(rule="below_floor", size=asked.size)
    try:
        verify_consistency(highest.size, asked.size, list(path), highest.root, asked.root)
    except (Malformed, Refuted):
        raise GuardRefused(rule="not_an_extension", size=asked.size) from None
    return False


def kinds_of(kind: str) -> tuple[str, ...]:
    """The kinds under which a key's statements of one number are kept, in their order: more than one of sets alone."""
    return SETS if kind == SETS[0] else (kind,)


def power_kind(number: int, kind: str, asked: Digest, said: Mapping[str, Digest], void: Collection[Digest]) -> str:
    """The kind under which this statement stands or may be written down: one digest for each number (G6).

    Instead of a set that the ledger has replaced before it took charge, the one in its place may be signed (ADR 53).

    Args:
        number: of a set update, pause, resume or retirement of one contract.
        kind: what it is.
        asked: what the key is asked to sign.
        said: what it has signed under this number, by kind.
        void: statements of sets that never take charge, as our own final blocks have it.

    Raises:
        GuardRefused: double_power: another digest was signed under this number, and is not void.
    """
    kinds = kinds_of(kind)
    newest = max((kinds.index(one) for one in said), default=-1)
    if said and said[kinds[newest]] == asked:
        return kinds[newest]
    if said and (said[kinds[newest]] not in void or newest + 1 == len(kinds)):
        raise GuardRefused(rule="double_power", size=number)
    return kinds[newest + 1]


def judge_heard(size: TreeSize, root: Digest, said: Digest | None, floor: TreeSize) -> Heard:
    """A signature of our key over this root, beside what we have `said` of the size and the floor of our store.

    At and below the floor nothing need be known; a caller with a log of its own compares that.
    """
    if said is not None:
        return Heard.KNOWN if said == root else Heard.EQUIVOCATION
    return Heard.KNOWN if size <= floor else Heard.UNKNOWN


def additions(signer: Address, ours: History, theirs: History) -> History:
    """What `theirs` adds to `ours`: floors by maximum, rows by union. Its floor is the one that holds afterwards.

    Raises:
        Equivocation: one size or number with two digests or two roots, between the two or within `theirs`.
    """
    roots = dict(ours.stated())
    for size, root in theirs.stated():
        _require_one(signer, size, roots.setdefault(size, root), root)
    digests = {row.size: row.digest for row in ours.signed}
    powers = {row.place: row.digest for row in ours.power}
    for row in theirs.signed:
        _require_one(signer, row.size, digests.get(row.size, row.digest), row.digest)
    for power in theirs.power:
        _require_one(signer, power.number, powers.get(power.place, power.digest), power.digest)
    return History(
        max(ours.floor, theirs.floor, key=lambda floor: floor.size),
        tuple(row for row in theirs.signed if row.size not in digests),
        tuple(power for power in theirs.power if power.place not in powers),
    )


def _require_one(signer: Address, number: int, first: Digest, second: Digest) -> None:
    if first != second:
        raise Equivocation(signer=f"0x{signer.hex()}", number=number, first=first, second=second)
