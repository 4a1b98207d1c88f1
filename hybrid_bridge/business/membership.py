"""Who is a member with which roles, and which validators are responsible: kinds 2 and 3 of the transaction.

Before epoch 1 there is no member; the first transactions add them. A validator's identity key may always submit
governance records and beacons, suspended or not: the quorum is counted over the set alone (SPEC §7.3). A validator's
entry names a certificate; the member record with the same certificate hash names the identity key, so both stand in
public governance records.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from hybrid_bridge.business.ruling import refuse
from hybrid_bridge.core.encoding import ZERO, Json, b64u, parse_b64u
from hybrid_bridge.core.governance import (
    ADD,
    MEMBER,
    NODE,
    REINSTATE,
    REMOVE,
    REPLACE_CERTIFICATE,
    SUSPEND,
    MemberUpdate,
    SetUpdate,
    verify_succession,
)
from hybrid_bridge.core.keys import key_id_text
from hybrid_bridge.core.ledger_state import (
    ENGINE,
    NEWEST_SET,
    Overlay,
    StateReader,
    certificate_key,
    consensus_key,
    consensus_owner_key,
    get_json,
    get_number,
    member_key,
    put_json,
    put_number,
    set_key,
)
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.validators import ValidatorEntry, ValidatorSet, quorum
from hybrid_bridge.errors import FieldMismatch, StoreBroken
from hybrid_bridge.units import MAX_U64, Digest, EpochNumber, KeyId, SetId, TreeSize

EVER: Final = EpochNumber(MAX_U64)  # an update that stands and does not count yet counts by then
MAX_AHEAD: Final = 1 << 17  # epochs from a decision to its effect; a set that waits lets no other follow


@dataclass(frozen=True, slots=True)
class ValidatorState:
    """One validator set as the state knows it; `keys` are the identity keys, in set order."""

    validators: ValidatorSet
    from_size: TreeSize  # the least checkpoint size it is responsible for
    keys: tuple[KeyId, ...]
    record: Digest = ZERO  # LEAF of the SetUpdate that appointed it; zero for set 1


def key_of(text: str) -> KeyId:
    """The key id that a `key` field holds."""
    return KeyId(parse_b64u(text, "key"))


# ── roles ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Standing:
    """Role bits in force, and those of a member that is suspended; both zero for a stranger."""

    roles: int
    suspended: int = 0


STRANGER: Final = Standing(0)


def standing_of(state: StateReader, key_id: KeyId, epoch: EpochNumber) -> Standing:
    """Of an identity key at `epoch`."""
    row = get_json(state, member_key(key_id))
    if row is None:
        return STRANGER
    if epoch >= _int(row["from_epoch"]):
        return Standing(_int(row["roles"]), _int(row.get("suspended", 0)))
    return Standing(_int(row["before"]), _int(row.get("suspended_before", 0)))


def changes_at(state: StateReader, key_id: KeyId) -> EpochNumber:
    """The epoch from which the newest update of this key counts; 0 for a key without one."""
    row = get_json(state, member_key(key_id)) or {"from_epoch": 0}
    return EpochNumber(_int(row["from_epoch"]))


def roles_of(state: StateReader, key_id: KeyId, epoch: EpochNumber) -> int:
    """The role bits of an identity key at `epoch`; zero for a stranger and for who is suspended."""
    return standing_of(state, key_id, epoch).roles


def require_member(state: StateReader, key: str, epoch: EpochNumber) -> None:
    """A party in a public role is a named member.

    Raises:
        RuleRejected: admission.
    """
    if not roles_of(state, key_of(key), epoch) & MEMBER:
        refuse("admission", key)


def apply_member_update(view: Overlay, record: MemberUpdate, epoch: EpochNumber) -> None:
    """Add, remove, recertify, suspend or reinstate one member, from an epoch that has not passed (SPEC §7.3).

    It names the record of this key that stood last when it was decided: consents given before a newer decision never
    undo that. An update replaces one that has not taken effect, but a new certificate does not: it would lift a
    suspension in passing. A certificate is for one key for ever; zero is none.

    Raises:
        RuleRejected: member; member-replaces if another record of this key stood since.
    """
    if record.replaces != newest_update(view, record.key_id):
        refuse("member-replaces", key_id_text(record.key_id))
    now, certificate = standing_of(view, record.key_id, epoch), record.certificate_hash
    after = _after(record, now, is_pending=_is_pending(view, record.key_id, epoch))
    if not epoch <= record.from_epoch <= epoch + MAX_AHEAD or after is None or not _fits(view, record):
        refuse("member", key_id_text(record.key_id))
    put_standing(view, record.key_id, after, record.from_epoch, now, record=leaf_hash(record.encode()))
    if certificate != ZERO:
        view.put(certificate_key(certificate), record.key_id)


def newest_update(state: StateReader, key_id: KeyId) -> Digest:
    """LEAF of the record of this key that stands last; zero for none."""
    row = get_json(state, member_key(key_id))
    return ZERO if row is None or "record" not in row else Digest(parse_b64u(str(row["record"]), "record"))


def _fits(view: StateReader, record: MemberUpdate) -> bool:
    """No other key's certificate, a card with what brings one; who is suspended or reinstated is who it was."""
    if record.card_hash != ZERO and record.action not in (ADD, REPLACE_CERTIFICATE):
        return False  # nobody was shown one
    bound = view.get(certificate_key(record.certificate_hash))
    is_known = record.action in (SUSPEND, REINSTATE) and record.certificate_hash != ZERO
    return bound == record.key_id or (bound is None and not is_known)


