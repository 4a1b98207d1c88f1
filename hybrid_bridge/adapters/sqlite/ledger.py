"""Blocks, transactions and state of the ledger: what this member has executed itself.

One block is one commit: block, state, entries, labels, events, governance records and our countersignature stand or
fall together. Reads see the last commit. The other parts of the same file are in `epochs` and `witness`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, Table, bindparam, func, select

from hybrid_bridge.adapters.sqlite import tables
from hybrid_bridge.adapters.sqlite.epochs import ClosedEpoch, add_epoch
from hybrid_bridge.adapters.sqlite.file import table_of
from hybrid_bridge.adapters.sqlite.moving import copy_rows
from hybrid_bridge.adapters.sqlite.revisions import Moved, Steps, bring_forward
from hybrid_bridge.adapters.sqlite.store import Store, insert_new
from hybrid_bridge.business.brake import brake_until
from hybrid_bridge.business.ruling import LifeEvent
from hybrid_bridge.core.block import HEADER_BYTES, Block, BlockHeader, Countersignature
from hybrid_bridge.core.encoding import canonical_json, parse_canonical_json
from hybrid_bridge.core.ledger_state import StateReader, Write
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.snapshot import OrderedBlock
from hybrid_bridge.core.transaction import BeaconPayload
from hybrid_bridge.errors import StoreBroken, Unknown
from hybrid_bridge.steps.commit import BlockOutcome
from hybrid_bridge.units import Commitment, Digest, Height, LogId, RegistryIndex, TransactionId, TreeSize

SCHEMA: Final = "3"
STEPS: Final[Steps] = {}  # the first released schema is the present one
CHUNK: Final = 64  # blocks read at once
MAX_LIFE_STATE: Final = 1 << 16  # bytes; a life label's value is shorter still

_BLOCK, _ITEM, _ENTRY = table_of(tables.Block), table_of(tables.Item), table_of(tables.Entry)
_LABEL, _LIFE = table_of(tables.IdentityLabel), table_of(tables.LifeEvent)
_GOVERNANCE, _BEACON = table_of(tables.Governance), table_of(tables.Beacon)
_COUNTERSIGNED, _DECIDED = table_of(tables.Countersigned), table_of(tables.Decided)
_HEARD: Final = insert_new(_COUNTERSIGNED)
_WORTH: Final = {  # raw statements: this is what is asked and written most
    "sqlite": "SELECT value FROM state WHERE key = ?",
    "postgresql": "SELECT value FROM state WHERE key = %s",
}
# Both rise together, so this is found in the index; the least height would be looked for among those of all epochs.
_LATER: Final = select(_BLOCK.c.height).where(_BLOCK.c.epoch > bindparam("epoch"))
_FIRST_AFTER: Final = _LATER.order_by(_BLOCK.c.epoch, _BLOCK.c.height).limit(1)
_PUT: Final = "INSERT INTO state (key, value) {} ON CONFLICT (key) DO UPDATE SET value = excluded.value"


@dataclass(frozen=True, slots=True)
class StoredBlock:
    """A block's bytes and the sequencer's countersignature, as they travel."""

    data: bytes
    sealed: bytes


@dataclass(frozen=True, slots=True)
class DecidedBlock:
    """What a consensus engine calls a block that it decided, and what we answered it."""

    height: Height
    hash: Digest
    app_hash: Digest  # of the four below (SPEC §5)
    chain: Digest
    governance_size: TreeSize
    governance_root: Digest
    writes: Digest


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a transaction stands."""

    height: Height
    position: int
    code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochMaterial:
    """What the blocks of one epoch brought: entries and labels in no order, for nothing depends on it."""

    entries: tuple[bytes, ...]
    identity_ops: tuple[tuple[RegistryIndex, Commitment], ...]
    life_events: tuple[LifeEvent, ...]
    beacon: BeaconPayload | None
    governance: tuple[bytes, ...]  # all records so far, the genesis record first
    submitters: int  # distinct
    brake: int  # the last epoch in which the brake is on, as of the last block
    last_hash: Digest | None  # of the last block; None without a block


