"""The attestation guard's own database: a row for each statement, committed before the key is used.

It lives in the process that signs (RELAYER §5.4). Never restore it from a backup and sign. G1 is the caller's
(`steps.attest`); G2, G3, G4 and G6 are `core.guard`; this file is G5: one BEGIN IMMEDIATE, insert, commit, then permit.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, select
from sqlmodel import Field, SQLModel

from hybrid_bridge.adapters.sqlite.file import STRICT, SqliteFile, blob, table_of, text
from hybrid_bridge.adapters.sqlite.guard_events import (
    NAME,
    SCHEMA,
    GuardEvent,
    append,
    bring_forward,
    last,
    verified,
)
from hybrid_bridge.core.event_chain import Head
from hybrid_bridge.core.guard import (
    Highest,
    History,
    PowerStatement,
    Statement,
    additions,
    is_repeat,
    kinds_of,
    power_kind,
)
from hybrid_bridge.core.guard_events import (
    Told,
    added_events,
    floor_event,
    power_event,
    refused_event,
    signed_event,
)
from hybrid_bridge.errors import GuardRefused, StoreBroken
from hybrid_bridge.ports import Guard, SigningPermit
from hybrid_bridge.units import Address, ChainId, Digest, EcdsaSignature, LogId, TreeSize


class GuardFloor(SQLModel, table=True):
    """Statements below are not known and never made again; raised only by an import."""

    __table_args__ = STRICT

    id: int = Field(primary_key=True)
    size: int
    root: bytes = blob()


class GuardSigned(SQLModel, table=True):
    """One statement for each size. Insert-only."""

    __table_args__ = STRICT

    size: int = Field(primary_key=True)
    root: bytes = blob()
    digest: bytes = blob()


class GuardSignature(SQLModel, table=True):
    """The signature made under a statement. Insert-only."""

    __table_args__ = STRICT

    size: int = Field(primary_key=True)
    signature: bytes = blob()


class GuardPower(SQLModel, table=True):
    """One digest for each set update (number = set id), pause or resume (nonce) of one contract. Insert-only."""

    __table_args__ = STRICT

    chain_id: int = Field(primary_key=True)
    contract: bytes = blob(primary_key=True)
    kind: str = text(primary_key=True)
    number: int = Field(primary_key=True)
    digest: bytes = blob()


_FLOOR_RULES: Final = (
    "CREATE TRIGGER guardfloor_rises BEFORE UPDATE ON guardfloor WHEN NEW.size <= OLD.size "
    "BEGIN SELECT RAISE(ABORT, 'guardfloor only rises'); END",
    "CREATE TRIGGER guardfloor_stays BEFORE DELETE ON guardfloor BEGIN SELECT RAISE(ABORT, 'guardfloor stays'); END",
)
_FLOOR, _SIGNED, _SIGNATURE = table_of(GuardFloor), table_of(GuardSigned), table_of(GuardSignature)
_POWER = table_of(GuardPower)


class GuardView:
    """What a guard knows, for whoever only looks: it permits nothing, so it needs no lock.

    The process that signs goes on meanwhile: what is seen is its last commit, and may be old a moment later.
    """

    def __init__(self, path: Path) -> None:
        self._file = SqliteFile(path, "guard")

    def look(self, log_id: LogId, address: Address) -> None:
        """See that it is this key's, on this log, and whole.

        Raises:
            SchemaOlder: it has no events yet; whoever takes it gives it them.
            StoreBroken: missing, damaged, of another key or log, or of a schema that we do not know.
        """
        self._file.look({**_facts(log_id, address), "schema": SCHEMA})

    def close(self) -> None:
        """Give the store up."""
        self._file.close()

    def seen(self) -> tuple[History, Head]:
        """All that it knows of its key, and the head of its events: of one moment."""
        with self._file.read() as connection:
            return _history(connection), last(connection)

    def history(self) -> History:
        """All that this guard knows of its key."""
        with self._file.read() as connection:
            return _history(connection)

    def head(self) -> Head:
        """Of the event chain, for whoever notes it."""
        with self._file.read() as connection:
            return last(connection)

    def verify(self, kept: Head | None = None) -> tuple[Head, Told]:
        """The event chain's head and what it tells, if it is whole, goes through `kept`, and tells the rows.

        Raises:
            StoreBroken: it does not.
        """
        with self._file.read() as connection:
            return verified(connection, _history(connection), kept)


class SqlGuard(GuardView):
    """The guard of one attestation key on one log, in the process that signs."""

    def create(self, log_id: LogId, address: Address) -> None:
        """Make the store; the floor is (1, logId): leaf 0 is the genesis record and needs no signature."""
        tables: list[type[SQLModel]] = [GuardFloor, GuardSigned, GuardSignature, GuardPower, GuardEvent]
        guarded = ["guardsigned", "guardsignature", "guardpower", NAME]
        self._file.create(tables, guarded, {**_facts(log_id, address), "schema": SCHEMA})
        with self._file.write() as connection:
            connection.execute(_FLOOR.insert(), [{"id": 1, "size": 1, "root": log_id}])
            append(connection, [floor_event(Highest(TreeSize(1), Digest(log_id)))])
            for rule in _FLOOR_RULES:
                connection.exec_driver_sql(rule)

    def open(self, log_id: LogId, address: Address) -> None:
        """Take the store for this process. One of schema 1 gets its event chain: it becomes one of schema 2.

        Raises:
            StoreInUse: another program has it.
            StoreBroken: missing, damaged, of another key or log, or of a schema that we do not know.
        """
        self._file.open(_facts(log_id, address))
        try:
            with self._file.write() as connection:
                bring_forward(connection, _history(connection))
        except StoreBroken:
            self.close()
            raise
        # Durable: every row has its event. Dead before? The store is as it was; the next start does it.

    def highest(self) -> tuple[TreeSize, Digest]:
        with self._file.read() as connection:
            found = _highest(connection)
        return found.size, found.root

    def permit(self, size: TreeSize, root: Digest, digest: Digest, path: Sequence[Digest]) -> SigningPermit:
        with self._judged() as connection:
            standing = connection.execute(select(_SIGNED.c.digest).where(_SIGNED.c.size == size)).scalar()
            asked = Statement(size, root, digest)
            if not is_repeat(asked, standing, _highest(connection), path):
                connection.execute(_SIGNED.insert(), [asdict(asked)])
                append(connection, [signed_event(asked)])
        # Durable: this key has said this about this size. Dead here? The same digest again is a repeat.
        return SigningPermit(digest, size)

    def signed(self, permit: SigningPermit, signature: EcdsaSignature) -> None:
        with self._judged() as connection:
            standing = connection.execute(select(_SIGNED.c.digest).where(_SIGNED.c.size == permit.size)).scalar()
            if standing != permit.digest:
                raise GuardRefused(rule="scope", size=permit.size)
            row = {"size": permit.size, "signature": signature}
            connection.execute(_SIGNATURE.insert().prefix_with("OR IGNORE"), [row])

    def stored(self, size: TreeSize) -> EcdsaSignature | None:
        with self._file.read() as connection:
            found = connection.execute(select(_SIGNATURE.c.signature).where(_SIGNATURE.c.size == size)).scalar()
        return None if found is None else EcdsaSignature(found)

    def floor(self) -> TreeSize:
        """Statements at or below this size are not known, and never made."""
        with self._file.read() as connection:
            return TreeSize(connection.execute(select(_FLOOR.c.size)).scalar_one())

    def said(self, size: TreeSize) -> Digest | None:
        """The root that this key has stated for this size, the floor's included; None if it has said nothing of it.

        Of sizes below the floor nothing is known: compare with `floor`.
        """
        stated = select(_SIGNED.c.root).where(_SIGNED.c.size == size)
        floor = select(_FLOOR.c.root).where(_FLOOR.c.size == size)
        with self._file.read() as connection:
            root = connection.execute(stated).scalar() or connection.execute(floor).scalar()
        return None if root is None else Digest(root)

    def permit_power(
        self,
        chain_id: ChainId,
        contract: Address,
        kind: str,
        number: int,
        digest: Digest,
        *,
        void: Collection[Digest] = (),
    ) -> SigningPermit:
        """Commit one set update, pause or resume of one contract before its signature (G6).

        Args:
            chain_id: of the contract.
            contract: who is to believe it.
            kind: what it is.
            number: what is used once.
            digest: what is signed.
            void: statements of sets that our own final blocks show replaced; the one in their place may follow them.

        Raises:
            GuardRefused: double_power.
        """
        with self._judged() as connection:
            place = {"chain_id": chain_id, "contract": contract, "number": number}
            where = [_POWER.c[name] == value for name, value in place.items()]
            rows = connection.execute(select(_POWER).where(*where, _POWER.c.kind.in_(kinds_of(kind))))
            said = {row.kind: Digest(row.digest) for row in rows}
            asked = PowerStatement(chain_id, contract, power_kind(number, kind, digest, said, void), number, digest)
            if asked.kind not in said:
                connection.execute(_POWER.insert(), [asdict(asked)])
                append(connection, [power_event(asked)])
        return SigningPermit(digest, TreeSize(number))

    def absorb(self, signer: Address, theirs: History) -> History:
        """Merge what another store of this key knows: floors by maximum, rows by union, in one transaction.

        Returns:
            The rows that were new, and the floor that holds now.

        Raises:
            Equivocation: it contradicts what this guard knows; nothing was taken.
        """
        with self._file.write() as connection:
            ours = _history(connection)
            added = additions(signer, ours, theirs)
            if added.floor.size > ours.floor.size:
                connection.execute(_FLOOR.update(), {"size": added.floor.size, "root": added.floor.root})
            if added.signed:
                connection.execute(_SIGNED.insert(), list(map(asdict, added.signed)))
            if added.power:
                connection.execute(_POWER.insert(), list(map(asdict, added.power)))
            append(connection, added_events(ours.floor, added))
        # Durable: this guard knows all that both knew. Dead before? Nothing was taken; the same import is made again.
        return added

    @contextmanager
    def _judged(self) -> Iterator[Connection]:
        """As `write`; a refusal is an event, committed before it is told."""
        refused = None
        with self._file.write() as connection:
            try:
                yield connection
            except GuardRefused as refusal:
                append(connection, [refused_event(refusal)])
                refused = refusal
        if refused is not None:
            raise refused


def _history(connection: Connection) -> History:
    floor = connection.execute(select(_FLOOR.c.size, _FLOOR.c.root)).first()
    if floor is None:
        raise StoreBroken(store="guard", rule="a floor")
    signed = connection.execute(select(_SIGNED).order_by(_SIGNED.c.size))
    power = connection.execute(select(_POWER))
    return History(
        Highest(*floor),
        tuple(Statement(row.size, row.root, row.digest) for row in signed),
        tuple(PowerStatement(row.chain_id, row.contract, row.kind, row.number, row.digest) for row in power),
    )


def _highest(connection: Connection) -> Highest:
    newest = select(_SIGNED.c.size, _SIGNED.c.root).order_by(_SIGNED.c.size.desc()).limit(1)
    rows = [
        tuple(row)
        for row in (
            connection.execute(newest).first(),
            connection.execute(select(_FLOOR.c.size, _FLOOR.c.root)).first(),
        )
        if row
    ]
    if not rows:
        raise StoreBroken(store="guard", rule="a floor")
    size, root = max(row[-2:] for row in rows)
    return Highest(size, root)


def _facts(log_id: LogId, address: Address) -> dict[str, str]:
    return {"kind": "guard", "log_id": log_id.hex(), "address": address.hex()}


if TYPE_CHECKING:
    _conforms: type[Guard] = SqlGuard