def _is_pending(state: StateReader, key_id: KeyId, epoch: EpochNumber) -> bool:
    """Whether an update of this key has not taken effect."""
    row = get_json(state, member_key(key_id))
    return row is not None and epoch < _int(row["from_epoch"])


def _after(record: MemberUpdate, now: Standing, *, is_pending: bool) -> Standing | None:
    """What the record makes of a member; None if it makes no sense."""
    stated, there = record.roles, now != STRANGER
    if record.action == ADD:
        return Standing(stated) if stated and not there else None
    if record.action == REMOVE:
        return STRANGER if there or is_pending else None  # who is no member yet never becomes one
    if record.action == SUSPEND:
        return Standing(0, stated) if stated and stated == now.roles else None
    if record.action == REINSTATE:
        return Standing(stated) if stated and stated == now.suspended else None
    return Standing(stated) if stated and now.roles and not is_pending else None


def put_member(view: Overlay, key_id: KeyId, roles: int, from_epoch: EpochNumber, before: int) -> None:
    """Roles from an epoch on, and those until then."""
    put_standing(view, key_id, Standing(roles), from_epoch, Standing(before))


def put_standing(
    view: Overlay,
    key_id: KeyId,
    after: Standing,
    from_epoch: EpochNumber,
    before: Standing,
    *,
    record: Digest = ZERO,
) -> None:
    """A standing from an epoch on, the one until then, and the LEAF of the record that says so."""
    row: dict[str, Json] = {"roles": after.roles, "from_epoch": from_epoch, "before": before.roles}
    row |= {"suspended": after.suspended} if after.suspended else {}
    row |= {"suspended_before": before.suspended} if before.suspended else {}
    row |= {"record": b64u(record)} if record != ZERO else {}
    put_json(view, member_key(key_id), row)


# ── validator sets ───────────────────────────────────────────────────────────────────────────────────────────────────


def responsible_set(state: StateReader, epoch: EpochNumber) -> ValidatorState:
    """The set whose quorum closes `epoch`: responsible for checkpoint size epoch + 1 (SPEC §8.1, §10)."""
    newest = newest_set(state)
    if newest.from_size <= epoch + 1:
        return newest
    return read_set(state, SetId(newest.validators.set_id - 1))  # at most one change is ever pending


def newest_set(state: StateReader) -> ValidatorState:
    """The set in charge or, if one was appointed that is not in charge yet, that one."""
    return read_set(state, SetId(get_number(state, NEWEST_SET)))


def pending_set(state: StateReader, epoch: EpochNumber) -> ValidatorState | None:
    """The set that was appointed and is not in charge in `epoch`; at most one ever is."""
    newest = newest_set(state)
    return newest if newest.from_size > epoch + 1 else None


