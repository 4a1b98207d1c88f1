"""What must hold when a whole decision is carried out: no seat without its holder, no name with two keys.

A rule of one record cannot say it: the record that ends a membership and the one that ends its seat come one after the
other. So it is looked at once, behind the last record (SPEC §7.3; ADR 53).
"""

from collections.abc import Iterable

from hybrid_bridge.business.membership import (
    EVER,
    STRANGER,
    may_sit,
    pending_set,
    responsible_set,
    standing_of,
)
from hybrid_bridge.business.ruling import refuse
from hybrid_bridge.core.encoding import ZERO
from hybrid_bridge.core.governance import ADD, NODE, MemberUpdate
from hybrid_bridge.core.keys import key_id_text
from hybrid_bridge.core.ledger_state import Overlay, StateReader, member_key, name_key
from hybrid_bridge.units import EpochNumber, KeyId


def require_seats(state: StateReader, epoch: EpochNumber) -> None:
    """Who is removed, or no node any more, sits in no set from then on; a set that waits holds nobody who may not sit.

    A suspended validator keeps its seat in the set in charge and in no later one: else a quorum could lower its own
    threshold.

    Raises:
        RuleRejected: seat.
    """
    current, pending = responsible_set(state, epoch), pending_set(state, epoch)
    last = EVER if pending is None else EpochNumber(pending.from_size - 2)  # in which the current set is in charge
    left = [key for key in current.keys if _is_gone(state, key, last)]
    if pending is not None:
        begins = EpochNumber(pending.from_size - 1)
        unfit = (key for key in pending.keys if not may_sit(state, key, begins, current.keys))
        left += [*unfit, *(key for key in pending.keys if _is_gone(state, key, EVER))]
    if left:
        refuse("seat", key_id_text(left[0]))


def _is_gone(state: StateReader, key: KeyId, epoch: EpochNumber) -> bool:
    """Whether a record took its node away. A founder that no record has named sits by the genesis record."""
    standing = standing_of(state, key, epoch)
    return state.get(member_key(key)) is not None and not (standing.roles & NODE or standing.suspended)


def take_names(view: Overlay, records: Iterable[MemberUpdate]) -> None:
    """A name has one identity key: another one is added where the first is removed by then, in the same decision.

    Raises:
        RuleRejected: member-name.
    """
    for record in records:
        if record.action != ADD or record.name_hash == ZERO:
            continue
        before = view.get(name_key(record.name_hash))
        if before is not None and before != record.key_id:
            for epoch in (record.from_epoch, EVER):
                if standing_of(view, KeyId(before), epoch) != STRANGER:
                    refuse("member-name", key_id_text(record.key_id))
        view.put(name_key(record.name_hash), record.key_id)
