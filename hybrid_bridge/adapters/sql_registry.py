"""The registry in two tables of any SQL database: nodes under rising numbers, and the top node of every epoch.

A node is written once and found by its number, so an insertion costs one path and an epoch one transaction. A branch
holds its children's digests beside their numbers: a proof reads the nodes of one path, and the top ones are cached.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any, Final, Protocol

from sqlalchemy import BigInteger, Connection, Integer, LargeBinary, Table, bindparam, func, select
from sqlmodel import Field, SQLModel

from hybrid_bridge.core.prefix_tree import Fork, Nodes, PrefixTree, Stored
from hybrid_bridge.core.registry_proof import Terminal
from hybrid_bridge.errors import NotYet, StoreBroken
from hybrid_bridge.units import Commitment, Digest, EpochNumber, RegistryIndex

SCHEMA: Final = "1"
CACHED_NODES: Final = 2**15  # some 15 MB: the upper half of a registry of a billion labels
ASKED_AT_ONCE: Final = 500  # numbers in one question; SQLite took 999 values once
HOLE: Final = 0  # numbers begin at 1

_NUMBER: Final = BigInteger().with_variant(Integer, "sqlite")  # there INTEGER is 64 bits, and the key is the row's own


def _number(**options: Any) -> Any:  # noqa: ANN401 as SQLModel's own Field
    return Field(sa_type=_NUMBER, **options)


class RegistryNode(SQLModel, table=True):
    """A branch, or, without numbers of children, a leaf."""

    __table_args__ = {"sqlite_strict": True}

    number: int = _number(primary_key=True, sa_column_kwargs={"autoincrement": False})
    left: int | None = _number(default=None)
    right: int | None = _number(default=None)
    first: bytes = Field(sa_type=LargeBinary)  # digest on the left, empty for a hole; a leaf's index
    second: bytes = Field(sa_type=LargeBinary)  # digest on the right; a leaf's commitment


class RegistryTop(SQLModel, table=True):
    """The registry after an epoch."""

    __table_args__ = {"sqlite_strict": True}

    epoch: int = _number(primary_key=True, sa_column_kwargs={"autoincrement": False})
    number: int = _number()  # its top node, or `HOLE`
    digest: bytes = Field(sa_type=LargeBinary)
    size: int = _number()  # pairs
    last: int = _number()  # the highest number given to a node by the end of this epoch


TABLES: Final[tuple[type[SQLModel], ...]] = (RegistryNode, RegistryTop)


class Database(Protocol):
    """Serial transactions to write, views of the last commit to read; foreign errors translated."""

    def write(self) -> AbstractContextManager[Connection]:
        """One transaction; durable when the block ends, undone when it raises."""
        ...

    def read(self) -> AbstractContextManager[Connection]:
        """A view of what is committed."""
        ...

    def close(self) -> None:
        """Give it up."""
        ...


class SqlRegistry:
    """A `RegistryStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._node = lru_cache(CACHED_NODES)(self._read)
        self._foreseen: dict[int, Terminal | Fork] = {}  # until the epoch is kept

    def close(self) -> None:
        """Give the database up."""
        self._database.close()

    def newest(self) -> EpochNumber | None:
        with self._database.read() as connection:
            return _newest(connection)

    def at(self, epoch: EpochNumber) -> PrefixTree:
        with self._database.read() as connection:
            row = connection.execute(select(_TOP).where(_TOP.c.epoch == epoch)).first()
        if row is None:
            raise NotYet(what=f"the registry of epoch {epoch}")
        nodes: Nodes = self
        return PrefixTree.stored(_stored(row.digest, row.number), row.size, nodes)

    def keep(self, epoch: EpochNumber, tree: PrefixTree) -> None:
        with self._database.write() as connection:
            newest = _newest(connection)
            following = 0 if newest is None else newest + 1
            if epoch > following:
                raise StoreBroken(store="registry", rule=f"epoch {following} before epoch {epoch}")
            last = connection.execute(select(_TOP.c.last).where(_TOP.c.epoch == epoch - 1)).scalar() or HOLE
            if epoch < following:
                connection.execute(_TOP.delete().where(_TOP.c.epoch >= epoch))
                connection.execute(_NODE.delete().where(_NODE.c.number > last))
                self._node.cache_clear()
            self._foreseen.clear()
            _write(connection, epoch, tree, last)

    def load(self, number: int) -> Terminal | Fork:
        """A node; `PrefixTree` hashes it before it believes it."""
        return self._foreseen.get(number) or self._node(number)

    def foresee(self, numbers: Sequence[int]) -> None:
        """Fetched in questions of some hundred numbers."""
        with self._database.read() as connection:
            for first in range(0, len(numbers), ASKED_AT_ONCE):
                some = numbers[first : first + ASKED_AT_ONCE]
                for row in connection.execute(select(_NODE).where(_NODE.c.number.in_(some))):
                    self._foreseen[row[0]] = _node_of(row)

    def _read(self, number: int) -> Terminal | Fork:
        with self._database.read() as connection:
            row = connection.execute(_ONE_NODE, {"number": number}).first()
        if row is None:
            raise StoreBroken(store="registry", rule=f"node {number} is there")
        return _node_of(row)


def _node_of(row: Any) -> Terminal | Fork:  # noqa: ANN401 a row of the table, in its order
    _, left, right, first, second = row
    if left is None or right is None:
        return Terminal(RegistryIndex(first), Commitment(second))
    return Fork(_stored(first, left), _stored(second, right))


def _newest(connection: Connection) -> EpochNumber | None:
    found = connection.execute(select(func.max(_TOP.c.epoch))).scalar()
    return None if found is None else EpochNumber(found)


def _write(connection: Connection, epoch: EpochNumber, tree: PrefixTree, last: int) -> None:
    """The new nodes of `tree`, numbered after `last`, and its top."""
    rows: list[tuple[object, ...]] = []

    def add(node: Terminal | Fork) -> int:
        rows.append((last + len(rows) + 1, *_columns(node)))
        return last + len(rows)

    top = tree.keep(add)
    if rows:  # thousands: rows go to the driver as they are, not through a dictionary and a processor for each value
        connection.exec_driver_sql(str(_NODE.insert().compile(connection)), rows)
    number = HOLE if top is None else top.number
    values = {"epoch": epoch, "number": number, "digest": tree.root, "size": tree.size, "last": last + len(rows)}
    connection.execute(_TOP.insert(), [values])


def _columns(node: Terminal | Fork) -> tuple[int | None, int | None, bytes, bytes]:
    """All but the number, in the table's order."""
    if isinstance(node, Terminal):
        return None, None, node.key, node.value
    left, right = node
    return (
        HOLE if left is None else left.number,
        HOLE if right is None else right.number,
        b"" if left is None else left.digest,
        b"" if right is None else right.digest,
    )


def _stored(digest: bytes, number: int) -> Stored | None:
    return None if number == HOLE else Stored(Digest(digest), number)


def _table(model: type[SQLModel]) -> Table:
    table = model.__table__  # type: ignore[attr-defined]  # SQLModel sets it on table models
    assert isinstance(table, Table)  # noqa: S101 narrows a type; no input
    return table


_NODE, _TOP = _table(RegistryNode), _table(RegistryTop)
_ONE_NODE = select(_NODE).where(
    _NODE.c.number == bindparam("number")
)  # made once: it is asked for every step of a path
