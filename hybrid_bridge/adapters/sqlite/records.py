"""A member's private records: documents it holds, envelopes it still owes. Never in the ledger's file, never in a log.

A document goes in before its transaction is sent; its envelopes go in with it, in the same commit, and leave when the
transaction stands. It waits until our own ledger shows its entry, or has passed the last epoch in which it could:
nobody else's word makes us forget it. Erasing a person's data means deleting the document here (`erasing`); the ledger
keeps its commitments.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, func, select, update

from hybrid_bridge.adapters.sqlite.erasing import SqlErasures
from hybrid_bridge.adapters.sqlite.file import table_of
from hybrid_bridge.adapters.sqlite.moving import copy_rows
from hybrid_bridge.adapters.sqlite.promises import Promised, SqlPromises
from hybrid_bridge.adapters.sqlite.record_tables import OWED, OWED_INDEX, Outbox, Purpose, Record, Taken
from hybrid_bridge.adapters.sqlite.revisions import Moved, Steps, bring_forward
from hybrid_bridge.adapters.sqlite.store import Store, insert_new, put
from hybrid_bridge.errors import BridgeError, Erased, NotYet
from hybrid_bridge.units import Digest, EpochNumber, KeyId, LogId, TransactionId, UnixSeconds

SCHEMA: Final = "4"
STEPS: Final[Steps] = {3: OWED_INDEX.create}
MAX_ROWS: Final = 256  # of one answer
NEVER: Final = UnixSeconds(0)
WINDOW: Final = 3_600  # seconds in which one member may leave so much here; then it may again
MAX_DOCUMENTS: Final = 100_000
MAX_BYTES: Final = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRecord:
    """A document as stored."""

    number: int
    leaf: Digest
    schema: str
    source: str
    transaction_id: TransactionId | None
    plaintext: bytes = field(repr=False)  # empty once erased
    erased: UnixSeconds = NEVER
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """An envelope on its way."""

    number: int
    leaf: Digest
    recipient: str
    envelope: bytes = field(repr=False)
    attempts: int


_RECORD, _OUTBOX, _PURPOSE, _TAKEN = table_of(Record), table_of(Outbox), table_of(Purpose), table_of(Taken)
_KEEP, _KEEP_PURPOSE, _PUT_TAKEN = insert_new(_RECORD), insert_new(_PURPOSE), put(_TAKEN)
TABLES: Final = (Record, Outbox, Purpose, Taken, Promised)
INSERT_ONLY: Final = ("promised",)


class SqlRecords:
    """The store of documents and of envelopes."""

    def __init__(self, store: Store) -> None:
        self.file: Final = store
        self.promises: Final = SqlPromises(self.file)
        self.erasures: Final = SqlErasures(self.file)

    def create(self, log_id: LogId, owner: str) -> None:
        """Make the store."""
        self.file.create(TABLES, INSERT_ONLY, _facts(log_id, owner), lambda _: None)

    def copy_to(self, store: Store, log_id: LogId, owner: str) -> int:
        """Make another store with all that stands here; how many rows.

        Raises:
            StoreBroken, StoreAway: as `Store.create`; nothing was made.
        """
        copied: list[int] = []

        def fill(connection: Connection) -> None:
            copied.append(copy_rows(self.file, connection, TABLES))

        store.create(TABLES, INSERT_ONLY, _facts(log_id, owner), fill)
        return copied[0]

    def migrate(self, log_id: LogId, owner: str) -> Moved:
        """Bring a store of an older release to this one's schema, while no node runs. It is closed then.

        Raises:
            StoreInUse: another program has it.
            StoreBroken: missing, of another log or member, or no way leads from its schema.
            SchemaNewer: a newer release's.
        """
        facts = _facts(log_id, owner)
        return self.file.migrate(lambda connection: bring_forward(connection, self.file.name, facts, STEPS))

    def open(self, log_id: LogId, owner: str) -> None:
        """Take the store for this process, and finish the erasure in which an earlier one ended.

        Raises:
            StoreInUse: another program has it.
            StoreBroken: missing, damaged, of another schema, log or member.
        """
        self.file.open(_facts(log_id, owner), TABLES)
        try:
            self.erasures.finish()
        except BridgeError:
            self.close()
            raise

    def close(self) -> None:
        """Give the store up."""
        self.file.close()

    # ── documents ────────────────────────────────────────────────────────────────────────────────────────────────────

    def keep_own(
        self,
        record: StoredRecord,
        envelopes: Sequence[tuple[str, bytes]],
        waits_until: EpochNumber,
        now: UnixSeconds,
    ) -> None:
        """Commit our document and the envelopes it owes, before its transaction is sent.

        Again, under another sequence number or with more recipients: what is missing is added.

        Raises:
            Erased: it was erased here; nothing was done.
        """
        owed = {
            recipient: {
                "leaf": record.leaf,
                "recipient": recipient,
                "envelope": envelope,
                "attempts": 0,
                "due": now,
                "state": "owed",
                "acknowledgement": b"",
            }
            for recipient, envelope in envelopes
        }
        row = _row(record, now) | {"waits_until": waits_until}
        changed = {name: row[name] for name in ("transaction_id", "source", "waits_until")}
        with self.file.write() as connection:
            _require_not_erased(connection, record.leaf)
            again = update(_RECORD).where(_RECORD.c.leaf == record.leaf).values(**changed)
            if not connection.execute(again).rowcount:
                connection.execute(_RECORD.insert(), [row])
            known = select(_OUTBOX.c.recipient).where(_OUTBOX.c.leaf == record.leaf)
            missing = owed.keys() - set(connection.execute(known).scalars())
            if missing:
                connection.execute(_OUTBOX.insert(), [owed[name] for name in sorted(missing)])

    def waiting(self) -> list[tuple[Digest, EpochNumber]]:
        """Documents of ours whose entry we have not seen standing, and the last epoch in which it may."""
        query = select(_RECORD.c.leaf, _RECORD.c.waits_until).where(_RECORD.c.waits_until > 0)
        with self.file.read() as connection:
            return [(Digest(leaf), EpochNumber(until)) for leaf, until in connection.execute(query)]

    def stand(self, leaves: Sequence[Digest]) -> None:
        """These entries stand in our own ledger: their documents stay."""
        again = update(_RECORD).where(_RECORD.c.leaf == bindparam("stands")).values(waits_until=0)
        if leaves:
            with self.file.write() as connection:
                connection.execute(again, [{"stands": leaf} for leaf in leaves])

    def forget(self, leaf: Digest) -> None:
        """Delete a document and its envelopes: it can never stand. A tombstone stays."""
        with self.file.write() as connection:
            if connection.execute(_RECORD.delete().where(_RECORD.c.leaf == leaf, _RECORD.c.erased == 0)).rowcount:
                connection.execute(_OUTBOX.delete().where(_OUTBOX.c.leaf == leaf))

    def keep_received(self, record: StoredRecord, now: UnixSeconds) -> None:
        """Commit a delivered document; one that is here already stays, and costs its sender nothing.

        Raises:
            NotYet: its sender has left as much here as one may in a window; nothing was done.
            Erased: it was erased here; nothing was done.
        """
        with self.file.write() as connection:
            _require_not_erased(connection, record.leaf)
            if connection.execute(_KEEP, [_row(record, now)]).rowcount:
                _count(connection, record, now // WINDOW)

    def record(self, leaf: Digest) -> StoredRecord | None:
        """A document by its entry's leaf; None when it was never here.

        Raises:
            Erased: it was here.
        """
        with self.file.read() as connection:
            _require_not_erased(connection, leaf)
            row = connection.execute(select(_RECORD).where(_RECORD.c.leaf == leaf)).first()
        return None if row is None else _stored(row)

    def known(self, leaves: Sequence[Digest]) -> set[Digest]:
        """Those of these that are here, or were before they were erased."""
        found: set[Digest] = set()
        with self.file.read() as connection:
            for start in range(0, len(leaves), MAX_ROWS):
                query = select(_RECORD.c.leaf).where(_RECORD.c.leaf.in_(leaves[start : start + MAX_ROWS]))
                found |= {Digest(leaf) for leaf in connection.execute(query).scalars()}
        return found

    def records(self, after: int) -> list[StoredRecord]:
        """Documents numbered above `after`, ascending; what was erased stands among them, empty."""
        query = select(_RECORD).where(_RECORD.c.number > after).order_by(_RECORD.c.number).limit(MAX_ROWS)
        with self.file.read() as connection:
            return [_stored(row) for row in connection.execute(query)]

    def plaintexts(self) -> list[bytes]:
        """Every document that we hold."""
        query = select(_RECORD.c.plaintext).where(_RECORD.c.erased == 0).order_by(_RECORD.c.number)
        with self.file.read() as connection:
            return list(connection.execute(query).scalars())

    # ── keys ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def keep_purpose(self, key_id: KeyId, purpose: str) -> None:
        """Remember which purpose a party key was made for."""
        if self.purpose(key_id) is None:
            with self.file.write() as connection:
                row = {"key_id": key_id, "purpose": purpose}
                connection.execute(_KEEP_PURPOSE, [row])

    def purpose(self, key_id: KeyId) -> str | None:
        """What a party key is for; None when it is none of ours."""
        with self.file.read() as connection:
            return connection.execute(select(_PURPOSE.c.purpose).where(_PURPOSE.c.key_id == key_id)).scalar()

    # ── envelopes ────────────────────────────────────────────────────────────────────────────────────────────────────

    def owed(self, now: UnixSeconds, after: int = 0, without: Collection[str] = ()) -> list[Owed]:
        """Envelopes whose next attempt is due, behind the number `after`, ascending, at most `MAX_ROWS`.

        Args:
            now: they are due then.
            after: a number.
            without: recipients whose envelopes are left out.
        """
        query = select(_OUTBOX).where(OWED, _OUTBOX.c.due <= now, _OUTBOX.c.number > after)
        query = query.where(_OUTBOX.c.recipient.not_in(without))
        with self.file.read() as connection:
            rows = connection.execute(query.order_by(_OUTBOX.c.number).limit(MAX_ROWS)).all()
        return [
            Owed(
                number=row.number,
                leaf=Digest(row.leaf),
                recipient=row.recipient,
                envelope=row.envelope,
                attempts=row.attempts,
            )
            for row in rows
        ]

    def postpone(self, number: int, due: UnixSeconds) -> None:
        """An attempt failed; the next one is due then."""
        values = {"attempts": _OUTBOX.c.attempts + 1, "due": due}
        with self.file.write() as connection:
            connection.execute(update(_OUTBOX).where(_OUTBOX.c.number == number).values(**values))

    def hasten(self, numbers: Iterable[int], due: UnixSeconds) -> None:
        """Their next attempt is due then, however late it was to be; how many failed stays counted."""
        every = sorted(numbers)
        with self.file.write() as connection:
            for at in range(0, len(every), MAX_ROWS):
                chosen = _OUTBOX.c.number.in_(every[at : at + MAX_ROWS])
                late = _OUTBOX.c.state == "owed", _OUTBOX.c.due > due
                connection.execute(update(_OUTBOX).where(chosen, *late).values(due=due))

    def settle(self, number: int, acknowledgement: bytes) -> None:
        """Delivered: keep the recipient's signed acknowledgement instead of the envelope."""
        values = {"state": "done", "acknowledgement": acknowledgement, "envelope": b""}
        with self.file.write() as connection:
            connection.execute(update(_OUTBOX).where(_OUTBOX.c.number == number).values(**values))

    def decline(self, number: int) -> None:
        """Its recipient has erased this document and takes it no more: the envelope has no use."""
        values = {"state": "declined", "envelope": b""}
        with self.file.write() as connection:
            connection.execute(update(_OUTBOX).where(_OUTBOX.c.number == number).values(**values))

    def undelivered(self) -> int:
        """Envelopes still owed."""
        query = select(func.count()).select_from(_OUTBOX).where(OWED)
        with self.file.read() as connection:
            return connection.execute(query).scalar_one()