def is_quorum(state: StateReader, keys: Iterable[KeyId], epoch: EpochNumber) -> bool:
    """All of them validators' identity keys, and enough of them (SPEC §4, §8.1)."""
    validators, given = set(responsible_set(state, epoch).keys), set(keys)
    return given <= validators and len(given) >= quorum(len(validators))


def is_validator(state: StateReader, key: KeyId, epoch: EpochNumber) -> bool:
    """The identity key of a validator of the responsible set."""
    return key in responsible_set(state, epoch).keys


def apply_set_update(view: Overlay, record: SetUpdate, epoch: EpochNumber) -> None:
    """Take up the next validator set, early enough for the old one to sign a checkpoint that covers it (SPEC §8.1).

    One that is not in charge yet is replaced by a record that names it, under the same number (ADR 53).

    Raises:
        RuleRejected: set; set-replaces if it does not name the set that waits; consensus-missing,
            consensus-attestation under a consensus engine.
    """
    current, subject = responsible_set(view, epoch), record.set_hash.hex()
    pending = pending_set(view, epoch)
    if record.replaces != (ZERO if pending is None else pending.record):
        refuse("set-replaces", subject)
    if record.effective_from_size > epoch + MAX_AHEAD:
        refuse("set", subject)  # it would keep all others waiting
    try:
        verify_succession(record, current.validators, epoch)
    except FieldMismatch:
        refuse("set", subject)
    begins = EpochNumber(record.effective_from_size - 1)  # judged by the roles that stand then (ADR 35)
    keys = [_key_of_entry(view, entry, subject) for entry in record.validators.entries]
    if not all(may_sit(view, key, begins, current.keys) for key in keys):
        refuse("set", subject)
    names = {entry.name_hash for entry in record.validators.entries}
    if len(set(keys)) < len(keys) or len(names) < len(keys):
        refuse("set", subject)  # one member, one vote, whatever its keys are
    put_set(view, record.validators, record.effective_from_size, keys, record=leaf_hash(record.encode()))


def may_sit(state: StateReader, key: KeyId, epoch: EpochNumber, sitting: Sequence[KeyId]) -> bool:
    """A node in good standing at `epoch`, or a founder that no record has named yet and that sits already."""
    is_named = state.get(member_key(key)) is not None
    return bool(roles_of(state, key, epoch) & NODE) or (not is_named and key in sitting)


def put_set(
    view: Overlay, validators: ValidatorSet, from_size: TreeSize, keys: Sequence[KeyId], *, record: Digest = ZERO
) -> None:
    """Store a set as the newest; one of its number that never took charge is forgotten."""
    row: dict[str, Json] = {
        "entries": b64u(validators.encode_entries()),
        "from_size": from_size,
        "keys": [b64u(key) for key in keys],
    }
    row |= {"record": b64u(record)} if record != ZERO else {}
    put_json(view, set_key(validators.set_id), row)
    put_number(view, NEWEST_SET, validators.set_id)


def read_set(state: StateReader, set_id: SetId) -> ValidatorState:
    """A set that was stored.

    Raises:
        StoreBroken: it was not.
    """
    row = get_json(state, set_key(set_id))
    if row is None or not isinstance(row["keys"], list):
        raise StoreBroken(store="state", rule="every validator set is there")
    keys = tuple(key_of(str(key)) for key in row["keys"])
    validators = ValidatorSet.decode_entries(set_id, parse_b64u(str(row["entries"]), "entries"))
    record = Digest(parse_b64u(str(row["record"]), "record")) if "record" in row else ZERO
    return ValidatorState(validators, TreeSize(_int(row["from_size"])), keys, record)


def _key_of_entry(view: StateReader, entry: ValidatorEntry, subject: str) -> KeyId:
    stored = view.get(certificate_key(entry.certificate_hash))
    if stored is None:
        refuse("set", subject)
    key = KeyId(stored)
    if view.get(consensus_owner_key(entry.address)) is not None:
        refuse("consensus-attestation", subject)
    if view.get(ENGINE) is not None and view.get(consensus_key(key)) is None:
        refuse("consensus-missing", key_id_text(key))
    return key


def _int(value: Json) -> int:
    return int(str(value))
