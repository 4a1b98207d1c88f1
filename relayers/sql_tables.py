"""The journal's tables, as the newest of `migrations` makes them (a test compares the two).

Insert-only is enforced by the database: triggers of the migrations abort every UPDATE and DELETE.
"""

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

HISTORY: Final = ("send_log", "sighting")  # insert-only too, but what is older than `control.pruned_before` may go
INSERT_ONLY: Final = (
    *("checkpoint", "attestation", "attempt", "attempt_final", "header", "anchored"),
    *("rpc_evidence", "wish", "event_log"),
    *HISTORY,
)
NEVER_DELETED: Final = ("chain", "intent", "slot", "lease", "control")


class Stored(SQLModel, registry=registry()):
    """Base with a registry of its own: other stores in one process keep their tables apart."""


_INTEGER: Final = BigInteger().with_variant(Integer, "sqlite")  # there INTEGER has 64 bits, and STRICT knows no other


def _integer(*, key: bool = False, null: bool = False) -> Any:  # noqa: ANN401 what sqlmodel's Field returns
    return Field(sa_column=Column(_INTEGER, primary_key=key, nullable=null, autoincrement=False))


def _serial() -> Any:  # noqa: ANN401
    return Field(default=None, sa_column=Column(_INTEGER, primary_key=True))


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
    pruned_before: int = Field(default=0, sa_column=Column(_INTEGER, nullable=False, server_default=text("0")))


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
    """One duty for each checkpoint, or set of validators, and chain."""

    __table_args__ = _checks(
        UniqueConstraint("chain_uid", "log_id", "kind", "size"),
        UniqueConstraint("chain_uid", "log_id", "kind", "set_id"),
        ForeignKeyConstraint(["log_id", "size"], ["checkpoint.log_id", "checkpoint.size"]),
        CheckConstraint("kind IN ('anchor','rotate')"),
        CheckConstraint("(kind = 'anchor') = (size IS NOT NULL)"),
        CheckConstraint("(kind = 'rotate') = (set_id IS NOT NULL)"),
        CheckConstraint("state IN ('OPEN','FINALIZED','SUPERSEDED')"),
        CheckConstraint("(state = 'OPEN') = (settled_hash IS NULL)"),
        CheckConstraint("(state = 'FINALIZED') = (settled_tx IS NOT NULL)"),
        log_id=32,
        root=32,
        digest=32,
    )
    id: int | None = _serial()
    chain_uid: str = _text()
    log_id: bytes = _blob()
    kind: str = _text()
    size: int | None = _integer(null=True)
    set_id: int | None = _integer(null=True)
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
    gas_used: int | None = _integer(null=True)
    price: int | None = _integer(null=True)


class Sending(Stored, table=True):
    """History of broadcasts; decides nothing."""

    __tablename__ = "send_log"  # type: ignore[mutable-override]
    __table_args__ = _checks(
        ForeignKeyConstraint(["hash"], ["attempt.hash"]), CheckConstraint("length(message) <= 200"), hash=32
    )
    id: int | None = _serial()
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


class Evidence(Stored, table=True):
    """Answers that were not the quorum's: history, decides nothing."""

    __tablename__ = "rpc_evidence"  # type: ignore[mutable-override]
    __table_args__ = _checks(CheckConstraint("length(wanted) <= 4096 AND length(got) <= 4096"), block_hash=32)
    id: int | None = _serial()
    endpoint: str = _text()
    method: str = _text()
    wanted: str = _text()
    got: str = _text()
    block_hash: bytes | None = _blob(null=True)
    seen_at: int = _integer()


class Sighting(Stored, table=True):
    """Receipts as they were seen: history, decides nothing."""

    __table_args__ = _checks(
        ForeignKeyConstraint(["hash"], ["attempt.hash"]), CheckConstraint("status IN (0, 1)"), hash=32, block_hash=32
    )
    hash: bytes = _blob(key=True)
    block_hash: bytes = _blob(key=True)
    block_number: int = _integer()
    status: int = _integer()
    seen_at: int = _integer()


class Wish(Stored, table=True):
    """What a person wants done with a nonce. Fulfilled once another attempt than `against` is its dearest."""

    __table_args__ = _checks(
        ForeignKeyConstraint(["chain_uid", "signer", "nonce"], ["slot.chain_uid", "slot.signer", "slot.nonce"]),
        ForeignKeyConstraint(["against"], ["attempt.hash"]),
        CheckConstraint("kind IN ('bump','cancel')"),
        signer=20,
    )
    id: int | None = _serial()
    chain_uid: str = _text()
    signer: bytes = _blob()
    nonce: int = _integer()
    kind: str = _text()
    against: bytes | None = _blob(null=True)
    by: str = _text()
    wished_at: int = _integer()


class Event(Stored, table=True):
    """One link of the audit chain."""

    __tablename__ = "event_log"  # type: ignore[mutable-override]
    __table_args__ = _checks(CheckConstraint("seq >= 1"), prev_hash=32, hash=32)
    seq: int = _integer(key=True)
    prev_hash: bytes = _blob()
    hash: bytes = _blob()
    kind: str = _text()
    body: str = _text()
    at: int = _integer()
