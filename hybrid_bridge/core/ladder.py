"""Sizes come in rungs, so that a size tells little: bit k of a ladder allows 2^k (SPEC §6, §7.1, §9.5)."""

from hybrid_bridge.errors import TooLong
from hybrid_bridge.units import TreeSize


def lowest(ladder: int) -> TreeSize:
    """The smallest size a ladder allows: that of an idle epoch."""
    return TreeSize(ladder & -ladder)


def highest(ladder: int) -> TreeSize:
    """The largest size a ladder allows: a ledger takes no more for one epoch."""
    return TreeSize(1 << ladder.bit_length() - 1)


def rung(ladder: int, count: int) -> TreeSize:
    """The smallest size a ladder allows that holds `count`.

    Raises:
        TooLong: more than the highest rung.
    """
    fitting = ladder >> max(count - 1, 0).bit_length() << max(count - 1, 0).bit_length()
    if fitting == 0:
        raise TooLong(field="rung", limit=highest(ladder), got=count)
    return lowest(fitting)
