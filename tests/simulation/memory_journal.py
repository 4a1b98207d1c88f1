"""The journal in memory: the same refusals as the one in SQL, a hundred times as fast, for simulations only.

`MemoryStore` is what would be on the disk: rows, lease and brake. It survives a process; a `MemoryJournal` is one
process's hold on it. Each writing method looks first and changes afterwards, so that a commit happened or did not.
"""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile

from hybrid_bridge.errors import LeaseLost, SpendCapped, StoreBroken
from hybrid_bridge.ports import AnchoredEvent
from hybrid_bridge.units import (
    Digest,
    Nonce,
    PublicBlockHash,
    PublicBlockNumber,
    SetId,
    TreeSize,
    TxHash,
    UnixSeconds,
    Wei,
)
from relayers.journal import (
    AttemptFinalRow,
    AttemptRow,
    AttestationRow,
    Brake,
    CheckpointRow,
    ControlRow,
    EvidenceRow,
    HaltRow,
    HeaderRow,
    HeadSpan,
    IntentKind,
    IntentRow,
    IntentState,
    Journal,
    JournalDump,
    JournalView,
    LeaseRow,
    Outcome,
    Scope,
    SendRow,
    SightingRow,
    SlotRow,
    SpendLimits,
    WishKind,
    WishRow,
)

DAY = 86_400
LEASE_FOR = 60
LONGEST = 4096
RECENT_FINALS = 8  # as many as the journal in SQL looks at


@dataclass
class MemoryStore:
    """Rows by their keys, and what is derived from them so that a view costs as much after a year as on the first day."""

    scope: Scope
    control: ControlRow = field(default_factory=lambda: ControlRow(Brake.RUN, None, None, "init", UnixSeconds(0)))
    lease: LeaseRow = field(default_factory=lambda: LeaseRow(0, "", UnixSeconds(0)))
    headers: dict[PublicBlockNumber, HeaderRow] = field(default_factory=dict)
    checkpoints: dict[TreeSize, CheckpointRow] = field(default_factory=dict)
    attestations: dict[TreeSize, tuple[AttestationRow, ...]] = field(default_factory=dict)
    intents: dict[int, IntentRow] = field(default_factory=dict)
    slots: dict[Nonce, SlotRow] = field(default_factory=dict)
    attempts: dict[TxHash, AttemptRow] = field(default_factory=dict)
    finals: dict[TxHash, AttemptFinalRow] = field(default_factory=dict)
    anchors: dict[TreeSize, AnchoredEvent] = field(default_factory=dict)
    sends: list[SendRow] = field(default_factory=list)
    evidence: list[EvidenceRow] = field(default_factory=list)
    sightings: dict[tuple[TxHash, PublicBlockHash], SightingRow] = field(default_factory=dict)
    wishes: list[WishRow] = field(default_factory=list)
    # derived
    sizes: list[TreeSize] = field(default_factory=list)
    anchored_sizes: list[TreeSize] = field(default_factory=list)
    anchors_by_tx: dict[TxHash, AnchoredEvent] = field(default_factory=dict)
    duties: set[tuple[IntentKind, int]] = field(default_factory=set)  # by size, or by set
    open_intents: set[int] = field(default_factory=set)
    fulfilled: dict[int, TxHash] = field(default_factory=dict)  # by intent: our final transaction that did it
    open_attempts: dict[Nonce, list[AttemptRow]] = field(default_factory=dict)  # of the open slots, ascending by fee
    costs: dict[int, dict[Nonce, Wei]] = field(default_factory=dict)  # by UTC day
    recent: deque[tuple[int, int, Outcome, UnixSeconds]] = field(
        default_factory=lambda: deque(maxlen=4 * RECENT_FINALS)
    )
    newest_gas: tuple[Nonce, int] | None = None


