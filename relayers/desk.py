"""The operator's desk: what a person reads in a journal and orders through it, also while a relayer runs.

A person needs no lease. `Desk` reads; `Orders` writes one row, `control`, that no tick of the plan writes unless it
halts. So these two are beside S6, not against it: nothing they do can put bytes on the public chain.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from sqlalchemy import ColumnElement, Connection, Select, Table, delete, func, insert, select, update

from hybrid_bridge.core.encoding import Json, sha256
from hybrid_bridge.errors import NotYet, SettingsMalformed, StayHalted
from hybrid_bridge.ports import AnchoredEvent
from hybrid_bridge.units import Digest, Nonce, TreeSize, TxHash, UnixSeconds, Wei
from relayers import sql_events, sql_rows, sql_store, sqlite_store
from relayers.event_chain import Kind, Tally, replay
from relayers.journal import (
    AttemptFinalRow,
    AttemptRow,
    Brake,
    ControlRow,
    EvidenceRow,
    LeaseRow,
    Scope,
    SendRow,
    SightingRow,
    SlotRow,
    WishKind,
    WishRow,
)
from relayers.journal_place import JournalPlace, PostgresPlace, dump_command
from relayers.revisions import SCHEMA_VERSION
from relayers.sql_reader import (
    ANCHOR_BEYOND,
    ANCHORED,
    ATTEMPT,
    ATTEMPT_FINAL,
    CONTROL,
    DEAREST,
    EVIDENCE,
    LEASE,
    OPEN_NONCES,
    SENDING,
    SIGHTING,
    SLOT,
    WISH,
    SqlJournalReader,
)

MOST_EVIDENCE: Final = 1_000  # rows that are looked at


@dataclass(frozen=True, slots=True)
class SlotStory:
    """A nonce with everything that was signed for it."""

    slot: SlotRow
    attempts: tuple[AttemptRow, ...]  # oldest first
    finals: tuple[AttemptFinalRow, ...]
    wishes: tuple[WishRow, ...]  # oldest first, whether fulfilled or not


class Desk(SqlJournalReader):
    """Reads what only people ask for."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def control(self) -> ControlRow:
        """Brake and halt."""
        with self._store.read() as connection:
            row = connection.execute(select(CONTROL)).mappings().one()
            return ControlRow(Brake(row["brake"]), row["halted_reason"], row["evidence"], row["by"], row["set_at"])

    def lease(self) -> LeaseRow:
        """Who relays."""
        with self._store.read() as connection:
            row = connection.execute(select(LEASE)).mappings().one()
            return LeaseRow(row["epoch"], row["holder"], row["until"])

    def covering(self, size: TreeSize) -> AnchoredEvent | None:
        """The final anchor with the smallest size that is at least this one."""
        with self._store.read() as connection:
            rows = connection.execute(ANCHOR_BEYOND, {"size": size - 1}).mappings().all()
            return sql_rows.event(rows[0]) if rows else None

    def slots(self, newest: int) -> tuple[SlotStory, ...]:
        """So many slots with the highest nonces, the highest first."""
        return self._stories(select(SLOT).order_by(SLOT.c.nonce.desc()).limit(newest))

    def _stories(self, query: Select[Any]) -> tuple[SlotStory, ...]:
        with self._store.read() as connection:
            slots = [sql_rows.slot(row) for row in connection.execute(query).mappings()]
            wanted = ATTEMPT.c.nonce.in_([slot.nonce for slot in slots])
            attempts = select(ATTEMPT).where(wanted).order_by(ATTEMPT.c.max_fee)
            signed = [sql_rows.attempt(row) for row in connection.execute(attempts).mappings()]
            finals = select(ATTEMPT_FINAL).where(ATTEMPT_FINAL.c.hash.in_(select(ATTEMPT.c.hash).where(wanted)))
            wished = select(WISH).where(WISH.c.nonce.in_([slot.nonce for slot in slots])).order_by(WISH.c.id)
            wishes = [sql_rows.wish(row) for row in connection.execute(wished).mappings()]
            ended = {row["hash"]: sql_rows.attempt_final(row) for row in connection.execute(finals).mappings()}
        return tuple(_story(slot, signed, ended, wishes) for slot in slots)

    def slot(self, nonce: Nonce) -> SlotStory | None:
        """This slot; None where there is none."""
        return next((story for story in self._stories(select(SLOT).where(SLOT.c.nonce == nonce))), None)

    def sends(self, hashes: Sequence[TxHash]) -> tuple[SendRow, ...]:
        """What endpoints answered to these bytes, in order."""
        with self._store.read() as connection:
            query = select(SENDING).where(SENDING.c.hash.in_(hashes)).order_by(SENDING.c.id)
            return tuple(map(sql_rows.send, connection.execute(query).mappings()))

    def sightings(self, hashes: Sequence[TxHash]) -> tuple[SightingRow, ...]:
        """Where these were seen, final or not, in order."""
        with self._store.read() as connection:
            query = select(SIGHTING).where(SIGHTING.c.hash.in_(hashes))
            ordered = query.order_by(SIGHTING.c.seen_at, SIGHTING.c.block_number, SIGHTING.c.hash)
            return tuple(map(sql_rows.sighting, connection.execute(ordered).mappings()))

    def anchors(self, newest: int) -> tuple[AnchoredEvent, ...]:
        """So many final anchors with the largest sizes, the largest first."""
        with self._store.read() as connection:
            query = select(ANCHORED).order_by(ANCHORED.c.size.desc()).limit(newest)
            return tuple(map(sql_rows.event, connection.execute(query).mappings()))

    def costs(self, hashes: Sequence[TxHash]) -> dict[bytes, Wei | None]:
        """Those of them that are attempts of ours, with what was paid, where that is known."""
        with self._store.read() as connection:
            known = select(ATTEMPT.c.hash).where(ATTEMPT.c.hash.in_(hashes))
            costs: dict[bytes, Wei | None] = dict.fromkeys(connection.execute(known).scalars())
            paid = select(ATTEMPT_FINAL).where(ATTEMPT_FINAL.c.hash.in_(hashes), ATTEMPT_FINAL.c.price.is_not(None))
            for final in map(sql_rows.attempt_final, connection.execute(paid).mappings()):
                costs[final.hash] = Wei((final.gas_used or 0) * (final.price or 0))
            return costs

    def audit(self) -> tuple[Tally, tuple[str, ...]]:
        """The chain of events replayed from its beginning, and where rows differ from what it tells.

        Raises:
            FieldMismatch: the first event that is wrong.
        """
        with self._store.read() as connection:
            tally = replay(sql_events.rows(connection))
            return tally, sql_events.differences(connection, tally)

    def event_hash(self, seq: int) -> Digest | None:
        """Of one event."""
        with self._store.read() as connection:
            return sql_events.hash_at(connection, seq)

    def contradictions(self, since: UnixSeconds) -> tuple[EvidenceRow, ...]:
        """What endpoints said against the quorum, the newest of each endpoint."""
        query = select(EVIDENCE).where(EVIDENCE.c.seen_at >= since).order_by(EVIDENCE.c.id.desc()).limit(MOST_EVIDENCE)
        with self._store.read() as connection:
            rows = [sql_rows.evidence(row) for row in connection.execute(query).mappings()]
        return tuple({row.endpoint: row for row in reversed(rows)}.values())

    def backup(self, target: Path) -> int:
        """A whole and consistent copy, also while a relayer writes. Its size in bytes.

        Raises:
            SettingsMalformed: something stands there already, its folder does not exist, or the journal is no file.
            StoreBroken: the copy cannot be written, or is not sound.
        """
        if isinstance(self._place, PostgresPlace):
            raise SettingsMalformed(key="journal", rule=f"a file; this one is copied by {dump_command(self._place)}")
        return sqlite_store.copy(self._place, target, lambda partial: Desk(partial, self._scope).close())


