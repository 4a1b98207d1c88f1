"""The journal's tables and the settings of its store. SQLite, one host, local disk.

Insert-only is enforced by the database: triggers abort every UPDATE and DELETE, and `recursive_triggers` keeps
`INSERT OR REPLACE` from walking past them. WAL with synchronous FULL: a commit that returned is on the disk.
"""

from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from sqlite3 import Error as SqliteError
from typing import Any, Final

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    event,
)
from sqlalchemy import create_engine as sqlalchemy_engine
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from hybrid_bridge.errors import StoreBroken

SCHEMA_VERSION: Final = 1
MAGIC: Final = b"SQLite format 3\0"
PRAGMAS: Final = {
    "journal_mode": "wal",
    "synchronous": 2,  # FULL; NORMAL may lose exactly the last commits, which are the journal
    "foreign_keys": 1,
    "recursive_triggers": 1,
    "busy_timeout": 5000,
    "trusted_schema": 0,
}
INSERT_ONLY: Final = ("checkpoint", "attestation", "attempt", "attempt_final", "send_log", "header", "anchored")
NEVER_DELETED: Final = ("chain", "intent", "slot", "lease", "control")


class Stored(SQLModel, registry=registry()):
    """Base with a registry of its own: other stores in one process keep their tables apart."""


def _integer(*, key: bool = False, null: bool = False) -> Any:  # noqa: ANN401 what sqlmodel's Field returns
    return Field(sa_column=Column(Integer, primary_key=key, nullable=null, autoincrement=False))


def _text(*, key: bool = False, null: bool = False) -> Any:  # noqa: ANN401
    return Field(sa_column=Column(Text, primary_key=key, nullable=null))


def _blob(*, key: bool = False, null: bool = False) -> Any:  # noqa: ANN401
    return Field(sa_column=Column(LargeBinary, primary_key=key, nullable=null))


def _checks(*rules: CheckConstraint | ForeignKeyConstraint | UniqueConstraint, **widths: int) -> tuple[object, ...]:
    lengths = (CheckConstraint(f"length({column}) = {width}") for column, width in widths.items())
    return (*rules, *lengths, {"sqlite_strict": True})


class Chain(Stored, table=True):
    """What this journal belongs to: one row."""

    __table_args__ = _checks(genesis_hash=32, contract=20, log_id=32, signer=20)
    chain_uid: str = _text(key=True)
    chain_id: int = _integer()
    genesis_hash: bytes = _blob()
    contract: bytes = _blob()
    log_id: bytes = _blob()
    signer: bytes = _blob()


class Lease(Stored, table=True):
    """Who holds the gas key. `epoch` only rises (S6)."""

    __table_args__ = _checks(signer=20)
    chain_uid: str = _text(key=True)
    signer: bytes = _blob(key=True)
    epoch: int = _integer()
    holder: str = _text()
    until: int = _integer()


class Control(Stored, table=True):
    """The brake and the halt."""

    __table_args__ = _checks(CheckConstraint("brake IN ('run','soft','hard','drain')"))
    chain_uid: str = _text(key=True)
    brake: str = _text()
    halted_reason: str | None = _text(null=True)
    evidence: str | None = _text(null=True)
    by: str = _text()
    set_at: int = _integer()


class Header(Stored, table=True):
    """Final public blocks only (S3)."""

    __table_args__ = _checks(hash=32, parent=32)
    chain_uid: str = _text(key=True)
    number: int = _integer(key=True)
    hash: bytes = _blob()
    parent: bytes = _blob()


class Checkpoint(Stored, table=True):
    """Admitted only with a quorum and a verified path."""

    __table_args__ = _checks(
        CheckConstraint("size >= 2"), CheckConstraint("length(consistency) % 32 = 0"), log_id=32, root=32, digest=32
    )
    log_id: bytes = _blob(key=True)
    size: int = _integer(key=True)
    root: bytes = _blob()
    timestamp: int = _integer()
    set_id: int = _integer()
    digest: bytes = _blob()
    previous_size: int = _integer()
    consistency: bytes = _blob()
    held_number: int = _integer()
    received_at: int = _integer()


