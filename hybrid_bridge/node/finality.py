"""When a block is final: a quorum of the responsible validators countersigned the block that we hold (design D8).

A countersignature speaks for all blocks below, since a member executes them in order. So the final height is the q-th
highest of the heights that the validators reached on our chain. Each set speaks in its own term: what its validators
reached beyond counts up to the term's end, and nothing before its first block (ADR 35).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hybrid_bridge.core.validators import quorum
from hybrid_bridge.units import Height, KeyId


@dataclass(frozen=True, slots=True)
class Sitting:
    """A set's identity keys, and the blocks that it makes final: from `first` to `last`, None for the newest."""

    keys: tuple[KeyId, ...]
    size: int  # of the set: a key that nobody has named yet counts among those that said nothing
    first: Height
    last: Height | None


def final_in(sittings: Iterable[Sitting], reached: Mapping[KeyId, Height], final: Height) -> Height:
    """The highest final height, when `final` is known to be."""
    for sitting in sittings:
        if sitting.last is not None and sitting.last <= final:
            continue
        height = final_height(sitting.keys, reached, sitting.size)
        if height >= sitting.first:
            final = max(final, height if sitting.last is None else Height(min(height, sitting.last)))
    return final


def final_height(validators: Iterable[KeyId], reached: Mapping[KeyId, Height], size: int | None = None) -> Height:
    """The highest height that a quorum of `validators` reached; zero when no quorum has any.

    Args:
        validators: identity keys of the responsible set.
        reached: for each member the highest height it countersigned on our chain.
        size: how many validators there are, if not all of their keys are known.
    """
    heights = sorted((reached.get(key, Height(0)) for key in validators), reverse=True)
    needed = quorum(len(heights) if size is None else size)
    return heights[needed - 1] if needed <= len(heights) else Height(0)
