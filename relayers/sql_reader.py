"""What a journal holds, read in SQL: each method of the port sees one committed state."""

from collections.abc import Iterable, Sequence
from itertools import takewhile
from typing import Any, Final

from sqlalchemy import ColumnElement, RowMapping, Select, Table, bindparam, func, select
from sqlalchemy.engine import Connection

from hybrid_bridge.errors import BridgeError, StoreBroken
from hybrid_bridge.ports import AnchoredEvent
from hybrid_bridge.units import (
    MAX_U64,
    Nonce,
    PublicBlockNumber,
    TreeSize,
    TxHash,
    UnixSeconds,
    Wei,
)
from relayers import sql_events, sql_rows, sql_store
from relayers.journal import (
    AttestationRow,
    Brake,
    CheckpointRow,
    HeadSpan,
    IntentKind,
    JournalDump,
    JournalReader,
    JournalView,
    Scope,
)
from relayers.journal_place import JournalPlace
from relayers.sql_store import Store
from relayers.sql_tables import Stored

DAY: Final = 86_400
BY_PLAN: Final = "plan"  # in `control`, after a halt
RECENT_FINALS: Final = 8  # more than the plan's limit of reverts in a row

_T: Final = Stored.metadata.tables
CHAIN, LEASE, CONTROL, HEADER = _T["chain"], _T["lease"], _T["control"], _T["header"]
CHECKPOINT, ATTESTATION, INTENT, SLOT = _T["checkpoint"], _T["attestation"], _T["intent"], _T["slot"]
ATTEMPT, ATTEMPT_FINAL, SENDING, ANCHORED = _T["attempt"], _T["attempt_final"], _T["send_log"], _T["anchored"]
EVIDENCE, SIGHTING, WISH = _T["rpc_evidence"], _T["sighting"], _T["wish"]

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
NEWEST_GAS: Final = select(ATTEMPT.c.gas).where(ATTEMPT.c.to_size > 0).order_by(ATTEMPT.c.nonce.desc()).limit(1)
RECENT_OUTCOMES: Final = (  # of attempts signed since a person last gave an order: what came before was looked at
    select(ATTEMPT_FINAL.c.outcome)
    .join(ATTEMPT, ATTEMPT.c.hash == ATTEMPT_FINAL.c.hash)
    .where(ATTEMPT_FINAL.c.outcome != "LOST", ATTEMPT_FINAL.c.reason == "")
    .where(ATTEMPT.c.created_at >= bindparam("since"))
    .order_by(ATTEMPT_FINAL.c.block_number.desc())
    .limit(RECENT_FINALS)
)
ROTATED: Final = (  # what fulfilled an open rotation
    select(ATTEMPT.c.intent_id, ATTEMPT.c.hash)
    .join(ATTEMPT_FINAL, ATTEMPT_FINAL.c.hash == ATTEMPT.c.hash)
    .where(ATTEMPT_FINAL.c.outcome == "OK")
    .where(ATTEMPT.c.intent_id.in_(select(INTENT.c.id).where(INTENT.c.kind == "rotate", INTENT.c.state == "OPEN")))
)
HIGHEST_NONCE: Final = select(func.max(SLOT.c.nonce))
LOWEST_OPEN: Final = select(func.min(SLOT.c.nonce)).where(SLOT.c.state == "OPEN").scalar_subquery()
HIGHEST_CLOSED: Final = select(func.max(SLOT.c.nonce)).where(  # by indexes, which know the open ones alone
    SLOT.c.nonce < func.coalesce(LOWEST_OPEN, MAX_U64 + 1)
)
DEAREST: Final = select(ATTEMPT.c.hash).order_by(ATTEMPT.c.max_fee.desc()).limit(1)
SIGHTED: Final = select(SIGHTING.c.hash, SIGHTING.c.block_hash).where(
    SIGHTING.c.hash.in_(select(ATTEMPT.c.hash).where(ATTEMPT.c.nonce.in_(OPEN_NONCES)))
)
CANCELLED: Final = select(WISH.c.nonce).where(WISH.c.kind == "cancel", WISH.c.nonce.in_(OPEN_NONCES))
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
                unexplained_reverts=_reverts(connection, _since(control)),
                usual_gas=connection.execute(NEWEST_GAS).scalar(),
                today=today(connection, now),
                rotated=dict(_pairs(connection, ROTATED)),
                wishes={wish.nonce: wish for wish in map(sql_rows.wish, _rows(connection, WISHES))},
                cancelled=frozenset(connection.execute(CANCELLED).scalars()),
                highest_nonce=connection.execute(HIGHEST_NONCE).scalar(),
                highest_closed=connection.execute(HIGHEST_CLOSED).scalar(),
                sighted=frozenset((row.hash, row.block_hash) for row in connection.execute(SIGHTED)),
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

    def event_head(self) -> str:
        """Of the chain of events, as `audit verify --head` takes it."""
        with self._store.read() as connection:
            head = sql_events.head(connection)
        return f"{head.seq}:{head.digest.hex()}"

    def highest_nonce(self) -> Nonce | None:
        """Of all slots; None without any."""
        with self._store.read() as connection:
            nonce: Nonce | None = connection.execute(HIGHEST_NONCE).scalar()
            return nonce

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
                audit=sql_events.audit(connection),
            )


# ── inside a transaction ─────────────────────────────────────────────────────────────────────────────────────────────


def today(connection: Connection, now: UnixSeconds) -> dict[Nonce, Wei]:
    """The most each nonce's attempts of this UTC day can cost."""
    first = now // DAY * DAY
    return dearest(connection.execute(COSTS_BETWEEN, {"first": first, "end": first + DAY}))


def dearest(rows: Iterable[Any]) -> dict[Nonce, Wei]:
    """The most each nonce can cost. Multiplied here: a product of two SQL integers may overflow."""
    costs: dict[Nonce, Wei] = {}
    for nonce, gas, max_fee in rows:
        costs[nonce] = Wei(max(costs.get(nonce, 0), gas * max_fee))
    return costs


def _since(control: RowMapping) -> UnixSeconds:
    """When a person last gave an order; the beginning of time if what stands in `control` is the plan's halt."""
    return UnixSeconds(0 if control["by"] == BY_PLAN else control["set_at"])


def _reverts(connection: Connection, since: UnixSeconds) -> int:
    """Newest final attempts in a row that reverted for no known reason; lost races do not count."""
    outcomes = connection.execute(RECENT_OUTCOMES, {"since": since}).scalars()
    return sum(1 for _ in takewhile(lambda outcome: outcome == "REVERTED", outcomes))


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


def _pairs(connection: Connection, query: Select[Any]) -> list[tuple[int, TxHash]]:
    return [(one, TxHash(other)) for one, other in connection.execute(query)]


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
