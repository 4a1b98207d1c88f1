"""The ledger's tables. Rows that are evidence are insert-only; only `state` and `halt` ever change."""

from typing import Final

from sqlmodel import SQLModel

from hybrid_bridge.adapters.sqlite.file import STRICT, blob, integer, text


class Block(SQLModel, table=True):
    """A block this member has executed itself, and the sequencer's word for it."""

    __table_args__ = STRICT

    height: int = integer(primary_key=True)
    hash: bytes = blob()
    time: int = integer()
    epoch: int = integer(index=True)
    data: bytes = blob()
    sealed: bytes = blob()  # the sequencer's countersignature
    brake: int = integer()  # the last epoch in which the brake is on, as of this block


class Decided(SQLModel, table=True):
    """What a consensus engine calls a block that it decided, and what we answered it; none in the embedded ledger."""

    __table_args__ = STRICT

    height: int = integer(primary_key=True)
    hash: bytes = blob()  # the engine's own
    app_hash: bytes = blob()  # of the four below (SPEC §5)
    chain: bytes = blob()
    governance_size: int = integer()
    governance_root: bytes = blob()
    writes: bytes = blob()


class Item(SQLModel, table=True):
    """Where a transaction stands and what became of it."""

    __table_args__ = STRICT

    id: bytes = blob(primary_key=True)
    height: int = integer(index=True)
    position: int = integer()
    code: int = integer()
    submitter: bytes = blob()


class Entry(SQLModel, table=True):
    """An entry of the batch of its block's epoch."""

    __table_args__ = STRICT

    leaf: bytes = blob(primary_key=True)
    height: int = integer(index=True)
    entry: bytes = blob()


class State(SQLModel, table=True):
    """The state machine's keys and values after the newest block."""

    __table_args__ = STRICT

    key: bytes = blob(primary_key=True)
    value: bytes = blob()


class IdentityLabel(SQLModel, table=True):
    """An index that a transaction inserted into the registry."""

    __table_args__ = STRICT

    key: bytes = blob(primary_key=True)  # the registry index
    commitment: bytes = blob()
    height: int = integer(index=True)


class LifeEvent(SQLModel, table=True):
    """What happened to an object: one version of its life label."""

    __table_args__ = STRICT

    object_type: str = text(primary_key=True)
    object_id: str = text(primary_key=True)
    version: int = integer(primary_key=True)
    height: int = integer(index=True)
    code: str = text()
    entry_leaf: bytes = blob()
    state: bytes = blob()  # JCS


class Governance(SQLModel, table=True):
    """A leaf of the governance tree; the genesis record is leaf 0."""

    __table_args__ = STRICT

    number: int = integer(primary_key=True)  # its leaf
    height: int = integer(index=True)
    record: bytes = blob()


class Beacon(SQLModel, table=True):
    """A block's last beacon: a recent block of a public chain."""

    __table_args__ = STRICT

    height: int = integer(primary_key=True)
    chain_id: int = integer()
    number: int = integer()
    hash: bytes = blob()


class Countersigned(SQLModel, table=True):
    """A member's word for a block: one a member and height, ours committed before it leaves."""

    __table_args__ = STRICT

    signer: bytes = blob(primary_key=True)
    height: int = integer(primary_key=True)
    block_hash: bytes = blob()
    data: bytes = blob()


class Epoch(SQLModel, table=True):
    """A closed epoch: its record, its batch, what it added to the registry."""

    __table_args__ = STRICT

    number: int = integer(primary_key=True)
    end_block: int = integer()
    record: bytes = blob()
    entries: bytes = blob()  # 37 bytes each, in batch order
    pairs: bytes = blob()  # index ‖ commitment, ascending


class Attested(SQLModel, table=True):
    """A validator's verified signature over a checkpoint."""

    __table_args__ = STRICT

    size: int = integer(primary_key=True)
    address: bytes = blob(primary_key=True)
    root: bytes = blob()
    signature: bytes = blob()


class LogLine(SQLModel, table=True):
    """The log key's signature over a checkpoint note."""

    __table_args__ = STRICT

    size: int = integer(primary_key=True)
    signature: bytes = blob()


class Cosignature(SQLModel, table=True):
    """A verified line under a checkpoint note that counts for no quorum: a validator's ML-DSA-44, a witness's."""

    __table_args__ = STRICT

    size: int = integer(primary_key=True)
    name: str = text(primary_key=True)
    key_id: bytes = blob(primary_key=True)
    signature: bytes = blob()


class Conflict(SQLModel, table=True):
    """Two statements of one key that contradict each other: evidence, kept for good."""

    __table_args__ = STRICT

    kind: str = text(primary_key=True)  # block or checkpoint
    signer: bytes = blob(primary_key=True)
    number: int = integer(primary_key=True)  # height or size
    first: bytes = blob()
    second: bytes = blob()
    seen_at: int = integer()


class Halt(SQLModel, table=True):
    """Why this member no longer signs. Removed by a person, never by the program."""

    __table_args__ = STRICT

    id: int = integer(primary_key=True)
    reason: str = text()
    since: int = integer()


TABLES: Final[tuple[type[SQLModel], ...]] = (
    Block,
    Decided,
    Item,
    Entry,
    State,
    IdentityLabel,
    LifeEvent,
    Governance,
    Beacon,
    Countersigned,
    Epoch,
    Attested,
    LogLine,
    Cosignature,
    Conflict,
    Halt,
)
INSERT_ONLY: Final = (
    "block",
    "decided",
    "item",
    "entry",
    "identitylabel",
    "lifeevent",
    "governance",
    "beacon",
    "countersigned",
    "epoch",
    "attested",
    "logline",
    "cosignature",
    "conflict",
)
