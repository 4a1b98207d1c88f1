"""The journal in SQL: each writing method of the port is one commit, durable when it returns.

In a file, a process holds `<journal>.lock` for its life; whoever has the lock takes the lease with the next epoch, so a
restart never waits. In PostgreSQL a lease is taken when it ran out or was given back. Either way a woken former holder
can write nothing (S6).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import takewhile
from typing import Any, Final, Self

from sqlalchemy import ColumnElement, RowMapping, Select, Table, bindparam, func, insert, select, update
from sqlalchemy.engine import Connection

from hybrid_bridge.errors import BridgeError, LeaseLost, NotYet, SpendCapped, StoreBroken
from hybrid_bridge.ports import AnchoredEvent
from hybrid_bridge.units import (
    Digest,
    Nonce,
    PublicBlockNumber,
    Seconds,
    SetId,
    TreeSize,
    UnixSeconds,
    Wei,
)
from relayers import sql_rows, sql_store
from relayers.journal import (
    AttemptFinalRow,
    AttemptRow,
    AttestationRow,
    Brake,
    CheckpointRow,
    EvidenceRow,
    HeaderRow,
    HeadSpan,
    IntentKind,
    IntentRow,
    Journal,
    JournalDump,
    JournalReader,
    JournalView,
    Scope,
    SendRow,
    SightingRow,
    SlotRow,
    SpendLimits,
)
from relayers.journal_place import JournalPlace
from relayers.sql_store import Store
from relayers.sql_tables import Stored

LEASE_FOR: Final = Seconds(60)
DAY: Final = 86_400
RECENT_FINALS: Final = 8  # more than the plan's limit of reverts in a row

_T: Final = Stored.metadata.tables
CHAIN, LEASE, CONTROL, HEADER = _T["chain"], _T["lease"], _T["control"], _T["header"]
CHECKPOINT, ATTESTATION, INTENT, SLOT = _T["checkpoint"], _T["attestation"], _T["intent"], _T["slot"]
ATTEMPT, ATTEMPT_FINAL, SENDING, ANCHORED = _T["attempt"], _T["attempt_final"], _T["send_log"], _T["anchored"]
EVIDENCE, SIGHTING, WISH, EVENT = _T["rpc_evidence"], _T["sighting"], _T["wish"], _T["event_log"]
LONGEST_ANSWER: Final = 4096  # characters of an endpoint's answer that are kept

LAST_HEADER: Final = select(HEADER).order_by(HEADER.c.number.desc()).limit(1)
OPEN_NONCES: Final = select(SLOT.c.nonce).where(SLOT.c.state == "OPEN").order_by(SLOT.c.nonce)
OPEN_ATTEMPTS: Final = select(ATTEMPT).where(ATTEMPT.c.nonce.in_(OPEN_NONCES)).order_by(ATTEMPT.c.max_fee)
OPEN_INTENTS: Final = select(INTENT).where(INTENT.c.state == "OPEN").order_by(INTENT.c.size, INTENT.c.set_id)
WANTED_ANCHORS: Final = select(ANCHORED).where(
    ANCHORED.c.size.in_(select(INTENT.c.size).where(INTENT.c.state == "OPEN"))
    | ANCHORED.c.tx_hash.in_(select(ATTEMPT.c.hash).where(ATTEMPT.c.nonce.in_(OPEN_NONCES)))
)
NEWEST_ANCHOR: Final = select(ANCHORED).order_by(ANCHORED.c.size.desc()).limit(1)  # the head only grows
ANCHOR_UP_TO: Final = NEWEST_ANCHOR.where(ANCHORED.c.size <= bindparam("size"))
ANCHOR_BEYOND: Final = select(ANCHORED).where(ANCHORED.c.size > bindparam("size")).order_by(ANCHORED.c.size).limit(1)
NEWEST_GAS: Final = (
    select(ATTEMPT.c.gas).where(ATTEMPT.c.intent_id.is_not(None)).order_by(ATTEMPT.c.nonce.desc()).limit(1)
)
RECENT_OUTCOMES: Final = (
    select(ATTEMPT_FINAL.c.outcome)
    .where(ATTEMPT_FINAL.c.outcome != "LOST", ATTEMPT_FINAL.c.reason != "stale")
    .order_by(ATTEMPT_FINAL.c.block_number.desc())
    .limit(RECENT_FINALS)
)
DEAREST: Final = select(ATTEMPT.c.hash).order_by(ATTEMPT.c.max_fee.desc()).limit(1)
WISHES: Final = (  # of open nonces, whose dearest attempt is still the one that the wish was made against
    select(WISH)
    .where(WISH.c.nonce.in_(OPEN_NONCES))
    .where(WISH.c.against.is_not_distinct_from(DEAREST.where(ATTEMPT.c.nonce == WISH.c.nonce).scalar_subquery()))
    .order_by(WISH.c.id)
)
COSTS: Final = select(ATTEMPT.c.nonce, ATTEMPT.c.gas, ATTEMPT.c.max_fee)
COSTS_OPEN: Final = COSTS.where(ATTEMPT.c.nonce.in_(OPEN_NONCES))
COSTS_BETWEEN: Final = COSTS.where(ATTEMPT.c.created_at >= bindparam("first"), ATTEMPT.c.created_at < bindparam("end"))


def chain_uid(scope: Scope) -> str:
    """One (public chain, contract) pair."""
    return f"{scope.chain_id}:0x{scope.contract.hex()}"


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

    sql_store.create(place, fill)


class SqlJournalReader:
    """Reads a journal, also while another process writes it."""

    def __init__(self, place: JournalPlace, scope: Scope, store: Store | None = None) -> None:
        """Open an existing journal.

        Raises:
            StoreBroken: missing, empty, damaged, of another version, or another chain's, log's or key's.
            Unreachable, KeyUnusable: as `sql_store.reading`.
        """
        self._place, self._scope, self._uid = place, scope, chain_uid(scope)
        self._store = store or sql_store.reading(place)
        self._epoch = 0
        try:
            self._require_scope()
        except BridgeError:
            self._store.close()
            raise

    @property
    def epoch(self) -> int:
        """Of our lease; 0 for a reader."""
        return self._epoch

    def close(self) -> None:
        """Let go of it."""
        self._store.close()

    def _require_scope(self) -> None:
        with self._store.read() as connection:
            if _scope_of(connection) != self._scope:
                raise StoreBroken(store=self._store.name, rule="belongs to another chain, contract, log or gas key")

    # ── reads ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def view(self, now: UnixSeconds) -> JournalView:
        """See `JournalReader`."""
        with self._store.read() as connection:
            control = connection.execute(select(CONTROL)).mappings().one()
            headers = _rows(connection, LAST_HEADER)
            attempts = tuple(map(sql_rows.attempt, _rows(connection, OPEN_ATTEMPTS)))
            intents = tuple(map(sql_rows.intent, _rows(connection, OPEN_INTENTS)))
            return JournalView(
                halted=control["halted_reason"],
                brake=Brake(control["brake"]),
                final_header=sql_rows.header(headers[0]) if headers else None,
                open_nonces=tuple(connection.execute(OPEN_NONCES).scalars()),
                attempts=attempts,
                open_intents=tuple(intent for intent in intents if intent.kind is IntentKind.ANCHOR),
                open_rotations=tuple(intent for intent in intents if intent.kind is IntentKind.ROTATE),
                anchors={TreeSize(row["size"]): sql_rows.event(row) for row in _rows(connection, WANTED_ANCHORS)},
                newest_anchor=_anchor(connection, NEWEST_ANCHOR),
                head_spans={size: _span(connection, size) for size in {a.from_size for a in attempts}},
                unexplained_reverts=_reverts(connection),
                usual_gas=connection.execute(NEWEST_GAS).scalar(),
                today=_today(connection, now),
                wishes={wish.nonce: wish for wish in map(sql_rows.wish, _rows(connection, WISHES))},
            )

    def checkpoint(self, size: TreeSize) -> CheckpointRow | None:
        """See `JournalReader`."""
        with self._store.read() as connection:
            return _one_checkpoint(connection, CHECKPOINT.c.size == size, CHECKPOINT.c.size)

    def neighbours(self, size: TreeSize) -> tuple[CheckpointRow | None, CheckpointRow | None]:
        """See `JournalReader`."""
        with self._store.read() as connection:
            return (
                _one_checkpoint(connection, CHECKPOINT.c.size < size, CHECKPOINT.c.size.desc()),
                _one_checkpoint(connection, CHECKPOINT.c.size > size, CHECKPOINT.c.size),
            )

    def newest_checkpoint(self) -> CheckpointRow | None:
        """See `JournalReader`."""
        with self._store.read() as connection:
            return _one_checkpoint(connection, CHECKPOINT.c.size > 0, CHECKPOINT.c.size.desc())

    def attestations(self, size: TreeSize) -> Sequence[AttestationRow]:
        """See `JournalReader`."""
        with self._store.read() as connection:
            rows = _rows(
                connection, select(ATTESTATION).where(ATTESTATION.c.size == size).order_by(ATTESTATION.c.member)
            )
            return tuple(map(sql_rows.attestation, rows))

    def halt_evidence(self) -> str | None:
        """The JSON text that `halt` stored."""
        with self._store.read() as connection:
            text: str | None = connection.execute(select(CONTROL.c.evidence)).scalar()
            return text

    def anchored_size(self) -> TreeSize | None:
        """The largest size that is final on the public chain."""
        with self._store.read() as connection:
            size: TreeSize | None = connection.execute(select(func.max(ANCHORED.c.size))).scalar()
            return size

    def dump(self) -> JournalDump:
        """See `JournalReader`."""
        with self._store.read() as connection:
            return JournalDump(
                scope=self._scope,
                headers=tuple(map(sql_rows.header, _all(connection, HEADER, HEADER.c.number))),
                checkpoints=tuple(map(sql_rows.checkpoint, _all(connection, CHECKPOINT, CHECKPOINT.c.size))),
                attestations=tuple(map(sql_rows.attestation, _all(connection, ATTESTATION, ATTESTATION.c.member))),
                intents=tuple(map(sql_rows.intent, _all(connection, INTENT, INTENT.c.id))),
                slots=tuple(map(sql_rows.slot, _all(connection, SLOT, SLOT.c.nonce))),
                attempts=tuple(map(sql_rows.attempt, _all(connection, ATTEMPT, ATTEMPT.c.nonce))),
                finals=tuple(map(sql_rows.attempt_final, _all(connection, ATTEMPT_FINAL, ATTEMPT_FINAL.c.hash))),
                anchors=tuple(map(sql_rows.event, _all(connection, ANCHORED, ANCHORED.c.block_number))),
                sends=tuple(map(sql_rows.send, _all(connection, SENDING, SENDING.c.id))),
                wishes=tuple(map(sql_rows.wish, _all(connection, WISH, WISH.c.id))),
            )


class SqlJournal(SqlJournalReader):
    """Writes a journal; one process at a time."""

    def __init__(self, place: JournalPlace, scope: Scope, holder: str, now: UnixSeconds) -> None:
        """Open an existing journal and take its lease with the next epoch.

        Raises:
            NotYet: another process has it.
            BridgeError: as `SqlJournalReader`.
        """
        super().__init__(place, scope, sql_store.holding(place))
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
            connection.execute(update(LEASE).values(epoch=epoch, holder=holder, until=clock + LEASE_FOR))
        self._epoch = epoch

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

    # ── writes ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def renew(self, now: UnixSeconds) -> None:
        """See `Journal`."""
        with self._fenced() as connection:
            connection.execute(update(LEASE).values(until=self._store.clock(connection, now) + LEASE_FOR))

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

    def close_slot(self, slot: SlotRow, finals: Sequence[AttemptFinalRow]) -> None:
        """See `Journal`."""
        closed = {"state": "CLOSED", "closed_hash": slot.closed_hash, "is_foreign": int(slot.is_foreign)}
        with self._fenced() as connection:
            for final in finals:
                connection.execute(
                    insert(ATTEMPT_FINAL).values(**sql_rows.columns(final) | {"outcome": final.outcome.value})
                )
            self._change(connection, SLOT, closed, SLOT.c.nonce == slot.nonce)

    def settle_intent(self, intent: IntentRow) -> None:
        """See `Journal`."""
        settled = {
            "state": intent.state.value,
            "settled_hash": intent.settled_hash,
            "settled_tx": intent.settled_tx,
        }
        with self._fenced() as connection:
            self._change(connection, INTENT, settled, INTENT.c.id == intent.id)

    def halt(self, reason: str, evidence: str, now: UnixSeconds) -> None:
        """See `Journal`."""
        with self._fenced() as connection:
            connection.execute(update(CONTROL).values(halted_reason=reason, evidence=evidence, by="plan", set_at=now))

    def _change(
        self, connection: Connection, table: Table, values: Mapping[str, Any], where: ColumnElement[bool]
    ) -> None:
        """A change of state happens once, from OPEN."""
        if connection.execute(update(table).where(where, table.c.state == "OPEN").values(**values)).rowcount != 1:
            raise StoreBroken(store=self._store.name, rule=f"{table.name} is not open")


# ── inside a transaction ─────────────────────────────────────────────────────────────────────────────────────────────


def _require_affordable(connection: Connection, attempt: AttemptRow, limits: SpendLimits) -> None:
    """S7: each attempt, all open slots, the UTC day."""
    for rule, limit, others in (
        ("max_cost_per_anchor", limits.per_anchor, {}),
        ("balance", limits.available, _dearest(connection.execute(COSTS_OPEN))),
        ("daily_budget", limits.per_day, _today(connection, attempt.created_at)),
    ):
        needed = attempt.cost + sum(cost for nonce, cost in others.items() if nonce != attempt.nonce)
        if needed > limit:
            raise SpendCapped(rule=rule, limit=limit, needed=needed)


def _today(connection: Connection, now: UnixSeconds) -> dict[Nonce, Wei]:
    first = now // DAY * DAY
    return _dearest(connection.execute(COSTS_BETWEEN, {"first": first, "end": first + DAY}))


def _dearest(rows: Iterable[Any]) -> dict[Nonce, Wei]:
    """The most each nonce can cost. Multiplied here: a product of two SQL integers may overflow."""
    costs: dict[Nonce, Wei] = {}
    for nonce, gas, max_fee in rows:
        costs[nonce] = Wei(max(costs.get(nonce, 0), gas * max_fee))
    return costs


def _reverts(connection: Connection) -> int:
    """Newest final attempts in a row that reverted for no known reason; lost races do not count."""
    return sum(
        1 for _ in takewhile(lambda outcome: outcome == "REVERTED", connection.execute(RECENT_OUTCOMES).scalars())
    )


def _span(connection: Connection, size: TreeSize) -> HeadSpan:
    """Without an anchor up to `size` the head stood there before our history begins: a log starts without one."""
    before, after = (_anchor(connection, query, size=size) for query in (ANCHOR_UP_TO, ANCHOR_BEYOND))
    first = PublicBlockNumber(0) if before is None else before.block.number if before.tree_size == size else None
    return HeadSpan(first, None if after is None else after.block.number)


def _anchor(connection: Connection, query: Select[Any], **values: int) -> AnchoredEvent | None:
    rows = connection.execute(query, values).mappings().all()
    return sql_rows.event(rows[0]) if rows else None


def _rows(connection: Connection, query: Select[Any]) -> Sequence[RowMapping]:
    return connection.execute(query).mappings().all()


def _all(connection: Connection, table: Table, order: ColumnElement[Any]) -> Sequence[RowMapping]:
    return _rows(connection, select(table).order_by(order))


def _one_checkpoint(
    connection: Connection, where: ColumnElement[bool], order: ColumnElement[Any]
) -> CheckpointRow | None:
    rows = _rows(connection, select(CHECKPOINT).where(where).order_by(order).limit(1))
    return sql_rows.checkpoint(rows[0]) if rows else None


def _scope_of(connection: Connection) -> Scope:
    row = connection.execute(select(CHAIN)).mappings().one()
    return Scope(**{name: row[name] for name in Scope.__slots__})


_reader: type[JournalReader] = SqlJournalReader
_writer: type[Journal] = SqlJournal
