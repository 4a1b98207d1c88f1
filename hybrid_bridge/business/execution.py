"""What one transaction does: checks that need no state, then admission, rules and labels, by kind.

Source: SPEC §4, §5, §7.3. The step runs `apply_transaction` on an overlay of its own and drops that if a rule refuses.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

from hybrid_bridge.business.claims import typed_claims
from hybrid_bridge.business.consensus import apply_consensus_key
from hybrid_bridge.business.fields import Schema
from hybrid_bridge.business.membership import (
    apply_member_update,
    apply_set_update,
    is_quorum,
    is_validator,
    key_of,
    pending_set,
    roles_of,
)
from hybrid_bridge.business.rulebook import ASK_FOR_DEBTOR, apply_record
from hybrid_bridge.business.ruling import Act, LifeEvent, Moment, RulePack, refuse
from hybrid_bridge.business.seating import require_seats, take_names
from hybrid_bridge.core.consensus_key import ConsensusKey
from hybrid_bridge.core.disclosure import disclosure_named
from hybrid_bridge.core.epoch import closed_at
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.governance import MEMBER, MemberUpdate, Notice, SetUpdate, decode_governance
from hybrid_bridge.core.keys import key_id_text
from hybrid_bridge.core.ledger_state import Overlay, StateReader, entry_key, index_key, put_number
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.transaction import (
    BeaconPayload,
    Body,
    GovernancePayload,
    RecordPayload,
    SignedTransaction,
)
from hybrid_bridge.errors import FieldMalformed, FieldMismatch
from hybrid_bridge.units import Commitment, Digest, EpochNumber, LogId, RegistryIndex

Update: TypeAlias = SetUpdate | MemberUpdate | ConsensusKey  # what is submitted; notices are derived


def stateless_check(signed: SignedTransaction, log_id: LogId) -> None:
    """All that no state can change: bytes, signatures, the schema of the claims, the shape of a governance record.

    Raises:
        Malformed, Refuted: as `SignedTransaction.verify_stateless`; FieldMalformed names the claim, SignatureWrong a
            consensus key that did not sign for its identity key.
    """
    signed.verify_stateless(log_id)
    payload = signed.body.payload
    if isinstance(payload, RecordPayload):
        typed_claims(signed.body, payload)
    elif isinstance(payload, GovernancePayload):
        for record in payload.records:
            _check_update(_decode_update(record), log_id)
    elif not (payload.chain_id and payload.number and any(payload.hash)):
        raise FieldMalformed(field="beacon", rule="chain id, number and hash not zero")


def _check_update(governance: Update, log_id: LogId) -> None:
    if governance.log_id != log_id:
        raise FieldMismatch(field="record.log_id", expected=log_id.hex(), got=governance.log_id.hex())
    if isinstance(governance, ConsensusKey):
        governance.verify_possession()


Check: TypeAlias = Callable[[SignedTransaction, LogId], None]


@dataclass(frozen=True, slots=True)
class Rules:
    """What every member executes by: the genesis record, and the rule pack of the policy it commits to."""

    genesis: Genesis
    pack: RulePack = field(default_factory=RulePack)
    check: Check = stateless_check  # or what remembers its verdicts
    log_id: LogId = field(init=False)  # of the consortium: a hash, asked for each transaction

    def __post_init__(self) -> None:
        object.__setattr__(self, "log_id", self.genesis.log_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What one accepted transaction brought, beside the writes. Governance records and beacons have no entry."""

    entry: bytes | None = None
    identity_ops: tuple[tuple[RegistryIndex, Commitment], ...] = ()
    life_events: tuple[LifeEvent, ...] = ()
    governance: tuple[bytes, ...] = ()
    beacon: BeaconPayload | None = None


def apply_transaction(trial: Overlay, rules: Rules, signed: SignedTransaction, moment: Moment) -> Changes:
    """Carry out one transaction, known to pass `stateless_check`, on `trial`.

    Raises:
        RuleRejected: a rule refuses it; what `trial` holds is then worthless.
    """
    body = signed.body
    if isinstance(body.payload, RecordPayload):
        return _apply_record(trial, rules, body, body.payload, moment)
    if isinstance(body.payload, GovernancePayload):
        return _apply_governance(trial, rules, body, body.payload, moment)
    return _apply_beacon(trial, rules, body, body.payload, moment)


