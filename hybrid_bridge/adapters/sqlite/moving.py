"""A store's rows into another store, of either kind: copied in the transaction that makes it, read again, compared."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any, Final

from sqlalchemy import Connection, Table, select
from sqlmodel import SQLModel

from hybrid_bridge.adapters.sqlite.file import table_of
from hybrid_bridge.adapters.sqlite.store import Store
from hybrid_bridge.errors import StoreBroken

CHUNK: Final = 1000  # rows in memory at once


def copy_rows(source: Store, target: Connection, tables: Sequence[type[SQLModel]]) -> int:
    """All rows of these tables, which are empty in `target`; how many.

    Raises:
        StoreBroken: what stands there is not what was read here.
    """
    count = 0
    for table in map(table_of, tables):
        for rows in _read(source, table):
            target.execute(table.insert(), rows)
            count += len(rows)
        _go_on_numbering(target, table)
        for here, there in zip_longest(_read(source, table), _chunks(target, table)):
            if here != there:
                raise StoreBroken(store=source.name, rule=f"the same rows of {table.name} in both")
    return count


def _read(source: Store, table: Table) -> Iterator[list[dict[str, Any]]]:
    """A generator: what goes wrong with the other store meanwhile is not taken for an error of this one."""
    with source.read() as view:
        yield from _chunks(view, table)


def _chunks(connection: Connection, table: Table) -> Iterator[list[dict[str, Any]]]:
    query = select(table).order_by(*table.primary_key).execution_options(yield_per=CHUNK)
    with connection.execute(query) as result:
        for rows in result.mappings().partitions():
            yield [dict(row) for row in rows]


def _go_on_numbering(target: Connection, table: Table) -> None:
    """A key that the database gives goes on behind the highest that was copied; SQLite does so by itself."""
    serial = table.autoincrement_column
    if serial is not None and target.dialect.name == "postgresql":
        highest = f"(SELECT max({serial.name}) FROM {table.name})"  # noqa: S608 words of our own tables
        found = f"pg_get_serial_sequence('{table.name}', '{serial.name}')"
        target.exec_driver_sql(f"SELECT setval({found}, coalesce({highest}, 1), {highest} IS NOT NULL)")
