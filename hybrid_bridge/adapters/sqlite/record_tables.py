"""The private file's tables: documents, envelopes, what others have left here, what our keys are for."""

from typing import Final

from sqlalchemy import Index
from sqlalchemy import text as sql
from sqlmodel import SQLModel

from hybrid_bridge.adapters.sqlite.file import STRICT, blob, integer, serial, text


class Record(SQLModel, table=True):
    """A document: our own, or one that was delivered."""

    __table_args__ = STRICT

    number: int | None = serial()
    leaf: bytes = blob(unique=True)
    schema_name: str = text()
    source: str = text()  # "own", or the member that delivered it
    transaction_id: bytes = blob()  # empty when it was delivered
    plaintext: bytes = blob()  # as delivered, JCS (SPEC §5)
    since: int = integer()
    waits_until: int = integer(index=True)  # last epoch in which its entry may come to stand; 0 = it stands
    erased: int = integer()  # when; 0 = it is here. The row stays as the tombstone, without its document
    reason: str = text()  # of the erasure: a code, never content
    remains: int = integer(index=True)  # 1 = erased, and its bytes are perhaps still in the file or its log


OWED: Final = sql("state = 'owed'")  # few of all that were ever sent
OWED_INDEX: Final = Index("ix_outbox_owed", "number", sqlite_where=OWED, postgresql_where=OWED)


class Outbox(SQLModel, table=True):
    """A sealed envelope that its recipient has not signed for, or has."""

    __table_args__ = (OWED_INDEX, STRICT)

    number: int | None = serial()
    leaf: bytes = blob(index=True)
    recipient: str = text()
    envelope: bytes = blob()
    attempts: int = integer()
    due: int = integer()
    state: str = text()  # owed, done, declined or erased
    acknowledgement: bytes = blob()


class Taken(SQLModel, table=True):
    """What one member has left here in the running window."""

    __table_args__ = STRICT

    source: str = text(primary_key=True)
    window: int = integer()
    documents: int = integer()
    bytes: int = integer()


class Purpose(SQLModel, table=True):
    """What one of our party keys is for; the key itself is made from the seed when it is needed."""

    __table_args__ = STRICT

    key_id: bytes = blob(primary_key=True)
    purpose: str = text()
