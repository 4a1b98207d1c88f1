"""Statements in the words of SQLite and of PostgreSQL. Revisions are written in these, so that both say the same."""

from collections.abc import Sequence
from typing import Final

from alembic import op

WORDS: Final = {
    "sqlite": {"blob": "BLOB", "integer": "INTEGER", "serial": "INTEGER NOT NULL", "strict": "STRICT"},
    "postgresql": {"blob": "BYTEA", "integer": "BIGINT", "serial": "BIGSERIAL", "strict": ""},
}


def is_sqlite() -> bool:
    """Which of the two this database is."""
    return op.get_bind().dialect.name == "sqlite"


def run(*statements: str) -> None:
    """Each with the types of this database: `{blob}`, `{integer}`, `{serial}`, `{strict}`."""
    words = WORDS[op.get_bind().dialect.name]
    for statement in statements:
        op.execute(statement.format_map(words))


def version(number: int) -> None:
    """SQLite's own place for it, too: a program of an older release looks there, and refuses."""
    if is_sqlite():
        op.execute(f"PRAGMA user_version = {number}")


def remade(table: str, statement: str, values: Sequence[str]) -> None:
    """SQLite changes no constraint in place: the table is made anew under its name, with these values for its columns.

    Its triggers go with the old one and have to be made again. References to it from other tables stay, and are
    checked before the commit.
    """
    run(statement.replace(f"CREATE TABLE {table} (", f"CREATE TABLE {table}_new (", 1))
    op.execute(f"INSERT INTO {table}_new SELECT {', '.join(values)} FROM {table}")  # noqa: S608 words of a revision
    op.execute(f"DROP TABLE {table}")
    op.execute(f"ALTER TABLE {table}_new RENAME TO {table}")


def forbid(verb: str, *tables: str) -> None:
    """No row of these tables is ever changed, or removed, by anybody."""
    for table in tables:
        name = f"{table}_no_{verb.lower()}"
        if is_sqlite():
            abort = f"SELECT RAISE(ABORT, '{table}: no {verb}')"
            op.execute(f"CREATE TRIGGER {name} BEFORE {verb} ON {table} BEGIN {abort}; END")
            continue
        op.execute(f"CREATE TRIGGER {name} BEFORE {verb} ON {table} FOR EACH ROW EXECUTE FUNCTION journal_refuses()")
        if verb == "DELETE":
            forbid_truncate(table)


def forbid_truncate(table: str) -> None:
    """PostgreSQL's way to remove all rows at once, past the triggers for each."""
    if not is_sqlite():
        whole = f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}"
        op.execute(f"{whole} FOR EACH STATEMENT EXECUTE FUNCTION journal_refuses()")
