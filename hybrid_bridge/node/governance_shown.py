"""What a bundle shows of governance: every record from before what it states up to its last epoch, none left out.

A brake or a freeze is never kept from an outsider: where one lies between, or its flag stands in an epoch shown, the
records come along unasked (SPEC §7.3; SCENARIOS S7).
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile
from typing import Final

from hybrid_bridge.business.notices import is_stop
from hybrid_bridge.core.bundle import GovernancePart, GovernanceRecordPart
from hybrid_bridge.core.epoch import BRAKE_ON
from hybrid_bridge.core.governance import Notice, decode_governance
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.tree import Tree
from hybrid_bridge.node.view import View
from hybrid_bridge.units import Digest, EpochNumber, LeafIndex, LogId, TreeSize

MAX_RECORDS: Final = 256  # of a bundle (SPEC §11)
MAX_BACK: Final = 1_000  # epochs that are looked back over for the beginning of a brake


def governed(view: View, stated: Sequence[EpochNumber], size: TreeSize, *, asked: bool) -> GovernancePart | None:
    """Governance from before the first epoch of which the bundle states anything; None where nothing is to be told.

    Args:
        view: our stores.
        stated: the epochs shown, ascending.
        size: of the checkpoint that the epochs stand on.
        asked: also where no brake or freeze lies between.
    """
    last = EpochNumber(size - 1)
    first = _before(view, stated[0] if stated else last)
    if first >= last:
        return None
    begin, end = view.logbook.record(first).governance_size, view.logbook.record(last).governance_size
    since = map(decode_governance, _since(view, begin, end))
    if not asked and not any(isinstance(record, Notice) and is_stop(record) for record in since):
        return None
    while end - begin > MAX_RECORDS:  # as far as a bundle can hold: what is not shown, `verify` names
        last = EpochNumber(last - 1)
        end = view.logbook.record(last).governance_size
    return None if first >= last else _part(view, (begin, end), first, last)


def _before(view: View, stated: EpochNumber) -> EpochNumber:
    """The last epoch before this one that closed without a brake: all brakes after it have their notices after it."""
    for epoch in range(stated - 1, max(stated - MAX_BACK, 1), -1):
        if not view.logbook.record(EpochNumber(epoch)).flags & BRAKE_ON:
            return EpochNumber(epoch)
    return EpochNumber(1)


def governance_tree(log_id: LogId, records: Iterable[bytes]) -> Tree:
    """The tree over the genesis record, whose leaf is the log id, and these."""
    tree = Tree()
    tree.extend([Digest(log_id), *map(leaf_hash, records)])
    return tree


def _since(view: View, begin: TreeSize, end: TreeSize) -> Iterator[bytes]:
    """The records from leaf `begin`, which is none of genesis, up to `end`."""
    rows = takewhile(lambda row: row[0] < end, view.ledger.governance(begin - 1))
    return (record for _, _, record in rows)


def _part(view: View, sizes: tuple[TreeSize, TreeSize], first: EpochNumber, last: EpochNumber) -> GovernancePart:
    begin, end = sizes
    records = [view.directory.genesis.encode(), *_since(view, TreeSize(1), end)]
    tree = governance_tree(view.directory.log_id, records[1:])
    return GovernancePart(
        from_epoch=first,
        to_epoch=last,
        consistency=tuple(tree.consistency_path(begin, end)),
        records=tuple(
            GovernanceRecordPart(
                index=index, record=records[index], path=tuple(tree.inclusion_path(LeafIndex(index), end))
            )
            for index in range(begin, end)
        ),
    )
