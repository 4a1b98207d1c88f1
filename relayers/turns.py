"""Whose turn it is. Pure. Operators share no lock: rank k waits k × `grace_blocks` public blocks longer than rank 0.

So many are then its own; when all have had their window, the first one's comes again.

The list of operators is courtesy, not permission: whoever is not in it comes last, and may anchor all the same. The
wait is for the checkpoint that waits longest; what is anchored then is the newest at the beginning of a round.

Rounds begin at multiples of a power of two, for a path between two such sizes is shortest: of a tree of 8,000 leaves it
has 6.5 hashes between multiples of eight, and 9.2 on average between sizes six apart (CONTRACT §4.4).
"""

from typing import Final

from hybrid_bridge.units import PublicBlockNumber, TreeSize
from relayers.views import TurnPolicy

BEGINNING: Final = PublicBlockNumber(0)


def stride(at_most: int) -> int:
    """Sizes of a round, if at most so many epochs may wait for their anchor: the greatest power of two among them."""
    return 1 << (at_most.bit_length() - 1)


def first_of_round(size: TreeSize, anchor_every: int) -> TreeSize:
    """The size at which the round of `size` began; 0 before the first. This is what is anchored."""
    return TreeSize(size - size % anchor_every)


def round_of(size: TreeSize, anchor_every: int) -> int:
    """Sizes of one round share one leader and one anchor."""
    return size // anchor_every


def rank(size: TreeSize, turns: TurnPolicy) -> int:
    """0 for the leader of this size's round; `operators` for an outsider."""
    if turns.my_index >= turns.operators:
        return turns.operators
    return (turns.my_index - round_of(size, turns.anchor_every)) % turns.operators


def opens_at(
    size: TreeSize, held_number: PublicBlockNumber, turns: TurnPolicy, pinned: PublicBlockNumber = BEGINNING
) -> PublicBlockNumber:
    """Where our window for `size`, held with its quorum since `held_number`, begins: at `pinned`'s, or the next one."""
    first = held_number + rank(size, turns) * turns.grace_blocks
    if is_our_turn(size, held_number, pinned, turns) or pinned < first:
        return PublicBlockNumber(first if pinned < first else pinned - (pinned - first) % max(1, turns.grace_blocks))
    cycle = turns.operators * turns.grace_blocks
    return PublicBlockNumber(first + ((pinned - first) // cycle + 1) * cycle)


def is_our_turn(size: TreeSize, held_number: PublicBlockNumber, pinned: PublicBlockNumber, turns: TurnPolicy) -> bool:
    """Whether we may open an intent for `size` now: in our window, which comes again after those of all others.

    If a turn that came stayed, all who had waited for a price to fall would begin in the same public block.
    """
    own, waited = rank(size, turns), max(0, pinned - held_number)
    if own >= turns.operators or turns.grace_blocks == 0:
        return waited >= own * turns.grace_blocks
    return waited // turns.grace_blocks % turns.operators == own


def next_round_at(size: TreeSize, anchor_every: int) -> TreeSize:
    """The smallest size of the round after that of `size`."""
    return TreeSize((round_of(size, anchor_every) + 1) * anchor_every)


def is_new_round(size: TreeSize, covered: TreeSize, turns: TurnPolicy) -> bool:
    """Whether `covered` lies in an earlier round, so that an anchor of `size` is due at all."""
    return size >= next_round_at(covered, turns.anchor_every)


def is_our_window(pinned: PublicBlockNumber, turns: TurnPolicy) -> bool:
    """Whether we may begin a rotation now: each operator has `grace_blocks` public blocks in turn, outsiders the last.

    A set update has no size that waits longest and no public block since which all hold it, so the clock of the public
    chain deals the turns out. Between two windows nothing is shared either.
    """
    operators = max(1, turns.operators) + (turns.operators <= turns.my_index)
    window = pinned // max(1, turns.grace_blocks) % operators
    return turns.grace_blocks == 0 or window == min(turns.my_index, operators - 1)
