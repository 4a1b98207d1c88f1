"""When the public chain had no checkpoint in time: all such periods, from heads and the genesis record's clock. Pure.

The rule is the contract's `overdue` (CONTRACT §3.7): the next checkpoint is due cadence and grace after the boundary of
the head. A pause does not stop that clock; a log that has ended owes nothing more.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.units import TreeSize, UnixSeconds


@dataclass(frozen=True, slots=True)
class Stood:
    """A head of the log, and since which public time it stood."""

    size: TreeSize
    since: UnixSeconds


@dataclass(frozen=True, slots=True)
class Late:
    """One period without a checkpoint in time."""

    size: TreeSize  # of the head when it began
    begins: UnixSeconds
    ends: UnixSeconds | None  # None: it goes on


def late_periods(genesis: Genesis, heads: Sequence[Stood], until: UnixSeconds, *, has_ended: bool) -> list[Late]:
    """All of them.

    Args:
        genesis: its clock.
        heads: one after the other.
        until: the public time that is looked at, or that of the log's end.
        has_ended: the log ended then, so nothing goes on.
    """
    found: list[Late] = []
    for head, left in zip(heads, [*(head.since for head in heads[1:]), None], strict=False):
        begins = max(genesis.due_after(head.size), head.since)
        ends = until if left is None else left
        if ends <= begins:
            continue
        over = None if left is None and not has_ended else ends
        if found and found[-1].ends == begins:  # a checkpoint came, and was late itself
            found[-1] = replace(found[-1], ends=over)
        else:
            found.append(Late(head.size, UnixSeconds(begins), over))
    return found