class SqlLedger:
    """The ledger's store. `file` is shared with `SqlEpochs` and `SqlWitness`."""

    def __init__(self, store: Store) -> None:
        self.file: Final = store
        self._together: Connection | None = None

    def create(self, log_id: LogId, owner: str, state: Sequence[Write], genesis: ClosedEpoch) -> None:
        """Make the store with the state before the first block, and epoch 0, whose record is the genesis record."""

        def fill(connection: Connection) -> None:
            connection.execute(_GOVERNANCE.insert(), [{"number": 0, "height": 0, "record": genesis.record}])
            _write_state(connection, state)
            add_epoch(connection, genesis)

        self.file.create(tables.TABLES, tables.INSERT_ONLY, _facts(log_id, owner), fill)

    def copy_to(self, store: Store, log_id: LogId, owner: str) -> int:
        """Make another store with all that stands here; how many rows.

        Raises:
            StoreBroken, StoreAway: as `Store.create`; nothing was made.
        """
        copied: list[int] = []

        def fill(connection: Connection) -> None:
            copied.append(copy_rows(self.file, connection, tables.TABLES))

        store.create(tables.TABLES, tables.INSERT_ONLY, _facts(log_id, owner), fill)
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
        """Take the store for this process.

        Raises:
            StoreInUse: another program has it.
            StoreBroken: missing, damaged, of another schema, log or member.
        """
        self.file.open(_facts(log_id, owner), tables.TABLES)

    def close(self) -> None:
        """Give the store up."""
        self.file.close()

    # ── blocks ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def append(
        self, block: Block, order: Countersignature | DecidedBlock, outcome: BlockOutcome, own: Countersignature | None
    ) -> None:
        """Commit an executed block, all that follows from it, and our own word for it, before any of it leaves.

        `order`: who put it there, the sequencer by its word or a consensus engine by its decision.
        """
        height = block.header.height
        with self._write() as connection:
            _write_state(connection, outcome.writes)
            brake = brake_until(_State(connection))
            sealed = order.encode() if isinstance(order, Countersignature) else b""
            _insert(connection, _BLOCK, [_block_row(block, sealed) | {"brake": brake}])
            if isinstance(order, DecidedBlock):
                _insert(connection, _DECIDED, [asdict(order)])
            _insert(connection, _ITEM, _item_rows(outcome))
            entries = [{"leaf": leaf_hash(entry), "height": height, "entry": entry} for entry in outcome.entries]
            _insert(connection, _ENTRY, entries)
            pairs = outcome.identity_ops
            _insert(connection, _LABEL, [{"key": i, "commitment": c, "height": height} for i, c in pairs])
            _insert(connection, _LIFE, [_life_row(event, height) for event in outcome.life_events])
            first = outcome.governance_size - len(outcome.governance)
            records = enumerate(outcome.governance, first)
            _insert(connection, _GOVERNANCE, [{"number": i, "height": height, "record": r} for i, r in records])
            if outcome.beacon is not None:
                _insert(connection, _BEACON, [_beacon_row(outcome.beacon, height)])
            if isinstance(order, Countersignature):
                # It may have come by itself before its block; if it was another, the witness compares.
                connection.execute(_HEARD, [countersigned_row(order)])
            if own is not None:
                connection.execute(_COUNTERSIGNED.insert(), [countersigned_row(own)])

    @contextmanager
    def together(self) -> Iterator[StateReader]:
        """What is appended within is one commit; the state reads as the last append left it.

        For a ledger that nobody else has yet: whoever appends meanwhile is in the same commit.
        """
        with self.file.write() as connection:
            self._together = connection
            try:
                yield _State(connection)
            finally:
                self._together = None

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        if self._together is not None:
            yield self._together
            return
        with self.file.write() as connection:
            yield connection

    def newest(self) -> BlockHeader | None:
        """Header of the newest block; None before the first."""
        with self.file.read() as connection:
            data = connection.execute(select(_BLOCK.c.data).order_by(_BLOCK.c.height.desc()).limit(1)).scalar()
        return None if data is None else BlockHeader.decode(data[:HEADER_BYTES])

    def decided(self, height: Height | None = None) -> DecidedBlock | None:
        """A block that a consensus engine decided, by default the newest; None where there is none."""
        query = select(_DECIDED) if height is None else select(_DECIDED).where(_DECIDED.c.height == height)
        with self.file.read() as connection:
            row = connection.execute(query.order_by(_DECIDED.c.height.desc()).limit(1)).mappings().first()
        return None if row is None else DecidedBlock(**row)

    def header(self, height: Height) -> BlockHeader | None:
        """Header of one block; None when it is not here."""
        with self.file.read() as connection:
            data = connection.execute(select(_BLOCK.c.data).where(_BLOCK.c.height == height)).scalar()
        return None if data is None else BlockHeader.decode(data[:HEADER_BYTES])

    def blocks(self, first: Height) -> list[StoredBlock]:
        """Some blocks from `first` on, in order; empty when there is none yet."""
        query = select(_BLOCK.c.data, _BLOCK.c.sealed).where(_BLOCK.c.height >= first)
        with self.file.read() as connection:
            rows = connection.execute(query.order_by(_BLOCK.c.height).limit(CHUNK)).all()
        return [StoredBlock(row.data, row.sealed) for row in rows]

    def ordered(self, first: Height) -> list[OrderedBlock]:
        """Some blocks from `first` on that an engine decided, in order; empty when there is none yet."""
        query = select(_DECIDED.c.hash, _BLOCK.c.data).join(_BLOCK, _BLOCK.c.height == _DECIDED.c.height)
        with self.file.read() as connection:
            rows = connection.execute(
                query.where(_BLOCK.c.height >= first).order_by(_BLOCK.c.height).limit(CHUNK)
            ).all()
        return [OrderedBlock(Digest(row.hash), row.data) for row in rows]

    def first_height_after(self, epoch: int) -> Height | None:
        """The first block of a later epoch than `epoch`: where `epoch` ends. None when there is none yet."""
        with self.file.read() as connection:
            found = connection.execute(_FIRST_AFTER, {"epoch": epoch}).scalar()
        return None if found is None else Height(found)

    # ── what stands in them ──────────────────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def state(self) -> Iterator[StateReader]:
        """The state after the newest block, as long as the context lasts."""
        with self.file.read() as connection:
            yield _State(connection)

    def standing(self, transaction_id: TransactionId) -> Standing | None:
        """Where a transaction stands; None when it does not stand here."""
        query = select(_ITEM.c.height, _ITEM.c.position, _ITEM.c.code).where(_ITEM.c.id == transaction_id)
        with self.file.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else Standing(row.height, row.position, row.code)

    def signed(self, standing: Standing) -> bytes:
        """The signed transaction at this place.

        Raises:
            Unknown: no such block or place.
        """
        with self.file.read() as connection:
            data = connection.execute(select(_BLOCK.c.data).where(_BLOCK.c.height == standing.height)).scalar()
        items = () if data is None else Block.decode(data).items
        if standing.position >= len(items):
            raise Unknown(what="transaction at this place")
        return items[standing.position][1]

    def entry_height(self, leaf: Digest) -> Height | None:
        """The block in which an entry stands; None when it does not stand here."""
        with self.file.read() as connection:
            found = connection.execute(select(_ENTRY.c.height).where(_ENTRY.c.leaf == leaf)).scalar()
        return None if found is None else Height(found)

    def entries(self, first: Height, last: Height) -> list[tuple[Digest, Height, bytes]]:
        """Leaf, height and entry of what stands in these blocks, refusals too."""
        query = select(_ENTRY).where(_ENTRY.c.height >= first, _ENTRY.c.height <= last)
        with self.file.read() as connection:
            return [(Digest(row.leaf), Height(row.height), row.entry) for row in connection.execute(query)]

    def label_height(self, index: RegistryIndex) -> Height | None:
        """The block that inserted an identity label's index; None when none here did."""
        with self.file.read() as connection:
            found = connection.execute(select(_LABEL.c.height).where(_LABEL.c.key == index)).scalar()
        return None if found is None else Height(found)

    def transactions_of(self, height: Height) -> list[tuple[int, bytes]]:
        """Code and signed bytes of a block's transactions."""
        with self.file.read() as connection:
            data = connection.execute(select(_BLOCK.c.data).where(_BLOCK.c.height == height)).scalar()
        return [] if data is None else list(Block.decode(data).items)

    def life_events(self, object_type: str, object_id: str) -> list[tuple[Height, LifeEvent]]:
        """Everything that happened to an object, by version."""
        where = (_LIFE.c.object_type == object_type, _LIFE.c.object_id == object_id)
        with self.file.read() as connection:
            rows = connection.execute(select(_LIFE).where(*where).order_by(_LIFE.c.version)).all()
        return [(Height(row.height), _life_event(row)) for row in rows]

    def life_counts(self, first: Height) -> dict[Digest, int]:
        """How many life events each entry brought, of the blocks from `first` on."""
        query = select(_LIFE.c.entry_leaf, func.count()).where(_LIFE.c.height >= first).group_by(_LIFE.c.entry_leaf)
        with self.file.read() as connection:
            return {Digest(leaf): count for leaf, count in connection.execute(query)}

    def governed(self, after: int) -> list[tuple[int, Height, bytes]]:
        """Some governance records behind the leaf `after`, in order: leaf, height of the block, record."""
        query = select(_GOVERNANCE).where(_GOVERNANCE.c.number > after).order_by(_GOVERNANCE.c.number)
        with self.file.read() as connection:
            rows = connection.execute(query.limit(CHUNK)).all()
        return [(row.number, Height(row.height), row.record) for row in rows]

    def governance(self, after: int = 0) -> Iterator[tuple[int, Height, bytes]]:
        """Every governance record behind the leaf `after`, as `governed` has them; no more than some in memory."""
        while found := self.governed(after):
            yield from found
            after = found[-1][0]

    def epoch_material(self, first: Height, end: Height) -> EpochMaterial:
        """What the blocks first … end − 1 brought."""

        def within(table: Any) -> Any:  # noqa: ANN401 SQLAlchemy's own types
            return select(table).where(table.c.height >= first, table.c.height < end)

        with self.file.read() as connection:
            entries = connection.execute(within(_ENTRY)).all()
            labels = connection.execute(within(_LABEL)).all()
            events = connection.execute(within(_LIFE).order_by(_LIFE.c.height, _LIFE.c.version)).all()
            beacon = connection.execute(within(_BEACON).order_by(_BEACON.c.height.desc()).limit(1)).first()
            submitting = select(func.count(_ITEM.c.submitter.distinct())).where(
                _ITEM.c.height >= first, _ITEM.c.height < end
            )
            governed = select(_GOVERNANCE.c.record).where(_GOVERNANCE.c.height < end).order_by(_GOVERNANCE.c.number)
            governance = connection.execute(governed).scalars().all()
            submitters = connection.execute(submitting).scalar_one()
            last = select(_BLOCK.c.brake, func.coalesce(_DECIDED.c.hash, _BLOCK.c.hash).label("hash"))
            joined = last.outerjoin_from(_BLOCK, _DECIDED, _BLOCK.c.height == _DECIDED.c.height)
            newest = connection.execute(joined.where(_BLOCK.c.height == end - 1)).first()
        return EpochMaterial(
            entries=tuple(row.entry for row in entries),
            identity_ops=tuple((RegistryIndex(row.key), Commitment(row.commitment)) for row in labels),
            life_events=tuple(map(_life_event, events)),
            beacon=None if beacon is None else BeaconPayload(beacon.chain_id, beacon.number, beacon.hash),
            governance=tuple(governance),
            submitters=submitters,
            brake=0 if newest is None else newest.brake,
            last_hash=None if newest is None or first == end else Digest(newest.hash),
        )