def _require_not_erased(connection: Connection, leaf: Digest) -> None:
    """Return if there is no tombstone of this entry.

    Raises:
        Erased: there is one.
    """
    since = connection.execute(select(_RECORD.c.erased).where(_RECORD.c.leaf == leaf)).scalar()
    if since:
        raise Erased(entry_leaf=leaf, since=UnixSeconds(since))


def _count(connection: Connection, record: StoredRecord, window: int) -> None:
    """Count a document against its sender.

    Raises:
        NotYet: no room in this window; the transaction around it is undone.
    """
    found = connection.execute(select(_TAKEN).where(_TAKEN.c.source == record.source, _TAKEN.c.window == window))
    before = found.first()
    documents, length = (0, 0) if before is None else (before.documents, before.bytes)
    row = {"window": window, "documents": documents + 1, "bytes": length + len(record.plaintext)}
    if row["documents"] > MAX_DOCUMENTS or row["bytes"] > MAX_BYTES:
        raise NotYet(what="room for more of your documents")
    connection.execute(_PUT_TAKEN, [row | {"source": record.source}])


def _row(record: StoredRecord, now: UnixSeconds) -> dict[str, object]:
    return {
        "leaf": record.leaf,
        "schema_name": record.schema,
        "source": record.source,
        "transaction_id": record.transaction_id or b"",
        "plaintext": record.plaintext,
        "since": now,
        "waits_until": 0,
        "erased": 0,
        "reason": "",
        "remains": 0,
    }


def _stored(row: Row[Any]) -> StoredRecord:
    return StoredRecord(
        number=row.number,
        leaf=Digest(row.leaf),
        schema=row.schema_name,
        source=row.source,
        transaction_id=TransactionId(row.transaction_id) if row.transaction_id else None,
        plaintext=row.plaintext,
        erased=UnixSeconds(row.erased),
        reason=row.reason,
    )


def _facts(log_id: LogId, owner: str) -> dict[str, str]:
    return {"kind": "records", "schema": SCHEMA, "log_id": log_id.hex(), "owner": owner}