# ── kind 1 ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _apply_record(trial: Overlay, rules: Rules, body: Body, payload: RecordPayload, moment: Moment) -> Changes:
    """(1) entry new (2) submitter admitted (3) business rules (4) labels: last, so that refusals are no oracle."""
    leaf = require_let_in(trial, body, payload, moment.epoch)
    schema, claims = typed_claims(body, payload)
    act = Act(
        claims=claims,
        view=trial,
        moment=moment,
        pack=rules.pack,
        log_id=rules.log_id,
        record_type=schema.record_type,
        entry_leaf=leaf,
        submitter=key_id_text(body.submitter),
        closes=partial(closed_at, rules.genesis),
        authorisers=frozenset(map(key_id_text, body.authorisers)),
    )
    apply_record(act)
    _insert_labels(trial, payload, schema)
    put_number(trial, entry_key(leaf), moment.epoch)
    return Changes(
        entry=payload.entry,
        identity_ops=tuple((op.index, op.commitment) for op in payload.ops),
        life_events=tuple(act.events),
        governance=tuple(notice.encode() for notice in act.notices),
    )


def require_let_in(view: StateReader, body: Body, payload: RecordPayload, epoch: EpochNumber) -> Digest:
    """What the doors ask of a record, before any rule of business; the leaf of its entry.

    Raises:
        RuleRejected: entry: it stands already; admission: no member submits it.
    """
    leaf = leaf_hash(payload.entry)
    if view.get(entry_key(leaf)) is not None:
        refuse("entry", leaf.hex())
    if not roles_of(view, body.submitter, epoch) & MEMBER:
        refuse("admission", key_id_text(body.submitter))
    return leaf


def is_debtor_doubtful(view: StateReader, body: Body, payload: RecordPayload, epoch: EpochNumber) -> bool:
    """Whether the record's own rule may refuse it by admission, as the doors do: its debtor seems to be no member.

    Only the rule knows whether another refusal comes first. For a record that passed `stateless_check`.
    """
    if payload.record.record_type not in ASK_FOR_DEBTOR:
        return False
    debtor = disclosure_named(payload.claims, "debtor")  # without one it is who authorises
    parties = body.authorisers if debtor is None else (key_of(str(debtor.value)),)
    return not all(roles_of(view, party, epoch) & MEMBER for party in parties)


def _insert_labels(trial: Overlay, payload: RecordPayload, schema: Schema) -> None:
    for op in payload.ops:
        if op.label_type not in schema.label_types:
            refuse("labels", op.index.hex())
        if trial.get(index_key(op.index)) is not None:
            refuse("L-hard", op.index.hex())
        trial.put(index_key(op.index), op.commitment)


# ── kinds 2 and 3 ────────────────────────────────────────────────────────────────────────────────────────────────────


def _decode_update(record: bytes) -> Update:
    governance = decode_governance(record)
    if isinstance(governance, Notice):
        raise FieldMalformed(field="record", rule="SetUpdate, MemberUpdate or ConsensusKey; notices are derived")
    return governance


def _apply_governance(trial: Overlay, rules: Rules, body: Body, payload: GovernancePayload, moment: Moment) -> Changes:
    """By a quorum, whoever of us submits it."""
    epoch = moment.epoch
    if not (is_validator(trial, body.submitter, epoch) or roles_of(trial, body.submitter, epoch) & MEMBER):
        refuse("admission", key_id_text(body.submitter))
    if not is_quorum(trial, body.authorisers, epoch):
        refuse("authority", "quorum")
    apply_decision(trial, rules, payload.records, epoch)
    return Changes(governance=payload.records)


def apply_decision(trial: Overlay, rules: Rules, records: Sequence[bytes], epoch: EpochNumber) -> None:
    """All records of a decision, each on what those before it made; one that is refused refuses them all.

    Raises:
        RuleRejected: a rule refuses it; what `trial` holds is then worthless.
    """
    waited = pending_set(trial, epoch)
    updates = [_apply_update(trial, rules, record, epoch) for record in records]
    require_seats(trial, epoch, waited)
    take_names(trial, [update for update in updates if isinstance(update, MemberUpdate)], epoch)


def _apply_update(trial: Overlay, rules: Rules, record: bytes, epoch: EpochNumber) -> Update:
    leaf = leaf_hash(record)
    if (
        trial.get(entry_key(leaf)) is not None
    ):  # a consent covers no sequence: without this, any member could say it again
        refuse("entry", leaf.hex())
    governance = _decode_update(record)
    if isinstance(governance, SetUpdate):
        if not rules.pack.rotation:
            refuse("rotation", governance.set_hash.hex())
        apply_set_update(trial, governance, epoch)
    elif isinstance(governance, MemberUpdate):
        apply_member_update(trial, governance, epoch)
    else:
        apply_consensus_key(trial, governance, epoch)
    put_number(trial, entry_key(leaf), epoch)
    return governance


def _apply_beacon(trial: Overlay, rules: Rules, body: Body, beacon: BeaconPayload, moment: Moment) -> Changes:
    if body.authorisers or not is_validator(trial, body.submitter, moment.epoch):
        refuse("authority", key_id_text(body.submitter))
    if not rules.pack.beacons:
        refuse("beacons", str(beacon.chain_id))
    return Changes(beacon=beacon)