class Attestation(Stored, table=True):
    """Verified before the insert."""

    __table_args__ = _checks(
        ForeignKeyConstraint(["log_id", "size"], ["checkpoint.log_id", "checkpoint.size"]),
        log_id=32,
        member=20,
        digest=32,
        signature=65,
    )
    log_id: bytes = _blob(key=True)
    size: int = _integer(key=True)
    member: bytes = _blob(key=True)
    digest: bytes = _blob()
    signature: bytes = _blob()


class Intent(Stored, table=True):
    """One duty for each checkpoint and chain."""

    __table_args__ = _checks(
        UniqueConstraint("chain_uid", "log_id", "kind", "size"),
        ForeignKeyConstraint(["log_id", "size"], ["checkpoint.log_id", "checkpoint.size"]),
        CheckConstraint("kind = 'anchor'"),
        CheckConstraint("state IN ('OPEN','FINALIZED','SUPERSEDED')"),
        CheckConstraint("(state = 'OPEN') = (settled_hash IS NULL)"),
        CheckConstraint("(state = 'FINALIZED') = (settled_tx IS NOT NULL)"),
        log_id=32,
        root=32,
        digest=32,
    )
    id: int | None = Field(default=None, sa_column=Column(Integer, primary_key=True))
    chain_uid: str = _text()
    log_id: bytes = _blob()
    kind: str = _text()
    size: int = _integer()
    root: bytes = _blob()
    digest: bytes = _blob()
    state: str = _text()
    opened_at: int = _integer()
    settled_hash: bytes | None = _blob(null=True)
    settled_tx: bytes | None = _blob(null=True)


class Slot(Stored, table=True):
    """One nonce. Leaves OPEN once, for CLOSED, on a final public block (S4)."""

    __table_args__ = _checks(
        CheckConstraint("nonce >= 0"),
        CheckConstraint("state IN ('OPEN','CLOSED')"),
        CheckConstraint("(state = 'OPEN') = (closed_hash IS NULL)"),
        CheckConstraint("is_foreign IN (0, 1)"),
        signer=20,
    )
    chain_uid: str = _text(key=True)
    signer: bytes = _blob(key=True)
    nonce: int = _integer(key=True)
    state: str = _text()
    closed_hash: bytes | None = _blob(null=True)
    is_foreign: int = _integer()
    epoch: int = _integer()


class Attempt(Stored, table=True):
    """One signed public transaction: in here before the first byte leaves (S1)."""

    __table_args__ = _checks(
        ForeignKeyConstraint(["chain_uid", "signer", "nonce"], ["slot.chain_uid", "slot.signer", "slot.nonce"]),
        ForeignKeyConstraint(["intent_id"], ["intent.id"]),
        UniqueConstraint("chain_uid", "signer", "nonce", "max_fee"),
        CheckConstraint("tip <= max_fee"),
        hash=32,
        signer=20,
    )
    hash: bytes = _blob(key=True)
    chain_uid: str = _text()
    signer: bytes = _blob()
    nonce: int = _integer()
    intent_id: int | None = _integer(null=True)
    from_size: int = _integer()
    to_size: int = _integer()
    max_fee: int = _integer()
    tip: int = _integer()
    gas: int = _integer()
    raw: bytes = _blob()
    pinned_number: int = _integer()
    created_at: int = _integer()
    epoch: int = _integer()


class AttemptFinal(Stored, table=True):
    """What a final public block says about an attempt."""

    __tablename__ = "attempt_final"  # type: ignore[mutable-override]
    __table_args__ = _checks(
        ForeignKeyConstraint(["hash"], ["attempt.hash"]),
        CheckConstraint("outcome IN ('OK','NOOP','REVERTED','LOST')"),
        hash=32,
        block_hash=32,
    )
    hash: bytes = _blob(key=True)
    outcome: str = _text()
    reason: str = _text()
    block_number: int = _integer()
    block_hash: bytes = _blob()


class Sending(Stored, table=True):
    """History of broadcasts; decides nothing."""

    __tablename__ = "send_log"  # type: ignore[mutable-override]
    __table_args__ = _checks(
        ForeignKeyConstraint(["hash"], ["attempt.hash"]), CheckConstraint("length(message) <= 200"), hash=32
    )
    id: int | None = Field(default=None, sa_column=Column(Integer, primary_key=True))
    hash: bytes = _blob()
    endpoint: str = _text()
    code: int | None = _integer(null=True)
    message: str = _text()
    returned_hash: bytes | None = _blob(null=True)
    sent_at: int = _integer()