class Orders(Desk):
    """Writes a person's orders. Each is one commit, durable on return; the next action of a tick obeys it."""

    def __init__(self, place: JournalPlace, scope: Scope) -> None:
        """Open an existing journal, which another process may hold.

        Raises:
            BridgeError: as `SqlJournalReader`.
        """
        super().__init__(place, scope, sql_store.ordering(place))

    @contextmanager
    def _ordering(self) -> Iterator[Connection]:
        """One writing transaction, in line with those of the relayer: the lease is locked, whoever holds it."""
        with self._store.write() as connection:
            connection.execute(select(LEASE.c.epoch).with_for_update()).scalar_one()
            yield connection

    def set_brake(self, brake: Brake, by: str, now: UnixSeconds) -> None:
        """From the next action on. What is at work at this moment, one send or one signature, still ends."""
        with self._ordering() as connection:
            sql_events.set_brake(connection, brake, by, now)

    def wish(self, nonce: Nonce, kind: WishKind, against: TxHash | None, by: str, now: UnixSeconds) -> None:
        """Leave it to the plan, which weighs it against money and brake. `against`: what the person saw as the dearest.

        Raises:
            NotYet: the nonce is not open, or another attempt is its dearest by now: look again.
        """
        where = SLOT.c.nonce == nonce, SLOT.c.state == "OPEN"
        with self._ordering() as connection:
            slot = connection.execute(select(SLOT).where(*where)).mappings().one_or_none()
            if slot is None:
                raise NotYet(what=f"an open nonce {nonce}")
            if connection.execute(DEAREST.where(ATTEMPT.c.nonce == nonce)).scalar() != against:
                raise NotYet(what=f"the attempt that was looked at, as the dearest of nonce {nonce}; look again")
            values = {"nonce": nonce, "kind": kind.value, "against": against, "by": by, "wished_at": now}
            connection.execute(insert(WISH).values(chain_uid=slot["chain_uid"], signer=slot["signer"], **values))
            told: dict[str, Json] = {"nonce": str(nonce), "wish": kind.value, "by": by}
            sql_events.append(connection, Kind.WISH, now, told | ({"against": against.hex()} if against else {}))

    def lift_halt(self, evidence: str, by: str, now: UnixSeconds) -> None:
        """Let the plan go on. If what it halted for still holds, the next tick halts again.

        Raises:
            StayHalted: this is not the evidence of the halt that stands.
        """
        with self._ordering() as connection:
            row = connection.execute(select(CONTROL)).mappings().one()
            if row["halted_reason"] is None or (row["evidence"] or "{}").strip() != evidence.strip():
                raise StayHalted(rule="the evidence of the halt that stands, whole")
            newest: UnixSeconds | None = connection.execute(select(func.max(ATTEMPT.c.created_at))).scalar()
            looked_at = now if newest is None else max(now, newest + 1)  # also at what a clock ahead of time signed
            connection.execute(update(CONTROL).values(halted_reason=None, evidence=None, by=by, set_at=looked_at))
            seen = sha256((row["evidence"] or "{}").encode()).hex()
            told: dict[str, Json] = {"reason": row["halted_reason"], "evidence": seen, "by": by}
            sql_events.append(connection, Kind.RESUMED, now, told)

    def prune(self, before: UnixSeconds, by: str, now: UnixSeconds) -> int:
        """Take out what was sent and seen before a moment, but for nonces that are open. How many rows went.

        The horizon stands in `control` in the same commit: only what lies before it the database lets go.
        """
        with self._ordering() as connection:
            horizon = connection.execute(select(CONTROL.c.pruned_before)).scalar_one()
            connection.execute(update(CONTROL).values(pruned_before=max(horizon, before)))
            gone = connection.execute(delete(SENDING).where(SENDING.c.sent_at < before, _is_over(SENDING))).rowcount
            gone += connection.execute(delete(SIGHTING).where(SIGHTING.c.seen_at < before, _is_over(SIGHTING))).rowcount
            sql_events.append(connection, Kind.PRUNED, now, {"before": int(before), "rows": gone, "by": by})
            return gone


def _is_over(table: Table) -> ColumnElement[bool]:
    still_open = select(ATTEMPT.c.hash).where(ATTEMPT.c.nonce.in_(OPEN_NONCES))
    return table.c.hash.not_in(still_open)


def migrate(place: JournalPlace, backup: Path, by: str, now: UnixSeconds) -> None:
    """Move a journal of an older schema to that of this program; its chain of events says so, or begins with it.

    Raises:
        BridgeError: as `sql_store.migrate`.
    """

    def tell(connection: Connection, version: int) -> None:
        told: dict[str, Json] = {"from": version, "to": SCHEMA_VERSION, "by": by}
        sql_events.append(connection, Kind.MIGRATED, now, told | sql_events.state(connection))

    sql_store.migrate(place, backup, tell)


def _story(
    slot: SlotRow, signed: list[AttemptRow], ended: dict[TxHash, AttemptFinalRow], wishes: list[WishRow]
) -> SlotStory:
    attempts = tuple(attempt for attempt in signed if attempt.nonce == slot.nonce)
    finals = tuple(ended[a.hash] for a in attempts if a.hash in ended)
    return SlotStory(slot, attempts, finals, tuple(wish for wish in wishes if wish.nonce == slot.nonce))
