"""May this key sign this checkpoint? Once a size, never downwards, only what extends the statement before.

The rule alone; its store commits a row before the key is used (`adapters.sqlite.guard`). Modelled on EIP-3076.
Source: SPEC §8.2; RELAYER §5.4, rules G2, G3, G4 and G6.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from hybrid_bridge.core.proof import verify_consistency
from hybrid_bridge.errors import GuardRefused, Malformed, Refuted
from hybrid_bridge.units import Digest, TreeSize


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


def require_single_power(number: int, asked: Digest, standing: Digest | None) -> None:
    """One digest for each set update, pause or resume of one contract (G6).

    Raises:
        GuardRefused: double_power: another digest was signed under this number.
    """
    if standing is not None and standing != asked:
        raise GuardRefused(rule="double_power", size=number)