class Anchored(Stored, table=True):
    """Final `Anchored` events of all operators; bundle builders start here and verify again."""

    __table_args__ = _checks(
        block_hash=32, block_parent=32, log_id=32, root=32, tx_hash=32, signers=8
    )  # signers: u64, wider than SQLite's integers
    chain_uid: str = _text(key=True)
    block_hash: bytes = _blob(key=True)
    log_index: int = _integer(key=True)
    block_number: int = _integer()
    block_parent: bytes = _blob()
    block_time: int = _integer()
    log_id: bytes = _blob()
    size: int = _integer()
    root: bytes = _blob()
    timestamp: int = _integer()
    set_id: int = _integer()
    signers: bytes = _blob()
    tx_hash: bytes = _blob()


# ── the store ────────────────────────────────────────────────────────────────────────────────────────────────────────


def engine_for(path: Path, *, read_only: bool = False) -> Engine:
    """One connection; every transaction of a writer takes the write lock when it begins."""
    engine = sqlalchemy_engine(
        f"sqlite:///{path}", pool_size=1, max_overflow=0, connect_args={"check_same_thread": False}
    )
    begin = "BEGIN" if read_only else "BEGIN IMMEDIATE"  # a later upgrade would fail at once, whatever the timeout

    @event.listens_for(engine, "connect")
    def _configure(connection: SqliteConnection, _record: object) -> None:
        connection.isolation_level = None
        for name, value in PRAGMAS.items():
            connection.execute(f"PRAGMA {name} = {value}")
            got = connection.execute(f"PRAGMA {name}").fetchone()[0]
            if got != value:
                raise StoreBroken(store=path.name, rule=f"PRAGMA {name} is {got}, not {value}")
        if read_only:
            connection.execute("PRAGMA query_only = 1")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def create_tables(connection: Connection) -> None:
    """Tables, triggers and version, in the caller's transaction."""
    Stored.metadata.create_all(connection)
    for table in INSERT_ONLY:
        _forbid(connection, table, "UPDATE")
    for table in (*INSERT_ONLY, *NEVER_DELETED):
        _forbid(connection, table, "DELETE")
    connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA_VERSION}")


def sqlite_words(error: Exception) -> str:
    """What SQLite itself says, without the wrapper's references."""
    return str(getattr(error, "orig", None) or error)


def _forbid(connection: Connection, table: str, verb: str) -> None:
    connection.exec_driver_sql(
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table}: no {verb}'); END"
    )


def require_file(path: Path) -> None:
    """A file that SQLite made is there. Looked at first: SQLite would make a missing one, and write into an empty one.

    Raises:
        StoreBroken: missing, empty, torn at its beginning, or not to be read.
    """
    try:
        with path.open("rb") as file:
            head = file.read(len(MAGIC))
    except (FileNotFoundError, NotADirectoryError):
        lost = "missing; `init` makes it" if path.parent.is_dir() else "its folder is missing; mount or make it first"
        raise StoreBroken(store=path.name, rule=lost) from None
    except OSError as error:
        raise StoreBroken(store=path.name, rule=f"a file that can be read: {error.strerror}") from None
    if not head:
        raise StoreBroken(
            store=path.name, rule="empty; restore the newest copy, or delete it if it never held anything"
        )
    if head != MAGIC:
        raise StoreBroken(store=path.name, rule="torn, or no SQLite file; restore the newest copy and run fsck")


def require_sound(engine: Engine, store: str) -> None:
    """The file is whole and has the schema of this program.

    Raises:
        StoreBroken: it is not, or has not.
    """
    try:
        with engine.begin() as connection:
            version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
            answer = connection.exec_driver_sql("PRAGMA quick_check").scalar_one()
    except (SQLAlchemyError, SqliteError) as error:
        words = f"a sound SQLite file, not one with: {sqlite_words(error)}; restore the newest copy and run fsck"
        raise StoreBroken(store=store, rule=words) from error
    if version != SCHEMA_VERSION:
        raise StoreBroken(store=store, rule=f"schema version is {version}, not {SCHEMA_VERSION}")
    if answer != "ok":
        raise StoreBroken(store=store, rule="quick_check")
