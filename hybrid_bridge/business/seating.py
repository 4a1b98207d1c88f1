"""What must hold when a whole decision is carried out: no seat without its holder, no name with two keys.

A rule of one record cannot say it: the record that ends a membership and the one that ends its seat come one after the
other. So it is looked at once, behind the last record (SPEC §7.3; ADR 53).
"""

from collections.abc import Iterable

from hybrid_bridge.business.membership import (
    EVER,
    STRANGER,
    ValidatorState,
    changes_at,
    may_sit,
    pending_set,
    responsible_set,
    standing_of,
)
from hybrid_bridge.business.ruling import refuse
from hybrid_bridge.core.encoding import ZERO
from hybrid_bridge.core.governance import ADD, NODE, MemberUpdate
from hybrid_bridge.core.keys import key_id_text
from hybrid_bridge.core.ledger_state import Overlay, StateReader, member_key, name_key, named_key
from hybrid_bridge.units import Digest, EpochNumber, KeyId


def require_seats(state: StateReader, epoch: EpochNumber, waited: ValidatorState | None) -> None:
    """Who is removed, or no node any more, sits in no set from then on; a set that waits holds nobody who may not sit.

    A suspended validator keeps its seat in the set in charge and in no later one: else a quorum could lower its own
    threshold. A set in the place of one that waits prolongs nobody's.

    Args:
        state: behind the last record.
        epoch: of the decision.
        waited: the set that waited before it.

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
    if pending is not None and waited is not None and waited.from_size < pending.from_size:
        left += [key for key in current.keys if key not in waited.keys and not _stays(state, key, waited)]
    if left:
        refuse("seat", key_id_text(left[0]))


def _is_gone(state: StateReader, key: KeyId, epoch: EpochNumber) -> bool:
    """Whether a record took its node away. A founder that no record has named sits by the genesis record."""
    standing = standing_of(state, key, epoch)
    return state.get(member_key(key)) is not None and not (standing.roles & NODE or standing.suspended)


def _stays(state: StateReader, key: KeyId, waited: ValidatorState) -> bool:
    """Whether it may sit on though the set that waited was to end that: as a node, or where no record has named it."""
    return may_sit(state, key, EpochNumber(waited.from_size - 1), (key,))


def take_names(view: Overlay, records: Iterable[MemberUpdate], epoch: EpochNumber) -> None:
    """A name has one identity key at each time, whatever of it a decision touches (SPEC §7.3).

    An addition gives the key the name that it states; the other actions state the one that it has.

    Raises:
        RuleRejected: member-name.
    """
    touched: set[Digest] = set()
    for record in records:
        before = Digest(view.get(named_key(record.key_id)) or ZERO)
        if record.action != ADD and record.name_hash != before:
            refuse("member-name", key_id_text(record.key_id))
        view.put(named_key(record.key_id), record.name_hash)
        if record.name_hash != ZERO:
            keys = {*_keys_of(view, record.name_hash), record.key_id}
            view.put(name_key(record.name_hash), b"".join(sorted(keys)))
        touched |= {before, record.name_hash}
    for name in sorted(touched - {ZERO}):
        _require_one_key(view, name, epoch)


def _keys_of(view: StateReader, name: Digest) -> list[KeyId]:
    data = view.get(name_key(name)) or b""
    return [KeyId(data[at : at + 32]) for at in range(0, len(data), 32)]


def _require_one_key(view: Overlay, name: Digest, epoch: EpochNumber) -> None:
    """From now on, at each date at which one of its keys changes; those that are nobody's any more are forgotten."""
    mine = [key for key in _keys_of(view, name) if view.get(named_key(key)) == name]
    dates = {epoch, EVER, *(changes_at(view, key) for key in mine)}
    here = [{key for key in mine if standing_of(view, key, date) != STRANGER} for date in dates if date >= epoch]
    for keys in here:
        if len(keys) > 1:
            refuse("member-name", key_id_text(min(keys)))
    view.put(name_key(name), b"".join(sorted(set().union(*here))))
