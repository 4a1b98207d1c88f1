"""When a block is final: a quorum of the validators countersigned the block that we hold (design D8).

A countersignature speaks for all blocks below, since a member executes them in order. So the final height is the q-th
highest of the heights that the validators reached on our chain.
"""

from collections.abc import Iterable, Mapping

from hybrid_bridge.core.validators import quorum
from hybrid_bridge.units import Height, KeyId


def final_height(validators: Iterable[KeyId], reached: Mapping[KeyId, Height]) -> Height:
    """The highest height that a quorum of `validators` reached; zero when no quorum has any.

    Args:
        validators: identity keys of the responsible set.
        reached: for each member the highest height it countersigned on our chain.
    """
    heights = sorted((reached.get(key, Height(0)) for key in validators), reverse=True)
    return heights[quorum(len(heights)) - 1]
