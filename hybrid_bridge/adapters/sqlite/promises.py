"""The promises that this member was given: durable before its owner hears that the transaction was accepted.

Insert-only in what it says: a promise is evidence against the node that signed it. It stands in the private file, for
it names transactions of ours.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select
from sqlmodel import SQLModel

from hybrid_bridge.adapters.sqlite.file import STRICT, blob, integer, serial, table_of
from hybrid_bridge.adapters.sqlite.store import Store, insert_new
from hybrid_bridge.core.promise import SignedPromise
from hybrid_bridge.units import Sequence as SequenceNumber
from hybrid_bridge.units import TransactionId, UnixSeconds

MAX_ROWS: Final = 256  # of one answer


class Promised(SQLModel, table=True):
    """One promise: what a node signed when it accepted a transaction of ours."""

    __table_args__ = STRICT

    number: int | None = serial()
    transaction_id: bytes = blob(unique=True)
    sequence: int = integer()  # of the transaction
    signed: bytes = blob()  # 219
    since: int = integer()


_PROMISED = table_of(Promised)
_KEEP: Final = insert_new(_PROMISED)


class SqlPromises:
    """The part of the private file that others owe us for."""

    def __init__(self, file: Store) -> None:
        self._file = file

    def keep(self, signed: SignedPromise, sequence: SequenceNumber, now: UnixSeconds) -> None:
        """Commit a promise that was checked; the first one of a transaction stays."""
        row = {
            "transaction_id": signed.promise.transaction_id,
            "sequence": sequence,
            "signed": signed.encode(),
            "since": now,
        }
        with self._file.write() as connection:
            connection.execute(_KEEP, [row])

    def of(self, transaction_id: TransactionId) -> SignedPromise | None:
        """The promise for one transaction; None when we were given none."""
        query = select(_PROMISED.c.signed).where(_PROMISED.c.transaction_id == transaction_id)
        with self._file.read() as connection:
            data = connection.execute(query).scalar()
        return None if data is None else SignedPromise.decode(data)

    def after(self, number: int) -> Sequence[tuple[int, SequenceNumber, SignedPromise]]:
        """Promises numbered above `number`, ascending, each with its transaction's sequence number."""
        query = select(_PROMISED).where(_PROMISED.c.number > number).order_by(_PROMISED.c.number).limit(MAX_ROWS)
        with self._file.read() as connection:
            rows = connection.execute(query).all()
        return [(row.number, SequenceNumber(row.sequence), SignedPromise.decode(row.signed)) for row in rows]
