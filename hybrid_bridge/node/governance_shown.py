"""What a bundle shows of governance: every record from before what it states up to its last epoch, none left out.

A brake or a freeze is never kept from an outsider: where one lies between, or its flag stands in an epoch shown, the
records come along unasked (SPEC §7.3; SCENARIOS S7).
"""

from collections.abc import Sequence
from typing import Final

from hybrid_bridge.business.notices import is_stop
from hybrid_bridge.core.bundle import GovernancePart, GovernanceRecordPart
from hybrid_bridge.core.epoch import BRAKE_ON, EpochRecord
from hybrid_bridge.core.governance import Notice, decode_governance
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.tree import Tree
from hybrid_bridge.node.view import View
from hybrid_bridge.units import EpochNumber, LeafIndex, TreeSize

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
    begin, end = _record(view, first).governance_size, _record(view, last).governance_size
    records = _records(view, end)
    if not asked and not any(isinstance(r, Notice) and is_stop(r) for r in map(decode_governance, records[begin:])):
        return None
    while end - begin > MAX_RECORDS:  # as far as a bundle can hold: what is not shown, `verify` names
        last = EpochNumber(last - 1)
        end = _record(view, last).governance_size
    return None if first >= last else _part(records[:end], begin, first, last)


def _before(view: View, stated: EpochNumber) -> EpochNumber:
    """The last epoch before this one that closed without a brake: all brakes after it have their notices after it."""
    for epoch in range(stated - 1, max(stated - MAX_BACK, 1), -1):
        if not _record(view, EpochNumber(epoch)).flags & BRAKE_ON:
            return EpochNumber(epoch)
    return EpochNumber(1)


def _record(view: View, epoch: EpochNumber) -> EpochRecord:
    return EpochRecord.decode(view.logbook.closed(epoch).record)


def _records(view: View, end: TreeSize) -> list[bytes]:
    """The governance records below `end`, the genesis record first."""
    records = [view.directory.genesis.encode()]
    while len(records) < end:
        records += [record for _, _, record in view.ledger.governed(len(records) - 1)]
    return records[:end]


def _part(records: Sequence[bytes], begin: int, first: EpochNumber, last: EpochNumber) -> GovernancePart:
    tree, size = Tree(), TreeSize(len(records))
    tree.extend([leaf_hash(record) for record in records])
    return GovernancePart(
        from_epoch=first,
        to_epoch=last,
        consistency=tuple(tree.consistency_path(TreeSize(begin), size)),
        records=tuple(
            GovernanceRecordPart(
                index=index, record=records[index], path=tuple(tree.inclusion_path(LeafIndex(index), size))
            )
            for index in range(begin, size)
        ),
    )