class _State:
    """A StateReader on one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection, self._worth = connection, _WORTH[connection.dialect.name]

    def get(self, key: bytes, /) -> bytes | None:
        row = self._connection.exec_driver_sql(self._worth, (key,)).first()
        return None if row is None else bytes(row[0])


def countersigned_row(countersignature: Countersignature) -> dict[str, object]:
    """A row of the table of countersignatures."""
    return {
        "signer": countersignature.signer,
        "height": countersignature.height,
        "block_hash": countersignature.block_hash,
        "data": countersignature.encode(),
    }


def _block_row(block: Block, sealed: bytes) -> dict[str, object]:
    header = block.header
    return {
        "height": header.height,
        "hash": header.block_hash,
        "time": header.time,
        "epoch": header.epoch,
        "data": block.encode(),
        "sealed": sealed,
    }


def _item_rows(outcome: BlockOutcome) -> list[dict[str, object]]:
    return [
        {
            "id": transaction.transaction_id,
            "height": outcome.height,
            "position": position,
            "code": transaction.code,
            "submitter": transaction.submitter,
        }
        for position, transaction in enumerate(outcome.transactions)
    ]


def _life_row(event: LifeEvent, height: Height) -> dict[str, object]:
    return {
        "object_type": event.object_type,
        "object_id": event.object_id,
        "version": event.version,
        "height": height,
        "code": event.code,
        "entry_leaf": event.entry_leaf,
        "state": canonical_json(dict(event.state)),
    }


def _life_event(row: Row[Any]) -> LifeEvent:
    state = parse_canonical_json(row.state, "life.state", MAX_LIFE_STATE)
    if not isinstance(state, dict):
        raise StoreBroken(store="ledger", rule="a life event's state is an object")
    return LifeEvent(
        object_type=row.object_type,
        object_id=row.object_id,
        version=row.version,
        code=row.code,
        entry_leaf=Digest(row.entry_leaf),
        state={key: value for key, value in state.items() if isinstance(value, str | int)},
    )


def _beacon_row(beacon: BeaconPayload, height: Height) -> dict[str, object]:
    return {"height": height, "chain_id": beacon.chain_id, "number": beacon.number, "hash": beacon.hash}


def _write_state(connection: Connection, writes: Sequence[Write]) -> None:
    """One message to a server; row by row where there is none."""
    puts = [(key, value) for key, value in writes if value is not None]
    gone = [key for key, value in writes if value is None]
    if connection.dialect.name == "sqlite":
        if puts:
            connection.exec_driver_sql(_PUT.format("VALUES (?, ?)"), puts)
        if gone:
            connection.exec_driver_sql("DELETE FROM state WHERE key = ?", [(key,) for key in gone])
        return
    if puts:
        last = dict(puts)  # one statement changes a row once
        columns = "SELECT * FROM unnest(%s::bytea[], %s::bytea[])"
        connection.exec_driver_sql(_PUT.format(columns), (list(last), list(last.values())))
    if gone:
        connection.exec_driver_sql("DELETE FROM state WHERE key = ANY(%s::bytea[])", (gone,))


def _insert(connection: Connection, table: Table, rows: Sequence[dict[str, object]]) -> None:
    if rows:
        connection.execute(table.insert(), rows)


def _facts(log_id: LogId, owner: str) -> dict[str, str]:
    return {"kind": "ledger", "schema": SCHEMA, "log_id": log_id.hex(), "owner": owner}