class MemoryJournal:
    """One process's hold on a store. Opening takes the lease, as a restart does."""

    def __init__(self, store: MemoryStore, holder: str, now: UnixSeconds) -> None:
        self._store = store
        self._epoch = store.lease.epoch + 1
        store.lease = LeaseRow(self._epoch, holder, UnixSeconds(now + LEASE_FOR))

    @property
    def epoch(self) -> int:
        return self._epoch

    # ── reads ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def view(self, now: UnixSeconds) -> JournalView:
        store = self._store
        nonces = tuple(sorted(store.open_attempts))
        attempts = tuple(sorted((a for n in nonces for a in store.open_attempts[n]), key=lambda a: a.max_fee))
        duties = sorted((store.intents[i] for i in store.open_intents), key=lambda i: (i.size, i.set_id or 0))
        intents = tuple(duty for duty in duties if duty.kind is IntentKind.ANCHOR)
        anchors = {a.tree_size: a for i in intents if (a := store.anchors.get(i.size)) is not None}
        anchors |= {a.tree_size: a for one in attempts if (a := store.anchors_by_tx.get(one.hash)) is not None}
        return JournalView(
            halted=store.control.halted,
            brake=store.control.brake,
            final_header=store.headers[next(reversed(store.headers))] if store.headers else None,
            open_nonces=nonces,
            attempts=attempts,
            open_intents=intents,
            anchors=anchors,
            newest_anchor=store.anchors[store.anchored_sizes[-1]] if store.anchored_sizes else None,
            head_spans={size: self._span(size) for size in {a.from_size for a in attempts}},
            unexplained_reverts=_reverts(store),
            usual_gas=None if store.newest_gas is None else store.newest_gas[1],
            today=dict(store.costs.get(now // DAY, {})),
            open_rotations=(rotations := tuple(duty for duty in duties if duty.kind is IntentKind.ROTATE)),
            rotated={duty.id: store.fulfilled[duty.id] for duty in rotations if duty.id in store.fulfilled},
            highest_nonce=max(store.slots, default=None),
            highest_closed=max((n for n in store.slots if not nonces or n < nonces[0]), default=None),
            sighted=frozenset(one for one in store.sightings if one[0] in {a.hash for a in attempts}),
            cancelled=frozenset(w.nonce for w in store.wishes if w.kind is WishKind.CANCEL and w.nonce in nonces),
            wishes={wish.nonce: wish for wish in store.wishes if self._is_open(wish)} if store.wishes else {},
        )

    def _is_open(self, wish: WishRow) -> bool:
        """Its nonce is open, and the dearest attempt is still the one it was made against."""
        rows = self._store.open_attempts.get(wish.nonce)
        return rows is not None and wish.against == (rows[-1].hash if rows else None)

    def _span(self, size: TreeSize) -> HeadSpan:
        """Without an anchor up to `size` the head stood there before our history begins."""
        store, at = self._store, bisect_left(self._store.anchored_sizes, size + 1)
        before, beyond = store.anchored_sizes[at - 1 : at], store.anchored_sizes[at : at + 1]
        first: PublicBlockNumber | None = PublicBlockNumber(0)
        if before:
            first = store.anchors[size].block.number if before[0] == size else None
        return HeadSpan(first, store.anchors[beyond[0]].block.number if beyond else None)

    def checkpoint(self, size: TreeSize) -> CheckpointRow | None:
        return self._store.checkpoints.get(size)

    def neighbours(self, size: TreeSize) -> tuple[CheckpointRow | None, CheckpointRow | None]:
        sizes, rows = self._store.sizes, self._store.checkpoints
        lower, upper = bisect_left(sizes, size), bisect_left(sizes, size + 1)
        return (rows[sizes[lower - 1]] if lower else None, rows[sizes[upper]] if upper < len(sizes) else None)

    def newest_checkpoint(self) -> CheckpointRow | None:
        return self._store.checkpoints[self._store.sizes[-1]] if self._store.sizes else None

    def attestations(self, size: TreeSize) -> Sequence[AttestationRow]:
        return self._store.attestations.get(size, ())

    def halt_evidence(self) -> str | None:
        return self._store.control.evidence

    def anchored_size(self) -> TreeSize | None:
        return self._store.anchored_sizes[-1] if self._store.anchored_sizes else None

    def dump(self) -> JournalDump:
        return dump_of(self._store)

    # ── writes ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _fenced(self) -> MemoryStore:
        """S6: looked at in the same commit, for nothing runs in between."""
        if self._store.lease.epoch != self._epoch:
            raise LeaseLost(held=self._epoch, current=self._store.lease.epoch)
        return self._store

    def renew(self, now: UnixSeconds) -> None:
        store = self._fenced()
        store.lease = LeaseRow(self._epoch, store.lease.holder, UnixSeconds(now + LEASE_FOR))

    def admit(self, checkpoint: CheckpointRow, attestations: Sequence[AttestationRow]) -> None:
        store = self._fenced()
        members = {row.member for row in attestations}
        _require(checkpoint.size >= 2 and checkpoint.size not in store.checkpoints, "a new checkpoint, size 2 or more")
        _require(len(members) == len(attestations), "one attestation of a member")
        _require({row.size for row in attestations} <= {checkpoint.size}, "attestations of this checkpoint")
        store.checkpoints[checkpoint.size] = checkpoint
        store.attestations[checkpoint.size] = tuple(sorted(attestations, key=lambda row: row.member))
        insort(store.sizes, checkpoint.size)

    def record_header(self, header: HeaderRow, anchors: Sequence[AnchoredEvent]) -> None:
        store = self._fenced()
        _require(header.number not in store.headers, "a new final header")
        _require(not any(a.tree_size in store.anchors for a in anchors), "new anchors")
        store.headers[header.number] = header
        for anchor in anchors:
            store.anchors[anchor.tree_size] = store.anchors_by_tx[anchor.tx_hash] = anchor
            insort(store.anchored_sizes, anchor.tree_size)

    def open_intent(self, checkpoint: CheckpointRow, now: UnixSeconds) -> None:
        _require(checkpoint.size in self._fenced().checkpoints, "an intent needs its checkpoint")
        self._open_duty(IntentKind.ANCHOR, checkpoint.size, checkpoint.root, checkpoint.digest, now)

    def open_rotation(self, set_id: SetId, set_hash: Digest, digest: Digest, now: UnixSeconds) -> None:
        self._open_duty(IntentKind.ROTATE, set_id, set_hash, digest, now)

    def _open_duty(self, kind: IntentKind, number: int, root: Digest, digest: Digest, now: UnixSeconds) -> None:
        store, is_anchor = self._fenced(), kind is IntentKind.ANCHOR
        _require((kind, number) not in store.duties, "one intent for a size, or for a set")
        row = IntentRow(
            id=len(store.intents) + 1,
            size=TreeSize(number if is_anchor else 0),
            root=root,
            digest=digest,
            state=IntentState.OPEN,
            opened_at=now,
            kind=kind,
            set_id=None if is_anchor else SetId(number),
        )
        store.intents[row.id] = row
        store.duties.add((kind, number))
        store.open_intents.add(row.id)

    def open_slot(self, nonce: Nonce) -> None:
        store = self._fenced()
        _require(nonce >= 0 and nonce not in store.slots, "a new slot")
        store.slots[nonce] = SlotRow(nonce, None, is_foreign=False)
        store.open_attempts[nonce] = []

    def add_attempt(self, attempt: AttemptRow, limits: SpendLimits) -> None:
        store = self._fenced()
        _require_affordable(store, attempt, limits)
        _require(attempt.nonce in store.open_attempts, "an attempt needs an open slot")
        _require(attempt.intent_id is None or attempt.intent_id in store.intents, "an attempt's intent is held")
        _require(attempt.hash not in store.attempts and attempt.tip <= attempt.max_fee, "a new attempt, a sound tip")
        same = store.open_attempts[attempt.nonce]
        _require(all(a.max_fee != attempt.max_fee for a in same), "another fee than the attempts before")
        row = replace(attempt, epoch=self._epoch)
        store.attempts[row.hash] = row
        insort(same, row, key=lambda a: a.max_fee)
        day = store.costs.setdefault(row.created_at // DAY, {})
        day[row.nonce] = Wei(max(day.get(row.nonce, 0), row.cost))
        if row.to_size > 0 and (store.newest_gas is None or row.nonce >= store.newest_gas[0]):
            store.newest_gas = (row.nonce, row.gas)

    def log_sends(self, sends: Sequence[SendRow]) -> None:
        store = self._fenced()
        _require(all(send.hash in store.attempts for send in sends), "what was sent is held")
        store.sends += [replace(send, message=send.message[:200]) for send in sends]

    def keep_evidence(self, rows: Sequence[EvidenceRow]) -> None:
        if rows:
            cut = [replace(row, wanted=row.wanted[:LONGEST], got=row.got[:LONGEST]) for row in rows]
            self._fenced().evidence += cut

    def keep_sightings(self, rows: Sequence[SightingRow]) -> None:
        if rows:
            store = self._fenced()
            _require(all(row.hash in store.attempts for row in rows), "what was seen is held")
            for row in rows:
                store.sightings.setdefault((row.hash, row.block_hash), row)

    def close_slot(self, slot: SlotRow, finals: Sequence[AttemptFinalRow], halted: HaltRow | None = None) -> None:
        store = self._fenced()
        _require(slot.nonce in store.open_attempts and slot.closed_hash is not None, "slot is not open")
        _require(all(f.hash in store.attempts and f.hash not in store.finals for f in finals), "new outcomes")
        store.slots[slot.nonce] = slot
        del store.open_attempts[slot.nonce]
        for final in finals:
            store.finals[final.hash] = final
            duty = store.attempts[final.hash].intent_id
            if final.outcome is Outcome.OK and duty is not None:
                store.fulfilled[duty] = final.hash
            if final.outcome is not Outcome.LOST and not final.reason:
                signed_at = store.attempts[final.hash].created_at
                store.recent.append((final.block_number, len(store.finals), final.outcome, signed_at))
        if halted is not None:
            self.halt(halted)

    def settle_intent(self, intent: IntentRow) -> None:
        store = self._fenced()
        _require(intent.id in store.open_intents, "intent is not open")
        _require(intent.settled_hash is not None and intent.state is not IntentState.OPEN, "a settled state, proven")
        _require(
            (intent.state is IntentState.FINALIZED) == (intent.settled_tx is not None), "FINALIZED names its anchor"
        )
        store.intents[intent.id] = replace(
            store.intents[intent.id],
            state=intent.state,
            settled_hash=intent.settled_hash,
            settled_tx=intent.settled_tx,
        )
        store.open_intents.remove(intent.id)

    def halt(self, halted: HaltRow) -> None:
        store = self._fenced()
        store.control = ControlRow(store.control.brake, halted.reason, halted.evidence, "plan", halted.at)


# ── beside the lease ─────────────────────────────────────────────────────────────────────────────────────────────────


def order(store: MemoryStore, brake: Brake, now: UnixSeconds) -> None:
    """A person sets the brake; no lease is needed (RELAYER §4.6)."""
    store.control = replace(store.control, brake=brake, by="a person", set_at=now)


def lift_halt(store: MemoryStore, now: UnixSeconds) -> None:
    """A person read the evidence."""
    newest = max((attempt.created_at for attempt in store.attempts.values()), default=UnixSeconds(0))
    store.control = ControlRow(store.control.brake, None, None, "a person", max(now, UnixSeconds(newest + 1)))


def dump_of(store: MemoryStore) -> JournalDump:
    """Every row, in the order of the journal in SQL."""

    def by(rows: Mapping[object, object], key: Callable[[object], object]) -> tuple[object, ...]:
        return tuple(sorted(rows.values(), key=key))  # type: ignore[type-var,arg-type]

    attestations = (row for size in store.sizes for row in store.attestations[size])
    return JournalDump(  # type: ignore[arg-type]
        scope=store.scope,
        headers=by(store.headers, lambda row: row.number),
        checkpoints=tuple(store.checkpoints[size] for size in store.sizes),
        attestations=tuple(sorted(attestations, key=lambda row: row.member)),
        intents=by(store.intents, lambda row: row.id),
        slots=by(store.slots, lambda row: row.nonce),
        attempts=by(store.attempts, lambda row: row.nonce),
        finals=by(store.finals, lambda row: row.hash),
        anchors=by(store.anchors, lambda row: row.block.number),
        sends=tuple(store.sends),
        wishes=tuple(store.wishes),
    )


# ── inside a commit ──────────────────────────────────────────────────────────────────────────────────────────────────


def _require(holds: bool, rule: str) -> None:
    if not holds:
        raise StoreBroken(store="memory", rule=rule)


def _require_affordable(store: MemoryStore, attempt: AttemptRow, limits: SpendLimits) -> None:
    """S7: each attempt, all open slots, the UTC day."""
    waiting = {nonce: max((a.cost for a in rows), default=0) for nonce, rows in store.open_attempts.items()}
    for rule, limit, others in (
        ("max_cost_per_anchor", limits.per_anchor, {}),
        ("balance", limits.available, waiting),
        ("daily_budget", limits.per_day, store.costs.get(attempt.created_at // DAY, {})),
    ):
        needed = Wei(attempt.cost + sum(cost for nonce, cost in others.items() if nonce != attempt.nonce))
        if needed > limit:
            raise SpendCapped(rule=rule, limit=limit, needed=needed)


def _reverts(store: MemoryStore) -> int:
    since = 0 if store.control.by == "plan" else store.control.set_at  # a person's newest order
    counted = (one for one in store.recent if one[3] >= since)
    newest = sorted(counted, key=lambda one: one[:2], reverse=True)[:RECENT_FINALS]
    return sum(1 for _ in takewhile(lambda one: one[2] is Outcome.REVERTED, newest))


_conforms: type[Journal] = MemoryJournal
