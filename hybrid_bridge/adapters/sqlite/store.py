"""What a member's stores ask of their database, whichever it is; and SQL that SQLite and PostgreSQL both read."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

from sqlalchemy import Connection, Table, TextClause, text
from sqlmodel import SQLModel

T = TypeVar("T")


class Store(Protocol):
    """What a member's stores ask of their database: a file of ours, or a schema of a server's (`adapters.postgresql`).

    Errors: `StoreBroken`; of a server also `StoreAway`, after which nothing was changed and whoever asks again may, and
    `LeaseLost`, after which this process must end.
    """

    @property
    def name(self) -> str:
        """How it is called in errors."""

    def write(self) -> AbstractContextManager[Connection]:
        """One transaction; durable when the block ends, undone when it raises."""

    def read(self) -> AbstractContextManager[Connection]:
        """A view of the last commit; nothing can be written through it."""

    def create(
        self,
        tables: Sequence[type[SQLModel]],
        guarded: Sequence[str],
        facts: dict[str, str],
        fill: Callable[[Connection], None],
    ) -> None:
        """Make it with these tables and what `fill` puts there; rows of the `guarded` ones are never changed."""

    def open(self, facts: dict[str, str], tables: Sequence[type[SQLModel]]) -> None:
        """Take it for this process alone, and see that it is what the caller believes."""

    def migrate(self, forward: Callable[[Connection], T]) -> T:
        """What `forward` does in one transaction, while no other process has the store; it is closed then.

        Raises:
            StoreInUse: another program has it.
            StoreBroken: missing, or as `forward`.
        """

    def close(self) -> None:
        """Give it up."""

    def cleanse(self) -> None:
        """Whatever was deleted: remove its bytes too, as far as this is in our hands.

        Raises:
            NotYet: deleted, but somebody still reads it.
        """


def insert_new(table: Table) -> TextClause:
    """Insert a row if none with its keys is there; SQL that both engines read."""
    names = [column.name for column in table.columns if column is not table.autoincrement_column]
    return text(f"{_into(table, names)} ON CONFLICT DO NOTHING")


def put(table: Table) -> TextClause:
    """Insert a row, or change the one that has its key; SQL that both engines read."""
    keys = ", ".join(f'"{column.name}"' for column in table.primary_key)
    names = [column.name for column in table.columns]
    changed = ", ".join(f'"{name}" = excluded."{name}"' for name in names if name not in table.primary_key)
    return text(f"{_into(table, names)} ON CONFLICT ({keys}) DO UPDATE SET {changed}")


def _into(table: Table, names: Sequence[str]) -> str:
    columns, values = ", ".join(f'"{name}"' for name in names), ", ".join(f":{name}" for name in names)
    return f"INSERT INTO {table.name} ({columns}) VALUES ({values})"  # noqa: S608 words of our own tables
