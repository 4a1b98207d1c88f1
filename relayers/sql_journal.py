"""The journal in SQL: each writing method of the port is one commit, durable when it returns.

In a file, a process holds `<journal>.lock` for its life; whoever has the lock takes the lease with the next epoch, so a
restart never waits. In PostgreSQL a lease is taken when it ran out or was given back. Either way a woken former holder
can write nothing (S6).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final, Self

from sqlalchemy import ColumnElement, Table, insert, select, update
from sqlalchemy.engine import Connection

from hybrid_bridge.core.encoding import Json, sha256
from hybrid_bridge.errors import BridgeError, FieldMismatch, LeaseLost, NotYet, SpendCapped, StoreBroken
from hybrid_bridge.ports import AnchoredEvent
from hybrid_bridge.units import (
    Digest,
    Nonce,
    Seconds,
    SetId,
    UnixSeconds,
)
from relayers import sql_events, sql_rows, sql_store
from relayers.event_chain import Kind, replay
from relayers.journal import (
    AttemptFinalRow,
    AttemptRow,
    AttestationRow,
    Brake,
    CheckpointRow,
    EvidenceRow,
    HaltRow,
    HeaderRow,
    IntentRow,
    Journal,
    Scope,
    SendRow,
    SightingRow,
    SlotRow,
    SpendLimits,
)
from relayers.journal_place import JournalPlace
from relayers.revisions import SCHEMA_VERSION
from relayers.sql_reader import (
    ANCHORED,
    ATTEMPT,
    ATTEMPT_FINAL,
    ATTESTATION,
    BY_PLAN,
    CHAIN,
    CHECKPOINT,
    CONTROL,
    COSTS_OPEN,
    EVIDENCE,
    HEADER,
    INTENT,
    LEASE,
    SENDING,
    SIGHTING,
    SLOT,
    SqlJournalReader,
    chain_uid,
    dearest,
    today,
)

__all__ = ("SqlJournal", "SqlJournalReader", "chain_uid", "create_journal")

LEASE_FOR: Final = Seconds(60)
VERIFIED_EVERY: Final = 1_000  # events that a start replays before it marks them
LONGEST_ANSWER: Final = 4096  # characters of an endpoint's answer that are kept


def create_journal(place: JournalPlace, scope: Scope, now: UnixSeconds) -> None:
    """Make an empty journal for `scope`, whole or not at all. Never in passing: only `init` calls this.

    Raises:
        SettingsMalformed: its folder does not exist.
        StoreBroken: there is one already, or it cannot be made.
        NotYet: another process is about to make or use it.
        Unreachable, KeyUnusable: as `sql_store.reading`.
    """

    def fill(connection: Connection) -> None:
        uid = chain_uid(scope)
        named = {name: getattr(scope, name) for name in Scope.__slots__}
        connection.execute(insert(CHAIN).values(chain_uid=uid, **named))
        connection.execute(insert(LEASE).values(chain_uid=uid, signer=scope.signer, epoch=0, holder="", until=0))
        connection.execute(insert(CONTROL).values(chain_uid=uid, brake="run", by="init", set_at=now))
        sql_events.append(connection, Kind.MADE, now, {"schema": SCHEMA_VERSION, "chain": uid})

    sql_store.create(place, fill)


class SqlJournal(SqlJournalReader):
    """Writes a journal; one process at a time."""

    def __init__(self, place: JournalPlace, scope: Scope, holder: str, now: UnixSeconds) -> None:
        """Open an existing journal and take its lease with the next epoch.

        Raises:
            NotYet: another process has it.
            BridgeError: as `SqlJournalReader`.
        """
        super().__init__(place, scope, sql_store.holding(place))
        self._now = now  # of the newest renewal: what happens in a tick has its time
        try:
            self._take_lease(holder, now)
        except BridgeError:
            self._store.close()
            raise

    def _take_lease(self, holder: str, now: UnixSeconds) -> None:
        with self._store.write() as connection:
            lease = connection.execute(select(LEASE).with_for_update()).mappings().one()
            clock = self._store.clock(connection, now)
            if lease["until"] > clock and not self._store.is_held:
                raise NotYet(what=f"the lease, which {lease['holder']} holds for {lease['until'] - clock} s more")
            epoch: int = lease["epoch"] + 1
            unmarked = self._require_sound_chain(connection)
            connection.execute(update(LEASE).values(epoch=epoch, holder=holder, until=clock + LEASE_FOR))
            if unmarked >= VERIFIED_EVERY:
                sql_events.append(connection, Kind.VERIFIED, now, {})
            sql_events.append(connection, Kind.LEASE, now, {"epoch": epoch, "holder": holder})
        self._epoch = epoch

    def _require_sound_chain(self, connection: Connection) -> int:
        """From the newest mark on; how many events that were. All of it is replayed by `audit verify` and `fsck`."""
        start = sql_events.verified(connection)
        try:
            return replay(sql_events.rows(connection, start.seq), start).head.seq - start.seq
        except FieldMismatch as error:
            words = (
                f"a whole chain of events, not one broken at {error.field}; `audit verify` says more, see the runbook"
            )
            raise StoreBroken(store=self._store.name, rule=words) from error

    def _tell(self, connection: Connection, kind: Kind, /, **facts: Json) -> None:
        """In the commit that does it."""
        sql_events.append(connection, kind, self._now, facts)

    def close(self) -> None:
        """Let go of it; whoever stands by need not wait for the lease to run out."""
        if not self._store.is_held:
            with suppress(BridgeError), self._fenced() as connection:
                connection.execute(update(LEASE).values(until=0))
        super().close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _fenced(self) -> Iterator[Connection]:
        """One writing transaction that began by finding the lease ours (S6), and keeps it so to its end."""
        with self._store.write() as connection:
            current: int = connection.execute(select(LEASE.c.epoch).with_for_update()).scalar_one()
            if current != self._epoch:
                raise LeaseLost(held=self._epoch, current=current)
            yield connection

    def retire(self, by: str, now: UnixSeconds) -> None:
        """Begin nothing new, whoever resumed it; a harder brake that a person set stays.

        By the connection that writes: a second one on a journal in a file would cost this process its locks on it.
        """
        with self._fenced() as connection:
            if Brake(connection.execute(select(CONTROL.c.brake)).scalar_one()) in {Brake.RUN, Brake.SOFT}:
                sql_events.set_brake(connection, Brake.DRAIN, by, now)

    # ── writes; those that decide something with their event ─────────────────────────────────────────────────────────

    def renew(self, now: UnixSeconds) -> None:
        """See `Journal`."""
        with self._fenced() as connection:
            connection.execute(update(LEASE).values(until=self._store.clock(connection, now) + LEASE_FOR))
        self._now = now

    def admit(self, checkpoint: CheckpointRow, attestations: Sequence[AttestationRow]) -> None:
        """See `Journal`."""
        values = sql_rows.columns(checkpoint) | {"consistency": b"".join(checkpoint.consistency)}
        with self._fenced() as connection:
            connection.execute(insert(CHECKPOINT).values(log_id=self._scope.log_id, **values))
            for attestation in attestations:
                connection.execute(
                    insert(ATTESTATION).values(log_id=self._scope.log_id, **sql_rows.columns(attestation))
                )

    def record_header(self, header: HeaderRow, anchors: Sequence[AnchoredEvent]) -> None:
        """See `Journal`."""
        with self._fenced() as connection:
            connection.execute(insert(HEADER).values(chain_uid=self._uid, **sql_rows.columns(header)))
            for anchor in anchors:
                connection.execute(insert(ANCHORED).values(chain_uid=self._uid, **sql_rows.event_columns(anchor)))

    def open_intent(self, checkpoint: CheckpointRow, now: UnixSeconds) -> None:
        """See `Journal`."""
        values = {"size": checkpoint.size, "root": checkpoint.root, "digest": checkpoint.digest}
        self._open_duty(kind="anchor", opened_at=now, **values)

    def open_rotation(self, set_id: SetId, set_hash: Digest, digest: Digest, now: UnixSeconds) -> None:
        """See `Journal`."""
        self._open_duty(kind="rotate", opened_at=now, set_id=set_id, root=set_hash, digest=digest)

    def _open_duty(self, **values: object) -> None:
        fixed = {"chain_uid": self._uid, "log_id": self._scope.log_id, "state": "OPEN"}
        with self._fenced() as connection:
            connection.execute(insert(INTENT).values(**fixed, **values))
            self._tell(
                connection, Kind.INTENT_OPENED, duty=str(values["kind"]), **_told(values, "size", "set_id", "digest")
            )

    def open_slot(self, nonce: Nonce) -> None:
        """See `Journal`."""
        values = {"nonce": nonce, "state": "OPEN", "is_foreign": 0, "epoch": self._epoch}
        with self._fenced() as connection:
            connection.execute(insert(SLOT).values(chain_uid=self._uid, signer=self._scope.signer, **values))

    def add_attempt(self, attempt: AttemptRow, limits: SpendLimits) -> None:
        """See `Journal`."""
        with self._fenced() as connection:
            _require_affordable(connection, attempt, limits)
            values = sql_rows.columns(attempt) | {"epoch": self._epoch}
            is_open = select(SLOT.c.nonce).where(SLOT.c.nonce == attempt.nonce, SLOT.c.state == "OPEN")
            if connection.execute(is_open).scalar() is None:
                raise StoreBroken(store=self._store.name, rule="an attempt needs an open slot")
            connection.execute(insert(ATTEMPT).values(chain_uid=self._uid, signer=self._scope.signer, **values))
            named = ("hash", "nonce", "to_size", "max_fee", "tip", "gas")
            self._tell(connection, Kind.ATTEMPT, **_told(values, *named))

    def log_sends(self, sends: Sequence[SendRow]) -> None:
        """See `Journal`."""
        with self._fenced() as connection:
            for send in sends:
                connection.execute(insert(SENDING).values(**sql_rows.columns(send) | {"message": send.message[:200]}))

    def keep_evidence(self, rows: Sequence[EvidenceRow]) -> None:
        """See `Journal`."""
        if not rows:
            return
        with self._fenced() as connection:
            for row in rows:
                cut = {"wanted": row.wanted[:LONGEST_ANSWER], "got": row.got[:LONGEST_ANSWER]}
                connection.execute(insert(EVIDENCE).values(**sql_rows.columns(row) | cut))

    def keep_sightings(self, rows: Sequence[SightingRow]) -> None:
        """See `Journal`."""
        if not rows:
            return
        with self._fenced() as connection:
            for row in rows:
                known = select(SIGHTING.c.hash).where(
                    SIGHTING.c.hash == row.hash, SIGHTING.c.block_hash == row.block_hash
                )
                if connection.execute(known).scalar() is None:
                    connection.execute(insert(SIGHTING).values(**sql_rows.columns(row)))

    def close_slot(self, slot: SlotRow, finals: Sequence[AttemptFinalRow], halted: HaltRow | None = None) -> None:
        """See `Journal`."""
        closed = {"state": "CLOSED", "closed_hash": slot.closed_hash, "is_foreign": int(slot.is_foreign)}
        with self._fenced() as connection:
            for final in finals:
                connection.execute(
                    insert(ATTEMPT_FINAL).values(**sql_rows.columns(final) | {"outcome": final.outcome.value})
                )
            self._change(connection, SLOT, closed, SLOT.c.nonce == slot.nonce)
            outcomes: dict[str, Json] = {final.hash.hex(): final.outcome.value for final in finals}
            told = _told(closed, "closed_hash", "is_foreign")
            self._tell(connection, Kind.SLOT_CLOSED, nonce=slot.nonce, outcomes=outcomes, **told)
            if halted is not None:
                self._halt(connection, halted)

    def settle_intent(self, intent: IntentRow) -> None:
        """See `Journal`."""
        settled = {
            "state": intent.state.value,
            "settled_hash": intent.settled_hash,
            "settled_tx": intent.settled_tx,
        }
        with self._fenced() as connection:
            self._change(connection, INTENT, settled, INTENT.c.id == intent.id)
            told = _told(settled, "state", "settled_hash", "settled_tx")
            self._tell(connection, Kind.INTENT_SETTLED, digest=intent.digest.hex(), **told)

    def halt(self, halted: HaltRow) -> None:
        """See `Journal`."""
        with self._fenced() as connection:
            self._halt(connection, halted)

    def _halt(self, connection: Connection, halted: HaltRow) -> None:
        reason, evidence = halted.reason, halted.evidence
        stands = {"halted_reason": reason, "evidence": evidence, "by": BY_PLAN, "set_at": halted.at}
        connection.execute(update(CONTROL).values(**stands))
        self._tell(connection, Kind.HALT, reason=reason, evidence=sha256(evidence.encode()).hex())

    def _change(
        self, connection: Connection, table: Table, values: Mapping[str, Any], where: ColumnElement[bool]
    ) -> None:
        """A change of state happens once, from OPEN."""
        if connection.execute(update(table).where(where, table.c.state == "OPEN").values(**values)).rowcount != 1:
            raise StoreBroken(store=self._store.name, rule=f"{table.name} is not open")


def _told(values: Mapping[str, Any], *names: str) -> dict[str, Json]:
    """These columns as an event tells them: bytes in hex, integers that may pass 2^53 as text, nothing for NULL."""
    found = {name: values[name] for name in names if values.get(name) is not None}
    return {name: value.hex() if isinstance(value, bytes) else str(value) for name, value in found.items()}


def _require_affordable(connection: Connection, attempt: AttemptRow, limits: SpendLimits) -> None:
    """S7: each attempt, all open slots, the UTC day."""
    for rule, limit, others in (
        ("max_cost_per_anchor", limits.per_anchor, {}),
        ("balance", limits.available, dearest(connection.execute(COSTS_OPEN))),
        ("daily_budget", limits.per_day, today(connection, attempt.created_at)),
    ):
        needed = attempt.cost + sum(cost for nonce, cost in others.items() if nonce != attempt.nonce)
        if needed > limit:
            raise SpendCapped(rule=rule, limit=limit, needed=needed)


_writer: type[Journal] = SqlJournal
